/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a flux along sizes moves the moments of an ensemble. */
#include <nucgrow/ensemble.h>

#include <gsl/gsl_math.h>

double ng_moment_flow(const double *flux_per_s, double n_first, size_t count, int q, double moment,
                      double growth_per_s, double entry_n)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double n = n_first + (double)i;
        sum += (gsl_pow_int(n + 1.0, q) - gsl_pow_int(n, q)) * flux_per_s[i];
    }
    return sum + growth_per_s * (gsl_pow_int(entry_n, q) - moment);
}

double ng_variance_flow(const double *flux_per_s, double n_first, size_t count, double mean,
                        double variance, double growth_per_s, double entry_n)
{
    double sum = 0.0, entry = mean - entry_n;
    for (size_t i = 0; i < count; i++) {
        sum += (2.0 * (n_first + (double)i - mean) + 1.0) * flux_per_s[i];
    }
    return sum + growth_per_s * (entry * entry - variance);
}
