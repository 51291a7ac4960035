/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Detection of disks: how well, how fast, in how much memory.
 *
 *     bench_detect [quality|pairs|speed|memory] [SEED]
 *
 * quality: synthetic frames of 512 x 512 px (disks by area coverage on a finer grid, blurred, with
 *          white noise: nothing of the fitted model), bias and spread of the radius against the
 *          Cramer-Rao bound for (x, y, r, C, b) free and the blur fixed, F1 of the detection. Tune
 *          on some seeds, report on others.
 * pairs:   two disks of 2.5 to 5 px at a stated separation: how many are found as two, how their
 *          sizes and positions come back; single disks and ellipses that are taken for two.
 * speed:   frames a second on one core, in parts, beside a Gaussian filter as floor; growth with
 *          particles and with pixels.
 * memory:  movies of 1000, 10,000 and 100,000 small frames, written and read as TIFF.
 */
#include <nucgrow.h>

#include "../src/particle/detect_internal.h"
#include "../tests/support/disk_scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SIDE 512
#define CONTRAST 40.0
#define NOISE 20.0
#define LEVEL 200.0
#define BLUR 1.0
#define GAP 4.0
#define MATCH_PX 2.0
enum { PARTICLES = 200, FIRST_SEED = 21000 };

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_detect: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the bound --------------------------------------------------------------------------- */

static double pixel_model(const double p[NG_FIT_N], double x, double y)
{
    const double s = sqrt(BLUR * BLUR + 1.0 / 12.0), rho = hypot(x - p[0], y - p[1]);
    return p[4] + p[3] * ng_disk_profile(rho / s, p[2] / s);
}

/* S.d. of the radius of an unbiased estimate from all pixels within `margin` of the edge. */
static double bound_px(double r, double margin)
{
    const double at[NG_FIT_N] = {0.3, 0.2, r, CONTRAST, 0.0};
    const int reach = (int)ceil(r + margin) + 1;
    double information[15] = {0}, covariance[15];
    for (int y = -reach; y <= reach; y++) {
        for (int x = -reach; x <= reach; x++) {
            double slope[NG_FIT_N];
            if (hypot(x - at[0], y - at[1]) > r + margin) {
                continue;
            }
            for (size_t a = 0; a < NG_FIT_N; a++) {
                double up[NG_FIT_N], down[NG_FIT_N];
                memcpy(up, at, sizeof up);
                memcpy(down, at, sizeof down);
                up[a] += 1e-4;
                down[a] -= 1e-4;
                slope[a] = (pixel_model(up, x, y) - pixel_model(down, x, y)) / 2e-4;
            }
            for (size_t a = 0, m = 0; a < NG_FIT_N; a++) {
                for (size_t b = 0; b <= a; b++) {
                    information[m++] += slope[a] * slope[b];
                }
            }
        }
    }
    return ng_disk_fit_covariance(information, covariance) ? NOISE * sqrt(covariance[5]) : -1.0;
}

/* ---- frames ------------------------------------------------------------------------------ */

typedef struct scene {
    ng_image image;
    scene_disk *disk;
    size_t n;
} scene;

static scene make_scene(size_t side, size_t particles, double r_low, double r_high, uint64_t seed)
{
    ng_error err;
    scene s;
    const double range[2] = {r_low, r_high};
    gsl_rng *rng = ng_random_open(1, seed);
    require(ng_image_create(side, side, &s.image, &err), &err);
    s.disk = NG_NEW(scene_disk, particles);
    s.n = scene_place(s.disk, particles, &s.image, range, GAP, rng);
    scene_fill(&s.image, LEVEL);
    for (size_t i = 0; i < s.n; i++) {
        scene_add_disk(&s.image, s.disk[i], BLUR, -CONTRAST);
    }
    scene_add_noise(&s.image, NOISE, rng);
    ng_random_close(rng);
    return s;
}

static void free_scene(scene *s)
{
    ng_image_free(&s->image);
    ng_free(s->disk);
}

/* ---- quality ----------------------------------------------------------------------------- */

typedef struct score {
    size_t truth, found, matched, no_fit;
    double sum, square, pull2, bound2; /* of the error of the radius, px, in s.e., in bounds */
    double radius;
    size_t n;
} score;

/* The bound is smooth in r: tabulated. */
static double quick_bound(double r)
{
    static double table[64];
    const double place = (r - 1.8) / 0.1;
    const size_t i = (size_t)place;
    for (size_t k = i; k <= i + 1; k++) {
        table[k] = table[k] > 0.0 ? table[k] : bound_px(1.8 + 0.1 * (double)k, 12.0);
    }
    return table[i] + (place - (double)i) * (table[i + 1] - table[i]);
}

static void match(const scene *s, const ng_detect_frame *f, score *t)
{
    unsigned char *taken = NG_NEW(unsigned char, f->n);
    t->truth += s->n;
    t->found += f->n;
    for (size_t i = 0; i < s->n; i++) {
        size_t best = f->n;
        double nearest = MATCH_PX;
        for (size_t k = 0; k < f->n; k++) {
            const ng_particle *p = &f->particle[k];
            const double d = hypot(p->x_nm - s->disk[i].x, p->y_nm - s->disk[i].y);
            if (!taken[k] && d < nearest) {
                nearest = d;
                best = k;
            }
        }
        if (best == f->n) {
            continue;
        }
        taken[best] = 1;
        t->matched++;
        const ng_particle *p = &f->particle[best];
        if (p->flag & NG_FLAG_NO_FIT) {
            t->no_fit++;
            continue;
        }
        const double error = p->radius_nm - s->disk[i].r;
        t->sum += error;
        t->square += error * error;
        t->pull2 += error * error / (p->radius_se_nm * p->radius_se_nm);
        t->bound2 += pow(error / quick_bound(s->disk[i].r), 2.0);
        t->radius += s->disk[i].r;
        t->n++;
    }
    ng_free(taken);
}

static void say_choices(const ng_detect_choices *c)
{
    printf(
        "chosen: smooth %.2f px, window %.0f px, height %.2f, level %.2f, blur %.3f +- %.3f px,\n"
        "        least significance %.2f, radius %.2f %.2f %.2f px, noise %.2f (corr %.3f), "
        "contrast %.1f\n",
        c->options.smooth_px, c->options.window_px, c->options.c, c->level, c->options.blur_px,
        c->blur_se_px, c->options.min_contrast, c->radius_px[0], c->radius_px[1], c->radius_px[2],
        c->noise, c->noise_correlation, c->contrast);
}

static ng_detect_choices settle(const scene *s, size_t n, double blur)
{
    ng_image frame[12];
    ng_error err;
    ng_detect_choices choices;
    ng_warnings warnings = {NULL, 0};
    ng_detect_options o = ng_detect_defaults();
    o.pixel_nm = 1.0;
    o.frame_s = 1.0;
    o.blur_px = blur;
    for (size_t i = 0; i < n && i < 12; i++) {
        frame[i] = s[i].image;
    }
    require(ng_detect_settle(frame, n, &o, &choices, &warnings, &err), &err);
    for (size_t i = 0; i < warnings.n; i++) {
        printf("warning: %s\n", warnings.item[i].text);
    }
    ng_warnings_free(&warnings);
    return choices;
}

static void quality_of(double r_low, double r_high, size_t frames, double blur, uint64_t seed)
{
    scene *s = NG_NEW(scene, frames);
    ng_error err;
    ng_detector *detector = NULL;
    score t = {0};
    for (size_t i = 0; i < frames; i++) {
        s[i] = make_scene(SIDE, PARTICLES, r_low, r_high, seed + i);
    }
    const ng_detect_choices c = settle(s, frames < 12 ? frames : 12, blur);
    say_choices(&c);
    require(ng_detector_create(&c, SIDE, SIDE, &detector, &err), &err);
    for (size_t i = 0; i < frames; i++) {
        const ng_image *const window[] = {&s[i].image};
        ng_detect_frame f;
        require(ng_detector_measure(detector, window, 1, 0, &f, &err), &err);
        match(&s[i], &f, &t);
        free_scene(&s[i]);
    }
    const double n = (double)t.n, mean = t.sum / n, sd = sqrt(t.square / n - mean * mean);
    const double precision = (double)t.matched / (double)t.found;
    const double recall = (double)t.matched / (double)t.truth;
    const double r = t.radius / n;
    printf("r %.2f-%.2f px: bias %+.2f +- %.2f %%, sd %.3f px, error %.2f bounds, pull %.2f, "
           "precision %.4f recall %.4f F1 %.4f, no fit %zu of %zu\n",
           r_low, r_high, 100.0 * mean / r, 100.0 * sd / sqrt(n) / r, sd, sqrt(t.bound2 / n),
           sqrt(t.pull2 / n), precision, recall, 2.0 * precision * recall / (precision + recall),
           t.no_fit, t.matched);
    ng_detector_destroy(detector);
    ng_free(s);
}

static void quality(uint64_t seed)
{
    printf("bounds with background from 5 px / 12 px beyond the edge: ");
    for (size_t i = 0; i < 4; i++) {
        const double r[4] = {2.0, 3.0, 3.3, 5.0};
        printf(" r %.1f: %.3f / %.3f px;", r[i], bound_px(r[i], 5.0), bound_px(r[i], 12.0));
    }
    printf("\n");
    quality_of(2.0, 5.0, 48, (double)NAN, seed);
    quality_of(2.0, 2.0, 12, BLUR, seed);
    quality_of(3.0, 3.0, 12, BLUR, seed);
    quality_of(3.3, 3.3, 12, BLUR, seed);
    quality_of(5.0, 5.0, 12, BLUR, seed);
}

/* ---- pairs ------------------------------------------------------------------------------- */

typedef struct pair_score {
    size_t cells, ones, twos, more, flagged, n;
    double sum, pull_r2, pull_x2, error2;
} pair_score;

static scene make_pairs(const scene_pair_kind *kind, uint64_t seed)
{
    ng_error err;
    scene s = {.n = 0};
    gsl_rng *rng = ng_random_open(2, seed);
    require(ng_image_create(SIDE, SIDE, &s.image, &err), &err);
    s.disk = NG_NEW(scene_disk, scene_pairs_room(&s.image));
    scene_fill(&s.image, LEVEL);
    s.n = scene_pairs(&s.image, s.disk, kind, BLUR, rng);
    ng_random_close(rng);
    return s;
}

static const ng_particle *nearest(const ng_detect_frame *f, const scene_disk *d)
{
    const ng_particle *best = NULL;
    for (size_t k = 0; k < f->n; k++) {
        const ng_particle *p = &f->particle[k];
        if (best == NULL ||
            hypot(p->x_nm - d->x, p->y_nm - d->y) < hypot(best->x_nm - d->x, best->y_nm - d->y)) {
            best = p;
        }
    }
    return best;
}

static void add_pair_error(const ng_particle *p, const scene_disk *d, pair_score *t)
{
    const double error = p->radius_nm - d->r;
    t->n++;
    t->sum += error / d->r;
    t->error2 += error * error;
    t->pull_r2 += pow(error / p->radius_se_nm, 2.0);
    t->pull_x2 += pow((p->x_nm - d->x) / p->x_se_nm, 2.0);
}

static void score_pairs(const scene *s, const ng_detect_frame *f, size_t per_cell, pair_score *t)
{
    for (size_t i = 0; i < s->n; i += per_cell) {
        const scene_disk *a = &s->disk[i], *b = a + per_cell - 1;
        const double x = 0.5 * (a->x + b->x), y = 0.5 * (a->y + b->y);
        size_t here = 0;
        for (size_t k = 0; k < f->n; k++) {
            here += hypot(f->particle[k].x_nm - x, f->particle[k].y_nm - y) < 16.0;
        }
        t->cells++;
        t->ones += here == 1;
        t->twos += here == 2;
        t->more += here > 2;
        const ng_particle *p = nearest(f, a), *q = nearest(f, b);
        if (here == per_cell && (per_cell == 1 || p != q) && isfinite(p->radius_se_nm) &&
            isfinite(q->radius_se_nm)) {
            t->flagged += (p->flag & NG_FLAG_JOINT) != 0;
            add_pair_error(p, a, t);
            if (per_cell == 2) {
                add_pair_error(q, b, t);
            }
        }
    }
}

static void pairs_of(const scene_pair_kind *kind, size_t frames, uint64_t seed)
{
    ng_error err;
    pair_score t = {0};
    scene *s = NG_NEW(scene, frames);
    ng_detector *detector = NULL;
    for (size_t i = 0; i < frames; i++) {
        s[i] = make_pairs(kind, seed + i);
    }
    const ng_detect_choices c = settle(s, frames, BLUR);
    require(ng_detector_create(&c, SIDE, SIDE, &detector, &err), &err);
    for (size_t i = 0; i < frames; i++) {
        const ng_image *const window[] = {&s[i].image};
        ng_detect_frame f;
        require(ng_detector_measure(detector, window, 1, 0, &f, &err), &err);
        score_pairs(&s[i], &f, kind->apart > 0.0 ? 2 : 1, &t);
        free_scene(&s[i]);
    }
    const double cells = (double)t.cells / 100.0, n = (double)t.n;
    printf(
        "contrast/noise %.0f, apart %.1f, axes from %.1f: found as one %.1f %%, two %.1f %%, more "
        "%.1f %%; radius bias %+.1f %%, error %.3f px, pulls r %.2f x %.2f, joint %.0f %%\n",
        CONTRAST / kind->noise, kind->apart, kind->least_ratio, (double)t.ones / cells,
        (double)t.twos / cells, (double)t.more / cells, 100.0 * t.sum / n, sqrt(t.error2 / n),
        sqrt(t.pull_r2 / n), sqrt(t.pull_x2 / n), (double)t.flagged / cells);
    ng_detector_destroy(detector);
    ng_free(s);
}

static void pairs(uint64_t seed)
{
    static const double apart[] = {0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0};
    static const double noise[] = {NOISE, CONTRAST / 5.0, CONTRAST / 16.0};
    static const double ratio[] = {1.0, 0.9, 0.8, 0.7};
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
            pairs_of(&(scene_pair_kind){apart[i], 1.0, CONTRAST, noise[k]}, 6, seed);
        }
        for (size_t i = 0; i < sizeof ratio / sizeof ratio[0]; i++) {
            pairs_of(&(scene_pair_kind){0.0, ratio[i], CONTRAST, noise[k]}, 12, seed);
        }
    }
}

/* ---- speed ------------------------------------------------------------------------------- */

static double time_frames(const ng_detect_choices *c, const scene *s, size_t repeats)
{
    ng_error err;
    ng_detector *detector = NULL;
    const ng_image *const window[] = {&s->image};
    ng_detect_frame f;
    require(ng_detector_create(c, s->image.width, s->image.height, &detector, &err), &err);
    double best = INFINITY;
    for (size_t i = 0; i < repeats; i++) {
        const double start = cpu_s();
        require(ng_detector_measure(detector, window, 1, 0, &f, &err), &err);
        best = fmin(best, cpu_s() - start);
    }
    ng_detector_destroy(detector);
    return best;
}

static double time_gaussian(const scene *s, double sigma, size_t repeats)
{
    ng_error err;
    ng_image scratch, out;
    require(ng_image_create(s->image.width, s->image.height, &scratch, &err), &err);
    require(ng_image_create(s->image.width, s->image.height, &out, &err), &err);
    double best = INFINITY;
    for (size_t i = 0; i < repeats; i++) {
        const double start = cpu_s();
        ng_image_gaussian(&s->image, sigma, &scratch, &out);
        best = fmin(best, cpu_s() - start);
    }
    ng_image_free(&scratch);
    ng_image_free(&out);
    return best;
}

static void speed_of(size_t side, size_t particles)
{
    scene s = make_scene(side, particles, 2.0, 5.0, 7);
    ng_detect_choices c = settle(&s, 1, BLUR);
    const double whole = time_frames(&c, &s, 30), floor_s = time_gaussian(&s, 1.5, 30);
    c.options.fit = false;
    const double mask = time_frames(&c, &s, 30);
    printf("%4zu x %-4zu px %6zu particles: %8.2f ms = %6.1f frames/s; without fits %7.2f ms, fits "
           "%6.1f us each; %5.1f Gaussian filters\n",
           side, side, s.n, 1e3 * whole, 1.0 / whole, 1e3 * mask,
           1e6 * (whole - mask) / (double)s.n, whole / floor_s);
    free_scene(&s);
}

static void speed(void)
{
    speed_of(512, 50);
    speed_of(512, 200);
    speed_of(512, 800);
    speed_of(256, 50);
    speed_of(1024, 800);
}

/* ---- memory ------------------------------------------------------------------------------ */

enum { MOVIE_SIDE = 32, MOVIE_DISKS = 2 };

static void write_movie(const char *path, size_t frames)
{
    ng_error err;
    ng_stack *stack = NULL;
    const ng_stack_format format = {.width = MOVIE_SIDE,
                                    .height = MOVIE_SIDE,
                                    .frames = frames,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = 1.0,
                                    .frame_s = 1.0};
    scene s[8];
    for (size_t i = 0; i < 8; i++) {
        s[i] = make_scene(MOVIE_SIDE, MOVIE_DISKS, 2.5, 4.0, 900 + i);
    }
    require(ng_stack_create(path, &format, true, &stack, &err), &err);
    for (size_t k = 0; k < frames; k++) {
        require(ng_stack_write(stack, s[k % 8].image.pixel, &err), &err);
    }
    require(ng_stack_commit(stack, &err), &err);
    for (size_t i = 0; i < 8; i++) {
        free_scene(&s[i]);
    }
}

static ng_status count_frame(void *context, const ng_detect_frame *frame, ng_error *err)
{
    (void)err;
    *(size_t *)context += frame->n;
    return NG_OK;
}

static void memory_of(size_t frames)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    ng_error err;
    ng_movie *movie = NULL;
    ng_detect_choices choices;
    ng_detect_summary summary;
    ng_detect_options o = ng_detect_defaults();
    const ng_movie_read_options how = ng_movie_read_defaults();
    const ng_run run = ng_run_defaults();
    struct rusage usage;
    size_t found = 0;
    snprintf(path, sizeof path, "%s/bench_detect.tif", folder != NULL ? folder : "/tmp");
    write_movie(path, frames);
    o.blur_px = BLUR;
    require(ng_movie_open(path, &how, &movie, NULL, &err), &err);
    const double start = cpu_s();
    require(ng_detect_choose(movie, &o, &choices, NULL, &err), &err);
    require(ng_detect_movie(movie, &choices, count_frame, &found, &run, &summary, NULL, &err),
            &err);
    const double spent = cpu_s() - start;
    ng_movie_close(movie);
    remove(path);
    getrusage(RUSAGE_SELF, &usage);
    printf("%7zu frames of %d x %d px: %.1f s, %.0f frames/s, %zu particles, peak %.1f MB\n",
           frames, MOVIE_SIDE, MOVIE_SIDE, spent, (double)frames / spent, found,
           (double)usage.ru_maxrss / 1024.0);
}

static void memory(void)
{
    memory_of(1000);
    memory_of(10000);
    memory_of(100000);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "all";
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : FIRST_SEED;
    const bool all = strcmp(what, "all") == 0;
    if (all || strcmp(what, "quality") == 0) {
        quality(seed);
    }
    if (all || strcmp(what, "pairs") == 0) {
        pairs(seed);
    }
    if (all || strcmp(what, "speed") == 0) {
        speed();
    }
    if (all || strcmp(what, "memory") == 0) {
        memory();
    }
    return EXIT_SUCCESS;
}
