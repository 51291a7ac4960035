#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every symbol that the shared library defines begins with ng_. Usage: check_symbols.sh libnucgrow.so
set -euo pipefail
strange=$(nm -D --defined-only "$1" | awk '$3 !~ /^ng_/ && $3 !~ /^_(init|fini)$/ { print $3 }')
if [ -n "$strange" ]; then
    printf '%s exports symbols without the prefix ng_:\n%s\n' "$1" "$strange"
    exit 1
fi
