/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that turn a growth fit into JSON. Functions that return json_t give a new
 * reference; where memory is short something is missing in it and the writer's `ok` becomes false.
 */
#ifndef NUCGROW_GROWTH_JSON_INTERNAL_H
#define NUCGROW_GROWTH_JSON_INTERNAL_H

#include "fit_internal.h"

#include <jansson.h>
#include <nucgrow/forward.h>
#include <nucgrow/material.h>

#define GROWTH_N_MIN RATE_N_MIN /* first size at which the potential is shown */
#define GROWTH_SIZES 160        /* sizes of the potential's curve, even in ln n */
#define GROWTH_N_SEARCH 1e5     /* the potential's maximum is looked for up to here */

/* The potential of the fit in the sizes that matter. */
typedef struct growth_answer {
    ng_potential_maximum maximum;
    double n_lower, n_upper, mu_lower,
        mu_upper;                       /* intervals; the value itself without replicates */
    double sampled_first, sampled_last; /* 1 % to 99 % of all sizes seen */
    double n_last;                      /* of the curve */
} growth_answer;

#define GROWTH_PHASES 12

/* Everything that is written, and whether memory lasted. */
typedef struct growth_writer {
    const ng_growth_fit *fit;
    const ng_forward_fit *forward; /* NULL: the rate estimator's */
    const ng_forward_options *forward_options;
    const ng_trajectories *trajectories;
    const ng_growth_fit_options *options;
    const ng_material *material;
    ng_series series;
    growth_answer answer;
    ng_phase phase[GROWTH_PHASES];
    size_t n_phases;
    bool ok;
} growth_writer;

/* Set a key, append to an array. `value` is taken; w->ok becomes false when it is NULL or there is
 * no memory for it. */
void ng_growth_put(growth_writer *w, json_t *object, const char *key, json_t *value);
void ng_growth_append(growth_writer *w, json_t *array, json_t *value);
json_t *ng_growth_reals(const double *x, size_t n); /* rounded to seven digits */

/* Maximum of the potential between GROWTH_N_MIN and GROWTH_N_SEARCH. */
ng_potential_maximum ng_growth_maximum(const ng_growth_parameters *p, double delta);
ng_status ng_growth_answer_make(const ng_growth_fit *fit, const ng_trajectories *t,
                                const ng_growth_fit_options *o, growth_answer *out, ng_error *err);

/* The whole result; the writer's borrowed members are set. */
ng_status ng_growth_json_make(growth_writer *w, json_t **out, ng_warnings *warnings, ng_error *err);

json_t *ng_growth_potential_json(growth_writer *w);
json_t *ng_growth_profiles_json(growth_writer *w);
json_t *ng_growth_free_energy_json(growth_writer *w);
json_t *ng_growth_phases_json(growth_writer *w);
json_t *ng_growth_sensitivity_json(growth_writer *w);
json_t *ng_growth_answer_json(growth_writer *w);
json_t *ng_growth_methods_json(growth_writer *w);

#endif
