# Mistakes that users will make: each is told with file, line and remedy.
printf 'frame,x_px,y_px\n0,1,1\n1,1,2\n' > particles.csv
nucgrow track particles.csv; echo $?
nucgrow track particles.csv -o tracks.csv; echo $?
nucgrow track particles.csv -o tracks.csv --pixel-nm 0.5; echo $?
nucgrow track particles.csv -o tracks.csv --pixel-nm 0.5 --frame-s 1 --gate-nm -3; echo $?
nucgrow track missing.csv -o tracks.csv; echo $?
printf 'frame,time_s,x_nm,y_nm\n0,0,1,1\n0,0,9,2\n' > one.csv
nucgrow track one.csv -o tracks.csv; echo $?
printf 'frame,time_s,x_nm,y_nm\n0,0,1,1\n1,1,here,2\n' > text.csv
nucgrow track text.csv -o tracks.csv; echo $?
printf 'frame,time_s,x_nm,y_nm\n0,0,1,1\n1,1,900,2\n2,2,1,1\n' > jumps.csv
nucgrow track jumps.csv -o jumps-tracks.csv --gate-nm 10 --no-merge --max-gap 0; echo $?
awk 'BEGIN { print "frame,time_s,x_nm,y_nm,radius_nm"
    for (i = 0; i < 4000; i++) print i % 4 "," i % 4 ",0,0," 1 + i / 4000 }' > zeros.csv
nucgrow track zeros.csv -o zeros-tracks.csv; echo $?
printf 'track,frame,time_s,radius_nm\n1,0,0,1\n' > sizes.csv
nucgrow track sizes.csv -o tracks.csv; echo $?
echo kept > tracks.csv
nucgrow track particles.csv -o tracks.csv --pixel-nm 0.5 --frame-s 1; echo $?
nucgrow track particles.csv -o new.csv --events tracks.csv --pixel-nm 0.5 --frame-s 1; echo $?
cat tracks.csv
ls
