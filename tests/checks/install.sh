#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install into an empty folder, then use the library from outside: by pkg-config and by find_package.
# Usage: install.sh SOURCE BUILD COMPILER GENERATOR
set -euo pipefail
source=$1 build=$2 compiler=$3 generator=$4
place=$build/tests/installed
rm -rf "$place"
cmake --install "$build" --prefix "$place/usr" > /dev/null
"$place/usr/bin/nucgrow" --version
test -s "$place/usr/share/man/man1/nucgrow.1"

config=$(dirname "$(find "$place" -name nucgrow.pc)")
# The file names the prefix of the build; this copy lies elsewhere.
read -ra flags < <(PKG_CONFIG_PATH=$config pkg-config --define-variable=prefix="$place/usr" \
                   --cflags --libs nucgrow)
"$compiler" "$source/tests/checks/outside/main.c" "${flags[@]}" -o "$place/by_pkg_config"
LD_LIBRARY_PATH=$(dirname "$config") "$place/by_pkg_config"

cmake -S "$source/tests/checks/outside" -B "$place/outside" -G "$generator" \
      -DCMAKE_PREFIX_PATH="$place/usr" -DCMAKE_C_COMPILER="$compiler" > /dev/null
cmake --build "$place/outside" > /dev/null
"$place/outside/with_static"
"$place/outside/with_shared"
