/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow fit diffusion: growth by diffusion of every crystal, and which law fits best. */
#include "crystal_options.h"

#include <nucgrow/crystals.h>

#include <jansson.h>
#include <math.h>

typedef struct options {
    ng_crystal_options crystals;
    const char *law;
    bool compare, avrami, robust;
    double level, split_percent, end_percent;
    long min_points, bootstrap;
} options;

#define REAL(flag_, member_, unit_, initial_, min_, max_, group_, doc_)                            \
    {                                                                                              \
        .name = flag_, .type = NG_OPTION_REAL, .offset = offsetof(options, member_),               \
        .unit = unit_, .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_ \
    }
#define BOOL(flag_, member_, initial_, group_, doc_)                                               \
    {                                                                                              \
        .name = flag_, .type = NG_OPTION_BOOL, .offset = offsetof(options, member_),               \
        .initial = initial_, .group = group_, .doc = doc_                                          \
    }

static const ng_option table[] = {
    NG_CRYSTAL_OPTION_ROWS(options, crystals),
    {.name = "law",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, law),
     .choices = "parabolic|layer|depletion|surface|sugimoto|avrami",
     .initial = "depletion",
     .group = "Fit",
     .doc = "The law whose parameters are reported."},
    BOOL("compare", compare, "true", "Fit", "Fit all laws to every crystal and compare their AIC."),
    BOOL("avrami", avrami, "true", "Fit", "Avrami's law of every crystal, too."),
    REAL("split-percent", split_percent, "%", "80", 1, 99, "Durations",
         "Fast growth ends at this part of the final radius."),
    REAL("end-percent", end_percent, "%", "99", 2, 99.99, "Durations",
         "Slow growth ends at this part of it."),
    NG_CRYSTAL_FIT_ROWS(options),
};

static ng_status understand(const options *o, ng_crystals_options *how, ng_error *err)
{
    if (o->end_percent <= o->split_percent) {
        return NG_FAIL(err, NG_USAGE, "--end-percent %g must be larger than --split-percent %g",
                       o->end_percent, o->split_percent);
    }
    *how = ng_crystals_defaults();
    how->curve.robust = o->robust;
    how->curve.level = o->level;
    how->avrami = o->avrami;
    how->choose = o->compare;
    how->law = ng_radius_law_find(o->law);
    how->split = o->split_percent / 100;
    how->slow_end = o->end_percent / 100;
    how->least_points = (size_t)o->min_points;
    how->bootstrap = (size_t)o->bootstrap;
    return NG_OK;
}

/* ---- for people ------------------------------------------------------------------------------ */

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void print_median(const ng_cli *cli, const json_t *m, const char *name)
{
    if (m != NULL && isnan(number(m, "value"))) {
        ng_cli_print(cli, "%-20s %10s\n", name, "none");
    } else if (m != NULL) {
        ng_cli_print(cli, "%-20s %10.4g  (%.4g to %.4g), half of them %.4g to %.4g %s\n", name,
                     number(m, "value"), number(m, "lower"), number(m, "upper"),
                     number(m, "quartile_low"), number(m, "quartile_high"),
                     json_string_value(json_object_get(m, "unit")));
    }
}

static void print_summary(const ng_cli *cli, const ng_crystals *crystals, const json_t *result)
{
    const char *name = NULL;
    json_t *value = NULL, *durations = json_object_get(result, "durations");
    size_t i = 0;
    ng_cli_print(cli, "crystals   %zu fitted, %zu tracks too short\n\n%-20s %10s\n", crystals->n,
                 crystals->dropped, "over crystals", "median");
    json_object_foreach(json_object_get(result, "parameters"), name, value)
    {
        print_median(cli, value, name);
    }
    print_median(cli, json_object_get(durations, "fast_s"), "fast growth");
    print_median(cli, json_object_get(durations, "slow_s"), "slow growth");
    ng_cli_print(cli, "\n%-12s %8s %14s\n", "law", "best of", "within 2 AIC");
    json_array_foreach(json_object_get(result, "laws"), i, value)
    {
        ng_cli_print(cli, "%-12s %8.0f %14.0f\n", json_string_value(json_object_get(value, "name")),
                     number(value, "chosen"), number(value, "within_2"));
    }
}

/* ---- the verb -------------------------------------------------------------------------------- */

static void cite(ng_cli *cli, const ng_crystals_options *how)
{
    for (size_t i = 0; i < ng_n_radius_laws; i++) {
        if (how->choose || ng_radius_laws[i] == how->law) {
            ng_provenance_reference(cli->provenance, ng_radius_laws[i]->reference);
        }
    }
    if (how->avrami) {
        ng_provenance_reference(cli->provenance, ng_curve_avrami_crystal.reference);
    }
}

/* Half of the crystals without an estimate, or none with a product that is known, is no result. */
static bool is_trusted(const ng_crystals *crystals)
{
    size_t good = 0;
    for (size_t i = 0; i < crystals->n; i++) {
        const ng_curve_fit *fit = &crystals->item[i].diffusion;
        good += fit->state == NG_CURVE_OK && fit->parameter[0].flag == NG_FIT_OK;
    }
    return 2 * good >= crystals->n;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_crystal_data data;
    ng_crystals crystals = {0};
    ng_crystals_options how;
    ng_status status = understand(o, &how, err);
    if (status != NG_OK) {
        return status;
    }
    status = ng_crystal_load(cli, &o->crystals, cli->file[0], true, &data, err);
    if (status != NG_OK) {
        return status;
    }
    how.seed = cli->run.seed;
    how.radius_scale_se = ng_crystal_scale_se(&data);
    status = ng_crystals_fit(&data.tracks, &how, &cli->run, &crystals, &cli->warnings, err);
    if (status == NG_OK) {
        status = ng_crystals_json(&crystals, &data.tracks, &how, &cli->result, &cli->warnings, err);
    }
    if (status == NG_OK) {
        const bool trusted = is_trusted(&crystals);
        if (!trusted) {
            ng_warnings_add(&cli->warnings, "few-good-crystals",
                            "fewer than half of the crystals tell their growth constant");
        }
        ng_crystal_print(cli, &data);
        print_summary(cli, &crystals, cli->result);
        ng_crystal_put(cli->result, &data);
        json_object_set_new(cli->result, "trusted", json_boolean(trusted));
        cite(cli, &how);
    }
    ng_crystals_free(&crystals);
    ng_crystal_data_free(&data);
    return status;
}

const ng_command ng_command_fit_diffusion = {
    .name = "fit diffusion",
    .group = "Model",
    .summary = "growth by diffusion of every crystal, and the law that fits it best",
    .description =
        "Each crystal's radius over time, fitted by growth through diffusion: from a constant "
        "solution (parabolic), through a layer, with depletion of the crystal's own share, with "
        "a surface step; by Sugimoto's focusing; by Avrami's law of its volume. Laws are compared "
        "by AIC; the parameters of --law are reported with intervals, and their medians over "
        "crystals. Fast growth ends at 80 % of the final radius.\n\n"
        "A radius over time tells the product D V_m dC alone, never D. A crystal that cannot be "
        "fitted (three points, no rise) carries a flag and counts in no median.\n\n"
        "Radii are read from the table, or made of intensities as `nucgrow radius` does.",
    .usage = "TRACKS.csv [options]",
    .examples = "nucgrow fit diffusion tracks.csv -o fit-diffusion.json --final-radius-nm 1.5\n"
                "nucgrow fit diffusion tracks.csv --law surface --bootstrap 100\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/fit-diffusion/1",
    .run = run,
};
