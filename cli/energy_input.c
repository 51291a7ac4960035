/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Births and growth from results of other verbs, for `nucgrow energy`. */
#include "energy_input.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static double number_at(const json_t *root, const char *a, const char *b, const char *c)
{
    const json_t *value = json_object_get(root, a);
    value = b != NULL ? json_object_get(value, b) : value;
    value = c != NULL ? json_object_get(value, c) : value;
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double element(const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- births ---------------------------------------------------------------------------------- */

/* Times of births by the steps of their running number; those of the first frame were before. */
static ng_status take_births(const json_t *result, const char *path, ng_energy_input *in,
                             ng_error *err)
{
    const json_t *series = json_object_get(result, "series");
    const json_t *born = json_object_get(series, "cumulative");
    const double first = element(born, 0), last = element(born, in->n_rate - 2);
    ng_energy_knowledge *k = &in->known;
    k->bandwidth_s = number_at(result, "bandwidth_s", NULL, NULL);
    if (!(last > first) || !(last - first < 1e7) || !(k->bandwidth_s > 0)) {
        return NG_OK; /* an older result: the rate alone, without intervals */
    }
    in->births = NG_NEW(double, (size_t)(last - first) + 1);
    if (in->births == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %g births", path, last - first);
    }
    for (size_t i = 1; i < in->n_rate - 1; i++) {
        const double upto = element(born, i) - first;
        while ((double)k->n_births < upto && (double)k->n_births < last - first) {
            in->births[k->n_births++] = in->rate[i];
        }
    }
    k->birth_s = in->births;
    k->until_s = in->rate[in->n_rate - 2];
    in->conditions.births_per_s = (double)k->n_births / k->until_s;
    return NG_OK;
}

static ng_status take_rate(const json_t *result, const char *path, ng_energy_input *in,
                           ng_error *err)
{
    const json_t *series = json_object_get(result, "series");
    const json_t *time = json_object_get(series, "time_s");
    const json_t *rate = json_object_get(series, "rate_per_s");
    const size_t n = json_array_size(time);
    if (n < 2 || json_array_size(rate) != n) {
        return NG_FAIL(err, NG_FORMAT, "%s: no series time_s and rate_per_s", path);
    }
    if (in->rate != NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: a second nucleation result; give one", path);
    }
    in->rate = NG_NEW(double, 2 * (n + 1));
    if (in->rate == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu times", path, n);
    }
    in->n_rate = n + 1;
    for (size_t i = 0; i < n; i++) {
        in->rate[i] = element(time, i) - element(time, 0);
        in->rate[n + 1 + i] = element(rate, i);
        if (!isfinite(in->rate[i]) || !(in->rate[n + 1 + i] >= 0) ||
            (i > 0 && in->rate[i] <= in->rate[i - 1])) {
            return NG_FAIL(err, NG_FORMAT,
                           "%s: entry %zu of the series: times must rise, rates be 0 or more", path,
                           i + 1);
        }
    }
    /* what was not seen is not born */
    in->rate[n] = in->rate[n - 1] * (1 + 1e-9);
    in->conditions.nucleation_s = in->rate[n - 1];
    return take_births(result, path, in, err);
}

ng_time_law ng_energy_input_law(const ng_energy_input *in)
{
    return in->rate != NULL ? ng_law_table(in->rate, in->rate + in->n_rate, in->n_rate)
                            : ng_law_constant(0);
}

/* ---- growth ---------------------------------------------------------------------------------- */

static bool is_ok(const json_t *parameter, size_t i)
{
    const char *flag = json_string_value(json_array_get(json_object_get(parameter, "flag"), i));
    return flag != NULL && strcmp(flag, "ok") == 0 &&
           element(json_object_get(parameter, "value"), i) > 0;
}

/* The growth of single crystals that tell all of it. */
static ng_status take_crystals(const json_t *result, const char *path, bool ends,
                               ng_energy_input *in, ng_error *err)
{
    const json_t *crystals = json_object_get(result, "crystals");
    const json_t *product = json_object_get(crystals, "product_nm2_per_s");
    const json_t *final = json_object_get(crystals, "final_nm");
    const size_t n = json_array_size(json_object_get(product, "value"));
    ng_energy_knowledge *k = &in->known;
    in->growth = NG_NEW(double, 2 * n + 1);
    if (in->growth == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu crystals", path, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (is_ok(product, i) && (!ends || is_ok(final, i))) {
            in->growth[k->n_crystals] = element(json_object_get(product, "value"), i);
            in->growth[n + k->n_crystals++] =
                ends ? element(json_object_get(final, "value"), i) : 0;
        }
    }
    const double scale_se = number_at(result, "radius_scale_se", NULL, NULL);
    k->radius_scale_se = scale_se > 0 ? scale_se : 0;
    k->product_nm2_per_s = in->growth;
    k->final_nm = ends ? in->growth + n : NULL;
    return NG_OK;
}

static ng_status take_growth(const json_t *result, const char *path, ng_energy_input *in,
                             ng_error *err)
{
    const double product = number_at(result, "parameters", "product_nm2_per_s", "value");
    const double final_nm = number_at(result, "parameters", "final_nm", "value");
    if (in->growth != NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: a second result of `fit diffusion`; give one", path);
    }
    if (!(product > 0) &&
        json_object_get(json_object_get(result, "parameters"), "product_nm2_per_s") != NULL) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "%s: no crystal there tells its growth constant D V_m dC", path);
    }
    if (!(product > 0)) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: no parameters.product_nm2_per_s; fit with --law "
                       "depletion, surface or parabolic",
                       path);
    }
    in->conditions.product_nm2_per_s = product;
    if (final_nm > 0) {
        in->conditions.final_nm = final_nm;
        in->conditions.growth = NG_GROWTH_DEPLETION;
    }
    return take_crystals(result, path, final_nm > 0, in, err);
}

/* ---- either ---------------------------------------------------------------------------------- */

ng_status ng_energy_input_read(const char *path, ng_energy_input *in, ng_warnings *warnings,
                               ng_error *err)
{
    json_t *result = NULL;
    ng_status status = ng_json_read(path, &result, err);
    if (status != NG_OK) {
        return status;
    }
    const char *schema = json_string_value(json_object_get(result, "schema"));
    schema = schema != NULL ? schema : "";
    if (strncmp(schema, "nucgrow/nucleation/", 19) == 0) {
        status = take_rate(result, path, in, err);
    } else if (strncmp(schema, "nucgrow/fit-diffusion/", 22) == 0) {
        status = take_growth(result, path, in, err);
    } else {
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: neither a result of `nucleation` nor of "
                         "`fit diffusion`",
                         path);
    }
    if (status == NG_OK && json_is_false(json_object_get(result, "trusted"))) {
        in->doubtful = true;
        ng_warnings_add(warnings, "input-not-trusted",
                        "%s says of itself that it is not to be trusted; what rests on it is not "
                        "either",
                        path);
    }
    json_decref(result);
    return status;
}

json_t *ng_energy_input_json(const ng_energy_input *in)
{
    return json_pack("{s:I,s:I,s:f}", "births", (json_int_t)in->known.n_births, "crystals",
                     (json_int_t)in->known.n_crystals, "radius_scale_se",
                     in->known.radius_scale_se);
}

void ng_energy_input_free(ng_energy_input *in)
{
    ng_free(in->rate);
    ng_free(in->births);
    ng_free(in->growth);
    *in = (ng_energy_input){.rate = NULL};
}
