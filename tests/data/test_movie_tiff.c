/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TIFF in: every kind of sample and layout that libtiff writes comes back bit for bit. */
#include <tiffio.h>

#include "movie_test.h"

/* ---- TIFF made by libtiff -------------------------------------------------------------- */

typedef struct kind {
    unsigned bits, format;
} kind;

typedef struct layout {
    unsigned compression;
    unsigned tile; /* 0: strips */
    unsigned rows; /* of a strip */
    bool separate;
    const char *mode;
} layout;

enum { WIDTH = 37, HEIGHT = 21, PAGES = 3 };

/* Values that reach the ends of the range of every type. */
static double value_at(kind k, size_t page, size_t i, size_t sample)
{
    double most = ldexp(1.0, (int)k.bits - (k.format == SAMPLEFORMAT_INT)) - 1.0;
    double least = k.format == SAMPLEFORMAT_INT ? -most - 1.0 : 0.0;
    if (k.format == SAMPLEFORMAT_IEEEFP) {
        return ((double)i - 300.25) * 1.7 + 1e-3 * (double)(page + sample);
    }
    /* 64 bits are beyond a double: any whole number will do. */
    double span = k.bits > 32 ? 1e9 : most - least;
    least = k.bits > 32 ? 0.0 : least;
    return least + floor(span * (double)((i * 7919 + page * 31 + sample * 17) % 777) / 776.0);
}

static void store(kind k, double value, unsigned char *to)
{
    int64_t whole = k.format == SAMPLEFORMAT_IEEEFP ? 0 : (int64_t)value;
    float single = (float)value;
    if (k.format == SAMPLEFORMAT_IEEEFP) {
        memcpy(to, k.bits == 32 ? (const void *)&single : (const void *)&value, k.bits / 8);
    } else {
        uint8_t b = (uint8_t)whole;
        uint16_t h = (uint16_t)whole;
        uint32_t w = (uint32_t)whole;
        const void *from = k.bits == 8    ? (const void *)&b
                           : k.bits == 16 ? (const void *)&h
                           : k.bits == 32 ? (const void *)&w
                                          : (const void *)&whole;
        memcpy(to, from, k.bits / 8);
    }
}

static float expected(kind k, size_t page, size_t i, size_t sample)
{
    return (float)value_at(k, page, i, sample);
}

static void write_blocks(TIFF *t, kind k, const layout *l, unsigned samples, size_t page)
{
    unsigned w = l->tile > 0 ? l->tile : WIDTH;
    unsigned h = l->tile > 0 ? l->tile : l->rows;
    size_t bytes = k.bits / 8;
    unsigned planes = l->separate ? samples : 1;
    unsigned inside = l->separate ? 1 : samples;
    unsigned char *block = calloc((size_t)w * h * inside, bytes);
    for (unsigned plane = 0; plane < planes; plane++) {
        for (unsigned y0 = 0; y0 < HEIGHT; y0 += h) {
            for (unsigned x0 = 0; x0 < WIDTH; x0 += w) {
                unsigned rows = l->tile > 0 || HEIGHT - y0 >= h ? h : HEIGHT - y0;
                for (size_t i = 0; i < (size_t)w * rows * inside; i++) {
                    size_t x = x0 + i / inside % w;
                    size_t y = y0 + i / inside / w;
                    size_t s = l->separate ? plane : i % inside;
                    bool in = x < WIDTH && y < HEIGHT;
                    store(k, in ? value_at(k, page, y * WIDTH + x, s) : 0.0, block + i * bytes);
                }
                tmsize_t n = (tmsize_t)((size_t)w * rows * inside * bytes);
                if (l->tile > 0) {
                    uint32_t tile = TIFFComputeTile(t, x0, y0, 0, (uint16_t)plane);
                    assert_int_equal(TIFFWriteEncodedTile(t, tile, block, n), n);
                } else {
                    uint32_t strip = TIFFComputeStrip(t, y0, (uint16_t)plane);
                    assert_int_equal(TIFFWriteEncodedStrip(t, strip, block, n), n);
                }
            }
        }
    }
    free(block);
}

static void write_movie(const char *path, kind k, const layout *l, unsigned samples)
{
    TIFF *t = TIFFOpen(path, l->mode);
    assert_non_null(t);
    for (size_t page = 0; page < PAGES; page++) {
        TIFFSetField(t, TIFFTAG_IMAGEWIDTH, WIDTH);
        TIFFSetField(t, TIFFTAG_IMAGELENGTH, HEIGHT);
        TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, k.bits);
        TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, k.format);
        TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
        TIFFSetField(t, TIFFTAG_PHOTOMETRIC,
                     samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
        TIFFSetField(t, TIFFTAG_COMPRESSION, l->compression);
        TIFFSetField(t, TIFFTAG_PLANARCONFIG,
                     l->separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
        if (l->tile > 0) {
            TIFFSetField(t, TIFFTAG_TILEWIDTH, l->tile);
            TIFFSetField(t, TIFFTAG_TILELENGTH, l->tile);
        } else {
            TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, l->rows);
        }
        write_blocks(t, k, l, samples, page);
        assert_int_equal(TIFFWriteDirectory(t), 1);
    }
    TIFFClose(t);
}

/* Frames in an order that goes back. */
static void check_movie(const char *path, kind k, const layout *l, unsigned samples)
{
    static const size_t order[] = {0, 1, 2, 0, 2, 1};
    for (size_t s = 0; s < samples; s++) {
        opened o = open_channel(path, samples > 1 ? (long)s + 1 : 0);
        assert_int_equal(o.status, NG_OK);
        assert_int_equal(o.info->frames, PAGES);
        assert_int_equal(o.info->readable, PAGES);
        assert_int_equal(o.info->width, WIDTH);
        assert_int_equal(o.info->height, HEIGHT);
        assert_int_equal(o.info->bits, (int)k.bits);
        assert_int_equal(o.info->is_float, k.format == SAMPLEFORMAT_IEEEFP);
        assert_int_equal(o.info->is_signed, k.format != SAMPLEFORMAT_UINT);
        assert_int_equal(o.info->channels, samples);
        assert_true(isnan(o.info->pixel_nm) && isnan(o.info->frame_s));
        assert_string_equal(o.info->format, strchr(l->mode, '8') != NULL ? "bigtiff" : "tiff");
        for (size_t f = 0; f < sizeof order / sizeof order[0]; f++) {
            const float *pixel = read_good(&o, order[f]);
            for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
                if (pixel[i] != expected(k, order[f], i, s)) {
                    fail_msg("%u bit, format %u, frame %zu, pixel %zu: %g is not %g", k.bits,
                             k.format, order[f], i, (double)pixel[i],
                             (double)expected(k, order[f], i, s));
                }
            }
        }
        close_opened(&o);
    }
    unlink(path);
}

static void every_kind_of_sample_comes_back(void **state)
{
    (void)state;
    static const kind kinds[] = {
        {8, SAMPLEFORMAT_UINT},    {8, SAMPLEFORMAT_INT},   {16, SAMPLEFORMAT_UINT},
        {16, SAMPLEFORMAT_INT},    {32, SAMPLEFORMAT_UINT}, {32, SAMPLEFORMAT_INT},
        {64, SAMPLEFORMAT_UINT},   {64, SAMPLEFORMAT_INT},  {32, SAMPLEFORMAT_IEEEFP},
        {64, SAMPLEFORMAT_IEEEFP},
    };
    static const layout layouts[] = {
        {COMPRESSION_NONE, 0, HEIGHT, false, "wl"},      {COMPRESSION_NONE, 0, 4, false, "wb"},
        {COMPRESSION_NONE, 0, 5, false, "wl8"},          {COMPRESSION_LZW, 0, 7, false, "wl"},
        {COMPRESSION_ADOBE_DEFLATE, 16, 0, false, "wb"}, {COMPRESSION_PACKBITS, 0, 1, false, "wl"},
        {COMPRESSION_NONE, 32, 0, false, "wb8"},         {COMPRESSION_ZSTD, 0, 3, false, "wl"},
        {COMPRESSION_LZMA, 0, 9, false, "wb"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t j = 0; j < sizeof layouts / sizeof layouts[0]; j++) {
            if (TIFFIsCODECConfigured((uint16_t)layouts[j].compression) == 0) {
                continue; /* libtiff may be built without zstd or lzma */
            }
            const char *path = test_output("kinds.tif");
            write_movie(path, kinds[i], &layouts[j], 1);
            check_movie(path, kinds[i], &layouts[j], 1);
        }
    }
}

static void a_channel_is_chosen_from_colours(void **state)
{
    (void)state;
    static const layout layouts[] = {
        {COMPRESSION_NONE, 0, 6, false, "wl"},
        {COMPRESSION_LZW, 0, 6, true, "wb"},
        {COMPRESSION_NONE, 16, 0, false, "wl"},
        {COMPRESSION_ADOBE_DEFLATE, 16, 0, true, "wl"},
    };
    for (size_t j = 0; j < sizeof layouts / sizeof layouts[0]; j++) {
        const kind k = {16, SAMPLEFORMAT_UINT};
        const char *path = test_output("colours.tif");
        write_movie(path, k, &layouts[j], 3);
        opened o = open_with(path, NULL);
        assert_int_equal(o.status, NG_INVALID);
        assert_non_null(
            strstr(o.err.message, "3 channels (or colours); choose one with --channel"));
        close_opened(&o);
        o = open_channel(path, 4);
        assert_int_equal(o.status, NG_INVALID);
        assert_non_null(strstr(o.err.message, "--channel 4 is not there; the file has 3"));
        close_opened(&o);
        check_movie(path, k, &layouts[j], 3);
    }
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    const char *path = test_output("nan.tif");
    const ng_stack_format format = {2, 2, 1, NG_SAMPLE_FLOAT32, NAN, NAN};
    const float pixel[] = {NAN, INFINITY, -INFINITY, -0.0f};
    ng_stack *stack = NULL;
    assert_int_equal(ng_stack_create(path, &format, true, &stack, NULL), NG_OK);
    assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    opened o = open_good(path);
    const float *back = read_good(&o, 0);
    assert_true(isnan(back[0]) && back[1] == INFINITY && back[2] == -INFINITY);
    assert_true(back[3] == 0.0f && signbit(back[3]));
    close_opened(&o);
    unlink(path);
}

/* ---- ImageJ ---------------------------------------------------------------------------- */

/* A classic TIFF with `n` pages of 2 x 2 pixels; page i begins at value 4 i. */
static const char *described(const char *name, const char *description, size_t n, bool little)
{
    made b = tiff_start(little);
    size_t link = 4;
    for (size_t i = 0; i < n; i++) {
        tiff_shape p = {2, 2, 8, 1, i == 0 ? description : NULL, false};
        link = tiff_page(&b, link, &p, (unsigned)(4 * i));
    }
    const char *path = written(name, &b);
    free(b.data);
    return path;
}

static void imagej_axes_are_sorted(void **state)
{
    (void)state;
    const char *path = described("hyper.tif",
                                 "ImageJ=1.53t\nimages=6\nchannels=2\nframes=3\nhyperstack=true\n"
                                 "unit=\\u00B5m\nfinterval=250\ntunit=ms\n",
                                 6, false);
    opened o = open_channel(path, 2);
    assert_int_equal(o.status, NG_OK);
    assert_string_equal(o.info->format, "imagej");
    assert_int_equal(o.info->channels, 2);
    assert_int_equal(o.info->frames, 3);
    assert_close(o.info->frame_s, 0.25, 0.0);
    assert_true(isnan(o.info->pixel_nm)); /* there is a unit, but no resolution */
    for (size_t i = 0; i < 3; i++) {
        /* channels vary fastest: second plane of each time */
        assert_true(read_good(&o, i)[0] == (float)(4 * (2 * i + 1)));
    }
    close_opened(&o);
    unlink(path);
}

static void slices_stand_for_times(void **state)
{
    (void)state;
    const char *path = described("z.tif", "ImageJ=1.53t\nimages=4\nslices=4\nunit=nm\n", 4, true);
    opened o = open_good(path);
    assert_int_equal(o.info->frames, 4);
    assert_int_equal(o.info->slices, 4);
    assert_true(warned(&o, "slices-as-times"));
    assert_true(read_good(&o, 3)[0] == 12.0f);
    close_opened(&o);
    path = described("zt.tif", "ImageJ=1.53t\nimages=4\nslices=2\nframes=2\n", 4, true);
    o = open_with(path, NULL);
    assert_int_equal(o.status, NG_INVALID);
    assert_non_null(strstr(o.err.message, "2 slices (Z) at each of 2 times"));
    close_opened(&o);
    unlink(path);
}

static void a_stale_header_is_said(void **state)
{
    (void)state;
    const char *path = described("stale.tif", "ImageJ=1.53t\nimages=100\nslices=100\n", 3, true);
    opened o = open_good(path);
    assert_int_equal(o.info->frames, 3);
    assert_true(warned(&o, "pages-against-header"));
    close_opened(&o);
    path = described("fine.tif", "ImageJ=1.53t\nimages=3\ncf=0\nc0=-32768\n", 3, true);
    o = open_good(path);
    assert_int_equal(o.info->frames, 3);
    assert_false(warned(&o, "pages-against-header"));
    assert_true(warned(&o, "value-calibration"));
    close_opened(&o);
    unlink(path);
}

/* One directory, frames behind each other, as ImageJ writes beyond 4 GB. The file is sparse: only
 * what is written takes room on the disk. */
static void one_directory_for_many_frames(void **state)
{
    (void)state;
    enum { SIDE = 256, FRAMES = 40000 };
    const uint64_t frame = (uint64_t)SIDE * SIDE * 2;
    made b = tiff_start(false);
    const char *text = "ImageJ=1.53t\nimages=40000\nframes=40000\nfinterval=0.5\nunit=nm\n";
    tiff_shape p = {SIDE, SIDE, 16, 1, text, false};
    /* the pixels lie behind the directory */
    put_at(&b, 4, b.n, 4);
    put(&b, 11, 2);
    put_entry(&b, 256, 4, 1, p.width);
    put_entry(&b, 257, 4, 1, p.height);
    put_entry(&b, 258, 3, 1, p.bits);
    put_entry(&b, 259, 3, 1, 1);
    put_entry(&b, 262, 3, 1, 1);
    put_entry(&b, 270, 2, (unsigned)strlen(text) + 1, 160);
    put_entry(&b, 273, 4, 1, 512);
    put_entry(&b, 277, 3, 1, 1);
    put_entry(&b, 278, 4, 1, p.height);
    put_entry(&b, 279, 4, 1, (unsigned)frame);
    put_entry(&b, 282, 5, 1, 300);
    put(&b, 0, 4);
    put(&b, 0, 160 - b.n);
    put_text(&b, text, strlen(text) + 1);
    put(&b, 0, 300 - b.n);
    put(&b, 1886792, 4);
    put(&b, 1000000, 4);
    put(&b, 0, 512 - b.n);
    const char *path = written("giant.tif", &b);
    free(b.data);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    for (uint64_t i = 0; i < FRAMES; i += 9999) {
        const unsigned char mark[] = {(unsigned char)(i >> 8), (unsigned char)i};
        assert_int_equal(fseeko(stream, (off_t)(512 + i * frame + frame - 2), SEEK_SET), 0);
        assert_int_equal(fwrite(mark, 1, 2, stream), 2);
    }
    assert_int_equal(fflush(stream), 0);
    if (ftruncate(fileno(stream), (off_t)(512 + FRAMES * frame)) != 0) {
        fclose(stream);
        unlink(path);
        print_message("this disk holds no file of 5 GB\n");
        skip();
    }
    fclose(stream);
    opened o = open_good(path);
    assert_int_equal(o.info->frames, FRAMES);
    assert_int_equal(o.info->readable, FRAMES);
    assert_close(o.info->frame_s, 0.5, 0.0);
    /* 1886792/1000000 is 1/0.53 to seven digits */
    assert_close(o.info->pixel_nm, 0.53, 1e-6);
    for (size_t i = 0; i < FRAMES; i += 9999) {
        const float *pixel = read_good(&o, i);
        assert_true(pixel[0] == 0.0f && pixel[SIDE * SIDE - 1] == (float)i);
    }
    close_opened(&o);
    /* cut off within frame 39996, the last one that was marked */
    assert_int_equal(truncate(path, (off_t)(512 + 39997 * frame - 1)), 0);
    o = open_good(path);
    assert_int_equal(o.info->frames, FRAMES);
    assert_int_equal(o.info->readable, 39996);
    assert_true(warned(&o, "movie-broken"));
    (void)read_good(&o, 39995);
    float pixel[SIDE * SIDE];
    assert_int_equal(ng_movie_read(o.movie, 39996, pixel, &o.err), NG_FORMAT);
    assert_non_null(strstr(o.err.message, "frame 39996 (the first is 0): the file ends within it"));
    close_opened(&o);
    unlink(path);
}

/* ---- OME ------------------------------------------------------------------------------- */

#define OME_START                                                                                  \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME "                                              \
    "xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image ID=\"Image:0\">"

static void ome_axes_and_calibration(void **state)
{
    (void)state;
    const char *path = described(
        "ome.tif",
        OME_START "<Pixels DimensionOrder=\"XYTZC\" Type=\"uint8\" SizeX=\"2\" SizeY=\"2\" "
                  "SizeZ=\"1\" SizeC=\"2\" SizeT=\"3\" PhysicalSizeX=\"0.0325\" TimeIncrement="
                  "\"238\" TimeIncrementUnit=\"ms\"><TiffData/></Pixels></Image></OME>",
        6, true);
    opened o = open_channel(path, 2);
    assert_int_equal(o.status, NG_OK);
    assert_string_equal(o.info->format, "ome-tiff");
    assert_int_equal(o.info->frames, 3);
    /* micrometres where no unit is said: 0.0325 um; products of two doubles round once */
    assert_close(o.info->pixel_nm, 32.5, 1e-14 * 32.5);
    assert_close(o.info->frame_s, 0.238, 1e-16);
    for (size_t i = 0; i < 3; i++) {
        assert_true(read_good(&o, i)[0] == (float)(4 * (3 + i)));
    }
    close_opened(&o);
    unlink(path);
}

static void ome_pages_may_be_in_any_order(void **state)
{
    (void)state;
    const char *path = described(
        "order.tif",
        OME_START "<Pixels DimensionOrder=\"XYCZT\" SizeX=\"2\" SizeY=\"2\" SizeZ=\"1\" "
                  "SizeC=\"1\" SizeT=\"3\" PhysicalSizeX=\"5.3\" PhysicalSizeXUnit=\"\xc3\x85\">"
                  "<TiffData IFD=\"2\" FirstT=\"0\"/><TiffData IFD=\"0\" FirstT=\"1\" "
                  "PlaneCount=\"2\"/><Plane TheT=\"0\" DeltaT=\"1.5\"/><Plane TheT=\"2\" "
                  "DeltaT=\"4.5\"/></Pixels></Image></OME>",
        3, true);
    opened o = open_good(path);
    assert_close(o.info->pixel_nm, 0.53, 1e-15);
    assert_close(o.info->frame_s, 1.5, 0.0);
    assert_true(read_good(&o, 0)[0] == 8.0f);
    assert_true(read_good(&o, 1)[0] == 0.0f);
    assert_true(read_good(&o, 2)[0] == 4.0f);
    close_opened(&o);
    unlink(path);
}

static void ome_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    const char *path =
        described("part.tif",
                  OME_START "<Pixels DimensionOrder=\"XYCZT\" SizeC=\"2\" SizeZ=\"1\" "
                            "SizeT=\"3\"/></Image></OME>",
                  4, true);
    opened o = open_with(path, NULL);
    assert_int_equal(o.status, NG_INVALID);
    assert_non_null(strstr(o.err.message, "2 channels, 1 slices, 3 times, but the file has 4"));
    close_opened(&o);
    path = described("series.tif", OME_START "<Pixels SizeT=\"9\"/></Image></OME>", 4, true);
    o = open_good(path);
    assert_int_equal(o.info->frames, 4);
    assert_true(warned(&o, "pages-against-header"));
    close_opened(&o);
    path = described("xml.tif", "<Other><Pixels SizeT=\"9\"/></Other>", 4, true);
    o = open_good(path);
    assert_string_equal(o.info->format, "tiff");
    assert_int_equal(o.warnings.n, 0);
    close_opened(&o);
    unlink(path);
}

/* ---- pages ----------------------------------------------------------------------------- */

static void thumbnails_are_no_frames(void **state)
{
    (void)state;
    made b = tiff_start(true);
    size_t link = tiff_page(&b, 4, &(tiff_shape){4, 4, 8, 1, NULL, false}, 1);
    link = tiff_page(&b, link, &(tiff_shape){2, 2, 8, 1, NULL, true}, 50);
    tiff_page(&b, link, &(tiff_shape){4, 4, 8, 1, NULL, false}, 7);
    const char *path = written("thumbs.tif", &b);
    opened o = open_good(path);
    assert_int_equal(o.info->frames, 2);
    assert_true(read_good(&o, 1)[0] == 7.0f);
    close_opened(&o);
    unlink(path);
    free(b.data);
}

static void options_win_over_the_file(void **state)
{
    (void)state;
    const char *path = described("o.tif", "ImageJ=1.53t\nimages=2\nfinterval=2\n", 2, true);
    ng_movie_read_options options = ng_movie_read_defaults();
    options.frame_s = 0.5;
    options.pixel_nm = 0.3;
    opened o = open_with(path, &options);
    assert_close(o.info->frame_s, 0.5, 0.0);
    assert_close(o.info->pixel_nm, 0.3, 0.0);
    assert_false(o.info->frame_from_file || o.info->pixel_from_file);
    assert_true(warned(&o, "frame-s-differs"));
    assert_false(warned(&o, "pixel-nm-differs"));
    float pixel[4];
    assert_int_equal(ng_movie_read(o.movie, 2, pixel, &o.err), NG_INVALID);
    close_opened(&o);
    options.pixel_nm = -1.0;
    o = open_with(path, &options);
    assert_int_equal(o.status, NG_INVALID);
    close_opened(&o);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_sample_comes_back),
        cmocka_unit_test(a_channel_is_chosen_from_colours),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(imagej_axes_are_sorted),
        cmocka_unit_test(slices_stand_for_times),
        cmocka_unit_test(a_stale_header_is_said),
        cmocka_unit_test(one_directory_for_many_frames),
        cmocka_unit_test(ome_axes_and_calibration),
        cmocka_unit_test(ome_pages_may_be_in_any_order),
        cmocka_unit_test(ome_that_does_not_fit_is_refused),
        cmocka_unit_test(thumbnails_are_no_frames),
        cmocka_unit_test(options_win_over_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
