/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stripes: found exactly without noise, within their errors with it, refused where there are
 * none. */
#include "sim_scene.h"

#include "test_support.h"

#include "sim/pattern_internal.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ng_sim_camera camera = {.offset = 100, .gain = 1, .read_noise = 1.6};

static ng_sim_pattern estimate(const ng_sim_layout *layout, const float *frames,
                               const ng_sim_pattern_options *options, int threads)
{
    ng_error err = {0};
    ng_sim_pattern pattern;
    const ng_sim_optics optics = ng_sim_optics_defaults();
    ng_run run = ng_run_defaults();
    run.threads = threads;
    if (ng_sim_pattern_estimate(layout, &optics, &camera, frames, options, &run, &pattern, NULL,
                                &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return pattern;
}

static ng_sim_pattern estimate_plainly(const ng_synth_sim *scene, const float *frames)
{
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    return estimate(&scene->pattern.layout, frames, &options, 1);
}

/* What is left without noise is float transforms and the edges' tails: a thousandth of a bin. */
static void check_noiseless(const ng_synth_sim_options *o, double bins_allowed)
{
    ng_synth_sim scene;
    float *frames = sim_scene_frames(o, 5, false, &scene);
    const ng_sim_pattern found = estimate_plainly(&scene, frames);
    for (size_t d = 0; d < (size_t)o->directions; d++) {
        double bins = 0, phase = 0, modulation = 0;
        sim_scene_errors(&found, &scene.pattern, d, &bins, &phase, &modulation);
        assert_close(bins, 0, bins_allowed);
        assert_close(phase, 0, 3 * bins_allowed);
        assert_close(modulation, 0, 2 * bins_allowed);
    }
    assert_true(found.trusted);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_noiseless(void **state)
{
    (void)state;
    ng_synth_sim_options o = sim_scene_options(192, 192);
    check_noiseless(&o, 1e-3);
}

/* Odd sides, not square, padded by the transforms. The tails of the optics over the short taper are
 * what is left: some thousandths of a bin in a field of 10 um. */
static void test_odd_sizes(void **state)
{
    (void)state;
    ng_synth_sim_options o = sim_scene_options(181, 143);
    check_noiseless(&o, 6e-3);
}

static void test_other_layouts(void **state)
{
    (void)state;
    ng_synth_sim_options o = sim_scene_options(160, 160);
    o.directions = 2;
    o.pattern_angle_deg = 20;
    o.phases = 5;
    check_noiseless(&o, 6e-3);
}

/* Twelve errors in k and three in m, each over its standard error: none above 4.5 (chance 1e-4). */
static void test_within_errors(void **state)
{
    (void)state;
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(224, 224);
    float *frames = sim_scene_frames(&o, 8, true, &scene);
    const ng_sim_pattern found = estimate_plainly(&scene, frames);
    assert_true(found.trusted);
    for (size_t d = 0; d < 3; d++) {
        const ng_sim_direction *dir = &found.direction[d];
        double bins = 0, phase = 0, modulation = 0;
        sim_scene_errors(&found, &scene.pattern, d, &bins, &phase, &modulation);
        assert_true(bins < 4.5 * 224 * hypot(dir->kx_se, dir->ky_se));
        assert_true(modulation < 4.5 * dir->modulation_se);
        assert_true(phase < 4.5 * dir->phase_centre_se);
        assert_true(dir->equal_steps);
        assert_true(dir->modulation_se < 0.04 && dir->modulation_se > 0.002);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* From two sides, a tenth of a bin apart, the likelihood leads to one place: to a tenth of the
 * distance, which the quadratic model of a step leaves. */
static void test_refined_from_anywhere(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(128, 128);
    float *frames = sim_scene_frames(&o, 11, true, &scene);
    const ng_run run = ng_run_defaults();
    const double away[2] = {0.05 / 128, -0.05 / 128};
    ng_sim_pattern p[2] = {scene.pattern, scene.pattern};
    for (int i = 0; i < 2; i++) {
        for (size_t d = 0; d < scene.pattern.layout.directions; d++) {
            ng_sim_direction *dir = &p[i].direction[d];
            dir->kx += away[i];
            dir->kx_se = dir->ky_se = 0.1 / 128;
            dir->phase_centre_se = 0.1;
            for (size_t k = 0; k < scene.pattern.layout.phases; k++) {
                dir->phase[k] -= NG_SIM_PI * 127 * away[i]; /* as it is at the centre */
            }
        }
        assert_int_equal(ng_sim_pattern_sharpen(&p[i], frames, &run, &err), NG_OK);
    }
    for (size_t d = 0; d < scene.pattern.layout.directions; d++) {
        const ng_sim_direction *a = &p[0].direction[d], *b = &p[1].direction[d];
        const ng_sim_direction *truth = &scene.pattern.direction[d];
        assert_close(a->kx, b->kx, 0.1 * (away[0] - away[1]));
        assert_true(a->kx_se < 0.05 / 128 && a->ky_se < 0.05 / 128);
        assert_close(a->kx, truth->kx, 4.5 * a->kx_se);
        assert_close(a->ky, truth->ky, 4.5 * a->ky_se);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* Frames of 520 nm: a cutoff for 440 nm is noticed, and the wavelength told to 5 %. */
static void test_wrong_cutoff(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(192, 192);
    float *frames = sim_scene_frames(&o, 3, true, &scene);
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    const ng_run run = ng_run_defaults();
    for (int wrong = 0; wrong < 2; wrong++) {
        ng_sim_optics optics = ng_sim_optics_defaults();
        ng_sim_pattern pattern;
        ng_warnings warnings = {0};
        optics.wavelength_nm = wrong != 0 ? 440 : 520;
        assert_int_equal(ng_sim_pattern_estimate(&scene.pattern.layout, &optics, &camera, frames,
                                                 &options, &run, &pattern, &warnings, &err),
                         NG_OK);
        assert_int_equal(warnings.n, wrong);
        if (wrong != 0) {
            const char *about = strstr(warnings.item[0].text, "about ");
            assert_string_equal(warnings.item[0].name, "cutoff");
            assert_non_null(about);
            assert_close(strtod(about + strlen("about "), NULL), 520, 26);
        }
        ng_warnings_free(&warnings);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_no_stripes(void **state)
{
    (void)state;
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(160, 160);
    o.modulation = 0;
    float *frames = sim_scene_frames(&o, 2, true, &scene);
    const ng_sim_pattern found = estimate_plainly(&scene, frames);
    assert_false(found.trusted);
    assert_non_null(strstr(found.reason, "direction 1: no stripes stand out"));
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_wrong_order(void **state)
{
    (void)state;
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(192, 192);
    o.phase_major = true;
    float *frames = sim_scene_frames(&o, 4, true, &scene);
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    ng_sim_layout told = scene.pattern.layout;
    told.order = NG_SIM_ANGLE_MAJOR;
    const ng_sim_pattern wrong = estimate(&told, frames, &options, 1);
    assert_false(wrong.trusted);
    assert_true(wrong.order_looks_wrong);
    assert_non_null(strstr(wrong.reason, "pass --order phase-major"));
    const ng_sim_pattern right = estimate_plainly(&scene, frames);
    assert_true(right.trusted);
    assert_false(right.order_looks_wrong);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* Each phase at the centre of the field over its standard error. */
static double worst_phase(const ng_sim_pattern *found, const ng_sim_pattern *truth, size_t d)
{
    const ng_sim_direction *a = &found->direction[d], *b = &truth->direction[d];
    const double sign = a->kx * b->kx + a->ky * b->ky > 0 ? 1 : -1, pi = 3.14159265358979323846;
    const double centre = pi * ((sign * a->kx - b->kx) * (double)(truth->layout.width - 1) +
                                (sign * a->ky - b->ky) * (double)(truth->layout.height - 1));
    double worst = 0;
    for (size_t p = 0; p < truth->layout.phases; p++) {
        const double off = remainder(sign * a->phase[p] - b->phase[p] + centre, 2 * pi);
        worst = fmax(worst, fabs(off) / a->phase_se[p]);
    }
    return worst;
}

/* Steps that are off by 25 degrees (standard deviation), and with five positions by 10:
 * told, and found within their errors (no phase above 4.5 of them), which are 4 degrees at most.
 * Four equal steps are taken for equal. */
static void test_unequal_steps(void **state)
{
    (void)state;
    static const struct {
        double off;
        long phases;
    } cases[] = {{25, 3}, {10, 5}, {0, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ng_synth_sim scene;
        ng_synth_sim_options o = sim_scene_options(224, 224);
        o.phase_error_deg = cases[i].off;
        o.phases = cases[i].phases;
        float *frames = sim_scene_frames(&o, 6, true, &scene);
        const ng_sim_pattern found = estimate_plainly(&scene, frames);
        assert_true(found.trusted);
        for (size_t d = 0; d < 3; d++) {
            const ng_sim_direction *dir = &found.direction[d];
            assert_true(dir->equal_steps == (cases[i].off == 0));
            assert_true(worst_phase(&found, &scene.pattern, d) < 4.5);
            assert_true(dir->phase_se[1] < 0.07);
            assert_close(dir->modulation, 0.8, 4.5 * dir->modulation_se);
        }
        ng_free(frames);
        ng_synth_sim_free(&scene);
    }
}

/* A ring that does not hold the stripes finds nothing to be trusted. */
static void test_wrong_ring(void **state)
{
    (void)state;
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(160, 160);
    float *frames = sim_scene_frames(&o, 2, true, &scene);
    ng_sim_pattern_options options = ng_sim_pattern_defaults();
    options.ring_max = 0.6;
    const ng_sim_pattern found = estimate(&scene.pattern.layout, frames, &options, 1);
    assert_false(found.trusted);
    assert_true(strlen(found.reason) > 20);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_threads_same_bytes(void **state)
{
    (void)state;
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(128, 128);
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    float *frames = sim_scene_frames(&o, 2, true, &scene);
    const ng_sim_pattern one = estimate(&scene.pattern.layout, frames, &options, 1);
    const ng_sim_pattern two = estimate(&scene.pattern.layout, frames, &options, 3);
    assert_memory_equal(one.direction[2].phase, two.direction[2].phase,
                        sizeof one.direction[2].phase);
    assert_true(one.direction[1].kx == two.direction[1].kx);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

/* Other phases in later frames are followed: noise is 1.3 degrees here, four times that is
 * allowed. */
static void test_follow_drift(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(192, 192);
    o.phase_drift_deg = 25;
    o.sets = 2;
    float *frames = sim_scene_frames(&o, 3, true, &scene);
    const ng_sim_pattern first = estimate_plainly(&scene, frames);
    assert_int_equal(ng_synth_sim_frames(&scene, 1, true, NULL, frames, &err), NG_OK);
    ng_sim_pattern later;
    assert_int_equal(ng_sim_pattern_track(&first, frames, &later, &err), NG_OK);
    for (size_t d = 0; d < 3; d++) {
        const ng_sim_direction *a = &first.direction[d], *b = &scene.pattern.direction[d];
        const double sign = a->kx * b->kx + a->ky * b->ky > 0 ? 1 : -1;
        const double moved = remainder(later.direction[d].phase[0] - a->phase[0], 6.283185307);
        assert_close(sign * moved, 25 / 57.29577951, 0.09);
    }
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

static void test_file_round_trip(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(64, 48);
    assert_int_equal(ng_synth_sim_create(&o, 1, &scene, &err), NG_OK);
    json_t *json = ng_sim_pattern_json(&scene.pattern);
    assert_non_null(json);
    const char *path = test_output("pattern.json");
    assert_int_equal(ng_json_write(json, path, true, &err), NG_OK);
    ng_sim_pattern back;
    assert_int_equal(ng_sim_pattern_read(path, &back, &err), NG_OK);
    assert_true(back.trusted);
    for (size_t d = 0; d < 3; d++) {
        assert_close(back.direction[d].kx, scene.pattern.direction[d].kx, 1e-12);
        assert_close(back.direction[d].phase[2], scene.pattern.direction[d].phase[2], 1e-12);
    }
    json_object_del(json, "n_phases");
    assert_int_equal(ng_json_write(json, path, true, &err), NG_OK);
    assert_int_equal(ng_sim_pattern_read(path, &back, &err), NG_FORMAT);
    assert_non_null(strstr(err.message, "n_phases"));
    json_decref(json);
    ng_synth_sim_free(&scene);
}

static void test_bad_options(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_synth_sim scene;
    const ng_synth_sim_options o = sim_scene_options(48, 48);
    float *frames = sim_scene_frames(&o, 2, true, &scene);
    ng_sim_pattern_options options = ng_sim_pattern_defaults();
    ng_sim_pattern found;
    options.pattern_na = 1.4;
    assert_int_equal(ng_sim_pattern_estimate(&scene.pattern.layout, &scene.pattern.optics, &camera,
                                             frames, &options, NULL, &found, NULL, &err),
                     NG_INVALID);
    options = ng_sim_pattern_defaults();
    options.ring_min = 2;
    assert_int_equal(ng_sim_pattern_estimate(&scene.pattern.layout, &scene.pattern.optics, &camera,
                                             frames, &options, NULL, &found, NULL, &err),
                     NG_INVALID);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noiseless),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_other_layouts),
        cmocka_unit_test(test_within_errors),
        cmocka_unit_test(test_no_stripes),
        cmocka_unit_test(test_wrong_order),
        cmocka_unit_test(test_unequal_steps),
        cmocka_unit_test(test_wrong_ring),
        cmocka_unit_test(test_threads_same_bytes),
        cmocka_unit_test(test_follow_drift),
        cmocka_unit_test(test_file_round_trip),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_refined_from_anywhere),
        cmocka_unit_test(test_wrong_cutoff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
