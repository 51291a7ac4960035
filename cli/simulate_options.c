/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "simulate_options.h"

#include <nucgrow/material.h>

#include <jansson.h>
#include <string.h>

/* The material's numbers, where the user gave none. `set` fills the struct that run() reads. */
static ng_status preset(ng_options *set, const char *name, double value, ng_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    return ng_options_set(set, name, text, NG_ORIGIN_PRESET, err);
}

ng_status ng_simulate_material(ng_cli *cli, const char *choice, ng_error *err)
{
    static const char *const flag[] = {"eps-f", "eps-e", "alpha4", "K", "kr"};
    ng_material material;
    ng_status status = ng_material_choose(choice, &material, err);
    if (status == NG_OK && ng_material_find(choice) == NULL) {
        status = ng_provenance_input(cli->provenance, choice, err);
    }
    for (size_t i = 0; status == NG_OK && i < NG_N_GROWTH_PARAMETERS; i++) {
        const ng_origin origin = ng_options_origin(cli->options, flag[i]);
        if (!material.parameters_given && origin < NG_ORIGIN_FILE) {
            return NG_FAIL(err, NG_USAGE, "%s holds no growth parameters; pass --%s",
                           material.source, flag[i]);
        }
        status =
            preset(cli->options, flag[i], ng_growth_parameter_get(&material.parameters, i), err);
    }
    status = status != NG_OK ? status : preset(cli->options, "delta", material.delta, err);
    status = status != NG_OK ? status : preset(cli->options, "sigma-nm", material.sigma_s_nm, err);
    if (status == NG_OK && material.published) {
        ng_provenance_reference(cli->provenance, material.source);
    }
    return status;
}

ng_status ng_simulate_schedule(ng_cli *cli, const char *text, ng_synth_schedule *schedule,
                               ng_synth_ensemble_options *ensemble, ng_error *err)
{
    const ng_synth_ensemble_options initial = ng_synth_ensemble_defaults();
    ensemble->schedule_time_s = initial.schedule_time_s;
    ensemble->supersaturation = initial.supersaturation;
    ensemble->n_schedule = initial.n_schedule;
    if (text == NULL) {
        return NG_OK;
    }
    ng_status status = ng_synth_schedule_read(text, schedule, err);
    if (status == NG_OK && strchr(text, ':') == NULL) {
        status = ng_provenance_input(cli->provenance, text, err);
    }
    ensemble->schedule_time_s = schedule->time_s;
    ensemble->supersaturation = schedule->supersaturation;
    ensemble->n_schedule = schedule->n;
    return status;
}

ng_status ng_simulate_write_truth(ng_cli *cli, json_t *body, const char *path, ng_error *err)
{
    cli->result = body;
    json_t *stamped = ng_cli_stamp(cli, NG_TRUTH_SCHEMA, json_incref(body));
    if (body == NULL || stamped == NULL) {
        json_decref(stamped);
        return NG_FAIL(err, NG_MEMORY, "out of memory for truth.json");
    }
    ng_status status = ng_json_write(stamped, path, cli->common.force, err);
    json_decref(stamped);
    return status;
}
