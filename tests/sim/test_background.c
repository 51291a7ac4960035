/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Even light under the objects, of one set and of a movie. */
#include "sim_scene.h"

#include "test_support.h"

#include <nucgrow/sim.h>

/* The lowest, but for sets whose shutter was closed. */
static void test_lowest(void **state)
{
    (void)state;
    double empty_first[] = {23.2, 23.3, 24.1, 25.5}, closed[] = {24, 0.1, 23, 22.5, 0.2, 25};
    double one[] = {7};
    assert_close(ng_sim_lowest_background(empty_first, 4), 23.2, 0);
    assert_close(ng_sim_lowest_background(closed, 6), 22.5, 0);
    assert_close(ng_sim_lowest_background(one, 1), 7, 0);
}

/* 10 x 10 um that fill with 500 crystals over a background of 20. In the first set few are there,
 * and 23 000 pixels of nine frames know the mode to some 0.05 counts; in the last one, haze between
 * the crystals counts as background. */
static void test_growing_field(void **state)
{
    (void)state;
    enum { SETS = 3 };
    ng_error err = {0};
    ng_synth_sim scene;
    ng_synth_sim_options o = sim_scene_options(154, 154);
    const ng_run run = ng_run_defaults();
    o.emitters = o.filaments = 0;
    o.crystals = 500;
    o.sets = SETS;
    o.frame_s = 30;
    float *frames = sim_scene_frames(&o, 11, true, &scene);
    ng_sim_reconstructor *r = NULL;
    const ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    assert_int_equal(ng_sim_reconstructor_create(&scene.pattern, &how, 1, &r, &err), NG_OK);
    double found[SETS];
    for (size_t set = 0; set < SETS; set++) {
        assert_int_equal(ng_synth_sim_frames(&scene, set, true, &run, frames, &err), NG_OK);
        found[set] = ng_sim_reconstructor_background(r, frames);
    }
    assert_close(found[0], 20, 0.2);
    assert_true(found[2] > 21.5);
    assert_close(ng_sim_lowest_background(found, SETS), 20, 0.2);
    ng_sim_reconstructor_destroy(r);
    ng_free(frames);
    ng_synth_sim_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest),
        cmocka_unit_test(test_growing_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
