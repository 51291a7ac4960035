# SPDX-License-Identifier: GPL-3.0-or-later
# Spots in the raw frames that a movie was reconstructed of: as many as there are, whatever the threads; what does not
# belong together is refused.
nucgrow simulate sim -q -o truth --seed 5 --width 96 --height 96 --sets 3 --emitters 20 --emitter-spread 0.1 --filaments 0
nucgrow reconstruct truth/raw.tif -o sr.tif -q --na 1.45 --wavelength-nm 520 --frame-s 1 2> /dev/null
nucgrow detect sr.tif --kind spot --raw-from truth/raw.tif -o spots.csv --result detect.json --mask-out mask.tif \
    --preview 2 | grep -v '^written'
cut -d, -f1 spots.csv | grep -v '#' | sort | uniq -c | awk '$2 != "frame" { print "frame", $2, "spots", $1 }'
nucgrow detect sr.tif --kind spot --raw-from truth/raw.tif -o again.csv -q --threads 3 --pattern sr.pattern.json
cmp <(grep -v '^#' spots.csv) <(grep -v '^#' again.csv) && echo same
nucgrow info mask.tif | grep frames
nucgrow detect sr.tif --kind spot --raw-from none -o plain.csv | grep method
nucgrow simulate sim -q -o other --width 64 --height 64 --sets 3
nucgrow simulate sim -q -o short --width 96 --height 96 --sets 2
try() { nucgrow detect sr.tif -o no.csv -q "$@"; echo "exit $?"; }
try --raw-from truth/raw.tif
try --kind spot --raw-from other/raw.tif
try --kind spot --raw-from short/raw.tif
try --kind spot --raw-from absent.tif
try --kind spot --raw-from truth/raw.tif --pattern absent.json
echo '{"width": 3}' > broken.json
try --kind spot --raw-from truth/raw.tif --pattern broken.json
sed 's/"background": \[[^]]*\]/"background": [0, 1, 2]/' sr.pattern.json > dark.json
try --kind spot --raw-from truth/raw.tif --pattern dark.json
sed 's/"background": \[[^]]*\]/"background": [20, 21]/' sr.pattern.json > few.json
try --kind spot --raw-from truth/raw.tif --pattern few.json
head -c 500000 truth/raw.tif > broken.tif
try --kind spot --raw-from broken.tif
ls no.csv 2> /dev/null
