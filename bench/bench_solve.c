/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one forward solution of the master equation costs.
 *
 *     bench_solve
 *
 * In one run: a solution for platinum as in the published movie (172 s, 4 steps a second, second
 * order) beside the plain tridiagonal sweeps that its stages are, several parameter sets side by
 * side, time per size from 1e4 to 1e6 sizes, and mass-coupled solutions by CVODES. Times are of the
 * processor, one thread, best of several.
 */
#include <nucgrow.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPEATS 7
#define DURATION_S 172.0
#define STEP_S 0.25

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_solve: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static double *array(size_t n)
{
    double *x = NG_NEW(double, n);
    if (x == NULL) {
        exit(EXIT_FAILURE);
    }
    return x;
}

/* ---- the plain way --------------------------------------------------------------------------- */

/* Thomas algorithm with all three diagonals given. */
static void plain_sweep(size_t n, const double *low, const double *mid, const double *up,
                        const double *right, double *scratch, double *x)
{
    scratch[0] = up[0] / mid[0];
    x[0] = right[0] / mid[0];
    for (size_t i = 1; i < n; i++) {
        const double inverse = 1.0 / (mid[i] - low[i] * scratch[i - 1]);
        scratch[i] = up[i] * inverse;
        x[i] = (right[i] - low[i] * x[i - 1]) * inverse;
    }
    for (size_t i = n - 1; i-- > 0;) {
        x[i] -= scratch[i] * x[i + 1];
    }
}

/* Seconds of one plain sweep over n sizes. */
static double plain_s(size_t n)
{
    double *work = array(6 * n), best = 1e300;
    double *low = work, *mid = low + n, *up = mid + n, *right = up + n;
    for (size_t i = 0; i < n; i++) {
        low[i] = -4.0 - 1e-5 * (double)i;
        up[i] = -3.5;
        mid[i] = 9.0 + 1e-5 * (double)i;
        right[i] = 1.0;
    }
    const int calls = (int)(4000000 / n) + 1;
    for (int k = 0; k < REPEATS; k++) {
        const double start = cpu_s();
        for (int call = 0; call < calls; call++) {
            plain_sweep(n, low, mid, up, right, right + n, right + 2 * n);
        }
        best = fmin(best, (cpu_s() - start) / calls);
    }
    ng_free(work);
    return best;
}

/* ---- platinum -------------------------------------------------------------------------------- */

/* Lognormal with the median and spread of the first frames; sizes below 50 left out. */
static double *first_frames(const ng_size_range *sizes, double median)
{
    double *p = array(ng_size_count(sizes));
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        const double n = (double)sizes->n_min + (double)i, x = log(n / median) / 0.4;
        p[i] = exp(-0.5 * x * x) / n;
    }
    return p;
}

static ng_master *platinum(const ng_master_options *o, double median)
{
    const ng_synth_ensemble_options movie = ng_synth_ensemble_defaults();
    const ng_time_law S =
        ng_law_table(movie.schedule_time_s, movie.supersaturation, movie.n_schedule);
    const size_t count = ng_size_count(&o->sizes);
    double *attach = array(count), *detach = array(count), *p = first_frames(&o->sizes, median);
    ng_error err = {.message = ""};
    ng_master *m = NULL;
    require(ng_master_create(o, &m, NULL, &err), &err);
    for (size_t set = 0; set < o->sets; set++) {
        ng_growth_parameters parameters = movie.parameters;
        parameters.eps_f += 0.001 * (double)set;
        require(ng_size_rates(&parameters, movie.delta, movie.sigma_s_nm, &o->sizes, attach,
                              detach, &err),
                &err);
        require(ng_master_set_rates(m, set, attach, detach, &err), &err);
        require(ng_master_set_laws(m, set, &S, NULL, &err), &err);
        require(ng_master_set_density(m, set, p, &err), &err);
    }
    ng_free(attach);
    ng_free(detach);
    ng_free(p);
    return m;
}

/* Seconds of stepping to `until_s`, best of several; `work` tells what was done. */
static double solve_s(const ng_master_options *o, double median, double until_s, int repeats,
                      ng_master_work *work)
{
    double best = 1e300;
    for (int k = 0; k < repeats; k++) {
        ng_error err = {.message = ""};
        ng_master *m = platinum(o, median);
        require(ng_master_advance(m, o->step_s, &err), &err); /* memory becomes real */
        ng_master_set_time(m, 0.0);
        const double start = cpu_s();
        require(ng_master_advance(m, until_s, &err), &err);
        best = fmin(best, cpu_s() - start);
        *work = ng_master_work_done(m);
        work->steps--;
        ng_master_destroy(m);
    }
    return best;
}

static ng_master_options movie_options(size_t sets)
{
    ng_master_options o = ng_master_defaults();
    o.sizes.n_max = 9000;
    o.step_s = STEP_S;
    o.sets = sets;
    o.top_share = 1.0; /* the lognormal's tail reaches 9000 */
    return o;
}

static void print_movie(void)
{
    static const size_t sets[] = {1, 2, 4};
    double single = 0.0;
    printf("Platinum, sizes 50 to 9000, %g s, %g steps a second, second order\n", DURATION_S,
           1.0 / STEP_S);
    printf("%-8s %10s %10s %10s %12s %14s\n", "sets", "ms", "ms each", "each/one", "occupied",
           "over plain");
    for (size_t i = 0; i < 3; i++) {
        const ng_master_options o = movie_options(sets[i]);
        ng_master_work work;
        const double s = solve_s(&o, 350.0, DURATION_S, REPEATS, &work);
        const double plain =
            2.0 * (double)work.steps * plain_s((size_t)work.occupied_sizes) * (double)sets[i];
        single = i == 0 ? s : single;
        printf("%-8zu %10.2f %10.2f %10.2f %12.0f %14.2f\n", sets[i], 1e3 * s,
               1e3 * s / (double)sets[i], s / (double)sets[i] / single, work.occupied_sizes,
               s / plain);
    }
    printf("(plain: both stages of every step as a plain tridiagonal sweep over the occupied "
           "sizes)\n");
}

static void print_growth(void)
{
    static const long sizes[] = {10000, 31623, 100000, 316228, 1000000};
    printf("\nTime per size, window off (every size, every step)\n");
    printf("%10s %10s %14s %14s %12s\n", "sizes", "steps", "ns per stage", "plain sweep",
           "over plain");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ng_master_options o = movie_options(1);
        o.sizes.n_max = sizes[i] + 49;
        o.window = 0;
        ng_master_work work;
        const double until_s = STEP_S * fmax(4.0, 2e6 / (double)sizes[i]);
        const double s = solve_s(&o, (double)sizes[i] / 10.0, until_s, REPEATS, &work);
        const double each = s / (2.0 * (double)work.steps * (double)sizes[i]);
        const double plain = plain_s((size_t)sizes[i]) / (double)sizes[i];
        printf("%10ld %10zu %14.2f %14.2f %12.2f\n", sizes[i], work.steps, 1e9 * each, 1e9 * plain,
               each / plain);
    }
}

/* Monomers used up by 0.01 particles (in units of the solubility); supply that keeps S near 3. */
static void print_coupled(void)
{
    static const double tolerance[] = {1e-4, 1e-6, 1e-8};
    const ng_material *platinum = ng_material_find("Pt");
    const ng_time_law supply = ng_law_constant(0.3);
    ng_coupled_options o = ng_coupled_defaults();
    ng_error err = {.message = ""};
    o.sizes.n_max = 9000;
    const size_t count = ng_size_count(&o.sizes);
    double *attach = array(count), *detach = array(count), *p = array(count);
    require(ng_size_rates(&platinum->parameters, platinum->delta, platinum->sigma_s_nm, &o.sizes,
                          attach, detach, &err),
            &err);
    for (size_t i = 0; i < count; i++) {
        const double x = ((double)i - 350.0) / 60.0;
        p[i] = 0.01 * exp(-0.5 * x * x) / (60.0 * sqrt(2.0 * M_PI));
    }
    printf("\nMass-coupled, sizes 50 to 9000, %g s\n", DURATION_S);
    printf("%10s %8s %8s %8s %10s %18s\n", "tolerance", "steps", "sweeps", "rates", "ms",
           "ns a size a sweep");
    for (size_t i = 0; i < sizeof tolerance / sizeof tolerance[0]; i++) {
        ng_coupled *c = NULL;
        o.relative_tolerance = tolerance[i];
        require(ng_coupled_create(&o, attach, detach, &c, NULL, &err), &err);
        require(ng_coupled_start(c, 0.0, 3.0, p, &supply, NULL, &err), &err);
        const double start = cpu_s();
        require(ng_coupled_advance(c, DURATION_S, &err), &err);
        const double s = cpu_s() - start;
        const ng_coupled_work work = ng_coupled_work_done(c);
        printf("%10g %8ld %8ld %8ld %10.1f %18.1f\n", tolerance[i], work.steps, work.sweeps,
               work.rate_calls, 1e3 * s, 1e9 * s / (double)work.sweeps / (double)count);
        ng_coupled_destroy(c);
    }
    ng_free(attach);
    ng_free(detach);
    ng_free(p);
}

int main(void)
{
    print_movie();
    print_growth();
    print_coupled();
    return 0;
}
