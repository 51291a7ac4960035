/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "grid.h"

#include <math.h>
#include <string.h>

/* An odd factor: cells of one line stand side by side, lines are scattered. */
#define STRIDE 0x9E3779B1U
#define FARTHEST 4e18 /* cells beyond are one; far from the end of int64_t */

typedef struct ng_grid_entry {
    double x, y;
    int64_t cell_x, cell_y;
    size_t index;
} entry;

static int64_t cell_of(const ng_grid *grid, double offset)
{
    const double at = offset * grid->per_nm;
    if (!(at > -FARTHEST)) {
        return (int64_t)-FARTHEST;
    }
    const int64_t near = at > FARTHEST ? (int64_t)FARTHEST : (int64_t)at;
    return near - ((double)near > at);
}

static size_t place_of(const ng_grid *grid, int64_t cell_x, int64_t cell_y)
{
    return (size_t)((uint64_t)cell_x + (uint64_t)cell_y * STRIDE) & grid->mask;
}

static ng_status reserve(ng_grid *grid, size_t n, ng_error *err)
{
    size_t places = 16;
    while (places < 2 * n) {
        places *= 2;
    }
    grid->mask = places - 1;
    if (places + 2 > grid->start_capacity) {
        size_t *start = ng_realloc(grid->start, places + 2, sizeof *start);
        if (start == NULL) {
            goto no_memory;
        }
        grid->start = start;
        grid->start_capacity = places + 2;
    }
    if (n > grid->entry_capacity) {
        entry *larger = ng_realloc(grid->entry, n + n / 2, sizeof *larger);
        if (larger == NULL) {
            goto no_memory;
        }
        grid->entry = larger;
        larger = ng_realloc(grid->unsorted, n + n / 2, sizeof *larger);
        if (larger == NULL) {
            goto no_memory;
        }
        grid->unsorted = larger;
        grid->entry_capacity = n + n / 2;
    }
    return NG_OK;
no_memory:
    return NG_FAIL(err, NG_MEMORY, "no memory to sort %zu particles into cells", n);
}

ng_status ng_grid_fill(ng_grid *grid, const double *x, const double *y, size_t n, double cell,
                       ng_error *err)
{
    ng_status status = reserve(grid, n, err);
    if (status != NG_OK) {
        return status;
    }
    /* a little wider, so that rounding puts no neighbour two cells away */
    grid->per_nm = (1.0 - 1e-9) / cell;
    grid->n = n;
    grid->x0 = n > 0 ? x[0] : 0.0;
    grid->y0 = n > 0 ? y[0] : 0.0;
    size_t *start = grid->start;
    memset(start, 0, (grid->mask + 3) * sizeof *start);
    for (size_t i = 0; i < n; i++) {
        const entry e = {x[i], y[i], cell_of(grid, x[i] - grid->x0), cell_of(grid, y[i] - grid->y0),
                         i};
        grid->unsorted[i] = e;
        start[place_of(grid, e.cell_x, e.cell_y) + 2]++;
    }
    for (size_t i = 2; i <= grid->mask + 2; i++) {
        start[i] += start[i - 1];
    }
    for (size_t i = 0; i < n; i++) {
        const entry e = grid->unsorted[i];
        grid->entry[start[place_of(grid, e.cell_x, e.cell_y) + 1]++] = e;
    }
    return NG_OK;
}

static inline __attribute__((always_inline)) void
visit_places(const ng_grid *grid, double x, double y, double radius, const int64_t cell[3],
             const size_t place[2], ng_grid_visit *visit, void *context)
{
    const size_t end = grid->start[place[1] + 1];
    for (size_t k = grid->start[place[0]]; k < end; k++) {
        const entry *e = &grid->entry[k];
        const double dx = e->x - x, dy = e->y - y;
        const double distance2 = dx * dx + dy * dy;
        /* several cells share a place: the point must be of one of these */
        if (distance2 <= radius * radius && e->cell_y == cell[2] && e->cell_x >= cell[0] &&
            e->cell_x <= cell[1]) {
            visit(context, e->index, distance2);
        }
    }
}

/* Cells of one line have places side by side, but for the end of the table. */
static inline __attribute__((always_inline)) void visit_near(const ng_grid *grid, double x,
                                                             double y, double radius,
                                                             ng_grid_visit *visit, void *context)
{
    const int64_t at_x = cell_of(grid, x - grid->x0), at_y = cell_of(grid, y - grid->y0);
    for (int64_t line = at_y - 1; line <= at_y + 1; line++) {
        const size_t first = place_of(grid, at_x - 1, line), last = place_of(grid, at_x + 1, line);
        if (last == first + 2) {
            visit_places(grid, x, y, radius, (int64_t[]){at_x - 1, at_x + 1, line},
                         (size_t[]){first, last}, visit, context);
            continue;
        }
        for (int64_t at = at_x - 1; at <= at_x + 1; at++) {
            const size_t place = place_of(grid, at, line);
            visit_places(grid, x, y, radius, (int64_t[]){at, at, line}, (size_t[]){place, place},
                         visit, context);
        }
    }
}

void ng_grid_near(const ng_grid *grid, double x, double y, double radius, ng_grid_visit *visit,
                  void *context)
{
    visit_near(grid, x, y, radius, visit, context);
}

typedef struct nearest {
    size_t index, except;
    double distance2;
} nearest;

static void keep_nearest(void *context, size_t index, double distance2)
{
    nearest *best = context;
    bool nearer =
        distance2 < best->distance2 || (distance2 == best->distance2 && index < best->index);
    if (nearer && index != best->except) {
        best->index = index;
        best->distance2 = distance2;
    }
}

size_t ng_grid_nearest(const ng_grid *grid, double x, double y, double radius, size_t except,
                       double *distance2)
{
    nearest best = {(size_t)-1, except, HUGE_VAL};
    visit_near(grid, x, y, radius, keep_nearest, &best);
    *distance2 = best.distance2;
    return best.index;
}

void ng_grid_free(ng_grid *grid)
{
    ng_free(grid->start);
    ng_free(grid->entry);
    ng_free(grid->unsorted);
    *grid = (ng_grid){0};
}
