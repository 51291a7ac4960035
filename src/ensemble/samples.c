/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples drawn from a flask: sizes by time, and their quantiles as trajectories. */
#include <nucgrow/samples.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_interp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SAMPLES 3
#define MAX_FRAMES 2000
#define NORMAL_MAD 1.4826 /* standard deviations in a median absolute deviation */

/* ---- sorting --------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of n sorted values, linear between them, each in the middle of its share. */
static double quantile(const double *sorted, size_t n, double share)
{
    const double at = fmin(fmax(share * (double)n - 0.5, 0.0), (double)(n - 1));
    const size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* Keep what lies within the limit of the median of the logarithms; returns how many. */
static size_t drop_outliers(double *radius, size_t n, double *scratch)
{
    const double middle = log(quantile(radius, n, 0.5));
    for (size_t i = 0; i < n; i++) {
        scratch[i] = fabs(log(radius[i]) - middle);
    }
    qsort(scratch, n, sizeof *scratch, compare_doubles);
    const double limit = NG_SAMPLE_OUTLIER * NORMAL_MAD * quantile(scratch, n, 0.5);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (fabs(log(radius[i]) - middle) <= limit || !(limit > 0)) {
            radius[kept++] = radius[i];
        }
    }
    return kept;
}

/* Points of the table come sorted by time only within their source: gather each time's radii. */
static void gather(const ng_tracks *t, ng_samples *out)
{
    for (size_t i = 0; i < t->n_points; i++) {
        out->first[t->point[i].frame + 1]++;
        out->time_s[t->point[i].frame] = t->point[i].time_s;
    }
    for (size_t s = 0; s < out->n_times; s++) {
        out->first[s + 1] += out->first[s];
    }
    for (size_t i = t->n_points; i-- > 0;) {
        /* the starts move to the ends of the sample before, and back again below */
        out->radius_nm[--out->first[t->point[i].frame + 1]] = t->point[i].radius_nm;
    }
    for (size_t s = 0; s < out->n_times; s++) {
        out->first[s] = out->first[s + 1];
    }
    out->first[out->n_times] = t->n_points;
}

static void clean(ng_samples *s, double *scratch, ng_warnings *warnings)
{
    size_t times = 0, to = 0, all = s->first[s->n_times], from = s->first[0];
    for (size_t k = 0; k < s->n_times; k++) {
        const size_t end = s->first[k + 1], n = end - from;
        double *radius = s->radius_nm + from;
        qsort(radius, n, sizeof *radius, compare_doubles);
        const size_t kept = n > 0 ? drop_outliers(radius, n, scratch) : 0;
        from = end;
        if (kept < NG_SAMPLE_LEAST) {
            ng_warnings_add(warnings, "sample-small",
                            "the sample at %g s holds %zu particles and was left out; a "
                            "distribution needs %d",
                            s->time_s[k], kept, NG_SAMPLE_LEAST);
            all -= n;
            continue;
        }
        memmove(s->radius_nm + to, radius, kept * sizeof *radius);
        s->time_s[times] = s->time_s[k];
        s->first[times++] = to;
        to += kept;
    }
    s->n_times = times;
    s->first[times] = to;
    s->dropped = all - to;
    if (s->dropped > 0) {
        ng_warnings_add(warnings, "outliers-dropped",
                        "%zu of %zu radii lie further than %g robust standard deviations of ln r "
                        "from the median of their sample and were left out",
                        s->dropped, all, NG_SAMPLE_OUTLIER);
    }
}

/* Mean of ln r and its squared standard error. */
static double mean_log(const ng_samples *s, size_t k, double *se2)
{
    const double n = (double)(s->first[k + 1] - s->first[k]);
    double sum = 0.0, squares = 0.0;
    for (size_t i = s->first[k]; i < s->first[k + 1]; i++) {
        sum += log(s->radius_nm[i]);
        squares += log(s->radius_nm[i]) * log(s->radius_nm[i]);
    }
    *se2 = fmax(squares / n - sum * sum / (n * n), 0.0) / n;
    return sum / n;
}

/* How far one sample more lies from the line between its neighbours than the one before it did:
 * growth that bends puts neighbours on the same side, scatter does not. Sums over samples k - 2 to
 * k + 1, with weights whose squares add up to `squares`; `variance`: what the particles explain. */
static double jump(const ng_samples *s, size_t k, double *variance, double *squares)
{
    const double *t = s->time_s;
    const double here = (t[k] - t[k - 1]) / (t[k + 1] - t[k - 1]);
    const double before = (t[k - 1] - t[k - 2]) / (t[k] - t[k - 2]);
    const double weight[4] = {1.0 - before, here - 2.0, 1.0 + before, -here};
    double sum = 0.0;
    *variance = *squares = 0.0;
    for (size_t i = 0; i < 4; i++) {
        double se2;
        sum += weight[i] * mean_log(s, k - 2 + i, &se2);
        *variance += weight[i] * weight[i] * se2;
        *squares += weight[i] * weight[i];
    }
    return sum;
}

static void find_scatter(ng_samples *s, ng_warnings *warnings)
{
    double beyond = 0.0, weights = 0.0, standard = 0.0, n = 0.0;
    for (size_t k = 2; k + 1 < s->n_times; k++) {
        double variance, squares;
        const double off = jump(s, k, &variance, &squares);
        beyond += off * off - variance;
        weights += squares;
        standard += off * off / variance;
        n += 1.0;
    }
    s->scatter = weights > 0 ? sqrt(fmax(beyond / weights, 0.0)) : 0.0;
    if (n > 0 && sqrt(standard / n) > NG_SAMPLE_SCATTER) {
        ng_warnings_add(
            warnings, "samples-scatter",
            "mean sizes of samples jump by %.1f standard errors about the line between their "
            "neighbours (%.2g %% of the radius): samples differ by more than the particles in "
            "them, so intervals from drawing particles anew are too narrow",
            sqrt(standard / n), 100.0 * s->scatter);
    }
}

ng_status ng_samples_make(const ng_tracks *t, ng_samples *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_samples){0};
    double *scratch = NG_NEW(double, t->n_points);
    ng_status status = NG_OK;
    for (size_t i = 0; i < t->n_points; i++) {
        const size_t times = (size_t)t->point[i].frame + 1;
        out->n_times = times > out->n_times ? times : out->n_times;
    }
    out->time_s = NG_NEW(double, out->n_times);
    out->first = NG_NEW(size_t, out->n_times + 1);
    out->radius_nm = NG_NEW(double, t->n_points);
    if (!scratch || !out->time_s || !out->first || !out->radius_nm) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu particles", t->n_points);
        goto out;
    }
    gather(t, out);
    clean(out, scratch, warnings);
    if (out->n_times < MIN_SAMPLES) {
        status = NG_FAIL(err, NG_TOO_LITTLE,
                         "the table holds %zu usable sample%s; growth needs at least %d, drawn at "
                         "different times",
                         out->n_times, out->n_times == 1 ? "" : "s", MIN_SAMPLES);
    } else {
        find_scatter(out, warnings);
    }

out:
    ng_free(scratch);
    if (status != NG_OK) {
        ng_samples_free(out);
    }
    return status;
}

void ng_samples_free(ng_samples *samples)
{
    ng_free(samples->time_s);
    ng_free(samples->first);
    ng_free(samples->radius_nm);
    *samples = (ng_samples){0};
}

/* ---- quantiles over time --------------------------------------------------------------------- */

/* Monomer numbers at the quantiles, samples by quantiles; drawn anew where there is an rng. */
static ng_status fill_quantiles(const ng_samples *s, const ng_sample_options *o, gsl_rng *rng,
                                double *n, ng_error *err)
{
    double *drawn = NG_NEW(double, s->first[s->n_times]);
    if (drawn == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles", s->first[s->n_times]);
    }
    for (size_t k = 0; k < s->n_times; k++) {
        const double *radius = s->radius_nm + s->first[k];
        const size_t count = s->first[k + 1] - s->first[k];
        for (size_t i = 0; i < count; i++) {
            drawn[i] = radius[rng != NULL ? gsl_rng_uniform_int(rng, count) : i];
        }
        if (rng != NULL) {
            qsort(drawn, count, sizeof *drawn, compare_doubles);
        }
        for (size_t q = 0; q < o->quantiles; q++) {
            const double share = ((double)q + 0.5) / (double)o->quantiles;
            n[q * s->n_times + k] = pow(quantile(drawn, count, share) / o->sigma_s_nm, 3.0);
        }
    }
    ng_free(drawn);
    return NG_OK;
}

static double frame_interval(const ng_samples *s, double frame_s)
{
    const double span = s->time_s[s->n_times - 1] - s->time_s[0];
    double least = span;
    for (size_t k = 1; k < s->n_times; k++) {
        least = fmin(least, s->time_s[k] - s->time_s[k - 1]);
    }
    least = isnan(frame_s) ? least : frame_s;
    /* whole frames from the first sample to the last */
    return span / fmin(fmax(round(span / least), MIN_SAMPLES - 1), MAX_FRAMES - 1);
}

static ng_status allocate(const ng_samples *s, const ng_sample_options *o, ng_trajectories *out,
                          ng_error *err)
{
    const double span = s->time_s[s->n_times - 1] - s->time_s[0];
    const double frame_s = frame_interval(s, o->frame_s);
    const size_t frames = (size_t)lround(span / frame_s) + 1, points = frames * o->quantiles;
    *out = (ng_trajectories){.n_tracks = o->quantiles,
                             .n_points = points,
                             .n_frames = frames,
                             .frame_s = frame_s,
                             .sigma_s_nm = o->sigma_s_nm,
                             .noise_gain = 1.0,
                             .n_sampled = s->first[s->n_times]};
    out->first = NG_NEW(size_t, o->quantiles + 1);
    out->origin = NG_NEW(size_t, o->quantiles);
    out->frame = NG_NEW(unsigned, points);
    out->n_raw = NG_NEW(double, points);
    out->n = NG_NEW(double, points);
    out->growth_per_s = NG_NEW(double, points);
    out->time_s = NG_NEW(double, frames);
    if (!out->first || !out->origin || !out->frame || !out->n_raw || !out->n ||
        !out->growth_per_s || !out->time_s) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu quantiles in %zu frames", o->quantiles,
                       frames);
    }
    for (size_t f = 0; f < frames; f++) {
        out->time_s[f] =
            f + 1 < frames ? s->time_s[0] + (double)f * frame_s : s->time_s[s->n_times - 1];
    }
    return NG_OK;
}

/* One quantile at all frames. */
static ng_status follow(const ng_samples *s, const double *n, size_t q, gsl_interp *curve,
                        ng_trajectories *out, ng_error *err)
{
    if (gsl_interp_init(curve, s->time_s, n, s->n_times) != GSL_SUCCESS) {
        return NG_FAIL(err, NG_NUMERIC, "no curve through quantile %zu of the samples", q);
    }
    out->first[q] = q * out->n_frames;
    out->origin[q] = q;
    for (size_t f = 0; f < out->n_frames; f++) {
        const size_t k = q * out->n_frames + f;
        const double t = out->time_s[f];
        out->frame[k] = (unsigned)f;
        out->n[k] = out->n_raw[k] = gsl_interp_eval(curve, s->time_s, n, t, NULL);
        out->growth_per_s[k] = gsl_interp_eval_deriv(curve, s->time_s, n, t, NULL);
    }
    return NG_OK;
}

static ng_status check_size(const double *n, const ng_samples *s, const ng_sample_options *o,
                            ng_error *err)
{
    const double median = n[o->quantiles / 2 * s->n_times + s->n_times / 2];
    if (!(median >= 1.0 && median <= 1e7)) {
        return NG_FAIL(err, NG_INVALID,
                       "the median particle would hold %.3g monomers (monomer sigma_s %.4g nm), "
                       "outside 1 to 1e7; check the unit of the sizes and the material",
                       median, o->sigma_s_nm);
    }
    return NG_OK;
}

ng_status ng_samples_trajectories(const ng_samples *samples, const ng_sample_options *options,
                                  gsl_rng *rng, ng_trajectories *out, ng_error *err)
{
    double *n = NG_NEW(double, options->quantiles * samples->n_times);
    gsl_interp *curve = gsl_interp_alloc(gsl_interp_steffen, samples->n_times);
    ng_status status = allocate(samples, options, out, err);
    if (status == NG_OK && (n == NULL || curve == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu quantiles", options->quantiles);
    }
    status = status == NG_OK ? fill_quantiles(samples, options, rng, n, err) : status;
    status = status == NG_OK ? check_size(n, samples, options, err) : status;
    for (size_t q = 0; q < options->quantiles && status == NG_OK; q++) {
        status = follow(samples, n + q * samples->n_times, q, curve, out, err);
    }
    gsl_interp_free(curve);
    ng_free(n);
    if (status != NG_OK) {
        ng_trajectories_free(out);
        return status;
    }
    out->first[options->quantiles] = out->n_points;
    return NG_OK;
}
