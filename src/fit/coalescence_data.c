/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who merged with whom and when, and how far particles have wandered. */
#include "coalescence_internal.h"

#include <math.h>
#include <stdlib.h>

#define MIN_FRAMES 3
#define MIN_TRACKS 5
#define MAX_FRAMES 10000000
#define DRIFT_TRACKS 5 /* fewer particles do not tell their common motion */

static const ng_track_point *points_of(const ng_tracks *t, size_t track)
{
    return &t->point[t->track[track].first];
}

const ng_track_point *ng_coalescence_last_before(const ng_tracks *t, size_t track, long frame)
{
    const ng_track_point *p = points_of(t, track);
    size_t low = 0, high = t->track[track].n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p[middle].frame < frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? &p[low - 1] : NULL;
}

const ng_track_point *ng_coalescence_at(const ng_tracks *t, size_t track, long frame)
{
    const ng_track_point *p = ng_coalescence_last_before(t, track, frame + 1);
    return p != NULL && p->frame == frame ? p : NULL;
}

static double apart(const ng_track_point *a, const ng_track_point *b)
{
    return hypot(a->x_nm - b->x_nm, a->y_nm - b->y_nm);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static ng_status make_frames(const ng_tracks *t, ng_coalescence_data *out, long *first,
                             ng_error *err)
{
    const ng_track_point *earliest = &t->point[0];
    long last = earliest->frame;
    for (size_t i = 0; i < t->n_points; i++) {
        earliest = t->point[i].frame < earliest->frame ? &t->point[i] : earliest;
        last = t->point[i].frame > last ? t->point[i].frame : last;
    }
    *first = earliest->frame;
    if (t->n_tracks < MIN_TRACKS || last - *first + 1 < MIN_FRAMES || last - *first >= MAX_FRAMES) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "%zu tracks over %ld frames; at least %d tracks and %d frames "
                       "are needed",
                       t->n_tracks, last - *first + 1, MIN_TRACKS, MIN_FRAMES);
    }
    out->n_frames = (size_t)(last - *first + 1);
    out->time_s = NG_NEW(double, out->n_frames);
    if (out->time_s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", out->n_frames);
    }
    for (size_t f = 0; f < out->n_frames; f++) {
        out->time_s[f] = earliest->time_s + (double)f * t->frame_s;
    }
    return NG_OK;
}

/* ---- units: what belongs together ------------------------------------------------------------ */

static size_t root_of(const size_t *parent, size_t i)
{
    while (parent[i] != i) {
        i = parent[i];
    }
    return i;
}

/* The lower index becomes the root. */
static size_t join(size_t *parent, size_t a, size_t b)
{
    a = root_of(parent, a);
    b = root_of(parent, b);
    parent[a < b ? b : a] = a < b ? a : b;
    return a < b ? a : b;
}

static bool same_group(const ng_track *a, const ng_track *b)
{
    return a->group >= 0 && a->group == b->group && a->source == b->source;
}

/* Number the units by what merges and groups join. */
static ng_status number_units(const ng_tracks *t, ng_coalescence_data *out, ng_error *err)
{
    size_t *parent = NG_NEW(size_t, t->n_tracks);
    if (parent == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", t->n_tracks);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        parent[i] = i;
        if (i > 0 && same_group(&t->track[i - 1], &t->track[i])) {
            join(parent, i - 1, i);
        }
    }
    for (size_t k = 0; k < out->n_merges; k++) {
        join(parent, out->merge[k].track, out->merge[k].partner);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        size_t root = root_of(parent, i);
        out->unit[i] = root == i ? out->n_units++ : out->unit[root];
    }
    for (size_t k = 0; k < out->n_merges; k++) {
        out->merge[k].unit = out->unit[out->merge[k].track];
    }
    ng_free(parent);
    return NG_OK;
}

/* A merge of particles that hold a and b original ones makes a b pairs into one. */
static ng_status count_pairs(const ng_tracks *t, ng_coalescence_data *out, ng_error *err)
{
    size_t *parent = NG_NEW(size_t, t->n_tracks), *size = NG_NEW(size_t, t->n_tracks);
    if (parent == NULL || size == NULL) {
        ng_free(parent);
        ng_free(size);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", t->n_tracks);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        parent[i] = i;
        size[i] = 1;
    }
    for (size_t k = 0; k < out->n_merges; k++) {
        ng_merge *m = &out->merge[k];
        size_t a = root_of(parent, m->track), b = root_of(parent, m->partner);
        m->pairs = size[a] * size[b];
        size_t total = size[a] + size[b];
        size[join(parent, a, b)] = total;
    }
    ng_free(parent);
    ng_free(size);
    return NG_OK;
}

/* ---- merges ---------------------------------------------------------------------------------- */

/* Radii and distance of a merge where the tracks show them and nothing else has said so. */
static void measure(const ng_tracks *t, long frame, ng_merge *m)
{
    const ng_track_point *a = ng_coalescence_last_before(t, m->track, frame);
    const ng_track_point *b = ng_coalescence_last_before(t, m->partner, frame);
    if (a == NULL || b == NULL) {
        return;
    }
    m->volume_nm3 = pow(a->radius_nm, 3.0) + pow(b->radius_nm, 3.0);
    m->radius_sum_nm = isnan(m->radius_sum_nm) ? a->radius_nm + b->radius_nm : m->radius_sum_nm;
    while (a != NULL && b != NULL && a->frame != b->frame) {
        long earlier = (a->frame < b->frame ? a->frame : b->frame) + 1;
        a = ng_coalescence_last_before(t, m->track, earlier);
        b = ng_coalescence_last_before(t, m->partner, earlier);
    }
    if (a != NULL && b != NULL && isnan(m->distance_nm)) {
        m->distance_nm = apart(a, b);
    }
}

static ng_merge new_merge(size_t track, size_t partner, long frame, long first)
{
    return (ng_merge){.track = track,
                      .partner = partner,
                      .frame = (size_t)(frame - first),
                      .radius_sum_nm = (double)NAN,
                      .distance_nm = (double)NAN,
                      .volume_nm3 = (double)NAN,
                      .pairs = 1};
}

/* A track of a group that ends goes on inside one of the lower tracks: the reader has taken its
 * repeats away. Which one: the nearest in the first frame after its end. */
static bool merge_of_track(const ng_tracks *t, size_t track, long first, ng_merge *out)
{
    const ng_track *own = &t->track[track];
    const ng_track_point *end = &t->point[own->first + own->n - 1];
    size_t partner = SIZE_MAX;
    long frame = 0;
    double nearest = 0.0;
    for (size_t i = track; i-- > 0 && same_group(&t->track[i], own);) {
        const ng_track_point *last = &points_of(t, i)[t->track[i].n - 1];
        if (last->frame <= end->frame) {
            continue;
        }
        const ng_track_point *before = ng_coalescence_last_before(t, i, end->frame + 1);
        const ng_track_point *next = before != NULL ? before + 1 : points_of(t, i);
        double distance = apart(next, end);
        if (partner == SIZE_MAX || next->frame < frame ||
            (next->frame == frame && !(distance >= nearest))) {
            partner = i;
            frame = next->frame;
            nearest = distance;
        }
    }
    if (partner == SIZE_MAX) {
        return false;
    }
    *out = new_merge(track, partner, frame, first);
    return true;
}

static void merges_of_groups(const ng_tracks *t, long first, ng_coalescence_data *out)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        out->n_merges += merge_of_track(t, i, first, &out->merge[out->n_merges]);
    }
}

static size_t find_track(const ng_tracks *t, long id)
{
    for (size_t i = 0; i < t->n_tracks && t->track[i].source == 0; i++) {
        if (t->track[i].id == id) {
            return i;
        }
    }
    return SIZE_MAX;
}

static ng_status merge_of_event(const ng_tracks *t, const ng_event *e, long first,
                                ng_coalescence_data *out, ng_error *err)
{
    size_t track = find_track(t, e->track), partner = find_track(t, e->partner);
    size_t into = find_track(t, e->into);
    if (e->frame < first || e->frame >= first + (long)out->n_frames) {
        return NG_FAIL(err, NG_INVALID,
                       "events: tracks %ld and %ld merge in frame %ld (%g s), but the tracks run "
                       "from frame %ld to %ld; do both files come from one movie?",
                       e->track, e->partner, e->frame, e->time_s, first,
                       first + (long)out->n_frames - 1);
    }
    if (track == SIZE_MAX || partner == SIZE_MAX || track == partner) {
        return NG_FAIL(err, NG_INVALID,
                       "events: merge of tracks %ld and %ld at %g s, but %s; give the tracks.csv "
                       "that was written with these events",
                       e->track, e->partner, e->time_s,
                       track == partner && track != SIZE_MAX ? "a track cannot merge with itself"
                                                             : "there is no such track");
    }
    for (size_t k = 0; k < out->n_merges; k++) {
        if (out->merge[k].track == track) {
            return NG_FAIL(err, NG_INVALID,
                           "events: track %ld ends in two merges, in frames %zu and %ld; a "
                           "particle can end once (drop one of them)",
                           e->track, out->merge[k].frame + (size_t)first, e->frame);
        }
    }
    ng_merge *m = &out->merge[out->n_merges++];
    *m = new_merge(track, partner, e->frame, first);
    m->radius_sum_nm = e->radius1_nm + e->radius2_nm;
    m->distance_nm = e->distance_nm;
    if (into != SIZE_MAX && into != partner) {
        out->product[into] = true;
    }
    return NG_OK;
}

static ng_status merges_of_events(const ng_tracks *t, const ng_events *events, long first,
                                  ng_coalescence_data *out, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t k = 0; k < events->n && status == NG_OK; k++) {
        if (events->item[k].kind == NG_EVENT_MERGE) {
            status = merge_of_event(t, &events->item[k], first, out, err);
        }
    }
    return status;
}

static int compare_merges(const void *left, const void *right)
{
    const ng_merge *a = left, *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->track > b->track) - (a->track < b->track);
}

static ng_status finish_merges(const ng_tracks *t, long first, ng_coalescence_data *out,
                               ng_error *err)
{
    qsort(out->merge, out->n_merges, sizeof *out->merge, compare_merges);
    for (size_t k = 0; k < out->n_merges; k++) {
        ng_merge *m = &out->merge[k];
        m->time_s = out->time_s[m->frame];
        measure(t, first + (long)m->frame, m);
        out->merges[m->track] = out->merges[m->partner] = true;
    }
    if (out->n_merges == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "no two of %zu tracks become one; give a table with a column "
                       "`group`, or --events with the merges that `nucgrow track` found",
                       t->n_tracks);
    }
    ng_status status = count_pairs(t, out, err);
    return status == NG_OK ? number_units(t, out, err) : status;
}

/* ---- groups that hold the same particles ----------------------------------------------------- */

static bool same_points(const ng_tracks *t, size_t a, size_t b)
{
    const ng_track *left = &t->track[a], *right = &t->track[b];
    const ng_track_point *p = points_of(t, a), *q = points_of(t, b);
    bool same = left->n == right->n && left->n > 1;
    for (size_t i = 0; same && i < left->n; i++) {
        same = p[i].frame == q[i].frame && p[i].x_nm == q[i].x_nm && p[i].y_nm == q[i].y_nm &&
               p[i].radius_nm == q[i].radius_nm;
    }
    return same;
}

static void warn_repeated(const ng_coalescence_data *data, ng_warnings *warnings)
{
    const ng_tracks *t = data->tracks;
    for (size_t k = 0; k < data->n_merges; k++) {
        for (size_t j = 0; j < k; j++) {
            const ng_merge *a = &data->merge[j], *b = &data->merge[k];
            if (a->frame == b->frame && a->unit != b->unit &&
                same_points(t, a->partner, b->partner)) {
                ng_warnings_add(warnings, "groups-repeat",
                                "groups %ld and %ld hold the same particles (track %ld is track "
                                "%ld): their merge at %g s counts twice; drop one of them",
                                t->track[a->track].group, t->track[b->track].group,
                                t->track[b->partner].id, t->track[a->partner].id, a->time_s);
            }
        }
    }
}

/* ---- displacement ---------------------------------------------------------------------------- */

/* One component of the steps into `frame`, from the frame before. */
static size_t steps_into(const ng_tracks *t, long frame, bool vertical, double *step)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_tracks; i++) {
        const ng_track_point *now = ng_coalescence_at(t, i, frame);
        if (now == NULL || now == points_of(t, i) || now[-1].frame != frame - 1) {
            continue;
        }
        double moved = vertical ? now->y_nm - now[-1].y_nm : now->x_nm - now[-1].x_nm;
        if (isfinite(moved)) {
            step[n++] = moved;
        }
    }
    return n;
}

/* The way that all particles share, by the median step of each frame. */
static void common_motion(const ng_tracks *t, long first, size_t n_frames, bool vertical,
                          double *scratch, double *way)
{
    way[0] = 0.0;
    for (size_t f = 1; f < n_frames; f++) {
        size_t n = steps_into(t, first + (long)f, vertical, scratch);
        double step = 0.0;
        if (n >= DRIFT_TRACKS) {
            qsort(scratch, n, sizeof *scratch, ng_fit_compare_doubles);
            step = ng_fit_percentile(scratch, n, 0.5);
        }
        way[f] = way[f - 1] + step;
    }
}

static void fill_displacement(const ng_tracks *t, long first, const double *way_x,
                              const double *way_y, double *out)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        const ng_track_point *p = points_of(t, i);
        size_t from = (size_t)(p[0].frame - first);
        for (size_t k = 0; k < t->track[i].n; k++) {
            size_t f = (size_t)(p[k].frame - first);
            double dx = p[k].x_nm - p[0].x_nm - (way_x[f] - way_x[from]);
            double dy = p[k].y_nm - p[0].y_nm - (way_y[f] - way_y[from]);
            out[t->track[i].first + k] = k == 0 ? (double)NAN : dx * dx + dy * dy;
        }
    }
}

static ng_status measure_motion(const ng_tracks *t, long first, ng_coalescence_data *out,
                                ng_error *err)
{
    double *way_x = NG_NEW(double, out->n_frames), *way_y = NG_NEW(double, out->n_frames);
    double *scratch = NG_NEW(double, t->n_tracks);
    ng_status status = NG_OK;
    if (!way_x || !way_y || !scratch) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", out->n_frames);
        goto out;
    }
    common_motion(t, first, out->n_frames, false, scratch, way_x);
    common_motion(t, first, out->n_frames, true, scratch, way_y);
    double span_s = out->time_s[out->n_frames - 1] - out->time_s[0];
    out->drift_nm_per_s[0] = way_x[out->n_frames - 1] / span_s;
    out->drift_nm_per_s[1] = way_y[out->n_frames - 1] / span_s;
    fill_displacement(t, first, way_x, way_y, out->displacement2);

out:
    ng_free(way_x);
    ng_free(way_y);
    ng_free(scratch);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static ng_status make_arrays(const ng_tracks *t, const ng_events *events, ng_coalescence_data *out,
                             ng_error *err)
{
    size_t merges = t->n_tracks + (events != NULL ? events->n : 0);
    out->unit = NG_NEW(size_t, t->n_tracks);
    out->merges = NG_NEW(bool, t->n_tracks);
    out->product = NG_NEW(bool, t->n_tracks);
    out->displacement2 = NG_NEW(double, t->n_points);
    out->merge = NG_NEW(ng_merge, merges);
    if (!out->unit || !out->merges || !out->product || !out->displacement2 || !out->merge) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", t->n_tracks);
    }
    return NG_OK;
}

ng_status ng_coalescence_data_make(const ng_tracks *tracks, const ng_events *events,
                                   ng_coalescence_data *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_coalescence_data){.tracks = tracks};
    long first = 0;
    if (tracks->ex_situ) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "samples drawn from a flask have no "
                       "tracks, so no two of them can be seen to merge");
    }
    ng_status status = make_frames(tracks, out, &first, err);
    status = status == NG_OK ? make_arrays(tracks, events, out, err) : status;
    if (status == NG_OK && events != NULL) {
        status = merges_of_events(tracks, events, first, out, err);
    } else if (status == NG_OK) {
        merges_of_groups(tracks, first, out);
    }
    status = status == NG_OK ? finish_merges(tracks, first, out, err) : status;
    status = status == NG_OK ? measure_motion(tracks, first, out, err) : status;
    if (status != NG_OK) {
        ng_coalescence_data_free(out);
        return status;
    }
    warn_repeated(out, warnings);
    return NG_OK;
}

void ng_coalescence_data_free(ng_coalescence_data *data)
{
    ng_free(data->time_s);
    ng_free(data->unit);
    ng_free(data->merges);
    ng_free(data->product);
    ng_free(data->displacement2);
    ng_free(data->merge);
    *data = (ng_coalescence_data){0};
}
