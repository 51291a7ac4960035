/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of one evaluator, and the bounded search for the best parameters. */
#include "forward_internal.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define SMALL_STEPS 3
#define STIFFNESS 1e5 /* of the spring: 0.01 kT off costs 5 in ln likelihood */
#define STEP_TOLERANCE 1e-7
#define ATTEMPTS 14

ng_status ng_forward_problem_create(const forward_problem *like, forward_problem *out,
                                    ng_error *err)
{
    *out = *like;
    out->evaluations = 0;
    out->n_rates = like->layout->n_shape > 1 ? like->shape->count : 1;
    out->S = NG_NEW(double, like->supersaturation->count);
    out->rates = NG_NEW(forward_rates, out->n_rates);
    if (like->flask) {
        out->carried = NG_NEW(double, ng_forward_flask_scratch(like->flask, like->layout));
    }
    ng_status status = out->S && out->rates && (!like->flask || out->carried)
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames",
                                     like->data->n_frames);
    for (size_t i = 0; status == NG_OK && i < out->n_rates; i++) {
        status = ng_forward_rates_create(like->data->n_largest, &out->rates[i], err);
    }
    if (status != NG_OK) {
        ng_forward_problem_free(out);
    }
    return status;
}

void ng_forward_problem_free(forward_problem *p)
{
    for (size_t i = 0; p->rates && i < p->n_rates; i++) {
        ng_forward_rates_free(&p->rates[i]);
    }
    ng_free(p->rates);
    ng_free(p->S);
    ng_free(p->carried);
    p->carried = NULL;
    p->rates = NULL;
    p->S = NULL;
}

/* ---- a spring on the potential ----------------------------------------------------------- */

#define DELTA_STEP 1e-4

double ng_forward_potential(const forward_layout *l, const double *x, double n, double *slope)
{
    ng_growth_parameters p = {.eps_f = x[0], .eps_e = x[1], .alpha4 = x[2]};
    double delta = 0.0, edge, face;
    for (size_t i = 0; i < l->n_shape; i++) {
        delta += x[l->shape + i] / (double)l->n_shape;
    }
    if (slope) {
        double low = fmax(delta - DELTA_STEP, NG_DELTA_MIN);
        double high = fmin(delta + DELTA_STEP, NG_DELTA_MAX);
        double by_delta = (ng_potential(&p, high, n) - ng_potential(&p, low, n)) / (high - low);
        memset(slope, 0, FORWARD_MAX * sizeof *slope);
        ng_shape_site_gain(n, delta, &edge, &face);
        slope[0] = face;
        slope[1] = edge;
        slope[2] = -log1p(1.0 / n);
        for (size_t i = 0; i < l->n_shape; i++) {
            slope[l->shape + i] = by_delta / (double)l->n_shape;
        }
    }
    return ng_potential(&p, delta, n);
}

/* Evaluate, with the energy of the spring. */
static void evaluate(forward_problem *p, const forward_spring *spring, const double *x,
                     bool derivatives, forward_result *out)
{
    const forward_layout *l = p->layout;
    double slope[FORWARD_MAX];
    ng_forward_evaluate(p, x, derivatives, out, NULL, NULL);
    if (!spring) {
        return;
    }
    double off = ng_forward_potential(l, x, spring->n, derivatives ? slope : NULL) - spring->mu_kT;
    out->objective += 0.5 * STIFFNESS * off * off;
    for (size_t i = 0; derivatives && i < l->n; i++) {
        out->gradient[i] += STIFFNESS * off * slope[i];
        for (size_t j = 0; j < l->n; j++) {
            out->information[i * l->n + j] += STIFFNESS * slope[i] * slope[j];
        }
    }
}

/* ---- search ------------------------------------------------------------------------------ */

/* What cannot move: fixed, held, without information, or at a bound and pushed against it. */
static size_t find_still(const forward_layout *l, size_t held, const forward_result *r,
                         const double *x, bool *still)
{
    size_t n_free = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool at_lower = x[i] <= l->lower[i] && r->gradient[i] > 0.0;
        bool at_upper = x[i] >= l->upper[i] && r->gradient[i] < 0.0;
        still[i] = l->fixed[i] || i == held || at_lower || at_upper ||
                   !(r->information[i * l->n + i] > 0.0);
        n_free += !still[i];
    }
    return n_free;
}

/* Solve (H + mu diag H) step = -g over what is free to move. */
static bool damped_step(size_t n, const forward_result *r, const bool *still, double mu,
                        double *step)
{
    double matrix[FORWARD_MAX * FORWARD_MAX], right[FORWARD_MAX];
    size_t order[FORWARD_MAX];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            matrix[i * n + j] = still[i] || still[j] ? 0.0 : r->information[i * n + j];
        }
        matrix[i * n + i] = still[i] ? 1.0 : r->information[i * n + i] * (1.0 + mu);
        right[i] = still[i] ? 0.0 : -r->gradient[i];
    }
    gsl_matrix_view m = gsl_matrix_view_array(matrix, n, n);
    gsl_vector_view b = gsl_vector_view_array(right, n), x = gsl_vector_view_array(step, n);
    gsl_permutation p = {n, order};
    return gsl_linalg_mcholesky_decomp(&m.matrix, &p, NULL) == GSL_SUCCESS &&
           gsl_linalg_mcholesky_solve(&m.matrix, &p, &b.vector, &x.vector) == GSL_SUCCESS;
}

static double move(const forward_layout *l, const double *x, const double *step, double *trial)
{
    double length = 0.0;
    for (size_t i = 0; i < l->n; i++) {
        trial[i] = fmin(fmax(x[i] + step[i], l->lower[i]), l->upper[i]);
        length = fmax(length, fabs(trial[i] - x[i]) / (1.0 + fabs(x[i])));
    }
    return length;
}

/* What a step gains where the objective is the parabola of its gradient and information. */
static double promised(const forward_layout *l, const forward_result *r, const double *from,
                       const double *to)
{
    double gain = 0.0;
    for (size_t i = 0; i < l->n; i++) {
        double pull = r->gradient[i];
        for (size_t j = 0; j < l->n; j++) {
            pull += 0.5 * r->information[i * l->n + j] * (to[j] - from[j]);
        }
        gain -= pull * (to[i] - from[i]);
    }
    return gain;
}

/* Less damping the nearer a step came to what it promised. Source: Nielsen 1999. */
static double damping_after(double mu, double share)
{
    return fmax(mu * fmax(1.0 / 3.0, 1.0 - pow(2.0 * fmin(share, 1.0) - 1.0, 3.0)), 1e-9);
}

typedef struct damping {
    double mu, growth;
} damping;

/* What the information lacks of the curvature where the model does not describe the data, learned
 * from how the gradient changed along the steps. Source: Dennis, Gay, Welsch 1981. */
typedef struct curvature {
    double lacking[FORWARD_MAX * FORWARD_MAX]; /* n x n */
    double x[FORWARD_MAX], gradient[FORWARD_MAX], promised;
    bool used;
} curvature;

static double product(size_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Whether the parabola with what is lacking foretold the last gain better than the one without. */
static void choose_curvature(size_t n, const double *step, double gain, curvature *c)
{
    double lacking = 0.0;
    for (size_t i = 0; i < n; i++) {
        lacking += 0.5 * step[i] * product(n, c->lacking + i * n, step);
    }
    double other = c->used ? c->promised + lacking : c->promised - lacking;
    c->used = fabs(gain - other) < fabs(gain - c->promised) ? !c->used : c->used;
}

static void learn_curvature(size_t n, const forward_result *r, const double *x, double gain,
                            curvature *c)
{
    double step[FORWARD_MAX], change[FORWARD_MAX], off[FORWARD_MAX], known = 0.0, wanted = 0.0;
    for (size_t i = 0; i < n; i++) {
        step[i] = x[i] - c->x[i];
        change[i] = r->gradient[i] - c->gradient[i];
    }
    double along = product(n, change, step);
    choose_curvature(n, step, gain, c);
    if (!(along > 0.0)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        off[i] = change[i] - product(n, r->information + i * n, step);
        wanted += step[i] * off[i];
        known += step[i] * product(n, c->lacking + i * n, step);
    }
    double size = fabs(known) > fabs(wanted) ? fabs(wanted / known) : 1.0;
    for (size_t i = 0; i < n * n; i++) {
        c->lacking[i] *= size;
    }
    for (size_t i = 0; i < n; i++) {
        off[i] -= product(n, c->lacking + i * n, step);
    }
    double rest = product(n, off, step) / along;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            c->lacking[i * n + j] +=
                (off[i] * change[j] + change[i] * off[j] - rest * change[i] * change[j]) / along;
        }
    }
}

static void add_curvature(size_t n, const curvature *c, forward_result *r)
{
    for (size_t i = 0; i < n; i++) {
        if (r->information[i * n + i] > 0.0 &&
            r->information[i * n + i] + c->lacking[i * n + i] <= 0.0) {
            return;
        }
    }
    for (size_t i = 0; i < n * n; i++) {
        r->information[i] += c->lacking[i];
    }
}

/* Try steps with more and more damping until one goes down. @return what was gained, 0: nothing */
static double improve(forward_problem *p, const forward_spring *spring, const forward_result *r,
                      const bool *still, damping *d, curvature *c, forward_search *s)
{
    forward_result trial;
    const size_t n = p->layout->n;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        double step[FORWARD_MAX], x[FORWARD_MAX];
        if (damped_step(n, r, still, d->mu, step)) {
            double length = move(p->layout, s->x, step, x);
            evaluate(p, spring, x, false, &trial);
            if (trial.objective < s->objective) {
                double gain = s->objective - trial.objective;
                c->promised = promised(p->layout, r, s->x, x);
                memcpy(c->x, s->x, n * sizeof *x);
                memcpy(c->gradient, r->gradient, n * sizeof *x);
                d->mu = damping_after(d->mu, gain / c->promised);
                d->growth = 2.0;
                s->objective = trial.objective;
                memcpy(s->x, x, n * sizeof *x);
                return gain;
            }
            if (length < STEP_TOLERANCE) {
                return 0.0;
            }
        }
        d->mu *= d->growth;
        d->growth *= 2.0;
    }
    return 0.0;
}

void ng_forward_search_run(forward_problem *p, const forward_limits *limits, forward_result *r,
                           forward_search *s)
{
    damping d = {1e-3, 2.0};
    curvature c = {.used = false};
    bool still[FORWARD_MAX];
    size_t small = 0, before = p->evaluations;
    double gain = 0.0;
    s->stop = NG_STOP_ITERATIONS;
    for (s->iterations = 0; s->iterations < limits->iterations; s->iterations++) {
        evaluate(p, limits->spring, s->x, true, r);
        s->objective = r->objective;
        s->evaluations = p->evaluations - before;
        if (find_still(p->layout, limits->held, r, s->x, still) == 0) {
            s->stop = NG_STOP_EVALUATED;
            return;
        }
        if (s->iterations > 0) {
            learn_curvature(p->layout->n, r, s->x, gain, &c);
        }
        if (c.used) {
            add_curvature(p->layout->n, &c, r);
        }
        gain = improve(p, limits->spring, r, still, &d, &c, s);
        if (gain == 0.0) {
            s->stop = NG_STOP_STEP;
            return;
        }
        small = gain < limits->gain ? small + 1 : 0;
        if (small == SMALL_STEPS) {
            s->stop = NG_STOP_COST;
            return;
        }
    }
}

ng_status ng_forward_search_alone(const forward_problem *like, const forward_limits *limits,
                                  forward_search *out, ng_error *err)
{
    forward_problem p;
    forward_result *r = NG_NEW(forward_result, 1);
    ng_status status = r ? ng_forward_problem_create(like, &p, err)
                         : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a search");
    if (status == NG_OK) {
        ng_forward_search_run(&p, limits, r, out);
        ng_forward_problem_free(&p);
    }
    ng_free(r);
    return status;
}
