/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mpi.h"

#include <stdlib.h>

int ng_mpi_launched(void)
{
    static const char *const size_of[] = {
        "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS"};
    long most = getenv("PMIX_RANK") != NULL ? 1 : 0;
    for (size_t i = 0; i < sizeof size_of / sizeof size_of[0]; i++) {
        const char *text = getenv(size_of[i]);
        long size = 0;
        if (text != NULL && ng_parse_int(text, &size) && size > most && size < 1 << 24) {
            most = size;
        }
    }
    return (int)most;
}
