/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole predictions from a movie whose law is known. */
#include "predict_test.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static ng_fit_file fit;

static int set_up(void **state)
{
    (void)state;
    fit = true_fit(8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ng_fit_file_free(&fit);
    return 0;
}

static json_t *predict(const ng_predict_options *o, int threads)
{
    ng_prediction *p = NULL;
    ng_run run = ng_run_defaults();
    run.threads = threads;
    REQUIRE(ng_predict(&fit, o, &run, &p, NULL, err));
    json_t *result = ng_prediction_json(p);
    ng_prediction_destroy(p);
    assert_non_null(result);
    return result;
}

/* A number below "a.b"; index SIZE_MAX: the last of a list. */
static double number(const json_t *result, const char *path, size_t index)
{
    char key[64];
    while (*path != '\0') {
        const size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        result = json_object_get(result, key);
        path += length + (path[length] == '.');
    }
    if (json_is_array(result)) {
        const size_t n = json_array_size(result);
        result = json_array_get(result, index < n ? index : n - 1);
    }
    return json_is_number(result) ? json_number_value(result) : (double)NAN;
}

#define LAST SIZE_MAX

/* ---- the movie itself ---------------------------------------------------------------------- */

/* The law and nothing else from the first frame on: the mean follows by the balance of monomers,
 * the variance is predicted. 200 particles: their mean is known to 2 %, the variance to 10 %. */
static void test_the_movie_as_it_was(void **state)
{
    (void)state;
    const ng_predict_options o = ng_predict_defaults();
    json_t *r = predict(&o, 1);
    assert_true(number(r, "forward_test.mean_off_most", 0) < 0.02);
    assert_close(number(r, "forward_test.variance_ratio_median", 0), 1.0, 0.25);
    /* S(t) as it was, found from uptake and law: to 15 %, smoothing rounds the schedule's kinks and
     * knows little in the first frames */
    for (size_t i = 10; i < fit.n_times - 5; i += 5) {
        assert_close(number(r, "supply.supersaturation", i) / fit.supersaturation[i], 1.0, 0.15);
    }
    /* nothing was asked for: the same as unchanged */
    assert_close(number(r, "series.mean_n", LAST), number(r, "unchanged.mean_n", LAST), 0.0);
    json_decref(r);
}

/* What particles take up is what the mean gains: 200 particles, none enter. */
static void test_uptake_is_the_gain_of_the_mean(void **state)
{
    (void)state;
    const ng_predict_options o = ng_predict_defaults();
    json_t *r = predict(&o, 1);
    double gained = 0.0;
    for (size_t i = 1; i < fit.n_times; i++) {
        gained += 0.5 * (fit.time_s[i] - fit.time_s[i - 1]) *
                  (number(r, "supply.uptake_per_particle_per_s", i) +
                   number(r, "supply.uptake_per_particle_per_s", i - 1));
    }
    const double truth = fit.mean_n[fit.n_times - 1] - fit.mean_n[0];
    assert_close(gained / truth, 1.0, 0.02);
    assert_close(number(r, "supply.supply_observed_per_s", 9),
                 fit.particles[9] * number(r, "supply.uptake_per_particle_per_s", 9), 1e-3);
    json_decref(r);
}

static void test_halved_supply(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    o.scale = 0.5;
    json_t *half = predict(&o, 1);
    const double start = number(half, "series.mean_n", 0);
    const double all = number(half, "unchanged.mean_n", LAST) - start;
    const double number_left = number(half, "series.number", LAST);
    const double mass = number_left * number(half, "series.mean_n", LAST) - start;
    /* monomers are kept whether particles dissolve or not */
    assert_close(mass / all, 0.5, 2e-3);
    assert_non_null(strstr(json_string_value(json_array_get(json_object_get(half, "answer"), 0)),
                           "At half the supply of the movie"));
    json_decref(half);
}

/* ---- another supply, against particles one by one ------------------------------------------ */

/* The truth at 1.6 times the supply lies in the bands around what 200 particles told. */
static void test_another_supply_lies_in_the_band(void **state)
{
    (void)state;
    enum { PARTICLES = 1000 };
    ng_predict_options o = ng_predict_defaults();
    o.scale = 1.6;
    json_t *r = predict(&o, 1);
    const size_t n = json_array_size(json_object_get(json_object_get(r, "series"), "time_s"));
    double *time_s = NG_NEW(double, 2 * n), *S = time_s + n;
    for (size_t i = 0; i < n; i++) {
        time_s[i] = number(r, "series.time_s", i);
        S[i] = number(r, "series.supersaturation", i);
    }
    ng_synth_ensemble_options truth_o = ng_synth_ensemble_defaults();
    ng_synth_ensemble_truth truth;
    ng_tracks tracks;
    truth_o.schedule_time_s = time_s;
    truth_o.supersaturation = S;
    truth_o.n_schedule = n;
    truth_o.particles = PARTICLES;
    truth_o.frames = 100;
    REQUIRE(ng_synth_ensemble(&truth_o, NULL, &tracks, &truth, NULL, err));
    /* S(t) is that of the particles of the fit: the same here within their sampling error, which
     * the band holds; the 1000 add theirs, 4 standard errors */
    const double error = 4.0 * sqrt(truth.var_n[99] / PARTICLES);
    assert_true(truth.mean_n[99] > number(r, "series.mean_n_lower", LAST) - error);
    assert_true(truth.mean_n[99] < number(r, "series.mean_n_upper", LAST) + error);
    const double variance = truth.var_n[99], off = 4.0 * variance * sqrt(6.0 / PARTICLES);
    assert_true(variance > number(r, "series.var_n_lower", LAST) - off);
    assert_true(variance < number(r, "series.var_n_upper", LAST) + off);
    ng_synth_ensemble_truth_free(&truth);
    ng_tracks_free(&tracks);
    ng_free(time_s);
    json_decref(r);
}

/* ---- targets -------------------------------------------------------------------------------- */

static void test_target(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 4;
    o.target_radius_nm = 2.2;
    o.target_spread = 0.08;
    o.n_grid = 5;
    json_t *r = predict(&o, 1);
    double before = INFINITY, later = INFINITY;
    for (size_t f = 0; f < 5; f++) {
        const double spread = number(r, "grid.spread_at_target", f);
        const double time_s = number(r, "grid.time_to_target_s", f);
        assert_close(number(r, "grid.factor", f), 0.25 * pow(2.0, (double)f), 1e-6);
        /* [Kim]: faster supply focuses more, and gets there sooner */
        assert_true(spread < before && time_s < later);
        assert_true(number(r, "grid.spread_at_target_lower", f) <= spread);
        assert_true(number(r, "grid.spread_at_target_upper", f) >= spread);
        assert_true(number(r, "grid.spread_from_equal_particles", f) < spread);
        assert_true(number(r, "grid.least_spread", f) <= spread + 1e-6);
        before = spread;
        later = time_s;
    }
    const char *answer = json_string_value(json_array_get(json_object_get(r, "answer"), 0));
    const bool attained = before <= 0.08;
    assert_non_null(strstr(answer, attained ? "Yes: at " : "not attainable"));
    json_decref(r);

    o.target_spread = 1e-4;
    o.replicates = 0;
    o.n_grid = 2;
    r = predict(&o, 1);
    answer = json_string_value(json_array_get(json_object_get(r, "answer"), 0));
    assert_non_null(strstr(answer, "is not attainable between 0.25 and 4 times the supply; the "
                                   "smallest spread there is"));
    json_decref(r);
}

/* ---- decomposition, temperature, start ------------------------------------------------------ */

static void test_terms_add_up(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    json_t *r = predict(&o, 1);
    const char *const part[] = {"counting", "start", "growth", "detachment", "dissolved"};
    for (size_t i = 0; i < o.n_times; i += 10) {
        double sum = 0.0;
        for (size_t k = 0; k < 5; k++) {
            char path[64];
            snprintf(path, sizeof path, "relative_variance.prediction.%s", part[k]);
            sum += number(r, path, i);
        }
        const double total = number(r, "relative_variance.prediction.total", i);
        assert_close(sum, total, 1e-6 * total + 1e-9); /* seven digits are written */
        /* nothing dissolves here: what is called so is the error of the time steps */
        assert_close(number(r, "relative_variance.prediction.dissolved", i), 0.0, 2e-3 * total);
    }
    json_decref(r);
}

static void test_equal_temperatures(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    json_t *a = predict(&o, 1);
    o.temperature = (ng_temperature){400.0, 400.0, 0.2, 0.4, 80.0, 20.0, 30.0, 100.0};
    json_t *b = predict(&o, 1);
    assert_true(json_equal(json_object_get(a, "series"), json_object_get(b, "series")));
    json_decref(a);
    json_decref(b);
}

/* Only the supply reacts: a warmer solution is one with more supply. */
static void test_warmer_supply(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    o.temperature.T_K = 310.0;
    o.temperature.eps_f_share = o.temperature.eps_e_share = 0.0;
    o.temperature.supply_kJ_per_mol = 60.0;
    json_t *a = predict(&o, 1);
    o.scale = ng_temperature_supply(&o.temperature);
    o.temperature = ng_temperature_defaults();
    json_t *b = predict(&o, 1);
    for (size_t i = 0; i < o.n_times; i += 20) {
        assert_close(number(a, "series.mean_n", i) / number(b, "series.mean_n", i), 1.0, 1e-6);
    }
    json_decref(a);
    json_decref(b);
}

static void test_given_start(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    o.start_mean = 500.0;
    o.start_spread = 0.1;
    json_t *r = predict(&o, 1);
    /* whole sizes blur a lognormal by less than this */
    assert_close(number(r, "series.mean_n", 0), 500.0, 0.01);
    assert_close(number(r, "series.var_n", 0), 500.0 * 500.0 * expm1(0.01), 20.0);
    json_decref(r);
}

/* S(t) given at the fit's own value, against the supply that it makes. */
static void test_supersaturation_drives_as_supply_does(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    json_t *a = predict(&o, 1);
    o.drive = NG_DRIVE_SUPERSATURATION;
    json_t *b = predict(&o, 1);
    /* S follows from the particles seen, which are not quite those of the run: a few per cent */
    assert_close(number(b, "series.mean_n", LAST) / number(a, "series.mean_n", LAST), 1.0, 0.05);
    json_decref(a);
    json_decref(b);
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 3;
    o.target_radius_nm = 2.0;
    o.n_grid = 2;
    json_t *a = predict(&o, 1), *b = predict(&o, 2);
    assert_true(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

/* ---- what cannot be -------------------------------------------------------------------------- */

static void expect(const ng_predict_options *o, ng_status wanted, const char *words)
{
    ng_prediction *p = NULL;
    ng_error err = {.message = ""};
    assert_int_equal(ng_predict(&fit, o, NULL, &p, NULL, &err), wanted);
    assert_null(p);
    if (strstr(err.message, words) == NULL) {
        fail_msg("'%s' does not say '%s'", err.message, words);
    }
}

static void test_impossible_questions(void **state)
{
    (void)state;
    const ng_time_law drain = ng_law_constant(-1e4), negative = ng_law_ramp(2.0, -1.0, 0.0, 50.0);
    ng_predict_options o = ng_predict_defaults();
    o.law = &drain;
    expect(&o, NG_INVALID, "the monomers would become negative");
    o.law = &negative;
    o.drive = NG_DRIVE_SUPERSATURATION;
    expect(&o, NG_INVALID, "the supersaturation is -1");
    o = ng_predict_defaults();
    o.scale = 1000.0;
    o.n_limit = 5000;
    expect(&o, NG_INVALID, "outgrow n = 5000");
    o = ng_predict_defaults();
    o.target_radius_nm = 0.5;
    o.n_grid = 3;
    expect(&o, NG_USAGE, "the target radius of 0.5 nm is not above");
    o = ng_predict_defaults();
    o.scale = (double)NAN;
    expect(&o, NG_USAGE, "the scale is nan");
    o = ng_predict_defaults();
    o.start_mean = 300.0;
    expect(&o, NG_USAGE, "both its mean and its spread");
    const double late[] = {1e6};
    o = ng_predict_defaults();
    o.shape_s = late;
    o.n_shapes = 1;
    expect(&o, NG_USAGE, "a distribution is wanted 1e+06 s after the start");
}

static void test_untrusted_fit(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    o.replicates = 0;
    fit.trusted = false;
    json_t *r = predict(&o, 1);
    fit.trusted = true;
    assert_true(json_is_false(json_object_get(r, "trusted")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(r, "verdict"), "level")),
                        "red");
    json_decref(r);
}

/* Whatever allocation fails, it is said and nothing leaks. */
static void test_short_memory(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    ng_status status = NG_MEMORY;
    o.replicates = 1;
    o.n_times = 11;
    o.duration_s = 1.0;
    o.n_grid = 1;
    for (size_t k = 1; status != NG_OK && k < 100000; k += 1 + k / 16) {
        ng_prediction *p = NULL;
        ng_error err = {.message = ""};
        ng_alloc_fail_after(k);
        status = ng_predict(&fit, &o, NULL, &p, NULL, &err);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || (p == NULL && err.message[0] != '\0'));
        ng_prediction_destroy(p);
    }
    assert_int_equal(status, NG_OK);
}

/* Bands hold the value; every distribution is a distribution. */
static void test_bands_and_shapes(void **state)
{
    (void)state;
    ng_predict_options o = ng_predict_defaults();
    json_t *r = predict(&o, 1);
    for (size_t i = 0; i < o.n_times; i += 16) {
        const double spread = number(r, "series.relative_spread", i);
        assert_true(number(r, "series.relative_spread_lower", i) <= spread);
        assert_true(number(r, "series.relative_spread_upper", i) >= spread);
    }
    size_t k;
    json_t *shape;
    json_array_foreach(json_object_get(r, "distributions"), k, shape)
    {
        double sum = 0.0;
        const size_t n = json_array_size(json_object_get(shape, "n"));
        for (size_t i = 0; i < n; i++) {
            const double a = number(shape, "n", i);
            const double width = i + 1 < n ? number(shape, "n", i + 1) - a : 0.0;
            sum += number(shape, "p_n", i) * width;
        }
        assert_close(sum, 1.0, 0.02); /* bins by their middles */
    }
    assert_int_equal(k, 6);
    json_decref(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_movie_as_it_was),
        cmocka_unit_test(test_uptake_is_the_gain_of_the_mean),
        cmocka_unit_test(test_halved_supply),
        cmocka_unit_test(test_another_supply_lies_in_the_band),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_terms_add_up),
        cmocka_unit_test(test_equal_temperatures),
        cmocka_unit_test(test_warmer_supply),
        cmocka_unit_test(test_given_start),
        cmocka_unit_test(test_supersaturation_drives_as_supply_does),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_impossible_questions),
        cmocka_unit_test(test_untrusted_fit),
        cmocka_unit_test(test_short_memory),
        cmocka_unit_test(test_bands_and_shapes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
