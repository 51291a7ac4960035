/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reconstruction in two steps. */
#ifndef NUCGROW_SIM_TWO_STEP_H
#define NUCGROW_SIM_TWO_STEP_H

#include "reconstruct_internal.h"

NG_MUST_CHECK ng_status ng_sim_two_step_create(ng_sim_reconstructor *r, ng_error *err);
void ng_sim_two_step_free(struct ng_sim_two_step *two_step); /* NULL is fine */
/* Frames loaded into r->object. */
NG_MUST_CHECK ng_status ng_sim_two_step(ng_sim_reconstructor *r, double background,
                                        const ng_run *run, ng_sim_run_info *info, ng_error *err);

#endif
