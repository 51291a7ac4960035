/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two steps, after Perez, Chang, Stelzer, Sci. Rep. 6, 37149 (2016): each raw frame is deconvolved,
 * the bands are put in their places, and the sum is deconvolved once more.
 *
 * n passes over a frame, started from the frame, leave H_1 = 1 - (1 - H)(1 - H^2)^n of the object's
 * frequencies (linearised about even light, which the background makes nearly exact). The bands are
 * added with the weight that they come with, m/2: then the sum is positive where the object is, and
 * has the transfer H_e = sum_d [H_1(k) + m/2 (H_1(k - k_d) + H_1(k + k_d))] over its value at 0.
 */
#include "two_step.h"

#include <math.h>
#include <string.h>

#define PASSES 14
/* Sides of the blocks whose light is compared, camera pixels: many spots wide. */
#define BLOCK 16

struct ng_sim_two_step {
    ng_sim_grid up;          /* r->grid, with a transfer that only moves by half a fine pixel */
    float *blur;             /* H on the camera's spectrum, scaled */
    ng_cf *spectrum;         /* of one camera frame */
    float *frame;            /* the data while a frame is deconvolved */
    ng_sim_filter filter;    /* H_e */
    float *measured, *ratio; /* fine: the sum of the bands; what is filtered */
    double gain;             /* H_e before it is divided by its value at 0 */
};

/* ---- tables ---- */

static double after_first(const ng_sim_reconstructor *r, double fx, double fy)
{
    const double per_um = 1e3 / r->pattern.optics.pixel_nm;
    const double h = ng_sim_transfer(&r->pattern.optics, fx * per_um, fy * per_um);
    return h > 0 ? 1 - (1 - h) * pow(1 - h * h, (double)r->options.frame_passes) : 0;
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

/* The camera's spectra: H for the first step; for the way up only the shift, where H lets pass. */
static void fill_camera_tables(ng_sim_reconstructor *r)
{
    struct ng_sim_two_step *t = r->two_step;
    const ng_sim_grid *g = &r->grid;
    const double pixels = (double)g->width * (double)g->height;
    for (size_t j = 0; j <= 2 * g->reach; j++) {
        const double fy = ((double)j - (double)g->reach) / (double)g->height;
        for (size_t x = 0; x < g->coarse.columns; x++) {
            const double fx = (double)x / (double)g->width;
            const size_t i = j * g->coarse.columns + x;
            const double size = sqrt((double)ng_cf_norm(g->transfer[i]));
            const double angle = 2 * NG_SIM_PI * 0.25 * (fx + fy);
            const double pass = size > 0 ? 1 / pixels : 0;
            t->blur[ng_sim_grid_row(j, g->reach, g->height) * g->coarse.columns + x] = (float)size;
            t->up.transfer[i] = (ng_cf){(float)(pass * cos(angle)), (float)(pass * sin(angle))};
        }
    }
}

ng_status ng_sim_two_step_create(ng_sim_reconstructor *r, ng_error *err)
{
    const ng_sim_grid *g = &r->grid;
    const size_t camera = g->coarse.columns * g->height, fine = g->fine.width * g->fine.height;
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
    t->blur = ng_sim_aligned(camera, sizeof *t->blur);
    t->spectrum = ng_sim_aligned(camera, sizeof *t->spectrum);
    t->frame = ng_sim_aligned(g->width * g->height, sizeof *t->frame);
    t->measured = ng_sim_aligned(fine, sizeof *t->measured);
    t->ratio = ng_sim_aligned(fine, sizeof *t->ratio);
    if (t->up.transfer == NULL || t->blur == NULL || t->spectrum == NULL || t->frame == NULL ||
        t->measured == NULL || t->ratio == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for images of %zu x %zu pixels",
                       g->fine.width, g->fine.height);
    }
    fill_camera_tables(r);
    fill_effective(r);
    return NG_OK;
}

void ng_sim_two_step_free(struct ng_sim_two_step *t)
{
    if (t != NULL) {
        ng_sim_filter_free(&t->filter);
        ng_sim_aligned_free(t->up.transfer);
        ng_sim_aligned_free(t->blur);
        ng_sim_aligned_free(t->spectrum);
        ng_sim_aligned_free(t->frame);
        ng_sim_aligned_free(t->measured);
        ng_sim_aligned_free(t->ratio);
        ng_free(t);
    }
}

/* ---- first step: a camera frame ---- */

typedef struct first_step {
    ng_sim_reconstructor *r;
    float *estimate; /* the frame in r->data */
    float background;
    bool compare; /* what comes back is the expectation; else the correction */
} first_step;

static ng_status rows_in(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const first_step *f = context;
    const ng_sim_lattice *l = &f->r->grid.coarse;
    ng_cf *pair = ng_sim_scratch(f->r, worker);
    ng_cf *out = f->r->two_step->spectrum + 2 * index * l->columns;
    const float *row = f->estimate + 2 * index * l->width;
    for (size_t i = 0; i < l->width; i++) {
        pair[i] = (ng_cf){row[i], row[l->width + i]};
    }
    ng_sim_lattice_rows_forward(l, pair, pair + l->width, out, out + l->columns);
    return NG_OK;
}

static ng_status camera_columns(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const first_step *f = context;
    const ng_sim_lattice *l = &f->r->grid.coarse;
    const size_t column = index * NG_SIM_BLOCK;
    ng_cf *block = ng_sim_scratch(f->r, worker);
    ng_sim_lattice_take(l, f->r->two_step->spectrum, column, block);
    for (size_t y = 0; y < l->height; y++) {
        const float *h = f->r->two_step->blur + y * l->columns + column;
        for (size_t i = 0; i < NG_SIM_BLOCK; i++) {
            block[y * NG_SIM_BLOCK + i].re *= h[i];
            block[y * NG_SIM_BLOCK + i].im *= h[i];
        }
    }
    ng_sim_lattice_give(l, block, block + l->height * NG_SIM_BLOCK, column,
                        f->r->two_step->spectrum);
    return NG_OK;
}

/* Expectation to ratio and straight into the transform back, or the correction into the
 * estimate. */
static ng_status rows_out(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const first_step *f = context;
    const ng_sim_lattice *l = &f->r->grid.coarse;
    const size_t n = l->width, at = 2 * index * n;
    ng_cf *pair = ng_sim_scratch(f->r, worker);
    ng_cf *spectrum = f->r->two_step->spectrum + 2 * index * l->columns;
    const float *data = f->r->two_step->frame + at;
    float *estimate = f->estimate + at;
    ng_sim_lattice_rows_backward(l, spectrum, spectrum + l->columns, pair + n, pair);
    if (f->compare) {
        const float least = 0.05F * f->background + 1e-6F;
        for (size_t i = 0; i < n; i++) {
            pair[i] = (ng_cf){data[i] / ng_larger(pair[i].re, least),
                              data[n + i] / ng_larger(pair[i].im, least)};
        }
        ng_sim_lattice_rows_forward(l, pair, pair + n, spectrum, spectrum + l->columns);
    } else {
        for (size_t i = 0; i < n; i++) {
            estimate[i] *= ng_larger(pair[i].re, 0.0F);
            estimate[n + i] *= ng_larger(pair[i].im, 0.0F);
        }
    }
    return NG_OK;
}

/* Around the frame there is background, and nowhere nothing. */
static void first_estimate(const first_step *f)
{
    const ng_sim_grid *g = &f->r->grid;
    const ng_sim_layout *layout = &f->r->pattern.layout;
    const size_t pixels = g->width * g->height;
    const float least = 0.05F * f->background + 1e-6F;
    float *restrict frame = f->r->two_step->frame, *restrict estimate = f->estimate;
    for (size_t i = 0; i < pixels; i++) {
        frame[i] = f->background;
    }
    for (size_t y = g->top; y < g->top + layout->height; y++) {
        const size_t at = y * g->width + g->left;
        memcpy(frame + at, estimate + at, layout->width * sizeof *frame);
    }
    for (size_t i = 0; i < pixels; i++) {
        estimate[i] = ng_larger(frame[i], least);
    }
}

static ng_status deconvolve_frame(first_step *f, const ng_run *run, ng_error *err)
{
    const ng_sim_grid *g = &f->r->grid;
    const size_t blocks = g->coarse.columns / NG_SIM_BLOCK;
    first_estimate(f);
    ng_status status = NG_OK;
    for (long pass = 0; pass < f->r->options.frame_passes && status == NG_OK; pass++) {
        f->compare = true;
        status = ng_sim_loop(g->height / 2, rows_in, f, run, err);
        for (int half = 0; half < 2 && status == NG_OK; half++) {
            status = ng_sim_loop(blocks, camera_columns, f, run, err);
            if (status == NG_OK) {
                status = ng_sim_loop(g->height / 2, rows_out, f, run, err);
            }
            f->compare = false;
        }
    }
    return status;
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

/* ---- between the steps ---- */

/* Sums over a block of one direction's bands: even light, and what is left of the stripes when they
 * are moved to k = 0. */
static void sum_bands(const ng_sim_reconstructor *r, size_t d, size_t left, size_t top,
                      double weight[3][NG_SIM_MAX_PHASES], double sum[2])
{
    const ng_sim_grid *g = &r->grid;
    const ng_cf *wave_x = ng_sim_scratch(r, 0), *wave_y = wave_x + g->width;
    const size_t phases = r->pattern.layout.phases, plane = g->width * g->height;
    sum[0] = sum[1] = 0;
    for (size_t y = top; y < top + BLOCK; y++) {
        for (size_t x = left; x < left + BLOCK; x++) {
            const float *at = r->data + d * phases * plane + y * g->width + x;
            double band[3] = {0, 0, 0};
            for (size_t p = 0; p < phases; p++) {
                for (int i = 0; i < 3; i++) {
                    band[i] += weight[i][p] * (double)at[p * plane];
                }
            }
            const ng_cf wave = ng_cf_mul(wave_x[x], wave_y[y]);
            sum[0] += band[0];
            sum[1] += band[1] * (double)wave.re + band[2] * (double)wave.im;
        }
    }
}

/* Richardson-Lucy sharpens bright spots more than its linear transfer says, and their stripes come
 * out too strong for H_e. In blocks far larger than a spot the stripes hold m H_1(k) of the light
 * of the band in the middle; what makes it so is the weight of the former. */
static double weight_of_stripes(const ng_sim_reconstructor *r, size_t d)
{
    const ng_sim_direction *dir = &r->pattern.direction[d];
    const ng_sim_layout *layout = &r->pattern.layout;
    double weight[3][NG_SIM_MAX_PHASES], n = 0, x = 0, y = 0, xx = 0, xy = 0;
    ng_sim_frame_weights(layout->phases, dir->phase, dir->intensity, weight);
    ng_cf *wave = ng_sim_scratch(r, 0);
    ng_sim_wave(dir->kx, r->grid.width, -(double)r->grid.left, 1, wave);
    ng_sim_wave(dir->ky, r->grid.height, -(double)r->grid.top, 1, wave + r->grid.width);
    for (size_t top = 0; top + BLOCK <= layout->height; top += BLOCK) {
        for (size_t left = 0; left + BLOCK <= layout->width; left += BLOCK) {
            double sum[2];
            sum_bands(r, d, left + r->grid.left, top + r->grid.top, weight, sum);
            n++, x += sum[0], y += sum[1], xx += sum[0] * sum[0], xy += sum[0] * sum[1];
        }
    }
    const double slope = (n * xy - x * y) / (n * xx - x * x);
    const double expected = dir->modulation * after_first(r, dir->kx, dir->ky);
    return slope > 0.5 * expected && slope < 4 * expected ? expected / slope : 1;
}

ng_status ng_sim_two_step(ng_sim_reconstructor *r, double background, const ng_run *run,
                          ng_sim_run_info *info, ng_error *err)
{
    struct ng_sim_two_step *t = r->two_step;
    const ng_sim_layout *layout = &r->pattern.layout;
    const size_t plane = r->grid.width * r->grid.height;
    double striped[NG_SIM_MAX_DIRECTIONS];
    ng_status status = NG_OK;
    for (size_t f = 0; f < ng_sim_layout_frames(layout) && status == NG_OK; f++) {
        first_step first = {
            .r = r, .estimate = r->data + f * plane, .background = (float)background};
        status = deconvolve_frame(&first, run, err);
    }
    for (size_t d = 0; d < layout->directions; d++) {
        striped[d] = weight_of_stripes(r, d);
    }
    status = status != NG_OK ? status : ng_sim_assemble(r, &t->up, background, striped, run, err);
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
