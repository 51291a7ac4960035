/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crystals under structured illumination: light by the cube of a radius that grows by diffusion, on
 * and off as often as asked. */
#include <nucgrow/crystal.h>
#include <nucgrow/synth_sim.h>

#include "test_support.h"

#include <math.h>

static ng_synth_sim_options field(double off_s)
{
    ng_synth_sim_options o = ng_synth_sim_defaults();
    o.emitters = o.filaments = 0;
    o.crystals = 300;
    o.width = o.height = 96;
    o.sets = 120;
    o.frame_s = 0.5;
    o.off_s = off_s;
    return o;
}

/* B (t - t0)/r_f^2 = G(r/r_f): put the radius that the light tells into the closed form. */
static void test_light_follows_the_law(void **state)
{
    (void)state;
    const ng_synth_sim_options o = field(0.0);
    ng_synth_sim scene;
    size_t checked = 0;
    assert_int_equal(ng_synth_sim_create(&o, 5, &scene, NULL), NG_OK);
    for (size_t i = scene.first_crystal; i < scene.n_sources; i++) {
        const ng_synth_sim_source *s = &scene.source[i];
        for (size_t set = 0; set < (size_t)o.sets; set += 7) {
            const double time_s = o.frame_s * (double)set;
            const double light = ng_synth_sim_light(&scene, s, set);
            const double x = cbrt(light / o.crystal_counts) * o.final_nm / s->final_nm;
            if (time_s <= s->birth_s) {
                assert_true(light == 0.0);
            } else if (x < 0.95) { /* beyond, G is too steep for the floats that hold the light */
                const double age =
                    ng_depletion_time(x, 0) * s->final_nm * s->final_nm / s->product_nm2_per_s;
                assert_close(s->t0_s + age, time_s, 1e-4);
                checked++;
            }
        }
    }
    assert_true(checked > 1000);
    ng_synth_sim_free(&scene);
}

/* Dark 1 s in 4: the share of the light, summed over crystals and times. 400 crystals, some 15
 * times each: 0.5 / sqrt(6000) = 0.6 % s.d. of the share 0.75. */
static void test_blinking(void **state)
{
    (void)state;
    ng_synth_sim_options o = field(1.0);
    ng_synth_sim dark, bright;
    double with = 0.0, without = 0.0;
    o.on_s = 3.0;
    assert_int_equal(ng_synth_sim_create(&o, 6, &dark, NULL), NG_OK);
    o.off_s = 0.0;
    assert_int_equal(ng_synth_sim_create(&o, 6, &bright, NULL), NG_OK);
    assert_int_equal(dark.n_sources, bright.n_sources);
    for (size_t i = dark.first_crystal; i < dark.n_sources; i++) {
        for (size_t set = 0; set < (size_t)o.sets; set++) {
            with += ng_synth_sim_light(&dark, &dark.source[i], set);
            without += ng_synth_sim_light(&bright, &bright.source[i], set);
        }
    }
    assert_close(with / without, 0.75, 0.03);
    ng_synth_sim_free(&dark);
    ng_synth_sim_free(&bright);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_light_follows_the_law),
        cmocka_unit_test(test_blinking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
