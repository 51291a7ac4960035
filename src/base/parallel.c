/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base_internal.h"

#include <nucgrow/cluster.h>

#include <string.h>

#define RECORD_MAX ((size_t)1 << 30)

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

unsigned char *ng_loop_record(const ng_loop *l, size_t index)
{
    return (unsigned char *)l->records.data + index * l->records.bytes;
}

static bool is_there(const ng_loop *l, size_t index)
{
    return l->have != NULL && l->have[index];
}

static void skip_what_is_there(ng_loop *l)
{
    while (l->next < l->records.n && is_there(l, l->next)) {
        l->next++;
    }
}

static bool is_dealt(const ng_loop *l)
{
    return l->cancelled || l->next >= l->records.n || l->next > l->failed_index;
}

/* Indices rise, so that all below a failure have been handed out and the lowest failure is found,
 * whatever the timing. */
size_t ng_loop_deal(ng_loop *l, size_t wanted, size_t *first)
{
    skip_what_is_there(l);
    if (is_dealt(l)) {
        return 0;
    }
    size_t count = 0, index = l->next;
    *first = index;
    while (count < wanted && index < l->records.n && !is_there(l, index)) {
        count++;
        index++;
    }
    l->next = index;
    l->away += count;
    return count;
}

void ng_loop_abandon(ng_loop *l, const ng_error *error)
{
    l->cancelled = true;
    if (l->failed_index == SIZE_MAX) {
        l->failed_index = l->records.n;
        l->failure = *error;
    }
}

ng_error ng_loop_outcome(const ng_loop *l)
{
    ng_error error = {.status = NG_OK};
    if (l->failed_index < SIZE_MAX) {
        error = l->failure;
    } else if (l->cancelled && l->done < l->records.n) {
        ng_error_set(&error, NG_CANCELLED, __FILE__, __LINE__, "%s: stopped after %zu of %zu",
                     l->stage, l->done, l->records.n);
    }
    return error;
}

bool ng_loop_is_over(ng_loop *l)
{
    skip_what_is_there(l);
    return is_dealt(l) && l->away == 0;
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
    if (status == NG_OK && l->journal != NULL) {
        ng_journal_keep(l->journal, l, index);
    }
    if (!l->cancelled && !ng_run_progress(l->run, l->stage, l->done, l->records.n)) {
        l->cancelled = true;
    }
}

ng_status ng_loop_task(const ng_loop *l, size_t index, int worker, ng_error *error)
{
    void *record = NULL;
    if (l->records.data != NULL) {
        record = ng_loop_record(l, index);
        memset(record, 0, l->records.bytes);
    }
    return l->task(l->context, index, worker, record, error);
}

/* ---- on the threads of this process ----------------------------------------------------- */

void ng_loop_work(ng_loop *l, int worker)
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
#pragma omp parallel num_threads(threads) if (threads > 1)
    ng_loop_work(l, omp_get_thread_num());
}
#else
static void run_here(ng_loop *l)
{
    ng_loop_work(l, 0);
}
#endif

static void loop_begin(ng_loop *l)
{
    l->failed_index = SIZE_MAX;
#ifdef _OPENMP
    omp_init_lock(&l->lock);
#else
    (void)l;
#endif
}

static ng_status loop_end(ng_loop *l, ng_error *err)
{
    const ng_error error = ng_loop_outcome(l);
    ng_free(l->have);
#ifdef _OPENMP
    omp_destroy_lock(&l->lock);
#endif
    if (error.status != NG_OK && err != NULL) {
        *err = error;
    }
    return error.status;
}

/* What was finished before this run began. */
static void restore(ng_loop *l)
{
    if (l->journal == NULL) {
        return;
    }
    ng_error error = {.status = NG_OK};
    l->journal_loop = ng_journal_loop(l->journal, l);
    if (ng_journal_restore(l->journal, l, &error) != NG_OK) {
        ng_loop_abandon(l, &error);
    } else if (l->done > 0) {
        l->cancelled = !ng_run_progress(l->run, l->stage, l->done, l->records.n);
    }
}

ng_status ng_parallel_records(const ng_records *records, ng_record_task *task, void *context,
                              const ng_run *run, const char *stage, ng_error *err)
{
    struct ng_cluster *cluster = run != NULL ? run->cluster : NULL;
    ng_loop l = {
        .records = *records, .task = task, .context = context, .run = run, .stage = stage};
    if (records->bytes > RECORD_MAX) {
        return NG_FAIL(err, NG_INTERNAL, "%s: records of %zu bytes", stage, records->bytes);
    }
    loop_begin(&l);
    if (run != NULL && ng_cluster_rank(cluster) == 0) {
        l.journal = run->journal;
        restore(&l);
    }
    if (ng_cluster_size(cluster) > 1) {
        ng_cluster_loop(cluster, &l);
    } else {
        run_here(&l);
    }
    return loop_end(&l, err);
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
    ng_loop l = {
        .records.n = n, .task = call_task, .context = &f, .run = run, .stage = stage};
    loop_begin(&l);
    run_here(&l);
    return loop_end(&l, err);
}
