/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that turn a growth fit into JSON. Functions that return json_t give a new
 * reference, or NULL when memory is short. */
#ifndef NUCGROW_GROWTH_JSON_INTERNAL_H
#define NUCGROW_GROWTH_JSON_INTERNAL_H

#include "fit_internal.h"

#include <jansson.h>
#include <nucgrow/material.h>

#define GROWTH_N_MIN RATE_N_MIN /* first size at which the potential is shown */
#define GROWTH_SIZES 160        /* sizes of the potential's curve, even in ln n */

/* The potential of the fit in the sizes that matter. */
typedef struct growth_answer {
    ng_potential_maximum maximum;
    double n_lower, n_upper, mu_lower,
        mu_upper;                       /* intervals; the value itself without replicates */
    double sampled_first, sampled_last; /* 1 % to 99 % of all sizes seen */
    double n_last;                      /* of the curve */
} growth_answer;

/* Largest size at which the maximum is searched. */
ng_potential_maximum ng_growth_maximum(const ng_growth_parameters *p, double delta);
ng_status ng_growth_answer_make(const ng_growth_fit *fit, const ng_trajectories *t,
                                const ng_growth_fit_options *o, growth_answer *out, ng_error *err);

bool ng_growth_put(struct json_t *object, const char *key, struct json_t *value);
struct json_t *ng_growth_reals(const double *x, size_t n); /* rounded to seven digits */

json_t *ng_growth_potential_json(const ng_growth_fit *fit, const ng_trajectories *t,
                                 const ng_growth_fit_options *o, const growth_answer *answer);
json_t *ng_growth_profiles_json(const ng_growth_fit *fit, const ng_series *series,
                                const ng_trajectories *t);
json_t *ng_growth_free_energy_json(const ng_growth_fit *fit, const ng_series *series,
                                   const growth_answer *answer);
json_t *ng_growth_phases_json(const ng_growth_fit *fit, const ng_trajectories *t,
                              const ng_series *series, const growth_answer *answer);
json_t *ng_growth_sensitivity_json(const ng_growth_fit *fit);
json_t *ng_growth_answer_json(const ng_growth_fit *fit, const ng_trajectories *t,
                              const ng_material *material, const ng_series *series,
                              const growth_answer *answer);
json_t *ng_growth_methods_json(const ng_growth_fit *fit, const ng_trajectories *t,
                               const ng_growth_fit_options *o, const ng_material *material);

#endif
