/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a prediction for another supply hold the truth within its band?
 *
 *     bench_supply [SEEDS [FIRST]]
 *
 * The truth: 600 particles of the defaults of `simulate ensemble`, measured almost without error,
 * their law given, S(t) fitted; that predicted at half, once and twice its supply. Each seed: 60
 * particles over 120 frames, fitted forward with nothing given, predicted at the same supplies.
 */
#include <nucgrow.h>
#include <nucgrow/forward.h>

#include <gsl/gsl_errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 120
#define REPLICATES 40
#define SCALES 3
#define TIMES 100 /* at least: output times of a prediction */

static const double scale[SCALES] = {0.5, 1.0, 2.0};
static const char *const quantity[] = {"mean_radius_nm", "relative_spread"};
#define QUANTITIES (sizeof quantity / sizeof quantity[0])

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_supply: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

typedef struct movie {
    ng_ensemble_options options;
    ng_tracks tracks;
    ng_trajectories trajectories;
} movie;

static movie measured(const ng_synth_ensemble_options *o, uint64_t seed)
{
    movie out = {.options = ng_ensemble_defaults()};
    ng_run run = ng_run_defaults();
    ng_synth_ensemble_truth truth;
    ng_error err = {.message = ""};
    out.options.sigma_s_nm = o->sigma_s_nm;
    out.options.bootstrap = 0;
    run.seed = seed;
    require(ng_synth_ensemble(o, &run, &out.tracks, &truth, NULL, &err), &err);
    require(ng_trajectories_make(&out.tracks, &out.options, &out.trajectories, NULL, &err), &err);
    ng_synth_ensemble_truth_free(&truth);
    return out;
}

static void movie_free(movie *m)
{
    ng_trajectories_free(&m->trajectories);
    ng_tracks_free(&m->tracks);
}

static json_t *ensemble_of(const movie *m)
{
    ng_series series;
    const ng_ensemble whole = {.tracks = &m->tracks,
                               .trajectories = &m->trajectories,
                               .options = &m->options,
                               .material = ng_material_find("Pt"),
                               .series = &series};
    ng_error err = {.message = ""};
    json_t *out = NULL;
    require(ng_series_create(m->trajectories.n_frames, &series, &err), &err);
    ng_series_compute(&m->trajectories, NULL, &series);
    require(ng_ensemble_json(&whole, NULL, &out, &err), &err);
    ng_series_free(&series);
    return out;
}

/* Fit, and hand it over as `nucgrow predict` would read it. */
static ng_fit_file fit_of(const movie *m, const ng_growth_fit_options *growth,
                          const ng_forward_options *o)
{
    const ng_material *pt = ng_material_find("Pt");
    const ng_trajectories *t = &m->trajectories;
    ng_growth_fit fit, rate;
    ng_forward_fit forward;
    ng_fit_file out;
    ng_error err = {.message = ""};
    json_t *json = NULL;
    require(ng_forward_fit_run(t, growth, o, NULL, &rate, &fit, &forward, NULL, &err), &err);
    require(ng_forward_fit_json(&forward, &fit, &rate, t, growth, o, pt, &json, NULL, &err), &err);
    (void)json_object_set_new(json, "schema", json_string("nucgrow/fit-growth/1"));
    (void)json_object_set_new(json, "ensemble", ensemble_of(m));
    char *text = json_dumps(json, JSON_REAL_PRECISION(17));
    require(ng_fit_file_parse(text, strlen(text), "fit", &out, &err), &err);
    free(text);
    json_decref(json);
    ng_growth_fit_free(&fit);
    ng_growth_fit_free(&rate);
    ng_forward_fit_free(&forward);
    return out;
}

static json_t *series_of(const ng_fit_file *fit, double factor, size_t replicates)
{
    ng_predict_options o = ng_predict_defaults();
    ng_prediction *p = NULL;
    ng_error err = {.message = ""};
    o.scale = factor;
    o.replicates = replicates;
    o.duration_s = FRAMES - 1;
    o.n_times = TIMES;
    require(ng_predict(fit, &o, NULL, &p, NULL, &err), &err);
    json_t *all = ng_prediction_json(p), *series = json_incref(json_object_get(all, "series"));
    json_decref(all);
    ng_prediction_destroy(p);
    return series;
}

static double at(const json_t *series, const char *name, const char *end, size_t i)
{
    char key[64];
    snprintf(key, sizeof key, "%s%s", name, end);
    return json_number_value(json_array_get(json_object_get(series, key), i));
}

typedef struct tally {
    double held[SCALES][QUANTITIES];    /* share of the times */
    bool held_last[SCALES][QUANTITIES]; /* at the last time */
    double width[SCALES][QUANTITIES];   /* of the band there, over the truth */
    double off[SCALES][QUANTITIES];     /* of the best there, over the truth */
} tally;

typedef struct study {
    uint64_t first;
    json_t *truth[SCALES];
} study;

static void compare(const json_t *truth, const json_t *found, size_t s, tally *out)
{
    size_t n = json_array_size(json_object_get(truth, "time_s"));
    for (size_t q = 0; q < QUANTITIES; q++) {
        for (size_t i = 1; i < n; i++) {
            double x = at(truth, quantity[q], "", i), low = at(found, quantity[q], "_lower", i);
            double high = at(found, quantity[q], "_upper", i);
            out->held_last[s][q] = x >= low && x <= high;
            out->held[s][q] += (double)out->held_last[s][q] / (double)(n - 1);
            out->width[s][q] = (high - low) / x;
            out->off[s][q] = at(found, quantity[q], "", i) / x - 1.0;
        }
    }
}

static ng_status run_seed(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const study *job = context;
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_growth_fit_options growth = ng_growth_fit_defaults(ng_material_find("Pt"));
    const ng_forward_options forward = ng_forward_defaults();
    (void)worker;
    (void)err;
    o.particles = 60;
    o.frames = FRAMES;
    growth.bootstrap = REPLICATES;
    movie m = measured(&o, job->first + index);
    ng_fit_file fit = fit_of(&m, &growth, &forward);
    for (size_t s = 0; s < SCALES; s++) {
        json_t *found = series_of(&fit, scale[s], REPLICATES);
        compare(job->truth[s], found, s, record);
        json_decref(found);
    }
    ng_fit_file_free(&fit);
    movie_free(&m);
    return NG_OK;
}

static void make_truth(study *job)
{
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_growth_fit_options growth = ng_growth_fit_defaults(ng_material_find("Pt"));
    ng_forward_options forward = ng_forward_defaults();
    o.particles = 600;
    o.frames = FRAMES;
    o.area_noise_px = 0.3;
    o.whole_pixels = false;
    growth.start = o.parameters;
    growth.delta_mode = NG_DELTA_FIXED;
    growth.delta = o.delta;
    growth.bootstrap = 0;
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        growth.fixed[i] = true;
    }
    forward.profile = false;
    forward.coefficients = 20;
    movie m = measured(&o, 1);
    ng_fit_file fit = fit_of(&m, &growth, &forward);
    for (size_t s = 0; s < SCALES; s++) {
        job->truth[s] = series_of(&fit, scale[s], 0);
    }
    ng_fit_file_free(&fit);
    movie_free(&m);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, compare_numbers);
    return x[n / 2];
}

static void print(const study *job, const tally *all, size_t seeds)
{
    double *width = NG_NEW(double, seeds), *off = NG_NEW(double, seeds);
    printf(
        "supply quantity          truth at the end   in band: all times   the end   median width   "
        "median error     bias     s.d.\n");
    for (size_t s = 0; width && off && s < SCALES; s++) {
        size_t last = json_array_size(json_object_get(job->truth[s], "time_s")) - 1;
        for (size_t q = 0; q < QUANTITIES; q++) {
            double held = 0.0, end = 0.0, bias = 0.0, square = 0.0;
            for (size_t b = 0; b < seeds; b++) {
                held += all[b].held[s][q] / (double)seeds;
                end += (double)all[b].held_last[s][q] / (double)seeds;
                width[b] = all[b].width[s][q];
                off[b] = fabs(all[b].off[s][q]);
                bias += all[b].off[s][q] / (double)seeds;
                square += all[b].off[s][q] * all[b].off[s][q] / (double)seeds;
            }
            printf("%6g %-17s %16.4f %18.1f %% %7.1f %% %12.1f %% %12.1f %% %6.2f %% %6.2f %%\n",
                   scale[s], quantity[q], at(job->truth[s], quantity[q], "", last), 100.0 * held,
                   100.0 * end, 100.0 * median(width, seeds), 100.0 * median(off, seeds),
                   100.0 * bias, 100.0 * sqrt(square - bias * bias));
        }
    }
    ng_free(width);
    ng_free(off);
}

int main(int argc, char **argv)
{
    gsl_set_error_handler_off();
    size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 40;
    study job = {.first = argc > 2 ? strtoul(argv[2], NULL, 10) : 9000};
    ng_run run = ng_run_defaults();
    ng_error err = {.message = ""};
    tally *all = ng_alloc(seeds, sizeof *all);
    if (!all || seeds == 0) {
        fprintf(stderr, "usage: bench_supply [SEEDS [FIRST]]\n");
        return 2;
    }
    make_truth(&job);
    run.threads = 0;
    ng_records records = {all, seeds, sizeof *all};
    require(ng_parallel_records(&records, run_seed, &job, &run, "supply", &err), &err);
    print(&job, all, seeds);
    for (size_t s = 0; s < SCALES; s++) {
        json_decref(job.truth[s]);
    }
    ng_free(all);
    return 0;
}
