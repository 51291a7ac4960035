/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crystals that are seen as one, told by the pairs that are missing. */
#include <nucgrow/hidden.h>

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#define NEIGHBOURS 9.0 /* of each crystal within the distances that are looked at */
#define REACH 1.5      /* in halves */
#define PAIRS_HALF 3.0 /* expected, before half of them can be told from all */
#define PAIRS_REACH 10.0
#define FULL                                                                                       \
    0.9 /* share of the most crystals from which on a frame is asked: pairs that are there
                    longer would count for more */
#define SOLID 0.25 /* what is wider than this share of the half keeps others off by its body */
enum { BINS = 300 };

typedef struct point {
    long frame;
    double x, y;
} point;

typedef struct survey {
    double side_x, side_y;
    double most;       /* crystals in the frame with most, */
    long fullest;      /* which is this one */
    double squares;    /* sum of n (n - 1) over the frames that are asked */
    double step_nm;    /* of the bins */
    double seen[BINS]; /* pairs up to the end of each bin */
} survey;

static int by_frame_and_x(const void *left, const void *right)
{
    const point *a = left, *b = right;
    return a->frame != b->frame ? (a->frame > b->frame) - (a->frame < b->frame)
                                : (a->x > b->x) - (a->x < b->x);
}

static point *gather(const ng_particles *tracks, const ng_track_span *span, size_t n, size_t *total)
{
    *total = 0;
    for (size_t k = 0; k < n; k++) {
        *total += span[k].n;
    }
    point *p = NG_NEW(point, *total + 1);
    for (size_t k = 0, i = 0; p != NULL && k < n; k++) {
        for (size_t j = 0; j < span[k].n; j++) {
            const ng_particle *from = &tracks->item[span[k].first + j];
            p[i++] = (point){from->frame, from->x_nm, from->y_nm};
        }
    }
    if (p != NULL) {
        qsort(p, *total, sizeof *p, by_frame_and_x);
    }
    return p;
}

/* The share of pairs closer than r, times the area, when places are independent: a disk, less what
 * of it lies beyond the border. */
static double disk_inside(const survey *s, double r)
{
    const double area = s->side_x * s->side_y;
    return M_PI * r * r - 4.0 / 3.0 * (s->side_x + s->side_y) * pow(r, 3.0) / area +
           pow(r, 4.0) / (2.0 * area);
}

/* End of the run of points of one frame. */
static size_t frame_end(const point *p, size_t i, size_t n)
{
    const long frame = p[i].frame;
    while (i < n && p[i].frame == frame) {
        i++;
    }
    return i;
}

static void measure_field(survey *s, const point *p, size_t n)
{
    double x0 = p[0].x, x1 = x0, y0 = p[0].y, y1 = y0;
    for (size_t i = 0, end = 0; i < n; i = end) {
        end = frame_end(p, i, n);
        const double here = (double)(end - i);
        s->fullest = here > s->most ? p[i].frame : s->fullest;
        s->most = fmax(s->most, here);
        x0 = fmin(x0, p[i].x);
        x1 = fmax(x1, p[end - 1].x);
        for (size_t j = i; j < end; j++) {
            y0 = fmin(y0, p[j].y);
            y1 = fmax(y1, p[j].y);
        }
    }
    s->side_x = x1 - x0;
    s->side_y = y1 - y0;
    const double neighbours = sqrt(NEIGHBOURS * s->side_x * s->side_y / (M_PI * s->most));
    s->step_nm = fmin(neighbours, 0.25 * fmin(s->side_x, s->side_y)) / BINS;
}

static void count_frame(survey *s, const point *p, size_t n)
{
    const double most = BINS * s->step_nm;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n && p[j].x - p[i].x < most; j++) {
            const double bin = hypot(p[j].x - p[i].x, p[j].y - p[i].y) / s->step_nm;
            if (bin < BINS) {
                s->seen[(size_t)bin]++;
            }
        }
    }
}

static void count_pairs(survey *s, const point *p, size_t n)
{
    for (size_t i = 0, end = 0; i < n; i = end) {
        end = frame_end(p, i, n);
        const double here = (double)(end - i);
        if (here >= FULL * s->most) {
            s->squares += here * (here - 1.0);
            count_frame(s, p + i, end - i);
        }
    }
    for (size_t b = 1; b < BINS; b++) {
        s->seen[b] += s->seen[b - 1];
    }
}

static double edge(const survey *s, size_t bin)
{
    return (double)(bin + 1) * s->step_nm;
}

/* Pairs expected up to the end of a bin, by those between it and the last. */
static double expected(const survey *s, size_t bin, size_t from)
{
    const double inner = disk_inside(s, edge(s, from)), outer = disk_inside(s, edge(s, BINS - 1));
    const double level = (s->seen[BINS - 1] - s->seen[from]) / (outer - inner);
    return level * disk_inside(s, edge(s, bin));
}

/* How far apart crystals must be to be seen as two, told by the pairs of frames. @return the last
 * bin within reach; BINS / 2 where there are too few */
static size_t find_reach(const survey *s, ng_hidden *out)
{
    const double each = s->most * s->most / s->squares; /* all frames as the one with most */
    size_t half = 0;
    while (half < BINS / 2 && (each * expected(s, half, BINS / 2) < PAIRS_HALF ||
                               s->seen[half] < 0.5 * expected(s, half, BINS / 2))) {
        half++;
    }
    size_t reach = (size_t)(REACH * (double)half);
    while (reach < BINS / 2 && each * expected(s, reach, BINS / 2) < PAIRS_REACH) {
        reach++;
    }
    if (reach < BINS / 2) {
        out->half_nm = edge(s, half);
        out->reach_nm = edge(s, reach);
    }
    return reach < BINS / 2 ? reach : BINS / 2;
}

/* Tracks that count as there in the fullest frame, where the median of their points lies: of pairs
 * that come apart now and then both are tracked, and counted. */
static point *gather_tracks(const ng_particles *tracks, const ng_track_span *span, size_t n,
                            long frame, size_t *total)
{
    size_t longest = 0;
    for (size_t k = 0; k < n; k++) {
        longest = span[k].n > longest ? span[k].n : longest;
    }
    point *p = NG_NEW(point, n + 1);
    double *x = NG_NEW(double, 2 * longest + 1), *y = x + longest;
    *total = 0;
    for (size_t k = 0; p != NULL && x != NULL && k < n; k++) {
        const ng_particle *first = &tracks->item[span[k].first];
        if (first->frame > frame || span[k].until < frame) {
            continue;
        }
        for (size_t i = 0; i < span[k].n; i++) {
            x[i] = first[i].x_nm;
            y[i] = first[i].y_nm;
        }
        p[(*total)++] =
            (point){frame, gsl_stats_median(x, 1, span[k].n), gsl_stats_median(y, 1, span[k].n)};
    }
    if (x == NULL) {
        ng_free(p);
        p = NULL;
    } else if (p != NULL) {
        qsort(p, *total, sizeof *p, by_frame_and_x);
    }
    ng_free(x);
    return p;
}

/* What is hidden among those that are tracked. */
static ng_status tell(const survey *frames, const ng_particles *tracks, const ng_track_span *span,
                      size_t n, size_t reach, ng_hidden *out, ng_error *err)
{
    survey s = {.side_x = frames->side_x, .side_y = frames->side_y, .step_nm = frames->step_nm};
    size_t total = 0;
    point *p = gather_tracks(tracks, span, n, frames->fullest, &total);
    if (p == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", n);
    }
    s.most = (double)total;
    count_pairs(&s, p, total);
    ng_free(p);
    const double beyond = s.seen[BINS - 1] - s.seen[reach];
    if (beyond > 0) {
        out->state = NG_HIDDEN_TOLD;
        out->pairs_expected = expected(&s, reach, reach);
        out->pairs_seen = s.seen[reach];
        out->crystals = s.most;
        out->hidden_share = (out->pairs_expected - out->pairs_seen) / s.most;
        out->hidden_share_se =
            sqrt(out->pairs_expected + pow(out->pairs_expected, 2.0) / beyond) / s.most;
    }
    return NG_OK;
}

/* Places are those of crystals that stay, too small to keep others off. */
static ng_status judge(const ng_particles *tracks, const ng_track_span *span, size_t n,
                       ng_hidden *out, ng_error *err)
{
    double *way = NG_NEW(double, 2 * n + 1), *size = way + n;
    size_t sizes = 0;
    if (way == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", n);
    }
    for (size_t k = 0; k < n; k++) {
        const ng_particle *first = &tracks->item[span[k].first], *last = first + span[k].n - 1;
        way[k] = hypot(last->x_nm - first->x_nm, last->y_nm - first->y_nm);
        if (last->radius_nm > 0) {
            size[sizes++] = 2.0 * last->radius_nm;
        }
    }
    if (gsl_stats_median(way, 1, n) > out->half_nm) {
        out->state = NG_HIDDEN_MOVING;
    } else if (sizes > 0 && gsl_stats_median(size, 1, sizes) > SOLID * out->half_nm) {
        out->state = NG_HIDDEN_SOLID;
    }
    ng_free(way);
    return NG_OK;
}

ng_status ng_hidden_find(const ng_particles *tracks, const ng_track_span *span, size_t n,
                         ng_hidden *out, ng_error *err)
{
    size_t total = 0;
    survey s = {0};
    *out = (ng_hidden){.state = NG_HIDDEN_FEW, .half_nm = (double)NAN, .reach_nm = (double)NAN};
    point *p = gather(tracks, span, n, &total);
    if (p == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu points", total);
    }
    ng_status status = NG_OK;
    if (total > 0) {
        measure_field(&s, p, total);
    }
    if (s.step_nm > 0) {
        count_pairs(&s, p, total);
    }
    const size_t reach = s.squares > 0 ? find_reach(&s, out) : BINS / 2;
    if (reach < BINS / 2) {
        status = tell(&s, tracks, span, n, reach, out, err);
    }
    if (status == NG_OK && out->state == NG_HIDDEN_TOLD) {
        status = judge(tracks, span, n, out, err);
    }
    ng_free(p);
    return status;
}

double ng_hidden_all(const ng_hidden *o, double seen, double z)
{
    if (o->state != NG_HIDDEN_TOLD || !(seen > 0)) {
        return seen;
    }
    const double share = fmax(o->hidden_share + z * o->hidden_share_se, 0.0);
    const double taken = 2.0 * share * seen / o->crystals; /* of the field */
    return taken < 1 ? (taken > 0 ? -seen * log1p(-taken) / taken : seen) : (double)NAN;
}
