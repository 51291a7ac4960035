/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters that answer to round spots: one Gaussian and the differences of neighbours behind it, or
 * two Gaussians. */
#include "image_internal.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Pixels that are worked on together, in two halves: sums stay in registers. */
enum { LANES = 16, BLOCK = 2 * LANES };
typedef float lanes __attribute__((vector_size(4 * LANES)));
/* The same anywhere in memory. */
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define LOAD(from) (*(const loose *)(const void *)(from))

#define DOG_RATIO 1.6 /* of the two widths: closest to the Laplacian of both */
/* Differences of neighbours blur like a Gaussian of that variance. */
#define NEIGHBOURS_BLUR (1.0 / 6.0)
#define LEAST_VARIANCE 0.06
#define REACH 3.5 /* of the wider Gaussian */

/* ---- kernels ----------------------------------------------------------------------------- */

/* A Gaussian of sum 1, and its centre less its neighbours: the second kernel sums to nothing. */
static void set_log(ng_blob_filter *f)
{
    const double s2 = fmax(f->sigma_px * f->sigma_px - NEIGHBOURS_BLUR, LEAST_VARIANCE);
    double g[NG_BLOB_TAPS + 1] = {0.0}, sum = 0.0;
    for (size_t k = 0; k < f->radius; k++) {
        g[k] = exp(-0.5 * (double)(k * k) / s2);
        sum += (k == 0 ? 1.0 : 2.0) * g[k];
    }
    for (size_t k = 0; k <= f->radius; k++) {
        const double bent = 2.0 * g[k] - g[k == 0 ? 1 : k - 1] - g[k + 1];
        f->column[0][k] = f->row[1][k] = (float)(bent / sum);
        f->column[1][k] = f->row[0][k] = (float)(g[k] / sum);
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
    f->scale = (float)(1.0 / answer);
    f->noise = sqrt(square) / answer;
}

ng_blob_filter ng_blob_filter_make(ng_blob_kind kind, double sigma_px)
{
    const double reach = kind == NG_BLOB_DOG ? REACH * sqrt(DOG_RATIO) : REACH;
    ng_blob_filter f = {.kind = kind, .sigma_px = sigma_px};
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

/* One block of a row: the kernel along columns. */
INLINE void down(const float *const *line, size_t radius, const float *tap, size_t x, float *to)
{
    const float *centre = line[radius] + x;
    lanes s0 = tap[0] * LOAD(centre), s1 = tap[0] * LOAD(centre + LANES);
    for (size_t k = 1; k <= radius; k++) {
        const float *up = line[radius - k] + x, *low = line[radius + k] + x;
        s0 += tap[k] * (LOAD(up) + LOAD(low));
        s1 += tap[k] * (LOAD(up + LANES) + LOAD(low + LANES));
    }
    memcpy(to + x, &s0, sizeof s0);
    memcpy(to + x + LANES, &s1, sizeof s1);
}

/* One block of the result: the kernel along the row. */
INLINE void along(const float *from, size_t radius, const float *tap, size_t x, float *to)
{
    const float *a = from + x;
    lanes s0 = tap[0] * LOAD(a), s1 = tap[0] * LOAD(a + LANES);
    for (size_t k = 1; k <= radius; k++) {
        s0 += tap[k] * (LOAD(a - k) + LOAD(a + k));
        s1 += tap[k] * (LOAD(a + LANES - k) + LOAD(a + LANES + k));
    }
    memcpy(to + x, &s0, sizeof s0);
    memcpy(to + x + LANES, &s1, sizeof s1);
}

INLINE void mirror_ends(float *row, size_t width, size_t radius)
{
    for (size_t k = 0; k < radius; k++) {
        const size_t from = k < width ? k : ng_mirror(-1 - (ptrdiff_t)k, width);
        row[-1 - (ptrdiff_t)k] = row[from];
        row[width + k] = row[width - 1 - from];
    }
}

/* A row of `width` pixels, at least a block, behind the kernel on both axes, and one pixel more at
 * either end; line[0 .. 2 radius] are the rows around it. The first block is there to be followed
 * by aligned ones; the last ends where the row ends. */
NG_VECTOR_CLONES static void smooth_row(const float *const *line, size_t radius, const float *tap,
                                        size_t width, float *column, float *to)
{
    const size_t last = width - BLOCK, odd = (uintptr_t)line[0] / sizeof(float) % LANES;
    down(line, radius, tap, 0, column);
    for (size_t x = LANES - odd; x < width; x += BLOCK) {
        down(line, radius, tap, x < last ? x : last, column);
    }
    mirror_ends(column, width, radius);
    for (size_t x = 0; x < width; x += BLOCK) {
        along(column, radius, tap, x < last ? x : last, to);
    }
    mirror_ends(to, width, 1);
}

/* Four times the centre less its neighbours. */
NG_VECTOR_CLONES static void bend_row(const float *up, const float *row, const float *low,
                                      float scale, size_t width, float *restrict to)
{
    for (size_t x = 0; x < width; x++) {
        to[x] = scale * (4.0f * row[x] - (row[x - 1] + row[x + 1]) - (up[x] + low[x]));
    }
}

NG_VECTOR_CLONES static void subtract_rows(const float *a, const float *b, float scale,
                                           size_t width, float *restrict to)
{
    for (size_t x = 0; x < width; x++) {
        to[x] = scale * (a[x] - b[x]);
    }
}

/* For images too narrow for a block. */
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

/* ---- rows after rows --------------------------------------------------------------------- */

enum { CHUNK = 32 }; /* pixels in which peaks are looked for together */

/* Filtered rows exist three at a time: while they are looked at they are still near. */
typedef struct stream {
    const ng_image *in;
    const ng_blob_filter *filter;
    float *column, *smooth[3];
    size_t smoothed; /* rows so far */
    float *row[3];   /* filtered; pixels outside of the image are lower than all others */
    float *outside;
} stream;

static size_t padded(size_t width)
{
    return (width + CHUNK - 1) / CHUNK * CHUNK + 2;
}

size_t ng_blob_scratch(const ng_blob_filter *filter, size_t width)
{
    return width + 2 * filter->radius + 3 * (width + 2) + 4 * padded(width);
}

static stream open_stream(const ng_image *in, const ng_blob_filter *filter, float *scratch)
{
    const size_t w = in->width, wide = padded(w);
    stream s = {.in = in, .filter = filter, .column = scratch + filter->radius};
    float *at = s.column + w + filter->radius;
    for (size_t k = 0; k < 3; k++, at += w + 2) {
        s.smooth[k] = at + 1;
    }
    for (size_t i = 0; i < 4 * wide; i++) {
        at[i] = -INFINITY;
    }
    for (size_t k = 0; k < 3; k++, at += wide) {
        s.row[k] = at + 1;
    }
    s.outside = at + 1;
    return s;
}

static void smooth_at(stream *s, size_t y, size_t radius, const float *tap, float *to)
{
    const float *line[2 * NG_BLOB_TAPS - 1];
    const ptrdiff_t first = (ptrdiff_t)y - (ptrdiff_t)radius;
    for (size_t k = 0; k <= 2 * radius; k++) {
        line[k] = s->in->pixel + s->in->width * ng_mirror(first + (ptrdiff_t)k, s->in->height);
    }
    smooth_row(line, radius, tap, s->in->width, s->column, to);
}

/* Filter row y; rows are asked for one after the other. */
static void make_row(stream *s, size_t y)
{
    const ng_blob_filter *f = s->filter;
    const size_t w = s->in->width, h = s->in->height;
    float *to = s->row[y % 3];
    if (w < BLOCK) {
        for (size_t x = 0; x < w; x++) {
            to[x] = pixel_of(f, s->in, x, y);
        }
    } else if (f->kind == NG_BLOB_DOG) {
        smooth_at(s, y, f->radius, f->row[0], s->smooth[0]);
        smooth_at(s, y, f->radius, f->row[1], s->smooth[1]);
        subtract_rows(s->smooth[0], s->smooth[1], f->scale, w, to);
    } else {
        for (; s->smoothed < h && s->smoothed <= y + 1; s->smoothed++) {
            smooth_at(s, s->smoothed, f->radius - 1, f->row[0], s->smooth[s->smoothed % 3]);
        }
        const float *row = s->smooth[y % 3]; /* mirrored rows are those at the border */
        bend_row(y > 0 ? s->smooth[(y - 1) % 3] : row, row,
                 y + 1 < h ? s->smooth[(y + 1) % 3] : row, f->scale, w, to);
    }
}

/* ---- peaks ------------------------------------------------------------------------------- */

/* Which of a chunk of pixels are above `least` and higher than all neighbours; of equal ones the
 * first counts. @return whether there are any */
NG_VECTOR_CLONES static bool mark_peaks(const float *up, const float *row, const float *low,
                                        float least, int peak[CHUNK])
{
    int above = 0, any = 0;
    for (int i = 0; i < CHUNK; i++) {
        above |= row[i] > least;
    }
    if (above == 0) {
        return false;
    }
    for (int i = 0; i < CHUNK; i++) {
        const float own = row[i];
        const int before =
            (own > up[i - 1]) & (own > up[i]) & (own > up[i + 1]) & (own > row[i - 1]);
        const int after =
            (own >= row[i + 1]) & (own >= low[i - 1]) & (own >= low[i]) & (own >= low[i + 1]);
        peak[i] = before & after & (own > least);
        any |= peak[i];
    }
    return any != 0;
}

/* Where a parabola through three neighbours has its top; none at the border. */
static double top(float before, float here, float after)
{
    const double bend = (double)before - 2.0 * (double)here + (double)after;
    const bool inside = isfinite(before) && isfinite(after) && bend < 0.0;
    const double shift = inside ? 0.5 * ((double)before - (double)after) / bend : 0.0;
    return fmin(fmax(shift, -0.5), 0.5);
}

static ng_blob_peak locate(const float *up, const float *row, const float *low, size_t x, size_t y)
{
    const double dx = top(row[(ptrdiff_t)x - 1], row[x], row[x + 1]);
    const double dy = top(up[x], row[x], low[x]);
    double height = (double)row[x];
    if (dx != 0.0) {
        height -= 0.25 * dx * ((double)row[(ptrdiff_t)x - 1] - (double)row[x + 1]);
    }
    if (dy != 0.0) {
        height -= 0.25 * dy * ((double)up[x] - (double)low[x]);
    }
    return (ng_blob_peak){(double)x + dx, (double)y + dy, height, x, y};
}

size_t ng_image_blobs(const ng_image *in, const ng_blob_filter *filter, float least, float *scratch,
                      ng_blob_peak *peak, size_t most)
{
    const size_t w = in->width, h = in->height;
    stream s = open_stream(in, filter, scratch);
    int mark[CHUNK];
    size_t n = 0;
    make_row(&s, 0);
    for (size_t y = 0; y < h; y++) {
        if (y + 1 < h) {
            make_row(&s, y + 1);
        }
        const float *up = y > 0 ? s.row[(y - 1) % 3] : s.outside, *row = s.row[y % 3];
        const float *low = y + 1 < h ? s.row[(y + 1) % 3] : s.outside;
        for (size_t x = 0; x < w; x += CHUNK) {
            const bool any = mark_peaks(up + x, row + x, low + x, least, mark);
            for (size_t i = 0; any && i < CHUNK; i++) {
                if (mark[i] != 0) {
                    if (n < most) {
                        peak[n] = locate(up, row, low, x + i, y);
                    }
                    n++;
                }
            }
        }
    }
    return n;
}
