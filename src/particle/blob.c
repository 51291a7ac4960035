/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two that become one blob from one frame to the next are each half a diameter away from it: too
 * far for the steps of one, above all where a frame was missed. So are the two that a blob comes
 * apart into. Their areas add up to that of the blob, and their common centre is where it is. */
#include "link_internal.h"

#include <math.h>

#define MOST_PARTS 8     /* looked at around one blob */
#define SHAPE_NOISE 0.15 /* s.d. of ln(area) by what was hidden */
#define SHIFT 0.15       /* s.d. of the common centre in radii of the blob */
#define FLICKER 10       /* frames in which two that touch are now one blob and now two */
#define SETTLED 5        /* points that a blob is measured over */
#define UNLIKELY 9.0     /* squared s.d. from which two are not the parts of the blob */

/* Tracks as they are walked from the blob to its parts: ahead where it comes apart, back where they
 * have become it. */
typedef struct way {
    ng_points *points;
    const ng_motion *motion;
    bool back;
    long max_gap;
} way;

static size_t onward(const way *w, size_t k)
{
    return w->back ? w->points->previous[k] : w->points->next[k];
}

static size_t against(const way *w, size_t k)
{
    return w->back ? w->points->next[k] : w->points->previous[k];
}

/* Frames from a to b along the way. */
static long frames_between(const way *w, size_t a, size_t b)
{
    const ng_points *p = w->points;
    const long frames = p->frame[p->at[b]] - p->frame[p->at[a]];
    return w->back ? -frames : frames;
}

static void link_along(const way *w, size_t from, size_t to)
{
    ng_points_link(w->points, w->back ? to : from, w->back ? from : to);
}

/* ---- what may be parts ----------------------------------------------------------------- */

typedef struct starts {
    size_t *point; /* owned, as are the others; by frame */
    size_t *first; /* of each frame */
    double *x, *y;
} starts;

static void starts_free(starts *s)
{
    ng_free(s->point);
    ng_free(s->first);
    ng_free(s->x);
    ng_free(s->y);
}

static bool list_starts(const way *w, starts *s)
{
    const ng_points *p = w->points;
    size_t n = 0;
    s->point = NG_NEW(size_t, p->n);
    s->first = NG_NEW(size_t, p->n_frames + 1);
    s->x = NG_NEW(double, p->n);
    s->y = NG_NEW(double, p->n);
    if (s->point == NULL || s->first == NULL || s->x == NULL || s->y == NULL) {
        return false;
    }
    for (size_t f = 0; f < p->n_frames; f++) {
        s->first[f] = n;
        for (size_t k = p->first[f]; k < p->first[f + 1]; k++) {
            if (against(w, k) == NG_NONE && !isnan(p->size[k]) && ng_points_last(p, k, w->back)) {
                s->point[n] = k;
                s->x[n] = p->x[k];
                s->y[n++] = p->y[k];
            }
        }
    }
    s->first[p->n_frames] = n;
    return true;
}

typedef struct parts {
    const starts *starts;
    size_t from; /* of the starts in the grid */
    size_t point[MOST_PARTS], n;
} parts;

static void take(void *context, size_t index, double distance2)
{
    parts *s = context;
    (void)distance2;
    if (s->n < MOST_PARTS) {
        s->point[s->n++] = s->starts->point[s->from + index];
    }
}

/* ---- do they fit? ---------------------------------------------------------------------- */

/* Median ln(area) of a blob from a point on: while two still touch, their outline is larger. */
static double size_of_blob(const way *w, size_t k)
{
    double size[SETTLED];
    size_t n = 0;
    for (; k != NG_NONE && n < SETTLED; k = against(w, k)) {
        if (!isnan(w->points->size[k])) {
            size[n++] = w->points->size[k];
        }
    }
    return ng_median(size, n);
}

/* Squared s.d. between a blob and two that may be its parts. */
static double compare(const way *w, size_t blob, size_t a, size_t b)
{
    const ng_points *p = w->points;
    const double area_a = exp(p->size[a]), area_b = exp(p->size[b]), area = area_a + area_b;
    const double dx = (area_a * p->x[a] + area_b * p->x[b]) / area - p->x[blob];
    const double dy = (area_a * p->y[a] + area_b * p->y[b]) / area - p->y[blob];
    const long to_a = frames_between(w, blob, a), to_b = frames_between(w, blob, b);
    const double frames = (double)(to_a > to_b ? to_a : to_b);
    const double shift = SHIFT * ng_point_radius(p, blob), step = w->motion->choice.step_nm;
    const double noise = fmax(w->motion->choice.size_noise, 0.02);
    const double difference = log(area) - size_of_blob(w, blob);
    return (dx * dx + dy * dy) / (frames * step * step + shift * shift) +
           difference * difference / (1.5 * noise * noise + SHAPE_NOISE * SHAPE_NOISE);
}

/* They lie side by side, neither inside the other. */
static bool are_apart(const ng_points *p, size_t a, size_t b)
{
    const double contact = ng_point_radius(p, a) + ng_point_radius(p, b);
    return hypot(p->x[a] - p->x[b], p->y[a] - p->y[b]) > 0.6 * contact;
}

/* The blob goes on as the part that is nearer in time, or else as the larger one. */
static size_t heir(const way *w, size_t a, size_t b)
{
    const long apart = frames_between(w, a, b);
    if (apart != 0) {
        return apart > 0 ? a : b;
    }
    return w->points->size[a] >= w->points->size[b] ? a : b;
}

/* The point of a blob's track nearest to a part; NG_NONE: the track begins on the far side. */
static size_t nearest_before(const way *w, size_t blob, size_t part)
{
    while (blob != NG_NONE && frames_between(w, blob, part) <= 0) {
        blob = against(w, blob);
    }
    return blob;
}

typedef struct joint {
    size_t blob, heir;
    double cost;
} joint;

static void weigh(const way *w, size_t end, size_t a, size_t b, joint *best)
{
    const ng_points *p = w->points;
    const size_t part = heir(w, a, b), blob = nearest_before(w, end, part);
    if (blob == NG_NONE || a == end || b == end || against(w, a) != NG_NONE ||
        against(w, b) != NG_NONE || isnan(p->size[blob]) || !are_apart(p, a, b)) {
        return;
    }
    const double cost = compare(w, blob, a, b);
    if (cost < best->cost) {
        *best = (joint){blob, part, cost};
    }
}

/* Points of a blob seen once more beside its parts are left to themselves. */
static void link_parts(const way *w, const parts *s, size_t end)
{
    joint best = {NG_NONE, NG_NONE, UNLIKELY};
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = i + 1; k < s->n; k++) {
            weigh(w, end, s->point[i], s->point[k], &best);
        }
    }
    if (best.blob == NG_NONE) {
        return;
    }
    const size_t rest = onward(w, best.blob);
    if (rest != NG_NONE) {
        *(w->back ? &w->points->next[rest] : &w->points->previous[rest]) = NG_NONE;
    }
    link_along(w, best.blob, best.heir);
}

/* ---- the whole movie ------------------------------------------------------------------- */

/* Frames in which parts may be of a blob whose track ends in frame f: as it may be seen once more,
 * they may lie on this side of it. */
static void find_window(const way *w, size_t f, size_t *since, size_t *until)
{
    const ng_points *p = w->points;
    const long far = w->max_gap + 1, near = w->max_gap > FLICKER ? w->max_gap : FLICKER;
    const long before = w->back ? far : near, after = w->back ? near : far;
    *since = f;
    *until = f + 1;
    while (*since > 0 && p->frame[f] - p->frame[*since - 1] <= before) {
        --*since;
    }
    while (*until < p->n_frames && p->frame[*until] - p->frame[f] <= after) {
        ++*until;
    }
}

static ng_status search_frame(const way *w, const starts *list, size_t f, double cell,
                              ng_grid *grid, ng_error *err)
{
    const ng_points *p = w->points;
    size_t since = 0, until = 0;
    find_window(w, f, &since, &until);
    parts near = {.starts = list, .from = list->first[since]};
    const size_t n = list->first[until] - near.from;
    bool filled = false;
    ng_status status = NG_OK;
    for (size_t k = p->first[f]; n > 1 && k < p->first[f + 1] && status == NG_OK; k++) {
        if (onward(w, k) != NG_NONE || isnan(p->size[k]) || against(w, k) == NG_NONE) {
            continue;
        }
        if (!filled) {
            filled = true;
            status = ng_grid_fill(grid, list->x + near.from, list->y + near.from, n, cell, err);
        }
        if (status == NG_OK) {
            near.n = 0;
            ng_grid_near(grid, p->x[k], p->y[k], 2.0 * ng_point_radius(p, k), take, &near);
            link_parts(w, &near, k);
        }
    }
    return status;
}

ng_status ng_link_blobs(ng_points *points, const ng_motion *motion, bool back, long max_gap,
                        ng_error *err)
{
    const way w = {points, motion, back, max_gap};
    const double cell = 2.0 * ng_largest_radius(points);
    ng_grid grid = {.n = 0};
    starts list = {.point = NULL};
    ng_status status = NG_OK;
    if (!list_starts(&w, &list)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to list %zu points", points->n);
    }
    for (size_t i = 0; i < points->n_frames && status == NG_OK; i++) {
        const size_t f = back ? points->n_frames - 1 - i : i;
        status = search_frame(&w, &list, f, cell, &grid, err);
    }
    ng_grid_free(&grid);
    starts_free(&list);
    return status;
}
