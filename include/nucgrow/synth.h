/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/synth.h
 * Room `synth`: synthetic data with its truth. May include base, data, physics (and solve, image).
 */
#ifndef NUCGROW_SYNTH_H
#define NUCGROW_SYNTH_H

#include <nucgrow/base.h>
#include <nucgrow/data.h>
#include <nucgrow/physics.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An ensemble of particles that grow by single monomers, and how it is watched. Start from
 *  ng_synth_ensemble_defaults(). */
typedef struct ng_synth_ensemble_options {
    ng_growth_parameters parameters; /* truth */
    double delta;                    /* shape number, 1..2 */
    double sigma_s_nm;

    /* supersaturation schedule: S(t) by linear interpolation, constant outside */
    const double *schedule_time_s; /* borrowed, strictly increasing */
    const double *supersaturation; /* borrowed, >= 0 */
    size_t n_schedule;

    size_t particles;     /* >= 1 */
    double start_n;       /* median monomer number at birth, >= 50 */
    double start_spread;  /* s.d. of ln n at birth, >= 0 */
    double late_fraction; /* share of particles that nucleate during the movie, 0..1 */
    double nucleation_s;  /* the late ones are born uniformly in [0, nucleation_s] */

    double frame_s;   /* time between frames */
    size_t frames;    /* >= 2 */
    double pixel_nm;  /* areas are measured in pixels of this size */
    double area_noise_px; /* s.d. of the measured area, px^2, >= 0 */
    bool whole_pixels;    /* round areas to whole pixels */
    double gap_rate;      /* chance that a particle is missed in a frame, 0..<1 */
    double detection_n;   /* particles below this monomer number are not seen, >= 50 */
    double field_nm;      /* square field of view, for x and y (slow Brownian motion) */
} ng_synth_ensemble_options;

ng_synth_ensemble_options ng_synth_ensemble_defaults(void);

/** What really happened. */
typedef struct ng_synth_ensemble_truth {
    size_t dissolved;      /* particles that fell below n = 50: removed from then on */
    size_t frames;
    double *time_s;          /* owned, one a frame */
    double *supersaturation; /* owned */
    double *mean_n, *var_n;  /* owned: of the true sizes of all live particles */
    double *n_true;          /* owned: one a point of the tracks, monomer number before noise */
} ng_synth_ensemble_truth;

/**
 * Simulate exactly: each particle is a birth-death process with rates S(t) k_n^a rho_1inf up and
 * k_n^d down (next-reaction times with the schedule's time dependence treated exactly by thinning,
 * so no time-step error). A particle that reaches n < 50 is removed (the model means nothing there).
 * Stream i of the seed drives particle i: results do not depend on the number of threads.
 *
 * Result: `tracks` (radius from the noisy area) and `truth`; free with ng_tracks_free and
 * ng_synth_ensemble_truth_free.
 * Errors: NG_INVALID with the option that is out of range; NG_TOO_LITTLE when nothing is seen.
 * Source: rates of [Kim] Eq. 2; method: Gillespie, J. Phys. Chem. 81, 2340 (1977).
 */
NG_MUST_CHECK ng_status ng_synth_ensemble(const ng_synth_ensemble_options *options,
                                          const ng_run *run, ng_tracks *tracks,
                                          ng_synth_ensemble_truth *truth, ng_warnings *warnings,
                                          ng_error *err);
void ng_synth_ensemble_truth_free(ng_synth_ensemble_truth *truth);

/** truth.json: parameters, delta, sigma_s_nm, schedule, per-frame series, potential maximum, the
 *  options. Owned by the caller. */
struct json_t *ng_synth_ensemble_truth_json(const ng_synth_ensemble_options *options,
                                            const ng_synth_ensemble_truth *truth);

#ifdef __cplusplus
}
#endif
#endif
