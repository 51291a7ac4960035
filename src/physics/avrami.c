/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/crystal.h>

#include <math.h>

double ng_avrami_fraction(double rate_per_s, double n, double time_s)
{
    if (!(rate_per_s > 0 && n > 0) || isnan(time_s)) {
        return (double)NAN;
    }
    return time_s > 0 ? -expm1(-pow(rate_per_s * time_s, n)) : 0;
}

double ng_avrami_time(double rate_per_s, double n, double fraction)
{
    if (!(rate_per_s > 0 && n > 0 && fraction >= 0 && fraction < 1)) {
        return (double)NAN;
    }
    return pow(-log1p(-fraction), 1 / n) / rate_per_s;
}

const ng_avrami_mode *ng_avrami_modes(void)
{
    static const ng_avrami_mode modes[NG_N_AVRAMI_MODES] = {
        {"interface", 3, 4, 3},     {"interface", 2, 3, 2}, {"interface", 1, 2, 1},
        {"diffusion", 3, 2.5, 1.5}, {"diffusion", 2, 2, 1}, {"diffusion", 1, 1.5, 0.5},
    };
    return modes;
}
