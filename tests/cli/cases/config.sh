# SPDX-License-Identifier: GPL-3.0-or-later
printf 'potential:\n  delta: 1.5\n  eps-f: 2.5\n' > config.yaml
nucgrow potential --config config.yaml --eps-f 2 --json | grep -A 3 -e '"delta": {' -e '"eps-f": {'
printf 'potential:\n  delta: 1.5\n  epsf: 2.5\n' > config.yaml
nucgrow potential --config config.yaml
