/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two steps, after Perez, Chang, Stelzer, Sci. Rep. 6, 37149 (2016): each raw frame is deconvolved,
 * the bands are put in their places, and the sum is deconvolved once more.
 *
 * n passes of Richardson-Lucy over a frame, started from the frame, leave H_1 = 1 - (1 - H)
 * (1 - H^2)^n of the object's frequencies, as long as the light is nearly even. Bright points over
 * a dark background would be sharpened beyond that, and the sum would no longer have the transfer
 * that it is deconvolved with; hence the first step is the linear one, a factor H_1/H, wherever the
 * light is. The bands are added with the weight that they come with, m/2: then the sum is positive
 * where the object is, and has the transfer H_e = sum_d [H_1(k) + m/2 (H_1(k - k_d) + H_1(k +
 * k_d))] over its value at 0. Large n makes dark rings around points; they end at zero, and their
 * light would be the points' gain.
 */
#include "two_step.h"

#include <math.h>
#include <string.h>

#define PASSES 30

struct ng_sim_two_step {
    ng_sim_grid up;          /* r->grid, with the first step instead of H */
    ng_sim_filter filter;    /* H_e */
    float *measured, *ratio; /* fine: the sum of the bands; what is filtered */
    double gain;             /* H_e before it is divided by its value at 0 */
};

/* ---- tables ---- */

/* H_1 where there was H. */
static double remaining(const ng_sim_reconstructor *r, double h)
{
    return 1 - (1 - h) * pow(1 - h * h, (double)r->options.frame_passes);
}

static double after_first(const ng_sim_reconstructor *r, double fx, double fy)
{
    const double per_um = 1e3 / r->pattern.optics.pixel_nm;
    const double h = ng_sim_transfer(&r->pattern.optics, fx * per_um, fy * per_um);
    return h > 0 ? remaining(r, h) : 0;
}

static double together(const ng_sim_reconstructor *r, double fx, double fy)
{
    double sum = 0;
    for (size_t d = 0; d < r->pattern.layout.directions; d++) {
        const ng_sim_direction *dir = &r->pattern.direction[d];
        sum += after_first(r, fx, fy) + 0.5 * dir->modulation *
                                            (after_first(r, fx - dir->kx, fy - dir->ky) +
                                             after_first(r, fx + dir->kx, fy + dir->ky));
    }
    return sum;
}

static void fill_effective(ng_sim_reconstructor *r)
{
    struct ng_sim_two_step *t = r->two_step;
    const ng_sim_lattice *l = &t->filter.lattice;
    t->gain = together(r, 0, 0);
    const double scale = 1 / (t->gain * (double)l->width * (double)l->height);
    for (size_t y = 0; y < l->height; y++) {
        const double fy = 2 * ng_sim_bin(y, l->height);
        for (size_t x = 0; x < l->columns; x++) {
            const double fx = 2 * (double)x / (double)l->width;
            t->filter.factor[y * l->columns + x] = (float)(scale * together(r, fx, fy));
        }
    }
}

/* The way up for the bands: the first step instead of H. */
static void fill_up(ng_sim_reconstructor *r)
{
    const ng_sim_grid *g = &r->grid;
    const double pixels = (double)g->width * (double)g->height;
    for (size_t i = 0; i < (2 * g->reach + 1) * g->coarse.columns; i++) {
        const double h = pixels * sqrt((double)ng_cf_norm(g->transfer[i]));
        const double gain = h > 0 ? remaining(r, h) / (h * h) : 0;
        r->two_step->up.transfer[i] = (ng_cf){(float)(gain * (double)g->transfer[i].re),
                                              (float)(gain * (double)g->transfer[i].im)};
    }
}

ng_status ng_sim_two_step_create(ng_sim_reconstructor *r, ng_error *err)
{
    const ng_sim_grid *g = &r->grid;
    const size_t fine = g->fine.width * g->fine.height;
    struct ng_sim_two_step *t = r->two_step = NG_NEW(struct ng_sim_two_step, 1);
    if (t == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    ng_status status = ng_sim_filter_create(r, &t->filter, err);
    if (status != NG_OK) {
        return status;
    }
    t->up = *g;
    t->up.transfer = ng_sim_aligned((2 * g->reach + 1) * g->coarse.columns, sizeof(ng_cf));
    t->measured = ng_sim_aligned(fine, sizeof *t->measured);
    t->ratio = ng_sim_aligned(fine, sizeof *t->ratio);
    if (t->up.transfer == NULL || t->measured == NULL || t->ratio == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for images of %zu x %zu pixels",
                       g->fine.width, g->fine.height);
    }
    fill_up(r);
    fill_effective(r);
    return NG_OK;
}

void ng_sim_two_step_free(struct ng_sim_two_step *t)
{
    if (t != NULL) {
        ng_sim_filter_free(&t->filter);
        ng_sim_aligned_free(t->up.transfer);
        ng_sim_aligned_free(t->measured);
        ng_sim_aligned_free(t->ratio);
        ng_free(t);
    }
}

/* ---- second step: the sum of the bands ---- */

typedef struct second_step {
    ng_sim_reconstructor *r;
    float background, momentum;
    bool bold; /* as in the joint reconstruction */
} second_step;

static ng_status divide_rows(void *context, size_t row, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    const second_step *s = context;
    const size_t n = s->r->grid.fine.width;
    const float *measured = s->r->two_step->measured + row * n, background = s->background;
    float *restrict ratio = s->r->two_step->ratio + row * n;
    for (size_t i = 0; i < n; i++) {
        ratio[i] = ng_larger(measured[i], 0.0F) / (ng_larger(ratio[i], 0.0F) + background);
    }
    return NG_OK;
}

/* The update as in the joint reconstruction, the background as reserve, and Nesterov's push. */
static ng_status correct_rows(void *context, size_t row, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    const second_step *s = context;
    const size_t n = s->r->grid.fine.width;
    const float z = s->background, momentum = s->momentum;
    const bool bold = s->bold;
    float *restrict ratio = s->r->two_step->ratio + row * n;
    float *restrict x = s->r->object + row * n, *restrict before = s->r->spare + row * n;
    for (size_t i = 0; i < n; i++) {
        const float correction = ng_larger(ratio[i], 0.0F);
        const float power = bold ? sqrtf(correction) : 1.0F;
        const float now = ng_larger((x[i] + z) * correction * power - z, 0.0F);
        ratio[i] = x[i] = ng_larger(now + momentum * (now - before[i]), 0.0F);
        before[i] = now;
    }
    return NG_OK;
}

static ng_status deconvolve_sum(second_step *s, long passes, const ng_run *run, ng_error *err)
{
    ng_sim_reconstructor *r = s->r;
    struct ng_sim_two_step *t = r->two_step;
    const size_t pixels = r->grid.fine.width * r->grid.fine.height;
    for (size_t i = 0; i < pixels; i++) {
        t->measured[i] = r->object[i];
        t->ratio[i] = ng_larger(r->object[i] - s->background, 0.0F);
    }
    memcpy(r->object, t->ratio, pixels * sizeof *r->object);
    memcpy(r->spare, t->ratio, pixels * sizeof *r->spare);
    ng_status status = NG_OK;
    for (long pass = 0; pass < passes && status == NG_OK; pass++) {
        s->bold = pass + 1 < passes;
        s->momentum = pass == 0 || pass + 1 == passes ? 0 : (float)(pass - 1) / (float)(pass + 2);
        status = ng_sim_filter_apply(r, &t->filter, t->ratio, run, err);
        status =
            status != NG_OK ? status : ng_sim_loop(r->grid.fine.height, divide_rows, s, run, err);
        status = status != NG_OK ? status : ng_sim_filter_apply(r, &t->filter, t->ratio, run, err);
        status =
            status != NG_OK ? status : ng_sim_loop(r->grid.fine.height, correct_rows, s, run, err);
        if (status == NG_OK && !ng_run_progress(run, "passes", (size_t)pass + 1, (size_t)passes)) {
            return NG_FAIL(err, NG_CANCELLED, "stopped after pass %ld", pass + 1);
        }
    }
    return status;
}

/* ---- both ---- */

ng_status ng_sim_two_step(ng_sim_reconstructor *r, double background, const ng_run *run,
                          ng_sim_run_info *info, ng_error *err)
{
    struct ng_sim_two_step *t = r->two_step;
    const ng_sim_layout *layout = &r->pattern.layout;
    double striped[NG_SIM_MAX_DIRECTIONS];
    for (size_t d = 0; d < layout->directions; d++) {
        striped[d] = 1;
    }
    ng_status status = ng_sim_assemble(r, &t->up, background, striped, run, err);
    if (status != NG_OK) {
        return status;
    }
    /* Per fine pixel, and with its background back, which keeps what is divided by away from 0. */
    second_step second = {.r = r, .background = (float)(0.25 * background)};
    for (size_t i = 0; i < r->grid.fine.width * r->grid.fine.height; i++) {
        r->object[i] = r->object[i] * (float)(0.25 / t->gain) + second.background;
    }
    info->passes = r->options.passes > 0 ? r->options.passes : PASSES;
    status = deconvolve_sum(&second, info->passes, run, err);
    status = status != NG_OK ? status : ng_sim_flux_compare(r, run, info, err);
    return status != NG_OK ? status : ng_sim_smooth(r, r->kernel_nm, run, err);
}
