/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real filter on the fine grid. */
#include "reconstruct_internal.h"

#include <math.h>

ng_status ng_sim_filter_create(const ng_sim_reconstructor *r, ng_sim_filter *out, ng_error *err)
{
    const ng_sim_pattern *pattern = &r->pattern;
    double k = 0;
    for (size_t d = 0; d < pattern->layout.directions; d++) {
        k = fmax(k, fabs(pattern->direction[d].kx));
    }
    const double cutoff = ng_sim_cutoff_per_um(&pattern->optics) * 1e-3 * pattern->optics.pixel_nm;
    const size_t half = r->grid.fine.width / 2;
    size_t columns = (size_t)((cutoff + k) * (double)r->grid.width) + 2;
    columns = columns < half ? columns : half;
    *out = (ng_sim_filter){.factor = NULL};
    ng_status status =
        ng_sim_lattice_create(r->grid.fine.width, r->grid.fine.height, columns, &out->lattice, err);
    if (status != NG_OK) {
        return status;
    }
    const size_t n = out->lattice.columns * out->lattice.height;
    out->factor = ng_sim_aligned(n, sizeof *out->factor);
    out->spectrum = ng_sim_aligned(n, sizeof *out->spectrum);
    if (out->factor == NULL || out->spectrum == NULL) {
        ng_sim_filter_free(out);
        return NG_FAIL(err, NG_MEMORY, "out of memory for a filter of %zu x %zu",
                       r->grid.fine.width, r->grid.fine.height);
    }
    return NG_OK;
}

void ng_sim_filter_free(ng_sim_filter *filter)
{
    ng_sim_lattice_free(&filter->lattice);
    ng_sim_aligned_free(filter->factor);
    ng_sim_aligned_free(filter->spectrum);
    *filter = (ng_sim_filter){0};
}

typedef struct filtering {
    ng_sim_reconstructor *r;
    const ng_sim_filter *filter;
    float *image;
} filtering;

static ng_status rows_in(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const filtering *f = context;
    const ng_sim_lattice *l = &f->filter->lattice;
    ng_cf *pair = ng_sim_scratch(f->r, worker), *out = f->filter->spectrum + 2 * index * l->columns;
    const float *row = f->image + 2 * index * l->width;
    for (size_t i = 0; i < l->width; i++) {
        pair[i] = (ng_cf){row[i], row[l->width + i]};
    }
    ng_sim_lattice_rows_forward(l, pair, pair + l->width, out, out + l->columns);
    return NG_OK;
}

static ng_status columns(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const filtering *f = context;
    const ng_sim_lattice *l = &f->filter->lattice;
    ng_cf *block = ng_sim_scratch(f->r, worker);
    const size_t column = index * NG_SIM_BLOCK;
    ng_sim_lattice_take(l, f->filter->spectrum, column, block);
    for (size_t y = 0; y < l->height; y++) {
        const float *factor = f->filter->factor + y * l->columns + column;
        for (size_t i = 0; i < NG_SIM_BLOCK; i++) {
            block[y * NG_SIM_BLOCK + i].re *= factor[i];
            block[y * NG_SIM_BLOCK + i].im *= factor[i];
        }
    }
    ng_sim_lattice_give(l, block, block + l->height * NG_SIM_BLOCK, column, f->filter->spectrum);
    return NG_OK;
}

static ng_status rows_out(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const filtering *f = context;
    const ng_sim_lattice *l = &f->filter->lattice;
    ng_cf *pair = ng_sim_scratch(f->r, worker);
    const ng_cf *in = f->filter->spectrum + 2 * index * l->columns;
    float *row = f->image + 2 * index * l->width;
    ng_sim_lattice_rows_backward(l, in, in + l->columns, pair + l->width, pair);
    for (size_t i = 0; i < l->width; i++) {
        row[i] = pair[i].re;
        row[l->width + i] = pair[i].im;
    }
    return NG_OK;
}

ng_status ng_sim_filter_apply(ng_sim_reconstructor *r, const ng_sim_filter *filter, float *image,
                              const ng_run *run, ng_error *err)
{
    filtering f = {r, filter, image};
    const ng_sim_lattice *l = &filter->lattice;
    ng_status status = ng_sim_loop(l->height / 2, rows_in, &f, run, err);
    if (status == NG_OK) {
        status = ng_sim_loop(l->columns / NG_SIM_BLOCK, columns, &f, run, err);
    }
    return status != NG_OK ? status : ng_sim_loop(l->height / 2, rows_out, &f, run, err);
}
