/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For every displacement at once over the image: squared differences, their mean over the patch by
 * running sums, then weights. The cost does not grow with the patch. */
#include "image_internal.h"

#include <math.h>
#include <string.h>

ng_nl_means ng_nl_means_defaults(double noise)
{
    return (ng_nl_means){.noise = noise > 0.0 ? noise : 1.0,
                         .h = 0.6 * (noise > 0.0 ? noise : 1.0),
                         .patch = 2,
                         .search = 5};
}

/* One displacement: (dx, dy) within frame `other`. */
typedef struct displacement {
    const ng_image *here, *other;
    ptrdiff_t dx, dy;
} displacement;

static float at_displaced(const displacement *d, size_t x, size_t y)
{
    const size_t w = d->here->width;
    const size_t row = ng_mirror((ptrdiff_t)y + d->dy, d->here->height);
    return d->other->pixel[row * w + ng_mirror((ptrdiff_t)x + d->dx, w)];
}

static float squared_difference(const displacement *d, ptrdiff_t x, ptrdiff_t y)
{
    const size_t w = d->here->width;
    const size_t i = ng_mirror(x, w), j = ng_mirror(y, d->here->height);
    const float difference = d->here->pixel[j * w + i] - at_displaced(d, i, j);
    return difference * difference;
}

/* Sums along rows over 2 r + 1 pixels. */
static void sum_rows(const displacement *d, int r, ng_image *out)
{
    const size_t w = out->width;
    for (size_t y = 0; y < out->height; y++) {
        float sum = 0.0f;
        for (ptrdiff_t x = -r; x <= r; x++) {
            sum += squared_difference(d, x, (ptrdiff_t)y);
        }
        for (size_t x = 0; x < w; x++) {
            out->pixel[y * w + x] = sum;
            sum += squared_difference(d, (ptrdiff_t)x + r + 1, (ptrdiff_t)y) -
                   squared_difference(d, (ptrdiff_t)x - r, (ptrdiff_t)y);
        }
    }
}

static float patch_mean(const ng_image *rows, size_t x, size_t y, int r)
{
    float sum = 0.0f;
    for (ptrdiff_t j = -r; j <= r; j++) {
        sum += rows->pixel[ng_mirror((ptrdiff_t)y + j, rows->height) * rows->width + x];
    }
    return sum / (float)((2 * r + 1) * (2 * r + 1));
}

static void add_displaced(const displacement *d, const ng_nl_means *how, const ng_image *rows,
                          ng_image *weight, ng_image *out)
{
    const size_t w = out->width;
    const float floor_ = (float)(2.0 * how->noise * how->noise);
    const float inverse = (float)(1.0 / (how->h * how->h));
    for (size_t y = 0; y < out->height; y++) {
        for (size_t x = 0; x < w; x++) {
            const float excess = patch_mean(rows, x, y, how->patch) - floor_;
            const float share = excess > 0.0f ? expf(-excess * inverse) : 1.0f;
            weight->pixel[y * w + x] += share;
            out->pixel[y * w + x] += share * at_displaced(d, x, y);
        }
    }
}

void ng_image_nl_means(const ng_image *const *frame, size_t n, size_t centre,
                       const ng_nl_means *how, ng_image scratch[2], ng_image *out)
{
    const size_t total = ng_image_pixels(out);
    ng_image *rows = &scratch[0], *weight = &scratch[1];
    memset(weight->pixel, 0, total * sizeof *weight->pixel);
    memset(out->pixel, 0, total * sizeof *out->pixel);
    for (size_t k = 0; k < n; k++) {
        for (ptrdiff_t dy = -how->search; dy <= how->search; dy++) {
            for (ptrdiff_t dx = -how->search; dx <= how->search; dx++) {
                const displacement d = {frame[centre], frame[k], dx, dy};
                sum_rows(&d, how->patch, rows);
                add_displaced(&d, how, rows, weight, out);
            }
        }
    }
    for (size_t i = 0; i < total; i++) {
        out->pixel[i] /= weight->pixel[i];
    }
}
