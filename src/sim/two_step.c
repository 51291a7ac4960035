/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "two_step.h"
ng_status ng_sim_two_step_create(ng_sim_reconstructor *r, ng_error *err)
{
    (void)r;
    return NG_FAIL(err, NG_INTERNAL, "x");
}
void ng_sim_two_step_free(struct ng_sim_two_step *t)
{
    (void)t;
}
ng_status ng_sim_two_step(ng_sim_reconstructor *r, double b, const ng_run *run,
                          ng_sim_run_info *info, ng_error *err)
{
    (void)r;
    (void)b;
    (void)run;
    (void)info;
    return NG_FAIL(err, NG_INTERNAL, "x");
}
