/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/synth_crystals.h
 * Room `synth`: fluorescent crystals that nucleate, grow and blink, as tables with their truth. May
 * include base, data, physics, solve.
 */
#ifndef NUCGROW_SYNTH_CRYSTALS_H
#define NUCGROW_SYNTH_CRYSTALS_H

#include <nucgrow/crystallization.h>
#include <nucgrow/emitter.h>
#include <nucgrow/particles.h>

#ifdef __cplusplus
extern "C" {
#endif

/** When crystals are born, and from what they grow. */
typedef enum ng_birth_kind {
    NG_BIRTH_CONSTANT, /* evenly over nucleation_s; each grows in its own cell */
    NG_BIRTH_CELLS,    /* where a cell is left: N = crystals (1 - exp(-t/nucleation_s)) */
    NG_BIRTH_SHARED,   /* one well-mixed solution that nucleation and growth deplete */
    NG_BIRTH_BURST,    /* all at t = 0, in cells of their own */
    NG_BIRTH_SHARED_BURST /* all at t = 0, in one solution */
} ng_birth_kind;

typedef struct ng_synth_crystals_options {
    ng_conditions conditions; /* births_per_s is made from crystals and nucleation_s */
    ng_birth_kind births;
    double concentration, order; /* conditions and number by ng_conditions_scale */
    double supersaturation, barrier;
    long crystals;
    double final_spread, product_spread; /* s.d. of the logarithms between crystals */
    double field_nm, frame_s;
    long frames;
    double counts;        /* of a crystal of final_nm in a frame */
    double noise_counts;  /* s.d. of the background of an integrated intensity */
    double detection;     /* seen above so many noise_counts */
    double on_s, off_s;   /* mean lengths of bright and dark times; off_s 0: no blinking */
    double wander_nm;     /* s.d. of a position's error */
    long still;           /* sizes of the still image of the product; 0: none */
} ng_synth_crystals_options;

/** X(type, name, field, unit, default, min, max, group, doc) */
#define NG_SYNTH_CRYSTALS_OPTIONS(X)                                                               \
    X(INT, "crystals", crystals, NULL, 700, 1, 1000000, "Crystals",                                \
      "Crystals, or cells for them, at concentration 1.")                                          \
    X(REAL, "concentration", concentration, NULL, 1, 1e-3, 1e3, "Crystals",                        \
      "Precursor relative to the numbers given here.")                                             \
    X(REAL, "order", order, NULL, 4.5, 0, 20, "Crystals",                                          \
      "Power of the concentration in the nucleation rate.")                                        \
    X(REAL, "nucleation-s", conditions.nucleation_s, "s", 45, 1e-6, 1e9, "Crystals",               \
      "How long crystals are born.")                                                               \
    X(REAL, "critical-nm", conditions.critical_nm, "nm", 0.585, 1e-3, 1e3, "Crystals",             \
      "Radius at birth.")                                                                          \
    X(REAL, "final-nm", conditions.final_nm, "nm", 1.5, 1e-3, 1e3, "Crystals",                     \
      "Median radius at the end.")                                                                 \
    X(REAL, "product-nm2-per-s", conditions.product_nm2_per_s, "nm^2/s", 0.1445, 1e-9, 1e9,        \
      "Crystals", "D V_m dC: half of d(r^2)/dt.")                                                  \
    X(REAL, "final-spread", final_spread, NULL, 0.1, 0, 1, "Crystals",                             \
      "Standard deviation of ln final radius between crystals.")                                   \
    X(REAL, "product-spread", product_spread, NULL, 0.2, 0, 2, "Crystals",                         \
      "Standard deviation of ln D V_m dC between crystals.")                                       \
    X(REAL, "supersaturation", supersaturation, NULL, 3, 1.0001, 1e6, "Crystals",                  \
      "C over the solubility at the start (shared solution).")                                     \
    X(REAL, "barrier", barrier, NULL, 5, 0, 1e6, "Crystals",                                       \
      "b of the nucleation rate exp(-b/ln^2 S) (shared solution).")                                \
    X(REAL, "field-nm", field_nm, "nm", 10000, 1, 1e9, "Microscope",                               \
      "Side of the square field of view.")                                                         \
    X(REAL, "frame-s", frame_s, "s", 0.238, 1e-9, 1e9, "Microscope", "Time between frames.")       \
    X(INT, "frames", frames, NULL, 260, 2, 100000, "Microscope", "Number of frames.")              \
    X(REAL, "counts", counts, NULL, 2000, 1e-3, 1e12, "Microscope",                                \
      "Photoelectrons of a full-grown crystal in a frame.")                                        \
    X(REAL, "noise-counts", noise_counts, NULL, 20, 0, 1e9, "Microscope",                          \
      "Standard deviation of the background below a spot.")                                        \
    X(REAL, "detection", detection, NULL, 4, 0, 1e3, "Microscope",                                 \
      "Crystals are seen from so many --noise-counts on.")                                         \
    X(REAL, "on-s", on_s, "s", 6, 1e-6, 1e9, "Microscope", "Mean length of a bright time.")        \
    X(REAL, "off-s", off_s, "s", 0.4, 0, 1e9, "Microscope",                                        \
      "Mean length of a dark time; 0: no blinking.")                                               \
    X(REAL, "wander-nm", wander_nm, "nm", 10, 0, 1e6, "Microscope",                                \
      "Standard deviation of a measured position.")                                                \
    X(INT, "still", still, NULL, 150, 0, 1000000, "Microscope",                                    \
      "Sizes of a still image of the product, for calibration; 0: none.")

ng_synth_crystals_options ng_synth_crystals_defaults(void);

typedef struct ng_synth_crystal {
    long track;      /* from 1, in the order of births */
    double birth_s;  /* radius critical_nm */
    double t0_s;     /* where the law has radius 0; NAN in a shared solution */
    double product_nm2_per_s, final_nm; /* NAN in a shared solution */
    double x_nm, y_nm;
    size_t seen;     /* frames */
} ng_synth_crystal;

typedef struct ng_synth_crystals_truth {
    ng_conditions conditions; /* scaled to the concentration */
    ng_synth_crystal *crystal; /* owned */
    size_t n;
    double scale; /* intensity of a crystal of 1 nm */
    size_t frames;
    double *time_s, *crystals, *mean_nm, *sd_nm; /* one owned block, from time_s */
} ng_synth_crystals_truth;

/**
 * Light of a crystal: counts (r/final_nm)^3 times the part of the frame in which it is bright
 * (telegraph process, exact), with Poisson-like noise sqrt(light + noise_counts^2); below
 * `detection` times noise_counts it is not seen. Crystal i draws from streams 2i and 2i+1, so the
 * seed alone decides.
 * @param tracks   owned (ng_particles_free): intensities, no radii
 * @param still    owned: radii of a still image of the product; may be NULL
 * @return NG_INVALID, NG_TOO_LITTLE (nothing is seen), NG_MEMORY, NG_CANCELLED
 */
NG_MUST_CHECK ng_status ng_synth_crystals(const ng_synth_crystals_options *options,
                                          const ng_run *run, ng_particles *tracks,
                                          ng_particles *still, ng_synth_crystals_truth *truth,
                                          ng_warnings *warnings, ng_error *err);
void ng_synth_crystals_truth_free(ng_synth_crystals_truth *truth);

/** Content of truth.json; owned; NULL: no memory. */
struct json_t *ng_synth_crystals_truth_json(const ng_synth_crystals_options *options,
                                            const ng_synth_crystals_truth *truth);

#ifdef __cplusplus
}
#endif
#endif
