# Spots: what is chosen is said; places and light are near the truth; the fast way; intensities from
# another stack, whose size must fit; a bad gain and an unknown stack are refused.
nucgrow simulate spots -q -o truth --spots 12 --snr 8 --size-px 96 --frames 6 --seed 3
nucgrow detect truth/movie.tif --kind spot -o particles.csv --result detect.json --preview 2 | grep -v '^written'
head -n 4 particles.csv
nucgrow detect truth/movie.tif --kind spot -o again.csv -q --threads 3
cmp <(grep -v '^#' particles.csv) <(grep -v '^#' again.csv) && echo same
nucgrow detect truth/movie.tif --kind spot -o fast.csv --no-fit --filter dog --false-per-frame 0.01 | grep -E 'threshold|method|found'
nucgrow detect truth/movie.tif --kind spot -o wide.csv --flux-from truth/movie.tif --width free | grep -E 'width|intensities|found'
nucgrow detect truth/movie.tif --kind spot -o no.csv --flux-from truth/movie.tif --flux-pixel-nm 50; echo "exit $?"
nucgrow detect truth/movie.tif --kind spot -o no.csv --flux-from absent.tif; echo "exit $?"
nucgrow detect truth/movie.tif --kind spot -o no.csv --gain -1; echo "exit $?"
nucgrow track particles.csv -o tracks.csv -q 2> /dev/null && grep -vc '^#' tracks.csv
