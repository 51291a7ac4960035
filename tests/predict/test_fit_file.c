/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading fit-growth.json: what is taken, and what is said where something is wrong. */
#include "predict_test.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* The least that a fit must hold. */
static const char *const least =
    "{\"schema\": \"nucgrow/fit-growth/1\", \"estimator\": \"rate\", \"trusted\": true,"
    " \"level\": 0.95, \"material\": {\"name\": \"Pt\", \"sigma_s_nm\": 0.1557},"
    " \"parameters\": {\"eps_f\": {\"value\": 3}, \"eps_e\": {\"value\": -1.3},"
    "  \"alpha4\": {\"value\": 6.5}, \"K\": {\"value\": 0.17}, \"kr\": {\"value\": 1.4}},"
    " \"delta\": {\"mean\": 1.76}, \"potential\": {\"sampled_first_n\": 100,"
    "  \"sampled_last_n\": 3000},"
    " \"series\": {\"time_s\": [0, 1, 2], \"supersaturation\": [3, 2.5, 2],"
    "  \"particles\": [1, 1, 1], \"mean_n\": [300, 310, 320], \"var_n\": [0, 0, 0]},"
    " \"bootstrap\": {\"parameters\": {\"eps_f\": [3, 3.1], \"eps_e\": [-1, -1.4],"
    "  \"alpha4\": [6, 7], \"K\": [0.1, 0.2], \"kr\": [1.3, 1.5]}},"
    " \"ensemble\": {\"settings\": {\"preset\": \"default\", \"smooth\": true,"
    "  \"cutoff_per_frame\": 0.04846, \"max_gap_frames\": 3},"
    "  \"tracks\": {\"source\": [\"a.csv\"], \"frame_s\": 1.0, \"pixel_nm\": null,"
    "   \"ex_situ\": false, \"track\": [{\"id\": 1, \"source\": 0, \"frame\": [0, 1, 2],"
    "   \"time_s\": [0, 1, 2], \"radius_nm\": [1.0, 1.01, 1.02]}]}}}";

static ng_status parse(const char *text, ng_error *err)
{
    ng_fit_file fit;
    ng_status status = ng_fit_file_parse(text, strlen(text), "fit.json", &fit, err);
    ng_fit_file_free(&fit);
    return status;
}

static void test_what_is_read(void **state)
{
    (void)state;
    ng_fit_file fit;
    REQUIRE(ng_fit_file_parse(least, strlen(least), "fit.json", &fit, err));
    assert_string_equal(fit.estimator, "rate");
    assert_true(fit.trusted);
    assert_true(fit.best.eps_e == -1.3 && fit.best.kr == 1.4 && fit.delta == 1.76);
    assert_int_equal(fit.n_replicates, 2);
    assert_true(fit.replicate[1].alpha4 == 7 && fit.replicate[0].K == 0.1);
    assert_true(fit.replicate_delta[1] == 1.76); /* none in the file: that of the estimate */
    assert_int_equal(fit.n_times, 3);
    assert_true(fit.supersaturation[1] == 2.5 && fit.mean_n[2] == 320);
    assert_int_equal(fit.tracks.n_points, 3);
    assert_true(fit.settings.smooth && fit.settings.max_gap == 3 && !fit.settings.published);
    ng_fit_file_free(&fit);
}

/* ---- what is wrong ------------------------------------------------------------------------ */

/* `least` with its first `from` replaced. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(least, from);
    assert_non_null(at);
    return ng_text_format("%.*s%s%s", (int)(at - least), least, to, at + strlen(from));
}

static void expect(const char *from, const char *to, ng_status wanted, const char *words)
{
    char *text = changed(from, to);
    ng_error err = {.message = ""};
    const ng_status status = parse(text, &err);
    if (status != wanted || strstr(err.message, words) == NULL) {
        fail_msg("%s -> %s: %s: '%s' does not say '%s'", from, to, ng_status_name(status),
                 err.message, words);
    }
    /* one sentence that names the file */
    assert_true(strncmp(err.message, "fit.json", 8) == 0);
    ng_free(text);
}

static void test_other_schemas(void **state)
{
    (void)state;
    expect("fit-growth/1", "fit-growth/2", NG_FORMAT, "nucgrow/fit-growth/2");
    expect("fit-growth/1", "ensemble/1", NG_FORMAT, "is needed (nucgrow/fit-growth/1)");
    expect("\"schema\"", "\"scheme\"", NG_FORMAT, "\"schema\" is missing");
    expect("\"nucgrow/fit-growth/1\"", "1", NG_FORMAT, "\"schema\" is a whole number");
}

static void test_missing_keys(void **state)
{
    (void)state;
    static const char *const key[] = {"estimator",
                                      "trusted",
                                      "level",
                                      "material",
                                      "sigma_s_nm",
                                      "parameters",
                                      "delta",
                                      "mean",
                                      "potential",
                                      "sampled_first_n",
                                      "series",
                                      "time_s",
                                      "particles",
                                      "mean_n",
                                      "var_n",
                                      "bootstrap",
                                      "ensemble",
                                      "settings",
                                      "preset",
                                      "smooth",
                                      "kr",
                                      "cutoff_per_frame",
                                      "tracks",
                                      "sampled_last_n",
                                      "supersaturation"};
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++) {
        char *from = ng_text_format("\"%s\":", key[i]);
        expect(from, "\"x\":", NG_FORMAT, key[i]);
        ng_free(from);
    }
}

static void test_wrong_values(void **state)
{
    (void)state;
    expect("\"value\": 1.4", "\"value\": null", NG_FORMAT, "\"parameters.kr.value\" is null");
    expect("\"value\": 1.4", "\"value\": 0", NG_INVALID, "\"parameters.kr.value\" is 0");
    expect("\"value\": 3}", "\"value\": 1e99}", NG_INVALID, "parameters.eps_f.value");
    expect("\"mean\": 1.76", "\"mean\": 2.5", NG_INVALID, "\"delta.mean\" is 2.5");
    expect("[3, 2.5, 2]", "[3, null, 2]", NG_INVALID, "\"series.supersaturation\"[1]");
    expect("[3, 2.5, 2]", "[3, -1, 2]", NG_INVALID, "\"series.supersaturation\"[1] is -1");
    expect("[3, 2.5, 2]", "[3, 2.5]", NG_INVALID, "has 2 entries; like the lists beside it, 3");
    expect("[0, 1, 2]", "[0, 2, 2]", NG_INVALID, "times must rise");
    expect("[0, 1, 2]", "[]", NG_INVALID, "0 entries; at least 2");
    expect("[1.3, 1.5]", "[1.3]", NG_INVALID, "bootstrap.parameters.kr");
    expect("[1.3, 1.5]", "[1.3, \"x\"]", NG_INVALID, "bootstrap.parameters.kr");
    expect("\"bootstrap\": {", "\"bootstrap\": {\"delta\": [1.5],", NG_INVALID, "bootstrap.delta");
    expect("\"bootstrap\": {", "\"bootstrap\": {\"delta\": [1.5, 3],", NG_INVALID,
           "\"bootstrap.delta\"[1] is 3");
    expect("\"trusted\": true", "\"trusted\": 1", NG_FORMAT, "\"trusted\" is a whole number");
    expect("0.1557", "0", NG_INVALID, "material.sigma_s_nm");
    expect("\"radius_nm\": [1.0,", "\"radius_nm\": [-1.0,", NG_FORMAT, "");
}

static void test_no_json(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    assert_int_equal(parse("", &err), NG_FORMAT);
    assert_non_null(strstr(err.message, "empty"));
    assert_int_equal(parse("a,b\n1,2\n", &err), NG_FORMAT);
    assert_int_equal(parse("[1, 2]", &err), NG_FORMAT);
    assert_int_equal(parse("{\"schema\": NaN}", &err), NG_FORMAT);
    /* truncated anywhere */
    for (size_t n = strlen(least) - 1; n > 0; n -= n > 7 ? 7 : 1) {
        ng_fit_file fit;
        assert_int_equal(ng_fit_file_parse(least, n, "fit.json", &fit, &err), NG_FORMAT);
        assert_null(fit.time_s);
    }
}

/* Whatever allocation fails, it is said and nothing leaks. */
static void test_short_memory(void **state)
{
    (void)state;
    ng_status status = NG_MEMORY;
    for (size_t k = 1; status != NG_OK && k < 200; k++) {
        ng_error err = {.message = ""};
        ng_alloc_fail_after(k);
        status = parse(least, &err);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
    }
    assert_int_equal(status, NG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_other_schemas),
        cmocka_unit_test(test_missing_keys), cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_no_json),      cmocka_unit_test(test_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
