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

/* ---- supersaturation schedule ---------------------------------------------------------------- */

/** S(t) by linear interpolation between knots, constant before the first and after the last. */
typedef struct ng_synth_schedule {
    double *time_s;          /* owned, strictly increasing */
    double *supersaturation; /* owned, 0..1e4 */
    size_t n;
} ng_synth_schedule;

/**
 * Read a schedule: either pairs such as "0:4.0,20:2.2,60:3" (seconds:S), or the name of a CSV file
 * with the columns time_s,supersaturation (header and `#` lines allowed).
 *
 * Result: `out`, owned; free with ng_synth_schedule_free.
 * Errors: NG_USAGE with the pair that is wrong. For a file: NG_FORMAT with the line that is not two
 *         numbers; NG_INVALID with the knot whose time does not rise or whose S is out of range;
 *         NG_IO. NG_MEMORY.
 */
NG_MUST_CHECK ng_status ng_synth_schedule_read(const char *text, ng_synth_schedule *out,
                                               ng_error *err);
void ng_synth_schedule_free(ng_synth_schedule *schedule);

/* ---- growing particles ----------------------------------------------------------------------- */

/** Below this monomer number the lattice model means nothing: particles are removed there. */
#define NG_SYNTH_N_MIN 50
/** A particle that grows beyond this monomer number ends the simulation with an error. */
#define NG_SYNTH_N_MAX 10000000

/** An ensemble of particles that grow by single monomers, and how it is watched. Start from
 *  ng_synth_ensemble_defaults(); ranges stand in NG_SYNTH_ENSEMBLE_OPTIONS. */
typedef struct ng_synth_ensemble_options {
    ng_growth_parameters parameters; /* truth */
    double delta;                    /* shape number, 1..2 */
    double sigma_s_nm;

    /* supersaturation schedule: S(t) by linear interpolation, constant outside */
    const double *schedule_time_s; /* borrowed, strictly increasing */
    const double *supersaturation; /* borrowed, 0..1e4 */
    size_t n_schedule;             /* >= 1 */

    long particles;       /* >= 1 */
    double start_n;       /* median monomer number at birth, >= 50 */
    double start_spread;  /* s.d. of ln n at birth, >= 0; sizes below 50 are drawn again */
    double late_fraction; /* chance that a particle nucleates during the movie, 0..1 */
    double nucleation_s;  /* the late ones are born uniformly in [0, nucleation_s] */

    double frame_s;             /* time between frames */
    long frames;                /* >= 2 */
    double pixel_nm;            /* areas are measured in pixels of this size */
    double area_noise_px;       /* s.d. of the measured area, px^2, >= 0 */
    bool whole_pixels;          /* round areas to whole pixels */
    double gap_rate;            /* chance that a particle is missed in a frame, 0..<1 */
    double detection_n;         /* particles below this monomer number are not seen, >= 50 */
    double field_nm;            /* side of the square field of view */
    double diffusion_nm2_per_s; /* of the particles across the field, which reflects them */
} ng_synth_ensemble_options;

/**
 * Every number of ng_synth_ensemble_options but the schedule: the one list that feeds defaults,
 * range checks, flags and truth.json. X(type, name, field, unit, default, min, max, group, doc);
 * type BOOL, INT or REAL as in ng_option_type.
 */
#define NG_SYNTH_ENSEMBLE_OPTIONS(X)                                                               \
    X(REAL, "eps-f", parameters.eps_f, "kT", 3.04, -100, 100, "Truth",                             \
      "Free energy of a monomer at a face site.")                                                  \
    X(REAL, "eps-e", parameters.eps_e, "kT", -1.35, -100, 100, "Truth",                            \
      "Free energy of a monomer at an edge site.")                                                 \
    X(REAL, "alpha4", parameters.alpha4, NULL, 6.5, -100, 100, "Truth",                            \
      "4+alpha: translation, rotation, configurations.")                                           \
    X(REAL, "K", parameters.K, NULL, 0.171, 0, 1e4, "Truth",                                       \
      "Association rate against diffusion.")                                                       \
    X(REAL, "kr", parameters.kr, "nm^-2 s^-1", 1.4, 1e-9, 1e4, "Truth",                            \
      "Attachment rate at the solubility.")                                                        \
    X(REAL, "delta", delta, NULL, 1.76, NG_DELTA_MIN, NG_DELTA_MAX, "Truth",                       \
      "Shape number: 1 cuboctahedron, 2 octahedron.")                                              \
    X(REAL, "sigma-nm", sigma_s_nm, "nm", 0.15567157440168947, 0.01, 10, "Truth",                  \
      "Radius of the volume of one monomer.")                                                      \
    X(INT, "particles", particles, NULL, 110, 1, 1000000, "Particles", "Number of particles.")     \
    X(REAL, "start-n", start_n, NULL, 350, NG_SYNTH_N_MIN, 1e6, "Particles",                       \
      "Median monomer number at birth.")                                                           \
    X(REAL, "start-spread", start_spread, NULL, 0.4, 0, 3, "Particles",                            \
      "Standard deviation of ln n at birth.")                                                      \
    X(REAL, "late-fraction", late_fraction, NULL, 0, 0, 1, "Particles",                            \
      "Chance that a particle nucleates during the movie.")                                        \
    X(REAL, "nucleation-s", nucleation_s, "s", 90, 0, 1e9, "Particles",                            \
      "Late particles are born uniformly until this time.")                                        \
    X(REAL, "diffusion-nm2-per-s", diffusion_nm2_per_s, "nm^2/s", 0.03, 0, 1e9, "Particles",       \
      "Diffusion across the field.")                                                               \
    X(REAL, "frame-s", frame_s, "s", 1, 1e-9, 1e9, "Microscope", "Time between frames.")           \
    X(INT, "frames", frames, NULL, 173, 2, 1000000, "Microscope", "Number of frames.")             \
    X(REAL, "pixel-nm", pixel_nm, "nm", 0.53, 1e-6, 1e6, "Microscope", "Size of a pixel.")         \
    X(REAL, "field-nm", field_nm, "nm", 270, 1e-3, 1e9, "Microscope",                              \
      "Side of the square field of view.")                                                         \
    X(REAL, "area-noise-px", area_noise_px, "px^2", 3, 0, 1e6, "Microscope",                       \
      "Standard deviation of a measured area.")                                                    \
    X(BOOL, "whole-pixels", whole_pixels, NULL, true, 0, 0, "Microscope",                          \
      "Round measured areas to whole pixels.")                                                     \
    X(REAL, "gap-rate", gap_rate, NULL, 0.02, 0, 0.99, "Microscope",                               \
      "Chance that a particle is missed in a frame.")                                              \
    X(REAL, "detection-n", detection_n, NULL, 50, NG_SYNTH_N_MIN, 1e7, "Microscope",               \
      "Particles with fewer monomers are not seen.")

/** What looks like the published movie of Pt from Pt(acac)2: Table 1 of [Kim] with delta 1.76, 110
 *  particles, 173 frames of 1 s, S(t) above, below and again above the maximum of the potential.
 *  The schedule is borrowed from static memory. */
ng_synth_ensemble_options ng_synth_ensemble_defaults(void);

/** What really happened. */
typedef struct ng_synth_ensemble_truth {
    size_t dissolved; /* particles that fell below n = 50: removed from then on */
    size_t unseen;    /* particles that appear in no frame */
    uint64_t events;  /* monomers attached and detached, all particles together */
    size_t frames;
    double *time_s;          /* owned, one a frame */
    double *supersaturation; /* owned */
    double *particles;       /* owned: live particles, seen or not */
    double *mean_n, *var_n;  /* owned: of the true sizes of all live particles (variance divided by
                                their number); NAN where none lives */
    double *n_true;          /* owned: one a point of the tracks, monomer number before noise */
} ng_synth_ensemble_truth;

/**
 * Simulate exactly: each particle is a birth-death process with rates S(t) k_n^a rho_1inf up and
 * k_n^d down (next-reaction times with the schedule's time dependence treated exactly by thinning,
 * so no time-step error). A particle that reaches n < 50 is removed: the model means nothing there.
 * Streams 2i and 2i+1 of the seed drive growth and measurement of particle i: results do not depend
 * on the number of threads, and other noise leaves the true sizes as they were.
 *
 * Measurement: area = pi (r/pixel_nm)^2 + Gaussian noise, perhaps rounded to whole pixels; an area
 * that is not positive is a missed frame; radius_nm = pixel_nm sqrt(area/pi). radius_se_nm is the
 * noise carried over to first order at the measured area, NAN without noise.
 *
 * Result: `tracks` (numbered from 1, in the order of the particles) and `truth`; free with
 * ng_tracks_free and ng_synth_ensemble_truth_free.
 * Warnings: dissolved, unseen, empty-frames.
 * Errors: NG_INVALID with the option that is out of range, or when a particle grows beyond 1e7
 * monomers or through 1e9 events; NG_TOO_LITTLE when nothing is seen; NG_CANCELLED; NG_MEMORY.
 * Source: rates of [Kim] Eq. 2; method: Gillespie, J. Phys. Chem. 81, 2340 (1977); thinning: Lewis,
 * Shedler, Naval Res. Logist. Q. 26, 403 (1979).
 */
NG_MUST_CHECK ng_status ng_synth_ensemble(const ng_synth_ensemble_options *options,
                                          const ng_run *run, ng_tracks *tracks,
                                          ng_synth_ensemble_truth *truth, ng_warnings *warnings,
                                          ng_error *err);
void ng_synth_ensemble_truth_free(ng_synth_ensemble_truth *truth);

/** Content of truth.json but for schema, provenance and warnings: parameters, delta, sigma_s_nm,
 *  maximum of the potential, schedule, series, options, counts. Owned by the caller; NULL: no
 *  memory. */
struct json_t *ng_synth_ensemble_truth_json(const ng_synth_ensemble_options *options,
                                            const ng_synth_ensemble_truth *truth);

#ifdef __cplusplus
}
#endif
#endif
