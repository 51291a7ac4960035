/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/physics.h>

#include "reference_table.h"

#include <math.h>
#include <string.h>

static void published_rows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double sigma_nm, delta, value[NG_N_GROWTH_PARAMETERS];
    } row[] = {
        {"Pt", 0.15567157440168947, 1.76, {3.04, -1.35, 6.50, 0.171, 1.40}},
        {"Pt-ex-situ", 0.15567157440168947, 1.73, {3.46, -3.07, 7.13, 0.0311, 0.0472}},
        {"Au", 0.1593424666799769, 1.70, {5.45, -4.06, 8.72, 0.424, 2.43}},
        {"iron-oxide", 0.35, 1.67, {2.08, -3.17, 4.06, 0.0645, 3.98e-3}},
        {"CdSe", 0.25, 1.70, {1.24, -1.66, 4.17, 0.0503, 7.68e-3}},
    };
    assert_int_equal(ng_material_count(), LENGTH(row));
    for (size_t i = 0; i < LENGTH(row); i++) {
        const ng_material *m = ng_material_find(row[i].name);
        assert_ptr_equal(m, ng_material_at(i));
        assert_close(m->sigma_s_nm, row[i].sigma_nm, 0);
        assert_close(m->delta, row[i].delta, 0);
        for (size_t k = 0; k < NG_N_GROWTH_PARAMETERS; k++) {
            assert_close(ng_growth_parameter_get(&m->parameters, k), row[i].value[k], 0);
        }
        assert_true(m->published && m->parameters_given && strlen(m->source) > 0);
        assert_true(strlen(m->source) + 1 < sizeof m->source);
    }
}

static void found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(ng_material_find("pt"), ng_material_at(0));
    assert_ptr_equal(ng_material_find("CDSE"), ng_material_at(4));
    assert_null(ng_material_find("Pt-ex"));
    assert_null(ng_material_find("Pt-ex-situ2"));
    assert_null(ng_material_find(""));
    assert_null(ng_material_find(NULL));
    assert_null(ng_material_at(5));
}

static void parameters_by_index(void **state)
{
    (void)state;
    const ng_parameter_info *info = ng_growth_parameter_info();
    static const char *const name[] = {"eps_f", "eps_e", "alpha4", "K", "kr"};
    ng_growth_parameters p = {0, 0, 0, 0, 0};
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        assert_string_equal(info[i].name, name[i]);
        ng_growth_parameter_set(&p, i, 1 + (double)i);
        assert_close(ng_growth_parameter_get(&p, i), 1 + (double)i, 0);
        assert_true(info[i].min < info[i].max && (!info[i].logarithmic || info[i].min > 0));
    }
    assert_true(p.eps_f == 1 && p.eps_e == 2 && p.alpha4 == 3 && p.K == 4 && p.kr == 5);
    ng_growth_parameter_set(&p, 5, 9);
    assert_true(isnan(ng_growth_parameter_get(&p, 5)) && p.kr == 5);
}

/* Every built-in row lies inside the bounds of a fit, so that it can start one. */
static void rows_lie_inside_the_bounds(void **state)
{
    (void)state;
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < ng_material_count(); i++) {
        for (size_t k = 0; k < NG_N_GROWTH_PARAMETERS; k++) {
            const double x = ng_growth_parameter_get(&ng_material_at(i)->parameters, k);
            assert_true(info[k].min < x && x < info[k].max);
        }
    }
}

static void sizes(void **state)
{
    (void)state;
    /* Number densities of the crystals, printed to four decimals: 1e-6 of their value. */
    assert_close(ng_sigma_from_density(63.2825), 0.15567157440168947, 5e-8);
    assert_close(ng_sigma_from_density(59.0088), 0.1593424666799769, 5e-8);
    assert_close(ng_density_from_sigma(0.15567157440168947), 63.2825, 5e-5);
    assert_close(ng_density_from_sigma(ng_sigma_from_density(63.2825)), 63.2825, 1e-13);
    assert_close(ng_monomers_from_radius(1.5567157440168947, 0.15567157440168947), 1000, 1e-12);
    assert_close(ng_radius_from_monomers(27, 0.2), 0.6, 2e-16);
    assert_true(ng_monomers_from_radius(0, 0.2) == 0 && ng_radius_from_monomers(0, 0.2) == 0);
    assert_true(isnan(ng_sigma_from_density(0)) && isnan(ng_sigma_from_density(-1)));
    assert_true(isnan(ng_sigma_from_density((double)INFINITY)));
    assert_true(isnan(ng_density_from_sigma(0)) && isnan(ng_density_from_sigma((double)NAN)));
    assert_true(isnan(ng_monomers_from_radius(-1, 0.2)) && isnan(ng_monomers_from_radius(1, 0)));
    assert_true(isnan(ng_radius_from_monomers(-1, 0.2)) && isnan(ng_radius_from_monomers(1, -1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_rows),        cmocka_unit_test(found_by_name),
        cmocka_unit_test(parameters_by_index),   cmocka_unit_test(rows_lie_inside_the_bounds),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("material", tests, NULL, NULL);
}
