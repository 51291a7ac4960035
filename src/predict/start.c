/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size distributions to start from. */
#include "predict_internal.h"

#include <math.h>

/* A lognormal ends this many standard deviations from its point. */
#define REACH 6.0

double ng_start_median(double mean_n, double spread)
{
    return mean_n * exp(-0.5 * spread * spread);
}

double ng_start_last(const ng_start *start)
{
    double last = 1.0;
    for (size_t i = 0; i < start->count; i++) {
        last = fmax(last, start->n[i]);
    }
    return last * exp(REACH * start->spread);
}

/* Weight at the two whole sizes beside n, so that the mean is n. */
static double put_point(double n, double weight, long n_min, size_t count, double *density)
{
    const double below = floor(n), part = n - below;
    double kept = 0.0;
    for (int k = 0; k < 2; k++) {
        const double w = weight * (k == 0 ? 1.0 - part : part);
        const double row = below + k - (double)n_min;
        if (w > 0.0 && row >= 0.0 && row < (double)count) {
            density[(size_t)row] += w;
            kept += w;
        }
    }
    return kept;
}

static double put_lognormal(double n, double spread, double weight, long n_min, size_t count,
                            double *density)
{
    const double first = fmax(ceil(n * exp(-REACH * spread)), 1.0);
    const double last = floor(n * exp(REACH * spread));
    const double centre = log(n);
    double all = 0.0, kept = 0.0;
    for (double k = first; k <= last; k++) {
        const double x = (log(k) - centre) / spread;
        all += exp(-0.5 * x * x) / k;
    }
    for (double k = fmax(first, (double)n_min); all > 0.0 && k <= last; k++) {
        const double x = (log(k) - centre) / spread;
        const double row = k - (double)n_min, w = weight * exp(-0.5 * x * x) / (k * all);
        if (row < (double)count) {
            density[(size_t)row] += w;
            kept += w;
        }
    }
    return kept;
}

double ng_start_fill(const ng_start *start, long n_min, size_t count, double *density)
{
    double all = 0.0, kept = 0.0;
    for (size_t i = 0; i < count; i++) {
        density[i] = 0.0;
    }
    for (size_t i = 0; i < start->count; i++) {
        const double weight = start->weight != NULL ? start->weight[i] : 1.0, n = start->n[i];
        all += weight;
        if (weight > 0.0) {
            /* a peak narrower than a size has no shape */
            kept += start->spread * n > 1.0
                        ? put_lognormal(n, start->spread, weight, n_min, count, density)
                        : put_point(n, weight, n_min, count, density);
        }
    }
    if (!(kept > 0.0)) {
        return 1.0;
    }
    for (size_t i = 0; i < count; i++) {
        density[i] /= kept;
    }
    return fmax(1.0 - kept / all, 0.0);
}
