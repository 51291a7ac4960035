/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>

/* ---- units --------------------------------------------------------------------------- */

static ng_status check_calibration(const ng_table *table, double pixel_nm, ng_warnings *warnings,
                                   ng_error *err)
{
    if (isnan(pixel_nm) && table->size_unit == NG_UNIT_PX) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: sizes (%s) are in pixels; pass the width of a pixel with --pixel-nm",
                       table->name, table->size_column);
    }
    if (isnan(pixel_nm) && table->position_unit == NG_UNIT_PX) {
        ng_warnings_add(
            warnings, "positions-unused",
            "%s: positions are in pixels and --pixel-nm is not given; they were not read",
            table->name);
    }
    if (table->has_group && table->position_unit == NG_UNIT_NONE) {
        ng_warnings_add(
            warnings, "merged-rows",
            "%s has groups but no positions, so rows that merged particles share cannot be "
            "told apart; all were kept",
            table->name);
    }
    if (!isnan(pixel_nm) && table->size_unit != NG_UNIT_PX && table->position_unit != NG_UNIT_PX) {
        ng_warnings_add(warnings, "pixel-nm-unused", "%s is in %s; --pixel-nm was not used",
                        table->name,
                        ng_unit_name(table->size != NG_QUANTITY_NONE ? table->size_unit
                                                                     : table->position_unit));
    }
    if (table->size == NG_QUANTITY_GYRATION) {
        ng_warnings_add(
            warnings, "trackpy-size",
            "%s: trackpy's size is a radius of gyration; radius = sqrt(2) x size was taken, "
            "which holds for a uniform disk",
            table->name);
    }
    return NG_OK;
}

/* A detector of spots writes the size that it was told to look for. */
static void warn_constant_size(const ng_table *table, const ng_rows *rows, ng_warnings *warnings)
{
    for (size_t i = 1; i < table->n; i++) {
        if (rows->item[table->first + i].size != rows->item[table->first].size) {
            return;
        }
    }
    if (table->n > 2) {
        ng_warnings_add(warnings, "size-constant",
                        "%s: every size (%s) is %.6g %s, so it is a setting and no measurement",
                        table->name, table->size_column, rows->item[table->first].size,
                        ng_unit_name(table->size_unit));
    }
}

/* Sizes become radii in nm. Positions keep their unit until the end: merged particles are told by
 * them, with or without a calibration. */
static void convert_sizes(const ng_table *table, ng_rows *rows, double pixel_nm)
{
    double size_nm = ng_unit_scale(table->size_unit, pixel_nm);
    for (size_t i = 0; i < table->n; i++) {
        ng_row *row = &rows->item[table->first + i];
        row->size_se = ng_size_radius_se(table->size, row->size, row->size_se) * size_nm;
        row->size = ng_size_radius(table->size, row->size) * size_nm;
    }
}

/* ---- several files ------------------------------------------------------------------- */

static const ng_table *first_with_interval(const ng_table *tables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isnan(tables[i].frame_s)) {
            return &tables[i];
        }
    }
    return NULL;
}

static ng_status check_intervals(const ng_table *tables, size_t n, const ng_table *first,
                                 ng_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (fabs(tables[i].frame_s - first->frame_s) > 0.01 * first->frame_s) {
            return NG_FAIL(
                err, NG_INVALID,
                "%s has %.6g s between frames but %s has %.6g; files that belong together "
                "need one interval",
                tables[i].name, tables[i].frame_s, first->name, first->frame_s);
        }
    }
    return NG_OK;
}

static void shift_rows(const ng_table *table, ng_rows *rows, long frames, double time_s)
{
    for (size_t i = 0; i < table->n; i++) {
        rows->item[table->first + i].frame += frames;
        rows->item[table->first + i].time_s += time_s;
    }
}

/* Let equal frames be equal times: the first table that has times sets the clock. */
static ng_status align_table(const ng_table *table, const ng_table *clock, double frame_s,
                             ng_rows *rows, ng_warnings *warnings, ng_error *err)
{
    if (table->has_frame && !table->has_time) {
        shift_rows(table, rows, 0, clock->origin_s);
        return NG_OK;
    }
    const ng_row *row = &rows->item[table->first];
    double offset = (row->time_s - clock->origin_s) / frame_s - (double)row->frame;
    double whole = round(offset);
    if (!(fabs(whole) <= 1e9)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s and %s are %.3g frames apart; they cannot belong together", table->name,
                       clock->name, whole);
    }
    if (whole != 0.0) {
        shift_rows(table, rows, (long)whole, 0.0);
        ng_warnings_add(
            warnings, "frames-shifted",
            "%s: frames were renumbered by %+.0f, so that equal frames are equal times in "
            "%s",
            table->name, whole, clock->name);
    }
    if (fabs(offset - whole) > 0.01) {
        ng_warnings_add(warnings, "times-uneven",
                        "%s: times differ by %.2g frames from those of equal frames in %s",
                        table->name, offset - whole, clock->name);
    }
    return NG_OK;
}

static ng_status align_tables(const ng_table *tables, size_t n, double *frame_s, ng_rows *rows,
                              ng_warnings *warnings, ng_error *err)
{
    const ng_table *first = first_with_interval(tables, n);
    const ng_table *clock = NULL;
    *frame_s = first != NULL ? first->frame_s : (double)NAN;
    for (size_t i = 0; i < n && clock == NULL; i++) {
        bool timed = (tables[i].has_time || !tables[i].has_frame) && tables[i].n > 0;
        clock = timed ? &tables[i] : NULL;
    }
    if (first == NULL || clock == NULL) {
        return NG_OK;
    }
    ng_status status = check_intervals(tables, n, first, err);
    ng_table known = *clock;
    if (isnan(clock->frame_s)) {
        const ng_row *row = &rows->item[clock->first];
        known.origin_s = row->time_s - (double)row->frame * first->frame_s;
    }
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        if (&tables[i] != clock) {
            status = align_table(&tables[i], &known, *frame_s, rows, warnings, err);
        }
    }
    return status;
}

static ng_status check_kinds(const ng_table *tables, size_t n, ng_error *err)
{
    for (size_t i = 1; i < n; i++) {
        if ((tables[i].kind == NG_KIND_EX_SITU) != (tables[0].kind == NG_KIND_EX_SITU)) {
            return NG_FAIL(
                err, NG_FORMAT, "%s is a table of %s but %s is one of %s; they cannot be joined",
                tables[i].name, tables[i].kind == NG_KIND_EX_SITU ? "ex-situ samples" : "tracks",
                tables[0].name, tables[0].kind == NG_KIND_EX_SITU ? "ex-situ samples" : "tracks");
        }
    }
    return NG_OK;
}

/* ---- the result ---------------------------------------------------------------------- */

static size_t count_tracks(const ng_rows *rows)
{
    size_t n = rows->n > 0 ? 1 : 0;
    for (size_t i = 1; i < rows->n; i++) {
        n += ng_row_compare_particle(&rows->item[i - 1], &rows->item[i]) != 0;
    }
    return n;
}

static void fill_tracks(const ng_table *tables, const ng_rows *rows, double pixel_nm,
                        ng_tracks *out)
{
    for (size_t i = 0; i < rows->n; i++) {
        const ng_row *row = &rows->item[i];
        if (i == 0 || ng_row_compare_particle(&rows->item[i - 1], row) != 0) {
            out->track[out->n_tracks++] = (ng_track){
                .id = row->track, .group = row->group, .source = row->source, .first = i};
        }
        double position_nm = ng_unit_scale(tables[row->source].position_unit, pixel_nm);
        out->track[out->n_tracks - 1].n++;
        out->point[i] = (ng_track_point){
            .frame = row->frame,
            .time_s = row->time_s,
            .x_nm = row->x * position_nm,
            .y_nm = row->y * position_nm,
            .radius_nm = row->size,
            .radius_se_nm = row->size_se,
        };
    }
    out->n_points = rows->n;
}

static ng_status build_tracks(const ng_table *tables, size_t n, const ng_rows *rows,
                              double pixel_nm, ng_tracks *out, ng_error *err)
{
    size_t n_tracks = count_tracks(rows);
    out->point = NG_NEW(ng_track_point, rows->n);
    out->track = NG_NEW(ng_track, n_tracks);
    out->source = NG_NEW(char *, n);
    if (out->point == NULL || out->track == NULL || out->source == NULL) {
        goto no_memory;
    }
    for (size_t i = 0; i < n; i++) {
        out->source[i] = ng_text_copy(tables[i].name);
        if (out->source[i] == NULL) {
            goto no_memory;
        }
        out->n_sources++;
        out->rows_read += tables[i].rows_read;
    }
    fill_tracks(tables, rows, pixel_nm, out);
    out->rows_dropped = out->rows_read - out->n_points;
    out->ex_situ = tables[0].kind == NG_KIND_EX_SITU;
    return NG_OK;
no_memory:
    return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks with %zu points", n_tracks, rows->n);
}

void ng_table_warn_dropped(const ng_table *table, ng_warnings *warnings)
{
    if (table->invalid > 0) {
        ng_warnings_add(warnings, "rows-dropped",
                        "%s: %zu of %zu rows dropped because of a bad value; the first in %s",
                        table->name, table->invalid, table->rows_read, table->first_bad);
    }
    if (table->unlinked > 0) {
        ng_warnings_add(warnings, "rows-unlinked",
                        "%s: %zu of %zu rows left out because they are in no track", table->name,
                        table->unlinked, table->rows_read);
    }
    if (table->cut > 0) {
        ng_warnings_add(warnings, "rows-cut",
                        "%s: %zu of %zu rows left out: the border cuts the particle so that it "
                        "could not be fitted (flags edge and no-fit), and its size is that of what "
                        "is seen of it",
                        table->name, table->cut, table->rows_read);
    }
}

static ng_status fail_empty(const ng_table *table, ng_error *err)
{
    if (table->rows_read == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE, "%s: there are no %s", table->name,
                       table->kind == NG_KIND_TRACKMATE_XML ? "spots" : "rows below the header");
    }
    return NG_FAIL(err, NG_TOO_LITTLE,
                   "%s: none of %zu rows can be used: %zu have a bad value%s%s, %zu are "
                   "in no track%s",
                   table->name, table->rows_read, table->invalid,
                   table->first_bad[0] != '\0' ? "; " : "", table->first_bad, table->unlinked,
                   table->cut > 0 ? ", the others are cut by the border" : "");
}

ng_status ng_table_prepare(ng_table *table, ng_rows *rows, const ng_tracks_read_options *options,
                           ng_warnings *warnings, ng_error *err)
{
    if (table->n == 0) {
        return fail_empty(table, err);
    }
    ng_status status = check_calibration(table, options->pixel_nm, warnings, err);
    if (status != NG_OK) {
        return status;
    }
    warn_constant_size(table, rows, warnings);
    convert_sizes(table, rows, options->pixel_nm);
    return ng_table_timing(table, rows, options->frame_s, warnings, err);
}

static ng_status prepare_tables(ng_table *tables, size_t n, ng_rows *rows,
                                const ng_tracks_read_options *options, ng_warnings *warnings,
                                ng_error *err)
{
    ng_status status = check_kinds(tables, n, err);
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        status = ng_table_prepare(&tables[i], rows, options, warnings, err);
        for (size_t k = 0; k < tables[i].n; k++) {
            rows->item[tables[i].first + k].source = (unsigned)i;
        }
    }
    return status;
}

ng_status ng_tables_join(const ng_reader *reader, ng_table *tables, size_t n, ng_tracks *out)
{
    const ng_tracks_read_options *options = reader->options;
    ng_warnings *warnings = reader->warnings;
    ng_error *err = reader->err;
    ng_rows *rows = reader->rows;
    *out = (ng_tracks){.pixel_nm = (double)NAN, .frame_s = (double)NAN};
    ng_status status = prepare_tables(tables, n, rows, options, warnings, err);
    if (status == NG_OK && tables[0].kind == NG_KIND_EX_SITU) {
        status = ng_rows_rank_times(rows, err);
    } else if (status == NG_OK) {
        status = align_tables(tables, n, &out->frame_s, rows, warnings, err);
    }
    if (status == NG_OK) {
        status = ng_rows_order(tables, n, rows, options->skip_invalid, warnings, err);
    }
    if (status == NG_OK) {
        status = build_tracks(tables, n, rows, options->pixel_nm, out, err);
    }
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        ng_table_warn_dropped(&tables[i], warnings);
        out->pixel_nm = tables[i].size_unit == NG_UNIT_PX ? options->pixel_nm : out->pixel_nm;
    }
    if (status != NG_OK) {
        ng_tracks_free(out);
    }
    return status;
}
