# What cannot be is named, with what to do; what can be but should not be trusted has exit code 4.
{
    echo 'track,frame,time_s,x_nm,y_nm,intensity'
    for track in 1 2 3 4 5 6; do
        for frame in 0 1 2 3 4 5 6 7 8 9; do
            echo "$track,$frame,$frame,$track,5,$((10 * track + 40 * frame))"
        done
    done
} > tracks.csv
cut -d, -f2- tracks.csv > particles.csv
nucgrow radius tracks.csv; echo $?
nucgrow radius tracks.csv --final-radius-nm 1.5 --intensity-scale 3; echo $?
nucgrow radius tracks.csv --final-radius-nm 9; echo $?
nucgrow radius tracks.csv --final-radius-nm 1.5 --material Pt; echo $?
nucgrow radius tracks.csv --final-radius-nm 2.5 --sizing brus -o dark.json > /dev/null; echo $?
printf 'name: X\nradius-nm: [1, 2]\npeak-nm: [520, 500]\n' > folded.yaml
nucgrow radius tracks.csv --final-radius-nm 1.5 --material folded.yaml; echo $?
nucgrow nucleation particles.csv; echo $?
nucgrow nucleation tracks.csv --min-points 50; echo $?
nucgrow nucleation tracks.csv --times 3,x; echo $?
nucgrow fit diffusion tracks.csv; echo $?
nucgrow fit diffusion tracks.csv --final-radius-nm 1.5 --end-percent 70; echo $?
awk -F, 'NR == 1 || $2 < 3' tracks.csv > three.csv
nucgrow fit diffusion three.csv --intensity-scale 50 --min-points 3 -o weak.json > /dev/null; echo $?
printf 'time_s,fraction\n0,0\n1,0.5\n2,0.9\n' > short.csv
nucgrow fit avrami short.csv; echo $?
printf 'time_s,fraction\n0,0\n2,0.1\n1,0.5\n2,0.9\n3,1\n4,1\n' > mixed.csv
nucgrow fit avrami mixed.csv; echo $?
nucgrow energy --critical-nm 2; echo $?
nucgrow energy --concentrations 1,0; echo $?
echo '{"schema": "nucgrow/ensemble/1"}' > other.json
nucgrow energy other.json; echo $?
nucgrow simulate crystals -o out --critical-nm 2; echo $?
echo 'intensities that are no numbers, crystals that were there all the time, errors below 0'
awk 'BEGIN { print "track,frame,time_s,x_nm,y_nm,intensity,intensity_se"
    for (k = 1; k <= 6; k++) for (f = 0; f < 30; f++)
        printf "%d,%d,%g,%d,0,%d,2\n", k, f, f / 2, 500 * k, 800 + (f * 7 + k) % 5 }' > flat.csv
sed -E 's/^([0-9]+,[0-9]+,[0-9.]+,[0-9]+,0),[0-9]+,/\1,nan,/' flat.csv > nan.csv
nucgrow radius nan.csv --final-radius-nm 1.5; echo $?
nucgrow fit diffusion flat.csv --final-radius-nm 1.5 -o flat.json 2>&1 > /dev/null | grep -c no-rise
nucgrow fit diffusion flat.csv --final-radius-nm 1.5 -q > /dev/null 2>&1; echo $?
nucgrow energy flat.json; echo $?
sed -E 's/,2$/,-1/' flat.csv > negative.csv
nucgrow fit avrami negative.csv 2>&1 > /dev/null | grep -c 'standard errors that are missing, 0 or less'
nucgrow radius flat.csv --intensity-scale 1e9 2>&1 > /dev/null | grep -o 'below the range in [0-9]*'
nucgrow radius flat.csv --intensity-scale 1e9 -q > /dev/null 2>&1; echo $?
