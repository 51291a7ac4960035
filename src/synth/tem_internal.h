/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of the synthetic electron microscope share. */
#ifndef NUCGROW_SYNTH_TEM_INTERNAL_H
#define NUCGROW_SYNTH_TEM_INTERNAL_H

#include "synth_internal.h"

/* Streams of a seed beyond those of the particles (2i, 2i+1; at most a million particles). */
enum { NG_TEM_STREAM_DRIFT = 0x40000000, NG_TEM_STREAM_NOISE, NG_TEM_STREAM_PAIRS };

/* Where the specimen lies in the picture, per frame; zero in frame 0. Owned. */
typedef struct ng_tem_drift {
    double *x_nm, *y_nm;
} ng_tem_drift;

NG_MUST_CHECK ng_status ng_tem_drift_draw(const ng_synth_tem_options *options, uint64_t seed,
                                          ng_tem_drift *out, ng_error *err);
void ng_tem_drift_free(ng_tem_drift *drift);

/* NG_INVALID with the first option that is out of its range. */
NG_MUST_CHECK ng_status ng_tem_check(const ng_synth_tem_options *options, ng_error *err);
struct json_t *ng_tem_options_json(const ng_synth_tem_options *options);

typedef enum ng_tem_life { NG_TEM_UNBORN, NG_TEM_ALIVE, NG_TEM_GONE } ng_tem_life;

typedef struct ng_tem_particle {
    ng_synth_growth growth;
    ng_synth_random motion;
    double x_nm, y_nm;           /* on the specimen, from the corner of the picture of frame 0 */
    double radius_nm;            /* now */
    double last_x_nm, last_y_nm; /* one frame ago */
    double dissolve_at_s;        /* INFINITY: never */
    double dissolve_from;        /* monomers when that began */
    ng_tem_life life;
} ng_tem_particle;

/* All particles, and what happens to them from frame to frame. */
typedef struct ng_tem_world {
    const ng_synth_tem_options *options; /* borrowed */
    ng_synth_rates rates;
    ng_tem_particle *particle; /* owned, by number */
    size_t n;
    ng_tem_particle **order;      /* owned: scratch, the live ones by x */
    double low_nm[2], high_nm[2]; /* borders of the specimen */
    ng_synth_random pairs;        /* which pairs merge */
    size_t dissolved;
} ng_tem_world;

/* What happened in a step, all over the specimen. */
typedef void ng_tem_happened(void *context, const ng_event *event, double x_nm, double y_nm);

NG_MUST_CHECK ng_status ng_tem_world_open(const ng_synth_tem_options *options, uint64_t seed,
                                          const ng_tem_drift *drift, ng_tem_world *world,
                                          ng_error *err);
void ng_tem_world_free(ng_tem_world *world);
/* From the frame before to this one (frame 0: who is there at the start). */
NG_MUST_CHECK ng_status ng_tem_world_step(ng_tem_world *world, long frame,
                                          ng_tem_happened *happened, void *context, ng_error *err);
/* Monomers of a particle. */
double ng_tem_monomers(const ng_tem_particle *particle);

#endif
