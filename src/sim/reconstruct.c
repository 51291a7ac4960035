/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The object that reconstructs: what it holds, and the way through. */
#include "reconstruct_internal.h"

#include "linear.h"
#include "two_step.h"

#include <math.h>
#include <string.h>

#define SIDE 8
/* Below so many camera pixels threads wait for one another longer than they work. */
#define SMALL 25000

ng_sim_reconstruct_options ng_sim_reconstruct_defaults(void)
{
    return (ng_sim_reconstruct_options){.mode = NG_SIM_JOINT,
                                        .background = NAN,
                                        .passes = 0,
                                        .frame_passes = 1,
                                        .kernel_nm = NAN,
                                        .wiener = NAN,
                                        .margin = 8};
}

double ng_sim_finest_nm(const ng_sim_pattern *pattern)
{
    const ng_sim_layout *layout = &pattern->layout;
    double k = 0;
    for (size_t d = 0; d < layout->directions; d++) {
        k += hypot(pattern->direction[d].kx, pattern->direction[d].ky) / (double)layout->directions;
    }
    return 1e3 / (ng_sim_cutoff_per_um(&pattern->optics) + 1e3 * k / pattern->optics.pixel_nm);
}

static bool is_coarse(ng_sim_mode mode)
{
    return mode == NG_SIM_WIDEFIELD || mode == NG_SIM_SECTION;
}

static bool is_iterated(ng_sim_mode mode)
{
    return mode == NG_SIM_JOINT || mode == NG_SIM_DECONVOLVED;
}

void ng_sim_reconstructor_size(const ng_sim_reconstructor *r, size_t *width, size_t *height)
{
    const size_t fold = is_coarse(r->options.mode) ? 1 : 2;
    *width = fold * r->pattern.layout.width;
    *height = fold * r->pattern.layout.height;
}

void ng_sim_reconstructor_phases(ng_sim_reconstructor *r, const ng_sim_pattern *pattern)
{
    for (size_t d = 0; d < r->pattern.layout.directions; d++) {
        memcpy(r->pattern.direction[d].phase, pattern->direction[d].phase,
               sizeof r->pattern.direction[d].phase);
        memcpy(r->pattern.direction[d].intensity, pattern->direction[d].intensity,
               sizeof r->pattern.direction[d].intensity);
    }
}

/* ---- memory ---- */

static ng_status check_options(const ng_sim_reconstruct_options *o, ng_error *err)
{
    if (o->passes < 0 || o->passes > 1000) {
        return NG_FAIL(err, NG_INVALID,
                       "%ld passes; 1 to 1000 can be made, 0 lets the image decide", o->passes);
    }
    if (o->frame_passes < 1 || o->frame_passes > 100) {
        return NG_FAIL(err, NG_INVALID, "%ld passes over each frame; 1 to 100 can be made",
                       o->frame_passes);
    }
    if (o->margin < 0 || o->margin > 256) {
        return NG_FAIL(err, NG_INVALID, "a margin of %ld pixels; 0 to 256 can be used", o->margin);
    }
    return NG_OK;
}

static ng_status create_joint(ng_sim_reconstructor *r, ng_error *err)
{
    const ng_sim_lattice *fine = &r->grid.fine;
    const size_t blocks = ((fine->width + SIDE - 1) / SIDE) * ((fine->height + SIDE - 1) / SIDE);
    r->coverage = ng_sim_aligned(fine->width * fine->height, sizeof *r->coverage);
    r->lit = NG_NEW(double, 2 * blocks);
    if (r->coverage == NULL || r->lit == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for images of %zu x %zu pixels", fine->width,
                       fine->height);
    }
    return ng_sim_joint_coverage(r, err);
}

static ng_status create_spectra(ng_sim_reconstructor *r, ng_error *err)
{
    const ng_sim_lattice *fine = &r->grid.fine, *coarse = &r->grid.coarse;
    for (size_t c = 0; c < (r->options.mode == NG_SIM_DECONVOLVED ? 1U : 3U); c++) {
        r->fine_spectrum[c] = ng_sim_aligned(fine->columns * fine->height, sizeof(ng_cf));
        r->coarse_spectrum[c] = ng_sim_aligned(coarse->columns * coarse->height, sizeof(ng_cf));
        if (r->fine_spectrum[c] == NULL || r->coarse_spectrum[c] == NULL) {
            return NG_FAIL(err, NG_MEMORY, "out of memory for spectra of %zu x %zu", fine->width,
                           fine->height);
        }
    }
    return NG_OK;
}

static void fill_waves(ng_sim_reconstructor *r)
{
    const ng_sim_grid *g = &r->grid;
    for (size_t d = 0; d < r->pattern.layout.directions; d++) {
        ng_cf *wave = r->wave + d * (g->fine.width + g->fine.height);
        const ng_sim_direction *dir = &r->pattern.direction[d];
        /* Fine pixel 0 of the frame is a quarter of a pixel left of the centre of pixel 0. */
        ng_sim_wave(dir->kx, g->fine.width, -(double)g->left - 0.25, 0.5, wave);
        ng_sim_wave(dir->ky, g->fine.height, -(double)g->top - 0.25, 0.5, wave + g->fine.width);
    }
}

static ng_status create_common(ng_sim_reconstructor *r, ng_error *err)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    const ng_sim_grid *g = &r->grid;
    const size_t fine = g->fine.width * g->fine.height;
    const size_t lines = 4 * g->fine.width;
    const size_t blocks = 2 * g->fine.height * NG_SIM_BLOCK;
    r->scratch_each = (lines > blocks ? lines : blocks) + NG_SIM_BLOCK;
    r->scratch_each -= r->scratch_each % NG_SIM_BLOCK;
    r->scratch = ng_sim_aligned(r->scratch_each * (size_t)r->threads, sizeof *r->scratch);
    r->wave =
        ng_sim_aligned(layout->directions * (g->fine.width + g->fine.height), sizeof *r->wave);
    r->data = ng_sim_aligned(ng_sim_layout_frames(layout) * g->width * g->height, sizeof *r->data);
    r->mean = ng_sim_aligned(g->width * g->height, sizeof *r->mean);
    r->sorted = NG_NEW(float, 2 * layout->width * layout->height);
    if (!is_coarse(r->options.mode)) {
        r->object = ng_sim_aligned(fine, sizeof *r->object);
        r->spare = ng_sim_aligned(fine, sizeof *r->spare);
    }
    if (r->scratch == NULL || r->wave == NULL || r->data == NULL || r->mean == NULL ||
        r->sorted == NULL ||
        (!is_coarse(r->options.mode) && (r->object == NULL || r->spare == NULL))) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for images of %zu x %zu pixels",
                       g->fine.width, g->fine.height);
    }
    fill_waves(r);
    if (is_coarse(r->options.mode)) {
        return NG_OK;
    }
    const ng_status status = create_spectra(r, err);
    if (status != NG_OK || r->options.mode == NG_SIM_WIENER) {
        return status;
    }
    return ng_sim_flux_create(r, err);
}

ng_status ng_sim_reconstructor_create(const ng_sim_pattern *pattern,
                                      const ng_sim_reconstruct_options *options, int threads,
                                      ng_sim_reconstructor **out, ng_error *err)
{
    *out = NULL;
    ng_status status = ng_sim_layout_check(&pattern->layout, err);
    status = status != NG_OK ? status : ng_sim_optics_check(&pattern->optics, err);
    status = status != NG_OK ? status : check_options(options, err);
    if (status != NG_OK) {
        return status;
    }
    ng_sim_reconstructor *r = NG_NEW(ng_sim_reconstructor, 1);
    if (r == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    r->pattern = *pattern;
    r->options = *options;
    r->threads = threads > 1 ? threads : 1;
    r->kernel_nm =
        isnan(options->kernel_nm) ? NG_SIM_KERNEL * ng_sim_finest_nm(pattern) : options->kernel_nm;
    status = ng_sim_grid_create(pattern, (size_t)options->margin, &r->grid, err);
    status = status != NG_OK ? status : create_common(r, err);
    if (status == NG_OK && is_iterated(options->mode)) {
        status = create_joint(r, err);
    } else if (status == NG_OK && options->mode == NG_SIM_TWO_STEP) {
        status = ng_sim_two_step_create(r, err);
    } else if (status == NG_OK && options->mode == NG_SIM_WIENER) {
        status = ng_sim_linear_create(r, err);
    }
    if (status != NG_OK) {
        ng_sim_reconstructor_destroy(r);
        return status;
    }
    *out = r;
    return NG_OK;
}

void ng_sim_reconstructor_destroy(ng_sim_reconstructor *r)
{
    if (r == NULL) {
        return;
    }
    ng_sim_two_step_free(r->two_step);
    ng_sim_linear_free(r->linear);
    ng_sim_grid_free(&r->grid);
    ng_sim_aligned_free(r->wave);
    ng_sim_aligned_free(r->data);
    ng_sim_aligned_free(r->mean);
    ng_sim_aligned_free(r->object);
    ng_sim_aligned_free(r->spare);
    ng_sim_aligned_free(r->coverage);
    for (size_t c = 0; c < 3; c++) {
        ng_sim_aligned_free(r->fine_spectrum[c]);
        ng_sim_aligned_free(r->coarse_spectrum[c]);
    }
    ng_sim_aligned_free(r->scratch);
    ng_free(r->block);
    ng_free(r->lit);
    ng_free(r->sorted);
    ng_free(r);
}

/* ---- frames in ---- */

/* Richardson-Lucy takes data for Poisson counts. Gaussian noise of variance v beside them looks the
 * same to it when v is added to both sides. */
double ng_sim_load_frames(ng_sim_reconstructor *r, const float *frames)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    const ng_sim_camera *camera = &r->pattern.camera;
    const ng_sim_grid *g = &r->grid;
    const double extra = camera->read_noise * camera->read_noise / camera->gain;
    const float shift = (float)(camera->offset - extra);
    const size_t n = ng_sim_layout_frames(layout), plane = g->width * g->height;
    const float share = 1 / (float)n;
    memset(r->mean, 0, plane * sizeof *r->mean);
    for (size_t f = 0; f < n; f++) {
        const float *from =
            frames + ng_sim_layout_index(layout, f / layout->phases, f % layout->phases) *
                         layout->width * layout->height;
        for (size_t y = 0; y < layout->height; y++) {
            const size_t at = (y + g->top) * g->width + g->left;
            float *restrict to = r->data + f * plane + at, *restrict mean = r->mean + at;
            for (size_t x = 0; x < layout->width; x++) {
                to[x] = ng_larger(from[y * layout->width + x] - shift, 0.0F);
                mean[x] += share * to[x];
            }
        }
    }
    return extra;
}

double ng_sim_reconstructor_background(ng_sim_reconstructor *r, const float *frames)
{
    const double extra = ng_sim_load_frames(r, frames);
    return ng_sim_background(r) - extra;
}

void ng_sim_reconstructor_set_background(ng_sim_reconstructor *r, double counts)
{
    r->options.background = counts;
}

void ng_sim_reconstructor_set_passes(ng_sim_reconstructor *r, long passes)
{
    r->options.passes = passes;
}

/* ---- images out ---- */

static void crop(const ng_sim_reconstructor *r, const float *padded, float *image)
{
    const size_t width = 2 * r->pattern.layout.width, height = 2 * r->pattern.layout.height;
    for (size_t y = 0; y < height; y++) {
        memcpy(image + y * width,
               padded + (y + 2 * r->grid.top) * r->grid.fine.width + 2 * r->grid.left,
               width * sizeof *image);
    }
}

void ng_sim_all_subsets(const ng_sim_reconstructor *r, ng_sim_subset *subset)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    for (size_t d = 0; d < layout->directions; d++) {
        const ng_sim_direction *dir = &r->pattern.direction[d];
        ng_sim_subset *s = &subset[d];
        *s = (ng_sim_subset){.frames = layout->phases, .striped = dir->modulation > 0};
        s->data = r->data + d * layout->phases * r->grid.width * r->grid.height;
        s->wave_x = r->wave + d * (r->grid.fine.width + r->grid.fine.height);
        s->wave_y = s->wave_x + r->grid.fine.width;
        for (size_t p = 0; p < layout->phases; p++) {
            const double f = dir->intensity[p], m = f * dir->modulation;
            s->term[p] = (ng_sim_response){(float)f, (float)(m * cos(dir->phase[p])),
                                           (float)(-m * sin(dir->phase[p]))};
        }
    }
}

/* The mean of the frames, without offset and background, on the camera's grid. */
static void widefield(const ng_sim_reconstructor *r, double background, float *image)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    for (size_t y = 0; y < layout->height; y++) {
        const float *row = r->mean + (y + r->grid.top) * r->grid.width + r->grid.left;
        for (size_t x = 0; x < layout->width; x++) {
            image[y * layout->width + x] = row[x] - (float)background;
        }
    }
}

/* A = (2/P) |sum_p d_p exp(-i phi_p)| / m, the mean over the directions: light out of focus is even
 * and falls out. */
static void section(const ng_sim_reconstructor *r, float *image)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    const size_t plane = r->grid.width * r->grid.height;
    memset(image, 0, layout->width * layout->height * sizeof *image);
    for (size_t d = 0; d < layout->directions; d++) {
        const ng_sim_direction *dir = &r->pattern.direction[d];
        float cosine[NG_SIM_MAX_PHASES], sine[NG_SIM_MAX_PHASES];
        for (size_t p = 0; p < layout->phases; p++) {
            const double scale = 2 / ((double)layout->phases * dir->intensity[p] * dir->modulation *
                                      (double)layout->directions);
            cosine[p] = (float)(scale * cos(dir->phase[p]));
            sine[p] = (float)(scale * sin(dir->phase[p]));
        }
        for (size_t i = 0; i < layout->width * layout->height; i++) {
            const size_t y = i / layout->width, x = i % layout->width;
            const float *at = r->data + d * layout->phases * plane +
                              (y + r->grid.top) * r->grid.width + x + r->grid.left;
            float re = 0, im = 0;
            for (size_t p = 0; p < layout->phases; p++) {
                re += cosine[p] * at[p * plane];
                im -= sine[p] * at[p * plane];
            }
            image[i] += sqrtf(re * re + im * im);
        }
    }
}

static ng_status iterate(ng_sim_reconstructor *r, double background, const ng_run *run,
                         float *image, ng_sim_run_info *info, ng_error *err)
{
    ng_sim_subset subset[NG_SIM_MAX_DIRECTIONS];
    size_t n = r->pattern.layout.directions;
    if (r->options.mode == NG_SIM_JOINT) {
        ng_sim_all_subsets(r, subset);
    } else {
        subset[0] = (ng_sim_subset){.frames = 1, .data = r->mean, .term = {{1, 0, 0}}};
        n = 1;
    }
    ng_status status = ng_sim_joint(r, subset, n, background, run, info, err);
    status = status != NG_OK ? status : ng_sim_flux_compare(r, run, info, err);
    status = status != NG_OK ? status : ng_sim_smooth(r, r->kernel_nm, run, err);
    if (status == NG_OK) {
        crop(r, r->object, image);
    }
    return status;
}

ng_run ng_sim_inner_run(const ng_sim_reconstructor *r, const ng_run *run)
{
    ng_run inner = run != NULL ? *run : ng_run_defaults();
    inner.threads = ng_run_threads(run) < r->threads ? ng_run_threads(run) : r->threads;
    if (r->grid.width * r->grid.height < SMALL) {
        inner.threads = 1;
    }
    return inner;
}

ng_status ng_sim_reconstruct(ng_sim_reconstructor *r, const float *frames, const ng_run *run,
                             float *image, ng_sim_run_info *info, ng_error *err)
{
    const ng_run inner = ng_sim_inner_run(r, run);
    const double extra = ng_sim_load_frames(r, frames);
    const double background =
        isnan(r->options.background) ? ng_sim_background(r) : r->options.background + extra;
    *info = (ng_sim_run_info){.settled = true, .light_scale = NAN, .light_scale_se = NAN};
    ng_status status = NG_OK;
    if (r->block != NULL) {
        ng_sim_flux_measure(r);
    }
    switch (r->options.mode) {
    case NG_SIM_JOINT:
    case NG_SIM_DECONVOLVED:
        status = iterate(r, background, &inner, image, info, err);
        break;
    case NG_SIM_TWO_STEP:
    case NG_SIM_WIENER:
        status = r->options.mode == NG_SIM_WIENER
                     ? ng_sim_linear(r, background, &inner, err)
                     : ng_sim_two_step(r, background, &inner, info, err);
        if (status == NG_OK) {
            crop(r, r->object, image);
        }
        break;
    case NG_SIM_WIDEFIELD:
        widefield(r, background, image);
        break;
    case NG_SIM_SECTION:
        section(r, image);
        break;
    }
    info->background = background - extra;
    return status;
}
