# Merges that are not there, that cannot be, and particles that shrink.
table() { # growth per frame, in nm
    echo track,frame,time_s,x_nm,y_nm,radius_nm
    for track in 1 2 3 4 5 6; do
        for frame in 0 1 2 3 4 5; do
            echo "$track,$frame,$((10 + frame)),$((10 * track + frame)),$((track * frame)),$(
                awk "BEGIN { print 2 + $1 * $frame }")"
        done
    done
}
table 0.1 > tracks.csv
table -0.1 > shrinking.csv
header=kind,frame,time_s,track,partner,into,radius1_nm,radius2_nm,radius_after_nm,distance_nm,score
events() {
    printf '%s\n' "$header" "$@"
}
events > none.csv
events merge,900,910,1,2,2,2,2,2.5,4,1 > late.csv
events merge,4,14,1,2,2,2,2,2.5,4,1 merge,4,14,1,3,3,2,2,2.5,4,1 > twice.csv
events merge,4,14,1,77,77,2,2,2.5,4,1 > absent.csv
events merge,4,14,1,2,2,2,2,2.5,4,1 > merge.csv
echo time_min,radius_nm > flask.csv
for radius in 1.1 1.2 1.3 1.4 1.5; do echo "5,$radius" >> flask.csv; done
fit() {
    nucgrow fit coalescence "$@"
    echo $?
}
fit tracks.csv
for name in none late twice absent missing; do
    fit tracks.csv --events $name.csv
done
fit shrinking.csv --events merge.csv
fit flask.csv
fit tracks.csv --events merge.csv --fix rc=-3
fit tracks.csv --events merge.csv --fix radius=3
fit tracks.csv --events merge.csv --contact 1,nm
fit tracks.csv --events merge.csv --count groups
ls
