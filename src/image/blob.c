/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters that answer to round spots: two products of a kernel along columns and one along rows. */
#include "image_internal.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

/* Pixels that are worked on together, in two halves: sums stay in registers. */
enum { LANES = 8, BLOCK = 2 * LANES };
typedef float lanes __attribute__((vector_size(4 * LANES)));
/* The same anywhere in memory. */
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define LOAD(from) (*(const loose *)(const void *)(from))

#define DOG_RATIO 1.6 /* of the two widths: closest to the Laplacian of both */

/* ---- kernels ----------------------------------------------------------------------------- */

/* Second derivative of a Gaussian, and a Gaussian of sum 1; the first sums to nothing. */
static void set_log(ng_blob_filter *f)
{
    const double s2 = f->sigma_px * f->sigma_px;
    double g[NG_BLOB_TAPS], bent[NG_BLOB_TAPS], sum = 0.0, rest = 0.0;
    for (size_t k = 0; k <= f->radius; k++) {
        g[k] = exp(-0.5 * (double)(k * k) / s2);
        sum += (k == 0 ? 1.0 : 2.0) * g[k];
    }
    for (size_t k = 0; k <= f->radius; k++) {
        g[k] /= sum;
        bent[k] = (1.0 - (double)(k * k) / s2) * g[k];
        rest += (k == 0 ? 1.0 : 2.0) * bent[k];
    }
    for (size_t k = 0; k <= f->radius; k++) {
        f->column[0][k] = f->row[1][k] = (float)(bent[k] - rest * g[k]);
        f->column[1][k] = f->row[0][k] = (float)g[k];
    }
}

static void set_dog(ng_blob_filter *f)
{
    for (int term = 0; term < 2; term++) {
        const double s = f->sigma_px * (term == 0 ? 1.0 / sqrt(DOG_RATIO) : sqrt(DOG_RATIO));
        double sum = 0.0;
        for (size_t k = 0; k <= f->radius; k++) {
            sum += (k == 0 ? 1.0 : 2.0) * exp(-0.5 * (double)(k * k) / (s * s));
        }
        for (size_t k = 0; k <= f->radius; k++) {
            const double g = exp(-0.5 * (double)(k * k) / (s * s)) / sum;
            f->row[term][k] = (float)g;
            f->column[term][k] = (float)(term == 0 ? g : -g);
        }
    }
}

double ng_blob_filter_at(const ng_blob_filter *f, long dx, long dy)
{
    const size_t x = (size_t)labs(dx), y = (size_t)labs(dy);
    if (x > f->radius || y > f->radius) {
        return 0.0;
    }
    return (double)f->column[0][y] * (double)f->row[0][x] +
           (double)f->column[1][y] * (double)f->row[1][x];
}

/* Answer to a spot of height 1 and the filter's own width, and to noise of s.d. 1. */
static void scale(ng_blob_filter *f)
{
    const double s = f->sigma_px;
    const long r = (long)f->radius;
    double answer = 0.0, square = 0.0;
    for (long y = -r; y <= r; y++) {
        for (long x = -r; x <= r; x++) {
            const double k = ng_blob_filter_at(f, x, y);
            answer += k * exp(-0.5 * (double)(x * x + y * y) / (s * s));
            square += k * k;
        }
    }
    for (size_t k = 0; k <= f->radius; k++) {
        f->column[0][k] = (float)((double)f->column[0][k] / answer);
        f->column[1][k] = (float)((double)f->column[1][k] / answer);
    }
    f->noise = sqrt(square) / answer;
}

ng_blob_filter ng_blob_filter_make(ng_blob_kind kind, double sigma_px)
{
    const double reach = kind == NG_BLOB_DOG ? 4.0 * sqrt(DOG_RATIO) : 4.0;
    ng_blob_filter f = {.sigma_px = sigma_px};
    f.radius = (size_t)fmin(ceil(reach * sigma_px), NG_BLOB_TAPS - 1);
    if (kind == NG_BLOB_DOG) {
        set_dog(&f);
    } else {
        set_log(&f);
    }
    scale(&f);
    return f;
}

/* ---- convolution ------------------------------------------------------------------------- */

/* One block of a row: both kernels along columns. */
INLINE void down(const float *const *line, size_t radius, const float *tap0, const float *tap1,
                 size_t x, float *a, float *b)
{
    const float *centre = line[radius] + x;
    lanes a0 = tap0[0] * LOAD(centre), a1 = tap0[0] * LOAD(centre + LANES);
    lanes b0 = tap1[0] * LOAD(centre), b1 = tap1[0] * LOAD(centre + LANES);
    for (size_t k = 1; k <= radius; k++) {
        const float *up = line[radius - k] + x, *low = line[radius + k] + x;
        const lanes s0 = LOAD(up) + LOAD(low), s1 = LOAD(up + LANES) + LOAD(low + LANES);
        a0 += tap0[k] * s0;
        a1 += tap0[k] * s1;
        b0 += tap1[k] * s0;
        b1 += tap1[k] * s1;
    }
    memcpy(a + x, &a0, sizeof a0);
    memcpy(a + x + LANES, &a1, sizeof a1);
    memcpy(b + x, &b0, sizeof b0);
    memcpy(b + x + LANES, &b1, sizeof b1);
}

/* One block of the result: the kernels along the row. */
INLINE void along(const float *a, const float *b, size_t radius, const float *tap0,
                  const float *tap1, size_t x, float *out)
{
    a += x;
    b += x;
    lanes s0 = tap0[0] * LOAD(a) + tap1[0] * LOAD(b);
    lanes s1 = tap0[0] * LOAD(a + LANES) + tap1[0] * LOAD(b + LANES);
    for (size_t k = 1; k <= radius; k++) {
        s0 += tap0[k] * (LOAD(a - k) + LOAD(a + k)) + tap1[k] * (LOAD(b - k) + LOAD(b + k));
        s1 += tap0[k] * (LOAD(a + LANES - k) + LOAD(a + LANES + k)) +
              tap1[k] * (LOAD(b + LANES - k) + LOAD(b + LANES + k));
    }
    memcpy(out + x, &s0, sizeof s0);
    memcpy(out + x + LANES, &s1, sizeof s1);
}

static void mirror_ends(float *row, size_t width, size_t radius)
{
    for (size_t k = 1; k <= radius; k++) {
        row[-(ptrdiff_t)k] = row[ng_mirror(-(ptrdiff_t)k, width)];
        row[width - 1 + k] = row[ng_mirror((ptrdiff_t)(width - 1 + k), width)];
    }
}

/* A line of `width` pixels, at least a block: the last block ends where the line ends. */
CLONES static void filter_line(const ng_blob_filter *f, const float *const *line, size_t width,
                               float *a, float *b, float *out)
{
    const size_t last = width - BLOCK;
    for (size_t x = 0; x < width; x += BLOCK) {
        down(line, f->radius, f->column[0], f->column[1], x < last ? x : last, a, b);
    }
    mirror_ends(a, width, f->radius);
    mirror_ends(b, width, f->radius);
    for (size_t x = 0; x < width; x += BLOCK) {
        along(a, b, f->radius, f->row[0], f->row[1], x < last ? x : last, out);
    }
}

static float pixel_of(const ng_blob_filter *f, const ng_image *in, size_t x, size_t y)
{
    const ptrdiff_t r = (ptrdiff_t)f->radius;
    double sum = 0.0;
    for (ptrdiff_t j = -r; j <= r; j++) {
        const float *row = in->pixel + ng_mirror((ptrdiff_t)y + j, in->height) * in->width;
        for (ptrdiff_t i = -r; i <= r; i++) {
            sum += ng_blob_filter_at(f, i, j) * (double)row[ng_mirror((ptrdiff_t)x + i, in->width)];
        }
    }
    return (float)sum;
}

void ng_image_blobs(const ng_image *in, const ng_blob_filter *filter, float *scratch, ng_image *out)
{
    const size_t w = in->width, h = in->height, r = filter->radius;
    const float *line[2 * NG_BLOB_TAPS - 1];
    float *a = scratch + r, *b = scratch + w + 3 * r;
    for (size_t y = 0; y < h; y++) {
        float *to = out->pixel + y * w;
        if (w < BLOCK) {
            for (size_t x = 0; x < w; x++) {
                to[x] = pixel_of(filter, in, x, y);
            }
            continue;
        }
        for (size_t k = 0; k <= 2 * r; k++) {
            line[k] = in->pixel + w * ng_mirror((ptrdiff_t)y + (ptrdiff_t)k - (ptrdiff_t)r, h);
        }
        filter_line(filter, line, w, a, b, to);
    }
}

/* ---- peaks ------------------------------------------------------------------------------- */

CLONES static bool any_above(const float *row, size_t n, float least)
{
    int above = 0;
    for (size_t i = 0; i < n; i++) {
        above |= row[i] > least;
    }
    return above != 0;
}

/* Higher than all neighbours; of equal ones the first counts. */
static bool is_peak(const ng_image *image, size_t x, size_t y)
{
    const float own = image->pixel[y * image->width + x];
    for (size_t j = y > 0 ? y - 1 : 0; j <= y + 1 && j < image->height; j++) {
        for (size_t i = x > 0 ? x - 1 : 0; i <= x + 1 && i < image->width; i++) {
            const float other = image->pixel[j * image->width + i];
            const bool earlier = j < y || (j == y && i < x);
            if (other > own || (other == own && earlier)) {
                return false;
            }
        }
    }
    return true;
}

size_t ng_image_peaks(const ng_image *image, float least, uint32_t *place, size_t most)
{
    enum { CHUNK = 64 };
    const size_t w = image->width;
    size_t n = 0;
    for (size_t y = 0; y < image->height; y++) {
        const float *row = image->pixel + y * w;
        for (size_t first = 0; first < w; first += CHUNK) {
            const size_t end = first + CHUNK < w ? first + CHUNK : w;
            if (!any_above(row + first, end - first, least)) {
                continue;
            }
            for (size_t x = first; x < end; x++) {
                if (row[x] > least && is_peak(image, x, y)) {
                    if (n < most) {
                        place[n] = (uint32_t)(y * w + x);
                    }
                    n++;
                }
            }
        }
    }
    return n;
}
