/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells for the pair density, and the sink's average over each of them. */
#include "pairs_internal.h"

#include <math.h>

#define EVEN_SHARE 0.6     /* of the cells; the others crowd at the sink, */
#define CROWDED_WIDTHS 6.0 /* and are even within so many widths of it */
#define NEWTON_STEPS 60

/* Cells run evenly in s(x), the mean of x / extent and asinh((x - l) / c) / (its range). */
static double stretch(const pair_grid *g, double x, double *slope)
{
    const double c = CROWDED_WIDTHS * g->width_nm;
    const double low = asinh(-g->sink_nm / c), high = asinh((g->extent_nm - g->sink_nm) / c);
    const double z = (x - g->sink_nm) / c;
    *slope =
        EVEN_SHARE / g->extent_nm + (1.0 - EVEN_SHARE) / (c * sqrt(1.0 + z * z) * (high - low));
    return EVEN_SHARE * x / g->extent_nm + (1.0 - EVEN_SHARE) * (asinh(z) - low) / (high - low);
}

/* The x at which s(x) = share, between `from` and the end: Newton, kept in a bracket. */
static double unstretch(const pair_grid *g, double share, double from)
{
    double low = from, high = g->extent_nm, x = from;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double slope, off = stretch(g, x, &slope) - share;
        low = off < 0 ? x : low;
        high = off < 0 ? high : x;
        double next = x - off / slope;
        next = next > low && next < high ? next : 0.5 * (low + high);
        if (fabs(next - x) <= 1e-14 * g->extent_nm) {
            return next;
        }
        x = next;
    }
    return x;
}

/* Integrals over a cell of W, (x-l) W, (x-l)^2 W. */
static void sink_moments(const pair_grid *g, double from, double to, double moment[3])
{
    const double nu = g->width_nm, a = from - g->sink_nm, b = to - g->sink_nm;
    const double za = a / (nu * sqrt(2.0)), zb = b / (nu * sqrt(2.0));
    const double ea = exp(-za * za), eb = exp(-zb * zb);
    /* erfc keeps digits where both ends lie in one tail */
    double span = za > 0 ? erfc(za) - erfc(zb) : zb < 0 ? erfc(-zb) - erfc(-za) : erf(zb) - erf(za);
    moment[0] = nu * sqrt(acos(-1.0) / 2.0) * span;
    moment[1] = nu * nu * (ea - eb);
    moment[2] = nu * nu * (moment[0] + a * ea - b * eb);
}

static void fill_sink(pair_grid *g)
{
    g->sink_begin = g->cells;
    g->sink_end = 0;
    for (size_t i = 0; i < g->cells; i++) {
        const double from = g->face[i], to = g->face[i + 1];
        sink_moments(g, from, to, &g->sink[3 * i]);
        if (to > g->sink_nm - SINK_REACH * g->width_nm &&
            from < g->sink_nm + SINK_REACH * g->width_nm) {
            g->sink_begin = i < g->sink_begin ? i : g->sink_begin;
            g->sink_end = i + 1;
        }
    }
}

void ng_pair_grid_free(pair_grid *g)
{
    ng_free(g->face);
    ng_free(g->middle);
    ng_free(g->sink);
    *g = (pair_grid){0};
}

ng_status ng_pair_grid_make(double extent_nm, double sink_nm, double width_nm, size_t cells,
                            pair_grid *g, ng_error *err)
{
    *g = (pair_grid){
        .extent_nm = extent_nm, .sink_nm = sink_nm, .width_nm = width_nm, .cells = cells};
    g->face = NG_NEW(double, cells + 1);
    g->middle = NG_NEW(double, cells);
    g->sink = NG_NEW(double, 3 * cells);
    if (!g->face || !g->middle || !g->sink) {
        ng_pair_grid_free(g);
        return NG_FAIL(err, NG_MEMORY, "pair density: no memory for %zu cells", cells);
    }
    for (size_t i = 1; i < cells; i++) {
        g->face[i] = unstretch(g, (double)i / (double)cells, g->face[i - 1]);
    }
    g->face[cells] = extent_nm;
    for (size_t i = 0; i < cells; i++) {
        g->middle[i] = 0.5 * (g->face[i] + g->face[i + 1]);
    }
    fill_sink(g);
    return NG_OK;
}
