/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What finding spots in a frame consists of: spot_peaks.c (filter, peaks), spot_groups.c (who is
 * fitted together), spot_frame.c (the way through), spot_table.c (what leaves). */
#ifndef NUCGROW_SPOT_FRAME_H
#define NUCGROW_SPOT_FRAME_H

#include "spot_internal.h"

#define NG_SPOT_JOIN_WIDTHS 4.0    /* nearer ones are fitted together */
#define NG_SPOT_CROWDED_WIDTHS 3.0 /* nearer ones are flagged */
enum { NG_SPOT_RING = 32 };

typedef struct ng_spot_pair {
    double d2;
    uint32_t a, b;
} ng_spot_pair;

typedef struct ng_spot_ring {
    long x[NG_SPOT_RING], y[NG_SPOT_RING];
} ng_spot_ring;

/* A frame as it is fitted: borrowed. */
typedef struct ng_spot_view {
    ng_image image;
    const unsigned char *bad; /* or NULL */
    float lowest, highest;
} ng_spot_view;

struct ng_spots {
    ng_detect_choices choices;
    size_t width, height;
    ng_blob_filter filter;
    double answer;                       /* of the filter to a spot of height 1 */
    double bend, slope_noise, slope_own; /* of the peak: see ng_spots_put_quick() */
    double own;
    double border[2][NG_BLOB_TAPS]; /* of the noise that far from the border, over that inside */
    ng_image mended, seen, left;    /* `mended` only where pixels are not finite, or dark */
    ng_spot_view view;              /* what is fitted */
    float *line;
    unsigned char *bad;
    ng_blob_peak *peak;
    uint32_t *label;
    ng_spot *spot, *second; /* second: the same where the intensities come from */
    ng_particle *particle;
    const ng_spot **other;
    uint32_t *parent, *size, *member;
    double *x, *y;
    size_t n, room;
    ng_spot_pair *pair;
    size_t n_pairs, pair_room;
    ng_grid grid;
    ng_spot_work work;
    ng_spot_ring ring;
    unsigned char *flux_bad;
    ng_image flux;
};

/* ---- spot_frame.c ------------------------------------------------------------------------ */

/* Room for so many spots; those that are there stay. */
NG_MUST_CHECK ng_status ng_spots_reserve(ng_spots *spots, size_t n, ng_error *err);

/* ---- spot_peaks.c ------------------------------------------------------------------------ */

/* S.d. of a spot as its pixels, each a mean over its area, show it. */
double ng_spot_seen_width(double width);
/* Filter, and what it makes of spots and noise. */
void ng_spots_prepare_filter(ng_spots *spots);
/* No two peaks are neighbours. */
size_t ng_spots_most_peaks(const ng_spots *spots);
/* Pixels around the origin, at `radius` and one further by turns. */
void ng_spot_ring_make(double radius, ng_spot_ring *out);
/* Median of a ring around a place. */
double ng_spot_ring_level(const ng_image *image, double x, double y, const ng_spot_ring *around);
/* Peaks of the filtered image become candidates behind those that are there; `again`: however low
 * they are over the background around them. */
NG_MUST_CHECK ng_status ng_spots_add_peaks(ng_spots *spots, const ng_image *image, bool again,
                                           ng_error *err);
/* Standard errors without a fit. */
void ng_spots_put_quick(const ng_spots *spots, ng_spot *spot);

/* ---- spot_groups.c ----------------------------------------------------------------------- */

/* All pairs within `reach`, nearest first. */
NG_MUST_CHECK ng_status ng_spots_find_pairs(ng_spots *spots, const ng_spot *spot, double reach,
                                            ng_error *err);
/* Fit all groups once; `fresh_only`: those with a member that something happened to. */
NG_MUST_CHECK ng_status ng_spots_fit_round(ng_spots *spots, const ng_spot_scene *scene,
                                           ng_spot *spot, bool fresh_only, ng_error *err);

/* ---- spot_table.c ------------------------------------------------------------------------ */

/* Particles and labels of all spots; pairs up to NG_SPOT_CROWDED_WIDTHS are known. `light`: the
 * same spots where intensities come from. */
void ng_spots_fill_table(ng_spots *spots, const ng_spot *light);

#endif
