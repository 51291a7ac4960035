/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow energy: free energy of crystals that nucleate and grow at the same time. */
#include "energy_input.h"

#include <nucgrow/crystallization.h>
#include <nucgrow/emitter.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#define KT_298_J 4.11434e-21 /* k_B times 298 K */
#define SERIES_MOST 500      /* times written */
enum { CONCENTRATIONS_MAX = 20, RATE_POINTS = 120, STEPS = 4000, RANGE = 64 };

typedef struct options {
    const char *material, *growth, *concentrations;
    double critical_nm, growth_nm2_per_s, final_nm, births_per_s, nucleation_s;
    double order, duration_s, window_percent, surface_energy, critical_se_nm, level;
    long bootstrap;
} options;

#define REAL(flag_, member_, unit_, initial_, min_, max_, group_, doc_)                            \
    {                                                                                              \
        .name = flag_, .type = NG_OPTION_REAL, .offset = offsetof(options, member_),               \
        .unit = unit_, .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_ \
    }

static const ng_option table[] = {
    {.name = "material",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, material),
     .choices = "FAPbBr3",
     .initial = "FAPbBr3",
     .group = "Laws",
     .doc = "Where numbers that are not given come from."},
    REAL("critical-nm", critical_nm, "nm", NULL, 1e-3, 1e3, "Laws",
         "Critical radius r*, at which crystals are born; FAPbBr3: 0.585."),
    REAL("critical-se-nm", critical_se_nm, "nm", "0", 0, 1e3, "Laws",
         "Standard error of r*, for the intervals; r* is given, not fitted."),
    {.name = "growth",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, growth),
     .choices = "parabolic|depletion|sugimoto",
     .group = "Laws",
     .doc = "How a crystal grows; parabolic, or depletion where a fit gives the final radius."},
    REAL("growth-nm2-per-s", growth_nm2_per_s, "nm^2/s", NULL, 1e-9, 1e9, "Laws",
         "d(r^2)/dt, which is 2 D V_m dC; FAPbBr3: 0.289."),
    REAL("final-nm", final_nm, "nm", NULL, 1e-3, 1e6, "Laws",
         "Radius at which growth ends; FAPbBr3: 1.5."),
    REAL("births-per-s", births_per_s, "1/s", NULL, 1e-9, 1e12, "Laws",
         "Nucleation rate; FAPbBr3: 700 crystals in 45 s."),
    REAL("nucleation-s", nucleation_s, "s", NULL, 1e-6, 1e9, "Laws",
         "How long nucleation lasts; FAPbBr3: 45."),
    {.name = "concentrations",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, concentrations),
     .initial = "1,0.5,0.4",
     .value = "C,C,...",
     .group = "Concentrations",
     .doc = "Relative precursor concentrations at which the overlap is found, by the scaling of "
            "docs/perovskite.md."},
    REAL("order", order, NULL, "4.5", 0, 20, "Concentrations",
         "Power of the concentration in the nucleation rate."),
    REAL("duration-s", duration_s, "s", NULL, 1e-6, 1e9, "Time",
         "Length of the run; until the last crystal is full-grown where it is not given."),
    REAL("window-percent", window_percent, "%", "90", 1, 100, "Overlap",
         "Middle part of births, and of growth, that a window holds."),
    {.name = "bootstrap",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, bootstrap),
     .initial = "200",
     .min = 0,
     .max = 100000,
     .group = "Intervals",
     .doc = "Resamplings of births and crystals behind the intervals; 0: none."},
    REAL("level", level, NULL, "0.95", 0.01, 0.9999, "Intervals", "Level of intervals."),
    REAL("surface-energy-J-per-m2", surface_energy, "J/m^2", NULL, 1e-9, 1e3, "Energy",
         "sigma, for G* in joules and kT; without it energies are in units of G*."),
};

/* ---- what is known --------------------------------------------------------------------------- */

typedef struct question {
    ng_energy_input input;
    double concentration[CONCENTRATIONS_MAX];
    size_t n_concentrations;
} question;

static void take_options(const options *o, question *q)
{
    ng_conditions *c = &q->input.conditions;
    const double given[] = {o->critical_nm, o->growth_nm2_per_s / 2, o->final_nm, o->births_per_s,
                            o->nucleation_s};
    double *to[] = {&c->critical_nm, &c->product_nm2_per_s, &c->final_nm, &c->births_per_s,
                    &c->nucleation_s};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        *to[i] = isnan(given[i]) ? *to[i] : given[i];
    }
    for (int i = 0; o->growth != NULL && i <= NG_GROWTH_SUGIMOTO; i++) {
        const bool same = strcmp(o->growth, ng_growth_kind_name((ng_growth_kind)i)) == 0;
        c->growth = same ? (ng_growth_kind)i : c->growth;
    }
}

static ng_status read_concentrations(const options *o, double *c, size_t *n, ng_error *err)
{
    *n = 0;
    for (const char *at = o->concentrations; at != NULL;) {
        char part[64];
        const size_t length = strcspn(at, ",");
        snprintf(part, sizeof part, "%.*s", (int)length, at);
        if (*n == CONCENTRATIONS_MAX || !ng_parse_real(part, &c[*n]) ||
            !(c[*n] >= 1e-3 && c[*n] <= 1e3)) {
            return NG_FAIL(err, NG_USAGE,
                           "--concentrations is '%s'; it takes up to %d numbers "
                           "from 0.001 to 1000 apart by commas",
                           o->concentrations, CONCENTRATIONS_MAX);
        }
        ++*n;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return NG_OK;
}

static ng_status understand(ng_cli *cli, const options *o, question *q, ng_error *err)
{
    *q = (question){.input.conditions = ng_conditions_liu()};
    ng_status status = read_concentrations(o, q->concentration, &q->n_concentrations, err);
    status = status == NG_OK ? ng_cli_inputs(cli, err) : status;
    for (size_t i = 0; status == NG_OK && i < cli->n_files; i++) {
        status = ng_energy_input_read(cli->file[i], &q->input, &cli->warnings, err);
    }
    if (status == NG_OK) {
        take_options(o, q);
        const char *fault = ng_conditions_fault(&q->input.conditions);
        status = fault == NULL ? NG_OK : NG_FAIL(err, NG_USAGE, "%s", fault);
    }
    if (status == NG_OK && cli->n_files == 0) {
        ng_warnings_add(&cli->warnings, "published-numbers",
                        "the laws are numbers that cohere with the published transition at 3.8 s "
                        "and 1.2 nm, not a fit; give nucleation.json and fit-diffusion.json for "
                        "those of a movie");
    }
    return status;
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* One concentration: the run, its numbers and their intervals. */
typedef struct answers {
    ng_conditions conditions;
    ng_energy energy;
    double number[NG_N_ENERGY_NUMBERS];
    ng_energy_interval interval[NG_N_ENERGY_NUMBERS];
} answers;

static ng_status compute(const ng_cli *cli, const options *o, const question *q,
                         double concentration, answers *out, ng_error *err)
{
    const ng_energy_input *in = &q->input;
    const ng_time_law law = ng_energy_input_law(in);
    const ng_energy_question asked = {.conditions = in->conditions,
                                      .births = in->rate != NULL ? &law : NULL,
                                      .concentration = concentration,
                                      .order = o->order,
                                      .duration_s =
                                          concentration == 1 ? o->duration_s : (double)NAN,
                                      .window = o->window_percent / 100};
    ng_status status = ng_energy_ask(&asked, STEPS, &out->energy, &out->conditions, err);
    if (status != NG_OK) {
        return status;
    }
    ng_energy_knowledge known = in->known;
    known.critical_se_nm = o->critical_se_nm;
    ng_energy_numbers(&out->energy, &out->conditions, out->number);
    status = ng_energy_intervals(&asked, &known, out->number, (size_t)o->bootstrap, o->level,
                                 &cli->run, out->interval, err);
    if (status != NG_OK) {
        ng_energy_free(&out->energy);
    }
    return status;
}

/* `key` and, where there is an interval, its ends: time_s, time_lower_s, time_upper_s. */
static void put(json_t *to, const char *key, const char *unit, const answers *a,
                ng_energy_number which)
{
    const ng_energy_interval *i = &a->interval[which];
    const char *name[] = {"", "_lower", "_upper"};
    const double value[] = {a->number[which], i->lower, i->upper};
    const int n = isnan(i->lower) && isnan(i->upper) ? 1 : 3;
    for (int k = 0; k < n; k++) {
        char *full = ng_text_format("%s%s%s", key, name[k], unit);
        if (full != NULL) {
            json_object_set_new(to, full, ng_json_real(value[k]));
        }
        ng_free(full);
    }
}

static json_t *transition_json(const answers *a)
{
    json_t *all = json_object();
    put(all, "time", "_s", a, NG_ENERGY_TRANSITION_S);
    put(all, "radius", "_nm", a, NG_ENERGY_TRANSITION_NM);
    put(all, "mean_radius", "_nm", a, NG_ENERGY_TRANSITION_MEAN_NM);
    return all;
}

static json_t *window_json(const ng_window *w)
{
    return json_pack("{s:o,s:o}", "from_s", ng_json_real(w->from_s), "to_s", ng_json_real(w->to_s));
}

static json_t *overlap_json(const answers *a)
{
    json_t *all = json_object();
    put(all, "windows", "", a, NG_ENERGY_WINDOWS);
    put(all, "of_nucleation", "", a, NG_ENERGY_OF_NUCLEATION);
    put(all, "of_growth", "", a, NG_ENERGY_OF_GROWTH);
    put(all, "densities", "", a, NG_ENERGY_DENSITIES);
    put(all, "common", "_s", a, NG_ENERGY_COMMON_S);
    json_object_set_new(all, "nucleation", window_json(&a->energy.births_window));
    json_object_set_new(all, "growth", window_json(&a->energy.growth_window));
    return all;
}

static json_t *conditions_json(const ng_conditions *c)
{
    return json_pack("{s:f,s:f,s:f,s:o,s:s,s:f,s:f}", "critical_nm", c->critical_nm,
                     "product_nm2_per_s", c->product_nm2_per_s, "growth_nm2_per_s",
                     2 * c->product_nm2_per_s, "final_nm", ng_json_real(c->final_nm), "growth",
                     ng_growth_kind_name(c->growth), "births_per_s", c->births_per_s,
                     "nucleation_s", c->nucleation_s);
}

static void print_row(const ng_cli *cli, double concentration, const answers *a)
{
    const ng_energy *e = &a->energy;
    const ng_energy_interval *i = &a->interval[NG_ENERGY_WINDOWS];
    char range[40] = "";
    if (isfinite(i->lower)) {
        snprintf(range, sizeof range, "(%.1f to %.1f)", 100 * i->lower, 100 * i->upper);
    }
    ng_cli_print(cli, "%13g %5.3g nm %10.4g s %7.1f%% %-15s %9.4g s ", concentration,
                 a->conditions.final_nm, e->births_window.to_s - e->births_window.from_s,
                 100 * a->number[NG_ENERGY_WINDOWS], range, a->number[NG_ENERGY_COMMON_S]);
    if (isnan(e->transition_s)) {
        ng_cli_print(cli, "%11s\n", "none");
    } else {
        ng_cli_print(cli, "%9.4g s\n", e->transition_s);
    }
}

static ng_status concentrations_json(ng_cli *cli, const options *o, const question *q, json_t *rows,
                                     ng_error *err)
{
    ng_status status = NG_OK;
    ng_cli_print(cli, "\n%13s %8s %12s %-24s %11s %11s\n", "concentration", "final", "nucleation",
                 " overlap", "common time", "transition");
    for (size_t i = 0; i < q->n_concentrations; i++) {
        const double c = q->concentration[i];
        answers a;
        status = compute(cli, o, q, c, &a, err);
        if (status != NG_OK) {
            break;
        }
        json_array_append_new(rows, json_pack("{s:f,s:o,s:o,s:o}", "concentration", c, "conditions",
                                              conditions_json(&a.conditions), "overlap",
                                              overlap_json(&a), "transition", transition_json(&a)));
        print_row(cli, c, &a);
        ng_energy_free(&a.energy);
    }
    return status;
}

/* ---- the result ------------------------------------------------------------------------------ */

/* Every k-th value. */
static json_t *thinned(const double *y, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i += (n - 1) / SERIES_MOST + 1) {
        json_array_append_new(array, ng_json_real(y[i]));
    }
    return array;
}

static json_t *series_json(const ng_energy *e)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "time_s", thinned(e->time_s, e->n),
                     "nucleation", thinned(e->nucleation, e->n), "growth", thinned(e->growth, e->n),
                     "total", thinned(e->total, e->n), "births_per_s",
                     thinned(e->births_per_s, e->n), "crystals", thinned(e->crystals, e->n),
                     "volume_nm3", thinned(e->volume, e->n), "oldest_nm",
                     thinned(e->oldest_nm, e->n), "mean_nm", thinned(e->mean_nm, e->n));
}

/* dr/dt over r by Sugimoto's law with the k_D that gives the same growth of large crystals. */
static json_t *rate_curve_json(const answers *a)
{
    const ng_conditions *c = &a->conditions;
    const double k = c->product_nm2_per_s * c->critical_nm, r_star = c->critical_nm;
    json_t *radius = json_array(), *rate = json_array(), *maximum = json_object();
    for (int i = 0; i <= RATE_POINTS; i++) {
        const double r = r_star * (0.5 + 5.5 * i / RATE_POINTS);
        json_array_append_new(radius, ng_json_real(r));
        json_array_append_new(rate, ng_json_real(ng_sugimoto_rate(k, r_star, r)));
    }
    put(maximum, "radius", "_nm", a, NG_ENERGY_FASTEST_NM);
    put(maximum, "rate", "_nm_per_s", a, NG_ENERGY_FASTEST_NM_PER_S);
    json_t *curve = json_pack("{s:f,s:f,s:o,s:o,s:o}", "k_nm3_per_s", k, "critical_nm", r_star,
                              "radius_nm", radius, "rate_nm_per_s", rate, "maximum", maximum);
    put(curve, "focusing_from", "_nm", a, NG_ENERGY_FASTEST_NM);
    return curve;
}

static json_t *barrier_json(const ng_conditions *c, double sigma)
{
    const double r_m = c->critical_nm * 1e-9, joule = ng_gibbs_barrier(sigma, r_m);
    return json_pack("{s:f,s:f,s:f,s:f}", "surface_energy_J_per_m2", sigma,
                     "volume_energy_J_per_m3", -2 * sigma / r_m, "barrier_J", joule,
                     "barrier_kT_298", joule / KT_298_J);
}

/* " (LOWER to UPPER)", or nothing. */
static const char *range_text(const answers *a, ng_energy_number which, double factor,
                              char text[RANGE])
{
    const ng_energy_interval *i = &a->interval[which];
    text[0] = 0;
    if (isfinite(i->lower) && isfinite(i->upper)) {
        snprintf(text, RANGE, " (%.4g to %.4g)", factor * i->lower, factor * i->upper);
    } else if (isfinite(i->lower)) {
        snprintf(text, RANGE, " (%.4g or more, or never)", factor * i->lower);
    }
    return text;
}

static void print_transition(const ng_cli *cli, const answers *a)
{
    char time[RANGE], size[RANGE];
    if (isnan(a->number[NG_ENERGY_TRANSITION_S])) {
        ng_cli_print(cli, "transition  none: the total free energy stays above 0\n");
    } else {
        ng_cli_print(
            cli,
            "transition  total free energy below 0 from %.4g s%s on, when the first "
            "crystal has %.4g nm%s\n",
            a->number[NG_ENERGY_TRANSITION_S], range_text(a, NG_ENERGY_TRANSITION_S, 1, time),
            a->number[NG_ENERGY_TRANSITION_NM], range_text(a, NG_ENERGY_TRANSITION_NM, 1, size));
    }
    if (!isnan(a->number[NG_ENERGY_FLIP_S])) {
        ng_cli_print(cli, "growth      its own term below 0 from %.4g s%s on, at %.4g nm%s\n",
                     a->number[NG_ENERGY_FLIP_S], range_text(a, NG_ENERGY_FLIP_S, 1, time),
                     a->number[NG_ENERGY_FLIP_NM], range_text(a, NG_ENERGY_FLIP_NM, 1, size));
    }
}

static void print_answer(const ng_cli *cli, const answers *a, const ng_energy_input *in)
{
    char text[RANGE], more[RANGE];
    const ng_conditions *c = &a->conditions;
    ng_cli_print(cli, "laws        r* %.4g nm, d(r^2)/dt %.4g nm^2/s (%s), final %.4g nm, %s\n",
                 c->critical_nm, 2 * c->product_nm2_per_s, ng_growth_kind_name(c->growth),
                 c->final_nm, in->rate != NULL ? "births by file" : "constant births");
    print_transition(cli, a);
    ng_cli_print(cli,
                 "overlap     %.1f %%%s of the union of both windows: births %.4g to %.4g s, "
                 "growth %.4g to %.4g s\n",
                 100 * a->number[NG_ENERGY_WINDOWS], range_text(a, NG_ENERGY_WINDOWS, 100, text),
                 a->energy.births_window.from_s, a->energy.births_window.to_s,
                 a->energy.growth_window.from_s, a->energy.growth_window.to_s);
    ng_cli_print(cli, "dr/dt       greatest at %.4g nm%s, %.3g nm/s%s; sizes focus beyond\n",
                 a->number[NG_ENERGY_FASTEST_NM], range_text(a, NG_ENERGY_FASTEST_NM, 1, text),
                 a->number[NG_ENERGY_FASTEST_NM_PER_S],
                 range_text(a, NG_ENERGY_FASTEST_NM_PER_S, 1, more));
}

static void warn_of_answer(ng_cli *cli, const options *o, const answers *a)
{
    if (isnan(a->number[NG_ENERGY_TRANSITION_S])) {
        ng_warnings_add(&cli->warnings, "no-transition",
                        "the total free energy stays above 0 for "
                        "the %.4g s of the run; crystals must reach about 2 r*",
                        a->energy.time_s[a->energy.n - 1]);
    }
    if (cli->n_files > 0 && !(o->critical_se_nm > 0)) {
        ng_warnings_add(&cli->warnings, "critical-radius-given",
                        "r* is a number that was given, not fitted: its error is in no interval "
                        "unless --critical-se-nm says it");
    }
}

static ng_status answer(ng_cli *cli, const options *o, const question *q, ng_error *err)
{
    answers a;
    ng_status status = compute(cli, o, q, 1, &a, err);
    if (status != NG_OK) {
        return status;
    }
    print_answer(cli, &a, &q->input);
    json_t *rows = json_array(), *flip = json_object();
    put(flip, "time", "_s", &a, NG_ENERGY_FLIP_S);
    put(flip, "radius", "_nm", &a, NG_ENERGY_FLIP_NM);
    status = concentrations_json(cli, o, q, rows, err);
    warn_of_answer(cli, o, &a);
    cli->result = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:f,s:o,s:b}", "conditions",
                            conditions_json(&a.conditions), "transition", transition_json(&a),
                            "growth_transition", flip, "overlaps", overlap_json(&a), "series",
                            series_json(&a.energy), "rate_curve", rate_curve_json(&a),
                            "concentrations", rows, "level", o->level, "rests_on",
                            ng_energy_input_json(&q->input), "trusted", (int)!q->input.doubtful);
    if (cli->result != NULL) {
        put(cli->result, "overlap", "", &a, NG_ENERGY_WINDOWS);
    }
    if (!isnan(o->surface_energy) && cli->result != NULL) {
        json_object_set_new(cli->result, "barrier", barrier_json(&a.conditions, o->surface_energy));
    }
    ng_energy_free(&a.energy);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    question q;
    ng_status status = understand(cli, o, &q, err);
    if (status == NG_OK) {
        ng_provenance_reference(cli->provenance,
                                "Liu et al., Nat. Commun. (2025), doi 10.1038/s41467-025-60826-x");
        ng_provenance_reference(cli->provenance,
                                "Sugimoto, Adv. Colloid Interface Sci. 28, 65 (1987)");
        status = answer(cli, o, &q, err);
    }
    ng_energy_input_free(&q.input);
    return status;
}

const ng_command ng_command_energy = {
    .name = "energy",
    .group = "Model",
    .summary = "free energy of crystals that nucleate and grow at the same time",
    .description =
        "N'(t) crystals are born a second at the critical radius r*, each at the cost G*, and grow "
        "by r(t). The free energy of nucleation is N(t) G*, that of growth the sum of "
        "G/G* = 3 (r/r*)^2 - 2 (r/r*)^3 over all crystals; where their total falls below zero, "
        "growth carries the crystallisation. With constant births and r^2 = r*^2 (1+kt) that is at "
        "kt = 3.211, when the first crystal has 2.052 r*.\n\n"
        "N'(t) is read from nucleation.json and r(t) from fit-diffusion.json where they are "
        "given; without files the laws are numbers that cohere with the published FAPbBr3 at "
        "C0.\n\n"
        "Overlap is the common part of two windows over their union: the one that holds the "
        "middle 90 % of births, and the one that holds that of the growth of volume. The paper's "
        "60 % is not defined in its text; further definitions stand in the result.\n\n"
        "Numbers that rest on files have intervals: births and crystals are drawn again with "
        "return, the error of the common scale of radii included. r* is given, not fitted; "
        "--critical-se-nm gives it an error.",
    .usage = "[nucleation.json] [fit-diffusion.json] [options]",
    .examples = "nucgrow energy --material FAPbBr3\n"
                "nucgrow energy nucleation.json fit-diffusion.json -o energy.json\n"
                "nucgrow energy --critical-nm 0.5 --surface-energy-J-per-m2 0.02\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 2,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/energy/1",
    .run = run,
};
