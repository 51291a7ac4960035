/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How sure it is that a gap is closed rightly. Two things make it doubtful: another partner for
 * either end, and a neighbour that goes on meanwhile and may be the one that is taken for it. */
#include "doubt.h"

#include <math.h>

#define MOST_STEPS 20000
#define WALK                                                                                       \
    1.5 /* squared ways of two steps over those of one; 2 for walkers, 1 for those at rest */
#define ROUNDS 30 /* of messages; they halve their distance to the limit or better */
#define LEAST_CHANGE 1e-4
#define CAUSE_ROUNDS 30

/* ---- who walks ------------------------------------------------------------------------- */

ng_status ng_points_walk(const ng_points *points, bool *walk, ng_error *err)
{
    const size_t stride = points->n / MOST_STEPS + 1;
    double *one = NG_NEW(double, MOST_STEPS), *two = NG_NEW(double, MOST_STEPS);
    ng_status status =
        one != NULL && two != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory to compare steps");
    size_t n = 0;
    for (size_t k = 0; k < points->n && status == NG_OK; k += stride) {
        const size_t b = points->next[k], c = b != NG_NONE ? points->next[b] : NG_NONE;
        if (c != NG_NONE && points->frame[points->at[c]] - points->frame[points->at[k]] == 2) {
            const double *x = points->x, *y = points->y;
            one[n] = (x[b] - x[k]) * (x[b] - x[k]) + (y[b] - y[k]) * (y[b] - y[k]);
            two[n++] = (x[c] - x[k]) * (x[c] - x[k]) + (y[c] - y[k]) * (y[c] - y[k]);
        }
    }
    *walk = n == 0 || ng_median(two, n) > WALK * ng_median(one, n);
    ng_free(one);
    ng_free(two);
    return status;
}

/* ---- other partners -------------------------------------------------------------------- */

/* Likelihoods of links over those of none, and what each end and each beginning have left for
 * others: the weight of none over that of all they could do. */
typedef struct rivals {
    double *weight, *from_row, *from_column; /* owned; by candidate */
    double *row, *column;                    /* owned: sums */
} rivals;

static void rivals_free(rivals *v)
{
    ng_free(v->weight);
    ng_free(v->from_row);
    ng_free(v->from_column);
    ng_free(v->row);
    ng_free(v->column);
}

static bool rivals_make(const ng_assignment *p, rivals *v)
{
    const size_t n = p->first[p->n_rows];
    v->weight = NG_NEW(double, n);
    v->from_row = NG_NEW(double, n);
    v->from_column = NG_NEW(double, n);
    v->row = NG_NEW(double, p->n_rows);
    v->column = NG_NEW(double, p->n_columns);
    if (v->weight == NULL || v->from_row == NULL || v->from_column == NULL || v->row == NULL ||
        v->column == NULL) {
        return false;
    }
    for (size_t r = 0; r < p->n_rows; r++) {
        for (size_t i = p->first[r]; i < p->first[r + 1]; i++) {
            v->weight[i] = exp(0.5 * fmin(p->none[r] - p->cost[i], 600.0));
            v->from_row[i] = v->from_column[i] = 1.0;
        }
    }
    return true;
}

/* One round of messages between ends and beginnings; the largest change. */
static double exchange_messages(const ng_assignment *p, rivals *v)
{
    double change = 0.0;
    for (size_t c = 0; c < p->n_columns; c++) {
        v->column[c] = 1.0;
    }
    for (size_t r = 0; r < p->n_rows; r++) {
        v->row[r] = 1.0;
        for (size_t i = p->first[r]; i < p->first[r + 1]; i++) {
            v->row[r] += v->weight[i] * v->from_column[i];
        }
        for (size_t i = p->first[r]; i < p->first[r + 1]; i++) {
            v->from_row[i] = 1.0 / (v->row[r] - v->weight[i] * v->from_column[i]);
            v->column[p->column[i]] += v->weight[i] * v->from_row[i];
        }
    }
    for (size_t i = 0; i < p->first[p->n_rows]; i++) {
        const double others = v->column[p->column[i]] - v->weight[i] * v->from_row[i];
        const double message = 1.0 / fmax(others, 1.0);
        change = fmax(change, fabs(message - v->from_column[i]));
        v->from_column[i] = message;
    }
    return change;
}

/* ---- exchanges ------------------------------------------------------------------------- */

/* One gap beside its neighbours: sums of likelihoods. */
typedef struct beside {
    const ng_points *points;
    const ng_motion *motion;
    size_t end, start;
    double share;   /* how often one is unseen because it lies on another, over how often elsewhere,
                       nm^2 */
    double overlap; /* of the gap by way of a neighbour, over that of the straight way */
    double odds;    /* that it is another, over that it is not */
} beside;

static double step(const beside *b, size_t from, size_t to)
{
    const ng_points *p = b->points;
    const double dx = p->x[to] - p->x[from], dy = p->y[to] - p->y[from];
    const double frames = (double)(p->frame[p->at[to]] - p->frame[p->at[from]]);
    return exp(-0.5 * ng_motion_cost(b->motion, dx * dx + dy * dy, frames));
}

static double alike(const beside *b, size_t from, size_t to)
{
    return exp(-0.5 * ng_size_cost(b->motion, b->points->size[from], b->points->size[to]));
}

/* A neighbour that is seen at both ends of the gap, and perhaps between them. Where the one that
 * was unseen lay on it, nothing tells afterwards which of the two is which. */
static void add_neighbour(void *context, size_t index, double distance2)
{
    beside *b = context;
    const ng_points *p = b->points;
    const size_t last = p->at[b->start], here = p->first[p->at[b->end]] + index;
    size_t later = here, between = 0;
    double told = 0.0, exchanged = 0.0, over = 0.0;
    (void)distance2;
    while (later != NG_NONE && p->at[later] < last) {
        later = p->next[later];
    }
    if (here == b->end || later == NG_NONE || p->at[later] != last || later == b->start) {
        return;
    }
    const double own = step(b, b->end, b->start), own_changed = step(b, b->end, later);
    const double other = step(b, here, later), other_changed = step(b, here, b->start);
    for (size_t k = p->next[here]; k != later; k = p->next[k], between++) {
        const double a = step(b, b->end, k), b_start = step(b, k, b->start);
        const double c = step(b, here, k), b_later = step(b, k, later);
        told += c * b_later * own + a * b_start * other;
        exchanged += c * b_start * own_changed + a * b_later * other_changed;
        over += a * b_start * c * b_later;
        b->overlap += a * b_start / own;
    }
    if (between == 0) {
        told = own * other;
        exchanged = own_changed * other_changed;
    }
    const double same = alike(b, b->end, b->start) * alike(b, here, later);
    const double changed = alike(b, b->end, later) * alike(b, here, b->start);
    told = (told + b->share * over) * same;
    exchanged = (exchanged + b->share * over) * changed;
    b->odds += fmin(exchanged / fmax(told, 1e-300), 1e9);
}

/* ---- all gaps -------------------------------------------------------------------------- */

typedef struct survey {
    const ng_points *points;
    const ng_motion *motion;
    const ng_gap_links *links;
    ng_grid grid;
    size_t frame; /* in the grid */
} survey;

/* Links are in the order of frames. */
static ng_status look_beside(survey *s, size_t row, double share, beside *out, ng_error *err)
{
    const ng_points *p = s->points;
    const ng_gap_links *l = s->links;
    const double gate = s->motion->choice.gate_nm;
    *out = (beside){.points = p,
                    .motion = s->motion,
                    .end = l->row_point[row],
                    .start = l->column_point[l->taken[row]],
                    .share = share};
    const size_t frame = p->at[out->end], first = p->first[frame];
    if (frame != s->frame) {
        const size_t n = p->first[frame + 1] - first;
        const ng_status status = ng_grid_fill(&s->grid, p->x + first, p->y + first, n, gate, err);
        if (status != NG_OK) {
            return status;
        }
        s->frame = frame;
    }
    ng_grid_near(&s->grid, p->x[out->end], p->y[out->end], gate, add_neighbour, out);
    return NG_OK;
}

/* A link that was taken. */
typedef struct gap {
    size_t row;
    double weight;  /* of the link over all else that its ends could do */
    double overlap; /* as of `beside` */
} gap;

/* Why those of the gaps were unseen that are right. */
typedef struct causes {
    double share;   /* as of `beside` */
    double covered; /* part of all gaps where it lay on another */
} causes;

/* Probability that a gap is right, exchanges aside. It is less likely where it cannot have lain on
 * another, if that is what gaps come from. */
static double link_sure(const gap *g, const causes *c)
{
    const double w = g->weight * (1.0 - c->covered) * (1.0 + c->share * g->overlap);
    return w / (1.0 + w);
}

/* By expectation-maximisation over all gaps. */
static causes learn_causes(const gap *list, size_t n, double density)
{
    const double area = density > 0.0 ? 1.0 / density : 0.0;
    causes c = {.share = area, .covered = 0.5};
    for (int round = 0; round < CAUSE_ROUNDS && area > 0.0; round++) {
        /* one of either kind besides, so that few gaps do not exclude the other */
        double on = 1.0, off = 1.0;
        for (size_t i = 0; i < n; i++) {
            const double sure = link_sure(&list[i], &c);
            const double covered = c.share * list[i].overlap / (1.0 + c.share * list[i].overlap);
            on += sure * covered;
            off += sure * (1.0 - covered);
        }
        c.share = area * on / off;
        c.covered = on / (on + off);
    }
    return area > 0.0 ? c : (causes){0.0, 0.0};
}

/* The links that were taken, with their weights. */
static size_t list_gaps(const ng_gap_links *links, const rivals *v, gap *list)
{
    const ng_assignment *p = links->problem;
    size_t n = 0;
    for (size_t r = 0; r < p->n_rows; r++) {
        for (size_t i = p->first[r]; i < p->first[r + 1]; i++) {
            if (p->column[i] == links->taken[r]) {
                const double weight = v->weight[i] * v->from_row[i] * v->from_column[i];
                list[n++] = (gap){.row = r, .weight = weight};
            }
        }
    }
    return n;
}

static ng_status weigh_exchanges(survey *s, gap *list, size_t n, double *sure, ng_error *err)
{
    beside b;
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        status = look_beside(s, list[i].row, 0.0, &b, err);
        list[i].overlap = b.overlap;
    }
    const causes c = learn_causes(list, n, s->motion->choice.density_per_nm2);
    s->frame = NG_NONE;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        status = look_beside(s, list[i].row, c.share, &b, err);
        sure[list[i].row] = link_sure(&list[i], &c) / (1.0 + b.odds);
    }
    return status;
}

ng_status ng_gaps_doubt(const ng_points *points, const ng_motion *motion, const ng_gap_links *links,
                        double *sure, ng_error *err)
{
    const ng_assignment *p = links->problem;
    survey s = {.points = points, .motion = motion, .links = links, .frame = NG_NONE};
    rivals v = {.weight = NULL};
    gap *list = NG_NEW(gap, p->n_rows);
    ng_status status = NG_OK;
    if (list == NULL || !rivals_make(p, &v)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to weigh %zu gaps", p->n_rows);
        goto out;
    }
    for (int round = 0; round < ROUNDS && exchange_messages(p, &v) > LEAST_CHANGE; round++) {
    }
    status = weigh_exchanges(&s, list, list_gaps(links, &v, list), sure, err);
out:
    ng_free(list);
    ng_grid_free(&s.grid);
    rivals_free(&v);
    return status;
}
