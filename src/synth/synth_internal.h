/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of room synth share. */
#ifndef NUCGROW_SYNTH_INTERNAL_H
#define NUCGROW_SYNTH_INTERNAL_H

#include <nucgrow/synth.h>

/* ---- birth_death.c: one particle as a birth-death process ---- */

/* Rates of one size, 1/s: `up` at supersaturation 1. Side by side, because an event reads both. */
typedef struct ng_synth_rate {
    double up, down;
} ng_synth_rate;

/* Rates of the sizes first .. first + count - 1. */
typedef struct ng_synth_rates {
    long first;
    size_t count;
    ng_synth_rate *rate; /* owned */
} ng_synth_rates;

/* Make the table of the lattice model reach at least size `n`. Values do not depend on the steps in
 * which it grew. */
NG_MUST_CHECK ng_status ng_synth_rates_reserve(ng_synth_rates *rates,
                                               const ng_synth_ensemble_options *options, long n,
                                               ng_error *err);
void ng_synth_rates_free(ng_synth_rates *rates);

/* A stretch of time over which S(t) is linear. */
typedef struct ng_synth_stretch {
    double start_s, end_s;
    double start_supersaturation, slope_per_s;
} ng_synth_stretch;

typedef struct ng_synth_state {
    double time_s;
    long n;
    uint64_t events;
} ng_synth_state;

/* Generator of the event loop, where GSL's call through a pointer would cost a third of the time:
 * xoshiro256++ (Blackman, Vigna, ACM Trans. Math. Softw. 47, 36 (2021)). */
typedef struct ng_synth_random {
    uint64_t word[4];
} ng_synth_random;

/* Start where `source` stands; takes eight numbers from it. */
ng_synth_random ng_synth_random_from(gsl_rng *source);

typedef enum ng_synth_stop {
    NG_SYNTH_END,   /* the stretch is over: time_s == end_s */
    NG_SYNTH_BELOW, /* n fell below the table */
    NG_SYNTH_ABOVE, /* n rose beyond the table: extend it and go on with the same stretch */
    NG_SYNTH_SPENT  /* max_events were reached */
} ng_synth_stop;

/* Let the particle attach and detach monomers from state->time_s (inside the stretch) to the end of
 * the stretch. Exact: no time step. */
ng_synth_stop ng_synth_advance(const ng_synth_rates *rates, const ng_synth_stretch *stretch,
                               uint64_t max_events, ng_synth_random *random, ng_synth_state *state);

/* ---- schedule.c ---- */

/* S at a time. */
double ng_synth_supersaturation(const ng_synth_ensemble_options *options, double time_s);
/* The linear stretch from `time_s` to the next knot, at the latest to `end_s`. */
ng_synth_stretch ng_synth_schedule_stretch(const ng_synth_ensemble_options *options, double time_s,
                                           double end_s);

/* NG_INVALID when times do not rise or S leaves its range; `where` begins the message. */
NG_MUST_CHECK ng_status ng_synth_knots_check(const double *time_s, const double *supersaturation,
                                             size_t n, const char *where, ng_error *err);

/* ---- options.c ---- */

/* NG_INVALID with the first option that is out of its range. */
NG_MUST_CHECK ng_status ng_synth_ensemble_check(const ng_synth_ensemble_options *options,
                                                ng_error *err);
struct json_t *ng_synth_ensemble_options_json(const ng_synth_ensemble_options *options);

/* ---- watch.c: what the microscope makes of a particle ---- */

/* Measure one particle whose size in frame f is true_n[f] (0: not there). Points and their true
 * sizes go to `point` and `n_true` (options->frames places each); returns how many there are. */
size_t ng_synth_watch(const ng_synth_ensemble_options *options, const int32_t *true_n, gsl_rng *rng,
                      ng_track_point *point, double *n_true);

#endif
