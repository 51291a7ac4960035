/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small synthetic fields for the tests of the room `sim`. */
#ifndef NUCGROW_TESTS_SIM_SCENE_H
#define NUCGROW_TESTS_SIM_SCENE_H

#include <nucgrow/synth_sim.h>

/* As many sources for the area as in the published scene of 512 x 512 pixels. */
ng_synth_sim_options sim_scene_options(long width, long height);
/* Draw it and take the frames of the first set; fails the test when that fails. Free both. */
float *sim_scene_frames(const ng_synth_sim_options *options, uint64_t seed, bool noise,
                        ng_synth_sim *scene);
/* One source alone at each of `n` places (camera pixels), each of `light`. */
float *sim_scene_points(const ng_synth_sim_options *options, const double (*place)[2], size_t n,
                        double light, bool noise, ng_synth_sim *scene);
/* Errors of a direction: bins of k, rad of the worst phase at the centre of the field, m. */
void sim_scene_errors(const ng_sim_pattern *found, const ng_sim_pattern *truth, size_t d,
                      double *bins, double *phase, double *modulation);

#endif
