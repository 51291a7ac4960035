/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How growth moves moments, against the master equation itself: random numbers of particles at
 * sizes m..last, random rates, and a random flux of particles that enter (or leave) at the smallest
 * size, d rho_n/dt = J_{n-1} - J_n,  J_n = S k_n^a rho_n - k_{n+1}^d rho_{n+1},  J_{m-1} = source.
 * All identities are algebra, so they hold to rounding: 1e-12 of the sum of the absolute terms.
 */
#include <nucgrow/ensemble.h>

#include "test_support.h"

#include <gsl/gsl_math.h>
#include <math.h>

#define SIZES 80
#define TRIALS 200
#define TOLERANCE 1e-12

typedef struct ensemble {
    double first;                                    /* m */
    double supersaturation, N, growth;               /* growth: dlnN/dt */
    double rho[SIZES], attach[SIZES], detach[SIZES]; /* of size m + i */
    double flux[SIZES + 1]; /* J of size m + i - 1; the last is 0, nothing grows on */
} ensemble;

static double draw(gsl_rng *rng, double low, double high)
{
    return low + (high - low) * gsl_rng_uniform(rng);
}

static ensemble random_ensemble(gsl_rng *rng, double first)
{
    ensemble e = {.first = first, .supersaturation = draw(rng, 0.0, 5.0)};
    for (size_t i = 0; i < SIZES; i++) {
        e.rho[i] = gsl_rng_uniform(rng) < 0.2 ? 0.0 : draw(rng, 0.0, 3.0);
        e.attach[i] = draw(rng, 0.0, 2.0);
        e.detach[i] = draw(rng, 0.0, 2.0);
        e.N += e.rho[i];
    }
    e.detach[0] *= first > 1.0; /* a single monomer does not fall apart */
    e.flux[0] = draw(rng, -2.0, 2.0);
    for (size_t i = 1; i < SIZES; i++) {
        e.flux[i] = e.supersaturation * e.attach[i - 1] * e.rho[i - 1] - e.detach[i] * e.rho[i];
    }
    e.growth = (e.flux[0] - e.flux[SIZES]) / e.N;
    return e;
}

static double mean_power(const ensemble *e, int q)
{
    double sum = 0.0;
    for (size_t i = 0; i < SIZES; i++) {
        sum += gsl_pow_int(e->first + (double)i, q) * e->rho[i];
    }
    return sum / e->N;
}

/* d<n^q>/dt from d rho/dt; `scale` is the sum of the absolute terms. */
static double direct_flow(const ensemble *e, int q, double *scale)
{
    double moment = mean_power(e, q), sum = -moment * e->growth;
    *scale = fabs(sum);
    for (size_t i = 0; i < SIZES; i++) {
        double n_q = gsl_pow_int(e->first + (double)i, q) / e->N;
        sum += n_q * (e->flux[i] - e->flux[i + 1]);
        *scale += n_q * (fabs(e->flux[i]) + fabs(e->flux[i + 1]));
    }
    return sum;
}

static double flow(const ensemble *e, int q)
{
    double flux[SIZES];
    for (size_t i = 0; i < SIZES; i++) {
        flux[i] = e->flux[i + 1] / e->N;
    }
    return ng_moment_flow(flux, e->first, SIZES, q, mean_power(e, q), e->growth, e->first);
}

static double variance_flow(const ensemble *e)
{
    double flux[SIZES], mean = mean_power(e, 1), variance = 0.0;
    for (size_t i = 0; i < SIZES; i++) {
        double dn = e->first + (double)i - mean;
        flux[i] = e->flux[i + 1] / e->N;
        variance += dn * dn * e->rho[i] / e->N;
    }
    return ng_variance_flow(flux, e->first, SIZES, mean, variance, e->growth, e->first);
}

static void for_random_ensembles(void (*check)(const ensemble *e))
{
    static const double first[] = {1.0, 50.0};
    gsl_rng *rng = ng_random_open(29, 0);
    assert_non_null(rng);
    for (size_t i = 0; i < 2 * TRIALS; i++) {
        const ensemble e = random_ensemble(rng, first[i % 2]);
        check(&e);
    }
    ng_random_close(rng);
}

/* ---- against the master equation ------------------------------------------------------------- */

static void check_moments(const ensemble *e)
{
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        double scale, want = direct_flow(e, q, &scale);
        assert_close(flow(e, q), want, TOLERANCE * scale);
    }
}

static void moments_move_as_the_master_equation_says(void **state)
{
    (void)state;
    for_random_ensembles(check_moments);
}

/* Var' = <n^2>' - 2 <n> <n>'. */
static void check_variance(const ensemble *e)
{
    double scale_1, scale_2, mean = mean_power(e, 1);
    double first = direct_flow(e, 1, &scale_1), second = direct_flow(e, 2, &scale_2);
    assert_close(variance_flow(e), second - 2.0 * mean * first,
                 TOLERANCE * (scale_2 + 2.0 * mean * scale_1));
}

static void variance_moves_as_the_master_equation_says(void **state)
{
    (void)state;
    for_random_ensembles(check_variance);
}

/* ---- against the published forms, written with rates ----------------------------------------- */

/* <w j> = S <w(n) k^a> - <w(n-1) k^d>, and what dissolves out of the smallest size seen put back.
 */
static double mean_flow(const ensemble *e, double (*w)(double n, double at, int q), double at,
                        int q, double *scale)
{
    double sum = 0.0;
    *scale = 0.0;
    for (size_t i = 0; i < SIZES; i++) {
        double n = e->first + (double)i, p = e->rho[i] / e->N;
        /* the largest size does not grow here */
        double up = i + 1 < SIZES ? e->supersaturation * w(n, at, q) * e->attach[i] * p : 0.0;
        double down = w(n - 1.0, at, q) * e->detach[i] * p;
        sum += up - down;
        *scale += fabs(up) + fabs(down);
    }
    return sum + w(e->first - 1.0, at, q) * e->detach[0] * e->rho[0] / e->N;
}

static double step_of_square(double n, double mean, int q)
{
    (void)q;
    return 2.0 * (n - mean) + 1.0;
}

static double step_of_power(double n, double at, int q)
{
    (void)at;
    return gsl_pow_int(n + 1.0, q) - gsl_pow_int(n, q) - 1.0;
}

static double one(double n, double at, int q)
{
    (void)n;
    (void)at;
    (void)q;
    return 1.0;
}

/* d<n>/dt = <j> + (m - <n>) g */
static void check_mean_form(const ensemble *e)
{
    double scale, mean = mean_power(e, 1);
    double want = mean_flow(e, one, 0.0, 1, &scale) + (e->first - mean) * e->growth;
    assert_close(flow(e, 1), want, TOLERANCE * (scale + mean * fabs(e->growth)));
}

/* Var' = S <(2dn+1) k^a> - <(2dn-1) k^d> + g [(<n>-m)^2 - Var] (+ (2(m-<n>)-1) k_m^d p_m) */
static void check_variance_form(const ensemble *e)
{
    double scale, mean = mean_power(e, 1), entry = gsl_pow_2(mean - e->first);
    double variance = mean_power(e, 2) - mean * mean;
    double want = mean_flow(e, step_of_square, mean, 2, &scale) + e->growth * (entry - variance);
    assert_close(variance_flow(e), want,
                 TOLERANCE * (scale + fabs(e->growth) * (entry + mean_power(e, 2))));
}

/* R_q = <n^q>/<n>, M = N <n>: d[M (R_q - 1)]/dt = M <((n+1)^q - n^q - 1) j>/<n> + N g (m^q - m) */
static void check_ratio_form(const ensemble *e)
{
    for (int q = 2; q <= NG_MOMENT_MAX; q++) {
        double scale, found, want, entry = gsl_pow_int(e->first, q) - e->first;
        want = e->N * (mean_flow(e, step_of_power, 0.0, q, &scale) + e->growth * entry);
        found = e->N * (flow(e, q) + e->growth * mean_power(e, q)) -
                e->N * (flow(e, 1) + e->growth * mean_power(e, 1));
        /* powers are subtracted: n^q of the terms, not q n^(q-1), is what is rounded */
        scale += fabs(e->growth) * mean_power(e, q);
        assert_close(found, want, TOLERANCE * e->N * scale);
    }
}

static void the_published_forms_say_the_same(void **state)
{
    (void)state;
    for_random_ensembles(check_mean_form);
    for_random_ensembles(check_variance_form);
    for_random_ensembles(check_ratio_form);
}

/* ---- special cases --------------------------------------------------------------------------- */

/* Particles that only enter: the moments move towards those of the smallest size, <w>' = g (w(m) -
 * <w>), also where no size is given at all. */
static void entrants_alone(void **state)
{
    (void)state;
    assert_close(ng_moment_flow(NULL, 50.0, 0, 3, 1e6, 0.25, 50.0), 0.25 * (125000.0 - 1e6), 1e-9);
    assert_close(ng_variance_flow(NULL, 50.0, 0, 70.0, 90.0, 0.25, 50.0), 0.25 * (400.0 - 90.0),
                 1e-12);
}

/* One flux at one size, by hand: (n+1)^q - n^q of it. */
static void one_step(void **state)
{
    (void)state;
    const double flux = 0.5;
    assert_close(ng_moment_flow(&flux, 9.0, 1, 2, 0.0, 0.0, 1.0), 0.5 * 19.0, 0.0);
    assert_close(ng_moment_flow(&flux, 9.0, 1, 3, 0.0, 0.0, 1.0), 0.5 * 271.0, 0.0);
    assert_close(ng_variance_flow(&flux, 9.0, 1, 4.0, 0.0, 0.0, 1.0), 0.5 * 11.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_move_as_the_master_equation_says),
        cmocka_unit_test(variance_moves_as_the_master_equation_says),
        cmocka_unit_test(the_published_forms_say_the_same),
        cmocka_unit_test(entrants_alone),
        cmocka_unit_test(one_step),
    };
    return cmocka_run_group_tests_name("moment flow", tests, NULL, NULL);
}
