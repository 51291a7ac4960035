/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Broken movies, each with the exact message that it must give: tests/data/broken-movies holds the
 * files, and expected.txt beside them what is wrong with each. All end the program with exit code
 * 3. */
#include "movie_test.h"

#define CASES NUCGROW_SOURCE_DIR "/tests/data/broken-movies/"
enum { N_CASES = 44 };

/* Cut `text` at the next tab or line end; returns what follows. */
static char *cut(char *text)
{
    const size_t n = strcspn(text, "\t\n");
    const bool more = text[n] != '\0';
    text[n] = '\0';
    return more ? text + n + 1 : text + n;
}

/* Read to the first failure. */
static ng_status read_all(ng_movie *movie, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(movie);
    float *pixel = calloc(info->width * info->height + 1, sizeof *pixel);
    ng_status status = NG_OK;
    for (size_t i = 0; i < info->frames && status == NG_OK; i++) {
        status = ng_movie_read(movie, i, pixel, err);
        assert_true(status == NG_OK || i <= info->readable);
    }
    free(pixel);
    return status;
}

static void check_case(const char *file, const char *wrong, const char *status,
                       const char *expected)
{
    char path[4096];
    ng_movie *movie = NULL;
    ng_error err = {.status = NG_OK};
    snprintf(path, sizeof path, CASES "%s", file);
    ng_status got = ng_movie_open(path, NULL, &movie, NULL, &err);
    got = got == NG_OK ? read_all(movie, &err) : got;
    ng_movie_close(movie);
    const char *message = err.message + strlen(path) + 2;
    const size_t length = strlen(expected), open_end = length > 3 ? length - 3 : 0;
    const bool goes_on = strcmp(expected + open_end, "...") == 0;
    const bool same =
        strncmp(err.message, path, strlen(path)) == 0 &&
        (goes_on ? strncmp(message, expected, open_end) == 0 : strcmp(message, expected) == 0);
    if (!same || strcmp(ng_status_name(got), status) != 0) {
        fail_msg("%s (%s) must give\n%s: %s\nand gives\n%s: %s", file, wrong, status, expected,
                 ng_status_name(got), err.message);
    }
    assert_int_equal(ng_status_exit_code(got), 3);
}

static void every_broken_movie_gives_its_message(void **state)
{
    (void)state;
    FILE *list = fopen(CASES "expected.txt", "r");
    char line[2048];
    size_t n = 0;
    assert_non_null(list);
    while (fgets(line, sizeof line, list) != NULL) {
        if (line[0] != '#') {
            char *wrong = cut(line), *status = cut(wrong), *message = cut(status);
            cut(message);
            check_case(line, wrong, status, message);
            n++;
        }
    }
    fclose(list);
    print_message("%zu broken movies\n", n);
    assert_int_equal(n, N_CASES);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    opened o = open_with("/nowhere/movie.tif", NULL);
    assert_int_equal(o.status, NG_IO);
    assert_string_equal(o.err.message, "/nowhere/movie.tif: cannot be read (No such file or "
                                       "directory); check the name");
    close_opened(&o);
    o = open_with("/dev/null", NULL);
    assert_int_equal(o.status, NG_IO);
    close_opened(&o);
}

/* No allocation may fail without a word, or leave anything behind (the sanitizers look). */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const files[] = {"mixed-sizes.tif", "imagej-cut.tif", "ome-absurd.tif",
                                        "cut.mrc", "small.dm3"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[4096];
        bool failed = true;
        snprintf(path, sizeof path, CASES "%s", files[i]);
        for (size_t k = 1; failed && k < 1000; k++) {
            ng_error err = {.status = NG_OK};
            ng_movie *movie = NULL;
            ng_alloc_fail_after(k);
            ng_status status = ng_movie_open(path, NULL, &movie, NULL, &err);
            status = status == NG_OK ? read_all(movie, &err) : status;
            ng_alloc_fail_after(0);
            ng_movie_close(movie);
            failed = status == NG_MEMORY;
        }
        assert_false(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_movie_gives_its_message),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(every_allocation_may_fail),
    };
    ng_movie_hush_video();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
