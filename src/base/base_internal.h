/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of room base share. */
#ifndef NUCGROW_BASE_INTERNAL_H
#define NUCGROW_BASE_INTERNAL_H

#include <nucgrow/base.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* A loop over records on its way. Indices are handed out in rising order. */
typedef struct ng_loop {
    ng_records records; /* data NULL: tasks that leave no records */
    ng_record_task *task;
    void *context;
    const ng_run *run;
    const char *stage;

    /* What follows is guarded by the lock. */
    bool *have;          /* owned; records that were there before, NULL: none */
    size_t next;         /* lowest index not yet handed out */
    size_t done;         /* records that are there, failed tasks included */
    size_t away;         /* handed out and not yet back */
    size_t failed_index; /* SIZE_MAX: none */
    ng_error failure;
    bool cancelled;
#ifdef _OPENMP
    omp_lock_t lock; /* a lock of our own lets two loops run side by side */
#endif
} ng_loop;

void ng_loop_lock(ng_loop *l);
void ng_loop_unlock(ng_loop *l);

/* Under the lock: hand out up to `wanted` indices from *first on; how many (0: there are none). */
size_t ng_loop_deal(ng_loop *l, size_t wanted, size_t *first);
/* Under the lock: index came back; its record is in place when `status` is NG_OK. */
void ng_loop_finish(ng_loop *l, size_t index, ng_status status, const ng_error *error);
/* Run one task, its record included; takes no lock. */
ng_status ng_loop_task(const ng_loop *l, size_t index, int worker, ng_error *error);

#endif
