/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Built with MPI. Its own errors end the job (MPI_ERRORS_ARE_FATAL): nothing can be saved then but
 * what the journal holds. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "mpi.h"

#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define TAG 1
#define BLOCK ((size_t)1 << 28) /* MPI counts in int */

static ng_status send_message(void *context, int to, const void *message, size_t bytes,
                              ng_error *err)
{
    (void)context;
    (void)err;
    MPI_Send(message, (int)bytes, MPI_BYTE, to, TAG, MPI_COMM_WORLD);
    return NG_OK;
}

static ng_status receive_message(void *context, void *message, size_t room, size_t *bytes,
                                 int *from, ng_error *err)
{
    int there = 0, count = 0;
    MPI_Status state;
    (void)context;
    *bytes = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &state);
    if (!there) {
        return NG_OK;
    }
    MPI_Get_count(&state, MPI_BYTE, &count);
    if ((size_t)count > room) {
        return NG_FAIL(err, NG_INTERNAL, "rank %d sends %d bytes where %zu were expected",
                       state.MPI_SOURCE, count, room);
    }
    *from = state.MPI_SOURCE;
    *bytes = (size_t)count;
    MPI_Recv(message, count, MPI_BYTE, *from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return NG_OK;
}

static ng_status broadcast(void *context, void *data, size_t bytes, ng_error *err)
{
    (void)context;
    (void)err;
    unsigned char *at = data;
    while (bytes > 0) {
        size_t n = bytes < BLOCK ? bytes : BLOCK;
        MPI_Bcast(at, (int)n, MPI_BYTE, 0, MPI_COMM_WORLD);
        at += n;
        bytes -= n;
    }
    return NG_OK;
}

/* The cores this rank may use, shared with the other ranks of the machine where they may use the
 * same ones: a launcher may bind ranks to cores, or leave them free. */
static int threads_of_rank(void)
{
    MPI_Comm machine;
    cpu_set_t own, all;
    int ranks = 1;
    if (sched_getaffinity(0, sizeof own, &own) != 0) {
        return 1;
    }
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &ranks);
    MPI_Allreduce(&own, &all, (int)sizeof own, MPI_BYTE, MPI_BOR, machine);
    MPI_Comm_free(&machine);
    int share = CPU_COUNT(&all) / ranks, allowed = CPU_COUNT(&own);
    int threads = share < allowed ? share : allowed;
    return threads > 1 ? threads : 1;
}

ng_status ng_mpi_start(ng_ranks *ranks, ng_error *err)
{
    *ranks = (ng_ranks){.cluster = NULL};
    int launched = ng_mpi_launched(), given = 0;
    if (launched == 0) {
        return NG_OK;
    }
    ng_cluster_links links = {
        .send = send_message, .receive = receive_message, .broadcast = broadcast};
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
    MPI_Comm_rank(MPI_COMM_WORLD, &links.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &links.size);
    if (given < MPI_THREAD_FUNNELED) {
        return NG_FAIL(err, NG_USAGE, "this MPI library cannot be used beside threads");
    }
    if (links.size == 1 && launched > 1) {
        return NG_FAIL(err, NG_USAGE,
                       "%d copies were started by a launcher that this nucgrow does not know: each "
                       "would do all of the work. It was built with %s; use the launcher of that",
                       launched, ng_mpi_library());
    }
    ranks->threads = threads_of_rank();
    return ng_cluster_create(&links, &ranks->cluster, err);
}

void ng_mpi_stop(ng_ranks *ranks)
{
    int begun = 0;
    ng_cluster_destroy(ranks->cluster);
    ranks->cluster = NULL;
    MPI_Initialized(&begun);
    if (begun) {
        MPI_Finalize();
    }
}

const char *ng_mpi_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (text[0] == '\0') {
        MPI_Get_library_version(text, &length);
        text[strcspn(text, ",\n")] = '\0';
    }
    return text;
}
