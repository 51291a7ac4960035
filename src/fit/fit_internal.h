/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared inside room `fit`: the data of the rate estimator's residual and how it is evaluated. */
#ifndef NUCGROW_FIT_INTERNAL_H
#define NUCGROW_FIT_INTERNAL_H

#include <nucgrow/fit.h>

/* Sizes below take no part: the lattice counts make spikes there (docs/models.md). */
#define RATE_N_MIN 50
#define RATE_MIN_FRAMES 2
/* Times its limit at which the variance cost counts as missed. */
#define GROWTH_LIMIT_MISSED 1.5

/* A forward fit whose mean lies within 5 % in fewer frames than this, and in fewer than a spline
 * through the data would by more than the margin, is not to be trusted; where the variance lies
 * within two s.d. in fewer frames than this, it says so. */
#define FORWARD_MEAN_SHARE 0.9
#define FORWARD_MEAN_MARGIN 0.05
#define FORWARD_VARIANCE_SHARE 0.8

/* ---- sizes and shapes: everything that depends on (n, delta) only ------------------------ */

/* Sizes at which rates are tabulated: every integer up to `dense`, then a ratio of 1.001. */
typedef struct rate_nodes {
    size_t count;
    double *n, *cbrt_n, *log1p_n; /* log1p_n = ln(1+1/n) */
    size_t n_delta;
    double *delta, *surface; /* grid of shape numbers and their surface factors */
    double *face, *edge;     /* n_delta x count: gain of sites */
} rate_nodes;

ng_status ng_rate_nodes_create(double n_max, bool every_integer, const double *delta,
                               size_t n_delta, rate_nodes *out, ng_error *err);
void ng_rate_nodes_free(rate_nodes *nodes);
/* The nodes that a fit of these trajectories needs. */
ng_status ng_rate_nodes_for(const ng_trajectories *t, const ng_growth_fit_options *options,
                            rate_nodes *out, ng_error *err);
/* Index of the node nearest to n (n >= 1; clamped at the last). */
unsigned ng_rate_nodes_find(const rate_nodes *nodes, double n);

/* exp(mu_n) at n nodes by the vector unit: 4 units in the last place. */
void ng_rate_boltzmann(const double *face, const double *edge, const double *log1p_n, size_t n,
                       const ng_growth_parameters *parameters, double *out);

/* ---- residual rows ----------------------------------------------------------------------- */

/*
 * One frame. Its rows are sizes (psi-flux) or particles; row i stands at node[i] with
 *     attachment column  u = attach * b(n),   detachment column  g = detach * b(n) * exp(mu_n),
 * b = n^(2/3)/(1+K n^(1/3)). The residual lives on the rows of the window:
 *     r = y - c (S U - F),  U = u - psi q sum(u),  F = g - psi q sum(g),  c = 4 pi sigma^2 f kr,
 * where q = 1/(<n>-1) and the sums run over all rows: the change of N is eliminated with the mean.
 * The variance curve moves by  e' = sum (lever + variance_growth) c (S u - g) - variance_observed.
 */
typedef struct rate_frame {
    size_t frame; /* index in the trajectories */
    double time_s;
    size_t begin, end, window_begin, window_end;
    double scale;     /* weight of a squared residual in the objective */
    double psi_scale; /* q; 0 where N does not enter */
    double yy, ypsi, psipsi;
    double lever_scale, lever_offset; /* lever of a row: scale * column + offset */
    double variance_growth;           /* (<n>-1)^2 - Var, times q; 0 for particles */
    double variance_observed; /* what moves the curve without the model: see rate_variance.c */
    double mean, variance;    /* data */
    double mean_lever; /* 1/N for particles, 0 for the psi-flux (the mean is no test there) */
    double mean_observed;
} rate_frame;

typedef struct rate_data {
    const rate_nodes *nodes; /* borrowed */
    double sigma_s_nm;
    bool psi_flux;
    size_t n_frames, n_rows, n_residuals, max_rows;
    rate_frame *frame;
    unsigned *node; /* NULL for the psi-flux: row i of a frame is node first_node + i */
    size_t *first_node;
    double *attach, *detach, *y;
    double *psi;                /* psi-flux only */
    double *lever, *mean_lever; /* particles only; the psi-flux has its sizes as lever column */
    double variance_range, variance_scale;
} rate_data;

ng_status ng_rate_data_psi_flux(const ng_trajectories *t, const double *weight,
                                const ng_growth_fit_options *options, const rate_nodes *nodes,
                                rate_data *out, ng_error *err);
ng_status ng_rate_data_particles(const ng_trajectories *t, const double *weight,
                                 const ng_growth_fit_options *options, const rate_nodes *nodes,
                                 rate_data *out, ng_error *err);
ng_status ng_rate_data_alloc(rate_data *data, size_t n_frames, size_t n_rows, ng_error *err);
void ng_rate_data_free(rate_data *data);
/* Points of the trajectories by frame: those of frame f are first[f] .. first[f+1]. */
typedef struct rate_members {
    size_t *first, *point; /* point: index in the trajectories' arrays */
    double *weight;        /* multiplicity of its trajectory, > 0 */
    size_t *before, *after; /* points between it and the ends of its trajectory */
    size_t most;           /* in one frame */
} rate_members;
ng_status ng_rate_members_create(const ng_trajectories *t, const double *weight, rate_members *out,
                                 ng_error *err);
void ng_rate_members_free(rate_members *members);
/* Weight of a frame, linear in time. */
double ng_rate_frame_weight(const ng_growth_fit_options *options, size_t frame, size_t n_frames);

/* ---- evaluation -------------------------------------------------------------------------- */

/* Cost of a frame at one shape number as a quadratic in S: a S^2 - 2 b S + c (scale included). */
typedef struct rate_quadratic {
    double a, b, c;
    bool known;
} rate_quadratic;
double ng_rate_cost_at(const rate_quadratic *q, double supersaturation);

/* Sums of a frame that depend on the attachment column only. */
typedef struct rate_attach_sums {
    double u, lever, uu, uy, upsi;
} rate_attach_sums;

/* A frame's share of the normal equations. */
typedef struct rate_derivative {
    double h[NG_N_GROWTH_PARAMETERS][NG_N_GROWTH_PARAMETERS]; /* sum D_i D_j */
    double hs[NG_N_GROWTH_PARAMETERS], ss;                    /* sum D_i D_S, sum D_S^2 */
    double g[NG_N_GROWTH_PARAMETERS], gs;                     /* -sum r D */
    double variance[NG_N_GROWTH_PARAMETERS];                  /* d(u S - w)/d theta */
} rate_derivative;
struct ng_rate_problem {
    ng_rate_problem *joint; /* further data of the same law, minimised together (borrowed) */
    double share;           /* of this problem's objective in the sum of all; 1 alone */
    rate_nodes own_nodes; /* used when the problem was made alone */
    rate_data data;
    ng_growth_fit_options options;
    double smooth_penalty; /* cost of a jump of 0.05 in delta; NAN = not set yet */

    /* tables of the current parameters */
    ng_growth_parameters parameters;
    double *attach_base; /* b at the nodes */
    double *boltzmann;   /* exp(mu): n_delta x count */

    rate_quadratic *quadratic;                    /* n_frames x n_delta */
    size_t *delta_index;                          /* chosen, per frame */
    double *supersaturation;                      /* chosen, per frame */
    double *variance_u, *variance_w, *variance_e; /* the curve: e' = u S - w, e the misfit */
    double *path, *path_a, *path_step,
        *path_from; /* scratch of rate_variance.c: 4, 1, 1 times n_frames */
    bool *path_fixed;
    double *smooth_cost; /* scratch of the smooth delta: n_frames x n_delta */
    unsigned char *smooth_from;
    double *column;      /* scratch: RATE_COLUMNS x max_rows */
    size_t column_frame; /* whose u and z the first two columns hold; SIZE_MAX: none */
    rate_attach_sums attach_sums;
    rate_derivative *derivative; /* n_frames */
    double *coupled;             /* scratch of the normal equations: (2 N + 2) n_frames */
    double lambda;               /* multiplier of the variance limit */
    size_t evaluations;
};

#define RATE_COLUMNS 8 /* u, z, E, d/d(eps_f, eps_e, alpha4, ln K, ln kr) */

ng_status ng_rate_problem_make(const ng_trajectories *t, const double *weight,
                               const ng_growth_fit_options *options, const rate_nodes *nodes,
                               ng_rate_problem **out, ng_error *err);
/* Fill attach_base and boltzmann for new parameters; forget the quadratics. */
void ng_rate_tables_fill(ng_rate_problem *p, const ng_growth_parameters *parameters);
#define RATE_MAX_SHAPES 16 /* in one call of ng_rate_kernel */
/* Make quadratic[frame][k] known for each k listed. */
void ng_rate_kernel(ng_rate_problem *p, size_t frame, const size_t *k, size_t n_k);
/* The model c (S u - g) at every row of a frame, at the chosen delta and S. */
void ng_rate_model_rows(ng_rate_problem *p, size_t frame, double *model);
/* c = 4 pi sigma^2 f(delta_k) kr. */
double ng_rate_prefactor(const ng_rate_problem *p, size_t k);

/* Choose delta(t) and S(t) at the current tables; returns the cost. */
ng_rate_cost ng_rate_evaluate(ng_rate_problem *p, const ng_growth_parameters *parameters);

/* Normal equations of the objective in (eps_f, eps_e, alpha4, ln K, ln kr), S(t) eliminated. */
typedef struct rate_normal {
    double h[NG_N_GROWTH_PARAMETERS][NG_N_GROWTH_PARAMETERS];
    double g[NG_N_GROWTH_PARAMETERS];
} rate_normal;
void ng_rate_normal_equations(ng_rate_problem *p, rate_normal *out);

void ng_rate_frame_derivative(ng_rate_problem *p, size_t frame, rate_derivative *out);

/* ---- variance curve ---------------------------------------------------------------------- */

/* u and w of the curve, e' = u S - w, in a frame at its chosen delta. */
void ng_rate_variance_frame(ng_rate_problem *p, size_t frame);
/* Misfit e at the chosen S; returns the variance cost, mean e^2. */
double ng_rate_variance_cost(ng_rate_problem *p);
/* S minimising sum quadratics + lambda V, kept in [0, max]. */
void ng_rate_variance_path(ng_rate_problem *p, double lambda);
/* Solve (diag(a) + lambda M' M) x = r in place, M the map from S to e; `fixed` rows give x = 0. */
void ng_rate_variance_solve(const ng_rate_problem *p, const double *a, double lambda,
                            const bool *fixed, double *x);
/* M x into y; M' x into y. */
void ng_rate_variance_apply(const ng_rate_problem *p, const double *x, double *y);
void ng_rate_variance_apply_transposed(const ng_rate_problem *p, const double *x, double *y);

/* ---- search ------------------------------------------------------------------------------ */

typedef struct rate_search {
    ng_growth_parameters best;
    ng_rate_cost cost;
    ng_fit_stop stop;
    size_t iterations;
} rate_search;
/* Bounded Levenberg-Marquardt from `start`; leaves the problem evaluated at the best point. */
void ng_rate_search_run(ng_rate_problem *p, const ng_growth_parameters *start,
                        size_t max_iterations, rate_search *out);
/* Parameters <-> search coordinates (ln K, ln kr). */
void ng_rate_to_coordinates(const ng_growth_parameters *p, double x[NG_N_GROWTH_PARAMETERS]);
void ng_rate_from_coordinates(const double x[NG_N_GROWTH_PARAMETERS], ng_growth_parameters *p);
/* Bounds in search coordinates. */
void ng_rate_bounds(double lower[NG_N_GROWTH_PARAMETERS], double upper[NG_N_GROWTH_PARAMETERS]);

/* Refit resampled trajectories from fit->best; fill replicates, intervals, flags. */
ng_status ng_growth_bootstrap(const ng_trajectories *t, const ng_growth_fit_options *options,
                              const rate_nodes *nodes, const ng_run *run, ng_growth_fit *fit,
                              ng_error *err);

/* Start `index` > 0 of a search, spread over the range of [Kim] Table 1. */
void ng_growth_scatter_start(const ng_growth_fit_options *options, size_t index,
                             ng_growth_parameters *out);
/* Arrays of the series, n frames each. */
ng_status ng_growth_series_create(size_t n, ng_growth_fit *out, ng_error *err);
void ng_growth_warn(const ng_growth_fit *fit, const ng_growth_fit_options *o,
                    ng_warnings *warnings);
/* Cost, profiles, reconstructed potential and sensitivities at options->start, a fixed delta and a
 * given S of each frame of the trajectories. */
ng_status ng_growth_describe(const ng_trajectories *t, const ng_growth_fit_options *options,
                             const double *supersaturation, ng_growth_fit *out, ng_error *err);

/* ---- samples from a flask ---------------------------------------------------------------- */

/* Quantiles of the samples and their residual at one of the values of sigma_s. */
typedef struct growth_flask {
    ng_trajectories trajectories;
    ng_rate_problem *problem;
} growth_flask;

/* How many values of sigma_s are tried: 1 where it is given. */
size_t ng_growth_sigma_count(const ng_growth_fit_options *options);
double ng_growth_sigma_at(const ng_growth_fit_options *options, size_t index);
/* `rng`: particles are drawn anew; NULL: as they are. */
ng_status ng_growth_flask_make(const ng_growth_fit_options *options, size_t sigma_index,
                               gsl_rng *rng, growth_flask *out, ng_error *err);
void ng_growth_flask_free(growth_flask *flask);

/* ---- what follows, while the problem stands at the best point ---------------------------- */

/* Mean and moments of the model over time. */
ng_status ng_growth_moments(ng_rate_problem *p, const ng_trajectories *t, ng_growth_fit *fit,
                            ng_error *err);
/* Cost of the flux J_n/N in the published normalisation, at the problem's present point: misfit
 * over squared range, mean over frames; of the kernel flux where particles were fitted. */
ng_status ng_growth_flux_cost(ng_rate_problem *p, const ng_trajectories *t,
                              const ng_rate_cost *evaluated, double *cost, ng_error *err);
/* Profiles at chosen times and the reconstructed potential. */
ng_status ng_growth_profiles(ng_rate_problem *p, const ng_trajectories *t, ng_growth_fit *fit,
                             ng_error *err);

/* End of an interval from n sorted replicates: position share*(n+1), so that a further replicate
 * falls beyond it with probability `share` (type 6; type 7 would make 50 replicates cover 91 %, not
 * 95 %). */
double ng_fit_interval_end(const double *sorted, size_t n, double share);
/* Percentile interval of n values (sorted in place), widened so that it holds `value`. */
void ng_fit_interval(double *x, size_t n, double level, double value, double *lower, double *upper);
/* Flag of parameter i by its value, its interval and its bounds. */
void ng_growth_flag_parameter(ng_fit_parameter *p, size_t i);
/* Percentile, linear interpolation (type 7), of n sorted values. */
double ng_fit_percentile(const double *sorted, size_t n, double share);
int ng_fit_compare_doubles(const void *a, const void *b);

#endif
