/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gsl/gsl_rng.h>
#include <locale.h>

#include "data_test.h"

static ng_number parse(const char *text, double *value)
{
    return ng_number_parse(text, strlen(text), value);
}

/* Exactly: a decimal text has one nearest double, and strtod (glibc) finds it. */
static void assert_as_strtod(const char *text)
{
    double value = 0.0;
    ng_number state = parse(text, &value);
    double expected = strtod(text, NULL);
    if (!isfinite(expected)) {
        assert_int_equal(state, NG_NUMBER_INFINITE);
        return;
    }
    if (state != NG_NUMBER_OK || memcmp(&value, &expected, sizeof value) != 0) {
        fail_msg("'%s' gives %.17g, strtod %.17g", text, value, expected);
    }
}

static void hard_numbers_are_rounded_correctly(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0",
                                        "1",
                                        "-1",
                                        "+1",
                                        ".5",
                                        "5.",
                                        "1e0",
                                        "1E+5",
                                        "1e-5",
                                        "0e999",
                                        "00012.50",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "9007199254740993.0000000000000000001",
                                        "1.7976931348623157e308",
                                        "1.7976931348623159e308",
                                        "4.9e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "1e23",
                                        "8.5e22",
                                        "0.1",
                                        "0.30000000000000004",
                                        "123456789012345678901234567890",
                                        "0.000000000000000000000000000001234567890123456789",
                                        "1e400",
                                        "-1e400",
                                        "1e-400",
                                        "17976931348623157e292",
                                        "0.99999999999999994448884876874",
                                        "0.99999999999999994448884876875",
                                        "1.00000000000000011102230246251565",
                                        "1.00000000000000011102230246251566",
                                        "6.0221407600e23",
                                        "1e99999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_as_strtod(texts[i]);
    }
}

static void random_numbers_are_rounded_correctly(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(7, 0);
    char text[64];
    for (int i = 0; i < 200000; i++) {
        int digits = 1 + (int)gsl_rng_uniform_int(rng, 20);
        int exponent = (int)gsl_rng_uniform_int(rng, 60) - 30;
        snprintf(text, sizeof text, "%.*ge%d", digits, gsl_rng_uniform(rng), exponent);
        char *e = strchr(text, 'e');
        if (e != strrchr(text, 'e')) {
            *strrchr(text, 'e') = '\0';
        }
        assert_as_strtod(text);
    }
    ng_random_close(rng);
}

/* Doubles half-way between two neighbours, and one digit beside: where double rounding would
 * show. */
static void halfway_numbers_are_rounded_correctly(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(8, 0);
    char text[64];
    for (int i = 0; i < 20000; i++) {
        uint64_t high = gsl_rng_uniform_int(rng, 1u << 30);
        uint64_t odd = (UINT64_C(1) << 53) + (high << 22) + 1;
        for (int k = -1; k <= 1; k++) {
            snprintf(text, sizeof text, "%llu",
                     (unsigned long long)(odd * 100 + (uint64_t)k + 1));
            assert_as_strtod(text);
            snprintf(text, sizeof text, "%llue-2",
                     (unsigned long long)(odd * 100 + (uint64_t)k + 1));
            assert_as_strtod(text);
        }
    }
    ng_random_close(rng);
}

static void what_is_no_number_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ng_number expected;
    } cases[] = {
        {"", NG_NUMBER_EMPTY},
        {"  ", NG_NUMBER_EMPTY},
        {" 1 ", NG_NUMBER_OK},
        {"abc", NG_NUMBER_BAD},
        {"1x", NG_NUMBER_BAD},
        {"0x10", NG_NUMBER_BAD},
        {"1e", NG_NUMBER_BAD},
        {"1e+", NG_NUMBER_BAD},
        {"-", NG_NUMBER_BAD},
        {".", NG_NUMBER_BAD},
        {"1.2.3", NG_NUMBER_BAD},
        {"1 2", NG_NUMBER_BAD},
        {"--1", NG_NUMBER_BAD},
        {"1,5", NG_NUMBER_COMMA},
        {"-0,25", NG_NUMBER_COMMA},
        {"1,5,6", NG_NUMBER_BAD},
        {",", NG_NUMBER_BAD},
        {"nan", NG_NUMBER_NAN},
        {"NaN", NG_NUMBER_NAN},
        {"-nan", NG_NUMBER_NAN},
        {"nano", NG_NUMBER_BAD},
        {"inf", NG_NUMBER_INFINITE},
        {"-Infinity", NG_NUMBER_INFINITE},
        {"1e999", NG_NUMBER_INFINITE},
        {"infi", NG_NUMBER_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 0.0;
        if (parse(cases[i].text, &value) != cases[i].expected) {
            fail_msg("'%s'", cases[i].text);
        }
        assert_true(isnan(value) || cases[i].expected == NG_NUMBER_OK);
    }
}

static void absurdly_long_numbers_are_refused(void **state)
{
    (void)state;
    char text[1000];
    double value = 0.0;
    memset(text, '1', sizeof text);
    assert_int_equal(ng_number_parse(text, 300, &value), NG_NUMBER_OK);
    assert_int_equal(ng_number_parse(text, 400, &value), NG_NUMBER_INFINITE);
    assert_int_equal(ng_number_parse(text, sizeof text, &value), NG_NUMBER_BAD);
}

static void the_locale_does_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool set = false;
    for (size_t i = 0; i < 4 && !set; i++) {
        set = setlocale(LC_ALL, names[i]) != NULL;
    }
    if (!set) {
        print_message("no locale with a decimal comma is installed\n");
        skip();
    }
    double value = 0.0;
    char text[32];
    assert_int_equal(parse("1234567890123456789.25e-40", &value), NG_NUMBER_OK);
    assert_true(value == 1234567890123456789.25e-40);
    ng_number_format(0.25, text);
    setlocale(LC_ALL, "C");
    assert_string_equal(text, "0.25");
}

static void numbers_are_written_short_and_read_back_exactly(void **state)
{
    (void)state;
    char text[32];
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},   {0.0, "0"},        {300.0, "300"},
                 {-2.5, "-2.5"}, {1e300, "1e+300"}, {0.1 + 0.2, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ng_number_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
    ng_number_format((double)NAN, text);
    assert_string_equal(text, "");
    gsl_rng *rng = ng_random_open(9, 0);
    for (int i = 0; i < 20000; i++) {
        double value = ldexp(gsl_rng_uniform(rng), (int)gsl_rng_uniform_int(rng, 200) - 100);
        double back = 0.0;
        ng_number_format(value, text);
        assert_int_equal(parse(text, &back), NG_NUMBER_OK);
        assert_true(back == value);
    }
    ng_random_close(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_numbers_are_rounded_correctly),
        cmocka_unit_test(random_numbers_are_rounded_correctly),
        cmocka_unit_test(halfway_numbers_are_rounded_correctly),
        cmocka_unit_test(what_is_no_number_is_told_apart),
        cmocka_unit_test(absurdly_long_numbers_are_refused),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(numbers_are_written_short_and_read_back_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
