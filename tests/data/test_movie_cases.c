/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Broken movies, each with the exact message that it must give: when it is opened, or else at the
 * first frame that cannot be read. All end the program with exit code 3. */
#include "movie_test.h"

static const tiff_shape plain = {4, 3, 8, 1, NULL, false};

/* Three whole pages. */
static made three_pages(size_t link[4])
{
    made b = tiff_start(true);
    link[0] = 4;
    for (size_t i = 0; i < 3; i++) {
        link[i + 1] = tiff_page(&b, link[i], &plain, (unsigned)i);
    }
    return b;
}

/* Where an entry's value lies in the directory that `link` points to. */
static size_t value_of(const made *b, size_t link, unsigned tag)
{
    size_t at = (size_t)ng_bytes_number(b->data + link, 4, b->little);
    size_t n = (size_t)ng_bytes_number(b->data + at, 2, b->little);
    for (size_t i = 0; i < n; i++) {
        size_t entry = at + 2 + 12 * i;
        if (ng_bytes_number(b->data + entry, 2, b->little) == tag) {
            return entry + 8;
        }
    }
    fail_msg("no tag %u", tag);
    return 0;
}

/* ---- TIFF ------------------------------------------------------------------------------ */

static made cut_in_header(void)
{
    made b = tiff_start(true);
    b.n = 6;
    return b;
}

static made no_page(void)
{
    return tiff_start(true);
}

static made cut_before_first_directory(void)
{
    size_t link[4];
    made b = three_pages(link);
    b.n = 16;
    return b;
}

static made cut_before_third_directory(void)
{
    size_t link[4];
    made b = three_pages(link);
    b.n = (size_t)ng_bytes_number(b.data + link[2], 4, true);
    return b;
}

static made cut_within_third_directory(void)
{
    size_t link[4];
    made b = three_pages(link);
    b.n -= 20;
    return b;
}

static made damaged_directory(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, (size_t)ng_bytes_number(b.data + link[1], 4, true), 0xffff, 2);
    return b;
}

static made loop_of_directories(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, link[3], ng_bytes_number(b.data + link[1], 4, true), 4);
    return b;
}

static made loop_to_itself(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, link[1], ng_bytes_number(b.data + link[0], 4, true), 4);
    return b;
}

static made mixed_sizes(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, value_of(&b, link[2], 256), 5, 4);
    return b;
}

static made mixed_depths(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, value_of(&b, link[1], 258), 16, 2);
    return b;
}

static made zero_width(void)
{
    size_t link[4];
    made b = three_pages(link);
    for (size_t i = 0; i < 3; i++) {
        put_at(&b, value_of(&b, link[i], 256), 0, 4);
    }
    return b;
}

static made absurd_size(void)
{
    size_t link[4];
    made b = three_pages(link);
    for (size_t i = 0; i < 3; i++) {
        put_at(&b, value_of(&b, link[i], 256), 0x7fffffff, 4);
        put_at(&b, value_of(&b, link[i], 257), 0x7fffffff, 4);
    }
    return b;
}

/* Not absurd in itself, but the file cannot hold it. */
static made large_size(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, value_of(&b, link[0], 256), 30000, 4);
    put_at(&b, value_of(&b, link[0], 257), 30000, 4);
    return b;
}

/* The same behind a compression that shrinks 4000-fold at most. */
static made compression_bomb(void)
{
    made b = large_size();
    put_at(&b, value_of(&b, 4, 259), 5, 2);
    return b;
}

static made twelve_bits(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &(tiff_shape){4, 2, 12, 1, NULL, false}, 0);
    return b;
}

static made colours(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &(tiff_shape){4, 2, 8, 3, NULL, false}, 0);
    return b;
}

static made unknown_compression(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &plain, 0);
    put_at(&b, value_of(&b, 4, 259), 54321, 2);
    return b;
}

/* The pixels of page 1 are said to lie beyond the end. */
static made pixels_beyond_the_end(void)
{
    size_t link[4];
    made b = three_pages(link);
    put_at(&b, value_of(&b, link[1], 273), 100000, 4);
    return b;
}

static made broken_ome(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &(tiff_shape){4, 2, 8, 1, "<OME><Image><Pixels SizeT=\"1\"", false}, 0);
    return b;
}

static made absurd_ome(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4,
              &(tiff_shape){4, 2, 8, 1, "<OME><Image><Pixels SizeT=\"-1\"/></Image></OME>", false},
              0);
    return b;
}

static made ome_with_entities(void)
{
    made b = tiff_start(true);
    const char *text = "<!DOCTYPE OME [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><OME>&e;</OME>";
    tiff_page(&b, 4, &(tiff_shape){4, 2, 8, 1, text, false}, 0);
    return b;
}

static made ome_without_frames(void)
{
    made b = tiff_start(true);
    const char *text = "<OME><Image><Pixels SizeT=\"0\"/></Image></OME>";
    tiff_page(&b, 4, &(tiff_shape){4, 2, 8, 1, text, false}, 0);
    return b;
}

/* The pixels of 900 frames follow the directory; there are five, and a part of the sixth. */
static made imagej_cut_off(void)
{
    made b = tiff_start(true);
    tiff_page(&b, 4, &(tiff_shape){4, 3, 8, 1, "ImageJ=1.53t\nimages=900\nframes=900\n", false}, 0);
    put_at(&b, value_of(&b, 4, 273), b.n, 4);
    put(&b, 0, 5 * 12 + 7);
    return b;
}

/* ---- MRC, Gatan, others ---------------------------------------------------------------- */

static made mrc_of(int width, int height, int frames, int mode, size_t pixel_bytes)
{
    made b = mrc_start(true, &(mrc_head){width, height, frames, mode, 0, 0.0f, false});
    put(&b, 0, pixel_bytes);
    return b;
}

static made mrc_cut_in_header(void)
{
    made b = mrc_of(4, 4, 1, 1, 0);
    b.n = 700;
    return b;
}

static made mrc_complex(void)
{
    return mrc_of(4, 4, 1, 4, 128);
}

static made mrc_negative(void)
{
    return mrc_of(-4, 4, 1, 1, 128);
}

static made mrc_no_frames(void)
{
    return mrc_of(4, 4, 0, 1, 128);
}

static made mrc_negative_frames(void)
{
    return mrc_of(4, 4, -3, 1, 128);
}

static made mrc_no_pixels(void)
{
    return mrc_of(4, 4, 3, 1, 31);
}

static made mrc_cut(void)
{
    return mrc_of(4, 4, 3, 1, 64);
}

static made dm_of(unsigned type, unsigned width, unsigned height, unsigned length)
{
    dm d = dm_start(3, true, 1);
    dm_group(&d, "ImageList", 1);
    dm_group(&d, "", 1);
    dm_group(&d, "ImageData", 3);
    dm_array(&d, "Data", 10, length);
    put(&d.b, 0, length);
    dm_number(&d, "DataType", 5, type);
    dm_group(&d, "Dimensions", 2);
    dm_number(&d, "", 5, width);
    dm_number(&d, "", 5, height);
    return d.b;
}

static made dm_complex(void)
{
    return dm_of(3, 2, 2, 32);
}

static made dm_too_small(void)
{
    return dm_of(6, 100, 100, 64);
}

static made dm_zero(void)
{
    return dm_of(6, 0, 4, 64);
}

static made dm_cut(void)
{
    made b = dm_of(6, 8, 8, 64);
    b.n -= 60;
    return b;
}

static made dm_cut_in_pixels(void)
{
    made b = dm_of(6, 8, 8, 4000);
    b.n = 2000;
    return b;
}

static made dm_without_image(void)
{
    dm d = dm_start(4, true, 0);
    return d.b;
}

static made dm_nested(void)
{
    dm d = dm_start(3, true, 1);
    for (size_t i = 0; i < 100; i++) {
        dm_group(&d, "group", 1);
    }
    return d.b;
}

static made dm_without_mark(void)
{
    dm d = dm_start(3, true, 1);
    dm_name(&d, 21, "tag");
    put_text(&d.b, "$$$$", 4);
    put(&d.b, 0, 40);
    return d.b;
}

static made png_cut(void)
{
    made b = {.little = false};
    put_text(&b, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    return b;
}

static made jpeg(void)
{
    made b = {.little = false};
    put_text(&b, "\xff\xd8\xff\xe0 and so on", 14);
    return b;
}

static made words(void)
{
    made b = {.little = false};
    put_text(&b, "track,frame,area_px\n", 20);
    return b;
}

static made nothing(void)
{
    made b = {.little = false};
    put(&b, 0, 1);
    b.n = 0;
    return b;
}

/* ---- what each must give --------------------------------------------------------------- */

#define FIRST " (the first is 0): "

static const struct {
    const char *name;
    made (*make)(void);
    ng_status status;
    const char *message; /* behind the name of the file */
} cases[] = {
    {"cut-header.tif", cut_in_header, NG_FORMAT, "the TIFF ends within its header; it was cut off"},
    {"no-page.tif", no_page, NG_TOO_LITTLE, "the file holds no frame; save the movie again"},
    {"cut-0.tif", cut_before_first_directory, NG_FORMAT,
     "frame 0" FIRST "the file ends before it; it was cut off"},
    {"cut-2.tif", cut_before_third_directory, NG_FORMAT,
     "frame 2" FIRST "the file ends before it; it was cut off"},
    {"cut-2b.tif", cut_within_third_directory, NG_FORMAT,
     "frame 2" FIRST "the file ends within its directory; it was cut off"},
    {"damaged.tif", damaged_directory, NG_FORMAT,
     "frame 1" FIRST "its directory is damaged (number of entries)"},
    {"loop.tif", loop_of_directories, NG_FORMAT,
     "frame 3" FIRST "its directory was met before: the directories form a loop"},
    {"self.tif", loop_to_itself, NG_FORMAT,
     "frame 1" FIRST "its directory was met before: the directories form a loop"},
    {"mixed-sizes.tif", mixed_sizes, NG_FORMAT,
     "frame 2" FIRST "it has 5 x 3 pixels, the first has 4 x 3; all must be of one size"},
    {"mixed-depths.tif", mixed_depths, NG_FORMAT,
     "frame 1" FIRST "its samples differ from those of the first (16 and 8 bits, 1 and 1 a pixel, "
     "format 0 and 0)"},
    {"zero.tif", zero_width, NG_INVALID, "the frames have 0 x 3 pixels; the header is damaged"},
    {"absurd.tif", absurd_size, NG_INVALID,
     "frames of 2147483647 x 2147483647 pixels are more than the 1073741824 that are read; the "
     "header is damaged, or the image must be cut"},
    {"large.tif", large_size, NG_FORMAT,
     "frame 0" FIRST "30000 x 30000 pixels need 900000000 bytes, which a file of 458 cannot hold; "
     "it was cut off, or its header is damaged"},
    {"bomb.tif", compression_bomb, NG_FORMAT,
     "frame 0" FIRST "30000 x 30000 pixels need 900000000 bytes, which a file of 458 cannot hold; "
     "it was cut off, or its header is damaged"},
    {"twelve.tif", twelve_bits, NG_FORMAT,
     "samples of 12 bits (format 1) are not read; save as 8, 16 or 32 bit"},
    {"colours.tif", colours, NG_INVALID,
     "there are 3 channels (or colours); choose one with --channel 1 to 3"},
    {"compression.tif", unknown_compression, NG_FORMAT,
     "the compression (number 54321) is not known to this libtiff; save without compression"},
    {"pixels.tif", pixels_beyond_the_end, NG_FORMAT, "frame 1" FIRST},
    {"ome.tif", broken_ome, NG_FORMAT,
     "the OME metadata (XML) are broken or cut off; save the movie again"},
    {"ome-absurd.tif", absurd_ome, NG_FORMAT,
     "the OME metadata say SizeT = '-1'; it must be a whole number"},
    {"ome-entity.tif", ome_with_entities, NG_FORMAT,
     "the XML in the description declares a document type, which OME's never does; it is not "
     "read"},
    {"ome-none.tif", ome_without_frames, NG_TOO_LITTLE,
     "the OME metadata say SizeC 1, SizeZ 1, SizeT 0: no frame"},
    {"imagej-cut.tif", imagej_cut_off, NG_FORMAT,
     "frame 5" FIRST "the file ends within it; it was cut off"},
    {"cut-header.mrc", mrc_cut_in_header, NG_FORMAT,
     "the file ends within its MRC header; it was cut off"},
    {"complex.mrc", mrc_complex, NG_FORMAT,
     "pixels of mode 4 are not read (0, 1, 2, 6 and 12 are); convert it, or the header is "
     "damaged"},
    {"negative.mrc", mrc_negative, NG_INVALID,
     "the frames have 0 x 4 pixels; the header is damaged"},
    {"none.mrc", mrc_no_frames, NG_TOO_LITTLE, "the header says 0 frames; save the movie again"},
    {"minus.mrc", mrc_negative_frames, NG_INVALID,
     "the header says -3 frames; save the movie again"},
    {"no-pixels.mrc", mrc_no_pixels, NG_FORMAT,
     "frame 0" FIRST "the file ends within it; it was cut off"},
    {"cut.mrc", mrc_cut, NG_FORMAT,
     "frame 2" FIRST "the file ends within it, of 3 frames that the header says; it was cut off"},
    {"complex.dm3", dm_complex, NG_FORMAT,
     "pixels of Gatan's type 3 are not read (colours and complex numbers); convert them to real "
     "numbers in DigitalMicrograph"},
    {"small.dm3", dm_too_small, NG_FORMAT,
     "1 frames of 100 x 100 pixels do not fit the 64 bytes of the image; the file is damaged"},
    {"zero.dm3", dm_zero, NG_INVALID, "the frames have 0 x 4 pixels; the header is damaged"},
    {"cut.dm3", dm_cut, NG_FORMAT, "the file ends within its tags (in DataType); it was cut off"},
    {"cut-pixels.dm3", dm_cut_in_pixels, NG_FORMAT,
     "the file ends within its tags (in Data); it was cut off"},
    {"empty.dm4", dm_without_image, NG_TOO_LITTLE, "the file holds no image"},
    {"nested.dm3", dm_nested, NG_FORMAT,
     "byte 460: groups of tags are nested too deeply; the file is damaged"},
    {"mark.dm3", dm_without_mark, NG_FORMAT,
     "byte 28: a tag without its mark %%%%; the file is damaged"},
    {"cut.png", png_cut, NG_FORMAT,
     "frame 0" FIRST "the file ends within the picture; it was cut off"},
    {"photo.tif", jpeg, NG_FORMAT,
     "this is a JPEG image; movies are read from TIFF, PNG, MRC, DM3, DM4, AVI, MP4, MOV and "
     "folders of TIFF or PNG images"},
    {"table.tif", words, NG_FORMAT,
     "no movie that is known here; movies are read from TIFF, PNG, MRC, DM3, DM4, AVI, MP4, MOV "
     "and folders of TIFF or PNG images"},
    {"empty.tif", nothing, NG_TOO_LITTLE, "the file is empty"},
};

/* Open and read to the first failure. */
static ng_status read_all(const char *name, const made *b, ng_error *err)
{
    ng_movie *movie = NULL;
    ng_status status = ng_movie_open_memory(b->data, b->n, name, NULL, &movie, NULL, err);
    size_t frames = movie != NULL ? ng_movie_about(movie)->frames : 0;
    size_t pixels = frames > 0 ? ng_movie_about(movie)->width * ng_movie_about(movie)->height : 0;
    float *pixel = calloc(pixels + 1, sizeof *pixel);
    for (size_t i = 0; i < frames && status == NG_OK; i++) {
        status = ng_movie_read(movie, i, pixel, err);
        assert_true(status == NG_OK || i <= ng_movie_about(movie)->readable);
    }
    free(pixel);
    ng_movie_close(movie);
    return status;
}

static void every_broken_movie_gives_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made b = cases[i].make();
        ng_error err = {.status = NG_OK};
        char expected[640];
        const char *message = cases[i].message;
        snprintf(expected, sizeof expected, "%s: %s", cases[i].name, message);
        ng_status status = read_all(cases[i].name, &b, &err);
        /* what comes from libtiff itself ends as libtiff pleases */
        size_t length = message[strlen(message) - 1] == ' ' ? strlen(expected) : sizeof err.message;
        if (status != cases[i].status || strncmp(err.message, expected, length) != 0) {
            fail_msg("%s must give\n%s: %s\nand gives\n%s: %s", cases[i].name,
                     ng_status_name(cases[i].status), expected, ng_status_name(status),
                     err.message);
        }
        assert_int_equal(ng_status_exit_code(status), 3);
        free(b.data);
    }
    print_message("%zu broken movies\n", sizeof cases / sizeof cases[0]);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    opened o = open_with("/nowhere/movie.tif", NULL);
    assert_int_equal(o.status, NG_IO);
    assert_string_equal(o.err.message, "/nowhere/movie.tif: cannot be read (No such file or "
                                       "directory); check the name");
    close_opened(&o);
    o = open_with("/dev/null", NULL);
    assert_int_equal(o.status, NG_IO);
    close_opened(&o);
}

/* No allocation may fail without a word, or leave anything behind (the sanitizers look). */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    static made (*const makes[])(void) = {mixed_sizes, imagej_cut_off, absurd_ome, mrc_cut,
                                          dm_too_small};
    for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
        made b = makes[i]();
        bool failed = true;
        for (size_t k = 1; failed && k < 1000; k++) {
            ng_error err = {.status = NG_OK};
            ng_alloc_fail_after(k);
            failed = read_all("m", &b, &err) == NG_MEMORY;
            ng_alloc_fail_after(0);
        }
        assert_false(failed);
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_movie_gives_its_message),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
