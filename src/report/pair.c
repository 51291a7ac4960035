/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of a reconstruction, small enough for a pattern file. */
#include "seen_internal.h"

#include <math.h>
#include <string.h>

#define FIELD_SIDE 360.0 /* of the whole field, pixels of a picture */
#define DETAIL_SIDE 96   /* of the detail, pixels of the raw frames */

typedef struct cut {
    size_t x, y, width, height; /* pixels of `before` */
} cut;

/* Light of the image in a part of it. */
static double light_of(const ng_report_pair *pair, const cut *c)
{
    const size_t stride = pair->fold * pair->width;
    double sum = 0;
    for (size_t y = pair->fold * c->y; y < pair->fold * (c->y + c->height); y++) {
        for (size_t x = pair->fold * c->x; x < pair->fold * (c->x + c->width); x++) {
            sum += (double)pair->after[y * stride + x];
        }
    }
    return sum;
}

/* The part with the most light, in steps of half its side. */
static cut brightest(const ng_report_pair *pair)
{
    cut best = {0, 0, DETAIL_SIDE, DETAIL_SIDE};
    best.width = pair->width < DETAIL_SIDE ? pair->width : DETAIL_SIDE;
    best.height = pair->height < DETAIL_SIDE ? pair->height : DETAIL_SIDE;
    double most = -HUGE_VAL;
    cut c = best;
    for (c.y = 0; c.y + c.height <= pair->height; c.y += DETAIL_SIDE / 2) {
        for (c.x = 0; c.x + c.width <= pair->width; c.x += DETAIL_SIDE / 2) {
            const double light = light_of(pair, &c);
            if (light > most) {
                most = light;
                best = c;
            }
        }
    }
    return best;
}

/* A part of an image whose pixels are `fold` to one of `before`, with its own brightness. */
static ng_status encode_part(const float *image, size_t stride, const cut *c, size_t fold,
                             json_t **out, ng_error *err)
{
    const size_t width = fold * c->width, height = fold * c->height;
    ng_report_picture picture = {0};
    double level[2];
    float *part = NG_NEW(float, width *height);
    if (part == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    for (size_t y = 0; y < height; y++) {
        memcpy(part + y * width, image + (fold * c->y + y) * stride + fold * c->x,
               width * sizeof *part);
    }
    const double step = fmax(1, (double)width / FIELD_SIDE);
    ng_status status = ng_report_shrink(part, width, height, step, &picture, err);
    if (status == NG_OK) {
        status = ng_report_levels(picture.pixel, picture.width * picture.height, level, err);
    }
    if (status == NG_OK) {
        status = ng_report_encode(&picture, level, out, err);
    }
    ng_free(picture.pixel);
    ng_free(part);
    return status;
}

static ng_status encode_both(const ng_report_pair *pair, const cut *c, json_t **out, ng_error *err)
{
    json_t *before = NULL, *after = NULL;
    ng_status status = encode_part(pair->before, pair->width, c, 1, &before, err);
    if (status == NG_OK) {
        status = encode_part(pair->after, pair->fold * pair->width, c, pair->fold, &after, err);
    }
    if (status == NG_OK) {
        *out = json_pack("{s:O, s:O, s:f, s:f, s:f, s:f}", "before", before, "after", after, "x_nm",
                         (double)c->x * pair->pixel_nm, "y_nm", (double)c->y * pair->pixel_nm,
                         "width_nm", (double)c->width * pair->pixel_nm, "height_nm",
                         (double)c->height * pair->pixel_nm);
        status = *out != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
    }
    json_decref(before);
    json_decref(after);
    return status;
}

static ng_status encode_peaks(const ng_report_pair *pair, json_t *peaks, ng_error *err)
{
    const size_t side = pair->peak_side;
    for (size_t i = 0; i < pair->n_peaks; i++) {
        json_t *one = NULL;
        ng_status status =
            ng_report_encode_rgb(pair->peak + 3 * i * side * side, side, side, &one, err);
        if (status == NG_OK && json_array_append_new(peaks, one) != 0) {
            status = NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
        }
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

ng_status ng_report_pictures(const ng_report_pair *pair, json_t **out, ng_error *err)
{
    json_t *field = NULL, *detail = NULL, *peaks = json_array();
    ng_status status = NG_OK;
    *out = NULL;
    if (pair->before != NULL) {
        const cut all = {0, 0, pair->width, pair->height}, bright = brightest(pair);
        status = encode_both(pair, &all, &field, err);
        status = status != NG_OK ? status : encode_both(pair, &bright, &detail, err);
    }
    status = status != NG_OK ? status : encode_peaks(pair, peaks, err);
    if (status == NG_OK) {
        *out = json_pack("{s:O*, s:O*, s:O}", "field", field, "detail", detail, "peaks", peaks);
        status = *out != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
    }
    json_decref(field);
    json_decref(detail);
    json_decref(peaks);
    return status;
}
