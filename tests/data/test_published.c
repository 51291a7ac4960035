/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published tables: counts of rows, tracks and merges are facts of the deposit. */
#include "data_test.h"

static ng_tracks read_published(const char *const *paths, size_t n, double pixel_nm)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_error err = {.status = NG_OK};
    options.pixel_nm = pixel_nm;
    if (ng_tracks_read(paths, n, &options, &tracks, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return tracks;
}

static void platinum_in_situ(void **state)
{
    (void)state;
    const char *paths[] = {test_data("kim2025/pt-acac2-monomeric.csv")};
    ng_tracks tracks = read_published(paths, 1, 0.53);
    assert_int_equal(tracks.n_points, 17981);
    assert_int_equal(tracks.n_tracks, 113);
    assert_int_equal(tracks.rows_dropped, 0);
    assert_close(tracks.frame_s, 1.0, 1e-12);
    /* the first row: 10 px, frame 7, 8 s */
    assert_int_equal(tracks.point[0].frame, 7);
    assert_close(tracks.point[0].time_s, 8.0, 0.0);
    assert_close(tracks.point[0].radius_nm, 0.53 * 1.7841241161527712, 1e-15);
    ng_tracks_free(&tracks);
}

static void gold_of_two_files(void **state)
{
    (void)state;
    char first[4096];
    snprintf(first, sizeof first, "%s", test_data("kim2025/au-monomeric.csv"));
    const char *paths[] = {first, test_data("kim2025/au-dissolution.csv")};
    ng_tracks tracks = read_published(paths, 2, 0.538);
    assert_int_equal(tracks.n_points, 81887);
    assert_int_equal(tracks.n_sources, 2);
    assert_close(tracks.frame_s, 0.5, 1e-12);
    size_t in_first = 0;
    for (size_t i = 0; i < tracks.n_tracks; i++) {
        in_first += tracks.track[i].source == 0 ? tracks.track[i].n : 0;
    }
    assert_int_equal(in_first, 37510);
    ng_tracks_free(&tracks);
}

static void merged_platinum_is_kept_once(void **state)
{
    (void)state;
    const char *paths[] = {test_data("kim2025/pt-acac2-coalescence.csv")};
    ng_tracks tracks = read_published(paths, 1, 0.53);
    assert_int_equal(tracks.rows_read, 11644);
    /* repeats to the end of a track; 144 more rows agree in passing, as two particles */
    assert_int_equal(tracks.rows_dropped, 3906);
    /* 71 tracks in 32 groups: 39 merges, after which 32 particles are left */
    assert_int_equal(tracks.n_tracks, 71);
    long last_group = 0;
    size_t groups = 0;
    size_t at_end = 0;
    for (size_t i = 0; i < tracks.n_tracks; i++) {
        const ng_track *track = &tracks.track[i];
        groups += track->group != last_group;
        last_group = track->group;
        at_end += tracks.point[track->first + track->n - 1].frame == 179;
    }
    assert_int_equal(groups, 32);
    assert_true(at_end <= groups);
    ng_tracks_free(&tracks);
}

static void flask_samples_are_ex_situ(void **state)
{
    (void)state;
    const char *paths[] = {test_data("kim2025/cdse-ex-situ.csv")};
    ng_tracks tracks = read_published(paths, 1, (double)NAN);
    assert_true(tracks.ex_situ);
    assert_int_equal(tracks.n_points, 21434);
    assert_close(tracks.point[0].time_s, 300.0, 0.0);
    ng_tracks_free(&tracks);
}

static void info_knows_them(void **state)
{
    (void)state;
    ng_file_info info;
    ng_error err;
    assert_int_equal(ng_file_inspect(test_data("kim2025/pt-acac2-monomeric.csv"), &info, &err),
                     NG_OK);
    assert_int_equal(info.kind, NG_KIND_TRACKS);
    assert_int_equal(info.rows, 17981);
    assert_int_equal(info.tracks, 113);
    assert_int_equal(info.frames, 173);
    assert_close(info.size_median, 34.0, 0.0);
    ng_file_info_free(&info);
    assert_int_equal(ng_file_inspect(test_data("kim2025/cdse-ex-situ.csv"), &info, &err), NG_OK);
    assert_int_equal(info.kind, NG_KIND_EX_SITU);
    assert_int_equal(info.missing.n, 0);
    ng_file_info_free(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platinum_in_situ),
        cmocka_unit_test(gold_of_two_files),
        cmocka_unit_test(merged_platinum_is_kept_once),
        cmocka_unit_test(flask_samples_are_ex_situ),
        cmocka_unit_test(info_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
