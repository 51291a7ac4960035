/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a prediction costs, over one forward solution of the master equation.
 *
 *     bench_predict
 *
 * In one run, for platinum over 172 s: ng_master alone with given S(t), 4 steps a second; a run by
 * ng_predict_march, driven by a supply; four of them side by side; one by CVODES (ng_coupled).
 * Times are of the processor, one thread, best of several.
 */
#include <nucgrow.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPEATS 5
#define DURATION_S 172.0
#define N_MAX 12000

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_predict: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static const double median[] = {350.0};

static ng_predict_case platinum(void)
{
    const ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    return (ng_predict_case){.law = {o.parameters, o.delta, o.sigma_s_nm},
                             .start = {median, NULL, 1, 0.3},
                             .drive = NG_DRIVE_SUPPLY,
                             .input = ng_law_constant(25.0)};
}

/* Rates and start over the sizes, in one array: attach, detach, density. */
static double *tables(const ng_predict_case *c, const ng_size_range *sizes)
{
    const size_t count = ng_size_count(sizes);
    double *table = NG_NEW(double, 3 * count), all = 0.0;
    ng_error err;
    if (table == NULL) {
        exit(EXIT_FAILURE);
    }
    require(ng_size_rates(&c->law.parameters, c->law.delta, c->law.sigma_s_nm, sizes, table,
                          table + count, &err),
            &err);
    for (size_t i = 0; i < count; i++) {
        const double n = (double)sizes->n_min + (double)i, x = log(n / median[0]) / 0.3;
        table[2 * count + i] = exp(-0.5 * x * x) / n;
        all += table[2 * count + i];
    }
    for (size_t i = 0; i < count; i++) {
        table[2 * count + i] /= all;
    }
    return table;
}

static double master_s(void)
{
    const ng_predict_case c = platinum();
    ng_master_options o = ng_master_defaults();
    const ng_synth_ensemble_options movie = ng_synth_ensemble_defaults();
    const ng_time_law S =
        ng_law_table(movie.schedule_time_s, movie.supersaturation, movie.n_schedule);
    ng_error err;
    double best = 1e300;
    o.sizes.n_max = N_MAX;
    const size_t count = ng_size_count(&o.sizes);
    double *table = tables(&c, &o.sizes);
    for (int k = 0; k < REPEATS; k++) {
        ng_master *m = NULL;
        const double start = cpu_s();
        require(ng_master_create(&o, &m, NULL, &err), &err);
        require(ng_master_set_rates(m, 0, table, table + count, &err), &err);
        require(ng_master_set_laws(m, 0, &S, NULL, &err), &err);
        require(ng_master_set_density(m, 0, table + 2 * count, &err), &err);
        require(ng_master_advance(m, DURATION_S, &err), &err);
        best = fmin(best, cpu_s() - start);
        ng_master_destroy(m);
    }
    ng_free(table);
    return best;
}

static double march_s(size_t n)
{
    const ng_predict_clock clock = {0.0, DURATION_S, 173, 4};
    ng_predict_case c[NG_MASTER_SETS_MAX];
    ng_predict_output out[NG_MASTER_SETS_MAX];
    ng_error err;
    double best = 1e300;
    const size_t size = clock.n_times * NG_PREDICT_COLUMNS;
    double *rows = NG_NEW(double, n *size);
    if (rows == NULL) {
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < n; i++) {
        c[i] = platinum();
        c[i].law.parameters.eps_f += 0.01 * (double)i;
        out[i] = (ng_predict_output){.row = rows + i * size};
    }
    for (int k = 0; k < REPEATS; k++) {
        const double start = cpu_s();
        require(ng_predict_march(c, n, &clock, NULL, N_MAX, 1000000, out, &err), &err);
        best = fmin(best, cpu_s() - start);
    }
    ng_free(rows);
    return best;
}

static double coupled_s(void)
{
    const ng_predict_case c = platinum();
    const ng_time_law supply = ng_law_constant(25.0 / 1000.0);
    ng_coupled_options o = ng_coupled_defaults();
    ng_error err;
    double best = 1e300;
    o.sizes.n_max = N_MAX;
    o.relative_tolerance = 1e-4;
    const size_t count = ng_size_count(&o.sizes);
    double *table = tables(&c, &o.sizes);
    for (size_t i = 0; i < count; i++) {
        table[2 * count + i] /= 1000.0;
    }
    for (int k = 0; k < 2; k++) {
        ng_coupled *coupled = NULL;
        const double start = cpu_s();
        require(ng_coupled_create(&o, table, table + count, &coupled, NULL, &err), &err);
        require(ng_coupled_start(coupled, 0.0, 2.5, table + 2 * count, &supply, NULL, &err), &err);
        require(ng_coupled_advance(coupled, DURATION_S, &err), &err);
        best = fmin(best, cpu_s() - start);
        ng_coupled_destroy(coupled);
    }
    ng_free(table);
    return best;
}

int main(void)
{
    const double one = master_s(), run = march_s(1), four = march_s(4), coupled = coupled_s();
    printf("one forward solution, S(t) given          %7.1f ms\n", 1e3 * one);
    printf("one run by supply                         %7.1f ms   %.2f of it\n", 1e3 * run,
           run / one);
    printf("four runs side by side, each              %7.1f ms   %.2f of it\n", 250.0 * four,
           0.25 * four / one);
    printf("the same by CVODES, relative tolerance 1e-4 %5.0f ms   %.1f of it\n", 1e3 * coupled,
           coupled / one);
    return 0;
}
