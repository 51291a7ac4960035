/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that fit points to raw frames: points.c (the fit), points_split.c (two where
 * one was). Light in photoelectrons. */
#ifndef NUCGROW_POINTS_INTERNAL_H
#define NUCGROW_POINTS_INTERNAL_H

#include "sim_internal.h"

#include <nucgrow/sim_points.h>

enum {
    NG_POINT_FINE = 16, /* tables in a pixel */
    NG_POINT_FAR = 15,  /* pixels to either side into which a point shines, */
    NG_POINT_REACH = 6, /* and those that it is fitted to */
    NG_POINT_TABLE = 2 * NG_POINT_FAR + 2,
    NG_POINT_GROUP = 6, /* most points that are fitted together */
    NG_POINT_PACKED = 3 * NG_POINT_GROUP * (3 * NG_POINT_GROUP + 1) / 2
};
#define NG_POINT_JOIN 2.2 /* px: nearer ones are fitted together */

/* Pixels x0 <= x < x1, y0 <= y < y1. */
typedef struct ng_point_box {
    long x0, y0, x1, y1;
} ng_point_box;

static inline size_t ng_point_area(ng_point_box b)
{
    return (size_t)(b.x1 - b.x0) * (size_t)(b.y1 - b.y0);
}

/* An ng_sim_point in the making; light in photoelectrons. */
typedef struct ng_point {
    double x, y, flux, x_var, y_var, flux_var, z, shared;
    unsigned state;
    bool uneven;
    float part[NG_SIM_MAX_FRAMES]; /* of the flux, in each frame; of uneven ones */
} ng_point;

enum {
    NG_POINT_STILL = 1,  /* nothing to gain by moving it or its neighbours */
    NG_POINT_JUDGED = 2, /* variances and z are those of now */
    NG_POINT_ROUND = 4,  /* asked for its shape as it is now */
    NG_POINT_EVEN = 8    /* asked for its light in each frame */
};

struct ng_sim_points {
    ng_sim_pattern pattern;
    size_t frames, pixels;
    double read2;            /* variance of the read noise, added to data and expectation */
    float background, least; /* with read2; least that is ever expected */
    float *table;            /* h at all fractions of a pixel; owned, like the rest */
    float *data, *expected;  /* frames x pixels */
    float *stamp, *slope, *image, *weight, *rest;
    ng_point *point;
    ng_sim_point *out;
    size_t *parent; /* owned; the others are parts of it */
    size_t *size, *group, *order, *first;
    size_t n, n_groups, room;
    float *stripes;        /* frames x pixels */
    float *height, *faint; /* pixels: maps of the search */
    float *line;           /* scratch of rows */
};

/* Stripes at a place in all frames, and their slopes. */
void ng_point_light(const ng_sim_points *p, double x, double y, double *light, double *by_x,
                    double *by_y);
/* h(u - x) on a box; 0 farther away than NG_POINT_FAR. */
void ng_point_stamp(const ng_sim_points *p, double x, double y, ng_point_box box, float *out);
ng_point_box ng_point_around(const ng_sim_points *p, double x, double y, long reach);
/* Add a share of a point's light to what is expected. */
void ng_point_add(ng_sim_points *p, const ng_point *point, double share);
/* Sums in so many lanes, which the compiler may keep in vectors. */
static inline float ng_point_sum(const float *restrict a, const float *restrict b, size_t n)
{
    enum { LANES = 8 };
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            lane[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        lane[0] += a[i] * b[i];
    }
    for (size_t k = 0; k < LANES; k++) {
        sum += lane[k];
    }
    return sum;
}

/* Stripes at a point, with its share in each frame. */
void ng_point_shine(const ng_sim_points *p, const ng_point *point, double *light, double *by_x,
                    double *by_y);
/* What is near this place is to be looked at again; points are sorted by x up to `sorted`. */
void ng_point_wake(ng_sim_points *p, size_t sorted, double x, double y);
/* Log likelihood of the frames less that without the point. */
double ng_point_gain(ng_sim_points *p, const ng_point *point);
/* Room for so many; those that are there stay. */
NG_MUST_CHECK ng_status ng_points_reserve(ng_sim_points *p, size_t n, ng_error *err);
/* Points that are too long for one become two; `halves`: how many. */
NG_MUST_CHECK ng_status ng_point_split(ng_sim_points *p, size_t *halves, ng_error *err);
/* Who goes dark within the set has its own light in each frame from here on. @return whether any */
bool ng_point_shares(ng_sim_points *p);
/* What stands out of the rest by `least` becomes a point; `found`: how many. */
NG_MUST_CHECK ng_status ng_point_search(ng_sim_points *p, double least, size_t *found,
                                        ng_error *err);

#endif
