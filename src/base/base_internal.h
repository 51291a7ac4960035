/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of room base share. */
#ifndef NUCGROW_BASE_INTERNAL_H
#define NUCGROW_BASE_INTERNAL_H

#include <nucgrow/base.h>

#ifdef _OPENMP
#include <omp.h>
#endif

struct ng_cluster;
struct ng_journal;

/* A loop over records on its way. Indices are handed out in rising order. */
typedef struct ng_loop {
    ng_records records; /* data NULL: tasks that leave no records */
    ng_record_task *task;
    void *context;
    const ng_run *run;
    const char *stage;
    struct ng_journal *journal; /* NULL: nothing is kept */
    uint64_t journal_loop;      /* names the loop in it */

    /* What follows is guarded by the lock. */
    bool *have;          /* owned; records that were there before, NULL: none */
    size_t next;         /* lowest index not yet handed out */
    size_t done;         /* records that are there, failed tasks included */
    size_t away;         /* handed out and not yet back (what rank 0 counts) */
    size_t failed_index; /* SIZE_MAX: none */
    ng_error failure;
    bool cancelled;
#ifdef _OPENMP
    omp_lock_t lock; /* a lock of our own lets two loops run side by side */
#endif
} ng_loop;

void ng_loop_lock(ng_loop *l);
void ng_loop_unlock(ng_loop *l);

unsigned char *ng_loop_record(const ng_loop *l, size_t index);

/* Under the lock: hand out up to `wanted` indices from *first on; how many (0: there are none). */
size_t ng_loop_deal(ng_loop *l, size_t wanted, size_t *first);
/* Under the lock: index came back; its record is in place when `status` is NG_OK. */
void ng_loop_finish(ng_loop *l, size_t index, ng_status status, const ng_error *error);
/* Under the lock: something other than a task failed; hand out nothing more. */
void ng_loop_abandon(ng_loop *l, const ng_error *error);
/* How the loop ended. */
ng_error ng_loop_outcome(const ng_loop *l);
/* Under the lock: nothing is left to hand out or away. */
bool ng_loop_is_over(ng_loop *l);
/* Run one task, its record included; takes no lock. */
ng_status ng_loop_task(const ng_loop *l, size_t index, int worker, ng_error *error);
/* Hand out to itself and run, until nothing is left; takes the lock. */
void ng_loop_work(ng_loop *l, int worker);

/* The loop on all ranks; what goes wrong is left in `l` on each of them (cluster.c). */
void ng_cluster_loop(struct ng_cluster *cluster, ng_loop *l);

/* Begin a loop: the number by which the journal knows it. */
uint64_t ng_journal_loop(struct ng_journal *journal, const ng_loop *l);
/* Fill in what was kept before. */
ng_status ng_journal_restore(const struct ng_journal *journal, ng_loop *l, ng_error *err);
/* Under the lock: keep a record that is in place. */
void ng_journal_keep(struct ng_journal *journal, const ng_loop *l, size_t index);

#endif
