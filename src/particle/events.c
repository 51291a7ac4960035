/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_internal.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#define POSSIBLE 0.1     /* meetings that may belong to the same blob */
#define SETTLED 6        /* frames after two have parted, or one has flickered */
#define PROBABLE 0.3     /* merges and splits that may be the two ends of an occlusion */
#define CLEAR_JUMP 2.0   /* evidence of sizes from which averages stop at an event */
#define SAME_SIZE 9.0    /* squared s.d. between the sizes before and after one */
#define KEPT 3.0         /* evidence of sizes below which a blob has lost what it took up */
#define PASSES 4         /* rounds in which they are looked for */
#define SHAPE_NOISE 0.15 /* s.d. of ln(area) by turning and growing meanwhile */
#define ROUNDS 20        /* of expectation and maximisation */
#define USUAL_PASS 10.0  /* frames that a pass lasts, as long as none was seen */
#define APART 10         /* frames after which two that have passed meet anew */
#define PAIR_PRIOR 0.5   /* meetings that it counts for what all pairs do, when one is judged */

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
    bool swapped; /* the one that had gone on as the blob came out of it */
} candidate;

static int by_merge(const void *left, const void *right)
{
    const candidate *a = left;
    const candidate *b = right;
    int order = (a->merge > b->merge) - (a->merge < b->merge);
    return order != 0 ? order : (a->split > b->split) - (a->split < b->split);
}

/* Squared difference of two sizes that lie some frames apart, in s.d. */
static double compare_sizes(const ng_motion *motion, double before, double after, double frames)
{
    const double grown = frames * motion->choice.growth_per_frame;
    const double difference = 2.0 * log(after / before) - grown;
    const double noise = fmax(motion->choice.size_noise, 0.02);
    const double drift = 0.3 * fabs(grown);
    return difference * difference / (noise * noise + SHAPE_NOISE * SHAPE_NOISE + drift * drift);
}

/* Does the one that came out have the size of the one that went in? Or the blob of now, and the one
 * that came out that of the blob before? Without sizes nothing speaks against it but time. */
static candidate compare(const ng_points *p, const ng_motion *motion, const ng_meeting *merge,
                         const ng_meeting *split)
{
    const double frames = (double)(p->frame[p->at[split->end]] - p->frame[p->at[merge->end]]);
    candidate c = {.cost = 0.3 * frames};
    if (!motion->has_sizes || isnan(merge->radius1_nm) || isnan(split->radius1_nm)) {
        return c;
    }
    c.cost = compare_sizes(motion, merge->radius1_nm, split->radius1_nm, frames);
    if (c.cost >= SAME_SIZE && p->next[split->joined] == split->other) {
        const double in = compare_sizes(motion, merge->radius1_nm, split->radius2_nm, frames);
        const double out = compare_sizes(motion, merge->radius2_nm, split->radius1_nm, frames);
        c.swapped = fmax(in, out) < SAME_SIZE;
        c.cost = c.swapped ? fmax(in, out) : c.cost;
    }
    return c;
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

static const ng_meeting *meeting_of(const ng_meetings *list, size_t end)
{
    size_t low = 0, high = list->n; /* by their ends, as they were found */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->item[middle].end < end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->n && list->item[low].end == end ? &list->item[low] : NULL;
}

/* The point of a blob some frames on; where its track ends, that of the one that took it up. */
static size_t settle(const ng_points *p, const ng_meetings *merges, size_t k)
{
    const long until = p->frame[p->at[k]] + SETTLED;
    size_t last = k;
    while (k != NG_NONE && p->frame[p->at[k]] < until) {
        last = k;
        k = p->next[k];
        const ng_meeting *m = k == NG_NONE ? meeting_of(merges, last) : NULL;
        k = m != NULL && is_one_blob(m) ? m->joined : k;
    }
    return k != NG_NONE ? k : last;
}

/* The blob shrank at once as the other came out. */
static bool clearly_split(const ng_judge *j, const ng_meeting *split)
{
    return split->score >= PROBABLE && (!j->motion->has_sizes || split->jump + split->shift > 0.0);
}

/* Has the blob lost again what it took up? Without sizes its coming apart is enough. Where they met
 * and parted more than once, what counts is what is left of it after the last time. */
static bool came_apart(const ng_judge *j, const ng_meetings *merges, const ng_meeting *merge,
                       const ng_meeting *split, bool swapped, const size_t *left)
{
    const size_t rest = swapped ? split->end : split->other;
    const size_t last = left[split->end] != NG_NONE ? left[split->end] : rest;
    const size_t later = settle(j->points, merges, last);
    if (clearly_split(j, split) || !j->motion->has_sizes) {
        return split->score >= PROBABLE;
    }
    /* which of the two goes on under its number is chance */
    const double kept = fmin(KEPT, merge->jump);
    return (swapped || later != split->end) &&
           (ng_judge_jump(j, merge->end, merge->other, later) < kept ||
            ng_judge_jump(j, merge->other, merge->end, later) < kept);
}

/* Each probable merge with each one that comes out of the same blob later on. */
static bool list_candidates(const ng_judge *j, const ng_meetings *merges, const ng_meetings *splits,
                            const size_t *left, pairing *pairs)
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
        if (m->score > 0.0 && (clearly_split(j, m) || ng_points_last(p, m->end, false))) {
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
            candidate c = compare(p, j->motion, m, s);
            c.merge = i;
            c.split = pairs->place[k].index;
            if (pairs->place[k].frame > p->at[m->end] && c.cost < SAME_SIZE &&
                came_apart(j, merges, m, s, c.swapped, left) && !add(pairs, c)) {
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

/* Those that were seen to part, and for how long they had lain on each other. */
typedef struct pass {
    size_t one, other; /* points when they had parted; later, first points of their tracks */
    long frame;
} pass;

typedef struct passes {
    pass *list; /* owned */
    size_t n, capacity;
    double frames;
} passes;

static bool note_pass(const ng_points *p, const ng_meeting *merge, const ng_meeting *split,
                      passes *seen)
{
    const long frame = p->frame[p->at[split->end]];
    if (seen->n == seen->capacity) {
        const size_t more = 2 * seen->capacity + 64;
        pass *larger = ng_realloc(seen->list, more, sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        seen->list = larger;
        seen->capacity = more;
    }
    seen->list[seen->n++] = (pass){split->end, split->other, frame};
    seen->frames += (double)(frame - p->frame[p->at[merge->end]]);
    return true;
}

static void link_over(ng_points *p, ng_meeting *merge, ng_meeting *split, bool swapped)
{
    if (swapped && p->next[split->joined] == split->other) {
        ng_points_link(p, split->joined, split->end);
        ng_points_link(p, merge->end, split->other);
    } else {
        ng_points_link(p, merge->end, split->end);
    }
    merge->score = split->score = 0.0;
}

/* By the first point of each track that came out of a blob again: what was left of the blob. */
static bool note_left(const ng_points *p, const pairing *pairs, const ng_meetings *merges,
                      const ng_meetings *splits, size_t *left)
{
    size_t *first = NG_NEW(size_t, p->n);
    for (size_t k = 0; first != NULL && k < p->n; k++) {
        first[k] = p->previous[k] == NG_NONE ? k : first[p->previous[k]];
    }
    for (size_t i = 0; first != NULL && i < pairs->n; i++) {
        const candidate *c = &pairs->list[i];
        if (pairs->taken[c->merge] == c->split) {
            size_t *at = &left[first[merges->item[c->merge].end]];
            const size_t other = splits->item[c->split].other;
            *at = *at == NG_NONE || p->at[other] > p->at[*at] ? other : *at;
        }
    }
    ng_free(first);
    return first != NULL;
}

/* Link what was occluded; its meetings are no events. */
static ng_status close_occlusions(ng_points *p, const ng_judge *judge, ng_meetings *merges,
                                  ng_meetings *splits, size_t *left, passes *seen, ng_error *err)
{
    pairing pairs = {.n = 0};
    ng_assign_work work = {.n_rows = 0};
    ng_status status = NG_OK;
    if (!list_candidates(judge, merges, splits, left, &pairs) || !make_problem(&pairs, merges->n)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to compare %zu merges", merges->n);
        goto out;
    }
    ng_assignment problem = {merges->n,    splits->n,  pairs.first,
                             pairs.column, pairs.cost, pairs.none};
    status = ng_assign(&problem, &work, pairs.taken, err);
    for (size_t i = 0; i < pairs.n && status == NG_OK; i++) {
        const candidate *c = &pairs.list[i];
        if (pairs.taken[c->merge] == c->split) {
            ng_meeting *merge = &merges->item[c->merge], *split = &splits->item[c->split];
            status = note_pass(p, merge, split, seen)
                         ? NG_OK
                         : NG_FAIL(err, NG_MEMORY, "no memory for %zu passes", seen->n);
            link_over(p, merge, split, c->swapped);
        }
    }
    if (status == NG_OK && !note_left(p, &pairs, merges, splits, left)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to follow %zu points", p->n);
    }
out:
    ng_assign_work_free(&work);
    pairing_free(&pairs);
    return status;
}

/* One pass may hide another: two that flicker as they part are only known to have parted once their
 * last pass is. */
static ng_status close_all(ng_points *p, const ng_judge *judge, ng_meetings *merges,
                           ng_meetings *splits, passes *seen, ng_error *err)
{
    size_t *left = NG_NEW(size_t, p->n);
    bool closed = true;
    ng_status status = NG_OK;
    if (left == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to follow %zu points", p->n);
    }
    for (size_t k = 0; k < p->n; k++) {
        left[k] = NG_NONE;
    }
    for (int round = 0; round < PASSES && closed && status == NG_OK; round++) {
        const size_t before = seen->n;
        status = close_occlusions(p, judge, merges, splits, left, seen, err);
        closed = seen->n > before;
    }
    ng_free(left);
    return status;
}

/* ---- flicker: what comes out of a blob for a moment and goes back in -------------------- */

static size_t first_of_flicker(const ng_points *p, size_t k)
{
    size_t n = 1;
    while (p->previous[k] != NG_NONE && n < NG_LEAST_POINTS) {
        k = p->previous[k];
        n++;
    }
    return n < NG_LEAST_POINTS ? k : NG_NONE;
}

/* The one that ends, or the one that goes on, had come out of the other for a moment. */
static bool came_out(const ng_points *p, const size_t *chain, const ng_meetings *splits,
                     size_t which, size_t of)
{
    const size_t first = first_of_flicker(p, which);
    const ng_meeting *split = first != NG_NONE ? meeting_of(splits, first) : NULL;
    return split != NULL && chain[split->other] == chain[of] &&
           split->distance_nm < split->radius1_nm + split->radius2_nm;
}

static bool is_flicker(const ng_points *p, const size_t *chain, const ng_meetings *splits,
                       const ng_meeting *merge)
{
    return came_out(p, chain, splits, merge->end, merge->other) ||
           came_out(p, chain, splits, merge->other, merge->end);
}

static ng_status drop_flicker(const ng_points *p, ng_meetings *merges, const ng_meetings *splits,
                              ng_error *err)
{
    size_t *chain = NG_NEW(size_t, p->n);
    if (chain == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to follow %zu points", p->n);
    }
    for (size_t k = 0; k < p->n; k++) {
        chain[k] = p->previous[k] == NG_NONE ? k : chain[p->previous[k]];
    }
    for (size_t i = 0; i < merges->n; i++) {
        if (is_flicker(p, chain, splits, &merges->item[i])) {
            merges->item[i].score = 0.0;
        }
    }
    ng_free(chain);
    return NG_OK;
}

/* ---- what has not parted yet ------------------------------------------------------------- */

static int by_pair(const void *left, const void *right)
{
    const pass *a = left;
    const pass *b = right;
    int order = (a->one > b->one) - (a->one < b->one);
    order = order != 0 ? order : (a->other > b->other) - (a->other < b->other);
    return order != 0 ? order : (a->frame > b->frame) - (a->frame < b->frame);
}

static pass pair_of(const size_t *chain, size_t a, size_t b, long frame)
{
    const size_t one = chain[a] < chain[b] ? chain[a] : chain[b];
    return (pass){one, one == chain[a] ? chain[b] : chain[a], frame};
}

static size_t passes_before(const passes *seen, const pass *until)
{
    size_t low = 0, high = seen->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (by_pair(&seen->list[middle], until) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How often the two of each meeting have passed each other before, and were apart again. */
static ng_status count_passes(const ng_points *p, passes *seen, const ng_meetings *merges,
                              double *times, ng_error *err)
{
    size_t *chain = NG_NEW(size_t, p->n);
    if (chain == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to follow %zu points", p->n);
    }
    for (size_t k = 0; k < p->n; k++) {
        chain[k] = p->previous[k] == NG_NONE ? k : chain[p->previous[k]];
    }
    for (size_t i = 0; i < seen->n; i++) {
        seen->list[i] = pair_of(chain, seen->list[i].one, seen->list[i].other, seen->list[i].frame);
    }
    if (seen->n > 0) {
        qsort(seen->list, seen->n, sizeof *seen->list, by_pair);
    }
    for (size_t i = 0; i < merges->n; i++) {
        const ng_meeting *m = &merges->item[i];
        const pass until = pair_of(chain, m->end, m->other, p->frame[p->at[m->end]] - APART + 1);
        const pass since = {until.one, until.other, LONG_MIN};
        times[i] = (double)(passes_before(seen, &until) - passes_before(seen, &since));
    }
    ng_free(chain);
    return NG_OK;
}

/* Passes to a merge of two that have passed each other so often: each pair has a share of its own,
 * which scatters from none to all about that of all pairs. */
static double pair_ratio(double ratio, double times)
{
    return ratio + times * (1.0 + ratio) / PAIR_PRIOR;
}

/* Odds that a meeting is a pass which the movie does not see the end of, as many passes as merges
 * taken: passes last long or short, with a mean of `lasts` frames. */
static double odds_of_lying(const ng_points *p, const ng_meeting *m, double lasts)
{
    const long last = p->frame[p->n_frames - 1];
    const double left = (double)(last - p->frame[p->at[m->joined]]);
    return pow(lasts / (lasts + left), 2.0) * exp(-m->relaxed);
}

/* Two that lie on each other when the movie ends look like one. How many passes there are to a
 * merge follows from those that were seen to part and from the sizes of those that were not. */
static void doubt_open(const ng_points *p, const passes *seen, double least, const double *times,
                       ng_meetings *merges)
{
    const double lasts = (seen->frames + USUAL_PASS) / (double)(seen->n + 1);
    double ratio = 1.0;
    for (int round = 0; round < ROUNDS; round++) {
        double n = 0.0, lying = (double)seen->n;
        for (size_t i = 0; i < merges->n; i++) {
            const ng_meeting *m = &merges->item[i];
            if (m->score >= least && m->score > 0.0) {
                const double odds = pair_ratio(ratio, times[i]) * odds_of_lying(p, m, lasts);
                lying += odds / (odds + 1.0 / m->score);
                n += 1.0;
            }
        }
        ratio = (lying + 0.5) / (n + (double)seen->n - lying + 0.5);
    }
    for (size_t i = 0; i < merges->n; i++) {
        ng_meeting *m = &merges->item[i];
        const double odds = pair_ratio(ratio, times[i]) * odds_of_lying(p, m, lasts);
        m->score = m->score > 0.0 ? 1.0 / (1.0 / m->score + odds) : 0.0;
    }
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
    passes seen = {.n = 0};
    double *times = NULL;
    *merges = *splits = (ng_meetings){0};
    judge.boundary = NG_NEW(bool, points->n);
    if (judge.boundary == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to judge merges");
    }
    ng_status status = find_both(&judge, merges, splits, err);
    if (status == NG_OK) {
        /* once more, sizes averaged only up to the events next to each */
        mark(merges, 0.5, judge.boundary);
        mark(splits, 0.5, judge.boundary);
        status = find_both(&judge, merges, splits, err);
    }
    if (status == NG_OK) {
        status = close_all(points, &judge, merges, splits, &seen, err);
        *occlusions = seen.n;
    }
    if (status == NG_OK) {
        status = drop_flicker(points, merges, splits, err);
    }
    times = status == NG_OK ? NG_NEW(double, merges->n) : NULL;
    if (status == NG_OK) {
        status = times != NULL
                     ? count_passes(points, &seen, merges, times, err)
                     : NG_FAIL(err, NG_MEMORY, "no memory to judge %zu merges", merges->n);
    }
    if (status == NG_OK) {
        doubt_open(points, &seen, min_score, times, merges);
        keep_likely(merges, min_score);
        keep_likely(splits, min_score);
    } else {
        ng_meetings_free(merges);
        ng_meetings_free(splits);
    }
    ng_free(judge.boundary);
    ng_free(seen.list);
    ng_free(times);
    return status;
}
