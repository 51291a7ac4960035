/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sorting, repeats, merged particles, dropped rows. */
#include <gsl/gsl_rng.h>

#include "data_test.h"

static void rows_in_any_order_give_the_same_tracks(void **state)
{
    (void)state;
    enum { TRACKS = 7, FRAMES = 9, ROWS = TRACKS * FRAMES };
    int order[ROWS];
    gsl_rng *rng = ng_random_open(3, 0);
    for (int i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    for (int trial = 0; trial < 20; trial++) {
        char text[8000] = "track,frame,time_s,radius_nm\n";
        size_t n = strlen(text);
        for (int i = ROWS - 1; i > 0; i--) {
            int k = (int)gsl_rng_uniform_int(rng, (unsigned long)i + 1);
            int swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        for (int i = 0; i < ROWS; i++) {
            int track = order[i] / FRAMES;
            int frame = order[i] % FRAMES;
            n += (size_t)snprintf(text + n, sizeof text - n, "%d,%d,%g,%d\n", track, frame,
                                  0.5 * frame, 1 + order[i]);
        }
        reading r = read_good(text);
        assert_int_equal(r.tracks.n_tracks, TRACKS);
        for (size_t i = 0; i < ROWS; i++) {
            assert_close(r.tracks.point[i].radius_nm, 1.0 + (double)i, 0.0);
        }
        for (size_t i = 0; i < TRACKS; i++) {
            assert_int_equal(r.tracks.track[i].id, i);
            assert_int_equal(r.tracks.track[i].first, i * FRAMES);
            assert_int_equal(r.tracks.track[i].n, FRAMES);
            assert_int_equal(r.tracks.track[i].group, -1);
        }
        reading_free(&r);
    }
    ng_random_close(rng);
}

static const char merged[] = "group,track,frame,time_s,x_px,y_px,area_px\n"
                             "1,1,0,0,10,10,20\n"
                             "1,1,1,1,11,10,21\n"
                             "1,1,2,2,12,10,40\n"
                             "1,1,3,3,12,11,41\n"
                             "1,2,0,0,30,10,20\n"
                             "1,2,1,1,20,10,20\n"
                             "1,2,2,2,12,10,40\n"
                             "1,2,3,3,12,11,41\n"
                             "2,2,2,2,12,10,40\n"; /* another group: another particle */

static void merged_particles_are_kept_once(void **state)
{
    (void)state;
    reading r = read_good(merged);
    assert_int_equal(r.tracks.n_tracks, 3);
    assert_int_equal(r.tracks.n_points, 7);
    assert_int_equal(r.tracks.rows_read, 9);
    assert_int_equal(r.tracks.rows_dropped, 2);
    assert_int_equal(r.tracks.track[0].n, 4);
    assert_int_equal(r.tracks.track[1].n, 2);
    assert_int_equal(r.tracks.track[2].group, 2);
    assert_true(has_warning(&r.warnings, "merged-rows"));
    reading_free(&r);
}

static void tracks_that_agree_in_passing_are_kept(void **state)
{
    (void)state;
    reading r = read_good("group,track,frame,time_s,x_px,y_px,area_px\n"
                          "1,1,0,0,10,10,20\n"
                          "1,1,1,1,11,10,21\n"
                          "1,1,2,2,12,10,40\n"
                          "1,2,0,0,10,10,20\n" /* as track 1, but not to the end */
                          "1,2,1,1,20,10,20\n"
                          "1,2,2,2,12,10,40\n");
    assert_int_equal(r.tracks.n_points, 5);
    assert_int_equal(r.tracks.rows_dropped, 1);
    assert_int_equal(r.tracks.point[r.tracks.track[1].first].frame, 0);
    reading_free(&r);
}

static void merged_particles_are_told_without_a_calibration_of_positions(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    reading r = read_with("group,track,frame,time_s,x_px,y_px,radius_nm\n1,1,0,0,5,5,2\n"
                          "1,2,0,0,5,5,2\n1,1,1,1,6,5,2\n",
                          &options);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.n_points, 2);
    reading_free(&r);
}

static void equal_sizes_without_positions_are_not_merged(void **state)
{
    (void)state;
    reading r = read_good("group,track,frame,time_s,area_px\n1,1,0,0,8\n1,2,0,0,8\n");
    assert_int_equal(r.tracks.n_points, 2);
    assert_true(has_warning(&r.warnings, "merged-rows"));
    reading_free(&r);
}

static void equal_rows_outside_groups_are_kept(void **state)
{
    (void)state;
    reading r =
        read_good("group,track,frame,time_s,x_px,y_px,area_px\n,1,0,0,1,1,8\n,2,0,0,1,1,8\n");
    assert_int_equal(r.tracks.n_points, 2);
    assert_int_equal(r.tracks.track[0].group, -1);
    reading_free(&r);
}

static void bad_rows_are_dropped_when_asked_and_counted(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.skip_invalid = true;
    reading r =
        read_with("track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,-1\n1,2,2,nan\n1,3,3,two\n"
                  "1,4\n1,5,5,6,7\n,6,6,1\n1,7.5,7,1\n1,8,8,0\n1,9,9,2\n1,9,9,3\n",
                  &options);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.n_points, 2);
    assert_int_equal(r.tracks.rows_read, 11);
    assert_int_equal(r.tracks.rows_dropped, 9);
    assert_close(r.tracks.point[1].radius_nm, 2.0, 0.0); /* the first of the two */
    assert_true(has_warning(&r.warnings, "rows-dropped"));
    for (size_t i = 0; i < r.warnings.n; i++) {
        if (strcmp(r.warnings.item[i].name, "rows-dropped") == 0) {
            assert_string_equal(
                r.warnings.item[i].text,
                "t.csv: 9 of 11 rows dropped because of a bad value; the first in line "
                "3: radius is -1 nm; radii must be positive");
        }
    }
    reading_free(&r);
}

static void nothing_left_is_too_little(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.skip_invalid = true;
    reading r = read_with("track,frame,time_s,radius_nm\n1,0,0,-1\n1,1,1,-1\n", &options);
    assert_int_equal(r.status, NG_TOO_LITTLE);
    assert_string_equal(
        r.err.message,
        "t.csv: none of 2 rows can be used: 2 have a bad value; line 2: radius is -1 "
        "nm; radii must be positive, 0 are in no track");
    reading_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_any_order_give_the_same_tracks),
        cmocka_unit_test(merged_particles_are_kept_once),
        cmocka_unit_test(tracks_that_agree_in_passing_are_kept),
        cmocka_unit_test(merged_particles_are_told_without_a_calibration_of_positions),
        cmocka_unit_test(equal_sizes_without_positions_are_not_merged),
        cmocka_unit_test(equal_rows_outside_groups_are_kept),
        cmocka_unit_test(bad_rows_are_dropped_when_asked_and_counted),
        cmocka_unit_test(nothing_left_is_too_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
