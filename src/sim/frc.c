/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fourier ring correlation, and two independent sets of frames from one. */
#include "sim_internal.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define THRESHOLD (1.0 / 7)
/* Rings at the lowest frequencies tell of the field's outline only. */
#define FIRST_RING 3
/* The images fade out over this share of each side. */
#define FADE 0.08

static double fade(size_t i, size_t n)
{
    const double inside = fmin((double)i + 0.5, (double)n - 0.5 - (double)i) / (FADE * (double)n);
    return inside < 1 ? pow(sin(0.5 * NG_SIM_PI * inside), 2) : 1;
}

/* Both images as real and imaginary part, their means taken off. */
static void place(const float *a, const float *b, size_t width, size_t height, ng_cf *out)
{
    double mean[2] = {0, 0};
    const size_t n = width * height;
    for (size_t i = 0; i < n; i++) {
        mean[0] += (double)a[i] / (double)n;
        mean[1] += (double)b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        const double f = fade(i % width, width) * fade(i / width, height);
        out[i] =
            (ng_cf){(float)(f * ((double)a[i] - mean[0])), (float)(f * ((double)b[i] - mean[1]))};
    }
}

static void sum_rings(const ng_cf *z, size_t width, size_t height, double *sum[3], size_t rings)
{
    const double side = (double)(width > height ? width : height);
    for (size_t i = 0; i < width * height; i++) {
        const size_t x = i % width, y = i / width;
        const double k = side * hypot(ng_sim_bin(x, width), ng_sim_bin(y, height));
        if (k >= (double)rings) {
            continue;
        }
        const ng_cf here = z[i], there = z[(height - y) % height * width + (width - x) % width];
        const double ar = 0.5 * ((double)here.re + (double)there.re);
        const double ai = 0.5 * ((double)here.im - (double)there.im);
        const double br = 0.5 * ((double)here.im + (double)there.im);
        const double bi = 0.5 * ((double)there.re - (double)here.re);
        sum[0][(size_t)k] += ar * br + ai * bi;
        sum[1][(size_t)k] += ar * ar + ai * ai;
        sum[2][(size_t)k] += br * br + bi * bi;
    }
}

/* First fall below the threshold that three rings in a row confirm. */
static double resolution_of(const ng_sim_frc *frc)
{
    for (size_t i = FIRST_RING; i + 2 < frc->n; i++) {
        const double mean =
            (frc->correlation[i] + frc->correlation[i + 1] + frc->correlation[i + 2]) / 3;
        if (mean < THRESHOLD) {
            return i > FIRST_RING ? 1e3 / frc->per_um[i + 1] : (double)NAN;
        }
    }
    return NAN;
}

ng_status ng_sim_frc_compute(const float *a, const float *b, size_t width, size_t height,
                             double pixel_nm, ng_sim_frc *out, ng_error *err)
{
    const size_t side = width > height ? width : height, rings = side / 2;
    *out = (ng_sim_frc){.per_um = NG_NEW(double, rings), .correlation = NG_NEW(double, rings)};
    double *sums = NG_NEW(double, 3 * rings);
    ng_sim_plane plane = {0};
    ng_status status = ng_sim_plane_create(width, height, &plane, err);
    ng_cf *z = status == NG_OK ? ng_sim_plane_new(&plane) : NULL;
    if (status == NG_OK &&
        (out->per_um == NULL || out->correlation == NULL || sums == NULL || z == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for a ring correlation");
    }
    if (status == NG_OK) {
        double *sum[3] = {sums, sums + rings, sums + 2 * rings};
        place(a, b, width, height, z);
        ng_sim_plane_forward(&plane, z);
        sum_rings(z, width, height, sum, rings);
        for (size_t i = 0; i < rings; i++) {
            const double power = sqrt(sum[1][i] * sum[2][i]);
            out->per_um[i] = 1e3 * ((double)i + 0.5) / ((double)side * pixel_nm);
            out->correlation[i] = power > 0 ? sum[0][i] / power : 0;
        }
        out->n = rings;
        out->resolution_nm = resolution_of(out);
    } else {
        ng_sim_frc_free(out);
    }
    ng_sim_plane_free(&plane);
    ng_sim_aligned_free(z);
    ng_free(sums);
    return status;
}

void ng_sim_frc_free(ng_sim_frc *frc)
{
    ng_free(frc->per_um);
    ng_free(frc->correlation);
    *frc = (ng_sim_frc){0};
}

/* ---- two sets from one ---- */

typedef struct splitting {
    const ng_sim_layout *layout;
    const ng_sim_camera *camera;
    const float *frames;
    uint64_t seed;
    float *a, *b;
} splitting;

static ng_status split_frame(void *context, size_t f, int worker, ng_error *err)
{
    (void)worker;
    const splitting *s = context;
    const size_t n = s->layout->width * s->layout->height;
    gsl_rng *rng = ng_random_open(s->seed, f);
    if (rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for random numbers");
    }
    for (size_t i = f * n; i < (f + 1) * n; i++) {
        const double light = ((double)s->frames[i] - s->camera->offset) / s->camera->gain;
        const double whole = fmin(fmax(round(light), 0), 1e9);
        const double first = (double)gsl_ran_binomial(rng, 0.5, (unsigned)whole);
        const double rest = 0.5 * (light - whole);
        s->a[i] = (float)(s->camera->offset + s->camera->gain * (first + rest));
        s->b[i] = (float)(s->camera->offset + s->camera->gain * (whole - first + rest));
    }
    ng_random_close(rng);
    return NG_OK;
}

ng_status ng_sim_frames_split(const ng_sim_layout *layout, const ng_sim_camera *camera,
                              const float *frames, const ng_run *run, float *a, float *b,
                              ng_error *err)
{
    splitting s = {layout, camera, frames, run != NULL ? run->seed : 1, a, b};
    return ng_sim_loop(ng_sim_layout_frames(layout), split_frame, &s, run, err);
}
