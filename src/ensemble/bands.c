/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

/* Numbers of all replicates that are kept at a time; beyond it the replicates are drawn again for
 * the next frames. */
#define KEPT_MAX ((size_t)8 << 20)

/* What a thread works with. */
typedef struct worker {
    ng_series series; /* of one replicate */
    double *weight;   /* owned: of each trajectory */
    double *column;   /* owned: one number of each replicate */
} worker;

typedef struct resampling {
    const ng_trajectories *t;
    const ng_run *run;
    size_t replicates;
    double level;
    double *radius_nm; /* owned: of every point */
    worker *worker;    /* owned */
    size_t n_workers;
    double *kept; /* owned: [replicate][array][frame] of the frames of this pass */
    size_t kept_frames; /* in a pass, but for the last */
    size_t first, end;  /* frames of this pass */
    ng_bands *out;
} resampling;

static bool worker_create(const resampling *r, worker *w)
{
    w->weight = NG_NEW(double, r->t->n_tracks);
    w->column = NG_NEW(double, r->replicates);
    return w->weight != NULL && w->column != NULL &&
           ng_series_create(r->t->n_frames, &w->series, NULL) == NG_OK;
}

static void resampling_free(resampling *r)
{
    for (size_t i = 0; i < r->n_workers; i++) {
        ng_free(r->worker[i].weight);
        ng_free(r->worker[i].column);
        ng_series_free(&r->worker[i].series);
    }
    ng_free(r->worker);
    ng_free(r->radius_nm);
    ng_free(r->kept);
}

static ng_status resampling_create(resampling *r, ng_error *err)
{
    size_t fit = KEPT_MAX / NG_SERIES_ARRAYS / r->replicates;
    r->kept_frames = fit < 1 ? 1 : fit > r->t->n_frames ? r->t->n_frames : fit;
    r->kept = ng_alloc(r->replicates * r->kept_frames, NG_SERIES_ARRAYS * sizeof(double));
    r->radius_nm = NG_NEW(double, r->t->n_points);
    r->worker = NG_NEW(worker, (size_t)ng_run_threads(r->run));
    bool complete = r->kept != NULL && r->radius_nm != NULL && r->worker != NULL;
    if (complete) {
        r->n_workers = (size_t)ng_run_threads(r->run);
    }
    for (size_t i = 0; complete && i < r->n_workers; i++) {
        complete = worker_create(r, &r->worker[i]);
    }
    if (!complete) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu resamplings of %zu frames",
                       r->replicates, r->t->n_frames);
    }
    ng_series_radii(r->t, r->radius_nm);
    return NG_OK;
}

/* Task: one replicate, of which the frames of this pass are kept. */
static ng_status draw(void *context, size_t replicate, int worker_index, ng_error *err)
{
    resampling *r = context;
    worker *w = &r->worker[worker_index];
    gsl_rng *rng = ng_random_open(r->run != NULL ? r->run->seed : 1, replicate);
    if (rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a random stream");
    }
    ng_bootstrap_trajectories(rng, r->t, w->weight);
    ng_random_close(rng);
    ng_series_fill(r->t, r->radius_nm, w->weight, r->first, r->end, &w->series);
    for (size_t a = 0; a < NG_SERIES_ARRAYS; a++) {
        memcpy(r->kept + (replicate * NG_SERIES_ARRAYS + a) * r->kept_frames,
               ng_series_array(&w->series, a) + r->first, (r->end - r->first) * sizeof(double));
    }
    return NG_OK;
}

void ng_percentile_band(double *x, size_t n, double level, double *lower, double *upper)
{
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i])) {
            x[finite++] = x[i];
        }
    }
    *lower = *upper = (double)NAN;
    if (finite > 0) {
        double tail = 0.5 * (1.0 - level);
        gsl_sort(x, 1, finite);
        *lower = gsl_stats_quantile_from_sorted_data(x, 1, finite, tail);
        *upper = gsl_stats_quantile_from_sorted_data(x, 1, finite, 1.0 - tail);
    }
}

static void set_band(const resampling *r, size_t array, size_t kept_frame, double *column)
{
    size_t frame = r->first + kept_frame;
    for (size_t b = 0; b < r->replicates; b++) {
        column[b] = r->kept[(b * NG_SERIES_ARRAYS + array) * r->kept_frames + kept_frame];
    }
    ng_percentile_band(column, r->replicates, r->level,
                       &ng_series_array(&r->out->lower, array)[frame],
                       &ng_series_array(&r->out->upper, array)[frame]);
}

/* Task: the bands of one of the frames that are kept. */
static ng_status summarise(void *context, size_t kept_frame, int worker_index, ng_error *err)
{
    (void)err;
    const resampling *r = context;
    for (size_t a = 0; a < NG_SERIES_ARRAYS; a++) {
        set_band(r, a, kept_frame, r->worker[worker_index].column);
    }
    return NG_OK;
}

static ng_status resample(resampling *r, ng_error *err)
{
    ng_status status = resampling_create(r, err);
    size_t n_frames = r->t->n_frames;
    for (r->first = 0; status == NG_OK && r->first < n_frames; r->first = r->end) {
        size_t left = n_frames - r->first;
        r->end = r->first + (left < r->kept_frames ? left : r->kept_frames);
        status = ng_parallel_for(r->replicates, draw, r, r->run, "bootstrap", err);
        if (status == NG_OK) {
            status = ng_parallel_for(r->end - r->first, summarise, r, r->run, "bands", err);
        }
    }
    return status;
}

static void set_undefined(ng_bands *b)
{
    for (size_t a = 0; a < NG_SERIES_ARRAYS; a++) {
        double *lower = ng_series_array(&b->lower, a), *upper = ng_series_array(&b->upper, a);
        for (size_t f = 0; f < b->lower.n_frames; f++) {
            lower[f] = upper[f] = (double)NAN;
        }
    }
}

ng_status ng_bands_compute(const ng_trajectories *t, const ng_ensemble_options *options,
                           const ng_run *run, ng_bands *out, ng_error *err)
{
    *out = (ng_bands){.lower = {0}};
    ng_status status = ng_series_create(t->n_frames, &out->lower, err);
    if (status == NG_OK) {
        status = ng_series_create(t->n_frames, &out->upper, err);
    }
    if (status == NG_OK && options->bootstrap == 0) {
        set_undefined(out);
    } else if (status == NG_OK) {
        resampling r = {.t = t, .run = run, .out = out, .replicates = options->bootstrap,
                        .level = options->level};
        status = resample(&r, err);
        resampling_free(&r);
    }
    if (status != NG_OK) {
        ng_bands_free(out);
    }
    return status;
}

void ng_bands_free(ng_bands *b)
{
    if (b != NULL) {
        ng_series_free(&b->lower);
        ng_series_free(&b->upper);
    }
}
