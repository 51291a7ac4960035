/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

enum { MOST_RADIUS = 7, MOST_SIDE = 2 * MOST_RADIUS + 1 };

static size_t gather(const ng_image *in, size_t x, size_t y, int radius, float *value)
{
    size_t n = 0;
    for (int j = -radius; j <= radius; j++) {
        const float *row = in->pixel + ng_mirror((ptrdiff_t)y + j, in->height) * in->width;
        for (int i = -radius; i <= radius; i++) {
            value[n++] = row[ng_mirror((ptrdiff_t)x + i, in->width)];
        }
    }
    return n;
}

void ng_image_median(const ng_image *in, int radius, ng_image *out)
{
    float value[MOST_SIDE * MOST_SIDE];
    const int reach = radius < 0 ? 0 : radius > MOST_RADIUS ? MOST_RADIUS : radius;
    for (size_t y = 0; y < in->height; y++) {
        for (size_t x = 0; x < in->width; x++) {
            const size_t n = gather(in, x, y, reach, value);
            out->pixel[y * in->width + x] = ng_select(value, n, n / 2);
        }
    }
}
