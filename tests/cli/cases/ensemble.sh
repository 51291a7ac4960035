# Five particles that grow from areas in pixels; then the same from the result, and what was said.
{
    echo 'track,frame,area_px'
    for track in 1 2 3 4 5; do
        for frame in 0 1 2 3 4 5 6 7 8 9 10 11; do
            echo "$track,$frame,$((20 + 3 * track + 2 * frame))"
        done
    done
} > tracks.csv
nucgrow ensemble tracks.csv --pixel-nm 0.5 --frame-s 2 --material Pt -o ensemble.json --bootstrap 100
echo 'once more'
nucgrow ensemble ensemble.json -o again.json --bootstrap 100
cmp <(sed '/"provenance"/,$d' ensemble.json) <(sed '/"provenance"/,$d' again.json) && echo same
grep -A 13 '"settings"' ensemble.json
echo 'a result is calibrated already'
nucgrow ensemble ensemble.json --pixel-nm 0.6 --frame-s 2 -o third.json -q --bootstrap 0
grep -A 2 pixel-nm-unused third.json | head -3
