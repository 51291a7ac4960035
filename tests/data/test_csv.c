/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_test.h"

/* The fields of a text, one record a line, fields in <>, each record behind its line number. */
static const char *walk(const char *text, char *out, size_t size)
{
    ng_csv csv;
    ng_error err = {.status = NG_OK};
    size_t n = 0;
    out[0] = '\0';
    assert_int_equal(ng_csv_open(&csv, text, strlen(text), "t.csv", &err), NG_OK);
    while (ng_csv_next_record(&csv)) {
        n += (size_t)snprintf(out + n, size - n, "%zu", csv.row_line);
        ng_field field;
        bool found = true;
        while (found) {
            assert_int_equal(ng_csv_next_field(&csv, &field, &found, &err), NG_OK);
            if (found) {
                n += (size_t)snprintf(out + n, size - n, "<%.*s>", (int)field.length, field.text);
            }
        }
        n += (size_t)snprintf(out + n, size - n, "\n");
    }
    return out;
}

static void records_and_fields_of_every_style(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a,b\n1,2\n", "1<a><b>\n2<1><2>\n"},
        {"a,b\n1,2", "1<a><b>\n2<1><2>\n"},
        {"a,b\r\n1,2\r\n", "1<a><b>\n2<1><2>\n"},
        {"a,b\r1,2\r", "1<a><b>\n2<1><2>\n"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "1<a><b>\n"},
        {"a;b\n1,5;2\n", "1<a><b>\n2<1,5><2>\n"},
        {"a\tb\n1\t\n", "1<a><b>\n2<1><>\n"},
        {"# c\n\na,b\n# x,y\n\n1,2\n", "3<a><b>\n6<1><2>\n"},
        {"a,b\n,,,\n  \n1,2\n", "1<a><b>\n4<1><2>\n"},
        {" a , b \n 1 , 2 \n", "1<a><b>\n2<1><2>\n"},
        {"\"a,b\",\"c\"\n\"1\", \"2\" \n", "1<a,b><c>\n2<1><2>\n"},
        {"a,b\n\"x\"\"y\",\"two\nlines\"\n3,4\n", "1<a><b>\n2<x\"\"y><two\nlines>\n4<3><4>\n"},
        {"a,b,\n1,,\n", "1<a><b><>\n2<1><><>\n"},
        {"a\n1\n", "1<a>\n2<1>\n"},
        {"\"x,y,z\";b\n1;2\n", "1<x,y,z><b>\n2<1><2>\n"},
    };
    char out[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(walk(cases[i].text, out, sizeof out), cases[i].expected);
    }
}

static void text_for_messages_is_printable(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain", "'plain'"},
        {"tab\tnew\nline", "'tab?new?line'"},
        {"\xc2\xb5m", "'\xc2\xb5m'"},
        {"\xff\xfe\x80", "'?\?\?'"},
        {"cut \xc3", "'cut ?'"},
        {"a very long text that has to be shortened somewhere",
         "'a very long text that has to be shortene...'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ng_field field = {cases[i].text, strlen(cases[i].text)};
        char shown[48];
        ng_field_show(&field, shown);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void a_very_long_line_is_no_trouble(void **state)
{
    (void)state;
    size_t length = 10000000;
    char *text = ng_alloc(length + 100, 1);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "track,frame,time_s,radius_nm,note\n1,0,0,2,");
    memset(text + n, 'x', length);
    strcpy(text + n + length, "\n1,1,1,2,\n");
    reading r = read_good(text);
    assert_int_equal(r.tracks.n_points, 2);
    reading_free(&r);
    ng_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_and_fields_of_every_style),
        cmocka_unit_test(text_for_messages_is_printable),
        cmocka_unit_test(a_very_long_line_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
