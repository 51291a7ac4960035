/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linking: what must hold whatever the movie, and small movies whose answer is plain. */
#include <nucgrow/track.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "particle/grid.h"
#include "test_support.h"

typedef struct linking {
    ng_particles particles;
    ng_tracking tracking;
    ng_warnings warnings;
} linking;

static void add(linking *l, long frame, double x, double y, double radius)
{
    ng_particle p = ng_particle_unknown();
    l->particles.item =
        ng_realloc(l->particles.item, l->particles.n + 1, sizeof *l->particles.item);
    p.frame = frame;
    p.time_s = (double)frame;
    p.x_nm = x;
    p.y_nm = y;
    p.radius_nm = radius;
    p.intensity = (double)l->particles.n; /* tells who it was, whatever the order */
    l->particles.item[l->particles.n++] = p;
}

static ng_track_options plain(void)
{
    ng_track_options o = ng_track_defaults();
    o.min_points = 1;
    return o;
}

static void link_with(linking *l, const ng_track_options *o)
{
    ng_error err;
    if (ng_track_link(&l->particles, o, NULL, &l->tracking, &l->warnings, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
}

static void free_linking(linking *l)
{
    ng_particles_free(&l->particles);
    ng_tracking_free(&l->tracking);
    ng_warnings_free(&l->warnings);
}

static bool warned(const linking *l, const char *name)
{
    for (size_t i = 0; i < l->warnings.n; i++) {
        if (strcmp(l->warnings.item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static long track_of(const linking *l, size_t who)
{
    for (size_t i = 0; i < l->particles.n; i++) {
        if (l->particles.item[i].intensity == (double)who) {
            return l->particles.item[i].track;
        }
    }
    fail_msg("particle %zu is lost", who);
    return -1;
}

/* What ng_track_link promises. */
static void assert_sound(const linking *l)
{
    const ng_particle *p = l->particles.item;
    size_t linked = 0;
    bool *seen = calloc(l->particles.n + 1, sizeof *seen);
    for (size_t i = 0; i < l->particles.n; i++) {
        assert_false(seen[(size_t)p[i].intensity]);
        seen[(size_t)p[i].intensity] = true;
        linked += p[i].track >= 0;
        if (i > 0 && p[i].track >= 0) {
            assert_true(p[i - 1].track >= 0 && p[i - 1].track <= p[i].track);
            assert_true(p[i - 1].track != p[i].track || p[i - 1].frame < p[i].frame);
        }
    }
    free(seen);
    assert_int_equal(linked, l->tracking.points);
    assert_int_equal(l->tracking.tracks_a + l->tracking.tracks_b, l->tracking.tracks);
    for (size_t i = 0; i < l->tracking.events.n; i++) {
        const ng_event *e = &l->tracking.events.item[i];
        assert_true(e->track >= 1 && e->track <= (long)l->tracking.tracks);
        assert_true(e->score >= 0.0 && e->score <= 1.0);
        assert_true(i == 0 || l->tracking.events.item[i - 1].frame <= e->frame);
    }
}

/* A lattice of particles 30 apart, each wandering by `step`; drift added. */
static linking lattice(size_t side, long frames, double step, double dx, double dy, uint64_t seed)
{
    linking l = {.particles = {.n = 0}};
    gsl_rng *rng = ng_random_open(seed, 0);
    double *x = calloc(side * side, sizeof *x), *y = calloc(side * side, sizeof *y);
    for (long f = 0; f < frames; f++) {
        for (size_t i = 0; i < side * side; i++) {
            x[i] += gsl_ran_gaussian(rng, step);
            y[i] += gsl_ran_gaussian(rng, step);
            add(&l, f, 30.0 * (double)(i % side) + x[i] + dx * (double)f,
                30.0 * (double)(i / side) + y[i] + dy * (double)f, 3.0 + 0.1 * (double)(i % 7));
        }
    }
    free(x);
    free(y);
    ng_random_close(rng);
    return l;
}

/* ---- plain movies ---------------------------------------------------------------------- */

static void particles_that_keep_apart_are_followed(void **state)
{
    (void)state;
    linking l = lattice(6, 50, 0.5, 0.0, 0.0, 3);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.tracks, 36);
    for (size_t who = 0; who < 36 * 50; who++) {
        assert_int_equal(track_of(&l, who), track_of(&l, who % 36));
    }
    assert_int_equal(l.tracking.events.n, 0);
    /* s.d. of 1800 steps, by their median: 2 %; five of them */
    assert_close(l.tracking.choice.step_nm, 0.5, 0.05);
    assert_int_equal(l.tracking.choice.drift, NG_DRIFT_NONE);
    free_linking(&l);
}

static void a_constant_drift_is_taken_out(void **state)
{
    (void)state;
    linking l = lattice(6, 50, 0.5, 1.5, -0.75, 4);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_int_equal(l.tracking.tracks, 36);
    assert_int_equal(l.tracking.choice.drift, NG_DRIFT_CONSTANT);
    /* of a median of 49 medians of 36 steps: 0.5 * 1.25 / sqrt(36) * 1.25 / 7 = 0.02; five */
    assert_close(l.tracking.choice.drift_x_nm, 1.5, 0.1);
    assert_close(l.tracking.choice.drift_y_nm, -0.75, 0.1);
    for (size_t i = 0; i < l.particles.n; i++) {
        const ng_particle *p = &l.particles.item[i];
        assert_close(p->x_raw_nm - p->x_nm, l.tracking.choice.drift_x_nm * (double)p->frame, 1e-9);
    }
    free_linking(&l);
}

/* The picture jumps by more than the distance of neighbours. */
static void a_jump_of_the_picture_is_found(void **state)
{
    (void)state;
    linking l = lattice(7, 40, 0.3, 0.0, 0.0, 5);
    gsl_rng *rng = ng_random_open(6, 0);
    for (size_t i = 0; i < l.particles.n; i++) { /* no lattice: the jump must be unique */
        ng_particle *p = &l.particles.item[i];
        gsl_rng_set(rng, (unsigned long)(i % 49) + 1);
        p->x_nm += 12.0 * gsl_rng_uniform(rng) + (p->frame >= 20 ? 47.0 : 0.0);
        p->y_nm += 12.0 * gsl_rng_uniform(rng) - (p->frame >= 20 ? 21.0 : 0.0);
    }
    ng_random_close(rng);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_int_equal(l.tracking.tracks, 49);
    assert_int_equal(l.tracking.choice.drift, NG_DRIFT_FREE);
    assert_close(l.tracking.choice.drift_jump_nm, hypot(47.0, 21.0), 1.0);
    assert_true(warned(&l, "drift-jumps"));
    free_linking(&l);
}

static void gaps_are_closed_up_to_the_limit(void **state)
{
    (void)state;
    for (long unseen = 1; unseen <= 5; unseen++) {
        linking l = lattice(4, 30, 0.2, 0.0, 0.0, 7);
        size_t n = 0;
        for (size_t i = 0; i < l.particles.n; i++) {
            ng_particle p = l.particles.item[i];
            bool hidden = i % 16 == 5 && p.frame >= 10 && p.frame < 10 + unseen;
            if (!hidden) {
                p.intensity = (double)n;
                l.particles.item[n++] = p;
            }
        }
        l.particles.n = n;
        ng_track_options o = plain();
        link_with(&l, &o);
        assert_sound(&l);
        assert_int_equal(l.tracking.tracks, unseen <= 3 ? 16 : 17);
        assert_int_equal(l.tracking.gaps, unseen <= 3 ? 1 : 0);
        free_linking(&l);
    }
}

/* Of what stays in its place the first point after a gap may lie off, as one that is half dark
 * does: the gap is judged by where the points behind it lie. */
static void a_bad_point_beside_a_gap(void **state)
{
    (void)state;
    linking l = {.particles = {.n = 0}};
    gsl_rng *rng = ng_random_open(17, 0);
    for (long f = 0; f < 80; f++) {
        for (size_t i = 0; i < 36; i++) {
            const bool blinks = i % 5 == 3, off = blinks && f == 44;
            const double x = 30.0 * (double)(i % 6) + gsl_ran_gaussian(rng, 0.1);
            const double y = 30.0 * (double)(i / 6) + gsl_ran_gaussian(rng, 0.1);
            if (!blinks || f < 40 || f >= 44) {
                add(&l, f, x + (off ? 0.6 : 0.0), y, off ? 2.5 : 3.0);
            }
        }
    }
    ng_random_close(rng);
    ng_track_options o = plain();
    o.max_gap = 10;
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.tracks, 36);
    free_linking(&l);
}

/* Two come back between where they were: which is which is a guess, and 0.85 is more than that;
 * the gap of one that has nobody beside it is closed all the same. */
static void doubtful_gaps_stay_open(void **state)
{
    (void)state;
    for (int ask = 0; ask < 2; ask++) {
        linking l = lattice(4, 30, 0.2, 0.0, 0.0, 7);
        size_t n = 0;
        for (size_t i = 0; i < l.particles.n; i++) {
            ng_particle p = l.particles.item[i];
            if (i % 16 != 5 || p.frame != 10) {
                p.intensity = (double)n;
                l.particles.item[n++] = p;
            }
        }
        l.particles.n = n;
        for (long frame = 0; frame < 30; frame++) {
            const bool before = frame < 10;
            if (frame != 10) {
                add(&l, frame, -100.0 + (before ? -0.3 : 0.0), before ? 0.0 : -0.3, 2.0);
                add(&l, frame, -100.0 + (before ? 0.3 : 0.0), before ? 0.0 : 0.3, 2.0);
            }
        }
        ng_track_options o = plain();
        o.merge = false;
        o.min_gap_score = ask == 1 ? 0.85 : 0.0;
        link_with(&l, &o);
        assert_sound(&l);
        assert_int_equal(l.tracking.gaps, ask == 1 ? 1 : 3);
        assert_int_equal(l.tracking.tracks, ask == 1 ? 20 : 18);
        free_linking(&l);
    }
}

/* A frame without any particle is a gap of all of them. */
static void empty_frames_are_bridged(void **state)
{
    (void)state;
    linking l = lattice(4, 20, 0.2, 0.0, 0.0, 8);
    for (size_t i = 0; i < l.particles.n; i++) {
        l.particles.item[i].frame += l.particles.item[i].frame >= 10 ? 2 : 0;
    }
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_int_equal(l.tracking.tracks, 16);
    free_linking(&l);
    l = lattice(4, 20, 0.2, 0.0, 0.0, 8);
    for (size_t i = 0; i < l.particles.n; i++) {
        l.particles.item[i].frame += l.particles.item[i].frame >= 10 ? 50 : 0;
    }
    link_with(&l, &o);
    assert_int_equal(l.tracking.tracks, 32);
    free_linking(&l);
}

static void short_tracks_are_left_out_and_counted(void **state)
{
    (void)state;
    linking l = lattice(4, 20, 0.2, 0.0, 0.0, 9);
    add(&l, 5, 300.0, 300.0, 2.0);
    add(&l, 12, 400.0, 300.0, 2.0);
    ng_track_options o = ng_track_defaults();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.tracks, 16);
    assert_int_equal(l.tracking.left_out, 2);
    assert_int_equal(l.particles.item[l.particles.n - 1].track, -1);
    free_linking(&l);
}

/* ---- merges, plainly ------------------------------------------------------------------- */

/* Two walk towards each other in frame 20 and are one from there on; a third is far away. */
static linking two_become_one(double after, bool sizes, bool part_again)
{
    linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
    for (size_t i = 0; i < l.particles.n; i++) {
        l.particles.item[i].radius_nm = sizes ? l.particles.item[i].radius_nm : (double)NAN;
    }
    gsl_rng *rng = ng_random_open(11, 0);
    for (long f = 0; f < 60; f++) {
        double noise = 1.0 + gsl_ran_gaussian(rng, 0.03), apart = fmax(20.0 - (double)f, 0.0);
        bool one = f >= 20 && !(part_again && f >= 35);
        apart = part_again && f >= 35 ? (double)(f - 35) : apart;
        double large = one ? after : 4.0;
        add(&l, f, 300.0, 60.0, sizes ? large * noise : (double)NAN);
        if (!one) {
            add(&l, f, 307.0 + apart, 60.0, sizes ? 3.5 * noise : (double)NAN);
        }
    }
    ng_random_close(rng);
    return l;
}

static void a_merge_has_both_parents(void **state)
{
    (void)state;
    linking l = two_become_one(5.0, true, false);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.merges, 1);
    assert_int_equal(l.tracking.splits, 0);
    for (size_t i = 0; i < l.tracking.events.n; i++) {
        const ng_event *e = &l.tracking.events.item[i];
        if (e->kind == NG_EVENT_MERGE) {
            assert_int_equal(e->frame, 20);
            assert_true(e->score > 0.95);
            /* means of 8 values of 3 %: 1 %; three of them */
            assert_close(e->radius1_nm, 3.5, 0.11);
            assert_close(e->radius2_nm, 4.0, 0.13);
            assert_close(e->radius_after_nm, 5.0, 0.16);
            assert_close(e->distance_nm, 8.0, 0.5);
            assert_int_equal(e->partner, e->into);
            assert_int_not_equal(e->track, e->partner);
        }
    }
    assert_int_equal(l.tracking.tracks_b, 2);
    size_t grouped = 0;
    for (size_t i = 0; i < l.particles.n; i++) {
        grouped += l.particles.item[i].group == 1;
    }
    assert_int_equal(grouped, 60 + 20);
    free_linking(&l);
}

static void one_that_vanishes_beside_another_has_not_merged(void **state)
{
    (void)state;
    linking l = two_become_one(4.0, true, false);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_int_equal(l.tracking.merges, 0);
    assert_int_equal(l.tracking.deaths, 1);
    free_linking(&l);
}

/* Radii jump from 4 to 5 nm: with errors of 0.1 nm that is a merge, with errors of 3 nm, as of
 * disks that the border cuts, it may be anything. */
static void a_jump_within_the_errors_is_no_merge(void **state)
{
    (void)state;
    for (int unsure = 0; unsure <= 1; unsure++) {
        linking l = two_become_one(5.0, true, false);
        const double se = unsure == 1 ? 3.0 : 0.1;
        for (size_t i = 25 * 60; i < l.particles.n; i++) {
            ng_particle *p = &l.particles.item[i];
            p->radius_se_nm = p->x_se_nm = p->y_se_nm = se;
        }
        ng_track_options o = plain();
        link_with(&l, &o);
        assert_sound(&l);
        assert_int_equal(l.tracking.merges, 1 - unsure);
        free_linking(&l);
    }
}

/* A blob comes apart for one frame, whichever half goes on under its number. */
static void one_that_was_two_for_a_frame_has_not_merged(void **state)
{
    (void)state;
    for (int swapped = 0; swapped <= 1; swapped++) {
        linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
        gsl_rng *rng = ng_random_open(11, 0);
        for (long f = 0; f < 60; f++) {
            const double noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
            if (f == 30) {
                add(&l, f, 302.0, 60.0, (swapped ? 2.8 : 3.6) * noise);
                add(&l, f, 297.0, 60.0, (swapped ? 3.6 : 2.8) * noise);
            } else {
                add(&l, f, 300.0, 60.0, 4.6 * noise);
            }
        }
        ng_random_close(rng);
        ng_track_options o = plain();
        link_with(&l, &o);
        assert_sound(&l);
        assert_int_equal(l.tracking.merges, 0);
        free_linking(&l);
    }
}

static void one_that_comes_out_again_was_hidden(void **state)
{
    (void)state;
    linking l = two_become_one(5.2, true, true);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.merges, 0);
    assert_int_equal(l.tracking.splits, 0);
    assert_int_equal(l.tracking.occlusions, 1);
    assert_int_equal(l.tracking.tracks, 27);
    free_linking(&l);
}

/* Two pairs become one at the same time, a little before the movie ends. One of them has passed
 * before: it is the one that does not count. */
static void two_that_have_passed_may_pass_again(void **state)
{
    (void)state;
    linking l = lattice(5, 80, 0.2, 0.0, 0.0, 10);
    gsl_rng *rng = ng_random_open(11, 0);
    for (long f = 0; f < 80; f++) {
        for (int passed = 0; passed <= 1; passed++) {
            const double y = passed ? 60.0 : 100.0, noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
            const bool one = f >= 70 || (passed && f >= 20 && f < 30);
            const double until = f < 30 && passed ? 20.0 : 70.0;
            const double since = passed && f >= 30 ? (double)(f - 30) : 20.0;
            add(&l, f, 300.0, y, (one ? 5.0 : 4.0) * noise);
            if (!one) {
                add(&l, f, 307.5 + fmin(0.5 * fmin(until - (double)f, since), 8.0), y, 3.5 * noise);
            }
        }
    }
    ng_random_close(rng);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.occlusions, 1);
    assert_int_equal(l.tracking.merges, 1);
    for (size_t i = 0; i < l.tracking.events.n; i++) {
        const ng_event *e = &l.tracking.events.item[i];
        if (e->kind == NG_EVENT_MERGE) {
            assert_int_equal(e->frame, 70);
            assert_true(e->score > 0.5);
        }
        assert_true(e->kind != NG_EVENT_DEATH || e->frame == 69);
    }
    free_linking(&l);
}

/* The blob lies between the two, 3.5 nm from either: steps of 17 s.d. when they meet and part. */
static linking two_pass(bool once_more)
{
    linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
    gsl_rng *rng = ng_random_open(11, 0);
    for (long f = 0; f < 60; f++) {
        const double noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
        const bool one = f >= 20 && f < 35;
        const double apart = f < 35 ? fmax(20.0 - (double)f, 0.0) : (double)(f - 35);
        if (one || (once_more && f == 36)) {
            add(&l, f, 303.5, 60.0, 5.2 * noise);
        } else {
            add(&l, f, 300.0, 60.0, 3.7 * noise);
            add(&l, f, 307.0 + apart, 60.0, 3.7 * noise);
        }
    }
    ng_random_close(rng);
    return l;
}

static void a_blob_that_comes_apart_at_once_was_two(void **state)
{
    (void)state;
    for (int once_more = 0; once_more <= 1; once_more++) {
        linking l = two_pass(once_more == 1);
        ng_track_options o = plain();
        o.min_points = 2; /* the blob of frame 36 belongs to neither */
        link_with(&l, &o);
        assert_int_equal(l.tracking.merges, 0);
        free_linking(&l);
    }
}

/* Neither is within the gate of the blob, which is missed in its first frame. */
static void a_blob_that_forms_at_once_has_both_parents(void **state)
{
    (void)state;
    linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
    gsl_rng *rng = ng_random_open(11, 0);
    for (long f = 0; f < 60; f++) {
        const double noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
        if (f > 20) {
            add(&l, f, 303.5, 60.0, 5.2 * noise);
        } else if (f < 20) {
            add(&l, f, 300.0, 60.0, 3.7 * noise);
            add(&l, f, 307.0 + 20.0 - (double)f, 60.0, 3.7 * noise);
        }
    }
    ng_random_close(rng);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.merges, 1);
    assert_int_equal(l.tracking.tracks, 27);
    assert_int_equal(l.tracking.deaths, 0);
    free_linking(&l);
}

/* Now one and now two before they merge; while they touch, the outline of both is larger. */
static void two_that_touch_merge_once(void **state)
{
    (void)state;
    linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
    gsl_rng *rng = ng_random_open(11, 0);
    for (long f = 0; f < 60; f++) {
        const double noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
        if (f >= 30) {
            add(&l, f, 303.7, 60.0, 5.2 * noise);
        } else if (f == 22 || f == 25 || f == 28) {
            add(&l, f, 303.7, 60.0, 7.0 * noise);
        } else {
            add(&l, f, 300.0, 60.0, 3.7 * noise);
            add(&l, f, 307.5, 60.0, 3.7 * noise);
        }
    }
    ng_random_close(rng);
    ng_track_options o = ng_track_defaults();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.merges, 1);
    for (size_t i = 0; i < l.tracking.events.n; i++) {
        if (l.tracking.events.item[i].kind == NG_EVENT_MERGE) {
            assert_int_equal(l.tracking.events.item[i].frame, 30);
        }
    }
    free_linking(&l);
}

/* The small one passes to the other side, where the blob seems to go on as it. */
static void who_comes_out_is_told_by_size(void **state)
{
    (void)state;
    linking l = lattice(5, 60, 0.2, 0.0, 0.0, 10);
    gsl_rng *rng = ng_random_open(11, 0);
    size_t large_first = 0, large_last = 0;
    for (long f = 0; f < 60; f++) {
        const double noise = 1.0 + gsl_ran_gaussian(rng, 0.03);
        if (f >= 20 && f < 35) {
            add(&l, f, 300.0, 60.0, 5.0 * noise);
            continue;
        }
        if (f != 35) {
            large_last = l.particles.n;
            large_first = f == 0 ? large_last : large_first;
            add(&l, f, f < 20 ? 300.0 : 303.0, 60.0, 4.5 * noise);
        }
        add(&l, f, f < 20 ? 326.0 - (double)f : 332.0 - (double)f, 60.0, 2.5 * noise);
    }
    ng_random_close(rng);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.merges, 0);
    assert_int_equal(l.tracking.splits, 0);
    assert_int_equal(l.tracking.tracks, 27);
    assert_int_equal(track_of(&l, large_first), track_of(&l, large_last));
    free_linking(&l);
}

static void without_sizes_nearness_decides_and_is_said(void **state)
{
    (void)state;
    linking l = two_become_one(5.0, false, false);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_true(warned(&l, "sizes-absent"));
    assert_true(isnan(l.tracking.choice.size_noise));
    assert_int_equal(l.tracking.merges, 1);
    free_linking(&l);
}

static void merging_can_be_turned_off(void **state)
{
    (void)state;
    linking l = two_become_one(5.0, true, false);
    ng_track_options o = plain();
    o.merge = false;
    link_with(&l, &o);
    assert_int_equal(l.tracking.merges, 0);
    assert_int_equal(l.tracking.tracks_b, 0);
    free_linking(&l);
}

/* ---- odd input ------------------------------------------------------------------------- */

/* What comes out depends on what is seen, not on the order in which it is told. */
static void the_order_of_rows_does_not_matter(void **state)
{
    (void)state;
    linking a = two_become_one(5.0, true, false), b = two_become_one(5.0, true, false);
    for (size_t i = 0; i < b.particles.n / 2; i++) {
        ng_particle kept = b.particles.item[i];
        b.particles.item[i] = b.particles.item[b.particles.n - 1 - i];
        b.particles.item[b.particles.n - 1 - i] = kept;
    }
    ng_track_options o = plain();
    link_with(&a, &o);
    link_with(&b, &o);
    long partner[1000] = {0}; /* of each track: its number in the other order */
    for (size_t who = 0; who < a.particles.n; who++) {
        long track = track_of(&a, who);
        assert_true(track > 0 && track < 1000);
        partner[track] = partner[track] == 0 ? track_of(&b, who) : partner[track];
        assert_int_equal(track_of(&b, who), partner[track]);
    }
    assert_int_equal(a.tracking.tracks, b.tracking.tracks);
    assert_int_equal(a.tracking.events.n, b.tracking.events.n);
    free_linking(&a);
    free_linking(&b);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    linking a = lattice(8, 30, 4.0, 0.0, 0.0, 12), b = lattice(8, 30, 4.0, 0.0, 0.0, 12);
    ng_track_options o = plain();
    link_with(&a, &o);
    link_with(&b, &o);
    assert_int_equal(a.tracking.tracks, b.tracking.tracks);
    for (size_t i = 0; i < a.particles.n; i++) {
        assert_int_equal(a.particles.item[i].track, b.particles.item[i].track);
        assert_close(a.particles.item[i].x_nm, b.particles.item[i].x_nm, 0.0);
    }
    free_linking(&a);
    free_linking(&b);
}

static void huge_equal_and_missing_positions(void **state)
{
    (void)state;
    linking l = lattice(4, 10, 0.2, 0.0, 0.0, 13);
    add(&l, 0, 1e15, -1e15, 1.0);
    add(&l, 1, 1e15, -1e15, (double)NAN);
    add(&l, 3, (double)NAN, 4.0, 1.0);
    add(&l, 4, 0.0, HUGE_VAL, 1.0);
    for (long f = 0; f < 10; f++) { /* two and three at one place */
        add(&l, f, 200.0, 200.0, 2.0);
        add(&l, f, 200.0, 200.0, 2.0);
    }
    add(&l, 5, 200.0, 200.0, 2.0);
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_true(warned(&l, "positions-missing"));
    assert_int_equal(track_of(&l, 160), track_of(&l, 161));
    assert_int_equal(track_of(&l, 162), -1);
    assert_int_equal(l.tracking.points, l.particles.n - 2);
    free_linking(&l);
}

static void all_at_one_place(void **state)
{
    (void)state;
    linking l = {.particles = {.n = 0}};
    for (long f = 0; f < 5; f++) {
        for (int i = 0; i < 40; i++) {
            add(&l, f, 1.0, 1.0, 1.0);
        }
    }
    ng_track_options o = plain();
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.tracks, 40);
    free_linking(&l);
}

static void columns_without_positions_are_refused(void **state)
{
    (void)state;
    linking l = {.particles = {.n = 0}};
    ng_error err;
    for (size_t i = 0; i < 2000; i++) {
        add(&l, (long)(i / 500), 0.0, 0.0, 1.0 + 1e-4 * (double)i);
    }
    ng_track_options o = plain();
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "are these positions?"));
    free_linking(&l);
}

/* A gate that was set much too wide makes everybody a candidate of everybody. */
static void a_gate_as_wide_as_the_picture_changes_nothing(void **state)
{
    (void)state;
    linking l = lattice(20, 8, 0.2, 0.0, 0.0, 12);
    ng_track_options o = plain();
    o.gate_nm = 5000.0;
    o.merge = false;
    link_with(&l, &o);
    assert_sound(&l);
    assert_int_equal(l.tracking.tracks, 400);
    free_linking(&l);
}

static void nothing_that_can_be_followed_is_said(void **state)
{
    (void)state;
    linking l = {.particles = {.n = 0}};
    for (long f = 0; f < 6; f++) {
        add(&l, f, f % 2 == 0 ? 0.0 : 1e9, 1.0, 1.0);
        add(&l, f, f % 2 == 0 ? 500.0 : -1e9, 1.0, 1.0);
    }
    ng_track_options o = ng_track_defaults();
    o.gate_nm = 10.0;
    o.max_gap = 0;
    link_with(&l, &o);
    assert_int_equal(l.tracking.tracks, 0);
    assert_true(warned(&l, "no-tracks"));
    free_linking(&l);
}

/* Noise of all kinds must not break what is promised. */
static void random_clutter_is_linked_soundly(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(14, 0);
    for (int round = 0; round < 60; round++) {
        linking l = {.particles = {.n = 0}};
        double field = pow(10.0, 4.0 * gsl_rng_uniform(rng));
        for (unsigned k = 2 + (unsigned)gsl_rng_uniform_int(rng, 300); k > 0; k--) {
            double r = gsl_rng_uniform(rng) < 0.3 ? (double)NAN : 1.0 + gsl_rng_uniform(rng);
            add(&l, (long)gsl_rng_uniform_int(rng, 12) - 3, field * gsl_rng_uniform(rng),
                field * gsl_rng_uniform(rng), r);
        }
        add(&l, 100, 0.0, 0.0, 1.0);
        ng_track_options o = plain();
        link_with(&l, &o);
        assert_sound(&l);
        free_linking(&l);
    }
    ng_random_close(rng);
}

static void what_is_refused(void **state)
{
    (void)state;
    linking l = {.particles = {.n = 0}};
    ng_track_options o = plain();
    ng_error err;
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_TOO_LITTLE);
    assert_string_equal(err.message,
                        "there is no particle with a position, so there is nothing to link");
    add(&l, 3, 1.0, 1.0, 1.0);
    add(&l, 3, 5.0, 1.0, 1.0);
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_TOO_LITTLE);
    assert_string_equal(err.message,
                        "there is only one frame with particles; linking needs two or more (give "
                        "the table of the whole movie)");
    o.gate_nm = -1.0;
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_DOMAIN);
    o = plain();
    o.min_points = -1;
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_DOMAIN);
    o = ng_track_defaults();
    o.min_gap_score = 1.5;
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_DOMAIN);
    o = ng_track_defaults();
    o.min_score = 2.0;
    assert_int_equal(ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, &err), NG_DOMAIN);
    free_linking(&l);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    size_t failures = 0;
    linking whole = two_become_one(5.0, true, true);
    for (size_t k = 1; k <= 120; k++) {
        linking l = {.particles = whole.particles};
        l.particles.item = NG_NEW(ng_particle, whole.particles.n);
        memcpy(l.particles.item, whole.particles.item, whole.particles.n * sizeof(ng_particle));
        ng_track_options o = plain();
        ng_alloc_fail_after(k);
        ng_status status = ng_track_link(&l.particles, &o, NULL, &l.tracking, NULL, NULL);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
        failures += status == NG_MEMORY;
        free_linking(&l);
    }
    free_linking(&whole);
    assert_true(failures >= 40); /* points 10, shifts 10, linkers, gaps, meetings, chains */
}

/* ---- the grid -------------------------------------------------------------------------- */

static void the_grid_finds_what_all_pairs_find(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(15, 0);
    ng_grid grid = {.n = 0};
    double x[200], y[200];
    for (int round = 0; round < 100; round++) {
        double scale = pow(10.0, 6.0 * gsl_rng_uniform(rng) - 3.0);
        for (size_t i = 0; i < 200; i++) {
            x[i] = scale * gsl_ran_gaussian(rng, i % 10 == 0 ? 100.0 : 1.0);
            y[i] = scale * gsl_ran_gaussian(rng, 1.0);
        }
        double cell = scale * (0.02 + 0.3 * gsl_rng_uniform(rng));
        assert_int_equal(ng_grid_fill(&grid, x, y, 200, cell, NULL), NG_OK);
        for (size_t i = 0; i < 200; i++) {
            size_t best = (size_t)-1;
            double least = cell * cell, d2 = 0.0;
            for (size_t k = 0; k < 200; k++) {
                double far2 = (x[i] - x[k]) * (x[i] - x[k]) + (y[i] - y[k]) * (y[i] - y[k]);
                if (k != i && (far2 < least || (far2 == least && best == (size_t)-1))) {
                    least = far2;
                    best = k;
                }
            }
            assert_true(ng_grid_nearest(&grid, x[i], y[i], cell, i, &d2) == best);
        }
    }
    ng_grid_free(&grid);
    ng_random_close(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(particles_that_keep_apart_are_followed),
        cmocka_unit_test(a_constant_drift_is_taken_out),
        cmocka_unit_test(a_jump_of_the_picture_is_found),
        cmocka_unit_test(gaps_are_closed_up_to_the_limit),
        cmocka_unit_test(a_bad_point_beside_a_gap),
        cmocka_unit_test(doubtful_gaps_stay_open),
        cmocka_unit_test(empty_frames_are_bridged),
        cmocka_unit_test(short_tracks_are_left_out_and_counted),
        cmocka_unit_test(a_merge_has_both_parents),
        cmocka_unit_test(one_that_vanishes_beside_another_has_not_merged),
        cmocka_unit_test(a_jump_within_the_errors_is_no_merge),
        cmocka_unit_test(one_that_was_two_for_a_frame_has_not_merged),
        cmocka_unit_test(one_that_comes_out_again_was_hidden),
        cmocka_unit_test(two_that_have_passed_may_pass_again),
        cmocka_unit_test(a_blob_that_comes_apart_at_once_was_two),
        cmocka_unit_test(a_blob_that_forms_at_once_has_both_parents),
        cmocka_unit_test(two_that_touch_merge_once),
        cmocka_unit_test(who_comes_out_is_told_by_size),
        cmocka_unit_test(without_sizes_nearness_decides_and_is_said),
        cmocka_unit_test(merging_can_be_turned_off),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(huge_equal_and_missing_positions),
        cmocka_unit_test(all_at_one_place),
        cmocka_unit_test(columns_without_positions_are_refused),
        cmocka_unit_test(a_gate_as_wide_as_the_picture_changes_nothing),
        cmocka_unit_test(nothing_that_can_be_followed_is_said),
        cmocka_unit_test(random_clutter_is_linked_soundly),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(the_grid_finds_what_all_pairs_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
