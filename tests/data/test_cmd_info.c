/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `nucgrow info --json`: what programs read. What people read is in tests/cli/cases/info_*. */
#include <jansson.h>
#include <sys/wait.h>

#include "data_test.h"

/* Run the program; *result is NULL where it printed no JSON. Returns its exit code. */
static int call(const char *file, json_t **result)
{
    char command[8192];
    snprintf(command, sizeof command, "'%s' info --json '%s' 2>/dev/null", NUCGROW_PROGRAM, file);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    *result = json_loadf(pipe, 0, NULL);
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "(none)";
}

static void a_table_is_described_for_programs(void **state)
{
    (void)state;
    json_t *result = NULL;
    const char *path = test_written("t.csv", "track,frame,area_px\n1,0,4\n1,1,6\n1,3,-6\n");
    assert_int_equal(call(path, &result), 0);
    unlink(path);
    assert_string_equal(text_at(result, "schema"), "nucgrow/info/1");
    assert_non_null(json_object_get(result, "provenance"));
    json_t *file = json_array_get(json_object_get(result, "files"), 0);
    assert_string_equal(text_at(file, "kind"), "tracks");
    assert_int_equal(json_integer_value(json_object_get(file, "rows")), 3);
    assert_int_equal(json_integer_value(json_object_get(file, "tracks")), 1);
    assert_int_equal(json_integer_value(json_object_get(file, "frames")), 2);
    assert_true(json_is_null(json_object_get(file, "time_first_s")));
    assert_true(json_is_false(json_object_get(file, "readable")));
    json_t *size = json_object_get(file, "size");
    assert_string_equal(text_at(size, "column"), "area_px");
    assert_string_equal(text_at(size, "unit"), "px^2");
    assert_close(json_number_value(json_object_get(size, "median")), 5.0, 0.0);
    json_t *missing = json_object_get(file, "missing");
    assert_int_equal(json_array_size(missing), 2);
    assert_string_equal(text_at(json_array_get(missing, 0), "flag"), "pixel-nm");
    assert_string_equal(text_at(json_array_get(missing, 1), "flag"), "frame-s");
    assert_non_null(strstr(text_at(file, "next"), "--skip-invalid"));
    json_decref(result);
}

/* A picture in colours: one of them is a matter of --channel. */
static void a_movie_is_described_for_programs(void **state)
{
    (void)state;
    static const unsigned char rgb[3 * 4];
    json_t *result = NULL;
    const char *path = test_output("c.png");
    assert_int_equal(ng_png_write(path, rgb, 2, 2, false, NULL), NG_OK);
    assert_int_equal(call(path, &result), 0);
    unlink(path);
    json_t *file = json_array_get(json_object_get(result, "files"), 0);
    json_t *movie = json_object_get(file, "movie");
    assert_string_equal(text_at(file, "kind"), "image");
    assert_string_equal(text_at(movie, "format"), "png");
    assert_int_equal(json_integer_value(json_object_get(movie, "width")), 2);
    assert_int_equal(json_integer_value(json_object_get(movie, "channels")), 3);
    assert_int_equal(json_integer_value(json_object_get(movie, "readable_frames")), 1);
    assert_true(json_is_null(json_object_get(movie, "pixel_nm")));
    json_t *missing = json_object_get(file, "missing");
    assert_int_equal(json_array_size(missing), 2);
    assert_string_equal(text_at(json_array_get(missing, 1), "flag"), "channel");
    assert_non_null(strstr(text_at(file, "next"), "nucgrow detect"));
    json_decref(result);
}

static void a_file_without_sense_prints_no_json(void **state)
{
    (void)state;
    json_t *result = NULL;
    const char *path = test_written("t.bin", "words\n");
    assert_int_equal(call(path, &result), 3);
    assert_null(result);
    unlink(path);
    assert_int_equal(call("no/such/file", &result), 3);
    assert_null(result);
    assert_int_equal(call("/", &result), 3);
    assert_null(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_described_for_programs),
        cmocka_unit_test(a_movie_is_described_for_programs),
        cmocka_unit_test(a_file_without_sense_prints_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
