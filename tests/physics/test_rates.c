/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/physics.h>

#include "reference_table.h"

#include <math.h>
#include <string.h>

static const ng_growth_parameters *parameters_of(const char *row)
{
    const char *name = strncmp(row, "Pt_insitu", 9) == 0 ? "Pt"
                       : strcmp(row, "Pt_exsitu") == 0   ? "Pt-ex-situ"
                       : strcmp(row, "Fe_oxide") == 0    ? "iron-oxide"
                                                         : row;
    const ng_material *m = ng_material_find(name);
    assert_non_null(m);
    return &m->parameters;
}

static void reference_rates(void **state)
{
    (void)state;
    FILE *table = reference_open("rates-table1.csv");
    struct reference_row row;
    double worst_up = 0, worst_down = 0;
    while (reference_next(table, &row)) {
        const ng_growth_parameters *p = parameters_of(row.word[0]);
        const double delta = row.value[1], sigma = row.value[2], n = row.value[3];
        worst_up = worse(worst_up, ng_attachment_rate(p, delta, sigma, n) / row.value[4] - 1);
        worst_down = worse(worst_down, ng_detachment_rate(p, delta, sigma, n) / row.value[5] - 1);
    }
    fclose(table);
    print_message("rates: relative error %.2g up, %.2g down\n", worst_up, worst_down);
    /* Detachment carries the error of the reference's mu_n. */
    assert_true(worst_up > 0 && worst_up < 1e-12);
    assert_true(worst_down > 0 && worst_down < 1e-10);
}

/* k_{n+1}^d = k_n^a rho exp(mu_n): what detaches from n+1 has the mu and the surface of n. */
static void detailed_balance(void **state)
{
    (void)state;
    const ng_material *m = ng_material_find("CdSe");
    const ng_growth_parameters *p = &m->parameters;
    for (double n = 1; n < 1000; n += 1) {
        const double up = ng_attachment_rate(p, m->delta, m->sigma_s_nm, n);
        const double down = ng_detachment_rate(p, m->delta, m->sigma_s_nm, n + 1);
        assert_close(log(down / up), ng_potential(p, m->delta, n), 1e-13);
    }
    assert_true(ng_detachment_rate(p, m->delta, m->sigma_s_nm, 1) == 0);
}

/* kr per surface of the particle while diffusion is fast, 4 pi sigma^2 f kr/K n^(1/3) while it
 * is slow. */
static void limits_of_attachment(void **state)
{
    (void)state;
    const double sigma = 0.2, f = ng_shape_surface_factor(1.5), n = 512;
    const ng_growth_parameters reaction = {3, -2, 6, 0, 2}, diffusion = {3, -2, 6, 1e9, 2};
    const double sphere = 4 * M_PI * sigma * sigma * f;
    assert_close(ng_attachment_rate(&reaction, 1.5, sigma, n) / (sphere * 2 * 64), 1, 1e-15);
    assert_close(ng_attachment_rate(&diffusion, 1.5, sigma, n) / (sphere * 2e-9 * 8), 1, 1e-9);
}

static void outside_the_domain(void **state)
{
    (void)state;
    const ng_growth_parameters *p = &ng_material_find("Pt")->parameters;
    assert_true(isnan(ng_attachment_rate(p, 1.7, 0.2, 0.5)));
    assert_true(isnan(ng_attachment_rate(p, 2.7, 0.2, 100)));
    assert_true(isnan(ng_attachment_rate(p, 1.7, 0, 100)));
    assert_true(isnan(ng_attachment_rate(p, 1.7, 0.2, (double)NAN)));
    assert_true(isnan(ng_detachment_rate(p, 1.7, 0.2, 0)));
    assert_true(isnan(ng_detachment_rate(p, 1.7, 0.2, 1.5)));
    assert_true(isnan(ng_detachment_rate(p, 0.7, 0.2, 100)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_rates),
        cmocka_unit_test(detailed_balance),
        cmocka_unit_test(limits_of_attachment),
        cmocka_unit_test(outside_the_domain),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
