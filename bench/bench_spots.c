/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast spots are found, and how well.
 *
 *     bench_spots            speed: 640 x 424 pixels, 600 spots, one thread
 *     bench_spots places     errors of places and light over their bounds, isolated spots
 *     bench_spots noise      false alarms in frames of noise, asked for and found
 *     bench_spots tracks     the Brownian benchmark: measures of the tracking challenge
 *
 * A second number is the (first) seed, a third of `tracks` how many.
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

/* ---- places and light ------------------------------------------------------------------ */

/* Bounds of a place (x and y together) and of the flux, background free, by the information of a
 * Poisson picture about a spot sampled at the centres of pixels. */
static void bounds(double snr, double *place, double *light)
{
    const double background = 10.0, height = spot_peak(snr, background) - background;
    const double s2 = SIGMA * SIGMA, flux = 2.0 * acos(-1.0) * height * s2;
    double x_info = 0.0, ff = 0.0, fb = 0.0, bb = 0.0;
    for (int y = -9; y <= 9; y++) {
        for (int x = -9; x <= 9; x++) {
            const double here = height * exp(-0.5 * (double)(x * x + y * y) / s2);
            const double v = here + background;
            x_info += here * x / s2 * (here * x / s2) / v;
            ff += here / flux * (here / flux) / v;
            fb += here / flux / v;
            bb += 1.0 / v;
        }
    }
    *place = sqrt(2.0 / x_info);
    *light = 1.0 / sqrt(ff - fb * fb / bb);
}

typedef struct tally {
    double place2, pull2, light, light2, light_pull2;
    size_t n, all, found;
} tally;

/* Particles within 3 px of the truth; pixels are 1 nm. */
static void compare(const ng_detect_frame *f, const double *x, const double *y, size_t n,
                    double flux, tally *t)
{
    t->all += n;
    t->found += f->n;
    for (size_t i = 0; i < n; i++) {
        const ng_particle *best = NULL;
        double near = 3.0;
        for (size_t k = 0; k < f->n; k++) {
            const double d = hypot(f->particle[k].x_nm - x[i], f->particle[k].y_nm - y[i]);
            if (d < near) {
                near = d;
                best = &f->particle[k];
            }
        }
        if (best != NULL) {
            const double dx = best->x_nm - x[i], dy = best->y_nm - y[i];
            const double light = best->intensity - flux;
            t->place2 += dx * dx + dy * dy;
            t->pull2 += 0.5 * (dx * dx / (best->x_se_nm * best->x_se_nm) +
                               dy * dy / (best->y_se_nm * best->y_se_nm));
            t->light += light;
            t->light2 += light * light;
            t->light_pull2 += light * light / (best->intensity_se * best->intensity_se);
            t->n++;
        }
    }
}

/* Lonely spots, or pairs `apart` px with a neighbour twice as bright. */
static tally study_places(double snr, bool fit, double apart, uint64_t seed)
{
    enum { SIDE = 506, MOST = 600, PILOTS = 8 };
    ng_error err;
    ng_image frame[PILOTS];
    ng_detect_options o = spot_options();
    ng_detect_choices c;
    ng_detector *detector = NULL;
    static double x[PILOTS][MOST], y[PILOTS][MOST];
    size_t n = 0;
    gsl_rng *rng = ng_random_open(seed, 0);
    const double height = spot_peak(snr, 10.0) - 10.0, pitch = apart > 0.0 ? 26.0 : 22.0;
    tally t = {.n = 0};
    for (size_t f = 0; f < PILOTS; f++) {
        require(ng_image_create(SIDE, SIDE, &frame[f], &err), &err);
        spot_fill(&frame[f], 10.0);
        n = 0;
        for (double v = 13.0; v < SIDE - 12.0; v += pitch) {
            for (double u = 13.0; u < SIDE - 12.0; u += pitch, n++) {
                x[f][n] = u + gsl_rng_uniform(rng);
                y[f][n] = v + gsl_rng_uniform(rng);
                spot_add(&frame[f], x[f][n], y[f][n], SIGMA, height);
                const double turn = 2.0 * acos(-1.0) * gsl_rng_uniform(rng);
                if (apart > 0.0) {
                    spot_add(&frame[f], x[f][n] + apart * cos(turn), y[f][n] + apart * sin(turn),
                             SIGMA, 2.0 * height);
                }
            }
        }
        spot_noise(&frame[f], rng);
    }
    o.fit = fit;
    require(ng_detect_settle(frame, PILOTS, &o, &c, NULL, &err), &err);
    require(ng_detector_create(&c, SIDE, SIDE, &detector, &err), &err);
    for (size_t f = 0; f < PILOTS; f++) {
        const ng_image *const window[] = {&frame[f]};
        ng_detect_frame out;
        require(ng_detector_measure(detector, window, 1, 0, &out, &err), &err);
        compare(&out, x[f], y[f], n, 2.0 * acos(-1.0) * height * SIGMA * SIGMA, &t);
        ng_image_free(&frame[f]);
    }
    ng_detector_destroy(detector);
    ng_random_close(rng);
    return t;
}

static void bench_places(uint64_t seed)
{
    static const double snr[] = {2.0, 3.0, 4.0, 7.0, 15.0, 40.0};
    printf("lonely spots: errors over their bounds, and over their standard errors\n%4s %-4s %6s "
           "%6s %8s %8s %6s %8s %6s %8s\n",
           "snr", "mode", "spots", "missed", "bound px", "place", "/s.e.", "light", "/s.e.",
           "bias %");
    for (size_t i = 0; i < sizeof snr / sizeof snr[0]; i++) {
        for (int fit = 1; fit >= 0; fit--) {
            double place, light;
            bounds(snr[i], &place, &light);
            const tally t = study_places(snr[i], fit == 1, 0.0, seed + i);
            const double n = (double)t.n, height = spot_peak(snr[i], 10.0) - 10.0;
            const double flux = 2.0 * acos(-1.0) * height * SIGMA * SIGMA;
            printf("%4.0f %-4s %6zu %6zu %8.3f %8.3f %6.2f %8.3f %6.2f %8.2f\n", snr[i],
                   fit == 1 ? "ml" : "log", t.all, t.all - t.n, place, sqrt(t.place2 / n) / place,
                   sqrt(t.pull2 / n), sqrt(t.light2 / n) / light, sqrt(t.light_pull2 / n),
                   100.0 * t.light / n / flux);
        }
    }
    printf("beside a neighbour twice as bright, snr 10: bias of the light, ml\n%8s %6s %8s\n",
           "apart px", "found", "bias %");
    for (double apart = 4.0; apart <= 10.0; apart += 2.0) {
        const tally t = study_places(10.0, true, apart, seed + 50);
        const double height = spot_peak(10.0, 10.0) - 10.0;
        const double flux = 2.0 * acos(-1.0) * height * SIGMA * SIGMA;
        printf("%8.0f %6zu %8.2f\n", apart, t.n, 100.0 * t.light / (double)t.n / flux);
    }
}

/* ---- false alarms ---------------------------------------------------------------------- */

static void bench_noise(uint64_t seed)
{
    static const double asked[] = {0.1, 0.5, 2.0, 10.0}, background[] = {10.0, 300.0};
    enum { SIDE = 512, TOTAL = 200, PILOTS = 8 };
    ng_error err;
    printf("false spots in %d frames of %d x %d px of Poisson noise\n%10s %-4s %6s %8s %8s\n",
           TOTAL, SIDE, SIDE, "background", "mode", "asked", "a frame", "+-");
    for (size_t i = 0; i < 2 * sizeof asked / sizeof asked[0]; i++) {
        for (int fit = 1; fit >= 0; fit--) {
            gsl_rng *rng = ng_random_open(seed, i);
            ng_image frame[PILOTS];
            ng_detect_options o = spot_options();
            ng_detect_choices c;
            ng_detector *detector = NULL;
            double found = 0.0;
            o.false_per_frame = asked[i / 2];
            o.fit = fit == 1;
            o.blur_px = 1.44;
            o.gain = 1.0;
            for (size_t f = 0; f < TOTAL; f++) {
                const size_t at = f % PILOTS;
                if (f < PILOTS) {
                    require(ng_image_create(SIDE, SIDE, &frame[at], &err), &err);
                }
                spot_fill(&frame[at], background[i % 2]);
                spot_noise(&frame[at], rng);
                if (f == PILOTS - 1) {
                    require(ng_detect_settle(frame, PILOTS, &o, &c, NULL, &err), &err);
                    require(ng_detector_create(&c, SIDE, SIDE, &detector, &err), &err);
                } else if (f >= PILOTS) {
                    const ng_image *const window[] = {&frame[at]};
                    ng_detect_frame out;
                    require(ng_detector_measure(detector, window, 1, 0, &out, &err), &err);
                    found += (double)out.n;
                }
            }
            const double n = TOTAL - PILOTS;
            printf("%10.0f %-4s %6.1f %8.3f %8.3f\n", background[i % 2], fit == 1 ? "ml" : "log",
                   asked[i / 2], found / n, sqrt(fmax(found, 1.0)) / n);
            for (size_t f = 0; f < PILOTS; f++) {
                ng_image_free(&frame[f]);
            }
            ng_detector_destroy(detector);
            ng_random_close(rng);
        }
    }
}

/* ---- the Brownian benchmark ------------------------------------------------------------ */

typedef struct cell {
    long spots;
    double snr, trackpy[5]; /* with its threshold chosen by the truth */
} cell;

static const cell cells[] = {
    {100, 7, {.917, .903, .947, .925, .223}}, {100, 4, {.905, .890, .946, .934, .313}},
    {100, 2, {.792, .757, .821, .848, .652}}, {500, 7, {.749, .686, .779, .711, .434}},
    {500, 4, {.735, .672, .779, .713, .478}}, {500, 2, {.636, .576, .736, .655, .734}}};

/* Behind those that are there, as those of that frame; -1: of their own. */
static void append(ng_particles *to, const ng_particle *from, size_t n, long frame)
{
    ng_error err;
    ng_particle *more = ng_realloc(to->item, to->n + n + 1, sizeof *more);
    if (more == NULL) {
        require(NG_FAIL(&err, NG_MEMORY, "out of memory"), &err);
    }
    to->item = more;
    for (size_t i = 0; i < n; i++) {
        to->item[to->n] = from[i];
        if (frame >= 0) {
            to->item[to->n].frame = frame;
            to->item[to->n].time_s = (double)frame;
        }
        to->n++;
    }
}

/* A movie and what is found in it; pixels of 1 nm. */
static void look(const cell *c, uint64_t seed, ng_particles *truth, ng_particles *found)
{
    enum { TOTAL = 100, PILOTS = 12, SIDE = 512 };
    ng_error err;
    ng_synth_spots_options how = ng_synth_spots_defaults();
    ng_synth_spots *spots = NULL;
    ng_image frame[TOTAL];
    ng_run run = ng_run_defaults();
    ng_detect_options o = spot_options();
    ng_detect_choices choices;
    ng_detector *detector = NULL;
    how.spots = c->spots;
    how.snr = c->snr;
    how.pixel_nm = 1.0;
    run.seed = seed;
    run.threads = 1;
    require(ng_synth_spots_open(&how, &run, &spots, &err), &err);
    ng_image pilot[PILOTS];
    for (size_t f = 0; f < TOTAL; f++) {
        size_t n = 0;
        require(ng_image_create(SIDE, SIDE, &frame[f], &err), &err);
        require(ng_synth_spots_next(spots, frame[f].pixel, &err), &err);
        const ng_particle *seen = ng_synth_spots_particles(spots, &n);
        append(truth, seen, n, (long)f);
    }
    for (size_t k = 0; k < PILOTS; k++) {
        pilot[k] = frame[(2 * k + 1) * TOTAL / (2 * PILOTS)];
    }
    require(ng_detect_settle(pilot, PILOTS, &o, &choices, NULL, &err), &err);
    require(ng_detector_create(&choices, SIDE, SIDE, &detector, &err), &err);
    for (size_t f = 0; f < TOTAL; f++) {
        const ng_image *const window[] = {&frame[f]};
        ng_detect_frame out;
        require(ng_detector_measure(detector, window, 1, 0, &out, &err), &err);
        append(found, out.particle, out.n, (long)f);
        ng_image_free(&frame[f]);
    }
    ng_detector_destroy(detector);
    ng_synth_spots_close(spots);
}

static isbi_measures follow(const ng_particles *truth, const ng_particles *seen,
                            const ng_track_options *link)
{
    ng_error err;
    ng_particles found = {0};
    ng_tracking t;
    isbi_tracks a, b;
    isbi_measures score;
    append(&found, seen->item, seen->n, -1);
    require(ng_track_link(&found, link, NULL, &t, NULL, &err), &err);
    require(isbi_tracks_make(truth, 1.0, &a, &err), &err);
    require(isbi_tracks_make(&found, 1.0, &b, &err), &err);
    require(isbi_measure(&a, &b, 5.0, &score, &err), &err);
    isbi_tracks_free(&a);
    isbi_tracks_free(&b);
    ng_tracking_free(&t);
    ng_particles_free(&found);
    return score;
}

/* With the defaults, or with every gap closed that lowers the costs and no single point. */
static ng_track_options how_to_link(bool all_gaps)
{
    ng_track_options o = ng_track_defaults();
    o.merge = false;
    if (all_gaps) {
        o.min_gap_score = 0.0;
        o.min_points = 2;
    }
    return o;
}

static void put_row(const cell *c, const char *name, const double v[5])
{
    printf("%5ld %4.0f %-8s %7.3f %7.3f %9.3f %7.3f %7.3f\n", c->spots, c->snr, name, v[0], v[1],
           v[2], v[3], v[4]);
}

static void bench_tracks(uint64_t seed, int seeds)
{
    printf("means over %d seeds from %llu on; trackpy: its threshold chosen by the truth\n%5s %4s "
           "%-8s %7s %7s %9s %7s %7s\n",
           seeds, (unsigned long long)seed, "spots", "snr", "linking", "alpha", "beta", "JSC_theta",
           "JSC", "RMSE");
    for (size_t n = 0; n < sizeof cells / sizeof cells[0]; n++) {
        const cell *c = &cells[n];
        put_row(c, "trackpy", c->trackpy);
        double sum[2][5] = {{0.0}}, square[2][5] = {{0.0}};
        for (int k = 0; k < seeds; k++) {
            ng_particles truth = {0}, found = {0};
            look(c, seed + (uint64_t)k, &truth, &found);
            for (int gaps = 0; gaps < 2; gaps++) {
                const ng_track_options link = how_to_link(gaps == 1);
                const isbi_measures m = follow(&truth, &found, &link);
                const double value[5] = {m.alpha, m.beta, m.jsc_theta, m.jsc, m.rmse};
                for (int i = 0; i < 5; i++) {
                    sum[gaps][i] += value[i] / seeds;
                    square[gaps][i] += value[i] * value[i] / seeds;
                }
            }
            ng_particles_free(&truth);
            ng_particles_free(&found);
        }
        for (int gaps = 0; gaps < 2; gaps++) {
            put_row(c, gaps == 1 ? "all gaps" : "default", sum[gaps]);
            double error[5];
            for (int i = 0; i < 5; i++) {
                const double variance = square[gaps][i] - sum[gaps][i] * sum[gaps][i];
                error[i] = sqrt(fmax(variance, 0.0) / fmax(seeds - 1.0, 1.0));
            }
            put_row(c, "+-", error);
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "speed";
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 101;
    if (strcmp(what, "places") == 0) {
        bench_places(seed);
    } else if (strcmp(what, "noise") == 0) {
        bench_noise(seed);
    } else if (strcmp(what, "tracks") == 0) {
        bench_tracks(seed, argc > 3 ? atoi(argv[3]) : 4);
    } else {
        bench_speed();
    }
    return EXIT_SUCCESS;
}
