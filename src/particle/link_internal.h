/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What the modules that link share.
 *
 * The way: particles -> link_points.c (by frame, plain arrays) -> motion.c (drift, step, gate) ->
 * link_frames.c (frame to frame) -> gap.c (gaps), doubt.c (which of them are sure) -> blob.c (blobs
 * that form or part at once) -> merge.c (evidence for merges and splits) -> events.c (which of them
 * are accepted) -> link.c (numbers, groups, what is given back).
 */
#ifndef NUCGROW_PARTICLE_LINK_INTERNAL_H
#define NUCGROW_PARTICLE_LINK_INTERNAL_H

#include "assign.h"
#include "grid.h"

#include <nucgrow/track.h>

/** Particles sorted by frame; point k of frame f: first[f] <= k < first[f + 1]. */
typedef struct ng_points {
    size_t n, n_frames;
    size_t *first;                       /* owned, as are the others */
    long *frame;                         /* number of each frame */
    size_t *at;                          /* frame index of each point */
    double *x, *y;                       /* nm, drift taken out */
    double *size;                        /* ln(area/nm^2); NAN: unknown */
    size_t *next, *previous;             /* linked point, or NG_NONE */
    size_t *item;                        /* particle */
    double low_x, high_x, low_y, high_y; /* of what the camera saw */
} ng_points;

/** Sort. Particles without a position are left out. @return NG_TOO_LITTLE, NG_MEMORY */
NG_MUST_CHECK ng_status ng_points_make(const ng_particles *particles, ng_points *out,
                                       ng_error *err);
void ng_points_free(ng_points *points);
/** Radius of a point, nm; 0 where it is unknown. */
double ng_point_radius(const ng_points *points, size_t k);
#define NG_LEAST_POINTS 4 /* of one that comes out of a blob; fewer are flicker */

/** Whether so many points follow in the track (or, `back`, stand before), this one among them. */
bool ng_points_last(const ng_points *points, size_t k, bool back);
/** 0 where none is known. */
double ng_largest_radius(const ng_points *points);
void ng_points_link(ng_points *points, size_t from, size_t to);

/** Median of n > 0 values, which are reordered. */
double ng_median(double *value, size_t n);
/** The value that a share `p` of n > 0 lies below; reordered. */
double ng_quantile(double *value, size_t n, double p);

/* ---- how particles move (motion.c) ----------------------------------------------------- */

#define NG_COST_BINS 512
#define NG_MOST_CANDIDATES 64 /* of one particle in one frame: the cheapest */

/** What steps cost, and what is known of them. */
typedef struct ng_motion {
    ng_track_choices choice;
    double spacing_nm;             /* to where a chance neighbour becomes likely */
    double cost[NG_COST_BINS + 1]; /* of a step, by its square over that of the gate */
    double size_cost_scale;        /* 1/(2 s.d.^2) of a difference of ln(area); 0: no sizes */
    double none;                   /* cost of an end and a beginning instead of a link */
    double none_pair;              /* the same where gaps may be closed later on */
    bool has_sizes;
} ng_motion;

/** Estimate drift (taken out of x, y), step and gate. */
NG_MUST_CHECK ng_status ng_motion_find(ng_points *points, const ng_track_options *options,
                                       const ng_run *run, ng_motion *out, ng_warnings *warnings,
                                       ng_error *err);
/** Cost of a link over `frames` frames at a squared distance. */
double ng_motion_cost(const ng_motion *motion, double distance2, double frames);
/** Cost of a difference of ln(area); 0 where one is unknown. */
double ng_size_cost(const ng_motion *motion, double a, double b);
/** Fill the table of costs from step, share of long steps and gate. */
void ng_motion_tabulate(ng_motion *motion);

/* ---- links (link_frames.c, gap.c) ------------------------------------------------------ */

/** Candidate links of a problem, and scratch, kept from frame to frame. Start from zeros. */
typedef struct ng_linker {
    ng_grid grid;
    ng_assign_work work;
    size_t *first, *column, *taken; /* owned */
    double *cost, *none;
    size_t n_rows, n_candidates; /* capacities */
} ng_linker;

void ng_linker_free(ng_linker *linker);
/** Link two frames; counts who found no partner. */
NG_MUST_CHECK ng_status ng_link_pair(ng_points *points, const ng_motion *motion, size_t from,
                                     size_t to, ng_linker *linker, ng_error *err);
/** Link all frames that are not further apart than gaps may be. */
NG_MUST_CHECK ng_status ng_link_frames(ng_points *points, const ng_motion *motion, long max_gap,
                                       const ng_run *run, ng_error *err);
/** Estimate losses and births by linking some pairs; sets motion->none, links nothing. */
NG_MUST_CHECK ng_status ng_link_learn(ng_points *points, ng_motion *motion, bool gaps,
                                      ng_error *err);
/** Close gaps that are likely enough; *closed counts them, *open those that are not. */
NG_MUST_CHECK ng_status ng_link_gaps(ng_points *points, const ng_motion *motion, long max_gap,
                                     size_t *closed, size_t *open, ng_error *err);

/** How much a particle that was seen in one frame only must stand out so that most of those that do
 * are real, by what is linked: how often it ends, and how it stands out. INFINITY: never. */
NG_MUST_CHECK ng_status ng_singles_weigh(const ng_points *points, const ng_particles *particles,
                                         double *least, ng_error *err);
bool ng_single_stays(const ng_particle *particle, double least);

/** Where a blob comes apart at once (or, `back`, two became it): link it to one of its parts. */
NG_MUST_CHECK ng_status ng_link_blobs(ng_points *points, const ng_motion *motion, bool back,
                                      long max_gap, ng_error *err);

/* ---- merges and splits (merge.c, events.c) --------------------------------------------- */

/** A particle ends beside another that goes on: perhaps it has merged into it. Or, with time
 * reversed, begins beside another that was there: perhaps it has split off. */
typedef struct ng_meeting {
    bool split;
    size_t end;    /* last point of the one that ends (split: first) */
    size_t other;  /* the other's point nearest in time at which both are there */
    size_t joined; /* its next point (split: its point before) */
    double distance_nm;
    double radius1_nm, radius2_nm, joined_radius_nm; /* NAN: no sizes */
    double evidence; /* ln of the likelihood ratio against an end by chance */
    double jump;     /* the part of it that the sizes give */
    double shift;    /* the part of it that the step of the other gives */
    double relaxed;  /* ln of the likelihood ratio of the sizes against two lying on each other */
    double score;    /* probability, given how common merges are */
} ng_meeting;

typedef struct ng_meetings {
    ng_meeting *item; /* owned; of each end the most likely one */
    size_t n, capacity;
    size_t ends; /* that could have been merges (or splits) */
} ng_meetings;

void ng_meetings_free(ng_meetings *meetings);

/** What evidence is weighed with. */
typedef struct ng_judge {
    const ng_points *points;
    const ng_particles *particles;
    const ng_motion *motion;
    bool *boundary; /* borrowed: an event lies between the point before and this one */
} ng_judge;

/** Evidence of sizes that the one at `other` took up the one at `end` and kept it up to `later`:
 * levels up to `end` and `other`, and from `later` on. 0: no sizes. */
double ng_judge_jump(const ng_judge *judge, size_t end, size_t other, size_t later);
/** The most likely partner of each end (split: beginning), with its evidence and score. */
NG_MUST_CHECK ng_status ng_meetings_find(const ng_judge *judge, bool split, ng_meetings *out,
                                         ng_error *err);

/** Decide: occlusions are linked over, merges and splits that remain are handed back. */
NG_MUST_CHECK ng_status ng_events_find(ng_points *points, const ng_particles *particles,
                                       const ng_motion *motion, double min_score,
                                       ng_meetings *merges, ng_meetings *splits, size_t *occlusions,
                                       ng_error *err);

#endif
