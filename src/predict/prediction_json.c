/* SPDX-License-Identifier: GPL-3.0-or-later */
/* predicted.json. */
#include "predict_internal.h"

#include <jansson.h>
#include <math.h>

/* The focusing map: sizes and supersaturations. */
#define MAP_SIZES 60
#define MAP_LEVELS 40

static json_t *reals(const double *x, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < n; i++) {
        /* seven digits: more is noise */
        const double digits =
            x[i] != 0.0 && isfinite(x[i]) ? pow(10.0, 6.0 - floor(log10(fabs(x[i])))) : 1.0;
        const double value =
            isfinite(digits) && digits > 0.0 ? round(x[i] * digits) / digits : x[i];
        json_array_append_new(array, ng_json_real(value));
    }
    return array;
}

/* Numbers that are collected one by one. */
static void push(json_t *array, double x)
{
    json_t *one = reals(&x, 1);
    json_array_extend(array, one);
    json_decref(one);
}

static json_t *texts(char *const *text, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, json_string(text[i]));
    }
    return array;
}

/* `key`, and with bands `key`_lower and `key`_upper. */
static void put_banded(json_t *object, const char *key, json_t *const part[3], bool bands)
{
    static const char *const end[] = {"", "_lower", "_upper"};
    for (size_t k = 0; k < 3; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", key, end[k]);
        if (k == 0 || bands) {
            json_object_set(object, name, part[k]);
        }
        json_decref(part[k]);
    }
}

static bool has_bands(const ng_prediction *p)
{
    return p->n_runs > N_QUESTIONS + 1;
}

/* ---- series ------------------------------------------------------------------------------ */

static double number(const double *row)
{
    return row[NG_PREDICT_NUMBER];
}
static double mean_n(const double *row)
{
    return row[NG_PREDICT_MEAN_N];
}
static double var_n(const double *row)
{
    return row[NG_PREDICT_VAR_N];
}
static double supersaturation(const double *row)
{
    return row[NG_PREDICT_S];
}
static double uptake(const double *row)
{
    return row[NG_PREDICT_UPTAKE];
}

static void put_series(const ng_prediction *p, json_t *series, const char *key, ng_row_value *value)
{
    json_t *part[3] = {json_array(), json_array(), json_array()};
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const ng_banded b = ng_prediction_band(p, i, value);
        push(part[0], b.value);
        push(part[1], b.lower);
        push(part[2], b.upper);
    }
    put_banded(series, key, part, has_bands(p));
}

static json_t *times_json(const ng_prediction *p)
{
    json_t *times = json_array();
    for (size_t i = 0; i < p->clock.n_times; i++) {
        push(times, ng_prediction_time(p, i));
    }
    return times;
}

static json_t *series_json(const ng_prediction *p)
{
    static const struct {
        const char *key;
        ng_row_value *value;
    } list[] = {{"number", number},
                {"mean_n", mean_n},
                {"var_n", var_n},
                {"mean_radius_nm", ng_row_radius},
                {"relative_spread", ng_row_spread},
                {"supersaturation", supersaturation},
                {"uptake_per_s", uptake}};
    json_t *series = json_object();
    json_object_set_new(series, "time_s", times_json(p));
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        put_series(p, series, list[i].key, list[i].value);
    }
    return series;
}

/* A question's run without bands. */
static json_t *run_json(const ng_prediction *p, ng_question question)
{
    json_t *part[4] = {json_array(), json_array(), json_array(), json_array()};
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double *row = ng_prediction_row(p, question, i);
        push(part[0], row[NG_PREDICT_MEAN_N]);
        push(part[1], ng_row_radius(row));
        push(part[2], ng_row_spread(row));
        push(part[3], row[NG_PREDICT_S]);
    }
    return json_pack("{s:o,s:o,s:o,s:o}", "mean_n", part[0], "mean_radius_nm", part[1],
                     "relative_spread", part[2], "supersaturation", part[3]);
}

static json_t *movie_json(const ng_prediction *p)
{
    const ng_fit_file *fit = p->fit;
    return json_pack("{s:o,s:o,s:o,s:o}", "time_s", reals(fit->time_s, fit->n_times), "particles",
                     reals(fit->particles, fit->n_times), "mean_n",
                     reals(p->inferred.seen_mean, fit->n_times), "var_n",
                     reals(p->inferred.seen_var, fit->n_times));
}

/* ---- supply ------------------------------------------------------------------------------ */

static double set_uptake(const ng_inferred_set *set, size_t i)
{
    return set->uptake_per_s[i];
}
static double set_supersaturation(const ng_inferred_set *set, size_t i)
{
    return set->supersaturation[i];
}

static void put_sets(const ng_prediction *p, json_t *object, const char *key,
                     double (*value)(const ng_inferred_set *, size_t))
{
    const size_t n = p->inferred.n_sets - 1;
    json_t *part[3] = {json_array(), json_array(), json_array()};
    double *x = NG_NEW(double, n);
    for (size_t i = 0; x != NULL && i < p->fit->n_times; i++) {
        for (size_t b = 0; b < n; b++) {
            x[b] = value(&p->inferred.set[b + 1], i);
        }
        const ng_banded band = ng_band_of(value(&p->inferred.set[0], i), x, n, p->level);
        push(part[0], band.value);
        push(part[1], band.lower);
        push(part[2], band.upper);
    }
    ng_free(x);
    put_banded(object, key, part, has_bands(p));
}

static json_t *supply_json(const ng_prediction *p)
{
    const ng_fit_file *fit = p->fit;
    const ng_inferred_set *set = &p->inferred.set[0];
    const double w = p->options.dissolved_per_particle;
    json_t *supply = json_object(), *slope = json_array(), *total = json_array();
    json_t *observed = json_array();
    for (size_t i = 0; i < fit->n_times; i++) {
        const size_t a = i > 0 ? i - 1 : 0, b = i + 1 < fit->n_times ? i + 1 : i;
        const double change =
            (set->supersaturation[b] - set->supersaturation[a]) / (fit->time_s[b] - fit->time_s[a]);
        push(slope, change);
        push(total, set->uptake_per_s[i] + w * change);
        push(observed, fit->particles[i] * (set->uptake_per_s[i] + w * change));
    }
    json_object_set_new(supply, "time_s", reals(fit->time_s, fit->n_times));
    put_sets(p, supply, "uptake_per_particle_per_s", set_uptake);
    put_sets(p, supply, "supersaturation", set_supersaturation);
    json_object_set_new(supply, "supersaturation_of_fit",
                        reals(fit->supersaturation, fit->n_times));
    json_object_set_new(supply, "dS_dt_per_s", slope);
    json_object_set_new(supply, "supply_per_particle_per_s", total);
    json_object_set_new(supply, "supply_observed_per_s", observed);
    json_object_set_new(supply, "dissolved_per_particle", json_real(w));
    json_object_set_new(
        supply, "statement",
        json_string(w > 0.0
                        ? "supply = uptake + w dS/dt, with the number w of monomers dissolved per "
                          "particle at the solubility as given; a movie cannot tell it."
                        : "supply = uptake: the quasi-steady limit, in which the solution holds "
                          "next to nothing. A movie cannot tell the number w of monomers dissolved "
                          "per particle at the solubility (--dissolved-per-particle); with it, "
                          "supply = uptake + w dS/dt."));
    return supply;
}

/* ---- where the spread comes from --------------------------------------------------------- */

static json_t *data_variance_json(const ng_prediction *p)
{
    const ng_fit_file *fit = p->fit;
    const double *mean = p->inferred.seen_mean, *variance = p->inferred.seen_var;
    const double first = variance[0] / (mean[0] * mean[0]) - 1.0 / mean[0];
    json_t *part[4] = {json_array(), json_array(), json_array(), json_array()};
    for (size_t i = 0; i < fit->n_times; i++) {
        const double all = variance[i] / (mean[i] * mean[i]), ratio = mean[0] / mean[i];
        push(part[0], all);
        push(part[1], 1.0 / mean[i]);
        push(part[2], first * ratio * ratio);
        push(part[3], all - 1.0 / mean[i] - first * ratio * ratio);
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "time_s", reals(fit->time_s, fit->n_times),
                     "total", part[0], "counting", part[1], "start", part[2], "growth", part[3],
                     "eta_inf2", reals(p->inferred.eta_inf2, fit->n_times));
}

static json_t *variance_json(const ng_prediction *p)
{
    enum { TOTAL, COUNTING, START, GROWTH, DETACHMENT, DISSOLVED, PARTS };
    const double *first = ng_prediction_row(p, ASKED, 0);
    const double n0 = first[NG_PREDICT_MEAN_N];
    const double excess = first[NG_PREDICT_VAR_N] - n0;
    json_t *part[PARTS];
    for (size_t k = 0; k < PARTS; k++) {
        part[k] = json_array();
    }
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double *row = ng_prediction_row(p, ASKED, i);
        const double n = row[NG_PREDICT_MEAN_N], square = n * n;
        const double term[PARTS] = {[TOTAL] = row[NG_PREDICT_VAR_N] / square,
                                    [COUNTING] = 1.0 / n,
                                    [START] = excess / square,
                                    [GROWTH] = row[NG_PREDICT_GROWTH] / square,
                                    [DETACHMENT] = row[NG_PREDICT_DETACHED] / square,
                                    [DISSOLVED] =
                                        (row[NG_PREDICT_VAR_N] - n - excess -
                                         row[NG_PREDICT_GROWTH] - row[NG_PREDICT_DETACHED]) /
                                        square};
        for (size_t k = 0; k < PARTS; k++) {
            push(part[k], term[k]);
        }
    }
    json_t *prediction =
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "time_s", times_json(p), "total", part[TOTAL],
                  "counting", part[COUNTING], "start", part[START], "growth", part[GROWTH],
                  "detachment", part[DETACHMENT], "dissolved", part[DISSOLVED]);
    return json_pack("{s:o,s:o}", "movie", data_variance_json(p), "prediction", prediction);
}

/* ---- distributions ----------------------------------------------------------------------- */

static void put_density(const ng_prediction *p, size_t k, json_t *object)
{
    const size_t n = p->n_runs - N_QUESTIONS;
    json_t *part[3] = {json_array(), json_array(), json_array()};
    double *x = NG_NEW(double, n);
    for (size_t i = 0; x != NULL && i < p->n_bins; i++) {
        const double width = p->edge[i + 1] - p->edge[i];
        for (size_t b = 0; b < n; b++) {
            x[b] = ng_prediction_shape(p, N_QUESTIONS + b, k)[i] / width;
        }
        const ng_banded band =
            ng_band_of(ng_prediction_shape(p, ASKED, k)[i] / width, x, n, p->level);
        push(part[0], band.value);
        push(part[1], band.lower);
        push(part[2], band.upper);
    }
    ng_free(x);
    put_banded(object, "p_n", part, has_bands(p));
}

static json_t *distributions_json(const ng_prediction *p)
{
    json_t *all = json_array();
    for (size_t k = 0; k < p->n_shapes; k++) {
        json_t *one = json_object(), *n = json_array(), *radius = json_array();
        for (size_t i = 0; i < p->n_bins; i++) {
            const double middle = 0.5 * (p->edge[i] + p->edge[i + 1] - 1.0);
            push(n, middle);
            push(radius, ng_radius_from_monomers(middle, p->fit->sigma_s_nm));
        }
        json_object_set_new(one, "time_s", json_real(ng_prediction_time(p, p->shape_at[k])));
        json_object_set_new(one, "n", n);
        json_object_set_new(one, "radius_nm", radius);
        put_density(p, k, one);
        json_array_append_new(all, one);
    }
    return all;
}

/* ---- regimes and focusing ---------------------------------------------------------------- */

static json_t *phases_json(const ng_prediction *p)
{
    json_t *all = json_array();
    for (size_t i = 0; i < p->n_phases; i++) {
        const ng_phase_span *s = &p->phase[i];
        json_array_append_new(all, json_pack("{s:f,s:f,s:s}", "start_s", s->start_s, "end_s",
                                             s->end_s, "regime", s->regime));
    }
    return all;
}

static double even(double first, double last, size_t i, size_t n)
{
    return first * pow(last / first, (double)i / (double)(n - 1));
}

static void put_limits(const ng_prediction *p, double n, json_t *const part[3])
{
    const ng_focus_limits limit = ng_growth_focus_limits(&p->law, n);
    push(part[0], limit.number);
    push(part[1], limit.radius);
    push(part[2], limit.relative);
}

static json_t *map_json(const ng_prediction *p, double largest_S)
{
    const double first = NG_SOLVE_N_MIN + 1.0, last = fmax(p->edge[p->n_bins], 2.0 * first);
    json_t *n_list = json_array(), *radius = json_array(), *levels = json_array();
    json_t *limit[3] = {json_array(), json_array(), json_array()};
    json_t *slope = json_array(), *velocity = json_array(), *stop = json_array();
    for (size_t i = 0; i < MAP_SIZES; i++) {
        const double n = even(first, last, i, MAP_SIZES);
        push(n_list, n);
        push(radius, ng_radius_from_monomers(n, p->law.sigma_s_nm));
        push(stop, exp(ng_potential(&p->law.parameters, p->law.delta, n)));
        put_limits(p, n, limit);
    }
    for (size_t k = 0; k < MAP_LEVELS; k++) {
        const double S = even(0.5, largest_S, k, MAP_LEVELS);
        json_t *slopes = json_array(), *velocities = json_array();
        push(levels, S);
        for (size_t i = 0; i < MAP_SIZES; i++) {
            const double n = even(first, last, i, MAP_SIZES);
            push(slopes, ng_growth_slope(&p->law, S, n));
            push(velocities, ng_growth_velocity(&p->law, S, n));
        }
        json_array_append_new(slope, slopes);
        json_array_append_new(velocity, velocities);
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "n", n_list, "radius_nm", radius,
                     "supersaturation", levels, "velocity_per_s", velocity, "slope_per_s", slope,
                     "grows_above", stop, "number_focuses_below", limit[0], "radius_focuses_above",
                     limit[1], "relative_focuses_above", limit[2]);
}

static json_t *focusing_json(const ng_prediction *p)
{
    json_t *slope = json_array(), *radius = json_array(), *relative = json_array();
    double largest = 2.0;
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double *row = ng_prediction_row(p, ASKED, i);
        const double n = row[NG_PREDICT_MEAN_N], S = row[NG_PREDICT_S];
        const double v = ng_growth_velocity(&p->law, S, n), dv = ng_growth_slope(&p->law, S, n);
        largest = isfinite(S) ? fmax(largest, 1.2 * S) : largest;
        push(slope, dv);
        push(radius, dv - 2.0 * v / (3.0 * n));
        push(relative, dv - v / n);
    }
    return json_pack("{s:o,s:{s:o,s:o,s:o,s:o}}", "map", map_json(p, largest), "run", "time_s",
                     times_json(p), "slope_per_s", slope, "radius_slope_per_s", radius,
                     "relative_slope_per_s", relative);
}

/* ---- grid -------------------------------------------------------------------------------- */

static void put_grid_column(const ng_prediction *p, json_t *grid, const char *key,
                            ng_grid_column column)
{
    json_t *part[3] = {json_array(), json_array(), json_array()};
    for (size_t f = 0; f < p->n_grid; f++) {
        const ng_banded b = ng_prediction_grid(p, f, column);
        push(part[0], b.value);
        push(part[1], b.lower);
        push(part[2], b.upper);
    }
    put_banded(grid, key, part, p->grid_runs > 3);
}

static json_t *grid_json(const ng_prediction *p)
{
    static const struct {
        const char *key;
        ng_grid_column column;
        bool of_target;
    } list[] = {{"time_to_target_s", GRID_TIME_S, true},
                {"spread_at_target", GRID_SPREAD, true},
                {"spread_n_at_target", GRID_SPREAD_N, true},
                {"supersaturation_at_target", GRID_S, true},
                {"number_at_target", GRID_LEFT, true},
                {"least_spread", GRID_LEAST, false},
                {"least_spread_after_s", GRID_LEAST_S, false},
                {"least_spread_radius_nm", GRID_LEAST_NM, false},
                {"end_radius_nm", GRID_END_NM, false},
                {"end_spread", GRID_END_SPREAD, false}};
    const bool target = !isnan(p->options.target_radius_nm);
    json_t *grid = json_object(), *equal = json_array(), *factors = json_array();
    for (size_t f = 0; f < p->n_grid; f++) {
        const double *record = p->grid + (f * p->grid_room + 1) * GRID_COLUMNS;
        push(factors, p->factor[f] * p->options.scale);
        push(equal, record[target ? GRID_SPREAD : GRID_END_SPREAD]);
    }
    json_object_set_new(grid, "factor", factors);
    json_object_set_new(grid, "duration_s", reals(p->grid_duration_s, p->n_grid));
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (target || !list[i].of_target) {
            put_grid_column(p, grid, list[i].key, list[i].column);
        }
    }
    json_object_set_new(grid, "spread_from_equal_particles", equal);
    return grid;
}

/* ---- the whole --------------------------------------------------------------------------- */

static json_t *parameters_json(const ng_growth_parameters *parameters)
{
    json_t *all = json_object();
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        json_object_set_new(all, ng_growth_parameter_info()[i].name,
                            ng_json_real(ng_growth_parameter_get(parameters, i)));
    }
    return all;
}

static json_t *question_json(const ng_prediction *p)
{
    const ng_predict_options *o = &p->options;
    const char *start = o->start_n != NULL ? "sizes" : isnan(o->start_mean) ? "movie" : "lognormal";
    return json_pack(
        "{s:s,s:s,s:f,s:f,s:s,s:o,s:f,s:o,s:o,s:o}", "drive",
        o->drive == NG_DRIVE_SUPPLY ? "supply" : "supersaturation", "law",
        o->law != NULL ? "given" : "movie", "scale", o->scale, "dissolved_per_particle",
        o->dissolved_per_particle, "start", start, "start_mean_n",
        ng_json_real(ng_case_start_mean(p, ASKED)), "duration_s", p->clock.end_s - p->clock.start_s,
        "target_radius_nm", ng_json_real(o->target_radius_nm), "target_spread",
        ng_json_real(o->target_spread), "law_value", reals(p->law_value, p->clock.n_times));
}

static json_t *fit_json(const ng_prediction *p)
{
    const ng_fit_file *fit = p->fit;
    return json_pack("{s:s,s:b,s:s,s:f,s:f,s:f,s:o}", "estimator", fit->estimator, "trusted",
                     fit->trusted, "material", fit->material, "sigma_s_nm", fit->sigma_s_nm,
                     "sampled_first_n", fit->sampled_first_n, "sampled_last_n", fit->sampled_last_n,
                     "start_noise_ln_n", ng_json_real(p->inferred.start_noise));
}

static json_t *law_json(const ng_prediction *p)
{
    const ng_temperature *t = &p->options.temperature;
    const bool found = p->maximum.found;
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:f,s:o,s:o}", "temperature_K", t->T_K,
                     "reference_temperature_K", t->reference_K, "eps_f_enthalpy_share",
                     t->eps_f_share, "eps_e_enthalpy_share", t->eps_e_share, "solubility_factor",
                     ng_temperature_solubility(t), "supply_factor", ng_temperature_supply(t),
                     "parameters", parameters_json(&p->law.parameters), "delta", p->law.delta,
                     "n_max", ng_json_real(found ? p->maximum.n : (double)NAN), "mu_max_kT",
                     ng_json_real(found ? p->maximum.mu_kT : (double)NAN));
}

static json_t *numerics_json(const ng_prediction *p)
{
    double balance = 0.0;
    for (size_t r = 0; r < p->n_runs; r++) {
        balance = fmax(balance, ng_prediction_note(p, r, NOTE_BALANCE));
    }
    return json_pack(
        "{s:I,s:I,s:f,s:I,s:f,s:f}", "replicates", (json_int_t)(p->n_runs - N_QUESTIONS), "failed",
        (json_int_t)p->n_failed, "level", p->level, "largest_n",
        (json_int_t)ng_prediction_note(p, ASKED, NOTE_N_MAX), "step_s",
        (p->clock.end_s - p->clock.start_s) / (double)((p->clock.n_times - 1) * p->clock.steps),
        "mass_balance", balance);
}

struct json_t *ng_prediction_json(const ng_prediction *p)
{
    const char *level = !p->trusted ? "red" : p->n_reasons > 0 ? "amber" : "green";
    json_t *root =
        json_pack("{s:o,s:b,s:{s:s,s:o}}", "answer", texts(p->answer, p->n_answers), "trusted",
                  p->trusted, "verdict", "level", level, "reasons", texts(p->reason, p->n_reasons));
    json_object_set_new(root, "question", question_json(p));
    json_object_set_new(root, "fit", fit_json(p));
    json_object_set_new(root, "law", law_json(p));
    json_object_set_new(root, "numerics", numerics_json(p));
    json_object_set_new(root, "series", series_json(p));
    json_object_set_new(root, "unchanged", run_json(p, BASE));
    json_object_set_new(root, "equal_start", run_json(p, NARROW));
    json_object_set_new(root, "movie", movie_json(p));
    json_object_set_new(root, "forward_test",
                        json_pack("{s:o,s:o,s:o,s:o}", "mean_n",
                                  reals(p->forward_n, p->fit->n_times), "var_n",
                                  reals(p->forward_n + p->fit->n_times, p->fit->n_times),
                                  "mean_off_most", ng_json_real(p->forward_mean),
                                  "variance_ratio_median", ng_json_real(p->forward_var)));
    json_object_set_new(root, "supply", supply_json(p));
    json_object_set_new(root, "relative_variance", variance_json(p));
    json_object_set_new(root, "distributions", distributions_json(p));
    json_object_set_new(root, "phases", phases_json(p));
    json_object_set_new(root, "focusing", focusing_json(p));
    if (p->n_grid > 0) {
        json_object_set_new(root, "grid", grid_json(p));
    }
    return root;
}
