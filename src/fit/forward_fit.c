/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole forward fit: starts, the best of them, what is known, resampling, prediction. */
#include "forward_internal.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N NG_N_GROWTH_PARAMETERS
#define SCOUT_ITERATIONS 25 /* of every start; the best two go on */
#define FINALISTS 2
#define REPLICATE_ITERATIONS 40
#define ROUNDS 3           /* of profiles that find something better */
#define DATA_BOOTSTRAP 200 /* resamplings behind the s.d. of the measured variance */
#define NEAR_MEAN 0.05
#define MOVING 4 /* frames to each side of a moving mean */

/* ---- searches ---------------------------------------------------------------------------- */

typedef struct start_job {
    const forward_case *c;
    const ng_growth_fit *rate;
    const forward_search *from; /* NULL: starts by index */
    size_t iterations;
} start_job;

/* Start 0 is the rate estimator's result, 1 the material's values, others are scattered. */
static ng_status start_of(const start_job *job, size_t index, forward_search *s, ng_error *err)
{
    const ng_growth_fit_options *o = job->c->growth;
    ng_growth_parameters from = job->rate->best;
    bool free_shape = o->delta_mode != NG_DELTA_FIXED;
    double delta = free_shape && index == 0 ? job->rate->delta_mean : o->delta;
    if (index == 1) {
        from = o->start;
    } else if (index > 1) {
        ng_growth_scatter_start(o, index - 1, &from);
    }
    return ng_forward_case_start(job->c, &from, delta, s->x, err);
}

static ng_status run_start(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const start_job *job = context;
    forward_search *s = record;
    ng_status status = NG_OK;
    (void)worker;
    if (job->from) {
        *s = job->from[index];
    } else {
        status = start_of(job, index, s, err);
    }
    forward_limits limits = {FORWARD_NONE, job->iterations, FORWARD_GAIN_BEST, NULL};
    return status == NG_OK ? ng_forward_search_alone(&job->c->like, &limits, s, err) : status;
}

static int compare_searches(const void *a, const void *b)
{
    double x = ((const forward_search *)a)->objective, y = ((const forward_search *)b)->objective;
    /* a search that ended in no number is the worst of all */
    return isfinite(x) && isfinite(y) ? (x > y) - (x < y) : isfinite(y) - isfinite(x);
}

static ng_status search_all(const forward_case *c, const ng_growth_fit *rate, const ng_run *run,
                            forward_search *best, ng_growth_fit *out, ng_error *err)
{
    size_t n = c->growth->starts, last = n < FINALISTS ? n : FINALISTS;
    forward_search *s = NG_NEW(forward_search, n), *final = NG_NEW(forward_search, last);
    out->start = NG_NEW(ng_fit_start, n);
    ng_status status = s && final && out->start
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu starts", n);
    start_job job = {c, rate, NULL, SCOUT_ITERATIONS};
    if (status == NG_OK) {
        ng_records records = {s, n, sizeof *s};
        status = ng_parallel_records(&records, run_start, &job, run, "fit: starts", err);
    }
    if (status == NG_OK) {
        qsort(s, n, sizeof *s, compare_searches);
        job.from = s;
        job.iterations = c->growth->max_iterations;
        ng_records records = {final, last, sizeof *final};
        status = ng_parallel_records(&records, run_start, &job, run, "fit: search", err);
    }
    if (status == NG_OK) {
        for (size_t i = 0; i < last; i++) {
            final[i].evaluations += s[i].evaluations;
            s[i] = final[i];
        }
        qsort(s, n, sizeof *s, compare_searches);
        *best = s[0];
        out->n_starts = n;
        for (size_t i = 0; i < n; i++) {
            ng_rate_from_coordinates(s[i].x, &out->start[i].parameters);
            out->start[i].objective = s[i].objective;
            out->start[i].growth_rate = out->start[i].variance = (double)NAN;
            out->start[i].stop = s[i].stop;
            out->start[i].iterations = s[i].iterations;
            out->evaluations += s[i].evaluations;
        }
    }
    ng_free(s);
    ng_free(final);
    if (status == NG_OK && !isfinite(best->objective)) {
        status = NG_FAIL(err, NG_NUMERIC,
                         "forward fit: the likelihood is no number from any of %zu "
                         "starts",
                         n);
    }
    return status;
}

/* ---- what is known ----------------------------------------------------------------------- */

static void put_best(const forward_case *c, const forward_search *best, ng_growth_fit *out)
{
    ng_rate_from_coordinates(best->x, &out->best);
    for (size_t i = 0; i < N; i++) {
        if (c->growth->fixed[i]) { /* exp(ln K) would lose the last digit */
            ng_growth_parameter_set(&out->best, i, ng_growth_parameter_get(&c->growth->start, i));
        }
        ng_fit_parameter *p = &out->parameter[i];
        p->value = p->lower = p->upper = ng_growth_parameter_get(&out->best, i);
        p->se = (double)NAN;
        p->flag = c->growth->fixed[i] ? NG_FIT_FIXED : NG_FIT_OK;
    }
    out->delta_mean = ng_forward_case_delta(c, best->x);
    out->delta_lower = out->delta_upper = out->delta_mean;
    out->objective = best->objective;
    out->converged = best->stop != NG_STOP_ITERATIONS;
    out->start[0].stop = best->stop;
}

/* Eigenvalues of what is known of the five: of the inverse of their covariance. */
static ng_status spectrum(const forward_knowledge *k, ng_growth_fit *out, ng_error *err)
{
    size_t n = out->n_free;
    gsl_matrix *m = gsl_matrix_alloc(n, n), *vector = gsl_matrix_alloc(n, n);
    gsl_vector *value = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(n);
    bool ok = m && vector && value && w;
    for (size_t i = 0; ok && i < n * n; i++) {
        gsl_matrix_set(m, i / n, i % n, k->robust[i / n * k->n + i % n]);
    }
    if (ok) {
        gsl_eigen_symmv(m, value, vector, w);
        gsl_eigen_symmv_sort(value, vector, GSL_EIGEN_SORT_VAL_ASC);
    }
    for (size_t i = 0; ok && i < n; i++) {
        out->eigenvalue[i] = 1.0 / fmax(gsl_vector_get(value, i), 1e-300);
        for (size_t j = 0; j < n; j++) {
            out->eigenvector[i][j] = gsl_matrix_get(vector, j, i);
        }
    }
    gsl_matrix_free(m);
    gsl_matrix_free(vector);
    gsl_vector_free(value);
    gsl_eigen_symmv_free(w);
    return ok ? NG_OK : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu parameters", n);
}

/* Standard errors, correlation and spectrum of the five, all else followed. */
static ng_status put_knowledge(const forward_knowledge *k, ng_growth_fit *out, ng_error *err)
{
    out->n_free = 0;
    for (size_t i = 0; i < k->n && k->index[i] < N; i++) {
        out->free_index[out->n_free++] = k->index[i];
    }
    size_t n = out->n_free;
    for (size_t i = 0; i < n; i++) {
        size_t index = out->free_index[i];
        double se = sqrt(k->robust[i * k->n + i]);
        bool logarithmic = ng_growth_parameter_info()[index].logarithmic;
        out->parameter[index].se =
            logarithmic ? se * ng_growth_parameter_get(&out->best, index) : se;
        for (size_t j = 0; j < n; j++) {
            out->correlation[i][j] =
                k->robust[i * k->n + j] / sqrt(k->robust[i * k->n + i] * k->robust[j * k->n + j]);
        }
    }
    return n > 0 ? spectrum(k, out, err) : NG_OK;
}

/* Intervals from standard errors: where profiles are not wanted. */
static void wald_intervals(const forward_case *c, const forward_search *best,
                           const forward_knowledge *k, ng_growth_fit *out)
{
    double z = gsl_cdf_ugaussian_Pinv(0.5 * (1.0 + c->growth->level));
    for (size_t i = 0; i < N; i++) {
        if (c->layout.fixed[i]) {
            continue;
        }
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        ng_fit_parameter *p = &out->parameter[i];
        p->lower = info->min; /* nothing known of what ended at a bound */
        p->upper = info->max;
        for (size_t j = 0; j < k->n; j++) {
            if (k->index[j] == i) {
                double half = z * sqrt(k->robust[j * k->n + j]);
                double low = best->x[i] - half, high = best->x[i] + half;
                p->lower = fmax(info->logarithmic ? exp(low) : low, info->min);
                p->upper = fmin(info->logarithmic ? exp(high) : high, info->max);
            }
        }
        ng_growth_flag_parameter(p, i);
    }
}

static ng_forward_number number(const forward_case *c, const forward_search *best,
                                const forward_knowledge *k, size_t index)
{
    ng_forward_number out = {.fitted = index != FORWARD_NONE};
    if (!out.fitted) {
        out.value = out.lower = out.upper = (double)NAN;
        return out;
    }
    double z = gsl_cdf_ugaussian_Pinv(0.5 * (1.0 + c->growth->level));
    out.value = exp(best->x[index]);
    out.lower = c->layout.fixed[index] ? out.value : exp(c->layout.lower[index]);
    out.upper = c->layout.fixed[index] ? out.value : exp(c->layout.upper[index]);
    for (size_t j = 0; j < k->n; j++) {
        if (k->index[j] == index) {
            double factor = exp(z * sqrt(k->robust[j * k->n + j]));
            out.lower = fmax(out.value / factor, out.lower);
            out.upper = fmin(out.value * factor, out.upper);
        }
    }
    return out;
}

/* Profiles; where one of them finds a better point, search on from there and profile again. */
static ng_status learn(const forward_case *c, const ng_run *run, forward_search *best,
                       forward_mu_profile *mu, ng_growth_fit *out, ng_forward_fit *forward,
                       ng_error *err)
{
    forward_knowledge k = {0};
    ng_status status = NG_OK;
    bool improved = true;
    for (int round = 0; status == NG_OK && improved && round < ROUNDS; round++) {
        ng_forward_knowledge_free(&k);
        if (round > 0) {
            forward_limits limits = {FORWARD_NONE, c->growth->max_iterations, FORWARD_GAIN_BEST,
                                     NULL};
            status = ng_forward_search_alone(&c->like, &limits, best, err);
        }
        put_best(c, best, out);
        improved = false;
        if (status == NG_OK) {
            status = ng_forward_knowledge_make(&c->like, best->x, &k, err);
        }
        if (status == NG_OK && c->options->profile) {
            status = ng_forward_profiles(c, &k, run, best, &improved, mu, out, forward, err);
        }
    }
    if (status == NG_OK) {
        status = put_knowledge(&k, out, err);
        if (!c->options->profile) {
            wald_intervals(c, best, &k, out);
            ng_forward_mu_normal(c, best, &k, mu);
        }
        forward->n_parameters = k.n;
        forward->effective_observations = k.effective;
        forward->noise = number(c, best, &k, c->layout.noise);
        forward->spread = number(c, best, &k, c->layout.spread);
        forward->eigenvalue = k.eigenvalue;
        k.eigenvalue = NULL;
    }
    ng_forward_knowledge_free(&k);
    return status;
}

/* ---- series ------------------------------------------------------------------------------ */

/* Interval between frames in whose middle a frame lies nearest. */
static size_t interval_of(const forward_case *c, size_t frame)
{
    return frame < c->shape.count ? frame : c->shape.count - 1;
}

/* S at the frames, from the steps on both sides of each. */
static double supersaturation_at(const forward_case *c, const double *x, size_t frame)
{
    const double *coefficient = x + c->layout.supersaturation;
    size_t steps = c->like.steps, after = frame * steps, count = c->supersaturation.count;
    size_t before = frame > 0 ? after - 1 : 0;
    after = after < count ? after : count - 1;
    return exp(0.5 * (ng_forward_basis_value(&c->supersaturation, coefficient, before) +
                      ng_forward_basis_value(&c->supersaturation, coefficient, after)));
}

/* Raw moments of every frame: <n>, Var, <n^q>. */
static void raw_moments(const ng_trajectories *t, const double *weight, double *mean, double *var,
                        double *count)
{
    for (size_t f = 0; f < t->n_frames; f++) {
        mean[f] = var[f] = count[f] = 0.0;
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        double w = weight ? weight[i] : 1.0;
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            if (isfinite(t->n_raw[k])) {
                count[t->frame[k]] += w;
                mean[t->frame[k]] += w * t->n_raw[k];
                var[t->frame[k]] += w * t->n_raw[k] * t->n_raw[k];
            }
        }
    }
    for (size_t f = 0; f < t->n_frames; f++) {
        mean[f] /= count[f];
        var[f] = var[f] / count[f] - mean[f] * mean[f];
    }
}

/* <n^q> of the raw sizes, in the frames of the fit. */
static void put_moment_data(const ng_trajectories *t, const double *count, double *scratch,
                            const ng_growth_fit *fit, ng_forward_fit *out)
{
    for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
        memset(scratch, 0, t->n_frames * sizeof *scratch);
        for (size_t k = 0; k < t->n_points; k++) {
            if (isfinite(t->n_raw[k])) {
                scratch[t->frame[k]] += gsl_pow_int(t->n_raw[k], NG_MOMENT_FIRST + (int)q);
            }
        }
        for (size_t i = 0; i < fit->n_frames; i++) {
            out->moment_data[q][i] = scratch[fit->frame[i]] / count[fit->frame[i]];
        }
    }
}

static void put_series(const forward_case *c, const double *x, const double *count,
                       const double *mean, const double *var, const forward_moments *m,
                       ng_growth_fit *out)
{
    size_t n = 0;
    for (size_t f = 0; f < c->t->n_frames; f++) {
        if (!(count[f] > 0.0) || !isfinite(m->mean[f])) {
            continue;
        }
        out->frame[n] = f;
        out->time_s[n] = c->t->time_s[f];
        out->supersaturation[n] = supersaturation_at(c, x, f);
        out->supersaturation_lower[n] = out->supersaturation_upper[n] = out->supersaturation[n];
        out->delta[n] = ng_forward_basis_value(&c->shape, x + c->layout.shape, interval_of(c, f));
        out->mean_n[n] = mean[f];
        out->var_n[n] = var[f];
        out->mean_n_model[n] = m->mean[f];
        out->var_n_model[n] = m->variance[f];
        for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
            out->moment_model[q][n] = m->moment[NG_MOMENT_FIRST + q][f];
        }
        n++;
    }
    out->n_frames = n;
}

/* Mean over the frames of the squared misfit of the variance, over its range squared. */
static double variance_cost(const ng_growth_fit *fit)
{
    double low = (double)INFINITY, high = -(double)INFINITY, sum = 0.0;
    for (size_t i = 0; i < fit->n_frames; i++) {
        double misfit = fit->var_n_model[i] - fit->var_n[i];
        low = fmin(low, fit->var_n[i]);
        high = fmax(high, fit->var_n[i]);
        sum += misfit * misfit;
    }
    return sum / ((double)fit->n_frames * fmax((high - low) * (high - low), 1e-300));
}

/* The frame nearest to `frame` that counts anything. */
static size_t nearest(const double *count, size_t n, size_t frame)
{
    for (size_t away = 0; away < n; away++) {
        if (frame >= away && count[frame - away] > 0.0) {
            return frame - away;
        }
        if (frame + away < n && count[frame + away] > 0.0) {
            return frame + away;
        }
    }
    return frame;
}

/* Squared innovations of each frame over what was expected. */
static ng_status put_frame_cost(const forward_case *c, const double *x, ng_growth_fit *out,
                                ng_error *err)
{
    size_t n = c->data.n_points;
    forward_problem p = {0};
    forward_result *r = NG_NEW(forward_result, 1);
    double *innovation = NG_NEW(double, n + 2 * c->data.n_frames), *sum = innovation + n;
    double *count = sum + c->data.n_frames;
    ng_status status = r && innovation ? ng_forward_problem_create(&c->like, &p, err)
                                       : NG_FAIL(err, NG_MEMORY, "forward fit: no memory");
    if (status == NG_OK) {
        for (size_t k = 0; k < n; k++) {
            innovation[k] = (double)NAN;
        }
        ng_forward_evaluate(&p, x, false, r, innovation, NULL);
        for (size_t k = 0; k < n; k++) {
            if (isfinite(innovation[k])) {
                sum[c->data.frame[k]] += innovation[k] * innovation[k];
                count[c->data.frame[k]] += 1.0;
            }
        }
        for (size_t i = 0; i < out->n_frames; i++) {
            size_t f =
                c->like.flask ? nearest(count, c->data.n_frames, out->frame[i]) : out->frame[i];
            /* 0: where all particles are seen for the first time */
            out->frame_cost[i] = count[f] > 0.0 ? sum[f] / count[f] : 0.0;
        }
    }
    ng_forward_problem_free(&p);
    ng_free(innovation);
    ng_free(r);
    return status;
}

/* ---- how well the prediction does -------------------------------------------------------- */

static ng_status bootstrap_variance(const ng_trajectories *t, uint64_t seed,
                                    const ng_growth_fit *fit, double *sd, ng_error *err)
{
    size_t n = t->n_frames;
    double *work = NG_NEW(double, 5 * n + t->n_tracks), *weight = work + 5 * n;
    if (!work) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", n);
    }
    double *mean = work, *var = mean + n, *count = var + n, *sum = count + n, *square = sum + n;
    size_t drawn = 0;
    for (size_t b = 0; b < DATA_BOOTSTRAP; b++) {
        gsl_rng *rng = ng_random_open(seed, b);
        if (!rng) {
            ng_free(work);
            return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a random stream");
        }
        ng_bootstrap_trajectories(rng, t, weight);
        ng_random_close(rng);
        raw_moments(t, weight, mean, var, count);
        drawn++;
        for (size_t f = 0; f < n; f++) {
            double v = isfinite(var[f]) ? var[f] : 0.0;
            sum[f] += v;
            square[f] += v * v;
        }
    }
    for (size_t i = 0; i < fit->n_frames; i++) {
        size_t f = fit->frame[i];
        double m = sum[f] / (double)drawn;
        sd[i] = sqrt(fmax(square[f] / (double)drawn - m * m, 0.0));
    }
    ng_free(work);
    return NG_OK;
}

static double share_within(const double *model, const double *data, size_t n, double limit)
{
    double within = 0.0;
    for (size_t i = 0; i < n; i++) {
        within += fabs(model[i] / data[i] - 1.0) <= limit;
    }
    return within / (double)n;
}

/* What a spline with as many coefficients as S(t) leaves when it may follow the data itself. */
static ng_status spline_within(const forward_case *c, const ng_growth_fit *fit, double *share,
                               ng_error *err)
{
    size_t n = fit->n_frames, coefficients = c->layout.n_supersaturation;
    double *work = NG_NEW(double, 2 * n), *time = work + n, coefficient[FORWARD_MAX];
    forward_basis basis = {0};
    if (!work) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", n);
    }
    for (size_t i = 0; i < n; i++) {
        time[i] = fit->time_s[i] - fit->time_s[0];
        work[i] = log(fit->mean_n[i]);
    }
    ng_status status = ng_forward_basis_create(coefficients < 4 ? coefficients : 4, coefficients,
                                               time[n - 1], time, n, &basis, err);
    if (status == NG_OK) {
        status = ng_forward_basis_project(&basis, work, coefficient, err);
    }
    if (status == NG_OK) {
        for (size_t i = 0; i < n; i++) {
            work[i] = exp(ng_forward_basis_value(&basis, coefficient, i));
        }
        *share = share_within(work, fit->mean_n, n, NEAR_MEAN);
    }
    ng_forward_basis_free(&basis);
    ng_free(work);
    return status;
}

static double moving_mean(const double *x, size_t n, size_t i)
{
    size_t reach = i < MOVING ? i : MOVING;
    reach = n - 1 - i < reach ? n - 1 - i : reach;
    double sum = 0.0;
    for (size_t k = i - reach; k <= i + reach; k++) {
        sum += x[k];
    }
    return sum / (double)(2 * reach + 1);
}

static ng_status judge(const forward_case *c, const ng_run *run, const ng_growth_fit *fit,
                       ng_forward_fit *out, ng_error *err)
{
    size_t n = fit->n_frames;
    double within = 0.0, smooth = 0.0;
    ng_status status = bootstrap_variance(c->t, run ? run->seed : 1, fit, out->var_sd, err);
    if (status != NG_OK) {
        return status;
    }
    if (c->like.flask) {
        /* quantiles were drawn, and each stands for many particles of a sample */
        double particles = (double)c->data.n_points / (double)c->data.n_tracks;
        for (size_t i = 0; i < n; i++) {
            out->var_sd[i] *= sqrt((double)c->t->n_tracks / particles);
        }
    }
    for (size_t i = 0; i < n; i++) {
        within += fabs(fit->var_n_model[i] - fit->var_n[i]) <= 2.0 * out->var_sd[i];
        smooth += fabs(fit->mean_n_model[i] / moving_mean(fit->mean_n, n, i) - 1.0) <= NEAR_MEAN;
    }
    out->var_within = within / (double)n;
    out->mean_within_smooth = smooth / (double)n;
    out->mean_within = share_within(fit->mean_n_model, fit->mean_n, n, NEAR_MEAN);
    return spline_within(c, fit, &out->mean_within_spline, err);
}

/* ---- resampling -------------------------------------------------------------------------- */

/* What a replicate leaves, followed by its predicted mean and variance of every frame. */
typedef struct replicate {
    double x[FORWARD_MAX];
    bool done;
} replicate;

typedef struct replicate_job {
    const forward_case *c;
    const forward_search *best;
    const forward_mu_profile *mu;
    uint64_t seed;
} replicate_job;

static ng_status run_replicate(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const replicate_job *job = context;
    const forward_case *c = job->c;
    replicate *out = record;
    forward_problem like = c->like;
    forward_search s = *job->best;
    forward_moments m = {0};
    forward_flask drawn = {0};
    (void)worker;
    gsl_rng *rng = ng_random_open(job->seed, index);
    double *weight = NG_NEW(double, c->t->n_tracks), *series = (double *)(void *)(out + 1);
    ng_status status = rng && weight ? ng_forward_moments_create(c->t->n_frames, &m, err)
                                     : NG_FAIL(err, NG_MEMORY, "bootstrap: no memory");
    if (status == NG_OK && c->like.flask) {
        status = ng_forward_flask_draw(c->like.flask, rng, &drawn, err);
        like.flask = &drawn;
    } else if (status == NG_OK) {
        ng_bootstrap_trajectories(rng, c->t, weight);
        like.weight = weight;
    }
    if (status == NG_OK) {
        /* Along the directions on which data say little a search does not leave its start, and all
         * replicates would agree there: the level of the potential is drawn from its profile. */
        forward_spring spring = {job->mu->n, ng_forward_mu_at(job->mu, gsl_ran_ugaussian(rng))};
        forward_limits limits = {FORWARD_NONE, REPLICATE_ITERATIONS, FORWARD_GAIN_REPLICATE,
                                 isfinite(spring.n) && isfinite(spring.mu_kT) ? &spring : NULL};
        status = ng_forward_search_alone(&like, &limits, &s, err);
    }
    if (status == NG_OK) {
        memcpy(out->x, s.x, sizeof out->x);
        ng_error lost;
        /* a resampling under which sizes run away is no reason to give up: it counts as failed */
        out->done = isfinite(s.objective) && ng_forward_predict(c, NULL, s.x, &m, &lost) == NG_OK;
        memcpy(series, m.mean, c->t->n_frames * sizeof *series);
        memcpy(series + c->t->n_frames, m.variance, c->t->n_frames * sizeof *series);
    }
    ng_forward_moments_free(&m);
    ng_forward_flask_free(&drawn);
    ng_random_close(rng);
    ng_free(weight);
    return status;
}

static const replicate *replicate_at(const ng_records *r, size_t i)
{
    return (const replicate *)(const void *)((const char *)r->data + i * r->bytes);
}

/* Percentile band over the replicates of what is `offset` doubles into each one's series. */
static void band(const ng_records *r, size_t offset, double level, double value, double *scratch,
                 double *lower, double *upper)
{
    size_t n = 0;
    for (size_t b = 0; b < r->n; b++) {
        const replicate *q = replicate_at(r, b);
        double x = q->done ? ((const double *)(const void *)(q + 1))[offset] : (double)NAN;
        if (isfinite(x)) {
            scratch[n++] = x;
        }
    }
    ng_fit_interval(scratch, n, level, value, lower, upper);
}

static void keep_replicates(const forward_case *c, const ng_records *r, ng_growth_fit *fit)
{
    for (size_t b = 0; b < r->n; b++) {
        const replicate *q = replicate_at(r, b);
        if (!q->done) {
            fit->n_failed++;
            continue;
        }
        size_t to = fit->n_replicates++;
        ng_rate_from_coordinates(q->x, &fit->replicate[to]);
        fit->replicate_delta[to] = ng_forward_case_delta(c, q->x);
        for (size_t i = 0; i < fit->n_frames; i++) {
            fit->replicate_supersaturation[to * fit->n_frames + i] =
                supersaturation_at(c, q->x, fit->frame[i]);
        }
    }
}

static ng_status resample(const forward_case *c, const forward_search *best,
                          const forward_mu_profile *mu, const ng_run *run, ng_growth_fit *fit,
                          ng_forward_fit *out, ng_error *err)
{
    size_t n = c->growth->bootstrap, frames = c->t->n_frames;
    size_t bytes = sizeof(replicate) + 2 * frames * sizeof(double);
    ng_records records = {ng_alloc(n, bytes), n, bytes};
    double *scratch = NG_NEW(double, n + 1);
    fit->replicate = NG_NEW(ng_growth_parameters, n);
    fit->replicate_delta = NG_NEW(double, n);
    fit->replicate_supersaturation = NG_NEW(double, n * fit->n_frames);
    ng_status status = NG_OK;
    if (!records.data || !scratch || !fit->replicate || !fit->replicate_delta ||
        !fit->replicate_supersaturation) {
        status = NG_FAIL(err, NG_MEMORY, "bootstrap: no memory for %zu replicates", n);
        goto out;
    }
    replicate_job job = {c, best, mu, run ? run->seed : 1};
    status = ng_parallel_records(&records, run_replicate, &job, run, "fit: bootstrap", err);
    if (status != NG_OK) {
        goto out;
    }
    keep_replicates(c, &records, fit);
    for (size_t i = 0; i < fit->n_frames; i++) {
        size_t f = fit->frame[i], used = 0;
        band(&records, f, c->growth->level, fit->mean_n_model[i], scratch, &out->mean_lower[i],
             &out->mean_upper[i]);
        band(&records, frames + f, c->growth->level, fit->var_n_model[i], scratch,
             &out->var_lower[i], &out->var_upper[i]);
        for (size_t b = 0; b < fit->n_replicates; b++) {
            scratch[used++] = fit->replicate_supersaturation[b * fit->n_frames + i];
        }
        ng_fit_interval(scratch, used, c->growth->level, fit->supersaturation[i],
                        &fit->supersaturation_lower[i], &fit->supersaturation_upper[i]);
    }

out:
    ng_free(scratch);
    ng_free(records.data);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

static ng_status create_series(size_t n, ng_growth_fit *fit, ng_forward_fit *out, ng_error *err)
{
    double **array[] = {&out->mean_lower, &out->mean_upper, &out->var_lower, &out->var_upper,
                        &out->var_sd};
    bool ok = true;
    for (size_t i = 0; i < sizeof array / sizeof array[0]; i++) {
        *array[i] = NG_NEW(double, n);
        ok = ok && *array[i];
    }
    for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
        fit->moment_model[q] = NG_NEW(double, n);
        out->moment_data[q] = NG_NEW(double, n);
        ok = ok && fit->moment_model[q] && out->moment_data[q];
    }
    return ok ? ng_growth_series_create(n, fit, err)
              : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", n);
}

static ng_status predict_best(const forward_case *c, const forward_search *best, const ng_run *run,
                              ng_growth_fit *fit, ng_forward_fit *out, ng_error *err)
{
    size_t n = c->t->n_frames;
    forward_moments m = {0};
    double *raw = NG_NEW(double, 3 * n);
    ng_status status = raw ? create_series(n, fit, out, err)
                           : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", n);
    if (status == NG_OK) {
        status = ng_forward_moments_create(n, &m, err);
    }
    if (status == NG_OK) {
        status = ng_forward_predict(c, NULL, best->x, &m, err);
    }
    if (status == NG_OK) {
        raw_moments(c->t, NULL, raw, raw + n, raw + 2 * n);
        put_series(c, best->x, raw + 2 * n, raw, raw + n, &m, fit);
        put_moment_data(c->t, raw + 2 * n, raw, fit, out);
        out->n_frames = fit->n_frames;
        out->dissolved = m.dissolved;
        out->ran_away = m.ran_away;
        for (size_t i = 0; i < fit->n_frames; i++) {
            out->mean_lower[i] = out->mean_upper[i] = fit->mean_n_model[i];
            out->var_lower[i] = out->var_upper[i] = fit->var_n_model[i];
        }
        fit->variance_cost = variance_cost(fit);
        status = put_frame_cost(c, best->x, fit, err);
    }
    if (status == NG_OK) {
        status = judge(c, run, fit, out, err);
    }
    ng_forward_moments_free(&m);
    ng_free(raw);
    return status;
}

/* Profiles of growth over size, the reconstructed potential, sensitivities: by the rate residual at
 * the forward fit's parameters, S(t) and shape. */
static ng_status describe(const forward_case *c, const forward_search *best,
                          const ng_growth_fit *rate, ng_growth_fit *fit, ng_error *err)
{
    ng_growth_fit_options o = *c->growth;
    ng_growth_fit shown = {0};
    double *S = NG_NEW(double, c->t->n_frames);
    if (!S) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", c->t->n_frames);
    }
    o.start = fit->best;
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = fit->delta_mean;
    for (size_t f = 0; f < c->t->n_frames; f++) {
        S[f] = supersaturation_at(c, best->x, f);
    }
    ng_status status = ng_growth_describe(c->t, &o, S, &shown, err);
    if (status == NG_OK) {
        fit->growth_rate_cost = shown.growth_rate_cost;
        fit->growth_rate_cost_start = rate->growth_rate_cost_start;
        fit->profile = shown.profile;
        fit->n_profiles = shown.n_profiles;
        fit->reconstructed_n = shown.reconstructed_n;
        fit->reconstructed_kT = shown.reconstructed_kT;
        fit->reconstructed_sd_kT = shown.reconstructed_sd_kT;
        fit->reconstructed_frames = shown.reconstructed_frames;
        fit->n_reconstructed = shown.n_reconstructed;
        memcpy(fit->sensitivity, shown.sensitivity, sizeof fit->sensitivity);
        fit->n_sensitivities = shown.n_sensitivities;
        shown.profile = NULL; /* moved */
        shown.n_profiles = 0;
        shown.reconstructed_n = shown.reconstructed_kT = shown.reconstructed_sd_kT = NULL;
        shown.reconstructed_frames = NULL;
    }
    ng_growth_fit_free(&shown);
    ng_free(S);
    return status;
}

static void warn(const forward_case *c, const ng_growth_fit *fit, const ng_forward_fit *out,
                 ng_warnings *warnings)
{
    ng_growth_warn(fit, c->growth, warnings);
    if (c->data.outliers > 0) {
        ng_warnings_add(warnings, "outliers",
                        "%zu of %zu sizes lie more than five s.d. of the noise from their track "
                        "and were left out",
                        c->data.outliers, c->data.n_observed + c->data.outliers);
    }
    if (out->dissolved > 0.5) {
        ng_warnings_add(warnings, "dissolved",
                        "%.1f particles are predicted to dissolve below %d monomers",
                        out->dissolved, RATE_N_MIN);
    }
    if (out->ran_away) {
        ng_warnings_add(warnings, "ran-away",
                        "the fitted law lets some particles grow to many times the sizes seen; "
                        "they were stopped, and predicted moments are too small");
    }
    if (out->mean_within < FORWARD_MEAN_SHARE &&
        out->mean_within < out->mean_within_spline - FORWARD_MEAN_MARGIN) {
        ng_warnings_add(warnings, "mean-missed",
                        "the predicted mean lies within 5 %% of the data in %.0f %% of the frames "
                        "only",
                        100.0 * out->mean_within);
    }
    if (out->var_within < FORWARD_VARIANCE_SHARE) {
        ng_warnings_add(warnings, "variance-missed",
                        "the predicted variance lies within two bootstrap s.d. of the data in "
                        "%.0f %% of the frames only",
                        100.0 * out->var_within);
    }
}

static ng_status fit_case(forward_case *c, const ng_run *run, const ng_growth_fit *rate,
                          ng_growth_fit *fit, ng_forward_fit *out, ng_error *err)
{
    forward_search best = {0};
    forward_mu_profile mu = {.n = (double)NAN};
    ng_status status = search_all(c, rate, run, &best, fit, err);
    if (status == NG_OK) {
        status = learn(c, run, &best, &mu, fit, out, err);
    }
    if (status == NG_OK) {
        out->log_likelihood = -best.objective;
        out->n_observations = c->data.n_observed - (c->like.flask ? 0 : c->data.n_tracks);
        out->n_outliers = c->data.outliers;
        status = predict_best(c, &best, run, fit, out, err);
    }
    if (status == NG_OK) {
        status = describe(c, &best, rate, fit, err);
    }
    if (status == NG_OK && c->growth->bootstrap > 0) {
        status = resample(c, &best, &mu, run, fit, out, err);
    }
    if (status == NG_OK && c->options->compare) {
        status = ng_forward_compare(c, &best, out->effective_observations, run, out, err);
    }
    return status;
}

ng_status ng_forward_fit_from(const ng_trajectories *t, const ng_growth_fit_options *growth,
                              const ng_forward_options *options, const ng_run *run,
                              const ng_growth_fit *rate, ng_growth_fit *out,
                              ng_forward_fit *forward, ng_warnings *warnings, ng_error *err)
{
    forward_case c;
    *out = (ng_growth_fit){0};
    *forward = (ng_forward_fit){0};
    ng_status status = ng_forward_case_create(t, growth, options, &c, err);
    if (status == NG_OK) {
        status = fit_case(&c, run, rate, out, forward, err);
        if (status == NG_OK) {
            warn(&c, out, forward, warnings);
        }
        ng_forward_case_free(&c);
    }
    if (status != NG_OK) {
        ng_growth_fit_free(out);
        ng_forward_fit_free(forward);
    }
    return status;
}

ng_status ng_forward_fit_run(const ng_trajectories *t, const ng_growth_fit_options *growth,
                             const ng_forward_options *options, const ng_run *run,
                             ng_growth_fit *rate, ng_growth_fit *out, ng_forward_fit *forward,
                             ng_warnings *warnings, ng_error *err)
{
    ng_growth_fit_options alone = *growth;
    *out = *rate = (ng_growth_fit){0};
    *forward = (ng_forward_fit){0};
    alone.bootstrap = 0;
    ng_status status = ng_forward_check(options, growth, err);
    if (status == NG_OK) {
        status = ng_growth_fit_run(t, &alone, run, rate, NULL, err);
    }
    if (status == NG_OK) {
        status = ng_forward_fit_from(t, growth, options, run, rate, out, forward, warnings, err);
    }
    if (status != NG_OK) {
        ng_growth_fit_free(rate);
    }
    return status;
}

void ng_forward_fit_free(ng_forward_fit *fit)
{
    ng_free(fit->eigenvalue);
    ng_free(fit->mean_lower);
    ng_free(fit->mean_upper);
    ng_free(fit->var_lower);
    ng_free(fit->var_upper);
    ng_free(fit->var_sd);
    for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
        ng_free(fit->moment_data[q]);
    }
    *fit = (ng_forward_fit){0};
}
