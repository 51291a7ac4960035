# Crystals of known growth, from intensities to radii, births, laws and free energy. Numbers are left
# out where they differ in the last digits between machines.
words() {
    sed -E 's/-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/#/g; s/ +/ /g'
}
nucgrow simulate crystals -o . --crystals 40 --nucleation-s 15 --seed 3 | tail -3
nucgrow radius tracks.csv --calibration still.csv --table radii.csv -o radius.json 2> /dev/null | words
nucgrow nucleation tracks.csv --calibration still.csv -o nucleation.json --bootstrap 20 2> /dev/null |
    grep -v '^Avrami' | words
nucgrow fit diffusion radii.csv -o fit-diffusion.json --bootstrap 20 2> /dev/null |
    grep -E '^(crystals|product|depletion)' | words
nucgrow fit avrami tracks.csv -o fit-avrami.json --bootstrap 20 2> /dev/null | words
nucgrow energy nucleation.json fit-diffusion.json -o energy.json | words
echo 'the published numbers'
nucgrow energy --surface-energy-J-per-m2 0.02 2> /dev/null
echo 'a series of a known law'
awk 'BEGIN { print "time_s,fraction"; for (t = 0; t <= 60; t += 2)
    printf "%d,%.12f\n", t, (t > 5 ? 1 - exp(-((t - 5) / 20) ^ 2) : 0) }' > series.csv
nucgrow fit avrami series.csv -o series.json | grep -E '^(n  |t0_s|rate)' | awk '{ printf "%s %.3f\n", $1, $2 }'
# The same seed gives the same bytes, for any number of threads.
nucgrow fit diffusion radii.csv -q -o again.json --bootstrap 20 --threads 2 2> /dev/null
for result in fit-diffusion again; do
    sed -n '1,/"provenance"/p' "$result.json" > "$result"
done
cmp fit-diffusion again && echo same
