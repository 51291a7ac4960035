/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit-growth.json against docs/results.md: its keys, no null where there is none, shapes that
 * agree, and numbers that are those of the fit. */
#include "fit_test.h"

#include <gsl/gsl_errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define N N_PARAMETERS

/* A fit and what is written of it. */
typedef struct written {
    ng_trajectories t;
    ng_growth_fit_options o;
    ng_growth_fit fit;
    ng_warnings warnings;
    json_t *json;
} written;

static void write_fit(written *w)
{
    ng_error err = {.message = ""};
    fit_require(ng_growth_fit_run(&w->t, &w->o, NULL, &w->fit, &w->warnings, &err), &err);
    fit_require(ng_growth_fit_json(&w->fit, &w->t, &w->o, ng_material_find("Pt"), &w->json,
                                   &w->warnings, &err),
                &err);
}

/* One fit of each preset, which the tests only read. */
static written of_preset[2];

static void make_written(bool published, written *w)
{
    const ng_material *platinum = ng_material_find("Pt");
    w->t = fit_synthetic(2, 40, 50, published);
    w->o = published ? ng_growth_fit_published(platinum) : ng_growth_fit_defaults(platinum);
    w->o.starts = 2;
    w->o.bootstrap = 12;
    w->o.variance_limit = published ? 1e-3 : (double)NAN;
    w->o.variance_scale = 1.0;
    w->o.size_trim = 20;
    write_fit(w);
}

static void close_written(written *w)
{
    json_decref(w->json);
    ng_growth_fit_free(&w->fit);
    ng_warnings_free(&w->warnings);
    ng_trajectories_free(&w->t);
}

static int set_up(void **state)
{
    (void)state;
    make_written(false, &of_preset[0]);
    make_written(true, &of_preset[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_written(&of_preset[0]);
    close_written(&of_preset[1]);
    return 0;
}

static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!value) {
        fail_msg("%s is missing", key);
    }
    return value;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = get(object, key);
    if (!json_is_number(value)) {
        fail_msg("%s is no number", key);
    }
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(get(object, key));
    if (!value || value[0] == '\0') {
        fail_msg("%s is no text", key);
    }
    return value;
}

static double item(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

/* An array of `n` numbers, none of them null. */
static const json_t *numbers(const json_t *object, const char *key, size_t n)
{
    const json_t *array = get(object, key);
    if (json_array_size(array) != n) {
        fail_msg("%s has %zu entries, not %zu", key, json_array_size(array), n);
    }
    for (size_t i = 0; i < n; i++) {
        if (!json_is_number(json_array_get(array, i))) {
            fail_msg("%s[%zu] is no number", key, i);
        }
    }
    return array;
}

/* Every word of a list of keys, and no other key. */
static void keys_are(const json_t *object, const char *list)
{
    char copy[1024], *rest = NULL;
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *key = strtok_r(copy, " ", &rest); key; key = strtok_r(NULL, " ", &rest)) {
        (void)get(object, key);
        n++;
    }
    if (json_object_size(object) != n) {
        char *all = json_dumps(object, JSON_COMPACT);
        fail_msg("not only %s: %.300s", list, all ? all : "");
    }
}

static void ascending(const json_t *array)
{
    for (size_t i = 1; i < json_array_size(array); i++) {
        assert_true(item(array, i) > item(array, i - 1));
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void check_keys(const json_t *root)
{
    keys_are(root, "estimator preset level trusted verdict answer material parameters delta "
                   "cost settings "
                   "potential series profiles moments free_energy phases sensitivity "
                   "identifiability bootstrap stop methods design");
    keys_are(get(root, "design"), "start_s end_s share needed");
    keys_are(get(root, "verdict"), "level reasons");
    keys_are(get(root, "material"), "name title sigma_s_nm density_per_nm3");
    keys_are(get(root, "parameters"), "eps_f eps_e alpha4 K kr");
    keys_are(get(root, "delta"), "mode mean lower upper");
    keys_are(get(root, "settings"), "variance_scale variance_limit frame_weights "
                                    "supersaturation_max size_trim series_window_frames starts "
                                    "max_iterations bootstrap");
    keys_are(get(root, "cost"), "growth_rate variance growth_rate_start variance_limit objective");
    keys_are(get(root, "potential"),
             "n_max mu_max_kT n_max_lower n_max_upper mu_max_lower_kT mu_max_upper_kT n radius_nm "
             "mu_kT lower_kT upper_kT gibbs_thomson_kT reconstructed_n reconstructed_kT "
             "reconstructed_sd_kT reconstructed_frames sampled_first_n sampled_last_n");
    keys_are(get(root, "series"),
             "time_s particles supersaturation supersaturation_lower supersaturation_upper delta "
             "mean_n var_n mean_n_model var_n_model growth_rate_cost");
    keys_are(get(root, "moments"), "time_s order data model");
    keys_are(get(root, "identifiability"), "names correlation eigenvalues eigenvectors condition");
    keys_are(get(root, "bootstrap"), "replicates failed parameters delta n_max mu_max_kT");
    keys_are(get(root, "stop"), "reason iterations evaluations starts");
}

/* A number may be null where docs/results.md says that it can be undefined, nowhere else. */
static bool may_be_null(const char *path)
{
    static const char *const allowed[] = {".cost.variance_limit",
                                          ".settings.variance_limit",
                                          ".se",
                                          ".condition",
                                          ".potential.n_max",
                                          ".potential.mu_max_kT",
                                          ".potential.n_max_lower",
                                          ".potential.n_max_upper",
                                          ".potential.mu_max_lower_kT",
                                          ".potential.mu_max_upper_kT",
                                          ".bootstrap.n_max",
                                          ".bootstrap.mu_max_kT",
                                          ".n_star",
                                          ".n_star2",
                                          ".r_star_nm",
                                          ".r_star2_nm",
                                          ".sensitivity.n_max",
                                          ".sensitivity.mu_max_kT"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        size_t n = strlen(allowed[i]);
        if (n <= length && strcmp(path + length - n, allowed[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_nulls(const json_t *value, const char *path)
{
    if (json_is_object(value)) {
        const char *key;
        json_t *member;
        void *at = json_object_iter((json_t *)(uintptr_t)value);
        for (; at; at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
            char below[256];
            key = json_object_iter_key(at);
            member = json_object_iter_value(at);
            snprintf(below, sizeof below, "%s.%s", path, key);
            check_nulls(member, below);
        }
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            check_nulls(json_array_get(value, i), path);
        }
    } else if (json_is_null(value) && !may_be_null(path)) {
        fail_msg("%s is null", path);
    }
}

static void every_key_is_there_and_nothing_is_null(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        const written *w = &of_preset[published];
        check_keys(w->json);
        check_nulls(w->json, "");
        assert_string_equal(text(w->json, "estimator"), "rate");
        assert_string_equal(text(w->json, "preset"), published ? "published" : "default");
        assert_close(number(w->json, "level"), 0.95, 0.0);
        assert_int_equal(json_array_size(get(w->json, "answer")), 3);
        assert_true(strlen(text(w->json, "methods")) > 200);
        assert_true(json_is_null(get(get(w->json, "cost"), "variance_limit")) == !published);
    }
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void check_parameter(const json_t *p, const ng_fit_parameter *want, size_t i)
{
    const ng_parameter_info *info = &ng_growth_parameter_info()[i];
    keys_are(p, "value lower upper se flag unit title symbol min max start fixed");
    assert_true(number(p, "lower") <= number(p, "value"));
    assert_true(number(p, "value") <= number(p, "upper"));
    assert_close(number(p, "value"), want->value, 0.0);
    assert_close(number(p, "min"), info->min, 0.0);
    assert_close(number(p, "max"), info->max, 0.0);
    assert_string_equal(text(p, "flag"), ng_fit_flag_name(want->flag));
    assert_true(json_is_true(get(p, "fixed")) == (want->flag == NG_FIT_FIXED));
    assert_true(json_is_null(get(p, "se")) == isnan(want->se));
}

static void check_series(const written *w)
{
    const json_t *s = get(w->json, "series");
    size_t n = w->fit.n_frames;
    void *at = json_object_iter((json_t *)(uintptr_t)s);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)s, at)) {
        (void)numbers(s, json_object_iter_key(at), n);
    }
    ascending(get(s, "time_s"));
    for (size_t t = 0; t < n; t++) {
        assert_true(item(get(s, "supersaturation_lower"), t) <= item(get(s, "supersaturation"), t));
        assert_true(item(get(s, "supersaturation"), t) <= item(get(s, "supersaturation_upper"), t));
        assert_true(item(get(s, "particles"), t) >= 1.0);
        /* seven digits */
        assert_close(item(get(s, "mean_n"), t), w->fit.mean_n[t], 1e-6 * w->fit.mean_n[t]);
        assert_close(item(get(s, "var_n"), t), w->fit.var_n[t], 1e-6 * w->fit.var_n[t]);
    }
}

static void parameters_and_series_are_those_of_the_fit(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        const written *w = &of_preset[published];
        for (size_t i = 0; i < N; i++) {
            const char *name = ng_growth_parameter_info()[i].name;
            check_parameter(get(get(w->json, "parameters"), name), &w->fit.parameter[i], i);
        }
        const json_t *delta = get(w->json, "delta");
        assert_true(number(delta, "lower") <= number(delta, "mean"));
        assert_true(number(delta, "mean") <= number(delta, "upper"));
        assert_string_equal(text(delta, "mode"), published ? "free" : "constant");
        check_series(w);
    }
}

/* What each frame adds, in the mean over frames, is what was minimised: no limit, no smoothness.
 * Numbers are rounded to seven digits. */
static void frames_add_up_to_the_objective(void **state)
{
    (void)state;
    const written *w = &of_preset[0];
    const json_t *cost = get(get(w->json, "series"), "growth_rate_cost");
    double sum = 0.0;
    for (size_t t = 0; t < w->fit.n_frames; t++) {
        sum += item(cost, t);
    }
    double objective = number(get(w->json, "cost"), "objective");
    assert_close(sum / (double)w->fit.n_frames, objective, 1e-6 * objective);
}

static void the_verdict_agrees_with_what_was_found(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        const written *w = &of_preset[published];
        const json_t *verdict = get(w->json, "verdict"), *reasons = get(verdict, "reasons");
        const char *level = text(verdict, "level");
        bool trusted = json_is_true(get(w->json, "trusted")), bound = false, flat = false;
        for (size_t i = 0; i < N; i++) {
            bound |= w->fit.parameter[i].flag == NG_FIT_AT_BOUND;
            flat |= w->fit.parameter[i].flag == NG_FIT_NOT_IDENTIFIABLE;
        }
        assert_true(strcmp(level, "red") == 0 || strcmp(level, "amber") == 0 ||
                    strcmp(level, "green") == 0);
        assert_true(trusted == (strcmp(level, "red") != 0));
        assert_true(!trusted || (w->fit.converged && !bound));
        assert_true(!flat || strcmp(level, "green") != 0);
        assert_true(json_array_size(reasons) > 0);
        for (size_t i = 0; i < json_array_size(reasons); i++) {
            assert_true(strlen(json_string_value(json_array_get(reasons, i))) > 20);
        }
    }
}

/* A fit that gave up is red, whatever else. */
static void what_did_not_converge_is_not_trusted(void **state)
{
    (void)state;
    written w = {.t = fit_synthetic(2, 40, 50, false)};
    w.o = ng_growth_fit_defaults(ng_material_find("Pt"));
    w.o.starts = 1;
    w.o.bootstrap = 0;
    w.o.max_iterations = 1;
    write_fit(&w);
    assert_true(json_is_false(get(w.json, "trusted")));
    assert_string_equal(text(get(w.json, "verdict"), "level"), "red");
    close_written(&w);
}

static void potential_is_that_of_the_parameters(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        const written *w = &of_preset[published];
        const json_t *p = get(w->json, "potential");
        size_t n = json_array_size(get(p, "n"));
        static const char *const curve[] = {"n",        "radius_nm", "mu_kT",
                                            "lower_kT", "upper_kT",  "gibbs_thomson_kT"};
        static const char *const rebuilt[] = {"reconstructed_n", "reconstructed_kT",
                                              "reconstructed_sd_kT", "reconstructed_frames"};
        ng_potential_maximum m =
            ng_potential_find_maximum(&w->fit.best, w->fit.delta_mean, 50.0, 1e5);
        for (size_t i = 0; i < sizeof curve / sizeof curve[0]; i++) {
            (void)numbers(p, curve[i], n);
        }
        for (size_t i = 0; i < sizeof rebuilt / sizeof rebuilt[0]; i++) {
            (void)numbers(p, rebuilt[i], w->fit.n_reconstructed);
        }
        assert_true(n >= 50 && item(get(p, "n"), 0) >= 50.0);
        ascending(get(p, "n"));
        ascending(get(p, "reconstructed_n"));
        for (size_t i = 0; i < n; i++) {
            double size = item(get(p, "n"), i), mu = item(get(p, "mu_kT"), i);
            assert_close(mu, ng_potential(&w->fit.best, w->fit.delta_mean, size),
                         1e-6 * fabs(mu) + 1e-12);
            assert_true(item(get(p, "lower_kT"), i) <= mu && mu <= item(get(p, "upper_kT"), i));
        }
        assert_true(json_is_null(get(p, "n_max")) == !m.found);
        if (m.found) {
            assert_close(number(p, "n_max"), m.n, 0.0);
            assert_close(number(p, "mu_max_kT"), m.mu_kT, 1e-12);
            assert_true(number(p, "n_max_lower") <= m.n && m.n <= number(p, "n_max_upper"));
            assert_true(number(p, "mu_max_lower_kT") <= m.mu_kT &&
                        m.mu_kT <= number(p, "mu_max_upper_kT"));
        }
        assert_true(number(p, "sampled_first_n") < number(p, "sampled_last_n"));
    }
}

/* Edge sites that bind strongly: mu_n falls with size everywhere, as Gibbs and Thomson say. */
static void a_potential_without_maximum_says_so(void **state)
{
    (void)state;
    written w = {.t = fit_synthetic(2, 40, 50, false)};
    bool warned = false;
    w.o = ng_growth_fit_defaults(ng_material_find("Pt"));
    w.o.start = (ng_growth_parameters){3.0, 5.0, 0.0, 0.2, 1.0};
    memset(w.o.fixed, true, sizeof w.o.fixed);
    w.o.bootstrap = 0;
    assert_false(ng_potential_find_maximum(&w.o.start, 1.76, 50.0, 1e5).found);
    write_fit(&w);
    assert_true(json_is_null(get(get(w.json, "potential"), "n_max")));
    assert_true(json_is_null(get(get(w.json, "potential"), "mu_max_kT")));
    for (size_t i = 0; i < w.warnings.n; i++) {
        warned |= strcmp(w.warnings.item[i].name, "no-maximum") == 0;
    }
    assert_true(warned);
    check_nulls(w.json, "");
    close_written(&w);
}

static void check_profiles(const written *w)
{
    const json_t *all = get(w->json, "profiles");
    static const char *const column[] = {"n", "p_n", "flux_data_per_s", "flux_model_per_s",
                                         "mu_minus_ln_S"};
    assert_int_equal(json_array_size(all), w->fit.n_profiles);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *p = json_array_get(all, i);
        keys_are(p, "time_s phase supersaturation delta n p_n flux_data_per_s flux_model_per_s "
                    "mu_minus_ln_S");
        for (size_t c = 0; c < sizeof column / sizeof column[0]; c++) {
            (void)numbers(p, column[c], w->fit.profile[i].count);
        }
        ascending(get(p, "n"));
    }
}

static void check_moments(const written *w)
{
    const json_t *m = get(w->json, "moments");
    (void)numbers(m, "time_s", w->fit.n_frames);
    (void)numbers(m, "order", 8);
    assert_int_equal(json_array_size(get(m, "data")), 8);
    assert_int_equal(json_array_size(get(m, "model")), 8);
    for (size_t q = 0; q < 8; q++) {
        const json_t *data = json_array_get(get(m, "data"), q);
        const json_t *model = json_array_get(get(m, "model"), q);
        assert_close(item(get(m, "order"), q), 3.0 + (double)q, 0.0);
        assert_int_equal(json_array_size(data), w->fit.n_frames);
        assert_int_equal(json_array_size(model), w->fit.n_frames);
        /* <n^q> >= <n>^q, by Jensen */
        for (size_t t = 0; t < w->fit.n_frames; t++) {
            double mean = item(get(get(w->json, "series"), "mean_n"), t);
            assert_true(item(data, t) > 0.9 * pow(mean, 3.0 + (double)q));
        }
    }
}

static void check_phases(const written *w)
{
    const json_t *all = get(w->json, "phases"), *energy = get(w->json, "free_energy");
    assert_true(json_array_size(all) > 0);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *p = json_array_get(all, i);
        const char *regime = text(p, "regime");
        keys_are(p, "name start_s end_s regime supersaturation mean_trend var_trend n_star "
                    "n_star2 r_star_nm r_star2_nm");
        assert_true(number(p, "start_s") < number(p, "end_s"));
        assert_true(strcmp(regime, "hypersaturation") == 0 ||
                    strcmp(regime, "supersaturation") == 0 ||
                    strcmp(regime, "undersaturation") == 0 || strcmp(regime, "unknown") == 0);
    }
    for (size_t i = 0; i < json_array_size(energy); i++) {
        const json_t *e = json_array_get(energy, i);
        keys_are(e, "time_s supersaturation n dG_kT");
        (void)numbers(e, "dG_kT", json_array_size(get(e, "n")));
        assert_true(number(e, "supersaturation") > 0.0);
    }
}

static void check_sensitivity(const written *w)
{
    const json_t *all = get(w->json, "sensitivity");
    assert_int_equal(json_array_size(all), w->fit.n_sensitivities);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *s = json_array_get(all, i);
        keys_are(s, "parameter factor n mu_kT n_max mu_max_kT growth_rate objective");
        (void)get(get(w->json, "parameters"), text(s, "parameter"));
        assert_true(number(s, "factor") == 0.5 || number(s, "factor") == 2.0);
        (void)numbers(s, "mu_kT", json_array_size(get(s, "n")));
        ascending(get(s, "n"));
    }
}

static void check_search(const written *w)
{
    const json_t *id = get(w->json, "identifiability"), *boot = get(w->json, "bootstrap");
    const json_t *starts = get(get(w->json, "stop"), "starts");
    size_t n = w->fit.n_free, b = w->fit.n_replicates;
    assert_int_equal(json_array_size(get(id, "names")), n);
    (void)numbers(id, "eigenvalues", n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(json_array_size(json_array_get(get(id, "correlation"), i)), n);
        assert_int_equal(json_array_size(json_array_get(get(id, "eigenvectors"), i)), n);
    }
    assert_close(number(boot, "replicates"), (double)b, 0.0);
    for (size_t i = 0; i < N; i++) {
        (void)numbers(get(boot, "parameters"), ng_growth_parameter_info()[i].name, b);
    }
    assert_int_equal(json_array_size(get(boot, "n_max")), b);
    assert_int_equal(json_array_size(get(boot, "mu_max_kT")), b);
    assert_int_equal(json_array_size(starts), w->fit.n_starts);
    for (size_t i = 0; i < json_array_size(starts); i++) {
        keys_are(json_array_get(starts, i), "objective growth_rate variance iterations reason");
    }
}

static void shapes_agree(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        const written *w = &of_preset[published];
        check_profiles(w);
        check_moments(w);
        check_phases(w);
        check_sensitivity(w);
        check_search(w);
    }
}

/* ---- at rest --------------------------------------------------------------------------------- */

static void has_seven_digits(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        char rounded[32];
        double x = item(array, i);
        snprintf(rounded, sizeof rounded, "%.7g", x);
        assert_close(strtod(rounded, NULL), x, 1e-14 * fabs(x));
    }
}

static void numbers_are_rounded_and_read_back(void **state)
{
    (void)state;
    const written *w = &of_preset[0];
    json_t *back = NULL;
    ng_error err = {.message = ""};
    const json_t *s = get(w->json, "series");
    void *at = json_object_iter((json_t *)(uintptr_t)s);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)s, at)) {
        has_seven_digits(json_object_iter_value(at));
    }
    has_seven_digits(get(get(w->json, "potential"), "mu_kT"));
    const char *path = test_output("fit-growth.json");
    fit_require(ng_json_write(w->json, path, false, &err), &err);
    fit_require(ng_json_read(path, &back, &err), &err);
    assert_true(json_equal(w->json, back));
    json_decref(back);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_there_and_nothing_is_null),
        cmocka_unit_test(parameters_and_series_are_those_of_the_fit),
        cmocka_unit_test(frames_add_up_to_the_objective),
        cmocka_unit_test(the_verdict_agrees_with_what_was_found),
        cmocka_unit_test(what_did_not_converge_is_not_trusted),
        cmocka_unit_test(potential_is_that_of_the_parameters),
        cmocka_unit_test(a_potential_without_maximum_says_so),
        cmocka_unit_test(shapes_agree),
        cmocka_unit_test(numbers_are_rounded_and_read_back),
    };
    gsl_set_error_handler_off(); /* as the program does */
    return cmocka_run_group_tests_name("fit-growth.json", tests, set_up, tear_down);
}
