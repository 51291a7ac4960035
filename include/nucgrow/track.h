/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/track.h
 * Room `particle`: from particles of single frames to tracks, and what happened to them. May
 * include base, data.
 *
 * Frame to frame by sparse linear assignment, then gaps, merges and splits between the segments
 * (after Jaqaman et al., Nature Methods 5, 695, 2008). Costs are -2 ln of likelihoods whose
 * parameters - step, share of long steps, losses, size noise - are taken from the particles
 * themselves and said in the choices. docs/track.md derives them.
 */
#ifndef NUCGROW_TRACK_H
#define NUCGROW_TRACK_H

#include <nucgrow/particles.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to link. Start from ng_track_defaults(). */
typedef struct ng_track_options {
    double gate_nm;       /* longest step from one frame to the next; NAN: from the particles */
    long max_gap;         /* frames for which a particle may be unseen, 0..1000; default 3 */
    double min_gap_score; /* probability from which a gap is closed, 0..1; 0: wherever that lowers
                             the costs. NAN, the default: 0.55, but 0 where merges are looked for
                             and sizes are known, and where particles rest */
    long min_points;  /* tracks with fewer points are left out. 0, the default: those of one point
                        are, but for those that stand out so much that most of them are real */
    bool merge;       /* look for merges and splits; default true */
    double min_score; /* of a merge or split, 0..1; default 0.5 */
    bool drift;       /* take out the motion that all particles share; default true */
} ng_track_options;

ng_track_options ng_track_defaults(void);

/** How the common motion of the particles looks. */
typedef enum ng_drift_kind {
    NG_DRIFT_NONE,     /* not looked for, or below what the particles' own steps leave visible */
    NG_DRIFT_CONSTANT, /* so much from each frame to the next */
    NG_DRIFT_FREE      /* measured for each frame: it changes, or jumps */
} ng_drift_kind;

const char *ng_drift_kind_name(ng_drift_kind kind); /* "none", "constant", "free"; static */

/** What was settled, from the options or from the particles. NAN where there was too little. */
typedef struct ng_track_choices {
    double gate_nm;
    double step_nm;          /* s.d. of one coordinate from frame to frame, usual steps */
    double long_steps;       /* share of steps beyond 3 s.d., over what is expected */
    double density_per_nm2;  /* of particles around a particle */
    double loss;             /* share of particles that have no partner in the next frame */
    double birth_per_nm2;    /* density of particles without a partner in the frame before */
    double size_noise;       /* s.d. of ln(area) of one measurement; NAN: no sizes */
    double growth_per_frame; /* median of the change of ln(area) */
    double gap_score;        /* probability from which gaps were closed */
    double
        single; /* from so many s.d. on particles seen once stay; INFINITY: none; NAN: not asked */
    ng_drift_kind drift;
    double drift_x_nm, drift_y_nm; /* mean from frame to frame */
    double drift_jump_nm;          /* largest from frame to frame */
} ng_track_choices;

/** What linking gave besides the tracks. */
typedef struct ng_tracking {
    ng_events events; /* owned; by frame, then kind, then track */
    ng_track_choices choice;
    size_t frames; /* with particles */
    size_t tracks, points;
    size_t left_out;   /* particles in tracks that were too short */
    size_t gaps;       /* closed */
    size_t gaps_open;  /* that would lower the costs, but were not sure enough */
    size_t occlusions; /* gaps during which the particle lay over or under another */
    size_t births, deaths, merges, splits;
    size_t tracks_a, tracks_b; /* B: in a merge, A: the others */
} ng_tracking;

void ng_tracking_free(ng_tracking *tracking);

/**
 * Link particles into tracks; their old tracks are forgotten.
 *
 * `particles` is changed: `track` (from 1 by first frame; -1: in a track that was too short),
 * `group` (tracks that merged share one, from 1; -1: none, Group A), x_nm and y_nm (drift taken
 * out; x_raw_nm, y_raw_nm stay), and the order: by track, then frame, those of no track last. Needs
 * positions only; particles without a finite one are left out. Two particles of one frame may
 * coincide. Time and memory are linear in the number of particles at a given density. The result
 * does not depend on the order of the particles of different frames, nor on threads.
 * Warnings: gate-crowded (a gate as wide as the spacing), sizes-absent, drift-unknown (too few
 * particles), drift-jumps, positions-missing, no-tracks.
 * @return NG_TOO_LITTLE (fewer than 2 frames with particles), NG_INVALID (most particles of a frame
 * at the place of another), NG_DOMAIN (options), NG_CANCELLED, NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_track_link(ng_particles *particles, const ng_track_options *options,
                                      const ng_run *run, ng_tracking *out, ng_warnings *warnings,
                                      ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
