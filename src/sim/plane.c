/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and plain transforms. */
#include "sim_internal.h"

#include <math.h>
#include <string.h>

/* ---- sizes ---- */

static double cost_of_factor(size_t n)
{
    double cost = 1;
    static const struct {
        size_t prime;
        double each;
    } odd[] = {{3, 1.12}, {5, 1.15}, {7, 1.3}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        while (n % odd[i].prime == 0) {
            n /= odd[i].prime;
            cost *= odd[i].each;
        }
    }
    size_t twos = 0;
    while (n % 2 == 0) {
        n /= 2;
        twos++;
    }
    /* The vector code of FFTW wants a few factors of two. */
    static const double lack_of_twos[] = {2.5, 2, 1.7, 1.4, 1.2, 1.1};
    return n > 1 || twos == 0 ? HUGE_VAL : cost * (twos < 6 ? lack_of_twos[twos] : 1);
}

size_t ng_sim_good_length(size_t least)
{
    size_t best = 0;
    double best_cost = HUGE_VAL;
    for (size_t n = least + least % 2; (double)n <= 1.3 * (double)least + 16; n += 2) {
        /* Two dimensions, so the length counts twice. */
        const double cost = cost_of_factor(n) * (double)n * (double)n;
        if (cost < best_cost) {
            best_cost = cost;
            best = n;
        }
    }
    return best;
}

/* ---- transforms ---- */

enum { FORWARD, BACKWARD };

/* A plan of FFTW's for both dimensions walks down columns that lie a power of two apart, and takes
 * twice as long as rows and then columns a few at a time, out of the way. */
static void make_plans(ng_sim_plane *p, ng_cf *data)
{
    const int w = (int)p->width, h = (int)p->height, block = (int)p->block;
    const unsigned flags = FFTW_ESTIMATE | (block == 1 ? FFTW_UNALIGNED : 0);
    fftwf_complex *in = ng_cf_fftw(data), *out = ng_cf_fftw(ng_sim_plane_scratch(p, data));
    for (int i = 0; i < 2; i++) {
        const int sign = i == FORWARD ? FFTW_FORWARD : FFTW_BACKWARD;
        p->row[i] =
            fftwf_plan_many_dft(1, &w, h, in, NULL, 1, w, in, NULL, 1, w, sign, FFTW_ESTIMATE);
        p->column[i] =
            fftwf_plan_many_dft(1, &h, block, in, NULL, w, 1, out, NULL, block, 1, sign, flags);
    }
}

ng_cf *ng_sim_plane_new(const ng_sim_plane *plane)
{
    const size_t values = plane->width * plane->height + plane->width % 2;
    return ng_sim_aligned(values + plane->height * NG_SIM_BLOCK, sizeof(ng_cf));
}

ng_status ng_sim_plane_create(size_t width, size_t height, ng_sim_plane *out, ng_error *err)
{
    *out = (ng_sim_plane){.width = width, .height = height, .block = NG_SIM_BLOCK};
    while (width % out->block != 0) {
        out->block /= 2;
    }
    ng_cf *data = ng_sim_plane_new(out);
    if (data == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", width, height);
    }
    /* FFTW's planner is not for two threads at once. */
#ifdef _OPENMP
#pragma omp critical
#endif
    make_plans(out, data);
    ng_sim_aligned_free(data);
    for (int i = 0; i < 2; i++) {
        if (out->row[i] == NULL || out->column[i] == NULL) {
            ng_sim_plane_free(out);
            return NG_FAIL(err, NG_NUMERIC, "FFTW makes no plan for %zu x %zu pixels", width,
                           height);
        }
    }
    return NG_OK;
}

void ng_sim_plane_free(ng_sim_plane *plane)
{
#ifdef _OPENMP
#pragma omp critical
#endif
    for (int i = 0; i < 2; i++) {
        fftwf_destroy_plan(plane->row[i]); /* NULL is fine */
        fftwf_destroy_plan(plane->column[i]);
    }
    *plane = (ng_sim_plane){0};
}

static void transform(const ng_sim_plane *p, int direction, ng_cf *data)
{
    ng_cf *columns = ng_sim_plane_scratch(p, data);
    fftwf_execute_dft(p->row[direction], ng_cf_fftw(data), ng_cf_fftw(data));
    for (size_t x = 0; x < p->width; x += p->block) {
        fftwf_execute_dft(p->column[direction], ng_cf_fftw(data + x), ng_cf_fftw(columns));
        for (size_t y = 0; y < p->height; y++) {
            memcpy(data + y * p->width + x, columns + y * p->block, p->block * sizeof *data);
        }
    }
}

void ng_sim_plane_forward(const ng_sim_plane *plane, ng_cf *data)
{
    transform(plane, FORWARD, data);
}

void ng_sim_plane_backward(const ng_sim_plane *plane, ng_cf *data)
{
    transform(plane, BACKWARD, data);
}

ng_status ng_sim_loop(size_t n, ng_task *task, void *context, const ng_run *run, ng_error *err)
{
    ng_run silent = ng_run_defaults();
    silent.threads = ng_run_threads(run);
    return ng_parallel_for(n, task, context, &silent, "sim", err);
}
