/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A movie, and what was measured in it, small enough for a page. */
#include "seen_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 40     /* shown */
#define MAX_BYTES 3000000 /* of their pictures, as text */
#define MAX_WIDTH 480     /* of a picture, pixels */
#define MIN_WIDTH 64
#define MAX_POINTS 60000 /* of the tracks */

/* ---- reading ---- */

static void sight_free(ng_report_sight *sight)
{
    ng_movie_close(sight->movie);
    ng_particles_free(&sight->table);
    ng_events_free(&sight->events);
    ng_free(sight->pixel);
}

static int by_track(const void *a, const void *b)
{
    const ng_particle *p = a, *q = b;
    if (p->track != q->track) {
        return p->track < q->track ? -1 : 1;
    }
    return p->frame != q->frame ? (p->frame < q->frame ? -1 : 1)
                                : (p->particle > q->particle) - (p->particle < q->particle);
}

static double first_known(double a, double b)
{
    return isfinite(a) ? a : b;
}

static ng_status open_movie(const ng_report_files *files, ng_report_sight *sight,
                            ng_warnings *warnings, ng_error *err)
{
    ng_movie_read_options read = ng_movie_read_defaults();
    read.pixel_nm = files->pixel_nm;
    ng_status status = ng_movie_open(files->movie, &read, &sight->movie, warnings, err);
    if (status != NG_OK) {
        return status;
    }
    sight->about = ng_movie_about(sight->movie);
    sight->frames = sight->about->readable < sight->about->frames ? sight->about->readable
                                                                  : sight->about->frames;
    if (sight->frames == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE, "%s: no frame can be read", files->movie);
    }
    sight->pixel = NG_NEW(float, sight->about->width * sight->about->height);
    return sight->pixel != NULL ? NG_OK
                                : NG_FAIL(err, NG_MEMORY, "%s: out of memory", files->movie);
}

static ng_status read_tables(const ng_report_files *files, ng_report_sight *sight,
                             ng_warnings *warnings, ng_error *err)
{
    ng_tracks_read_options read = ng_tracks_read_defaults();
    ng_status status = NG_OK;
    if (files->table != NULL) {
        read.pixel_nm = files->pixel_nm;
        status = ng_particles_read(files->table, &read, &sight->table, warnings, err);
    }
    if (status == NG_OK && sight->table.n > 0) {
        qsort(sight->table.item, sight->table.n, sizeof *sight->table.item, by_track);
    }
    sight->spots = sight->table.n > 0;
    for (size_t i = 0; i < sight->table.n; i++) {
        sight->spots = sight->spots && !isfinite(sight->table.item[i].radius_nm);
    }
    if (status == NG_OK && files->events != NULL) {
        status = ng_events_read(files->events, &sight->events, err);
    }
    sight->pixel_nm = first_known(sight->about->pixel_nm, sight->table.pixel_nm);
    sight->frame_s = first_known(sight->about->frame_s, sight->table.frame_s);
    if (status == NG_OK && sight->table.n > 0 && !(sight->pixel_nm > 0)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: the size of a pixel is not known, so that %s cannot be drawn on it; "
                       "pass --pixel-nm",
                       files->movie, files->table);
    }
    return status;
}

const ng_particle *ng_report_track(const ng_report_sight *sight, long track, size_t *n)
{
    const ng_particle *item = sight->table.item;
    size_t low = 0, high = sight->table.n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (item[middle].track < track) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *n = 0;
    while (low + *n < sight->table.n && item[low + *n].track == track) {
        (*n)++;
    }
    return *n > 0 ? item + low : NULL;
}

/* ---- frames ---- */

typedef struct shown {
    size_t frame[MAX_FRAMES], n;
    double step; /* pixels of the movie per pixel of a picture */
    double level[2];
} shown;

static void choose_frames(const ng_report_sight *sight, shown *s)
{
    s->n = sight->frames < MAX_FRAMES ? sight->frames : MAX_FRAMES;
    for (size_t k = 0; k < s->n; k++) {
        s->frame[k] = s->n > 1 ? k * (sight->frames - 1) / (s->n - 1) : 0;
    }
    s->step = fmax(1, (double)sight->about->width / MAX_WIDTH);
}

static ng_status picture_of(const ng_report_sight *sight, const shown *s, size_t k,
                            ng_report_picture *picture, ng_error *err)
{
    ng_status status = ng_movie_read(sight->movie, s->frame[k], sight->pixel, err);
    return status != NG_OK ? status
                           : ng_report_shrink(sight->pixel, sight->about->width,
                                              sight->about->height, s->step, picture, err);
}

/* One brightness for all frames: from the least and the most of three of them. */
static ng_status choose_levels(const ng_report_sight *sight, shown *s, ng_error *err)
{
    const size_t looked_at[3] = {0, s->n / 2, s->n - 1};
    for (size_t i = 0; i < 3; i++) {
        ng_report_picture picture = {0};
        double level[2];
        ng_status status = picture_of(sight, s, looked_at[i], &picture, err);
        if (status == NG_OK) {
            status = ng_report_levels(picture.pixel, picture.width * picture.height, level, err);
        }
        ng_free(picture.pixel);
        if (status != NG_OK) {
            return status;
        }
        s->level[0] = i > 0 ? fmin(s->level[0], level[0]) : level[0];
        s->level[1] = i > 0 ? fmax(s->level[1], level[1]) : level[1];
    }
    return NG_OK;
}

static ng_status encode_frames(const ng_report_sight *sight, const shown *s, size_t first,
                               size_t end, json_t *images, size_t *bytes, ng_error *err)
{
    ng_status status = NG_OK;
    *bytes = 0;
    for (size_t k = first; k < end && status == NG_OK; k++) {
        ng_report_picture picture = {0};
        json_t *image = NULL;
        status = picture_of(sight, s, k, &picture, err);
        if (status == NG_OK) {
            status = ng_report_encode(&picture, s->level, &image, err);
        }
        ng_free(picture.pixel);
        *bytes += json_string_length(image);
        if (json_array_append_new(images, image) != 0 && status == NG_OK) {
            status = NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
        }
    }
    return status;
}

/* Coarser until the pictures fit their share of the page: foretold from one in the middle, and
 * looked at when all are made. */
static ng_status fit_frames(const ng_report_sight *sight, shown *s, json_t *images, size_t *bytes,
                            ng_error *err)
{
    for (;;) {
        ng_status status = choose_levels(sight, s, err);
        if (status == NG_OK) {
            status = encode_frames(sight, s, s->n / 2, s->n / 2 + 1, images, bytes, err);
        }
        if (status == NG_OK && *bytes * s->n <= MAX_BYTES) {
            json_array_clear(images);
            status = encode_frames(sight, s, 0, s->n, images, bytes, err);
        } else {
            *bytes *= s->n;
        }
        if (status != NG_OK || *bytes <= MAX_BYTES ||
            (double)sight->about->width / s->step < MIN_WIDTH) {
            return status;
        }
        json_array_clear(images);
        s->step *= 1.02 * sqrt((double)*bytes / MAX_BYTES);
    }
}

/* ---- tracks ---- */

/* Four digits after the point: a thousandth of a pixel is more than any picture shows. */
static json_t *rounded(double x)
{
    return ng_json_real(round(x * 1e4) / 1e4);
}

/* Points of one track: those of shown frames, of the others every `stride`-th. */
static json_t *track_json(const ng_report_sight *sight, const bool *is_shown,
                          const ng_particle *point, size_t n, size_t stride)
{
    json_t *frame = json_array(), *x = json_array(), *y = json_array(), *radius = json_array();
    json_t *light = json_array();
    for (size_t i = 0; i < n; i++) {
        if (point[i].frame < 0 || (size_t)point[i].frame >= sight->about->frames ||
            (!is_shown[point[i].frame] && i % stride != 0)) {
            continue;
        }
        json_array_append_new(frame, json_integer(point[i].frame));
        json_array_append_new(x, rounded(point[i].x_raw_nm / sight->pixel_nm));
        json_array_append_new(y, rounded(point[i].y_raw_nm / sight->pixel_nm));
        const bool cut = (point[i].flag & NG_FLAGS_CUT) == NG_FLAGS_CUT;
        json_array_append_new(radius, cut ? json_null() : rounded(point[i].radius_nm));
        json_array_append_new(light, rounded(point[i].intensity));
    }
    json_t *track = json_pack("{s:o, s:o, s:o, s:o, s:o}", "id",
                              point->track >= 0 ? json_integer(point->track) : json_null(), "frame",
                              frame, "x_px", x, "y_px", y, "radius_nm", radius);
    if (track != NULL && sight->spots) {
        json_object_set(track, "intensity", light);
    }
    json_decref(light);
    return track;
}

static json_t *tracks_json(const ng_report_sight *sight, const shown *s)
{
    const ng_particles *table = &sight->table;
    bool *is_shown = NG_NEW(bool, sight->about->frames);
    json_t *list = json_array();
    const size_t stride = table->n / MAX_POINTS + 1;
    for (size_t k = 0; is_shown != NULL && k < s->n; k++) {
        is_shown[s->frame[k]] = true;
    }
    for (size_t i = 0, n = 0; is_shown != NULL && i < table->n; i += n) {
        const ng_particle *first = ng_report_track(sight, table->item[i].track, &n);
        /* what is linked to nothing is looked at in the shown frames only */
        const size_t step = first->track >= 0 ? stride : SIZE_MAX;
        json_array_append_new(list, track_json(sight, is_shown, first, n, step));
    }
    if (is_shown == NULL) {
        json_decref(list);
        list = NULL;
    }
    ng_free(is_shown);
    return list;
}

/* ---- together ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static json_t *counts_json(const ng_report_sight *sight)
{
    size_t count[4] = {0}, tracks = 0, linked = 0;
    for (size_t i = 0; i < sight->events.n; i++) {
        count[sight->events.item[i].kind]++;
    }
    for (size_t i = 0; i < sight->table.n; i++) {
        const ng_particle *p = &sight->table.item[i];
        linked += p->track >= 0;
        tracks += p->track >= 0 && (i == 0 || p->track != p[-1].track);
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "particles", (json_int_t)sight->table.n,
                     "linked", (json_int_t)linked, "tracks", (json_int_t)tracks, "births",
                     (json_int_t)count[NG_EVENT_BIRTH], "deaths", (json_int_t)count[NG_EVENT_DEATH],
                     "merges", (json_int_t)count[NG_EVENT_MERGE], "splits",
                     (json_int_t)count[NG_EVENT_SPLIT]);
}

static json_t *movie_json(const ng_report_sight *sight, const ng_report_files *files,
                          const shown *s, size_t bytes)
{
    json_t *frame = json_array();
    for (size_t k = 0; k < s->n; k++) {
        json_array_append_new(frame, json_integer((json_int_t)s->frame[k]));
    }
    json_t *name = json_string(base_name(files->movie));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o}", "name",
                     name != NULL ? name : json_string("the movie"), "width",
                     (json_int_t)sight->about->width, "height", (json_int_t)sight->about->height,
                     "frames", (json_int_t)sight->about->frames, "readable",
                     (json_int_t)sight->frames, "pixel_nm", ng_json_real(sight->pixel_nm),
                     "frame_s", ng_json_real(sight->frame_s), "step", rounded(s->step), "bytes",
                     (json_int_t)bytes, "shown", frame);
}

static ng_status look(const ng_report_sight *sight, const ng_report_files *files, json_t **out,
                      ng_error *err)
{
    shown s = {0};
    size_t bytes = 0;
    json_t *images = json_array(), *strips = NULL;
    choose_frames(sight, &s);
    ng_status status = fit_frames(sight, &s, images, &bytes, err);
    if (status == NG_OK) {
        status = ng_report_strips(sight, &strips, err);
    }
    if (status == NG_OK) {
        *out = json_pack("{s:o, s:O, s:o, s:O, s:o}", "movie", movie_json(sight, files, &s, bytes),
                         "image", images, "track", tracks_json(sight, &s), "event", strips, "count",
                         counts_json(sight));
        status = *out != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for the report");
    }
    json_decref(images);
    json_decref(strips);
    return status;
}

ng_status ng_report_look(const ng_report_files *files, json_t **out, ng_warnings *warnings,
                         ng_error *err)
{
    ng_report_sight sight = {0};
    *out = NULL;
    ng_status status = open_movie(files, &sight, warnings, err);
    if (status == NG_OK) {
        status = read_tables(files, &sight, warnings, err);
    }
    if (status == NG_OK) {
        status = look(&sight, files, out, err);
    }
    sight_free(&sight);
    return status;
}
