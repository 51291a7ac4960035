/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about synthetic structured illumination share. */
#ifndef NUCGROW_SYNTH_SIM_INTERNAL_H
#define NUCGROW_SYNTH_SIM_INTERNAL_H

#include <nucgrow/synth_sim.h>

/* Sources lie up to so many camera pixels outside of the field. */
#define NG_SYNTH_SIM_MARGIN 16

NG_MUST_CHECK ng_status ng_synth_sim_check(const ng_synth_sim_options *options, ng_error *err);

#endif
