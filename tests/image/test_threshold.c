/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_test.h"

#include <gsl/gsl_rng.h>

enum { W = 37, H = 29 };

typedef struct moments {
    double mean, sd;
    size_t n;
} moments;

/* The same by a plain loop. */
static moments by_loop(const ng_image *image, const unsigned char *skip, ng_box b)
{
    moments m = {0.0, 0.0, 0};
    double square = 0.0;
    for (size_t y = b.y0; y < b.y1; y++) {
        for (size_t x = b.x0; x < b.x1; x++) {
            if (skip == NULL || skip[y * image->width + x] == 0) {
                m.mean += (double)image->pixel[y * image->width + x];
                m.n++;
            }
        }
    }
    m.mean /= (double)m.n;
    for (size_t y = b.y0; y < b.y1; y++) {
        for (size_t x = b.x0; x < b.x1; x++) {
            if (skip == NULL || skip[y * image->width + x] == 0) {
                square += pow((double)image->pixel[y * image->width + x] - m.mean, 2.0);
            }
        }
    }
    m.sd = sqrt(square / (double)m.n);
    return m;
}

/* 2^-24 of the range in each pixel, so 1e-6 of it in mean and s.d. */
static void check_integral(double mean, double sd, bool with_skip)
{
    ng_image image = image_of(W, H);
    ng_integral integral;
    unsigned char skip[W * H];
    fill_normal(&image, mean, sd, 11);
    for (size_t i = 0; i < W * H; i++) {
        skip[i] = i % 3 == 0;
    }
    const unsigned char *left_out = with_skip ? skip : NULL;
    assert_int_equal(ng_integral_create(W, H, &integral, NULL), NG_OK);
    ng_integral_fill(&integral, &image, left_out);
    for (size_t k = 0; k < 200; k++) {
        const ng_box b = {k % 17, k % 13, 18 + k % 20, 14 + k % 16};
        const moments expected = by_loop(&image, left_out, b);
        double m, s;
        ng_integral_moments(&integral, b, &m, &s);
        assert_close(m, expected.mean, 1e-6 * 8.0 * sd + 1e-12 * fabs(mean));
        assert_close(s, expected.sd, 2e-5 * sd);
    }
    ng_integral_free(&integral);
    ng_image_free(&image);
}

static void test_integral(void **state)
{
    (void)state;
    check_integral(0.0, 1.0, false);
    check_integral(1000.0, 5.0, true);
    check_integral(1e6, 1e4, false); /* 32-bit counts */
    check_integral(-1e-7, 1e-9, true);
}

/* Nothing overflows where every pixel lies at an end of the range. */
static void test_integral_extremes(void **state)
{
    (void)state;
    const size_t side = 1500;
    ng_image image = image_of(side, side);
    ng_integral integral;
    for (size_t i = 0; i < side * side; i++) {
        image.pixel[i] = i % 2 == 0 ? -1e30f : 1e30f;
    }
    assert_int_equal(ng_integral_create(side, side, &integral, NULL), NG_OK);
    ng_integral_fill(&integral, &image, NULL);
    double m, s;
    ng_integral_moments(&integral, (ng_box){0, 0, side, side}, &m, &s);
    assert_close(m / 1e30, 0.0, 1e-6);
    assert_close(s / 1e30, 1.0, 1e-6);
    ng_integral_free(&integral);
    ng_image_free(&image);
}

/* Bradley and Roth by a direct loop. Pixels within 1e-5 of the threshold may fall on either
 * side. */
static void check_threshold(ng_polarity polarity, double t, double c)
{
    ng_image image = image_of(W, H);
    ng_integral integral;
    unsigned char mask[W * H];
    const ng_threshold how = {.polarity = polarity, .window_px = 9, .t = t, .c = c};
    fill_normal(&image, 100.0, 10.0, 13);
    assert_int_equal(ng_integral_create(W, H, &integral, NULL), NG_OK);
    ng_integral_fill(&integral, &image, NULL);
    ng_image_threshold(&image, &integral, &how, mask);
    size_t foreground = 0;
    for (size_t y = 0; y < H; y++) {
        for (size_t x = 0; x < W; x++) {
            const ng_box b = {x > 4 ? x - 4 : 0, y > 4 ? y - 4 : 0, x + 5 < W ? x + 5 : W,
                              y + 5 < H ? y + 5 : H};
            const moments m = by_loop(&image, NULL, b);
            const double f = (double)image.pixel[y * W + x];
            const double level =
                isnan(t) ? m.mean + polarity * c * m.sd : m.mean * (1.0 + polarity * t);
            const bool expected = polarity == NG_DARK ? f < level : f > level;
            foreground += expected;
            assert_true(mask[y * W + x] == expected || fabs(f - level) < 1e-5 * 100.0);
        }
    }
    assert_true(foreground > 20 && foreground < W * H / 2); /* the case means something */
    ng_integral_free(&integral);
    ng_image_free(&image);
}

static void test_bradley_roth(void **state)
{
    (void)state;
    check_threshold(NG_DARK, 0.1, NAN);
    check_threshold(NG_BRIGHT, 0.1, NAN);
    check_threshold(NG_DARK, NAN, 1.5);
    check_threshold(NG_BRIGHT, NAN, 1.0);
}

/* Local moments of a plane with noise: the mean follows the plane (the bins of a window lie evenly
 * about its middle), the s.d. that of noise and slope over the window; 1600 pixels give the mean to
 * 0.025, the s.d. to 2 %, five of which are allowed. */
static void test_local_moments(void **state)
{
    (void)state;
    ng_image image = image_of(203, 151), mean = image_of(203, 151), sd = image_of(203, 151);
    unsigned char *skip = NG_NEW(unsigned char, 203 * 151);
    ng_local *local = NULL;
    fill_normal(&image, 0.0, 1.0, 17);
    for (size_t i = 0; i < 203 * 151; i++) {
        image.pixel[i] += 50.0f + 0.02f * (float)(i % 203);
        if (i % 7 == 0) { /* these do not count, and would show */
            skip[i] = 1;
            image.pixel[i] = 1e4f;
        }
    }
    assert_int_equal(ng_local_create(203, 151, 41, &local, NULL), NG_OK);
    ng_local_moments(local, &image, skip, 0, &mean, &sd);
    for (size_t y = 30; y < 120; y += 7) {
        for (size_t x = 30; x < 170; x += 3) {
            assert_close((double)mean.pixel[y * 203 + x], 50.0 + 0.02 * (double)x, 0.14);
            assert_close((double)sd.pixel[y * 203 + x], 1.0, 0.12);
        }
    }
    /* Averaged over windows around, some 10,000 pixels tell the s.d. to 0.7 %, four of which are
     * allowed; the slope adds 0.26 in square, 45 px wide. */
    ng_local_moments(local, &image, skip, 1, &mean, &sd);
    assert_close((double)mean.pixel[75 * 203 + 100], 52.0, 0.14);
    assert_close((double)sd.pixel[75 * 203 + 100], 1.033, 0.03);
    ng_local_destroy(local);
    ng_free(skip);
    ng_image_free(&image);
    ng_image_free(&mean);
    ng_image_free(&sd);
}

/* Windows without a pixel that counts, windows larger than the image, one pixel. */
static void test_local_corners(void **state)
{
    (void)state;
    static const size_t size[][3] = {{1, 1, 41}, {9, 2, 41}, {64, 64, 9}, {50, 3, 3}};
    for (size_t k = 0; k < 4; k++) {
        ng_image image = image_of(size[k][0], size[k][1]), mean, sd;
        mean = image_of(size[k][0], size[k][1]);
        sd = image_of(size[k][0], size[k][1]);
        const size_t n = size[k][0] * size[k][1];
        unsigned char *skip = NG_NEW(unsigned char, n);
        ng_local *local = NULL;
        for (size_t i = 0; i < n; i++) {
            image.pixel[i] = 4.0f;
            skip[i] = i < n / 2;
        }
        assert_int_equal(ng_local_create(size[k][0], size[k][1], size[k][2], &local, NULL), NG_OK);
        ng_local_moments(local, &image, skip, 0, &mean, &sd);
        for (size_t i = 0; i < n; i++) {
            assert_true(mean.pixel[i] == 4.0f);
            assert_true(sd.pixel[i] == 0.0f);
        }
        ng_local_destroy(local);
        ng_free(skip);
        ng_image_free(&image);
        ng_image_free(&mean);
        ng_image_free(&sd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integral),      cmocka_unit_test(test_integral_extremes),
        cmocka_unit_test(test_bradley_roth),  cmocka_unit_test(test_local_moments),
        cmocka_unit_test(test_local_corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
