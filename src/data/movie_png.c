/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "png_file.h"

#include <string.h>

/* One PNG image. Grey values are not rescaled, whatever their depth; palettes become colours. */

typedef struct png_movie {
    ng_bytes bytes; /* owned */
    size_t sample;
} png_movie;

/* One pass through the file. */
typedef struct png_pass {
    const ng_bytes *bytes;
    uint64_t at;
    png_structp png;
    png_infop info;
    png_uint_32 width, height;
    size_t row_bytes;
    ng_pixel_type type;
    unsigned samples;
    char reason[NG_PNG_REASON_BYTES];
} png_pass;

static void close_png(void *state)
{
    png_movie *p = state;
    ng_bytes_close(&p->bytes);
    ng_free(p);
}

static void read_some(png_structp png, png_bytep to, size_t n)
{
    png_pass *pass = png_get_io_ptr(png);
    if (ng_bytes_read(pass->bytes, pass->at, to, n) < n) {
        png_error(png, "the file ends within the picture; it was cut off");
    }
    pass->at += n;
}

static void end_pass(png_pass *pass)
{
    png_destroy_read_struct(&pass->png, &pass->info, NULL);
}

static bool read_header(png_pass *pass)
{
    png_structp png = pass->png;
    if (setjmp(png_jmpbuf(png)) != 0) {
        return false;
    }
    png_set_read_fn(png, pass, read_some);
    png_read_info(png, pass->info);
    if (png_get_color_type(png, pass->info) == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(png);
    }
    png_set_packing(png);
    if (ng_little_endian()) {
        png_set_swap(png);
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, pass->info);
    pass->width = png_get_image_width(png, pass->info);
    pass->height = png_get_image_height(png, pass->info);
    pass->row_bytes = png_get_rowbytes(png, pass->info);
    pass->samples = png_get_channels(png, pass->info);
    pass->type = png_get_bit_depth(png, pass->info) == 16 ? NG_PIXEL_UINT16 : NG_PIXEL_UINT8;
    return true;
}

static bool read_rows(const png_pass *pass, png_bytepp rows)
{
    if (setjmp(png_jmpbuf(pass->png)) != 0) {
        return false;
    }
    png_read_image(pass->png, rows);
    png_read_end(pass->png, NULL);
    return true;
}

static bool begin_pass(png_pass *pass, const ng_bytes *bytes)
{
    *pass = (png_pass){.bytes = bytes, .reason = "out of memory"};
    pass->png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, pass->reason, ng_png_fail, ng_png_ignore);
    pass->info = pass->png != NULL ? png_create_info_struct(pass->png) : NULL;
    return pass->info != NULL && read_header(pass);
}

static bool decode(const png_pass *pass, size_t sample, unsigned char *image, png_bytepp rows,
                   float *pixel)
{
    for (size_t y = 0; y < pass->height; y++) {
        rows[y] = image + y * pass->row_bytes;
    }
    if (!read_rows(pass, rows)) {
        return false;
    }
    for (size_t y = 0; y < pass->height; y++) {
        ng_pixels_convert(pass->type, false, rows[y] + sample * ng_pixel_bytes(pass->type),
                          pass->samples, pass->width, pixel + y * pass->width);
    }
    return true;
}

static ng_status read_png(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    png_movie *p = movie->state;
    png_pass pass;
    unsigned char *image = NULL;
    png_bytepp rows = NULL;
    ng_status status = NG_OK;
    if (!begin_pass(&pass, &p->bytes)) {
        status = ng_movie_fail_frame(movie, index, err, "%s", pass.reason);
        goto out;
    }
    image = ng_alloc(pass.height, pass.row_bytes);
    rows = NG_NEW(png_bytep, pass.height);
    if (image == NULL || rows == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "%s: out of memory", movie->path);
    } else if (!decode(&pass, p->sample, image, rows, pixel)) {
        status = ng_movie_fail_frame(movie, index, err, "%s", pass.reason);
    }
out:
    ng_free(rows);
    ng_free(image);
    end_pass(&pass);
    return status;
}

/* Deflate shrinks no more than 1032-fold. */
static ng_status check_plausible(const png_pass *pass, const ng_movie_opening *o)
{
    uint64_t need = (uint64_t)pass->row_bytes * pass->height / 8;
    if (need / 1032 > pass->bytes->size) {
        return ng_movie_fail_frame(o->movie, 0, o->err,
                                   "%u x %u pixels do not fit a file of %llu bytes; it was cut "
                                   "off, or its header is damaged",
                                   (unsigned)pass->width, (unsigned)pass->height,
                                   (unsigned long long)pass->bytes->size);
    }
    return NG_OK;
}

static ng_status describe(png_movie *p, const png_pass *pass, const ng_movie_opening *o)
{
    ng_plane_walk walk;
    const ng_planes planes = {.channels = 1, .slices = 1, .times = 1, .order = "CZT"};
    ng_status status = ng_movie_check_size(o, pass->width, pass->height);
    if (status == NG_OK) {
        status = check_plausible(pass, o);
    }
    if (status == NG_OK) {
        status = ng_planes_walk(o, &planes, pass->samples, &walk);
    }
    if (status == NG_OK) {
        p->sample = walk.sample;
        ng_pixel_describe(pass->type, &o->movie->info);
        snprintf(o->movie->info.format, sizeof o->movie->info.format, "png");
    }
    return status;
}

ng_status ng_movie_open_png(ng_movie_opening *o)
{
    png_pass pass;
    png_movie *p = NG_NEW(png_movie, 1);
    if (p == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    p->bytes = o->bytes;
    o->bytes = ng_bytes_of(NULL, 0);
    o->movie->state = p;
    o->movie->close = close_png;
    o->movie->read = read_png;
    ng_status status = begin_pass(&pass, &p->bytes)
                           ? describe(p, &pass, o)
                           : ng_movie_fail_frame(o->movie, 0, o->err, "%s", pass.reason);
    end_pass(&pass);
    return status;
}
