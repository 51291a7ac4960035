/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forward estimator: do its intervals hold the truth, and what does an evaluation cost?
 *
 *     bench_forward coverage [SEEDS [FIRST]]     profile likelihood intervals, small ensembles
 *     bench_forward bands [SEEDS [FIRST]]        bands of the potential by resampling
 *     bench_forward speed                        value, gradient, growth with the data
 *
 * Coverage: each seed is a synthetic ensemble (the defaults of `simulate ensemble`, 40 particles,
 * 80 frames); an interval holds the truth where the calibrated deviance at the true value lies
 * below the limit. Printed with the range that a binomial count allows.
 */
#include <nucgrow.h>
#include <nucgrow/forward.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N NG_N_PROFILES
#define PARTICLES 40
#define FRAMES 80
#define REPEATS 15

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_forward: %s\n", err->message);
        exit(1);
    }
}

static ng_trajectories synthetic(uint64_t seed, long particles, long frames)
{
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_ensemble_options e = ng_ensemble_defaults();
    ng_run run = ng_run_defaults();
    ng_synth_ensemble_truth truth;
    ng_tracks tracks;
    ng_trajectories t;
    ng_error err = {.message = ""};
    o.particles = particles;
    o.frames = frames;
    e.sigma_s_nm = o.sigma_s_nm;
    run.seed = seed;
    require(ng_synth_ensemble(&o, &run, &tracks, &truth, NULL, &err), &err);
    require(ng_trajectories_make(&tracks, &e, &t, NULL, &err), &err);
    ng_synth_ensemble_truth_free(&truth);
    ng_tracks_free(&tracks);
    return t;
}

static ng_forward_trial *trial_of(const ng_trajectories *t)
{
    ng_growth_fit_options growth = ng_growth_fit_defaults(ng_material_find("Pt"));
    ng_forward_options o = ng_forward_defaults();
    ng_forward_trial *trial = NULL;
    ng_error err = {.message = ""};
    require(ng_forward_trial_create(t, &growth, &o, &trial, &err), &err);
    return trial;
}

/* ---- coverage ---------------------------------------------------------------------------- */

#define INTERVALS (N + 1) /* the five, delta, the potential in the middle of the sizes seen */

typedef struct tally {
    double root[INTERVALS]; /* signed root of the deviance at the truth: normal, were all well */
    bool held[INTERVALS];
} tally;

typedef struct study {
    uint64_t first;
} study;

/* Deviance at `truth` by linear interpolation of its signed root; beyond the profile its end. */
static double root_at(const ng_forward_profile *p, double best, double truth)
{
    double before = 0.0, at = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        double root = copysign(fmin(4.0, sqrt(p->deviance[i])), p->value[i] - best);
        if (p->value[i] >= truth) {
            double width = i > 0 ? p->value[i] - p->value[i - 1] : 0.0;
            double share = width > 0.0 ? (truth - p->value[i - 1]) / width : 1.0;
            return -(before + share * (root - before));
        }
        before = at = root;
    }
    return -at;
}

static void judge(const ng_growth_fit *fit, const ng_forward_fit *forward, tally *out)
{
    const ng_material *pt = ng_material_find("Pt");
    for (size_t i = 0; i < INTERVALS; i++) {
        bool five = i < NG_N_GROWTH_PARAMETERS, mu = i == N;
        double truth = five ? ng_growth_parameter_get(&pt->parameters, i)
                       : mu ? ng_potential(&pt->parameters, pt->delta, forward->potential_n)
                            : pt->delta;
        double best = five ? fit->parameter[i].value
                      : mu ? ng_potential(&fit->best, fit->delta_mean, forward->potential_n)
                           : fit->delta_mean;
        double low = five ? fit->parameter[i].lower
                     : mu ? forward->potential_lower
                          : fit->delta_lower;
        double high = five ? fit->parameter[i].upper
                      : mu ? forward->potential_upper
                           : fit->delta_upper;
        out->held[i] = truth >= low && truth <= high;
        out->root[i] = root_at(mu ? &forward->potential : &forward->profile[i], best, truth);
    }
}

/* As a user's fit: several starts, profiles. */
static ng_status run_seed(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const study *s = context;
    ng_growth_fit_options growth = ng_growth_fit_defaults(ng_material_find("Pt"));
    ng_forward_options o = ng_forward_defaults();
    ng_growth_fit fit, rate;
    ng_forward_fit forward;
    (void)worker;
    growth.bootstrap = 0;
    ng_trajectories t = synthetic(s->first + index, PARTICLES, FRAMES);
    ng_status status = ng_forward_fit_run(&t, &growth, &o, NULL, &rate, &fit, &forward, NULL, err);
    if (status == NG_OK) {
        judge(&fit, &forward, record);
    }
    ng_growth_fit_free(&fit);
    ng_growth_fit_free(&rate);
    ng_forward_fit_free(&forward);
    ng_trajectories_free(&t);
    return status;
}

/* How many of n a binomial count would give, in 95 of 100 studies. */
static void print_share(const char *name, size_t held, size_t n, double level)
{
    double p = 1.0 - level;
    unsigned low = 0, high = 0, count = (unsigned)n;
    while (gsl_cdf_binomial_P(low, p, count) < 0.025) {
        low++;
    }
    while (gsl_cdf_binomial_P(high, p, count) < 0.975) {
        high++;
    }
    printf("%-8s %5.1f %% of %zu (%.1f to %.1f)", name, 100.0 * (double)held / (double)n, n,
           100.0 - 100.0 * (double)high / (double)n, 100.0 - 100.0 * (double)low / (double)n);
}

static void print_interval(const tally *all, size_t seeds, size_t i)
{
    size_t held = 0;
    double mean = 0.0, square = 0.0;
    for (size_t b = 0; b < seeds; b++) {
        held += all[b].held[i];
        mean += all[b].root[i] / (double)seeds;
        square += all[b].root[i] * all[b].root[i] / (double)seeds;
    }
    print_share(i == N       ? "mu"
                : i == N - 1 ? "delta"
                             : ng_growth_parameter_info()[i].name,
                held, seeds, 0.95);
    printf("   root: mean %+.2f, s.d. %.2f\n", mean, sqrt(square - mean * mean));
}

static void coverage(size_t seeds, uint64_t first)
{
    study s = {first};
    ng_run run = ng_run_defaults();
    ng_error err = {.message = ""};
    tally *all = ng_alloc(seeds, sizeof *all);
    if (!all) {
        return;
    }
    run.threads = 0;
    ng_records records = {all, seeds, sizeof *all};
    double start = now_s();
    require(ng_parallel_records(&records, run_seed, &s, &run, "coverage", &err), &err);
    printf("%zu ensembles of %d particles, %d frames, seeds from %lu: %.0f s\n", seeds, PARTICLES,
           FRAMES, (unsigned long)first, now_s() - start);
    size_t pooled = 0;
    for (size_t i = 0; i < INTERVALS; i++) {
        print_interval(all, seeds, i);
        for (size_t b = 0; b < seeds && i < N; b++) {
            pooled += all[b].held[i];
        }
    }
    print_share("pooled", pooled, N * seeds, 0.95);
    printf("   of the six parameters\n");
    ng_free(all);
}

/* ---- bands ------------------------------------------------------------------------------- */

#define REPLICATES 40
#define SIZES 40

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Does the interval of replicates at a size hold the truth? Ends at position share (n + 1). */
static bool holds(const ng_growth_fit *fit, double n, double truth)
{
    double x[REPLICATES];
    for (size_t b = 0; b < fit->n_replicates; b++) {
        x[b] = ng_potential(&fit->replicate[b], fit->replicate_delta[b], n);
    }
    qsort(x, fit->n_replicates, sizeof *x, compare);
    double best = ng_potential(&fit->best, fit->delta_mean, n);
    return truth >= fmin(x[0], best) && truth <= fmax(x[fit->n_replicates - 1], best);
}

static ng_status run_band(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const study *s = context;
    double *share = record;
    const ng_material *pt = ng_material_find("Pt");
    ng_growth_fit_options growth = ng_growth_fit_defaults(pt);
    ng_forward_options o = ng_forward_defaults();
    ng_growth_fit fit, rate;
    ng_forward_fit forward;
    (void)worker;
    growth.bootstrap = REPLICATES;
    growth.starts = 2;
    o.profile = false;
    ng_trajectories t = synthetic(s->first + index, PARTICLES, FRAMES);
    ng_status status = ng_forward_fit_run(&t, &growth, &o, NULL, &rate, &fit, &forward, NULL, err);
    for (size_t i = 0; status == NG_OK && i < SIZES; i++) {
        double n = 80.0 * pow(1500.0 / 80.0, (double)i / (SIZES - 1)); /* the sizes seen */
        *share += holds(&fit, n, ng_potential(&pt->parameters, pt->delta, n)) / (double)SIZES;
    }
    ng_growth_fit_free(&fit);
    ng_growth_fit_free(&rate);
    ng_forward_fit_free(&forward);
    ng_trajectories_free(&t);
    return status;
}

static void bands(size_t seeds, uint64_t first)
{
    study s = {first};
    ng_run run = ng_run_defaults();
    ng_error err = {.message = ""};
    double *share = NG_NEW(double, seeds), mean = 0.0, most = 0.0;
    if (!share) {
        return;
    }
    run.threads = 0;
    ng_records records = {share, seeds, sizeof *share};
    require(ng_parallel_records(&records, run_band, &s, &run, "bands", &err), &err);
    for (size_t i = 0; i < seeds; i++) {
        mean += share[i] / (double)seeds;
        most += (share[i] >= 0.9) / (double)seeds;
    }
    printf("%zu ensembles: the band from the least to the largest of %d replicates (%.0f %%) holds "
           "the potential at %.1f %% of the sizes 80 to 1500, at 90 %% of them in %.0f %%\n",
           seeds, REPLICATES, 100.0 * (1.0 - 2.0 / (REPLICATES + 1)), 100.0 * mean, 100.0 * most);
    ng_free(share);
}

/* ---- speed ------------------------------------------------------------------------------- */

static double best_time(ng_forward_trial *trial, double *gradient)
{
    double best = (double)INFINITY;
    for (int i = 0; i < REPEATS; i++) {
        double start = now_s();
        (void)ng_forward_trial_evaluate(trial, gradient);
        best = fmin(best, now_s() - start);
    }
    return best;
}

static void speed(void)
{
    static const struct {
        long particles, frames;
    } size[] = {{55, 173}, {110, 173}, {220, 173}, {440, 173}, {110, 346}};
    double gradient[64];
    printf("particles frames  parameters   value ms  gradient ms  gradient/value  ns a size\n");
    for (size_t i = 0; i < sizeof size / sizeof size[0]; i++) {
        ng_trajectories t = synthetic(1, size[i].particles, size[i].frames);
        ng_forward_trial *trial = trial_of(&t);
        double value = best_time(trial, NULL), slope = best_time(trial, gradient);
        printf("%9ld %6ld %11zu %10.2f %12.2f %15.1f %10.0f\n", size[i].particles, size[i].frames,
               ng_forward_trial_size(trial), 1e3 * value, 1e3 * slope, slope / value,
               1e9 * slope / (double)t.n_points);
        ng_forward_trial_destroy(trial);
        ng_trajectories_free(&t);
    }
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off();
    if (argc > 1 && strcmp(argv[1], "coverage") == 0) {
        size_t seeds = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
        coverage(seeds, argc > 3 ? strtoul(argv[3], NULL, 10) : 5000);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "bands") == 0) {
        bands(argc > 2 ? strtoul(argv[2], NULL, 10) : 40,
              argc > 3 ? strtoul(argv[3], NULL, 10) : 6000);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "speed") == 0) {
        speed();
        return 0;
    }
    fprintf(stderr,
            "usage: bench_forward coverage [SEEDS [FIRST]] | bands [SEEDS [FIRST]] | speed\n");
    return 2;
}
