/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Likelihood of every particle's observed sizes. What is known of a particle between two frames is
 * a mean and a covariance of (x, u), u = ln c its speed; growth carries both forward, an
 * observation narrows them (Kalman's filter, the drift linear about the mean). The derivatives by
 * all parameters are carried along, so that gradient and information come out exact.
 */
#include "forward_stride.h"

#include <math.h>
#include <string.h>

#define LN_2PI 1.8378770664093453

/* ---- an observation ---------------------------------------------------------------------- */

/* Variance of the measured x at a true one, scale^2 x^(2 power), and where it stops to fall. */
typedef struct noise {
    double scale2, power2, x_min;
} noise;

INLINE double noise_variance(const noise *w, double x)
{
    return w->scale2 * pow(fmax(x, w->x_min), w->power2);
}

/* How far an observation lies from its prediction; variances of both. */
typedef struct surprise {
    double e, F, R, R1; /* R1: slope of the noise by x */
} surprise;

INLINE surprise surprise_of(const noise *w, const state *s, double seen)
{
    double R = noise_variance(w, s->x);
    return (surprise){seen - s->x, s->xx + R, R, s->x > w->x_min ? R * w->power2 / s->x : 0.0};
}

INLINE void learn(const surprise *q, state *s)
{
    double gain_x = s->xx / q->F, gain_u = s->xu / q->F;
    s->x += gain_x * q->e;
    s->u += gain_u * q->e;
    s->uu -= gain_u * s->xu;
    s->xu -= gain_u * s->xx;
    s->xx -= gain_x * s->xx;
}

/* Gradient of one observation, and the derivatives F of its variance; d is from before it. */
INLINE void slopes_score(const forward_layout *l, const surprise *q, const slopes *d, double *F,
                         double *gradient)
{
    for (size_t j = 0; j < l->n; j++) {
        F[j] = d->xx[j] + q->R1 * d->x[j];
    }
    F[l->noise] += 2.0 * q->R;
    double by_x = -q->e / q->F, by_F = 0.5 / q->F - 0.5 * q->e * q->e / (q->F * q->F);
    for (size_t j = 0; j < l->n; j++) {
        gradient[j] += by_x * d->x[j] + by_F * F[j];
    }
}

INLINE void slopes_information(size_t n, const surprise *q, const slopes *d, const double *F,
                               double weight, double *information)
{
    double by_x = weight / q->F, by_F = 0.5 * weight / (q->F * q->F);
    for (size_t i = 0; i < n; i++) {
        double xi = by_x * d->x[i], Fi = by_F * F[i];
        double *row = information + i * FORWARD_MAX;
        for (size_t j = 0; j <= i; j++) {
            row[j] += xi * d->x[j] + Fi * F[j];
        }
    }
}

INLINE void slopes_learn(size_t n, const surprise *q, const state *s, const double *F, slopes *d)
{
    double inverse = 1.0 / q->F, gain_x = s->xx * inverse, gain_u = s->xu * inverse;
    for (size_t j = 0; j < n; j++) {
        double gx = (d->xx[j] - gain_x * F[j]) * inverse, gu = (d->xu[j] - gain_u * F[j]) * inverse;
        double x = d->x[j];
        d->x[j] = x + gx * q->e - gain_x * x;
        d->u[j] += gu * q->e - gain_u * x;
        d->uu[j] -= gu * s->xu + gain_u * d->xu[j];
        double xu = d->xu[j] - gu * s->xx - gain_u * d->xx[j];
        d->xx[j] -= gx * s->xx + gain_x * d->xx[j];
        d->xu[j] = xu;
    }
}

/* ---- a track ----------------------------------------------------------------------------- */

typedef struct walk {
    const forward_problem *p;
    const double *parameter;
    noise noise;
    double spread2; /* variance of u */
    double *innovation;
    double held_out;
    size_t n_held_out;
    double *information;
} walk;

static walk walk_begin(const forward_problem *p, const double *x)
{
    const forward_layout *l = p->layout;
    double scale = exp(x[l->noise]) * p->data->noise_scale;
    walk w = {.p = p, .parameter = x};
    w.noise = (noise){scale * scale, 2.0 * p->data->noise_power, p->rates[0].x_min};
    w.spread2 = l->spread == FORWARD_NONE ? 0.0 : exp(2.0 * x[l->spread]);
    return w;
}

/* After one observation: between that and what particles are like at that time. */
static state first_state(const walk *w, const forward_prior *prior, double seen)
{
    double variance = noise_variance(&w->noise, seen);
    double share = 1.0 / (1.0 + variance / prior->variance);
    return (state){
        .x = prior->mean + share * (seen - prior->mean), .xx = share * variance, .uu = w->spread2};
}

static void first_slopes(const walk *w, const forward_prior *prior, const state *s, slopes *d)
{
    const forward_layout *l = w->p->layout;
    d->xx[l->noise] = 2.0 * s->xx * (1.0 - s->xx / prior->variance);
    d->x[l->noise] = -2.0 * s->xx / prior->variance * (s->x - prior->mean);
    if (l->spread != FORWARD_NONE) {
        d->uu[l->spread] = 2.0 * s->uu;
    }
}

static bool is_held_out(const forward_problem *p, unsigned frame)
{
    return p->held_out && p->held_out[frame];
}

INLINE void move_on(const walk *w, unsigned frame, state *s, slopes *d, direct scratch[2])
{
    const forward_problem *p = w->p;
    for (size_t k = 0; k < p->steps; k++) {
        drive v = drive_at(p, (size_t)frame * p->steps + k);
        stride_all(p, &v, s, d, scratch);
    }
}

/* Add one track to the likelihood; `d` NULL: the value only. */
INLINE double follow(walk *w, size_t track, double weight, slopes *d, direct scratch[2],
                     double *gradient)
{
    const forward_problem *p = w->p;
    const forward_data *data = p->data;
    const forward_layout *l = p->layout;
    double sum = 0.0, F[FORWARD_MAX];
    size_t end = data->first[track + 1];
    size_t k = ng_forward_first_seen(data, track), seen = 1;
    const forward_prior *prior = &data->prior[track];
    if (k == end) {
        return 0.0;
    }
    state s = first_state(w, prior, data->x[k]);
    if (d) {
        first_slopes(w, prior, &s, d);
    }
    for (k++; k < end; k++) {
        move_on(w, data->frame[k - 1], &s, d, scratch);
        if (!isfinite(data->x[k])) {
            continue;
        }
        surprise q = surprise_of(&w->noise, &s, data->x[k]);
        double deviance = 0.5 * (LN_2PI + log(q.F) + q.e * q.e / q.F);
        if (is_held_out(p, data->frame[k])) {
            w->held_out -= weight * deviance;
            w->n_held_out++;
            continue;
        }
        sum += deviance;
        if (w->innovation) {
            w->innovation[k] = q.e / sqrt(q.F);
        }
        if (d) {
            slopes_score(l, &q, d, F, gradient);
            slopes_information(l->n, &q, d, F, weight, w->information);
        }
        if (seen++ < p->first_frames) {
            if (d) {
                slopes_learn(l->n, &q, &s, F, d);
            }
            learn(&q, &s);
        }
    }
    return sum;
}

NG_VECTOR_CLONES static double value_of_track(walk *w, size_t track, double weight)
{
    return follow(w, track, weight, NULL, NULL, NULL);
}

NG_VECTOR_CLONES static double slopes_of_track(walk *w, size_t track, double weight, slopes *d,
                                               direct scratch[2], double *gradient)
{
    return follow(w, track, weight, d, scratch, gradient);
}

void ng_forward_tables_fill(forward_problem *p, const double *x, bool derivatives)
{
    ng_growth_parameters parameters;
    ng_rate_from_coordinates(x, &parameters);
    for (size_t i = 0; i < p->n_rates; i++) {
        double delta = ng_forward_basis_value(p->shape, x + p->layout->shape, i);
        ng_forward_rates_fill(&p->rates[i], &parameters, delta, p->data->sigma_s_nm, p->potential,
                              derivatives);
    }
    for (size_t i = 0; i < p->supersaturation->count; i++) {
        p->S[i] =
            exp(ng_forward_basis_value(p->supersaturation, x + p->layout->supersaturation, i));
    }
}

/* The lower half was summed, in rows of FORWARD_MAX: make it whole, in rows of n. */
static void information_close(size_t n, const double *sum, double *out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            out[i * n + j] = out[j * n + i] = sum[i * FORWARD_MAX + j];
        }
    }
}

void ng_forward_evaluate(forward_problem *p, const double *x, bool derivatives, forward_result *out,
                         double *innovation, double *score)
{
    size_t n = p->layout->n;
    double information[FORWARD_MAX * FORWARD_MAX];
    slopes d;
    direct scratch[2];
    ng_forward_tables_fill(p, x, derivatives);
    if (p->flask) {
        ng_forward_flask_evaluate(p, x, derivatives, out, innovation, score);
        return;
    }
    walk w = walk_begin(p, x);
    w.innovation = innovation;
    w.information = information;
    out->objective = 0.0;
    memset(out->gradient, 0, sizeof out->gradient);
    memset(information, 0, sizeof information);
    memset(scratch, 0, sizeof scratch);
    p->evaluations++;
    for (size_t i = 0; i < p->data->n_tracks; i++) {
        double weight = p->weight ? p->weight[i] : 1.0, gradient[FORWARD_MAX] = {0};
        if (weight == 0.0) {
            continue;
        }
        if (!derivatives) {
            out->objective += weight * value_of_track(&w, i, weight);
            continue;
        }
        memset(&d, 0, sizeof d);
        out->objective += weight * slopes_of_track(&w, i, weight, &d, scratch, gradient);
        for (size_t j = 0; j < n; j++) {
            out->gradient[j] += weight * gradient[j];
            if (score) {
                score[i * n + j] = gradient[j];
            }
        }
    }
    out->held_out = w.held_out;
    out->n_held_out = w.n_held_out;
    if (derivatives) {
        information_close(n, information, out->information);
    }
}

/* ---- where a particle began -------------------------------------------------------------- */

void ng_forward_first_sight(const forward_problem *p, const double *parameters, size_t track,
                            size_t frames, double *mean, double *variance)
{
    const forward_data *data = p->data;
    walk w = walk_begin(p, parameters);
    size_t k = ng_forward_first_seen(data, track), end = data->first[track + 1], last = k + frames;
    *mean = *variance = (double)NAN;
    if (k == end) {
        return;
    }
    state s = first_state(&w, &data->prior[track], data->x[k]);
    double x = s.x, own = s.xx, with_x = s.xx, with_u = 0.0; /* covariances with the first size */
    for (k++; k < end && k < last; k++) {
        for (size_t i = 0; i < p->steps; i++) {
            drive v = drive_at(p, (size_t)data->frame[k - 1] * p->steps + i);
            stride g;
            stride_make(&v, &s, &g);
            with_x = g.carry * with_x + g.B * with_u;
            stride_take(&g, &s);
        }
        if (isfinite(data->x[k])) {
            surprise q = surprise_of(&w.noise, &s, data->x[k]);
            double gain = with_x / q.F;
            x += gain * q.e;
            own -= gain * with_x;
            with_u -= gain * s.xu;
            with_x -= gain * s.xx;
            learn(&q, &s);
        }
    }
    *mean = x;
    *variance = own;
}
