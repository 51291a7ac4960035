/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file mpi.h
 * The processes that `mpirun -n N nucgrow ...` starts. One of two files is built: mpi_open.c with
 * MPI, mpi_none.c without it; nothing else of nucgrow knows of MPI.
 */
#ifndef NUCGROW_CLI_MPI_H
#define NUCGROW_CLI_MPI_H

#include <nucgrow/cluster.h>

/** What this process is part of. */
typedef struct ng_ranks {
    ng_cluster *cluster; /* NULL: alone */
    int threads;         /* for this rank, so that the ranks of a machine share its cores; 0: all */
} ng_ranks;

/** Join the processes that a launcher started with this one; without a launcher nothing happens.
 *  @return NG_USAGE when there are others that this program cannot talk to. */
NG_MUST_CHECK ng_status ng_mpi_start(ng_ranks *ranks, ng_error *err);
/** Leave; all ranks do. */
void ng_mpi_stop(ng_ranks *ranks);
/** Name and version of the MPI library, or "none". Static text. */
const char *ng_mpi_library(void);

/** How many processes the environment says a launcher (mpirun, srun) started: 0 when it says
 *  nothing, 1 also where the number is not known. */
int ng_mpi_launched(void);

#endif
