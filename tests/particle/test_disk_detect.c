/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choices, and frames that are not what they should be. */
#include "detect_test.h"

#include <string.h>

static const double mixed[2] = {2.0, 5.0};

static ng_detect_choices choose(const disk_frame *f, const ng_detect_options *o,
                                ng_warnings *warnings)
{
    ng_detect_choices c;
    assert_int_equal(ng_detect_settle(&f->image, 1, o, &c, warnings, NULL), NG_OK);
    return c;
}

static bool has(const ng_warnings *warnings, const char *name)
{
    for (size_t i = 0; i < warnings->n; i++) {
        if (strcmp(warnings->item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The blur of one frame of 150 disks at contrast over noise 4: its standard error is near 0.02 px;
 * four of them, and 0.02 px of bias. */
static void test_choices(void **state)
{
    (void)state;
    disk_frame *f = NG_NEW(disk_frame, 1);
    make_frame(f, 400, 150, mixed, 10.0, 71);
    ng_detect_options o = pixel_options();
    const ng_detect_choices c = choose(f, &o, NULL);
    assert_close(c.noise, 10.0, 0.4);
    assert_close(c.background, 200.0, 2.0);
    assert_close(c.options.blur_px, 1.0, 0.02 + 4.0 * c.blur_se_px);
    assert_true(c.blur_se_px > 0.003 && c.blur_se_px < 0.04);
    assert_close(c.radius_px[1], 3.5, 0.3);
    assert_close(c.contrast, 40.0, 2.0);
    assert_true(c.options.window_px >= 6.0 * c.radius_px[2]);
    assert_true(c.options.c > 3.5 && c.options.c < 6.0);
    /* What is given stays. */
    o.blur_px = 1.3;
    o.c = 5.5;
    o.window_px = 77.0;
    o.smooth_px = 0.9;
    const ng_detect_choices given = choose(f, &o, NULL);
    assert_true(given.options.blur_px == 1.3 && given.options.c == 5.5);
    assert_true(given.options.window_px == 77.0 && given.options.smooth_px == 0.9);
    ng_image_free(&f->image);
    ng_free(f);
}

/* Large, faint particles call for more smoothing and a wider window. */
static void test_large(void **state)
{
    (void)state;
    const double range[2] = {18.0, 22.0};
    disk_frame *f = NG_NEW(disk_frame, 1);
    make_frame(f, 400, 12, range, 60.0, 72);
    const ng_detect_options o = pixel_options();
    const ng_detect_choices c = choose(f, &o, NULL);
    assert_true(c.options.smooth_px > 1.5);
    assert_true(c.options.window_px > 110.0);
    ng_detect_frame out;
    ng_detector *detector = measure_frame(&f->image, &o, &out);
    for (size_t i = 0; i < f->n; i++) {
        const ng_particle *p = particle_at(&out, f->disk[i].x, f->disk[i].y);
        assert_non_null(p);
        assert_close(p->radius_nm, f->disk[i].r, 5.0 * p->radius_se_nm + 0.2);
    }
    assert_int_equal(out.n, f->n);
    ng_detector_destroy(detector);
    ng_image_free(&f->image);
    ng_free(f);
}

/* Bright particles are dark ones seen in a negative. */
static void test_polarity(void **state)
{
    (void)state;
    disk_frame *f = NG_NEW(disk_frame, 1);
    make_frame(f, 200, 30, mixed, 8.0, 73);
    ng_detect_options o = pixel_options();
    ng_detect_frame dark, bright;
    o.blur_px = 1.0;
    ng_detector *first = measure_frame(&f->image, &o, &dark);
    for (size_t i = 0; i < 200 * 200; i++) {
        f->image.pixel[i] = -f->image.pixel[i];
    }
    o.polarity = NG_BRIGHT;
    ng_detector *second = measure_frame(&f->image, &o, &bright);
    assert_true(dark.n > 25);
    assert_int_equal(dark.n, bright.n);
    for (size_t i = 0; i < dark.n; i++) {
        assert_true(dark.particle[i].radius_nm == bright.particle[i].radius_nm);
        assert_true(dark.particle[i].background == -bright.particle[i].background);
    }
    ng_detector_destroy(first);
    ng_detector_destroy(second);
    ng_image_free(&f->image);
    ng_free(f);
}

/* Each way of smoothing finds clear disks, and the published chain counts their pixels: a smoothed
 * threshold at 15 % of 200 counts lies at three quarters of the contrast, inside the edge. */
static void test_chains(void **state)
{
    (void)state;
    const double range[2] = {4.0, 5.0};
    disk_frame *f = NG_NEW(disk_frame, 1);
    make_frame(f, 128, 12, range, 4.0, 74);
    ng_detect_options o = pixel_options();
    ng_detect_frame out;
    o.blur_px = 1.0;
    for (int denoise = NG_DENOISE_NONE; denoise <= NG_DENOISE_NL_MEANS; denoise++) {
        o.denoise = (ng_denoise)denoise;
        ng_detector *detector = measure_frame(&f->image, &o, &out);
        assert_int_equal(out.n, f->n);
        ng_detector_destroy(detector);
    }
    o = pixel_options();
    assert_int_equal(ng_detect_preset("kim", &o, NULL), NG_OK);
    assert_int_equal(ng_detect_preset("kimm", &o, NULL), NG_USAGE);
    ng_detector *detector = measure_frame(&f->image, &o, &out);
    assert_int_equal(out.n, f->n);
    for (size_t i = 0; i < f->n; i++) {
        const ng_particle *p = particle_at(&out, f->disk[i].x, f->disk[i].y);
        assert_non_null(p);
        assert_true((p->flag & NG_FLAG_NO_FIT) != 0 && isnan(p->radius_se_nm));
        assert_true(p->radius_nm > f->disk[i].r - 2.2 && p->radius_nm < f->disk[i].r + 0.3);
    }
    ng_detector_destroy(detector);
    ng_image_free(&f->image);
    ng_free(f);
}

/* Nothing is found in nothing, and it is said; noise alone gives what was asked for at most. */
static void test_empty(void **state)
{
    (void)state;
    disk_frame *f = NG_NEW(disk_frame, 1);
    ng_detect_options o = pixel_options();
    ng_detect_frame out;
    ng_warnings warnings = {NULL, 0};
    make_frame(f, 128, 0, mixed, 0.0, 75);
    (void)choose(f, &o, &warnings);
    assert_true(has(&warnings, "no-particles"));
    assert_true(has(&warnings, "blur-unknown"));
    ng_detector *detector = measure_frame(&f->image, &o, &out);
    assert_int_equal(out.n, 0);
    ng_detector_destroy(detector);
    ng_warnings_free(&warnings);
    ng_image_free(&f->image);

    size_t found = 0;
    for (uint64_t k = 0; k < 6; k++) {
        make_frame(f, 256, 0, mixed, 5.0, 80 + k);
        o.false_per_frame = 1.0;
        detector = measure_frame(&f->image, &o, &out);
        found += out.n;
        ng_detector_destroy(detector);
        ng_image_free(&f->image);
    }
    assert_true(found <= 14); /* Poisson with mean 6: beyond this once in a thousand */
    ng_free(f);
}

/* Frames of one pixel, one row, one value at the end of floats. */
static void test_odd_frames(void **state)
{
    (void)state;
    static const size_t size[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 2}, {7, 5}};
    const ng_detect_options o = pixel_options();
    for (size_t k = 0; k < 5; k++) {
        ng_image image;
        ng_detect_frame out;
        gsl_rng *rng = ng_random_open(90, k);
        assert_int_equal(ng_image_create(size[k][0], size[k][1], &image, NULL), NG_OK);
        scene_add_noise(&image, 1.0, rng);
        image.pixel[0] = 1e30f;
        ng_detector *detector = measure_frame(&image, &o, &out);
        for (size_t i = 0; i < out.n; i++) {
            assert_true((out.particle[i].flag & NG_FLAG_EDGE) != 0);
        }
        ng_detector_destroy(detector);
        ng_image_free(&image);
        ng_random_close(rng);
    }
}

/* A disk that the border cuts is flagged; one whose centre it cuts off is not fitted. */
static void test_edge(void **state)
{
    (void)state;
    const scene_disk cut = {2.0, 64.0, 5.0}, whole = {64.0, 64.0, 5.0}, most = {-1.6, 20.0, 5.0};
    disk_frame *f = NG_NEW(disk_frame, 1);
    ng_detect_options o = pixel_options();
    ng_detect_frame out;
    make_frame(f, 128, 0, mixed, 3.0, 76);
    scene_add_disk(&f->image, cut, 1.0, -40.0);
    scene_add_disk(&f->image, whole, 1.0, -40.0);
    scene_add_disk(&f->image, most, 1.0, -40.0);
    o.blur_px = 1.0;
    ng_detector *detector = measure_frame(&f->image, &o, &out);
    const ng_particle *p = particle_at(&out, cut.x, cut.y), *q = particle_at(&out, 64.0, 64.0);
    const ng_particle *seen_part = particle_at(&out, 1.0, 20.0);
    assert_true(p != NULL && q != NULL && seen_part != NULL);
    assert_int_equal(seen_part->flag, NG_FLAG_EDGE | NG_FLAG_NO_FIT);
    assert_true(seen_part->x_nm > 0.0 && seen_part->radius_nm < 5.0); /* what is seen of it */
    assert_true((p->flag & NG_FLAG_EDGE) != 0);
    assert_int_equal(q->flag, 0);
    assert_close(p->radius_nm, 5.0, 0.3); /* the fit sees two thirds of it */
    ng_detector_destroy(detector);
    ng_image_free(&f->image);
    ng_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_polarity), cmocka_unit_test(test_chains),
        cmocka_unit_test(test_empty),    cmocka_unit_test(test_odd_frames),
        cmocka_unit_test(test_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
