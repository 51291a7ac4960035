/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/fit.h
 * Room `fit`: estimators of the growth law. May include base, ensemble, physics (and solve).
 *
 * The rate estimator compares how fast particles of each size are seen to grow with
 *
 *     J_n / N = S(t) k_n^a rho_1inf p_n - k_{n+1}^d p_{n+1}            ([Kim] Eq. 2)
 *
 * frame by frame. At given parameters the residual is linear in the supersaturation S(t), which is
 * eliminated in closed form (variable projection); the shape number delta is searched on a grid per
 * frame; the five numbers of ng_growth_parameters are left to a bounded Levenberg-Marquardt search
 * with analytic derivatives. docs/rate-estimator.md derives all of it.
 */
#ifndef NUCGROW_FIT_H
#define NUCGROW_FIT_H

#include <nucgrow/base.h>
#include <nucgrow/ensemble.h>
#include <nucgrow/physics.h>
#include <nucgrow/samples.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ng_delta_mode {
    NG_DELTA_FREE,     /* any value in each frame */
    NG_DELTA_SMOOTH,   /* free, with a penalty on jumps between frames */
    NG_DELTA_CONSTANT, /* one fitted value */
    NG_DELTA_FIXED     /* given */
} ng_delta_mode;

/** How to fit. Start from ng_growth_fit_defaults() or ng_growth_fit_published(). */
typedef struct ng_growth_fit_options {
    bool published; /* psi-flux on every size, as published; else single-particle growth rates */
    ng_growth_parameters start; /* start values; the value of a fixed parameter */
    bool fixed[NG_N_GROWTH_PARAMETERS];
    ng_delta_mode delta_mode;
    double delta;          /* for NG_DELTA_FIXED; start value otherwise, 1..2 */
    double variance_scale; /* the variance curve is fitted to this multiple of the data (1) */
    double variance_limit; /* growth-rate cost is minimised subject to variance cost <= this; NAN:
                              the variance cost is only reported */
    double frame_weight_first, frame_weight_last; /* weight of a frame, linear in time (1, 1) */
    double supersaturation_max;                   /* S(t) is kept in [0, this] (100) */
    long size_trim; /* published: sizes cut at each end of a frame's window (200) */
    long
        series_window; /* published: Gaussian over this many frames on mean and variance; 0: none */
    size_t starts;     /* start points of the search (6) */
    size_t max_iterations; /* per start (100) */
    size_t bootstrap;      /* replicates over trajectories (50); 0: standard errors only */
    double level;          /* of intervals (0.95) */
    double wanted[NG_N_GROWTH_PARAMETERS]; /* half-widths of intervals, for the design of further
                                              experiments; 0: none wanted */

    /* samples drawn from a flask: set by ng_growth_fit_samples */
    const ng_samples
        *samples; /* borrowed; the bootstrap draws particles within them; NULL: tracks */
    ng_sample_options sample;
    double sigma_lower_nm, sigma_upper_nm; /* sigma_s is fitted between them; equal: given */
} ng_growth_fit_options;

ng_growth_fit_options ng_growth_fit_defaults(const ng_material *material);
ng_growth_fit_options ng_growth_fit_published(const ng_material *material);
/** NG_USAGE with the option that is out of range. */
NG_MUST_CHECK ng_status ng_growth_fit_check(const ng_growth_fit_options *options, ng_error *err);

typedef enum ng_fit_flag {
    NG_FIT_OK,
    NG_FIT_FIXED,
    NG_FIT_AT_BOUND,        /* the data push the estimate against the edge of its range */
    NG_FIT_NOT_IDENTIFIABLE /* the interval covers more than half of the range: the data do not
                               tell; the estimate may lie anywhere, at an edge too */
} ng_fit_flag;
const char *ng_fit_flag_name(ng_fit_flag flag); /* "ok", "fixed", "at-bound", "not-identifiable" */

typedef struct ng_fit_parameter {
    double value, lower, upper; /* lower <= value <= upper, within the bounds */
    double se; /* from the information matrix; NAN when fixed or at a bound, INFINITY when the data
                  hold nothing on it */
    ng_fit_flag flag;
} ng_fit_parameter;

typedef enum ng_fit_stop {
    NG_STOP_STEP,      /* the step became negligible */
    NG_STOP_GRADIENT,  /* the gradient vanished */
    NG_STOP_COST,      /* the cost stopped falling */
    NG_STOP_EVALUATED, /* nothing was free: evaluated at given values */
    NG_STOP_ITERATIONS /* gave up: not converged */
} ng_fit_stop;
const char *ng_fit_stop_text(ng_fit_stop stop);

/** Where one start of the search ended. */
typedef struct ng_fit_start {
    ng_growth_parameters parameters;
    double objective, growth_rate, variance;
    ng_fit_stop stop;
    size_t iterations;
} ng_fit_start;

/** How fast particles of each size grow at one time: J_n / N = p_n j_n, data and model. */
typedef struct ng_growth_profile {
    double time_s, supersaturation, delta;
    size_t count;
    double *n, *p, *flux_data_per_s, *flux_model_per_s; /* owned, `count` each */
} ng_growth_profile;

/** The two costs of an evaluation and what is minimised. */
typedef struct ng_rate_cost {
    double growth_rate, variance, objective;
} ng_rate_cost;

/** The fit with one parameter halved or doubled: S(t) and delta(t) follow, the others stay. */
typedef struct ng_growth_sensitivity {
    size_t index;  /* of the parameter */
    double factor; /* 0.5 or 2 */
    ng_growth_parameters parameters;
    ng_rate_cost cost;
} ng_growth_sensitivity;

/** Moments <n^q> that a fit is held against beyond mean and variance: q = 3..NG_MOMENT_MAX. */
#define NG_MOMENT_FIRST 3
#define NG_N_HIGH_MOMENTS (NG_MOMENT_MAX - NG_MOMENT_FIRST + 1)

/** Equal parts of the movie in which the information is counted. */
#define NG_DESIGN_WINDOWS 6

/** Result of the rate estimator. Arrays are owned: ng_growth_fit_free. */
typedef struct ng_growth_fit {
    ng_fit_parameter parameter[NG_N_GROWTH_PARAMETERS];
    ng_growth_parameters best;
    double delta_mean, delta_lower, delta_upper;
    ng_fit_parameter sigma_s_nm;   /* NG_FIT_FIXED unless fitted (samples from a flask) */
    double growth_rate_cost;       /* psi-flux cost in the published normalisation */
    double growth_rate_cost_start; /* the same at the start values */
    double variance_cost;
    double objective; /* what was minimised */
    bool converged;

    /* series, one entry a frame of the fit */
    size_t n_frames;
    size_t *frame; /* index in ng_trajectories */
    double *time_s, *supersaturation, *supersaturation_lower, *supersaturation_upper;
    double *delta, *frame_cost;
    double *mean_n, *var_n, *mean_n_model, *var_n_model;
    double *moment_model[NG_N_HIGH_MOMENTS]; /* <n^q>, started from the data's first frame */

    ng_growth_profile *profile; /* at up to 9 times */
    size_t n_profiles;

    ng_growth_sensitivity sensitivity[2 * NG_N_GROWTH_PARAMETERS];
    size_t n_sensitivities;

    /* [Kim] Fig. 5: the potential solved from the flux, frame by frame, and averaged */
    size_t n_reconstructed;
    double *reconstructed_n, *reconstructed_kT, *reconstructed_sd_kT;
    size_t *reconstructed_frames;

    /* search */
    ng_fit_start *start; /* [0] is the best */
    size_t n_starts, evaluations;

    /* information matrix in the scaled parameters eps_f, eps_e, alpha4, ln K, ln kr: free ones only
     */
    size_t n_free;
    size_t free_index[NG_N_GROWTH_PARAMETERS];
    double correlation[NG_N_GROWTH_PARAMETERS][NG_N_GROWTH_PARAMETERS];
    double eigenvalue[NG_N_GROWTH_PARAMETERS];                          /* falling */
    double eigenvector[NG_N_GROWTH_PARAMETERS][NG_N_GROWTH_PARAMETERS]; /* row i: of eigenvalue i */

    /* which part of the movie tells what: share of each free parameter's information, with S(t)
     * eliminated and the other parameters known; rows as free_index, they add up to 1 */
    double window_start_s[NG_DESIGN_WINDOWS], window_end_s[NG_DESIGN_WINDOWS];
    double window_share[NG_N_GROWTH_PARAMETERS][NG_DESIGN_WINDOWS];

    /* bootstrap replicates that converged or stopped at a finite value */
    size_t n_replicates, n_failed;
    ng_growth_parameters *replicate;   /* owned */
    double *replicate_delta;           /* owned: mean delta of each */
    double *replicate_sigma_nm;        /* owned: sigma_s of each */
    double *replicate_supersaturation; /* owned: n_replicates x n_frames, NAN where absent */
} ng_growth_fit;

/**
 * Fit the growth law to trajectories.
 *
 * Given:  trajectories (made with the same preset), options.
 * Result: `out`; warnings say what limits its use.
 * Errors: NG_TOO_LITTLE when fewer than 2 frames can be used (message says why), NG_USAGE,
 * NG_MEMORY, NG_CANCELLED. A fit that does not converge or ends at a bound is NG_OK with flags.
 * Notes:  same seed, same result for any number of threads.
 * Source: docs/rate-estimator.md; physics.md section 5(a) of the design; [Kim] SI.
 */
NG_MUST_CHECK ng_status ng_growth_fit_run(const ng_trajectories *trajectories,
                                          const ng_growth_fit_options *options, const ng_run *run,
                                          ng_growth_fit *out, ng_warnings *warnings, ng_error *err);
void ng_growth_fit_free(ng_growth_fit *fit);

/** Values of sigma_s that are tried where it is fitted. */
#define NG_SIGMA_VALUES 6

/** Where sigma_s of a material is not known (iron-oxide, CdSe): its range; else false. */
bool ng_growth_sigma_range(const ng_material *material, double *lower_nm, double *upper_nm);

/** Options for samples from a flask: the survival function, a shape constant in time, sizes trimmed
 *  by 20 at the ends of a window, the variance curve to 1e-5. */
ng_growth_fit_options ng_growth_fit_flask(const ng_material *material);

/**
 * The same for samples drawn from a flask: quantiles are followed as particles (nucgrow/samples.h),
 * the bootstrap draws particles anew within each sample. sigma_s is the best of NG_SIGMA_VALUES
 * between options->sigma_lower_nm and sigma_upper_nm.
 *
 * Result: options->samples, ->sample; the trajectories (owned: ng_trajectories_free) and the fit.
 */
NG_MUST_CHECK ng_status ng_growth_fit_samples(const ng_samples *samples,
                                              ng_growth_fit_options *options, const ng_run *run,
                                              ng_trajectories *trajectories, ng_growth_fit *out,
                                              ng_warnings *warnings, ng_error *err);

/** One evaluation of the costs, for benches and tests: growth-rate cost and variance cost of the
 *  psi-flux at given parameters with S(t) and, if delta_mode says so, delta(t) eliminated. */
typedef struct ng_rate_problem
    ng_rate_problem; /* opaque: the data of the residual, prepared once */
NG_MUST_CHECK ng_status ng_rate_problem_create(const ng_trajectories *t, const double *weight,
                                               const ng_growth_fit_options *options,
                                               ng_rate_problem **out, ng_error *err);
void ng_rate_problem_destroy(ng_rate_problem *problem);
NG_MUST_CHECK ng_status ng_rate_problem_cost(ng_rate_problem *problem,
                                             const ng_growth_parameters *parameters,
                                             ng_rate_cost *out, ng_error *err);
/** Frames used, and (size, frame) pairs whose residual enters the cost. */
void ng_rate_problem_size(const ng_rate_problem *problem, size_t *frames, size_t *sizes);
/** S(t) and delta(t) of the last evaluation, one per frame used (either may be NULL). */
void ng_rate_problem_series(const ng_rate_problem *problem, double *time_s, double *supersaturation,
                            double *delta);

/* ---- several data sets, one law -------------------------------------------------------------- */

/** Data sets that share eps_f, eps_e, alpha4, K and kr; each keeps its S(t) and delta. */
typedef struct ng_growth_joint {
    size_t n_sets;
    ng_growth_fit *set;   /* owned: each data set at the shared parameters, with their intervals */
    ng_growth_fit *alone; /* owned: each by itself */
    bool converged;
    double objective; /* mean over all residuals */
    /* is sharing supported? */
    double statistic; /* sum over sets of observations times the relative rise of the misfit */
    double freedom;   /* chi-square's degrees of freedom: five a further set, less what is fixed */
    double probability;
} ng_growth_joint;

/**
 * Fit several data sets together; options as for one, starts and bootstrap too (`options->samples`
 * must be NULL). A replicate resamples the particles of every set.
 * Errors: as ng_growth_fit_run; NG_USAGE with fewer than two sets.
 */
NG_MUST_CHECK ng_status ng_growth_joint_run(const ng_trajectories *const *sets, size_t n_sets,
                                            const ng_growth_fit_options *options,
                                            const ng_run *run, ng_growth_joint *out,
                                            ng_warnings *warnings, ng_error *err);
void ng_growth_joint_free(ng_growth_joint *joint);

/* ---- what follows from a fit ------------------------------------------------------------- */

/** fit-growth.json of docs/results.md without schema, provenance, warnings, ensemble; owned by the
 *  caller: parameters, costs, potential with band and reconstruction, series, growth-rate profiles,
 *  moments, free energy, phases with their regime, sensitivity, identifiability, bootstrap. */
NG_MUST_CHECK ng_status ng_growth_fit_json(const ng_growth_fit *fit, const ng_trajectories *t,
                                           const ng_growth_fit_options *options,
                                           const ng_material *material, struct json_t **out,
                                           ng_warnings *warnings, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
