/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MEDIAN_N_MAX 1e7
#define MIN_TRACKS 5
#define MIN_FRAMES 2
/* The FIR filter of the published estimator takes trajectories from this length on. */
#define PUBLISHED_FIR_POINTS 32

/* What is known while a set of tracks becomes trajectories. */
typedef struct builder {
    const ng_tracks *tracks;
    const ng_ensemble_options *options;
    double *size;     /* owned: n of every track point */
    double *scratch;  /* owned: work space of smoothing */
    long first_frame; /* of all usable points */
    size_t n_frames;
    size_t n_used_frames; /* frames that hold a point */
    size_t n_particles;   /* tracks that gave a trajectory */
    size_t longest;       /* points of the longest trajectory */
    size_t tracks_with_gaps;
    ng_trajectories *out;
    bool counting; /* only count trajectories and points */
} builder;

static bool is_usable(double n)
{
    return n >= 1.0;
}

/* ---- sizes --------------------------------------------------------------------------------- */

static ng_status check_median(const builder *b, double *sorted, ng_error *err)
{
    size_t n = b->tracks->n_points;
    memcpy(sorted, b->size, n * sizeof *sorted);
    gsl_sort(sorted, 1, n);
    double median = sorted[n / 2];
    if (median >= 1.0 && median <= MEDIAN_N_MAX) {
        return NG_OK;
    }
    double sigma = b->options->sigma_s_nm, pixel_nm = b->tracks->pixel_nm;
    char calibration[48] = "they came in nm, not with --pixel-nm";
    if (isfinite(pixel_nm)) {
        (void)snprintf(calibration, sizeof calibration, "--pixel-nm is %g", pixel_nm);
    }
    return NG_FAIL(err, NG_INVALID,
                   "the median particle would hold %.3g monomers (radius %.3g nm, monomer "
                   "sigma_s %.4g nm), outside 1 to 1e7; check the unit and calibration of the "
                   "sizes (%s) and the material",
                   median, sigma * cbrt(median), sigma, calibration);
}

static ng_status find_sizes(builder *b, ng_error *err)
{
    const ng_tracks *tracks = b->tracks;
    if (tracks->n_points == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE, "the tracks hold no point; nothing can be estimated");
    }
    b->size = NG_NEW(double, tracks->n_points);
    double *sorted = NG_NEW(double, tracks->n_points);
    ng_status status = NG_OK;
    if (b->size == NULL || sorted == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for %zu points", tracks->n_points);
        goto out;
    }
    for (size_t k = 0; k < tracks->n_points; k++) {
        double radius = tracks->point[k].radius_nm;
        b->size[k] = radius > 0.0 ? gsl_pow_3(radius / b->options->sigma_s_nm) : 0.0;
        if (b->options->published) {
            b->size[k] = round(b->size[k]);
        }
    }
    status = check_median(b, sorted, err);
out:
    ng_free(sorted);
    return status;
}

/* ---- frames -------------------------------------------------------------------------------- */

static ng_status find_frames(builder *b, ng_error *err)
{
    long first = 0, last = -1;
    for (size_t k = 0; k < b->tracks->n_points; k++) {
        long frame = b->tracks->point[k].frame;
        if (!is_usable(b->size[k])) {
            continue;
        }
        first = last < first || frame < first ? frame : first;
        last = frame > last ? frame : last;
    }
    if (first < 0 || last - first >= NG_FRAMES_LIMIT) {
        return NG_FAIL(err, NG_INVALID,
                       "frames run from %ld to %ld; they must count from 0 or later and span at "
                       "most %d (check the frame column)",
                       first, last, NG_FRAMES_LIMIT);
    }
    b->first_frame = first;
    b->n_frames = (size_t)(last - first + 1);
    return NG_OK;
}

/* The clock of the movie as the points tell it: NAN where no particle was seen, -INFINITY where one
 * was seen at no known time. */
static void collect_times(builder *b)
{
    ng_trajectories *t = b->out;
    for (size_t f = 0; f < t->n_frames; f++) {
        t->time_s[f] = (double)NAN;
    }
    for (size_t k = 0; k < b->tracks->n_points; k++) {
        const ng_track_point *point = &b->tracks->point[k];
        size_t f = (size_t)(point->frame - b->first_frame);
        if (is_usable(b->size[k]) && isnan(t->time_s[f])) {
            t->time_s[f] = isfinite(point->time_s) ? point->time_s : -(double)INFINITY;
        }
    }
}

/* Time of frame f, which is not known, from the known ones before and after it (n_frames: none). */
static double time_between(const builder *b, size_t before, size_t f, size_t after)
{
    const ng_trajectories *t = b->out;
    double step = t->frame_s > 0.0 ? t->frame_s : 1.0;
    if (before == t->n_frames && after == t->n_frames) {
        return ((double)b->first_frame + (double)f) * step;
    }
    if (before == t->n_frames) {
        return t->time_s[after] - (double)(after - f) * step;
    }
    if (after == t->n_frames) {
        return t->time_s[before] + (double)(f - before) * step;
    }
    double part = (double)(f - before) / (double)(after - before);
    return t->time_s[before] + part * (t->time_s[after] - t->time_s[before]);
}

static void fill_times(builder *b)
{
    ng_trajectories *t = b->out;
    size_t before = t->n_frames;
    for (size_t f = 0; f < t->n_frames;) {
        size_t after = f;
        while (after < t->n_frames && !isfinite(t->time_s[after])) {
            b->n_used_frames += isnan(t->time_s[after]) ? 0 : 1;
            after++;
        }
        for (; f < after; f++) {
            t->time_s[f] = time_between(b, before, f, after);
        }
        b->n_used_frames += after < t->n_frames ? 1 : 0;
        before = after;
        f = after + 1;
    }
}

static ng_status set_times(builder *b, ng_error *err)
{
    const ng_trajectories *t = b->out;
    collect_times(b);
    fill_times(b);
    for (size_t f = 1; f < t->n_frames; f++) {
        if (!(t->time_s[f] > t->time_s[f - 1])) {
            return NG_FAIL(err, NG_INVALID,
                           "frame %ld is at %g s, not later than the frame before it (%g s); "
                           "check the time column or give --frame-s",
                           b->first_frame + (long)f, t->time_s[f], t->time_s[f - 1]);
        }
    }
    return NG_OK;
}

/* ---- trajectories -------------------------------------------------------------------------- */

static void start_trajectory(builder *b, size_t origin)
{
    ng_trajectories *t = b->out;
    if (!b->counting) {
        t->first[t->n_tracks] = t->n_points;
        t->origin[t->n_tracks] = origin;
    }
    t->n_tracks++;
}

static void add_point(builder *b, long frame, double n_raw, double n)
{
    ng_trajectories *t = b->out;
    if (!b->counting) {
        t->frame[t->n_points] = (unsigned)(frame - b->first_frame);
        t->n_raw[t->n_points] = n_raw;
        t->n[t->n_points] = n;
    }
    t->n_points++;
}

/* Points of a straight line across the frames that are missing between two sizes. */
static void bridge(builder *b, long from, double n_from, long to, double n_to)
{
    for (long frame = from + 1; frame < to; frame++) {
        double part = (double)(frame - from) / (double)(to - from);
        add_point(b, frame, (double)NAN, n_from + part * (n_to - n_from));
    }
}

/* A track of the default preset: split at long gaps, bridged at short ones. */
static void add_track(builder *b, size_t origin)
{
    const ng_track *track = &b->tracks->track[origin];
    bool begun = false;
    long frame_before = 0;
    double n_before = 0.0;
    for (size_t k = track->first; k < track->first + track->n; k++) {
        double n = b->size[k];
        if (!is_usable(n)) {
            continue;
        }
        long frame = b->tracks->point[k].frame;
        bool joins = begun && frame - frame_before - 1 <= b->options->max_gap;
        if (joins) {
            bridge(b, frame_before, n_before, frame, n);
        } else {
            start_trajectory(b, origin);
        }
        add_point(b, frame, n, n);
        begun = true;
        frame_before = frame;
        n_before = n;
    }
}

static bool has_long_gap(const builder *b, const ng_track *track)
{
    long before = 0;
    bool begun = false;
    for (size_t k = track->first; k < track->first + track->n; k++) {
        if (!is_usable(b->size[k])) {
            continue;
        }
        long frame = b->tracks->point[k].frame;
        if (begun && frame - before - 1 > b->options->max_gap) {
            return true;
        }
        before = frame;
        begun = true;
    }
    return false;
}

/* A track of the published preset: whole or not at all, rounded, its gaps left as they are. */
static void add_track_published(builder *b, size_t origin)
{
    const ng_track *track = &b->tracks->track[origin];
    if (has_long_gap(b, track)) {
        b->tracks_with_gaps++;
        return;
    }
    bool begun = false;
    for (size_t k = track->first; k < track->first + track->n; k++) {
        if (!is_usable(b->size[k])) {
            continue;
        }
        if (!begun) {
            start_trajectory(b, origin);
            begun = true;
        }
        add_point(b, b->tracks->point[k].frame, b->size[k], b->size[k]);
    }
}

static void add_tracks(builder *b, bool counting)
{
    ng_trajectories *t = b->out;
    b->counting = counting;
    b->n_particles = b->tracks_with_gaps = 0;
    t->n_tracks = t->n_points = 0;
    for (size_t i = 0; i < b->tracks->n_tracks; i++) {
        size_t before = t->n_tracks;
        if (b->options->published) {
            add_track_published(b, i);
        } else {
            add_track(b, i);
        }
        b->n_particles += t->n_tracks > before;
    }
}

static ng_status allocate(builder *b, ng_error *err)
{
    ng_trajectories *t = b->out;
    t->n_frames = b->n_frames;
    t->first = NG_NEW(size_t, t->n_tracks + 1);
    t->origin = NG_NEW(size_t, t->n_tracks);
    t->frame = NG_NEW(unsigned, t->n_points);
    t->n_raw = NG_NEW(double, t->n_points);
    t->n = NG_NEW(double, t->n_points);
    t->growth_per_s = NG_NEW(double, t->n_points);
    t->time_s = NG_NEW(double, t->n_frames);
    if (t->first == NULL || t->origin == NULL || t->frame == NULL || t->n_raw == NULL ||
        t->n == NULL || t->growth_per_s == NULL || t->time_s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu trajectories with %zu points",
                       t->n_tracks, t->n_points);
    }
    return NG_OK;
}

static ng_status fill(builder *b, ng_error *err)
{
    add_tracks(b, true);
    ng_status status = allocate(b, err);
    if (status != NG_OK) {
        return status;
    }
    add_tracks(b, false);
    ng_trajectories *t = b->out;
    t->first[t->n_tracks] = t->n_points;
    for (size_t i = 0; i < t->n_tracks; i++) {
        size_t n = t->first[i + 1] - t->first[i];
        b->longest = n > b->longest ? n : b->longest;
    }
    return set_times(b, err);
}

static ng_status check_amount(const builder *b, ng_error *err)
{
    if (b->n_used_frames < MIN_FRAMES && b->tracks->ex_situ) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "the table holds a single sample; growth needs samples drawn at different "
                       "times (check the time column)");
    }
    if (b->n_used_frames < MIN_FRAMES) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "the particles were seen in %zu frame; at least %d frames are needed to see "
                       "growth (check the frame column)",
                       b->n_used_frames, MIN_FRAMES);
    }
    if (b->n_particles < MIN_TRACKS) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "%zu of %zu tracks are usable; at least %d are needed for a distribution "
                       "of sizes (add files of the same experiment%s)",
                       b->n_particles, b->tracks->n_tracks, MIN_TRACKS,
                       b->tracks_with_gaps > 0 ? ", or raise --max-gap" : "");
    }
    return NG_OK;
}

/* ---- smoothing ----------------------------------------------------------------------------- */

static void smooth_published(const builder *b, const ng_fir *fir, const double *x, size_t n,
                             double *out)
{
    if (n >= PUBLISHED_FIR_POINTS) {
        ng_fir_smooth(fir, x, n, NG_CONTINUE_MIRROR, b->scratch, out);
    } else {
        ng_elliptic_smooth(x, n, b->scratch, out);
    }
}

/* Continuing a steep start backwards may cross zero, where sizes have no meaning. */
static size_t raise_to_one(double *n, size_t count)
{
    size_t raised = 0;
    for (size_t k = 0; k < count; k++) {
        if (n[k] < 1.0) {
            n[k] = 1.0;
            raised++;
        }
    }
    return raised;
}

static ng_status smooth(builder *b, const ng_fir *fir, ng_warnings *warnings, ng_error *err)
{
    ng_trajectories *t = b->out;
    b->scratch = NG_NEW(double, NG_ELLIPTIC_SCRATCH(b->longest) + 2 * NG_FIR_HALF);
    double *x = NG_NEW(double, b->longest);
    size_t raised = 0;
    if (b->scratch == NULL || x == NULL) {
        ng_free(x);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu frames", b->longest);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        double *n = t->n + t->first[i];
        size_t count = t->first[i + 1] - t->first[i];
        memcpy(x, n, count * sizeof *x);
        if (b->options->published) {
            smooth_published(b, fir, x, count, n);
        } else {
            ng_fir_smooth(fir, x, count, NG_CONTINUE_POINT, b->scratch, n);
            raised += raise_to_one(n, count);
        }
    }
    if (raised > 0) {
        ng_warnings_add(warnings, "smoothed-below-one",
                        "%zu of %zu smoothed sizes fell below one monomer and were set to 1",
                        raised, t->n_points);
    }
    ng_free(x);
    return NG_OK;
}

static double slope_at(const ng_trajectories *t, size_t k)
{
    return (t->n[k + 1] - t->n[k - 1]) /
           (t->time_s[t->frame[k + 1]] - t->time_s[t->frame[k - 1]]);
}

static void set_growth(ng_trajectories *t)
{
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            bool is_inside = k > t->first[i] && k + 1 < t->first[i + 1];
            t->growth_per_s[k] = is_inside ? slope_at(t, k) : (double)NAN;
        }
    }
}

/* The published growth rate is the slope of the spline through the smoothed sizes, at their own
 * times, before they are rounded; the ends have one too. */
static ng_status finish_published(builder *b, ng_error *err)
{
    ng_trajectories *t = b->out;
    double *time_s = NG_NEW(double, b->longest);
    ng_status status = NG_OK;
    if (time_s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu frames", b->longest);
    }
    for (size_t i = 0; status == NG_OK && i < t->n_tracks; i++) {
        size_t first = t->first[i], count = t->first[i + 1] - first;
        for (size_t k = 0; k < count; k++) {
            time_s[k] = t->time_s[t->frame[first + k]];
        }
        status = ng_spline_slopes_uneven(t->n + first, time_s, count, t->growth_per_s + first, err);
    }
    for (size_t k = 0; k < t->n_points; k++) {
        t->n[k] = round(t->n[k]);
    }
    ng_free(time_s);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void warn(const builder *b, ng_warnings *warnings)
{
    ng_trajectories *t = b->out;
    for (size_t k = 0; k < b->tracks->n_points; k++) {
        t->points_dropped += !is_usable(b->size[k]);
    }
    t->tracks_dropped = b->tracks->n_tracks - b->n_particles;
    if (t->points_dropped > 0) {
        ng_warnings_add(warnings, "points-below-one-monomer",
                        "%zu of %zu points are smaller than one monomer and were dropped",
                        t->points_dropped, b->tracks->n_points);
    }
    if (b->n_used_frames < b->n_frames) {
        ng_warnings_add(warnings, "frames-without-particles",
                        "%zu of %zu frames show no particle; there is no mean or variance there",
                        b->n_frames - b->n_used_frames, b->n_frames);
    }
    if (b->tracks_with_gaps > 0) {
        ng_warnings_add(warnings, "tracks-with-gaps",
                        "%zu of %zu tracks miss more than %ld frames in a row and were dropped",
                        b->tracks_with_gaps, b->tracks->n_tracks, b->options->max_gap);
    }
}

static ng_status build(builder *b, ng_warnings *warnings, ng_error *err)
{
    ng_status status = find_sizes(b, err);
    status = status == NG_OK ? find_frames(b, err) : status;
    status = status == NG_OK ? fill(b, err) : status;
    status = status == NG_OK ? check_amount(b, err) : status;
    if (status != NG_OK) {
        return status;
    }
    warn(b, warnings);
    ng_fir fir;
    ng_fir_design(b->options->cutoff, &fir);
    bool is_smooth = b->options->smooth;
    status = is_smooth ? smooth(b, &fir, warnings, err) : NG_OK;
    if (status != NG_OK) {
        return status;
    }
    if (b->options->published) {
        status = finish_published(b, err);
    } else {
        set_growth(b->out);
    }
    if (status != NG_OK) {
        return status;
    }
    return ng_noise_estimate(b->out, is_smooth ? &fir : NULL, b->options->published, err);
}

ng_status ng_trajectories_make(const ng_tracks *tracks, const ng_ensemble_options *options,
                               ng_trajectories *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_trajectories){0};
    ng_status status = ng_ensemble_options_check(options, err);
    if (status != NG_OK) {
        return status;
    }
    out->frame_s = tracks->frame_s;
    out->sigma_s_nm = options->sigma_s_nm;
    builder b = {.tracks = tracks, .options = options, .out = out};
    status = build(&b, warnings, err);
    ng_free(b.size);
    ng_free(b.scratch);
    if (status != NG_OK) {
        ng_trajectories_free(out);
    }
    return status;
}

void ng_trajectories_free(ng_trajectories *t)
{
    if (t == NULL) {
        return;
    }
    ng_free(t->first);
    ng_free(t->origin);
    ng_free(t->frame);
    ng_free(t->n_raw);
    ng_free(t->n);
    ng_free(t->growth_per_s);
    ng_free(t->time_s);
    *t = (ng_trajectories){0};
}
