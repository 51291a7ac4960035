/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solve_test.h"

#include <math.h>

double *rows_of(const ng_size_range *sizes, size_law *law)
{
    const size_t count = ng_size_count(sizes);
    double *row = NG_NEW(double, count);
    assert_non_null(row);
    for (size_t i = 0; law != NULL && i < count; i++) {
        row[i] = law((double)sizes->n_min + (double)i);
    }
    return row;
}

double none(double n)
{
    (void)n;
    return 0;
}

double forty(double n)
{
    (void)n;
    return 40;
}

double twenty_five(double n)
{
    (void)n;
    return 25;
}

ng_master *master_from(const ng_master_options *o, size_law *attach, size_law *detach,
                       const ng_time_law *supersaturation, long start)
{
    ng_master *m = NULL;
    double *up = rows_of(&o->sizes, attach), *down = rows_of(&o->sizes, detach);
    double *density = rows_of(&o->sizes, NULL);
    density[start - o->sizes.n_min] = 1.0;
    REQUIRE(ng_master_create(o, &m, NULL, err));
    REQUIRE(ng_master_set_rates(m, 0, up, down, err));
    REQUIRE(ng_master_set_laws(m, 0, supersaturation, NULL, err));
    REQUIRE(ng_master_set_density(m, 0, density, err));
    ng_free(up);
    ng_free(down);
    ng_free(density);
    return m;
}

void platinum_rates(const ng_size_range *sizes, double **attach, double **detach)
{
    const ng_material *platinum = ng_material_find("Pt");
    *attach = rows_of(sizes, NULL);
    *detach = rows_of(sizes, NULL);
    REQUIRE(ng_size_rates(&platinum->parameters, platinum->delta, platinum->sigma_s_nm, sizes,
                          *attach, *detach, err));
}

double *gaussian(const ng_size_range *sizes, double mean, double sd)
{
    double *row = rows_of(sizes, NULL), sum = 0.0;
    const size_t count = ng_size_count(sizes);
    for (size_t i = 0; i < count; i++) {
        const double x = ((double)sizes->n_min + (double)i - mean) / sd;
        row[i] = exp(-0.5 * x * x);
        sum += row[i];
    }
    for (size_t i = 0; i < count; i++) {
        row[i] /= sum;
    }
    return row;
}
