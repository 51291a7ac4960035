/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One growth law from several data sets, each with a supersaturation and a shape of its own. */
#include "fit_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define N NG_N_GROWTH_PARAMETERS
#define WARM_ITERATIONS 40

typedef struct joint_job {
    const ng_trajectories *const *set;
    size_t n_sets;
    const ng_growth_fit_options *o;
    const ng_growth_parameters *from; /* of replicates */
    uint64_t seed;
} joint_job;

/* A search's outcome. */
typedef struct joint_record {
    double done, objective, stop;
    ng_growth_parameters best;
    double delta[]; /* mean shape of each set */
} joint_record;

/* ---- problems in a chain --------------------------------------------------------------------- */

static void chain_free(ng_rate_problem *p)
{
    while (p != NULL) {
        ng_rate_problem *next = p->joint;
        ng_rate_problem_destroy(p);
        p = next;
    }
}

/* What a problem weighs: its residuals, or, where every size is one, its frames. */
static double weight_of(const ng_rate_problem *p)
{
    return p->data.psi_flux ? (double)p->data.n_frames : (double)p->data.n_residuals;
}

static ng_status add_problem(const joint_job *job, size_t set, gsl_rng *rng,
                             ng_rate_problem **first, ng_error *err)
{
    const ng_trajectories *t = job->set[set];
    ng_rate_problem *p = NULL;
    double *weight = rng != NULL ? NG_NEW(double, t->n_tracks) : NULL;
    if (rng != NULL && weight == NULL) {
        return NG_FAIL(err, NG_MEMORY, "joint fit: no memory for %zu tracks", t->n_tracks);
    }
    if (rng != NULL) {
        ng_bootstrap_trajectories(rng, t, weight);
    }
    ng_status status = ng_rate_problem_create(t, weight, job->o, &p, err);
    ng_free(weight);
    if (status == NG_OK) {
        p->joint = *first;
        *first = p;
    }
    return status;
}

/* `rng` NULL: the data as they are. */
static ng_status make_chain(const joint_job *job, gsl_rng *rng, ng_rate_problem **out,
                            ng_error *err)
{
    ng_status status = NG_OK;
    double total = 0.0;
    *out = NULL;
    for (size_t k = 0; k < job->n_sets && status == NG_OK; k++) {
        status = add_problem(job, k, rng, out, err);
    }
    if (status != NG_OK) {
        chain_free(*out);
        *out = NULL;
        return status;
    }
    for (ng_rate_problem *p = *out; p != NULL; p = p->joint) {
        total += weight_of(p);
    }
    for (ng_rate_problem *p = *out; p != NULL; p = p->joint) {
        p->share = weight_of(p) / total;
    }
    return NG_OK;
}

/* The last set stands first in the chain. */
static void keep_shapes(const joint_job *job, const ng_rate_problem *chain, joint_record *out)
{
    size_t k = job->n_sets;
    for (const ng_rate_problem *p = chain; p != NULL; p = p->joint) {
        double sum = 0.0;
        for (size_t t = 0; t < p->data.n_frames; t++) {
            sum += p->data.nodes->delta[p->delta_index[t]];
        }
        out->delta[--k] = sum / (double)p->data.n_frames;
    }
}

static const joint_record *record_at(const ng_records *records, size_t i)
{
    const void *record = (const char *)records->data + i * records->bytes;
    return record;
}

static ng_status search(const joint_job *job, gsl_rng *rng, const ng_growth_parameters *from,
                        size_t iterations, joint_record *out, ng_error *err)
{
    ng_rate_problem *chain = NULL;
    rate_search s;
    ng_status status = make_chain(job, rng, &chain, err);
    if (status != NG_OK) {
        return status;
    }
    ng_rate_search_run(chain, from, iterations, &s);
    out->done = isfinite(s.cost.objective) ? 1.0 : 0.0;
    out->objective = s.cost.objective;
    out->stop = (double)s.stop;
    out->best = s.best;
    keep_shapes(job, chain, out);
    chain_free(chain);
    return NG_OK;
}

static ng_status run_start(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const joint_job *job = context;
    ng_growth_parameters from = job->o->start;
    (void)worker;
    if (index > 0) {
        ng_growth_scatter_start(job->o, index, &from);
    }
    return search(job, NULL, &from, job->o->max_iterations, record, err);
}

static ng_status run_replicate(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const joint_job *job = context;
    (void)worker;
    gsl_rng *rng = ng_random_open(job->seed, index);
    if (rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "joint fit: no memory");
    }
    ng_status status = search(job, rng, job->from, WARM_ITERATIONS, record, err);
    ng_random_close(rng);
    return status == NG_TOO_LITTLE ? NG_OK : status;
}

/* ---- the result ------------------------------------------------------------------------------ */

static ng_status allocate_records(const joint_job *job, size_t n, ng_records *out, ng_error *err)
{
    *out = (ng_records){.n = n, .bytes = sizeof(joint_record) + job->n_sets * sizeof(double)};
    out->data = ng_alloc(n, out->bytes);
    return out->data != NULL ? NG_OK
                             : NG_FAIL(err, NG_MEMORY, "joint fit: no memory for %zu searches", n);
}

static ng_status search_starts(joint_job *job, const ng_run *run, ng_records *found, size_t *best,
                               ng_error *err)
{
    ng_status status = allocate_records(job, job->o->starts, found, err);
    if (status == NG_OK) {
        status = ng_parallel_records(found, run_start, job, run, "fit: starts", err);
    }
    *best = 0;
    for (size_t i = 1; i < found->n && status == NG_OK; i++) {
        const double here = record_at(found, i)->objective;
        *best = here < record_at(found, *best)->objective ? i : *best;
    }
    return status;
}

/* Replicates of the law in place of those of set k alone. */
static ng_status take_replicates(const ng_records *records, size_t k, ng_growth_fit *fit,
                                 ng_error *err)
{
    const size_t n = records->n;
    ng_free(fit->replicate);
    ng_free(fit->replicate_delta);
    ng_free(fit->replicate_sigma_nm);
    ng_free(fit->replicate_supersaturation);
    fit->replicate = NG_NEW(ng_growth_parameters, n);
    fit->replicate_delta = NG_NEW(double, n);
    fit->replicate_sigma_nm = NG_NEW(double, n);
    fit->replicate_supersaturation = NG_NEW(double, n * fit->n_frames);
    if (!fit->replicate || !fit->replicate_delta || !fit->replicate_sigma_nm ||
        !fit->replicate_supersaturation) {
        return NG_FAIL(err, NG_MEMORY, "joint fit: no memory for %zu replicates", n);
    }
    fit->n_replicates = fit->n_failed = 0;
    for (size_t b = 0; b < n; b++) {
        const joint_record *r = record_at(records, b);
        if (r->done == 0.0) {
            fit->n_failed++;
            continue;
        }
        const size_t to = fit->n_replicates++;
        fit->replicate[to] = r->best;
        fit->replicate_delta[to] = r->delta[k];
        fit->replicate_sigma_nm[to] = fit->sigma_s_nm.value;
        for (size_t t = 0; t < fit->n_frames; t++) {
            fit->replicate_supersaturation[to * fit->n_frames + t] = (double)NAN;
        }
    }
    return NG_OK;
}

static void take_intervals(const ng_growth_fit_options *o, double *scratch, ng_growth_fit *fit)
{
    for (size_t i = 0; i < N; i++) {
        ng_fit_parameter *p = &fit->parameter[i];
        p->value = p->lower = p->upper = ng_growth_parameter_get(&fit->best, i);
        p->se = (double)NAN;
        p->flag = NG_FIT_FIXED;
        if (o->fixed[i]) {
            continue;
        }
        for (size_t b = 0; b < fit->n_replicates; b++) {
            scratch[b] = ng_growth_parameter_get(&fit->replicate[b], i);
        }
        ng_fit_interval(scratch, fit->n_replicates, o->level, p->value, &p->lower, &p->upper);
        ng_growth_flag_parameter(p, i);
    }
    for (size_t b = 0; b < fit->n_replicates; b++) {
        scratch[b] = fit->replicate_delta[b];
    }
    ng_fit_interval(scratch, fit->n_replicates, o->level, fit->delta_mean, &fit->delta_lower,
                    &fit->delta_upper);
}

/* A set at the shared parameters, as a fit of which everything is given. */
static ng_status evaluate_set(const joint_job *job, size_t k, const joint_record *best,
                              const ng_records *replicates, const ng_run *run, ng_growth_fit *out,
                              ng_error *err)
{
    ng_growth_fit_options given = *job->o;
    const size_t n = job->o->bootstrap;
    given.start = best->best;
    given.bootstrap = 0;
    for (size_t i = 0; i < N; i++) {
        given.fixed[i] = true;
    }
    double *scratch = NG_NEW(double, n + 1);
    ng_status status = scratch != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "joint fit: no memory");
    if (status == NG_OK) {
        status = ng_growth_fit_run(job->set[k], &given, run, out, NULL, err);
    }
    if (status == NG_OK) {
        status = take_replicates(replicates, k, out, err);
    }
    if (status == NG_OK) {
        take_intervals(job->o, scratch, out);
        out->converged = best->stop != (double)NG_STOP_ITERATIONS;
        out->start[0].stop = (ng_fit_stop)best->stop;
    }
    ng_free(scratch);
    return status;
}

/* How much worse the sets are off together than alone, by what chance explains. */
static void test_sharing(const joint_job *job, ng_growth_joint *out)
{
    size_t n_free = 0;
    for (size_t i = 0; i < N; i++) {
        n_free += !job->o->fixed[i];
    }
    for (size_t k = 0; k < job->n_sets; k++) {
        const double observations = (double)job->set[k]->n_points * job->set[k]->noise_gain;
        const double rise = out->set[k].objective / out->alone[k].objective - 1.0;
        out->statistic += observations * fmax(rise, 0.0);
    }
    out->freedom = (double)(n_free * (job->n_sets - 1));
    out->probability = out->freedom > 0 ? gsl_cdf_chisq_Q(out->statistic, out->freedom) : 1.0;
}

static void warn(const ng_growth_fit_options *o, const ng_growth_joint *joint,
                 ng_warnings *warnings)
{
    if (joint->probability < 1.0 - o->level) {
        ng_warnings_add(warnings, "sharing",
                        "the data sets do not support one law: together they are met worse than "
                        "alone by chi-square %.1f for %.0f numbers (p = %.2g)",
                        joint->statistic, joint->freedom, joint->probability);
    }
    ng_growth_warn(&joint->set[0], o, warnings);
}

static ng_status fit_sets(joint_job *job, const ng_run *run, ng_growth_joint *out, ng_error *err)
{
    ng_records found = {0}, replicates = {0};
    size_t at = 0;
    ng_status status = search_starts(job, run, &found, &at, err);
    status = status == NG_OK ? allocate_records(job, job->o->bootstrap, &replicates, err) : status;
    if (status != NG_OK) {
        goto out;
    }
    const joint_record *best = record_at(&found, at);
    job->from = &best->best;
    out->objective = best->objective;
    out->converged = best->stop != (double)NG_STOP_ITERATIONS;
    status = ng_parallel_records(&replicates, run_replicate, job, run, "fit: bootstrap", err);
    for (size_t k = 0; k < job->n_sets && status == NG_OK; k++) {
        status = evaluate_set(job, k, best, &replicates, run, &out->set[k], err);
    }
    for (size_t k = 0; k < job->n_sets && status == NG_OK; k++) {
        status = ng_growth_fit_run(job->set[k], job->o, run, &out->alone[k], NULL, err);
    }

out:
    ng_free(found.data);
    ng_free(replicates.data);
    return status;
}

ng_status ng_growth_joint_run(const ng_trajectories *const *sets, size_t n_sets,
                              const ng_growth_fit_options *options, const ng_run *run,
                              ng_growth_joint *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_growth_joint){.n_sets = n_sets};
    if (n_sets < 2 || options->samples != NULL) {
        return NG_FAIL(err, NG_USAGE, "a joint fit takes at least two data sets of tracks");
    }
    ng_status status = ng_growth_fit_check(options, err);
    out->set = NG_NEW(ng_growth_fit, n_sets);
    out->alone = NG_NEW(ng_growth_fit, n_sets);
    if (status == NG_OK && (out->set == NULL || out->alone == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "joint fit: no memory for %zu data sets", n_sets);
    }
    joint_job job = {sets, n_sets, options, NULL, run != NULL ? run->seed : 1};
    status = status == NG_OK ? fit_sets(&job, run, out, err) : status;
    if (status != NG_OK) {
        ng_growth_joint_free(out);
        return status;
    }
    test_sharing(&job, out);
    warn(options, out, warnings);
    return NG_OK;
}

void ng_growth_joint_free(ng_growth_joint *joint)
{
    for (size_t k = 0; k < joint->n_sets; k++) {
        if (joint->set != NULL) {
            ng_growth_fit_free(&joint->set[k]);
        }
        if (joint->alone != NULL) {
            ng_growth_fit_free(&joint->alone[k]);
        }
    }
    ng_free(joint->set);
    ng_free(joint->alone);
    *joint = (ng_growth_joint){0};
}
