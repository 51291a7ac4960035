/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a spot is longer than it is wide. */
#include "spot_model.h"

#include <math.h>

enum { MOMENTS = 7 }; /* place, flux, background, then the covariance */
#define PI 3.14159265358979323846

/* Slopes of a pixel by place, flux, background, and by sum and difference of the two variances and
 * the covariance of a Gaussian: half the second derivatives of it. */
static void slopes_at(const ng_spot *s, double x, double y, double slope[MOMENTS])
{
    const double w2 = s->width * s->width, u = (x - s->x) / w2, v = (y - s->y) / w2;
    const double unit = exp(-0.5 * w2 * (u * u + v * v)) / (2.0 * PI * w2), g = s->flux * unit;
    slope[0] = g * u;
    slope[1] = g * v;
    slope[2] = unit;
    slope[3] = 1.0;
    slope[4] = 0.5 * g * (u * u + v * v - 2.0 / w2);
    slope[5] = 0.5 * g * (u * u - v * v);
    slope[6] = g * u * v;
}

void ng_spot_ask_shape(const ng_spot_model *m, double x0, double y0, ng_spot *s)
{
    double l[MOMENTS * (MOMENTS + 1) / 2] = {0.0}, step[MOMENTS] = {0.0};
    s->shape = (ng_spot_shape){.variance = (double)NAN};
    for (size_t i = 0; i < m->m; i++) {
        const double weight = (double)m->weight[i], pull = (double)m->pull[i];
        double slope[MOMENTS];
        if (!(weight > 0.0)) {
            continue;
        }
        slopes_at(s, x0 + (double)(i % m->stride), y0 + (double)(i / m->stride), slope);
        for (size_t a = 0, at = 0; a < MOMENTS; a++) {
            step[a] += slope[a] * pull;
            for (size_t b = 0; b <= a; b++) {
                l[at++] += weight * slope[a] * slope[b];
            }
        }
    }
    if (!ng_packed_cholesky(l, MOMENTS)) {
        return;
    }
    double along[MOMENTS] = {[5] = 1.0}, across[MOMENTS] = {[6] = 1.0};
    ng_packed_solve(l, MOMENTS, step);
    ng_packed_solve(l, MOMENTS, along);
    ng_packed_solve(l, MOMENTS, across);
    s->shape = (ng_spot_shape){.round = step[4],
                               .straight = step[5],
                               .slanted = step[6],
                               .variance = 0.5 * (along[5] + across[6])};
}
