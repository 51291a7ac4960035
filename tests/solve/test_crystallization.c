/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nucleation and growth together: pure numbers, conservation, limits. */
#include <nucgrow/crystallization.h>

#include "test_support.h"

#include <math.h>

static ng_energy energy_of(const ng_conditions *c, double duration_s, size_t steps)
{
    ng_energy e;
    ng_error err = {.message = ""};
    if (ng_energy_compute(c, NULL, duration_s, 0.9, steps, &e, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return e;
}

/* N' constant, r^2 = r*^2 (1 + kt): the numbers of physics.md, and the closed form they come from,
 * kt + 3/2 (u^2-1) - 4/5 (u^(5/2)-1) = 0 with u = 1 + kt. */
static void pure_numbers(void **state)
{
    (void)state;
    ng_conditions c = ng_conditions_liu();
    c.critical_nm = 0.8;
    c.product_nm2_per_s = 0.8 * 0.8 * 0.25 / 2; /* k = 0.25/s */
    c.final_nm = (double)INFINITY;
    c.nucleation_s = 1000;
    ng_energy e = energy_of(&c, 20, 4000);
    const double kt = 0.25 * e.transition_s, flip = 0.25 * e.growth_flip_s;
    /* trapezoids of 1/200 in kt are good to 1e-5 of it */
    assert_close(kt, 3.211, 5e-4);
    assert_close(e.transition_nm / 0.8, 2.0520, 1e-4);
    assert_close(flip, 2.203, 5e-4);
    assert_close(e.growth_flip_nm / 0.8, 1.790, 5e-4);
    const double u = 1 + kt, v = 1 + flip;
    assert_close(kt + 1.5 * (u * u - 1) - 0.8 * (pow(u, 2.5) - 1), 0, 1e-4);
    assert_close(1.5 * (v * v - 1) - 0.8 * (pow(v, 2.5) - 1), 0, 1e-4);
    ng_energy_free(&e);
}

static void liu_at_c0(void **state)
{
    (void)state;
    const ng_conditions c = ng_conditions_liu();
    ng_energy e = energy_of(&c, 60, 4000);
    assert_close(e.transition_s, 3.8, 0.05); /* two digits are printed */
    assert_close(e.transition_nm, 1.2, 0.005);
    assert_close(e.crystals[e.n - 1], 700, 1e-6);
    assert_close(e.births_window.from_s, 0.05 * 45, 0.02);
    assert_close(e.births_window.to_s, 0.95 * 45, 0.02);
    assert_true(e.overlap.windows > 0.5 && e.overlap.windows < 1);
    assert_true(e.overlap.windows <= e.overlap.of_nucleation);
    for (size_t i = 1; i < e.n; i++) {
        assert_true(e.nucleation[i] >= e.nucleation[i - 1] && e.volume[i] >= e.volume[i - 1]);
    }
    ng_energy_free(&e);
}

/* The scaling gives the three TEM radii of [Liu]; slower nucleation at lower concentration. */
static void liu_at_lower_concentrations(void **state)
{
    (void)state;
    const ng_conditions one = ng_conditions_liu();
    const ng_conditions half = ng_conditions_scale(&one, 0.5, 4.5);
    const ng_conditions less = ng_conditions_scale(&one, 0.4, 4.5);
    assert_close(half.final_nm, 2.2, 0.03 * 2.2);
    assert_close(less.final_nm, 2.55, 0.03 * 2.55);
    assert_true(half.births_per_s < one.births_per_s && less.births_per_s < half.births_per_s);
    assert_true(less.nucleation_s > half.nucleation_s && half.nucleation_s > one.nucleation_s);
    /* matter: number times r_f^3 goes with the concentration */
    const double matter = half.births_per_s * half.nucleation_s * pow(half.final_nm, 3);
    assert_close(matter / (700 * pow(1.5, 3)), 0.5, 1e-12);
}

static void given_births(void **state)
{
    (void)state;
    const ng_conditions c = ng_conditions_liu();
    const ng_time_law law = ng_law_constant(3);
    ng_energy e, constant = energy_of(&c, 30, 2000);
    assert_int_equal(ng_energy_compute(&c, &law, 30, 0.9, 2000, &e, NULL), NG_OK);
    assert_close(e.crystals[e.n - 1], 90, 1e-9);
    /* the zero of the total does not know how many crystals there are */
    assert_close(e.transition_s, constant.transition_s, 1e-9);
    ng_energy_free(&e);
    ng_energy_free(&constant);
    const ng_time_law nothing = ng_law_constant(0), negative = ng_law_constant(-1);
    assert_int_equal(ng_energy_compute(&c, &nothing, 30, 0.9, 100, &e, NULL), NG_INVALID);
    assert_int_equal(ng_energy_compute(&c, &negative, 30, 0.9, 100, &e, NULL), NG_INVALID);
}

static void growth_begins_at_the_nucleus(void **state)
{
    (void)state;
    ng_conditions c = ng_conditions_liu();
    for (int k = 0; k < 3; k++) {
        c.growth = (ng_growth_kind)k;
        assert_close(ng_conditions_radius(&c, 0), 0.585, k == 2 ? 0.006 : 1e-9);
        assert_close(ng_conditions_radius(&c, 1e3), 1.5, 1e-6);
        double before = 0;
        for (double t = 0; t < 30; t += 0.1) {
            const double r = ng_conditions_radius(&c, t);
            assert_true(r >= before);
            before = r;
        }
    }
    /* the depletion law obeys its own rate */
    c.growth = NG_GROWTH_DEPLETION;
    const double r = ng_conditions_radius(&c, 2), h = 1e-4;
    const double rate =
        (ng_conditions_radius(&c, 2 + h) - ng_conditions_radius(&c, 2 - h)) / (2 * h);
    assert_close(rate, c.product_nm2_per_s * (1 - pow(r / 1.5, 3)) / r, 1e-7);
    c.critical_nm = 2;
    assert_non_null(ng_conditions_fault(&c));
}

/* Births and crystals drawn again: intervals as wide as their numbers tell, and what rests on
 * nothing that was drawn has none. */
static void intervals_know_what_they_rest_on(void **state)
{
    (void)state;
    enum { BIRTHS = 400, CRYSTALS = 300 };
    double birth[BIRTHS], product[CRYSTALS], final[CRYSTALS];
    ng_energy_interval i[NG_N_ENERGY_NUMBERS], fewer[NG_N_ENERGY_NUMBERS];
    double number[NG_N_ENERGY_NUMBERS];
    for (int k = 0; k < BIRTHS; k++) {
        birth[k] = 45.0 * (k + 0.5) / BIRTHS;
    }
    for (int k = 0; k < CRYSTALS; k++) { /* evenly over +- 30 %, s.d. 17 % */
        product[k] = 0.1445 * (0.7 + 0.6 * (k + 0.5) / CRYSTALS);
        final[k] = 1.5;
    }
    ng_energy_question q = {ng_conditions_liu(), NULL, 1, 4.5, (double)NAN, 0.9};
    q.conditions.growth = NG_GROWTH_DEPLETION;
    ng_energy_knowledge k = {
        .product_nm2_per_s = product, .final_nm = final, .n_crystals = CRYSTALS};
    ng_energy e;
    ng_conditions c;
    ng_run run = ng_run_defaults();
    assert_int_equal(ng_energy_ask(&q, 4000, &e, &c, NULL), NG_OK);
    ng_energy_numbers(&e, &c, number);
    ng_energy_free(&e);
    assert_int_equal(ng_energy_intervals(&q, &k, number, 200, 0.95, &run, i, NULL), NG_OK);
    const double time_s = number[NG_ENERGY_TRANSITION_S];
    const double width =
        (i[NG_ENERGY_TRANSITION_S].upper - i[NG_ENERGY_TRANSITION_S].lower) / time_s;
    /* the median of an even law of width 0.6: s.e. 0.6/(2 sqrt(n)), and time goes with 1/B; the
     * width of 200 replicates' percentiles is known to a tenth */
    assert_close(width, 2 * 1.96 * 0.6 / (2 * sqrt(CRYSTALS)), 0.25 * 0.068);
    assert_true(i[NG_ENERGY_TRANSITION_S].lower < time_s &&
                time_s < i[NG_ENERGY_TRANSITION_S].upper);
    assert_true(isnan(i[NG_ENERGY_FASTEST_NM].lower)); /* r* is given */
    assert_true(i[NG_ENERGY_FASTEST_NM_PER_S].lower < number[NG_ENERGY_FASTEST_NM_PER_S]);
    k.birth_s = birth;
    k.n_births = BIRTHS;
    k.bandwidth_s = 3;
    k.until_s = 60;
    k.critical_se_nm = 0.02;
    assert_int_equal(ng_energy_intervals(&q, &k, number, 200, 0.95, &run, i, NULL), NG_OK);
    assert_close(i[NG_ENERGY_FASTEST_NM].upper - i[NG_ENERGY_FASTEST_NM].lower, 4 * 1.96 * 0.02,
                 0.25 * 0.157);
    k.n_births = BIRTHS / 10; /* the first tenth of the births */
    assert_int_equal(ng_energy_intervals(&q, &k, number, 200, 0.95, &run, fewer, NULL), NG_OK);
    assert_true(fewer[NG_ENERGY_WINDOWS].upper < i[NG_ENERGY_WINDOWS].lower);
    k = (ng_energy_knowledge){.n_births = 0};
    assert_int_equal(ng_energy_intervals(&q, &k, number, 200, 0.95, &run, i, NULL), NG_OK);
    assert_true(isnan(i[NG_ENERGY_TRANSITION_S].lower));
}

/* Births of a movie at half the concentration: as constant births of the same rate and length. */
static void births_are_stretched(void **state)
{
    (void)state;
    const double knot_s[] = {0, 45, 45 * (1 + 1e-9)}, rate[] = {700.0 / 45, 700.0 / 45, 0};
    const ng_time_law law = ng_law_table(knot_s, rate, 3), wrong = ng_law_constant(-1);
    ng_energy_question q = {ng_conditions_liu(), &law, 0.5, 4.5, (double)NAN, 0.9};
    ng_energy given, constant;
    ng_conditions c;
    assert_int_equal(ng_energy_ask(&q, 2000, &given, &c, NULL), NG_OK);
    q.births = NULL;
    assert_int_equal(ng_energy_ask(&q, 2000, &constant, &c, NULL), NG_OK);
    assert_close(given.transition_s, constant.transition_s, 1e-9);
    /* one step of the end of births */
    assert_close(given.overlap.windows, constant.overlap.windows, 1e-3);
    ng_energy_free(&given);
    ng_energy_free(&constant);
    q.births = &wrong;
    assert_int_equal(ng_energy_ask(&q, 100, &given, &c, NULL), NG_INVALID);
}

static ng_crystallization crystallize(const ng_crystallization_options *o)
{
    ng_crystallization x;
    ng_error err = {.message = ""};
    if (ng_crystallize(o, &x, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return x;
}

static void crystals_in_cells(void **state)
{
    (void)state;
    ng_crystallization_options o = ng_crystallization_defaults();
    o.conditions.growth = NG_GROWTH_DEPLETION;
    ng_crystallization x = crystallize(&o);
    for (size_t i = 0; i < x.n; i += 50) {
        const double expected = 700 * -expm1(-x.time_s[i] / 45);
        assert_close(x.crystals[i], expected, 1e-9);
    }
    assert_true(x.solute[x.n - 1] <= 1);
    ng_crystallization_free(&x);
}

/* Matter is conserved to rounding, and half the step changes little: the method is of second
 * order in the solution, of first in the size at birth. */
static void one_solution(void **state)
{
    (void)state;
    ng_crystallization_options o = ng_crystallization_defaults();
    o.solution = NG_SOLUTION_SHARED;
    ng_crystallization x = crystallize(&o);
    for (size_t i = 0; i < x.n; i++) {
        const double excess = (x.supersaturation[i] - 1) / (o.supersaturation - 1);
        assert_close(excess + x.solute[i], 1, 1e-12);
        assert_true(i == 0 || x.supersaturation[i] <= x.supersaturation[i - 1]);
    }
    assert_true(x.solute[x.n - 1] > 0.9);
    const double crystals = x.crystals[x.n - 1], mean = x.mean_nm[x.n - 1];
    ng_crystallization_free(&x);
    o.steps *= 2;
    x = crystallize(&o);
    assert_close(x.crystals[x.n - 1] / crystals, 1, 0.01);
    assert_close(x.mean_nm[x.n - 1] / mean, 1, 0.01);
    ng_crystallization_free(&x);
}

/* A burst gives crystals of one size; births that go on in one solution give fewer, larger ones
 * that differ; with a share for each crystal they end alike again ([Liu] Fig. 3a). */
static void burst_against_continuous(void **state)
{
    (void)state;
    ng_crystallization_options o = ng_crystallization_defaults();
    o.duration_s = 200;
    o.conditions.growth = NG_GROWTH_DEPLETION;
    ng_crystallization own = crystallize(&o);
    o.solution = NG_SOLUTION_SHARED;
    ng_crystallization continuous = crystallize(&o);
    o.burst = true;
    ng_crystallization burst = crystallize(&o);
    const size_t end = own.n - 1;
    assert_close(burst.crystals[end], 700, 1e-9);
    assert_close(burst.mean_nm[end], 1.5, 0.01 * 1.5); /* what solute there is, in 700 crystals */
    assert_close(burst.sd_nm[end], 0, 1e-6);
    assert_true(own.sd_nm[end] / own.mean_nm[end] < 0.05);
    assert_true(continuous.sd_nm[end] / continuous.mean_nm[end] > 0.07);
    assert_true(continuous.crystals[end] < 350 && continuous.mean_nm[end] > 2);
    /* squares of radii grow alike: their spread stays once births have ended, that of r falls */
    const size_t early = end / 5;
    assert_true(continuous.sd_nm[end] < continuous.sd_nm[early]);
    ng_crystallization_free(&own);
    ng_crystallization_free(&continuous);
    ng_crystallization_free(&burst);
}

static void refusals(void **state)
{
    (void)state;
    ng_crystallization x;
    ng_crystallization_options o = ng_crystallization_defaults();
    o.steps = 1;
    assert_int_equal(ng_crystallize(&o, &x, NULL), NG_INVALID);
    o = ng_crystallization_defaults();
    o.solution = NG_SOLUTION_SHARED;
    o.supersaturation = 1;
    assert_int_equal(ng_crystallize(&o, &x, NULL), NG_INVALID);
    ng_crystallization_free(&x);
    ng_crystallization_free(NULL);
    ng_energy e;
    const ng_conditions c = ng_conditions_liu();
    assert_int_equal(ng_energy_compute(&c, NULL, -1, 0.9, 100, &e, NULL), NG_INVALID);
    ng_alloc_fail_after(1);
    assert_int_equal(ng_energy_compute(&c, NULL, 10, 0.9, 100, &e, NULL), NG_MEMORY);
    ng_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pure_numbers),
        cmocka_unit_test(liu_at_c0),
        cmocka_unit_test(liu_at_lower_concentrations),
        cmocka_unit_test(given_births),
        cmocka_unit_test(intervals_know_what_they_rest_on),
        cmocka_unit_test(births_are_stretched),
        cmocka_unit_test(growth_begins_at_the_nucleus),
        cmocka_unit_test(crystals_in_cells),
        cmocka_unit_test(one_solution),
        cmocka_unit_test(burst_against_continuous),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
