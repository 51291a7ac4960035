/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transforms of real images of which few frequencies matter. The optics pass a third of the
 * frequencies of the fine grid in each direction, so two thirds of the column transforms are never
 * made; and FFTW's complex transforms are so much faster than its real ones that two rows are
 * packed into one. */
#include "sim_internal.h"

#include <string.h>

enum { FORWARD, BACKWARD };

/* Transforms in place make FFTW copy through a buffer that it allocates each time. A plan by
 * estimate does not touch its arrays: only how they are aligned counts. */
static void make_plans(ng_sim_lattice *l, ng_cf *data)
{
    const int width = (int)l->width, n = (int)l->height, stride = (int)l->columns;
    fftwf_complex *in = ng_cf_fftw(data), *out = ng_cf_fftw(data + l->width);
    l->row[FORWARD] = fftwf_plan_dft_1d(width, in, out, FFTW_FORWARD, FFTW_ESTIMATE);
    l->row[BACKWARD] = fftwf_plan_dft_1d(width, in, out, FFTW_BACKWARD, FFTW_ESTIMATE);
    out = ng_cf_fftw(data + l->columns * l->height);
    l->take = fftwf_plan_many_dft(1, &n, NG_SIM_BLOCK, in, NULL, stride, 1, out, NULL, NG_SIM_BLOCK,
                                  1, FFTW_FORWARD, FFTW_ESTIMATE);
    l->give = fftwf_plan_many_dft(1, &n, NG_SIM_BLOCK, in, NULL, NG_SIM_BLOCK, 1, out, NULL,
                                  NG_SIM_BLOCK, 1, FFTW_BACKWARD, FFTW_ESTIMATE);
}

ng_status ng_sim_lattice_create(size_t width, size_t height, size_t columns, ng_sim_lattice *out,
                                ng_error *err)
{
    const size_t blocks = (columns + NG_SIM_BLOCK - 1) / NG_SIM_BLOCK;
    *out = (ng_sim_lattice){.width = width, .height = height, .columns = blocks * NG_SIM_BLOCK};
    ng_cf *data = ng_sim_aligned(2 * width + (out->columns + NG_SIM_BLOCK) * height, sizeof *data);
    if (data == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", width, height);
    }
    make_plans(out, data);
    ng_sim_aligned_free(data);
    if (out->row[FORWARD] == NULL || out->row[BACKWARD] == NULL || out->take == NULL ||
        out->give == NULL) {
        ng_sim_lattice_free(out);
        return NG_FAIL(err, NG_NUMERIC, "FFTW makes no plan for %zu x %zu pixels", width, height);
    }
    return NG_OK;
}

void ng_sim_lattice_free(ng_sim_lattice *l)
{
    fftwf_destroy_plan(l->row[FORWARD]); /* NULL is fine */
    fftwf_destroy_plan(l->row[BACKWARD]);
    fftwf_destroy_plan(l->take);
    fftwf_destroy_plan(l->give);
    *l = (ng_sim_lattice){0};
}

static void unpack(ng_cf z, ng_cf mirror, ng_cf *a, ng_cf *b)
{
    *a = (ng_cf){0.5F * (z.re + mirror.re), 0.5F * (z.im - mirror.im)};
    *b = (ng_cf){0.5F * (z.im + mirror.im), 0.5F * (mirror.re - z.re)};
}

void ng_sim_lattice_rows_forward(const ng_sim_lattice *l, ng_cf *pair, ng_cf *line, ng_cf *a,
                                 ng_cf *b)
{
    fftwf_execute_dft(l->row[FORWARD], ng_cf_fftw(pair), ng_cf_fftw(line));
    const size_t kept = l->columns <= l->width ? l->columns : l->width;
    unpack(line[0], line[0], &a[0], &b[0]);
    for (size_t k = 1; k < kept; k++) {
        unpack(line[k], line[l->width - k], &a[k], &b[k]);
    }
}

void ng_sim_lattice_rows_backward(const ng_sim_lattice *l, const ng_cf *a, const ng_cf *b,
                                  ng_cf *line, ng_cf *pair)
{
    /* Kept columns lie below the Nyquist frequency; a block's last ones may not, and are zero. */
    const size_t kept = l->columns < l->width / 2 ? l->columns : l->width / 2;
    memset(line + kept, 0, (l->width - 2 * kept + 1) * sizeof *line);
    line[0] = (ng_cf){a[0].re - b[0].im, a[0].im + b[0].re};
    for (size_t k = 1; k < kept; k++) {
        line[k] = (ng_cf){a[k].re - b[k].im, a[k].im + b[k].re};
        line[l->width - k] = (ng_cf){a[k].re + b[k].im, b[k].re - a[k].im};
    }
    fftwf_execute_dft(l->row[BACKWARD], ng_cf_fftw(line), ng_cf_fftw(pair));
}

void ng_sim_lattice_take(const ng_sim_lattice *l, ng_cf *spectrum, size_t column, ng_cf *block)
{
    fftwf_execute_dft(l->take, ng_cf_fftw(spectrum + column), ng_cf_fftw(block));
}

void ng_sim_lattice_give(const ng_sim_lattice *l, ng_cf *block, ng_cf *scratch, size_t column,
                         ng_cf *spectrum)
{
    fftwf_execute_dft(l->give, ng_cf_fftw(block), ng_cf_fftw(scratch));
    for (size_t y = 0; y < l->height; y++) {
        memcpy(spectrum + y * l->columns + column, scratch + y * NG_SIM_BLOCK,
               NG_SIM_BLOCK * sizeof *scratch);
    }
}
