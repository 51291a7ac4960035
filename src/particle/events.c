/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_internal.h"

#include <math.h>
#include <stdlib.h>

#define POSSIBLE 0.1     /* meetings that may belong to the same blob */
#define SETTLED 6        /* frames after two have parted, or one has flickered */
#define LEAST_POINTS 4   /* of one that comes out again; fewer are flicker */
#define PROBABLE 0.3     /* merges and splits that may be the two ends of an occlusion */
#define CLEAR_JUMP 2.0   /* evidence of sizes from which averages stop at an event */
#define SAME_SIZE 9.0    /* squared s.d. between the sizes before and after one */
#define SHAPE_NOISE 0.15 /* s.d. of ln(area) by turning and growing meanwhile */

/* ---- chains of linked points ----------------------------------------------------------- */

/* A blob that ends with another inside it has flickered: both are of one family. */
static bool is_one_blob(const ng_meeting *m)
{
    return m->score >= POSSIBLE || m->distance_nm < fmax(m->radius1_nm, m->radius2_nm);
}

static size_t root_of(size_t *family, size_t k)
{
    while (family[k] != k) {
        family[k] = family[family[k]];
        k = family[k];
    }
    return k;
}

/* Chains by their first points, and with them all that have perhaps become one. */
static size_t *number_families(const ng_points *p, const ng_meetings *merges)
{
    size_t *family = NG_NEW(size_t, p->n);
    for (size_t k = 0; family != NULL && k < p->n; k++) {
        family[k] = p->previous[k] == NG_NONE ? k : family[p->previous[k]];
    }
    for (size_t i = 0; family != NULL && i < merges->n; i++) {
        const ng_meeting *m = &merges->item[i];
        if (is_one_blob(m)) {
            size_t a = root_of(family, m->end), b = root_of(family, m->joined);
            family[a > b ? a : b] = a > b ? b : a;
        }
    }
    for (size_t k = 0; family != NULL && k < p->n; k++) {
        family[k] = root_of(family, k);
    }
    return family;
}

static void mark(const ng_meetings *list, double least, bool *boundary)
{
    for (size_t i = 0; i < list->n; i++) {
        const ng_meeting *m = &list->item[i];
        if (m->score >= least && m->jump > CLEAR_JUMP) {
            boundary[m->split ? m->other : m->joined] = true;
        }
    }
}

/* ---- occlusions: what merged comes apart again ------------------------------------------ */

typedef struct candidate {
    size_t merge, split;
    double cost;
} candidate;

static int by_merge(const void *left, const void *right)
{
    const candidate *a = left;
    const candidate *b = right;
    int order = (a->merge > b->merge) - (a->merge < b->merge);
    return order != 0 ? order : (a->split > b->split) - (a->split < b->split);
}

/* Squared difference of the sizes before and after, in s.d.; without sizes nothing speaks against
 * it but time. */
static double compare_sizes(const ng_points *p, const ng_motion *motion, const ng_meeting *merge,
                            const ng_meeting *split)
{
    double frames = (double)(p->frame[p->at[split->end]] - p->frame[p->at[merge->end]]);
    if (!motion->has_sizes || isnan(merge->radius1_nm) || isnan(split->radius1_nm)) {
        return 0.3 * frames;
    }
    double difference =
        2.0 * log(split->radius1_nm / merge->radius1_nm) - frames * motion->choice.growth_per_frame;
    double noise = fmax(motion->choice.size_noise, 0.02);
    double drift = 0.3 * fabs(frames * motion->choice.growth_per_frame);
    return difference * difference / (noise * noise + SHAPE_NOISE * SHAPE_NOISE + drift * drift);
}

typedef struct split_place {
    size_t chain, frame, index; /* of the one that it came out of */
} split_place;

static int by_chain(const void *left, const void *right)
{
    const split_place *a = left;
    const split_place *b = right;
    int order = (a->chain > b->chain) - (a->chain < b->chain);
    order = order != 0 ? order : (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static size_t first_of_chain(const split_place *list, size_t n, size_t chain)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].chain < chain) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

typedef struct pairing {
    candidate *list; /* owned, as are the others */
    size_t *first, *column, *taken;
    double *cost, *none;
    split_place *place;
    size_t *chain;
    size_t n, capacity;
} pairing;

static void pairing_free(pairing *p)
{
    ng_free(p->list);
    ng_free(p->first);
    ng_free(p->column);
    ng_free(p->taken);
    ng_free(p->cost);
    ng_free(p->none);
    ng_free(p->place);
    ng_free(p->chain);
}

static bool add(pairing *pairs, candidate c)
{
    if (pairs->n == pairs->capacity) {
        size_t more = 2 * pairs->capacity + 64;
        candidate *larger = ng_realloc(pairs->list, more, sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        pairs->list = larger;
        pairs->capacity = more;
    }
    pairs->list[pairs->n++] = c;
    return true;
}

static bool lasts(const ng_points *p, size_t k)
{
    for (int n = 1; n < LEAST_POINTS; n++) {
        k = p->next[k];
        if (k == NG_NONE) {
            return false;
        }
    }
    return true;
}

static const ng_meeting *merge_of(const ng_meetings *merges, size_t end)
{
    size_t low = 0, high = merges->n; /* by their ends, as they were found */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (merges->item[middle].end < end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < merges->n && merges->item[low].end == end ? &merges->item[low] : NULL;
}

/* The point of a blob some frames on; where its track ends, that of the one that took it up. */
static size_t settle(const ng_points *p, const ng_meetings *merges, size_t k)
{
    const long until = p->frame[p->at[k]] + SETTLED;
    size_t last = k;
    while (k != NG_NONE && p->frame[p->at[k]] < until) {
        last = k;
        k = p->next[k];
        const ng_meeting *m = k == NG_NONE ? merge_of(merges, last) : NULL;
        k = m != NULL && is_one_blob(m) ? m->joined : k;
    }
    return k != NG_NONE ? k : last;
}

/* The blob shrank at once as the other came out. */
static bool clearly_split(const ng_judge *j, const ng_meeting *split)
{
    return split->score >= PROBABLE && (!j->motion->has_sizes || split->jump > 0.0);
}

/* Has the blob lost again what it took up? Without sizes its coming apart is enough. */
static bool came_apart(const ng_judge *j, const ng_meetings *merges, const ng_meeting *merge,
                       const ng_meeting *split)
{
    const size_t later = settle(j->points, merges, split->other);
    if (clearly_split(j, split) || !j->motion->has_sizes) {
        return split->score >= PROBABLE;
    }
    /* which of the two goes on under its number is chance */
    return later != split->end && (ng_judge_jump(j, merge->end, merge->other, later) < 0.0 ||
                                   ng_judge_jump(j, merge->other, merge->end, later) < 0.0);
}

/* Each probable merge with each one that comes out of the same blob later on. */
static bool list_candidates(const ng_judge *j, const ng_meetings *merges, const ng_meetings *splits,
                            pairing *pairs)
{
    const ng_points *p = j->points;
    size_t n_places = 0;
    pairs->chain = number_families(p, merges);
    pairs->place = NG_NEW(split_place, splits->n);
    if (pairs->chain == NULL || pairs->place == NULL) {
        return false;
    }
    for (size_t i = 0; i < splits->n; i++) {
        const ng_meeting *m = &splits->item[i];
        if (clearly_split(j, m) || lasts(p, m->end)) {
            pairs->place[n_places++] = (split_place){pairs->chain[m->other], p->at[m->end], i};
        }
    }
    qsort(pairs->place, n_places, sizeof *pairs->place, by_chain);
    for (size_t i = 0; i < merges->n; i++) {
        const ng_meeting *m = &merges->item[i];
        size_t chain = pairs->chain[m->other];
        for (size_t k = first_of_chain(pairs->place, n_places, chain);
             m->score >= PROBABLE && k < n_places && pairs->place[k].chain == chain; k++) {
            const ng_meeting *s = &splits->item[pairs->place[k].index];
            double cost = compare_sizes(p, j->motion, m, s);
            if (pairs->place[k].frame > p->at[m->end] && cost < SAME_SIZE &&
                came_apart(j, merges, m, s) &&
                !add(pairs, (candidate){i, pairs->place[k].index, cost})) {
                return false;
            }
        }
    }
    return true;
}

static bool make_problem(pairing *pairs, size_t n_rows)
{
    pairs->first = NG_NEW(size_t, n_rows + 1);
    pairs->column = NG_NEW(size_t, pairs->n);
    pairs->cost = NG_NEW(double, pairs->n);
    pairs->none = NG_NEW(double, n_rows);
    pairs->taken = NG_NEW(size_t, n_rows);
    if (pairs->first == NULL || pairs->column == NULL || pairs->cost == NULL ||
        pairs->none == NULL || pairs->taken == NULL) {
        return false;
    }
    if (pairs->n > 1) {
        qsort(pairs->list, pairs->n, sizeof *pairs->list, by_merge);
    }
    for (size_t i = 0; i < pairs->n; i++) {
        pairs->first[pairs->list[i].merge + 1]++;
        pairs->column[i] = pairs->list[i].split;
        pairs->cost[i] = pairs->list[i].cost;
    }
    for (size_t r = 0; r < n_rows; r++) {
        pairs->first[r + 1] += pairs->first[r];
        pairs->none[r] = SAME_SIZE;
    }
    return true;
}

/* Link what was occluded; its meetings are no events. */
static ng_status close_occlusions(ng_points *p, const ng_judge *judge, ng_meetings *merges,
                                  ng_meetings *splits, size_t *occlusions, ng_error *err)
{
    pairing pairs = {.n = 0};
    ng_assign_work work = {.n_rows = 0};
    ng_status status = NG_OK;
    if (!list_candidates(judge, merges, splits, &pairs) || !make_problem(&pairs, merges->n)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to compare %zu merges", merges->n);
        goto out;
    }
    ng_assignment problem = {merges->n,    splits->n,  pairs.first,
                             pairs.column, pairs.cost, pairs.none};
    status = ng_assign(&problem, &work, pairs.taken, err);
    for (size_t i = 0; i < merges->n && status == NG_OK; i++) {
        if (pairs.taken[i] != NG_NONE) {
            ng_meeting *split = &splits->item[pairs.taken[i]];
            ng_points_link(p, merges->item[i].end, split->end);
            merges->item[i].score = split->score = 0.0;
            *occlusions += 1;
        }
    }
out:
    ng_assign_work_free(&work);
    pairing_free(&pairs);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------- */

static void keep_likely(ng_meetings *list, double least)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->item[i].score >= least) {
            list->item[kept++] = list->item[i];
        }
    }
    list->n = kept;
}

static ng_status find_both(const ng_judge *judge, ng_meetings *merges, ng_meetings *splits,
                           ng_error *err)
{
    ng_meetings_free(merges);
    ng_meetings_free(splits);
    ng_status status = ng_meetings_find(judge, false, merges, err);
    return status == NG_OK ? ng_meetings_find(judge, true, splits, err) : status;
}

ng_status ng_events_find(ng_points *points, const ng_particles *particles, const ng_motion *motion,
                         double min_score, ng_meetings *merges, ng_meetings *splits,
                         size_t *occlusions, ng_error *err)
{
    ng_judge judge = {.points = points, .particles = particles, .motion = motion};
    *merges = *splits = (ng_meetings){0};
    *occlusions = 0;
    judge.boundary = NG_NEW(bool, points->n);
    if (judge.boundary == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to judge merges");
    }
    ng_judge_look(&judge);
    ng_status status = find_both(&judge, merges, splits, err);
    if (status == NG_OK) {
        /* once more, sizes averaged only up to the events next to each */
        mark(merges, 0.5, judge.boundary);
        mark(splits, 0.5, judge.boundary);
        status = find_both(&judge, merges, splits, err);
    }
    if (status == NG_OK) {
        status = close_occlusions(points, &judge, merges, splits, occlusions, err);
    }
    if (status == NG_OK) {
        keep_likely(merges, min_score);
        keep_likely(splits, min_score);
    } else {
        ng_meetings_free(merges);
        ng_meetings_free(splits);
    }
    ng_free(judge.boundary);
    return status;
}
