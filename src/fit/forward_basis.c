/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Splines over time for S(t) and the shape. */
#include "forward_internal.h"

#include <gsl/gsl_bspline.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#define SUPPORT 4 /* coefficients that reach one time: a cubic's */
#define RIDGE 1e-6

static void fill(gsl_bspline_workspace *w, gsl_vector *value, double duration_s,
                 const double *time_s, forward_basis *out)
{
    size_t support = gsl_bspline_order(w), last = out->n - support;
    (void)gsl_bspline_knots_uniform(0.0, duration_s, w);
    for (size_t i = 0; i < out->count; i++) {
        size_t from, to;
        double time = fmin(fmax(time_s[i], 0.0), duration_s);
        (void)gsl_bspline_eval_nonzero(time, value, &from, &to, w);
        /* at the very end GSL's first may run past the last interval */
        size_t first = from < last ? from : last;
        out->first[i] = (unsigned)first;
        for (size_t k = 0; k < support; k++) {
            out->weight[SUPPORT * i + (from - first) + k] = gsl_vector_get(value, k);
        }
    }
}

ng_status ng_forward_basis_create(size_t order, size_t n, double duration_s, const double *time_s,
                                  size_t count, forward_basis *out, ng_error *err)
{
    *out = (forward_basis){.n = n, .count = count};
    out->first = NG_NEW(unsigned, count);
    out->weight = NG_NEW(double, SUPPORT *count);
    gsl_bspline_workspace *w = gsl_bspline_alloc(order, n + 2 - order);
    gsl_vector *value = gsl_vector_alloc(order);
    ng_status status = NG_OK;
    if (!out->first || !out->weight || !w || !value) {
        status = NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu times", count);
        ng_forward_basis_free(out);
        goto out;
    }
    fill(w, value, duration_s, time_s, out);

out:
    gsl_bspline_free(w);
    gsl_vector_free(value);
    return status;
}

void ng_forward_basis_free(forward_basis *basis)
{
    ng_free(basis->first);
    ng_free(basis->weight);
    *basis = (forward_basis){0};
}

double ng_forward_basis_value(const forward_basis *basis, const double *coefficient, size_t i)
{
    double sum = 0.0;
    for (size_t k = 0; k < SUPPORT && basis->first[i] + k < basis->n; k++) {
        sum += basis->weight[SUPPORT * i + k] * coefficient[basis->first[i] + k];
    }
    return sum;
}

ng_status ng_forward_basis_project(const forward_basis *basis, const double *value,
                                   double *coefficient, ng_error *err)
{
    size_t n = basis->n;
    gsl_matrix *m = gsl_matrix_calloc(n, n);
    gsl_vector *right = gsl_vector_calloc(n);
    ng_status status = NG_OK;
    if (!m || !right) {
        status = NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu coefficients", n);
        goto out;
    }
    double mean = 0.0;
    for (size_t i = 0; i < basis->count; i++) {
        mean += value[i] / (double)basis->count;
    }
    for (size_t i = 0; i < n; i++) { /* where there is no time, the mean */
        gsl_matrix_set(m, i, i, RIDGE);
        gsl_vector_set(right, i, RIDGE * mean);
    }
    for (size_t i = 0; i < basis->count; i++) {
        const double *weight = basis->weight + SUPPORT * i;
        size_t first = basis->first[i];
        for (size_t k = 0; k < SUPPORT && first + k < n; k++) {
            *gsl_vector_ptr(right, first + k) += weight[k] * value[i];
            for (size_t l = 0; l < SUPPORT && first + l < n; l++) {
                *gsl_matrix_ptr(m, first + k, first + l) += weight[k] * weight[l];
            }
        }
    }
    gsl_vector_view x = gsl_vector_view_array(coefficient, n);
    (void)gsl_linalg_cholesky_decomp1(m);
    (void)gsl_linalg_cholesky_solve(m, right, &x.vector);

out:
    gsl_matrix_free(m);
    gsl_vector_free(right);
    return status;
}
