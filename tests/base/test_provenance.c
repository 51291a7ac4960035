/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <jansson.h>
#include <nucgrow/base.h>
#include <string.h>

#include "test_support.h"

static const char *text_of(const json_t *block, const char *key)
{
    return json_string_value(json_object_get(block, key));
}

static ng_provenance *example(void)
{
    char words[][32] = {"nucgrow", "potential", "--material", "Pt", "it's here.csv", ""};
    char *argv[6];
    for (int i = 0; i < 6; i++) {
        argv[i] = words[i];
    }
    return ng_provenance_create("potential", 6, argv);
}

static void the_block_tells_where_a_result_came_from(void **state)
{
    (void)state;
    ng_provenance *p = example();
    char path[4096];
    snprintf(path, sizeof path, "%s", test_written("input.csv", "abc"));
    assert_int_equal(ng_provenance_input(p, path, NULL), NG_OK);
    ng_provenance_reference(p, "A paper");
    ng_provenance_reference(p, "A paper");
    ng_run run = ng_run_defaults();
    run.seed = 42;
    json_t *block = ng_provenance_json(p, NULL, &run, NULL);
    assert_string_equal(text_of(block, "version"), ng_version());
    assert_string_equal(text_of(block, "verb"), "potential");
    assert_string_equal(text_of(block, "command"),
                        "nucgrow potential --material Pt 'it'\\''s here.csv' ''");
    assert_int_equal(json_integer_value(json_object_get(block, "seed")), 42);
    json_t *input = json_array_get(json_object_get(block, "inputs"), 0);
    assert_string_equal(text_of(input, "name"), path);
    assert_int_equal(json_integer_value(json_object_get(input, "bytes")), 3);
    assert_memory_equal(text_of(input, "sha256"), "ba7816bf", 8);
    assert_int_equal(json_array_size(json_object_get(block, "references")), 1);
    assert_true(json_real_value(json_object_get(block, "wall_s")) >= 0.0);
    assert_true(json_real_value(json_object_get(block, "peak_memory_MB")) > 0.0);
    json_decref(block);
    ng_provenance_destroy(p);
    unlink(path);
}

static void a_fixed_date_makes_blocks_equal(void **state)
{
    (void)state;
    setenv("SOURCE_DATE_EPOCH", "0", 1);
    ng_provenance *p = example();
    json_t *a = ng_provenance_json(p, NULL, NULL, NULL);
    ng_provenance *q = example();
    json_t *b = ng_provenance_json(q, NULL, NULL, NULL);
    assert_true(json_equal(a, b));
    assert_string_equal(text_of(a, "started_utc"), "1970-01-01T00:00:00Z");
    json_decref(a);
    json_decref(b);
    ng_provenance_destroy(p);
    ng_provenance_destroy(q);
    unsetenv("SOURCE_DATE_EPOCH");
}

static void a_missing_input_is_an_error(void **state)
{
    (void)state;
    ng_provenance *p = example();
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_provenance_input(p, "/nowhere.csv", &err), NG_IO);
    assert_non_null(strstr(err.message, "/nowhere.csv"));
    ng_provenance_destroy(p);
    ng_provenance_destroy(NULL);
}

static void the_build_is_described(void **state)
{
    (void)state;
    assert_non_null(strstr(ng_build_info(), "compiler: "));
    assert_non_null(strstr(ng_build_info(), "gsl "));
    assert_non_null(strstr(ng_build_info(), "-ffp-contract=off"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_tells_where_a_result_came_from),
        cmocka_unit_test(a_fixed_date_makes_blocks_equal),
        cmocka_unit_test(a_missing_input_is_an_error),
        cmocka_unit_test(the_build_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
