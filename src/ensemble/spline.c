/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slopes of the not-a-knot cubic spline: what the published estimator differentiates with. */
#include "ensemble_internal.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#define MIN_KNOTS 4 /* below, the two not-a-knot conditions do not determine a cubic */

typedef struct knots {
    const double *x, *time; /* `time` NULL: `step` apart */
    double step;
    size_t n;
} knots;

static double width(const knots *k, size_t i)
{
    return k->time != NULL ? k->time[i + 1] - k->time[i] : k->step;
}

static double secant(const knots *k, size_t i)
{
    return (k->x[i + 1] - k->x[i]) / width(k, i);
}

/* The parabola through three points, the line through two. */
static void few_slopes(const knots *k, double *slope)
{
    double first = k->n > 1 ? secant(k, 0) : (double)NAN;
    for (size_t i = 0; i < k->n; i++) {
        slope[i] = first;
    }
    if (k->n == 3) {
        double left = width(k, 0), right = width(k, 1);
        double bend = (secant(k, 1) - first) / (left + right);
        slope[0] -= left * bend;
        slope[1] += left * bend;
        slope[2] += (left + 2.0 * right) * bend;
    }
}

/* The slope at an end and the one next to it, such that the third derivative does not jump there.
 * `near` is the interval at the end, `next` the one beside it. */
static double end_condition(double near, double near_secant, double next, double next_secant)
{
    double both = near + next;
    return ((near + 2.0 * both) * next * near_secant + near * near * next_secant) / both;
}

static void fill_system(const knots *k, double *diag, double *above, double *below, double *right)
{
    size_t last = k->n - 1;
    for (size_t i = 1; i < last; i++) {
        double before = width(k, i - 1), after = width(k, i);
        diag[i] = 2.0 * (before + after);
        above[i] = before;
        below[i - 1] = after;
        right[i] = 3.0 * (after * secant(k, i - 1) + before * secant(k, i));
    }
    double a = width(k, 0), b = width(k, 1);
    diag[0] = b;
    above[0] = a + b;
    right[0] = end_condition(a, secant(k, 0), b, secant(k, 1));
    a = width(k, last - 1);
    b = width(k, last - 2);
    diag[last] = b;
    below[last - 1] = a + b;
    right[last] = end_condition(a, secant(k, last - 1), b, secant(k, last - 2));
}

static ng_status solve(const knots *k, double *slope, ng_error *err)
{
    if (k->n < MIN_KNOTS) {
        few_slopes(k, slope);
        return NG_OK;
    }
    size_t n = k->n;
    double *work = NG_NEW(double, 4 * n);
    if (work == NULL) {
        return NG_FAIL(err, NG_MEMORY, "spline: no memory for %zu knots", n);
    }
    double *diag = work, *above = work + n, *below = work + 2 * n, *right = work + 3 * n;
    fill_system(k, diag, above, below, right);
    gsl_vector_const_view d = gsl_vector_const_view_array(diag, n);
    gsl_vector_const_view a = gsl_vector_const_view_array(above, n - 1);
    gsl_vector_const_view b = gsl_vector_const_view_array(below, n - 1);
    gsl_vector_const_view r = gsl_vector_const_view_array(right, n);
    gsl_vector_view s = gsl_vector_view_array(slope, n);
    int code = gsl_linalg_solve_tridiag(&d.vector, &a.vector, &b.vector, &r.vector, &s.vector);
    ng_free(work);
    return code == GSL_SUCCESS
               ? NG_OK
               : NG_FAIL(err, NG_NUMERIC, "spline: %zu knots are not at increasing times", n);
}

ng_status ng_spline_slopes(const double *x, size_t n, double step, double *slope, ng_error *err)
{
    knots k = {.x = x, .step = step, .n = n};
    return solve(&k, slope, err);
}

ng_status ng_spline_slopes_uneven(const double *x, const double *time, size_t n, double *slope,
                                  ng_error *err)
{
    knots k = {.x = x, .time = time, .n = n};
    return solve(&k, slope, err);
}
