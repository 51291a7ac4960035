/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <nucgrow/particles.h>

#include <math.h>
#include <string.h>

#define MAX_FRAME 1e9
#define MAX_MAGNITUDE 1e15        /* of any other value: far beyond sense, far from overflow */
#define MAX_ID 9007199254740992.0 /* 2^53: beyond it a double skips whole numbers */

/* Room for `capacity` rows and their further numbers. */
static ng_status grow_rows(ng_rows *rows, size_t capacity, ng_error *err)
{
    ng_row *item = ng_realloc(rows->item, capacity, sizeof *item);
    rows->item = item != NULL ? item : rows->item;
    double *further = rows->further;
    if (rows->n_further > 0) {
        further = ng_realloc(rows->further, capacity, rows->n_further * sizeof *further);
        rows->further = further != NULL ? further : rows->further;
    }
    if (item == NULL || (rows->n_further > 0 && further == NULL)) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu rows", capacity);
    }
    rows->capacity = capacity;
    return NG_OK;
}

ng_status ng_rows_add(ng_rows *rows, const ng_row *row, ng_error *err)
{
    if (rows->n == rows->capacity) {
        ng_status status = grow_rows(rows, rows->capacity > 0 ? 2 * rows->capacity : 1024, err);
        if (status != NG_OK) {
            return status;
        }
    }
    rows->item[rows->n] = *row;
    rows->item[rows->n].serial = rows->n;
    rows->n++;
    return NG_OK;
}

void ng_rows_free(ng_rows *rows)
{
    ng_free(rows->item);
    ng_free(rows->further);
    *rows = (ng_rows){0};
}

ng_status ng_row_bad(ng_reader *reader, size_t line, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!reader->options->skip_invalid) {
        return NG_FAIL(reader->err, NG_INVALID, "%s:%zu: %s (drop the row or pass --skip-invalid)",
                       reader->table->name, line, text);
    }
    if (reader->table->invalid++ == 0) {
        snprintf(reader->table->first_bad, sizeof reader->table->first_bad, "line %zu: %s", line,
                 text);
    }
    return NG_OK;
}

ng_status ng_row_number(ng_reader *reader, size_t line, const char *label, const ng_field *field,
                        double *value, bool *good)
{
    char shown[48];
    ng_number state = ng_number_parse(field->text, field->length, value);
    *good = true;
    if (state == NG_NUMBER_OK || state == NG_NUMBER_EMPTY || state == NG_NUMBER_NAN) {
        return NG_OK;
    }
    *good = false;
    ng_field_show(field, shown);
    return ng_row_bad(reader, line, "%s is %s, %s", label, shown,
                      state == NG_NUMBER_COMMA      ? "but the decimal sign must be a point"
                      : state == NG_NUMBER_INFINITE ? "which is not a finite number"
                                                    : "which is not a number");
}

/* ---- checks -------------------------------------------------------------------------- */

/* A required value: whole, and within +-limit. */
static ng_status check_whole(ng_reader *reader, size_t line, const char *label, double value,
                             double limit, bool *good)
{
    *good = false;
    if (isnan(value)) {
        return ng_row_bad(reader, line, "%s is missing", label);
    }
    if (value != floor(value) || fabs(value) > limit) {
        return ng_row_bad(reader, line, "%s is %.10g; it must be a whole number within +-%g", label,
                          value, limit);
    }
    *good = true;
    return NG_OK;
}

static const char *plural_of(ng_quantity size)
{
    return size == NG_QUANTITY_RADIUS     ? "radii"
           : size == NG_QUANTITY_DIAMETER ? "diameters"
           : size == NG_QUANTITY_AREA     ? "areas"
                                          : "sizes";
}

/* What is needed of a row: a size, or a position where particles are wanted. */
static const char *missing_in(const ng_reader *reader, const ng_row *row)
{
    if (reader->particles) {
        return isnan(row->x) ? "x" : isnan(row->y) ? "y" : NULL;
    }
    return isnan(row->size) ? ng_quantity_size_name(reader->table->size) : NULL;
}

ng_status ng_row_take(ng_reader *reader, const ng_row *row)
{
    const ng_table *table = reader->table;
    const char *what = ng_quantity_size_name(table->size);
    const char *missing = missing_in(reader, row);
    if (missing != NULL) {
        return ng_row_bad(reader, row->line, "%s is missing", missing);
    }
    if (row->size <= 0.0) {
        bool squared = table->size == NG_QUANTITY_AREA && table->size_unit != NG_UNIT_PX;
        return ng_row_bad(reader, row->line, "%s is %.10g %s%s; %s must be positive", what,
                          row->size, ng_unit_name(table->size_unit), squared ? "^2" : "",
                          plural_of(table->size));
    }
    if (row->size_se < 0.0) {
        return ng_row_bad(reader, row->line,
                          "the standard error of the %s is %.10g; it must not be negative", what,
                          row->size_se);
    }
    double far = fmax(fmax(fabs(row->x), fabs(row->y)), fmax(row->size, 1.0 / row->size));
    if (far > MAX_MAGNITUDE || fabs(row->time_s) > MAX_MAGNITUDE) {
        return ng_row_bad(reader, row->line, "a value is out of range (beyond %g)", MAX_MAGNITUDE);
    }
    return ng_rows_add(reader->rows, row, reader->err);
}

/* ---- CSV ----------------------------------------------------------------------------- */

typedef struct row_reader {
    ng_reader *reader;
    ng_csv *csv;
    const ng_layout *layout;
    unsigned char *slot_of; /* owned: slot of each column, NO_SLOT for none; further columns have
                               the numbers from NG_N_SLOTS on */
    double time_scale;
} row_reader;

enum { NO_SLOT = 255, N_FIELDS = NG_N_SLOTS + NG_MAX_FURTHER };

/* All fields of the record; those with a slot are kept. Separators at the end of a line that hold
 * nothing are forgiven. */
static ng_status read_fields(row_reader *r, ng_field field[N_FIELDS], bool *good)
{
    size_t n = 0;
    bool extra = false;
    size_t n_columns = r->layout->n_columns;
    for (;;) {
        ng_field next;
        bool found = false;
        ng_status status = ng_csv_next_field(r->csv, &next, &found, r->reader->err);
        if (status != NG_OK) {
            return status;
        }
        if (!found) {
            break;
        }
        if (n < n_columns && r->slot_of[n] != NO_SLOT) {
            field[r->slot_of[n]] = next;
        }
        extra = extra || (n >= n_columns && next.length > 0);
        n++;
    }
    *good = n >= n_columns && !extra;
    if (*good) {
        return NG_OK;
    }
    return ng_row_bad(r->reader, r->csv->row_line, "%zu fields where the header row has %zu%s", n,
                      n_columns,
                      !extra                     ? "; the line may be cut off"
                      : r->csv->delimiter == ',' ? "; a decimal sign must be a point"
                                                 : "");
}

static const char *label_of(const row_reader *r, ng_slot slot)
{
    const ng_column *column = ng_layout_column(r->layout, slot);
    return column != NULL ? column->name : "";
}

static bool is_linker(ng_file_kind kind)
{
    return kind == NG_KIND_TRACKMATE_CSV || kind == NG_KIND_TRACKPY_CSV;
}

/* Positions, groups and errors may be unknown, and a linker's track where there is none. */
static bool may_be_nan(const ng_reader *reader, ng_slot slot)
{
    const ng_table *table = reader->table;
    if (reader->particles && (slot == NG_SLOT_TRACK || slot == NG_SLOT_SIZE)) {
        return true;
    }
    return slot == NG_SLOT_X || slot == NG_SLOT_Y || slot == NG_SLOT_GROUP ||
           slot == NG_SLOT_SIZE_SE || (slot == NG_SLOT_TRACK && is_linker(table->kind));
}

static ng_status read_number(row_reader *r, ng_slot slot, const ng_field *field, double *value,
                             bool *good)
{
    size_t line = r->csv->row_line;
    *value = (double)NAN;
    if (field->text == NULL) {
        return NG_OK;
    }
    ng_status status = ng_row_number(r->reader, line, label_of(r, slot), field, value, good);
    if (status == NG_OK && *good && isnan(*value) && field->length > 0 &&
        !may_be_nan(r->reader, slot)) {
        char shown[48];
        ng_field_show(field, shown);
        *good = false;
        status = ng_row_bad(r->reader, line, "%s is %s, which is not a number", label_of(r, slot),
                            shown);
    }
    return status;
}

/* A column beyond the slots. */
static ng_status read_further(row_reader *r, size_t i, const ng_field *field, double *value,
                              bool *good)
{
    const ng_further *further = &r->layout->further[i];
    const char *label = r->layout->column[further->column].name;
    if (further->read == NULL) {
        return ng_row_number(r->reader, r->csv->row_line, label, field, value, good);
    }
    *good = further->read(field, value);
    if (*good) {
        return NG_OK;
    }
    char shown[48];
    ng_field_show(field, shown);
    return ng_row_bad(r->reader, r->csv->row_line, "%s is %s, which is not understood", label,
                      shown);
}

static ng_status read_numbers(row_reader *r, double value[N_FIELDS], bool *good)
{
    ng_field field[N_FIELDS] = {{NULL, 0}};
    ng_status status = read_fields(r, field, good);
    ng_field *track = &field[NG_SLOT_TRACK];
    if (is_linker(r->reader->table->kind) && track->length == 4 &&
        memcmp(track->text, "None", 4) == 0) {
        track->length = 0; /* TrackMate's word for a spot outside tracks */
    }
    for (int slot = 0; slot < NG_N_SLOTS && status == NG_OK && *good; slot++) {
        status = read_number(r, (ng_slot)slot, &field[slot], &value[slot], good);
    }
    for (size_t i = 0; i < r->layout->n_further && status == NG_OK && *good; i++) {
        status = read_further(r, i, &field[NG_N_SLOTS + i], &value[NG_N_SLOTS + i], good);
    }
    return status;
}

/* Track, frame and time: what says which particle, and when. */
static ng_status check_identity(row_reader *r, const double value[NG_N_SLOTS], bool *good)
{
    size_t line = r->csv->row_line;
    const ng_table *table = r->reader->table;
    ng_status status = NG_OK;
    bool unlinked = r->reader->particles && isnan(value[NG_SLOT_TRACK]);
    if (table->kind != NG_KIND_EX_SITU && !unlinked) {
        status = check_whole(r->reader, line, label_of(r, NG_SLOT_TRACK), value[NG_SLOT_TRACK],
                             MAX_ID, good);
    }
    if (status == NG_OK && *good && table->has_frame) {
        status = check_whole(r->reader, line, label_of(r, NG_SLOT_FRAME), value[NG_SLOT_FRAME],
                             MAX_FRAME, good);
    }
    if (status == NG_OK && *good && table->has_group && !isnan(value[NG_SLOT_GROUP])) {
        status = check_whole(r->reader, line, label_of(r, NG_SLOT_GROUP), value[NG_SLOT_GROUP],
                             MAX_ID, good);
    }
    if (status == NG_OK && *good && table->has_time && isnan(value[NG_SLOT_TIME])) {
        *good = false;
        status = ng_row_bad(r->reader, line, "%s is missing", label_of(r, NG_SLOT_TIME));
    }
    if (status == NG_OK && *good && table->time_empty && !isnan(value[NG_SLOT_TIME])) {
        *good = false;
        status = ng_row_bad(r->reader, line,
                            "%s is there, but was empty in the rows before; give it in every row, "
                            "or in none and pass --frame-s",
                            label_of(r, NG_SLOT_TIME));
    }
    return status;
}

/* Where there are frames, a column of times that begins empty is no column of times. */
static void look_for_time(row_reader *r, const double value[NG_N_SLOTS])
{
    ng_table *table = r->reader->table;
    const bool first = r->reader->rows->n == table->first;
    if (first && table->has_frame && table->has_time && isnan(value[NG_SLOT_TIME])) {
        table->has_time = false;
        table->time_empty = true;
    }
}

static long whole_or(double value, long otherwise)
{
    return isnan(value) ? otherwise : (long)value;
}

/* Samples and particles that are in no track are objects of their own. */
static long track_of(const row_reader *r, double track)
{
    long serial = (long)r->reader->table->rows_read;
    if (!r->reader->particles) {
        return whole_or(track, serial);
    }
    return track >= 0.0 ? (long)track : NG_UNLINKED_FIRST + serial;
}

static ng_status take_row(row_reader *r, const ng_row *row, const double *further)
{
    ng_rows *rows = r->reader->rows;
    size_t before = rows->n;
    ng_status status = ng_row_take(r->reader, row);
    if (rows->n > before && rows->n_further > 0) {
        memcpy(&rows->further[before * rows->n_further], further,
               rows->n_further * sizeof *further);
    }
    return status;
}

/* Tracks need true sizes: a disk that the border cuts, and that was not fitted, has that of what is
 * seen of it, which shrinks as it drifts out. Fitted ones have no bias. */
static bool is_cut(const row_reader *r, const double *flags)
{
    return !r->reader->particles && r->layout->n_further > 0 &&
           ((unsigned)*flags & NG_FLAGS_CUT) == NG_FLAGS_CUT;
}

static ng_status read_row(row_reader *r)
{
    double value[N_FIELDS];
    bool good = true;
    ng_table *table = r->reader->table;
    ng_status status = read_numbers(r, value, &good);
    if (status != NG_OK || !good) {
        return status;
    }
    if (is_linker(table->kind) && isnan(value[NG_SLOT_TRACK]) && !r->reader->particles) {
        table->unlinked++;
        return NG_OK;
    }
    if (is_cut(r, &value[NG_N_SLOTS])) {
        table->cut++;
        return NG_OK;
    }
    look_for_time(r, value);
    status = check_identity(r, value, &good);
    if (status != NG_OK || !good) {
        return status;
    }
    ng_row row = {
        .group = whole_or(value[NG_SLOT_GROUP], -1),
        .track = track_of(r, value[NG_SLOT_TRACK]),
        .frame = whole_or(value[NG_SLOT_FRAME], 0),
        .time_s = value[NG_SLOT_TIME] * r->time_scale,
        .x = value[NG_SLOT_X],
        .y = value[NG_SLOT_Y],
        .size = value[NG_SLOT_SIZE],
        .size_se = value[NG_SLOT_SIZE_SE],
        .line = r->csv->row_line,
    };
    return take_row(r, &row, &value[NG_N_SLOTS]);
}

static ng_unit unit_of(const ng_layout *layout, ng_slot slot)
{
    const ng_column *column = ng_layout_column(layout, slot);
    return column != NULL ? column->unit : NG_UNIT_NONE;
}

static void describe_table(ng_table *table, const ng_layout *layout)
{
    const ng_column *size = ng_layout_column(layout, NG_SLOT_SIZE);
    table->kind = layout->kind;
    if (size != NULL) {
        table->size = size->quantity;
        memcpy(table->size_column, size->name, sizeof table->size_column);
        table->size_unit = size->unit;
    }
    table->position_unit = unit_of(layout, NG_SLOT_X);
    table->time_unit = unit_of(layout, NG_SLOT_TIME);
    table->has_frame = ng_layout_column(layout, NG_SLOT_FRAME) != NULL;
    table->has_time = ng_unit_is_time(table->time_unit);
    table->has_group = ng_layout_column(layout, NG_SLOT_GROUP) != NULL;
}

static ng_status read_all(row_reader *r)
{
    ng_reader *reader = r->reader;
    while (ng_csv_next_record(r->csv)) {
        if (reader->table->rows_read == reader->options->max_rows) {
            return NG_FAIL(reader->err, NG_INVALID,
                           "%s:%zu: the table has more than %zu rows, which is the limit",
                           reader->table->name, r->csv->row_line, reader->options->max_rows);
        }
        reader->table->rows_read++;
        ng_status status = read_row(r);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

ng_status ng_rows_read_csv(ng_reader *reader, ng_csv *csv, const ng_layout *layout)
{
    ng_table *table = reader->table;
    describe_table(table, layout);
    row_reader r = {
        .reader = reader,
        .csv = csv,
        .layout = layout,
        .slot_of = ng_alloc(layout->n_columns, 1),
        .time_scale = ng_unit_scale(table->time_unit, (double)NAN),
    };
    if (r.slot_of == NULL) {
        return NG_FAIL(reader->err, NG_MEMORY, "%s: no memory for %zu columns", table->name,
                       layout->n_columns);
    }
    memset(r.slot_of, NO_SLOT, layout->n_columns);
    for (size_t slot = 0; slot < NG_N_SLOTS; slot++) {
        if (layout->slot[slot] != NG_NO_COLUMN) {
            r.slot_of[layout->slot[slot]] = (unsigned char)slot;
        }
    }
    for (size_t i = 0; i < layout->n_further; i++) {
        r.slot_of[layout->further[i].column] = (unsigned char)(NG_N_SLOTS + i);
    }
    reader->rows->n_further = reader->particles ? layout->n_further : 0;
    table->first = reader->rows->n;
    ng_status status = read_all(&r);
    table->n = reader->rows->n - table->first;
    ng_free(r.slot_of);
    return status;
}
