/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of time: values, exact integrals, kinks, refusals. */
#include <nucgrow/solve.h>

#include "test_support.h"

#include <math.h>
#include <string.h>

static const double knot_s[] = {1, 2, 4}, knot[] = {3, 5, 1};

static double square(const void *context, double time_s)
{
    return *(const double *)context * time_s * time_s;
}

static void values(void **state)
{
    (void)state;
    const double two = 2.0;
    const ng_time_law constant = ng_law_constant(2.5), decay = ng_law_decay(8.0, 0.5);
    const ng_time_law ramp = ng_law_ramp(1.0, 3.0, 10.0, 20.0);
    const ng_time_law table = ng_law_table(knot_s, knot, 3), function = ng_law_from(square, &two);
    assert_close(ng_law_value(&constant, 1e9), 2.5, 0);
    assert_close(ng_law_value(&decay, -1), 8, 0);
    assert_close(ng_law_value(&decay, 2), 8 * exp(-1.0), 1e-15);
    assert_close(ng_law_value(&ramp, 9), 1, 0);
    assert_close(ng_law_value(&ramp, 15), 2, 0);
    assert_close(ng_law_value(&ramp, 21), 3, 0);
    assert_close(ng_law_value(&table, 0), 3, 0);
    assert_close(ng_law_value(&table, 1.5), 4, 0);
    assert_close(ng_law_value(&table, 3.5), 2, 0);
    assert_close(ng_law_value(&table, 5), 1, 0);
    assert_close(ng_law_value(&function, 3), 18, 0);
}

/* By hand; 1e-14: a few roundings. */
static void integrals(void **state)
{
    (void)state;
    const ng_time_law constant = ng_law_constant(2.5), decay = ng_law_decay(8.0, 0.5);
    const ng_time_law ramp = ng_law_ramp(1.0, 3.0, 10.0, 20.0);
    const ng_time_law table = ng_law_table(knot_s, knot, 3);
    const ng_time_law none = {.kind = NG_LAW_CONSTANT}, function = ng_law_from(square, knot);
    assert_close(ng_law_integral(&none, 0, 100), 0, 0);
    assert_close(ng_law_integral(&constant, 1, 3), 5, 0);
    assert_close(ng_law_integral(&decay, -1, 2), 8 + 16 * (1 - exp(-1.0)), 1e-14);
    assert_close(ng_law_integral(&decay, 1, 2), 16 * (exp(-0.5) - exp(-1.0)), 1e-14);
    assert_close(ng_law_integral(&ramp, 0, 30), 10 + 20 + 30, 1e-14);
    assert_close(ng_law_integral(&table, 0, 5), 3 + 4 + 6 + 1, 1e-14);
    assert_close(ng_law_integral(&table, 5, 0), -14, 1e-14);
    assert_close(ng_law_integral(&table, 1.5, 3), 0.5 * 4.5 + 4, 1e-14);
    assert_true(isnan(ng_law_integral(&function, 0, 1)));
}

static void kinks(void **state)
{
    (void)state;
    const ng_time_law constant = ng_law_constant(2.5), table = ng_law_table(knot_s, knot, 3);
    const ng_time_law ramp = ng_law_ramp(1.0, 3.0, 10.0, 20.0);
    assert_true(isinf(ng_law_next_kink(&constant, 0)));
    assert_close(ng_law_next_kink(&table, 0), 1, 0);
    assert_close(ng_law_next_kink(&table, 1), 2, 0);
    assert_close(ng_law_next_kink(&table, 3), 4, 0);
    assert_true(isinf(ng_law_next_kink(&table, 4)));
    assert_close(ng_law_next_kink(&ramp, 12), 20, 0);
}

static void assert_refused(ng_time_law law, const char *words)
{
    ng_error err = {.message = ""};
    assert_int_equal(ng_law_check(&law, "the supply", false, &err), NG_INVALID);
    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", err.message, words);
    }
}

static void wrong_laws_are_refused(void **state)
{
    (void)state;
    const double back[] = {1, 1}, negative[] = {1, -2};
    ng_time_law good = ng_law_table(knot_s, negative, 2);
    assert_refused(ng_law_constant(-1), "the supply is -1; it must be finite and not negative");
    assert_refused(ng_law_decay((double)NAN, 1), "the supply is nan");
    assert_refused(ng_law_decay(1, (double)INFINITY), "rate inf/s");
    assert_refused(ng_law_ramp(1, 2, 5, 5), "knot 2 lies at 5 s; times must be finite and rise");
    assert_refused(ng_law_table(back, knot, 2), "knot 2 lies at 1 s");
    assert_refused(ng_law_table(knot_s, negative, 2), "the supply is -2 at 2 s");
    assert_refused(ng_law_table(NULL, NULL, 0), "no knot");
    assert_int_equal(ng_law_check(&good, "the supply", true, NULL), NG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(integrals),
        cmocka_unit_test(kinks),
        cmocka_unit_test(wrong_laws_are_refused),
    };
    return cmocka_run_group_tests_name("time law", tests, NULL, NULL);
}
