/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ranges of sizes, their rates, what distributions over them amount to. */
#include "solve_internal.h"

#include <math.h>

size_t ng_size_count(const ng_size_range *sizes)
{
    return (size_t)(sizes->n_max - sizes->n_min) + 1;
}

ng_status ng_size_range_check(const ng_size_range *sizes, ng_warnings *warnings, ng_error *err)
{
    const long n_min = sizes->n_min, n_max = sizes->n_max;
    if (n_min < 1 || n_max <= n_min || n_max - n_min >= NG_SOLVE_SIZES_MAX) {
        return NG_FAIL(err, NG_INVALID,
                       "sizes from n = %ld to %ld; n_min must be at least 1, n_max larger, and "
                       "there may be %d sizes at most",
                       n_min, n_max, NG_SOLVE_SIZES_MAX);
    }
    if (n_min >= NG_SOLVE_N_MIN) {
        return NG_OK;
    }
    if (!sizes->below_50) {
        return NG_FAIL(err, NG_INVALID,
                       "n_min is %ld; the lattice model of particles means nothing below n = %d. "
                       "Start there, or ask for smaller sizes explicitly (below_50)",
                       n_min, NG_SOLVE_N_MIN);
    }
    ng_warnings_add(warnings, "below-50",
                    "Sizes from n = %ld are computed: below n = %d the lattice model of particles "
                    "means nothing, results are those of the rates as given.",
                    n_min, NG_SOLVE_N_MIN);
    return NG_OK;
}

ng_status ng_size_rates(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                        const ng_size_range *sizes, double *attach, double *detach, ng_error *err)
{
    const size_t count = ng_size_count(sizes);
    const double first = (double)sizes->n_min;
    ng_potential_table(p, delta, first, count, detach); /* mu_n: needed one row later */
    double below = ng_detachment_rate(p, delta, sigma_s_nm, first);
    for (size_t i = 0; i < count; i++) {
        const double mu = detach[i];
        attach[i] = ng_attachment_rate(p, delta, sigma_s_nm, first + (double)i);
        detach[i] = below;
        below = attach[i] * exp(mu);
        if (!isfinite(attach[i]) || !isfinite(detach[i])) {
            return NG_FAIL(err, NG_DOMAIN,
                           "rates at n = %g are %g/s and %g/s; delta is %g (1 to 2), sigma_s %g nm",
                           first + (double)i, attach[i], detach[i], delta, sigma_s_nm);
        }
    }
    return NG_OK;
}

ng_status ng_solve_check_rows(const double *row, size_t count, long n_min, const char *what,
                              ng_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!(row[i] >= 0) || !isfinite(row[i])) {
            return NG_FAIL(err, NG_INVALID,
                           "%s at n = %ld is %g; it must be finite and not negative", what,
                           n_min + (long)i, row[i]);
        }
    }
    return NG_OK;
}

/* ---- sums over sizes ------------------------------------------------------------------------- */

/* Neumaier's sum: what rounding loses is kept, so that a million sizes add up to 1e-16. */
typedef struct exact_sum {
    double sum, lost;
} exact_sum;

static void add(exact_sum *s, double x)
{
    const double sum = s->sum + x;
    s->lost += fabs(s->sum) >= fabs(x) ? (s->sum - sum) + x : (x - sum) + s->sum;
    s->sum = sum;
}

static double total(const exact_sum *s)
{
    return s->sum + s->lost;
}

void ng_solve_sums(const ng_solve_rows *rows, ng_size_state *out)
{
    exact_sum number = {0}, mass = {0}, squares = {0};
    for (size_t i = rows->begin; i < rows->end; i++) {
        const double rho = rows->value[i * rows->stride];
        add(&number, rho);
        add(&mass, (double)(rows->n_min + (long)i) * rho);
    }
    out->number = total(&number);
    out->mass = total(&mass);
    out->mean_n = out->var_n = (double)NAN;
    if (!(out->number > 0)) {
        return;
    }
    out->mean_n = out->mass / out->number;
    for (size_t i = rows->begin; i < rows->end; i++) {
        const double dn = (double)(rows->n_min + (long)i) - out->mean_n;
        add(&squares, dn * dn * rows->value[i * rows->stride]);
    }
    out->var_n = total(&squares) / out->number;
}

void ng_solve_warn(const ng_size_state *state, double top, const ng_size_range *sizes,
                   ng_warnings *warnings)
{
    const double all = state->number + state->dissolved;
    if (state->dissolved > 1e-12 * all) {
        ng_warnings_add(warnings, "dissolved",
                        "%.3g %% of the particles fell below n = %ld and were removed; what "
                        "happens to them there is not computed.",
                        100.0 * state->dissolved / all, sizes->n_min);
    }
    if (top > 1e-15 * state->number) {
        ng_warnings_add(warnings, "top",
                        "%.3g of the particles have gathered at n = %ld, the largest size: they "
                        "would have grown beyond it.",
                        top / state->number, sizes->n_max);
    }
}
