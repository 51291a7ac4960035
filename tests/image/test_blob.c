/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter for round spots and its peaks, against the plain sum over the kernel. */
#include "image_test.h"

static size_t mirrored(long i, size_t n)
{
    const long side = (long)n;
    while (i < 0 || i >= side) {
        i = i < 0 ? -1 - i : 2 * side - 1 - i;
    }
    return (size_t)i;
}

static double plain(const ng_image *in, const ng_blob_filter *f, size_t x, size_t y)
{
    const long r = (long)f->radius;
    double sum = 0.0;
    for (long j = -r; j <= r; j++) {
        for (long i = -r; i <= r; i++) {
            const size_t at =
                mirrored((long)y + j, in->height) * in->width + mirrored((long)x + i, in->width);
            sum += ng_blob_filter_at(f, i, j) * (double)in->pixel[at];
        }
    }
    return sum;
}

/* Whether no neighbour is higher. */
static bool stands_out(const double *value, size_t w, size_t h, size_t x, size_t y)
{
    for (size_t j = y > 0 ? y - 1 : 0; j <= y + 1 && j < h; j++) {
        for (size_t i = x > 0 ? x - 1 : 0; i <= x + 1 && i < w; i++) {
            if (value[j * w + i] > value[y * w + x]) {
                return false;
            }
        }
    }
    return true;
}

static void check_filter(ng_blob_kind kind, double sigma, size_t w, size_t h)
{
    enum { MOST = 2000 };
    const double least = 0.05;
    const ng_blob_filter f = ng_blob_filter_make(kind, sigma);
    static ng_blob_peak peak[MOST];
    ng_image image = image_of(w, h);
    fill_normal(&image, 1.0, 1.0, 7);
    double *value = NG_NEW(double, w *h);
    float *scratch = NG_NEW(float, ng_blob_scratch(&f, w));
    assert_non_null(value);
    assert_non_null(scratch);
    size_t expected = 0;
    for (size_t k = 0; k < w * h; k++) {
        value[k] = plain(&image, &f, k % w, k / w);
    }
    const size_t n = ng_image_blobs(&image, &f, (float)least, scratch, peak, MOST);
    for (size_t k = 0, at = 0; k < w * h; k++) {
        if (!(value[k] > least && stands_out(value, w, h, k % w, k / w))) {
            continue;
        }
        expected++;
        assert_true(at < n);
        assert_int_equal(peak[at].row * w + peak[at].column, k);
        /* floats of about 1: a parabola lifts the top by less than its neighbours lie below */
        assert_true(peak[at].height > value[k] - 1e-5);
        assert_true(fabs(peak[at].x - (double)(k % w)) <= 0.5);
        assert_true(fabs(peak[at].y - (double)(k / w)) <= 0.5);
        at++;
    }
    assert_int_equal(n, expected);
    assert_true(n > 0);
    ng_free(value);
    ng_free(scratch);
    ng_image_free(&image);
}

/* Wide, narrower than a block of the vector code, lower than the kernel, one row; sides that no
 * vector divides. */
static void same_as_the_sum(void **state)
{
    (void)state;
    static const size_t side[][2] = {{70, 40}, {97, 33}, {64, 5}, {19, 23}, {45, 1}, {33, 64}};
    for (size_t i = 0; i < sizeof side / sizeof side[0]; i++) {
        for (double sigma = 0.5; sigma < 5.0; sigma *= 1.9) {
            check_filter(NG_BLOB_LOG, sigma, side[i][0], side[i][1]);
            check_filter(NG_BLOB_DOG, sigma, side[i][0], side[i][1]);
        }
    }
}

/* A Gaussian spot of the filter's own width: answer 1 (kernels are floats) and its place, off by
 * what a parabola makes of the top of a Gaussian's: at most 0.03 px for 1.8 px. */
static void answers_to_a_spot(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        const ng_blob_filter f = ng_blob_filter_make((ng_blob_kind)kind, 1.8);
        ng_image image = image_of(80, 60);
        ng_blob_peak peak;
        for (size_t k = 0; k < 80 * 60; k++) {
            const double x = (double)(k % 80) - 40.3, y = (double)(k / 80) - 22.8;
            image.pixel[k] = 100.0f + (float)exp(-0.5 * (x * x + y * y) / (1.8 * 1.8));
        }
        float *scratch = NG_NEW(float, ng_blob_scratch(&f, 80));
        assert_int_equal(ng_image_blobs(&image, &f, 0.3f, scratch, &peak, 1), 1);
        assert_true(fabs(peak.x - 40.3) < 0.03 && fabs(peak.y - 22.8) < 0.03);
        assert_true(fabs(peak.height - 1.0) < 0.01);
        ng_free(scratch);
        ng_image_free(&image);
    }
}

/* Least, largest, and what is not finite, wherever it stands. */
static void tells_the_range(void **state)
{
    (void)state;
    ng_image image = image_of(37, 3);
    for (size_t k = 0; k < 37 * 3; k++) {
        for (size_t i = 0; i < 37 * 3; i++) {
            image.pixel[i] = (float)(i % 7);
        }
        float least = 0.0f, most = 0.0f;
        image.pixel[k] = k % 2 == 0 ? -5.0f : 50.0f;
        assert_true(ng_image_range(&image, &least, &most));
        assert_true(least == (k % 2 == 0 ? -5.0f : 0.0f) && most == (k % 2 == 0 ? 6.0f : 50.0f));
        image.pixel[k] = k % 2 == 0 ? NAN : -INFINITY;
        assert_false(ng_image_range(&image, &least, &most));
    }
    ng_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_sum),
        cmocka_unit_test(answers_to_a_spot),
        cmocka_unit_test(tells_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
