/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How all particles moved together between two frames. */
#ifndef NUCGROW_PARTICLE_LINK_SHIFT_H
#define NUCGROW_PARTICLE_LINK_SHIFT_H

#include "link_internal.h"

/** Sources that are asked in one frame: enough for a median, however many particles there are. */
#define NG_SHIFT_SAMPLE 300

typedef struct ng_shift {
    double dx, dy; /* nm */
    size_t n;      /* pairs it was measured on; 0: unknown */
} ng_shift;

/** What pairs of particles say after the shift: squared steps, differences of ln(area). */
typedef struct ng_step {
    double distance2, size;
} ng_step;

/** Scratch; start from zeros. */
typedef struct ng_shifter {
    ng_grid here, there;
    double *dx, *dy; /* owned, NG_SHIFT_SAMPLE each */
    ng_step *step;   /* of the last measurement */
    uint64_t *vote;  /* owned */
    double *ux, *uy;
    size_t n_step;
    double usual2; /* squared step of a pair of frames, as usual; 0: not known yet */
    size_t filled; /* the frame of `there`, or NG_NONE, and the width of its cells */
    double filled_radius;
} ng_shifter;

NG_MUST_CHECK ng_status ng_shifter_make(ng_shifter *shifter, ng_error *err);
void ng_shifter_free(ng_shifter *shifter);
/** Median displacement of mutual nearest neighbours within `radius` from frame `from` to `to`,
 * iterated from `guess`; where too few agree, from the displacement that most pairs vote for. */
NG_MUST_CHECK ng_status ng_shift_measure(ng_shifter *shifter, const ng_points *points, size_t from,
                                         size_t to, double radius, const ng_shift *guess,
                                         ng_shift *out, ng_error *err);

#endif
