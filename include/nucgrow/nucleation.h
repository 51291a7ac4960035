/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/nucleation.h
 * Room `ensemble`: how many crystals there are and when they were born: N(t), dN/dt, the window of
 * nucleation, radius histograms with normal curves. May include base, data, physics.
 */
#ifndef NUCGROW_NUCLEATION_H
#define NUCGROW_NUCLEATION_H

#include <nucgrow/particles.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_nucleation_options {
    size_t least_points; /* tracks with fewer are noise */
    double bandwidth_s;  /* of the rate; NAN: Silverman's */
    double level;        /* of all bands */
    double window;       /* share of the births in the window: 0.9 is from 5 to 95 % */
    double area_um2;     /* NAN: not known, no densities */
    const double *at_s;  /* times of the histograms, borrowed; */
    size_t n_at;         /* 0: when 20, 40, 60, 80 % are born, and the last frame */
} ng_nucleation_options;

ng_nucleation_options ng_nucleation_defaults(void);

/** Radii at one time (of each crystal the median of its last five sizes until then) and the normal
 *  curve through them. Crystals that are flagged crowded or edge in more than one point in fifty
 *  are left out: light of neighbours looks like a wider distribution. */
typedef struct ng_radius_histogram {
    double time_s;
    size_t n;        /* crystals with a radius */
    size_t left_out; /* for their neighbours or the border share their light */
    double mean_nm, sd_nm, mean_se_nm, sd_se_nm; /* maximum likelihood */
    double p_value; /* of Pearson's chi-square on the bins; NAN with fewer than 4 bins */
    double
        middle_sd_nm; /* of the normal curve with the same quartiles: what few pairs that look like
                            one do not widen */
    size_t n_bins;
    double *edge_nm; /* n_bins + 1, owned */
    double *count;   /* n_bins, owned */
} ng_radius_histogram;

/** What missing pairs tell of crystals that are hidden by another; nucgrow/hidden.h. */
typedef enum ng_hidden_state {
    NG_HIDDEN_TOLD,
    NG_HIDDEN_FEW,    /* not enough pairs to tell; with so few crystals hardly any is hidden */
    NG_HIDDEN_MOVING, /* crystals move: who is hidden now is seen later */
    NG_HIDDEN_SOLID   /* so large that bodies keep others off, instead of hiding them */
} ng_hidden_state;

typedef struct ng_hidden {
    ng_hidden_state state;
    double half_nm, reach_nm;
    double crystals;                   /* seen in the frame that has most of them; in it: */
    double pairs_seen, pairs_expected; /* closer than the reach */
    double hidden_share,
        hidden_share_se; /* hidden over seen; below 0: places are not independent */
} ng_hidden;

typedef struct ng_nucleation {
    size_t n_frames;
    double *time_s;     /* everything here is owned */
    double *detected;   /* crystals seen in the frame */
    double *closed;     /* with those between their first sight and ng_track_span.until */
    double *cumulative; /* births so far */
    double *corrected, *corrected_lower, *corrected_upper; /* closed, with those that are hidden */
    double *rate_per_s, *rate_lower, *rate_upper;          /* dN/dt */
    double *intensity; /* sum over crystals, gaps bridged by lines; NAN without intensities */
    ng_hidden hidden;
    size_t births;   /* tracks that count */
    size_t at_start; /* of them there in the first frame: born before, not in the rate */
    size_t dropped;  /* tracks with too few points */
    double bandwidth_s;
    /* births, first frame left out; NAN with fewer than 5 */
    double window_from_s, window_to_s, window_s;
    double from_lower_s, from_upper_s, to_lower_s, to_upper_s; /* by order statistics */
    double window_lower_s, window_upper_s; /* errors of the ends added as squares */
    double peak_rate_per_s, peak_lower, peak_upper, peak_time_s;
    size_t n_histograms;
    ng_radius_histogram *histogram;
} ng_nucleation;

/**
 * Births and numbers of tracked crystals (sorted by track, then frame; time_s set).
 *
 * Rate: normal kernel on the times of first sight, reflected at both ends of the movie; bands by
 * the Poisson variance sum K^2 and the logarithm, so they stay positive.
 * Warnings: tracks-short, crystals-at-start, crystals-lost, crystals-clustered (more pairs than
 * independent places have, so nothing is known of hidden ones), radii-missing (no histograms).
 * @return NG_TOO_LITTLE below 2 frames or 5 tracks; NG_INVALID above 5e6 frames; NG_MEMORY
 */
NG_MUST_CHECK ng_status ng_nucleation_compute(const ng_particles *tracks,
                                              const ng_nucleation_options *options,
                                              ng_nucleation *out, ng_warnings *warnings,
                                              ng_error *err);
void ng_nucleation_free(ng_nucleation *nucleation);

/** Keys of nucleation.json; owned; NULL: no memory. */
struct json_t *ng_nucleation_json(const ng_nucleation *nucleation,
                                  const ng_nucleation_options *options);

/** One track: items [first, first + n) of the particles. Who is dark at the end of the movie, for
 *  no longer than nineteen in twenty of the gaps inside of tracks, counts as there to the end. */
typedef struct ng_track_span {
    long track;
    size_t first, n;
    long until; /* frame until which it counts as there */
} ng_track_span;
/** The tracks of a sorted table, those of -1 left out; owned (ng_free). NG_MEMORY. */
NG_MUST_CHECK ng_status ng_track_spans(const ng_particles *tracks, ng_track_span **out, size_t *n,
                                       ng_error *err);

/** The frame that series over time begin with: 0, for frames are counted from there; the first seen
 *  in a table that begins far from it. */
long ng_tracks_first_frame(const ng_particles *tracks);
/** Add a track's intensities to `sum`, one entry a frame from `first_frame` to `span->until`; lines
 *  across gaps and across points without an intensity, and level behind the last one. */
void ng_track_add_intensity(const ng_particles *tracks, const ng_track_span *span, long first_frame,
                            double *sum);

#ifdef __cplusplus
}
#endif
#endif
