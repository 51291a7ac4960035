/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The growth law from samples of a flask: S(t) of a known law, sigma_s, same bits, refusals. */
#include "fit_test.h"

#include <math.h>
#include <string.h>

static void flask_draw(long particles, fit_flask *out)
{
    const fit_flask_options how = {.particles = particles, .every = 8, .seed = 1};
    fit_flask_draw(&how, out);
}

/* With the law given, the survival function alone tells the supersaturation. */
static void supersaturation_of_a_known_law(void **state)
{
    (void)state;
    fit_flask f;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_trajectories t;
    ng_growth_fit fit;
    flask_draw(2000, &f);
    ng_growth_fit_options o = fit_flask_pt();
    o.start = f.o.parameters;
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = f.o.delta;
    o.variance_limit = (double)NAN;
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        o.fixed[i] = true;
    }
    fit_require(ng_growth_fit_samples(&f.samples, &o, &run, &t, &fit, NULL, &err), &err);
    assert_int_equal(fit.n_frames, t.n_frames);
    size_t near = 0;
    for (size_t i = 0; i < fit.n_frames; i++) {
        const size_t frame = (size_t)lround(fit.time_s[i] / f.o.frame_s);
        near += fabs(fit.supersaturation[i] / f.truth.supersaturation[frame] - 1.0) < 0.1;
    }
    /* S(t) jumps three times, which samples 8 s apart smear over two or three of them: 5 of 22 */
    assert_true(near + 6 >= fit.n_frames);
    assert_int_equal(fit.sigma_s_nm.flag, NG_FIT_FIXED);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
    fit_flask_free(&f);
}

static void threads_and_replicates(void **state)
{
    (void)state;
    fit_flask f;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_trajectories t, t2;
    ng_growth_fit one, two;
    flask_draw(300, &f);
    ng_growth_fit_options o = fit_flask_pt();
    o.starts = 1;
    o.max_iterations = 5;
    o.bootstrap = 2;
    o.sigma_lower_nm = 0.15;
    o.sigma_upper_nm = 0.16;
    fit_require(ng_growth_fit_samples(&f.samples, &o, &run, &t, &one, NULL, &err), &err);
    run.threads = 2;
    fit_require(ng_growth_fit_samples(&f.samples, &o, &run, &t2, &two, NULL, &err), &err);
    assert_int_equal(one.n_replicates, 2);
    assert_memory_equal(one.replicate, two.replicate, 2 * sizeof *one.replicate);
    assert_memory_equal(one.replicate_sigma_nm, two.replicate_sigma_nm, 2 * sizeof(double));
    assert_true(one.sigma_s_nm.lower <= one.sigma_s_nm.value &&
                one.sigma_s_nm.value <= one.sigma_s_nm.upper);
    assert_int_not_equal(one.sigma_s_nm.flag, NG_FIT_FIXED);
    assert_true(one.replicate[0].kr != one.replicate[1].kr);
    for (size_t i = 0; i < one.n_free; i++) {
        double sum = 0.0;
        for (size_t w = 0; w < NG_DESIGN_WINDOWS; w++) {
            assert_true(one.window_share[i][w] >= 0.0);
            sum += one.window_share[i][w];
        }
        assert_close(sum, 1.0, 1e-12);
    }
    ng_growth_fit_free(&one);
    ng_growth_fit_free(&two);
    ng_trajectories_free(&t);
    ng_trajectories_free(&t2);
    fit_flask_free(&f);
}

static void ranges_of_sigma(void **state)
{
    (void)state;
    double lower, upper;
    assert_true(ng_growth_sigma_range(ng_material_find("CdSe"), &lower, &upper));
    assert_close(lower, 0.2, 1e-12);
    assert_close(upper, 0.3, 1e-12);
    assert_false(ng_growth_sigma_range(ng_material_find("Pt"), &lower, &upper));
    assert_true(lower == upper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(supersaturation_of_a_known_law),
        cmocka_unit_test(threads_and_replicates),
        cmocka_unit_test(ranges_of_sigma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
