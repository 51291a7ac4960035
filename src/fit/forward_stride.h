/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One step of growth: what is known of a particle, a mean and a covariance of (x, u), u = ln c its
 * speed, is carried forward, the drift linear about the mean, and the derivatives by all parameters
 * with it. Shared by the likelihoods of tracks and of samples; inline, since both are compiled for
 * several vector units.
 */
#ifndef NUCGROW_FORWARD_STRIDE_H
#define NUCGROW_FORWARD_STRIDE_H

#include "forward_internal.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

/* What is known of a particle. */
typedef struct state {
    double x, u;
    double xx, xu, uu; /* covariances */
} state;

typedef struct slopes {
    double x[FORWARD_MAX], u[FORWARD_MAX];
    double xx[FORWARD_MAX], xu[FORWARD_MAX], uu[FORWARD_MAX];
} slopes;

/* ---- rates at a size --------------------------------------------------------------------- */

typedef struct rates_at {
    double value[FORWARD_COLUMNS], slope[FORWARD_COLUMNS];
    double a_curve, b_curve; /* second derivatives of the columns A and B */
} rates_at;

/* Cubic through four nodes with the slopes of a Catmull-Rom spline; constant outside the table. */
INLINE void look_up(const forward_rates *r, double x, rates_at *out)
{
    bool inside = x > r->x_min && x < r->x_max;
    double at = (fmin(fmax(x, r->x_min), r->x_max) - r->x_min) / r->step;
    size_t most = r->count - 4, i = (size_t)at;
    i = i < most ? i : most;
    double t = at - (double)i, s = inside ? 1.0 / r->step : 0.0;
    const double value[4] = {0.5 * t * (-1.0 + t * (2.0 - t)), 1.0 + 0.5 * t * t * (3.0 * t - 5.0),
                             0.5 * t * (1.0 + t * (4.0 - 3.0 * t)), 0.5 * t * t * (t - 1.0)};
    const double slope[4] = {s * (-0.5 + t * (2.0 - 1.5 * t)), s * t * (4.5 * t - 5.0),
                             s * (0.5 + t * (4.0 - 4.5 * t)), s * t * (1.5 * t - 1.0)};
    const double curve[4] = {s * s * (2.0 - 3.0 * t), s * s * (9.0 * t - 5.0),
                             s * s * (4.0 - 9.0 * t), s * s * (3.0 * t - 1.0)};
    const double *row = r->row + i * FORWARD_COLUMNS;
    out->a_curve = out->b_curve = 0.0;
    for (size_t k = 0; k < FORWARD_COLUMNS; k++) {
        out->value[k] = out->slope[k] = 0.0;
    }
    for (size_t m = 0; m < 4; m++, row += FORWARD_COLUMNS) {
        for (size_t k = 0; k < FORWARD_COLUMNS; k++) {
            out->value[k] += value[m] * row[k];
            out->slope[k] += slope[m] * row[k];
        }
        out->a_curve += curve[m] * row[FORWARD_A];
        out->b_curve += curve[m] * row[FORWARD_B];
    }
}

/* What acts during one step. */
typedef struct drive {
    const forward_rates *rates;
    double h, S;
    size_t interval, step;
} drive;

/* One step by the midpoint rule, and what its derivatives need. */
typedef struct stride {
    double h, speed;               /* h c */
    double r, r1, mid, mid1, mid2; /* drift and its derivatives at the start and at the middle */
    double A, B, push, carry;      /* push: variance gained; carry = dx'/dx */
    double spread, spread1;        /* push per (S a + b), and by x */
    rates_at start, middle;
} stride;

INLINE void stride_make(const drive *d, const state *s, stride *out)
{
    double c = exp(s->u);
    out->h = d->h;
    out->speed = d->h * c;
    look_up(d->rates, s->x, &out->start);
    out->r = d->S * out->start.value[FORWARD_A] - out->start.value[FORWARD_B];
    out->r1 = d->S * out->start.slope[FORWARD_A] - out->start.slope[FORWARD_B];
    double x = s->x + 0.5 * out->speed * out->r;
    look_up(d->rates, x, &out->middle);
    const rates_at *m = &out->middle;
    out->mid = d->S * m->value[FORWARD_A] - m->value[FORWARD_B];
    out->mid1 = d->S * m->slope[FORWARD_A] - m->slope[FORWARD_B];
    out->mid2 = d->S * m->a_curve - m->b_curve;
    out->A = out->speed * out->mid1;
    out->B = out->speed * out->mid;
    out->carry = 1.0 + out->A + 0.5 * out->A * out->A;
    double clear = fmax(x, d->rates->x_min);
    double width = (2.0 / 3.0) / sqrt(clear),
           both = d->S * m->value[FORWARD_A] + m->value[FORWARD_B];
    double both1 = d->S * m->slope[FORWARD_A] + m->slope[FORWARD_B];
    out->spread = out->speed * width;
    out->push = out->spread * both;
    out->spread1 = out->spread * both1 - (x >= clear ? 0.5 * out->push / clear : 0.0);
}

INLINE void stride_take(const stride *g, state *s)
{
    double xx = g->carry * g->carry * s->xx + 2.0 * g->carry * g->B * s->xu + g->B * g->B * s->uu;
    s->xu = g->carry * s->xu + g->B * s->uu;
    s->xx = xx + g->push;
    s->x += g->B;
}

/* ---- derivatives of a step --------------------------------------------------------------- */

/* Derivatives of the drift, of its slope, and of S a + b, at a given size: zero but for some. */
typedef struct direct {
    double drift[FORWARD_MAX], slope[FORWARD_MAX], both[FORWARD_MAX];
} direct;

INLINE void put(direct *d, size_t j, double weight, double a, double b, double a1, double b1)
{
    d->drift[j] = weight * (a - b);
    d->slope[j] = weight * (a1 - b1);
    d->both[j] = weight * (a + b);
}

INLINE void direct_fill(const forward_problem *p, const drive *v, const rates_at *r, direct *d)
{
    const forward_layout *l = p->layout;
    const double *q = r->value, *q1 = r->slope;
    double S = v->S;
    put(d, 0, 1.0, 0.0, q[FORWARD_B_FACE], 0.0, q1[FORWARD_B_FACE]);
    put(d, 1, 1.0, 0.0, q[FORWARD_B_EDGE], 0.0, q1[FORWARD_B_EDGE]);
    put(d, 2, 1.0, 0.0, q[FORWARD_B_ALPHA], 0.0, q1[FORWARD_B_ALPHA]);
    put(d, 3, 1.0, S * q[FORWARD_A_K], q[FORWARD_B_K], S * q1[FORWARD_A_K], q1[FORWARD_B_K]);
    put(d, 4, 1.0, S * q[FORWARD_A], q[FORWARD_B], S * q1[FORWARD_A], q1[FORWARD_B]);
    const forward_basis *shape = p->shape, *S_t = p->supersaturation;
    size_t first = shape->first[v->interval];
    for (size_t k = 0; k < 4 && first + k < shape->n; k++) {
        put(d, l->shape + first + k, shape->weight[4 * v->interval + k], S * q[FORWARD_A_DELTA],
            q[FORWARD_B_DELTA], S * q1[FORWARD_A_DELTA], q1[FORWARD_B_DELTA]);
    }
    first = S_t->first[v->step];
    for (size_t k = 0; k < 4 && first + k < S_t->n; k++) {
        put(d, l->supersaturation + first + k, S_t->weight[4 * v->step + k], S * q[FORWARD_A], 0.0,
            S * q1[FORWARD_A], 0.0);
    }
}

/* Forget what direct_fill wrote for the splines. */
INLINE void direct_clear(const forward_problem *p, const drive *v, direct *d)
{
    size_t at[2] = {p->layout->shape + p->shape->first[v->interval],
                    p->layout->supersaturation + p->supersaturation->first[v->step]};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = at[i]; k < at[i] + 4 && k < FORWARD_MAX; k++) {
            d->drift[k] = d->slope[k] = d->both[k] = 0.0;
        }
    }
}

INLINE void slopes_step(size_t n, const stride *g, const state *s, const direct *start,
                        const direct *middle, slopes *d)
{
    double speed = g->speed, half = 0.5 * g->speed;
    double c2 = g->carry * g->carry, B2 = g->B * g->B, cross = 2.0 * g->carry * g->B;
    double by_carry = 2.0 * (g->carry * s->xx + g->B * s->xu);
    double by_B = 2.0 * (g->carry * s->xu + g->B * s->uu);
    for (size_t j = 0; j < n; j++) {
        double mid = d->x[j] + half * (g->r1 * d->x[j] + g->r * d->u[j] + start->drift[j]);
        double B = speed * (g->mid * d->u[j] + g->mid1 * mid + middle->drift[j]);
        double A = speed * (g->mid1 * d->u[j] + g->mid2 * mid + middle->slope[j]);
        double carry = (1.0 + g->A) * A;
        double push = g->push * d->u[j] + g->spread1 * mid + g->spread * middle->both[j];
        double xx = c2 * d->xx[j] + cross * d->xu[j] + B2 * d->uu[j] + by_carry * carry + by_B * B;
        d->xu[j] = g->carry * d->xu[j] + g->B * d->uu[j] + carry * s->xu + B * s->uu;
        d->xx[j] = xx + push;
        d->x[j] += B;
    }
}

/* What acts in a step of the run. */
INLINE drive drive_at(const forward_problem *p, size_t step)
{
    const size_t interval = step / p->steps;
    return (drive){.rates = &p->rates[p->n_rates > 1 ? interval : 0],
                   .h = p->data->frame_s / (double)p->steps,
                   .S = p->S[step],
                   .interval = interval,
                   .step = step};
}

/* One step of everything; `d` NULL: without derivatives. `scratch` is zero before and after. */
INLINE void stride_all(const forward_problem *p, const drive *v, state *s, slopes *d,
                       direct scratch[2])
{
    stride g;
    stride_make(v, s, &g);
    if (d) {
        direct_fill(p, v, &g.start, &scratch[0]);
        direct_fill(p, v, &g.middle, &scratch[1]);
        slopes_step(p->layout->n, &g, s, &scratch[0], &scratch[1], d);
        direct_clear(p, v, &scratch[0]);
        direct_clear(p, v, &scratch[1]);
    }
    stride_take(&g, s);
}

#endif
