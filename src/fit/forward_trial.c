/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The likelihood by itself: for benches, tests, and whoever wants to look at it. */
#include "forward_internal.h"

#include <string.h>

struct ng_forward_trial {
    ng_growth_fit_options growth;
    ng_forward_options options;
    forward_case c;
    forward_problem problem;
    forward_result result;
    double x[FORWARD_MAX];
};

ng_status ng_forward_trial_create(const ng_trajectories *t, const ng_growth_fit_options *growth,
                                  const ng_forward_options *options, ng_forward_trial **out,
                                  ng_error *err)
{
    *out = NULL;
    ng_status status = ng_forward_check(options, growth, err);
    if (status != NG_OK) {
        return status;
    }
    ng_forward_trial *trial = NG_NEW(ng_forward_trial, 1);
    if (!trial) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory");
    }
    trial->growth = *growth;
    trial->options = *options;
    status = ng_forward_case_create(t, &trial->growth, &trial->options, &trial->c, err);
    if (status == NG_OK) {
        status = ng_forward_problem_create(&trial->c.like, &trial->problem, err);
    }
    if (status == NG_OK) {
        status = ng_forward_case_start(&trial->c, &growth->start, growth->delta, trial->x, err);
    }
    if (status == NG_OK) {
        *out = trial;
    } else {
        ng_forward_trial_destroy(trial);
    }
    return status;
}

void ng_forward_trial_destroy(ng_forward_trial *trial)
{
    if (trial) {
        ng_forward_problem_free(&trial->problem);
        ng_forward_case_free(&trial->c);
        ng_free(trial);
    }
}

size_t ng_forward_trial_size(const ng_forward_trial *trial)
{
    return trial->c.layout.n;
}

double *ng_forward_trial_parameters(ng_forward_trial *trial)
{
    return trial->x;
}

double ng_forward_trial_evaluate(ng_forward_trial *trial, double *gradient)
{
    ng_forward_evaluate(&trial->problem, trial->x, gradient != NULL, &trial->result, NULL, NULL);
    if (gradient) {
        memcpy(gradient, trial->result.gradient, trial->c.layout.n * sizeof *gradient);
    }
    return trial->result.objective;
}
