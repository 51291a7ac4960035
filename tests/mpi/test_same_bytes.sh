#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Any number of processes writes what one writes.
source "$(dirname "$0")/lib.sh" same_bytes "$@"
make_tracks 40
done_or_doubted "$nucgrow" "${fit[@]}" --bootstrap 30 -o serial.json -q
for n in 1 2 3; do
    ranks $n "$nucgrow" "${fit[@]}" --bootstrap 30 -o ranks-$n.json > out 2> err
    same_body serial.json ranks-$n.json
    expect_line "written: ranks-$n.json" out
    grep -q "^    \"ranks\": $n,\$" ranks-$n.json || fail "ranks are not in the provenance"
    [ ! -e ranks-$n.json.partial ] || fail "the journal is still there"
done

# Standard input reaches the first process only; all read it.
done_or_doubted "$nucgrow" fit growth - --material Pt --bootstrap 4 --threads 1 --json -q < data/tracks.csv > one.json
ranks 2 "$nucgrow" fit growth - --material Pt --bootstrap 4 --threads 1 --json -q \
    < data/tracks.csv > two.json
same_body one.json two.json

# Commands that are not shared run once.
ranks 2 "$nucgrow" potential --json > potential.json
[ "$(grep -c '"schema"' potential.json)" = 1 ] || fail "potential was printed more than once"

# A whole experiment: shared steps among others.
printf 'simulate ensemble:\n  particles: 30\nensemble:\n  material: Pt\nfit growth:\n  bootstrap: 4\nreport:\n' \
    > experiment.yaml
ranks 2 "$nucgrow" run experiment.yaml -o all > out 2> err
[ -s all/report.html ] && [ -s all/fit-growth.json ] || fail "run left no report"
expect_code 2 ranks 2 "$nucgrow" run experiment.yaml -o all
expect_line "exists already" err
