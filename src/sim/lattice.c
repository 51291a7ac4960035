/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transforms of real images of which few frequencies matter. The optics pass a third of the
 * frequencies of the fine grid in each direction, so two thirds of the column transforms are never
 * made; and FFTW's complex transforms are so much faster than its real ones that two rows are
 * packed into one. */
#include "sim_internal.h"

#include <string.h>

enum { FORWARD, BACKWARD };

ng_status ng_sim_lattice_create(size_t width, size_t height, size_t columns, ng_sim_lattice *out,
                                ng_error *err)
{
    const size_t blocks = (columns + NG_SIM_BLOCK - 1) / NG_SIM_BLOCK;
    *out = (ng_sim_lattice){width, height, blocks * NG_SIM_BLOCK, {NULL, NULL}, {NULL, NULL}};
    const size_t longest = width > height * NG_SIM_BLOCK ? width : height * NG_SIM_BLOCK;
    ng_cf *data = ng_sim_aligned(longest, sizeof *data);
    if (data == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", width, height);
    }
    bool complete = true;
    for (int i = 0; i < 2; i++) {
        const int sign = i == FORWARD ? FFTW_FORWARD : FFTW_BACKWARD, n = (int)height;
        out->row[i] =
            fftwf_plan_dft_1d((int)width, ng_cf_fftw(data), ng_cf_fftw(data), sign, FFTW_ESTIMATE);
        out->column[i] =
            fftwf_plan_many_dft(1, &n, NG_SIM_BLOCK, ng_cf_fftw(data), NULL, NG_SIM_BLOCK, 1,
                                ng_cf_fftw(data), NULL, NG_SIM_BLOCK, 1, sign, FFTW_ESTIMATE);
        complete = complete && out->row[i] != NULL && out->column[i] != NULL;
    }
    ng_sim_aligned_free(data);
    if (!complete) {
        ng_sim_lattice_free(out);
        return NG_FAIL(err, NG_NUMERIC, "FFTW makes no plan for %zu x %zu pixels", width, height);
    }
    return NG_OK;
}

void ng_sim_lattice_free(ng_sim_lattice *l)
{
    for (int i = 0; i < 2; i++) {
        if (l->row[i] != NULL) {
            fftwf_destroy_plan(l->row[i]);
        }
        if (l->column[i] != NULL) {
            fftwf_destroy_plan(l->column[i]);
        }
    }
    *l = (ng_sim_lattice){0};
}

static void unpack(ng_cf z, ng_cf mirror, ng_cf *a, ng_cf *b)
{
    *a = (ng_cf){0.5F * (z.re + mirror.re), 0.5F * (z.im - mirror.im)};
    *b = (ng_cf){0.5F * (z.im + mirror.im), 0.5F * (mirror.re - z.re)};
}

void ng_sim_lattice_rows_forward(const ng_sim_lattice *l, ng_cf *pair, ng_cf *a, ng_cf *b)
{
    fftwf_execute_dft(l->row[FORWARD], ng_cf_fftw(pair), ng_cf_fftw(pair));
    const size_t kept = l->columns <= l->width ? l->columns : l->width;
    unpack(pair[0], pair[0], &a[0], &b[0]);
    for (size_t k = 1; k < kept; k++) {
        unpack(pair[k], pair[l->width - k], &a[k], &b[k]);
    }
}

void ng_sim_lattice_rows_backward(const ng_sim_lattice *l, const ng_cf *a, const ng_cf *b,
                                  ng_cf *pair)
{
    /* Kept columns lie below the Nyquist frequency; a block's last ones may not, and are zero. */
    const size_t kept = l->columns < l->width / 2 ? l->columns : l->width / 2;
    memset(pair, 0, l->width * sizeof *pair);
    pair[0] = (ng_cf){a[0].re - b[0].im, a[0].im + b[0].re};
    for (size_t k = 1; k < kept; k++) {
        pair[k] = (ng_cf){a[k].re - b[k].im, a[k].im + b[k].re};
        pair[l->width - k] = (ng_cf){a[k].re + b[k].im, b[k].re - a[k].im};
    }
    fftwf_execute_dft(l->row[BACKWARD], ng_cf_fftw(pair), ng_cf_fftw(pair));
}

void ng_sim_lattice_take(const ng_sim_lattice *l, const ng_cf *spectrum, size_t column,
                         ng_cf *block)
{
    for (size_t y = 0; y < l->height; y++) {
        memcpy(block + y * NG_SIM_BLOCK, spectrum + y * l->columns + column,
               NG_SIM_BLOCK * sizeof *block);
    }
    fftwf_execute_dft(l->column[FORWARD], ng_cf_fftw(block), ng_cf_fftw(block));
}

void ng_sim_lattice_give(const ng_sim_lattice *l, ng_cf *block, size_t column, ng_cf *spectrum)
{
    fftwf_execute_dft(l->column[BACKWARD], ng_cf_fftw(block), ng_cf_fftw(block));
    for (size_t y = 0; y < l->height; y++) {
        memcpy(spectrum + y * l->columns + column, block + y * NG_SIM_BLOCK,
               NG_SIM_BLOCK * sizeof *block);
    }
}
