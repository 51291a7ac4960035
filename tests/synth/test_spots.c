/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The movie of Brownian spots: brightness, motion, deaths, and the bound that it promises. */
#include <nucgrow/synth.h>

#include "test_support.h"

#include <gsl/gsl_math.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* Statistics of a fixed seed: beyond this many standard errors is a defect (1 in 16000). */
#define SIGMAS 4
#define SIZE 128

static float picture[SIZE * SIZE];

static ng_synth_spots_options small(void)
{
    ng_synth_spots_options options = ng_synth_spots_defaults();
    options.size_px = SIZE;
    options.frames = 40;
    options.spots = 30;
    options.pixel_nm = 1;
    return options;
}

static ng_synth_spots *open_spots(const ng_synth_spots_options *options, int threads)
{
    ng_run run = ng_run_defaults();
    run.threads = threads;
    run.seed = 2;
    ng_synth_spots *spots = NULL;
    ng_error err;
    if (ng_synth_spots_open(options, &run, &spots, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return spots;
}

static void next(ng_synth_spots *spots, float *pixel)
{
    ng_error err;
    if (ng_synth_spots_next(spots, pixel, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
}

/* At the pixel nearest to a spot alone stands the peak, less what its distance takes; counts are
 * whole: half a photon. The definition of the ratio gives the peak back. */
static void brightness_is_what_was_asked(void **unused)
{
    (void)unused;
    ng_synth_spots_options options = small();
    options.noise = false;
    options.spots = 1;
    options.snr = 7;
    ng_synth_spots *spots = open_spots(&options, 1);
    for (int frame = 0; frame < 10; frame++) {
        size_t n = 0;
        next(spots, picture);
        const ng_particle *p = ng_synth_spots_particles(spots, &n);
        assert_int_equal(n, 1);
        const double x = round(p->x_nm), y = round(p->y_nm);
        const double d2 = gsl_pow_2(x - p->x_nm) + gsl_pow_2(y - p->y_nm);
        assert_close((double)picture[(size_t)y * SIZE + (size_t)x],
                     10 + p->contrast * exp(-d2 / (2 * 2.25)), 0.51);
        const double peak = p->contrast + 10;
        assert_close(p->contrast / sqrt(peak), 7, 1e-12);
    }
    ng_synth_spots_close(spots);
}

/* Bound of the table that trackers are compared with: 0.108, 0.213 and 0.481 px at 7, 4 and 2. */
static void bound_is_the_known_one(void **unused)
{
    (void)unused;
    const double snr[] = {7, 4, 2}, bound[] = {0.108, 0.213, 0.481};
    for (size_t i = 0; i < 3; i++) {
        ng_synth_spots_options options = small();
        options.snr = snr[i];
        ng_synth_spots *spots = open_spots(&options, 1);
        json_t *truth = ng_synth_spots_truth_json(spots, NULL);
        assert_close(json_number_value(json_object_get(truth, "bound_px")), bound[i], 0.001);
        json_decref(truth);
        ng_synth_spots_close(spots);
    }
}

/* Steps and deaths over 40 frames; steps at the borders are left out. */
static void spots_wander_and_vanish(void **unused)
{
    (void)unused;
    ng_synth_spots_options options = small();
    options.spots = 200;
    ng_synth_spots *spots = open_spots(&options, 1);
    static ng_particle before[200];
    double squares = 0, steps = 0, deaths = 0;
    for (long frame = 0; frame < options.frames; frame++) {
        size_t n = 0;
        next(spots, picture);
        const ng_particle *p = ng_synth_spots_particles(spots, &n);
        assert_int_equal(n, 200);
        for (size_t i = 0; frame > 0 && i < n; i++) {
            deaths += p[i].track != before[i].track;
            const bool inside = fabs(before[i].x_nm - 64) < 54 && fabs(before[i].y_nm - 64) < 54;
            if (p[i].track == before[i].track && inside) {
                squares += gsl_pow_2(p[i].x_nm - before[i].x_nm) / 2.25 +
                           gsl_pow_2(p[i].y_nm - before[i].y_nm) / 2.25;
                steps += 2;
            }
        }
        memcpy(before, p, sizeof before);
    }
    const double chances = 39 * 200;
    assert_close(deaths / chances, 0.05, SIGMAS * sqrt(0.05 * 0.95 / chances));
    assert_close(squares / steps, 1, SIGMAS * sqrt(2 / steps));
    ng_synth_spots_close(spots);
}

/* Mean and variance of the background, far from the only spot. */
static void noise_is_poisson(void **unused)
{
    (void)unused;
    ng_synth_spots_options options = small();
    options.spots = 1;
    ng_synth_spots *spots = open_spots(&options, 1);
    size_t n = 0;
    next(spots, picture);
    const ng_particle *p = ng_synth_spots_particles(spots, &n);
    double sum = 0, squares = 0, pixels = 0;
    for (size_t i = 0; i < SIZE * SIZE; i++) {
        if (hypot((double)(i % SIZE) - p->x_nm, (double)(i / SIZE) - p->y_nm) > 10) {
            sum += (double)picture[i];
            squares += gsl_pow_2((double)picture[i] - 10);
            pixels++;
        }
    }
    assert_close(sum / pixels, 10, SIGMAS * sqrt(10 / pixels));
    assert_close(squares / pixels, 10, SIGMAS * 10 * sqrt(2.1 / pixels)); /* kurtosis 3 + 1/10 */
    ng_synth_spots_close(spots);
}

static void threads_change_nothing(void **unused)
{
    (void)unused;
    static float other[SIZE * SIZE];
    const ng_synth_spots_options options = small();
    ng_synth_spots *one = open_spots(&options, 1), *two = open_spots(&options, 2);
    for (int frame = 0; frame < 5; frame++) {
        next(one, picture);
        next(two, other);
        assert_memory_equal(picture, other, sizeof picture);
    }
    ng_synth_spots_close(one);
    ng_synth_spots_close(two);
}

static void values_out_of_range_are_refused(void **unused)
{
    (void)unused;
    const ng_synth_spots_options good = small();
    ng_synth_spots_options bad = good;
    ng_synth_spots *spots = NULL;
    ng_error err = {0};
#define REFUSED(name, field, value)                                                                \
    bad.field = (value);                                                                           \
    assert_int_equal(ng_synth_spots_open(&bad, NULL, &spots, &err), NG_INVALID);                   \
    assert_non_null(strstr(err.message, name " is "));                                             \
    assert_null(spots);                                                                            \
    bad = good
    REFUSED("spots", spots, 0);
    REFUSED("snr", snr, 0);
    REFUSED("sigma-px", sigma_px, (double)NAN);
    REFUSED("step-px", step_px, -1);
    REFUSED("death-rate", death_rate, 2);
    REFUSED("frames", frames, 1);
    REFUSED("size-px", size_px, 8);
    REFUSED("background", background, -1);
    REFUSED("pixel-nm", pixel_nm, 0);
    REFUSED("frame-s", frame_s, 0);
#undef REFUSED
}

static void a_movie_ends(void **unused)
{
    (void)unused;
    ng_synth_spots_options options = small();
    options.frames = 2;
    ng_synth_spots *spots = open_spots(&options, 1);
    ng_error err = {0};
    next(spots, picture);
    next(spots, picture);
    assert_int_equal(ng_synth_spots_next(spots, picture, &err), NG_INTERNAL);
    ng_synth_spots_close(spots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brightness_is_what_was_asked),
        cmocka_unit_test(bound_is_the_known_one),
        cmocka_unit_test(spots_wander_and_vanish),
        cmocka_unit_test(noise_is_poisson),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(a_movie_ends),
    };
    return cmocka_run_group_tests_name("spots", tests, NULL, NULL);
}
