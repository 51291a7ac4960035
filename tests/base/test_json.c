/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <jansson.h>
#include <math.h>
#include <nucgrow/base.h>
#include <string.h>

#include "test_support.h"

static char path[4096];

static void assert_written(json_t *value, const char *expected)
{
    snprintf(path, sizeof path, "%s", test_output("value.json"));
    assert_int_equal(ng_json_write(value, path, false, NULL), NG_OK);
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(ng_file_read(path, 1 << 20, &text, &length, NULL), NG_OK);
    assert_string_equal(text, expected);
    ng_free(text);
}

static void pages_are_readable(void **state)
{
    (void)state;
    json_t *value =
        json_pack("{s:s, s:{s:[f,f,n], s:[]}, s:[{s:i},{s:b}], s:{}}", "z", "a\"b\n", "series",
                  "time_s", 0.1, 2.0, "empty", "list", "k", 3, "ok", 1, "none");
    assert_written(value, "{\n"
                          "  \"z\": \"a\\\"b\\n\",\n"
                          "  \"series\": {\n"
                          "    \"time_s\": [0.1, 2.0, null],\n"
                          "    \"empty\": []\n"
                          "  },\n"
                          "  \"list\": [\n"
                          "    {\n"
                          "      \"k\": 3\n"
                          "    },\n"
                          "    {\n"
                          "      \"ok\": true\n"
                          "    }\n"
                          "  ],\n"
                          "  \"none\": {}\n"
                          "}\n");
    json_decref(value);
    unlink(path);
}

static void numbers_come_back_bit_for_bit(void **state)
{
    (void)state;
    const double x[] = {0.1,         1.0 / 3.0, 1e300,           5e-324, -0.0,
                        123456789.0, 2.5e-10,   4.0 * atan(1.0), 1e15,   1e17};
    const size_t n = sizeof x / sizeof x[0];
    json_t *value = ng_json_reals(x, n);
    snprintf(path, sizeof path, "%s", test_output("reals.json"));
    assert_int_equal(ng_json_write(value, path, false, NULL), NG_OK);
    json_decref(value);
    assert_int_equal(ng_json_read(path, &value, NULL), NG_OK);
    assert_int_equal(json_array_size(value), n);
    for (size_t i = 0; i < n; i++) {
        json_t *item = json_array_get(value, i);
        assert_true(json_is_real(item));
        double back = json_real_value(item);
        assert_memory_equal(&back, &x[i], sizeof back);
    }
    json_decref(value);
    unlink(path);
}

static void what_is_not_finite_is_null(void **state)
{
    (void)state;
    json_t *value = ng_json_real(NAN);
    assert_true(json_is_null(value));
    json_decref(value);
    const double x[] = {INFINITY, 1.0};
    value = ng_json_reals(x, 2);
    assert_true(json_is_null(json_array_get(value, 0)));
    assert_true(json_is_real(json_array_get(value, 1)));
    json_decref(value);
}

static void broken_json_is_named_with_its_line(void **state)
{
    (void)state;
    static const char *const broken[] = {"{\"a\": 1,\n \"b\": }", "", "{\"a\":1} x",
                                         "{\"a\":1, \"a\":2}"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        snprintf(path, sizeof path, "%s", test_written("broken.json", broken[i]));
        json_t *value = NULL;
        ng_error err = {.status = NG_OK};
        assert_int_equal(ng_json_read(path, &value, &err), NG_FORMAT);
        assert_null(value);
        assert_non_null(strstr(err.message, i == 0 ? "broken.json:2: " : "broken.json:"));
        unlink(path);
    }
    json_t *value = NULL;
    assert_int_equal(ng_json_read("/nowhere.json", &value, NULL), NG_IO);
    assert_int_equal(ng_json_write(NULL, path, true, NULL), NG_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_readable),
        cmocka_unit_test(numbers_come_back_bit_for_bit),
        cmocka_unit_test(what_is_not_finite_is_null),
        cmocka_unit_test(broken_json_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
