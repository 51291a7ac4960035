/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The truth of a synthetic ensemble as JSON. */
#include "synth_internal.h"

#include <jansson.h>
#include <math.h>

/* The maximum of the potential lies below this size for every published material. */
#define LAST_MAXIMUM_N 20000

void ng_synth_ensemble_truth_free(ng_synth_ensemble_truth *truth)
{
    if (truth == NULL) {
        return;
    }
    ng_free(truth->time_s);
    ng_free(truth->supersaturation);
    ng_free(truth->particles);
    ng_free(truth->mean_n);
    ng_free(truth->var_n);
    ng_free(truth->n_true);
    *truth = (ng_synth_ensemble_truth){0};
}

static json_t *parameters_json(const ng_growth_parameters *parameters)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < NG_N_GROWTH_PARAMETERS; i++) {
        if (json_object_set_new(object, info[i].name,
                                ng_json_real(ng_growth_parameter_get(parameters, i))) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *maximum_json(const ng_synth_ensemble_options *options)
{
    const ng_potential_maximum maximum = ng_potential_find_maximum(
        &options->parameters, options->delta, NG_SYNTH_N_MIN, LAST_MAXIMUM_N);
    return json_pack("{s:o, s:o}", "n", ng_json_real(maximum.found ? maximum.n : (double)NAN),
                     "mu_kT", ng_json_real(maximum.found ? maximum.mu_kT : (double)NAN));
}

static json_t *schedule_json(const ng_synth_ensemble_options *options)
{
    return json_pack(
        "{s:o, s:o}", "time_s", ng_json_reals(options->schedule_time_s, options->n_schedule),
        "supersaturation", ng_json_reals(options->supersaturation, options->n_schedule));
}

static json_t *series_json(const ng_synth_ensemble_truth *truth)
{
    const size_t n = truth->frames;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "time_s", ng_json_reals(truth->time_s, n),
                     "supersaturation", ng_json_reals(truth->supersaturation, n), "particles",
                     ng_json_reals(truth->particles, n), "mean_n", ng_json_reals(truth->mean_n, n),
                     "var_n", ng_json_reals(truth->var_n, n));
}

json_t *ng_synth_ensemble_truth_json(const ng_synth_ensemble_options *options,
                                     const ng_synth_ensemble_truth *truth)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "kind", "ensemble",
                     "parameters", parameters_json(&options->parameters), "delta",
                     ng_json_real(options->delta), "sigma_s_nm", ng_json_real(options->sigma_s_nm),
                     "maximum", maximum_json(options), "schedule", schedule_json(options), "series",
                     series_json(truth), "options", ng_synth_ensemble_options_json(options),
                     "dissolved", (json_int_t)truth->dissolved, "unseen", (json_int_t)truth->unseen,
                     "events", (json_int_t)truth->events);
}
