/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One particle as a birth-death process, against distributions that are known. */
#include "synth/synth_internal.h"

#include "synth_statistics.h"
#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <string.h>

#define DRAWS 20000
#define SIZES 600
#define FIRST 1000

typedef double rate_law(double n);

static double zero(double n)
{
    (void)n;
    return 0;
}

static double forty(double n)
{
    (void)n;
    return 40;
}

static double twenty_five(double n)
{
    (void)n;
    return 25;
}

/* As if the table began at 50 monomers. */
static double one_per_monomer(double n)
{
    return n - FIRST + 50;
}

static void fill_rates(ng_synth_rates *rates, ng_synth_rate *rate, rate_law *up, rate_law *down)
{
    *rates = (ng_synth_rates){.first = FIRST, .count = SIZES, .rate = rate};
    for (size_t i = 0; i < SIZES; i++) {
        rate[i].up = up((double)FIRST + (double)i);
        rate[i].down = down((double)FIRST + (double)i);
    }
}

static ng_synth_random open_random(uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 0);
    assert_non_null(rng);
    ng_synth_random random = ng_synth_random_from(rng);
    ng_random_close(rng);
    return random;
}

/* Histogram of n - start + offset after DRAWS runs over one stretch. */
static void run_many(const ng_synth_rates *rates, const ng_synth_stretch *stretch, long start,
                     long offset, double *count)
{
    ng_synth_random random = open_random(3);
    memset(count, 0, SIZES * sizeof *count);
    for (int k = 0; k < DRAWS; k++) {
        ng_synth_state state = {.time_s = stretch->start_s, .n = start};
        assert_int_equal(ng_synth_advance(rates, stretch, UINT64_MAX, &random, &state),
                         NG_SYNTH_END);
        assert_true(state.time_s == stretch->end_s);
        count[state.n - start + offset]++;
    }
}

static void constant_birth_is_poisson(void **unused)
{
    (void)unused;
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    double count[SIZES], p[SIZES];
    const ng_synth_stretch stretch = {0, 1, 1.5, 0};
    fill_rates(&rates, rate, forty, zero);
    run_many(&rates, &stretch, FIRST, 0, count);
    for (unsigned k = 0; k < SIZES; k++) {
        p[k] = gsl_ran_poisson_pdf(k, 60);
    }
    assert_true(chi_square_p(count, p, SIZES, DRAWS) > SIGNIFICANCE);
}

static void birth_by_size_is_negative_binomial(void **unused)
{
    (void)unused;
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    double count[SIZES], p[SIZES];
    const ng_synth_stretch stretch = {2, 2.5, 1, 0};
    fill_rates(&rates, rate, one_per_monomer, zero);
    run_many(&rates, &stretch, FIRST, 0, count);
    for (unsigned k = 0; k < SIZES; k++) {
        p[k] = gsl_ran_negative_binomial_pdf(k, exp(-0.5), 50);
    }
    assert_true(chi_square_p(count, p, SIZES, DRAWS) > SIGNIFICANCE);
}

static void constant_birth_and_death_is_skellam(void **unused)
{
    (void)unused;
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    double count[SIZES], p[SIZES];
    const ng_synth_stretch stretch = {0, 2, 1, 0};
    const double births = 80, deaths = 50;
    fill_rates(&rates, rate, forty, twenty_five);
    run_many(&rates, &stretch, FIRST + SIZES / 2, SIZES / 2, count);
    for (int i = 0; i < SIZES; i++) {
        const int k = i - SIZES / 2;
        p[i] = gsl_sf_bessel_In_scaled(abs(k), 2 * sqrt(births * deaths)) *
               exp(2 * sqrt(births * deaths) - births - deaths) * pow(births / deaths, k / 2.0);
    }
    assert_true(chi_square_p(count, p, SIZES, DRAWS) > SIGNIFICANCE);
}

/* S rises from 0 to 3 and falls back: thinning throws many candidates away, and each part must
 * still be Poisson with the integral of S. */
static void changing_supersaturation_is_poisson_of_its_integral(void **unused)
{
    (void)unused;
    static const double end_s[] = {0.25, 1, 1.5};
    static const double integral[] = {0.5 * 0.25 * 0.75, 0.5 * 0.75 * 3.75, 0.5 * 0.5 * 5.5};
    const ng_synth_stretch stretch[] = {{0, 0.25, 0, 3}, {0.25, 1, 0.75, 3}, {1, 1.5, 3, -1}};
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    double count[3][SIZES] = {{0}}, p[SIZES];
    ng_synth_random random = open_random(5);
    fill_rates(&rates, rate, forty, zero);
    for (int k = 0; k < DRAWS; k++) {
        ng_synth_state state = {.n = FIRST};
        for (int part = 0; part < 3; part++) {
            const long before = state.n;
            assert_int_equal(ng_synth_advance(&rates, &stretch[part], UINT64_MAX, &random, &state),
                             NG_SYNTH_END);
            assert_true(state.time_s == end_s[part]);
            count[part][state.n - before]++;
        }
        assert_int_equal(state.events, state.n - FIRST);
    }
    for (int part = 0; part < 3; part++) {
        for (unsigned k = 0; k < SIZES; k++) {
            p[k] = gsl_ran_poisson_pdf(k, 40 * integral[part]);
        }
        assert_true(chi_square_p(count[part], p, SIZES, DRAWS) > SIGNIFICANCE);
    }
}

static void nothing_happens_without_rates(void **unused)
{
    (void)unused;
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    const ng_synth_stretch dry = {0, 1e6, 0, 0};
    ng_synth_state state = {.n = FIRST + 1};
    ng_synth_random random = open_random(1);
    fill_rates(&rates, rate, forty, zero);
    assert_int_equal(ng_synth_advance(&rates, &dry, UINT64_MAX, &random, &state), NG_SYNTH_END);
    assert_int_equal(state.n, FIRST + 1);
    assert_int_equal(state.events, 0);
}

static void ends_of_the_table_and_budget_stop_it(void **unused)
{
    (void)unused;
    ng_synth_rates rates;
    ng_synth_rate rate[SIZES];
    const ng_synth_stretch long_one = {0, 1e6, 1, 0};
    const ng_synth_stretch dry = {0, 1e6, 0, 0};
    ng_synth_random random = open_random(1);
    fill_rates(&rates, rate, forty, twenty_five);

    ng_synth_state state = {.n = FIRST + 3};
    assert_int_equal(ng_synth_advance(&rates, &dry, UINT64_MAX, &random, &state), NG_SYNTH_BELOW);
    assert_int_equal(state.n, FIRST - 1);
    assert_int_equal(state.events, 4);

    fill_rates(&rates, rate, forty, zero);
    state = (ng_synth_state){.n = FIRST};
    assert_int_equal(ng_synth_advance(&rates, &long_one, UINT64_MAX, &random, &state),
                     NG_SYNTH_ABOVE);
    assert_int_equal(state.n, FIRST + SIZES);

    state = (ng_synth_state){.n = FIRST};
    assert_int_equal(ng_synth_advance(&rates, &long_one, 100, &random, &state), NG_SYNTH_SPENT);
    assert_int_equal(state.n, FIRST + 100);
}

/* A table that grew in steps holds what a table made at once holds, and the rates of physics. */
static void table_of_rates_grows(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_synth_rates steps = {0}, once = {0};
    ng_error err = {0};
    assert_int_equal(ng_synth_rates_reserve(&steps, &o, 60, &err), NG_OK);
    assert_true(steps.count < 10000);
    assert_int_equal(ng_synth_rates_reserve(&steps, &o, 10050, &err), NG_OK);
    assert_int_equal(ng_synth_rates_reserve(&once, &o, 10050, &err), NG_OK);
    assert_true(once.count > 10000 && once.count == steps.count);
    assert_memory_equal(steps.rate, once.rate, once.count * sizeof *once.rate);
    assert_int_equal(once.first, 50);
    assert_true(once.rate[950].up ==
                ng_attachment_rate(&o.parameters, o.delta, o.sigma_s_nm, 1000));
    assert_true(once.rate[950].down ==
                ng_detachment_rate(&o.parameters, o.delta, o.sigma_s_nm, 1000));
    ng_synth_rates_free(&steps);
    ng_synth_rates_free(&once);
}

/* ---- the lattice model itself, against its master equation ---- */

#define N_LAST 399
#define N_SIZES (N_LAST - 49) /* cell 0: dissolved (n = 49), then 50 .. N_LAST */

static void master_equation(const ng_synth_rates *rates, double S, const double *p, double *change)
{
    memset(change, 0, N_SIZES * sizeof *change);
    for (size_t i = 1; i < N_SIZES; i++) {
        const double up = i + 1 < N_SIZES ? S * rates->rate[i - 1].up * p[i] : 0;
        const double down = rates->rate[i - 1].down * p[i];
        change[i] -= up + down;
        change[i - 1] += down;
        if (i + 1 < N_SIZES) {
            change[i + 1] += up;
        }
    }
}

/* Classical Runge-Kutta; S falls linearly. Steps of 1 ms, rates of 60/s: error below 1e-7. */
static void solve_master_equation(const ng_synth_rates *rates, const ng_synth_stretch *stretch,
                                  double *p)
{
    static double k[4][N_SIZES], q[N_SIZES];
    const int steps = 4000;
    const double dt = (stretch->end_s - stretch->start_s) / steps;
    const double part[] = {0, 0.5, 0.5, 1}, weight[] = {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0};
    for (int step = 0; step < steps; step++) {
        for (int stage = 0; stage < 4; stage++) {
            for (size_t i = 0; i < N_SIZES; i++) {
                q[i] = p[i] + (stage > 0 ? part[stage] * dt * k[stage - 1][i] : 0);
            }
            const double S =
                stretch->start_supersaturation + stretch->slope_per_s * dt * (step + part[stage]);
            master_equation(rates, S, q, k[stage]);
        }
        for (int stage = 0; stage < 4; stage++) {
            for (size_t i = 0; i < N_SIZES; i++) {
                p[i] += weight[stage] * dt * k[stage][i];
            }
        }
    }
}

static void lattice_model_follows_its_master_equation(void **unused)
{
    (void)unused;
    static double p[N_SIZES], count[N_SIZES];
    const ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    const ng_synth_stretch stretch = {0, 4, 2.6, -0.5};
    const long start = 62;
    ng_synth_rates rates = {0};
    ng_error err = {0};
    ng_synth_random random = open_random(8);
    assert_int_equal(ng_synth_rates_reserve(&rates, &o, N_LAST, &err), NG_OK);
    p[start - 49] = 1;
    solve_master_equation(&rates, &stretch, p);
    assert_true(p[0] > 0.01); /* some dissolve: the lower end is tested too */
    for (int draw = 0; draw < DRAWS; draw++) {
        ng_synth_state state = {.n = start};
        const ng_synth_stop stop = ng_synth_advance(&rates, &stretch, UINT64_MAX, &random, &state);
        assert_true(stop == NG_SYNTH_END || (stop == NG_SYNTH_BELOW && state.n == 49));
        count[state.n - 49]++;
    }
    assert_true(chi_square_p(count, p, N_SIZES, DRAWS) > SIGNIFICANCE);
    ng_synth_rates_free(&rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_birth_is_poisson),
        cmocka_unit_test(birth_by_size_is_negative_binomial),
        cmocka_unit_test(constant_birth_and_death_is_skellam),
        cmocka_unit_test(changing_supersaturation_is_poisson_of_its_integral),
        cmocka_unit_test(nothing_happens_without_rates),
        cmocka_unit_test(ends_of_the_table_and_budget_stop_it),
        cmocka_unit_test(table_of_rates_grows),
        cmocka_unit_test(lattice_model_follows_its_master_equation),
    };
    return cmocka_run_group_tests_name("birth-death", tests, NULL, NULL);
}
