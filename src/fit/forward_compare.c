/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which terms the potential needs: four laws, fitted alike, by what they explain and what they
 * predict of frames that they were not shown. */
#include "forward_internal.h"

#include <math.h>
#include <string.h>

#define ITERATIONS 150
#define FOLD_ITERATIONS 40
#define BLOCKS_PER_FOLD 4
#define MODELS NG_N_FORWARD_MODELS
enum { EDGE = 1, ALPHA = 2 }; /* positions of eps_e and alpha4 */

static const struct {
    const char *name, *title;
    forward_potential potential;
    bool edge, alpha;
} law[MODELS] = {
    {"gibbs-thomson", "Gibbs-Thomson: surface tension alone (classical nucleation theory)",
     FORWARD_GIBBS_THOMSON, false, false},
    {"edge", "faces and edges of the lattice particle, no translation and rotation",
     FORWARD_LATTICE, true, false},
    {"translation", "surface tension, translation and rotation, no edges", FORWARD_GIBBS_THOMSON,
     false, true},
    {"full", "faces, edges, translation and rotation", FORWARD_LATTICE, true, true},
};

const char *ng_forward_model_name(size_t index)
{
    return law[index].name;
}

/* Outcome of a fit, of all frames or without a fold. Plain. */
typedef struct outcome {
    forward_search search;
    double held_out;
    size_t n_held_out;
} outcome;

typedef struct compare_job {
    const forward_case *c;
    const forward_search *best;
    const outcome *whole; /* per model; NULL while these are made */
} compare_job;

static void restrict_to(size_t model, forward_layout *l, double *x)
{
    if (!law[model].edge) {
        l->fixed[EDGE] = true;
        x[EDGE] = 0.0;
    }
    if (!law[model].alpha) {
        l->fixed[ALPHA] = true;
        x[ALPHA] = 0.0;
    }
}

/* A law that lacks a term has its best S(t) elsewhere: ask the rate estimator for another start. */
static ng_status start_anew(const forward_case *c, const double *from, double *x, ng_error *err)
{
    ng_growth_parameters p;
    ng_rate_from_coordinates(from, &p);
    return ng_forward_case_start(c, &p, ng_forward_case_delta(c, from), x, err);
}

static ng_status run_model(void *context, size_t model, int worker, void *record, ng_error *err)
{
    const compare_job *job = context;
    outcome *out = record;
    forward_layout layout = job->c->layout;
    forward_problem like = job->c->like;
    forward_search other = {0};
    forward_limits limits = {FORWARD_NONE, ITERATIONS, FORWARD_GAIN_PROFILE, NULL};
    (void)worker;
    like.layout = &layout;
    like.potential = law[model].potential;
    out->search = *job->best;
    restrict_to(model, &layout, out->search.x);
    ng_status status = start_anew(job->c, out->search.x, other.x, err);
    if (status == NG_OK) {
        status = ng_forward_search_alone(&like, &limits, &out->search, err);
    }
    if (status == NG_OK && model + 1 < MODELS) {
        status = ng_forward_search_alone(&like, &limits, &other, err);
        if (status == NG_OK && other.objective < out->search.objective) {
            out->search = other;
        }
    }
    return status;
}

static size_t fold_of(const forward_case *c, size_t frame)
{
    size_t folds = c->options->folds, block = c->data.n_frames / (folds * BLOCKS_PER_FOLD);
    return frame / (block > 1 ? block : 1) % folds;
}

static ng_status run_fold(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const compare_job *job = context;
    const forward_case *c = job->c;
    size_t model = index / c->options->folds, fold = index % c->options->folds;
    outcome *out = record;
    forward_layout layout = c->layout;
    forward_problem like = c->like, p = {0};
    bool *held = NG_NEW(bool, c->data.n_frames);
    forward_result *r = NG_NEW(forward_result, 1);
    (void)worker;
    ng_status status =
        held && r ? NG_OK : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a fold");
    if (status == NG_OK) {
        for (size_t f = 0; f < c->data.n_frames; f++) {
            held[f] = fold_of(c, f) == fold;
        }
        like.layout = &layout;
        like.potential = law[model].potential;
        like.held_out = held;
        out->search = job->whole[model].search;
        restrict_to(model, &layout, out->search.x);
        status = ng_forward_problem_create(&like, &p, err);
    }
    if (status == NG_OK) {
        forward_limits limits = {FORWARD_NONE, FOLD_ITERATIONS, FORWARD_GAIN_PROFILE, NULL};
        ng_forward_search_run(&p, &limits, r, &out->search);
        ng_forward_evaluate(&p, out->search.x, false, r, NULL, NULL);
        out->held_out = r->held_out;
        out->n_held_out = r->n_held_out;
    }
    ng_forward_problem_free(&p);
    ng_free(held);
    ng_free(r);
    return status;
}

static void describe(const forward_case *c, const outcome *o, size_t model, ng_forward_model *out)
{
    forward_layout layout = c->layout;
    double x[FORWARD_MAX];
    memcpy(x, o->search.x, sizeof x);
    restrict_to(model, &layout, x);
    *out = (ng_forward_model){.name = law[model].name,
                              .title = law[model].title,
                              .log_likelihood = -o->search.objective,
                              .delta = ng_forward_case_delta(c, x),
                              .n_max = (double)NAN,
                              .mu_max_kT = (double)NAN,
                              .converged = o->search.stop != NG_STOP_ITERATIONS};
    ng_rate_from_coordinates(x, &out->parameters);
    for (size_t i = 0; i < layout.n; i++) {
        out->n_parameters += !layout.fixed[i];
    }
    /* Gibbs-Thomson with or without -alpha4 ln(1+1/n) has its maximum where the terms balance */
    if (law[model].potential == FORWARD_LATTICE) {
        ng_potential_maximum m =
            ng_potential_find_maximum(&out->parameters, out->delta, RATE_N_MIN, 1e5);
        out->n_max = m.found ? m.n : (double)NAN;
        out->mu_max_kT = m.found ? m.mu_kT : (double)NAN;
    }
}

/* Mean over the folds of the held-out density per observation, and its standard error. */
static void score(const outcome *fold, size_t folds, ng_forward_model *out)
{
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < folds; i++) {
        double mean = fold[i].held_out / fmax((double)fold[i].n_held_out, 1.0);
        sum += mean;
        square += mean * mean;
    }
    double n = (double)folds;
    out->held_out = sum / n;
    out->held_out_se = sqrt(fmax(square / n - out->held_out * out->held_out, 0.0) / (n - 1.0));
}

static void criteria(const forward_case *c, double effective, ng_forward_fit *out)
{
    double share = effective / (double)(c->data.n_observed - c->data.n_tracks);
    double aic = (double)INFINITY, bic = (double)INFINITY;
    for (size_t i = 0; i < MODELS; i++) {
        ng_forward_model *m = &out->model[i];
        double deviance = -2.0 * share * m->log_likelihood, k = (double)m->n_parameters;
        m->aic = deviance + 2.0 * k;
        m->bic = deviance + k * log(effective);
        aic = fmin(aic, m->aic);
        bic = fmin(bic, m->bic);
    }
    for (size_t i = 0; i < MODELS; i++) {
        out->model[i].aic -= aic;
        out->model[i].bic -= bic;
    }
    out->n_models = MODELS;
}

ng_status ng_forward_compare(const forward_case *c, const forward_search *best, double effective,
                             const ng_run *run, ng_forward_fit *out, ng_error *err)
{
    size_t folds = c->options->folds;
    outcome *whole = NG_NEW(outcome, MODELS), *fold = NG_NEW(outcome, MODELS * folds);
    ng_status status =
        whole && fold ? NG_OK : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for models");
    compare_job job = {c, best, NULL};
    if (status == NG_OK) {
        ng_records records = {whole, MODELS, sizeof *whole};
        status = ng_parallel_records(&records, run_model, &job, run, "fit: models", err);
    }
    if (status == NG_OK) {
        job.whole = whole;
        ng_records records = {fold, MODELS * folds, sizeof *fold};
        status = ng_parallel_records(&records, run_fold, &job, run, "fit: held-out frames", err);
    }
    for (size_t i = 0; status == NG_OK && i < MODELS; i++) {
        describe(c, &whole[i], i, &out->model[i]);
        score(fold + i * folds, folds, &out->model[i]);
    }
    if (status == NG_OK) {
        criteria(c, effective, out);
    }
    ng_free(whole);
    ng_free(fold);
    return status;
}
