/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The correlation of the bands as a picture: a person sees at once whether there is one peak. */
#include "pattern_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CROSS_INNER 5
#define CROSS_OUTER 10

static void put_cross(unsigned char *rgb, size_t side, double x, double y)
{
    static const unsigned char colour[3] = {255, 160, 0};
    for (long i = -CROSS_OUTER; i <= CROSS_OUTER; i++) {
        const long at[2][2] = {{lround(x) + i, lround(y)}, {lround(x), lround(y) + i}};
        for (int k = 0; k < 2 && labs(i) >= CROSS_INNER; k++) {
            if (at[k][0] >= 0 && at[k][1] >= 0 && at[k][0] < (long)side && at[k][1] < (long)side) {
                memcpy(rgb + 3 * ((size_t)at[k][1] * side + (size_t)at[k][0]), colour, 3);
            }
        }
    }
}

/* Heights at like |k| differ by what the optics pass; each is shown over its ring's mean. */
#define RINGS 48

static void mean_of_rings(const ng_sim_search *s, const ng_sim_bands *b, double range,
                          double mean[RINGS + 1])
{
    const size_t w = s->plane.width, n = w * s->plane.height;
    double count[RINGS + 1] = {0};
    memset(mean, 0, (RINGS + 1) * sizeof *mean);
    for (size_t i = 0; i < n; i++) {
        const double k = hypot(ng_sim_bin(i % w, w), ng_sim_bin(i / w, s->plane.height));
        const size_t ring = k < range ? (size_t)(RINGS * k / range) : RINGS;
        mean[ring] += sqrt((double)b->work[0][i].re);
        count[ring]++;
    }
    for (size_t i = 0; i <= RINGS; i++) {
        mean[i] = count[i] > 0 ? mean[i] / count[i] : 1;
    }
}

/* The highest value of the map that falls on each pixel, from twice the mean (black) to the
 * peak. */
static void draw(const ng_sim_search *s, const ng_sim_bands *b, const ng_sim_direction *d,
                 size_t side, unsigned char *rgb)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const double range = 1.15 * s->ring_max, scale = (double)side / (2 * range);
    const double top = log(fmax(0.5 * d->peak, 2));
    double mean[RINGS + 1];
    mean_of_rings(s, b, range, mean);
    memset(rgb, 0, 3 * side * side);
    for (size_t i = 0; i < w * h; i++) {
        const double kx = ng_sim_bin(i % w, w), ky = ng_sim_bin(i / w, h), k = hypot(kx, ky);
        if (k >= range) {
            continue;
        }
        const double over = sqrt((double)b->work[0][i].re) / mean[(size_t)(RINGS * k / range)];
        const double grey = 255 * fmin(fmax(log(0.5 * over + 1e-9) / top, 0), 1);
        const size_t from_x = (size_t)((kx + range) * scale);
        const size_t from_y = (size_t)((ky + range) * scale);
        const size_t fill = (size_t)ceil(scale / (double)(w < h ? w : h));
        for (size_t y = from_y; y < from_y + fill && y < side; y++) {
            for (size_t x = from_x; x < from_x + fill && x < side; x++) {
                unsigned char *at = rgb + 3 * (y * side + x);
                if ((unsigned char)grey > at[0]) {
                    memset(at, (unsigned char)grey, 3);
                }
            }
        }
    }
    put_cross(rgb, side, (d->kx + range) * scale, (d->ky + range) * scale);
}

ng_status ng_sim_peak_picture(const ng_sim_pattern *pattern, const float *frames, size_t d,
                              size_t side, unsigned char *rgb, ng_error *err)
{
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    const ng_sim_direction *dir = &pattern->direction[d];
    ng_sim_search s;
    ng_sim_bands b = {0};
    double phase[NG_SIM_MAX_PHASES];
    ng_status status = ng_sim_search_open(pattern, frames, &options, &s, err);
    if (status == NG_OK) {
        status = ng_sim_bands_open(&s, &b, err);
    }
    if (status == NG_OK) {
        for (size_t p = 0; p < pattern->layout.phases; p++) {
            phase[p] = remainder(dir->phase[p] - dir->phase[0], 2 * NG_SIM_PI);
        }
        ng_sim_bands_load(&s, d, &b);
        ng_sim_bands_separate(&s, phase, dir->intensity, &b);
        ng_sim_bands_share(&s, &b);
        ng_sim_correlate(&s, &b);
        draw(&s, &b, dir, side, rgb);
    }
    ng_sim_bands_close(&b);
    ng_sim_search_close(&s);
    return status;
}
