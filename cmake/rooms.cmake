# SPDX-License-Identifier: GPL-3.0-or-later
# The rooms of the library, in the order in which they may include each other.
set(NUCGROW_ROOMS base data image physics sim particle ensemble solve fit predict synth report)

# A room that has no CMakeLists.txt does not exist (yet).
function(nucgrow_add_room path)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${path}/CMakeLists.txt)
        add_subdirectory(${PROJECT_SOURCE_DIR}/${path})
    endif()
endfunction()
