# SPDX-License-Identifier: GPL-3.0-or-later
# nucgrow_add_fuzzer(<name> CORPUS folder SOURCES a.c ...)
#
# A libFuzzer program (LLVMFuzzerTestOneInput) and a test labelled `fuzz` that runs it for
# NUCGROW_FUZZ_SECONDS from the corpus. New inputs stay in the build folder.
set(NUCGROW_FUZZ_SECONDS 10 CACHE STRING "Seconds each fuzzer runs as a test")

function(nucgrow_add_fuzzer name)
    cmake_parse_arguments(arg "" "CORPUS" "SOURCES;FLAGS" ${ARGN})
    add_executable(fuzz_${name} ${arg_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE nucgrow_static)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set(found ${PROJECT_BINARY_DIR}/tests/found/${name})
    file(MAKE_DIRECTORY ${found})
    add_test(NAME fuzz/${name}
             COMMAND fuzz_${name} -max_total_time=${NUCGROW_FUZZ_SECONDS} -timeout=10
                     -rss_limit_mb=2048 -artifact_prefix=${PROJECT_BINARY_DIR}/crash-${name}-
                     ${arg_FLAGS} ${found} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
    math(EXPR limit "${NUCGROW_FUZZ_SECONDS} + 120")
    set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT ${limit})
endfunction()
