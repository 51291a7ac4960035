/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Wiener reconstruction, and the putting together of bands that two-step shares.
 *
 * With steps that even out, sum_p I_p H^T H I_p is a filter, N(k) = 4 P sum_d [H^2(k) + m^2/4
 * (H^2(k - k_d) + H^2(k + k_d))], so that least squares with a penalty w^2 on the light is
 * sum_p I_p H^T d_p over N + w^2 N(0), in one go. Source: Gustafsson, J. Microsc. 198, 82
 * (2000), Eq. 9.
 */
#include "linear.h"

#include <math.h>
#include <string.h>

/* ---- bands onto the fine grid ---- */

typedef struct assembly {
    ng_sim_reconstructor *r;
    const ng_sim_grid *grid;
    const ng_cf *wave_x, *wave_y;
    const float *frame; /* the direction's first */
    size_t frames;
    float weight[3][NG_SIM_MAX_PHASES];
    float background, striped;
} assembly;

/* A row of the three bands, k: which of the two in pair[0]. `even` is scratch. */
static void add_bands(const assembly *a, size_t row, size_t k, ng_cf *const pair[4],
                      float *restrict even)
{
    const ng_sim_grid *g = a->grid;
    const size_t left = g->left, right = left + a->r->pattern.layout.width;
    const float *frame = a->frame + row * g->width, background = a->background;
    ng_cf *restrict striped = pair[1 + k];
    memset(even, 0, right * sizeof *even);
    for (size_t p = 0; p < a->frames; p++, frame += g->width * g->height) {
        const float weight[3] = {a->weight[0][p], a->weight[1][p], a->weight[2][p]};
        for (size_t i = left; i < right; i++) {
            const float value = frame[i] - background;
            even[i] += weight[0] * value;
            striped[i].re += weight[1] * value;
            striped[i].im += weight[2] * value;
        }
    }
    for (size_t i = left; i < right; i++) {
        *(k == 0 ? &pair[0][i].re : &pair[0][i].im) = even[i];
    }
}

static ng_status band_rows(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const assembly *a = context;
    const size_t n = a->grid->width, row = 2 * index, top = a->grid->top;
    ng_cf *scratch = ng_sim_scratch(a->r, worker);
    ng_cf *const pair[4] = {scratch, scratch + n, scratch + 2 * n, scratch + 3 * n};
    memset(scratch, 0, 3 * n * sizeof *scratch);
    for (size_t k = 0; k < 2; k++) {
        if (row + k >= top && row + k < top + a->r->pattern.layout.height) {
            add_bands(a, row + k, k, pair, &pair[3]->re);
        }
    }
    ng_sim_rows_forth(&a->grid->coarse, a->r->coarse_spectrum, 3, row, pair);
    return NG_OK;
}

static ng_status band_columns(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const assembly *a = context;
    const size_t blocks = a->grid->fine.columns / NG_SIM_BLOCK, c = index / blocks;
    ng_sim_grid_up(a->grid, a->r->coarse_spectrum[c], a->r->fine_spectrum[c],
                   index % blocks * NG_SIM_BLOCK, ng_sim_scratch(a->r, worker));
    return NG_OK;
}

static ng_status place_rows(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const assembly *a = context;
    const size_t n = a->grid->fine.width, row = 2 * index;
    ng_cf *scratch = ng_sim_scratch(a->r, worker);
    ng_cf *const pair[4] = {scratch, scratch + n, scratch + 2 * n, scratch + 3 * n};
    ng_sim_rows_back(&a->grid->fine, a->r->fine_spectrum, 3, row, pair);
    for (size_t k = 0; k < 2; k++) {
        float *restrict out = a->r->object + (row + k) * n;
        const float *even = &pair[0]->re + k, share = a->striped;
        const ng_cf *striped = pair[1 + k], *wave_x = a->wave_x, wave_y = a->wave_y[row + k];
        for (size_t i = 0; i < n; i++) {
            const ng_cf wave = ng_cf_mul(wave_x[i], wave_y), w = striped[i];
            out[i] += even[2 * i] + share * (wave.re * w.re + wave.im * w.im);
        }
    }
    return NG_OK;
}

static ng_status add_direction(assembly *a, size_t d, const ng_run *run, ng_error *err)
{
    const ng_sim_reconstructor *r = a->r;
    const ng_sim_direction *dir = &r->pattern.direction[d];
    double weight[3][NG_SIM_MAX_PHASES];
    ng_sim_frame_weights(a->frames, dir->phase, dir->intensity, weight);
    for (size_t i = 0; i < 3; i++) {
        for (size_t p = 0; p < a->frames; p++) {
            a->weight[i][p] = (float)weight[i][p];
        }
    }
    a->wave_x = r->wave + d * (a->grid->fine.width + a->grid->fine.height);
    a->wave_y = a->wave_x + a->grid->fine.width;
    a->frame = r->data + d * a->frames * a->grid->width * a->grid->height;
    ng_status status = ng_sim_loop(a->grid->height / 2, band_rows, a, run, err);
    if (status == NG_OK) {
        status = ng_sim_loop(3 * a->grid->fine.columns / NG_SIM_BLOCK, band_columns, a, run, err);
    }
    return status != NG_OK ? status
                           : ng_sim_loop(a->grid->fine.height / 2, place_rows, a, run, err);
}

ng_status ng_sim_assemble(ng_sim_reconstructor *r, const ng_sim_grid *grid, double background,
                          const double *striped, const ng_run *run, ng_error *err)
{
    assembly a = {
        .r = r, .grid = grid, .frames = r->pattern.layout.phases, .background = (float)background};
    memset(r->object, 0, grid->fine.width * grid->fine.height * sizeof *r->object);
    ng_status status = NG_OK;
    for (size_t d = 0; d < r->pattern.layout.directions && status == NG_OK; d++) {
        a.striped = (float)striped[d];
        status = add_direction(&a, d, run, err);
    }
    return status;
}

/* ---- Wiener ---- */

struct ng_sim_linear {
    ng_sim_filter filter;
    float *normal;   /* N over N(0), as the filter lies */
    double normal_0; /* N(0) */
    double used;     /* w^2 that the filter was made for; NAN: none yet */
};

static double square(double x)
{
    return x * x;
}

static double normal_at(const ng_sim_pattern *pattern, double fx, double fy)
{
    const double per_um = 1e3 / pattern->optics.pixel_nm;
    const double middle = square(ng_sim_transfer(&pattern->optics, fx * per_um, fy * per_um));
    double sum = 0;
    for (size_t d = 0; d < pattern->layout.directions; d++) {
        const ng_sim_direction *dir = &pattern->direction[d];
        double moved = 0;
        for (int sign = -1; sign <= 1; sign += 2) {
            moved += square(ng_sim_transfer(&pattern->optics, (fx + sign * dir->kx) * per_um,
                                            (fy + sign * dir->ky) * per_um));
        }
        sum += middle + 0.25 * square(dir->modulation) * moved;
    }
    return 4 * (double)pattern->layout.phases * sum;
}

ng_status ng_sim_linear_create(ng_sim_reconstructor *r, ng_error *err)
{
    r->linear = NG_NEW(struct ng_sim_linear, 1);
    if (r->linear == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    struct ng_sim_linear *l = r->linear;
    ng_status status = ng_sim_filter_create(r, &l->filter, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_sim_lattice *lattice = &l->filter.lattice;
    l->normal = ng_sim_aligned(lattice->columns * lattice->height, sizeof *l->normal);
    if (l->normal == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a filter");
    }
    l->used = NAN;
    l->normal_0 = normal_at(&r->pattern, 0, 0);
    for (size_t y = 0; y < lattice->height; y++) {
        const double fy = 2 * ng_sim_bin(y, lattice->height);
        for (size_t x = 0; x < lattice->columns; x++) {
            const double fx = 2 * (double)x / (double)lattice->width;
            l->normal[y * lattice->columns + x] =
                (float)(normal_at(&r->pattern, fx, fy) / l->normal_0);
        }
    }
    return NG_OK;
}

void ng_sim_linear_free(struct ng_sim_linear *linear)
{
    if (linear != NULL) {
        ng_sim_filter_free(&linear->filter);
        ng_sim_aligned_free(linear->normal);
        ng_free(linear);
    }
}

/* Noise over signal: variance of a camera pixel over the mean square of the light on a fine pixel,
 * which the wide field without its noise tells through sum H^2. */
static double chosen_parameter(const ng_sim_reconstructor *r, double background)
{
    const ng_sim_grid *g = &r->grid;
    const ng_sim_layout *layout = &r->pattern.layout;
    const size_t plane = g->width * g->height, frames = ng_sim_layout_frames(layout);
    const double pixels = (double)layout->width * (double)layout->height;
    double mean = 0, square_sum = 0, passed = 0;
    for (size_t y = g->top; y < g->top + layout->height; y++) {
        for (size_t x = g->left; x < g->left + layout->width; x++) {
            const double value = (double)r->mean[y * g->width + x];
            mean += value;
            square_sum += square(value - background);
        }
    }
    mean /= pixels;
    square_sum /= pixels;
    for (size_t j = 0; j <= 2 * g->reach; j++) {
        for (size_t i = 0; i < g->coarse.columns; i++) {
            const ng_cf h = g->transfer[j * g->coarse.columns + i];
            passed += (i == 0 ? 1 : 2) * (double)ng_cf_norm(h) * (double)plane;
        }
    }
    const double variance = r->pattern.camera.gain * mean;
    const double signal = fmax(square_sum - variance / (double)frames, 0.01 * variance);
    /* `passed` holds the mean of H^2 over the camera's frequencies. */
    return 4 * passed * variance / signal / r->linear->normal_0;
}

static void fill_factor(ng_sim_reconstructor *r, double parameter)
{
    const struct ng_sim_linear *l = r->linear;
    const ng_sim_lattice *lattice = &l->filter.lattice;
    const double per_um = 2e3 / r->pattern.optics.pixel_nm;
    const double sigma_um = 1e-3 * r->kernel_nm / sqrt(8 * log(2));
    const double scale = (double)r->pattern.layout.phases * (1 + parameter) / l->normal_0 /
                         ((double)lattice->width * (double)lattice->height);
    for (size_t y = 0; y < lattice->height; y++) {
        const double fy = ng_sim_bin(y, lattice->height) * per_um;
        for (size_t x = 0; x < lattice->columns; x++) {
            const double fx = (double)x / (double)lattice->width * per_um;
            const double blur = exp(-2 * square(NG_SIM_PI * sigma_um) * (fx * fx + fy * fy));
            const size_t i = y * lattice->columns + x;
            l->filter.factor[i] =
                l->normal[i] > 0 ? (float)(scale * blur / ((double)l->normal[i] + parameter)) : 0;
        }
    }
    r->linear->used = parameter;
}

ng_status ng_sim_linear(ng_sim_reconstructor *r, double background, const ng_run *run,
                        ng_error *err)
{
    double striped[NG_SIM_MAX_DIRECTIONS];
    const double parameter =
        isnan(r->options.wiener) ? chosen_parameter(r, background) : r->options.wiener;
    if (parameter != r->linear->used) {
        fill_factor(r, parameter);
    }
    for (size_t d = 0; d < r->pattern.layout.directions; d++) {
        striped[d] = 0.5 * r->pattern.direction[d].modulation;
    }
    const ng_status status = ng_sim_assemble(r, &r->grid, background, striped, run, err);
    return status != NG_OK ? status
                           : ng_sim_filter_apply(r, &r->linear->filter, r->object, run, err);
}
