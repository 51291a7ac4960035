# SPDX-License-Identifier: GPL-3.0-or-later
# Goes before each test's name, so that builds that are tested together can be told apart.
set(NUCGROW_TEST_PREFIX "" CACHE STRING "Prefix of the names of tests")

# nucgrow_add_test(<name> SOURCES a.c ... [LABELS l ...] [LIBRARIES t ...] [TIMEOUT seconds])
#
# A cmocka program linked with the static library. It runs in the root of the repository; files that
# it writes belong into $NUCGROW_TEST_TMP. Published tables: see tests/support/test_support.h.
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
set(NUCGROW_TEST_TMP ${PROJECT_BINARY_DIR}/tests/tmp)
file(MAKE_DIRECTORY ${NUCGROW_TEST_TMP})

function(nucgrow_add_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LABELS;LIBRARIES" ${ARGN})
    # Sanitizers make these too slow; they run in the plain build.
    if(NUCGROW_SANITIZE AND arg_LABELS MATCHES "slow|browser|long")
        return()
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    add_executable(test_${name} ${arg_SOURCES})
    target_link_libraries(test_${name} PRIVATE nucgrow_static PkgConfig::cmocka ${arg_LIBRARIES})
    # A test may look inside its own room.
    target_include_directories(test_${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/tests/support ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(test_${name} PRIVATE
        NUCGROW_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${NUCGROW_TEST_PREFIX}${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${NUCGROW_TEST_PREFIX}${name} PROPERTIES
        LABELS "${arg_LABELS}"
        TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "NUCGROW_TEST_TMP=${NUCGROW_TEST_TMP}")
endfunction()
