/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the coalescence fit. */
#ifndef NUCGROW_COALESCENCE_INTERNAL_H
#define NUCGROW_COALESCENCE_INTERNAL_H

#include "fit_internal.h"

#include <nucgrow/coalescence.h>

#define N_PARAMETERS NG_N_COALESCENCE
#define COALESCENCE_STEPS 150 /* time steps of a search, at most one a frame where there are more */
#define COALESCENCE_FINER 4   /* the best point is solved on a grid so many times finer */

/* ---- tracks ---------------------------------------------------------------------------------- */

/* Last point of a track before `frame`, and the one in it; NULL: none. */
const ng_track_point *ng_coalescence_last_before(const ng_tracks *t, size_t track, long frame);
const ng_track_point *ng_coalescence_at(const ng_tracks *t, size_t track, long frame);

/* ---- search ---------------------------------------------------------------------------------- */

/* What a search minimises: the squared misfit of A(t). */
typedef struct coalescence_target {
    ng_coalescence_model model; /* laws and settings; its parameters are overwritten */
    const double *time_s, *surviving;
    size_t n;
    double lower[N_PARAMETERS], upper[N_PARAMETERS];
    bool free[N_PARAMETERS];
    size_t max_iterations;
} coalescence_target;

typedef struct coalescence_found {
    double parameter[N_PARAMETERS];
    double cost; /* sum of squares; INFINITY where nothing could be evaluated */
    ng_fit_stop stop;
    size_t evaluations;
} coalescence_found;

/* Parameters <-> coordinates: 0 at the lower, 1 at the upper bound, linear or in the logarithm. */
double ng_coalescence_coordinate(const coalescence_target *t, size_t i, double value);
double ng_coalescence_value(const coalescence_target *t, size_t i, double coordinate);
/* Misfit and residuals (model less data; may be NULL) at given parameters. */
NG_MUST_CHECK ng_status ng_coalescence_cost(const coalescence_target *t,
                                            const double parameter[N_PARAMETERS], double *residual,
                                            double *cost, ng_error *err);
/* Derivatives of the residuals by the coordinates of free parameters: n rows of N_PARAMETERS. */
NG_MUST_CHECK ng_status ng_coalescence_jacobian(const coalescence_target *t,
                                                const double parameter[N_PARAMETERS],
                                                double *jacobian, ng_error *err);
/* Levenberg-Marquardt between the bounds. */
NG_MUST_CHECK ng_status ng_coalescence_search(const coalescence_target *t,
                                              const double start[N_PARAMETERS],
                                              coalescence_found *out, ng_error *err);

/* ---- fit ------------------------------------------------------------------------------------- */

/* Bounds and start values that the data suggest. */
void ng_coalescence_bounds(const ng_coalescence_data *data, const ng_coalescence_series *series,
                           const ng_coalescence_options *options, coalescence_target *target,
                           double start[N_PARAMETERS]);
/* P0 and t_P by least squares from the particles as they were seen to arrive. */
void ng_coalescence_arrivals(const ng_coalescence_data *data, const ng_coalescence_series *series,
                             double *supply, double *until_s);
/* Does parameter i describe the supply, and the supply alone? */
bool ng_coalescence_of_supply(size_t i);
/* Replicates, their intervals and bands; profiles; flags. */
NG_MUST_CHECK ng_status ng_coalescence_intervals(const ng_coalescence_data *data,
                                                 const ng_coalescence_options *options,
                                                 const coalescence_target *target,
                                                 const ng_run *run, ng_coalescence_fit *fit,
                                                 ng_error *err);
/* Model with the settings of `options`, on a grid of `cells`. */
ng_coalescence_model ng_coalescence_model_of(const ng_coalescence_data *data,
                                             const ng_coalescence_options *options,
                                             const ng_coalescence_laws *laws, size_t cells);

#endif
