/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_internal.h"

#include <math.h>

#define LEARN_PAIRS 40 /* of frames, from which losses and births are learned */
#define LEARN_ROUNDS 3
#define USUAL_LONG 0.02   /* share of long steps from which they are linked at once */
#define LEAST_SHARE 0.002 /* losses and births are never thought rarer */

void ng_linker_free(ng_linker *linker)
{
    ng_grid_free(&linker->grid);
    ng_assign_work_free(&linker->work);
    ng_free(linker->first);
    ng_free(linker->column);
    ng_free(linker->taken);
    ng_free(linker->cost);
    ng_free(linker->none);
    *linker = (ng_linker){0};
}

static ng_status reserve_rows(ng_linker *l, size_t n, ng_error *err)
{
    if (n < l->n_rows) {
        return NG_OK;
    }
    size_t more = n + n / 2 + 16;
    size_t *first = ng_realloc(l->first, more + 1, sizeof *first);
    l->first = first != NULL ? first : l->first;
    size_t *taken = ng_realloc(l->taken, more, sizeof *taken);
    l->taken = taken != NULL ? taken : l->taken;
    double *none = ng_realloc(l->none, more, sizeof *none);
    l->none = none != NULL ? none : l->none;
    if (first == NULL || taken == NULL || none == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to link %zu particles of a frame", n);
    }
    l->n_rows = more;
    return NG_OK;
}

static ng_status reserve_candidates(ng_linker *l, size_t n, ng_error *err)
{
    if (n <= l->n_candidates) {
        return NG_OK;
    }
    size_t more = 2 * n + 64;
    size_t *column = ng_realloc(l->column, more, sizeof *column);
    l->column = column != NULL ? column : l->column;
    double *cost = ng_realloc(l->cost, more, sizeof *cost);
    l->cost = cost != NULL ? cost : l->cost;
    if (column == NULL || cost == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu candidate links", more);
    }
    l->n_candidates = more;
    return NG_OK;
}

/* The candidates of one source as they are found. */
typedef struct collector {
    ng_linker *linker;
    const ng_points *points;
    const ng_motion *motion;
    size_t source, to_first;
    size_t first, n; /* candidates: of this source, and of all up to now */
    double frames;
    ng_status status;
    ng_error *err;
} collector;

static size_t costliest(const ng_linker *l, size_t first, size_t n)
{
    size_t worst = first;
    for (size_t i = first + 1; i < n; i++) {
        worst = l->cost[i] > l->cost[worst] ? i : worst;
    }
    return worst;
}

static void collect(void *context, size_t index, double distance2)
{
    collector *c = context;
    if (c->status == NG_OK) {
        c->status = reserve_candidates(c->linker, c->n + 1, c->err);
    }
    if (c->status != NG_OK) {
        return;
    }
    const double *size = c->points->size;
    const double cost = ng_motion_cost(c->motion, distance2, c->frames) +
                        ng_size_cost(c->motion, size[c->source], size[c->to_first + index]);
    size_t at = c->n;
    if (at - c->first == NG_MOST_CANDIDATES) {
        at = costliest(c->linker, c->first, c->n);
        if (cost >= c->linker->cost[at]) {
            return;
        }
    } else {
        c->n++;
    }
    c->linker->column[at] = index;
    c->linker->cost[at] = cost;
}

ng_status ng_link_pair(ng_points *points, const ng_motion *motion, size_t from, size_t to,
                       ng_linker *l, ng_error *err)
{
    const size_t a = points->first[from], n_a = points->first[from + 1] - a;
    const size_t b = points->first[to], n_b = points->first[to + 1] - b;
    const double frames = (double)(points->frame[to] - points->frame[from]);
    const double gate = motion->choice.gate_nm * sqrt(frames);
    ng_status status = reserve_rows(l, n_a, err);
    if (status == NG_OK) {
        status = ng_grid_fill(&l->grid, points->x + b, points->y + b, n_b, gate, err);
    }
    collector c = {l, points, motion, a, b, 0, 0, frames, status, err};
    for (size_t i = 0; i < n_a && c.status == NG_OK; i++) {
        l->first[i] = c.first = c.n;
        l->none[i] = motion->none_pair;
        c.source = a + i;
        ng_grid_near(&l->grid, points->x[a + i], points->y[a + i], gate, collect, &c);
    }
    if (c.status != NG_OK) {
        return c.status;
    }
    l->first[n_a] = c.n;
    ng_assignment problem = {n_a, n_b, l->first, l->column, l->cost, l->none};
    status = ng_assign(&problem, &l->work, l->taken, err);
    for (size_t i = 0; i < n_a && status == NG_OK; i++) {
        if (l->taken[i] != NG_NONE) {
            ng_points_link(points, a + i, b + l->taken[i]);
        }
    }
    return status;
}

ng_status ng_link_frames(ng_points *points, const ng_motion *motion, long max_gap,
                         const ng_run *run, ng_error *err)
{
    ng_linker linker = {.n_rows = 0};
    ng_status status = NG_OK;
    for (size_t f = 0; f + 1 < points->n_frames && status == NG_OK; f++) {
        if (points->frame[f + 1] - points->frame[f] <= max_gap + 1) {
            status = ng_link_pair(points, motion, f, f + 1, &linker, err);
        }
        if (f % 256 == 0 && status == NG_OK && !ng_run_progress(run, "link", f, points->n_frames)) {
            status = NG_FAIL(err, NG_CANCELLED, "interrupted while frames were linked");
        }
    }
    ng_linker_free(&linker);
    return status;
}

/* ---- what ends and begins -------------------------------------------------------------- */

/* Count what a pair left alone, and forget its links. */
static void count_and_unlink(ng_points *points, size_t f, double count[3])
{
    for (size_t k = points->first[f]; k < points->first[f + 1]; k++) {
        count[0] += 1.0;
        count[1] += points->next[k] == NG_NONE;
        points->next[k] = NG_NONE;
    }
    for (size_t k = points->first[f + 1]; k < points->first[f + 2]; k++) {
        count[2] += points->previous[k] == NG_NONE;
        points->previous[k] = NG_NONE;
    }
}

static void set_none(ng_motion *motion, double loss, double birth_share)
{
    ng_track_choices *c = &motion->choice;
    double density = c->density_per_nm2;
    if (!(density > 0.0)) {
        density = 0.05 / (c->gate_nm * c->gate_nm);
    }
    c->loss = fmax(loss, LEAST_SHARE);
    c->birth_per_nm2 = density * fmax(birth_share, LEAST_SHARE);
    motion->none = motion->none_pair = -2.0 * log(c->loss * c->birth_per_nm2);
}

/* Where a particle was missed and another seen again, a long step from one to the other is cheap
 * unless it competes with the two gaps; the gaps are offered later, and long steps once more. */
static void expect_gaps(ng_motion *motion)
{
    const double step = fmax(motion->choice.step_nm, 0.0);
    double gap = ng_motion_cost(motion, 4.0 * step * step, 2.0) - 2.0 * log(motion->choice.loss);
    const bool usual = motion->choice.long_steps > USUAL_LONG;
    motion->none_pair = usual ? motion->none : fmin(motion->none, 2.0 * gap);
}

ng_status ng_link_learn(ng_points *points, ng_motion *motion, bool gaps, ng_error *err)
{
    ng_linker linker = {.n_rows = 0};
    ng_status status = NG_OK;
    size_t stride = points->n_frames > LEARN_PAIRS ? points->n_frames / LEARN_PAIRS : 1;
    set_none(motion, 0.05, 0.05);
    for (int round = 0; round < LEARN_ROUNDS && status == NG_OK; round++) {
        double count[3] = {0.0, 0.0, 0.0};
        for (size_t f = 0; f + 1 < points->n_frames && status == NG_OK; f += stride) {
            if (points->frame[f + 1] - points->frame[f] == 1) {
                status = ng_link_pair(points, motion, f, f + 1, &linker, err);
                count_and_unlink(points, f, count);
            }
        }
        if (count[0] > 0.0) {
            set_none(motion, count[1] / count[0], count[2] / count[0]);
        }
    }
    if (gaps) {
        expect_gaps(motion);
    }
    ng_linker_free(&linker);
    return status;
}
