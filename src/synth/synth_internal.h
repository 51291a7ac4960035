/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of room synth share. */
#ifndef NUCGROW_SYNTH_INTERNAL_H
#define NUCGROW_SYNTH_INTERNAL_H

#include <gsl/gsl_integration.h>

#include <nucgrow/synth.h>

/* ---- random.c (draws of inner loops: synth_random.h) ---- */

/* Generator of the event loop, where GSL's call through a pointer would cost a third of the time:
 * xoshiro256++ (Blackman, Vigna, ACM Trans. Math. Softw. 47, 36 (2021)). */
typedef struct ng_synth_random {
    uint64_t word[4];
} ng_synth_random;

/* Start where `source` stands; takes eight numbers from it. */
ng_synth_random ng_synth_random_from(gsl_rng *source);
/* A generator of its own for every key of one base. */
ng_synth_random ng_synth_random_keyed(const ng_synth_random *base, uint64_t key);
/* Two independent standard normal numbers. */
void ng_synth_normal_pair(ng_synth_random *random, double pair[2]);
/* Poisson number of `mean` in 0 .. 1e9; exact, and a tenth of the time of GSL's at mean 100. */
long ng_synth_poisson(double mean, ng_synth_random *random);

/* What turns electrons, or photons, into numbers. */
typedef struct ng_synth_camera {
    double gain, offset;
    bool noise;
} ng_synth_camera;

/* Counts of one pixel: whole, in what 16 bits hold; those beyond are counted. */
float ng_synth_counts(const ng_synth_camera *camera, double electrons, ng_synth_random *random,
                      size_t *clipped);

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

/* ---- grow.c ---- */

/* What drives one particle. */
typedef struct ng_synth_growth {
    const ng_synth_ensemble_options *options; /* borrowed */
    ng_synth_rates *rates;                    /* borrowed; grows with the particle */
    ng_synth_random random;
    ng_synth_state state;
    bool dissolved; /* fell below NG_SYNTH_N_MIN; stays where it was then */
} ng_synth_growth;

/* Draw size, time of birth (state.time_s) and the generator of the growth; `options` and `rates`
 * are set. */
void ng_synth_growth_start(ng_synth_growth *g, gsl_rng *rng);
/* Let it grow to `end_s`, or until it dissolves. */
NG_MUST_CHECK ng_status ng_synth_growth_until(ng_synth_growth *g, double end_s, ng_error *err);

/* ---- options.c ---- */

/* NG_INVALID unless `value` lies in its range; and what the lists of options make of it. A BOOL
 * cannot be out of range. */
NG_MUST_CHECK ng_status ng_synth_check_range(const char *name, double value, double min, double max,
                                             ng_error *err);
#define NG_SYNTH_CHECK_REAL(name, value, min, max, err)                                            \
    ng_synth_check_range(name, value, min, max, err)
#define NG_SYNTH_CHECK_INT(name, value, min, max, err)                                             \
    ng_synth_check_range(name, (double)(value), min, max, err)
#define NG_SYNTH_CHECK_BOOL(name, value, min, max, err) NG_OK
#define NG_SYNTH_JSON_REAL(value) ng_json_real(value)
#define NG_SYNTH_JSON_INT(value) json_integer(value)
#define NG_SYNTH_JSON_BOOL(value) json_boolean(value)

/* NG_INVALID with the first option that is out of its range: those of the growth and the schedule,
 * or those of the measurement as well. */
NG_MUST_CHECK ng_status ng_synth_growth_check(const ng_synth_ensemble_options *options,
                                              ng_error *err);
NG_MUST_CHECK ng_status ng_synth_ensemble_check(const ng_synth_ensemble_options *options,
                                                ng_error *err);
struct json_t *ng_synth_ensemble_options_json(const ng_synth_ensemble_options *options);

/* ---- watch.c: what the microscope makes of a particle ---- */

/* Measure one particle whose size in frame f is true_n[f] (0: not there). Points and their true
 * sizes go to `point` and `n_true` (options->frames places each); returns how many there are. */
size_t ng_synth_watch(const ng_synth_ensemble_options *options, const int32_t *true_n, gsl_rng *rng,
                      ng_track_point *point, double *n_true);

/* ---- disk.c: a blurred disk, integrated over pixels ---- */

/* In pixels; the centre of pixel (0, 0) is (0, 0). */
typedef struct ng_synth_disk {
    double x, y, radius;
} ng_synth_disk;

/* Rows first .. end-1 of a picture; `cover` (borrowed) holds (end - first) * width numbers. */
typedef struct ng_synth_rows {
    size_t first, end, width;
    double *cover;
} ng_synth_rows;

/* Scratch of one worker; starts zeroed. */
typedef struct ng_synth_disk_nodes {
    gsl_integration_glfixed_table *table; /* owned */
    double *share;                        /* owned: two lines of `pixels` numbers */
    size_t pixels;
} ng_synth_disk_nodes;

void ng_synth_disk_nodes_free(ng_synth_disk_nodes *nodes);
/* Could the disk change any of these rows? */
bool ng_synth_disk_touches(const ng_synth_disk *disk, double blur, const ng_synth_rows *rows);
/* Add the part of each pixel that the disk, blurred by a Gaussian of standard deviation `blur`,
 * covers. */
NG_MUST_CHECK ng_status ng_synth_disk_draw(const ng_synth_disk *disk, double blur,
                                           ng_synth_disk_nodes *nodes, ng_synth_rows *rows,
                                           ng_error *err);

/* ---- tem_world.c ---- */

/* Back into [low, high]: the walls reflect. */
double ng_synth_reflect(double x, double low, double high);

#endif
