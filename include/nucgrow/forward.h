/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/forward.h
 * Room `fit`: the forward estimator. May include base, ensemble, physics, solve.
 *
 * The growth law carries each particle forward from the frame in which it is first seen, and the
 * parameters are those under which all later sizes are most likely. Unlike the rate estimator
 * (nucgrow/fit.h) it never differentiates data. Its test is a prediction: the master equation, from
 * the particles' first frames alone, against the means and variances that were measured.
 * docs/forward-estimator.md derives all of it.
 */
#ifndef NUCGROW_FORWARD_H
#define NUCGROW_FORWARD_H

#include <nucgrow/fit.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ng_supersaturation_law {
    NG_SUPERSATURATION_SPLINE,  /* ln S(t) a cubic spline */
    NG_SUPERSATURATION_DECAY,   /* first order: S = S0 exp(-k t) */
    NG_SUPERSATURATION_CONSTANT /* one value */
} ng_supersaturation_law;

/** What the forward estimator takes beside ng_growth_fit_options, of which it uses start, fixed,
 *  delta_mode (constant, fixed, or smooth: a slow spline), delta, supersaturation_max, starts,
 *  max_iterations, bootstrap, level. */
typedef struct ng_forward_options {
    ng_supersaturation_law law;
    size_t coefficients;    /* of the spline, 4..40; 0: one every eight frames, 6 to 20 */
    size_t first_frames;    /* observations of a particle that tell where it begins, 1..1000 (10) */
    bool first_frames_only; /* predict all later sizes from these alone. Else (false) every
                               observation also corrects the next prediction: the likelihood of the
                               whole path, sharper, and independent from one to the next */
    bool spread;            /* extension: particles differ in speed, lognormally */
    bool profile;           /* profile likelihood of every parameter (true); else standard errors */
    bool compare;           /* compare four laws of the potential by AIC, BIC, cross-validation */
    size_t folds;           /* of the cross-validation, over blocks of frames, 2..20 (5) */
} ng_forward_options;

ng_forward_options ng_forward_defaults(void);
/** NG_USAGE with the option that is out of range or does not go with the others. */
NG_MUST_CHECK ng_status ng_forward_check(const ng_forward_options *options,
                                         const ng_growth_fit_options *growth, ng_error *err);

/** Points of a profile; parameters that have one: the five and delta. */
#define NG_PROFILE_POINTS 24
#define NG_N_PROFILES (NG_N_GROWTH_PARAMETERS + 1)

/** How much less likely the data are when one parameter is held and all others follow. */
typedef struct ng_forward_profile {
    size_t n;                           /* 0: the parameter was given, or profiles are off */
    double value[NG_PROFILE_POINTS];    /* rising */
    double deviance[NG_PROFILE_POINTS]; /* 2 ln(L_max/L), calibrated: 3.84 ends a 95 % interval */
    double calibration; /* the plain deviance over this: how much the sizes of one particle, which
                           are not independent, overstate what is known (Godambe) */
} ng_forward_profile;

/** A number that belongs to the measurement or to an extension. */
typedef struct ng_forward_number {
    bool fitted;
    double value, lower, upper;
} ng_forward_number;

/** A law of the potential, fitted. */
typedef struct ng_forward_model {
    const char *name, *title; /* static */
    size_t n_parameters;
    double log_likelihood;        /* of all observations, as if independent */
    double aic, bic;              /* of the effective observations, less those of the best */
    double held_out, held_out_se; /* ln density per held-out observation; s.e. over particles */
    ng_growth_parameters parameters;
    double delta, n_max, mu_max_kT; /* NAN: no maximum */
    bool converged;
} ng_forward_model;

#define NG_N_FORWARD_MODELS 4
/** Names in the order of ng_forward_fit.model. */
const char *ng_forward_model_name(size_t index);

/** Result of the forward estimator, beside the ng_growth_fit that it fills. */
typedef struct ng_forward_fit {
    double log_likelihood;
    size_t n_observations, n_outliers, n_parameters;
    double effective_observations; /* what independent ones would be worth: autocorrelation */
    ng_forward_number noise;       /* measured noise over what smoothing shows */
    ng_forward_number spread;      /* s.d. of ln speed */
    ng_forward_profile profile[NG_N_PROFILES];
    ng_forward_profile potential; /* of mu_n at a size in the middle of those seen, kT */
    double potential_n, potential_lower, potential_upper;
    double *eigenvalue; /* owned: of the information matrix of all n_parameters */

    /* predicted forward by the master equation from the particles' first frames; n_frames each */
    size_t n_frames;
    double *mean_lower, *mean_upper, *var_lower, *var_upper; /* owned: over the replicates */
    double *var_sd;                         /* owned: bootstrap s.d. of the data's variance */
    double *moment_data[NG_N_HIGH_MOMENTS]; /* owned: <n^q> of raw sizes */
    double mean_within;                     /* share of frames whose mean lies within 5 % */
    double mean_within_smooth;              /* the same of the data's moving mean over 9 frames */
    double mean_within_spline; /* share within 5 % of a spline through the data themselves: what the
                                  jumps between frames leave to any model */
    double var_within;         /* share of frames whose variance lies within two bootstrap s.d. */
    double dissolved;          /* particles predicted to have dissolved */
    bool ran_away;             /* predicted sizes grew far beyond those seen and were stopped */

    ng_forward_model model[NG_N_FORWARD_MODELS];
    size_t n_models; /* 0: not compared */
} ng_forward_fit;

/**
 * Fit the growth law forward.
 *
 * Given:  trajectories (default preset), options of both kinds.
 * Method: particles are Gaussian in x = n^(2/3) about the path that the rates give them, noise as
 *         measured; scoring with exact derivatives, from the rate estimator's result and others;
 *         intervals by profile likelihood, calibrated for particles, not points; moments by the
 *         master equation (nucgrow/solve.h).
 * Result: `rate`: the rate estimator's fit without resampling. `out`: as ng_growth_fit_run, but
 *         mean_n and var_n are raw sizes, mean_n_model, var_n_model and moment_model predicted;
 *         frame_cost is the mean squared misfit of a frame over its expectation; `forward`.
 *         Free with ng_growth_fit_free (both) and ng_forward_fit_free.
 * Errors: as ng_growth_fit_run; NG_USAGE for the published preset.
 * Notes:  same seed, same result for any number of threads or processes.
 * Source: physics.md section 5(b) of the design; Kalman (1960); Godambe (1960); Pace, Salvan,
 *         Sartori, Statistica Sinica 21, 129 (2011) for the calibration.
 */
NG_MUST_CHECK ng_status ng_forward_fit_run(const ng_trajectories *trajectories,
                                           const ng_growth_fit_options *growth,
                                           const ng_forward_options *options, const ng_run *run,
                                           ng_growth_fit *rate, ng_growth_fit *out,
                                           ng_forward_fit *forward, ng_warnings *warnings,
                                           ng_error *err);
void ng_forward_fit_free(ng_forward_fit *fit);

/**
 * The same for samples drawn from a flask: the first sample is carried forward, and the later ones
 * are held against what becomes of it.
 *
 * Given:  growth as ng_growth_fit_flask() has them; options without `compare` and
 *         `first_frames_only`.
 * Method: the first sample is 60 Gaussian particles of equal share; a later sample is drawn from
 *         their mixture, its ln r being off by an error of its own, normal with ng_samples.scatter.
 *         The likelihood is that of its radii. sigma_s: the most likely of a few values.
 * Result: growth->samples, ->sample; the trajectories (owned: ng_trajectories_free), whose frames
 *         are those of the fit; mean_n and var_n are those of the quantiles, mean_n_model and
 *         var_n_model predicted by the master equation from the first sample; frame_cost is the
 *         mean square of sqrt(12) (F - 1/2), F the predicted distribution function at each particle
 *         of the nearest sample: 1 where the distribution is right.
 * Errors: as ng_forward_fit_run; NG_USAGE for the options named above.
 */
NG_MUST_CHECK ng_status ng_forward_fit_samples(const ng_samples *samples,
                                               ng_growth_fit_options *growth,
                                               const ng_forward_options *options, const ng_run *run,
                                               ng_trajectories *trajectories, ng_growth_fit *rate,
                                               ng_growth_fit *out, ng_forward_fit *forward,
                                               ng_warnings *warnings, ng_error *err);

/** The whole fit-growth.json of a forward fit (docs/results.md): that of ng_growth_fit_json with
 *  keys `forward` and `rate`. Owned by the caller. */
NG_MUST_CHECK ng_status ng_forward_fit_json(const ng_forward_fit *forward, const ng_growth_fit *fit,
                                            const ng_growth_fit *rate, const ng_trajectories *t,
                                            const ng_growth_fit_options *growth,
                                            const ng_forward_options *options,
                                            const ng_material *material, struct json_t **out,
                                            ng_warnings *warnings, ng_error *err);

/** One evaluation of the likelihood, for benches and tests: what ng_forward_fit_run maximises. */
typedef struct ng_forward_trial ng_forward_trial;
/** Parameters start at growth->start with the rate estimator's S(t). Owned:
 *  ng_forward_trial_destroy. */
NG_MUST_CHECK ng_status ng_forward_trial_create(const ng_trajectories *t,
                                                const ng_growth_fit_options *growth,
                                                const ng_forward_options *options,
                                                ng_forward_trial **out, ng_error *err);
void ng_forward_trial_destroy(ng_forward_trial *trial);
/** Number of parameters; their present values (search coordinates), to read and to change. */
size_t ng_forward_trial_size(const ng_forward_trial *trial);
double *ng_forward_trial_parameters(ng_forward_trial *trial);
/** -ln likelihood at the present values; gradient (of the size above) unless NULL. */
double ng_forward_trial_evaluate(ng_forward_trial *trial, double *gradient);

#ifdef __cplusplus
}
#endif
#endif
