# The two questions, on a movie of known law.
nucgrow simulate ensemble -q -o . --particles 60 --frames 80 --area-noise-px 1
nucgrow fit growth tracks.csv --material Pt -q -o fit.json --starts 2 --bootstrap 8 2> /dev/null
words() { # sentences without their numbers, which differ in the last digits between machines
    grep -E '^[A-Z]' | sed -E 's/-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/#/g'
}
nucgrow predict fit.json --supply-scale 0.5 -o half.json 2> /dev/null | words
nucgrow predict fit.json --target-nm 1.6 --target-spread-percent 40 --grid 1:2:2 -o target.json 2> /dev/null | words
nucgrow predict fit.json --target-nm 1.6 --target-spread-percent 0.1 --grid 1:2:2 2> /dev/null | words
# The same seed gives the same bytes, for any number of threads.
nucgrow predict fit.json --supply-scale 0.5 -q -o again.json --threads 2 2> /dev/null
for result in half again; do
    sed -n '1,/"provenance"/p' "$result.json" > "$result"
done
cmp half again && echo same
