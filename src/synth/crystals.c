/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluorescent crystals that nucleate, grow and blink. */
#include "blink.h"

#include <nucgrow/synth_crystals.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <jansson.h>
#include <math.h>

#define SHARED_STEPS 1200

#define DEFAULT(type, name, field, unit, initial, min, max, group, doc) o.field = initial;
ng_synth_crystals_options ng_synth_crystals_defaults(void)
{
    ng_synth_crystals_options o = {.conditions.growth = NG_GROWTH_DEPLETION};
    NG_SYNTH_CRYSTALS_OPTIONS(DEFAULT)
    return o;
}

static ng_status check(const ng_synth_crystals_options *o, ng_error *err)
{
#define CHECK(type, name, field, unit, initial, min, max, group, doc)                              \
    if (!((double)o->field >= (min) && (double)o->field <= (max))) {                               \
        return NG_FAIL(err, NG_INVALID, "%s is %g; it must lie from %g to %g", name,               \
                       (double)o->field, (double)(min), (double)(max));                            \
    }
    NG_SYNTH_CRYSTALS_OPTIONS(CHECK)
    return NG_OK;
}

/* ---- one simulation -------------------------------------------------------------------------- */

typedef struct world {
    const ng_synth_crystals_options *o;
    ng_conditions conditions; /* at the concentration */
    size_t crystals;
    ng_crystallization shared; /* n = 0 where every crystal has a cell */
    uint64_t seed;
    ng_synth_crystals_truth *truth;
    double *radius;        /* crystals x frames: true radii at the end of each frame, 0 unborn */
    ng_particle *particle; /* crystals x frames: what was seen comes first in its row */
} world;

static bool is_shared(const ng_synth_crystals_options *o)
{
    return o->births == NG_BIRTH_SHARED || o->births == NG_BIRTH_SHARED_BURST;
}

static ng_status prepare(world *w, ng_error *err)
{
    const ng_synth_crystals_options *o = w->o;
    ng_conditions one = o->conditions;
    one.births_per_s = (double)o->crystals / one.nucleation_s;
    w->conditions = ng_conditions_scale(&one, o->concentration, o->order);
    const char *fault = ng_conditions_fault(&w->conditions);
    if (fault != NULL) {
        return NG_FAIL(err, NG_INVALID, "%s", fault);
    }
    const double cells = w->conditions.births_per_s * w->conditions.nucleation_s;
    w->crystals = (size_t)fmax(round(cells), 1);
    if (!is_shared(o)) {
        return NG_OK;
    }
    const ng_crystallization_options s = {.conditions = w->conditions,
                                          .solution = NG_SOLUTION_SHARED,
                                          .supersaturation =
                                              1 + (o->supersaturation - 1) * o->concentration,
                                          .barrier = o->barrier,
                                          .burst = o->births == NG_BIRTH_SHARED_BURST,
                                          .crystals = cells,
                                          .duration_s = o->frame_s * (double)o->frames,
                                          .steps = SHARED_STEPS};
    ng_status status = ng_crystallize(&s, &w->shared, err);
    if (status == NG_OK) {
        w->crystals = (size_t)fmax(round(w->shared.crystals[w->shared.n - 1]), 1);
    }
    return status;
}

/* Time of a birth from a uniform number, and in a shared solution the cohort. */
static double birth_time(const world *w, double u)
{
    const ng_crystallization *x = &w->shared;
    switch (w->o->births) {
    case NG_BIRTH_CONSTANT:
        return u * w->conditions.nucleation_s;
    case NG_BIRTH_CELLS:
        return -log1p(-u) * w->conditions.nucleation_s;
    case NG_BIRTH_SHARED:
        for (size_t i = 1; i < x->n; i++) {
            if (x->crystals[i] >= u * x->crystals[x->n - 1]) {
                return x->time_s[i];
            }
        }
        return x->time_s[x->n - 1];
    default:
        return 0;
    }
}

/* Radius in the shared solution, a line between steps. */
static double shared_radius(const ng_crystallization *x, double birth_s, double time_s)
{
    const double step = x->time_s[1], place = fmin(time_s / step, (double)(x->n - 1));
    const size_t born = (size_t)(birth_s / step + 0.5), now = (size_t)place;
    const size_t next = now + 1 < x->n ? now + 1 : now;
    const double *row = x->radius_nm + born * x->n;
    const double here = row[now < born ? born : now], there = row[next < born ? born : next];
    return here + (there - here) * (place - (double)now);
}

static void draw_crystal(const world *w, ng_synth_crystal *c, gsl_rng *rng)
{
    const ng_synth_crystals_options *o = w->o;
    ng_conditions own = w->conditions;
    own.final_nm *= exp(o->final_spread * gsl_ran_ugaussian(rng));
    own.final_nm = fmax(own.final_nm, 1.05 * own.critical_nm);
    own.product_nm2_per_s *= exp(o->product_spread * gsl_ran_ugaussian(rng));
    c->x_nm = gsl_ran_flat(rng, 0, o->field_nm);
    c->y_nm = gsl_ran_flat(rng, 0, o->field_nm);
    c->t0_s = c->product_nm2_per_s = c->final_nm = (double)NAN;
    if (!is_shared(o)) {
        c->product_nm2_per_s = own.product_nm2_per_s;
        c->final_nm = own.final_nm;
        c->t0_s = c->birth_s - ng_depletion_time(own.critical_nm / own.final_nm, 0) * own.final_nm *
                                   own.final_nm / own.product_nm2_per_s;
    }
}

static double radius_at(const world *w, const ng_synth_crystal *c, double time_s)
{
    if (time_s < c->birth_s) {
        return 0;
    }
    if (is_shared(w->o)) {
        return shared_radius(&w->shared, c->birth_s, time_s);
    }
    ng_conditions own = w->conditions;
    own.final_nm = c->final_nm;
    own.product_nm2_per_s = c->product_nm2_per_s;
    return ng_conditions_radius(&own, time_s - c->birth_s);
}

/* ---- what the microscope sees ---------------------------------------------------------------- */

static void watch(const world *w, size_t i, gsl_rng *rng)
{
    const ng_synth_crystals_options *o = w->o;
    ng_synth_crystal *c = &w->truth->crystal[i];
    const size_t frames = (size_t)o->frames;
    ng_synth_blink light = ng_synth_blink_start(o->on_s, o->off_s, rng);
    for (size_t f = 0; f < frames; f++) {
        const double time_s = o->frame_s * (double)f;
        const double r = w->radius[i * frames + f] = radius_at(w, c, time_s);
        const double part = ng_synth_blink_part(&light, rng, time_s - o->frame_s, time_s);
        const double mean = w->truth->scale * r * r * r * part;
        const double sd = sqrt(mean + o->noise_counts * o->noise_counts);
        const double seen = mean + sd * gsl_ran_ugaussian(rng);
        const double x = o->wander_nm * gsl_ran_ugaussian(rng);
        const double y = o->wander_nm * gsl_ran_ugaussian(rng);
        if (!(r > 0) || seen < o->detection * o->noise_counts || !(seen > 0)) {
            continue;
        }
        ng_particle *p = &w->particle[i * frames + c->seen++];
        *p = ng_particle_unknown();
        p->track = c->track;
        p->frame = (long)f;
        p->time_s = time_s;
        p->x_nm = p->x_raw_nm = c->x_nm + x;
        p->y_nm = p->y_raw_nm = c->y_nm + y;
        p->intensity = seen;
        p->intensity_se = sqrt(seen + o->noise_counts * o->noise_counts);
        p->snr = o->noise_counts > 0 ? seen / o->noise_counts : (double)NAN;
    }
}

static ng_status make_one(void *context, size_t index, int worker, ng_error *err)
{
    (void)worker;
    const world *w = context;
    gsl_rng *growth = ng_random_open(w->seed, 2 * index + 2);
    gsl_rng *microscope = ng_random_open(w->seed, 2 * index + 3);
    ng_status status = NG_OK;
    if (growth == NULL || microscope == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for a random stream");
    } else {
        draw_crystal(w, &w->truth->crystal[index], growth);
        watch(w, index, microscope);
    }
    ng_random_close(growth);
    ng_random_close(microscope);
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static ng_status make_births(world *w, ng_error *err)
{
    double *birth = NG_NEW(double, w->crystals);
    gsl_rng *rng = ng_random_open(w->seed, 0);
    w->truth->crystal = NG_NEW(ng_synth_crystal, w->crystals);
    w->truth->n = w->crystals;
    if (birth == NULL || rng == NULL || w->truth->crystal == NULL) {
        ng_free(birth);
        ng_random_close(rng);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu crystals", w->crystals);
    }
    for (size_t i = 0; i < w->crystals; i++) {
        birth[i] = birth_time(w, gsl_rng_uniform(rng));
    }
    gsl_sort(birth, 1, w->crystals);
    for (size_t i = 0; i < w->crystals; i++) {
        w->truth->crystal[i].track = (long)i + 1;
        w->truth->crystal[i].birth_s = birth[i];
    }
    ng_free(birth);
    ng_random_close(rng);
    return NG_OK;
}

/* Rows that follow each other without the frames that saw nothing. */
static ng_status collect(const world *w, ng_particles *tracks, ng_error *err)
{
    const size_t frames = (size_t)w->o->frames;
    size_t n = 0;
    for (size_t i = 0; i < w->crystals; i++) {
        n += w->truth->crystal[i].seen;
    }
    tracks->item = NG_NEW(ng_particle, n);
    if (tracks->item == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu points", n);
    }
    for (size_t i = 0; i < w->crystals; i++) {
        for (size_t k = 0; k < w->truth->crystal[i].seen; k++) {
            ng_particle *p = &tracks->item[tracks->n++];
            *p = w->particle[i * frames + k];
            p->particle = (long)i + 1;
        }
    }
    tracks->frame_s = w->o->frame_s;
    tracks->pixel_nm = (double)NAN;
    tracks->frames = frames;
    return n > 0 ? NG_OK
                 : NG_FAIL(err, NG_TOO_LITTLE,
                           "no crystal is seen; raise --counts or lower "
                           "--noise-counts");
}

static ng_status sum_up(const world *w, ng_error *err)
{
    ng_synth_crystals_truth *t = w->truth;
    const size_t frames = t->frames = (size_t)w->o->frames;
    t->time_s = NG_NEW(double, 4 * frames);
    if (t->time_s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", frames);
    }
    t->crystals = t->time_s + frames;
    t->mean_nm = t->time_s + 2 * frames;
    t->sd_nm = t->time_s + 3 * frames;
    for (size_t f = 0; f < frames; f++) {
        double n = 0, sum = 0, square = 0;
        for (size_t i = 0; i < w->crystals; i++) {
            const double r = w->radius[i * frames + f];
            n += r > 0;
            sum += r;
            square += r * r;
        }
        t->time_s[f] = w->o->frame_s * (double)f;
        t->crystals[f] = n;
        t->mean_nm[f] = n > 0 ? sum / n : (double)NAN;
        t->sd_nm[f] = n > 0 ? sqrt(fmax(square / n - sum * sum / (n * n), 0)) : (double)NAN;
    }
    return NG_OK;
}

/* Crystals of the end, as an image of the product would show them. */
static ng_status make_still(const world *w, ng_particles *still, ng_error *err)
{
    const size_t n = (size_t)w->o->still, frames = (size_t)w->o->frames;
    gsl_rng *rng = ng_random_open(w->seed, 1);
    still->item = NG_NEW(ng_particle, n);
    if (rng == NULL || still->item == NULL) {
        ng_random_close(rng);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu sizes", n);
    }
    for (size_t tries = 0; still->n < n && tries < 100 * n; tries++) {
        const size_t i = gsl_rng_uniform_int(rng, w->crystals);
        const double r = w->radius[i * frames + frames - 1];
        if (r > 0) {
            ng_particle *p = &still->item[still->n++];
            *p = ng_particle_unknown();
            p->frame = 0;
            p->time_s = 0;
            p->particle = (long)still->n;
            p->x_nm = p->x_raw_nm = 20 * (double)(still->n % 20);
            p->y_nm = p->y_raw_nm = 20 * (double)(still->n / 20);
            p->radius_nm = r;
            p->area_nm2 = M_PI * r * r;
        }
    }
    ng_random_close(rng);
    return NG_OK;
}

static void warn(const world *w, ng_warnings *warnings)
{
    size_t unseen = 0;
    for (size_t i = 0; i < w->crystals; i++) {
        unseen += w->truth->crystal[i].seen == 0;
    }
    if (unseen > 0) {
        ng_warnings_add(warnings, "unseen", "%zu of %zu crystals are never seen", unseen,
                        w->crystals);
    }
}

ng_status ng_synth_crystals(const ng_synth_crystals_options *options, const ng_run *run,
                            ng_particles *tracks, ng_particles *still,
                            ng_synth_crystals_truth *truth, ng_warnings *warnings, ng_error *err)
{
    world w = {.o = options, .seed = run != NULL ? run->seed : 1, .truth = truth};
    *tracks = (ng_particles){0};
    *truth = (ng_synth_crystals_truth){0};
    ng_status status = check(options, err);
    status = status == NG_OK ? prepare(&w, err) : status;
    status = status == NG_OK ? make_births(&w, err) : status;
    if (status == NG_OK) {
        truth->conditions = w.conditions;
        const double end = options->conditions.final_nm;
        truth->scale = options->counts / (end * end * end);
        w.radius = NG_NEW(double, w.crystals *(size_t)options->frames);
        w.particle = NG_NEW(ng_particle, w.crystals * (size_t)options->frames);
        status = w.radius != NULL && w.particle != NULL
                     ? ng_parallel_for(w.crystals, make_one, &w, run, "crystals", err)
                     : NG_FAIL(err, NG_MEMORY, "no memory for %zu crystals", w.crystals);
    }
    status = status == NG_OK ? collect(&w, tracks, err) : status;
    status = status == NG_OK ? sum_up(&w, err) : status;
    if (still != NULL) {
        *still = (ng_particles){0};
        status = status == NG_OK && options->still > 0 ? make_still(&w, still, err) : status;
    }
    if (status == NG_OK) {
        warn(&w, warnings);
    } else {
        ng_particles_free(tracks);
        ng_particles_free(still);
        ng_synth_crystals_truth_free(truth);
    }
    ng_crystallization_free(&w.shared);
    ng_free(w.radius);
    ng_free(w.particle);
    return status;
}

void ng_synth_crystals_truth_free(ng_synth_crystals_truth *truth)
{
    if (truth != NULL) {
        ng_free(truth->crystal);
        ng_free(truth->time_s); /* the series are one block */
        *truth = (ng_synth_crystals_truth){0};
    }
}

/* ---- truth.json ------------------------------------------------------------------------------ */

static json_t *crystals_json(const ng_synth_crystals_truth *t)
{
    json_t *track = json_array(), *birth = json_array(), *t0 = json_array();
    json_t *product = json_array(), *final = json_array(), *seen = json_array();
    for (size_t i = 0; i < t->n; i++) {
        const ng_synth_crystal *c = &t->crystal[i];
        json_array_append_new(track, json_integer(c->track));
        json_array_append_new(birth, ng_json_real(c->birth_s));
        json_array_append_new(t0, ng_json_real(c->t0_s));
        json_array_append_new(product, ng_json_real(c->product_nm2_per_s));
        json_array_append_new(final, ng_json_real(c->final_nm));
        json_array_append_new(seen, json_integer((json_int_t)c->seen));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "track", track, "birth_s", birth, "t0_s", t0,
                     "product_nm2_per_s", product, "final_nm", final, "frames_seen", seen);
}

static json_t *options_json(const ng_synth_crystals_options *o)
{
    json_t *all = json_object();
#define PUT(type, name, field, unit, initial, min, max, group, doc)                                \
    json_object_set_new(all, name, ng_json_real((double)o->field));
    NG_SYNTH_CRYSTALS_OPTIONS(PUT)
    return all;
}

json_t *ng_synth_crystals_truth_json(const ng_synth_crystals_options *options,
                                     const ng_synth_crystals_truth *t)
{
    static const char *const births[] = {"constant", "cells", "shared", "burst", "shared-burst"};
    const ng_conditions *c = &t->conditions;
    return json_pack("{s:s,s:s,s:{s:f,s:f,s:f,s:s,s:f,s:f},s:f,s:o,s:{s:o,s:o,s:o,s:o},s:o}",
                     "kind", "crystals", "births", births[options->births], "conditions",
                     "critical_nm", c->critical_nm, "product_nm2_per_s", c->product_nm2_per_s,
                     "final_nm", c->final_nm, "growth", ng_growth_kind_name(c->growth),
                     "births_per_s", c->births_per_s, "nucleation_s", c->nucleation_s,
                     "counts_at_1_nm", t->scale, "crystals", crystals_json(t), "series", "time_s",
                     ng_json_reals(t->time_s, t->frames), "crystals",
                     ng_json_reals(t->crystals, t->frames), "mean_radius_nm",
                     ng_json_reals(t->mean_nm, t->frames), "sd_radius_nm",
                     ng_json_reals(t->sd_nm, t->frames), "options", options_json(options));
}
