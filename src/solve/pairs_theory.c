/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates of diffusing pairs that are known in closed form. */
#include <nucgrow/pairs.h>

#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#define PI 3.14159265358979323846

double ng_smoluchowski_rate(double diffusion_nm2_per_s, double contact_nm, double time_s)
{
    return 4.0 * PI * diffusion_nm2_per_s * contact_nm *
           (1.0 + contact_nm / sqrt(PI * diffusion_nm2_per_s * time_s));
}

double ng_collins_kimball_rate(double diffusion_nm2_per_s, double contact_nm,
                               double intrinsic_nm3_per_s, double time_s)
{
    const double diffusive = 4.0 * PI * diffusion_nm2_per_s * contact_nm;
    const double share = intrinsic_nm3_per_s / diffusive;
    const double y = (1.0 + share) * sqrt(diffusion_nm2_per_s * time_s) / contact_nm;
    /* exp(y^2) erfc(y), which neither overflows nor vanishes in this form */
    const double scaled = y < 5.0 ? exp(y * y) * erfc(y) : exp(y * y + gsl_sf_log_erfc(y));
    return intrinsic_nm3_per_s / (1.0 + share) * (1.0 + share * scaled);
}

double ng_self_preserving(double x, double a)
{
    const double w = exp(gsl_sf_lngamma(a + 1.5) - gsl_sf_lngamma(a + 1.0)), z = w * x;
    if (!(x > 0)) {
        return 0.0;
    }
    return 2.0 * w * exp((2.0 * a + 1.0) * log(z) - z * z - gsl_sf_lngamma(a + 1.0));
}
