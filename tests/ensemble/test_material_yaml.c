/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/material.h>

#include "test_support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char whole[] = "# silver, made up\n"
                            "name: Ag\n"
                            "title: Silver nanocubes\n"
                            "sigma-nm: 0.1597\n"
                            "delta: 1.5\n"
                            "eps-f: 4.5\n"
                            "eps-e: -2.25\n"
                            "alpha4: 7\n"
                            "K: 0.2\n"
                            "kr: 0.05\n";

static void every_key(void **state)
{
    (void)state;
    ng_material m;
    ng_error err;
    const char *path = test_written("material.yaml", whole);
    assert_int_equal(ng_material_read(path, &m, &err), NG_OK);
    assert_string_equal(m.name, "Ag");
    assert_string_equal(m.title, "Silver nanocubes");
    assert_true(m.sigma_s_nm == 0.1597 && m.delta == 1.5);
    assert_true(m.parameters.eps_f == 4.5 && m.parameters.eps_e == -2.25);
    assert_true(m.parameters.alpha4 == 7 && m.parameters.K == 0.2 && m.parameters.kr == 0.05);
    assert_true(m.parameters_given && !m.published);
    assert_int_equal(strncmp(m.source, path, sizeof m.source - 1), 0);
    unlink(path);
}

static void size_alone(void **state)
{
    (void)state;
    ng_material m;
    const char *path = test_written("material.yaml", "name: Ag\ndensity-per-nm3: 58.6\n");
    assert_int_equal(ng_material_choose(path, &m, NULL), NG_OK);
    assert_string_equal(m.title, "Ag");
    assert_close(m.sigma_s_nm, ng_sigma_from_density(58.6), 0);
    assert_true(!m.parameters_given && m.delta == 1.7);
    /* A fit can start from what fills the gap. */
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        const double x = ng_growth_parameter_get(&m.parameters, i);
        assert_true(info[i].min < x && x < info[i].max);
    }
    unlink(path);
}

/* What is wrong, and a word of the message that tells it. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"sigma-nm: 0.16\n", "name"},
        {"name: ''\nsigma-nm: 0.16\n", "name"},
        {"name: Ag\n", "both missing"},
        {"name: Ag\nsigma-nm: 0.16\ndensity-per-nm3: 58\n", "both given"},
        {"name: Ag\nsigma-nm: -0.16\n", "sigma-nm"},
        {"name: Ag\nsigma-nm: 0.16\ndelta: 3\n", "delta"},
        {"name: Ag\nsigma-nm: 0.16\neps-f: 3\n", "is missing"},
        {"name: Ag\nsigma: 0.16\n", "sigma"},
        {"name: a-name-that-is-much-longer-than-32-characters\nsigma-nm: 0.16\n", "characters"},
        {"- a\n- b\n", "material.yaml"},
        {"name: [\n", "material.yaml"},
        {"", "material.yaml"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ng_material m;
        ng_error err = {.status = NG_OK};
        const char *path = test_written("material.yaml", bad[i].text);
        const ng_status status = ng_material_read(path, &m, &err);
        unlink(path);
        assert_int_not_equal(status, NG_OK);
        assert_non_null(strstr(err.message, bad[i].word));
        assert_true(m.name[0] == '\0' && m.sigma_s_nm == 0);
    }
}

static void chosen_by_name(void **state)
{
    (void)state;
    ng_material m;
    ng_error err;
    assert_int_equal(ng_material_choose("iron-OXIDE", &m, &err), NG_OK);
    assert_string_equal(m.name, "iron-oxide");
    assert_true(m.published);
    assert_int_equal(ng_material_choose("Ag", &m, &err), NG_USAGE);
    assert_non_null(strstr(err.message, "Pt, Pt-ex-situ, Au, iron-oxide, CdSe"));
    assert_int_equal(ng_material_choose("./absent.yaml", &m, &err), NG_IO);
}

static void json_block(void **state)
{
    (void)state;
    json_t *block = ng_material_json(ng_material_find("Pt"));
    assert_string_equal(json_string_value(json_object_get(block, "name")), "Pt");
    assert_string_equal(json_string_value(json_object_get(block, "title")), "Platinum, in situ");
    assert_close(json_number_value(json_object_get(block, "density_per_nm3")), 63.2825, 5e-5);
    json_decref(block);
}

/* Whichever allocation fails, the call says so and leaves nothing behind. */
static void memory_runs_out(void **state)
{
    (void)state;
    const char *path = test_written("material.yaml", whole);
    ng_status status = NG_MEMORY;
    size_t k = 1;
    for (; status != NG_OK && k < 1000; k++) {
        ng_material m;
        ng_alloc_fail_after(k);
        status = ng_material_read(path, &m, NULL);
        assert_true(status == NG_OK || status == NG_MEMORY);
        assert_true(status == NG_OK || m.name[0] == '\0');
    }
    ng_alloc_fail_after(0);
    assert_true(k > 3 && k < 1000);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),      cmocka_unit_test(size_alone),
        cmocka_unit_test(refused),        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(chosen_by_name), cmocka_unit_test(json_block),
    };
    return cmocka_run_group_tests_name("material_yaml", tests, NULL, NULL);
}
