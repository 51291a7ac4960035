/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events as strips of frames. */
#include "seen_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STRIPS 24
#define STRIP_FRAMES 7 /* three before and three after */
#define MIN_SIDE 20    /* pixels */
#define MAX_SIDE 96

/* Merges before splits, then by score, then by time: what a person would look at first. */
static int by_interest(const void *a, const void *b)
{
    const ng_event *p = *(const ng_event *const *)a, *q = *(const ng_event *const *)b;
    if (p->kind != q->kind) {
        return p->kind == NG_EVENT_MERGE ? -1 : 1;
    }
    const double p_score = isfinite(p->score) ? p->score : 0;
    const double q_score = isfinite(q->score) ? q->score : 0;
    if (p_score < q_score || p_score > q_score) {
        return p_score > q_score ? -1 : 1;
    }
    return p->frame != q->frame ? (p->frame < q->frame ? -1 : 1) : (p > q) - (p < q);
}

/* The point of a track in a frame, or the nearest one to it; NULL: no such track. */
static const ng_particle *point_near(const ng_report_sight *sight, long track, long frame)
{
    size_t n = 0;
    const ng_particle *point = ng_report_track(sight, track, &n), *nearest = point;
    for (size_t i = 0; i < n; i++) {
        if (labs(point[i].frame - frame) < labs(nearest->frame - frame)) {
            nearest = &point[i];
        }
    }
    return nearest;
}

/* A square of the movie around an event. */
typedef struct window {
    size_t x, y, side;
} window;

/* Round both partners, with room for their outlines; false when neither is in the table. */
static bool find_window(const ng_report_sight *sight, const ng_event *e, window *w)
{
    const ng_particle *one = point_near(sight, e->into >= 0 ? e->into : e->partner, e->frame);
    const ng_particle *other = point_near(sight, e->track, e->frame);
    const ng_particle *center = one != NULL ? one : other;
    if (center == NULL) {
        return false;
    }
    const double apart = other != NULL ? hypot(other->x_raw_nm - center->x_raw_nm,
                                               other->y_raw_nm - center->y_raw_nm)
                                       : 0;
    const double reach_px = (apart + 2.5 * fmax(center->radius_nm, 0)) / sight->pixel_nm;
    const size_t least =
        sight->about->width < sight->about->height ? sight->about->width : sight->about->height;
    w->side = (size_t)fmin(fmax(2 * reach_px, MIN_SIDE), MAX_SIDE);
    w->side = w->side < least ? w->side : least;
    const double x = center->x_raw_nm / sight->pixel_nm - (double)w->side / 2;
    const double y = center->y_raw_nm / sight->pixel_nm - (double)w->side / 2;
    w->x = (size_t)fmin(fmax(round(x), 0), (double)(sight->about->width - w->side));
    w->y = (size_t)fmin(fmax(round(y), 0), (double)(sight->about->height - w->side));
    return true;
}

/* The squares of the frames side by side in one picture. */
static ng_status fill_picture(const ng_report_sight *sight, const window *w, const long *frame,
                              size_t n, ng_report_picture *picture, ng_error *err)
{
    *picture = (ng_report_picture){.width = n * w->side, .height = w->side};
    picture->pixel = NG_NEW(float, picture->width * picture->height);
    if (picture->pixel == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    for (size_t k = 0; k < n; k++) {
        ng_status status = ng_movie_read(sight->movie, (size_t)frame[k], sight->pixel, err);
        if (status != NG_OK) {
            return status;
        }
        for (size_t y = 0; y < w->side; y++) {
            memcpy(picture->pixel + y * picture->width + k * w->side,
                   sight->pixel + (w->y + y) * sight->about->width + w->x,
                   w->side * sizeof *picture->pixel);
        }
    }
    return NG_OK;
}

static void add_outline(const ng_report_sight *sight, const window *w, long track, long frame,
                        json_t *outlines)
{
    const ng_particle *p = point_near(sight, track, frame);
    if (p == NULL || p->frame != frame) {
        return;
    }
    json_array_append_new(outlines,
                          json_pack("{s:I, s:f, s:f, s:o}", "track", (json_int_t)track, "x_px",
                                    p->x_raw_nm / sight->pixel_nm - (double)w->x, "y_px",
                                    p->y_raw_nm / sight->pixel_nm - (double)w->y, "radius_px",
                                    ng_json_real(p->radius_nm / sight->pixel_nm)));
}

static json_t *outlines_json(const ng_report_sight *sight, const window *w, const ng_event *e,
                             const long *frame, size_t n)
{
    json_t *all = json_array();
    for (size_t k = 0; k < n; k++) {
        json_t *outlines = json_array();
        add_outline(sight, w, e->track, frame[k], outlines);
        add_outline(sight, w, e->partner, frame[k], outlines);
        if (e->into != e->partner) {
            add_outline(sight, w, e->into, frame[k], outlines);
        }
        json_array_append_new(all, outlines);
    }
    return all;
}

static json_t *number(long id)
{
    return id >= 0 ? json_integer(id) : json_null();
}

static json_t *event_json(const ng_report_sight *sight, const ng_event *e)
{
    const double time_s = isfinite(e->time_s) ? e->time_s : (double)e->frame * sight->frame_s;
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
                     ng_event_kind_name(e->kind), "frame", (json_int_t)e->frame, "time_s",
                     ng_json_real(time_s), "track", number(e->track), "partner", number(e->partner),
                     "into", number(e->into), "radius1_nm", ng_json_real(e->radius1_nm),
                     "radius2_nm", ng_json_real(e->radius2_nm), "radius_after_nm",
                     ng_json_real(e->radius_after_nm), "distance_nm", ng_json_real(e->distance_nm),
                     "score", ng_json_real(e->score));
}

static ng_status strip(const ng_report_sight *sight, const ng_event *e, json_t *event,
                       ng_error *err)
{
    window w;
    long frame[STRIP_FRAMES];
    size_t n = 0;
    double level[2];
    ng_report_picture picture = {0};
    json_t *image = NULL, *frames = json_array();
    for (long f = e->frame - STRIP_FRAMES / 2; f <= e->frame + STRIP_FRAMES / 2; f++) {
        if (f >= 0 && (size_t)f < sight->frames) {
            frame[n++] = f;
            json_array_append_new(frames, json_integer(f));
        }
    }
    if (n == 0 || !find_window(sight, e, &w)) {
        json_decref(frames);
        return NG_OK;
    }
    ng_status status = fill_picture(sight, &w, frame, n, &picture, err);
    if (status == NG_OK) {
        status = ng_report_levels(picture.pixel, picture.width * picture.height, level, err);
    }
    if (status == NG_OK) {
        status = ng_report_encode(&picture, level, &image, err);
    }
    if (status == NG_OK) {
        json_object_set_new(event, "strip",
                            json_pack("{s:I, s:O, s:O, s:o}", "side", (json_int_t)w.side, "frame",
                                      frames, "image", image, "outline",
                                      outlines_json(sight, &w, e, frame, n)));
    }
    json_decref(image);
    json_decref(frames);
    ng_free(picture.pixel);
    return status;
}

ng_status ng_report_strips(const ng_report_sight *sight, json_t **out, ng_error *err)
{
    const ng_event **chosen = NG_NEW(const ng_event *, sight->events.n);
    size_t n = 0;
    *out = json_array();
    if (chosen == NULL || *out == NULL) {
        ng_free(chosen);
        return NG_FAIL(err, NG_MEMORY, "out of memory for events");
    }
    for (size_t i = 0; i < sight->events.n; i++) {
        const ng_event_kind kind = sight->events.item[i].kind;
        if (kind == NG_EVENT_MERGE || kind == NG_EVENT_SPLIT) {
            chosen[n++] = &sight->events.item[i];
        }
    }
    qsort(chosen, n, sizeof *chosen, by_interest);
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && i < MAX_STRIPS && status == NG_OK; i++) {
        json_t *event = event_json(sight, chosen[i]);
        status = sight->table.n > 0 ? strip(sight, chosen[i], event, err) : NG_OK;
        json_array_append_new(*out, event);
    }
    ng_free(chosen);
    return status;
}
