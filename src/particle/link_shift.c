/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_shift.h"

#include <math.h>
#include <stdlib.h>

#define MAX_ROUNDS 8
#define SETTLED 0.02    /* in radii: partners do not change for less, nor does their median then */
#define FEW 0.5         /* share of sources with a partner below which the guess is doubted */
#define STRANGE 9.0     /* squared steps over the usual from which it is doubted too */
#define VOTE_SOURCES 60 /* a jump is looked for among so many x so many displacements */
#define VOTE_TARGETS 2000

ng_status ng_shifter_make(ng_shifter *s, ng_error *err)
{
    *s = (ng_shifter){.filled = NG_NONE,
                      .dx = NG_NEW(double, NG_SHIFT_SAMPLE),
                      .dy = NG_NEW(double, NG_SHIFT_SAMPLE),
                      .ux = NG_NEW(double, NG_SHIFT_SAMPLE),
                      .uy = NG_NEW(double, NG_SHIFT_SAMPLE),
                      .step = NG_NEW(ng_step, NG_SHIFT_SAMPLE),
                      .vote = NG_NEW(uint64_t, VOTE_SOURCES * VOTE_TARGETS)};
    if (s->dx == NULL || s->dy == NULL || s->ux == NULL || s->uy == NULL || s->step == NULL ||
        s->vote == NULL) {
        ng_shifter_free(s);
        return NG_FAIL(err, NG_MEMORY, "no memory to measure drift");
    }
    return NG_OK;
}

void ng_shifter_free(ng_shifter *s)
{
    ng_grid_free(&s->here);
    ng_grid_free(&s->there);
    ng_free(s->dx);
    ng_free(s->dy);
    ng_free(s->ux);
    ng_free(s->uy);
    ng_free(s->step);
    ng_free(s->vote);
    *s = (ng_shifter){0};
}

/* Two frames and the radius within which partners are looked for. */
typedef struct pair {
    const ng_points *points;
    size_t a, n_a, b, n_b; /* first point and number of points */
    double radius;
} pair;

static size_t stride_of(size_t n, size_t most)
{
    return n > most ? (n + most - 1) / most : 1;
}

/* Displacements of mutual nearest neighbours, the second frame moved back by the shift. */
static size_t find_partners(ng_shifter *s, const pair *p, double dx, double dy)
{
    const double *x = p->points->x, *y = p->points->y;
    size_t n = 0;
    for (size_t i = 0; i < p->n_a; i += stride_of(p->n_a, NG_SHIFT_SAMPLE)) {
        const double at_x = x[p->a + i], at_y = y[p->a + i];
        double d2 = 0.0, back2 = 0.0;
        size_t j = ng_grid_nearest(&s->there, at_x + dx, at_y + dy, p->radius, NG_NONE, &d2);
        if (j == NG_NONE) {
            continue;
        }
        const double to_x = x[p->b + j], to_y = y[p->b + j];
        if (ng_grid_nearest(&s->here, to_x - dx, to_y - dy, p->radius, NG_NONE, &back2) != i) {
            continue;
        }
        s->dx[n] = to_x - at_x;
        s->dy[n] = to_y - at_y;
        s->step[n++] = (ng_step){d2, p->points->size[p->b + j] - p->points->size[p->a + i]};
    }
    s->n_step = n;
    return n;
}

static ng_shift median_shift(ng_shifter *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        s->ux[i] = s->dx[i];
        s->uy[i] = s->dy[i];
    }
    return (ng_shift){ng_median(s->ux, n), ng_median(s->uy, n), n};
}

/* Partners change with the shift and the shift with the partners: until it rests. */
static ng_shift settle(ng_shifter *s, const pair *p, ng_shift at)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        size_t n = find_partners(s, p, at.dx, at.dy);
        if (n == 0) {
            return (ng_shift){at.dx, at.dy, 0};
        }
        ng_shift next = median_shift(s, n);
        double moved = hypot(next.dx - at.dx, next.dy - at.dy);
        at = next;
        if (moved < SETTLED * p->radius) {
            break;
        }
    }
    return at;
}

static double median_step2(ng_shifter *s)
{
    for (size_t i = 0; i < s->n_step; i++) {
        s->ux[i] = s->step[i].distance2;
    }
    return s->n_step > 0 ? ng_median(s->ux, s->n_step) : 0.0;
}

/* ---- jumps ----------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Cells of displacements, as wide as the radius; 2^31 of them either way. */
static uint64_t cell_key(double dx, double dy, double cell)
{
    double x = fmin(fmax(floor(dx / cell), -2147483648.0), 2147483647.0);
    double y = fmin(fmax(floor(dy / cell), -2147483648.0), 2147483647.0);
    return ((uint64_t)(x + 2147483648.0) << 32) | (uint64_t)(y + 2147483648.0);
}

static ng_shift centre_of(uint64_t key, double cell)
{
    double x = (double)(key >> 32) - 2147483648.0;
    double y = (double)(key & 0xffffffffU) - 2147483648.0;
    return (ng_shift){(x + 0.5) * cell, (y + 0.5) * cell, 0};
}

/* The displacement that most pairs of any source and any target share. */
static ng_shift vote(ng_shifter *s, const pair *p)
{
    const double *x = p->points->x, *y = p->points->y;
    size_t n = 0, run = 0, best_run = 0;
    uint64_t best = 0;
    for (size_t i = 0; i < p->n_a; i += stride_of(p->n_a, VOTE_SOURCES)) {
        for (size_t j = 0; j < p->n_b; j += stride_of(p->n_b, VOTE_TARGETS)) {
            s->vote[n++] =
                cell_key(x[p->b + j] - x[p->a + i], y[p->b + j] - y[p->a + i], p->radius);
        }
    }
    qsort(s->vote, n, sizeof *s->vote, by_value);
    for (size_t i = 0; i < n; i++) {
        run = i > 0 && s->vote[i] == s->vote[i - 1] ? run + 1 : 1;
        if (run > best_run) {
            best_run = run;
            best = s->vote[i];
        }
    }
    return n > 0 ? centre_of(best, p->radius) : (ng_shift){0.0, 0.0, 0};
}

ng_status ng_shift_measure(ng_shifter *s, const ng_points *points, size_t from, size_t to,
                           double radius, const ng_shift *guess, ng_shift *out, ng_error *err)
{
    pair p = {.points = points, .radius = radius};
    p.a = points->first[from];
    p.n_a = points->first[from + 1] - p.a;
    p.b = points->first[to];
    p.n_b = points->first[to + 1] - p.b;
    *out = *guess;
    out->n = 0;
    ng_status status = NG_OK;
    if (s->filled == from && s->filled_radius == radius) {
        const ng_grid there = s->there; /* of the pair before */
        s->there = s->here;
        s->here = there;
    } else {
        status = ng_grid_fill(&s->here, points->x + p.a, points->y + p.a, p.n_a, radius, err);
    }
    s->filled = to;
    s->filled_radius = radius;
    if (status == NG_OK) {
        status = ng_grid_fill(&s->there, points->x + p.b, points->y + p.b, p.n_b, radius, err);
    }
    if (status != NG_OK) {
        return status;
    }
    size_t asked = (p.n_a - 1) / stride_of(p.n_a, NG_SHIFT_SAMPLE) + 1;
    size_t possible = asked < p.n_b ? asked : p.n_b;
    *out = settle(s, &p, *guess);
    double usual2 = median_step2(s);
    bool strange = s->usual2 > 0.0 && usual2 > STRANGE * s->usual2;
    if (possible < 5 || ((double)out->n >= FEW * (double)possible && !strange)) {
        s->usual2 = s->usual2 > 0.0 ? 0.9 * s->usual2 + 0.1 * usual2 : usual2;
        return NG_OK;
    }
    ng_shift voted = settle(s, &p, vote(s, &p));
    bool nearer = 2 * voted.n > out->n && median_step2(s) < 0.25 * usual2;
    if (nearer || voted.n > out->n + possible / 5) {
        *out = voted;
    } else {
        *out = settle(s, &p, *guess);
    }
    return NG_OK;
}
