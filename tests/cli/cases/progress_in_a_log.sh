# SPDX-License-Identifier: GPL-3.0-or-later
nucgrow simulate ensemble -o a --particles 20 --frames 3 --progress always --quiet
nucgrow simulate ensemble -o b --particles 20 --frames 3 --progress always --threads 2 > /dev/null
nucgrow simulate ensemble -o c --particles 20 --frames 3 > /dev/null
