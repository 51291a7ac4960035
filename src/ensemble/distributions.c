/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size distributions at some times of the run, with bootstrap bands. */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_statistics_double.h>
#include <limits.h>
#include <math.h>

/* How often each trajectory stands in each resampling. */
typedef struct multiplicities {
    unsigned char *count; /* owned: [replicate][trajectory] */
    size_t replicates, n_tracks;
} multiplicities;

/* The particles of one frame, and their density in every resampling. */
typedef struct sample {
    double *n;       /* owned: sizes */
    size_t *track;   /* owned: trajectories */
    double *work;    /* owned: one number a particle */
    size_t size;
    double *density; /* owned: [point of the grid][replicate] */
} sample;

typedef struct survey {
    const ng_ensemble *ensemble;
    multiplicities drawn;
    ng_frame_distribution *out;
} survey;

/* ---- resampling ---------------------------------------------------------------------------- */

static ng_status draw_all(const ng_ensemble *e, const ng_run *run, multiplicities *m, ng_error *err)
{
    const ng_trajectories *t = e->trajectories;
    m->n_tracks = t->n_tracks;
    m->replicates = GSL_MIN(e->options->bootstrap, (size_t)NG_DISTRIBUTION_BOOTSTRAP);
    m->count = ng_alloc(m->replicates, t->n_tracks);
    double *weight = NG_NEW(double, t->n_tracks);
    bool failed = m->count == NULL || weight == NULL;
    for (size_t b = 0; !failed && b < m->replicates; b++) {
        gsl_rng *rng = ng_random_open(run != NULL ? run->seed : 1, b);
        failed = rng == NULL;
        if (!failed) {
            ng_bootstrap_trajectories(rng, t, weight);
            ng_random_close(rng);
        }
        for (size_t i = 0; !failed && i < t->n_tracks; i++) {
            m->count[b * t->n_tracks + i] = (unsigned char)fmin(weight[i], UCHAR_MAX);
        }
    }
    ng_free(weight);
    return failed ? NG_FAIL(err, NG_MEMORY, "out of memory for resamplings of %zu trajectories",
                            t->n_tracks)
                  : NG_OK;
}

static double multiplicity(const multiplicities *m, size_t replicate, size_t track)
{
    return m->count[replicate * m->n_tracks + track];
}

/* ---- one frame ----------------------------------------------------------------------------- */

static void sample_free(sample *s)
{
    ng_free(s->n);
    ng_free(s->track);
    ng_free(s->work);
    ng_free(s->density);
}

static ng_status sample_create(const ng_trajectories *t, size_t frame, size_t size,
                               size_t replicates, sample *s, ng_error *err)
{
    *s = (sample){.n = NG_NEW(double, size), .track = NG_NEW(size_t, size),
                  .work = NG_NEW(double, size),
                  .density = NG_NEW(double, NG_DISTRIBUTION_POINTS * replicates)};
    if (s->n == NULL || s->track == NULL || s->work == NULL || s->density == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu particles of a frame", size);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            if (t->frame[k] == frame && s->size < size) {
                s->track[s->size] = i;
                s->n[s->size++] = t->n[k];
            }
        }
    }
    return NG_OK;
}

/* Kernels at one point of the grid serve all resamplings: the bandwidth stays that of the data. */
static void resample_kernel(const multiplicities *m, const ng_distribution *d, sample *s)
{
    for (size_t k = 0; k < d->count; k++) {
        double h = d->bandwidth, y = log(d->n[k]);
        for (size_t i = 0; i < s->size; i++) {
            s->work[i] = exp(-0.5 * gsl_pow_2((log(s->n[i]) - y) / h));
        }
        for (size_t b = 0; b < m->replicates; b++) {
            double sum = 0.0, total = 0.0;
            for (size_t i = 0; i < s->size; i++) {
                double w = multiplicity(m, b, s->track[i]);
                sum += w * s->work[i];
                total += w;
            }
            s->density[k * m->replicates + b] =
                sum / (total * h * M_SQRTPI * M_SQRT2 * d->n[k]);
        }
    }
}

static ng_status make_kernel(const multiplicities *m, sample *s, ng_distribution *d, ng_error *err)
{
    ng_status status =
        ng_density_kernel(s->n, NULL, s->size, 1.0, NG_DISTRIBUTION_POINTS, d, err);
    if (status == NG_OK) {
        resample_kernel(m, d, s);
    }
    return status;
}

/* ---- the published density ----------------------------------------------------------------- */

/* p and psi at all integers of the frame's range. */
typedef struct integers {
    long first, last;
    double *p, *psi; /* owned */
} integers;

/* Which integer stands for point k of the grid. */
static size_t integer_at(const integers *all, size_t count, size_t k)
{
    return (size_t)llround((double)(all->last - all->first) * (double)k / (double)(count - 1));
}

static void resample_published(const multiplicities *m, const integers *all, size_t count,
                               sample *s)
{
    for (size_t b = 0; b < m->replicates; b++) {
        for (size_t i = 0; i < s->size; i++) {
            s->work[i] = multiplicity(m, b, s->track[i]);
        }
        bool exists = ng_density_published(s->n, s->work, s->size, all->first, all->last, all->p,
                                           all->psi);
        for (size_t k = 0; k < count; k++) {
            s->density[k * m->replicates + b] =
                exists ? all->p[integer_at(all, count, k)] : (double)NAN;
        }
    }
}

static void take_published(const integers *all, ng_distribution *d)
{
    for (size_t k = 0; k < d->count; k++) {
        size_t i = integer_at(all, d->count, k);
        d->n[k] = (double)all->first + (double)i;
        d->p[k] = all->p[i];
        d->psi[k] = all->psi[i];
        d->score[k] = (double)NAN;
    }
}

static ng_status make_published(const multiplicities *m, sample *s, ng_distribution *d,
                                ng_error *err)
{
    double min = 0.0, max = 0.0;
    gsl_stats_minmax(&min, &max, s->n, 1, s->size);
    integers all = {.first = (long)min, .last = (long)max};
    size_t range = (size_t)(all.last - all.first) + 1;
    all.p = NG_NEW(double, range);
    all.psi = NG_NEW(double, range);
    size_t count = GSL_MIN(range, (size_t)NG_DISTRIBUTION_POINTS);
    ng_status status = ng_distribution_create(count, d, err);
    if (status == NG_OK && (all.p == NULL || all.psi == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for %zu sizes", range);
    }
    if (status == NG_OK) {
        (void)ng_density_published(s->n, NULL, s->size, all.first, all.last, all.p, all.psi);
        take_published(&all, d);
        resample_published(m, &all, count, s);
    }
    ng_free(all.p);
    ng_free(all.psi);
    return status;
}

/* ---- bands --------------------------------------------------------------------------------- */

static ng_status set_bands(const survey *v, sample *s, ng_frame_distribution *out, ng_error *err)
{
    size_t replicates = v->drawn.replicates, count = out->distribution.count;
    if (replicates == 0) {
        return NG_OK;
    }
    out->lower = NG_NEW(double, count);
    out->upper = NG_NEW(double, count);
    if (out->lower == NULL || out->upper == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu sizes", count);
    }
    for (size_t k = 0; k < count; k++) {
        ng_percentile_band(s->density + k * replicates, replicates, v->ensemble->options->level,
                           &out->lower[k], &out->upper[k]);
    }
    return NG_OK;
}

/* Task: the distribution of one frame. */
static ng_status make_one(void *context, size_t index, int worker, ng_error *err)
{
    (void)worker;
    survey *v = context;
    const ng_ensemble *e = v->ensemble;
    ng_frame_distribution *out = &v->out[index];
    size_t size = (size_t)e->series->particles[out->frame];
    sample s;
    ng_status status = sample_create(e->trajectories, out->frame, size, v->drawn.replicates, &s,
                                     err);
    if (status == NG_OK && e->options->published) {
        status = make_published(&v->drawn, &s, &out->distribution, err);
    } else if (status == NG_OK) {
        status = make_kernel(&v->drawn, &s, &out->distribution, err);
    }
    if (status == NG_OK) {
        status = set_bands(v, &s, out, err);
    }
    sample_free(&s);
    return status;
}

static bool has_distribution(const ng_ensemble *e, size_t f)
{
    return e->series->min_n[f] < e->series->max_n[f];
}

/* Evenly spaced among the frames that have a distribution. */
static size_t choose_frames(const ng_ensemble *e, ng_frame_distribution *out)
{
    size_t usable = 0, n = 0, seen = 0;
    for (size_t f = 0; f < e->series->n_frames; f++) {
        usable += has_distribution(e, f) ? 1 : 0;
    }
    size_t wanted = GSL_MIN(usable, (size_t)NG_DISTRIBUTIONS_MAX);
    for (size_t f = 0; n < wanted && f < e->series->n_frames; f++) {
        size_t next = wanted > 1 ? (n * (usable - 1) + (wanted - 1) / 2) / (wanted - 1) : 0;
        if (has_distribution(e, f) && seen++ == next) {
            out[n++].frame = f;
        }
    }
    return n;
}

ng_status ng_distributions_compute(const ng_ensemble *ensemble, const ng_run *run,
                                   ng_frame_distribution out[NG_DISTRIBUTIONS_MAX], size_t *n,
                                   ng_error *err)
{
    for (size_t i = 0; i < NG_DISTRIBUTIONS_MAX; i++) {
        out[i] = (ng_frame_distribution){0};
    }
    *n = choose_frames(ensemble, out);
    survey v = {.ensemble = ensemble, .out = out};
    ng_status status = draw_all(ensemble, run, &v.drawn, err);
    if (status == NG_OK) {
        status = ng_parallel_for(*n, make_one, &v, run, "distributions", err);
    }
    ng_free(v.drawn.count);
    if (status != NG_OK) {
        ng_distributions_free(out);
        *n = 0;
    }
    return status;
}

void ng_distributions_free(ng_frame_distribution distributions[NG_DISTRIBUTIONS_MAX])
{
    for (size_t i = 0; i < NG_DISTRIBUTIONS_MAX; i++) {
        ng_distribution_free(&distributions[i].distribution);
        ng_free(distributions[i].lower);
        ng_free(distributions[i].upper);
        distributions[i].lower = distributions[i].upper = NULL;
    }
}
