# SPDX-License-Identifier: GPL-3.0-or-later
printf 'potential:\n  material: Au\n' > run.yaml
nucgrow run run.yaml -o results --quiet
nucgrow run run.yaml -o results
echo "exit code $?"
nucgrow run run.yaml -o results --force --quiet
ls results
