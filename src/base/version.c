/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include "nucgrow_revision.h"
#include "nucgrow_version_config.h"

#ifdef _OPENMP
#define THREADS "OpenMP"
#else
#define THREADS "none"
#endif

const char *ng_version(void)
{
    return NUCGROW_VERSION;
}

const char *ng_build_info(void)
{
    return "revision: " NUCGROW_REVISION "\n"
           "system: " NUCGROW_SYSTEM "\n"
           "compiler: " NUCGROW_COMPILER "\n"
           "build: " NUCGROW_BUILD_TYPE " (" NUCGROW_BUILD_FLAGS ")\n"
           "threads: " THREADS "\n"
           "libraries: " NUCGROW_LIBRARIES "\n";
}
