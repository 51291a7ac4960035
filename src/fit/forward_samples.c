/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward estimator on samples of a flask: which sigma_s, then the fit at it. */
#include "forward_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#define SCOUT_ITERATIONS 60
#define SMALL_SHARE 0.1

typedef struct sigma_job {
    const ng_samples *samples;
    const ng_growth_fit_options *growth;
    const ng_forward_options *options;
} sigma_job;

/* Are too many particles of the first sample smaller than the lattice model means anything? */
static bool too_small(const ng_samples *s, double sigma_s_nm)
{
    const double least_nm = sigma_s_nm * cbrt((double)RATE_N_MIN);
    size_t small = 0;
    while (small < s->first[1] && s->radius_nm[small] < least_nm) {
        small++;
    }
    return (double)small > SMALL_SHARE * (double)s->first[1];
}

/* The rate estimator at one sigma_s, and the trajectories of the quantiles. */
static ng_status rate_at(const sigma_job *job, double sigma_s_nm, const ng_run *run,
                         ng_growth_fit_options *o, ng_trajectories *t, ng_growth_fit *rate,
                         ng_error *err)
{
    *o = *job->growth;
    o->sigma_lower_nm = o->sigma_upper_nm = sigma_s_nm;
    o->bootstrap = 0;
    return ng_growth_fit_samples(job->samples, o, run, t, rate, NULL, err);
}

/* -ln likelihood of the radii at the best parameters of one sigma_s. */
static ng_status run_sigma(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const sigma_job *job = context;
    double *objective = record;
    ng_growth_fit_options o;
    ng_trajectories t;
    ng_growth_fit rate;
    forward_case c;
    ng_run alone = ng_run_defaults();
    (void)worker;
    *objective = (double)INFINITY;
    alone.threads = 1;
    const double sigma = ng_growth_sigma_at(job->growth, index);
    if (too_small(job->samples, sigma)) {
        return NG_OK;
    }
    ng_status status = rate_at(job, sigma, &alone, &o, &t, &rate, err);
    if (status != NG_OK) {
        return status == NG_TOO_LITTLE ? NG_OK : status;
    }
    status = ng_forward_case_create(&t, &o, job->options, &c, err);
    if (status == NG_OK) {
        const forward_limits limits = {FORWARD_NONE, SCOUT_ITERATIONS, FORWARD_GAIN_PROFILE, NULL};
        forward_search s = {0};
        status = ng_forward_case_start(&c, &rate.best, rate.delta_mean, s.x, err);
        if (status == NG_OK) {
            status = ng_forward_search_alone(&c.like, &limits, &s, err);
        }
        /* densities are of x = (r / sigma_s)^2: those of r, but for a constant, are compared */
        *objective = s.objective + 2.0 * (double)c.data.n_points * log(sigma);
        ng_forward_case_free(&c);
    }
    ng_growth_fit_free(&rate);
    ng_trajectories_free(&t);
    return status;
}

/* The most likely value tried, and from where to where others are as good. */
static ng_status choose_sigma(sigma_job *job, const ng_run *run, ng_fit_parameter *out,
                              ng_error *err)
{
    double objective[NG_SIGMA_VALUES] = {0};
    const size_t n = ng_growth_sigma_count(job->growth);
    const double limit = 0.5 * gsl_cdf_chisq_Pinv(job->growth->level, 1.0);
    const double low = job->growth->sigma_lower_nm, high = job->growth->sigma_upper_nm;
    const ng_records records = {objective, n, sizeof *objective};
    size_t best = 0;
    ng_status status = NG_OK;
    if (n > 1) {
        status = ng_parallel_records(&records, run_sigma, job, run, "fit: sigma_s", err);
    }
    for (size_t k = 1; k < n; k++) {
        best = objective[k] < objective[best] ? k : best;
    }
    const double value = ng_growth_sigma_at(job->growth, best);
    const double half = 0.5 * (high - low) / (NG_SIGMA_VALUES - 1);
    *out = (ng_fit_parameter){
        .value = value, .lower = value, .upper = value, .se = (double)NAN, .flag = NG_FIT_FIXED};
    for (size_t k = 0; k < n && n > 1; k++) {
        if (objective[k] < objective[best] + limit) {
            out->lower = fmin(out->lower, fmax(ng_growth_sigma_at(job->growth, k) - half, low));
            out->upper = fmax(out->upper, fmin(ng_growth_sigma_at(job->growth, k) + half, high));
            out->flag = value <= low || value >= high ? NG_FIT_AT_BOUND : NG_FIT_OK;
        }
    }
    return status;
}

ng_status ng_forward_fit_samples(const ng_samples *samples, ng_growth_fit_options *growth,
                                 const ng_forward_options *options, const ng_run *run,
                                 ng_trajectories *trajectories, ng_growth_fit *rate,
                                 ng_growth_fit *out, ng_forward_fit *forward, ng_warnings *warnings,
                                 ng_error *err)
{
    sigma_job job = {samples, growth, options};
    ng_fit_parameter sigma;
    ng_growth_fit_options alone;
    *trajectories = (ng_trajectories){0};
    *rate = *out = (ng_growth_fit){0};
    *forward = (ng_forward_fit){0};
    growth->samples = samples;
    ng_status status = ng_forward_check(options, growth, err);
    status = status == NG_OK ? choose_sigma(&job, run, &sigma, err) : status;
    if (status == NG_OK) {
        status = rate_at(&job, sigma.value, run, &alone, trajectories, rate, err);
    }
    if (status == NG_OK) {
        growth->sample = alone.sample;
        growth->variance_limit = (double)NAN; /* of the rate estimator */
        status = ng_forward_fit_from(trajectories, growth, options, run, rate, out, forward,
                                     warnings, err);
        out->sigma_s_nm = sigma;
    }
    if (status != NG_OK) {
        ng_growth_fit_free(rate);
        ng_trajectories_free(trajectories);
    }
    return status;
}
