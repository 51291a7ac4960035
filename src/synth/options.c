/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Defaults, ranges and JSON of the options of a synthetic ensemble. */
#include "synth_internal.h"

#include <jansson.h>

/* S(t) that takes the mean monomer number through the published one of Pt(acac)2: fast growth, a
 * pause below the maximum of the potential (S = 2.494), slow, fast and slowing growth. */
static const double default_time_s[] = {0, 16, 22, 45, 55, 102, 112, 142, 154};
static const double default_supersaturation[] = {2.7, 4.5, 2, 2.4, 2.8, 2.9, 4.6, 3.4, 2.6};

ng_synth_ensemble_options ng_synth_ensemble_defaults(void)
{
    ng_synth_ensemble_options options = {
        .schedule_time_s = default_time_s,
        .supersaturation = default_supersaturation,
        .n_schedule = sizeof default_time_s / sizeof default_time_s[0],
    };
#define X(type, name, field, unit, initial, min, max, group, doc) options.field = initial;
    NG_SYNTH_ENSEMBLE_OPTIONS(X)
#undef X
    return options;
}

ng_status ng_synth_check_range(const char *name, double value, double min, double max,
                               ng_error *err)
{
    if (value >= min && value <= max) {
        return NG_OK;
    }
    return NG_FAIL(err, NG_INVALID, "%s is %g; it must lie between %g and %g (option --%s)", name,
                   value, min, max, name);
}

ng_status ng_synth_growth_check(const ng_synth_ensemble_options *options, ng_error *err)
{
    ng_status status = NG_OK;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    if (status == NG_OK) {                                                                         \
        status = NG_SYNTH_CHECK_##type(name, options->field, min, max, err);                       \
    }
    NG_SYNTH_GROWTH_OPTIONS(X)
    if (status == NG_OK && options->n_schedule == 0) {
        return NG_FAIL(err, NG_INVALID, "schedule: no knot; give at least one pair seconds:S");
    }
    return status != NG_OK
               ? status
               : ng_synth_knots_check(options->schedule_time_s, options->supersaturation,
                                      options->n_schedule, "schedule", err);
}

ng_status ng_synth_ensemble_check(const ng_synth_ensemble_options *options, ng_error *err)
{
    ng_status status = ng_synth_growth_check(options, err);
    NG_SYNTH_MEASUREMENT_OPTIONS(X)
#undef X
    return status;
}

json_t *ng_synth_ensemble_options_json(const ng_synth_ensemble_options *options)
{
    json_t *object = json_object();
    int failed = object == NULL;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    failed |= json_object_set_new(object, name, NG_SYNTH_JSON_##type(options->field));
    NG_SYNTH_ENSEMBLE_OPTIONS(X)
#undef X
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
