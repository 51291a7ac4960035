/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Free energy of an ensemble that nucleates and grows at the same time. */
#include <nucgrow/crystallization.h>

#include <math.h>

#define SERIES 9
#define STEPS_MAX 20000
#define SUGIMOTO_START 1.01 /* at r* itself nothing grows */
#define LIU_CELLS 0.6       /* N' to this power: number of cells */

const char *ng_growth_kind_name(ng_growth_kind kind)
{
    static const char *const name[] = {"parabolic", "depletion", "sugimoto"};
    return name[kind];
}

ng_conditions ng_conditions_liu(void)
{
    return (ng_conditions){.critical_nm = 0.585,
                           .product_nm2_per_s = 0.289 / 2,
                           .final_nm = 1.5,
                           .growth = NG_GROWTH_PARABOLIC,
                           .births_per_s = 700.0 / 45,
                           .nucleation_s = 45};
}

ng_conditions ng_conditions_scale(const ng_conditions *at_one, double concentration, double order)
{
    ng_conditions c = *at_one;
    const double rate = pow(concentration, order), cells = pow(rate, LIU_CELLS);
    c.births_per_s *= rate;
    c.nucleation_s *= cells / rate;
    c.product_nm2_per_s *= concentration;
    c.final_nm *= cbrt(concentration / cells);
    return c;
}

const char *ng_conditions_fault(const ng_conditions *c)
{
    if (!(c->critical_nm > 0 && isfinite(c->critical_nm))) {
        return "the critical radius must be positive";
    }
    if (!(c->product_nm2_per_s > 0 && isfinite(c->product_nm2_per_s))) {
        return "the growth constant must be positive";
    }
    if (!(c->final_nm > c->critical_nm)) {
        return "the final radius must be larger than the critical one";
    }
    if (c->growth == NG_GROWTH_DEPLETION && !isfinite(c->final_nm)) {
        return "growth with depletion needs a final radius";
    }
    if (!(c->births_per_s > 0 && isfinite(c->births_per_s) && c->nucleation_s > 0)) {
        return "the rate and the length of nucleation must be positive";
    }
    return NULL;
}

double ng_conditions_radius(const ng_conditions *c, double age_s)
{
    const double square = c->final_nm * c->final_nm, start = c->critical_nm / c->final_nm;
    const ng_diffusion_law law = ng_diffusion_parabolic(c->product_nm2_per_s);
    double r = 0;
    switch (c->growth) {
    case NG_GROWTH_DEPLETION:
        return c->final_nm * ng_depletion_size(ng_depletion_time(start, 0) +
                                                   c->product_nm2_per_s * age_s / square,
                                               0, NULL, NULL);
    case NG_GROWTH_SUGIMOTO:
        r = ng_sugimoto_radius(c->product_nm2_per_s * c->critical_nm, c->critical_nm,
                               SUGIMOTO_START * c->critical_nm, age_s);
        return fmin(r, c->final_nm);
    default:
        return fmin(ng_diffusion_radius(&law, c->critical_nm, age_s), c->final_nm);
    }
}

/* ---- sums over births ------------------------------------------------------------------------ */

/* What a crystal of every age adds, on the grid. */
typedef struct ages {
    double *energy, *radius, *volume;
} ages;

/* Trapezoids: a sharper rule would swing where births stop or a crystal is full-grown. */
static double weight(size_t i, size_t n)
{
    return n == 0 ? 0 : i == 0 || i == n ? 0.5 : 1;
}

static void convolve(ng_energy *e, const ages *a, double step, double critical_nm)
{
    for (size_t t = 0; t < e->n; t++) {
        double energy = 0, radius = 0, volume = 0, crystals = 0;
        for (size_t i = 0; i <= t; i++) {
            const double born = e->births_per_s[i] * weight(i, t);
            energy += born * a->energy[t - i];
            radius += born * a->radius[t - i];
            volume += born * a->volume[t - i];
            crystals += born;
        }
        e->crystals[t] = crystals * step;
        e->nucleation[t] = e->crystals[t];
        e->growth[t] = energy * step;
        e->total[t] = e->nucleation[t] + e->growth[t];
        e->volume[t] = volume * step;
        e->mean_nm[t] = crystals > 0 ? radius / crystals : critical_nm;
        e->oldest_nm[t] = a->radius[t];
    }
}

static void fill_ages(const ng_conditions *c, const ng_energy *e, const ages *a)
{
    for (size_t i = 0; i < e->n; i++) {
        const double r = ng_conditions_radius(c, e->time_s[i]);
        a->radius[i] = r;
        a->energy[i] = ng_gibbs_ratio(r / c->critical_nm);
        a->volume[i] = 4 * M_PI / 3 * r * r * r;
    }
}

/* ---- what follows ---------------------------------------------------------------------------- */

/* Where y goes through zero from above, by the parabola through three points. */
static double falls_through_zero(const double *time_s, const double *y, size_t n)
{
    for (size_t i = 2; i < n; i++) {
        if (y[i - 1] > 0 && y[i] <= 0) {
            const double step = time_s[i] - time_s[i - 1];
            const double first = (y[i] - y[i - 2]) / 2,
                         second = (y[i] - 2 * y[i - 1] + y[i - 2]) / 2;
            double s = y[i - 1] / (y[i - 1] - y[i]);
            for (int k = 0; k < 20; k++) {
                s -= (y[i - 1] + s * (first + s * second)) / (first + 2 * s * second);
            }
            return time_s[i - 1] + s * step;
        }
    }
    return (double)NAN;
}

static double at(const double *time_s, const double *y, size_t n, double t)
{
    for (size_t i = 1; i < n; i++) {
        if (t <= time_s[i]) {
            const double part = (t - time_s[i - 1]) / (time_s[i] - time_s[i - 1]);
            return y[i - 1] + part * (y[i] - y[i - 1]);
        }
    }
    return (double)NAN;
}

/* First time at which a rising curve has a part of its end. */
static double reaches(const double *time_s, const double *y, size_t n, double part)
{
    const double level = part * y[n - 1];
    for (size_t i = 1; i < n; i++) {
        if (y[i] >= level) {
            const double rise = y[i] - y[i - 1];
            return time_s[i - 1] +
                   (rise > 0 ? (level - y[i - 1]) / rise : 1) * (time_s[i] - time_s[i - 1]);
        }
    }
    return (double)NAN;
}

static ng_window middle(const ng_energy *e, const double *y, double window)
{
    return (ng_window){reaches(e->time_s, y, e->n, (1 - window) / 2),
                       reaches(e->time_s, y, e->n, (1 + window) / 2)};
}

static ng_overlap find_overlap(const ng_energy *e)
{
    const ng_window *a = &e->births_window, *b = &e->growth_window;
    const double common = fmax(fmin(a->to_s, b->to_s) - fmax(a->from_s, b->from_s), 0);
    const double both = fmax(a->to_s, b->to_s) - fmin(a->from_s, b->from_s);
    double least = 0;
    for (size_t i = 1; i < e->n; i++) {
        const double births = (e->crystals[i] - e->crystals[i - 1]) / e->crystals[e->n - 1];
        const double volume = (e->volume[i] - e->volume[i - 1]) / e->volume[e->n - 1];
        least += fmin(births, volume);
    }
    return (ng_overlap){common / both, common / (a->to_s - a->from_s),
                        common / (b->to_s - b->from_s), least};
}

static void conclude(ng_energy *e, const ng_conditions *c, double window)
{
    e->transition_s = falls_through_zero(e->time_s, e->total, e->n);
    e->growth_flip_s = falls_through_zero(e->time_s, e->growth, e->n);
    e->transition_nm = e->transition_s > 0 ? ng_conditions_radius(c, e->transition_s) : (double)NAN;
    e->growth_flip_nm =
        e->growth_flip_s > 0 ? ng_conditions_radius(c, e->growth_flip_s) : (double)NAN;
    e->transition_mean_nm = at(e->time_s, e->mean_nm, e->n, e->transition_s);
    e->births_window = middle(e, e->crystals, window);
    e->growth_window = middle(e, e->volume, window);
    e->overlap = find_overlap(e);
}

static ng_status check(const ng_conditions *c, const ng_time_law *births, double duration_s,
                       size_t steps, ng_error *err)
{
    const char *fault = ng_conditions_fault(c);
    if (fault != NULL) {
        return NG_FAIL(err, NG_INVALID, "%s", fault);
    }
    if (!(duration_s > 0 && isfinite(duration_s)) || steps < 2 || steps > STEPS_MAX) {
        return NG_FAIL(err, NG_INVALID,
                       "a run of %g s in %zu steps; the time must be positive, the steps 2 to %d",
                       duration_s, steps, STEPS_MAX);
    }
    return births != NULL ? ng_law_check(births, "the nucleation rate", false, err) : NG_OK;
}

/* A constant rate that ends; half of it where the end falls on the grid. */
static double own_births(const ng_conditions *c, double t, double step)
{
    const double left = c->nucleation_s - t;
    const bool end = fabs(left) < 1e-6 * step;
    return end ? c->births_per_s / 2 : left > 0 ? c->births_per_s : 0;
}

ng_status ng_energy_compute(const ng_conditions *conditions, const ng_time_law *births,
                            double duration_s, double window, size_t steps, ng_energy *out,
                            ng_error *err)
{
    const double step = duration_s / (double)steps;
    *out = (ng_energy){0};
    ng_status status = check(conditions, births, duration_s, steps, err);
    if (status != NG_OK) {
        return status;
    }
    const size_t n = steps + 1;
    double *space = NG_NEW(double, (SERIES + 3) * n);
    if (space == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu times", n);
    }
    double **series[SERIES] = {&out->time_s,     &out->births_per_s, &out->crystals,
                               &out->nucleation, &out->growth,       &out->total,
                               &out->volume,     &out->oldest_nm,    &out->mean_nm};
    for (size_t i = 0; i < SERIES; i++) {
        *series[i] = space + i * n;
    }
    const ages a = {space + SERIES * n, space + (SERIES + 1) * n, space + (SERIES + 2) * n};
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        const double t = out->time_s[i] = step * (double)i;
        out->births_per_s[i] =
            births != NULL ? ng_law_value(births, t) : own_births(conditions, t, step);
    }
    fill_ages(conditions, out, &a);
    convolve(out, &a, step, conditions->critical_nm);
    if (!(out->crystals[n - 1] > 0)) {
        ng_energy_free(out);
        return NG_FAIL(err, NG_INVALID, "no crystal is born in %g s", duration_s);
    }
    conclude(out, conditions, window);
    return NG_OK;
}

void ng_energy_free(ng_energy *energy)
{
    if (energy != NULL) {
        ng_free(energy->time_s); /* all series are one block */
        *energy = (ng_energy){0};
    }
}
