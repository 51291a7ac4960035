/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>
#include <stdlib.h>

/* Times agree with frames when they lie within this share of an interval of even spacing. */
#define EVEN 0.01
/* Beyond half an interval a time belongs to another frame. */
#define CONTRADICTS 0.5
/* Times that were rounded when written still tell their frame. */
#define ROUNDED 0.25

/* One time of a table without frames, or one frame with its time. */
typedef struct instant {
    double time_s;
    long frame;
    size_t row; /* in ng_rows */
} instant;

static int by_time(const void *left, const void *right)
{
    const instant *a = left;
    const instant *b = right;
    int order = (a->time_s > b->time_s) - (a->time_s < b->time_s);
    return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

static int by_frame(const void *left, const void *right)
{
    const instant *a = left;
    const instant *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

static instant *sorted_instants(const ng_table *table, const ng_rows *rows,
                                int (*order)(const void *, const void *))
{
    instant *list = NG_NEW(instant, table->n);
    for (size_t i = 0; list != NULL && i < table->n; i++) {
        const ng_row *row = &rows->item[table->first + i];
        list[i] = (instant){row->time_s, row->frame, table->first + i};
    }
    if (list != NULL) {
        qsort(list, table->n, sizeof *list, order);
    }
    return list;
}

static bool differ(double a, double b, double share)
{
    return !(fabs(a - b) <= share * fabs(b));
}

/* ---- frames but no times ------------------------------------------------------------- */

static ng_status times_from_frames(ng_table *table, ng_rows *rows, double frame_s, ng_error *err)
{
    if (isnan(frame_s)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: there are frames but no times in a unit of time; pass the interval "
                       "between frames with --frame-s",
                       table->name);
    }
    for (size_t i = 0; i < table->n; i++) {
        ng_row *row = &rows->item[table->first + i];
        row->time_s = (double)row->frame * frame_s;
    }
    table->frame_s = frame_s;
    table->origin_s = 0.0;
    return NG_OK;
}

/* ---- frames and times ---------------------------------------------------------------- */

/* Where the line through first and last frame is left furthest. */
typedef struct spacing {
    size_t first, last; /* rows of the lowest and the highest frame */
    double frame_s, origin_s;
    double worst_s;
    size_t worst; /* row */
} spacing;

static spacing measure_spacing(const ng_table *table, const ng_rows *rows)
{
    const ng_row *row = rows->item;
    spacing s = {.first = table->first, .last = table->first};
    for (size_t i = table->first; i < table->first + table->n; i++) {
        s.first = row[i].frame < row[s.first].frame ? i : s.first;
        s.last = row[i].frame > row[s.last].frame ? i : s.last;
    }
    double frames = (double)row[s.last].frame - (double)row[s.first].frame;
    s.frame_s = frames > 0.0 ? (row[s.last].time_s - row[s.first].time_s) / frames : (double)NAN;
    double step = frames > 0.0 ? s.frame_s : 0.0;
    s.origin_s = row[s.first].time_s - (double)row[s.first].frame * step;
    s.worst = s.first;
    for (size_t i = table->first; i < table->first + table->n; i++) {
        double expected =
            row[s.first].time_s + ((double)row[i].frame - (double)row[s.first].frame) * step;
        double miss = fabs(row[i].time_s - expected);
        if (miss > s.worst_s) {
            s.worst_s = miss;
            s.worst = i;
        }
    }
    return s;
}

static ng_status check_rising(const ng_table *table, const ng_rows *rows, const instant *list,
                              double tolerance_s, ng_error *err)
{
    for (size_t i = 1; i < table->n; i++) {
        const instant *a = &list[i - 1];
        const instant *b = &list[i];
        size_t line_a = rows->item[a->row].line;
        size_t line_b = rows->item[b->row].line;
        if (a->frame == b->frame && fabs(a->time_s - b->time_s) > tolerance_s) {
            return NG_FAIL(
                err, NG_INVALID,
                "%s:%zu: frame %ld is at %.10g s here but at %.10g s in line %zu; a frame "
                "has one time",
                table->name, line_b, b->frame, b->time_s, a->time_s, line_a);
        }
        if (a->frame < b->frame && a->time_s >= b->time_s) {
            return NG_FAIL(
                err, NG_INVALID,
                "%s:%zu: frame %ld is at %.10g s, but the earlier frame %ld (line %zu) is "
                "at %.10g s; times must rise with frames",
                table->name, line_b, b->frame, b->time_s, a->frame, line_a, a->time_s);
        }
    }
    return NG_OK;
}

static double step_of(const instant *list, size_t i)
{
    return (list[i].time_s - list[i - 1].time_s) / (double)(list[i].frame - list[i - 1].frame);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Name the step that leaves the usual one furthest, such as a pause of the movie. */
static ng_status fail_uneven(const ng_table *table, const ng_rows *rows, const instant *list,
                             ng_error *err)
{
    double *step = NG_NEW(double, table->n);
    if (step == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory to compare times", table->name);
    }
    size_t n = 0;
    for (size_t i = 1; i < table->n; i++) {
        if (list[i].frame > list[i - 1].frame) {
            step[n++] = step_of(list, i);
        }
    }
    qsort(step, n, sizeof *step, by_value);
    double usual = step[(n - 1) / 2];
    ng_free(step);
    size_t worst = 0;
    double worst_s = -1.0;
    for (size_t i = 1; i < table->n; i++) {
        double frames = (double)(list[i].frame - list[i - 1].frame);
        double miss_s = fabs(list[i].time_s - list[i - 1].time_s - frames * usual);
        if (frames > 0.0 && miss_s > worst_s) {
            worst_s = miss_s;
            worst = i;
        }
    }
    return NG_FAIL(
        err, NG_INVALID,
        "%s:%zu: frame %ld comes %.6g s after frame %ld, where %.6g s between frames is "
        "usual; correct the times, or remove the column frame (frames are then numbered by "
        "time)",
        table->name, rows->item[list[worst].row].line, list[worst].frame,
        list[worst].time_s - list[worst - 1].time_s, list[worst - 1].frame, usual);
}

/* Times that are not even must still rise from frame to frame, be one for each frame, and not
 * belong to another frame. */
static ng_status check_uneven(const ng_table *table, const ng_rows *rows, const spacing *s,
                              double tolerance_s, ng_error *err)
{
    instant *list = sorted_instants(table, rows, by_frame);
    if (list == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory to compare times", table->name);
    }
    ng_status status = check_rising(table, rows, list, tolerance_s, err);
    if (status == NG_OK && s->frame_s <= 0.0) {
        status = NG_FAIL(err, NG_INVALID, "%s: times do not rise with frames; correct them",
                         table->name);
    }
    if (status == NG_OK && s->worst_s > CONTRADICTS * s->frame_s) {
        status = fail_uneven(table, rows, list, err);
    }
    ng_free(list);
    return status;
}

/* TrackMate writes the frame number as the time when the movie had no calibration. */
static bool time_is_frame(const ng_table *table, const ng_rows *rows)
{
    bool trackmate = table->kind == NG_KIND_TRACKMATE_CSV || table->kind == NG_KIND_TRACKMATE_XML;
    for (size_t i = 0; i < table->n && trackmate; i++) {
        const ng_row *row = &rows->item[table->first + i];
        trackmate = row->time_s == (double)row->frame;
    }
    return trackmate;
}

static ng_status compare_with_flag(ng_table *table, double frame_s, ng_warnings *warnings,
                                   ng_error *err)
{
    if (isnan(frame_s)) {
        return NG_OK;
    }
    if (isnan(table->frame_s)) {
        table->frame_s = frame_s;
        return NG_OK;
    }
    if (differ(table->frame_s, frame_s, EVEN)) {
        return NG_FAIL(
            err, NG_INVALID,
            "%s: the times say %.6g s between frames, but --frame-s says %.6g; leave the "
            "flag out, or correct the times",
            table->name, table->frame_s, frame_s);
    }
    if (differ(table->frame_s, frame_s, 1e-6)) {
        ng_warnings_add(
            warnings, "frame-s-unused",
            "%s has times of its own (%.6g s between frames); --frame-s %.6g was not used",
            table->name, table->frame_s, frame_s);
    }
    return NG_OK;
}

/* *done: the frame number is the time, and the flag has replaced it. */
static ng_status handle_time_is_frame(ng_table *table, ng_rows *rows, double frame_s, bool *done,
                                      ng_warnings *warnings, ng_error *err)
{
    *done = false;
    if (!time_is_frame(table, rows)) {
        return NG_OK;
    }
    *done = !isnan(frame_s);
    if (*done) {
        ng_warnings_add(warnings, "time-is-frame",
                        "%s gives the frame number as the time; --frame-s %.6g was used",
                        table->name, frame_s);
        return times_from_frames(table, rows, frame_s, err);
    }
    ng_warnings_add(
        warnings, "time-is-frame",
        "%s gives the frame number as the time, as TrackMate does for a movie without "
        "calibration; 1 s between frames was taken (--frame-s sets another)",
        table->name);
    return NG_OK;
}

static ng_status check_times(ng_table *table, ng_rows *rows, double frame_s,
                             ng_warnings *warnings, ng_error *err)
{
    bool done = false;
    ng_status status = handle_time_is_frame(table, rows, frame_s, &done, warnings, err);
    if (status != NG_OK || done) {
        return status;
    }
    spacing s = measure_spacing(table, rows);
    double step = isnan(s.frame_s) ? 0.0 : fabs(s.frame_s);
    /* 1e-9 of the time itself: the rounding of what was written */
    double tolerance_s = EVEN * step + 1e-9 * fabs(rows->item[s.worst].time_s);
    if (s.worst_s > tolerance_s || s.frame_s <= 0.0) {
        status = check_uneven(table, rows, &s, tolerance_s, err);
        if (status != NG_OK) {
            return status;
        }
        ng_warnings_add(
            warnings, "times-uneven",
            "%s: times leave even spacing (%.6g s between frames) by up to %.2g s (line "
            "%zu); they are kept as they are",
            table->name, s.frame_s, s.worst_s, rows->item[s.worst].line);
    }
    table->frame_s = s.frame_s;
    table->origin_s = s.origin_s;
    return compare_with_flag(table, frame_s, warnings, err);
}

/* ---- times but no frames ------------------------------------------------------------- */

/* Distinct times; what rounding set apart counts as one. */
static size_t distinct_times(const instant *list, size_t n, double *time_s)
{
    double tolerance_s = 1e-9 * fmax(fabs(list[0].time_s), fabs(list[n - 1].time_s));
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (count == 0 || list[i].time_s > time_s[count - 1] + tolerance_s) {
            time_s[count++] = list[i].time_s;
        }
    }
    return count;
}

/* Frame numbers of the times for a guessed interval, each step rounded; then the mean interval.
 * NAN when a step is no whole number of intervals, or a time is off. */
static double try_interval(const double *time_s, size_t n, double guess_s, long *frame)
{
    frame[0] = 0;
    for (size_t i = 1; i < n; i++) {
        double steps = (time_s[i] - time_s[i - 1]) / guess_s;
        double whole = round(steps);
        if (!(whole >= 1.0 && fabs(steps - whole) <= ROUNDED) ||
            (double)frame[i - 1] + whole > 1e9) {
            return (double)NAN;
        }
        frame[i] = frame[i - 1] + (long)whole;
    }
    double interval_s = (time_s[n - 1] - time_s[0]) / (double)frame[n - 1];
    for (size_t i = 1; i < n; i++) {
        if (fabs(time_s[i] - time_s[0] - (double)frame[i] * interval_s) > ROUNDED * interval_s) {
            return (double)NAN;
        }
    }
    return interval_s;
}

/* The interval that all steps are multiples of: as given, else the smallest step, else the middle
 * one (the smallest may have lost to rounding). `step` is scratch. */
static double find_interval(const double *time_s, size_t n, double frame_s, double *step,
                            long *frame)
{
    if (!isnan(frame_s)) {
        return try_interval(time_s, n, frame_s, frame);
    }
    for (size_t i = 1; i < n; i++) {
        step[i - 1] = time_s[i] - time_s[i - 1];
    }
    qsort(step, n - 1, sizeof *step, by_value);
    double interval_s = try_interval(time_s, n, step[0], frame);
    if (isnan(interval_s)) {
        interval_s = try_interval(time_s, n, step[(n - 1) / 2], frame);
    }
    return interval_s;
}

static void warn_uneven(const ng_table *table, const double *time_s, const long *frame, size_t n,
                        ng_warnings *warnings)
{
    double worst_s = 0.0;
    for (size_t i = 0; i < n; i++) {
        double even_s = time_s[0] + (double)frame[i] * table->frame_s;
        worst_s = fmax(worst_s, fabs(time_s[i] - even_s));
    }
    if (worst_s > EVEN * table->frame_s) {
        ng_warnings_add(
            warnings, "times-uneven",
            "%s: times leave even spacing (%.6g s between frames) by up to %.2g s; they are "
            "kept as they are",
            table->name, table->frame_s, worst_s);
    }
}

/* `list` is sorted by time, like the distinct times. */
static void number_frames(ng_rows *rows, const instant *list, size_t n_list, const double *time_s,
                          const long *frame, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n_list; i++) {
        while (at + 1 < n && list[i].time_s >= time_s[at + 1]) {
            at++;
        }
        rows->item[list[i].row].frame = frame[at];
    }
}

static ng_status frames_from_times(ng_table *table, ng_rows *rows, double frame_s,
                                   ng_warnings *warnings, ng_error *err)
{
    ng_status status = NG_OK;
    instant *list = sorted_instants(table, rows, by_time);
    double *time_s = NG_NEW(double, table->n);
    double *step = NG_NEW(double, table->n);
    long *frame = NG_NEW(long, table->n);
    if (list == NULL || time_s == NULL || step == NULL || frame == NULL) {
        status =
            NG_FAIL(err, NG_MEMORY, "%s: no memory to number %zu frames", table->name, table->n);
        goto out;
    }
    size_t n = distinct_times(list, table->n, time_s);
    table->origin_s = time_s[0];
    table->frame_s = frame_s;
    if (n > 1) {
        table->frame_s = find_interval(time_s, n, frame_s, step, frame);
        if (isnan(table->frame_s)) {
            status =
                NG_FAIL(err, NG_INVALID,
                        "%s: the times are not multiples of %s; add a column frame, or pass the "
                        "interval between frames with --frame-s",
                        table->name, isnan(frame_s) ? "one interval" : "--frame-s");
            goto out;
        }
        warn_uneven(table, time_s, frame, n, warnings);
        status = compare_with_flag(table, frame_s, warnings, err);
    }
    if (status == NG_OK) {
        number_frames(rows, list, table->n, time_s, frame, n);
    }
out:
    ng_free(list);
    ng_free(time_s);
    ng_free(step);
    ng_free(frame);
    return status;
}

ng_status ng_table_timing(ng_table *table, ng_rows *rows, double frame_s, ng_warnings *warnings,
                          ng_error *err)
{
    table->frame_s = (double)NAN;
    table->origin_s = 0.0;
    if (table->n == 0 || table->kind == NG_KIND_EX_SITU) {
        return NG_OK;
    }
    if (!table->has_frame) {
        return frames_from_times(table, rows, frame_s, warnings, err);
    }
    if (!table->has_time) {
        return times_from_frames(table, rows, frame_s, err);
    }
    return check_times(table, rows, frame_s, warnings, err);
}

ng_status ng_rows_rank_times(ng_rows *rows, ng_error *err)
{
    ng_table all = {.first = 0, .n = rows->n};
    instant *list = sorted_instants(&all, rows, by_time);
    if (list == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to sort %zu times", rows->n);
    }
    long frame = 0;
    for (size_t i = 0; i < rows->n; i++) {
        frame += i > 0 && list[i].time_s > list[i - 1].time_s;
        rows->item[list[i].row].frame = frame;
    }
    ng_free(list);
    return NG_OK;
}
