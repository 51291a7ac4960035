/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who lies beside whom, and fits of those that do. */
#include "spot_frame.h"

#include <stdlib.h>

/* ---- who lies beside whom ---------------------------------------------------------------- */

typedef struct visit {
    ng_spots *s;
    uint32_t from;
    double nearest2;
    bool out_of_memory;
} visit;

static void note_pair(void *context, size_t index, double d2)
{
    visit *v = context;
    ng_spots *s = v->s;
    if (index <= v->from || v->out_of_memory) {
        return;
    }
    if (s->n_pairs == s->pair_room) {
        const size_t room = 2 * s->pair_room + 256;
        ng_spot_pair *more = ng_realloc(s->pair, room, sizeof *more);
        if (more == NULL) {
            v->out_of_memory = true;
            return;
        }
        s->pair = more;
        s->pair_room = room;
    }
    s->pair[s->n_pairs++] = (ng_spot_pair){d2, v->from, (uint32_t)index};
}

static int by_distance(const void *left, const void *right)
{
    const ng_spot_pair *a = left, *b = right;
    if (a->d2 != b->d2) {
        return a->d2 < b->d2 ? -1 : 1;
    }
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b > b->b) - (a->b < b->b);
}

/* All pairs whose light may meet, nearest first. */
ng_status ng_spots_find_pairs(ng_spots *s, const ng_spot *spot, double reach, ng_error *err)
{
    visit v = {.s = s};
    s->n_pairs = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->x[i] = spot[i].x;
        s->y[i] = spot[i].y;
    }
    ng_status status = ng_grid_fill(&s->grid, s->x, s->y, s->n, reach, err);
    for (size_t i = 0; status == NG_OK && i < s->n; i++) {
        v.from = (uint32_t)i;
        ng_grid_near(&s->grid, s->x[i], s->y[i], reach, note_pair, &v);
    }
    if (v.out_of_memory) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for the neighbours of %zu spots", s->n);
    }
    if (status == NG_OK && s->n_pairs > 1) {
        qsort(s->pair, s->n_pairs, sizeof *s->pair, by_distance);
    }
    return status;
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Groups of spots that are fitted together: nearest pairs first, none too large. Members of a group
 * follow each other in s->member; s->size of a root is its number. */
static void join(ng_spots *s, double within)
{
    for (uint32_t i = 0; i < s->n; i++) {
        s->parent[i] = i;
        s->size[i] = 1;
    }
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < within * within; k++) {
        const uint32_t a = root_of(s->parent, s->pair[k].a), b = root_of(s->parent, s->pair[k].b);
        if (a != b && s->size[a] + s->size[b] <= NG_SPOT_CLUSTER) {
            s->parent[a > b ? a : b] = a > b ? b : a;
            s->size[a > b ? b : a] += s->size[a > b ? a : b];
        }
    }
}

/* ---- fitting in groups ------------------------------------------------------------------- */

/* Pairs of each spot lie scattered; they are put in order once a round: start[i] .. start[i+1]. */
typedef struct adjacency {
    uint32_t *start, *to;
} adjacency;

static ng_status sort_pairs(const ng_spots *s, adjacency *a, ng_error *err)
{
    a->start = NG_NEW(uint32_t, s->n + 2);
    a->to = NG_NEW(uint32_t, 2 * s->n_pairs + 1);
    if (a->start == NULL || a->to == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the neighbours of %zu spots", s->n);
    }
    for (size_t k = 0; k < s->n_pairs; k++) {
        a->start[s->pair[k].a + 2]++;
        a->start[s->pair[k].b + 2]++;
    }
    for (size_t i = 2; i < s->n + 2; i++) {
        a->start[i] += a->start[i - 1];
    }
    for (size_t k = 0; k < s->n_pairs; k++) {
        const ng_spot_pair *p = &s->pair[k];
        a->to[a->start[p->a + 1]++] = p->b;
        a->to[a->start[p->b + 1]++] = p->a;
    }
    return NG_OK;
}

/* Neighbours of a group that are not in it; `near`: one whose light matters in its pixels. */
static size_t gather_others(ng_spots *s, const ng_spot *spot, const adjacency *a, uint32_t root,
                            const uint32_t *member, size_t n, bool *near)
{
    const double matters = (double)ng_spot_reach(spot[root].width) + spot[root].width;
    size_t found = 0;
    *near = false;
    for (size_t m = 0; m < n; m++) {
        for (uint32_t k = a->start[member[m]]; k < a->start[member[m] + 1]; k++) {
            const ng_spot *other = &spot[a->to[k]];
            bool known = root_of(s->parent, a->to[k]) == root;
            for (size_t i = 0; i < found && !known && n > 1; i++) {
                known = s->other[i] == other;
            }
            if (!known) {
                const double dx = other->x - spot[member[m]].x, dy = other->y - spot[member[m]].y;
                *near = *near || dx * dx + dy * dy < matters * matters;
                s->other[found++] = other;
            }
        }
    }
    return found;
}

/* Members of all groups, by root: counting. */
static void list_members(ng_spots *s, uint32_t *first)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (root_of(s->parent, i) == i) {
            first[i] = at;
            at += s->size[i];
        }
    }
    for (uint32_t i = 0; i < s->n; i++) {
        s->member[first[root_of(s->parent, i)]++] = i;
    }
}

/* A group that does not settle loses its weakest member, until it does. */
static ng_status fit_group(ng_spots *s, const ng_spot_scene *scene, ng_spot **group, size_t n,
                           size_t others, ng_error *err)
{
    ng_status status = ng_spot_fit(&s->work, scene, group, n, s->other, others, err);
    while (status == NG_OK && n > 1 && !group[0]->fitted && !scene->fixed_places) {
        size_t weakest = 0;
        for (size_t k = 1; k < n; k++) {
            weakest = group[k]->flux < group[weakest]->flux ? k : weakest;
        }
        group[weakest]->z = group[weakest]->flux = 0.0;
        group[weakest] = group[--n];
        status = ng_spot_fit(&s->work, scene, group, n, s->other, others, err);
    }
    return status;
}

/* One round over all groups; `fresh_only`: those with a member that something happened to. */
ng_status ng_spots_fit_round(ng_spots *s, const ng_spot_scene *scene, ng_spot *spot,
                             bool fresh_only, ng_error *err)
{
    adjacency near = {NULL, NULL};
    uint32_t *first = NULL;
    ng_status status = ng_spots_find_pairs(s, spot, (double)scene->reach + 3.0 * scene->width, err);
    status = status == NG_OK ? sort_pairs(s, &near, err) : status;
    if (status == NG_OK) {
        first = NG_NEW(uint32_t, s->n + 1);
        status = first != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for %zu spots", s->n);
    }
    if (status == NG_OK) {
        join(s, NG_SPOT_JOIN_WIDTHS * scene->width);
        list_members(s, first);
    }
    for (uint32_t i = 0; status == NG_OK && i < s->n; i++) {
        if (s->parent[i] != i) {
            continue;
        }
        ng_spot *group[NG_SPOT_CLUSTER];
        const size_t n = s->size[i];
        const uint32_t *member = s->member + first[i] - n; /* list_members moved `first` on */
        bool fresh = false;
        for (size_t k = 0; k < n; k++) {
            group[k] = &spot[member[k]];
            fresh = fresh || group[k]->fresh;
        }
        bool beside = false;
        const size_t others = gather_others(s, spot, &near, i, member, n, &beside);
        if (fresh || (!fresh_only && (beside || (scene->fixed_places && others > 0)))) {
            status = fit_group(s, scene, group, n, others, err);
        }
        for (size_t k = 0; k < n; k++) {
            spot[member[k]].fresh = false;
        }
    }
    ng_free(near.start);
    ng_free(near.to);
    ng_free(first);
    return status;
}
