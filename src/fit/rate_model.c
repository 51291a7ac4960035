/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing what a frame is free to choose: its shape number delta and its supersaturation S. */
#include "fit_internal.h"

#include <math.h>
#include <string.h>

#define COARSE 8 /* step of the first look over the grid of shape numbers */
#define LAMBDA_MIN 1e-6
#define LAMBDA_MAX 1e12
#define SMOOTH_JUMP 0.05 /* a jump of delta that costs as much as a typical frame */

static const rate_quadratic *frame_quadratic(const ng_rate_problem *p, size_t t, size_t k)
{
    return &p->quadratic[t * p->data.nodes->n_delta + k];
}

static double best_supersaturation(const ng_rate_problem *p, const rate_quadratic *q)
{
    double S = q->a > 0.0 ? q->b / q->a : 0.0;
    return fmin(fmax(S, 0.0), p->options.supersaturation_max);
}

double ng_rate_cost_at(const rate_quadratic *q, double S)
{
    /* rounding may leave a perfect fit below zero */
    return fmax(q->c + S * (q->a * S - 2.0 * q->b), 0.0);
}

/* Cost of frame t at shape k, with S eliminated (held = false) or kept as it is. */
static double shape_cost(const ng_rate_problem *p, size_t t, size_t k, bool held)
{
    const rate_quadratic *q = frame_quadratic(p, t, k);
    return ng_rate_cost_at(q, held ? p->supersaturation[t] : best_supersaturation(p, q));
}

/* Lowest of the shapes that are known in this frame. */
static size_t lowest_known(const ng_rate_problem *p, size_t t, bool held)
{
    size_t best = p->delta_index[t];
    double low = (double)INFINITY;
    for (size_t k = 0; k < p->data.nodes->n_delta; k++) {
        if (frame_quadratic(p, t, k)->known && shape_cost(p, t, k, held) < low) {
            low = shape_cost(p, t, k, held);
            best = k;
        }
    }
    return best;
}

/* The shapes at `distance` from k, on both sides. @return how many there are */
static size_t neighbours(const ng_rate_problem *p, size_t k, size_t distance, size_t *list)
{
    size_t n = 0;
    if (distance > 0 && k >= distance) {
        list[n++] = k - distance;
    }
    if (distance > 0 && k + distance < p->data.nodes->n_delta) {
        list[n++] = k + distance;
    }
    return n;
}

static size_t coarse_list(const ng_rate_problem *p, size_t *list)
{
    size_t n = 0;
    for (size_t k = 0; k < p->data.nodes->n_delta && n < RATE_MAX_SHAPES; k += COARSE) {
        list[n++] = k;
    }
    return n;
}

/* Where the parabola through three shapes, `step` apart around k, is lowest; k where there is none.
 */
static size_t parabola_lowest(const ng_rate_problem *p, size_t t, size_t k, size_t step, bool held)
{
    if (k < step || k + step >= p->data.nodes->n_delta || !frame_quadratic(p, t, k - step)->known ||
        !frame_quadratic(p, t, k + step)->known) {
        return k;
    }
    double left = shape_cost(p, t, k - step, held), right = shape_cost(p, t, k + step, held);
    double bend = left - 2.0 * shape_cost(p, t, k, held) + right;
    double shift = bend > 0.0 ? 0.5 * (left - right) / bend : 0.0;
    return (size_t)lround((double)k + fmin(fmax(shift, -1.0), 1.0) * (double)step);
}

/* Coarse look over the shapes, a parabola around the lowest, then downhill to the next valley. */
static void choose_free(ng_rate_problem *p, size_t t, bool held)
{
    size_t list[RATE_MAX_SHAPES], n = coarse_list(p, list);
    ng_rate_kernel(p, t, list, n);
    size_t k = lowest_known(p, t, held), before = SIZE_MAX;
    list[0] = parabola_lowest(p, t, k, COARSE, held);
    ng_rate_kernel(p, t, list, 1);
    for (k = lowest_known(p, t, held); k != before; k = lowest_known(p, t, held)) {
        before = k;
        n = neighbours(p, k, 1, list);
        ng_rate_kernel(p, t, list, n);
    }
    p->delta_index[t] = k;
}

/* Cost of all frames at each shape listed. */
static void totals_at(ng_rate_problem *p, const size_t *k, size_t n_k, bool held, double *total)
{
    for (size_t j = 0; j < n_k; j++) {
        total[j] = 0.0;
    }
    for (size_t t = 0; t < p->data.n_frames; t++) {
        ng_rate_kernel(p, t, k, n_k);
        for (size_t j = 0; j < n_k; j++) {
            total[j] += shape_cost(p, t, k[j], held);
        }
    }
}

/* One shape for all frames: coarse look, then smaller and smaller steps around the lowest. */
static void choose_constant(ng_rate_problem *p, bool held)
{
    static const size_t distance[] = {4, 2, 1, 1, 0};
    size_t list[RATE_MAX_SHAPES], n = coarse_list(p, list), best = 0;
    double total[RATE_MAX_SHAPES], low = (double)INFINITY;
    for (size_t pass = 0; pass < sizeof distance / sizeof distance[0]; pass++) {
        totals_at(p, list, n, held, total);
        for (size_t j = 0; j < n; j++) {
            if (total[j] < low) {
                low = total[j];
                best = list[j];
            }
        }
        n = neighbours(p, best, distance[pass], list);
    }
    for (size_t t = 0; t < p->data.n_frames; t++) {
        p->delta_index[t] = best;
    }
}

/* Shapes that jump little: exact minimum of sum cost + penalty by dynamic programming. */
static void choose_smooth(ng_rate_problem *p, bool held)
{
    size_t n_delta = p->data.nodes->n_delta, n = p->data.n_frames;
    const double *delta = p->data.nodes->delta;
    for (size_t t = 0; t < n; t++) {
        for (size_t k = 0; k < n_delta; k++) {
            ng_rate_kernel(p, t, &k, 1);
            double low = (double)INFINITY;
            size_t from = k;
            for (size_t j = 0; t > 0 && j < n_delta; j++) {
                double jump = (delta[k] - delta[j]) / SMOOTH_JUMP;
                double cost =
                    p->smooth_cost[(t - 1) * n_delta + j] + p->smooth_penalty * jump * jump;
                if (cost < low) {
                    low = cost;
                    from = j;
                }
            }
            p->smooth_cost[t * n_delta + k] = shape_cost(p, t, k, held) + (t > 0 ? low : 0.0);
            p->smooth_from[t * n_delta + k] = (unsigned char)from;
        }
    }
    size_t k = 0;
    for (size_t j = 1; j < n_delta; j++) {
        if (p->smooth_cost[(n - 1) * n_delta + j] < p->smooth_cost[(n - 1) * n_delta + k]) {
            k = j;
        }
    }
    for (size_t t = n; t-- > 0;) {
        p->delta_index[t] = k;
        k = p->smooth_from[t * n_delta + k];
    }
}

static void choose_delta(ng_rate_problem *p, bool held)
{
    switch (p->options.delta_mode) {
    case NG_DELTA_CONSTANT:
        choose_constant(p, held);
        break;
    case NG_DELTA_SMOOTH:
        choose_smooth(p, held);
        break;
    case NG_DELTA_FREE:
    case NG_DELTA_FIXED:
    default:
        for (size_t t = 0; t < p->data.n_frames; t++) {
            choose_free(p, t, held);
            ng_rate_variance_frame(p, t); /* while the frame's columns are at hand */
        }
        return;
    }
    for (size_t t = 0; t < p->data.n_frames; t++) {
        ng_rate_variance_frame(p, t);
    }
}

static double growth_rate_cost(const ng_rate_problem *p)
{
    double total = 0.0;
    for (size_t t = 0; t < p->data.n_frames; t++) {
        total += shape_cost(p, t, p->delta_index[t], true);
    }
    return total;
}

/* Growth-rate cost plus what the jumps of delta cost. */
static double smooth_cost(const ng_rate_problem *p)
{
    double total = 0.0;
    if (p->options.delta_mode != NG_DELTA_SMOOTH) {
        return 0.0;
    }
    for (size_t t = 1; t < p->data.n_frames; t++) {
        double jump = (p->data.nodes->delta[p->delta_index[t]] -
                       p->data.nodes->delta[p->delta_index[t - 1]]) /
                      SMOOTH_JUMP;
        total += p->smooth_penalty * jump * jump;
    }
    return total;
}

/* The multiplier at which the variance cost equals its limit: V falls as lambda grows. */
static double meet_variance_limit(ng_rate_problem *p)
{
    double limit = p->options.variance_limit, low = log(LAMBDA_MIN), high = log(LAMBDA_MAX);
    double at = p->lambda > 0.0 ? log(p->lambda) : log(100.0), reach = 1.0;
    if (ng_rate_variance_cost(p) <= limit) {
        p->lambda = 0.0;
        return 0.0;
    }
    for (int i = 0; i < 60 && high - low > 1e-6; i++) {
        ng_rate_variance_path(p, exp(at));
        if (ng_rate_variance_cost(p) > limit) {
            low = at;
            at = i < 6 && at + reach < high ? at + reach : 0.5 * (low + high);
        } else {
            high = at;
            at = i < 6 && at - reach > low ? at - reach : 0.5 * (low + high);
        }
        reach *= 2.0;
        if (at <= low || at >= high) {
            at = 0.5 * (low + high);
        }
    }
    p->lambda = exp(high);
    ng_rate_variance_path(p, p->lambda);
    return p->lambda;
}

/* A jump of SMOOTH_JUMP costs as much as a frame does on average at the start values: set once, so
 * that the objective stays the same function. */
static void set_smooth_penalty(ng_rate_problem *p)
{
    ng_rate_tables_fill(p, &p->options.start);
    double total = 0.0;
    for (size_t t = 0; t < p->data.n_frames; t++) {
        choose_free(p, t, false);
        total += shape_cost(p, t, p->delta_index[t], false);
    }
    p->smooth_penalty = total / (double)p->data.n_frames;
}

ng_rate_cost ng_rate_evaluate(ng_rate_problem *p, const ng_growth_parameters *parameters)
{
    p->evaluations++;
    if (p->options.delta_mode == NG_DELTA_SMOOTH && isnan(p->smooth_penalty)) {
        set_smooth_penalty(p);
    }
    ng_rate_tables_fill(p, parameters);
    choose_delta(p, false);
    for (size_t t = 0; t < p->data.n_frames; t++) {
        p->supersaturation[t] = best_supersaturation(p, frame_quadratic(p, t, p->delta_index[t]));
    }
    if (isfinite(p->options.variance_limit)) {
        (void)meet_variance_limit(p);
        if (p->options.delta_mode != NG_DELTA_FIXED && p->lambda > 0.0) {
            choose_delta(p, true);
            (void)meet_variance_limit(p);
        }
    } else {
        p->lambda = 0.0;
    }
    ng_rate_cost cost = {.growth_rate = growth_rate_cost(p), .variance = ng_rate_variance_cost(p)};
    double excess = fmax(cost.variance - p->options.variance_limit * 1.01, 0.0);
    cost.objective = cost.growth_rate + smooth_cost(p) +
                     (isfinite(excess) && p->lambda > 0.0 ? p->lambda * excess : 0.0);
    return cost;
}
