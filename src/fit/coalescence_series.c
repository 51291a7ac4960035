/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Curves that the tracks give over time, and the laws of sigma and D_r through them. */
#include "coalescence_internal.h"

#include <gsl/gsl_multifit.h>
#include <gsl/gsl_multimin.h>
#include <math.h>

#define MIN_DIFFUSION 3 /* frames with a displacement; fewer say nothing of a law */
#define MIN_WALKERS 3   /* particles behind a displacement that the law is fitted to */
#define LAW_ITERATIONS 400
#define LAW_SAMPLES 64 /* of D_r, for its mean over time */

/* ---- series ---------------------------------------------------------------------------------- */

#define N_ARRAYS 10

/* Array number `index` of the series. */
static double **array_of(ng_coalescence_series *s, size_t index)
{
    double **const all[N_ARRAYS] = {
        &s->seen,          &s->gone,
        &s->arrivals,      &s->surviving,
        &s->contact_nm,    &s->contact_se_nm,
        &s->contact_sd_nm, &s->diffusion_nm2_per_s,
        &s->since_s,       &s->diffusion_se_nm2_per_s,
    };
    return all[index];
}

void ng_coalescence_series_free(ng_coalescence_series *s)
{
    for (size_t i = 0; i < N_ARRAYS; i++) {
        ng_free(*array_of(s, i));
    }
    *s = (ng_coalescence_series){0};
}

static ng_status series_create(size_t n_frames, ng_coalescence_series *out, ng_error *err)
{
    *out = (ng_coalescence_series){.n_frames = n_frames};
    for (size_t i = 0; i < N_ARRAYS; i++) {
        *array_of(out, i) = NG_NEW(double, n_frames);
        if (*array_of(out, i) == NULL) {
            ng_coalescence_series_free(out);
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", n_frames);
        }
    }
    return NG_OK;
}

/* Weighted sums over the particles of a frame. */
typedef struct sums {
    double n, radius, radius2;                    /* all */
    double walkers, square, square2, since, span; /* those seen before */
} sums;

static double weight_of(const ng_coalescence_data *d, const double *weight, size_t unit)
{
    return weight != NULL && d->n_units > 0 ? weight[unit] : 1.0;
}

static size_t frame_of(const ng_coalescence_data *d, const ng_track_point *p)
{
    return (size_t)lround((p->time_s - d->time_s[0]) / (d->time_s[1] - d->time_s[0]));
}

static void add_track(const ng_coalescence_data *d, size_t track, double weight, sums *frame)
{
    const ng_track *own = &d->tracks->track[track];
    const ng_track_point *p = &d->tracks->point[own->first];
    for (size_t k = 0; k < own->n; k++) {
        sums *s = &frame[frame_of(d, &p[k])];
        const double square = d->displacement2[own->first + k];
        s->n += weight;
        s->radius += weight * p[k].radius_nm;
        s->radius2 += weight * p[k].radius_nm * p[k].radius_nm;
        if (isfinite(square)) {
            s->walkers += weight;
            s->square += weight * square;
            s->square2 += weight * square * square;
            s->since += weight * p[0].time_s;
            s->span += weight * (p[k].time_s - p[0].time_s);
        }
    }
}

static double spread(double n, double sum, double squares)
{
    return n > 1.0 ? sqrt(fmax(squares / n - sum * sum / (n * n), 0.0) / (n - 1.0)) : (double)NAN;
}

static void finish_frame(const sums *s, size_t f, ng_coalescence_series *out)
{
    /* two radii make sigma, two particles make D_r; a plane shows two of three directions */
    out->contact_nm[f] = 2.0 * s->radius / s->n;
    out->contact_se_nm[f] = 2.0 * spread(s->n, s->radius, s->radius2);
    out->contact_sd_nm[f] = out->contact_se_nm[f] * sqrt(0.5 * s->n);
    const double scale = s->walkers / (2.0 * s->span);
    out->diffusion_nm2_per_s[f] = s->square / (2.0 * s->span);
    out->diffusion_se_nm2_per_s[f] = scale * spread(s->walkers, s->square, s->square2);
    out->since_s[f] = s->since / s->walkers;
    if (s->walkers < MIN_WALKERS) {
        out->diffusion_nm2_per_s[f] = out->diffusion_se_nm2_per_s[f] = (double)NAN;
    }
}

static ng_status count_survivors(const ng_coalescence_data *d, ng_merge_count count,
                                 const double *weight, ng_coalescence_series *out, ng_error *err)
{
    const ng_tracks *t = d->tracks;
    for (size_t i = 0; i < t->n_tracks; i++) {
        if (!d->product[i]) {
            out->seen[frame_of(d, &t->point[t->track[i].first])] +=
                weight_of(d, weight, d->unit[i]);
        }
    }
    for (size_t k = 0; k < d->n_merges; k++) {
        const ng_merge *m = &d->merge[k];
        double taken = count == NG_COUNT_PAIRS ? (double)m->pairs : 1.0;
        out->gone[m->frame] += taken * weight_of(d, weight, m->unit);
    }
    double begun = out->seen[0] - out->gone[0];
    if (!(begun > 0)) {
        return NG_FAIL(err, NG_TOO_LITTLE, "no particle is left in the first frame");
    }
    for (size_t f = 0; f < out->n_frames; f++) {
        out->seen[f] += f > 0 ? out->seen[f - 1] : 0.0;
        out->gone[f] += f > 0 ? out->gone[f - 1] : 0.0;
        out->arrivals[f] = 1.0 + (out->seen[f] - out->seen[0]) / begun;
        out->surviving[f] = (out->seen[f] - out->gone[f]) / begun;
    }
    return NG_OK;
}

ng_status ng_coalescence_series_make(const ng_coalescence_data *d, ng_merge_count count,
                                     const double *weight, ng_coalescence_series *out,
                                     ng_error *err)
{
    ng_status status = series_create(d->n_frames, out, err);
    if (status != NG_OK) {
        return status;
    }
    sums *frame = NG_NEW(sums, d->n_frames);
    if (frame == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", d->n_frames);
        goto out;
    }
    for (size_t i = 0; i < d->tracks->n_tracks; i++) {
        add_track(d, i, weight_of(d, weight, d->unit[i]), frame);
    }
    for (size_t f = 0; f < d->n_frames; f++) {
        finish_frame(&frame[f], f, out);
    }
    status = count_survivors(d, count, weight, out, err);

out:
    ng_free(frame);
    if (status != NG_OK) {
        ng_coalescence_series_free(out);
    }
    return status;
}

/* ---- sigma(t) -------------------------------------------------------------------------------- */

double ng_coalescence_contact(const ng_coalescence_laws *laws, double time_s)
{
    double sum = 0.0;
    for (size_t i = NG_CONTACT_TERMS; i-- > 0;) {
        sum = sum * time_s + laws->contact[i];
    }
    return sum;
}

double ng_coalescence_contact_slope(const ng_coalescence_laws *laws, double time_s)
{
    double sum = 0.0;
    for (size_t i = NG_CONTACT_TERMS; i-- > 1;) {
        sum = sum * time_s + (double)i * laws->contact[i];
    }
    return sum;
}

static void polynomial_rows(const ng_coalescence_data *d, const ng_coalescence_series *s,
                            double scale_s, gsl_matrix *X, gsl_vector *y)
{
    size_t row = 0;
    for (size_t f = 0; f < s->n_frames; f++) {
        if (!isfinite(s->contact_nm[f])) {
            continue;
        }
        double power = 1.0;
        for (size_t i = 0; i < X->size2; i++) {
            gsl_matrix_set(X, row, i, power);
            power *= d->time_s[f] / scale_s;
        }
        gsl_vector_set(y, row++, s->contact_nm[f]);
    }
}

static ng_status fit_contact(const ng_coalescence_data *d, const ng_coalescence_series *s,
                             double contact[NG_CONTACT_TERMS], ng_error *err)
{
    size_t rows = 0;
    for (size_t f = 0; f < s->n_frames; f++) {
        rows += isfinite(s->contact_nm[f]) != 0;
    }
    size_t terms = rows < NG_CONTACT_TERMS ? rows : NG_CONTACT_TERMS;
    double scale_s = fmax(fabs(d->time_s[d->n_frames - 1]), fabs(d->time_s[0]));
    gsl_matrix *X = gsl_matrix_alloc(rows, terms), *covariance = gsl_matrix_alloc(terms, terms);
    gsl_vector *y = gsl_vector_alloc(rows), *c = gsl_vector_alloc(terms);
    gsl_multifit_linear_workspace *w = gsl_multifit_linear_alloc(rows, terms);
    ng_status status = NG_OK;
    double misfit;
    if (!X || !covariance || !y || !c || !w) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", rows);
        goto out;
    }
    polynomial_rows(d, s, scale_s, X, y);
    if (gsl_multifit_linear(X, y, c, covariance, &misfit, w) != 0) {
        status = NG_FAIL(err, NG_NUMERIC, "no polynomial through the mean radius");
        goto out;
    }
    for (size_t i = 0; i < NG_CONTACT_TERMS; i++) {
        contact[i] = i < terms ? gsl_vector_get(c, i) / pow(scale_s, (double)i) : 0.0;
    }

out:
    gsl_matrix_free(X);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(c);
    gsl_multifit_linear_free(w);
    return status;
}

static ng_status check_contact(const ng_coalescence_data *d, const ng_coalescence_laws *laws,
                               ng_error *err)
{
    const double from_s = d->time_s[0], to_s = d->time_s[d->n_frames - 1];
    const double from = ng_coalescence_contact(laws, from_s);
    const double to = ng_coalescence_contact(laws, to_s);
    for (size_t f = 0; f < d->n_frames; f++) {
        if (!(ng_coalescence_contact(laws, d->time_s[f]) > 0)) {
            return NG_FAIL(err, NG_INVALID,
                           "the law of the mean sum of radii falls below zero at %g "
                           "s; check the times of the table, or give a law with --contact",
                           d->time_s[f]);
        }
    }
    if (to < from) {
        return NG_FAIL(err, NG_INVALID,
                       "the mean sum of two radii shrinks from %.3g nm at %g s to "
                       "%.3g nm at %g s; the model is of particles that grow (dissolving "
                       "particles, or a wrong order of times?)",
                       from, from_s, to, to_s);
    }
    return NG_OK;
}

/* ---- D_r(t) ---------------------------------------------------------------------------------- */

double ng_coalescence_diffusion(const ng_coalescence_laws *laws, double time_s)
{
    return laws->d0_nm2_per_s / pow(1.0 + laws->rate_per_s * time_s, laws->power);
}

/* Mean of the law between two times, by its middle values. */
static double mean_diffusion(const ng_coalescence_laws *laws, double from_s, double to_s)
{
    double sum = 0.0;
    for (int i = 0; i < LAW_SAMPLES; i++) {
        sum += ng_coalescence_diffusion(laws, from_s + (to_s - from_s) * (i + 0.5) / LAW_SAMPLES);
    }
    return sum / LAW_SAMPLES;
}

typedef struct diffusion_job {
    const ng_coalescence_data *data;
    const ng_coalescence_series *series;
    bool slope;
    double scale_s;
    ng_coalescence_laws laws; /* the d0 that fits best at the last rate and power */
} diffusion_job;

static bool usable(const ng_coalescence_series *s, size_t f)
{
    return isfinite(s->diffusion_nm2_per_s[f]) && s->diffusion_nm2_per_s[f] > 0;
}

/* Squared misfit of ln D_r; x = (ln(rate scale), power). */
static double diffusion_misfit(const gsl_vector *x, void *context)
{
    diffusion_job *job = context;
    const ng_coalescence_series *s = job->series;
    double n = 0.0, sum = 0.0, squares = 0.0;
    job->laws.d0_nm2_per_s = 1.0;
    job->laws.rate_per_s = exp(gsl_vector_get(x, 0)) / job->scale_s;
    job->laws.power = gsl_vector_get(x, 1);
    for (size_t f = 0; f < s->n_frames; f++) {
        if (!usable(s, f)) {
            continue;
        }
        const double to_s = job->data->time_s[f];
        const double law = job->slope ? mean_diffusion(&job->laws, s->since_s[f], to_s)
                                      : ng_coalescence_diffusion(&job->laws, to_s);
        const double off = log(s->diffusion_nm2_per_s[f] / law);
        n += 1.0;
        sum += off;
        squares += off * off;
    }
    job->laws.d0_nm2_per_s = exp(sum / n);
    const double beyond = fmax(fabs(gsl_vector_get(x, 0)) - 8.0, 0.0) +
                          fmax(fabs(gsl_vector_get(x, 1) - 1.0) - 3.0, 0.0);
    return squares - sum * sum / n + n * beyond * beyond;
}

static void minimise_diffusion(diffusion_job *job, gsl_multimin_fminimizer *m, gsl_vector *x,
                               gsl_vector *step)
{
    gsl_multimin_function f = {diffusion_misfit, 2, job};
    gsl_vector_set(x, 0, 2.0);
    gsl_vector_set(x, 1, 0.7);
    gsl_vector_set_all(step, 0.5);
    int going = gsl_multimin_fminimizer_set(m, &f, x, step);
    for (int i = 0; i < LAW_ITERATIONS && going == 0; i++) {
        going = gsl_multimin_fminimizer_iterate(m) != 0 || gsl_multimin_fminimizer_size(m) < 1e-7;
    }
    (void)diffusion_misfit(gsl_multimin_fminimizer_x(m), job);
}

static ng_status fit_diffusion(const ng_coalescence_data *d, const ng_coalescence_series *s,
                               ng_pair_diffusion kind, ng_coalescence_laws *out, ng_error *err)
{
    size_t n = 0;
    for (size_t f = 0; f < s->n_frames; f++) {
        n += usable(s, f);
    }
    if (n < MIN_DIFFUSION) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "the displacement of particles is known in %zu frames only "
                       "(are there columns for x and y?); give the law with --diffusion",
                       n);
    }
    diffusion_job job = {.data = d,
                         .series = s,
                         .slope = kind == NG_DIFFUSION_SLOPE,
                         .scale_s = d->time_s[d->n_frames - 1] - d->time_s[0]};
    gsl_multimin_fminimizer *m =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, 2);
    gsl_vector *x = gsl_vector_alloc(2), *step = gsl_vector_alloc(2);
    ng_status status = NG_OK;
    if (!m || !x || !step) {
        status = NG_FAIL(err, NG_MEMORY, "no memory");
    } else {
        minimise_diffusion(&job, m, x, step);
        out->d0_nm2_per_s = job.laws.d0_nm2_per_s;
        out->rate_per_s = job.laws.rate_per_s;
        out->power = job.laws.power;
    }
    gsl_multimin_fminimizer_free(m);
    gsl_vector_free(x);
    gsl_vector_free(step);
    return status;
}

ng_status ng_coalescence_laws_fit(const ng_coalescence_data *data,
                                  const ng_coalescence_series *series,
                                  const ng_coalescence_options *options, ng_coalescence_laws *out,
                                  ng_error *err)
{
    *out = options->laws;
    ng_status status = NG_OK;
    if (!options->contact_given) {
        status = fit_contact(data, series, out->contact, err);
    }
    status = status == NG_OK ? check_contact(data, out, err) : status;
    if (status == NG_OK && !options->diffusion_given) {
        status = fit_diffusion(data, series, options->diffusion, out, err);
    }
    return status;
}
