/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared inside room `ensemble`. */
#ifndef NUCGROW_ENSEMBLE_INTERNAL_H
#define NUCGROW_ENSEMBLE_INTERNAL_H

#include <nucgrow/ensemble.h>

#define NG_MAX_GAP_LIMIT 1000
#define NG_BOOTSTRAP_LIMIT 1000000
/** Longest span of frames; beyond it a frame column holds something else. */
#define NG_FRAMES_LIMIT 10000000

/* ---- filter.c ------------------------------------------------------------------------------ */

#define NG_FIR_HALF 24 /* taps on each side of the centre: 49 in all */
#define NG_FIR_END 12

/** A symmetric low-pass: tap[k] weighs the samples k to the left and k to the right. Unit sum. */
typedef struct ng_fir {
    double tap[NG_FIR_HALF + 1];
} ng_fir;

/** How a trajectory goes on beyond its ends. */
typedef enum ng_continuation {
    NG_CONTINUE_POINT, /* 2 c - x, c: end of the line through the outermost NG_FIR_END points; keeps
                          the slope; the last value is held where the trajectory is too short */
    NG_CONTINUE_MIRROR /* half-sample mirror: x_1 x_0 | x_0 x_1; needs NG_FIR_HALF points */
} ng_continuation;

/** Ideal low-pass of `cutoff` cycles per sample (0..0.5] under a Kaiser window for 60 dB. */
void ng_fir_design(double cutoff, ng_fir *fir);
/** Variance that the filter leaves of white noise of variance 1: the sum of squared taps. */
double ng_fir_noise_gain(const ng_fir *fir);
/** What the filter, with NG_CONTINUE_POINT, leaves of white noise near the start of a long
 *  trajectory. At the end cross has the other sign. */
void ng_fir_noise_at_start(const ng_fir *fir, ng_smoothed_noise out[NG_SMOOTHING_REACH]);
/** Zero-phase smoothing of x[0..n) into out. `padded`: n + 2 NG_FIR_HALF doubles of scratch. */
void ng_fir_smooth(const ng_fir *fir, const double *x, size_t n, ng_continuation continuation,
                   double *padded, double *out);

/** Doubles of scratch that ng_elliptic_smooth needs for n samples. */
#define NG_ELLIPTIC_SCRATCH(n) (3 * (n) + 18)
/** The published filter of short trajectories: third-order elliptic low-pass (0.1 dB, 60 dB, 0.02
 *  of the Nyquist frequency), forward and backward over the trajectory between its two mirror
 *  images. */
void ng_elliptic_smooth(const double *x, size_t n, double *scratch, double *out);

/* ---- noise.c ------------------------------------------------------------------------------- */

/** Fill what ng_trajectories says of noise. `fir`: the smoothing that was applied, or NULL. */
NG_MUST_CHECK ng_status ng_noise_estimate(ng_trajectories *t, const ng_fir *fir, bool published,
                                          ng_error *err);

/* ---- series.c ------------------------------------------------------------------------------ */

/** Number of arrays in an ng_series. */
#define NG_SERIES_ARRAYS (10 + NG_MOMENT_MAX)
/** Array number `index` of a series, 0..NG_SERIES_ARRAYS-1. */
double *ng_series_array(const ng_series *s, size_t index);
/** Radius of every point, for ng_series_fill. */
void ng_series_radii(const ng_trajectories *t, double *radius_nm);
/** ng_series_compute for frames first..end-1 only, with the points' radii known beforehand (NULL:
 *  computed). Other frames of `out` hold nothing of use afterwards. */
void ng_series_fill(const ng_trajectories *t, const double *radius_nm, const double *weight,
                    size_t first, size_t end, ng_series *out);

/* ---- bands.c ------------------------------------------------------------------------------- */

/** Percentiles (type 7) that hold `level` between them, of those of x[0..n) that are finite; NAN
 *  where there are none. Sorts x. */
void ng_percentile_band(double *x, size_t n, double level, double *lower, double *upper);

/* ---- density.c ----------------------------------------------------------------------------- */

/** An empty distribution of `count` sizes. */
NG_MUST_CHECK ng_status ng_distribution_create(size_t count, ng_distribution *out, ng_error *err);

/* ---- distributions.c ----------------------------------------------------------------------- */

#define NG_DISTRIBUTIONS_MAX 12
#define NG_DISTRIBUTION_POINTS 200

/** The sizes seen in one frame. */
typedef struct ng_frame_distribution {
    size_t frame;
    ng_distribution distribution;
    double *lower, *upper; /* owned: bands of p; NULL without resampling */
} ng_frame_distribution;

/** At up to NG_DISTRIBUTIONS_MAX times, evenly spaced. */
NG_MUST_CHECK ng_status ng_distributions_compute(const ng_ensemble *ensemble, const ng_run *run,
                                                 ng_frame_distribution out[NG_DISTRIBUTIONS_MAX],
                                                 size_t *n, ng_error *err);
void ng_distributions_free(ng_frame_distribution distributions[NG_DISTRIBUTIONS_MAX]);

/* ---- pchip.c ------------------------------------------------------------------------------- */

/** Slopes of the monotone cubic through (k*step, y[k]), k = 0..n-1 (n >= 2), after Fritsch and
 *  Butland, with three-point slopes at the ends. */
void ng_pchip_slopes(const double *y, size_t n, double step, double *slope);
/** The cubic between two knots `step` apart at the distance x from the left one. */
double ng_pchip_value(const double *y, const double *slope, double step, double x);

#endif
