/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole fit of the growth law: several starts, the best of them in full, its information
 * matrix. */
#include "fit_internal.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N NG_N_GROWTH_PARAMETERS
#define ROUNDING 1e-12 /* information below this share of what S(t) took out of it is rounding */
#define UNRESOLVED 0.1 /* component of a parameter in directions without information */

/* ---- starts ------------------------------------------------------------------------------ */

/* Where further starts are scattered: wide enough for every row of [Kim] Table 1. */
static const double start_box[N][2] = {
    {0.5, 8.0}, {-6.0, 1.0}, {2.0, 12.0}, {-4.0, 1.0}, {-5.0, 2.0}}; /* ln K, ln kr */

void ng_growth_scatter_start(const ng_growth_fit_options *o, size_t index,
                             ng_growth_parameters *out)
{
    double u[N], x[N];
    gsl_qrng *sobol = gsl_qrng_alloc(gsl_qrng_sobol, N);
    *out = o->start;
    if (!sobol) {
        return;
    }
    for (size_t i = 0; i <= index; i++) {
        gsl_qrng_get(sobol, u);
    }
    gsl_qrng_free(sobol);
    for (size_t i = 0; i < N; i++) {
        x[i] = start_box[i][0] + u[i] * (start_box[i][1] - start_box[i][0]);
    }
    ng_rate_from_coordinates(x, out);
    for (size_t i = 0; i < N; i++) {
        if (o->fixed[i]) {
            ng_growth_parameter_set(out, i, ng_growth_parameter_get(&o->start, i));
        }
    }
}

typedef struct start_job {
    const ng_trajectories *t;
    const ng_growth_fit_options *o;
    const rate_nodes *nodes;
} start_job;

/* The outcome of the search from one start. */
typedef struct start_record {
    ng_fit_start start;
    size_t evaluations;
} start_record;

static ng_status run_start(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const start_job *job = context;
    start_record *out = record;
    ng_rate_problem *p = NULL;
    rate_search s;
    (void)worker;
    ng_status status = ng_rate_problem_make(job->t, NULL, job->o, job->nodes, &p, err);
    if (status != NG_OK) {
        return status;
    }
    ng_growth_parameters from = job->o->start;
    if (index > 0) {
        ng_growth_scatter_start(job->o, index, &from);
    }
    ng_rate_search_run(p, &from, job->o->max_iterations, &s);
    out->start = (ng_fit_start){.parameters = s.best,
                                .objective = s.cost.objective,
                                .variance = s.cost.variance,
                                .stop = s.stop,
                                .iterations = s.iterations};
    status = ng_growth_flux_cost(p, job->t, &s.cost, &out->start.growth_rate, err);
    out->evaluations = p->evaluations;
    ng_rate_problem_destroy(p);
    return status;
}

static int compare_starts(const void *a, const void *b)
{
    const ng_fit_start *x = a, *y = b;
    return (x->objective > y->objective) - (x->objective < y->objective);
}

static size_t count_free(const ng_growth_fit_options *o)
{
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        n += !o->fixed[i];
    }
    return n;
}

static ng_status run_starts(const ng_trajectories *t, const ng_growth_fit_options *o,
                            const rate_nodes *nodes, const ng_run *run, ng_growth_fit *out,
                            ng_error *err)
{
    size_t n = count_free(o) > 0 ? o->starts : 1;
    start_record *record = NG_NEW(start_record, n);
    out->start = NG_NEW(ng_fit_start, n);
    out->n_starts = n;
    if (!record || !out->start) {
        ng_free(record);
        return NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu starts", n);
    }
    start_job job = {t, o, nodes};
    const ng_records records = {record, n, sizeof *record};
    ng_status status = ng_parallel_records(&records, run_start, &job, run, "fit: starts", err);
    for (size_t i = 0; i < n; i++) {
        out->start[i] = record[i].start;
        out->evaluations += record[i].evaluations;
    }
    ng_free(record);
    if (status == NG_OK) {
        qsort(out->start, n, sizeof *out->start, compare_starts);
        out->best = out->start[0].parameters;
        out->converged = out->start[0].stop != NG_STOP_ITERATIONS;
    }
    return status;
}

/* ---- the best point in full -------------------------------------------------------------- */

ng_status ng_growth_series_create(size_t n, ng_growth_fit *out, ng_error *err)
{
    double **array[] = {&out->time_s,
                        &out->supersaturation,
                        &out->supersaturation_lower,
                        &out->supersaturation_upper,
                        &out->delta,
                        &out->frame_cost,
                        &out->mean_n,
                        &out->var_n,
                        &out->mean_n_model,
                        &out->var_n_model};
    out->n_frames = n;
    out->frame = NG_NEW(size_t, n);
    bool ok = out->frame != NULL;
    for (size_t i = 0; i < sizeof array / sizeof array[0]; i++) {
        *array[i] = NG_NEW(double, n);
        ok = ok && *array[i];
    }
    return ok ? NG_OK : NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu frames", n);
}

static void fill_series(ng_rate_problem *p, ng_growth_fit *out)
{
    const rate_data *d = &p->data;
    (void)ng_rate_variance_cost(p);
    for (size_t t = 0; t < d->n_frames; t++) {
        const rate_quadratic *q = &p->quadratic[t * d->nodes->n_delta + p->delta_index[t]];
        double S = p->supersaturation[t];
        out->frame[t] = d->frame[t].frame;
        out->frame_cost[t] = ng_rate_cost_at(q, S) * (double)d->n_frames;
        out->var_n[t] = d->frame[t].variance * d->variance_scale;
        out->var_n_model[t] = out->var_n[t] + p->variance_e[t] * d->variance_range;
        out->supersaturation_lower[t] = out->supersaturation_upper[t] = S;
    }
    ng_rate_problem_series(p, out->time_s, out->supersaturation, out->delta);
    for (size_t t = 0; t < d->n_frames; t++) {
        /* a running mean: rounding never takes it out of the range of the shapes */
        out->delta_mean += (out->delta[t] - out->delta_mean) / (double)(t + 1);
    }
}

/* ---- information matrix ------------------------------------------------------------------ */

/* Free parameters that are not held at a bound: the others have no standard error. */
static void find_free(const ng_growth_fit_options *o, ng_growth_fit *out)
{
    double x[N], lower[N], upper[N];
    ng_rate_to_coordinates(&out->best, x);
    ng_rate_bounds(lower, upper);
    out->n_free = 0;
    for (size_t i = 0; i < N; i++) {
        double range = upper[i] - lower[i];
        bool inside = x[i] > lower[i] + 1e-6 * range && x[i] < upper[i] - 1e-6 * range;
        out->parameter[i].flag = o->fixed[i] ? NG_FIT_FIXED : inside ? NG_FIT_OK : NG_FIT_AT_BOUND;
        if (!o->fixed[i] && inside) {
            out->free_index[out->n_free++] = i;
        }
    }
}

/* Eigenvalues of the information matrix and the covariance (its inverse), free parameters only.
 * Eigenvalues below `least` are none. */
static ng_status decompose(const double *information, double least, ng_growth_fit *out,
                           double *covariance, ng_error *err)
{
    size_t n = out->n_free;
    double copy[N * N];
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(n);
    gsl_vector *value = gsl_vector_alloc(n);
    gsl_matrix *vector = gsl_matrix_alloc(n, n);
    ng_status status = NG_OK;
    if (!w || !value || !vector) {
        status = NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu parameters", n);
        goto out;
    }
    for (size_t i = 0; i < n * n; i++) {
        copy[i] = information[i];
    }
    gsl_matrix_view m = gsl_matrix_view_array(copy, n, n);
    gsl_eigen_symmv(&m.matrix, value, vector, w);
    gsl_eigen_symmv_sort(value, vector, GSL_EIGEN_SORT_VAL_DESC);
    for (size_t i = 0; i < n; i++) {
        out->eigenvalue[i] = gsl_vector_get(value, i);
        for (size_t j = 0; j < n; j++) {
            out->eigenvector[i][j] = gsl_matrix_get(vector, j, i);
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            covariance[i * n + j] = 0.0;
            for (size_t k = 0; k < n; k++) {
                covariance[i * n + j] += out->eigenvector[k][i] * out->eigenvector[k][j] /
                                         fmax(out->eigenvalue[k], least);
            }
        }
    }

out:
    gsl_eigen_symmv_free(w);
    gsl_vector_free(value);
    gsl_matrix_free(vector);
    return status;
}

/* Independent observations behind the residuals: smoothing leaves 2*cutoff of them per frame, which
 * noise_gain approximates; the psi-flux repeats each particle over many sizes. */
static double independent_observations(const ng_rate_problem *p, const ng_trajectories *t)
{
    double points = (double)p->data.n_residuals;
    if (p->data.psi_flux) {
        points = 0.0;
        for (size_t i = 0; i < t->n_tracks; i++) {
            points += (double)(t->first[i + 1] - t->first[i]);
        }
    }
    return fmax(points * t->noise_gain, 1.0);
}

/* Information on the free parameters if S(t) were known: the scale of what is left without it. */
static double information_before_elimination(const ng_rate_problem *p, const ng_growth_fit *out)
{
    double most = 0.0;
    for (size_t i = 0; i < out->n_free; i++) {
        size_t index = out->free_index[i];
        double sum = 0.0;
        for (size_t t = 0; t < p->data.n_frames; t++) {
            sum += p->derivative[t].h[index][index];
        }
        most = fmax(most, sum);
    }
    return most;
}

/* Does the i-th free parameter take part in a direction on which the data hold nothing? */
static bool is_unresolved(const ng_growth_fit *out, size_t i, double least)
{
    double square = 0.0;
    for (size_t k = 0; k < out->n_free; k++) {
        if (!(out->eigenvalue[k] > least)) {
            square += out->eigenvector[k][i] * out->eigenvector[k][i];
        }
    }
    return square > UNRESOLVED * UNRESOLVED;
}

static ng_status information(ng_rate_problem *p, const ng_trajectories *t,
                             const ng_growth_fit_options *o, ng_growth_fit *out, ng_error *err)
{
    rate_normal e;
    double matrix[N * N], covariance[N * N];
    find_free(o, out);
    for (size_t i = 0; i < N; i++) {
        out->parameter[i].se = NAN;
    }
    if (out->n_free == 0) {
        return NG_OK;
    }
    ng_rate_normal_equations(p, &e);
    double scale = independent_observations(p, t) / fmax(out->objective, 1e-300);
    for (size_t i = 0; i < out->n_free; i++) {
        for (size_t j = 0; j < out->n_free; j++) {
            matrix[i * out->n_free + j] = scale * e.h[out->free_index[i]][out->free_index[j]];
        }
    }
    double least = fmax(ROUNDING * scale * information_before_elimination(p, out), 1e-300);
    ng_status status = decompose(matrix, least, out, covariance, err);
    for (size_t i = 0; status == NG_OK && i < out->n_free; i++) {
        size_t n = out->n_free, index = out->free_index[i];
        double se = is_unresolved(out, i, least) ? (double)INFINITY : sqrt(covariance[i * n + i]);
        bool logarithmic = ng_growth_parameter_info()[index].logarithmic;
        double value = ng_growth_parameter_get(&out->best, index);
        out->parameter[index].se = logarithmic ? value * se : se;
        for (size_t j = 0; j < n; j++) {
            out->correlation[i][j] =
                covariance[i * n + j] / sqrt(covariance[i * n + i] * covariance[j * n + j]);
        }
    }
    return status;
}

/* Information on each free parameter by parts of the movie, others known, S(t) eliminated: in the
 * derivatives that `information` left. */
static void information_by_window(const ng_rate_problem *p, ng_growth_fit *out)
{
    const size_t frames = p->data.n_frames;
    for (size_t i = 0; i < out->n_free; i++) {
        const size_t index = out->free_index[i];
        double total = 0.0;
        for (size_t t = 0; t < frames; t++) {
            const rate_derivative *d = &p->derivative[t];
            const double lost = d->ss > 0.0 ? d->hs[index] * d->hs[index] / d->ss : 0.0;
            const double left = fmax(d->h[index][index] - lost, 0.0);
            out->window_share[i][t * NG_DESIGN_WINDOWS / frames] += left;
            total += left;
        }
        for (size_t w = 0; w < NG_DESIGN_WINDOWS && total > 0.0; w++) {
            out->window_share[i][w] /= total;
        }
    }
    for (size_t t = 0; t < frames; t++) {
        const size_t w = t * NG_DESIGN_WINDOWS / frames;
        const bool is_first = t == 0 || (t - 1) * NG_DESIGN_WINDOWS / frames != w;
        out->window_start_s[w] = is_first ? out->time_s[t] : out->window_start_s[w];
        out->window_end_s[w] = out->time_s[t];
    }
}

/* Each parameter halved and doubled where its bounds allow. */
static ng_status sensitivity(ng_rate_problem *p, const ng_trajectories *t, ng_growth_fit *out,
                             ng_error *err)
{
    static const double factor[] = {0.5, 2.0};
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < 2 * N; i++) {
        const ng_parameter_info *info = &ng_growth_parameter_info()[i / 2];
        ng_growth_parameters q = out->best;
        double value = factor[i % 2] * ng_growth_parameter_get(&q, i / 2);
        if (value < info->min || value > info->max) {
            continue;
        }
        ng_growth_parameter_set(&q, i / 2, value);
        ng_growth_sensitivity *s = &out->sensitivity[out->n_sensitivities++];
        *s = (ng_growth_sensitivity){.index = i / 2,
                                     .factor = factor[i % 2],
                                     .parameters = q,
                                     .cost = ng_rate_evaluate(p, &q)};
        status = ng_growth_flux_cost(p, t, &s->cost, &s->cost.growth_rate, err);
    }
    return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

static ng_status evaluate_best(const ng_trajectories *t, const ng_growth_fit_options *o,
                               const rate_nodes *nodes, ng_growth_fit *out, ng_error *err)
{
    ng_rate_problem *p = NULL;
    ng_status status = ng_rate_problem_make(t, NULL, o, nodes, &p, err);
    if (status != NG_OK) {
        return status;
    }
    status = ng_growth_series_create(p->data.n_frames, out, err);
    if (status == NG_OK) {
        ng_rate_cost cost = ng_rate_evaluate(p, &o->start);
        status = ng_growth_flux_cost(p, t, &cost, &out->growth_rate_cost_start, err);
    }
    if (status == NG_OK) {
        ng_rate_cost cost = ng_rate_evaluate(p, &out->best);
        status = ng_growth_flux_cost(p, t, &cost, &out->growth_rate_cost, err);
        out->variance_cost = cost.variance;
        out->objective = cost.objective;
        fill_series(p, out);
    }
    if (status == NG_OK) {
        status = ng_growth_moments(p, t, out, err);
    }
    if (status == NG_OK) {
        status = ng_growth_profiles(p, t, out, err);
    }
    if (status == NG_OK) {
        status = information(p, t, o, out, err);
    }
    if (status == NG_OK && out->n_free > 0) {
        information_by_window(p, out);
    }
    if (status == NG_OK) {
        status = sensitivity(p, t, out, err);
    }
    ng_rate_problem_destroy(p);
    return status;
}

ng_status ng_growth_describe(const ng_trajectories *t, const ng_growth_fit_options *o,
                             const double *supersaturation, ng_growth_fit *out, ng_error *err)
{
    rate_nodes nodes = {0};
    ng_rate_problem *p = NULL;
    ng_status status = ng_rate_nodes_for(t, o, &nodes, err);
    if (status == NG_OK) {
        status = ng_rate_problem_make(t, NULL, o, &nodes, &p, err);
    }
    if (status == NG_OK) {
        status = ng_growth_series_create(p->data.n_frames, out, err);
    }
    if (status == NG_OK) {
        ng_rate_cost cost = ng_rate_evaluate(p, &o->start);
        fill_series(p, out);
        for (size_t f = 0; f < p->data.n_frames; f++) {
            p->supersaturation[f] = supersaturation[out->frame[f]];
        }
        status = ng_growth_flux_cost(p, t, &cost, &out->growth_rate_cost, err);
    }
    if (status == NG_OK) {
        status = ng_growth_profiles(p, t, out, err);
    }
    if (status == NG_OK) {
        out->best = o->start;
        status = sensitivity(p, t, out, err);
    }
    ng_rate_problem_destroy(p);
    ng_rate_nodes_free(&nodes);
    return status;
}

void ng_growth_warn(const ng_growth_fit *fit, const ng_growth_fit_options *o, ng_warnings *warnings)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    if (!fit->converged) {
        ng_warnings_add(warnings, "not-converged",
                        "the search stopped at its limit of %zu iterations before it converged",
                        o->max_iterations);
    }
    for (size_t i = 0; i < N; i++) {
        if (fit->parameter[i].flag == NG_FIT_AT_BOUND) {
            const char *unit = strcmp(info[i].unit, "1") == 0 ? "" : info[i].unit;
            ng_warnings_add(warnings, "at-bound", "%s ended at the edge of its range, %g to %g%s%s",
                            info[i].name, info[i].min, info[i].max, *unit ? " " : "", unit);
        } else if (fit->parameter[i].flag == NG_FIT_NOT_IDENTIFIABLE) {
            ng_warnings_add(warnings, "not-identifiable",
                            "%s is not identifiable: its interval %.3g to %.3g covers most of "
                            "what is allowed",
                            info[i].name, fit->parameter[i].lower, fit->parameter[i].upper);
        }
    }
    size_t capped = 0;
    for (size_t t = 0; t < fit->n_frames; t++) {
        capped += fit->supersaturation[t] >= o->supersaturation_max;
    }
    if (capped > 0) {
        ng_warnings_add(warnings, "supersaturation-limit",
                        "S(t) sits at its limit of %g in %zu of %zu frames; "
                        "--supersaturation-max raises it",
                        o->supersaturation_max, capped, fit->n_frames);
    }
    if (fit->variance_cost > GROWTH_LIMIT_MISSED * o->variance_limit) {
        ng_warnings_add(warnings, "variance-limit",
                        "the variance curve cannot be met to %.3g; it is off by %.3g",
                        o->variance_limit, fit->variance_cost);
    }
}

/* Samples drawn from a flask hold sizes at times, but no particle twice. */
static ng_status check_tracked(const ng_trajectories *t, ng_error *err)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        if (t->first[i + 1] - t->first[i] > 1) {
            return NG_OK;
        }
    }
    return NG_FAIL(
        err, NG_TOO_LITTLE,
        "no particle is seen more than once (samples drawn at times?); the rate estimator "
        "needs particles tracked from frame to frame");
}

ng_status ng_growth_fit_run(const ng_trajectories *t, const ng_growth_fit_options *o,
                            const ng_run *run, ng_growth_fit *out, ng_warnings *warnings,
                            ng_error *err)
{
    rate_nodes nodes = {0};
    *out = (ng_growth_fit){0};
    ng_status status = ng_growth_fit_check(o, err);
    if (status == NG_OK) {
        status = check_tracked(t, err);
    }
    if (status == NG_OK) {
        status = ng_rate_nodes_for(t, o, &nodes, err);
    }
    if (status == NG_OK) {
        status = run_starts(t, o, &nodes, run, out, err);
    }
    if (status == NG_OK) {
        status = evaluate_best(t, o, &nodes, out, err);
    }
    out->sigma_s_nm = (ng_fit_parameter){.value = t->sigma_s_nm,
                                         .lower = t->sigma_s_nm,
                                         .upper = t->sigma_s_nm,
                                         .se = (double)NAN,
                                         .flag = NG_FIT_FIXED};
    if (status == NG_OK) {
        status = ng_growth_bootstrap(t, o, &nodes, run, out, err);
    }
    ng_rate_nodes_free(&nodes);
    if (status != NG_OK) {
        ng_growth_fit_free(out);
        return status;
    }
    ng_growth_warn(out, o, warnings);
    return NG_OK;
}

void ng_growth_fit_free(ng_growth_fit *fit)
{
    ng_free(fit->frame);
    ng_free(fit->time_s);
    ng_free(fit->supersaturation);
    ng_free(fit->supersaturation_lower);
    ng_free(fit->supersaturation_upper);
    ng_free(fit->delta);
    ng_free(fit->frame_cost);
    ng_free(fit->mean_n);
    ng_free(fit->var_n);
    ng_free(fit->mean_n_model);
    ng_free(fit->var_n_model);
    for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
        ng_free(fit->moment_model[q]);
    }
    for (size_t i = 0; i < fit->n_profiles; i++) {
        ng_free(fit->profile[i].n); /* the other arrays follow in the same block */
    }
    ng_free(fit->profile);
    ng_free(fit->reconstructed_n);
    ng_free(fit->reconstructed_frames);
    ng_free(fit->start);
    ng_free(fit->replicate);
    ng_free(fit->replicate_delta);
    ng_free(fit->replicate_sigma_nm);
    ng_free(fit->replicate_supersaturation);
    *fit = (ng_growth_fit){0};
}
