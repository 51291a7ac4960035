/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/synth.h
 * Room `synth`: synthetic data with its truth. May include base, data, physics (and solve, image).
 */
#ifndef NUCGROW_SYNTH_H
#define NUCGROW_SYNTH_H

#include <nucgrow/base.h>
#include <nucgrow/data.h>
#include <nucgrow/particles.h>
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
 * type BOOL, INT or REAL as in ng_option_type. Growth is what every simulator of growing particles
 * shares; measurement is what tables, made without a picture, need beside it.
 */
#define NG_SYNTH_ENSEMBLE_OPTIONS(X)                                                               \
    NG_SYNTH_GROWTH_OPTIONS(X)                                                                     \
    NG_SYNTH_MEASUREMENT_OPTIONS(X)

#define NG_SYNTH_GROWTH_OPTIONS(X)                                                                 \
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
      "Side of the square field of view.")

#define NG_SYNTH_MEASUREMENT_OPTIONS(X)                                                            \
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

/* ---- movies of a transmission electron microscope -------------------------------------------- */

/** Growing particles as dark disks in a noisy movie. Start from ng_synth_tem_defaults(); ranges
 *  stand in NG_SYNTH_TEM_OPTIONS. */
typedef struct ng_synth_tem_options {
    ng_synth_ensemble_options growth; /* its measurement options are not used */

    double merge_chance;      /* of two particles that meet; else they pass over each other */
    double contact_nm;        /* two meet where their surfaces come closer than this */
    double dissolve_fraction; /* chance that a particle is dissolved during the movie, 0..1 */
    double dissolve_s;        /* how long that takes */

    double blur_px;       /* standard deviation of the Gaussian blur */
    double contrast;      /* part of the background that a particle takes away, 0..1 */
    double contrast_loss; /* part of the contrast that is lost until the last frame, 0..1 */
    double dose_per_px;   /* electrons per pixel and frame where no particle is */
    double gradient;      /* background at right minus left border, over its mean, -1..1 */
    double gain, offset;  /* counts = offset + gain * electrons */
    bool noise;           /* Poisson numbers of electrons; false: their means */
    double drift_x_nm_per_s, drift_y_nm_per_s;
    double drift_jitter_nm; /* s.d. of a further random step per frame, in x and in y */
    long jumps;             /* sudden shifts, at random frames */
    double jump_nm;         /* length of each, in a random direction */
} ng_synth_tem_options;

/** The list of ng_synth_tem_options beyond growth, as NG_SYNTH_ENSEMBLE_OPTIONS. */
#define NG_SYNTH_TEM_OPTIONS(X)                                                                    \
    X(REAL, "merge-chance", merge_chance, NULL, 1, 0, 1, "Particles",                              \
      "Chance that two particles that meet become one; others pass over each other.")              \
    X(REAL, "contact-nm", contact_nm, "nm", 0.5, 0, 1e6, "Particles",                              \
      "Two particles meet where their surfaces come closer than this.")                            \
    X(REAL, "dissolve-fraction", dissolve_fraction, NULL, 0, 0, 1, "Particles",                    \
      "Chance that a particle is dissolved during the movie.")                                     \
    X(REAL, "dissolve-s", dissolve_s, "s", 10, 1e-9, 1e9, "Particles",                             \
      "How long a particle takes to dissolve.")                                                    \
    X(REAL, "blur-px", blur_px, "px", 1, 0.2, 20, "Picture",                                       \
      "Standard deviation of the Gaussian blur.")                                                  \
    X(REAL, "contrast", contrast, NULL, 0.2, 0, 1, "Picture",                                      \
      "Part of the background that a particle takes away.")                                        \
    X(REAL, "contrast-loss", contrast_loss, NULL, 0, 0, 1, "Picture",                              \
      "Part of the contrast that is lost until the last frame.")                                   \
    X(REAL, "dose-per-px", dose_per_px, "electrons/px", 100, 1e-3, 1e6, "Picture",                 \
      "Electrons per pixel and frame of the background.")                                          \
    X(REAL, "gradient", gradient, NULL, 0.1, -1, 1, "Picture",                                     \
      "Background at the right border minus that at the left, over the mean.")                     \
    X(REAL, "gain", gain, "counts", 10, 1e-6, 1e6, "Picture", "Counts per electron.")              \
    X(REAL, "offset", offset, "counts", 100, 0, 60000, "Picture",                                  \
      "Counts of a pixel without electrons.")                                                      \
    X(BOOL, "noise", noise, NULL, true, 0, 0, "Picture", "Poisson noise of the electrons.")        \
    X(REAL, "drift-x-nm-per-s", drift_x_nm_per_s, "nm/s", 0.02, -1e6, 1e6, "Drift",                \
      "Drift to the right.")                                                                       \
    X(REAL, "drift-y-nm-per-s", drift_y_nm_per_s, "nm/s", 0.01, -1e6, 1e6, "Drift",                \
      "Drift downwards.")                                                                          \
    X(REAL, "drift-jitter-nm", drift_jitter_nm, "nm", 0.05, 0, 1e6, "Drift",                       \
      "Standard deviation of a further step per frame.")                                           \
    X(INT, "jumps", jumps, NULL, 0, 0, 1000, "Drift", "Number of sudden shifts.")                  \
    X(REAL, "jump-nm", jump_nm, "nm", 5, 0, 1e6, "Drift", "Length of a sudden shift.")

/** ng_synth_ensemble_defaults() as a movie with twice as much contrast as noise and 1 px blur. */
ng_synth_tem_options ng_synth_tem_defaults(void);

/** A movie that is made frame by frame: memory does not grow with its length, but for the drift,
 *  the truth of each frame and the events. */
typedef struct ng_synth_tem ng_synth_tem;

/**
 * Begin a movie of size x size pixels, size = field_nm/pixel_nm rounded. growth.particles of them
 * lie on the part of the specimen that passes through the movie as it drifts; none meet
 * at the start. They grow as in ng_synth_ensemble, diffuse between the borders of that part, and
 * where two meet (surfaces closer than contact_nm) they become one, of all their monomers, at their
 * centre of mass, within the frame; it grows on by the law. Each pair either would merge or would
 * pass, for good, drawn from the seed.
 *
 * `options` (copied; the schedule borrowed) and `run` (copied) must stay valid in their pointers.
 * Errors: NG_INVALID with the option that is out of range, for a movie of less than 16 or more than
 * 16384 pixels across, and when the particles do not find room; as ng_synth_ensemble for particles
 * that grow too far. NG_MEMORY.
 */
NG_MUST_CHECK ng_status ng_synth_tem_open(const ng_synth_tem_options *options, const ng_run *run,
                                          ng_synth_tem **out, ng_error *err);
void ng_synth_tem_close(ng_synth_tem *tem); /* NULL is fine */
/** Pixels across and down. */
size_t ng_synth_tem_size(const ng_synth_tem *tem);

/**
 * The next frame into `pixel` (caller's, size*size): offset + gain * Poisson(background *
 * (1 - contrast * A)), where A of a pixel is the area of a disk, convolved with the Gaussian,
 * integrated over the pixel (to 1e-6; disks that overlap add up), whole numbers within 0..65535.
 * The same seed gives the same numbers for any number of threads of `run`. After the last frame:
 * NG_INTERNAL.
 * Errors: NG_CANCELLED, NG_MEMORY.
 */
NG_MUST_CHECK ng_status ng_synth_tem_next(ng_synth_tem *tem, float *pixel, ng_error *err);

/** Particles of the frame made last whose centres lie in the picture, by track (numbered from 1).
 *  x_nm is free of drift, x_raw_nm is where it lies in the picture; both count from the centre of
 *  pixel (0, 0) and agree in frame 0. `group` is that of all particles that become one, at any
 *  time. `intensity`: counts it takes away; snr: contrast over noise per pixel. Borrowed, until the
 *  next call. */
const ng_particle *ng_synth_tem_particles(const ng_synth_tem *tem, size_t *n);
/** What has happened so far in the picture: births after the first frame, deaths, merges (the
 *  larger particle goes on; radii are those just before and after, the distance that of the frame
 *  before). Borrowed. */
const ng_events *ng_synth_tem_events(const ng_synth_tem *tem);
/** Once the last frame is made: truth.json as ng_synth_ensemble_truth_json gives it, of all
 *  particles, with kind "tem", the options of the movie, `drift` {x_nm, y_nm} per frame, and counts
 *  (merges, clipped_pixels). Warnings: dissolved, clipped. Owned by the caller; NULL: no memory. */
struct json_t *ng_synth_tem_truth_json(const ng_synth_tem *tem, ng_warnings *warnings);

/* ---- spots of the tracking benchmark --------------------------------------------------------- */

/** Bright Brownian spots of one brightness, as benchmarks of tracking use them. Start from
 *  ng_synth_spots_defaults(); ranges stand in NG_SYNTH_SPOTS_OPTIONS. */
typedef struct ng_synth_spots_options {
    long spots;   /* in every frame: one that vanishes is replaced by another elsewhere */
    long size_px; /* of the square picture */
    long frames;
    double snr;        /* (peak - background)/sqrt(peak), background counted in the peak */
    double sigma_px;   /* s.d. of the Gaussian, taken at the centres of the pixels */
    double step_px;    /* s.d. of a step from frame to frame, in x and in y */
    double death_rate; /* chance that a spot is gone in the next frame */
    double background; /* photons per pixel */
    bool noise;        /* Poisson noise */
    double pixel_nm, frame_s;
} ng_synth_spots_options;

#define NG_SYNTH_SPOTS_OPTIONS(X)                                                                  \
    X(INT, "spots", spots, NULL, 100, 1, 1000000, "Spots", "Number of spots in every frame.")      \
    X(REAL, "snr", snr, NULL, 4, 0.01, 1000, "Spots",                                              \
      "Peak over background, divided by the noise at the peak.")                                   \
    X(REAL, "sigma-px", sigma_px, "px", 1.5, 0.3, 20, "Spots",                                     \
      "Standard deviation of the Gaussian.")                                                       \
    X(REAL, "step-px", step_px, "px", 1.5, 0, 1000, "Spots",                                       \
      "Standard deviation of a step, in x and in y.")                                              \
    X(REAL, "death-rate", death_rate, NULL, 0.05, 0, 1, "Spots",                                   \
      "Chance that a spot is gone in the next frame, and another comes.")                          \
    X(INT, "frames", frames, NULL, 100, 2, 1000000, "Microscope", "Number of frames.")             \
    X(INT, "size-px", size_px, "px", 512, 16, 16384, "Microscope", "Side of the square picture.")  \
    X(REAL, "background", background, "photons", 10, 0, 1e4, "Microscope",                         \
      "Photons per pixel where no spot is.")                                                       \
    X(BOOL, "noise", noise, NULL, true, 0, 0, "Microscope", "Poisson noise.")                      \
    X(REAL, "pixel-nm", pixel_nm, "nm", 100, 1e-6, 1e6, "Microscope", "Size of a pixel.")          \
    X(REAL, "frame-s", frame_s, "s", 1, 1e-9, 1e9, "Microscope", "Time between frames.")

ng_synth_spots_options ng_synth_spots_defaults(void);

/** A movie of spots, made frame by frame like ng_synth_tem. A pixel holds a Poisson number of mean
 *  background + sum of A exp(-d^2/2 sigma^2), d from the centre of the pixel, where
 *  A = peak - background and sqrt(peak) = (snr + sqrt(snr^2 + 4 background))/2. Borders reflect. */
typedef struct ng_synth_spots ng_synth_spots;

/** Errors: NG_INVALID with the option that is out of range; NG_MEMORY. */
NG_MUST_CHECK ng_status ng_synth_spots_open(const ng_synth_spots_options *options,
                                            const ng_run *run, ng_synth_spots **out, ng_error *err);
void ng_synth_spots_close(ng_synth_spots *spots); /* NULL is fine */
/** The next frame into `pixel` (size_px squared). The same numbers for any number of threads.
 *  Errors: NG_INTERNAL after the last; NG_CANCELLED; NG_MEMORY. */
NG_MUST_CHECK ng_status ng_synth_spots_next(ng_synth_spots *spots, float *pixel, ng_error *err);
/** Spots of the frame made last, without a radius. Borrowed, until the next call. */
const ng_particle *ng_synth_spots_particles(const ng_synth_spots *spots, size_t *n);
/** {"kind": "spots", "options", "peak", "amplitude", "tracks", "bound_px", "clipped_pixels"}:
 *  bound_px is the Cramer-Rao bound of a position in the plane of an isolated spot whose amplitude
 *  and background are known. Owned by the caller; NULL: no memory. Warning: clipped. */
struct json_t *ng_synth_spots_truth_json(const ng_synth_spots *spots, ng_warnings *warnings);

#ifdef __cplusplus
}
#endif
#endif
