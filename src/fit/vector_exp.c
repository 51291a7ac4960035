/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alone in its file: built with relaxed floating point so that the compiler may call the C
 * library's vector exponential, which is what makes a table of them cheap. */
#include "fit_internal.h"

#include <math.h>

#define EXPONENT_MAX 60.0 /* keeps far-off trial points finite */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void ng_rate_boltzmann(const double *face, const double *edge, const double *log1p_n, size_t n,
                    const ng_growth_parameters *q, double *out)
{
    const double eps_f = q->eps_f, eps_e = q->eps_e, alpha4 = q->alpha4;
    for (size_t i = 0; i < n; i++) {
        double mu = face[i] * eps_f + edge[i] * eps_e - alpha4 * log1p_n[i];
        mu = mu < -EXPONENT_MAX ? -EXPONENT_MAX : mu;
        mu = mu > EXPONENT_MAX ? EXPONENT_MAX : mu;
        out[i] = exp(mu);
    }
}
