# SPDX-License-Identifier: GPL-3.0-or-later
# Run at every build: writes ${OUTPUT} with the state of the source tree, only when that changed.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=10
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(revision "no git")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define NUCGROW_REVISION \"@revision@\"\n" @ONLY)
