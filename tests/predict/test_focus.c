/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where growth focuses, and the law at other temperatures. */
#include <nucgrow/predict.h>

#include "test_support.h"

#include <math.h>

static ng_growth_law platinum(void)
{
    const ng_material *m = ng_material_find("Pt");
    return (ng_growth_law){m->parameters, 1.76, m->sigma_s_nm};
}

/* v'(n) is half the difference of v two monomers apart: the rest is rounding of v, 1e-16 of about
 * 1e3 monomers a second. */
static void test_slope_is_the_difference_of_velocities(void **state)
{
    (void)state;
    const ng_growth_law law = platinum();
    for (double n = 60.0; n < 1e5; n *= 1.37) {
        for (double S = 0.5; S < 8.0; S *= 1.7) {
            const double above = ng_growth_velocity(&law, S, n + 1.0);
            const double below = ng_growth_velocity(&law, S, n - 1.0);
            assert_close(ng_growth_slope(&law, S, n), 0.5 * (above - below), 1e-11);
        }
    }
}

/* Against a derivative over a smaller step: where mu_n has no kink, the difference over two
 * monomers is off by v'''/6, of the order of v/n^3. */
static void test_slope_is_a_derivative(void **state)
{
    (void)state;
    const ng_growth_law law = platinum();
    for (double n = 300.5; n < 1e4; n *= 1.5) {
        const double h = 0.01 * n;
        const double wide =
            (ng_growth_velocity(&law, 2.0, n + h) - ng_growth_velocity(&law, 2.0, n - h)) /
            (2.0 * h);
        assert_close(ng_growth_slope(&law, 2.0, n), wide,
                     2e-3 * fabs(wide) + 1e-4 * fabs(ng_growth_velocity(&law, 2.0, n)) / n);
    }
}

/* At each limit the slope that it is about vanishes, and has the sign promised on either side. */
static void test_limits(void **state)
{
    (void)state;
    const ng_growth_law law = platinum();
    for (double n = 60.0; n < 2e4; n *= 1.3) {
        const ng_focus_limits limit = ng_growth_focus_limits(&law, n);
        const double S[3] = {limit.number, limit.radius, limit.relative};
        const double part[3] = {0.0, 2.0 / 3.0, 1.0};
        for (size_t k = 0; k < 3; k++) {
            for (int side = -1; isfinite(S[k]) && S[k] > 0.0 && side <= 1; side++) {
                const double level = S[k] * (1.0 + 0.1 * side);
                const double rest = ng_growth_slope(&law, level, n) -
                                    part[k] * ng_growth_velocity(&law, level, n) / n;
                if (side == 0) {
                    /* rounding of two terms of about 0.1/s */
                    assert_close(rest, 0.0, 1e-12);
                } else {
                    assert_true((rest < 0.0) == (k == 0 ? side < 0 : side > 0));
                }
            }
        }
    }
}

/* [Kim]: sizes focus in number only where mu_n rises, that is below its maximum. */
static void test_numbers_of_growing_particles_focus_below_the_maximum_only(void **state)
{
    (void)state;
    const ng_growth_law law = platinum();
    for (double n = 60.0; n < 5000.0; n += 7.0) {
        const double stop = exp(ng_potential(&law.parameters, law.delta, n));
        const bool focuses = ng_growth_focus_limits(&law, n).number > stop;
        if (n < 170.0) {
            assert_true(focuses);
        } else if (n > 200.0) {
            assert_false(focuses);
        }
    }
}

/* ---- temperature ------------------------------------------------------------------------- */

static void test_reference_temperature_changes_nothing(void **state)
{
    (void)state;
    const ng_growth_parameters p = ng_material_find("Pt")->parameters;
    const ng_temperature t = {350.0, 350.0, 0.3, -2.0, 50.0, 20.0, -30.0, 90.0};
    const ng_growth_parameters same = ng_temperature_parameters(&t, &p);
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        assert_true(ng_growth_parameter_get(&same, i) == ng_growth_parameter_get(&p, i));
    }
    assert_true(ng_temperature_solubility(&t) == 1.0);
    assert_true(ng_temperature_supply(&t) == 1.0);
}

/* (h - T s)/kT with h/kT0 = share e and -s/k = (1 - share) e; Arrhenius with R = 8.314 J/mol/K. */
static void test_temperature_split(void **state)
{
    (void)state;
    const ng_growth_parameters p = ng_material_find("Pt")->parameters;
    ng_temperature t = ng_temperature_defaults();
    t.T_K = 2.0 * t.reference_K;
    t.eps_f_share = 1.0;
    t.eps_e_share = 0.0;
    ng_growth_parameters hot = ng_temperature_parameters(&t, &p);
    assert_close(hot.eps_f, 0.5 * p.eps_f, 1e-15);
    assert_close(hot.eps_e, p.eps_e, 0.0);
    assert_close(hot.alpha4, p.alpha4, 0.0);
    assert_close(hot.kr, p.kr, 0.0);

    t.T_K = 310.0;
    t.reference_K = 300.0;
    t.attachment_kJ_per_mol = 40.0;
    t.diffusion_kJ_per_mol = 15.0;
    t.solution_kJ_per_mol = 25.0;
    t.supply_kJ_per_mol = 100.0;
    hot = ng_temperature_parameters(&t, &p);
    /* 1/300 - 1/310 = 1.0752688e-4/K, over R: 0.01293251 per kJ/mol; by hand, to 1e-6 of it */
    const double per_kJ = 0.01293251;
    assert_close(hot.kr / p.kr, exp(65.0 * per_kJ), 1e-5);
    assert_close(hot.K / p.K, exp(25.0 * per_kJ), 1e-5);
    assert_close(ng_temperature_solubility(&t), exp(25.0 * per_kJ), 1e-5);
    assert_close(ng_temperature_supply(&t), exp(100.0 * per_kJ), 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slope_is_the_difference_of_velocities),
        cmocka_unit_test(test_slope_is_a_derivative),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_numbers_of_growing_particles_focus_below_the_maximum_only),
        cmocka_unit_test(test_reference_temperature_changes_nothing),
        cmocka_unit_test(test_temperature_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
