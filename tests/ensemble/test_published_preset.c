/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The preset `published` against what the published programs made of the published tracks
 * (preprocessing-*.csv of the reference numbers). */
#include <nucgrow/data.h>
#include <nucgrow/ensemble.h>

#include "reference_table.h"
#include "test_support.h"

#include <math.h>

/* Columns of preprocessing-*.csv. */
enum {
    TIME,
    N_OBS,
    MEAN_RAW,
    VAR_RAW,
    SMOOTH_MIN = 9,
    SMOOTH_MAX = 10,
    SMOOTH_MEAN = 11,
    SMOOTH_VAR = 12,
    GROWTH = 13
};

struct movie {
    const char *reference;
    const char *file[2];
    size_t n_files;
    double pixel_nm, sigma_s_nm;
    size_t tracks_dropped;
    /* Trajectories of 2 or 3 points, which the published filter treats in a way unknown to us, are
     * seen in the first frames only. */
    size_t odd_frames;
    double odd_mean, odd_var, odd_growth;
    /* Unrounded sizes differ by how exactly a short trajectory's filter is started. */
    double growth;
};

static const struct movie pt = {.reference = "preprocessing-pt-acac2.csv",
                                .file = {"kim2025/pt-acac2-monomeric.csv"},
                                .n_files = 1,
                                .pixel_nm = 0.53,
                                .sigma_s_nm = 0.15567157440168947,
                                .growth = 1e-9};

static const struct movie au = {.reference = "preprocessing-au.csv",
                                .file = {"kim2025/au-monomeric.csv", "kim2025/au-dissolution.csv"},
                                .n_files = 2,
                                .pixel_nm = 0.538,
                                .sigma_s_nm = 0.1593424666799769,
                                .tracks_dropped = 35,
                                .odd_frames = 8,
                                .odd_mean = 0.003,
                                .odd_var = 0.0075,
                                .odd_growth = 0.07,
                                .growth = 1e-5};

static void read_movie(const struct movie *m, ng_tracks *tracks)
{
    char path[2][4096];
    const char *paths[2] = {path[0], path[1]};
    for (size_t i = 0; i < m->n_files; i++) {
        snprintf(path[i], sizeof path[i], "%s", test_data(m->file[i]));
    }
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = m->pixel_nm;
    ng_error err = {.message = ""};
    if (ng_tracks_read(paths, m->n_files, &options, tracks, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
}

static ng_trajectories make(const struct movie *m, bool smooth)
{
    ng_tracks tracks;
    read_movie(m, &tracks);
    ng_ensemble_options options = ng_ensemble_defaults();
    options.sigma_s_nm = m->sigma_s_nm;
    options.published = true;
    options.smooth = smooth;
    ng_trajectories t;
    ng_error err = {.message = ""};
    if (ng_trajectories_make(&tracks, &options, &t, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    ng_tracks_free(&tracks);
    return t;
}

/* Mean of the trajectories' growth rates in each frame. */
static void mean_growth(const ng_trajectories *t, double *mean)
{
    double *count = calloc(t->n_frames, sizeof *count);
    assert_non_null(count);
    for (size_t f = 0; f < t->n_frames; f++) {
        mean[f] = 0.0;
    }
    for (size_t k = 0; k < t->n_points; k++) {
        if (isfinite(t->growth_per_s[k])) {
            mean[t->frame[k]] += t->growth_per_s[k];
            count[t->frame[k]] += 1.0;
        }
    }
    for (size_t f = 0; f < t->n_frames; f++) {
        mean[f] /= count[f];
    }
    free(count);
}

/* Sums of whole numbers differ by the order of summation only: 1e-12 of the value. */
static void compare_frame(const struct movie *m, const ng_series *raw, const ng_series *smooth,
                          const double *growth, size_t f, const struct reference_row *row)
{
    const double *want = row->value;
    bool odd = f < m->odd_frames;
    assert_close(raw->particles[f], want[N_OBS], 0.0);
    assert_close(raw->mean_n[f], want[MEAN_RAW], 1e-12 * want[MEAN_RAW]);
    assert_close(raw->var_n[f], want[VAR_RAW], 1e-12 * want[VAR_RAW]);
    assert_close(smooth->min_n[f], want[SMOOTH_MIN], 0.0);
    assert_close(smooth->max_n[f], want[SMOOTH_MAX], 0.0);
    assert_close(smooth->mean_n[f], want[SMOOTH_MEAN],
                 (odd ? m->odd_mean : 1e-12) * want[SMOOTH_MEAN]);
    assert_close(smooth->var_n[f], want[SMOOTH_VAR], (odd ? m->odd_var : 1e-12) * want[SMOOTH_VAR]);
    assert_close(growth[f], want[GROWTH], odd ? m->odd_growth : m->growth);
}

static void compare(const struct movie *m)
{
    FILE *table = reference_open(m->reference);
    ng_trajectories t_raw = make(m, false), t = make(m, true);
    ng_series raw, smooth;
    assert_int_equal(ng_series_create(t_raw.n_frames, &raw, NULL), NG_OK);
    assert_int_equal(ng_series_create(t.n_frames, &smooth, NULL), NG_OK);
    ng_series_compute(&t_raw, NULL, &raw);
    ng_series_compute(&t, NULL, &smooth);
    double *growth = calloc(t.n_frames, sizeof *growth);
    assert_non_null(growth);
    mean_growth(&t, growth);
    struct reference_row row;
    size_t f = 0;
    for (; reference_next(table, &row); f++) {
        assert_true(f < t.n_frames);
        assert_close(t.time_s[f], row.value[TIME], 1e-9);
        compare_frame(m, &raw, &smooth, growth, f, &row);
    }
    assert_int_equal(f, t.n_frames);
    assert_int_equal(t.tracks_dropped, m->tracks_dropped);
    free(growth);
    ng_series_free(&raw);
    ng_series_free(&smooth);
    ng_trajectories_free(&t_raw);
    ng_trajectories_free(&t);
    fclose(table);
}

static void test_platinum(void **state)
{
    (void)state;
    compare(&pt);
}

static void test_gold(void **state)
{
    (void)state;
    compare(&au);
}

/* [Kim] Fig. 1E names phases I to V for this run and says of each how it grows; where they end is
 * not printed, so the frames are ours, +-3 whatever the smoothing. */
static size_t find(const ng_series *s, ng_phase *phase, size_t max)
{
    size_t n = 0;
    assert_int_equal(ng_phases_find(s, max, phase, &n, NULL), NG_OK);
    return n;
}

static void test_phases(void **state)
{
    (void)state;
    static const double end_s[] = {28, 43, 103, 144, 180};
    for (int smooth = 0; smooth < 2; smooth++) {
        ng_trajectories t = make(&pt, smooth == 1);
        ng_series s;
        ng_phase phase[9];
        assert_int_equal(ng_series_create(t.n_frames, &s, NULL), NG_OK);
        ng_series_compute(&t, NULL, &s);
        assert_int_equal(find(&s, phase, 9), 5);
        for (size_t k = 0; k < 5; k++) {
            assert_close(t.time_s[phase[k].last], end_s[k], 3.0);
            assert_int_equal(phase[k].mean, k == 1 ? NG_FALLING : NG_RISING);
        }
        ng_series_free(&s);
        ng_trajectories_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platinum),
        cmocka_unit_test(test_gold),
        cmocka_unit_test(test_phases),
    };
    return cmocka_run_group_tests_name("published preset", tests, NULL, NULL);
}
