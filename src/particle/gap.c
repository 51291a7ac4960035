/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "doubt.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* Steps over two frames end within so many s.d. of one coordinate with this probability. */
#define NEAR_SD 2.5
#define NEAR_SHARE 0.956
#define LEAST_RETURN 0.02 /* over the frames unseen */
#define MOST_RETURN 0.9
#define ENDS_TO_LEARN 50.0
/* In so many steps those that wander go their root times as far as in one, those that stay no
 * further. */
#define STILL_WAY 1.4
enum { STILL_STEPS = 5, END_POINTS = 7 };

/* Segments that end and segments that begin later are rows and columns of one problem for the whole
 * movie. It is sparse: an end sees the beginnings of the next few frames within its reach. */

typedef struct gap_problem {
    size_t *row_point;    /* owned: the last point of each segment that ends, by frame */
    size_t *column_point; /* owned: the first point of each that begins, by frame */
    size_t *frame_first;  /* owned: first column of each frame */
    size_t n_rows, n_columns;
    double *x, *y, *size;             /* owned: where columns begin, */
    double *row_x, *row_y, *row_size; /* and rows end */
    size_t *first, *column, *taken;
    double *cost, *none;
} gap_problem;

static void problem_free(gap_problem *p)
{
    ng_free(p->row_point);
    ng_free(p->column_point);
    ng_free(p->frame_first);
    ng_free(p->x);
    ng_free(p->y);
    ng_free(p->size);
    ng_free(p->row_x);
    ng_free(p->row_y);
    ng_free(p->row_size);
    ng_free(p->first);
    ng_free(p->column);
    ng_free(p->taken);
    ng_free(p->cost);
    ng_free(p->none);
}

static size_t step_along(const ng_points *points, size_t k, long direction)
{
    return direction > 0 ? points->next[k] : points->previous[k];
}

/* Whether points go no further in several frames than in one: then steps are errors of measurement
 * around places that stay. */
static bool are_still(const ng_points *points)
{
    size_t n = 0;
    double *one = NG_NEW(double, 2 * points->n + 1), *many = one + points->n;
    for (size_t k = 0; one != NULL && k < points->n; k++) {
        const size_t next = points->next[k];
        size_t far = k;
        for (int i = 0; i < STILL_STEPS && far != NG_NONE; i++) {
            far = points->next[far];
        }
        if (far != NG_NONE) {
            one[n] = hypot(points->x[next] - points->x[k], points->y[next] - points->y[k]);
            many[n++] = hypot(points->x[far] - points->x[k], points->y[far] - points->y[k]);
        }
    }
    const bool still =
        n > 0 && gsl_stats_median(many, 1, n) < STILL_WAY * gsl_stats_median(one, 1, n);
    ng_free(one);
    return still;
}

/* The end of a segment; where things stay the median of its last points, for the very last one may
 * be half dark, and out of place. */
static void place_end(const ng_points *points, size_t k, long direction, bool still, double *x,
                      double *y, double *size)
{
    double part[3][END_POINTS];
    size_t n = 0;
    for (; n < (still ? END_POINTS : 1) && k != NG_NONE; n++) {
        part[0][n] = points->x[k];
        part[1][n] = points->y[k];
        part[2][n] = points->size[k];
        k = step_along(points, k, direction);
    }
    *x = gsl_stats_median(part[0], 1, n);
    *y = gsl_stats_median(part[1], 1, n);
    *size = gsl_stats_median(part[2], 1, n);
}

static void place_ends(const ng_points *points, gap_problem *p)
{
    const bool still = are_still(points);
    for (size_t r = 0; r < p->n_rows; r++) {
        place_end(points, p->row_point[r], -1, still, &p->row_x[r], &p->row_y[r], &p->row_size[r]);
    }
    for (size_t c = 0; c < p->n_columns; c++) {
        place_end(points, p->column_point[c], 1, still, &p->x[c], &p->y[c], &p->size[c]);
    }
}

static bool list_ends(const ng_points *points, gap_problem *p)
{
    size_t n_ends = 0, n_starts = 0;
    for (size_t k = 0; k < points->n; k++) {
        n_ends += points->next[k] == NG_NONE;
        n_starts += points->previous[k] == NG_NONE;
    }
    p->row_point = NG_NEW(size_t, n_ends);
    p->column_point = NG_NEW(size_t, n_starts);
    p->frame_first = NG_NEW(size_t, points->n_frames + 1);
    p->x = NG_NEW(double, n_starts);
    p->y = NG_NEW(double, n_starts);
    p->size = NG_NEW(double, n_starts);
    p->row_x = NG_NEW(double, n_ends);
    p->row_y = NG_NEW(double, n_ends);
    p->row_size = NG_NEW(double, n_ends);
    p->first = NG_NEW(size_t, n_ends + 1);
    p->taken = NG_NEW(size_t, n_ends);
    p->none = NG_NEW(double, n_ends);
    if (p->row_point == NULL || p->column_point == NULL || p->frame_first == NULL || p->x == NULL ||
        p->y == NULL || p->size == NULL || p->row_x == NULL || p->row_y == NULL ||
        p->row_size == NULL || p->first == NULL || p->taken == NULL || p->none == NULL) {
        return false;
    }
    for (size_t f = 0; f < points->n_frames; f++) {
        p->frame_first[f] = p->n_columns;
        for (size_t k = points->first[f]; k < points->first[f + 1]; k++) {
            if (points->next[k] == NG_NONE) {
                p->row_point[p->n_rows++] = k;
            }
            if (points->previous[k] == NG_NONE) {
                p->column_point[p->n_columns++] = k;
            }
        }
    }
    p->frame_first[points->n_frames] = p->n_columns;
    place_ends(points, p);
    return true;
}

/* A candidate of the frame that is looked at, until it is known which row it belongs to. */
typedef struct pending {
    size_t row, column;
    double cost;
} pending;

typedef struct gap_search {
    const ng_points *points;
    const ng_motion *motion;
    gap_problem *problem;
    pending *list; /* owned */
    size_t n, capacity;
    size_t row, row_first, column_first;
    double frames, miss;
    double *back;      /* owned: share of the lost that come back so many frames later, from 1;
                            NULL: unknown */
    double gone, near; /* share that do not; radius in which a step of one frame ends */
    size_t lags;
    ng_status status;
    ng_error *err;
} gap_search;

/* Where disks meet or part, the middle of a blob jumps by up to its radius. */
static bool is_same_blob(const ng_points *points, const gap_problem *p, size_t row, size_t column,
                         double distance2)
{
    double a = ng_point_radius(points, p->row_point[row]);
    double b = ng_point_radius(points, p->column_point[column]);
    double r = fmax(a, b);
    return distance2 <= r * r;
}

static void add(gap_search *s, pending candidate)
{
    if (s->n - s->row_first == NG_MOST_CANDIDATES) {
        size_t worst = s->row_first;
        for (size_t i = worst + 1; i < s->n; i++) {
            worst = s->list[i].cost > s->list[worst].cost ? i : worst;
        }
        if (candidate.cost < s->list[worst].cost) {
            s->list[worst] = candidate;
        }
        return;
    }
    if (s->n == s->capacity) {
        size_t more = 2 * s->capacity + 256;
        pending *larger = ng_realloc(s->list, more, sizeof *larger);
        if (larger == NULL) {
            s->status = NG_FAIL(s->err, NG_MEMORY, "no memory for %zu candidate gaps", more);
            return;
        }
        s->list = larger;
        s->capacity = more;
    }
    s->list[s->n++] = candidate;
}

static void collect(void *context, size_t index, double distance2)
{
    gap_search *s = context;
    if (s->status != NG_OK) {
        return;
    }
    const gap_problem *p = s->problem;
    size_t column = s->column_first + index;
    double a = p->row_size[s->row], b = p->size[column];
    double cost =
        ng_motion_cost(s->motion, distance2, s->frames) + ng_size_cost(s->motion, a, b) + s->miss;
    if (s->frames == 1.0 && is_same_blob(s->points, p, s->row, column, distance2)) {
        cost = fmin(cost, s->motion->none - 1.0);
    }
    add(s, (pending){s->row, column, cost});
}

/* Ends of frame `from` against beginnings of frame `to`. */
static void search_frame(gap_search *s, const size_t *row_first, size_t from, size_t to,
                         ng_grid *grid)
{
    const gap_problem *p = s->problem;
    const ng_points *points = s->points;
    size_t n = p->frame_first[to + 1] - p->frame_first[to];
    s->frames = (double)(points->frame[to] - points->frame[from]);
    s->column_first = p->frame_first[to];
    if (n == 0 || row_first[from] == row_first[from + 1]) {
        return;
    }
    double reach = s->motion->choice.gate_nm * sqrt(s->frames);
    s->status =
        ng_grid_fill(grid, p->x + s->column_first, p->y + s->column_first, n, reach, s->err);
    /* unless more is known, each frame unseen is as likely as a loss */
    const double loss = fmax(s->motion->choice.loss, 0.02);
    const size_t lag = (size_t)s->frames;
    s->miss = lag == 1          ? 0.0
              : s->back != NULL ? -2.0 * log(s->back[lag - 1] * loss)
                                : -2.0 * (s->frames - 1.0) * log(loss);
    for (size_t r = row_first[from]; r < row_first[from + 1] && s->status == NG_OK; r++) {
        s->row = r;
        s->row_first = s->n;
        ng_grid_near(grid, p->row_x[r], p->row_y[r], reach, collect, s);
    }
}

static void count_one(void *context, size_t index, double distance2)
{
    (void)index;
    (void)distance2;
    ++*(size_t *)context;
}

/* Ends of frame `from` that nothing came back to yet, and now does: counts[lag - 1] of them. */
static void count_returns(gap_search *s, const size_t *row_first, size_t from, size_t to,
                          ng_grid *grid, double *count)
{
    const gap_problem *p = s->problem;
    const ng_points *points = s->points;
    const size_t lag = (size_t)(points->frame[to] - points->frame[from]);
    const size_t first = p->frame_first[to], n = p->frame_first[to + 1] - first;
    const double reach = s->near * sqrt((double)lag);
    double *open = count + s->lags;
    if (n > 0 && row_first[from + 1] > row_first[from]) {
        s->status = ng_grid_fill(grid, p->x + first, p->y + first, n, reach, s->err);
    }
    for (size_t r = row_first[from]; s->status == NG_OK && r < row_first[from + 1]; r++) {
        size_t seen = 0;
        if (p->taken[r] == 0) {
            open[lag - 1] += 1.0;
            if (n > 0) {
                ng_grid_near(grid, p->row_x[r], p->row_y[r], reach, count_one, &seen);
            }
            count[lag - 1] += seen > 0 ? 1.0 : 0.0;
            p->taken[r] = seen > 0;
        }
    }
}

/* Share of the lost that come back after each number of frames: what is counted over what chance
 * puts there, over neighbouring lags. */
static void set_returns(gap_search *s, const double *count)
{
    const double *open = count + s->lags;
    double sum = 0.0;
    for (size_t lag = 2; lag <= s->lags; lag++) {
        const size_t half = lag / 4, low = lag - half < 2 ? 2 : lag - half;
        const size_t high = lag + half > s->lags ? s->lags : lag + half;
        double back = 0.0;
        for (size_t k = low; k <= high; k++) {
            const double area = acos(-1.0) * s->near * s->near * (double)k;
            const double chance = open[k - 1] * s->motion->choice.birth_per_nm2 * area;
            back += (count[k - 1] - chance) / (double)(high - low + 1);
        }
        s->back[lag - 1] = fmax(back / (open[1] * NEAR_SHARE), LEAST_RETURN / (double)lag);
        sum += s->back[lag - 1];
    }
    const double scale = sum > MOST_RETURN ? MOST_RETURN / sum : 1.0;
    for (size_t lag = 2; lag <= s->lags; lag++) {
        s->back[lag - 1] *= scale;
    }
    s->gone = 1.0 - scale * sum;
}

/* Of the lost, how many come back, and when: those that do so nearby, over what chance puts there.
 * Where all that is lost is gone, a gap is hardly ever the better story; where crystals blink, a
 * long one may be. */
static ng_status learn_returns(gap_search *s, const size_t *row_first, long max_gap)
{
    const ng_points *points = s->points;
    const ng_track_choices *c = &s->motion->choice;
    ng_grid grid = {.n = 0};
    s->lags = (size_t)max_gap + 1;
    s->near = fmin(NEAR_SD * c->step_nm, c->gate_nm);
    double *count = NG_NEW(double, 2 * s->lags);
    s->back = NG_NEW(double, s->lags);
    if (count == NULL || s->back == NULL) {
        ng_free(count);
        return NG_FAIL(s->err, NG_MEMORY, "no memory to learn of gaps");
    }
    for (size_t f = 0; f < points->n_frames && s->near > 0.0 && s->status == NG_OK; f++) {
        for (size_t to = f + 1; to < points->n_frames && s->status == NG_OK &&
                                points->frame[to] - points->frame[f] <= max_gap + 1;
             to++) {
            if (points->frame[to] - points->frame[f] > 1) {
                count_returns(s, row_first, f, to, &grid, count);
            }
        }
    }
    s->gone = 1.0;
    if (s->lags > 1 && count[s->lags + 1] >= ENDS_TO_LEARN) {
        set_returns(s, count);
    } else {
        ng_free(s->back);
        s->back = NULL;
    }
    ng_grid_free(&grid);
    ng_free(count);
    return s->status;
}

static ng_status search_all(gap_search *s, const size_t *row_first, long max_gap)
{
    const ng_points *points = s->points;
    ng_grid grid = {.n = 0};
    for (size_t f = 0; f < points->n_frames && s->status == NG_OK; f++) {
        for (size_t to = f + 1; to < points->n_frames && s->status == NG_OK &&
                                points->frame[to] - points->frame[f] <= max_gap + 1;
             to++) {
            search_frame(s, row_first, f, to, &grid);
        }
    }
    ng_grid_free(&grid);
    return s->status;
}

/* Candidates were found frame by frame; the problem wants them row by row. */
static ng_status order_candidates(gap_search *s)
{
    gap_problem *p = s->problem;
    p->column = NG_NEW(size_t, s->n);
    p->cost = NG_NEW(double, s->n);
    if (p->column == NULL || p->cost == NULL) {
        return NG_FAIL(s->err, NG_MEMORY, "no memory for %zu candidate gaps", s->n);
    }
    for (size_t i = 0; i < s->n; i++) {
        p->first[s->list[i].row + 1]++;
    }
    for (size_t r = 0; r < p->n_rows; r++) {
        p->first[r + 1] += p->first[r];
        p->taken[r] = p->first[r]; /* where the next candidate goes */
        p->none[r] = s->motion->none - 2.0 * log(s->gone);
    }
    for (size_t i = 0; i < s->n; i++) {
        size_t at = p->taken[s->list[i].row]++;
        p->column[at] = s->list[i].column;
        p->cost[at] = s->list[i].cost;
    }
    return NG_OK;
}

static size_t *rows_by_frame(const ng_points *points, const gap_problem *p)
{
    size_t *first = NG_NEW(size_t, points->n_frames + 1);
    for (size_t r = 0; first != NULL && r < p->n_rows; r++) {
        first[points->at[p->row_point[r]] + 1]++;
    }
    for (size_t f = 0; first != NULL && f < points->n_frames; f++) {
        first[f + 1] += first[f];
    }
    return first;
}

/* Drop links that are not likely enough. */
static ng_status drop_doubtful(const gap_search *s, const ng_assignment *problem, double least,
                               size_t *dropped)
{
    const gap_problem *p = s->problem;
    const ng_gap_links links = {problem, p->row_point, p->column_point, p->taken};
    double *sure = NG_NEW(double, p->n_rows);
    ng_status status = sure != NULL ? ng_gaps_doubt(s->points, s->motion, &links, sure, s->err)
                                    : NG_FAIL(s->err, NG_MEMORY, "no memory to weigh gaps");
    for (size_t r = 0; r < p->n_rows && status == NG_OK; r++) {
        if (p->taken[r] != NG_NONE && sure[r] < least) {
            ++*dropped;
            p->taken[r] = NG_NONE;
        }
    }
    ng_free(sure);
    return status;
}

ng_status ng_link_gaps(ng_points *points, const ng_motion *motion, long max_gap, size_t *closed,
                       size_t *open, ng_error *err)
{
    gap_problem p = {.n_rows = 0};
    gap_search s = {.points = points, .motion = motion, .problem = &p, .err = err};
    ng_assign_work work = {.n_rows = 0};
    size_t *row_first = NULL;
    ng_status status = NG_OK;
    *closed = *open = 0;
    if (list_ends(points, &p)) {
        row_first = rows_by_frame(points, &p);
    }
    if (row_first == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to close gaps");
        goto out;
    }
    status = learn_returns(&s, row_first, max_gap);
    status = status == NG_OK ? search_all(&s, row_first, max_gap) : status;
    if (status == NG_OK) {
        status = order_candidates(&s);
    }
    if (status == NG_OK) {
        ng_assignment problem = {p.n_rows, p.n_columns, p.first, p.column, p.cost, p.none};
        status = ng_assign(&problem, &work, p.taken, err);
        if (status == NG_OK && motion->choice.gap_score > 0.0) {
            status = drop_doubtful(&s, &problem, motion->choice.gap_score, open);
        }
    }
    for (size_t r = 0; r < p.n_rows && status == NG_OK; r++) {
        if (p.taken[r] != NG_NONE) {
            ng_points_link(points, p.row_point[r], p.column_point[p.taken[r]]);
            *closed += points->frame[points->at[p.column_point[p.taken[r]]]] -
                           points->frame[points->at[p.row_point[r]]] >
                       1;
        }
    }
out:
    ng_free(row_first);
    ng_free(s.list);
    ng_free(s.back);
    ng_assign_work_free(&work);
    problem_free(&p);
    return status;
}
