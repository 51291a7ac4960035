/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Built without MPI. */
#include "mpi.h"

ng_status ng_mpi_start(ng_ranks *ranks, ng_error *err)
{
    *ranks = (ng_ranks){.cluster = NULL};
    int copies = ng_mpi_launched();
    if (copies > 1) {
        return NG_FAIL(err, NG_USAGE,
                       "%d copies were started, but this nucgrow was built without MPI: each would "
                       "do all of the work. Start one (--threads uses the cores of this machine), "
                       "or build with -DNUCGROW_MPI=ON",
                       copies);
    }
    return NG_OK;
}

void ng_mpi_stop(ng_ranks *ranks)
{
    (void)ranks;
}

const char *ng_mpi_library(void)
{
    return "none";
}
