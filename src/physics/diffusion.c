/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growth of a crystal by diffusion: constant solution with boundary layer and surface step, and a
 * share of solution that the crystal uses up. */
#include <nucgrow/crystal.h>

#include <math.h>

#define SQRT3 1.7320508075688772935
#define SERIES_BELOW 0.3

ng_diffusion_law ng_diffusion_parabolic(double product_nm2_per_s)
{
    return (ng_diffusion_law){.product_nm2_per_s = product_nm2_per_s, .layer_nm = (double)INFINITY};
}

static bool is_law(const ng_diffusion_law *law)
{
    return isfinite(law->product_nm2_per_s) && law->layer_nm > 0 && law->surface_nm >= 0 &&
           law->capillary_nm >= 0;
}

double ng_diffusion_rate(const ng_diffusion_law *law, double radius_nm)
{
    if (!is_law(law) || !(radius_nm > 0)) {
        return (double)NAN;
    }
    const double gradient = 1 / radius_nm + 1 / law->layer_nm;
    const double excess =
        law->capillary_nm > 0 ? law->solubility_ratio * expm1(law->capillary_nm / radius_nm) : 0;
    return law->product_nm2_per_s * gradient / (1 + law->surface_nm * gradient) * (1 - excess);
}

/* y - ln(1+y) for y >= 0 without loss at small y. */
static double beyond_log(double y)
{
    if (y > 0.1) {
        return y - log1p(y);
    }
    double sum = 0, power = y;
    for (int m = 2; m < 18; m++) {
        power *= -y;
        sum -= power / m;
    }
    return sum;
}

/* int_0^r r layer/(r + layer) dr */
static double layer_integral(double layer_nm, double radius_nm)
{
    return isinf(layer_nm) ? radius_nm * radius_nm / 2
                           : layer_nm * layer_nm * beyond_log(radius_nm / layer_nm);
}

/* The same between two radii, of which the second begins where the first ends. */
static double layer_step(double layer_nm, double r0_nm, double radius_nm)
{
    const double step = radius_nm - r0_nm;
    if (isinf(layer_nm)) {
        return step * (radius_nm + r0_nm) / 2;
    }
    const double wide = layer_nm + r0_nm;
    return r0_nm == 0 ? layer_integral(layer_nm, radius_nm)
                      : layer_nm * (step * r0_nm / wide + layer_nm * beyond_log(step / wide));
}

double ng_diffusion_time(const ng_diffusion_law *law, double r0_nm, double radius_nm)
{
    if (!is_law(law) || law->capillary_nm > 0 || !(r0_nm >= 0 && radius_nm >= r0_nm) ||
        !(law->product_nm2_per_s > 0)) {
        return (double)NAN;
    }
    return (layer_step(law->layer_nm, r0_nm, radius_nm) + law->surface_nm * (radius_nm - r0_nm)) /
           law->product_nm2_per_s;
}

double ng_diffusion_radius(const ng_diffusion_law *law, double r0_nm, double time_s)
{
    if (!(time_s >= 0) || isnan(ng_diffusion_time(law, r0_nm, r0_nm))) {
        return (double)NAN;
    }
    const double way = law->product_nm2_per_s * time_s, s = law->surface_nm;
    /* with a layer it is faster than without: from below, Newton on a convex function of r */
    double r = sqrt((r0_nm + s) * (r0_nm + s) + 2 * way) - s;
    for (int i = 0; i < 60 && !isinf(law->layer_nm); i++) {
        const double gap = layer_step(law->layer_nm, r0_nm, r) + s * (r - r0_nm) - way;
        const double step = gap / (r * law->layer_nm / (r + law->layer_nm) + s);
        if (!(fabs(step) > 1e-15 * r)) {
            break;
        }
        r -= step;
    }
    return r;
}

/* ---- depletion ------------------------------------------------------------------------------ */

/* G and H together: they share their logarithms. */
static void depletion_integrals(double x, double *g, double *h)
{
    if (x < SERIES_BELOW) {
        const double cube = x * x * x;
        double power = x, sum_g = 0, sum_h = 0;
        for (int m = 0; m < 12; m++, power *= cube) {
            sum_h += power / (3 * m + 1);
            sum_g += power / (3 * m + 2);
        }
        *h = sum_h;
        *g = sum_g * x;
        return;
    }
    const double logs = (log1p(x * (1 + x)) - 2 * log1p(-x)) / 6;
    /* atan((2x+1)/sqrt3) - pi/6, as one angle */
    const double angle = atan2(SQRT3 * x, 2 + x) / SQRT3;
    *g = logs - angle;
    *h = logs + angle;
}

double ng_depletion_time(double x, double s)
{
    if (!(x >= 0 && x <= 1 && s >= 0)) {
        return (double)NAN;
    }
    if (x == 1) {
        return (double)INFINITY;
    }
    double g, h;
    depletion_integrals(x, &g, &h);
    return g + s * h;
}

/* Near enough for Newton: the parabola at the start, the exponential approach at the end. */
static double first_size(double tau, double s)
{
    static const double late_g = -0.11919932034499455, late_h = 0.48540076736437106;
    const double parabola = tau > 0 ? 2 * tau / (sqrt(s * s + 2 * tau) + s) : 0;
    if (parabola < 0.6) {
        return parabola;
    }
    const double gap = exp((late_g + s * late_h - tau) * 3 / (1 + s));
    return gap < 0.5 ? 1 - gap : 0.6;
}

double ng_depletion_size(double tau, double s, double *slope, double *by_s)
{
    if (!(tau >= 0 && s >= 0)) {
        return (double)NAN;
    }
    double x = first_size(tau, s), g = 0, h = 0, low = 0, high = 1;
    for (int i = 0; i < 60 && x > 0 && x < 1; i++) {
        depletion_integrals(x, &g, &h);
        const double gap = g + s * h - tau;
        *(gap > 0 ? &high : &low) = x;
        const double step = gap * (1 - x * x * x) / (x + s);
        if (fabs(step) < 1e-9 * x * (1 - x)) { /* squared by the last step */
            x -= step;
            break;
        }
        x = x - step > low && x - step < high ? x - step : (low + high) / 2;
    }
    const double pace = (1 - x * x * x) / (x + s);
    if (slope != NULL) {
        *slope = pace;
    }
    if (by_s != NULL) {
        *by_s = x > 0 ? -h * pace : 0;
    }
    return x;
}
