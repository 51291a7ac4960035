/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inner loops of the rate estimator: one fused pass over the sizes of a frame per shape number.
 */
#include "fit_internal.h"

#include <math.h>
#include <string.h>

#define BLOCK 1024 /* rows whose columns stay in the first cache while shapes are tried on them */
#define LANES 8    /* partial sums; a fixed number keeps the result the same on every vector unit */

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));
/* A macro, as a function returning a vector has no ABI of its own on every machine. */
#define LOAD(x, i) (*(const lanes *)(const void *)((x) + (i)))

static double lane_sum(const lanes *x)
{
    double total = 0.0;
    for (int l = 0; l < LANES; l++) {
        total += (*x)[l];
    }
    return total;
}

/* Sums over a stretch of rows of g = E z with itself and with the columns that do not change. */
typedef struct window_sums {
    double g, gg, gu, gy, gpsi;
} window_sums;

NG_VECTOR_CLONES static void sum_window(const double *E, const double *z, const double *u,
                                        const double *y, const double *psi, size_t n,
                                        window_sums *out)
{
    lanes g1 = {0}, gg = {0}, gu = {0}, gy = {0}, gp = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes g = LOAD(E, i) * LOAD(z, i);
        g1 += g;
        gg += g * g;
        gu += g * LOAD(u, i);
        gy += g * LOAD(y, i);
        gp += g * LOAD(psi, i);
    }
    *out = (window_sums){lane_sum(&g1), lane_sum(&gg), lane_sum(&gu), lane_sum(&gy), lane_sum(&gp)};
    for (; i < n; i++) {
        double g = E[i] * z[i];
        out->g += g;
        out->gg += g * g;
        out->gu += g * u[i];
        out->gy += g * y[i];
        out->gpsi += g * psi[i];
    }
}

/* The columns of a stretch of rows, as the arrays of rate_data hold them. */
typedef struct row_columns {
    const double *attach, *detach, *b, *lever, *y, *psi;
} row_columns;

/* u = attach b, z = detach b, and the sums of u, in one pass over memory. */
NG_VECTOR_CLONES static void make_columns(const row_columns *c, size_t n, double *u, double *z,
                                          rate_attach_sums *out)
{
    lanes s1 = {0}, sl = {0}, suu = {0}, suy = {0}, sup = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes b = LOAD(c->b, i), ui = LOAD(c->attach, i) * b;
        *(lanes *)(void *)(u + i) = ui;
        *(lanes *)(void *)(z + i) = LOAD(c->detach, i) * b;
        s1 += ui;
        sl += ui * LOAD(c->lever, i);
        suu += ui * ui;
        suy += ui * LOAD(c->y, i);
        sup += ui * LOAD(c->psi, i);
    }
    *out = (rate_attach_sums){lane_sum(&s1), lane_sum(&sl), lane_sum(&suu), lane_sum(&suy),
                              lane_sum(&sup)};
    for (; i < n; i++) {
        u[i] = c->attach[i] * c->b[i];
        z[i] = c->detach[i] * c->b[i];
        out->u += u[i];
        out->lever += u[i] * c->lever[i];
        out->uu += u[i] * u[i];
        out->uy += u[i] * c->y[i];
        out->upsi += u[i] * c->psi[i];
    }
}

NG_VECTOR_CLONES static double dot(const double *a, const double *b, size_t n)
{
    lanes s = {0};
    double sum = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        s += LOAD(a, i) * LOAD(b, i);
    }
    for (; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum + lane_sum(&s);
}

NG_VECTOR_CLONES static void multiply(const double *a, const double *b, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i] * b[i];
    }
}

NG_VECTOR_CLONES static double sum(const double *a, size_t n)
{
    lanes s = {0};
    double rest = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        s += LOAD(a, i);
    }
    for (; i < n; i++) {
        rest += a[i];
    }
    return rest + lane_sum(&s);
}

void ng_rate_tables_fill(ng_rate_problem *p, const ng_growth_parameters *q)
{
    const rate_nodes *nodes = p->data.nodes;
    size_t count = nodes->count;
    p->parameters = *q;
    for (size_t i = 0; i < count; i++) {
        double c = nodes->cbrt_n[i];
        p->attach_base[i] = c * c / (1.0 + q->K * c);
    }
    for (size_t k = 0; k < nodes->n_delta; k++) {
        ng_rate_boltzmann(nodes->face + k * count, nodes->edge + k * count, nodes->log1p_n, count,
                          q, p->boltzmann + k * count);
    }
    memset(p->quadratic, 0, sizeof *p->quadratic * p->data.n_frames * nodes->n_delta);
    p->column_frame = SIZE_MAX;
}

double ng_rate_prefactor(const ng_rate_problem *p, size_t k)
{
    double sigma = p->data.sigma_s_nm;
    return 4.0 * M_PI * sigma * sigma * p->data.nodes->surface[k] * p->parameters.kr;
}

/* A table's values at the rows of a frame: a borrowed stretch of it, or gathered into `scratch`. */
static const double *at_rows(const ng_rate_problem *p, size_t frame, const double *table,
                             double *scratch)
{
    const rate_frame *f = &p->data.frame[frame];
    if (!p->data.node) {
        return table + p->data.first_node[frame];
    }
    for (size_t i = f->begin; i < f->end; i++) {
        scratch[i - f->begin] = table[p->data.node[i]];
    }
    return scratch;
}

/* The lever column of a frame's rows. */
static const double *lever_column(const ng_rate_problem *p, size_t frame)
{
    const rate_data *d = &p->data;
    return d->psi_flux ? d->nodes->n + d->first_node[frame] : d->lever + d->frame[frame].begin;
}

/* What a flow x at every row adds to the variance curve per second. */
static double variance_flow(const rate_frame *f, double with_lever, double alone)
{
    return f->lever_scale * with_lever + (f->lever_offset + f->variance_growth) * alone;
}

static double *column(ng_rate_problem *p, size_t i)
{
    return p->column + i * p->data.max_rows;
}

/* Columns 0 and 1, u = attach b and z = detach b, over all rows of the frame, and the sums of u;
 * kept while the same frame is looked at again. */
static void base_columns(ng_rate_problem *p, size_t frame)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    if (p->column_frame == frame) {
        return;
    }
    const double *b = at_rows(p, frame, p->attach_base, column(p, 2));
    const double *lever = lever_column(p, frame);
    const size_t edge[] = {f->begin, f->window_begin, f->window_end, f->end};
    rate_attach_sums part[3];
    for (size_t i = 0; i < 3; i++) {
        size_t from = edge[i], left = from - f->begin;
        row_columns c = {d->attach + from, d->detach + from,
                         b + left,         lever + left,
                         d->y + from,      d->psi_flux ? d->psi + from : d->y + from};
        make_columns(&c, edge[i + 1] - from, column(p, 0) + left, column(p, 1) + left, &part[i]);
    }
    /* the residual lives in the window, the change of N everywhere */
    p->attach_sums = part[1];
    p->attach_sums.u += part[0].u + part[2].u;
    p->attach_sums.lever += part[0].lever + part[2].lever;
    p->column_frame = frame;
}

static rate_quadratic combine(const rate_frame *f, const rate_attach_sums *s, const window_sums *w,
                              double c)
{
    double alpha = s->u * f->psi_scale, beta = w->g * f->psi_scale;
    double uu = s->uu - 2.0 * alpha * s->upsi + alpha * alpha * f->psipsi;
    double uy = s->uy - alpha * f->ypsi;
    double gg = w->gg - 2.0 * beta * w->gpsi + beta * beta * f->psipsi;
    double gy = w->gy - beta * f->ypsi;
    double ug = w->gu - beta * s->upsi - alpha * w->gpsi + alpha * beta * f->psipsi;
    return (rate_quadratic){
        .a = f->scale * c * c * uu,
        .b = f->scale * c * (uy + c * ug),
        .c = f->scale * (f->yy + c * c * gg + 2.0 * c * gy),
        .known = true,
    };
}

/* Sums of one shape over n rows of the window from `at` on. */
static void add_block(ng_rate_problem *p, size_t frame, const double *boltzmann, size_t at,
                      size_t n, window_sums *w)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    size_t row = f->window_begin + at, i = row - f->begin;
    const double *E = boltzmann, *psi = d->psi_flux ? d->psi + row : d->y + row;
    if (d->node) {
        double *gathered = column(p, 2);
        for (size_t j = 0; j < n; j++) {
            gathered[j] = boltzmann[d->node[row + j]];
        }
        E = gathered;
    } else {
        E += d->first_node[frame] + i;
    }
    window_sums part;
    sum_window(E, column(p, 1) + i, column(p, 0) + i, d->y + row, psi, n, &part);
    w->g += part.g;
    w->gg += part.gg;
    w->gu += part.gu;
    w->gy += part.gy;
    w->gpsi += part.gpsi;
}

void ng_rate_kernel(ng_rate_problem *p, size_t frame, const size_t *k, size_t n_k)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    rate_quadratic *quadratic = p->quadratic + frame * d->nodes->n_delta;
    size_t left = f->window_begin - f->begin, inside = f->window_end - f->window_begin;
    size_t right = f->end - f->window_end;
    base_columns(p, frame);
    window_sums w[RATE_MAX_SHAPES] = {{0}};
    const double *E[RATE_MAX_SHAPES];
    size_t open[RATE_MAX_SHAPES], n_open = 0;
    for (size_t j = 0; j < n_k; j++) {
        if (!quadratic[k[j]].known) {
            open[n_open] = k[j];
            E[n_open++] = p->boltzmann + k[j] * d->nodes->count;
        }
    }
    for (size_t at = 0; at < inside; at += BLOCK) {
        size_t n = inside - at < BLOCK ? inside - at : BLOCK;
        for (size_t j = 0; j < n_open; j++) {
            add_block(p, frame, E[j], at, n, &w[j]);
        }
    }
    for (size_t j = 0; j < n_open; j++) {
        if (f->psi_scale != 0.0) {
            const double *z = column(p, 1), *Ef = E[j] + d->first_node[frame];
            w[j].g += dot(Ef, z, left) + dot(Ef + left + inside, z + left + inside, right);
        }
        quadratic[open[j]] = combine(f, &p->attach_sums, &w[j], ng_rate_prefactor(p, open[j]));
    }
}

/* Columns 3..7: derivative of the model c (S u - g) with respect to the five coordinates; columns 0
 * and 1 become c u and c g. */
static void derivative_columns(ng_rate_problem *p, size_t frame)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    size_t k = p->delta_index[frame], n = f->end - f->begin;
    double c = ng_rate_prefactor(p, k), S = p->supersaturation[frame], K = p->parameters.K;
    double *u = column(p, 0), *g = column(p, 1);
    base_columns(p, frame);
    p->column_frame = SIZE_MAX; /* the columns are overwritten below */
    multiply(g, at_rows(p, frame, p->boltzmann + k * d->nodes->count, column(p, 2)), g, n);
    for (size_t i = 0; i < n; i++) {
        size_t node = d->node ? d->node[f->begin + i] : d->first_node[frame] + i;
        double kc = K * d->nodes->cbrt_n[node];
        u[i] *= c;
        g[i] *= c;
        double model = S * u[i] - g[i];
        column(p, 3)[i] = -g[i] * d->nodes->face[k * d->nodes->count + node];
        column(p, 4)[i] = -g[i] * d->nodes->edge[k * d->nodes->count + node];
        column(p, 5)[i] = g[i] * d->nodes->log1p_n[node];
        column(p, 6)[i] = -model * kc / (1.0 + kc);
        column(p, 7)[i] = model;
    }
}

/* Take psi q sum(x) off the window of a column: how the change of N enters. */
static void remove_growth_of_number(ng_rate_problem *p, const rate_frame *f, double *x)
{
    if (f->psi_scale == 0.0) {
        return;
    }
    double share = f->psi_scale * sum(x, f->end - f->begin);
    double *xw = x + (f->window_begin - f->begin);
    const double *psi = p->data.psi + f->window_begin;
    for (size_t i = 0; i < f->window_end - f->window_begin; i++) {
        xw[i] -= share * psi[i];
    }
}

void ng_rate_frame_derivative(ng_rate_problem *p, size_t frame, rate_derivative *out)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    size_t left = f->window_begin - f->begin, inside = f->window_end - f->window_begin;
    size_t n = f->end - f->begin;
    derivative_columns(p, frame);
    for (size_t j = 0; j < NG_N_GROWTH_PARAMETERS; j++) {
        const double *x = column(p, 3 + j);
        out->variance[j] = variance_flow(f, dot(x, lever_column(p, frame), n), sum(x, n));
    }
    remove_growth_of_number(p, f, column(p, 0));
    remove_growth_of_number(p, f, column(p, 1));
    double *r = column(p, 2);
    const double *u = column(p, 0) + left, *g = column(p, 1) + left;
    const double *y = d->y + f->window_begin;
    for (size_t i = 0; i < inside; i++) {
        r[i] = y[i] - p->supersaturation[frame] * u[i] + g[i];
    }
    out->ss = f->scale * dot(u, u, inside);
    out->gs = -f->scale * dot(r, u, inside);
    for (size_t j = 0; j < NG_N_GROWTH_PARAMETERS; j++) {
        remove_growth_of_number(p, f, column(p, 3 + j));
        const double *x = column(p, 3 + j) + left;
        out->hs[j] = f->scale * dot(x, u, inside);
        out->g[j] = -f->scale * dot(x, r, inside);
        for (size_t l = 0; l <= j; l++) {
            out->h[j][l] = f->scale * dot(x, column(p, 3 + l) + left, inside);
            out->h[l][j] = out->h[j][l];
        }
    }
}

void ng_rate_model_rows(ng_rate_problem *p, size_t frame, double *model)
{
    const rate_data *d = &p->data;
    size_t n = d->frame[frame].end - d->frame[frame].begin, k = p->delta_index[frame];
    double c = ng_rate_prefactor(p, k), S = p->supersaturation[frame];
    base_columns(p, frame);
    const double *E = at_rows(p, frame, p->boltzmann + k * d->nodes->count, column(p, 2));
    for (size_t i = 0; i < n; i++) {
        model[i] = c * (S * column(p, 0)[i] - E[i] * column(p, 1)[i]);
    }
}

void ng_rate_variance_frame(ng_rate_problem *p, size_t frame)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    size_t n = f->end - f->begin, k = p->delta_index[frame];
    double c = ng_rate_prefactor(p, k);
    base_columns(p, frame);
    double *g = column(p, 3);
    multiply(column(p, 1), at_rows(p, frame, p->boltzmann + k * d->nodes->count, column(p, 2)), g,
             n);
    p->variance_u[frame] = c * variance_flow(f, p->attach_sums.lever, p->attach_sums.u);
    p->variance_w[frame] =
        c * variance_flow(f, dot(g, lever_column(p, frame), n), sum(g, n)) + f->variance_observed;
}
