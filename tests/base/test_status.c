/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>
#include <string.h>

#include "test_support.h"

static void every_status_has_a_name_and_an_exit_code(void **state)
{
    (void)state;
#define NG_X(name, exit_code, text)                                                                \
    assert_string_equal(ng_status_name(NG_##name), #name);                                         \
    assert_int_equal(ng_status_exit_code(NG_##name), exit_code);                                   \
    assert_string_equal(ng_status_text(NG_##name), text);
    NG_STATUS_LIST(NG_X)
#undef NG_X
}

static void exit_codes_are_those_of_the_contract(void **state)
{
    (void)state;
    assert_int_equal(ng_status_exit_code(NG_OK), 0);
    assert_int_equal(ng_status_exit_code(NG_USAGE), 2);
    assert_int_equal(ng_status_exit_code(NG_EXISTS), 2);
    assert_int_equal(ng_status_exit_code(NG_FORMAT), 3);
    assert_int_equal(ng_status_exit_code(NG_TOO_LITTLE), 3);
    assert_int_equal(ng_status_exit_code(NG_INTERNAL), 5);
    assert_int_equal(ng_status_exit_code(NG_CANCELLED), 130);
}

static void a_number_that_is_no_status_is_an_internal_error(void **state)
{
    (void)state;
    assert_string_equal(ng_status_name((ng_status)999), "UNKNOWN");
    assert_int_equal(ng_status_exit_code((ng_status)999), 5);
}

static ng_status fail_here(ng_error *err, int *line)
{
    *line = __LINE__ + 1;
    return NG_FAIL(err, NG_INVALID, "%s:%d: area is %g px", "tracks.csv", 14, -0.3);
}

static void an_error_says_what_and_where(void **state)
{
    (void)state;
    ng_error err = {.status = NG_OK};
    int line = 0;
    assert_int_equal(fail_here(&err, &line), NG_INVALID);
    assert_int_equal(err.status, NG_INVALID);
    assert_string_equal(err.message, "tracks.csv:14: area is -0.3 px");
    assert_int_equal(err.line, line);
    assert_non_null(strstr(err.file, "test_status.c"));
    assert_int_equal(fail_here(NULL, &line), NG_INVALID);
}

static void a_long_message_is_cut_not_overrun(void **state)
{
    (void)state;
    ng_error err = {.status = NG_OK};
    assert_int_equal(NG_FAIL(&err, NG_IO, "%2000d", 1), NG_IO);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void the_documented_list_is_the_real_one(void **state)
{
    (void)state;
    char *page = NULL;
    size_t length = 0;
    assert_int_equal(
        ng_file_read(NUCGROW_SOURCE_DIR "/docs/errors.md", 1 << 20, &page, &length, NULL), NG_OK);
    for (int i = NG_OK; i <= NG_CANCELLED; i++) {
        char row[200];
        snprintf(row, sizeof row, "\n| %s | %d | %s |\n", ng_status_name((ng_status)i),
                 ng_status_exit_code((ng_status)i), ng_status_text((ng_status)i));
        if (strstr(page, row) == NULL) {
            fail_msg("docs/errors.md lacks the row%s", row);
        }
    }
    ng_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_an_exit_code),
        cmocka_unit_test(exit_codes_are_those_of_the_contract),
        cmocka_unit_test(a_number_that_is_no_status_is_an_internal_error),
        cmocka_unit_test(an_error_says_what_and_where),
        cmocka_unit_test(the_documented_list_is_the_real_one),
        cmocka_unit_test(a_long_message_is_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
