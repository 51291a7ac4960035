/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/ensemble.h
 * Room `ensemble`: from tracked radii to monomer numbers, distributions, moments, growth rates of
 * single particles, phases. May include base, data, physics.
 *
 * A *trajectory* is one particle's monomer number over consecutive frames. Frames are counted from
 * the first frame of the data set; every trajectory is sampled at each frame between its first and
 * its last (short gaps are bridged when trajectories are smoothed).
 */
#ifndef NUCGROW_ENSEMBLE_H
#define NUCGROW_ENSEMBLE_H

#include <nucgrow/base.h>
#include <nucgrow/data.h>
#include <nucgrow/physics.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How trajectories become an ensemble. Start from ng_ensemble_defaults(). */
typedef struct ng_ensemble_options {
    double sigma_s_nm;  /* radius of one monomer's volume: n = (r/sigma_s)^3 */
    bool published;     /* preset `published`: every choice of the published estimator (below) */
    bool smooth;        /* zero-phase low-pass along each trajectory */
    double cutoff;      /* of the low-pass, cycles per frame, 0..0.5 (0.04846 as published) */
    long max_gap;       /* longest run of missing frames that is bridged (3) */
    size_t bootstrap;   /* resamplings of trajectories for bands (1000); 0: no bands */
    double level;       /* of the bands, 0..1 (0.6827: one standard deviation, as [Kim] Fig. 1E) */
} ng_ensemble_options;

ng_ensemble_options ng_ensemble_defaults(void);
/** NG_USAGE with the option that is out of range. */
NG_MUST_CHECK ng_status ng_ensemble_options_check(const ng_ensemble_options *options,
                                                  ng_error *err);

/** Points from an end of a trajectory up to which smoothing treats noise in a way of its own. */
#define NG_SMOOTHING_REACH 26

/** What smoothing leaves of white noise of variance 1, at one point. */
typedef struct ng_smoothed_noise {
    double gain;  /* variance of the smoothed size */
    double cross; /* its covariance with half the difference of its neighbours, that is, with the
                     growth rate times the time between frames: 0 inside, negative near a start */
} ng_smoothed_noise;

/** Monomer numbers along trajectories. Point k of trajectory i: first[i] <= k < first[i+1]. */
typedef struct ng_trajectories {
    size_t n_tracks, n_points, n_frames;
    size_t *first;        /* owned, n_tracks + 1 */
    size_t *origin;       /* owned: index of the track in ng_tracks that trajectory i comes from */
    unsigned *frame;      /* owned: index of the frame, 0..n_frames-1, per point */
    double *n_raw;        /* owned: as measured; NAN at a frame that was bridged */
    double *n;            /* owned: smoothed (= n_raw where smoothing is off) */
    double *growth_per_s; /* owned: dn/dt by central differences of n, NAN at the ends; published:
                             of the spline through the sizes before they are rounded, with ends */
    double *time_s;       /* owned, per frame */
    double frame_s;
    double sigma_s_nm;
    double noise_scale, noise_power; /* s.d. of the measured n: noise_scale * n^noise_power */
    double noise_gain;    /* part of white noise's variance that smoothing leaves: sum h^2 */
    bool ends_differ;     /* noise_at_start holds how: default preset, smoothed */
    ng_smoothed_noise noise_at_start[NG_SMOOTHING_REACH]; /* by points from the start */
    size_t tracks_dropped, points_dropped;
    size_t n_sampled; /* not 0: trajectories are quantiles of samples of so many particles */
} ng_trajectories;

/**
 * Monomer numbers and smoothing.
 *
 * Default: runs of at most max_gap missing frames are bridged by linear interpolation, longer ones
 * split the trajectory; a low-pass (49-tap Kaiser-windowed ideal filter, zero phase) acts on the
 * trajectory, which is continued at both ends by point reflection about the end c of the line
 * through its 12 outermost points: 2c - x, the last value held where it is too short. This keeps
 * the slope there; white noise keeps 0.55 of its s.d. at an end point and 0.28 inside (at the
 * default cutoff; reflection about the end point itself would keep all of it there). Smoothed
 * sizes below 1 are set to 1 (warned).
 * Published: n rounded; a trajectory with a gap longer than max_gap is dropped; gaps are joined
 * while it is smoothed; the trajectory is mirrored; tracks below 32 points pass a third-order
 * elliptic filter (0.1 dB, 60 dB, 0.02 Nyquist) forward and backward; results are rounded.
 * Points with n < 1 are dropped, counted and warned about.
 *
 * Errors: NG_INVALID when the median n lies below 1 or above 1e7 (wrong calibration), NG_TOO_LITTLE
 * with fewer than 2 frames or 5 trajectories.
 */
NG_MUST_CHECK ng_status ng_trajectories_make(const ng_tracks *tracks,
                                             const ng_ensemble_options *options,
                                             ng_trajectories *out, ng_warnings *warnings,
                                             ng_error *err);
void ng_trajectories_free(ng_trajectories *t);
/** Noise at a point with `before` and `after` points between it and the ends of its trajectory.
 *  The two ends act independently (exact for trajectories of more than 2 NG_SMOOTHING_REACH). */
ng_smoothed_noise ng_trajectories_noise_at(const ng_trajectories *t, size_t before, size_t after);

/** Moments kept per frame: <n^q>, q = 1..10. */
#define NG_MOMENT_MAX 10

/** What an ensemble does over time; arrays of n_frames, owned. Frames without particles: NAN. */
typedef struct ng_series {
    size_t n_frames;
    double *particles;            /* (weighted) number of trajectories in the frame */
    double *mean_n, *var_n;       /* population variance, 1/N */
    double *mean_radius_nm, *sd_radius_nm;
    double *min_n, *max_n;
    double *moment[NG_MOMENT_MAX + 1]; /* moment[q] = <n^q>; [0] is NULL */
    double *dmean_dt_per_s, *dvar_dt_per_s; /* central differences over time */
    double *dln_particles_dt_per_s;
} ng_series;

NG_MUST_CHECK ng_status ng_series_create(size_t n_frames, ng_series *out, ng_error *err);
void ng_series_free(ng_series *s);
/** Fill `out` (created for t->n_frames). `weight`: multiplicity of each trajectory, NULL: all 1. */
void ng_series_compute(const ng_trajectories *t, const double *weight, ng_series *out);
/** Time derivative on an even grid: central differences, one-sided at the ends; NAN-safe. */
void ng_time_derivative(const double *x, size_t n, double step, double *dx);
/** Slopes of the not-a-knot cubic spline through x on an even grid (3 points: of the parabola, 2:
 *  of the line, 1: NAN). A point that is not finite makes all slopes NAN. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_spline_slopes(const double *x, size_t n, double step, double *slope,
                                         ng_error *err);
/** The same at increasing times. */
NG_MUST_CHECK ng_status ng_spline_slopes_uneven(const double *x, const double *time, size_t n,
                                                double *slope, ng_error *err);

/** Lower and upper band of every series, by resampling trajectories. */
typedef struct ng_bands {
    ng_series lower, upper;
} ng_bands;

/** Percentile bands at options->level from options->bootstrap resamplings of particles; stream b of
 *  the seed draws replicate b. Where no resampling has a value: NAN. With options->bootstrap = 0
 *  all bands are NAN. @return NG_MEMORY, NG_CANCELLED */
NG_MUST_CHECK ng_status ng_bands_compute(const ng_trajectories *t,
                                         const ng_ensemble_options *options, const ng_run *run,
                                         ng_bands *out, ng_error *err);
void ng_bands_free(ng_bands *b);
/** Draw multiplicities of a bootstrap sample of n trajectories (sum n). */
void ng_bootstrap_weights(gsl_rng *rng, size_t n, double *weight);
/** Draw a bootstrap sample of particles: the pieces of a track that was split at a gap come
 *  together. `weight` has t->n_tracks entries. */
void ng_bootstrap_trajectories(gsl_rng *rng, const ng_trajectories *t, double *weight);

/* ---- how growth moves moments --------------------------------------------------------------- */

/**
 * Time derivative of a moment of the observed ensemble (sizes >= entry_n).
 *
 * Equation: d<n^q>/dt = sum_n [(n+1)^q - n^q] J_n/N + g (entry_n^q - <n^q>), n >= entry_n,
 *           g = dlnN/dt: particles come and go at entry_n, everything else is J_n.
 * Given:    flux_per_s[i] = J_n/N at n = n_first + i (n_first >= entry_n); q in 1..NG_MOMENT_MAX;
 *           the moment itself; growth_per_s = g.
 * Notes:    exact for the master equation; tested to 1e-12.
 * Source:   [Kim] SI; physics of moments in docs/rate-estimator.md.
 */
double ng_moment_flow(const double *flux_per_s, double n_first, size_t count, int q, double moment,
                      double growth_per_s, double entry_n);

/** The same for the variance: sum [2(n - <n>) + 1] J_n/N + g [(<n> - entry_n)^2 - Var]. */
double ng_variance_flow(const double *flux_per_s, double n_first, size_t count, double mean,
                        double variance, double growth_per_s, double entry_n);

/* ---- size distributions --------------------------------------------------------------------- */

/** p_n on sizes n[0..count), psi = P(size >= n). Owned arrays. */
typedef struct ng_distribution {
    size_t count;
    double *n, *p, *psi;
    double *score; /* d ln p / dn */
    double bandwidth; /* of the kernel in ln n; 0 for a histogram */
} ng_distribution;

void ng_distribution_free(ng_distribution *d);

/**
 * Density of the sizes seen in one frame by a Gaussian kernel in ln n: no bins, no mass at n <= 0.
 *
 * Bandwidth: `smoothing` (> 0; 1) times 0.9 min(s.d., IQR/1.34) N^(-1/5) of ln n (Silverman).
 * Sizes: `count` points (>= 2), even in ln n, 3 bandwidths beyond the data at both ends.
 * Errors: NG_TOO_LITTLE with fewer than 2 distinct sizes; NG_MEMORY.
 */
NG_MUST_CHECK ng_status ng_density_kernel(const double *n, const double *weight, size_t size,
                                          double smoothing, size_t count, ng_distribution *out,
                                          ng_error *err);

/** Workspace-free form for hot loops: density p and score (d ln p/dn) of the kernel estimate at the
 *  sizes n themselves. `bandwidth` in ln n. All arrays have `size` entries. */
void ng_density_at_points(const double *n, const double *weight, size_t size, double bandwidth,
                          double *p, double *score);
/** Silverman's bandwidth in ln n; 0 with fewer than 2 distinct sizes. `scratch`: 2*size doubles. */
double ng_density_bandwidth(const double *n, const double *weight, size_t size, double *scratch);

/**
 * The published density: 30 equal bins with round limits, moving mean over 5 bins, monotone cubic
 * (PCHIP) through the left bin edges, evaluated at integers n_first..n_last and normalised to 1
 * there. p and psi have room for n_last-n_first+1 entries; psi[i] = sum_{j>=i} p[j].
 * @return false when there are fewer than 2 distinct sizes.
 */
bool ng_density_published(const double *n, const double *weight, size_t size, long n_first,
                          long n_last, double *p, double *psi);

/* ---- phases --------------------------------------------------------------------------------- */

typedef enum ng_trend { NG_FALLING = -1, NG_FLAT = 0, NG_RISING = 1 } ng_trend;

typedef struct ng_phase {
    char name[8]; /* I, II, III, ... */
    size_t first, last; /* frames, inclusive */
    ng_trend mean, variance;
    double mean_rate, variance_rate; /* slopes of the logarithms, per frame */
} ng_phase;

/**
 * Phases of the run: intervals in which ln <n> and ln Var n (moving means over 9 frames) are
 * straight lines over the frames.
 *
 * The best partition into k intervals of at least 8 frames is found exactly (dynamic programming
 * over at most 512 possible boundaries; each curve is scaled by its s.d., or by 0.05 where it
 * varies less). The number of intervals, at most 9, minimises 2^k times the squared deviation,
 * that is: an interval must halve what is left; deviations below 1e-4 of the curves' variance do
 * not count. A trend is flat where the curve changes by less than 5 % over the interval or slower
 * than a tenth of its median rate. Frames without a positive mean and variance are passed over.
 *
 * Writes at most `max` phases and their number `n`; 0 with fewer than 2 usable frames.
 * Errors: NG_MEMORY.
 * Note: gives the five phases of [Kim] Fig. 1E for Pt(acac)2 (ends 28, 43, 103, 144 s), three for
 * Au.
 */
NG_MUST_CHECK ng_status ng_phases_find(const ng_series *s, size_t max, ng_phase *phase, size_t *n,
                                       ng_error *err);
const char *ng_trend_name(ng_trend trend); /* "falling", "flat", "rising" */

/* ---- the ensemble as one result ------------------------------------------------------------- */

/** An ensemble and what was computed of it. All borrowed. */
typedef struct ng_ensemble {
    const ng_tracks *tracks;
    const ng_trajectories *trajectories;
    const ng_ensemble_options *options; /* bootstrap = 0: no bands anywhere */
    const ng_material *material;
    const ng_series *series;
    const ng_bands *bands; /* NULL: none */
} ng_ensemble;

/** Resamplings behind the bands of size distributions: options->bootstrap, but at most this. */
#define NG_DISTRIBUTION_BOOTSTRAP 200

/** ensemble.json of docs/results.md, without schema, provenance and warnings; owned by the caller.
 *  Numbers are rounded to 7 digits, those of the tracks are not.
 *  @return NG_MEMORY, NG_CANCELLED */
NG_MUST_CHECK ng_status ng_ensemble_json(const ng_ensemble *ensemble, const ng_run *run,
                                         struct json_t **out, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
