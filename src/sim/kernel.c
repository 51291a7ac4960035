/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The final kernel: a Gaussian of the resolution that is claimed, which keeps the light. */
#include "reconstruct_internal.h"

#include <math.h>

#define MOST_REACH 64

typedef struct smoothing {
    ng_sim_reconstructor *r;
    size_t reach;
    float weight[MOST_REACH + 1]; /* at 0, +-1, ... */
} smoothing;

static ng_status smooth_row(void *context, size_t row, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    const smoothing *s = context;
    const size_t n = s->r->grid.fine.width;
    const float *in = s->r->object + row * n;
    float *out = s->r->spare + row * n;
    for (size_t i = 0; i < n; i++) {
        out[i] = s->weight[0] * in[i];
    }
    for (size_t j = 1; j <= s->reach; j++) {
        const float weight = s->weight[j];
        for (size_t i = j; i < n; i++) {
            out[i] += weight * in[i - j];
        }
        for (size_t i = 0; i + j < n; i++) {
            out[i] += weight * in[i + j];
        }
    }
    return NG_OK;
}

static ng_status smooth_column(void *context, size_t row, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    const smoothing *s = context;
    const size_t n = s->r->grid.fine.width, height = s->r->grid.fine.height;
    const float *in = s->r->spare;
    float *out = s->r->object + row * n;
    for (size_t i = 0; i < n; i++) {
        out[i] = s->weight[0] * in[row * n + i];
    }
    for (size_t j = 1; j <= s->reach; j++) {
        const float weight = s->weight[j];
        const float *above = row >= j ? in + (row - j) * n : NULL;
        const float *below = row + j < height ? in + (row + j) * n : NULL;
        for (size_t i = 0; above != NULL && i < n; i++) {
            out[i] += weight * above[i];
        }
        for (size_t i = 0; below != NULL && i < n; i++) {
            out[i] += weight * below[i];
        }
    }
    return NG_OK;
}

ng_status ng_sim_smooth(ng_sim_reconstructor *r, double fwhm_nm, const ng_run *run, ng_error *err)
{
    const double sigma = fwhm_nm / sqrt(8 * log(2)) / (0.5 * r->pattern.optics.pixel_nm);
    if (!(sigma > 0.05)) {
        return NG_OK;
    }
    smoothing s = {.r = r, .reach = (size_t)ceil(4 * sigma)};
    s.reach = s.reach < MOST_REACH ? s.reach : MOST_REACH;
    double sum = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i <= s.reach; i++) {
            const double t = (double)i / sigma, weight = exp(-0.5 * t * t);
            sum += pass == 0 ? (i == 0 ? weight : 2 * weight) : 0;
            s.weight[i] = (float)(weight / sum);
        }
    }
    ng_status status = ng_sim_loop(r->grid.fine.height, smooth_row, &s, run, err);
    return status != NG_OK ? status : ng_sim_loop(r->grid.fine.height, smooth_column, &s, run, err);
}
