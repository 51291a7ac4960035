# SPDX-License-Identifier: GPL-3.0-or-later
# What the library is linked with: one interface target.
find_package(PkgConfig REQUIRED)
set(NUCGROW_PKG_MODULES gsl nlopt jansson yaml-0.1 libxml-2.0 nettle fftw3f libtiff-4 libpng
    libavformat libavcodec libavutil)
add_library(nucgrow_dependencies INTERFACE)
foreach(module IN LISTS NUCGROW_PKG_MODULES)
    string(MAKE_C_IDENTIFIER ${module} name)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
    target_link_libraries(nucgrow_dependencies INTERFACE PkgConfig::${name})
endforeach()

# SUNDIALS brings no pkg-config file, and its CMake package asks for all that it was built with.
find_path(NUCGROW_CVODES_INCLUDE cvodes/cvodes.h REQUIRED)
target_include_directories(nucgrow_dependencies SYSTEM INTERFACE
    $<BUILD_INTERFACE:${NUCGROW_CVODES_INCLUDE}>)
foreach(name IN ITEMS sundials_cvodes sundials_nvecserial)
    find_library(NUCGROW_${name} ${name} REQUIRED)
    target_link_libraries(nucgrow_dependencies INTERFACE ${NUCGROW_${name}})
endforeach()

if(NUCGROW_OPENMP)
    find_package(OpenMP COMPONENTS C)
    if(OpenMP_C_FOUND)
        target_link_libraries(nucgrow_dependencies INTERFACE OpenMP::OpenMP_C)
    else()
        message(STATUS "no OpenMP for this compiler: everything runs on one thread")
    endif()
endif()
# Only the program is linked with MPI: the library knows of it as functions that it is handed.
string(TOUPPER "${NUCGROW_MPI}" NUCGROW_MPI)
if(NUCGROW_MPI STREQUAL "AUTO")
    find_package(MPI QUIET COMPONENTS C)
    if(NOT MPI_C_FOUND)
        message(STATUS "no MPI: nucgrow runs as one process (-DNUCGROW_MPI=ON insists on it)")
    endif()
elseif(NUCGROW_MPI)
    find_package(MPI REQUIRED COMPONENTS C)
endif()

find_library(NUCGROW_LIBM m)
if(NUCGROW_LIBM)
    target_link_libraries(nucgrow_dependencies INTERFACE m)
endif()
