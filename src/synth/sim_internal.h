/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about synthetic structured illumination share. */
#ifndef NUCGROW_SYNTH_SIM_INTERNAL_H
#define NUCGROW_SYNTH_SIM_INTERNAL_H

#include <nucgrow/synth_sim.h>

#include <gsl/gsl_rng.h>

/* Sources lie up to so many camera pixels outside of the field. */
#define NG_SYNTH_SIM_MARGIN 16

NG_MUST_CHECK ng_status ng_synth_sim_check(const ng_synth_sim_options *options, ng_error *err);

/* Anywhere in the field and its margin. */
void ng_synth_sim_place(const ng_synth_sim_options *options, gsl_rng *rng,
                        ng_synth_sim_source *source);
/* Draw the crystals of a scene: places, births, growth, blinking. @return whether memory
 * sufficed */
bool ng_synth_sim_crystals(ng_synth_sim *scene, gsl_rng *rng);
/* Those in the field, for truth.json. Owned. */
struct json_t *ng_synth_sim_crystals_json(const ng_synth_sim *scene);
/* Is a place, in camera pixels, in the field? */
bool ng_synth_sim_inside(const ng_synth_sim_options *options, double x, double y);

#endif
