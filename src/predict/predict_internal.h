/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of room predict share. */
#ifndef NUCGROW_PREDICT_INTERNAL_H
#define NUCGROW_PREDICT_INTERNAL_H

#include <nucgrow/predict.h>

/* ---- start.c ----------------------------------------------------------------------------- */

/* Probability of every size from n_min on into `density` (count rows, sum 1). Returns the share
 * that lies below n_min and is left out; 1: all of it, `density` is 0. */
double ng_start_fill(const ng_start *start, long n_min, size_t count, double *density);
/* Largest size that matters. */
double ng_start_last(const ng_start *start);
/* A lognormal of this mean and s.d. of ln n, as one point. */
double ng_start_median(double mean_n, double spread);

/* ---- inferred.c: what a fit says of its own movie ---------------------------------------- */

/* One parameter set (0: the estimate, then replicates) with the particles that it goes with. */
typedef struct ng_inferred_set {
    ng_growth_law law;              /* at the temperature of the fit */
    double *uptake_per_s;           /* owned: u at the fit's times */
    double *supersaturation;        /* owned: S at which this law takes up u */
    double *start_n, *start_weight; /* owned: sizes in the first frame, noise taken out */
    size_t n_start;
    double start_spread;
} ng_inferred_set;

typedef struct ng_inferred {
    ng_inferred_set *set; /* owned; [0] is the estimate */
    size_t n_sets;
    double
        *eta_inf2; /* owned, at the fit's times: <dn j>/(<n><j>) of the data; NAN where <j> <= 0 */
    double *seen_mean, *seen_var; /* owned: of the trajectories, noise taken out */
    double start_noise;           /* s.d. of ln n that was taken out of the start */
} ng_inferred;

NG_MUST_CHECK ng_status ng_inferred_make(const ng_fit_file *fit, size_t replicates,
                                         const ng_run *run, ng_inferred *out, ng_warnings *warnings,
                                         ng_error *err);
void ng_inferred_free(ng_inferred *inferred);

/* ---- options.c --------------------------------------------------------------------------- */

NG_MUST_CHECK ng_status ng_predict_check(const ng_predict_options *o, ng_error *err);

/* ---- prediction.c ------------------------------------------------------------------------ */

/* The questions put to the estimate: what is asked, the movie as it was, and what is asked of
 * particles that are all of one size. */
typedef enum ng_question { ASKED, BASE, NARROW, N_QUESTIONS } ng_question;

/* A value with its band; NAN where there is none. */
typedef struct ng_banded {
    double value, lower, upper;
} ng_banded;

/* What is kept of one run of the grid. */
typedef enum ng_grid_column {
    GRID_TIME_S,   /* to the target */
    GRID_SPREAD,   /* of the radius there */
    GRID_SPREAD_N, /* of n there */
    GRID_S,        /* there */
    GRID_LEFT,     /* particles left, there */
    GRID_LEAST,    /* smallest relative spread of the radius after the start */
    GRID_LEAST_S,  /* seconds after the start */
    GRID_LEAST_NM, /* mean radius then */
    GRID_END_NM,   /* mean radius at the end */
    GRID_END_SPREAD,
    GRID_START_SPREAD,
    GRID_COLUMNS
} ng_grid_column;

typedef struct ng_phase_span {
    double start_s, end_s;
    const char *regime;
} ng_phase_span;

struct ng_prediction {
    const ng_fit_file *fit; /* borrowed */
    ng_predict_options options;
    double level;
    ng_inferred inferred;
    ng_predict_clock clock; /* of the run asked for */
    double law_end_s;       /* up to where the law is known; INFINITY: always */
    ng_growth_law law;      /* the estimate at the temperature asked for */
    ng_potential_maximum maximum;

    /* the run: estimates (one a question), then replicates of ASKED */
    size_t n_runs, n_failed;
    double *record; /* owned: rows, shapes and notes of each run, one after the other */
    double *edge;   /* owned, n_bins + 1 */
    size_t n_bins, *shape_at, n_shapes;
    double *law_value;    /* owned: the law in force at output times */
    ng_phase_span *phase; /* owned */
    size_t n_phases;

    /* grid: factor f of run r (estimate, narrow, replicates) at [f * grid_room + r] */
    double *factor; /* owned */
    size_t n_grid, grid_runs, grid_room;
    double *grid;            /* owned, x GRID_COLUMNS */
    double *grid_duration_s; /* owned, per factor */

    char *answer[8]; /* owned */
    size_t n_answers;
    char *reason[8]; /* owned: why the verdict is not green */
    size_t n_reasons;
    bool trusted;
    double *forward_n;                /* owned: mean, then variance, at the fit's times */
    double forward_mean, forward_var; /* largest deviation of the mean, median of the variance */
};

/* Numbers that a law's knots need (cases.c). */
size_t ng_case_knots(const ng_prediction *p);
/* One question to one parameter set, the law times `factor`; `knots` holds ng_case_knots numbers,
 * `narrow` one. */
ng_predict_case ng_case_make(const ng_prediction *p, ng_question question, size_t set,
                             double factor, double *knots, double *narrow);
/* Mean size of the particles that a question starts from. */
double ng_case_start_mean(const ng_prediction *p, ng_question question);
/* Seconds that a run takes whose law is `factor` times the one asked for. */
double ng_case_duration(const ng_prediction *p, double factor);

/* Fill the grid (grid.c). */
NG_MUST_CHECK ng_status ng_prediction_fill_grid(ng_prediction *p, const ng_run *run, ng_error *err);

/* What a run's record ends with. */
typedef enum ng_run_note {
    NOTE_FAILED,
    NOTE_BELOW,
    NOTE_N_MAX,
    NOTE_BALANCE,
    NOTE_HELD_S,
    N_NOTES
} ng_run_note;

double ng_prediction_note(const ng_prediction *p, size_t run, ng_run_note note);
/* Shares of the particles in the bins at shape k. */
const double *ng_prediction_shape(const ng_prediction *p, size_t run, size_t k);
/* Row of a run at an output time. */
const double *ng_prediction_row(const ng_prediction *p, size_t run, size_t time);
double ng_prediction_time(const ng_prediction *p, size_t time);
/* f(row) of the estimate with the band of the replicates. */
typedef double ng_row_value(const double *row);
ng_banded ng_prediction_band(const ng_prediction *p, size_t time, ng_row_value *value);
/* The same for a column of the grid. */
ng_banded ng_prediction_grid(const ng_prediction *p, size_t factor, ng_grid_column column);
/* Percentile band of values that are finite (sorted in place), widened to hold `value`. */
ng_banded ng_band_of(double value, double *replicate, size_t n, double level);

double ng_row_radius(const double *row);
double ng_row_spread(const double *row);   /* s.d. over mean of the radius */
double ng_row_spread_n(const double *row); /* of n */

/* ---- answer.c ---------------------------------------------------------------------------- */

/* Plain sentences, reasons, warnings. */
NG_MUST_CHECK ng_status ng_prediction_say(ng_prediction *p, ng_warnings *warnings, ng_error *err);

#endif
