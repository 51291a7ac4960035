/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <nucgrow/base.h>
#include <string.h>

#include "example_options.h"
#include "test_support.h"

static int set_up(void **state)
{
    *state = example_create();
    return *state == NULL;
}

static int tear_down(void **state)
{
    example_destroy(*state);
    return 0;
}

/* Parse words; at most 16. */
static ng_status parse(example *e, ng_error *err, const char *first, ...)
{
    va_list args;
    va_start(args, first);
    e->argc = 0;
    for (const char *word = first; word != NULL; word = va_arg(args, const char *)) {
        snprintf(e->word[e->argc], sizeof e->word[0], "%s", word);
        e->argv[e->argc] = e->word[e->argc];
        e->argc++;
    }
    va_end(args);
    return ng_options_parse(e->set, e->argc, e->argv, e->positional, &e->n_positional, err);
}

static void assert_usage(ng_status status, const ng_error *err, const char *message)
{
    assert_int_equal(status, NG_USAGE);
    assert_string_equal(err->message, message);
}

static void defaults_are_set(void **state)
{
    example *e = *state;
    assert_true(e->target.pixel_nm == 0.5);
    assert_true(isnan(e->target.frame_s));
    assert_int_equal(e->target.bootstrap, 50);
    assert_int_equal(e->target.unset, LONG_MIN);
    assert_string_equal(e->target.estimator, "rate");
    assert_null(e->target.material);
    assert_true(e->target.smooth);
    assert_false(e->target.force);
    assert_int_equal(e->target.dataset.n, 0);
    assert_int_equal(ng_options_origin(e->set, "pixel-nm"), NG_ORIGIN_DEFAULT);
}

static void flags_are_parsed_in_every_form(void **state)
{
    example *e = *state;
    assert_int_equal(parse(e, NULL, "a.csv", "--pixel-nm", "0.2", "--bootstrap=7", "--force",
                           "--no-smooth", "-m", "Pt", "-", "--dataset", "x,y", "--dataset", "z",
                           "--", "--b.csv", NULL),
                     NG_OK);
    assert_true(e->target.pixel_nm == 0.2);
    assert_int_equal(e->target.bootstrap, 7);
    assert_true(e->target.force);
    assert_false(e->target.smooth);
    assert_string_equal(e->target.material, "Pt");
    assert_int_equal(e->target.dataset.n, 2);
    assert_string_equal(e->target.dataset.item[0], "x,y");
    assert_string_equal(e->target.dataset.item[1], "z");
    assert_int_equal(e->n_positional, 3);
    assert_string_equal(e->positional[0], "a.csv");
    assert_string_equal(e->positional[1], "-");
    assert_string_equal(e->positional[2], "--b.csv");
    assert_int_equal(ng_options_origin(e->set, "pixel-nm"), NG_ORIGIN_FLAG);
}

static void letters_may_be_joined(void **state)
{
    example *e = *state;
    assert_int_equal(parse(e, NULL, "-fmAu", "-f", NULL), NG_OK);
    assert_true(e->target.force);
    assert_string_equal(e->target.material, "Au");
}

static void a_value_may_begin_with_a_minus(void **state)
{
    example *e = *state;
    assert_int_equal(parse(e, NULL, "--eps-e", "-1.35", NULL), NG_OK);
    assert_true(e->target.eps_e == -1.35);
    assert_int_equal(parse(e, NULL, "--eps-e=-2e-1", NULL), NG_OK);
    assert_true(e->target.eps_e == -0.2);
}

static void mistakes_are_explained(void **state)
{
    example *e = *state;
    ng_error err = {.status = NG_OK};
    assert_usage(parse(e, &err, "--pixl-nm", "1", NULL), &err,
                 "--pixl-nm: no such option; did you mean --pixel-nm?");
    assert_usage(parse(e, &err, "--wavelength-of-light", NULL), &err,
                 "--wavelength-of-light: no such option");
    assert_usage(parse(e, &err, "--pixel-nm", NULL), &err,
                 "--pixel-nm: a value is missing after it");
    assert_usage(parse(e, &err, "--pixel-nm", "--force", NULL), &err,
                 "--pixel-nm: a value is missing after it");
    assert_usage(parse(e, &err, "--pixel-nm", "wide", NULL), &err,
                 "--pixel-nm: 'wide' is not a number");
    assert_usage(parse(e, &err, "--pixel-nm", "nan", NULL), &err,
                 "--pixel-nm: 'nan' is not a number");
    assert_usage(parse(e, &err, "--pixel-nm", "-0.1", NULL), &err,
                 "--pixel-nm: -0.1 is out of range; allowed is 0 to 1000 nm");
    assert_usage(parse(e, &err, "--bootstrap", "-1", NULL), &err,
                 "--bootstrap: -1 is out of range; 0 or more is allowed");
    assert_usage(parse(e, &err, "--bootstrap", "1.5", NULL), &err,
                 "--bootstrap: '1.5' is not a whole number");
    assert_usage(parse(e, &err, "--estimator", "best", NULL), &err,
                 "--estimator: 'best' is not one of rate|forward");
    assert_usage(parse(e, &err, "--force=maybe", NULL), &err,
                 "--force: 'maybe' is neither true nor false");
    assert_usage(parse(e, &err, "--no-pixel-nm", NULL), &err,
                 "--no-pixel-nm: no such option; did you mean --pixel-nm?");
    assert_usage(parse(e, &err, "--delta", "soft", NULL), &err,
                 "--delta: 'soft' is not a number and not one of free|smooth");
    assert_int_equal(parse(e, &err, "-x", NULL), NG_USAGE);
    /* None of them changed anything. */
    assert_true(e->target.pixel_nm == 0.5);
    assert_int_equal(e->target.bootstrap, 50);
}

static void words_stand_for_numbers_where_they_may(void **state)
{
    example *e = *state;
    assert_int_equal(parse(e, NULL, "--delta", "smooth", NULL), NG_OK);
    assert_true(isnan(e->target.delta));
    json_t *all = ng_options_json(e->set);
    json_t *value = json_object_get(json_object_get(all, "delta"), "value");
    assert_string_equal(json_string_value(value), "smooth");
    json_decref(all);
    assert_int_equal(parse(e, NULL, "--delta", "1.7", NULL), NG_OK);
    assert_true(e->target.delta == 1.7);
}

static void the_stronger_origin_wins(void **state)
{
    example *e = *state;
    ng_options *set = e->set;
    assert_int_equal(ng_options_set(set, "pixel-nm", "1", NG_ORIGIN_FLAG, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "pixel-nm", "2", NG_ORIGIN_ENVIRONMENT, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "pixel-nm", "3", NG_ORIGIN_FILE, NULL), NG_OK);
    assert_true(e->target.pixel_nm == 1.0);
    assert_int_equal(ng_options_set(set, "bootstrap", "3", NG_ORIGIN_PRESET, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "bootstrap", "4", NG_ORIGIN_FILE, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "bootstrap", "5", NG_ORIGIN_ENVIRONMENT, NULL), NG_OK);
    assert_int_equal(e->target.bootstrap, 5);
    assert_int_equal(ng_options_origin(set, "bootstrap"), NG_ORIGIN_ENVIRONMENT);
    /* A weaker value is still checked. */
    assert_int_equal(ng_options_set(set, "pixel-nm", "x", NG_ORIGIN_FILE, NULL), NG_USAGE);
    /* A list is replaced by a stronger origin, and grows within one. */
    assert_int_equal(ng_options_set(set, "dataset", "file", NG_ORIGIN_FILE, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "dataset", "a", NG_ORIGIN_FLAG, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "dataset", "b", NG_ORIGIN_FLAG, NULL), NG_OK);
    assert_int_equal(ng_options_set(set, "dataset", "late", NG_ORIGIN_FILE, NULL), NG_OK);
    assert_int_equal(e->target.dataset.n, 2);
    assert_string_equal(e->target.dataset.item[0], "a");
}

static void the_environment_is_read(void **state)
{
    example *e = *state;
    setenv("NUCGROW_PIXEL_NM", "0.25", 1);
    setenv("NUCGROW_FORCE", "yes", 1);
    assert_int_equal(ng_options_environment(e->set, NULL), NG_OK);
    assert_true(e->target.pixel_nm == 0.25);
    assert_true(e->target.force);
    setenv("NUCGROW_PIXEL_NM", "wide", 1);
    ng_error err = {.status = NG_OK};
    assert_usage(ng_options_environment(e->set, &err), &err,
                 "NUCGROW_PIXEL_NM: 'wide' is not a number");
    unsetenv("NUCGROW_PIXEL_NM");
    unsetenv("NUCGROW_FORCE");
}

static void json_tells_value_unit_and_origin(void **state)
{
    example *e = *state;
    assert_int_equal(parse(e, NULL, "--pixel-nm", "0.2", "--dataset", "a", NULL), NG_OK);
    json_t *all = ng_options_json(e->set);
    json_t *pixel = json_object_get(all, "pixel-nm");
    assert_true(json_real_value(json_object_get(pixel, "value")) == 0.2);
    assert_string_equal(json_string_value(json_object_get(pixel, "unit")), "nm");
    assert_string_equal(json_string_value(json_object_get(pixel, "origin")), "flag");
    json_t *unset = json_object_get(json_object_get(all, "unset"), "value");
    assert_true(json_is_null(unset));
    json_t *dataset = json_object_get(json_object_get(all, "dataset"), "value");
    assert_int_equal(json_array_size(dataset), 1);
    json_decref(all);
}

static void help_shows_everything_within_80_columns(void **state)
{
    example *e = *state;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ng_options_help(e->set, stream);
    fclose(stream);
    for (size_t i = 0; i < EXAMPLE_OPTIONS; i++) {
        char flag[80];
        snprintf(flag, sizeof flag, "--%s", example_table[i].name);
        assert_non_null(strstr(text, flag));
    }
    assert_non_null(strstr(text, "[nm; 0 to 1000; default 0.5]"));
    assert_non_null(strstr(text, "default true, --no-smooth"));
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 80);
    }
    free(text);
}

static void a_table_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    long field = 0;
    const ng_option bad[] = {{.name = "n", .type = NG_OPTION_INT, .initial = "12", .max = 5}};
    ng_options *set = ng_options_create();
    assert_int_equal(ng_options_add(set, bad, 1, &field, NULL), NG_USAGE);
    ng_options_destroy(set);
    ng_options_destroy(NULL);
}

#define WITH_SET(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SET(defaults_are_set),
        WITH_SET(flags_are_parsed_in_every_form),
        WITH_SET(letters_may_be_joined),
        WITH_SET(a_value_may_begin_with_a_minus),
        WITH_SET(mistakes_are_explained),
        WITH_SET(words_stand_for_numbers_where_they_may),
        WITH_SET(the_stronger_origin_wins),
        WITH_SET(the_environment_is_read),
        WITH_SET(json_tells_value_unit_and_origin),
        WITH_SET(help_shows_everything_within_80_columns),
        cmocka_unit_test(a_table_that_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
