/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slopes of the not-a-knot cubic spline on an even grid: what the published estimator differentiates
 * trajectories with. */
#include "ensemble_internal.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>

#define MIN_KNOTS 4 /* below, a cubic is not determined */

static void fill_system(const double *x, size_t n, double step, double *diag, double *above,
                        double *below, double *right)
{
    for (size_t i = 1; i + 1 < n; i++) {
        diag[i] = 4.0;
        above[i] = below[i - 1] = 1.0;
        right[i] = 3.0 * (x[i + 1] - x[i - 1]) / step;
    }
    /* the third derivative does not jump at the second and the last but one knot */
    diag[0] = diag[n - 1] = 1.0;
    above[0] = below[n - 2] = 2.0;
    right[0] = 0.5 * (5.0 * (x[1] - x[0]) + (x[2] - x[1])) / step;
    right[n - 1] = 0.5 * (5.0 * (x[n - 1] - x[n - 2]) + (x[n - 2] - x[n - 3])) / step;
}

ng_status ng_spline_slopes(const double *x, size_t n, double step, double *slope, ng_error *err)
{
    if (n < MIN_KNOTS) {
        ng_time_derivative(x, n, step, slope);
        return NG_OK;
    }
    double *work = NG_NEW(double, 4 * n);
    if (work == NULL) {
        return NG_FAIL(err, NG_MEMORY, "spline: no memory for %zu knots", n);
    }
    double *diag = work, *above = work + n, *below = work + 2 * n, *right = work + 3 * n;
    fill_system(x, n, step, diag, above, below, right);
    gsl_vector_const_view d = gsl_vector_const_view_array(diag, n);
    gsl_vector_const_view a = gsl_vector_const_view_array(above, n - 1);
    gsl_vector_const_view b = gsl_vector_const_view_array(below, n - 1);
    gsl_vector_const_view r = gsl_vector_const_view_array(right, n);
    gsl_vector_view s = gsl_vector_view_array(slope, n);
    int code = gsl_linalg_solve_tridiag(&d.vector, &a.vector, &b.vector, &r.vector, &s.vector);
    ng_free(work);
    return code == GSL_SUCCESS
               ? NG_OK
               : NG_FAIL(err, NG_NUMERIC, "spline: %zu knots are not finite numbers", n);
}
