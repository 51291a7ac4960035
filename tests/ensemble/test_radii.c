/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intensities to radii, emitters from YAML, spectra to peaks. */
#include <nucgrow/radii.h>

#include "test_support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { TRACKS = 9, FRAMES = 40 };

/* Crystals of final radius 1.1, 1.2, ... 1.9 nm that are full-grown from the start. */
static ng_particles table_of(double scale)
{
    ng_particles p = {.item = NG_NEW(ng_particle, TRACKS * FRAMES), .n = TRACKS * FRAMES};
    assert_non_null(p.item);
    for (size_t i = 0; i < p.n; i++) {
        const double r = 1.1 + 0.1 * (double)(i / FRAMES);
        p.item[i] = ng_particle_unknown();
        p.item[i].track = (long)(i / FRAMES) + 1;
        p.item[i].frame = (long)(i % FRAMES);
        p.item[i].time_s = (double)(i % FRAMES);
        p.item[i].intensity = scale * r * r * r;
        p.item[i].intensity_se = 0.06 * p.item[i].intensity;
    }
    return p;
}

static void the_median_sets_the_scale(void **state)
{
    (void)state;
    ng_particles p = table_of(300);
    const ng_emitter *e = ng_emitter_find("FAPbBr3");
    const ng_reference_sizes known = {.mean_nm = 1.5, .median_nm = 1.5, .sd_nm = 0.27, .n = 50};
    ng_calibration c;
    ng_radii_counts counts;
    ng_warnings warnings = {0};
    assert_int_equal(ng_calibrate(e, &p, &known, &c, &warnings, NULL), NG_OK);
    assert_close(c.scale, 300, 1e-9);
    assert_int_equal(c.crystals, TRACKS);
    assert_close(c.final_sd_nm, 0.1 * sqrt(7.5), 1e-9); /* of 1 to 9 */
    assert_int_equal(warnings.n, 0);
    p.item[3].intensity = -5;
    p.item[4].intensity = 1e9;
    p.item[5].intensity = 1e-9;
    p.item[6].flag = NG_FLAG_SATURATED;
    ng_radius_flag flag[TRACKS * FRAMES];
    ng_radii_assign(e, &c, &p, flag, &counts, &warnings);
    assert_close(p.item[FRAMES].radius_nm, 1.2, 1e-12);
    assert_close(p.item[FRAMES].radius_se_nm, 1.2 * 0.06 / 3, 1e-12); /* dr/r = dI/(3 I) */
    assert_int_equal(flag[3], NG_RADIUS_NOT_POSITIVE);
    assert_int_equal(flag[4], NG_RADIUS_TOO_BRIGHT);
    assert_int_equal(p.item[4].flag, NG_FLAG_ABOVE_RANGE);
    assert_int_equal(p.item[6].flag, NG_FLAG_SATURATED);
    assert_int_equal(flag[5], NG_RADIUS_TOO_DIM);
    for (size_t i = 3; i < 7; i++) {
        assert_true(isnan(p.item[i].radius_nm)); /* never a clamp */
    }
    assert_int_equal(counts.saturated, 1);
    assert_int_equal(counts.flag[NG_RADIUS_OK], TRACKS * FRAMES - 4);
    assert_int_equal(warnings.n, 2);
    assert_string_equal(warnings.item[0].name, "radii-missing");
    assert_string_equal(warnings.item[1].name, "relation-assumed");
    json_t *result = ng_radii_json(e, &c, &counts);
    assert_non_null(result);
    json_decref(result);
    ng_warnings_free(&warnings);
    ng_particles_free(&p);
}

static void calibrations_that_cannot_be(void **state)
{
    (void)state;
    ng_particles p = table_of(300);
    const ng_emitter *e = ng_emitter_find("FAPbBr3");
    ng_reference_sizes known = {.mean_nm = 5, .median_nm = 5, .sd_nm = 0.5};
    ng_calibration c;
    ng_error err = {.message = ""};
    ng_warnings warnings = {0};
    assert_int_equal(ng_calibrate(e, &p, &known, &c, &warnings, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "outside 0.2 to 3 nm"));
    known.median_nm = known.mean_nm = 1.5;
    known.sd_nm = 0.01; /* the crystals spread far more */
    assert_int_equal(ng_calibrate(e, &p, &known, &c, &warnings, &err), NG_OK);
    assert_string_equal(warnings.item[0].name, "spread-differs");
    p.n = 4 * FRAMES;
    assert_int_equal(ng_calibrate(e, &p, &known, &c, &warnings, &err), NG_TOO_LITTLE);
    p.n = TRACKS * FRAMES;
    for (size_t i = 0; i < p.n; i++) {
        p.item[i].intensity = (double)NAN;
    }
    assert_int_equal(ng_calibrate(e, &p, &known, &c, &warnings, &err), NG_TOO_LITTLE);
    ng_reference_sizes sizes;
    assert_int_equal(ng_reference_from_particles(&p, &sizes, &err), NG_TOO_LITTLE);
    ng_warnings_free(&warnings);
    ng_particles_free(&p);
}

static ng_status read_text(const char *text, ng_emitter *out, ng_error *err)
{
    return ng_emitter_choose(test_written("emitter.yaml", text), out, err);
}

static void emitters_from_files(void **state)
{
    (void)state;
    ng_emitter e;
    ng_error err = {.message = ""};
    assert_int_equal(read_text("name: CsPbBr3\npeak-nm: [480, 500, 515]\nradius-nm: [1, 2, 4]\n"
                               "yield-radius-nm: [1, 4]\nyield: [0.2, 0.9]\nradius-max-nm: 4\n"
                               "radius-min-nm: 1\n",
                               &e, &err),
                     NG_OK);
    assert_string_equal(e.name, "CsPbBr3");
    assert_int_equal(e.sizing, NG_SIZING_TABLE);
    assert_close(ng_emitter_radius_of_peak_nm(&e, 500, NULL), 2, 1e-9);
    assert_close(e.excitation_nm, 488, 0); /* as the built-in one */
    json_t *block = ng_emitter_json(&e);
    assert_non_null(block);
    json_decref(block);
    assert_int_equal(
        read_text("name: X\npeak-nm: [500, 480, 515]\nradius-nm: [1, 2, 4]\n", &e, &err),
        NG_INVALID);
    assert_non_null(strstr(err.message, "must fall as the radius rises"));
    assert_int_equal(read_text("name: X\npeak-nm: [480, 500]\nradius-nm: [1, 2, 4]\n", &e, &err),
                     NG_INVALID);
    assert_int_equal(read_text("sizing: brus\n", &e, &err), NG_INVALID);
    assert_int_equal(read_text("name: X\nradius-nm: [a, b]\nenergy-eV: [1, 2]\n", &e, &err),
                     NG_INVALID);
    assert_int_equal(read_text("name: X\nbandgap: 3\n", &e, &err), NG_USAGE);
    assert_int_equal(ng_emitter_choose("CdSe", &e, &err), NG_USAGE);
    assert_int_equal(ng_emitter_choose("./nothing.yaml", &e, &err), NG_IO);
}

/* A normal line sampled each nm: the peak is found to a hundredth of a nm, the radius follows. */
static void spectra_to_radii(void **state)
{
    (void)state;
    ng_emitter e = *ng_emitter_find("FAPbBr3");
    ng_spectrum_peak *peak = NULL;
    size_t n = 0;
    ng_error err = {.message = ""};
    double rows[3 * 3 * 121];
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < 121; i++) {
            double *row = rows + 3 * (121 * t + i);
            const double centre = 500.3 + 10 * (double)t, d = 450 + (double)i - centre;
            row[0] = (double)t;
            row[1] = 450 + (double)i;
            row[2] = t == 2 ? -1 : 1000 * exp(-d * d / (2 * 9 * 9));
        }
    }
    assert_int_equal(ng_spectra_peaks(&e, rows, 363, &peak, &n, &err), NG_INVALID);
    e.sizing = NG_SIZING_BRUS;
    e.radius_max_nm = 6;
    assert_int_equal(ng_spectra_peaks(&e, rows, 363, &peak, &n, &err), NG_OK);
    assert_int_equal(n, 3);
    assert_close(peak[0].peak_nm, 500.3, 0.01);
    assert_close(peak[1].peak_nm, 510.3, 0.01);
    assert_close(peak[0].radius_nm, ng_brus_radius_nm(&e.brus, ng_photon_energy_eV(500.3)), 1e-3);
    assert_true(peak[1].radius_nm > peak[0].radius_nm);
    assert_true(isnan(peak[2].peak_nm) && isnan(peak[2].radius_nm)); /* no light */
    assert_int_equal(peak[2].flag, NG_RADIUS_NOT_POSITIVE);
    ng_free(peak);
    rows[3 * 121] = -1;
    assert_int_equal(ng_spectra_peaks(&e, rows, 363, &peak, &n, &err), NG_INVALID);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_sets_the_scale),
        cmocka_unit_test(calibrations_that_cannot_be),
        cmocka_unit_test(emitters_from_files),
        cmocka_unit_test(spectra_to_radii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
