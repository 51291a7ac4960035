/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small tables of numbers. */
#include <nucgrow/predict.h>

#include "test_support.h"

#include <string.h>

static const char *const columns[] = {"time_s", "supply"};

static void test_columns_in_any_order(void **state)
{
    (void)state;
    const char *path = test_written("law.csv", "# a supply\n\nsupply, note ,time_s\r\n"
                                               "2.5, first, 0\n3e1,x,10\n\n");
    double *rows = NULL;
    size_t n = 0;
    ng_error err = {.message = ""};
    assert_int_equal(ng_predict_table_read(path, columns, 2, &rows, &n, &err), NG_OK);
    assert_int_equal(n, 2);
    assert_true(rows[0] == 0.0 && rows[1] == 2.5 && rows[2] == 10.0 && rows[3] == 30.0);
    ng_free(rows);
    unlink(path);
}

static void expect(const char *text, ng_status status, const char *words)
{
    const char *path = test_written("bad.csv", text);
    double *rows = NULL;
    size_t n = 0;
    ng_error err = {.message = ""};
    assert_int_equal(ng_predict_table_read(path, columns, 2, &rows, &n, &err), status);
    assert_null(rows);
    if (strstr(err.message, words) == NULL) {
        fail_msg("'%s' does not say '%s'", err.message, words);
    }
    unlink(path);
}

static void test_bad_tables(void **state)
{
    (void)state;
    expect("", NG_FORMAT, "without rows");
    expect("time_s,supply\n", NG_FORMAT, "without rows");
    expect("time,supply\n1,2\n", NG_FORMAT, "no column time_s");
    expect("1,2\n", NG_FORMAT, "no column time_s");
    expect("time_s,supply\n1\n", NG_INVALID, ":2: supply is ''");
    expect("time_s,supply\n1,nan\n", NG_INVALID, "supply is 'nan'");
    expect("time_s,supply\n1,2\n2,inf\n", NG_INVALID, ":3: supply is 'inf'");
    expect("time_s,supply\nten,2\n", NG_INVALID, "time_s is 'ten'");
}

static void test_absent_table(void **state)
{
    (void)state;
    double *rows = NULL;
    size_t n = 0;
    ng_error err = {.message = ""};
    assert_int_equal(ng_predict_table_read("/no/such/table.csv", columns, 2, &rows, &n, &err),
                     NG_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_in_any_order),
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_absent_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
