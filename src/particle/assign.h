/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Sparse linear assignment: each row takes one of its columns or none, each column serves one row,
 * and the sum of costs is least.
 *
 * Rows are added one at a time along shortest augmenting paths on reduced costs (Jonker and
 * Volgenant, Computing 38, 325, 1987). A path never leaves the connected component of its row and
 * ends at the first free column, so that the time grows with the size of the conflicts and not with
 * that of the problem. Equal costs are decided by the lower column.
 */
#ifndef NUCGROW_PARTICLE_ASSIGN_H
#define NUCGROW_PARTICLE_ASSIGN_H

#include <nucgrow/base.h>

#define NG_NONE ((size_t)-1)

/** The columns that row i may take: column[first[i] .. first[i+1]), each once. */
typedef struct ng_assignment {
    size_t n_rows, n_columns;
    const size_t *first;
    const size_t *column;
    const double *cost; /* finite, of any sign */
    const double *none; /* cost of leaving row i alone */
} ng_assignment;

/** Scratch that is kept between problems. Start from zeros. */
typedef struct ng_assign_work {
    struct ng_assign_column *column; /* owned, as are the other lists */
    double *row_cost;
    struct ng_assign_entry *heap;
    size_t *scanned;
    size_t n_columns, n_rows, n_heap; /* capacities */
} ng_assign_work;

/** Fill taken[i]: the column of row i, or NG_NONE. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_assign(const ng_assignment *problem, ng_assign_work *work, size_t *taken,
                                  ng_error *err);
void ng_assign_work_free(ng_assign_work *work);

#endif
