/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loops that forked processes share. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <nucgrow/cluster.h>

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "test_support.h"

#include "forked_cluster.h"

enum { N = 150, NEVER = 1000000 };

typedef struct sums {
    double total;
    double part[3];
} sums;

/* What the ranks of a test are told and what they find. */
typedef struct scene {
    size_t n, fails_at;
    long task_us;
    int threads, loops;
    int stopped_rank;  /* -1: none is asked to stop */
    int lonely_rank;   /* fails alone before the loop; -1: none */
    int dying_rank;    /* killed in a task; -1: none */
    ng_status status[RANKS_MAX];
    char message[RANKS_MAX][512];
    atomic_size_t ran[RANKS_MAX]; /* tasks of each rank */
    sums record[RANKS_MAX][N];
} scene;

typedef struct job {
    scene *s;
    int rank;
} job;

static ng_status draw(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const job *j = context;
    scene *s = j->s;
    sums *out = record;
    if (worker < 0 || worker >= s->threads) {
        return NG_FAIL(err, NG_INTERNAL, "worker %d", worker);
    }
    s->ran[j->rank]++;
    if (j->rank == s->dying_rank && s->ran[j->rank] == 5) {
        raise(SIGKILL);
    }
    if (index >= s->fails_at) {
        return NG_FAIL(err, NG_NUMERIC, "task %zu failed", index);
    }
    const struct timespec nap = {.tv_nsec = 1000 * s->task_us * (long)(1 + index % 3)};
    nanosleep(&nap, NULL);
    gsl_rng *rng = ng_random_open(5, index);
    for (size_t k = 0; k < 30 + 50 * (index % 17); k++) {
        double u = gsl_rng_uniform(rng);
        out->total += u;
        out->part[k % 3] += u;
    }
    ng_random_close(rng);
    return NG_OK;
}

static bool stop_after_ten(void *context, const char *stage, size_t done, size_t total)
{
    const job *j = context;
    (void)stage;
    (void)total;
    return j->rank != j->s->stopped_rank || done < 10;
}

static int loop_and_agree(ng_cluster *cluster, void *context)
{
    job j = {context, ng_cluster_rank(cluster)};
    scene *s = j.s;
    ng_run run = ng_run_defaults();
    run.threads = s->threads;
    run.cluster = cluster;
    run.progress = stop_after_ten;
    run.progress_context = &j;
    ng_error err = {.status = NG_OK};
    ng_status status = NG_OK;
    for (int k = 0; status == NG_OK && k < s->loops; k++) {
        const ng_records records = {s->record[j.rank], s->n, sizeof(sums)};
        memset(records.data, 1, N * sizeof(sums));
        status = k == s->loops - 1 && j.rank == s->lonely_rank
                     ? NG_FAIL(&err, NG_MEMORY, "no memory")
                     : ng_parallel_records(&records, draw, &j, &run, "test", &err);
    }
    status = ng_cluster_agree(cluster, status, &err);
    s->status[j.rank] = status;
    memcpy(s->message[j.rank], err.message, sizeof err.message);
    return ng_status_exit_code(status);
}

static scene *scene_new(void)
{
    scene *s = forked_shared(sizeof *s);
    *s = (scene){.n = N, .fails_at = NEVER, .threads = 1, .loops = 1, .task_us = 100,
                 .stopped_rank = -1, .lonely_rank = -1, .dying_rank = -1};
    return s;
}

static void scene_free(scene *s)
{
    munmap(s, sizeof *s);
}

/* In a process of its own, too: not every OpenMP library outlives a fork. */
static void fill_alone(sums *out)
{
    int code[RANKS_MAX];
    scene *s = scene_new();
    forked_cluster_run(1, loop_and_agree, s, code);
    assert_int_equal(code[0], 0);
    memcpy(out, s->record[0], N * sizeof *out);
    scene_free(s);
}

static void check_all_end_with(const scene *s, int size, ng_status status, const char *message)
{
    for (int r = 0; r < size; r++) {
        assert_int_equal(s->status[r], status);
        if (message != NULL) {
            assert_string_equal(s->message[r], message);
        }
    }
}

static void any_number_of_ranks_gives_the_same(void **state)
{
    (void)state;
    sums alone[N];
    int code[RANKS_MAX];
    fill_alone(alone);
    for (int size = 2; size <= RANKS_MAX; size++) {
        scene *s = scene_new();
        s->threads = 1 + size % 2;
        s->loops = 2;
        forked_cluster_run(size, loop_and_agree, s, code);
        check_all_end_with(s, size, NG_OK, NULL);
        size_t ran = 0;
        for (int r = 0; r < size; r++) {
            assert_memory_equal(s->record[r], alone, sizeof alone);
            assert_true(s->ran[r] > 0);
            ran += s->ran[r];
        }
        assert_int_equal(ran, 2 * N);
        scene_free(s);
    }
}

static void long_and_short_tasks_are_shared(void **state)
{
    (void)state;
    sums alone[N];
    int code[RANKS_MAX];
    fill_alone(alone);
    for (long task_us = 0; task_us <= 6000; task_us += 6000) {
        scene *s = scene_new();
        s->task_us = task_us;
        s->n = task_us > 0 ? 40 : N;
        forked_cluster_run(2, loop_and_agree, s, code);
        check_all_end_with(s, 2, NG_OK, NULL);
        assert_memory_equal(s->record[0], alone, s->n * sizeof *alone);
        assert_memory_equal(s->record[1], alone, s->n * sizeof *alone);
        if (task_us > 0) { /* they sleep, so a busy machine does not unbalance them */
            assert_in_range(s->ran[1], s->n / 4, 3 * s->n / 4);
        }
        scene_free(s);
    }
}

static void nothing_to_do_is_fine(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    scene *s = scene_new();
    s->n = 0;
    forked_cluster_run(3, loop_and_agree, s, code);
    check_all_end_with(s, 3, NG_OK, NULL);
    scene_free(s);
}

static void the_lowest_failure_reaches_all(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    scene *s = scene_new();
    s->fails_at = 20;
    s->threads = 2;
    forked_cluster_run(3, loop_and_agree, s, code);
    check_all_end_with(s, 3, NG_NUMERIC, "task 20 failed");
    assert_int_equal(code[2], 5);
    scene_free(s);
}

static void any_rank_can_be_asked_to_stop(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    for (int r = 0; r < 3; r++) {
        scene *s = scene_new();
        s->stopped_rank = r;
        s->task_us = 1000;
        forked_cluster_run(3, loop_and_agree, s, code);
        check_all_end_with(s, 3, NG_CANCELLED, NULL);
        assert_true(s->ran[0] + s->ran[1] + s->ran[2] < N);
        assert_non_null(strstr(s->message[2], "test: stopped after "));
        scene_free(s);
    }
}

static void a_rank_that_fails_alone_ends_all(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    for (int r = 0; r < 3; r++) {
        scene *s = scene_new();
        char message[64];
        s->lonely_rank = r;
        s->loops = 2;
        snprintf(message, sizeof message, r > 0 ? "rank %d: no memory" : "no memory", r);
        forked_cluster_run(3, loop_and_agree, s, code);
        check_all_end_with(s, 3, NG_MEMORY, message);
        scene_free(s);
    }
}

static void a_rank_that_dies_is_an_error(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    scene *s = scene_new();
    s->dying_rank = 1;
    s->task_us = 1000;
    forked_cluster_run(3, loop_and_agree, s, code);
    assert_int_equal(code[1], -SIGKILL);
    assert_int_equal(s->status[0], NG_IO);
    assert_string_equal(s->message[0], "rank 1 is gone");
    assert_int_not_equal(code[2], 0);
    scene_free(s);
}

/* Agreements in a row: after a failure the next one knows it at once, so that a rank which left
 * early and others that go by way of another agreement come to the same end. */
static int agree_often(ng_cluster *cluster, void *context)
{
    scene *s = context;
    int rank = ng_cluster_rank(cluster);
    ng_error err = {.status = NG_OK};
    ng_status status = NG_OK;
    for (int round = 0; round < 3; round++) {
        bool fails = round == 1 && rank == s->lonely_rank;
        status = fails ? NG_FAIL(&err, NG_IO, "no file") : NG_OK;
        if (!fails) {
            status = ng_cluster_agree(cluster, status, &err);
        }
        status = ng_cluster_agree(cluster, status, &err);
        if (status != (round == 1 ? NG_IO : NG_OK)) {
            return 1;
        }
        if (round == 1) {
            memcpy(s->message[rank], err.message, sizeof err.message);
        }
        int number = 10 * rank + round;
        if (ng_cluster_share(cluster, &number, sizeof number, NULL) != NG_OK || number != round) {
            return 2;
        }
        ng_cluster_go_on(cluster);
    }
    s->status[rank] = NG_IO;
    return 0;
}

static void a_rank_may_leave_at_any_agreement(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    for (int r = 0; r < 3; r++) {
        scene *s = scene_new();
        char message[64];
        s->lonely_rank = r;
        snprintf(message, sizeof message, r > 0 ? "rank %d: no file" : "no file", r);
        forked_cluster_run(3, agree_often, s, code);
        check_all_end_with(s, 3, NG_IO, message);
        assert_int_equal(code[0] + code[1] + code[2], 0);
        scene_free(s);
    }
}

static int uneven_work(ng_cluster *cluster, void *context)
{
    job j = {context, ng_cluster_rank(cluster)};
    ng_run run = ng_run_defaults();
    run.cluster = cluster;
    ng_error err = {.status = NG_OK};
    const ng_records records = {j.s->record[j.rank], N, sizeof(sums)};
    bool has_more = j.rank == j.s->lonely_rank;
    ng_status status = has_more ? ng_parallel_records(&records, draw, &j, &run, "test", &err)
                                : NG_OK;
    j.s->status[j.rank] = ng_cluster_agree(cluster, status, &err);
    memcpy(j.s->message[j.rank], err.message, sizeof err.message);
    return 0;
}

static void ranks_that_disagree_on_the_work_are_an_error(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    for (int r = 0; r < 2; r++) {
        scene *s = scene_new();
        s->lonely_rank = r;
        forked_cluster_run(2, uneven_work, s, code);
        check_all_end_with(s, 2, NG_INTERNAL,
                           r == 0 ? "rank 1: has less to do than rank 0; is the input the same on "
                                    "all machines?"
                                  : "rank 1: has more to do than rank 0; is the input the same on "
                                    "all machines?");
        scene_free(s);
    }
}

static void no_cluster_is_one_rank(void **state)
{
    (void)state;
    ng_error err = {.status = NG_OK};
    int number = 7;
    assert_int_equal(ng_cluster_rank(NULL), 0);
    assert_int_equal(ng_cluster_size(NULL), 1);
    assert_int_equal(ng_cluster_share(NULL, &number, sizeof number, &err), NG_OK);
    assert_int_equal(ng_cluster_agree(NULL, NG_NUMERIC, &err), NG_NUMERIC);
    assert_int_equal(number, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_ranks_gives_the_same),
        cmocka_unit_test(long_and_short_tasks_are_shared),
        cmocka_unit_test(nothing_to_do_is_fine),
        cmocka_unit_test(the_lowest_failure_reaches_all),
        cmocka_unit_test(any_rank_can_be_asked_to_stop),
        cmocka_unit_test(a_rank_that_fails_alone_ends_all),
        cmocka_unit_test(a_rank_that_dies_is_an_error),
        cmocka_unit_test(a_rank_may_leave_at_any_agreement),
        cmocka_unit_test(ranks_that_disagree_on_the_work_are_an_error),
        cmocka_unit_test(no_cluster_is_one_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
