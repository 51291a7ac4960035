/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The camera's grid, half of it, and the way from one to the other and back. */
#include "reconstruct_internal.h"

#include <math.h>
#include <string.h>

void ng_sim_wave(double k, size_t n, double first, double step, ng_cf *out)
{
    for (size_t i = 0; i < n; i++) {
        const double angle = 2 * NG_SIM_PI * remainder(k * (first + step * (double)i), 1);
        out[i] = (ng_cf){(float)cos(angle), (float)sin(angle)};
    }
}

/* Fine pixel 0 lies a quarter of a camera pixel left of the centre of camera pixel 0. */
static void fill_transfer(ng_sim_grid *g, const ng_sim_optics *optics)
{
    const double per_um = 1e3 / optics->pixel_nm;
    const double scale = 1 / ((double)g->width * (double)g->height);
    for (size_t j = 0; j <= 2 * g->reach; j++) {
        const double fy = ((double)j - (double)g->reach) / (double)g->height;
        for (size_t i = 0; i < g->coarse.columns; i++) {
            const double fx = (double)i / (double)g->width;
            const double h =
                2 * i < g->width ? ng_sim_transfer(optics, fx * per_um, fy * per_um) : 0;
            const double angle = 2 * NG_SIM_PI * 0.25 * (fx + fy);
            g->transfer[j * g->coarse.columns + i] =
                (ng_cf){(float)(scale * h * cos(angle)), (float)(scale * h * sin(angle))};
        }
    }
}

ng_status ng_sim_grid_create(const ng_sim_pattern *pattern, size_t margin, ng_sim_grid *out,
                             ng_error *err)
{
    const ng_sim_layout *layout = &pattern->layout;
    *out = (ng_sim_grid){.width = ng_sim_good_length(layout->width + 2 * margin),
                         .height = ng_sim_good_length(layout->height + 2 * margin)};
    out->left = (out->width - layout->width) / 2;
    out->top = (out->height - layout->height) / 2;
    const double cutoff = ng_sim_cutoff_per_um(&pattern->optics) * 1e-3 * pattern->optics.pixel_nm;
    const size_t columns = (size_t)(cutoff * (double)out->width) + 1;
    out->reach = (size_t)(cutoff * (double)out->height);
    ng_status status = ng_sim_lattice_create(out->width, out->height, columns, &out->coarse, err);
    if (status == NG_OK) {
        status = ng_sim_lattice_create(2 * out->width, 2 * out->height, columns, &out->fine, err);
    }
    if (status == NG_OK) {
        out->transfer =
            ng_sim_aligned((2 * out->reach + 1) * out->coarse.columns, sizeof *out->transfer);
        if (out->transfer == NULL) {
            status = NG_FAIL(err, NG_MEMORY, "out of memory for the transfer function");
        }
    }
    if (status != NG_OK) {
        ng_sim_grid_free(out);
        return status;
    }
    fill_transfer(out, &pattern->optics);
    return NG_OK;
}

void ng_sim_grid_free(ng_sim_grid *grid)
{
    ng_sim_lattice_free(&grid->coarse);
    ng_sim_lattice_free(&grid->fine);
    ng_sim_aligned_free(grid->transfer);
    *grid = (ng_sim_grid){0};
}

void ng_sim_grid_down(const ng_sim_grid *g, ng_cf *fine, ng_cf *coarse, size_t column,
                      ng_cf *scratch)
{
    ng_cf *from = scratch, *to = scratch + g->fine.height * NG_SIM_BLOCK;
    ng_sim_lattice_take(&g->fine, fine, column, from);
    memset(to, 0, g->height * NG_SIM_BLOCK * sizeof *to);
    for (size_t j = 0; j <= 2 * g->reach; j++) {
        const ng_cf *h = g->transfer + j * g->coarse.columns + column;
        const ng_cf *in = from + ng_sim_grid_row(j, g->reach, g->fine.height) * NG_SIM_BLOCK;
        ng_cf *out = to + ng_sim_grid_row(j, g->reach, g->height) * NG_SIM_BLOCK;
        for (size_t i = 0; i < NG_SIM_BLOCK; i++) {
            out[i] = ng_cf_mul(h[i], in[i]);
        }
    }
    ng_sim_lattice_give(&g->coarse, to, from, column, coarse);
}

void ng_sim_grid_up(const ng_sim_grid *g, ng_cf *coarse, ng_cf *fine, size_t column, ng_cf *scratch)
{
    ng_cf *to = scratch, *from = scratch + g->fine.height * NG_SIM_BLOCK;
    ng_sim_lattice_take(&g->coarse, coarse, column, from);
    memset(to, 0, g->fine.height * NG_SIM_BLOCK * sizeof *to);
    for (size_t j = 0; j <= 2 * g->reach; j++) {
        const ng_cf *h = g->transfer + j * g->coarse.columns + column;
        const ng_cf *in = from + ng_sim_grid_row(j, g->reach, g->height) * NG_SIM_BLOCK;
        ng_cf *out = to + ng_sim_grid_row(j, g->reach, g->fine.height) * NG_SIM_BLOCK;
        for (size_t i = 0; i < NG_SIM_BLOCK; i++) {
            out[i] = ng_cf_mulc(h[i], in[i]);
        }
    }
    ng_sim_lattice_give(&g->fine, to, from, column, fine);
}
