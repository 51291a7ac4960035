# A table that is read is never written over, and is not counted twice.
printf 'track,frame,radius_nm\n1,0,1\n' > tracks.csv
ln -s tracks.csv same.csv
nucgrow ensemble tracks.csv --material Pt -o ./tracks.csv --force; echo $?
nucgrow ensemble tracks.csv same.csv --material Pt; echo $?
cat tracks.csv
