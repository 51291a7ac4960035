# What is wrong is told in one sentence, and nothing is half written.
nucgrow simulate ensemble -q -o . --particles 30 --frames 50
nucgrow fit growth tracks.csv --material Pt -q -o fit.json --starts 1 --bootstrap 2 2> /dev/null
try() {
    nucgrow predict "$@" -q -o out.json > /dev/null
    echo $?
}
# files
: > empty.json
head -c 3000 fit.json > half.json
sed 's|fit-growth/1|fit-growth/2|' fit.json > newer.json
sed 's|"supersaturation": \[[^,]*,|"supersaturation": [NaN,|' fit.json > nan.json
sed '0,/"supersaturation": \[[^,]*,/s//"supersaturation": [null,/' fit.json > null.json
try missing.json
try empty.json
try half.json 2>&1 | sed 's/json:[0-9]*: not valid JSON: .*/json: not valid JSON/'
try newer.json
try nan.json 2>&1 | sed 's/json:[0-9]*: not valid JSON: .*/json: not valid JSON/'
try null.json
try tracks.csv
try truth.json
# options
try fit.json --supply-scale 0
try fit.json --supply 20 --supersaturation 3
try fit.json --supply decay:20
try fit.json --supply ramp:20,30,50,40
try fit.json --supersaturation -1
try fit.json --grid 4:1:3
try fit.json --target-spread-percent 5
try fit.json --target-nm 0.5
try fit.json --start-mean 300
try fit.json --times 1,x
# schedules
printf 'time_s,supersaturation\n0,2\n20,-1\n' > S.csv
printf 'time_s,supply\n0,20\n0,30\n' > supply.csv
try fit.json --supersaturation S.csv
try fit.json --supply supply.csv
try fit.json --supply nosuch.csv
try fit.json --supply -30000 2>&1 | sed -E 's/at [0-9.]+ s \(S = [-0-9.]+\)/at # s (S = #)/'
try fit.json --supply-scale 1000 --n-limit 5000
ls
