/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transfer functions: closed forms, measured ones, and what does not fit a camera. */
#include "test_support.h"

#include <nucgrow/sim.h>

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

static void test_closed_form(void **state)
{
    (void)state;
    const ng_sim_optics optics = ng_sim_optics_defaults();
    const double cutoff = ng_sim_cutoff_per_um(&optics);
    /* The formula at arguments whose arc cosine is known; 1e-12 is rounding. */
    assert_close(cutoff, 2 * 1.45 / 0.52, 1e-12);
    assert_close(ng_sim_otf(&optics, 0), 1, 1e-12);
    assert_close(ng_sim_otf(&optics, 0.5 * cutoff), 2 / PI * (PI / 3 - 0.25 * sqrt(3)), 1e-12);
    assert_close(ng_sim_otf(&optics, sqrt(0.5) * cutoff), 2 / PI * (PI / 4 - 0.5), 1e-12);
    assert_true(ng_sim_otf(&optics, cutoff) == 0);
    assert_true(ng_sim_otf(&optics, 2 * cutoff) == 0);
}

static void test_damping_and_pixel(void **state)
{
    (void)state;
    ng_sim_optics optics = ng_sim_optics_defaults();
    const double k = 0.5 * ng_sim_cutoff_per_um(&optics), plain = ng_sim_otf(&optics, k);
    const double x = PI * k * 0.065;
    assert_close(ng_sim_transfer(&optics, k, 0), plain * sin(x) / x, 1e-12);
    optics.damping = 0.3;
    assert_close(ng_sim_otf(&optics, k), plain * sqrt(0.3), 1e-12);
}

static void test_measured_table(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_sim_otf_table table = {0};
    ng_sim_optics optics = ng_sim_optics_defaults();
    const char *path = test_written("otf.csv", "# beads\nk_per_um,otf\n0,1\n2,0.5\n5,0.1\n");
    assert_int_equal(ng_sim_otf_table_read(path, &table, &err), NG_OK);
    optics.measured = &table;
    assert_close(ng_sim_otf(&optics, 1), 0.75, 1e-12);
    assert_close(ng_sim_transfer(&optics, 0, 3.5), 0.3, 1e-12); /* the pixel is in it */
    assert_true(ng_sim_otf(&optics, 5.1) == 0);
    ng_sim_otf_table_free(&table);
}

static void test_bad_tables(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        ng_status status;
    } bad[] = {{"k_per_um,otf\n0,1\n2,x\n", ":3: two numbers", NG_FORMAT},
               {"0,1\n2,0.5\n2,0.4\n", ":3: k_per_um must rise", NG_INVALID},
               {"0,1\n2,1.5\n", "between 0 and 1", NG_INVALID},
               {"1,1\n2,0.5\n", "must begin at k_per_um = 0", NG_INVALID},
               {"nothing here\n", "no table", NG_FORMAT}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ng_error err = {0};
        ng_sim_otf_table table = {0};
        const char *path = test_written("bad-otf.csv", bad[i].text);
        assert_int_equal(ng_sim_otf_table_read(path, &table, &err), bad[i].status);
        assert_non_null(strstr(err.message, bad[i].message));
        assert_null(table.per_um);
    }
}

static void test_image_of_it(void **state)
{
    (void)state;
    enum { SIDE = 128 };
    ng_error err = {0};
    ng_sim_otf_table table = {0};
    ng_sim_optics optics = ng_sim_optics_defaults();
    float *pixel = NG_NEW(float, SIDE *SIDE);
    assert_non_null(pixel);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        const double x = ((double)(i % SIDE) - SIDE / 2) / SIDE / 0.065;
        const double y = ((double)(i / SIDE) - SIDE / 2) / SIDE / 0.065;
        pixel[i] = (float)(7 * ng_sim_otf(&optics, hypot(x, y)));
    }
    assert_int_equal(ng_sim_otf_table_from_image(pixel, SIDE, SIDE, 65, &table, &err), NG_OK);
    optics.measured = &table;
    /* Interpolation over rings 0.12 cycles/um wide rounds the tip: 0.01. */
    for (double k = 0.2; k < 5.4; k += 0.4) {
        const ng_sim_optics theory = ng_sim_optics_defaults();
        assert_close(ng_sim_otf(&optics, k), ng_sim_otf(&theory, k), 0.01);
    }
    ng_sim_otf_table_free(&table);
    pixel[SIDE / 2 * SIDE + SIDE / 2] = -1;
    assert_int_equal(ng_sim_otf_table_from_image(pixel, SIDE, SIDE, 65, &table, &err), NG_INVALID);
    ng_free(pixel);
}

static void test_cutoff_beyond_nyquist(void **state)
{
    (void)state;
    ng_error err = {0};
    ng_sim_optics optics = ng_sim_optics_defaults();
    optics.pixel_nm = 108;
    assert_int_equal(ng_sim_optics_check(&optics, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "check --na, --wavelength-nm and --pixel-nm"));
    optics.pixel_nm = 65;
    optics.na = 2;
    assert_int_equal(ng_sim_optics_check(&optics, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "na is 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_form),    cmocka_unit_test(test_damping_and_pixel),
        cmocka_unit_test(test_measured_table), cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_image_of_it),    cmocka_unit_test(test_cutoff_beyond_nyquist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
