/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "particle/detect_internal.h"
#include "test_support.h"

#include <math.h>
#include <string.h>

enum { SIDE = 120 };
static uint32_t label[SIDE * SIDE];
static float chain[6 * SIDE];

static ng_shape of_ellipse(double a, double b, double angle)
{
    memset(label, 0, sizeof label);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        const double x = (double)(i % SIDE) - 60.2, y = (double)(i / SIDE) - 59.7;
        const double u = x * cos(angle) + y * sin(angle), v = y * cos(angle) - x * sin(angle);
        label[i] = u * u / (a * a) + v * v / (b * b) <= 1.0 ? 3 : 0;
    }
    return ng_shape_of(label, SIDE, (ng_box){0, 0, SIDE, SIDE}, 3, chain);
}

/* A disk of 30 px: outline and area of its pixels to a few per cent. */
static void test_disk(void **state)
{
    (void)state;
    const ng_shape s = of_ellipse(30.0, 30.0, 0.0);
    assert_close(s.area_px / (acos(-1.0) * 900.0), 1.0, 0.01);
    assert_close(s.x, 60.2, 0.05);
    assert_close(s.y, 59.7, 0.05);
    assert_close(s.circularity, 1.0, 0.04);
    assert_close(s.solidity, 1.0, 0.03);
    assert_close(s.ellipse_ratio, 1.0, 0.01);
}

static void test_ellipse(void **state)
{
    (void)state;
    for (double angle = 0.0; angle < 3.0; angle += 0.37) {
        const ng_shape s = of_ellipse(40.0, 20.0, angle);
        assert_close(s.ellipse_ratio, 0.5, 0.01);
        assert_close(s.solidity, 1.0, 0.03);
        /* 4 pi (pi a b)/L^2 with L = 193.77 (Ramanujan); four directions give L to 2 %. */
        assert_close(s.circularity, 0.841, 0.045);
    }
}

/* An L of three squares: hull 3.5 squares, so 6/7. */
static void test_concave(void **state)
{
    (void)state;
    memset(label, 0, sizeof label);
    for (size_t y = 20; y < 80; y++) {
        for (size_t x = 20; x < 80; x++) {
            label[y * SIDE + x] = x < 50 || y < 50 ? 3 : 0;
        }
    }
    const ng_shape s = ng_shape_of(label, SIDE, (ng_box){20, 20, 80, 80}, 3, chain);
    assert_close(s.solidity, 6.0 / 7.0, 0.02);
    assert_true(s.circularity < 0.75);
}

static void test_small(void **state)
{
    (void)state;
    memset(label, 0, sizeof label);
    const ng_box all = {0, 0, SIDE, SIDE};
    assert_true(isnan(ng_shape_of(label, SIDE, all, 3, chain).solidity));
    label[5 * SIDE + 5] = 3;
    const ng_shape s = ng_shape_of(label, SIDE, all, 3, chain);
    assert_close(s.area_px, 1.0, 0.0);
    assert_close(s.ellipse_ratio, 1.0, 1e-12);
    assert_true(isfinite(s.circularity) && isfinite(s.solidity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_ellipse),
        cmocka_unit_test(test_concave),
        cmocka_unit_test(test_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
