/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/crystals.h
 * Room `fit`: every crystal of a movie fitted: Avrami, growth by diffusion, the law that fits best,
 * fast and slow growth; and what they say together. May include base, data, physics, ensemble,
 * solve.
 */
#ifndef NUCGROW_CRYSTALS_H
#define NUCGROW_CRYSTALS_H

#include <nucgrow/crystal_fit.h>
#include <nucgrow/nucleation.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NG_RADIUS_LAWS_MAX 8

typedef struct ng_crystals_options {
    ng_curve_options curve;
    bool avrami, diffusion;  /* what to fit */
    bool choose;             /* fit all laws and compare; else `law` alone */
    const ng_curve_law *law; /* the law whose parameters are reported */
    double split;            /* fast growth ends at this part of the final radius: 0.8 */
    double slow_end;         /* slow growth ends here: 0.99 */
    size_t least_points;
    size_t bootstrap; /* resamplings of crystals behind the intervals of medians */
    uint64_t seed;    /* of these */
    /** s.e. of the common scale of all radii, relative; 0: none. It widens what depends on it. */
    double radius_scale_se;
} ng_crystals_options;

ng_crystals_options ng_crystals_defaults(void); /* both fits, depletion, all laws compared */

/** One crystal. */
typedef struct ng_crystal {
    long track;
    size_t n_points; /* with a usable value */
    double first_s, last_s;
    ng_curve_fit avrami;            /* of the intensity, or of r^3 where there are no intensities */
    ng_curve_fit diffusion;         /* of the radius, by options.law */
    const ng_curve_law *chosen;     /* least AIC; NULL: none could be fitted */
    ng_curve_fit best;              /* by the chosen law, with intervals */
    double aic[NG_RADIUS_LAWS_MAX]; /* less the least; NAN where not fitted */
    double fast_s, slow_s; /* by options.law; NAN where it does not get that far while seen */
    bool split_reached, end_reached; /* while it was seen */
} ng_crystal;

typedef struct ng_crystals {
    ng_crystal *item; /* owned */
    size_t n;
    size_t dropped; /* tracks with fewer than least_points */
} ng_crystals;

/**
 * Fit all tracks (sorted by track, then frame). A point counts for a fit when its value is finite
 * and it is not flagged saturated; standard errors are used where all points of a track have them.
 * A crystal that cannot be fitted carries its state; nothing is clamped. Where the table has
 * intensities, radii are compared as their cubes, errors are those of counted light, and what was
 * seen of it is what exceeds the limit of detection (ng_curve_data): the weakest point of all but
 * one crystal in twenty.
 * @return NG_TOO_LITTLE when no track has least_points points; NG_CANCELLED, NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_crystals_fit(const ng_particles *tracks,
                                        const ng_crystals_options *options, const ng_run *run,
                                        ng_crystals *out, ng_warnings *warnings, ng_error *err);
void ng_crystals_free(ng_crystals *crystals);

/** A number over crystals. */
typedef struct ng_crystals_median {
    size_t n;                    /* crystals that have it, and whose flag is ok */
    double median, lower, upper; /* bootstrap over crystals, percentiles of `level` */
    double quartile_low, quartile_high;
} ng_crystals_median;

/** Of the values that are finite; `seed` of the resampling. */
NG_MUST_CHECK ng_status ng_crystals_summarise(const double *value, size_t n, size_t bootstrap,
                                              double level, uint64_t seed, ng_crystals_median *out,
                                              ng_error *err);

/** Keys of fit-avrami.json (tracks) or fit-diffusion.json; owned. NG_MEMORY. */
NG_MUST_CHECK ng_status ng_crystals_json(const ng_crystals *crystals, const ng_particles *tracks,
                                         const ng_crystals_options *options, struct json_t **out,
                                         ng_warnings *warnings, ng_error *err);

/**
 * Avrami's law of the summed intensity of an ensemble, with an interval from resampled crystals:
 * the residuals of the sum are crystals, not noise. Where the first frame has less than 0.5 % of
 * the most light, baseline 0 and t0 not before the movie: what had not begun had no light.
 */
typedef struct ng_ensemble_avrami {
    ng_curve_fit fit; /* parameter intervals: the wider of profile and resampling */
    size_t replicates, failed;
} ng_ensemble_avrami;

/** `time_s`: of all frames (n_frames); intensities of `tracks` bridged as in ng_nucleation. */
NG_MUST_CHECK ng_status ng_ensemble_avrami_fit(const ng_particles *tracks, const double *time_s,
                                               size_t n_frames, size_t least_points,
                                               size_t bootstrap, const ng_curve_options *options,
                                               const ng_run *run, ng_ensemble_avrami *out,
                                               ng_warnings *warnings, ng_error *err);

/** Parameters, what the exponent means, table of modes, curve: owned; NULL: no memory. `series` may
 *  be NULL (the curve is left out). */
struct json_t *ng_avrami_json(const ng_curve_fit *fit, bool one_crystal,
                              const ng_curve_data *series);

#ifdef __cplusplus
}
#endif
#endif
