/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master equation with given S(t): against distributions that are known, against its own
 * identities at every step, and what it refuses.
 */
#include <nucgrow/ensemble.h>

#include "solve_test.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <string.h>

#define FIRST 100

static ng_master_options options(long n_max, double step_s)
{
    ng_master_options o = ng_master_defaults();
    o.sizes.n_min = FIRST;
    o.sizes.n_max = n_max;
    o.step_s = step_s;
    return o;
}

static double *density_of(const ng_master *m, const ng_master_options *o)
{
    double *p = rows_of(&o->sizes, NULL);
    ng_master_density(m, 0, p);
    return p;
}

/* ---- distributions that are known ------------------------------------------------------------ */

typedef double known(size_t i);

/* Largest difference from a known distribution after `time_s`. */
static double error_of(const ng_master_options *o, ng_master *m, double time_s, known *p)
{
    double worst = 0.0;
    REQUIRE(ng_master_advance(m, time_s, err));
    double *found = density_of(m, o);
    for (size_t i = 0; i < ng_size_count(&o->sizes); i++) {
        worst = fmax(worst, fabs(found[i] - p(i)));
    }
    ng_free(found);
    ng_master_destroy(m);
    return worst;
}

static double poisson_60(size_t i)
{
    return gsl_ran_poisson_pdf((unsigned)i, 60.0);
}

/* Attachment alone, constant: the number of monomers gained is Poisson. Tolerance of the issue;
 * second order needs steps of 50 us for it. */
static void constant_attachment_is_poisson(void **state)
{
    (void)state;
    const ng_master_options o = options(FIRST + 250, 5e-5);
    const ng_time_law S = ng_law_constant(1.5);
    assert_true(error_of(&o, master_from(&o, forty, none, &S, FIRST), 1.0, poisson_60) < 1e-8);
}

static double half_of_size(double n)
{
    return 0.5 * n;
}

static double negative_binomial(size_t i)
{
    return gsl_ran_negative_binomial_pdf((unsigned)i, exp(-0.5), FIRST);
}

/* Attachment proportional to size (Yule): negative binomial. */
static void attachment_by_size_is_negative_binomial(void **state)
{
    (void)state;
    const ng_master_options o = options(FIRST + 400, 4e-5);
    const ng_time_law S = ng_law_constant(2.0);
    assert_true(error_of(&o, master_from(&o, half_of_size, none, &S, FIRST), 0.5,
                         negative_binomial) < 1e-8);
}

static double skellam(size_t i)
{
    const double up = 80, down = 50, x = 2 * sqrt(up * down);
    const int k = (int)i - 200;
    return gsl_sf_bessel_In_scaled(abs(k), x) * exp(x - up - down) * pow(up / down, k / 2.0);
}

/* Attachment and detachment, both constant, ends far away: Skellam. */
static void constant_rates_are_skellam(void **state)
{
    (void)state;
    const ng_master_options o = options(FIRST + 500, 2e-4);
    const ng_time_law S = ng_law_constant(1.0);
    assert_true(error_of(&o, master_from(&o, forty, twenty_five, &S, FIRST + 200), 2.0, skellam) <
                1e-8);
}

/* ---- order in time --------------------------------------------------------------------------- */

/* S(t) = 1.5 + sin(3 t): Poisson with its integral. */
static double wave(const void *context, double time_s)
{
    (void)context;
    return 1.5 + sin(3.0 * time_s);
}

static double poisson_of_wave(size_t i)
{
    const double integral = 1.5 * 2.0 + (1.0 - cos(6.0)) / 3.0;
    return gsl_ran_poisson_pdf((unsigned)i, 40.0 * integral);
}

static double order_of(int order, double step_s)
{
    ng_master_options o = options(FIRST + 400, step_s);
    o.order = order;
    const ng_time_law S = ng_law_from(wave, NULL);
    const double coarse =
        error_of(&o, master_from(&o, forty, none, &S, FIRST), 2.0, poisson_of_wave);
    o.step_s = step_s / 2;
    const double fine = error_of(&o, master_from(&o, forty, none, &S, FIRST), 2.0, poisson_of_wave);
    return log2(coarse / fine);
}

/* 0.05: the next term of the error is below 3 % at these steps. */
static void the_error_falls_with_the_order(void **state)
{
    (void)state;
    assert_close(order_of(2, 0.005), 2.0, 0.05);
    assert_close(order_of(2, 0.00125), 2.0, 0.05);
    assert_close(order_of(1, 0.001), 1.0, 0.05);
}

/* ---- equilibrium ----------------------------------------------------------------------------- */

static double attach_by_area(double n)
{
    return 3.0 * cbrt(n * n);
}

static double mu(double n)
{
    return 2.0 / cbrt(n);
}

static double detach_in_balance(double n)
{
    return n > 1 ? attach_by_area(n - 1) * exp(mu(n - 1)) : 0.0;
}

/* rho_n = S^n exp(-sum_{k<n} mu_k), n >= 1; sum 1. */
static double *equilibrium(const ng_size_range *sizes, double S)
{
    double *p = rows_of(sizes, NULL), ln = 0.0, sum = 0.0;
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        p[i] = exp(ln);
        sum += p[i];
        ln += log(S) - mu((double)sizes->n_min + (double)i);
    }
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        p[i] /= sum;
    }
    return p;
}

static ng_master_options small_sizes(double step_s)
{
    ng_master_options o = options(200, step_s);
    o.sizes.n_min = 1;
    o.sizes.below_50 = true;
    return o;
}

/* From 1 to 1e-65 of the peak, each size to 1e-11 of itself after 1000 steps (of a few roundings
 * each). */
static void equilibrium_stays(void **state)
{
    (void)state;
    ng_master_options o = small_sizes(0.05);
    o.window = 0; /* what it leaves out comes from somewhere: 1e-10 of a size at 1e-21 */
    const ng_time_law S = ng_law_constant(0.8);
    double *p = equilibrium(&o.sizes, 0.8);
    ng_master *m = master_from(&o, attach_by_area, detach_in_balance, &S, 1);
    REQUIRE(ng_master_set_density(m, 0, p, err));
    REQUIRE(ng_master_advance(m, 50.0, err));
    double *found = density_of(m, &o);
    for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
        assert_close(found[i], p[i], 1e-11 * p[i]);
    }
    ng_master_destroy(m);
    ng_free(found);
    ng_free(p);
}

/* Platinum from n = 50: what dissolves there is replaced by nucleation. */
static void equilibrium_with_open_end_stays(void **state)
{
    (void)state;
    ng_master_options o = ng_master_defaults();
    o.sizes.n_max = 1000;
    o.top_share = 1.0; /* equilibrium has particles of every size */
    o.window = 0;
    double *attach, *detach, *p = rows_of(&o.sizes, NULL), ln = 0.0;
    platinum_rates(&o.sizes, &attach, &detach);
    ng_master *m = master_from(&o, none, none, &(ng_time_law){.value = 1.2}, 50);
    for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
        ln += i > 0 ? log(1.2 * attach[i - 1] / detach[i]) : 0.0;
        p[i] = exp(ln);
    }
    const ng_time_law S = ng_law_constant(1.2), in = ng_law_constant(detach[0] * p[0]);
    REQUIRE(ng_master_set_rates(m, 0, attach, detach, err));
    REQUIRE(ng_master_set_laws(m, 0, &S, &in, err));
    REQUIRE(ng_master_set_density(m, 0, p, err));
    REQUIRE(ng_master_advance(m, 100.0, err));
    double *found = density_of(m, &o);
    for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
        assert_close(found[i], p[i], 1e-10 * p[i]);
    }
    ng_size_state s;
    ng_master_state(m, 0, &s);
    assert_close(s.nucleated, s.dissolved, 1e-10 * s.nucleated);
    ng_master_destroy(m);
    ng_free(found);
    ng_free(p);
    ng_free(attach);
    ng_free(detach);
}

/* Relative entropy sum p ln(p/p_eq) to the equilibrium at this S. */
static double relative_entropy(const double *p, const double *q, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += p[i] > 0 ? p[i] * log(p[i] / q[i]) : 0.0;
    }
    return sum;
}

static void relative_entropy_falls(void **state)
{
    (void)state;
    const ng_master_options o = small_sizes(0.02);
    const ng_time_law S = ng_law_constant(0.8);
    double *q = equilibrium(&o.sizes, 0.8), last = (double)INFINITY;
    ng_master *m = master_from(&o, attach_by_area, detach_in_balance, &S, 60);
    for (int step = 1; step <= 500; step++) {
        REQUIRE(ng_master_advance(m, 0.02 * step, err));
        double *p = density_of(m, &o);
        const double now = relative_entropy(p, q, ng_size_count(&o.sizes));
        assert_true(now < last || now < 1e-13);
        assert_true(now > -1e-13);
        last = now;
        ng_free(p);
    }
    assert_true(last < 1e-2);
    ng_master_destroy(m);
    ng_free(q);
}

/* ---- platinum, as a run really is ------------------------------------------------------------ */

static const double schedule_s[] = {0, 20, 45, 60, 172}, schedule[] = {3.2, 2.6, 2.0, 2.7, 3.0};

static ng_master *platinum(const ng_master_options *o, double mean, double sd, double nucleation)
{
    ng_master *m = NULL;
    double *attach, *detach, *p = gaussian(&o->sizes, mean, sd);
    const ng_time_law S = ng_law_table(schedule_s, schedule, 5), in = ng_law_constant(nucleation);
    platinum_rates(&o->sizes, &attach, &detach);
    REQUIRE(ng_master_create(o, &m, NULL, err));
    for (size_t set = 0; set < o->sets; set++) {
        REQUIRE(ng_master_set_rates(m, set, attach, detach, err));
        REQUIRE(ng_master_set_laws(m, set, &S, &in, err));
        REQUIRE(ng_master_set_density(m, set, p, err));
    }
    ng_free(attach);
    ng_free(detach);
    ng_free(p);
    return m;
}

static ng_master_options platinum_options(void)
{
    ng_master_options o = ng_master_defaults();
    o.keep_flux = true;
    return o;
}

/* Particles that are there, fell out and came in balance to 1e-13 at every step. */
static void no_particle_is_lost(void **state)
{
    (void)state;
    const ng_master_options o = platinum_options();
    ng_master *m = platinum(&o, 200.0, 60.0, 0.01);
    ng_size_state start, s;
    ng_master_state(m, 0, &start);
    for (int step = 1; step <= 688; step++) {
        REQUIRE(ng_master_advance(m, 0.25 * step, err));
        ng_master_state(m, 0, &s);
        const double all = start.number + s.nucleated;
        assert_close(s.number + s.dissolved, all, 1e-13 * all);
    }
    assert_close(s.nucleated, 1.72, 1e-12);
    assert_true(s.dissolved > 0.01);
    ng_master_destroy(m);
}

/* Raw moments N <n^q> before and after a step. */
typedef struct raw_moments {
    double of[NG_MOMENT_MAX + 1];
} raw_moments;

static raw_moments raw_of(const ng_master *m)
{
    raw_moments r;
    ng_size_state s;
    ng_master_state(m, 0, &s);
    r.of[0] = s.number;
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        r.of[q] = s.number * ng_master_moment(m, 0, q);
    }
    return r;
}

/* The rise of N <n^q> over a step is what ng_moment_flow makes of the step's fluxes: particles
 * enter at n_min, everything else is J. With moment 0 it gives d(N <n^q>)/dt. */
static void check_moments(const ng_master *m, const ng_master_options *o, const raw_moments *before,
                          const double *flux, double step_s)
{
    const raw_moments after = raw_of(m);
    const size_t count = ng_size_count(&o->sizes);
    const double first = (double)o->sizes.n_min;
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        double flow = ng_moment_flow(flux + 1, first, count, q, 0.0, flux[0], first);
        assert_close(after.of[q] - before->of[q], step_s * flow, 1e-12 * after.of[q]);
    }
    assert_close(after.of[0] - before->of[0], step_s * flux[0], 1e-13 * after.of[0]);
}

static void follow_moments(const ng_master_options *o, ng_master *m, int steps)
{
    double *flux = NG_NEW(double, ng_size_count(&o->sizes) + 1);
    assert_non_null(flux);
    for (int step = 1; step <= steps; step++) {
        const raw_moments before = raw_of(m);
        REQUIRE(ng_master_advance(m, o->step_s * step, err));
        ng_master_flux(m, 0, flux);
        check_moments(m, o, &before, flux, o->step_s);
    }
    ng_free(flux);
    ng_master_destroy(m);
}

static void moments_move_with_the_fluxes(void **state)
{
    (void)state;
    ng_master_options o = platinum_options();
    follow_moments(&o, platinum(&o, 200.0, 60.0, 0.01), 688);
    o.order = 1;
    follow_moments(&o, platinum(&o, 200.0, 60.0, 0.01), 100);
}

/* ---- positive -------------------------------------------------------------------------------- */

/* From one size with long steps: the second-order method alone goes far below zero here. */
static void limited_steps_stay_positive_and_exact_in_number(void **state)
{
    (void)state;
    ng_master_options o = options(3000, 0.25);
    o.keep_flux = true;
    const ng_time_law S = ng_law_constant(1.5);
    ng_master *m = master_from(&o, forty, twenty_five, &S, FIRST + 100);
    for (int step = 1; step <= 80; step++) {
        REQUIRE(ng_master_advance(m, 0.25 * step, err));
        double *p = density_of(m, &o);
        for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
            assert_true(p[i] >= 0.0);
        }
        ng_free(p);
        ng_size_state s;
        ng_master_state(m, 0, &s);
        assert_close(s.number + s.dissolved, 1.0, 1e-13);
        /* Skellam: both grow linearly; the limiter costs at most a step's worth of Euler */
        assert_close(s.mean_n, FIRST + 100 + 35 * s.time_s, 0.02 * s.mean_n);
    }
    const ng_master_work work = ng_master_work_done(m);
    assert_true(work.limited_steps > 0 && work.limited_steps < 20);
    ng_master_destroy(m);
    follow_moments(&o, master_from(&o, forty, twenty_five, &S, FIRST + 100), 80);
}

/* ---- shortcuts that change nothing ----------------------------------------------------------- */

/* The active window leaves out what is below 1e-30 of the peak; 1e-15 of the peak: rounding of two
 * different orders of work. */
static void the_window_changes_nothing(void **state)
{
    (void)state;
    ng_master_options some = ng_master_defaults(), all = some;
    all.window = 0;
    ng_master *a = platinum(&some, 400.0, 30.0, 0.0), *b = platinum(&all, 400.0, 30.0, 0.0);
    REQUIRE(ng_master_advance(a, 60.0, err));
    REQUIRE(ng_master_advance(b, 60.0, err));
    double *p = density_of(a, &some), *q = density_of(b, &all), peak = 0.0;
    for (size_t i = 0; i < ng_size_count(&all.sizes); i++) {
        peak = fmax(peak, q[i]);
    }
    for (size_t i = 0; i < ng_size_count(&all.sizes); i++) {
        assert_close(p[i], q[i], 1e-14 * peak);
    }
    assert_true(ng_master_work_done(a).occupied_sizes < 3000);
    assert_true(ng_master_work_done(b).occupied_sizes == 9951);
    ng_master_destroy(a);
    ng_master_destroy(b);
    ng_free(p);
    ng_free(q);
}

/* Sets with S of their own, one of them with Euler-limited start, against each alone. 1e-13: the
 * sets share a window, so that they meet elsewhere in the middle. */
static void sets_side_by_side_are_as_alone(void **state)
{
    (void)state;
    ng_master_options one = ng_master_defaults(), many = one;
    for (many.sets = 2; many.sets <= 4; many.sets++) {
        ng_master *m = platinum(&many, 400.0, 30.0, 0.0);
        for (size_t set = 0; set < many.sets; set++) {
            const ng_time_law S = ng_law_constant(2.4 + 0.2 * (double)set);
            double *p = gaussian(&many.sizes, 300.0, set == 1 ? 0.2 : 30.0);
            REQUIRE(ng_master_set_laws(m, set, &S, NULL, err));
            REQUIRE(ng_master_set_density(m, set, p, err));
            ng_free(p);
        }
        REQUIRE(ng_master_advance(m, 20.0, err));
        for (size_t set = 0; set < many.sets; set++) {
            const ng_time_law S = ng_law_constant(2.4 + 0.2 * (double)set);
            ng_master *alone = platinum(&one, 300.0, set == 1 ? 0.2 : 30.0, 0.0);
            ng_size_state a, b;
            REQUIRE(ng_master_set_laws(alone, 0, &S, NULL, err));
            REQUIRE(ng_master_advance(alone, 20.0, err));
            ng_master_state(alone, 0, &a);
            ng_master_state(m, set, &b);
            assert_close(a.mean_n, b.mean_n, 1e-12 * a.mean_n);
            assert_close(a.var_n, b.var_n, 1e-10 * a.var_n);
            assert_close(a.number, b.number, 1e-13 * a.number);
            ng_master_destroy(alone);
        }
        ng_master_destroy(m);
    }
}

static void stepping_allocates_nothing(void **state)
{
    (void)state;
    const ng_master_options o = platinum_options();
    ng_master *m = platinum(&o, 100.0, 0.3, 0.0); /* limited at first */
    ng_alloc_fail_after(1);
    ng_status status = ng_master_advance(m, 20.0, NULL);
    void *next = ng_alloc(1, 1); /* still to fail */
    ng_alloc_fail_after(0);
    assert_int_equal(status, NG_OK);
    assert_null(next);
    ng_master_destroy(m);
}

/* A million sizes, all of them occupied or nearly: number to 1e-13. */
static void a_million_sizes_keep_their_particles(void **state)
{
    (void)state;
    ng_master_options o = ng_master_defaults();
    o.sizes.n_max = 1000049;
    o.window = 0;
    ng_master *m = platinum(&o, 500000.0, 60000.0, 0.0);
    ng_size_state start, s;
    ng_master_state(m, 0, &start);
    REQUIRE(ng_master_advance(m, 5.0, err));
    ng_master_state(m, 0, &s);
    assert_close(s.number + s.dissolved, start.number, 1e-13 * start.number);
    assert_true(s.mean_n > start.mean_n);
    ng_master_destroy(m);
}

/* ---- outputs --------------------------------------------------------------------------------- */

typedef struct seen {
    double time_s[8], mean_n[8];
    size_t n, stop;
} seen;

static bool look(void *context, size_t index, const ng_master *m)
{
    seen *s = context;
    ng_size_state state;
    ng_master_state(m, 0, &state);
    s->time_s[index] = state.time_s;
    s->mean_n[index] = state.mean_n;
    s->n = index + 1;
    return s->n < s->stop;
}

static void it_stops_at_the_times_wanted(void **state)
{
    (void)state;
    static const double wanted[] = {0.0, 0.1, 7.77, 7.77, 30.0};
    const ng_master_options o = ng_master_defaults();
    ng_master *m = platinum(&o, 400.0, 30.0, 0.0);
    seen s = {.stop = 99};
    REQUIRE(ng_master_run(m, wanted, 5, look, &s, NULL, err));
    assert_int_equal(s.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_close(s.time_s[i], wanted[i], 0.0);
    }
    assert_close(s.mean_n[0], 400.0, 1e-9);
    assert_close(s.mean_n[2], s.mean_n[3], 0.0);
    assert_true(s.mean_n[4] > s.mean_n[3]);
    ng_size_state now;
    ng_master_state(m, 0, &now);
    assert_close(now.supersaturation, 2.36, 1e-12);
    ng_master_destroy(m);

    m = platinum(&o, 400.0, 30.0, 0.0);
    s = (seen){.stop = 2};
    assert_int_equal(ng_master_run(m, wanted, 5, look, &s, NULL, NULL), NG_CANCELLED);
    assert_int_equal(s.n, 2);
    ng_master_destroy(m);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void assert_says(ng_status status, ng_status wanted, const ng_error *err, const char *words)
{
    assert_int_equal(status, wanted);
    if (strstr(err->message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", err->message, words);
    }
}

static void assert_options_refused(ng_master_options o, const char *words)
{
    ng_error err = {.message = ""};
    ng_master *m = NULL;
    ng_status status = ng_master_create(&o, &m, NULL, &err);
    assert_null(m);
    assert_says(status, NG_INVALID, &err, words);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    const ng_master_options good = ng_master_defaults();
    ng_master_options bad = good;
#define REFUSED(field, value, words)                                                               \
    bad.field = (value);                                                                           \
    assert_options_refused(bad, words);                                                            \
    bad = good
    REFUSED(sets, 0, "sets is 0; it must lie between 1 and 4");
    REFUSED(sets, 5, "sets is 5");
    REFUSED(order, 3, "order is 3; it must be 1 or 2");
    REFUSED(step_s, 0, "step_s is 0");
    REFUSED(window, 1e-3, "window is 0.001");
    REFUSED(top_share, -1, "top_share is -1");
    REFUSED(sizes.n_max, 50, "sizes from n = 50 to 50");
    REFUSED(sizes.n_max, 20000000, "there may be 10000000 sizes at most");
    REFUSED(sizes.n_min, 0, "n_min must be at least 1");
    REFUSED(sizes.n_min, 49, "n_min is 49; the lattice model of particles means nothing below");
#undef REFUSED
}

static void sizes_below_50_are_warned_about(void **state)
{
    (void)state;
    const ng_master_options o = small_sizes(0.1);
    ng_warnings warnings = {0};
    ng_master *m = NULL;
    REQUIRE(ng_master_create(&o, &m, &warnings, err));
    assert_int_equal(warnings.n, 1);
    assert_string_equal(warnings.item[0].name, "below-50");
    ng_warnings_free(&warnings);
    ng_master_destroy(m);
}

static void wrong_rows_are_refused(void **state)
{
    (void)state;
    const ng_master_options o = ng_master_defaults();
    ng_master *m = platinum(&o, 400.0, 30.0, 0.0);
    double *row = rows_of(&o.sizes, forty);
    ng_error err = {.message = ""};
    row[3] = -2.0;
    assert_says(ng_master_set_density(m, 0, row, &err), NG_INVALID, &err,
                "the density at n = 53 is -2; it must be finite and not negative");
    row[3] = (double)NAN;
    assert_says(ng_master_set_rates(m, 0, row, row, &err), NG_INVALID, &err,
                "attachment rate at n = 53 is nan");
    assert_says(ng_master_set_rates(m, 1, row, row, &err), NG_DOMAIN, &err, "set 1 of 1");
    const ng_time_law negative = ng_law_constant(-1.0);
    assert_says(ng_master_set_laws(m, 0, &negative, NULL, &err), NG_INVALID, &err,
                "the supersaturation is -1");
    assert_says(ng_master_set_laws(m, 0, &(ng_time_law){0}, &negative, &err), NG_INVALID, &err,
                "the nucleation rate is -1");
    assert_says(ng_master_advance(m, -1.0, &err), NG_INVALID, &err, "time must not run back");
    assert_says(ng_master_advance(m, (double)NAN, &err), NG_INVALID, &err, "nan s does not come");
    ng_free(row);
    ng_master_destroy(m);
}

static double falling(const void *context, double time_s)
{
    (void)context;
    return 3.0 - 0.5 * time_s;
}

/* S(t) below 0 after 6 s: an error there, and the state of the last step before. */
static void a_negative_schedule_is_an_error(void **state)
{
    (void)state;
    const ng_master_options o = ng_master_defaults();
    const ng_time_law S = ng_law_from(falling, NULL);
    ng_master *m = platinum(&o, 400.0, 30.0, 0.0);
    ng_error why = {.message = ""};
    ng_size_state s;
    REQUIRE(ng_master_set_laws(m, 0, &S, NULL, err));
    assert_says(ng_master_advance(m, 10.0, &why), NG_INVALID, &why, "a negative concentration");
    ng_master_state(m, 0, &s);
    assert_close(s.time_s, 6.0, 1e-9);
    assert_close(s.number + s.dissolved, 1.0, 1e-13);
    ng_master_destroy(m);
}

static void sizes_beyond_the_grid_are_an_error(void **state)
{
    (void)state;
    ng_master_options o = ng_master_defaults();
    o.sizes.n_max = 600;
    ng_error why = {.message = ""};
    ng_size_state s;
    ng_master *m = platinum(&o, 400.0, 30.0, 0.0);
    assert_says(ng_master_advance(m, 172.0, &why), NG_INVALID, &why,
                "of the particles have grown to n = 600, the largest size");
    ng_master_state(m, 0, &s);
    assert_true(s.time_s > 0.5 && s.time_s < 20.0);
    ng_master_destroy(m);

    o.top_share = 1.0; /* wanted: told, not refused */
    ng_warnings warnings = {0};
    m = platinum(&o, 400.0, 30.0, 0.0);
    REQUIRE(ng_master_advance(m, 20.0, err));
    ng_master_warn(m, &warnings);
    assert_int_equal(warnings.n, 1);
    assert_string_equal(warnings.item[0].name, "top");
    ng_warnings_free(&warnings);
    ng_master_destroy(m);
}

static void what_dissolves_is_told(void **state)
{
    (void)state;
    const ng_master_options o = ng_master_defaults();
    const ng_time_law S = ng_law_constant(1.0);
    ng_warnings warnings = {0};
    ng_size_state s;
    ng_master *m = platinum(&o, 200.0, 30.0, 0.0);
    REQUIRE(ng_master_set_laws(m, 0, &S, NULL, err));
    REQUIRE(ng_master_advance(m, 20.0, err));
    ng_master_state(m, 0, &s);
    assert_true(s.dissolved > 0.5);
    assert_close(s.number + s.dissolved, 1.0, 1e-13);
    ng_master_warn(m, &warnings);
    assert_int_equal(warnings.n, 1);
    assert_string_equal(warnings.item[0].name, "dissolved");
    ng_warnings_free(&warnings);
    ng_master_destroy(m);
}

static void lack_of_memory_leaves_nothing(void **state)
{
    (void)state;
    const ng_master_options o = ng_master_defaults();
    size_t failures = 0;
    ng_status status = NG_MEMORY;
    for (; status == NG_MEMORY; failures++) {
        ng_master *m = NULL;
        ng_alloc_fail_after(failures + 1);
        status = ng_master_create(&o, &m, NULL, NULL);
        ng_alloc_fail_after(0);
        assert_true((m == NULL) == (status != NG_OK));
        ng_master_destroy(m);
    }
    assert_int_equal(status, NG_OK);
    assert_int_equal(failures, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_attachment_is_poisson),
        cmocka_unit_test(attachment_by_size_is_negative_binomial),
        cmocka_unit_test(constant_rates_are_skellam),
        cmocka_unit_test(the_error_falls_with_the_order),
        cmocka_unit_test(equilibrium_stays),
        cmocka_unit_test(equilibrium_with_open_end_stays),
        cmocka_unit_test(relative_entropy_falls),
        cmocka_unit_test(no_particle_is_lost),
        cmocka_unit_test(moments_move_with_the_fluxes),
        cmocka_unit_test(limited_steps_stay_positive_and_exact_in_number),
        cmocka_unit_test(the_window_changes_nothing),
        cmocka_unit_test(sets_side_by_side_are_as_alone),
        cmocka_unit_test(stepping_allocates_nothing),
        cmocka_unit_test(a_million_sizes_keep_their_particles),
        cmocka_unit_test(it_stops_at_the_times_wanted),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(sizes_below_50_are_warned_about),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(a_negative_schedule_is_an_error),
        cmocka_unit_test(sizes_beyond_the_grid_are_an_error),
        cmocka_unit_test(what_dissolves_is_told),
        cmocka_unit_test(lack_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests_name("master equation", tests, NULL, NULL);
}
