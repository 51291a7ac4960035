# SPDX-License-Identifier: GPL-3.0-or-later
export NUCGROW_DELTA=1.5
nucgrow potential --json | grep -A 3 '"delta": {'
NUCGROW_DELTA=wide nucgrow potential
