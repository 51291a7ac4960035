/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <math.h>

/* The grid ends this many bandwidths beyond the data. */
#define GRID_MARGIN 3.0
/* s.d. of a normal distribution from its interquartile range. */
#define IQR_OF_NORMAL 1.34

static double weight_at(const double *weight, size_t i)
{
    return weight != NULL ? weight[i] : 1.0;
}

/* ---- bandwidth ----------------------------------------------------------------------------- */

/* Sizes by their logarithm, in ascending order, without those of no weight. */
typedef struct weighted_sample {
    const double *x, *w;
    size_t n;
    double total;
} weighted_sample;

static weighted_sample sort_logarithms(const double *n, const double *weight, size_t size,
                                       double *scratch)
{
    double *x = scratch, *w = scratch + size;
    weighted_sample s = {.x = x, .w = w};
    for (size_t i = 0; i < size; i++) {
        double wi = weight_at(weight, i);
        if (wi > 0.0 && n[i] > 0.0) {
            x[s.n] = log(n[i]);
            w[s.n++] = wi;
            s.total += wi;
        }
    }
    gsl_sort2(x, 1, w, 1, s.n);
    return s;
}

/* Value at a rank of the sample in which every x stands as often as its weight says. */
static double value_at_rank(const weighted_sample *s, double rank)
{
    double before = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        before += s->w[i];
        if (before > rank) {
            return s->x[i];
        }
    }
    return s->x[s->n - 1];
}

/* Linear interpolation between ranks (type 7) of the sample with repetitions. */
static double quantile(const weighted_sample *s, double part)
{
    double position = part * fmax(s->total - 1.0, 0.0);
    double rank = floor(position);
    double low = value_at_rank(s, rank);
    return low + (position - rank) * (value_at_rank(s, rank + 1.0) - low);
}

static double standard_deviation(const weighted_sample *s)
{
    double mean = 0.0, sum = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        mean += s->w[i] * s->x[i];
    }
    mean /= s->total;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->w[i] * gsl_pow_2(s->x[i] - mean);
    }
    return sqrt(sum / fmax(s->total - 1.0, 1.0));
}

double ng_density_bandwidth(const double *n, const double *weight, size_t size, double *scratch)
{
    weighted_sample s = sort_logarithms(n, weight, size, scratch);
    if (s.n < 2 || !(s.x[s.n - 1] > s.x[0])) {
        return 0.0;
    }
    double spread = standard_deviation(&s);
    double quartiles = (quantile(&s, 0.75) - quantile(&s, 0.25)) / IQR_OF_NORMAL;
    /* Half of the sizes may be equal. */
    double width = quartiles > 0.0 ? fmin(spread, quartiles) : spread;
    return 0.9 * width * pow(s.total, -0.2);
}

/* ---- on a grid ----------------------------------------------------------------------------- */

void ng_distribution_free(ng_distribution *d)
{
    if (d == NULL) {
        return;
    }
    ng_free(d->n);
    ng_free(d->p);
    ng_free(d->psi);
    ng_free(d->score);
    *d = (ng_distribution){0};
}

ng_status ng_distribution_create(size_t count, ng_distribution *out, ng_error *err)
{
    *out = (ng_distribution){.count = count};
    out->n = NG_NEW(double, count);
    out->p = NG_NEW(double, count);
    out->psi = NG_NEW(double, count);
    out->score = NG_NEW(double, count);
    if (out->n == NULL || out->p == NULL || out->psi == NULL || out->score == NULL) {
        ng_distribution_free(out);
        return NG_FAIL(err, NG_MEMORY, "out of memory for a distribution of %zu sizes", count);
    }
    return NG_OK;
}

/* Squared distance, in bandwidths, from y to the nearest size. */
static double nearest(const weighted_sample *s, double y, double h)
{
    double least = (double)INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        least = fmin(least, gsl_pow_2((s->x[i] - y) / h));
    }
    return least;
}

/* Density, survival and score at grid point k. Kernels are taken relative to the largest, so that
 * the score exists in wide gaps too. */
static void evaluate(const weighted_sample *s, double y, size_t k, ng_distribution *d)
{
    double h = d->bandwidth, least = nearest(s, y, h);
    double sum = 0.0, slope = 0.0, above = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        double u = (s->x[i] - y) / h;
        double kernel = s->w[i] * exp(0.5 * (least - u * u));
        sum += kernel;
        slope += kernel * u;
        above += s->w[i] * 0.5 * erfc(-u * M_SQRT1_2);
    }
    d->n[k] = exp(y);
    d->p[k] = exp(-0.5 * least) * sum / (s->total * h * M_SQRTPI * M_SQRT2 * d->n[k]);
    d->psi[k] = above / s->total;
    d->score[k] = (slope / (sum * h) - 1.0) / d->n[k];
}

ng_status ng_density_kernel(const double *n, const double *weight, size_t size, double smoothing,
                            size_t count, ng_distribution *out, ng_error *err)
{
    *out = (ng_distribution){0};
    double *scratch = NG_NEW(double, 2 * size);
    if (scratch == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu sizes", size);
    }
    ng_status status = NG_OK;
    double h = smoothing * ng_density_bandwidth(n, weight, size, scratch);
    if (!(h > 0.0) || count < 2) {
        status = NG_FAIL(err, NG_TOO_LITTLE,
                         "a density needs at least 2 different sizes and 2 points, not %zu sizes "
                         "and %zu points",
                         size, count);
        goto out;
    }
    status = ng_distribution_create(count, out, err);
    if (status != NG_OK) {
        goto out;
    }
    weighted_sample s = sort_logarithms(n, weight, size, scratch);
    out->bandwidth = h;
    double first = s.x[0] - GRID_MARGIN * h, last = s.x[s.n - 1] + GRID_MARGIN * h;
    for (size_t k = 0; k < count; k++) {
        double part = (double)k / (double)(count - 1);
        evaluate(&s, first + part * (last - first), k, out);
    }
out:
    ng_free(scratch);
    return status;
}

/* ---- at the sizes themselves --------------------------------------------------------------- */

/* Logarithms of this many sizes at a time stand on the stack. */
#define TILE 64

typedef struct tile {
    double y[TILE], w[TILE];
    double sum[TILE], slope[TILE]; /* of kernels, and of kernels times distance */
    size_t first, n;
} tile;

static void tile_load(tile *t, const double *n, const double *weight, size_t size, size_t first)
{
    t->first = first;
    t->n = size - first < TILE ? size - first : TILE;
    for (size_t i = 0; i < t->n; i++) {
        t->y[i] = log(n[first + i]);
        t->w[i] = weight_at(weight, first + i);
        t->sum[i] = t->slope[i] = 0.0;
    }
}

/* What the pair gives to either side; the kernel is even, so one exponential serves both. */
static void tile_pair(tile *a, size_t i, tile *b, size_t j, double scale)
{
    double d = b->y[j] - a->y[i];
    double kernel = exp(-scale * d * d);
    a->sum[i] += b->w[j] * kernel;
    a->slope[i] += b->w[j] * kernel * d;
    b->sum[j] += a->w[i] * kernel;
    b->slope[j] -= a->w[i] * kernel * d;
}

static void tile_within(tile *a, double scale)
{
    for (size_t i = 0; i < a->n; i++) {
        a->sum[i] += a->w[i];
        for (size_t j = i + 1; j < a->n; j++) {
            tile_pair(a, i, a, j, scale);
        }
    }
}

static void tile_between(tile *a, tile *b, double scale)
{
    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            tile_pair(a, i, b, j, scale);
        }
    }
}

static void tile_add(const tile *t, double *sum, double *slope)
{
    for (size_t i = 0; i < t->n; i++) {
        sum[t->first + i] += t->sum[i];
        slope[t->first + i] += t->slope[i];
    }
}

void ng_density_at_points(const double *n, const double *weight, size_t size, double bandwidth,
                          double *p, double *score)
{
    double scale = 0.5 / (bandwidth * bandwidth), total = 0.0;
    for (size_t i = 0; i < size; i++) {
        p[i] = score[i] = 0.0;
        total += weight_at(weight, i);
    }
    for (size_t first = 0; first < size; first += TILE) {
        tile a, b;
        tile_load(&a, n, weight, size, first);
        tile_within(&a, scale);
        for (size_t other = first + TILE; other < size; other += TILE) {
            tile_load(&b, n, weight, size, other);
            tile_between(&a, &b, scale);
            tile_add(&b, p, score);
        }
        tile_add(&a, p, score);
    }
    double norm = total * bandwidth * M_SQRTPI * M_SQRT2;
    for (size_t i = 0; i < size; i++) {
        score[i] = (score[i] / (p[i] * bandwidth * bandwidth) - 1.0) / n[i];
        p[i] /= norm * n[i];
    }
}
