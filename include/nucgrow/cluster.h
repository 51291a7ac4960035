/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/cluster.h
 * Room `base`: several processes that share the loops of one run, and a journal of finished work.
 * Callers of the library who need neither need not read this: ng_run_defaults() has none of them.
 *
 * The processes of a cluster ("ranks") run the same program on the same input. They differ only
 * inside ng_parallel_records(), where rank 0 deals out the indices, collects the records and gives
 * all of them to everyone; before and after it every rank computes the same bits.
 */
#ifndef NUCGROW_CLUSTER_H
#define NUCGROW_CLUSTER_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- processes -------------------------------------------------------------------------- */

/** How ranks talk, written by whoever started them (the program does it with MPI). The library
 *  calls these from one thread only: the one that called the library. `context` is borrowed. */
typedef struct ng_cluster_links {
    int rank, size; /* 0 <= rank < size */
    void *context;
    /** Send a message to rank `to`. Messages between two ranks arrive in order. A message of less
     *  than 4 KiB must not wait for its receiver. */
    ng_status (*send)(void *context, int to, const void *message, size_t bytes, ng_error *err);
    /** Take a message that is there, of at most `room` bytes: its length and its sender. Never
     *  waits: *bytes = 0 says that there is none. */
    ng_status (*receive)(void *context, void *message, size_t room, size_t *bytes, int *from,
                         ng_error *err);
    /** Copy `bytes` of rank 0 to all others; every rank calls it. */
    ng_status (*broadcast)(void *context, void *data, size_t bytes, ng_error *err);
} ng_cluster_links;

typedef struct ng_cluster ng_cluster;

/** Join. `links` is copied. Owned by the caller: ng_cluster_destroy. */
NG_MUST_CHECK ng_status ng_cluster_create(const ng_cluster_links *links, ng_cluster **out,
                                          ng_error *err);
void ng_cluster_destroy(ng_cluster *cluster);
/** This process; NULL: rank 0 of 1. */
int ng_cluster_rank(const ng_cluster *cluster);
int ng_cluster_size(const ng_cluster *cluster);
/** Give `bytes` of rank 0 to all; every rank calls it. */
NG_MUST_CHECK ng_status ng_cluster_share(ng_cluster *cluster, void *data, size_t bytes,
                                         ng_error *err);
/** End a stretch of common work: every rank says how it went, waits for all others (asleep, not
 *  spinning) and gets the same answer, that of the lowest rank that failed, which the message
 *  names when it is not rank 0. A rank that failed alone, such as for want of memory, comes here at
 *  once: the others, wherever they are in ng_parallel_records, then stop with its error and come
 *  too. */
NG_MUST_CHECK ng_status ng_cluster_agree(ng_cluster *cluster, ng_status status, ng_error *err);
/** After a failure every further agreement gives that failure at once, so that a rank may leave at
 *  any point where all agree. When all have left, this begins anew; every rank calls it. */
void ng_cluster_go_on(ng_cluster *cluster);

/* ---- finished work at rest -------------------------------------------------------------- */

/** A file to which ng_parallel_records() appends each record as it is finished, so that a run which
 *  was killed goes on where it was. Only rank 0 of a cluster holds one. */
typedef struct ng_journal ng_journal;

typedef struct ng_journal_options {
    const char *path;
    const char *fingerprint; /* 64 hex digits over all that the records depend on: program, options,
                                input files, seed */
    bool force;              /* throw away what another run has left there */
    double delay_s;          /* a run shorter than this leaves no file; 0: at once */
} ng_journal_options;

/** Open or begin a journal. A file cut off or damaged at some byte is good up to there; the rest is
 *  done again. `options` is copied. Owned: ng_journal_close.
 *  @return NG_EXISTS when the file belongs to another run (other fingerprint) or is in use by one,
 *  or when it is no journal at all (also with `force`); NG_IO, NG_MEMORY */
NG_MUST_CHECK ng_status ng_journal_open(const ng_journal_options *options, ng_journal **out,
                                        ng_error *err);
/** Records that were there when it was opened. */
size_t ng_journal_resumed(const ng_journal *journal);
/** Records that are there now. */
size_t ng_journal_kept(const ng_journal *journal);
/** NULL, or why nothing more is kept (a full disk does not end the run). Borrowed. */
const char *ng_journal_trouble(const ng_journal *journal);
/** Close, and with `remove` delete the file; NULL is fine. */
void ng_journal_close(ng_journal *journal, bool remove);

#ifdef __cplusplus
}
#endif
#endif
