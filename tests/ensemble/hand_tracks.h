/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tracks made by hand, in monomers of radius 1 nm. */
#ifndef HAND_TRACKS_H
#define HAND_TRACKS_H

#include <nucgrow/ensemble.h>

#define HAND_SIGMA_NM 1.0
#define HAND_FRAME_S 0.5

/* An empty set; frames are HAND_FRAME_S apart. Free with ng_tracks_free. */
ng_tracks hand_tracks(void);
/* Begin a track; its points follow. */
void hand_track(ng_tracks *tracks);
/* A particle of `n` monomers in `frame`. */
void hand_point(ng_tracks *tracks, long frame, double n);
/* A whole track of `count` frames from `frame` on. */
void hand_sizes(ng_tracks *tracks, long frame, const double *n, size_t count);

/* Defaults with sigma_s of HAND_SIGMA_NM. */
ng_ensemble_options hand_options(void);
/* ng_trajectories_make, which must succeed. */
ng_trajectories hand_make(const ng_tracks *tracks, const ng_ensemble_options *options);

#endif
