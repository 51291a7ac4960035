/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_test.h"

enum { SAMPLE = 1 << 15 };

/* The median of 32768 absolute values gives the s.d. to 0.65 % when they are independent; second
 * differences share pixels, so 3 % is allowed. A slope and a few objects change it little. */
static void test_noise(void **state)
{
    (void)state;
    float *sample = NG_NEW(float, SAMPLE);
    ng_image image = image_of(256, 256);
    fill_normal(&image, 500.0, 7.0, 21);
    assert_close(ng_image_noise(&image, sample), 7.0, 0.21);
    assert_close(ng_image_noise_correlation(&image, sample), 0.0, 0.03);
    for (size_t i = 0; i < 256 * 256; i++) {
        image.pixel[i] += 3.0f * (float)(i % 256) + (i % 5003 < 4 ? 1000.0f : 0.0f);
    }
    assert_close(ng_image_noise(&image, sample), 7.0, 0.25);
    ng_image_free(&image);
    ng_free(sample);
}

/* Correlation of neighbours behind a Gaussian sampled at whole pixels. */
static double expected(double sigma)
{
    double both = 0.0, one = 0.0;
    for (int k = -9; k <= 9; k++) {
        const double here = exp(-0.5 * k * k / (sigma * sigma));
        both += here * exp(-0.5 * (k + 1) * (k + 1) / (sigma * sigma));
        one += here * here;
    }
    return both / one;
}

static void test_correlation(void **state)
{
    (void)state;
    float *sample = NG_NEW(float, SAMPLE);
    ng_image in = image_of(256, 256), scratch = image_of(256, 256), out = image_of(256, 256);
    fill_normal(&in, 0.0, 1.0, 22);
    for (double sigma = 0.6; sigma < 1.1; sigma += 0.2) {
        ng_image_gaussian(&in, sigma, &scratch, &out);
        assert_close(ng_image_noise_correlation(&out, sample), expected(sigma), 0.05);
    }
    ng_image_free(&in);
    ng_image_free(&scratch);
    ng_image_free(&out);
    ng_free(sample);
}

static void test_noise_corners(void **state)
{
    (void)state;
    float *sample = NG_NEW(float, SAMPLE);
    ng_image constant = image_of(32, 32), tiny = image_of(2, 2);
    assert_true(ng_image_noise(&constant, sample) == 0.0);
    assert_true(ng_image_noise_correlation(&constant, sample) == 0.0);
    assert_true(ng_image_noise(&tiny, sample) == 0.0);
    ng_image_free(&constant);
    ng_image_free(&tiny);
    ng_free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_correlation),
        cmocka_unit_test(test_noise_corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
