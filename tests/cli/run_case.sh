#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run_case.sh PROGRAM CASE.sh SCRATCH [--update]: run a case in an empty folder, with `nucgrow` as
# command, and compare what it prints with CASE.out, CASE.err and CASE.code (absent: empty, empty, 0).
# --update, or NUCGROW_UPDATE=1 in the environment, writes those files instead.
set -euo pipefail
program=$(realpath "$1")
case_file=$(realpath "$2")
scratch=$3/$(basename "$2" .sh)
update=${NUCGROW_UPDATE:-0}
[ "${4:-}" != --update ] || update=1

rm -rf "$scratch"
mkdir -p "$scratch/bin" "$scratch/work"
ln -s "$program" "$scratch/bin/nucgrow"
scratch=$(realpath "$scratch")
code=0
(
    cd "$scratch/work"
    unset ${!NUCGROW_*}
    PATH=$scratch/bin:$PATH CASES=$(dirname "$case_file") SOURCE_DATE_EPOCH=0 COLUMNS=80 LC_ALL=C \
        bash "$case_file"
) > "$scratch/out" 2> "$scratch/err" < /dev/null || code=$?
echo "$code" > "$scratch/code"

# What differs between builds is not part of a case.
sed -i -E 's/nucgrow [0-9]+\.[0-9]+\.[0-9]+/nucgrow VERSION/' "$scratch/out" "$scratch/err"

expected() { # file, what stands for an absent one
    if [ -e "$1" ]; then cat "$1"; else printf '%s' "$2"; fi
}
keep() { # stream, what an absent file stands for
    if [ "$(cat "$scratch/$1")" = "$2" ]; then
        rm -f "${case_file%.sh}.$1"
    else
        cp "$scratch/$1" "${case_file%.sh}.$1"
    fi
}
if [ "$update" = 1 ]; then
    keep out ''
    keep err ''
    keep code 0
    exit 0
fi

status=0
for stream in out err code; do
    absent=
    [ "$stream" != code ] || absent=$'0\n'
    diff -u --label "expected $stream" --label "got $stream" \
        <(expected "${case_file%.sh}.$stream" "$absent") "$scratch/$stream" || status=1
done
exit "$status"
