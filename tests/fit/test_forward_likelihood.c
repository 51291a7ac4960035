/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The likelihood of the forward estimator: against an exact filter on the master equation, and its
 * gradient against differences. */
#include "fit_test.h"

#include <nucgrow/forward.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define TRACKS 4
#define FRAMES 25
#define NOISE 2.0 /* s.d. of n^(2/3) */

/* ---- gradient ---------------------------------------------------------------------------- */

/* Worst difference between gradient and central differences, over 1 + |difference|. */
static double worst_slope(ng_forward_trial *trial)
{
    size_t n = ng_forward_trial_size(trial);
    double *x = ng_forward_trial_parameters(trial), gradient[64], worst = 0.0;
    (void)ng_forward_trial_evaluate(trial, gradient);
    for (size_t i = 0; i < n; i++) {
        double at = x[i], h = 1e-5;
        x[i] = at + h;
        double up = ng_forward_trial_evaluate(trial, NULL);
        x[i] = at - h;
        double down = ng_forward_trial_evaluate(trial, NULL);
        x[i] = at;
        double slope = (up - down) / (2.0 * h);
        worst = fmax(worst, fabs(slope - gradient[i]) / (1.0 + fabs(slope)));
    }
    return worst;
}

/* Rounding of the objective (1e5, 1e-16 each) over the step allows 1e-6; the third derivative, and
 * the difference by which the table knows its slope in delta, add as much. */
static void gradient_is_the_slope(void **state)
{
    (void)state;
    static const struct {
        bool first_frames_only, spread;
        ng_delta_mode delta;
        ng_supersaturation_law law;
    } kind[] = {
        {false, false, NG_DELTA_CONSTANT, NG_SUPERSATURATION_SPLINE},
        {true, false, NG_DELTA_CONSTANT, NG_SUPERSATURATION_SPLINE},
        {false, true, NG_DELTA_SMOOTH, NG_SUPERSATURATION_SPLINE},
        {false, true, NG_DELTA_CONSTANT, NG_SUPERSATURATION_DECAY},
        {false, false, NG_DELTA_FIXED, NG_SUPERSATURATION_CONSTANT},
    };
    ng_trajectories t = fit_synthetic(3, 30, 60, false);
    for (size_t k = 0; k < sizeof kind / sizeof kind[0]; k++) {
        ng_growth_fit_options growth = ng_growth_fit_defaults(ng_material_find("Pt"));
        ng_forward_options o = ng_forward_defaults();
        ng_forward_trial *trial = NULL;
        ng_error err = {.message = ""};
        growth.delta_mode = kind[k].delta;
        growth.delta = 1.7;
        o.first_frames_only = kind[k].first_frames_only;
        o.spread = kind[k].spread;
        o.law = kind[k].law;
        fit_require(ng_forward_trial_create(&t, &growth, &o, &trial, &err), &err);
        double worst = worst_slope(trial);
        if (worst > 2e-5) {
            fail_msg("kind %zu: gradient is off by %g", k, worst);
        }
        ng_forward_trial_destroy(trial);
    }
    ng_trajectories_free(&t);
}

/* ---- an exact filter --------------------------------------------------------------------- */

/* Few particles under a constant S, seen with even noise in x = n^(2/3). */
static ng_trajectories few_tracks(void)
{
    const ng_material *pt = ng_material_find("Pt");
    ng_trajectories t = fit_blank(TRACKS, FRAMES, 1.0);
    gsl_rng *rng = ng_random_open(11, 0);
    assert_non_null(rng);
    t.noise_power = 1.0 / 3.0;
    t.noise_scale = 1.5 * NOISE;
    for (size_t i = 0; i < TRACKS; i++) {
        double n = 300.0 + 120.0 * (double)i;
        for (size_t k = t.first[i]; k < t.first[i + 1]; k++) {
            double x = cbrt(n * n) + gsl_ran_gaussian(rng, NOISE);
            t.n[k] = n;
            t.n_raw[k] = x * sqrt(x);
            double v = 4.0 * ng_attachment_rate(&pt->parameters, pt->delta, pt->sigma_s_nm, n) -
                       ng_detachment_rate(&pt->parameters, pt->delta, pt->sigma_s_nm, n);
            t.growth_per_s[k] = v;
            n += v * t.frame_s;
        }
    }
    ng_random_close(rng);
    return t;
}

/* Bayes' rule on every size: the master equation between frames, the noise's density at each.
 * @return -ln likelihood of a track's later sizes, given the first */
static double exact_track(const ng_trajectories *t, size_t track, ng_master *m, size_t count,
                          double *density)
{
    ng_error err = {.message = ""};
    double deviance = 0.0;
    for (size_t f = 0; f < FRAMES; f++) {
        size_t k = t->first[track] + f;
        double seen = cbrt(t->n_raw[k] * t->n_raw[k]), total = 0.0;
        if (f > 0) {
            fit_require(ng_master_advance(m, (double)f * t->frame_s, &err), &err);
            ng_master_density(m, 0, density);
        }
        for (size_t i = 0; i < count; i++) {
            double n = NG_SOLVE_N_MIN + (double)i;
            double p = gsl_ran_gaussian_pdf(seen - cbrt(n * n), NOISE);
            /* at first every x is as likely as another: dx = 2/3 n^(-1/3) dn */
            density[i] = f == 0 ? p / cbrt(n) : p * density[i];
            total += density[i];
        }
        deviance -= f == 0 ? 0.0 : log(total);
        for (size_t i = 0; i < count; i++) {
            density[i] /= total;
        }
        fit_require(ng_master_set_density(m, 0, density, &err), &err);
    }
    return deviance;
}

static double exact_deviance(const ng_trajectories *t, const ng_growth_parameters *p, double delta,
                             double S)
{
    ng_master_options o = ng_master_defaults();
    ng_error err = {.message = ""};
    ng_master *m = NULL;
    o.sizes.n_max = 6000;
    o.step_s = 0.1;
    size_t count = ng_size_count(&o.sizes);
    double *work = NG_NEW(double, 3 * count), sum = 0.0;
    ng_time_law law = ng_law_constant(S);
    assert_non_null(work);
    fit_require(ng_master_create(&o, &m, NULL, &err), &err);
    fit_require(ng_size_rates(p, delta, t->sigma_s_nm, &o.sizes, work, work + count, &err), &err);
    fit_require(ng_master_set_rates(m, 0, work, work + count, &err), &err);
    fit_require(ng_master_set_laws(m, 0, &law, NULL, &err), &err);
    for (size_t i = 0; i < TRACKS; i++) {
        ng_master_set_time(m, 0.0);
        sum += exact_track(t, i, m, count, work + 2 * count);
    }
    ng_master_destroy(m);
    ng_free(work);
    return sum;
}

/* The filter takes the drift as linear within what is known of a particle (5 % of its size and
 * less): its -ln L may be off by the square of that for each observation, here 96 x 0.0025 = 0.24,
 * and so may the 15 to 25 by which other parameters are less likely. Four particles are too few to
 * tell what particles are like: neither knows anything before the first size. */
static void agrees_with_an_exact_filter(void **state)
{
    (void)state;
    const ng_material *pt = ng_material_find("Pt");
    ng_trajectories t = few_tracks();
    ng_growth_fit_options growth = ng_growth_fit_defaults(pt);
    ng_forward_options o = ng_forward_defaults();
    ng_forward_trial *trial = NULL;
    ng_error err = {.message = ""};
    static const double factor[] = {1.0, 0.8, 1.25};
    double found[3], exact[3];
    o.law = NG_SUPERSATURATION_CONSTANT;
    growth.delta_mode = NG_DELTA_FIXED;
    fit_require(ng_forward_trial_create(&t, &growth, &o, &trial, &err), &err);
    double *x = ng_forward_trial_parameters(trial);
    x[7] = 0.0; /* ln of the factor of the noise */
    for (size_t i = 0; i < 3; i++) {
        ng_growth_parameters p = pt->parameters;
        p.eps_f *= factor[i];
        x[0] = p.eps_f;
        x[6] = log(4.0);
        found[i] = ng_forward_trial_evaluate(trial, NULL);
        exact[i] = exact_deviance(&t, &p, pt->delta, 4.0);
        assert_true(fabs((found[i]) - (exact[i])) <= 0.25);
    }
    assert_true(fabs(exact[1] - exact[0]) > 10.0); /* the data do tell them apart */
    assert_true(fabs((found[1] - found[0]) - (exact[1] - exact[0])) <= 0.3);
    assert_true(fabs((found[2] - found[0]) - (exact[2] - exact[0])) <= 0.3);
    ng_forward_trial_destroy(trial);
    ng_trajectories_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_the_slope),
        cmocka_unit_test(agrees_with_an_exact_filter),
    };
    return cmocka_run_group_tests_name("forward_likelihood", tests, NULL, NULL);
}
