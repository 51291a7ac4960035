/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Squared distances by lower envelopes of parabolas, first along columns, then along rows. */
#include "image_internal.h"

#include <math.h>

/* Squared distance from the nearest outside pixel of a column; outside begins beyond the border. */
static void along_column(const unsigned char *mask, size_t width, size_t height, float *out)
{
    float since = 0.0f;
    for (size_t y = 0; y < height; y++) {
        since = mask[y * width] != 0 ? since + 1.0f : 0.0f;
        out[y * width] = since;
    }
    since = 0.0f;
    for (size_t y = height; y-- > 0;) {
        since = mask[y * width] != 0 ? since + 1.0f : 0.0f;
        const float nearest = since < out[y * width] ? since : out[y * width];
        out[y * width] = nearest * nearest;
    }
}

/* Where the parabolas at p < q cross. */
static float crossing(const float *f, size_t p, size_t q)
{
    const float fp = f[p] + (float)(p * p), fq = f[q] + (float)(q * q);
    return (fq - fp) / (2.0f * (float)(q - p));
}

/* d[x] = min over q of f[q] + (x - q)^2; `start` and `vertex` hold the envelope. */
static void envelope(const float *f, size_t n, float *start, float *vertex, float *d)
{
    size_t k = 0;
    vertex[0] = 0.0f;
    start[0] = -INFINITY;
    for (size_t q = 1; q < n; q++) {
        float s = crossing(f, (size_t)vertex[k], q);
        while (s <= start[k]) {
            k--;
            s = crossing(f, (size_t)vertex[k], q);
        }
        k++;
        vertex[k] = (float)q;
        start[k] = s;
    }
    start[k + 1] = INFINITY;
    k = 0;
    for (size_t x = 0; x < n; x++) {
        while (start[k + 1] < (float)x) {
            k++;
        }
        const float away = (float)x - vertex[k];
        d[x] = away * away + f[(size_t)vertex[k]];
    }
}

void ng_distance(const unsigned char *mask, size_t width, size_t height, float *scratch,
                 float *distance)
{
    const size_t n = width + 2, room = (width > height ? width : height) + 3;
    float *f = scratch, *start = scratch + room, *vertex = scratch + 2 * room;
    float *d = scratch + 3 * room;
    for (size_t x = 0; x < width; x++) {
        along_column(mask + x, width, height, distance + x);
    }
    for (size_t y = 0; y < height; y++) {
        float *row = distance + y * width;
        f[0] = f[n - 1] = 0.0f; /* what lies beyond the border is outside */
        for (size_t x = 0; x < width; x++) {
            f[x + 1] = row[x];
        }
        envelope(f, n, start, vertex, d);
        for (size_t x = 0; x < width; x++) {
            row[x] = sqrtf(d[x + 1]);
        }
    }
}
