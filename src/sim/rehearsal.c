/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of a scene that is known, as the same microscope would have recorded it: what becomes of
 * them says what false points and errors a reconstruction makes. */
#include "reconstruct_internal.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

/* From point to point, in units of lambda/(2 NA): what noise makes of one does not reach the next
 * one. */
#define SPACING 4.0
/* One over the integral of the square of a point's image, in the square of the same unit. */
#define AREA 2.3
/* Light of the dimmest points over the error that the background alone would cause, and by how
 * much that of the others grows. */
#define DIMMEST 8.0
#define GROWTH 2.0
enum { LIGHTS = 5, JITTER = 3, STREAM_PLACES = 0, STREAM_FRAMES = 1 };

/* ---- the scene ---- */

static double dimmest_of(const ng_sim_pattern *pattern, double background, double cutoff)
{
    const ng_sim_camera *camera = &pattern->camera;
    const double variance = camera->gain * background + camera->read_noise * camera->read_noise;
    const double each = fmax(variance, camera->gain * camera->gain) * AREA / (cutoff * cutoff);
    return DIMMEST * sqrt(each / (double)ng_sim_layout_frames(&pattern->layout));
}

/* Points on a lattice, a little off it, so that they meet pixels and stripes as they happen to. */
static void place_points(ng_sim_reconstructor *r, double background, gsl_rng *rng)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    const double cutoff =
        ng_sim_cutoff_per_um(&r->pattern.optics) * 1e-3 * r->pattern.optics.pixel_nm;
    const size_t step = 2 * (size_t)ceil(SPACING / cutoff), fine = r->grid.fine.width;
    const size_t across = 2 * layout->width / step, down = 2 * layout->height / step;
    const double dimmest = dimmest_of(&r->pattern, background, cutoff);
    memset(r->object, 0, fine * r->grid.fine.height * sizeof *r->object);
    for (size_t i = 0; i < across * down; i++) {
        const size_t column = i % across, row = i / across;
        const size_t x = step / 2 + column * step + gsl_rng_uniform_int(rng, 2 * JITTER + 1);
        const size_t y = step / 2 + row * step + gsl_rng_uniform_int(rng, 2 * JITTER + 1);
        const double light = dimmest * pow(GROWTH, (double)((column + 2 * row) % LIGHTS));
        r->object[(y - JITTER + 2 * r->grid.top) * fine + x - JITTER + 2 * r->grid.left] =
            (float)light;
    }
}

/* ---- what the camera expects ---- */

typedef struct camera_view {
    ng_sim_reconstructor *r;
    const ng_sim_subset *subset;
    size_t direction;
    float background;
    float *expected;
} camera_view;

static void view_row(const camera_view *v, size_t row, const float *even, const ng_cf *wave)
{
    const ng_sim_grid *g = &v->r->grid;
    const ng_sim_layout *layout = &v->r->pattern.layout;
    for (size_t p = 0; p < layout->phases; p++) {
        const ng_sim_response t = v->subset->term[p];
        float *out = v->expected + (ng_sim_layout_index(layout, v->direction, p) * layout->height +
                                    row - g->top) *
                                       layout->width;
        for (size_t i = 0; i < layout->width; i++) {
            const size_t at = g->left + i;
            float light = t.even * even[2 * at];
            if (v->subset->striped) {
                light += t.cosine * wave[at].re + t.sine * wave[at].im;
            }
            out[i] = ng_larger(light, 0.0F) + v->background;
        }
    }
}

static ng_status view_rows(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const camera_view *v = context;
    const ng_sim_grid *g = &v->r->grid;
    const size_t n = g->width, row = 2 * index, bottom = g->top + v->r->pattern.layout.height;
    ng_cf *s = ng_sim_scratch(v->r, worker);
    ng_cf *const pair[4] = {s, s + n, s + 2 * n, s + 3 * n};
    ng_sim_rows_back(&g->coarse, v->r->coarse_spectrum, v->subset->striped ? 3 : 1, row, pair);
    for (size_t k = 0; k < 2; k++) {
        if (row + k >= g->top && row + k < bottom) {
            view_row(v, row + k, &pair[0]->re + k, pair[1 + k]);
        }
    }
    return NG_OK;
}

ng_status ng_sim_rehearsal(const ng_sim_pattern *pattern, double background, float *expected,
                           ng_error *err)
{
    const ng_sim_reconstruct_options options = ng_sim_reconstruct_defaults();
    ng_sim_subset subset[NG_SIM_MAX_DIRECTIONS];
    camera_view v = {.background = (float)background, .expected = expected};
    gsl_rng *rng = ng_random_open(1, STREAM_PLACES);
    ng_status status = rng != NULL ? ng_sim_reconstructor_create(pattern, &options, 1, &v.r, err)
                                   : NG_FAIL(err, NG_MEMORY, "out of memory for random numbers");
    if (status == NG_OK) {
        place_points(v.r, background, rng);
        ng_sim_all_subsets(v.r, subset);
    }
    for (size_t d = 0; status == NG_OK && d < pattern->layout.directions; d++) {
        v.subset = &subset[d];
        v.direction = d;
        status = ng_sim_joint_light(v.r, v.subset, NULL, err);
        status =
            status != NG_OK ? status : ng_sim_loop(v.r->grid.height / 2, view_rows, &v, NULL, err);
    }
    ng_sim_reconstructor_destroy(v.r);
    ng_random_close(rng);
    return status;
}

/* ---- what it records ---- */

ng_status ng_sim_record(const ng_sim_layout *layout, const ng_sim_camera *camera,
                        const float *expected, size_t take, float *frames, ng_error *err)
{
    const size_t n = ng_sim_layout_frames(layout) * layout->width * layout->height;
    gsl_rng *rng = ng_random_open(1, STREAM_FRAMES + take);
    if (rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for random numbers");
    }
    for (size_t i = 0; i < n; i++) {
        const double electrons = gsl_ran_poisson(rng, (double)expected[i] / camera->gain);
        frames[i] = (float)(camera->offset + camera->gain * electrons +
                            gsl_ran_gaussian(rng, camera->read_noise));
    }
    ng_random_close(rng);
    return NG_OK;
}
