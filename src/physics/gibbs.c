/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/crystal.h>

#include <math.h>

double ng_gibbs_energy(double sigma, double volume_energy, double radius_nm)
{
    const double square = radius_nm * radius_nm;
    return 4 * M_PI * square * sigma + 4 * M_PI / 3 * square * radius_nm * volume_energy;
}

double ng_gibbs_critical_radius(double sigma, double volume_energy)
{
    return sigma > 0 && volume_energy < 0 ? -2 * sigma / volume_energy : (double)NAN;
}

double ng_gibbs_barrier(double sigma, double critical_nm)
{
    return 4 * M_PI / 3 * sigma * critical_nm * critical_nm;
}

double ng_gibbs_ratio(double x)
{
    return x * x * (3 - 2 * x);
}
