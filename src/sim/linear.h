/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wiener reconstruction. */
#ifndef NUCGROW_SIM_LINEAR_H
#define NUCGROW_SIM_LINEAR_H

#include "reconstruct_internal.h"

NG_MUST_CHECK ng_status ng_sim_linear_create(ng_sim_reconstructor *r, ng_error *err);
void ng_sim_linear_free(struct ng_sim_linear *linear); /* NULL is fine */
/* Frames loaded into r->object. */
NG_MUST_CHECK ng_status ng_sim_linear(ng_sim_reconstructor *r, double background, const ng_run *run,
                                      ng_error *err);

#endif
