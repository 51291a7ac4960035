/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <nucgrow/base.h>

#include "test_support.h"

static void a_real_is_the_whole_text(void **state)
{
    (void)state;
    double x = 7.0;
    assert_true(ng_parse_real("-1.35", &x));
    assert_true(x == -1.35);
    assert_true(ng_parse_real(" 1e3 ", &x));
    assert_true(x == 1000.0);
    assert_true(ng_parse_real("nan", &x));
    assert_true(isnan(x));
    assert_true(ng_parse_real("1e-320", &x));
    assert_true(x > 0.0);
    x = 7.0;
    assert_false(ng_parse_real("", &x));
    assert_false(ng_parse_real("1.5nm", &x));
    assert_false(ng_parse_real("1,5", &x));
    assert_false(ng_parse_real("1e999", &x));
    assert_true(x == 7.0);
}

static void an_integer_is_the_whole_text(void **state)
{
    (void)state;
    long x = 7;
    assert_true(ng_parse_int("-12", &x));
    assert_int_equal(x, -12);
    x = 7;
    assert_false(ng_parse_int("1.5", &x));
    assert_false(ng_parse_int("", &x));
    assert_false(ng_parse_int("99999999999999999999", &x));
    assert_int_equal(x, 7);
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    const char *const names[] = {"ensemble", "potential", "report", "fit growth"};
    assert_string_equal(ng_nearest_name("ensembel", names, 4), "ensemble");
    assert_string_equal(ng_nearest_name("fit-growth", names, 4), "fit growth");
    assert_string_equal(ng_nearest_name("repor", names, 4), "report");
    assert_null(ng_nearest_name("xyz", names, 4));
    assert_null(ng_nearest_name("completely-different", names, 4));
    assert_null(ng_nearest_name("report", names, 0));
}

static void assert_wrapped(const char *text, size_t column, size_t indent, const char *expected)
{
    char *printed = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&printed, &length);
    ng_text_wrap(stream, text, column, indent);
    fclose(stream);
    assert_string_equal(printed, expected);
    free(printed);
}

static void words_are_wrapped_at_80_columns(void **state)
{
    (void)state;
    assert_wrapped("one two", 0, 0, "one two\n");
    assert_wrapped("one\n\ntwo", 0, 0, "one\n\ntwo\n");
    assert_wrapped("one two", 3, 5, "  one two\n");
    assert_wrapped("one two", 74, 2, " one\n  two\n");
    assert_wrapped("one two", 72, 2, " one two\n");
    assert_wrapped("", 0, 0, "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_is_the_whole_text),
        cmocka_unit_test(an_integer_is_the_whole_text),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(words_are_wrapped_at_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
