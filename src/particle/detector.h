/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a detector holds of the frame in hand; shared by detect_frame.c and detect_joint.c. */
#ifndef NUCGROW_DETECTOR_H
#define NUCGROW_DETECTOR_H

#include "spot_internal.h"

/* A fit sees so far beyond the edge: blurs, and pixels. */
#define NG_MARGIN_BLURS 3.0
#define NG_MARGIN_PX 2.0
/* Disks whose edges are so many blurs apart, or nearer, crowd. */
#define NG_CROWDED_BLURS 2.0
enum { NG_MOST_NEIGHBOURS = 24 };

typedef struct ng_candidate {
    ng_disk_fit fit;
    double covariance[15]; /* for unit noise, of x, y, r, C, b; where `joint` */
    uint32_t neighbour[NG_MOST_NEIGHBOURS];
    size_t n_neighbours;
    double start_r;
    double significance; /* of the disk against no disk, in standard deviations */
    double noise;        /* s.d. per pixel that the fit leaves */
    bool fitted, saturated, keep;
    bool joint; /* fitted together with its neighbours */
} ng_candidate;

struct ng_detector {
    ng_detect_choices choices;
    ng_spots *spots;         /* in their place, everything else is empty */
    ng_raw_spots *raw_spots; /* likewise */
    const float *raw;        /* borrowed: the set of raw frames, */
    size_t raw_set;          /* and which it is */
    const ng_image *flux;    /* borrowed */
    double blur;             /* with the pixel's own width */
    const ng_disk_table *table;
    ng_disk_table *own_table; /* where it was made here */
    ng_mask_work mask;
    ng_fit_pixels pixels;
    ng_candidate *candidate;    /* by label, from 1 */
    double (*before)[NG_FIT_N]; /* values of the sweep before */
    ng_particle *particle;
    size_t room;
};

/* Where pixels are taken from: around disks, but for those of other labels. */
typedef struct ng_patch {
    uint32_t own[NG_JOINT_MOST];
    double x[NG_JOINT_MOST], y[NG_JOINT_MOST], reach[NG_JOINT_MOST];
    size_t n;
} ng_patch;

/* Room for n candidates. */
NG_MUST_CHECK ng_status ng_detector_reserve(ng_detector *detector, size_t n, ng_error *err);
/* The raw pixels of a patch into detector->pixels; other labels met become neighbours of `c`. */
void ng_detector_gather(ng_detector *detector, const ng_image *raw, const ng_patch *patch,
                        ng_candidate *c);
/* Take off these pixels what the disks of the neighbours of `c`, as in detector->before, put there.
 */
void ng_detector_subtract(ng_detector *detector, const ng_candidate *c);
/* Fit a piece anew, from its mask, with the disks of its neighbours taken off. */
void ng_detector_refit(ng_detector *detector, const ng_image *raw, uint32_t own);
void ng_candidate_note(ng_candidate *c, uint32_t neighbour);
/* Whether their edges are near each other. */
bool ng_candidates_crowd(const ng_detector *detector, const ng_candidate *a, const ng_candidate *b);

/* ---- detect_joint.c ---------------------------------------------------------------------- */

/* Pieces that two disks explain better than one become two; disks that crowd are fitted together.
 */
NG_MUST_CHECK ng_status ng_detector_joint(ng_detector *detector, const ng_image *raw,
                                          ng_error *err);

#endif
