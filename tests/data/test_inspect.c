/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `nucgrow info` knows of a file. */
#include "data_test.h"

static ng_file_info look(const char *name, const char *text)
{
    ng_file_info info;
    ng_error err;
    const char *path = test_written(name, text);
    assert_int_equal(ng_file_inspect(path, &info, &err), NG_OK);
    unlink(path);
    return info;
}

static void a_table_in_pixels_lacks_its_calibration(void **state)
{
    (void)state;
    ng_file_info info = look("t.csv", "track,frame,area_px,note\n1,0,4,a\n1,2,6,b\n2,0,10,c\n");
    assert_int_equal(info.kind, NG_KIND_TRACKS);
    assert_string_equal(info.what, "a table of tracks");
    assert_int_equal(info.rows, 3);
    assert_int_equal(info.tracks, 2);
    assert_int_equal(info.frames, 2);
    assert_true(isnan(info.time_first_s));
    assert_true(isnan(info.frame_s));
    assert_string_equal(info.size_column, "area_px");
    assert_string_equal(info.size_name, "area");
    assert_string_equal(info.size_unit, "px");
    assert_close(info.size_min, 4.0, 0.0);
    assert_close(info.size_median, 6.0, 0.0);
    assert_close(info.size_max, 10.0, 0.0);
    assert_int_equal(info.missing.n, 2);
    assert_string_equal(info.missing.item[0].name, "pixel-nm");
    assert_string_equal(info.missing.item[1].name, "frame-s");
    assert_int_equal(info.columns.n, 4);
    assert_string_equal(info.columns.item[2].text, "size, in px^2");
    assert_string_equal(info.columns.item[3].text, "not used");
    assert_int_equal(info.problems.n, 0);
    ng_file_info_free(&info);
}

static void a_calibrated_table_lacks_nothing(void **state)
{
    (void)state;
    ng_file_info info = look("t.csv", "track,time_min,radius_um,area_px\n1,0,4,1\n1,0.5,6,1\n");
    assert_int_equal(info.missing.n, 0);
    assert_int_equal(info.problems.n, 0);
    assert_close(info.frame_s, 30.0, 1e-12);
    assert_close(info.time_last_s, 30.0, 1e-12);
    assert_string_equal(info.size_unit, "um");
    assert_string_equal(info.columns.item[3].text,
                        "not used: another column is preferred, in px^2");
    ng_file_info_free(&info);
}

static void bad_rows_are_problems_with_their_line(void **state)
{
    (void)state;
    ng_file_info info =
        look("t.csv", "track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,-2\n1,2,2,3\n1,2,2,3\n");
    assert_int_equal(info.rows, 4);
    assert_int_equal(info.problems.n, 1);
    assert_string_equal(info.problems.item[0].name, "error");
    assert_string_equal(
        info.problems.item[0].text,
        "rows with a bad value: 2, where reading stops (--skip-invalid drops them); the "
        "first in line 3: radius is -2 nm; radii must be positive");
    ng_file_info_free(&info);
}

static void every_kind_is_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        ng_file_kind kind;
        const char *what;
    } cases[] = {
        {"p.csv", "frame,time_s,particle,x_nm,y_nm,radius_nm\n0,0,1,1,1,1\n", NG_KIND_PARTICLES,
         "a table of particles that are not linked into tracks"},
        {"e.csv", "kind,frame,time_s,track,partner,into\nmerge,1,1,1,2,1\n", NG_KIND_EVENTS,
         "a table of events"},
        {"x.csv", "time_min,radius_nm\n1,2\n", NG_KIND_EX_SITU,
         "ex-situ samples: sizes of particles drawn at times"},
        {"s.csv", "ID,TRACK_ID,POSITION_X,POSITION_Y,POSITION_T,FRAME,RADIUS\n1,1,1,1,0,0,1\n",
         NG_KIND_TRACKMATE_CSV, "TrackMate's table of spots"},
        {"s.xml", "<TrackMate><Model spatialunits=\"nm\"/></TrackMate>", NG_KIND_TRACKMATE_XML,
         "a TrackMate file (XML)"},
        {"y.csv", "x,y,mass,size,ecc,frame,particle\n1,1,9,2,0,0,1\n", NG_KIND_TRACKPY_CSV,
         "a table of trackpy"},
        {"r.json", "{\"schema\": \"nucgrow/ensemble/1\"}", NG_KIND_RESULT,
         "a result of nucgrow (nucgrow/ensemble/1)"},
        {"o.json", "{\"a\": 1}", NG_KIND_UNKNOWN, "a JSON file that is not a result of nucgrow"},
        {"b.json", "{\"a\": ", NG_KIND_UNKNOWN, "a JSON file that is not a result of nucgrow"},
        {"e.yaml", "ensemble:\n  material: Pt\n", NG_KIND_EXPERIMENT,
         "a YAML file: an experiment for `nucgrow run`, or a material"},
        {"i.png", "\x89PNG\r\n", NG_KIND_IMAGE, "a PNG image"},
        {"m.avi", "RIFF1234AVI LIST", NG_KIND_IMAGE, "an AVI movie"},
        {"m.mp4", "1234ftypisom", NG_KIND_IMAGE, "an MP4 or MOV movie"},
        {"w.xlsx", "PK\3\4....", NG_KIND_UNKNOWN, "an Excel workbook or another zip archive"},
        {"n.txt", "", NG_KIND_UNKNOWN, "not a table"},
        {"n.txt", "words without a table\n", NG_KIND_UNKNOWN, "a table that is not known here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ng_file_info info = look(cases[i].name, cases[i].text);
        assert_string_equal(info.what, cases[i].what);
        assert_int_equal(info.kind, cases[i].kind);
        ng_file_info_free(&info);
    }
}

/* Magic numbers that hold zero bytes. */
static void images_are_told_by_their_first_bytes(void **state)
{
    (void)state;
    char mrc[256] = {0};
    memcpy(mrc + 208, "MAP ", 4);
    static const struct {
        const char *bytes;
        size_t length;
        const char *what;
    } cases[] = {
        {"II*\0", 4, "a TIFF image"},         {"MM\0*", 4, "a TIFF image"},
        {"II+\0", 4, "a BigTIFF image"},      {"MM\0+", 4, "a BigTIFF image"},
        {"\0\0\0\3", 4, "a Gatan DM3 image"},
    };
    bool image = false;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(ng_binary_name(cases[i].bytes, cases[i].length, &image), cases[i].what);
        assert_true(image);
        assert_null(ng_binary_name(cases[i].bytes, cases[i].length - 1, &image));
    }
    assert_string_equal(ng_binary_name(mrc, sizeof mrc, &image), "an MRC movie");
}

static void names_of_kinds_are_stable(void **state)
{
    (void)state;
    static const char *const names[] = {
        "unknown", "tracks", "particles", "trackmate-csv", "trackmate-xml", "trackpy-csv",
        "ex-situ", "events", "result",    "experiment",    "image"};
    for (int i = 0; i <= NG_KIND_IMAGE; i++) {
        assert_string_equal(ng_file_kind_name((ng_file_kind)i), names[i]);
    }
    assert_string_equal(ng_file_kind_name((ng_file_kind)999), "unknown");
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    ng_file_info info;
    ng_error err;
    assert_int_equal(ng_file_inspect("no/such/file", &info, &err), NG_IO);
    ng_file_info_free(NULL);
}

static void a_folder_without_images_is_no_movie(void **state)
{
    (void)state;
    ng_file_info info;
    assert_int_equal(ng_file_inspect("/", &info, NULL), NG_OK);
    assert_int_equal(info.kind, NG_KIND_UNKNOWN);
    assert_int_equal(info.problems.n, 1);
    ng_file_info_free(&info);
}

static void a_movie_is_described(void **state)
{
    (void)state;
    const ng_stack_format format = {3, 2, 4, NG_SAMPLE_UINT16, NAN, 0.5};
    const float pixel[6] = {0.0f};
    const char *path = test_output("movie.tif");
    ng_stack *stack = NULL;
    assert_int_equal(ng_stack_create(path, &format, false, &stack, NULL), NG_OK);
    for (size_t i = 0; i < format.frames; i++) {
        assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    ng_file_info info;
    assert_int_equal(ng_file_inspect(path, &info, NULL), NG_OK);
    assert_int_equal(info.kind, NG_KIND_IMAGE);
    assert_string_equal(info.what, "an ImageJ TIFF movie");
    assert_int_equal(info.frames, 4);
    assert_int_equal(info.movie.width, 3);
    assert_close(info.time_last_s, 1.5, 0.0);
    assert_int_equal(info.missing.n, 1);
    assert_string_equal(info.missing.item[0].name, "pixel-nm");
    assert_int_equal(info.problems.n, 0);
    ng_file_info_free(&info);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_in_pixels_lacks_its_calibration),
        cmocka_unit_test(a_calibrated_table_lacks_nothing),
        cmocka_unit_test(bad_rows_are_problems_with_their_line),
        cmocka_unit_test(every_kind_is_recognised),
        cmocka_unit_test(images_are_told_by_their_first_bytes),
        cmocka_unit_test(names_of_kinds_are_stable),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(a_folder_without_images_is_no_movie),
        cmocka_unit_test(a_movie_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
