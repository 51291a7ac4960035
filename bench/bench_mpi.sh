#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bench_mpi.sh PROGRAM [RANKS [REPLICATES]]: the bootstrap of a fit on one process and on several, one
# thread each. Two fits, with and without resamplings, tell the bootstrap's time from the rest.
set -euo pipefail
nucgrow=$(realpath "$1")
ranks=${2:-2} replicates=${3:-400}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none
"$nucgrow" simulate ensemble -o data --material Pt --particles 200 -q

seconds() { # ranks replicates: least of three, to 1 ms
    local best= start end took
    for _ in 1 2 3; do
        start=$(date +%s%N)
        mpirun -n "$1" --bind-to none "$nucgrow" fit growth data/tracks.csv --material Pt --threads 1 \
            --bootstrap "$2" --journal none -q -o fit.json --force > /dev/null 2>&1 || [ $? = 4 ]
        end=$(date +%s%N)
        took=$(((end - start) / 1000000))
        if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
    done
    echo "$best"
}

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(getconf _NPROCESSORS_ONLN) cores"
for n in 1 "$ranks"; do
    without=$(seconds "$n" 0)
    with=$(seconds "$n" "$replicates")
    echo "$n rank(s): whole fit $with ms, without bootstrap $without ms, bootstrap $((with - without)) ms"
    [ "$n" != 1 ] || { one=$((with - without)); whole=$with; }
done
awk -v a="$one" -v b="$((with - without))" -v c="$whole" -v d="$with" \
    'BEGIN { printf "ratio: bootstrap %.2f, whole fit %.2f\n", a / b, c / d }'
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
