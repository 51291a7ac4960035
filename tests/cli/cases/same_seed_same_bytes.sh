# SPDX-License-Identifier: GPL-3.0-or-later
nucgrow simulate ensemble -o a --particles 20 --frames 10 --seed 5 --threads 1 -q
nucgrow simulate ensemble -o b --particles 20 --frames 10 --seed 5 --threads 3 -q
nucgrow simulate ensemble -o c --particles 20 --frames 10 --seed 6 --threads 3 -q
cmp a/tracks.csv b/tracks.csv && echo same
cmp -s a/tracks.csv c/tracks.csv || echo different
