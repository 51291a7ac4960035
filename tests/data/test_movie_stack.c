/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stacks and pictures out: what is written comes back, and nothing half-written is left. */
#include <glob.h>
#include <png.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <tiffio.h>

#include "movie_test.h"

static const char *write_stack(const char *name, const ng_stack_format *format, const float *pixel)
{
    const char *path = test_output(name);
    ng_stack *stack = NULL;
    ng_error err = {.status = NG_OK};
    if (ng_stack_create(path, format, false, &stack, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < format->frames; i++) {
        assert_int_equal(ng_stack_write(stack, pixel + i, &err), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, &err), NG_OK);
    return path;
}

static void values_and_calibration_come_back(void **state)
{
    (void)state;
    static const ng_sample samples[] = {NG_SAMPLE_UINT8, NG_SAMPLE_UINT16, NG_SAMPLE_UINT32,
                                        NG_SAMPLE_FLOAT32};
    static const int bits[] = {8, 16, 32, 32};
    static const float most[] = {255.0f, 65535.0f, 4294967040.0f, 1e30f};
    for (size_t s = 0; s < 4; s++) {
        /* 1/0.0123456789 is no short decimal: the interval and the pixel must still be exact */
        const ng_stack_format format = {3, 2, 3, samples[s], 0.0123456789, 1.0 / 3.0};
        const float pixel[] = {0.0f, 1.0f, most[s], 3.0f, 4.0f, 5.0f, 6.0f, 7.0f};
        const char *path = write_stack("s.tif", &format, pixel);
        opened o = open_good(path);
        assert_string_equal(o.info->format, "imagej");
        assert_int_equal(o.info->bits, bits[s]);
        assert_int_equal(o.info->is_float, s == 3);
        assert_int_equal(o.info->frames, 3);
        assert_int_equal(o.warnings.n, 0);
        assert_close(o.info->pixel_nm, 0.0123456789, 0.0);
        assert_close(o.info->frame_s, 1.0 / 3.0, 0.0);
        assert_true(o.info->pixel_from_file && o.info->frame_from_file);
        for (size_t i = 0; i < 3; i++) {
            assert_memory_equal(read_good(&o, i), pixel + i, 6 * sizeof *pixel);
        }
        close_opened(&o);
        unlink(path);
    }
}

/* A stack cut short says how many frames it holds, and all of them are as they were written. */
static void a_part_says_its_length(void **state)
{
    (void)state;
    const ng_stack_format format = {3, 2, 12345, NG_SAMPLE_UINT16, 0.5, 2.0};
    const float pixel[] = {7.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 8.0f};
    for (size_t n = 1; n <= 3; n++) {
        const char *path = test_output("part.tif");
        ng_stack *stack = NULL;
        ng_error err;
        assert_int_equal(ng_stack_create(path, &format, false, &stack, &err), NG_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(ng_stack_write(stack, pixel + i, &err), NG_OK);
        }
        assert_int_equal(ng_stack_commit_part(stack, &err), NG_OK);
        opened o = open_good(path);
        assert_int_equal(o.info->frames, n);
        assert_int_equal(o.warnings.n, 0);
        assert_close(o.info->pixel_nm, 0.5, 0.0);
        assert_close(o.info->frame_s, 2.0, 0.0);
        for (size_t i = 0; i < n; i++) {
            assert_memory_equal(read_good(&o, i), pixel + i, 6 * sizeof *pixel);
        }
        close_opened(&o);
        unlink(path);
    }
}

static void what_imagej_needs_is_there(void **state)
{
    (void)state;
    const ng_stack_format format = {3, 2, 2, NG_SAMPLE_UINT16, 0.5, 2.0};
    const float pixel[7] = {0.0f};
    const char *path = write_stack("j.tif", &format, pixel);
    TIFF *t = TIFFOpen(path, "r");
    assert_non_null(t);
    char *text = NULL;
    float x = 0.0f;
    float y = 0.0f;
    assert_int_equal(TIFFGetField(t, TIFFTAG_IMAGEDESCRIPTION, &text), 1);
    assert_string_equal(text, "ImageJ=1.53t\nimages=2\nloop=false\nframes=2\nhyperstack=true\n"
                              "mode=grayscale\nunit=nm\npixel_nm=0.5\nfinterval=2\n");
    assert_int_equal(TIFFGetField(t, TIFFTAG_XRESOLUTION, &x), 1);
    assert_int_equal(TIFFGetField(t, TIFFTAG_YRESOLUTION, &y), 1);
    assert_true(x == 2.0f && y == 2.0f);
    TIFFClose(t);
    unlink(path);
}

/* 72 dots an inch, as pictures carry that were never calibrated; a flag still gives the pixel. */
static void dots_of_a_printer_are_no_pixels(void **state)
{
    (void)state;
    const ng_stack_format format = {1, 1, 1, NG_SAMPLE_UINT8, 25.4e6 / 72.0, NAN};
    const float pixel[] = {1.0f};
    const char *path = write_stack("dots.tif", &format, pixel);
    opened o = open_good(path);
    assert_true(isnan(o.info->pixel_nm));
    assert_true(warned(&o, "print-resolution"));
    close_opened(&o);
    ng_movie_read_options options = ng_movie_read_defaults();
    options.pixel_nm = 0.5;
    o = open_with(path, &options);
    assert_close(o.info->pixel_nm, 0.5, 0.0);
    assert_false(warned(&o, "pixel-nm-differs"));
    close_opened(&o);
    unlink(path);
}

static void whole_numbers_must_fit(void **state)
{
    (void)state;
    static const float bad[] = {-0.6f, 255.6f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const ng_stack_format format = {1, 1, 2, NG_SAMPLE_UINT8, NAN, NAN};
        const char *path = test_output("fit.tif");
        const float rounds = 254.5f; /* to even: 254 */
        ng_stack *stack = NULL;
        ng_error err;
        assert_int_equal(ng_stack_create(path, &format, false, &stack, &err), NG_OK);
        assert_int_equal(ng_stack_write(stack, &rounds, &err), NG_OK);
        assert_int_equal(ng_stack_write(stack, &bad[i], &err), NG_INVALID);
        assert_non_null(strstr(err.message, "frame 1 (the first is 0) has a value of"));
        ng_stack_abandon(stack);
        assert_int_not_equal(access(path, F_OK), 0);
    }
}

static void nothing_half_written_is_left(void **state)
{
    (void)state;
    const ng_stack_format format = {1, 1, 2, NG_SAMPLE_UINT8, NAN, NAN};
    const float pixel = 1.0f;
    const char *path = test_written("half.tif", "what was there");
    ng_stack *stack = NULL;
    ng_error err;
    assert_int_equal(ng_stack_create(path, &format, false, &stack, &err), NG_EXISTS);
    assert_null(stack);
    assert_int_equal(ng_stack_create(path, &format, true, &stack, &err), NG_OK);
    assert_int_equal(ng_stack_write(stack, &pixel, &err), NG_OK);
    assert_int_equal(ng_stack_commit(stack, &err), NG_INTERNAL);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, strlen("what was there"));
    char pattern[4200];
    snprintf(pattern, sizeof pattern, "%s.*", path);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
    unlink(path);
    assert_int_equal(ng_stack_create("-", &format, true, &stack, &err), NG_USAGE);
    assert_int_equal(ng_stack_create("/nowhere/x.tif", &format, true, &stack, &err), NG_IO);
    const ng_stack_format none = {0, 1, 2, NG_SAMPLE_UINT8, NAN, NAN};
    assert_int_equal(ng_stack_create(path, &none, true, &stack, &err), NG_INVALID);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("no /dev/full here\n");
        skip();
    }
    const ng_stack_format format = {64, 64, 1, NG_SAMPLE_FLOAT32, NAN, NAN};
    static const float pixel[64 * 64];
    ng_stack *stack = NULL;
    ng_error err = {.status = NG_OK};
    ng_status status = ng_stack_create("/dev/full", &format, true, &stack, &err);
    if (status == NG_OK) {
        status = ng_stack_write(stack, pixel, &err);
    }
    if (status == NG_OK) {
        status = ng_stack_commit(stack, &err);
    } else {
        ng_stack_abandon(stack);
    }
    assert_int_equal(status, NG_IO);
}

static void beyond_4_GB_it_is_a_bigtiff(void **state)
{
    (void)state;
    const ng_stack_format format = {1024, 1024, 1100, NG_SAMPLE_FLOAT32, NAN, NAN};
    const char *path = test_output("big.tif");
    ng_stack *stack = NULL;
    assert_int_equal(ng_stack_create(path, &format, false, &stack, NULL), NG_OK);
    char pattern[4200];
    snprintf(pattern, sizeof pattern, "%s.*", path);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    unsigned char head[4];
    FILE *stream = fopen(found.gl_pathv[0], "rb");
    assert_non_null(stream);
    assert_int_equal(fread(head, 1, 4, stream), 4);
    fclose(stream);
    globfree(&found);
    ng_stack_abandon(stack);
    assert_int_equal(head[0] == 'I' ? head[2] : head[3], 43);
}

/* 100,000 pages: time linear, memory flat. The list of offsets takes 0.8 MB (1 MB with its spare
 * room); 4 MB leave room for the allocator. */
static void many_pages_cost_no_memory(void **state)
{
    (void)state;
    enum { PAGES = 100000 };
    const ng_stack_format format = {4, 4, PAGES, NG_SAMPLE_UINT16, 0.5, 1.0};
    const char *path = test_output("many.tif");
    float pixel[16] = {0.0f};
    ng_stack *stack = NULL;
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(ng_stack_create(path, &format, false, &stack, NULL), NG_OK);
    for (size_t i = 0; i < PAGES; i++) {
        pixel[3] = (float)(i % 65536);
        assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    opened o = open_good(path);
    assert_int_equal(o.info->frames, PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        assert_int_equal(ng_movie_read(o.movie, i, pixel, NULL), NG_OK);
        assert_true(pixel[3] == (float)(i % 65536));
    }
    getrusage(RUSAGE_SELF, &after);
    close_opened(&o);
    unlink(path);
    long grown_kB = after.ru_maxrss - before.ru_maxrss;
    print_message("memory grew by %ld kB\n", grown_kB);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(grown_kB < 4096);
#endif
}

static void a_picture_comes_back(void **state)
{
    (void)state;
    unsigned char rgb[3 * 5 * 4];
    for (size_t i = 0; i < sizeof rgb; i++) {
        rgb[i] = (unsigned char)(i * 4);
    }
    const char *path = test_output("p.png");
    ng_error err;
    assert_int_equal(ng_png_write(path, rgb, 5, 4, false, &err), NG_OK);
    assert_int_equal(ng_png_write(path, rgb, 5, 4, false, &err), NG_EXISTS);
    assert_int_equal(ng_png_write(path, rgb, 0, 4, true, &err), NG_INVALID);
    for (long c = 0; c < 3; c++) {
        opened o = open_channel(path, c + 1);
        assert_int_equal(o.status, NG_OK);
        assert_string_equal(o.info->format, "png");
        const float *pixel = read_good(&o, 0);
        for (size_t i = 0; i < 20; i++) {
            assert_true(pixel[i] == (float)rgb[3 * i + (size_t)c]);
        }
        close_opened(&o);
    }
    unlink(path);
    if (access("/dev/full", W_OK) == 0) {
        assert_int_equal(ng_png_write("/dev/full", rgb, 5, 4, true, &err), NG_IO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_calibration_come_back),
        cmocka_unit_test(a_part_says_its_length),
        cmocka_unit_test(what_imagej_needs_is_there),
        cmocka_unit_test(dots_of_a_printer_are_no_pixels),
        cmocka_unit_test(whole_numbers_must_fit),
        cmocka_unit_test(nothing_half_written_is_left),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(many_pages_cost_no_memory),
        cmocka_unit_test(beyond_4_GB_it_is_a_bigtiff),
        cmocka_unit_test(a_picture_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
