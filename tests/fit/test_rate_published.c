/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preset `published` on the published tables, at the published parameters and fitted.
 *
 * Two sets of numbers: those of the published programs (README.md of the reference numbers), which
 * the preset must meet within 5 %, and those of an independent prototype in another language and
 * with other algorithms, which share our reading of the published choices: 1 %, as they are known
 * to four digits and the prototype refines delta between the points of our grid.
 */
#include "fit_test.h"

#include <math.h>

#define PUBLISHED 0.05
#define PROTOTYPE 0.01

static ng_growth_fit_options given(const char *material)
{
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find(material));
    o.delta_mode = NG_DELTA_FIXED;
    o.variance_limit = (double)NAN;
    return o;
}

static ng_rate_cost cost_of(const ng_trajectories *t, const ng_growth_fit_options *o)
{
    ng_rate_cost cost;
    ng_error err = {.message = ""};
    ng_rate_problem *p = fit_problem(t, NULL, o);
    fit_require(ng_rate_problem_cost(p, &o->start, &cost, &err), &err);
    ng_rate_problem_destroy(p);
    return cost;
}

/* ---- what enters ----------------------------------------------------------------------------- */

/* The sums of column len_nval of preprocessing-*.csv. */
static void compare_size(const char *material, size_t want_frames, size_t want_sizes)
{
    size_t frames, sizes;
    ng_trajectories t = fit_movie(material, true);
    ng_growth_fit_options o = given(material);
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    ng_rate_problem_size(p, &frames, &sizes);
    assert_int_equal(frames, want_frames);
    assert_int_equal(sizes, want_sizes);
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

static void frames_and_sizes_are_the_published_ones(void **state)
{
    (void)state;
    compare_size("Pt", 173, 423303);
    compare_size("Au", 387, 2011784);
}

/* What the prototype has in one frame at its published delta. */
typedef struct frame_numbers {
    size_t frame;
    double S, cost;
} frame_numbers;

static void compare_frames(const char *material, const frame_numbers *want, size_t n,
                           double tolerance)
{
    ng_trajectories t = fit_movie(material, true);
    ng_growth_fit_options o = given(material);
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    double *scratch = calloc(2 * p->data.max_rows, sizeof *scratch);
    assert_non_null(scratch);
    (void)ng_rate_evaluate(p, &o.start);
    for (size_t i = 0; i < n; i++) {
        double cost = fit_frame_cost(p, want[i].frame, scratch, scratch + p->data.max_rows) *
                      (double)p->data.n_frames;
        assert_close(p->supersaturation[want[i].frame], want[i].S, tolerance);
        assert_close(cost, want[i].cost, tolerance * want[i].cost);
    }
    free(scratch);
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

/* The prototype takes sites by plain differences, good to 1e-10; its sums over sizes cancel to a
 * few per cent of their terms: 1e-7. */
static void platinum_frame_by_frame(void **state)
{
    (void)state;
    static const frame_numbers want[] = {
        {0, 3.71914815034, 0.0765154519814},   {1, 2.62392358807, 0.074546535773},
        {2, 3.260496393, 0.0370894134651},     {20, 3.99945638759, 0.169372248022},
        {40, 1.89072480669, 0.128312317075},   {60, 3.11753226811, 0.0244103813615},
        {90, 2.01042099557, 0.100495809208},   {120, 4.09051293839, 0.00301258330329},
        {150, 2.42430603153, 0.0179870012684}, {170, 2.69040546658, 0.0209146921265},
        {171, 2.01902191097, 0.0431809447866}, {172, 1.40447857958, 0.041419416457},
    };
    compare_frames("Pt", want, sizeof want / sizeof want[0], 1e-7);
}

/* Frames 300 and 385 dissolve: S(t) at its lower bound. */
static void gold_frame_by_frame(void **state)
{
    (void)state;
    static const frame_numbers want[] = {
        {30, 4.18366319412, 0.171259517118},    {100, 4.48805728863, 0.0725273975353},
        {200, 2.98412001654, 0.217021062809},   {300, 0, 0.145380858951},
        {380, 0.508114724245, 0.0616569078129}, {385, 0, 0.15284660452},
        {386, 1.84287081043, 0.343730780744},
    };
    compare_frames("Au", want, sizeof want / sizeof want[0], 1e-7);
}

/* ---- cost at the published parameters -------------------------------------------------------- */

/* One cost at published parameters: what the published programs and what the prototype gave. */
static void compare_cost(const char *what, double found, double published, double published_part,
                         double prototype)
{
    print_message("%s: %.5f (published %.4g, prototype %.5g)\n", what, found, published, prototype);
    assert_close(found, published, published_part * published);
    assert_close(found, prototype, PROTOTYPE * prototype);
}

static void platinum_costs(void **state)
{
    (void)state;
    ng_trajectories t = fit_movie("Pt", true);
    ng_growth_fit_options o = given("Pt");
    ng_rate_cost cost = cost_of(&t, &o);
    compare_cost("Pt, J, delta 1.76", cost.growth_rate, 0.0414, PUBLISHED, 0.04135);
    /* the published one is known as 0.068 to 0.075 */
    compare_cost("Pt, V there", cost.variance, 0.0715, PUBLISHED, 0.07228);
    o.delta_mode = NG_DELTA_FREE;
    compare_cost("Pt, J, delta(t) free", cost_of(&t, &o).growth_rate, 0.0388, PUBLISHED, 0.03885);
    o = given("Pt");
    o.supersaturation_max = 1e-12;
    compare_cost("Pt, J at S = 0", cost_of(&t, &o).growth_rate, 1.013, PUBLISHED, 1.0329);
    ng_trajectories_free(&t);
}

static void gold_costs(void **state)
{
    (void)state;
    ng_trajectories t = fit_movie("Au", true);
    ng_growth_fit_options o = given("Au");
    ng_rate_cost cost = cost_of(&t, &o);
    compare_cost("Au, J, delta 1.70", cost.growth_rate, 0.140, PUBLISHED, 0.13936);
    /* printed as 0.002: anything that rounds to it */
    compare_cost("Au, V there", cost.variance, 0.002, 0.25, 0.00173);
    o.delta_mode = NG_DELTA_FREE;
    compare_cost("Au, J, delta(t) free", cost_of(&t, &o).growth_rate, 0.134, PUBLISHED, 0.13358);
    o = given("Au");
    o.supersaturation_max = 1e-12;
    compare_cost("Au, J at S = 0", cost_of(&t, &o).growth_rate, 0.401, PUBLISHED, 0.4039);
    o = given("Au");
    o.frame_weight_first = 20.0;
    compare_cost("Au, J, weights 20..1", cost_of(&t, &o).growth_rate, 1.337, PUBLISHED, 1.3330);
    ng_trajectories_free(&t);
}

/* ---- the second objective -------------------------------------------------------------------- */

/* J where S(t) minimises it under a limit of V, at fixed delta. */
typedef struct trade_off {
    double limit, published, prototype;
} trade_off;

static void compare_trade_off(const char *material, const trade_off *want, size_t n)
{
    ng_trajectories t = fit_movie(material, true);
    ng_growth_fit_options o = given(material);
    for (size_t i = 0; i < n; i++) {
        char what[64];
        o.variance_limit = want[i].limit;
        ng_rate_cost cost = cost_of(&t, &o);
        snprintf(what, sizeof what, "%s, J at V = %.2g", material, want[i].limit);
        compare_cost(what, cost.growth_rate, want[i].published, PUBLISHED, want[i].prototype);
        /* the limit is met, and all of it is used: the multiplier is bracketed to 1e-6 */
        assert_close(cost.variance, want[i].limit, 1e-5 * want[i].limit);
        assert_true(cost.variance <= want[i].limit);
    }
    ng_trajectories_free(&t);
}

static void platinum_under_a_variance_limit(void **state)
{
    (void)state;
    static const trade_off want[] = {{2.0e-4, 0.0420, 0.0418},
                                     {1.9e-5, 0.0443, 0.0443},
                                     {1e-5, 0.046, 0.0458},
                                     {3.3e-6, 0.0488, 0.0490}};
    compare_trade_off("Pt", want, sizeof want / sizeof want[0]);
}

static void gold_under_a_variance_limit(void **state)
{
    (void)state;
    static const trade_off want[] = {{2.0e-4, 0.1405, 0.1396},
                                     {1.9e-5, 0.1417, 0.1405},
                                     {1e-5, 0.142, 0.1410},
                                     {3.3e-6, 0.1444, 0.1422}};
    compare_trade_off("Au", want, sizeof want / sizeof want[0]);
}

/* ---- the fit --------------------------------------------------------------------------------- */

/* All free, V <= 1e-5 as the published rule has it: at or below the cost of the published fit. */
static void fit_beats(const char *material, double published)
{
    ng_growth_fit fit;
    ng_error err = {.message = ""};
    ng_trajectories t = fit_movie(material, true);
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find(material));
    o.starts = 1;
    o.bootstrap = 0;
    fit_require(ng_growth_fit_run(&t, &o, NULL, &fit, NULL, &err), &err);
    print_message("%s, free fit: J %.5f, V %.3g, %s\n", material, fit.growth_rate_cost,
                  fit.variance_cost, ng_fit_stop_text(fit.start[0].stop));
    assert_true(fit.growth_rate_cost < published);
    assert_true(fit.variance_cost <= 1e-5);
    assert_true(fit.growth_rate_cost <= fit.growth_rate_cost_start);
    assert_true(fit.converged);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

static void platinum_fit(void **state)
{
    (void)state;
    fit_beats("Pt", 0.046);
}

static void gold_fit(void **state)
{
    (void)state;
    fit_beats("Au", 0.142);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_and_sizes_are_the_published_ones),
        cmocka_unit_test(platinum_frame_by_frame),
        cmocka_unit_test(gold_frame_by_frame),
        cmocka_unit_test(platinum_costs),
        cmocka_unit_test(gold_costs),
        cmocka_unit_test(platinum_under_a_variance_limit),
        cmocka_unit_test(gold_under_a_variance_limit),
        cmocka_unit_test(platinum_fit),
        cmocka_unit_test(gold_fit),
    };
    return cmocka_run_group_tests_name("published rate estimator", tests, NULL, NULL);
}
