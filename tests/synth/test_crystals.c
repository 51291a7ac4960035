/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/synth_crystals.h>

#include "test_support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct made {
    ng_particles tracks, still;
    ng_synth_crystals_truth truth;
} made;

static made make(const ng_synth_crystals_options *o, uint64_t seed, int threads)
{
    made m;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    run.seed = seed;
    run.threads = threads;
    if (ng_synth_crystals(o, &run, &m.tracks, &m.still, &m.truth, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return m;
}

static void made_free(made *m)
{
    ng_particles_free(&m->tracks);
    ng_particles_free(&m->still);
    ng_synth_crystals_truth_free(&m->truth);
}

/* Without noise, limits and blinking the light is the law itself. */
static void light_is_the_cube(void **state)
{
    (void)state;
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    o.crystals = 20;
    o.frames = 150;
    o.off_s = o.noise_counts = o.detection = o.wander_nm = 0;
    o.counts = 1e12; /* photon noise of a millionth */
    made m = make(&o, 3, 1);
    assert_int_equal(m.truth.n, 20);
    for (size_t i = 0; i < m.tracks.n; i++) {
        const ng_particle *p = &m.tracks.item[i];
        const ng_synth_crystal *c = &m.truth.crystal[p->track - 1];
        const double tau =
            c->product_nm2_per_s * (p->time_s - c->t0_s) / (c->final_nm * c->final_nm);
        const double r = c->final_nm * ng_depletion_size(tau, 0, NULL, NULL);
        assert_close(p->intensity / (m.truth.scale * r * r * r), 1, 2e-5);
        assert_true(p->time_s >= c->birth_s);
    }
    assert_close(m.truth.crystals[149], 20, 20);
    made_free(&m);
}

static void dark_times_are_missing(void **state)
{
    (void)state;
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    o.crystals = 200;
    o.births = NG_BIRTH_BURST;
    o.on_s = 3;
    o.off_s = 1;
    made m = make(&o, 4, 1);
    double bright = 0;
    for (size_t i = 0; i < m.tracks.n; i++) {
        const ng_particle *p = &m.tracks.item[i];
        const ng_synth_crystal *c = &m.truth.crystal[p->track - 1];
        if (p->time_s > 30) { /* full-grown */
            bright += p->intensity / (m.truth.scale * pow(c->final_nm, 3));
        }
    }
    const double frames = 200 * (61.642 - 30) / o.frame_s;
    assert_close(bright / frames, 0.75, 0.02); /* 3 of 4 s; about 1600 dark times are counted */
    made_free(&m);
}

static void births_follow_their_law(void **state)
{
    (void)state;
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    made even = make(&o, 5, 1);
    /* 5 s.d. of a binomial count */
    assert_close(even.truth.crystals[95], 700 * 95 * 0.238 / 45, 5 * sqrt(700 * 0.25));
    assert_close(even.truth.mean_nm[259], 1.5, 0.03);
    assert_int_equal(even.still.n, 150);
    made_free(&even);
    o.births = NG_BIRTH_CELLS;
    made cells = make(&o, 5, 1);
    assert_close(cells.truth.crystals[259], 700 * -expm1(-259 * 0.238 / 45), 5 * sqrt(700 * 0.2));
    made_free(&cells);
    o.births = NG_BIRTH_SHARED;
    made shared = make(&o, 5, 1);
    assert_true(shared.truth.n < 400 && shared.truth.mean_nm[259] > 2);
    assert_true(isnan(shared.truth.crystal[0].final_nm));
    made_free(&shared);
    o.births = NG_BIRTH_CONSTANT;
    o.concentration = 0.5;
    o.frames = 900;
    made half = make(&o, 5, 1);
    assert_in_range(half.truth.n, 105, 113); /* 700 * 0.5^2.7 = 107.7 */
    assert_close(half.truth.mean_nm[899], 2.22, 0.1);
    made_free(&half);
}

static void seed_alone_decides(void **state)
{
    (void)state;
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    o.crystals = 50;
    made a = make(&o, 7, 1), b = make(&o, 7, 3), c = make(&o, 8, 1);
    assert_int_equal(a.tracks.n, b.tracks.n);
    assert_memory_equal(a.tracks.item, b.tracks.item, a.tracks.n * sizeof *a.tracks.item);
    assert_true(c.tracks.n != a.tracks.n ||
                memcmp(a.tracks.item, c.tracks.item, a.tracks.n * sizeof *a.tracks.item) != 0);
    json_t *truth = ng_synth_crystals_truth_json(&o, &a.truth);
    assert_non_null(truth);
    json_decref(truth);
    made_free(&a);
    made_free(&b);
    made_free(&c);
}

static void bad_options(void **state)
{
    (void)state;
    ng_particles tracks, still;
    ng_synth_crystals_truth truth;
    ng_error err = {.message = ""};
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    o.frames = 1;
    assert_int_equal(ng_synth_crystals(&o, NULL, &tracks, &still, &truth, NULL, &err), NG_INVALID);
    o = ng_synth_crystals_defaults();
    o.conditions.critical_nm = 2;
    assert_int_equal(ng_synth_crystals(&o, NULL, &tracks, &still, &truth, NULL, &err), NG_INVALID);
    o = ng_synth_crystals_defaults();
    o.counts = 1;
    o.noise_counts = 1e6;
    o.detection = 1000;
    o.crystals = 5;
    assert_int_equal(ng_synth_crystals(&o, NULL, &tracks, &still, &truth, NULL, &err),
                     NG_TOO_LITTLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light_is_the_cube),
        cmocka_unit_test(dark_times_are_missing),
        cmocka_unit_test(births_follow_their_law),
        cmocka_unit_test(seed_alone_decides),
        cmocka_unit_test(bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
