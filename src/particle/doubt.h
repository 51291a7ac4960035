/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How sure it is that a gap is closed rightly.
 */
#ifndef NUCGROW_PARTICLE_DOUBT_H
#define NUCGROW_PARTICLE_DOUBT_H

#include "link_internal.h"

/** Whether particles get farther away with every frame, as far as links from frame to frame show;
 * true where none does. Those that rest are where they were after gaps of any length, which the
 * likelihoods of links do not know. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_points_walk(const ng_points *points, bool *walk, ng_error *err);

/** The problem of all gaps, and how it was solved. Rows are in the order of frames. */
typedef struct ng_gap_links {
    const ng_assignment *problem;
    const size_t *row_point, *column_point; /* last points of rows, first points of columns */
    const size_t *taken;
} ng_gap_links;

/**
 * Probability of each link that was taken (0 where none was): its likelihood among those of all
 * ways to pair ends and beginnings or to leave them alone, by messages between them (sum-product,
 * exact where no ring of candidates closes), less where a neighbour that goes on meanwhile may have
 * exchanged places with it. Where the one that was unseen lay on the neighbour, both stories are
 * as likely; how often that is the cause is learned from all gaps. @return NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_gaps_doubt(const ng_points *points, const ng_motion *motion,
                                      const ng_gap_links *links, double *sure, ng_error *err);

#endif
