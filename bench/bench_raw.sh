#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# From raw frames of structured illumination to nucleation and growth: crystals that nucleate over 45 s,
# grow by diffusion and blink, through `run` with nothing set but what the file cannot say, against their
# truth. Several minutes.
#
# Beside each figure stands what the same program makes of the true light, with the noise that photons
# must cause: of all crystals (`true`), and at the points of the tracks that were found (`points`), where
# only the light is not what was measured. Without noise, fits would follow what tells the laws apart.
#
# Usage: bench_raw.sh PROGRAM FOLDER [SEED [CRYSTALS [SETS [BACKGROUND [HEIGHT [RAW]]]]]]; what is empty, the program
# chooses. RAW `none`: spots are found in the reconstruction, not in the raw frames.
set -eu
program=$1 work=$2 seed=${3:-31} crystals=${4:-500} sets=${5:-252} background=${6:-} height=${7:-} raw=${8:-}
mkdir -p "$work"
: >"$work/run.log"
call() { # call ARGUMENTS: exit code 4 is a fit that is not to be trusted, which is a result
    code=0
    "$program" "$@" --force >>"$work/run.log" 2>&1 || code=$?
    [ "$code" = 0 ] || [ "$code" = 4 ] || { tail -n 5 "$work/run.log"; exit "$code"; }
}
cat >"$work/simulate.yaml" <<END
simulate sim:
  emitters: 0
  filaments: 0
  crystals: $crystals
  width: 154
  height: 154
  sets: $sets
  frame-s: 0.238
END
call run "$work/simulate.yaml" -o "$work" --seed "$seed"
sed '/^frame/s/particle/track/' "$work/synthetic/particles.csv" >"$work/still.csv"
# What a still image of the same crystals would tell: their median radius at the end. Light goes with
# its cube, and 1.5 nm shines with 800 photoelectrons.
call nucleation "$work/still.csv" --final-radius-nm 1.5 -o "$work/still.json"
final=$(grep -o 'median final intensity [0-9.]*' "$work/run.log" |
    awk '{ printf "%.5f", 1.5 * ($4 / 800) ^ (1 / 3) }')
cat >"$work/run.yaml" <<END
reconstruct:
  na: 1.45
  wavelength-nm: 520
${background:+  background: $background}
detect:
  kind: spot
${height:+  height: $height}
${raw:+  raw-from: $raw}
track:
  max-gap: 120
  min-points: 10
  merge: false
  drift: false
nucleation:
  final-radius-nm: $final
fit diffusion:
  final-radius-nm: $final
report:
END
call run "$work/run.yaml" -o "$work"

# ---- the truth as tables of tracks ----

column() { # column KEY: numbers of an array of the truth
    tr -d ' \n' <"$work/synthetic/truth.json" | sed -E "s/.*\"$1\":\[([^]]*)\].*/\1/" | tr ',' '\n'
}
for key in track birth_s x_nm y_nm product_nm2_per_s; do
    column $key >"$work/$key"
done
paste -d, "$work/track" "$work/birth_s" "$work/x_nm" "$work/y_nm" >"$work/truth.csv"
# Nine frames of light l over a background of 22 tell l to the root of (l + 22 area)/9, where the area
# of a spot, 1 over the integral of its square, is 17.5 pixels. Each track's crystal is the nearest one
# within 60 nm of its first point.
awk -F, -v OFS=, -v seed="$seed" -v truth="$work/truth.csv" -v light="$work/still.csv" \
    -v all="$work/all.csv" '
    function noise(l) { return sqrt((l + 22 * 17.5) / 9 * -2 * log(1 - rand())) * cos(6.283185307 * rand()) }
    BEGIN {
        srand(seed)
        while ((getline line < truth) > 0) {
            split(line, f, ",")
            id[n] = f[1]; x[n] = f[3]; y[n++] = f[4]
        }
        while ((getline line < light) > 0) {
            m = split(line, f, ",")
            if (m == 6 && f[1] != "frame") {
                shines[f[1], f[3]] = f[6] += noise(f[6])
                line = f[1] "," f[2] "," f[3] "," f[4] "," f[5] "," f[6]
            }
            print line >all
        }
    }
    /^#/ { next }
    head == 0 { for (i = 1; i <= NF; i++) c[$i] = i; head = 1; print; next }
    !($c["track"] in crystal) {
        best = 60 * 60
        crystal[$c["track"]] = -1
        for (i = 0; i < n; i++) {
            d = ($c["x_nm"] - x[i]) ^ 2 + ($c["y_nm"] - y[i]) ^ 2
            if (d < best) { best = d; crystal[$c["track"]] = id[i] }
        }
    }
    {
        who = crystal[$c["track"]]
        if (($c["frame"], who) in shines) { $c["intensity"] = shines[$c["frame"], who]; print }
    }' "$work/tracks.csv" >"$work/points.csv"
for which in all points; do
    call nucleation "$work/$which.csv" --final-radius-nm "$final" -o "$work/$which-nucleation.json"
    call fit diffusion "$work/$which.csv" --final-radius-nm "$final" -o "$work/$which-fit.json"
done

# ---- side by side ----

middle() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
flat() { tr -d ' \n' <"$work/$1"; }
value() { # value FILE NAME: median with its interval
    flat "$1" | sed -E "s/.*\"$2\":\{\"value\":([^,]*),\"lower\":([^,]*),\"upper\":([^,]*),.*/\1 \2 \3/" |
        awk '{ printf "%.4f (%.4f to %.4f)", $1, $2, $3 }'
}
last() { # last FILE: mean and spread of the last histogram, and what its quartiles tell
    flat "$1" | sed -E 's/.*"mean_nm":([^,]*),"sd_nm":([^,]*),"mean_se_nm".*"middle_sd_nm":([^,}]*).*/\1 \2 \3/' |
        awk '{ printf "%.4f +- %.4f, by quartiles %.4f", $1, $2, $3 }'
}
echo "seed $seed, $crystals crystals, $(wc -l <"$work/birth_s") of them in the field," \
    "median D V_m dC $(middle <"$work/product_nm2_per_s")"
grep -h '^background' "$work/run.log"
for key in product_nm2_per_s n; do
    printf '%-18s found  %s\n%-18s points %s\n%-18s true   %s\n' "$key" "$(value fit-diffusion.json $key)" \
        "" "$(value points-fit.json $key)" "" "$(value all-fit.json $key)"
done
printf '%-18s found  %s\n%-18s points %s\n%-18s true   %s\n' "n of the sum" \
    "$(value nucleation.json n)" "" "$(value points-nucleation.json n)" "" "$(value all-nucleation.json n)"
printf '%-18s found  %s\n%-18s true   %s\n' "radius at the end" "$(last nucleation.json)" \
    "" "$(last all-nucleation.json)"
# Crystals just outside of the field shine into it: N(t) is compared 200 nm and more inside.
awk -F, '/^#/ { print; next } head == 0 { for (i = 1; i <= NF; i++) c[$i] = i; head = 1; print; next }
    $c["x_nm"] > 200 && $c["y_nm"] > 200 && $c["x_nm"] < 9810 && $c["y_nm"] < 9810' "$work/tracks.csv" \
    >"$work/inside.csv"
call nucleation "$work/inside.csv" --min-points 10 -o "$work/inside-nucleation.json"
series() { flat inside-nucleation.json | sed -E "s/.*\"$1\":\[([^]]*)\].*/\1/" | tr ',' '\n'; }
for key in time_s gap_closed cumulative corrected corrected_lower corrected_upper; do
    series $key >"$work/inside-$key"
done
cd "$work"
paste -d, inside-time_s inside-gap_closed inside-cumulative inside-corrected inside-corrected_lower \
    inside-corrected_upper | awk -F, '
    function count(name, off) {
        if (off > most[name]) most[name] = off
        if (off < least[name]) least[name] = off
        near[name] += off <= 5 && off >= -5
    }
    BEGIN {
        while ((getline line < "truth.csv") > 0) {
            split(line, f, ",")
            if (f[3] > 200 && f[4] > 200 && f[3] < 9810 && f[4] < 9810) birth[n++] = f[2]
        }
        next_s = 10
    }
    $1 >= 10 {
        true_n = 0
        for (i = 0; i < n; i++) true_n += birth[i] <= $1
        frames++
        off = 100 * ($2 / true_n - 1)
        count("gaps closed", off)
        count("with hidden", 100 * ($4 / true_n - 1))
        held += $5 <= true_n && true_n <= $6
        if ($1 >= next_s) {
            printf "N(%2d s) true %3d, gaps closed %3d (%+.1f %%), with hidden %3.0f (%3.0f to %3.0f), born so far %3d (%+.1f %%)\n",
                $1, true_n, $2, off, $4, $5, $6, $3, 100 * ($3 / true_n - 1)
            next_s += 10
        }
    }
    END {
        for (name in near)
            printf "N(t) from 10 s on, %s: %+.1f to %+.1f %% of the truth, within 5 %% in %.0f %% of frames\n",
                name, least[name], most[name], 100 * near[name] / frames
        printf "intervals with hidden ones hold it in %.0f %% of frames\n", 100 * held / frames
    }'
