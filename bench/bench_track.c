/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What linking costs, and how well it links.
 *
 *     bench_track           speed and growth
 *     bench_track isbi      scores on Brownian particles with gaps and false alarms
 *     bench_track merges    merges, occlusions and ends of growing disks, over 60 scenes; a seed
 *                           may follow, that of the first scene. False merges by passes: of all,
 *                           and of those that the movie shows to part, with their share
 *
 * Speed: the whole of ng_track_link (drift, gate, links, gaps, merges) on Brownian particles,
 * beside the floor of one pass in which every particle finds its nearest neighbour of the next
 * frame by the same grid. Times are of the processor, one thread, best of three, in one run.
 */
#include "isbi_measures.h"
#include "track_scene.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REPEATS 3
#define SCENES 60
#define FIRST_SEED 12001 /* no constant was chosen on scenes from 5000 on */

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void require(bool good, const ng_error *err)
{
    if (!good) {
        fprintf(stderr, "bench_track: %s\n", err != NULL ? err->message : "out of memory");
        exit(EXIT_FAILURE);
    }
}

/* ---- Brownian particles ---------------------------------------------------------------- */

typedef struct brownian {
    size_t n, frames;
    double field, step, deaths, miss, false_share, noise;
    bool sizes;
} brownian;

typedef struct movie {
    ng_particles seen, truth; /* in the order of frames; the truth has tracks */
} movie;

static ng_particle point_at(long track, size_t frame, double x, double y)
{
    ng_particle p = ng_particle_unknown();
    p.track = track;
    p.frame = (long)frame;
    p.time_s = (double)frame;
    p.x_nm = p.x_raw_nm = x;
    p.y_nm = p.y_raw_nm = y;
    return p;
}

static double inside(double at, double field)
{
    return at < 0.0 ? -at : at > field ? 2.0 * field - at : at;
}

/* Those that die are born elsewhere at once, so that the density stays. */
static movie make_movie(const brownian *b, uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 0);
    double *x = NG_NEW(double, b->n), *y = NG_NEW(double, b->n), *r = NG_NEW(double, b->n);
    long *track = NG_NEW(long, b->n), next = 1;
    size_t most = b->frames * (2 * b->n + 64);
    movie m = {{.item = NG_NEW(ng_particle, most)}, {.item = NG_NEW(ng_particle, most)}};
    require(rng != NULL && x != NULL && y != NULL && r != NULL && track != NULL &&
                m.seen.item != NULL && m.truth.item != NULL,
            NULL);
    for (size_t f = 0; f < b->frames; f++) {
        for (size_t i = 0; i < b->n; i++) {
            if (f == 0 || gsl_rng_uniform(rng) < b->deaths) {
                x[i] = b->field * gsl_rng_uniform(rng);
                y[i] = b->field * gsl_rng_uniform(rng);
                r[i] = 1.0 + gsl_rng_uniform(rng);
                track[i] = next++;
            } else {
                x[i] = inside(x[i] + gsl_ran_gaussian(rng, b->step), b->field);
                y[i] = inside(y[i] + gsl_ran_gaussian(rng, b->step), b->field);
            }
            m.truth.item[m.truth.n++] = point_at(track[i], f, x[i], y[i]);
            if (gsl_rng_uniform(rng) >= b->miss) {
                ng_particle p = point_at(-1, f, x[i] + gsl_ran_gaussian(rng, b->noise),
                                         y[i] + gsl_ran_gaussian(rng, b->noise));
                p.radius_nm = b->sizes ? r[i] * exp(gsl_ran_gaussian(rng, 0.05)) : (double)NAN;
                m.seen.item[m.seen.n++] = p;
            }
        }
        for (unsigned n = gsl_ran_poisson(rng, b->false_share * (double)b->n); n > 0; n--) {
            m.seen.item[m.seen.n++] =
                point_at(-1, f, b->field * gsl_rng_uniform(rng), b->field * gsl_rng_uniform(rng));
        }
    }
    ng_random_close(rng);
    ng_free(x);
    ng_free(y);
    ng_free(r);
    ng_free(track);
    return m;
}

static void movie_free(movie *m)
{
    ng_particles_free(&m->seen);
    ng_particles_free(&m->truth);
}

/* ---- speed ----------------------------------------------------------------------------- */

static double time_floor(const brownian *b, const ng_particles *p, double radius)
{
    double *x = NG_NEW(double, p->n), *y = NG_NEW(double, p->n), best = HUGE_VAL;
    ng_grid grid = {.n = 0};
    require(x != NULL && y != NULL, NULL);
    for (size_t i = 0; i < p->n; i++) {
        x[i] = p->item[i].x_nm;
        y[i] = p->item[i].y_nm;
    }
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = cpu_s(), sum = 0.0;
        for (size_t f = 0; f + 1 < b->frames; f++) {
            ng_error err;
            size_t from = f * b->n, to = from + b->n;
            require(ng_grid_fill(&grid, x + to, y + to, b->n, radius, &err) == NG_OK, &err);
            for (size_t i = from; i < to; i++) {
                double d2 = 0.0;
                sum += ng_grid_nearest(&grid, x[i], y[i], radius, NG_NONE, &d2) != NG_NONE;
            }
        }
        require(sum > 0.0, NULL);
        best = fmin(best, cpu_s() - start);
    }
    ng_grid_free(&grid);
    ng_free(x);
    ng_free(y);
    return best;
}

static double time_linking(const ng_particles *seen, ng_tracking *kept)
{
    double best = HUGE_VAL;
    ng_track_options options = ng_track_defaults();
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        ng_particles p = *seen;
        ng_tracking t;
        ng_error err;
        p.item = NG_NEW(ng_particle, seen->n);
        require(p.item != NULL, NULL);
        memcpy(p.item, seen->item, seen->n * sizeof *p.item);
        double start = cpu_s();
        require(ng_track_link(&p, &options, NULL, &t, NULL, &err) == NG_OK, &err);
        best = fmin(best, cpu_s() - start);
        *kept = t;
        ng_tracking_free(&t);
        ng_particles_free(&p);
    }
    return best;
}

/* 600 particles in 640 x 424 pixels, and more at the same density. */
static void bench_speed(void)
{
    static const size_t sizes[] = {150, 600, 2400, 10000, 40000};
    double first = 0.0;
    printf("%9s %7s %10s %12s %12s %8s %9s\n", "particles", "frames", "frames/s", "us/particle",
           "floor us", "ratio", "growth");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i], frames = 600000 / n;
        brownian b = {.n = n,
                      .frames = frames < 20 ? 20 : frames,
                      .field = sqrt(640.0 * 424.0 * (double)n / 600.0),
                      .step = 1.0,
                      .deaths = 0.005,
                      .noise = 0.1,
                      .sizes = true};
        movie m = make_movie(&b, 1);
        ng_tracking t;
        double points = (double)m.seen.n;
        double link = time_linking(&m.seen, &t), floor_s = time_floor(&b, &m.seen, 5.0);
        double each = 1e6 * link / points;
        first = i == 0 ? each : first;
        printf("%9zu %7zu %10.0f %12.3f %12.3f %8.1f %9.2f\n", n, b.frames, (double)b.frames / link,
               each, 1e6 * floor_s / points, link / floor_s, each / first);
        movie_free(&m);
    }
}

/* ---- scores ---------------------------------------------------------------------------- */

static void bench_isbi(void)
{
    static const struct {
        size_t n;
        double miss, false_share;
    } cases[] = {{100, 0.0, 0.0}, {100, 0.05, 0.05}, {100, 0.2, 0.1},
                 {500, 0.0, 0.0}, {500, 0.05, 0.05}, {500, 0.2, 0.1}};
    printf("%5s %6s %6s %7s %7s %9s %7s %8s %7s\n", "n", "missed", "false", "alpha", "beta",
           "JSC_theta", "JSC", "RMSE_px", "gate_px");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        brownian b = {.n = cases[i].n,
                      .frames = 100,
                      .field = 512.0,
                      .step = 1.5,
                      .deaths = 0.05,
                      .miss = cases[i].miss,
                      .false_share = cases[i].false_share,
                      .noise = 0.1};
        movie m = make_movie(&b, 1);
        ng_track_options options = ng_track_defaults();
        ng_tracking t;
        isbi_tracks truth, found;
        isbi_measures score;
        ng_error err;
        options.merge = false;
        require(ng_track_link(&m.seen, &options, NULL, &t, NULL, &err) == NG_OK, &err);
        require(isbi_tracks_make(&m.truth, 1.0, &truth, &err) == NG_OK, &err);
        require(isbi_tracks_make(&m.seen, 1.0, &found, &err) == NG_OK, &err);
        require(isbi_measure(&truth, &found, 5.0, &score, &err) == NG_OK, &err);
        printf("%5zu %6.2f %6.2f %7.3f %7.3f %9.3f %7.3f %8.3f %7.2f\n", b.n, b.miss, b.false_share,
               score.alpha, score.beta, score.jsc_theta, score.jsc, score.rmse, t.choice.gate_nm);
        isbi_tracks_free(&truth);
        isbi_tracks_free(&found);
        ng_tracking_free(&t);
        movie_free(&m);
    }
}

static void bench_merges(uint64_t first)
{
    static const struct {
        double area_noise, step;
    } cases[] = {{0.08, 0.35}, {0.12, 0.35}, {0.16, 0.35}, {0.12, 0.7}};
    printf("%10s %5s %7s %9s %7s %7s %6s %6s %9s\n", "area noise", "step", "recall", "precision",
           "passes", "parted", "of", "ends", "followed");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scene_options o = scene_defaults();
        scene_sum sum;
        ng_error err;
        o.seed = first;
        o.area_noise = cases[i].area_noise;
        o.step = cases[i].step;
        require(scene_run(&o, SCENES, &sum, &err) == NG_OK, &err);
        const scene_score s = sum.score;
        printf("%10.2f %5.2f %7.3f %9.3f %7.4f %7.4f %6.3f %6.3f %9.3f\n", o.area_noise, o.step,
               (double)s.found / (double)(s.found + s.missed),
               (double)s.found / (double)(s.found + s.wrong),
               (double)s.wrong_occlusion / (double)sum.passes,
               (double)s.wrong_parted / (double)sum.parted, (double)sum.parted / (double)sum.passes,
               (double)s.wrong_end / (double)sum.ends, (double)s.followed / (double)s.to_follow);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "speed";
    if (strcmp(what, "isbi") == 0) {
        bench_isbi();
    } else if (strcmp(what, "merges") == 0) {
        bench_merges(argc > 2 ? strtoull(argv[2], NULL, 10) : FIRST_SEED);
    } else {
        bench_speed();
    }
    return EXIT_SUCCESS;
}
