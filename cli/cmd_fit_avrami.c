/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow fit avrami: the law of a transformation, of an ensemble or of every crystal. */
#include "crystal_options.h"

#include <nucgrow/crystals.h>
#include <nucgrow/predict.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct options {
    ng_crystal_options crystals;
    const char *of;
    bool robust;
    double level;
    long min_points, bootstrap;
} options;

static const ng_option table[] = {
    {.name = "of",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, of),
     .choices = "auto|fraction|intensity|crystals",
     .initial = "auto",
     .group = "Input",
     .doc = "What the table holds: a series with a column fraction or intensity, or tracked "
            "crystals, each fitted."},
    NG_CRYSTAL_OPTION_ROWS(options, crystals),
    NG_CRYSTAL_FIT_ROWS(options),
};

static ng_curve_options curve_options(const options *o)
{
    ng_curve_options c = ng_curve_defaults();
    c.robust = o->robust;
    c.level = o->level;
    return c;
}

/* ---- one series ------------------------------------------------------------------------------ */

typedef struct series {
    double *time_s, *y; /* owned: one block */
    size_t n;
    bool fraction;
} series;

static ng_status read_columns(const char *path, const char *column, series *out, ng_error *err)
{
    const char *const columns[] = {"time_s", column};
    double *rows = NULL;
    ng_status status = ng_predict_table_read(path, columns, 2, &rows, &out->n, err);
    if (status != NG_OK) {
        return status;
    }
    out->time_s = NG_NEW(double, 2 * out->n);
    if (out->time_s == NULL) {
        ng_free(rows);
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu rows", path, out->n);
    }
    out->y = out->time_s + out->n;
    for (size_t i = 0; i < out->n; i++) {
        out->time_s[i] = rows[2 * i];
        out->y[i] = rows[2 * i + 1];
    }
    ng_free(rows);
    return NG_OK;
}

/* The column fraction where there is one, else intensity. */
static ng_status read_series(const char *path, const char *of, series *out, ng_error *err)
{
    ng_error first = {.message = ""};
    ng_status status = NG_FORMAT;
    *out = (series){.fraction = strcmp(of, "intensity") != 0};
    if (out->fraction) {
        status = read_columns(path, "fraction", out, &first);
    }
    const bool missing = strstr(first.message, "no column fraction") != NULL;
    if (!out->fraction || (missing && strcmp(of, "fraction") != 0)) {
        out->fraction = false;
        return read_columns(path, "intensity", out, err);
    }
    return status == NG_OK ? NG_OK : NG_FAIL(err, status, "%s", first.message);
}

static ng_status check_series(const char *path, const series *s, ng_error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->y[i]) || !isfinite(s->time_s[i])) {
            return NG_FAIL(err, NG_INVALID, "%s: row %zu holds a value that is not finite", path,
                           i + 1);
        }
        if (i > 0 && !(s->time_s[i] > s->time_s[i - 1])) {
            return NG_FAIL(err, NG_INVALID, "%s: row %zu: time_s is %g after %g; times must rise",
                           path, i + 1, s->time_s[i], s->time_s[i - 1]);
        }
    }
    return NG_OK;
}

static void warn_of_parameters(ng_cli *cli, const ng_curve_fit *fit)
{
    for (size_t j = 0; j < fit->law->n_parameters; j++) {
        const ng_fit_parameter *p = &fit->parameter[j];
        if (p->flag != NG_FIT_OK) {
            ng_warnings_add(&cli->warnings, ng_fit_flag_name(p->flag),
                            "%s is %s: %.4g (%.4g to %.4g)", fit->law->info[j].name,
                            ng_fit_flag_name(p->flag), p->value, p->lower, p->upper);
        }
    }
}

static bool is_trusted(const ng_curve_fit *fit)
{
    bool trusted = fit->state == NG_CURVE_OK;
    for (size_t j = 0; j < 3; j++) {
        trusted = trusted && fit->parameter[j].flag == NG_FIT_OK;
    }
    return trusted;
}

static void print_fit(const ng_cli *cli, const ng_curve_fit *fit)
{
    ng_cli_print(cli, "%s, %zu points, %zu far off\n", fit->law->equation, fit->n_points,
                 fit->n_outliers);
    for (size_t j = 0; j < fit->law->n_parameters; j++) {
        const ng_fit_parameter *p = &fit->parameter[j];
        ng_cli_print(cli, "%-12s %10.5g  (%.4g to %.4g) %-5s %s\n", fit->law->info[j].name,
                     p->value, p->lower, p->upper, fit->law->info[j].unit,
                     p->flag == NG_FIT_OK ? "" : ng_fit_flag_name(p->flag));
    }
    char *meaning = ng_avrami_meaning(&fit->parameter[0], false);
    ng_cli_print(cli, "%s\n", meaning != NULL ? meaning : "");
    ng_free(meaning);
}

static ng_status fit_series(ng_cli *cli, const options *o, ng_error *err)
{
    series s = {0};
    ng_curve_fit fit;
    const ng_curve_options how = curve_options(o);
    ng_status status = ng_cli_inputs(cli, err);
    status = status == NG_OK ? read_series(cli->file[0], o->of, &s, err) : status;
    status = status == NG_OK ? check_series(cli->file[0], &s, err) : status;
    const ng_curve_data data = {.time_s = s.time_s, .y = s.y, .n = s.n};
    if (status == NG_OK) {
        status =
            ng_curve_fit_run(s.fraction ? &ng_curve_avrami_fraction : &ng_curve_avrami_intensity,
                             &data, &how, &fit, err);
    }
    if (status == NG_OK && fit.state != NG_CURVE_OK && fit.state != NG_CURVE_NOT_CONVERGED) {
        status =
            NG_FAIL(err, NG_TOO_LITTLE,
                    "%s: no Avrami fit: %s (%zu rows; a series must rise "
                    "and have %zu rows or more)",
                    cli->file[0], ng_curve_state_name(fit.state), s.n, fit.law->n_parameters + 2);
    }
    if (status == NG_OK) {
        warn_of_parameters(cli, &fit);
        print_fit(cli, &fit);
        cli->result = ng_avrami_json(&fit, false, &data);
        json_object_set_new(cli->result, "level", json_real(o->level));
        json_object_set_new(cli->result, "trusted", json_boolean(is_trusted(&fit)));
        ng_provenance_reference(cli->provenance, fit.law->reference);
    }
    ng_free(s.time_s);
    return status;
}

/* ---- crystals -------------------------------------------------------------------------------- */

static ng_status fit_crystals(ng_cli *cli, const options *o, ng_error *err)
{
    ng_crystal_data data;
    ng_crystals crystals = {0};
    ng_crystals_options how = ng_crystals_defaults();
    how.curve = curve_options(o);
    how.diffusion = false;
    how.least_points = (size_t)o->min_points;
    how.bootstrap = (size_t)o->bootstrap;
    ng_status status = ng_crystal_load(cli, &o->crystals, cli->file[0], true, &data, err);
    if (status != NG_OK) {
        return status;
    }
    how.seed = cli->run.seed;
    status = ng_crystals_fit(&data.tracks, &how, &cli->run, &crystals, &cli->warnings, err);
    if (status == NG_OK) {
        status = ng_crystals_json(&crystals, &data.tracks, &how, &cli->result, &cli->warnings, err);
    }
    if (status == NG_OK) {
        const json_t *n = json_object_get(json_object_get(cli->result, "parameters"), "n");
        ng_crystal_print(cli, &data);
        ng_cli_print(cli, "crystals   %zu fitted, %zu tracks too short\n", crystals.n,
                     crystals.dropped);
        if (json_is_number(json_object_get(n, "value"))) {
            ng_cli_print(cli, "n          %.4g, median (%.4g to %.4g)\n",
                         json_number_value(json_object_get(n, "value")),
                         json_number_value(json_object_get(n, "lower")),
                         json_number_value(json_object_get(n, "upper")));
        } else {
            ng_cli_print(cli, "n          none: no crystal tells it\n");
        }
        ng_crystal_put(cli->result, &data);
        ng_provenance_reference(cli->provenance, ng_curve_avrami_crystal.reference);
        json_object_set_new(cli->result, "trusted",
                            json_boolean(json_is_number(json_object_get(n, "value"))));
    }
    ng_crystals_free(&crystals);
    ng_crystal_data_free(&data);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_file_info info;
    if (strcmp(o->of, "auto") != 0) {
        return strcmp(o->of, "crystals") == 0 ? fit_crystals(cli, o, err) : fit_series(cli, o, err);
    }
    ng_status status = ng_file_inspect(cli->file[0], &info, err);
    if (status != NG_OK) {
        return status;
    }
    const bool tracked = info.kind == NG_KIND_TRACKS || info.kind == NG_KIND_TRACKMATE_CSV ||
                         info.kind == NG_KIND_TRACKMATE_XML || info.kind == NG_KIND_TRACKPY_CSV ||
                         info.kind == NG_KIND_PARTICLES;
    ng_file_info_free(&info);
    return tracked ? fit_crystals(cli, o, err) : fit_series(cli, o, err);
}

const ng_command ng_command_fit_avrami = {
    .name = "fit avrami",
    .group = "Model",
    .summary = "Avrami's law of a transformation, of an ensemble or of every crystal",
    .description =
        "f = 1 - exp(-(K (t-t0))^n). A table with the columns time_s and fraction is fitted with "
        "baseline 0 and plateau 1; with time_s and intensity, both are fitted, too. A table of "
        "tracked crystals is fitted crystal by crystal (baseline 0), and medians are given with "
        "intervals from resampled crystals.\n\n"
        "The rate is K = k^(1/n), per second: k itself has units that depend on n. Intervals are "
        "profiles, widened for autocorrelated residuals. The result says which modes of "
        "nucleation and growth have an exponent inside the interval.",
    .usage = "SERIES.csv|TRACKS.csv [options]",
    .examples = "nucgrow fit avrami series.csv -o fit-avrami.json\n"
                "nucgrow fit avrami tracks.csv --level 0.9\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/fit-avrami/1",
    .run = run,
};
