/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Data made from the law itself: at its parameters nothing must be left over, S(t) must come out,
 * and a search from elsewhere must find the way back. Then the ways in which delta is chosen, each
 * against all that could be chosen.
 */
#include "fit_test.h"

#include <math.h>
#include <string.h>

#define TRACKS 60
#define FRAMES 24
#define DELTA 1.76 /* a point of the grid, so that a search of delta can find it exactly */

static const ng_growth_parameters truth = {3.04, -1.35, 6.5, 0.171, 1.4};

/* Above, below and again above the maximum of the potential (S = 2.49). */
static double true_supersaturation(size_t frame)
{
    return 2.8 + 0.9 * sin(0.5 * (double)frame);
}

static ng_growth_fit_options options(void)
{
    ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_find("Pt"));
    o.start = truth;
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = DELTA;
    o.starts = 1;
    o.bootstrap = 0;
    return o;
}

/* Sizes from 60 to `last`, even in ln n, another order in each frame. Half-integers: the flux that
 * moves a particle of size n stands at n - 1/2, which is then a size that is tabulated. */
static void spread_sizes(ng_trajectories *t, double last, bool half)
{
    gsl_rng *rng = ng_random_open(3, 0);
    for (size_t k = 0; k < t->n_points; k++) {
        size_t i = (k / FRAMES + 7 * (k % FRAMES)) % TRACKS;
        double part = ((double)i + gsl_rng_uniform(rng)) / TRACKS;
        double n = 60.0 * pow(last / 60.0, part);
        t->n[k] = t->n_raw[k] = half ? floor(n) + 0.5 : n;
        t->growth_per_s[k] = gsl_rng_uniform(rng); /* until the law is known */
    }
    ng_random_close(rng);
}

/* Growth rates by the law, as the estimator expects them of a particle: S k^a (1 - s/2) - k^d (1 +
 * s/2) with its own s, the slope of ln p, read from the ratio of its two columns. */
static void grow_by_the_rows(ng_trajectories *t)
{
    ng_growth_fit_options o = options();
    ng_rate_problem *p = fit_problem(t, NULL, &o);
    const rate_data *d = &p->data;
    assert_int_equal(d->n_rows, TRACKS * FRAMES);
    for (size_t f = 0; f < FRAMES; f++) {
        for (size_t i = 0; i < TRACKS; i++) {
            size_t row = d->frame[f].begin + i;
            double n = d->nodes->n[d->node[row]], ratio = d->attach[row] / d->detach[row];
            double s = 2.0 * (1.0 - ratio) / (1.0 + ratio);
            double up = ng_attachment_rate(&truth, DELTA, t->sigma_s_nm, n);
            double down = ng_detachment_rate(&truth, DELTA, t->sigma_s_nm, n + 1.0);
            t->growth_per_s[i * FRAMES + f] =
                true_supersaturation(f) * up * (1.0 - 0.5 * s) - down * (1.0 + 0.5 * s);
        }
    }
    ng_rate_problem_destroy(p);
}

/* Growth rates by the drift alone, S k^a - k^d, at the particle's own size. */
static void grow_by_the_drift(ng_trajectories *t)
{
    for (size_t k = 0; k < t->n_points; k++) {
        double n = t->n[k] - 0.5;
        t->growth_per_s[k] = true_supersaturation(t->frame[k]) *
                                 ng_attachment_rate(&truth, DELTA, t->sigma_s_nm, n) -
                             ng_attachment_rate(&truth, DELTA, t->sigma_s_nm, n) *
                                 exp(ng_potential(&truth, DELTA, n));
    }
}

static ng_trajectories exact(void)
{
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    spread_sizes(&t, 990.0, true);
    grow_by_the_rows(&t);
    return t;
}

/* ---- at the truth ---------------------------------------------------------------------------- */

/* A particle of size n stands at the table's nearest size to n - 1/2: every integer up to 1000,
 * then sizes in steps of 0.1 %, so off by half a step at most. */
static void rows_stand_at_their_sizes(void **state)
{
    (void)state;
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    spread_sizes(&t, 20000.0, false);
    ng_growth_fit_options o = options();
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    for (size_t f = 0; f < FRAMES; f++) {
        for (size_t i = 0; i < TRACKS; i++) {
            double n = t.n[i * FRAMES + f] - 0.5;
            double at = p->data.nodes->n[p->data.node[p->data.frame[f].begin + i]];
            assert_close(at, n, n < 999.0 ? 0.5 : 0.00051 * n);
        }
    }
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

/* Rates agree to 1e-13 (tables against single calls), so squares of what is left are 1e-26 of the
 * squares of the data; 1e-22 says that nothing else is there. S(t) then to 1e-11. The cost itself
 * is a difference of sums of squares, of which rounding leaves 1e-13. */
static void nothing_is_left_at_the_truth(void **state)
{
    (void)state;
    ng_trajectories t = exact();
    ng_growth_fit_options o = options();
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    ng_rate_cost cost;
    double S[FRAMES], time_s[FRAMES], delta[FRAMES], square = 0.0;
    assert_int_equal(p->data.n_frames, FRAMES);
    assert_int_equal(ng_rate_problem_cost(p, &truth, &cost, NULL), NG_OK);
    for (size_t f = 0; f < FRAMES; f++) {
        square += p->data.frame[f].scale * p->data.frame[f].yy;
    }
    assert_close(cost.growth_rate, 0.0, 1e-13 * square);
    for (size_t f = 0; f < FRAMES; f++) {
        double scratch[TRACKS], r[TRACKS];
        assert_true(fit_frame_cost(p, f, scratch, r) < 1e-22 * square);
    }
    ng_rate_problem_series(p, time_s, S, delta);
    for (size_t f = 0; f < FRAMES; f++) {
        assert_close(S[f], true_supersaturation(f), 1e-11);
        assert_close(time_s[f], (double)f, 0.0);
        assert_close(delta[f], DELTA, 0.0);
    }
    /* the model moves the variance as the particles move it */
    assert_close(cost.variance, 0.0, 1e-20);
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

/* ---- the way back ---------------------------------------------------------------------------- */

static double worst_potential(const ng_growth_parameters *p, double delta, double n_last)
{
    double worst = 0.0;
    for (double n = 60.0; n < n_last; n *= 1.05) {
        double difference = ng_potential(p, delta, n) - ng_potential(&truth, DELTA, n);
        worst = fmax(worst, fabs(difference));
    }
    return worst;
}

static ng_growth_fit fit_from(const ng_trajectories *t, ng_growth_parameters start,
                              ng_delta_mode mode)
{
    ng_growth_fit fit;
    ng_error err = {.message = ""};
    ng_growth_fit_options o = options();
    o.start = start;
    o.delta_mode = mode;
    o.max_iterations = 300;
    fit_require(ng_growth_fit_run(t, &o, NULL, &fit, NULL, &err), &err);
    return fit;
}

/* The search stops when the cost gains less than 1e-7 of itself three times running. Its way down
 * is a factor a step as long as the cost is not rounding, so the parameters end with eight digits
 * or more; flat directions take a few of them: 1e-4 kT of the potential, 1e-4 of S(t). */
static void search_returns_to_the_truth(void **state)
{
    (void)state;
    static const ng_growth_parameters start[] = {
        {2.5, -0.8, 5.0, 0.1, 1.0}, {4.5, -3.0, 8.0, 0.5, 3.0}, {5.45, -4.06, 8.72, 0.424, 2.43}};
    ng_trajectories t = exact();
    for (size_t i = 0; i < sizeof start / sizeof start[0]; i++) {
        ng_growth_fit fit = fit_from(&t, start[i], NG_DELTA_FIXED);
        double worst = worst_potential(&fit.best, fit.delta_mean, 990.0);
        print_message("start %zu: potential off by %.2g kT, K %.6f, kr %.6f, %zu iterations, %s\n",
                      i, worst, fit.best.K, fit.best.kr, fit.start[0].iterations,
                      ng_fit_stop_text(fit.start[0].stop));
        assert_true(worst < 1e-4);
        assert_close(fit.best.K, truth.K, 1e-3 * truth.K);
        assert_close(fit.best.kr, truth.kr, 1e-3 * truth.kr);
        for (size_t f = 0; f < FRAMES; f++) {
            assert_close(fit.supersaturation[f], true_supersaturation(f), 1e-4);
        }
        assert_true(fit.converged);
        ng_growth_fit_free(&fit);
    }
    ng_trajectories_free(&t);
}

/* One delta for all frames. At each parameter set the best point of its grid is taken, and the
 * valley along delta is flat: the search may end at any delta, but then where a fit with that delta
 * given ends (both stop when the cost falls by less than 1e-7 of itself a step: 1 % of it). */
static void search_with_one_delta_fits_that_delta(void **state)
{
    (void)state;
    static const ng_growth_parameters start = {2.5, -0.8, 5.0, 0.1, 1.0};
    ng_trajectories t = exact();
    ng_growth_fit fit = fit_from(&t, start, NG_DELTA_CONSTANT), same;
    ng_growth_fit_options o = options();
    ng_error err = {.message = ""};
    o.start = start;
    o.delta = fit.delta[0];
    o.max_iterations = 300;
    fit_require(ng_growth_fit_run(&t, &o, NULL, &same, NULL, &err), &err);
    print_message("delta %.2f: cost %.4g searched, %.4g given\n", fit.delta[0], fit.objective,
                  same.objective);
    assert_true(fit.objective <= 1.01 * same.objective);
    for (size_t f = 1; f < FRAMES; f++) {
        assert_close(fit.delta[f], fit.delta[0], 0.0);
    }
    ng_growth_fit_free(&fit);
    ng_growth_fit_free(&same);
    ng_trajectories_free(&t);
}

/* Sizes anywhere from 60 to 5000 and rates of the drift alone. The estimator counts on the slope of
 * the density too, s ~ -1/n: it takes (S + e^mu)/(2n) of k^a for growth that is not there, 1 % of S
 * k^a and 5 % of the net drift at n = 100. So potential and ln S move together by up to 0.1 kT, and
 * what drives a particle, ln S - mu_n, by half of that (0.05 found). */
static void drift_alone_gives_the_driving_force(void **state)
{
    (void)state;
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    spread_sizes(&t, 5000.0, false);
    grow_by_the_drift(&t);
    ng_growth_fit fit =
        fit_from(&t, (ng_growth_parameters){2.5, -0.8, 5.0, 0.1, 1.0}, NG_DELTA_FIXED);
    assert_true(worst_potential(&fit.best, DELTA, 5000.0) < 0.12);
    for (size_t f = 0; f < FRAMES; f++) {
        for (double n = 60.0; n < 5000.0; n *= 1.2) {
            double found = log(fit.supersaturation[f]) - ng_potential(&fit.best, DELTA, n);
            double want = log(true_supersaturation(f)) - ng_potential(&truth, DELTA, n);
            assert_close(found, want, 0.07);
        }
    }
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

/* ---- how delta is chosen --------------------------------------------------------------------- */

#define N_DELTA 5

/* Off the truth, where shapes differ. */
static const ng_growth_parameters elsewhere = {3.6, -1.0, 5.5, 0.2, 1.2};

/* Frames that want different shapes: the law's delta wanders. */
static ng_trajectories wandering(void)
{
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    gsl_rng *rng = ng_random_open(17, 0);
    spread_sizes(&t, 990.0, true);
    for (size_t k = 0; k < t.n_points; k++) {
        double n = t.n[k] - 0.5, delta = 1.5 + 0.4 * sin(0.9 * (double)t.frame[k]);
        double up = ng_attachment_rate(&truth, delta, t.sigma_s_nm, n);
        t.growth_per_s[k] =
            up * (true_supersaturation(t.frame[k]) - exp(ng_potential(&truth, delta, n))) +
            fit_uniform(rng, -0.5, 0.5);
    }
    ng_random_close(rng);
    return t;
}

/* Cost of each frame at each shape of a problem, S eliminated: from quadratics that are made anew.
 */
static void all_costs(ng_rate_problem *p, const ng_growth_parameters *q, double *cost)
{
    size_t n_delta = p->data.nodes->n_delta;
    ng_rate_tables_fill(p, q);
    for (size_t t = 0; t < p->data.n_frames; t++) {
        for (size_t k = 0; k < n_delta; k++) {
            ng_rate_kernel(p, t, &k, 1);
            const rate_quadratic *c = &p->quadratic[t * n_delta + k];
            double S = fmin(fmax(c->b / c->a, 0.0), p->options.supersaturation_max);
            cost[t * n_delta + k] = c->c + S * (c->a * S - 2.0 * c->b);
        }
    }
}

static size_t chosen_index(const ng_rate_problem *p, double delta)
{
    for (size_t k = 0; k < p->data.nodes->n_delta; k++) {
        if (p->data.nodes->delta[k] == delta) {
            return k;
        }
    }
    fail_msg("delta %g is no point of the grid", delta);
    return 0;
}

/* Both ways of choosing against the whole grid of 51 shapes. The costs are the same numbers: 1e-12.
 */
static void check_against_all(const ng_trajectories *t, ng_growth_fit_options o,
                              const ng_growth_parameters *q, const char *name)
{
    double delta[1000];
    o.delta_mode = NG_DELTA_FREE;
    ng_rate_problem *p = fit_problem(t, NULL, &o);
    size_t n = p->data.n_frames, n_delta = p->data.nodes->n_delta, wrong = 0;
    double *cost = calloc(n * n_delta, sizeof *cost), free_sum = 0.0, constant = INFINITY;
    assert_non_null(cost);
    assert_true(n <= 1000);
    all_costs(p, q, cost);
    for (size_t k = 0; k < n_delta; k++) {
        double sum = 0.0;
        for (size_t f = 0; f < n; f++) {
            sum += cost[f * n_delta + k];
        }
        constant = fmin(constant, sum);
    }
    double found = ng_rate_evaluate(p, q).growth_rate;
    ng_rate_problem_series(p, NULL, NULL, delta);
    for (size_t f = 0; f < n; f++) {
        double low = INFINITY;
        for (size_t k = 0; k < n_delta; k++) {
            low = fmin(low, cost[f * n_delta + k]);
        }
        free_sum += low;
        wrong += cost[f * n_delta + chosen_index(p, delta[f])] > low * (1.0 + 1e-12);
    }
    ng_rate_problem_destroy(p);
    print_message("%s, free: %.8g, of all shapes %.8g (%zu of %zu frames differ)\n", name, found,
                  free_sum, wrong, n);
    assert_true(found <= free_sum * 1.001);
    o.delta_mode = NG_DELTA_CONSTANT;
    p = fit_problem(t, NULL, &o);
    found = ng_rate_evaluate(p, q).growth_rate;
    print_message("%s, constant: %.8g, of all shapes %.8g\n", name, found, constant);
    assert_close(found, constant, 1e-12 * constant);
    ng_rate_problem_destroy(p);
    free(cost);
}

static void chosen_shapes_are_the_best_of_all(void **state)
{
    (void)state;
    ng_trajectories t = wandering();
    check_against_all(&t, options(), &truth, "wandering, truth");
    check_against_all(&t, options(), &elsewhere, "wandering, elsewhere");
    ng_trajectories_free(&t);
    t = fit_synthetic(4, 60, 60, true);
    ng_growth_fit_options o = options();
    o.published = true;
    o.size_trim = 50;
    check_against_all(&t, o, &truth, "psi-flux, truth");
    check_against_all(&t, o, &elsewhere, "psi-flux, elsewhere");
    ng_trajectories_free(&t);
}

static void chosen_shapes_of_published_data(void **state)
{
    (void)state;
    ng_trajectories t = fit_movie("Pt", true);
    ng_growth_fit_options o = ng_growth_fit_published(ng_material_find("Pt"));
    o.variance_limit = (double)NAN;
    check_against_all(&t, o, &truth, "Pt");
    ng_trajectories_free(&t);
}

/* ---- smooth: every path of a tiny grid ------------------------------------------------------- */

#define TINY_FRAMES 6

/* Lowest cost of any path of shapes, one of N_DELTA^TINY_FRAMES; `best` is that path. */
static double best_path(const double *cost, const double *delta, double penalty, size_t *best)
{
    double low = INFINITY;
    size_t paths = 1;
    for (size_t t = 0; t < TINY_FRAMES; t++) {
        paths *= N_DELTA;
    }
    for (size_t code = 0; code < paths; code++) {
        size_t path[TINY_FRAMES], rest = code;
        double sum = 0.0;
        for (size_t t = 0; t < TINY_FRAMES; t++, rest /= N_DELTA) {
            path[t] = rest % N_DELTA;
            sum += cost[t * N_DELTA + path[t]];
            if (t > 0) {
                double jump = (delta[path[t]] - delta[path[t - 1]]) / 0.05;
                sum += penalty * jump * jump;
            }
        }
        if (sum < low) {
            low = sum;
            memcpy(best, path, sizeof path);
        }
    }
    return low;
}

/* The same sums in another order: 1e-12. */
static void smooth_shapes_are_the_best_of_all_paths(void **state)
{
    (void)state;
    static const double delta[N_DELTA] = {1.1, 1.3, 1.5, 1.7, 1.9};
    static const double penalties[] = {0.0, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 10.0};
    ng_trajectories all = wandering(), t = fit_blank(TRACKS, TINY_FRAMES, 1.0);
    rate_nodes nodes;
    ng_rate_problem *p = NULL;
    ng_growth_fit_options o = options();
    double cost[TINY_FRAMES * N_DELTA];
    size_t changes = 0, before = SIZE_MAX;
    for (size_t k = 0; k < t.n_points; k++) {
        size_t from = k / TINY_FRAMES * FRAMES + k % TINY_FRAMES;
        t.n[k] = all.n[from];
        t.growth_per_s[k] = all.growth_per_s[from];
    }
    o.delta_mode = NG_DELTA_SMOOTH;
    assert_int_equal(ng_rate_nodes_create(1100.0, false, delta, N_DELTA, &nodes, NULL), NG_OK);
    assert_int_equal(ng_rate_problem_make(&t, NULL, &o, &nodes, &p, NULL), NG_OK);
    all_costs(p, &elsewhere, cost);
    for (size_t i = 0; i < sizeof penalties / sizeof penalties[0]; i++) {
        size_t best[TINY_FRAMES], jumps = 0;
        p->smooth_penalty = penalties[i];
        double want = best_path(cost, delta, penalties[i], best);
        double found = ng_rate_evaluate(p, &elsewhere).objective;
        for (size_t f = 0; f < TINY_FRAMES; f++) {
            assert_int_equal(p->delta_index[f], best[f]);
            jumps += f > 0 && best[f] != best[f - 1];
        }
        assert_close(found, want, 1e-12 * want);
        changes += before != SIZE_MAX && jumps != before;
        before = jumps;
    }
    assert_true(changes >= 2);   /* the penalties really tried different paths */
    assert_int_equal(before, 0); /* a large one allows no jump */
    ng_rate_problem_destroy(p);
    ng_rate_nodes_free(&nodes);
    ng_trajectories_free(&t);
    ng_trajectories_free(&all);
}

/* A given delta is used as it is, off the grid too. */
static void a_given_delta_is_used(void **state)
{
    (void)state;
    ng_trajectories t = exact();
    ng_growth_fit_options o = options();
    double delta[FRAMES];
    ng_rate_cost cost;
    o.delta = 1.4142;
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    assert_int_equal(ng_rate_problem_cost(p, &truth, &cost, NULL), NG_OK);
    ng_rate_problem_series(p, NULL, NULL, delta);
    for (size_t f = 0; f < FRAMES; f++) {
        assert_close(delta[f], 1.4142, 0.0);
    }
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_at_their_sizes),
        cmocka_unit_test(nothing_is_left_at_the_truth),
        cmocka_unit_test(search_returns_to_the_truth),
        cmocka_unit_test(search_with_one_delta_fits_that_delta),
        cmocka_unit_test(drift_alone_gives_the_driving_force),
        cmocka_unit_test(chosen_shapes_are_the_best_of_all),
        cmocka_unit_test(chosen_shapes_of_published_data),
        cmocka_unit_test(smooth_shapes_are_the_best_of_all_paths),
        cmocka_unit_test(a_given_delta_is_used),
    };
    return cmocka_run_group_tests_name("exact data", tests, NULL, NULL);
}
