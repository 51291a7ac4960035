# What is missing is named, with the option that supplies it.
{
    echo 'track,frame,area_px'
    for track in 1 2 3 4; do
        for frame in 0 1 2 3; do
            echo "$track,$frame,$((20 + 3 * track + 2 * frame))"
        done
    done
} > tracks.csv
pt='--pixel-nm 0.5 --frame-s 2 --material Pt'
nucgrow ensemble tracks.csv; echo $?
nucgrow ensemble tracks.csv --material Pt; echo $?
nucgrow ensemble tracks.csv --material Unobtainium; echo $?
nucgrow ensemble tracks.csv --sigma-nm 0.15 --density-per-nm3 60; echo $?
nucgrow ensemble tracks.csv $pt -o out.json; echo $?
nucgrow ensemble tracks.csv --pixel-nm 0.005 --frame-s 2 --material Pt; echo $?
nucgrow ensemble tracks.csv other.json $pt; echo $?
echo '{}' > empty.json
nucgrow ensemble empty.json --material Pt; echo $?
nucgrow ensemble missing.csv $pt; echo $?
sed -i '3s/.*/1,1,-4/' tracks.csv
nucgrow ensemble tracks.csv $pt; echo $?
ls
