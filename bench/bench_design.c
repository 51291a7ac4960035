/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do intervals shrink as `design.needed` says, with the square root of particles and of frames?
 *
 *     bench_design [SEEDS [REPLICATES [PARTICLES]]]     (default 6, 40, 60)
 *
 * Each seed is a synthetic ensemble (the defaults of `simulate ensemble`), fitted as it is, with
 * twice the particles, and with twice the frames in the same time. Printed, for every parameter
 * and for mu_n in the middle of the sizes: medians over the seeds of the half-width, and of its
 * ratio to that of the plain ensemble (expected: 0.71), once with K and alpha4 given and once with
 * all parameters free.
 */
#include <nucgrow.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N NG_N_GROWTH_PARAMETERS
#define QUANTITIES (N + 1)
#define MIDDLE_N 1500.0
#define MOST 100

typedef enum change { PLAIN, PARTICLES, FRAMES, CHANGES } change;
static const char *const change_name[CHANGES] = {"plain", "particles x 2", "frames x 2"};

static double half_range(double *x, size_t n)
{
    gsl_sort(x, 1, n);
    return 0.5 * (gsl_stats_quantile_from_sorted_data(x, 1, n, 0.975) -
                  gsl_stats_quantile_from_sorted_data(x, 1, n, 0.025));
}

static double half_width(const ng_growth_fit *fit, size_t quantity)
{
    double x[1000];
    const size_t n = fit->n_replicates < 1000 ? fit->n_replicates : 1000;
    for (size_t b = 0; b < n; b++) {
        const ng_growth_parameters *p = &fit->replicate[b];
        x[b] = quantity < N ? ng_growth_parameter_get(p, quantity)
                            : ng_potential(p, fit->replicate_delta[b], MIDDLE_N);
        if (quantity < N && ng_growth_parameter_info()[quantity].logarithmic) {
            x[b] = log(x[b]);
        }
    }
    return n > 1 ? half_range(x, n) : (double)NAN;
}

static bool widths(uint64_t seed, long particles, size_t replicates, change what, bool given,
                   double width[QUANTITIES])
{
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_tracks tracks = {0};
    ng_synth_ensemble_truth truth = {0};
    ng_trajectories t = {0};
    ng_growth_fit fit = {0};
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    run.seed = seed;
    o.particles = what == PARTICLES ? 2 * particles : particles;
    o.frames = what == FRAMES ? 2 * o.frames : o.frames;
    o.frame_s = what == FRAMES ? 0.5 * o.frame_s : o.frame_s;
    ng_ensemble_options ensemble = ng_ensemble_defaults();
    ensemble.sigma_s_nm = o.sigma_s_nm;
    ensemble.cutoff =
        what == FRAMES ? 0.5 * ensemble.cutoff : ensemble.cutoff; /* as many seconds */
    ng_growth_fit_options how = ng_growth_fit_defaults(ng_material_find("Pt"));
    how.bootstrap = replicates;
    how.fixed[2] = how.fixed[3] = given; /* alpha4, K: the material's are the true ones */
    bool ok = ng_synth_ensemble(&o, &run, &tracks, &truth, NULL, &err) == NG_OK &&
              ng_trajectories_make(&tracks, &ensemble, &t, NULL, &err) == NG_OK &&
              ng_growth_fit_run(&t, &how, &run, &fit, NULL, &err) == NG_OK;
    for (size_t q = 0; ok && q < QUANTITIES; q++) {
        width[q] = half_width(&fit, q);
    }
    if (!ok) {
        fprintf(stderr, "%s\n", err.message);
    }
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
    ng_synth_ensemble_truth_free(&truth);
    ng_tracks_free(&tracks);
    return ok;
}

static double median(double *x, size_t n)
{
    gsl_sort(x, 1, n);
    return gsl_stats_median_from_sorted_data(x, 1, n);
}

static bool study(size_t seeds, size_t replicates, long particles, bool given)
{
    static double width[CHANGES][QUANTITIES][MOST], ratio[CHANGES][QUANTITIES][MOST];
    for (size_t s = 0; s < seeds; s++) {
        for (int c = PLAIN; c < CHANGES; c++) {
            double w[QUANTITIES];
            if (!widths(1000 + s, particles, replicates, (change)c, given, w)) {
                return false;
            }
            for (size_t q = 0; q < QUANTITIES; q++) {
                width[c][q][s] = w[q];
                ratio[c][q][s] = w[q] / width[PLAIN][q][s];
            }
        }
    }
    printf("%s\n", given ? "K and alpha4 given" : "all free");
    for (size_t q = 0; q < QUANTITIES; q++) {
        if (given && (q == 2 || q == 3)) {
            continue;
        }
        const ng_parameter_info *info = &ng_growth_parameter_info()[q < N ? q : 0];
        printf("  %s%-8s", q < N && info->logarithmic ? "ln " : "   ",
               q < N ? info->name : "mu_1500");
        printf(" half-width %.3g", median(width[PLAIN][q], seeds));
        for (int c = PARTICLES; c < CHANGES; c++) {
            printf("  %s: %.2f", change_name[c], median(ratio[c][q], seeds));
        }
        printf("\n");
    }
    return true;
}

int main(int argc, char **argv)
{
    const size_t seeds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 6;
    const size_t replicates = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 40;
    const long particles = argc > 3 ? strtol(argv[3], NULL, 10) : 60;
    (void)gsl_set_error_handler_off();
    if (seeds < 1 || seeds > MOST || replicates < 2 || particles < 10) {
        fprintf(stderr, "bench_design [SEEDS 1..%d [REPLICATES 2.. [PARTICLES 10..]]]\n", MOST);
        return 2;
    }
    return study(seeds, replicates, particles, true) && study(seeds, replicates, particles, false)
               ? 0
               : 1;
}
