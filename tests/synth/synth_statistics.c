/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "synth_statistics.h"

#include <gsl/gsl_cdf.h>

double chi_square_p(const double *count, const double *probability, size_t n, double draws)
{
    double chi2 = 0, seen = 0, expected = 0, seen_total = 0, expected_total = 0;
    double cells = 0;
    for (size_t i = 0; i < n; i++) {
        seen += count[i];
        expected += draws * probability[i];
        /* The rest of the distribution must be enough for a cell of its own. */
        if (expected >= 10 && draws - expected_total - expected >= 10) {
            chi2 += (seen - expected) * (seen - expected) / expected;
            cells++;
            seen_total += seen;
            expected_total += expected;
            seen = expected = 0;
        }
    }
    seen = draws - seen_total;
    expected = draws - expected_total;
    chi2 += (seen - expected) * (seen - expected) / expected;
    return gsl_cdf_chisq_Q(chi2, cells);
}
