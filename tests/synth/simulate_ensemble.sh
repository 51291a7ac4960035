#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# nucgrow simulate ensemble from outside: files, bytes, exit codes, sentences.
# Usage: simulate_ensemble.sh PROGRAM FOLDER
set -u
program=$1
work=$2/simulate-ensemble-$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work" || exit 1
SOURCE_DATE_EPOCH=0
export SOURCE_DATE_EPOCH
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# simulate EXIT_CODE FOLDER [OPTION...]
simulate() {
    expected=$1
    folder=$2
    shift 2
    "$program" simulate ensemble -o "$work/$folder" "$@" >"$work/out" 2>"$work/err"
    code=$?
    [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $* ($(cat "$work/err"))"
}

says() { # says FILE TEXT
    grep -qF -- "$2" "$work/$1" || fail "'$2' is not in: $(head -c 600 "$work/$1")"
}

simulate 0 a --threads 1
says out "particles   110 tracks"
says out "a/truth.json"
says a/truth.json '"schema": "nucgrow/truth/1"'
says a/truth.json '"provenance"'
says a/tracks.csv "track,frame,time_s,x_nm,y_nm,radius_nm,radius_se_nm"

# The program reads what it wrote.
"$program" info "$work/a/tracks.csv" >"$work/out" 2>&1 || fail "info does not read tracks.csv"
says out "tracks   110"
says out "frames   173"

# The same seed gives the same bytes for any number of threads; another seed does not.
simulate 0 b --threads 3
cmp -s "$work/a/tracks.csv" "$work/b/tracks.csv" || fail "tracks differ between 1 and 3 threads"
simulate 0 c --seed 2
cmp -s "$work/a/tracks.csv" "$work/c/tracks.csv" && fail "two seeds give the same tracks"

# Nothing is overwritten unless asked.
simulate 2 a
says err "a/tracks.csv: exists already; pass --force"
simulate 0 a --force --quiet
[ -s "$work/out" ] && fail "--quiet with -o prints"

# A material fills what no flag says; a flag wins wherever it stands.
simulate 0 au --kr 2 --material Au --schedule 0:6,170:5 --frames 5 --json
says out '"eps_f": 5.45'
says out '"kr": 2.0'
says out '"origin": "preset"'
printf 'time_s,supersaturation\n0,3\n9,4.25\n' >"$work/schedule.csv"
simulate 0 file --schedule "$work/schedule.csv" --frames 10
says file/truth.json '"supersaturation": [3.0, 4.25]'
says file/truth.json '"sha256"'

# Refusals: one sentence, nothing written.
simulate 2 bad --schedule 0:4,20
says err '"20" is not a pair; write seconds:S'
simulate 2 bad --start-n 10
says err "start-n"
simulate 2 bad --material Unobtainium
simulate 2 bad --frmes 10
says err "frames"
simulate 3 bad --schedule "$work/missing.csv"
simulate 3 bad --detection-n 1e7
says err "no particle was seen in any frame"
[ -e "$work/bad/tracks.csv" ] && fail "a refused simulation left tracks"

# Particles that dissolve are told.
simulate 0 dissolved --schedule 0:1 --frames 60
says err "particles fell below n = 50 and were removed"

[ "$failures" -eq 0 ] && echo "all good"
exit "$failures"
