/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand_tracks.h"

#include "test_support.h"

#include <math.h>

/* Eight particles that come and go. */
static ng_tracks some(void)
{
    ng_tracks tracks = hand_tracks();
    for (size_t i = 0; i < 8; i++) {
        hand_track(&tracks);
        for (long k = (long)i; k < 12 + (long)i; k++) {
            hand_point(&tracks, k, 50.0 * (double)(i + 1) + 3.0 * (double)((k * k + 5 * k) % 37));
        }
    }
    return tracks;
}

static ng_trajectories trajectories(const ng_tracks *tracks)
{
    ng_ensemble_options options = hand_options();
    options.smooth = false;
    return hand_make(tracks, &options);
}

static ng_series series(const ng_trajectories *t, const double *weight)
{
    ng_series s;
    assert_int_equal(ng_series_create(t->n_frames, &s, NULL), NG_OK);
    ng_series_compute(t, weight, &s);
    return s;
}

/* Sizes of one frame in long double, each as often as its trajectory's weight. */
struct brute {
    long double count, mean, variance, radius, radius_sd, moment[NG_MOMENT_MAX + 1];
};

static void add_brute(const ng_trajectories *t, const double *weight, size_t f, struct brute *b,
                      bool second)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            if (t->frame[k] != f) {
                continue;
            }
            long double w = weight != NULL ? (long double)weight[i] : 1.0L;
            long double n = (long double)t->n[k], r = cbrtl(n) * (long double)t->sigma_s_nm;
            if (second) {
                b->variance += w * (n - b->mean) * (n - b->mean) / b->count;
                b->radius_sd += w * (r - b->radius) * (r - b->radius) / b->count;
                continue;
            }
            b->count += w;
            b->radius += w * r;
            for (int q = 1; q <= NG_MOMENT_MAX; q++) {
                b->moment[q] += w * powl(n, q);
            }
        }
    }
}

static struct brute brute_force(const ng_trajectories *t, const double *weight, size_t f)
{
    struct brute b = {0};
    add_brute(t, weight, f, &b, false);
    b.mean = b.moment[1] / b.count;
    b.radius /= b.count;
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        b.moment[q] /= b.count;
    }
    add_brute(t, weight, f, &b, true);
    b.radius_sd = sqrtl(b.radius_sd);
    return b;
}

/* Sums of at most 8 positive numbers: relative error 1e-14; tenth powers 10 times that. */
static void assert_brute(const ng_trajectories *t, const double *weight, const ng_series *s)
{
    for (size_t f = 0; f < t->n_frames; f++) {
        struct brute b = brute_force(t, weight, f);
        assert_close(s->particles[f], (double)b.count, 0.0);
        if (b.count == 0.0L) {
            assert_true(isnan(s->mean_n[f]) && isnan(s->var_n[f]) && isnan(s->min_n[f]));
            continue;
        }
        assert_close(s->mean_n[f], (double)b.mean, 1e-14 * (double)b.mean);
        assert_close(s->var_n[f], (double)b.variance, 1e-12 * (double)b.moment[2]);
        assert_close(s->mean_radius_nm[f], (double)b.radius, 1e-14 * (double)b.radius);
        assert_close(s->sd_radius_nm[f], (double)b.radius_sd, 1e-12 * (double)b.radius);
        for (int q = 1; q <= NG_MOMENT_MAX; q++) {
            assert_close(s->moment[q][f], (double)b.moment[q], 1e-13 * (double)b.moment[q]);
        }
    }
    assert_null(s->moment[0]);
}

static void moments_equal_brute_force(void **state)
{
    (void)state;
    ng_tracks tracks = some();
    ng_trajectories t = trajectories(&tracks);
    ng_series s = series(&t, NULL);
    assert_brute(&t, NULL, &s);
    ng_series_free(&s);
    const double weight[8] = {0, 2, 1, 0, 3, 1, 1, 0};
    s = series(&t, weight);
    assert_brute(&t, weight, &s);
    assert_true(isnan(s.max_n[0])); /* only the first particle is there */
    ng_series_free(&s);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

/* <n^2> - <n>^2 would lose 12 of 16 digits here. */
static void narrow_ensembles_keep_their_variance(void **state)
{
    (void)state;
    ng_tracks tracks = hand_tracks();
    for (size_t i = 0; i < 5; i++) {
        hand_track(&tracks);
        hand_point(&tracks, 0, 1e6 + (double)i);
        hand_point(&tracks, 1, 1e6 + (double)i);
    }
    ng_trajectories t = trajectories(&tracks);
    ng_series s = series(&t, NULL);
    assert_close(s.var_n[0], 2.0, 1e-8); /* cubes of radii carry 1e-9 of a monomer */
    assert_close(s.min_n[0], 1e6, 1e-8);
    assert_close(s.max_n[0], 1e6 + 4.0, 1e-8);
    ng_series_free(&s);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

static void slopes_over_time(void **state)
{
    (void)state;
    ng_tracks tracks = some();
    ng_trajectories t = trajectories(&tracks);
    ng_series s = series(&t, NULL);
    size_t last = t.n_frames - 1;
    assert_close(s.dmean_dt_per_s[5], s.mean_n[6] - s.mean_n[4], 1e-10); /* 2 frames are 1 s */
    assert_close(s.dvar_dt_per_s[0], (s.var_n[1] - s.var_n[0]) / HAND_FRAME_S, 1e-9);
    assert_close(s.dmean_dt_per_s[last], (s.mean_n[last] - s.mean_n[last - 1]) / HAND_FRAME_S,
                 1e-10);
    assert_close(s.dln_particles_dt_per_s[3], log(5.0 / 3.0), 1e-14);
    ng_series_free(&s);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

static void derivatives_pass_over_holes(void **state)
{
    (void)state;
    const double hole = (double)NAN;
    const double x[] = {1, 3, 5, hole, 9, 16, hole, 4, hole};
    double dx[9];
    ng_time_derivative(x, 9, 2.0, dx);
    const double want[] = {1, 1, 1, hole, 3.5, 3.5, hole, hole, hole};
    for (size_t i = 0; i < 9; i++) {
        if (isnan(want[i])) {
            assert_true(isnan(dx[i]));
        } else {
            assert_close(dx[i], want[i], 1e-15);
        }
    }
    ng_time_derivative(x, 1, 2.0, dx);
    assert_true(isnan(dx[0]));
}

static void splines_differentiate_cubics_exactly(void **state)
{
    (void)state;
    double x[12], even[12], at[12], time[12];
    for (size_t i = 0; i < 12; i++) {
        double u = (double)i;
        time[i] = u + 0.3 * sin(u);
        even[i] = 2.0 - u + 0.5 * u * u - 0.1 * u * u * u;
        at[i] = 2.0 - time[i] + 0.5 * time[i] * time[i] - 0.1 * time[i] * time[i] * time[i];
    }
    for (size_t n = 4; n <= 12; n++) {
        assert_int_equal(ng_spline_slopes(even, n, 0.5, x, NULL), NG_OK);
        for (size_t i = 0; i < n; i++) {
            double u = (double)i;
            assert_close(x[i], 2.0 * (-1.0 + u - 0.3 * u * u), 1e-11);
        }
        assert_int_equal(ng_spline_slopes_uneven(at, time, n, x, NULL), NG_OK);
        for (size_t i = 0; i < n; i++) {
            assert_close(x[i], -1.0 + time[i] - 0.3 * time[i] * time[i], 1e-11);
        }
    }
}

static void splines_of_few_points(void **state)
{
    (void)state;
    const double time[] = {0.0, 1.0, 3.0}, parabola[] = {1.0, 2.0, 10.0};
    double slope[3];
    assert_int_equal(ng_spline_slopes_uneven(parabola, time, 3, slope, NULL), NG_OK);
    assert_close(slope[0], 0.0, 1e-15); /* 1 + t^2 */
    assert_close(slope[1], 2.0, 1e-15);
    assert_close(slope[2], 6.0, 1e-15);
    assert_int_equal(ng_spline_slopes(parabola, 2, 0.5, slope, NULL), NG_OK);
    assert_close(slope[0], 2.0, 0.0);
    assert_close(slope[1], 2.0, 0.0);
    assert_int_equal(ng_spline_slopes(parabola, 1, 0.5, slope, NULL), NG_OK);
    assert_true(isnan(slope[0]));
}

static void no_memory(void **state)
{
    (void)state;
    ng_series s;
    double x[5] = {0}, slope[5];
    ng_error err = {.message = ""};
    ng_alloc_fail_after(1);
    assert_int_equal(ng_series_create(10, &s, &err), NG_MEMORY);
    assert_null(s.mean_n);
    ng_alloc_fail_after(1);
    assert_int_equal(ng_spline_slopes(x, 5, 1.0, slope, &err), NG_MEMORY);
    ng_alloc_fail_after(0);
    ng_series_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_equal_brute_force),
        cmocka_unit_test(narrow_ensembles_keep_their_variance),
        cmocka_unit_test(slopes_over_time),
        cmocka_unit_test(derivatives_pass_over_holes),
        cmocka_unit_test(splines_differentiate_cubics_exactly),
        cmocka_unit_test(splines_of_few_points),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
