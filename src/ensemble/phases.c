/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <math.h>

#define PHASES_MAX 9
#define BOUNDARIES_MAX 512
#define FRAMES_MIN 8         /* of a phase */
#define AVERAGED 9           /* frames */
#define LEAST_VARIATION 0.05 /* s.d. of a logarithm that is worth dividing */
#define LEAST_DEVIATION 1e-4 /* share of the variance that is not worth explaining */
#define LEAST_CHANGE 0.05    /* of a logarithm over a phase: flat below */
#define LEAST_RATE 0.1       /* of the median rate: flat below */

enum { MEAN, VARIANCE, CURVES };

/* Sums over all usable frames before a boundary. */
typedef struct sums {
    double count, t, tt;
    double y[CURVES], ty[CURVES], yy[CURVES];
} sums;

typedef struct partition {
    sums before[BOUNDARIES_MAX + 1];
    double least[PHASES_MAX + 1][BOUNDARIES_MAX + 1]; /* deviation of k intervals up to here */
    int from[PHASES_MAX + 1][BOUNDARIES_MAX + 1];     /* where the last of them begins */
    double centre[CURVES], scale[CURVES];
    double middle; /* frame from which time is counted, for digits */
    size_t n_frames, block; /* frames between two possible boundaries */
    size_t n;           /* last boundary */
    double least_count; /* usable frames of a phase */
} partition;

static bool is_usable(const ng_series *s, size_t f)
{
    return s->mean_n[f] > 0.0 && s->var_n[f] > 0.0 && isfinite(s->mean_n[f]) &&
           isfinite(s->var_n[f]);
}

/* Moving mean of a logarithm; its window shrinks at the ends on both sides, so that lines stay. */
static double curve(const ng_series *s, size_t c, size_t f)
{
    size_t to_end = s->n_frames - 1 - f;
    size_t half = GSL_MIN(AVERAGED / 2, GSL_MIN(f, to_end));
    double sum = 0.0, count = 0.0;
    for (size_t k = f - half; k <= f + half; k++) {
        if (is_usable(s, k)) {
            sum += log(c == MEAN ? s->mean_n[k] : s->var_n[k]);
            count += 1.0;
        }
    }
    return sum / count;
}

/* Centre and spread of the two curves; the number of usable frames. */
static size_t set_scales(partition *p, const ng_series *s)
{
    size_t n = 0;
    double sum[CURVES] = {0}, square[CURVES] = {0};
    for (size_t f = 0; f < s->n_frames; f++) {
        for (size_t c = 0; is_usable(s, f) && c < CURVES; c++) {
            sum[c] += curve(s, c, f);
            square[c] += gsl_pow_2(curve(s, c, f));
        }
        n += is_usable(s, f) ? 1 : 0;
    }
    for (size_t c = 0; n > 0 && c < CURVES; c++) {
        p->centre[c] = sum[c] / (double)n;
        double variance = fmax(square[c] / (double)n - gsl_pow_2(p->centre[c]), 0.0);
        p->scale[c] = fmax(sqrt(variance), LEAST_VARIATION);
    }
    return n;
}

static void add_frame(const partition *p, const ng_series *s, size_t f, sums *to)
{
    double t = (double)f - p->middle;
    to->count += 1.0;
    to->t += t;
    to->tt += t * t;
    for (size_t c = 0; c < CURVES; c++) {
        double y = (curve(s, c, f) - p->centre[c]) / p->scale[c];
        to->y[c] += y;
        to->ty[c] += t * y;
        to->yy[c] += y * y;
    }
}

static void set_sums(partition *p, const ng_series *s)
{
    p->n_frames = s->n_frames;
    p->middle = 0.5 * (double)s->n_frames;
    p->block = (s->n_frames + BOUNDARIES_MAX - 1) / BOUNDARIES_MAX;
    p->n = (s->n_frames + p->block - 1) / p->block;
    for (size_t b = 0; b < p->n; b++) {
        p->before[b + 1] = p->before[b];
        for (size_t f = b * p->block; f < (b + 1) * p->block && f < s->n_frames; f++) {
            if (is_usable(s, f)) {
                add_frame(p, s, f, &p->before[b + 1]);
            }
        }
    }
    p->least_count = fmin(FRAMES_MIN, p->before[p->n].count);
}

/* Slope of curve c, in its scaled units, between two boundaries, and what the line leaves. */
static double line(const partition *p, size_t i, size_t j, size_t c, double *left)
{
    const sums *a = &p->before[i], *b = &p->before[j];
    double count = b->count - a->count;
    double t = b->t - a->t, y = b->y[c] - a->y[c];
    double tt = b->tt - a->tt - t * t / count;
    double ty = b->ty[c] - a->ty[c] - t * y / count;
    double yy = b->yy[c] - a->yy[c] - y * y / count;
    *left = fmax(yy - ty * ty / tt, 0.0);
    return ty / tt;
}

static double deviation(const partition *p, size_t i, size_t j)
{
    if (p->before[j].count - p->before[i].count < p->least_count) {
        return (double)INFINITY;
    }
    double mean = 0.0, variance = 0.0;
    line(p, i, j, MEAN, &mean);
    line(p, i, j, VARIANCE, &variance);
    return mean + variance;
}

static void solve(partition *p)
{
    for (size_t k = 0; k <= PHASES_MAX; k++) {
        for (size_t j = 0; j <= p->n; j++) {
            p->least[k][j] = k == 0 && j == 0 ? 0.0 : (double)INFINITY;
        }
    }
    for (size_t j = 1; j <= p->n; j++) {
        for (size_t i = 0; i < j; i++) {
            double here = deviation(p, i, j);
            for (size_t k = 1; k <= PHASES_MAX; k++) {
                if (p->least[k - 1][i] + here < p->least[k][j]) {
                    p->least[k][j] = p->least[k - 1][i] + here;
                    p->from[k][j] = (int)i;
                }
            }
        }
    }
}

static size_t choose_number(const partition *p, size_t max)
{
    double floor = LEAST_DEVIATION * (p->before[p->n].yy[MEAN] + p->before[p->n].yy[VARIANCE]);
    size_t best = 1;
    double least = (double)INFINITY;
    for (size_t k = 1; k <= PHASES_MAX && k <= max; k++) {
        double score = ldexp(p->least[k][p->n] + floor, (int)k);
        if (score < least) {
            least = score;
            best = k;
        }
    }
    return best;
}

/* ---- names and trends ---------------------------------------------------------------------- */

/* Rate of a curve per frame in each phase. */
static void set_rates(const partition *p, const size_t *boundary, size_t n, size_t c, double *rate)
{
    double left = 0.0;
    for (size_t k = 0; k < n; k++) {
        rate[k] = p->scale[c] * line(p, boundary[k], boundary[k + 1], c, &left);
    }
}

/* Median over frames of the size of the rate. */
static double median_rate(const ng_phase *phase, const double *rate, size_t n)
{
    double size[PHASES_MAX], frames[PHASES_MAX], total = 0.0, below = 0.0;
    for (size_t k = 0; k < n; k++) {
        size[k] = fabs(rate[k]);
        frames[k] = (double)(phase[k].last - phase[k].first + 1);
        total += frames[k];
    }
    gsl_sort2(size, 1, frames, 1, n);
    size_t k = 0;
    for (; k + 1 < n && below + frames[k] < 0.5 * total; k++) {
        below += frames[k];
    }
    return size[k];
}

static ng_trend trend_of(const ng_phase *phase, double rate, double typical)
{
    double change = rate * (double)(phase->last - phase->first);
    if (fabs(change) < LEAST_CHANGE || fabs(rate) < LEAST_RATE * typical) {
        return NG_FLAT;
    }
    return rate > 0.0 ? NG_RISING : NG_FALLING;
}

static void name_phases(const partition *p, const size_t *boundary, size_t n, ng_phase *phase)
{
    static const char *const roman[PHASES_MAX] = {"I",  "II",  "III",  "IV", "V",
                                                  "VI", "VII", "VIII", "IX"};
    double mean[PHASES_MAX], variance[PHASES_MAX];
    for (size_t k = 0; k < n; k++) {
        size_t end = boundary[k + 1] * p->block;
        phase[k] = (ng_phase){.first = boundary[k] * p->block,
                              .last = (end < p->n_frames ? end : p->n_frames) - 1};
        snprintf(phase[k].name, sizeof phase[k].name, "%s", roman[k]);
    }
    set_rates(p, boundary, n, MEAN, mean);
    set_rates(p, boundary, n, VARIANCE, variance);
    double typical_mean = median_rate(phase, mean, n);
    double typical_variance = median_rate(phase, variance, n);
    for (size_t k = 0; k < n; k++) {
        phase[k].mean_rate = mean[k];
        phase[k].variance_rate = variance[k];
        phase[k].mean = trend_of(&phase[k], mean[k], typical_mean);
        phase[k].variance = trend_of(&phase[k], variance[k], typical_variance);
    }
}

ng_status ng_phases_find(const ng_series *s, size_t max, ng_phase *phase, size_t *n_phases,
                         ng_error *err)
{
    partition *p = NG_NEW(partition, 1);
    *n_phases = 0;
    if (p == NULL) {
        return NG_FAIL(err, NG_MEMORY, "phases: no memory for %zu frames", s->n_frames);
    }
    if (max == 0 || set_scales(p, s) < 2) {
        ng_free(p);
        return NG_OK;
    }
    set_sums(p, s);
    solve(p);
    size_t n = choose_number(p, max);
    size_t boundary[PHASES_MAX + 1] = {0};
    boundary[n] = p->n;
    for (size_t k = n; k > 0; k--) {
        boundary[k - 1] = (size_t)p->from[k][boundary[k]];
    }
    name_phases(p, boundary, n, phase);
    ng_free(p);
    *n_phases = n;
    return NG_OK;
}

const char *ng_trend_name(ng_trend trend)
{
    return trend == NG_RISING ? "rising" : trend == NG_FALLING ? "falling" : "flat";
}
