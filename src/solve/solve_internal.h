/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the modules of room solve share. */
#ifndef NUCGROW_SOLVE_INTERNAL_H
#define NUCGROW_SOLVE_INTERNAL_H

#include <nucgrow/solve.h>

/* ---- sizes.c --------------------------------------------------------------------------------- */

/* NG_INVALID with the first row that is negative or not finite. */
NG_MUST_CHECK ng_status ng_solve_check_rows(const double *row, size_t count, long n_min,
                                            const char *what, ng_error *err);

/* One column of a table: rows begin..end of value[row * stride] are not zero. */
typedef struct ng_solve_rows {
    const double *value;
    size_t begin, end, stride;
    long n_min;
} ng_solve_rows;

/* Fill number, mass, mean_n, var_n. */
void ng_solve_sums(const ng_solve_rows *rows, ng_size_state *out);
/* Warnings `dissolved` and `top` (density at the largest size). */
void ng_solve_warn(const ng_size_state *state, double top, const ng_size_range *sizes,
                   ng_warnings *warnings);

/* ---- subnormal.c: numbers below 1e-308 cost a hundred times more than others ----------------- */

/* Let them be zero in this thread from now on; returns what ng_subnormal_restore takes. */
unsigned ng_subnormal_flush(void);
void ng_subnormal_restore(unsigned mode);

/* ---- sweep.c: one implicit stage ------------------------------------------------------------- */

/* (I - step A) x = scale_u u + scale_v v on rows begin..end, A the master equation's matrix. Tables
 * hold `lanes` sets side by side: row i of set l is [i * lanes + l]. Nothing passes the upper end;
 * nothing passes the lower one unless it is row 0. */
typedef struct ng_sweep {
    size_t begin, end;             /* end > begin */
    const double *attach, *detach; /* 1/s */
    double step_s;
    double step_S[NG_MASTER_SETS_MAX]; /* step_s times S, per lane */
    double source[NG_MASTER_SETS_MAX]; /* added to row 0, per lane */
    const double *u, *v;
    double scale_u, scale_v;
    double *x;    /* may be u or v */
    double *link; /* scratch */
} ng_sweep;

typedef void ng_sweep_function(const ng_sweep *s);

/* For 1 or 4 lanes. Eight would not fit into the cache with all that a step reads. */
ng_sweep_function *ng_sweep_for(size_t lanes);

/* ---- bordered.c: Newton's equations with the monomers --------------------------------------- */

/* I - step J of the mass-coupled problem at a state. Vectors hold the monomers, then sizes. */
typedef struct ng_bordered {
    size_t count; /* sizes */
    long n_min;
    const double *attach, *detach; /* 1/s; attachment to the last size is not used */
    const double *density;
    double supersaturation;
    double entry_slope; /* of the particles that enter at n_min, by S */
    double step_s;
    double *response, *link; /* scratch, count each */
} ng_bordered;

/* Solve for a right side b; z may not be b. */
void ng_bordered_solve(const ng_bordered *s, const double *b, double *z);

/* ---- what the modules of the master equation share ------------------------------------------- */

/* One attempt at a step. */
typedef struct ng_master_step {
    double length_s;
    size_t begin, end;                        /* rows that take part */
    double S[2][NG_MASTER_SETS_MAX];          /* at both stages; Euler: the second */
    double nucleation[2][NG_MASTER_SETS_MAX]; /* 1/s */
    double nucleated[NG_MASTER_SETS_MAX];     /* particles in at n_min */
    double dissolved[NG_MASTER_SETS_MAX];     /* particles out below it */
    bool limited[NG_MASTER_SETS_MAX];
} ng_master_step;

struct ng_master {
    ng_master_options options;
    size_t count, lanes;
    ng_sweep_function *sweep;
    ng_time_law supersaturation[NG_MASTER_SETS_MAX], nucleation[NG_MASTER_SETS_MAX];
    double *attach, *detach;
    double *rho;          /* now; 0 outside begin..end */
    double *stage, *next; /* SDIRK2: both stages; the second is the new density */
    double *euler;        /* where a step is limited */
    double *flux;         /* through the upper face of each row, particles a step */
    double *link;         /* scratch of the sweep */
    double flux_in[NG_MASTER_SETS_MAX]; /* through the lower face of row 0, particles a step */
    size_t begin, end;    /* occupied rows; end > begin */
    size_t stale_begin, stale_end; /* rows of `next` from two steps ago; 0 outside */
    size_t flux_begin, flux_end;
    double flux_step_s;
    size_t margin[2];     /* rows added below and above for a step */
    double time_s;
    double S[NG_MASTER_SETS_MAX]; /* now */
    double peak[NG_MASTER_SETS_MAX], lowest[NG_MASTER_SETS_MAX]; /* of `next` */
    double nucleated[NG_MASTER_SETS_MAX], dissolved[NG_MASTER_SETS_MAX];
    ng_master_work work;
};

#define NG_SDIRK_GAMMA 0.29289321881345247560   /* 1 - 1/sqrt 2 */
#define NG_SDIRK_KAPPA 2.41421356237309504880   /* (1 - gamma)/gamma */

/* master_step.c: one step to m->time_s + length_s. */
NG_MUST_CHECK ng_status ng_master_take_step(ng_master *m, double length_s, ng_error *err);

/* master_limit.c */

/* What passed the lower end in a step of SDIRK2 or Euler: step->nucleated, step->dissolved. */
void ng_master_ends(const ng_master *m, ng_master_step *step);
/* Fluxes of such a step through the upper faces of a set's rows, into m->flux. */
void ng_master_fluxes(ng_master *m, const ng_master_step *step, size_t lane);
/* Limit SDIRK2's step of a set (m->next, m->flux, the ends) towards Euler's in m->euler. */
void ng_master_limit(ng_master *m, ng_master_step *step, size_t lane);
/* Even tiny negative densities of a set out with their neighbours. */
void ng_master_fill_holes(ng_master *m, const ng_master_step *step, size_t lane);

#endif
