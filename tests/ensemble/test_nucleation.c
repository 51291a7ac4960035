/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Births, numbers, histograms: by hand, and against known rates. */
#include <nucgrow/nucleation.h>

#include "test_support.h"

#include <gsl/gsl_randist.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* Crystal k is born in frame first[k] and seen until frame last[k], but for frame gap[k]. */
static ng_particles crystals(const long *first, const long *last, const long *gap, size_t n)
{
    ng_particles p = {.item = NG_NEW(ng_particle, n * 200), .frame_s = 0.5};
    assert_non_null(p.item);
    for (size_t k = 0; k < n; k++) {
        for (long f = first[k]; f <= last[k]; f++) {
            if (f != gap[k]) {
                ng_particle *x = &p.item[p.n++];
                *x = ng_particle_unknown();
                x->track = (long)k + 1;
                x->frame = f;
                x->time_s = 0.5 * (double)f;
                x->intensity = 10;
                x->radius_nm = 1 + 0.1 * (double)k;
            }
        }
    }
    return p;
}

static void numbers_by_hand(void **state)
{
    (void)state;
    const long first[] = {0, 2, 4, 4, 6, 7, 3}, last[] = {9, 9, 9, 7, 9, 9, 4};
    const long gap[] = {5, -1, -1, 6, -1, -1, -1};
    ng_particles p = crystals(first, last, gap, 7);
    ng_nucleation_options o = ng_nucleation_defaults();
    const double at[] = {2.5, 4.5};
    o.at_s = at;
    o.n_at = 2;
    ng_nucleation x;
    ng_warnings warnings = {0};
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, &warnings, NULL), NG_OK);
    const double detected[] = {1, 1, 2, 2, 4, 3, 4, 6, 5, 5};
    const double closed[] = {1, 1, 2, 2, 4, 4, 5, 6, 5, 5};
    const double born[] = {1, 1, 2, 2, 4, 4, 5, 6, 6, 6};
    assert_int_equal(x.n_frames, 10);
    for (size_t f = 0; f < 10; f++) {
        assert_close(x.time_s[f], 0.5 * (double)f, 1e-12);
        assert_close(x.detected[f], detected[f], 0);
        assert_close(x.closed[f], closed[f], 0);
        assert_close(x.cumulative[f], born[f], 0);
        assert_close(x.intensity[f], 10 * closed[f], 1e-9); /* gaps are bridged */
        assert_true(x.rate_lower[f] <= x.rate_per_s[f] && x.rate_per_s[f] <= x.rate_upper[f]);
    }
    assert_int_equal(x.births, 6);
    assert_int_equal(x.at_start, 1);
    assert_int_equal(x.dropped, 1); /* two points */
    assert_int_equal(x.n_histograms, 2);
    assert_int_equal(x.histogram[0].n, 4); /* the first with the size from before its gap */
    assert_int_equal(x.histogram[1].n, 5); /* the fourth has gone */
    assert_close(x.histogram[1].mean_nm, (1 + 1.1 + 1.2 + 1.4 + 1.5) / 5, 1e-12);
    double count = 0;
    for (size_t b = 0; b < x.histogram[1].n_bins; b++) {
        count += x.histogram[1].count[b];
    }
    assert_close(count, 5, 0);
    json_t *result = ng_nucleation_json(&x, &o);
    assert_non_null(result);
    json_decref(result);
    ng_nucleation_free(&x);
    ng_warnings_free(&warnings);
    ng_particles_free(&p);
}

/* 1000 births at a constant rate over frames 20 to 100: the rate, its band and the window. */
static void the_rate_of_known_births(void **state)
{
    (void)state;
    enum { N = 1000 };
    static long first[N], last[N], gap[N];
    size_t inside = 0, looked = 0;
    gsl_rng *rng = ng_random_open(2, 0);
    for (size_t k = 0; k < N; k++) {
        first[k] = 20 + (long)gsl_rng_uniform_int(rng, 80);
        last[k] = 110;
        gap[k] = -1;
    }
    ng_random_close(rng);
    ng_particles p = crystals(first, last, gap, N);
    ng_nucleation_options o = ng_nucleation_defaults();
    ng_nucleation x;
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, NULL), NG_OK);
    double sum = 0;
    for (size_t f = 0; f < x.n_frames; f++) {
        sum += 0.5 * x.rate_per_s[f];
        if (f >= 35 && f < 85) { /* away from the corners that any kernel rounds */
            looked++;
            inside += x.rate_lower[f] <= N / 40.0 && N / 40.0 <= x.rate_upper[f];
        }
    }
    assert_close(sum, N, 0.02 * N);
    /* neighbouring frames share births: about ten independent looks, of which 7 or more hold it */
    assert_true(inside >= looked * 7 / 10);
    /* 5 and 95 % of 10..50 s; s.d. of such a quantile of 1000: 0.3 s */
    assert_close(x.window_from_s, 12, 1);
    assert_close(x.window_to_s, 48, 1);
    assert_true(x.from_lower_s <= x.window_from_s && x.window_from_s <= x.from_upper_s);
    /* s.d. of their distance: 40 s sqrt(2 (0.05 0.95 - 0.05^2)/1000) = 0.38 s; spacings near 50
     * births of 1000 scatter by a seventh, twice that and the half second of a frame */
    assert_close((x.window_upper_s - x.window_lower_s) / 2, 1.96 * 0.38, 0.3 * 1.96 * 0.38 + 0.25);
    assert_true(x.peak_lower < x.peak_rate_per_s && x.peak_rate_per_s < x.peak_upper);
    ng_nucleation_free(&x);
    ng_particles_free(&p);
}

/* Who goes dark shortly before the end is there until the end: of the gaps inside of tracks, 1 and
 * 3 frames, 95 % of the way from one to the other is 2.9. */
static void dark_at_the_end(void **state)
{
    (void)state;
    const long first[] = {0, 0, 0, 0, 0, 0}, last[] = {19, 19, 17, 16, 19, 19};
    const long gap[] = {5, -1, -1, -1, -1, -1};
    ng_particles p = crystals(first, last, gap, 6);
    for (size_t i = 0; i < p.n; i++) { /* the fifth is dark in frames 8 to 10 */
        if (p.item[i].track == 5 && p.item[i].frame == 8) {
            memmove(&p.item[i], &p.item[i + 3], (p.n - i - 3) * sizeof p.item[0]);
            p.n -= 3;
        }
    }
    ng_nucleation_options o = ng_nucleation_defaults();
    const double at = 9.5;
    o.at_s = &at;
    o.n_at = 1;
    ng_nucleation x;
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, NULL), NG_OK);
    assert_close(x.closed[17], 5, 0); /* the fourth has been gone for 3 frames at the end */
    assert_close(x.closed[19], 5, 0); /* the third for 2 */
    assert_close(x.detected[19], 4, 0);
    assert_close(x.intensity[19], 50, 1e-9);
    assert_int_equal(x.histogram[0].n, 5);
    ng_nucleation_free(&x);
    ng_particles_free(&p);
}

/* Crystals that stood beside another in 2 of 100 points, or at the border, have light of others;
 * 1 in 100 is chance. */
static void shared_light_tells_no_size(void **state)
{
    (void)state;
    const long first[] = {0, 0, 0, 0, 0, 0, 0}, last[] = {99, 99, 99, 99, 99, 9, 9};
    const long gap[] = {-1, -1, -1, -1, -1, -1, -1};
    ng_particles p = crystals(first, last, gap, 7);
    for (size_t i = 0; i < p.n; i++) {
        ng_particle *x = &p.item[i];
        x->flag = x->track == 2 && x->frame == 50 ? NG_FLAG_CROWDED : 0;
        x->flag |= x->track == 6 && x->frame < 2 ? NG_FLAG_CROWDED : 0;
        x->flag |= x->track == 7 ? NG_FLAG_EDGE : 0;
    }
    ng_nucleation_options o = ng_nucleation_defaults();
    const double at = 4;
    o.at_s = &at;
    o.n_at = 1;
    ng_nucleation x;
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, NULL), NG_OK);
    assert_int_equal(x.histogram[0].n, 5);
    assert_int_equal(x.histogram[0].left_out, 2);
    assert_close(x.histogram[0].mean_nm, (1 + 1.1 + 1.2 + 1.3 + 1.4) / 5, 1e-12);
    assert_close(x.closed[8], 7, 0); /* they count all the same */
    ng_nucleation_free(&x);
    ng_particles_free(&p);
}

static void normal_radii_are_not_refused(void **state)
{
    (void)state;
    enum { N = 400 };
    static long first[N], last[N], gap[N];
    gsl_rng *rng = ng_random_open(4, 0);
    for (size_t k = 0; k < N; k++) {
        first[k] = 1;
        last[k] = 6;
        gap[k] = -1;
    }
    ng_particles p = crystals(first, last, gap, N);
    for (size_t i = 0; i < p.n; i++) {
        static double r;
        r = p.item[i].frame == 1 ? 1.5 + gsl_ran_gaussian(rng, 0.2) : r;
        p.item[i].radius_nm = r;
    }
    ng_nucleation_options o = ng_nucleation_defaults();
    const double at = 3;
    o.at_s = &at;
    o.n_at = 1;
    ng_nucleation x;
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, NULL), NG_OK);
    const ng_radius_histogram *h = &x.histogram[0];
    assert_close(h->mean_nm, 1.5, 4 * h->mean_se_nm);
    assert_close(h->sd_nm, 0.2, 4 * h->sd_se_nm);
    /* quartiles tell 37 % of what all tell: 1/sqrt(2 0.37) = 1.16 */
    assert_close(h->middle_sd_nm, 0.2, 4 * 0.2 * 1.16 / sqrt(N));
    assert_true(h->p_value > 0.001);
    ng_nucleation_free(&x);
    for (size_t i = 0; i < p.n; i++) { /* two sizes are no normal distribution */
        p.item[i].radius_nm = p.item[i].track % 2 ? 1 + 1e-3 * (double)(i % 7) : 2;
    }
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, NULL), NG_OK);
    assert_true(x.histogram[0].p_value < 1e-6);
    ng_nucleation_free(&x);
    ng_particles_free(&p);
    ng_random_close(rng);
}

static void too_little(void **state)
{
    (void)state;
    const long first[] = {0, 0, 0, 0}, last[] = {3, 3, 3, 3}, gap[] = {-1, -1, -1, -1};
    ng_particles p = crystals(first, last, gap, 4);
    ng_nucleation_options o = ng_nucleation_defaults();
    ng_nucleation x;
    ng_error err = {.message = ""};
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, &err), NG_TOO_LITTLE);
    p.n = 0;
    assert_int_equal(ng_nucleation_compute(&p, &o, &x, NULL, &err), NG_TOO_LITTLE);
    ng_nucleation_free(&x);
    ng_particles_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(dark_at_the_end),
        cmocka_unit_test(the_rate_of_known_births),
        cmocka_unit_test(shared_light_tells_no_size),
        cmocka_unit_test(normal_radii_are_not_refused),
        cmocka_unit_test(too_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
