/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <math.h>
#include <string.h>

enum { MOST_TAPS = 801 }; /* 4 sigma at sigma = 200 px, and the centre */
enum { LANES = 8, PER_STRIP = 4, STRIP = LANES * PER_STRIP, SEGMENT = 1024 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
#define LOAD(at) (*(const lanes *)(const void *)(at))

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

/* out[i] = tap[0] row[radius][i] + the sum over k of tap[k] (row[radius - k][i] +
 * row[radius + k][i]), a strip at a time, whose sums stay in the vector unit. */
static inline __attribute__((always_inline)) void weigh_strip(const float *const *row,
                                                              const float *tap, size_t radius,
                                                              size_t at, float *restrict out)
{
    lanes sum[PER_STRIP];
    for (size_t l = 0; l < PER_STRIP; l++) {
        sum[l] = tap[0] * LOAD(row[radius] + at + l * LANES);
    }
    for (size_t k = 1; k <= radius; k++) {
        const float *left = row[radius - k] + at, *right = row[radius + k] + at;
        for (size_t l = 0; l < PER_STRIP; l++) {
            sum[l] += tap[k] * (LOAD(left + l * LANES) + LOAD(right + l * LANES));
        }
    }
    memcpy(out + at, sum, sizeof sum);
}

NG_VECTOR_CLONES static void weigh(const float *const *row, const float *tap, size_t radius,
                                   float *restrict out, size_t n)
{
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP) {
        weigh_strip(row, tap, radius, i, out);
    }
    if (i < n && n >= STRIP) {
        weigh_strip(row, tap, radius, n - STRIP, out);
        return;
    }
    for (; i < n; i++) {
        float sum = tap[0] * row[radius][i];
        for (size_t k = 1; k <= radius; k++) {
            sum += tap[k] * (row[radius - k][i] + row[radius + k][i]);
        }
        out[i] = sum;
    }
}

/* The n pixels of a row from `first` on, and `radius` more on both sides, mirrored at borders. */
static void fill_line(const float *row, size_t width, size_t first, size_t n, size_t radius,
                      float *line)
{
    const size_t before = first < radius ? radius - first : 0, last = first + n + radius;
    const size_t end = last < width ? n + 2 * radius : width + radius - first;
    for (size_t k = 0; k < before; k++) {
        line[k] = row[ng_mirror((ptrdiff_t)(first + k) - (ptrdiff_t)radius, width)];
    }
    memcpy(line + before, row + first + before - radius, (end - before) * sizeof *line);
    for (size_t k = end; k < n + 2 * radius; k++) {
        line[k] = row[ng_mirror((ptrdiff_t)(first + k) - (ptrdiff_t)radius, width)];
    }
}

static void along_row(const float *row, size_t width, const float *tap, size_t radius, float *out)
{
    float line[SEGMENT + 2 * MOST_TAPS];
    const float *shifted[2 * MOST_TAPS];
    for (size_t k = 0; k <= 2 * radius; k++) {
        shifted[k] = line + k;
    }
    for (size_t first = 0; first < width; first += SEGMENT) {
        const size_t n = width - first < SEGMENT ? width - first : SEGMENT;
        fill_line(row, width, first, n, radius, line);
        weigh(shifted, tap, radius, out + first, n);
    }
}

static void across_rows(const ng_image *in, size_t y, const float *tap, size_t radius, float *out)
{
    const float *row[2 * MOST_TAPS];
    for (size_t k = 0; k <= 2 * radius; k++) {
        const size_t from = ng_mirror((ptrdiff_t)(y + k) - (ptrdiff_t)radius, in->height);
        row[k] = in->pixel + from * in->width;
    }
    weigh(row, tap, radius, out, in->width);
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
