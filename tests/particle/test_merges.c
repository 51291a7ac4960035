/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merges among growing disks with the noise of a detector: found with both parents, told apart from
 * passes, dissolutions and losses at the border. bench_track has more scenes and noises. */
#include "test_support.h"
#include "track_scene.h"

static scene_score run_scenes(uint64_t seeds, size_t *merges, size_t *occlusions, size_t *ends)
{
    scene_score sum = {0};
    *merges = *occlusions = *ends = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        scene_options o = scene_defaults();
        o.seed = seed;
        scene s = scene_make(&o);
        ng_track_options options = ng_track_defaults();
        ng_tracking t;
        assert_int_equal(ng_track_link(&s.particles, &options, NULL, &t, NULL, NULL), NG_OK);
        scene_score score = scene_compare(&s, &t);
        sum.found += score.found;
        sum.wrong += score.wrong;
        sum.wrong_occlusion += score.wrong_occlusion;
        sum.wrong_end += score.wrong_end;
        sum.followed += score.followed;
        sum.to_follow += score.to_follow;
        *merges += s.n_merges;
        *occlusions += o.occluded;
        *ends += s.n_ends;
        ng_tracking_free(&t);
        scene_free(&s);
    }
    return sum;
}

/* The bounds leave two s.d. of a binomial for 200 merges of scenes that were not looked at. */
static void merges_are_found_and_told_apart(void **state)
{
    (void)state;
    size_t merges = 0, occlusions = 0, ends = 0;
    scene_score s = run_scenes(10, &merges, &occlusions, &ends);
    print_message("recall %.3f, precision %.3f, false by passes %.3f, by ends %.3f\n",
                  (double)s.found / (double)merges, (double)s.found / (double)(s.found + s.wrong),
                  (double)s.wrong_occlusion / (double)occlusions,
                  (double)s.wrong_end / (double)ends);
    assert_true((double)s.found >= 0.93 * (double)merges);
    assert_true((double)s.found >= 0.93 * (double)(s.found + s.wrong));
    assert_true((double)s.wrong_occlusion <= 0.04 * (double)occlusions);
    assert_true((double)s.wrong_end <= 0.02 * (double)ends);
    assert_true((double)s.followed >= 0.98 * (double)s.to_follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(merges_are_found_and_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
