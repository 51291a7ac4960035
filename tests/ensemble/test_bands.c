/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble/ensemble_internal.h"
#include "hand_tracks.h"

#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define TRACKS 60
#define FRAMES 6

static ng_trajectories some(void)
{
    ng_tracks tracks = hand_tracks();
    gsl_rng *rng = ng_random_open(3, 0);
    assert_non_null(rng);
    for (size_t i = 0; i < TRACKS; i++) {
        hand_track(&tracks);
        for (long k = 0; k < FRAMES; k++) {
            hand_point(&tracks, k, 1000.0 + gsl_ran_gaussian(rng, 150.0));
        }
    }
    ng_random_close(rng);
    ng_ensemble_options options = hand_options();
    options.smooth = false;
    ng_trajectories t = hand_make(&tracks, &options);
    ng_tracks_free(&tracks);
    return t;
}

static ng_bands bands(const ng_trajectories *t, size_t bootstrap, double level, const ng_run *run)
{
    ng_ensemble_options options = hand_options();
    options.bootstrap = bootstrap;
    options.level = level;
    ng_bands b;
    assert_int_equal(ng_bands_compute(t, &options, run, &b, NULL), NG_OK);
    return b;
}

/* The bootstrap distribution of a mean of N is normal with s.d. sqrt(population variance / N) up to
 * terms of 1/sqrt(N) (4 %); 4000 replicates give quantiles to 3 % of the s.d. Variance: the s.d. of
 * the squared deviations, likewise. */
static void bands_of_a_mean_are_its_standard_error(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_series s;
    assert_int_equal(ng_series_create(t.n_frames, &s, NULL), NG_OK);
    ng_series_compute(&t, NULL, &s);
    ng_bands b = bands(&t, 4000, 0.6827, NULL);
    for (size_t f = 0; f < FRAMES; f++) {
        double se = sqrt(s.var_n[f] / TRACKS), fourth = 0.0;
        assert_close((b.upper.mean_n[f] - b.lower.mean_n[f]) / (2.0 * se), 1.0, 0.06);
        assert_close(0.5 * (b.upper.mean_n[f] + b.lower.mean_n[f]), s.mean_n[f], 0.06 * se);
        for (size_t k = 0; k < t.n_points; k++) {
            if (t.frame[k] == f) {
                fourth += pow(t.n[k] - s.mean_n[f], 4.0) / TRACKS;
            }
        }
        se = sqrt((fourth - s.var_n[f] * s.var_n[f]) / TRACKS);
        assert_close((b.upper.var_n[f] - b.lower.var_n[f]) / (2.0 * se), 1.0, 0.1);
        assert_close(b.lower.particles[f], TRACKS, 0.0);
    }
    ng_bands_free(&b);
    ng_series_free(&s);
    ng_trajectories_free(&t);
}

static void assert_same(const ng_series *a, const ng_series *b)
{
    for (size_t i = 0; i < NG_SERIES_ARRAYS; i++) {
        assert_memory_equal(ng_series_array(a, i), ng_series_array(b, i),
                            a->n_frames * sizeof(double));
    }
}

static void threads_and_seeds(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_run run = ng_run_defaults();
    ng_bands one = bands(&t, 100, 0.9, &run);
    run.threads = 3;
    ng_bands three = bands(&t, 100, 0.9, &run);
    assert_same(&one.lower, &three.lower);
    assert_same(&one.upper, &three.upper);
    run.seed = 2;
    ng_bands other = bands(&t, 100, 0.9, &run);
    assert_true(other.lower.mean_n[0] != one.lower.mean_n[0]);
    ng_bands_free(&one);
    ng_bands_free(&three);
    ng_bands_free(&other);
    ng_trajectories_free(&t);
}

/* So many resamplings of so many frames that not all of them fit: they come in several passes, and
 * must be as if alone. */
static void long_movies_are_done_in_passes(void **state)
{
    (void)state;
    ng_tracks tracks = hand_tracks();
    for (size_t i = 0; i < 6; i++) {
        hand_track(&tracks);
        hand_point(&tracks, (long)i, 100.0 * (double)(i + 1));
        hand_point(&tracks, 19999, 130.0 * (double)(i + 1));
    }
    ng_ensemble_options options = hand_options();
    options.max_gap = 0;
    ng_trajectories t = hand_make(&tracks, &options);
    ng_bands b = bands(&t, 100, 0.5, NULL); /* 2000 numbers a frame: 4194 at a time */
    double lower = 0.0, upper = 0.0, mean[100], tenth[100];
    for (size_t r = 0; r < 100; r++) {
        gsl_rng *rng = ng_random_open(1, r);
        double weight[12], n = 0.0;
        assert_non_null(rng);
        ng_bootstrap_trajectories(rng, &t, weight);
        ng_random_close(rng);
        mean[r] = tenth[r] = 0.0;
        for (size_t i = 0; i < 6; i++) {
            double size = 130.0 * (double)(i + 1);
            assert_close(weight[2 * i], weight[2 * i + 1], 0.0); /* pieces of one particle */
            n += weight[2 * i];
            mean[r] += weight[2 * i] * size / 6.0;
            tenth[r] += weight[2 * i] * pow(size, 10.0) / 6.0;
        }
        assert_close(n, 6.0, 0.0);
    }
    ng_percentile_band(mean, 100, 0.5, &lower, &upper);
    assert_close(b.lower.mean_n[19999], lower, 1e-9);
    assert_close(b.upper.mean_n[19999], upper, 1e-9);
    ng_percentile_band(tenth, 100, 0.5, &lower, &upper);
    assert_close(b.lower.moment[10][19999], lower, 1e-11 * lower);
    assert_close(b.upper.moment[10][19999], upper, 1e-11 * upper);
    assert_true(isnan(b.lower.mean_n[10000]));
    ng_bands_free(&b);
    ng_trajectories_free(&t);
    ng_tracks_free(&tracks);
}

/* Frames filled in pieces hold what they hold when filled at once, slopes across the cut too. */
static void pieces_are_as_the_whole(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_series whole, pieces;
    assert_int_equal(ng_series_create(t.n_frames, &whole, NULL), NG_OK);
    assert_int_equal(ng_series_create(t.n_frames, &pieces, NULL), NG_OK);
    ng_series_compute(&t, NULL, &whole);
    for (size_t first = 0; first < FRAMES; first += 2) {
        ng_series_fill(&t, NULL, NULL, first, first + 2, &pieces);
        for (size_t a = 0; a < NG_SERIES_ARRAYS; a++) {
            assert_memory_equal(ng_series_array(&pieces, a) + first,
                                ng_series_array(&whole, a) + first, 2 * sizeof(double));
        }
    }
    ng_series_free(&whole);
    ng_series_free(&pieces);
    ng_trajectories_free(&t);
}

static void no_resampling_no_bands(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_bands b = bands(&t, 0, 0.9, NULL);
    assert_true(isnan(b.lower.mean_n[0]) && isnan(b.upper.moment[10][FRAMES - 1]));
    ng_bands_free(&b);
    ng_trajectories_free(&t);
}

static void percentiles_are_of_type_7(void **state)
{
    (void)state;
    double x[] = {5.0, (double)NAN, 1.0, 3.0, 2.0, 4.0}, lower = 0.0, upper = 0.0;
    ng_percentile_band(x, 6, 0.5, &lower, &upper);
    assert_close(lower, 2.0, 1e-15);
    assert_close(upper, 4.0, 1e-15);
    x[0] = (double)NAN;
    ng_percentile_band(x, 1, 0.5, &lower, &upper);
    assert_true(isnan(lower) && isnan(upper));
}

/* Each particle is drawn once on average; the multiplicity is binomial with variance 1 - 1/n. */
static void weights_are_multinomial(void **state)
{
    (void)state;
    enum { N = 50, DRAWS = 4000 };
    double weight[N], sum[N] = {0}, square = 0.0;
    gsl_rng *rng = ng_random_open(11, 0);
    assert_non_null(rng);
    for (size_t d = 0; d < DRAWS; d++) {
        double total = 0.0;
        ng_bootstrap_weights(rng, N, weight);
        for (size_t i = 0; i < N; i++) {
            total += weight[i];
            sum[i] += weight[i];
            square += (weight[i] - 1.0) * (weight[i] - 1.0);
        }
        assert_close(total, N, 0.0);
    }
    ng_random_close(rng);
    for (size_t i = 0; i < N; i++) {
        assert_close(sum[i] / DRAWS, 1.0, 5.0 / sqrt(DRAWS)); /* five standard errors */
    }
    /* s.d. of (w-1)^2 is about 1.7 */
    assert_close(square / (N * DRAWS), 1.0 - 1.0 / N, 5.0 * 1.7 / sqrt(N * DRAWS));
}

static bool stop(void *context, const char *stage, size_t done, size_t total)
{
    (void)context;
    (void)stage;
    (void)total;
    return done < 5;
}

static void cancelled(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_ensemble_options options = hand_options();
    ng_run run = ng_run_defaults();
    run.progress = stop;
    ng_bands b;
    assert_int_equal(ng_bands_compute(&t, &options, &run, &b, NULL), NG_CANCELLED);
    assert_null(b.lower.mean_n);
    assert_null(b.upper.mean_n);
    ng_trajectories_free(&t);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    ng_trajectories t = some();
    ng_ensemble_options options = hand_options();
    options.bootstrap = 3;
    ng_status status = NG_MEMORY;
    size_t k = 0;
    while (status != NG_OK) {
        ng_bands b;
        ng_alloc_fail_after(++k);
        status = ng_bands_compute(&t, &options, NULL, &b, NULL);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
        ng_bands_free(&b);
    }
    assert_in_range(k, 5, 30);
    ng_trajectories_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_of_a_mean_are_its_standard_error),
        cmocka_unit_test(threads_and_seeds),
        cmocka_unit_test(long_movies_are_done_in_passes),
        cmocka_unit_test(pieces_are_as_the_whole),
        cmocka_unit_test(no_resampling_no_bands),
        cmocka_unit_test(percentiles_are_of_type_7),
        cmocka_unit_test(weights_are_multinomial),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("bands", tests, NULL, NULL);
}
