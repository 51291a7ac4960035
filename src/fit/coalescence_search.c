/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Least squares of A(t) between bounds. */
#include "coalescence_internal.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define STEP 1e-3 /* of a coordinate, for derivatives: above the grid's roughness */
#define DAMPING_FIRST 1e-2
#define DAMPING_LEAST 1e-9
#define DAMPING_MOST 1e9
#define COST_CHANGE 1e-7 /* relative, below which the search ends */
#define FLOOR 1e-9       /* of the damping, over the largest diagonal: flat directions stay */

double ng_coalescence_coordinate(const coalescence_target *t, size_t i, double value)
{
    const double low = t->lower[i], high = t->upper[i];
    return ng_coalescence_parameter_info()[i].logarithmic ? log(value / low) / log(high / low)
                                                          : (value - low) / (high - low);
}

double ng_coalescence_value(const coalescence_target *t, size_t i, double coordinate)
{
    const double low = t->lower[i], high = t->upper[i];
    return ng_coalescence_parameter_info()[i].logarithmic ? low * pow(high / low, coordinate)
                                                          : low + (high - low) * coordinate;
}

/* ---- one evaluation ---------------------------------------------------------------------- */

/* Does the parameter change k_f, or only what becomes of it? */
static bool changes_rate(size_t i)
{
    return i != NG_COALESCENCE_DENSITY && i != NG_COALESCENCE_P0 && i != NG_COALESCENCE_TP;
}

static ng_status rates(const coalescence_target *t, const double *parameter, double *rate,
                       ng_error *err)
{
    ng_coalescence_model model = t->model;
    memcpy(model.parameter, parameter, sizeof model.parameter);
    return ng_coalescence_run(&model, t->time_s, t->n, rate, NULL, err);
}

static double misfit(const coalescence_target *t, const double *parameter, const double *rate,
                     double *residual)
{
    double sum = 0.0;
    ng_coalescence_model model = t->model;
    memcpy(model.parameter, parameter, sizeof model.parameter);
    ng_coalescence_surviving(&model, t->time_s, rate, t->n, residual);
    for (size_t i = 0; i < t->n; i++) {
        residual[i] -= t->surviving[i];
        sum += residual[i] * residual[i];
    }
    return isfinite(sum) ? sum : (double)INFINITY;
}

ng_status ng_coalescence_cost(const coalescence_target *t, const double parameter[N_PARAMETERS],
                              double *residual, double *cost, ng_error *err)
{
    double *scratch = NG_NEW(double, 2 * t->n);
    if (scratch == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", t->n);
    }
    ng_status status = rates(t, parameter, scratch, err);
    if (status == NG_OK) {
        *cost = misfit(t, parameter, scratch, residual != NULL ? residual : scratch + t->n);
    }
    ng_free(scratch);
    return status;
}

/* A coordinate moved by STEP, inwards where it stands at the upper bound. */
static double moved(const coalescence_target *t, size_t i, double value, double *step)
{
    const double z = ng_coalescence_coordinate(t, i, value);
    *step = z + STEP <= 1.0 ? STEP : -STEP;
    return ng_coalescence_value(t, i, z + *step);
}

ng_status ng_coalescence_jacobian(const coalescence_target *t, const double parameter[N_PARAMETERS],
                                  double *jacobian, ng_error *err)
{
    double *rate = NG_NEW(double, 4 * t->n);
    if (rate == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", t->n);
    }
    double *rate_beside = rate + t->n, *here = rate + 2 * t->n, *beside = rate + 3 * t->n;
    ng_status status = rates(t, parameter, rate, err);
    (void)misfit(t, parameter, rate, here);
    for (size_t i = 0; i < N_PARAMETERS && status == NG_OK; i++) {
        double other[N_PARAMETERS], step = STEP;
        memcpy(other, parameter, sizeof other);
        other[i] = moved(t, i, parameter[i], &step);
        if (t->free[i] && changes_rate(i)) {
            status = rates(t, other, rate_beside, err);
        }
        if (t->free[i] && status == NG_OK) {
            (void)misfit(t, other, changes_rate(i) ? rate_beside : rate, beside);
        }
        for (size_t k = 0; k < t->n; k++) {
            jacobian[k * N_PARAMETERS + i] = t->free[i] ? (beside[k] - here[k]) / step : 0.0;
        }
    }
    ng_free(rate);
    return status;
}

/* ---- one step ---------------------------------------------------------------------------- */

typedef struct normal {
    double matrix[N_PARAMETERS][N_PARAMETERS], gradient[N_PARAMETERS];
    bool moves[N_PARAMETERS]; /* free, and not pushed against its bound */
} normal;

static void normal_equations(const coalescence_target *t, const double *jacobian,
                             const double *residual, const double *z, normal *out)
{
    *out = (normal){0};
    for (size_t k = 0; k < t->n; k++) {
        const double *row = &jacobian[k * N_PARAMETERS];
        for (size_t i = 0; i < N_PARAMETERS; i++) {
            out->gradient[i] += row[i] * residual[k];
            for (size_t j = 0; j < N_PARAMETERS; j++) {
                out->matrix[i][j] += row[i] * row[j];
            }
        }
    }
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        out->moves[i] = t->free[i] && !(z[i] <= 0.0 && out->gradient[i] > 0) &&
                        !(z[i] >= 1.0 && out->gradient[i] < 0);
    }
}

/* z + step of the damped equations, clipped to the bounds; false when they are singular. */
static bool damped_step(const normal *e, double damping, const double *z, double *next)
{
    double a[N_PARAMETERS * N_PARAMETERS], b[N_PARAMETERS], x[N_PARAMETERS], most = 0.0;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        most = fmax(most, e->matrix[i][i]);
    }
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        for (size_t j = 0; j < N_PARAMETERS; j++) {
            a[i * N_PARAMETERS + j] = e->moves[i] && e->moves[j] ? e->matrix[i][j] : 0.0;
        }
        a[i * N_PARAMETERS + i] += e->moves[i] ? damping * (e->matrix[i][i] + FLOOR * most) : 1.0;
        b[i] = e->moves[i] ? -e->gradient[i] : 0.0;
    }
    gsl_matrix_view A = gsl_matrix_view_array(a, N_PARAMETERS, N_PARAMETERS);
    gsl_vector_view B = gsl_vector_view_array(b, N_PARAMETERS);
    gsl_vector_view X = gsl_vector_view_array(x, N_PARAMETERS);
    if (!(most > 0) || gsl_linalg_cholesky_decomp1(&A.matrix) != 0 ||
        gsl_linalg_cholesky_solve(&A.matrix, &B.vector, &X.vector) != 0) {
        return false;
    }
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        next[i] = fmin(fmax(z[i] + x[i], 0.0), 1.0);
    }
    return true;
}

static void values_of(const coalescence_target *t, const double *start, const double *z,
                      double *parameter)
{
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        parameter[i] = t->free[i] ? ng_coalescence_value(t, i, z[i]) : start[i];
    }
}

/* ---- search ------------------------------------------------------------------------------ */

typedef struct search {
    const coalescence_target *target;
    double z[N_PARAMETERS], damping;
    double *residual, *trial, *jacobian;
    coalescence_found *out;
} search;

/* Raise the damping until a step lowers the misfit. false: none does. */
static ng_status improve(search *s, const normal *e, bool *better, ng_error *err)
{
    const coalescence_target *t = s->target;
    *better = false;
    while (!*better && s->damping <= DAMPING_MOST) {
        double z[N_PARAMETERS], parameter[N_PARAMETERS], cost = (double)INFINITY;
        if (damped_step(e, s->damping, s->z, z)) {
            values_of(t, s->out->parameter, z, parameter);
            ng_status status = ng_coalescence_cost(t, parameter, s->trial, &cost, err);
            if (status != NG_OK) {
                return status;
            }
            s->out->evaluations++;
        }
        *better = cost < s->out->cost;
        if (*better) {
            memcpy(s->z, z, sizeof s->z);
            memcpy(s->out->parameter, parameter, sizeof parameter);
            memcpy(s->residual, s->trial, t->n * sizeof *s->residual);
            s->out->cost = cost;
            s->damping = fmax(s->damping / 5.0, DAMPING_LEAST);
        } else {
            s->damping *= 4.0;
        }
    }
    return NG_OK;
}

static ng_status iterate(search *s, ng_error *err)
{
    const coalescence_target *t = s->target;
    coalescence_found *out = s->out;
    size_t quiet = 0;
    for (size_t k = 0; k < t->max_iterations; k++) {
        const double before = out->cost;
        normal e;
        bool better = false;
        ng_status status = ng_coalescence_jacobian(t, out->parameter, s->jacobian, err);
        if (status != NG_OK) {
            return status;
        }
        out->evaluations += N_PARAMETERS;
        normal_equations(t, s->jacobian, s->residual, s->z, &e);
        status = improve(s, &e, &better, err);
        if (status != NG_OK) {
            return status;
        }
        quiet = before - out->cost <= COST_CHANGE * before ? quiet + 1 : 0;
        if (!better || quiet >= 2) {
            out->stop = better ? NG_STOP_COST : NG_STOP_STEP;
            return NG_OK;
        }
    }
    out->stop = NG_STOP_ITERATIONS;
    return NG_OK;
}

ng_status ng_coalescence_search(const coalescence_target *t, const double start[N_PARAMETERS],
                                coalescence_found *out, ng_error *err)
{
    *out = (coalescence_found){.cost = (double)INFINITY, .stop = NG_STOP_EVALUATED};
    memcpy(out->parameter, start, sizeof out->parameter);
    search s = {.target = t, .damping = DAMPING_FIRST, .out = out};
    size_t n_free = 0;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        s.z[i] = t->free[i] ? fmin(fmax(ng_coalescence_coordinate(t, i, start[i]), 0.0), 1.0) : 0.0;
        n_free += t->free[i];
    }
    values_of(t, start, s.z, out->parameter);
    s.residual = NG_NEW(double, 2 * t->n);
    s.jacobian = NG_NEW(double, t->n *N_PARAMETERS);
    ng_status status = NG_OK;
    if (!s.residual || !s.jacobian) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", t->n);
        goto out;
    }
    s.trial = s.residual + t->n;
    status = ng_coalescence_cost(t, out->parameter, s.residual, &out->cost, err);
    out->evaluations = 1;
    if (status == NG_OK && n_free > 0 && isfinite(out->cost)) {
        status = iterate(&s, err);
    }

out:
    ng_free(s.residual);
    ng_free(s.jacobian);
    return status;
}
