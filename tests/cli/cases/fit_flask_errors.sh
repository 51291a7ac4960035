# Samples from a flask that cannot be fitted.
sample() { # minutes, particles
    awk "BEGIN { for (i = 0; i < $2; i++) print \"$1,\" 1 + 0.1 * $1 + 0.002 * i }"
}
table() {
    echo time_min,radius_nm
    cat
}
sample 5 50 | table > one.csv
{ sample 1 50; sample 2 50; } | table > two.csv
{ sample 1 10; sample 2 10; sample 3 10; } | table > few.csv
{ sample 1 50; sample 2 50; echo 3,-1; } | table > negative.csv
{ sample 1 50; sample 2 50; sample 3 50; } | table > narrow.csv
for name in one two few negative narrow; do
    nucgrow fit growth $name.csv --material CdSe -o result.json
    echo $?
done
nucgrow fit growth narrow.csv --material CdSe --sigma-range 0.3:0.2
echo $?
ls
