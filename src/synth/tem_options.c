/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Defaults, ranges and JSON of the options of a synthetic electron microscope. */
#include "tem_internal.h"

#include <jansson.h>
#include <math.h>

#define MIN_SIZE 16
#define MAX_SIZE 16384

ng_synth_tem_options ng_synth_tem_defaults(void)
{
    ng_synth_tem_options options = {.growth = ng_synth_ensemble_defaults()};
#define X(type, name, field, unit, initial, min, max, group, doc) options.field = initial;
    NG_SYNTH_TEM_OPTIONS(X)
#undef X
    return options;
}

ng_status ng_tem_check(const ng_synth_tem_options *options, ng_error *err)
{
    ng_status status = ng_synth_growth_check(&options->growth, err);
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    if (status == NG_OK) {                                                                         \
        status = NG_SYNTH_CHECK_##type(name, options->field, min, max, err);                       \
    }
    NG_SYNTH_TEM_OPTIONS(X)
#undef X
    const double size = round(options->growth.field_nm / options->growth.pixel_nm);
    if (status == NG_OK && !(size >= MIN_SIZE && size <= MAX_SIZE)) {
        return NG_FAIL(err, NG_INVALID,
                       "field-nm %g at %g nm a pixel is %.0f pixels across; it must be %d to %d",
                       options->growth.field_nm, options->growth.pixel_nm, size, MIN_SIZE,
                       MAX_SIZE);
    }
    return status;
}

json_t *ng_tem_options_json(const ng_synth_tem_options *options)
{
    json_t *object = json_object();
    int failed = object == NULL;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    failed |= json_object_set_new(object, name, NG_SYNTH_JSON_##type(options->field));
#define Y(type, name, field, unit, initial, min, max, group, doc)                                  \
    X(type, name, growth.field, unit, initial, min, max, group, doc)
    NG_SYNTH_GROWTH_OPTIONS(Y)
    NG_SYNTH_TEM_OPTIONS(X)
#undef Y
#undef X
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
