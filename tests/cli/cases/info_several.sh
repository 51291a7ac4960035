# Every file is described; the first that is not understood gives the exit code.
printf 'track,time_min,radius_nm\n1,0,1\n1,1,-2\n1,2,1.5\n' > bad-row.csv
printf 'II*\0\0\0\0\0' > movie.tif
printf '{"schema": "nucgrow/ensemble/1"}' > ensemble.json
printf 'time_min,radius_nm\n5,1\n5,2\n10,3\n' > flask.csv
printf 'some words\n' > notes.txt
nucgrow info bad-row.csv movie.tif missing.csv ensemble.json flask.csv notes.txt
