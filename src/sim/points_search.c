/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands out of the frames beside the points that are known; how high noise stands. */
#include "points_internal.h"

#include <math.h>
#include <string.h>

#define APART 0.7 /* px: nearer to a known point it is not another */
enum { NEAR = 4, TAPS = 2 * NEAR + 1, HALVINGS = 60 };

/* A row of score and information through one row of taps. */
static void add_row(const float *restrict rest, const float *restrict weight, size_t w,
                    const float *tap, float *restrict score, float *restrict information)
{
    for (size_t u = 0; u < TAPS; u++) {
        const float a = tap[u], a2 = a * a;
        const size_t from = u < NEAR ? NEAR - u : 0, end = u > NEAR ? w - (u - NEAR) : w;
        for (size_t x = from; x < end; x++) {
            score[x] += a * rest[x + u - NEAR];
            information[x] += a2 * weight[x + u - NEAR];
        }
    }
}

/* Frame f's share in the score and information of a point in the middle of each pixel of a row. */
NG_VECTOR_CLONES static void add_frame_row(ng_sim_points *p, size_t f, size_t y, const float *tap)
{
    const size_t w = p->pattern.layout.width, h = p->pattern.layout.height;
    const float *light = p->stripes + f * p->pixels + y * w;
    float *rest = p->line, *weight = rest + w, *score = rest + 2 * w, *information = rest + 3 * w;
    memset(score, 0, 2 * w * sizeof *score);
    for (size_t v = 0; v < TAPS; v++) {
        if (y + v >= NEAR && y + v < h + NEAR) {
            const size_t at = f * p->pixels + (y + v - NEAR) * w;
            for (size_t x = 0; x < w; x++) {
                weight[x] = 1 / ng_larger(p->expected[at + x], p->least);
                rest[x] = p->data[at + x] * weight[x] - 1;
            }
            add_row(rest, weight, w, tap + v * TAPS, score, information);
        }
    }
    float *restrict height = p->height + y * w, *restrict faint = p->faint + y * w;
    for (size_t x = 0; x < w; x++) {
        height[x] += light[x] * score[x];
        faint[x] += light[x] * light[x] * information[x];
    }
}

/* height: z of a point more in the middle of each pixel; faint: the light it would have. */
static void make_maps(ng_sim_points *p)
{
    const ng_point_box box = {0, 0, TAPS, TAPS};
    float tap[TAPS * TAPS];
    ng_point_stamp(p, NEAR, NEAR, box, tap);
    memset(p->height, 0, p->pixels * sizeof *p->height);
    memset(p->faint, 0, p->pixels * sizeof *p->faint);
    for (size_t y = 0; y < p->pattern.layout.height; y++) {
        for (size_t f = 0; f < p->frames; f++) {
            add_frame_row(p, f, y, tap);
        }
    }
    for (size_t i = 0; i < p->pixels; i++) {
        const float score = p->height[i], information = ng_larger(p->faint[i], 1e-20F);
        p->height[i] = score / sqrtf(information);
        p->faint[i] = score / information;
    }
}

static bool is_peak(const ng_sim_points *p, size_t x, size_t y)
{
    const size_t w = p->pattern.layout.width;
    const float *at = p->height + y * w + x;
    return at[0] > at[-1] && at[0] >= at[1] && at[0] > *(at - w) && at[0] >= at[w] &&
           at[0] > *(at - w - 1) && at[0] > *(at - w + 1) && at[0] >= at[w - 1] &&
           at[0] >= at[w + 1];
}

/* Points are sorted by x. */
static bool is_known(const ng_sim_points *p, size_t n, double x, double y)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (p->point[middle].x < x - APART) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low < n && p->point[low].x < x + APART) {
        if (hypot(p->point[low].x - x, p->point[low].y - y) < APART) {
            return true;
        }
        low++;
    }
    return false;
}

ng_status ng_point_search(ng_sim_points *p, double least, size_t *found, ng_error *err)
{
    const size_t w = p->pattern.layout.width, h = p->pattern.layout.height, n = p->n;
    ng_status status = NG_OK;
    make_maps(p);
    for (size_t y = 1; y + 1 < h; y++) {
        for (size_t x = 1; status == NG_OK && x + 1 < w; x++) {
            const size_t i = y * w + x;
            if ((double)p->height[i] < least || !is_peak(p, x, y) ||
                is_known(p, n, (double)x, (double)y)) {
                continue;
            }
            status = ng_points_reserve(p, p->n + 1, err);
            if (status == NG_OK) {
                p->point[p->n].state = 0;
                p->point[p->n++] =
                    (ng_point){.x = (double)x, .y = (double)y, .flux = (double)p->faint[i]};
            }
        }
    }
    for (size_t i = n; i < p->n; i++) {
        ng_point_add(p, &p->point[i], 1);
        ng_point_wake(p, n, p->point[i].x, p->point[i].y);
    }
    *found = p->n - n;
    return status;
}

/* ---- noise ----------------------------------------------------------------------------------- */

/* Steepness of the field of z on an even background: the determinant of the covariance of its
 * slopes, to the power 1/2, per square pixel. */
static double steepness(const ng_sim_points *p)
{
    const ng_point_box box = {0, 0, 2 * NG_POINT_REACH + 1, 2 * NG_POINT_REACH + 1};
    const size_t n = ng_point_area(box);
    const double e = 0.125, centre = NG_POINT_REACH;
    float *a = p->image, *b = p->image + n;
    double light = 0, by[3] = {0}, square = 0, slope = 0;
    for (size_t d = 0; d < p->pattern.layout.directions; d++) {
        const ng_sim_direction *s = &p->pattern.direction[d];
        const double m2 = 0.5 * s->modulation * s->modulation, turn = pow(2 * NG_SIM_PI, 2);
        light += 1 + m2;
        by[0] += m2 * turn * s->kx * s->kx;
        by[1] += m2 * turn * s->ky * s->ky;
        by[2] += m2 * turn * s->kx * s->ky;
    }
    ng_point_stamp(p, centre - e, centre, box, a);
    ng_point_stamp(p, centre + e, centre, box, b);
    for (size_t i = 0; i < n; i++) {
        square += 0.25 * pow((double)(a[i] + b[i]), 2);
        slope += pow((double)(b[i] - a[i]) / (2 * e), 2);
    }
    const double own = slope / square;
    return sqrt((own + by[0] / light) * (own + by[1] / light) - pow(by[2] / light, 2));
}

double ng_sim_points_height(const ng_sim_points *p, double wanted)
{
    const double maxima = (double)p->pixels * steepness(p) / pow(2 * NG_SIM_PI, 1.5);
    double low = 1, high = 40;
    for (int i = 0; i < HALVINGS; i++) {
        const double z = 0.5 * (low + high);
        if (maxima * z * exp(-0.5 * z * z) > wanted) {
            low = z;
        } else {
            high = z;
        }
    }
    return high;
}
