/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alone in its file: built with relaxed floating point so that the compiler may call the C library's
 * vector exponential, which is what makes a table of them cheap. */
#include "fit_internal.h"

#include <math.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void rate_exp(const double *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = exp(x[i]);
    }
}
