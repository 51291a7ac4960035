/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images of a known scene, made as a movie was: by them `detect` lets as many false spots through
 * as are asked for, and its standard errors are what light and places scatter by, however empty or
 * crowded the movie is. */
#include "sim_scene.h"

#include "test_support.h"

#include <nucgrow/detect.h>
#include <nucgrow/movie.h>
#include <nucgrow/sim.h>

#include <math.h>
#include <string.h>

enum { SIDE = 96, FINE = 2 * SIDE, PASSES = 14, REHEARSED = 12, BLANKS = 16, TAKES = 9 };
#define BACKGROUND 20.0
#define PIXEL_NM 32.5
#define BLUR_PX 1.17 /* what `detect` finds of crystals in such images */

static ng_synth_sim scene;
static ng_movie *rehearsal, *blank, *again;

/* `n` takes from `first` on, reconstructed. */
static ng_movie *make(const float *expected, size_t first, size_t n, double pixel_nm)
{
    const ng_sim_pattern *pattern = &scene.pattern;
    const ng_stack_format format = {.width = FINE,
                                    .height = FINE,
                                    .frames = n,
                                    .sample = NG_SAMPLE_FLOAT32,
                                    .pixel_nm = pixel_nm,
                                    .frame_s = 1.0};
    const ng_movie_read_options read = ng_movie_read_defaults();
    const char *path = test_output("rehearsal.tif");
    ng_sim_reconstruct_options how = ng_sim_reconstruct_defaults();
    ng_sim_reconstructor *r = NULL;
    ng_stack *stack = NULL;
    ng_movie *movie = NULL;
    ng_sim_run_info info;
    float *frames = NG_NEW(float, 9 * SIDE * SIDE), *image = NG_NEW(float, FINE *FINE);
    how.background = BACKGROUND;
    how.passes = PASSES;
    assert_int_equal(ng_sim_reconstructor_create(pattern, &how, 1, &r, NULL), NG_OK);
    assert_int_equal(ng_stack_create(path, &format, true, &stack, NULL), NG_OK);
    for (size_t k = first; k < first + n; k++) {
        assert_int_equal(
            ng_sim_record(&pattern->layout, &pattern->camera, expected, k, frames, NULL), NG_OK);
        assert_int_equal(ng_sim_reconstruct(r, frames, NULL, image, &info, NULL), NG_OK);
        assert_int_equal(ng_stack_write(stack, image, NULL), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    assert_int_equal(ng_movie_open(path, &read, &movie, NULL, NULL), NG_OK);
    unlink(path); /* it stays open */
    ng_sim_reconstructor_destroy(r);
    ng_free(frames);
    ng_free(image);
    return movie;
}

static int set_up(void **state)
{
    (void)state;
    float *expected = NG_NEW(float, 9 * SIDE * SIDE);
    ng_synth_sim_options o = sim_scene_options(SIDE, SIDE);
    assert_int_equal(ng_synth_sim_create(&o, 1, &scene, NULL), NG_OK);
    assert_int_equal(ng_sim_rehearsal(&scene.pattern, BACKGROUND, expected, NULL), NG_OK);
    rehearsal = make(expected, 0, REHEARSED, PIXEL_NM);
    again = make(expected, 1000, TAKES, PIXEL_NM);
    for (size_t i = 0; i < 9 * SIDE * SIDE; i++) {
        expected[i] = (float)BACKGROUND;
    }
    blank = make(expected, 2000, BLANKS, PIXEL_NM);
    ng_free(expected);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ng_movie_close(rehearsal);
    ng_movie_close(again);
    ng_movie_close(blank);
    ng_synth_sim_free(&scene);
    return 0;
}

static ng_detect_choices choose(ng_movie *movie, double false_per_frame)
{
    ng_error err = {0};
    ng_detect_options o = ng_detect_defaults();
    ng_detect_choices choices;
    o.kind = NG_DETECT_SPOT;
    o.polarity = NG_BRIGHT;
    o.blur_px = BLUR_PX;
    o.false_per_frame = false_per_frame;
    o.rehearsal = rehearsal;
    if (ng_detect_choose(movie, &o, &choices, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return choices;
}

/* ---- the scene --------------------------------------------------------------------------- */

/* Expected frames hold the background, and the light of all points: a mean over phases gives each
 * back what it shines in one frame. */
static void test_expected_light(void **state)
{
    (void)state;
    float *expected = NG_NEW(float, 9 * SIDE * SIDE);
    assert_int_equal(ng_sim_rehearsal(&scene.pattern, BACKGROUND, expected, NULL), NG_OK);
    double sum = 0.0, least = (double)INFINITY;
    for (size_t i = 0; i < 9 * SIDE * SIDE; i++) {
        sum += ((double)expected[i] - BACKGROUND) / 9.0;
        least = fmin(least, (double)expected[i]);
    }
    /* the dimmest, 8 sqrt((20 + 1.6^2)/9 2.3/cutoff^2) = 58 e, times 1, 2, 4, 8, 16 by turns, every
     * twelve pixels */
    const double cutoff = 2.0 * scene.pattern.optics.na / scene.pattern.optics.wavelength_nm *
                          scene.pattern.optics.pixel_nm;
    const double read = scene.pattern.camera.read_noise;
    const double dimmest = 8.0 * sqrt((BACKGROUND + read * read) / 9.0 * 2.3) / cutoff;
    double times = 0.0;
    for (int i = 0; i < 64; i++) {
        times += ldexp(1.0, (i % 8 + 2 * (i / 8)) % 5);
    }
    assert_true(least >= BACKGROUND);
    assert_close(sum / (times * dimmest), 1.0, 0.02); /* tails leave the field */
    ng_free(expected);
}

/* ---- false spots ------------------------------------------------------------------------- */

typedef struct tally {
    size_t found;
} tally;

static ng_status count(void *context, const ng_detect_frame *frame, ng_error *err)
{
    (void)err;
    tally *t = context;
    t->found += frame->n;
    return NG_OK;
}

/* Four a frame asked for: 64 in 16 blank images of other takes, to three s.d. of Poisson's law of
 * them and of the 48 in the rehearsal by which the height was set. */
static void test_false_spots(void **state)
{
    (void)state;
    const double asked = 4.0, expected = asked * BLANKS;
    const ng_detect_choices choices = choose(blank, asked);
    ng_detect_summary summary;
    tally t = {0};
    assert_int_equal(ng_detect_movie(blank, &choices, count, &t, NULL, &summary, NULL, NULL),
                     NG_OK);
    print_message("%zu false spots, %.0f asked for\n", t.found, expected);
    assert_close((double)t.found, expected,
                 3.0 * expected * sqrt(1.0 / expected + 1.0 / (asked * REHEARSED)));
}

/* What is in the movie does not matter. */
static void test_height_of_any_movie(void **state)
{
    (void)state;
    const ng_detect_choices empty = choose(blank, 1.0), full = choose(again, 1.0);
    assert_close(full.options.c, empty.options.c, 0.0);
    assert_close(full.spot.noise.level, empty.spot.noise.level, 0.0);
    assert_close(full.spot.noise.gain, empty.spot.noise.gain, 0.0);
}

/* ---- errors ------------------------------------------------------------------------------ */

enum { MOST = 400 };

typedef struct seen {
    double x, y, n, flux, flux2, dx2, light_var, x_var, dx;
} seen;

typedef struct points {
    seen point[MOST];
    size_t n;
    bool first;
} points;

static ng_status gather(void *context, const ng_detect_frame *frame, ng_error *err)
{
    (void)err;
    points *p = context;
    for (size_t i = 0; i < frame->n; i++) {
        const ng_particle *q = &frame->particle[i];
        seen *s = NULL;
        for (size_t k = 0; k < p->n && s == NULL; k++) {
            const double d = hypot(p->point[k].x - q->x_nm, p->point[k].y - q->y_nm);
            s = d < 2.0 * PIXEL_NM ? &p->point[k] : NULL;
        }
        if (s == NULL && p->first && p->n < MOST) {
            s = &p->point[p->n++];
            *s = (seen){.x = q->x_nm, .y = q->y_nm};
        }
        if (s != NULL) {
            s->n += 1.0;
            s->flux += q->intensity;
            s->flux2 += q->intensity * q->intensity;
            s->dx += q->x_nm - s->x;
            s->dx2 += (q->x_nm - s->x) * (q->x_nm - s->x);
            s->light_var += q->intensity_se * q->intensity_se;
            s->x_var += q->x_se_nm * q->x_se_nm;
        }
    }
    p->first = false;
    return NG_OK;
}

/* 64 points in nine takes that were not in the rehearsal: scatter over standard errors,
 * of the dim and of the bright half. 25 x 8 degrees of freedom know the ratio to 5 %, and those
 * of the rehearsal as well; the rest is that a power of the light is no exact law. */
static void test_errors(void **state)
{
    (void)state;
    const ng_detect_choices choices = choose(again, 0.5);
    ng_detect_summary summary;
    points p = {.first = true};
    double light[2] = {0.0}, place[2] = {0.0}, n[2] = {0.0};
    assert_int_equal(ng_detect_movie(again, &choices, gather, &p, NULL, &summary, NULL, NULL),
                     NG_OK);
    for (size_t i = 0; i < p.n; i++) {
        const seen *s = &p.point[i];
        if (s->n < TAKES - 1) {
            continue;
        }
        const size_t half = s->flux / s->n > 150.0;
        light[half] += (s->flux2 - s->flux * s->flux / s->n) / (s->n - 1.0) / (s->light_var / s->n);
        place[half] += (s->dx2 - s->dx * s->dx / s->n) / (s->n - 1.0) / (s->x_var / s->n);
        n[half] += 1.0;
    }
    for (size_t half = 0; half < 2; half++) {
        print_message("%.0f points: scatter over standard errors, light %.3f, place %.3f\n",
                      n[half], sqrt(light[half] / n[half]), sqrt(place[half] / n[half]));
        assert_true(n[half] > 20.0);
        assert_close(sqrt(light[half] / n[half]), 1.0, 0.15);
        assert_close(sqrt(place[half] / n[half]), 1.0, 0.25);
    }
}

/* Images of nothing tell of false spots all the same, and it is said that they tell of no errors:
 * four a frame let 64 through, in the very frames that they were counted in. */
static void test_no_points(void **state)
{
    (void)state;
    ng_warnings warnings = {0};
    ng_detect_options o = ng_detect_defaults();
    ng_detect_choices choices;
    ng_detect_summary summary;
    tally t = {0};
    o.kind = NG_DETECT_SPOT;
    o.polarity = NG_BRIGHT;
    o.blur_px = BLUR_PX;
    o.false_per_frame = 4.0;
    o.rehearsal = blank;
    assert_int_equal(ng_detect_choose(blank, &o, &choices, &warnings, NULL), NG_OK);
    assert_int_equal(ng_detect_movie(blank, &choices, count, &t, NULL, &summary, NULL, NULL),
                     NG_OK);
    bool said = false;
    for (size_t i = 0; i < warnings.n; i++) {
        said = said || strcmp(warnings.item[i].name, "rehearsal-few-points") == 0;
    }
    assert_true(said);
    /* at the final height hopeless candidates go earlier than while all of them were counted */
    assert_close((double)t.found, 4.0 * BLANKS, 10.0);
    ng_warnings_free(&warnings);
}

/* ---- mistakes ---------------------------------------------------------------------------- */

static void refuse(ng_movie *known, const char *words)
{
    ng_error err = {0};
    ng_detect_options o = ng_detect_defaults();
    ng_detect_choices choices;
    o.kind = NG_DETECT_SPOT;
    o.polarity = NG_BRIGHT;
    o.rehearsal = known;
    assert_int_equal(ng_detect_choose(blank, &o, &choices, NULL, &err), NG_INVALID);
    assert_non_null(strstr(err.message, words));
    ng_movie_close(known);
}

static void test_mistakes(void **state)
{
    (void)state;
    float *expected = NG_NEW(float, 9 * SIDE * SIDE);
    refuse(make(expected, 0, 2, PIXEL_NM), "all the same"); /* no light at all */
    for (size_t i = 0; i < 9 * SIDE * SIDE; i++) {
        expected[i] = (float)BACKGROUND;
    }
    refuse(make(expected, 0, 1, PIXEL_NM), "holds 1 images");
    refuse(make(expected, 0, 2, 2.0 * PIXEL_NM), "pixels of the known scene");
    ng_free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected_light),      cmocka_unit_test(test_false_spots),
        cmocka_unit_test(test_height_of_any_movie), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_points),           cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
