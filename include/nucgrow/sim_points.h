/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/sim_points.h
 * Room `sim`: points of light measured in the raw frames of structured illumination. May include
 * base.
 *
 * A reconstruction shows where points are, but its noise follows no simple law, and of two that are
 * closer than its resolution it makes one. The raw frames have photons, each with its own Poisson
 * law. With the stripes known, frame p of a set expects
 *
 *     mu_p(u) = b + sum_j F_j I_p(x_j) h(u - x_j),   I_p(x) = f_p (1 + m cos(2 pi k x + phi_p))
 *
 * of points j with the light F_j at x_j; h is the point spread function, the camera's pixel
 * included, b the even background. Maximum likelihood by Fisher's scoring, those close to each
 * other together, the others in turn until nothing moves. Source: Smith et al., Nat. Methods 7, 373
 * (2010) for the likelihood of points; stripes as in nucgrow/sim.h.
 */
#ifndef NUCGROW_SIM_POINTS_H
#define NUCGROW_SIM_POINTS_H

#include <nucgrow/sim.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A point; positions in camera pixels from the centre of pixel (0, 0), light in counts that it
 *  leaves on a raw frame at the mean brightness of the stripes. */
typedef struct ng_sim_point {
    double x, y, flux;
    double x_var, y_var, flux_var; /* inverse information, neighbours counted */
    double z;                      /* root of twice the gain in log likelihood over no point, less
                                      what a neighbour could take over */
    double shared;                 /* flux_var over that without neighbours */
    bool uneven; /* went dark or bright within the set; flux is that of its brighter frames */
} ng_sim_point;

/** Tables and scratch for one pattern; one thread at a time. */
typedef struct ng_sim_points ng_sim_points;

/** `pattern` is copied, `pattern->optics.measured` read only here. `background`: counts of even
 *  light on a raw pixel above the offset, > 0.
 *  @return NG_INVALID for a background of zero or less, NG_MEMORY */
NG_MUST_CHECK ng_status ng_sim_points_create(const ng_sim_pattern *pattern, double background,
                                             ng_sim_points **out, ng_error *err);
void ng_sim_points_destroy(ng_sim_points *points); /* NULL is fine */

/** Even light of the sets to come, counts, > 0. */
void ng_sim_points_background(ng_sim_points *points, double background);

/**
 * Find and fit the points of a set of raw frames: what stands out beside those known so far joins
 * them, those that are longer than noise and optics make them are tried as two, and those whose z
 * stays below `least_z` go, the weakest first, until nothing is left to find. Points up to some
 * pixels outside of the frame, which shine into it, are among them.
 * @param frames  as for ng_sim_pattern_estimate, counts; pixels that are not finite tell nothing
 * @param out     sorted by x; borrowed, until the next call
 * @return NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_sim_points_find(ng_sim_points *points, const float *frames,
                                           double least_z, const ng_sim_point **out, size_t *n,
                                           ng_error *err);

/** Height z above which `wanted` false points are expected on a field without any: maxima of a
 *  smooth normal field, A det(L)^(1/2) (2 pi)^(-3/2) z exp(-z^2/2), the covariance L of its slopes
 *  from the point spread function and the stripes. Source: Adler, The Geometry of Random Fields
 *  (1981), section 6.9. */
double ng_sim_points_height(const ng_sim_points *points, double wanted);

#ifdef __cplusplus
}
#endif
#endif
