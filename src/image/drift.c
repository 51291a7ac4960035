/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <fftw3.h>
#include <math.h>

/* Frequencies whose power is not well above the noise floor carry a phase of noise. */
#define FLOOR_FACTOR 3.0
#define SMOOTH_PX 0.7
#define TAPER 0.125

struct ng_drift {
    size_t width, height, half; /* half: columns of the transform */
    float *space, *taper_x, *taper_y, *power;
    fftwf_complex *first, *second;
    fftwf_plan there_first, there_second, back;
};

static void fill_taper(float *taper, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double edge = fmin((double)i + 0.5, (double)n - 0.5 - (double)i) / (double)n;
        taper[i] = (float)(edge < TAPER ? 0.5 - 0.5 * cos(acos(-1.0) * edge / TAPER) : 1.0);
    }
}

void ng_drift_destroy(ng_drift *drift)
{
    if (drift == NULL) {
        return;
    }
    if (drift->there_first != NULL) {
        fftwf_destroy_plan(drift->there_first);
    }
    if (drift->there_second != NULL) {
        fftwf_destroy_plan(drift->there_second);
    }
    if (drift->back != NULL) {
        fftwf_destroy_plan(drift->back);
    }
    ng_free(drift->space);
    ng_free(drift->taper_x);
    ng_free(drift->taper_y);
    ng_free(drift->power);
    ng_free(drift->first);
    ng_free(drift->second);
    ng_free(drift);
}

static bool allocate(ng_drift *d)
{
    const size_t n = d->half * d->height;
    d->space = NG_NEW(float, d->width * d->height);
    d->taper_x = NG_NEW(float, d->width);
    d->taper_y = NG_NEW(float, d->height);
    d->power = NG_NEW(float, n);
    d->first = ng_alloc(n, sizeof *d->first);
    d->second = ng_alloc(n, sizeof *d->second);
    return d->space != NULL && d->taper_x != NULL && d->taper_y != NULL && d->power != NULL &&
           d->first != NULL && d->second != NULL;
}

static bool plan(ng_drift *d)
{
    const int w = (int)d->width, h = (int)d->height;
    d->there_first = fftwf_plan_dft_r2c_2d(h, w, d->space, d->first, FFTW_ESTIMATE);
    d->there_second = fftwf_plan_dft_r2c_2d(h, w, d->space, d->second, FFTW_ESTIMATE);
    d->back = fftwf_plan_dft_c2r_2d(h, w, d->second, d->space, FFTW_ESTIMATE);
    return d->there_first != NULL && d->there_second != NULL && d->back != NULL;
}

ng_status ng_drift_create(size_t width, size_t height, ng_drift **out, ng_error *err)
{
    *out = NULL;
    if (width < 8 || height < 8 || width > 65536 || height > 65536) {
        return NG_FAIL(err, NG_INVALID, "no drift from images of %zu x %zu pixels", width, height);
    }
    ng_drift *d = NG_NEW(ng_drift, 1);
    if (d != NULL) {
        d->width = width;
        d->height = height;
        d->half = width / 2 + 1;
    }
    if (d == NULL || !allocate(d) || !plan(d)) {
        ng_drift_destroy(d);
        return NG_FAIL(err, NG_MEMORY, "no memory for the drift of %zu x %zu pixels", width,
                       height);
    }
    fill_taper(d->taper_x, width);
    fill_taper(d->taper_y, height);
    *out = d;
    return NG_OK;
}

/* The border of an image is no object: it is led smoothly to the mean. */
static void transform(ng_drift *d, const ng_image *image, fftwf_plan how)
{
    double sum = 0.0;
    for (size_t i = 0; i < ng_image_pixels(image); i++) {
        sum += (double)image->pixel[i];
    }
    const float mean = (float)(sum / (double)ng_image_pixels(image));
    for (size_t y = 0; y < d->height; y++) {
        for (size_t x = 0; x < d->width; x++) {
            const size_t i = y * d->width + x;
            d->space[i] = (image->pixel[i] - mean) * (d->taper_x[x] * d->taper_y[y]);
        }
    }
    fftwf_execute(how);
}

static double angular(size_t k, size_t n)
{
    const double signed_k = k <= n / 2 ? (double)k : (double)k - (double)n;
    return 2.0 * acos(-1.0) * signed_k / (double)n;
}

/* conj(first) second into `first`; power of the highest quarter of frequencies: noise. */
static double multiply(ng_drift *d)
{
    size_t n = 0;
    for (size_t v = 0; v < d->height; v++) {
        for (size_t u = 0; u < d->half; u++) {
            const size_t i = v * d->half + u;
            const float ar = d->first[i][0], ai = d->first[i][1];
            const float br = d->second[i][0], bi = d->second[i][1];
            d->first[i][0] = ar * br + ai * bi;
            d->first[i][1] = ar * bi - ai * br;
            if (hypot(angular(u, d->width), angular(v, d->height)) > 2.4) {
                d->power[n++] = hypotf(d->first[i][0], d->first[i][1]);
            }
        }
    }
    return n > 0 ? (double)ng_select(d->power, n, n / 2) : 0.0;
}

/* Unit phases, weighted by the share of signal and by a Gaussian. The constant term says nothing. */
static void whiten(ng_drift *d, double floor_power)
{
    const double limit = FLOOR_FACTOR * floor_power;
    for (size_t v = 0; v < d->height; v++) {
        const double ky = angular(v, d->height);
        for (size_t u = 0; u < d->half; u++) {
            const size_t i = v * d->half + u;
            const double kx = angular(u, d->width);
            const double p = hypot((double)d->first[i][0], (double)d->first[i][1]);
            const double weight = (u == 0 && v == 0) || !(p > limit) ? 0.0 : (p - limit) / p;
            const double smooth = exp(-0.5 * SMOOTH_PX * SMOOTH_PX * (kx * kx + ky * ky));
            const float factor = weight > 0.0 ? (float)(weight * smooth / p) : 0.0f;
            d->first[i][0] *= factor;
            d->first[i][1] *= factor;
            d->second[i][0] = d->first[i][0];
            d->second[i][1] = d->first[i][1];
        }
    }
}

static ng_shift highest(const ng_drift *d)
{
    const size_t n = d->width * d->height;
    size_t best = 0;
    double square = 0.0;
    for (size_t i = 0; i < n; i++) {
        square += (double)d->space[i] * (double)d->space[i];
        best = d->space[i] > d->space[best] ? i : best;
    }
    const size_t x = best % d->width, y = best / d->width;
    const double spread = sqrt(square / (double)n);
    return (ng_shift){.x_px = x <= d->width / 2 ? (double)x : (double)x - (double)d->width,
                      .y_px = y <= d->height / 2 ? (double)y : (double)y - (double)d->height,
                      .peak = spread > 0.0 ? (double)d->space[best] / spread : 0.0};
}

typedef struct slope {
    double x, y, xx, xy, yy;
} slope;

/* Slopes of sum w cos(k s - phase) at the shift s. */
static slope slopes_at(const ng_drift *d, double sx, double sy)
{
    slope g = {0};
    for (size_t v = 0; v < d->height; v++) {
        const double ky = angular(v, d->height);
        for (size_t u = 0; u < d->half; u++) {
            const size_t i = v * d->half + u;
            const double re = (double)d->first[i][0], im = (double)d->first[i][1];
            if (re == 0.0 && im == 0.0) {
                continue;
            }
            const double kx = angular(u, d->width), twice = u == 0 ? 1.0 : 2.0;
            const double c = cos(kx * sx + ky * sy), s = sin(kx * sx + ky * sy);
            const double first = -twice * (re * s + im * c), second = -twice * (re * c - im * s);
            g.x += kx * first;
            g.y += ky * first;
            g.xx += kx * kx * second;
            g.xy += kx * ky * second;
            g.yy += ky * ky * second;
        }
    }
    return g;
}

/* Newton's steps from the highest pixel to the top of the sum between pixels. */
static void refine(const ng_drift *d, ng_shift *shift)
{
    const double x0 = shift->x_px, y0 = shift->y_px;
    for (int i = 0; i < 6; i++) {
        const slope g = slopes_at(d, shift->x_px, shift->y_px);
        const double det = g.xx * g.yy - g.xy * g.xy;
        if (!(g.xx < 0.0) || !(det > 0.0)) {
            break;
        }
        const double dx = -(g.yy * g.x - g.xy * g.y) / det, dy = -(g.xx * g.y - g.xy * g.x) / det;
        shift->x_px += dx;
        shift->y_px += dy;
        if (fabs(dx) < 1e-4 && fabs(dy) < 1e-4) {
            break;
        }
    }
    if (!(fabs(shift->x_px - x0) <= 1.5 && fabs(shift->y_px - y0) <= 1.5)) {
        shift->x_px = x0;
        shift->y_px = y0;
    }
}

ng_shift ng_drift_measure(ng_drift *drift, const ng_image *first, const ng_image *second)
{
    transform(drift, first, drift->there_first);
    transform(drift, second, drift->there_second);
    whiten(drift, multiply(drift));
    fftwf_execute(drift->back);
    ng_shift shift = highest(drift);
    if (shift.peak > 0.0) {
        refine(drift, &shift);
    }
    return shift;
}
