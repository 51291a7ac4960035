/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Avrami's law of an ensemble's summed light, with crystals resampled. */
#include <nucgrow/crystals.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

/* From this share of the most light on, what shines in the first frame counts. */
#define START_SHARE 0.005

typedef struct ensemble {
    const ng_particles *tracks;
    const ng_track_span *span;
    size_t n_spans, n_frames;
    const double *time_s;
    long first_frame;
    const ng_curve_options *options;
    const ng_curve_law *law;
    uint64_t seed;
} ensemble;

/* The parameters of one resampling. */
typedef struct replicate {
    double value[NG_CURVE_MAX];
    double ok;
} replicate; /* ok: 1 when the replicate has a fit */

static ng_status fit_sum(const ensemble *e, const double *sum, bool intervals, ng_curve_fit *out,
                         ng_error *err)
{
    const ng_curve_data data = {.time_s = e->time_s, .y = sum, .n = e->n_frames};
    ng_curve_options o = *e->options;
    o.intervals = intervals;
    o.robust = false; /* a sum over crystals has no outliers that are not crystals */
    return ng_curve_fit_run(e->law, &data, &o, out, err);
}

static ng_status resample(void *context, size_t index, int worker, void *record, ng_error *err)
{
    (void)worker;
    const ensemble *e = context;
    replicate *r = record;
    ng_curve_fit fit;
    gsl_rng *rng = ng_random_open(e->seed, index);
    double *sum = NG_NEW(double, e->n_frames);
    if (rng == NULL || sum == NULL) {
        ng_random_close(rng);
        ng_free(sum);
        return NG_FAIL(err, NG_MEMORY, "no memory for a resampling");
    }
    for (size_t i = 0; i < e->n_spans; i++) {
        const ng_track_span *drawn = &e->span[gsl_rng_uniform_int(rng, e->n_spans)];
        ng_track_add_intensity(e->tracks, drawn, e->first_frame, sum);
    }
    ng_status status = fit_sum(e, sum, false, &fit, err);
    if (status == NG_OK && fit.state == NG_CURVE_OK) {
        r->ok = 1;
        for (size_t j = 0; j < fit.law->n_parameters; j++) {
            r->value[j] = fit.parameter[j].value;
        }
    }
    ng_random_close(rng);
    ng_free(sum);
    return status;
}

/* The wider of the two intervals: resampling knows the crystals, the profile the misfit. */
static void widen(const replicate *r, size_t n, double level, ng_ensemble_avrami *out)
{
    double sorted[2000];
    for (size_t j = 0; j < out->fit.law->n_parameters; j++) {
        ng_fit_parameter *p = &out->fit.parameter[j];
        size_t m = 0;
        for (size_t i = 0; i < n && m < 2000; i++) {
            if (r[i].ok > 0) {
                sorted[m++] = r[i].value[j];
            }
        }
        if (m < 10) {
            continue;
        }
        gsl_sort(sorted, 1, m);
        p->lower =
            fmin(p->lower, gsl_stats_quantile_from_sorted_data(sorted, 1, m, (1 - level) / 2));
        p->upper =
            fmax(p->upper, gsl_stats_quantile_from_sorted_data(sorted, 1, m, (1 + level) / 2));
    }
}

/* Does the first frame hold a noticeable part of the light? One false spot in it does not make a
 * baseline. */
static bool shines_at_start(const double *sum, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, sum[i]);
    }
    return sum[0] > START_SHARE * most;
}

static bool fits_in(const ensemble *e)
{
    for (size_t i = 0; i < e->n_spans; i++) {
        if (e->span[i].until - e->first_frame >= (long)e->n_frames) {
            return false;
        }
    }
    return true;
}

static ng_status fit_all(ensemble *e, size_t bootstrap, const ng_run *run, ng_ensemble_avrami *out,
                         ng_error *err)
{
    double *sum = NG_NEW(double, e->n_frames);
    replicate *records = NG_NEW(replicate, bootstrap);
    ng_status status = sum != NULL && records != NULL
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "no memory for %zu resamplings", bootstrap);
    for (size_t i = 0; status == NG_OK && i < e->n_spans; i++) {
        ng_track_add_intensity(e->tracks, &e->span[i], e->first_frame, sum);
    }
    if (status == NG_OK) {
        e->law =
            shines_at_start(sum, e->n_frames) ? &ng_curve_avrami_intensity : &ng_curve_avrami_onset;
        status = fit_sum(e, sum, true, &out->fit, err);
    }
    if (status == NG_OK && out->fit.state == NG_CURVE_OK && bootstrap > 0) {
        const ng_records all = {records, bootstrap, sizeof *records};
        status = ng_parallel_records(&all, resample, e, run, "ensemble Avrami", err);
        out->replicates = bootstrap;
        for (size_t i = 0; i < bootstrap; i++) {
            out->failed += !(records[i].ok > 0);
        }
    }
    if (status == NG_OK && out->replicates > 0) {
        widen(records, bootstrap, e->options->level, out);
    }
    ng_free(sum);
    ng_free(records);
    return status;
}

ng_status ng_ensemble_avrami_fit(const ng_particles *tracks, const double *time_s, size_t n_frames,
                                 size_t least_points, size_t bootstrap,
                                 const ng_curve_options *options, const ng_run *run,
                                 ng_ensemble_avrami *out, ng_warnings *warnings, ng_error *err)
{
    ng_track_span *span = NULL;
    size_t n = 0, kept = 0;
    *out = (ng_ensemble_avrami){0};
    ng_status status = ng_track_spans(tracks, &span, &n, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        if (span[i].n >= least_points) {
            span[kept++] = span[i];
        }
    }
    const long first = ng_tracks_first_frame(tracks);
    ensemble e = {.tracks = tracks,
                  .span = span,
                  .n_spans = kept,
                  .n_frames = n_frames,
                  .time_s = time_s,
                  .first_frame = first,
                  .options = options,
                  .seed = run != NULL ? run->seed : 1};
    if (status == NG_OK && !fits_in(&e)) {
        status = NG_FAIL(err, NG_INVALID, "the tracks go beyond the %zu frames given", n_frames);
    }
    if (status == NG_OK) {
        status = fit_all(&e, bootstrap, run, out, err);
    }
    if (status == NG_OK && out->fit.state != NG_CURVE_OK) {
        ng_warnings_add(warnings, "avrami", "the summed intensity has no Avrami fit: %s",
                        ng_curve_state_name(out->fit.state));
    }
    ng_free(span);
    return status;
}
