/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/crystal.h>

#include <math.h>

double ng_sugimoto_rate(double k_nm3_per_s, double critical_nm, double radius_nm)
{
    if (!(critical_nm > 0 && radius_nm > 0)) {
        return (double)NAN;
    }
    return k_nm3_per_s * (radius_nm - critical_nm) / (critical_nm * radius_nm * radius_nm);
}

double ng_sugimoto_slope(double k_nm3_per_s, double critical_nm, double radius_nm)
{
    if (!(critical_nm > 0 && radius_nm > 0)) {
        return (double)NAN;
    }
    const double square = radius_nm * radius_nm;
    return k_nm3_per_s * (2 * critical_nm - radius_nm) / (critical_nm * square * radius_nm);
}

double ng_sugimoto_time(double k_nm3_per_s, double critical_nm, double r0_nm, double radius_nm)
{
    const double from = r0_nm - critical_nm, to = radius_nm - critical_nm;
    if (!(k_nm3_per_s > 0 && critical_nm > 0 && r0_nm > 0 && radius_nm > 0 && from * to > 0)) {
        return (double)NAN;
    }
    const double way = radius_nm - r0_nm;
    return critical_nm / k_nm3_per_s *
           (way * (radius_nm + r0_nm) / 2 + critical_nm * way +
            critical_nm * critical_nm * log1p(way / from));
}

double ng_sugimoto_radius(double k_nm3_per_s, double critical_nm, double r0_nm, double time_s)
{
    if (!(time_s >= 0) || !(r0_nm > critical_nm) ||
        isnan(ng_sugimoto_time(k_nm3_per_s, critical_nm, r0_nm, r0_nm))) {
        return (double)NAN;
    }
    /* Growth without the critical radius is faster: the parabola lies above, r0 below. */
    double low = r0_nm, high = sqrt(r0_nm * r0_nm + 2 * k_nm3_per_s * time_s / critical_nm);
    double r = low + (high - low) / 2;
    for (int i = 0; i < 200 && r > low && r < high; i++) {
        const double gap = ng_sugimoto_time(k_nm3_per_s, critical_nm, r0_nm, r) - time_s;
        *(gap > 0 ? &high : &low) = r;
        const double next = r - gap * ng_sugimoto_rate(k_nm3_per_s, critical_nm, r);
        const double before = r;
        r = next > low && next < high ? next : low + (high - low) / 2;
        if (!(fabs(r - before) > 1e-15 * r)) {
            break;
        }
    }
    return r;
}
