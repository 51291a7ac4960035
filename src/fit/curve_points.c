/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of a curve as they were measured: errors that go with the light, a limit of detection. */
#include "curve_internal.h"

#include <gsl/gsl_sf_erf.h>
#include <math.h>

#define LINE_TOLERANCE 0.2 /* mean relative distance of errors from a line that still is one */
#define LEAST_LEFT 0.05    /* of a variance: far below the limit nothing is seen but by mistake */

double ng_curve_points_raise(const curve_points *p, double y, double *slope)
{
    double slope_here = 1, raised = y;
    if (p->power == 3) { /* the power of all that are in use; pow() is most of the time of a fit */
        slope_here = 3 * y * y;
        raised = y * y * y;
    } else if (p->power != 1) {
        raised = pow(y, p->power);
        slope_here = p->power * raised / y;
    }
    *slope *= slope_here;
    return raised;
}

double ng_curve_points_y(const curve_points *p, size_t i)
{
    double slope = 1;
    return ng_curve_points_raise(p, p->data->y[i], &slope);
}

/* Error as given, of y to the power. */
static double given(const curve_points *p, size_t i)
{
    double se = p->data->se[i];
    (void)ng_curve_points_raise(p, p->data->y[i], &se);
    return se;
}

/* The line through squared errors that is nearest relative to them. */
static void find_line(curve_points *p)
{
    double w0 = 0, w1 = 0, w2 = 0, v0 = 0, v1 = 0, far = 0;
    const size_t n = p->data->n;
    p->least = (double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double y = ng_curve_points_y(p, i), s = given(p, i), w = 1 / (s * s * s * s);
        w0 += w;
        w1 += w * y;
        w2 += w * y * y;
        v0 += w * s * s;
        v1 += w * y * s * s;
    }
    const double det = w0 * w2 - w1 * w1;
    p->gain = det > 1e-12 * w0 * w2 ? (w0 * v1 - w1 * v0) / det : 0;
    p->gain = fmax(p->gain, 0);
    p->offset = (v0 - p->gain * w1) / w0;
    if (!(p->offset > 0)) {
        p->offset = 0;
        p->gain = v1 / w2;
    }
    for (size_t i = 0; i < n; i++) {
        const double s = given(p, i);
        far += fabs(sqrt(fmax(p->offset + p->gain * ng_curve_points_y(p, i), 0)) / s - 1);
        p->least = fmin(p->least, s);
    }
    p->counted = far < LINE_TOLERANCE * (double)n;
}

void ng_curve_points_prepare(const ng_curve_data *data, curve_points *out)
{
    *out = (curve_points){.data = data, .power = data->power > 0 ? data->power : 1};
    out->limit =
        data->limit > 0 && data->se != NULL ? pow(data->limit, out->power) : -(double)INFINITY;
    if (data->counted && data->se != NULL) {
        find_line(out);
    }
}

double ng_curve_points_error(const curve_points *p, size_t i, double model)
{
    if (p->data->se == NULL) {
        return 1;
    }
    if (!p->counted) {
        return given(p, i);
    }
    /* what is seen is at the limit or above: there is light in it */
    const double light = fmax(fmax(model, p->limit), 0);
    return fmax(sqrt(p->offset + p->gain * light), p->least);
}

double ng_curve_points_mean(const curve_points *p, double model, double error, double *left)
{
    const double sd = error * p->share, below = (p->limit - model) / sd;
    if (!(below > -5) || !(sd > 0)) {
        *left = 1;
        return model;
    }
    const double hazard = gsl_sf_hazard(below);
    *left = fmax(1 - hazard * (hazard - below), LEAST_LEFT);
    return model + sd * hazard;
}
