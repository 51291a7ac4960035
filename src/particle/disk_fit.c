/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levenberg and Marquardt's least squares for (x, y, r, C, b) of a blurred disk. */
#include "detect_internal.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 40, EDGE = NG_FIT_N, COLUMNS = NG_FIT_N + 1 };

#define STEP_PX 1e-4
#define STEP_SHARE 3e-3

/* Normal equations: lower triangle by rows; with the blur as a sixth parameter at the end. */
typedef struct normal {
    double matrix[21], vector[COLUMNS], chi2;
} normal;

/* Jacobian and residuals of a block of pixels, column by column. */
enum { BLOCK = 64, RESIDUAL = COLUMNS, LANES = 8 };
typedef struct block {
    float column[COLUMNS + 1][BLOCK];
    float dx[BLOCK], dy[BLOCK], rho[BLOCK], share[BLOCK];
    float D[BLOCK], by_P[BLOCK], by_R[BLOCK];
    int node[BLOCK];
} block;

/* Where each pixel lies, and where it falls in the row. */
static void find_places(const ng_fit_pixels *p, size_t first, size_t n,
                        const double value[NG_FIT_N], double blur, block *out)
{
    const float *restrict x = p->x + first, *restrict y = p->y + first;
    const double x0 = value[NG_FIT_X], y0 = value[NG_FIT_Y];
    const float scale = (float)(NG_DISK_PER_UNIT / blur), last = NG_DISK_NODES - 1;
    const float origin =
        (float)(NG_DISK_REACH * NG_DISK_PER_UNIT - value[NG_FIT_R] / blur * NG_DISK_PER_UNIT);
    for (size_t k = 0; k < n; k++) {
        out->dx[k] = (float)((double)x[k] - x0);
        out->dy[k] = (float)((double)y[k] - y0);
    }
    for (size_t k = 0; k < n; k++) {
        const float rho = sqrtf(out->dx[k] * out->dx[k] + out->dy[k] * out->dy[k]);
        float place = origin + scale * rho;
        place = place < 0.0f ? 0.0f : place;
        place = place > last ? last : place;
        out->rho[k] = rho;
        out->node[k] = (int)place;
        out->share[k] = place - (float)out->node[k];
    }
}

static void look_up(const ng_disk_row *row, size_t n, block *out)
{
    for (size_t k = 0; k < n; k++) {
        const float *a = row->node[out->node[k]], *b = a + NG_DISK_VALUES;
        const float share = out->share[k];
        out->D[k] = a[NG_DISK_D] + share * (b[NG_DISK_D] - a[NG_DISK_D]);
        out->by_P[k] = a[NG_DISK_BY_P] + share * (b[NG_DISK_BY_P] - a[NG_DISK_BY_P]);
        out->by_R[k] = a[NG_DISK_BY_R] + share * (b[NG_DISK_BY_R] - a[NG_DISK_BY_R]);
    }
}

static void fill_block(const ng_disk_row *row, double blur, const ng_fit_pixels *p, size_t first,
                       size_t n, const double value[NG_FIT_N], block *out)
{
    const float *restrict f = p->f + first;
    const float scale = (float)(value[NG_FIT_C] / blur), r = (float)value[NG_FIT_R];
    const float C = (float)value[NG_FIT_C], by_blur = -scale / (float)blur;
    const double b = value[NG_FIT_B];
    find_places(p, first, n, value, blur, out);
    look_up(row, n, out);
    for (size_t k = 0; k < n; k++) {
        const float rho = out->rho[k];
        const float radial = -scale * out->by_P[k] / (rho > 1e-6f ? rho : 1e-6f);
        out->column[NG_FIT_X][k] = radial * out->dx[k];
        out->column[NG_FIT_Y][k] = radial * out->dy[k];
        out->column[NG_FIT_R][k] = scale * out->by_R[k];
        out->column[NG_FIT_C][k] = out->D[k];
        out->column[NG_FIT_B][k] = 1.0f;
        out->column[EDGE][k] = by_blur * (rho * out->by_P[k] + r * out->by_R[k]);
        out->column[RESIDUAL][k] = (float)((double)f[k] - b) - C * out->D[k];
    }
    for (size_t a = 0; n < BLOCK && a <= COLUMNS; a++) {
        for (size_t k = n; k < BLOCK; k++) {
            out->column[a][k] = 0.0f;
        }
    }
}

/* Sums side by side: the order of additions is fixed, and vector units can follow it. */
static inline double dot(const float *restrict a, const float *restrict b)
{
    float lane[LANES] = {0.0f};
    for (size_t k = 0; k < BLOCK; k += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lane[l] += a[k + l] * b[k + l];
        }
    }
    return (double)((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           (double)((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Normal equations in the first `columns` parameters. */
static void accumulate(const ng_disk_row *row, double blur, const ng_fit_pixels *p,
                       const double value[NG_FIT_N], size_t columns, normal *out)
{
    block b;
    *out = (normal){.chi2 = 0.0};
    for (size_t first = 0; first < p->n; first += BLOCK) {
        const size_t n = p->n - first < BLOCK ? p->n - first : BLOCK;
        fill_block(row, blur, p, first, n, value, &b);
        out->chi2 += dot(b.column[RESIDUAL], b.column[RESIDUAL]);
        for (size_t i = 0, m = 0; i < columns; i++) {
            out->vector[i] += dot(b.column[i], b.column[RESIDUAL]);
            for (size_t j = 0; j <= i; j++) {
                out->matrix[m++] += dot(b.column[i], b.column[j]);
            }
        }
    }
}

/* ---- small linear algebra ---------------------------------------------------------------- */

bool ng_disk_fit_covariance(const double information[15], double covariance[15])
{
    double l[15];
    memcpy(l, information, sizeof l);
    if (!ng_packed_cholesky(l, NG_FIT_N)) {
        return false;
    }
    for (size_t a = 0, m = 0; a < NG_FIT_N; a++) {
        double x[NG_FIT_N] = {0};
        x[a] = 1.0;
        ng_packed_solve(l, NG_FIT_N, x);
        for (size_t b = 0; b <= a; b++) {
            covariance[m++] = x[b];
        }
    }
    return true;
}

void ng_disk_fit_draw(const ng_disk_table *table, double blur, const double value[NG_FIT_N],
                      ng_fit_pixels *pixels)
{
    ng_disk_row row;
    ng_disk_table_row(table, value[NG_FIT_R] / blur, &row);
    for (size_t k = 0; k < pixels->n; k++) {
        const double rho =
            hypot((double)pixels->x[k] - value[NG_FIT_X], (double)pixels->y[k] - value[NG_FIT_Y]);
        const double D = ng_disk_row_D(&row, (rho - value[NG_FIT_R]) / blur);
        pixels->f[k] = (float)(value[NG_FIT_B] + value[NG_FIT_C] * D);
    }
}

/* ---- the search -------------------------------------------------------------------------- */

typedef struct limits {
    double least_r, most_r, x, y, reach;
} limits;

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* The step of the damped normal equations, kept within the limits; false without one. */
static bool step_from(const normal *n, double damping, const limits *within,
                      const double from[NG_FIT_N], double to[NG_FIT_N])
{
    double l[15], x[NG_FIT_N];
    memcpy(l, n->matrix, sizeof l);
    memcpy(x, n->vector, sizeof x);
    for (size_t a = 0; a < NG_FIT_N; a++) {
        l[a * (a + 1) / 2 + a] *= 1.0 + damping;
    }
    if (!ng_packed_cholesky(l, NG_FIT_N)) {
        return false;
    }
    ng_packed_solve(l, NG_FIT_N, x);
    for (size_t a = 0; a < NG_FIT_N; a++) {
        to[a] = from[a] + x[a];
    }
    /* A radius that more than halves or doubles has left the range of the linear model. */
    to[NG_FIT_R] = clamp(to[NG_FIT_R], 0.5 * from[NG_FIT_R], 2.0 * from[NG_FIT_R]);
    to[NG_FIT_R] = clamp(to[NG_FIT_R], within->least_r, within->most_r);
    to[NG_FIT_X] = clamp(to[NG_FIT_X], within->x - within->reach, within->x + within->reach);
    to[NG_FIT_Y] = clamp(to[NG_FIT_Y], within->y - within->reach, within->y + within->reach);
    return isfinite(to[NG_FIT_C]) && isfinite(to[NG_FIT_B]);
}

/* A step that promises less than this share of the noise's variance moves no parameter by more than
 * the root of it, in standard errors; one below 1e-4 px shows nowhere. */
static bool is_small(const normal *n, size_t pixels, const double from[NG_FIT_N],
                     const double to[NG_FIT_N])
{
    double promised = 0.0;
    for (size_t a = 0; a < NG_FIT_N; a++) {
        promised += n->vector[a] * (to[a] - from[a]);
    }
    const double variance = n->chi2 / fmax((double)pixels - NG_FIT_N, 1.0);
    return fabs(promised) < STEP_SHARE * variance ||
           (fabs(to[NG_FIT_X] - from[NG_FIT_X]) < STEP_PX &&
            fabs(to[NG_FIT_Y] - from[NG_FIT_Y]) < STEP_PX &&
            fabs(to[NG_FIT_R] - from[NG_FIT_R]) < STEP_PX);
}

static double flat_chi2(const ng_fit_pixels *p)
{
    double sum = 0.0, square = 0.0;
    for (size_t k = 0; k < p->n; k++) {
        sum += (double)p->f[k];
    }
    const double mean = p->n > 0 ? sum / (double)p->n : 0.0;
    for (size_t k = 0; k < p->n; k++) {
        const double d = (double)p->f[k] - mean;
        square += d * d;
    }
    return square;
}

/* One step of least squares with the blur as a sixth parameter. */
static double own_blur(const ng_disk_row *row, double blur, const ng_fit_pixels *p,
                       const double value[NG_FIT_N])
{
    normal n;
    accumulate(row, blur, p, value, COLUMNS, &n);
    if (!ng_packed_cholesky(n.matrix, COLUMNS)) {
        return (double)NAN;
    }
    ng_packed_solve(n.matrix, COLUMNS, n.vector);
    return clamp(blur + n.vector[EDGE], 0.2 * blur, 5.0 * blur);
}

static void search(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                   const limits *within, ng_disk_fit *fit)
{
    ng_disk_row row;
    normal here, there;
    double damping = 1e-3;
    ng_disk_table_row(table, fit->value[NG_FIT_R] / blur, &row);
    accumulate(&row, blur, pixels, fit->value, NG_FIT_N, &here);
    for (fit->steps = 0; fit->steps < MOST_STEPS && !fit->converged; fit->steps++) {
        double to[NG_FIT_N];
        if (!step_from(&here, damping, within, fit->value, to)) {
            damping = fmax(10.0 * damping, 1e-3);
            continue;
        }
        ng_disk_table_row(table, to[NG_FIT_R] / blur, &row);
        accumulate(&row, blur, pixels, to, NG_FIT_N, &there);
        const bool small = is_small(&here, pixels->n, fit->value, to);
        if (there.chi2 <= here.chi2) {
            fit->converged = small;
            memcpy(fit->value, to, sizeof to);
            here = there;
            damping *= 0.1;
        } else if (small) {
            fit->converged = true; /* rounding decides from here on */
        } else {
            damping = fmax(10.0 * damping, 1e-3);
        }
    }
    memcpy(fit->information, here.matrix, sizeof fit->information);
    fit->chi2 = here.chi2;
    ng_disk_table_row(table, fit->value[NG_FIT_R] / blur, &row);
    if (fit->wants_edge) {
        fit->edge_px = own_blur(&row, blur, pixels, fit->value);
    }
}

void ng_disk_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                     double most_r, double reach, ng_disk_fit *fit)
{
    const limits within = {.least_r = NG_DISK_LEAST * blur,
                           .most_r = most_r,
                           .x = fit->value[NG_FIT_X],
                           .y = fit->value[NG_FIT_Y],
                           .reach = reach};
    fit->n = pixels->n;
    fit->converged = false;
    fit->chi2_flat = flat_chi2(pixels);
    fit->value[NG_FIT_R] = clamp(fit->value[NG_FIT_R], within.least_r, within.most_r);
    search(table, blur, pixels, &within, fit);
    const double r = fit->value[NG_FIT_R];
    fit->converged = fit->converged && r > 1.001 * within.least_r && r < 0.999 * within.most_r &&
                     fit->value[NG_FIT_C] > 0.0 && pixels->n > NG_FIT_N + 1;
}
