/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <math.h>
#include <string.h>

/* All arrays of a series lie in one block, which `particles` points to. */
static double **slot(ng_series *s, size_t index)
{
    double **head[] = {&s->particles, &s->mean_n,         &s->var_n,          &s->mean_radius_nm,
                       &s->sd_radius_nm, &s->min_n,       &s->max_n,          &s->dmean_dt_per_s,
                       &s->dvar_dt_per_s, &s->dln_particles_dt_per_s};
    size_t n_head = sizeof head / sizeof head[0];
    return index < n_head ? head[index] : &s->moment[index - n_head + 1];
}

double *ng_series_array(const ng_series *s, size_t index)
{
    ng_series copy = *s;
    return *slot(&copy, index);
}

ng_status ng_series_create(size_t n_frames, ng_series *out, ng_error *err)
{
    *out = (ng_series){0};
    double *block = ng_alloc(n_frames, NG_SERIES_ARRAYS * sizeof *block);
    if (block == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for series of %zu frames", n_frames);
    }
    out->n_frames = n_frames;
    for (size_t i = 0; i < NG_SERIES_ARRAYS; i++) {
        *slot(out, i) = block + i * n_frames;
    }
    return NG_OK;
}

void ng_series_free(ng_series *s)
{
    if (s != NULL) {
        ng_free(s->particles);
        *s = (ng_series){0};
    }
}

/* ---- sums over particles ------------------------------------------------------------------- */

/* Smoothing as published may leave sizes below zero: such a particle has no radius left. */
static double radius_of(double n, double sigma_s_nm)
{
    return n > 0.0 ? sigma_s_nm * cbrt(n) : 0.0;
}

void ng_series_radii(const ng_trajectories *t, double *radius_nm)
{
    for (size_t k = 0; k < t->n_points; k++) {
        radius_nm[k] = radius_of(t->n[k], t->sigma_s_nm);
    }
}

/* Frames first..end-1. */
typedef struct frame_range {
    size_t first, end;
} frame_range;

static void clear(frame_range r, ng_series *s)
{
    for (size_t i = 0; i < NG_SERIES_ARRAYS; i++) {
        memset(ng_series_array(s, i) + r.first, 0, (r.end - r.first) * sizeof(double));
    }
    for (size_t f = r.first; f < r.end; f++) {
        s->min_n[f] = (double)INFINITY;
        s->max_n[f] = -(double)INFINITY;
    }
}

static void add_sums(ng_series *s, unsigned f, double n, double radius_nm, double weight)
{
    s->particles[f] += weight;
    s->mean_radius_nm[f] += weight * radius_nm;
    s->min_n[f] = n < s->min_n[f] ? n : s->min_n[f];
    s->max_n[f] = n > s->max_n[f] ? n : s->max_n[f];
    double power = weight;
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        power *= n;
        s->moment[q][f] += power;
    }
}

static void divide_sums(frame_range r, ng_series *s)
{
    for (size_t f = r.first; f < r.end; f++) {
        double total = s->particles[f];
        /* 0/0 gives the NAN of an empty frame. */
        s->mean_radius_nm[f] /= total;
        for (int q = 1; q <= NG_MOMENT_MAX; q++) {
            s->moment[q][f] /= total;
        }
        s->mean_n[f] = s->moment[1][f];
        if (!(total > 0.0)) {
            s->min_n[f] = s->max_n[f] = (double)NAN;
        }
    }
}

/* A second pass: the second moment less the squared mean would lose digits of narrow ensembles. */
static void add_spread(ng_series *s, unsigned f, double n, double radius_nm, double weight)
{
    double dn = n - s->mean_n[f];
    double dr = radius_nm - s->mean_radius_nm[f];
    s->var_n[f] += weight * dn * dn;
    s->sd_radius_nm[f] += weight * dr * dr;
}

static void divide_spread(frame_range r, ng_series *s)
{
    for (size_t f = r.first; f < r.end; f++) {
        s->var_n[f] /= s->particles[f];
        s->sd_radius_nm[f] = sqrt(s->sd_radius_nm[f] / s->particles[f]);
    }
}

typedef void add_function(ng_series *s, unsigned f, double n, double radius_nm, double weight);

/* First point of trajectory i that is seen in `frame` or later. */
static size_t point_from(const ng_trajectories *t, size_t i, size_t frame)
{
    size_t low = t->first[i], high = t->first[i + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->frame[middle] < frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void for_each_point(const ng_trajectories *t, const double *radius_nm, const double *weight,
                           frame_range r, add_function *add, ng_series *s)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        double w = weight != NULL ? weight[i] : 1.0;
        size_t last = t->first[i + 1];
        size_t k = w > 0.0 ? point_from(t, i, r.first) : last;
        for (; k < last && t->frame[k] < r.end; k++) {
            double radius = radius_nm != NULL ? radius_nm[k] : radius_of(t->n[k], t->sigma_s_nm);
            add(s, t->frame[k], t->n[k], radius, w);
        }
    }
}

/* ---- derivatives --------------------------------------------------------------------------- */

/* Slope from the neighbours that are there; `time` NULL: even steps of `step`. */
static double slope(const double *x, const double *time, double step, size_t n, size_t i)
{
    size_t left = i > 0 && isfinite(x[i - 1]) ? i - 1 : i;
    size_t right = i + 1 < n && isfinite(x[i + 1]) ? i + 1 : i;
    if (left == right || !isfinite(x[i])) {
        return (double)NAN;
    }
    double span = time != NULL ? time[right] - time[left] : (double)(right - left) * step;
    return (x[right] - x[left]) / span;
}

void ng_time_derivative(const double *x, size_t n, double step, double *dx)
{
    for (size_t i = 0; i < n; i++) {
        dx[i] = slope(x, NULL, step, n, i);
    }
}

static void derive(const ng_trajectories *t, frame_range r, const double *x, double *dx)
{
    for (size_t i = r.first; i < r.end; i++) {
        dx[i] = slope(x, t->time_s, t->frame_s, t->n_frames, i);
    }
}

static void take_logarithm(frame_range r, const double *x, double *out)
{
    for (size_t i = r.first; i < r.end; i++) {
        out[i] = x[i] > 0.0 ? log(x[i]) : (double)NAN;
    }
}

void ng_series_fill(const ng_trajectories *t, const double *radius_nm, const double *weight,
                    size_t first, size_t end, ng_series *out)
{
    frame_range asked = {first, end};
    /* slopes look at the frames on both sides */
    frame_range wide = {first > 0 ? first - 1 : 0, end < t->n_frames ? end + 1 : end};
    clear(wide, out);
    for_each_point(t, radius_nm, weight, wide, add_sums, out);
    divide_sums(wide, out);
    for_each_point(t, radius_nm, weight, wide, add_spread, out);
    divide_spread(wide, out);
    /* The array for dVar/dt is free until its turn comes. */
    take_logarithm(wide, out->particles, out->dvar_dt_per_s);
    derive(t, asked, out->dvar_dt_per_s, out->dln_particles_dt_per_s);
    derive(t, asked, out->mean_n, out->dmean_dt_per_s);
    derive(t, asked, out->var_n, out->dvar_dt_per_s);
}

void ng_series_compute(const ng_trajectories *t, const double *weight, ng_series *out)
{
    ng_series_fill(t, NULL, weight, 0, t->n_frames, out);
}
