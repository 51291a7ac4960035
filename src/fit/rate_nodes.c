/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and shapes at which the rate estimator tabulates: everything that depends on (n, delta)
 * only. */
#include "fit_internal.h"

#include <math.h>

#define DENSE 1000  /* every integer up to here */
#define RATIO 1.001 /* then geometric: finer than any measured size */
#define PADDING 8   /* vector loads may read past the end of a row */
#define MOST 1e8    /* entries of a table: 0.8 GB; several are made */

static size_t node_count(double n_max, bool every_integer)
{
    if (every_integer || n_max <= DENSE) {
        return (size_t)ceil(fmax(n_max, 2.0)) + 1;
    }
    return DENSE + (size_t)ceil(log(n_max / DENSE) / log(RATIO)) + 1;
}

static double node_size(size_t i, bool every_integer)
{
    if (every_integer || i < DENSE) {
        return (double)(i + 1);
    }
    return DENSE * pow(RATIO, (double)(i - DENSE + 1));
}

static void fill_gains(rate_nodes *nodes, bool every_integer, size_t k)
{
    double *edge = nodes->edge + k * nodes->count;
    double *face = nodes->face + k * nodes->count;
    size_t dense = every_integer || nodes->count < DENSE ? nodes->count : DENSE;
    ng_shape_site_gain_table(1.0, dense, nodes->delta[k], edge, face);
    for (size_t i = dense; i < nodes->count; i++) {
        ng_shape_site_gain(nodes->n[i], nodes->delta[k], &edge[i], &face[i]);
    }
}

ng_status ng_rate_nodes_create(double n_max, bool every_integer, const double *delta,
                               size_t n_delta, rate_nodes *out, ng_error *err)
{
    if (every_integer && n_max * (double)n_delta > MOST) {
        return NG_FAIL(err, NG_INVALID,
                       "preset published tabulates every size up to the largest, %.3g monomers: "
                       "too many for %zu shapes; use the default preset, a fixed --delta, or "
                       "check the calibration",
                       n_max, n_delta);
    }
    *out = (rate_nodes){.count = node_count(n_max, every_integer), .n_delta = n_delta};
    size_t table = out->count * n_delta + PADDING;
    out->n = NG_NEW(double, out->count);
    out->cbrt_n = NG_NEW(double, out->count);
    out->log1p_n = NG_NEW(double, out->count);
    out->delta = NG_NEW(double, n_delta);
    out->surface = NG_NEW(double, n_delta);
    out->face = NG_NEW(double, table);
    out->edge = NG_NEW(double, table);
    if (!out->n || !out->cbrt_n || !out->log1p_n || !out->delta || !out->surface || !out->face ||
        !out->edge) {
        size_t count = out->count;
        ng_rate_nodes_free(out);
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu sizes", count);
    }
    for (size_t i = 0; i < out->count; i++) {
        out->n[i] = node_size(i, every_integer);
        out->cbrt_n[i] = cbrt(out->n[i]);
        out->log1p_n[i] = log1p(1.0 / out->n[i]);
    }
    for (size_t k = 0; k < n_delta; k++) {
        out->delta[k] = delta[k];
        out->surface[k] = ng_shape_surface_factor(delta[k]);
        fill_gains(out, every_integer, k);
    }
    return NG_OK;
}

void ng_rate_nodes_free(rate_nodes *nodes)
{
    ng_free(nodes->n);
    ng_free(nodes->cbrt_n);
    ng_free(nodes->log1p_n);
    ng_free(nodes->delta);
    ng_free(nodes->surface);
    ng_free(nodes->face);
    ng_free(nodes->edge);
    *nodes = (rate_nodes){0};
}

unsigned ng_rate_nodes_find(const rate_nodes *nodes, double n)
{
    double i = n <= DENSE ? round(n) - 1.0 : DENSE - 1.0 + round(log(n / DENSE) / log(RATIO));
    return (unsigned)fmin(fmax(i, 0.0), (double)(nodes->count - 1));
}
