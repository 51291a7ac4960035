/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit-growth.json: what was fitted. What follows from it stands in growth_json_derived.c. */
#include "growth_json_internal.h"

#include <math.h>

#define N NG_N_GROWTH_PARAMETERS

void ng_growth_put(growth_writer *w, json_t *object, const char *key, json_t *value)
{
    w->ok = json_object_set_new(object, key, value) == 0 && w->ok;
}

void ng_growth_append(growth_writer *w, json_t *array, json_t *value)
{
    w->ok = json_array_append_new(array, value) == 0 && w->ok;
}

json_t *ng_growth_reals(const double *x, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < n; i++) {
        /* seven digits: more is noise, and half of the file */
        double digits =
            x[i] != 0.0 && isfinite(x[i]) ? pow(10.0, 6.0 - floor(log10(fabs(x[i])))) : 1.0;
        double value = isfinite(digits) && digits > 0.0 ? round(x[i] * digits) / digits : x[i];
        if (json_array_append_new(array, ng_json_real(value)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* ---- parameters -------------------------------------------------------------------------- */

static json_t *parameter_json(const ng_fit_parameter *p, const ng_parameter_info *info,
                              double start)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:s,s:s,s:s,s:s,s:f,s:f,s:f,s:b}", "value",
                     ng_json_real(p->value), "lower", ng_json_real(p->lower), "upper",
                     ng_json_real(p->upper), "se", ng_json_real(p->se), "flag",
                     ng_fit_flag_name(p->flag), "unit", info->unit, "title", info->title, "symbol",
                     info->symbol, "min", info->min, "max", info->max, "start", start, "fixed",
                     p->flag == NG_FIT_FIXED);
}

static json_t *parameters_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    const ng_growth_fit_options *o = w->options;
    json_t *all = json_object();
    for (size_t i = 0; i < N; i++) {
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        ng_growth_put(
            w, all, info->name,
            parameter_json(&fit->parameter[i], info, ng_growth_parameter_get(&o->start, i)));
    }
    return all;
}

static json_t *delta_json(const ng_growth_fit *fit, const ng_growth_fit_options *o)
{
    static const char *const mode[] = {"free", "smooth", "constant", "fixed"};
    return json_pack("{s:s,s:f,s:f,s:f}", "mode", mode[o->delta_mode], "mean", fit->delta_mean,
                     "lower", fit->delta_lower, "upper", fit->delta_upper);
}

static json_t *cost_json(const ng_growth_fit *fit, const ng_growth_fit_options *o)
{
    return json_pack("{s:f,s:f,s:f,s:o,s:f}", "growth_rate", fit->growth_rate_cost, "variance",
                     fit->variance_cost, "growth_rate_start", fit->growth_rate_cost_start,
                     "variance_limit", ng_json_real(o->variance_limit), "objective",
                     fit->objective);
}

/* What was in force, whether the user, the preset or a default chose it. */
static json_t *settings_json(const ng_growth_fit_options *o)
{
    return json_pack("{s:f,s:o,s:[f,f],s:f,s:I,s:I,s:I,s:I,s:I}", "variance_scale",
                     o->variance_scale, "variance_limit", ng_json_real(o->variance_limit),
                     "frame_weights", o->frame_weight_first, o->frame_weight_last,
                     "supersaturation_max", o->supersaturation_max, "size_trim",
                     (json_int_t)o->size_trim, "series_window_frames", (json_int_t)o->series_window,
                     "starts", (json_int_t)o->starts, "max_iterations",
                     (json_int_t)o->max_iterations, "bootstrap", (json_int_t)o->bootstrap);
}

/* ---- search, information, bootstrap ------------------------------------------------------ */

static json_t *stop_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *starts = json_array();
    for (size_t i = 0; i < fit->n_starts; i++) {
        const ng_fit_start *s = &fit->start[i];
        json_t *row =
            json_pack("{s:o,s:I,s:s}", "objective", ng_json_real(s->objective), "iterations",
                      (json_int_t)s->iterations, "reason", ng_fit_stop_text(s->stop));
        if (!w->forward) {
            ng_growth_put(w, row, "growth_rate", ng_json_real(s->growth_rate));
            ng_growth_put(w, row, "variance", ng_json_real(s->variance));
        }
        ng_growth_append(w, starts, row);
    }
    return json_pack("{s:s,s:I,s:I,s:o}", "reason", ng_fit_stop_text(fit->start[0].stop),
                     "iterations", (json_int_t)fit->start[0].iterations, "evaluations",
                     (json_int_t)fit->evaluations, "starts", starts);
}

static json_t *identifiability_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *names = json_array(), *correlation = json_array(), *vectors = json_array();
    for (size_t i = 0; i < fit->n_free; i++) {
        const ng_parameter_info *info = &ng_growth_parameter_info()[fit->free_index[i]];
        const char *log = info->logarithmic ? "ln " : "";
        char name[32];
        (void)snprintf(name, sizeof name, "%s%s", log, info->name);
        ng_growth_append(w, names, json_string(name));
        ng_growth_append(w, correlation, ng_growth_reals(fit->correlation[i], fit->n_free));
        ng_growth_append(w, vectors, ng_growth_reals(fit->eigenvector[i], fit->n_free));
    }
    double condition = fit->n_free > 0 && fit->eigenvalue[fit->n_free - 1] > 0.0
                           ? fit->eigenvalue[0] / fit->eigenvalue[fit->n_free - 1]
                           : (double)NAN;
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "names", names, "correlation", correlation,
                     "eigenvalues", ng_growth_reals(fit->eigenvalue, fit->n_free), "eigenvectors",
                     vectors, "condition", ng_json_real(condition));
}

static json_t *bootstrap_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *parameters = json_object(), *n_max = json_array(), *mu_max = json_array();
    for (size_t i = 0; i < N; i++) {
        json_t *values = json_array();
        for (size_t b = 0; b < fit->n_replicates; b++) {
            double value = ng_growth_parameter_get(&fit->replicate[b], i);
            ng_growth_append(w, values, ng_json_real(value));
        }
        ng_growth_put(w, parameters, ng_growth_parameter_info()[i].name, values);
    }
    for (size_t b = 0; b < fit->n_replicates; b++) {
        ng_potential_maximum m = ng_growth_maximum(&fit->replicate[b], fit->replicate_delta[b]);
        ng_growth_append(w, n_max, ng_json_real(m.found ? m.n : (double)NAN));
        ng_growth_append(w, mu_max, ng_json_real(m.found ? m.mu_kT : (double)NAN));
    }
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "replicates", (json_int_t)fit->n_replicates,
                     "failed", (json_int_t)fit->n_failed, "parameters", parameters, "delta",
                     ng_growth_reals(fit->replicate_delta, fit->n_replicates), "n_max", n_max,
                     "mu_max_kT", mu_max);
}

/* ---- series ------------------------------------------------------------------------------ */

static json_t *series_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    const ng_series *data = &w->series;
    const struct {
        const char *key;
        const double *x;
    } row[] = {
        {"time_s", fit->time_s},
        {"supersaturation", fit->supersaturation},
        {"supersaturation_lower", fit->supersaturation_lower},
        {"supersaturation_upper", fit->supersaturation_upper},
        {"delta", fit->delta},
        {"mean_n", fit->mean_n},
        {"var_n", fit->var_n},
        {"mean_n_model", fit->mean_n_model},
        {"var_n_model", fit->var_n_model},
        {"growth_rate_cost", fit->frame_cost},
    };
    json_t *series = json_object(), *particles = json_array();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ng_growth_put(w, series, row[i].key, ng_growth_reals(row[i].x, fit->n_frames));
    }
    for (size_t t = 0; t < fit->n_frames; t++) {
        ng_growth_append(w, particles, json_real(data->particles[fit->frame[t]]));
    }
    ng_growth_put(w, series, "particles", particles);
    return series;
}

static json_t *moments_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    const ng_series *data = &w->series;
    json_t *order = json_array(), *measured = json_array(), *model = json_array();
    double *x = NG_NEW(double, fit->n_frames);
    w->ok = x != NULL && w->ok;
    for (size_t q = 0; x && q < NG_N_HIGH_MOMENTS; q++) {
        for (size_t t = 0; t < fit->n_frames; t++) {
            x[t] = w->forward ? w->forward->moment_data[q][t]
                              : data->moment[NG_MOMENT_FIRST + q][fit->frame[t]];
        }
        ng_growth_append(w, order, json_integer((json_int_t)(NG_MOMENT_FIRST + q)));
        ng_growth_append(w, measured, ng_growth_reals(x, fit->n_frames));
        ng_growth_append(w, model, ng_growth_reals(fit->moment_model[q], fit->n_frames));
    }
    ng_free(x);
    return json_pack("{s:o,s:o,s:o,s:o}", "time_s", ng_growth_reals(fit->time_s, fit->n_frames),
                     "order", order, "data", measured, "model", model);
}

/* ---- verdict ----------------------------------------------------------------------------- */

static bool is_flagged(const ng_growth_fit *fit, ng_fit_flag flag)
{
    for (size_t i = 0; i < N; i++) {
        if (fit->parameter[i].flag == flag) {
            return true;
        }
    }
    return false;
}

/* Every parameter that was searched may lie anywhere. */
static bool is_nothing_identified(const ng_growth_fit *fit)
{
    bool searched = false;
    for (size_t i = 0; i < N; i++) {
        ng_fit_flag flag = fit->parameter[i].flag;
        if (flag == NG_FIT_OK || flag == NG_FIT_AT_BOUND) {
            return false;
        }
        searched = searched || flag == NG_FIT_NOT_IDENTIFIABLE;
    }
    return searched;
}

static void reason(growth_writer *w, json_t *reasons, const char *text)
{
    ng_growth_append(w, reasons, json_string(text));
}

/* What forbids to trust the fit. @return false: nothing does */
static bool add_objections(growth_writer *w, json_t *reasons)
{
    const ng_growth_fit *fit = w->fit;
    size_t before = json_array_size(reasons);
    if (is_nothing_identified(fit)) {
        reason(w, reasons, "The data identify none of the parameters.");
    }
    if (fit->n_failed > fit->n_replicates) {
        reason(w, reasons,
               "Most resamplings of the trajectories hold too little for a fit: the intervals are "
               "not to be trusted.");
    }
    if (fit->variance_cost > GROWTH_LIMIT_MISSED * w->options->variance_limit) {
        reason(w, reasons, "The variance curve cannot be brought within its limit.");
    }
    if (!fit->converged) {
        reason(w, reasons, "The search did not converge.");
    }
    if (w->forward && w->forward->mean_within < FORWARD_MEAN_SHARE &&
        w->forward->mean_within < w->forward->mean_within_spline - FORWARD_MEAN_MARGIN) {
        reason(w, reasons,
               "The predicted mean size misses the measured one by more than 5 % in "
               "too many frames.");
    }
    if (is_flagged(fit, NG_FIT_AT_BOUND)) {
        reason(w, reasons,
               "A parameter ended at the edge of its allowed range: read the potential and "
               "its band, not the single numbers.");
    }
    return json_array_size(reasons) > before;
}

/* What a reader should know of a fit that may be sound. */
static void add_cautions(growth_writer *w, json_t *reasons)
{
    const ng_growth_fit *fit = w->fit;
    const growth_answer *a = &w->answer;
    if (w->options->bootstrap == 0) {
        reason(w, reasons,
               "No resampling was asked for: the intervals of parameters and potential are empty, "
               "only standard errors tell how well they are known.");
    }
    if (fit->start[0].stop == NG_STOP_EVALUATED && fit->n_free == 0 &&
        !is_flagged(fit, NG_FIT_AT_BOUND)) {
        reason(w, reasons, "Evaluated at given values: nothing was fitted, so nothing is tested.");
    }
    if (is_flagged(fit, NG_FIT_NOT_IDENTIFIABLE) && !is_nothing_identified(fit)) {
        reason(w, reasons,
               "Some parameters are not identifiable from these data by themselves; their "
               "combination, the potential, is what is measured.");
    }
    if (w->forward && w->forward->var_within < FORWARD_VARIANCE_SHARE) {
        reason(w, reasons,
               "The predicted spread of sizes differs from the measured one by more "
               "than two standard deviations in over a fifth of the frames.");
    }
    if (!a->maximum.found) {
        reason(w, reasons, "The fitted potential has no maximum in the sampled sizes.");
    } else if (a->mu_upper - a->mu_lower > 2.0 * fabs(a->maximum.mu_kT)) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "The height of the potential's maximum is uncertain: %.2f to %.2f kT.",
                       a->mu_lower, a->mu_upper);
        reason(w, reasons, text);
    }
}

static json_t *verdict_json(growth_writer *w, bool *trusted)
{
    json_t *reasons = json_array();
    *trusted = !add_objections(w, reasons);
    add_cautions(w, reasons);
    const char *level = !*trusted ? "red" : json_array_size(reasons) > 0 ? "amber" : "green";
    if (json_array_size(reasons) == 0) {
        reason(w, reasons, "Converged, inside all bounds, every parameter identified.");
    }
    return json_pack("{s:s,s:o}", "level", level, "reasons", reasons);
}

/* ---- design of further experiments ----------------------------------------------------------- */

/* Intervals shrink with the root of the number of particles, and of the time watched where what is
 * added is like what was seen. */
static json_t *wanted_json(growth_writer *w, size_t index)
{
    const ng_fit_parameter *p = &w->fit->parameter[index];
    const ng_trajectories *t = w->trajectories;
    const double half = 0.5 * (p->upper - p->lower), wanted = w->options->wanted[index];
    const double factor = half * half / (wanted * wanted);
    const double particles = (double)(t->n_sampled > 0 ? t->n_sampled : t->n_tracks);
    return json_pack("{s:f,s:f,s:o,s:o,s:o}", "half_width", half, "wanted", wanted, "factor",
                     ng_json_real(factor), "particles", ng_json_real(ceil(particles * factor)),
                     "frames", ng_json_real(ceil((double)w->fit->n_frames * factor)));
}

static json_t *design_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *all = json_object(), *shares = json_object(), *needed = json_object();
    for (size_t i = 0; i < fit->n_free; i++) {
        const char *name = ng_growth_parameter_info()[fit->free_index[i]].name;
        ng_growth_put(w, shares, name, ng_growth_reals(fit->window_share[i], NG_DESIGN_WINDOWS));
    }
    for (size_t i = 0; i < N; i++) {
        if (w->options->wanted[i] > 0 && fit->parameter[i].upper > fit->parameter[i].lower) {
            ng_growth_put(w, needed, ng_growth_parameter_info()[i].name, wanted_json(w, i));
        }
    }
    ng_growth_put(w, all, "start_s", ng_growth_reals(fit->window_start_s, NG_DESIGN_WINDOWS));
    ng_growth_put(w, all, "end_s", ng_growth_reals(fit->window_end_s, NG_DESIGN_WINDOWS));
    ng_growth_put(w, all, "share", shares);
    ng_growth_put(w, all, "needed", needed);
    return all;
}

/* ---- samples from a flask ---------------------------------------------------------------- */

static json_t *samples_json(growth_writer *w)
{
    const ng_samples *s = w->options->samples;
    json_t *object = json_object(), *counts = json_array();
    for (size_t k = 0; k < s->n_times; k++) {
        ng_growth_append(w, counts, json_integer((json_int_t)(s->first[k + 1] - s->first[k])));
    }
    ng_growth_put(w, object, "time_s", ng_growth_reals(s->time_s, s->n_times));
    ng_growth_put(w, object, "particles", counts);
    ng_growth_put(w, object, "outliers", json_integer((json_int_t)s->dropped));
    ng_growth_put(w, object, "scatter_ln_r", json_real(s->scatter));
    ng_growth_put(w, object, "quantiles", json_integer((json_int_t)w->options->sample.quantiles));
    return object;
}

static json_t *sigma_json(const ng_growth_fit *fit)
{
    const ng_fit_parameter *p = &fit->sigma_s_nm;
    return json_pack("{s:f,s:f,s:f,s:s}", "value", p->value, "lower", p->lower, "upper", p->upper,
                     "flag", ng_fit_flag_name(p->flag));
}

/* ---- the whole --------------------------------------------------------------------------- */

static void fill(growth_writer *w, json_t *out)
{
    const ng_growth_fit_options *o = w->options;
    bool trusted = false;
    json_t *verdict = verdict_json(w, &trusted);
    ng_growth_put(w, out, "estimator", json_string(w->forward ? "forward" : "rate"));
    ng_growth_put(w, out, "preset", json_string(o->published ? "published" : "default"));
    ng_growth_put(w, out, "level", json_real(o->level));
    ng_growth_put(w, out, "trusted", json_boolean(trusted));
    ng_growth_put(w, out, "verdict", verdict);
    ng_growth_put(w, out, "answer", ng_growth_answer_json(w));
    ng_growth_put(w, out, "material", ng_material_json(w->material));
    ng_growth_put(w, out, "parameters", parameters_json(w));
    ng_growth_put(w, out, "delta", delta_json(w->fit, o));
    ng_growth_put(w, out, "cost", cost_json(w->fit, o));
    ng_growth_put(w, out, "settings", settings_json(o));
    ng_growth_put(w, out, "potential", ng_growth_potential_json(w));
    ng_growth_put(w, out, "series", series_json(w));
    ng_growth_put(w, out, "profiles", ng_growth_profiles_json(w));
    ng_growth_put(w, out, "moments", moments_json(w));
    ng_growth_put(w, out, "free_energy", ng_growth_free_energy_json(w));
    ng_growth_put(w, out, "phases", ng_growth_phases_json(w));
    ng_growth_put(w, out, "sensitivity", ng_growth_sensitivity_json(w));
    ng_growth_put(w, out, "identifiability", identifiability_json(w));
    ng_growth_put(w, out, "bootstrap", bootstrap_json(w));
    ng_growth_put(w, out, "stop", stop_json(w));
    ng_growth_put(w, out, "methods", ng_growth_methods_json(w));
    if (!w->forward && w->fit->n_free > 0) {
        ng_growth_put(w, out, "design", design_json(w));
    }
    if (o->samples != NULL) {
        ng_growth_put(w, out, "sigma_s_nm", sigma_json(w->fit));
        ng_growth_put(w, out, "samples", samples_json(w));
    }
}

/* Why something is null. */
static void warn(const growth_writer *w, ng_warnings *warnings)
{
    size_t empty = 0;
    for (size_t t = 0; t < w->fit->n_frames; t++) {
        empty += !(w->fit->supersaturation[t] > 0.0);
    }
    if (!w->answer.maximum.found) {
        ng_warnings_add(warnings, "no-maximum",
                        "the fitted potential has no maximum between n = %d and %.0f; n_max and "
                        "mu_max_kT are null",
                        GROWTH_N_MIN, GROWTH_N_SEARCH);
    }
    if (empty > 0) {
        ng_warnings_add(warnings, "no-monomers",
                        "the fitted supersaturation is 0 in %zu of %zu frames; what needs its "
                        "logarithm is null there",
                        empty, w->fit->n_frames);
    }
}

ng_status ng_growth_json_make(growth_writer *w, json_t **out, ng_warnings *warnings, ng_error *err)
{
    const ng_trajectories *t = w->trajectories;
    w->ok = true;
    *out = NULL;
    ng_status status = ng_series_create(t->n_frames, &w->series, err);
    if (status == NG_OK) {
        ng_series_compute(t, NULL, &w->series);
        status = ng_phases_find(&w->series, GROWTH_PHASES, w->phase, &w->n_phases, err);
    }
    if (status == NG_OK) {
        status = ng_growth_answer_make(w->fit, t, w->options, &w->answer, err);
    }
    if (status == NG_OK) {
        json_t *root = json_object();
        fill(w, root);
        if (w->ok) {
            warn(w, warnings);
            *out = root;
        } else {
            json_decref(root);
            status = NG_FAIL(err, NG_MEMORY, "growth fit: no memory for the result");
        }
    }
    ng_series_free(&w->series);
    return status;
}

ng_status ng_growth_fit_json(const ng_growth_fit *fit, const ng_trajectories *t,
                             const ng_growth_fit_options *o, const ng_material *material,
                             struct json_t **out, ng_warnings *warnings, ng_error *err)
{
    growth_writer w = {.fit = fit, .trajectories = t, .options = o, .material = material};
    return ng_growth_json_make(&w, out, warnings, err);
}
