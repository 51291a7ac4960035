/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From questions to runs. */
#include "predict_internal.h"

#include <math.h>

/* A run that shall reach a size goes on for this much longer than it should take. */
#define TARGET_SLACK 1.25
/* and no longer than this many times the fit. */
#define SPANS_MAX 20.0
/* With S(t) given, what a target takes is not known beforehand. */
#define SPANS_GIVEN_S 3.0

static double fit_span(const ng_fit_file *fit)
{
    return fit->time_s[fit->n_times - 1] - fit->time_s[0];
}

size_t ng_case_knots(const ng_prediction *p)
{
    const ng_time_law *law = p->options.law;
    const size_t n = law != NULL ? law->n_knots : 0;
    return n > p->fit->n_times ? n : p->fit->n_times;
}

/* ---- laws -------------------------------------------------------------------------------- */

/* p = u + w dS/dt at the fit's times. */
static double supply_at(const ng_prediction *p, const ng_inferred_set *set, size_t i)
{
    const ng_fit_file *fit = p->fit;
    const size_t a = i > 0 ? i - 1 : 0, b = i + 1 < fit->n_times ? i + 1 : i;
    const double slope =
        (set->supersaturation[b] - set->supersaturation[a]) / (fit->time_s[b] - fit->time_s[a]);
    return set->uptake_per_s[i] + p->options.dissolved_per_particle * slope;
}

static ng_time_law inferred_law(const ng_prediction *p, const ng_inferred_set *set,
                                const ng_temperature *T, double factor, double *knots)
{
    const bool supply = p->options.drive == NG_DRIVE_SUPPLY;
    const double scale =
        factor * (supply ? ng_temperature_supply(T) : 1.0 / ng_temperature_solubility(T));
    for (size_t i = 0; i < p->fit->n_times; i++) {
        knots[i] = scale * (supply ? supply_at(p, set, i) : set->supersaturation[i]);
    }
    return ng_law_table(p->fit->time_s, knots, p->fit->n_times);
}

static ng_time_law scaled_law(const ng_time_law *law, double factor, double *knots)
{
    ng_time_law scaled = *law;
    scaled.value *= factor;
    scaled.end_value *= factor;
    for (size_t i = 0; i < law->n_knots; i++) {
        knots[i] = factor * law->knot[i];
    }
    scaled.knot = knots;
    return scaled;
}

/* ---- starts ------------------------------------------------------------------------------ */

static ng_start fit_start(const ng_inferred_set *set)
{
    return (ng_start){set->start_n, set->start_weight, set->n_start, set->start_spread};
}

static double start_mean(const ng_start *s)
{
    double all = 0.0, sum = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        const double weight = s->weight != NULL ? s->weight[i] : 1.0;
        all += weight;
        sum += weight * s->n[i] * exp(0.5 * s->spread * s->spread);
    }
    return sum / all;
}

/* `one` holds the size of a start that is given by numbers. */
static ng_start asked_start(const ng_prediction *p, const ng_inferred_set *set, double *one)
{
    const ng_predict_options *o = &p->options;
    if (o->start_n != NULL) {
        return (ng_start){o->start_n, NULL, o->n_start, 0.0};
    }
    if (!isnan(o->start_mean)) {
        *one = ng_start_median(o->start_mean, o->start_spread);
        return (ng_start){one, NULL, 1, o->start_spread};
    }
    return fit_start(set);
}

double ng_case_start_mean(const ng_prediction *p, ng_question question)
{
    double one;
    const ng_inferred_set *set = &p->inferred.set[0];
    const ng_start start = question == BASE ? fit_start(set) : asked_start(p, set, &one);
    return start_mean(&start);
}

/* ---- cases ------------------------------------------------------------------------------- */

ng_predict_case ng_case_make(const ng_prediction *p, ng_question question, size_t set_index,
                             double factor, double *knots, double *narrow)
{
    const ng_predict_options *o = &p->options;
    const ng_inferred_set *set = &p->inferred.set[set_index];
    const ng_temperature as_it_was = ng_temperature_defaults();
    const ng_temperature *T = question == BASE ? &as_it_was : &o->temperature;
    ng_predict_case c = {.law = set->law, .drive = o->drive};
    c.law.parameters = ng_temperature_parameters(T, &set->law.parameters);
    c.dissolved_per_particle = o->dissolved_per_particle * ng_temperature_solubility(T);
    c.start_supersaturation = set->supersaturation[0] / ng_temperature_solubility(T);
    c.hold_at_zero = question == BASE || o->law == NULL;
    if (question == BASE) {
        c.start = fit_start(set);
        c.input = inferred_law(p, set, T, 1.0, knots);
        return c;
    }
    c.start = asked_start(p, set, narrow);
    if (question == NARROW) {
        *narrow = start_mean(&c.start);
        c.start = (ng_start){narrow, NULL, 1, 0.0};
    }
    c.input = o->law != NULL ? scaled_law(o->law, factor * o->scale, knots)
                             : inferred_law(p, set, T, factor * o->scale, knots);
    return c;
}

/* ---- how long ---------------------------------------------------------------------------- */

/* When the supply has brought the particles to the target, or SPANS_MAX. */
static double time_of_target(const ng_prediction *p, const ng_predict_case *c, double from_n,
                             double to_n)
{
    const double span_s = fit_span(p->fit), start_s = p->fit->time_s[0], step_s = span_s / 100.0;
    double have = from_n, time_s = 0.0;
    while (have < to_n && time_s < SPANS_MAX * span_s) {
        have += ng_law_integral(&c->input, start_s + time_s, start_s + time_s + step_s);
        time_s += step_s;
    }
    return fmin(TARGET_SLACK * time_s, SPANS_MAX * span_s);
}

double ng_case_duration(const ng_prediction *p, double factor)
{
    const ng_predict_options *o = &p->options;
    const double span_s = fit_span(p->fit);
    if (!isnan(o->duration_s)) {
        return o->duration_s;
    }
    if (isnan(o->target_radius_nm)) {
        return span_s;
    }
    double *knots = NG_NEW(double, ng_case_knots(p)), narrow;
    if (knots == NULL || o->drive == NG_DRIVE_SUPERSATURATION) {
        ng_free(knots);
        return SPANS_GIVEN_S * span_s;
    }
    const ng_predict_case c = ng_case_make(p, ASKED, 0, factor, knots, &narrow);
    const double target = ng_monomers_from_radius(o->target_radius_nm, p->fit->sigma_s_nm);
    const double duration_s = time_of_target(p, &c, ng_case_start_mean(p, ASKED), 1.1 * target);
    ng_free(knots);
    return fmax(duration_s, 0.1 * span_s);
}
