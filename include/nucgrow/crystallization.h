/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/crystallization.h
 * Room `solve`: nucleation and growth at the same time: the ensemble's free energy, how much the
 * two overlap, and cohorts of crystals that share or divide a solution. May include base, physics.
 *
 * Numbers of crystals are per field of view. Energies are in units of G*, the barrier of one
 * nucleus.
 */
#ifndef NUCGROW_CRYSTALLIZATION_H
#define NUCGROW_CRYSTALLIZATION_H

#include <nucgrow/crystal.h>
#include <nucgrow/solve.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- conditions ------------------------------------------------------------------------------ */

typedef enum ng_growth_kind {
    NG_GROWTH_PARABOLIC, /* r^2 = r*^2 + 2 B t, until final_nm */
    NG_GROWTH_DEPLETION, /* dr/dt = B (1-(r/r_f)^3)/r from r* on */
    NG_GROWTH_SUGIMOTO   /* dr/dt = (B R/r)(1/R - 1/r) from 1.01 R = 1.01 r* on, until final_nm */
} ng_growth_kind;
const char *ng_growth_kind_name(ng_growth_kind kind); /* "parabolic", "depletion", "sugimoto" */

/** How crystals are born and grow at one precursor concentration. */
typedef struct ng_conditions {
    double critical_nm;       /* r*: radius at birth */
    double product_nm2_per_s; /* B = D V_m dC */
    double final_nm;          /* r_f > r*; INFINITY: no end (parabolic, sugimoto) */
    ng_growth_kind growth;
    double births_per_s; /* N' while nucleation lasts */
    double nucleation_s; /* how long it lasts */
} ng_conditions;

/** Those that cohere with [Liu] at C0: r* 0.585 nm, d(r^2)/dt 0.289 nm^2/s, r_f 1.5 nm, 700 births
 *  in 45 s, parabolic growth. */
ng_conditions ng_conditions_liu(void);

/**
 * The same at `concentration` times the precursor.
 *
 * Scaling (nucgrow's own, docs/perovskite.md): N' ~ c^order, B ~ c, a crystal drains the cell that
 * diffusion clears before a neighbour is born, so cells ~ N'^(-3/5), r_f^3 ~ c cells, the number of
 * crystals ~ N'^(3/5). `order` 4.5 gives the three final radii of [Liu] to 3 %.
 */
ng_conditions ng_conditions_scale(const ng_conditions *at_one, double concentration, double order);

/** Phrase that says what is wrong with them; NULL: nothing. Static text. */
const char *ng_conditions_fault(const ng_conditions *c);

/** Radius of a crystal of an age >= 0. */
double ng_conditions_radius(const ng_conditions *c, double age_s);

/* ---- free energy of the ensemble ------------------------------------------------------------- */

/** A stretch of time that holds the middle part of something. */
typedef struct ng_window {
    double from_s, to_s;
} ng_window;

/** Ways to say how much nucleation and growth overlap; all are nucgrow's own. */
typedef struct ng_overlap {
    double windows;       /* common part of the two windows over their union */
    double of_nucleation; /* common part over the window of nucleation */
    double of_growth;     /* common part over the window of growth */
    double densities;     /* int min(N'/N, V'/V) dt */
} ng_overlap;

typedef struct ng_energy {
    size_t n;
    double *time_s; /* from 0; everything here is owned (one block, ng_energy_free) */
    double *births_per_s, *crystals; /* N', N */
    double *nucleation;              /* N G*, in G* */
    double *growth;                  /* int N'(tau) G(r(t-tau)) dtau */
    double *total;
    double *volume;                       /* of all crystals, nm^3 */
    double *oldest_nm;                    /* radius of the first crystal */
    double *mean_nm;                      /* mean radius; critical_nm while there is none */
    double transition_s, transition_nm;   /* total through zero, radius of the oldest; NAN: never */
    double transition_mean_nm;            /* mean radius then */
    double growth_flip_s, growth_flip_nm; /* the growth term alone */
    ng_window births_window, growth_window;
    ng_overlap overlap;
} ng_energy;

/**
 * Free energy over time of crystals born by a law.
 *
 * Equation: G_nuc = N(t) G*, G_growth = int_0^t N'(tau) G(r(t-tau)) dtau, G/G* = 3x^2 - 2x^3,
 *           x = r/r*, by the trapezoidal rule. Windows hold the middle `window` of births
 *           and of the growth of the crystals' volume.
 * Given:    conditions; `births`: N'(t), NULL for births_per_s during nucleation_s; duration_s > 0;
 *           steps 2..20000.
 * Notes:    N' constant and r^2 = r*^2 (1+kt): total zero at kt = 3.211, oldest crystal 2.0520 r*;
 *           the growth term at kt = 2.203, 1.790 r*. With 4000 steps to 1e-6 of the time.
 * @return NG_INVALID (conditions, a law below 0), NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_energy_compute(const ng_conditions *conditions,
                                          const ng_time_law *births, double duration_s,
                                          double window, size_t steps, ng_energy *out,
                                          ng_error *err);
void ng_energy_free(ng_energy *energy);

/** Until the last crystal is full-grown, or has three times the nucleus where growth has no end. */
double ng_conditions_duration(const ng_conditions *c);

/** Numbers that get intervals. */
typedef enum ng_energy_number {
    NG_ENERGY_TRANSITION_S,
    NG_ENERGY_TRANSITION_NM,
    NG_ENERGY_TRANSITION_MEAN_NM,
    NG_ENERGY_FLIP_S, /* the growth term alone */
    NG_ENERGY_FLIP_NM,
    NG_ENERGY_WINDOWS, /* overlaps */
    NG_ENERGY_OF_NUCLEATION,
    NG_ENERGY_OF_GROWTH,
    NG_ENERGY_DENSITIES,
    NG_ENERGY_COMMON_S,   /* common part of the two windows */
    NG_ENERGY_FASTEST_NM, /* where dr/dt by Sugimoto is greatest; sizes focus beyond */
    NG_ENERGY_FASTEST_NM_PER_S,
    NG_N_ENERGY_NUMBERS
} ng_energy_number;
/** NG_N_ENERGY_NUMBERS of them; NAN: never. */
void ng_energy_numbers(const ng_energy *e, const ng_conditions *c, double *out);

/** What there is to know of one concentration. */
typedef struct ng_energy_question {
    ng_conditions conditions;    /* at concentration 1 */
    const ng_time_law *births;   /* there; NULL: those of the conditions */
    double concentration, order; /* ng_conditions_scale */
    double duration_s;           /* NAN: ng_conditions_duration */
    double window;
} ng_energy_question;

/** ng_energy_compute at that concentration. Births that are given go with it as constant ones do:
 *  their rate by its factor, times by that of nucleation_s. `scaled`: the conditions there. */
NG_MUST_CHECK ng_status ng_energy_ask(const ng_energy_question *q, size_t steps, ng_energy *out,
                                      ng_conditions *scaled, ng_error *err);

/** What the conditions rest on. All arrays are borrowed. */
typedef struct ng_energy_knowledge {
    const double *birth_s; /* of single crystals, from 0 to until_s; n_births 0: N' is given */
    size_t n_births;
    double bandwidth_s, until_s;                /* of the kernel that made N' of them */
    const double *product_nm2_per_s, *final_nm; /* of single crystals; final NULL: given */
    size_t n_crystals;                          /* 0: growth is given */
    double radius_scale_se;                     /* s.e. of ln of the scale that all radii share */
    double critical_se_nm;                      /* s.e. of r* */
} ng_energy_knowledge;

typedef struct ng_energy_interval {
    double lower, upper; /* NAN: open, or not known */
} ng_energy_interval;

/**
 * Intervals of the numbers: births and crystals drawn again with return (as many births as a
 * Poisson law gives; medians over crystals), the common scale and r* by normal laws, percentiles.
 * Where a replicate never gets below zero, its transition counts as later than all others.
 * @param estimate  ng_energy_numbers of the question, for what coarser steps of replicates miss
 * @param out       NG_N_ENERGY_NUMBERS; all NAN where nothing is known but given numbers
 * @return NG_MEMORY, NG_CANCELLED
 */
NG_MUST_CHECK ng_status ng_energy_intervals(const ng_energy_question *q,
                                            const ng_energy_knowledge *known,
                                            const double *estimate, size_t replicates, double level,
                                            const ng_run *run, ng_energy_interval *out,
                                            ng_error *err);

/* ---- cohorts of crystals in a solution ------------------------------------------------------ */

typedef enum ng_solution_kind {
    NG_SOLUTION_SHARED, /* well mixed: all crystals draw on one concentration */
    NG_SOLUTION_OWN     /* every crystal drains a cell of its own; births stop where cells are */
} ng_solution_kind;

typedef struct ng_crystallization_options {
    ng_conditions conditions; /* at the start */
    ng_solution_kind solution;
    double supersaturation; /* C/C_inf at the start, > 1 (shared) */
    double barrier;         /* b: N' = births_per_s exp(-b (1/ln^2 S - 1/ln^2 S_0)) (shared) */
    bool burst;             /* all crystals are born in the first step */
    double crystals;        /* own: number of cells. Shared: solute for so many of final_nm */
    double duration_s;
    size_t steps; /* 10..5000 */
} ng_crystallization_options;

/** Continuous births of conditions_liu() in cells of their own. */
ng_crystallization_options ng_crystallization_defaults(void);

/** Crystals by the step they were born in. */
typedef struct ng_crystallization {
    size_t n;                           /* times, = steps + 1 */
    double *time_s;                     /* owned block, ng_crystallization_free */
    double *births;                     /* expected in (time[i-1], time[i]]; [0]: at once */
    double *supersaturation;            /* shared; NAN where every crystal has its own */
    double *crystals, *mean_nm, *sd_nm; /* of all so far */
    double *solute;                     /* matter in crystals over all matter above saturation */
    double *radius_nm;                  /* n x n: [born * n + now], 0 before birth */
} ng_crystallization;

/**
 * Nucleation and growth together, by cohorts.
 *
 * Shared: d(r^2)/dt = 2 B (S-1)/(S_0-1), r*(S) = r*_0 ln S_0/ln S at birth, S - 1 falls by the r^3
 * of all crystals over crystals * final_nm^3 / (S_0-1); second-order steps. Own: N = crystals
 * (1 - exp(-births_per_s t/crystals)), every crystal by conditions.growth.
 * Conservation of matter (shared): to 1e-12, for S is what the crystals leave.
 * @return NG_INVALID, NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_crystallize(const ng_crystallization_options *options,
                                       ng_crystallization *out, ng_error *err);
void ng_crystallization_free(ng_crystallization *crystallization);

#ifdef __cplusplus
}
#endif
#endif
