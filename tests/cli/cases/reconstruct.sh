# SPDX-License-Identifier: GPL-3.0-or-later
# From raw frames to an image, its pattern and its quality; the pattern once more for a later movie.
nucgrow simulate sim -o raw -q --width 200 --height 160 --emitters 120 --filaments 5 --sets 2
nucgrow reconstruct raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --offset 100 --gain 1 \
    --read-noise 1.6 --passes 12 --peaks peaks.png
ls
nucgrow info sr.tif | head -n 4
nucgrow reconstruct raw/raw.tif -o later.tif --use-pattern sr.pattern.json --passes 12 -q --threads 2
cmp sr.tif later.tif && cmp sr.rehearsal.tif later.rehearsal.tif && echo "same pattern, other threads: same bytes"
# What was made of a known scene is used where it lies beside the movie, and goes with the images that it was made for.
nucgrow detect sr.tif --kind spot -o spots.csv -q && nucgrow detect sr.tif --kind spot -o again.csv | grep rehearsed
nucgrow detect later.tif --kind spot -o named.csv --rehearsal sr.rehearsal.tif | grep rehearsed
for rows in again named; do cmp <(grep -v '^#' spots.csv) <(grep -v '^#' $rows.csv) && echo same; done
nucgrow detect sr.tif --kind spot -o none.csv --rehearsal none 2>&1 | grep -o 'how many spots are false is not known'
nucgrow reconstruct raw/raw.tif -o later.tif --use-pattern sr.pattern.json --passes 2 -q --rehearsals 0 --force
ls ./*.rehearsal.tif
for known in raw/raw.tif absent.tif; do
    nucgrow detect sr.tif --kind spot -o no.csv --rehearsal $known -q --force; echo "exit $?"
done
nucgrow detect sr.tif -o no.csv --force --rehearsal sr.rehearsal.tif; echo "exit $?"
