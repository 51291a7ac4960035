# SPDX-License-Identifier: GPL-3.0-or-later
# What cannot be reconstructed, and what to do about it. Nothing half-written is left.
nucgrow simulate sim -o raw -q --width 128 --height 128 --emitters 45 --filaments 2
run() {
    nucgrow reconstruct "$@" -q
    echo "exit $?"
}
run raw/raw.tif -o sr.tif
run raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --phases 4
run raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --pixel-nm 130
run raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --offset 4000
run raw/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --pattern-na 1.4
run raw/truth.json -o sr.tif --na 1.45 --wavelength-nm 520
head -c 100000 raw/raw.tif > cut.tif
run cut.tif -o sr.tif --na 1.45 --wavelength-nm 520 2>&1 | tail -n 1
nucgrow simulate sim -o dark -q --width 128 --height 128 --emitters 45 --filaments 2 --modulation 0
run dark/raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --offset 100 --gain 1
ls
run raw/raw.tif -o other.tif --use-pattern sr.pattern.json
