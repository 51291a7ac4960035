/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rate estimator's problem: residual data plus the scratch that evaluating it needs. */
#include "fit_internal.h"

#include <math.h>

#define DELTA_STEP 0.02 /* grid of shape numbers: far finer than any fit resolves */
#define SLACK 1.05      /* resampled frames may smooth to slightly larger sizes */

ng_status ng_rate_nodes_for(const ng_trajectories *t, const ng_growth_fit_options *o,
                            rate_nodes *out, ng_error *err)
{
    double grid[64], n_max = RATE_N_MIN;
    size_t n_delta = 0;
    if (o->delta_mode == NG_DELTA_FIXED) {
        grid[n_delta++] = o->delta;
    } else {
        size_t last = (size_t)lround((NG_DELTA_MAX - NG_DELTA_MIN) / DELTA_STEP);
        for (; n_delta <= last; n_delta++) {
            /* by division: 1.76, not 1.7600000000000002 */
            grid[n_delta] = NG_DELTA_MIN + (double)n_delta / (1.0 / DELTA_STEP);
        }
    }
    for (size_t k = 0; k < t->n_points; k++) {
        n_max = fmax(n_max, t->n[k]);
    }
    return ng_rate_nodes_create(SLACK * n_max + 10.0, o->published, grid, n_delta, out, err);
}

static ng_status allocate(ng_rate_problem *p, ng_error *err)
{
    size_t n = p->data.n_frames, n_delta = p->data.nodes->n_delta, count = p->data.nodes->count;
    bool smooth = p->options.delta_mode == NG_DELTA_SMOOTH;
    p->attach_base = NG_NEW(double, count + 8);
    p->boltzmann = NG_NEW(double, count *n_delta + 8);
    p->quadratic = NG_NEW(rate_quadratic, n * n_delta);
    p->delta_index = NG_NEW(size_t, n);
    p->supersaturation = NG_NEW(double, n);
    p->variance_u = NG_NEW(double, n);
    p->variance_w = NG_NEW(double, n);
    p->variance_e = NG_NEW(double, n);
    p->path = NG_NEW(double, 4 * n);
    p->path_a = NG_NEW(double, n);
    p->path_step = NG_NEW(double, n);
    p->path_from = NG_NEW(double, n);
    p->path_fixed = NG_NEW(bool, n);
    p->smooth_cost = smooth ? NG_NEW(double, n *n_delta) : NULL;
    p->smooth_from = smooth ? NG_NEW(unsigned char, n *n_delta) : NULL;
    p->column = NG_NEW(double, RATE_COLUMNS *(p->data.max_rows + 8));
    p->derivative = NG_NEW(rate_derivative, n);
    p->coupled = NG_NEW(double, (2 * NG_N_GROWTH_PARAMETERS + 2) * n);
    bool ok = p->attach_base && p->boltzmann && p->quadratic && p->delta_index &&
              p->supersaturation && p->variance_u && p->variance_w && p->variance_e && p->path &&
              p->path_a && p->path_step && p->path_from && p->path_fixed && p->column &&
              p->derivative && p->coupled && (!smooth || (p->smooth_cost && p->smooth_from));
    return ok ? NG_OK
              : NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu frames, %zu sizes", n,
                        count);
}

ng_status ng_rate_problem_make(const ng_trajectories *t, const double *weight,
                               const ng_growth_fit_options *o, const rate_nodes *nodes,
                               ng_rate_problem **out, ng_error *err)
{
    ng_status status = NG_OK;
    ng_rate_problem *p = NG_NEW(ng_rate_problem, 1);
    *out = NULL;
    if (!p) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory");
    }
    p->options = *o;
    p->share = 1.0;
    p->smooth_penalty = (double)NAN; /* not set yet */
    status = o->published ? ng_rate_data_psi_flux(t, weight, o, nodes, &p->data, err)
                          : ng_rate_data_particles(t, weight, o, nodes, &p->data, err);
    if (status == NG_OK) {
        status = allocate(p, err);
    }
    if (status != NG_OK) {
        ng_rate_problem_destroy(p);
        return status;
    }
    *out = p;
    return NG_OK;
}

ng_status ng_rate_problem_create(const ng_trajectories *t, const double *weight,
                                 const ng_growth_fit_options *o, ng_rate_problem **out,
                                 ng_error *err)
{
    rate_nodes nodes = {0};
    *out = NULL;
    ng_status status = ng_growth_fit_check(o, err);
    if (status == NG_OK) {
        status = ng_rate_nodes_for(t, o, &nodes, err);
    }
    if (status == NG_OK) {
        status = ng_rate_problem_make(t, weight, o, &nodes, out, err);
    }
    if (status != NG_OK) {
        ng_rate_nodes_free(&nodes);
        return status;
    }
    (*out)->own_nodes = nodes;
    (*out)->data.nodes = &(*out)->own_nodes;
    return NG_OK;
}

void ng_rate_problem_destroy(ng_rate_problem *p)
{
    if (!p) {
        return;
    }
    ng_rate_data_free(&p->data);
    ng_rate_nodes_free(&p->own_nodes);
    ng_free(p->attach_base);
    ng_free(p->boltzmann);
    ng_free(p->quadratic);
    ng_free(p->delta_index);
    ng_free(p->supersaturation);
    ng_free(p->variance_u);
    ng_free(p->variance_w);
    ng_free(p->variance_e);
    ng_free(p->path);
    ng_free(p->path_a);
    ng_free(p->path_step);
    ng_free(p->path_from);
    ng_free(p->path_fixed);
    ng_free(p->smooth_cost);
    ng_free(p->smooth_from);
    ng_free(p->column);
    ng_free(p->derivative);
    ng_free(p->coupled);
    ng_free(p);
}

ng_status ng_rate_problem_cost(ng_rate_problem *p, const ng_growth_parameters *q, ng_rate_cost *out,
                               ng_error *err)
{
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        if (!isfinite(ng_growth_parameter_get(q, i))) {
            return NG_FAIL(err, NG_DOMAIN, "growth parameter %s is not a number",
                           ng_growth_parameter_info()[i].name);
        }
    }
    *out = ng_rate_evaluate(p, q);
    return NG_OK;
}

void ng_rate_problem_size(const ng_rate_problem *p, size_t *frames, size_t *sizes)
{
    *frames = p->data.n_frames;
    *sizes = p->data.n_residuals;
}

void ng_rate_problem_series(const ng_rate_problem *p, double *time_s, double *supersaturation,
                            double *delta)
{
    for (size_t t = 0; t < p->data.n_frames; t++) {
        if (time_s) {
            time_s[t] = p->data.frame[t].time_s;
        }
        if (supersaturation) {
            supersaturation[t] = p->supersaturation[t];
        }
        if (delta) {
            delta[t] = p->data.nodes->delta[p->delta_index[t]];
        }
    }
}
