/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that fit curves of growth. */
#ifndef NUCGROW_CURVE_INTERNAL_H
#define NUCGROW_CURVE_INTERNAL_H

#include <nucgrow/crystal_fit.h>

#include <gsl/gsl_multifit_nlinear.h>

#define CURVE_NONE ((size_t)-1)
#define NG_CURVE_TUKEY 4.685 /* 95 % efficiency where there are no outliers */

/* One fit under way. */
typedef struct curve_problem {
    const ng_curve_law *law;
    ng_curve_data data;
    double lower[NG_CURVE_MAX], upper[NG_CURVE_MAX]; /* of the parameter or its logarithm */
    double u[NG_CURVE_MAX];                          /* where residual and jacobian were taken */
    size_t held;      /* index of the parameter that a profile holds, or CURVE_NONE */
    double *weight;   /* owned: everything below is part of it */
    double *residual; /* (model - y) / se */
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
