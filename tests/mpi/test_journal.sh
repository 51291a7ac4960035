#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Journals that are cut off, damaged, or of another run. (Every byte of one: tests/base.)
source "$(dirname "$0")/lib.sh" journal "$@"
make_tracks 30
bootstrap=100
done_or_doubted "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o serial.json -q

mpirun -n 2 "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o got.json --journal left.journal > out 2> err &
job=$!
wait_for_bytes left.journal 20000
kill -TERM "$job"
wait "$job" || true
size=$(stat -c %s left.journal)

try() { # further options; the journal is got.journal
    rm -f got.json
    ranks 2 "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o got.json --journal got.journal "$@"
}

for other in '--starts 4' '--seed 2' '--delta 1.7' '--level 0.9'; do
    cp left.journal got.journal
    # shellcheck disable=SC2086
    expect_code 2 try $other
    expect_line "holds unfinished work of another run" err
    cmp left.journal got.journal || fail "a journal that was refused was changed"
done

for cut in 10 64 3000 $((size - 1)); do
    head -c "$cut" left.journal > got.journal
    try > out 2> err
    [ "$cut" -lt 3000 ] || expect_line "going on from got.journal" err
    same_body serial.json got.json
    [ ! -e got.journal ] || fail "the journal is still there"
done

# What another run left is thrown away when the user says so.
cp left.journal got.journal
try --bootstrap 10 --force > out 2> err
[ ! -e got.journal ] || fail "the journal is still there"
