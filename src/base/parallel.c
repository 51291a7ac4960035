/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base_internal.h"

#include <string.h>

/* ---- the state of a loop ---------------------------------------------------------------- */

void ng_loop_lock(ng_loop *l)
{
#ifdef _OPENMP
    omp_set_lock(&l->lock);
#else
    (void)l;
#endif
}

void ng_loop_unlock(ng_loop *l)
{
#ifdef _OPENMP
    omp_unset_lock(&l->lock);
#else
    (void)l;
#endif
}

static bool is_there(const ng_loop *l, size_t index)
{
    return l->have != NULL && l->have[index];
}

/* Indices rise, so that all below a failure have been handed out and the lowest failure is found,
 * whatever the timing. */
size_t ng_loop_deal(ng_loop *l, size_t wanted, size_t *first)
{
    while (l->next < l->records.n && is_there(l, l->next)) {
        l->next++;
    }
    size_t count = 0, index = l->next;
    if (l->cancelled || index > l->failed_index) {
        return 0;
    }
    *first = index;
    while (count < wanted && index < l->records.n && !is_there(l, index)) {
        count++;
        index++;
    }
    l->next = index;
    l->away += count;
    return count;
}

void ng_loop_finish(ng_loop *l, size_t index, ng_status status, const ng_error *error)
{
    l->away--;
    l->done++;
    if (status != NG_OK && index < l->failed_index) {
        l->failed_index = index;
        l->failure = *error;
        l->failure.status = status;
    }
    if (!l->cancelled && !ng_run_progress(l->run, l->stage, l->done, l->records.n)) {
        l->cancelled = true;
    }
}

ng_status ng_loop_task(const ng_loop *l, size_t index, int worker, ng_error *error)
{
    unsigned char *record = l->records.data;
    if (record != NULL) {
        record += index * l->records.bytes;
        memset(record, 0, l->records.bytes);
    }
    return l->task(l->context, index, worker, record, error);
}

/* ---- on the threads of this process ----------------------------------------------------- */

static void work(ng_loop *l, int worker)
{
    size_t index = 0;
    ng_loop_lock(l);
    while (ng_loop_deal(l, 1, &index) > 0) {
        ng_loop_unlock(l);
        ng_error error = {.status = NG_OK};
        ng_status status = ng_loop_task(l, index, worker, &error);
        ng_loop_lock(l);
        ng_loop_finish(l, index, status, &error);
    }
    ng_loop_unlock(l);
}

#ifdef _OPENMP
static void run_here(ng_loop *l)
{
    int threads = ng_run_threads(l->run);
    omp_init_lock(&l->lock);
#pragma omp parallel num_threads(threads) if (threads > 1)
    work(l, omp_get_thread_num());
    omp_destroy_lock(&l->lock);
}
#else
static void run_here(ng_loop *l)
{
    work(l, 0);
}
#endif

static ng_status verdict(const ng_loop *l, ng_error *err)
{
    if (l->failed_index < SIZE_MAX) {
        if (err != NULL) {
            *err = l->failure;
        }
        return l->failure.status;
    }
    if (l->cancelled && l->done < l->records.n) {
        return NG_FAIL(err, NG_CANCELLED, "%s: stopped after %zu of %zu", l->stage, l->done,
                       l->records.n);
    }
    return NG_OK;
}

ng_status ng_parallel_records(const ng_records *records, ng_record_task *task, void *context,
                              const ng_run *run, const char *stage, ng_error *err)
{
    ng_loop l = {.records = *records,
                 .task = task,
                 .context = context,
                 .run = run,
                 .stage = stage,
                 .failed_index = SIZE_MAX};
    run_here(&l);
    return verdict(&l, err);
}

/* ---- tasks that write where they like ---------------------------------------------------- */

typedef struct free_task {
    ng_task *task;
    void *context;
} free_task;

static ng_status call_task(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const free_task *f = context;
    (void)record;
    return f->task(f->context, index, worker, err);
}

ng_status ng_parallel_for(size_t n, ng_task *task, void *context, const ng_run *run,
                          const char *stage, ng_error *err)
{
    free_task f = {task, context};
    ng_loop l = {.records.n = n,
                 .task = call_task,
                 .context = &f,
                 .run = run,
                 .stage = stage,
                 .failed_index = SIZE_MAX};
    run_here(&l);
    return verdict(&l, err);
}
