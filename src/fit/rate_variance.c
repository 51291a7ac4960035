/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The variance curve: its misfit e(t) starts at e_0 and moves by e' = u S - w between frames
 * (trapezoid). Divided by the range of the data it is the second objective, V = mean e^2, quadratic
 * in S(t) with a matrix M that is a running sum; everything here costs O(frames).
 */
#include "fit_internal.h"

#include <math.h>
#include <string.h>

#define PATH_ROUNDS 100
#define PATH_TOLERANCE 1e-10 /* of S, whose scale is 1 */

static double half_step(const rate_data *d, size_t t)
{
    return 0.5 * (d->frame[t].time_s - d->frame[t - 1].time_s);
}

/* e = running trapezoid of x, from e_0. */
static void integrate(const rate_data *d, const double *x, double start, double *e)
{
    e[0] = start;
    for (size_t t = 1; t < d->n_frames; t++) {
        e[t] = e[t - 1] + half_step(d, t) * (x[t] + x[t - 1]);
    }
}

/* Misfit that is there whatever S is: the target is a multiple of the data from the start on. */
static double target(const rate_data *d, size_t t)
{
    return d->psi_flux ? d->variance_scale * d->frame[t].variance : 0.0;
}

double ng_rate_variance_cost(ng_rate_problem *p)
{
    const rate_data *d = &p->data;
    double *x = p->path, sum = 0.0;
    for (size_t t = 0; t < d->n_frames; t++) {
        x[t] = p->variance_u[t] * p->supersaturation[t] - p->variance_w[t];
    }
    integrate(d, x, target(d, 0), p->variance_e);
    for (size_t t = 0; t < d->n_frames; t++) {
        p->variance_e[t] = (p->variance_e[t] - target(d, t)) / d->variance_range;
        sum += p->variance_e[t] * p->variance_e[t];
    }
    return sum / (double)d->n_frames;
}

void ng_rate_variance_apply(const ng_rate_problem *p, const double *x, double *y)
{
    const rate_data *d = &p->data;
    double e = 0.0;
    double norm = d->variance_range * sqrt((double)d->n_frames);
    y[0] = 0.0;
    for (size_t t = 1; t < d->n_frames; t++) {
        e += half_step(d, t) * (p->variance_u[t] * x[t] + p->variance_u[t - 1] * x[t - 1]);
        y[t] = e / norm;
    }
}

void ng_rate_variance_apply_transposed(const ng_rate_problem *p, const double *x, double *y)
{
    const rate_data *d = &p->data;
    double tail = 0.0;
    double norm = d->variance_range * sqrt((double)d->n_frames);
    for (size_t t = d->n_frames; t-- > 0;) {
        double after = t + 1 < d->n_frames ? half_step(d, t + 1) * tail : 0.0;
        tail += x[t];
        double before = t > 0 ? half_step(d, t) * tail : 0.0;
        y[t] = p->variance_u[t] * (before + after) / norm;
    }
}

/*
 * Minimise sum (a x^2 / 2 - r x) + lambda/2 sum (M x)_t^2 by dynamic programming: with
 * w = e + (half of the step that x_t gives) as state, each frame adds one scalar unknown.
 */
void ng_rate_variance_solve(const ng_rate_problem *p, const double *a, double lambda,
                            const bool *fixed, double *x)
{
    const rate_data *d = &p->data;
    size_t n = d->n_frames;
    double norm = d->variance_range * sqrt((double)n);
    double *gain = p->path + n, *offset = p->path + 2 * n;
    double A = 0.0, B = 0.0; /* cost to go A w^2/2 + B w of the state after frame t */

    for (size_t t = n; t-- > 0;) {
        double up = t > 0 ? half_step(d, t) * p->variance_u[t] / norm : 0.0;
        double down = t + 1 < n ? half_step(d, t + 1) * p->variance_u[t] / norm : 0.0;
        double here = t > 0 ? lambda : 0.0; /* e_0 is given */
        /* e_t = w + up x, next state w + (up + down) x */
        double both = up + down;
        double curvature = a[t] + here * up * up + A * both * both;
        bool free = !fixed[t] && curvature > 0.0;
        gain[t] = free ? -(here * up + A * both) / curvature : 0.0;
        offset[t] = free ? (x[t] - B * both) / curvature : 0.0;
        double slope = 1.0 + up * gain[t], reach = 1.0 + both * gain[t];
        double newB = here * slope * up * offset[t] + A * reach * both * offset[t] + B * reach +
                      a[t] * gain[t] * offset[t] - x[t] * gain[t];
        double newA = here * slope * slope + A * reach * reach + a[t] * gain[t] * gain[t];
        A = newA;
        B = newB;
    }
    double w = 0.0;
    for (size_t t = 0; t < n; t++) {
        double up = t > 0 ? half_step(d, t) * p->variance_u[t] / norm : 0.0;
        double down = t + 1 < n ? half_step(d, t + 1) * p->variance_u[t] / norm : 0.0;
        x[t] = gain[t] * w + offset[t];
        w += (up + down) * x[t];
    }
}

/* Half of sum quadratics + lambda V at the present S, constants left out. */
static double path_objective(ng_rate_problem *p, double lambda)
{
    const rate_data *d = &p->data;
    double sum = 0.5 * lambda * ng_rate_variance_cost(p);
    for (size_t t = 0; t < d->n_frames; t++) {
        const rate_quadratic *q = &p->quadratic[t * d->nodes->n_delta + p->delta_index[t]];
        sum += p->supersaturation[t] * (0.5 * q->a * p->supersaturation[t] - q->b);
    }
    return sum;
}

/* Minus its gradient; frames at a bound that want to leave the range are marked as fixed. */
static void downhill(ng_rate_problem *p, double lambda, double *slope)
{
    const rate_data *d = &p->data;
    size_t n = d->n_frames;
    double *scaled = p->path + 3 * n, max = p->options.supersaturation_max;
    (void)ng_rate_variance_cost(p);
    for (size_t t = 0; t < n; t++) {
        scaled[t] = p->variance_e[t] / sqrt((double)n);
    }
    ng_rate_variance_apply_transposed(p, scaled, slope);
    for (size_t t = 0; t < n; t++) {
        const rate_quadratic *q = &p->quadratic[t * d->nodes->n_delta + p->delta_index[t]];
        double S = p->supersaturation[t];
        slope[t] = q->b - q->a * S - lambda * slope[t];
        p->path_fixed[t] = (S <= 0.0 && slope[t] <= 0.0) || (S >= max && slope[t] >= 0.0);
    }
}

/* Go along `step`, kept in range, halving it until the objective falls. @return the largest move; 0
 * also when no frame was ever at a bound, for then one step is exact. */
static double project_step(ng_rate_problem *p, double lambda, const double *step)
{
    bool inside = true;
    size_t n = p->data.n_frames;
    double *from = p->path_from, max = p->options.supersaturation_max, longest = 0.0;
    double before = path_objective(p, lambda);
    memcpy(from, p->supersaturation, n * sizeof *from);
    for (double length = 1.0; length > 1e-6; length *= 0.5) {
        longest = 0.0;
        for (size_t t = 0; t < n; t++) {
            double S = from[t] + length * step[t];
            inside = inside && !p->path_fixed[t] && S > 0.0 && S < max;
            p->supersaturation[t] = fmin(fmax(S, 0.0), max);
            longest = fmax(longest, fabs(p->supersaturation[t] - from[t]));
        }
        if (path_objective(p, lambda) <= before) {
            return inside ? 0.0 : longest;
        }
    }
    memcpy(p->supersaturation, from, n * sizeof *from);
    return 0.0;
}

/* Newton steps over the frames that are free, projected into the range: the exact bounded minimum
 * of a convex quadratic, always reached from S = 0 so that it does not depend on what was asked
 * before. Bertsekas, SIAM J. Control Optim. 20, 221 (1982). */
void ng_rate_variance_path(ng_rate_problem *p, double lambda)
{
    const rate_data *d = &p->data;
    size_t n = d->n_frames;
    for (size_t t = 0; t < n; t++) {
        p->path_a[t] = p->quadratic[t * d->nodes->n_delta + p->delta_index[t]].a;
        p->supersaturation[t] = 0.0;
    }
    for (int round = 0; round < PATH_ROUNDS; round++) {
        downhill(p, lambda, p->path_step);
        ng_rate_variance_solve(p, p->path_a, lambda, p->path_fixed, p->path_step);
        if (project_step(p, lambda, p->path_step) < PATH_TOLERANCE) {
            break;
        }
    }
}
