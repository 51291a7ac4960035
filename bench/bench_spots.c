/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast spots are found, and how well.
 *
 *     bench_spots            speed: 640 x 424 pixels, 600 spots, one thread
 *     bench_spots places     errors of places and light over their bounds, isolated spots
 *     bench_spots noise      false alarms in frames of noise, asked for and found
 *     bench_spots tracks     the Brownian benchmark: measures of the tracking challenge
 *
 * Speed: processor time, best of several passes, beside two floors of the same run: a copy of the
 * frame, and one separable Gaussian filter of it.
 */
#include "isbi_measures.h"
#include "spot_scene.h"

#include <nucgrow/detect.h>
#include <nucgrow/synth.h>
#include <nucgrow/track.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 640, HEIGHT = 424, SPOTS = 600, FRAMES = 12, PASSES = 5 };
#define SIGMA 1.5

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_spots: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

/* ---- speed ----------------------------------------------------------------------------- */

static void make_frames(ng_image *frame, double snr)
{
    ng_error err;
    gsl_rng *rng = ng_random_open(1, 0);
    const double background = 10.0, peak = spot_peak(snr, background);
    for (size_t f = 0; f < FRAMES; f++) {
        require(ng_image_create(WIDTH, HEIGHT, &frame[f], &err), &err);
        spot_fill(&frame[f], background);
        for (size_t i = 0; i < SPOTS; i++) {
            spot_add(&frame[f], gsl_rng_uniform(rng) * WIDTH - 0.5,
                     gsl_rng_uniform(rng) * HEIGHT - 0.5, SIGMA, peak - background);
        }
        spot_noise(&frame[f], rng);
    }
    ng_random_close(rng);
}

static double time_detector(const ng_image *frame, bool fit, double *found, double *settle)
{
    ng_error err;
    ng_detect_options o = spot_options();
    ng_detect_choices choices;
    ng_detector *detector = NULL;
    o.fit = fit;
    const double begin = cpu_s();
    require(ng_detect_settle(frame, FRAMES, &o, &choices, NULL, &err), &err);
    *settle = cpu_s() - begin;
    require(ng_detector_create(&choices, WIDTH, HEIGHT, &detector, &err), &err);
    double best = HUGE_VAL;
    for (int pass = 0; pass < PASSES; pass++) {
        *found = 0.0;
        const double start = cpu_s();
        for (size_t f = 0; f < FRAMES; f++) {
            const ng_image *const window[] = {&frame[f]};
            ng_detect_frame out;
            require(ng_detector_measure(detector, window, 1, 0, &out, &err), &err);
            *found += (double)out.n / FRAMES;
        }
        best = fmin(best, (cpu_s() - start) / FRAMES);
    }
    ng_detector_destroy(detector);
    return best;
}

/* A copy, and a Gaussian filter; a frame each. */
static void time_floors(const ng_image *frame, double *copy, double *filter)
{
    ng_error err;
    ng_image scratch, out;
    require(ng_image_create(WIDTH, HEIGHT, &scratch, &err), &err);
    require(ng_image_create(WIDTH, HEIGHT, &out, &err), &err);
    *copy = *filter = HUGE_VAL;
    for (int pass = 0; pass < PASSES; pass++) {
        double start = cpu_s();
        for (size_t f = 0; f < FRAMES; f++) {
            memcpy(out.pixel, frame[f].pixel, WIDTH * HEIGHT * sizeof *out.pixel);
        }
        *copy = fmin(*copy, (cpu_s() - start) / FRAMES);
        start = cpu_s();
        for (size_t f = 0; f < FRAMES; f++) {
            ng_image_gaussian(&frame[f], SIGMA, &scratch, &out);
        }
        *filter = fmin(*filter, (cpu_s() - start) / FRAMES);
    }
    ng_image_free(&scratch);
    ng_image_free(&out);
}

static void bench_speed(void)
{
    static const double snr[] = {7.0, 4.0, 2.0};
    ng_image frame[FRAMES];
    printf("%4s %-5s %8s %10s %8s %12s %10s %9s\n", "snr", "mode", "found", "frames/s", "ms",
           "x Gaussian", "x copy", "settle s");
    for (size_t i = 0; i < sizeof snr / sizeof snr[0]; i++) {
        double copy, filter;
        make_frames(frame, snr[i]);
        time_floors(frame, &copy, &filter);
        for (int fit = 0; fit < 2; fit++) {
            double found, settle;
            const double each = time_detector(frame, fit == 1, &found, &settle);
            printf("%4.0f %-5s %8.1f %10.0f %8.2f %12.2f %10.1f %9.2f\n", snr[i],
                   fit == 1 ? "ml" : "log", found, 1.0 / each, 1e3 * each, each / filter,
                   each / copy, settle);
        }
        for (size_t f = 0; f < FRAMES; f++) {
            ng_image_free(&frame[f]);
        }
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    bench_speed();
    return EXIT_SUCCESS;
}
