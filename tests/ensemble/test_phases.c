/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/ensemble.h>

#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <math.h>

/* A broken line in the logarithms: `rate` of the mean and of the variance per frame. */
struct piece {
    size_t frames;
    double mean_rate, variance_rate;
};

static ng_series broken_line(const struct piece *piece, size_t n, double noise)
{
    size_t frames = 0;
    for (size_t i = 0; i < n; i++) {
        frames += piece[i].frames;
    }
    ng_series s;
    assert_int_equal(ng_series_create(frames, &s, NULL), NG_OK);
    gsl_rng *rng = ng_random_open(5, 0);
    assert_non_null(rng);
    double mean = log(300.0), variance = log(4e4);
    size_t f = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < piece[i].frames; k++, f++) {
            s.mean_n[f] = exp(mean + gsl_ran_gaussian(rng, noise));
            s.var_n[f] = exp(variance + gsl_ran_gaussian(rng, 3.0 * noise));
            mean += piece[i].mean_rate;
            variance += piece[i].variance_rate;
        }
    }
    ng_random_close(rng);
    return s;
}

static size_t find(const ng_series *s, ng_phase *phase, size_t max)
{
    size_t n = 0;
    assert_int_equal(ng_phases_find(s, max, phase, &n, NULL), NG_OK);
    return n;
}

static const struct piece four[] = {
    {40, 0.03, 0.05}, {30, -0.01, -0.03}, {60, 0.0, 0.02}, {50, 0.02, 0.0}};

/* The moving mean rounds corners by 4 frames; noise moves them by as much again. */
static void a_broken_line_is_found_again(void **state)
{
    (void)state;
    const double noises[] = {0.0, 0.01, 0.04};
    for (size_t i = 0; i < 3; i++) {
        ng_series s = broken_line(four, 4, noises[i]);
        ng_phase phase[9];
        assert_int_equal(find(&s, phase, 9), 4);
        assert_int_equal(phase[0].first, 0);
        assert_in_range(phase[0].last, 35, 43);
        assert_in_range(phase[1].last, 63, 77);
        assert_in_range(phase[2].last, 123, 137);
        assert_int_equal(phase[3].last, 179);
        assert_string_equal(phase[3].name, "IV");
        for (size_t k = 1; k < 4; k++) {
            assert_int_equal(phase[k].first, phase[k - 1].last + 1);
        }
        assert_int_equal(phase[0].mean, NG_RISING);
        assert_int_equal(phase[1].mean, NG_FALLING);
        assert_int_equal(phase[2].mean, NG_FLAT);
        assert_int_equal(phase[3].mean, NG_RISING);
        assert_int_equal(phase[0].variance, NG_RISING);
        assert_int_equal(phase[1].variance, NG_FALLING);
        assert_int_equal(phase[2].variance, NG_RISING);
        assert_close(phase[0].mean_rate, 0.03, 0.003);
        assert_close(phase[2].variance_rate, 0.02, 0.006);
        ng_series_free(&s);
    }
}

static void a_steady_state_is_one_flat_phase(void **state)
{
    (void)state;
    const struct piece steady = {100, 0.0, 0.0};
    ng_series s = broken_line(&steady, 1, 0.01);
    ng_phase phase[9];
    assert_int_equal(find(&s, phase, 9), 1);
    assert_int_equal(phase[0].last, 99);
    assert_int_equal(phase[0].mean, NG_FLAT);
    assert_int_equal(phase[0].variance, NG_FLAT);
    assert_string_equal(ng_trend_name(phase[0].mean), "flat");
    assert_string_equal(ng_trend_name(NG_RISING), "rising");
    assert_string_equal(ng_trend_name(NG_FALLING), "falling");
    ng_series_free(&s);
}

static void the_limit_is_kept(void **state)
{
    (void)state;
    ng_series s = broken_line(four, 4, 0.01);
    ng_phase phase[9];
    assert_int_equal(find(&s, phase, 2), 2);
    assert_int_equal(phase[1].last, 179);
    assert_int_equal(find(&s, phase, 0), 0);
    ng_series_free(&s);
}

static void frames_without_values_are_passed_over(void **state)
{
    (void)state;
    ng_series s = broken_line(four, 4, 0.0);
    for (size_t f = 20; f < 160; f += 7) {
        s.mean_n[f] = s.var_n[f] = (double)NAN;
    }
    s.var_n[3] = 0.0;
    s.mean_n[5] = -1.0;
    ng_phase phase[9];
    assert_int_equal(find(&s, phase, 9), 4);
    assert_in_range(phase[1].last, 63, 77);
    ng_series_free(&s);
}

static void few_frames(void **state)
{
    (void)state;
    const struct piece two = {2, 0.1, 0.1};
    ng_series s = broken_line(&two, 1, 0.0);
    ng_phase phase[9];
    assert_int_equal(find(&s, phase, 9), 1);
    assert_int_equal(phase[0].mean, NG_RISING);
    s.var_n[1] = (double)NAN;
    assert_int_equal(find(&s, phase, 9), 0);
    size_t n = 7;
    ng_alloc_fail_after(1);
    assert_int_equal(ng_phases_find(&s, 9, phase, &n, NULL), NG_MEMORY);
    ng_alloc_fail_after(0);
    assert_int_equal(n, 0);
    ng_series_free(&s);
}

/* More frames than possible boundaries: corners to a block of 20 frames. */
static void long_movies(void **state)
{
    (void)state;
    const struct piece corner[] = {{4000, 5e-4, 1e-3}, {6000, -1e-4, 0.0}};
    ng_series s = broken_line(corner, 2, 0.01);
    ng_phase phase[9];
    assert_int_equal(find(&s, phase, 9), 2);
    assert_in_range(phase[0].last, 3960, 4040);
    assert_int_equal(phase[1].last, 9999);
    ng_series_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_line_is_found_again),
        cmocka_unit_test(a_steady_state_is_one_flat_phase),
        cmocka_unit_test(the_limit_is_kept),
        cmocka_unit_test(frames_without_values_are_passed_over),
        cmocka_unit_test(few_frames),
        cmocka_unit_test(long_movies),
    };
    return cmocka_run_group_tests_name("phases", tests, NULL, NULL);
}
