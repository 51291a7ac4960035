/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closed forms against integrals of the rates they come from, and their limits. */
#include <nucgrow/crystal.h>

#include "test_support.h"

#include <gsl/gsl_integration.h>
#include <math.h>

/* The closed forms must hold to 1e-10; the integrals below carry about 1e-12. */
#define CLOSED 1e-10

static double integral(double (*f)(double, void *), void *context, double from, double to)
{
    gsl_integration_workspace *w = gsl_integration_workspace_alloc(400);
    gsl_function function = {f, context};
    double value, error;
    assert_int_equal(gsl_integration_qag(&function, from, to, 0, 1e-12, 400, GSL_INTEG_GAUSS61, w,
                                         &value, &error),
                     0);
    gsl_integration_workspace_free(w);
    return value;
}

/* ---- Avrami ---- */

static void avrami_of_a_growing_sphere(void **state)
{
    (void)state;
    /* nuclei at rate I, spheres of radius v t: the extended volume is pi I v^3 t^4/3 */
    const double I = 0.02, v = 0.3, K = pow(M_PI * I * v * v * v / 3, 0.25);
    for (double t = 0.5; t < 40; t += 0.5) {
        const double expected = 1 - exp(-M_PI * I * v * v * v * t * t * t * t / 3);
        assert_close(ng_avrami_fraction(K, 4, t), expected, 1e-14);
    }
    assert_close(ng_avrami_fraction(2, 1.5, -1), 0, 0);
    assert_close(ng_avrami_fraction(1e-3, 1.5, 1e-6), pow(1e-9, 1.5), 1e-27); /* not lost to 1 */
    assert_true(isnan(ng_avrami_fraction(-1, 2, 1)));
}

static void avrami_time_is_the_reverse(void **state)
{
    (void)state;
    for (double n = 0.5; n <= 4; n += 0.5) {
        for (double f = 0.01; f < 1; f += 0.07) {
            const double t = ng_avrami_time(0.2, n, f);
            assert_close(ng_avrami_fraction(0.2, n, t), f, 1e-13);
        }
    }
    assert_true(isnan(ng_avrami_time(1, 2, 1)));
}

/* n = dimensions times (1: interface, 1/2: diffusion), and one more while nuclei keep appearing. */
static void avrami_modes(void **state)
{
    (void)state;
    for (int i = 0; i < NG_N_AVRAMI_MODES; i++) {
        const ng_avrami_mode *m = &ng_avrami_modes()[i];
        const double exponent = m->growth[0] == 'd' ? 0.5 : 1;
        assert_close(m->saturated, exponent * m->dimensions, 0);
        assert_close(m->constant, m->saturated + 1, 0);
    }
}

/* ---- diffusion ---- */

static double slowness(double r, void *law)
{
    return 1 / ng_diffusion_rate(law, r);
}

static void diffusion_time_is_the_integral(void **state)
{
    (void)state;
    const double layer[] = {(double)INFINITY, 1e5, 20, 1, 0.1}, surface[] = {0, 0.05, 3};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 3; j++) {
            ng_diffusion_law law = {0.145, layer[i], surface[j], 0, 0};
            const double t = ng_diffusion_time(&law, 0.4, 2.3);
            assert_close(t / integral(slowness, &law, 0.4, 2.3), 1, CLOSED);
            assert_close(ng_diffusion_radius(&law, 0.4, t), 2.3, 2.3e-12);
            const double whole = ng_diffusion_time(&law, 0, 0.4);
            assert_close((whole + t) / ng_diffusion_time(&law, 0, 2.3), 1, 1e-13);
        }
    }
}

static void diffusion_limits(void **state)
{
    (void)state;
    const ng_diffusion_law plain = ng_diffusion_parabolic(0.145);
    assert_close(ng_diffusion_radius(&plain, 0.585, 3.8), sqrt(0.585 * 0.585 + 2 * 0.145 * 3.8),
                 1e-15);
    /* surface in charge: dr/dt = B/surface */
    ng_diffusion_law slow = {0.1, (double)INFINITY, 1e6, 0, 0};
    assert_close(ng_diffusion_rate(&slow, 1) / 1e-7, 1, 1e-5);
    /* at the critical radius the solubility equals the solution: no growth, shrinking below */
    const double r_star = 0.585, a = 0.3;
    ng_diffusion_law curved = {0.145, (double)INFINITY, 0, a, 1 / expm1(a / r_star)};
    assert_close(ng_diffusion_rate(&curved, r_star), 0, 1e-15);
    assert_true(ng_diffusion_rate(&curved, 0.5) < 0 && ng_diffusion_rate(&curved, 0.7) > 0);
    assert_true(isnan(ng_diffusion_time(&curved, 0.6, 0.7)));
    assert_true(isnan(ng_diffusion_time(&plain, 1, 0.5)));
    assert_true(isnan(ng_diffusion_rate(&plain, 0)));
}

/* ---- depletion ---- */

static double depletion_slowness(double x, void *s)
{
    return (x + *(double *)s) / (1 - x * x * x);
}

static void depletion_published_values(void **state)
{
    (void)state;
    /* four digits are printed */
    assert_close(ng_depletion_time(0.5, 0), 0.1318, 5e-5);
    assert_close(ng_depletion_time(0.8, 0), 0.4198, 5e-5);
    assert_close(ng_depletion_time(0.95, 0), 0.8795, 5e-5);
}

static void depletion_time_is_the_integral(void **state)
{
    (void)state;
    double surfaces[] = {0, 0.2, 4};
    for (size_t j = 0; j < 3; j++) {
        for (double x = 0.001; x < 0.9995; x += 0.0111) {
            const double exact = integral(depletion_slowness, &surfaces[j], 0, x);
            assert_close(ng_depletion_time(x, surfaces[j]) / exact, 1, CLOSED);
        }
    }
    /* the series meets the logarithms */
    const double below = ng_depletion_time(0.3 - 1e-9, 0.5),
                 above = ng_depletion_time(0.3 + 1e-9, 0.5);
    assert_close((above - below) / (2e-9 * 0.8 / (1 - 0.027)), 1, 1e-5);
}

static void depletion_size_is_the_reverse(void **state)
{
    (void)state;
    for (double s = 0; s < 3; s += 0.7) {
        for (double x = 1e-6; x < 0.9999; x = x < 0.01 ? 3 * x : x + 0.0137) {
            double slope, by_s, unused;
            const double tau = ng_depletion_time(x, s);
            assert_close(ng_depletion_size(tau, s, &slope, &by_s) / x, 1, 1e-12);
            const double h = 1e-6 * tau;
            const double numeric = (ng_depletion_size(tau + h, s, NULL, NULL) -
                                    ng_depletion_size(tau - h, s, NULL, NULL)) /
                                   (2 * h);
            /* a central difference of doubles at h = 1e-6 keeps about six digits */
            assert_close(slope / numeric, 1, 1e-5);
            /* a step in s must be small against x */
            const double other = ng_depletion_size(tau, s + 1e-4 * x, &unused, NULL);
            assert_close((other - x) / (1e-4 * x), by_s, 2e-4 * (1 + fabs(by_s)));
        }
    }
    assert_close(ng_depletion_size(0, 0, NULL, NULL), 0, 0);
    assert_close(ng_depletion_size(50, 0, NULL, NULL), 1, 1e-15);
    assert_true(isinf(ng_depletion_time(1, 0)));
    assert_true(isnan(ng_depletion_time(1.1, 0)));
}

/* ---- Sugimoto ---- */

struct sugimoto {
    double k, critical;
};

static double sugimoto_slowness(double r, void *context)
{
    const struct sugimoto *c = context;
    return 1 / ng_sugimoto_rate(c->k, c->critical, r);
}

static void sugimoto_closed_form(void **state)
{
    (void)state;
    struct sugimoto c = {0.4, 0.6};
    for (double r = 0.7; r < 4; r += 0.31) {
        const double t = ng_sugimoto_time(c.k, c.critical, 0.61, r);
        assert_close(t / integral(sugimoto_slowness, &c, 0.61, r), 1, CLOSED);
        assert_close(ng_sugimoto_radius(c.k, c.critical, 0.61, t), r, 1e-12 * r);
    }
    /* below r* crystals dissolve: time runs from large to small */
    assert_close(ng_sugimoto_time(c.k, c.critical, 0.5, 0.3) /
                     integral(sugimoto_slowness, &c, 0.5, 0.3),
                 1, CLOSED);
    assert_true(isnan(ng_sugimoto_time(c.k, c.critical, 0.5, 0.7)));
}

static void sugimoto_focuses_beyond_twice(void **state)
{
    (void)state;
    assert_close(ng_sugimoto_slope(0.4, 0.6, 1.2), 0, 1e-16);
    assert_true(ng_sugimoto_slope(0.4, 0.6, 1.199) > 0 && ng_sugimoto_slope(0.4, 0.6, 1.201) < 0);
    const double h = 1e-5;
    for (double r = 0.3; r < 3; r += 0.3) {
        const double numeric =
            (ng_sugimoto_rate(0.4, 0.6, r + h) - ng_sugimoto_rate(0.4, 0.6, r - h)) / (2 * h);
        assert_close(ng_sugimoto_slope(0.4, 0.6, r), numeric, 1e-7);
    }
}

/* ---- Gibbs ---- */

static void gibbs_energy(void **state)
{
    (void)state;
    const double sigma = 3.1, dGv = -10.6, r_star = ng_gibbs_critical_radius(sigma, dGv);
    assert_close(r_star, 2 * 3.1 / 10.6, 1e-15);
    const double barrier = ng_gibbs_barrier(sigma, r_star);
    assert_close(ng_gibbs_energy(sigma, dGv, r_star) / barrier, 1, 1e-14);
    for (double x = 0; x < 4; x += 0.1) {
        assert_close(ng_gibbs_energy(sigma, dGv, x * r_star) / barrier, ng_gibbs_ratio(x), 1e-12);
    }
    assert_true(isnan(ng_gibbs_critical_radius(1, 1)));
}

/* The C0 numbers of [Liu] hold together: 2 r* = 1.2 nm to 3 %, and r = 1.2 nm 3.8 s after r*. */
static void liu_numbers_cohere(void **state)
{
    (void)state;
    const ng_diffusion_law law = ng_diffusion_parabolic(0.289 / 2);
    assert_close(ng_diffusion_radius(&law, 0.585, 3.8), 1.2, 0.005);
    assert_close(2.0520 * 0.585, 1.2, 0.005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avrami_of_a_growing_sphere),
        cmocka_unit_test(avrami_time_is_the_reverse),
        cmocka_unit_test(avrami_modes),
        cmocka_unit_test(diffusion_time_is_the_integral),
        cmocka_unit_test(diffusion_limits),
        cmocka_unit_test(depletion_published_values),
        cmocka_unit_test(depletion_time_is_the_integral),
        cmocka_unit_test(depletion_size_is_the_reverse),
        cmocka_unit_test(sugimoto_closed_form),
        cmocka_unit_test(sugimoto_focuses_beyond_twice),
        cmocka_unit_test(gibbs_energy),
        cmocka_unit_test(liu_numbers_cohere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
