/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "doubt.h"

#include <math.h>
#include <stdlib.h>

/* Likelier right than wrong; a little more, as where two were seen as one it is half. */
#define SURE_GAP 0.55

ng_track_options ng_track_defaults(void)
{
    return (ng_track_options){.gate_nm = (double)NAN,
                              .max_gap = 3,
                              .min_gap_score = (double)NAN,
                              .min_points = 0,
                              .merge = true,
                              .min_score = 0.5,
                              .drift = true};
}

const char *ng_drift_kind_name(ng_drift_kind kind)
{
    static const char *const name[] = {"none", "constant", "free"};
    return (size_t)kind < sizeof name / sizeof name[0] ? name[kind] : "unknown";
}

void ng_tracking_free(ng_tracking *tracking)
{
    if (tracking != NULL) {
        ng_events_free(&tracking->events);
        *tracking = (ng_tracking){0};
    }
}

static ng_status check_options(const ng_track_options *o, ng_error *err)
{
    if (!isnan(o->gate_nm) && !(o->gate_nm > 0.0 && o->gate_nm < 1e15)) {
        return NG_FAIL(err, NG_DOMAIN, "the gate is %g nm; it must be positive", o->gate_nm);
    }
    if (o->max_gap < 0 || o->max_gap > 1000) {
        return NG_FAIL(err, NG_DOMAIN, "gaps of %ld frames; 0 to 1000 can be closed", o->max_gap);
    }
    if (o->min_points < 0 || !(o->min_score >= 0.0 && o->min_score <= 1.0) ||
        o->min_gap_score < 0.0 || o->min_gap_score > 1.0) {
        return NG_FAIL(err, NG_DOMAIN, "tracks of %ld points cannot be; scores lie in 0..1",
                       o->min_points);
    }
    return NG_OK;
}

/* ---- numbers of tracks ----------------------------------------------------------------- */

/* One chain of linked points. */
typedef struct chain {
    size_t first, last, n;
    long track;                               /* -1: left out */
    size_t parent;                            /* of the tree of chains that merged */
    bool in_merge, in_event, born_of, merged; /* came out of a split; ended in a merge */
} chain;

typedef struct chains {
    chain *item; /* owned */
    size_t n;
    size_t *of; /* owned: chain of each point */
} chains;

static void chains_free(chains *c)
{
    ng_free(c->item);
    ng_free(c->of);
}

static bool find_chains(const ng_points *p, chains *c)
{
    size_t n = 0;
    for (size_t k = 0; k < p->n; k++) {
        n += p->previous[k] == NG_NONE;
    }
    c->item = NG_NEW(chain, n);
    c->of = NG_NEW(size_t, p->n);
    if (c->item == NULL || c->of == NULL) {
        return false;
    }
    for (size_t k = 0; k < p->n; k++) {
        if (p->previous[k] == NG_NONE) {
            c->item[c->n] = (chain){.first = k, .parent = c->n, .track = -1};
            c->of[k] = c->n++;
        } else {
            c->of[k] = c->of[p->previous[k]];
        }
        c->item[c->of[k]].last = k;
        c->item[c->of[k]].n++;
    }
    return true;
}

static size_t root_of(chains *c, size_t i)
{
    while (c->item[i].parent != i) {
        c->item[i].parent = c->item[c->item[i].parent].parent;
        i = c->item[i].parent;
    }
    return i;
}

static void note_events(chains *c, const ng_meetings *merges, const ng_meetings *splits)
{
    for (size_t i = 0; i < merges->n; i++) {
        size_t a = c->of[merges->item[i].end], b = c->of[merges->item[i].joined];
        c->item[a].in_event = c->item[b].in_event = true;
        c->item[a].in_merge = c->item[b].in_merge = true;
        c->item[a].merged = true;
        a = root_of(c, a);
        b = root_of(c, b);
        c->item[a > b ? a : b].parent = a < b ? a : b;
    }
    for (size_t i = 0; i < splits->n; i++) {
        size_t a = c->of[splits->item[i].end], b = c->of[splits->item[i].joined];
        c->item[a].in_event = c->item[b].in_event = true;
        c->item[a].born_of = true;
    }
}

/* Single points stay from `single` on where their number decides. */
static bool is_long_enough(const chain *item, const ng_particle *first, long min_points,
                           double single)
{
    if (min_points == 0) {
        return item->n > 1 || ng_single_stays(first, single);
    }
    return item->n >= (size_t)min_points;
}

static void number_tracks(const ng_points *p, const ng_particles *particles, chains *c,
                          const ng_track_options *o, ng_tracking *out)
{
    const double single = out->choice.single;
    long track = 0;
    for (size_t i = 0; i < c->n; i++) {
        chain *item = &c->item[i];
        const ng_particle *first = &particles->item[p->item[item->first]];
        if (item->in_event || is_long_enough(item, first, o->min_points, single)) {
            item->track = ++track;
            out->points += item->n;
            out->tracks_b += item->in_merge;
        } else {
            out->left_out += item->n;
        }
    }
    out->tracks = (size_t)track;
    out->tracks_a = out->tracks - out->tracks_b;
}

/* ---- events ---------------------------------------------------------------------------- */

static int by_frame(const void *left, const void *right)
{
    const ng_event *a = left;
    const ng_event *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    order = order != 0 ? order : (a->kind > b->kind) - (a->kind < b->kind);
    return order != 0 ? order : (a->track > b->track) - (a->track < b->track);
}

static const ng_particle *particle_of(const ng_points *p, const ng_particles *particles, size_t k)
{
    return &particles->item[p->item[k]];
}

static ng_event meeting_event(const ng_points *p, const ng_particles *particles, const chains *c,
                              const ng_meeting *m)
{
    const ng_particle *at = particle_of(p, particles, m->split ? m->end : m->joined);
    long partner = c->item[c->of[m->other]].track;
    return (ng_event){.kind = m->split ? NG_EVENT_SPLIT : NG_EVENT_MERGE,
                      .frame = at->frame,
                      .time_s = at->time_s,
                      .track = c->item[c->of[m->end]].track,
                      .partner = partner,
                      .into = m->split ? -1 : c->item[c->of[m->joined]].track,
                      .radius1_nm = m->radius1_nm,
                      .radius2_nm = m->radius2_nm,
                      .radius_after_nm = m->joined_radius_nm,
                      .distance_nm = m->distance_nm,
                      .score = m->score};
}

/* A birth is the first frame, a death the last; the score says how long the track lasted. */
static ng_event end_event(const ng_points *p, const ng_particles *particles, const chain *item,
                          ng_event_kind kind)
{
    const ng_particle *at =
        particle_of(p, particles, kind == NG_EVENT_BIRTH ? item->first : item->last);
    return (ng_event){.kind = kind,
                      .frame = at->frame,
                      .time_s = at->time_s,
                      .track = item->track,
                      .partner = -1,
                      .into = -1,
                      .radius1_nm = at->radius_nm,
                      .radius2_nm = (double)NAN,
                      .radius_after_nm = (double)NAN,
                      .distance_nm = (double)NAN,
                      .score = fmin((double)(item->n - 1) / 4.0, 1.0)};
}

static void list_ends(const ng_points *p, const ng_particles *particles, const chains *c,
                      ng_tracking *out)
{
    const size_t last = p->n_frames - 1;
    const bool ended = particles->frames > 0 && p->frame[last] + 1 < (long)particles->frames;
    for (size_t i = 0; i < c->n; i++) {
        const chain *item = &c->item[i];
        if (item->track < 0) {
            continue;
        }
        if (p->at[item->first] > 0 && !item->born_of) {
            out->events.item[out->events.n++] = end_event(p, particles, item, NG_EVENT_BIRTH);
            out->births++;
        }
        if ((p->at[item->last] < last || ended) && !item->merged) {
            out->events.item[out->events.n++] = end_event(p, particles, item, NG_EVENT_DEATH);
            out->deaths++;
        }
    }
}

static ng_status list_events(const ng_points *p, const ng_particles *particles, const chains *c,
                             const ng_meetings *merges, const ng_meetings *splits, ng_tracking *out,
                             ng_error *err)
{
    out->events.item = NG_NEW(ng_event, merges->n + splits->n + 2 * c->n);
    if (out->events.item == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the events of %zu tracks", c->n);
    }
    for (size_t i = 0; i < merges->n; i++) {
        out->events.item[out->events.n++] = meeting_event(p, particles, c, &merges->item[i]);
    }
    for (size_t i = 0; i < splits->n; i++) {
        out->events.item[out->events.n++] = meeting_event(p, particles, c, &splits->item[i]);
    }
    out->merges = merges->n;
    out->splits = splits->n;
    list_ends(p, particles, c, out);
    qsort(out->events.item, out->events.n, sizeof *out->events.item, by_frame);
    return NG_OK;
}

/* ---- what the particles become --------------------------------------------------------- */

static long *number_groups(chains *c)
{
    long *group = NG_NEW(long, c->n);
    long n = 0;
    for (size_t i = 0; group != NULL && i < c->n; i++) {
        size_t root = root_of(c, i);
        if (root == i) {
            group[i] = c->item[i].in_merge ? ++n : -1;
        } else {
            group[i] = group[root]; /* roots come first */
        }
    }
    return group;
}

/* Which particle stands at each place: tracks one after the other, those of no track at the end,
 * those without position last. */
static void list_order(const ng_points *p, const chains *c, ng_particles *particles, size_t *order,
                       bool *placed)
{
    size_t at = 0;
    for (int linked = 1; linked >= 0; linked--) {
        for (size_t i = 0; i < c->n; i++) {
            const bool wanted = (c->item[i].track >= 0) == (linked == 1);
            for (size_t k = c->item[i].first; wanted && k != NG_NONE; k = p->next[k]) {
                order[at++] = p->item[k];
                placed[p->item[k]] = true;
            }
        }
    }
    for (size_t i = 0; i < particles->n; i++) {
        if (!placed[i]) {
            order[at++] = i;
            particles->item[i].track = particles->item[i].group = -1;
        }
    }
}

static void note_tracks(const ng_points *p, const chains *c, const long *group,
                        ng_particles *particles)
{
    for (size_t k = 0; k < p->n; k++) {
        ng_particle *item = &particles->item[p->item[k]];
        item->track = c->item[c->of[k]].track;
        item->group = group[c->of[k]];
        item->x_nm = p->x[k];
        item->y_nm = p->y[k];
    }
}

static ng_status reorder(const ng_points *p, chains *c, ng_particles *particles, ng_error *err)
{
    size_t *order = NG_NEW(size_t, particles->n);
    ng_particle *item = ng_realloc(NULL, particles->n, sizeof *item);
    bool *placed = NG_NEW(bool, particles->n);
    long *group = number_groups(c);
    ng_status status = NG_OK;
    if (order == NULL || item == NULL || placed == NULL || group == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to order %zu particles", particles->n);
    } else {
        note_tracks(p, c, group, particles);
        list_order(p, c, particles, order, placed);
        for (size_t i = 0; i < particles->n; i++) {
            item[i] = particles->item[order[i]];
        }
        ng_particle *kept = particles->item;
        particles->item = item;
        item = kept;
    }
    ng_free(item);
    ng_free(order);
    ng_free(placed);
    ng_free(group);
    return status;
}

/* ---- the whole way --------------------------------------------------------------------- */

/* What is measured in the picture stays, whatever drift takes from the position. */
static void keep_raw(ng_particles *particles)
{
    for (size_t i = 0; i < particles->n; i++) {
        ng_particle *item = &particles->item[i];
        item->x_raw_nm = isnan(item->x_raw_nm) ? item->x_nm : item->x_raw_nm;
        item->y_raw_nm = isnan(item->y_raw_nm) ? item->y_nm : item->y_raw_nm;
    }
}

static void warn(const ng_points *p, const ng_particles *particles, const ng_motion *motion,
                 const ng_track_options *o, const ng_tracking *out, ng_warnings *warnings)
{
    if (p->n < particles->n) {
        ng_warnings_add(warnings, "positions-missing",
                        "%zu of %zu particles have no finite position; they are in no track",
                        particles->n - p->n, particles->n);
    }
    if (out->tracks == 0) {
        ng_warnings_add(warnings, "no-tracks",
                        "no track has %ld points: of %zu particles in %zu frames none could be "
                        "followed within a gate of %.4g nm (set another, or take frames faster)",
                        o->min_points > 2 ? o->min_points : 2, p->n, p->n_frames,
                        motion->choice.gate_nm);
    }
    if (o->merge && !motion->has_sizes) {
        ng_warnings_add(warnings, "sizes-absent",
                        "there are no sizes (or all are equal), so merges are judged by distances "
                        "alone: an end beside another particle may also be a loss");
    }
}

static ng_status conclude(const ng_points *p, const ng_meetings *merges, const ng_meetings *splits,
                          const ng_track_options *o, ng_particles *particles, ng_tracking *out,
                          ng_error *err)
{
    chains c = {.n = 0};
    ng_status status = NG_OK;
    out->choice.single = (double)NAN;
    if (o->min_points == 0) {
        status = ng_singles_weigh(p, particles, &out->choice.single, err);
    }
    if (status != NG_OK) {
        return status;
    }
    if (find_chains(p, &c)) {
        note_events(&c, merges, splits);
        number_tracks(p, particles, &c, o, out);
        status = list_events(p, particles, &c, merges, splits, out, err);
    } else {
        status = NG_FAIL(err, NG_MEMORY, "no memory to number tracks");
    }
    if (status == NG_OK) {
        status = reorder(p, &c, particles, err);
    }
    chains_free(&c);
    return status;
}

/* Where an end may be a merge, a gap that is left open would pass for one. */
static ng_status choose_gap_score(const ng_points *p, const ng_track_options *o, ng_motion *motion,
                                  ng_error *err)
{
    const bool judged = o->merge && motion->has_sizes;
    bool walk = true;
    ng_status status = NG_OK;
    if (isnan(o->min_gap_score) && !judged) {
        status = ng_points_walk(p, &walk, err);
    }
    motion->choice.gap_score = !isnan(o->min_gap_score) ? o->min_gap_score
                               : judged || !walk        ? 0.0
                                                        : SURE_GAP;
    return status;
}

static ng_status link_all(ng_points *p, const ng_track_options *o, const ng_run *run,
                          ng_motion *motion, ng_tracking *out, ng_error *err)
{
    ng_status status = ng_link_learn(p, motion, o->max_gap > 0, err);
    if (status == NG_OK) {
        status = ng_link_frames(p, motion, o->max_gap, run, err);
    }
    if (status == NG_OK) {
        status = choose_gap_score(p, o, motion, err);
    }
    if (status == NG_OK && o->max_gap > 0) {
        status = ng_link_gaps(p, motion, o->max_gap, &out->gaps, &out->gaps_open, err);
    }
    return status;
}

ng_status ng_track_link(ng_particles *particles, const ng_track_options *options, const ng_run *run,
                        ng_tracking *out, ng_warnings *warnings, ng_error *err)
{
    ng_points points = {.n = 0};
    ng_motion motion;
    ng_meetings merges = {.n = 0}, splits = {.n = 0};
    *out = (ng_tracking){0};
    ng_status status = check_options(options, err);
    if (status == NG_OK) {
        keep_raw(particles);
        status = ng_points_make(particles, &points, err);
    }
    if (status == NG_OK) {
        status = ng_motion_find(&points, options, run, &motion, warnings, err);
    }
    if (status == NG_OK) {
        status = link_all(&points, options, run, &motion, out, err);
    }
    if (status == NG_OK) {
        out->frames = points.n_frames;
        out->choice = motion.choice;
    }
    for (int back = 0; back <= 1 && status == NG_OK && options->merge && motion.has_sizes; back++) {
        status = ng_link_blobs(&points, &motion, back == 1, options->max_gap, err);
    }
    if (status == NG_OK && options->merge) {
        status = ng_events_find(&points, particles, &motion, options->min_score, &merges, &splits,
                                &out->occlusions, err);
    }
    if (status == NG_OK) {
        status = conclude(&points, &merges, &splits, options, particles, out, err);
    }
    if (status == NG_OK) {
        warn(&points, particles, &motion, options, out, warnings);
    }
    ng_meetings_free(&merges);
    ng_meetings_free(&splits);
    ng_points_free(&points);
    if (status != NG_OK) {
        ng_tracking_free(out);
    }
    return status;
}
