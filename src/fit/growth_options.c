/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Defaults, presets and limits of the growth fit; names of flags and stop reasons. */
#include <nucgrow/fit.h>

#include <math.h>
#include <string.h>

#define WEIGHT_MAX 1e6
#define TRIM_MAX 1000000
#define WINDOW_MAX 100000

ng_growth_fit_options ng_growth_fit_defaults(const ng_material *material)
{
    ng_growth_fit_options o = {
        .start = material->parameters,
        .delta_mode = NG_DELTA_CONSTANT,
        .delta = material->delta,
        .variance_scale = 1.0,
        .variance_limit = NAN,
        .frame_weight_first = 1.0,
        .frame_weight_last = 1.0,
        .supersaturation_max = 100.0,
        .size_trim = 200,
        .starts = 6,
        .max_iterations = 100,
        .bootstrap = 50,
        .level = 0.95,
    };
    return o;
}

ng_growth_fit_options ng_growth_fit_published(const ng_material *material)
{
    ng_growth_fit_options o = ng_growth_fit_defaults(material);
    o.published = true;
    o.delta_mode = NG_DELTA_FREE;
    o.variance_limit = 1e-5;
    o.variance_scale = strcmp(material->name, "Pt") == 0 ? 1.2 : 1.0;
    o.series_window = strcmp(material->name, "Au") == 0 ? 30 : 0;
    return o;
}

static ng_status check_parameters(const ng_growth_fit_options *o, ng_error *err)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        double value = ng_growth_parameter_get(&o->start, i);
        if (!(value >= info[i].min && value <= info[i].max)) {
            return NG_FAIL(err, NG_USAGE, "%s is %g; it must lie in %g to %g %s", info[i].name,
                           value, info[i].min, info[i].max, info[i].unit);
        }
    }
    return NG_OK;
}

ng_status ng_growth_fit_check(const ng_growth_fit_options *o, ng_error *err)
{
    if (!(o->delta >= NG_DELTA_MIN && o->delta <= NG_DELTA_MAX)) {
        return NG_FAIL(err, NG_USAGE, "delta is %g; it must lie in %g to %g", o->delta,
                       NG_DELTA_MIN, NG_DELTA_MAX);
    }
    if (!(o->variance_scale > 0.0) || !(o->variance_scale <= 100.0)) {
        return NG_FAIL(err, NG_USAGE, "variance-scale is %g; it must be positive, at most 100",
                       o->variance_scale);
    }
    if (o->variance_limit <= 0.0) {
        return NG_FAIL(err, NG_USAGE, "variance-limit is %g; it must be positive",
                       o->variance_limit);
    }
    if (!(o->frame_weight_first >= 0.0 && o->frame_weight_first <= WEIGHT_MAX &&
          o->frame_weight_last >= 0.0 && o->frame_weight_last <= WEIGHT_MAX &&
          o->frame_weight_first + o->frame_weight_last > 0.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "frame-weights are %g:%g; they must lie in 0 to %g, not both 0",
                       o->frame_weight_first, o->frame_weight_last, WEIGHT_MAX);
    }
    if (!(o->supersaturation_max > 0.0) || !(o->level > 0.0 && o->level < 1.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "supersaturation-max is %g, level is %g; the first must be positive, the "
                       "second between 0 and 1",
                       o->supersaturation_max, o->level);
    }
    if (o->size_trim < 1 || o->size_trim > TRIM_MAX || o->series_window < 0 ||
        o->series_window > WINDOW_MAX || o->starts < 1) {
        return NG_FAIL(err, NG_USAGE,
                       "size-trim is %ld, series-window %ld, starts %zu; they must lie in 1 to %d, "
                       "0 to %d, and at least 1",
                       o->size_trim, o->series_window, o->starts, TRIM_MAX, WINDOW_MAX);
    }
    return check_parameters(o, err);
}

const char *ng_fit_flag_name(ng_fit_flag flag)
{
    static const char *const name[] = {"ok", "fixed", "at-bound", "not-identifiable"};
    return name[flag];
}

const char *ng_fit_stop_text(ng_fit_stop stop)
{
    static const char *const text[] = {"the step became negligible", "the gradient vanished",
                                       "the cost stopped falling", "evaluated at given values",
                                       "gave up at the iteration limit"};
    return text[stop];
}
