/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dm_tags.h"

#include <math.h>
#include <string.h>

/* Gatan's DM3 and DM4: the largest image of real numbers; its third dimension, where there is one,
 * is time. */

typedef struct dm_movie {
    ng_bytes bytes; /* owned */
    ng_raw_frames frames;
} dm_movie;

static void close_dm(void *state)
{
    dm_movie *d = state;
    ng_bytes_close(&d->bytes);
    ng_free(d);
}

static ng_status read_dm(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    const dm_movie *d = movie->state;
    bool good =
        ng_raw_read(&d->frames, &d->bytes, index, movie->info.width * movie->info.height, pixel);
    return good ? NG_OK : ng_movie_fail_frame(movie, index, err, "it cannot be read to its end");
}

static ng_pixel_type pixel_type(int type)
{
    switch (type) {
    case 1:
        return NG_PIXEL_INT16;
    case 2:
        return NG_PIXEL_FLOAT32;
    case 6:
    case 14: /* a mask */
        return NG_PIXEL_UINT8;
    case 7:
        return NG_PIXEL_INT32;
    case 9:
        return NG_PIXEL_INT8;
    case 10:
        return NG_PIXEL_UINT16;
    case 11:
        return NG_PIXEL_UINT32;
    case 12:
        return NG_PIXEL_FLOAT64;
    case 39:
        return NG_PIXEL_INT64;
    case 40:
        return NG_PIXEL_UINT64;
    default:
        return NG_PIXEL_NONE;
    }
}

/* The thumbnail is in colours and may be larger than the image itself. */
static bool is_better(const ng_dm_image *a, const ng_dm_image *b)
{
    bool a_reads = pixel_type(a->type) != NG_PIXEL_NONE;
    bool b_reads = pixel_type(b->type) != NG_PIXEL_NONE;
    return a_reads != b_reads ? a_reads : a->bytes > b->bytes;
}

static const ng_dm_image *main_image(const ng_dm *dm)
{
    const ng_dm_image *best = NULL;
    for (size_t i = 0; i < NG_DM_MAX_IMAGES; i++) {
        const ng_dm_image *image = &dm->image[i];
        if (image->offset > 0 && (best == NULL || is_better(image, best))) {
            best = image;
        }
    }
    return best;
}

static double scale_in(const ng_dm_image *image, size_t axis,
                       double unit_of(const char *text, size_t length))
{
    double unit = unit_of(image->unit[axis], strlen(image->unit[axis]));
    double value = ng_round_single(fabs(image->scale[axis]) * unit);
    return value > 0.0 && isfinite(value) ? value : (double)NAN;
}

static void calibrate(const ng_dm_image *image, const ng_movie_opening *o)
{
    ng_movie_info *info = &o->movie->info;
    double height_nm = scale_in(image, 1, ng_length_unit_nm);
    info->pixel_nm = scale_in(image, 0, ng_length_unit_nm);
    info->frame_s = scale_in(image, 2, ng_time_unit_s);
    if (fabs(height_nm / info->pixel_nm - 1.0) > 1e-3) {
        ng_warnings_add(o->warnings, "pixels-not-square",
                        "%s: pixels are not square (%g and %g nm); the width is used",
                        o->movie->path, info->pixel_nm, height_nm);
    }
}

static ng_status check_image(const ng_dm_image *image, const ng_movie_opening *o)
{
    const char *path = o->movie->path;
    if (image == NULL) {
        return NG_FAIL(o->err, NG_TOO_LITTLE, "%s: the file holds no image", path);
    }
    if (pixel_type(image->type) == NG_PIXEL_NONE) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: pixels of Gatan's type %d are not read (colours and complex numbers); "
                       "convert them to real numbers in DigitalMicrograph",
                       path, image->type);
    }
    if (image->size[3] > 1) {
        return NG_FAIL(o->err, NG_INVALID,
                       "%s: the data have four dimensions; a movie of two and time is read", path);
    }
    return NG_OK;
}

static ng_status describe(dm_movie *d, const ng_dm *dm, const ng_movie_opening *o)
{
    const ng_dm_image *image = main_image(dm);
    ng_movie_info *info = &o->movie->info;
    ng_status status = check_image(image, o);
    if (status == NG_OK) {
        /* A single line is a spectrum. */
        status = ng_movie_check_size(o, image->size[0], image->size[1]);
    }
    if (status != NG_OK) {
        return status;
    }
    d->frames.type = pixel_type(image->type);
    d->frames.swap = dm->little != ng_little_endian();
    d->frames.first = image->offset;
    d->frames.step = info->width * info->height * ng_pixel_bytes(d->frames.type);
    info->frames = image->size[2] > 0 ? (size_t)image->size[2] : 1;
    info->readable = info->frames;
    if (info->frames > image->bytes / d->frames.step) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: %zu frames of %zu x %zu pixels do not fit the %llu bytes of the image; "
                       "the file is damaged",
                       o->movie->path, info->frames, info->width, info->height,
                       (unsigned long long)image->bytes);
    }
    ng_pixel_describe(d->frames.type, info);
    snprintf(info->format, sizeof info->format, "dm%d", dm->version);
    calibrate(image, o);
    return NG_OK;
}

ng_status ng_movie_open_dm(ng_movie_opening *o)
{
    ng_dm dm;
    ng_status status = ng_dm_read(&o->bytes, o->movie->path, &dm, o->err);
    if (status != NG_OK) {
        return status;
    }
    dm_movie *d = NG_NEW(dm_movie, 1);
    if (d == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    d->bytes = o->bytes;
    o->bytes = ng_bytes_of(NULL, 0);
    o->movie->state = d;
    o->movie->close = close_dm;
    o->movie->read = read_dm;
    return describe(d, &dm, o);
}
