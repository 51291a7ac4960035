/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow energy: free energy of crystals that nucleate and grow at the same time. */
#include "cli.h"

#include <nucgrow/crystallization.h>
#include <nucgrow/emitter.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#define KT_298_J 4.11434e-21 /* k_B times 298 K */
#define SERIES_MOST 500      /* times written */
enum { CONCENTRATIONS_MAX = 20, RATE_POINTS = 120, STEPS = 4000 };

typedef struct options {
    const char *material, *growth, *concentrations;
    double critical_nm, growth_nm2_per_s, final_nm, births_per_s, nucleation_s;
    double order, duration_s, window_percent, surface_energy;
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
    REAL("surface-energy-J-per-m2", surface_energy, "J/m^2", NULL, 1e-9, 1e3, "Energy",
         "sigma, for G* in joules and kT; without it energies are in units of G*."),
};

/* ---- what is known --------------------------------------------------------------------------- */

typedef struct question {
    ng_conditions conditions;
    double *rate; /* owned: times, then births per second, of a nucleation.json; NULL: none */
    size_t n_rate;
    double concentration[CONCENTRATIONS_MAX];
    size_t n_concentrations;
} question;

static double number_at(const json_t *root, const char *a, const char *b, const char *c)
{
    const json_t *value = json_object_get(root, a);
    value = b != NULL ? json_object_get(value, b) : value;
    value = c != NULL ? json_object_get(value, c) : value;
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static ng_status take_rate(const json_t *result, const char *path, question *q, ng_error *err)
{
    const json_t *series = json_object_get(result, "series");
    const json_t *time = json_object_get(series, "time_s");
    const json_t *rate = json_object_get(series, "rate_per_s");
    const size_t n = json_array_size(time);
    if (n < 2 || json_array_size(rate) != n) {
        return NG_FAIL(err, NG_FORMAT, "%s: no series time_s and rate_per_s", path);
    }
    if (q->rate != NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: a second nucleation result; give one", path);
    }
    q->rate = NG_NEW(double, 2 * n);
    if (q->rate == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu times", path, n);
    }
    q->n_rate = n;
    const double first = json_number_value(json_array_get(time, 0));
    for (size_t i = 0; i < n; i++) {
        q->rate[i] = json_number_value(json_array_get(time, i)) - first;
        q->rate[n + i] = json_number_value(json_array_get(rate, i));
    }
    q->conditions.nucleation_s = q->rate[n - 1];
    return NG_OK;
}

static ng_status take_growth(const json_t *result, const char *path, question *q, ng_error *err)
{
    const double product = number_at(result, "parameters", "product_nm2_per_s", "value");
    const double final_nm = number_at(result, "parameters", "final_nm", "value");
    if (!(product > 0)) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: no parameters.product_nm2_per_s; fit with --law "
                       "depletion, surface or parabolic",
                       path);
    }
    q->conditions.product_nm2_per_s = product;
    if (final_nm > 0) {
        q->conditions.final_nm = final_nm;
        q->conditions.growth = NG_GROWTH_DEPLETION;
    }
    return NG_OK;
}

static ng_status take_file(const char *path, question *q, ng_error *err)
{
    json_t *result = NULL;
    ng_status status = ng_json_read(path, &result, err);
    if (status != NG_OK) {
        return status;
    }
    const char *schema = json_string_value(json_object_get(result, "schema"));
    schema = schema != NULL ? schema : "";
    if (strncmp(schema, "nucgrow/nucleation/", 19) == 0) {
        status = take_rate(result, path, q, err);
    } else if (strncmp(schema, "nucgrow/fit-diffusion/", 22) == 0) {
        status = take_growth(result, path, q, err);
    } else {
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: neither a result of `nucleation` nor of "
                         "`fit diffusion`",
                         path);
    }
    json_decref(result);
    return status;
}

static void take_options(const options *o, question *q)
{
    ng_conditions *c = &q->conditions;
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
    *q = (question){.conditions = ng_conditions_liu()};
    ng_status status = read_concentrations(o, q->concentration, &q->n_concentrations, err);
    status = status == NG_OK ? ng_cli_inputs(cli, err) : status;
    for (size_t i = 0; status == NG_OK && i < cli->n_files; i++) {
        status = take_file(cli->file[i], q, err);
    }
    if (status == NG_OK) {
        take_options(o, q);
        const char *fault = ng_conditions_fault(&q->conditions);
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

/* Until the last crystal is full-grown: two and a half times the parabola's way, for depletion
 * slows the end; ten times the nucleus where growth has no end. */
static double own_duration(const ng_conditions *c)
{
    const double end = isfinite(c->final_nm) ? c->final_nm : 3 * c->critical_nm;
    return c->nucleation_s + 2.5 * (end * end) / (2 * c->product_nm2_per_s);
}

static ng_status compute(const options *o, const question *q, double concentration, ng_energy *out,
                         ng_conditions *scaled, ng_error *err)
{
    *scaled = concentration == 1 ? q->conditions
                                 : ng_conditions_scale(&q->conditions, concentration, o->order);
    const double duration =
        isnan(o->duration_s) || concentration != 1 ? own_duration(scaled) : o->duration_s;
    const bool given = q->rate != NULL && concentration == 1;
    const ng_time_law law =
        given ? ng_law_table(q->rate, q->rate + q->n_rate, q->n_rate) : ng_law_constant(0);
    return ng_energy_compute(scaled, given ? &law : NULL, duration, o->window_percent / 100, STEPS,
                             out, err);
}

static json_t *window_json(const ng_window *w)
{
    return json_pack("{s:o,s:o}", "from_s", ng_json_real(w->from_s), "to_s", ng_json_real(w->to_s));
}

static double common_s(const ng_energy *e)
{
    return fmax(fmin(e->births_window.to_s, e->growth_window.to_s) -
                    fmax(e->births_window.from_s, e->growth_window.from_s),
                0);
}

static json_t *overlap_json(const ng_energy *e)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:f,s:o,s:o}", "windows", ng_json_real(e->overlap.windows),
                     "of_nucleation", ng_json_real(e->overlap.of_nucleation), "of_growth",
                     ng_json_real(e->overlap.of_growth), "densities",
                     ng_json_real(e->overlap.densities), "common_s", common_s(e), "nucleation",
                     window_json(&e->births_window), "growth", window_json(&e->growth_window));
}

static json_t *conditions_json(const ng_conditions *c)
{
    return json_pack("{s:f,s:f,s:f,s:o,s:s,s:f,s:f}", "critical_nm", c->critical_nm,
                     "product_nm2_per_s", c->product_nm2_per_s, "growth_nm2_per_s",
                     2 * c->product_nm2_per_s, "final_nm", ng_json_real(c->final_nm), "growth",
                     ng_growth_kind_name(c->growth), "births_per_s", c->births_per_s,
                     "nucleation_s", c->nucleation_s);
}

static ng_status concentrations_json(ng_cli *cli, const options *o, const question *q, json_t *rows,
                                     ng_error *err)
{
    ng_status status = NG_OK;
    ng_cli_print(cli, "\n%13s %8s %12s %9s %13s %13s\n", "concentration", "final", "nucleation",
                 "overlap", "common time", "transition");
    for (size_t i = 0; i < q->n_concentrations; i++) {
        const double c = q->concentration[i];
        ng_energy e;
        ng_conditions scaled;
        status = compute(o, q, c, &e, &scaled, err);
        if (status != NG_OK) {
            break;
        }
        json_array_append_new(rows, json_pack("{s:f,s:o,s:o,s:{s:o,s:o}}", "concentration", c,
                                              "conditions", conditions_json(&scaled), "overlap",
                                              overlap_json(&e), "transition", "time_s",
                                              ng_json_real(e.transition_s), "radius_nm",
                                              ng_json_real(e.transition_nm)));
        ng_cli_print(cli, "%13g %5.3g nm %10.4g s %8.1f%% %11.4g s ", c, scaled.final_nm,
                     e.births_window.to_s - e.births_window.from_s, 100 * e.overlap.windows,
                     common_s(&e));
        if (isnan(e.transition_s)) {
            ng_cli_print(cli, "%13s\n", "none");
        } else {
            ng_cli_print(cli, "%11.4g s\n", e.transition_s);
        }
        ng_energy_free(&e);
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
static json_t *rate_curve_json(const ng_conditions *c)
{
    const double k = c->product_nm2_per_s * c->critical_nm, r_star = c->critical_nm;
    json_t *radius = json_array(), *rate = json_array();
    for (int i = 0; i <= RATE_POINTS; i++) {
        const double r = r_star * (0.5 + 5.5 * i / RATE_POINTS);
        json_array_append_new(radius, ng_json_real(r));
        json_array_append_new(rate, ng_json_real(ng_sugimoto_rate(k, r_star, r)));
    }
    return json_pack("{s:f,s:f,s:o,s:o,s:{s:f,s:f},s:f}", "k_nm3_per_s", k, "critical_nm", r_star,
                     "radius_nm", radius, "rate_nm_per_s", rate, "maximum", "radius_nm", 2 * r_star,
                     "rate_nm_per_s", ng_sugimoto_rate(k, r_star, 2 * r_star), "focusing_from_nm",
                     2 * r_star);
}

static json_t *barrier_json(const ng_conditions *c, double sigma)
{
    const double r_m = c->critical_nm * 1e-9, joule = ng_gibbs_barrier(sigma, r_m);
    return json_pack("{s:f,s:f,s:f,s:f}", "surface_energy_J_per_m2", sigma,
                     "volume_energy_J_per_m3", -2 * sigma / r_m, "barrier_J", joule,
                     "barrier_kT_298", joule / KT_298_J);
}

static void print_answer(const ng_cli *cli, const ng_energy *e, const question *q)
{
    ng_cli_print(cli, "laws        r* %.4g nm, d(r^2)/dt %.4g nm^2/s (%s), final %.4g nm, %s\n",
                 q->conditions.critical_nm, 2 * q->conditions.product_nm2_per_s,
                 ng_growth_kind_name(q->conditions.growth), q->conditions.final_nm,
                 q->rate != NULL ? "births by file" : "constant births");
    if (isnan(e->transition_s)) {
        ng_cli_print(cli, "transition  none: the total free energy stays above 0\n");
    } else {
        ng_cli_print(cli,
                     "transition  total free energy below 0 from %.4g s on, when the first crystal "
                     "has %.4g nm\n",
                     e->transition_s, e->transition_nm);
    }
    if (!isnan(e->growth_flip_s)) {
        ng_cli_print(cli, "growth      its own term below 0 from %.4g s on (%.4g nm)\n",
                     e->growth_flip_s, e->growth_flip_nm);
    }
    ng_cli_print(cli,
                 "overlap     %.1f %% of the union of both windows: births %.4g to %.4g s, "
                 "growth %.4g to %.4g s\n",
                 100 * e->overlap.windows, e->births_window.from_s, e->births_window.to_s,
                 e->growth_window.from_s, e->growth_window.to_s);
    ng_cli_print(cli, "dr/dt       greatest at %.4g nm; sizes focus beyond\n",
                 2 * q->conditions.critical_nm);
}

static ng_status answer(ng_cli *cli, const options *o, const question *q, ng_error *err)
{
    ng_energy e;
    ng_conditions same;
    ng_status status = compute(o, q, 1, &e, &same, err);
    if (status != NG_OK) {
        return status;
    }
    print_answer(cli, &e, q);
    json_t *rows = json_array();
    status = concentrations_json(cli, o, q, rows, err);
    if (status == NG_OK && isnan(e.transition_s)) {
        ng_warnings_add(&cli->warnings, "no-transition",
                        "the total free energy stays above 0 for "
                        "the %.4g s of the run; crystals must reach about 2 r*",
                        e.time_s[e.n - 1]);
    }
    cli->result = json_pack(
        "{s:o,s:{s:o,s:o,s:o},s:{s:o,s:o},s:o,s:o,s:o,s:o,s:o}", "conditions",
        conditions_json(&q->conditions), "transition", "time_s", ng_json_real(e.transition_s),
        "radius_nm", ng_json_real(e.transition_nm), "mean_radius_nm",
        ng_json_real(e.transition_mean_nm), "growth_transition", "time_s",
        ng_json_real(e.growth_flip_s), "radius_nm", ng_json_real(e.growth_flip_nm), "overlap",
        ng_json_real(e.overlap.windows), "overlaps", overlap_json(&e), "series", series_json(&e),
        "rate_curve", rate_curve_json(&q->conditions), "concentrations", rows);
    if (!isnan(o->surface_energy) && cli->result != NULL) {
        json_object_set_new(cli->result, "barrier",
                            barrier_json(&q->conditions, o->surface_energy));
    }
    ng_energy_free(&e);
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
    ng_free(q.rate);
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
        "60 % is not defined in its text; further definitions stand in the result.",
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
