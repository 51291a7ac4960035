/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finished records on disk, and what becomes of them when a file is cut, damaged or another's. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <nucgrow/cluster.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "test_support.h"

#include "forked_cluster.h"

enum { N = 20, HEAD_BYTES = 64, ENTRY_BYTES = 32 };

static const char ours[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char others[] = "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

typedef struct pairs {
    double value, square;
} pairs;

typedef struct work {
    size_t stop_at; /* tasks after which the run is stopped */
    atomic_size_t ran;
    int dying_rank, rank;
    struct timespec nap; /* how long a task takes */
    char path[512];
    ng_status status[RANKS_MAX];
    pairs record[2][N];
} work;

static ng_status square(void *context, size_t index, int worker, void *record, ng_error *err)
{
    work *w = context;
    pairs *out = record;
    (void)worker;
    (void)err;
    size_t before = atomic_fetch_add(&w->ran, 1);
    nanosleep(&w->nap, NULL);
    if (w->rank == w->dying_rank && before == 5) {
        raise(SIGKILL);
    }
    gsl_rng *rng = ng_random_open(9, index);
    out->value = gsl_rng_uniform(rng);
    out->square = out->value * out->value;
    ng_random_close(rng);
    return NG_OK;
}

static bool stop(void *context, const char *stage, size_t done, size_t total)
{
    const work *w = context;
    (void)stage;
    (void)done;
    (void)total;
    return atomic_load(&w->ran) < w->stop_at;
}

static char *scratch(char path[512], const char *name)
{
    const char *folder = getenv("NUCGROW_TEST_TMP");
    snprintf(path, 512, "%s/%s.partial", folder != NULL ? folder : "/tmp", name);
    unlink(path);
    return path;
}

static ng_status open_journal(const char *path, ng_journal **journal, ng_error *err)
{
    return ng_journal_open(&(ng_journal_options){.path = path, .fingerprint = ours}, journal, err);
}

/* Two loops of the same stage, as a program with several steps makes them. */
static ng_status run_loops(work *w, ng_journal *journal, ng_cluster *cluster, ng_error *err)
{
    ng_run run = ng_run_defaults();
    run.journal = journal;
    run.cluster = cluster;
    run.progress = stop;
    run.progress_context = w;
    ng_status status = NG_OK;
    for (int k = 0; status == NG_OK && k < 2; k++) {
        const ng_records records = {w->record[k], N, sizeof(pairs)};
        status = ng_parallel_records(&records, square, w, &run, "test", err);
    }
    return status;
}

static void work_begin(work *w, size_t stop_at)
{
    memset(w, 0, sizeof *w);
    w->stop_at = stop_at;
    w->dying_rank = -1;
}

/* A run that is stopped after some tasks, and what it leaves. */
static void leave_unfinished(const char *path, size_t tasks)
{
    work w;
    ng_journal *journal = NULL;
    work_begin(&w, tasks);
    assert_int_equal(open_journal(path, &journal, NULL), NG_OK);
    assert_int_equal(run_loops(&w, journal, NULL, NULL), tasks < 2 * N ? NG_CANCELLED : NG_OK);
    assert_int_equal(ng_journal_kept(journal), tasks);
    assert_null(ng_journal_trouble(journal));
    ng_journal_close(journal, false);
}

static void finish_and_compare(const char *path, size_t kept)
{
    work alone, w;
    ng_journal *journal = NULL;
    ng_error err = {.status = NG_OK};
    work_begin(&alone, SIZE_MAX);
    work_begin(&w, SIZE_MAX);
    assert_int_equal(run_loops(&alone, NULL, NULL, NULL), NG_OK);
    assert_int_equal(open_journal(path, &journal, &err), NG_OK);
    assert_int_equal(ng_journal_resumed(journal), kept);
    assert_int_equal(run_loops(&w, journal, NULL, NULL), NG_OK);
    assert_int_equal(w.ran, 2 * N - kept);
    assert_int_equal(ng_journal_kept(journal), 2 * N);
    assert_memory_equal(w.record, alone.record, sizeof w.record);
    ng_journal_close(journal, true);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_stopped_run_goes_on(void **state)
{
    (void)state;
    char path[512];
    const size_t after[] = {1, 7, N - 1, N + 1, 2 * N};
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        leave_unfinished(scratch(path, "journal_stopped"), after[i]);
        finish_and_compare(path, after[i]);
    }
}

/* ---- cut and damaged files --------------------------------------------------------------- */

static size_t read_file(const char *path, unsigned char *bytes, size_t room)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    size_t n = fread(bytes, 1, room, stream);
    fclose(stream);
    return n;
}

static void write_file(const char *path, const unsigned char *bytes, size_t n)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, n, stream), n);
    fclose(stream);
}

static void cut_anywhere_it_is_good_up_to_there(void **state)
{
    (void)state;
    char path[512];
    unsigned char bytes[1 << 14];
    const size_t each = ENTRY_BYTES + sizeof(pairs);
    leave_unfinished(scratch(path, "journal_cut"), N + 4);
    size_t length = read_file(path, bytes, sizeof bytes);
    assert_int_equal(length, HEAD_BYTES + (N + 4) * each);
    for (size_t cut = 0; cut <= length; cut++) {
        size_t kept = cut < HEAD_BYTES ? 0 : (cut - HEAD_BYTES) / each;
        write_file(path, bytes, cut);
        finish_and_compare(path, kept);
    }
}

static void damaged_anywhere_it_is_good_up_to_there(void **state)
{
    (void)state;
    char path[512];
    unsigned char bytes[1 << 14];
    const size_t each = ENTRY_BYTES + sizeof(pairs);
    leave_unfinished(scratch(path, "journal_damaged"), N + 4);
    size_t length = read_file(path, bytes, sizeof bytes);
    for (size_t at = HEAD_BYTES; at < length; at++) {
        bytes[at] ^= 0x10;
        write_file(path, bytes, length);
        finish_and_compare(path, (at - HEAD_BYTES) / each);
        bytes[at] ^= 0x10;
    }
    for (size_t at = 0; at < HEAD_BYTES; at++) {
        ng_journal *journal = NULL;
        bytes[at] ^= 0x10;
        write_file(path, bytes, length);
        assert_int_equal(open_journal(path, &journal, NULL), NG_EXISTS);
        bytes[at] ^= 0x10;
    }
}

/* ---- other files -------------------------------------------------------------------------- */

static void the_journal_of_another_run_is_refused(void **state)
{
    (void)state;
    char path[512];
    ng_journal *journal = NULL;
    ng_error err = {.status = NG_OK};
    ng_journal_options options = {.path = scratch(path, "journal_others"), .fingerprint = others};
    leave_unfinished(path, 7);
    assert_int_equal(ng_journal_open(&options, &journal, &err), NG_EXISTS);
    assert_null(journal);
    assert_non_null(strstr(err.message, "of another run"));
    finish_and_compare(path, 7);
    leave_unfinished(path, 7);
    options.force = true;
    assert_int_equal(ng_journal_open(&options, &journal, &err), NG_OK);
    assert_int_equal(ng_journal_resumed(journal), 0);
    ng_journal_close(journal, true);
}

static void a_file_that_is_no_journal_is_left_alone(void **state)
{
    (void)state;
    char path[512];
    unsigned char text[] = "track,frame,radius_nm\n1,1,2.5\n", after[64];
    ng_journal *journal = NULL;
    ng_error err = {.status = NG_OK};
    ng_journal_options options = {.path = scratch(path, "journal_none"), .fingerprint = ours,
                                  .force = true};
    write_file(path, text, sizeof text - 1);
    assert_int_equal(ng_journal_open(&options, &journal, &err), NG_EXISTS);
    assert_non_null(strstr(err.message, "is no journal"));
    assert_int_equal(read_file(path, after, sizeof after), sizeof text - 1);
    assert_memory_equal(text, after, sizeof text - 1);
    options.path = "/dev/null";
    assert_int_equal(ng_journal_open(&options, &journal, &err), NG_EXISTS);
    options.path = "no/such/folder/x.partial";
    assert_int_equal(ng_journal_open(&options, &journal, &err), NG_OK);
    assert_non_null(strstr(ng_journal_trouble(journal), "no/such/folder"));
    ng_journal_close(journal, true);
}

static void a_journal_in_use_is_refused(void **state)
{
    (void)state;
    char path[512];
    int code = 0;
    ng_journal *journal = NULL;
    assert_int_equal(open_journal(scratch(path, "journal_busy"), &journal, NULL), NG_OK);
    pid_t child = fork();
    if (child == 0) {
        ng_error err = {.status = NG_OK};
        ng_journal *second = NULL;
        bool refused = open_journal(path, &second, &err) == NG_EXISTS &&
                       strstr(err.message, "is in use") != NULL;
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    ng_journal_close(journal, true);
}

static void a_short_run_leaves_no_file(void **state)
{
    (void)state;
    char path[512];
    work w;
    ng_journal *journal = NULL;
    const ng_journal_options options = {
        .path = scratch(path, "journal_short"), .fingerprint = ours, .delay_s = 3600};
    work_begin(&w, 7);
    assert_int_equal(ng_journal_open(&options, &journal, NULL), NG_OK);
    assert_int_equal(run_loops(&w, journal, NULL, NULL), NG_CANCELLED);
    assert_int_equal(ng_journal_kept(journal), 0);
    ng_journal_close(journal, false);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* What a run keeps in memory before it is long is in the file when it is. */
static void a_run_that_becomes_long_keeps_all(void **state)
{
    (void)state;
    char path[512];
    work w;
    ng_journal *journal = NULL;
    const ng_journal_options options = {
        .path = scratch(path, "journal_long"), .fingerprint = ours, .delay_s = 0.05};
    const struct timespec nap = {.tv_nsec = 60000000};
    work_begin(&w, 6);
    assert_int_equal(ng_journal_open(&options, &journal, NULL), NG_OK);
    assert_int_equal(run_loops(&w, journal, NULL, NULL), NG_CANCELLED);
    ng_journal_close(journal, true);
    assert_int_equal(ng_journal_open(&options, &journal, NULL), NG_OK);
    const ng_records records = {w.record[0], 6, sizeof(pairs)};
    ng_run run = ng_run_defaults();
    run.journal = journal;
    assert_int_equal(ng_parallel_records(&records, square, &w, &run, "first", NULL), NG_OK);
    assert_int_equal(ng_journal_kept(journal), 0);
    nanosleep(&nap, NULL);
    assert_int_equal(ng_parallel_records(&records, square, &w, &run, "second", NULL), NG_OK);
    assert_int_equal(ng_journal_kept(journal), 12);
    ng_journal_close(journal, false);
    assert_int_equal(open_journal(path, &journal, NULL), NG_OK);
    assert_int_equal(ng_journal_resumed(journal), 12);
    ng_journal_close(journal, true);
}

/* ---- with several processes --------------------------------------------------------------- */

static int rank_with_journal(ng_cluster *cluster, void *context)
{
    work *w = context;
    ng_journal *journal = NULL;
    ng_error err = {.status = NG_OK};
    static work mine;
    mine = *w;
    mine.rank = ng_cluster_rank(cluster);
    bool keeps = mine.rank == 0 && w->path[0] != '\0';
    ng_status status = keeps ? open_journal(w->path, &journal, &err) : NG_OK;
    status = status == NG_OK ? run_loops(&mine, journal, cluster, &err) : status;
    status = ng_cluster_agree(cluster, status, &err);
    w->status[mine.rank] = status;
    atomic_fetch_add(&w->ran, mine.ran);
    if (mine.rank == ng_cluster_size(cluster) - 1) {
        memcpy(w->record, mine.record, sizeof w->record);
    }
    ng_journal_close(journal, false);
    return 0;
}

/* Run the loops on forked ranks; all processes that use OpenMP are children, because not every
 * OpenMP library outlives a fork. */
static void run_forked(int size, work *w, ng_status expected)
{
    int code[RANKS_MAX];
    atomic_store(&w->ran, 0);
    memset(w->record, 0, sizeof w->record);
    forked_cluster_run(size, rank_with_journal, w, code);
    assert_int_equal(w->status[0], expected);
    assert_int_equal(code[size - 1], expected == NG_OK ? 0 : -SIGKILL);
}

static void ranks_go_on_after_one_died(void **state)
{
    (void)state;
    pairs alone[2][N];
    work *w = forked_shared(sizeof *w);
    work_begin(w, SIZE_MAX);
    run_forked(1, w, NG_OK);
    memcpy(alone, w->record, sizeof alone);
    scratch(w->path, "journal_ranks");
    w->dying_rank = 1;
    w->nap.tv_nsec = 3000000;
    run_forked(2, w, NG_IO);
    w->dying_rank = -1;
    run_forked(3, w, NG_OK);
    assert_in_range(w->ran, N, 2 * N - 5);
    assert_memory_equal(w->record, alone, sizeof alone);
    run_forked(1, w, NG_OK);
    assert_int_equal(w->ran, 0);
    assert_memory_equal(w->record, alone, sizeof alone);
    munmap(w, sizeof *w);
}

/* A limit on the size of files acts like a disk that is full after that many bytes. */
static int rank_on_a_full_disk(ng_cluster *cluster, void *context)
{
    work *w = context;
    ng_journal *journal = NULL;
    (void)cluster;
    if (run_loops(w, NULL, NULL, NULL) != NG_OK) {
        return 2;
    }
    atomic_store(&w->ran, 0);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){500, 500});
    bool good = open_journal(w->path, &journal, NULL) == NG_OK &&
                run_loops(w, journal, NULL, NULL) == NG_OK && w->ran == 2 * N &&
                ng_journal_trouble(journal) != NULL;
    ng_journal_close(journal, false);
    return good ? 0 : 1;
}

static void a_full_disk_ends_the_journal_and_not_the_run(void **state)
{
    (void)state;
    int code[RANKS_MAX];
    work *w = forked_shared(sizeof *w);
    work_begin(w, SIZE_MAX);
    scratch(w->path, "journal_full");
    forked_cluster_run(1, rank_on_a_full_disk, w, code);
    assert_int_equal(code[0], 0);
    run_forked(1, w, NG_OK);
    assert_int_equal(w->ran, 2 * N - (500 - HEAD_BYTES) / (ENTRY_BYTES + sizeof(pairs)));
    munmap(w, sizeof *w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_go_on_after_one_died),
        cmocka_unit_test(a_full_disk_ends_the_journal_and_not_the_run),
        cmocka_unit_test(a_stopped_run_goes_on),
        cmocka_unit_test(cut_anywhere_it_is_good_up_to_there),
        cmocka_unit_test(damaged_anywhere_it_is_good_up_to_there),
        cmocka_unit_test(the_journal_of_another_run_is_refused),
        cmocka_unit_test(a_file_that_is_no_journal_is_left_alone),
        cmocka_unit_test(a_journal_in_use_is_refused),
        cmocka_unit_test(a_short_run_leaves_no_file),
        cmocka_unit_test(a_run_that_becomes_long_keeps_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
