/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of the pair density share. */
#ifndef NUCGROW_PAIRS_INTERNAL_H
#define NUCGROW_PAIRS_INTERNAL_H

#include <nucgrow/pairs.h>

#define SINK_REACH 9.0 /* widths; exp(-9^2/2) = 3e-18: the sink ends here */

/* Cells in the gap x; they keep it while contact moves. */
typedef struct pair_grid {
    double extent_nm, sink_nm, width_nm;
    size_t cells;
    double *face;                /* owned: cells + 1, from 0 */
    double *middle;              /* owned */
    double *sink;                /* owned: 3 a cell, integrals of W, (x-l) W, (x-l)^2 W */
    size_t sink_begin, sink_end; /* cells that the sink reaches */
} pair_grid;

NG_MUST_CHECK ng_status ng_pair_grid_make(double extent_nm, double sink_nm, double width_nm,
                                          size_t cells, pair_grid *g, ng_error *err);
void ng_pair_grid_free(pair_grid *g);

#endif
