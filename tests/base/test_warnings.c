/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <jansson.h>
#include <nucgrow/base.h>

#include "test_support.h"

static void a_warning_is_kept_once(void **state)
{
    (void)state;
    ng_warnings list = {0};
    ng_warnings_add(&list, "rows-dropped", "%d rows were dropped", 3);
    ng_warnings_add(&list, "rows-dropped", "%d rows were dropped", 3);
    ng_warnings_add(&list, "rows-dropped", "%d rows were dropped", 4);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.item[0].name, "rows-dropped");
    assert_string_equal(list.item[1].text, "4 rows were dropped");
    ng_warnings_free(&list);
    assert_null(list.item);
    ng_warnings_add(NULL, "x", "nothing happens");
}

static void lists_are_joined_without_repeats(void **state)
{
    (void)state;
    ng_warnings a = {0};
    ng_warnings b = {0};
    ng_warnings_add(&a, "one", "1");
    ng_warnings_add(&b, "one", "1");
    ng_warnings_add(&b, "two", "2");
    ng_warnings_append(&a, &b);
    ng_warnings_append(&a, &a);
    ng_warnings_append(&a, NULL);
    assert_int_equal(a.n, 2);
    assert_string_equal(a.item[1].name, "two");
    ng_warnings_free(&a);
    ng_warnings_free(&b);
}

static void json_has_names_and_texts(void **state)
{
    (void)state;
    ng_warnings list = {0};
    ng_warnings_add(&list, "weak-data", "only %d particles", 7);
    json_t *array = ng_warnings_json(&list);
    assert_int_equal(json_array_size(array), 1);
    json_t *item = json_array_get(array, 0);
    assert_string_equal(json_string_value(json_object_get(item, "name")), "weak-data");
    assert_string_equal(json_string_value(json_object_get(item, "text")), "only 7 particles");
    json_decref(array);
    ng_warnings_free(&list);
    array = ng_warnings_json(NULL);
    assert_int_equal(json_array_size(array), 0);
    json_decref(array);
}

static void without_memory_a_warning_is_lost_and_nothing_else(void **state)
{
    (void)state;
    ng_warnings list = {0};
    ng_warnings_add(&list, "one", "1");
    ng_alloc_fail_after(1);
    ng_warnings_add(&list, "two", "2");
    ng_alloc_fail_after(0);
    assert_int_equal(list.n, 1);
    ng_warnings_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_is_kept_once),
        cmocka_unit_test(lists_are_joined_without_repeats),
        cmocka_unit_test(json_has_names_and_texts),
        cmocka_unit_test(without_memory_a_warning_is_lost_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
