/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <math.h>

static ng_box window_at(const ng_integral *s, size_t x, size_t y, size_t side)
{
    const size_t half = side / 2;
    return (ng_box){.x0 = x > half ? x - half : 0,
                    .y0 = y > half ? y - half : 0,
                    .x1 = x + half + 1 < s->width ? x + half + 1 : s->width,
                    .y1 = y + half + 1 < s->height ? y + half + 1 : s->height};
}

/* By how much a pixel must lie beyond the mean. A comparison with NAN is false. */
static double margin_of(const ng_threshold *how, double mean, double sd)
{
    return isnan(how->t) ? how->c * sd : how->t * mean;
}

void ng_image_threshold(const ng_image *image, const ng_integral *integral, const ng_threshold *how,
                        unsigned char *mask)
{
    for (size_t y = 0; y < image->height; y++) {
        for (size_t x = 0; x < image->width; x++) {
            const size_t i = y * image->width + x;
            double mean, sd;
            ng_integral_moments(integral, window_at(integral, x, y, how->window_px), &mean, &sd);
            const double beyond = ((double)image->pixel[i] - mean) * (double)how->polarity;
            mask[i] = beyond > margin_of(how, mean, sd);
        }
    }
}
