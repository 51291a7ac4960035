/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What reconstruction by structured illumination is worth, and what it costs.
 *
 *     bench_sim quality [SEEDS] [MODE]   errors of the stripes over their standard errors, light of
 *                                        isolated points, likeness and sharpness
 *     bench_sim robustness               found, or refused with what reason, over a grid
 *     bench_sim bound [SEEDS]            least standard errors that the frames allow if the object
 *                                        were known (Cramer-Rao), so that none can reach them
 *     bench_sim speed [LAST [FIRST]]     time over that of the transforms alone, 128^2 to 2048^2
 *     bench_sim points                   points fitted in raw frames: time by their number, over a
 *                                        joint reconstruction of the same set
 *     bench_sim memory [SETS]            resident memory along a movie of so many sets (1000)
 *
 * Scene: 512 x 512 pixels of 65 nm, NA 1.45, 520 nm, m = 0.8, offset 100, background 20,
 * Poisson and 1.6 e of read noise; 700 points of 400 e times lognormal(0, 0.5), 40 threads of
 * 12 e each half pixel. Light of a point: sum within 5 fine pixels less the median of the ring
 * from 6 to 10; points with no other source within 8 camera pixels; bright ones have 400 counts
 * or more.
 */
#include <fftw3.h>
#include <gsl/gsl_linalg.h>
#include <nucgrow/movie.h>
#include <nucgrow/sim.h>
#include <nucgrow/sim_points.h>
#include <nucgrow/synth_sim.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define PI 3.14159265358979323846
#define MARGIN 14
#define APART 8.0
#define INNER 5.0
#define OUTER 10.0

/* Of the processor: what else runs on the machine does not count. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_sim: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static void *memory(size_t n, size_t size)
{
    void *p = ng_alloc(n, size);
    if (p == NULL) {
        exit(EXIT_FAILURE);
    }
    return p;
}

/* One suffices where the processor's time is what is told. */
static ng_run one_thread(void)
{
    ng_run run = ng_run_defaults();
    run.threads = 1;
    return run;
}

static ng_synth_sim_options scene_of(long side)
{
    ng_synth_sim_options o = ng_synth_sim_defaults();
    const double share = (double)side * (double)side / (512.0 * 512.0);
    o.emitters = lround((double)o.emitters * share);
    o.filaments = lround((double)o.filaments * share);
    o.width = o.height = side;
    return o;
}

static float *take_frames(const ng_synth_sim_options *o, uint64_t seed, ng_synth_sim *scene)
{
    ng_error err = {0};
    const ng_run run = one_thread();
    require(ng_synth_sim_create(o, seed, scene, &err), &err);
    const ng_sim_layout *layout = &scene->pattern.layout;
    float *frames =
        memory(ng_sim_layout_frames(layout) * layout->width * layout->height, sizeof *frames);
    require(ng_synth_sim_frames(scene, 0, true, &run, frames, &err), &err);
    return frames;
}

/* How often the cutoff was doubted, in all. */
static long doubts;

static void count_doubts(ng_warnings *warnings)
{
    for (size_t i = 0; i < warnings->n; i++) {
        doubts += strcmp(warnings->item[i].name, "cutoff") == 0;
    }
    ng_warnings_free(warnings);
}

static ng_sim_pattern find(const ng_synth_sim *scene, const ng_sim_layout *layout,
                           const float *frames, int threads)
{
    ng_warnings warnings = {0};
    ng_error err = {0};
    ng_run run = one_thread();
    run.threads = threads;
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    ng_sim_camera camera = {.offset = NAN, .gain = NAN, .read_noise = NAN};
    ng_sim_pattern pattern;
    require(ng_sim_camera_estimate(layout, &scene->pattern.optics, frames, &camera, NULL, &err),
            &err);
    require(ng_sim_pattern_estimate(layout, &scene->pattern.optics, &camera, frames, &options, &run,
                                    &pattern, &warnings, &err),
            &err);
    count_doubts(&warnings);
    return pattern;
}

static float *reconstruct(const ng_sim_pattern *pattern, ng_sim_mode mode, const float *frames,
                          ng_sim_run_info *info, double *seconds)
{
    ng_error err = {0};
    const ng_run run = one_thread();
    ng_sim_reconstruct_options options = ng_sim_reconstruct_defaults();
    ng_sim_reconstructor *r = NULL;
    size_t width = 0, height = 0;
    options.mode = mode;
    require(ng_sim_reconstructor_create(pattern, &options, 1, &r, &err), &err);
    ng_sim_reconstructor_size(r, &width, &height);
    float *image = memory(width * height, sizeof *image);
    *seconds = HUGE_VAL;
    for (int repeat = 0; repeat < 2; repeat++) {
        const double start = now_s();
        require(ng_sim_reconstruct(r, frames, &run, image, info, &err), &err);
        *seconds = fmin(*seconds, now_s() - start);
    }
    ng_sim_reconstructor_destroy(r);
    return image;
}

/* ---- the stripes -------------------------------------------------------------------------- */

typedef struct stripes {
    double k, k2, centre2, phase, phase2, m, m2; /* largest errors; sums of squares over se */
    double k_sum2, centre_sum2, centre_max;
    long n;
} stripes;

static void add_stripes(stripes *t, const ng_sim_pattern *found, const ng_sim_pattern *truth)
{
    const double w = (double)truth->layout.width, h = (double)truth->layout.height;
    for (size_t d = 0; d < truth->layout.directions; d++) {
        const ng_sim_direction *a = &found->direction[d], *b = &truth->direction[d];
        const double sign = a->kx * b->kx + a->ky * b->ky > 0 ? 1 : -1;
        const double x = sign * a->kx - b->kx, y = sign * a->ky - b->ky, m = a->modulation;
        const double phase = remainder(sign * a->phase[0] - b->phase[0], 2 * PI);
        const double centre = remainder(phase + PI * (x * (w - 1) + y * (h - 1)), 2 * PI);
        t->k = fmax(t->k, hypot(x * w, y * h));
        t->k_sum2 += x * x * w * w + y * y * h * h;
        t->k2 += 0.5 * (pow(x / a->kx_se, 2) + pow(y / a->ky_se, 2));
        t->phase = fmax(t->phase, fabs(phase));
        t->phase2 += pow(phase / a->phase_se[0], 2);
        t->centre_max = fmax(t->centre_max, fabs(centre));
        t->centre_sum2 += centre * centre;
        t->centre2 += pow(centre / a->phase_centre_se, 2);
        t->m = fmax(t->m, fabs(m / b->modulation - 1));
        t->m2 += pow((m - b->modulation) / a->modulation_se, 2);
        t->n++;
    }
}

static void print_stripes(const stripes *t)
{
    const double n = (double)t->n, degree = 180 / PI;
    printf("stripes (%ld directions)\n", t->n);
    printf("  k           largest %.4f bin, r.m.s. %.4f; over standard error %.2f\n", t->k,
           sqrt(t->k_sum2 / n), sqrt(t->k2 / n));
    printf("  phase       at the centre largest %.2f deg, r.m.s. %.2f; over standard error %.2f\n",
           degree * t->centre_max, degree * sqrt(t->centre_sum2 / n), sqrt(t->centre2 / n));
    printf("              at pixel (0, 0) largest %.2f deg; over standard error %.2f\n",
           degree * t->phase, sqrt(t->phase2 / n));
    printf("  modulation  largest %.2f %%; over standard error %.2f\n", 100 * t->m,
           sqrt(t->m2 / n));
}

/* ---- light of points ---------------------------------------------------------------------- */

typedef struct points {
    double n[2], sum[2], square[2]; /* bright, dim: found over true */
    double x, y, xx, xy, count;     /* logarithms */
    double width, widths;
} points;

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_alone(const ng_synth_sim *scene, size_t i)
{
    const ng_synth_sim_source *s = &scene->source[i];
    const double w = (double)scene->options.width, h = (double)scene->options.height;
    if (s->kind != NG_SYNTH_SIM_EMITTER || s->x < MARGIN || s->y < MARGIN || s->x > w - MARGIN ||
        s->y > h - MARGIN) {
        return false;
    }
    for (size_t j = 0; j < scene->n_sources; j++) {
        if (j != i && hypot(scene->source[j].x - s->x, scene->source[j].y - s->y) < APART) {
            return false;
        }
    }
    return true;
}

/* Width at half maximum from a weighted line through ln(value) over the squared distance. */
static double width_of(const float *image, size_t stride, double x, double y)
{
    double peak = 0, mx = 0, my = 0, m = 0, s[5] = {0};
    for (long j = lround(y) - 4; j <= lround(y) + 4; j++) {
        for (long i = lround(x) - 4; i <= lround(x) + 4; i++) {
            const double v = fmax((double)image[(size_t)j * stride + (size_t)i], 0);
            peak = fmax(peak, v);
            mx += v * (double)i;
            my += v * (double)j;
            m += v;
        }
    }
    for (long j = lround(y) - 5; j <= lround(y) + 5; j++) {
        for (long i = lround(x) - 5; i <= lround(x) + 5; i++) {
            const double v = (double)image[(size_t)j * stride + (size_t)i];
            if (v > 0.25 * peak) {
                const double r2 = pow((double)i - mx / m, 2) + pow((double)j - my / m, 2);
                const double weight = v * v;
                s[0] += weight;
                s[1] += weight * r2;
                s[2] += weight * r2 * r2;
                s[3] += weight * log(v);
                s[4] += weight * r2 * log(v);
            }
        }
    }
    const double slope = (s[0] * s[4] - s[1] * s[3]) / (s[0] * s[2] - s[1] * s[1]);
    return slope < 0 ? sqrt(-4 * log(2) / slope) : (double)NAN;
}

static double light_of(const float *image, size_t stride, double x, double y)
{
    double sum = 0, ring[4 * 11 * 11];
    size_t n = 0, rings = 0;
    for (long j = lround(y - OUTER); j <= lround(y + OUTER); j++) {
        for (long i = lround(x - OUTER); i <= lround(x + OUTER); i++) {
            const double r = hypot((double)i - x, (double)j - y);
            const double value = (double)image[(size_t)j * stride + (size_t)i];
            if (r <= INNER) {
                sum += value;
                n++;
            } else if (r > INNER + 1 && r <= OUTER) {
                ring[rings++] = value;
            }
        }
    }
    qsort(ring, rings, sizeof *ring, by_value);
    return sum - (double)n * ring[rings / 2];
}

static void add_points(points *t, const ng_synth_sim *scene, const float *image)
{
    const size_t stride = 2 * scene->pattern.layout.width;
    for (size_t i = 0; i < scene->n_sources; i++) {
        if (!is_alone(scene, i)) {
            continue;
        }
        const ng_synth_sim_source *s = &scene->source[i];
        const double x = 2 * s->x + 0.5, y = 2 * s->y + 0.5;
        const double light = light_of(image, stride, x, y), ratio = light / s->light;
        const int kind = s->light >= scene->options.emitter_counts ? 0 : 1;
        t->n[kind]++;
        t->sum[kind] += ratio;
        t->square[kind] += ratio * ratio;
        if (light > 0) {
            const double u = log(s->light), v = log(light);
            t->x += u;
            t->y += v;
            t->xx += u * u;
            t->xy += u * v;
            t->count++;
        }
        const double width = kind == 0 ? width_of(image, stride, x, y) : (double)NAN;
        if (isfinite(width)) {
            t->width += width * 0.5 * scene->options.pixel_nm;
            t->widths++;
        }
    }
}

static void print_points(const points *t)
{
    static const char *const name[] = {"bright", "dim"};
    printf("light of %.0f points\n", t->n[0] + t->n[1]);
    for (int i = 0; i < 2; i++) {
        const double mean = t->sum[i] / t->n[i];
        printf("  %-11s bias %+.2f %%, scatter %.2f %%\n", name[i], 100 * (mean - 1),
               100 * sqrt(t->square[i] / t->n[i] - mean * mean) / mean);
    }
    printf("  log-log     slope %.4f\n",
           (t->count * t->xy - t->x * t->y) / (t->count * t->xx - t->x * t->x));
    printf("  FWHM        %.1f nm\n", t->width / t->widths);
}

static double unlikeness(const ng_synth_sim *scene, const float *image)
{
    ng_error err = {0};
    const size_t w = 2 * scene->pattern.layout.width, h = 2 * scene->pattern.layout.height;
    float *truth = memory(w * h, sizeof *truth);
    double off = 0, all = 0;
    require(ng_synth_sim_object(scene, 0, 100, truth, &err), &err);
    for (size_t y = 16; y + 16 < h; y++) {
        for (size_t x = 16; x + 16 < w; x++) {
            off += pow((double)image[y * w + x] - (double)truth[y * w + x], 2);
            all += pow((double)truth[y * w + x], 2);
        }
    }
    ng_free(truth);
    return sqrt(off / all);
}

static void quality(long seeds, ng_sim_mode mode)
{
    stripes s = {0};
    points p = {0};
    double error = 0, passes = 0, seconds = 0, resolution = 0;
    const ng_synth_sim_options o = scene_of(512);
    for (long seed = 1; seed <= seeds; seed++) {
        ng_synth_sim scene;
        ng_sim_run_info info;
        ng_error err = {0};
        float *frames = take_frames(&o, (uint64_t)seed, &scene);
        const ng_sim_pattern found = find(&scene, &scene.pattern.layout, frames, 1);
        double one = 0;
        if (!found.trusted) {
            printf("seed %ld refused: %s\n", seed, found.reason);
        }
        add_stripes(&s, &found, &scene.pattern);
        float *image = reconstruct(&found, mode, frames, &info, &one);
        add_points(&p, &scene, image);
        error += unlikeness(&scene, image) / (double)seeds;
        passes += (double)info.passes / (double)seeds;
        seconds += one / (double)seeds;
        if (seed == 1) {
            const ng_run run = one_thread();
            const size_t n = 9 * 512 * 512;
            float *half = memory(2 * n, sizeof *half);
            ng_sim_frc frc;
            require(ng_sim_frames_split(&scene.pattern.layout, &found.camera, frames, &run, half,
                                        half + n, &err),
                    &err);
            float *a = reconstruct(&found, mode, half, &info, &one);
            float *b = reconstruct(&found, mode, half + n, &info, &one);
            require(ng_sim_frc_compute(a, b, 1024, 1024, 32.5, &frc, &err), &err);
            resolution = frc.resolution_nm;
            ng_sim_frc_free(&frc);
            ng_free(a);
            ng_free(b);
            ng_free(half);
        }
        ng_free(image);
        ng_free(frames);
        ng_synth_sim_free(&scene);
        fflush(stdout);
    }
    print_stripes(&s);
    print_points(&p);
    printf("image\n  error       %.3f (NRMSE to the object at 100 nm)\n", error);
    printf(
        "  passes      %.1f\n  FRC         %.0f nm (nan: beyond every ring; 104 nm is claimed)\n",
        passes, resolution);
    printf("  time        %.2f s of the processor an image\n", seconds);
}

/* ---- robustness --------------------------------------------------------------------------- */

static void try_case(const char *name, const ng_synth_sim_options *o, ng_sim_order order)
{
    stripes s = {0};
    double cnr = HUGE_VAL;
    long right = 0, refused = 0, wrong = 0;
    char reason[256] = "";
    for (uint64_t seed = 1; seed <= 3; seed++) {
        ng_synth_sim scene;
        float *frames = take_frames(o, seed, &scene);
        ng_sim_layout layout = scene.pattern.layout;
        layout.order = order;
        const ng_sim_pattern found = find(&scene, &layout, frames, 1);
        stripes one = {0};
        add_stripes(&one, &found, &scene.pattern);
        if (!found.trusted) {
            refused++;
            snprintf(reason, sizeof reason, "%s", found.reason);
        } else if (one.k < 0.3 && one.m < 0.25) {
            right++;
            add_stripes(&s, &found, &scene.pattern);
        } else {
            wrong++;
        }
        for (size_t d = 0; d < layout.directions; d++) {
            cnr = fmin(cnr, found.direction[d].contrast_to_noise);
        }
        ng_free(frames);
        ng_synth_sim_free(&scene);
    }
    printf("| %s | %.1f | %ld | %ld | %ld | ", name, cnr, right, refused, wrong);
    if (right > 0) {
        printf("%.3f | %.2f | %.1f |", s.k, 180 / PI * s.centre_max, 100 * s.m);
    } else {
        printf("| | |");
    }
    printf(" %s |\n", reason);
    fflush(stdout);
}

static void robustness(void)
{
    const ng_synth_sim_options plain = scene_of(256);
    ng_synth_sim_options o;
    char name[80];
    puts("| case | contrast to noise | right | refused | wrong | k (bins) | phase (deg) | m (%) | "
         "reason |\n|---|---|---|---|---|---|---|---|---|");
    for (double m = 0.9; m > 0.05; m -= m > 0.25 ? 0.175 : 0.1) {
        o = plain;
        o.modulation = m;
        snprintf(name, sizeof name, "m = %.2f", m);
        try_case(name, &o, NG_SIM_ANGLE_MAJOR);
    }
    for (double counts = 1000; counts > 60; counts *= 0.5) {
        o = plain;
        o.emitter_counts = counts;
        o.filament_counts = 0.03 * counts;
        snprintf(name, sizeof name, "points of %.0f e", counts);
        try_case(name, &o, NG_SIM_ANGLE_MAJOR);
    }
    for (long directions = 2; directions <= 5; directions++) {
        o = plain;
        o.directions = directions;
        snprintf(name, sizeof name, "%ld directions", directions);
        try_case(name, &o, NG_SIM_ANGLE_MAJOR);
    }
    for (long phases = 4; phases <= 7; phases++) {
        o = plain;
        o.phases = phases;
        snprintf(name, sizeof name, "%ld phases", phases);
        try_case(name, &o, NG_SIM_ANGLE_MAJOR);
    }
    for (double off = 5; off <= 20; off += 5) {
        o = plain;
        o.phase_error_deg = off;
        snprintf(name, sizeof name, "phases off by %.0f deg", off);
        try_case(name, &o, NG_SIM_ANGLE_MAJOR);
    }
    o = plain;
    o.bleach = 0.03;
    try_case("3 % lost from frame to frame", &o, NG_SIM_ANGLE_MAJOR);
    o = plain;
    o.full_counts = 150;
    try_case("cut at 150 counts", &o, NG_SIM_ANGLE_MAJOR);
    o = plain;
    o.phase_major = true;
    try_case("wrong order", &o, NG_SIM_ANGLE_MAJOR);
    o = plain;
    o.modulation = 0;
    try_case("no stripes", &o, NG_SIM_ANGLE_MAJOR);
    printf("cutoff doubted, wrongly: %ld times\n", doubts);
}

/* ---- the bound ----------------------------------------------------------------------------- */

/* kx, ky, phase at the centre of the field, m: of all directions, whose frames differ anyway. */
#define PARAMETERS 4

static void vary(const ng_sim_pattern *truth, int what, double by, ng_sim_pattern *out)
{
    const double cx = 0.5 * ((double)truth->layout.width - 1);
    const double cy = 0.5 * ((double)truth->layout.height - 1);
    const double turn[PARAMETERS] = {-2 * PI * by * cx, -2 * PI * by * cy, by, 0};
    *out = *truth;
    for (size_t d = 0; d < truth->layout.directions; d++) {
        ng_sim_direction *dir = &out->direction[d];
        dir->kx += what == 0 ? by : 0;
        dir->ky += what == 1 ? by : 0;
        dir->modulation += what == 3 ? by : 0;
        for (size_t p = 0; p < truth->layout.phases; p++) {
            dir->phase[p] += turn[what];
        }
    }
}

static void draw(ng_synth_sim *scene, float *frames)
{
    ng_error err = {0};
    const ng_run run = one_thread();
    require(ng_synth_sim_frames(scene, 0, false, &run, frames, &err), &err);
}

/* Standard errors of a direction's parameters from its information matrix. */
static void least_errors(float *const slope[PARAMETERS], const float *mean, size_t from, size_t n,
                         const ng_synth_sim_options *o, double se[PARAMETERS])
{
    double data[PARAMETERS * PARAMETERS] = {0}, scale[PARAMETERS];
    for (size_t i = from; i < from + n; i++) {
        const double variance = (double)mean[i] - o->offset + o->read_noise_e * o->read_noise_e;
        for (int a = 0; a < PARAMETERS; a++) {
            for (int b = 0; b < PARAMETERS; b++) {
                data[a * PARAMETERS + b] += (double)slope[a][i] * (double)slope[b][i] / variance;
            }
        }
    }
    for (int a = 0; a < PARAMETERS; a++) {
        scale[a] = 1 / sqrt(data[a * PARAMETERS + a]);
    }
    for (int i = 0; i < PARAMETERS * PARAMETERS; i++) {
        data[i] *= scale[i / PARAMETERS] * scale[i % PARAMETERS];
    }
    gsl_matrix_view m = gsl_matrix_view_array(data, PARAMETERS, PARAMETERS);
    gsl_linalg_cholesky_decomp1(&m.matrix);
    gsl_linalg_cholesky_invert(&m.matrix);
    for (int a = 0; a < PARAMETERS; a++) {
        se[a] = scale[a] * sqrt(data[a * PARAMETERS + a]);
    }
}

static void bound(long seeds)
{
    const ng_synth_sim_options o = scene_of(512);
    const double step[PARAMETERS] = {2e-6, 2e-6, 5e-3, 5e-3};
    const size_t each = 3 * 512 * 512;
    for (long seed = 1; seed <= seeds; seed++) {
        ng_synth_sim scene;
        float *mean = take_frames(&o, (uint64_t)seed, &scene), *slope[PARAMETERS];
        float *less = memory(3 * each, sizeof *less);
        const ng_sim_pattern truth = scene.pattern;
        draw(&scene, mean);
        for (int k = 0; k < PARAMETERS; k++) {
            slope[k] = memory(3 * each, sizeof *less);
            vary(&truth, k, step[k], &scene.pattern);
            draw(&scene, slope[k]);
            vary(&truth, k, -step[k], &scene.pattern);
            draw(&scene, less);
            for (size_t i = 0; i < 3 * each; i++) {
                slope[k][i] = (slope[k][i] - less[i]) / (float)(2 * step[k]);
            }
        }
        for (size_t d = 0; d < 3; d++) {
            double se[PARAMETERS];
            least_errors(slope, mean, d * each, each, &o, se);
            printf("seed %ld direction %zu: k %.4f bin (both axes), phase %.3f deg, m %.2f %%\n",
                   seed, d + 1, 512 * hypot(se[0], se[1]), 180 / PI * se[2],
                   100 * se[3] / o.modulation);
        }
        for (int k = 0; k < PARAMETERS; k++) {
            ng_free(slope[k]);
        }
        ng_free(less);
        ng_free(mean);
        ng_synth_sim_free(&scene);
    }
}

/* ---- memory -------------------------------------------------------------------------------- */

/* The same set again and again, read from a movie and written to one as `reconstruct` does. */
static void along_movie(long sets)
{
    static const char *const raw = "bench_sim_raw.tif", *const out = "bench_sim_out.tif";
    const ng_synth_sim_options o = scene_of(128);
    const size_t n = 128 * 128;
    ng_error err = {0};
    ng_synth_sim scene;
    ng_stack *stack = NULL;
    float *frames = take_frames(&o, 1, &scene);
    const ng_stack_format in = {128, 128, 9 * (size_t)sets, NG_SAMPLE_UINT16, 65, 0.1};
    require(ng_stack_create(raw, &in, true, &stack, &err), &err);
    for (size_t i = 0; i < in.frames; i++) {
        require(ng_stack_write(stack, frames + i % 9 * n, &err), &err);
    }
    require(ng_stack_commit(stack, &err), &err);
    ng_sim_reconstruct_options options = ng_sim_reconstruct_defaults();
    const ng_movie_read_options read = ng_movie_read_defaults();
    const ng_stack_format written = {256, 256, (size_t)sets, NG_SAMPLE_FLOAT32, 32.5, 0.9};
    const ng_run run = one_thread();
    ng_sim_reconstructor *r = NULL;
    ng_movie *movie = NULL;
    float *image = memory(4 * n, sizeof *image);
    options.mode = NG_SIM_WIENER;
    require(ng_sim_reconstructor_create(&scene.pattern, &options, 1, &r, &err), &err);
    require(ng_movie_open(raw, &read, &movie, NULL, &err), &err);
    require(ng_stack_create(out, &written, true, &stack, &err), &err);
    for (long set = 0; set < sets; set++) {
        ng_sim_run_info info;
        for (size_t f = 0; f < 9; f++) {
            require(ng_movie_read(movie, 9 * (size_t)set + f, frames + f * n, &err), &err);
        }
        require(ng_sim_reconstruct(r, frames, &run, image, &info, &err), &err);
        require(ng_stack_write(stack, image, &err), &err);
        if (set == 9 || set == 99 || set + 1 == sets) {
            struct rusage used;
            getrusage(RUSAGE_SELF, &used);
            printf("%6ld sets  %.1f MB at most\n", set + 1, (double)used.ru_maxrss / 1024);
        }
    }
    require(ng_stack_commit(stack, &err), &err);
    ng_movie_close(movie);
    ng_sim_reconstructor_destroy(r);
    ng_free(image);
    ng_free(frames);
    ng_synth_sim_free(&scene);
    remove(raw);
    remove(out);
}

/* ---- speed -------------------------------------------------------------------------------- */

/* Most repeats of one measurement; the median counts. */
#define REPEATS 7

/* Real transforms of side x side, there and back. */
typedef struct transforms {
    float *a;
    fftwf_complex *b;
    fftwf_plan there, back;
} transforms;

static transforms transforms_open(size_t side)
{
    const int n = (int)side;
    transforms t = {.a = fftwf_malloc(side * side * sizeof *t.a),
                    .b = fftwf_malloc(side * (side / 2 + 1) * sizeof *t.b)};
    t.there = fftwf_plan_dft_r2c_2d(n, n, t.a, t.b, FFTW_ESTIMATE);
    t.back = fftwf_plan_dft_c2r_2d(n, n, t.b, t.a, FFTW_ESTIMATE);
    memset(t.a, 0, side * side * sizeof *t.a);
    return t;
}

static void transforms_close(transforms *t)
{
    fftwf_destroy_plan(t->there);
    fftwf_destroy_plan(t->back);
    fftwf_free(t->a);
    fftwf_free(t->b);
}

/* Seconds of `n` of them, of which a quarter of a second is measured. */
static double transforms_s(const transforms *t, double n)
{
    const double start = now_s();
    double made = 0, seconds = 0;
    while (made < n && seconds < 0.25) {
        fftwf_execute(t->there);
        fftwf_execute(t->back);
        made += 2;
        seconds = now_s() - start;
    }
    return seconds * n / made;
}

/* How many transforms of the fine and the camera's grid a mode makes. */
static void count_transforms(ng_sim_mode mode, double passes, double *fine, double *coarse)
{
    if (mode == NG_SIM_JOINT) { /* three images there and three back, each direction */
        *fine = 18 * passes;
        *coarse = 18 * passes;
    } else if (mode == NG_SIM_TWO_STEP) {
        *fine = 9 + 4 * passes;
        *coarse = 9;
    } else {
        *fine = 9 + 2;
        *coarse = 9;
    }
}

/* Seconds of a reconstruction and of its transforms in turns: what else goes on meets both. */
static void time_mode(const ng_synth_sim *scene, const float *frames, ng_sim_mode mode,
                      const transforms grid[2], long repeats)
{
    static const char *const name[] = {"joint", "two-step", "wiener"};
    const size_t side = scene->pattern.layout.width;
    double time[REPEATS], ratio[REPEATS];
    ng_sim_reconstruct_options options = ng_sim_reconstruct_defaults();
    const ng_run run = one_thread();
    ng_sim_reconstructor *r = NULL;
    ng_sim_run_info info;
    ng_error err = {0};
    options.mode = mode;
    require(ng_sim_reconstructor_create(&scene->pattern, &options, 1, &r, &err), &err);
    float *image = memory(4 * side * side, sizeof *image);
    for (long i = repeats > 1 ? -1 : 0; i < repeats; i++) { /* the first only warms up */
        double fine = 0, coarse = 0;
        const double start = now_s();
        require(ng_sim_reconstruct(r, frames, &run, image, &info, &err), &err);
        const double seconds = now_s() - start;
        count_transforms(mode, (double)info.passes, &fine, &coarse);
        const double least = transforms_s(&grid[0], fine) + transforms_s(&grid[1], coarse);
        if (i >= 0) {
            time[i] = seconds;
            ratio[i] = seconds / least;
        }
    }
    qsort(time, (size_t)repeats, sizeof *time, by_value);
    qsort(ratio, (size_t)repeats, sizeof *ratio, by_value);
    const double seconds = time[repeats / 2];
    printf("%-5zu %-9s %6ld  %8.4f  %.2f (%.2f to %.2f)  %.0f\n", side, name[mode], info.passes,
           seconds, ratio[repeats / 2], ratio[0], ratio[repeats - 1],
           1e9 * seconds / ((double)side * (double)side));
    fflush(stdout);
    ng_free(image);
    ng_sim_reconstructor_destroy(r);
}

/* One thread by the processor's clock, two by that on the wall. */
static void time_pattern(const ng_synth_sim *scene, const float *frames)
{
    struct timespec wall[2];
    const double start = now_s();
    find(scene, &scene->pattern.layout, frames, 1);
    const double one = now_s() - start;
    clock_gettime(CLOCK_MONOTONIC, &wall[0]);
    find(scene, &scene->pattern.layout, frames, 2);
    clock_gettime(CLOCK_MONOTONIC, &wall[1]);
    printf("%-5zu stripes           %.3f; two threads, by the clock, %.3f\n",
           scene->pattern.layout.width, one,
           (double)(wall[1].tv_sec - wall[0].tv_sec) +
               1e-9 * (double)(wall[1].tv_nsec - wall[0].tv_nsec));
}

static void speed(long first, long last)
{
    puts(
        "side  mode      passes  time s  over transforms (median, range)  ns a pixel (one thread)");
    for (long side = first; side <= last; side *= 2) {
        const ng_synth_sim_options o = scene_of(side);
        ng_synth_sim scene;
        float *frames = take_frames(&o, 1, &scene);
        /* The field with its margin, as the reconstruction pads it. */
        const size_t padded = side == 128 ? 144 : (size_t)(side + side / 8);
        transforms grid[2] = {transforms_open(2 * padded), transforms_open(padded)};
        for (int mode = 0; mode < 3; mode++) {
            time_mode(&scene, frames, (ng_sim_mode)mode, grid, side > 512 ? 1 : REPEATS);
        }
        time_pattern(&scene, frames);
        transforms_close(&grid[0]);
        transforms_close(&grid[1]);
        ng_free(frames);
        ng_synth_sim_free(&scene);
    }
}

/* As many points on 154 x 154 pixels, 10 x 10 um; and four times the field at the same density. */
static void points_speed(void)
{
    static const struct {
        long side, points;
    } scene_size[] = {{154, 50}, {154, 100}, {154, 200}, {154, 400}, {154, 700}, {308, 2800}};
    puts("side  points  found  ms a set  us a point  over a joint reconstruction (one thread)");
    for (size_t k = 0; k < sizeof scene_size / sizeof scene_size[0]; k++) {
        ng_synth_sim_options o = scene_of(scene_size[k].side);
        o.emitters = scene_size[k].points;
        o.filaments = 0;
        ng_synth_sim scene;
        ng_error err = {0};
        ng_sim_run_info info;
        ng_sim_points *p = NULL;
        const ng_sim_point *found = NULL;
        size_t n = 0;
        double joint = 0, best = INFINITY, ratio = INFINITY;
        float *frames = take_frames(&o, 1, &scene);
        require(ng_sim_points_create(&scene.pattern, o.gain * o.background, &p, &err), &err);
        for (int i = 0; i < REPEATS; i++) {
            ng_free(reconstruct(&scene.pattern, NG_SIM_JOINT, frames, &info, &joint));
            const double start = now_s();
            require(ng_sim_points_find(p, frames, 4.5, &found, &n, &err), &err);
            const double seconds = now_s() - start;
            best = fmin(best, seconds);
            ratio = fmin(ratio, seconds / joint);
        }
        printf("%-5ld %6ld %6zu %9.1f %11.0f  %.2f\n", scene_size[k].side, o.emitters, n,
               1e3 * best, 1e6 * best / (double)n, ratio);
        fflush(stdout);
        ng_sim_points_destroy(p);
        ng_free(frames);
        ng_synth_sim_free(&scene);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "quality";
    if (strcmp(what, "quality") == 0) {
        const long seeds = argc > 2 ? strtol(argv[2], NULL, 10) : 10;
        const long mode = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
        quality(seeds > 0 ? seeds : 10, (ng_sim_mode)mode);
    } else if (strcmp(what, "robustness") == 0) {
        robustness();
    } else if (strcmp(what, "bound") == 0) {
        bound(argc > 2 ? strtol(argv[2], NULL, 10) : 1);
    } else if (strcmp(what, "points") == 0) {
        points_speed();
    } else if (strcmp(what, "memory") == 0) {
        along_movie(argc > 2 ? strtol(argv[2], NULL, 10) : 1000);
    } else if (strcmp(what, "speed") == 0) {
        speed(argc > 3 ? strtol(argv[3], NULL, 10) : 128,
              argc > 2 ? strtol(argv[2], NULL, 10) : 2048);
    } else {
        fprintf(stderr, "usage: bench_sim quality [SEEDS] [MODE] | robustness | bound [SEEDS] | "
                        "speed [LAST [FIRST]] | points | memory [SETS]\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
