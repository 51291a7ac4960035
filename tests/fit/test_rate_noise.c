/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What noise does to sizes and growth rates, and whether the default estimator takes it out again:
 * particles that do not grow at all, seen through noisy areas. Their expected size at a row must be
 * the true one, and their rates must not depend on the size that was seen.
 */
#include "fit_test.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define TRACKS 1500
#define FRAMES 40
#define SIGMA_NM 0.15
#define MEDIAN_N 1000.0
#define SPREAD 0.1     /* s.d. of ln n */
#define AREA_NOISE 6.7 /* in units of a monomer's: s.d. of 100 monomers at 1000 */

static double true_n[TRACKS];

static ng_trajectories seen(void)
{
    ng_tracks tracks = {.frame_s = 1.0, .pixel_nm = (double)NAN, .n_points = TRACKS * FRAMES};
    tracks.point = NG_NEW(ng_track_point, tracks.n_points);
    tracks.track = NG_NEW(ng_track, TRACKS);
    gsl_rng *rng = ng_random_open(5, 0);
    assert_true(tracks.point != NULL && tracks.track != NULL && rng != NULL);
    tracks.n_tracks = TRACKS;
    tracks.rows_read = tracks.n_points;
    for (size_t i = 0; i < TRACKS; i++) {
        true_n[i] = MEDIAN_N * exp(gsl_ran_gaussian(rng, SPREAD));
        tracks.track[i] = (ng_track){.id = (long)i, .group = -1, .first = i * FRAMES, .n = FRAMES};
        for (size_t f = 0; f < FRAMES; f++) {
            double area = pow(true_n[i], 2.0 / 3.0) + gsl_ran_gaussian(rng, AREA_NOISE);
            tracks.point[i * FRAMES + f] = (ng_track_point){.frame = (long)f,
                                                            .time_s = (double)f,
                                                            .radius_nm = SIGMA_NM * sqrt(area),
                                                            .radius_se_nm = (double)NAN};
        }
    }
    ng_random_close(rng);
    ng_ensemble_options options = ng_ensemble_defaults();
    options.sigma_s_nm = SIGMA_NM;
    ng_trajectories t;
    ng_error err = {.message = ""};
    fit_require(ng_trajectories_make(&tracks, &options, &t, NULL, &err), &err);
    ng_tracks_free(&tracks);
    return t;
}

/* Straight line of y against x: its slope and the standard error of the slope. */
static double slope_of(const double *x, const double *y, size_t n, double *se)
{
    double mx = 0.0, my = 0.0, xx = 0.0, xy = 0.0, rest = 0.0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += gsl_pow_2(x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
    }
    for (size_t i = 0; i < n; i++) {
        rest += gsl_pow_2(y[i] - my - xy / xx * (x[i] - mx));
    }
    *se = sqrt(rest / (double)(n - 2) / xx);
    return xy / xx;
}

typedef struct rows {
    double seen_n[TRACKS], excess[TRACKS], rate[TRACKS]; /* excess: size of the row less the true */
} rows;

static void rows_of_frame(const ng_rate_problem *p, const ng_trajectories *t, size_t frame, rows *r)
{
    const rate_data *d = &p->data;
    size_t at = 0;
    while (at < d->n_frames && d->frame[at].frame != frame) {
        at++;
    }
    assert_true(at < d->n_frames);
    assert_int_equal(d->frame[at].end - d->frame[at].begin, TRACKS);
    for (size_t i = 0; i < TRACKS; i++) {
        size_t row = d->frame[at].begin + i;
        r->seen_n[i] = t->n[t->first[i] + frame];
        /* a row stands half a monomer below its particle, where the flux is */
        r->excess[i] = d->nodes->n[d->node[row]] + 0.5 - true_n[i];
        r->rate[i] = 2.0 * d->y[row] / (d->attach[row] + d->detach[row]);
    }
}

static double mean_of(const double *x)
{
    double sum = 0.0;
    for (size_t i = 0; i < TRACKS; i++) {
        sum += x[i];
    }
    return sum / TRACKS;
}

/*
 * Four standard errors, and what is known to be left: the density's kernel widens ln n by a factor
 * 1 + h^2 with h = 1.35 * 1500^-0.2 = 0.31, so that a tenth of the pull towards the mean stays, 0.1
 * gain w / var(n) = 0.1 * 0.16 = 0.016 at worst; its share of a rate is smaller than its error.
 * Left in, noise would tilt the sizes by 0.07 and the rates of frame 3 by 0.013, six of their
 * errors. It would lift the sizes by w / 6n = 1.7: their mean over all frames, six of them
 * independent, has an error of 28 / sqrt(6 TRACKS) = 0.3.
 */
static void rows_are_free_of_noise(void **state)
{
    (void)state;
    static rows r;
    ng_trajectories t = seen();
    ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_find("Pt"));
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    const size_t frames[] = {3, 4, 20, FRAMES - 5, FRAMES - 4};
    for (size_t k = 0; k < sizeof frames / sizeof frames[0]; k++) {
        double se;
        rows_of_frame(p, &t, frames[k], &r);
        assert_close(slope_of(r.seen_n, r.excess, TRACKS, &se), 0.0, 4.0 * se + 0.016);
        assert_close(slope_of(r.seen_n, r.rate, TRACKS, &se), 0.0, 4.0 * se);
    }
    double lift = 0.0;
    for (size_t f = 3; f + 3 < FRAMES; f++) {
        rows_of_frame(p, &t, f, &r);
        lift += mean_of(r.excess) / (FRAMES - 6);
    }
    assert_close(lift, 0.0, 4.0 * 0.3);
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_free_of_noise),
    };
    return cmocka_run_group_tests_name("rate_noise", tests, NULL, NULL);
}
