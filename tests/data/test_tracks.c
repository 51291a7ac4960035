/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The public entries: files, options, limits, ownership. */
#include "data_test.h"

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const double bad[] = {0.0, -1.0, 1e10, (double)INFINITY};
    for (size_t i = 0; i < 4; i++) {
        ng_tracks_read_options options = ng_tracks_read_defaults();
        options.pixel_nm = bad[i];
        reading r = read_with("track,frame,time_s,radius_nm\n1,0,0,1\n", &options);
        assert_int_equal(r.status, NG_INVALID);
        options = ng_tracks_read_defaults();
        options.frame_s = bad[i];
        r = read_with("track,frame,time_s,radius_nm\n1,0,0,1\n", &options);
        assert_int_equal(r.status, NG_INVALID);
    }
}

static void tables_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.max_rows = 2;
    reading r = read_with("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,1\n", &options);
    assert_int_equal(r.status, NG_OK);
    reading_free(&r);
    r = read_with("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,1\n1,2,2,1\n", &options);
    assert_int_equal(r.status, NG_INVALID);
    assert_string_equal(r.err.message,
                        "t.csv:4: the table has more than 2 rows, which is the limit");
    reading_free(&r);
}

static void missing_files_and_folders_are_named(void **state)
{
    (void)state;
    const char *const missing[] = {"no/such/file.csv"};
    const char *const folder[] = {"/"};
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_error err;
    assert_int_equal(ng_tracks_read(missing, 1, &options, &tracks, NULL, &err), NG_IO);
    assert_non_null(strstr(err.message, "no/such/file.csv"));
    assert_int_equal(ng_tracks_read(folder, 1, &options, &tracks, NULL, &err), NG_IO);
    assert_non_null(strstr(err.message, "folder"));
    assert_int_equal(ng_tracks_read(NULL, 0, &options, &tracks, NULL, &err), NG_USAGE);
}

static void error_and_warnings_may_be_null(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    const char good[] = "track,frame,time_s,radius_nm\n1,0,0,1\n";
    const char bad[] = "track,frame,time_s,radius_nm\n1,0,0,-1\n";
    assert_int_equal(ng_tracks_parse(good, strlen(good), "t", &options, &tracks, NULL, NULL),
                     NG_OK);
    ng_tracks_free(&tracks);
    assert_int_equal(ng_tracks_parse(bad, strlen(bad), "t", &options, &tracks, NULL, NULL),
                     NG_INVALID);
    ng_tracks_free(&tracks);
    ng_tracks_free(NULL);
}

static void a_text_need_not_end_in_zero(void **state)
{
    (void)state;
    const char text[] = "track,frame,time_s,radius_nm\n1,0,0,12";
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_error err;
    assert_int_equal(ng_tracks_parse(text, strlen(text) - 1, "t", &options, &tracks, NULL, &err),
                     NG_OK);
    assert_close(tracks.point[0].radius_nm, 1.0, 0.0);
    ng_tracks_free(&tracks);
}

/* A fit knows what the border hides; a mask does not. */
static void sizes_that_the_border_cuts_are_left_out(void **state)
{
    (void)state;
    reading r = read_good("track,frame,time_s,x_nm,y_nm,radius_nm,flag\n"
                          "1,0,0,3,3,1.5,\n1,1,1,2,3,1.5,edge\n1,2,2,1,3,1.4,edge+crowded\n"
                          "1,3,3,0,3,0.9,edge+no-fit\n2,0,0,9,9,2,no-fit\n"
                          "2,1,1,9,9,2,edge+crowded+no-fit\n");
    assert_int_equal(r.tracks.n_points, 4);
    assert_int_equal(r.tracks.rows_dropped, 2);
    assert_true(has_warning(&r.warnings, "rows-cut"));
    reading_free(&r);
    r = read_text("track,frame,time_s,x_nm,y_nm,radius_nm,flag\n1,0,0,0,3,0.9,edge+no-fit\n");
    assert_int_equal(r.status, NG_TOO_LITTLE);
    assert_non_null(strstr(r.err.message, "cut by the border"));
    reading_free(&r);
}

static void ids_may_repeat_between_files(void **state)
{
    (void)state;
    char one[4096];
    const char text[] = "track,frame,time_s,radius_nm\n5,0,0,1\n5,1,1,2\n";
    snprintf(one, sizeof one, "%s", test_written("one.csv", text));
    const char *paths[] = {one, test_written("two.csv", text)};
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_error err;
    assert_int_equal(ng_tracks_read(paths, 2, &options, &tracks, NULL, &err), NG_OK);
    assert_int_equal(tracks.n_tracks, 2);
    assert_int_equal(tracks.track[0].id, 5);
    assert_int_equal(tracks.track[1].id, 5);
    assert_int_equal(tracks.track[1].source, 1);
    assert_string_equal(tracks.source[1], paths[1]);
    ng_tracks_free(&tracks);
    unlink(paths[0]);
    unlink(paths[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(tables_beyond_the_limit_are_refused),
        cmocka_unit_test(missing_files_and_folders_are_named),
        cmocka_unit_test(error_and_warnings_may_be_null),
        cmocka_unit_test(a_text_need_not_end_in_zero),
        cmocka_unit_test(sizes_that_the_border_cuts_are_left_out),
        cmocka_unit_test(ids_may_repeat_between_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
