/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit-coalescence.json: the fit. What follows from it stands in coalescence_figures.c and
 * coalescence_sizes.c. */
#include "coalescence_json_internal.h"

#include <math.h>
#include <string.h>

#define TOLD_APART 0.05 /* event times less likely than this under the fit are doubtful */

void ng_coalescence_put(coalescence_writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0 && w->status == NG_OK) {
        w->status = NG_FAIL(w->err, NG_MEMORY, "no memory for %s", key);
    }
}

void ng_coalescence_append(coalescence_writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0 && w->status == NG_OK) {
        w->status = NG_FAIL(w->err, NG_MEMORY, "no memory for a list");
    }
}

/* ---- parameters ------------------------------------------------------------------------------ */

static json_t *parameter_json(const ng_fit_parameter *p, const char *unit, const char *title)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:s,s:s,s:s}", "value", ng_json_real(p->value), "lower",
                     ng_json_real(p->lower), "upper", ng_json_real(p->upper), "se",
                     ng_json_real(p->se), "flag", ng_fit_flag_name(p->flag), "unit", unit, "title",
                     title);
}

static json_t *parameters_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    json_t *all = json_object();
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        const ng_coalescence_info *info = &ng_coalescence_parameter_info()[i];
        json_t *one = parameter_json(&fit->parameter[i], info->unit, info->title);
        ng_coalescence_put(w, one, "min", ng_json_real(fit->lower_bound[i]));
        ng_coalescence_put(w, one, "max", ng_json_real(fit->upper_bound[i]));
        ng_coalescence_put(w, one, "start", ng_json_real(fit->start[i]));
        ng_coalescence_put(w, one, "fixed", json_boolean(fit->parameter[i].flag == NG_FIT_FIXED));
        ng_coalescence_put(w, all, info->name, one);
    }
    return all;
}

static json_t *laws_json(coalescence_writer *w)
{
    const ng_coalescence_laws *laws = &w->fit->model.laws;
    return json_pack("{s:o,s:b,s:{s:o,s:o,s:o,s:b,s:s},s:[o,o]}", "contact_nm",
                     ng_json_reals(laws->contact, NG_CONTACT_TERMS), "contact_given",
                     w->options->contact_given, "diffusion", "d0_nm2_per_s",
                     ng_json_real(laws->d0_nm2_per_s), "rate_per_s", ng_json_real(laws->rate_per_s),
                     "power", ng_json_real(laws->power), "given", w->options->diffusion_given,
                     "kind", w->options->diffusion == NG_DIFFUSION_SLOPE ? "slope" : "displacement",
                     "drift_nm_per_s", ng_json_real(w->data->drift_nm_per_s[0]),
                     ng_json_real(w->data->drift_nm_per_s[1]));
}

/* ---- series ---------------------------------------------------------------------------------- */

static json_t *law_series(coalescence_writer *w,
                          double (*law)(const ng_coalescence_model *, double))
{
    json_t *all = json_array();
    for (size_t f = 0; f < w->data->n_frames; f++) {
        ng_coalescence_append(w, all, ng_json_real(law(&w->fit->model, w->data->time_s[f])));
    }
    return all;
}

static double contact_law(const ng_coalescence_model *m, double time_s)
{
    return ng_coalescence_contact(&m->laws, time_s);
}

static double diffusion_law(const ng_coalescence_model *m, double time_s)
{
    return ng_coalescence_diffusion(&m->laws, time_s);
}

static json_t *merging_json(coalescence_writer *w)
{
    json_t *all = json_array();
    for (size_t f = 0; f < w->data->n_frames; f++) {
        const double c = w->fit->model.parameter[NG_COALESCENCE_DENSITY];
        ng_coalescence_append(w, all, ng_json_real(c * w->fit->rate[f]));
    }
    return all;
}

static double propensity_law(const ng_coalescence_model *m, double time_s)
{
    return ng_coalescence_propensity(m->parameter, ng_coalescence_contact(&m->laws, time_s));
}

static json_t *series_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    const ng_coalescence_series *s = &fit->series;
    const struct {
        const char *key;
        const double *x;
    } rows[] = {
        {"time_s", w->data->time_s},
        {"surviving", s->surviving},
        {"surviving_model", fit->surviving},
        {"surviving_model_lower", fit->surviving_lower},
        {"surviving_model_upper", fit->surviving_upper},
        {"rate", fit->rate},
        {"rate_lower", fit->rate_lower},
        {"rate_upper", fit->rate_upper},
        {"merging_lower_per_s", fit->merging_lower},
        {"merging_upper_per_s", fit->merging_upper},
        {"event_density_per_s", fit->density},
        {"event_cumulative", fit->cumulative},
        {"seen", s->seen},
        {"gone", s->gone},
        {"contact_nm", s->contact_nm},
        {"contact_se_nm", s->contact_se_nm},
        {"diffusion_nm2_per_s", s->diffusion_nm2_per_s},
        {"diffusion_se_nm2_per_s", s->diffusion_se_nm2_per_s},
    };
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ng_coalescence_put(w, all, rows[i].key, ng_growth_reals(rows[i].x, s->n_frames));
    }
    ng_coalescence_put(w, all, "merging_per_s", merging_json(w));
    ng_coalescence_put(w, all, "contact_law_nm", law_series(w, contact_law));
    ng_coalescence_put(w, all, "diffusion_law_nm2_per_s", law_series(w, diffusion_law));
    ng_coalescence_put(w, all, "propensity_per_s", law_series(w, propensity_law));
    return all;
}

/* ---- merges ---------------------------------------------------------------------------------- */

static json_t *merge_json(const ng_coalescence_data *d, const ng_merge *m)
{
    const ng_track *track = &d->tracks->track[m->track], *partner = &d->tracks->track[m->partner];
    json_t *group = track->group >= 0 ? json_integer(track->group) : json_null();
    return json_pack("{s:f,s:o,s:I,s:I,s:I,s:o,s:o}", "time_s", m->time_s, "group", group, "track",
                     (json_int_t)track->id, "partner", (json_int_t)partner->id, "pairs",
                     (json_int_t)m->pairs, "radius_sum_nm", ng_json_real(m->radius_sum_nm),
                     "distance_nm", ng_json_real(m->distance_nm));
}

static json_t *merges_json(coalescence_writer *w)
{
    json_t *all = json_array();
    for (size_t k = 0; k < w->data->n_merges; k++) {
        ng_coalescence_append(w, all, merge_json(w->data, &w->data->merge[k]));
    }
    return all;
}

static json_t *event_times_json(const ng_coalescence_fit *fit)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "log_likelihood", ng_json_real(fit->event_log_likelihood),
                     "uniform_log_likelihood", ng_json_real(fit->uniform_log_likelihood),
                     "distance", ng_json_real(fit->event_distance), "probability",
                     ng_json_real(fit->event_distance_p));
}

/* ---- what is told apart ---------------------------------------------------------------------- */

static json_t *rows_json(coalescence_writer *w, const double (*rows)[N_PARAMETERS])
{
    json_t *all = json_array();
    for (size_t i = 0; i < w->fit->n_free; i++) {
        ng_coalescence_append(w, all, ng_growth_reals(rows[i], w->fit->n_free));
    }
    return all;
}

static json_t *identifiability_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    json_t *all = json_object(), *names = json_array();
    for (size_t i = 0; i < fit->n_free; i++) {
        const char *name = ng_coalescence_parameter_info()[fit->free_index[i]].name;
        ng_coalescence_append(w, names, json_string(name));
    }
    ng_coalescence_put(w, all, "names", names);
    ng_coalescence_put(w, all, "correlation", rows_json(w, fit->correlation));
    ng_coalescence_put(w, all, "eigenvalues", ng_growth_reals(fit->eigenvalue, fit->n_free));
    ng_coalescence_put(w, all, "eigenvectors", rows_json(w, fit->eigenvector));
    return all;
}

static json_t *profiles_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    json_t *all = json_object();
    ng_coalescence_put(w, all, "rms_limit",
                       ng_json_real(sqrt(fit->limit / (double)w->data->n_frames)));
    for (size_t k = 0; k < fit->n_free && fit->profile != NULL; k++) {
        const ng_coalescence_profile *p = &fit->profile[fit->free_index[k]];
        ng_coalescence_put(w, all, ng_coalescence_parameter_info()[fit->free_index[k]].name,
                           json_pack("{s:o,s:o}", "value", ng_growth_reals(p->value, p->n), "rms",
                                     ng_growth_reals(p->rms, p->n)));
    }
    return all;
}

static json_t *bootstrap_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    json_t *all = json_object(), *parameters = json_object();
    double *column = NG_NEW(double, fit->n_replicates + 1);
    for (size_t i = 0; i < N_PARAMETERS && column != NULL; i++) {
        for (size_t b = 0; b < fit->n_replicates; b++) {
            column[b] = fit->replicate[b * N_PARAMETERS + i];
        }
        ng_coalescence_put(w, parameters, ng_coalescence_parameter_info()[i].name,
                           ng_growth_reals(column, fit->n_replicates));
    }
    ng_free(column);
    ng_coalescence_put(w, all, "replicates", json_integer((json_int_t)fit->n_replicates));
    ng_coalescence_put(w, all, "failed", json_integer((json_int_t)fit->n_failed));
    ng_coalescence_put(w, all, "parameters", parameters);
    return all;
}

/* ---- verdict and answer ---------------------------------------------------------------------- */

static void reason(coalescence_writer *w, json_t *list, const char *text)
{
    ng_coalescence_append(w, list, json_string(text));
}

/* "kappa_c, nu and l" of the parameters with a flag; their number. */
static size_t flagged(const ng_coalescence_fit *fit, ng_fit_flag flag, char *text, size_t size)
{
    size_t n = 0, left = 0;
    text[0] = '\0';
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        n += fit->parameter[i].flag == flag;
    }
    left = n;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        if (fit->parameter[i].flag != flag) {
            continue;
        }
        const size_t used = strlen(text);
        left--;
        (void)snprintf(text + used, size - used, "%s%s", ng_coalescence_parameter_info()[i].name,
                       left > 1    ? ", "
                       : left == 1 ? " and "
                                   : "");
    }
    return n;
}

static json_t *verdict_json(coalescence_writer *w, bool *trusted)
{
    const ng_coalescence_fit *fit = w->fit;
    char names[200], text[400];
    json_t *reasons = json_array();
    const bool at_bound = flagged(fit, NG_FIT_AT_BOUND, names, sizeof names) > 0;
    bool doubt = false;
    *trusted = fit->converged && !at_bound;
    if (!fit->converged) {
        reason(w, reasons, "the search did not converge");
    }
    if (at_bound) {
        (void)snprintf(text, sizeof text, "%s ended at the edge of the range", names);
        reason(w, reasons, text);
    }
    if (flagged(fit, NG_FIT_NOT_IDENTIFIABLE, names, sizeof names) > 0) {
        (void)snprintf(text, sizeof text, "the data do not tell %s", names);
        reason(w, reasons, text);
        doubt = true;
    }
    if (fit->event_distance_p < TOLD_APART) {
        (void)snprintf(text, sizeof text,
                       "the times of the merges, which were not fitted, differ from the predicted "
                       "ones (Kolmogorov-Smirnov p = %.2g)%s",
                       fit->event_distance_p,
                       fit->model.arrivals != NULL
                           ? ""
                           : " under a supply that is constant and then ends; --arrivals counted "
                             "takes the new particles as they were seen");
        reason(w, reasons, text);
        doubt = true;
    }
    return json_pack("{s:s,s:o}", "level",
                     !*trusted ? "red"
                     : doubt   ? "amber"
                               : "green",
                     "reasons", reasons);
}

static json_t *sentence(char *text)
{
    json_t *value = text != NULL ? json_string(text) : NULL;
    ng_free(text);
    return value;
}

static size_t peak_of(const double *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = x[i] > x[best] ? i : best;
    }
    return best;
}

static json_t *answer_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    const ng_coalescence_data *d = w->data;
    const size_t peak = peak_of(fit->rate, d->n_frames);
    const ng_fit_parameter *sigma_c = &fit->parameter[NG_COALESCENCE_SIGMA_C];
    json_t *all = json_array();
    ng_coalescence_append(
        w, all,
        sentence(ng_text_format(
            "%zu merges among %.0f particles, half of them between %.4g and %.4g s; the model, "
            "fitted to the number of particles alone, puts that half between %.4g and %.4g s.",
            d->n_merges, fit->series.seen[d->n_frames - 1], fit->quartile_s[0], fit->quartile_s[2],
            fit->quartile_model_s[0], fit->quartile_model_s[2])));
    ng_coalescence_append(
        w, all,
        sentence(ng_text_format(
            "The rate k_f peaks at %.4g s with %.3g nm^3/s, when the mean sum of two radii is "
            "%.3g nm; A(t) is met to %.2g RMS.",
            d->time_s[peak], fit->rate[peak],
            ng_coalescence_contact(&fit->model.laws, d->time_s[peak]), fit->rms)));
    ng_coalescence_append(
        w, all,
        sentence(ng_text_format(
            "Particles lose their propensity to coalesce at a sum of radii of %.3g nm (%.3g to "
            "%.3g%s).",
            sigma_c->value, sigma_c->lower, sigma_c->upper,
            sigma_c->flag == NG_FIT_FIXED ? ", given" : "")));
    return all;
}

static json_t *methods_json(coalescence_writer *w)
{
    const ng_coalescence_options *o = w->options;
    return sentence(ng_text_format(
        "The number of particles was followed as those seen so far less %s. The mean sum of two "
        "radii was described by a polynomial of fourth degree and the relative diffusion, from "
        "drift-free displacements, by d0/(1+t/tau)^p. The density of pairs around a growing "
        "contact distance (Kim et al., PNAS 122, e2424950122, 2025) was solved by finite volumes "
        "in r^2 dr with %zu cells, the sink averaged over each; %s at contact. The parameters "
        "were fitted to A(t) by bounded least squares from %zu starts; intervals join %.0f %% "
        "percentiles of %zu resamplings of groups and tracks with profiles of the misfit. The "
        "times of merges were predicted, not fitted.",
        o->count == NG_COUNT_PAIRS ? "one for every pair that became one" : "one for every merge",
        w->fit->model.cells, o->contact == NG_PAIR_FLAT ? "the slope vanishes" : "no pair is lost",
        o->starts, 100.0 * o->level, w->fit->n_replicates));
}

/* ---- the whole ------------------------------------------------------------------------------- */

static json_t *settings_json(const coalescence_writer *w)
{
    const ng_coalescence_options *o = w->options;
    const ng_coalescence_fit *fit = w->fit;
    return json_pack("{s:s,s:s,s:s,s:b,s:i,s:i,s:i,s:b,s:f,s:i,s:f,s:o}", "arrivals",
                     o->arrivals_counted ? "counted" : "fitted", "count",
                     o->count == NG_COUNT_PAIRS ? "pairs" : "merges", "boundary",
                     o->contact == NG_PAIR_FLAT ? "flat" : "reflecting", "rc_from_zero",
                     o->rc_from_zero, "starts", (int)o->starts, "max_iterations",
                     (int)o->max_iterations, "bootstrap", (int)o->bootstrap, "profiles",
                     o->profiles, "level", o->level, "cells", (int)fit->model.cells, "step_s",
                     fit->model.step_s, "grid_change", ng_json_real(fit->grid_change));
}

static void put_fit(coalescence_writer *w, json_t *out)
{
    const ng_coalescence_fit *fit = w->fit;
    bool trusted = false;
    json_t *verdict = verdict_json(w, &trusted);
    ng_coalescence_put(w, out, "answer", answer_json(w));
    ng_coalescence_put(w, out, "trusted", json_boolean(trusted));
    ng_coalescence_put(w, out, "verdict", verdict);
    ng_coalescence_put(w, out, "count",
                       json_string(w->options->count == NG_COUNT_PAIRS ? "pairs" : "merges"));
    ng_coalescence_put(w, out, "level", ng_json_real(w->options->level));
    ng_coalescence_put(w, out, "rms_surviving_fraction", ng_json_real(fit->rms));
    ng_coalescence_put(w, out, "parameters", parameters_json(w));
    ng_coalescence_put(
        w, out, "sink_strength",
        parameter_json(&fit->sink, "nm/s", "kappa_c nu, all that a thin sink shows"));
    ng_coalescence_put(w, out, "laws", laws_json(w));
    ng_coalescence_put(w, out, "series", series_json(w));
    ng_coalescence_put(w, out, "event_time_quartiles_s", ng_growth_reals(fit->quartile_s, 3));
    ng_coalescence_put(w, out, "event_time_quartiles_model_s",
                       ng_growth_reals(fit->quartile_model_s, 3));
    ng_coalescence_put(w, out, "event_time_quartiles_model_lower_s",
                       ng_growth_reals(fit->quartile_lower_s, 3));
    ng_coalescence_put(w, out, "event_time_quartiles_model_upper_s",
                       ng_growth_reals(fit->quartile_upper_s, 3));
    ng_coalescence_put(w, out, "event_times", event_times_json(fit));
    ng_coalescence_put(w, out, "merges", merges_json(w));
    ng_coalescence_put(w, out, "examples", ng_coalescence_examples_json(w));
}

static void put_consequences(coalescence_writer *w, json_t *out)
{
    ng_coalescence_put(w, out, "contact_distance", ng_coalescence_distance_json(w));
    ng_coalescence_put(w, out, "radius_sum", ng_coalescence_radius_sum_json(w));
    ng_coalescence_put(w, out, "size_independent", ng_coalescence_counterfactual_json(w));
    ng_coalescence_put(w, out, "initial_density", ng_coalescence_densities_json(w));
    ng_coalescence_put(w, out, "window_map", ng_coalescence_map_json(w));
    ng_coalescence_put(w, out, "after_merge", ng_coalescence_after_merge_json(w));
    ng_coalescence_put(w, out, "sizes", ng_coalescence_sizes_json(w));
    ng_coalescence_put(w, out, "baseline", ng_coalescence_baseline_json(w));
}

static void put_rest(coalescence_writer *w, json_t *out)
{
    const ng_coalescence_fit *fit = w->fit;
    ng_coalescence_put(w, out, "identifiability", identifiability_json(w));
    ng_coalescence_put(w, out, "profiles", profiles_json(w));
    ng_coalescence_put(w, out, "bootstrap", bootstrap_json(w));
    ng_coalescence_put(w, out, "settings", settings_json(w));
    ng_coalescence_put(w, out, "stop",
                       json_pack("{s:s,s:I}", "reason", ng_fit_stop_text(fit->stop), "evaluations",
                                 (json_int_t)fit->evaluations));
    ng_coalescence_put(w, out, "methods", methods_json(w));
}

ng_status ng_coalescence_json(const ng_coalescence_data *data, const ng_coalescence_fit *fit,
                              const ng_coalescence_options *options, const ng_run *run,
                              json_t **out, ng_error *err)
{
    coalescence_writer w = {.data = data, .fit = fit, .options = options, .run = run, .err = err};
    *out = json_object();
    if (*out == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the result");
    }
    put_fit(&w, *out);
    put_consequences(&w, *out);
    put_rest(&w, *out);
    if (w.status != NG_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return w.status;
}
