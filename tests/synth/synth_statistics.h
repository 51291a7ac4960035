/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparing counts with a distribution. */
#ifndef SYNTH_STATISTICS_H
#define SYNTH_STATISTICS_H

#include <stddef.h>

/* Significance of the tests: seeds are fixed, so a p value below it is a defect, not bad luck. */
#define SIGNIFICANCE 1e-3

/* p value of Pearson's chi-square for `count[i]` against draws * probability[i], i < n.
 * Neighbouring cells are joined until 10 are expected; what is missing from a total probability of
 * 1 is a last cell. */
double chi_square_p(const double *count, const double *probability, size_t n, double draws);

#endif
