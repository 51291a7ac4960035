/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/hidden.h
 * Room `ensemble`: crystals that lie so close to another that both are seen as one. May include
 * base, data.
 *
 * Crystals that were born anywhere with equal probability, and stay there, have 2 pi r dr M^2/(2 A)
 * pairs at a distance from r to r + dr where M are seen on an area A. Those missing at short
 * distances are pairs seen as one (coincidence loss). Each crystal that is seen hides what is born
 * in an area a around it, dM/dN = 1 - M a/A, so that
 *
 *     N = -ln(1 - M a/A) A/a,  a/A = 2 (pairs expected - pairs seen closer than the reach) / M^2
 *
 * crystals are there. How many pairs are expected is told by the pairs beyond the reach, so that
 * slow changes of the density over the field do no harm.
 */
#ifndef NUCGROW_HIDDEN_H
#define NUCGROW_HIDDEN_H

#include <nucgrow/nucleation.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Tell what missing pairs hide; tracks sorted by track, then frame. How far apart two must be is
 * told by pairs of points in the frames that hold nine tenths of the most crystals: half_nm, closer
 * than which half of the pairs are seen, and reach_nm, 1.5 times that, and at least so far that ten
 * pairs are expected. Counted are pairs of tracks that are there in the fullest frame, for of those
 * that come apart in some frames both are tracked. The standard error is that of a Poisson number.
 * @return NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_hidden_find(const ng_particles *tracks, const ng_track_span *span,
                                       size_t n, ng_hidden *out, ng_error *err);

/** Crystals that there are where `seen` are seen, with a moved by z of its standard errors, but not
 *  below 0. `seen` itself where nothing is told; NAN where they leave no room (M a >= A). */
double ng_hidden_all(const ng_hidden *hidden, double seen, double z);

#ifdef __cplusplus
}
#endif
#endif
