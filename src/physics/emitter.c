/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The light of a crystal and its size. */
#include <nucgrow/emitter.h>

#include <ctype.h>
#include <math.h>

#define RANGE_STEPS 2000
#define FLAT_POWER 0.3

static const ng_emitter fapbbr3 = {
    .name = "FAPbBr3",
    .title = "Formamidinium lead bromide",
    .source = "Liu et al., Nat. Commun. (2025), doi 10.1038/s41467-025-60826-x; gap, mass and "
              "permittivity at 2 K",
    .sizing = NG_SIZING_VOLUME,
    .brus = {2.233, 0.115, 8.42},
    .radius_min_nm = 0.2,
    .radius_max_nm = 3.0,
    .absorption_power = 3,
    .excitation_nm = 488,
    .edge_eV = 0.03,
    .band_low_nm = 500,
    .band_high_nm = 548,
    .band_transmission = 0.97,
    .line_nm = 20,
};

const ng_emitter *ng_emitter_find(const char *name)
{
    for (const char *own = fapbbr3.name;
         tolower((unsigned char)*own) == tolower((unsigned char)*name); own++, name++) {
        if (*own == '\0') {
            return &fapbbr3;
        }
    }
    return NULL;
}

const char *ng_sizing_name(ng_sizing sizing)
{
    static const char *const name[] = {"volume", "brus", "table"};
    return name[sizing];
}

const char *ng_radius_flag_name(ng_radius_flag flag)
{
    static const char *const name[NG_N_RADIUS_FLAGS] = {
        "ok", "not-positive", "below-range", "above-range", "not-excitable", "fold"};
    return name[flag];
}

/* ---- curves through knots ------------------------------------------------------------------- */

static double secant(const ng_emitter_curve *c, size_t i)
{
    return (c->value[i + 1] - c->value[i]) / (c->radius_nm[i + 1] - c->radius_nm[i]);
}

/* Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984): weighted harmonic mean. */
static double knot_slope(const ng_emitter_curve *c, size_t i)
{
    if (i == 0 || i + 1 == c->n) {
        return secant(c, i == 0 ? 0 : i - 1);
    }
    const double left = secant(c, i - 1), right = secant(c, i);
    if (!(left * right > 0)) {
        return 0;
    }
    const double before = c->radius_nm[i] - c->radius_nm[i - 1];
    const double after = c->radius_nm[i + 1] - c->radius_nm[i];
    const double weight_left = 2 * after + before, weight_right = after + 2 * before;
    return (weight_left + weight_right) / (weight_left / left + weight_right / right);
}

double ng_emitter_curve_value(const ng_emitter_curve *curve, double radius_nm)
{
    size_t i = 0;
    if (curve->n == 0) {
        return (double)NAN;
    }
    if (radius_nm <= curve->radius_nm[0]) {
        return curve->value[0];
    }
    while (i + 1 < curve->n && radius_nm > curve->radius_nm[i + 1]) {
        i++;
    }
    if (i + 1 == curve->n) {
        return curve->value[i];
    }
    const double width = curve->radius_nm[i + 1] - curve->radius_nm[i];
    const double t = (radius_nm - curve->radius_nm[i]) / width, u = 1 - t;
    const double rise = width * t * u * (u * knot_slope(curve, i) - t * knot_slope(curve, i + 1));
    return curve->value[i] * u * u * (1 + 2 * t) + curve->value[i + 1] * t * t * (3 - 2 * t) + rise;
}

static double inside_knots(const ng_emitter_curve *curve, double radius_nm)
{
    const bool inside = curve->n > 0 && radius_nm >= curve->radius_nm[0] &&
                        radius_nm <= curve->radius_nm[curve->n - 1];
    return inside ? ng_emitter_curve_value(curve, radius_nm) : (double)NAN;
}

/* ---- radius to light ------------------------------------------------------------------------ */

double ng_emitter_energy_eV(const ng_emitter *e, double radius_nm)
{
    switch (e->sizing) {
    case NG_SIZING_BRUS:
        return ng_brus_energy_eV(&e->brus, radius_nm);
    case NG_SIZING_TABLE:
        return inside_knots(&e->energy_eV, radius_nm);
    default:
        return (double)NAN;
    }
}

static double absorbed(const ng_emitter *e, double energy_eV)
{
    const double above = energy_eV - ng_photon_energy_eV(e->excitation_nm);
    if (e->edge_eV > 0) {
        return 1 / (1 + exp(above / e->edge_eV));
    }
    return above <= 0 ? 1 : 0;
}

/* Part of a Gaussian line inside the filter. */
static double passed(const ng_emitter *e, double peak_nm)
{
    if (!(e->line_nm > 0)) {
        return peak_nm >= e->band_low_nm && peak_nm <= e->band_high_nm ? e->band_transmission : 0;
    }
    const double width = e->line_nm / (2 * sqrt(log(2.0))); /* sqrt2 times the s.d. */
    return e->band_transmission / 2 *
           (erf((e->band_high_nm - peak_nm) / width) - erf((e->band_low_nm - peak_nm) / width));
}

double ng_emitter_brightness(const ng_emitter *e, double radius_nm)
{
    if (!(radius_nm >= e->radius_min_nm && radius_nm <= e->radius_max_nm)) {
        return (double)NAN;
    }
    double light = pow(radius_nm, e->absorption_power);
    if (e->yield.n > 0) {
        light *= ng_emitter_curve_value(&e->yield, radius_nm);
    }
    if (e->sizing != NG_SIZING_VOLUME) {
        const double energy_eV = ng_emitter_energy_eV(e, radius_nm);
        light *= absorbed(e, energy_eV) * passed(e, ng_photon_energy_eV(energy_eV));
    }
    return light;
}

static bool is_plain(const ng_emitter *e)
{
    return e->sizing == NG_SIZING_VOLUME && e->yield.n == 0;
}

double ng_emitter_power(const ng_emitter *e, double radius_nm)
{
    if (!(radius_nm >= e->radius_min_nm && radius_nm <= e->radius_max_nm)) {
        return (double)NAN;
    }
    if (is_plain(e)) {
        return e->absorption_power;
    }
    /* central difference; one-sided at the ends of the range */
    const double low = fmax(radius_nm * (1 - 1e-4), e->radius_min_nm);
    const double high = fmin(radius_nm * (1 + 1e-4), e->radius_max_nm);
    return log(ng_emitter_brightness(e, high) / ng_emitter_brightness(e, low)) / log(high / low);
}

/* ---- light to radius ------------------------------------------------------------------------ */

static double dark_below(const ng_emitter *e)
{
    const double photon_eV = ng_photon_energy_eV(e->excitation_nm);
    if (e->sizing == NG_SIZING_BRUS) {
        return ng_brus_radius_nm(&e->brus, photon_eV);
    }
    if (e->sizing != NG_SIZING_TABLE || e->energy_eV.value[0] <= photon_eV) {
        return 0;
    }
    const double radius_nm = ng_emitter_radius_of_peak_nm(e, e->excitation_nm, NULL);
    return isnan(radius_nm) ? (double)INFINITY : radius_nm;
}

ng_emitter_range ng_emitter_find_range(const ng_emitter *e)
{
    ng_emitter_range range = {.dark_below_nm = dark_below(e)};
    const double step = (e->radius_max_nm - e->radius_min_nm) / RANGE_STEPS;
    double before = 0;
    range.from_nm = range.to_nm = (double)NAN;
    for (int i = 0; i <= RANGE_STEPS; i++) {
        const double r = i < RANGE_STEPS ? e->radius_min_nm + i * step : e->radius_max_nm;
        const double light = ng_emitter_brightness(e, r);
        if (isnan(light) || (!(light > 0) && isnan(range.from_nm))) {
            continue;
        }
        if (!isnan(range.from_nm) && !(light > before)) {
            break;
        }
        if (isnan(range.from_nm)) {
            range.from_nm = r;
            range.dimmest = light;
        }
        range.to_nm = r;
        range.brightest = before = light;
    }
    range.monotone = range.to_nm >= e->radius_max_nm;
    return range;
}

/* Where `f` of a radius is `level`, by regula falsi (Illinois); f must rise or fall throughout. */
static double find_root(double (*f)(const ng_emitter *, double), const ng_emitter *e, double low,
                        double high, double level)
{
    double at_low = f(e, low) - level, at_high = f(e, high) - level, r = low;
    for (int i = 0; i < 100 && high - low > 1e-13 * high; i++) {
        r = (low * at_high - high * at_low) / (at_high - at_low);
        r = r > low && r < high ? r : (low + high) / 2;
        const double here = f(e, r) - level;
        if (here == 0) {
            break;
        }
        if ((here > 0) == (at_high > 0)) {
            high = r;
            at_high = here;
            at_low /= 2;
        } else {
            low = r;
            at_low = here;
            at_high /= 2;
        }
    }
    return r;
}

static ng_radius_flag flag_of(const ng_emitter *e, const ng_emitter_range *range, double radius_nm)
{
    if (radius_nm < range->dark_below_nm) {
        return NG_RADIUS_DARK;
    }
    return ng_emitter_power(e, radius_nm) < FLAT_POWER ? NG_RADIUS_FLAT : NG_RADIUS_OK;
}

double ng_emitter_radius_nm(const ng_emitter *e, const ng_emitter_range *range, double brightness,
                            ng_radius_flag *flag)
{
    ng_radius_flag unused;
    flag = flag != NULL ? flag : &unused;
    double radius_nm = (double)NAN;
    if (!(brightness > 0)) {
        *flag = NG_RADIUS_NOT_POSITIVE;
    } else if (!(brightness >= range->dimmest)) {
        *flag = NG_RADIUS_TOO_DIM;
    } else if (!(brightness <= range->brightest)) {
        *flag = NG_RADIUS_TOO_BRIGHT;
    } else {
        radius_nm = is_plain(e) ? pow(brightness, 1 / e->absorption_power)
                                : find_root(ng_emitter_brightness, e, range->from_nm, range->to_nm,
                                            brightness);
        *flag = flag_of(e, range, radius_nm);
    }
    return radius_nm;
}

double ng_emitter_radius_of_peak_nm(const ng_emitter *e, double peak_nm, ng_radius_flag *flag)
{
    ng_radius_flag unused;
    flag = flag != NULL ? flag : &unused;
    const double energy_eV = ng_photon_energy_eV(peak_nm);
    double radius_nm = (double)NAN;
    *flag = NG_RADIUS_NOT_POSITIVE;
    if (isnan(energy_eV)) {
        return radius_nm;
    }
    if (e->sizing == NG_SIZING_BRUS) {
        radius_nm = ng_brus_radius_nm(&e->brus, energy_eV);
        *flag = isnan(radius_nm) || radius_nm > e->radius_max_nm ? NG_RADIUS_TOO_BRIGHT
                : radius_nm < e->radius_min_nm                   ? NG_RADIUS_TOO_DIM
                                                                 : NG_RADIUS_OK;
    } else if (e->sizing == NG_SIZING_TABLE) {
        const ng_emitter_curve *c = &e->energy_eV;
        *flag = energy_eV > c->value[0]          ? NG_RADIUS_TOO_DIM
                : energy_eV < c->value[c->n - 1] ? NG_RADIUS_TOO_BRIGHT
                                                 : NG_RADIUS_OK;
        radius_nm = *flag == NG_RADIUS_OK ? find_root(ng_emitter_energy_eV, e, c->radius_nm[0],
                                                      c->radius_nm[c->n - 1], energy_eV)
                                          : radius_nm;
    }
    return *flag == NG_RADIUS_OK ? radius_nm : (double)NAN;
}

/* ---- settings that make sense --------------------------------------------------------------- */

static const char *curve_fault(const ng_emitter *e)
{
    for (size_t i = 1; i < e->energy_eV.n; i++) {
        if (!(e->energy_eV.radius_nm[i] > e->energy_eV.radius_nm[i - 1])) {
            return "the radii of the sizing table must rise";
        }
        if (!(e->energy_eV.value[i] < e->energy_eV.value[i - 1])) {
            return "the energies of the sizing table must fall as the radius rises, else a peak "
                   "has several radii";
        }
    }
    for (size_t i = 0; i < e->yield.n; i++) {
        if (!(e->yield.value[i] >= 0 && e->yield.value[i] <= 1)) {
            return "a quantum yield must lie from 0 to 1";
        }
        if (i > 0 && !(e->yield.radius_nm[i] > e->yield.radius_nm[i - 1])) {
            return "the radii of the yields must rise";
        }
    }
    return NULL;
}

const char *ng_emitter_fault(const ng_emitter *e)
{
    if (!(e->radius_min_nm > 0 && e->radius_max_nm > e->radius_min_nm)) {
        return "the range of radii must be positive and rise";
    }
    if (!(e->absorption_power > 0 && e->excitation_nm > 0 && e->edge_eV >= 0 && e->line_nm >= 0)) {
        return "absorption power and excitation must be positive, edge and line width not negative";
    }
    if (!(e->band_high_nm > e->band_low_nm && e->band_transmission > 0 &&
          e->band_transmission <= 1)) {
        return "the filter band must rise and its transmission lie in 0..1";
    }
    if (e->sizing == NG_SIZING_TABLE && e->energy_eV.n < 2) {
        return "a sizing table needs two rows or more";
    }
    if (e->sizing == NG_SIZING_BRUS && !(ng_brus_turn_nm(&e->brus) >= e->radius_max_nm)) {
        return "Brus's energy does not fall over the whole range of radii (or mass or permittivity "
               "is not positive)";
    }
    return curve_fault(e);
}
