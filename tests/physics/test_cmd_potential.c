/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verb `nucgrow potential`, run as a program. */
#include <nucgrow/physics.h>

#include "reference_table.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>

/* Run with --json and read the result; *result is NULL where none is printed. */
static int call(const char *arguments, json_t **result)
{
    char command[2048];
    snprintf(command, sizeof command, "'%s' potential --json %s 2>/dev/null", NUCGROW_PROGRAM,
             arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    *result = json_loadf(pipe, 0, NULL);
    const int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static json_t *call_well(const char *arguments)
{
    json_t *result = NULL;
    assert_int_equal(call(arguments, &result), 0);
    assert_non_null(result);
    return result;
}

static void assert_fails(const char *arguments, int exit_code)
{
    json_t *result = NULL;
    assert_int_equal(call(arguments, &result), exit_code);
    assert_null(result);
}

static double number(const json_t *result, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(result, object), key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool warned(const json_t *result, const char *name)
{
    size_t i = 0;
    json_t *warning = NULL;
    json_array_foreach(json_object_get(result, "warnings"), i, warning) {
        if (strcmp(json_string_value(json_object_get(warning, "name")), name) == 0) {
            return true;
        }
    }
    return false;
}

static void platinum_by_default(void **state)
{
    (void)state;
    json_t *result = call_well("");
    assert_string_equal(json_string_value(json_object_get(result, "schema")),
                        "nucgrow/potential/1");
    assert_close(number(result, "maximum", "n"), 185, 0);
    assert_close(number(result, "maximum", "mu_kT"), 0.91387149641, 1e-10);
    assert_close(number(result, "maximum", "radius_nm"), 0.15567157440168947 * cbrt(185), 1e-14);
    assert_int_equal(json_array_size(json_object_get(result, "warnings")), 0);
    /* Without a supersaturation nothing that depends on one is in the result. */
    assert_null(json_object_get(result, "critical"));
    assert_null(json_object_get(json_object_get(result, "table"), "free_energy_kT"));
    json_decref(result);
}

static void table_is_the_library(void **state)
{
    (void)state;
    json_t *result = call_well("--material CdSe --supersaturation 1.2");
    const ng_material *m = ng_material_find("CdSe");
    const json_t *table = json_object_get(result, "table");
    assert_int_equal(json_array_size(json_object_get(table, "n")), 9951);
    const size_t i = 542;
    const double n = 50 + (double)i;
    const struct {
        const char *column;
        double value;
    } row[] = {
        {"n", n},
        {"radius_nm", ng_radius_from_monomers(n, m->sigma_s_nm)},
        {"mu_kT", ng_potential(&m->parameters, m->delta, n)},
        {"gibbs_thomson_kT", ng_potential_gibbs_thomson(&m->parameters, m->delta, n)},
        {"free_energy_kT", ng_free_energy(&m->parameters, m->delta, 1.2, n)},
        {"attachment_per_s", ng_attachment_rate(&m->parameters, m->delta, m->sigma_s_nm, n)},
        {"detachment_per_s", ng_detachment_rate(&m->parameters, m->delta, m->sigma_s_nm, n)},
    };
    for (size_t k = 0; k < LENGTH(row); k++) {
        const json_t *column = json_object_get(table, row[k].column);
        assert_close(json_number_value(json_array_get(column, i)), row[k].value, 0);
    }
    json_decref(result);
}

static void values_override_the_material(void **state)
{
    (void)state;
    json_t *gold = call_well("--material au --supersaturation 3");
    json_t *same = call_well("--density-per-nm3 59.0088 --delta 1.70 --eps-f 5.45 --eps-e -4.06 "
                             "--alpha4 8.72 --K 0.424 --kr 2.43 --supersaturation=3");
    static const char *const key[][2] = {{"maximum", "n"},          {"maximum", "mu_kT"},
                                         {"critical", "n_star"},    {"critical", "n_star2"},
                                         {"critical", "r_star_nm"}, {"critical", "r_star2_nm"}};
    for (size_t i = 0; i < LENGTH(key); i++) {
        /* The density is printed to four decimals. */
        const double value = number(gold, key[i][0], key[i][1]);
        assert_close(number(same, key[i][0], key[i][1]), value, 1e-6 * value);
    }
    assert_close(number(gold, "critical", "n_star"), 85.0278, 1e-3);
    json_decref(gold);
    json_decref(same);
}

static void regimes_and_warnings(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *regime, *warning;
        bool star, star2;
    } expected[] = {
        {"--supersaturation 2", "supersaturation", NULL, true, true},
        {"--supersaturation 2.6", "hypersaturation", "no-critical-size", false, false},
        {"--supersaturation 1.2", "supersaturation", "no-r-star", false, true},
        {"--supersaturation 0.5", "undersaturation", "no-r-star2", false, false},
    };
    for (size_t i = 0; i < LENGTH(expected); i++) {
        json_t *result = call_well(expected[i].arguments);
        const json_t *critical = json_object_get(result, "critical");
        assert_string_equal(json_string_value(json_object_get(critical, "regime")),
                            expected[i].regime);
        assert_int_equal(!isnan(number(result, "critical", "n_star")), expected[i].star);
        assert_int_equal(!isnan(number(result, "critical", "n_star2")), expected[i].star2);
        assert_true(expected[i].warning == NULL || warned(result, expected[i].warning));
        json_decref(result);
    }
}

static void small_sizes_are_flagged(void **state)
{
    (void)state;
    json_t *result = call_well("--n-min 1 --n-max 400");
    assert_true(warned(result, "below-50"));
    assert_close(number(result, "maximum", "n"), 185, 0);
    json_decref(result);
    result = call_well("--n-min 300");
    assert_true(warned(result, "no-maximum") && isnan(number(result, "maximum", "n")));
    json_decref(result);
}

static void long_tables_are_thinned(void **state)
{
    (void)state;
    json_t *result = call_well("--n-max 1000000");
    const json_t *n = json_object_get(json_object_get(result, "table"), "n");
    const size_t rows = json_array_size(n);
    assert_true(rows > 1000 && rows < 3000);
    assert_close(json_number_value(json_array_get(n, 0)), 50, 0);
    assert_close(json_number_value(json_array_get(n, rows - 1)), 1e6, 0);
    json_decref(result);
}

static void csv_holds_every_size(void **state)
{
    (void)state;
    char arguments[4200], line[1024];
    const char *path = test_output("potential.csv");
    snprintf(arguments, sizeof arguments, "--supersaturation 2 --n-max 100 --csv '%s'", path);
    json_decref(call_well(arguments));
    FILE *csv = fopen(path, "r");
    assert_non_null(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    assert_int_equal(line[0], '#');
    assert_non_null(fgets(line, sizeof line, csv));
    assert_string_equal(line, "n,radius_nm,mu_kT,gibbs_thomson_kT,free_energy_kT,"
                              "attachment_per_s,detachment_per_s\n");
    struct reference_row row;
    size_t rows = 0;
    const ng_material *m = ng_material_find("Pt");
    while (reference_next(csv, &row)) {
        assert_close(row.value[0], 50 + (double)rows, 0);
        /* 15 digits are written. */
        assert_close(row.value[2], ng_potential(&m->parameters, m->delta, row.value[0]), 1e-14);
        rows++;
    }
    fclose(csv);
    assert_int_equal(rows, 51);
    assert_fails(arguments, 2); /* it is not overwritten */
    unlink(path);
}

static void material_of_the_user(void **state)
{
    (void)state;
    char arguments[4200];
    const char *path = test_written("silver.yaml", "name: Ag\ndensity-per-nm3: 58.6\n");
    snprintf(arguments, sizeof arguments, "--material '%s'", path);
    assert_fails(arguments, 2); /* no parameters: there is nothing to show */
    snprintf(arguments, sizeof arguments,
             "--material '%s' --eps-f 4 --eps-e -2 --alpha4 7 --K 0.1 --kr 1", path);
    json_t *result = call_well(arguments);
    assert_close(number(result, "material", "density_per_nm3"), 58.6, 1e-12);
    json_decref(result);
    unlink(path);
}

static void wrong_usage(void **state)
{
    (void)state;
    assert_fails("--delta 3", 2);
    assert_fails("--kr -1", 2);
    assert_fails("--supersaturation 0", 2);
    assert_fails("--n-min 100 --n-max 100", 2);
    assert_fails("--sigma-nm 0.15 --density-per-nm3 63", 2);
    assert_fails("--material unobtainium", 2);
    assert_fails("--material ./absent.yaml", 3);
    assert_fails("extra.csv", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platinum_by_default),
        cmocka_unit_test(table_is_the_library),
        cmocka_unit_test(values_override_the_material),
        cmocka_unit_test(regimes_and_warnings),
        cmocka_unit_test(small_sizes_are_flagged),
        cmocka_unit_test(long_tables_are_thinned),
        cmocka_unit_test(csv_holds_every_size),
        cmocka_unit_test(material_of_the_user),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests_name("cmd_potential", tests, NULL, NULL);
}
