/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "synth/synth_internal.h"

#include "test_support.h"

#include <math.h>
#include <string.h>

static const double knot_s[] = {10, 20, 40};
static const double knot_S[] = {1, 3, 2};

static ng_synth_ensemble_options three_knots(void)
{
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    o.schedule_time_s = knot_s;
    o.supersaturation = knot_S;
    o.n_schedule = 3;
    return o;
}

static void value_between_and_outside_knots(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options o = three_knots();
    const double t[] = {-5, 10, 12.5, 20, 30, 40, 1e9};
    const double S[] = {1, 1, 1.5, 3, 2.5, 2, 2};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        assert_close(ng_synth_supersaturation(&o, t[i]), S[i], 0); /* exact in binary */
    }
}

static void stretches_end_at_knots(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options o = three_knots();
    const struct {
        double from, to, end, S, slope;
    } row[] = {{0, 100, 10, 1, 0},      {10, 100, 20, 1, 0.2}, {15, 18, 18, 2, 0.2},
               {20, 100, 40, 3, -0.05}, {40, 100, 100, 2, 0},  {0, 4, 4, 1, 0}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const ng_synth_stretch s = ng_synth_schedule_stretch(&o, row[i].from, row[i].to);
        assert_close(s.start_s, row[i].from, 0);
        assert_close(s.end_s, row[i].end, 0);
        assert_close(s.start_supersaturation, row[i].S, 1e-15);
        assert_close(s.slope_per_s, row[i].slope, 1e-16);
    }
}

static void one_knot_is_constant(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options o = three_knots();
    o.n_schedule = 1;
    const ng_synth_stretch s = ng_synth_schedule_stretch(&o, 10, 30);
    assert_close(s.end_s, 30, 0);
    assert_close(s.start_supersaturation, 1, 0);
    assert_close(ng_synth_supersaturation(&o, 25), 1, 0);
}

static void pairs_are_read(void **unused)
{
    (void)unused;
    ng_synth_schedule s;
    ng_error err = {0};
    assert_int_equal(ng_synth_schedule_read("0:4.0, 20:2.2,6e1:3", &s, &err), NG_OK);
    assert_int_equal(s.n, 3);
    assert_close(s.time_s[2], 60, 0);
    assert_close(s.supersaturation[1], 2.2, 0);
    ng_synth_schedule_free(&s);
    assert_int_equal(ng_synth_schedule_read("0:2.5", &s, &err), NG_OK);
    assert_int_equal(s.n, 1);
    ng_synth_schedule_free(&s);
    ng_synth_schedule_free(NULL);
}

static void a_file_is_read(void **unused)
{
    (void)unused;
    ng_synth_schedule s;
    ng_error err = {0};
    const char *path = test_written("schedule.csv", "# from a fit\ntime_s,supersaturation\r\n"
                                                    "0,3.5\r\n\n30.5,2.25\n");
    assert_int_equal(ng_synth_schedule_read(path, &s, &err), NG_OK);
    assert_int_equal(s.n, 2);
    assert_close(s.time_s[1], 30.5, 0);
    assert_close(s.supersaturation[0], 3.5, 0);
    ng_synth_schedule_free(&s);
}

static void assert_refused(const char *text, ng_status status, const char *words)
{
    ng_synth_schedule s;
    ng_error err = {0};
    assert_int_equal(ng_synth_schedule_read(text, &s, &err), status);
    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", err.message, words);
    }
    assert_null(s.time_s);
    assert_null(s.supersaturation);
    assert_int_equal(s.n, 0);
}

static void wrong_schedules_are_refused(void **unused)
{
    (void)unused;
    assert_refused("0:4,twenty:2", NG_USAGE, "\"twenty:2\" is not a pair; write seconds:S");
    assert_refused("0:4,20", NG_USAGE, "\"20\" is not a pair");
    assert_refused("0:4,", NG_USAGE, "\"\" is not a pair");
    assert_refused("0:4:5", NG_USAGE, "\"0:4:5\" is not a pair");
    assert_refused("no-such-file.csv", NG_IO, "no-such-file.csv");
    assert_refused(test_written("bad.csv", "time_s,supersaturation\n0,3\n5;4\n"), NG_FORMAT,
                   "bad.csv:3: \"5;4\" is not two numbers");
    assert_refused(test_written("empty.csv", "time_s,supersaturation\n"), NG_FORMAT,
                   "empty.csv: no knot");
    assert_refused("5:4,3:2", NG_USAGE, "schedule: knot 2 at 3 s does not come after knot 1");
    assert_refused("5:nan", NG_USAGE, "schedule: S is nan at 5 s; it must lie between 0 and");
    assert_refused(test_written("sinking.csv", "5,-1\n"), NG_INVALID,
                   "sinking.csv: S is -1 at 5 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_between_and_outside_knots),
        cmocka_unit_test(stretches_end_at_knots),
        cmocka_unit_test(one_knot_is_constant),
        cmocka_unit_test(pairs_are_read),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(wrong_schedules_are_refused),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
