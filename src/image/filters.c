/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <string.h>

/* ---- pixels ------------------------------------------------------------------------------ */

enum { ABREAST = 32 }; /* columns of pixels that are compared on their own */

/* What is not finite leaves something other than nothing when it is taken from itself. */
NG_VECTOR_CLONES bool ng_image_range(const ng_image *image, float *least, float *most)
{
    const size_t n = ng_image_pixels(image), even = n / ABREAST * ABREAST;
    float low[ABREAST], high[ABREAST];
    int odd = 0;
    for (size_t k = 0; k < ABREAST; k++) {
        low[k] = high[k] = image->pixel[0];
    }
    for (size_t i = 0; i < even; i += ABREAST) {
        for (size_t k = 0; k < ABREAST; k++) {
            const float value = image->pixel[i + k];
            low[k] = value < low[k] ? value : low[k];
            high[k] = value > high[k] ? value : high[k];
            odd |= !(value - value == 0.0f);
        }
    }
    for (size_t i = even; i < n; i++) {
        const float value = image->pixel[i];
        low[0] = value < low[0] ? value : low[0];
        high[0] = value > high[0] ? value : high[0];
        odd |= !(value - value == 0.0f);
    }
    *least = low[0];
    *most = high[0];
    for (size_t k = 1; k < ABREAST; k++) {
        *least = low[k] < *least ? low[k] : *least;
        *most = high[k] > *most ? high[k] : *most;
    }
    return odd == 0;
}

/* ---- temporal mean ----------------------------------------------------------------------- */

static void add_row(const float *restrict in, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += in[i];
    }
}

void ng_image_mean(const ng_image *const *frame, size_t n, ng_image *out)
{
    const size_t total = ng_image_pixels(out);
    const float share = 1.0f / (float)n;
    memcpy(out->pixel, frame[0]->pixel, total * sizeof *out->pixel);
    for (size_t k = 1; k < n; k++) {
        add_row(frame[k]->pixel, out->pixel, total);
    }
    for (size_t i = 0; n > 1 && i < total; i++) {
        out->pixel[i] *= share;
    }
}

/* ---- background -------------------------------------------------------------------------- */

void ng_image_flatten(const ng_image *in, double sigma_px, ng_image *scratch, ng_image *out)
{
    const size_t total = ng_image_pixels(in);
    double sum = 0.0;
    ng_image_gaussian(in, sigma_px, scratch, out);
    for (size_t i = 0; i < total; i++) {
        sum += (double)in->pixel[i];
    }
    const float mean = (float)(sum / (double)total);
    for (size_t i = 0; i < total; i++) {
        out->pixel[i] = in->pixel[i] - out->pixel[i] + mean;
    }
}

/* ---- Perona and Malik -------------------------------------------------------------------- */

ng_perona_malik ng_perona_malik_defaults(double noise)
{
    return (ng_perona_malik){.kappa = noise > 0.0 ? 2.5 * noise : 1.0, .step = 0.2, .steps = 10};
}

static inline float flux(float from, float to, float inverse_kappa2)
{
    const float d = to - from;
    return d / (1.0f + d * d * inverse_kappa2);
}

static void diffuse_inside(const float *restrict up, const float *restrict row,
                           const float *restrict down, size_t width, const float how[2],
                           float *restrict out)
{
    const float step = how[0], k = how[1];
    for (size_t x = 1; x + 1 < width; x++) {
        const float u = row[x];
        out[x] = u + step * ((flux(u, up[x], k) + flux(u, down[x], k)) +
                             (flux(u, row[x - 1], k) + flux(u, row[x + 1], k)));
    }
}

static void diffuse(const ng_image *in, const float how[2], ng_image *out)
{
    const size_t w = in->width, h = in->height;
    for (size_t y = 0; y < h; y++) {
        const float *row = in->pixel + y * w;
        const float *up = y > 0 ? row - w : row, *down = y + 1 < h ? row + w : row;
        float *to = out->pixel + y * w;
        diffuse_inside(up, row, down, w, how, to);
        for (size_t x = 0; x<w; x += w> 1 ? w - 1 : 1) {
            const float u = row[x], k = how[1];
            const float left = x > 0 ? flux(u, row[x - 1], k) : 0.0f;
            const float right = x + 1 < w ? flux(u, row[x + 1], k) : 0.0f;
            to[x] = u + how[0] * (flux(u, up[x], k) + flux(u, down[x], k) + (left + right));
        }
    }
}

void ng_image_perona_malik(const ng_image *in, const ng_perona_malik *how, ng_image *scratch,
                           ng_image *out)
{
    const float parameter[2] = {(float)how->step, (float)(1.0 / (how->kappa * how->kappa))};
    const size_t bytes = ng_image_pixels(in) * sizeof *in->pixel;
    memcpy(scratch->pixel, in->pixel, bytes);
    for (int i = 0; i < how->steps; i++) {
        diffuse(scratch, parameter, out);
        memcpy(scratch->pixel, out->pixel, bytes);
    }
    memcpy(out->pixel, scratch->pixel, bytes);
}
