# Nine particles at rest and two that become one in frame 10: what is said, what is written.
{
    echo 'frame,x_px,y_px,area_px'
    for frame in $(seq 0 29); do
        for i in 0 1 2 3 4 5 6 7 8; do
            wobble=$(((frame * 7 + i * 5) % 11 - 5))
            echo "$frame,$((40 * (i % 3))).$((5 + wobble / 2)),$((40 * (i / 3))).5,$((30 + i + (frame + i) % 3))"
        done
        if [ "$frame" -lt 10 ]; then
            echo "$frame,200.5,40.5,$((40 + frame % 3))"
            echo "$frame,$((217 - frame)).5,40.5,$((30 + (frame + 1) % 3))"
        else
            echo "$frame,203.5,40.5,$((66 + frame % 3))"
        fi
    done
} > particles.csv
nucgrow track particles.csv --pixel-nm 0.5 --frame-s 2 -o tracks.csv --events events.csv \
    --trackmate-xml tracks.xml --result track.json
cat events.csv
head -3 tracks.csv
grep -c '<Edge SPOT' tracks.xml
sed '/"events"/,$d' track.json
echo 'TrackMate and what follows read it'
nucgrow info tracks.csv | head -2
nucgrow info tracks.xml | head -2
echo 'the same again from what was written'
nucgrow track tracks.csv -o again.csv -q
cmp <(sed 1d tracks.csv) <(sed 1d again.csv) && echo same
echo 'without sizes'
cut -d, -f1-3 particles.csv > places.csv
nucgrow track places.csv --pixel-nm 0.5 --frame-s 2 -o places-tracks.csv --no-merge --gate-nm 3
