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

/* ---- local mean and s.d. as images ---------------------------------------------------------- */

/* Nodes lie at 0, step, 2 step, ... and at the last pixel. */
static size_t node_above(size_t i, size_t step, size_t n)
{
    const size_t next = (i / step + 1) * step;
    return next < n ? next : n - 1;
}

static void exact_at(const ng_integral *s, size_t window, size_t x, size_t y, ng_image *mean,
                     ng_image *sd)
{
    double m, spread;
    ng_integral_moments(s, window_at(s, x, y, window), &m, &spread);
    mean->pixel[y * s->width + x] = (float)m;
    if (sd != NULL) {
        sd->pixel[y * s->width + x] = (float)spread;
    }
}

/* Between the nodes of a row that are filled. */
static void between_columns(float *row, size_t n, size_t step)
{
    for (size_t x0 = 0; x0 + 1 < n;) {
        const size_t x1 = node_above(x0, step, n);
        const float slope = (row[x1] - row[x0]) / (float)(x1 - x0);
        for (size_t x = x0 + 1; x < x1; x++) {
            row[x] = row[x0] + slope * (float)(x - x0);
        }
        x0 = x1;
    }
}

static void between_rows(ng_image *image, size_t y0, size_t y1)
{
    const size_t w = image->width;
    const float *low = image->pixel + y0 * w, *high = image->pixel + y1 * w;
    for (size_t y = y0 + 1; y < y1; y++) {
        const float share = (float)(y - y0) / (float)(y1 - y0);
        for (size_t x = 0; x < w; x++) {
            image->pixel[y * w + x] = low[x] + share * (high[x] - low[x]);
        }
    }
}

static void fill_node_row(const ng_integral *s, size_t window, size_t step, size_t y,
                          ng_image *const out[2])
{
    for (size_t x = 0;; x = node_above(x, step, s->width)) {
        exact_at(s, window, x, y, out[0], out[1]);
        if (x + 1 >= s->width) {
            break;
        }
    }
    for (size_t k = 0; k < 2 && out[k] != NULL; k++) {
        between_columns(out[k]->pixel + y * s->width, s->width, step);
    }
}

void ng_integral_local(const ng_integral *integral, size_t window_px, size_t step, ng_image *mean,
                       ng_image *sd)
{
    ng_image *const out[2] = {mean, sd};
    size_t below = 0;
    for (size_t y = 0;; y = node_above(y, step, integral->height)) {
        fill_node_row(integral, window_px, step, y, out);
        for (size_t k = 0; k < 2 && out[k] != NULL; k++) {
            between_rows(out[k], below, y);
        }
        below = y;
        if (y + 1 >= integral->height) {
            break;
        }
    }
}
