/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measures of the tracking challenge on cases that can be worked out by hand; gate 5. */
#include "isbi_measures.h"

#include "test_support.h"

#define GATE 5.0

typedef struct point {
    long track, frame;
    double x;
} point;

static isbi_tracks tracks_of(const point *p, size_t n)
{
    ng_particles particles = {.item = NG_NEW(ng_particle, n), .n = n};
    isbi_tracks tracks;
    for (size_t i = 0; i < n; i++) {
        particles.item[i] = ng_particle_unknown();
        particles.item[i].track = p[i].track;
        particles.item[i].frame = p[i].frame;
        particles.item[i].x_raw_nm = p[i].x;
        particles.item[i].y_raw_nm = 0.0;
    }
    assert_int_equal(isbi_tracks_make(&particles, 1.0, &tracks, NULL), NG_OK);
    ng_particles_free(&particles);
    return tracks;
}

static isbi_measures measure(const point *truth, size_t n_truth, const point *found, size_t n_found)
{
    isbi_tracks a = tracks_of(truth, n_truth), b = tracks_of(found, n_found);
    isbi_measures m;
    assert_int_equal(isbi_measure(&a, &b, GATE, &m, NULL), NG_OK);
    isbi_tracks_free(&a);
    isbi_tracks_free(&b);
    return m;
}

static const point pair[] = {{1, 0, 0},  {1, 1, 0},  {1, 2, 0},  {1, 3, 0},
                             {2, 0, 50}, {2, 1, 50}, {2, 2, 50}, {2, 3, 50}};

#define ALL(list) list, sizeof list / sizeof list[0]
#define EXACT 1e-12 /* sums of a few small numbers */

static void the_truth_itself(void **state)
{
    (void)state;
    isbi_measures m = measure(ALL(pair), ALL(pair));
    assert_close(m.alpha, 1.0, EXACT);
    assert_close(m.beta, 1.0, EXACT);
    assert_close(m.jsc, 1.0, EXACT);
    assert_close(m.jsc_theta, 1.0, EXACT);
    assert_close(m.rmse, 0.0, EXACT);
}

/* One track of two, 3 off: 4 x 3 + 4 x 5 of 8 x 5. */
static void one_track_is_missed(void **state)
{
    (void)state;
    const point found[] = {{9, 0, 3}, {9, 1, 3}, {9, 2, 3}, {9, 3, 3}};
    isbi_measures m = measure(ALL(pair), ALL(found));
    assert_close(m.alpha, 1.0 - 32.0 / 40.0, EXACT);
    assert_close(m.beta, 8.0 / 40.0, EXACT);
    assert_close(m.jsc, 4.0 / 8.0, EXACT);
    assert_close(m.jsc_theta, 1.0 / 2.0, EXACT);
    assert_close(m.rmse, 3.0, EXACT);
}

/* Both found, and one of two points that is nowhere near: spurious counts 2 x 5. */
static void a_spurious_track(void **state)
{
    (void)state;
    const point found[] = {{1, 0, 0},  {1, 1, 0},  {1, 2, 0},  {1, 3, 0},  {2, 0, 50},
                           {2, 1, 50}, {2, 2, 50}, {2, 3, 50}, {3, 0, 20}, {3, 1, 20}};
    isbi_measures m = measure(ALL(pair), ALL(found));
    assert_close(m.alpha, 1.0, EXACT);
    assert_close(m.beta, 40.0 / 50.0, EXACT);
    assert_close(m.jsc, 8.0 / 10.0, EXACT);
    assert_close(m.jsc_theta, 2.0 / 3.0, EXACT);
}

/* A track found in two pieces: the longer is paired, the shorter is spurious. */
static void a_broken_track(void **state)
{
    (void)state;
    const point truth[] = {{1, 0, 0}, {1, 1, 0}, {1, 2, 0}, {1, 3, 0}, {1, 4, 0}};
    const point found[] = {{1, 0, 0}, {1, 1, 0}, {2, 2, 0}, {2, 3, 0}, {2, 4, 0}};
    isbi_measures m = measure(ALL(truth), ALL(found));
    assert_close(m.alpha, 1.0 - 10.0 / 25.0, EXACT);
    assert_close(m.beta, 15.0 / 35.0, EXACT);
    assert_close(m.jsc, 3.0 / 7.0, EXACT);
    assert_close(m.jsc_theta, 1.0 / 2.0, EXACT);
}

/* Two tracks exchange their ends half-way: either pairing leaves half of the points at the gate. */
static void exchanged_tracks(void **state)
{
    (void)state;
    const point found[] = {{1, 0, 0},  {1, 1, 0},  {1, 2, 50}, {1, 3, 50},
                           {2, 0, 50}, {2, 1, 50}, {2, 2, 0},  {2, 3, 0}};
    isbi_measures m = measure(ALL(pair), ALL(found));
    assert_close(m.alpha, 0.5, EXACT);
    assert_close(m.beta, 0.5, EXACT);
    assert_close(m.jsc, 4.0 / 12.0, EXACT);
    assert_close(m.jsc_theta, 1.0, EXACT);
}

/* The nearest track is not the best one: 1 is nearer to a, but b has no other. */
static void the_pairing_is_the_best_as_a_whole(void **state)
{
    (void)state;
    const point truth[] = {{1, 0, 0}, {2, 0, 4}};
    const point found[] = {{1, 0, 3}, {2, 0, -2}};
    isbi_measures m = measure(ALL(truth), ALL(found));
    assert_close(m.alpha, 1.0 - (2.0 + 1.0) / 10.0, EXACT);
    assert_close(m.rmse, sqrt((4.0 + 1.0) / 2.0), EXACT);
}

static void nothing_found(void **state)
{
    (void)state;
    isbi_measures m = measure(ALL(pair), NULL, 0);
    assert_close(m.alpha, 0.0, EXACT);
    assert_close(m.jsc_theta, 0.0, EXACT);
    assert_true(isnan(m.rmse));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_itself), cmocka_unit_test(one_track_is_missed),
        cmocka_unit_test(a_spurious_track), cmocka_unit_test(a_broken_track),
        cmocka_unit_test(exchanged_tracks), cmocka_unit_test(the_pairing_is_the_best_as_a_whole),
        cmocka_unit_test(nothing_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
