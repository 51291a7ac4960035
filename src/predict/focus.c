/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where growth brings sizes together. */
#include <nucgrow/predict.h>

#include <math.h>

typedef struct rates {
    double attach, detach;             /* at n */
    double attach_slope, detach_slope; /* over two monomers */
} rates;

static double attach(const ng_growth_law *law, double n)
{
    return ng_attachment_rate(&law->parameters, law->delta, law->sigma_s_nm, n);
}

static double detach(const ng_growth_law *law, double n)
{
    return ng_detachment_rate(&law->parameters, law->delta, law->sigma_s_nm, n);
}

static rates rates_at(const ng_growth_law *law, double n)
{
    return (rates){.attach = attach(law, n),
                   .detach = detach(law, n),
                   .attach_slope = 0.5 * (attach(law, n + 1.0) - attach(law, n - 1.0)),
                   .detach_slope = 0.5 * (detach(law, n + 1.0) - detach(law, n - 1.0))};
}

double ng_growth_velocity(const ng_growth_law *law, double supersaturation, double n)
{
    return supersaturation * attach(law, n) - detach(law, n);
}

double ng_growth_slope(const ng_growth_law *law, double supersaturation, double n)
{
    const rates k = rates_at(law, n);
    return supersaturation * k.attach_slope - k.detach_slope;
}

/* Above which S: S (a' - c a/n) < d' - c d/n, the factor of S being negative. */
static double from_where(const rates *k, double n, double c)
{
    const double slope = k->attach_slope - c * k->attach / n;
    const double limit = (k->detach_slope - c * k->detach / n) / slope;
    return slope < 0.0 ? fmax(limit, 0.0) : (double)NAN;
}

ng_focus_limits ng_growth_focus_limits(const ng_growth_law *law, double n)
{
    const rates k = rates_at(law, n);
    const double below = k.detach_slope / k.attach_slope;
    return (ng_focus_limits){.number = k.attach_slope > 0.0 && below > 0.0 ? below : (double)NAN,
                             .radius = from_where(&k, n, 2.0 / 3.0),
                             .relative = from_where(&k, n, 1.0)};
}
