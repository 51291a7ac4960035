#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Through to physics: from the pixels of a movie whose growth law is known to that law, within the
# intervals that the fit gives. bench/bench_pixels.mjs is the study; this is one movie of it.
# Usage: from_pixels.sh PROGRAM FOLDER
set -u
program=$1
work=$2/from-pixels-$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work" || exit 1
failures=0

cat >"$work/run.yaml" <<'END'
simulate tem:
  particles: 130
  field-nm: 360
  dose-per-px: 1600
  contrast: 0.4
  diffusion-nm2-per-s: 0.01
detect:
track:
  min-points: 10
ensemble:
  material: Pt
fit growth:
END
"$program" run "$work/run.yaml" -o "$work" --quiet --threads 2
code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 4 ] || exit "$code"

number() { # number KEY: the first in the fit
    sed -nE "s/.*\"$1\": (-?[0-9.e+-]+).*/\1/p" "$work/fit-growth.json" | head -n 1
}

inside() { # inside NAME TRUTH LOWER UPPER
    if awk "BEGIN { exit !($3 <= $2 && $2 <= $4) }"; then
        echo "$1: $2 lies in $3 to $4"
    else
        echo "FAILED: $1 is $2; found $3 to $4"
        failures=$((failures + 1))
    fi
}

parameter() { # parameter NAME TRUTH: {"value", "lower", "upper", ...} stand together
    block=$(sed -n "/\"parameters\": {/,/^  }/p" "$work/fit-growth.json" | tr -d '\n' |
        sed -nE "s/.*\"$1\": \{([^}]*)\}.*/\1/p")
    inside "$1" "$2" "$(echo "$block" | sed -nE 's/.*"lower": (-?[0-9.e+-]+).*/\1/p')" \
        "$(echo "$block" | sed -nE 's/.*"upper": (-?[0-9.e+-]+).*/\1/p')"
}

# The truth is Table 1 of [Kim] with delta 1.76; its potential is highest at 185, with 0.914 kT.
inside 'size of the highest potential' 185 "$(number n_max_lower)" "$(number n_max_upper)"
inside 'highest potential, kT' 0.9139 "$(number mu_max_lower_kT)" "$(number mu_max_upper_kT)"
parameter K 0.171
parameter kr 1.4

# Nearly all of them are found, and few are broken in two.
tracks=$(sed -nE 's/.*"tracks": ([0-9]+).*/\1/p' "$work/track.json" | head -n 1)
[ "$tracks" -ge 120 ] && [ "$tracks" -le 140 ] || {
    echo "FAILED: $tracks tracks of 130 particles"
    failures=$((failures + 1))
}
exit "$failures"
