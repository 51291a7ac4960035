/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A synthetic ensemble: born, grown, watched, put together as tracks. */
#include "synth_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>
#include <string.h>

/* Everything that the tasks share. Slot i of an array belongs to particle i; in true_n, point and
 * n_true a slot has `frames` places. */
typedef struct simulation {
    const ng_synth_ensemble_options *options;
    uint64_t seed;
    ng_synth_rates *rates; /* owned, one a worker */
    int workers;
    int32_t *true_n;       /* owned; 0: not born or dissolved */
    ng_track_point *point; /* owned until it goes to the tracks */
    double *n_true;        /* owned until it goes to the truth */
    size_t *seen;          /* owned: points of each particle */
    uint64_t *events;      /* owned */
    bool *dissolved;       /* owned */
} simulation;

static void simulation_free(simulation *sim)
{
    for (int w = 0; sim->rates != NULL && w < sim->workers; w++) {
        ng_synth_rates_free(&sim->rates[w]);
    }
    ng_free(sim->rates);
    ng_free(sim->true_n);
    ng_free(sim->point);
    ng_free(sim->n_true);
    ng_free(sim->seen);
    ng_free(sim->events);
    ng_free(sim->dissolved);
}

static ng_status simulation_init(simulation *sim, const ng_synth_ensemble_options *options,
                                 const ng_run *run, ng_error *err)
{
    const size_t particles = (size_t)options->particles;
    const size_t points = particles * (size_t)options->frames;
    *sim = (simulation){.options = options, .workers = ng_run_threads(run)};
    sim->seed = run != NULL ? run->seed : ng_run_defaults().seed;
    sim->rates = NG_NEW(ng_synth_rates, (size_t)sim->workers);
    sim->true_n = NG_NEW(int32_t, points);
    sim->point = NG_NEW(ng_track_point, points);
    sim->n_true = NG_NEW(double, points);
    sim->seen = NG_NEW(size_t, particles);
    sim->events = NG_NEW(uint64_t, particles);
    sim->dissolved = NG_NEW(bool, particles);
    if (sim->rates == NULL || sim->true_n == NULL || sim->point == NULL || sim->n_true == NULL ||
        sim->seen == NULL || sim->events == NULL || sim->dissolved == NULL) {
        return NG_FAIL(err, NG_MEMORY,
                       "out of memory for %zu particles in %ld frames; simulate fewer", particles,
                       options->frames);
    }
    return NG_OK;
}

/* ---- growing ---- */

/* True sizes of one particle, frame by frame. */
static ng_status grow_particle(ng_synth_growth *g, gsl_rng *rng, int32_t *true_n, ng_error *err)
{
    const ng_synth_ensemble_options *options = g->options;
    ng_synth_growth_start(g, rng);
    const double birth_s = g->state.time_s;
    for (long frame = 0; frame < options->frames; frame++) {
        const double time_s = (double)frame * options->frame_s;
        if (time_s < birth_s) {
            continue;
        }
        ng_status status = ng_synth_growth_until(g, time_s, err);
        if (status != NG_OK || g->dissolved) {
            return status;
        }
        true_n[frame] = (int32_t)g->state.n;
    }
    return NG_OK;
}

static ng_status simulate_particle(void *context, size_t i, int worker, ng_error *err)
{
    simulation *sim = context;
    const size_t first = i * (size_t)sim->options->frames;
    ng_synth_growth g = {.options = sim->options, .rates = &sim->rates[worker]};
    gsl_rng *growing = ng_random_open(sim->seed, 2 * i);
    gsl_rng *watching = ng_random_open(sim->seed, 2 * i + 1);
    ng_status status = NG_OK;
    if (growing == NULL || watching == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for random streams");
        goto out;
    }
    status = grow_particle(&g, growing, &sim->true_n[first], err);
    if (status != NG_OK) {
        goto out;
    }
    sim->events[i] = g.state.events;
    sim->dissolved[i] = g.dissolved;
    sim->seen[i] = ng_synth_watch(sim->options, &sim->true_n[first], watching, &sim->point[first],
                                  &sim->n_true[first]);
out:
    ng_random_close(growing);
    ng_random_close(watching);
    return status;
}

/* ---- putting together ---- */

/* Close the gaps between the particles' slots. Returns the number of points. */
static size_t compact_points(simulation *sim)
{
    const size_t frames = (size_t)sim->options->frames;
    size_t total = 0;
    for (size_t i = 0; i < (size_t)sim->options->particles; i++) {
        memmove(&sim->point[total], &sim->point[i * frames], sim->seen[i] * sizeof *sim->point);
        memmove(&sim->n_true[total], &sim->n_true[i * frames], sim->seen[i] * sizeof *sim->n_true);
        total += sim->seen[i];
    }
    return total;
}

static ng_status name_source(ng_tracks *tracks, ng_error *err)
{
    tracks->source = NG_NEW(char *, 1);
    if (tracks->source == NULL || (tracks->source[0] = ng_text_copy("simulated")) == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the name of the tracks");
    }
    tracks->n_sources = 1;
    return NG_OK;
}

static ng_status collect_tracks(simulation *sim, ng_tracks *tracks, ng_error *err)
{
    const size_t particles = (size_t)sim->options->particles;
    tracks->n_points = compact_points(sim);
    tracks->rows_read = tracks->n_points;
    tracks->frame_s = sim->options->frame_s;
    tracks->pixel_nm = sim->options->pixel_nm;
    tracks->point = sim->point;
    sim->point = NULL;
    if (tracks->n_points == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "no particle was seen in any frame; lower --detection-n (%g), --gap-rate "
                       "(%g) or --nucleation-s, or raise the supersaturation",
                       sim->options->detection_n, sim->options->gap_rate);
    }
    tracks->track = NG_NEW(ng_track, particles);
    if (tracks->track == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu tracks", particles);
    }
    size_t first = 0;
    for (size_t i = 0; i < particles; i++) {
        if (sim->seen[i] > 0) {
            tracks->track[tracks->n_tracks++] =
                (ng_track){.id = (long)i + 1, .group = -1, .first = first, .n = sim->seen[i]};
        }
        first += sim->seen[i];
    }
    return name_source(tracks, err);
}

/* Number, mean and variance of the live particles of one frame; two passes, in a fixed order. */
static void frame_truth(const simulation *sim, size_t frame, ng_synth_ensemble_truth *truth)
{
    const size_t frames = (size_t)sim->options->frames;
    const int32_t *n = &sim->true_n[frame];
    const size_t end = (size_t)sim->options->particles * frames;
    double live = 0, sum = 0, squares = 0;
    for (size_t k = 0; k < end; k += frames) {
        live += n[k] > 0;
        sum += n[k];
    }
    const double mean = sum / live; /* NAN where none lives */
    for (size_t k = 0; k < end; k += frames) {
        squares += n[k] > 0 ? gsl_pow_2(n[k] - mean) : 0;
    }
    truth->particles[frame] = live;
    truth->mean_n[frame] = mean;
    truth->var_n[frame] = squares / live;
}

static ng_status collect_truth(simulation *sim, ng_synth_ensemble_truth *truth, ng_error *err)
{
    const size_t frames = (size_t)sim->options->frames;
    truth->frames = frames;
    truth->time_s = NG_NEW(double, frames);
    truth->supersaturation = NG_NEW(double, frames);
    truth->particles = NG_NEW(double, frames);
    truth->mean_n = NG_NEW(double, frames);
    truth->var_n = NG_NEW(double, frames);
    truth->n_true = sim->n_true;
    sim->n_true = NULL;
    if (truth->time_s == NULL || truth->supersaturation == NULL || truth->particles == NULL ||
        truth->mean_n == NULL || truth->var_n == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the truth of %zu frames", frames);
    }
    for (size_t frame = 0; frame < frames; frame++) {
        truth->time_s[frame] = (double)frame * sim->options->frame_s;
        truth->supersaturation[frame] =
            ng_synth_supersaturation(sim->options, truth->time_s[frame]);
        frame_truth(sim, frame, truth);
    }
    for (size_t i = 0; i < (size_t)sim->options->particles; i++) {
        truth->dissolved += sim->dissolved[i];
        truth->unseen += sim->seen[i] == 0;
        truth->events += sim->events[i];
    }
    return NG_OK;
}

static void warn(const ng_synth_ensemble_options *options, const ng_synth_ensemble_truth *truth,
                 ng_warnings *warnings)
{
    if (truth->dissolved > 0) {
        ng_warnings_add(warnings, "dissolved",
                        "%zu of %ld particles fell below n = %d and were removed: the lattice "
                        "model means nothing there. Raise the supersaturation or --start-n to keep "
                        "them.",
                        truth->dissolved, options->particles, NG_SYNTH_N_MIN);
    }
    if (truth->unseen > 0) {
        ng_warnings_add(warnings, "unseen",
                        "%zu of %ld particles appear in no frame and have no track.", truth->unseen,
                        options->particles);
    }
    size_t empty = 0;
    for (size_t frame = 0; frame < truth->frames; frame++) {
        empty += !(truth->particles[frame] > 0);
    }
    if (empty > 0) {
        ng_warnings_add(warnings, "empty-frames",
                        "no particle lives in %zu of %zu frames: mean_n and var_n are null there.",
                        empty, truth->frames);
    }
}

ng_status ng_synth_ensemble(const ng_synth_ensemble_options *options, const ng_run *run,
                            ng_tracks *tracks, ng_synth_ensemble_truth *truth,
                            ng_warnings *warnings, ng_error *err)
{
    simulation sim = {0};
    *tracks = (ng_tracks){0};
    *truth = (ng_synth_ensemble_truth){0};
    ng_status status = ng_synth_ensemble_check(options, err);
    if (status != NG_OK) {
        return status;
    }
    status = simulation_init(&sim, options, run, err);
    if (status != NG_OK) {
        goto out;
    }
    status = ng_parallel_for((size_t)options->particles, simulate_particle, &sim, run,
                             "growing particles", err);
    if (status != NG_OK) {
        goto out;
    }
    status = collect_tracks(&sim, tracks, err);
    if (status != NG_OK) {
        goto out;
    }
    status = collect_truth(&sim, truth, err);
    if (status == NG_OK) {
        warn(options, truth, warnings);
    }
out:
    simulation_free(&sim);
    if (status != NG_OK) {
        ng_tracks_free(tracks);
        ng_synth_ensemble_truth_free(truth);
    }
    return status;
}
