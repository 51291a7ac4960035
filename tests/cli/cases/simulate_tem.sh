# A movie and its truth: same bytes for any number of threads, refusals with nothing written.
nucgrow simulate tem -o one --frames 6 --field-nm 40 --particles 20 --diffusion-nm2-per-s 1 --threads 1
nucgrow simulate tem -o two --frames 6 --field-nm 40 --particles 20 --diffusion-nm2-per-s 1 --threads 2 -q
for file in movie.tif tracks.csv particles.csv events.csv; do
    cmp "one/$file" "two/$file" && echo "$file: same"
done
nucgrow info one/movie.tif | head -4
sed -n 2,3p one/events.csv
echo 'another seed'
nucgrow simulate tem -o three --frames 6 --field-nm 40 --particles 20 --seed 2 -q
cmp -s one/movie.tif three/movie.tif || echo 'movie.tif: differs'
echo 'nothing is overwritten'
nucgrow simulate tem -o one --frames 6
echo "exit code $?"
echo 'no room'
nucgrow simulate tem -o four --field-nm 10 --particles 500
echo "exit code $?"
nucgrow simulate tem -o four --blur-px 0
echo "exit code $?"
[ -e four/movie.tif ] || echo nothing written
