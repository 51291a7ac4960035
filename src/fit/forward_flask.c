/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Likelihood of samples drawn from a flask. The first sample stands as Gaussian particles in x, its
 * kernels, which growth carries forward as it carries tracked ones; a later sample is drawn from
 * their mixture. Samples differ by more than the particles in them (they were drawn, washed and
 * imaged one by one): ln r of a whole sample may be off by e, normal with the scatter that the
 * samples show about each other, and e is the one under which the sample is most likely.
 */
#include "forward_stride.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KERNELS 60
#define BINS 100      /* of a sample: a tenth of its s.d. or so */
#define SILVERMAN 0.9 /* bandwidth in s.d. n^(-1/5) */
#define STRAY 1e-3    /* share of the particles that come from anywhere */
#define REACH 1.5     /* where: up to so many times the largest x */
#define MARGIN_N 1.3  /* of the largest size, for the tables of rates */
#define FAR 50.0      /* squared s.d. beyond which a kernel adds nothing to the strays */
#define NEWTON 30
#define NEWTON_STEP 1e-8
#define BEND 3.0
#define SHIFT_MOST 0.5 /* of ln r */

/* ---- making ------------------------------------------------------------------------------ */

void ng_forward_flask_free(forward_flask *f)
{
    ng_free(f->begin);
    ng_free(f->mean);
    ng_free(f->variance);
    ng_free(f->time_s);
    ng_free(f->first);
    ng_free(f->x);
    ng_free(f->count);
    *f = (forward_flask){0};
}

static ng_status allocate(size_t n_begin, size_t n_samples, forward_flask *out, ng_error *err)
{
    *out = (forward_flask){.n_begin = n_begin,
                           .n_samples = n_samples,
                           .n_kernels = n_begin < KERNELS ? n_begin : KERNELS};
    out->begin = NG_NEW(double, n_begin);
    out->mean = NG_NEW(double, out->n_kernels);
    out->variance = NG_NEW(double, out->n_kernels);
    out->time_s = NG_NEW(double, n_samples);
    out->first = NG_NEW(size_t, n_samples + 1);
    out->x = NG_NEW(double, n_samples *BINS);
    out->count = NG_NEW(double, n_samples *BINS);
    if (out->begin && out->mean && out->variance && out->time_s && out->first && out->x &&
        out->count) {
        return NG_OK;
    }
    ng_forward_flask_free(out);
    return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu samples", n_samples);
}

static void moments_of(const double *x, size_t n, double *mean, double *variance)
{
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        square += (x[i] - sum / (double)n) * (x[i] - sum / (double)n);
    }
    *mean = sum / (double)n;
    *variance = square / (double)n;
}

/* Equal shares of the sorted first sample, each as wide as the bandwidth and its share of the axis,
 * drawn together so that the whole has the sample's own variance. */
static void make_kernels(forward_flask *f)
{
    const size_t n = f->n_begin, q = f->n_kernels;
    double mean, variance, between, within = 0.0;
    moments_of(f->begin, n, &mean, &variance);
    const double bandwidth = SILVERMAN * sqrt(variance) * pow((double)n, -0.2);
    for (size_t i = 0; i < q; i++) {
        const size_t from = i * n / q, to = (i + 1) * n / q;
        double own;
        moments_of(f->begin + from, to - from, &f->mean[i], &own);
        f->variance[i] = own + bandwidth * bandwidth;
        within += f->variance[i] / (double)q;
    }
    moments_of(f->mean, q, &mean, &between);
    double fourth = 0.0;
    for (size_t i = 0; i < n; i++) {
        fourth += pow(f->begin[i] - mean, 4.0) / (double)n;
    }
    f->middle = mean;
    f->width_sd = sqrt(fmax(fourth / (variance * variance) - 1.0, 0.1) / (4.0 * (double)n));
    const double total = fmax(variance, bandwidth * bandwidth), narrow = total / (between + within);
    for (size_t i = 0; i < q; i++) {
        f->mean[i] = mean + sqrt(narrow) * (f->mean[i] - mean);
        f->variance[i] *= narrow;
    }
}

/* Bins of equal width that hold particles; x is sorted. */
static size_t fill_bins(const double *x, size_t n, double *bin, double *count)
{
    const double width = fmax((x[n - 1] - x[0]) / BINS, 1e-12 * x[n - 1]);
    size_t bins = 0, last = BINS;
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)fmin((x[i] - x[0]) / width, BINS - 1);
        if (at != last) {
            bin[bins] = count[bins] = 0.0;
            bins++;
            last = at;
        }
        count[bins - 1] += 1.0;
        bin[bins - 1] += (x[i] - bin[bins - 1]) / count[bins - 1];
    }
    return bins;
}

static ng_status allocate_data(size_t tracks, size_t points, forward_data *out, ng_error *err)
{
    out->first = NG_NEW(size_t, tracks + 1);
    out->origin = NG_NEW(size_t, tracks);
    out->frame = NG_NEW(unsigned, points);
    out->x = NG_NEW(double, points);
    out->prior = NG_NEW(forward_prior, tracks);
    if (out->first && out->origin && out->frame && out->x && out->prior) {
        return NG_OK;
    }
    ng_forward_data_free(out);
    return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu particles", points);
}

static double area_of(double radius_nm, double sigma_s_nm)
{
    return radius_nm / sigma_s_nm * (radius_nm / sigma_s_nm);
}

/* Sample k + 1 of the flask. */
static void fill_sample(const ng_samples *s, size_t k, forward_data *data, forward_flask *f)
{
    const size_t from = s->first[k + 1], n = s->first[k + 2] - from, to = data->first[k];
    const double frame = (s->time_s[k + 1] - s->time_s[0]) / data->frame_s;
    f->time_s[k] = s->time_s[k + 1] - s->time_s[0];
    data->origin[k] = k;
    data->first[k + 1] = to + n;
    for (size_t i = 0; i < n; i++) {
        data->x[to + i] = area_of(s->radius_nm[from + i], data->sigma_s_nm);
        data->frame[to + i] = (unsigned)fmin(round(frame), (double)(data->n_frames - 1));
    }
    f->first[k + 1] =
        f->first[k] + fill_bins(data->x + to, n, f->x + f->first[k], f->count + f->first[k]);
    f->reach = fmax(f->reach, REACH * data->x[to + n - 1]);
}

ng_status ng_forward_flask_make(const ng_samples *s, const ng_trajectories *t, forward_data *data,
                                forward_flask *out, ng_error *err)
{
    const size_t samples = s->n_times - 1, points = s->first[s->n_times] - s->first[1];
    *data = (forward_data){.n_tracks = samples,
                           .n_points = points,
                           .n_observed = points,
                           .n_frames = t->n_frames,
                           .frame_s = t->frame_s,
                           .sigma_s_nm = t->sigma_s_nm,
                           .noise_power = 0.0};
    *out = (forward_flask){0};
    ng_status status = allocate_data(samples, points, data, err);
    status = status == NG_OK ? allocate(s->first[1] - s->first[0], samples, out, err) : status;
    if (status != NG_OK) {
        ng_forward_data_free(data);
        return status;
    }
    out->scatter = s->scatter;
    for (size_t i = 0; i < out->n_begin; i++) {
        out->begin[i] = area_of(s->radius_nm[s->first[0] + i], t->sigma_s_nm);
    }
    out->reach = REACH * out->begin[out->n_begin - 1];
    make_kernels(out);
    for (size_t k = 0; k < samples; k++) {
        fill_sample(s, k, data, out);
    }
    data->n_largest = MARGIN_N * pow(out->reach / REACH, 1.5);
    return NG_OK;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

ng_status ng_forward_flask_draw(const forward_flask *f, gsl_rng *rng, forward_flask *out,
                                ng_error *err)
{
    unsigned drawn[BINS];
    ng_status status = allocate(f->n_begin, f->n_samples, out, err);
    if (status != NG_OK) {
        return status;
    }
    out->scatter = f->scatter;
    out->reach = f->reach;
    for (size_t i = 0; i < f->n_begin; i++) {
        out->begin[i] = f->begin[gsl_rng_uniform_int(rng, f->n_begin)];
    }
    qsort(out->begin, out->n_begin, sizeof *out->begin, compare);
    make_kernels(out);
    for (size_t k = 0; k < f->n_samples; k++) {
        const size_t from = f->first[k], bins = f->first[k + 1] - from;
        const double off = exp(2.0 * gsl_ran_gaussian(rng, f->scatter));
        double n = 0.0;
        for (size_t b = 0; b < bins; b++) {
            n += f->count[from + b];
        }
        gsl_ran_multinomial(rng, bins, (unsigned)lround(n), f->count + from, drawn);
        out->time_s[k] = f->time_s[k];
        out->first[k + 1] = from + bins;
        for (size_t b = 0; b < bins; b++) {
            out->x[from + b] = off * f->x[from + b];
            out->count[from + b] = (double)drawn[b];
        }
    }
    return NG_OK;
}

/* ---- carrying the kernels ---------------------------------------------------------------- */

/* A kernel at a sample: mean, 1 / variance, height, then the derivatives of mean and variance. */
enum { ROW_MEAN, ROW_INVERSE, ROW_HEIGHT, ROW_SLOPES };
static size_t row_length(const forward_layout *l)
{
    return ROW_SLOPES + 2 * l->n;
}

size_t ng_forward_flask_scratch(const forward_flask *f, const forward_layout *layout)
{
    return f->n_samples * f->n_kernels * row_length(layout);
}

static void keep(const forward_layout *l, double share, const state *s, const slopes *d,
                 double *row)
{
    row[ROW_MEAN] = s->x;
    row[ROW_INVERSE] = 1.0 / fmax(s->xx, 1e-12);
    row[ROW_HEIGHT] = share * sqrt(row[ROW_INVERSE]);
    if (d) {
        memcpy(row + ROW_SLOPES, d->x, l->n * sizeof *row);
        memcpy(row + ROW_SLOPES + l->n, d->xx, l->n * sizeof *row);
    }
}

void ng_forward_flask_begin(const forward_flask *f, const forward_layout *l, const double *x,
                            size_t q, double *mean, double *variance)
{
    const double width = exp(x[l->noise]);
    *mean = f->middle + width * (f->mean[q] - f->middle);
    *variance = width * width * f->variance[q];
}

/* What is known of one kernel at the times of all samples. */
INLINE void carry(forward_problem *p, const double *x, size_t q, slopes *d, direct scratch[2])
{
    const forward_flask *f = p->flask;
    const forward_layout *l = p->layout;
    const double share = (1.0 - STRAY) / (double)f->n_kernels / sqrt(2.0 * M_PI);
    state s = {.uu = l->spread == FORWARD_NONE ? 0.0 : exp(2.0 * x[l->spread])};
    ng_forward_flask_begin(f, l, x, q, &s.x, &s.xx);
    if (d) {
        d->x[l->noise] = s.x - f->middle;
        d->xx[l->noise] = 2.0 * s.xx;
    }
    if (d && l->spread != FORWARD_NONE) {
        d->uu[l->spread] = 2.0 * s.uu;
    }
    for (size_t step = 0, k = 0; step < p->supersaturation->count && k < f->n_samples; step++) {
        drive v = drive_at(p, step);
        const double begin = (double)step * v.h;
        for (; k < f->n_samples && f->time_s[k] < begin + v.h * (1.0 + 1e-9); k++) {
            drive part = v;
            state at = s;
            slopes by;
            part.h = f->time_s[k] - begin;
            if (d) {
                by = *d;
            }
            stride_all(p, &part, &at, d ? &by : NULL, scratch);
            keep(l, share, &at, d ? &by : NULL,
                 p->carried + (k * f->n_kernels + q) * row_length(l));
        }
        stride_all(p, &v, &s, d, scratch);
    }
}

NG_VECTOR_CLONES static void carry_values(forward_problem *p, const double *x, size_t q)
{
    carry(p, x, q, NULL, NULL);
}

NG_VECTOR_CLONES static void carry_slopes(forward_problem *p, const double *x, size_t q, slopes *d,
                                          direct scratch[2])
{
    carry(p, x, q, d, scratch);
}

/* ---- one sample -------------------------------------------------------------------------- */

typedef struct sample {
    const double *row; /* of its first kernel */
    size_t kernels, length;
    const double *x, *count;
    size_t bins;
    double level; /* density of strays */
} sample;

/* Density of the mixture at x, and its slope. */
static double density(const sample *s, double x, double *slope)
{
    double sum = s->level, by_x = 0.0;
    for (size_t q = 0; q < s->kernels; q++) {
        const double *row = s->row + q * s->length;
        const double away = x - row[ROW_MEAN], z2 = away * away * row[ROW_INVERSE];
        if (z2 < FAR) {
            const double one = row[ROW_HEIGHT] * exp(-0.5 * z2);
            sum += one;
            by_x -= one * away * row[ROW_INVERSE];
        }
    }
    *slope = by_x;
    return sum;
}

/* -ln likelihood of the sample when it is off by e, with its derivatives by e. */
static double off_by(const sample *s, double e, double scatter, double *slope, double *curve)
{
    const double factor = exp(-2.0 * e);
    double value = 0.5 * e * e / (scatter * scatter);
    *slope = e / (scatter * scatter);
    *curve = 1.0 / (scatter * scatter);
    for (size_t b = 0; b < s->bins; b++) {
        double by_x;
        const double x = s->x[b] * factor, p = density(s, x, &by_x);
        const double by_e = -2.0 * x * by_x / p - 2.0;
        value -= s->count[b] * (log(p) - 2.0 * e);
        *slope -= s->count[b] * by_e;
        *curve += s->count[b] * by_e * by_e;
    }
    return value;
}

/* The shift under which the sample is most likely: scoring, each step halved until it helps. */
static double find_shift(const sample *s, double scatter)
{
    double e = 0.0, slope, curve;
    double value = off_by(s, e, scatter, &slope, &curve);
    for (int i = 0; i < NEWTON; i++) {
        double step = -slope / curve, next_slope, next_curve;
        while (fabs(step) > NEWTON_STEP) {
            const double to = fmin(fmax(e + step, -SHIFT_MOST), SHIFT_MOST);
            const double next = off_by(s, to, scatter, &next_slope, &next_curve);
            if (next <= value) {
                e = to;
                value = next;
                slope = next_slope;
                curve = next_curve;
                break;
            }
            step *= 0.5;
        }
        if (fabs(step) <= NEWTON_STEP) {
            break;
        }
    }
    return e;
}

/* Gradient of -ln density at x by all parameters. */
static void by_parameters(const sample *s, size_t n, double x, double p, double *out)
{
    memset(out, 0, n * sizeof *out);
    for (size_t q = 0; q < s->kernels; q++) {
        const double *row = s->row + q * s->length, *slope = row + ROW_SLOPES;
        const double away = x - row[ROW_MEAN], inverse = row[ROW_INVERSE];
        const double z2 = away * away * inverse;
        if (z2 >= FAR) {
            continue;
        }
        const double part = row[ROW_HEIGHT] * exp(-0.5 * z2) * inverse / p;
        const double by_mean = -part * away, by_variance = -0.5 * part * (z2 - 1.0);
        for (size_t j = 0; j < n; j++) {
            out[j] += by_mean * slope[j] + by_variance * slope[n + j];
        }
    }
}

/* Lower half of what the sample tells of the parameters, less what its shift takes away. */
static void add_information(const sample *s, size_t n, double e, double scatter, double *gradient,
                            double *information)
{
    double one[FORWARD_MAX], cross[FORWARD_MAX] = {0};
    double shift = scatter > 0.0 ? 1.0 / (scatter * scatter) : 0.0;
    const double factor = exp(-2.0 * e);
    for (size_t b = 0; b < s->bins; b++) {
        double by_x;
        const double x = s->x[b] * factor, p = density(s, x, &by_x), c = s->count[b];
        const double by_e = 2.0 * x * by_x / p + 2.0;
        by_parameters(s, n, x, p, one);
        shift += c * by_e * by_e;
        for (size_t i = 0; i < n; i++) {
            gradient[i] += c * one[i];
            cross[i] += c * one[i] * by_e;
            for (size_t j = 0; j <= i; j++) {
                information[i * n + j] += c * one[i] * one[j];
            }
        }
    }
    for (size_t i = 0; i < n && scatter > 0.0; i++) {
        for (size_t j = 0; j <= i; j++) {
            information[i * n + j] -= cross[i] * cross[j] / shift;
        }
    }
}

static double distribution_at(const sample *s, double x)
{
    double sum = 0.0;
    for (size_t q = 0; q < s->kernels; q++) {
        const double *row = s->row + q * s->length;
        sum += gsl_cdf_ugaussian_P((x - row[ROW_MEAN]) * sqrt(row[ROW_INVERSE]));
    }
    return sum / (double)s->kernels;
}

static void put_innovations(const sample *s, double e, double *out)
{
    const double factor = exp(-2.0 * e);
    for (size_t b = 0, i = 0; b < s->bins; b++) {
        const double z = sqrt(12.0) * (distribution_at(s, s->x[b] * factor) - 0.5);
        for (size_t end = i + (size_t)s->count[b]; i < end; i++) {
            out[i] = z;
        }
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static double value_of(const sample *s, double e, double scatter)
{
    const double factor = exp(-2.0 * e);
    double sum = scatter > 0.0 ? 0.5 * e * e / (scatter * scatter) : 0.0;
    for (size_t b = 0; b < s->bins; b++) {
        double by_x;
        sum -= s->count[b] * (log(density(s, s->x[b] * factor, &by_x)) - 2.0 * e);
    }
    return sum;
}

static void carry_all(forward_problem *p, const double *x, bool derivatives)
{
    direct scratch[2];
    slopes d;
    memset(scratch, 0, sizeof scratch);
    for (size_t q = 0; q < p->flask->n_kernels; q++) {
        if (derivatives) {
            memset(&d, 0, sizeof d);
            carry_slopes(p, x, q, &d, scratch);
        } else {
            carry_values(p, x, q);
        }
    }
}

/* What is known without the later samples: how wide the first one may have been, and, where none
 * was drawn for long, that second differences of the coefficients of ln S(t) are normal. */
static void add_priors(const forward_flask *f, const forward_layout *l, const double *x,
                       forward_result *out)
{
    const double weight[3] = {1.0, -2.0, 1.0}, stiffness = 1.0 / (BEND * BEND);
    const double known = 1.0 / (f->width_sd * f->width_sd);
    out->objective += 0.5 * known * x[l->noise] * x[l->noise];
    out->gradient[l->noise] += known * x[l->noise];
    out->information[l->noise * l->n + l->noise] += known;
    for (size_t i = l->supersaturation; i + 2 < l->supersaturation + l->n_supersaturation; i++) {
        const double bend = x[i] - 2.0 * x[i + 1] + x[i + 2];
        out->objective += 0.5 * stiffness * bend * bend;
        for (size_t a = 0; a < 3; a++) {
            out->gradient[i + a] += stiffness * bend * weight[a];
            for (size_t b = 0; b < 3; b++) {
                out->information[(i + a) * l->n + i + b] += stiffness * weight[a] * weight[b];
            }
        }
    }
}

void ng_forward_flask_evaluate(forward_problem *p, const double *x, bool derivatives,
                               forward_result *out, double *innovation, double *score)
{
    const forward_flask *f = p->flask;
    const size_t n = p->layout->n, length = row_length(p->layout);
    p->evaluations++;
    carry_all(p, x, derivatives);
    out->objective = out->held_out = 0.0;
    out->n_held_out = 0;
    memset(out->gradient, 0, sizeof out->gradient);
    memset(out->information, 0, n * n * sizeof *out->information);
    for (size_t k = 0; k < f->n_samples; k++) {
        const size_t from = f->first[k];
        const sample s = {.row = p->carried + k * f->n_kernels * length,
                          .kernels = f->n_kernels,
                          .length = length,
                          .x = f->x + from,
                          .count = f->count + from,
                          .bins = f->first[k + 1] - from,
                          .level = STRAY / f->reach};
        const double e = f->scatter > 0.0 ? find_shift(&s, f->scatter) : 0.0;
        double gradient[FORWARD_MAX] = {0};
        out->objective += value_of(&s, e, f->scatter);
        if (innovation) {
            put_innovations(&s, e, innovation + p->data->first[k]);
        }
        if (derivatives) {
            add_information(&s, n, e, f->scatter, gradient, out->information);
        }
        for (size_t j = 0; derivatives && j < n; j++) {
            out->gradient[j] += gradient[j];
            if (score) {
                score[k * n + j] = gradient[j];
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            out->information[j * n + i] = out->information[i * n + j];
        }
    }
    add_priors(f, p->layout, x, out);
}
