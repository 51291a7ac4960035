/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand_tracks.h"

#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

/* Five growing particles of `count` frames: the least that is accepted. */
static ng_tracks five(size_t count)
{
    ng_tracks tracks = hand_tracks();
    for (size_t i = 0; i < 5; i++) {
        hand_track(&tracks);
        for (size_t k = 0; k < count; k++) {
            hand_point(&tracks, (long)k, 100.0 + 50.0 * (double)i + 10.0 * (double)k);
        }
    }
    return tracks;
}

static void assert_warned(const ng_warnings *warnings, const char *name, const char *part)
{
    for (size_t i = 0; i < warnings->n; i++) {
        if (strcmp(warnings->item[i].name, name) == 0) {
            assert_non_null(strstr(warnings->item[i].text, part));
            return;
        }
    }
    fail_msg("no warning %s", name);
}

static void assert_refused(const ng_tracks *tracks, const ng_ensemble_options *options,
                           ng_status status, const char *part)
{
    ng_trajectories t;
    ng_error err = {.message = ""};
    assert_int_equal(ng_trajectories_make(tracks, options, &t, NULL, &err), status);
    if (strstr(err.message, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    }
    assert_null(t.n);
    assert_int_equal(t.n_points, 0);
}

static void sizes_frames_and_times(void **state)
{
    (void)state;
    ng_tracks tracks = five(30);
    hand_track(&tracks);
    hand_point(&tracks, 31, 640.0);
    ng_ensemble_options options = hand_options();
    ng_trajectories t = hand_make(&tracks, &options);
    assert_int_equal(t.n_tracks, 6);
    assert_int_equal(t.n_points, 151);
    assert_int_equal(t.n_frames, 32);
    for (size_t f = 0; f < 32; f++) {
        assert_close(t.time_s[f], HAND_FRAME_S * (double)f, 1e-12); /* 30 is interpolated */
    }
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(t.origin[i], i);
        for (size_t k = t.first[i]; k < t.first[i + 1]; k++) {
            double n = 100.0 + 50.0 * (double)i + 10.0 * (double)(k - t.first[i]);
            assert_int_equal(t.frame[k], k - t.first[i]);
            /* cbrt and cube: a few units in the last place */
            assert_close(t.n_raw[k], n, 1e-12 * n);
            assert_close(t.n[k], n, 1e-11 * n); /* a line */
        }
    }
    assert_int_equal(t.frame[150], 31);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

static void growth_is_the_central_difference(void **state)
{
    (void)state;
    ng_tracks tracks = five(30);
    ng_ensemble_options options = hand_options();
    options.smooth = false;
    ng_trajectories t = hand_make(&tracks, &options);
    for (size_t i = 0; i < 5; i++) {
        assert_true(isnan(t.growth_per_s[t.first[i]]));
        assert_true(isnan(t.growth_per_s[t.first[i + 1] - 1]));
        for (size_t k = t.first[i] + 1; k + 1 < t.first[i + 1]; k++) {
            assert_close(t.growth_per_s[k], 10.0 / HAND_FRAME_S, 1e-9);
        }
    }
    ng_trajectories_free(&t);
    options.published = true; /* the spline of a line has ends, too */
    t = hand_make(&tracks, &options);
    for (size_t k = 0; k < t.n_points; k++) {
        assert_close(t.growth_per_s[k], 10.0 / HAND_FRAME_S, 1e-9);
    }
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

static void short_gaps_are_bridged_long_ones_split(void **state)
{
    (void)state;
    ng_tracks tracks = five(20);
    hand_track(&tracks);
    hand_point(&tracks, 0, 100.0);
    hand_point(&tracks, 4, 140.0);  /* 3 missing: bridged */
    hand_point(&tracks, 9, 190.0);  /* 4 missing: split */
    hand_point(&tracks, 10, 200.0);
    ng_ensemble_options options = hand_options();
    options.smooth = false;
    ng_trajectories t = hand_make(&tracks, &options);
    assert_int_equal(t.n_tracks, 7);
    assert_int_equal(t.origin[5], 5);
    assert_int_equal(t.origin[6], 5);
    assert_int_equal(t.first[6] - t.first[5], 5);
    assert_int_equal(t.first[7] - t.first[6], 2);
    for (size_t k = 0; k < 5; k++) {
        assert_int_equal(t.frame[t.first[5] + k], k);
        assert_close(t.n[t.first[5] + k], 100.0 + 10.0 * (double)k, 1e-10);
        assert_int_equal(isnan(t.n_raw[t.first[5] + k]) != 0, k > 0 && k < 4);
    }
    ng_trajectories_free(&t);
    options.max_gap = 4;
    t = hand_make(&tracks, &options);
    assert_int_equal(t.n_tracks, 6);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

static void the_published_preset_drops_long_gaps_and_joins_short_ones(void **state)
{
    (void)state;
    ng_tracks tracks = five(40);
    hand_track(&tracks);
    hand_point(&tracks, 0, 100.4);
    hand_point(&tracks, 4, 140.4); /* 3 missing: joined */
    hand_track(&tracks);
    hand_point(&tracks, 0, 100.0);
    hand_point(&tracks, 5, 140.0); /* 4 missing: dropped */
    ng_ensemble_options options = hand_options();
    options.published = true;
    options.smooth = false;
    ng_warnings warnings = {0};
    ng_trajectories t;
    assert_int_equal(ng_trajectories_make(&tracks, &options, &t, &warnings, NULL), NG_OK);
    assert_int_equal(t.n_tracks, 6);
    assert_int_equal(t.tracks_dropped, 1);
    assert_warned(&warnings, "tracks-with-gaps", "1 of 7");
    assert_int_equal(t.first[6] - t.first[5], 2);
    assert_close(t.n[t.first[5]], 100.0, 0.0); /* rounded */
    assert_close(t.growth_per_s[t.first[5]], 40.0 / (4.0 * HAND_FRAME_S), 1e-9);
    ng_trajectories_free(&t);
    ng_warnings_free(&warnings);
    ng_tracks_free(&tracks);
}

static void sizes_below_one_monomer_are_dropped(void **state)
{
    (void)state;
    ng_tracks tracks = five(20);
    hand_track(&tracks);
    hand_point(&tracks, 2, 0.3);
    hand_point(&tracks, 3, 90.0);
    hand_track(&tracks);
    hand_point(&tracks, 2, 0.9);
    tracks.point[tracks.n_points - 1].radius_nm = (double)NAN;
    ng_ensemble_options options = hand_options();
    ng_warnings warnings = {0};
    ng_trajectories t;
    assert_int_equal(ng_trajectories_make(&tracks, &options, &t, &warnings, NULL), NG_OK);
    assert_int_equal(t.points_dropped, 2);
    assert_int_equal(t.tracks_dropped, 1);
    assert_int_equal(t.n_tracks, 6);
    assert_warned(&warnings, "points-below-one-monomer", "2 of 103");
    ng_trajectories_free(&t);
    ng_warnings_free(&warnings);
    ng_tracks_free(&tracks);
}

static void smoothing_never_leaves_sizes_below_one(void **state)
{
    (void)state;
    ng_tracks tracks = five(20);
    hand_track(&tracks);
    for (long k = 0; k < 30; k++) {
        hand_point(&tracks, k, k < 13 ? 1.0 : 1.0 + 1e4 * (double)(k - 12));
    }
    ng_ensemble_options options = hand_options();
    ng_warnings warnings = {0};
    ng_trajectories t;
    assert_int_equal(ng_trajectories_make(&tracks, &options, &t, &warnings, NULL), NG_OK);
    for (size_t k = 0; k < t.n_points; k++) {
        assert_true(t.n[k] >= 1.0);
    }
    assert_warned(&warnings, "smoothed-below-one", "set to 1");
    ng_trajectories_free(&t);
    ng_warnings_free(&warnings);
    ng_tracks_free(&tracks);
}

static void frames_without_particles_are_told(void **state)
{
    (void)state;
    ng_tracks tracks = five(20);
    hand_track(&tracks);
    hand_point(&tracks, 29, 500.0);
    ng_ensemble_options options = hand_options();
    ng_warnings warnings = {0};
    ng_trajectories t;
    assert_int_equal(ng_trajectories_make(&tracks, &options, &t, &warnings, NULL), NG_OK);
    assert_warned(&warnings, "frames-without-particles", "9 of 30");
    ng_trajectories_free(&t);
    ng_warnings_free(&warnings);
    ng_tracks_free(&tracks);
}

static void the_clock_is_filled_in(void **state)
{
    (void)state;
    ng_tracks tracks = five(6);
    ng_ensemble_options options = hand_options();
    /* five tracks of six frames: frame k is point k + 6 i; the clock slows down in frames 2 to 4 */
    const double told[] = {(double)NAN, 0.5, (double)NAN, (double)NAN, 1.1, (double)NAN};
    const double want[] = {0.0, 0.5, 0.7, 0.9, 1.1, 1.6};
    for (size_t k = 0; k < tracks.n_points; k++) {
        tracks.point[k].time_s = told[k % 6];
    }
    ng_trajectories t = hand_make(&tracks, &options);
    for (size_t f = 0; f < 6; f++) {
        assert_close(t.time_s[f], want[f], 1e-15);
    }
    ng_trajectories_free(&t);
    for (size_t k = 0; k < tracks.n_points; k++) {
        tracks.point[k].time_s = (double)NAN;
        tracks.point[k].frame += 4;
    }
    t = hand_make(&tracks, &options);
    for (size_t f = 0; f < 6; f++) {
        assert_close(t.time_s[f], HAND_FRAME_S * (double)(f + 4), 1e-15);
    }
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

/* ---- noise --------------------------------------------------------------------------------- */

/* Particles of constant size with noise of s.d. scale * n^power. */
static ng_tracks noisy(size_t n_tracks, size_t count, double scale, double power)
{
    ng_tracks tracks = hand_tracks();
    gsl_rng *rng = ng_random_open(7, 0);
    assert_non_null(rng);
    for (size_t i = 0; i < n_tracks; i++) {
        hand_track(&tracks);
        double n = 200.0 * pow(50.0, (double)i / (double)n_tracks);
        for (size_t k = 0; k < count; k++) {
            hand_point(&tracks, (long)k, n + gsl_ran_gaussian(rng, scale * pow(n, power)));
        }
    }
    ng_random_close(rng);
    return tracks;
}

/* 60 tracks of 150 frames: 6000 residuals, so 1 % on a s.d.; 12 groups give the power to 0.02. */
static void noise_is_found_again(void **state)
{
    (void)state;
    ng_tracks tracks = noisy(60, 150, 1.8, 0.6);
    ng_ensemble_options options = hand_options();
    for (int smooth = 0; smooth < 2; smooth++) {
        options.smooth = smooth == 1;
        ng_trajectories t = hand_make(&tracks, &options);
        assert_close(t.noise_power, 0.6, 0.03);
        double sd = t.noise_scale * pow(1000.0, t.noise_power);
        assert_close(sd / (1.8 * pow(1000.0, 0.6)), 1.0, 0.03);
        assert_close(t.noise_gain, smooth ? 0.0797 : 1.0, 1e-4);
        ng_trajectories_free(&t);
    }
    ng_tracks_free(&tracks);
}

/* Short trajectories have no point far from both ends: second differences take over. */
static void noise_of_short_trajectories(void **state)
{
    (void)state;
    ng_tracks tracks = noisy(200, 20, 1.8, 0.6);
    ng_ensemble_options options = hand_options();
    ng_trajectories t = hand_make(&tracks, &options);
    double sd = t.noise_scale * pow(1000.0, t.noise_power);
    assert_close(sd / (1.8 * pow(1000.0, 0.6)), 1.0, 0.06);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

/* Too few points for groups: the power of an uncertain edge, and a finite scale. */
static void noise_of_few_points(void **state)
{
    (void)state;
    ng_tracks tracks = noisy(5, 4, 1.8, 0.6);
    ng_ensemble_options options = hand_options();
    ng_trajectories t = hand_make(&tracks, &options);
    assert_close(t.noise_power, 2.0 / 3.0, 0.0);
    assert_true(t.noise_scale > 0.1 && t.noise_scale < 10.0);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
    tracks = noisy(5, 2, 1.8, 0.6); /* no differences at all */
    t = hand_make(&tracks, &options);
    assert_close(t.noise_scale, 0.0, 0.0);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

/* ---- errors -------------------------------------------------------------------------------- */

static void too_little_data(void **state)
{
    (void)state;
    ng_ensemble_options options = hand_options();
    ng_tracks tracks = hand_tracks();
    assert_refused(&tracks, &options, NG_TOO_LITTLE, "no point");
    ng_tracks_free(&tracks);
    tracks = five(1);
    assert_refused(&tracks, &options, NG_TOO_LITTLE, "at least 2 frames");
    ng_tracks_free(&tracks);
    tracks = five(20);
    tracks.n_tracks = 4;
    assert_refused(&tracks, &options, NG_TOO_LITTLE, "4 of 4 tracks are usable; at least 5");
    ng_tracks_free(&tracks);
}

static void wrong_calibration(void **state)
{
    (void)state;
    ng_ensemble_options options = hand_options();
    ng_tracks tracks = five(20);
    options.sigma_s_nm = 100.0;
    assert_refused(&tracks, &options, NG_INVALID, "--pixel-nm");
    options.sigma_s_nm = 0.01;
    assert_refused(&tracks, &options, NG_INVALID, "outside 1 to 1e7");
    ng_tracks_free(&tracks);
}

static void wrong_frames_and_times(void **state)
{
    (void)state;
    ng_ensemble_options options = hand_options();
    ng_tracks tracks = five(20);
    tracks.point[7].time_s = 0.1;
    tracks.point[27].time_s = 0.1;
    for (size_t i = 0; i < 5; i++) {
        tracks.point[7 + 20 * i].time_s = 0.1;
    }
    assert_refused(&tracks, &options, NG_INVALID, "frame 7 is at 0.1 s");
    ng_tracks_free(&tracks);
    tracks = five(20);
    hand_track(&tracks);
    hand_point(&tracks, 2000000000, 100.0);
    assert_refused(&tracks, &options, NG_INVALID, "frames run from 0 to 2000000000");
    ng_tracks_free(&tracks);
}

static void options_out_of_range(void **state)
{
    (void)state;
    ng_ensemble_options options = ng_ensemble_defaults();
    ng_tracks tracks = five(20);
    assert_refused(&tracks, &options, NG_USAGE, "--material");
    options = hand_options();
    options.cutoff = 0.6;
    assert_refused(&tracks, &options, NG_USAGE, "cutoff is 0.6");
    options = hand_options();
    options.max_gap = -1;
    assert_refused(&tracks, &options, NG_USAGE, "max-gap is -1");
    options = hand_options();
    options.level = 1.0;
    assert_refused(&tracks, &options, NG_USAGE, "level is 1");
    options = hand_options();
    options.bootstrap = 2000000;
    assert_refused(&tracks, &options, NG_USAGE, "bootstrap is 2000000");
    ng_tracks_free(&tracks);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    ng_tracks tracks = five(40);
    for (int published = 0; published < 2; published++) {
        ng_ensemble_options options = hand_options();
        options.published = published == 1;
        ng_status status = NG_MEMORY;
        size_t k = 0;
        while (status != NG_OK) {
            ng_trajectories t;
            ng_alloc_fail_after(++k);
            status = ng_trajectories_make(&tracks, &options, &t, NULL, NULL);
            ng_alloc_fail_after(0);
            assert_true(status == NG_OK || status == NG_MEMORY);
            ng_trajectories_free(&t);
        }
        assert_in_range(k, 10, 40);
    }
    ng_tracks_free(&tracks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_frames_and_times),
        cmocka_unit_test(growth_is_the_central_difference),
        cmocka_unit_test(short_gaps_are_bridged_long_ones_split),
        cmocka_unit_test(the_published_preset_drops_long_gaps_and_joins_short_ones),
        cmocka_unit_test(sizes_below_one_monomer_are_dropped),
        cmocka_unit_test(smoothing_never_leaves_sizes_below_one),
        cmocka_unit_test(frames_without_particles_are_told),
        cmocka_unit_test(the_clock_is_filled_in),
        cmocka_unit_test(noise_is_found_again),
        cmocka_unit_test(noise_of_short_trajectories),
        cmocka_unit_test(noise_of_few_points),
        cmocka_unit_test(too_little_data),
        cmocka_unit_test(wrong_calibration),
        cmocka_unit_test(wrong_frames_and_times),
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("trajectories", tests, NULL, NULL);
}
