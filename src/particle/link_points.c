/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_internal.h"

#include <math.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

typedef struct place {
    long frame;
    size_t item;
} place;

static int by_frame(const void *left, const void *right)
{
    const place *a = left;
    const place *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->item > b->item) - (a->item < b->item);
}

static bool is_sorted(const place *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (by_frame(&list[i - 1], &list[i]) > 0) {
            return false;
        }
    }
    return true;
}

static size_t list_places(const ng_particles *particles, place *list)
{
    size_t n = 0;
    for (size_t i = 0; i < particles->n; i++) {
        const ng_particle *p = &particles->item[i];
        if (isfinite(p->x_nm) && isfinite(p->y_nm)) {
            list[n++] = (place){p->frame, i};
        }
    }
    if (!is_sorted(list, n)) {
        qsort(list, n, sizeof *list, by_frame);
    }
    return n;
}

static size_t count_frames(const place *list, size_t n)
{
    size_t frames = n > 0;
    for (size_t i = 1; i < n; i++) {
        frames += list[i].frame != list[i - 1].frame;
    }
    return frames;
}

static bool reserve(ng_points *points)
{
    size_t n = points->n;
    points->first = NG_NEW(size_t, points->n_frames + 1);
    points->frame = NG_NEW(long, points->n_frames);
    points->at = NG_NEW(size_t, n);
    points->x = NG_NEW(double, n);
    points->y = NG_NEW(double, n);
    points->size = NG_NEW(double, n);
    points->next = NG_NEW(size_t, n);
    points->previous = NG_NEW(size_t, n);
    points->item = NG_NEW(size_t, n);
    return points->first != NULL && points->frame != NULL && points->at != NULL &&
           points->x != NULL && points->y != NULL && points->size != NULL && points->next != NULL &&
           points->previous != NULL && points->item != NULL;
}

static double least(double a, double b)
{
    return b < a ? b : a;
}

static void fill(const ng_particles *particles, const place *list, ng_points *points)
{
    size_t f = 0;
    points->low_x = points->low_y = HUGE_VAL;
    points->high_x = points->high_y = -HUGE_VAL;
    for (size_t k = 0; k < points->n; k++) {
        const ng_particle *p = &particles->item[list[k].item];
        if (k == 0 || p->frame != list[k - 1].frame) {
            points->first[f] = k;
            points->frame[f++] = p->frame;
        }
        points->at[k] = f - 1;
        points->x[k] = p->x_nm;
        points->y[k] = p->y_nm;
        points->size[k] = p->radius_nm > 0.0 ? log(PI) + 2.0 * log(p->radius_nm) : (double)NAN;
        points->next[k] = points->previous[k] = NG_NONE;
        points->item[k] = list[k].item;
        points->low_x = least(points->low_x, p->x_raw_nm);
        points->low_y = least(points->low_y, p->y_raw_nm);
        points->high_x = -least(-points->high_x, -p->x_raw_nm);
        points->high_y = -least(-points->high_y, -p->y_raw_nm);
    }
    points->first[f] = points->n;
}

ng_status ng_points_make(const ng_particles *particles, ng_points *out, ng_error *err)
{
    *out = (ng_points){0};
    place *list = NG_NEW(place, particles->n);
    if (list == NULL) {
        goto no_memory;
    }
    out->n = list_places(particles, list);
    if (out->n == 0) {
        ng_free(list);
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "there is no particle with a position, so there is nothing to link");
    }
    out->n_frames = count_frames(list, out->n);
    if (out->n_frames < 2) {
        ng_free(list);
        return NG_FAIL(
            err, NG_TOO_LITTLE,
            "there is only one frame with particles; linking needs two or more (give the "
            "table of the whole movie)");
    }
    if (!reserve(out)) {
        goto no_memory;
    }
    fill(particles, list, out);
    ng_free(list);
    return NG_OK;
no_memory:
    ng_free(list);
    ng_points_free(out);
    return NG_FAIL(err, NG_MEMORY, "no memory to link %zu particles", particles->n);
}

void ng_points_free(ng_points *points)
{
    ng_free(points->first);
    ng_free(points->frame);
    ng_free(points->at);
    ng_free(points->x);
    ng_free(points->y);
    ng_free(points->size);
    ng_free(points->next);
    ng_free(points->previous);
    ng_free(points->item);
    *points = (ng_points){0};
}

double ng_point_radius(const ng_points *points, size_t k)
{
    return isnan(points->size[k]) ? 0.0 : exp(0.5 * (points->size[k] - log(PI)));
}

bool ng_points_last(const ng_points *points, size_t k, bool back)
{
    size_t n = 0;
    for (; k != NG_NONE && n < NG_LEAST_POINTS; k = back ? points->previous[k] : points->next[k]) {
        n++;
    }
    return n == NG_LEAST_POINTS;
}

double ng_largest_radius(const ng_points *points)
{
    double most = -HUGE_VAL;
    for (size_t k = 0; k < points->n; k++) {
        most = fmax(most, points->size[k]);
    }
    return most > -HUGE_VAL ? exp(0.5 * (most - log(PI))) : 0.0;
}

void ng_points_link(ng_points *points, size_t from, size_t to)
{
    points->next[from] = to;
    points->previous[to] = from;
}

/* ---- order statistics ------------------------------------------------------------------ */

static void swap(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* Hoare's selection: value[k] is then where sorting would put it. */
static double select_value(double *value, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = value[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (value[i] < pivot) {
                i++;
            }
            while (value[j] > pivot) {
                j--;
            }
            if (i <= j) {
                swap(&value[i++], &value[j]);
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (k <= j && j < n) {
            high = j;
        } else if (k >= i) {
            low = i;
        } else {
            break;
        }
    }
    return value[k];
}

double ng_quantile(double *value, size_t n, double p)
{
    size_t k = (size_t)(p * (double)(n - 1) + 0.5);
    return select_value(value, n, k < n ? k : n - 1);
}

double ng_median(double *value, size_t n)
{
    return ng_quantile(value, n, 0.5);
}
