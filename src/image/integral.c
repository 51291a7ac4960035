/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <math.h>

ng_status ng_integral_create(size_t width, size_t height, ng_integral *out, ng_error *err)
{
    *out = (ng_integral){.width = width, .height = height, .scale = 1.0};
    if (width == 0 || height == 0 || height >= SIZE_MAX / (width + 1) - 1) {
        return NG_FAIL(err, NG_INVALID, "no sums over %zu x %zu pixels", width, height);
    }
    const size_t n = (width + 1) * (height + 1);
    out->sum = NG_NEW(int64_t, n);
    out->square = NG_NEW(int64_t, n);
    out->count = NG_NEW(int64_t, n);
    if (out->sum == NULL || out->square == NULL || out->count == NULL) {
        ng_integral_free(out);
        return NG_FAIL(err, NG_MEMORY, "no memory for sums over %zu x %zu pixels", width, height);
    }
    return NG_OK;
}

void ng_integral_free(ng_integral *integral)
{
    ng_free(integral->sum);
    ng_free(integral->square);
    ng_free(integral->count);
    *integral = (ng_integral){.sum = NULL};
}

/* Steps so fine that the sum of squares of the whole image stays below 2^62. */
static void choose_steps(ng_integral *s, const ng_image *image)
{
    const size_t total = ng_image_pixels(image);
    float low = image->pixel[0], high = image->pixel[0];
    for (size_t i = 1; i < total; i++) {
        const float f = image->pixel[i];
        low = f < low ? f : low;
        high = f > high ? f : high;
    }
    const double most = fmin(sqrt(ldexp(1.0, 62) / (double)total), ldexp(1.0, 24));
    const double half = 0.5 * ((double)high - (double)low);
    s->origin = (double)low + half;
    s->scale = half > 0.0 ? 0.999 * most / half : 1.0;
}

/* How much a row adds to what stands above it. */
static void add_row(ng_integral *s, const float *row, const unsigned char *skip, size_t y)
{
    const size_t stride = s->width + 1;
    int64_t *sum = s->sum + (y + 1) * stride + 1, *square = s->square + (y + 1) * stride + 1;
    int64_t total = 0, total_square = 0;
    const double origin = s->origin, scale = s->scale;
    for (size_t x = 0; x < s->width; x++) {
        const int64_t v =
            skip != NULL && skip[x] ? 0 : (int64_t)(((double)row[x] - origin) * scale);
        total += v;
        total_square += v * v;
        sum[x] = sum[x - stride] + total;
        square[x] = square[x - stride] + total_square;
    }
}

static void add_count(ng_integral *s, const unsigned char *skip, size_t y)
{
    const size_t stride = s->width + 1;
    int64_t *count = s->count + (y + 1) * stride + 1, total = 0;
    for (size_t x = 0; x < s->width; x++) {
        total += skip[x] == 0;
        count[x] = count[x - stride] + total;
    }
}

void ng_integral_fill(ng_integral *integral, const ng_image *image, const unsigned char *skip)
{
    choose_steps(integral, image);
    integral->skipping = skip != NULL;
    for (size_t y = 0; y < image->height; y++) {
        const unsigned char *row = skip != NULL ? skip + y * image->width : NULL;
        add_row(integral, image->pixel + y * image->width, row, y);
        if (skip != NULL) {
            add_count(integral, row, y);
        }
    }
}

static int64_t over_box(const int64_t *table, size_t stride, ng_box b)
{
    return (table[b.y1 * stride + b.x1] - table[b.y0 * stride + b.x1]) -
           (table[b.y1 * stride + b.x0] - table[b.y0 * stride + b.x0]);
}

void ng_integral_moments(const ng_integral *integral, ng_box box, double *mean, double *sd)
{
    const size_t stride = integral->width + 1;
    const int64_t n = integral->skipping ? over_box(integral->count, stride, box)
                                         : (int64_t)((box.x1 - box.x0) * (box.y1 - box.y0));
    const double inverse = n > 0 ? 1.0 / (double)n : (double)NAN;
    const double m = (double)over_box(integral->sum, stride, box) * inverse;
    *mean = integral->origin + m / integral->scale;
    if (sd != NULL) {
        const double variance = (double)over_box(integral->square, stride, box) * inverse - m * m;
        *sd = variance < 0.0 ? 0.0 : sqrt(variance) / integral->scale;
    }
}
