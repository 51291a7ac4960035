/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pattern files. */
#include "pattern_internal.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define DEGREE (180 / NG_SIM_PI)

/* ---- out ---- */

static json_t *degrees_json(const double *rad, size_t n)
{
    double degree[NG_SIM_MAX_PHASES];
    for (size_t i = 0; i < n; i++) {
        degree[i] = DEGREE * rad[i];
    }
    return ng_json_reals(degree, n);
}

static json_t *direction_json(const ng_sim_pattern *pattern, const ng_sim_direction *d)
{
    const ng_sim_layout *layout = &pattern->layout;
    const double k2 = d->kx * d->kx + d->ky * d->ky, k = sqrt(k2);
    const double bins[2] = {d->kx * (double)layout->width, d->ky * (double)layout->height};
    const double bins_se[2] = {d->kx_se * (double)layout->width, d->ky_se * (double)layout->height};
    const double along = hypot(d->kx * d->kx_se, d->ky * d->ky_se) / k;
    const double across = hypot(d->ky * d->kx_se, d->kx * d->ky_se) / k2;
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "angle_deg",
                               ng_json_real(DEGREE * atan2(d->ky, d->kx)), "angle_deg_se",
                               ng_json_real(DEGREE * across), "period_nm",
                               ng_json_real(pattern->optics.pixel_nm / k), "period_nm_se",
                               ng_json_real(pattern->optics.pixel_nm * along / k2), "k_bins",
                               ng_json_reals(bins, 2), "k_bins_se", ng_json_reals(bins_se, 2));
    json_t *rest = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:s}", "phase_deg",
        degrees_json(d->phase, layout->phases), "phase_deg_se",
        degrees_json(d->phase_se, layout->phases), "phase_centre_deg_se",
        ng_json_real(DEGREE * d->phase_centre_se), "modulation", ng_json_real(d->modulation),
        "modulation_se", ng_json_real(d->modulation_se), "equal_steps", d->equal_steps,
        "relative_light", ng_json_reals(d->intensity, layout->phases), "peak_over_median",
        ng_json_real(d->peak), "second_peak", ng_json_real(d->second_peak), "explained",
        ng_json_real(d->explained), "contrast_to_noise", ng_json_real(d->contrast_to_noise),
        "trusted", d->trusted, "reason", d->reason);
    if (object == NULL || rest == NULL || json_object_update(object, rest) != 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(rest);
    return object;
}

json_t *ng_sim_pattern_json(const ng_sim_pattern *pattern)
{
    const ng_sim_layout *layout = &pattern->layout;
    const ng_sim_camera *c = &pattern->camera;
    json_t *directions = json_array();
    for (size_t d = 0; directions != NULL && d < layout->directions; d++) {
        if (json_array_append_new(directions, direction_json(pattern, &pattern->direction[d])) !=
            0) {
            json_decref(directions);
            return NULL;
        }
    }
    json_t *optics =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "na", ng_json_real(pattern->optics.na),
                  "wavelength_nm", ng_json_real(pattern->optics.wavelength_nm), "pixel_nm",
                  ng_json_real(pattern->optics.pixel_nm), "otf_damping",
                  ng_json_real(pattern->optics.damping), "cutoff_per_um",
                  ng_json_real(ng_sim_cutoff_per_um(&pattern->optics)), "otf_measured",
                  pattern->optics.measured != NULL);
    if (pattern->optics.measured != NULL) {
        const ng_sim_otf_table *t = pattern->optics.measured;
        json_object_set_new(optics, "otf",
                            json_pack("{s:o, s:o}", "k_per_um", ng_json_reals(t->per_um, t->n),
                                      "otf", ng_json_reals(t->value, t->n)));
    }
    json_t *camera =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "offset", ng_json_real(c->offset),
                  "offset_se", ng_json_real(c->offset_se), "gain", ng_json_real(c->gain), "gain_se",
                  ng_json_real(c->gain_se), "read_noise", ng_json_real(c->read_noise),
                  "offset_estimated", c->offset_estimated, "gain_estimated", c->gain_estimated);
    return json_pack("{s:b, s:s, s:b, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:o}", "trusted",
                     pattern->trusted, "reason", pattern->reason, "order_looks_wrong",
                     pattern->order_looks_wrong, "width", (json_int_t)layout->width, "height",
                     (json_int_t)layout->height, "n_directions", (json_int_t)layout->directions,
                     "n_phases", (json_int_t)layout->phases, "order",
                     ng_sim_order_name(layout->order), "optics", optics, "camera", camera,
                     "directions", directions);
}

/* ---- in ---- */

typedef struct reader {
    const char *path;
    ng_error *err;
    ng_status status;
} reader;

static void complain(reader *r, const char *key, const char *what)
{
    if (r->status == NG_OK) {
        r->status = NG_FAIL(r->err, NG_FORMAT,
                            "%s: key '%s': %s; is it a pattern file of "
                            "`nucgrow reconstruct --pattern`?",
                            r->path, key, what);
    }
}

static double number(reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) {
        complain(r, key, "a number is expected");
        return 0;
    }
    return json_number_value(value);
}

static double number_or_nan(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void numbers(reader *r, const json_t *object, const char *key, size_t n, double *out)
{
    const json_t *array = json_object_get(object, key);
    if (json_array_size(array) != n) {
        complain(r, key, "a list with as many numbers as there are phases (or 2) is expected");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(array, i);
        out[i] = json_is_number(value) ? json_number_value(value) : 0;
        if (!json_is_number(value)) {
            complain(r, key, "only numbers are expected");
        }
    }
}

static void read_direction(reader *r, const ng_sim_pattern *pattern, const json_t *object,
                           ng_sim_direction *d)
{
    const size_t phases = pattern->layout.phases;
    double bins[2] = {0}, bins_se[2] = {0};
    numbers(r, object, "k_bins", 2, bins);
    numbers(r, object, "k_bins_se", 2, bins_se);
    numbers(r, object, "phase_deg", phases, d->phase);
    numbers(r, object, "phase_deg_se", phases, d->phase_se);
    numbers(r, object, "relative_light", phases, d->intensity);
    for (size_t p = 0; p < phases; p++) {
        d->phase[p] /= DEGREE;
        d->phase_se[p] /= DEGREE;
    }
    d->kx = bins[0] / (double)pattern->layout.width;
    d->ky = bins[1] / (double)pattern->layout.height;
    d->kx_se = bins_se[0] / (double)pattern->layout.width;
    d->ky_se = bins_se[1] / (double)pattern->layout.height;
    d->modulation = number(r, object, "modulation");
    d->modulation_se = number_or_nan(object, "modulation_se");
    d->phase_centre_se = number_or_nan(object, "phase_centre_deg_se") / DEGREE;
    d->peak = number_or_nan(object, "peak_over_median");
    d->second_peak = number_or_nan(object, "second_peak");
    d->explained = number_or_nan(object, "explained");
    d->contrast_to_noise = number_or_nan(object, "contrast_to_noise");
    d->equal_steps = json_is_true(json_object_get(object, "equal_steps"));
    d->trusted = json_is_true(json_object_get(object, "trusted"));
    const char *reason = json_string_value(json_object_get(object, "reason"));
    snprintf(d->reason, sizeof d->reason, "%s", reason != NULL ? reason : "");
    if (!(hypot(d->kx, d->ky) > 0) || !(d->modulation > 0)) {
        complain(r, "k_bins", "stripes with a period and a modulation are expected");
    }
}

static void read_layout(reader *r, const json_t *root, ng_sim_layout *layout)
{
    const double width = number(r, root, "width"), height = number(r, root, "height");
    const double directions = number(r, root, "n_directions"), phases = number(r, root, "n_phases");
    const char *order = json_string_value(json_object_get(root, "order"));
    if (!(width >= 1 && width <= NG_SIM_MAX_SIDE && height >= 1 && height <= NG_SIM_MAX_SIDE)) {
        complain(r, "width", "a frame of this size cannot be used");
    } else if (!(directions >= 1 && directions <= NG_SIM_MAX_DIRECTIONS && phases >= 3 &&
                 phases <= NG_SIM_MAX_PHASES)) {
        complain(r, "n_directions", "so many directions or phases cannot be used");
    } else if (order == NULL) {
        complain(r, "order", "angle-major or phase-major is expected");
    } else {
        *layout = (ng_sim_layout){.width = (size_t)width,
                                  .height = (size_t)height,
                                  .directions = (size_t)directions,
                                  .phases = (size_t)phases,
                                  .order = strcmp(order, "phase-major") == 0 ? NG_SIM_PHASE_MAJOR
                                                                             : NG_SIM_ANGLE_MAJOR};
    }
}

static void read_pattern(reader *r, const json_t *root, ng_sim_pattern *out)
{
    const json_t *optics = json_object_get(root, "optics");
    const json_t *camera = json_object_get(root, "camera");
    const json_t *directions = json_object_get(root, "directions");
    read_layout(r, root, &out->layout);
    out->optics = (ng_sim_optics){.na = number(r, optics, "na"),
                                  .wavelength_nm = number(r, optics, "wavelength_nm"),
                                  .pixel_nm = number(r, optics, "pixel_nm"),
                                  .damping = number(r, optics, "otf_damping")};
    out->camera = (ng_sim_camera){.offset = number(r, camera, "offset"),
                                  .gain = number(r, camera, "gain"),
                                  .read_noise = number(r, camera, "read_noise"),
                                  .offset_se = number_or_nan(camera, "offset_se"),
                                  .gain_se = number_or_nan(camera, "gain_se")};
    out->trusted = json_is_true(json_object_get(root, "trusted"));
    const char *reason = json_string_value(json_object_get(root, "reason"));
    snprintf(out->reason, sizeof out->reason, "%s", reason != NULL ? reason : "");
    if (r->status == NG_OK && json_array_size(directions) != out->layout.directions) {
        complain(r, "directions", "as many as n_directions are expected");
    }
    for (size_t d = 0; r->status == NG_OK && d < out->layout.directions; d++) {
        read_direction(r, out, json_array_get(directions, d), &out->direction[d]);
    }
}

ng_status ng_sim_pattern_read(const char *path, ng_sim_pattern *out, ng_error *err)
{
    json_t *root = NULL;
    *out = (ng_sim_pattern){0};
    ng_status status = ng_json_read(path, &root, err);
    if (status != NG_OK) {
        return status;
    }
    const json_t *inner = json_object_get(root, "pattern"); /* in truth.json and results */
    reader r = {.path = path, .err = err, .status = NG_OK};
    read_pattern(&r, json_is_object(inner) ? inner : root, out);
    json_decref(root);
    if (r.status != NG_OK) {
        *out = (ng_sim_pattern){0};
    }
    return r.status;
}

ng_status ng_sim_backgrounds_read(const char *path, double **out, size_t *n, ng_error *err)
{
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    const json_t *list = json_object_get(root, "background"), *value = NULL;
    size_t i = 0;
    ng_status status = NG_OK;
    *n = json_array_size(list);
    *out = NG_NEW(double, *n + 1);
    if (*out == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for the background of %zu sets", *n);
    } else if (root == NULL || *n == 0) {
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: there is no list 'background'; is it the pattern file of a "
                         "`nucgrow reconstruct` that made an image?",
                         path);
    }
    json_array_foreach(list, i, value)
    {
        const double counts = json_number_value(value);
        if (status == NG_OK && !(counts > 0)) {
            status = NG_FAIL(err, NG_FORMAT,
                             "%s: background of set %zu is %g counts; it must be above 0", path,
                             i + 1, counts);
        } else if (status == NG_OK) {
            (*out)[i] = counts;
        }
    }
    json_decref(root);
    if (status != NG_OK) {
        ng_free(*out);
        *out = NULL;
        *n = 0;
    }
    return status;
}

ng_status ng_sim_pattern_read_otf(const char *path, ng_sim_otf_table *out, ng_error *err)
{
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    const json_t *otf = json_object_get(json_object_get(root, "optics"), "otf");
    const json_t *k = json_object_get(otf, "k_per_um"), *value = json_object_get(otf, "otf");
    const size_t n = json_array_size(k);
    ng_status status = NG_OK;
    *out = (ng_sim_otf_table){.n = 0};
    if (otf != NULL && (n < 2 || json_array_size(value) != n)) {
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: key 'optics.otf': two lists of one length are expected", path);
    } else if (otf != NULL) {
        out->per_um = NG_NEW(double, n);
        out->value = NG_NEW(double, n);
        status = out->per_um != NULL && out->value != NULL
                     ? NG_OK
                     : NG_FAIL(err, NG_MEMORY, "no memory for a transfer function");
    }
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        out->per_um[i] = json_number_value(json_array_get(k, i));
        out->value[i] = json_number_value(json_array_get(value, i));
        if (i > 0 && !(out->per_um[i] > out->per_um[i - 1])) {
            status = NG_FAIL(err, NG_FORMAT, "%s: key 'optics.otf': 'k_per_um' must rise", path);
        }
    }
    out->n = status == NG_OK && otf != NULL ? n : 0;
    if (status != NG_OK) {
        ng_sim_otf_table_free(out);
    }
    json_decref(root);
    return status;
}
