/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit-avrami.json and fit-diffusion.json. */
#include <nucgrow/crystals.h>

#include <gsl/gsl_cdf.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define CURVES 12 /* crystals whose curves are written */
#define CURVE_POINTS 200
#define BINS 12

/* ---- one fit -------------------------------------------------------------------------------- */

static json_t *parameter_json(const ng_fit_parameter *p, const ng_parameter_info *info)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:s,s:s,s:s,s:s}", "value", ng_json_real(p->value), "lower",
                     ng_json_real(p->lower), "upper", ng_json_real(p->upper), "se",
                     ng_json_real(p->se), "flag", ng_fit_flag_name(p->flag), "unit", info->unit,
                     "title", info->title, "symbol", info->symbol);
}

json_t *ng_curve_parameters_json(const ng_curve_fit *fit)
{
    json_t *all = json_object();
    for (size_t j = 0; j < fit->law->n_parameters; j++) {
        json_object_set_new(all, fit->law->info[j].name,
                            parameter_json(&fit->parameter[j], &fit->law->info[j]));
    }
    return all;
}

char *ng_avrami_meaning(const ng_fit_parameter *n, bool one_crystal)
{
    char *text = NULL;
    for (int i = 0; i < NG_N_AVRAMI_MODES; i++) {
        const ng_avrami_mode *m = &ng_avrami_modes()[i];
        for (int saturated = one_crystal; saturated < 2; saturated++) {
            const double value = saturated ? m->saturated : m->constant;
            if (!(value >= n->lower && value <= n->upper)) {
                continue;
            }
            char *longer = ng_text_format("%s%sn = %g: %s-limited growth in %d dimension%s%s",
                                          text != NULL ? text : "", text != NULL ? "; " : "", value,
                                          m->growth, m->dimensions, m->dimensions > 1 ? "s" : "",
                                          one_crystal ? ""
                                          : saturated ? ", all nuclei there from the start"
                                                      : ", nuclei appearing at a constant rate");
            ng_free(text);
            text = longer;
        }
    }
    return text != NULL ? text : ng_text_copy("no simple mode has an exponent inside the interval");
}

static json_t *modes_json(void)
{
    json_t *rows = json_array();
    for (int i = 0; i < NG_N_AVRAMI_MODES; i++) {
        const ng_avrami_mode *m = &ng_avrami_modes()[i];
        json_array_append_new(rows, json_pack("{s:s,s:i,s:f,s:f}", "growth", m->growth,
                                              "dimensions", m->dimensions, "n_constant_nucleation",
                                              m->constant, "n_saturated", m->saturated));
    }
    return rows;
}

static json_t *series_json(const ng_curve_fit *fit, const ng_curve_data *data)
{
    json_t *model = json_array();
    for (size_t i = 0; i < data->n; i++) {
        json_array_append_new(model, ng_json_real(ng_curve_fit_value(fit, data->time_s[i])));
    }
    return json_pack("{s:o,s:o,s:o}", "time_s", ng_json_reals(data->time_s, data->n), "value",
                     ng_json_reals(data->y, data->n), "model", model);
}

json_t *ng_avrami_json(const ng_curve_fit *fit, bool one_crystal, const ng_curve_data *series)
{
    char *meaning = ng_avrami_meaning(&fit->parameter[0], one_crystal);
    json_t *result = json_pack(
        "{s:s,s:s,s:o,s:s,s:o,s:{s:I,s:I,s:o,s:o}}", "equation", fit->law->equation, "state",
        ng_curve_state_name(fit->state), "parameters", ng_curve_parameters_json(fit), "meaning",
        meaning != NULL ? meaning : "", "modes", modes_json(), "points", "used",
        (json_int_t)fit->n_points, "outliers", (json_int_t)fit->n_outliers, "scale",
        ng_json_real(fit->scale), "effective", ng_json_real(fit->effective));
    ng_free(meaning);
    if (series != NULL) {
        json_object_set_new(result, "series", series_json(fit, series));
    }
    return result;
}

/* ---- all crystals --------------------------------------------------------------------------- */

/* Values of one parameter over crystals, with intervals and flags. */
static void put_columns(json_t *to, const ng_crystals *c, const ng_curve_law *law, bool avrami,
                        const char *prefix)
{
    for (size_t j = 0; j < law->n_parameters; j++) {
        json_t *column[3] = {json_array(), json_array(), json_array()}, *flags = json_array();
        for (size_t i = 0; i < c->n; i++) {
            const ng_curve_fit *fit = avrami ? &c->item[i].avrami : &c->item[i].diffusion;
            const ng_fit_parameter *p = &fit->parameter[j];
            json_array_append_new(column[0], ng_json_real(p->value));
            json_array_append_new(column[1], ng_json_real(p->lower));
            json_array_append_new(column[2], ng_json_real(p->upper));
            json_array_append_new(flags, json_string(ng_fit_flag_name(p->flag)));
        }
        json_t *all = json_pack("{s:o,s:o,s:o,s:o}", "value", column[0], "lower", column[1],
                                "upper", column[2], "flag", flags);
        char *key = ng_text_format("%s%s", prefix, law->info[j].name);
        json_object_set_new(to, key != NULL ? key : law->info[j].name, all);
        ng_free(key);
    }
}

static json_t *states_json(const ng_crystals *c, bool avrami)
{
    json_t *states = json_array();
    for (size_t i = 0; i < c->n; i++) {
        const ng_crystal *x = &c->item[i];
        json_array_append_new(states, json_string(ng_curve_state_name(
                                          avrami ? x->avrami.state : x->diffusion.state)));
    }
    return states;
}

static json_t *aic_json(const ng_crystal *x)
{
    json_t *row = json_array();
    for (size_t k = 0; k < ng_n_radius_laws; k++) {
        json_array_append_new(row, ng_json_real(x->aic[k]));
    }
    return row;
}

static json_t *crystals_json(const ng_crystals *c, const ng_crystals_options *o)
{
    json_t *track = json_array(), *points = json_array(), *first = json_array();
    json_t *last = json_array(), *fast = json_array(), *slow = json_array();
    json_t *chosen = json_array(), *aic = json_array(), *outliers = json_array();
    for (size_t i = 0; i < c->n; i++) {
        const ng_crystal *x = &c->item[i];
        json_array_append_new(track, json_integer(x->track));
        json_array_append_new(points, json_integer((json_int_t)x->n_points));
        json_array_append_new(first, ng_json_real(x->first_s));
        json_array_append_new(last, ng_json_real(x->last_s));
        json_array_append_new(fast, ng_json_real(x->fast_s));
        json_array_append_new(slow, ng_json_real(x->slow_s));
        json_array_append_new(chosen,
                              x->chosen != NULL ? json_string(x->chosen->name) : json_null());
        json_array_append_new(aic, aic_json(x));
        json_array_append_new(outliers,
                              json_integer((json_int_t)(o->diffusion ? x->diffusion.n_outliers
                                                                     : x->avrami.n_outliers)));
    }
    json_t *all = json_pack("{s:o,s:o,s:o,s:o,s:o}", "track", track, "points", points, "first_s",
                            first, "last_s", last, "outliers", outliers);
    if (o->avrami) {
        json_object_set_new(all, "avrami_state", states_json(c, true));
        put_columns(all, c, &ng_curve_avrami_crystal, true, "avrami_");
    }
    if (o->diffusion) {
        json_object_set_new(all, "state", states_json(c, false));
        put_columns(all, c, o->law, false, "");
        json_object_set(all, "fast_s", fast);
        json_object_set(all, "slow_s", slow);
        json_object_set(all, "chosen", chosen);
        json_object_set(all, "aic_above_least", aic);
    }
    json_decref(fast);
    json_decref(slow);
    json_decref(chosen);
    json_decref(aic);
    return all;
}

/* ---- together ------------------------------------------------------------------------------- */

typedef struct summary {
    const ng_crystals *crystals;
    const ng_crystals_options *options;
    double *value; /* room for one number a crystal */
    ng_error *err;
} summary;

static bool trusted(const ng_curve_fit *fit, size_t j)
{
    return fit->state == NG_CURVE_OK && fit->parameter[j].flag == NG_FIT_OK;
}

/* Power with which a parameter goes with the scale of all radii: that of nm in its unit. */
static double scale_power(const char *unit)
{
    if (strncmp(unit, "nm", 2) != 0) {
        return 0;
    }
    return unit[2] == '^' ? (double)(unit[3] - '0') : 1;
}

/* What all radii share does not average out over crystals. */
static void add_scale(const summary *s, const ng_parameter_info *info, ng_crystals_median *m)
{
    const double z = gsl_cdf_ugaussian_Pinv((1 + s->options->curve.level) / 2);
    const double common = z * scale_power(info->unit) * s->options->radius_scale_se * m->median;
    m->lower = m->median - hypot(m->median - m->lower, common);
    m->upper = m->median + hypot(m->upper - m->median, common);
}

/* `fitted`: crystals of which some may leave this parameter open; `one`: one that does not. */
static json_t *median_json(const summary *s, const ng_parameter_info *info, size_t fitted,
                           const ng_fit_parameter *one)
{
    ng_crystals_median m;
    if (ng_crystals_summarise(s->value, s->crystals->n, s->options->bootstrap,
                              s->options->curve.level, s->options->seed, &m, s->err) != NG_OK) {
        return NULL;
    }
    if (m.n == 1 && one != NULL) { /* a median of one is known as well as that one */
        m.lower = one->lower;
        m.upper = one->upper;
    }
    add_scale(s, info, &m);
    /* those that tell are not like those that do not: n is known best where it is small */
    const bool most = m.n > 0 && 2 * m.n >= fitted;
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:I,s:s,s:s,s:s}", "value", ng_json_real(m.median),
                     "lower", ng_json_real(m.lower), "upper", ng_json_real(m.upper), "quartile_low",
                     ng_json_real(m.quartile_low), "quartile_high", ng_json_real(m.quartile_high),
                     "crystals", (json_int_t)m.n, "unit", info->unit, "title", info->title, "flag",
                     most ? "ok" : "not-identifiable");
}

static void put_medians(summary *s, json_t *to, const ng_curve_law *law, bool avrami)
{
    for (size_t j = 0; j < law->n_parameters; j++) {
        const ng_fit_parameter *one = NULL;
        size_t fitted = 0;
        for (size_t i = 0; i < s->crystals->n; i++) {
            const ng_crystal *x = &s->crystals->item[i];
            const ng_curve_fit *fit = avrami ? &x->avrami : &x->diffusion;
            fitted += fit->state == NG_CURVE_OK;
            one = trusted(fit, j) ? &fit->parameter[j] : one;
            s->value[i] = trusted(fit, j) ? fit->parameter[j].value : (double)NAN;
        }
        json_t *median = median_json(s, &law->info[j], fitted, one);
        const char *name = law->info[j].name;
        const bool taken = json_object_get(to, name) != NULL;
        char *key = ng_text_format("%s%s", taken ? "avrami_" : "", name);
        if (median != NULL && key != NULL) {
            json_object_set_new(to, key, median);
        }
        ng_free(key);
    }
}

/* Equal bins from 0 to the largest. */
static json_t *histogram_json(const double *value, size_t n)
{
    double most = 0, edge[BINS + 1], count[BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        most = isfinite(value[i]) ? fmax(most, value[i]) : most;
    }
    for (int b = 0; b <= BINS; b++) {
        edge[b] = most * b / BINS;
    }
    for (size_t i = 0; i < n && most > 0; i++) {
        if (isfinite(value[i])) {
            const size_t b = (size_t)(value[i] / most * BINS);
            count[b < BINS ? b : BINS - 1]++;
        }
    }
    return json_pack("{s:o,s:o}", "edge_s", ng_json_reals(edge, BINS + 1), "count",
                     ng_json_reals(count, BINS));
}

static json_t *duration_json(summary *s, bool fast)
{
    static const ng_parameter_info info[] = {
        {.name = "slow_s", .unit = "s", .title = "slow growth"},
        {.name = "fast_s", .unit = "s", .title = "fast growth"}};
    size_t not_seen = 0;
    for (size_t i = 0; i < s->crystals->n; i++) {
        const ng_crystal *x = &s->crystals->item[i];
        s->value[i] = fast ? x->fast_s : x->slow_s;
        not_seen +=
            x->diffusion.state == NG_CURVE_OK && !(fast ? x->split_reached : x->end_reached);
    }
    json_t *result = median_json(s, &info[fast], 0, NULL);
    if (result != NULL) {
        json_object_set_new(result, "not_reached", json_integer((json_int_t)not_seen));
        json_object_set_new(result, "histogram", histogram_json(s->value, s->crystals->n));
    }
    return result;
}

static json_t *choice_json(const ng_crystals *c)
{
    json_t *laws = json_array();
    for (size_t k = 0; k < ng_n_radius_laws; k++) {
        size_t best = 0, near_best = 0;
        for (size_t i = 0; i < c->n; i++) {
            best += c->item[i].chosen == ng_radius_laws[k];
            near_best += c->item[i].aic[k] < 2;
        }
        json_array_append_new(
            laws, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "name", ng_radius_laws[k]->name, "title",
                            ng_radius_laws[k]->title, "equation", ng_radius_laws[k]->equation,
                            "reference", ng_radius_laws[k]->reference, "chosen", (json_int_t)best,
                            "within_2", (json_int_t)near_best));
    }
    return laws;
}

/* ---- curves of some crystals ---------------------------------------------------------------- */

static json_t *curve_json(const ng_crystal *x, const ng_particles *tracks, bool diffusion)
{
    const ng_curve_fit *fit = diffusion ? &x->diffusion : &x->avrami;
    const bool light = !diffusion;
    json_t *time = json_array(), *value = json_array(), *model = json_array();
    size_t n = 0, seen = 0;
    for (size_t i = 0; i < tracks->n; i++) {
        n += tracks->item[i].track == x->track;
    }
    for (size_t i = 0; i < tracks->n; i++) {
        const ng_particle *p = &tracks->item[i];
        if (p->track == x->track && seen++ % (n / CURVE_POINTS + 1) == 0) {
            const double r = p->radius_nm;
            const double y = light ? (isfinite(p->intensity) ? p->intensity : r * r * r) : r;
            json_array_append_new(time, ng_json_real(p->time_s));
            json_array_append_new(value, ng_json_real(y));
            json_array_append_new(model, ng_json_real(ng_curve_fit_value(fit, p->time_s)));
        }
    }
    return json_pack("{s:I,s:s,s:o,s:o,s:o}", "track", (json_int_t)x->track, "law", fit->law->name,
                     "time_s", time, light ? "intensity" : "radius_nm", value, "model", model);
}

/* Evenly over the crystals that were fitted. */
static json_t *curves_json(const ng_crystals *c, const ng_particles *tracks, bool diffusion)
{
    json_t *all = json_array();
    size_t good = 0, seen = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < c->n; i++) {
            const ng_crystal *x = &c->item[i];
            if ((diffusion ? x->diffusion.state : x->avrami.state) != NG_CURVE_OK) {
                continue;
            }
            if (pass == 0) {
                good++;
            } else if (seen++ % (good / CURVES + 1) == 0) {
                json_array_append_new(all, curve_json(x, tracks, diffusion));
            }
        }
    }
    return all;
}

ng_status ng_crystals_json(const ng_crystals *crystals, const ng_particles *tracks,
                           const ng_crystals_options *options, json_t **out, ng_warnings *warnings,
                           ng_error *err)
{
    summary s = {.crystals = crystals, .options = options, .err = err};
    json_t *parameters = json_object();
    *out = NULL;
    s.value = NG_NEW(double, crystals->n);
    if (s.value == NULL || parameters == NULL) {
        json_decref(parameters);
        ng_free(s.value);
        return NG_FAIL(err, NG_MEMORY, "no memory for the result of %zu crystals", crystals->n);
    }
    if (options->diffusion) {
        put_medians(&s, parameters, options->law, false);
    }
    if (options->avrami) {
        put_medians(&s, parameters, &ng_curve_avrami_crystal, true);
    }
    json_t *result =
        json_pack("{s:{s:I,s:I},s:o,s:o,s:f}", "counts", "crystals", (json_int_t)crystals->n,
                  "tracks_short", (json_int_t)crystals->dropped, "parameters", parameters,
                  "crystals", crystals_json(crystals, options), "level", options->curve.level);
    if (result != NULL && options->diffusion) {
        json_object_set_new(result, "law", json_string(options->law->name));
        json_object_set_new(result, "radius_scale_se", json_real(options->radius_scale_se));
        json_object_set_new(result, "laws", choice_json(crystals));
        json_object_set_new(result, "durations",
                            json_pack("{s:f,s:f,s:o,s:o}", "split", options->split, "end",
                                      options->slow_end, "fast_s", duration_json(&s, true),
                                      "slow_s", duration_json(&s, false)));
        ng_warnings_add(warnings, "only-the-product",
                        "a radius over time tells D V_m dC alone; D itself needs the molar volume "
                        "and the supersaturation from elsewhere");
    }
    if (result != NULL) {
        json_object_set_new(result, "curves", curves_json(crystals, tracks, options->diffusion));
        json_object_set_new(result, "modes", modes_json());
    }
    ng_free(s.value);
    *out = result;
    return result != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for the result");
}
