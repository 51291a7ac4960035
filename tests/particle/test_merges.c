/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merges among growing disks with the noise of a detector: found with both parents, told apart from
 * passes, dissolutions and losses at the border. bench_track has more scenes and noises. */
#include "test_support.h"
#include "track_scene.h"

#define FIRST_SEED 12001 /* no constant was chosen on scenes from 5000 on */

/* Over 60 such scenes (bench_track merges): recall 0.989, precision 0.974; false merges by 1.0 %
 * of the passes that part and 0.2 % of the ends. The bounds are the aims, 0.95, 0.95, 2 % and 2 %,
 * less two s.d. of a binomial for the 200 of each kind here. */
static void merges_are_found_and_told_apart(void **state)
{
    (void)state;
    scene_options options = scene_defaults();
    scene_sum sum;
    options.seed = FIRST_SEED;
    assert_int_equal(scene_run(&options, 10, &sum, NULL), NG_OK);
    const scene_score s = sum.score;
    print_message("recall %.3f, precision %.3f, false by %zu of %zu passes (%zu of %zu that part), "
                  "by %zu of %zu ends\n",
                  (double)s.found / (double)sum.merges,
                  (double)s.found / (double)(s.found + s.wrong), s.wrong_occlusion, sum.passes,
                  s.wrong_parted, sum.parted, s.wrong_end, sum.ends);
    assert_true((double)s.found >= 0.92 * (double)sum.merges);
    assert_true((double)s.found >= 0.92 * (double)(s.found + s.wrong));
    assert_true((double)s.wrong_parted <= 0.04 * (double)sum.parted);
    assert_true((double)s.wrong_end <= 0.04 * (double)sum.ends);
    assert_true((double)s.followed >= 0.98 * (double)s.to_follow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(merges_are_found_and_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
