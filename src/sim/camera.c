/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offset and gain from the frames themselves.
 *
 * Beyond the cutoff of the optics a frame holds noise only. Let n be the frame through that
 * high-pass filter h: E[n^2] = |h|^2 * variance = gain (|h|^2 * (mean - offset)), place by place.
 * Both sides are smoothed alike, and the slope of one over the other is taken with the mean of the
 * other frames as instrument, whose noise has nothing to do with either.
 */
#include "pattern_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The high-pass begins here, in units of the cutoff. */
#define BEYOND 1.04
/* Frames that are looked at: enough for a percent. */
#define MOST_FRAMES 9
/* Smoothing, pixels, of both sides; edges left out; parts of the field for the standard errors. */
#define SMOOTH 2.0
#define EDGE 16
#define PARTS 16
#define MOST_UNSURE 0.2

typedef struct noise_sums {
    double n, x, y, z, zx, zy, zz;
} noise_sums;

typedef struct noise_work {
    const ng_sim_layout *layout;
    const ng_sim_optics *optics;
    const float *frames;
    ng_sim_plane plane;
    ng_cf *a, *b, *kernel; /* kernel: transform of |h|^2, smoothed */
    float *all;            /* sum of all frames, smoothed like the rest */
    noise_sums part[PARTS];
} noise_work;

static double gauss(double kx, double ky)
{
    return exp(-2 * NG_SIM_PI * NG_SIM_PI * SMOOTH * SMOOTH * (kx * kx + ky * ky));
}

static bool is_beyond(const noise_work *w, double kx, double ky)
{
    const double cutoff = ng_sim_cutoff_per_um(w->optics) * 1e-3 * w->optics->pixel_nm;
    return kx * kx + ky * ky > BEYOND * BEYOND * cutoff * cutoff;
}

/* data <- data filtered by the high-pass, smoothed, or what is below the high-pass by `kernel`. */
enum filter { HIGH, SMOOTHED, KERNEL };

static void apply(const noise_work *w, enum filter filter, ng_cf *data)
{
    const size_t width = w->plane.width, height = w->plane.height;
    const float scale = 1 / (float)(width * height);
    ng_sim_plane_forward(&w->plane, data);
    for (size_t i = 0; i < width * height; i++) {
        const double kx = ng_sim_bin(i % width, width), ky = ng_sim_bin(i / width, height);
        float factor = 0;
        switch (filter) {
        case HIGH:
            factor = is_beyond(w, kx, ky) ? 1 : 0;
            break;
        case SMOOTHED:
            factor = (float)gauss(kx, ky);
            break;
        case KERNEL:
            factor = is_beyond(w, kx, ky) ? 0 : w->kernel[i].re * (float)gauss(kx, ky);
            break;
        }
        data[i].re *= scale * factor;
        data[i].im *= scale * factor;
    }
    ng_sim_plane_backward(&w->plane, data);
}

/* The frame, continued by its mirror image so that its edges do not ring. */
static void place(const noise_work *w, const float *frame, ng_cf *out)
{
    const size_t width = w->layout->width, height = w->layout->height;
    for (size_t y = 0; y < w->plane.height; y++) {
        const size_t from_y = y < height ? y : 2 * height - 1 - y;
        for (size_t x = 0; x < w->plane.width; x++) {
            const size_t from_x = x < width ? x : 2 * width - 1 - x;
            out[y * w->plane.width + x] =
                (ng_cf){frame[(from_y % height) * width + from_x % width], 0};
        }
    }
}

static void make_kernel(noise_work *w)
{
    const size_t n = w->plane.width * w->plane.height;
    memset(w->kernel, 0, n * sizeof *w->kernel);
    w->kernel[0].re = 1;
    apply(w, HIGH, w->kernel);
    for (size_t i = 0; i < n; i++) {
        w->kernel[i] = (ng_cf){w->kernel[i].re * w->kernel[i].re, 0};
    }
    ng_sim_plane_forward(&w->plane, w->kernel);
}

static void add_frame(noise_work *w, const float *frame, double frames)
{
    const size_t width = w->layout->width, height = w->layout->height, stride = w->plane.width;
    place(w, frame, w->a);
    memcpy(w->b, w->a, w->plane.width * w->plane.height * sizeof *w->b);
    apply(w, HIGH, w->a);
    for (size_t i = 0; i < w->plane.width * w->plane.height; i++) {
        w->a[i] = (ng_cf){w->a[i].re * w->a[i].re, w->b[i].re};
    }
    /* Two real images in one: the squared noise to be smoothed, the frame for the instrument. */
    apply(w, SMOOTHED, w->a);
    apply(w, KERNEL, w->b);
    for (size_t y = EDGE; y + EDGE < height; y++) {
        for (size_t x = EDGE; x + EDGE < width; x++) {
            const size_t i = y * stride + x;
            noise_sums *s = &w->part[y * 4 / height * 4 + x * 4 / width];
            const double px = (double)w->b[i].re, py = (double)w->a[i].re;
            const double pz = ((double)w->all[i] - (double)w->a[i].im) / (frames - 1);
            s->n++;
            s->x += px;
            s->y += py;
            s->z += pz;
            s->zx += pz * px;
            s->zy += pz * py;
            s->zz += pz * pz;
        }
    }
}

static noise_sums total_of(const noise_work *w, size_t without)
{
    noise_sums t = {0};
    for (size_t i = 0; i < PARTS; i++) {
        if (i != without) {
            const noise_sums *s = &w->part[i];
            t.n += s->n, t.x += s->x, t.y += s->y, t.z += s->z;
            t.zx += s->zx, t.zy += s->zy, t.zz += s->zz;
        }
    }
    return t;
}

/* share: integral of |h|^2, by which x was scaled. */
static bool solve(const noise_sums *t, double share, double *gain, double *offset)
{
    const double zx = t->zx - t->z * t->x / t->n, zy = t->zy - t->z * t->y / t->n;
    *gain = zy / zx;
    *offset = (t->x / t->n - t->y / t->n / *gain) / share;
    return zx > 0 && zy > 0;
}

static bool solve_with_errors(const noise_work *w, double share, ng_sim_camera *c)
{
    double gain = 0, offset = 0, sum[2] = {0}, square[2] = {0};
    const noise_sums all = total_of(w, PARTS);
    if (!solve(&all, share, &gain, &offset)) {
        return false;
    }
    for (size_t i = 0; i < PARTS; i++) { /* jackknife */
        double value[2];
        const noise_sums t = total_of(w, i);
        if (!solve(&t, share, &value[0], &value[1])) {
            return false;
        }
        for (int k = 0; k < 2; k++) {
            sum[k] += value[k];
            square[k] += value[k] * value[k];
        }
    }
    const double n = PARTS, factor = (n - 1) / n;
    c->gain_se = sqrt(fmax(factor * (square[0] - sum[0] * sum[0] / n), 0));
    c->offset_se = sqrt(fmax(factor * (square[1] - sum[1] * sum[1] / n), 0));
    c->gain = gain;
    c->offset = offset;
    return c->gain_se < MOST_UNSURE * gain;
}

/* With one of the two given, the other follows from the means. */
static void keep_given(const noise_work *w, double share, const ng_sim_camera *given,
                       ng_sim_camera *c)
{
    const noise_sums all = total_of(w, PARTS);
    const double x = all.x / all.n / share, y = all.y / all.n / share;
    if (isfinite(given->gain)) {
        c->gain = given->gain;
        c->offset = x - y / c->gain;
        c->offset_se = y / c->gain / sqrt(all.n / (4 * NG_SIM_PI * SMOOTH * SMOOTH));
    } else if (isfinite(given->offset)) {
        const double read = isfinite(given->read_noise) ? given->read_noise : 0;
        c->offset = given->offset;
        c->gain = (y - read * read) / (x - c->offset);
        c->gain_se = c->gain / sqrt(all.n / (4 * NG_SIM_PI * SMOOTH * SMOOTH));
    }
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static ng_status fall_back(const ng_sim_layout *layout, const float *frames, ng_sim_camera *c,
                           ng_warnings *warnings, ng_error *err)
{
    const size_t n = layout->width * layout->height;
    float *sorted = NG_NEW(float, n);
    if (sorted == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu pixels", n);
    }
    memcpy(sorted, frames, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    c->gain = isfinite(c->gain) ? c->gain : 1;
    c->offset = isfinite(c->offset) ? c->offset : (double)sorted[n / 1000];
    c->gain_se = c->offset_se = NAN;
    ng_free(sorted);
    ng_warnings_add(warnings, "camera-unsure",
                    "the frames do not tell the camera's gain and offset; taken as %g and %.1f "
                    "(--gain, --offset)",
                    c->gain, c->offset);
    return NG_OK;
}

static ng_status noise_open(noise_work *w, ng_error *err)
{
    ng_status status = ng_sim_plane_create(ng_sim_good_length(w->layout->width),
                                           ng_sim_good_length(w->layout->height), &w->plane, err);
    if (status != NG_OK) {
        return status;
    }
    const size_t n = w->plane.width * w->plane.height;
    w->a = ng_sim_plane_new(&w->plane);
    w->b = ng_sim_plane_new(&w->plane);
    w->kernel = ng_sim_plane_new(&w->plane);
    w->all = NG_NEW(float, n);
    return w->a != NULL && w->b != NULL && w->kernel != NULL && w->all != NULL
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", w->plane.width,
                         w->plane.height);
}

static void measure_noise(noise_work *w, size_t frames)
{
    const size_t n = w->layout->width * w->layout->height;
    const size_t points = w->plane.width * w->plane.height;
    for (size_t f = 0; f < frames; f++) {
        place(w, w->frames + f * n, w->a);
        apply(w, SMOOTHED, w->a);
        for (size_t i = 0; i < points; i++) {
            w->all[i] += w->a[i].re;
        }
    }
    for (size_t f = 0; f < frames; f++) {
        add_frame(w, w->frames + f * n, (double)frames);
    }
}

ng_status ng_sim_camera_estimate(const ng_sim_layout *layout, const ng_sim_optics *optics,
                                 const float *frames, ng_sim_camera *camera, ng_warnings *warnings,
                                 ng_error *err)
{
    const ng_sim_camera given = *camera;
    camera->gain_estimated = !isfinite(given.gain);
    camera->offset_estimated = !isfinite(given.offset);
    camera->read_noise = isfinite(given.read_noise) ? given.read_noise : 0;
    camera->gain_se = camera->offset_se = NAN;
    if (!camera->gain_estimated && !camera->offset_estimated) {
        return NG_OK;
    }
    noise_work w = {.layout = layout, .optics = optics, .frames = frames};
    ng_status status = noise_open(&w, err);
    if (status == NG_OK) {
        const size_t all = ng_sim_layout_frames(layout);
        make_kernel(&w);
        const double share = (double)w.kernel[0].re;
        measure_noise(&w, all < MOST_FRAMES ? all : MOST_FRAMES);
        if (isfinite(given.gain) || isfinite(given.offset)) {
            keep_given(&w, share, &given, camera);
        } else if (!solve_with_errors(&w, share, camera)) {
            *camera = given;
            camera->gain_estimated = camera->offset_estimated = true;
            camera->read_noise = isfinite(given.read_noise) ? given.read_noise : 0;
            status = fall_back(layout, frames, camera, warnings, err);
        }
        /* The offset at which the variance vanishes holds the read noise already. */
        if (camera->offset_estimated) {
            camera->read_noise = 0;
        }
    }
    ng_sim_plane_free(&w.plane);
    ng_sim_aligned_free(w.a);
    ng_sim_aligned_free(w.b);
    ng_sim_aligned_free(w.kernel);
    ng_free(w.all);
    return status;
}

/* ---- is it plausible? ---- */

#define MOST_BELOW 0.5
#define SOME_BELOW 0.02

ng_status ng_sim_camera_check(const ng_sim_layout *layout, const ng_sim_camera *camera,
                              const float *frames, ng_warnings *warnings, ng_error *err)
{
    const size_t n = ng_sim_layout_frames(layout) * layout->width * layout->height;
    const double least = camera->offset - 3 * camera->read_noise;
    size_t below = 0;
    for (size_t i = 0; i < n; i++) {
        below += (double)frames[i] < least;
    }
    const double share = (double)below / (double)n;
    if (share > MOST_BELOW) {
        return NG_FAIL(err, NG_INVALID,
                       "%.0f %% of the pixels lie below the camera's offset of %g counts; check "
                       "--offset, or leave it out",
                       100 * share, camera->offset);
    }
    if (share > SOME_BELOW) {
        ng_warnings_add(warnings, "below-offset",
                        "%.1f %% of the pixels lie below the camera's offset of %g counts; they "
                        "count as dark",
                        100 * share, camera->offset);
    }
    return NG_OK;
}
