/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>
#include <string.h>
#include <sys/stat.h>

#include "test_support.h"

static char path[4096];

static void choose_path(const char *name)
{
    snprintf(path, sizeof path, "%s", test_output(name));
}

static void write_file(const char *text, bool force)
{
    ng_output *out = NULL;
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_output_open(path, force, &out, &err), NG_OK);
    fputs(text, ng_output_stream(out));
    assert_int_equal(ng_output_commit(out, &err), NG_OK);
}

static void assert_content(const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(ng_file_read(path, 1 << 20, &text, &length, NULL), NG_OK);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    ng_free(text);
}

static void a_file_appears_only_when_it_is_whole(void **state)
{
    (void)state;
    choose_path("whole.txt");
    ng_output *out = NULL;
    assert_int_equal(ng_output_open(path, false, &out, NULL), NG_OK);
    fputs("half", ng_output_stream(out));
    assert_int_not_equal(access(path, F_OK), 0);
    ng_output_abandon(out);
    assert_int_not_equal(access(path, F_OK), 0);
    ng_output_abandon(NULL);
    write_file("whole\n", false);
    assert_content("whole\n");
    unlink(path);
}

static void an_existing_file_needs_force(void **state)
{
    (void)state;
    choose_path("exists.txt");
    write_file("old\n", false);
    ng_output *out = NULL;
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_output_open(path, false, &out, &err), NG_EXISTS);
    assert_null(out);
    assert_non_null(strstr(err.message, "--force"));
    assert_int_equal(ng_output_check(path, false, NULL), NG_EXISTS);
    assert_int_equal(ng_output_check(path, true, NULL), NG_OK);
    assert_content("old\n");
    write_file("new\n", true);
    assert_content("new\n");
    unlink(path);
}

static void a_link_is_followed(void **state)
{
    (void)state;
    choose_path("link-target.txt");
    write_file("old\n", false);
    char link_path[5000];
    snprintf(link_path, sizeof link_path, "%s.link", path);
    unlink(link_path);
    assert_int_equal(symlink(path, link_path), 0);
    ng_output *out = NULL;
    assert_int_equal(ng_output_open(link_path, true, &out, NULL), NG_OK);
    fputs("through\n", ng_output_stream(out));
    assert_int_equal(ng_output_commit(out, NULL), NG_OK);
    struct stat info;
    assert_int_equal(lstat(link_path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_content("through\n");
    unlink(link_path);
    unlink(path);
}

static void devices_and_folders_are_not_replaced(void **state)
{
    (void)state;
    ng_output *out = NULL;
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_output_open("/dev/null", false, &out, NULL), NG_OK);
    assert_int_equal(ng_output_commit(out, NULL), NG_OK);
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    assert_int_equal(ng_output_open("/tmp", true, &out, &err), NG_IO);
    assert_non_null(strstr(err.message, "folder"));
    assert_int_equal(ng_output_open("/nowhere/at/all.json", false, &out, &err), NG_IO);
    assert_null(out);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        skip();
    }
    ng_output *out = NULL;
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_output_open("/dev/full", true, &out, NULL), NG_OK);
    fputs("no room\n", ng_output_stream(out));
    assert_int_equal(ng_output_commit(out, &err), NG_IO);
    assert_non_null(strstr(err.message, "disk full"));
}

static void new_files_have_the_usual_mode(void **state)
{
    (void)state;
    choose_path("mode.txt");
    mode_t mask = umask(022);
    write_file("x", false);
    umask(mask);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    unlink(path);
}

static void reading_refuses_what_is_no_file(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    ng_error err = {.status = NG_OK};
    assert_int_equal(ng_file_read("/nowhere.csv", 100, &text, &length, &err), NG_IO);
    assert_non_null(strstr(err.message, "/nowhere.csv: "));
    assert_null(text);
    assert_int_equal(ng_file_read("/tmp", 100, &text, &length, &err), NG_IO);
    choose_path("large.txt");
    write_file("0123456789", false);
    assert_int_equal(ng_file_read(path, 9, &text, &length, &err), NG_IO);
    assert_null(text);
    assert_int_equal(ng_file_read(path, 10, &text, &length, &err), NG_OK);
    assert_int_equal(length, 10);
    ng_free(text);
    unlink(path);
}

static void a_large_file_is_read_whole(void **state)
{
    (void)state;
    enum { BYTES = 300000 };
    choose_path("long.txt");
    ng_output *out = NULL;
    assert_int_equal(ng_output_open(path, false, &out, NULL), NG_OK);
    for (int i = 0; i < BYTES; i++) {
        fputc('a' + i % 26, ng_output_stream(out));
    }
    assert_int_equal(ng_output_commit(out, NULL), NG_OK);
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(ng_file_read(path, BYTES, &text, &length, NULL), NG_OK);
    assert_int_equal(length, BYTES);
    assert_int_equal(text[BYTES - 1], 'a' + (BYTES - 1) % 26);
    assert_int_equal(text[BYTES], '\0');
    ng_free(text);
    unlink(path);
}

/* FIPS 180-2, appendix B. */
static void sha256_has_its_known_values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } vector[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
        choose_path("hash.txt");
        write_file(vector[i].text, false);
        char hex[65];
        uint64_t bytes = 99;
        assert_int_equal(ng_file_sha256(path, hex, &bytes, NULL), NG_OK);
        assert_string_equal(hex, vector[i].hex);
        assert_int_equal(bytes, strlen(vector[i].text));
        unlink(path);
    }
    char hex[65];
    uint64_t bytes = 0;
    assert_int_equal(ng_file_sha256("/nowhere", hex, &bytes, NULL), NG_IO);
    assert_string_equal(hex, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_appears_only_when_it_is_whole),
        cmocka_unit_test(an_existing_file_needs_force),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(devices_and_folders_are_not_replaced),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(new_files_have_the_usual_mode),
        cmocka_unit_test(reading_refuses_what_is_no_file),
        cmocka_unit_test(a_large_file_is_read_whole),
        cmocka_unit_test(sha256_has_its_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
