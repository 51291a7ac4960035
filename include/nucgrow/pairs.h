/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/pairs.h
 * Room `solve`: how often growing, diffusing particles meet and become one. May include base.
 *
 * u(x, t) is the density of pairs whose centres are r = sigma(t) + x apart, over that of particles
 * that know nothing of each other; sigma is the distance at which two particles touch.
 *
 *     u_t = D (u_xx + 2 u_x / (x + sigma)) + sigma' u_x - kappa W(x) u,  x >= 0
 *     W = exp(-(x - l)^2 / (2 nu^2)),   k_f = 4 pi kappa int (x + sigma)^2 W u dx
 *
 * D, sigma and kappa change with time. Source: [Kim] Fig. 6 and Methods; methods and measured
 * accuracy: docs/coalescence.md.
 */
#ifndef NUCGROW_PAIRS_H
#define NUCGROW_PAIRS_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What moves pairs at one time. */
typedef struct ng_pair_motion {
    double contact_nm, contact_nm_per_s; /* sigma > 0 and its slope */
    double diffusion_nm2_per_s;          /* relative: the sum of two particles'; > 0 */
    double propensity_per_s;             /* kappa >= 0 */
} ng_pair_motion;

typedef void ng_pair_law(const void *context, double time_s, ng_pair_motion *out);

/** What happens at contact besides coalescence, which acts through W. */
typedef enum ng_pair_contact {
    NG_PAIR_REFLECTING, /* D u_x + sigma' u = 0: no pair is lost or made there */
    NG_PAIR_FLAT        /* u_x = 0, as published: growth pushes pairs through contact */
} ng_pair_contact;

typedef struct ng_pair_problem {
    ng_pair_law *law;
    const void *context; /* borrowed */
    double start_s;
    double sink_nm;       /* l >= 0: gap at which pairs coalesce fastest */
    double sink_width_nm; /* nu > 0 */
    double empty_nm;      /* no pair is closer than this gap at the start; 0: u = 1 everywhere */
    ng_pair_contact contact;
} ng_pair_problem;

/** Accuracy. ng_pair_numerics_defaults(): k_f to 0.05 % of its peak in 6 ms. */
typedef struct ng_pair_numerics {
    size_t cells;  /* 20..1000000; most of them evenly, the others crowded at the sink */
    double step_s; /* > 0 */
    double end_s;  /* of the run: how far out the grid must reach */
} ng_pair_numerics;

ng_pair_numerics ng_pair_numerics_defaults(double end_s);

typedef struct ng_pairs ng_pairs; /* opaque: a run at one time */

/** Start at problem->start_s (copied). @return NG_INVALID with the number that is out of range,
 *  NG_MEMORY */
NG_MUST_CHECK ng_status ng_pairs_create(const ng_pair_problem *problem,
                                        const ng_pair_numerics *numerics, ng_pairs **out,
                                        ng_error *err);
void ng_pairs_destroy(ng_pairs *pairs);
/** March to `time_s` in equal steps of at most step_s. Finite volumes in r^2 dr whose faces move
 *  with sigma(t); implicit, second order in time and space, L-stable. @return NG_INVALID when time
 *  runs backwards or the law gives a number that is out of range */
NG_MUST_CHECK ng_status ng_pairs_advance(ng_pairs *pairs, double time_s, ng_error *err);
/** k_f now, nm^3/s. */
double ng_pairs_rate(const ng_pairs *pairs);
/** 4 pi int r^2 u dr over the grid now, nm^3. */
double ng_pairs_content_nm3(const ng_pairs *pairs);
/** Cells, their middles (gap x) and densities; valid until the next call. */
size_t ng_pairs_density(const ng_pairs *pairs, const double **gap_nm, const double **density);

/** k_f at rising times (the first may be start_s): create, advance, destroy. */
NG_MUST_CHECK ng_status ng_pair_rates(const ng_pair_problem *problem,
                                      const ng_pair_numerics *numerics, const double *time_s,
                                      size_t n, double *rate_nm3_per_s, ng_error *err);

/* ---- closed forms: limits and a baseline ------------------------------------------------ */

/** Smoluchowski: u = 0 at contact. 4 pi D R (1 + R / sqrt(pi D t)). */
double ng_smoluchowski_rate(double diffusion_nm2_per_s, double contact_nm, double time_s);
/** Collins and Kimball: contact that reacts with rate `intrinsic_nm3_per_s`. */
double ng_collins_kimball_rate(double diffusion_nm2_per_s, double contact_nm,
                               double intrinsic_nm3_per_s, double time_s);
/** Self-preserving distribution of radii after Smoluchowski: density of x = r / <r>, unit area and
 *  unit mean, y = 2 w (w x)^(2a+1) exp(-(w x)^2) / Gamma(a+1), w = Gamma(a+3/2) / Gamma(a+1). */
double ng_self_preserving(double x, double a);

#ifdef __cplusplus
}
#endif
#endif
