nucgrow simulate spots -o spots --frames 5 --size-px 64 --spots 10
head -3 spots/tracks.csv | cut -d, -f1-6
grep -E '"(kind|tracks|bound_px)"' spots/truth.json
nucgrow simulate spots -o bad --snr 0
echo "exit code $?"
