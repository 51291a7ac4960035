/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images: operators that are each other's transpose, light that is kept, points that are two. */
#include "sim_scene.h"

#include "sim/reconstruct_internal.h"
#include "test_support.h"

#include <math.h>
#include <string.h>

static float *reconstruct(const ng_sim_pattern *pattern, const ng_sim_reconstruct_options *options,
                          const float *frames, int threads, ng_sim_run_info *info)
{
    ng_error err = {0};
    ng_sim_reconstructor *r = NULL;
    ng_run run = ng_run_defaults();
    size_t width = 0, height = 0;
    run.threads = threads;
    if (ng_sim_reconstructor_create(pattern, options, threads, &r, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    ng_sim_reconstructor_size(r, &width, &height);
    float *image = NG_NEW(float, width *height);
    assert_non_null(image);
    if (ng_sim_reconstruct(r, frames, &run, image, info, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    ng_sim_reconstructor_destroy(r);
    return image;
}

/* ---- H and its transpose -------------------------------------------------------------- */

/* Rows of a fine or coarse image into a spectrum, and back. */
static void rows_in(const ng_sim_lattice *l, const float *image, ng_cf *pair, ng_cf *spectrum)
{
    for (size_t y = 0; y < l->height; y += 2) {
        for (size_t x = 0; x < l->width; x++) {
            pair[x] = (ng_cf){image[y * l->width + x], image[(y + 1) * l->width + x]};
        }
        ng_sim_lattice_rows_forward(l, pair, pair + l->width, spectrum + y * l->columns,
                                    spectrum + (y + 1) * l->columns);
    }
}

static void rows_out(const ng_sim_lattice *l, const ng_cf *spectrum, ng_cf *pair, float *image)
{
    for (size_t y = 0; y < l->height; y += 2) {
        ng_sim_lattice_rows_backward(l, spectrum + y * l->columns, spectrum + (y + 1) * l->columns,
                                     pair + l->width, pair);
        for (size_t x = 0; x < l->width; x++) {
            image[y * l->width + x] = pair[x].re;
            image[(y + 1) * l->width + x] = pair[x].im;
        }
    }
}

/* <H x, r> = <x, H^T r>, and the light of H x is that of x: both to the rounding of 1e4 floats. */
static void test_transpose(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    ng_sim_grid g;
    const ng_synth_sim_options o = sim_scene_options(45, 38);
    assert_int_equal(ng_synth_sim_create(&o, 1, &scene, &err), NG_OK);
    assert_int_equal(ng_sim_grid_create(&scene.pattern, 8, &g, &err), NG_OK);
    const size_t fine = g.fine.width * g.fine.height, coarse = g.width * g.height;
    float *x = NG_NEW(float, fine), *back = NG_NEW(float, fine);
    float *r = NG_NEW(float, coarse), *seen = NG_NEW(float, coarse);
    ng_cf *spectrum = ng_sim_aligned(g.fine.columns * g.fine.height, sizeof(ng_cf));
    ng_cf *small = ng_sim_aligned(g.coarse.columns * g.height, sizeof(ng_cf));
    ng_cf *scratch = ng_sim_aligned(3 * fine, sizeof(ng_cf));
    gsl_rng *rng = ng_random_open(1, 1);
    assert_true(x != NULL && back != NULL && r != NULL && seen != NULL && spectrum != NULL &&
                small != NULL && scratch != NULL && rng != NULL);
    double light = 0, light_seen = 0, left = 0, right = 0;
    for (size_t i = 0; i < fine; i++) {
        x[i] = (float)gsl_rng_uniform(rng);
        light += (double)x[i];
    }
    for (size_t i = 0; i < coarse; i++) {
        r[i] = (float)gsl_rng_uniform(rng) - 0.3F;
    }
    rows_in(&g.fine, x, scratch, spectrum);
    for (size_t c = 0; c < g.fine.columns; c += NG_SIM_BLOCK) {
        ng_sim_grid_down(&g, spectrum, small, c, scratch);
    }
    rows_out(&g.coarse, small, scratch, seen);
    rows_in(&g.coarse, r, scratch, small);
    for (size_t c = 0; c < g.fine.columns; c += NG_SIM_BLOCK) {
        ng_sim_grid_up(&g, small, spectrum, c, scratch);
    }
    rows_out(&g.fine, spectrum, scratch, back);
    for (size_t i = 0; i < coarse; i++) {
        left += (double)seen[i] * (double)r[i];
        light_seen += (double)seen[i];
    }
    for (size_t i = 0; i < fine; i++) {
        right += (double)x[i] * (double)back[i];
    }
    assert_close(left, right, 1e-6 * fabs(left));
    assert_close(light_seen, light, 1e-6 * light);
    gsl_rng_free(rng);
    ng_sim_aligned_free(spectrum);
    ng_sim_aligned_free(small);
    ng_sim_aligned_free(scratch);
    ng_free(x);
    ng_free(back);
    ng_free(r);
    ng_free(seen);
    ng_sim_grid_free(&g);
    ng_synth_sim_free(&scene);
}

/* ---- light ---------------------------------------------------------------------------- */

static double sum_around(const float *image, size_t width, double x, double y, double radius)
{
    double sum = 0;
    for (long j = lround(y - radius); j <= lround(y + radius); j++) {
        for (long i = lround(x - radius); i <= lround(x + radius); i++) {
            sum += (double)image[(size_t)j * width + (size_t)i];
        }
    }
    return sum;
}

/* A point of 2000 counts without noise. What is left after many passes is light that has not been
 * drawn together yet (joint, deconvolved), or beyond the window (Wiener): 3 %. An Airy disk has
 * 3.7 % of its light beyond 1 um. */
static void test_light_is_kept(void **state)
{
    (void)state;
    static const double place[][2] = {{40.3, 37.8}};
    static const ng_sim_mode mode[] = {NG_SIM_JOINT, NG_SIM_WIENER, NG_SIM_DECONVOLVED,
                                       NG_SIM_WIDEFIELD};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(80, 72);
    float *frames = sim_scene_points(&o, place, 1, 2000, false, &scene);
    for (size_t i = 0; i < sizeof mode / sizeof mode[0]; i++) {
        ng_sim_run_info info;
        ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
        how.mode = mode[i];
        how.passes = 40;
        float *image = reconstruct(&scene.pattern, &how, frames, 1, &info);
        const double fold = mode[i] == NG_SIM_WIDEFIELD ? 1 : 2, half = 0.5 * (fold - 1);
        const double sum = sum_around(image, (size_t)(80 * fold), fold * 40.3 + half,
                                      fold * 37.8 + half, 15 * fold);
        assert_close(sum, 2000, mode[i] == NG_SIM_WIDEFIELD ? 90 : 60);
        assert_close(info.background, 20, 0.05);
        ng_free(image);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* Light over true light of nine points of 400 counts over a background of 20, mean. */
static double light_of_nine(ng_sim_mode mode)
{
    double place[9][2], sum = 0;
    for (size_t i = 0; i < 9; i++) {
        place[i][0] = 24.3 + 40 * (double)(i % 3) + 0.37 * (double)i;
        place[i][1] = 25.1 + 40 * (double)(i / 3) - 0.29 * (double)i;
    }
    ng_synth_sim scene;
    ng_sim_run_info info;
    const ng_synth_sim_options o = sim_scene_options(128, 128);
    ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    how.mode = mode;
    float *frames = sim_scene_points(&o, (const double(*)[2])place, 9, 400, true, &scene);
    float *image = reconstruct(&scene.pattern, &how, frames, 1, &info);
    for (size_t i = 0; i < 9; i++) {
        sum += sum_around(image, 256, 2 * place[i][0] + 0.5, 2 * place[i][1] + 0.5, 5) / (9 * 400);
    }
    assert_true(info.light_scale_se > 0 && info.light_scale_se < 0.1);
    assert_close(info.light_scale, 1, 4 * info.light_scale_se);
    ng_free(image);
    ng_free(frames);
    ng_synth_sim_free(&scene);
    return sum;
}

/* Sums over dim points after the default passes. Noise of the mean of nine is 1 %; what the
 * estimate is still too wide by makes 1 % too much (joint) and 4 % (two-step, whose bands without
 * their weights would make it 15 %). */
static void test_light_of_dim_points(void **state)
{
    (void)state;
    assert_close(light_of_nine(NG_SIM_JOINT), 1.01, 0.04);
    assert_close(light_of_nine(NG_SIM_TWO_STEP), 1.04, 0.04);
}

/* Twice the light is twice the sum, through background, noise-free, within half a percent. */
static void test_linear(void **state)
{
    (void)state;
    static const double place[][2] = {{40.3, 37.8}};
    const ng_synth_sim_options o = sim_scene_options(80, 72);
    double sum[2];
    for (size_t i = 0; i < 2; i++) {
        ng_synth_sim scene;
        ng_sim_run_info info;
        ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
        how.passes = 30;
        float *frames = sim_scene_points(&o, place, 1, i == 0 ? 500 : 1000, false, &scene);
        float *image = reconstruct(&scene.pattern, &how, frames, 1, &info);
        sum[i] = sum_around(image, 160, 81.1, 76.1, 12);
        ng_free(image);
        ng_free(frames);
        ng_synth_sim_free(&scene);
    }
    assert_close(sum[1] / sum[0], 2, 0.05);
}

/* ---- two or one ----------------------------------------------------------------------- */

/* Least over the smaller of the two ends, along the line between two places (fine pixels). */
static double dip_between(const float *image, size_t width, double x0, double y0, double x1,
                          double y1)
{
    double value[41], least = HUGE_VAL;
    for (int i = 0; i <= 40; i++) {
        const double x = x0 + (x1 - x0) * i / 40, y = y0 + (y1 - y0) * i / 40;
        const size_t left = (size_t)x, top = (size_t)y;
        const double fx = x - (double)left, fy = y - (double)top;
        const float *at = image + top * width + left;
        value[i] = (1 - fy) * ((1 - fx) * (double)at[0] + fx * (double)at[1]) +
                   fy * ((1 - fx) * (double)at[width] + fx * (double)at[width + 1]);
        least = fmin(least, value[i]);
    }
    return least / fmin(value[0], value[40]);
}

static double dip_of_pair(double distance_nm, double angle)
{
    const double d = distance_nm / 65, x = 40.2, y = 36.1;
    const double place[][2] = {{x, y}, {x + d * cos(angle), y + d * sin(angle)}};
    ng_synth_sim scene;
    ng_sim_run_info info;
    const ng_synth_sim_options o = sim_scene_options(80, 80);
    const ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    float *frames = sim_scene_points(&o, place, 2, 1500, true, &scene);
    float *image = reconstruct(&scene.pattern, &how, frames, 1, &info);
    const double dip = dip_between(image, 160, 2 * place[0][0] + 0.5, 2 * place[0][1] + 0.5,
                                   2 * place[1][0] + 0.5, 2 * place[1][1] + 0.5);
    ng_free(image);
    ng_free(frames);
    ng_synth_sim_free(&scene);
    return dip;
}

/* Two at 110 nm show a dip, two at 60 nm show none: 1500 counts make dips of 1 % by chance. */
static void test_two_points(void **state)
{
    (void)state;
    for (double angle = 0.1; angle < 3; angle += 0.9) {
        const double far = dip_of_pair(110, angle), near = dip_of_pair(60, angle);
        assert_true(far < 0.97);
        assert_true(near >= 1);
    }
}

/* ---- form ----------------------------------------------------------------------------- */

static void test_threads_same_bytes(void **state)
{
    (void)state;
    static const ng_sim_mode mode[] = {NG_SIM_JOINT, NG_SIM_TWO_STEP, NG_SIM_WIENER,
                                       NG_SIM_SECTION};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(61, 50);
    float *frames = sim_scene_frames(&o, 2, true, &scene);
    for (size_t i = 0; i < sizeof mode / sizeof mode[0]; i++) {
        ng_sim_run_info info;
        ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
        how.mode = mode[i];
        how.passes = 5;
        float *one = reconstruct(&scene.pattern, &how, frames, 1, &info);
        float *three = reconstruct(&scene.pattern, &how, frames, 3, &info);
        const size_t n = (mode[i] == NG_SIM_SECTION ? 1 : 4) * 61 * 50;
        assert_memory_equal(one, three, n * sizeof *one);
        for (size_t k = 0; k < n; k++) {
            assert_true(isfinite(one[k]));
            assert_true(mode[i] == NG_SIM_WIENER || one[k] >= 0);
        }
        ng_free(one);
        ng_free(three);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* The section holds the points and none of the background. */
static void test_section(void **state)
{
    (void)state;
    static const double place[][2] = {{40, 36}};
    ng_synth_sim scene;
    ng_sim_run_info info;
    const ng_synth_sim_options o = sim_scene_options(80, 72);
    ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    how.mode = NG_SIM_SECTION;
    float *frames = sim_scene_points(&o, place, 1, 5000, false, &scene);
    float *image = reconstruct(&scene.pattern, &how, frames, 1, &info);
    assert_close((double)image[10 * 80 + 10], 0, 1);
    assert_true((double)image[36 * 80 + 40] > 300);
    ng_free(image);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_bad_options(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    ng_sim_reconstructor *r = NULL;
    const ng_synth_sim_options o = sim_scene_options(48, 48);
    assert_int_equal(ng_synth_sim_create(&o, 1, &scene, &err), NG_OK);
    ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    how.passes = 5000;
    assert_int_equal(ng_sim_reconstructor_create(&scene.pattern, &how, 1, &r, &err), NG_INVALID);
    assert_null(r);
    how = ng_sim_reconstruct_defaults();
    how.margin = -1;
    assert_int_equal(ng_sim_reconstructor_create(&scene.pattern, &how, 1, &r, &err), NG_INVALID);
    ng_synth_sim_free(&scene);
}

/* Each allocation in turn fails: an error, no image, nothing lost (the sanitizer looks). */
static void test_no_memory(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(40, 40);
    assert_int_equal(ng_synth_sim_create(&o, 1, &scene, &err), NG_OK);
    static const ng_sim_mode mode[] = {NG_SIM_JOINT, NG_SIM_TWO_STEP, NG_SIM_WIENER};
    for (size_t i = 0; i < 3; i++) {
        ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
        how.mode = mode[i];
        ng_status status = NG_MEMORY;
        for (size_t k = 1; status != NG_OK && k < 60; k++) {
            ng_sim_reconstructor *r = NULL;
            ng_alloc_fail_after(k);
            status = ng_sim_reconstructor_create(&scene.pattern, &how, 1, &r, &err);
            ng_alloc_fail_after(0);
            assert_true(status == NG_OK || (status == NG_MEMORY && r == NULL));
            ng_sim_reconstructor_destroy(r);
        }
        assert_int_equal(status, NG_OK);
    }
    ng_synth_sim_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_light_is_kept),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_light_of_dim_points),
        cmocka_unit_test(test_two_points),
        cmocka_unit_test(test_section),
        cmocka_unit_test(test_threads_same_bytes),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
