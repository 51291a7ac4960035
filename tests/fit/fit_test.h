/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of room `fit`: ensembles to fit, and the estimator's parts made plain. */
#ifndef FIT_TEST_H
#define FIT_TEST_H

#include <nucgrow.h>

#include "fit/fit_internal.h"
#include "test_support.h"

#define N_PARAMETERS NG_N_GROWTH_PARAMETERS

/* Fail the test with the message of an error. */
void fit_require(ng_status status, const ng_error *err);

/* Published trajectories of "Pt" (Pt(acac)2) or "Au" as a preset makes them. Skips the running
 * test, by name, where the tables are absent. */
ng_trajectories fit_movie(const char *material, bool published);

/* The synthetic ensemble of a seed: defaults of `simulate ensemble` with fewer particles and
 * frames, smoothed and differentiated as a preset does. */
ng_trajectories fit_synthetic(uint64_t seed, long particles, long frames, bool published);

/* Trajectories that all live in every frame, sizes and growth rates still 0, no noise to remove. */
ng_trajectories fit_blank(size_t tracks, size_t frames, double frame_s);

/* The problem of one evaluation; fails the test where it cannot be made. */
ng_rate_problem *fit_problem(const ng_trajectories *t, const double *weight,
                             const ng_growth_fit_options *options);

/* Residuals of a frame's window at the problem's tables, delta and S, from the model's rows alone:
 * y - (model - psi q sum(model)), not yet scaled. `out` and `scratch` hold max_rows. */
size_t fit_frame_residuals(ng_rate_problem *p, size_t frame, double *scratch, double *out);

/* Growth-rate cost of one frame from those residuals. */
double fit_frame_cost(ng_rate_problem *p, size_t frame, double *scratch, double *out);

/* A parameter, drawn uniformly between two bounds. */
double fit_uniform(gsl_rng *rng, double low, double high);

/* ---- samples drawn from a flask ---------------------------------------------------------- */

#define FIT_FLASK_SAMPLES 64

typedef struct fit_flask_options {
    long particles, every; /* a sample is drawn every so many frames of the simulation */
    bool once;             /* each particle is in one sample only */
    double scatter;        /* s.d. of ln r by which each sample is off */
    uint64_t seed;
} fit_flask_options;

typedef struct fit_flask {
    ng_tracks table;
    ng_synth_ensemble_truth truth;
    ng_synth_ensemble_options o;
    ng_samples samples;
} fit_flask;

void fit_flask_draw(const fit_flask_options *how, fit_flask *out);
void fit_flask_free(fit_flask *f);
/* Pt, sigma_s given, nothing resampled. */
ng_growth_fit_options fit_flask_pt(void);

#endif
