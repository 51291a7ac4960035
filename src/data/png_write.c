/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "png_file.h"

#include <errno.h>
#include <string.h>

void ng_png_fail(png_structp png, png_const_charp text)
{
    char *reason = png_get_error_ptr(png);
    snprintf(reason, NG_PNG_REASON_BYTES, "%s", text);
    png_longjmp(png, 1);
}

void ng_png_ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static bool write_rows(png_structp png, png_infop info, const unsigned char *rgb, size_t width,
                       size_t height)
{
    if (setjmp(png_jmpbuf(png)) != 0) {
        return false;
    }
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (size_t y = 0; y < height; y++) {
        png_write_row(png, rgb + 3 * width * y);
    }
    png_write_end(png, info);
    return true;
}

static ng_status write_png(FILE *stream, const char *path, const unsigned char *rgb, size_t width,
                           size_t height, ng_error *err)
{
    char reason[NG_PNG_REASON_BYTES] = "out of memory";
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, reason, ng_png_fail, ng_png_ignore);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    bool good = info != NULL;
    if (good) {
        png_init_io(png, stream);
        good = write_rows(png, info, rgb, width, height);
    }
    png_destroy_write_struct(&png, &info);
    return good ? NG_OK
                : NG_FAIL(err, NG_IO, "%s: writing failed (%s, %s)", path, reason, strerror(errno));
}

ng_status ng_png_write(const char *path, const unsigned char *rgb, size_t width, size_t height,
                       bool force, ng_error *err)
{
    ng_output *output = NULL;
    if (width == 0 || height == 0 || width > PNG_USER_WIDTH_MAX || height > PNG_USER_HEIGHT_MAX) {
        return NG_FAIL(err, NG_INVALID, "%s: a picture of %zu x %zu pixels cannot be written", path,
                       width, height);
    }
    ng_status status = ng_output_open(path, force, &output, err);
    if (status != NG_OK) {
        return status;
    }
    status = write_png(ng_output_stream(output), path, rgb, width, height, err);
    if (status != NG_OK) {
        ng_output_abandon(output);
        return status;
    }
    return ng_output_commit(output, err);
}
