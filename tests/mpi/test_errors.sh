#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A mistake is said once, with the exit code of the serial program, and nothing hangs.
source "$(dirname "$0")/lib.sh" errors "$@"
make_tracks 20
timeout=(timeout 60)

expect_code 3 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth missing.csv --material Pt
expect_line "missing.csv: cannot be read" err
expect_code 2 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth data/tracks.csv --materil Pt
expect_line "did you mean --material?" err
expect_code 2 "${timeout[@]}" mpirun -n 2 "$nucgrow" pottential
expect_line "nucgrow: " err
expect_code 3 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth data/tracks.csv --material Pt \
    --bootstrap 2 -o no/such/folder.json
expect_line "no/such/folder.json: cannot be written" err
expect_code 3 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth data/tracks.csv --material Pt \
    --bootstrap 2 -o /dev/full
expect_line "is the disk full?" err
echo '{}' > there.json
expect_code 2 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth data/tracks.csv --material Pt -o there.json
expect_line "there.json: exists already" err
head -n 4 data/tracks.csv > few.csv
expect_code 3 "${timeout[@]}" mpirun -n 2 "$nucgrow" fit growth few.csv --material Pt

# Processes that see different files.
mkdir -p rank0 rank1
cp data/tracks.csv rank0/tracks.csv
sed '$d' data/tracks.csv > rank1/tracks.csv
# shellcheck disable=SC2016
expect_code 3 "${timeout[@]}" mpirun -n 2 sh -c \
    'cd rank$OMPI_COMM_WORLD_RANK && exec "$0" fit growth tracks.csv --material Pt --bootstrap 4' "$nucgrow"
expect_line "rank 1: reads other input than rank 0" err
rm rank1/tracks.csv
# shellcheck disable=SC2016
expect_code 3 "${timeout[@]}" mpirun -n 2 sh -c \
    'cd rank$OMPI_COMM_WORLD_RANK && exec "$0" fit growth tracks.csv --material Pt --bootstrap 4' "$nucgrow"
expect_line "rank 1: tracks.csv: cannot be read" err
mv rank0/tracks.csv rank1/tracks.csv
# shellcheck disable=SC2016
expect_code 3 "${timeout[@]}" mpirun -n 2 sh -c \
    'cd rank$OMPI_COMM_WORLD_RANK && exec "$0" fit growth tracks.csv --material Pt --bootstrap 4' "$nucgrow"
expect_line "tracks.csv: cannot be read" err
