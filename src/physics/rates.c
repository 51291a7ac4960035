/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates at which monomers attach to and detach from an n-mer. */
#include <nucgrow/physics.h>

#include <math.h>

double ng_attachment_rate(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                          double n)
{
    if (!(n >= 1) || !(sigma_s_nm > 0)) {
        return (double)NAN;
    }
    const double radius = cbrt(n); /* in units of sigma_s */
    const double sphere_nm2 = 4 * M_PI * sigma_s_nm * sigma_s_nm * radius * radius;
    const double surface_nm2 = ng_shape_surface_factor(delta) * sphere_nm2;
    return surface_nm2 * p->kr / (1 + p->K * radius);
}

double ng_detachment_rate(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                          double n)
{
    if (n == 1) {
        return 0;
    }
    return ng_attachment_rate(p, delta, sigma_s_nm, n - 1) * exp(ng_potential(p, delta, n - 1));
}
