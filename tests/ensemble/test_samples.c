/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples from a flask: outliers, small samples, quantiles over time. */
#include "test_support.h"

#include <nucgrow/samples.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define TIMES 6
#define EACH 400

/* Lognormal radii whose median grows; the last sample is small when `small`. */
static ng_tracks flask(size_t times, bool small)
{
    ng_tracks t = {.ex_situ = true, .frame_s = (double)NAN};
    gsl_rng *rng = ng_random_open(4, 0);
    t.point = NG_NEW(ng_track_point, times * EACH);
    assert_non_null(t.point);
    for (size_t k = 0; k < times; k++) {
        const size_t n = small && k + 1 == times ? 5 : EACH;
        for (size_t i = 0; i < n; i++) {
            t.point[t.n_points++] = (ng_track_point){
                .frame = (long)k,
                .time_s = 60.0 * (double)(k * (k + 1) / 2),
                .radius_nm = (1.0 + 0.1 * (double)k) * exp(0.1 * gsl_ran_gaussian(rng, 1.0))};
        }
    }
    ng_random_close(rng);
    return t;
}

static ng_samples samples_of(const ng_tracks *t, ng_warnings *warnings)
{
    ng_samples s;
    ng_error err = {.message = ""};
    if (ng_samples_make(t, &s, warnings, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return s;
}

static bool warned(const ng_warnings *w, const char *name)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void outliers_and_small_samples_are_dropped(void **state)
{
    (void)state;
    ng_warnings w = {0};
    ng_tracks t = flask(TIMES, true);
    t.point[3].radius_nm = 30.0; /* 34 robust standard deviations off */
    ng_samples s = samples_of(&t, &w);
    assert_int_equal(s.n_times, TIMES - 1);
    assert_int_equal(s.dropped, 1);
    assert_int_equal(s.first[1], EACH - 1);
    assert_int_equal(s.first[TIMES - 1], (TIMES - 1) * EACH - 1);
    assert_true(warned(&w, "outliers-dropped") && warned(&w, "sample-small"));
    assert_false(warned(&w, "samples-scatter"));
    for (size_t i = 1; i < s.first[1]; i++) {
        assert_true(s.radius_nm[i - 1] <= s.radius_nm[i]);
    }
    ng_samples_free(&s);
    ng_tracks_free(&t);
    ng_warnings_free(&w);
}

static void samples_that_scatter_are_told(void **state)
{
    (void)state;
    ng_warnings w = {0};
    ng_tracks t = flask(TIMES, false);
    for (size_t i = 0; i < t.n_points; i++) {
        t.point[i].radius_nm *= t.point[i].frame % 2 == 0 ? 1.1 : 1.0;
    }
    ng_samples s = samples_of(&t, &w);
    assert_true(warned(&w, "samples-scatter"));
    ng_samples_free(&s);
    ng_tracks_free(&t);
    ng_warnings_free(&w);
}

static void one_sample_is_too_little(void **state)
{
    (void)state;
    ng_samples s;
    ng_error err = {.message = ""};
    ng_tracks t = flask(1, false);
    assert_int_equal(ng_samples_make(&t, &s, NULL, &err), NG_TOO_LITTLE);
    assert_non_null(strstr(err.message, "1 usable sample;"));
    ng_tracks_free(&t);
}

static void quantiles_go_through_the_samples(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    ng_tracks t = flask(TIMES, false);
    ng_samples s = samples_of(&t, NULL);
    ng_sample_options o = {.sigma_s_nm = 0.2, .quantiles = 101, .frame_s = (double)NAN};
    ng_trajectories q;
    assert_int_equal(ng_samples_trajectories(&s, &o, NULL, &q, &err), NG_OK);
    /* samples at 0, 1, 3, 6, 10, 15 min: frames of one minute */
    assert_int_equal(q.n_frames, 16);
    assert_close(q.frame_s, 60.0, 1e-9);
    assert_int_equal(q.n_sampled, TIMES * EACH);
    const size_t median = 50;
    for (size_t k = 0; k < TIMES; k++) {
        const size_t f = k * (k + 1) / 2;
        const double *r = s.radius_nm + s.first[k];
        const double expected = pow(0.5 * (r[EACH / 2 - 1] + r[EACH / 2]) / 0.2, 3.0);
        assert_close(q.n[q.first[median] + f] / expected, 1.0, 1e-12);
    }
    for (size_t f = 0; f < q.n_frames; f++) {
        for (size_t k = 1; k < q.n_tracks; k++) {
            assert_true(q.n[q.first[k - 1] + f] <= q.n[q.first[k] + f]);
        }
    }
    /* slopes: against differences of the curve at a quarter of the frames */
    ng_sample_options fine = o;
    ng_trajectories p;
    fine.frame_s = 1.0;
    assert_int_equal(ng_samples_trajectories(&s, &fine, NULL, &p, &err), NG_OK);
    const size_t at = p.first[median] + 120;
    assert_close(0.5 * (p.n[at + 1] - p.n[at - 1]) / p.growth_per_s[at], 1.0, 1e-3);
    ng_trajectories_free(&p);
    ng_trajectories_free(&q);
    ng_samples_free(&s);
    ng_tracks_free(&t);
}

static void drawing_anew_is_reproducible_and_close(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    ng_tracks t = flask(TIMES, false);
    ng_samples s = samples_of(&t, NULL);
    ng_sample_options o = {.sigma_s_nm = 0.2, .quantiles = 51, .frame_s = (double)NAN};
    ng_trajectories as_is, one, two;
    gsl_rng *a = ng_random_open(1, 7), *b = ng_random_open(1, 7);
    assert_int_equal(ng_samples_trajectories(&s, &o, NULL, &as_is, &err), NG_OK);
    assert_int_equal(ng_samples_trajectories(&s, &o, a, &one, &err), NG_OK);
    assert_int_equal(ng_samples_trajectories(&s, &o, b, &two, &err), NG_OK);
    assert_memory_equal(one.n, two.n, one.n_points * sizeof *one.n);
    /* the median of 400: s.e. 1.25 * 0.3 / 20 = 2 % of n; four of them */
    const size_t at = one.first[25];
    assert_true(one.n[at] != as_is.n[at]);
    assert_close(one.n[at] / as_is.n[at], 1.0, 0.08);
    ng_random_close(a);
    ng_random_close(b);
    ng_trajectories_free(&as_is);
    ng_trajectories_free(&one);
    ng_trajectories_free(&two);
    ng_samples_free(&s);
    ng_tracks_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outliers_and_small_samples_are_dropped),
        cmocka_unit_test(samples_that_scatter_are_told),
        cmocka_unit_test(one_sample_is_too_little),
        cmocka_unit_test(quantiles_go_through_the_samples),
        cmocka_unit_test(drawing_anew_is_reproducible_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
