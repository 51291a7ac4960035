/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which gaps are closed: those that are sure enough, and how true that is. */
#include <nucgrow/track.h>

#include <gsl/gsl_randist.h>
#include <math.h>

#include "test_support.h"

enum { WALKERS = 150, FRAMES = 100 };
#define SIDE 280.0

typedef struct scene {
    double step, deaths, miss, blur; /* blur: those nearer than this are seen as one */
    bool rest;                       /* steps start from the same place each time */
} scene;

typedef struct walker {
    double x, y, seen_x, seen_y;
    long name;
    bool seen;
} walker;

static void move(const scene *s, gsl_rng *rng, walker *w, long *name, bool first)
{
    if (first || gsl_rng_uniform(rng) < s->deaths) {
        *w = (walker){SIDE * gsl_rng_uniform(rng), SIDE * gsl_rng_uniform(rng), .name = ++*name};
    }
    w->seen_x = w->x + gsl_ran_gaussian(rng, s->step);
    w->seen_y = w->y + gsl_ran_gaussian(rng, s->step);
    w->seen = gsl_rng_uniform(rng) >= s->miss;
    if (!s->rest) {
        w->x = w->seen_x;
        w->y = w->seen_y;
    }
}

/* Two that are near become the first of them, in the middle. */
static void blur(const scene *s, walker *w)
{
    for (size_t i = 0; i < WALKERS; i++) {
        for (size_t k = i + 1; k < WALKERS && w[i].seen; k++) {
            const double dx = w[k].seen_x - w[i].seen_x, dy = w[k].seen_y - w[i].seen_y;
            if (w[k].seen && hypot(dx, dy) < s->blur) {
                w[k].seen = false;
                w[i].seen_x += 0.5 * dx;
                w[i].seen_y += 0.5 * dy;
            }
        }
    }
}

/* `particle` holds who it is. */
static ng_particles movie(const scene *s, uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 0);
    ng_particles out = {.item = NG_NEW(ng_particle, WALKERS * FRAMES)};
    walker w[WALKERS];
    long name = 0;
    for (long f = 0; f < FRAMES; f++) {
        for (size_t i = 0; i < WALKERS; i++) {
            move(s, rng, &w[i], &name, f == 0);
        }
        blur(s, w);
        for (size_t i = 0; i < WALKERS; i++) {
            ng_particle p = ng_particle_unknown();
            p.frame = f;
            p.time_s = (double)f;
            p.x_nm = w[i].seen_x;
            p.y_nm = w[i].seen_y;
            p.particle = w[i].name;
            if (w[i].seen) {
                out.item[out.n++] = p;
            }
        }
    }
    ng_random_close(rng);
    return out;
}

typedef struct outcome {
    size_t gaps, right;
    double score;
} outcome;

static outcome follow(const scene *s, double score, uint64_t seed)
{
    ng_particles p = movie(s, seed);
    ng_track_options o = ng_track_defaults();
    ng_tracking t;
    ng_error err;
    outcome out = {0};
    o.min_gap_score = score;
    o.drift = false;
    assert_int_equal(ng_track_link(&p, &o, NULL, &t, NULL, &err), NG_OK);
    for (size_t i = 1; i < p.n; i++) {
        const ng_particle *a = &p.item[i - 1], *b = &p.item[i];
        if (a->track >= 0 && a->track == b->track && b->frame > a->frame + 1) {
            out.gaps++;
            out.right += a->particle == b->particle;
        }
    }
    out.score = t.choice.gap_score;
    ng_tracking_free(&t);
    ng_particles_free(&p);
    return out;
}

/* Of those between two scores. */
static double share_right(const scene *s, double low, double high)
{
    size_t gaps = 0, right = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        const outcome more = follow(s, low, seed), less = follow(s, high, seed);
        gaps += more.gaps - less.gaps;
        right += more.right - less.right;
    }
    assert_true(gaps > 50); /* the s.e. of the share is below 0.07 */
    return (double)right / (double)gaps;
}

/* Every tenth is missed, wherever it is: gaps are sure, and nearly all are right. */
static void losses_anywhere_are_closed(void **state)
{
    const scene s = {.step = 1.5, .deaths = 0.05, .miss = 0.1};
    (void)state;
    const outcome all = follow(&s, 0.0, 11), sure = follow(&s, (double)NAN, 11);
    assert_close(sure.score, 0.55, 1e-12);
    assert_true((double)sure.gaps > 0.9 * (double)all.gaps);
    assert_true((double)sure.right > 0.9 * (double)sure.gaps);
}

/* Those that are near are seen as one, and afterwards it is a guess which is which: half of the
 * gaps that lower the costs are wrong, and few of them are closed. */
static void guesses_are_left_open(void **state)
{
    const scene s = {.step = 1.5, .deaths = 0.05, .blur = 2.5};
    size_t all = 0, right = 0, sure = 0;
    (void)state;
    for (uint64_t seed = 21; seed <= 23; seed++) {
        const outcome a = follow(&s, 0.0, seed);
        all += a.gaps;
        right += a.right;
        sure += follow(&s, (double)NAN, seed).gaps;
    }
    assert_true(all > 100);
    assert_true((double)right < 0.65 * (double)all);
    assert_true((double)sure < 0.2 * (double)all);
}

/* Four standard errors of the smallest sample, and what one number for ten gaps may be off. */
static void scores_are_probabilities(void **state)
{
    const scene mixed = {.step = 1.5, .deaths = 0.05, .miss = 0.1, .blur = 2.5};
    (void)state;
    assert_true(share_right(&mixed, 0.8, 1.0) > 0.85);
    assert_close(share_right(&mixed, 0.6, 0.8), 0.7, 0.2);
    assert_close(share_right(&mixed, 0.4, 0.6), 0.5, 0.2);
    assert_true(share_right(&mixed, 0.0, 0.4) < 0.5);
}

/* Crystals that blink are where they were. */
static void those_that_rest_are_not_doubted(void **state)
{
    const scene s = {.step = 0.5, .miss = 0.3, .rest = true};
    (void)state;
    const outcome out = follow(&s, (double)NAN, 31);
    assert_close(out.score, 0.0, 0.0);
    assert_true(out.gaps > 1000);
    assert_true((double)out.right > 0.98 * (double)out.gaps); /* a few rest side by side */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_anywhere_are_closed),
        cmocka_unit_test(guesses_are_left_open),
        cmocka_unit_test(scores_are_probabilities),
        cmocka_unit_test(those_that_rest_are_not_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
