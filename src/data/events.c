/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <nucgrow/particles.h>

#include <math.h>
#include <string.h>

static const char *const kind_name[] = {[NG_EVENT_BIRTH] = "birth",
                                        [NG_EVENT_DEATH] = "death",
                                        [NG_EVENT_MERGE] = "merge",
                                        [NG_EVENT_SPLIT] = "split"};

#define N_KINDS (sizeof kind_name / sizeof kind_name[0])

enum {
    KIND,
    FRAME,
    TIME,
    TRACK,
    PARTNER,
    INTO,
    RADIUS1,
    RADIUS2,
    RADIUS_AFTER,
    DISTANCE,
    SCORE,
    N_COLUMNS
};

static const char *const column_name[N_COLUMNS] = {
    "kind",       "frame",      "time_s",          "track",       "partner", "into",
    "radius1_nm", "radius2_nm", "radius_after_nm", "distance_nm", "score"};

const char *ng_event_kind_name(ng_event_kind kind)
{
    return (size_t)kind < N_KINDS ? kind_name[kind] : "unknown";
}

void ng_events_free(ng_events *events)
{
    if (events != NULL) {
        ng_free(events->item);
        *events = (ng_events){0};
    }
}

/* ---- out ------------------------------------------------------------------------------- */

static void write_track(FILE *stream, long track)
{
    if (track >= 0) {
        fprintf(stream, ",%ld", track);
    } else {
        fputc(',', stream);
    }
}

static void write_event(FILE *stream, const ng_event *e)
{
    const double measured[] = {e->radius1_nm, e->radius2_nm, e->radius_after_nm, e->distance_nm};
    fprintf(stream, "%s,%ld", ng_event_kind_name(e->kind), e->frame);
    ng_number_print(stream, e->time_s, 15);
    write_track(stream, e->track);
    write_track(stream, e->partner);
    write_track(stream, e->into);
    for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
        ng_number_print(stream, measured[i], NG_MEASURED_DIGITS);
    }
    ng_number_print(stream, e->score, 4);
    fputc('\n', stream);
}

ng_status ng_events_write(const ng_events *events, const char *path, const char *comment,
                          bool force, ng_error *err)
{
    ng_output *out = NULL;
    ng_status status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        return status;
    }
    FILE *stream = ng_output_stream(out);
    ng_comment_write(stream, comment);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        fprintf(stream, "%s%s", i > 0 ? "," : "", column_name[i]);
    }
    fputc('\n', stream);
    ng_plain plain = ng_plain_begin();
    for (size_t i = 0; i < events->n; i++) {
        write_event(stream, &events->item[i]);
    }
    ng_plain_end(&plain);
    return ng_output_commit(out, err);
}

/* ---- in -------------------------------------------------------------------------------- */

typedef struct event_reader {
    ng_csv csv;
    size_t place[N_COLUMNS]; /* column, or NG_NO_COLUMN */
    size_t n_columns, capacity;
    ng_events *out;
    ng_error *err;
} event_reader;

static ng_status find_columns(event_reader *r, const ng_layout *layout)
{
    static const int needed[] = {KIND, FRAME, TRACK, PARTNER};
    for (int i = 0; i < N_COLUMNS; i++) {
        const ng_column *column = ng_layout_find(layout, column_name[i]);
        r->place[i] = column != NULL ? (size_t)(column - layout->column) : NG_NO_COLUMN;
    }
    r->n_columns = layout->n_columns;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (r->place[needed[i]] == NG_NO_COLUMN) {
            return NG_FAIL(r->err, NG_FORMAT,
                           "%s: no column %s, so this is no table of events (kind, frame, track, "
                           "partner, into, ...)",
                           r->csv.name, column_name[needed[i]]);
        }
    }
    return NG_OK;
}

static ng_status fail_field(const event_reader *r, int column, const ng_field *field,
                            const char *wanted)
{
    char shown[48];
    ng_field_show(field, shown);
    return NG_FAIL(r->err, NG_INVALID, "%s:%zu: %s is %s; %s", r->csv.name, r->csv.row_line,
                   column_name[column], shown, wanted);
}

static ng_status read_fields(event_reader *r, ng_field field[N_COLUMNS])
{
    size_t n = 0;
    for (int i = 0; i < N_COLUMNS; i++) {
        field[i] = (ng_field){"", 0};
    }
    for (;;) {
        ng_field next;
        bool found = false;
        ng_status status = ng_csv_next_field(&r->csv, &next, &found, r->err);
        if (status != NG_OK) {
            return status;
        }
        if (!found) {
            break;
        }
        for (int i = 0; i < N_COLUMNS; i++) {
            field[i] = r->place[i] == n ? next : field[i];
        }
        n++;
    }
    if (n != r->n_columns) {
        return NG_FAIL(r->err, NG_INVALID,
                       "%s:%zu: %zu fields where the header row has %zu; the line may be cut off",
                       r->csv.name, r->csv.row_line, n, r->n_columns);
    }
    return NG_OK;
}

static ng_status read_kind(const event_reader *r, const ng_field *field, ng_event_kind *kind)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strlen(kind_name[i]) == field->length &&
            memcmp(kind_name[i], field->text, field->length) == 0) {
            *kind = (ng_event_kind)i;
            return NG_OK;
        }
    }
    return fail_field(r, KIND, field, "birth, death, merge and split are events");
}

static ng_status read_number(const event_reader *r, int column, const ng_field *field,
                             double *value)
{
    ng_number state = ng_number_parse(field->text, field->length, value);
    bool good = state == NG_NUMBER_OK || state == NG_NUMBER_EMPTY || state == NG_NUMBER_NAN;
    return good ? NG_OK : fail_field(r, column, field, "it must be a number");
}

/* Numbers of tracks and frames; empty is -1, which only the frame may not be. */
static ng_status read_whole(const event_reader *r, int column, const ng_field *field, long *value)
{
    double number = 0.0;
    ng_status status = read_number(r, column, field, &number);
    *value = -1;
    if (status != NG_OK || (isnan(number) && column != FRAME)) {
        return status;
    }
    if (!(number == floor(number) && fabs(number) <= 9e15)) {
        return fail_field(r, column, field, "it must be a whole number");
    }
    *value = (long)number;
    return NG_OK;
}

static ng_status read_event(event_reader *r, ng_event *e)
{
    ng_field field[N_COLUMNS];
    const struct {
        int column;
        long *value;
    } whole[] = {{FRAME, &e->frame}, {TRACK, &e->track}, {PARTNER, &e->partner}, {INTO, &e->into}};
    const struct {
        int column;
        double *value;
    } number[] = {{TIME, &e->time_s},          {RADIUS1, &e->radius1_nm},
                  {RADIUS2, &e->radius2_nm},   {RADIUS_AFTER, &e->radius_after_nm},
                  {DISTANCE, &e->distance_nm}, {SCORE, &e->score}};
    ng_status status = read_fields(r, field);
    if (status == NG_OK) {
        status = read_kind(r, &field[KIND], &e->kind);
    }
    for (size_t i = 0; i < sizeof whole / sizeof whole[0] && status == NG_OK; i++) {
        status = read_whole(r, whole[i].column, &field[whole[i].column], whole[i].value);
    }
    for (size_t i = 0; i < sizeof number / sizeof number[0] && status == NG_OK; i++) {
        status = read_number(r, number[i].column, &field[number[i].column], number[i].value);
    }
    return status;
}

static ng_status add_event(event_reader *r, const ng_event *e)
{
    if (r->out->n == r->capacity) {
        size_t capacity = r->capacity > 0 ? 2 * r->capacity : 64;
        ng_event *larger = ng_realloc(r->out->item, capacity, sizeof *larger);
        if (larger == NULL) {
            return NG_FAIL(r->err, NG_MEMORY, "%s: no memory for %zu events", r->csv.name,
                           capacity);
        }
        r->out->item = larger;
        r->capacity = capacity;
    }
    r->out->item[r->out->n++] = *e;
    return NG_OK;
}

ng_status ng_events_parse(const char *text, size_t length, const char *name, ng_events *out,
                          ng_error *err)
{
    ng_layout layout = {.kind = NG_KIND_UNKNOWN};
    event_reader r = {.out = out, .err = err};
    *out = (ng_events){0};
    ng_status status = ng_csv_open(&r.csv, text, length, name, err);
    if (status == NG_OK) {
        status = ng_layout_read(&r.csv, &layout, err);
    }
    if (status == NG_OK) {
        status = find_columns(&r, &layout);
    }
    while (status == NG_OK && ng_csv_next_record(&r.csv)) {
        ng_event e;
        status = read_event(&r, &e);
        if (status == NG_OK) {
            status = add_event(&r, &e);
        }
    }
    if (status != NG_OK) {
        ng_events_free(out);
    }
    ng_layout_free(&layout);
    return status;
}

ng_status ng_events_read(const char *path, ng_events *out, ng_error *err)
{
    char *text = NULL;
    size_t length = 0;
    *out = (ng_events){0};
    ng_status status = ng_file_read(path, NG_MAX_TABLE_BYTES, &text, &length, err);
    if (status == NG_OK) {
        status = ng_events_parse(text, length, ng_path_name(path), out, err);
    }
    ng_free(text);
    return status;
}
