/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gsl/gsl_rng.h>
#include <nucgrow/base.h>
#include <string.h>

#include "test_support.h"

enum { N = 200 };

typedef struct work {
    double sum[N];
    bool fails[N];
    bool ran[N];
    int workers;
    bool strange_worker;
} work;

/* Work of uneven length, drawn from the stream of its index. */
static ng_status draw(void *context, size_t index, int worker, ng_error *err)
{
    work *w = context;
    w->ran[index] = true;
    if (worker < 0 || worker >= w->workers) {
        w->strange_worker = true;
    }
    if (w->fails[index]) {
        return NG_FAIL(err, NG_NUMERIC, "task %zu failed", index);
    }
    gsl_rng *rng = ng_random_open(5, index);
    for (size_t k = 0; k < 100 + 50 * (index % 17); k++) {
        w->sum[index] += gsl_rng_uniform(rng);
    }
    ng_random_close(rng);
    return NG_OK;
}

static ng_run threads(int n)
{
    ng_run run = ng_run_defaults();
    run.threads = n;
    return run;
}

static void any_number_of_threads_gives_the_same(void **state)
{
    (void)state;
    work one = {.workers = 1};
    ng_run run = threads(1);
    assert_int_equal(ng_parallel_for(N, draw, &one, &run, "test", NULL), NG_OK);
    for (int n = 2; n <= 5; n++) {
        work many = {.workers = n};
        run = threads(n);
        assert_int_equal(ng_parallel_for(N, draw, &many, &run, "test", NULL), NG_OK);
        assert_false(many.strange_worker);
        assert_memory_equal(one.sum, many.sum, sizeof one.sum);
    }
}

static void the_lowest_failure_is_reported(void **state)
{
    (void)state;
    for (int n = 1; n <= 4; n++) {
        work w = {.workers = n};
        w.fails[20] = w.fails[21] = w.fails[150] = true;
        ng_run run = threads(n);
        ng_error err = {.status = NG_OK};
        assert_int_equal(ng_parallel_for(N, draw, &w, &run, "test", &err), NG_NUMERIC);
        assert_int_equal(err.status, NG_NUMERIC);
        assert_string_equal(err.message, "task 20 failed");
        for (size_t i = 0; i <= 20; i++) {
            assert_true(w.ran[i]);
        }
        assert_false(w.ran[N - 1]);
    }
}

typedef struct watch {
    size_t calls, last, stop_at;
    bool in_order;
} watch;

static bool look(void *context, const char *stage, size_t done, size_t total)
{
    watch *w = context;
    w->in_order = w->in_order && done == w->last + 1 && total == N && strcmp(stage, "test") == 0;
    w->last = done;
    w->calls++;
    return done < w->stop_at;
}

static void progress_counts_every_task_in_order(void **state)
{
    (void)state;
    watch seen = {.stop_at = SIZE_MAX, .in_order = true};
    work w = {.workers = 3};
    ng_run run = threads(3);
    run.progress = look;
    run.progress_context = &seen;
    assert_int_equal(ng_parallel_for(N, draw, &w, &run, "test", NULL), NG_OK);
    assert_int_equal(seen.calls, N);
    assert_true(seen.in_order);
}

static void saying_no_to_progress_cancels(void **state)
{
    (void)state;
    for (int n = 1; n <= 3; n++) {
        watch seen = {.stop_at = 10, .in_order = true};
        work w = {.workers = n};
        ng_run run = threads(n);
        run.progress = look;
        run.progress_context = &seen;
        ng_error err = {.status = NG_OK};
        assert_int_equal(ng_parallel_for(N, draw, &w, &run, "test", &err), NG_CANCELLED);
        assert_int_equal(err.status, NG_CANCELLED);
        assert_false(w.ran[N - 1]);
        assert_int_equal(seen.calls, 10);
    }
}

/* A record as fits leave them: a number of its own and a row of numbers. */
typedef struct sums {
    double total;
    double part[3];
} sums;

static ng_status draw_sums(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const size_t *fails_at = context;
    sums *s = record;
    (void)worker;
    assert_true(s->total == 0.0 && s->part[2] == 0.0);
    if (index >= *fails_at) {
        return NG_FAIL(err, NG_NUMERIC, "record %zu failed", index);
    }
    gsl_rng *rng = ng_random_open(5, index);
    for (size_t k = 0; k < 30 + 50 * (index % 17); k++) {
        double u = gsl_rng_uniform(rng);
        s->total += u;
        s->part[k % 3] += u;
    }
    ng_random_close(rng);
    return NG_OK;
}

static void records_are_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    size_t never = SIZE_MAX;
    sums one[N], many[N];
    memset(one, 1, sizeof one);
    const ng_records alone = {one, N, sizeof *one}, shared = {many, N, sizeof *many};
    assert_int_equal(ng_parallel_records(&alone, draw_sums, &never, NULL, "test", NULL), NG_OK);
    assert_true(one[N - 1].total > 0.0);
    for (int n = 2; n <= 4; n++) {
        ng_run run = threads(n);
        memset(many, 1, sizeof many);
        assert_int_equal(ng_parallel_records(&shared, draw_sums, &never, &run, "test", NULL),
                         NG_OK);
        assert_memory_equal(one, many, sizeof one);
    }
}

static void records_report_the_lowest_failure(void **state)
{
    (void)state;
    size_t fails_at = 20;
    sums row[N];
    const ng_records records = {row, N, sizeof *row};
    for (int n = 1; n <= 4; n++) {
        ng_run run = threads(n);
        ng_error err = {.status = NG_OK};
        assert_int_equal(ng_parallel_records(&records, draw_sums, &fails_at, &run, "test", &err),
                         NG_NUMERIC);
        assert_string_equal(err.message, "record 20 failed");
    }
}

static void nothing_to_do_and_no_run_are_fine(void **state)
{
    (void)state;
    work w = {.workers = 1};
    assert_int_equal(ng_parallel_for(0, draw, &w, NULL, "test", NULL), NG_OK);
    assert_int_equal(ng_parallel_for(N, draw, &w, NULL, "test", NULL), NG_OK);
    assert_int_equal(ng_run_threads(NULL), 1);
    ng_run run = threads(0);
    assert_true(ng_run_threads(&run) >= 1);
    assert_true(ng_run_progress(NULL, "test", 1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same),
        cmocka_unit_test(the_lowest_failure_is_reported),
        cmocka_unit_test(progress_counts_every_task_in_order),
        cmocka_unit_test(saying_no_to_progress_cancels),
        cmocka_unit_test(records_are_the_same_on_any_number_of_threads),
        cmocka_unit_test(records_report_the_lowest_failure),
        cmocka_unit_test(nothing_to_do_and_no_run_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
