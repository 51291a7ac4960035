/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/synth_sim.h
 * Room `synth`: raw frames of structured illumination with their truth.
 * May include base, sim, solve.
 */
#ifndef NUCGROW_SYNTH_SIM_H
#define NUCGROW_SYNTH_SIM_H

#include <nucgrow/base.h>
#include <nucgrow/sim.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A field of light sources, the pattern on it, and the camera. Start from
 *  ng_synth_sim_defaults(); ranges stand in NG_SYNTH_SIM_OPTIONS. */
typedef struct ng_synth_sim_options {
    long width, height; /* of a raw frame, pixels */
    long sets;          /* times at which all raw frames are taken */
    double frame_s;     /* time from set to set */
    long directions, phases;
    bool phase_major; /* order of the frames */

    double na, wavelength_nm, pixel_nm, otf_damping;
    double pattern_k;         /* |k| of the pattern over the cutoff */
    double pattern_angle_deg; /* of the first direction; the others in even steps of 360/D
                                 (180/D of an even number) */
    double pattern_jitter;    /* s.d. of |k|, relative, and of the angles, rad */
    double modulation;        /* m */
    double phase_error_deg;   /* s.d. of each phase about its even step */
    double phase_drift_deg;   /* every phase moves on by this from set to set */

    long emitters;         /* point sources in the field */
    double emitter_counts; /* median photoelectrons in one frame */
    double emitter_spread; /* s.d. of their logarithm */
    long filaments;
    double filament_um;     /* length */
    double filament_counts; /* photoelectrons of each half pixel of length in one frame */
    long crystals;          /* point sources that appear and grow */
    double nucleation_s;    /* they appear evenly until this time */
    double critical_nm, final_nm, product_nm2_per_s; /* radii at birth, at the end; D V_m dC */
    double final_spread, product_spread; /* s.d. of the logarithms between crystals */
    double on_s, off_s;                  /* mean bright and dark times; off_s 0: no blinking */
    double crystal_counts; /* photoelectrons of one of final_nm in one frame */

    double background;       /* even light, photoelectrons on a pixel in one frame */
    double offset;           /* counts */
    double gain;             /* counts per photoelectron */
    double read_noise_e;     /* photoelectrons */
    double full_counts;      /* larger counts are cut to this */
    double bleach;           /* light lost from raw frame to raw frame, relative */
    double drift_nm_per_set; /* of the field, to the right and half as much down */
} ng_synth_sim_options;

/**
 * Every number of ng_synth_sim_options: the one list that feeds defaults, range checks, flags and
 * truth.json. X(type, name, field, unit, default, min, max, group, doc).
 */
#define NG_SYNTH_SIM_OPTIONS(X)                                                                    \
    X(INT, "emitters", emitters, NULL, 700, 0, 1000000, "Objects",                                 \
      "Point sources in the field that shine evenly.")                                             \
    X(REAL, "emitter-counts", emitter_counts, "e", 400, 0, 1e6, "Objects",                         \
      "Median photoelectrons of a point source in a raw frame.")                                   \
    X(REAL, "emitter-spread", emitter_spread, NULL, 0.5, 0, 3, "Objects",                          \
      "Standard deviation of the logarithm of their light.")                                       \
    X(INT, "filaments", filaments, NULL, 40, 0, 100000, "Objects", "Curved threads.")              \
    X(REAL, "filament-um", filament_um, "um", 4, 0.1, 1000, "Objects", "Length of a thread.")      \
    X(REAL, "filament-counts", filament_counts, "e", 12, 0, 1e6, "Objects",                        \
      "Photoelectrons of each half pixel of a thread in a raw frame.")                             \
    X(INT, "crystals", crystals, NULL, 0, 0, 1000000, "Objects",                                   \
      "Point sources that appear and grow.")                                                       \
    X(REAL, "nucleation-s", nucleation_s, "s", 45, 0, 1e9, "Objects",                              \
      "Crystals appear evenly until this time.")                                                   \
    X(REAL, "critical-nm", critical_nm, "nm", 0.585, 1e-3, 1e3, "Objects",                         \
      "Radius of a crystal at birth.")                                                             \
    X(REAL, "final-nm", final_nm, "nm", 1.5, 1e-3, 1e3, "Objects",                                 \
      "Median radius of a crystal at the end; light goes with its cube.")                          \
    X(REAL, "product-nm2-per-s", product_nm2_per_s, "nm^2/s", 0.1445, 1e-9, 1e9, "Objects",        \
      "D V_m dC of the growth of a crystal by diffusion: half of d(r^2)/dt.")                      \
    X(REAL, "final-spread", final_spread, NULL, 0.1, 0, 1, "Objects",                              \
      "Standard deviation of ln final radius between crystals.")                                   \
    X(REAL, "product-spread", product_spread, NULL, 0.2, 0, 2, "Objects",                          \
      "Standard deviation of ln D V_m dC between crystals.")                                       \
    X(REAL, "on-s", on_s, "s", 6, 1e-6, 1e9, "Objects", "Mean length of a bright time.")           \
    X(REAL, "off-s", off_s, "s", 0.4, 0, 1e9, "Objects",                                           \
      "Mean length of a dark time; 0: no blinking.")                                               \
    X(REAL, "crystal-counts", crystal_counts, "e", 800, 0, 1e6, "Objects",                         \
      "Photoelectrons of a crystal of the final radius in a raw frame.")                           \
    X(INT, "width", width, "px", 512, NG_SIM_MIN_SIDE, 8192, "Movie", "Width of a raw frame.")     \
    X(INT, "height", height, "px", 512, NG_SIM_MIN_SIDE, 8192, "Movie", "Height of a raw frame.")  \
    X(INT, "sets", sets, NULL, 1, 1, 1000000, "Movie",                                             \
      "Times at which a whole set of raw frames is taken.")                                        \
    X(REAL, "frame-s", frame_s, "s", 1, 1e-9, 1e9, "Movie", "Time from set to set.")               \
    X(BOOL, "phase-major", phase_major, NULL, false, 0, 0, "Movie",                                \
      "All directions of the first phase first.")                                                  \
    X(INT, "directions", directions, NULL, 3, 1, NG_SIM_MAX_DIRECTIONS, "Pattern",                 \
      "Directions of the stripes.")                                                                \
    X(INT, "phases", phases, NULL, 3, 3, NG_SIM_MAX_PHASES, "Pattern",                             \
      "Positions of the stripes in each direction.")                                               \
    X(REAL, "pattern-k", pattern_k, NULL, 0.7236, 0.05, 1.1, "Pattern",                            \
      "Frequency of the stripes over the cutoff of the optics.")                                   \
    X(REAL, "pattern-angle-deg", pattern_angle_deg, "deg", -84.3, -360, 360, "Pattern",            \
      "Angle of the first direction.")                                                             \
    X(REAL, "pattern-jitter", pattern_jitter, NULL, 0.005, 0, 0.1, "Pattern",                      \
      "Standard deviation of frequencies (relative) and angles (rad).")                            \
    X(REAL, "modulation", modulation, NULL, 0.8, 0, 1, "Pattern", "Contrast of the stripes.")      \
    X(REAL, "phase-error-deg", phase_error_deg, "deg", 0, 0, 180, "Pattern",                       \
      "Standard deviation of each phase about its even step.")                                     \
    X(REAL, "phase-drift-deg", phase_drift_deg, "deg", 0, -180, 180, "Pattern",                    \
      "Each phase moves on by this from set to set.")                                              \
    X(REAL, "na", na, NULL, 1.45, 0.1, 1.7, "Microscope", "Numerical aperture.")                   \
    X(REAL, "wavelength-nm", wavelength_nm, "nm", 520, 200, 2000, "Microscope",                    \
      "Of the emitted light.")                                                                     \
    X(REAL, "pixel-nm", pixel_nm, "nm", 65, 5, 1000, "Microscope",                                 \
      "Size of a raw pixel, seen from the sample.")                                                \
    X(REAL, "otf-damping", otf_damping, NULL, 1, 0.05, 1, "Microscope",                            \
      "a in the factor a^(k/k_c) of the transfer function; 1: none.")                              \
    X(REAL, "background", background, "e", 20, 0, 1e6, "Camera",                                   \
      "Even light on a pixel in a raw frame.")                                                     \
    X(REAL, "offset", offset, "counts", 100, -1e6, 1e6, "Camera", "Counts without light.")         \
    X(REAL, "gain", gain, "counts/e", 1, 1e-3, 1e3, "Camera", "Counts per photoelectron.")         \
    X(REAL, "read-noise-e", read_noise_e, "e", 1.6, 0, 1e3, "Camera",                              \
      "Standard deviation of the read noise.")                                                     \
    X(REAL, "full-counts", full_counts, "counts", 65535, 1, 65535, "Camera",                       \
      "Larger counts are cut to this.")                                                            \
    X(REAL, "bleach", bleach, NULL, 0, 0, 0.5, "Camera",                                           \
      "Share of the light lost from raw frame to raw frame.")                                      \
    X(REAL, "drift-nm-per-set", drift_nm_per_set, "nm", 0, -1e4, 1e4, "Camera",                    \
      "The field moves by this to the right, and half as much down, from set to set.")

ng_synth_sim_options ng_synth_sim_defaults(void);

typedef enum ng_synth_sim_kind {
    NG_SYNTH_SIM_EMITTER,
    NG_SYNTH_SIM_FILAMENT,
    NG_SYNTH_SIM_CRYSTAL
} ng_synth_sim_kind;

/** One source of light. Some lie up to 16 pixels outside of the field and shine into it. */
typedef struct ng_synth_sim_source {
    ng_synth_sim_kind kind;
    double x, y;    /* camera pixels from the centre of pixel (0, 0), at the first set */
    double light;   /* photoelectrons in a frame; of a crystal: of one of final_nm */
    double birth_s; /* of a crystal: radius critical_nm */
    double t0_s;    /* where its law has radius 0 */
    double final_nm, product_nm2_per_s;
} ng_synth_sim_source;

/** The scene: everything that is true. */
typedef struct ng_synth_sim {
    ng_synth_sim_options options;
    uint64_t seed;
    ng_synth_sim_source *source; /* owned */
    size_t n_sources;
    size_t first_crystal; /* sources from here on are crystals */
    float *share;         /* owned: of `light`, crystals x sets: size and blinking */
    ng_sim_pattern pattern; /* true pattern of the first set, standard errors 0 */
} ng_synth_sim;

/** Draw a scene. Streams of `seed` from 2^31 on; noise uses those below.
 *  @return NG_INVALID with the option that is out of range, NG_MEMORY */
NG_MUST_CHECK ng_status ng_synth_sim_create(const ng_synth_sim_options *options, uint64_t seed,
                                            ng_synth_sim *out, ng_error *err);
void ng_synth_sim_free(ng_synth_sim *scene);

/** Light of a source in set `set`, photoelectrons in a frame (0 before birth). */
double ng_synth_sim_light(const ng_synth_sim *scene, const ng_synth_sim_source *source, size_t set);
/** Where it then is, in camera pixels. */
void ng_synth_sim_position(const ng_synth_sim *scene, const ng_synth_sim_source *source, size_t set,
                           double *x, double *y);

/**
 * The raw frames of set `set` as the camera gives them (whole counts), or with `noise` false what
 * it would give on average (no rounding, no cutting).
 *
 * Sources stand where they are, not on a grid: they are spread by a Gaussian whose transform is
 * divided out again (error below 1e-6 of their light), so the transfer function is exact; frames
 * are cut from a larger field, so nothing is periodic.
 * Source: Dutt, Rokhlin, SIAM J. Sci. Comput. 14, 1368 (1993) for the Gaussian spreading.
 */
NG_MUST_CHECK ng_status ng_synth_sim_frames(const ng_synth_sim *scene, size_t set, bool noise,
                                            const ng_run *run, float *frames, ng_error *err);

/** The object of set `set` on the grid of half pixels (2 width x 2 height), in camera counts of one
 *  frame, blurred with a Gaussian of `fwhm_nm` (>= 40). */
NG_MUST_CHECK ng_status ng_synth_sim_object(const ng_synth_sim *scene, size_t set, double fwhm_nm,
                                            float *image, ng_error *err);

/** Content of truth.json but for schema, provenance and warnings. Owned; NULL: no memory. */
struct json_t *ng_synth_sim_truth_json(const ng_synth_sim *scene);
/** Rows frame,time_s,particle,x_nm,y_nm,intensity of all emitters and crystals inside the field
 *  that shine, intensity in camera counts of one frame. */
NG_MUST_CHECK ng_status ng_synth_sim_write_particles(const ng_synth_sim *scene, const char *path,
                                                     bool force, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
