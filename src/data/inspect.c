/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <jansson.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES ((size_t)4 << 30)

static void set_what(ng_file_info *info, const char *text)
{
    snprintf(info->what, sizeof info->what, "%s", text);
}

/* ---- columns ------------------------------------------------------------------------- */

static const char *slot_meaning(const ng_layout *layout, size_t column)
{
    static const char *const meaning[NG_N_SLOTS] = {
        [NG_SLOT_TRACK] = "which particle",
        [NG_SLOT_GROUP] = "particles that end as one",
        [NG_SLOT_FRAME] = "number of the frame",
        [NG_SLOT_TIME] = "time",
        [NG_SLOT_X] = "position",
        [NG_SLOT_Y] = "position",
        [NG_SLOT_SIZE] = "size",
        [NG_SLOT_SIZE_SE] = "standard error of the size",
    };
    for (int slot = 0; slot < NG_N_SLOTS; slot++) {
        if (layout->slot[slot] == column) {
            return meaning[slot];
        }
    }
    return layout->column[column].quantity == NG_QUANTITY_NONE ? "not used"
           : layout->column[column].unit == NG_UNIT_NONE       ? "not used: its unit is not said"
                                                         : "not used: another column is preferred";
}

static void describe_columns(const ng_layout *layout, ng_file_info *info)
{
    for (size_t i = 0; i < layout->n_columns; i++) {
        const ng_column *column = &layout->column[i];
        const char *name = column->name[0] != '\0' ? column->name : "(no name)";
        const char *unit = ng_unit_name(column->unit);
        bool square =
            column->quantity == NG_QUANTITY_AREA || column->quantity == NG_QUANTITY_AREA_SE;
        ng_warnings_add(&info->columns, name, "%s%s%s%s", slot_meaning(layout, i),
                        unit[0] != '\0' ? ", in " : "", unit,
                        unit[0] != '\0' && square ? "^2" : "");
    }
}

static void describe_size(ng_file_info *info, const char *column, ng_quantity size, ng_unit unit)
{
    snprintf(info->size_column, sizeof info->size_column, "%s", column);
    snprintf(info->size_name, sizeof info->size_name, "%s", ng_quantity_size_name(size));
    snprintf(info->size_unit, sizeof info->size_unit, "%s", ng_unit_name(unit));
}

static void set_missing(ng_file_info *info, ng_unit size_unit, bool has_times)
{
    if (size_unit == NG_UNIT_PX) {
        ng_warnings_add(&info->missing, "pixel-nm", "nm per pixel: sizes are in pixels");
    }
    if (!has_times) {
        ng_warnings_add(&info->missing, "frame-s",
                        "seconds between frames: there are frames but no times");
    }
}

/* ---- numbers ------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static ng_status measure_sizes(const ng_rows *rows, ng_file_info *info, ng_error *err)
{
    double *size = NG_NEW(double, rows->n);
    if (size == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu sizes", rows->n);
    }
    for (size_t i = 0; i < rows->n; i++) {
        size[i] = rows->item[i].size;
    }
    qsort(size, rows->n, sizeof *size, by_value);
    if (rows->n > 0) {
        info->size_min = size[0];
        info->size_median = 0.5 * (size[(rows->n - 1) / 2] + size[rows->n / 2]);
        info->size_max = size[rows->n - 1];
    }
    ng_free(size);
    return NG_OK;
}

static int by_frame(const void *left, const void *right)
{
    long a = *(const long *)left;
    long b = *(const long *)right;
    return (a > b) - (a < b);
}

static ng_status count_frames(const ng_tracks *tracks, ng_file_info *info, ng_error *err)
{
    long *frame = NG_NEW(long, tracks->n_points);
    if (frame == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", tracks->n_points);
    }
    for (size_t i = 0; i < tracks->n_points; i++) {
        frame[i] = tracks->point[i].frame;
    }
    qsort(frame, tracks->n_points, sizeof *frame, by_frame);
    for (size_t i = 0; i < tracks->n_points; i++) {
        info->frames += i == 0 || frame[i] != frame[i - 1];
    }
    ng_free(frame);
    return NG_OK;
}

static void measure_times(const ng_tracks *tracks, ng_file_info *info)
{
    info->frame_s = tracks->frame_s;
    for (size_t i = 0; i < tracks->n_points; i++) {
        double time_s = tracks->point[i].time_s;
        info->time_first_s = i == 0 ? time_s : fmin(info->time_first_s, time_s);
        info->time_last_s = i == 0 ? time_s : fmax(info->time_last_s, time_s);
    }
}

/* ---- tables -------------------------------------------------------------------------- */

static void add_error(ng_file_info *info, const ng_error *err)
{
    ng_warnings_add(&info->problems, "error", "%s", err->message);
}

/* Tables that cannot be read as tracks still have rows. */
static void count_rows(ng_csv csv, ng_file_info *info)
{
    while (ng_csv_next_record(&csv)) {
        info->rows++;
        if (ng_csv_end_record(&csv, NULL) != NG_OK) {
            return;
        }
    }
}

/* What reading would warn of, except for rows that the caller tells about in full. */
static void keep_warnings(const ng_warnings *from, ng_file_info *info)
{
    for (size_t i = 0; i < from->n; i++) {
        if (strcmp(from->item[i].name, "rows-dropped") != 0) {
            ng_warnings_add(&info->problems, from->item[i].name, "%s", from->item[i].text);
        }
    }
}

/* Join the rows with a calibration of 1 where there is none: what can be counted does not depend
 * on it. */
static ng_status inspect_rows(ng_table *table, ng_rows *rows, ng_file_info *info, ng_error *err)
{
    bool has_times = table->has_time || !table->has_frame;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks = {0};
    ng_warnings warnings = {0};
    options.skip_invalid = true;
    options.pixel_nm = table->size_unit == NG_UNIT_PX ? 1.0 : (double)NAN;
    options.frame_s = has_times ? (double)NAN : 1.0;
    ng_reader reader = {
        .options = &options, .table = table, .rows = rows, .warnings = &warnings, .err = err};
    ng_status status = ng_tables_join(&reader, table, 1, &tracks);
    if (status == NG_OK) {
        info->tracks = tracks.ex_situ ? 0 : tracks.n_tracks;
        status = count_frames(&tracks, info, err);
    } else if (status != NG_MEMORY) {
        add_error(info, err);
        status = NG_OK;
    }
    if (has_times) {
        measure_times(&tracks, info);
    }
    if (table->invalid > 0) {
        ng_warnings_add(
            &info->problems, "error",
            "rows with a bad value: %zu, where reading stops (--skip-invalid drops them); the "
            "first in %s",
            table->invalid, table->first_bad);
    }
    keep_warnings(&warnings, info);
    ng_warnings_free(&warnings);
    ng_tracks_free(&tracks);
    return status;
}

static const char *kind_phrase(ng_file_kind kind)
{
    switch ((int)kind) {
    case NG_KIND_TRACKS:
        return "a table of tracks";
    case NG_KIND_PARTICLES:
        return "a table of particles that are not linked into tracks";
    case NG_KIND_TRACKMATE_CSV:
        return "TrackMate's table of spots";
    case NG_KIND_TRACKMATE_XML:
        return "a TrackMate file (XML)";
    case NG_KIND_TRACKPY_CSV:
        return "a table of trackpy";
    case NG_KIND_EX_SITU:
        return "ex-situ samples: sizes of particles drawn at times";
    case NG_KIND_EVENTS:
        return "a table of events";
    default:
        return "a table that is not known here";
    }
}

/* The rows of a table of tracks or samples, in the file's units. */
static ng_status inspect_table(const char *text, size_t length, const char *name,
                               ng_file_info *info, ng_error *err)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.skip_invalid = true;
    ng_table table = {.name = name};
    ng_rows rows = {0};
    ng_reader reader = {.options = &options,
                        .table = &table,
                        .rows = &rows,
                        .warnings = &info->problems,
                        .err = err};
    ng_status status = ng_table_read(&reader, text, length);
    info->rows = table.rows_read > 0 ? table.rows_read : info->rows;
    if (status == NG_OK) {
        describe_size(info, table.size_column, table.size, table.size_unit);
        set_missing(info, table.size_unit, table.has_time || !table.has_frame);
        status = measure_sizes(&rows, info, err);
    } else if (status != NG_MEMORY) {
        add_error(info, err);
        status = NG_OK;
        goto out;
    }
    if (status == NG_OK) {
        status = inspect_rows(&table, &rows, info, err);
    }
out:
    ng_rows_free(&rows);
    return status;
}

static ng_status inspect_csv(const char *text, size_t length, const char *name, ng_file_info *info,
                             ng_error *err)
{
    ng_csv csv;
    ng_layout layout = {.kind = NG_KIND_UNKNOWN};
    set_what(info, "not a table");
    ng_status status = ng_csv_open(&csv, text, length, name, err);
    if (status == NG_OK) {
        status = ng_layout_read(&csv, &layout, err);
    }
    if (status != NG_OK) {
        add_error(info, err);
        return status == NG_MEMORY ? status : NG_OK;
    }
    info->kind = layout.kind;
    set_what(info, kind_phrase(layout.kind));
    describe_columns(&layout, info);
    count_rows(csv, info);
    bool readable = layout.kind != NG_KIND_EVENTS;
    ng_layout_free(&layout);
    return readable ? inspect_table(text, length, name, info, err) : NG_OK;
}

static ng_status inspect_xml(const char *text, size_t length, const char *name, ng_file_info *info,
                             ng_error *err)
{
    info->kind = NG_KIND_TRACKMATE_XML;
    set_what(info, kind_phrase(info->kind));
    return inspect_table(text, length, name, info, err);
}

/* ---- other files --------------------------------------------------------------------- */

static void inspect_json(const char *text, size_t length, const char *name, ng_file_info *info)
{
    json_error_t broken;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &broken);
    const char *schema = json_string_value(json_object_get(value, "schema"));
    set_what(info, "a JSON file that is not a result of nucgrow");
    if (value == NULL) {
        ng_warnings_add(&info->problems, "error", "%s:%d: the JSON is broken: %s", name,
                        broken.line, broken.text);
    } else if (schema != NULL && strncmp(schema, "nucgrow/", 8) == 0) {
        info->kind = NG_KIND_RESULT;
        ng_text_show(schema, strlen(schema), info->schema, sizeof info->schema);
        snprintf(info->what, sizeof info->what, "a result of nucgrow (%.60s)", info->schema);
    } else {
        ng_warnings_add(&info->problems, "error", "%s: no key schema that begins with nucgrow/",
                        name);
    }
    json_decref(value);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t tail = strlen(ending);
    return length >= tail && strcmp(name + length - tail, ending) == 0;
}

static ng_status inspect_text(const char *text, size_t length, const char *name, ng_file_info *info,
                              ng_error *err)
{
    size_t start = strspn(text, " \t\r\n");
    if (ng_xml_is(text, length)) {
        return inspect_xml(text, length, name, info, err);
    }
    if (start < length && text[start] == '{') {
        inspect_json(text, length, name, info);
        return NG_OK;
    }
    if (ends_in(name, ".yaml") || ends_in(name, ".yml")) {
        info->kind = NG_KIND_EXPERIMENT;
        set_what(info, "a YAML file: an experiment for `nucgrow run`, or a material");
        return NG_OK;
    }
    return inspect_csv(text, length, name, info, err);
}

ng_status ng_file_inspect(const char *path, ng_file_info *out, ng_error *err)
{
    ng_error local;
    err = err != NULL ? err : &local;
    *out = (ng_file_info){.time_first_s = (double)NAN,
                          .time_last_s = (double)NAN,
                          .frame_s = (double)NAN,
                          .size_min = (double)NAN,
                          .size_median = (double)NAN,
                          .size_max = (double)NAN};
    /* Movies may be larger than memory: they are not read as text. */
    bool is_movie = false;
    ng_status status = ng_inspect_movie(path, out, &is_movie, err);
    if (is_movie) {
        goto out;
    }
    char *text = NULL;
    size_t length = 0;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    status = ng_file_read(path, MAX_FILE_BYTES, &text, &length, err);
    if (status == NG_OK) {
        status = inspect_text(text, length, name, out, err);
    }
    ng_free(text);
out:
    if (status != NG_OK) {
        ng_file_info_free(out);
    }
    return status;
}

void ng_file_info_free(ng_file_info *info)
{
    if (info == NULL) {
        return;
    }
    ng_warnings_free(&info->columns);
    ng_warnings_free(&info->missing);
    ng_warnings_free(&info->problems);
    *info = (ng_file_info){.kind = NG_KIND_UNKNOWN};
}
