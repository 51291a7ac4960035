/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded Levenberg-Marquardt for the five global numbers. GSL's has no bounds and wants the whole
 * residual vector; here only 5 x 5 normal equations exist, with S(t) eliminated from them. A
 * parameter at a bound whose gradient points outwards takes no part in a step. Damping follows
 * Nielsen, IMM-REP-1999-05.
 */
#include "fit_internal.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#define N NG_N_GROWTH_PARAMETERS
#define STEP_TOLERANCE 1e-6
#define COST_TOLERANCE 1e-7
#define GRADIENT_TOLERANCE 1e-10

void ng_rate_to_coordinates(const ng_growth_parameters *p, double x[N])
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < N; i++) {
        double value = ng_growth_parameter_get(p, i);
        x[i] = info[i].logarithmic ? log(value) : value;
    }
}

void ng_rate_from_coordinates(const double x[N], ng_growth_parameters *p)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < N; i++) {
        ng_growth_parameter_set(p, i, info[i].logarithmic ? exp(x[i]) : x[i]);
    }
}

void ng_rate_bounds(double lower[N], double upper[N])
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < N; i++) {
        lower[i] = info[i].logarithmic ? log(info[i].min) : info[i].min;
        upper[i] = info[i].logarithmic ? log(info[i].max) : info[i].max;
    }
}

/* Second derivatives that the variance curve adds once lambda couples the frames. */
static void add_variance_terms(ng_rate_problem *p, const rate_derivative *d, rate_normal *out)
{
    size_t n = p->data.n_frames;
    double *e = p->coupled, *de[N];
    double root = sqrt((double)n);
    (void)ng_rate_variance_cost(p);
    for (size_t t = 0; t < n; t++) {
        e[t] = p->variance_e[t] / root;
    }
    for (size_t i = 0; i < N; i++) {
        de[i] = p->coupled + (1 + i) * n;
        double running = 0.0;
        de[i][0] = 0.0;
        for (size_t t = 1; t < n; t++) {
            double half = 0.5 * (p->data.frame[t].time_s - p->data.frame[t - 1].time_s);
            running += half * (d[t].variance[i] + d[t - 1].variance[i]);
            de[i][t] = running / (p->data.variance_range * root);
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t t = 0; t < n; t++) {
            out->g[i] += p->lambda * de[i][t] * e[t];
            for (size_t j = 0; j < N; j++) {
                out->h[i][j] += p->lambda * de[i][t] * de[j][t];
            }
        }
    }
}

/* Cross terms between parameter i and S(t). */
static void cross_terms(ng_rate_problem *p, const rate_derivative *d, size_t i, double *x)
{
    size_t n = p->data.n_frames;
    if (p->lambda > 0.0) {
        ng_rate_variance_apply_transposed(p, p->coupled + (1 + i) * n, x);
    }
    for (size_t t = 0; t < n; t++) {
        double coupled = p->lambda > 0.0 ? p->lambda * x[t] : 0.0;
        x[t] = p->path_fixed[t] ? 0.0 : d[t].hs[i] + coupled;
    }
}

/* H - C' Hss^-1 C: what remains of the second derivatives when S(t) follows the parameters. */
static void eliminate_supersaturation(ng_rate_problem *p, const rate_derivative *d,
                                      rate_normal *out)
{
    size_t n = p->data.n_frames;
    double *cross = p->coupled + (1 + N) * n, *solved = cross + N * n;
    for (size_t t = 0; t < n; t++) {
        p->path_a[t] = d[t].ss;
    }
    for (size_t i = 0; i < N; i++) {
        double *x = cross + i * n;
        cross_terms(p, d, i, x);
        for (size_t t = 0; t < n; t++) {
            solved[t] = x[t];
        }
        if (p->lambda > 0.0) {
            ng_rate_variance_solve(p, p->path_a, p->lambda, p->path_fixed, solved);
        } else {
            for (size_t t = 0; t < n; t++) {
                solved[t] = p->path_a[t] > 0.0 ? solved[t] / p->path_a[t] : 0.0;
            }
        }
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t t = 0; t < n; t++) {
                sum += cross[j * n + t] * solved[t];
            }
            out->h[i][j] -= sum;
            if (i != j) {
                out->h[j][i] -= sum;
            }
        }
    }
}

void ng_rate_normal_equations(ng_rate_problem *p, rate_normal *out)
{
    *out = (rate_normal){0};
    for (size_t t = 0; t < p->data.n_frames; t++) {
        rate_derivative *d = &p->derivative[t];
        ng_rate_frame_derivative(p, t, d);
        double S = p->supersaturation[t];
        p->path_fixed[t] = S <= 0.0 || S >= p->options.supersaturation_max;
        for (size_t i = 0; i < N; i++) {
            out->g[i] += d->g[i];
            for (size_t j = 0; j < N; j++) {
                out->h[i][j] += d->h[i][j];
            }
        }
    }
    if (p->lambda > 0.0) {
        add_variance_terms(p, p->derivative, out);
    }
    eliminate_supersaturation(p, p->derivative, out);
}

/* Solve (H + mu D) step = -g over the coordinates that are free to move; false when it cannot. */
static bool damped_step(const rate_normal *e, const bool *still, double mu, double step[N])
{
    double data[N * N], right[N];
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            data[i * N + j] = still[i] || still[j] ? 0.0 : e->h[i][j];
        }
        data[i * N + i] = still[i] ? 1.0 : e->h[i][i] * (1.0 + mu) + 1e-300;
        right[i] = still[i] ? 0.0 : -e->g[i];
    }
    gsl_matrix_view m = gsl_matrix_view_array(data, N, N);
    gsl_vector_view b = gsl_vector_view_array(right, N);
    gsl_vector_view x = gsl_vector_view_array(step, N);
    size_t order[N];
    gsl_permutation order_view = {N, order};
    /* the modified decomposition: it takes a matrix that rounding left indefinite, where the plain
     * one would call GSL's error handler, and by default that ends the program */
    return gsl_linalg_mcholesky_decomp(&m.matrix, &order_view, NULL) == GSL_SUCCESS &&
           gsl_linalg_mcholesky_solve(&m.matrix, &order_view, &b.vector, &x.vector) == GSL_SUCCESS;
}

/* What cannot move: fixed by the user, or at a bound with the gradient pointing outwards. */
static size_t find_still(const ng_rate_problem *p, const rate_normal *e, const double x[N],
                         bool still[N])
{
    double lower[N], upper[N];
    size_t n_free = 0;
    ng_rate_bounds(lower, upper);
    for (size_t i = 0; i < N; i++) {
        bool at_lower = x[i] <= lower[i] && e->g[i] > 0.0;
        bool at_upper = x[i] >= upper[i] && e->g[i] < 0.0;
        still[i] = p->options.fixed[i] || at_lower || at_upper || e->h[i][i] <= 0.0;
        n_free += !still[i];
    }
    return n_free;
}

static double move(const double x[N], const double step[N], double trial[N])
{
    double lower[N], upper[N], length = 0.0;
    ng_rate_bounds(lower, upper);
    for (size_t i = 0; i < N; i++) {
        trial[i] = fmin(fmax(x[i] + step[i], lower[i]), upper[i]);
        length = fmax(length, fabs(trial[i] - x[i]) / (1.0 + fabs(x[i])));
    }
    return length;
}

static double gradient_size(const rate_normal *e, const bool still[N], double objective)
{
    double size = 0.0;
    for (size_t i = 0; i < N; i++) {
        if (!still[i]) {
            size = fmax(size, fabs(e->g[i]) / sqrt(e->h[i][i] * (objective + 1e-300)));
        }
    }
    return size;
}

/* Sum over all data that share the law. */
static ng_rate_cost evaluate_all(ng_rate_problem *p, const ng_growth_parameters *q)
{
    ng_rate_cost sum = ng_rate_evaluate(p, q);
    if (p->joint == NULL) {
        return sum;
    }
    sum.objective *= p->share;
    for (ng_rate_problem *r = p->joint; r != NULL; r = r->joint) {
        const ng_rate_cost one = ng_rate_evaluate(r, q);
        sum.objective += r->share * one.objective;
        sum.variance = fmax(sum.variance, one.variance);
    }
    return sum;
}

static void normal_equations_of_all(ng_rate_problem *p, rate_normal *out)
{
    ng_rate_normal_equations(p, out);
    if (p->joint == NULL) {
        return;
    }
    rate_normal sum = {0};
    for (ng_rate_problem *r = p; r != NULL; r = r->joint) {
        rate_normal one;
        ng_rate_normal_equations(r, &one);
        for (size_t i = 0; i < N; i++) {
            sum.g[i] += r->share * one.g[i];
            for (size_t j = 0; j < N; j++) {
                sum.h[i][j] += r->share * one.h[i][j];
            }
        }
    }
    *out = sum;
}

typedef struct search_state {
    double x[N], mu, growth;
    ng_rate_cost cost;
    size_t small; /* successive steps that gained next to nothing */
} search_state;

/* Try steps with more and more damping until one goes down. @return false: none does. */
static bool improve(ng_rate_problem *p, const rate_normal *e, const bool still[N], search_state *s,
                    double *length)
{
    for (int attempt = 0; attempt < 12; attempt++) {
        double step[N], trial[N];
        ng_growth_parameters q;
        if (damped_step(e, still, s->mu, step)) {
            *length = move(s->x, step, trial);
            ng_rate_from_coordinates(trial, &q);
            for (size_t i = 0; i < N; i++) {
                if (p->options.fixed[i]) { /* exp(ln K) would lose the last digit */
                    ng_growth_parameter_set(&q, i, ng_growth_parameter_get(&p->options.start, i));
                }
            }
            ng_rate_cost cost = evaluate_all(p, &q);
            if (cost.objective < s->cost.objective) {
                s->small = s->cost.objective - cost.objective < COST_TOLERANCE * s->cost.objective
                               ? s->small + 1
                               : 0;
                s->cost = cost;
                s->mu = fmax(s->mu / 3.0, 1e-12);
                s->growth = 2.0;
                for (size_t i = 0; i < N; i++) {
                    s->x[i] = trial[i];
                }
                return true;
            }
            if (*length < STEP_TOLERANCE) {
                return false;
            }
        }
        s->mu *= s->growth;
        s->growth *= 2.0;
    }
    return false;
}

static ng_fit_stop iterate(ng_rate_problem *p, search_state *s, size_t max_iterations,
                           size_t *iterations)
{
    rate_normal e;
    bool still[N];
    double length = 0.0;
    for (*iterations = 0; *iterations < max_iterations; ++*iterations) {
        normal_equations_of_all(p, &e);
        if (find_still(p, &e, s->x, still) == 0) {
            return NG_STOP_EVALUATED;
        }
        if (gradient_size(&e, still, s->cost.objective) < GRADIENT_TOLERANCE) {
            return NG_STOP_GRADIENT;
        }
        ng_growth_parameters before = p->parameters;
        double lambda = p->lambda;
        if (!improve(p, &e, still, s, &length)) {
            p->lambda = lambda;
            s->cost = evaluate_all(p, &before);
            return NG_STOP_STEP;
        }
        if (length < STEP_TOLERANCE) {
            return NG_STOP_STEP;
        }
        if (s->small >= 3) {
            return NG_STOP_COST;
        }
    }
    return NG_STOP_ITERATIONS;
}

void ng_rate_search_run(ng_rate_problem *p, const ng_growth_parameters *start,
                        size_t max_iterations, rate_search *out)
{
    search_state s = {.mu = 1e-3, .growth = 2.0};
    ng_rate_to_coordinates(start, s.x);
    s.cost = evaluate_all(p, start);
    out->stop = iterate(p, &s, max_iterations, &out->iterations);
    out->best = p->parameters;
    out->cost = s.cost;
}
