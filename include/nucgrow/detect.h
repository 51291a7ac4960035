/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/detect.h
 * Room `particle`: particles in the frames of a movie. May include base, data, image, sim.
 *
 * `disk`: denoise (to find, never to measure) -> adaptive threshold -> components -> watershed ->
 * fit of a blurred disk to the raw pixels; where two explain a piece better than one, and where
 * disks touch, of several at once.
 * `spot`: Laplacian of a Gaussian at one scale -> peaks -> maximum likelihood for Gaussian spots on
 * the raw pixels, overlapping ones together -> what stands out enough.
 * Whatever the caller leaves open is chosen from the movie itself (ng_detect_choose) and said
 * (ng_detect_choices).
 */
#ifndef NUCGROW_DETECT_H
#define NUCGROW_DETECT_H

#include <nucgrow/image.h>
#include <nucgrow/movie.h>
#include <nucgrow/particles.h>
#include <nucgrow/sim.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the model --------------------------------------------------------------------------- */

/**
 * A disk of radius R blurred by a Gaussian of s.d. 1, at the distance P from its centre:
 *     D(P, R) = 1 - Q_1(P, R) = int_0^R t exp(-(t^2 + P^2)/2) I_0(tP) dt,
 * Q_1 Marcum's function. D -> 1 inside a large disk, 0 outside; D(R, R) < 1/2.
 * @param P, R  >= 0, in units of the blur   @return to 1e-12
 */
double ng_disk_profile(double P, double R);
/** dD/dP = -R exp(-(R^2+P^2)/2) I_1(RP) and dD/dR = R exp(-(R^2+P^2)/2) I_0(RP). */
void ng_disk_slopes(double P, double R, double *by_P, double *by_R);

/* ---- what is wanted ---------------------------------------------------------------------- */

typedef enum ng_detect_kind { NG_DETECT_DISK, NG_DETECT_SPOT } ng_detect_kind;

typedef enum ng_denoise {
    NG_DENOISE_NONE,
    NG_DENOISE_GAUSSIAN,
    NG_DENOISE_MEDIAN,
    NG_DENOISE_PERONA_MALIK,
    NG_DENOISE_NL_MEANS
} ng_denoise;

typedef enum ng_threshold_form {
    NG_THRESHOLD_SIGMA,   /* m - c sigma_local; the background's, foreground left out */
    NG_THRESHOLD_RELATIVE /* m (1 - t): Bradley-Roth as published */
} ng_threshold_form;

/** What to look for and how. NAN (or 0 for whole numbers): chosen from the movie. */
typedef struct ng_detect_options {
    ng_detect_kind kind;
    ng_polarity polarity;
    double pixel_nm, frame_s; /* must be known, here or in the movie (frame_s: for >= 2 frames) */
    size_t first, last;       /* frames to measure, inclusive; last SIZE_MAX: to the end */
    ng_denoise denoise;
    double smooth_px;    /* Gaussian: s.d.; median: radius; the others: their defaults if NAN */
    long average_frames; /* odd: temporal mean over so many frames before that; default 1 */
    ng_threshold_form form;
    double window_px;       /* of the local mean */
    double t;               /* relative form; default 0.15 */
    double offset_counts;   /* camera offset, subtracted before the relative form; default 0 */
    double c;               /* sigma form: so far above the local mean, in s.d., a fit is tried */
    double false_per_frame; /* sigma form: c and min_contrast follow: false particles a frame */
    double min_area_px;     /* of the mask */
    double min_contrast;    /* evidence in s.d., else dropped: significance of the disk against no
                               disk; sigma form: the mean of that and of the height */
    bool split;             /* touching particles, by watershed and joint fit; default true */
    bool fit;               /* default true; false: sizes from the mask, flagged "no-fit" */
    double blur_px;         /* s.d. of the optical blur, the pixel's own width not counted */
    bool drift;             /* x_nm, y_nm without the drift found by phase correlation */
    /* spots only; of the above they take frames, average_frames, false_per_frame, fit, blur_px,
     * drift */
    ng_blob_kind filter; /* default NG_BLOB_LOG */
    bool free_width;     /* each spot has its own, else all have blur_px */
    double gain;         /* counts per photoelectron */
    ng_movie *flux;      /* borrowed: intensities come from its pixels; NULL: from the movie's own.
                            As many frames, or a multiple, which are averaged; any size of pixels */
    double flux_blur_px; /* blur_px of that one */
    /* borrowed, or NULL: images of one scene, each taken anew and made as the movie was: still,
     * lonely points of several brightnesses on the background of the movie, on pixels of its size.
     * Height and standard errors then follow from what is found in them. Up to 64 are read */
    ng_movie *rehearsal;
    /* borrowed: the raw frames of structured illumination that the movie was made of. Spots are
     * then found and measured in them (nucgrow/sim_points.h); NULL: in the movie */
    ng_movie *raw;
    const ng_sim_pattern *pattern;
    const double *raw_background; /* counts; of all sets, or of each */
    size_t n_raw_background;
} ng_detect_options;

ng_detect_options ng_detect_defaults(void);
/** "kim": the published chain (smoothing, Bradley-Roth relative threshold, removal of small
 *  components). "auto": the defaults. @return NG_USAGE for another name */
NG_MUST_CHECK ng_status ng_detect_preset(const char *name, ng_detect_options *options,
                                         ng_error *err);

/** Noise of a stack: the variance of a pixel of mean m is level + gain (m - background), and
 *  `grain_px` the s.d. of the Gaussian that would have made white noise as correlated. */
typedef struct ng_pixel_noise {
    double level, gain, background, grain_px;
} ng_pixel_noise;

/** Variance over that which a fit to white noise claims, for spots of the light F:
 *  dimmest (F/least)^power, with F taken no lower than `least` and no higher than `most`. */
typedef struct ng_spot_factor {
    double dimmest, power, least, most;
} ng_spot_factor;

/** What was settled for spots. */
typedef struct ng_spot_choices {
    double width_px;             /* s.d. of a spot, the pixel's width counted in */
    double width_se_px, gain_se; /* 0: given; NAN: assumed */
    ng_pixel_noise noise;
    ng_spot_factor light, place; /* of variances */
    double candidate;            /* peaks of the filtered frame from so many s.d. on are fitted */
    double dim;                  /* lowest background of the pilot frames, counts */
    size_t told;                 /* spots that told width and gain */
    size_t raw_frames;           /* of a set; 0: spots are found in the movie itself */
    /* the stack of the intensities; flux_frames 0: the movie itself */
    size_t flux_frames; /* averaged into one */
    double flux_pixel_nm, flux_width_px;
    ng_pixel_noise flux_noise;
} ng_spot_choices;

/** What was settled, from the options or from the movie. */
typedef struct ng_detect_choices {
    ng_detect_options options; /* nothing open any more */
    double noise;              /* s.d. per pixel of the raw frames, median over the pilot frames */
    double noise_correlation;  /* between neighbouring pixels */
    double background;         /* counts */
    double blur_se_px;         /* 0 where it was given */
    double radius_px[3];       /* 5, 50, 95 % of the pilot particles; NAN when there are none */
    double contrast;           /* median of the pilot particles, counts */
    size_t pilot_frames, pilot_particles;
    double level; /* sigma form: from this height, over the s.d. of the background, pixels join */
    ng_spot_choices spot; /* of spots: options.c is the least significance, in s.d. */
    double least, most;   /* counts at which a pixel is saturated; NAN: unknown */
} ng_detect_choices;

/** Settle what is open on up to 12 frames of one size; pixel_nm must be set. Warnings: few or no
 *  particles, noise that is not white, a window that particles fill. Saturation is not known here.
 *  @return NG_USAGE for a kind that is not there */
NG_MUST_CHECK ng_status ng_detect_settle(const ng_image *frame, size_t n,
                                         const ng_detect_options *options, ng_detect_choices *out,
                                         ng_warnings *warnings, ng_error *err);
/** The same on frames spread over the time window of the movie. One that cannot be read is left
 *  out. @return NG_USAGE without pixel_nm or frame_s, NG_IO or NG_FORMAT when no frame can be
 *  read, NG_INVALID for a time window outside the movie */
NG_MUST_CHECK ng_status ng_detect_choose(ng_movie *movie, const ng_detect_options *options,
                                         ng_detect_choices *out, ng_warnings *warnings,
                                         ng_error *err);

/* ---- measuring --------------------------------------------------------------------------- */

/** One measured frame. Everything is borrowed and gone after the call it is given to. */
typedef struct ng_detect_frame {
    size_t frame, width, height;
    const float *pixel;          /* raw, not finite pixels mended */
    const ng_particle *particle; /* by label: the pixels of particle[i] carry i + 1 */
    size_t n;
    const uint32_t *label; /* width*height */
} ng_detect_frame;

/** Where frames go: called in their order, from one thread. */
typedef ng_status ng_detect_sink(void *context, const ng_detect_frame *frame, ng_error *err);

typedef struct ng_detect_summary {
    size_t frames, particles; /* handed to the sink */
    size_t edge, crowded, no_fit, saturated, split, joint, bad_pixel;
    size_t mended_pixels;                /* that were not finite */
    double mean_radius_nm, radius_se_nm; /* mean, and mean standard error; NAN for spots */
    double mean_intensity;
} ng_detect_summary;

/** Measure the frames first..last. Threads of `run` work on different frames; memory does not grow
 *  with the movie, and the numbers do not depend on the threads.
 *  A frame that cannot be read ends the work with its error: all frames before it have been handed
 *  to the sink, and the summary counts them. */
NG_MUST_CHECK ng_status ng_detect_movie(ng_movie *movie, const ng_detect_choices *choices,
                                        ng_detect_sink *sink, void *context, const ng_run *run,
                                        ng_detect_summary *summary, ng_warnings *warnings,
                                        ng_error *err);

/* ---- one frame in memory ----------------------------------------------------------------- */

/** What measuring a frame needs: table of the model, scratch. One thread at a time. */
typedef struct ng_detector ng_detector;
NG_MUST_CHECK ng_status ng_detector_create(const ng_detect_choices *choices, size_t width,
                                           size_t height, ng_detector **out, ng_error *err);
void ng_detector_destroy(ng_detector *detector); /* NULL is fine */
/** Measure `window[centre]`; the other frames only help to denoise. `out` is borrowed from the
 *  detector until its next call. Pixels must be finite, but for spots, which leave others out and
 *  say so in their flags. */
NG_MUST_CHECK ng_status ng_detector_measure(ng_detector *detector, const ng_image *const *window,
                                            size_t n, size_t centre, ng_detect_frame *out,
                                            ng_error *err);

/** For spots that are found in raw frames: the set of the calls to come, borrowed, and which of
 *  options.raw_background is its own. */
void ng_detector_raw(ng_detector *detector, const float *frames, size_t set);
/** For spots: the frame that intensities are taken from by the calls to come; borrowed, NULL: the
 *  measured one. `mean` of choices.spot.flux_frames frames, and of its own size. */
void ng_detector_flux(ng_detector *detector, const ng_image *mean);

/* ---- a picture of what was found --------------------------------------------------------- */

/** One PNG with `tiles` frames side by side in rows, outlines of the particles drawn on them. */
typedef struct ng_preview ng_preview;
NG_MUST_CHECK ng_status ng_preview_create(size_t width, size_t height, size_t first, size_t last,
                                          size_t tiles, ng_preview **out, ng_error *err);
void ng_preview_destroy(ng_preview *preview); /* NULL is fine */
/** Takes the frame if it is one of those spread over first..last. Draws the fitted circles (green;
 *  flagged ones orange) and the outlines of the mask (yellow). */
void ng_preview_add(ng_preview *preview, const ng_detect_frame *frame, double pixel_nm);
NG_MUST_CHECK ng_status ng_preview_write(const ng_preview *preview, const char *path, bool force,
                                         ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
