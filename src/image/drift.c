/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <fftw3.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <string.h>

/* Structures much longer than this are illumination, not particles. */
#define LONGEST_PX 24.0
/* Power of the noise is at least this share of the highest. */
#define LEAST_NOISE 1e-6
/* Frequencies (radians per pixel) beyond which there is only noise, and how far a ring must rise
 * above it: the mean over the smallest rings scatters. */
#define NOISE_FROM 2.6
#define LEAST_SIGNAL 1.15
enum { RINGS = 64 };
#define TAPER 0.125

struct ng_drift {
    size_t width, height, half; /* half: columns of the transform */
    float *space, *taper_x, *taper_y;
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
    d->first = ng_alloc(n, sizeof *d->first);
    d->second = ng_alloc(n, sizeof *d->second);
    return d->space != NULL && d->taper_x != NULL && d->taper_y != NULL && d->first != NULL &&
           d->second != NULL;
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

static double mean_of(const ng_image *image)
{
    double sum = 0.0;
    for (size_t i = 0; i < ng_image_pixels(image); i++) {
        sum += (double)image->pixel[i];
    }
    return sum / (double)ng_image_pixels(image);
}

/* The image seen from (dx, dy). Its border is no object: it is led smoothly to the mean. */
static void transform(ng_drift *d, const ng_image *image, ptrdiff_t dx, ptrdiff_t dy,
                      fftwf_plan how)
{
    const float mean = (float)mean_of(image);
    const ptrdiff_t w = (ptrdiff_t)d->width, h = (ptrdiff_t)d->height;
    for (ptrdiff_t y = 0; y < h; y++) {
        for (ptrdiff_t x = 0; x < w; x++) {
            const ptrdiff_t u = x + dx, v = y + dy;
            const bool inside = u >= 0 && v >= 0 && u < w && v < h;
            const float f = inside ? image->pixel[v * w + u] - mean : 0.0f;
            d->space[y * w + x] = f * (d->taper_x[x] * d->taper_y[y]);
        }
    }
    fftwf_execute(how);
}

static double angular(size_t k, size_t n)
{
    const double signed_k = k <= n / 2 ? (double)k : (double)k - (double)n;
    return 2.0 * acos(-1.0) * signed_k / (double)n;
}

/* Frequencies of one length, in RINGS up to the highest. */
static size_t ring_of(double kx, double ky)
{
    return (size_t)(hypot(kx, ky) / (M_PI * M_SQRT2) * (RINGS - 1));
}

/* conj(first) second into `first`; mean power over each ring. */
static void multiply(ng_drift *d, double ring[RINGS])
{
    double count[RINGS] = {0.0};
    memset(ring, 0, RINGS * sizeof *ring);
    for (size_t v = 0; v < d->height; v++) {
        const double ky = angular(v, d->height);
        for (size_t u = 0; u < d->half; u++) {
            const size_t i = v * d->half + u;
            const float ar = d->first[i][0], ai = d->first[i][1];
            const float br = d->second[i][0], bi = d->second[i][1];
            d->first[i][0] = ar * br + ai * bi;
            d->first[i][1] = ar * bi - ai * br;
            const size_t k = ring_of(angular(u, d->width), ky);
            ring[k] += (double)hypotf(d->first[i][0], d->first[i][1]);
            count[k] += 1.0;
        }
    }
    for (size_t k = 0; k < RINGS; k++) {
        ring[k] /= fmax(count[k], 1.0);
    }
}

/* Power of the noise: that of the frequencies beyond NOISE_FROM, where no particle has any. */
static double noise_of(const double ring[RINGS])
{
    const size_t first = ring_of(NOISE_FROM, 0.0) + 1;
    double sum = 0.0, most = 0.0;
    for (size_t k = 0; k < RINGS; k++) {
        sum += k >= first ? ring[k] / (double)(RINGS - first) : 0.0;
        most = fmax(most, ring[k]);
    }
    return fmax(sum, LEAST_NOISE * most);
}

/* What a frequency's phase is worth, s^2/(1 + 2s) at signal over noise s of its ring, times its own
 * share of the ring's power. */
static void weigh(ng_drift *d, const double ring[RINGS])
{
    const double noise = noise_of(ring);
    for (size_t v = 0; v < d->height; v++) {
        const double ky = angular(v, d->height);
        for (size_t u = 0; u < d->half; u++) {
            const size_t i = v * d->half + u;
            const double kx = angular(u, d->width), k2 = kx * kx + ky * ky;
            const double power = ring[ring_of(kx, ky)];
            const double s = power > 0.0 ? fmax(power / noise - LEAST_SIGNAL, 0.0) : 0.0;
            const double fine = 1.0 - exp(-0.5 * k2 * LONGEST_PX * LONGEST_PX / (4.0 * M_PI));
            const float factor = s > 0.0 ? (float)(fine * s * s / ((1.0 + 2.0 * s) * power)) : 0.0f;
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

static ng_shift measure(ng_drift *d, const ng_image *first, const ng_image *second, ptrdiff_t dx,
                        ptrdiff_t dy)
{
    double ring[RINGS];
    transform(d, first, 0, 0, d->there_first);
    transform(d, second, dx, dy, d->there_second);
    multiply(d, ring);
    weigh(d, ring);
    fftwf_execute(d->back);
    ng_shift shift = highest(d);
    if (shift.peak > 0.0) {
        refine(d, &shift);
    }
    shift.x_px += (double)dx;
    shift.y_px += (double)dy;
    return shift;
}

/* The border does not move with the objects and holds the fraction of a pixel back, by the same
 * share from either of two places a pixel apart: that distance is known. */
static double scaled(double from_here, double from_beside, double here, double step)
{
    const double a = from_here - here, b = from_beside - here - step;
    const double share = (a - b) / step;
    return share > 0.5 && share < 1.5 ? here + a / share : from_here;
}

ng_shift ng_drift_measure(ng_drift *drift, const ng_image *first, const ng_image *second)
{
    const ng_shift rough = measure(drift, first, second, 0, 0);
    if (rough.peak == 0.0) {
        return rough;
    }
    /* Seen from the shifted place, the same objects stand at the same distance from the border. */
    const ptrdiff_t dx = lround(rough.x_px), dy = lround(rough.y_px);
    const ng_shift near = measure(drift, first, second, dx, dy);
    if (hypot(near.x_px - rough.x_px, near.y_px - rough.y_px) > 2.0) {
        return rough;
    }
    const ptrdiff_t sx = near.x_px >= (double)dx ? 1 : -1, sy = near.y_px >= (double)dy ? 1 : -1;
    const ng_shift beside = measure(drift, first, second, dx + sx, dy + sy);
    return (ng_shift){.x_px = scaled(near.x_px, beside.x_px, (double)dx, (double)sx),
                      .y_px = scaled(near.y_px, beside.y_px, (double)dy, (double)sy),
                      .peak = near.peak};
}
