# SPDX-License-Identifier: GPL-3.0-or-later
# From raw frames to an image, its pattern and its quality; the pattern once more for a later movie.
nucgrow simulate sim -o raw -q --width 200 --height 160 --emitters 120 --filaments 5 --sets 2
nucgrow reconstruct raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --offset 100 --gain 1 \
    --read-noise 1.6 --passes 12 --peaks peaks.png
ls
nucgrow info sr.tif | head -n 4
nucgrow reconstruct raw/raw.tif -o later.tif --use-pattern sr.pattern.json --passes 12 -q --threads 2
cmp sr.tif later.tif && echo "same pattern, other threads: same bytes"
