/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <math.h>

#define GROUPS 12
#define GROUP_POINTS 8 /* fewer in a group say little about its variance */
/* Power of a boundary that is uncertain by a constant width: dn ~ r^2. */
#define POWER_OF_AN_EDGE (2.0 / 3.0)

/* Squared estimates of the noise, and the size at which each was made. */
typedef struct noise_sample {
    double *level, *square; /* owned */
    size_t n;
} noise_sample;

static void sample_add(noise_sample *s, double level, double square)
{
    /* Smoothing may leave sizes that have no logarithm. */
    if (level >= 1.0 && isfinite(square)) {
        s->level[s->n] = level;
        s->square[s->n++] = square;
    }
}

/* What the filter took away, far enough from the ends that all its taps met data. */
static void collect_residuals(const ng_trajectories *t, const ng_fir *fir, noise_sample *s)
{
    double share = 1.0 - 2.0 * fir->tap[0] + ng_fir_noise_gain(fir);
    for (size_t i = 0; share > 1e-6 && i < t->n_tracks; i++) {
        for (size_t k = t->first[i] + NG_FIR_HALF; k + NG_FIR_HALF < t->first[i + 1]; k++) {
            double residual = t->n_raw[k] - t->n[k];
            sample_add(s, t->n[k], residual * residual / share);
        }
    }
}

static void collect_second_differences(const ng_trajectories *t, noise_sample *s)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i] + 1; k + 1 < t->first[i + 1]; k++) {
            if (t->frame[k + 1] - t->frame[k - 1] == 2) {
                double a = t->n_raw[k - 1], b = t->n_raw[k], c = t->n_raw[k + 1];
                /* The mean of three is independent of their second difference. */
                sample_add(s, (a + b + c) / 3.0, gsl_pow_2(a - 2.0 * b + c) / 6.0);
            }
        }
    }
}

/* Mean logarithm of size and logarithm of the s.d. in group g; false where there was no noise. */
static bool group_point(const noise_sample *s, size_t g, size_t groups, double *x, double *y)
{
    size_t from = g * s->n / groups, to = (g + 1) * s->n / groups;
    double sum_log = 0.0, sum_square = 0.0;
    for (size_t i = from; i < to; i++) {
        sum_log += log(s->level[i]);
        sum_square += s->square[i];
    }
    double count = (double)(to - from);
    *x = sum_log / count;
    *y = 0.5 * log(sum_square / count);
    return sum_square > 0.0;
}

static void fit_scale(const noise_sample *s, double power, ng_trajectories *t)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->square[i] / pow(s->level[i], 2.0 * power);
    }
    t->noise_power = power;
    t->noise_scale = s->n > 0 ? sqrt(sum / (double)s->n) : 0.0;
}

static void fit_power_law(const noise_sample *s, ng_trajectories *t)
{
    size_t groups = s->n / GROUP_POINTS < GROUPS ? s->n / GROUP_POINTS : GROUPS;
    double m = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (size_t g = 0; g < groups; g++) {
        double x = 0.0, y = 0.0;
        if (group_point(s, g, groups, &x, &y)) {
            m += 1.0;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }
    }
    double spread = sxx - sx * sx / m;
    if (m < 3.0 || spread < 1e-3 * m) {
        fit_scale(s, POWER_OF_AN_EDGE, t);
        return;
    }
    t->noise_power = (sxy - sx * sy / m) / spread;
    t->noise_scale = exp((sy - t->noise_power * sx) / m);
}

ng_smoothed_noise ng_trajectories_noise_at(const ng_trajectories *t, size_t before, size_t after)
{
    ng_smoothed_noise noise = {t->noise_gain, 0.0};
    if (t->ends_differ && before < NG_SMOOTHING_REACH) {
        noise.gain += t->noise_at_start[before].gain - t->noise_gain;
        noise.cross += t->noise_at_start[before].cross;
    }
    if (t->ends_differ && after < NG_SMOOTHING_REACH) {
        noise.gain += t->noise_at_start[after].gain - t->noise_gain;
        noise.cross -= t->noise_at_start[after].cross;
    }
    return noise;
}

ng_status ng_noise_estimate(ng_trajectories *t, const ng_fir *fir, bool published, ng_error *err)
{
    t->noise_gain = fir != NULL ? ng_fir_noise_gain(fir) : 1.0;
    t->ends_differ = fir != NULL && !published;
    if (t->ends_differ) {
        ng_fir_noise_at_start(fir, t->noise_at_start);
    }
    noise_sample s = {NG_NEW(double, t->n_points), NG_NEW(double, t->n_points), 0};
    ng_status status = NG_OK;
    if (s.level == NULL || s.square == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for %zu points", t->n_points);
        goto out;
    }
    if (fir != NULL) {
        collect_residuals(t, fir, &s);
    }
    if (s.n < GROUPS * GROUP_POINTS) {
        s.n = 0;
        collect_second_differences(t, &s);
    }
    gsl_sort2(s.level, 1, s.square, 1, s.n);
    fit_power_law(&s, t);
out:
    ng_free(s.level);
    ng_free(s.square);
    return status;
}
