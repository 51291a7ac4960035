/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole movie: any number of threads, drift, a file that breaks off. */
#include "detect_test.h"

#include <string.h>

enum { SIDE = 96, FRAMES = 24, DISKS = 8 };

static const scene_disk disk[DISKS] = {{20, 20, 3.0}, {50, 18, 4.0}, {76, 22, 3.5}, {24, 50, 4.5},
                                       {52, 48, 2.8}, {78, 52, 3.2}, {30, 76, 4.1}, {66, 74, 3.7}};

/* The disks drift by (0.2, -0.1) px a frame. */
static void write_movie(const char *path)
{
    const ng_stack_format format = {.width = SIDE,
                                    .height = SIDE,
                                    .frames = FRAMES,
                                    .sample = NG_SAMPLE_FLOAT32,
                                    .pixel_nm = 0.5,
                                    .frame_s = 2.0};
    gsl_rng *rng = ng_random_open(1, 0);
    ng_stack *stack = NULL;
    ng_image image;
    assert_int_equal(ng_image_create(SIDE, SIDE, &image, NULL), NG_OK);
    assert_int_equal(ng_stack_create(path, &format, true, &stack, NULL), NG_OK);
    for (size_t k = 0; k < FRAMES; k++) {
        scene_fill(&image, 300.0);
        for (size_t i = 0; i < DISKS; i++) {
            const scene_disk d = {disk[i].x + 0.2 * (double)k, disk[i].y - 0.1 * (double)k,
                                  disk[i].r};
            scene_add_disk(&image, d, 1.0, -40.0);
        }
        scene_add_noise(&image, 6.0, rng);
        image.pixel[k] = k == 7 ? NAN : image.pixel[k];
        assert_int_equal(ng_stack_write(stack, image.pixel, NULL), NG_OK);
    }
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    ng_image_free(&image);
    ng_random_close(rng);
}

/* Everything that the sink was given. */
typedef struct record {
    ng_particle particle[FRAMES * 40];
    size_t n, frames;
    char mask[65]; /* of the last label image */
} record;

static ng_status take(void *context, const ng_detect_frame *f, ng_error *err)
{
    record *r = context;
    (void)err;
    assert_int_equal(f->frame, r->frames);
    assert_true(r->n + f->n <= FRAMES * 40);
    if (f->n > 0) {
        memcpy(r->particle + r->n, f->particle, f->n * sizeof *f->particle);
    }
    r->n += f->n;
    r->frames++;
    ng_sha256(f->label, f->width * f->height * sizeof *f->label, r->mask);
    return NG_OK;
}

static ng_status detect_as(const char *path, const ng_detect_choices *choices, int threads,
                           record *r, ng_detect_summary *summary, ng_error *err)
{
    const ng_movie_read_options how = ng_movie_read_defaults();
    ng_run run = ng_run_defaults();
    ng_movie *movie = NULL;
    memset(r, 0, sizeof *r);
    run.threads = threads;
    assert_int_equal(ng_movie_open(path, &how, &movie, NULL, err), NG_OK);
    const ng_status status = ng_detect_movie(movie, choices, take, r, &run, summary, NULL, err);
    ng_movie_close(movie);
    return status;
}

static ng_status detect(const char *path, const ng_detect_options *o, int threads, record *r,
                        ng_detect_summary *summary, ng_error *err)
{
    const ng_movie_read_options how = ng_movie_read_defaults();
    ng_movie *movie = NULL;
    ng_detect_choices choices;
    assert_int_equal(ng_movie_open(path, &how, &movie, NULL, err), NG_OK);
    const ng_status status = ng_detect_choose(movie, o, &choices, NULL, err);
    ng_movie_close(movie);
    return status == NG_OK ? detect_as(path, &choices, threads, r, summary, err) : status;
}

static void test_threads(void **state)
{
    (void)state;
    char path[4096];
    record *one = NG_NEW(record, 1), *many = NG_NEW(record, 1);
    ng_detect_summary summary;
    ng_error err = {.status = NG_OK};
    ng_detect_options o = ng_detect_defaults();
    snprintf(path, sizeof path, "%s", test_output("movie.tif"));
    write_movie(path);
    o.blur_px = 1.0;
    o.average_frames = 3; /* windows over the seams of batches */
    o.drift = true;
    assert_int_equal(detect(path, &o, 1, one, &summary, &err), NG_OK);
    assert_int_equal(summary.frames, FRAMES);
    assert_int_equal(summary.particles, one->n);
    assert_true(summary.mended_pixels >= 1);
    for (int threads = 2; threads <= 5; threads += 3) {
        assert_int_equal(detect(path, &o, threads, many, &summary, &err), NG_OK);
        assert_int_equal(many->n, one->n);
        assert_memory_equal(many->particle, one->particle, one->n * sizeof *one->particle);
        assert_string_equal(many->mask, one->mask);
    }
    unlink(path);
    ng_free(one);
    ng_free(many);
}

/* Eight disks in each of the frames, in nm and s; with drift taken out each stays where it was in
 * the first frame, to the fits' 0.05 px, four of them, and what the drift adds up. */
static void test_values(void **state)
{
    (void)state;
    char path[4096];
    record *r = NG_NEW(record, 1);
    ng_detect_summary summary;
    ng_error err = {.status = NG_OK};
    ng_detect_options o = ng_detect_defaults();
    snprintf(path, sizeof path, "%s", test_output("movie.tif"));
    write_movie(path);
    o.blur_px = 1.0;
    o.drift = true;
    assert_int_equal(detect(path, &o, 2, r, &summary, &err), NG_OK);
    size_t met = 0;
    for (size_t k = 0; k < r->n; k++) {
        const ng_particle *p = &r->particle[k];
        assert_close(p->time_s, 2.0 * (double)p->frame, 1e-12);
        for (size_t i = 0; i < DISKS; i++) {
            if (hypot(p->x_nm / 0.5 - disk[i].x, p->y_nm / 0.5 - disk[i].y) < 1.5) {
                met++;
                assert_close(p->radius_nm, 0.5 * disk[i].r, 5.0 * p->radius_se_nm + 0.01);
                assert_close(p->x_nm / 0.5, disk[i].x, 0.4);
                assert_close(p->x_raw_nm / 0.5 - 0.2 * (double)p->frame, disk[i].x, 0.4);
            }
        }
    }
    assert_true(met >= FRAMES * DISKS - 2);
    assert_true(r->n <= FRAMES * DISKS + 4);
    /* A time window. */
    o.first = 0;
    o.last = 4;
    assert_int_equal(detect(path, &o, 1, r, &summary, &err), NG_OK);
    assert_int_equal(r->frames, 5);
    o.first = FRAMES;
    o.last = SIZE_MAX;
    assert_int_equal(detect(path, &o, 1, r, &summary, &err), NG_INVALID);
    unlink(path);
    ng_free(r);
}

/* What stood before the break is handed on, and the error names the frame. */
static void test_broken(void **state)
{
    (void)state;
    char path[4096];
    record *whole = NG_NEW(record, 1), *half = NG_NEW(record, 1);
    ng_detect_summary summary;
    ng_error err = {.status = NG_OK};
    ng_detect_options o = ng_detect_defaults();
    ng_detect_choices choices;
    const ng_movie_read_options how = ng_movie_read_defaults();
    ng_movie *movie = NULL;
    o.blur_px = 1.0;
    snprintf(path, sizeof path, "%s", test_output("movie.tif"));
    write_movie(path);
    assert_int_equal(ng_movie_open(path, &how, &movie, NULL, NULL), NG_OK);
    assert_int_equal(ng_detect_choose(movie, &o, &choices, NULL, NULL), NG_OK);
    ng_movie_close(movie);
    assert_int_equal(detect_as(path, &choices, 2, whole, &summary, &err), NG_OK);
    assert_int_equal(truncate(path, (off_t)(SIDE * SIDE * 4 * 15 + 2000)), 0);
    if (ng_movie_open(path, &how, &movie, NULL, &err) != NG_OK) {
        assert_true(err.message[0] != '\0'); /* the directories stand at the end: said at once */
    } else {
        ng_movie_close(movie);
        const ng_status status = detect_as(path, &choices, 2, half, &summary, &err);
        assert_true(status == NG_FORMAT || status == NG_IO);
        assert_true(summary.frames >= 10 && summary.frames < FRAMES);
        assert_int_equal(half->frames, summary.frames);
        for (size_t k = 0; k < half->n; k++) {
            assert_true(half->particle[k].radius_nm == whole->particle[k].radius_nm);
        }
    }
    unlink(path);
    ng_free(whole);
    ng_free(half);
}

/* Without calibration nothing is guessed. */
static void test_calibration(void **state)
{
    (void)state;
    char path[4096];
    const ng_stack_format format = {.width = 32,
                                    .height = 32,
                                    .frames = 2,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = (double)NAN,
                                    .frame_s = (double)NAN};
    record *r = NG_NEW(record, 1);
    ng_detect_summary summary;
    ng_error err = {.status = NG_OK};
    ng_stack *stack = NULL;
    float pixel[32 * 32] = {0.0f};
    snprintf(path, sizeof path, "%s", test_output("plain.tif"));
    assert_int_equal(ng_stack_create(path, &format, true, &stack, NULL), NG_OK);
    assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    assert_int_equal(ng_stack_write(stack, pixel, NULL), NG_OK);
    assert_int_equal(ng_stack_commit(stack, NULL), NG_OK);
    ng_detect_options o = ng_detect_defaults();
    assert_int_equal(detect(path, &o, 1, r, &summary, &err), NG_USAGE);
    assert_non_null(strstr(err.message, "--pixel-nm"));
    o.pixel_nm = 0.5;
    assert_int_equal(detect(path, &o, 1, r, &summary, &err), NG_USAGE);
    assert_non_null(strstr(err.message, "--frame-s"));
    o.frame_s = 1.0;
    assert_int_equal(detect(path, &o, 1, r, &summary, &err), NG_OK);
    assert_int_equal(r->n, 0);
    unlink(path);
    ng_free(r);
}

/* Every allocation that can fail is told, and nothing leaks (the sanitizers look). */
static void test_memory(void **state)
{
    (void)state;
    char path[4096];
    record *r = NG_NEW(record, 1);
    ng_detect_summary summary;
    ng_detect_options o = ng_detect_defaults();
    ng_movie *movie = NULL;
    ng_detect_choices choices;
    const ng_movie_read_options how = ng_movie_read_defaults();
    const ng_run run = ng_run_defaults();
    o.last = 1;
    o.blur_px = 1.0;
    snprintf(path, sizeof path, "%s", test_output("movie.tif"));
    write_movie(path);
    assert_int_equal(ng_movie_open(path, &how, &movie, NULL, NULL), NG_OK);
    ng_status status = NG_MEMORY;
    for (size_t k = 1; status == NG_MEMORY && k < 400; k += 9) {
        ng_error err = {.status = NG_OK};
        memset(r, 0, sizeof *r);
        ng_alloc_fail_after(k);
        status = ng_detect_choose(movie, &o, &choices, NULL, &err);
        if (status == NG_OK) {
            status = ng_detect_movie(movie, &choices, take, r, &run, &summary, NULL, &err);
        }
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
    }
    assert_int_equal(status, NG_OK);
    ng_movie_close(movie);
    unlink(path);
    ng_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads), cmocka_unit_test(test_values),
        cmocka_unit_test(test_broken),  cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
