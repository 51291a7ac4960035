#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sets of a movie are shared among processes: any number of them writes the same images.
source "$(dirname "$0")/lib.sh" images "$@"
"$nucgrow" simulate sim -o raw --width 200 --height 160 --emitters 120 --filaments 5 --sets 5 \
    --phase-drift-deg 10 -q
reconstruct=(reconstruct raw/raw.tif --na 1.45 --wavelength-nm 520 --passes 3 --follow-drift)
"$nucgrow" "${reconstruct[@]}" --threads 1 -o serial.tif -q
for n in 2 3; do
    ranks $n "$nucgrow" "${reconstruct[@]}" --threads 2 -o ranks-$n.tif > out 2> err
    cmp serial.tif ranks-$n.tif || fail "$n processes make other images"
    cmp serial.rehearsal.tif ranks-$n.rehearsal.tif || fail "$n processes rehearse otherwise"
    same_body serial.pattern.json <(sed "s/ranks-$n\./serial./" ranks-$n.pattern.json)
    expect_line "images      5 of joint" out
    grep -q "^    \"ranks\": $n,$" ranks-$n.pattern.json || fail "ranks are not in the provenance"
    [ ! -e ranks-$n.tif.partial ] || fail "images are kept twice"
done

# What is refused is said once, and nothing is left behind.
expect_code 3 ranks 2 "$nucgrow" reconstruct raw/raw.tif --na 1.45 --wavelength-nm 520 --phases 4 \
    -o none.tif
expect_line "45 frames are no multiple of 3 directions x 4 phases" err
[ ! -e none.tif ] && [ ! -e none.pattern.json ] || fail "files of a run that failed"
