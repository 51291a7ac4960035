/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "predict_test.h"

#include <math.h>

#define PARTICLES 200
#define FRAMES 100

ng_growth_law platinum(void)
{
    const ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    return (ng_growth_law){o.parameters, o.delta, o.sigma_s_nm};
}

double *run_one(const ng_predict_case *c, const ng_predict_clock *clock, ng_predict_output *out)
{
    double *row = NG_NEW(double, clock->n_times *NG_PREDICT_COLUMNS);
    assert_non_null(row);
    *out = (ng_predict_output){.row = row};
    REQUIRE(ng_predict_march(c, 1, clock, NULL, 0, 1000000, out, err));
    if (out->status != NG_OK) {
        fail_msg("%s", out->why);
    }
    return row;
}

static double S_at(const ng_synth_ensemble_options *o, double time_s)
{
    const ng_time_law law = ng_law_table(o->schedule_time_s, o->supersaturation, o->n_schedule);
    return ng_law_value(&law, time_s);
}

static void put_series(const ng_synth_ensemble_options *o, const ng_synth_ensemble_truth *truth,
                       ng_fit_file *fit)
{
    fit->n_times = truth->frames;
    double **const list[] = {&fit->time_s, &fit->supersaturation, &fit->particles, &fit->mean_n,
                             &fit->var_n};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        *list[i] = NG_NEW(double, fit->n_times);
        assert_non_null(*list[i]);
    }
    for (size_t i = 0; i < fit->n_times; i++) {
        fit->time_s[i] = truth->time_s[i];
        fit->supersaturation[i] = S_at(o, truth->time_s[i]);
        fit->particles[i] = truth->particles[i];
        fit->mean_n[i] = truth->mean_n[i];
        fit->var_n[i] = truth->var_n[i];
    }
}

ng_fit_file true_fit(size_t replicates)
{
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_synth_ensemble_truth truth;
    ng_fit_file fit = {.estimator = "rate", .material = "Pt", .trusted = true, .level = 0.95};
    ng_run run = ng_run_defaults();
    o.particles = PARTICLES;
    o.frames = FRAMES;
    o.area_noise_px = 1.0;
    run.seed = 7;
    REQUIRE(ng_synth_ensemble(&o, &run, &fit.tracks, &truth, NULL, err));
    fit.sigma_s_nm = o.sigma_s_nm;
    fit.best = o.parameters;
    fit.delta = o.delta;
    fit.sampled_first_n = 100;
    fit.sampled_last_n = 3000;
    fit.settings = ng_ensemble_defaults();
    fit.settings.sigma_s_nm = o.sigma_s_nm;
    fit.n_replicates = replicates;
    fit.replicate = NG_NEW(ng_growth_parameters, replicates);
    assert_non_null(fit.replicate);
    fit.replicate_delta = NG_NEW(double, replicates);
    assert_non_null(fit.replicate_delta);
    for (size_t b = 0; b < replicates; b++) {
        fit.replicate_delta[b] = o.delta;
        fit.replicate[b] = o.parameters;
        fit.replicate[b].eps_f += b % 2 == 0 ? 0.02 : -0.02;
    }
    put_series(&o, &truth, &fit);
    ng_synth_ensemble_truth_free(&truth);
    return fit;
}
