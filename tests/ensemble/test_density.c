/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble/ensemble_internal.h"

#include "test_support.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define SIZES 150

/* Sizes whose logarithms are the quantiles of a normal distribution: no randomness. */
static void normal_sizes(double *n, size_t size, double mean, double sd)
{
    for (size_t i = 0; i < size; i++) {
        n[i] = exp(mean + gsl_cdf_gaussian_Pinv(((double)i + 0.5) / (double)size, sd));
    }
}

static ng_distribution kernel(const double *n, const double *weight, size_t size, size_t count)
{
    ng_distribution d;
    ng_error err = {.message = ""};
    if (ng_density_kernel(n, weight, size, 1.0, count, &d, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return d;
}

/* Trapezoid over n: 2000 points of a smooth curve, 1e-5; three bandwidths leave out 1e-3/150. */
static void the_density_integrates_to_one(void **state)
{
    (void)state;
    double n[SIZES], sum = 0.0, above = 0.0;
    normal_sizes(n, SIZES, 7.0, 0.4);
    ng_distribution d = kernel(n, NULL, SIZES, 2000);
    for (size_t k = d.count - 1; k > 0; k--) {
        double width = d.n[k] - d.n[k - 1];
        sum += 0.5 * (d.p[k] + d.p[k - 1]) * width;
        above = d.psi[d.count - 1] + sum;
        assert_close(d.psi[k - 1], above, 1e-4);
    }
    assert_close(sum, 1.0, 1e-4);
    assert_close(d.psi[0], 1.0, 1e-4);
    for (size_t k = 0; k < d.count; k++) {
        assert_true(d.p[k] > 0.0 && d.n[k] > 0.0);
    }
    ng_distribution_free(&d);
}

/* A normal distribution of s.d. s, smoothed by a kernel of s.d. h, is one of s.d. sqrt(s^2+h^2).
 * With 2000 quantiles in place of the distribution the error is that of a midpoint rule: 1 %. */
static void smoothing_of_a_normal_distribution_is_known(void **state)
{
    (void)state;
    enum { N = 2000 };
    static double n[N];
    normal_sizes(n, N, 7.0, 0.4);
    ng_distribution d = kernel(n, NULL, N, 101);
    double sd = hypot(0.4, d.bandwidth);
    for (size_t k = 0; k < d.count; k++) {
        double u = log(d.n[k]) - 7.0;
        if (fabs(u) > 2.0 * sd) {
            continue;
        }
        assert_close(d.p[k] * d.n[k] / gsl_ran_gaussian_pdf(u, sd), 1.0, 0.01);
        assert_close(d.psi[k], gsl_cdf_gaussian_Q(u, sd), 0.002);
        assert_close(d.score[k] * d.n[k], -u / (sd * sd) - 1.0, 0.05);
    }
    ng_distribution_free(&d);
}

/* Two sizes by hand. */
static void two_sizes(void **state)
{
    (void)state;
    const double n[] = {100.0, 200.0}, weight[] = {1.0, 3.0};
    double scratch[4];
    /* weights count repetitions: {0, L, L, L}, L = ln 2: s.d. L/2; quartiles L*3/4 and L */
    double h = 0.9 * fmin(0.5, 0.25 / 1.34) * M_LN2 * pow(4.0, -0.2);
    assert_close(ng_density_bandwidth(n, weight, 2, scratch), h, 1e-14);
    ng_distribution d = kernel(n, weight, 2, 50);
    assert_close(d.bandwidth, h, 1e-14);
    assert_close(log(d.n[0]), log(100.0) - 3.0 * h, 1e-13);
    assert_close(log(d.n[49]), log(200.0) + 3.0 * h, 1e-13);
    for (size_t k = 0; k < 50; k++) {
        double y = log(d.n[k]);
        double p = 0.25 * gsl_ran_gaussian_pdf(y - log(100.0), h) +
                   0.75 * gsl_ran_gaussian_pdf(y - log(200.0), h);
        assert_close(d.p[k], p / d.n[k], 1e-12 * p / d.n[k]);
    }
    ng_distribution_free(&d);
}

/* Central differences over a relative step of 1e-5 leave 1e-9 of the slope's scale. */
static void the_score_is_the_slope_of_the_logarithm(void **state)
{
    (void)state;
    double n[SIZES], p[SIZES + 2], score[SIZES + 2], with[SIZES + 2], weight[SIZES + 2];
    normal_sizes(n, SIZES, 7.0, 0.4);
    for (size_t i = 0; i < SIZES; i++) {
        weight[i] = 1.0;
        with[i] = n[i];
    }
    /* two probes of no weight beside a size */
    for (size_t i = 0; i < SIZES; i += 13) {
        weight[SIZES] = weight[SIZES + 1] = 0.0;
        with[SIZES] = n[i] * (1.0 - 1e-5);
        with[SIZES + 1] = n[i] * (1.0 + 1e-5);
        ng_density_at_points(with, weight, SIZES + 2, 0.1, p, score);
        double slope = log(p[SIZES + 1] / p[SIZES]) / (with[SIZES + 1] - with[SIZES]);
        assert_close(score[i] * n[i], slope * n[i], 1e-7);
    }
}

static void points_equal_the_grid(void **state)
{
    (void)state;
    double n[SIZES + 20], weight[SIZES + 20], p[SIZES + 20], score[SIZES + 20];
    normal_sizes(n, SIZES, 7.0, 0.4);
    for (size_t i = 0; i < SIZES; i++) {
        weight[i] = (double)(i % 3);
    }
    ng_distribution d = kernel(n, weight, SIZES, 20);
    for (size_t k = 0; k < 20; k++) {
        n[SIZES + k] = d.n[k];
        weight[SIZES + k] = 0.0;
    }
    ng_density_at_points(n, weight, SIZES + 20, d.bandwidth, p, score);
    for (size_t k = 0; k < 20; k++) {
        assert_close(p[SIZES + k], d.p[k], 1e-12 * d.p[k]);
        assert_close(score[SIZES + k] * d.n[k], d.score[k] * d.n[k], 1e-9);
    }
    ng_distribution_free(&d);
}

static void weights_are_repetitions(void **state)
{
    (void)state;
    const double n[] = {100, 140, 150, 220}, weight[] = {2, 0, 1, 3};
    const double repeated[] = {100, 100, 150, 220, 220, 220};
    double scratch[12], p[4], score[4], q[6], other[6];
    double h = ng_density_bandwidth(repeated, NULL, 6, scratch);
    assert_close(ng_density_bandwidth(n, weight, 4, scratch), h, 1e-15);
    ng_density_at_points(n, weight, 4, h, p, score);
    ng_density_at_points(repeated, NULL, 6, h, q, other);
    assert_close(p[0], q[0], 1e-15);
    assert_close(p[3], q[5], 1e-15);
    assert_close(score[2], other[2], 1e-13);
}

static void equal_sizes_have_no_bandwidth(void **state)
{
    (void)state;
    const double n[] = {100, 100, 100, 100, 100, 100, 100, 130};
    const double weight[] = {1, 1, 1, 1, 0, 0, 0, 0};
    double scratch[16];
    assert_close(ng_density_bandwidth(n, weight, 8, scratch), 0.0, 0.0);
    assert_close(ng_density_bandwidth(n, NULL, 1, scratch), 0.0, 0.0);
    /* half of the sizes are equal: the quartiles say nothing, the s.d. does */
    assert_true(ng_density_bandwidth(n, NULL, 8, scratch) > 0.01);
    ng_distribution d;
    ng_error err = {.message = ""};
    assert_int_equal(ng_density_kernel(n, weight, 8, 1.0, 50, &d, &err), NG_TOO_LITTLE);
    assert_non_null(strstr(err.message, "2 different sizes"));
    assert_null(d.p);
    assert_int_equal(ng_density_kernel(n, NULL, 8, 1.0, 1, &d, &err), NG_TOO_LITTLE);
}

/* Between two far groups the density underflows, its score does not. */
static void wide_gaps(void **state)
{
    (void)state;
    double n[12];
    for (size_t i = 0; i < 12; i++) {
        n[i] = i < 11 ? 100.0 + 0.01 * (double)i : 1e6;
    }
    ng_distribution d;
    assert_int_equal(ng_density_kernel(n, NULL, 12, 1e-3, 200, &d, NULL), NG_OK);
    for (size_t k = 0; k < d.count; k++) {
        assert_true(isfinite(d.p[k]) && isfinite(d.score[k]) && isfinite(d.psi[k]));
    }
    ng_distribution_free(&d);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    double n[SIZES];
    normal_sizes(n, SIZES, 7.0, 0.4);
    ng_status status = NG_MEMORY;
    size_t k = 0;
    while (status != NG_OK) {
        ng_distribution d;
        ng_alloc_fail_after(++k);
        status = ng_density_kernel(n, NULL, SIZES, 1.0, 50, &d, NULL);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
        ng_distribution_free(&d);
    }
    assert_in_range(k, 4, 10);
}

/* ---- the published density ----------------------------------------------------------------- */

static const double example[] = {70,  85,  91,  120, 120, 131, 140, 155, 158, 160,
                                 166, 171, 180, 190, 203, 204, 215, 260, 290, 330};
#define EXAMPLE (sizeof example / sizeof example[0])

/* From another program (histogram of NumPy, PCHIP of SciPy 1.10): rounding. */
static void published_density_equals_another_program(void **state)
{
    (void)state;
    static const struct {
        long n;
        double p, psi;
    } want[] = {
        {70, 0.0043258855780825218, 1.0},
        {71, 0.0043483359678423142, 0.99567411442191911},
        {100, 0.0046543792629055239, 0.89377690701313717},
        {128, 0.0049878108780825039, 0.76339290161240692},
        {171, 0.0081434273191991896, 0.45562376385321834},
        {200, 0.0054911216023042705, 0.25452783762550146},
        {260, 0.0011653312066118584, 0.13249246397405326},
        {300, 0.001774797805167732, 0.064466191860422087},
        {325, 0.0024178399918349486, 0.018330277230290608},
        {330, 0.0037954125231500755, 0.0037954125231500755},
    };
    double p[261], psi[261];
    assert_true(ng_density_published(example, NULL, EXAMPLE, 70, 330, p, psi));
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_close(p[want[i].n - 70], want[i].p, 1e-14);
        assert_close(psi[want[i].n - 70], want[i].psi, 1e-13);
    }
}

/* 30 sizes, one at the left edge of each bin, are equally likely; left = 0, width = 10. */
static void published_density_of_even_sizes_is_even(void **state)
{
    (void)state;
    double n[31], p[291], psi[291];
    for (size_t i = 0; i < 30; i++) {
        n[i] = 10.0 * (double)i;
    }
    n[30] = 300.0; /* the right edge of the last bin, which it makes twice as high */
    assert_true(ng_density_published(n, NULL, 31, 0, 290, p, psi));
    /* the mean over 5 bins reaches bin 27 */
    for (long k = 0; k <= 260; k++) {
        assert_close(p[k], p[0], 1e-15);
    }
    assert_true(p[290] > p[0]);
    assert_close(psi[0], 1.0, 1e-14);
}

static void published_density_with_weights(void **state)
{
    (void)state;
    double weight[EXAMPLE], repeated[2 * EXAMPLE], p[400], psi[400], q[400], other[400];
    size_t size = 0;
    for (size_t i = 0; i < EXAMPLE; i++) {
        weight[i] = (double)(i % 3);
        for (size_t k = 0; k < i % 3; k++) {
            repeated[size++] = example[i];
        }
    }
    assert_true(ng_density_published(example, weight, EXAMPLE, 60, 350, p, psi));
    assert_true(ng_density_published(repeated, NULL, size, 60, 350, q, other));
    for (size_t k = 0; k <= 290; k++) {
        assert_close(p[k], q[k], 1e-15);
        assert_close(psi[k], other[k], 1e-13);
    }
    assert_false(ng_density_published(example, NULL, 1, 60, 350, p, psi));
    assert_false(ng_density_published(example, NULL, EXAMPLE, 60, 50, p, psi));
}

static void pchip_is_exact_on_lines_and_monotone(void **state)
{
    (void)state;
    double y[10], slope[10];
    for (size_t k = 0; k < 10; k++) {
        y[k] = 3.0 - 2.5 * (double)k;
    }
    ng_pchip_slopes(y, 10, 0.5, slope);
    for (size_t k = 0; k < 9; k++) {
        assert_close(slope[k], -5.0, 1e-13);
        assert_close(ng_pchip_value(y + k, slope + k, 0.5, 0.2), y[k] - 1.0, 1e-13);
    }
    const double steps[] = {0, 0, 1, 1.01, 7, 7, 7.5, 20, 20, 19};
    ng_pchip_slopes(steps, 10, 2.0, slope);
    for (size_t k = 0; k < 9; k++) {
        double before = steps[k], direction = steps[k + 1] >= steps[k] ? 1.0 : -1.0;
        for (int i = 1; i <= 50; i++) {
            double value = ng_pchip_value(steps + k, slope + k, 2.0, 2.0 * i / 50.0);
            assert_true((value - before) * direction >= -1e-13);
            before = value;
        }
        assert_close(before, steps[k + 1], 1e-13);
    }
    ng_pchip_slopes(y, 2, 0.5, slope);
    assert_close(slope[0], -5.0, 0.0);
    assert_close(slope[1], -5.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_density_integrates_to_one),
        cmocka_unit_test(smoothing_of_a_normal_distribution_is_known),
        cmocka_unit_test(two_sizes),
        cmocka_unit_test(the_score_is_the_slope_of_the_logarithm),
        cmocka_unit_test(points_equal_the_grid),
        cmocka_unit_test(weights_are_repetitions),
        cmocka_unit_test(equal_sizes_have_no_bandwidth),
        cmocka_unit_test(wide_gaps),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(published_density_equals_another_program),
        cmocka_unit_test(published_density_of_even_sizes_is_even),
        cmocka_unit_test(published_density_with_weights),
        cmocka_unit_test(pchip_is_exact_on_lines_and_monotone),
    };
    return cmocka_run_group_tests_name("density", tests, NULL, NULL);
}
