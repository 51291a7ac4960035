/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_internal.h"

#include <math.h>
#include <string.h>

static const char *const schemas[NG_REPORT_KINDS] = {
    [NG_REPORT_ENSEMBLE] = "nucgrow/ensemble/1",
    [NG_REPORT_FIT] = "nucgrow/fit-growth/1",
    [NG_REPORT_POTENTIAL] = "nucgrow/potential/1",
    [NG_REPORT_TRUTH] = "nucgrow/truth/1",
    [NG_REPORT_PREDICTION] = "nucgrow/predict/1",
    [NG_REPORT_RECONSTRUCTION] = "nucgrow/pattern/1",
    [NG_REPORT_COALESCENCE] = "nucgrow/fit-coalescence/1",
    [NG_REPORT_NUCLEATION] = "nucgrow/nucleation/1",
    [NG_REPORT_AVRAMI] = "nucgrow/fit-avrami/1",
    [NG_REPORT_DIFFUSION] = "nucgrow/fit-diffusion/1",
    [NG_REPORT_ENERGY] = "nucgrow/energy/1",
    [NG_REPORT_RADIUS] = "nucgrow/radius/1",
};

static const char *const study_keys[NG_REPORT_KINDS] = {
    [NG_REPORT_ENSEMBLE] = "ensemble",     [NG_REPORT_FIT] = "fit",
    [NG_REPORT_POTENTIAL] = "potential",   [NG_REPORT_TRUTH] = "truth",
    [NG_REPORT_PREDICTION] = "prediction", [NG_REPORT_RECONSTRUCTION] = "reconstruction",
    [NG_REPORT_COALESCENCE] = "coalescence",
    [NG_REPORT_NUCLEATION] = "nucleation", [NG_REPORT_AVRAMI] = "avrami",
    [NG_REPORT_DIFFUSION] = "diffusion",   [NG_REPORT_ENERGY] = "energy",
    [NG_REPORT_RADIUS] = "radius",
};

double ng_report_real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *ng_report_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

double ng_report_first(const json_t *object, const char *key)
{
    const json_t *array = json_object_get(object, key);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        if (json_is_number(value)) {
            return json_number_value(value);
        }
    }
    return (double)NAN;
}

double ng_report_last(const json_t *object, const char *key)
{
    const json_t *array = json_object_get(object, key);
    for (size_t i = json_array_size(array); i-- > 0;) {
        const json_t *value = json_array_get(array, i);
        if (json_is_number(value)) {
            return json_number_value(value);
        }
    }
    return (double)NAN;
}

/* Length of "nucgrow/<verb>/" in a schema. */
static size_t family_length(const char *schema)
{
    const char *slash = strrchr(schema, '/');
    return slash == NULL ? 0 : (size_t)(slash - schema) + 1;
}

static ng_status kind_of(const json_t *result, const char *name, ng_report_kind *kind,
                         ng_error *err)
{
    const char *schema = ng_report_string(result, "schema");
    if (schema == NULL) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: no \"schema\" in it; a result of nucgrow is needed "
                       "(%s, %s, %s, %s, %s, %s or one of fluorescent crystals)",
                       name, schemas[0], schemas[1], schemas[2], schemas[3], schemas[4],
                       schemas[5]);
    }
    for (int k = 0; k < NG_REPORT_KINDS; k++) {
        if (strcmp(schema, schemas[k]) == 0) {
            *kind = (ng_report_kind)k;
            return NG_OK;
        }
        size_t family = family_length(schemas[k]);
        if (strncmp(schema, schemas[k], family) == 0) {
            return NG_FAIL(err, NG_FORMAT,
                           "%s: schema is %.60s, this program reads %s; make the "
                           "result again with this version",
                           name, schema, schemas[k]);
        }
    }
    return NG_FAIL(err, NG_FORMAT,
                   "%s: schema is %.60s; a report is made from %s, %s, %s, %s, %s, %s and "
                   "results of fluorescent crystals (leave this file out)",
                   name, schema, schemas[0], schemas[1], schemas[2], schemas[3], schemas[4],
                   schemas[5]);
}

ng_status ng_report_studies(const ng_report_input *input, ng_report_study **study, size_t *n,
                            ng_error *err)
{
    *study = NULL;
    *n = 0;
    if (input->n == 0 && input->seen == NULL) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "no result to report on; give ensemble.json, "
                       "fit-growth.json, potential.json or predicted.json");
    }
    ng_report_study *list = NG_NEW(ng_report_study, input->n + 1);
    if (list == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu results", input->n);
    }
    size_t count = 1;
    for (size_t i = 0; i < input->n; i++) {
        ng_report_kind kind = NG_REPORT_ENSEMBLE;
        ng_status status = kind_of(input->result[i], input->name[i], &kind, err);
        if (status != NG_OK) {
            ng_free(list);
            return status;
        }
        ng_report_study *home = &list[0];
        if (home->result[kind] != NULL) {
            home = &list[count++];
            home->name = input->name[i];
        }
        home->result[kind] = input->result[i];
        home->file[kind] = input->name[i];
    }
    for (size_t k = 1; k < count; k++) {
        if (list[k].result[NG_REPORT_FIT] != NULL) {
            list[k].result[NG_REPORT_TRUTH] = list[0].result[NG_REPORT_TRUTH];
        }
    }
    *study = list;
    *n = count;
    return NG_OK;
}

const json_t *ng_report_ensemble(const ng_report_study *study)
{
    const json_t *own = study->result[NG_REPORT_ENSEMBLE];
    return own != NULL ? own : json_object_get(study->result[NG_REPORT_FIT], "ensemble");
}

/* ---- the data of the page ------------------------------------------------------------------ */

/* A line on a screen needs no more points than this. */
#define TABLE_POINTS 500
#define TRACK_POINTS 60000

/* Keep `array[keep[0]], array[keep[1]], ...`. */
static json_t *picked(const json_t *array, const size_t *keep, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n && out != NULL; i++) {
        json_array_append(out, json_array_get(array, keep[i]));
    }
    return out;
}

/* Rows of a table over n so that neighbours differ by equal factors at least; their number. */
static size_t choose_rows(const json_t *sizes, size_t *keep)
{
    size_t n = json_array_size(sizes), kept = 0;
    double first = json_number_value(json_array_get(sizes, 0));
    double last = json_number_value(json_array_get(sizes, n - 1));
    double step = first > 0 && last > first ? log(last / first) / TABLE_POINTS : 0;
    double next = first;
    for (size_t i = 0; i < n; i++) {
        double size = json_number_value(json_array_get(sizes, i));
        if (size >= next || i + 1 == n) {
            keep[kept++] = i;
            next = size * exp(step);
        }
    }
    return kept;
}

/* Thin every array of `table` that is as long as its "n". */
static void thin_table(json_t *table)
{
    const json_t *sizes = json_object_get(table, "n");
    size_t n = json_array_size(sizes);
    if (n <= TABLE_POINTS) {
        return;
    }
    size_t *keep = NG_NEW(size_t, n);
    if (keep == NULL) {
        return;
    }
    size_t kept = choose_rows(sizes, keep);
    const char *key;
    json_t *value;
    void *safe;
    json_object_foreach_safe(table, safe, key, value)
    {
        if (json_array_size(value) == n && strcmp(key, "n") != 0) {
            json_object_set_new(table, key, picked(value, keep, kept));
        }
    }
    json_object_set_new(table, "n", picked(sizes, keep, kept));
    ng_free(keep);
}

static void thin_tables(json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_object(value)) {
        thin_table(value);
        json_object_foreach(value, key, child)
        {
            thin_tables(child);
        }
    } else if (json_is_object(json_array_get(value, 0))) {
        json_array_foreach(value, i, child)
        {
            thin_tables(child);
        }
    }
}

/* Every `stride`-th point of a trajectory and its last. */
static json_t *thin_track(const json_t *track, size_t stride)
{
    const json_t *times = json_object_get(track, "time_s");
    size_t n = json_array_size(times), kept = 0;
    size_t *keep = NG_NEW(size_t, n);
    json_t *out = json_object();
    if (keep == NULL || out == NULL) {
        json_decref(out);
        ng_free(keep);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (i % stride == 0 || i + 1 == n) {
            keep[kept++] = i;
        }
    }
    json_object_set(out, "id", json_object_get(track, "id"));
    json_object_set_new(out, "time_s", picked(times, keep, kept));
    json_object_set_new(out, "radius_nm", picked(json_object_get(track, "radius_nm"), keep, kept));
    ng_free(keep);
    return out;
}

/* NULL: nothing to thin, or no memory for it; the tracks then stay as they are. */
static json_t *thin_tracks(const json_t *tracks)
{
    const json_t *list = json_object_get(tracks, "track");
    if (json_array_size(list) == 0) {
        return NULL;
    }
    size_t points = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        points += json_array_size(json_object_get(json_array_get(list, i), "time_s"));
    }
    size_t stride = points / TRACK_POINTS + 1;
    json_t *out = json_object(), *kept = json_array();
    /* of particles that were drawn once there is nothing to thin but their number */
    const bool drawn_once = json_is_true(json_object_get(tracks, "ex_situ"));
    for (size_t i = 0; i < json_array_size(list); i += drawn_once ? stride : 1) {
        json_t *track = thin_track(json_array_get(list, i), stride);
        if (track == NULL) {
            json_decref(kept);
            json_decref(out);
            return NULL;
        }
        json_array_append_new(kept, track);
    }
    double frame_s = ng_report_real(tracks, "frame_s");
    json_object_set_new(out, "frame_s", ng_json_real(frame_s * (double)stride));
    json_object_set_new(out, "ex_situ", json_boolean(drawn_once));
    json_object_set_new(out, "track", kept);
    return out;
}

/* What stands in the page as text, or is drawn nowhere. */
static const char *const left_out[] = {"provenance", "warnings", "methods", "references",
                                       "answer",     "verdict",  "schema",  "stop",
                                       "timing",     "settings", "counts",  "pictures"};

static void keep_drawn(json_t *copy)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
        json_object_del(copy, left_out[i]);
    }
    const json_t *tracks = json_object_get(copy, "tracks");
    if (tracks != NULL) {
        json_object_set_new(copy, "tracks", thin_tracks(tracks));
    }
}

static json_t *drawn_part(const json_t *result, bool with_ensemble)
{
    json_t *out = json_deep_copy(result);
    keep_drawn(out);
    if (with_ensemble) {
        keep_drawn(json_object_get(out, "ensemble"));
    } else {
        json_object_del(out, "ensemble");
    }
    thin_tables(out);
    return out;
}

/* The name without its folder: NULL (no key) where it is not known or not UTF-8. */
static json_t *file_name(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    return path != NULL ? json_string(slash != NULL ? slash + 1 : path) : NULL;
}

json_t *ng_report_data(const ng_report_study *study, size_t n, const json_t *seen)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object(), *files = json_object();
        bool own_ensemble = study[i].result[NG_REPORT_ENSEMBLE] != NULL;
        for (int k = 0; k < NG_REPORT_KINDS; k++) {
            if (study[i].result[k] != NULL) {
                json_object_set_new(one, study_keys[k],
                                    drawn_part(study[i].result[k], !own_ensemble));
                json_object_set_new(files, study_keys[k], file_name(study[i].file[k]));
            }
        }
        json_object_set_new(one, "files", files);
        json_array_append_new(list, one);
    }
    return json_pack("{s:o, s:O*}", "studies", list, "seen", seen);
}
