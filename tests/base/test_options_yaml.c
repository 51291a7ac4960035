/* SPDX-License-Identifier: GPL-3.0-or-later */
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

static char path[4096];

static ng_status read_text(example *e, const char *text, const char *section, ng_text_list *files,
                           ng_error *err)
{
    snprintf(path, sizeof path, "%s", test_written("options.yaml", text));
    ng_status status = ng_options_yaml(e->set, path, section, files, err);
    unlink(path);
    return status;
}

/* The message is "<path>:<rest>". */
static void assert_says(const ng_error *err, const char *rest)
{
    assert_memory_equal(err->message, path, strlen(path));
    assert_string_equal(err->message + strlen(path), rest);
}

static void a_section_is_read(void **state)
{
    example *e = *state;
    ng_text_list files = {0};
    const char *text = "ensemble:\n  pixel-nm: 3\n"
                       "fit growth:\n  pixel-nm: 0.2\n  smooth: false\n  estimator: forward\n"
                       "  eps-e: -1.35\n  bootstrap:\n  files: tracks.csv\n";
    assert_int_equal(read_text(e, text, "fit-growth", &files, NULL), NG_OK);
    assert_true(e->target.pixel_nm == 0.2);
    assert_false(e->target.smooth);
    assert_string_equal(e->target.estimator, "forward");
    assert_true(e->target.eps_e == -1.35);
    assert_int_equal(e->target.bootstrap, 50);
    assert_int_equal(ng_options_origin(e->set, "pixel-nm"), NG_ORIGIN_FILE);
    assert_int_equal(files.n, 1);
    ng_text_list_free(&files);
}

static void a_flat_file_is_read_whole(void **state)
{
    example *e = *state;
    assert_int_equal(read_text(e, "pixel-nm: 7\n", "ensemble", NULL, NULL), NG_OK);
    assert_true(e->target.pixel_nm == 7.0);
    assert_int_equal(read_text(e, "pixel-nm: 8\n", NULL, NULL, NULL), NG_OK);
    assert_true(e->target.pixel_nm == 8.0);
    assert_int_equal(read_text(e, "ensemble:\n", "ensemble", NULL, NULL), NG_OK);
}

static void paths_are_relative_to_the_file(void **state)
{
    example *e = *state;
    ng_text_list files = {0};
    const char *text =
        "files: [a.csv, /b.csv, '-']\ndataset: ['c.csv,/d.csv', e.csv]\nmaterial: Pt\n";
    assert_int_equal(read_text(e, text, NULL, &files, NULL), NG_OK);
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    *(strrchr(folder, '/') + 1) = '\0';
    char expected[9000];
    snprintf(expected, sizeof expected, "%sa.csv", folder);
    assert_string_equal(files.item[0], expected);
    assert_string_equal(files.item[1], "/b.csv");
    assert_string_equal(files.item[2], "-");
    snprintf(expected, sizeof expected, "%sc.csv,/d.csv", folder);
    assert_string_equal(e->target.dataset.item[0], expected);
    assert_int_equal(e->target.dataset.n, 2);
    /* No file of that name lies there, so it is a word. */
    assert_string_equal(e->target.material, "Pt");
    ng_text_list_free(&files);
}

static void a_word_that_is_a_file_beside_the_yaml_is_that_file(void **state)
{
    example *e = *state;
    char material[4096];
    snprintf(material, sizeof material, "%s", test_written("silver.yaml", "name: Ag\n"));
    char text[5000];
    snprintf(text, sizeof text, "material: %s\n", strrchr(material, '/') + 1);
    assert_int_equal(read_text(e, text, NULL, NULL, NULL), NG_OK);
    assert_string_equal(e->target.material, material);
    unlink(material);
}

static void mistakes_are_named_with_their_line(void **state)
{
    example *e = *state;
    ng_error err = {.status = NG_OK};
    assert_int_equal(read_text(e, "a:\n  pixel-nm: 1\n  pixl-nm: 2\n", "a", NULL, &err), NG_USAGE);
    assert_says(&err, ":3: pixl-nm: no such option; did you mean pixel-nm?");
    assert_int_equal(read_text(e, "pixel-nm: -1\n", NULL, NULL, &err), NG_USAGE);
    assert_says(&err, ":1: pixel-nm: -1 is out of range; allowed is 0 to 1000 nm");
    assert_int_equal(read_text(e, "\npixel-nm: [1, 2]\n", NULL, NULL, &err), NG_USAGE);
    assert_says(&err, ":2: pixel-nm: a single value is expected");
    assert_int_equal(read_text(e, "files: x\n", NULL, NULL, &err), NG_USAGE);
    assert_says(&err, ":1: files: no such option");
    assert_int_equal(read_text(e, "b:\n  pixel-nm: 1\n", "a", NULL, &err), NG_USAGE);
    assert_says(&err, ": has no section `a`");
    assert_int_equal(read_text(e, "a: 3\n", "a", NULL, &err), NG_USAGE);
    assert_says(&err, ":1: a: option names are expected below it");
}

static void what_is_no_mapping_is_refused(void **state)
{
    example *e = *state;
    static const char *const broken[] = {"",        "- a\n",        "just words\n", "a: [1\n",
                                         "a: *b\n", "? [x]\n: 1\n", "\x01"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        ng_error err = {.status = NG_OK};
        assert_int_equal(read_text(e, broken[i], NULL, NULL, &err), NG_USAGE);
        assert_memory_equal(err.message, path, strlen(path));
    }
    assert_int_equal(ng_options_yaml(e->set, "/nowhere.yaml", NULL, NULL, NULL), NG_IO);
}

static void sections_are_checked_by_name(void **state)
{
    (void)state;
    const char *const names[] = {"ensemble", "fit growth", "report"};
    bool present[3] = {false};
    ng_error err = {.status = NG_OK};
    snprintf(path, sizeof path, "%s",
             test_written("sections.yaml", "fit-growth:\nreport:\n  x: 1\n"));
    assert_int_equal(ng_options_yaml_sections(path, names, 3, present, NULL), NG_OK);
    assert_false(present[0]);
    assert_true(present[1] && present[2]);
    snprintf(path, sizeof path, "%s", test_written("sections.yaml", "report:\nensembel:\n"));
    assert_int_equal(ng_options_yaml_sections(path, names, 3, present, &err), NG_USAGE);
    assert_says(&err, ":2: ensembel: no such section; did you mean ensemble?");
    unlink(path);
}

#define WITH_SET(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SET(a_section_is_read),
        WITH_SET(a_flat_file_is_read_whole),
        WITH_SET(paths_are_relative_to_the_file),
        WITH_SET(a_word_that_is_a_file_beside_the_yaml_is_that_file),
        WITH_SET(mistakes_are_named_with_their_line),
        WITH_SET(what_is_no_mapping_is_refused),
        cmocka_unit_test(sections_are_checked_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
