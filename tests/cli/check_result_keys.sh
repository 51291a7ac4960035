#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check_result_keys.sh PROGRAM RESULTS.md SCRATCH: every key of real results stands on the page about
# result files, and every key in the first column of the page's tables is in a result.
set -euo pipefail
program=$(realpath "$1")
page=$(realpath "$2")
scratch=$3
status=0
complain() {
    echo "$*"
    status=1
}

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
"$program" simulate ensemble -q -o . --particles 12 --frames 60
"$program" ensemble tracks.csv -q -o ensemble.json --material Pt --bootstrap 20
"$program" track tracks.csv -q -o linked.csv --result track.json
"$program" simulate tem -q -o tem --particles 12 --frames 3 --field-nm 60
"$program" detect tem/movie.tif -q -o particles.csv --result detect.json 2> "$scratch/detect.err"
"$program" potential -q -o potential.json --supersaturation 2
"$program" fit growth ensemble.json -q -o fit-growth.json --starts 1 --bootstrap 4 || [ $? = 4 ]
"$program" fit growth ensemble.json -q -o fit-growth-forward.json --estimator forward --starts 1 \
    --bootstrap 2 --speed-spread --compare-models --folds 2 || [ $? = 4 ]
"$program" predict fit-growth.json -q -o predicted.json --target-nm 2 --grid 1:2:2 --replicates 3 \
    --steps 160 || [ $? = 4 ]
# six pairs that meet one after the other, two of which were three
awk 'BEGIN {
    print "group,track,frame,time_s,x_nm,y_nm,radius_nm"
    for (g = 1; g <= 6; g++) for (t = 1; t <= 2 + (g > 4); t++) for (f = 0; f < 16; f++) {
        m = 5 + g + t; u = f < m ? t : 1; far = sqrt(f) * (0.5 + ((g * 7 + u * 3) % 5) / 4)
        print g "," 3 * g + t "," f "," f "," 20 * g + 2 * u + far "," 9 * u - far ","  \
            1 + 0.04 * f + 0.01 * u + 0.01 * g
    }
}' > pairs.csv
"$program" fit coalescence pairs.csv -q -o fit-coalescence.json --starts 1 --max-iterations 3 \
    --bootstrap 2 --cells 20 || [ $? = 4 ]
"$program" simulate sim -q -o sim --width 200 --height 160 --emitters 120 --filaments 5
"$program" reconstruct sim/raw.tif -q -o sr.tif --na 1.45 --wavelength-nm 520 --passes 2
"$program" simulate crystals -q -o crystals --crystals 12 --frames 200 --nucleation-s 10
made="--calibration crystals/still.csv -q"
"$program" radius crystals/tracks.csv $made -o radius.json
"$program" nucleation crystals/tracks.csv $made -o nucleation.json --bootstrap 5
"$program" fit avrami crystals/tracks.csv -q -o fit-avrami-crystals.json --bootstrap 5
awk 'BEGIN { print "time_s,intensity"; for (t = 0; t < 60; t++)
    print t "," 5 + 90 * (1 - exp(-(t / 20) ^ 2)) + (t * 7) % 3 }' > series.csv
"$program" fit avrami series.csv -q -o fit-avrami.json || [ $? = 4 ]
"$program" fit diffusion crystals/tracks.csv $made -o fit-diffusion.json --bootstrap 5 || [ $? = 4 ]
"$program" energy nucleation.json fit-diffusion.json -q -o energy.json \
    --surface-energy-J-per-m2 0.02

"$program" fit growth -q -o fit-growth-joint.json --material Pt --dataset tracks.csv \
    --dataset tracks.csv --starts 1 --bootstrap 2 || [ $? = 4 ]
# six samples of forty particles from a flask
awk 'BEGIN {
    print "time_min,radius_nm"
    for (k = 0; k < 6; k++) for (i = 0; i < 40; i++) print 5 * k "," 1.2 + 0.08 * k + 0.012 * i
}' > flask.csv
"$program" fit growth flask.csv -q -o fit-growth-flask.json --material CdSe --starts 1 \
    --bootstrap 2 || [ $? = 4 ]

keys() { # of a result; those named like flags (frame-s) are the flags' own
    grep -ohE '"[A-Za-z0-9_-]+": ' "$@" | tr -d '": ' | grep -v - | sort -u
}
words=$(grep -oE '[A-Za-z_][A-Za-z0-9_]*' "$page" | sort -u)
for result in ensemble.json detect.json track.json potential.json fit-growth.json fit-growth-forward.json predicted.json \
    fit-growth-flask.json fit-growth-joint.json \
    fit-coalescence.json truth.json crystals/truth.json sr.pattern.json radius.json nucleation.json \
    fit-avrami.json fit-avrami-crystals.json fit-diffusion.json energy.json; do
    # flags of the provenance are known from the help pages
    keys <(sed '/^    "options": {/,/^    },/d' "$result") > found
    # in predicted.json a band goes with its key
    [ "$result" != predicted.json ] || sed -i -E 's/_(lower|upper)$//' found && sort -u -o found found
    undocumented=$(comm -23 found - <<< "$words" | tr '\n' ' ')
    [ -z "$undocumented" ] || complain "$result: not in $(basename "$page"): $undocumented"
done

for result in ensemble detect fit-growth fit-growth-forward fit-growth-flask \
    fit-growth-joint predicted fit-coalescence sr.pattern radius nucleation \
    fit-avrami fit-diffusion energy; do
    keys "$result.json" > found
    promised=$(sed -n "/^## $result.json:/,/^## /p" "$page" | sed -nE 's/^\| (`[^|]*) \|.*/\1/p' |
               grep -oE '`[A-Za-z_]+' | tr -d '`' | sort -u)
    absent=$(comm -13 found - <<< "$promised" | tr '\n' ' ')
    [ -z "$absent" ] || complain "$result.json lacks: $absent"
done
exit "$status"
