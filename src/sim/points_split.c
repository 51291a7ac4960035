/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two points where one was: who is longer than optics and noise make it. */
#include "points_internal.h"

#include <math.h>
#include <string.h>

#define SHIFT 0.3       /* px, of second differences */
#define SURE 4.0        /* standard errors of the variance along the long axis */
#define BRIGHT 8.0      /* z from which on shapes are asked for */
#define LEAST_APART 0.2 /* px from the middle */
enum { SHAPE = 6, SHAPE_PACKED = SHAPE * (SHAPE + 1) / 2 };

/* Covariance of the light about the point (xx, xy, yy) and what that is known to. */
typedef struct shape {
    double c[3], variance[3][3];
    bool told;
} shape;

/* Where its images are taken for the differences. */
static const struct {
    int dx, dy;
} around[9] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};

static void shifted_images(ng_sim_points *p, const ng_point *q, ng_point_box box,
                           double light[9][NG_SIM_MAX_FRAMES])
{
    const size_t n = ng_point_area(box);
    double unused[2][NG_SIM_MAX_FRAMES];
    for (size_t k = 0; k < 9; k++) {
        const double x = q->x + SHIFT * around[k].dx, y = q->y + SHIFT * around[k].dy;
        ng_point_stamp(p, x, y, box, p->image + k * n);
        ng_point_light(p, x, y, light[k], unused[0], unused[1]);
    }
}

/* Weights of the nine images in the derivatives by flux, x, y, and in half of those by xx, xy, yy.
 */
static void make_weights(double flux, double out[SHAPE][9])
{
    const double slope = flux / (2 * SHIFT), bend = 0.5 * flux / (SHIFT * SHIFT);
    const double w[SHAPE][9] = {{1, 0, 0, 0, 0, 0, 0, 0, 0},
                                {0, slope, -slope, 0, 0, 0, 0, 0, 0},
                                {0, 0, 0, slope, -slope, 0, 0, 0, 0},
                                {-2 * bend, bend, bend, 0, 0, 0, 0, 0, 0},
                                {0, 0, 0, 0, 0, 0.5 * bend, 0.5 * bend, -0.5 * bend, -0.5 * bend},
                                {-2 * bend, 0, 0, bend, bend, 0, 0, 0, 0}};
    memcpy(out, w, sizeof w);
}

/* Score and information of those six: one frame's share. */
NG_VECTOR_CLONES static void add_frame(ng_sim_points *p, size_t f, ng_point_box box,
                                       double weight[SHAPE][9], double light[9][NG_SIM_MAX_FRAMES],
                                       double *score, double *matrix)
{
    const size_t n = ng_point_area(box), across = (size_t)(box.x1 - box.x0);
    float *by = p->image + 9 * n, *weighted = p->slope;
    for (size_t i = 0; i < n; i++) {
        const size_t at = f * p->pixels + ((size_t)box.y0 + i / across) * p->pattern.layout.width +
                          (size_t)box.x0 + i % across;
        p->weight[i] = 1 / ng_larger(p->expected[at], p->least);
        p->rest[i] = p->data[at] * p->weight[i] - 1;
    }
    for (size_t k = 0; k < SHAPE; k++) {
        float *restrict to = by + k * n;
        memset(to, 0, n * sizeof *to);
        for (size_t j = 0; j < 9; j++) {
            const float a = (float)(weight[k][j] * light[j][f]);
            const float *restrict from = p->image + j * n;
            for (size_t i = 0; i < n && a != 0; i++) {
                to[i] += a * from[i];
            }
        }
    }
    for (size_t k = 0, m = 0; k < SHAPE; k++) {
        score[k] += (double)ng_point_sum(by + k * n, p->rest, n);
        for (size_t i = 0; i < n; i++) {
            weighted[i] = by[k * n + i] * p->weight[i];
        }
        for (size_t l = 0; l <= k; l++) {
            matrix[m++] += (double)ng_point_sum(weighted, by + l * n, n);
        }
    }
}

static shape shape_of(ng_sim_points *p, const ng_point *q)
{
    const ng_point_box box = ng_point_around(p, q->x, q->y, NG_POINT_REACH);
    double light[9][NG_SIM_MAX_FRAMES], weight[SHAPE][9];
    double matrix[SHAPE_PACKED] = {0}, score[SHAPE] = {0};
    shape s = {.told = false};
    shifted_images(p, q, box, light);
    make_weights(q->flux, weight);
    for (size_t f = 0; f < p->frames; f++) {
        add_frame(p, f, box, weight, light, score, matrix);
    }
    if (!ng_packed_cholesky(matrix, SHAPE)) {
        return s;
    }
    ng_packed_solve(matrix, SHAPE, score);
    for (size_t k = 0; k < 3; k++) {
        double unit[SHAPE] = {0};
        unit[3 + k] = 1;
        ng_packed_solve(matrix, SHAPE, unit);
        memcpy(s.variance[k], unit + 3, sizeof s.variance[k]);
    }
    memcpy(s.c, score + 3, sizeof s.c);
    s.told = true;
    return s;
}

/* Variance along the long axis over its standard error; half the distance of two equal ones. */
static double longness(const shape *s, double *half_x, double *half_y)
{
    const double mean = 0.5 * (s->c[0] + s->c[2]), along = 0.5 * (s->c[0] - s->c[2]);
    const double largest = mean + hypot(along, s->c[1]);
    const double angle = 0.5 * atan2(s->c[1], along);
    const double x = cos(angle), y = sin(angle), w[3] = {x * x, 2 * x * y, y * y};
    double variance = 0;
    for (size_t i = 0; i < 9; i++) {
        variance += w[i / 3] * s->variance[i / 3][i % 3] * w[i % 3];
    }
    const double half = sqrt(fmax(largest, LEAST_APART * LEAST_APART));
    *half_x = half * x;
    *half_y = half * y;
    return variance > 0 ? largest / sqrt(variance) : 0;
}

ng_status ng_point_split(ng_sim_points *p, size_t *halves, ng_error *err)
{
    const size_t n = p->n;
    ng_status status = ng_points_reserve(p, 2 * n, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        ng_point *q = &p->point[i];
        double dx = 0, dy = 0;
        if (!(q->z > BRIGHT) || q->uneven || (p->point[i].state & NG_POINT_ROUND) != 0) {
            continue;
        }
        p->point[i].state |= NG_POINT_ROUND;
        const shape s = shape_of(p, q);
        if (!s.told || longness(&s, &dx, &dy) < SURE) {
            continue;
        }
        ng_point_add(p, q, -1);
        ng_point_wake(p, n, q->x, q->y);
        p->point[p->n].state = 0;
        ng_point *other = &p->point[p->n++];
        q->flux *= 0.5;
        *other = *q;
        q->x += dx;
        q->y += dy;
        other->x -= dx;
        other->y -= dy;
        ng_point_add(p, q, 1);
        ng_point_add(p, other, 1);
    }
    *halves = p->n - n;
    return status;
}
