/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <math.h>
#include <string.h>

/* OME-XML in the description of a TIFF: Image > Pixels (sizes, order, calibration) > TiffData
 * (which page holds which plane), Plane (times). Only the first image counts. Source: the OME data
 * model, schema of June 2016. Read as trackmate_xml.c reads: no entities, nothing is loaded. */

#define MAX_SIZE 1000000000.0

typedef struct tag {
    const xmlChar **attribute; /* five pointers each, as libxml2 hands them over */
    int n;
} tag;

typedef struct document {
    const char *name;
    ng_ome *out;
    ng_error *err;
    xmlParserCtxtPtr context; /* owned */
    ng_status status;         /* of the callbacks */
    size_t images;            /* met so far */
    char file[80];            /* named by the first TiffData, or "" */
    double first_s, last_s;   /* times of planes */
    size_t last_t;
} document;

/* ---- attributes ---------------------------------------------------------------------- */

static ng_field find(const tag *t, const char *name)
{
    for (int i = 0; i < t->n; i++) {
        const xmlChar **a = &t->attribute[5 * (size_t)i];
        if (strcmp((const char *)a[0], name) == 0) {
            return (ng_field){(const char *)a[3], (size_t)(a[4] - a[3])};
        }
    }
    return (ng_field){NULL, 0};
}

static double number(const tag *t, const char *name)
{
    ng_field field = find(t, name);
    double value = (double)NAN;
    bool good =
        field.text != NULL && ng_number_parse(field.text, field.length, &value) == NG_NUMBER_OK;
    return good ? value : (double)NAN;
}

/* A count; `otherwise` where it is absent, NG_FORMAT where it is none. */
static size_t count(document *d, const tag *t, const char *name, size_t otherwise)
{
    double value = number(t, name);
    ng_field field = find(t, name);
    if (field.text == NULL) {
        return otherwise;
    }
    if (!(value >= 0.0 && value <= MAX_SIZE && value == floor(value))) {
        char shown[48];
        ng_field_show(&field, shown);
        d->status = NG_FAIL(d->err, NG_FORMAT,
                            "%s: the OME metadata say %s = %s; it must be a whole number", d->name,
                            name, shown);
        return otherwise;
    }
    return (size_t)value;
}

/* A quantity and its unit: `usual` where none is said. */
static double quantity(const tag *t, const char *name, const char *unit_name, const char *usual,
                       double scale_of(const char *text, size_t length))
{
    ng_field unit = find(t, unit_name);
    double scale =
        unit.text != NULL ? scale_of(unit.text, unit.length) : scale_of(usual, strlen(usual));
    double value = number(t, name) * scale;
    return value > 0.0 && isfinite(value) ? value : (double)NAN;
}

/* ---- elements ------------------------------------------------------------------------ */

/* DimensionOrder is XY and then the axes, the fastest first. */
static void take_order(const tag *t, ng_planes *planes)
{
    ng_field field = find(t, "DimensionOrder");
    snprintf(planes->order, sizeof planes->order, "CZT");
    if (field.text == NULL || field.length != 5 || memcmp(field.text, "XY", 2) != 0) {
        return;
    }
    const char *axes = field.text + 2;
    if (memchr(axes, 'C', 3) != NULL && memchr(axes, 'Z', 3) != NULL &&
        memchr(axes, 'T', 3) != NULL) {
        memcpy(planes->order, axes, 3);
    }
}

static void take_pixels(document *d, const tag *t)
{
    ng_ome *ome = d->out;
    ng_planes *planes = &ome->planes;
    planes->channels = count(d, t, "SizeC", 1);
    planes->slices = count(d, t, "SizeZ", 1);
    planes->times = count(d, t, "SizeT", 1);
    take_order(t, planes);
    ome->pixel_nm =
        quantity(t, "PhysicalSizeX", "PhysicalSizeXUnit", "\xc2\xb5m", ng_length_unit_nm);
    ome->pixel_y_nm =
        quantity(t, "PhysicalSizeY", "PhysicalSizeYUnit", "\xc2\xb5m", ng_length_unit_nm);
    ome->frame_s = quantity(t, "TimeIncrement", "TimeIncrementUnit", "s", ng_time_unit_s);
    if (d->status == NG_OK &&
        (planes->channels == 0 || planes->slices == 0 || planes->times == 0)) {
        d->status = NG_FAIL(d->err, NG_TOO_LITTLE,
                            "%s: the OME metadata say SizeC %zu, SizeZ %zu, SizeT %zu: no frame",
                            d->name, planes->channels, planes->slices, planes->times);
    }
}

static void take_tiff_data(document *d, const tag *t)
{
    ng_ome *ome = d->out;
    bool has_page = find(t, "IFD").text != NULL;
    ng_ome_run run = {.page = count(d, t, "IFD", 0),
                      .c = count(d, t, "FirstC", 0),
                      .z = count(d, t, "FirstZ", 0),
                      .t = count(d, t, "FirstT", 0),
                      .n = count(d, t, "PlaneCount", has_page ? 1 : 0)};
    if (d->status == NG_OK && ome->n_runs == ome->capacity) {
        size_t capacity = ome->capacity > 0 ? 2 * ome->capacity : 16;
        ng_ome_run *grown = ng_realloc(ome->run, capacity, sizeof *grown);
        if (grown == NULL) {
            d->status = NG_FAIL(d->err, NG_MEMORY, "%s: out of memory", d->name);
            return;
        }
        ome->run = grown;
        ome->capacity = capacity;
    }
    if (d->status == NG_OK) {
        ome->run[ome->n_runs++] = run;
    }
}

static void take_file(document *d, const tag *t)
{
    ng_field field = find(t, "FileName");
    char shown[80];
    if (field.text == NULL) {
        return;
    }
    ng_text_show(field.text, field.length, shown, sizeof shown);
    if (d->file[0] == '\0') {
        memcpy(d->file, shown, sizeof shown);
    }
    d->out->several_files = d->out->several_files || strcmp(d->file, shown) != 0;
}

/* Times of the planes stand in for the interval where that is not said. */
static void take_plane(document *d, const tag *t)
{
    size_t at = count(d, t, "TheT", 0);
    ng_field unit = find(t, "DeltaTUnit");
    double scale = unit.text != NULL ? ng_time_unit_s(unit.text, unit.length) : 1.0;
    double time_s = number(t, "DeltaT") * scale;
    if (at == 0) {
        d->first_s = isnan(d->first_s) ? time_s : d->first_s;
    } else if (at > d->last_t) {
        d->last_t = at;
        d->last_s = time_s;
    }
}

static void on_start(void *context, const xmlChar *xml_name, const xmlChar *prefix,
                     const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
                     int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    document *d = context;
    const char *name = (const char *)xml_name;
    const tag t = {attributes, n_attributes};
    (void)prefix;
    (void)uri;
    (void)n_namespaces;
    (void)namespaces;
    (void)n_defaulted;
    d->out->found = d->out->found || strcmp(name, "OME") == 0;
    d->images += strcmp(name, "Image") == 0;
    if (!d->out->found || d->images > 1 || d->status != NG_OK) {
        return;
    }
    if (strcmp(name, "Pixels") == 0) {
        take_pixels(d, &t);
    } else if (strcmp(name, "TiffData") == 0) {
        take_tiff_data(d, &t);
    } else if (strcmp(name, "UUID") == 0) {
        take_file(d, &t);
    } else if (strcmp(name, "Plane") == 0) {
        take_plane(d, &t);
    }
    if (d->status != NG_OK) {
        xmlStopParser(d->context);
    }
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external,
                             const xmlChar *system)
{
    document *d = context;
    (void)external;
    (void)system;
    d->out->found = d->out->found || strcmp((const char *)name, "OME") == 0;
    d->status = NG_FAIL(d->err, NG_FORMAT,
                        "%s: the XML in the description declares a document type, which OME's "
                        "never does; it is not read",
                        d->name);
    xmlStopParser(d->context);
}

/* Errors are asked for at the end; nothing may be printed. */
static void on_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static ng_status parse(document *d, const char *text, size_t length)
{
    enum { CHUNK = 1 << 20 };
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.internalSubset = on_document_type;
    handler.serror = on_error;
    d->context = xmlCreatePushParserCtxt(&handler, d, NULL, 0, NULL);
    if (d->context == NULL) {
        return NG_FAIL(d->err, NG_MEMORY, "%s: no memory to read XML", d->name);
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
    xmlFreeParserCtxt(d->context);
    if (d->status == NG_OK && failed != 0 && d->out->found) {
        return NG_FAIL(d->err, NG_FORMAT,
                       "%s: the OME metadata (XML) are broken or cut off; save the movie again",
                       d->name);
    }
    /* XML of others is a description like any other. */
    return d->out->found ? d->status : NG_OK;
}

ng_status ng_ome_parse(const char *text, size_t length, const char *name, ng_ome *out,
                       ng_error *err)
{
    *out = (ng_ome){.planes = {1, 1, 1, "CZT"},
                    .pixel_nm = (double)NAN,
                    .pixel_y_nm = (double)NAN,
                    .frame_s = (double)NAN};
    if (!ng_xml_is(text, length)) {
        return NG_OK;
    }
    document d = {.name = name,
                  .out = out,
                  .err = err,
                  .status = NG_OK,
                  .first_s = (double)NAN,
                  .last_s = (double)NAN};
    ng_status status = parse(&d, text, length);
    if (isnan(out->frame_s) && d.last_s > d.first_s) {
        out->frame_s = (d.last_s - d.first_s) / (double)d.last_t;
    }
    if (status != NG_OK) {
        ng_ome_free(out);
    }
    return status;
}

void ng_ome_free(ng_ome *ome)
{
    ng_free(ome->run);
    *ome = (ng_ome){.found = false};
}
