/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two data sets, one law: truth recovered, intervals narrower than alone, laws told apart. */
#include "fit_test.h"

#include <math.h>

static ng_trajectories movie(uint64_t seed, double eps_e)
{
    ng_tracks tracks;
    ng_synth_ensemble_truth truth;
    ng_trajectories t;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_ensemble_options smooth = ng_ensemble_defaults();
    o.particles = 200;
    o.frames = 120;
    o.parameters.eps_e = eps_e;
    run.seed = seed;
    smooth.sigma_s_nm = o.sigma_s_nm;
    fit_require(ng_synth_ensemble(&o, &run, &tracks, &truth, NULL, &err), &err);
    fit_require(ng_trajectories_make(&tracks, &smooth, &t, NULL, &err), &err);
    ng_synth_ensemble_truth_free(&truth);
    ng_tracks_free(&tracks);
    return t;
}

/* Given but for eps_e and kr, and the shape: the rest one movie does not tell. */
static ng_growth_joint together(double eps_e_of_second)
{
    ng_trajectories a = movie(1, -1.35), b = movie(2, eps_e_of_second);
    const ng_trajectories *set[] = {&a, &b};
    ng_growth_joint joint;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_find("Pt"));
    o.fixed[0] = o.fixed[2] = o.fixed[3] = true; /* eps_f, alpha4, K */
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = 1.76;
    o.starts = 1;
    o.bootstrap = 24;
    run.threads = 2;
    fit_require(ng_growth_joint_run(set, 2, &o, &run, &joint, NULL, &err), &err);
    ng_trajectories_free(&a);
    ng_trajectories_free(&b);
    return joint;
}

static double width(const ng_growth_fit *fit, size_t i)
{
    const ng_fit_parameter *p = &fit->parameter[i];
    return ng_growth_parameter_info()[i].logarithmic ? log(p->upper / p->lower)
                                                     : p->upper - p->lower;
}

static void shared_truth_is_recovered(void **state)
{
    (void)state;
    ng_growth_joint joint = together(-1.35);
    const size_t told[] = {1, 4}; /* eps_e, kr */
    const double truth[] = {-1.35, 1.4};
    for (size_t k = 0; k < 2; k++) {
        const ng_fit_parameter *p = &joint.set[0].parameter[told[k]];
        /* twice the interval: one of 95 % would fail one seed in ten */
        const double half = p->upper - p->lower;
        assert_true(p->lower - half <= truth[k] && truth[k] <= p->upper + half);
        assert_true(width(&joint.set[0], told[k]) < 1.1 * width(&joint.alone[0], told[k]));
        assert_true(width(&joint.set[0], told[k]) < 1.1 * width(&joint.alone[1], told[k]));
        assert_close(p->value, joint.set[1].parameter[told[k]].value, 0.0);
    }
    /* both widths together: a factor of 0.7 each is expected */
    double ratio = 1.0;
    for (size_t k = 0; k < 2; k++) {
        ratio *= width(&joint.set[0], told[k]) /
                 fmin(width(&joint.alone[0], told[k]), width(&joint.alone[1], told[k]));
    }
    assert_true(ratio < 0.9);
    assert_true(joint.probability > 0.01);
    assert_true(joint.converged);
    ng_growth_joint_free(&joint);
}

static void different_laws_are_told_apart(void **state)
{
    (void)state;
    ng_growth_joint joint = together(-6.0);
    assert_true(joint.probability < 1e-3);
    ng_growth_joint_free(&joint);
}

static void one_set_is_refused(void **state)
{
    (void)state;
    ng_trajectories a = movie(1, -1.35);
    const ng_trajectories *set[] = {&a};
    ng_growth_joint joint;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_find("Pt"));
    assert_int_equal(ng_growth_joint_run(set, 1, &o, &run, &joint, NULL, &err), NG_USAGE);
    ng_trajectories_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_truth_is_recovered),
        cmocka_unit_test(different_laws_are_told_apart),
        cmocka_unit_test(one_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
