/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/physics.h>

#include "reference_table.h"

#include <math.h>
#include <string.h>

/* Rows of the reference tables by the names of our materials. */
static const ng_material *material_of(const char *row)
{
    static const char *const name[][2] = {
        {"Pt_insitu_acac", "Pt"}, {"Pt_insitu_COD", "Pt"},        {"Pt_exsitu", "Pt-ex-situ"},
        {"Au", "Au"},             {"Fe_oxide", "iron-oxide"}, {"CdSe", "CdSe"},
    };
    for (size_t i = 0; i < LENGTH(name); i++) {
        if (strcmp(row, name[i][0]) == 0) {
            return ng_material_find(name[i][1]);
        }
    }
    fail_msg("the reference has a row %s that no material matches", row);
    return NULL;
}

static void reference_potential(void **state)
{
    (void)state;
    FILE *table = reference_open("potential-table1.csv");
    struct reference_row row;
    double worst = 0;
    while (reference_next(table, &row)) {
        const ng_material *m = material_of(row.word[0]);
        const double mu = ng_potential(&m->parameters, row.value[1], row.value[2]);
        worst = worse(worst, mu - row.value[3]);
    }
    fclose(table);
    print_message("mu_n: error %.2g kT\n", worst);
    /* The table was made by plain subtraction and is itself off by up to 8e-11. */
    assert_true(worst > 0 && worst < 1e-10);
}

static void reference_maximum(void **state)
{
    (void)state;
    FILE *table = reference_open("potential-maximum.csv");
    struct reference_row row;
    size_t rows = 0;
    while (reference_next(table, &row)) {
        const ng_material *m = material_of(row.word[0]);
        const ng_potential_maximum maximum =
            ng_potential_find_maximum(&m->parameters, row.value[1], 50, 1e4);
        assert_true(maximum.found);
        assert_close(maximum.n, row.value[2], 0);
        /* The reference's heights come from plain differences: 8e-11. */
        assert_close(maximum.mu_kT, row.value[3], 1e-10);
        rows++;
    }
    fclose(table);
    assert_int_equal(rows, 6);
}

/* [Kim] Fig. 5, printed to two decimals from unrounded parameters. */
static void printed_maxima(void **state)
{
    (void)state;
    static const struct {
        const char *material;
        double n, mu_kT;
    } printed[] = {{"Pt", 186, 0.92},
                   {"Au", 266, 1.41},
                   {"iron-oxide", 678, 0.40},
                   {"CdSe", 592, 0.26},
                   {"Pt-ex-situ", 323, 0.85}};
    for (size_t i = 0; i < LENGTH(printed); i++) {
        const ng_material *m = ng_material_find(printed[i].material);
        const ng_potential_maximum maximum =
            ng_potential_find_maximum(&m->parameters, m->delta, 50, 1e4);
        assert_close(maximum.n, printed[i].n, 2);
        assert_close(maximum.mu_kT, printed[i].mu_kT, 0.01);
    }
}

static void large_particles_follow_gibbs_thomson(void **state)
{
    (void)state;
    for (size_t i = 0; i < ng_material_count(); i++) {
        const ng_material *m = ng_material_at(i);
        double before = 1e9;
        for (double n = 1e4; n <= 1e7; n *= 10) {
            const double limit = ng_potential_gibbs_thomson(&m->parameters, m->delta, n);
            const double deviation = fabs(ng_potential(&m->parameters, m->delta, n) / limit - 1);
            /* The next term is smaller by n^(-1/3). */
            assert_close(deviation / before, before < 1e9 ? cbrt(0.1) : 0, 0.05);
            before = deviation;
        }
        assert_true(before < 0.03);
    }
}

static void free_energy_is_the_sum_of_potentials(void **state)
{
    (void)state;
    const ng_material *m = ng_material_find("Au");
    const double supersaturation = 2.5;
    assert_true(ng_free_energy(&m->parameters, m->delta, supersaturation, 1) == 0);
    double worst = 0;
    for (double n = 1; n < 5000; n += 1) {
        const double gain = ng_free_energy(&m->parameters, m->delta, supersaturation, n + 1) -
                            ng_free_energy(&m->parameters, m->delta, supersaturation, n);
        const double mu = ng_potential(&m->parameters, m->delta, n);
        worst = worse(worst, gain - (mu - log(supersaturation)));
    }
    /* Free energies reach 1e4 kT: a difference keeps 1e-11. */
    assert_true(worst < 1e-10);
}

static void first_values(void **state)
{
    (void)state;
    const ng_growth_parameters p = {3, -2, 6, 0.1, 1};
    /* No sites before s = 1: only the logarithm is left. */
    assert_close(ng_potential(&p, 1.7, 1), -6 * log(2), 2e-15);
    assert_close(ng_potential(&p, 1.7, 3), -6 * log(4.0 / 3), 2e-15);
}

static void table_equals_single_values(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static double mu[COUNT];
    const ng_material *m = ng_material_find("Pt");
    ng_potential_table(&m->parameters, m->delta, 7, COUNT, mu);
    double worst = 0;
    for (size_t i = 0; i < COUNT; i++) {
        worst = worse(worst, mu[i] - ng_potential(&m->parameters, m->delta, 7 + (double)i));
    }
    assert_true(worst < 4e-14);
}

/* mu_n at a real size, by the straight line between integers. */
static double potential_between(const ng_material *m, double n)
{
    const double below = ng_potential(&m->parameters, m->delta, floor(n));
    const double above = ng_potential(&m->parameters, m->delta, floor(n) + 1);
    return below + (n - floor(n)) * (above - below);
}

static void critical_sizes_bracket_the_maximum(void **state)
{
    (void)state;
    for (size_t i = 0; i < ng_material_count(); i++) {
        const ng_material *m = ng_material_at(i);
        const ng_potential_maximum maximum =
            ng_potential_find_maximum(&m->parameters, m->delta, 50, 1e5);
        const double level = 0.8 * maximum.mu_kT;
        double n_star = 0, n_star2 = 0;
        ng_potential_critical_sizes(&m->parameters, m->delta, exp(level), 50, 1e5, &n_star,
                                    &n_star2);
        assert_true(50 < n_star && n_star < maximum.n && maximum.n < n_star2);
        assert_close(potential_between(m, n_star), level, 1e-13);
        assert_close(potential_between(m, n_star2), level, 1e-13);
    }
}

static void critical_sizes_by_regime(void **state)
{
    (void)state;
    const ng_material *m = ng_material_find("Pt");
    const ng_growth_parameters *p = &m->parameters;
    double n_star = 0, n_star2 = 0;
    /* Hypersaturation: no size is in balance. */
    ng_potential_critical_sizes(p, m->delta, exp(1.0), 50, 1e4, &n_star, &n_star2);
    assert_true(isnan(n_star) && isnan(n_star2));
    /* Undersaturation: large particles always shrink, the stable small size is left. */
    ng_potential_critical_sizes(p, m->delta, 0.9, 20, 1e4, &n_star, &n_star2);
    assert_true(n_star > 20 && n_star < 50 && isnan(n_star2));
    /* A falling potential (edges alone) has the unstable critical nucleus only. */
    const ng_growth_parameters falling = {0, 2, 0, 0.1, 1};
    ng_potential_critical_sizes(&falling, 1.5, exp(0.2), 50, 1e4, &n_star, &n_star2);
    assert_true(isnan(n_star) && n_star2 > 50);
    assert_true(!ng_potential_find_maximum(&falling, 1.5, 50, 1e4).found);
    /* A rising one has the stable size only. */
    const ng_growth_parameters rising = {0, 0, 10, 0.1, 1};
    ng_potential_critical_sizes(&rising, 1.5, exp(-0.05), 50, 1e4, &n_star, &n_star2);
    assert_close(-10 * log1p(1 / n_star), -0.05, 1e-6);
    assert_true(isnan(n_star2));
}

static void regimes(void **state)
{
    (void)state;
    const ng_potential_maximum maximum = {.found = true, .n = 185, .mu_kT = log(2.5)};
    const ng_potential_maximum none = {.found = false};
    assert_string_equal(ng_potential_regime(&maximum, 2.6), "hypersaturation");
    assert_string_equal(ng_potential_regime(&maximum, 2.4), "supersaturation");
    assert_string_equal(ng_potential_regime(&maximum, 1), "undersaturation");
    assert_string_equal(ng_potential_regime(&none, 9), "supersaturation");
}

static void maximum_inside_the_range_only(void **state)
{
    (void)state;
    const ng_material *m = ng_material_find("Pt");
    assert_true(!ng_potential_find_maximum(&m->parameters, m->delta, 50, 185).found);
    assert_true(!ng_potential_find_maximum(&m->parameters, m->delta, 185, 1e4).found);
    assert_close(ng_potential_find_maximum(&m->parameters, m->delta, 183.5, 186.9).n, 185, 0);
    /* From n = 1 the artefact of the face count wins: callers start at 50. */
    assert_close(ng_potential_find_maximum(&m->parameters, m->delta, 1, 1e4).n, 18, 0);
}

static void outside_the_domain(void **state)
{
    (void)state;
    const ng_growth_parameters *p = &ng_material_find("Pt")->parameters;
    const double nan_value = (double)NAN;
    double n_star = 0, n_star2 = 0, mu[2] = {0, 0};
    assert_true(isnan(ng_potential(p, 1.7, 0.5)) && isnan(ng_potential(p, 2.5, 100)));
    assert_true(isnan(ng_potential(p, nan_value, 100)) && isnan(ng_potential(p, 1.7, nan_value)));
    assert_true(isnan(ng_potential_gibbs_thomson(p, 0.5, 100)));
    assert_true(isnan(ng_potential_gibbs_thomson(p, 1.7, 0)));
    assert_true(isnan(ng_free_energy(p, 1.7, 0, 100)) && isnan(ng_free_energy(p, 1.7, -1, 100)));
    assert_true(isnan(ng_free_energy(p, 1.7, 2, 0)) && isnan(ng_free_energy(p, 3, 2, 100)));
    ng_potential_table(p, 1.7, -3, 2, mu);
    assert_true(isnan(mu[0]) && isnan(mu[1]));
    assert_true(!ng_potential_find_maximum(p, 2.5, 50, 1e4).found);
    assert_true(!ng_potential_find_maximum(p, 1.7, nan_value, 1e4).found);
    assert_true(!ng_potential_find_maximum(p, 1.7, 500, 50).found);
    ng_potential_critical_sizes(p, 1.7, 0, 50, 1e4, &n_star, &n_star2);
    assert_true(isnan(n_star) && isnan(n_star2));
    ng_potential_critical_sizes(p, 2.5, 2, 50, 1e4, &n_star, &n_star2);
    assert_true(isnan(n_star) && isnan(n_star2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_potential),
        cmocka_unit_test(reference_maximum),
        cmocka_unit_test(printed_maxima),
        cmocka_unit_test(large_particles_follow_gibbs_thomson),
        cmocka_unit_test(free_energy_is_the_sum_of_potentials),
        cmocka_unit_test(first_values),
        cmocka_unit_test(table_equals_single_values),
        cmocka_unit_test(critical_sizes_bracket_the_maximum),
        cmocka_unit_test(critical_sizes_by_regime),
        cmocka_unit_test(regimes),
        cmocka_unit_test(maximum_inside_the_range_only),
        cmocka_unit_test(outside_the_domain),
    };
    return cmocka_run_group_tests_name("potential", tests, NULL, NULL);
}
