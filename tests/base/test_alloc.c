/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>
#include <string.h>

#include "test_support.h"

static void memory_is_zero_and_never_null_for_nothing(void **state)
{
    (void)state;
    double *x = NG_NEW(double, 100);
    assert_non_null(x);
    for (size_t i = 0; i < 100; i++) {
        assert_true(x[i] == 0.0);
    }
    ng_free(x);
    void *nothing = ng_alloc(0, 8);
    assert_non_null(nothing);
    ng_free(nothing);
    ng_free(NULL);
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    assert_null(ng_alloc(SIZE_MAX / 2, 3));
    char *text = ng_text_copy("kept");
    assert_null(ng_realloc(text, SIZE_MAX / 2, 3));
    assert_string_equal(text, "kept");
    ng_free(text);
}

static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    ng_alloc_fail_after(2);
    void *first = ng_alloc(1, 1);
    void *second = ng_alloc(1, 1);
    void *third = ng_alloc(1, 1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    ng_free(first);
    ng_free(third);
    ng_alloc_fail_after(0);
}

/* One whole path through options and YAML, with each allocation failing in turn: every failure is
 * NG_MEMORY, and the sanitizers see that nothing leaks. */
static ng_status use_options(const char *path, ng_error *err)
{
    struct {
        const char *text;
        ng_text_list list;
    } target;
    const ng_option table[] = {
        {.name = "text", .type = NG_OPTION_TEXT, .offset = 0, .initial = "first", .doc = "."},
        {.name = "list",
         .type = NG_OPTION_LIST,
         .value = "FILE[,FILE]",
         .doc = ".",
         .offset = (size_t)((char *)&target.list - (char *)&target)},
    };
    ng_text_list files = {0};
    ng_options *set = ng_options_create();
    ng_status status = set == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory")
                                   : ng_options_add(set, table, 2, &target, err);
    if (status == NG_OK) {
        status = ng_options_yaml(set, path, "verb", &files, err);
    }
    ng_text_list_free(&files);
    ng_options_destroy(set);
    return status;
}

static void every_failed_allocation_ends_cleanly(void **state)
{
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%s",
             test_written("alloc.yaml", "verb:\n  files: [a, b]\n  text: x\n  list: [c, d]\n"));
    ng_status status = NG_MEMORY;
    size_t k = 0;
    while (status != NG_OK && k < 1000) {
        ng_error err = {.status = NG_OK};
        ng_alloc_fail_after(++k);
        status = use_options(path, &err);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
        assert_int_equal(err.status, status);
    }
    assert_int_equal(status, NG_OK);
    assert_true(k > 10);
    unlink(path);
}

static void texts_are_copied_and_formatted(void **state)
{
    (void)state;
    char *text = ng_text_format("%s-%03d", "track", 7);
    assert_string_equal(text, "track-007");
    ng_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zero_and_never_null_for_nothing),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(the_nth_allocation_fails_once),
        cmocka_unit_test(every_failed_allocation_ends_cleanly),
        cmocka_unit_test(texts_are_copied_and_formatted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
