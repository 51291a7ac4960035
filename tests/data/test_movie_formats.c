/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MRC, Gatan DM3 and DM4, PNG and folders of images: files made by hand or by libpng. */
#include <png.h>
#include <sys/stat.h>

#include "movie_test.h"

/* ---- MRC ------------------------------------------------------------------------------- */

static void every_mode_of_mrc_comes_back(void **state)
{
    (void)state;
    static const struct {
        int mode, bits;
        bool is_float, is_signed;
        uint64_t stored[2]; /* two pixels as they are stored */
        float value[2];
    } modes[] = {
        {0, 8, false, true, {0x80, 0x7f}, {-128.0f, 127.0f}},
        {1, 16, false, true, {0x8000, 0x7fff}, {-32768.0f, 32767.0f}},
        {2, 32, true, true, {0x3fc00000, 0xc0200000}, {1.5f, -2.5f}},
        {6, 16, false, false, {0xffff, 0x0102}, {65535.0f, 258.0f}},
        /* half precision: -1.5, and the smallest number there is */
        {12, 16, true, true, {0xbe00, 0x0001}, {-1.5f, 5.9604644775390625e-8f}},
    };
    for (size_t i = 0; i < 2 * sizeof modes / sizeof modes[0]; i++) {
        size_t m = i / 2;
        const mrc_head head = {2, 1, 3, modes[m].mode, 64, 5.3f, false};
        made b = mrc_start(i % 2 == 0, &head);
        for (size_t f = 0; f < 3; f++) {
            for (size_t k = 0; k < 2; k++) {
                put(&b, modes[m].stored[(k + f) % 2], (size_t)modes[m].bits / 8);
            }
        }
        const char *path = written("m.mrc", &b);
        opened o = open_good(path);
        assert_string_equal(o.info->format, "mrc");
        assert_int_equal(o.info->frames, 3);
        assert_int_equal(o.info->bits, modes[m].bits);
        assert_int_equal(o.info->is_float, modes[m].is_float);
        assert_int_equal(o.info->is_signed, modes[m].is_signed);
        /* 10.6 angstrom over two pixels, in single precision, means 0.53 nm */
        assert_close(o.info->pixel_nm, 0.53, 1e-16);
        assert_true(isnan(o.info->frame_s));
        for (size_t f = 0; f < 3; f++) {
            const float *pixel = read_good(&o, f);
            assert_true(pixel[0] == modes[m].value[f % 2]);
            assert_true(pixel[1] == modes[m].value[(f + 1) % 2]);
        }
        close_opened(&o);
        unlink(path);
        free(b.data);
    }
}

static void old_and_odd_mrc(void **state)
{
    (void)state;
    /* without a mark the name decides */
    made b = mrc_start(true, &(mrc_head){2, 2, 1, 0, 0, 0.0f, true});
    put(&b, 0x04030201, 4);
    const char *path = written("old.mrc", &b);
    opened o = open_good(path);
    assert_true(isnan(o.info->pixel_nm));
    assert_true(read_good(&o, 0)[3] == 4.0f);
    close_opened(&o);
    unlink(path);
    /* IMOD's mark, without its flag for signs: bytes are unsigned */
    put_at(&b, 152, 1146047817, 4);
    put_at(&b, 1024, 200, 1);
    path = written("imod.mrc", &b);
    o = open_good(path);
    assert_true(read_good(&o, 0)[0] == 200.0f);
    close_opened(&o);
    unlink(path);
    free(b.data);
    b = mrc_start(true, &(mrc_head){2, 2, 1, 0, 0, 1.0f, false});
    put(&b, 0, 4);
    path = written("default.mrc", &b);
    o = open_good(path);
    assert_true(warned(&o, "default-pixel"));
    close_opened(&o);
    unlink(path);
    free(b.data);
}

static void a_cut_mrc_keeps_its_frames(void **state)
{
    (void)state;
    made b = mrc_start(true, &(mrc_head){2, 2, 5, 1, 32, 2.0f, false});
    for (unsigned i = 0; i < 11; i++) {
        put(&b, i, 2);
    }
    const char *path = written("cut.mrc", &b);
    opened o = open_good(path);
    float pixel[4];
    assert_int_equal(o.info->frames, 5);
    assert_int_equal(o.info->readable, 2);
    assert_true(read_good(&o, 1)[3] == 7.0f);
    assert_int_equal(ng_movie_read(o.movie, 2, pixel, &o.err), NG_FORMAT);
    assert_string_equal(message_tail(o.err.message, path) + strlen(strrchr(path, '/') + 1),
                        ": frame 2 (the first is 0): the file ends within it, of 5 frames that "
                        "the header says; it was cut off");
    close_opened(&o);
    unlink(path);
    free(b.data);
}

/* ---- Gatan ----------------------------------------------------------------------------- */

typedef struct dm_case {
    int version;
    bool little;
    float scale;
    uint16_t unit[3];
    size_t unit_length;
} dm_case;

static void dm_axis(dm *d, float scale, const uint16_t *unit, size_t length)
{
    dm_group(d, "", 3);
    dm_float(d, "Origin", 0.0f);
    dm_float(d, "Scale", scale);
    dm_text(d, "Units", unit, length);
}

/* ImageData of 2 x 2 pixels (type 10: 16 bit unsigned) and `frames` frames. */
static void dm_image(dm *d, const dm_case *c, unsigned type, unsigned frames)
{
    static const uint16_t seconds[] = {'s'};
    dm_group(d, "", 1);
    dm_group(d, "ImageData", 4);
    dm_group(d, "Calibrations", 1);
    dm_group(d, "Dimension", 3);
    dm_axis(d, c->scale, c->unit, c->unit_length);
    dm_axis(d, c->scale, c->unit, c->unit_length);
    dm_axis(d, 0.25f, seconds, 1);
    dm_array(d, "Data", 4, 4 * frames);
    for (unsigned i = 0; i < 4 * frames; i++) {
        dm_data(d, 60000 + i, 2);
    }
    dm_number(d, "DataType", 5, type);
    dm_group(d, "Dimensions", 3);
    dm_number(d, "", 5, 2);
    dm_number(d, "", 5, 2);
    dm_number(d, "", 5, frames);
}

/* A file as DigitalMicrograph orders it: a thumbnail, then the movie; other tags around. */
static made dm_file(const dm_case *c, unsigned frames)
{
    dm d = dm_start(c->version, c->little, 3);
    dm_group(&d, "DocumentObjectList", 1);
    dm_name(&d, 21, "AnnotationRect"); /* a struct of two floats */
    put_text(&d.b, "%%%%", 4);
    dm_size(&d, 7);
    dm_size(&d, 15);
    dm_size(&d, 0);
    dm_size(&d, 2);
    dm_size(&d, 0);
    dm_size(&d, 6);
    dm_size(&d, 0);
    dm_size(&d, 6);
    dm_data(&d, 0, 8);
    dm_group(&d, "ImageList", 2);
    dm_image(&d, c, 23, frames + 2); /* in colours, and larger */
    dm_image(&d, c, 10, frames);
    dm_number(&d, "InImageMode", 5, 1);
    put(&d.b, 0, 8);
    return d.b;
}

static void gatan_movies_come_back(void **state)
{
    (void)state;
    static const dm_case cases[] = {
        {3, true, 0.53f, {'n', 'm'}, 2},
        {3, false, 5.3e-4f, {0xb5, 'm'}, 2},
        {4, true, 5.3f, {0x212b}, 1},
        {4, false, 0.53f, {'n', 'm', 0}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made b = dm_file(&cases[i], 3);
        const char *path = written("g.dm", &b);
        opened o = open_good(path);
        assert_string_equal(o.info->format, cases[i].version == 3 ? "dm3" : "dm4");
        assert_int_equal(o.info->frames, 3);
        assert_int_equal(o.info->bits, 16);
        /* the header has single precision; the decimal that was meant comes out */
        assert_close(o.info->pixel_nm, 0.53, 1e-16);
        assert_close(o.info->frame_s, 0.25, 0.0);
        for (unsigned f = 0; f < 3; f++) {
            assert_true(read_good(&o, f)[3] == (float)(60000 + 4 * f + 3));
        }
        close_opened(&o);
        unlink(path);
        free(b.data);
    }
}

static void a_diffraction_pattern_has_no_pixel_size(void **state)
{
    (void)state;
    made b = dm_file(&(dm_case){3, true, 0.1f, {'1', '/', 'n'}, 3}, 1);
    const char *path = written("d.dm3", &b);
    opened o = open_good(path);
    assert_true(isnan(o.info->pixel_nm));
    close_opened(&o);
    unlink(path);
    free(b.data);
}

/* Every beginning of a file fails with a sentence, or opens; nothing crashes or hangs. */
static void a_cut_gatan_file_is_an_error(void **state)
{
    (void)state;
    for (int version = 3; version <= 4; version++) {
        made b = dm_file(&(dm_case){version, true, 0.5f, {'n', 'm'}, 2}, 3);
        size_t opened_at = 0;
        for (size_t n = 4; n < b.n; n++) {
            ng_movie *movie = NULL;
            ng_error err = {.status = NG_OK};
            ng_status status = ng_movie_open_memory(b.data, n, "cut.dm", NULL, &movie, NULL, &err);
            if (status == NG_OK) {
                opened_at = opened_at > 0 ? opened_at : n;
            } else {
                assert_int_equal(status, NG_FORMAT);
                assert_non_null(strstr(err.message, "it was cut off"));
            }
            ng_movie_close(movie);
        }
        /* only when all but the closing zeros is there */
        assert_true(opened_at >= b.n - 8);
        free(b.data);
    }
}

/* ---- PNG ------------------------------------------------------------------------------- */

/* A picture of 5 x 4 whose sample i is i times `step`. */
static const char *write_png(const char *name, int depth, int colour, bool interlaced,
                             unsigned step)
{
    const char *path = test_output(name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, stream);
    png_set_IHDR(png, info, 5, 4, depth, colour, interlaced ? PNG_INTERLACE_ADAM7 : 0, 0, 0);
    unsigned samples = colour == PNG_COLOR_TYPE_RGB ? 3 : colour == PNG_COLOR_TYPE_GRAY ? 1 : 2;
    unsigned char image[4][64] = {{0}};
    png_bytep rows[4] = {image[0], image[1], image[2], image[3]};
    for (unsigned i = 0; i < 20 * samples; i++) {
        unsigned row = i / (5 * samples);
        unsigned at = i % (5 * samples);
        unsigned value = i * step;
        if (depth == 16) {
            image[row][2 * at] = (unsigned char)(value >> 8);
            image[row][2 * at + 1] = (unsigned char)value;
        } else if (depth == 8) {
            image[row][at] = (unsigned char)value;
        } else {
            unsigned shift = 8 - (unsigned)depth * (at % (8 / (unsigned)depth) + 1);
            value %= 1u << depth;
            image[row][at * (unsigned)depth / 8] |= (unsigned char)(value << shift);
        }
    }
    png_write_info(png, info);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    return path;
}

static void grey_values_of_png_are_not_rescaled(void **state)
{
    (void)state;
    static const int depths[] = {1, 2, 4, 8, 16};
    for (size_t d = 0; d < 10; d++) {
        int depth = depths[d / 2];
        unsigned step = depth == 16 ? 3001 : 7;
        const char *path = write_png("grey.png", depth, PNG_COLOR_TYPE_GRAY, d % 2 == 1, step);
        opened o = open_good(path);
        assert_int_equal(o.info->bits, depth == 16 ? 16 : 8);
        const float *pixel = read_good(&o, 0);
        for (unsigned i = 0; i < 20; i++) {
            assert_true(pixel[i] == (float)(i * step % (1u << depth)));
        }
        close_opened(&o);
        unlink(path);
    }
}

static void a_cut_png_is_an_error(void **state)
{
    (void)state;
    const char *path = write_png("cut.png", 8, PNG_COLOR_TYPE_GRAY, false, 3);
    assert_int_equal(truncate(path, 50), 0);
    opened o = open_good(path);
    float pixel[20];
    assert_int_equal(ng_movie_read(o.movie, 0, pixel, &o.err), NG_FORMAT);
    assert_non_null(strstr(o.err.message, "frame 0 (the first is 0): the file ends within"));
    close_opened(&o);
    unlink(path);
}

/* ---- folders --------------------------------------------------------------------------- */

static char folder[4096];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "%s", test_output("folder"));
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void add_image(const char *name, unsigned width, unsigned bits, unsigned first)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &(tiff_shape){width, 2, bits, 1, NULL, false}, first);
    const char *path = written("one.tif", &b);
    char to[8192];
    snprintf(to, sizeof to, "%s/%s", folder, name);
    assert_int_equal(rename(path, to), 0);
    free(b.data);
}

static void remove_folder(void)
{
    char command[8192];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void folders_count_as_people_do(void **state)
{
    (void)state;
    make_folder();
    add_image("frame10.tif", 3, 8, 100);
    add_image("frame9.TIF", 3, 8, 90);
    add_image("frame012.tif", 3, 8, 120);
    add_image(".frame1.tif", 3, 8, 10);
    opened o = open_good(folder);
    assert_string_equal(o.info->format, "tiff-folder");
    assert_int_equal(o.info->frames, 3);
    assert_true(read_good(&o, 0)[0] == 90.0f);
    assert_true(read_good(&o, 1)[0] == 100.0f);
    assert_true(read_good(&o, 2)[0] == 120.0f);
    assert_int_equal(o.warnings.n, 1);
    assert_string_equal(o.warnings.item[0].name, "numbers-missing");
    assert_non_null(strstr(o.warnings.item[0].text,
                           "missing: 1 (the first between frame10.tif and frame012.tif)"));
    close_opened(&o);
    remove_folder();
}

static void folders_that_are_no_movie(void **state)
{
    (void)state;
    make_folder();
    opened o = open_with(folder, NULL);
    assert_int_equal(o.status, NG_TOO_LITTLE);
    close_opened(&o);
    add_image("a1.tif", 3, 8, 1);
    add_image("a2.tif", 4, 8, 1);
    add_image("a3.tif", 4, 16, 1);
    o = open_good(folder);
    float pixel[8];
    (void)read_good(&o, 0);
    assert_int_equal(ng_movie_read(o.movie, 1, pixel, &o.err), NG_FORMAT);
    assert_non_null(strstr(o.err.message, "frame 1 (the first is 0): a2.tif has 4 x 2 pixels, the "
                                          "first has 3 x 2; all must be of one size"));
    (void)read_good(&o, 0);
    close_opened(&o);
    add_image("b1.tif", 3, 8, 1);
    o = open_good(folder);
    assert_true(warned(&o, "names-differ"));
    close_opened(&o);
    add_image("c1.png", 3, 8, 1);
    o = open_with(folder, NULL);
    assert_int_equal(o.status, NG_INVALID);
    assert_non_null(strstr(o.err.message, "4 TIFF and 1 PNG images"));
    close_opened(&o);
    remove_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_of_mrc_comes_back),
        cmocka_unit_test(old_and_odd_mrc),
        cmocka_unit_test(a_cut_mrc_keeps_its_frames),
        cmocka_unit_test(gatan_movies_come_back),
        cmocka_unit_test(a_diffraction_pattern_has_no_pixel_size),
        cmocka_unit_test(a_cut_gatan_file_is_an_error),
        cmocka_unit_test(grey_values_of_png_are_not_rescaled),
        cmocka_unit_test(a_cut_png_is_an_error),
        cmocka_unit_test(folders_count_as_people_do),
        cmocka_unit_test(folders_that_are_no_movie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
