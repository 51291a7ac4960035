/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <math.h>

/* Fritsch and Butland's slope for even knots: the harmonic mean, 0 at an extremum. */
static double inner_slope(double left, double right)
{
    return left * right > 0.0 ? 2.0 * left * right / (left + right) : 0.0;
}

/* Three-point slope at an end, limited so that the cubic stays monotone. */
static double end_slope(double outer, double inner)
{
    double slope = (3.0 * outer - inner) / 2.0;
    if (slope * outer <= 0.0) {
        return 0.0;
    }
    bool turns = outer * inner < 0.0;
    return turns && fabs(slope) > 3.0 * fabs(outer) ? 3.0 * outer : slope;
}

void ng_pchip_slopes(const double *y, size_t n, double step, double *slope)
{
    if (n == 2) {
        slope[0] = slope[1] = (y[1] - y[0]) / step;
        return;
    }
    for (size_t k = 1; k + 1 < n; k++) {
        slope[k] = inner_slope((y[k] - y[k - 1]) / step, (y[k + 1] - y[k]) / step);
    }
    slope[0] = end_slope((y[1] - y[0]) / step, (y[2] - y[1]) / step);
    slope[n - 1] = end_slope((y[n - 1] - y[n - 2]) / step, (y[n - 2] - y[n - 3]) / step);
}

double ng_pchip_value(const double *y, const double *slope, double step, double x)
{
    double secant = (y[1] - y[0]) / step;
    double c2 = (3.0 * secant - 2.0 * slope[0] - slope[1]) / step;
    double c3 = (slope[0] + slope[1] - 2.0 * secant) / (step * step);
    return y[0] + x * (slope[0] + x * (c2 + x * c3));
}
