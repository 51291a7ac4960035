/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of frames as small pictures that a page can hold. */
#include "seen_internal.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <nettle/base64.h>
#include <png.h>
#include <string.h>

#define GRAYS 16
/* The darkest and brightest of each thousand pixels are black and white. */
#define CLIPPED 0.001

/* What of the pixels lo .. hi (fractions count) lies in pixel i. */
static double overlap(double lo, double hi, size_t i)
{
    return fmax(0, fmin(hi, (double)i + 1) - fmax(lo, (double)i));
}

/* Means over `step` pixels, along rows that are `stride` apart. */
static void shrink_lines(const float *from, size_t n_from, double step, size_t n_to, size_t lines,
                         const size_t from_stride[2], const size_t to_stride[2], float *to)
{
    for (size_t k = 0; k < n_to; k++) {
        const double lo = (double)k * step, hi = fmin(lo + step, (double)n_from);
        for (size_t line = 0; line < lines; line++) {
            double sum = 0;
            for (size_t i = (size_t)lo; i < n_from && (double)i < hi; i++) {
                sum +=
                    overlap(lo, hi, i) * (double)from[i * from_stride[0] + line * from_stride[1]];
            }
            to[k * to_stride[0] + line * to_stride[1]] = (float)(sum / (hi - lo));
        }
    }
}

ng_status ng_report_shrink(const float *pixel, size_t width, size_t height, double step,
                           ng_report_picture *out, ng_error *err)
{
    *out = (ng_report_picture){.width = (size_t)fmax(1, floor((double)width / step)),
                               .height = (size_t)fmax(1, floor((double)height / step))};
    float *half = NG_NEW(float, out->width *height);
    out->pixel = NG_NEW(float, out->width * out->height);
    if (half == NULL || out->pixel == NULL) {
        ng_free(half);
        ng_free(out->pixel);
        *out = (ng_report_picture){0};
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    shrink_lines(pixel, width, step, out->width, height, (size_t[]){1, width},
                 (size_t[]){1, out->width}, half);
    shrink_lines(half, height, step, out->height, out->width, (size_t[]){out->width, 1},
                 (size_t[]){out->width, 1}, out->pixel);
    ng_free(half);
    return NG_OK;
}

ng_status ng_report_levels(const float *pixel, size_t n, double level[2], ng_error *err)
{
    double *sorted = NG_NEW(double, n);
    if (sorted == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(pixel[i])) {
            sorted[finite++] = (double)pixel[i];
        }
    }
    level[0] = 0;
    level[1] = 1;
    if (finite > 0) {
        gsl_sort(sorted, 1, finite);
        level[0] = gsl_stats_quantile_from_sorted_data(sorted, 1, finite, CLIPPED);
        level[1] = gsl_stats_quantile_from_sorted_data(sorted, 1, finite, 1 - CLIPPED);
    }
    ng_free(sorted);
    return NG_OK;
}

static unsigned char gray(double value, const double level[2])
{
    const double part = (value - level[0]) / (level[1] > level[0] ? level[1] - level[0] : 1);
    return (unsigned char)(isfinite(part) ? fmin(fmax(part, 0), 1) * (GRAYS - 1) + 0.5 : 0);
}

/* PNG of `image` in memory; owned by the caller. */
static ng_status write_png(png_image *image, const unsigned char *pixel, const unsigned char *map,
                           unsigned char **png, size_t *bytes, ng_error *err)
{
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*image);
    *png = NG_NEW(unsigned char, size);
    if (*png == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    if (!png_image_write_to_memory(image, *png, &size, 0, pixel, 0, map)) {
        ng_free(*png);
        *png = NULL;
        return NG_FAIL(err, NG_INTERNAL, "a picture cannot be encoded: %s", image->message);
    }
    *bytes = size;
    return NG_OK;
}

/* Sixteen grays: finer ones show nothing more of a noisy frame and take twice the space. */
static ng_status encode_png(const ng_report_picture *picture, unsigned char *index,
                            unsigned char **png, size_t *bytes, ng_error *err)
{
    unsigned char map[3 * GRAYS];
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)picture->width,
                       .height = (png_uint_32)picture->height,
                       .format = PNG_FORMAT_RGB_COLORMAP,
                       .colormap_entries = GRAYS};
    for (size_t k = 0; k < GRAYS; k++) {
        memset(map + 3 * k, (int)(k * 255 / (GRAYS - 1)), 3);
    }
    return write_png(&image, index, map, png, bytes, err);
}

static json_t *data_address(const unsigned char *png, size_t bytes)
{
    static const char head[] = "data:image/png;base64,";
    const size_t length = sizeof head - 1 + BASE64_ENCODE_RAW_LENGTH(bytes);
    char *text = NG_NEW(char, length + 1);
    if (text == NULL) {
        return NULL;
    }
    memcpy(text, head, sizeof head - 1);
    base64_encode_raw(text + sizeof head - 1, bytes, png);
    json_t *value = json_stringn_nocheck(text, length);
    ng_free(text);
    return value;
}

ng_status ng_report_encode(const ng_report_picture *picture, const double level[2], json_t **out,
                           ng_error *err)
{
    const size_t n = picture->width * picture->height;
    unsigned char *index = NG_NEW(unsigned char, n);
    unsigned char *png = NULL;
    size_t bytes = 0;
    *out = NULL;
    if (index == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    for (size_t i = 0; i < n; i++) {
        index[i] = gray((double)picture->pixel[i], level);
    }
    ng_status status = encode_png(picture, index, &png, &bytes, err);
    if (status == NG_OK && (*out = data_address(png, bytes)) == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    ng_free(index);
    ng_free(png);
    return status;
}

ng_status ng_report_encode_rgb(const unsigned char *rgb, size_t width, size_t height, json_t **out,
                               ng_error *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    unsigned char *png = NULL;
    size_t bytes = 0;
    *out = NULL;
    ng_status status = write_png(&image, rgb, NULL, &png, &bytes, err);
    if (status == NG_OK && (*out = data_address(png, bytes)) == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for a picture");
    }
    ng_free(png);
    return status;
}
