# SPDX-License-Identifier: GPL-3.0-or-later
# cmake -DPROGRAM=nucgrow -DFOLDER=share -P pages.cmake: what the program says of itself, as files.
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${FOLDER}/man)

function(write_page file)
    execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_FILE ${FOLDER}/${file}
                    COMMAND_ERROR_IS_FATAL ANY)
endfunction()

write_page(man/nucgrow.1 help --man)
execute_process(COMMAND ${PROGRAM} help --list OUTPUT_VARIABLE verbs
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" verbs "${verbs}")
foreach(verb IN LISTS verbs)
    string(REPLACE " " "-" page "${verb}")
    write_page(man/nucgrow-${page}.1 help --man ${page})
endforeach()
write_page(nucgrow.bash completion bash)
write_page(_nucgrow completion zsh)
write_page(nucgrow.fish completion fish)
