/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast synthetic ensembles are made: events a second on one core, and on all. */
#include <nucgrow/synth.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPEATS 5

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the fastest of REPEATS calls. */
static double fastest_s(const ng_synth_ensemble_options *options, const ng_run *run,
                        uint64_t *events)
{
    double best = 1e300;
    for (int k = 0; k < REPEATS; k++) {
        ng_tracks tracks;
        ng_synth_ensemble_truth truth;
        ng_error err = {.status = NG_OK};
        const double start = now_s();
        if (ng_synth_ensemble(options, run, &tracks, &truth, NULL, &err) != NG_OK) {
            fprintf(stderr, "bench_synth: %s\n", err.message);
            exit(EXIT_FAILURE);
        }
        const double wall = now_s() - start;
        best = wall < best ? wall : best;
        *events = truth.events;
        ng_tracks_free(&tracks);
        ng_synth_ensemble_truth_free(&truth);
    }
    return best;
}

static void measure(const char *name, long particles, int threads)
{
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    ng_run run = ng_run_defaults();
    uint64_t events = 0;
    options.particles = particles;
    run.threads = threads;
    const double wall = fastest_s(&options, &run, &events);
    printf("%-28s %9ld %8d %10.3g %9.4f %12.1f\n", name, particles, ng_run_threads(&run),
           (double)events, wall, 1e-6 * (double)events / wall);
}

int main(void)
{
    printf("%-28s %9s %8s %10s %9s %12s\n", "synthetic ensemble", "particles", "threads", "events",
           "wall_s", "million/s");
    measure("defaults", 110, 1);
    measure("more particles", 1000, 1);
    measure("all cores", 1000, 0);
    return EXIT_SUCCESS;
}
