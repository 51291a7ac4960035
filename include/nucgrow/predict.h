/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/predict.h
 * Room `predict`: what a fitted growth law says of another synthesis. May include base, data,
 * physics, ensemble, solve.
 *
 * Everything is per particle: a movie counts particles and not the litres around them. The supply
 * p(t) is the number of monomers that the precursor sets free per second and particle,
 *
 *     p = dS/dt w + u,      u = S <k^a rho_1inf> - <k^d>,
 *
 * u being what a particle takes up on average, and w the number of monomers that are dissolved per
 * particle at the solubility: the one number that a fit cannot give. w = 0, the default, is the
 * quasi-steady limit: what is set free is taken up at once. docs/predict.md derives all of it.
 */
#ifndef NUCGROW_PREDICT_H
#define NUCGROW_PREDICT_H

#include <nucgrow/base.h>
#include <nucgrow/data.h>
#include <nucgrow/ensemble.h>
#include <nucgrow/physics.h>
#include <nucgrow/solve.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a fit at rest ----------------------------------------------------------------------- */

/** What the prediction takes from fit-growth.json. Arrays are owned: ng_fit_file_free. */
typedef struct ng_fit_file {
    char estimator[32], material[64];
    bool trusted;
    double level; /* of its intervals */
    double sigma_s_nm;
    ng_growth_parameters best;
    double delta; /* mean over the frames */
    size_t n_replicates;
    ng_growth_parameters *replicate;
    double *replicate_delta; /* mean of each; that of the estimate where the file has none */
    double sampled_first_n, sampled_last_n; /* sizes whose growth the fit saw */
    size_t n_times;                         /* >= 2 */
    double *time_s, *supersaturation;       /* time_s increases */
    double *particles, *mean_n, *var_n;
    ng_ensemble_options settings; /* how trajectories were made */
    ng_tracks tracks;
} ng_fit_file;

/** Schema that is read. */
#define NG_FIT_FILE_SCHEMA "nucgrow/fit-growth/1"

/**
 * Read a fit. Unknown keys are passed over; those needed are `estimator, trusted, level, material,
 * parameters, delta, potential.sampled_*, series, bootstrap.parameters, ensemble.settings` and
 * `ensemble.tracks`. `bootstrap.delta` is used where it is there.
 *
 * Errors: NG_IO; NG_FORMAT (no JSON, another schema or version, a key missing or of the wrong
 *         kind), NG_INVALID (a number out of range, null, lengths that differ). The message names
 *         the file, the key, what was found and what is needed.
 */
NG_MUST_CHECK ng_status ng_fit_file_read(const char *path, ng_fit_file *out, ng_error *err);
/** The same from memory; `name` is used in messages. */
NG_MUST_CHECK ng_status ng_fit_file_parse(const char *text, size_t length, const char *name,
                                          ng_fit_file *out, ng_error *err);
void ng_fit_file_free(ng_fit_file *fit);

/* ---- temperature ------------------------------------------------------------------------- */

/**
 * How the law changes with temperature. Energies e of the potential are free energies over kT,
 * e(T) = (h - T s)/kT with constant h and s; rates follow Arrhenius, the solubility van 't Hoff.
 * Where everything is 0 but the shares, a temperature acts through eps_f and eps_e alone.
 */
typedef struct ng_temperature {
    double reference_K, T_K;         /* of the fit; of the prediction */
    double eps_f_share, eps_e_share; /* h/kT over e at the reference: 1 all enthalpy, 0 entropy */
    double attachment_kJ_per_mol;    /* barrier of the attachment constant kappa_a */
    double diffusion_kJ_per_mol;     /* barrier of the monomers' diffusion */
    double solution_kJ_per_mol;      /* enthalpy of solution: of the solubility */
    double supply_kJ_per_mol;        /* barrier of the supply */
} ng_temperature;

/** 298.15 K both, shares 1, energies 0. */
ng_temperature ng_temperature_defaults(void);
/** Parameters at T_K: eps (share T0/T + 1 - share); kr by kappa_a and the solubility, K by kappa_a
 *  over the diffusion; alpha4 stays. */
ng_growth_parameters ng_temperature_parameters(const ng_temperature *t,
                                               const ng_growth_parameters *at_reference);
/** Solubility and supply at T_K over those at the reference. */
double ng_temperature_solubility(const ng_temperature *t);
double ng_temperature_supply(const ng_temperature *t);

/* ---- where growth focuses ---------------------------------------------------------------- */

/** Growth law of one size: v = k^a S - k^d, monomers a second, as functions of a real n. */
typedef struct ng_growth_law {
    ng_growth_parameters parameters;
    double delta, sigma_s_nm;
} ng_growth_law;

double ng_growth_velocity(const ng_growth_law *law, double supersaturation, double n);
/** v'(n), 1/s; differences of k^a and k^d over two monomers. Negative: sizes n focus. */
double ng_growth_slope(const ng_growth_law *law, double supersaturation, double n);

/** Supersaturations at which the spread at size n turns. */
typedef struct ng_focus_limits {
    double number;   /* v' < 0 below this: monomer numbers focus */
    double radius;   /* above this the radii of growing particles focus: v' < 2v/(3n) */
    double relative; /* above this the relative spread of n falls: v' < v/n */
} ng_focus_limits;

/** NAN where there is no such S (0 .. infinity). */
ng_focus_limits ng_growth_focus_limits(const ng_growth_law *law, double n);

/* ---- a run ------------------------------------------------------------------------------- */

/** What drives a run. */
typedef enum ng_drive {
    NG_DRIVE_SUPPLY,         /* the law is a supply, monomers per second and particle */
    NG_DRIVE_SUPERSATURATION /* the law is S(t) */
} ng_drive;

/** A size distribution to start from: points, each spread as a lognormal. Borrowed arrays. */
typedef struct ng_start {
    const double *n, *weight; /* weight NULL: all 1 */
    size_t count;
    double spread; /* s.d. of ln n about each point, >= 0 */
} ng_start;

/** One forward run. What it points to is borrowed. */
typedef struct ng_predict_case {
    ng_growth_law law;
    ng_start start;
    ng_drive drive;
    ng_time_law input;             /* no NG_LAW_FUNCTION; a supply may be negative */
    double dissolved_per_particle; /* w, >= 0 */
    double start_supersaturation;  /* supply with w > 0 only */
    bool hold_at_zero; /* a supply that withdraws more than there is waits until there is more, S
                          being 0 meanwhile; else it ends the run */
} ng_predict_case;

/** Times of a run. */
typedef struct ng_predict_clock {
    double start_s, end_s;
    size_t n_times; /* of output, evenly from start to end, >= 2 */
    size_t steps;   /* between two of them, >= 1 */
} ng_predict_clock;

/** What a run gives at each time. Per particle of the start; NAN where nothing is left. */
typedef enum ng_predict_column {
    NG_PREDICT_NUMBER, /* particles left, over those at the start */
    NG_PREDICT_MEAN_N,
    NG_PREDICT_VAR_N,
    NG_PREDICT_RADIUS_NM, /* mean radius */
    NG_PREDICT_SD_NM,
    NG_PREDICT_S,
    NG_PREDICT_UPTAKE,   /* monomers per second, net */
    NG_PREDICT_SUPPLIED, /* monomers since the start */
    NG_PREDICT_MASS,     /* monomers in particles */
    NG_PREDICT_GROWTH,   /* integral of 2 <(n - <n>) j> */
    NG_PREDICT_DETACHED, /* integral of 2 <k^d> */
    NG_PREDICT_COLUMNS
} ng_predict_column;

/** Sizes at which distributions are kept: bins between `edge`s, at output times `at`. */
typedef struct ng_predict_shapes {
    const double *edge; /* n_bins + 1, rising */
    size_t n_bins;
    const size_t *at; /* indices of output times, rising */
    size_t n_at;
} ng_predict_shapes;

/** What one run wrote, by row. */
typedef struct ng_predict_output {
    double *row;        /* n_times x NG_PREDICT_COLUMNS, the caller's */
    double *shape;      /* n_at x n_bins: share of the particles in the bin; NULL: not wanted */
    ng_status status;   /* of this run */
    char why[160];      /* it failed */
    double start_below; /* share of the start distribution below n = 50: left out */
    long n_max;         /* largest size of the grid that held it */
    double balance;     /* largest gap of the mass balance, over the monomers in particles */
    double held_s;      /* for so long S was held at 0 */
} ng_predict_output;

/**
 * Run up to NG_MASTER_SETS_MAX cases side by side by the master equation.
 *
 * Method:   ng_master with S constant over a step. By supply, S relaxes within a step exactly as
 *           w dS/dt = p + <k^d> - S <k^a rho_1inf> with averages taken in the middle of the step
 *           (extrapolated); what is left of the balance enters the next step, so that monomers are
 *           neither lost nor made. Second order in the step.
 * Sizes:    from 50; the grid grows until it holds all, to `n_limit`.
 * Errors:   NG_MEMORY, NG_INVALID for a clock or a case that makes no sense. What goes wrong in one
 *           run (a supply that withdraws more than there is, sizes beyond n_limit) stands in its
 *           output; its rows are NAN from there on.
 */
NG_MUST_CHECK ng_status ng_predict_march(const ng_predict_case *cases, size_t n_cases,
                                         const ng_predict_clock *clock,
                                         const ng_predict_shapes *shapes, long n_first_guess,
                                         long n_limit, ng_predict_output *out, ng_error *err);

/* ---- the whole prediction ---------------------------------------------------------------- */

/** What is asked. Start from ng_predict_defaults(). */
typedef struct ng_predict_options {
    ng_drive drive;
    const ng_time_law *law;        /* borrowed; NULL: as inferred from the fit */
    double scale;                  /* times the law, > 0 */
    double dissolved_per_particle; /* w at the reference temperature */
    const double *start_n; /* borrowed sizes to start from; NULL: those of the first frame */
    size_t n_start;
    double start_mean, start_spread; /* lognormal instead: mean n, s.d. of ln n; NAN: no */
    ng_temperature temperature;
    double duration_s;     /* NAN: as long as the fit, or what the target takes */
    size_t n_times, steps; /* output times; steps over a run at least */
    const double *shape_s; /* distributions wanted, seconds after the start; NULL: 6 even ones */
    size_t n_shapes;
    size_t replicates;                      /* at most; 0: no bands */
    double level;                           /* of the bands; NAN: that of the fit */
    double target_radius_nm, target_spread; /* of the radius; spread as a share; NAN: none */
    double grid_first, grid_last;           /* factors of the law */
    size_t n_grid;                          /* 0: no grid */
    long n_limit;                           /* largest monomer number */
} ng_predict_options;

ng_predict_options ng_predict_defaults(void);

/** A prediction: opaque but for its JSON. */
typedef struct ng_prediction ng_prediction;

/**
 * Predict.
 *
 * Result: `out`, owned: ng_prediction_destroy. Warnings say where it leaves what the fit saw.
 * Errors: NG_USAGE (an option out of range), NG_INVALID (the schedule makes a negative
 *         concentration; sizes outgrow n_limit), NG_TOO_LITTLE (no growth in the fit's
 *         tracks), NG_MEMORY, NG_CANCELLED.
 * Notes:  replicates and grid go through ng_parallel_for; same seed, same result.
 */
NG_MUST_CHECK ng_status ng_predict(const ng_fit_file *fit, const ng_predict_options *options,
                                   const ng_run *run, ng_prediction **out, ng_warnings *warnings,
                                   ng_error *err);
void ng_prediction_destroy(ng_prediction *p);
/** predicted.json of docs/results.md without schema, provenance and warnings; owned by the caller.
 *  NULL: no memory. */
struct json_t *ng_prediction_json(const ng_prediction *p);

/** Numbers of a table: the columns named, in this order. `#` lines and one header row (which
 *  names the columns in any order) are read; a table of fewer columns or none of these names is
 *  NG_FORMAT, a value that is no finite number NG_INVALID, both with line. `out`: n_rows x
 *  n_columns, owned (ng_free). */
NG_MUST_CHECK ng_status ng_predict_table_read(const char *path, const char *const *column,
                                              size_t n_columns, double **out, size_t *n_rows,
                                              ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
