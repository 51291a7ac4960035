/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linear.h"
ng_status ng_sim_linear_create(ng_sim_reconstructor *r, ng_error *err)
{
    (void)r;
    return NG_FAIL(err, NG_INTERNAL, "x");
}
void ng_sim_linear_free(struct ng_sim_linear *t)
{
    (void)t;
}
ng_status ng_sim_linear(ng_sim_reconstructor *r, double b, const ng_run *run, ng_error *err)
{
    (void)r;
    (void)b;
    (void)run;
    return NG_FAIL(err, NG_INTERNAL, "x");
}
