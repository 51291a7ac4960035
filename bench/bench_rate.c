/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the rate estimator costs on the published movie of Pt(acac)2.
 *
 *     bench_rate [TRACKS.csv]
 *
 * In one run: a growth-rate cost beside a plain way to the same number, its growth with frames and
 * sizes, whole fits, a bootstrap replicate, peak memory. Times are of the processor, in one thread
 * unless said; the best of many for short ones. The default file is kim2025/pt-acac2-monomeric.csv
 * below $NUCGROW_DATA, else below ../shared/data.
 */
#include <nucgrow.h>

#include "../src/fit/fit_internal.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define REPEATS 100
#define ROUNDS 10
#define PIXEL_NM 0.53

static const char *program = "bench_rate";

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "%s: %s\n", program, err->message);
        exit(EXIT_FAILURE);
    }
}

/* ---- clocks --------------------------------------------------------------------------------- */

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double wall_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

static double cpu_s(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static double peak_MB(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0; /* kB on Linux */
}

static void print_load(const char *when)
{
    char line[128] = "unknown\n";
    FILE *file = fopen("/proc/loadavg", "r");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL) {
            line[0] = '\0';
        }
        fclose(file);
    }
    printf("load of the machine %s: %s", when, line);
}

/* ---- data ----------------------------------------------------------------------------------- */

static void read_tracks(const char *path, ng_tracks *tracks)
{
    ng_error err = {.message = ""};
    ng_tracks_read_options o = ng_tracks_read_defaults();
    o.pixel_nm = PIXEL_NM;
    require(ng_tracks_read(&path, 1, &o, tracks, NULL, &err), &err);
}

static ng_trajectories trajectories(const ng_tracks *tracks, bool published)
{
    ng_trajectories t;
    ng_error err = {.message = ""};
    ng_ensemble_options o = ng_ensemble_defaults();
    o.sigma_s_nm = ng_material_find("Pt")->sigma_s_nm;
    o.published = published;
    require(ng_trajectories_make(tracks, &o, &t, NULL, &err), &err);
    return t;
}

/* The trajectories up to a frame, sizes multiplied; shares what does not change with `t`. */
static ng_trajectories part_of(const ng_trajectories *t, size_t frames, double factor)
{
    ng_trajectories out = *t;
    out.n_frames = frames;
    out.n_tracks = out.n_points = 0;
    out.first = NG_NEW(size_t, t->n_tracks + 1);
    out.frame = NG_NEW(unsigned, t->n_points);
    out.n = NG_NEW(double, t->n_points);
    out.growth_per_s = NG_NEW(double, t->n_points);
    if (!out.first || !out.frame || !out.n || !out.growth_per_s) {
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1] && t->frame[k] < frames; k++) {
            out.frame[out.n_points] = t->frame[k];
            out.n[out.n_points] = round(t->n[k] * factor);
            out.growth_per_s[out.n_points++] = t->growth_per_s[k] * factor;
        }
        if (out.n_points > out.first[out.n_tracks]) {
            out.first[++out.n_tracks] = out.n_points;
        }
    }
    return out;
}

static void part_free(ng_trajectories *t)
{
    ng_free(t->first);
    ng_free(t->frame);
    ng_free(t->n);
    ng_free(t->growth_per_s);
}

/* ---- one cost ------------------------------------------------------------------------------- */

static ng_growth_fit_options cost_options(bool published, ng_delta_mode mode)
{
    const ng_material *platinum = ng_material_find("Pt");
    ng_growth_fit_options o =
        published ? ng_growth_fit_published(platinum) : ng_growth_fit_defaults(platinum);
    o.delta_mode = mode;
    o.variance_limit = (double)NAN;
    return o;
}

static ng_rate_problem *make_problem(const ng_trajectories *t, const ng_growth_fit_options *o)
{
    ng_rate_problem *p = NULL;
    ng_error err = {.message = ""};
    require(ng_rate_problem_create(t, NULL, o, &p, &err), &err);
    return p;
}

/* Best of several evaluations; no two in a row at the same parameters. */
static double cost_s(ng_rate_problem *p, const ng_growth_parameters *at, int repeats,
                     ng_rate_cost *cost)
{
    double best = 1e300;
    ng_error err = {.message = ""};
    for (int i = 0; i < repeats; i++) {
        ng_growth_parameters q = *at;
        q.eps_f += i + 1 < repeats ? 1e-6 * i : 0.0; /* the last one counts as the cost */
        double start = cpu_s();
        require(ng_rate_problem_cost(p, &q, cost, &err), &err);
        best = fmin(best, cpu_s() - start);
    }
    return best;
}

/* Shapes that the last cost looked at, a frame. */
static double shapes_tried(const ng_rate_problem *p)
{
    size_t known = 0, all = p->data.n_frames * p->data.nodes->n_delta;
    for (size_t i = 0; i < all; i++) {
        known += p->quadratic[i].known;
    }
    return (double)known / (double)p->data.n_frames;
}

/* ---- the same number the plain way ---------------------------------------------------------- */

/* One frame at one delta: rates and exponential of every size on the spot, S(t) by least squares,
 * clipped. */
static double plain_frame(const ng_rate_problem *p, size_t frame, const ng_growth_parameters *q,
                          double delta, double *up, double *down)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    double sum_up = 0.0, sum_down = 0.0, aa = 0.0, ab = 0.0, cost = 0.0;
    for (size_t i = f->begin; i < f->end; i++) {
        double n = d->nodes->n[d->first_node[frame] + i - f->begin];
        double rate = ng_attachment_rate(q, delta, d->sigma_s_nm, n);
        up[i - f->begin] = rate * d->attach[i];
        down[i - f->begin] = rate * exp(ng_potential(q, delta, n)) * d->detach[i];
        sum_up += up[i - f->begin];
        sum_down += down[i - f->begin];
    }
    for (size_t i = f->window_begin; i < f->window_end; i++) {
        double a = up[i - f->begin] - d->psi[i] * f->psi_scale * sum_up;
        double b = d->y[i] + down[i - f->begin] - d->psi[i] * f->psi_scale * sum_down;
        aa += a * a;
        ab += a * b;
    }
    double S = fmin(fmax(ab / aa, 0.0), p->options.supersaturation_max);
    for (size_t i = f->window_begin; i < f->window_end; i++) {
        double a = up[i - f->begin] - d->psi[i] * f->psi_scale * sum_up;
        double b = d->y[i] + down[i - f->begin] - d->psi[i] * f->psi_scale * sum_down;
        cost += (b - S * a) * (b - S * a);
    }
    return f->scale * cost;
}

/* All frames, each at the best of `n_delta` shapes. */
static double plain_cost(const ng_rate_problem *p, const ng_growth_parameters *q,
                         const double *delta, size_t n_delta)
{
    double total = 0.0, *scratch = NG_NEW(double, 2 * p->data.max_rows);
    if (scratch == NULL) {
        exit(EXIT_FAILURE);
    }
    for (size_t t = 0; t < p->data.n_frames; t++) {
        double low = (double)INFINITY;
        for (size_t k = 0; k < n_delta; k++) {
            low = fmin(low, plain_frame(p, t, q, delta[k], scratch, scratch + p->data.max_rows));
        }
        total += low;
    }
    ng_free(scratch);
    return total;
}

static double plain_s(const ng_rate_problem *p, const ng_growth_parameters *q, const double *delta,
                      size_t n_delta, double *cost)
{
    double best = 1e300;
    for (int i = 0; i < 3; i++) {
        double start = cpu_s();
        *cost = plain_cost(p, q, delta, n_delta);
        best = fmin(best, cpu_s() - start);
    }
    return best;
}

static void compare_with_plain(const ng_trajectories *t)
{
    ng_growth_fit_options free_o = cost_options(true, NG_DELTA_FREE);
    ng_growth_fit_options fixed_o = cost_options(true, NG_DELTA_FIXED);
    ng_rate_problem *all = make_problem(t, &free_o), *one = make_problem(t, &fixed_o);
    ng_rate_cost cost_all, cost_one;
    double plain_all, plain_one, grid[11];
    char name[64];
    size_t frames, sizes;
    for (size_t k = 0; k < 11; k++) {
        grid[k] = 1.0 + 0.1 * (double)k;
    }
    ng_rate_problem_size(all, &frames, &sizes);
    double s_all = cost_s(all, &free_o.start, REPEATS, &cost_all);
    double s_one = cost_s(one, &fixed_o.start, REPEATS, &cost_one);
    double p_one = plain_s(one, &fixed_o.start, &fixed_o.delta, 1, &plain_one);
    double p_all = plain_s(all, &free_o.start, grid, 11, &plain_all);
    printf("\nOne growth-rate cost, preset published, %zu frames, %zu sizes\n", frames, sizes);
    printf("%-58s %10s %9s %7s\n", "", "J", "ms", "ratio");
    printf("%-58s %10.6f %9.2f %7.1f\n", "delta given: here", cost_one.growth_rate, 1e3 * s_one,
           1.0);
    printf("%-58s %10.6f %9.2f %7.1f\n", "  plain: an exponential a size", plain_one, 1e3 * p_one,
           p_one / s_one);
    printf("%-58s %10s %9.2f %7.1f\n", "  published program (its reference, another machine)", "",
           161.0, 0.161 / s_one);
    snprintf(name, sizeof name, "every delta(t) to 0.02 (%.1f shapes a frame): here",
             shapes_tried(all));
    printf("%-58s %10.6f %9.2f %7.1f\n", name, cost_all.growth_rate, 1e3 * s_all, 1.0);
    printf("%-58s %10.6f %9.2f %7.1f\n", "  plain: every delta(t) to 0.1 (11 shapes a frame)",
           plain_all, 1e3 * p_all, p_all / s_all);
    ng_rate_problem_destroy(all);
    ng_rate_problem_destroy(one);
}

/* ---- growth with the data ------------------------------------------------------------------- */

/* Problems that are timed in turn, so that a slow spell of a shared machine meets all of them. */
typedef struct contest {
    const char *name[8];
    ng_rate_problem *problem[8];
    double best_s[8];
    size_t n;
} contest;

static void enter(contest *c, const char *name, const ng_trajectories *t, bool published)
{
    ng_growth_fit_options o =
        cost_options(published, published ? NG_DELTA_FREE : NG_DELTA_CONSTANT);
    c->name[c->n] = name;
    c->best_s[c->n] = 1e300;
    c->problem[c->n++] = make_problem(t, &o);
}

static void print_contest(contest *c, const char *what)
{
    const ng_growth_parameters at = ng_material_find("Pt")->parameters;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < c->n; i++) {
            ng_rate_cost cost;
            c->best_s[i] = fmin(c->best_s[i], cost_s(c->problem[i], &at, REPEATS / ROUNDS, &cost));
        }
    }
    printf("%-26s %8s %9s %9s %12s\n", "", "frames", what, "ms", "ns each");
    for (size_t i = 0; i < c->n; i++) {
        size_t frames, sizes;
        ng_rate_problem_size(c->problem[i], &frames, &sizes);
        printf("%-26s %8zu %9zu %9.3f %12.2f\n", c->name[i], frames, sizes, 1e3 * c->best_s[i],
               1e9 * c->best_s[i] / (double)sizes);
        ng_rate_problem_destroy(c->problem[i]);
    }
}

static void print_growth(const ng_trajectories *t)
{
    static const struct {
        const char *name;
        double frames, sizes;
    } part[] = {{"all", 1.0, 1.0},          {"frames: the first half", 0.5, 1.0},
                {"frames: the first quarter", 0.25, 1.0}, {"sizes: twice", 1.0, 2.0},
                {"sizes: half", 1.0, 0.5},  {"sizes: a quarter", 1.0, 0.25}};
    contest c = {.n = 0};
    printf("\nGrowth with the data, preset published, all delta(t)\n");
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        size_t frames = (size_t)((double)t->n_frames * part[i].frames);
        ng_trajectories some = part_of(t, frames, part[i].sizes);
        enter(&c, part[i].name, &some, true);
        part_free(&some);
    }
    print_contest(&c, "sizes");
}

static void print_growth_default(const ng_trajectories *t)
{
    static const char *const name[] = {"all tracks", "half of the tracks", "a quarter"};
    contest c = {.n = 0};
    printf("\nThe default preset, one delta; a row is a particle in a frame, tables come on top\n");
    for (size_t i = 0; i < 3; i++) {
        ng_trajectories some = *t;
        some.n_tracks = t->n_tracks >> i;
        some.n_points = t->first[some.n_tracks];
        enter(&c, name[i], &some, false);
    }
    print_contest(&c, "rows");
}

/* ---- fits ----------------------------------------------------------------------------------- */

typedef struct timing {
    double wall, cpu;
} timing;

static timing time_fit(const ng_trajectories *t, const ng_growth_fit_options *o, int threads,
                       ng_growth_fit *fit)
{
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    run.threads = threads;
    double wall = wall_s(), cpu = cpu_s();
    require(ng_growth_fit_run(t, o, &run, fit, NULL, &err), &err);
    return (timing){wall_s() - wall, cpu_s() - cpu};
}

static timing print_fit(const char *name, const ng_trajectories *t, const ng_growth_fit_options *o,
                        int threads)
{
    ng_growth_fit fit;
    timing time = time_fit(t, o, threads, &fit);
    printf("%-44s %7d %8.2f %8.2f %6zu %9.5f %9.2g %8.1f\n", name, threads, time.wall, time.cpu,
           fit.evaluations, fit.growth_rate_cost, fit.variance_cost, peak_MB());
    ng_growth_fit_free(&fit);
    return time;
}

static void print_fits(const ng_trajectories *published, const ng_trajectories *tracks)
{
    const ng_material *platinum = ng_material_find("Pt");
    ng_growth_fit_options p = ng_growth_fit_published(platinum);
    ng_growth_fit_options d = ng_growth_fit_defaults(platinum);
    size_t replicates = p.bootstrap, starts = p.starts;
    printf("\nWhole fits; replicates are %zu resamplings of the trajectories\n", replicates);
    printf("%-44s %7s %8s %8s %6s %9s %9s %8s\n", "", "threads", "wall_s", "cpu_s", "evals", "J",
           "V", "peak_MB");
    p.bootstrap = d.bootstrap = 0;
    p.starts = d.starts = 1;
    timing p_one = print_fit("published, V <= 1e-5, one start", published, &p, 1);
    timing d_one = print_fit("default, one start", tracks, &d, 1);
    p.bootstrap = d.bootstrap = replicates;
    timing p_boot = print_fit("published, one start, replicates", published, &p, 1);
    timing d_boot = print_fit("default, one start, replicates", tracks, &d, 1);
    p.bootstrap = d.bootstrap = 0;
    p.starts = d.starts = starts;
    (void)print_fit("published, all starts", published, &p, 1);
    (void)print_fit("default, all starts", tracks, &d, 1);
    p.bootstrap = d.bootstrap = replicates;
    (void)print_fit("published, all starts, replicates", published, &p, 2);
    (void)print_fit("default, all starts, replicates", tracks, &d, 2);
    double each_p = (p_boot.cpu - p_one.cpu) / (double)replicates;
    double each_d = (d_boot.cpu - d_one.cpu) / (double)replicates;
    printf("\nPeak memory so far, of all of these: %.0f MB\n", peak_MB());
    printf("One replicate: published %.3f core-seconds, default %.3f. 1000 of them on two cores: "
           "%.1f and %.1f min\n", each_p, each_d, 1000.0 * each_p / 120.0, 1000.0 * each_d / 120.0);
}

static const char *default_path(void)
{
    static char path[4096];
    const char *root = getenv("NUCGROW_DATA");
    snprintf(path, sizeof path, "%s/kim2025/pt-acac2-monomeric.csv",
             root != NULL ? root : "../shared/data");
    return path;
}

int main(int argc, char **argv)
{
    ng_tracks tracks;
    gsl_set_error_handler_off();
    print_load("at the start");
    double start = cpu_s();
    read_tracks(argc > 1 ? argv[1] : default_path(), &tracks);
    double read = cpu_s();
    ng_trajectories published = trajectories(&tracks, true), ours = trajectories(&tracks, false);
    printf("reading %zu tracks: %.0f ms; smoothing them for both presets: %.0f ms\n",
           tracks.n_tracks, 1e3 * (read - start), 1e3 * (cpu_s() - read));
    compare_with_plain(&published);
    print_fits(&published, &ours);
    print_growth(&published);
    print_growth_default(&ours);
    print_load("at the end");
    ng_trajectories_free(&published);
    ng_trajectories_free(&ours);
    ng_tracks_free(&tracks);
    return EXIT_SUCCESS;
}
