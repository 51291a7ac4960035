/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What coalescence costs, and whether its intervals hold the truth.
 *
 *     bench_coalescence [TRUTHS]      (default 0: only the speed of one solve)
 *
 * Prints a key and a value a line. */
#include "../tests/support/merging_tracks.h"

#include <gsl/gsl_errno.h>
#include <stdlib.h>
#include <time.h>

#define CELLS 2000
#define SPAN_S 172.0
#define REPEATS 5

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Forward and back through a tridiagonal system and nothing else. */
static double plain_sweeps_s(size_t sweeps)
{
    static double x[CELLS], link[CELLS];
    double start_s = now_s();
    for (size_t k = 0; k < sweeps; k++) {
        double below = 0.0, before = 0.0;
        for (size_t i = 0; i < CELLS; i++) {
            const double pivot = 1.0 / (3.0 - below);
            before = (1.0 + before) * pivot;
            below = pivot;
            x[i] = before;
            link[i] = below;
        }
        for (size_t i = CELLS - 1; i-- > 0;) {
            x[i] += link[i] * x[i + 1];
        }
    }
    return x[0] > 0 ? now_s() - start_s : 0.0;
}

static int bench_solve(void)
{
    const double end_s[1] = {10.0 + SPAN_S};
    ng_coalescence_model m = merging_truth();
    ng_error err = {.message = ""};
    double best_s = 1e9, plain_s = 1e9, rate;
    m.cells = CELLS;
    const size_t sweeps = 2 * (size_t)(SPAN_S / m.step_s);
    for (int k = 0; k < REPEATS; k++) {
        double start_s = now_s();
        if (ng_coalescence_run(&m, end_s, 1, &rate, NULL, &err) != NG_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        best_s = fmin(best_s, now_s() - start_s);
        plain_s = fmin(plain_s, plain_sweeps_s(sweeps));
    }
    printf("solve_cells %d\nsolve_steps %zu\nsolve_ms %.1f\nsolve_ns_per_cell_sweep %.2f\n", CELLS,
           sweeps / 2, 1e3 * best_s, 1e9 * best_s / (double)(CELLS * sweeps));
    printf("plain_sweeps_ms %.1f\nsolve_over_plain %.2f\n", 1e3 * plain_s, best_s / plain_s);
    return 0;
}

typedef struct tally {
    size_t held[NG_N_COALESCENCE], told[NG_N_COALESCENCE], quartiles;
    double wall_s, rms;
} tally;

static ng_status recover(uint64_t seed, tally *t, ng_error *err)
{
    ng_coalescence_model truth = merging_truth();
    ng_coalescence_options o = ng_coalescence_defaults();
    ng_run run = ng_run_defaults();
    merging_tracks m;
    ng_coalescence_data data = {0};
    ng_coalescence_fit fit = {0};
    run.threads = 0;
    run.seed = seed;
    ng_status status = merging_make(&truth, 400, 171, seed, &m, err);
    if (status == NG_OK) {
        status = ng_coalescence_data_make(&m.tracks, &m.events, &data, NULL, err);
    }
    double start_s = now_s();
    if (status == NG_OK) {
        status = ng_coalescence_fit_run(&data, &o, &run, &fit, NULL, err);
    }
    t->wall_s += now_s() - start_s;
    t->rms += fit.rms;
    for (size_t i = 0; i < NG_N_COALESCENCE && status == NG_OK; i++) {
        const ng_fit_parameter *p = &fit.parameter[i];
        t->held[i] += p->lower <= truth.parameter[i] && truth.parameter[i] <= p->upper;
        t->told[i] += p->flag == NG_FIT_OK;
    }
    for (size_t q = 0; q < 3 && status == NG_OK; q++) {
        t->quartiles += fit.quartile_lower_s[q] <= fit.quartile_s[q] &&
                        fit.quartile_s[q] <= fit.quartile_upper_s[q];
    }
    ng_coalescence_fit_free(&fit);
    ng_coalescence_data_free(&data);
    merging_free(&m);
    return status;
}

static int bench_recovery(size_t truths)
{
    tally t = {.wall_s = 0.0};
    ng_error err = {.message = ""};
    for (size_t k = 0; k < truths; k++) {
        if (recover(k + 1, &t, &err) != NG_OK) {
            fprintf(stderr, "truth %zu: %s\n", k + 1, err.message);
            return 1;
        }
    }
    const double n = (double)truths;
    printf("truths %zu\nfit_s %.2f\nrms %.5f\nquartiles_held %.3f\n", truths, t.wall_s / n,
           t.rms / n, (double)t.quartiles / (3.0 * n));
    for (size_t i = 0; i < NG_N_COALESCENCE; i++) {
        printf("held_%s %.2f\ntold_%s %.2f\n", ng_coalescence_parameter_info()[i].name,
               (double)t.held[i] / n, ng_coalescence_parameter_info()[i].name,
               (double)t.told[i] / n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off();
    const long truths = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    int failed = bench_solve();
    return failed != 0 || truths < 1 ? failed : bench_recovery((size_t)truths);
}
