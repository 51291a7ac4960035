/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <math.h>
#include <string.h>

enum { MOST_TAPS = 801 }; /* 4 sigma at sigma = 200 px, and the centre */

/* Half of the kernel, tap[0] the centre; returns the radius. */
static size_t make_taps(double sigma, float tap[MOST_TAPS])
{
    size_t radius = (size_t)ceil(4.0 * sigma);
    double sum = 0.0;
    radius = radius < MOST_TAPS ? radius : MOST_TAPS - 1;
    for (size_t k = 0; k <= radius; k++) {
        sum += (k == 0 ? 1.0 : 2.0) * exp(-0.5 * (double)(k * k) / (sigma * sigma));
    }
    for (size_t k = 0; k <= radius; k++) {
        tap[k] = (float)(exp(-0.5 * (double)(k * k) / (sigma * sigma)) / sum);
    }
    return radius;
}

/* out[i] = tap a[i], or += tap (a[i] + b[i]) */
static void scale_row(const float *restrict a, float tap, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = tap * a[i];
    }
}

static void add_pair(const float *restrict a, const float *restrict b, float tap,
                     float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += tap * (a[i] + b[i]);
    }
}

/* Two taps in one go: half the traffic through `out`. */
static void add_two_pairs(const float *const restrict row[4], const float *restrict tap,
                          float *restrict out, size_t n)
{
    const float *restrict a = row[0], *restrict b = row[1];
    const float *restrict c = row[2], *restrict d = row[3];
    for (size_t i = 0; i < n; i++) {
        out[i] += tap[0] * (a[i] + b[i]) + tap[1] * (c[i] + d[i]);
    }
}

static float at_border(const float *row, size_t width, size_t x, const float *tap, size_t radius)
{
    float sum = tap[0] * row[x];
    for (size_t k = 1; k <= radius; k++) {
        sum += tap[k] * (row[ng_mirror((ptrdiff_t)x - (ptrdiff_t)k, width)] +
                         row[ng_mirror((ptrdiff_t)(x + k), width)]);
    }
    return sum;
}

static void along_row(const float *row, size_t width, const float *tap, size_t radius, float *out)
{
    const size_t first = radius < width ? radius : width;
    const size_t last = width > 2 * radius ? width - radius : first;
    for (size_t x = 0; x < first; x++) {
        out[x] = at_border(row, width, x, tap, radius);
    }
    const float *centre = row + first;
    const size_t n = last - first;
    size_t k = 1;
    scale_row(centre, tap[0], out + first, n);
    for (; k + 1 <= radius; k += 2) {
        const float *const part[4] = {centre - k, centre + k, centre - k - 1, centre + k + 1};
        add_two_pairs(part, tap + k, out + first, n);
    }
    if (k == radius) {
        add_pair(centre - k, centre + k, tap[k], out + first, n);
    }
    for (size_t x = last; x < width; x++) {
        out[x] = at_border(row, width, x, tap, radius);
    }
}

static const float *row_of(const ng_image *image, ptrdiff_t y)
{
    return image->pixel + ng_mirror(y, image->height) * image->width;
}

static void across_rows(const ng_image *in, size_t y, const float *tap, size_t radius, float *out)
{
    const ptrdiff_t here = (ptrdiff_t)y;
    ptrdiff_t k = 1;
    scale_row(row_of(in, here), tap[0], out, in->width);
    for (; k + 1 <= (ptrdiff_t)radius; k += 2) {
        const float *const part[4] = {row_of(in, here - k), row_of(in, here + k),
                                      row_of(in, here - k - 1), row_of(in, here + k + 1)};
        add_two_pairs(part, tap + k, out, in->width);
    }
    if (k == (ptrdiff_t)radius) {
        add_pair(row_of(in, here - k), row_of(in, here + k), tap[k], out, in->width);
    }
}

void ng_image_gaussian(const ng_image *in, double sigma_px, ng_image *scratch, ng_image *out)
{
    float tap[MOST_TAPS];
    const size_t w = in->width, h = in->height;
    if (!(sigma_px > 0.0)) {
        memcpy(out->pixel, in->pixel, w * h * sizeof *in->pixel);
        return;
    }
    const size_t radius = make_taps(sigma_px, tap);
    for (size_t y = 0; y < h; y++) {
        across_rows(in, y, tap, radius, scratch->pixel + y * w);
    }
    for (size_t y = 0; y < h; y++) {
        along_row(scratch->pixel + y * w, w, tap, radius, out->pixel + y * w);
    }
}
