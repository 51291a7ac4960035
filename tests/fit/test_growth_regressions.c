/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was once wrong with the growth fit. */
#include "fit_test.h"

#include <gsl/gsl_errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static ng_trajectories growing(size_t tracks, size_t frames, double n0)
{
    ng_trajectories t = fit_blank(tracks, frames, 1.0);
    for (size_t k = 0; k < t.n_points; k++) {
        t.n[k] = t.n_raw[k] = n0 + 10.0 * (double)(k / frames) + (double)t.frame[k];
        t.growth_per_s[k] = 1.0 + 0.1 * (double)(k % 3);
    }
    return t;
}

/* --delta smooth must differ from --delta free: jumps of delta cost something. */
static void smooth_is_smoother_than_free(void **state)
{
    (void)state;
    ng_trajectories t = fit_synthetic(4, 60, 60, true);
    double jump[2] = {0.0, 0.0}, delta[64];
    for (int smooth = 0; smooth < 2; smooth++) {
        ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
        o.delta_mode = smooth ? NG_DELTA_SMOOTH : NG_DELTA_FREE;
        o.variance_limit = (double)NAN;
        o.size_trim = 50;
        ng_rate_cost cost;
        ng_rate_problem *p = fit_problem(&t, NULL, &o);
        assert_int_equal(ng_rate_problem_cost(p, &o.start, &cost, NULL), NG_OK);
        ng_rate_problem_series(p, NULL, NULL, delta);
        for (size_t f = 1; f < p->data.n_frames; f++) {
            jump[smooth] += fabs(delta[f] - delta[f - 1]);
        }
        ng_rate_problem_destroy(p);
    }
    print_message("sum of jumps: free %.2f, smooth %.2f\n", jump[0], jump[1]);
    assert_true(jump[1] < 0.5 * jump[0]);
    ng_trajectories_free(&t);
}

/* The library never exits: GSL's default handler aborts when a matrix is not positive definite. */
static void library_does_not_abort(void **state)
{
    (void)state;
    ng_trajectories t = growing(8, 8, 60.0);
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
    ng_growth_fit fit;
    o.delta_mode = NG_DELTA_CONSTANT;
    o.size_trim = 1;
    o.series_window = 4;
    o.max_iterations = 2;
    o.starts = 2;
    o.bootstrap = 1;
    gsl_error_handler_t *before = gsl_set_error_handler(NULL); /* the default one */
    assert_int_equal(ng_growth_fit_run(&t, &o, NULL, &fit, NULL, NULL), NG_OK);
    gsl_set_error_handler(before);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

/* Out of memory while the JSON is made: NG_MEMORY, not a result that lacks keys or numbers. */
static void json_is_whole_or_not_there(void **state)
{
    (void)state;
    ng_trajectories t = fit_synthetic(2, 40, 50, false);
    const ng_material *platinum = ng_material_find("Pt");
    ng_growth_fit_options o = ng_growth_fit_defaults(platinum);
    ng_growth_fit fit;
    json_t *whole = NULL;
    size_t wrong = 0;
    o.starts = 1;
    o.bootstrap = 3;
    assert_int_equal(ng_growth_fit_run(&t, &o, NULL, &fit, NULL, NULL), NG_OK);
    assert_int_equal(ng_growth_fit_json(&fit, &t, &o, platinum, &whole, NULL, NULL), NG_OK);
    size_t left = 0;
    for (size_t k = 1; left == 0; k++) {
        json_t *some = NULL;
        ng_error err = {.message = ""};
        ng_alloc_fail_after(k);
        ng_status status = ng_growth_fit_json(&fit, &t, &o, platinum, &some, NULL, &err);
        left = ng_alloc_fail_after(0);
        if (status == NG_OK && !json_equal(some, whole)) {
            const char *key;
            json_t *value;
            json_object_foreach(whole, key, value)
            {
                if (!json_equal(value, json_object_get(some, key))) {
                    print_message("allocation %zu: NG_OK, but %s differs\n", k, key);
                }
            }
            wrong++;
        }
        json_decref(some);
    }
    json_decref(whole);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
    assert_int_equal(wrong, 0);
}

/* What is no number or far too large in an option is refused, not computed with. */
static void options_without_an_upper_end(void **state)
{
    (void)state;
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
    size_t accepted = 0;
    o.frame_weight_first = (double)INFINITY; /* costs become inf and nan */
    accepted += ng_growth_fit_check(&o, NULL) == NG_OK;
    o = ng_growth_fit_published(ng_material_find("Pt"));
    o.size_trim = LONG_MAX; /* lo - 1 + trim overflows in frame_window() */
    accepted += ng_growth_fit_check(&o, NULL) == NG_OK;
    o = ng_growth_fit_published(ng_material_find("Pt"));
    o.series_window = LONG_MAX; /* i + after overflows; the loop never ends */
    accepted += ng_growth_fit_check(&o, NULL) == NG_OK;
    assert_int_equal(accepted, 0);
}

/* Small ensembles under the published rule: an index once left the grid (seed 4), the cost reported
 * once was another than the one found (seed 6). 1e-3: the limit's multiplier is found to 1e-6, and
 * V with it. */
static void published_fit_of_a_seed(uint64_t seed)
{
    ng_trajectories t = fit_synthetic(seed, 30, 40, true);
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
    ng_growth_fit fit;
    o.variance_scale = 1.0;
    o.size_trim = 20;
    o.bootstrap = 0;
    assert_int_equal(ng_growth_fit_run(&t, &o, NULL, &fit, NULL, NULL), NG_OK);
    print_message("seed %d: objective found %g, reported %g\n", (int)seed, fit.start[0].objective,
                  fit.objective);
    assert_close(fit.objective, fit.start[0].objective, 1e-3 * fit.start[0].objective);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

static void reported_cost_is_the_one_found(void **state)
{
    (void)state;
    published_fit_of_a_seed(6);
}

static void shapes_stay_on_the_grid(void **state)
{
    (void)state;
    published_fit_of_a_seed(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_is_smoother_than_free),
        cmocka_unit_test(library_does_not_abort),
        cmocka_unit_test(json_is_whole_or_not_there),
        cmocka_unit_test(options_without_an_upper_end),
        cmocka_unit_test(reported_cost_is_the_one_found),
        cmocka_unit_test(shapes_stay_on_the_grid),
    };
    gsl_set_error_handler_off(); /* as the program does */
    return cmocka_run_group_tests_name("growth fit, regressions", tests, NULL, NULL);
}
