/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The blurred disk against what is known of it, and the Poisson numbers of its noise. */
#include "synth/synth_internal.h"

#include "synth_statistics.h"
#include "test_support.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>

#define SIDE 64

static double cover[SIDE * SIDE];

/* The disk on a fresh picture, drawn in bands of `band` rows; returns the sum of all pixels. */
static double draw(const ng_synth_disk *disk, double blur, size_t band)
{
    ng_synth_disk_nodes nodes = {0};
    double sum = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        cover[i] = 0;
    }
    for (size_t first = 0; first < SIDE; first += band) {
        const size_t end = first + band < SIDE ? first + band : SIDE;
        ng_synth_rows rows = {first, end, SIDE, cover + first * SIDE};
        ng_error err;
        if (ng_synth_disk_touches(disk, blur, &rows)) {
            assert_int_equal(ng_synth_disk_draw(disk, blur, &nodes, &rows, &err), NG_OK);
        }
    }
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        sum += cover[i];
    }
    ng_synth_disk_nodes_free(&nodes);
    return sum;
}

/* What lies inside the picture is the disk's area, wherever it lies in its pixels. */
static void area_is_conserved(void **unused)
{
    (void)unused;
    const double radius[] = {0.5, 2, 3.3, 5, 12}, blur[] = {0.3, 1, 2.5};
    for (size_t r = 0; r < sizeof radius / sizeof radius[0]; r++) {
        for (size_t s = 0; s < sizeof blur / sizeof blur[0]; s++) {
            const ng_synth_disk disk = {31.3, 32.8, radius[r]};
            const double area = M_PI * radius[r] * radius[r];
            assert_close(draw(&disk, blur[s], SIDE), area, 1e-6 * area); /* as promised */
        }
    }
}

/* At the centre of a blurred disk stands 1 - exp(-r^2/2s^2), and at a distance what the integral
 * over rings gives. Pixels are large against nothing here: blur and radius are of 12 pixels and
 * more, and the mean over a pixel differs from its centre by the curvature/24 < 1e-3. */
static void profile_is_that_of_the_integral(void **unused)
{
    (void)unused;
    const double s = 6, r = 12;
    const ng_synth_disk disk = {32, 32, r};
    draw(&disk, s, SIDE);
    assert_close(cover[32 * SIDE + 32], 1 - exp(-r * r / (2 * s * s)), 2e-3);
    for (int away = 0; away < 30; away += 3) {
        double sum = 0;
        const double step = r / 2000;
        for (int k = 0; k < 2000; k++) {
            const double t = (k + 0.5) * step;
            sum += step * t / (s * s) * exp(-gsl_pow_2(t - away) / (2 * s * s)) *
                   gsl_sf_bessel_I0_scaled(t * away / (s * s));
        }
        assert_close(cover[32 * SIDE + 32 + away], sum, 2e-3);
        assert_close(cover[(32 - away) * SIDE + 32], sum, 2e-3);
    }
}

/* Almost without blur a pixel holds the part of it that the disk covers: all, nothing, or for a
 * pixel that a large disk's edge halves, a half (its sagitta over a pixel is 1/(8r) = 0.01). */
static void sharp_disk_covers_its_pixels(void **unused)
{
    (void)unused;
    const ng_synth_disk disk = {32, 32, 12};
    draw(&disk, 0.2, SIDE);
    assert_close(cover[32 * SIDE + 32], 1, 1e-6);
    assert_close(cover[32 * SIDE + 46], 0, 1e-6);
    assert_close(cover[32 * SIDE + 44], 0.5, 0.01);
    assert_close(cover[20 * SIDE + 32], 0.5, 0.01);
}

/* Bands change nothing but the order of nothing: every pixel is in one band. */
static void bands_join(void **unused)
{
    (void)unused;
    static double whole[SIDE * SIDE];
    const ng_synth_disk disk = {30.7, 31.2, 4.2};
    draw(&disk, 1, SIDE);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        whole[i] = cover[i];
    }
    draw(&disk, 1, 7);
    assert_memory_equal(whole, cover, sizeof cover);
}

/* Across the border, half a disk is left; far outside, nothing. */
static void borders_cut(void **unused)
{
    (void)unused;
    const ng_synth_disk half = {-0.5, 32, 5}, outside = {-20, 32, 5}, corner = {63.5, 63.5, 5};
    assert_close(draw(&half, 1, SIDE), M_PI * 25 / 2, 1e-5);
    assert_close(draw(&corner, 1, SIDE), M_PI * 25 / 4, 1e-5);
    assert_close(draw(&outside, 1, SIDE), 0, 0);
}

/* ---- Poisson numbers ---- */

/* On both sides of the mean at which the method changes. */
static void poisson_numbers_are_poisson(void **unused)
{
    (void)unused;
    enum { DRAWS = 200000, CELLS = 2000 };
    const double mean[] = {0.3, 4, 9.99, 10.01, 100, 1000};
    gsl_rng *source = ng_random_open(5, 1);
    ng_synth_random random = ng_synth_random_from(source);
    ng_random_close(source);
    for (size_t m = 0; m < sizeof mean / sizeof mean[0]; m++) {
        static double count[CELLS], probability[CELLS];
        for (unsigned k = 0; k < CELLS; k++) {
            count[k] = 0;
            probability[k] = gsl_ran_poisson_pdf(k, mean[m]);
        }
        for (int i = 0; i < DRAWS; i++) {
            const long k = ng_synth_poisson(mean[m], &random);
            assert_in_range(k, 0, CELLS - 1);
            count[k]++;
        }
        assert_true(chi_square_p(count, probability, CELLS, DRAWS) > SIGNIFICANCE);
    }
    assert_int_equal(ng_synth_poisson(0, &random), 0);
}

static void normal_numbers_are_normal(void **unused)
{
    (void)unused;
    enum { PAIRS = 100000 };
    gsl_rng *source = ng_random_open(5, 2);
    const ng_synth_random base = ng_synth_random_from(source);
    ng_random_close(source);
    double sum[5] = {0};
    for (uint64_t i = 0; i < PAIRS; i++) {
        double pair[2]; /* of a generator of its own each: keys must not hang together */
        ng_synth_random random = ng_synth_random_keyed(&base, i);
        ng_synth_normal_pair(&random, pair);
        sum[0] += pair[0];
        sum[1] += pair[1];
        sum[2] += pair[0] * pair[0];
        sum[3] += pair[1] * pair[1];
        sum[4] += pair[0] * pair[1];
    }
    const double four_sigmas = 4 / sqrt(PAIRS); /* of a mean; sqrt 2 of that of a variance */
    assert_close(sum[0] / PAIRS, 0, four_sigmas);
    assert_close(sum[1] / PAIRS, 0, four_sigmas);
    assert_close(sum[2] / PAIRS, 1, M_SQRT2 * four_sigmas);
    assert_close(sum[3] / PAIRS, 1, M_SQRT2 * four_sigmas);
    assert_close(sum[4] / PAIRS, 0, four_sigmas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(area_is_conserved),
        cmocka_unit_test(profile_is_that_of_the_integral),
        cmocka_unit_test(sharp_disk_covers_its_pixels),
        cmocka_unit_test(bands_join),
        cmocka_unit_test(borders_cut),
        cmocka_unit_test(poisson_numbers_are_poisson),
        cmocka_unit_test(normal_numbers_are_normal),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
