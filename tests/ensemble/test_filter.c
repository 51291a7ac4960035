/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble/ensemble_internal.h"

#include "test_support.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define CUTOFF 0.04846
#define LENGTH 400

static ng_fir published_fir(void)
{
    ng_fir fir;
    ng_fir_design(CUTOFF, &fir);
    return fir;
}

static void smooth(const ng_fir *fir, const double *x, size_t n, double *out)
{
    double padded[LENGTH + 2 * NG_FIR_HALF];
    ng_fir_smooth(fir, x, n, NG_CONTINUE_POINT, padded, out);
}

/* Amplitude in the middle of a long cosine, whose phase must not move. */
static double response(const ng_fir *fir, double cycles_per_frame)
{
    double x[LENGTH], y[LENGTH];
    for (size_t k = 0; k < LENGTH; k++) {
        x[k] = cos(2.0 * M_PI * cycles_per_frame * ((double)k - LENGTH / 2));
    }
    smooth(fir, x, LENGTH, y);
    double amplitude = y[LENGTH / 2];
    for (size_t k = LENGTH / 4; k < 3 * LENGTH / 4; k++) {
        /* 1e-12: sums of 49 products of numbers below one. */
        assert_close(y[k], amplitude * x[k], 1e-12);
    }
    return amplitude;
}

static void zero_phase_pass_band_stop_band(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    assert_close(response(&fir, 0.0), 1.0, 1e-14);
    /* A 60 dB window: ripple and stop band 10^-3; transition of about 0.075 cycles a frame. */
    assert_close(response(&fir, 0.01), 1.0, 2e-3);
    assert_close(response(&fir, CUTOFF), 0.5, 0.02);
    for (double f = CUTOFF + 0.0375; f < 0.5; f += 0.01) {
        assert_close(response(&fir, f), 0.0, 1.2e-3);
    }
}

static void taps_are_those_of_the_published_filter(void **state)
{
    (void)state;
    /* Made with another program (Kaiser window of SciPy 1.10): 1e-15 is its rounding. */
    ng_fir fir = published_fir();
    assert_close(fir.tap[0], 0.096870208221599918, 1e-15);
    assert_close(fir.tap[1], 0.094956752641343803, 1e-15);
    assert_close(fir.tap[12], -0.0065760239660648066, 1e-15);
    assert_close(fir.tap[24], 0.00023091687652638883, 1e-15);
}

static void noise_gain_is_the_sum_of_squares(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    assert_close(ng_fir_noise_gain(&fir), 0.0797, 5e-5);
    ng_fir_design(0.5, &fir); /* passes everything */
    assert_close(fir.tap[0], 1.0, 1e-14);
    assert_close(ng_fir_noise_gain(&fir), 1.0, 1e-14);
}

static void lines_stay_lines_to_their_ends(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    double x[LENGTH], y[LENGTH];
    for (size_t k = 0; k < LENGTH; k++) {
        x[k] = 300.0 + 17.0 * (double)k;
    }
    for (size_t n = NG_FIR_HALF + 1; n < 60; n++) {
        smooth(&fir, x, n, y);
        for (size_t k = 0; k < n; k++) {
            assert_close(y[k], x[k], 1e-11); /* of numbers of a thousand */
        }
    }
}

static void short_trajectories_keep_constants_and_symmetry(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    double constant[24], line[24], y[24];
    for (size_t k = 0; k < 24; k++) {
        constant[k] = 500.0;
        line[k] = (double)k;
    }
    for (size_t n = 1; n <= 24; n++) {
        smooth(&fir, constant, n, y);
        for (size_t k = 0; k < n; k++) {
            assert_close(y[k], 500.0, 1e-11);
        }
        smooth(&fir, line, n, y);
        for (size_t k = 0; k < n; k++) {
            assert_close(y[k] + y[n - 1 - k], (double)(n - 1), 1e-12);
        }
    }
}

/* What is left at an end of white noise there, by superposition of unit impulses. */
static void noise_at_the_ends(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    double at_end = 0.0, inside = 0.0;
    for (size_t source = 0; source < 100; source++) {
        double x[100] = {0}, y[100];
        x[source] = 1.0;
        smooth(&fir, x, 100, y);
        at_end += y[0] * y[0];
        inside += y[50] * y[50];
    }
    assert_close(inside, ng_fir_noise_gain(&fir), 1e-14);
    assert_close(sqrt(inside), 0.28, 0.005); /* the figures of the header */
    assert_close(sqrt(at_end), 0.55, 0.005);
}

/* Against white noise itself, at the first points, at one past the reach and, mirrored, at the last
 * ones. 20000 draws: standard errors of sqrt(2/20000) = 1 % of a variance, and of sqrt(gain *
 * rate's variance / 20000) of a covariance; five of each. */
static void noise_near_a_start(void **state)
{
    (void)state;
    enum { DRAWS = 20000, N = 80 };
    ng_fir fir = published_fir();
    ng_smoothed_noise noise[NG_SMOOTHING_REACH];
    double gain[N] = {0}, cross[N] = {0}, rate[N] = {0};
    gsl_rng *rng = ng_random_open(21, 0);
    assert_non_null(rng);
    for (size_t d = 0; d < DRAWS; d++) {
        double x[N], y[N];
        for (size_t k = 0; k < N; k++) {
            x[k] = gsl_ran_gaussian(rng, 1.0);
        }
        smooth(&fir, x, N, y);
        for (size_t k = 1; k + 1 < N; k++) {
            double half = 0.5 * (y[k + 1] - y[k - 1]);
            gain[k] += y[k] * y[k] / DRAWS;
            cross[k] += y[k] * half / DRAWS;
            rate[k] += half * half / DRAWS;
        }
    }
    ng_random_close(rng);
    ng_fir_noise_at_start(&fir, noise);
    for (size_t k = 1; k < NG_SMOOTHING_REACH; k++) {
        double error = 5.0 * sqrt(gain[k] * rate[k] / DRAWS);
        assert_close(noise[k].gain, gain[k], 0.05 * gain[k]);
        assert_close(noise[k].cross, cross[k], error);
        assert_close(noise[k].gain, gain[N - 1 - k], 0.05 * gain[k]);
        assert_close(noise[k].cross, -cross[N - 1 - k], error);
    }
    /* the farthest point has nothing of the end in it: rounding */
    assert_close(noise[NG_SMOOTHING_REACH - 1].gain, ng_fir_noise_gain(&fir), 1e-15);
    assert_close(noise[NG_SMOOTHING_REACH - 1].cross, 0.0, 1e-15);
}

static void the_mirror_repeats_the_end(void **state)
{
    (void)state;
    ng_fir fir = published_fir();
    double x[40], y[40], padded[40 + 2 * NG_FIR_HALF], brute = 0.0;
    for (size_t k = 0; k < 40; k++) {
        x[k] = (double)(k * k);
    }
    ng_fir_smooth(&fir, x, 40, NG_CONTINUE_MIRROR, padded, y);
    for (int k = -NG_FIR_HALF; k <= NG_FIR_HALF; k++) {
        brute += fir.tap[abs(k)] * x[k < 0 ? -k - 1 : k];
    }
    assert_close(y[0], brute, 1e-11);
}

static void elliptic_keeps_constants(void **state)
{
    (void)state;
    double scratch[NG_ELLIPTIC_SCRATCH(31)], x[31], y[31];
    for (size_t n = 1; n <= 31; n++) {
        for (size_t k = 0; k < n; k++) {
            x[k] = 700.0;
        }
        ng_elliptic_smooth(x, n, scratch, y);
        for (size_t k = 0; k < n; k++) {
            /* The pole next to 1 magnifies the rounding of the coefficients about 1e4 times. */
            assert_close(y[k], 700.0, 700.0 * 1e-10);
        }
    }
}

/* First, middle and last value from another program (filtfilt of SciPy 1.10). */
static void elliptic_equals_another_program(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double first, middle, last;
    } want[] = {
        {3, 104.566217188268, 104.555199336012, 104.545954747163},
        {10, 107.055963858521, 106.317528710157, 105.917033700739},
        {31, 105.382520840231, 105.299326917434, 104.794348031477},
    };
    double scratch[NG_ELLIPTIC_SCRATCH(31)], x[31], y[31];
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        size_t n = want[i].n;
        for (size_t k = 0; k < n; k++) {
            x[k] = 100.0 + (double)((7 * k) % 11);
        }
        ng_elliptic_smooth(x, n, scratch, y);
        /* 1e-8: as above, of numbers of a hundred */
        assert_close(y[0], want[i].first, 1e-8);
        assert_close(y[n / 2], want[i].middle, 1e-8);
        assert_close(y[n - 1], want[i].last, 1e-8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_phase_pass_band_stop_band),
        cmocka_unit_test(taps_are_those_of_the_published_filter),
        cmocka_unit_test(noise_gain_is_the_sum_of_squares),
        cmocka_unit_test(lines_stay_lines_to_their_ends),
        cmocka_unit_test(short_trajectories_keep_constants_and_symmetry),
        cmocka_unit_test(noise_at_the_ends),
        cmocka_unit_test(noise_near_a_start),
        cmocka_unit_test(the_mirror_repeats_the_end),
        cmocka_unit_test(elliptic_keeps_constants),
        cmocka_unit_test(elliptic_equals_another_program),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
