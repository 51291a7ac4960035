/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <string.h>

/* TrackMate's table of spots has three more header rows: long names, short names, and units in
 * brackets. Facts: TrackMate documentation, "Export and import", and files that it wrote. */

static const struct {
    const char *key;
    ng_quantity quantity;
} names[] = {
    {"track_id", NG_QUANTITY_TRACK},  {"frame", NG_QUANTITY_FRAME},
    {"position_t", NG_QUANTITY_TIME}, {"position_x", NG_QUANTITY_X},
    {"position_y", NG_QUANTITY_Y},    {"radius", NG_QUANTITY_RADIUS},
    {"area", NG_QUANTITY_AREA},
};

#define N_NAMES (sizeof names / sizeof names[0])

bool ng_trackmate_csv_is(const ng_layout *layout)
{
    return ng_layout_find(layout, "position_x") != NULL &&
           ng_layout_find(layout, "position_y") != NULL &&
           ng_layout_find(layout, "frame") != NULL && ng_layout_find(layout, "radius") != NULL;
}

/* "(micron)", "(pixel^2)", "(sec)", "(frame)" */
static ng_unit unit_in_brackets(const ng_field *field)
{
    const char *text = field->text;
    size_t length = field->length;
    if (length >= 2 && text[0] == '(' && text[length - 1] == ')') {
        text++;
        length -= 2;
    }
    if (length > 2 && memcmp(text + length - 2, "^2", 2) == 0) {
        length -= 2;
    }
    return ng_unit_find(text, length);
}

static ng_quantity quantity_of(const char *key)
{
    for (size_t i = 0; i < N_NAMES; i++) {
        if (strcmp(key, names[i].key) == 0) {
            return names[i].quantity;
        }
    }
    return NG_QUANTITY_NONE;
}

/* Whether the record at `csv` (a copy) is one more header row: its FRAME is no number. */
static ng_status is_header_row(ng_csv csv, size_t frame_column, bool *header, ng_error *err)
{
    ng_field field = {"", 0};
    bool found = true;
    *header = false;
    for (size_t i = 0; i <= frame_column && found; i++) {
        ng_status status = ng_csv_next_field(&csv, &field, &found, err);
        if (status != NG_OK) {
            return status;
        }
    }
    double value = 0.0;
    *header = found && ng_number_parse(field.text, field.length, &value) != NG_NUMBER_OK;
    return NG_OK;
}

/* The third of the header rows; a unit that is not known makes an error for what needs it. */
static ng_status read_units(ng_csv *csv, ng_layout *layout, ng_error *err)
{
    for (size_t i = 0; i < layout->n_columns; i++) {
        ng_column *column = &layout->column[i];
        ng_field field = {"", 0};
        bool found = false;
        ng_status status = ng_csv_next_field(csv, &field, &found, err);
        if (status != NG_OK) {
            return status;
        }
        if (!found || column->quantity < NG_QUANTITY_TIME) {
            continue;
        }
        column->unit = unit_in_brackets(&field);
        if (column->unit == NG_UNIT_NONE && column->quantity != NG_QUANTITY_TIME) {
            char shown[48];
            ng_field_show(&field, shown);
            return NG_FAIL(
                err, NG_FORMAT,
                "%s:%zu: the unit of %s is %s; nm, um (micron) and pixel are read, so set "
                "the unit of the image in ImageJ (Image > Properties)",
                csv->name, csv->row_line, column->name, shown);
        }
    }
    return ng_csv_end_record(csv, err);
}

ng_status ng_trackmate_csv_columns(ng_csv *csv, ng_layout *layout, ng_error *err)
{
    layout->kind = NG_KIND_TRACKMATE_CSV;
    for (size_t i = 0; i < layout->n_columns; i++) {
        layout->column[i].quantity = quantity_of(layout->column[i].key);
    }
    size_t frame_column = (size_t)(ng_layout_find(layout, "frame") - layout->column);
    ng_csv here = *csv;
    for (int row = 0; row < 3 && ng_csv_next_record(&here); row++) {
        bool header = false;
        ng_status status = is_header_row(here, frame_column, &header, err);
        if (status == NG_OK && header) {
            status = row == 2 ? read_units(&here, layout, err) : ng_csv_end_record(&here, err);
        }
        if (status != NG_OK) {
            return status;
        }
        if (!header) {
            layout->units_missing = true;
            return NG_OK;
        }
        *csv = here;
    }
    return NG_OK;
}
