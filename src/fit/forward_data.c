/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the forward estimator sees of trajectories: raw sizes, without the few that are no sizes. */
#include "forward_internal.h"

#include <math.h>
#include <stdlib.h>

#define OUTLIER 5.0    /* s.d. of the noise between a raw and a smoothed size */
#define MARGIN_N 1.5   /* rates are tabulated up to this times the largest size */
#define NOISE_MIN 0.01 /* of x: rounding of exact sizes */
#define COHORT 10      /* fewest particles that tell what those of their time are like */
#define SPREAD_MIN 0.1 /* least share of the variance of first sizes that is the particles' own */

static double area_of(double n)
{
    double root = cbrt(n);
    return root * root;
}

/* s.d. of x = n^(2/3) where that of n is scale n^power. */
static void noise_of(const ng_trajectories *t, forward_data *out)
{
    out->noise_power = 1.5 * (t->noise_power - 1.0 / 3.0);
    out->noise_scale = fmax(2.0 / 3.0 * t->noise_scale, NOISE_MIN);
}

static bool is_outlier(const forward_data *d, double seen, double smooth)
{
    double x = area_of(fmax(smooth, 1.0));
    return fabs(seen - x) > OUTLIER * d->noise_scale * pow(x, d->noise_power);
}

static void copy_points(const ng_trajectories *t, forward_data *out)
{
    for (size_t k = 0; k < t->n_points; k++) {
        out->frame[k] = t->frame[k];
        out->x[k] = (double)NAN;
        if (!isfinite(t->n_raw[k])) {
            continue;
        }
        double x = area_of(t->n_raw[k]);
        if (is_outlier(out, x, t->n[k])) {
            out->outliers++;
            continue;
        }
        out->x[k] = x;
        out->n_observed++;
        out->n_largest = fmax(out->n_largest, t->n_raw[k]);
    }
}

/* ---- where particles begin --------------------------------------------------------------- */

size_t ng_forward_first_seen(const forward_data *data, size_t track)
{
    size_t k = data->first[track];
    while (k < data->first[track + 1] && !isfinite(data->x[k])) {
        k++;
    }
    return k;
}

typedef struct beginning {
    size_t track;
    unsigned frame;
    double x, noise; /* variance */
} beginning;

static int compare_beginnings(const void *a, const void *b)
{
    const beginning *p = a, *q = b;
    return p->frame != q->frame ? (p->frame > q->frame) - (p->frame < q->frame)
                                : (p->track > q->track) - (p->track < q->track);
}

static size_t list_beginnings(const forward_data *d, beginning *list)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_tracks; i++) {
        size_t k = ng_forward_first_seen(d, i);
        if (k < d->first[i + 1]) {
            double sd = d->noise_scale * pow(d->x[k], d->noise_power);
            list[n++] = (beginning){i, d->frame[k], d->x[k], sd * sd};
        }
    }
    qsort(list, n, sizeof *list, compare_beginnings);
    return n;
}

static forward_prior prior_of(const beginning *list, size_t n)
{
    double mean = 0.0, square = 0.0, noise = 0.0;
    for (size_t i = 0; i < n; i++) {
        mean += list[i].x / (double)n;
        noise += list[i].noise / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        square += (list[i].x - mean) * (list[i].x - mean) / (double)(n - 1);
    }
    return (forward_prior){mean, fmax(square - noise, SPREAD_MIN * square)};
}

/* End of the cohort that begins at `from`: all of one frame, and as many later ones as it takes. */
static size_t cohort_end(const beginning *list, size_t n, size_t from)
{
    size_t end = from + 1;
    while (end < n && (end - from < COHORT || list[end].frame == list[end - 1].frame)) {
        end++;
    }
    return n - end < COHORT ? n : end;
}

/* A measured size that is far from the usual is more often a usual one, mismeasured, than the other
 * way about: without that, particles would seem to grow towards each other. */
static ng_status make_priors(forward_data *d, ng_error *err)
{
    beginning *list = NG_NEW(beginning, d->n_tracks);
    if (!list) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu tracks", d->n_tracks);
    }
    size_t n = list_beginnings(d, list);
    for (size_t i = 0; i < d->n_tracks; i++) {
        d->prior[i] = (forward_prior){0.0, HUGE_VAL};
    }
    for (size_t from = 0, end; n >= COHORT && from < n; from = end) {
        end = cohort_end(list, n, from);
        forward_prior prior = prior_of(list + from, end - from);
        for (size_t i = from; i < end; i++) {
            d->prior[list[i].track] = prior;
        }
    }
    ng_free(list);
    return NG_OK;
}

/* ---- the whole --------------------------------------------------------------------------- */

ng_status ng_forward_data_make(const ng_trajectories *t, forward_data *out, ng_error *err)
{
    *out = (forward_data){.n_tracks = t->n_tracks,
                          .n_points = t->n_points,
                          .n_frames = t->n_frames,
                          .frame_s = t->frame_s,
                          .sigma_s_nm = t->sigma_s_nm};
    out->first = NG_NEW(size_t, t->n_tracks + 1);
    out->origin = NG_NEW(size_t, t->n_tracks);
    out->frame = NG_NEW(unsigned, t->n_points);
    out->x = NG_NEW(double, t->n_points);
    out->prior = NG_NEW(forward_prior, t->n_tracks);
    if (!out->first || !out->origin || !out->frame || !out->x || !out->prior) {
        ng_forward_data_free(out);
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu points", t->n_points);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        out->first[i] = t->first[i];
        out->origin[i] = t->origin[i];
    }
    out->first[t->n_tracks] = t->first[t->n_tracks];
    noise_of(t, out);
    copy_points(t, out);
    out->n_largest *= MARGIN_N;
    if (out->n_observed < t->n_tracks + 2) {
        ng_forward_data_free(out);
        return NG_FAIL(
            err, NG_TOO_LITTLE,
            "forward fit: %zu tracks were seen only once each; it needs tracks over time",
            t->n_tracks);
    }
    ng_status status = make_priors(out, err);
    if (status != NG_OK) {
        ng_forward_data_free(out);
    }
    return status;
}

void ng_forward_data_free(forward_data *data)
{
    ng_free(data->first);
    ng_free(data->origin);
    ng_free(data->frame);
    ng_free(data->x);
    ng_free(data->prior);
    *data = (forward_data){0};
}
