/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "particles_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))
#define PI 3.14159265358979323846

#define PLACE(member) offsetof(ng_particle, member)

const ng_particle_column ng_particle_columns[] = {
    {"radius_nm", PLACE(radius_nm), NG_PARTICLE_SLOT},
    {"radius_se_nm", PLACE(radius_se_nm), NG_PARTICLE_SLOT},
    {"area_nm2", PLACE(area_nm2), NG_PARTICLE_NUMBER},
    {"intensity", PLACE(intensity), NG_PARTICLE_NUMBER},
    {"intensity_se", PLACE(intensity_se), NG_PARTICLE_NUMBER},
    {"background", PLACE(background), NG_PARTICLE_NUMBER},
    {"snr", PLACE(snr), NG_PARTICLE_NUMBER},
    {"flag", 0, NG_PARTICLE_FLAGS},
    {"x_se_nm", PLACE(x_se_nm), NG_PARTICLE_NUMBER},
    {"y_se_nm", PLACE(y_se_nm), NG_PARTICLE_NUMBER},
    {"x_raw_nm", PLACE(x_raw_nm), NG_PARTICLE_NUMBER},
    {"y_raw_nm", PLACE(y_raw_nm), NG_PARTICLE_NUMBER},
    {"circularity", PLACE(circularity), NG_PARTICLE_NUMBER},
    {"solidity", PLACE(solidity), NG_PARTICLE_NUMBER},
    {"ellipse_ratio", PLACE(ellipse_ratio), NG_PARTICLE_NUMBER},
    {"contrast", PLACE(contrast), NG_PARTICLE_NUMBER},
    {"edge_nm", PLACE(edge_nm), NG_PARTICLE_NUMBER},
};
const size_t ng_n_particle_columns = sizeof ng_particle_columns / sizeof ng_particle_columns[0];

const ng_flag_word ng_flag_words[] = {
    {NG_FLAG_EDGE, "edge"},
    {NG_FLAG_CROWDED, "crowded"},
    {NG_FLAG_NO_FIT, "no-fit"},
    {NG_FLAG_SATURATED, "saturated"},
    {NG_FLAG_SPLIT, "split"},
    {NG_FLAG_NOT_POSITIVE, "not-positive"},
    {NG_FLAG_BELOW_RANGE, "below-range"},
    {NG_FLAG_ABOVE_RANGE, "above-range"},
    {NG_FLAG_NOT_EXCITABLE, "not-excitable"},
    {NG_FLAG_FOLD, "fold"},
    {NG_FLAG_BAD_PIXEL, "bad-pixel"},
    {NG_FLAG_JOINT, "joint"},
};
const size_t ng_n_flag_words = sizeof ng_flag_words / sizeof ng_flag_words[0];

/* A word of another program: dropped with a warning, because its column may mean anything. */
#define UNKNOWN_FLAG (1U << 30)

void ng_particles_free(ng_particles *particles)
{
    if (particles != NULL) {
        ng_free(particles->item);
        *particles = (ng_particles){0};
    }
}

double *ng_particle_number(ng_particle *particle, const ng_particle_column *column)
{
    return (double *)(void *)((char *)particle + column->offset);
}

ng_particle ng_particle_unknown(void)
{
    ng_particle p = {
        .track = -1, .group = -1, .time_s = (double)NAN, .x_nm = (double)NAN, .y_nm = (double)NAN};
    for (size_t i = 0; i < ng_n_particle_columns; i++) {
        if (ng_particle_columns[i].kind != NG_PARTICLE_FLAGS) {
            *ng_particle_number(&p, &ng_particle_columns[i]) = (double)NAN;
        }
    }
    return p;
}

/* ---- which columns are there ----------------------------------------------------------- */

static unsigned flag_of(const char *word, size_t length)
{
    for (size_t i = 0; i < ng_n_flag_words; i++) {
        if (strlen(ng_flag_words[i].word) == length &&
            memcmp(ng_flag_words[i].word, word, length) == 0) {
            return ng_flag_words[i].flag;
        }
    }
    return UNKNOWN_FLAG;
}

bool ng_flags_read(const ng_field *field, double *value)
{
    unsigned flags = 0;
    const char *at = field->text;
    const char *end = at + field->length;
    while (at < end) {
        const char *plus = memchr(at, '+', (size_t)(end - at));
        const char *stop = plus != NULL ? plus : end;
        flags |= flag_of(at, (size_t)(stop - at));
        at = stop + 1;
    }
    *value = flags;
    return true;
}

/* Where each further number of a row goes. */
typedef struct plan {
    const ng_particle_column *column[NG_MAX_FURTHER]; /* NULL: the number of the particle */
    size_t n;
} plan;

static void want(ng_layout *layout, plan *p, const char *key, const ng_particle_column *column)
{
    const ng_column *found = ng_layout_find(layout, key);
    if (found != NULL && layout->n_further < NG_MAX_FURTHER) {
        bool flags = column != NULL && column->kind == NG_PARTICLE_FLAGS;
        layout->further[layout->n_further++] =
            (ng_further){(size_t)(found - layout->column), flags ? ng_flags_read : NULL};
        p->column[p->n++] = column;
    }
}

/* trackpy's mass is an integrated intensity; its particle is a track. */
static void plan_columns(ng_layout *layout, plan *p)
{
    bool trackpy = layout->kind == NG_KIND_TRACKPY_CSV;
    for (size_t i = 0; i < ng_n_particle_columns; i++) {
        const ng_particle_column *c = &ng_particle_columns[i];
        if (c->kind != NG_PARTICLE_SLOT) {
            want(layout, p, trackpy && strcmp(c->name, "intensity") == 0 ? "mass" : c->name, c);
        }
    }
    if (!trackpy) {
        want(layout, p, "particle", NULL);
    }
}

/* ---- from rows to particles ------------------------------------------------------------ */

static void fill_numbers(ng_particle *particle, const plan *p, const double *number)
{
    for (size_t i = 0; i < p->n; i++) {
        const ng_particle_column *column = p->column[i];
        if (column == NULL) {
            bool whole = number[i] >= 1.0 && number[i] < 1e15;
            particle->particle = whole ? (long)number[i] : 0;
        } else if (column->kind == NG_PARTICLE_FLAGS) {
            particle->flag = isnan(number[i]) ? 0 : (unsigned)number[i];
        } else {
            *ng_particle_number(particle, column) = number[i];
        }
    }
}

static void fill_particle(const ng_table *table, const ng_row *row, double position_nm,
                          ng_particle *particle)
{
    *particle = ng_particle_unknown();
    particle->track = row->track < 0 ? -1 : row->track;
    particle->group = row->group;
    particle->frame = row->frame;
    particle->time_s = row->time_s;
    particle->x_nm = particle->x_raw_nm = row->x * position_nm;
    particle->y_nm = particle->y_raw_nm = row->y * position_nm;
    particle->radius_nm = row->size;
    particle->radius_se_nm = row->size_se;
    if (table->size == NG_QUANTITY_AREA) {
        particle->area_nm2 = PI * row->size * row->size;
    }
}

static int by_number(const void *left, const void *right)
{
    const ng_row *a = left;
    const ng_row *b = right;
    int order = ORDER(a->track, b->track);
    return order != 0 ? order : ORDER(a->group, b->group);
}

/* Whether groups use the numbers of tracks again. Reorders. */
static bool numbers_clash(ng_rows *rows)
{
    qsort(rows->item, rows->n, sizeof *rows->item, by_number);
    for (size_t i = 1; i < rows->n; i++) {
        const ng_row *a = &rows->item[i - 1], *b = &rows->item[i];
        if (a->track == b->track && a->group != b->group) {
            return true;
        }
    }
    return false;
}

static int by_group(const void *left, const void *right)
{
    return ng_row_compare_particle(left, right);
}

/* Then tracks are numbered anew. */
static void number_grouped(ng_rows *rows)
{
    long track = 0;
    ng_row last = {.group = -2};
    if (!numbers_clash(rows)) {
        return;
    }
    qsort(rows->item, rows->n, sizeof *rows->item, by_group);
    for (size_t i = 0; i < rows->n; i++) {
        ng_row *row = &rows->item[i];
        if (row->track >= 0) {
            track += row->group != last.group || row->track != last.track;
            last = *row;
            row->track = track;
        }
    }
}

static int by_frame(const void *left, const void *right)
{
    const ng_row *a = left;
    const ng_row *b = right;
    int order = ORDER(a->frame, b->frame);
    return order != 0 ? order : ORDER(a->serial, b->serial);
}

static int by_track(const void *left, const void *right)
{
    const ng_particle *a = left;
    const ng_particle *b = right;
    int order = ORDER(a->track < 0, b->track < 0);
    order = order != 0 ? order : ORDER(a->track, b->track);
    order = order != 0 ? order : ORDER(a->frame, b->frame);
    return order != 0 ? order : ORDER(a->particle, b->particle);
}

/* Those that have no number in the file get their place in the frame. */
static void number_particles(ng_particles *out)
{
    long place = 0;
    for (size_t i = 0; i < out->n; i++) {
        place = i > 0 && out->item[i].frame == out->item[i - 1].frame ? place + 1 : 1;
        if (out->item[i].particle == 0) {
            out->item[i].particle = place;
        }
    }
}

static void strip_unknown_flags(ng_particles *out, const char *name, ng_warnings *warnings)
{
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++) {
        n += (out->item[i].flag & UNKNOWN_FLAG) != 0;
        out->item[i].flag &= ~UNKNOWN_FLAG;
    }
    if (n > 0) {
        ng_warnings_add(warnings, "flags-unknown",
                        "%s: column flag holds words that are not known in %zu rows; they were "
                        "left out",
                        name, n);
    }
}

static ng_status build(const ng_reader *reader, const plan *p, ng_particles *out)
{
    const ng_table *table = reader->table;
    ng_rows *rows = reader->rows;
    bool linked = false;
    out->item = NG_NEW(ng_particle, rows->n);
    if (out->item == NULL) {
        return NG_FAIL(reader->err, NG_MEMORY, "%s: no memory for %zu particles", table->name,
                       rows->n);
    }
    out->n = rows->n;
    double position_nm = ng_unit_scale(table->position_unit, reader->options->pixel_nm);
    qsort(rows->item, rows->n, sizeof *rows->item, by_frame);
    for (size_t i = 0; i < rows->n; i++) {
        const ng_row *row = &rows->item[i];
        fill_particle(table, row, position_nm, &out->item[i]);
        if (p->n > 0) {
            fill_numbers(&out->item[i], p, &rows->further[row->serial * rows->n_further]);
        }
        linked = linked || row->track >= 0;
    }
    number_particles(out);
    if (linked) {
        qsort(out->item, out->n, sizeof *out->item, by_track);
    }
    out->frame_s = table->frame_s;
    bool pixels = table->position_unit == NG_UNIT_PX || table->size_unit == NG_UNIT_PX;
    out->pixel_nm = pixels ? reader->options->pixel_nm : (double)NAN;
    return NG_OK;
}

static ng_status finish(ng_reader *reader, const plan *p, ng_particles *out)
{
    ng_table *table = reader->table;
    const ng_tracks_read_options *options = reader->options;
    if (table->position_unit == NG_UNIT_PX && isnan(options->pixel_nm)) {
        return NG_FAIL(reader->err, NG_INVALID,
                       "%s: positions are in pixels; pass the width of a pixel with --pixel-nm",
                       table->name);
    }
    ng_status status =
        ng_table_prepare(table, reader->rows, options, reader->warnings, reader->err);
    if (status == NG_OK) {
        status = ng_rows_order_particles(table, reader->rows, options->skip_invalid,
                                         reader->warnings, reader->err);
    }
    if (status == NG_OK && table->has_group) {
        number_grouped(reader->rows);
    }
    if (status == NG_OK) {
        status = build(reader, p, out);
    }
    if (status == NG_OK) {
        strip_unknown_flags(out, table->name, reader->warnings);
        ng_table_warn_dropped(table, reader->warnings);
    }
    return status;
}

/* ---- the entries ----------------------------------------------------------------------- */

static ng_status read_csv(ng_reader *reader, const char *text, size_t length, plan *p)
{
    ng_csv csv;
    ng_layout layout = {.kind = NG_KIND_UNKNOWN};
    const char *name = reader->table->name;
    ng_status status = ng_csv_open(&csv, text, length, name, reader->err);
    if (status == NG_OK) {
        status = ng_layout_read(&csv, &layout, reader->err);
    }
    if (status == NG_OK) {
        status = ng_layout_check_particles(&layout, name, reader->err);
    }
    if (status == NG_OK) {
        plan_columns(&layout, p);
        status = ng_rows_read_csv(reader, &csv, &layout);
    }
    ng_layout_free(&layout);
    return status;
}

ng_status ng_particles_parse(const char *text, size_t length, const char *name,
                             const ng_tracks_read_options *options, ng_particles *out,
                             ng_warnings *warnings, ng_error *err)
{
    ng_error local;
    ng_rows rows = {0};
    ng_table table = {.name = name};
    plan p = {.n = 0};
    ng_reader reader = {.options = options,
                        .table = &table,
                        .rows = &rows,
                        .warnings = warnings,
                        .err = err != NULL ? err : &local,
                        .particles = true};
    *out = (ng_particles){0};
    ng_status status = ng_read_options_check(options, reader.err);
    if (status == NG_OK) {
        status = ng_xml_is(text, length) ? ng_trackmate_xml_read(&reader, text, length)
                                         : read_csv(&reader, text, length, &p);
    }
    if (status == NG_OK) {
        status = finish(&reader, &p, out);
    }
    if (status != NG_OK) {
        ng_particles_free(out);
    }
    ng_rows_free(&rows);
    return status;
}

ng_status ng_particles_read(const char *path, const ng_tracks_read_options *options,
                            ng_particles *out, ng_warnings *warnings, ng_error *err)
{
    char *text = NULL;
    size_t length = 0;
    *out = (ng_particles){0};
    ng_status status = ng_file_read(path, NG_MAX_TABLE_BYTES, &text, &length, err);
    if (status == NG_OK) {
        status = ng_particles_parse(text, length, ng_path_name(path), options, out, warnings, err);
    }
    ng_free(text);
    return status;
}
