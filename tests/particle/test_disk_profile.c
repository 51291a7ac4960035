/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/detect.h>

#include "particle/detect_internal.h"
#include "test_support.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>

/* The definition: a Gaussian integrated over the disk, in polar coordinates about the disk's
 * centre; the angle gives the Bessel function. */
static double density(double t, void *parameter)
{
    const double P = *(double *)parameter;
    return t * exp(-0.5 * (t - P) * (t - P)) * gsl_sf_bessel_I0_scaled(t * P);
}

static double by_quadrature(double P, double R)
{
    gsl_integration_workspace *work = gsl_integration_workspace_alloc(2000);
    gsl_function f = {density, &P};
    double points[3] = {0.0, P < R ? P : 0.5 * R, R}, value, error;
    gsl_integration_qagp(&f, points, 3, 1e-14, 1e-12, 2000, work, &value, &error);
    gsl_integration_workspace_free(work);
    return value;
}

/* 1e-12 is the accuracy that the header promises. */
static void test_quadrature(void **state)
{
    (void)state;
    static const double value[] = {0.0, 0.3, 1.0, 2.0, 3.3, 5.0, 12.0, 40.0};
    for (size_t i = 0; i < 8; i++) {
        for (size_t k = 1; k < 8; k++) {
            assert_close(ng_disk_profile(value[i], value[k]), by_quadrature(value[i], value[k]),
                         1e-12);
        }
    }
}

/* Closed forms: D(0, R) = 1 - exp(-R^2/2); D(R, R) = (1 - exp(-R^2) I_0(R^2))/2; far out a straight
 * edge, whose error is 1/(2R) times the Gaussian's slope. */
static void test_closed_forms(void **state)
{
    (void)state;
    for (double R = 0.1; R < 15.0; R *= 1.4) {
        assert_close(ng_disk_profile(0.0, R), 1.0 - exp(-0.5 * R * R), 1e-12);
        assert_close(ng_disk_profile(R, R), 0.5 * (1.0 - gsl_sf_bessel_I0_scaled(R * R)), 1e-12);
    }
    for (double u = -3.0; u <= 3.0; u += 0.5) {
        assert_close(ng_disk_profile(1e4 + u, 1e4), 0.5 * erfc(u / sqrt(2.0)), 3e-5);
    }
    assert_close(ng_disk_profile(1.0, 1e6), 1.0, 0.0);
    assert_close(ng_disk_profile(1e6, 1.0), 0.0, 0.0);
    assert_close(ng_disk_profile(3.0, 0.0), 0.0, 0.0);
}

/* Against central differences of step 1e-4: their error is 1e-8/6 times a third derivative below 1,
 * and 1e-12 over the step. */
static void test_slopes(void **state)
{
    (void)state;
    const double h = 1e-4;
    for (double R = 0.6; R < 700.0; R *= 2.3) {
        for (double u = -2.0; u < 3.0; u += 0.7) {
            const double P = fmax(R + u, 0.2);
            double by_P, by_R;
            ng_disk_slopes(P, R, &by_P, &by_R);
            assert_close(by_P, (ng_disk_profile(P + h, R) - ng_disk_profile(P - h, R)) / (2 * h),
                         2e-8);
            assert_close(by_R, (ng_disk_profile(P, R + h) - ng_disk_profile(P, R - h)) / (2 * h),
                         2e-8);
        }
    }
}

/* The table's promise: 1e-4 for D, 2e-4 for the slopes. */
static void test_table(void **state)
{
    (void)state;
    ng_disk_table *table = NULL;
    ng_disk_row row;
    assert_int_equal(ng_disk_table_create(&table, NULL), NG_OK);
    for (double R = 0.5; R < 2000.0; R *= 1.0371) {
        ng_disk_table_row(table, R, &row);
        for (double P = fmax(0.0, R - 6.0); P < R + 6.0; P += 0.0437) {
            assert_close(ng_disk_row_D(&row, P - R), ng_disk_profile(P, R), 1e-4);
        }
        for (size_t i = 0; i < NG_DISK_NODES; i += 7) {
            const double u = (double)i / NG_DISK_PER_UNIT - NG_DISK_REACH;
            double by_P, by_R;
            if (R + u >= 0.0) {
                ng_disk_slopes(R + u, R, &by_P, &by_R);
                assert_close((double)row.node[i][NG_DISK_BY_P], by_P, 2e-4);
                assert_close((double)row.node[i][NG_DISK_BY_R], by_R, 2e-4);
            }
        }
    }
    ng_disk_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quadrature),
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
