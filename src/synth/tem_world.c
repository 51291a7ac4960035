/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Particles that grow, wander, dissolve and become one. */
#include "synth_random.h"
#include "tem_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>
#include <stdlib.h>

#define PLACES 1000 /* tried for one particle before the specimen counts as full */

double ng_tem_monomers(const ng_tem_particle *particle)
{
    return (double)particle->growth.state.n;
}

static void update_radius(ng_tem_world *world, ng_tem_particle *p)
{
    p->radius_nm = ng_radius_from_monomers(ng_tem_monomers(p), world->options->growth.sigma_s_nm);
}

/* ---- the beginning ---- */

void ng_tem_world_free(ng_tem_world *world)
{
    ng_synth_rates_free(&world->rates);
    ng_free(world->particle);
    ng_free(world->order);
    *world = (ng_tem_world){0};
}

/* The specimen reaches as far as any frame sees. */
static void find_borders(ng_tem_world *world, const ng_tem_drift *drift, double side_nm)
{
    const double *path[2] = {drift->x_nm, drift->y_nm};
    for (int axis = 0; axis < 2; axis++) {
        world->low_nm[axis] = 0;
        world->high_nm[axis] = side_nm;
        for (long frame = 0; frame < world->options->growth.frames; frame++) {
            world->low_nm[axis] = fmin(world->low_nm[axis], -path[axis][frame]);
            world->high_nm[axis] = fmax(world->high_nm[axis], side_nm - path[axis][frame]);
        }
    }
}

static bool meet(const ng_tem_world *world, const ng_tem_particle *p, const ng_tem_particle *q)
{
    return hypot(q->x_nm - p->x_nm, q->y_nm - p->y_nm) <
           p->radius_nm + q->radius_nm + world->options->contact_nm;
}

static bool is_free(const ng_tem_world *world, const ng_tem_particle *p)
{
    for (size_t i = 0; i < world->n; i++) {
        const ng_tem_particle *q = &world->particle[i];
        if (q->life == NG_TEM_ALIVE && meet(world, p, q)) {
            return false;
        }
    }
    return true;
}

/* Somewhere on the specimen where it touches no other. */
static ng_status place(ng_tem_world *world, ng_tem_particle *p, ng_error *err)
{
    update_radius(world, p);
    for (int tries = 0; tries < PLACES; tries++) {
        p->x_nm = world->low_nm[0] +
                  ng_synth_uniform(&p->motion) * (world->high_nm[0] - world->low_nm[0]);
        p->y_nm = world->low_nm[1] +
                  ng_synth_uniform(&p->motion) * (world->high_nm[1] - world->low_nm[1]);
        if (is_free(world, p)) {
            p->life = NG_TEM_ALIVE;
            return NG_OK;
        }
    }
    return NG_FAIL(err, NG_INVALID,
                   "%zu particles find no room without touching; simulate fewer (--particles), or "
                   "raise --field-nm",
                   world->n);
}

static ng_status draw_particle(ng_tem_world *world, size_t i, uint64_t seed, ng_error *err)
{
    const ng_synth_tem_options *options = world->options;
    ng_tem_particle *p = &world->particle[i];
    gsl_rng *growing = ng_random_open(seed, 2 * i);
    gsl_rng *moving = ng_random_open(seed, 2 * i + 1);
    if (growing == NULL || moving == NULL) {
        ng_random_close(growing);
        ng_random_close(moving);
        return NG_FAIL(err, NG_MEMORY, "out of memory for random streams");
    }
    p->growth = (ng_synth_growth){.options = &options->growth, .rates = &world->rates};
    ng_synth_growth_start(&p->growth, growing);
    p->motion = ng_synth_random_from(moving);
    const bool dissolves = ng_synth_uniform(&p->motion) < options->dissolve_fraction;
    const double when = ng_synth_uniform(&p->motion) * options->growth.frame_s *
                        (double)(options->growth.frames - 1);
    p->dissolve_at_s = dissolves ? fmax(when, p->growth.state.time_s) : (double)INFINITY;
    ng_random_close(growing);
    ng_random_close(moving);
    return NG_OK;
}

ng_status ng_tem_world_open(const ng_synth_tem_options *options, uint64_t seed,
                            const ng_tem_drift *drift, ng_tem_world *world, ng_error *err)
{
    const size_t n = (size_t)options->growth.particles;
    gsl_rng *source = ng_random_open(seed, NG_TEM_STREAM_PAIRS);
    *world = (ng_tem_world){.options = options, .n = n};
    world->particle = NG_NEW(ng_tem_particle, n);
    world->order = NG_NEW(ng_tem_particle *, n);
    if (source == NULL || world->particle == NULL || world->order == NULL) {
        ng_random_close(source);
        ng_tem_world_free(world);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu particles", n);
    }
    world->pairs = ng_synth_random_from(source);
    ng_random_close(source);
    find_borders(world, drift, options->growth.field_nm);
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        status = draw_particle(world, i, seed, err);
    }
    if (status != NG_OK) {
        ng_tem_world_free(world);
    }
    return status;
}

/* ---- one particle, one frame on ---- */

double ng_synth_reflect(double x, double low, double high)
{
    const double side = high - low, away = fmod(fabs(x - low), 2 * side);
    return low + (away <= side ? away : 2 * side - away);
}

static void wander(ng_tem_world *world, ng_tem_particle *p)
{
    const ng_synth_ensemble_options *growth = &world->options->growth;
    const double step_nm = sqrt(2 * growth->diffusion_nm2_per_s * growth->frame_s);
    double step[2];
    ng_synth_normal_pair(&p->motion, step);
    p->last_x_nm = p->x_nm;
    p->last_y_nm = p->y_nm;
    p->x_nm = ng_synth_reflect(p->x_nm + step_nm * step[0], world->low_nm[0], world->high_nm[0]);
    p->y_nm = ng_synth_reflect(p->y_nm + step_nm * step[1], world->low_nm[1], world->high_nm[1]);
}

/* Dissolving loses monomers evenly, whatever the supersaturation. */
static void dissolve(ng_tem_world *world, ng_tem_particle *p, double time_s)
{
    const double left = 1 - (time_s - p->dissolve_at_s) / world->options->dissolve_s;
    p->growth.state.n = (long)round(p->dissolve_from * fmax(left, 0));
    p->growth.state.time_s = time_s;
    p->growth.dissolved = p->growth.state.n < NG_SYNTH_N_MIN;
}

static ng_status grow(ng_tem_world *world, ng_tem_particle *p, double time_s, ng_error *err)
{
    ng_status status = ng_synth_growth_until(&p->growth, fmin(time_s, p->dissolve_at_s), err);
    if (status == NG_OK && !p->growth.dissolved && time_s > p->dissolve_at_s) {
        if (!(p->dissolve_from > 0)) {
            p->dissolve_from = ng_tem_monomers(p);
        }
        dissolve(world, p, time_s);
    }
    return status;
}

/* ---- pairs ---- */

static bool pair_merges(const ng_tem_world *world, const ng_tem_particle *p,
                        const ng_tem_particle *q)
{
    const uint64_t i = (uint64_t)(p - world->particle), k = (uint64_t)(q - world->particle);
    const uint64_t low = i < k ? i : k, high = i < k ? k : i;
    ng_synth_random random = ng_synth_random_keyed(&world->pairs, low << 32 | high);
    return ng_synth_uniform(&random) < world->options->merge_chance;
}

static long number_of(const ng_tem_world *world, const ng_tem_particle *p)
{
    return (long)(p - world->particle) + 1;
}

/* `q` goes into `p`; the event says what the radii were just before. */
static ng_event merge(ng_tem_world *world, ng_tem_particle *p, ng_tem_particle *q, long frame)
{
    const double p_n = ng_tem_monomers(p), q_n = ng_tem_monomers(q);
    ng_event event = {.kind = NG_EVENT_MERGE,
                      .frame = frame,
                      .time_s = (double)frame * world->options->growth.frame_s,
                      .track = number_of(world, q),
                      .partner = number_of(world, p),
                      .into = number_of(world, p),
                      .radius1_nm = q->radius_nm,
                      .radius2_nm = p->radius_nm,
                      .distance_nm =
                          hypot(p->last_x_nm - q->last_x_nm, p->last_y_nm - q->last_y_nm),
                      .score = 1};
    p->x_nm += q_n / (p_n + q_n) * (q->x_nm - p->x_nm);
    p->y_nm += q_n / (p_n + q_n) * (q->y_nm - p->y_nm);
    p->growth.state.n += q->growth.state.n;
    p->dissolve_from *= (p_n + q_n) / p_n;
    q->life = NG_TEM_GONE;
    update_radius(world, p);
    event.radius_after_nm = p->radius_nm;
    return event;
}

/* By x; equal ones by number, so that the order is the same everywhere. */
static int by_x(const void *a, const void *b)
{
    const ng_tem_particle *p = *(ng_tem_particle *const *)a, *q = *(ng_tem_particle *const *)b;
    if (p->x_nm < q->x_nm || p->x_nm > q->x_nm) {
        return p->x_nm < q->x_nm ? -1 : 1;
    }
    return p < q ? -1 : p > q;
}

/* The next two that merge; NULL when there are none. */
static ng_tem_particle *find_contact(ng_tem_world *world, ng_tem_particle **other)
{
    size_t live = 0;
    double largest_nm = 0;
    for (size_t i = 0; i < world->n; i++) {
        if (world->particle[i].life == NG_TEM_ALIVE) {
            world->order[live++] = &world->particle[i];
            largest_nm = fmax(largest_nm, world->particle[i].radius_nm);
        }
    }
    qsort(world->order, live, sizeof *world->order, by_x);
    for (size_t i = 0; i < live; i++) {
        ng_tem_particle *p = world->order[i];
        for (size_t k = i + 1; k < live; k++) {
            ng_tem_particle *q = world->order[k];
            if (q->x_nm - p->x_nm >= p->radius_nm + largest_nm + world->options->contact_nm) {
                break;
            }
            if (meet(world, p, q) && pair_merges(world, p, q)) {
                *other = q;
                return p;
            }
        }
    }
    return NULL;
}

/* What has grown by merging may touch another: look again until none do. */
static void merge_contacts(ng_tem_world *world, long frame, ng_tem_happened *happened,
                           void *context)
{
    ng_tem_particle *p = NULL, *q = NULL;
    while (world->options->merge_chance > 0 && (p = find_contact(world, &q)) != NULL) {
        const bool larger = ng_tem_monomers(p) >= ng_tem_monomers(q);
        ng_tem_particle *kept = larger ? p : q;
        const ng_event event = merge(world, kept, larger ? q : p, frame);
        happened(context, &event, kept->x_nm, kept->y_nm);
    }
}

/* ---- a step ---- */

static ng_event of_one(const ng_tem_world *world, const ng_tem_particle *p, ng_event_kind kind,
                       long frame)
{
    const double none = (double)NAN;
    return (ng_event){.kind = kind,
                      .frame = frame,
                      .time_s = (double)frame * world->options->growth.frame_s,
                      .track = number_of(world, p),
                      .partner = -1,
                      .into = -1,
                      .radius1_nm = p->radius_nm,
                      .radius2_nm = none,
                      .radius_after_nm = none,
                      .distance_nm = none,
                      .score = 1};
}

static ng_status step_live(ng_tem_world *world, ng_tem_particle *p, double time_s, ng_error *err)
{
    ng_status status = grow(world, p, time_s, err);
    if (status != NG_OK) {
        return status;
    }
    if (p->growth.dissolved) {
        p->life = NG_TEM_GONE;
        world->dissolved++;
        return NG_OK;
    }
    update_radius(world, p);
    wander(world, p);
    return NG_OK;
}

static ng_status step_unborn(ng_tem_world *world, ng_tem_particle *p, double time_s, ng_error *err)
{
    ng_status status = grow(world, p, time_s, err);
    if (status == NG_OK && p->growth.dissolved) {
        p->life = NG_TEM_GONE;
        world->dissolved++;
        return NG_OK;
    }
    return status == NG_OK ? place(world, p, err) : status;
}

ng_status ng_tem_world_step(ng_tem_world *world, long frame, ng_tem_happened *happened,
                            void *context, ng_error *err)
{
    const double time_s = (double)frame * world->options->growth.frame_s;
    ng_status status = NG_OK;
    for (size_t i = 0; i < world->n && status == NG_OK; i++) {
        ng_tem_particle *p = &world->particle[i];
        if (p->life != NG_TEM_ALIVE) {
            continue;
        }
        status = step_live(world, p, time_s, err);
        if (status == NG_OK && p->life == NG_TEM_GONE) {
            const ng_event death = of_one(world, p, NG_EVENT_DEATH, frame);
            happened(context, &death, p->x_nm, p->y_nm);
        }
    }
    for (size_t i = 0; i < world->n && status == NG_OK; i++) {
        ng_tem_particle *p = &world->particle[i];
        if (p->life != NG_TEM_UNBORN || p->growth.state.time_s > time_s) {
            continue;
        }
        status = step_unborn(world, p, time_s, err);
        if (status == NG_OK && p->life == NG_TEM_ALIVE && frame > 0) {
            const ng_event birth = of_one(world, p, NG_EVENT_BIRTH, frame);
            happened(context, &birth, p->x_nm, p->y_nm);
        }
    }
    if (status == NG_OK) {
        merge_contacts(world, frame, happened, context);
    }
    return status;
}
