/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images of disks of known truth, for tests and bench: area coverage on a grid finer than the
 * pixels, convolved with a sampled Gaussian there, then averaged over pixels. It shares nothing
 * with the model that is fitted. */
#ifndef NUCGROW_DISK_SCENE_H
#define NUCGROW_DISK_SCENE_H

#include <nucgrow/image.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCENE_FINE = 5, SCENE_ROWS = 8 };

typedef struct scene_disk {
    double x, y, r;
} scene_disk;

/* Fine pixels of one row that the chord at height y covers: `sign` times their shares. */
static inline void scene_chord(double *row, size_t n, double from, double to, double share)
{
    for (size_t i = 0; i < n; i++) {
        const double low = fmax(from, (double)i), high = fmin(to, (double)i + 1.0);
        row[i] += high > low ? share * (high - low) : 0.0;
    }
}

/* What a pixel takes of the fine pixels from `reach` before its first to `reach` beyond its last: a
 * sampled Gaussian, averaged over the pixel. `s` in fine pixels, 0: none. */
static inline void scene_weights(double s, ptrdiff_t reach, double *weight)
{
    double total = 0.0;
    for (ptrdiff_t k = -reach; k <= reach; k++) {
        const double t = s > 0.0 ? (double)k / s : 0.0, height = exp(-0.5 * t * t);
        total += height;
        for (ptrdiff_t i = 0; i < SCENE_FINE; i++) {
            weight[k + i + reach] += height / SCENE_FINE;
        }
    }
    for (ptrdiff_t k = 0; k < 2 * reach + SCENE_FINE; k++) {
        weight[k] /= total;
    }
}

/* The same for each of `side` pixels of a line of side SCENE_FINE fine ones, `stride` apart. */
static inline void scene_take(const double *fine, size_t side, size_t stride, ptrdiff_t reach,
                              const double *weight, double *out, size_t out_stride)
{
    const ptrdiff_t n = (ptrdiff_t)side * SCENE_FINE;
    for (size_t p = 0; p < side; p++) {
        const ptrdiff_t first = (ptrdiff_t)p * SCENE_FINE - reach;
        const ptrdiff_t low = first > 0 ? first : 0;
        const ptrdiff_t end = first + 2 * reach + SCENE_FINE, high = end < n ? end : n;
        double sum = 0.0;
        for (ptrdiff_t k = low; k < high; k++) {
            sum += weight[k - first] * fine[(size_t)k * stride];
        }
        out[p * out_stride] = sum;
    }
}

/* Minor over major axis, and the direction of the major one; the area is that of the disk. */
typedef struct scene_shape {
    double ratio, angle;
} scene_shape;

/* xx x^2 + 2 xy x y + yy y^2 < 1 inside */
typedef struct scene_conic {
    double xx, xy, yy;
} scene_conic;

static inline scene_conic scene_conic_of(double r, scene_shape shape)
{
    const double c = cos(shape.angle), s = sin(shape.angle);
    const double a2 = r * r / shape.ratio, b2 = r * r * shape.ratio;
    return (scene_conic){c * c / a2 + s * s / b2, c * s * (1.0 / a2 - 1.0 / b2),
                         s * s / a2 + c * c / b2};
}

/* The fine row at height y (px) from the centre, `x` fine pixels from its first; false: nothing. */
static inline int scene_fine_row(double *row, size_t n, const scene_conic *c, double x, double y)
{
    const double step = 1.0 / (SCENE_FINE * SCENE_ROWS);
    int covered = 0;
    for (size_t part = 0; part < SCENE_ROWS; part++) {
        const double v = y + ((double)part + 0.5) * step;
        const double half2 = c->xy * c->xy * v * v - c->xx * (c->yy * v * v - 1.0);
        if (half2 > 0.0) {
            const double middle = x - c->xy * v / c->xx * SCENE_FINE;
            const double half = sqrt(half2) / c->xx * SCENE_FINE;
            scene_chord(row, n, middle - half, middle + half, 1.0 / SCENE_ROWS);
            covered = 1;
        }
    }
    return covered;
}

/* Add `height` times an ellipse of blur `s` (0: none) to an image. */
static inline void scene_add_ellipse(ng_image *image, scene_disk d, scene_shape shape, double s,
                                     double height)
{
    const scene_conic conic = scene_conic_of(d.r, shape);
    const double fine = SCENE_FINE, margin = 4.5 * s + 1.0, most = d.r / sqrt(shape.ratio);
    const ptrdiff_t x0 = (ptrdiff_t)floor(d.x - most - margin),
                    y0 = (ptrdiff_t)floor(d.y - most - margin);
    const size_t side = (size_t)ceil(2.0 * (most + margin)) + 2, n = side * SCENE_FINE;
    const ptrdiff_t radius = (ptrdiff_t)ceil(4.5 * s * fine);
    double *row = (double *)calloc(n * (1 + side) + side * side, sizeof *row);
    double *lines = row + n, *pixel = lines + n * side;
    double *weight = (double *)calloc((size_t)(2 * radius) + SCENE_FINE, sizeof *weight);
    scene_weights(s * fine, radius, weight);
    for (size_t j = 0; j < n; j++) {
        const double y = (double)j / fine + (double)y0 - 0.5 - d.y;
        if (scene_fine_row(row, n, &conic, (d.x - (double)x0 + 0.5) * fine, y)) {
            scene_take(row, side, 1, radius, weight, lines + j * side, 1);
            memset(row, 0, n * sizeof *row);
        }
    }
    for (size_t x = 0; x < side; x++) {
        scene_take(lines + x, side, side, radius, weight, pixel + x, side);
    }
    for (size_t j = 0; j < side * side; j++) {
        const ptrdiff_t x = x0 + (ptrdiff_t)(j % side), y = y0 + (ptrdiff_t)(j / side);
        if (x >= 0 && y >= 0 && x < (ptrdiff_t)image->width && y < (ptrdiff_t)image->height) {
            image->pixel[y * (ptrdiff_t)image->width + x] += (float)(height * pixel[j]);
        }
    }
    free(row);
    free(weight);
}

static inline void scene_add_disk(ng_image *image, scene_disk d, double s, double height)
{
    scene_add_ellipse(image, d, (scene_shape){1.0, 0.0}, s, height);
}

static inline void scene_fill(ng_image *image, double value)
{
    for (size_t i = 0; i < image->width * image->height; i++) {
        image->pixel[i] = (float)value;
    }
}

static inline void scene_add_noise(ng_image *image, double sd, gsl_rng *rng)
{
    for (size_t i = 0; i < image->width * image->height; i++) {
        image->pixel[i] += (float)gsl_ran_gaussian_ziggurat(rng, sd);
    }
}

/* Disks at random, radii uniform in [r_low, r_high], edges at least `gap` apart and from the
 * border. Returns how many found a place. */
static inline size_t scene_place(scene_disk *disk, size_t n, const ng_image *image,
                                 const double r_range[2], double gap, gsl_rng *rng)
{
    size_t placed = 0;
    for (size_t attempt = 0; placed < n && attempt < 200 * n; attempt++) {
        scene_disk d = {0.0, 0.0, r_range[0] + (r_range[1] - r_range[0]) * gsl_rng_uniform(rng)};
        const double edge = d.r + gap;
        d.x = edge + ((double)image->width - 1.0 - 2.0 * edge) * gsl_rng_uniform(rng);
        d.y = edge + ((double)image->height - 1.0 - 2.0 * edge) * gsl_rng_uniform(rng);
        size_t k = 0;
        while (k < placed && hypot(d.x - disk[k].x, d.y - disk[k].y) >= d.r + disk[k].r + gap) {
            k++;
        }
        if (k == placed) {
            disk[placed++] = d;
        }
    }
    return placed;
}

/* ---- pairs ------------------------------------------------------------------------------- */

enum { SCENE_CELL = 64 };

/* Two disks of 2.5 to 5 px in every cell, darker than their surroundings; where `apart` is 0, one
 * ellipse, its axes as unequal as `least_ratio` at most. */
typedef struct scene_pair_kind {
    double apart; /* of the centres, over the sum of the radii */
    double least_ratio, contrast, noise;
} scene_pair_kind;

/* As many disks as may be drawn. */
static inline size_t scene_pairs_room(const ng_image *image)
{
    return 2 * (image->width / SCENE_CELL) * (image->height / SCENE_CELL);
}

/* Adds them and the noise; returns how many disks. */
static inline size_t scene_pairs(ng_image *image, scene_disk *disk, const scene_pair_kind *kind,
                                 double blur, gsl_rng *rng)
{
    const size_t columns = image->width / SCENE_CELL, cells = scene_pairs_room(image) / 2;
    const double pi = acos(-1.0);
    size_t n = 0;
    for (size_t cell = 0; cell < cells; cell++) {
        const double angle = 2.0 * pi * gsl_rng_uniform(rng);
        const double ratio = 1.0 - (1.0 - kind->least_ratio) * gsl_rng_uniform(rng);
        scene_disk a = {0.0, 0.0, 2.5 + 2.5 * gsl_rng_uniform(rng)}, b = a;
        b.r = 2.5 + 2.5 * gsl_rng_uniform(rng);
        a.x = SCENE_CELL * ((double)(cell % columns) + 0.4 + 0.2 * gsl_rng_uniform(rng));
        a.y = SCENE_CELL * ((double)(cell / columns) + 0.4 + 0.2 * gsl_rng_uniform(rng));
        b.x = a.x + kind->apart * (a.r + b.r) * cos(angle);
        b.y = a.y + kind->apart * (a.r + b.r) * sin(angle);
        disk[n++] = a;
        if (kind->apart > 0.0) {
            scene_add_disk(image, a, blur, -kind->contrast);
            scene_add_disk(image, b, blur, -kind->contrast);
            disk[n++] = b;
        } else {
            const scene_shape shape = {ratio, angle};
            scene_add_ellipse(image, a, shape, blur, -kind->contrast);
        }
    }
    scene_add_noise(image, kind->noise, rng);
    return n;
}

#endif
