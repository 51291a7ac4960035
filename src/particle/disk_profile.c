/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/detect.h>

#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>

/* exp(-x) I_n(x) without GSL's error handler, which a large argument would call: the asymptotic
 * series is exact to a few roundings there. */
static double scaled_bessel(int n, double x)
{
    if (x < 500.0) {
        return n == 0 ? gsl_sf_bessel_I0_scaled(x) : gsl_sf_bessel_I1_scaled(x);
    }
    const double m = 4.0 * n * n, t = 1.0 / (8.0 * x);
    const double first = (m - 1.0) * t, second = first * (m - 9.0) * t / 2.0;
    const double third = second * (m - 25.0) * t / 3.0, fourth = third * (m - 49.0) * t / 4.0;
    return (1.0 - first + second - third + fourth) / sqrt(2.0 * M_PI * x);
}

void ng_disk_slopes(double P, double R, double *by_P, double *by_R)
{
    const double weight = R * exp(-0.5 * (R - P) * (R - P)), x = R * P;
    *by_P = -weight * scaled_bessel(1, x);
    *by_R = weight * scaled_bessel(0, x);
}

/* Gauss-Legendre, 10 points a unit: the integrand is a Gaussian of s.d. near 1. */
static const double node[5] = {0.1488743389816312, 0.4333953941292472, 0.6794095682990244,
                               0.8650633666889845, 0.9739065285171717};
static const double weight[5] = {0.2955242247147529, 0.2692667193099964, 0.2190863625159820,
                                 0.1494513491505806, 0.0666713443086881};

static double density(double t, double P)
{
    return t * exp(-0.5 * (t - P) * (t - P)) * scaled_bessel(0, t * P);
}

static double integral(double P, double from, double to)
{
    const size_t parts = (size_t)ceil(to - from) + 1;
    const double half = 0.5 * (to - from) / (double)parts;
    double sum = 0.0;
    for (size_t i = 0; i < parts; i++) {
        const double middle = from + half * (double)(2 * i + 1);
        for (size_t k = 0; k < 5; k++) {
            sum += half * weight[k] *
                   (density(middle - half * node[k], P) + density(middle + half * node[k], P));
        }
    }
    return sum;
}

double ng_disk_profile(double P, double R)
{
    const double reach = 9.0; /* exp(-9^2/2) = 3e-18 */
    if (R > P + reach) {
        return 1.0;
    }
    if (R <= P) {
        const double from = fmax(0.0, P - reach);
        return R > from ? integral(P, from, R) : 0.0;
    }
    return 1.0 - integral(P, R, P + reach);
}
