/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <jansson.h>

#include <math.h>

/* ---- out ----------------------------------------------------------------------------- */

static json_t *sources_json(const ng_tracks *tracks)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < tracks->n_sources; i++) {
        if (json_array_append_new(list, json_string_nocheck(tracks->source[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *track_json(const ng_tracks *tracks, const ng_track *track)
{
    json_t *frame = json_array();
    json_t *time_s = json_array();
    json_t *radius_nm = json_array();
    bool failed = frame == NULL || time_s == NULL || radius_nm == NULL;
    for (size_t i = track->first; !failed && i < track->first + track->n; i++) {
        const ng_track_point *point = &tracks->point[i];
        failed = json_array_append_new(frame, json_integer(point->frame)) != 0 ||
                 json_array_append_new(time_s, ng_json_real(point->time_s)) != 0 ||
                 json_array_append_new(radius_nm, ng_json_real(point->radius_nm)) != 0;
    }
    json_t *object = failed ? NULL : json_object();
    if (object == NULL) {
        json_decref(frame);
        json_decref(time_s);
        json_decref(radius_nm);
        return NULL;
    }
    failed = json_object_set_new(object, "id", json_integer(track->id)) != 0;
    failed |= json_object_set_new(object, "source", json_integer(track->source)) != 0;
    if (track->group >= 0) {
        failed |= json_object_set_new(object, "group", json_integer(track->group)) != 0;
    }
    failed |= json_object_set_new(object, "frame", frame) != 0;
    failed |= json_object_set_new(object, "time_s", time_s) != 0;
    failed |= json_object_set_new(object, "radius_nm", radius_nm) != 0;
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *all_tracks_json(const ng_tracks *tracks)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < tracks->n_tracks; i++) {
        if (json_array_append_new(list, track_json(tracks, &tracks->track[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

struct json_t *ng_tracks_json(const ng_tracks *tracks)
{
    json_t *object = json_object();
    if (object == NULL) {
        return NULL;
    }
    bool failed = json_object_set_new(object, "source", sources_json(tracks)) != 0;
    failed |= json_object_set_new(object, "frame_s", ng_json_real(tracks->frame_s)) != 0;
    failed |= json_object_set_new(object, "pixel_nm", ng_json_real(tracks->pixel_nm)) != 0;
    failed |= json_object_set_new(object, "ex_situ", json_boolean(tracks->ex_situ)) != 0;
    failed |= json_object_set_new(object, "track", all_tracks_json(tracks)) != 0;
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* ---- in ------------------------------------------------------------------------------ */

static ng_status fail_key(ng_error *err, const char *key, const char *needed)
{
    return NG_FAIL(err, NG_FORMAT, "tracks: \"%s\" is missing or not %s", key, needed);
}

static ng_status fail_track(ng_error *err, size_t index, const char *key, const char *needed)
{
    return NG_FAIL(err, NG_FORMAT, "tracks: \"track\"[%zu].\"%s\" is missing or not %s", index,
                   key, needed);
}

/* A number or null (NAN). */
static bool get_real(const json_t *object, const char *key, double *value)
{
    const json_t *item = json_object_get(object, key);
    *value = json_is_number(item) ? json_number_value(item) : (double)NAN;
    return item == NULL || json_is_null(item) || json_is_number(item);
}

static ng_status read_sources(const json_t *value, ng_tracks *out, ng_error *err)
{
    const json_t *list = json_object_get(value, "source");
    if (!json_is_array(list)) {
        return fail_key(err, "source", "a list of names");
    }
    out->source = NG_NEW(char *, json_array_size(list));
    if (out->source == NULL) {
        return NG_FAIL(err, NG_MEMORY, "tracks: no memory for file names");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL) {
            return fail_key(err, "source", "a list of names");
        }
        out->source[i] = ng_text_copy(name);
        if (out->source[i] == NULL) {
            return NG_FAIL(err, NG_MEMORY, "tracks: no memory for file names");
        }
        out->n_sources = i + 1;
    }
    return NG_OK;
}

static ng_status read_point(const json_t *item, size_t track, size_t i, ng_track_point *point,
                            ng_error *err)
{
    const json_t *frame = json_array_get(json_object_get(item, "frame"), i);
    const json_t *time_s = json_array_get(json_object_get(item, "time_s"), i);
    const json_t *radius_nm = json_array_get(json_object_get(item, "radius_nm"), i);
    if (!json_is_integer(frame)) {
        return fail_track(err, track, "frame", "a list of whole numbers");
    }
    if (!json_is_number(time_s)) {
        return fail_track(err, track, "time_s", "a list of numbers as long as \"frame\"");
    }
    if (!json_is_number(radius_nm) || !(json_number_value(radius_nm) > 0.0)) {
        return fail_track(err, track, "radius_nm",
                          "a list of positive numbers as long as \"frame\"");
    }
    *point = (ng_track_point){
        .frame = (long)json_integer_value(frame),
        .time_s = json_number_value(time_s),
        .x_nm = (double)NAN,
        .y_nm = (double)NAN,
        .radius_nm = json_number_value(radius_nm),
        .radius_se_nm = (double)NAN,
    };
    return NG_OK;
}

static ng_status read_track(const json_t *item, size_t index, ng_tracks *out, ng_error *err)
{
    const json_t *id = json_object_get(item, "id");
    const json_t *source = json_object_get(item, "source");
    const json_t *group = json_object_get(item, "group");
    const json_t *frame = json_object_get(item, "frame");
    if (!json_is_integer(id)) {
        return fail_track(err, index, "id", "a whole number");
    }
    if (!json_is_integer(source) || json_integer_value(source) < 0 ||
        (size_t)json_integer_value(source) >= out->n_sources) {
        return fail_track(err, index, "source", "the index of a source");
    }
    if (group != NULL && !json_is_integer(group)) {
        return fail_track(err, index, "group", "a whole number");
    }
    if (json_array_size(frame) == 0) {
        return fail_track(err, index, "frame", "a list of whole numbers");
    }
    ng_track *track = &out->track[index];
    *track = (ng_track){.id = (long)json_integer_value(id),
                        .group = group != NULL ? (long)json_integer_value(group) : -1,
                        .source = (unsigned)json_integer_value(source),
                        .first = out->n_points};
    for (size_t i = 0; i < json_array_size(frame); i++) {
        ng_track_point *point = &out->point[out->n_points];
        ng_status status = read_point(item, index, i, point, err);
        if (status != NG_OK) {
            return status;
        }
        if (i > 0 && point->frame <= point[-1].frame) {
            return fail_track(err, index, "frame", "rising");
        }
        out->n_points++;
        track->n++;
    }
    return NG_OK;
}

static ng_status read_tracks(const json_t *value, ng_tracks *out, ng_error *err)
{
    const json_t *list = json_object_get(value, "track");
    if (!json_is_array(list)) {
        return fail_key(err, "track", "a list of tracks");
    }
    size_t n = json_array_size(list);
    size_t points = 0;
    for (size_t i = 0; i < n; i++) {
        points += json_array_size(json_object_get(json_array_get(list, i), "frame"));
    }
    out->track = NG_NEW(ng_track, n);
    out->point = NG_NEW(ng_track_point, points);
    if (out->track == NULL || out->point == NULL) {
        return NG_FAIL(err, NG_MEMORY, "tracks: no memory for %zu points", points);
    }
    for (size_t i = 0; i < n; i++) {
        ng_status status = read_track(json_array_get(list, i), i, out, err);
        if (status != NG_OK) {
            return status;
        }
        out->n_tracks = i + 1;
    }
    return NG_OK;
}

ng_status ng_tracks_from_json(const struct json_t *value, ng_tracks *out, ng_error *err)
{
    *out = (ng_tracks){0};
    ng_status status = NG_OK;
    if (!get_real(value, "frame_s", &out->frame_s)) {
        status = fail_key(err, "frame_s", "a number");
    }
    if (status == NG_OK && !get_real(value, "pixel_nm", &out->pixel_nm)) {
        status = fail_key(err, "pixel_nm", "a number");
    }
    out->ex_situ = json_is_true(json_object_get(value, "ex_situ"));
    if (status == NG_OK) {
        status = read_sources(value, out, err);
    }
    if (status == NG_OK) {
        status = read_tracks(value, out, err);
    }
    out->rows_read = out->n_points;
    if (status != NG_OK) {
        ng_tracks_free(out);
    }
    return status;
}
