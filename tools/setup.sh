#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tools/setup.sh build|test: make sure that what a build (or the tests, too) needs is installed.
# Debian and Ubuntu: missing packages are installed, as root or through sudo. Elsewhere they are listed.
set -euo pipefail

# One line a package: purpose, Debian name, how to see that it is there (a command or a pkg-config name).
packages() {
    cat <<'LIST'
build gcc            command gcc
build libc6-dev      file    /usr/include/stdio.h
build cmake          command cmake
build ninja-build    command ninja
build make           command make
build pkg-config     command pkg-config
build git            command git
build libgsl-dev     module  gsl
build libnlopt-dev   module  nlopt
build libsundials-dev file   /usr/include/cvodes/cvodes.h
build libjansson-dev module  jansson
build libyaml-dev    module  yaml-0.1
build libxml2-dev    module  libxml-2.0
build nettle-dev     module  nettle
build libfftw3-dev   module  fftw3f
build libtiff-dev    module  libtiff-4
build libpng-dev     module  libpng
build libavformat-dev module libavformat
build libavcodec-dev module  libavcodec
build libavutil-dev  module  libavutil
build libopenmpi-dev module  ompi-c
build openmpi-bin    command mpirun
build npm            command npm
test  libcmocka-dev  module  cmocka
test  clang          command clang
test  libclang-rt-14-dev fuzzer clang
test  chromium       command chromium
LIST
}

can_fuzz() {
    echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { (void)d; (void)n; return 0; }' |
        "$1" -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null
}

is_there() { # kind name
    case $1 in
        command) command -v "$2" >/dev/null ;;
        module) pkg-config --exists "$2" 2>/dev/null ;;
        file) [ -e "$2" ] ;;
        fuzzer) can_fuzz "$2" ;;
    esac
}

missing_packages() { # wanted purposes
    local purpose name kind probe
    while read -r purpose name kind probe; do
        case " $* " in
            *" $purpose "*) is_there "$kind" "$probe" || echo "$name" ;;
        esac
    done < <(packages)
}

install_packages() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }
}

case "${1:-build}" in
    build) wanted=(build) ;;
    test) wanted=(build test) ;;
    *) echo "usage: tools/setup.sh build|test" >&2; exit 2 ;;
esac

mapfile -t missing < <(missing_packages "${wanted[@]}")
if [ "${#missing[@]}" -gt 0 ]; then
    if ! can_install; then
        echo "These packages (Debian names) are missing; please install them: ${missing[*]}" >&2
        exit 1
    fi
    echo "Installing ${missing[*]}"
    install_packages "${missing[@]}"
fi
