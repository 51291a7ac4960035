/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fit of A(t) as a whole. */
#include "coalescence_internal.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LATE_SHARE 0.1 /* of the new particles may come after the fitted end of supply, */
#define LATE_LEAST 3.0 /* or fewer than this */

/* ---- options --------------------------------------------------------------------------------- */

ng_coalescence_options ng_coalescence_defaults(void)
{
    ng_coalescence_options o = {.contact = NG_PAIR_REFLECTING,
                                .starts = 6,
                                .max_iterations = 60,
                                .bootstrap = 50,
                                .profiles = true,
                                .level = 0.95,
                                .cells = 100};
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        o.start[i] = (double)NAN;
    }
    return o;
}

ng_coalescence_options ng_coalescence_published(void)
{
    static const double start[N_PARAMETERS] = {11.6, 0.0996493853, 2.87,     7.64, 3.00783,
                                               44.0, 1.0,          3.674e-3, 96.0};
    ng_coalescence_options o = ng_coalescence_defaults();
    o.contact = NG_PAIR_FLAT;
    o.rc_from_zero = true;
    o.contact_given = o.diffusion_given = true;
    o.laws = (ng_coalescence_laws){
        .contact = {1.7773331, 4.42204e-2, -8.2124e-4, 7.65182e-6, -2.15327e-8},
        .d0_nm2_per_s = 2.41406,
        .rate_per_s = 0.160730,
        .power = 0.733565,
    };
    memcpy(o.start, start, sizeof start);
    return o;
}

ng_status ng_coalescence_options_check(const ng_coalescence_options *o, ng_error *err)
{
    if (!(o->level > 0 && o->level < 1) || o->starts < 1 || o->cells < 20) {
        return NG_FAIL(err, NG_USAGE,
                       "level %g, %zu starts, %zu cells; the level lies between 0 and "
                       "1, there are at least 1 start and 20 cells",
                       o->level, o->starts, o->cells);
    }
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        const ng_coalescence_info *info = &ng_coalescence_parameter_info()[i];
        const double least = info->logarithmic ? 1e-300 : 0.0;
        if (o->fixed[i] && isnan(o->start[i])) {
            return NG_FAIL(err, NG_USAGE, "%s is fixed, but at no value", info->name);
        }
        if (!isnan(o->start[i]) && (!(o->start[i] >= least) || isinf(o->start[i]))) {
            return NG_FAIL(err, NG_USAGE, "%s is %g %s; it must be positive", info->name,
                           o->start[i], info->unit);
        }
    }
    return NG_OK;
}

/* ---- bounds and start values ----------------------------------------------------------------- */

/* Times at which a quarter, half, three quarters of the merges are past (type 7). */
static void event_quartiles(const ng_coalescence_data *d, double quartile[3])
{
    const size_t n = d->n_merges;
    for (size_t q = 0; q < 3; q++) {
        const double at = 0.25 * (double)(q + 1) * (double)(n - 1);
        const size_t i = (size_t)at;
        const double next = i + 1 < n ? d->merge[i + 1].time_s : d->merge[i].time_s;
        quartile[q] = d->merge[i].time_s + (at - (double)i) * (next - d->merge[i].time_s);
    }
}

/* sqrt(2 int D_r dt) from the start to `time_s`. */
static double wander(const ng_coalescence_data *d, const ng_coalescence_laws *laws, double time_s)
{
    double sum = 0.0;
    for (size_t f = 1; f < d->n_frames && d->time_s[f] <= time_s; f++) {
        sum += ng_coalescence_diffusion(laws, d->time_s[f]) * (d->time_s[f] - d->time_s[f - 1]);
    }
    return sqrt(2.0 * sum);
}

/* Mean gap between the surfaces when pairs were last seen apart. */
static double mean_gap(const ng_coalescence_data *d, double otherwise)
{
    double sum = 0.0, n = 0.0;
    for (size_t k = 0; k < d->n_merges; k++) {
        const double gap = d->merge[k].distance_nm - d->merge[k].radius_sum_nm;
        if (isfinite(gap) && gap > 0) {
            sum += gap;
            n += 1.0;
        }
    }
    return n > 0 ? sum / n : otherwise;
}

bool ng_coalescence_of_supply(size_t i)
{
    return i == NG_COALESCENCE_P0 || i == NG_COALESCENCE_TP;
}

void ng_coalescence_arrivals(const ng_coalescence_data *d, const ng_coalescence_series *s,
                             double *supply, double *until_s)
{
    const double from_s = d->time_s[0];
    double best = (double)INFINITY;
    for (size_t end = 1; end < s->n_frames; end++) {
        double xx = 0.0, xy = 0.0, yy = 0.0;
        for (size_t f = 0; f < s->n_frames; f++) {
            const double x = d->time_s[f < end ? f : end] - from_s, y = s->arrivals[f] - 1.0;
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        if (yy - xy * xy / xx < best) {
            best = yy - xy * xy / xx;
            *supply = xy / xx;
            *until_s = d->time_s[end];
        }
    }
}

void ng_coalescence_bounds(const ng_coalescence_data *d, const ng_coalescence_series *s,
                           const ng_coalescence_options *o, coalescence_target *t,
                           double start[N_PARAMETERS])
{
    const double from_s = d->time_s[0], to_s = d->time_s[d->n_frames - 1], span_s = to_s - from_s;
    const ng_coalescence_laws *laws = &t->model.laws;
    const double small = ng_coalescence_contact(laws, from_s);
    const double large = ng_coalescence_contact(laws, to_s);
    double quartile[3];
    event_quartiles(d, quartile);
    const double at_end = ng_coalescence_contact(laws, quartile[2]);
    /* particles that were last seen apart far from each other say nothing of contact */
    const double gap = fmin(mean_gap(d, 0.5 * small), small);
    double supply = 0.0, arrival_s = to_s;
    ng_coalescence_arrivals(d, s, &supply, &arrival_s);
    supply = fmax(supply, 1e-3 / span_s);
    const double reach = small + gap + 4.5 * wander(d, laws, quartile[1]);
    const double first[N_PARAMETERS] = {10.0,  0.05 * small, gap,    8.0,      at_end,
                                        reach, 0.5,          supply, arrival_s};
    const double lower[N_PARAMETERS] = {1e-2,  2e-3 * small, 0.0, 0.1,   0.5 * small,
                                        small, 1e-3,         0.0, from_s};
    const double upper[N_PARAMETERS] = {1e4,   0.25 * small, 2.5 * small,
                                        100.0, 1.5 * large,  small + 4.0 * reach,
                                        1e2,   5.0 * supply, to_s};
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        start[i] = isnan(o->start[i]) ? first[i] : o->start[i];
        const bool counted = o->arrivals_counted && ng_coalescence_of_supply(i);
        start[i] = counted ? first[i] : start[i];
        t->free[i] = !o->fixed[i] && !counted;
        t->lower[i] = fmin(lower[i], start[i]);
        t->upper[i] = fmax(upper[i], start[i]);
    }
}

/* ---- search from several starts -------------------------------------------------------------- */

typedef struct starts_job {
    const coalescence_target *target;
    const double *start;
    uint64_t seed;
} starts_job;

static ng_status run_start(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const starts_job *job = context;
    const coalescence_target *t = job->target;
    double start[N_PARAMETERS];
    (void)worker;
    memcpy(start, job->start, sizeof start);
    if (index > 0) {
        gsl_rng *rng = ng_random_open(job->seed, index);
        if (rng == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory");
        }
        /* half of the way to anywhere between the bounds */
        for (size_t i = 0; i < N_PARAMETERS; i++) {
            const double z = ng_coalescence_coordinate(t, i, start[i]);
            const double other = z + 0.5 * (gsl_rng_uniform(rng) - z);
            start[i] = t->free[i] ? ng_coalescence_value(t, i, other) : start[i];
        }
        ng_random_close(rng);
    }
    return ng_coalescence_search(t, start, record, err);
}

static ng_status search_all(const coalescence_target *t, const double start[N_PARAMETERS],
                            const ng_coalescence_options *o, const ng_run *run,
                            coalescence_found *best, size_t *evaluations, ng_error *err)
{
    coalescence_found *found = NG_NEW(coalescence_found, o->starts);
    if (found == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu starts", o->starts);
    }
    starts_job job = {t, start, run != NULL ? run->seed : 1};
    ng_records records = {found, o->starts, sizeof *found};
    ng_status status =
        ng_parallel_records(&records, run_start, &job, run, "coalescence: search", err);
    *best = found[0];
    *evaluations = 0;
    for (size_t i = 0; i < o->starts && status == NG_OK; i++) {
        *best = found[i].cost < best->cost ? found[i] : *best;
        *evaluations += found[i].evaluations;
    }
    if (status == NG_OK && !isfinite(best->cost)) {
        status = NG_FAIL(err, NG_NUMERIC, "the model could not be solved anywhere");
    }
    ng_free(found);
    return status;
}

/* ---- curves of the best point ---------------------------------------------------------------- */

static ng_status make_curves(size_t n, ng_coalescence_fit *fit, ng_error *err)
{
    double **all[] = {
        &fit->rate,          &fit->surviving,    &fit->density,         &fit->cumulative,
        &fit->rate_lower,    &fit->rate_upper,   &fit->surviving_lower, &fit->surviving_upper,
        &fit->merging_lower, &fit->merging_upper};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = NG_NEW(double, n);
        if (*all[i] == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", n);
        }
    }
    return NG_OK;
}

/* Largest change of k_f on a grid twice as fine, over its peak. */
static ng_status grid_change(const ng_coalescence_data *d, ng_coalescence_fit *fit, ng_error *err)
{
    ng_coalescence_model finer = fit->model;
    finer.cells *= 2;
    finer.step_s *= 0.5;
    double peak = 0.0, worst = 0.0, *rate = fit->rate_lower; /* free until the bands are made */
    ng_status status = ng_coalescence_run(&finer, d->time_s, d->n_frames, rate, NULL, err);
    for (size_t f = 0; f < d->n_frames && status == NG_OK; f++) {
        peak = fmax(peak, rate[f]);
        worst = fmax(worst, fabs(rate[f] - fit->rate[f]));
    }
    fit->grid_change = peak > 0 ? worst / peak : 0.0;
    return status;
}

static double rms_of(const ng_coalescence_data *d, const ng_coalescence_fit *fit)
{
    double sum = 0.0;
    for (size_t f = 0; f < d->n_frames; f++) {
        const double off = fit->surviving[f] - fit->series.surviving[f];
        sum += off * off;
    }
    return sqrt(sum / (double)d->n_frames);
}

static ng_status describe(const ng_coalescence_data *d, ng_coalescence_fit *fit, ng_error *err)
{
    const size_t n = d->n_frames;
    ng_status status = make_curves(n, fit, err);
    if (status == NG_OK) {
        status = ng_coalescence_run(&fit->model, d->time_s, n, fit->rate, fit->surviving, err);
    }
    status = status == NG_OK ? grid_change(d, fit, err) : status;
    if (status != NG_OK) {
        return status;
    }
    fit->rms = rms_of(d, fit);
    ng_coalescence_event_density(d->time_s, fit->rate, fit->surviving, n, fit->density,
                                 fit->cumulative);
    event_quartiles(d, fit->quartile_s);
    for (size_t q = 0; q < 3; q++) {
        fit->quartile_model_s[q] =
            ng_coalescence_quantile(d->time_s, fit->cumulative, n, 0.25 * (double)(q + 1));
    }
    return NG_OK;
}

/* ---- the times of merges, which were not fitted ---------------------------------------------- */

/* P(D > distance) of n independent values, after Kolmogorov, with Stephens' correction. */
static double distance_probability(double distance, double n)
{
    const double x = distance * (sqrt(n) + 0.12 + 0.11 / sqrt(n));
    double sum = 0.0;
    for (int k = 1; k <= 100; k++) {
        sum += (k % 2 == 1 ? 2.0 : -2.0) * exp(-2.0 * k * k * x * x);
    }
    return fmin(fmax(x < 0.2 ? 1.0 : sum, 0.0), 1.0);
}

static void judge_events(const ng_coalescence_data *d, ng_coalescence_fit *fit)
{
    const double n = (double)d->n_merges;
    const double span_s = d->time_s[d->n_frames - 1] - d->time_s[0];
    fit->uniform_log_likelihood = -n * log(span_s);
    for (size_t k = 0; k < d->n_merges; k++) {
        const size_t f = d->merge[k].frame;
        /* a merge is dated by the frame in which it is seen: it happened since the one before */
        const double below = f > 0 ? fit->cumulative[f - 1] : 0.0, above = fit->cumulative[f];
        fit->event_log_likelihood += log(fit->density[f]);
        fit->event_distance =
            fmax(fit->event_distance, fmax((double)(k + 1) / n - above, below - (double)k / n));
    }
    fit->event_distance_p = distance_probability(fit->event_distance, n);
}

/* ---- what the curvature tells ---------------------------------------------------------------- */

static void symmetric_eigen(double *matrix, size_t n, ng_coalescence_fit *fit)
{
    double values[N_PARAMETERS], vectors[N_PARAMETERS * N_PARAMETERS];
    gsl_matrix_view m = gsl_matrix_view_array(matrix, n, n);
    gsl_matrix_view v = gsl_matrix_view_array(vectors, n, n);
    gsl_vector_view e = gsl_vector_view_array(values, n);
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(n);
    if (w == NULL) {
        return;
    }
    (void)gsl_eigen_symmv(&m.matrix, &e.vector, &v.matrix, w);
    (void)gsl_eigen_symmv_sort(&e.vector, &v.matrix, GSL_EIGEN_SORT_VAL_DESC);
    gsl_eigen_symmv_free(w);
    for (size_t i = 0; i < n; i++) {
        fit->eigenvalue[i] = values[i];
        for (size_t j = 0; j < n; j++) {
            fit->eigenvector[i][j] = vectors[j * n + i];
        }
    }
}

/* Correlations of the estimates, by the eigenvalues that rounding leaves. */
static void correlations(size_t n, ng_coalescence_fit *fit)
{
    double covariance[N_PARAMETERS][N_PARAMETERS] = {{0}};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            for (size_t k = 0; k < n; k++) {
                covariance[i][j] += fit->eigenvector[k][i] * fit->eigenvector[k][j] /
                                    fmax(fit->eigenvalue[k], 1e-12 * fit->eigenvalue[0]);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            fit->correlation[i][j] = covariance[i][j] / sqrt(covariance[i][i] * covariance[j][j]);
        }
    }
}

static ng_status information(const coalescence_target *t, ng_coalescence_fit *fit, ng_error *err)
{
    double *jacobian = NG_NEW(double, t->n *N_PARAMETERS), matrix[N_PARAMETERS * N_PARAMETERS];
    if (jacobian == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", t->n);
    }
    ng_status status = ng_coalescence_jacobian(t, fit->model.parameter, jacobian, err);
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        if (t->free[i]) {
            fit->free_index[fit->n_free++] = i;
        }
    }
    const size_t n = fit->n_free;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            double sum = 0.0;
            for (size_t k = 0; k < t->n; k++) {
                sum += jacobian[k * N_PARAMETERS + fit->free_index[a]] *
                       jacobian[k * N_PARAMETERS + fit->free_index[b]];
            }
            matrix[a * n + b] = sum / (fit->rms * fit->rms);
        }
    }
    if (status == NG_OK && n > 0) {
        symmetric_eigen(matrix, n, fit);
        correlations(n, fit);
    }
    ng_free(jacobian);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* A law of supply that ends before the particles stop coming trades them against merges. */
static void warn_arrivals(const ng_coalescence_data *d, const ng_coalescence_fit *fit,
                          ng_warnings *warnings)
{
    const ng_coalescence_series *s = &fit->series;
    const double until_s = fit->model.parameter[NG_COALESCENCE_TP];
    size_t f = 0;
    while (f + 1 < s->n_frames && d->time_s[f] < until_s) {
        f++;
    }
    const double late = s->seen[s->n_frames - 1] - s->seen[f];
    const double all = s->seen[s->n_frames - 1] - s->seen[0];
    if (fit->model.arrivals == NULL && late > LATE_SHARE * all && late >= LATE_LEAST) {
        ng_warnings_add(warnings, "arrivals",
                        "the fitted supply ends at %.4g s, but %.0f of %.0f new particles were "
                        "seen later, so the fit leaves out merges too; --arrivals counted takes "
                        "them as they were seen",
                        until_s, late, all);
    }
}

static void warn(const ng_coalescence_fit *fit, ng_warnings *warnings)
{
    if (!fit->converged) {
        ng_warnings_add(warnings, "not-converged",
                        "the search stopped after its last iteration; raise --max-iterations");
    }
    if (fit->grid_change > 2e-3) {
        ng_warnings_add(warnings, "grid",
                        "k_f changes by %.2g of its peak on a grid twice as fine; raise --cells",
                        fit->grid_change);
    }
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        const ng_fit_parameter *p = &fit->parameter[i];
        if (p->flag == NG_FIT_AT_BOUND) {
            ng_warnings_add(warnings, "at-bound", "%s ended at the edge of its range, %g %s",
                            ng_coalescence_parameter_info()[i].name, p->value,
                            ng_coalescence_parameter_info()[i].unit);
        }
    }
}

ng_status ng_coalescence_fit_run(const ng_coalescence_data *data,
                                 const ng_coalescence_options *options, const ng_run *run,
                                 ng_coalescence_fit *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_coalescence_fit){.rms = (double)NAN};
    coalescence_target target = {
        .time_s = data->time_s, .n = data->n_frames, .max_iterations = options->max_iterations};
    coalescence_found best;
    ng_coalescence_laws laws;
    ng_status status = ng_coalescence_options_check(options, err);
    if (status == NG_OK) {
        status = ng_coalescence_series_make(data, options->count, NULL, &out->series, err);
    }
    if (status == NG_OK) {
        status = ng_coalescence_laws_fit(data, &out->series, options, &laws, err);
    }
    if (status != NG_OK) {
        goto out;
    }
    target.model = ng_coalescence_model_of(data, options, &laws, options->cells);
    target.surviving = out->series.surviving;
    target.model.arrivals = options->arrivals_counted ? out->series.arrivals : NULL;
    ng_coalescence_bounds(data, &out->series, options, &target, out->start);
    memcpy(out->lower_bound, target.lower, sizeof target.lower);
    memcpy(out->upper_bound, target.upper, sizeof target.upper);
    status = search_all(&target, out->start, options, run, &best, &out->evaluations, err);
    if (status != NG_OK) {
        goto out;
    }
    out->model = ng_coalescence_model_of(data, options, &laws, COALESCENCE_FINER * options->cells);
    out->model.arrivals = target.model.arrivals;
    memcpy(out->model.parameter, best.parameter, sizeof best.parameter);
    out->stop = best.stop;
    out->converged = best.stop != NG_STOP_ITERATIONS;
    out->rms_search = sqrt(best.cost / (double)data->n_frames);
    status = describe(data, out, err);
    status = status == NG_OK ? information(&target, out, err) : status;
    status =
        status == NG_OK ? ng_coalescence_intervals(data, options, &target, run, out, err) : status;
    if (status == NG_OK) {
        judge_events(data, out);
        warn(out, warnings);
        warn_arrivals(data, out, warnings);
    }

out:
    if (status != NG_OK) {
        ng_coalescence_fit_free(out);
    }
    return status;
}

void ng_coalescence_fit_free(ng_coalescence_fit *fit)
{
    double *all[] = {
        fit->rate,          fit->surviving,     fit->density,         fit->cumulative,
        fit->rate_lower,    fit->rate_upper,    fit->surviving_lower, fit->surviving_upper,
        fit->merging_lower, fit->merging_upper, fit->replicate};
    ng_coalescence_series_free(&fit->series);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        ng_free(all[i]);
    }
    ng_free(fit->profile);
    *fit = (ng_coalescence_fit){0};
}
