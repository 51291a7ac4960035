/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole synthetic ensembles: growth, measurement, truth, refusals. */
#include "synth/synth_internal.h"

#include "test_support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Statistics of a fixed seed: beyond this many standard errors is a defect (1 in 16000). */
#define SIGMAS 4

/* What one call leaves behind. */
typedef struct outcome {
    ng_tracks tracks;
    ng_synth_ensemble_truth truth;
    ng_warnings warnings;
    ng_error err;
    ng_status status;
} outcome;

static outcome simulate(const ng_synth_ensemble_options *options, int threads)
{
    outcome o = {0};
    ng_run run = ng_run_defaults();
    run.threads = threads;
    run.seed = 11;
    o.status = ng_synth_ensemble(options, &run, &o.tracks, &o.truth, &o.warnings, &o.err);
    return o;
}

static outcome simulate_well(const ng_synth_ensemble_options *options)
{
    outcome o = simulate(options, 1);
    if (o.status != NG_OK) {
        fail_msg("%s", o.err.message);
    }
    return o;
}

static void outcome_free(outcome *o)
{
    ng_tracks_free(&o->tracks);
    ng_synth_ensemble_truth_free(&o->truth);
    ng_warnings_free(&o->warnings);
}

static const double always[] = {0};

static void set_constant(ng_synth_ensemble_options *options, const double *supersaturation)
{
    options->schedule_time_s = always;
    options->supersaturation = supersaturation;
    options->n_schedule = 1;
}

/* ---- growth ---- */

static void defaults_look_like_the_published_movie(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    outcome o = simulate_well(&options);
    /* Mean monomer number of the published tracks (9-frame means) to 25 %: the schedule was made by
     * eye to 10 %, and the mean of 110 particles scatters by 4 %. */
    const size_t frame[] = {0, 24, 48, 72, 96, 120, 144, 172};
    const double published[] = {362, 722, 776, 1026, 1307, 2439, 3806, 4565};
    for (size_t i = 0; i < sizeof frame / sizeof frame[0]; i++) {
        assert_close(o.truth.mean_n[frame[i]], published[i], 0.25 * published[i]);
    }
    assert_int_equal(o.tracks.n_tracks, 110);
    assert_int_equal(o.truth.frames, 173);
    assert_true(o.truth.dissolved <= 5);
    outcome_free(&o);
}

static double drift(const ng_synth_ensemble_options *o, double S, double n)
{
    return S * ng_attachment_rate(&o->parameters, o->delta, o->sigma_s_nm, n) -
           ng_detachment_rate(&o->parameters, o->delta, o->sigma_s_nm, n);
}

/* From one size, the mean follows dn/dt = S(t) ka - kd. What the equation leaves out, v'' Var/2, is
 * below 0.3 monomers here, and the standard error about 5. */
static void mean_follows_the_growth_law(void **unused)
{
    (void)unused;
    static const double time_s[] = {0, 10, 30}, S[] = {2, 4, 2.5};
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.schedule_time_s = time_s;
    options.supersaturation = S;
    options.n_schedule = 3;
    options.particles = 400;
    options.start_n = 3000;
    options.start_spread = 0;
    options.frames = 41;
    outcome o = simulate_well(&options);
    double n = 3000, t = 0;
    const double dt = 1.0 / 64;
    for (size_t frame = 0; frame < 41; frame++) {
        for (; t < o.truth.time_s[frame]; t += dt) { /* midpoint rule: error far below 0.01 */
            const double half =
                n + dt / 2 * drift(&options, ng_synth_supersaturation(&options, t), n);
            n += dt * drift(&options, ng_synth_supersaturation(&options, t + dt / 2), half);
        }
        const double standard_error = sqrt(o.truth.var_n[frame] / 400);
        assert_close(o.truth.mean_n[frame], n, SIGMAS * standard_error + 0.3);
        assert_close(o.truth.supersaturation[frame],
                     ng_synth_supersaturation(&options, (double)frame), 0);
    }
    outcome_free(&o);
}

static void late_particles_are_born_over_time(void **unused)
{
    (void)unused;
    static const double S[] = {3};
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    set_constant(&options, S);
    options.particles = 2000;
    options.frames = 11;
    options.late_fraction = 0.25;
    options.nucleation_s = 10;
    options.gap_rate = 0;
    options.area_noise_px = 0;
    options.whole_pixels = false;
    outcome o = simulate_well(&options);
    for (size_t frame = 0; frame < 11; frame++) {
        const double p = 0.75 + 0.025 * (double)frame;
        assert_close(o.truth.particles[frame], 2000 * p, SIGMAS * sqrt(2000 * p * (1 - p)) + 1e-9);
    }
    assert_int_equal(o.truth.unseen, 0);
    assert_int_equal(o.tracks.n_tracks, 2000);
    outcome_free(&o);
}

static void start_sizes_are_lognormal(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.particles = 4000;
    options.start_n = 2000;
    options.start_spread = 0.3;
    options.frames = 2;
    options.gap_rate = 0;
    outcome o = simulate_well(&options);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < o.tracks.n_tracks; i++) {
        const double x = log(o.truth.n_true[o.tracks.track[i].first] / 2000);
        sum += x;
        squares += x * x;
    }
    assert_close(sum / 4000, 0, SIGMAS * 0.3 / sqrt(4000));
    assert_close(sqrt(squares / 4000), 0.3, SIGMAS * 0.3 / sqrt(8000));
    outcome_free(&o);
}

static void dissolved_particles_are_removed(void **unused)
{
    (void)unused;
    static const double S[] = {1};
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    set_constant(&options, S);
    outcome o = simulate_well(&options);
    const size_t last = o.truth.frames - 1;
    assert_int_equal(o.truth.dissolved, 110);
    assert_true(o.truth.particles[0] == 110 && o.truth.particles[last] == 0);
    assert_true(isnan(o.truth.mean_n[last]) && isnan(o.truth.var_n[last]));
    for (size_t i = 0; i < o.tracks.n_points; i++) {
        assert_true(o.truth.n_true[i] >= 50);
    }
    assert_int_equal(o.warnings.n, 2);
    assert_string_equal(o.warnings.item[0].name, "dissolved");
    assert_non_null(strstr(o.warnings.item[0].text, "110 of 110 particles fell below n = 50"));
    assert_string_equal(o.warnings.item[1].name, "empty-frames");
    outcome_free(&o);
}

/* ---- measurement ---- */

static double area_px(const outcome *o, size_t i)
{
    const double radius_px = o->tracks.point[i].radius_nm / o->tracks.pixel_nm;
    return M_PI * radius_px * radius_px;
}

static double true_area_px(const outcome *o, const ng_synth_ensemble_options *options, size_t i)
{
    const double radius_px =
        ng_radius_from_monomers(o->truth.n_true[i], options->sigma_s_nm) / options->pixel_nm;
    return M_PI * radius_px * radius_px;
}

static void areas_carry_the_noise(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.start_n = 2000; /* 43 px^2: no area comes near zero */
    options.start_spread = 0.1;
    options.whole_pixels = false;
    outcome o = simulate_well(&options);
    const double n = (double)o.tracks.n_points;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < o.tracks.n_points; i++) {
        const double error = area_px(&o, i) - true_area_px(&o, &options, i);
        const double radius = o.tracks.point[i].radius_nm;
        sum += error;
        squares += error * error;
        assert_close(o.tracks.point[i].radius_se_nm, 3 * 0.53 * 0.53 / (2 * M_PI * radius), 1e-12);
    }
    assert_close(sum / n, 0, SIGMAS * 3 / sqrt(n));
    assert_close(sqrt(squares / n), 3, SIGMAS * 3 / sqrt(2 * n));
    outcome_free(&o);
}

static void areas_can_be_whole_pixels(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    outcome o = simulate_well(&options);
    for (size_t i = 0; i < o.tracks.n_points; i++) {
        const double area = area_px(&o, i);
        assert_true(area > 0.5);
        assert_close(area, round(area), 1e-11 * area); /* a square root and back */
    }
    outcome_free(&o);
}

static void without_noise_radii_are_true(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.area_noise_px = 0;
    options.whole_pixels = false;
    options.gap_rate = 0;
    outcome o = simulate_well(&options);
    assert_int_equal(o.truth.dissolved, 0);
    assert_int_equal(o.tracks.n_points, 110 * 173);
    for (size_t i = 0; i < o.tracks.n_points; i++) {
        const double n = ng_monomers_from_radius(o.tracks.point[i].radius_nm, options.sigma_s_nm);
        assert_close(n, o.truth.n_true[i], 1e-13 * n); /* a cube root and back */
        assert_true(isnan(o.tracks.point[i].radius_se_nm));
    }
    outcome_free(&o);
}

static void gaps_come_at_their_rate(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.start_n = 2000;
    options.start_spread = 0.1;
    options.gap_rate = 0.1;
    outcome o = simulate_well(&options);
    const double all = 110 * 173;
    assert_int_equal(o.truth.dissolved, 0);
    assert_close((double)o.tracks.n_points, 0.9 * all, SIGMAS * sqrt(all * 0.09));
    outcome_free(&o);
}

static void particles_below_the_limit_are_not_seen(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.detection_n = 400;
    options.frames = 5;
    outcome o = simulate_well(&options);
    for (size_t i = 0; i < o.tracks.n_points; i++) {
        assert_true(o.truth.n_true[i] >= 400);
    }
    assert_true(o.truth.unseen > 0);
    assert_int_equal(o.tracks.n_tracks + o.truth.unseen, 110);
    assert_int_equal(o.warnings.n, 1);
    assert_string_equal(o.warnings.item[0].name, "unseen");
    outcome_free(&o);
}

static void tracks_are_in_order(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.field_nm = 20;
    options.diffusion_nm2_per_s = 5; /* walls are met all the time */
    outcome o = simulate_well(&options);
    size_t first = 0;
    for (size_t k = 0; k < o.tracks.n_tracks; k++) {
        const ng_track *track = &o.tracks.track[k];
        assert_int_equal(track->first, first);
        assert_true(track->n > 0 && track->source == 0 && track->group == -1);
        assert_true(k == 0 || track->id > track[-1].id);
        for (size_t i = first; i < first + track->n; i++) {
            const ng_track_point *p = &o.tracks.point[i];
            assert_true(i == first || p->frame > p[-1].frame);
            assert_close(p->time_s, (double)p->frame * options.frame_s, 0);
            assert_true(p->x_nm >= 0 && p->x_nm <= 20 && p->y_nm >= 0 && p->y_nm <= 20);
        }
        first += track->n;
    }
    assert_int_equal(first, o.tracks.n_points);
    assert_close(o.tracks.frame_s, 1, 0);
    assert_close(o.tracks.pixel_nm, 0.53, 0);
    assert_int_equal(o.tracks.n_sources, 1);
    outcome_free(&o);
}

/* Mean square displacement over one frame is 4 D frame_s. */
static void particles_diffuse(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.gap_rate = 0;
    options.field_nm = 1e4; /* the walls are far */
    options.diffusion_nm2_per_s = 2;
    outcome o = simulate_well(&options);
    double squares = 0, n = 0;
    for (size_t i = 1; i < o.tracks.n_points; i++) {
        const ng_track_point *p = &o.tracks.point[i];
        if (p->frame == p[-1].frame + 1) {
            const double dx = p->x_nm - p[-1].x_nm, dy = p->y_nm - p[-1].y_nm;
            squares += dx * dx + dy * dy;
            n++;
        }
    }
    assert_true(n > 10000);
    assert_close(squares / n, 8, SIGMAS * 8 / sqrt(n)); /* exponential: s.d. = mean */
    outcome_free(&o);
}

/* ---- determinism ---- */

static void assert_same(const outcome *a, const outcome *b)
{
    assert_int_equal(a->tracks.n_points, b->tracks.n_points);
    assert_int_equal(a->tracks.n_tracks, b->tracks.n_tracks);
    assert_memory_equal(a->tracks.point, b->tracks.point,
                        a->tracks.n_points * sizeof *a->tracks.point);
    assert_memory_equal(a->truth.n_true, b->truth.n_true,
                        a->tracks.n_points * sizeof *a->truth.n_true);
    assert_memory_equal(a->truth.mean_n, b->truth.mean_n, a->truth.frames * sizeof(double));
    assert_memory_equal(a->truth.var_n, b->truth.var_n, a->truth.frames * sizeof(double));
    assert_true(a->truth.events == b->truth.events);
}

/* With sizes on both sides of the first table's end (n = 4145), so that the workers' tables grow at
 * different times. */
static void threads_change_nothing(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.start_n = 1500;
    options.start_spread = 1;
    options.particles = 60;
    options.frames = 60;
    outcome one = simulate(&options, 1);
    assert_int_equal(one.status, NG_OK);
    for (int threads = 2; threads <= 4; threads++) {
        outcome many = simulate(&options, threads);
        assert_int_equal(many.status, NG_OK);
        assert_same(&one, &many);
        outcome_free(&many);
    }
    outcome_free(&one);
}

static void measurement_leaves_growth_alone(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    outcome noisy = simulate_well(&options);
    options.area_noise_px = 0;
    options.gap_rate = 0.5;
    options.field_nm = 3;
    options.particles = 109;
    outcome other = simulate_well(&options);
    options = ng_synth_ensemble_defaults();
    options.particles = 109;
    outcome plain = simulate_well(&options);
    assert_memory_equal(other.truth.mean_n, plain.truth.mean_n, 173 * sizeof(double));
    /* One particle fewer is the same ensemble without the last one. */
    const ng_track *last = &plain.tracks.track[plain.tracks.n_tracks - 1];
    assert_memory_equal(noisy.tracks.point, plain.tracks.point,
                        (last->first + last->n) * sizeof *plain.tracks.point);
    outcome_free(&noisy);
    outcome_free(&other);
    outcome_free(&plain);
}

/* ---- truth as JSON ---- */

static double number(json_t *object, const char *group, const char *name)
{
    json_t *inner = group != NULL ? json_object_get(object, group) : object;
    json_t *value = json_object_get(inner, name);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void truth_json_holds_everything(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.gap_rate = 0.25;
    outcome o = simulate_well(&options);
    json_t *truth = ng_synth_ensemble_truth_json(&options, &o.truth);
    assert_non_null(truth);
    assert_string_equal(json_string_value(json_object_get(truth, "kind")), "ensemble");
    assert_close(number(truth, "parameters", "eps_f"), 3.04, 0);
    assert_close(number(truth, "parameters", "eps_e"), -1.35, 0);
    assert_close(number(truth, "parameters", "alpha4"), 6.5, 0);
    assert_close(number(truth, "parameters", "K"), 0.171, 0);
    assert_close(number(truth, "parameters", "kr"), 1.4, 0);
    assert_close(number(truth, NULL, "delta"), 1.76, 0);
    assert_close(number(truth, NULL, "sigma_s_nm"), options.sigma_s_nm, 0);
    /* Printed with [Kim] Table 1: (186, .92); physics has 185. */
    assert_close(number(truth, "maximum", "n"), 185, 2);
    assert_close(number(truth, "maximum", "mu_kT"), 0.92, 0.01);
    json_t *schedule = json_object_get(truth, "schedule");
    assert_int_equal(json_array_size(json_object_get(schedule, "time_s")), options.n_schedule);
    assert_int_equal(json_array_size(json_object_get(schedule, "supersaturation")),
                     options.n_schedule);
    json_t *series = json_object_get(truth, "series");
    static const char *const name[] = {"time_s", "supersaturation", "particles", "mean_n", "var_n"};
    const double *value[] = {o.truth.time_s, o.truth.supersaturation, o.truth.particles,
                             o.truth.mean_n, o.truth.var_n};
    for (size_t k = 0; k < 5; k++) {
        json_t *array = json_object_get(series, name[k]);
        assert_int_equal(json_array_size(array), 173);
        assert_close(json_number_value(json_array_get(array, 100)), value[k][100], 0);
    }
    assert_close(number(truth, "options", "gap-rate"), 0.25, 0);
    assert_close(number(truth, "options", "particles"), 110, 0);
    assert_true(json_is_true(json_object_get(json_object_get(truth, "options"), "whole-pixels")));
    assert_close(number(truth, NULL, "dissolved"), (double)o.truth.dissolved, 0);
    assert_close(number(truth, NULL, "events"), (double)o.truth.events, 0);
    json_decref(truth);
    outcome_free(&o);
}

/* ---- refusals ---- */

static void assert_refused(const ng_synth_ensemble_options *options, ng_status status,
                           const char *words)
{
    outcome o = simulate(options, 1);
    assert_int_equal(o.status, status);
    assert_int_equal(o.err.status, status);
    if (strstr(o.err.message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", o.err.message, words);
    }
    assert_null(o.tracks.point);
    assert_null(o.tracks.track);
    assert_null(o.truth.n_true);
    assert_null(o.truth.mean_n);
    outcome_free(&o);
}

static void values_out_of_range_are_refused(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options good = ng_synth_ensemble_defaults();
    ng_synth_ensemble_options bad = good;
#define REFUSED(name, field, value)                                                                \
    bad.field = (value);                                                                           \
    assert_refused(&bad, NG_INVALID, name " is ");                                                 \
    bad = good
    REFUSED("eps-f", parameters.eps_f, (double)NAN);
    REFUSED("eps-e", parameters.eps_e, -101);
    REFUSED("alpha4", parameters.alpha4, (double)INFINITY);
    REFUSED("K", parameters.K, -0.1);
    REFUSED("kr", parameters.kr, 0);
    REFUSED("delta", delta, 2.1);
    REFUSED("sigma-nm", sigma_s_nm, 0);
    REFUSED("particles", particles, 0);
    REFUSED("start-n", start_n, 49);
    REFUSED("start-spread", start_spread, -1);
    REFUSED("late-fraction", late_fraction, 1.5);
    REFUSED("nucleation-s", nucleation_s, -1);
    REFUSED("diffusion-nm2-per-s", diffusion_nm2_per_s, -1);
    REFUSED("frame-s", frame_s, 0);
    REFUSED("frames", frames, 1);
    REFUSED("pixel-nm", pixel_nm, 0);
    REFUSED("field-nm", field_nm, 0);
    REFUSED("area-noise-px", area_noise_px, -1);
    REFUSED("gap-rate", gap_rate, 1);
    REFUSED("detection-n", detection_n, 10);
#undef REFUSED
    bad.start_n = 20;
    assert_refused(&bad, NG_INVALID,
                   "start-n is 20; it must lie between 50 and 1e+06 (option --start-n)");
}

static void wrong_knots_are_refused(void **unused)
{
    (void)unused;
    static const double rising[] = {0, 10}, equal[] = {10, 10}, undefined[] = {0, (double)NAN};
    static const double fine[] = {3, 3}, negative[] = {3, -1}, huge[] = {3, 2e4};
    ng_synth_ensemble_options bad = ng_synth_ensemble_defaults();
    bad.n_schedule = 0;
    assert_refused(&bad, NG_INVALID, "schedule: no knot; give at least one pair seconds:S");
    bad.n_schedule = 2;
    bad.schedule_time_s = equal;
    bad.supersaturation = fine;
    assert_refused(&bad, NG_INVALID,
                   "schedule: knot 2 at 10 s does not come after knot 1 at 10 s; times must rise");
    bad.schedule_time_s = undefined;
    assert_refused(&bad, NG_INVALID, "schedule: the time of knot 2 is nan; give seconds");
    bad.schedule_time_s = rising;
    bad.supersaturation = negative;
    assert_refused(&bad, NG_INVALID, "schedule: S is -1 at 10 s; it must lie between 0 and 10000");
    bad.supersaturation = huge;
    assert_refused(&bad, NG_INVALID, "schedule: S is 20000 at 10 s");
}

static void nothing_seen_is_refused(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.detection_n = 1e7;
    assert_refused(&options, NG_TOO_LITTLE, "no particle was seen in any frame; lower");
}

static void endless_growth_is_refused(void **unused)
{
    (void)unused;
    static const double S[] = {1e4};
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    set_constant(&options, S);
    options.particles = 1;
    options.parameters.K = 0;
    options.frames = 1000;
    assert_refused(&options, NG_INVALID, "a particle grew beyond 10000000 monomers at ");
}

static bool stop_at_ten(void *context, const char *stage, size_t done, size_t total)
{
    (void)context;
    (void)stage;
    (void)total;
    return done < 10;
}

static void it_can_be_cancelled(void **unused)
{
    (void)unused;
    const ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    outcome o = {0};
    ng_run run = ng_run_defaults();
    run.progress = stop_at_ten;
    o.status = ng_synth_ensemble(&options, &run, &o.tracks, &o.truth, &o.warnings, &o.err);
    assert_int_equal(o.status, NG_CANCELLED);
    assert_null(o.tracks.point);
    outcome_free(&o);
}

static void lack_of_memory_leaves_nothing(void **unused)
{
    (void)unused;
    ng_synth_ensemble_options options = ng_synth_ensemble_defaults();
    options.particles = 3;
    options.frames = 4;
    options.start_n = 4100; /* the table of rates grows, too */
    size_t failures = 0;
    ng_status status = NG_MEMORY;
    for (; status == NG_MEMORY; failures++) {
        ng_alloc_fail_after(failures + 1);
        outcome o = simulate(&options, 1);
        ng_alloc_fail_after(0);
        status = o.status;
        if (status == NG_MEMORY) {
            assert_null(o.tracks.point);
            assert_null(o.truth.n_true);
        }
        outcome_free(&o);
    }
    assert_int_equal(status, NG_OK);
    assert_true(failures > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_look_like_the_published_movie),
        cmocka_unit_test(mean_follows_the_growth_law),
        cmocka_unit_test(late_particles_are_born_over_time),
        cmocka_unit_test(start_sizes_are_lognormal),
        cmocka_unit_test(dissolved_particles_are_removed),
        cmocka_unit_test(areas_carry_the_noise),
        cmocka_unit_test(areas_can_be_whole_pixels),
        cmocka_unit_test(without_noise_radii_are_true),
        cmocka_unit_test(gaps_come_at_their_rate),
        cmocka_unit_test(particles_below_the_limit_are_not_seen),
        cmocka_unit_test(tracks_are_in_order),
        cmocka_unit_test(particles_diffuse),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(measurement_leaves_growth_alone),
        cmocka_unit_test(truth_json_holds_everything),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(wrong_knots_are_refused),
        cmocka_unit_test(nothing_seen_is_refused),
        cmocka_unit_test(endless_growth_is_refused),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(lack_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests_name("ensemble", tests, NULL, NULL);
}
