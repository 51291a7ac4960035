/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Defaults, ranges and JSON of a synthetic field under structured illumination. */
#include "sim_internal.h"

#include <jansson.h>

ng_synth_sim_options ng_synth_sim_defaults(void)
{
    ng_synth_sim_options options = {0};
#define X(type, name, field, unit, initial, min, max, group, doc) options.field = initial;
    NG_SYNTH_SIM_OPTIONS(X)
#undef X
    return options;
}

static ng_status check_range(const char *name, double value, double min, double max, ng_error *err)
{
    if (value >= min && value <= max) {
        return NG_OK;
    }
    return NG_FAIL(err, NG_INVALID, "%s is %g; it must lie between %g and %g (option --%s)", name,
                   value, min, max, name);
}

/* A BOOL cannot be out of range. */
#define CHECK_REAL(name, value, min, max) check_range(name, value, min, max, err)
#define CHECK_INT(name, value, min, max) check_range(name, (double)(value), min, max, err)
#define CHECK_BOOL(name, value, min, max) NG_OK

ng_status ng_synth_sim_check(const ng_synth_sim_options *options, ng_error *err)
{
    ng_status status = NG_OK;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    if (status == NG_OK) {                                                                         \
        status = CHECK_##type(name, options->field, min, max);                                     \
    }
    NG_SYNTH_SIM_OPTIONS(X)
#undef X
    return status;
}

#define JSON_REAL(value) ng_json_real(value)
#define JSON_INT(value) json_integer(value)
#define JSON_BOOL(value) json_boolean(value)

static json_t *options_json(const ng_synth_sim_options *options)
{
    json_t *object = json_object();
    int failed = object == NULL;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    failed |= json_object_set_new(object, name, JSON_##type(options->field));
    NG_SYNTH_SIM_OPTIONS(X)
#undef X
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *ng_synth_sim_truth_json(const ng_synth_sim *scene)
{
    size_t count[3] = {0, 0, 0};
    for (size_t i = 0; i < scene->n_sources; i++) {
        count[scene->source[i].kind]++;
    }
    json_t *object =
        json_pack("{s:s, s:o, s:o, s:I, s:I, s:I}", "kind", "sim", "pattern",
                  ng_sim_pattern_json(&scene->pattern), "options", options_json(&scene->options),
                  "emitters", (json_int_t)count[NG_SYNTH_SIM_EMITTER], "filament_points",
                  (json_int_t)count[NG_SYNTH_SIM_FILAMENT], "crystals",
                  (json_int_t)count[NG_SYNTH_SIM_CRYSTAL]);
    if (object != NULL && count[NG_SYNTH_SIM_CRYSTAL] > 0) {
        json_object_set_new(object, "growth", ng_synth_sim_crystals_json(scene));
    }
    return object;
}
