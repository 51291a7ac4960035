/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_test.h"

enum { W = 61, H = 47, N = W * H };

static void random_mask(unsigned char *mask, double share, uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 1);
    for (size_t i = 0; i < N; i++) {
        mask[i] = gsl_rng_uniform(rng) < share;
    }
    ng_random_close(rng);
}

/* By flooding from each pixel, in order. */
static uint32_t by_flood(const unsigned char *mask, bool eight, uint32_t *label)
{
    size_t stack[N], top;
    uint32_t n = 0;
    memset(label, 0, N * sizeof *label);
    for (size_t i = 0; i < N; i++) {
        if (mask[i] == 0 || label[i] != 0) {
            continue;
        }
        label[i] = ++n;
        top = 0;
        stack[top++] = i;
        while (top > 0) {
            const ptrdiff_t at = (ptrdiff_t)stack[--top], x = at % W, y = at / W;
            for (ptrdiff_t d = 0; d < 9; d++) {
                const ptrdiff_t dx = d % 3 - 1, dy = d / 3 - 1, u = x + dx, v = y + dy;
                if (u < 0 || v < 0 || u >= W || v >= H || (!eight && dx != 0 && dy != 0)) {
                    continue;
                }
                if (mask[v * W + u] != 0 && label[v * W + u] == 0) {
                    label[v * W + u] = n;
                    stack[top++] = (size_t)(v * W + u);
                }
            }
        }
    }
    return n;
}

static void test_components(void **state)
{
    (void)state;
    static const double share[] = {0.0, 0.2, 0.45, 0.6, 0.9, 1.1};
    unsigned char mask[N];
    uint32_t scratch[N / 2 + 2], label[N], expected[N];
    for (size_t k = 0; k < 6; k++) {
        for (int eight = 0; eight < 2; eight++) {
            random_mask(mask, share[k], k);
            const uint32_t n = by_flood(mask, eight != 0, expected);
            assert_int_equal(ng_components(mask, W, H, eight != 0, scratch, label), n);
            assert_memory_equal(label, expected, sizeof label);
        }
    }
}

/* The most components there can be: every second pixel. */
static void test_components_chessboard(void **state)
{
    (void)state;
    unsigned char mask[N];
    uint32_t scratch[N / 2 + 2], label[N];
    for (size_t i = 0; i < N; i++) {
        mask[i] = i % 2 == 0; /* W is odd */
    }
    assert_int_equal(ng_components(mask, W, H, false, scratch, label), N / 2 + 1);
    assert_int_equal(ng_components(mask, W, H, true, scratch, label), 1);
}

static void test_holes(void **state)
{
    (void)state;
    unsigned char mask[N] = {0};
    uint32_t scratch[N + N / 2 + 2];
    for (size_t y = 10; y < 30; y++) {
        for (size_t x = 10; x < 40; x++) {
            const bool small = x >= 12 && x < 14 && y >= 12 && y < 14;
            const bool large = x >= 20 && x < 35 && y >= 15 && y < 25;
            mask[y * W + x] = !small && !large;
        }
    }
    mask[10 * W + 25] = 0; /* a dent is no hole */
    ng_fill_holes(mask, W, H, 4, scratch);
    assert_int_equal(mask[12 * W + 13], 1);
    assert_int_equal(mask[20 * W + 27], 0);
    assert_int_equal(mask[10 * W + 25], 0);
    ng_fill_holes(mask, W, H, 1000, scratch);
    assert_int_equal(mask[20 * W + 27], 1);
    assert_int_equal(mask[10 * W + 25], 0);
    assert_int_equal(mask[0], 0);
}

static void test_distance(void **state)
{
    (void)state;
    unsigned char mask[N];
    float scratch[5 * (W + 3)], distance[N];
    random_mask(mask, 0.93, 4);
    ng_distance(mask, W, H, scratch, distance);
    for (ptrdiff_t i = 0; i < N; i++) {
        double nearest = INFINITY;
        for (ptrdiff_t y = -1; y <= H; y++) {
            for (ptrdiff_t x = -1; x <= W; x++) {
                const bool outside = x < 0 || y < 0 || x == W || y == H || mask[y * W + x] == 0;
                nearest = outside ? fmin(nearest, hypot((double)(x - i % W), (double)(y - i / W)))
                                  : nearest;
            }
        }
        assert_close((double)distance[i], nearest, 1e-5); /* floats */
    }
}

static void two_disks(unsigned char *mask, double apart, double r)
{
    for (ptrdiff_t i = 0; i < N; i++) {
        const double x = (double)(i % W) - 30.0, y = (double)(i / W) - 23.0;
        mask[i] = hypot(x - 0.5 * apart, y) <= r || hypot(x + 0.5 * apart, y) <= r;
    }
}

static uint32_t split(double apart, double r, uint32_t *label)
{
    static unsigned char mask[N];
    static float scratch[5 * (W + 3)], distance[N];
    static uint32_t order[N], parent[N + 1];
    two_disks(mask, apart, r);
    ng_distance(mask, W, H, scratch, distance);
    const uint32_t n = ng_watershed(distance, mask, W, H, 0.75, 0.2, order, parent, label);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(label[i] != 0, mask[i]);
        assert_true(label[i] <= n);
    }
    return n;
}

/* Disks that overlap by up to a quarter of the diameter come apart along the line between them;
 * concentric and nearly concentric ones stay whole. */
static void test_watershed(void **state)
{
    (void)state;
    uint32_t label[N];
    assert_int_equal(split(0.0, 9.0, label), 1);
    assert_int_equal(split(5.0, 9.0, label), 1);
    assert_int_equal(split(15.0, 9.0, label), 2);
    assert_int_equal(label[23 * W + 22], 1); /* numbered by their first pixel */
    assert_int_equal(label[23 * W + 38], 2);
    for (size_t y = 16; y < 31; y++) {
        assert_true(label[y * W + 28] <= 1);
        assert_true(label[y * W + 33] != 1);
    }
    assert_int_equal(split(20.0, 9.0, label), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_components), cmocka_unit_test(test_components_chessboard),
        cmocka_unit_test(test_holes),      cmocka_unit_test(test_distance),
        cmocka_unit_test(test_watershed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
