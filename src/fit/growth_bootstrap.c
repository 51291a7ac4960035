/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals of the growth fit: resample trajectories, fit again from where the fit ended. */
#include "fit_internal.h"

#include <math.h>
#include <stdlib.h>

#define N NG_N_GROWTH_PARAMETERS
#define WARM_ITERATIONS 40
#define BOUND_SHARE 1e-3       /* this close to a bound, in shares of the range, is at it */
#define IDENTIFIABLE_SHARE 0.5 /* an interval wider than this share of the range says little */

int ng_fit_compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ng_fit_interval_end(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n + 1) - 1.0;
    if (at <= 0.0) {
        return sorted[0];
    }
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

double ng_fit_percentile(const double *sorted, size_t n, double share)
{
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* The outcome of one resampling. */
typedef struct replicate {
    double done; /* 0: the sample held too little, or its search failed */
    double delta, sigma_s_nm;
    ng_growth_parameters parameters;
    double supersaturation[]; /* of each frame of the fit, NAN: none */
} replicate;

typedef struct bootstrap_job {
    const ng_trajectories *t;
    const ng_growth_fit_options *o;
    const rate_nodes *nodes;
    uint64_t seed;
    const ng_growth_fit *fit;
    size_t *slot_of_frame; /* index of a trajectory frame in the fit's series, SIZE_MAX: none */
} bootstrap_job;

static void keep_series(const bootstrap_job *job, const ng_rate_problem *p, replicate *out)
{
    for (size_t t = 0; t < job->fit->n_frames; t++) {
        out->supersaturation[t] = (double)NAN;
    }
    double first = p->data.nodes->delta[p->delta_index[0]], above = 0.0;
    for (size_t t = 0; t < p->data.n_frames; t++) {
        size_t slot = job->slot_of_frame[p->data.frame[t].frame];
        above += p->data.nodes->delta[p->delta_index[t]] - first;
        if (slot != SIZE_MAX) {
            out->supersaturation[slot] = p->supersaturation[t];
        }
    }
    out->delta = first + above / (double)p->data.n_frames;
}

/* Particles drawn anew within each sample; sigma_s by the lowest objective, where it is fitted. */
static ng_status run_sampled(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const bootstrap_job *job = context;
    replicate *out = record;
    double best = (double)INFINITY;
    ng_status status = NG_OK;
    (void)worker;
    for (size_t k = 0; k < ng_growth_sigma_count(job->o) && status == NG_OK; k++) {
        /* the same draw for every sigma_s */
        gsl_rng *rng = ng_random_open(job->seed, index);
        growth_flask flask = {0};
        rate_search s;
        status = rng != NULL ? ng_growth_flask_make(job->o, k, rng, &flask, err)
                             : NG_FAIL(err, NG_MEMORY, "bootstrap: no memory");
        if (status == NG_OK) {
            ng_rate_search_run(flask.problem, &job->fit->best, WARM_ITERATIONS, &s);
            if (s.cost.objective < best) {
                best = s.cost.objective;
                out->parameters = s.best;
                out->sigma_s_nm = flask.trajectories.sigma_s_nm;
                out->done = 1.0;
                keep_series(job, flask.problem, out);
            }
        }
        ng_growth_flask_free(&flask);
        ng_random_close(rng);
        status = status == NG_TOO_LITTLE ? NG_OK : status;
    }
    return status;
}

static ng_status run_replicate(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const bootstrap_job *job = context;
    replicate *out = record;
    ng_rate_problem *p = NULL;
    rate_search s;
    (void)worker;
    gsl_rng *rng = ng_random_open(job->seed, index);
    double *weight = NG_NEW(double, job->t->n_tracks);
    ng_status status = NG_OK;
    if (!rng || !weight) {
        status = NG_FAIL(err, NG_MEMORY, "bootstrap: no memory for %zu tracks", job->t->n_tracks);
        goto out;
    }
    ng_bootstrap_trajectories(rng, job->t, weight);
    status = ng_rate_problem_make(job->t, weight, job->o, job->nodes, &p, err);
    if (status == NG_TOO_LITTLE) {
        status = NG_OK; /* a sample with too few distinct particles: counted as failed */
        goto out;
    }
    if (status != NG_OK) {
        goto out;
    }
    ng_rate_search_run(p, &job->fit->best, WARM_ITERATIONS, &s);
    out->parameters = s.best;
    out->done = isfinite(s.cost.objective) ? 1.0 : 0.0;
    out->sigma_s_nm = job->t->sigma_s_nm;
    keep_series(job, p, out);

out:
    ng_rate_problem_destroy(p);
    ng_random_close(rng);
    ng_free(weight);
    return status;
}

static void keep_done(const ng_records *records, ng_growth_fit *fit)
{
    fit->n_replicates = 0;
    for (size_t i = 0; i < records->n; i++) {
        const void *record = (const char *)records->data + i * records->bytes;
        const replicate *r = record;
        if (r->done == 0.0) {
            fit->n_failed++;
            continue;
        }
        size_t to = fit->n_replicates++;
        fit->replicate[to] = r->parameters;
        fit->replicate_delta[to] = r->delta;
        fit->replicate_sigma_nm[to] = r->sigma_s_nm;
        for (size_t t = 0; t < fit->n_frames; t++) {
            fit->replicate_supersaturation[to * fit->n_frames + t] = r->supersaturation[t];
        }
    }
}

/* Percentile interval of `n` values (sorted in place), widened so that it holds `value`. */
void ng_fit_interval(double *x, size_t n, double level, double value, double *lower, double *upper)
{
    *lower = *upper = value;
    if (n == 0) {
        return;
    }
    qsort(x, n, sizeof *x, ng_fit_compare_doubles);
    *lower = fmin(ng_fit_interval_end(x, n, 0.5 * (1.0 - level)), value);
    *upper = fmax(ng_fit_interval_end(x, n, 0.5 * (1.0 + level)), value);
}

void ng_growth_flag_parameter(ng_fit_parameter *p, size_t i)
{
    double lower[N], upper[N], value = p->value, from = p->lower, to = p->upper;
    ng_rate_bounds(lower, upper);
    if (ng_growth_parameter_info()[i].logarithmic) {
        value = log(value);
        from = log(from);
        to = log(to);
    }
    double range = upper[i] - lower[i];
    /* a value at a bound means something only where the data could tell it from others */
    if (to - from > IDENTIFIABLE_SHARE * range) {
        p->flag = NG_FIT_NOT_IDENTIFIABLE;
    } else if (value <= lower[i] + BOUND_SHARE * range || value >= upper[i] - BOUND_SHARE * range) {
        p->flag = NG_FIT_AT_BOUND;
    } else {
        p->flag = NG_FIT_OK;
    }
}

static void parameter_intervals(const ng_growth_fit_options *o, double *scratch, ng_growth_fit *fit)
{
    double lower[N], upper[N];
    ng_rate_bounds(lower, upper);
    for (size_t i = 0; i < N; i++) {
        ng_fit_parameter *p = &fit->parameter[i];
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        p->value = ng_growth_parameter_get(&fit->best, i);
        p->lower = p->upper = p->value;
        if (o->fixed[i]) {
            continue;
        }
        for (size_t b = 0; b < fit->n_replicates; b++) {
            scratch[b] = ng_growth_parameter_get(&fit->replicate[b], i);
        }
        ng_fit_interval(scratch, fit->n_replicates, o->level, p->value, &p->lower, &p->upper);
        /* a search does not leave its start along a direction without information, and neither do
         * its replicates */
        p->lower = isinf(p->se) ? info->min : fmax(p->lower, info->min);
        p->upper = isinf(p->se) ? info->max : fmin(p->upper, info->max);
        ng_growth_flag_parameter(p, i);
    }
}

static void series_intervals(const ng_growth_fit_options *o, double *scratch, ng_growth_fit *fit)
{
    for (size_t t = 0; t < fit->n_frames; t++) {
        size_t n = 0;
        for (size_t b = 0; b < fit->n_replicates; b++) {
            double S = fit->replicate_supersaturation[b * fit->n_frames + t];
            if (isfinite(S)) {
                scratch[n++] = S;
            }
        }
        ng_fit_interval(scratch, n, o->level, fit->supersaturation[t],
                        &fit->supersaturation_lower[t], &fit->supersaturation_upper[t]);
    }
    for (size_t b = 0; b < fit->n_replicates; b++) {
        scratch[b] = fit->replicate_delta[b];
    }
    ng_fit_interval(scratch, fit->n_replicates, o->level, fit->delta_mean, &fit->delta_lower,
                    &fit->delta_upper);
}

static void sigma_interval(const ng_growth_fit_options *o, double *scratch, ng_growth_fit *fit)
{
    ng_fit_parameter *p = &fit->sigma_s_nm;
    if (ng_growth_sigma_count(o) < 2) {
        return;
    }
    const double step = (o->sigma_upper_nm - o->sigma_lower_nm) / (NG_SIGMA_VALUES - 1);
    for (size_t b = 0; b < fit->n_replicates; b++) {
        scratch[b] = fit->replicate_sigma_nm[b];
    }
    ng_fit_interval(scratch, fit->n_replicates, o->level, p->value, &p->lower, &p->upper);
    /* values between those tried are as good as their neighbours */
    p->lower = fmax(p->lower - 0.5 * step, o->sigma_lower_nm);
    p->upper = fmin(p->upper + 0.5 * step, o->sigma_upper_nm);
    const bool at_bound = p->value <= o->sigma_lower_nm || p->value >= o->sigma_upper_nm;
    p->flag = p->upper - p->lower > IDENTIFIABLE_SHARE * (o->sigma_upper_nm - o->sigma_lower_nm)
                  ? NG_FIT_NOT_IDENTIFIABLE
              : at_bound ? NG_FIT_AT_BOUND
                         : NG_FIT_OK;
}

static void map_frames(const ng_growth_fit *fit, size_t n_frames, size_t *slot)
{
    for (size_t f = 0; f < n_frames; f++) {
        slot[f] = SIZE_MAX;
    }
    for (size_t t = 0; t < fit->n_frames; t++) {
        slot[fit->frame[t]] = t;
    }
}

ng_status ng_growth_bootstrap(const ng_trajectories *t, const ng_growth_fit_options *o,
                              const rate_nodes *nodes, const ng_run *run, ng_growth_fit *fit,
                              ng_error *err)
{
    size_t n = o->bootstrap;
    ng_status status = NG_OK;
    double *scratch = NG_NEW(double, n + 1);
    size_t *slot = NG_NEW(size_t, t->n_frames);
    ng_records records = {.n = n, .bytes = sizeof(replicate) + fit->n_frames * sizeof(double)};
    records.data = ng_alloc(n, records.bytes);
    fit->replicate = NG_NEW(ng_growth_parameters, n);
    fit->replicate_delta = NG_NEW(double, n);
    fit->replicate_sigma_nm = NG_NEW(double, n);
    fit->replicate_supersaturation = NG_NEW(double, n * fit->n_frames);
    if (!scratch || !slot || !records.data || !fit->replicate || !fit->replicate_delta ||
        !fit->replicate_sigma_nm || !fit->replicate_supersaturation) {
        status = NG_FAIL(err, NG_MEMORY, "bootstrap: no memory for %zu replicates", n);
        goto out;
    }
    map_frames(fit, t->n_frames, slot);
    bootstrap_job job = {t, o, nodes, run ? run->seed : 1, fit, slot};
    status = ng_parallel_records(&records, o->samples != NULL ? run_sampled : run_replicate, &job,
                                 run, "fit: bootstrap", err);
    if (status == NG_OK) {
        keep_done(&records, fit);
        parameter_intervals(o, scratch, fit);
        series_intervals(o, scratch, fit);
        sigma_interval(o, scratch, fit);
    }

out:
    ng_free(scratch);
    ng_free(slot);
    ng_free(records.data);
    return status;
}
