/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tracks of particles that grow, wander and merge by a known law, for tests and benches. */
#ifndef NUCGROW_MERGING_TRACKS_H
#define NUCGROW_MERGING_TRACKS_H

#include <nucgrow/coalescence.h>

#include <gsl/gsl_randist.h>
#include <math.h>

typedef struct merging_tracks {
    ng_tracks tracks;
    ng_events events;
} merging_tracks;

/* A published-like truth: thin sink, supply until 80 s, from 10 to 180 s. */
static inline ng_coalescence_model merging_truth(void)
{
    ng_coalescence_options o = ng_coalescence_published();
    ng_coalescence_model m = {.laws = o.laws,
                              .contact = NG_PAIR_REFLECTING,
                              .size_factor = 1.0,
                              .start_s = 10.0,
                              .cells = 400,
                              .step_s = 0.25};
    const double p[NG_N_COALESCENCE] = {12.0, 0.1, 1.5, 8.0, 3.1, 44.0, 1.0, 3.6e-3, 80.0};
    for (size_t i = 0; i < NG_N_COALESCENCE; i++) {
        m.parameter[i] = p[i];
    }
    return m;
}

static inline void merging_free(merging_tracks *m)
{
    ng_tracks_free(&m->tracks);
    ng_events_free(&m->events);
}

/* One track: radius sigma/2 with its own factor; its distance from the start makes D_r(t). */
static inline void merging_walk(const ng_coalescence_model *truth, const double *time_s,
                                size_t from, size_t to, gsl_rng *rng, ng_track_point *point)
{
    const double factor = 1.0 + 0.08 * gsl_ran_gaussian(rng, 1.0);
    const double way_x = gsl_ran_gaussian(rng, 1.0), way_y = gsl_ran_gaussian(rng, 1.0);
    const double x = 200.0 * gsl_rng_uniform(rng), y = 200.0 * gsl_rng_uniform(rng);
    for (size_t f = from; f < to; f++) {
        const double far =
            sqrt(ng_coalescence_diffusion(&truth->laws, time_s[f]) * (time_s[f] - time_s[from]));
        point[f - from] = (ng_track_point){
            .frame = (long)f,
            .time_s = time_s[f],
            .x_nm = x + way_x * far,
            .y_nm = y + way_y * far,
            .radius_nm = 0.5 * factor * ng_coalescence_contact(&truth->laws, time_s[f]),
            .radius_se_nm = (double)NAN,
        };
    }
}

/* `particles` at the start, then births and merges by the truth's own rates. NG_MEMORY */
static inline ng_status merging_make(const ng_coalescence_model *truth, size_t particles,
                                     size_t frames, uint64_t seed, merging_tracks *out,
                                     ng_error *err)
{
    const size_t room = 4 * particles;
    const double *p = truth->parameter, start = (double)particles;
    double *time_s = NG_NEW(double, 3 * frames), *rate = time_s + frames, *A = rate + frames;
    size_t *from = NG_NEW(size_t, 2 * room), *to = from + room, n = particles, points = 0;
    gsl_rng *rng = ng_random_open(seed, 0);
    *out = (merging_tracks){.tracks = {.frame_s = 1.0, .pixel_nm = (double)NAN}};
    out->events.item = NG_NEW(ng_event, room);
    for (size_t f = 0; f < frames; f++) {
        time_s[f] = truth->start_s + (double)f;
    }
    ng_status status = ng_coalescence_run(truth, time_s, frames, rate, A, err);
    for (size_t i = 0; i < room; i++) {
        to[i] = frames;
    }
    for (size_t f = 1; f < frames && status == NG_OK; f++) {
        const double births = time_s[f] <= p[NG_COALESCENCE_TP] ? start * p[NG_COALESCENCE_P0] : 0;
        const double merges = start * p[NG_COALESCENCE_DENSITY] * rate[f] * A[f] * A[f];
        for (unsigned k = gsl_ran_poisson(rng, births); k > 0 && n < room; k--) {
            from[n++] = f;
        }
        for (unsigned k = gsl_ran_poisson(rng, merges); k > 0;) {
            const size_t a = gsl_rng_uniform_int(rng, n), b = gsl_rng_uniform_int(rng, n);
            if (a == b || to[a] < frames || to[b] < frames || from[a] + 2 > f || from[b] + 2 > f) {
                continue;
            }
            to[a] = f;
            out->events.item[out->events.n++] =
                (ng_event){.kind = NG_EVENT_MERGE,
                           .frame = (long)f,
                           .time_s = time_s[f],
                           .track = (long)a + 1,
                           .partner = (long)b + 1,
                           .into = (long)b + 1,
                           .radius1_nm = (double)NAN,
                           .radius2_nm = (double)NAN,
                           .distance_nm = ng_coalescence_contact(&truth->laws, time_s[f]) +
                                          p[NG_COALESCENCE_L]};
            k--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        points += to[i] - from[i];
    }
    out->tracks.track = NG_NEW(ng_track, n);
    out->tracks.point = NG_NEW(ng_track_point, points);
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        const size_t first = out->tracks.n_points;
        merging_walk(truth, time_s, from[i], to[i], rng, &out->tracks.point[first]);
        out->tracks.track[i] =
            (ng_track){.id = (long)i + 1, .group = -1, .first = first, .n = to[i] - from[i]};
        out->tracks.n_points += to[i] - from[i];
    }
    out->tracks.n_tracks = n;
    ng_random_close(rng);
    ng_free(time_s);
    ng_free(from);
    return status;
}

#endif
