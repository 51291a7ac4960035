/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>
#include <stdlib.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int ng_row_compare_particle(const ng_row *a, const ng_row *b)
{
    int order = ORDER(a->source, b->source);
    order = order != 0 ? order : ORDER(a->group, b->group);
    return order != 0 ? order : ORDER(a->track, b->track);
}

static int compare_rows(const void *left, const void *right)
{
    const ng_row *a = left;
    const ng_row *b = right;
    int order = ng_row_compare_particle(a, b);
    order = order != 0 ? order : ORDER(a->frame, b->frame);
    return order != 0 ? order : ORDER(a->line, b->line);
}

static void sort_rows(ng_rows *rows)
{
    for (size_t i = 1; i < rows->n; i++) {
        if (compare_rows(&rows->item[i - 1], &rows->item[i]) > 0) {
            qsort(rows->item, rows->n, sizeof *rows->item, compare_rows);
            return;
        }
    }
}

/* Rows to be removed are marked by line 0. */
static void compact_rows(ng_rows *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->item[i].line > 0) {
            rows->item[kept++] = rows->item[i];
        }
    }
    rows->n = kept;
}

static ng_status fail_repeat(const ng_table *table, const ng_row *first, const ng_row *second,
                             ng_error *err)
{
    if (table->kind == NG_KIND_TRACKMATE_CSV) {
        return NG_FAIL(
            err, NG_INVALID,
            "%s:%zu: track %ld has a second spot in frame %ld (the first is in line %zu): it "
            "splits or merges, and this table does not hold the links; save TrackMate's XML "
            "file instead",
            table->name, second->line, second->track, second->frame, first->line);
    }
    return NG_FAIL(
        err, NG_INVALID,
        "%s:%zu: track %ld has a second row for frame %ld (the first is in line %zu); keep "
        "one (or pass --skip-invalid, which keeps the first)",
        table->name, second->line, second->track, second->frame, first->line);
}

/* Two rows for one track and frame. */
static ng_status check_repeats(ng_table *tables, ng_rows *rows, bool skip, ng_error *err)
{
    const ng_row *last = NULL;
    bool marked = false;
    for (size_t i = 0; i < rows->n; i++) {
        ng_row *row = &rows->item[i];
        if (last == NULL || ng_row_compare_particle(last, row) != 0 || last->frame != row->frame) {
            last = row;
            continue;
        }
        ng_table *table = &tables[row->source];
        if (!skip) {
            return fail_repeat(table, last, row, err);
        }
        if (table->invalid++ == 0) {
            snprintf(table->first_bad, sizeof table->first_bad,
                     "line %zu: track %ld has a second row for frame %ld", row->line, row->track,
                     row->frame);
        }
        row->line = 0;
        marked = true;
    }
    if (marked) {
        compact_rows(rows);
    }
    return NG_OK;
}

static int compare_seen(const void *left, const void *right)
{
    const ng_row *a = *(const ng_row *const *)left;
    const ng_row *b = *(const ng_row *const *)right;
    int order = ORDER(a->frame, b->frame);
    order = order != 0 ? order : ORDER(a->x, b->x);
    order = order != 0 ? order : ORDER(a->y, b->y);
    order = order != 0 ? order : ORDER(isnan(a->size), isnan(b->size));
    order = order != 0 ? order : ORDER(a->size, b->size);
    return order != 0 ? order : ORDER(a->track, b->track);
}

static bool same_size(const ng_row *a, const ng_row *b)
{
    return a->size == b->size || (isnan(a->size) && isnan(b->size));
}

/* Within rows [from, to), all of one group: mark rows that repeat what a lower track has. */
static size_t mark_repeats(ng_rows *rows, size_t from, size_t to, ng_row **list, bool *repeats)
{
    size_t n = 0;
    size_t marked = 0;
    for (size_t i = from; i < to; i++) {
        if (!isnan(rows->item[i].x) && !isnan(rows->item[i].y)) {
            list[n++] = &rows->item[i];
        }
    }
    qsort(list, n, sizeof *list, compare_seen);
    for (size_t i = 1; i < n; i++) {
        const ng_row *a = list[i - 1];
        ng_row *b = list[i];
        if (a->frame == b->frame && a->x == b->x && a->y == b->y && same_size(a, b)) {
            repeats[b - rows->item] = true;
            marked++;
        }
    }
    return marked;
}

/* Tracks that merged repeat each other to their end. A row that repeats another before that is
 * chance, or two particles that the microscope did not tell apart for a frame. */
static size_t unmark_passing(const ng_rows *rows, size_t from, size_t to, bool *repeats)
{
    size_t unmarked = 0;
    bool apart = false; /* does the track go on by itself after this row? */
    for (size_t i = to; i-- > from;) {
        if (i + 1 == to || rows->item[i].track != rows->item[i + 1].track) {
            apart = false;
        }
        apart = apart || !repeats[i];
        unmarked += apart && repeats[i];
        repeats[i] = repeats[i] && !apart;
    }
    return unmarked;
}

static void mark_removed(ng_rows *rows, const bool *repeats)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (repeats[i]) {
            rows->item[i].line = 0;
        }
    }
}

static bool same_group(const ng_row *a, const ng_row *b)
{
    return a->source == b->source && a->group == b->group;
}

/* Merged particles: identical rows of different tracks of one group. */
static ng_status drop_merged(ng_rows *rows, ng_warnings *warnings, ng_error *err)
{
    size_t marked = 0;
    ng_row **list = NG_NEW(ng_row *, rows->n);
    bool *repeats = NG_NEW(bool, rows->n);
    if (list == NULL || repeats == NULL) {
        ng_free(list);
        ng_free(repeats);
        return NG_FAIL(err, NG_MEMORY, "no memory to compare %zu rows", rows->n);
    }
    for (size_t from = 0; from < rows->n;) {
        size_t to = from + 1;
        while (to < rows->n && same_group(&rows->item[from], &rows->item[to])) {
            to++;
        }
        if (rows->item[from].group >= 0) {
            marked += mark_repeats(rows, from, to, list, repeats);
            marked -= unmark_passing(rows, from, to, repeats);
        }
        from = to;
    }
    mark_removed(rows, repeats);
    ng_free(list);
    ng_free(repeats);
    if (marked > 0) {
        compact_rows(rows);
        ng_warnings_add(
            warnings, "merged-rows",
            "%zu rows repeat another track of their group, as tables of merged particles "
            "do; each merged particle was kept once, on its lowest track",
            marked);
    }
    return NG_OK;
}

/* Groups of TrackMate XML are branches that share no spot. */
static bool any_groups(const ng_table *tables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tables[i].has_group) {
            return true;
        }
    }
    return false;
}

ng_status ng_rows_order(ng_table *tables, size_t n, ng_rows *rows, bool skip_invalid,
                        ng_warnings *warnings, ng_error *err)
{
    sort_rows(rows);
    ng_status status = check_repeats(tables, rows, skip_invalid, err);
    if (status == NG_OK && any_groups(tables, n)) {
        status = drop_merged(rows, warnings, err);
    }
    return status;
}

ng_status ng_rows_order_particles(ng_table *table, ng_rows *rows, bool skip_invalid,
                                  ng_warnings *warnings, ng_error *err)
{
    sort_rows(rows);
    ng_status status = check_repeats(table, rows, skip_invalid, err);
    if (status != NG_OK) {
        return status;
    }
    ng_row **list = NG_NEW(ng_row *, rows->n);
    bool *repeats = NG_NEW(bool, rows->n);
    if (list == NULL || repeats == NULL) {
        ng_free(list);
        ng_free(repeats);
        return NG_FAIL(err, NG_MEMORY, "no memory to compare %zu rows", rows->n);
    }
    size_t marked = mark_repeats(rows, 0, rows->n, list, repeats);
    mark_removed(rows, repeats);
    ng_free(list);
    ng_free(repeats);
    if (marked > 0) {
        compact_rows(rows);
        ng_warnings_add(warnings, "rows-repeated",
                        "%s: %zu rows repeat the frame, position and size of another; each "
                        "particle was kept once",
                        table->name, marked);
    }
    return NG_OK;
}
