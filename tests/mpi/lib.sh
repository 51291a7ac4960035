# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests share. Each begins: source lib.sh NAME PROGRAM SCRATCH
set -euo pipefail
name=$1
nucgrow=$(realpath "$2")
if ! command -v mpirun > /dev/null; then
    echo "[  SKIPPED ] mpi_$name"
    exit 77
fi
rm -rf "$3"
mkdir -p "$3"
cd "$3"
unset ${!NUCGROW_*}
export SOURCE_DATE_EPOCH=0 LC_ALL=C
# Tests run as root in containers, on fewer cores than processes.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none

ranks() { # number command...
    local n=$1
    shift
    done_or_doubted mpirun -n "$n" "$@"
}

make_tracks() { # particles
    "$nucgrow" simulate ensemble -o data --material Pt --particles "$1" -q
}

# A few particles may not be enough to be trusted (exit code 4), which is not what is tested.
done_or_doubted() {
    local code=0
    "$@" || code=$?
    [ "$code" = 4 ] || return "$code"
}

# The fit that all tests make.
fit=(fit growth data/tracks.csv --material Pt --threads 1 --starts 3)

# All of a result but how it came about.
body() {
    sed '/^  "provenance": {/,$d' "$1"
}

same_body() { # expected got
    diff <(body "$1") <(body "$2") > difference || { head -20 difference; fail "$2 differs from $1"; }
    [ "$(body "$1" | wc -l)" -gt 100 ] || fail "$1 is too short"
}

fail() {
    echo "FAILED: $*"
    exit 1
}

expect_code() { # code, command...
    local wanted=$1 code=0
    shift
    "$@" > out 2> err || code=$?
    [ "$code" = "$wanted" ] || { cat out err; fail "exit code $code instead of $wanted: $*"; }
}

expect_line() { # text file: once, however many processes there are
    local n
    n=$(grep -cF -- "$1" "$2" || true)
    [ "$n" = 1 ] || { cat "$2"; fail "'$1' stands $n times in $2"; }
}

children_of() { # process
    local folder
    for folder in /proc/[0-9]*; do
        if grep -qE "^PPid:[[:space:]]*$1\$" "$folder/status" 2> /dev/null; then
            basename "$folder"
        fi
    done
}

wait_for_bytes() { # file bytes
    for _ in $(seq 600); do
        [ "$(stat -c %s "$1" 2> /dev/null || echo 0)" -lt "$2" ] || return 0
        sleep 0.05
    done
    fail "$1 does not grow"
}
