/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/crystal_fit.h
 * Room `fit`: curves of growth through the points of one crystal or of an ensemble: Avrami's law
 * and growth by diffusion, with a loss that blinking does not pull, honest intervals, and a choice
 * among laws. May include base, data, physics, ensemble, solve.
 */
#ifndef NUCGROW_CRYSTAL_FIT_H
#define NUCGROW_CRYSTAL_FIT_H

#include <nucgrow/crystal.h>
#include <nucgrow/fit.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NG_CURVE_MAX 5    /* parameters of a curve */
#define NG_CURVE_SEEN 0.6 /* of the volume or the light at the end */

/** The points of a curve. All arrays are borrowed. */
typedef struct ng_curve_data {
    const double *time_s; /* rising */
    const double *y;      /* fraction, intensity or radius */
    const double *se;     /* standard errors, or NULL: all points weigh the same */
    size_t n;
    /** Residuals are taken of y to this power, where its errors are even: 3 for radii made of
     *  light. 0 is 1. */
    double power;
    /** The errors are those of counted light: their squares rise along a line with y^power. They
     *  are then read from that line at the curve, not at the point: one that came out low by chance
     *  claims too small an error, and pulls. Where the squares are no line, as given. */
    bool counted;
    /** What was smaller was not seen: points just above it are the lucky ones, and the curve is
     *  held against the mean of a normal law cut off there. 0: all was seen. Only with errors. */
    double limit;
} ng_curve_data;

/** A law of growth. */
typedef struct ng_curve_law {
    const char *name; /* "avrami" */
    const char *title, *equation, *reference;
    size_t n_parameters;
    const ng_parameter_info *info; /* n_parameters; bounds of those that data bound are NAN */
    /** y at a time and, unless NULL, its derivatives. `first_s`: time of the first point. */
    double (*value)(const double *parameter, double first_s, double time_s, double *slope);
    /** A start and bounds from the data (n >= 4); false: the data do not rise. */
    bool (*start)(const ng_curve_data *data, double *start, double *lower, double *upper);
    /** Parameter that the curve ends at (NG_CURVE_MAX: none), and bits of those that hang on it:
     *  flagged where the curve was seen to less than NG_CURVE_SEEN of its end. */
    size_t end;
    unsigned hangs;
} ng_curve_law;

/** fraction = f(t), baseline 0 and plateau 1. Parameters n, t0_s, rate_per_s = k^(1/n). */
extern const ng_curve_law ng_curve_avrami_fraction;
/** The same between a baseline and a plateau: n, t0_s, rate_per_s, baseline, plateau. */
extern const ng_curve_law ng_curve_avrami_intensity;
/** The same of one crystal, baseline 0: n, t0_s, rate_per_s, plateau. */
extern const ng_curve_law ng_curve_avrami_crystal;
/** The same with t0 not before the first point: of a movie that begins before anything is there. */
extern const ng_curve_law ng_curve_avrami_onset;

/** Laws of the radius of one crystal over time, simplest first; ng_n_radius_laws of them:
 *  "parabolic"  r^2 = 2 B (t-t0)
 *  "layer"      the same with a diffusion layer as thick as the crystal is wide, or less
 *  "depletion"  the crystal uses up its share and ends at final_nm
 *  "surface"    the same with a surface step
 *  "sugimoto"   from first_nm on, with a critical radius
 *  "avrami"     r^3/final_nm^3 = f(t) */
extern const ng_curve_law *const ng_radius_laws[];
extern const size_t ng_n_radius_laws;
/** By name; NULL when there is none. */
const ng_curve_law *ng_radius_law_find(const char *name);

typedef struct ng_curve_options {
    bool robust;           /* Tukey's bisquare: points far off weigh nothing; else least squares */
    double level;          /* of the intervals */
    bool intervals;        /* false: value and se alone */
    size_t max_iterations; /* of the whole search */
} ng_curve_options;

ng_curve_options ng_curve_defaults(void); /* robust, 0.95, intervals, 200 */

/** Why a curve has no estimate. */
typedef enum ng_curve_state {
    NG_CURVE_OK,
    NG_CURVE_TOO_FEW, /* fewer points than parameters + 2, or no spread in time */
    NG_CURVE_NO_RISE, /* the data do not grow */
    NG_CURVE_INVALID, /* a value is not finite, or time does not rise */
    NG_CURVE_NOT_CONVERGED,
    NG_N_CURVE_STATES
} ng_curve_state;
/** "ok", "too-few-points", "no-rise", "invalid", "not-converged" */
const char *ng_curve_state_name(ng_curve_state state);

/** What a fit says. Numbers are NAN unless state is NG_CURVE_OK or NG_CURVE_NOT_CONVERGED. */
typedef struct ng_curve_fit {
    const ng_curve_law *law;
    ng_curve_state state;
    ng_fit_parameter parameter[NG_CURVE_MAX];
    double correlation[NG_CURVE_MAX][NG_CURVE_MAX];
    size_t n_points, n_outliers; /* outliers weigh less than a tenth */
    double scale;     /* robust s.d. of the residuals: in units of y, or of the errors given */
    double effective; /* worth of the points as independent ones */
    double first_s;   /* time of the first point */
    size_t iterations;
} ng_curve_fit;

/**
 * Fit a law to points.
 *
 * Method: Levenberg-Marquardt of GSL on parameters mapped into their bounds by a sine; robust by
 * reweighting (Huber, then Tukey 4.685; scale by the median absolute residual). Standard errors:
 * sandwich of the M-estimator, times the inflation that the autocorrelation of the residuals
 * demands. Intervals: where the profile of the weighted cost, calibrated by that sandwich, reaches
 * Student's quantile; an interval that meets a bound ends there and is flagged. What hangs on an
 * end that was not seen is flagged, too: of crystals seen to half of their light, 95 % intervals
 * hold the plateau in 85 %, n in 90 %.
 * @return NG_OK with `state` in out, or NG_MEMORY.
 */
NG_MUST_CHECK ng_status ng_curve_fit_run(const ng_curve_law *law, const ng_curve_data *data,
                                         const ng_curve_options *options, ng_curve_fit *out,
                                         ng_error *err);
/** y of the fitted law; NAN without one. */
double ng_curve_fit_value(const ng_curve_fit *fit, double time_s);
/** Time at which the law reaches `y` (a fraction of it for laws with an end: the caller's business)
 *  by bisection between from_s and to_s; NAN where it does not. */
double ng_curve_fit_time(const ng_curve_fit *fit, double y, double from_s, double to_s);
/** Akaike's criterion at a common scale: (effective/n) 2 sum rho(residual/scale) + 2 p + the
 *  correction for few points. INFINITY without an estimate. */
double ng_curve_fit_aic(const ng_curve_fit *fit, const ng_curve_data *data, double scale,
                        double effective);

/** {"n": {value, lower, upper, se, flag, unit, title}, ...}; owned; NULL: no memory. */
struct json_t *ng_curve_parameters_json(const ng_curve_fit *fit);

/** What an Avrami exponent and its interval say: the modes of ng_avrami_modes() inside, in words.
 *  Owned (ng_free); NULL: no memory. */
char *ng_avrami_meaning(const ng_fit_parameter *n, bool one_crystal);

#ifdef __cplusplus
}
#endif
#endif
