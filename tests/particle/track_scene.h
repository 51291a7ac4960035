/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Growing disks as a detector reports them, with the truth: positions and sizes with noise, misses,
 * false alarms, drift; disks that merge, pass over one another, dissolve beside another, and leave
 * the field. Lengths are pixels of 1 nm. For the tests and for bench_track.
 */
#ifndef NUCGROW_TRACK_SCENE_H
#define NUCGROW_TRACK_SCENE_H

#include <gsl/gsl_randist.h>
#include <math.h>
#include <nucgrow/track.h>
#include <stdlib.h>

#define SCENE_PI 3.14159265358979323846
#define SCENE_PARTED 10 /* frames apart by which a pass is known */

typedef struct scene_options {
    uint64_t seed;
    size_t frames;
    size_t alone, merging, occluded, dissolving, leaving; /* disks; all but the first in pairs */
    double field;                                         /* px */
    double step;         /* s.d. of a coordinate from frame to frame */
    double area_noise;   /* s.d. of ln(area) */
    double miss;         /* probability of not being seen */
    double false_alarms; /* a frame */
    double drift_x, drift_y;
} scene_options;

static inline scene_options scene_defaults(void)
{
    return (scene_options){.seed = 1,
                           .frames = 200,
                           .alone = 40,
                           .merging = 20,
                           .occluded = 20,
                           .dissolving = 10,
                           .leaving = 10,
                           .field = 700,
                           .step = 0.35,
                           .area_noise = 0.12,
                           .miss = 0.02,
                           .false_alarms = 0.3,
                           .drift_x = 0.19,
                           .drift_y = -0.41};
}

typedef enum scene_fate {
    SCENE_ALONE,
    SCENE_MERGES,
    SCENE_OCCLUDED,
    SCENE_DISSOLVES,
    SCENE_LEAVES
} scene_fate;

typedef struct scene_disk {
    double x, y, r, vx, vy;
    double excess; /* of ln(area) over that of the volume: a shape that has not relaxed */
    scene_fate fate;
    size_t partner; /* the larger one */
    long when;      /* frame of contact, or of the beginning of the end */
    long apart;     /* frames beside the partner after the first behind it */
    bool gone, met;
} scene_disk;

typedef struct scene_merge {
    long frame; /* first as one */
    long small, large;
} scene_merge;

typedef struct scene {
    ng_particles particles; /* intensity: number of the disk, -1 for a false alarm */
    size_t capacity;
    scene_disk *disk;
    size_t n_disks;
    scene_merge *merge;
    size_t n_merges, n_occlusions, n_ends; /* ends: dissolved or left beside another */
    size_t n_parted;                       /* passes that the movie shows to part */
} scene;

static inline void scene_free(scene *s)
{
    ng_particles_free(&s->particles);
    free(s->disk);
    free(s->merge);
}

static inline double scene_radius(gsl_rng *rng)
{
    return 2.0 + 1.2 * gsl_rng_uniform(rng);
}

/* Pairs stand on a lattice, so that they meet nobody else. */
static inline void scene_place(scene *s, const scene_options *o, gsl_rng *rng)
{
    const size_t counts[] = {o->alone, o->merging, o->occluded, o->dissolving, o->leaving};
    size_t sites = o->alone + o->merging + o->occluded + o->dissolving + o->leaving;
    size_t side = (size_t)ceil(sqrt((double)sites)), site = 0;
    double pitch = o->field / (double)side;
    s->disk = calloc(2 * sites, sizeof *s->disk);
    s->merge = calloc(o->merging + 1, sizeof *s->merge);
    for (int fate = 0; fate < 5; fate++) {
        for (size_t i = 0; i < counts[fate]; i++, site++) {
            /* sites in an order that spreads the fates over the field */
            size_t at = (site * 7919U) % (side * side);
            double x = ((double)(at % side) + 0.5) * pitch, y = ((double)(at / side) + 0.5) * pitch;
            double r = scene_radius(rng), angle = 2.0 * SCENE_PI * gsl_rng_uniform(rng);
            bool border = fate == SCENE_LEAVES;
            x = border ? r + 2.0 : x;
            y = border ? ((double)i + 0.5) * o->field / (double)o->leaving : y;
            size_t large = s->n_disks;
            s->disk[s->n_disks++] = (scene_disk){.x = x, .y = y, .r = r, .fate = SCENE_ALONE};
            if (fate == SCENE_ALONE) {
                continue;
            }
            double r2 = r * (0.7 + 0.3 * gsl_rng_uniform(rng));
            scene_disk d = {.r = r2, .fate = (scene_fate)fate, .partner = large};
            /* most passes are over before the movie is */
            double latest = fate == SCENE_OCCLUDED ? 0.4 : 0.6;
            d.when = (long)((0.2 + latest * gsl_rng_uniform(rng)) * (double)o->frames);
            double contact = r + r2, far = contact + 2.0 + 8.0 * gsl_rng_uniform(rng);
            if (fate == SCENE_DISSOLVES || fate == SCENE_LEAVES) {
                far = contact + 1.0 + 3.0 * gsl_rng_uniform(rng);
            }
            d.x = x + far * cos(angle);
            d.y = y + far * sin(angle);
            if (fate == SCENE_LEAVES) {
                d.x = x + 1.0;
                d.y = y + contact + 2.0;
            }
            s->disk[s->n_disks++] = d;
        }
    }
}

/* Where a disk that has an appointment moves to: in contact at the frame `when`. */
static inline void scene_steer(const scene *s, scene_disk *d, long frame)
{
    const scene_disk *m = &s->disk[d->partner];
    double dx = m->x - d->x, dy = m->y - d->y, distance = hypot(dx, dy);
    d->vx = d->vy = 0.0;
    if (d->fate == SCENE_MERGES || d->fate == SCENE_OCCLUDED) {
        double contact = d->r + m->r;
        if (frame < d->when && distance > contact) {
            double speed = (distance - contact) / (double)(d->when - frame);
            d->vx = speed * dx / distance;
            d->vy = speed * dy / distance;
        }
    }
    if (d->fate == SCENE_LEAVES && frame >= d->when) {
        d->vx = -0.8;
    }
}

static inline double scene_overlap(double r1, double r2, double d)
{
    if (d >= r1 + r2) {
        return 0.0;
    }
    if (d <= fabs(r1 - r2)) {
        double r = fmin(r1, r2);
        return SCENE_PI * r * r;
    }
    double a = r1 * r1 * acos((d * d + r1 * r1 - r2 * r2) / (2.0 * d * r1));
    double b = r2 * r2 * acos((d * d + r2 * r2 - r1 * r1) / (2.0 * d * r2));
    double c = 0.5 * sqrt((-d + r1 + r2) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2));
    return a + b - c;
}

static inline void scene_see(scene *s, const scene_options *o, gsl_rng *rng, long frame, double x,
                             double y, double area, double id)
{
    if (x < 0.0 || y < 0.0 || x > o->field || y > o->field || area < SCENE_PI ||
        (id >= 0.0 && gsl_rng_uniform(rng) < o->miss)) {
        return;
    }
    if (s->particles.n == s->capacity) {
        s->capacity = 2 * s->capacity + 1024;
        s->particles.item = ng_realloc(s->particles.item, s->capacity, sizeof *s->particles.item);
    }
    ng_particle p = ng_particle_unknown();
    p.frame = frame;
    p.time_s = (double)frame;
    p.particle = (long)s->particles.n;
    p.x_nm = x + gsl_ran_gaussian(rng, 0.1) + o->drift_x * (double)frame;
    p.y_nm = y + gsl_ran_gaussian(rng, 0.1) + o->drift_y * (double)frame;
    p.radius_nm = sqrt(area / SCENE_PI * exp(gsl_ran_gaussian(rng, o->area_noise)));
    p.intensity = id;
    s->particles.item[s->particles.n++] = p;
}

static inline void scene_merge_disks(scene *s, scene_disk *d, long frame, gsl_rng *rng)
{
    scene_disk *m = &s->disk[d->partner];
    double a1 = d->r * d->r, a2 = m->r * m->r;
    double q = 0.93 + gsl_ran_gaussian(rng, 0.12);
    q = q < 0.6 ? 0.6 : q > 1.12 ? 1.12 : q;
    double volume = pow(d->r, 3) + pow(m->r, 3);
    m->x = (a1 * d->x + a2 * m->x) / (a1 + a2);
    m->y = (a1 * d->y + a2 * m->y) / (a1 + a2);
    m->r = cbrt(volume);
    m->excess = log(q * (a1 + a2) / (m->r * m->r));
    d->gone = true;
    s->merge[s->n_merges++] = (scene_merge){frame, (long)(d - s->disk), (long)d->partner};
}

/* Those that end without touching keep a distance, and so do others before they pass. */
static inline void scene_repel(const scene *s, scene_disk *d)
{
    const scene_disk *m = &s->disk[d->partner];
    double least = d->r + m->r + 0.5, distance = hypot(d->x - m->x, d->y - m->y);
    if (d->fate != SCENE_ALONE && distance < least && distance > 0.0) {
        d->x = m->x + (d->x - m->x) * least / distance;
        d->y = m->y + (d->y - m->y) * least / distance;
    }
}

static inline void scene_move(scene *s, const scene_options *o, gsl_rng *rng, long frame)
{
    for (size_t i = 0; i < s->n_disks; i++) {
        scene_disk *d = &s->disk[i];
        if (d->gone) {
            continue;
        }
        bool passing = d->fate == SCENE_OCCLUDED && frame >= d->when;
        if (d->fate != SCENE_ALONE && !passing) {
            scene_steer(s, d, frame);
        } else if (passing && d->vx == 0.0 && d->vy == 0.0) {
            scene_disk *m = &s->disk[d->partner];
            double distance = hypot(m->x - d->x, m->y - d->y);
            d->vx = 0.6 * (m->x - d->x) / distance;
            d->vy = 0.6 * (m->y - d->y) / distance;
            d->when -= (long)o->frames; /* under way: it is not steered again */
        }
        d->x += d->vx + gsl_ran_gaussian(rng, o->step);
        d->y += d->vy + gsl_ran_gaussian(rng, o->step);
        d->excess *= 0.95;
        if (d->fate != SCENE_MERGES && !passing) {
            scene_repel(s, d);
        }
        d->r *= d->fate == SCENE_DISSOLVES && frame >= d->when ? 0.93 : 1.002;
        if (d->fate == SCENE_MERGES &&
            hypot(d->x - s->disk[d->partner].x, d->y - s->disk[d->partner].y) <
                0.95 * (d->r + s->disk[d->partner].r) + 0.5) {
            scene_merge_disks(s, d, frame, rng);
        }
    }
}

/* What is seen: a disk, or where two overlap one blob of their union (of the larger one's number).
 */
static inline void scene_frame(scene *s, const scene_options *o, gsl_rng *rng, long frame,
                               bool *hidden)
{
    for (size_t i = 0; i < s->n_disks; i++) {
        const scene_disk *d = &s->disk[i];
        const scene_disk *m = &s->disk[d->partner];
        double distance = hypot(d->x - m->x, d->y - m->y);
        bool over = d->fate != SCENE_ALONE && !d->gone && distance < 0.85 * (d->r + m->r);
        if (over && d->fate == SCENE_OCCLUDED && !hidden[i]) {
            s->n_occlusions++;
        }
        hidden[i] = over;
        s->disk[i].met |= over;
        s->disk[i].apart += s->disk[i].met && !over;
    }
    for (size_t i = 0; i < s->n_disks; i++) {
        const scene_disk *d = &s->disk[i];
        double area = SCENE_PI * d->r * d->r * exp(d->fate == SCENE_ALONE ? d->excess : 0.0);
        double x = d->x, y = d->y;
        if (d->gone || hidden[i]) {
            continue;
        }
        for (size_t k = i + 1; k < s->n_disks && k <= i + 1; k++) {
            const scene_disk *e = &s->disk[k];
            if (hidden[k] && !e->gone && e->partner == i) {
                double more = SCENE_PI * e->r * e->r -
                              scene_overlap(d->r, e->r, hypot(d->x - e->x, d->y - e->y));
                x = (area * x + more * e->x) / (area + more);
                y = (area * y + more * e->y) / (area + more);
                area += more;
            }
        }
        scene_see(s, o, rng, frame, x, y, area, (double)i);
    }
    for (unsigned n = gsl_ran_poisson(rng, o->false_alarms); n > 0; n--) {
        scene_see(s, o, rng, frame, o->field * gsl_rng_uniform(rng),
                  o->field * gsl_rng_uniform(rng), SCENE_PI * 2.5, -1.0);
    }
}

static inline bool scene_has_parted(const scene_disk *d)
{
    return d->fate == SCENE_OCCLUDED && d->apart >= SCENE_PARTED;
}

static inline scene scene_make(const scene_options *o)
{
    scene s = {.n_disks = 0};
    gsl_rng *rng = ng_random_open(o->seed, 0);
    scene_place(&s, o, rng);
    bool *hidden = calloc(s.n_disks + 1, sizeof *hidden);
    for (long frame = 0; frame < (long)o->frames; frame++) {
        scene_move(&s, o, rng, frame);
        scene_frame(&s, o, rng, frame, hidden);
    }
    s.n_ends = o->dissolving + o->leaving;
    for (size_t i = 0; i < s.n_disks; i++) {
        s.n_parted += scene_has_parted(&s.disk[i]);
    }
    free(hidden);
    ng_random_close(rng);
    return s;
}

/* ---- comparison with what was found ---------------------------------------------------- */

typedef struct scene_score {
    size_t found, missed, wrong; /* merges */
    size_t wrong_occlusion, wrong_end;
    size_t wrong_parted;        /* of the passes: those that the movie shows to part */
    size_t followed, to_follow; /* of the points of 20 frames after a merge */
} scene_score;

/* Number of the disk that a track showed last before a frame. */
static inline long scene_disk_before(const ng_particles *p, long track, long frame)
{
    long disk = -1;
    for (size_t i = 0; i < p->n; i++) {
        if (p->item[i].track == track && p->item[i].frame < frame && p->item[i].intensity >= 0.0) {
            disk = (long)p->item[i].intensity;
        }
    }
    return disk;
}

static inline scene_score scene_compare(const scene *s, const ng_tracking *t)
{
    scene_score score = {0};
    bool *met = calloc(s->n_merges + 1, sizeof *met);
    for (size_t i = 0; i < t->events.n; i++) {
        const ng_event *e = &t->events.item[i];
        if (e->kind != NG_EVENT_MERGE) {
            continue;
        }
        long a = scene_disk_before(&s->particles, e->track, e->frame);
        long b = scene_disk_before(&s->particles, e->partner, e->frame);
        bool good = false;
        for (size_t k = 0; k < s->n_merges && !good; k++) {
            const scene_merge *m = &s->merge[k];
            bool parents = (a == m->small && b == m->large) || (a == m->large && b == m->small);
            good = !met[k] && parents && labs(e->frame - m->frame) <= 2;
            if (!good) {
                continue;
            }
            met[k] = true;
            for (size_t q = 0; q < s->particles.n; q++) {
                const ng_particle *p = &s->particles.item[q];
                if (p->intensity == (double)m->large && p->frame >= m->frame + 2 &&
                    p->frame < m->frame + 22) {
                    score.to_follow++;
                    score.followed += p->track == e->into;
                }
            }
        }
        score.found += good;
        score.wrong += !good;
        long small = a > b ? a : b; /* the second of a pair */
        scene_fate fate = small >= 0 ? s->disk[small].fate : SCENE_ALONE;
        score.wrong_occlusion += !good && fate == SCENE_OCCLUDED;
        score.wrong_parted += !good && small >= 0 && scene_has_parted(&s->disk[small]);
        score.wrong_end += !good && (fate == SCENE_DISSOLVES || fate == SCENE_LEAVES);
    }
    score.missed = s->n_merges - score.found;
    free(met);
    return score;
}

/* Scores of several scenes, and of what there was in them. */
typedef struct scene_sum {
    scene_score score;
    size_t merges, passes, parted, ends;
} scene_sum;

static inline void scene_add(scene_score *sum, const scene_score *one)
{
    sum->found += one->found;
    sum->missed += one->missed;
    sum->wrong += one->wrong;
    sum->wrong_occlusion += one->wrong_occlusion;
    sum->wrong_end += one->wrong_end;
    sum->wrong_parted += one->wrong_parted;
    sum->followed += one->followed;
    sum->to_follow += one->to_follow;
}

/* Scenes with the seeds from options->seed on, linked and compared. */
static inline ng_status scene_run(const scene_options *options, size_t scenes, scene_sum *sum,
                                  ng_error *err)
{
    const ng_track_options how = ng_track_defaults();
    ng_status status = NG_OK;
    *sum = (scene_sum){.merges = 0};
    for (size_t i = 0; i < scenes && status == NG_OK; i++) {
        scene_options o = *options;
        o.seed += i;
        scene s = scene_make(&o);
        ng_tracking t = {0};
        status = ng_track_link(&s.particles, &how, NULL, &t, NULL, err);
        if (status == NG_OK) {
            const scene_score one = scene_compare(&s, &t);
            scene_add(&sum->score, &one);
        }
        sum->merges += s.n_merges;
        sum->passes += o.occluded;
        sum->parted += s.n_parted;
        sum->ends += s.n_ends;
        ng_tracking_free(&t);
        scene_free(&s);
    }
    return status;
}

#endif
