/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_test.h"

/* A point becomes the Gaussian itself: unit sum (the kernel is normalised; float: 1e-5),
 * variance sigma^2 along both axes. Cut at 4 sigma it lacks 0.1 % of its variance, and sampling
 * a Gaussian at whole pixels changes nothing from sigma 0.8 on. */
static void test_gaussian_moments(void **state)
{
    (void)state;
    static const double sigmas[] = {0.8, 1.5, 4.0};
    ng_image in = image_of(81, 71), scratch = image_of(81, 71), out = image_of(81, 71);
    in.pixel[35 * 81 + 40] = 1.0f;
    for (size_t k = 0; k < 3; k++) {
        double sum = 0.0, xx = 0.0, yy = 0.0;
        ng_image_gaussian(&in, sigmas[k], &scratch, &out);
        for (size_t i = 0; i < 81 * 71; i++) {
            const double f = (double)out.pixel[i];
            const double x = (double)(i % 81) - 40.0, y = (double)(i / 81) - 35.0;
            sum += f;
            xx += x * x * f;
            yy += y * y * f;
        }
        assert_close(sum, 1.0, 1e-5);
        assert_close(xx / (sigmas[k] * sigmas[k]), 1.0, 2e-3);
        assert_close(yy / (sigmas[k] * sigmas[k]), 1.0, 2e-3);
    }
    ng_image_free(&in);
    ng_image_free(&scratch);
    ng_image_free(&out);
}

/* White noise of s.d. 1 leaves with 1/(2 sqrt(pi) sigma); 256^2 pixels in grains of about
 * 4 pi sigma^2 pixels give the s.d. to 1/sqrt(2 * 2300) = 1.5 %. */
static void test_gaussian_noise(void **state)
{
    (void)state;
    ng_image in = image_of(256, 256), scratch = image_of(256, 256), out = image_of(256, 256);
    fill_normal(&in, 10.0, 1.0, 3);
    ng_image_gaussian(&in, 1.5, &scratch, &out);
    assert_close(sd_of(&out) * 2.0 * sqrt(acos(-1.0)) * 1.5, 1.0, 0.05);
    assert_close(mean_of(&out), 10.0, 0.02);
    ng_image_free(&in);
    ng_image_free(&scratch);
    ng_image_free(&out);
}

/* Mirrored borders keep a constant constant, also where the kernel is wider than the image. */
static void test_gaussian_small_image(void **state)
{
    (void)state;
    ng_image in = image_of(5, 3), scratch = image_of(5, 3), out = image_of(5, 3);
    for (size_t i = 0; i < 15; i++) {
        in.pixel[i] = 7.0f;
    }
    ng_image_gaussian(&in, 20.0, &scratch, &out);
    for (size_t i = 0; i < 15; i++) {
        assert_close((double)out.pixel[i], 7.0, 1e-4);
    }
    ng_image_gaussian(&in, 0.0, &scratch, &out);
    assert_memory_equal(in.pixel, out.pixel, 15 * sizeof *in.pixel);
    ng_image_free(&in);
    ng_image_free(&scratch);
    ng_image_free(&out);
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void test_select_and_median(void **state)
{
    (void)state;
    ng_image in = image_of(20, 15), out = image_of(20, 15);
    float copy[300], sorted[300];
    fill_normal(&in, 0.0, 1.0, 5);
    memcpy(sorted, in.pixel, sizeof sorted);
    qsort(sorted, 300, sizeof *sorted, compare);
    for (size_t k = 0; k < 300; k += 23) {
        memcpy(copy, in.pixel, sizeof copy);
        assert_true(ng_select(copy, 300, k) == sorted[k]);
    }
    ng_image_median(&in, 1, &out);
    for (size_t y = 1; y < 14; y++) {
        for (size_t x = 1; x < 19; x++) {
            size_t n = 0;
            for (size_t j = y - 1; j <= y + 1; j++) {
                for (size_t i = x - 1; i <= x + 1; i++) {
                    copy[n++] = in.pixel[j * 20 + i];
                }
            }
            qsort(copy, 9, sizeof *copy, compare);
            assert_true(out.pixel[y * 20 + x] == copy[4]);
        }
    }
    ng_image_free(&in);
    ng_image_free(&out);
}

static void test_mean_and_flatten(void **state)
{
    (void)state;
    ng_image a = image_of(40, 30), b = image_of(40, 30), out = image_of(40, 30);
    const ng_image *const window[] = {&a, &b, &a};
    for (size_t i = 0; i < 1200; i++) {
        a.pixel[i] = 3.0f;
        b.pixel[i] = 6.0f;
    }
    ng_image_mean(window, 3, &out);
    assert_close((double)out.pixel[777], 4.0, 1e-6);
    for (size_t i = 0; i < 1200; i++) {
        a.pixel[i] = 100.0f + 2.0f * (float)(i % 40);
    }
    ng_image_flatten(&a, 3.0, &b, &out);
    /* A slope is its own mean in the middle; at the border mirroring bends it. */
    for (size_t x = 13; x < 27; x++) {
        assert_close((double)out.pixel[15 * 40 + x], mean_of(&a), 1e-3);
    }
    ng_image_free(&a);
    ng_image_free(&b);
    ng_image_free(&out);
}

/* A step ten times kappa stays, noise below kappa goes: the s.d. on either side falls to a
 * third and less, the step by under 5 %. */
static void test_perona_malik(void **state)
{
    (void)state;
    ng_image in = image_of(64, 64), scratch = image_of(64, 64), out = image_of(64, 64);
    fill_normal(&in, 0.0, 1.0, 9);
    for (size_t i = 0; i < 64 * 64; i++) {
        in.pixel[i] += i % 64 < 32 ? 0.0f : 25.0f;
    }
    const ng_perona_malik how = ng_perona_malik_defaults(1.0);
    ng_image_perona_malik(&in, &how, &scratch, &out);
    double low = 0.0, high = 0.0, spread = 0.0;
    for (size_t y = 0; y < 64; y++) {
        low += (double)out.pixel[y * 64 + 31] / 64.0;
        high += (double)out.pixel[y * 64 + 32] / 64.0;
        for (size_t x = 4; x < 28; x++) {
            spread += pow((double)out.pixel[y * 64 + x], 2.0) / (64.0 * 24.0);
        }
    }
    assert_close(high - low, 25.0, 1.25);
    assert_true(sqrt(spread) < 0.34);
    assert_close(mean_of(&out), mean_of(&in), 1e-4); /* what flows out flows in */
    ng_image_free(&in);
    ng_image_free(&scratch);
    ng_image_free(&out);
}

/* The same edge test for non-local means over three frames of one scene, and a constant image. */
static void test_nl_means(void **state)
{
    (void)state;
    ng_image frame[3], scratch[2] = {image_of(32, 32), image_of(32, 32)}, out = image_of(32, 32);
    const ng_image *window[3];
    for (size_t k = 0; k < 3; k++) {
        frame[k] = image_of(32, 32);
        window[k] = &frame[k];
        fill_normal(&frame[k], 0.0, 1.0, 20 + k);
        for (size_t i = 0; i < 32 * 32; i++) {
            frame[k].pixel[i] += i % 32 < 16 ? 0.0f : 20.0f;
        }
    }
    const ng_nl_means how = ng_nl_means_defaults(1.0);
    ng_image_nl_means(window, 3, 1, &how, scratch, &out);
    double step = 0.0, spread = 0.0;
    for (size_t y = 0; y < 32; y++) {
        step += (double)(out.pixel[y * 32 + 16] - out.pixel[y * 32 + 15]) / 32.0;
        for (size_t x = 0; x < 14; x++) {
            spread += pow((double)out.pixel[y * 32 + x], 2.0) / (32.0 * 14.0);
        }
    }
    assert_close(step, 20.0, 1.0);
    assert_true(sqrt(spread) < 0.34);
    for (size_t k = 0; k < 3; k++) {
        ng_image_free(&frame[k]);
    }
    ng_image_free(&scratch[0]);
    ng_image_free(&scratch[1]);
    ng_image_free(&out);
}

static void test_mend(void **state)
{
    (void)state;
    ng_image image = image_of(10, 10);
    for (size_t i = 0; i < 100; i++) {
        image.pixel[i] = 5.0f;
    }
    image.pixel[3] = NAN;
    image.pixel[50] = INFINITY;
    image.pixel[99] = -INFINITY;
    assert_int_equal(ng_image_mend(&image), 3);
    for (size_t i = 0; i < 100; i++) {
        assert_true(image.pixel[i] == 5.0f);
    }
    for (size_t i = 0; i < 100; i++) {
        image.pixel[i] = NAN;
    }
    assert_int_equal(ng_image_mend(&image), 100);
    assert_true(image.pixel[42] == 0.0f);
    ng_image_free(&image);
}

static void test_create_refuses(void **state)
{
    (void)state;
    ng_image image;
    ng_error err;
    assert_int_equal(ng_image_create(0, 5, &image, &err), NG_INVALID);
    assert_int_equal(ng_image_create(SIZE_MAX / 2, 3, &image, &err), NG_MEMORY);
    assert_null(image.pixel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaussian_moments),
        cmocka_unit_test(test_gaussian_noise),
        cmocka_unit_test(test_gaussian_small_image),
        cmocka_unit_test(test_select_and_median),
        cmocka_unit_test(test_mean_and_flatten),
        cmocka_unit_test(test_perona_malik),
        cmocka_unit_test(test_nl_means),
        cmocka_unit_test(test_mend),
        cmocka_unit_test(test_create_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
