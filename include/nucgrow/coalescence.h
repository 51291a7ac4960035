/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/coalescence.h
 * Room `fit`: coalescence of growing particles, from tracks. May include base, data, solve.
 *
 * What is seen is A(t), the particles left over those at the start; what explains it is the rate
 * k_f(t) of nucgrow/pairs.h at which pairs meet and become one:
 *
 *     dA/dt = P0 H(t_P - t) - c k_f A^2,  A(t0) = 1
 *     kappa(t) = kappa_c / (1 + exp(gamma (sigma(t) - sigma_c)))
 *
 * sigma(t), the mean sum of two radii, and D_r(t), the relative diffusion, are read off the tracks
 * and not fitted with the rest. Source: [Kim] Fig. 6; docs/coalescence.md.
 */
#ifndef NUCGROW_COALESCENCE_H
#define NUCGROW_COALESCENCE_H

#include <nucgrow/data.h>
#include <nucgrow/fit.h>
#include <nucgrow/pairs.h>
#include <nucgrow/particles.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a merge takes from A. */
typedef enum ng_merge_count {
    NG_COUNT_MERGES, /* one particle */
    NG_COUNT_PAIRS   /* one for each pair that becomes one: a triple takes three, as published */
} ng_merge_count;

/** What D_r(t) stands for; displacement is d^2 = |x(t) - x(first sight) - drift|^2 in the image. */
typedef enum ng_pair_diffusion {
    NG_DIFFUSION_DISPLACEMENT, /* 2 <d^2> / (4 (t - t_first)), as published */
    NG_DIFFUSION_SLOPE         /* of which that is the mean since then: as diffusion has it */
} ng_pair_diffusion;

/** The numbers of the fit, in the order of the results. */
typedef enum ng_coalescence_parameter {
    NG_COALESCENCE_KAPPA,   /* kappa_c, 1/s */
    NG_COALESCENCE_NU,      /* nm */
    NG_COALESCENCE_L,       /* l, nm */
    NG_COALESCENCE_GAMMA,   /* 1/nm */
    NG_COALESCENCE_SIGMA_C, /* nm */
    NG_COALESCENCE_RC,      /* no pair is closer than this at the start, nm */
    NG_COALESCENCE_DENSITY, /* c, the density of pairs, 1/nm^3 */
    NG_COALESCENCE_P0,      /* supply of particles, 1/s */
    NG_COALESCENCE_TP       /* until when, s */
} ng_coalescence_parameter;
#define NG_N_COALESCENCE 9

typedef struct ng_coalescence_info {
    const char *name, *unit, *title;
    bool logarithmic; /* searched as its logarithm */
} ng_coalescence_info;
/** Names, units and titles, NG_N_COALESCENCE of them. Static. */
const ng_coalescence_info *ng_coalescence_parameter_info(void);

/** Terms of the polynomial sigma(t), t in s; D_r = d0 / (1 + rate t)^power. */
#define NG_CONTACT_TERMS 5
typedef struct ng_coalescence_laws {
    double contact[NG_CONTACT_TERMS]; /* nm, nm/s, ... */
    double d0_nm2_per_s, rate_per_s, power;
} ng_coalescence_laws;

/** How to fit. Start from ng_coalescence_defaults() or ng_coalescence_published(). */
typedef struct ng_coalescence_options {
    ng_merge_count count;
    ng_pair_diffusion diffusion;
    ng_pair_contact contact; /* what happens where particles touch */
    bool rc_from_zero;     /* as published: the empty gap is rc - sigma(0), not rc - sigma(start) */
    bool arrivals_counted; /* new particles as they were seen, instead of the law P0 H(t_P - t) */
    bool contact_given, diffusion_given; /* `laws` holds them; else from the tracks */
    ng_coalescence_laws laws;
    double start[NG_N_COALESCENCE]; /* NAN: from the data */
    bool fixed[NG_N_COALESCENCE];   /* held at `start` (then not NAN) */
    size_t starts;                  /* start points of the search (6) */
    size_t max_iterations;          /* per start (60) */
    size_t bootstrap;               /* resamplings of groups and tracks (50); 0: none */
    bool profiles; /* how far each parameter may go while the others follow (true) */
    double level;  /* of intervals (0.95) */
    size_t cells;  /* of the pair density while searching (200); twice as many in the end */
} ng_coalescence_options;

ng_coalescence_options ng_coalescence_defaults(void);
/** The published equations: laws of sigma and D_r, u_x = 0 at contact, their constants as start. */
ng_coalescence_options ng_coalescence_published(void);
NG_MUST_CHECK ng_status ng_coalescence_options_check(const ng_coalescence_options *options,
                                                     ng_error *err);

/** Two particles become one. */
typedef struct ng_merge {
    size_t frame; /* index in the series: the first frame in which they are one */
    double time_s;
    size_t track, partner; /* indices in ng_tracks: the one that ended, the one that went on */
    size_t pairs;          /* pairs of the original particles that became one */
    double radius_sum_nm;  /* when both were last seen apart; NAN: not seen */
    double distance_nm;    /* between the centres in the last frame with both; NAN: none */
    double volume_nm3;     /* of both before, r^3 without 4 pi / 3 */
    size_t unit;           /* that is drawn as a whole by the bootstrap */
} ng_merge;

/** What tracks say of coalescence. `tracks` is borrowed, the rest owned. */
typedef struct ng_coalescence_data {
    const ng_tracks *tracks;
    size_t n_frames;
    double *time_s;           /* per frame, from the first to the last of the tracks */
    size_t *unit, n_units;    /* per track: its group, or itself */
    bool *merges;             /* per track: does it take part in a merge? (Group B) */
    bool *product;            /* per track: it began as the product of a merge, not anew */
    double *displacement2;    /* per point, nm^2; NAN where it has no position */
    double drift_nm_per_s[2]; /* mean motion of all particles, taken out frame by frame */
    ng_merge *merge;          /* by time */
    size_t n_merges;
} ng_coalescence_data;

/**
 * Find the merges: of the column `group` (tracks of a group end as one), or of `events` (may be
 * NULL), whose tracks are ids of the first file.
 * @return NG_TOO_LITTLE without any merge or with fewer than 3 frames or 5 tracks; NG_INVALID for
 * an event outside the tracks' time, of a track that is not there, or of one that ends twice.
 */
NG_MUST_CHECK ng_status ng_coalescence_data_make(const ng_tracks *tracks, const ng_events *events,
                                                 ng_coalescence_data *out, ng_warnings *warnings,
                                                 ng_error *err);
void ng_coalescence_data_free(ng_coalescence_data *data);

/** Curves over the frames; owned arrays of n_frames. */
typedef struct ng_coalescence_series {
    size_t n_frames;
    double *seen, *gone; /* particles seen so far, taken away so far */
    double *arrivals;    /* 1 + those seen since the start, over those at the start */
    double *surviving;   /* A */
    double *contact_nm, *contact_se_nm;                   /* sigma */
    double *contact_sd_nm;                                /* spread of the sum of two radii */
    double *diffusion_nm2_per_s, *diffusion_se_nm2_per_s; /* NAN where nobody was seen before */
    double *since_s; /* mean time of first sight of those whose displacement counts */
} ng_coalescence_series;

/** `weight`: multiplicity of each unit, NULL: all 1. @return NG_MEMORY, NG_TOO_LITTLE when nobody
 *  is there at the start */
NG_MUST_CHECK ng_status ng_coalescence_series_make(const ng_coalescence_data *data,
                                                   ng_merge_count count, const double *weight,
                                                   ng_coalescence_series *out, ng_error *err);
void ng_coalescence_series_free(ng_coalescence_series *series);

/** Least-squares laws of sigma and D_r, where options do not give them. @return NG_TOO_LITTLE
 *  without positions, NG_INVALID when the particles shrink */
NG_MUST_CHECK ng_status ng_coalescence_laws_fit(const ng_coalescence_data *data,
                                                const ng_coalescence_series *series,
                                                const ng_coalescence_options *options,
                                                ng_coalescence_laws *out, ng_error *err);

/** A model run: the laws, the parameters, and how well it is to be solved. */
typedef struct ng_coalescence_model {
    ng_coalescence_laws laws;
    double parameter[NG_N_COALESCENCE];
    ng_pair_contact contact;
    bool rc_from_zero;
    bool any_size;          /* kappa = kappa_c whatever the size: the counterfactual */
    double size_factor;     /* lambda: sigma is lambda times, D_r 1/lambda times as large (1) */
    const double *arrivals; /* particles seen at the times of a run, over those at its start;
                               NULL: the law. Borrowed */
    double start_s;
    size_t cells;
    double step_s;
} ng_coalescence_model;

double ng_coalescence_contact(const ng_coalescence_laws *laws, double time_s);
double ng_coalescence_contact_slope(const ng_coalescence_laws *laws, double time_s);
double ng_coalescence_diffusion(const ng_coalescence_laws *laws, double time_s);
double ng_coalescence_propensity(const double parameter[NG_N_COALESCENCE], double contact_nm);

/** k_f and A at rising times from start_s on (`surviving` may be NULL). */
NG_MUST_CHECK ng_status ng_coalescence_run(const ng_coalescence_model *model, const double *time_s,
                                           size_t n, double *rate_nm3_per_s, double *surviving,
                                           ng_error *err);
/** A at the same times from a rate that is known there and linear between. */
void ng_coalescence_surviving(const ng_coalescence_model *model, const double *time_s,
                              const double *rate_nm3_per_s, size_t n, double *surviving);
/** Density ~ k_f A^2 of the times of merges, unit area over [time_s[0], time_s[n-1]], and its
 *  integral (either may be NULL). Zeros where nothing ever merges. */
void ng_coalescence_event_density(const double *time_s, const double *rate_nm3_per_s,
                                  const double *surviving, size_t n, double *density,
                                  double *cumulative);
/** The time at which `cumulative` reaches `share`. */
double ng_coalescence_quantile(const double *time_s, const double *cumulative, size_t n,
                               double share);

#define NG_COALESCENCE_PROFILE 24 /* points of a profile on either side, at most */

/** The best squared misfit over one parameter. */
typedef struct ng_coalescence_profile {
    size_t n;
    double value[2 * NG_COALESCENCE_PROFILE + 1], rms[2 * NG_COALESCENCE_PROFILE + 1];
    double lower, upper; /* where the misfit passes the limit, or the bound */
} ng_coalescence_profile;

/** Result. Arrays are owned: ng_coalescence_fit_free. */
typedef struct ng_coalescence_fit {
    ng_coalescence_series series;
    ng_coalescence_model model; /* fine, with the best parameters */
    double lower_bound[NG_N_COALESCENCE], upper_bound[NG_N_COALESCENCE];
    double start[NG_N_COALESCENCE];
    ng_fit_parameter parameter[NG_N_COALESCENCE];
    ng_fit_parameter sink; /* kappa_c nu, nm/s: the strength of a thin sink */
    bool converged;
    ng_fit_stop stop;
    size_t evaluations;
    double rms;         /* of A(t) */
    double rms_search;  /* the same on the coarse grid */
    double grid_change; /* largest change of k_f on a grid twice as fine, over its peak */
    double *rate, *surviving, *density, *cumulative;                     /* per frame */
    double *rate_lower, *rate_upper, *surviving_lower, *surviving_upper; /* of replicates */
    double *merging_lower, *merging_upper; /* the same of c k_f, 1/s */

    double quartile_s[3], quartile_model_s[3]; /* type 7 */
    double quartile_lower_s[3], quartile_upper_s[3];
    double event_log_likelihood, uniform_log_likelihood; /* of the event times */
    double event_distance, event_distance_p; /* largest distance of the distribution functions */

    double limit;                    /* squared misfit up to which a profile goes */
    ng_coalescence_profile *profile; /* NG_N_COALESCENCE, or NULL */
    size_t n_free, free_index[NG_N_COALESCENCE];
    double correlation[NG_N_COALESCENCE][NG_N_COALESCENCE];
    double eigenvalue[NG_N_COALESCENCE]; /* falling; over the mean square of the misfit */
    double eigenvector[NG_N_COALESCENCE][NG_N_COALESCENCE];
    size_t n_replicates, n_failed;
    double *replicate; /* n_replicates x NG_N_COALESCENCE */
} ng_coalescence_fit;

/**
 * Fit A(t) by least squares; event times are predicted, not fitted.
 * Errors: NG_TOO_LITTLE, NG_INVALID (see above), NG_USAGE, NG_MEMORY, NG_CANCELLED. A fit that does
 * not converge or ends at a bound is NG_OK with flags.
 * Notes: same seed, same result for any number of threads.
 */
NG_MUST_CHECK ng_status ng_coalescence_fit_run(const ng_coalescence_data *data,
                                               const ng_coalescence_options *options,
                                               const ng_run *run, ng_coalescence_fit *out,
                                               ng_warnings *warnings, ng_error *err);
void ng_coalescence_fit_free(ng_coalescence_fit *fit);

/** fit-coalescence.json of docs/results.md without schema, provenance and warnings: the fit and
 *  all that follows from it. Owned by the caller. @return NG_MEMORY, NG_CANCELLED */
NG_MUST_CHECK ng_status ng_coalescence_json(const ng_coalescence_data *data,
                                            const ng_coalescence_fit *fit,
                                            const ng_coalescence_options *options,
                                            const ng_run *run, struct json_t **out, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
