/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where one goes on while another is unseen beside it, they may have exchanged places. */
#include "link_internal.h"

#include <math.h>

typedef struct exchange {
    const ng_points *points;
    const ng_motion *motion;
    size_t end, start; /* of the gap */
    double frames, odds;
} exchange;

static double cost_between(const exchange *e, size_t from, size_t to)
{
    const ng_points *p = e->points;
    const double dx = p->x[to] - p->x[from], dy = p->y[to] - p->y[from];
    return ng_motion_cost(e->motion, dx * dx + dy * dy, e->frames) +
           ng_size_cost(e->motion, p->size[from], p->size[to]);
}

/* A neighbour that is seen at both ends of the gap: odds that each is the other afterwards. */
static void add_neighbour(void *context, size_t index, double distance2)
{
    exchange *e = context;
    const ng_points *p = e->points;
    const size_t frame = p->at[e->start], here = p->first[p->at[e->end]] + index;
    size_t later = here;
    (void)distance2;
    while (later != NG_NONE && p->at[later] < frame) {
        later = p->next[later];
    }
    if (here == e->end || later == NG_NONE || p->at[later] != frame || later == e->start) {
        return;
    }
    const double as_told = cost_between(e, here, later) + cost_between(e, e->end, e->start);
    const double exchanged = cost_between(e, here, e->start) + cost_between(e, e->end, later);
    e->odds += exp(0.5 * fmin(as_told - exchanged, 40.0));
}

double ng_exchange_odds(const ng_points *points, const ng_motion *motion, const ng_grid *grid,
                        size_t end, size_t start)
{
    exchange e = {.points = points, .motion = motion, .end = end, .start = start};
    e.frames = (double)(points->frame[points->at[start]] - points->frame[points->at[end]]);
    ng_grid_near(grid, points->x[end], points->y[end], motion->choice.gate_nm, add_neighbour, &e);
    return e.odds;
}
