/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward estimator on samples of a flask: gradient, a known law, samples that are off,
 * refusals. */
#include "fit_test.h"

#include <nucgrow/forward.h>

#include <math.h>
#include <string.h>

/* `scatter`: s.d. of ln r by which each sample is off. */
static void flask_draw(long particles, double scatter, uint64_t seed, fit_flask *out)
{
    const fit_flask_options how = {
        .particles = particles, .every = 16, .once = true, .scatter = scatter, .seed = seed};
    fit_flask_draw(&how, out);
}

/* Quantiles and their fit by the rate estimator, which a trial needs. */
static void quantiles_of(const fit_flask *f, ng_growth_fit_options *o, ng_trajectories *t)
{
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_growth_fit rate;
    ng_growth_fit_options alone = *o;
    alone.starts = 1;
    alone.max_iterations = 1;
    fit_require(ng_growth_fit_samples(&f->samples, &alone, &run, t, &rate, NULL, &err), &err);
    o->samples = &f->samples;
    o->sample = alone.sample;
    ng_growth_fit_free(&rate);
}

static void gradient_is_exact(void **state)
{
    (void)state;
    fit_flask f;
    ng_error err = {.message = ""};
    ng_trajectories t;
    ng_forward_trial *trial = NULL;
    flask_draw(600, 0.02, 3, &f);
    ng_growth_fit_options o = fit_flask_pt();
    ng_forward_options forward = ng_forward_defaults();
    forward.spread = true;
    quantiles_of(&f, &o, &t);
    fit_require(ng_forward_trial_create(&t, &o, &forward, &trial, &err), &err);
    const size_t n = ng_forward_trial_size(trial);
    double *x = ng_forward_trial_parameters(trial), gradient[64], scratch[64];
    (void)ng_forward_trial_evaluate(trial, gradient);
    size_t compared = 0;
    for (size_t i = 0; i < n; i++) {
        const double at = x[i], step = 1e-4 * (1.0 + fabs(at));
        x[i] = at + step;
        const double above = ng_forward_trial_evaluate(trial, scratch);
        x[i] = at - step;
        const double below = ng_forward_trial_evaluate(trial, scratch);
        x[i] = at;
        const double slope = (above - below) / (2.0 * step);
        if (fabs(gradient[i]) > 1e-6) {
            /* differences: third derivatives times step^2; the shifts are found to 1e-8 */
            assert_close(slope, gradient[i], 1e-3 * fabs(gradient[i]) + 1e-2);
            compared++;
        }
    }
    assert_true(compared >= 12);
    ng_forward_trial_destroy(trial);
    ng_trajectories_free(&t);
    fit_flask_free(&f);
}

/* With the law given, samples tell S(t), the kernels meet the later samples, and the master
 * equation from the first one meets their quantiles. */
static void supersaturation_of_a_known_law(void **state)
{
    (void)state;
    fit_flask f;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_trajectories t;
    ng_growth_fit fit, rate;
    ng_forward_fit forward;
    flask_draw(3300, 0.0, 5, &f);
    ng_growth_fit_options o = fit_flask_pt();
    ng_forward_options options = ng_forward_defaults();
    options.profile = false;
    o.starts = 1;
    o.start = f.o.parameters;
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = f.o.delta;
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        o.fixed[i] = true;
    }
    fit_require(ng_forward_fit_samples(&f.samples, &o, &options, &run, &t, &rate, &fit, &forward,
                                       NULL, &err),
                &err);
    assert_int_equal(forward.n_observations,
                     f.samples.first[f.samples.n_times] - f.samples.first[1]);
    size_t near = 0;
    for (size_t i = 0; i < fit.n_frames; i++) {
        const size_t frame = (size_t)lround(fit.time_s[i] / f.o.frame_s);
        near += fabs(fit.supersaturation[i] / f.truth.supersaturation[frame] - 1.0) < 0.25;
        /* 300 particles a sample: 2 % of the mean; six numbers smooth what has jumps */
        assert_close(fit.mean_n_model[i] / fit.mean_n[i], 1.0, 0.15);
    }
    assert_true(3 * near >= 2 * fit.n_frames);
    double cost = 0.0;
    for (size_t i = 1; i < fit.n_frames; i++) {
        cost += fit.frame_cost[i] / (double)(fit.n_frames - 1);
    }
    /* 1 where distributions are right, with 300 particles in each of 10 samples to a few percent;
     * S(t) as a spline costs the rest */
    assert_true(cost > 0.85 && cost < 1.25);
    ng_growth_fit_free(&fit);
    ng_growth_fit_free(&rate);
    ng_forward_fit_free(&forward);
    ng_trajectories_free(&t);
    fit_flask_free(&f);
}

/* Samples of which each is off by its own error show how much. */
static void scatter_is_seen(void **state)
{
    (void)state;
    double square[2] = {0};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        for (size_t i = 0; i < 2; i++) {
            fit_flask f;
            flask_draw(550, i == 0 ? 0.0 : 0.05, seed, &f);
            square[i] += f.samples.scatter * f.samples.scatter / 4.0;
            fit_flask_free(&f);
        }
    }
    /* 4 flasks of 8 jumps each: the mean square of 0.05 is known to 30 %; bends of the growth curve
     * 16 s apart, and 50 particles a sample, look like 0.01 to 0.02 */
    assert_true(sqrt(square[0]) < 0.025);
    assert_close(sqrt(square[1]), 0.05, 0.015);
}

static void same_bits_and_refusals(void **state)
{
    (void)state;
    fit_flask f;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    flask_draw(450, 0.01, 7, &f);
    ng_forward_options options = ng_forward_defaults();
    options.profile = false;
    double found[2][2];
    for (int i = 0; i < 2; i++) {
        ng_growth_fit_options o = fit_flask_pt();
        ng_trajectories t;
        ng_growth_fit fit, rate;
        ng_forward_fit forward;
        o.starts = 2;
        o.max_iterations = 3;
        o.bootstrap = 2;
        o.sigma_lower_nm = 0.15;
        o.sigma_upper_nm = 0.16;
        run.threads = 1 + i;
        fit_require(ng_forward_fit_samples(&f.samples, &o, &options, &run, &t, &rate, &fit,
                                           &forward, NULL, &err),
                    &err);
        assert_int_equal(fit.n_replicates + fit.n_failed, 2);
        assert_true(fit.sigma_s_nm.lower <= fit.sigma_s_nm.value &&
                    fit.sigma_s_nm.value <= fit.sigma_s_nm.upper);
        found[i][0] = forward.log_likelihood;
        found[i][1] = fit.replicate[0].kr;
        ng_growth_fit_free(&fit);
        ng_growth_fit_free(&rate);
        ng_forward_fit_free(&forward);
        ng_trajectories_free(&t);
    }
    assert_memory_equal(found[0], found[1], sizeof found[0]);
    ng_growth_fit_options o = fit_flask_pt();
    ng_trajectories t;
    ng_growth_fit fit, rate;
    ng_forward_fit forward;
    options.compare = true;
    assert_int_equal(ng_forward_fit_samples(&f.samples, &o, &options, &run, &t, &rate, &fit,
                                            &forward, NULL, &err),
                     NG_USAGE);
    fit_flask_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_exact),
        cmocka_unit_test(supersaturation_of_a_known_law),
        cmocka_unit_test(scatter_is_seen),
        cmocka_unit_test(same_bits_and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
