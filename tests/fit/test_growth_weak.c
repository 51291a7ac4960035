/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data that say little or nothing: the fit must say so, instead of giving its start values. */
#include "fit_test.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define TRACKS 8
#define FRAMES 20

/* All particles alike, whatever their size does. */
static ng_trajectories alike(double n0, double rate)
{
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    for (size_t k = 0; k < t.n_points; k++) {
        t.n[k] = t.n_raw[k] = n0 + rate * (double)t.frame[k];
        t.growth_per_s[k] = rate;
    }
    return t;
}

/* With one size in a frame, S(t) fits any rate at any parameters. */
static void one_size_identifies_nothing(void **state)
{
    (void)state;
    const double rate[] = {0.0, 10.0};
    const ng_material *pt = ng_material_find("Pt");
    for (size_t r = 0; r < 2; r++) {
        ng_trajectories t = alike(300.0, rate[r]);
        ng_growth_fit_options o = ng_growth_fit_defaults(pt);
        ng_growth_fit fit;
        ng_warnings warnings = {0};
        ng_error err = {.message = ""};
        json_t *json = NULL;
        o.bootstrap = 5;
        fit_require(ng_growth_fit_run(&t, &o, NULL, &fit, &warnings, &err), &err);
        for (size_t i = 0; i < N_PARAMETERS; i++) {
            const ng_parameter_info *info = &ng_growth_parameter_info()[i];
            assert_int_equal(fit.parameter[i].flag, NG_FIT_NOT_IDENTIFIABLE);
            assert_true(fit.parameter[i].lower == info->min && fit.parameter[i].upper == info->max);
            assert_true(isinf(fit.parameter[i].se));
        }
        assert_true(fit.growth_rate_cost >= 0.0);
        fit_require(ng_growth_fit_json(&fit, &t, &o, pt, &json, &warnings, &err), &err);
        assert_true(json_is_false(json_object_get(json, "trusted")));
        json_decref(json);
        ng_warnings_free(&warnings);
        ng_growth_fit_free(&fit);
        ng_trajectories_free(&t);
    }
}

/* One wrong size must not ask for tables of a terabyte. */
static void sizes_beyond_any_table(void **state)
{
    (void)state;
    ng_trajectories t = alike(300.0, 10.0);
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
    ng_rate_problem *p = NULL;
    ng_error err = {.message = ""};
    t.n[5] = 1e9;
    assert_int_equal(ng_rate_problem_create(&t, NULL, &o, &p, &err), NG_INVALID);
    assert_null(p);
    assert_non_null(strstr(err.message, "default preset"));
    ng_trajectories_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_size_identifies_nothing),
        cmocka_unit_test(sizes_beyond_any_table),
    };
    return cmocka_run_group_tests_name("growth_weak", tests, NULL, NULL);
}
