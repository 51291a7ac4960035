# SPDX-License-Identifier: GPL-3.0-or-later
# Compiler flags of everything that is built here.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wmissing-prototypes
    -Wvla -Wformat=2 -Wundef
    # clang 14 takes each NAN and INFINITY of <math.h> for a promotion from float.
    $<$<C_COMPILER_ID:GNU>:-Wdouble-promotion>
    # The same digits from every compiler: no silent fused multiply-add.
    -ffp-contract=off)
# POSIX.1-2008 beside plain C11 (files, signals, clocks).
add_compile_definitions(_POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700)

if(NUCGROW_WERROR)
    add_compile_options(-Werror)
endif()
if(NUCGROW_SANITIZE)
    # Lines are all that a report of the sanitizers shows; the rest of -g is a third of the build.
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -g1)
    add_link_options(-fsanitize=address,undefined)
endif()
if(NUCGROW_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "NUCGROW_FUZZ needs clang: configure with --preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
