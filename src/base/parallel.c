/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#ifdef _OPENMP
#include <omp.h>
#endif

typedef struct loop {
    ng_task *task;
    void *context;
    const ng_run *run;
    const char *stage;
    size_t n, done;
    size_t failed_index; /* n: none */
    ng_error failure;
    bool cancelled;
#ifdef _OPENMP
    omp_lock_t lock; /* guards all of this; a lock of our own lets two loops run side by side */
#endif
} loop;

/* Hold the loop's state for one thread. */
static void take(loop *l)
{
#ifdef _OPENMP
    omp_set_lock(&l->lock);
#else
    (void)l;
#endif
}

static void give_back(loop *l)
{
#ifdef _OPENMP
    omp_unset_lock(&l->lock);
#else
    (void)l;
#endif
}

static int worker_number(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

/* Tasks below a failure still run, so that the lowest index wins whatever the timing. */
static bool is_wanted(const loop *l, size_t index)
{
    return !l->cancelled && index < l->failed_index;
}

static void finish(loop *l, size_t index, ng_status status, const ng_error *error)
{
    l->done++;
    if (status != NG_OK && index < l->failed_index) {
        l->failed_index = index;
        l->failure = *error;
        l->failure.status = status;
    }
    if (!l->cancelled && !ng_run_progress(l->run, l->stage, l->done, l->n)) {
        l->cancelled = true;
    }
}

static void run_task(loop *l, size_t index)
{
    take(l);
    bool wanted = is_wanted(l, index);
    give_back(l);
    if (!wanted) {
        return;
    }
    ng_error error = {.status = NG_OK};
    ng_status status = l->task(l->context, index, worker_number(), &error);
    take(l);
    finish(l, index, status, &error);
    give_back(l);
}

#ifdef _OPENMP
static void run_all(loop *l, int threads)
{
    omp_init_lock(&l->lock);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < l->n; i++) {
        run_task(l, i);
    }
    omp_destroy_lock(&l->lock);
}
#else
static void run_all(loop *l, int threads)
{
    (void)threads;
    for (size_t i = 0; i < l->n; i++) {
        run_task(l, i);
    }
}
#endif

ng_status ng_parallel_for(size_t n, ng_task *task, void *context, const ng_run *run,
                          const char *stage, ng_error *err)
{
    loop l = {.task = task, .context = context, .run = run, .stage = stage, .n = n};
    l.failed_index = n;
    run_all(&l, ng_run_threads(run));
    if (l.failed_index < n) {
        if (err != NULL) {
            *err = l.failure;
        }
        return l.failure.status;
    }
    if (l.cancelled && l.done < n) {
        return NG_FAIL(err, NG_CANCELLED, "%s: stopped after %zu of %zu", stage, l.done, n);
    }
    return NG_OK;
}
