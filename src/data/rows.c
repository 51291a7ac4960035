/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>
#include <string.h>

#define MAX_FRAME 1e9
#define MAX_MAGNITUDE 1e15        /* of any other value: far beyond sense, far from overflow */
#define MAX_ID 9007199254740992.0 /* 2^53: beyond it a double skips whole numbers */

ng_status ng_rows_add(ng_rows *rows, const ng_row *row, ng_error *err)
{
    if (rows->n == rows->capacity) {
        size_t capacity = rows->capacity > 0 ? 2 * rows->capacity : 1024;
        ng_row *larger = ng_realloc(rows->item, capacity, sizeof *larger);
        if (larger == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu rows", capacity);
        }
        rows->item = larger;
        rows->capacity = capacity;
    }
    rows->item[rows->n++] = *row;
    return NG_OK;
}

void ng_rows_free(ng_rows *rows)
{
    ng_free(rows->item);
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
        return NG_FAIL(reader->err, NG_INVALID,
                       "%s:%zu: %s (drop the row or pass --skip-invalid)", reader->table->name,
                       line, text);
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
        return ng_row_bad(reader, line, "%s is %.10g; it must be a whole number within +-%g",
                          label, value, limit);
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

ng_status ng_row_take(ng_reader *reader, const ng_row *row)
{
    const ng_table *table = reader->table;
    const char *what = ng_quantity_size_name(table->size);
    if (isnan(row->size)) {
        return ng_row_bad(reader, row->line, "%s is missing", what);
    }
    if (!(row->size > 0.0)) {
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
        return ng_row_bad(reader, row->line, "a value is out of range (beyond %g)",
                          MAX_MAGNITUDE);
    }
    return ng_rows_add(reader->rows, row, reader->err);
}

/* ---- CSV ----------------------------------------------------------------------------- */

typedef struct row_reader {
    ng_reader *reader;
    ng_csv *csv;
    const ng_layout *layout;
    unsigned char *slot_of; /* owned: slot of each column, NG_N_SLOTS for none */
    double time_scale;
} row_reader;

/* All fields of the record; those with a slot are kept. Separators at the end of a line that hold
 * nothing are forgiven. */
static ng_status read_fields(row_reader *r, ng_field field[NG_N_SLOTS], bool *good)
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
        if (n < n_columns && r->slot_of[n] != NG_N_SLOTS) {
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
static bool may_be_nan(const ng_table *table, ng_slot slot)
{
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
        !may_be_nan(r->reader->table, slot)) {
        char shown[48];
        ng_field_show(field, shown);
        *good = false;
        status = ng_row_bad(r->reader, line, "%s is %s, which is not a number", label_of(r, slot),
                            shown);
    }
    return status;
}

static ng_status read_numbers(row_reader *r, double value[NG_N_SLOTS], bool *good)
{
    ng_field field[NG_N_SLOTS] = {{NULL, 0}};
    ng_status status = read_fields(r, field, good);
    ng_field *track = &field[NG_SLOT_TRACK];
    if (is_linker(r->reader->table->kind) && track->length == 4 &&
        memcmp(track->text, "None", 4) == 0) {
        track->length = 0; /* TrackMate's word for a spot outside tracks */
    }
    for (int slot = 0; slot < NG_N_SLOTS && status == NG_OK && *good; slot++) {
        status = read_number(r, (ng_slot)slot, &field[slot], &value[slot], good);
    }
    return status;
}

/* Track, frame and time: what says which particle, and when. */
static ng_status check_identity(row_reader *r, const double value[NG_N_SLOTS], bool *good)
{
    size_t line = r->csv->row_line;
    const ng_table *table = r->reader->table;
    ng_status status = NG_OK;
    if (table->kind != NG_KIND_EX_SITU) {
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
    return status;
}

static long whole_or(double value, long otherwise)
{
    return isnan(value) ? otherwise : (long)value;
}

static ng_status read_row(row_reader *r)
{
    double value[NG_N_SLOTS];
    bool good = true;
    ng_table *table = r->reader->table;
    ng_status status = read_numbers(r, value, &good);
    if (status != NG_OK || !good) {
        return status;
    }
    if (is_linker(table->kind) && isnan(value[NG_SLOT_TRACK])) {
        table->unlinked++;
        return NG_OK;
    }
    status = check_identity(r, value, &good);
    if (status != NG_OK || !good) {
        return status;
    }
    ng_row row = {
        .group = whole_or(value[NG_SLOT_GROUP], -1),
        .track = whole_or(value[NG_SLOT_TRACK], (long)table->rows_read),
        .frame = whole_or(value[NG_SLOT_FRAME], 0),
        .time_s = value[NG_SLOT_TIME] * r->time_scale,
        .x = value[NG_SLOT_X],
        .y = value[NG_SLOT_Y],
        .size = value[NG_SLOT_SIZE],
        .size_se = value[NG_SLOT_SIZE_SE],
        .line = r->csv->row_line,
    };
    return ng_row_take(r->reader, &row);
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
    table->size = size->quantity;
    memcpy(table->size_column, size->name, sizeof table->size_column);
    table->size_unit = size->unit;
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
    memset(r.slot_of, NG_N_SLOTS, layout->n_columns);
    for (size_t slot = 0; slot < NG_N_SLOTS; slot++) {
        if (layout->slot[slot] != NG_NO_COLUMN) {
            r.slot_of[layout->slot[slot]] = (unsigned char)slot;
        }
    }
    table->first = reader->rows->n;
    ng_status status = read_all(&r);
    table->n = reader->rows->n - table->first;
    ng_free(r.slot_of);
    return status;
}
