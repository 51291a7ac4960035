/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The master equation against particles that grow one event at a time on the same rates. */
#include <nucgrow/synth.h>

#include "../synth/synth_statistics.h"
#include "solve_test.h"

#include <math.h>

#define PARTICLES 20000
#define FRAMES 5

static const double schedule_s[] = {0, 4, 10, 16}, schedule[] = {2.0, 0.9, 1.1, 3.0};

/* All particles start at n = 100, left of the maximum of platinum's potential, and S falls: some
 * dissolve. Every true size is known: nothing is missed, everything is seen down to 50. */
static ng_synth_ensemble_options ensemble_options(void)
{
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    o.schedule_time_s = schedule_s;
    o.supersaturation = schedule;
    o.n_schedule = 4;
    o.particles = PARTICLES;
    o.start_n = 100;
    o.start_spread = 0;
    o.frames = FRAMES;
    o.frame_s = 4;
    o.area_noise_px = 0;
    o.whole_pixels = false;
    o.gap_rate = 0;
    return o;
}

/* Steps of 10 ms: the error in time, 1e-5 of the peak, is far below what 20000 draws can see. */
static ng_master *master_of(const ng_synth_ensemble_options *o, ng_master_options *mo)
{
    *mo = ng_master_defaults();
    mo->sizes.n_max = 4000;
    mo->step_s = 0.01;
    const ng_time_law S = ng_law_table(o->schedule_time_s, o->supersaturation, o->n_schedule);
    double *attach = rows_of(&mo->sizes, NULL), *detach = rows_of(&mo->sizes, NULL);
    ng_master *m = master_from(mo, none, none, &S, (long)o->start_n);
    REQUIRE(ng_size_rates(&o->parameters, o->delta, o->sigma_s_nm, &mo->sizes, attach, detach,
                          err));
    REQUIRE(ng_master_set_rates(m, 0, attach, detach, err));
    ng_free(attach);
    ng_free(detach);
    return m;
}

/* Counts of true sizes in the frame at `time_s`; the last cell: those that dissolved. */
static void count_sizes(const ng_tracks *tracks, const ng_synth_ensemble_truth *truth,
                        double time_s, const ng_size_range *sizes, double *count)
{
    const size_t cells = ng_size_count(sizes);
    double there = 0;
    for (size_t i = 0; i <= cells; i++) {
        count[i] = 0;
    }
    for (size_t k = 0; k < tracks->n_points; k++) {
        if (fabs(tracks->point[k].time_s - time_s) < 1e-9) {
            count[(long)truth->n_true[k] - sizes->n_min]++;
            there++;
        }
    }
    count[cells] = PARTICLES - there;
}

static void it_agrees_with_an_ensemble(void **state)
{
    (void)state;
    const ng_synth_ensemble_options o = ensemble_options();
    ng_master_options mo;
    ng_master *m = master_of(&o, &mo);
    ng_tracks tracks;
    ng_synth_ensemble_truth truth;
    ng_run run = ng_run_defaults();
    run.seed = 11;
    REQUIRE(ng_synth_ensemble(&o, &run, &tracks, &truth, NULL, err));
    const size_t cells = ng_size_count(&mo.sizes);
    double *count = NG_NEW(double, cells + 1), *p = NG_NEW(double, cells + 1);
    assert_non_null(count);
    assert_non_null(p);
    for (int frame = 1; frame < FRAMES; frame++) {
        ng_size_state s;
        REQUIRE(ng_master_advance(m, 4.0 * frame, err));
        ng_master_state(m, 0, &s);
        ng_master_density(m, 0, p);
        p[cells] = s.dissolved;
        count_sizes(&tracks, &truth, 4.0 * frame, &mo.sizes, count);
        assert_true(chi_square_p(count, p, cells + 1, PARTICLES) > SIGNIFICANCE);
    }
    assert_true(p[cells] > 0.01);
    ng_free(count);
    ng_free(p);
    ng_tracks_free(&tracks);
    ng_synth_ensemble_truth_free(&truth);
    ng_master_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_agrees_with_an_ensemble)};
    return cmocka_run_group_tests_name("stochastic", tests, NULL, NULL);
}
