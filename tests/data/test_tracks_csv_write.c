/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_test.h"

static char *slurp(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(ng_file_read(path, 1 << 20, &text, &length, NULL), NG_OK);
    return text;
}

static void tracks_are_written_as_documented(void **state)
{
    (void)state;
    reading r =
        read_good("track,frame,time_s,radius_nm,radius_se_nm,x_nm,y_nm\n3,0,0,1.5,0.1,7,8\n"
                  "3,2,0.2,1.6,,,\n");
    const char *path = test_output("tracks.csv");
    assert_int_equal(
        ng_tracks_write_csv(&r.tracks, path, "made by a test\n\nsecond line", false, &r.err),
        NG_OK);
    char *text = slurp(path);
    assert_string_equal(text, "# made by a test\n# second line\n"
                              "track,frame,time_s,x_nm,y_nm,radius_nm,radius_se_nm\n"
                              "3,0,0,7,8,1.5,0.1\n3,2,0.2,,,1.6,\n");
    ng_free(text);
    assert_int_equal(ng_tracks_write_csv(&r.tracks, path, NULL, false, &r.err), NG_EXISTS);
    assert_int_equal(ng_tracks_write_csv(&r.tracks, path, NULL, true, &r.err), NG_OK);
    unlink(path);
    reading_free(&r);
}

/* Bit for bit: numbers are written with as many digits as it takes. */
static void what_was_written_reads_back_exactly(void **state)
{
    (void)state;
    reading r = read_good("track,group,frame,time_s,area_px,x_px,y_px\n3,1,0,0.1,7,0.3,8.123\n"
                          "3,1,1,0.2,7.25,0.7,1e-3\n4,,2,0.30000000000000004,11,1,2\n");
    const char *path = test_output("back.csv");
    assert_int_equal(ng_tracks_write_csv(&r.tracks, path, NULL, false, &r.err), NG_OK);
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks back;
    const char *const paths[] = {path};
    assert_int_equal(ng_tracks_read(paths, 1, &options, &back, NULL, &r.err), NG_OK);
    assert_int_equal(back.n_points, r.tracks.n_points);
    assert_int_equal(back.n_tracks, r.tracks.n_tracks);
    for (size_t i = 0; i < back.n_points; i++) {
        assert_close(back.point[i].time_s, r.tracks.point[i].time_s, 0.0);
        assert_close(back.point[i].radius_nm, r.tracks.point[i].radius_nm, 0.0);
        assert_close(back.point[i].x_nm, r.tracks.point[i].x_nm, 0.0);
        assert_int_equal(back.point[i].frame, r.tracks.point[i].frame);
    }
    for (size_t i = 0; i < back.n_tracks; i++) {
        assert_int_equal(back.track[i].id, r.tracks.track[i].id);
        assert_int_equal(back.track[i].group, r.tracks.track[i].group);
    }
    ng_tracks_free(&back);
    unlink(path);
    reading_free(&r);
}

static void several_sources_get_numbers_of_their_own(void **state)
{
    (void)state;
    char one[4096];
    const char text[] =
        "group,track,frame,time_s,radius_nm,x_nm,y_nm\n1,1,0,0,1,1,1\n1,2,0,0,2,2,2\n";
    snprintf(one, sizeof one, "%s", test_written("one.csv", text));
    const char *paths[] = {one, test_written("two.csv", text)};
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_error err;
    assert_int_equal(ng_tracks_read(paths, 2, &options, &tracks, NULL, &err), NG_OK);
    unlink(one);
    unlink(paths[1]);
    const char *path = test_output("joined.csv");
    assert_int_equal(ng_tracks_write_csv(&tracks, path, NULL, false, &err), NG_OK);
    char *written = slurp(path);
    assert_string_equal(written,
                        "track,frame,time_s,x_nm,y_nm,radius_nm,radius_se_nm,group\n"
                        "1,0,0,1,1,1,,1\n2,0,0,2,2,2,,1\n3,0,0,1,1,1,,2\n4,0,0,2,2,2,,2\n");
    ng_free(written);
    unlink(path);
    ng_tracks_free(&tracks);
}

static void ex_situ_samples_stay_ex_situ(void **state)
{
    (void)state;
    reading r = read_good("time_min,radius_nm\n1,2\n0,3\n");
    const char *path = test_output("ex.csv");
    assert_int_equal(ng_tracks_write_csv(&r.tracks, path, NULL, false, &r.err), NG_OK);
    char *text = slurp(path);
    assert_string_equal(text, "time_s,radius_nm,radius_se_nm\n60,2,\n0,3,\n");
    reading back = read_good(text);
    assert_true(back.tracks.ex_situ);
    reading_free(&back);
    ng_free(text);
    unlink(path);
    reading_free(&r);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    reading r = read_good("track,frame,time_s,radius_nm\n1,0,0,1\n");
    assert_int_equal(ng_tracks_write_csv(&r.tracks, "no/such/folder/t.csv", NULL, false, &r.err),
                     NG_IO);
    reading_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracks_are_written_as_documented),
        cmocka_unit_test(what_was_written_reads_back_exactly),
        cmocka_unit_test(several_sources_get_numbers_of_their_own),
        cmocka_unit_test(ex_situ_samples_stay_ex_situ),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
