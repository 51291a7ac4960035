/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that write fit-coalescence.json. Functions that return json_t give a new
 * reference; where memory is short something is missing in it and the writer's `ok` is false. */
#ifndef NUCGROW_COALESCENCE_JSON_INTERNAL_H
#define NUCGROW_COALESCENCE_JSON_INTERNAL_H

#include "coalescence_internal.h"
#include "growth_json_internal.h"

typedef struct coalescence_writer {
    const ng_coalescence_data *data;
    const ng_coalescence_fit *fit;
    const ng_coalescence_options *options;
    const ng_run *run;
    ng_error *err;
    ng_status status; /* the first that was not NG_OK */
} coalescence_writer;

/* Set a key, append; `value` is taken. */
void ng_coalescence_put(coalescence_writer *w, json_t *object, const char *key, json_t *value);
void ng_coalescence_append(coalescence_writer *w, json_t *array, json_t *value);

json_t *ng_coalescence_counterfactual_json(coalescence_writer *w);
json_t *ng_coalescence_baseline_json(coalescence_writer *w);
json_t *ng_coalescence_densities_json(coalescence_writer *w);
json_t *ng_coalescence_map_json(coalescence_writer *w);
json_t *ng_coalescence_radius_sum_json(coalescence_writer *w);
json_t *ng_coalescence_after_merge_json(coalescence_writer *w);
json_t *ng_coalescence_examples_json(coalescence_writer *w);
json_t *ng_coalescence_sizes_json(coalescence_writer *w);
json_t *ng_coalescence_distance_json(coalescence_writer *w);

#endif
