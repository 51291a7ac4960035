/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates of attachment and detachment over x = n^(2/3), with their derivatives by the parameters. */
#include "forward_internal.h"

#include <math.h>
#include <string.h>

#define STEP 0.5 /* of x: a cubic through such nodes is right to 1e-5 at n = 50, better above */
#define NODES_MOST 20000
#define DELTA_STEP 1e-5 /* differences by the shape */

ng_status ng_forward_rates_create(double n_max, forward_rates *out, ng_error *err)
{
    double low = cbrt((double)RATE_N_MIN * RATE_N_MIN), high = cbrt(n_max) * cbrt(n_max);
    high = fmax(high, low + 8.0 * STEP);
    double step = fmax(STEP, (high - low) / NODES_MOST);
    size_t intervals = (size_t)ceil((high - low) / step);
    *out = (forward_rates){.count = intervals + 3,
                           .x_min = low,
                           .x_max = low + (double)intervals * step,
                           .step = step};
    out->row = NG_NEW(double, out->count *FORWARD_COLUMNS);
    return out->row ? NG_OK
                    : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu sizes", out->count);
}

void ng_forward_rates_free(forward_rates *rates)
{
    ng_free(rates->row);
    *rates = (forward_rates){0};
}

typedef struct law {
    const ng_growth_parameters *p;
    double delta, surface; /* 4 pi sigma^2 f(delta) kr */
    forward_potential potential;
    double gibbs_thomson; /* of eps_f: times n^(-1/3) */
} law;

static law law_at(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                  forward_potential potential)
{
    ng_growth_parameters unit = {.eps_f = 1.0};
    law l = {p, delta, 0.0, potential, 0.0};
    l.surface = 4.0 * M_PI * sigma_s_nm * sigma_s_nm * ng_shape_surface_factor(delta) * p->kr;
    l.gibbs_thomson = ng_potential_gibbs_thomson(&unit, delta, 1.0);
    return l;
}

/* Gain of face and edge sites when an n-mer grows. */
static void gains(const law *l, double n, double *face, double *edge)
{
    if (l->potential == FORWARD_GIBBS_THOMSON) {
        *face = l->gibbs_thomson / cbrt(n);
        *edge = 0.0;
    } else {
        ng_shape_site_gain(n, l->delta, edge, face);
    }
}

/* k_n^a rho_1inf */
static double attachment(const law *l, double n)
{
    double root = cbrt(n);
    return l->surface * root * root / (1.0 + l->p->K * root);
}

static double boltzmann(const law *l, double n, double face, double edge)
{
    return exp(face * l->p->eps_f + edge * l->p->eps_e - l->p->alpha4 * log1p(1.0 / n));
}

static void fill_row(const law *l, const law *less, const law *more, double x, bool derivatives,
                     double *row)
{
    double n = x * sqrt(x), below = n - 1.0, face, edge;
    double up = cbrt((n + 1.0) * (n + 1.0)) - x, down = x - cbrt(below * below);
    gains(l, below, &face, &edge);
    double b = attachment(l, below) * boltzmann(l, below, face, edge) * down;
    double a = attachment(l, n) * up;
    row[FORWARD_A] = a;
    row[FORWARD_B] = b;
    if (!derivatives) {
        return;
    }
    double K = l->p->K, by_K = -K * cbrt(n) / (1.0 + K * cbrt(n));
    double by_K_below = -K * cbrt(below) / (1.0 + K * cbrt(below));
    row[FORWARD_A_K] = a * by_K;
    row[FORWARD_B_FACE] = b * face;
    row[FORWARD_B_EDGE] = b * edge;
    row[FORWARD_B_ALPHA] = -b * log1p(1.0 / below);
    row[FORWARD_B_K] = b * by_K_below;
    double width = more->delta - less->delta, face_less, edge_less, face_more, edge_more;
    gains(less, below, &face_less, &edge_less);
    gains(more, below, &face_more, &edge_more);
    double surface = (more->surface - less->surface) / (width * l->surface);
    double potential =
        l->p->eps_f * (face_more - face_less) + l->p->eps_e * (edge_more - edge_less);
    row[FORWARD_A_DELTA] = a * surface;
    row[FORWARD_B_DELTA] = b * (surface + potential / width);
}

void ng_forward_rates_fill(forward_rates *rates, const ng_growth_parameters *p, double delta,
                           double sigma_s_nm, forward_potential potential, bool derivatives)
{
    law here = law_at(p, delta, sigma_s_nm, potential);
    law less = law_at(p, fmax(delta - DELTA_STEP, NG_DELTA_MIN), sigma_s_nm, potential);
    law more = law_at(p, fmin(delta + DELTA_STEP, NG_DELTA_MAX), sigma_s_nm, potential);
    for (size_t i = 0; i < rates->count; i++) {
        double x = rates->x_min + ((double)i - 1.0) * rates->step;
        fill_row(&here, &less, &more, x, derivatives, rates->row + i * FORWARD_COLUMNS);
    }
}
