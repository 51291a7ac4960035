#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# From raw frames of structured illumination to nucleation and growth: crystals that nucleate over 45 s,
# grow by diffusion and blink, through `run`, against their truth. Several minutes.
# Usage: bench_raw.sh PROGRAM FOLDER [SEED [CRYSTALS [SETS [BACKGROUND]]]]
set -eu
program=$1 work=$2 seed=${3:-31} crystals=${4:-500} sets=${5:-252} background=${6:-17}
mkdir -p "$work"
cat >"$work/run.yaml" <<END
simulate sim:
  emitters: 0
  filaments: 0
  crystals: $crystals
  width: 154
  height: 154
  sets: $sets
  frame-s: 0.238
reconstruct:
  na: 1.45
  wavelength-nm: 520
  background: $background
detect:
  kind: spot
track:
  max-gap: 120
  min-points: 10
  merge: false
  drift: false
nucleation:
  final-radius-nm: 1.5
fit diffusion:
  final-radius-nm: 1.5
END
code=0
"$program" run "$work/run.yaml" -o "$work" --seed "$seed" --force >"$work/run.log" 2>&1 || code=$?
[ "$code" = 0 ] || [ "$code" = 4 ] || { tail -n 5 "$work/run.log"; exit "$code"; }

column() { # column KEY: numbers of an array of the truth
    tr -d ' \n' <"$work/synthetic/truth.json" | sed -E "s/.*\"$1\":\[([^]]*)\].*/\1/" | tr ',' '\n'
}
middle() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
echo "true: crystals in the field $(column birth_s | wc -l), median D V_m dC $(column product_nm2_per_s | middle)," \
    "final radius $(column final_nm | awk '{ n++; s += $1; q += $1 * $1 }
        END { m = s / n; printf "%.4f, s.d. %.4f", m, sqrt(q / n - m * m) }')"
# Crystals just outside of the field shine into it: N(t) is compared 200 nm and more inside.
column birth_s >"$work/birth"
column x_nm >"$work/x"
column y_nm >"$work/y"
paste "$work/birth" "$work/x" "$work/y" >"$work/truth.txt"
awk -F, -v truth="$work/truth.txt" '
    function inside(x, y) { return x > 200 && y > 200 && x < 9810 && y < 9810 }
    BEGIN { while ((getline line < truth) > 0) { split(line, f, "\t"); if (inside(f[2], f[3])) birth[n++] = f[1] } }
    /^#/ { next }
    head == 0 { for (i = 1; i <= NF; i++) c[$i] = i; head = 1; next }
    inside($c["x_nm"], $c["y_nm"]) {
        t = $c["time_s"] + 0; k = $c["track"]
        if (!(k in from) || t < from[k]) from[k] = t
        if (t > to[k]) to[k] = t
        if (t > end) end = t
    }
    END {
        for (t = 10; t <= end; t += 5) {
            true_n = found = born = 0
            for (i = 0; i < n; i++) true_n += birth[i] <= t
            for (k in from) { found += from[k] <= t && to[k] >= t; born += from[k] <= t }
            printf "N(%2d s): true %3d, gaps closed %3d (%+.1f %%), born so far %3d\n", t, true_n, found,
                100 * (found / true_n - 1), born
        }
    }' "$work/tracks.csv"
grep -hE '^(product|final|n  )|Avrami|^ +[0-9.]+ +[0-9]+ +[0-9.]+ +[0-9.]+ ' "$work/run.log" | cut -c1-100
