# SPDX-License-Identifier: GPL-3.0-or-later
echo mine > potential.json
nucgrow potential -o potential.json
echo "exit code $?"
cat potential.json
nucgrow potential -o potential.json --force --quiet
head -n 2 potential.json
