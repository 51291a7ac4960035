#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bench_mpi.sh PROGRAM [RANKS [REPLICATES]]: the bootstrap of a fit on one process and on several, one
# thread each: from its first tenth to its last, as progress tells them, and the whole command.
set -euo pipefail
nucgrow=$(realpath "$1")
ranks=${2:-2} replicates=${3:-400}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none
"$nucgrow" simulate ensemble -o data --material Pt --particles 200 -q

now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

one_run() { # ranks: "bootstrap-ms whole-ms"
    local start first=0 last=0 line
    start=$(now_ms)
    while read -r line; do
        case $line in
            'fit: bootstrap: 10 %') first=$(now_ms) ;;
            'fit: bootstrap: 100 %') last=$(now_ms) ;;
        esac
    done < <(mpirun -n "$1" --bind-to none "$nucgrow" fit growth data/tracks.csv --material Pt \
                 --threads 1 --bootstrap "$replicates" --journal none --progress always \
                 -o fit.json --force 2>&1 > /dev/null || true)
    echo "$((last - first)) $(($(now_ms) - start))"
}

least_of_three() { # ranks
    local loop whole best=999999999 best_whole=999999999
    for _ in 1 2 3; do
        read -r loop whole < <(one_run "$1")
        [ "$loop" -ge "$best" ] || best=$loop
        [ "$whole" -ge "$best_whole" ] || best_whole=$whole
    done
    echo "$best $best_whole"
}

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(getconf _NPROCESSORS_ONLN) cores"
read -r one whole < <(least_of_three 1)
read -r many whole_many < <(least_of_three "$ranks")
echo "1 rank: bootstrap $one ms, whole command $whole ms"
echo "$ranks ranks: bootstrap $many ms, whole command $whole_many ms"
awk -v a="$one" -v b="$many" -v c="$whole" -v d="$whole_many" \
    'BEGIN { printf "ratio: bootstrap %.2f, whole command %.2f\n", a / b, c / d }'
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
