/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and plain transforms. */
#include "sim_internal.h"

#include <math.h>

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

/* FFTW's planner is not for two threads at once. */
static void make_plans(ng_sim_plane *out, ng_cf *data)
{
    const int w = (int)out->width, h = (int)out->height;
#ifdef _OPENMP
#pragma omp critical
#endif
    {
        out->forward = fftwf_plan_dft_2d(h, w, ng_cf_fftw(data), ng_cf_fftw(data), FFTW_FORWARD,
                                         FFTW_ESTIMATE);
        out->backward = fftwf_plan_dft_2d(h, w, ng_cf_fftw(data), ng_cf_fftw(data), FFTW_BACKWARD,
                                          FFTW_ESTIMATE);
    }
}

ng_status ng_sim_plane_create(size_t width, size_t height, ng_sim_plane *out, ng_error *err)
{
    *out = (ng_sim_plane){.width = width, .height = height};
    ng_cf *data = ng_sim_aligned(width * height, sizeof *data);
    if (data == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", width, height);
    }
    make_plans(out, data);
    ng_sim_aligned_free(data);
    if (out->forward == NULL || out->backward == NULL) {
        ng_sim_plane_free(out);
        return NG_FAIL(err, NG_NUMERIC, "FFTW makes no plan for %zu x %zu pixels", width, height);
    }
    return NG_OK;
}

void ng_sim_plane_free(ng_sim_plane *plane)
{
#ifdef _OPENMP
#pragma omp critical
#endif
    {
        fftwf_destroy_plan(plane->forward); /* NULL is fine */
        fftwf_destroy_plan(plane->backward);
    }
    *plane = (ng_sim_plane){0};
}

void ng_sim_plane_forward(const ng_sim_plane *plane, ng_cf *data)
{
    fftwf_execute_dft(plane->forward, ng_cf_fftw(data), ng_cf_fftw(data));
}

void ng_sim_plane_backward(const ng_sim_plane *plane, ng_cf *data)
{
    fftwf_execute_dft(plane->backward, ng_cf_fftw(data), ng_cf_fftw(data));
}

ng_status ng_sim_loop(size_t n, ng_task *task, void *context, const ng_run *run, ng_error *err)
{
    ng_run silent = ng_run_defaults();
    silent.threads = ng_run_threads(run);
    return ng_parallel_for(n, task, context, &silent, "sim", err);
}
