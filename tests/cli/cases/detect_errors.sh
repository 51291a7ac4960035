# Mistakes a user will make, each with its message and exit code.
nucgrow simulate tem -q -o truth --particles 12 --frames 20 --field-nm 60 --seed 3
try() { "$@"; echo "exit $?"; }
try nucgrow detect truth/movie.tif
try nucgrow detect truth/movie.tif -o p.csv --flux-from truth/movie.tif
try nucgrow detect truth/movie.tif -o p.csv --first-frame 999
try nucgrow detect truth/movie.tif -o p.csv --threshold foo
try nucgrow detect truth/particles.csv -o p.csv
try nucgrow detect absent.tif -o p.csv
try nucgrow detect truth/movie.tif -o - --preview 2
# A movie that breaks off: what was measured before is kept.
size=$(stat -c %s truth/movie.tif)
head -c $((size * 3 / 5)) truth/movie.tif > broken.tif
try nucgrow detect broken.tif -o kept.csv -q --blur-px 1 --mask-out kept.tif --preview 2
tail -n 1 kept.csv | cut -d, -f1-3
nucgrow info kept.tif | grep -E 'frames|interval'
ls kept*
