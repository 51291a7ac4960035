/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared by the files of the forward estimator (docs/forward-estimator.md). A particle is followed
 * in x = n^(2/3), the area of its image in units of one monomer's: noise is about even there and
 * growth nearly linear. Each attachment moves x up and each detachment down,
 *
 *     dx/dt = c [S a(x) - b(x)],   a = k_n^a rho_1inf [(n+1)^(2/3) - n^(2/3)],
 *                                  b = k_n^d [n^(2/3) - (n-1)^(2/3)],
 *
 * with variance c [S a + b] (2/3) x^(-1/2) per time; c is the particle's own speed.
 */
#ifndef NUCGROW_FORWARD_INTERNAL_H
#define NUCGROW_FORWARD_INTERNAL_H

#include "fit_internal.h"

#include <nucgrow/forward.h>

/* Most parameters of a fit: five, shape, S(t), noise, spread; a multiple of 8. */
#define FORWARD_MAX 64
#define FORWARD_NONE SIZE_MAX

/* ---- a quantity over time: a B-spline ---------------------------------------------------- */

/* Values at `count` times: value[i] = sum_k weight[4 i + k] coefficient[first[i] + k]. */
typedef struct forward_basis {
    size_t n; /* coefficients */
    size_t count;
    unsigned *first;
    double *weight;
} forward_basis;
/* Spline of `order` (1 constant, 2 one line with n = 2, 4 cubic) with n coefficients over
 * [0, duration], at time_s[0..count). */
ng_status ng_forward_basis_create(size_t order, size_t n, double duration_s, const double *time_s,
                                  size_t count, forward_basis *out, ng_error *err);
void ng_forward_basis_free(forward_basis *basis);
double ng_forward_basis_value(const forward_basis *basis, const double *coefficient, size_t i);
/* Coefficients that come closest to values at the basis's times (least squares, ridge 1e-6). */
ng_status ng_forward_basis_project(const forward_basis *basis, const double *value,
                                   double *coefficient, ng_error *err);

/* ---- rates over x ------------------------------------------------------------------------ */

/* Columns of a row of the table; derivatives by ln kr are the rates themselves. */
enum {
    FORWARD_A,
    FORWARD_A_K,
    FORWARD_A_DELTA,
    FORWARD_B,
    FORWARD_B_FACE,
    FORWARD_B_EDGE,
    FORWARD_B_ALPHA,
    FORWARD_B_K,
    FORWARD_B_DELTA,
    FORWARD_COLUMNS
};

typedef struct forward_rates {
    size_t count; /* nodes */
    double x_min, x_max,
        step;    /* node i stands at x_min + (i - 1) step; outside: rates of the end */
    double *row; /* count x FORWARD_COLUMNS */
} forward_rates;
ng_status ng_forward_rates_create(double n_max, forward_rates *out, ng_error *err);
void ng_forward_rates_free(forward_rates *rates);
/* Which law of the potential the table holds. */
typedef enum forward_potential {
    FORWARD_LATTICE,
    FORWARD_GIBBS_THOMSON /* the n^(-1/3) term alone stands for the faces */
} forward_potential;
/* `derivatives` false: columns A and B only. */
void ng_forward_rates_fill(forward_rates *rates, const ng_growth_parameters *p, double delta,
                           double sigma_s_nm, forward_potential potential, bool derivatives);

/* ---- observations ------------------------------------------------------------------------ */

/* What particles that begin at about the same time are like, before one is looked at. */
typedef struct forward_prior {
    double mean, variance; /* of x; variance HUGE_VAL: nothing is known */
} forward_prior;

typedef struct forward_data {
    size_t n_tracks, n_points, n_frames, n_observed;
    size_t *first;  /* n_tracks + 1; points of a track stand in consecutive frames */
    size_t *origin; /* particle that a track belongs to: pieces of one share a speed only by chance,
                       but are resampled together */
    unsigned *frame;
    double *x;            /* NAN: not seen */
    forward_prior *prior; /* of each track */
    double frame_s, sigma_s_nm;
    double noise_scale, noise_power; /* s.d. of x: scale x^power */
    double n_largest;
    size_t outliers;
} forward_data;
ng_status ng_forward_data_make(const ng_trajectories *t, forward_data *out, ng_error *err);
void ng_forward_data_free(forward_data *data);

/* Point of a track's first observation; first[track + 1]: there is none. */
size_t ng_forward_first_seen(const forward_data *data, size_t track);

/* ---- samples from a flask ---------------------------------------------------------------- */

/* What stands for observations where no particle was followed: the first sample as Gaussian
 * particles, which growth carries forward, and the later ones, against which their mixture is held.
 * In the data each later sample is a track. */
typedef struct forward_flask {
    size_t n_begin; /* particles of the first sample, rising */
    double *begin;  /* x */
    size_t n_kernels;
    double *mean, *variance; /* of x, of each kernel; equal shares */
    double middle, width_sd; /* mean of all; s.d. of ln width of the first sample, which is drawn
                                too: the parameter `noise` is its ln width over that drawn */
    size_t n_samples;
    double *time_s;    /* of each later sample, since the first */
    size_t *first;     /* n_samples + 1: bins of each sample */
    double *x, *count; /* of a bin: mean of its particles, and how many */
    double scatter;    /* s.d. of ln r by which a whole sample is off, beyond its particles */
    double reach;      /* x up to which particles may lie */
} forward_flask;
/* `data` becomes the later samples, `out` all of them. */
ng_status ng_forward_flask_make(const ng_samples *samples, const ng_trajectories *t,
                                forward_data *data, forward_flask *out, ng_error *err);
void ng_forward_flask_free(forward_flask *flask);
/* Another drawing from the same flask: particles within samples, and each sample's own error. */
ng_status ng_forward_flask_draw(const forward_flask *flask, gsl_rng *rng, forward_flask *out,
                                ng_error *err);

/* ---- parameters -------------------------------------------------------------------------- */

/* Where each parameter stands in the vector of search coordinates: eps_f, eps_e, alpha4, ln K,
 * ln kr, then shape, ln S(t), ln noise, ln spread. */
typedef struct forward_layout {
    size_t n, shape, n_shape, supersaturation, n_supersaturation;
    size_t noise, spread; /* spread FORWARD_NONE: not part of the model */
    double lower[FORWARD_MAX], upper[FORWARD_MAX];
    bool fixed[FORWARD_MAX];
} forward_layout;

/* ---- likelihood -------------------------------------------------------------------------- */

typedef struct forward_problem {
    const forward_data *data; /* borrowed */
    const forward_layout *layout;
    const forward_basis *supersaturation; /* ln S at the middle of every step */
    const forward_basis *shape;           /* delta in every interval between frames */
    size_t steps;                         /* between two frames */
    forward_potential potential;
    const forward_flask *flask; /* instead of tracks; or NULL */
    const double *weight;       /* of each track, or NULL */
    const bool *held_out;       /* frames that are predicted but not learnt from, or NULL */
    size_t first_frames;        /* observations that tell where a particle began; all later ones are
                             predicted from there. SIZE_MAX: each corrects what is known of it */
    /* owned */
    forward_rates *rates; /* one where the shape is constant, else one an interval */
    size_t n_rates;
    double *S;       /* at the middle of every step */
    double *carried; /* of a flask: each kernel at each later sample */
    size_t evaluations;
} forward_problem;

/* What an evaluation gives; arrays may be NULL. */
typedef struct forward_result {
    double objective; /* -ln likelihood of what is learnt from */
    double held_out;  /* ln density of what is held out */
    size_t n_held_out;
    double gradient[FORWARD_MAX];
    double information[FORWARD_MAX * FORWARD_MAX]; /* expected; row length layout->n */
} forward_result;

ng_status ng_forward_problem_create(const forward_problem *like, forward_problem *out,
                                    ng_error *err);
void ng_forward_problem_free(forward_problem *p);
/* Evaluate; `derivatives` false: the objective only. `innovation` (n_points, may be NULL): by what
 * each observation differed from its prediction, over its s.d.; untouched where none was made.
 * `score` (n_tracks x layout->n, may be NULL): gradient of each track. */
void ng_forward_evaluate(forward_problem *p, const double *x, bool derivatives, forward_result *out,
                         double *innovation, double *score);
/* Rates and S(t) at given parameters. */
void ng_forward_tables_fill(forward_problem *p, const double *x, bool derivatives);
/* Kernel q at the start, at given parameters: mean and variance of x. */
void ng_forward_flask_begin(const forward_flask *flask, const forward_layout *layout,
                            const double *x, size_t q, double *mean, double *variance);
/* Numbers that ng_forward_flask_evaluate needs in `carried`. */
size_t ng_forward_flask_scratch(const forward_flask *flask, const forward_layout *layout);
/* ng_forward_evaluate of a flask, tables being filled; an innovation is sqrt(12) times what the
 * predicted distribution function at a particle lies from 1/2. */
void ng_forward_flask_evaluate(forward_problem *p, const double *x, bool derivatives,
                               forward_result *out, double *innovation, double *score);
/* Size of a track when it was first seen, from its first `frames` observations: mean and variance
 * of x, at the parameters of the last evaluation. */
void ng_forward_first_sight(const forward_problem *p, const double *parameters, size_t track,
                            size_t frames, double *mean, double *variance);

/* ---- a case: data, parameters, how they act ---------------------------------------------- */

typedef struct forward_case {
    const ng_trajectories *t;
    const ng_growth_fit_options *growth;
    const ng_forward_options *options;
    forward_data data;
    forward_flask flask; /* where growth->samples are given */
    forward_layout layout;
    forward_basis supersaturation, shape;
    double *middle_s; /* of every step */
    forward_problem like;
} forward_case;

/* The case keeps pointers into itself: it must not move. */
ng_status ng_forward_case_create(const ng_trajectories *t, const ng_growth_fit_options *growth,
                                 const ng_forward_options *options, forward_case *out,
                                 ng_error *err);
void ng_forward_case_free(forward_case *c);
/* Search coordinates at given parameters, S(t) by the rate estimator at these. */
ng_status ng_forward_case_start(const forward_case *c, const ng_growth_parameters *from,
                                double delta, double *x, ng_error *err);
/* One parameter more is taken as known: value and index. */
void ng_forward_layout_fix(forward_layout *layout, size_t index);
/* Mean of delta over the intervals. */
double ng_forward_case_delta(const forward_case *c, const double *x);

/* ---- search ------------------------------------------------------------------------------ */

typedef struct forward_search {
    double x[FORWARD_MAX];
    double objective;
    ng_fit_stop stop;
    size_t iterations, evaluations;
} forward_search;
/* A spring that holds the potential mu_n at one size where it is wanted. */
typedef struct forward_spring {
    double n, mu_kT;
} forward_spring;
/* mu_n at the mean shape, and its derivatives by all parameters (`slope` may be NULL). */
double ng_forward_potential(const forward_layout *l, const double *x, double n, double *slope);

/* When a search stops. */
typedef struct forward_limits {
    size_t held;                  /* index of a parameter that keeps its start, or FORWARD_NONE */
    size_t iterations;            /* at most */
    double gain;                  /* of ln likelihood: several steps that gain less are the end */
    const forward_spring *spring; /* or NULL */
} forward_limits;
/* The best point itself; one point of a profile; a resampling, whose scatter is far larger. */
#define FORWARD_GAIN_BEST 3e-4
#define FORWARD_GAIN_PROFILE 1e-3
#define FORWARD_GAIN_REPLICATE 1e-2
/* Bounded Levenberg-Marquardt (scoring) from out->x. */
void ng_forward_search_run(forward_problem *p, const forward_limits *limits,
                           forward_result *scratch, forward_search *out);
/* The same with a problem of its own. */
ng_status ng_forward_search_alone(const forward_problem *like, const forward_limits *limits,
                                  forward_search *out, ng_error *err);

/* ---- what is known ----------------------------------------------------------------------- */

/* Covariances at the best point over the parameters that are free to move there. */
typedef struct forward_knowledge {
    size_t n, index[FORWARD_MAX]; /* free ones */
    double *naive, *robust; /* n x n each, owned: inverse information; sandwich by particles */
    double *eigenvalue;     /* of the information, falling, owned */
    double effective;       /* observations */
    double calibration[FORWARD_MAX]; /* by index of the layout; 1 where not free */
} forward_knowledge;
/* Variance of slope' x by one of its covariances; `step` (may be NULL, FORWARD_MAX): how all
 * parameters move, to first order, when slope' x rises by 1. */
double ng_forward_variance(const forward_knowledge *k, const double *covariance,
                           const double *slope, double *step);
ng_status ng_forward_knowledge_make(const forward_problem *like, const double *x,
                                    forward_knowledge *out, ng_error *err);
void ng_forward_knowledge_free(forward_knowledge *k);

/* What resampling needs of the profile of mu_n at one size: pairs (signed root of the deviance,
 * mu), rising. */
typedef struct forward_mu_profile {
    double n; /* NAN: the potential was given */
    size_t count;
    double root[NG_PROFILE_POINTS], mu_kT[NG_PROFILE_POINTS];
} forward_mu_profile;
/* mu at a signed root, by interpolation, and beyond the ends in the direction of the last two. */
double ng_forward_mu_at(const forward_mu_profile *profile, double root);
/* The same from the standard error alone. */
void ng_forward_mu_normal(const forward_case *c, const forward_search *best,
                          const forward_knowledge *k, forward_mu_profile *out);

/* Profiles and intervals of the five, delta and mu. `improved`: a lower objective was met on the
 * way, and put into `best`; search and ask again. */
ng_status ng_forward_profiles(const forward_case *c, const forward_knowledge *k, const ng_run *run,
                              forward_search *best, bool *improved, forward_mu_profile *mu,
                              ng_growth_fit *fit, ng_forward_fit *out, ng_error *err);

/* ---- prediction -------------------------------------------------------------------------- */

/* Raw sizes as they would be measured, frame by frame. */
typedef struct forward_moments {
    size_t n_frames;
    double *mean, *variance;           /* owned; NAN where no particle */
    double *moment[NG_MOMENT_MAX + 1]; /* owned: <n^q>, q = 3.. */
    double dissolved;
    bool ran_away; /* sizes reached the end of any sensible range and gathered there */
} forward_moments;
ng_status ng_forward_moments_create(size_t n_frames, forward_moments *out, ng_error *err);
void ng_forward_moments_free(forward_moments *m);
/* Master equation from the first sights of all particles (weights of `p`) at parameters x. */
ng_status ng_forward_predict(const forward_case *c, const double *weight, const double *x,
                             forward_moments *out, ng_error *err);

/* The forward fit where that of the rate estimator is known. On failure `out` and `forward` are
 * empty. */
ng_status ng_forward_fit_from(const ng_trajectories *t, const ng_growth_fit_options *growth,
                              const ng_forward_options *options, const ng_run *run,
                              const ng_growth_fit *rate, ng_growth_fit *out,
                              ng_forward_fit *forward, ng_warnings *warnings, ng_error *err);

/* Fit each law of the potential; compare. */
ng_status ng_forward_compare(const forward_case *c, const forward_search *best, double effective,
                             const ng_run *run, ng_forward_fit *out, ng_error *err);

#endif
