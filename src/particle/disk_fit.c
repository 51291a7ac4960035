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
enum { LONGER = EDGE + 1, WIDER }; /* columns that are looked at, not fitted */
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

/* Inlined, so that they are made for the vector unit of the function that calls them. */
#define INLINE static inline __attribute__((always_inline))

/* Jacobian and residuals of a block of pixels, column by column. Sums have a fixed number of
 * lanes: the result is the same on every vector unit. */
enum { BLOCK = 256, LANES = 8 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef int whole_lanes __attribute__((vector_size(LANES * sizeof(int)), aligned(4)));
typedef float profile __attribute__((vector_size(NG_DISK_VALUES * sizeof(float)), aligned(4)));
#define AS(type, at) (*(type *)(void *)(at))
#define AS_CONST(type, at) (*(const type *)(const void *)(at))
typedef struct block {
    float column[COLUMNS][BLOCK], residual[BLOCK];
    float dx[BLOCK], dy[BLOCK], rho[BLOCK], share[BLOCK];
    float value[BLOCK][NG_DISK_VALUES]; /* the profile and its slopes */
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

/* Lanes beyond the last pixel add nothing. */
INLINE void clear(float *column, size_t n)
{
    for (size_t k = n; k % LANES != 0; k++) {
        column[k] = 0.0f;
    }
}

/* Places in the row, as they stand in `share`, to the node before and the share of the next. */
INLINE void split_places(size_t n, block *out)
{
    const lanes last = (lanes){0.0f} + (float)(NG_DISK_NODES - 1);
    clear(out->share, n);
    for (size_t k = 0; k < n; k += LANES) {
        const lanes place = AS_CONST(lanes, out->share + k);
        const whole_lanes above = place > last, inside = (place > 0.0f) & ~above;
        const lanes kept = (lanes)(((whole_lanes)place & inside) | ((whole_lanes)last & above));
        const whole_lanes node = __builtin_convertvector(kept, whole_lanes);
        AS(whole_lanes, out->node + k) = node;
        AS(lanes, out->share + k) = kept - __builtin_convertvector(node, lanes);
    }
}

/* Where each pixel lies, and where it falls in the row. */
INLINE void find_places(const ng_fit_pixels *p, size_t first, size_t n, const double *disk,
                        double blur, block *out)
{
    const float *restrict x = p->x + first, *restrict y = p->y + first;
    const double x0 = disk[NG_FIT_X], y0 = disk[NG_FIT_Y];
    const float scale = (float)(NG_DISK_PER_UNIT / blur);
    const float origin =
        (float)(NG_DISK_REACH * NG_DISK_PER_UNIT - disk[NG_FIT_R] / blur * NG_DISK_PER_UNIT);
    for (size_t k = 0; k < n; k++) {
        out->dx[k] = (float)((double)x[k] - x0);
        out->dy[k] = (float)((double)y[k] - y0);
    }
    for (size_t k = 0; k < n; k++) {
        out->rho[k] = sqrtf(out->dx[k] * out->dx[k] + out->dy[k] * out->dy[k]);
        out->share[k] = origin + scale * out->rho[k];
    }
    split_places(n, out);
}

/* The values of a node stand side by side: one operation interpolates them all. */
INLINE void look_up(const ng_disk_row *row, size_t n, block *out)
{
    for (size_t k = 0; k < n; k++) {
        const float *node = row->node[out->node[k]];
        const profile a = AS_CONST(profile, node), b = AS_CONST(profile, node + NG_DISK_VALUES);
        AS(profile, out->value[k]) = a + out->share[k] * (b - a);
    }
}

/* Pixels are looked up at their distance from the ellipse's edge, as if it were a disk's. */
INLINE void find_ellipse_places(const model *m, size_t n, const double *value, block *out)
{
    const float along = (float)value[ALONG], across = (float)value[ACROSS];
    const float r = (float)value[NG_FIT_R], scale = (float)(NG_DISK_PER_UNIT / m->blur);
    for (size_t k = 0; k < n; k++) {
        const float rho2 = fmaxf(out->rho[k] * out->rho[k], 1e-12f);
        const float c = (out->dx[k] * out->dx[k] - out->dy[k] * out->dy[k]) / rho2;
        const float s = 2.0f * out->dx[k] * out->dy[k] / rho2;
        const float own = r / sqrtf(fmaxf(1.0f - 2.0f * (along * c + across * s), 0.1f));
        out->share[k] = NG_DISK_REACH * NG_DISK_PER_UNIT + scale * (out->rho[k] - own);
        out->column[ALONG][k] = r * c;
        out->column[ACROSS][k] = r * s;
    }
    split_places(n, out);
}

/* The columns of one disk, and what it takes off the residuals. */
INLINE void add_disk(const model *m, size_t first, size_t n, const double *disk,
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
        const float radial = -scale * out->value[k][NG_DISK_BY_P] / (rho + 1e-6f);
        column[NG_FIT_X][k] = radial * out->dx[k];
        column[NG_FIT_Y][k] = radial * out->dy[k];
        column[NG_FIT_R][k] = scale * out->value[k][NG_DISK_BY_R];
        column[NG_FIT_C][k] = out->value[k][NG_DISK_D];
        out->residual[k] -= C * out->value[k][NG_DISK_D];
    }
}

/* How the disk that was added last answers to the blur. */
INLINE void add_edge(const model *m, size_t n, const double *disk, block *out)
{
    const float r = (float)disk[NG_FIT_R];
    const float by_blur = (float)(-disk[NG_FIT_C] / (m->blur * m->blur));
    for (size_t k = 0; k < n; k++) {
        out->column[EDGE][k] =
            by_blur * (out->rho[k] * out->value[k][NG_DISK_BY_P] + r * out->value[k][NG_DISK_BY_R]);
    }
}

INLINE void fill_block(const model *m, size_t first, size_t n, const double *value, size_t columns,
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
    clear(out->residual, n);
    for (size_t a = 0; a < columns; a++) {
        clear(out->column[a], n);
    }
}

INLINE double dot(const float *restrict a, const float *restrict b, size_t n)
{
    lanes sum = {0.0f};
    for (size_t k = 0; k < n; k += LANES) {
        sum += AS_CONST(lanes, a + k) * AS_CONST(lanes, b + k);
    }
    return (double)((sum[0] + sum[4]) + (sum[1] + sum[5])) +
           (double)((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

INLINE void add_block(const block *b, size_t n, size_t columns, normal *out)
{
    out->chi2 += dot(b->residual, b->residual, n);
    for (size_t i = 0, k = 0; i < columns; i++) {
        out->vector[i] += dot(b->column[i], b->residual, n);
        for (size_t j = 0; j <= i; j++) {
            out->matrix[k++] += dot(b->column[i], b->column[j], n);
        }
    }
}

static void start_sums(const model *m, const double *value, size_t columns, normal *out)
{
    memset(out->matrix, 0, columns * (columns + 1) / 2 * sizeof *out->matrix);
    memset(out->vector, 0, columns * sizeof *out->vector);
    out->chi2 = 0.0;
    take_rows(m, value);
}

static size_t block_size(const model *m, size_t first)
{
    return m->pixels->n - first < BLOCK ? m->pixels->n - first : BLOCK;
}

/* Normal equations in the first `columns` parameters. */
NG_VECTOR_CLONES static void accumulate(const model *m, const double *value, size_t columns,
                                        normal *out)
{
    block b;
    start_sums(m, value, columns, out);
    for (size_t first = 0; first < m->pixels->n; first += BLOCK) {
        const size_t n = block_size(m, first);
        fill_block(m, first, n, value, columns, &b);
        add_block(&b, n, columns, out);
    }
}

/* What is left of one disk answers to an edge that lies further out along one axis than across:
 * cos 2 phi and sin 2 phi. */
INLINE void find_sides(size_t n, block *b)
{
    for (size_t k = 0; k < n; k++) {
        const float rho2 = fmaxf(b->rho[k] * b->rho[k], 1e-12f), edge = b->column[NG_FIT_R][k];
        b->column[LONGER][k] = edge * (b->dx[k] * b->dx[k] - b->dy[k] * b->dy[k]) / rho2;
        b->column[WIDER][k] = edge * 2.0f * b->dx[k] * b->dy[k] / rho2;
    }
    clear(b->column[LONGER], n);
    clear(b->column[WIDER], n);
}

typedef struct sides {
    double sum[2], square[2]; /* along both axes of cos 2 phi and sin 2 phi */
} sides;

/* The same with the blur as a sixth parameter, and the sides. */
NG_VECTOR_CLONES static void accumulate_shape(const model *m, const double *value, normal *out,
                                              sides *s)
{
    block b;
    start_sums(m, value, EDGE + 1, out);
    *s = (sides){{0.0}, {0.0}};
    for (size_t first = 0; first < m->pixels->n; first += BLOCK) {
        const size_t n = block_size(m, first);
        fill_block(m, first, n, value, EDGE + 1, &b);
        add_block(&b, n, EDGE + 1, out);
        find_sides(n, &b);
        for (size_t k = 0; k < 2; k++) {
            s->sum[k] += dot(b.column[LONGER + k], b.residual, n);
            s->square[k] += dot(b.column[LONGER + k], b.column[LONGER + k], n);
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
 * the root of it, in standard errors: it can be taken unseen. */
static bool promises_little(const normal *n, const model *m, const double *from, const double *to)
{
    const size_t values = values_of(m);
    double promised = 0.0;
    for (size_t a = 0; a < values; a++) {
        promised += n->vector[a] * (to[a] - from[a]);
    }
    const double variance = n->chi2 / fmax((double)m->pixels->n - (double)values, 1.0);
    return fabs(promised) < STEP_SHARE * variance;
}

/* One below 1e-4 px in place and radius shows nowhere. */
static bool moves_little(const model *m, const double *from, const double *to)
{
    double moved = 0.0;
    for (size_t d = 0; d < m->disks; d++) {
        for (size_t a = d * PER_DISK; a < d * PER_DISK + NG_FIT_C; a++) {
            moved = fmax(moved, fabs(to[a] - from[a]));
        }
    }
    return moved < STEP_PX;
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

/* From `value` on to the least squares; `here` holds the normal equations there, or a step away
 * that is too small to change them. */
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
        if (promises_little(at, m, value, to)) {
            memcpy(value, to, values * sizeof *value);
            converged = true;
            continue;
        }
        converged = moves_little(m, value, to);
        accumulate(m, to, values, next);
        if (next->chi2 <= at->chi2) {
            normal *left = at;
            at = next;
            next = left;
            memcpy(value, to, values * sizeof *value);
            damping *= 0.1;
        } else { /* if it has converged, rounding decides */
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

/* One step of least squares with the blur as a sixth parameter, and amplitudes of the sides over
 * their standard errors. All else that was fitted is even around. */
static void describe_shape(const model *m, normal *n, const sides *s, ng_disk_fit *fit)
{
    const double along = s->sum[0], across = s->sum[1];
    const bool known = s->square[0] > 0.0 && s->square[1] > 0.0;
    fit->angle = 0.5 * atan2(across, along);
    fit->elongation =
        known ? sqrt(along * along / s->square[0] + across * across / s->square[1]) : 0.0;
    fit->edge_px = (double)NAN;
    if (ng_packed_cholesky(n->matrix, EDGE + 1)) {
        ng_packed_solve(n->matrix, EDGE + 1, n->vector);
        fit->edge_px = clamp(m->blur + n->vector[EDGE], 0.2 * m->blur, 5.0 * m->blur);
    }
}

void ng_disk_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                     double most_r, double reach, ng_disk_fit *fit)
{
    ng_disk_row row;
    const model m = {.table = table, .pixels = pixels, .blur = blur, .disks = 1, .row = &row};
    const limits within = limits_at(fit->value, blur, most_r, reach);
    normal here;
    sides s;
    fit->n = pixels->n;
    fit->chi2_flat = flat_chi2(pixels);
    fit->converged = search(&m, &within, fit->value, &fit->steps, &here);
    fit->converged = fit->converged && is_inside(&within, fit->value) && pixels->n > NG_FIT_N + 1;
    if (fit->wants_shape) {
        accumulate_shape(&m, fit->value, &here, &s);
    }
    memcpy(fit->information, here.matrix, sizeof fit->information);
    fit->chi2 = here.chi2;
    if (fit->wants_shape) {
        describe_shape(&m, &here, &s, fit);
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
