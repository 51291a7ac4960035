/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that fit curves of growth. */
#ifndef NUCGROW_CURVE_INTERNAL_H
#define NUCGROW_CURVE_INTERNAL_H

#include <nucgrow/crystal_fit.h>

#include <gsl/gsl_multifit_nlinear.h>

#define CURVE_NONE ((size_t)-1)
#define NG_CURVE_TUKEY 4.685 /* 95 % efficiency where there are no outliers */

/* Points as residuals are taken of them. */
typedef struct curve_points {
    const ng_curve_data *data;
    double power, limit;        /* limit of y^power; -INFINITY: none */
    bool counted;               /* variance offset + gain y^power of the curve; else as given */
    double offset, gain, least; /* no error is smaller than the least given */
    double share; /* of the errors that is scatter about the curve: given errors may be too large */
} curve_points;

void ng_curve_points_prepare(const ng_curve_data *data, curve_points *out);
/* y^power; `slope` is multiplied by its derivative. */
double ng_curve_points_raise(const curve_points *p, double y, double *slope);
/* The same of a point. */
double ng_curve_points_y(const curve_points *p, size_t i);
/* Error of a point where the curve is at `model` (to the power). */
double ng_curve_points_error(const curve_points *p, size_t i, double model);
/* Mean of what can be seen of such a point, and how much of its variance is left. */
double ng_curve_points_mean(const curve_points *p, double model, double error, double *left);

/* One fit under way. */
typedef struct curve_problem {
    const ng_curve_law *law;
    ng_curve_data data;
    curve_points points;
    double lower[NG_CURVE_MAX], upper[NG_CURVE_MAX]; /* of the parameter or its logarithm */
    double u[NG_CURVE_MAX];                          /* where residual and jacobian were taken */
    size_t held;      /* index of the parameter that a profile holds, or CURVE_NONE */
    double *weight;   /* owned: everything below is part of it */
    double *residual; /* (model - y) / unit, both to the power */
    double *model;    /* law to the power */
    double *error;    /* of the points, at the curve of the last round */
    double *unit;     /* s.d. of what can be seen of a point: less than its error at the limit */
    double *scratch;
    double *jacobian; /* n x NG_CURVE_MAX, by u */
    double scale;
    size_t iterations;
    gsl_multifit_nlinear_workspace *all, *fewer; /* owned, made when needed */
} curve_problem;

double ng_curve_from_u(const curve_problem *p, size_t j, double u);
double ng_curve_to_u(const curve_problem *p, size_t j, double value);
/* From p->u to the least weighted cost; leaves the problem evaluated there. */
bool ng_curve_search(curve_problem *p, size_t max_iterations, double tolerance);
double ng_curve_weighted_cost(const curve_problem *p);
/* Standard errors, correlation, effective number and intervals of the estimate that p stands at. */
void ng_curve_intervals(curve_problem *p, const ng_curve_options *options, ng_curve_fit *out);

#endif
