/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/samples.h
 * Room `ensemble`: particles drawn from a flask at times, whom nobody followed. May include base,
 * data, physics.
 *
 * Between samples the share of particles below each size moves as if every quantile were a
 * particle: J_n / (N p_n) is the speed at which the quantile at n moves (when none is born or
 * lost). So the growth law is fitted to quantiles as to tracked particles, without their noise.
 */
#ifndef NUCGROW_SAMPLES_H
#define NUCGROW_SAMPLES_H

#include <nucgrow/ensemble.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Radii by time of drawing; those of sample i: radius_nm[first[i]] to radius_nm[first[i + 1]],
 *  rising. Owned. */
typedef struct ng_samples {
    size_t n_times;
    double *time_s;
    size_t *first; /* n_times + 1 */
    double *radius_nm;
    size_t dropped; /* outliers */
    double scatter; /* s.d. of ln r by which whole samples are off, beyond what the particles in
                       them explain: from how they jump about the line between their neighbours */
} ng_samples;

/** Robust standard deviations (1.4826 times the median deviation) of ln r from the median of its
 *  sample, beyond which a radius is an outlier. */
#define NG_SAMPLE_OUTLIER 5.0
/** Samples whose means lie further than this many standard errors (rms) from their neighbours' line
 *  are warned about. */
#define NG_SAMPLE_SCATTER 3.0
/** Fewer particles make no distribution. */
#define NG_SAMPLE_LEAST 20

/** Sort a table of kind ex situ by samples; outliers and samples with too few particles are dropped
 *  (warnings outliers-dropped, sample-small, samples-scatter).
 *  @return NG_TOO_LITTLE with fewer than 3 samples */
NG_MUST_CHECK ng_status ng_samples_make(const ng_tracks *tracks, ng_samples *out,
                                        ng_warnings *warnings, ng_error *err);
void ng_samples_free(ng_samples *samples);

/** Quantiles of the samples as trajectories. */
typedef struct ng_sample_options {
    double sigma_s_nm;
    size_t quantiles; /* (200): at (k + 1/2) / quantiles */
    double frame_s;   /* NAN: the least time between two samples */
} ng_sample_options;

/**
 * Quantiles over time, by Steffen's monotone interpolation through those of the samples, on even
 * frames; growth rates are its slopes. Nothing is smoothed.
 *
 * Given:  rng: each sample is drawn anew, with replacement, as large as it was; NULL: as it is.
 * Result: out->n_sampled is the number of particles behind it.
 * Errors: NG_INVALID when the median holds less than 1 or more than 1e7 monomers; NG_MEMORY.
 * Source: Steffen, Astron. Astrophys. 239, 443 (1990).
 */
NG_MUST_CHECK ng_status ng_samples_trajectories(const ng_samples *samples,
                                                const ng_sample_options *options, gsl_rng *rng,
                                                ng_trajectories *out, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
