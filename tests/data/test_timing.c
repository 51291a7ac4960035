/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames and seconds. */
#include "data_test.h"

static reading read_frame_s(const char *text, double frame_s)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.frame_s = frame_s;
    return read_with(text, &options);
}

static void times_of_the_file_are_kept(void **state)
{
    (void)state;
    /* as the published tables: frame 0 is at one interval */
    reading r = read_good("track,frame,time_s,radius_nm\n1,0,0.5,1\n1,1,1,1\n1,3,2,1\n");
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    assert_close(r.tracks.point[0].time_s, 0.5, 0.0);
    assert_false(has_warning(&r.warnings, "times-uneven"));
    reading_free(&r);
}

static void the_flag_gives_times_where_there_are_none(void **state)
{
    (void)state;
    reading r = read_frame_s("track,frame,radius_nm\n1,4,1\n1,6,1\n", 0.25);
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.point[0].time_s, 1.0, 0.0);
    assert_close(r.tracks.point[1].time_s, 1.5, 0.0);
    assert_close(r.tracks.frame_s, 0.25, 0.0);
    reading_free(&r);
}

static void a_column_of_times_without_a_time_is_none(void **state)
{
    (void)state;
    const char *empty = "track,frame,time_s,radius_nm\n1,4,,1\n1,6,,1\n";
    reading r = read_frame_s(empty, 0.25);
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.point[0].time_s, 1.0, 0.0);
    assert_close(r.tracks.point[1].time_s, 1.5, 0.0);
    reading_free(&r);
    r = read_frame_s(empty, (double)NAN);
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, "pass the interval between frames with --frame-s"));
    reading_free(&r);
    r = read_frame_s("track,frame,time_s,radius_nm\n1,4,,1\n1,6,2,1\n", 0.25);
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, ":3: time_s is there, but was empty in the rows before"));
    reading_free(&r);
    r = read_frame_s("track,frame,time_s,radius_nm\n1,4,2,1\n1,6,,1\n", 0.25);
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, ":3: time_s is missing"));
    reading_free(&r);
}

static void a_flag_that_agrees_is_fine_and_a_near_one_is_said(void **state)
{
    (void)state;
    const char *text = "track,frame,time_s,radius_nm\n1,0,0,1\n1,1,0.5,1\n";
    reading r = read_frame_s(text, 0.5);
    assert_int_equal(r.status, NG_OK);
    assert_false(has_warning(&r.warnings, "frame-s-unused"));
    reading_free(&r);
    r = read_frame_s(text, 0.504);
    assert_int_equal(r.status, NG_OK);
    assert_true(has_warning(&r.warnings, "frame-s-unused"));
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    reading_free(&r);
    r = read_frame_s(text, 0.506);
    assert_int_equal(r.status, NG_INVALID);
    reading_free(&r);
}

static void a_single_frame_has_no_interval(void **state)
{
    (void)state;
    const char *text = "track,frame,time_s,radius_nm\n1,4,2,1\n2,4,2,1\n";
    reading r = read_good(text);
    assert_true(isnan(r.tracks.frame_s));
    reading_free(&r);
    r = read_frame_s(text, 0.5);
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    reading_free(&r);
}

static void frames_come_from_times(void **state)
{
    (void)state;
    /* track 2 misses frames that track 1 has; nobody has frame 3 */
    reading r = read_good("track,time_s,radius_nm\n2,10.5,1\n1,10,1\n1,10.5,1\n1,11,1\n1,12,1\n"
                          "2,12,1\n");
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.frame_s, 0.5, 1e-15);
    static const long frames[] = {0, 1, 2, 4, 1, 4};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r.tracks.point[i].frame, frames[i]);
    }
    reading_free(&r);
}

static void times_that_were_rounded_still_tell_their_frame(void **state)
{
    (void)state;
    char text[4000] = "track,time_s,radius_nm\n";
    size_t n = strlen(text);
    for (int i = 0; i < 100; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "1,%.2f,1\n", i * 0.238);
    }
    reading r = read_good(text);
    assert_close(r.tracks.frame_s, 0.238, 1e-4); /* rounding of the last time over 99 frames */
    assert_int_equal(r.tracks.point[99].frame, 99);
    assert_true(has_warning(&r.warnings, "times-uneven"));
    reading_free(&r);
}

static void rounding_noise_in_times_makes_no_new_frames(void **state)
{
    (void)state;
    reading r = read_good("track,time_s,radius_nm\n1,0,1\n1,0.1,1\n1,0.3,1\n2,0.1,1\n2,0.2,1\n"
                          "2,0.30000000000000004,1\n");
    assert_close(r.tracks.frame_s, 0.1, 1e-12);
    assert_int_equal(r.tracks.point[5].frame, 3);
    reading_free(&r);
}

static void sparse_times_need_the_flag(void **state)
{
    (void)state;
    const char *text = "track,time_s,radius_nm\n1,0,1\n1,2,1\n1,5,1\n";
    reading r = read_text(text);
    assert_int_equal(r.status, NG_INVALID);
    assert_string_equal(
        r.err.message, "t.csv: the times are not multiples of one interval; add a column frame, or "
                       "pass the interval between frames with --frame-s");
    reading_free(&r);
    r = read_frame_s(text, 1.0);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.point[2].frame, 5);
    reading_free(&r);
    r = read_frame_s(text, 2.0);
    assert_int_equal(r.status, NG_INVALID);
    reading_free(&r);
}

static void jitter_is_kept_and_said(void **state)
{
    (void)state;
    reading r = read_good("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1.1,2\n1,2,1.9,1\n1,3,3,1\n");
    assert_true(has_warning(&r.warnings, "times-uneven"));
    assert_close(r.tracks.point[1].time_s, 1.1, 0.0);
    reading_free(&r);
}

static reading read_two(const char *one, const char *two)
{
    char first[4096];
    reading r = {.status = NG_OK};
    ng_tracks_read_options options = ng_tracks_read_defaults();
    snprintf(first, sizeof first, "%s", test_written("one.csv", one));
    const char *paths[] = {first, test_written("two.csv", two)};
    r.status = ng_tracks_read(paths, 2, &options, &r.tracks, &r.warnings, &r.err);
    unlink(paths[0]);
    unlink(paths[1]);
    return r;
}

static void files_share_one_clock(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,0,0.5,1\n1,1,1,2\n",
                         "track,frame,time_s,radius_nm\n1,0,1,3\n1,1,1.5,4\n");
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.n_sources, 2);
    assert_int_equal(r.tracks.n_tracks, 2);
    assert_true(has_warning(&r.warnings, "frames-shifted"));
    assert_int_equal(r.tracks.point[2].frame, 1);
    assert_close(r.tracks.point[2].time_s, 1.0, 0.0);
    reading_free(&r);
}

static void a_file_of_one_frame_joins_the_clock(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,7,3,1\n",
                         "track,frame,time_s,radius_nm\n1,0,1,3\n1,1,1.5,4\n");
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    assert_int_equal(r.tracks.point[0].frame, 7);
    assert_int_equal(r.tracks.point[1].frame, 3);
    reading_free(&r);
}

static void a_file_without_times_takes_the_clock_of_the_others(void **state)
{
    (void)state;
    char first[4096];
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.frame_s = 0.5;
    snprintf(first, sizeof first, "%s",
             test_written("one.csv", "track,frame,radius_nm\n1,0,1\n1,1,2\n"));
    const char *paths[] = {
        first, test_written("two.csv", "track,frame,time_s,radius_nm\n1,0,2,3\n1,1,2.5,4\n")};
    reading r = {.status = NG_OK};
    r.status = ng_tracks_read(paths, 2, &options, &r.tracks, &r.warnings, &r.err);
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.point[0].time_s, 2.0, 0.0);
    assert_close(r.tracks.point[1].time_s, 2.5, 0.0);
    unlink(paths[0]);
    unlink(paths[1]);
    reading_free(&r);
}

static void clocks_between_frames_are_said(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,2\n",
                         "track,frame,time_s,radius_nm\n1,0,0.25,3\n1,1,1.25,4\n");
    assert_int_equal(r.status, NG_OK);
    assert_true(has_warning(&r.warnings, "times-uneven"));
    assert_int_equal(r.tracks.point[2].frame, 0);
    assert_close(r.tracks.point[2].time_s, 0.25, 0.0);
    reading_free(&r);
}

static void clocks_that_have_nothing_in_common_are_refused(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1e-3,2\n",
                         "track,frame,time_s,radius_nm\n1,0,1e9,3\n");
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, "frames apart; they cannot belong together"));
    reading_free(&r);
}

static void files_need_one_interval(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,2\n",
                         "track,frame,time_s,radius_nm\n1,0,0,3\n1,1,2,4\n");
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, "files that belong together need one interval"));
    reading_free(&r);
}

static void tracks_and_samples_cannot_be_joined(void **state)
{
    (void)state;
    reading r = read_two("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,2\n",
                         "time_s,radius_nm\n0,3\n1,4\n");
    assert_int_equal(r.status, NG_FORMAT);
    assert_non_null(strstr(r.err.message, "cannot be joined"));
    reading_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_the_file_are_kept),
        cmocka_unit_test(the_flag_gives_times_where_there_are_none),
        cmocka_unit_test(a_column_of_times_without_a_time_is_none),
        cmocka_unit_test(a_flag_that_agrees_is_fine_and_a_near_one_is_said),
        cmocka_unit_test(a_single_frame_has_no_interval),
        cmocka_unit_test(frames_come_from_times),
        cmocka_unit_test(times_that_were_rounded_still_tell_their_frame),
        cmocka_unit_test(rounding_noise_in_times_makes_no_new_frames),
        cmocka_unit_test(sparse_times_need_the_flag),
        cmocka_unit_test(jitter_is_kept_and_said),
        cmocka_unit_test(files_share_one_clock),
        cmocka_unit_test(a_file_of_one_frame_joins_the_clock),
        cmocka_unit_test(a_file_without_times_takes_the_clock_of_the_others),
        cmocka_unit_test(clocks_between_frames_are_said),
        cmocka_unit_test(clocks_that_have_nothing_in_common_are_refused),
        cmocka_unit_test(files_need_one_interval),
        cmocka_unit_test(tracks_and_samples_cannot_be_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
