/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Points in square cells, to find neighbours. Cells share a table of about as many places as there
 * are points, so that memory and time are linear however far apart the points lie.
 */
#ifndef NUCGROW_PARTICLE_GRID_H
#define NUCGROW_PARTICLE_GRID_H

#include <nucgrow/base.h>

/** Start from zeros; memory is kept from one filling to the next. */
typedef struct ng_grid {
    double per_nm; /* cells */
    double x0, y0;
    size_t *start;                  /* owned: first entry of each place, mask + 3 of them */
    struct ng_grid_entry *entry;    /* owned: points by place */
    struct ng_grid_entry *unsorted; /* owned: as they are filled in */
    size_t mask, n, start_capacity, entry_capacity;
} ng_grid;

/** Called for each neighbour: `index` as in the arrays, squared distance. */
typedef void ng_grid_visit(void *context, size_t index, double distance2);

/** Sort n points into cells; cell > 0. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_grid_fill(ng_grid *grid, const double *x, const double *y, size_t n,
                                     double cell, ng_error *err);
/** Visit the points within `radius` <= cell of (x, y), in no meaningful but a fixed order. */
void ng_grid_near(const ng_grid *grid, double x, double y, double radius, ng_grid_visit *visit,
                  void *context);
/** Nearest point within `radius` <= cell, of equals the lowest; (size_t)-1: none. `except` is left
 * out. */
size_t ng_grid_nearest(const ng_grid *grid, double x, double y, double radius, size_t except,
                       double *distance2);
void ng_grid_free(ng_grid *grid);

#endif
