/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A blurred disk, integrated over pixels.
 *
 * Row y' of the disk is the interval |x'| < w(y') = sqrt(r^2 - y'^2). Blurred and integrated over a
 * pixel it separates into a factor of x and one of y, and with y' = r sin(t) the integral over y'
 * is that of a smooth function, for which Gauss-Legendre converges fast. */
#include "synth_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>
#include <string.h>

/* Beyond this many standard deviations the blur has nothing left: 4e-8 of a disk. */
#define REACH 5.5
#define MIN_NODES 16
#define MAX_NODES 1024
#define NODES_PER_BLUR 5

/* Phi(z), and the integral of Phi from minus infinity to z. */
static double normal_integral(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

static double normal_integral_2(double z)
{
    return z * normal_integral(z) + exp(-z * z / 2) / sqrt(2 * M_PI);
}

/* Enough for 1e-6 of full coverage. A power of two: even, and GSL has it at hand. */
static size_t nodes_for(double radius, double blur)
{
    size_t nodes = MIN_NODES;
    while (nodes < MAX_NODES && (double)nodes < NODES_PER_BLUR * radius / blur) {
        nodes *= 2;
    }
    return nodes;
}

/* First and last of `n` pixels that reach within `reach` of `center`; false when there are none. */
static bool pixels_near(double center, double reach, size_t n, size_t *first, size_t *end)
{
    const double low = ceil(center - reach - 0.5), high = floor(center + reach + 0.5) + 1;
    if (!(low < (double)n && high > 0)) {
        return false;
    }
    *first = low > 0 ? (size_t)low : 0;
    *end = high < (double)n ? (size_t)high : n;
    return *first < *end;
}

/* Share of each pixel of a line that a blurred interval |x'| < half around `center` covers. */
static void blurred_interval(double center, double half, double blur, size_t first, size_t n,
                             double *share)
{
    double left_in = 0, left_out = 0;
    for (size_t i = 0; i <= n; i++) {
        const double edge = ((double)(first + i) - 0.5 - center);
        const double in = normal_integral_2((edge + half) / blur);
        const double out = normal_integral_2((edge - half) / blur);
        if (i > 0) {
            share[i - 1] = blur * ((in - left_in) - (out - left_out));
        }
        left_in = in;
        left_out = out;
    }
}

/* Add the weight of each pixel of a line for what lies at `center`. */
static void blurred_point(double center, double blur, size_t first, size_t n, double *weight)
{
    double left = 0;
    for (size_t i = 0; i <= n; i++) {
        const double here = normal_integral(((double)(first + i) - 0.5 - center) / blur);
        if (i > 0) {
            weight[i - 1] += here - left;
        }
        left = here;
    }
}

bool ng_synth_disk_touches(const ng_synth_disk *disk, double blur, const ng_synth_rows *rows)
{
    const double reach = disk->radius + REACH * blur;
    return disk->y + reach >= (double)rows->first - 0.5 &&
           disk->y - reach <= (double)rows->end - 0.5 && disk->x + reach >= -0.5 &&
           disk->x - reach <= (double)rows->width - 0.5;
}

void ng_synth_disk_nodes_free(ng_synth_disk_nodes *nodes)
{
    if (nodes->table != NULL) {
        gsl_integration_glfixed_table_free(nodes->table);
    }
    ng_free(nodes->share);
    *nodes = (ng_synth_disk_nodes){0};
}

/* Table and scratch for a disk that is up to `pixels` wide and high. */
static ng_status reserve(ng_synth_disk_nodes *nodes, size_t count, size_t pixels, ng_error *err)
{
    if (nodes->table == NULL || nodes->table->n != count) {
        if (nodes->table != NULL) {
            gsl_integration_glfixed_table_free(nodes->table);
        }
        nodes->table = gsl_integration_glfixed_table_alloc(count);
    }
    if (nodes->pixels < pixels) {
        double *share = ng_realloc(nodes->share, 2 * pixels, sizeof *share);
        if (share == NULL) {
            return NG_FAIL(err, NG_MEMORY, "out of memory for a disk of %zu pixels", pixels);
        }
        nodes->share = share;
        nodes->pixels = pixels;
    }
    return nodes->table != NULL ? NG_OK
                                : NG_FAIL(err, NG_MEMORY, "out of memory for %zu nodes", count);
}

ng_status ng_synth_disk_draw(const ng_synth_disk *disk, double blur, ng_synth_disk_nodes *nodes,
                             ng_synth_rows *rows, ng_error *err)
{
    const double reach = disk->radius + REACH * blur;
    size_t x0 = 0, x1 = 0, y0 = 0, y1 = 0;
    if (!pixels_near(disk->x, reach, rows->width, &x0, &x1) ||
        !pixels_near(disk->y, reach, rows->end, &y0, &y1) || y1 <= rows->first) {
        return NG_OK;
    }
    y0 = y0 > rows->first ? y0 : rows->first;
    const size_t width = x1 - x0, height = y1 - y0;
    const size_t count = nodes_for(disk->radius, blur);
    ng_status status = reserve(nodes, count, width > height ? width : height, err);
    if (status != NG_OK) {
        return status;
    }
    double *share = nodes->share, *weight = nodes->share + nodes->pixels;
    for (size_t k = count / 2; k < count; k++) { /* the other half are the same rows, mirrored */
        double angle = 0, w = 0;
        gsl_integration_glfixed_point(-M_PI_2, M_PI_2, k, &angle, &w, nodes->table);
        const double half = disk->radius * cos(angle), away = disk->radius * sin(angle);
        blurred_interval(disk->x, half, blur, x0, width, share);
        memset(weight, 0, height * sizeof *weight);
        blurred_point(disk->y + away, blur, y0, height, weight);
        blurred_point(disk->y - away, blur, y0, height, weight);
        for (size_t y = 0; y < height; y++) {
            double *row = rows->cover + (y0 + y - rows->first) * rows->width + x0;
            const double factor = w * half * weight[y];
            for (size_t x = 0; x < width; x++) {
                row[x] += factor * share[x];
            }
        }
    }
    return NG_OK;
}
