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

/* out = in convolved with the kernel along one direction of an n x n grid. */
static inline void scene_blur(const double *in, size_t n, const double *kernel, ptrdiff_t radius,
                              int along_rows, double *out)
{
    const ptrdiff_t last = (ptrdiff_t)n - 1;
    for (ptrdiff_t y = 0; y <= last; y++) {
        for (ptrdiff_t x = 0; x <= last; x++) {
            const ptrdiff_t at = along_rows ? x : y;
            const ptrdiff_t low = at - radius > 0 ? at - radius : 0;
            const ptrdiff_t high = at + radius < last ? at + radius : last;
            double sum = 0.0;
            for (ptrdiff_t k = low; k <= high; k++) {
                sum += kernel[k - at + radius] *
                       in[along_rows ? y * (last + 1) + k : k * (last + 1) + x];
            }
            out[y * (last + 1) + x] = sum;
        }
    }
}

/* Add `height` times a disk of blur `s` (0: none) to an image. */
static inline void scene_add_disk(ng_image *image, scene_disk d, double s, double height)
{
    const double fine = SCENE_FINE, margin = 4.5 * s + 1.0;
    const ptrdiff_t x0 = (ptrdiff_t)floor(d.x - d.r - margin),
                    y0 = (ptrdiff_t)floor(d.y - d.r - margin);
    const size_t side = (size_t)ceil(2.0 * (d.r + margin)) + 2, n = side * SCENE_FINE;
    const ptrdiff_t radius = (ptrdiff_t)ceil(4.5 * s * fine);
    double *grid = (double *)calloc(2 * n * n, sizeof *grid), *work = grid + n * n;
    double *kernel = (double *)calloc((size_t)(2 * radius + 1), sizeof *kernel), total = 0.0;
    for (size_t j = 0; j < n * SCENE_ROWS; j++) {
        const double y = ((double)j + 0.5) / (fine * SCENE_ROWS) + (double)y0 - 0.5 - d.y;
        const double half2 = d.r * d.r - y * y;
        if (half2 > 0.0) {
            const double middle = (d.x - (double)x0 + 0.5) * fine, half = sqrt(half2) * fine;
            scene_chord(grid + j / SCENE_ROWS * n, n, middle - half, middle + half,
                        1.0 / SCENE_ROWS);
        }
    }
    for (ptrdiff_t k = -radius; k <= radius; k++) {
        const double t = s > 0.0 ? (double)k / (fine * s) : 0.0;
        kernel[k + radius] = exp(-0.5 * t * t);
        total += kernel[k + radius];
    }
    for (ptrdiff_t k = 0; k <= 2 * radius; k++) {
        kernel[k] /= total;
    }
    scene_blur(grid, n, kernel, radius, 1, work);
    scene_blur(work, n, kernel, radius, 0, grid);
    for (size_t j = 0; j < n; j++) {
        for (size_t i = 0; i < n; i++) {
            const ptrdiff_t x = x0 + (ptrdiff_t)(i / SCENE_FINE);
            const ptrdiff_t y = y0 + (ptrdiff_t)(j / SCENE_FINE);
            if (x >= 0 && y >= 0 && x < (ptrdiff_t)image->width && y < (ptrdiff_t)image->height) {
                image->pixel[y * (ptrdiff_t)image->width + x] +=
                    (float)(height * grid[j * n + i] / (fine * fine));
            }
        }
    }
    free(grid);
    free(kernel);
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

#endif
