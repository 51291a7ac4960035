/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The point spread function, pixel included, at all fractions of a pixel; room and its end. */
#include "points_internal.h"

#include <math.h>
#include <string.h>

enum { PERIOD = 4 * (NG_POINT_FAR + 1), GRID = PERIOD * NG_POINT_FINE };

/* h on a fine grid around the origin, from the transfer function. */
static ng_status make_fine(const ng_sim_optics *optics, float *out, ng_error *err)
{
    const size_t columns = GRID / 2 + 1;
    const double per_um = 1e3 / optics->pixel_nm / PERIOD;
    ng_cf *spectrum = ng_sim_aligned(columns * GRID, sizeof *spectrum);
    fftwf_plan plan = spectrum == NULL
                          ? NULL
                          : fftwf_plan_dft_c2r_2d(GRID, GRID, (fftwf_complex *)(void *)spectrum,
                                                  out, FFTW_ESTIMATE);
    if (plan == NULL) {
        ng_sim_aligned_free(spectrum);
        return NG_FAIL(err, NG_MEMORY, "no memory for the point spread function");
    }
    memset(spectrum, 0, columns * GRID * sizeof *spectrum);
    for (size_t v = 0; v < GRID; v++) {
        const double ky = v < GRID / 2 ? (double)v : (double)v - GRID;
        for (size_t u = 0; u <= PERIOD / 2 && fabs(ky) <= PERIOD / 2; u++) {
            const double value = ng_sim_transfer(optics, (double)u * per_um, ky * per_um);
            spectrum[v * columns + u].re = (float)(value / (PERIOD * PERIOD));
        }
    }
    fftwf_execute(plan);
    fftwf_destroy_plan(plan);
    ng_sim_aligned_free(spectrum);
    return NG_OK;
}

/* Where on the fine grid lies pixel i of a table, seen from a point at k parts of its pixel. */
static size_t fine_place(size_t i, size_t k)
{
    return (2 * GRID + i * NG_POINT_FINE - NG_POINT_FAR * NG_POINT_FINE - k) % GRID;
}

/* Sorted so that what a point at a fraction of a pixel leaves on the pixels around lies together.
 */
static void sort_table(const float *fine, float *table)
{
    const size_t side = NG_POINT_TABLE, parts = NG_POINT_FINE + 1;
    for (size_t k = 0; k < parts * parts; k++) {
        for (size_t i = 0; i < side * side; i++) {
            const size_t row = fine_place(i / side, k / parts);
            *table++ = fine[row * GRID + fine_place(i % side, k % parts)];
        }
    }
}

static ng_status make_room(ng_sim_points *p, ng_error *err)
{
    const size_t side = 2 * NG_POINT_REACH + 26, table = NG_POINT_TABLE, fine = NG_POINT_FINE + 1;
    const size_t box = side * side > table * table ? side * side : table * table;
    p->table = NG_NEW(float, fine *fine *table *table);
    p->data = NG_NEW(float, p->frames * p->pixels);
    p->expected = NG_NEW(float, p->frames * p->pixels);
    p->stripes = NG_NEW(float, p->frames * p->pixels);
    p->line = NG_NEW(float, 4 * p->pattern.layout.width);
    p->height = NG_NEW(float, p->pixels);
    p->faint = NG_NEW(float, p->pixels);
    p->stamp = NG_NEW(float, box);
    p->slope = NG_NEW(float, box);
    p->weight = NG_NEW(float, box);
    p->rest = NG_NEW(float, box);
    p->image = NG_NEW(float, 3 * NG_POINT_GROUP * box); /* of shapes 15 */
    if (p->stripes == NULL || p->line == NULL || p->height == NULL || p->faint == NULL ||
        p->table == NULL || p->data == NULL || p->expected == NULL || p->stamp == NULL ||
        p->slope == NULL || p->weight == NULL || p->rest == NULL || p->image == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for points in %zu frames", p->frames);
    }
    return NG_OK;
}

static void draw_stripes(ng_sim_points *p)
{
    const size_t w = p->pattern.layout.width;
    double light[3][NG_SIM_MAX_FRAMES];
    for (size_t i = 0; i < p->pixels; i++) {
        ng_point_light(p, (double)(i % w), (double)(i / w), light[0], light[1], light[2]);
        for (size_t f = 0; f < p->frames; f++) {
            p->stripes[f * p->pixels + i] = (float)light[0][f];
        }
    }
}

ng_status ng_sim_points_create(const ng_sim_pattern *pattern, double background,
                               ng_sim_points **out, ng_error *err)
{
    const ng_sim_camera *c = &pattern->camera;
    *out = NULL;
    if (!(background > 0)) {
        return NG_FAIL(err, NG_INVALID,
                       "the background is %g counts; points in raw frames need one above 0",
                       background);
    }
    ng_sim_points *p = NG_NEW(ng_sim_points, 1);
    if (p == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for points");
    }
    p->pattern = *pattern;
    p->frames = ng_sim_layout_frames(&pattern->layout);
    p->pixels = pattern->layout.width * pattern->layout.height;
    p->read2 = pow(c->read_noise / c->gain, 2);
    ng_sim_points_background(p, background);
    float *fine = NG_NEW(float, (size_t)GRID *GRID);
    ng_status status = make_room(p, err);
    if (status == NG_OK && fine == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for the point spread function");
    }
    status = status == NG_OK ? make_fine(&pattern->optics, fine, err) : status;
    if (status == NG_OK) {
        sort_table(fine, p->table);
        draw_stripes(p);
        p->pattern.optics.measured = NULL;
        *out = p;
    } else {
        ng_sim_points_destroy(p);
    }
    ng_free(fine);
    return status;
}

void ng_sim_points_destroy(ng_sim_points *p)
{
    if (p == NULL) {
        return;
    }
    ng_free(p->table);
    ng_free(p->data);
    ng_free(p->expected);
    ng_free(p->stamp);
    ng_free(p->slope);
    ng_free(p->weight);
    ng_free(p->rest);
    ng_free(p->image);
    ng_free(p->point);
    ng_free(p->parent);
    ng_free(p->stripes);
    ng_free(p->line);
    ng_free(p->height);
    ng_free(p->faint);
    ng_free(p->out);
    ng_free(p);
}
