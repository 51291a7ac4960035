/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates: peaks of the filtered frame, and what a peak is worth without a fit. */
#include "spot_frame.h"

#include <math.h>

#define PI 3.14159265358979323846
#define RING_SD 0.6 /* how far the median of a ring may be off, in s.d. of a pixel */
/* The top of a peak of noise may lie half a pixel off on both axes: a Gaussian field behind the
 * filter has bent by 3/(8 sigma^2) of its height there. */
#define BETWEEN_PIXELS 0.4
#define LEAST_SEEN 0.5

/* ---- the filter -------------------------------------------------------------------------- */

double ng_spot_seen_width(double width)
{
    return sqrt(width * width + 1.0 / 12.0);
}

/* Answers of the filter to a spot of height 1: its height and bend, and what noise and the spot's
 * own photons do to height and slope. */
static void prepare_answer(ng_spots *s)
{
    const double w = ng_spot_seen_width(s->choices.spot.width_px);
    s->filter =
        ng_blob_filter_make(s->choices.options.filter, NG_SPOT_FILTER * s->choices.spot.width_px);
    const long r = (long)s->filter.radius;
    double beside = 0.0;
    for (long y = -r; y <= r; y++) {
        for (long x = -r; x <= r; x++) {
            const double k = ng_blob_filter_at(&s->filter, x, y);
            const double slope = 0.5 * (ng_blob_filter_at(&s->filter, x + 1, y) -
                                        ng_blob_filter_at(&s->filter, x - 1, y));
            const double g = exp(-0.5 * (double)(x * x + y * y) / (w * w));
            s->answer += k * g;
            beside += k * exp(-0.5 * (double)((x + 1) * (x + 1) + y * y) / (w * w));
            s->own += k * k * g;
            s->slope_noise += slope * slope;
            s->slope_own += slope * slope * g;
        }
    }
    s->bend = 2.0 * (s->answer - beside);
}

/* Sum of products of two half kernels folded at a border `at` pixels away. */
static double folded(const float *a, const float *b, size_t radius, size_t at)
{
    double sum = 0.0;
    for (size_t i = 0; i <= at + radius; i++) {
        /* pixel i is met on the way out, and once more behind the mirror */
        const size_t straight = i > at ? i - at : at - i, back = i + at + 1;
        const double p = (straight <= radius ? (double)a[straight] : 0.0) +
                         (back <= radius ? (double)a[back] : 0.0);
        const double q = (straight <= radius ? (double)b[straight] : 0.0) +
                         (back <= radius ? (double)b[back] : 0.0);
        sum += p * q;
    }
    return sum;
}

/* Mirrored pixels count twice, so that noise is stronger near the border. */
static void prepare_border(ng_spots *s)
{
    const ng_blob_filter *f = &s->filter;
    const size_t r = f->radius;
    for (size_t at = 0; at < r; at++) {
        double along = 0.0, down = 0.0;
        for (int a = 0; a < 2; a++) {
            for (int b = 0; b < 2; b++) {
                along +=
                    folded(f->column[a], f->column[b], r, r) * folded(f->row[a], f->row[b], r, at);
                down +=
                    folded(f->column[a], f->column[b], r, at) * folded(f->row[a], f->row[b], r, r);
            }
        }
        s->border[0][at] = sqrt(along) / f->noise;
        s->border[1][at] = sqrt(down) / f->noise;
    }
}

/* S.d. of the filtered noise at a pixel, over that of a pixel. */
static double noise_at(const ng_spots *s, size_t x, size_t y)
{
    const size_t r = s->filter.radius;
    const size_t left = s->width - 1 - x, below = s->height - 1 - y;
    const size_t side = x < left ? x : left, edge = y < below ? y : below;
    return s->filter.noise * (side < r ? s->border[0][side] : 1.0) *
           (edge < r ? s->border[1][edge] : 1.0);
}

void ng_spots_prepare_filter(ng_spots *s)
{
    prepare_answer(s);
    prepare_border(s);
}

/* ---- background -------------------------------------------------------------------------- */

void ng_spot_ring_make(double radius, ng_spot_ring *out)
{
    for (int k = 0; k < NG_SPOT_RING; k++) {
        const double turn = 2.0 * PI * (double)k / NG_SPOT_RING,
                     r = radius + (k % 2 == 0 ? 0.0 : 1.0);
        out->x[k] = lround(r * cos(turn));
        out->y[k] = lround(r * sin(turn));
    }
}

/* The upper median: the largest that at most half of the others are below. */
NG_VECTOR_CLONES static float middle_of(const float value[NG_SPOT_RING])
{
    int below[NG_SPOT_RING] = {0};
    float middle = -INFINITY;
    for (int j = 0; j < NG_SPOT_RING; j++) {
        for (int i = 0; i < NG_SPOT_RING; i++) {
            below[i] += value[j] < value[i];
        }
    }
    for (int i = 0; i < NG_SPOT_RING; i++) {
        const float candidate = below[i] <= NG_SPOT_RING / 2 ? value[i] : -INFINITY;
        middle = candidate > middle ? candidate : middle;
    }
    return middle;
}

double ng_spot_ring_level(const ng_image *image, double at_x, double at_y,
                          const ng_spot_ring *around)
{
    const long x = lround(at_x), y = lround(at_y), w = (long)image->width, h = (long)image->height;
    const long reach = around->x[1] + 1;
    float value[NG_SPOT_RING];
    if (x >= reach && y >= reach && x + reach < w && y + reach < h) {
        for (int k = 0; k < NG_SPOT_RING; k++) {
            value[k] = image->pixel[(y + around->y[k]) * w + x + around->x[k]];
        }
        return (double)middle_of(value);
    }
    size_t n = 0;
    for (int k = 0; k < NG_SPOT_RING; k++) {
        const long i = x + around->x[k], j = y + around->y[k];
        if (i >= 0 && j >= 0 && i < w && j < h) {
            value[n++] = image->pixel[j * w + i];
        }
    }
    return n > 0 ? (double)ng_select(value, n, n / 2) : 0.0;
}

/* ---- peaks ------------------------------------------------------------------------------- */

size_t ng_spots_most_peaks(const ng_spots *s)
{
    return (s->width / 2 + 1) * (s->height / 2 + 1);
}

ng_status ng_spots_add_peaks(ng_spots *s, const ng_image *image, bool again, ng_error *err)
{
    const ng_spot_choices *c = &s->choices.spot;
    const ng_spot_noise noise = ng_spot_noise_of(&c->noise);
    /* a ring is no exact measure of the background */
    const double dim = fmin(c->dim, c->noise.background) - RING_SD * sqrt(c->noise.level);
    const double w = c->width_px;
    const double sigma2 = s->filter.sigma_px * s->filter.sigma_px;
    const double seen = fmax(1.0 - BETWEEN_PIXELS / sigma2, LEAST_SEEN);
    const double least =
        seen * c->candidate * s->filter.noise * sqrt(ng_spot_variance(&noise, dim));
    const size_t n =
        ng_image_blobs(image, &s->filter, (float)least, s->line, s->peak, ng_spots_most_peaks(s));
    ng_status status = ng_spots_reserve(s, s->n + n, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        ng_spot *spot = &s->spot[s->n];
        *spot = (ng_spot){.width = w, .fresh = true};
        spot->x_var = spot->y_var = spot->flux_var = spot->width_var = (double)NAN;
        const ng_blob_peak *peak = &s->peak[i];
        spot->x = peak->x;
        spot->y = peak->y;
        spot->background = ng_spot_ring_level(&s->view.image, spot->x, spot->y, &s->ring);
        spot->z = peak->height / (noise_at(s, peak->column, peak->row) *
                                  sqrt(ng_spot_variance(&noise, spot->background)));
        spot->flux = peak->height / s->answer * 2.0 * PI * pow(ng_spot_seen_width(w), 2.0);
        s->n += spot->z >= c->candidate || again;
    }
    return status;
}

/* Without a fit: the filter is linear, so that noise goes through it as through any sum. */
void ng_spots_put_quick(const ng_spots *s, ng_spot *spot)
{
    const ng_spot_noise noise = ng_spot_noise_of(&s->choices.spot.noise);
    const double area = 2.0 * PI * pow(ng_spot_seen_width(spot->width), 2.0), A = spot->flux / area;
    const double v = ng_spot_variance(&noise, spot->background), photons = noise.gain * A;
    const double place = (v * s->slope_noise + photons * s->slope_own) / pow(A * s->bend, 2.0);
    spot->x_var = spot->y_var = place;
    spot->flux_var =
        pow(area / s->answer, 2.0) * (v * pow(s->filter.noise, 2.0) + photons * s->own);
}
