#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Habits that a machine can see: licence line, line length, tabs, functions of at most 80 lines.
# Usage: check_style.sh ROOT
set -euo pipefail
cd "${1:-.}"
status=0
mapfile -t files < <(find src cli include tests bench -name '*.[ch]' | sort)
for file in "${files[@]}"; do
    head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' ||
        { echo "$file:1: the first line must be the SPDX line"; status=1; }
done
# Bytes, but letters of the equations count once.
LC_ALL=C awk '{ n = gsub(/[\x80-\xbf]/, "&") }
     length($0) - n > 100 { printf "%s:%d: longer than 100 columns\n", FILENAME, FNR; bad = 1 }
     /\t/ { printf "%s:%d: a tab; indent with spaces\n", FILENAME, FNR; bad = 1 }
     END { exit bad }' "${files[@]}" || status=1
mapfile -t code < <(find src cli -name '*.c' | sort)
awk 'FNR == 1 { open = 0 }
     /^\{/ { open = FNR }
     /^}/ && open { if (FNR - open > 80) {
                        printf "%s:%d: a function of %d lines\n", FILENAME, open, FNR - open; bad = 1 }
                    open = 0 }
     END { exit bad }' "${code[@]}" || status=1
exit "$status"
