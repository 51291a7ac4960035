# SPDX-License-Identifier: GPL-3.0-or-later
printf 'potential:\n  delta: 1.5\nfit-grwoth:\n' > run.yaml
nucgrow run run.yaml -o results
echo "exit code $?"
printf 'potential:\n  delta: 5\n' > run.yaml
nucgrow run run.yaml -o results
echo "exit code $?"
ls
