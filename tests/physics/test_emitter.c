/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/emitter.h>

#include "test_support.h"

#include <math.h>
#include <string.h>

static ng_emitter emitter(ng_sizing sizing)
{
    const ng_emitter *found = ng_emitter_find("fapbbr3");
    assert_non_null(found);
    ng_emitter e = *found;
    e.sizing = sizing;
    return e;
}

static void brus_numbers(void **state)
{
    (void)state;
    const ng_brus b = {2.233, 0.115, 8.42};
    /* the rounded constants of the text: 0.3760 and 2.572, four digits */
    for (double r = 0.5; r < 20; r += 0.5) {
        const double text = 2.233 + 0.3760 / (0.115 * r * r) - 2.572 / (8.42 * r);
        assert_close(ng_brus_energy_eV(&b, r) - 2.233, text - 2.233, 1e-4 / (0.115 * r * r));
        assert_close(ng_brus_radius_nm(&b, ng_brus_energy_eV(&b, r)), r, 1e-10 * r);
    }
    /* emission at 500 and 520 nm belongs to 3.07 and 3.75 nm: not to the 1.5 nm that are claimed */
    assert_close(ng_brus_radius_nm(&b, ng_photon_energy_eV(500)), 3.07, 0.005);
    assert_close(ng_brus_radius_nm(&b, ng_photon_energy_eV(520)), 3.75, 0.005);
    assert_close(ng_photon_energy_eV(488), 2.54, 0.001);
    assert_true(isnan(ng_brus_radius_nm(&b, 1.0)));
    const double turn = ng_brus_turn_nm(&b);
    assert_true(ng_brus_energy_eV(&b, turn) < ng_brus_energy_eV(&b, turn * 1.01));
    assert_true(ng_brus_energy_eV(&b, turn) < ng_brus_energy_eV(&b, turn * 0.99));
}

static void volume_goes_with_the_cube(void **state)
{
    (void)state;
    const ng_emitter e = emitter(NG_SIZING_VOLUME);
    const ng_emitter_range range = ng_emitter_find_range(&e);
    assert_true(range.monotone && range.dark_below_nm == 0);
    assert_close(range.from_nm, 0.2, 1e-12);
    assert_close(range.to_nm, 3.0, 0);
    assert_close(ng_emitter_power(&e, 1), 3, 0);
    ng_radius_flag flag;
    assert_close(ng_emitter_radius_nm(&e, &range, 1.5 * 1.5 * 1.5, &flag), 1.5, 1e-13);
    assert_int_equal(flag, NG_RADIUS_OK);
}

static void bad_intensities_are_flagged(void **state)
{
    (void)state;
    const ng_emitter e = emitter(NG_SIZING_VOLUME);
    const ng_emitter_range range = ng_emitter_find_range(&e);
    const struct {
        double light;
        ng_radius_flag flag;
    } cases[] = {{-1, NG_RADIUS_NOT_POSITIVE},
                 {0, NG_RADIUS_NOT_POSITIVE},
                 {(double)NAN, NG_RADIUS_NOT_POSITIVE},
                 {1e-6, NG_RADIUS_TOO_DIM},
                 {28, NG_RADIUS_TOO_BRIGHT},
                 {(double)INFINITY, NG_RADIUS_TOO_BRIGHT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ng_radius_flag flag;
        assert_true(isnan(ng_emitter_radius_nm(&e, &range, cases[i].light, &flag)));
        assert_int_equal(flag, cases[i].flag);
    }
}

/* By Brus with bulk numbers, light of 488 nm excites nothing below 2.80 nm: what [Liu] saw growing
 * to 1.5 nm would be dark. */
static void plain_brus_contradicts_the_paper(void **state)
{
    (void)state;
    ng_emitter e = emitter(NG_SIZING_BRUS);
    const ng_emitter_range range = ng_emitter_find_range(&e);
    assert_close(range.dark_below_nm, 2.80, 0.01);
    ng_radius_flag flag;
    const double r = ng_emitter_radius_nm(&e, &range, ng_emitter_brightness(&e, 2.5), &flag);
    assert_close(r, 2.5, 1e-11);
    assert_int_equal(flag, NG_RADIUS_DARK);
    (void)ng_emitter_radius_nm(&e, &range, ng_emitter_brightness(&e, 2.9), &flag);
    assert_int_equal(flag, NG_RADIUS_OK);
    assert_true(ng_emitter_power(&e, 2.5) > 3); /* the edge adds to the cube */
    e.edge_eV = 0;
    assert_true(ng_emitter_find_range(&e).from_nm >= range.dark_below_nm);
}

static ng_emitter with_table(void)
{
    ng_emitter e = emitter(NG_SIZING_TABLE);
    const double r[] = {0.4, 0.6, 0.9, 1.2, 1.6, 2.0}, peak[] = {480, 492, 502, 510, 517, 520};
    e.energy_eV.n = 6;
    for (size_t i = 0; i < 6; i++) {
        e.energy_eV.radius_nm[i] = r[i];
        e.energy_eV.value[i] = ng_photon_energy_eV(peak[i]);
    }
    return e;
}

static void sizing_table(void **state)
{
    (void)state;
    const ng_emitter e = with_table();
    assert_null(ng_emitter_fault(&e));
    assert_close(ng_emitter_radius_of_peak_nm(&e, 510, NULL), 1.2, 1e-9);
    double before = 10;
    for (double r = 0.4; r <= 2.0; r += 0.01) { /* monotone between the knots, and turned round */
        const double energy = ng_emitter_energy_eV(&e, r);
        assert_true(energy < before);
        before = energy;
        assert_close(ng_emitter_radius_of_peak_nm(&e, ng_photon_energy_eV(energy), NULL), r, 1e-8);
    }
    ng_radius_flag flag;
    assert_true(isnan(ng_emitter_radius_of_peak_nm(&e, 470, &flag)));
    assert_int_equal(flag, NG_RADIUS_TOO_DIM);
    assert_true(isnan(ng_emitter_radius_of_peak_nm(&e, 530, &flag)));
    assert_int_equal(flag, NG_RADIUS_TOO_BRIGHT);
}

/* Absorption, yield and filter by hand at one knot. */
static void every_factor_counts(void **state)
{
    (void)state;
    ng_emitter e = with_table();
    e.yield.n = 2;
    e.yield.radius_nm[0] = 0.5;
    e.yield.radius_nm[1] = 1.5;
    e.yield.value[0] = 0.2;
    e.yield.value[1] = 0.8;
    const double above = ng_photon_energy_eV(510) - ng_photon_energy_eV(488);
    const double sd = 20 / (2 * sqrt(2 * log(2)));
    const double band = 0.97 * 0.5 * (erf(38 / (sd * sqrt(2))) + erf(10 / (sd * sqrt(2))));
    const double expected =
        1.2 * 1.2 * 1.2 / (1 + exp(above / 0.03)) * ng_emitter_curve_value(&e.yield, 1.2) * band;
    assert_close(ng_emitter_brightness(&e, 1.2), expected, 1e-13);
    assert_close(ng_emitter_curve_value(&e.yield, 1.0), 0.5, 1e-15); /* two knots: a line */
    e.yield.value[1] = 1.2;
    assert_non_null(ng_emitter_fault(&e));
}

/* A yield that falls faster than the volume rises folds the relation: flagged, not clamped. */
static void a_fold_is_found(void **state)
{
    (void)state;
    ng_emitter e = emitter(NG_SIZING_VOLUME);
    e.yield.n = 3;
    const double r[] = {0.2, 1.5, 3.0}, y[] = {1, 0.9, 0.02};
    memcpy(e.yield.radius_nm, r, sizeof r);
    memcpy(e.yield.value, y, sizeof y);
    const ng_emitter_range range = ng_emitter_find_range(&e);
    assert_false(range.monotone);
    assert_true(range.to_nm > 1.5 && range.to_nm < 3.0);
    assert_true(fabs(ng_emitter_power(&e, range.to_nm)) < 0.02);
    ng_radius_flag flag;
    const double light = ng_emitter_brightness(&e, range.to_nm - 0.01);
    (void)ng_emitter_radius_nm(&e, &range, light, &flag);
    assert_int_equal(flag, NG_RADIUS_FLAT);
    assert_true(isnan(ng_emitter_radius_nm(&e, &range, 1.1 * range.brightest, &flag)));
    assert_int_equal(flag, NG_RADIUS_TOO_BRIGHT);
}

static void faults_are_named(void **state)
{
    (void)state;
    ng_emitter e = with_table();
    e.energy_eV.value[3] = e.energy_eV.value[2];
    assert_non_null(strstr(ng_emitter_fault(&e), "must fall"));
    e = emitter(NG_SIZING_BRUS);
    e.radius_max_nm = 30;
    assert_non_null(strstr(ng_emitter_fault(&e), "Brus"));
    e = emitter(NG_SIZING_TABLE);
    assert_non_null(ng_emitter_fault(&e));
    e = emitter(NG_SIZING_VOLUME);
    assert_null(ng_emitter_fault(&e));
    assert_null(ng_emitter_find("FAPbBr"));
    assert_null(ng_emitter_find("FAPbBr33"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brus_numbers),
        cmocka_unit_test(volume_goes_with_the_cube),
        cmocka_unit_test(bad_intensities_are_flagged),
        cmocka_unit_test(plain_brus_contradicts_the_paper),
        cmocka_unit_test(sizing_table),
        cmocka_unit_test(every_factor_counts),
        cmocka_unit_test(a_fold_is_found),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
