#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A process dies: the job ends, and the same command goes on to the bytes of a serial run.
source "$(dirname "$0")/lib.sh" killed "$@"
make_tracks 30
bootstrap=250
done_or_doubted "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o serial.json -q

start() { # signal-to-whom: the job in the background, its number in $job
    rm -f got.json got.journal
    mpirun -n 2 "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o got.json --journal got.journal \
        > out 2> err &
    job=$!
    wait_for_bytes got.journal 20000
}

finish() { # resume and compare
    [ ! -e got.json ] || fail "a killed run left a result"
    ranks 2 "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o got.json --journal got.journal > out 2> err
    expect_line "going on from got.journal" err
    same_body serial.json got.json
    [ ! -e got.journal ] || fail "the journal is still there"
}

for rank in 1 2; do
    start
    victim=$(children_of "$job" | sed -n "${rank}p")
    [ -n "$victim" ] || fail "no process to kill"
    kill -9 "$victim"
    code=0
    wait "$job" || code=$?
    [ "$code" != 0 ] || fail "a job with a dead process ended with 0"
    finish
done

# Asked to stop, the program says what is kept.
start
kill -TERM "$job"
code=0
wait "$job" || code=$?
[ "$code" != 0 ] || fail "a stopped job ended with 0"
expect_line "finished parts are in got.journal" err
finish

# Without mpirun, too, and on another number of processes.
start
kill -TERM "$job"
wait "$job" || true
done_or_doubted "$nucgrow" "${fit[@]}" --bootstrap $bootstrap -o got.json --journal got.journal > out 2> err
expect_line "going on from got.journal" err
same_body serial.json got.json
