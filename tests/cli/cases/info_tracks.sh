# A table in pixels without times: both calibrations are named, and the next command.
printf 'track,frame,x_px,y_px,area_px,note\n1,0,1,1,4,a\n1,1,1,1,6,b\n2,0,9,9,10,c\n' > 'my tracks.csv'
nucgrow info 'my tracks.csv'
