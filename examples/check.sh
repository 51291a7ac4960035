#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Compile an example against the installed library, run it, compare what it prints with NAME.out.
# Usage: check.sh NAME SOURCE BUILD COMPILER
set -euo pipefail
name=$1 source=$2 build=$3 compiler=$4
place=$build/tests/example_$name
rm -rf "$place"
cmake --install "$build" --prefix "$place/usr" > /dev/null
config=$(dirname "$(find "$place" -name nucgrow.pc)")
read -ra flags < <(PKG_CONFIG_PATH=$config pkg-config --define-variable=prefix="$place/usr" \
                   --cflags --libs nucgrow)
"$compiler" -std=c11 -Wall -Wextra "$source/examples/$name.c" "${flags[@]}" -o "$place/$name"
LD_LIBRARY_PATH=$(dirname "$config") "$place/$name" > "$place/$name.out"
diff -u "$source/examples/$name.out" "$place/$name.out"
