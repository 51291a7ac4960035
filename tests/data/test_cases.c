/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small broken files, each with the exact message that it must give
 * (tests/data/cases/expected.txt). */
#include "data_test.h"

#define CASES NUCGROW_SOURCE_DIR "/tests/data/cases/"

/* Cut `text` at the next tab or line end; returns what follows. */
static char *cut(char *text)
{
    size_t n = strcspn(text, "\t\n");
    bool more = text[n] != '\0';
    text[n] = '\0';
    return more ? text + n + 1 : text + n;
}

static void check_case(const char *file, const char *flags, const char *status,
                       const char *message)
{
    char path[4096];
    char *text = NULL;
    size_t length = 0;
    ng_error err = {.status = NG_OK};
    snprintf(path, sizeof path, CASES "%s", file);
    assert_int_equal(ng_file_read(path, 1 << 20, &text, &length, &err), NG_OK);
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = strcmp(flags, "-") != 0 ? 0.5 : (double)NAN;
    options.frame_s = strcmp(flags, "frame-s") == 0 ? 1.0 : (double)NAN;
    ng_tracks tracks;
    ng_status got = ng_tracks_parse(text, length, file, &options, &tracks, NULL, &err);
    if (strcmp(ng_status_name(got), status) != 0 || strcmp(err.message, message) != 0) {
        fail_msg("%s\nmust give %s: %s\ngives     %s: %s", file, status, message,
                 ng_status_name(got), err.message);
    }
    assert_int_equal(ng_status_exit_code(got), 3);
    assert_null(tracks.point);
    assert_null(tracks.track);
    ng_free(text);
}

static void every_broken_file_gives_its_message(void **state)
{
    (void)state;
    FILE *list = fopen(CASES "expected.txt", "r");
    assert_non_null(list);
    char line[2048];
    size_t n = 0;
    while (fgets(line, sizeof line, list) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        char *flags = cut(line);
        char *status = cut(flags);
        char *message = cut(status);
        cut(message);
        check_case(line, flags, status, message);
        n++;
    }
    fclose(list);
    print_message("%zu broken files\n", n);
    assert_true(n > 70);
}

/* info never stops at a broken file, and says what reading would say. */
static void info_describes_every_broken_file(void **state)
{
    (void)state;
    FILE *list = fopen(CASES "expected.txt", "r");
    assert_non_null(list);
    char line[2048];
    while (fgets(line, sizeof line, list) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        cut(line);
        char path[4096];
        snprintf(path, sizeof path, CASES "%s", line);
        ng_file_info info;
        ng_error err;
        assert_int_equal(ng_file_inspect(path, &info, &err), NG_OK);
        assert_true(info.what[0] != '\0');
        assert_true(info.problems.n + info.missing.n > 0 || info.kind == NG_KIND_RESULT ||
                    info.kind == NG_KIND_EVENTS || strcmp(line, "another-interval.csv") == 0);
        ng_file_info_free(&info);
    }
    fclose(list);
}

/* The examples of docs/tables.md: blocks between ```csv and ```. */
static void the_examples_of_the_manual_are_read(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    ng_error err = {.status = NG_OK};
    assert_int_equal(
        ng_file_read(NUCGROW_SOURCE_DIR "/docs/tables.md", 1 << 20, &text, &length, &err), NG_OK);
    size_t n = 0;
    for (char *at = strstr(text, "```csv\n"); at != NULL; at = strstr(at, "```csv\n")) {
        at += strlen("```csv\n");
        char *end = strstr(at, "```");
        assert_non_null(end);
        *end = '\0';
        reading r = read_good(at);
        assert_int_equal(r.tracks.n_points, 3);
        reading_free(&r);
        at = end + 1;
        n++;
    }
    assert_int_equal(n, 2);
    ng_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_file_gives_its_message),
        cmocka_unit_test(info_describes_every_broken_file),
        cmocka_unit_test(the_examples_of_the_manual_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
