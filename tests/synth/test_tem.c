/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic movies of an electron microscope: do pixels, tables and events agree, and is what was
 * asked what is there. */
#include "synth/tem_internal.h"

#include "test_support.h"

#include <gsl/gsl_math.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* Statistics of a fixed seed: beyond this many standard errors is a defect (1 in 16000). */
#define SIGMAS 4

static const double always[] = {0};
static const double steady[] = {3};

/* A small movie: 6 particles on 64 x 64 pixels of 0.5 nm, 12 frames of 1 s at constant S. */
static ng_synth_tem_options small(void)
{
    ng_synth_tem_options options = ng_synth_tem_defaults();
    options.growth.schedule_time_s = always;
    options.growth.supersaturation = steady;
    options.growth.n_schedule = 1;
    options.growth.particles = 6;
    options.growth.frames = 12;
    options.growth.field_nm = 32;
    options.growth.pixel_nm = 0.5;
    return options;
}

typedef struct movie {
    ng_synth_tem *tem;
    size_t size, pixels;
    float *pixel;
} movie;

static movie open_movie(const ng_synth_tem_options *options, int threads)
{
    ng_run run = ng_run_defaults();
    run.threads = threads;
    run.seed = 6;
    movie m = {0};
    ng_error err;
    if (ng_synth_tem_open(options, &run, &m.tem, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    m.size = ng_synth_tem_size(m.tem);
    m.pixels = m.size * m.size;
    m.pixel = NG_NEW(float, m.pixels);
    assert_non_null(m.pixel);
    return m;
}

static void next(movie *m)
{
    ng_error err;
    if (ng_synth_tem_next(m->tem, m->pixel, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
}

static void close_movie(movie *m)
{
    ng_synth_tem_close(m->tem);
    ng_free(m->pixel);
}

/* ---- pixels ---- */

/* Without noise, what the disks take away from the picture is contrast times their area, to the
 * rounding of the counts (1/12 of variance a pixel), when none of them is cut by the border. */
static void pixels_hold_what_the_table_says(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.noise = false;
    options.gradient = 0;
    options.contrast_loss = 0.5;
    options.growth.particles = 3;
    options.growth.field_nm = 100;
    options.drift_x_nm_per_s = options.drift_y_nm_per_s = options.drift_jitter_nm = 0;
    movie m = open_movie(&options, 1);
    size_t frames = 0;
    for (long frame = 0; frame < options.growth.frames; frame++) {
        size_t n = 0, cut = 0;
        next(&m);
        const ng_particle *particle = ng_synth_tem_particles(m.tem, &n);
        double taken = 0, said = 0;
        for (size_t i = 0; i < n; i++) {
            const double reach = particle[i].radius_nm + 3 * options.growth.pixel_nm;
            said += particle[i].intensity;
            cut += particle[i].x_raw_nm < reach || particle[i].y_raw_nm < reach ||
                   particle[i].x_raw_nm > 100 - reach || particle[i].y_raw_nm > 100 - reach;
            assert_close(particle[i].area_nm2, M_PI * gsl_pow_2(particle[i].radius_nm), 1e-12);
            assert_close(particle[i].intensity,
                         10 * 100 * 0.2 * (1 - 0.5 * (double)frame / 11) * M_PI *
                             gsl_pow_2(particle[i].radius_nm / 0.5),
                         1e-9 * said);
        }
        for (size_t i = 0; i < m.pixels; i++) {
            taken += 1100 - (double)m.pixel[i];
        }
        if (cut == 0 && n > 0) {
            /* only pixels at a disk are rounded: about 300 of them each */
            assert_close(taken, said, SIGMAS * sqrt((double)n * 300 / 12));
            frames++;
        }
    }
    assert_true(frames >= 6);
    close_movie(&m);
}

/* The darkest spot lies where the table has the only particle: centroid of what is taken away, to
 * rounding (0.3 counts a pixel over 300 pixels of a lever of 5, over some 3000 counts: 0.01 px). */
static void centroid_is_where_the_table_says(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.noise = false;
    options.gradient = 0;
    options.growth.particles = 1;
    options.growth.field_nm = 40;
    options.growth.frames = 4;
    movie m = open_movie(&options, 1);
    size_t compared = 0;
    for (long frame = 0; frame < options.growth.frames; frame++) {
        size_t n = 0;
        next(&m);
        const ng_particle *p = ng_synth_tem_particles(m.tem, &n);
        double sum = 0, x = 0, y = 0;
        for (size_t i = 0; i < m.pixels; i++) {
            const double taken = 1100 - (double)m.pixel[i];
            sum += taken;
            x += taken * (double)(i % m.size);
            y += taken * (double)(i / m.size);
        }
        if (n == 1 &&
            fmin(fmin(p->x_raw_nm, p->y_raw_nm), 40 - fmax(p->x_raw_nm, p->y_raw_nm)) > 5) {
            assert_close(x / sum, p->x_raw_nm / 0.5, 0.02);
            assert_close(y / sum, p->y_raw_nm / 0.5, 0.02);
            compared++;
        }
    }
    assert_int_equal(compared, 4);
    close_movie(&m);
}

/* Mean and variance of the background: Poisson numbers times gain, with the gradient. */
static void noise_is_that_of_the_dose(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.contrast = 0;
    options.gradient = 0.4;
    movie m = open_movie(&options, 1);
    for (int side = 0; side < 2; side++) {
        double sum = 0, squares = 0, n = 0;
        next(&m);
        const size_t first = side == 0 ? 0 : m.size - 8;
        double mean = 0;
        for (size_t x = first; x < first + 8; x++) {
            mean += 100 * (1 + 0.4 * (((double)x + 0.5) / (double)m.size - 0.5)) / 8;
        }
        for (size_t i = 0; i < m.pixels; i++) {
            if (i % m.size < first || i % m.size >= first + 8) {
                continue;
            }
            const double electrons = ((double)m.pixel[i] - 100) / 10;
            assert_close(electrons, round(electrons), 1e-6);
            sum += electrons;
            squares += gsl_pow_2(electrons - mean);
            n++;
        }
        assert_close(sum / n, mean, SIGMAS * sqrt(mean / n));
        /* the slope within the eight columns adds less than 1 % to the variance */
        assert_close(squares / n, mean, SIGMAS * mean * sqrt(2 / n) + 0.01 * mean);
    }
    close_movie(&m);
}

static void overflowing_counts_are_clipped_and_told(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.gain = 1000;
    ng_warnings warnings = {0};
    movie m = open_movie(&options, 1);
    next(&m);
    for (size_t i = 0; i < m.pixels; i++) {
        assert_true(m.pixel[i] <= 65535);
    }
    json_t *truth = ng_synth_tem_truth_json(m.tem, &warnings);
    assert_true(json_integer_value(json_object_get(truth, "clipped_pixels")) > 1000);
    assert_int_equal(warnings.n, 1);
    assert_string_equal(warnings.item[0].name, "clipped");
    json_decref(truth);
    ng_warnings_free(&warnings);
    close_movie(&m);
}

/* ---- drift ---- */

/* The table's two positions differ by the drift of truth.json, which moves as asked. */
static void drift_is_what_was_asked(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.frames = 100;
    options.drift_x_nm_per_s = 0.2;
    options.drift_y_nm_per_s = -0.1;
    options.drift_jitter_nm = 0.05;
    options.jumps = 2;
    options.jump_nm = 4;
    movie m = open_movie(&options, 1);
    double x[100], y[100];
    for (size_t frame = 0; frame < 100; frame++) {
        size_t n = 0;
        next(&m);
        const ng_particle *p = ng_synth_tem_particles(m.tem, &n);
        x[frame] = y[frame] = (double)NAN;
        for (size_t i = 0; i < n; i++) {
            x[frame] = p[i].x_raw_nm - p[i].x_nm;
            y[frame] = p[i].y_raw_nm - p[i].y_nm;
        }
    }
    json_t *truth = ng_synth_tem_truth_json(m.tem, NULL);
    json_t *drift = json_object_get(truth, "drift");
    size_t jumps = 0, compared = 0;
    double length = 0;
    for (size_t frame = 0; frame < 100; frame++) {
        const double dx = json_number_value(json_array_get(json_object_get(drift, "x_nm"), frame));
        const double dy = json_number_value(json_array_get(json_object_get(drift, "y_nm"), frame));
        if (isfinite(x[frame])) {
            assert_close(x[frame], dx, 1e-9);
            assert_close(y[frame], dy, 1e-9);
            compared++;
        }
        if (frame == 0) {
            assert_close(dx, 0, 0);
            assert_close(dy, 0, 0);
            continue;
        }
        const double step_x =
            dx - json_number_value(json_array_get(json_object_get(drift, "x_nm"), frame - 1));
        const double step_y =
            dy - json_number_value(json_array_get(json_object_get(drift, "y_nm"), frame - 1));
        if (hypot(step_x, step_y) > 2) {
            jumps++;
            length += hypot(step_x - 0.2, step_y + 0.1);
        } else {
            /* 198 normal numbers: 5 standard deviations are 1 in 9000 */
            assert_close(step_x, 0.2, 5 * 0.05);
            assert_close(step_y, -0.1, 5 * 0.05);
        }
    }
    assert_int_equal(jumps, 2);
    assert_close(length / 2, 4, 5 * 0.05);
    assert_true(compared > 50);
    json_decref(truth);
    close_movie(&m);
}

/* ---- merges ---- */

static ng_synth_tem_options crowd(void)
{
    ng_synth_tem_options options = small();
    options.growth.particles = 60;
    options.growth.frames = 60;
    options.growth.diffusion_nm2_per_s = 0.5;
    options.growth.field_nm = 40;
    options.drift_x_nm_per_s = options.drift_y_nm_per_s = options.drift_jitter_nm = 0;
    return options;
}

static void merges_conserve_volume(void **unused)
{
    (void)unused;
    const ng_synth_tem_options options = crowd();
    movie m = open_movie(&options, 1);
    bool gone[61] = {false};
    long group[61] = {0};
    size_t seen = 0, merges = 0;
    for (long frame = 0; frame < options.growth.frames; frame++) {
        size_t n = 0;
        next(&m);
        const ng_particle *p = ng_synth_tem_particles(m.tem, &n);
        const ng_events *events = ng_synth_tem_events(m.tem);
        for (; seen < events->n; seen++) {
            const ng_event *e = &events->item[seen];
            if (e->kind != NG_EVENT_MERGE) {
                continue;
            }
            merges++;
            assert_int_equal(e->frame, frame);
            assert_int_equal(e->into, e->partner);
            assert_true(e->radius2_nm >= e->radius1_nm);
            assert_close(gsl_pow_3(e->radius_after_nm),
                         gsl_pow_3(e->radius1_nm) + gsl_pow_3(e->radius2_nm), 1e-9);
            /* a frame before they were apart, unless one was not yet there */
            assert_true(e->distance_nm > 0);
            gone[e->track] = true;
            assert_true(group[e->track] >= 1 && group[e->track] == group[e->partner]);
        }
        for (size_t i = 0; i < n; i++) {
            group[p[i].track] = p[i].group;
            assert_false(gone[p[i].track]);
            for (size_t k = 0; k < i; k++) { /* every contact has become one particle */
                assert_true(hypot(p[i].x_nm - p[k].x_nm, p[i].y_nm - p[k].y_nm) >=
                            p[i].radius_nm + p[k].radius_nm + options.contact_nm);
            }
        }
    }
    assert_true(merges >= 10);
    close_movie(&m);
}

/* With a chance of a half, some that touch become one and some pass over each other. */
static void others_pass_over(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = crowd();
    size_t merges[3] = {0}, overlaps[3] = {0};
    for (int k = 0; k < 3; k++) {
        options.merge_chance = 0.5 * k;
        movie m = open_movie(&options, 1);
        for (long frame = 0; frame < options.growth.frames; frame++) {
            size_t n = 0;
            next(&m);
            const ng_particle *p = ng_synth_tem_particles(m.tem, &n);
            for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < i; j++) {
                    overlaps[k] += hypot(p[i].x_nm - p[j].x_nm, p[i].y_nm - p[j].y_nm) <
                                   p[i].radius_nm + p[j].radius_nm;
                }
            }
        }
        merges[k] = ng_synth_tem_events(m.tem)->n;
        close_movie(&m);
    }
    assert_int_equal(merges[0], 0);
    assert_true(merges[1] > 0 && merges[1] < merges[2]);
    assert_true(overlaps[0] > overlaps[1] && overlaps[1] > 0);
    assert_int_equal(overlaps[2], 0);
}

/* Who dissolves is reported once, when it is gone, and shrinks before that. */
static void some_dissolve(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.frames = 60;
    options.merge_chance = 0;
    options.dissolve_fraction = 1;
    options.dissolve_s = 5;
    options.drift_x_nm_per_s = options.drift_y_nm_per_s = options.drift_jitter_nm = 0;
    movie m = open_movie(&options, 1);
    size_t n = 0;
    for (long frame = 0; frame < options.growth.frames; frame++) {
        next(&m);
    }
    ng_synth_tem_particles(m.tem, &n);
    const ng_events *events = ng_synth_tem_events(m.tem);
    assert_int_equal(events->n + n, 6);
    assert_true(events->n >= 4);
    for (size_t i = 0; i < events->n; i++) {
        assert_int_equal(events->item[i].kind, NG_EVENT_DEATH);
        /* shrunk, at even loss over 5 s, to a fifth of about 400 monomers or less before it went */
        assert_true(events->item[i].radius1_nm < 1);
    }
    close_movie(&m);
}

/* ---- growth ---- */

/* Frame by frame, untouched particles grow by the very numbers of the ensemble simulator: same
 * streams, same law; only stretches of time begin at frames in both. */
static void sizes_are_those_of_the_ensemble(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.merge_chance = 0;
    options.growth.field_nm = 200;
    options.growth.gap_rate = 0;
    options.growth.area_noise_px = 0;
    options.growth.whole_pixels = false;
    ng_run run = ng_run_defaults();
    run.seed = 6;
    ng_tracks tracks = {0};
    ng_synth_ensemble_truth truth = {0};
    assert_int_equal(ng_synth_ensemble(&options.growth, &run, &tracks, &truth, NULL, NULL), NG_OK);
    movie m = open_movie(&options, 1);
    for (long frame = 0; frame < options.growth.frames; frame++) {
        next(&m);
    }
    json_t *json = ng_synth_tem_truth_json(m.tem, NULL);
    const json_t *mean = json_object_get(json_object_get(json, "series"), "mean_n");
    assert_int_equal(json_array_size(mean), truth.frames);
    for (size_t frame = 0; frame < truth.frames; frame++) {
        assert_close(json_number_value(json_array_get(mean, frame)), truth.mean_n[frame], 1e-9);
    }
    assert_string_equal(json_string_value(json_object_get(json, "kind")), "tem");
    assert_close(json_number_value(json_object_get(json_object_get(json, "options"), "blur-px")), 1,
                 0);
    assert_null(json_object_get(json_object_get(json, "options"), "gap-rate"));
    json_decref(json);
    ng_tracks_free(&tracks);
    ng_synth_ensemble_truth_free(&truth);
    close_movie(&m);
}

static void late_particles_are_born(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.late_fraction = 1;
    options.growth.nucleation_s = 8;
    movie m = open_movie(&options, 1);
    size_t n = 0;
    next(&m);
    ng_synth_tem_particles(m.tem, &n);
    assert_int_equal(n, 0);
    for (long frame = 1; frame < options.growth.frames; frame++) {
        next(&m);
    }
    ng_synth_tem_particles(m.tem, &n);
    size_t births = 0;
    const ng_events *events = ng_synth_tem_events(m.tem);
    for (size_t i = 0; i < events->n; i++) {
        births += events->item[i].kind == NG_EVENT_BIRTH;
    }
    assert_true(births >= 4 && n > 0);
    close_movie(&m);
}

/* ---- determinism ---- */

static void threads_change_nothing(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = crowd();
    options.growth.frames = 8;
    options.growth.field_nm = 60; /* four bands */
    movie one = open_movie(&options, 1), two = open_movie(&options, 2);
    for (long frame = 0; frame < options.growth.frames; frame++) {
        size_t n = 0, k = 0;
        next(&one);
        next(&two);
        assert_memory_equal(one.pixel, two.pixel, one.pixels * sizeof *one.pixel);
        const ng_particle *a = ng_synth_tem_particles(one.tem, &n);
        const ng_particle *b = ng_synth_tem_particles(two.tem, &k);
        assert_int_equal(n, k);
        for (size_t i = 0; i < n; i++) {
            assert_close(a[i].x_nm, b[i].x_nm, 0);
            assert_close(a[i].radius_nm, b[i].radius_nm, 0);
        }
    }
    close_movie(&one);
    close_movie(&two);
}

/* ---- refusals ---- */

static void assert_refused(const ng_synth_tem_options *options, const char *words)
{
    ng_synth_tem *tem = NULL;
    ng_error err = {0};
    assert_int_equal(ng_synth_tem_open(options, NULL, &tem, &err), NG_INVALID);
    assert_null(tem);
    if (strstr(err.message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", err.message, words);
    }
}

static void values_out_of_range_are_refused(void **unused)
{
    (void)unused;
    const ng_synth_tem_options good = small();
    ng_synth_tem_options bad = good;
#define REFUSED(name, field, value)                                                                \
    bad.field = (value);                                                                           \
    assert_refused(&bad, name " is ");                                                             \
    bad = good
    REFUSED("merge-chance", merge_chance, 1.5);
    REFUSED("contact-nm", contact_nm, -1);
    REFUSED("dissolve-fraction", dissolve_fraction, -0.1);
    REFUSED("dissolve-s", dissolve_s, 0);
    REFUSED("blur-px", blur_px, 0.1);
    REFUSED("contrast", contrast, (double)NAN);
    REFUSED("contrast-loss", contrast_loss, 2);
    REFUSED("dose-per-px", dose_per_px, 0);
    REFUSED("gradient", gradient, -2);
    REFUSED("gain", gain, 0);
    REFUSED("offset", offset, -1);
    REFUSED("drift-x-nm-per-s", drift_x_nm_per_s, (double)INFINITY);
    REFUSED("drift-jitter-nm", drift_jitter_nm, -1);
    REFUSED("jumps", jumps, -1);
    REFUSED("jump-nm", jump_nm, -1);
    REFUSED("particles", growth.particles, 0);
#undef REFUSED
    bad.growth.field_nm = 5;
    assert_refused(&bad, "field-nm 5 at 0.5 nm a pixel is 10 pixels across");
    bad = good;
    bad.growth.field_nm = 1e5;
    assert_refused(&bad, "it must be 16 to 16384");
}

static void a_full_specimen_is_refused(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.particles = 1000;
    assert_refused(&options, "1000 particles find no room without touching");
}

static void a_movie_ends(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.frames = 2;
    movie m = open_movie(&options, 1);
    ng_error err = {0};
    next(&m);
    next(&m);
    assert_int_equal(ng_synth_tem_next(m.tem, m.pixel, &err), NG_INTERNAL);
    close_movie(&m);
}

static bool stop_at_three(void *context, const char *stage, size_t done, size_t total)
{
    (void)context;
    (void)total;
    assert_string_equal(stage, "drawing frames");
    return done < 3;
}

static void it_can_be_cancelled(void **unused)
{
    (void)unused;
    const ng_synth_tem_options options = small();
    ng_run run = ng_run_defaults();
    run.progress = stop_at_three;
    ng_synth_tem *tem = NULL;
    ng_error err;
    float pixel[64 * 64];
    assert_int_equal(ng_synth_tem_open(&options, &run, &tem, &err), NG_OK);
    for (int frame = 0; frame < 4; frame++) {
        assert_int_equal(ng_synth_tem_next(tem, pixel, &err), frame < 3 ? NG_OK : NG_CANCELLED);
    }
    ng_synth_tem_close(tem);
}

static void lack_of_memory_leaves_nothing(void **unused)
{
    (void)unused;
    ng_synth_tem_options options = small();
    options.growth.frames = 3;
    size_t failures = 0;
    ng_status status = NG_MEMORY;
    static float pixel[64 * 64];
    for (; status == NG_MEMORY && failures < 100; failures++) {
        ng_synth_tem *tem = NULL;
        ng_error err;
        ng_alloc_fail_after(failures + 1);
        status = ng_synth_tem_open(&options, NULL, &tem, &err);
        for (int frame = 0; frame < 3 && status == NG_OK; frame++) {
            status = ng_synth_tem_next(tem, pixel, &err);
        }
        ng_alloc_fail_after(0);
        ng_synth_tem_close(tem);
    }
    assert_int_equal(status, NG_OK);
    assert_true(failures > 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_hold_what_the_table_says),
        cmocka_unit_test(centroid_is_where_the_table_says),
        cmocka_unit_test(noise_is_that_of_the_dose),
        cmocka_unit_test(overflowing_counts_are_clipped_and_told),
        cmocka_unit_test(drift_is_what_was_asked),
        cmocka_unit_test(merges_conserve_volume),
        cmocka_unit_test(others_pass_over),
        cmocka_unit_test(some_dissolve),
        cmocka_unit_test(sizes_are_those_of_the_ensemble),
        cmocka_unit_test(late_particles_are_born),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(a_full_specimen_is_refused),
        cmocka_unit_test(a_movie_ends),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(lack_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests_name("tem", tests, NULL, NULL);
}
