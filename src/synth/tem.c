/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A synthetic movie of an electron microscope, frame by frame. */
#include "synth_random.h"
#include "tem_internal.h"

#include <gsl/gsl_math.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define BAND_ROWS 32 /* drawn by one task */

struct ng_synth_tem {
    ng_synth_tem_options options;
    ng_run run;
    size_t size; /* pixels across */
    long frame;  /* the next one */
    ng_tem_drift drift;
    ng_tem_world world;
    ng_synth_random noise;
    ng_synth_ensemble_truth truth; /* series are filled as frames are made */
    ng_particle *seen;             /* owned: those of the frame made last */
    size_t n_seen;
    long *group; /* owned, of each particle: -1, or from 1 those that become one */
    ng_events events;
    size_t room;    /* of events.item */
    bool forgotten; /* an event found no memory */
    size_t merges;
    int workers;
    ng_synth_disk_nodes *nodes; /* owned, one a worker */
    double *cover;              /* owned, of the whole picture */
    size_t *clipped;            /* owned, one a band */
    float *pixel;               /* borrowed while a frame is made */
};

size_t ng_synth_tem_size(const ng_synth_tem *tem)
{
    return tem->size;
}

const ng_particle *ng_synth_tem_particles(const ng_synth_tem *tem, size_t *n)
{
    *n = tem->n_seen;
    return tem->seen;
}

const ng_events *ng_synth_tem_events(const ng_synth_tem *tem)
{
    return &tem->events;
}

/* ---- beginning and end ---- */

void ng_synth_tem_close(ng_synth_tem *tem)
{
    if (tem == NULL) {
        return;
    }
    for (int w = 0; tem->nodes != NULL && w < tem->workers; w++) {
        ng_synth_disk_nodes_free(&tem->nodes[w]);
    }
    ng_tem_drift_free(&tem->drift);
    ng_tem_world_free(&tem->world);
    ng_synth_ensemble_truth_free(&tem->truth);
    ng_free(tem->seen);
    ng_free(tem->group);
    ng_free(tem->events.item);
    ng_free(tem->nodes);
    ng_free(tem->cover);
    ng_free(tem->clipped);
    ng_free(tem);
}

static size_t bands_of(const ng_synth_tem *tem)
{
    return (tem->size + BAND_ROWS - 1) / BAND_ROWS;
}

static ng_status reserve(ng_synth_tem *tem, ng_error *err)
{
    const size_t frames = (size_t)tem->options.growth.frames;
    ng_synth_ensemble_truth *truth = &tem->truth;
    truth->frames = frames;
    truth->time_s = NG_NEW(double, frames);
    truth->supersaturation = NG_NEW(double, frames);
    truth->particles = NG_NEW(double, frames);
    truth->mean_n = NG_NEW(double, frames);
    truth->var_n = NG_NEW(double, frames);
    tem->seen = NG_NEW(ng_particle, (size_t)tem->options.growth.particles);
    tem->nodes = NG_NEW(ng_synth_disk_nodes, (size_t)tem->workers);
    tem->cover = NG_NEW(double, tem->size * tem->size);
    tem->clipped = NG_NEW(size_t, bands_of(tem));
    if (truth->time_s == NULL || truth->supersaturation == NULL || truth->particles == NULL ||
        truth->mean_n == NULL || truth->var_n == NULL || tem->seen == NULL || tem->nodes == NULL ||
        tem->cover == NULL || tem->clipped == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for frames of %zu x %zu pixels", tem->size,
                       tem->size);
    }
    return NG_OK;
}

static size_t root_of(const long *parent, size_t i)
{
    while ((size_t)parent[i] != i) {
        i = (size_t)parent[i];
    }
    return i;
}

static void join(void *context, const ng_event *event, double x_nm, double y_nm)
{
    (void)x_nm;
    (void)y_nm;
    long *parent = context;
    if (event->kind == NG_EVENT_MERGE) {
        const size_t a = root_of(parent, (size_t)event->track - 1);
        const size_t b = root_of(parent, (size_t)event->partner - 1);
        parent[a > b ? a : b] = (long)(a < b ? a : b);
    }
}

/* Roots are the lowest of their group, so that they are numbered before the others come. */
static void number_groups(ng_synth_tem *tem, const long *parent)
{
    long groups = 0;
    for (size_t i = 0; i < tem->world.n; i++) {
        tem->group[i] = -1;
    }
    for (size_t i = 0; i < tem->world.n; i++) {
        const size_t root = root_of(parent, i);
        if (root != i) {
            tem->group[root] = tem->group[root] < 0 ? ++groups : tem->group[root];
            tem->group[i] = tem->group[root];
        }
    }
}

/* Who will become one is told from the first frame on: the world runs through once, unseen. */
static ng_status find_groups(ng_synth_tem *tem, ng_error *err)
{
    const size_t n = (size_t)tem->options.growth.particles;
    long *parent = NG_NEW(long, n);
    tem->group = NG_NEW(long, n);
    ng_status status =
        parent == NULL || tem->group == NULL
            ? NG_FAIL(err, NG_MEMORY, "out of memory for %zu particles", n)
            : ng_tem_world_open(&tem->options, tem->run.seed, &tem->drift, &tem->world, err);
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        parent[i] = (long)i;
    }
    for (long frame = 0; frame < tem->options.growth.frames && status == NG_OK; frame++) {
        status = ng_tem_world_step(&tem->world, frame, join, parent, err);
    }
    if (status == NG_OK) {
        number_groups(tem, parent);
    }
    ng_tem_world_free(&tem->world);
    ng_free(parent);
    return status;
}

static ng_status begin(ng_synth_tem *tem, ng_error *err)
{
    gsl_rng *source = ng_random_open(tem->run.seed, NG_TEM_STREAM_NOISE);
    if (source == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for random streams");
    }
    tem->noise = ng_synth_random_from(source);
    ng_random_close(source);
    ng_status status = reserve(tem, err);
    if (status == NG_OK) {
        status = ng_tem_drift_draw(&tem->options, tem->run.seed, &tem->drift, err);
    }
    if (status == NG_OK) {
        status = find_groups(tem, err);
    }
    if (status == NG_OK) {
        status = ng_tem_world_open(&tem->options, tem->run.seed, &tem->drift, &tem->world, err);
    }
    return status;
}

ng_status ng_synth_tem_open(const ng_synth_tem_options *options, const ng_run *run,
                            ng_synth_tem **out, ng_error *err)
{
    *out = NULL;
    ng_status status = ng_tem_check(options, err);
    if (status != NG_OK) {
        return status;
    }
    ng_synth_tem *tem = NG_NEW(ng_synth_tem, 1);
    if (tem == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a movie");
    }
    tem->options = *options;
    tem->run = run != NULL ? *run : ng_run_defaults();
    tem->workers = ng_run_threads(run);
    tem->size = (size_t)round(options->growth.field_nm / options->growth.pixel_nm);
    status = begin(tem, err);
    if (status != NG_OK) {
        ng_synth_tem_close(tem);
        return status;
    }
    *out = tem;
    return NG_OK;
}

/* ---- what is there to see ---- */

/* Pixels from the centre of pixel (0, 0) of this frame. */
static ng_synth_disk disk_of(const ng_synth_tem *tem, const ng_tem_particle *p)
{
    const double pixel_nm = tem->options.growth.pixel_nm;
    return (ng_synth_disk){.x = (p->x_nm + tem->drift.x_nm[tem->frame]) / pixel_nm - 0.5,
                           .y = (p->y_nm + tem->drift.y_nm[tem->frame]) / pixel_nm - 0.5,
                           .radius = p->radius_nm / pixel_nm};
}

static bool in_picture(const ng_synth_tem *tem, double x, double y)
{
    const double end = (double)tem->size - 0.5;
    return x >= -0.5 && x < end && y >= -0.5 && y < end;
}

static void keep_event(void *context, const ng_event *event, double x_nm, double y_nm)
{
    ng_synth_tem *tem = context;
    const double pixel_nm = tem->options.growth.pixel_nm;
    if (!in_picture(tem, (x_nm + tem->drift.x_nm[tem->frame]) / pixel_nm - 0.5,
                    (y_nm + tem->drift.y_nm[tem->frame]) / pixel_nm - 0.5)) {
        return;
    }
    if (tem->events.n == tem->room) {
        const size_t room = tem->room > 0 ? 2 * tem->room : 64;
        ng_event *item = ng_realloc(tem->events.item, room, sizeof *item);
        if (item == NULL) {
            tem->forgotten = true;
            return;
        }
        tem->events.item = item;
        tem->room = room;
    }
    tem->events.item[tem->events.n++] = *event;
    tem->merges += event->kind == NG_EVENT_MERGE;
}

static double contrast_now(const ng_synth_tem *tem)
{
    const double part = (double)tem->frame / (double)(tem->options.growth.frames - 1);
    return tem->options.contrast * (1 - tem->options.contrast_loss * part);
}

static double electrons_at(const ng_synth_tem *tem, double x)
{
    const double side = (x + 0.5) / (double)tem->size - 0.5;
    return tem->options.dose_per_px * (1 + tem->options.gradient * side);
}

static ng_particle particle_of(const ng_synth_tem *tem, const ng_tem_particle *p,
                               const ng_synth_disk *disk)
{
    const double pixel_nm = tem->options.growth.pixel_nm, none = (double)NAN;
    const double end = (double)tem->size - 0.5;
    const double electrons = electrons_at(tem, disk->x), contrast = contrast_now(tem);
    const bool at_edge = disk->x - disk->radius < -0.5 || disk->x + disk->radius > end ||
                         disk->y - disk->radius < -0.5 || disk->y + disk->radius > end;
    return (ng_particle){
        .track = (long)(p - tem->world.particle) + 1,
        .group = tem->group[p - tem->world.particle],
        .frame = tem->frame,
        .particle = (long)tem->n_seen + 1,
        .time_s = (double)tem->frame * tem->options.growth.frame_s,
        .x_nm = p->x_nm - 0.5 * pixel_nm,
        .y_nm = p->y_nm - 0.5 * pixel_nm,
        .x_se_nm = none,
        .y_se_nm = none,
        .x_raw_nm = disk->x * pixel_nm,
        .y_raw_nm = disk->y * pixel_nm,
        .radius_nm = p->radius_nm,
        .radius_se_nm = none,
        .area_nm2 = M_PI * gsl_pow_2(p->radius_nm),
        .intensity = tem->options.gain * contrast * electrons * M_PI * gsl_pow_2(disk->radius),
        .intensity_se = none,
        .background = tem->options.offset + tem->options.gain * electrons,
        .snr = contrast * sqrt(electrons),
        .circularity = 1,
        .solidity = 1,
        .ellipse_ratio = 1,
        .contrast = tem->options.gain * contrast * electrons,
        .edge_nm = tem->options.blur_px * pixel_nm,
        .flag = at_edge ? NG_FLAG_EDGE : 0,
    };
}

/* Particles of the frame, and the truth of all live ones. */
static void look(ng_synth_tem *tem)
{
    ng_synth_ensemble_truth *truth = &tem->truth;
    double live = 0, sum = 0, squares = 0;
    tem->n_seen = 0;
    for (size_t i = 0; i < tem->world.n; i++) {
        const ng_tem_particle *p = &tem->world.particle[i];
        if (p->life != NG_TEM_ALIVE) {
            continue;
        }
        live += 1;
        sum += ng_tem_monomers(p);
        const ng_synth_disk disk = disk_of(tem, p);
        if (in_picture(tem, disk.x, disk.y)) {
            tem->seen[tem->n_seen] = particle_of(tem, p, &disk);
            tem->n_seen++;
        }
    }
    const double mean = sum / live; /* NAN where none lives */
    for (size_t i = 0; i < tem->world.n; i++) {
        const ng_tem_particle *p = &tem->world.particle[i];
        squares += p->life == NG_TEM_ALIVE ? gsl_pow_2(ng_tem_monomers(p) - mean) : 0;
    }
    const double time_s = (double)tem->frame * tem->options.growth.frame_s;
    truth->time_s[tem->frame] = time_s;
    truth->supersaturation[tem->frame] = ng_synth_supersaturation(&tem->options.growth, time_s);
    truth->particles[tem->frame] = live;
    truth->mean_n[tem->frame] = mean;
    truth->var_n[tem->frame] = squares / live;
}

/* ---- the picture ---- */

static void expose(ng_synth_tem *tem, const ng_synth_rows *rows, size_t band)
{
    const ng_synth_camera camera = {
        .gain = tem->options.gain, .offset = tem->options.offset, .noise = tem->options.noise};
    const double contrast = contrast_now(tem);
    const uint64_t key = (uint64_t)tem->frame * bands_of(tem) + band;
    ng_synth_random random = ng_synth_random_keyed(&tem->noise, key);
    for (size_t y = rows->first; y < rows->end; y++) {
        const double *cover = rows->cover + (y - rows->first) * tem->size;
        for (size_t x = 0; x < tem->size; x++) {
            const double left = fmax(0, 1 - contrast * cover[x]);
            tem->pixel[y * tem->size + x] = ng_synth_counts(
                &camera, electrons_at(tem, (double)x) * left, &random, &tem->clipped[band]);
        }
    }
}

static ng_status draw_band(void *context, size_t band, int worker, ng_error *err)
{
    ng_synth_tem *tem = context;
    const size_t first = band * BAND_ROWS;
    ng_synth_rows rows = {.first = first,
                          .end = first + BAND_ROWS < tem->size ? first + BAND_ROWS : tem->size,
                          .width = tem->size,
                          .cover = tem->cover + first * tem->size};
    memset(rows.cover, 0, (rows.end - rows.first) * rows.width * sizeof *rows.cover);
    for (size_t i = 0; i < tem->world.n; i++) {
        const ng_tem_particle *p = &tem->world.particle[i];
        if (p->life != NG_TEM_ALIVE) {
            continue;
        }
        const ng_synth_disk disk = disk_of(tem, p);
        if (!ng_synth_disk_touches(&disk, tem->options.blur_px, &rows)) {
            continue;
        }
        ng_status status =
            ng_synth_disk_draw(&disk, tem->options.blur_px, &tem->nodes[worker], &rows, err);
        if (status != NG_OK) {
            return status;
        }
    }
    expose(tem, &rows, band);
    return NG_OK;
}

ng_status ng_synth_tem_next(ng_synth_tem *tem, float *pixel, ng_error *err)
{
    const size_t frames = (size_t)tem->options.growth.frames;
    if ((size_t)tem->frame >= frames) {
        return NG_FAIL(err, NG_INTERNAL, "the movie has %zu frames", frames);
    }
    if (!ng_run_progress(&tem->run, "drawing frames", (size_t)tem->frame, frames)) {
        return NG_FAIL(err, NG_CANCELLED, "interrupted");
    }
    ng_status status = ng_tem_world_step(&tem->world, tem->frame, keep_event, tem, err);
    if (status != NG_OK) {
        return status;
    }
    if (tem->forgotten) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu events", tem->room);
    }
    look(tem);
    ng_run quiet = tem->run; /* progress counts frames */
    quiet.progress = NULL;
    tem->pixel = pixel;
    status = ng_parallel_for(bands_of(tem), draw_band, tem, &quiet, "drawing a frame", err);
    tem->pixel = NULL;
    tem->frame++;
    return status;
}

/* ---- the truth at rest ---- */

static size_t sum_of(const size_t *count, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += count[i];
    }
    return sum;
}

static void warn(const ng_synth_tem *tem, size_t clipped, ng_warnings *warnings)
{
    if (tem->world.dissolved > 0) {
        ng_warnings_add(warnings, "dissolved",
                        "%zu of %ld particles fell below n = %d and were removed.",
                        tem->world.dissolved, tem->options.growth.particles, NG_SYNTH_N_MIN);
    }
    if (clipped > 0) {
        ng_warnings_add(warnings, "clipped",
                        "%zu pixels were brighter than 16 bits hold and were clipped; lower --gain "
                        "or --dose-per-px.",
                        clipped);
    }
}

json_t *ng_synth_tem_truth_json(const ng_synth_tem *tem, ng_warnings *warnings)
{
    const size_t frames = (size_t)tem->frame;
    const size_t clipped = sum_of(tem->clipped, bands_of(tem));
    ng_synth_ensemble_truth truth = tem->truth;
    truth.frames = frames;
    truth.dissolved = tem->world.dissolved;
    for (size_t i = 0; i < tem->world.n; i++) {
        truth.events += tem->world.particle[i].growth.state.events;
    }
    warn(tem, clipped, warnings);
    json_t *out = ng_synth_ensemble_truth_json(&tem->options.growth, &truth);
    json_t *movie = json_pack("{s:s, s:o, s:{s:o, s:o}, s:I, s:I}", "kind", "tem", "options",
                              ng_tem_options_json(&tem->options), "drift", "x_nm",
                              ng_json_reals(tem->drift.x_nm, frames), "y_nm",
                              ng_json_reals(tem->drift.y_nm, frames), "merges",
                              (json_int_t)tem->merges, "clipped_pixels", (json_int_t)clipped);
    if (out == NULL || movie == NULL || json_object_update(out, movie) != 0) {
        json_decref(out);
        out = NULL;
    }
    json_decref(movie);
    return out;
}
