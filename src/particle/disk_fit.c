/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levenberg and Marquardt's least squares for (x, y, r, C, b) of a blurred disk. */
#include "detect_internal.h"

#include <math.h>
#include <string.h>

enum {
    MOST_STEPS = 40,
    MOST_JOINT_STEPS = 20,
    PER_DISK = NG_FIT_B,
    EDGE = NG_FIT_N,
    ALONG = NG_FIT_N,
    ACROSS
};
enum { COLUMNS = NG_JOINT_MOST * PER_DISK + 1, TRIANGLE = COLUMNS * (COLUMNS + 1) / 2 };

#define STEP_PX 1e-4
#define STEP_SHARE 3e-3

/* Disks on one background. Their values: x, y, r, C of each, then b. Of one disk alone the blur can
 * stand behind them as a sixth; or it is an ellipse, its radius r / sqrt(1 - 2 q), q = `along`
 * cos 2 phi + `across` sin 2 phi, and these two stand behind. */
typedef struct model {
    const ng_disk_table *table;
    const ng_fit_pixels *pixels;
    double blur;
    size_t disks;
    bool ellipse;
    ng_disk_row *row; /* one a disk */
} model;

/* Normal equations: lower triangle by rows. */
typedef struct normal {
    double matrix[TRIANGLE], vector[COLUMNS], chi2;
} normal;

/* Jacobian and residuals of a block of pixels, column by column. */
enum { BLOCK = 64, LANES = 8 };
typedef struct block {
    float column[COLUMNS][BLOCK], residual[BLOCK];
    float dx[BLOCK], dy[BLOCK], rho[BLOCK], share[BLOCK];
    float D[BLOCK], by_P[BLOCK], by_R[BLOCK];
    int node[BLOCK];
} block;

static size_t values_of(const model *m)
{
    return m->disks * PER_DISK + 1 + (m->ellipse ? 2 : 0);
}

static void take_rows(const model *m, const double *value)
{
    for (size_t d = 0; d < m->disks; d++) {
        ng_disk_table_row(m->table, value[d * PER_DISK + NG_FIT_R] / m->blur, &m->row[d]);
    }
}

/* Where each pixel lies, and where it falls in the row. */
static void find_places(const ng_fit_pixels *p, size_t first, size_t n, const double *disk,
                        double blur, block *out)
{
    const float *restrict x = p->x + first, *restrict y = p->y + first;
    const double x0 = disk[NG_FIT_X], y0 = disk[NG_FIT_Y];
    const float scale = (float)(NG_DISK_PER_UNIT / blur), last = NG_DISK_NODES - 1;
    const float origin =
        (float)(NG_DISK_REACH * NG_DISK_PER_UNIT - disk[NG_FIT_R] / blur * NG_DISK_PER_UNIT);
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

/* Pixels are looked up at their distance from the ellipse's edge, as if it were a disk's. */
static void find_ellipse_places(const model *m, size_t n, const double *value, block *out)
{
    const float along = (float)value[ALONG], across = (float)value[ACROSS];
    const float r = (float)value[NG_FIT_R], last = NG_DISK_NODES - 1;
    const float scale = (float)(NG_DISK_PER_UNIT / m->blur);
    for (size_t k = 0; k < n; k++) {
        const float rho2 = fmaxf(out->rho[k] * out->rho[k], 1e-12f);
        const float c = (out->dx[k] * out->dx[k] - out->dy[k] * out->dy[k]) / rho2;
        const float s = 2.0f * out->dx[k] * out->dy[k] / rho2;
        const float own = r / sqrtf(fmaxf(1.0f - 2.0f * (along * c + across * s), 0.1f));
        float place = NG_DISK_REACH * NG_DISK_PER_UNIT + scale * (out->rho[k] - own);
        place = place < 0.0f ? 0.0f : place > last ? last : place;
        out->node[k] = (int)place;
        out->share[k] = place - (float)out->node[k];
        out->column[ALONG][k] = r * c;
        out->column[ACROSS][k] = r * s;
    }
}

/* The columns of one disk, and what it takes off the residuals. */
static void add_disk(const model *m, size_t first, size_t n, const double *disk,
                     float (*restrict column)[BLOCK], const ng_disk_row *row, block *restrict out)
{
    const float scale = (float)(disk[NG_FIT_C] / m->blur), C = (float)disk[NG_FIT_C];
    find_places(m->pixels, first, n, disk, m->blur, out);
    if (m->ellipse) {
        find_ellipse_places(m, n, disk, out);
    }
    look_up(row, n, out);
    for (size_t k = 0; k < n; k++) {
        const float rho = out->rho[k];
        const float radial = -scale * out->by_P[k] / (rho > 1e-6f ? rho : 1e-6f);
        column[NG_FIT_X][k] = radial * out->dx[k];
        column[NG_FIT_Y][k] = radial * out->dy[k];
        column[NG_FIT_R][k] = scale * out->by_R[k];
        column[NG_FIT_C][k] = out->D[k];
        out->residual[k] -= C * out->D[k];
    }
}

/* How the disk that was added last answers to the blur. */
static void add_edge(const model *m, size_t n, const double *disk, block *out)
{
    const float r = (float)disk[NG_FIT_R];
    const float by_blur = (float)(-disk[NG_FIT_C] / (m->blur * m->blur));
    for (size_t k = 0; k < n; k++) {
        out->column[EDGE][k] = by_blur * (out->rho[k] * out->by_P[k] + r * out->by_R[k]);
    }
}

static void fill_block(const model *m, size_t first, size_t n, const double *value, size_t columns,
                       block *out)
{
    const float *restrict f = m->pixels->f + first;
    const size_t last = m->disks * PER_DISK;
    for (size_t k = 0; k < n; k++) {
        out->residual[k] = (float)((double)f[k] - value[last]);
        out->column[last][k] = 1.0f;
    }
    for (size_t d = 0; d < m->disks; d++) {
        add_disk(m, first, n, value + d * PER_DISK, out->column + d * PER_DISK, &m->row[d], out);
    }
    for (size_t k = 0; m->ellipse && k < n; k++) {
        out->column[ALONG][k] *= out->column[NG_FIT_R][k];
        out->column[ACROSS][k] *= out->column[NG_FIT_R][k];
    }
    if (!m->ellipse && columns > last + 1) {
        add_edge(m, n, value, out);
    }
    for (size_t k = n; k < BLOCK; k++) {
        out->residual[k] = 0.0f;
    }
    for (size_t a = 0; n < BLOCK && a < columns; a++) {
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
static void accumulate(const model *m, const double *value, size_t columns, normal *out)
{
    block b;
    const size_t pixels = m->pixels->n;
    memset(out->matrix, 0, columns * (columns + 1) / 2 * sizeof *out->matrix);
    memset(out->vector, 0, columns * sizeof *out->vector);
    out->chi2 = 0.0;
    take_rows(m, value);
    for (size_t first = 0; first < pixels; first += BLOCK) {
        const size_t n = pixels - first < BLOCK ? pixels - first : BLOCK;
        fill_block(m, first, n, value, columns, &b);
        out->chi2 += dot(b.residual, b.residual);
        for (size_t i = 0, k = 0; i < columns; i++) {
            out->vector[i] += dot(b.column[i], b.residual);
            for (size_t j = 0; j <= i; j++) {
                out->matrix[k++] += dot(b.column[i], b.column[j]);
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

static void keep_within(const limits *within, const double *from, double *to)
{
    /* A radius that more than halves or doubles has left the range of the linear model. */
    to[NG_FIT_R] = clamp(to[NG_FIT_R], 0.5 * from[NG_FIT_R], 2.0 * from[NG_FIT_R]);
    to[NG_FIT_R] = clamp(to[NG_FIT_R], within->least_r, within->most_r);
    to[NG_FIT_X] = clamp(to[NG_FIT_X], within->x - within->reach, within->x + within->reach);
    to[NG_FIT_Y] = clamp(to[NG_FIT_Y], within->y - within->reach, within->y + within->reach);
}

/* The step of the damped normal equations, kept within the limits; false without one. */
static bool step_from(const normal *n, const model *m, double damping, const limits *within,
                      const double *from, double *to)
{
    const size_t values = values_of(m);
    double l[TRIANGLE], x[COLUMNS];
    memcpy(l, n->matrix, values * (values + 1) / 2 * sizeof *l);
    memcpy(x, n->vector, values * sizeof *x);
    for (size_t a = 0; a < values; a++) {
        l[a * (a + 1) / 2 + a] *= 1.0 + damping;
    }
    if (!ng_packed_cholesky(l, values)) {
        return false;
    }
    ng_packed_solve(l, values, x);
    bool finite = true;
    for (size_t a = 0; a < values; a++) {
        to[a] = from[a] + x[a];
        finite = finite && isfinite(to[a]);
    }
    for (size_t d = 0; d < m->disks; d++) {
        keep_within(&within[d], from + d * PER_DISK, to + d * PER_DISK);
    }
    return finite;
}

/* A step that promises less than this share of the noise's variance moves no parameter by more than
 * the root of it, in standard errors; one below 1e-4 px shows nowhere. */
static bool is_small(const normal *n, const model *m, const double *from, const double *to)
{
    const size_t values = values_of(m);
    double promised = 0.0, moved = 0.0;
    for (size_t a = 0; a < values; a++) {
        promised += n->vector[a] * (to[a] - from[a]);
    }
    for (size_t d = 0; d < m->disks; d++) {
        for (size_t a = d * PER_DISK; a < d * PER_DISK + NG_FIT_C; a++) { /* x, y, r */
            moved = fmax(moved, fabs(to[a] - from[a]));
        }
    }
    const double variance = n->chi2 / fmax((double)m->pixels->n - (double)values, 1.0);
    return fabs(promised) < STEP_SHARE * variance || moved < STEP_PX;
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
static double own_blur(const model *m, const double *value)
{
    normal n;
    accumulate(m, value, EDGE + 1, &n);
    if (!ng_packed_cholesky(n.matrix, EDGE + 1)) {
        return (double)NAN;
    }
    ng_packed_solve(n.matrix, EDGE + 1, n.vector);
    return clamp(m->blur + n.vector[EDGE], 0.2 * m->blur, 5.0 * m->blur);
}

/* From `value` on to the least squares; `here` holds the normal equations there. */
static bool search(const model *m, const limits *within, double *value, int *steps, normal *here)
{
    const size_t values = values_of(m);
    normal other, *at = here, *next = &other;
    const int most = m->disks == 1 ? MOST_STEPS : MOST_JOINT_STEPS;
    double damping = 1e-3;
    bool converged = false;
    accumulate(m, value, values, at);
    for (*steps = 0; *steps < most && !converged; *steps += 1) {
        double to[COLUMNS];
        if (!step_from(at, m, damping, within, value, to)) {
            damping = fmax(10.0 * damping, 1e-3);
            continue;
        }
        accumulate(m, to, values, next);
        const bool small = is_small(at, m, value, to);
        if (next->chi2 <= at->chi2) {
            normal *left = at;
            at = next;
            next = left;
            converged = small;
            memcpy(value, to, values * sizeof *value);
            damping *= 0.1;
        } else if (small) {
            converged = true; /* rounding decides from here on */
        } else {
            damping = fmax(10.0 * damping, 1e-3);
        }
    }
    if (at != here) {
        *here = *at;
    }
    return converged;
}

static bool is_inside(const limits *within, const double *disk)
{
    return disk[NG_FIT_R] > 1.001 * within->least_r && disk[NG_FIT_R] < 0.999 * within->most_r &&
           disk[NG_FIT_C] > 0.0;
}

static limits limits_at(double *disk, double blur, double most_r, double reach)
{
    const limits within = {.least_r = NG_DISK_LEAST * blur,
                           .most_r = most_r,
                           .x = disk[NG_FIT_X],
                           .y = disk[NG_FIT_Y],
                           .reach = reach};
    disk[NG_FIT_R] = clamp(disk[NG_FIT_R], within.least_r, within.most_r);
    return within;
}

void ng_disk_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                     double most_r, double reach, ng_disk_fit *fit)
{
    ng_disk_row row;
    const model m = {.table = table, .pixels = pixels, .blur = blur, .disks = 1, .row = &row};
    const limits within = limits_at(fit->value, blur, most_r, reach);
    normal here;
    fit->n = pixels->n;
    fit->chi2_flat = flat_chi2(pixels);
    fit->converged = search(&m, &within, fit->value, &fit->steps, &here);
    fit->converged = fit->converged && is_inside(&within, fit->value) && pixels->n > NG_FIT_N + 1;
    memcpy(fit->information, here.matrix, sizeof fit->information);
    fit->chi2 = here.chi2;
    if (fit->wants_edge) {
        fit->edge_px = own_blur(&m, fit->value);
    }
}

double ng_ellipse_fit_chi2(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                           double most_r, double reach, const double value[NG_FIT_N], double *ratio)
{
    ng_disk_row row;
    const model m = {
        .table = table, .pixels = pixels, .blur = blur, .disks = 1, .ellipse = true, .row = &row};
    double v[COLUMNS] = {0};
    normal here;
    int steps = 0;
    memcpy(v, value, NG_FIT_N * sizeof *v);
    const limits within = limits_at(v, blur, most_r, reach);
    (void)search(&m, &within, v, &steps, &here);
    const double q = 2.0 * fmin(hypot(v[ALONG], v[ACROSS]), 0.49);
    *ratio = sqrt((1.0 - q) / (1.0 + q));
    return here.chi2;
}

/* ---- what a disk leaves ------------------------------------------------------------------ */

/* What is left answers to an edge that lies further out along one axis than across: amplitudes of
 * cos 2 phi and sin 2 phi over their standard errors. All else that was fitted is even around. */
double ng_disk_fit_elongation(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                              const double value[NG_FIT_N], double *angle)
{
    ng_disk_row row;
    const model m = {.table = table, .pixels = pixels, .blur = blur, .disks = 1, .row = &row};
    double along = 0.0, across = 0.0, along2 = 0.0, across2 = 0.0;
    block b;
    take_rows(&m, value);
    for (size_t first = 0; first < pixels->n; first += BLOCK) {
        const size_t n = pixels->n - first < BLOCK ? pixels->n - first : BLOCK;
        fill_block(&m, first, n, value, NG_FIT_N, &b);
        for (size_t k = 0; k < n; k++) {
            const float rho2 = fmaxf(b.rho[k] * b.rho[k], 1e-12f), edge = b.column[NG_FIT_R][k];
            const float c = edge * (b.dx[k] * b.dx[k] - b.dy[k] * b.dy[k]) / rho2;
            const float s = edge * 2.0f * b.dx[k] * b.dy[k] / rho2;
            along += (double)(c * b.residual[k]);
            across += (double)(s * b.residual[k]);
            along2 += (double)(c * c);
            across2 += (double)(s * s);
        }
    }
    *angle = 0.5 * atan2(across, along);
    return along2 > 0.0 && across2 > 0.0 ? sqrt(along * along / along2 + across * across / across2)
                                         : 0.0;
}

/* ---- several disks ----------------------------------------------------------------------- */

/* For unit noise, of x, y, r, C and the background of each; false when the whole is singular. */
static bool joint_covariance(normal *n, ng_joint_fit *fit)
{
    const size_t last = fit->disks * PER_DISK, values = last + 1;
    if (!ng_packed_cholesky(n->matrix, values)) {
        return false;
    }
    for (size_t a = 0; a < values; a++) {
        double x[COLUMNS] = {0};
        x[a] = 1.0;
        ng_packed_solve(n->matrix, values, x);
        for (size_t d = 0; d < fit->disks; d++) {
            const size_t first = d * PER_DISK, own = a == last ? PER_DISK : a - first;
            for (size_t b = 0; (a == last || own < PER_DISK) && b <= own; b++) {
                fit->covariance[d][own * (own + 1) / 2 + b] = x[b == PER_DISK ? last : first + b];
            }
        }
    }
    return true;
}

void ng_joint_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                      const double *most_r, const double *reach, ng_joint_fit *fit)
{
    ng_disk_row row[NG_JOINT_MOST];
    const size_t last = fit->disks * PER_DISK;
    const model m = {
        .table = table, .pixels = pixels, .blur = blur, .disks = fit->disks, .row = row};
    limits within[NG_JOINT_MOST];
    double value[COLUMNS];
    normal here;
    for (size_t d = 0; d < fit->disks; d++) {
        within[d] = limits_at(fit->value[d], blur, most_r[d], reach[d]);
        memcpy(value + d * PER_DISK, fit->value[d], PER_DISK * sizeof *value);
    }
    value[last] = fit->value[0][NG_FIT_B];
    fit->converged = search(&m, within, value, &fit->steps, &here) && pixels->n > last + 2;
    fit->n = pixels->n;
    fit->chi2 = here.chi2;
    for (size_t d = 0; d < fit->disks; d++) {
        memcpy(fit->value[d], value + d * PER_DISK, PER_DISK * sizeof *value);
        fit->value[d][NG_FIT_B] = value[last];
        fit->converged = fit->converged && is_inside(&within[d], fit->value[d]);
    }
    fit->converged = fit->converged && joint_covariance(&here, fit);
}
