/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *key;
    ng_quantity quantity;
    bool counts; /* has no unit */
} quantities[] = {
    {"track", NG_QUANTITY_TRACK, true},
    {"track_id", NG_QUANTITY_TRACK, true},
    {"group", NG_QUANTITY_GROUP, true},
    {"frame", NG_QUANTITY_FRAME, true},
    {"time", NG_QUANTITY_TIME, false},
    {"x", NG_QUANTITY_X, false},
    {"y", NG_QUANTITY_Y, false},
    {"radius", NG_QUANTITY_RADIUS, false},
    {"diameter", NG_QUANTITY_DIAMETER, false},
    {"area", NG_QUANTITY_AREA, false},
    {"radius_se", NG_QUANTITY_RADIUS_SE, false},
    {"diameter_se", NG_QUANTITY_DIAMETER_SE, false},
    {"area_se", NG_QUANTITY_AREA_SE, false},
};

#define N_QUANTITIES (sizeof quantities / sizeof quantities[0])

/* ---- names --------------------------------------------------------------------------- */

/* One character of a key; *at moves on. 0: leave it out. */
static char key_character(const char **at, const char *end)
{
    const char *p = *at;
    size_t left = (size_t)(end - p);
    if (left >= 2 && (memcmp(p, "\xc2\xb5", 2) == 0 || memcmp(p, "\xce\xbc", 2) == 0)) {
        *at += 2;
        return 'u';
    }
    if (left >= 2 && memcmp(p, "\xc2\xb2", 2) == 0) {
        *at += 2;
        return '2';
    }
    *at += 1;
    if (*p >= 'A' && *p <= 'Z') {
        return (char)(*p - 'A' + 'a');
    }
    return *p == '^' ? '\0' : strchr(" ()[]_", *p) != NULL ? '_' : *p;
}

/* "Area (px^2)" and "area_px2" are one key: lower case, one '_' for spaces and brackets. */
static void make_key(const ng_field *field, char key[48])
{
    size_t n = 0;
    const char *at = field->text;
    const char *end = field->text + field->length;
    while (at < end && n < 47) {
        char c = key_character(&at, end);
        bool doubled = c == '_' && (n == 0 || key[n - 1] == '_');
        if (c != '\0' && !doubled) {
            key[n++] = c;
        }
    }
    while (n > 0 && key[n - 1] == '_') {
        n--;
    }
    key[n] = '\0';
}

/* The unit at the end of a key, such as the "px2" of area_px2. */
static ng_unit suffix_unit(ng_quantity quantity, const char *suffix)
{
    size_t length = strlen(suffix);
    bool area = quantity == NG_QUANTITY_AREA || quantity == NG_QUANTITY_AREA_SE;
    bool squared = area && length > 1 && suffix[length - 1] == '2';
    ng_unit unit = ng_unit_find(suffix, squared ? length - 1 : length);
    if (quantity == NG_QUANTITY_TIME) {
        return ng_unit_is_time(unit) ? unit : NG_UNIT_NONE;
    }
    /* An area in pixels is a count of pixels; one "in nm" may be anything. */
    bool fits = ng_unit_is_length(unit) && (!area || squared || unit == NG_UNIT_PX);
    return fits ? unit : NG_UNIT_NONE;
}

static void name_quantity(ng_column *column)
{
    for (size_t i = 0; i < N_QUANTITIES; i++) {
        size_t length = strlen(quantities[i].key);
        if (strncmp(column->key, quantities[i].key, length) != 0) {
            continue;
        }
        const char *rest = column->key + length;
        ng_unit unit = NG_UNIT_NONE;
        if (*rest == '_' && !quantities[i].counts) {
            unit = suffix_unit(quantities[i].quantity, rest + 1);
        }
        if (*rest == '\0' || unit != NG_UNIT_NONE) {
            column->quantity = quantities[i].quantity;
            column->unit = unit;
        }
    }
}

ng_column *ng_layout_find(const ng_layout *layout, const char *key)
{
    for (size_t i = 0; i < layout->n_columns; i++) {
        if (strcmp(layout->column[i].key, key) == 0) {
            return &layout->column[i];
        }
    }
    return NULL;
}

const ng_column *ng_layout_column(const ng_layout *layout, ng_slot slot)
{
    size_t i = layout->slot[slot];
    return i == NG_NO_COLUMN ? NULL : &layout->column[i];
}

/* ---- which column fills which slot --------------------------------------------------- */

static ng_quantity standard_error_of(ng_quantity size)
{
    return size == NG_QUANTITY_RADIUS     ? NG_QUANTITY_RADIUS_SE
           : size == NG_QUANTITY_DIAMETER ? NG_QUANTITY_DIAMETER_SE
           : size == NG_QUANTITY_AREA     ? NG_QUANTITY_AREA_SE
                                          : NG_QUANTITY_NONE;
}

static bool has_y_in(const ng_layout *layout, ng_unit unit)
{
    for (size_t i = 0; i < layout->n_columns; i++) {
        if (layout->column[i].quantity == NG_QUANTITY_Y && layout->column[i].unit == unit) {
            return true;
        }
    }
    return false;
}

/* Calibrated sizes before pixels, radius before diameter before area; -1: no size. TrackMate's
 * radius is the setting of its detector unless the spot has an outline, and then it has an area.
 */
static int size_rank(const ng_layout *layout, const ng_column *column)
{
    static const int unit_rank[] = {[NG_UNIT_NM] = 0, [NG_UNIT_UM] = 1, [NG_UNIT_PX] = 10};
    int rank = column->quantity == NG_QUANTITY_RADIUS     ? 2
               : column->quantity == NG_QUANTITY_DIAMETER ? 4
               : column->quantity == NG_QUANTITY_AREA     ? 6
               : column->quantity == NG_QUANTITY_GYRATION ? 8
                                                          : -1;
    if (rank < 0 || !ng_unit_is_length(column->unit)) {
        return -1;
    }
    if (layout->kind == NG_KIND_TRACKMATE_CSV && column->quantity == NG_QUANTITY_AREA) {
        rank = 0;
    }
    return rank + unit_rank[column->unit];
}

static int rank_of(const ng_layout *layout, const ng_column *column, ng_slot slot)
{
    const ng_column *x = ng_layout_column(layout, NG_SLOT_X);
    const ng_column *size = ng_layout_column(layout, NG_SLOT_SIZE);
    bool fits = false;
    switch (slot) {
    case NG_SLOT_TRACK:
        return column->quantity == NG_QUANTITY_TRACK ? 0 : -1;
    case NG_SLOT_GROUP:
        return column->quantity == NG_QUANTITY_GROUP ? 0 : -1;
    case NG_SLOT_FRAME:
        return column->quantity == NG_QUANTITY_FRAME ? 0 : -1;
    case NG_SLOT_SIZE:
        return size_rank(layout, column);
    case NG_SLOT_TIME:
        fits = column->quantity == NG_QUANTITY_TIME;
        break;
    case NG_SLOT_X:
        fits = column->quantity == NG_QUANTITY_X && has_y_in(layout, column->unit);
        break;
    case NG_SLOT_Y:
        fits = x != NULL && column->quantity == NG_QUANTITY_Y && column->unit == x->unit;
        break;
    case NG_SLOT_SIZE_SE:
        fits = size != NULL && column->unit == size->unit &&
               column->quantity == standard_error_of(size->quantity) &&
               column->quantity != NG_QUANTITY_NONE;
        break;
    case NG_N_SLOTS:
        break;
    }
    /* The units of a dimension stand in the order of preference in their enum. */
    return fits && column->unit != NG_UNIT_NONE ? (int)column->unit : -1;
}

static ng_status choose(ng_layout *layout, ng_slot slot, const char *name, ng_error *err)
{
    int best = -1;
    size_t twin = NG_NO_COLUMN;
    layout->slot[slot] = NG_NO_COLUMN;
    for (size_t i = 0; i < layout->n_columns; i++) {
        int rank = rank_of(layout, &layout->column[i], slot);
        if (rank >= 0 && (best < 0 || rank < best)) {
            best = rank;
            layout->slot[slot] = i;
            twin = NG_NO_COLUMN;
        } else if (rank >= 0 && rank == best) {
            twin = i;
        }
    }
    if (twin == NG_NO_COLUMN) {
        return NG_OK;
    }
    if (layout->kind == NG_KIND_TRACKPY_CSV && slot == NG_SLOT_FRAME) {
        /* pandas writes the index of a linked table, which is the frame, as one more column */
        layout->slot[slot] = twin;
        return NG_OK;
    }
    return NG_FAIL(err, NG_FORMAT, "%s: columns %zu (%s) and %zu (%s) hold the same; remove one",
                   name, layout->slot[slot] + 1, layout->column[layout->slot[slot]].name, twin + 1,
                   layout->column[twin].name);
}

ng_status ng_layout_choose(ng_layout *layout, const char *name, ng_error *err)
{
    for (int i = 0; i < NG_N_SLOTS; i++) {
        layout->slot[i] = NG_NO_COLUMN;
    }
    for (int i = 0; i < NG_N_SLOTS; i++) {
        ng_status status = choose(layout, (ng_slot)i, name, err);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

/* ---- trackpy ------------------------------------------------------------------------- */

static bool is_bare(const ng_layout *layout, const char *key)
{
    return ng_layout_find(layout, key) != NULL;
}

/* trackpy writes x, y without a unit, and `particle` once linked; ours always say a unit. */
static bool trackpy_is(const ng_layout *layout)
{
    return is_bare(layout, "x") && is_bare(layout, "y") && is_bare(layout, "frame") &&
           (is_bare(layout, "particle") || (is_bare(layout, "mass") && is_bare(layout, "ecc")));
}

/* All of trackpy's lengths are pixels. */
static void trackpy_columns(ng_layout *layout)
{
    layout->kind = NG_KIND_TRACKPY_CSV;
    for (size_t i = 0; i < layout->n_columns; i++) {
        ng_column *column = &layout->column[i];
        if (strcmp(column->key, "particle") == 0) {
            column->quantity = NG_QUANTITY_TRACK;
        } else if (strcmp(column->key, "size") == 0) {
            column->quantity = NG_QUANTITY_GYRATION;
            column->unit = NG_UNIT_PX;
        } else if (column->quantity >= NG_QUANTITY_X && column->unit == NG_UNIT_NONE) {
            column->unit = NG_UNIT_PX;
        }
    }
}

/* ---- reading the header -------------------------------------------------------------- */

static ng_file_kind kind_of(const ng_layout *layout)
{
    bool track = false;
    bool frame = false;
    bool time = false;
    bool size = false;
    for (size_t i = 0; i < layout->n_columns; i++) {
        const ng_column *column = &layout->column[i];
        track = track || column->quantity == NG_QUANTITY_TRACK;
        frame = frame || column->quantity == NG_QUANTITY_FRAME;
        time = time || column->quantity == NG_QUANTITY_TIME;
        size = size || size_rank(layout, column) >= 0;
    }
    if (ng_layout_find(layout, "kind") != NULL && ng_layout_find(layout, "partner") != NULL) {
        return NG_KIND_EVENTS;
    }
    return track          ? NG_KIND_TRACKS
           : frame        ? NG_KIND_PARTICLES
           : time && size ? NG_KIND_EX_SITU
                          : NG_KIND_UNKNOWN;
}

static ng_status count_columns(ng_csv csv, size_t *n, size_t *numbers, ng_error *err)
{
    *n = 0;
    *numbers = 0;
    for (;;) {
        ng_field field;
        bool found = false;
        double value = 0.0;
        ng_status status = ng_csv_next_field(&csv, &field, &found, err);
        if (status != NG_OK || !found) {
            return status;
        }
        *n += 1;
        *numbers += ng_number_parse(field.text, field.length, &value) == NG_NUMBER_OK;
    }
}

static ng_status read_header(ng_csv *csv, ng_layout *layout, ng_error *err)
{
    size_t n = 0;
    size_t numbers = 0;
    ng_status status = count_columns(*csv, &n, &numbers, err);
    if (status != NG_OK) {
        return status;
    }
    if (n > NG_MAX_COLUMNS) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s:%zu: the header row has %zu columns; at most %d are read", csv->name,
                       csv->row_line, n, NG_MAX_COLUMNS);
    }
    if (numbers == n) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s:%zu: the first row holds numbers; it must name the columns, such as "
                       "track,frame,time_s,area_px",
                       csv->name, csv->row_line);
    }
    layout->column = NG_NEW(ng_column, n);
    if (layout->column == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu columns", csv->name, n);
    }
    for (size_t i = 0; i < n; i++) {
        ng_field field = {"", 0};
        bool found = false;
        status = ng_csv_next_field(csv, &field, &found, err);
        if (status != NG_OK) {
            return status;
        }
        ng_text_show(field.text, field.length, layout->column[i].name,
                     sizeof layout->column[i].name);
        make_key(&field, layout->column[i].key);
        layout->n_columns = i + 1;
    }
    return ng_csv_end_record(csv, err);
}

ng_status ng_layout_read(ng_csv *csv, ng_layout *out, ng_error *err)
{
    *out = (ng_layout){.kind = NG_KIND_UNKNOWN};
    ng_status status = NG_OK;
    if (ng_csv_next_record(csv)) {
        status = read_header(csv, out, err);
    }
    if (status != NG_OK) {
        goto out;
    }
    if (ng_trackmate_csv_is(out)) {
        status = ng_trackmate_csv_columns(csv, out, err);
    } else {
        for (size_t i = 0; i < out->n_columns; i++) {
            name_quantity(&out->column[i]);
        }
        if (trackpy_is(out)) {
            trackpy_columns(out);
        } else {
            out->kind = kind_of(out);
        }
    }
    if (status == NG_OK) {
        status = ng_layout_choose(out, csv->name, err);
    }
out:
    if (status != NG_OK) {
        ng_layout_free(out);
    }
    return status;
}

void ng_layout_free(ng_layout *layout)
{
    ng_free(layout->column);
    *layout = (ng_layout){.kind = NG_KIND_UNKNOWN};
}

/* ---- what is missing ----------------------------------------------------------------- */

/* "; found: track, frame, aera_px (did you mean area_px?)" */
static void describe_columns(const ng_layout *layout, char text[240])
{
    static const char *const known[] = {
        "track",    "group",     "frame",     "time_s",      "time_min",    "time_ms",
        "time_h",   "radius_nm", "radius_um", "radius_px",   "area_px",     "area_px2",
        "area_nm2", "area_um2",  "x_px",      "diameter_nm", "diameter_um", "diameter_px"};
    size_t n = (size_t)snprintf(text, 240, "; found: ");
    for (size_t i = 0; i < layout->n_columns && n < 150; i++) {
        n += (size_t)snprintf(text + n, 240 - n, "%s%s", i > 0 ? ", " : "",
                              layout->column[i].name[0] != '\0' ? layout->column[i].name
                                                                : "(no name)");
        if (i + 1 < layout->n_columns && n >= 150) {
            n += (size_t)snprintf(text + n, 240 - n, ", ...");
        }
    }
    for (size_t i = 0; i < layout->n_columns; i++) {
        if (layout->column[i].quantity != NG_QUANTITY_NONE || layout->column[i].key[0] == '\0') {
            continue;
        }
        const char *near =
            ng_nearest_name(layout->column[i].key, known, sizeof known / sizeof known[0]);
        if (near != NULL && strlen(layout->column[i].key) > 3) {
            snprintf(text + n, 240 - n, " (did you mean %s?)", near);
            return;
        }
    }
}

/* A size whose unit is not said, or NULL. */
static const ng_column *size_without_unit(const ng_layout *layout)
{
    for (size_t i = 0; i < layout->n_columns; i++) {
        const ng_column *column = &layout->column[i];
        if (ng_quantity_size_name(column->quantity)[0] != '\0' && column->unit == NG_UNIT_NONE) {
            return column;
        }
    }
    return NULL;
}

static ng_status fail_without_size(const ng_layout *layout, const char *name, ng_error *err)
{
    char found[240];
    const ng_column *bare = size_without_unit(layout);
    if (bare != NULL) {
        const char *square = bare->quantity == NG_QUANTITY_AREA ? "2" : "";
        return NG_FAIL(err, NG_FORMAT,
                       "%s: column %s does not say its unit; call it %s_nm%s, %s_um%s or %s_px%s",
                       name, bare->name, bare->key, square, bare->key, square, bare->key, square);
    }
    describe_columns(layout, found);
    return NG_FAIL(
        err, NG_FORMAT,
        "%s: no column with sizes; radius_nm, diameter_nm, area_nm2 or area_px (also _um) "
        "is needed%s",
        name, found);
}

/* Tables that look like tracks at first sight. */
static ng_status check_other_tables(const ng_layout *layout, const char *name, ng_error *err)
{
    if (layout->kind == NG_KIND_EVENTS) {
        return NG_FAIL(err, NG_FORMAT, "%s: this is a table of events; a table of tracks is needed",
                       name);
    }
    if (ng_layout_find(layout, "number_spots") != NULL ||
        ng_layout_find(layout, "spot_source_id") != NULL) {
        return NG_FAIL(
            err, NG_FORMAT,
            "%s: this is TrackMate's table of tracks or edges; export its table of spots, "
            "or save its XML file",
            name);
    }
    return NG_OK;
}

static ng_status fail_without_track(const ng_layout *layout, const char *name, ng_error *err)
{
    char found[240];
    if (layout->kind == NG_KIND_TRACKPY_CSV) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: no column particle; link the features with trackpy.link before writing "
                       "the table",
                       name);
    }
    describe_columns(layout, found);
    return NG_FAIL(err, NG_FORMAT, "%s: no column track%s%s", name,
                   layout->kind == NG_KIND_PARTICLES
                       ? "; link the particles of single frames with `nucgrow track` first"
                       : "",
                   found);
}

static ng_status check_clock(const ng_layout *layout, const char *name, ng_error *err)
{
    char found[240];
    if (layout->slot[NG_SLOT_FRAME] == NG_NO_COLUMN && layout->slot[NG_SLOT_TIME] == NG_NO_COLUMN) {
        describe_columns(layout, found);
        return NG_FAIL(err, NG_FORMAT, "%s: no column frame, and no time_s (or _ms, _min, _h)%s",
                       name, found);
    }
    if (layout->units_missing) {
        return NG_FAIL(
            err, NG_FORMAT,
            "%s: the rows with TrackMate's names and units are missing below the header, so "
            "the unit of RADIUS is unknown; export the spots again, or rename the columns "
            "to track,frame,time_s,radius_um",
            name);
    }
    return NG_OK;
}

ng_status ng_layout_check_particles(const ng_layout *layout, const char *name, ng_error *err)
{
    char found[240];
    ng_status status = check_other_tables(layout, name, err);
    if (status == NG_OK) {
        status = check_clock(layout, name, err);
    }
    if (status == NG_OK && layout->slot[NG_SLOT_Y] == NG_NO_COLUMN) {
        describe_columns(layout, found);
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: no columns with positions; x_nm and y_nm, or x_px and y_px (also "
                         "_um), are needed%s",
                         name, found);
    }
    return status;
}

ng_status ng_layout_check(const ng_layout *layout, const char *name, ng_error *err)
{
    bool ex_situ = layout->kind == NG_KIND_EX_SITU;
    ng_status status = check_other_tables(layout, name, err);
    if (status != NG_OK) {
        return status;
    }
    if (!ex_situ && layout->slot[NG_SLOT_TRACK] == NG_NO_COLUMN) {
        return fail_without_track(layout, name, err);
    }
    status = check_clock(layout, name, err);
    if (status != NG_OK) {
        return status;
    }
    if (layout->slot[NG_SLOT_SIZE] == NG_NO_COLUMN) {
        return fail_without_size(layout, name, err);
    }
    return NG_OK;
}
