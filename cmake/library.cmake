# SPDX-License-Identifier: GPL-3.0-or-later
# The static and the shared library, and how they are installed.
add_library(nucgrow_static STATIC)
add_library(nucgrow_shared SHARED)
target_link_libraries(nucgrow_static PUBLIC nucgrow_dependencies)
# The public headers name types of GSL only.
target_link_libraries(nucgrow_shared PUBLIC PkgConfig::gsl PRIVATE nucgrow_dependencies)
foreach(kind IN ITEMS static shared)
    target_sources(nucgrow_${kind} PRIVATE $<TARGET_OBJECTS:nucgrow_objects>)
    target_include_directories(nucgrow_${kind} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    set_target_properties(nucgrow_${kind} PROPERTIES
        OUTPUT_NAME nucgrow
        EXPORT_NAME ${kind}
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR})
    add_library(nucgrow::${kind} ALIAS nucgrow_${kind})
endforeach()

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/nucgrow)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(TARGETS nucgrow_static nucgrow_shared nucgrow_dependencies
        EXPORT nucgrow-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT nucgrow-targets NAMESPACE nucgrow:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/nucgrow-config.cmake.in
    ${PROJECT_BINARY_DIR}/nucgrow-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nucgrow-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nucgrow-config.cmake
              ${PROJECT_BINARY_DIR}/nucgrow-config-version.cmake
        DESTINATION ${package_dir})

list(JOIN NUCGROW_PKG_MODULES " " pkg_requires)
if(OpenMP_C_FOUND)
    set(pkg_openmp "-fopenmp")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/nucgrow.pc.in ${PROJECT_BINARY_DIR}/nucgrow.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/nucgrow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
