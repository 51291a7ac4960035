/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that cannot be used, and the camera that took those that can. */
#include "sim_scene.h"

#include "test_support.h"

#include <math.h>
#include <string.h>

static void test_order(void **state)
{
    (void)state;
    ng_sim_layout layout = {64, 64, 3, 5, NG_SIM_ANGLE_MAJOR};
    assert_int_equal(ng_sim_layout_frames(&layout), 15);
    assert_int_equal(ng_sim_layout_index(&layout, 2, 1), 11);
    layout.order = NG_SIM_PHASE_MAJOR;
    assert_int_equal(ng_sim_layout_index(&layout, 2, 1), 5);
}

static void test_unusable(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(48, 40);
    float *frames = sim_scene_frames(&o, 1, true, &scene);
    const ng_sim_layout *layout = &scene.pattern.layout;
    assert_int_equal(ng_sim_frames_check(layout, frames, 0, &err), NG_OK);
    frames[4 * 48 * 40 + 3 * 48 + 7] = NAN;
    assert_int_equal(ng_sim_frames_check(layout, frames, 9, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "frame 13 (the first is 0): the pixel at column 7, row 3"));
    memset(frames + 4 * 48 * 40, 0, 48 * 40 * sizeof *frames);
    assert_int_equal(ng_sim_frames_check(layout, frames, 0, &err), NG_TOO_LITTLE);
    assert_non_null(strstr(err.message, "frame 4 (the first is 0): every pixel is 0"));
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_bad_layouts(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_sim_layout layout = {16, 64, 3, 3, NG_SIM_ANGLE_MAJOR};
    assert_int_equal(ng_sim_layout_check(&layout, &err), NG_INVALID);
    layout = (ng_sim_layout){64, 64, 3, 2, NG_SIM_ANGLE_MAJOR};
    assert_int_equal(ng_sim_layout_check(&layout, &err), NG_INVALID);
    layout = (ng_sim_layout){64, 64, 9, 3, NG_SIM_ANGLE_MAJOR};
    assert_int_equal(ng_sim_layout_check(&layout, &err), NG_INVALID);
}

/* Gain 2.2 and read noise 1.6 e: the offset at which the variance vanishes is 100 - 2.2 1.6^2. */
static void test_camera_from_noise(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_warnings warnings = {0};
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(200, 180);
    o.gain = 2.2;
    o.emitter_counts = 1000;
    float *frames = sim_scene_frames(&o, 3, true, &scene);
    ng_sim_camera camera = {.offset = NAN, .gain = NAN, .read_noise = NAN};
    assert_int_equal(ng_sim_camera_estimate(&scene.pattern.layout, &scene.pattern.optics, frames,
                                            &camera, &warnings, &err),
                     NG_OK);
    assert_true(camera.gain_estimated && camera.offset_estimated);
    /* Four of its own standard errors, and those small enough to be of use. */
    assert_close(camera.gain, 2.2, 4 * camera.gain_se);
    assert_true(camera.gain_se < 0.3);
    assert_close(camera.offset, 100 - 2.2 * 1.6 * 1.6, 4 * camera.offset_se);
    assert_int_equal(warnings.n, 0);
    /* A gain that is given is kept, and the offset known better. */
    ng_sim_camera half = {.offset = NAN, .gain = 2.2, .read_noise = NAN};
    assert_int_equal(ng_sim_camera_estimate(&scene.pattern.layout, &scene.pattern.optics, frames,
                                            &half, &warnings, &err),
                     NG_OK);
    assert_true(half.gain == 2.2 && half.offset_se < camera.offset_se);
    assert_close(half.offset, 100 - 2.2 * 1.6 * 1.6, 1);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_wrong_offset(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(64, 64);
    float *frames = sim_scene_frames(&o, 1, true, &scene);
    const ng_sim_camera camera = {.offset = 400, .gain = 1};
    assert_int_equal(ng_sim_camera_check(&scene.pattern.layout, &camera, frames, NULL, &err),
                     NG_INVALID);
    assert_non_null(strstr(err.message, "check --offset"));
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* Light is kept to a rounding of float, and the halves are not the same. */
static void test_two_sets_from_one(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(48, 48);
    float *frames = sim_scene_frames(&o, 1, true, &scene);
    const size_t n = 9 * 48 * 48;
    float *half = NG_NEW(float, 2 * n);
    assert_non_null(half);
    assert_int_equal(ng_sim_frames_split(&scene.pattern.layout, &scene.pattern.camera, frames, NULL,
                                         half, half + n, &err),
                     NG_OK);
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        assert_close((double)half[i] + (double)half[n + i] - 100, (double)frames[i], 1e-3);
        same += half[i] == half[n + i];
    }
    assert_true(same < n / 4);
    ng_free(half);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* White noise in common below a third of the Nyquist frequency: that is where agreement ends. */
static void test_ring_correlation(void **state)
{
    (void)state;
    enum { SIDE = 128 };
    ng_error err = {0};
    ng_sim_frc frc = {0};
    ng_sim_optics optics = ng_sim_optics_defaults();
    optics.na = 0.4;
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(SIDE, SIDE);
    o.na = 0.4;
    float *a = sim_scene_frames(&o, 1, true, &scene);
    assert_int_equal(ng_sim_frc_compute(a, a + SIDE * SIDE, SIDE, SIDE, o.pixel_nm, &frc, &err),
                     NG_OK);
    assert_true(frc.resolution_nm >= 1e3 / ng_sim_cutoff_per_um(&optics));
    assert_true(frc.correlation[5] > 0.5);
    ng_sim_frc_free(&frc);
    assert_int_equal(ng_sim_frc_compute(a, a, SIDE, SIDE, o.pixel_nm, &frc, &err), NG_OK);
    assert_true(isnan(frc.resolution_nm)); /* agrees everywhere */
    ng_sim_frc_free(&frc);
    ng_free(a);
    ng_synth_sim_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_bad_layouts),
        cmocka_unit_test(test_camera_from_noise),
        cmocka_unit_test(test_wrong_offset),
        cmocka_unit_test(test_two_sets_from_one),
        cmocka_unit_test(test_ring_correlation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
