/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of light in raw frames: maximum likelihood, those close together at once. */
#include "points_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SETTLED 0.02  /* steps, in standard errors */
#define MOST_STEP 0.4 /* px */
#define UNKNOWN 1e20F
#define LEAST_SHARE 0.1 /* of the background, below which no expectation falls */
#define WAKE 5.0        /* px: so far a point's neighbours feel it */
#define WAKES 0.3       /* standard errors that it must move for that */
#define TETHER 1.0      /* px: s.d. of a weak prior of each step, for points that hardly shine */
#define SEARCH 0.85     /* of the least z: between pixels more is lost than that */
#define SLOPE_STEP (1.0 / 16)
enum { SWEEPS = 12, DROPS = 6, ROUNDS = 4, GROUP_BOX = 2 * NG_POINT_REACH + 2 + 24 };

/* ---- light of a point ------------------------------------------------------------------------ */

void ng_point_light(const ng_sim_points *p, double x, double y, double *light, double *by_x,
                    double *by_y)
{
    const ng_sim_layout *layout = &p->pattern.layout;
    for (size_t d = 0; d < layout->directions; d++) {
        const ng_sim_direction *s = &p->pattern.direction[d];
        for (size_t k = 0; k < layout->phases; k++) {
            const size_t f = ng_sim_layout_index(layout, d, k);
            const double angle = 2 * NG_SIM_PI * (s->kx * x + s->ky * y) + s->phase[k];
            const double m = s->modulation * s->intensity[k];
            light[f] = s->intensity[k] + m * cos(angle);
            by_x[f] = -2 * NG_SIM_PI * s->kx * m * sin(angle);
            by_y[f] = -2 * NG_SIM_PI * s->ky * m * sin(angle);
        }
    }
}

void ng_point_shine(const ng_sim_points *p, const ng_point *q, double *light, double *by_x,
                    double *by_y)
{
    ng_point_light(p, q->x, q->y, light, by_x, by_y);
    for (size_t f = 0; q->uneven && f < p->frames; f++) {
        light[f] *= (double)q->part[f];
        by_x[f] *= (double)q->part[f];
        by_y[f] *= (double)q->part[f];
    }
}

static inline void mix_row(const float *const t[4], size_t at, const float w[4], size_t n,
                           float *restrict out)
{
    const float *restrict a = t[0] + at, *restrict b = t[1] + at;
    const float *restrict c = t[2] + at, *restrict d = t[3] + at;
    for (size_t i = 0; i < n; i++) {
        out[i] = w[0] * a[i] + w[1] * b[i] + w[2] * c[i] + w[3] * d[i];
    }
}

void ng_point_stamp(const ng_sim_points *p, double x, double y, ng_point_box box, float *out)
{
    const double fx = (x - floor(x)) * NG_POINT_FINE, fy = (y - floor(y)) * NG_POINT_FINE;
    const size_t kx = (size_t)fx, ky = (size_t)fy, side = NG_POINT_TABLE;
    const float wx = (float)(fx - (double)kx), wy = (float)(fy - (double)ky);
    const float w[4] = {(1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy};
    const float *t[4];
    for (size_t i = 0; i < 4; i++) {
        t[i] = p->table + ((ky + i / 2) * (NG_POINT_FINE + 1) + kx + i % 2) * side * side;
    }
    /* the first column of a table lies NG_POINT_FAR left of the pixel that the point is in */
    const long left = (long)floor(x) - NG_POINT_FAR, top = (long)floor(y) - NG_POINT_FAR;
    const long across = box.x1 - box.x0;
    const long u0 = left > box.x0 ? left : box.x0;
    const long u1 = left + (long)side < box.x1 ? left + (long)side : box.x1;
    for (long v = box.y0; v < box.y1; v++, out += across) {
        const long row = v - top;
        if (row < 0 || row >= (long)side || u0 > box.x0 || u1 < box.x1) {
            memset(out, 0, (size_t)across * sizeof *out);
        }
        if (row >= 0 && row < (long)side && u1 > u0) {
            mix_row(t, (size_t)(row * (long)side + u0 - left), w, (size_t)(u1 - u0),
                    out + (u0 - box.x0));
        }
    }
}

ng_point_box ng_point_around(const ng_sim_points *p, double x, double y, long reach)
{
    const long ix = (long)floor(x), iy = (long)floor(y);
    const long w = (long)p->pattern.layout.width, h = (long)p->pattern.layout.height;
    ng_point_box b = {ix - reach, iy - reach, ix + reach + 2, iy + reach + 2};
    b.x0 = b.x0 < 0 ? 0 : b.x0;
    b.y0 = b.y0 < 0 ? 0 : b.y0;
    b.x1 = b.x1 > w ? w : b.x1;
    b.y1 = b.y1 > h ? h : b.y1;
    b.x1 = b.x1 < b.x0 ? b.x0 : b.x1;
    b.y1 = b.y1 < b.y0 ? b.y0 : b.y1;
    return b;
}

/* out += scale * stamp on a box of one frame. */
NG_VECTOR_CLONES static void add_stamp(const float *stamp, float scale, size_t across, size_t rows,
                                       size_t width, float *out)
{
    for (size_t v = 0; v < rows; v++) {
        const float *restrict from = stamp + v * across;
        float *restrict to = out + v * width;
        for (size_t i = 0; i < across; i++) {
            to[i] += scale * from[i];
        }
    }
}

void ng_point_add(ng_sim_points *p, const ng_point *point, double share)
{
    const ng_point_box b = ng_point_around(p, point->x, point->y, NG_POINT_FAR);
    const size_t width = p->pattern.layout.width, n = (size_t)(b.x1 - b.x0);
    double light[NG_SIM_MAX_FRAMES], by_x[NG_SIM_MAX_FRAMES], by_y[NG_SIM_MAX_FRAMES];
    ng_point_shine(p, point, light, by_x, by_y);
    ng_point_stamp(p, point->x, point->y, b, p->stamp);
    for (size_t f = 0; f < p->frames; f++) {
        add_stamp(p->stamp, (float)(share * point->flux * light[f]), n, (size_t)(b.y1 - b.y0),
                  width, p->expected + f * p->pixels + (size_t)b.y0 * width + (size_t)b.x0);
    }
}

/* ---- a group --------------------------------------------------------------------------------- */

static ng_point_box group_box(const ng_sim_points *p, ng_point *const *member, size_t m)
{
    ng_point_box box = {0, 0, 0, 0};
    for (size_t i = 0; i < m; i++) {
        const ng_point_box b = ng_point_around(p, member[i]->x, member[i]->y, NG_POINT_REACH);
        box.x0 = i == 0 || b.x0 < box.x0 ? b.x0 : box.x0;
        box.y0 = i == 0 || b.y0 < box.y0 ? b.y0 : box.y0;
        box.x1 = i == 0 || b.x1 > box.x1 ? b.x1 : box.x1;
        box.y1 = i == 0 || b.y1 > box.y1 ? b.y1 : box.y1;
    }
    box.x1 = box.x1 > box.x0 + GROUP_BOX ? box.x0 + GROUP_BOX : box.x1;
    box.y1 = box.y1 > box.y0 + GROUP_BOX ? box.y0 + GROUP_BOX : box.y1;
    return box;
}

/* h and its slopes by the place of the point, of all members: 3 m images on the box. */
static void group_images(const ng_sim_points *p, ng_point *const *member, size_t m,
                         ng_point_box box, float *image)
{
    const size_t n = ng_point_area(box);
    float *other = p->slope;
    for (size_t i = 0; i < m; i++, image += 3 * n) {
        const double x = member[i]->x, y = member[i]->y, e = SLOPE_STEP;
        ng_point_stamp(p, x, y, box, image);
        ng_point_stamp(p, x + e, y, box, image + n);
        ng_point_stamp(p, x - e, y, box, other);
        for (size_t k = 0; k < n; k++) {
            image[n + k] = (image[n + k] - other[k]) * (float)(0.5 / e);
        }
        ng_point_stamp(p, x, y + e, box, image + 2 * n);
        ng_point_stamp(p, x, y - e, box, other);
        for (size_t k = 0; k < n; k++) {
            image[2 * n + k] = (image[2 * n + k] - other[k]) * (float)(0.5 / e);
        }
    }
}

/* Score by h, h_x, h_y of all members, and their products, in one frame. */
NG_VECTOR_CLONES static void frame_sums(const ng_sim_points *p, size_t f, ng_point_box box,
                                        const float *image, size_t n_images, double *score,
                                        double *product)
{
    const size_t width = p->pattern.layout.width, n = ng_point_area(box);
    const size_t across = (size_t)(box.x1 - box.x0);
    float *restrict weight = p->weight, *restrict rest = p->rest;
    for (long v = box.y0; v < box.y1; v++) {
        const size_t at = f * p->pixels + (size_t)v * width + (size_t)box.x0;
        const float *restrict mu = p->expected + at, *restrict data = p->data + at;
        const size_t to = (size_t)(v - box.y0) * across;
        for (size_t i = 0; i < across; i++) {
            weight[to + i] = 1 / ng_larger(mu[i], p->least);
            rest[to + i] = data[i] * weight[to + i] - 1;
        }
    }
    float *restrict weighted = p->slope;
    for (size_t a = 0; a < n_images; a++) {
        const float *restrict ia = image + a * n;
        score[a] = (double)ng_point_sum(ia, rest, n);
        for (size_t i = 0; i < n; i++) {
            weighted[i] = ia[i] * weight[i];
        }
        for (size_t b = 0; b <= a; b++) {
            product[a * (a + 1) / 2 + b] = (double)ng_point_sum(weighted, image + b * n, n);
        }
    }
}

static double product_of(const double *packed, size_t a, size_t b)
{
    return a >= b ? packed[a * (a + 1) / 2 + b] : packed[b * (b + 1) / 2 + a];
}

/* What the slopes by flux, x, y of a point in a frame (rows) are made of: h, h_x, h_y. */
static void chain(double flux, double light, double by_x, double by_y, double out[3][3])
{
    const double t[3][3] = {
        {light, 0, 0}, {flux * by_x, flux * light, 0}, {flux * by_y, 0, flux * light}};
    memcpy(out, t, sizeof t);
}

/* Information (packed) and score of a group's numbers, flux, x, y of each. */
static void group_equations(ng_sim_points *p, ng_point *const *member, size_t m,
                            double *information, double *score)
{
    const ng_point_box box = group_box(p, member, m);
    double light[NG_POINT_GROUP][3][NG_SIM_MAX_FRAMES];
    double s[3 * NG_POINT_GROUP], product[NG_POINT_PACKED];
    group_images(p, member, m, box, p->image);
    for (size_t i = 0; i < m; i++) {
        ng_point_shine(p, member[i], light[i][0], light[i][1], light[i][2]);
    }
    memset(information, 0, NG_POINT_PACKED * sizeof *information);
    memset(score, 0, 3 * m * sizeof *score);
    for (size_t f = 0; f < p->frames; f++) {
        double t[NG_POINT_GROUP][3][3];
        frame_sums(p, f, box, p->image, 3 * m, s, product);
        for (size_t i = 0; i < m; i++) {
            chain(member[i]->flux, light[i][0][f], light[i][1][f], light[i][2][f], t[i]);
        }
        for (size_t a = 0; a < 3 * m; a++) {
            const double *ta = t[a / 3][a % 3];
            for (size_t k = 0; k < 3; k++) {
                score[a] += ta[k] * s[a / 3 * 3 + k];
            }
            for (size_t b = 0; b <= a; b++) {
                const double *tb = t[b / 3][b % 3];
                double sum = 0;
                for (size_t k = 0; k < 9; k++) {
                    sum += ta[k / 3] * tb[k % 3] *
                           product_of(product, a / 3 * 3 + k / 3, b / 3 * 3 + k % 3);
                }
                information[a * (a + 1) / 2 + b] += sum;
            }
        }
    }
}

/* Weak priors that keep the equations of points that hardly shine solvable; `own`: information of
 * each number without them. */
static void keep_near(double *information, size_t n, double *own)
{
    for (size_t a = 0; a < n; a++) {
        double *diagonal = &information[a * (a + 1) / 2 + a];
        own[a] = *diagonal;
        *diagonal += a % 3 > 0 ? 1 / (TETHER * TETHER) : 1e-9 * *diagonal + 1e-12;
    }
}

/* One step of Fisher's scoring. @return the largest move, in its own standard errors */
static double group_step(ng_sim_points *p, ng_point *const *member, size_t m)
{
    double information[NG_POINT_PACKED], step[3 * NG_POINT_GROUP], own[3 * NG_POINT_GROUP];
    group_equations(p, member, m, information, step);
    keep_near(information, 3 * m, own);
    if (!ng_packed_cholesky(information, 3 * m)) {
        return 0;
    }
    ng_packed_solve(information, 3 * m, step);
    double most = 0;
    for (size_t i = 0; i < m; i++) {
        ng_point *q = member[i];
        const double far = hypot(step[3 * i + 1], step[3 * i + 2]);
        const double by = far > MOST_STEP ? MOST_STEP / far : 1;
        ng_point_add(p, q, -1);
        q->flux = fmax(q->flux + step[3 * i], 0);
        q->x += by * step[3 * i + 1];
        q->y += by * step[3 * i + 2];
        ng_point_add(p, q, 1);
        for (size_t k = 0; k < 3; k++) {
            most = fmax(most, fabs(step[3 * i + k]) * sqrt(own[3 * i + k]));
        }
    }
    return most;
}

/* ---- what a point adds to the likelihood ----------------------------------------------------- */

double ng_point_gain(ng_sim_points *p, const ng_point *q)
{
    const ng_point_box box = ng_point_around(p, q->x, q->y, NG_POINT_REACH);
    const size_t width = p->pattern.layout.width, across = (size_t)(box.x1 - box.x0);
    double light[NG_SIM_MAX_FRAMES], by_x[NG_SIM_MAX_FRAMES], by_y[NG_SIM_MAX_FRAMES], gain = 0;
    ng_point_shine(p, q, light, by_x, by_y);
    ng_point_stamp(p, q->x, q->y, box, p->stamp);
    for (size_t f = 0; f < p->frames; f++) {
        const float own = (float)(q->flux * light[f]);
        for (long v = box.y0; v < box.y1; v++) {
            const size_t at = f * p->pixels + (size_t)v * width + (size_t)box.x0;
            const float *stamp = p->stamp + (size_t)(v - box.y0) * across;
            for (size_t i = 0; i < across; i++) {
                const float with = ng_larger(p->expected[at + i], p->least);
                const float without = ng_larger(with - own * stamp[i], p->least);
                gain += (double)(p->data[at + i] * logf(with / without) - (with - without));
            }
        }
    }
    return gain;
}

/* Variances, and z. */
static void group_judge(ng_sim_points *p, ng_point *const *member, size_t m)
{
    double information[NG_POINT_PACKED], score[3 * NG_POINT_GROUP], own[3 * NG_POINT_GROUP];
    group_equations(p, member, m, information, score);
    keep_near(information, 3 * m, own);
    const bool solved = ng_packed_cholesky(information, 3 * m);
    for (size_t i = 0; i < m; i++) {
        double variance[3];
        for (size_t k = 0; k < 3; k++) {
            double unit[3 * NG_POINT_GROUP] = {0};
            unit[3 * i + k] = 1;
            if (solved) {
                ng_packed_solve(information, 3 * m, unit);
            }
            variance[k] = solved ? unit[3 * i + k] : (double)NAN;
        }
        member[i]->flux_var = variance[0];
        member[i]->x_var = variance[1];
        member[i]->y_var = variance[2];
        const double shared = own[3 * i] * variance[0]; /* 1: nobody could take over */
        const double gain = fmax(ng_point_gain(p, member[i]), 0);
        member[i]->shared = fmax(shared, 1);
        member[i]->z = sqrt(2 * gain / member[i]->shared);
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int by_x(const void *left, const void *right)
{
    const ng_point *a = left, *b = right;
    return a->x != b->x ? (a->x > b->x) - (a->x < b->x) : (a->y > b->y) - (a->y < b->y);
}

static size_t root_of(size_t *parent, size_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

typedef struct pair {
    double d;
    size_t a, b;
} pair;

static int by_distance(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    return a->d != b->d ? (a->d > b->d) - (a->d < b->d) : (a->a > b->a) - (a->a < b->a);
}

/* Nearest first, as long as groups stay small: p->group[i] is the first of i's, members follow each
 * other by p->next. */
static ng_status make_groups(ng_sim_points *p, ng_error *err)
{
    const size_t n = p->n;
    size_t n_pairs = 0;
    qsort(p->point, n, sizeof *p->point, by_x);
    for (size_t i = 0; i < n; i++) {
        p->parent[i] = i;
        p->size[i] = 1;
        for (size_t j = i + 1; j < n && p->point[j].x - p->point[i].x < NG_POINT_JOIN; j++) {
            n_pairs += fabs(p->point[j].y - p->point[i].y) < NG_POINT_JOIN;
        }
    }
    pair *list = NG_NEW(pair, n_pairs + 1);
    if (list == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu pairs of points", n_pairs);
    }
    n_pairs = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n && p->point[j].x - p->point[i].x < NG_POINT_JOIN; j++) {
            const double dy = fabs(p->point[j].y - p->point[i].y);
            if (dy < NG_POINT_JOIN) {
                list[n_pairs++] = (pair){hypot(p->point[j].x - p->point[i].x, dy), i, j};
            }
        }
    }
    qsort(list, n_pairs, sizeof *list, by_distance);
    for (size_t k = 0; k < n_pairs; k++) {
        const size_t a = root_of(p->parent, list[k].a), b = root_of(p->parent, list[k].b);
        if (a != b && list[k].d < NG_POINT_JOIN && p->size[a] + p->size[b] <= NG_POINT_GROUP) {
            p->parent[b] = a;
            p->size[a] += p->size[b];
        }
    }
    ng_free(list);
    return NG_OK;
}

/* Members of each group lie together in p->order, from p->first[group] on. */
static void sort_groups(ng_sim_points *p)
{
    size_t *at = p->size; /* sizes are not needed any more */
    p->n_groups = 0;
    for (size_t i = 0; i < p->n; i++) {
        p->group[i] = root_of(p->parent, i);
    }
    for (size_t i = 0, before = 0; i < p->n; i++) {
        if (p->group[i] == i) {
            p->first[p->n_groups++] = before;
            before += p->size[i];
            at[i] = p->first[p->n_groups - 1];
        }
    }
    p->first[p->n_groups] = p->n;
    for (size_t i = 0; i < p->n; i++) {
        p->order[at[p->group[i]]++] = i;
    }
}

static size_t members_of(ng_sim_points *p, size_t group, ng_point **member)
{
    const size_t from = p->first[group], m = p->first[group + 1] - from;
    for (size_t i = 0; i < m; i++) {
        member[i] = &p->point[p->order[from + i]];
    }
    return m;
}

void ng_point_wake(ng_sim_points *p, size_t sorted, double x, double y)
{
    size_t low = 0, high = sorted;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (p->point[middle].x < x - WAKE) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < sorted && p->point[low].x < x + WAKE; low++) {
        if (fabs(p->point[low].y - y) < WAKE) {
            p->point[low].state = 0;
        }
    }
}

static bool has_state(const ng_sim_points *p, size_t group, unsigned state)
{
    bool all = true;
    for (size_t k = p->first[group]; k < p->first[group + 1]; k++) {
        all = all && (p->point[p->order[k]].state & state) != 0;
    }
    return all;
}

static void add_state(ng_sim_points *p, size_t group, unsigned state)
{
    for (size_t k = p->first[group]; k < p->first[group + 1]; k++) {
        p->point[p->order[k]].state |= state;
    }
}

/* Until nothing moves. Who moves far wakes the neighbours. */
static void settle(ng_sim_points *p)
{
    ng_point *member[NG_POINT_GROUP];
    bool all = false;
    for (int sweep = 0; sweep < SWEEPS && !all; sweep++) {
        all = true;
        for (size_t g = 0; g < p->n_groups; g++) {
            if (has_state(p, g, NG_POINT_STILL)) {
                continue;
            }
            const size_t m = members_of(p, g, member);
            const double moved = group_step(p, member, m);
            if (moved > WAKES) {
                ng_point_wake(p, p->n, member[0]->x, member[0]->y);
            }
            if (moved < SETTLED) {
                add_state(p, g, NG_POINT_STILL);
            } else {
                all = false;
            }
        }
    }
}

static ng_status fit_all(ng_sim_points *p, ng_error *err)
{
    ng_point *member[NG_POINT_GROUP];
    ng_status status = make_groups(p, err);
    if (status == NG_OK) {
        sort_groups(p);
        settle(p);
        for (size_t g = 0; g < p->n_groups; g++) {
            if (!has_state(p, g, NG_POINT_JUDGED)) {
                group_judge(p, member, members_of(p, g, member));
                add_state(p, g, NG_POINT_JUDGED);
            }
        }
    }
    return status;
}

/* The weakest of each group goes if it is too weak: its light may make others strong enough.
 * @return whether any did */
static bool drop(ng_sim_points *p, double least_z)
{
    ng_point *member[NG_POINT_GROUP];
    size_t kept = 0;
    for (size_t g = 0; g < p->n_groups; g++) {
        const size_t m = members_of(p, g, member);
        ng_point *weakest = member[0];
        for (size_t i = 1; i < m; i++) {
            weakest = member[i]->z < weakest->z ? member[i] : weakest;
        }
        if (!(weakest->z >= least_z)) {
            ng_point_add(p, weakest, -1);
            weakest->z = -1;
            ng_point_wake(p, p->n, weakest->x, weakest->y);
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->point[i].z >= 0) {
            p->point[kept++] = p->point[i];
        }
    }
    const bool any = kept < p->n;
    p->n = kept;
    return any;
}

static ng_status fit_and_drop(ng_sim_points *p, double least_z, ng_error *err)
{
    ng_status status = fit_all(p, err);
    for (int round = 0; status == NG_OK && round < DROPS && drop(p, least_z); round++) {
        status = fit_all(p, err);
    }
    return status;
}

ng_status ng_points_reserve(ng_sim_points *p, size_t n, ng_error *err)
{
    if (n <= p->room) {
        return NG_OK;
    }
    const size_t room = 2 * n + 64;
    ng_point *point = ng_realloc(p->point, room, sizeof *point);
    p->point = point != NULL ? point : p->point;
    size_t *space = ng_realloc(p->parent, 5 * room + 1, sizeof *space);
    p->parent = space != NULL ? space : p->parent;
    ng_sim_point *out = ng_realloc(p->out, room, sizeof *out);
    p->out = out != NULL ? out : p->out;
    if (point == NULL || space == NULL || out == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu points", n);
    }
    p->size = space + room;
    p->group = space + 2 * room;
    p->order = space + 3 * room;
    p->first = space + 4 * room;
    p->room = room;
    return NG_OK;
}

/* What is not known is expected as it is, and so certainly that nothing follows from it. */
static void load(ng_sim_points *p, const float *frames)
{
    const ng_sim_camera *c = &p->pattern.camera;
    const float offset = (float)c->offset, scale = (float)(1 / c->gain), shift = (float)p->read2;
    for (size_t i = 0; i < p->frames * p->pixels; i++) {
        const bool known = isfinite(frames[i]);
        p->data[i] = known ? ng_larger((frames[i] - offset) * scale + shift, 0) : UNKNOWN;
        p->expected[i] = known ? p->background : UNKNOWN;
    }
}

void ng_sim_points_background(ng_sim_points *p, double background)
{
    p->background = (float)(background / p->pattern.camera.gain + p->read2);
    p->least = (float)LEAST_SHARE * p->background;
}

static void hand_out(ng_sim_points *p)
{
    const double gain = p->pattern.camera.gain;
    qsort(p->point, p->n, sizeof *p->point, by_x);
    for (size_t i = 0; i < p->n; i++) {
        const ng_point *q = &p->point[i];
        p->out[i] = (ng_sim_point){.x = q->x,
                                   .y = q->y,
                                   .flux = gain * q->flux,
                                   .x_var = q->x_var,
                                   .y_var = q->y_var,
                                   .flux_var = gain * gain * q->flux_var,
                                   .z = q->z,
                                   .shared = q->shared,
                                   .uneven = q->uneven};
    }
}

ng_status ng_sim_points_find(ng_sim_points *p, const float *frames, double least_z,
                             const ng_sim_point **out, size_t *n, ng_error *err)
{
    size_t found = 1, halves = 1;
    load(p, frames);
    p->n = 0;
    ng_status status = ng_points_reserve(p, 1, err);
    for (int round = 0; status == NG_OK && round < ROUNDS && found + halves > 0; round++) {
        status = ng_point_search(p, SEARCH * least_z, &found, err);
        status = status == NG_OK && found > 0 ? fit_and_drop(p, least_z, err) : status;
        if (status == NG_OK && ng_point_shares(p)) {
            status = fit_and_drop(p, least_z, err);
        }
        halves = 0;
        if (status == NG_OK && (round > 0 || found == 0)) {
            status = ng_point_split(p, &halves, err);
            status = status == NG_OK && halves > 0 ? fit_and_drop(p, least_z, err) : status;
        }
    }
    hand_out(p);
    *out = p->out;
    *n = p->n;
    return status;
}
