/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble/ensemble_internal.h"
#include "hand_tracks.h"

#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define TRACKS 30
#define FRAMES 40

/* An ensemble with all that is computed of it. */
struct whole {
    ng_tracks tracks;
    ng_ensemble_options options;
    ng_trajectories trajectories;
    ng_series series;
    ng_bands bands;
    ng_ensemble ensemble;
};

static ng_tracks growing(void)
{
    ng_tracks tracks = hand_tracks();
    gsl_rng *rng = ng_random_open(9, 0);
    assert_non_null(rng);
    for (size_t i = 0; i < TRACKS; i++) {
        hand_track(&tracks);
        double n = 200.0 * exp(gsl_ran_gaussian(rng, 0.3));
        for (long k = 0; k < FRAMES; k++) {
            hand_point(&tracks, k, n * exp(0.03 * (double)k) + gsl_ran_gaussian(rng, 5.0));
        }
    }
    ng_random_close(rng);
    return tracks;
}

/* In place, since `ensemble` points into it. */
static void make(struct whole *w, bool published, size_t bootstrap)
{
    *w = (struct whole){.tracks = growing(), .options = hand_options()};
    w->options.published = published;
    w->options.bootstrap = bootstrap;
    w->trajectories = hand_make(&w->tracks, &w->options);
    assert_int_equal(ng_series_create(w->trajectories.n_frames, &w->series, NULL), NG_OK);
    ng_series_compute(&w->trajectories, NULL, &w->series);
    if (bootstrap > 0) {
        assert_int_equal(ng_bands_compute(&w->trajectories, &w->options, NULL, &w->bands, NULL),
                         NG_OK);
    }
    w->ensemble = (ng_ensemble){.tracks = &w->tracks,
                                .trajectories = &w->trajectories,
                                .options = &w->options,
                                .material = ng_material_find("Pt"),
                                .series = &w->series,
                                .bands = bootstrap > 0 ? &w->bands : NULL};
}

static void unmake(struct whole *w)
{
    ng_tracks_free(&w->tracks);
    ng_trajectories_free(&w->trajectories);
    ng_series_free(&w->series);
    ng_bands_free(&w->bands);
}

static json_t *json_of(const struct whole *w, const ng_run *run)
{
    json_t *json = NULL;
    ng_error err = {.message = ""};
    if (ng_ensemble_json(&w->ensemble, run, &json, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return json;
}

static const json_t *at(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    if (value == NULL) {
        fail_msg("key %s is missing", key);
    }
    return value;
}

static double number(const json_t *list, size_t i)
{
    const json_t *value = json_array_get(list, i);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void series_are_there_to_seven_digits(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 50);
    json_t *json = json_of(&w, NULL);
    const json_t *series = at(json, "series");
    static const char *const keys[] = {
        "time_s", "particles", "mean_n", "var_n", "mean_n_lower", "mean_n_upper", "var_n_lower",
        "var_n_upper", "mean_radius_nm", "sd_radius_nm", "dmean_n_dt_per_s", "dvar_n_dt_per_s",
        "dln_particles_dt_per_s"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(json_array_size(at(series, keys[i])), FRAMES);
    }
    for (size_t f = 0; f < FRAMES; f++) {
        double mean = number(at(series, "mean_n"), f);
        assert_close(mean, w.series.mean_n[f], 5e-7 * mean);
        assert_true(number(at(series, "mean_n_lower"), f) < mean);
        assert_true(number(at(series, "mean_n_upper"), f) > mean);
    }
    const json_t *moments = at(json, "moments");
    assert_int_equal(json_array_size(at(moments, "value")), 8);
    assert_int_equal(json_integer_value(json_array_get(at(moments, "order"), 7)), 10);
    double tenth = number(json_array_get(at(moments, "value"), 7), 5);
    assert_close(tenth, w.series.moment[10][5], 1e-6 * tenth);
    assert_int_equal(json_integer_value(at(at(json, "counts"), "points")), TRACKS * FRAMES);
    assert_string_equal(json_string_value(at(at(json, "material"), "name")), "Pt");
    json_decref(json);
    unmake(&w);
}

/* Trapezoid of p over its 200 sizes; integers 12 apart for the published one. */
static void check_distribution(const json_t *d, double tolerance)
{
    const json_t *n = at(d, "n"), *p = at(d, "p_n"), *psi = at(d, "psi_n");
    double sum = 0.0;
    for (size_t k = 1; k < json_array_size(n); k++) {
        sum += 0.5 * (number(p, k) + number(p, k - 1)) * (number(n, k) - number(n, k - 1));
        assert_true(number(psi, k) <= number(psi, k - 1));
    }
    assert_close(sum, 1.0, tolerance);
    for (size_t k = 20; k < json_array_size(n) - 20; k++) {
        assert_true(number(at(d, "p_n_lower"), k) <= number(at(d, "p_n_upper"), k));
    }
}

static void distributions_of_both_kinds(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        struct whole w;
        make(&w, published == 1, 30);
        json_t *json = json_of(&w, NULL);
        const json_t *list = at(json, "distributions"), *settings = at(json, "settings");
        assert_int_equal(json_array_size(list), NG_DISTRIBUTIONS_MAX);
        for (size_t i = 0; i < NG_DISTRIBUTIONS_MAX; i++) {
            check_distribution(json_array_get(list, i), published ? 0.05 : 0.005);
        }
        const json_t *last = json_array_get(list, NG_DISTRIBUTIONS_MAX - 1);
        assert_close(json_number_value(at(last, "time_s")), (FRAMES - 1) * HAND_FRAME_S, 1e-6);
        assert_close(json_number_value(at(last, "particles")), TRACKS, 0.0);
        assert_int_equal(json_integer_value(at(settings, "distribution_bootstrap")), 30);
        assert_string_equal(json_string_value(at(settings, "preset")),
                            published ? "published" : "default");
        json_decref(json);
        unmake(&w);
    }
}

/* The band of the density against the direct way: the kernel of each resampled frame. */
static void distribution_bands_equal_the_direct_way(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 40);
    ng_frame_distribution d[NG_DISTRIBUTIONS_MAX];
    size_t n = 0;
    assert_int_equal(ng_distributions_compute(&w.ensemble, NULL, d, &n, NULL), NG_OK);
    assert_int_equal(n, NG_DISTRIBUTIONS_MAX);
    const ng_distribution *first = &d[0].distribution;
    size_t k = 100;
    double density[40], lower = 0.0, upper = 0.0;
    for (size_t b = 0; b < 40; b++) {
        double weight[TRACKS + 1], size[TRACKS + 1], p[TRACKS + 1], score[TRACKS + 1];
        gsl_rng *rng = ng_random_open(1, b);
        assert_non_null(rng);
        ng_bootstrap_trajectories(rng, &w.trajectories, weight);
        ng_random_close(rng);
        for (size_t i = 0; i < TRACKS; i++) {
            size[i] = w.trajectories.n[w.trajectories.first[i]];
        }
        size[TRACKS] = first->n[k];
        weight[TRACKS] = 0.0;
        ng_density_at_points(size, weight, TRACKS + 1, first->bandwidth, p, score);
        density[b] = p[TRACKS];
    }
    ng_percentile_band(density, 40, w.options.level, &lower, &upper);
    assert_close(d[0].lower[k], lower, 1e-12 * lower);
    assert_close(d[0].upper[k], upper, 1e-12 * upper);
    ng_distributions_free(d);
    unmake(&w);
}

static void without_resampling_there_are_no_bands(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 0);
    json_t *json = json_of(&w, NULL);
    assert_null(json_object_get(at(json, "series"), "mean_n_lower"));
    assert_null(json_object_get(at(json, "moments"), "lower"));
    assert_null(json_object_get(json_array_get(at(json, "distributions"), 0), "p_n_lower"));
    json_decref(json);
    unmake(&w);
}

static void the_tracks_come_back_unchanged(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 0);
    json_t *json = json_of(&w, NULL);
    ng_tracks back;
    assert_int_equal(ng_tracks_from_json(at(json, "tracks"), &back, NULL), NG_OK);
    ng_trajectories t = hand_make(&back, &w.options);
    assert_int_equal(t.n_points, w.trajectories.n_points);
    assert_memory_equal(t.n, w.trajectories.n, t.n_points * sizeof(double));
    ng_trajectories_free(&t);
    ng_tracks_free(&back);
    json_decref(json);
    unmake(&w);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 40);
    ng_run run = ng_run_defaults();
    json_t *one = json_of(&w, &run);
    run.threads = 3;
    json_t *three = json_of(&w, &run);
    assert_true(json_equal(one, three));
    json_decref(one);
    json_decref(three);
    unmake(&w);
}

static void phases_have_times(void **state)
{
    (void)state;
    struct whole w;
    make(&w, false, 0);
    json_t *json = json_of(&w, NULL);
    const json_t *phase = json_array_get(at(json, "phases"), 0);
    assert_int_equal(json_array_size(at(json, "phases")), 1);
    assert_string_equal(json_string_value(at(phase, "name")), "I");
    assert_string_equal(json_string_value(at(phase, "mean_trend")), "rising");
    assert_close(json_number_value(at(phase, "end_s")), (FRAMES - 1) * HAND_FRAME_S, 1e-6);
    /* 0.03 a frame of half a second; particles' noise moves it by a few per cent */
    assert_close(json_number_value(at(phase, "dln_mean_n_dt_per_s")), 0.06, 0.002);
    json_decref(json);
    unmake(&w);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        struct whole w;
        make(&w, published == 1, 2);
        ng_status status = NG_MEMORY;
        size_t k = 0;
        while (status != NG_OK) {
            json_t *json = NULL;
            ng_alloc_fail_after(++k);
            status = ng_ensemble_json(&w.ensemble, NULL, &json, NULL);
            ng_alloc_fail_after(0);
            assert_true(status == NG_OK || status == NG_MEMORY);
            /* Phases are left out where they find no memory: the only one that is not fatal. */
            json_decref(json);
        }
        assert_in_range(k, 20, 300);
        unmake(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_there_to_seven_digits),
        cmocka_unit_test(distributions_of_both_kinds),
        cmocka_unit_test(distribution_bands_equal_the_direct_way),
        cmocka_unit_test(without_resampling_there_are_no_bands),
        cmocka_unit_test(the_tracks_come_back_unchanged),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(phases_have_times),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("ensemble_json", tests, NULL, NULL);
}
