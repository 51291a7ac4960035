/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

ng_tracks_read_options ng_tracks_read_defaults(void)
{
    return (ng_tracks_read_options){
        .pixel_nm = (double)NAN, .frame_s = (double)NAN, .max_rows = 100000000};
}

void ng_tracks_free(ng_tracks *tracks)
{
    if (tracks == NULL) {
        return;
    }
    for (size_t i = 0; i < tracks->n_sources; i++) {
        ng_free(tracks->source[i]);
    }
    ng_free(tracks->source);
    ng_free(tracks->point);
    ng_free(tracks->track);
    *tracks = (ng_tracks){0};
}

/* ---- one file ------------------------------------------------------------------------ */

/* They tell which sizes are none; only tables of this program have them. */
static void want_flags(ng_layout *layout)
{
    const ng_column *flag = ng_layout_find(layout, "flag");
    if (flag != NULL && layout->kind == NG_KIND_TRACKS) {
        layout->further[layout->n_further++] =
            (ng_further){(size_t)(flag - layout->column), ng_flags_read};
    }
}

static ng_status read_csv(ng_reader *reader, const char *text, size_t length)
{
    ng_csv csv;
    ng_layout layout = {.kind = NG_KIND_UNKNOWN};
    const char *name = reader->table->name;
    ng_status status = ng_csv_open(&csv, text, length, name, reader->err);
    if (status == NG_OK) {
        status = ng_layout_read(&csv, &layout, reader->err);
    }
    if (status == NG_OK) {
        status = ng_layout_check(&layout, name, reader->err);
    }
    if (status == NG_OK) {
        want_flags(&layout);
        status = ng_rows_read_csv(reader, &csv, &layout);
    }
    ng_layout_free(&layout);
    return status;
}

static bool json_is(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0') {
        i++;
    }
    return i < length && text[i] == '{';
}

ng_status ng_table_read(ng_reader *reader, const char *text, size_t length)
{
    reader->table->first = reader->rows->n;
    if (ng_xml_is(text, length)) {
        return ng_trackmate_xml_read(reader, text, length);
    }
    if (json_is(text, length)) {
        return NG_FAIL(reader->err, NG_FORMAT,
                       "%s: this is a JSON file; a table of tracks is needed", reader->table->name);
    }
    return read_csv(reader, text, length);
}

/* ---- the two entries ----------------------------------------------------------------- */

ng_status ng_read_options_check(const ng_tracks_read_options *options, ng_error *err)
{
    const struct {
        const char *flag;
        double value;
    } positive[] = {{"pixel-nm", options->pixel_nm}, {"frame-s", options->frame_s}};
    for (size_t i = 0; i < 2; i++) {
        double value = positive[i].value;
        if (!isnan(value) && !(value >= 1e-9 && value <= 1e9)) {
            return NG_FAIL(err, NG_INVALID, "--%s is %g; it must lie between 1e-9 and 1e9",
                           positive[i].flag, value);
        }
    }
    return NG_OK;
}

const char *ng_path_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static ng_status read_file(ng_reader *reader, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    reader->table->name = ng_path_name(path);
    ng_status status = ng_file_read(path, NG_MAX_TABLE_BYTES, &text, &length, reader->err);
    if (status == NG_OK) {
        status = ng_table_read(reader, text, length);
    }
    ng_free(text);
    return status;
}

/* All files in turn, then the tracks. */
static ng_status read_files(ng_reader *reader, const char *const *paths, size_t n, ng_tracks *out)
{
    ng_table *tables = NG_NEW(ng_table, n);
    if (tables == NULL) {
        return NG_FAIL(reader->err, NG_MEMORY, "no memory for %zu files", n);
    }
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        reader->table = &tables[i];
        status = read_file(reader, paths[i]);
    }
    if (status == NG_OK) {
        status = ng_tables_join(reader, tables, n, out);
    }
    ng_free(tables);
    return status;
}

ng_status ng_tracks_read(const char *const *paths, size_t n_paths,
                         const ng_tracks_read_options *options, ng_tracks *out,
                         ng_warnings *warnings, ng_error *err)
{
    ng_error local;
    ng_rows rows = {0};
    ng_reader reader = {
        .options = options, .rows = &rows, .warnings = warnings, .err = err != NULL ? err : &local};
    *out = (ng_tracks){0};
    ng_status status = ng_read_options_check(options, reader.err);
    if (status == NG_OK && n_paths == 0) {
        status = NG_FAIL(reader.err, NG_USAGE, "no file is given; name a table of tracks");
    }
    if (status == NG_OK) {
        status = read_files(&reader, paths, n_paths, out);
    }
    ng_rows_free(&rows);
    return status;
}

ng_status ng_tracks_parse(const char *text, size_t length, const char *name,
                          const ng_tracks_read_options *options, ng_tracks *out,
                          ng_warnings *warnings, ng_error *err)
{
    ng_error local;
    ng_rows rows = {0};
    ng_table table = {.name = name};
    ng_reader reader = {.options = options,
                        .table = &table,
                        .rows = &rows,
                        .warnings = warnings,
                        .err = err != NULL ? err : &local};
    *out = (ng_tracks){0};
    ng_status status = ng_read_options_check(options, reader.err);
    if (status == NG_OK) {
        status = ng_table_read(&reader, text, length);
    }
    if (status == NG_OK) {
        status = ng_tables_join(&reader, &table, 1, out);
    }
    ng_rows_free(&rows);
    return status;
}
