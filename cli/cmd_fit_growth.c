/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow fit growth: the growth law of an ensemble from its trajectories. */
#include "assignments.h"
#include "data_options.h"

#include <nucgrow/fit.h>
#include <nucgrow/forward.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct options {
    ng_data_options data;
    const char *estimator, *delta, *frame_weights, *supersaturation, *likelihood, *sigma_range;
    ng_text_list fix, start, dataset, wanted;
    double variance_scale, variance_limit, supersaturation_max, level;
    long starts, max_iterations, bootstrap, size_trim, series_window;
    long supersaturation_knots, first_frames, folds;
    bool speed_spread, profiles, compare_models;
} options;

#define FIELD(member) .offset = offsetof(options, member)

static const ng_option table[] = {
    NG_DATA_OPTION_ROWS(options, data),
    {.name = "dataset",
     .type = NG_OPTION_LIST,
     FIELD(dataset),
     .value = "FILE[,FILE]",
     .group = "Input",
     .doc = "A data set of its own, instead of files; given twice or more, all share one law, each "
            "with its own S(t) and shape."},
    {.name = "estimator",
     .type = NG_OPTION_CHOICE,
     FIELD(estimator),
     .choices = "rate|forward",
     .initial = "rate",
     .group = "Fit",
     .doc = "rate: compare growth rates with the law, frame by frame. forward: carry each particle "
            "forward, compare sizes, and test by predicting from the first frames."},
    {.name = "delta",
     .type = NG_OPTION_TEXT,
     FIELD(delta),
     .value = "free|smooth|constant|VALUE",
     .group = "Fit",
     .doc = "Shape number: free in each frame, smooth in time, one fitted constant (default; free "
            "with --preset published), or a value from 1 to 2."},
    {.name = "fix",
     .type = NG_OPTION_LIST,
     FIELD(fix),
     .value = "NAME=VALUE,...",
     .group = "Fit",
     .doc = "Hold parameters (eps_f, eps_e, alpha4, K, kr) at given values; all five: only "
            "evaluate."},
    {.name = "start",
     .type = NG_OPTION_LIST,
     FIELD(start),
     .value = "NAME=VALUE,...",
     .group = "Fit",
     .doc = "Start values instead of the material's."},
    {.name = "wanted",
     .type = NG_OPTION_LIST,
     FIELD(wanted),
     .value = "NAME=WIDTH,...",
     .group = "Intervals",
     .doc = "Half-widths that you would like the intervals to have; the result says how many "
            "particles or frames that takes."},
    {.name = "variance-scale",
     .type = NG_OPTION_REAL,
     FIELD(variance_scale),
     .min = 1e-3,
     .max = 100,
     .group = "Fit",
     .doc = "Fit the variance curve to this multiple of the data (preset published: 1.2 for Pt, "
            "else 1)."},
    {.name = "variance-limit",
     .type = NG_OPTION_REAL,
     FIELD(variance_limit),
     .min = 1e-12,
     .max = 1e6,
     .group = "Fit",
     .doc = "Second objective: keep the variance cost at or below this (preset published: 1e-5; "
            "otherwise the variance is a test, not a target)."},
    {.name = "frame-weights",
     .type = NG_OPTION_TEXT,
     FIELD(frame_weights),
     .value = "FIRST:LAST",
     .initial = "1:1",
     .group = "Fit",
     .doc = "Weights of the frames, linear in time."},
    {.name = "supersaturation-max",
     .type = NG_OPTION_REAL,
     FIELD(supersaturation_max),
     .min = 1,
     .max = 1e6,
     .initial = "100",
     .group = "Fit",
     .doc = "Largest S(t) that is allowed."},
    {.name = "starts",
     .type = NG_OPTION_INT,
     FIELD(starts),
     .min = 1,
     .max = 1000,
     .initial = "6",
     .group = "Search",
     .doc = "Start points of the search."},
    {.name = "max-iterations",
     .type = NG_OPTION_INT,
     FIELD(max_iterations),
     .min = 1,
     .max = 10000,
     .initial = "100",
     .group = "Search",
     .doc = "Iterations of each start, at most."},
    {.name = "size-trim",
     .type = NG_OPTION_INT,
     FIELD(size_trim),
     .min = 1,
     .max = 100000,
     .initial = "200",
     .unit = "monomers",
     .group = "Preset published",
     .doc = "Sizes cut off at each end of a frame's window."},
    {.name = "series-window",
     .type = NG_OPTION_INT,
     FIELD(series_window),
     .min = 0,
     .max = 10000,
     .unit = "frames",
     .group = "Preset published",
     .doc = "Gaussian over mean and variance, s.d. one fifth of it (30 for Au, else 0)."},
    {.name = "sigma-range",
     .type = NG_OPTION_TEXT,
     FIELD(sigma_range),
     .value = "LOWER:UPPER",
     .unit = "nm",
     .group = "Samples from a flask",
     .doc = "Fit the radius of a monomer's volume between these (iron-oxide 0.3:0.4, CdSe "
            "0.2:0.3, unless --sigma-nm gives it; else that of the material)."},
    {.name = "supersaturation",
     .type = NG_OPTION_CHOICE,
     FIELD(supersaturation),
     .choices = "spline|decay|constant",
     .initial = "spline",
     .group = "Estimator forward",
     .doc = "S(t): a smooth curve, first-order decay, or one value."},
    {.name = "supersaturation-knots",
     .type = NG_OPTION_INT,
     FIELD(supersaturation_knots),
     .min = 4,
     .max = 40,
     .group = "Estimator forward",
     .doc = "Coefficients of the smooth curve (one every eight frames, 6 to 20)."},
    {.name = "first-frames",
     .type = NG_OPTION_INT,
     FIELD(first_frames),
     .min = 1,
     .max = 1000,
     .initial = "10",
     .group = "Estimator forward",
     .doc = "Observations of a particle that tell where it begins."},
    {.name = "likelihood",
     .type = NG_OPTION_CHOICE,
     FIELD(likelihood),
     .choices = "path|first-frames",
     .initial = "path",
     .group = "Estimator forward",
     .doc = "path: each observation also corrects the next prediction. first-frames: all later "
            "sizes are predicted from the first frames alone; blunt, but forgiving where sizes "
            "fluctuate more than the law makes them."},
    {.name = "speed-spread",
     .type = NG_OPTION_BOOL,
     FIELD(speed_spread),
     .group = "Estimator forward",
     .doc = "Extension: let particles differ in speed, and fit by how much."},
    {.name = "compare-models",
     .type = NG_OPTION_BOOL,
     FIELD(compare_models),
     .group = "Estimator forward",
     .doc = "Fit the potential without edges, without translation, with neither; compare by AIC, "
            "BIC and held-out frames."},
    {.name = "folds",
     .type = NG_OPTION_INT,
     FIELD(folds),
     .min = 2,
     .max = 20,
     .initial = "5",
     .group = "Estimator forward",
     .doc = "Parts of the frames that are held out in turn."},
    {.name = "profiles",
     .type = NG_OPTION_BOOL,
     FIELD(profiles),
     .initial = "true",
     .group = "Estimator forward",
     .doc = "Intervals by profile likelihood; --no-profiles: from standard errors."},
    {.name = "bootstrap",
     .type = NG_OPTION_INT,
     FIELD(bootstrap),
     .min = 0,
     .max = 100000,
     .initial = "50",
     .group = "Intervals",
     .doc = "Resamplings of the trajectories; 0: none."},
    {.name = "level",
     .type = NG_OPTION_REAL,
     FIELD(level),
     .min = 0.01,
     .max = 0.9999,
     .initial = "0.95",
     .group = "Intervals",
     .doc = "Level of the intervals."},
};

/* ---- options ----------------------------------------------------------------------------- */

/* What --fix, --start and --wanted assign to. */
typedef struct assigned {
    const char *flag;
    ng_growth_fit_options *o;
} assigned;

static ng_status set_parameter(void *context, size_t i, double value, ng_error *err)
{
    const assigned *to = context;
    const ng_parameter_info *info = &ng_growth_parameter_info()[i];
    if (!(value >= info->min && value <= info->max)) {
        return NG_FAIL(err, NG_USAGE, "--%s: %s is %g; it must lie in %g to %g %s", to->flag,
                       info->name, value, info->min, info->max, info->unit);
    }
    ng_growth_parameter_set(&to->o->start, i, value);
    to->o->fixed[i] = to->o->fixed[i] || strcmp(to->flag, "fix") == 0;
    return NG_OK;
}

static ng_status set_wanted(void *context, size_t i, double value, ng_error *err)
{
    const assigned *to = context;
    if (!(value > 0) || isinf(value)) {
        return NG_FAIL(err, NG_USAGE, "--wanted: %s=%g; the half-width must be positive",
                       ng_growth_parameter_info()[i].name, value);
    }
    to->o->wanted[i] = value;
    return NG_OK;
}

static ng_status read_list(const char *flag, const ng_text_list *list, ng_assign *assign,
                           ng_growth_fit_options *out, ng_error *err)
{
    const char *names[NG_N_GROWTH_PARAMETERS];
    assigned to = {flag, out};
    const ng_assignments form = {flag, "eps_f=3.04", names, NG_N_GROWTH_PARAMETERS, assign, &to};
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        names[i] = ng_growth_parameter_info()[i].name;
    }
    return ng_read_assignments(&form, list, err);
}

static ng_status read_delta(const char *text, ng_growth_fit_options *out, ng_error *err)
{
    static const char *const word[] = {"free", "smooth", "constant"};
    char *end = NULL;
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
        if (strcmp(text, word[i]) == 0) {
            out->delta_mode = (ng_delta_mode)i;
            return NG_OK;
        }
    }
    out->delta = strtod(text, &end);
    if (end == text || *end != '\0' || !(out->delta >= NG_DELTA_MIN) ||
        !(out->delta <= NG_DELTA_MAX)) {
        return NG_FAIL(err, NG_USAGE,
                       "--delta is '%s'; it takes free, smooth, constant, or a value from 1 to 2",
                       text);
    }
    out->delta_mode = NG_DELTA_FIXED;
    return NG_OK;
}

/* "FIRST:SECOND" */
static ng_status read_two(const char *flag, const char *text, const char *form, double *first,
                          double *second, ng_error *err)
{
    char *middle = NULL, *end = NULL;
    *first = strtod(text, &middle);
    *second = *middle == ':' ? strtod(middle + 1, &end) : 0.0;
    if (middle == text || end == NULL || end == middle + 1 || *end != '\0') {
        return NG_FAIL(err, NG_USAGE, "--%s is '%s'; it takes %s", flag, text, form);
    }
    return NG_OK;
}

static ng_status read_weights(const char *text, ng_growth_fit_options *out, ng_error *err)
{
    return read_two("frame-weights", text, "FIRST:LAST, such as 20:1", &out->frame_weight_first,
                    &out->frame_weight_last, err);
}

static ng_status read_sigma_range(const char *text, ng_growth_fit_options *out, ng_error *err)
{
    ng_status status = read_two("sigma-range", text, "LOWER:UPPER in nm, such as 0.2:0.3",
                                &out->sigma_lower_nm, &out->sigma_upper_nm, err);
    if (status == NG_OK && !(out->sigma_lower_nm > 0 && out->sigma_upper_nm > out->sigma_lower_nm &&
                             out->sigma_upper_nm < 100)) {
        return NG_FAIL(err, NG_USAGE,
                       "--sigma-range is '%s'; it takes two rising positive numbers, in nm", text);
    }
    return status;
}

/* The options that are texts with a form of their own. */
static ng_status read_texts(const options *o, ng_growth_fit_options *out, ng_error *err)
{
    ng_status status = o->delta ? read_delta(o->delta, out, err) : NG_OK;
    status = status == NG_OK ? read_list("start", &o->start, set_parameter, out, err) : status;
    status = status == NG_OK ? read_list("fix", &o->fix, set_parameter, out, err) : status;
    status = status == NG_OK ? read_list("wanted", &o->wanted, set_wanted, out, err) : status;
    if (status == NG_OK && o->sigma_range != NULL) {
        status = read_sigma_range(o->sigma_range, out, err);
    }
    return status == NG_OK ? read_weights(o->frame_weights, out, err) : status;
}

/* Where sigma_s is not known it is fitted, unless the user gave it. */
static void choose_sigma(const options *o, const ng_material *material, ng_growth_fit_options *out)
{
    double lower_nm = material->sigma_s_nm, upper_nm = material->sigma_s_nm;
    if (isnan(o->data.sigma_nm) && isnan(o->data.density_per_nm3)) {
        (void)ng_growth_sigma_range(material, &lower_nm, &upper_nm);
    }
    out->sigma_lower_nm = lower_nm;
    out->sigma_upper_nm = upper_nm;
}

static ng_growth_fit_options preset_options(const ng_data *data)
{
    if (data->ensemble.published) {
        return ng_growth_fit_published(&data->material);
    }
    return data->tracks.ex_situ ? ng_growth_fit_flask(&data->material)
                                : ng_growth_fit_defaults(&data->material);
}

static ng_status fit_options(const ng_cli *cli, const options *o, const ng_data *data,
                             ng_growth_fit_options *out, ng_error *err)
{
    *out = preset_options(data);
    choose_sigma(o, &data->material, out);
    out->variance_scale = isnan(o->variance_scale) ? out->variance_scale : o->variance_scale;
    out->variance_limit = isnan(o->variance_limit) ? out->variance_limit : o->variance_limit;
    out->series_window = o->series_window < 0 ? out->series_window : o->series_window;
    out->supersaturation_max = o->supersaturation_max;
    if (!data->tracks.ex_situ ||
        ng_options_origin(cli->options, "size-trim") != NG_ORIGIN_DEFAULT) {
        out->size_trim = o->size_trim;
    }
    out->starts = (size_t)o->starts;
    out->max_iterations = (size_t)o->max_iterations;
    out->bootstrap = (size_t)o->bootstrap;
    out->level = o->level;
    ng_status status = read_texts(o, out, err);
    return status == NG_OK ? ng_growth_fit_check(out, err) : status;
}

static bool is_forward(const options *o)
{
    return strcmp(o->estimator, "forward") == 0;
}

static ng_forward_options forward_options(const options *o)
{
    static const char *const law[] = {"spline", "decay", "constant"};
    ng_forward_options out = ng_forward_defaults();
    for (size_t i = 0; i < sizeof law / sizeof law[0]; i++) {
        if (strcmp(o->supersaturation, law[i]) == 0) {
            out.law = (ng_supersaturation_law)i;
        }
    }
    out.coefficients = o->supersaturation_knots > 0 ? (size_t)o->supersaturation_knots : 0;
    out.first_frames = (size_t)o->first_frames;
    out.first_frames_only = strcmp(o->likelihood, "first-frames") == 0;
    out.spread = o->speed_spread;
    out.profile = o->profiles;
    out.compare = o->compare_models;
    out.folds = (size_t)o->folds;
    return out;
}

/* ---- result ------------------------------------------------------------------------------ */

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static ng_status put_ensemble(ng_cli *cli, const ng_data *data, json_t *result, ng_error *err)
{
    ng_series series = {0};
    ng_bands bands = {0};
    json_t *block = NULL;
    ng_status status = ng_series_create(data->trajectories.n_frames, &series, err);
    if (status == NG_OK) {
        ng_series_compute(&data->trajectories, NULL, &series);
        status = ng_bands_compute(&data->trajectories, &data->ensemble, &cli->run, &bands, err);
    }
    if (status == NG_OK) {
        ng_ensemble ensemble = {
            &data->tracks, &data->trajectories, &data->ensemble, &data->material, &series, &bands};
        status = ng_ensemble_json(&ensemble, &cli->run, &block, err);
    }
    if (status == NG_OK && json_object_set_new(result, "ensemble", block) != 0) {
        status = NG_FAIL(err, NG_MEMORY, "fit growth: no memory for the ensemble");
    }
    ng_series_free(&series);
    ng_bands_free(&bands);
    return status;
}

static void put_timing(const ng_cli *cli, double start_s, json_t *result)
{
    /* as provenance: a fixed date means that files are compared byte by byte */
    bool fixed = getenv("SOURCE_DATE_EPOCH") != NULL;
    json_object_set_new(result, "timing",
                        json_pack("{s:f,s:i}", "wall_s", fixed ? 0.0 : now_s() - start_s, "threads",
                                  ng_run_threads(&cli->run)));
}

static void print_parameters(const ng_cli *cli, const ng_growth_fit *fit, double level)
{
    ng_cli_print(cli, "\n%-8s %10s   %.0f %% interval           %-10s  flag\n", "", "value",
                 100.0 * level, "unit");
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        const ng_fit_parameter *p = &fit->parameter[i];
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        const char *unit = strcmp(info->unit, "1") == 0 ? "" : info->unit;
        ng_cli_print(cli, "%-8s %10.4g   %-9.4g to %-9.4g  %-10s  %s\n", info->name, p->value,
                     p->lower, p->upper, unit, ng_fit_flag_name(p->flag));
    }
    ng_cli_print(cli, "%-8s %10.4g   %-9.4g to %.4g\n", "delta", fit->delta_mean, fit->delta_lower,
                 fit->delta_upper);
}

/* What the report's coloured box says. */
static void print_verdict(const ng_cli *cli)
{
    const json_t *verdict = json_object_get(cli->result, "verdict");
    const char *level = json_string_value(json_object_get(verdict, "level"));
    bool red = level != NULL && strcmp(level, "red") == 0;
    size_t i;
    json_t *reason;
    ng_cli_print(cli, "\nverdict: %s%s\n", level,
                 red ? ", do not trust this result (exit code 4)" : "");
    json_array_foreach(json_object_get(verdict, "reasons"), i, reason)
    {
        ng_cli_print(cli, "  %s\n", json_string_value(reason));
    }
}

static void print_answer(const ng_cli *cli)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(cli->result, "answer"), i, line)
    {
        ng_cli_print(cli, "%s\n", json_string_value(line));
    }
}

static void print_rate(const ng_cli *cli, const ng_growth_fit *fit)
{
    ng_cli_print(
        cli, "\ngrowth-rate cost %.4g, variance cost %.3g (%zu evaluations from %zu starts; %s)\n",
        fit->growth_rate_cost, fit->variance_cost, fit->evaluations, fit->n_starts,
        ng_fit_stop_text(fit->start[0].stop));
    ng_cli_print(cli, "The mean is not a test: the model follows the mean of the data by "
                      "construction.\n");
}

static void print_models(const ng_cli *cli, const ng_forward_fit *f)
{
    if (f->n_models == 0) {
        return;
    }
    ng_cli_print(cli, "\n%-14s %3s %9s %9s  held-out density\n", "potential", "k", "AIC", "BIC");
    for (size_t i = 0; i < f->n_models; i++) {
        const ng_forward_model *m = &f->model[i];
        ng_cli_print(cli, "%-14s %3zu %9.1f %9.1f  %.4f +- %.4f\n", m->name, m->n_parameters,
                     m->aic, m->bic, m->held_out, m->held_out_se);
    }
}

static void print_forward(const ng_cli *cli, const ng_growth_fit *fit, const ng_forward_fit *f)
{
    if (f->spread.fitted) {
        ng_cli_print(cli, "%-8s %10.4g   %-9.4g to %.4g\n", "spread", f->spread.value,
                     f->spread.lower, f->spread.upper);
    }
    ng_cli_print(cli,
                 "\nln likelihood %.1f of %zu sizes, worth %.0f independent ones; %zu parameters "
                 "(%zu evaluations from %zu starts; %s)\n",
                 f->log_likelihood, f->n_observations, f->effective_observations, f->n_parameters,
                 fit->evaluations, fit->n_starts, ng_fit_stop_text(fit->start[0].stop));
    print_models(cli, f);
}

static void cite(ng_cli *cli, bool forward)
{
    ng_provenance_reference(cli->provenance,
                            "J.-H. Kim et al., Multiphasic size-dependent growth dynamics of "
                            "nanoparticle ensembles, PNAS 122, e2424950122 (2025)");
    ng_provenance_reference(cli->provenance,
                            "G. H. Golub, V. Pereyra, The differentiation of pseudo-inverses and "
                            "nonlinear least squares problems whose variables separate, SIAM J. "
                            "Numer. Anal. 10, 413 (1973)");
    if (forward) {
        ng_provenance_reference(cli->provenance,
                                "L. Pace, A. Salvan, N. Sartori, Adjusting composite likelihood "
                                "ratio statistics, Stat. Sin. 21, 129 (2011)");
    }
}

/* A fit by either estimator. */
typedef struct fits {
    ng_growth_fit growth, rate;
    ng_forward_fit forward;
} fits;

static ng_status fit_rate(ng_cli *cli, const ng_data *data, const ng_growth_fit_options *o,
                          fits *out, ng_error *err)
{
    ng_status status =
        ng_growth_fit_run(&data->trajectories, o, &cli->run, &out->growth, &cli->warnings, err);
    return status == NG_OK ? ng_growth_fit_json(&out->growth, &data->trajectories, o,
                                                &data->material, &cli->result, &cli->warnings, err)
                           : status;
}

/* The sizes in monomers, as the fitted sigma_s has them. */
static ng_status resize(ng_data *data, double sigma_s_nm, ng_error *err)
{
    data->material.sigma_s_nm = data->ensemble.sigma_s_nm = sigma_s_nm;
    ng_trajectories_free(&data->trajectories);
    return ng_trajectories_make(&data->tracks, &data->ensemble, &data->trajectories, NULL, err);
}

/* Samples drawn from a flask: no particle is seen twice. */
static ng_status fit_flask(ng_cli *cli, ng_data *data, ng_growth_fit_options *o, fits *out,
                           ng_error *err)
{
    ng_samples samples = {0};
    ng_trajectories quantiles = {0};
    ng_status status = ng_samples_make(&data->tracks, &samples, &cli->warnings, err);
    if (status == NG_OK) {
        status = ng_growth_fit_samples(&samples, o, &cli->run, &quantiles, &out->growth,
                                       &cli->warnings, err);
    }
    status = status == NG_OK ? resize(data, quantiles.sigma_s_nm, err) : status;
    if (status == NG_OK) {
        status = ng_growth_fit_json(&out->growth, &quantiles, o, &data->material, &cli->result,
                                    &cli->warnings, err);
    }
    ng_trajectories_free(&quantiles);
    ng_samples_free(&samples);
    return status;
}

static ng_status fit_flask_forward(ng_cli *cli, ng_data *data, ng_growth_fit_options *o,
                                   const ng_forward_options *forward, fits *out, ng_error *err)
{
    ng_samples samples = {0};
    ng_trajectories quantiles = {0};
    ng_status status = ng_samples_make(&data->tracks, &samples, &cli->warnings, err);
    if (status == NG_OK) {
        status = ng_forward_fit_samples(&samples, o, forward, &cli->run, &quantiles, &out->rate,
                                        &out->growth, &out->forward, &cli->warnings, err);
    }
    status = status == NG_OK ? resize(data, quantiles.sigma_s_nm, err) : status;
    if (status == NG_OK) {
        status = ng_forward_fit_json(&out->forward, &out->growth, &out->rate, &quantiles, o,
                                     forward, &data->material, &cli->result, &cli->warnings, err);
    }
    ng_trajectories_free(&quantiles);
    ng_samples_free(&samples);
    return status;
}

static ng_status fit_forward(ng_cli *cli, const ng_data *data, const ng_growth_fit_options *o,
                             const ng_forward_options *forward, fits *out, ng_error *err)
{
    ng_status status = ng_forward_fit_run(&data->trajectories, o, forward, &cli->run, &out->rate,
                                          &out->growth, &out->forward, &cli->warnings, err);
    return status == NG_OK
               ? ng_forward_fit_json(&out->forward, &out->growth, &out->rate, &data->trajectories,
                                     o, forward, &data->material, &cli->result, &cli->warnings, err)
               : status;
}

/* `forward` NULL: the rate estimator. */
static ng_status fit(ng_cli *cli, ng_data *data, ng_growth_fit_options *o,
                     const ng_forward_options *forward, fits *out, ng_error *err)
{
    if (data->tracks.ex_situ) {
        return forward != NULL ? fit_flask_forward(cli, data, o, forward, out, err)
                               : fit_flask(cli, data, o, out, err);
    }
    return forward != NULL ? fit_forward(cli, data, o, forward, out, err)
                           : fit_rate(cli, data, o, out, err);
}

static void print_all(const ng_cli *cli, const fits *f, const ng_growth_fit_options *o,
                      bool forward)
{
    print_answer(cli);
    print_parameters(cli, &f->growth, o->level);
    if (forward) {
        print_forward(cli, &f->growth, &f->forward);
    } else {
        print_rate(cli, &f->growth);
    }
    print_verdict(cli);
    ng_data_say_unwritten(cli);
}

/* ---- several data sets ------------------------------------------------------------------- */

/* Files of one --dataset: the text is cut at its commas, in place. */
static size_t split_files(char *text, const char **path)
{
    size_t n = 1;
    path[0] = text;
    for (char *c = text; *c != '\0'; c++) {
        if (*c == ',') {
            *c = '\0';
            path[n++] = c + 1;
        }
    }
    return n;
}

static ng_status load_set(ng_cli *cli, const options *o, const char *list, ng_data *out,
                          ng_error *err)
{
    char *text = ng_text_copy(list);
    const char **path = NG_NEW(const char *, strlen(list) + 1);
    ng_status status =
        text != NULL && path != NULL
            ? ng_data_load_files(cli, &o->data, path, split_files(text, path), out, err)
            : NG_FAIL(err, NG_MEMORY, "no memory for the names of files");
    ng_free(text);
    ng_free(path);
    if (status == NG_OK && out->tracks.ex_situ) {
        ng_data_free(out);
        return NG_FAIL(err, NG_USAGE,
                       "--dataset %s: samples from a flask cannot share a fit yet; fit them alone",
                       list);
    }
    return status;
}

static ng_status check_sets(const ng_cli *cli, const options *o, ng_error *err)
{
    if (o->dataset.n == 0 && cli->n_files == 0) {
        return NG_FAIL(err, NG_USAGE,
                       "no file is given; give tables of tracks, or --dataset for "
                       "each of several data sets");
    }
    if (o->dataset.n > 0 && cli->n_files > 0) {
        return NG_FAIL(err, NG_USAGE, "%s: give every data set with --dataset, or files without it",
                       cli->file[0]);
    }
    if (o->dataset.n == 1 || (o->dataset.n > 1 && is_forward(o))) {
        return NG_FAIL(err, NG_USAGE,
                       "--dataset is given for two or more data sets, and with the "
                       "rate estimator");
    }
    return NG_OK;
}

/* {name, delta, cost, series, phases, alone: {parameters, cost}} */
static ng_status put_set(const char *name, const json_t *whole, const json_t *alone, json_t *sets,
                         ng_error *err)
{
    static const char *const kept[] = {"delta", "cost", "series", "phases"};
    json_t *one =
        json_pack("{s:s,s:{s:O,s:O}}", "name", name, "alone", "parameters",
                  json_object_get(alone, "parameters"), "cost", json_object_get(alone, "cost"));
    for (size_t i = 0; one != NULL && i < sizeof kept / sizeof kept[0]; i++) {
        (void)json_object_set(one, kept[i], json_object_get(whole, kept[i]));
    }
    return json_array_append_new(sets, one) == 0
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "no memory for the data sets");
}

static ng_status write_joint(ng_cli *cli, const options *o, const ng_data *data,
                             const ng_growth_fit_options *fit_o, const ng_growth_joint *joint,
                             ng_error *err)
{
    json_t *sets = json_array();
    ng_status status = NG_OK;
    for (size_t k = 0; k < joint->n_sets && status == NG_OK; k++) {
        json_t *whole = NULL, *alone = NULL;
        status = ng_growth_fit_json(&joint->set[k], &data[k].trajectories, fit_o, &data[k].material,
                                    &whole, k == 0 ? &cli->warnings : NULL, err);
        if (status == NG_OK) {
            status = ng_growth_fit_json(&joint->alone[k], &data[k].trajectories, fit_o,
                                        &data[k].material, &alone, NULL, err);
        }
        if (status == NG_OK) {
            status = put_set(o->dataset.item[k], whole, alone, sets, err);
        }
        json_decref(alone);
        if (k == 0) {
            cli->result = whole;
        } else {
            json_decref(whole);
        }
    }
    if (status == NG_OK) {
        (void)json_object_set(cli->result, "datasets", sets);
        (void)json_object_set_new(cli->result, "sharing",
                                  json_pack("{s:f,s:f,s:f}", "statistic", joint->statistic,
                                            "freedom", joint->freedom, "probability",
                                            joint->probability));
    }
    json_decref(sets);
    return status;
}

static void print_joint(const ng_cli *cli, const ng_growth_joint *joint, double level)
{
    print_parameters(cli, &joint->set[0], level);
    ng_cli_print(cli,
                 "\n%zu data sets share the law; against one each: chi-square %.1f for %.0f "
                 "numbers, p = %.2g\n",
                 joint->n_sets, joint->statistic, joint->freedom, joint->probability);
    print_verdict(cli);
    ng_data_say_unwritten(cli);
}

static ng_status fit_together(ng_cli *cli, const options *o, ng_data *data,
                              const ng_trajectories **set, ng_error *err)
{
    const size_t n = o->dataset.n;
    ng_growth_fit_options fit_o;
    ng_growth_joint joint = {0};
    ng_status status = NG_OK;
    for (size_t k = 0; k < n && status == NG_OK; k++) {
        status = load_set(cli, o, o->dataset.item[k], &data[k], err);
        set[k] = &data[k].trajectories;
    }
    status = status == NG_OK ? fit_options(cli, o, &data[0], &fit_o, err) : status;
    status = status == NG_OK ? ng_cli_keep_records(cli, err) : status;
    if (status == NG_OK) {
        status = ng_growth_joint_run(set, n, &fit_o, &cli->run, &joint, &cli->warnings, err);
    }
    status = status == NG_OK ? write_joint(cli, o, data, &fit_o, &joint, err) : status;
    status = status == NG_OK ? put_ensemble(cli, &data[0], cli->result, err) : status;
    if (status == NG_OK) {
        print_joint(cli, &joint, fit_o.level);
    }
    ng_growth_joint_free(&joint);
    return status;
}

static ng_status run_joint(ng_cli *cli, const options *o, double start_s, ng_error *err)
{
    ng_data *data = NG_NEW(ng_data, o->dataset.n);
    const ng_trajectories **set = NG_NEW(const ng_trajectories *, o->dataset.n);
    ng_status status = data != NULL && set != NULL
                           ? fit_together(cli, o, data, set, err)
                           : NG_FAIL(err, NG_MEMORY, "no memory for the data sets");
    if (status == NG_OK) {
        put_timing(cli, start_s, cli->result);
        cite(cli, false);
    }
    for (size_t k = 0; data != NULL && k < o->dataset.n; k++) {
        ng_data_free(&data[k]);
    }
    ng_free(data);
    ng_free(set);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    double start_s = now_s();
    ng_data data;
    ng_growth_fit_options fit_o;
    ng_forward_options forward_o = forward_options(o);
    fits f = {0};
    /* a slip in an option is told before any file is read */
    ng_status status = read_texts(o, &(ng_growth_fit_options){0}, err);
    status = status == NG_OK ? check_sets(cli, o, err) : status;
    if (status != NG_OK) {
        return status;
    }
    if (o->dataset.n > 0) {
        return run_joint(cli, o, start_s, err);
    }
    status = ng_data_load(cli, &o->data, &data, err);
    if (status != NG_OK) {
        return status;
    }
    status = fit_options(cli, o, &data, &fit_o, err);
    if (status == NG_OK) {
        status = ng_cli_keep_records(cli, err);
    }
    if (status == NG_OK) {
        status = fit(cli, &data, &fit_o, is_forward(o) ? &forward_o : NULL, &f, err);
    }
    if (status == NG_OK) {
        status = put_ensemble(cli, &data, cli->result, err);
    }
    if (status == NG_OK) {
        put_timing(cli, start_s, cli->result);
        cite(cli, is_forward(o));
        print_all(cli, &f, &fit_o, is_forward(o));
    }
    ng_growth_fit_free(&f.growth);
    ng_growth_fit_free(&f.rate);
    ng_forward_fit_free(&f.forward);
    ng_data_free(&data);
    return status;
}

const ng_command ng_command_fit_growth = {
    .name = "fit growth",
    .group = "Model",
    .summary = "growth law of an ensemble: potential, supersaturation, rates",
    .description =
        "Reads tracks (or ensemble.json) and finds the chemical potential of a monomer in a "
        "particle of n monomers, the attachment rate, and the supersaturation over time, with "
        "intervals from resampling the trajectories.\n\n"
        "At given parameters the supersaturation of every frame follows in closed form, so only "
        "five numbers are searched, from several starts. The default preset compares the growth "
        "rate of every single particle; --preset published repeats the published analysis on the "
        "survival function, with its choices.\n\n"
        "Exit code 4: the result is written, but a parameter ended at the edge of its range or the "
        "search did not converge. The five numbers are sloppy: read the potential and its band.",
    .usage = "TRACKS... [options]",
    .examples = "nucgrow fit growth tracks.csv --material Pt --pixel-nm 0.53 -o fit-growth.json\n"
                "# samples drawn from a flask\n"
                "nucgrow fit growth flask.csv --material CdSe -o fit-growth.json\n"
                "# two experiments, one law\n"
                "nucgrow fit growth --dataset a.csv --dataset b.csv --material Pt -o joint.json\n"
                "# the published analysis, evaluated at the published parameters\n"
                "nucgrow fit growth tracks.csv --material Pt --pixel-nm 0.53 \\\n"
                "    --preset published --fix eps_f=3.04,eps_e=-1.35,alpha4=6.5,K=0.171,kr=1.4\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/fit-growth/1",
    .ranks = NG_RANKS_ALL,
    .keeps_journal = true,
    .run = run,
};
