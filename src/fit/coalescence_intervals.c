/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How sure the coalescence fit is: resampled groups and tracks, profiles, flags. */
#include "coalescence_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WARM_ITERATIONS 25
#define PROFILE_ITERATIONS 15
#define PROFILE_STEP 0.02 /* first step of a profile, as a share of the range */
#define PROFILE_HALVINGS 5
#define BOUND_SHARE 1e-3
#define LOST_FACTOR 10.0 /* an interval that spans this factor, */
#define LOST_SHARE 0.5   /* or this share of the range, says little */

/* ---- replicates ------------------------------------------------------------------------------ */

typedef struct replicate {
    double done;
    double quartile_s[3];
    double parameter[N_PARAMETERS];
    double curve[]; /* k_f, then A, of each frame */
} replicate;

typedef struct bootstrap_job {
    const ng_coalescence_data *data;
    const ng_coalescence_options *options;
    const coalescence_target *target;
    const ng_coalescence_fit *fit;
    uint64_t seed;
} bootstrap_job;

/* Search with the curves and laws of the resampled tracks. */
static ng_status fit_replicate(const bootstrap_job *job, const ng_coalescence_series *series,
                               replicate *out, ng_error *err)
{
    const size_t n = job->data->n_frames;
    coalescence_target target = *job->target;
    coalescence_found found;
    target.surviving = series->surviving;
    target.model.arrivals = job->options->arrivals_counted ? series->arrivals : NULL;
    target.max_iterations = WARM_ITERATIONS;
    ng_status status =
        ng_coalescence_laws_fit(job->data, series, job->options, &target.model.laws, err);
    if (status == NG_OK) {
        status = ng_coalescence_search(&target, job->fit->model.parameter, &found, err);
    }
    if (status != NG_OK || !isfinite(found.cost)) {
        return status;
    }
    ng_coalescence_model model = target.model;
    memcpy(model.parameter, found.parameter, sizeof found.parameter);
    memcpy(out->parameter, found.parameter, sizeof found.parameter);
    if (job->options->arrivals_counted) {
        ng_coalescence_arrivals(job->data, series, &out->parameter[NG_COALESCENCE_P0],
                                &out->parameter[NG_COALESCENCE_TP]);
    }
    status = ng_coalescence_run(&model, job->data->time_s, n, out->curve, out->curve + n, err);
    out->done = status == NG_OK ? 1.0 : 0.0;
    return status;
}

static ng_status model_quartiles(const ng_coalescence_data *d, replicate *out, ng_error *err)
{
    const size_t n = d->n_frames;
    double *cumulative = NG_NEW(double, n);
    if (cumulative == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", n);
    }
    ng_coalescence_event_density(d->time_s, out->curve, out->curve + n, n, NULL, cumulative);
    for (size_t q = 0; q < 3; q++) {
        out->quartile_s[q] =
            ng_coalescence_quantile(d->time_s, cumulative, n, 0.25 * (double)(q + 1));
    }
    ng_free(cumulative);
    return NG_OK;
}

static ng_status run_replicate(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const bootstrap_job *job = context;
    ng_coalescence_series series = {0};
    ng_error inner = {.status = NG_OK};
    (void)worker;
    gsl_rng *rng = ng_random_open(job->seed, index);
    double *weight = NG_NEW(double, job->data->n_units);
    ng_status status = NG_OK;
    if (rng == NULL || weight == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for a resampling");
        goto out;
    }
    ng_bootstrap_weights(rng, job->data->n_units, weight);
    status = ng_coalescence_series_make(job->data, job->options->count, weight, &series, &inner);
    status = status == NG_OK ? fit_replicate(job, &series, record, &inner) : status;
    status = status == NG_OK ? model_quartiles(job->data, record, &inner) : status;
    if (status == NG_TOO_LITTLE || status == NG_INVALID || status == NG_NUMERIC) {
        status = NG_OK; /* a sample that says too little: counted as failed */
    } else if (status != NG_OK) {
        status = NG_FAIL(err, status, "%s", inner.message);
    }

out:
    ng_coalescence_series_free(&series);
    ng_random_close(rng);
    ng_free(weight);
    return status;
}

static const replicate *replicate_at(const ng_records *records, size_t i)
{
    const void *record = (const char *)records->data + i * records->bytes;
    return record;
}

/* Keep what was done, first things first. */
static size_t keep_done(ng_records *records, ng_coalescence_fit *fit)
{
    size_t kept = 0;
    for (size_t i = 0; i < records->n; i++) {
        if (replicate_at(records, i)->done == 0.0) {
            fit->n_failed++;
            continue;
        }
        memmove((char *)records->data + kept * records->bytes, replicate_at(records, i),
                records->bytes);
        memcpy(&fit->replicate[kept * N_PARAMETERS], replicate_at(records, kept)->parameter,
               N_PARAMETERS * sizeof(double));
        kept++;
    }
    return kept;
}

static void bands(const ng_records *records, size_t kept, double level, size_t n, double *scratch,
                  ng_coalescence_fit *fit)
{
    for (size_t f = 0; f < n; f++) {
        for (size_t b = 0; b < kept; b++) {
            scratch[b] = replicate_at(records, b)->curve[f];
        }
        ng_fit_interval(scratch, kept, level, fit->rate[f], &fit->rate_lower[f],
                        &fit->rate_upper[f]);
        for (size_t b = 0; b < kept; b++) {
            const replicate *r = replicate_at(records, b);
            scratch[b] = r->parameter[NG_COALESCENCE_DENSITY] * r->curve[f];
        }
        ng_fit_interval(scratch, kept, level,
                        fit->model.parameter[NG_COALESCENCE_DENSITY] * fit->rate[f],
                        &fit->merging_lower[f], &fit->merging_upper[f]);
        for (size_t b = 0; b < kept; b++) {
            scratch[b] = replicate_at(records, b)->curve[n + f];
        }
        ng_fit_interval(scratch, kept, level, fit->surviving[f], &fit->surviving_lower[f],
                        &fit->surviving_upper[f]);
    }
    for (size_t q = 0; q < 3; q++) {
        size_t finite = 0;
        for (size_t b = 0; b < kept; b++) {
            const double at = replicate_at(records, b)->quartile_s[q];
            scratch[finite] = at;
            finite += isfinite(at) != 0;
        }
        ng_fit_interval(scratch, finite, level, fit->quartile_model_s[q], &fit->quartile_lower_s[q],
                        &fit->quartile_upper_s[q]);
    }
}

static ng_status bootstrap(bootstrap_job *job, const ng_run *run, ng_coalescence_fit *fit,
                           ng_error *err)
{
    const size_t n = job->options->bootstrap, frames = job->data->n_frames;
    double *scratch = NG_NEW(double, n + 1);
    ng_records records = {.n = n, .bytes = sizeof(replicate) + 2 * frames * sizeof(double)};
    records.data = ng_alloc(n, records.bytes);
    fit->replicate = NG_NEW(double, n *N_PARAMETERS);
    ng_status status = NG_OK;
    if (!scratch || !records.data || !fit->replicate) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu resamplings", n);
        goto out;
    }
    status = ng_parallel_records(&records, run_replicate, job, run, "coalescence: bootstrap", err);
    if (status == NG_OK) {
        fit->n_replicates = keep_done(&records, fit);
        bands(&records, fit->n_replicates, job->options->level, frames, scratch, fit);
    }

out:
    ng_free(scratch);
    ng_free(records.data);
    return status;
}

/* How much of the squared misfit one number more takes away by chance: the mean square, times the
 * frames over which the misfit persists. */
static ng_status noise_of_residuals(const coalescence_target *t, const ng_coalescence_fit *fit,
                                    double *noise, ng_error *err)
{
    double *r = NG_NEW(double, t->n), cost = 0.0, persists = 1.0;
    if (r == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", t->n);
    }
    ng_status status = ng_coalescence_cost(t, fit->model.parameter, r, &cost, err);
    for (size_t lag = 1; status == NG_OK && lag < t->n / 2; lag++) {
        double sum = 0.0;
        for (size_t i = lag; i < t->n; i++) {
            sum += r[i] * r[i - lag];
        }
        if (!(sum > 0)) {
            break;
        }
        persists += 2.0 * sum / cost;
    }
    *noise = cost / (double)t->n * persists;
    ng_free(r);
    return status;
}

/* ---- profiles -------------------------------------------------------------------------------- */

/* One parameter in one direction. */
typedef struct side {
    double n, end; /* points; where the limit was passed, or the bound */
    double value[NG_COALESCENCE_PROFILE], cost[NG_COALESCENCE_PROFILE];
} side;

typedef struct profile_job {
    const coalescence_target *target;
    const ng_coalescence_fit *fit;
    double cost; /* at the best point */
} profile_job;

/* Best misfit with parameter i at coordinate z, from where the others stand. */
static ng_status held(const coalescence_target *t, size_t i, double z,
                      double parameter[N_PARAMETERS], double *cost, ng_error *err)
{
    coalescence_found found;
    double start[N_PARAMETERS];
    memcpy(start, parameter, sizeof start);
    start[i] = ng_coalescence_value(t, i, z);
    ng_status status = ng_coalescence_search(t, start, &found, err);
    if (status == NG_OK && isfinite(found.cost)) {
        memcpy(parameter, found.parameter, sizeof found.parameter);
    }
    *cost = found.cost;
    return status;
}

static void keep_point(const coalescence_target *t, size_t i, double z, double cost, side *out)
{
    const size_t k = (size_t)out->n;
    if (k < NG_COALESCENCE_PROFILE) {
        out->value[k] = ng_coalescence_value(t, i, z);
        out->cost[k] = cost;
        out->n += 1.0;
    }
}

/* Steps that double until the limit is passed, then halvings of the last one. */
static ng_status run_side(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const profile_job *job = context;
    const ng_coalescence_fit *fit = job->fit;
    const size_t i = fit->free_index[index / 2];
    const double bound = index % 2 == 0 ? 0.0 : 1.0, way = index % 2 == 0 ? -1.0 : 1.0;
    coalescence_target t = *job->target;
    double parameter[N_PARAMETERS], trial[N_PARAMETERS];
    side *out = record;
    (void)worker;
    memcpy(parameter, fit->model.parameter, sizeof parameter);
    t.free[i] = false;
    t.max_iterations = PROFILE_ITERATIONS;
    double inside = ng_coalescence_coordinate(&t, i, parameter[i]), step = PROFILE_STEP;
    double outside = bound;
    bool passed = false;
    for (int halvings = 0; halvings < PROFILE_HALVINGS && fabs(inside - bound) > 1e-9;) {
        const double cost_limit = fit->limit;
        double z = passed ? 0.5 * (inside + outside) : inside + way * step, cost;
        z = fmin(fmax(z, 0.0), 1.0);
        memcpy(trial, parameter, sizeof trial);
        ng_status status = held(&t, i, z, trial, &cost, err);
        if (status != NG_OK) {
            return status;
        }
        keep_point(&t, i, z, cost, out);
        if (cost > cost_limit) {
            outside = z;
            passed = true;
        } else {
            inside = z;
            memcpy(parameter, trial, sizeof parameter);
            step *= 2.0;
        }
        halvings += passed;
    }
    out->end = ng_coalescence_value(&t, i, passed ? outside : inside);
    return NG_OK;
}

static void add_side(const side *s, bool below, size_t frames, ng_coalescence_profile *p)
{
    /* points do not come in order of their value */
    double value[NG_COALESCENCE_PROFILE], rms[NG_COALESCENCE_PROFILE];
    const size_t n = (size_t)s->n;
    for (size_t k = 0; k < n; k++) {
        size_t at = k;
        const double r = sqrt(s->cost[k] / (double)frames);
        for (; at > 0 && value[at - 1] > s->value[k]; at--) {
            value[at] = value[at - 1];
            rms[at] = rms[at - 1];
        }
        value[at] = s->value[k];
        rms[at] = r;
    }
    memcpy(&p->value[p->n], value, n * sizeof *value);
    memcpy(&p->rms[p->n], rms, n * sizeof *rms);
    p->n += n;
    if (below) {
        p->lower = s->end;
    } else {
        p->upper = s->end;
    }
}

static ng_status profiles(const coalescence_target *t, const ng_run *run, ng_coalescence_fit *fit,
                          ng_error *err)
{
    const size_t n = 2 * fit->n_free;
    side *sides = NG_NEW(side, n);
    fit->profile = NG_NEW(ng_coalescence_profile, N_PARAMETERS);
    if (sides == NULL || fit->profile == NULL) {
        ng_free(sides);
        return NG_FAIL(err, NG_MEMORY, "no memory for the profiles");
    }
    profile_job job = {.target = t, .fit = fit};
    ng_records records = {sides, n, sizeof *sides};
    ng_status status =
        ng_parallel_records(&records, run_side, &job, run, "coalescence: profiles", err);
    for (size_t k = 0; k < fit->n_free && status == NG_OK; k++) {
        ng_coalescence_profile *p = &fit->profile[fit->free_index[k]];
        add_side(&sides[2 * k], true, t->n, p);
        p->value[p->n] = fit->model.parameter[fit->free_index[k]];
        p->rms[p->n++] = fit->rms_search;
        add_side(&sides[2 * k + 1], false, t->n, p);
    }
    ng_free(sides);
    return status;
}

/* ---- intervals and flags --------------------------------------------------------------------- */

static double deviation(const double *x, size_t n)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        squares += (x[i] - sum / (double)n) * (x[i] - sum / (double)n);
    }
    return n > 1 ? sqrt(squares / (double)(n - 1)) : (double)NAN;
}

static ng_fit_flag flag_of(const coalescence_target *t, size_t i, const ng_fit_parameter *p)
{
    const double z = ng_coalescence_coordinate(t, i, p->value);
    const double share =
        ng_coalescence_coordinate(t, i, p->upper) - ng_coalescence_coordinate(t, i, p->lower);
    const bool wide =
        ng_coalescence_parameter_info()[i].logarithmic && p->upper > LOST_FACTOR * p->lower;
    const bool one_sided = ng_coalescence_coordinate(t, i, p->lower) < BOUND_SHARE ||
                           ng_coalescence_coordinate(t, i, p->upper) > 1.0 - BOUND_SHARE;
    if (share > LOST_SHARE || wide) {
        return NG_FIT_NOT_IDENTIFIABLE;
    }
    if (z < BOUND_SHARE || z > 1.0 - BOUND_SHARE) {
        return NG_FIT_AT_BOUND;
    }
    return one_sided ? NG_FIT_NOT_IDENTIFIABLE : NG_FIT_OK;
}

static void parameter_interval(const coalescence_target *t, size_t i, double level, double *scratch,
                               ng_coalescence_fit *fit)
{
    ng_fit_parameter *p = &fit->parameter[i];
    p->value = p->lower = p->upper = fit->model.parameter[i];
    p->se = (double)NAN;
    p->flag = NG_FIT_FIXED;
    if (!t->free[i] && !(t->model.arrivals != NULL && ng_coalescence_of_supply(i))) {
        return;
    }
    for (size_t b = 0; b < fit->n_replicates; b++) {
        scratch[b] = fit->replicate[b * N_PARAMETERS + i];
    }
    p->se = deviation(scratch, fit->n_replicates);
    ng_fit_interval(scratch, fit->n_replicates, level, p->value, &p->lower, &p->upper);
    if (fit->profile != NULL && t->free[i]) {
        p->lower = fmin(p->lower, fit->profile[i].lower);
        p->upper = fmax(p->upper, fit->profile[i].upper);
    }
    p->flag = flag_of(t, i, p);
}

/* kappa_c nu: what a sink thinner than its distance shows of itself. */
static void sink_interval(const coalescence_target *t, double level, double *scratch,
                          ng_coalescence_fit *fit)
{
    ng_fit_parameter *p = &fit->sink;
    const double *best = fit->model.parameter;
    for (size_t b = 0; b < fit->n_replicates; b++) {
        const double *one = &fit->replicate[b * N_PARAMETERS];
        scratch[b] = one[NG_COALESCENCE_KAPPA] * one[NG_COALESCENCE_NU];
    }
    p->value = best[NG_COALESCENCE_KAPPA] * best[NG_COALESCENCE_NU];
    p->se = deviation(scratch, fit->n_replicates);
    ng_fit_interval(scratch, fit->n_replicates, level, p->value, &p->lower, &p->upper);
    const bool free = t->free[NG_COALESCENCE_KAPPA] || t->free[NG_COALESCENCE_NU];
    p->flag = !free                               ? NG_FIT_FIXED
              : p->upper > LOST_FACTOR * p->lower ? NG_FIT_NOT_IDENTIFIABLE
                                                  : NG_FIT_OK;
}

ng_status ng_coalescence_intervals(const ng_coalescence_data *data,
                                   const ng_coalescence_options *options,
                                   const coalescence_target *target, const ng_run *run,
                                   ng_coalescence_fit *fit, ng_error *err)
{
    bootstrap_job job = {data, options, target, fit, run != NULL ? run->seed : 1};
    const double best = fit->rms_search * fit->rms_search * (double)data->n_frames;
    double noise = (double)NAN;
    ng_status status = bootstrap(&job, run, fit, err);
    status = status == NG_OK ? noise_of_residuals(target, fit, &noise, err) : status;
    fit->limit = best + noise * gsl_cdf_chisq_Pinv(options->level, 1.0);
    if (status == NG_OK && options->profiles && fit->n_free > 0) {
        status = profiles(target, run, fit, err);
    }
    double *scratch = NG_NEW(double, fit->n_replicates + 1);
    if (status == NG_OK && scratch == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for the intervals");
    }
    for (size_t i = 0; i < N_PARAMETERS && status == NG_OK; i++) {
        parameter_interval(target, i, options->level, scratch, fit);
    }
    if (status == NG_OK) {
        sink_interval(target, options->level, scratch, fit);
    }
    ng_free(scratch);
    return status;
}
