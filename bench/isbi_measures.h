/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Measures of the ISBI Particle Tracking Challenge (Chenouard et al., Nat. Methods 11, 281, 2014).
 *
 * Two tracks differ, at each frame in which either is, by the distance of their points, at most by
 * the gate; a frame in which only one is counts as the gate. Every true track is paired with one
 * track or with none so that the sum is least; what is left over is spurious.
 */
#ifndef NUCGROW_BENCH_ISBI_MEASURES_H
#define NUCGROW_BENCH_ISBI_MEASURES_H

#include "particle/assign.h"
#include "particle/grid.h"

#include <math.h>
#include <nucgrow/particles.h>
#include <stdlib.h>

typedef struct isbi_point {
    long track, frame; /* tracks are numbered from 0 without holes */
    double x, y;
} isbi_point;

/** Sorted by track, then frame. */
typedef struct isbi_tracks {
    isbi_point *point;
    size_t n;
    size_t *first; /* n_tracks + 1 */
    size_t n_tracks;
} isbi_tracks;

typedef struct isbi_measures {
    double alpha;     /* 1 - distance over that of no tracks at all */
    double beta;      /* the same with spurious tracks counted */
    double jsc;       /* of points: true over true, missed and false */
    double jsc_theta; /* of tracks */
    double rmse;      /* of the true points */
} isbi_measures;

static inline void isbi_tracks_free(isbi_tracks *t)
{
    ng_free(t->point);
    ng_free(t->first);
    *t = (isbi_tracks){0};
}

static inline int isbi_order(const void *left, const void *right)
{
    const isbi_point *a = left;
    const isbi_point *b = right;
    int order = (a->track > b->track) - (a->track < b->track);
    return order != 0 ? order : (a->frame > b->frame) - (a->frame < b->frame);
}

/** Linked particles; those of no track are left out. `point` is scaled by `scale`. */
static inline ng_status isbi_tracks_make(const ng_particles *p, double scale, isbi_tracks *out,
                                         ng_error *err)
{
    *out = (isbi_tracks){.point = NG_NEW(isbi_point, p->n), .first = NG_NEW(size_t, p->n + 1)};
    if (out->point == NULL || out->first == NULL) {
        isbi_tracks_free(out);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu points", p->n);
    }
    for (size_t i = 0; i < p->n; i++) {
        const ng_particle *item = &p->item[i];
        if (item->track >= 0) {
            out->point[out->n++] = (isbi_point){item->track, item->frame, item->x_raw_nm * scale,
                                                item->y_raw_nm * scale};
        }
    }
    if (out->n > 0) {
        qsort(out->point, out->n, sizeof *out->point, isbi_order);
    }
    long last = -1;
    for (size_t i = 0; i < out->n; i++) {
        if (i == 0 || out->point[i].track != last) {
            last = out->point[i].track;
            out->first[out->n_tracks++] = i;
        }
        out->point[i].track = (long)out->n_tracks - 1;
    }
    out->first[out->n_tracks] = out->n;
    return NG_OK;
}

/* What two tracks have in common. */
typedef struct isbi_pair {
    double cost, squares;
    size_t matched; /* points nearer than the gate */
} isbi_pair;

static inline isbi_pair isbi_compare(const isbi_tracks *a, size_t i, const isbi_tracks *b, size_t j,
                                     double gate)
{
    isbi_pair pair = {0};
    size_t p = a->first[i], q = b->first[j];
    while (p < a->first[i + 1] || q < b->first[j + 1]) {
        bool left =
            p < a->first[i + 1] && (q == b->first[j + 1] || a->point[p].frame <= b->point[q].frame);
        bool right =
            q < b->first[j + 1] && (p == a->first[i + 1] || b->point[q].frame <= a->point[p].frame);
        double distance = left && right
                              ? hypot(a->point[p].x - b->point[q].x, a->point[p].y - b->point[q].y)
                              : gate;
        pair.cost += fmin(distance, gate);
        if (distance < gate) {
            pair.matched++;
            pair.squares += distance * distance;
        }
        p += left;
        q += right;
    }
    return pair;
}

typedef struct isbi_near {
    long a, b;
} isbi_near;

static inline int isbi_near_order(const void *left, const void *right)
{
    const isbi_near *p = left;
    const isbi_near *q = right;
    int order = (p->a > q->a) - (p->a < q->a);
    return order != 0 ? order : (p->b > q->b) - (p->b < q->b);
}

static inline int isbi_frame_order(const void *left, const void *right)
{
    const isbi_point *a = left;
    const isbi_point *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->track > b->track) - (a->track < b->track);
}

/* Points by frame, in arrays of their own. */
typedef struct isbi_frames {
    isbi_point *point;
    double *x, *y;
} isbi_frames;

static inline bool isbi_frames_make(const isbi_tracks *t, isbi_frames *out)
{
    *out = (isbi_frames){NG_NEW(isbi_point, t->n), NG_NEW(double, t->n), NG_NEW(double, t->n)};
    if (out->point == NULL || out->x == NULL || out->y == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->n; i++) {
        out->point[i] = t->point[i];
    }
    if (t->n > 0) {
        qsort(out->point, t->n, sizeof *out->point, isbi_frame_order);
    }
    for (size_t i = 0; i < t->n; i++) {
        out->x[i] = out->point[i].x;
        out->y[i] = out->point[i].y;
    }
    return true;
}

static inline void isbi_frames_free(isbi_frames *f)
{
    ng_free(f->point);
    ng_free(f->x);
    ng_free(f->y);
}

typedef struct isbi_search {
    isbi_near *list;
    size_t n, capacity;
    const isbi_point *there;
    long track;
    bool failed;
} isbi_search;

static inline void isbi_collect(void *context, size_t index, double distance2)
{
    isbi_search *s = context;
    (void)distance2;
    if (s->n == s->capacity && !s->failed) {
        size_t more = 2 * s->capacity + 1024;
        isbi_near *larger = ng_realloc(s->list, more, sizeof *larger);
        s->failed = larger == NULL;
        s->list = s->failed ? s->list : larger;
        s->capacity = s->failed ? s->capacity : more;
    }
    if (!s->failed) {
        s->list[s->n++] = (isbi_near){s->track, s->there[index].track};
    }
}

/* Pairs of tracks that are nearer than the gate in some frame, each once. */
static inline bool isbi_find_near(const isbi_tracks *a, const isbi_tracks *b, double gate,
                                  isbi_search *s)
{
    isbi_frames fa = {0}, fb = {0};
    ng_grid grid = {.n = 0};
    bool good = isbi_frames_make(a, &fa) && isbi_frames_make(b, &fb);
    size_t q = 0;
    for (size_t p = 0; good && p < a->n;) {
        long frame = fa.point[p].frame;
        while (q < b->n && fb.point[q].frame < frame) {
            q++;
        }
        size_t end = q;
        while (end < b->n && fb.point[end].frame == frame) {
            end++;
        }
        good = ng_grid_fill(&grid, fb.x + q, fb.y + q, end - q, gate, NULL) == NG_OK;
        s->there = fb.point + q;
        for (; good && p < a->n && fa.point[p].frame == frame; p++) {
            s->track = fa.point[p].track;
            ng_grid_near(&grid, fa.x[p], fa.y[p], gate, isbi_collect, s);
        }
        good = good && !s->failed;
        q = end;
    }
    if (good && s->n > 0) {
        qsort(s->list, s->n, sizeof *s->list, isbi_near_order);
        size_t kept = 1;
        for (size_t i = 1; i < s->n; i++) {
            if (isbi_near_order(&s->list[i], &s->list[kept - 1]) != 0) {
                s->list[kept++] = s->list[i];
            }
        }
        s->n = kept;
    }
    isbi_frames_free(&fa);
    isbi_frames_free(&fb);
    ng_grid_free(&grid);
    return good;
}

typedef struct isbi_problem {
    size_t *first, *column, *taken;
    double *cost, *none;
} isbi_problem;

static inline bool isbi_problem_make(const isbi_tracks *truth, const isbi_tracks *found,
                                     double gate, const isbi_search *s, isbi_problem *p)
{
    *p = (isbi_problem){NG_NEW(size_t, truth->n_tracks + 1), NG_NEW(size_t, s->n),
                        NG_NEW(size_t, truth->n_tracks), NG_NEW(double, s->n),
                        NG_NEW(double, truth->n_tracks)};
    if (p->first == NULL || p->column == NULL || p->taken == NULL || p->cost == NULL ||
        p->none == NULL) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        p->first[s->list[i].a + 1]++;
        p->column[i] = (size_t)s->list[i].b;
        p->cost[i] =
            isbi_compare(truth, (size_t)s->list[i].a, found, (size_t)s->list[i].b, gate).cost;
    }
    for (size_t i = 0; i < truth->n_tracks; i++) {
        p->first[i + 1] += p->first[i];
        p->none[i] = gate * (double)(truth->first[i + 1] - truth->first[i]);
    }
    return true;
}

static inline isbi_measures isbi_sum(const isbi_tracks *truth, const isbi_tracks *found,
                                     double gate, const size_t *taken)
{
    double distance = 0.0, squares = 0.0;
    size_t paired = 0, paired_points = 0, matched = 0;
    for (size_t i = 0; i < truth->n_tracks; i++) {
        if (taken[i] == NG_NONE) {
            distance += gate * (double)(truth->first[i + 1] - truth->first[i]);
            continue;
        }
        isbi_pair pair = isbi_compare(truth, i, found, taken[i], gate);
        distance += pair.cost;
        squares += pair.squares;
        matched += pair.matched;
        paired++;
        paired_points += found->first[taken[i] + 1] - found->first[taken[i]];
    }
    double most = gate * (double)truth->n;
    double spurious = gate * (double)(found->n - paired_points);
    return (isbi_measures){.alpha = 1.0 - distance / most,
                           .beta = (most - distance) / (most + spurious),
                           .jsc = (double)matched / (double)(truth->n + found->n - matched),
                           .jsc_theta = (double)paired /
                                        (double)(truth->n_tracks + found->n_tracks - paired),
                           .rmse = matched > 0 ? sqrt(squares / (double)matched) : (double)NAN};
}

/** `truth` must hold a point. @return NG_TOO_LITTLE, NG_MEMORY */
static inline ng_status isbi_measure(const isbi_tracks *truth, const isbi_tracks *found,
                                     double gate, isbi_measures *out, ng_error *err)
{
    isbi_search s = {.n = 0};
    isbi_problem p = {0};
    ng_assign_work work = {.n_rows = 0};
    ng_status status = NG_OK;
    *out = (isbi_measures){0};
    if (truth->n == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE, "the truth holds no track");
    }
    if (!isbi_find_near(truth, found, gate, &s) || !isbi_problem_make(truth, found, gate, &s, &p)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to compare tracks");
    }
    if (status == NG_OK) {
        ng_assignment problem = {truth->n_tracks, found->n_tracks, p.first,
                                 p.column,        p.cost,          p.none};
        status = ng_assign(&problem, &work, p.taken, err);
    }
    if (status == NG_OK) {
        *out = isbi_sum(truth, found, gate, p.taken);
    }
    ng_assign_work_free(&work);
    ng_free(s.list);
    ng_free(p.first);
    ng_free(p.column);
    ng_free(p.taken);
    ng_free(p.cost);
    ng_free(p.none);
    return status;
}

#endif
