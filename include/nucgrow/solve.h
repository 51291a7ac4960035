/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/solve.h
 * Room `solve`: the master equation forward in time. May include base and physics.
 *
 * Sizes are monomer numbers n_min..n_max in unit steps; row i of a table is n = n_min + i. Rates as
 * in nucgrow/physics.h: `attach` is k_n^a rho_1inf (at the solubility, times S in solution),
 * `detach` is k_n^d. J_n = S k_n^a rho_n - k_{n+1}^d rho_{n+1}, d rho_n/dt = J_{n-1} - J_n.
 * Equations, methods and measured accuracy: docs/master-equation.md.
 */
#ifndef NUCGROW_SOLVE_H
#define NUCGROW_SOLVE_H

#include <nucgrow/base.h>
#include <nucgrow/physics.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a quantity that changes with time ------------------------------------------------------- */

typedef enum ng_law_kind {
    NG_LAW_CONSTANT,
    NG_LAW_DECAY,   /* value exp(-rate_per_s (t - start_s)), `value` before start_s */
    NG_LAW_RAMP,    /* `value` until start_s, `end_value` from end_s, linear between */
    NG_LAW_TABLE,   /* linear between knots, constant outside */
    NG_LAW_FUNCTION /* whatever the caller computes */
} ng_law_kind;

typedef double ng_law_function(const void *context, double time_s);

/** A supersaturation, a nucleation rate, a supply of monomers over time. All zero: nothing. */
typedef struct ng_time_law {
    ng_law_kind kind;
    double value, end_value;
    double start_s, end_s;
    double rate_per_s;
    const double *knot_s, *knot; /* TABLE: borrowed; times strictly increasing */
    size_t n_knots;              /* >= 1 */
    ng_law_function *function;   /* FUNCTION: called between steps, in time's order or backwards */
    const void *context;         /* borrowed */
} ng_time_law;

ng_time_law ng_law_constant(double value);
/** First-order decay from t = 0: a precursor that releases monomers. */
ng_time_law ng_law_decay(double value, double rate_per_s);
ng_time_law ng_law_ramp(double value, double end_value, double start_s, double end_s);
/** Knots are borrowed. */
ng_time_law ng_law_table(const double *time_s, const double *value, size_t n);
ng_time_law ng_law_from(ng_law_function *function, const void *context);

double ng_law_value(const ng_time_law *law, double time_s);
/** Integral from `from_s` to `to_s`, exact; NAN for NG_LAW_FUNCTION. */
double ng_law_integral(const ng_time_law *law, double from_s, double to_s);
/** The next time after `time_s` where the law has a kink; INFINITY when there is none. */
double ng_law_next_kink(const ng_time_law *law, double time_s);
/** NG_INVALID when a number of the law is not finite, times do not rise, or (`negative` false) a
 *  value lies below 0; `what` begins the message ("the supersaturation"). */
NG_MUST_CHECK ng_status ng_law_check(const ng_time_law *law, const char *what, bool negative,
                                     ng_error *err);

/* ---- sizes and rates ------------------------------------------------------------------------- */

/** Below this monomer number the lattice model of particles means nothing. */
#define NG_SOLVE_N_MIN 50
/** Largest number of sizes. */
#define NG_SOLVE_SIZES_MAX 10000000

/** The sizes of a run. */
typedef struct ng_size_range {
    long n_min, n_max;
    bool below_50; /* n_min < 50 is wanted: warned about instead of refused */
} ng_size_range;

/** n_max - n_min + 1. */
size_t ng_size_count(const ng_size_range *sizes);
/** NG_INVALID when the range is empty, too long, or begins below 50 without `below_50`; with it, a
 *  warning `below-50`. */
NG_MUST_CHECK ng_status ng_size_range_check(const ng_size_range *sizes, ng_warnings *warnings,
                                            ng_error *err);

/**
 * Rates of every size of a range, 1/s, by ng_attachment_rate and ng_detachment_rate.
 *
 * Given:    parameters, shape number (1..2), sigma_s in nm, a range that ng_size_range_check likes.
 * Returned: attach and detach, the caller's arrays of ng_size_count(sizes).
 * Errors:   NG_DOMAIN when a rate is not finite (shape or radius out of range, wild parameters).
 */
NG_MUST_CHECK ng_status ng_size_rates(const ng_growth_parameters *p, double delta,
                                      double sigma_s_nm, const ng_size_range *sizes,
                                      double *attach, double *detach, ng_error *err);

/** What a distribution over sizes amounts to. */
typedef struct ng_size_state {
    double time_s;
    double supersaturation;
    double number;        /* sum rho_n */
    double mass;          /* sum n rho_n: monomers in particles */
    double mean_n, var_n; /* NAN where there are none */
    double nucleated;     /* particles that entered at n_min since the start */
    double dissolved;     /* particles that left below n_min since the start */
} ng_size_state;

/* ---- master equation with given S(t) --------------------------------------------------------- */

/** Most parameter sets that one object solves side by side. */
#define NG_MASTER_SETS_MAX 4

typedef struct ng_master_options {
    ng_size_range sizes;
    size_t sets;      /* parameter sets solved together, 1..4; 2 cost what 4 cost */
    int order;        /* 2 (SDIRK2, limited to stay positive) or 1 (implicit Euler) */
    double step_s;    /* longest time step, > 0 */
    double window;    /* rows below this share of the peak are left out, 0..1e-10; 0: none */
    double top_share; /* share of the particles at n_max that is an error, 0..1 */
    bool keep_flux;   /* keep J_n of the last step for ng_master_flux */
} ng_master_options;

/** n 50..10000, one set, order 2, steps of 0.25 s, window 1e-30, top share 1e-9. */
ng_master_options ng_master_defaults(void);

/** Distributions of one or several parameter sets, and all scratch of the step: stepping allocates
 *  nothing. */
typedef struct ng_master ng_master;

/** Owned: ng_master_destroy. Starts at time 0, empty, with all rates and laws 0.
 *  @return NG_INVALID with the option that is out of range, NG_MEMORY */
NG_MUST_CHECK ng_status ng_master_create(const ng_master_options *options, ng_master **out,
                                         ng_warnings *warnings, ng_error *err);
void ng_master_destroy(ng_master *m);

/** Rates of a set (copied): count rows each, 1/s, finite and >= 0. May be called between steps: a
 *  shape that changes slowly. @return NG_INVALID with the size */
NG_MUST_CHECK ng_status ng_master_set_rates(ng_master *m, size_t set, const double *attach,
                                            const double *detach, ng_error *err);
/** S(t) and the number of particles that appear at n_min each second (NULL: none); what the laws
 *  point to is borrowed. @return NG_INVALID when a law is wrong or negative */
NG_MUST_CHECK ng_status ng_master_set_laws(ng_master *m, size_t set,
                                           const ng_time_law *supersaturation,
                                           const ng_time_law *nucleation, ng_error *err);
/** Distribution of a set (copied): count rows, any unit, finite and >= 0. Counts start anew.
 *  @return NG_INVALID with the size */
NG_MUST_CHECK ng_status ng_master_set_density(ng_master *m, size_t set, const double *density,
                                              ng_error *err);
void ng_master_set_time(ng_master *m, double time_s);

/**
 * Advance all sets to a time in even steps of at most step_s.
 *
 * Method:   order 2: SDIRK2 (Alexander 1977; gamma = 1 - 1/sqrt 2, L-stable). Where a step leaves
 *           more than 1e-14 of the particles negative, its fluxes are limited towards those of
 *           implicit Euler (Zalesak 1979) so far that nothing is negative; less is evened out with
 *           the neighbours. Order 1: implicit Euler, positive by itself. Each stage is one sweep
 *           without a subtraction from both ends of the occupied sizes.
 * Ends:     particles fall out below n_min and are counted; n_max is closed.
 * Errors:   NG_INVALID when S or the nucleation rate is negative or not finite at a stage, or when
 *           more than top_share of the particles have gathered at n_max (sizes beyond the grid);
 *           NG_NUMERIC when a density is not finite. The state is then that of the last step.
 */
NG_MUST_CHECK ng_status ng_master_advance(ng_master *m, double time_s, ng_error *err);

/** Called at each time wanted; false cancels. */
typedef bool ng_master_sink(void *context, size_t index, const ng_master *m);

/** Advance to each of `time_s` (not decreasing) and hand the state over.
 *  @return as ng_master_advance; NG_CANCELLED when the sink or the progress of `run` (may be NULL)
 *  says so. */
NG_MUST_CHECK ng_status ng_master_run(ng_master *m, const double *time_s, size_t n,
                                      ng_master_sink *sink, void *context, const ng_run *run,
                                      ng_error *err);

void ng_master_state(const ng_master *m, size_t set, ng_size_state *out);
/** Density of every size into the caller's array of count rows. */
void ng_master_density(const ng_master *m, size_t set, double *density);
/** Mean of J_n over the last step, 1/s: row 0 is what entered at n_min (less what left below it),
 *  row i + 1 is J of size n_min + i; the caller's array of count + 1 rows. All 0 without keep_flux.
 *  Densities of the step differ by exactly these, but for rounding. */
void ng_master_flux(const ng_master *m, size_t set, double *flux_per_s);
/** What the particles of a set exchange with the solution, monomers a second: they take up
 *  S `attach` and give back `detach`. */
typedef struct ng_exchange {
    double number, mass; /* as ng_size_state has them, plainly summed */
    double attach;   /* sum k_n^a rho_1inf rho_n; nothing attaches at n_max */
    double detach;   /* sum k_n^d rho_n, n_min times at n_min: what falls apart there gives all */
    double attach_n; /* sum n k_n^a rho_1inf rho_n */
    double detach_n; /* sum n k_n^d rho_n */
    double detach_events; /* sum k_n^d rho_n */
    double top;           /* density at n_max */
} ng_exchange;

/** All sets in one pass over the occupied sizes, into the caller's array of `sets`. */
void ng_master_exchange(const ng_master *m, ng_exchange *out);
/** sum n^q rho_n / sum rho_n; NAN where there are no particles. */
double ng_master_moment(const ng_master *m, size_t set, int q);

/** How the stepping went. */
typedef struct ng_master_work {
    size_t steps;
    size_t limited_steps;  /* with at least one set limited towards Euler */
    double occupied_sizes; /* mean over the steps */
} ng_master_work;

ng_master_work ng_master_work_done(const ng_master *m);
/** Add `dissolved` and `top` where particles left below n_min or gathered at n_max. */
void ng_master_warn(const ng_master *m, ng_warnings *warnings);

/* ---- mass-coupled: monomers are used up ------------------------------------------------------ */

typedef struct ng_coupled_options {
    ng_size_range sizes;
    double relative_tolerance; /* 1e-12..0.1 */
    double absolute_tolerance; /* of the density of a size, over the largest one at the start; of
                                  the monomers, over the solubility; > 0 */
    double top_share;          /* as ng_master_options */
    double dimer_rate_per_s;   /* n_min = 2 only: k_1^a rho_1inf, monomers that pair up; 0: none */
    long max_steps;            /* of one ng_coupled_advance */
} ng_coupled_options;

/** n 50..10000, tolerances 1e-8 and 1e-12, top share 1e-9, no dimers, 100000 steps. */
ng_coupled_options ng_coupled_defaults(void);

/** Monomers and particles together; densities in units of the solubility. */
typedef struct ng_coupled ng_coupled;

/** Rates as for ng_master_set_rates (copied). Owned: ng_coupled_destroy.
 *  @return NG_INVALID, NG_MEMORY */
NG_MUST_CHECK ng_status ng_coupled_create(const ng_coupled_options *options, const double *attach,
                                          const double *detach, ng_coupled **out,
                                          ng_warnings *warnings, ng_error *err);
void ng_coupled_destroy(ng_coupled *c);

/** Start at a time from a monomer density (= S, >= 0) and densities of all sizes.
 *  `supply`: monomers a second (may be negative: withdrawal); `nucleation`: particles of n_min a
 *  second, made of n_min monomers each; NULL: none. No NG_LAW_FUNCTION. @return NG_INVALID */
NG_MUST_CHECK ng_status ng_coupled_start(ng_coupled *c, double time_s, double monomers,
                                         const double *density, const ng_time_law *supply,
                                         const ng_time_law *nucleation, ng_error *err);

/**
 * Advance to a later time.
 *
 * Equation: d rho_1/dt = supply - n_min B - sum_{n >= n_min} J_n, B = nucleation - k^d rho at n_min
 *           (+ S k_1^a rho_1 for dimers): what dissolves below n_min returns all its monomers.
 * Method:   CVODES (BDF, orders 1 to 5); each Newton iteration solves tridiagonal + one dense row
 *           and column by one sweep with two right sides. The unknown is rho_1 less the supply so
 *           far, so that the total mass is right to rounding for any supply.
 * Errors:   NG_INVALID when the monomers would become negative (more is withdrawn than there is) or
 *           sizes reach n_max; NG_NUMERIC when CVODES gives up, with what it says, or leaves
 *           densities below -1000 absolute tolerances.
 * Source:   Hindmarsh et al., ACM Trans. Math. Softw. 31, 363 (2005).
 */
NG_MUST_CHECK ng_status ng_coupled_advance(ng_coupled *c, double time_s, ng_error *err);

/** `dissolved` is net of dimers formed; supersaturation and densities may lie below zero by a few
 *  absolute tolerances. */
void ng_coupled_state(const ng_coupled *c, ng_size_state *out);
/** Monomers supplied since the start. */
double ng_coupled_supplied(const ng_coupled *c);
void ng_coupled_density(const ng_coupled *c, double *density);

/** What CVODES did since the start. */
typedef struct ng_coupled_work {
    long steps, sweeps, rate_calls;
} ng_coupled_work;

ng_coupled_work ng_coupled_work_done(const ng_coupled *c);
/** Add `dissolved` and `top` where particles left below n_min or gathered at n_max. */
void ng_coupled_warn(const ng_coupled *c, ng_warnings *warnings);

#ifdef __cplusplus
}
#endif
#endif
