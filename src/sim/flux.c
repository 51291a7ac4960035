/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The light of an image against that of its frames, in blocks that are much larger than a spot, a
 * constant (the background's error) left free. A wrong aperture, wavelength or pattern shows here.
 */
#include "reconstruct_internal.h"

#include <math.h>
#include <string.h>

/* Side of a block, in units of lambda/(2 NA); a wider one holds more of the background's noise. */
#define BLOCK 6

static size_t blocks_across(const ng_sim_reconstructor *r)
{
    return (r->grid.width + r->block_side - 1) / r->block_side;
}

static size_t blocks_down(const ng_sim_reconstructor *r)
{
    return (r->grid.height + r->block_side - 1) / r->block_side;
}

ng_status ng_sim_flux_create(ng_sim_reconstructor *r, ng_error *err)
{
    const double cutoff =
        ng_sim_cutoff_per_um(&r->pattern.optics) * 1e-3 * r->pattern.optics.pixel_nm;
    r->block_side = 2 * (size_t)ceil(0.5 * BLOCK / cutoff);
    r->block = NG_NEW(ng_sim_block, blocks_across(r) * blocks_down(r));
    return r->block != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for sums of light");
}

/* ---- the frames ---- */

void ng_sim_flux_measure(ng_sim_reconstructor *r)
{
    const ng_sim_grid *g = &r->grid;
    const ng_sim_layout *layout = &r->pattern.layout;
    memset(r->block, 0, blocks_across(r) * blocks_down(r) * sizeof *r->block);
    for (size_t y = g->top; y < g->top + layout->height; y++) {
        ng_sim_block *row = r->block + y / r->block_side * blocks_across(r);
        for (size_t x = g->left; x < g->left + layout->width; x++) {
            row[x / r->block_side].seen += (double)r->mean[y * g->width + x];
            row[x / r->block_side].pixels++;
        }
    }
}

/* ---- what the image foretells ---- */

static ng_status rows_of_image(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    ng_sim_reconstructor *r = context;
    const ng_sim_lattice *l = &r->grid.fine;
    ng_cf *pair = ng_sim_scratch(r, worker), *out = r->fine_spectrum[0] + 2 * index * l->columns;
    const float *row = r->object + 2 * index * l->width;
    for (size_t i = 0; i < l->width; i++) {
        pair[i] = (ng_cf){row[i], row[l->width + i]};
    }
    ng_sim_lattice_rows_forward(l, pair, pair + l->width, out, out + l->columns);
    return NG_OK;
}

static ng_status columns_down(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    ng_sim_reconstructor *r = context;
    ng_sim_grid_down(&r->grid, r->fine_spectrum[0], r->coarse_spectrum[0], index * NG_SIM_BLOCK,
                     ng_sim_scratch(r, worker));
    return NG_OK;
}

static ng_status sum_blocks(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    ng_sim_reconstructor *r = context;
    const ng_sim_grid *g = &r->grid;
    const ng_sim_lattice *l = &g->coarse;
    const size_t right = g->left + r->pattern.layout.width;
    const size_t bottom = g->top + r->pattern.layout.height, end = (index + 1) * r->block_side;
    ng_cf *pair = ng_sim_scratch(r, worker);
    ng_sim_block *block = r->block + index * blocks_across(r);
    for (size_t y = index * r->block_side; y < end && y < g->height; y += 2) {
        const ng_cf *at = r->coarse_spectrum[0] + y * l->columns;
        ng_sim_lattice_rows_backward(l, at, at + l->columns, pair + l->width, pair);
        const bool seen[2] = {y >= g->top && y < bottom, y + 1 >= g->top && y + 1 < bottom};
        for (size_t x = g->left; x < right; x++) {
            block[x / r->block_side].expected +=
                (seen[0] ? (double)pair[x].re : 0) + (seen[1] ? (double)pair[x].im : 0);
        }
    }
    return NG_OK;
}

static ng_status expect(ng_sim_reconstructor *r, const ng_run *run, ng_error *err)
{
    const ng_sim_grid *g = &r->grid;
    ng_status status = ng_sim_loop(g->fine.height / 2, rows_of_image, r, run, err);
    if (status == NG_OK) {
        status = ng_sim_loop(g->fine.columns / NG_SIM_BLOCK, columns_down, r, run, err);
    }
    return status != NG_OK ? status : ng_sim_loop(blocks_down(r), sum_blocks, r, run, err);
}

/* ---- one over the other ---- */

/* Least squares for seen = scale * expected + constant * pixels, each block with the variance of
 * its photoelectrons. */
static void fit_scale(const ng_sim_reconstructor *r, double *scale, double *se)
{
    const double frames = (double)ng_sim_layout_frames(&r->pattern.layout);
    double ee = 0, ep = 0, pp = 0, es = 0, ps = 0;
    for (size_t i = 0; i < blocks_across(r) * blocks_down(r); i++) {
        const ng_sim_block *b = &r->block[i];
        if (b->pixels > 0 && b->seen > 0) {
            const double weight = frames / (r->pattern.camera.gain * b->seen);
            ee += weight * b->expected * b->expected;
            ep += weight * b->expected * b->pixels;
            pp += weight * b->pixels * b->pixels;
            es += weight * b->expected * b->seen;
            ps += weight * b->pixels * b->seen;
        }
    }
    const double determinant = ee * pp - ep * ep;
    *scale = *se = NAN;
    if (determinant > 1e-9 * ee * pp) {
        *scale = (es * pp - ep * ps) / determinant;
        *se = sqrt(pp / determinant);
    }
}

ng_status ng_sim_flux_compare(ng_sim_reconstructor *r, const ng_run *run, ng_sim_run_info *info,
                              ng_error *err)
{
    const ng_status status = expect(r, run, err);
    if (status == NG_OK) {
        fit_scale(r, &info->light_scale, &info->light_scale_se);
    }
    return status;
}
