# A small synthetic movie: what is chosen and found is said; the table, the mask and the preview come.
nucgrow simulate tem -q -o truth --particles 12 --frames 5 --field-nm 60 --seed 3
nucgrow detect truth/movie.tif -o particles.csv --mask-out mask.tif --preview 2 --result detect.json
head -n 4 particles.csv
ls
nucgrow info mask.tif | head -n 4
nucgrow detect truth/movie.tif -o again.csv -q --threads 3
cmp <(grep -v '^#' particles.csv) <(grep -v '^#' again.csv) && echo same
nucgrow detect truth/movie.tif -o kim.csv --preset kim --relative 0.08
