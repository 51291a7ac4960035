/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which column is taken, and what one unit is worth. */
#include "data_test.h"

#define PI 3.14159265358979323846

/* Tolerance of radii: two roundings of a double, 5e-16 relative. */
#define ROUNDING 5e-16

static void every_size_and_unit_becomes_a_radius_in_nm(void **state)
{
    (void)state;
    static const struct {
        const char *column, *value;
        double radius_nm;
    } cases[] = {
        {"radius_nm", "2", 2.0},
        {"radius_um", "0.002", 2.0},
        {"radius_px", "4", 2.0},
        {"diameter_nm", "4", 2.0},
        {"diameter_um", "0.004", 2.0},
        {"diameter_px", "8", 2.0},
        {"area_nm2", "4", 1.1283791670955126}, /* sqrt(4/pi) */
        {"area_um2", "4e-6", 1.1283791670955126},
        {"area_px", "16", 1.1283791670955126},
        {"area_px2", "16", 1.1283791670955126},
        {"Radius (nm)", "2", 2.0},
        {"Area [px^2]", "16", 1.1283791670955126},
        {"Area_\xc2\xb5m\xc2\xb2", "4e-6", 1.1283791670955126},
        {"RADIUS_MICRON", "0.002", 2.0},
        {"radius_pixel", "4", 2.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "track,frame,time_s,%s\n1,0,0,%s\n", cases[i].column,
                 cases[i].value);
        reading r = read_good(text);
        assert_close(r.tracks.point[0].radius_nm, cases[i].radius_nm,
                     ROUNDING * cases[i].radius_nm);
        bool pixels = strchr(cases[i].column, 'x') != NULL;
        assert_true(pixels ? r.tracks.pixel_nm == 0.5 : isnan(r.tracks.pixel_nm));
        assert_true(has_warning(&r.warnings, "pixel-nm-unused") == !pixels);
        reading_free(&r);
    }
}

static void every_time_becomes_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        double factor;
    } cases[] = {{"time_s", 1.0},
                 {"time_ms", 1e-3},
                 {"time_min", 60.0},
                 {"time_h", 3600.0},
                 {"Time (sec)", 1.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "track,%s,radius_nm\n1,3,1\n1,5,1\n1,4,1\n", cases[i].column);
        reading r = read_good(text);
        assert_close(r.tracks.point[0].time_s, 3.0 * cases[i].factor, 1e-12 * cases[i].factor);
        assert_close(r.tracks.frame_s, cases[i].factor, 1e-12 * cases[i].factor);
        assert_int_equal(r.tracks.point[2].frame, 2);
        reading_free(&r);
    }
}

static void the_best_of_several_sizes_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header, *values;
        double radius_nm;
    } cases[] = {
        {"area_px,radius_nm", "100,2", 2.0},  /* calibrated before pixels */
        {"area_nm2,radius_nm", "100,2", 2.0}, /* radius before area */
        {"diameter_nm,radius_um", "100,2", 2000.0},
        {"radius_px,area_px", "4,100", 2.0},
        {"radius_um,radius_nm", "7,2", 2.0}, /* nm before um */
        {"area_px,area_nm2", "7,4", 1.1283791670955126},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "track,frame,time_s,%s\n1,0,0,%s\n", cases[i].header,
                 cases[i].values);
        reading r = read_good(text);
        assert_close(r.tracks.point[0].radius_nm, cases[i].radius_nm,
                     ROUNDING * cases[i].radius_nm);
        reading_free(&r);
    }
}

static void standard_errors_follow_their_size(void **state)
{
    (void)state;
    reading r = read_good("track,frame,time_s,radius_px,radius_se_px\n1,0,0,4,0.2\n1,1,1,4,\n"
                          "1,2,2,4,nan\n");
    assert_close(r.tracks.point[0].radius_se_nm, 0.1, 1e-16);
    assert_true(isnan(r.tracks.point[1].radius_se_nm));
    assert_true(isnan(r.tracks.point[2].radius_se_nm));
    reading_free(&r);
    r = read_good("track,frame,time_s,diameter_nm,diameter_se_nm\n1,0,0,4,0.2\n");
    assert_close(r.tracks.point[0].radius_se_nm, 0.1, 1e-16);
    reading_free(&r);
    /* dr = dA/(2 pi r), r = sqrt(A/pi) */
    r = read_good("track,frame,time_s,area_nm2,area_se_nm2\n1,0,0,4,0.2\n");
    assert_close(r.tracks.point[0].radius_se_nm, 0.2 / (2.0 * PI * sqrt(4.0 / PI)), 1e-16);
    reading_free(&r);
    /* an error of another size is not taken */
    r = read_good("track,frame,time_s,radius_nm,area_se_nm2\n1,0,0,4,0.2\n");
    assert_true(isnan(r.tracks.point[0].radius_se_nm));
    reading_free(&r);
}

static void positions_are_converted_or_left_out(void **state)
{
    (void)state;
    reading r = read_good("track,frame,time_s,radius_nm,x_px,y_px\n1,0,0,4,2,3\n");
    assert_close(r.tracks.point[0].x_nm, 1.0, 0.0);
    assert_close(r.tracks.point[0].y_nm, 1.5, 0.0);
    reading_free(&r);
    r = read_good("track,frame,time_s,radius_nm,x_px,y_px,x_um,y_um\n1,0,0,4,2,3,5,\n");
    assert_close(r.tracks.point[0].x_nm, 5000.0, 1e-12);
    assert_true(isnan(r.tracks.point[0].y_nm));
    reading_free(&r);
    /* x without y is no position */
    r = read_good("track,frame,time_s,radius_nm,x_px\n1,0,0,4,2\n");
    assert_true(isnan(r.tracks.point[0].x_nm));
    reading_free(&r);
    ng_tracks_read_options options = ng_tracks_read_defaults();
    r = read_with("track,frame,time_s,radius_nm,x_px,y_px\n1,0,0,4,2,3\n", &options);
    assert_int_equal(r.status, NG_OK);
    assert_true(isnan(r.tracks.point[0].x_nm));
    assert_true(has_warning(&r.warnings, "positions-unused"));
    reading_free(&r);
}

static void trackpy_tables_are_pixels_and_gyration(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = 0.5;
    options.frame_s = 2.0;
    reading r = read_with(",y,x,mass,size,ecc,signal,raw_mass,ep,frame,particle\n"
                          "0,10.5,20.5,300,2.0,0.1,9,400,0.02,0,7.0\n"
                          "1,10.6,20.6,300,2.1,0.1,9,400,0.02,1.0,7.0\n"
                          "2,50,60,300,2.2,0.1,9,400,0.02,1,\n",
                          &options);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.n_points, 2);
    assert_int_equal(r.tracks.rows_dropped, 1);
    assert_int_equal(r.tracks.track[0].id, 7);
    assert_close(r.tracks.point[0].radius_nm, sqrt(2.0) * 2.0 * 0.5, 1e-15);
    assert_close(r.tracks.point[0].x_nm, 10.25, 0.0);
    assert_close(r.tracks.point[1].time_s, 2.0, 0.0);
    assert_true(has_warning(&r.warnings, "trackpy-size"));
    assert_true(has_warning(&r.warnings, "rows-unlinked"));
    reading_free(&r);
}

static void trackpy_with_a_real_size_uses_it(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = 0.5;
    options.frame_s = 1.0;
    /* pandas writes the index, which is the frame, once more */
    reading r = read_with("frame,y,x,area,size,frame,particle\n0,1,2,16,2,0,1\n1,1,2,16,2,1,1\n",
                          &options);
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.point[0].radius_nm, 1.1283791670955126, 1e-15);
    assert_false(has_warning(&r.warnings, "trackpy-size"));
    reading_free(&r);
}

static void a_table_without_track_and_frame_is_ex_situ(void **state)
{
    (void)state;
    reading r = read_good("time_min,radius_nm\n50,2\n5,1\n5,1.5\n50,2.5\n120,3\n");
    assert_true(r.tracks.ex_situ);
    assert_int_equal(r.tracks.n_points, 5);
    assert_int_equal(r.tracks.n_tracks, 5);
    assert_true(isnan(r.tracks.frame_s));
    static const long frames[] = {1, 0, 0, 1, 2};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(r.tracks.track[i].id, (long)i + 1);
        assert_int_equal(r.tracks.point[i].frame, frames[i]);
    }
    assert_close(r.tracks.point[1].time_s, 300.0, 0.0);
    reading_free(&r);
}

static void separators_quotes_and_line_ends_do_not_matter(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "track,frame,time_s,radius_nm\n1,0,0,1.5\n1,1,0.5,1.75\n",
        "track;frame;time_s;radius_nm\r\n1;0;0;1.5\r\n1;1;0.5;1.75\r\n",
        "\xef\xbb\xbf# made by "
        "hand\ntrack\tframe\ttime_s\tradius_nm\r1\t0\t0\t1.5\r1\t1\t0.5\t1.75",
        "\"track\",\"frame\",\"time_s\",\"radius_nm\"\n\"1\",\"0\",\"0\",\"1.5\"\n1,1,.5,1.75,,"
        "\n,,,\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        reading r = read_good(texts[i]);
        assert_int_equal(r.tracks.n_points, 2);
        assert_close(r.tracks.point[1].radius_nm, 1.75, 0.0);
        assert_close(r.tracks.frame_s, 0.5, 0.0);
        reading_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_unit_becomes_a_radius_in_nm),
        cmocka_unit_test(every_time_becomes_seconds),
        cmocka_unit_test(the_best_of_several_sizes_is_taken),
        cmocka_unit_test(standard_errors_follow_their_size),
        cmocka_unit_test(positions_are_converted_or_left_out),
        cmocka_unit_test(trackpy_tables_are_pixels_and_gyration),
        cmocka_unit_test(trackpy_with_a_real_size_uses_it),
        cmocka_unit_test(a_table_without_track_and_frame_is_ex_situ),
        cmocka_unit_test(separators_quotes_and_line_ends_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
