/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_test.h"

#include "disk_scene.h"

enum { SIDE = 128, DISKS = 25 };

/* Two images of the same disks, the second shifted; contrast 10. */
static void make_pair(ng_image pair[2], double dx, double dy, double noise)
{
    scene_disk disk[DISKS];
    const double range[2] = {2.0, 4.0};
    gsl_rng *rng = ng_random_open(31, 0);
    for (size_t k = 0; k < 2; k++) {
        pair[k] = image_of(SIDE, SIDE);
    }
    const size_t n = scene_place(disk, DISKS, &pair[0], range, 6.0, rng);
    for (size_t k = 0; k < 2; k++) {
        scene_fill(&pair[k], 100.0);
        for (size_t i = 0; i < n; i++) {
            const scene_disk d = {disk[i].x + (k == 1 ? dx : 0.0), disk[i].y + (k == 1 ? dy : 0.0),
                                  disk[i].r};
            scene_add_disk(&pair[k], d, 1.0, -10.0);
        }
        scene_add_noise(&pair[k], noise, rng);
    }
    ng_random_close(rng);
}

static void check(double dx, double dy, double noise, double tolerance)
{
    ng_image pair[2];
    ng_drift *drift = NULL;
    make_pair(pair, dx, dy, noise);
    assert_int_equal(ng_drift_create(SIDE, SIDE, &drift, NULL), NG_OK);
    const ng_shift s = ng_drift_measure(drift, &pair[0], &pair[1]);
    assert_close(s.x_px, dx, tolerance);
    assert_close(s.y_px, dy, tolerance);
    assert_true(s.peak > 6.0);
    ng_drift_destroy(drift);
    ng_image_free(&pair[0]);
    ng_image_free(&pair[1]);
}

/* The bound for 25 such disks in two frames is 0.6 px times noise over contrast; each is allowed
 * four of that, and 0.02 px at contrast over noise 50 (the figure that is promised). */
static void test_subpixel(void **state)
{
    (void)state;
    check(0.0, 0.0, 0.2, 0.02);
    check(0.3, -0.7, 0.2, 0.02);
    check(1.47, 2.25, 0.2, 0.02);
    check(0.5, 0.5, 0.001, 0.001);
    check(-0.4, 0.15, 2.0, 0.2);
}

/* A jump is a shift like any other. Disks that leave at one side and others that come in at the
 * other hold it back by up to a tenth of a pixel in so small an image. */
static void test_jump(void **state)
{
    (void)state;
    check(13.4, -8.6, 0.2, 0.12);
}

/* Images that have nothing in common are told by their peak. */
static void test_unrelated(void **state)
{
    (void)state;
    ng_image a = image_of(SIDE, SIDE), b = image_of(SIDE, SIDE);
    ng_drift *drift = NULL;
    fill_normal(&a, 0.0, 1.0, 41);
    fill_normal(&b, 0.0, 1.0, 42);
    assert_int_equal(ng_drift_create(SIDE, SIDE, &drift, NULL), NG_OK);
    assert_true(ng_drift_measure(drift, &a, &b).peak < 6.0);
    scene_fill(&a, 3.0);
    const ng_shift none = ng_drift_measure(drift, &a, &a);
    assert_true(none.peak == 0.0 && none.x_px == 0.0 && none.y_px == 0.0);
    ng_drift_destroy(drift);
    ng_image_free(&a);
    ng_image_free(&b);
}

static void test_refuses(void **state)
{
    (void)state;
    ng_drift *drift = NULL;
    ng_error err;
    assert_int_equal(ng_drift_create(4, 100, &drift, &err), NG_INVALID);
    assert_null(drift);
    ng_drift_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subpixel),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_unrelated),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
