/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spots.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* TrackMate's file: Model (spatialunits, timeunits) > AllSpots > SpotsInFrame > Spot, AllTracks >
 * Track > Edge, FilteredTracks > TrackID. Source: TrackMate documentation, and files it wrote.
 *
 * The file is read as a stream of start tags. No handler for entities or external subsets exists,
 * so nothing is expanded or loaded, and a document type ends the parse. */

typedef struct tag {
    const char *name;
    const xmlChar **attribute; /* five pointers each, as libxml2 hands them over */
    int n_attributes;
    size_t line;
} tag;

typedef struct document {
    ng_reader *reader;
    xmlParserCtxtPtr context; /* owned */
    ng_status status;         /* of the callbacks */
    ng_spots spots;
    bool root_seen, model_seen;
    long track; /* that the edges belong to */
    long frame; /* of SpotsInFrame */
} document;

bool ng_xml_is(const char *text, size_t length)
{
    size_t i = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < length &&
           (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')) {
        i++;
    }
    return i < length && text[i] == '<';
}

/* ---- attributes ---------------------------------------------------------------------- */

static bool find_attribute(const tag *t, const char *name, ng_field *field)
{
    for (int i = 0; i < t->n_attributes; i++) {
        const xmlChar **a = &t->attribute[5 * (size_t)i];
        if (strcmp((const char *)a[0], name) == 0) {
            *field = (ng_field){(const char *)a[3], (size_t)(a[4] - a[3])};
            return true;
        }
    }
    return false;
}

/* A number; NAN where the attribute is absent. */
static ng_status attribute_number(document *d, const tag *t, const char *name, double *value,
                                  bool *good)
{
    ng_field field;
    *value = (double)NAN;
    *good = true;
    if (!find_attribute(t, name, &field)) {
        return NG_OK;
    }
    return ng_row_number(d->reader, t->line, name, &field, value, good);
}

/* A whole number that the structure of the file rests on: never skipped. */
static ng_status attribute_id(document *d, const tag *t, const char *name, long *value)
{
    ng_field field;
    double number = 0.0;
    if (!find_attribute(t, name, &field)) {
        return NG_FAIL(d->reader->err, NG_FORMAT, "%s:%zu: <%s> has no attribute %s",
                       d->reader->table->name, t->line, t->name, name);
    }
    ng_number state = ng_number_parse(field.text, field.length, &number);
    if (state != NG_NUMBER_OK || number != floor(number) || fabs(number) > 9e15) {
        char shown[48];
        ng_field_show(&field, shown);
        return NG_FAIL(d->reader->err, NG_FORMAT, "%s:%zu: %s is %s; it must be a whole number",
                       d->reader->table->name, t->line, name, shown);
    }
    *value = (long)number;
    return NG_OK;
}

static ng_status attribute_unit(document *d, const tag *t, const char *name, bool needed,
                                ng_unit *unit)
{
    ng_field field = {"", 0};
    find_attribute(t, name, &field);
    *unit = ng_unit_find(field.text, field.length);
    if (!needed || ng_unit_is_length(*unit)) {
        return NG_OK;
    }
    char shown[48];
    ng_field_show(&field, shown);
    return NG_FAIL(
        d->reader->err, NG_FORMAT,
        "%s:%zu: %s is %s; nm, um (micron) and pixel are read, so set the unit of the image in "
        "ImageJ (Image > Properties)",
        d->reader->table->name, t->line, name, shown);
}

/* ---- elements ------------------------------------------------------------------------ */

static ng_status take_root(document *d, const tag *t)
{
    d->root_seen = true;
    if (strcmp(t->name, "TrackMate") == 0) {
        return NG_OK;
    }
    if (strcmp(t->name, "Tracks") == 0) {
        return NG_FAIL(
            d->reader->err, NG_FORMAT,
            "%s: this is TrackMate's simple export of tracks, which holds no sizes; save the "
            "full XML file (Save in TrackMate), or export the table of spots",
            d->reader->table->name);
    }
    ng_field field = {t->name, strlen(t->name)};
    char shown[48];
    ng_field_show(&field, shown);
    return NG_FAIL(d->reader->err, NG_FORMAT, "%s: this is XML with root %s; TrackMate's is read",
                   d->reader->table->name, shown);
}

static ng_status take_model(document *d, const tag *t)
{
    ng_table *table = d->reader->table;
    d->model_seen = true;
    ng_status status = attribute_unit(d, t, "timeunits", false, &table->time_unit);
    table->has_time = ng_unit_is_time(table->time_unit);
    if (status == NG_OK) {
        status = attribute_unit(d, t, "spatialunits", true, &table->size_unit);
    }
    table->position_unit = table->size_unit;
    return status;
}

/* The size of a spot: its area where it has an outline, else its radius. All spots of a file are
 * given as the first one's kind. */
static ng_status spot_size(document *d, const tag *t, double *size, bool *good)
{
    ng_table *table = d->reader->table;
    double area = (double)NAN;
    double radius = (double)NAN;
    ng_status status = attribute_number(d, t, "AREA", &area, good);
    if (status == NG_OK && *good) {
        status = attribute_number(d, t, "RADIUS", &radius, good);
    }
    if (table->size == NG_QUANTITY_NONE) {
        table->size = isnan(area) ? NG_QUANTITY_RADIUS : NG_QUANTITY_AREA;
        snprintf(table->size_column, sizeof table->size_column, "%s",
                 isnan(area) ? "RADIUS" : "AREA");
    }
    if (table->size == NG_QUANTITY_RADIUS) {
        *size = isnan(area) ? radius : ng_size_radius(NG_QUANTITY_AREA, area);
    } else {
        *size = isnan(area) ? 3.14159265358979323846 * radius * radius : area;
    }
    return status;
}

static ng_status take_spot(document *d, const tag *t)
{
    ng_table *table = d->reader->table;
    ng_spot s = {
        .row = {.group = -1, .line = t->line, .frame = d->frame, .size_se = (double)NAN}};
    struct {
        const char *name;
        double *value;
    } number[] = {
        {"POSITION_X", &s.row.x}, {"POSITION_Y", &s.row.y}, {"POSITION_T", &s.row.time_s}};
    bool good = true;
    if (table->rows_read == d->reader->options->max_rows) {
        return NG_FAIL(d->reader->err, NG_INVALID,
                       "%s:%zu: there are more than %zu spots, the limit", table->name, t->line,
                       d->reader->options->max_rows);
    }
    table->rows_read++;
    ng_status status = attribute_id(d, t, "ID", &s.id);
    ng_field field;
    if (status == NG_OK && find_attribute(t, "FRAME", &field)) {
        status = attribute_id(d, t, "FRAME", &s.row.frame);
    }
    for (size_t i = 0; i < 3 && status == NG_OK && good; i++) {
        status = attribute_number(d, t, number[i].name, number[i].value, &good);
    }
    if (status == NG_OK && good) {
        status = spot_size(d, t, &s.row.size, &good);
    }
    if (status == NG_OK && good && labs(s.row.frame) > 1000000000) {
        good = false;
        status =
            ng_row_bad(d->reader, t->line, "FRAME is %ld; it must lie within +-1e9", s.row.frame);
    }
    if (status == NG_OK && good && table->has_time && isnan(s.row.time_s)) {
        good = false;
        status = ng_row_bad(d->reader, t->line, "POSITION_T is missing");
    }
    s.row.time_s *= ng_unit_scale(table->time_unit, (double)NAN);
    s.bad = !good;
    return status == NG_OK ? ng_spots_add(&d->spots, &s, d->reader->err) : status;
}

static ng_status take_track(document *d, const tag *t)
{
    return attribute_id(d, t, "TRACK_ID", &d->track);
}

static ng_status take_edge(document *d, const tag *t)
{
    ng_link link = {.track = d->track, .line = t->line};
    ng_status status = attribute_id(d, t, "SPOT_SOURCE_ID", &link.source);
    if (status == NG_OK) {
        status = attribute_id(d, t, "SPOT_TARGET_ID", &link.target);
    }
    return status == NG_OK ? ng_spots_link(&d->spots, &link, d->reader->err) : status;
}

static ng_status take_kept_track(document *d, const tag *t)
{
    long track = 0;
    ng_status status = attribute_id(d, t, "TRACK_ID", &track);
    return status == NG_OK ? ng_spots_keep(&d->spots, track, d->reader->err) : status;
}

static ng_status take_filter(document *d, const tag *t)
{
    (void)t;
    d->spots.filtered = true;
    return NG_OK;
}

static ng_status take_frame(document *d, const tag *t)
{
    return attribute_id(d, t, "frame", &d->frame);
}

static ng_status take_element(document *d, const tag *t)
{
    static const struct {
        const char *name;
        ng_status (*take)(document *d, const tag *t);
    } elements[] = {
        {"Spot", take_spot},   {"Edge", take_edge},          {"SpotsInFrame", take_frame},
        {"Track", take_track}, {"TrackID", take_kept_track}, {"FilteredTracks", take_filter},
        {"Model", take_model},
    };
    if (!d->root_seen) {
        return take_root(d, t);
    }
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        if (strcmp(t->name, elements[i].name) == 0) {
            if (!d->model_seen && elements[i].take != take_model) {
                return NG_FAIL(d->reader->err, NG_FORMAT, "%s:%zu: <%s> stands before <Model>",
                               d->reader->table->name, t->line, t->name);
            }
            return elements[i].take(d, t);
        }
    }
    return NG_OK;
}

/* ---- libxml2's callbacks ------------------------------------------------------------- */

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
                     int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    document *d = context;
    (void)prefix;
    (void)uri;
    (void)n_namespaces;
    (void)namespaces;
    (void)n_defaulted;
    if (d->status != NG_OK) {
        return;
    }
    tag t = {(const char *)name, attributes, n_attributes,
             (size_t)xmlSAX2GetLineNumber(d->context)};
    d->status = take_element(d, &t);
    if (d->status != NG_OK) {
        xmlStopParser(d->context);
    }
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external,
                             const xmlChar *system)
{
    document *d = context;
    (void)name;
    (void)external;
    (void)system;
    if (d->status == NG_OK) {
        d->status =
            NG_FAIL(d->reader->err, NG_FORMAT,
                    "%s: the file declares a document type, which TrackMate's files never do; "
                    "it is not read",
                    d->reader->table->name);
        xmlStopParser(d->context);
    }
}

/* Errors are asked for at the end; nothing may be printed. */
static void on_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static ng_status fail_xml(document *d)
{
    const xmlError *error = xmlCtxtGetLastError(d->context);
    const char *name = d->reader->table->name;
    if (error == NULL || error->message == NULL) {
        return NG_FAIL(d->reader->err, NG_FORMAT, "%s: the XML is broken", name);
    }
    if (error->code == XML_ERR_NO_MEMORY) {
        return NG_FAIL(d->reader->err, NG_MEMORY, "%s: no memory to read the XML", name);
    }
    char text[160];
    size_t length = strcspn(error->message, "\r\n");
    ng_text_show(error->message, length, text, sizeof text);
    return NG_FAIL(d->reader->err, NG_FORMAT, "%s:%d: the XML is broken or cut off: %s", name,
                   error->line, text);
}

static ng_status parse_document(document *d, const char *text, size_t length)
{
    enum { CHUNK = 1 << 16 };
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.internalSubset = on_document_type;
    handler.serror = on_error;
    d->context = xmlCreatePushParserCtxt(&handler, d, NULL, 0, NULL);
    if (d->context == NULL) {
        return NG_FAIL(d->reader->err, NG_MEMORY, "%s: no memory to read XML",
                       d->reader->table->name);
    }
    xmlCtxtUseOptions(d->context, XML_PARSE_NONET);
    int failed = 0;
    for (size_t at = 0; at < length && failed == 0 && d->status == NG_OK; at += CHUNK) {
        size_t left = length - at;
        failed = xmlParseChunk(d->context, text + at, (int)(left < CHUNK ? left : CHUNK), 0);
    }
    if (failed == 0 && d->status == NG_OK) {
        failed = xmlParseChunk(d->context, "", 0, 1);
    }
    ng_status status = d->status;
    if (status == NG_OK && failed != 0) {
        status = fail_xml(d);
    }
    xmlFreeParserCtxt(d->context);
    d->context = NULL;
    return status;
}

ng_status ng_trackmate_xml_read(ng_reader *reader, const char *text, size_t length)
{
    document d = {.reader = reader};
    ng_table *table = reader->table;
    table->kind = NG_KIND_TRACKMATE_XML;
    table->has_frame = true;
    ng_status status = parse_document(&d, text, length);
    if (status == NG_OK) {
        status = ng_spots_to_rows(&d.spots, reader);
    }
    table->n = reader->rows->n - table->first;
    ng_spots_free(&d.spots);
    return status;
}
