/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The growth law from samples drawn from a flask: quantiles are followed as particles. */
#include "fit_internal.h"

#include <math.h>
#include <string.h>

#define QUANTILES 200
#define FLASK_TRIM 20
#define FLASK_VARIANCE 1e-5

bool ng_growth_sigma_range(const ng_material *material, double *lower_nm, double *upper_nm)
{
    /* [Kim] fitted them within these bounds */
    const bool iron = strcmp(material->name, "iron-oxide") == 0;
    const bool cdse = strcmp(material->name, "CdSe") == 0;
    *lower_nm = iron ? 0.3 : cdse ? 0.2 : material->sigma_s_nm;
    *upper_nm = iron ? 0.4 : cdse ? 0.3 : material->sigma_s_nm;
    return iron || cdse;
}

ng_growth_fit_options ng_growth_fit_flask(const ng_material *material)
{
    ng_growth_fit_options o = ng_growth_fit_defaults(material);
    o.published = true;
    o.delta_mode = NG_DELTA_CONSTANT;
    o.variance_limit = FLASK_VARIANCE;
    o.size_trim = FLASK_TRIM;
    return o;
}

size_t ng_growth_sigma_count(const ng_growth_fit_options *o)
{
    return o->sigma_upper_nm > o->sigma_lower_nm ? NG_SIGMA_VALUES : 1;
}

double ng_growth_sigma_at(const ng_growth_fit_options *o, size_t index)
{
    return o->sigma_lower_nm +
           (o->sigma_upper_nm - o->sigma_lower_nm) * (double)index / (NG_SIGMA_VALUES - 1);
}

void ng_growth_flask_free(growth_flask *flask)
{
    ng_rate_problem_destroy(flask->problem);
    ng_trajectories_free(&flask->trajectories);
    *flask = (growth_flask){0};
}

ng_status ng_growth_flask_make(const ng_growth_fit_options *o, size_t sigma_index, gsl_rng *rng,
                               growth_flask *out, ng_error *err)
{
    ng_sample_options sample = o->sample;
    *out = (growth_flask){0};
    sample.sigma_s_nm = ng_growth_sigma_at(o, sigma_index);
    ng_status status = ng_samples_trajectories(o->samples, &sample, rng, &out->trajectories, err);
    if (status == NG_OK) {
        status = ng_rate_problem_create(&out->trajectories, NULL, o, &out->problem, err);
    }
    if (status != NG_OK) {
        ng_growth_flask_free(out);
    }
    return status;
}

/* Objective of the search from the given start, at one value of sigma_s. */
static ng_status run_sigma(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const ng_growth_fit_options *o = context;
    double *objective = record;
    growth_flask flask;
    rate_search s;
    (void)worker;
    *objective = (double)INFINITY;
    ng_status status = ng_growth_flask_make(o, index, NULL, &flask, err);
    if (status == NG_OK) {
        ng_rate_search_run(flask.problem, &o->start, o->max_iterations, &s);
        *objective = s.cost.objective;
        ng_growth_flask_free(&flask);
    }
    return status == NG_TOO_LITTLE ? NG_OK : status;
}

static ng_status choose_sigma(ng_growth_fit_options *o, const ng_run *run, double *sigma_s_nm,
                              ng_error *err)
{
    double objective[NG_SIGMA_VALUES] = {0};
    const ng_records records = {objective, ng_growth_sigma_count(o), sizeof *objective};
    size_t best = 0;
    ng_status status = NG_OK;
    if (records.n > 1) {
        status = ng_parallel_records(&records, run_sigma, o, run, "fit: sigma_s", err);
    }
    for (size_t k = 1; k < records.n; k++) {
        best = objective[k] < objective[best] ? k : best;
    }
    *sigma_s_nm = ng_growth_sigma_at(o, best);
    return status;
}

ng_status ng_growth_fit_samples(const ng_samples *samples, ng_growth_fit_options *options,
                                const ng_run *run, ng_trajectories *trajectories,
                                ng_growth_fit *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_growth_fit){0};
    *trajectories = (ng_trajectories){0};
    options->samples = samples;
    options->sample.quantiles =
        options->sample.quantiles > 0 ? options->sample.quantiles : QUANTILES;
    options->sample.frame_s = (double)NAN;
    ng_status status = choose_sigma(options, run, &options->sample.sigma_s_nm, err);
    if (status == NG_OK) {
        status = ng_samples_trajectories(samples, &options->sample, NULL, trajectories, err);
    }
    if (status == NG_OK) {
        status = ng_growth_fit_run(trajectories, options, run, out, warnings, err);
    }
    if (status != NG_OK) {
        ng_trajectories_free(trajectories);
    }
    return status;
}
