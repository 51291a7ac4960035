/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many crystals there are and when they were born. */
#include <nucgrow/hidden.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <jansson.h>
#include <math.h>

#define TRACKS_MIN 5
#define BINS_MAX 60
#define AUTOMATIC_TIMES 5
#define FRAMES_MAX 5000000
#define LOST_SHARE 0.1
#define LAST_SIZES 5
#define COMMON_GAPS 0.95
#define SHARED_LIGHT 0.02
#define QUARTILES 1.349    /* distance of a normal curve's, over its s.d. */
#define CLUSTERED_SURE 3.0 /* standard errors of the share that is hidden below none */
enum { SERIES = 11 };
#define EMPTY_SHARE 2 /* frames before the first crystal, over those after it, that are believed */

ng_nucleation_options ng_nucleation_defaults(void)
{
    return (ng_nucleation_options){.least_points = 3,
                                   .bandwidth_s = (double)NAN,
                                   .level = 0.95,
                                   .window = 0.9,
                                   .area_um2 = (double)NAN};
}

static long frames_dark(const ng_particle *p)
{
    return p[1].track == p->track && p->track >= 0 ? p[1].frame - p->frame - 1 : 0;
}

/* So many frames of darkness are common inside of tracks. */
static ng_status find_patience(const ng_particles *tracks, long *patience, ng_error *err)
{
    size_t n = 0;
    double *gap = NG_NEW(double, tracks->n);
    if (gap == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the gaps of %zu points", tracks->n);
    }
    for (size_t i = 0; i + 1 < tracks->n; i++) {
        const long dark = frames_dark(&tracks->item[i]);
        if (dark > 0) {
            gap[n++] = (double)dark;
        }
    }
    gsl_sort(gap, 1, n);
    *patience = n > 0 ? (long)gsl_stats_quantile_from_sorted_data(gap, 1, n, COMMON_GAPS) : 0;
    ng_free(gap);
    return NG_OK;
}

static long last_frame(const ng_particles *tracks)
{
    long last = (long)tracks->frames - 1;
    for (size_t i = 0; i < tracks->n; i++) {
        last = tracks->item[i].frame > last ? tracks->item[i].frame : last;
    }
    return last;
}

ng_status ng_track_spans(const ng_particles *tracks, ng_track_span **out, size_t *n, ng_error *err)
{
    long patience = 0;
    const long end = last_frame(tracks);
    ng_status status = find_patience(tracks, &patience, err);
    if (status != NG_OK) {
        return status;
    }
    *n = 0;
    *out = NG_NEW(ng_track_span, tracks->n);
    if (*out == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", tracks->n);
    }
    for (size_t i = 0; i < tracks->n; i++) {
        const long track = tracks->item[i].track;
        if (track < 0) {
            continue;
        }
        if (*n == 0 || (*out)[*n - 1].track != track) {
            (*out)[(*n)++] = (ng_track_span){.track = track, .first = i};
        }
        ng_track_span *span = &(*out)[*n - 1];
        const long frame = tracks->item[i].frame;
        span->n++;
        span->until = end - frame <= patience ? end : frame;
    }
    return NG_OK;
}

void ng_nucleation_free(ng_nucleation *x)
{
    if (x == NULL) {
        return;
    }
    for (size_t i = 0; i < x->n_histograms; i++) {
        ng_free(x->histogram[i].edge_nm);
        ng_free(x->histogram[i].count);
    }
    ng_free(x->histogram);
    ng_free(x->time_s); /* the other series are part of it */
    *x = (ng_nucleation){0};
}

/* ---- what is counted ------------------------------------------------------------------------ */

typedef struct counting {
    const ng_particles *tracks;
    const ng_nucleation_options *options;
    ng_track_span *span; /* those that count; owned */
    size_t n_spans;
    double *birth_s; /* births after the first frame, rising; owned */
    size_t n_births;
    long first_frame;
} counting;

static ng_status select_tracks(counting *c, ng_nucleation *out, ng_warnings *warnings,
                               ng_error *err)
{
    size_t n = 0;
    ng_status status = ng_track_spans(c->tracks, &c->span, &n, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        if (c->span[i].n >= c->options->least_points) {
            c->span[c->n_spans++] = c->span[i];
        }
    }
    out->dropped = n - c->n_spans;
    if (out->dropped > 0) {
        ng_warnings_add(warnings, "tracks-short",
                        "%zu of %zu tracks have fewer than %zu points and "
                        "do not count as crystals",
                        out->dropped, n, c->options->least_points);
    }
    if (status == NG_OK && c->n_spans < TRACKS_MIN) {
        status = NG_FAIL(err, NG_TOO_LITTLE,
                         "%zu tracks have %zu points or more; at least %d are needed", c->n_spans,
                         c->options->least_points, TRACKS_MIN);
    }
    return status;
}

static ng_status make_series(counting *c, ng_nucleation *out, ng_error *err)
{
    /* a movie of known length begins at frame 0, even if nothing was there yet */
    const long last = last_frame(c->tracks);
    c->first_frame = ng_tracks_first_frame(c->tracks);
    out->n_frames = (size_t)(last - c->first_frame) + 1;
    if (out->n_frames < 2) {
        return NG_FAIL(err, NG_TOO_LITTLE, "there is one frame; nucleation needs two or more");
    }
    if (out->n_frames > FRAMES_MAX) {
        return NG_FAIL(err, NG_INVALID, "frames go from %ld to %ld; at most %d are taken",
                       c->first_frame, last, FRAMES_MAX);
    }
    double *space = NG_NEW(double, SERIES * out->n_frames);
    c->birth_s = NG_NEW(double, c->n_spans);
    if (space == NULL || c->birth_s == NULL) {
        ng_free(space);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", out->n_frames);
    }
    double **series[SERIES] = {&out->time_s,          &out->detected,       &out->closed,
                               &out->cumulative,      &out->rate_per_s,     &out->rate_lower,
                               &out->rate_upper,      &out->intensity,      &out->corrected,
                               &out->corrected_lower, &out->corrected_upper};
    for (size_t i = 0; i < SERIES; i++) {
        *series[i] = space + i * out->n_frames;
    }
    return NG_OK;
}

/* Times of all frames: those seen, and lines between and beyond them. */
static void fill_times(const counting *c, ng_nucleation *out)
{
    const ng_particles *t = c->tracks;
    double sum_f = 0, sum_t = 0, sum_ff = 0, sum_ft = 0;
    const double n = (double)t->n;
    for (size_t i = 0; i < t->n; i++) {
        const double f = (double)(t->item[i].frame - c->first_frame);
        sum_f += f;
        sum_t += t->item[i].time_s;
        sum_ff += f * f;
        sum_ft += f * t->item[i].time_s;
    }
    const double spread = sum_ff - sum_f * sum_f / n;
    const double fitted = spread > 0 ? (sum_ft - sum_f * sum_t / n) / spread : 1;
    const double step = t->frame_s > 0 ? t->frame_s : fitted;
    for (size_t f = 0; f < out->n_frames; f++) {
        out->time_s[f] = (sum_t - step * sum_f) / n + step * (double)f;
    }
    for (size_t f = 0; f < out->n_frames; f++) { /* rounding must not move the origin */
        out->time_s[f] = fabs(out->time_s[f]) < 1e-9 * step ? 0 : out->time_s[f];
    }
    for (size_t i = 0; i < t->n; i++) {
        out->time_s[t->item[i].frame - c->first_frame] = t->item[i].time_s;
    }
}

long ng_tracks_first_frame(const ng_particles *tracks)
{
    long first = tracks->n > 0 ? tracks->item[0].frame : 0, last = first;
    for (size_t i = 0; i < tracks->n; i++) {
        first = tracks->item[i].frame < first ? tracks->item[i].frame : first;
        last = tracks->item[i].frame > last ? tracks->item[i].frame : last;
    }
    /* a piece cut out of the middle of a movie begins where it begins */
    const bool cut = first > EMPTY_SHARE * (last - first + 1) && tracks->frames == 0;
    return first > 0 && !cut ? 0 : first;
}

/* The next point from i on that has an intensity; n where there is none. */
static size_t next_bright(const ng_particle *p, size_t i, size_t n)
{
    while (i < n && !isfinite(p[i].intensity)) {
        i++;
    }
    return i;
}

void ng_track_add_intensity(const ng_particles *tracks, const ng_track_span *span, long first_frame,
                            double *sum)
{
    const ng_particle *p = &tracks->item[span->first];
    size_t next = 0;
    for (size_t i = next_bright(p, 0, span->n); i < span->n; i = next) {
        next = next_bright(p, i + 1, span->n);
        const long from = p[i].frame, to = next < span->n ? p[next].frame : span->until + 1;
        const double end = next < span->n ? p[next].intensity : p[i].intensity;
        for (long f = from; f < to; f++) {
            const double part = (double)(f - from) / (double)(to - from);
            sum[f - first_frame] += p[i].intensity * (1 - part) + end * part;
        }
    }
}

static void count(counting *c, ng_nucleation *out)
{
    for (size_t k = 0; k < c->n_spans; k++) {
        const ng_track_span *s = &c->span[k];
        const ng_particle *first = &c->tracks->item[s->first];
        for (size_t i = 0; i < s->n; i++) {
            out->detected[first[i].frame - c->first_frame]++;
        }
        for (long f = first->frame; f <= s->until; f++) {
            out->closed[f - c->first_frame]++;
        }
        for (size_t f = (size_t)(first->frame - c->first_frame); f < out->n_frames; f++) {
            out->cumulative[f]++;
        }
        ng_track_add_intensity(c->tracks, s, c->first_frame, out->intensity);
        if (first->frame > c->first_frame) {
            c->birth_s[c->n_births++] = first->time_s;
        }
    }
    gsl_sort(c->birth_s, 1, c->n_births);
    out->births = c->n_spans;
    out->at_start = c->n_spans - c->n_births;
}

/* ---- who is hidden ----------------------------------------------------------------------- */

static ng_status find_hidden(const counting *c, ng_nucleation *out, ng_warnings *warnings,
                             ng_error *err)
{
    ng_hidden *o = &out->hidden;
    const double z = gsl_cdf_ugaussian_Pinv((1 + c->options->level) / 2);
    ng_status status = ng_hidden_find(c->tracks, c->span, c->n_spans, o, err);
    for (size_t f = 0; status == NG_OK && f < out->n_frames; f++) {
        out->corrected[f] = ng_hidden_all(o, out->closed[f], 0);
        out->corrected_lower[f] = ng_hidden_all(o, out->closed[f], -z);
        out->corrected_upper[f] = ng_hidden_all(o, out->closed[f], z);
    }
    if (o->state == NG_HIDDEN_TOLD && o->hidden_share < -CLUSTERED_SURE * o->hidden_share_se) {
        ng_warnings_add(warnings, "crystals-clustered",
                        "%.0f pairs of crystals are closer than %.0f nm where %.0f are expected: "
                        "they lie in clusters, or one is found as two; how many are hidden by "
                        "others is not known",
                        o->pairs_seen, o->reach_nm, o->pairs_expected);
    }
    return status;
}

/* ---- the rate ------------------------------------------------------------------------------- */

static double quartile_range(const double *x, size_t n)
{
    return gsl_stats_quantile_from_sorted_data(x, 1, n, 0.75) -
           gsl_stats_quantile_from_sorted_data(x, 1, n, 0.25);
}

static double silverman(const double *x, size_t n)
{
    const double sd = gsl_stats_sd(x, 1, n);
    const double quartiles = quartile_range(x, n) / QUARTILES;
    const double spread = quartiles > 0 ? fmin(sd, quartiles) : sd;
    return 0.9 * spread * pow((double)n, -0.2);
}

static double kernel(double distance, double width)
{
    const double z = distance / width;
    return z * z < 80 ? exp(-z * z / 2) / (width * sqrt(2 * M_PI)) : 0;
}

static void find_rate(const counting *c, ng_nucleation *out)
{
    const double step =
        (out->time_s[out->n_frames - 1] - out->time_s[0]) / (double)(out->n_frames - 1);
    const double z = gsl_cdf_ugaussian_Pinv((1 + c->options->level) / 2);
    const double given = c->options->bandwidth_s;
    const double own = c->n_births >= TRACKS_MIN ? silverman(c->birth_s, c->n_births) : step;
    const double width = out->bandwidth_s = given > 0 ? given : fmax(own, step);
    /* a birth is seen in the frame that ends its interval */
    const double from = out->time_s[0], to = out->time_s[out->n_frames - 1] + step / 2;
    out->peak_rate_per_s = out->peak_lower = out->peak_upper = out->peak_time_s = (double)NAN;
    for (size_t f = 0; f < out->n_frames; f++) {
        double sum = 0, square = 0;
        const double t = out->time_s[f];
        for (size_t i = 0; i < c->n_births; i++) {
            const double b = c->birth_s[i];
            const double k = kernel(t - b, width) + kernel(t - (2 * from - b), width) +
                             kernel(t - (2 * to - b), width);
            sum += k;
            square += k * k;
        }
        const double factor = sum > 0 ? exp(z * sqrt(square) / sum) : 1;
        out->rate_per_s[f] = sum;
        out->rate_lower[f] = sum / factor;
        out->rate_upper[f] = sum * factor;
        if (!(sum <= out->peak_rate_per_s)) {
            out->peak_rate_per_s = sum;
            out->peak_lower = out->rate_lower[f];
            out->peak_upper = out->rate_upper[f];
            out->peak_time_s = t;
        }
    }
}

/* Order statistics that hold a quantile at the level wanted. */
static void quantile_interval(const double *x, size_t n, double part, double level, double *lower,
                              double *upper)
{
    const double z = gsl_cdf_ugaussian_Pinv((1 + level) / 2), m = (double)n;
    const double half = z * sqrt(m * part * (1 - part));
    const double low = floor(m * part - half), high = ceil(m * part + half);
    *lower = x[low >= 1 ? (size_t)low - 1 : 0];
    *upper = x[high < m ? (size_t)high : n - 1];
}

static void find_window(const counting *c, ng_nucleation *out)
{
    const double tail = (1 - c->options->window) / 2;
    const double *x = c->birth_s;
    out->window_from_s = out->window_to_s = out->window_s = (double)NAN;
    out->from_lower_s = out->from_upper_s = out->to_lower_s = out->to_upper_s = (double)NAN;
    out->window_lower_s = out->window_upper_s = (double)NAN;
    if (c->n_births < TRACKS_MIN) {
        return;
    }
    out->window_from_s = gsl_stats_quantile_from_sorted_data(x, 1, c->n_births, tail);
    out->window_to_s = gsl_stats_quantile_from_sorted_data(x, 1, c->n_births, 1 - tail);
    out->window_s = out->window_to_s - out->window_from_s;
    quantile_interval(x, c->n_births, tail, c->options->level, &out->from_lower_s,
                      &out->from_upper_s);
    quantile_interval(x, c->n_births, 1 - tail, c->options->level, &out->to_lower_s,
                      &out->to_upper_s);
    /* order statistics this far apart are correlated by tail/(1 - tail) only */
    out->window_lower_s = out->window_s - hypot(out->window_to_s - out->to_lower_s,
                                                out->from_upper_s - out->window_from_s);
    out->window_upper_s = out->window_s + hypot(out->to_upper_s - out->window_to_s,
                                                out->window_from_s - out->from_lower_s);
}

/* ---- histograms ----------------------------------------------------------------------------- */

/* Pearson's chi-square against the normal curve, bins joined until 5 are expected. */
static double fit_p_value(const ng_radius_histogram *h)
{
    double chi2 = 0, expected = 0, seen = 0, before = 0;
    int bins = 0;
    for (size_t b = 0; b < h->n_bins; b++) {
        const bool last = b + 1 == h->n_bins;
        const double upto = last ? 1 : gsl_cdf_gaussian_P(h->edge_nm[b + 1] - h->mean_nm, h->sd_nm);
        expected += (double)h->n * (upto - before);
        before = upto;
        seen += h->count[b];
        if (expected >= 5 || (last && bins > 0)) {
            chi2 += expected > 0 ? (seen - expected) * (seen - expected) / expected : 0;
            bins += expected >= 5;
            expected = seen = 0;
        }
    }
    return bins >= 4 ? gsl_cdf_chisq_Q(chi2, bins - 3) : (double)NAN;
}

static ng_status bin(const double *r, size_t n, ng_radius_histogram *h, ng_error *err)
{
    const double quartiles = quartile_range(r, n);
    const double range = r[n - 1] - r[0];
    /* Freedman and Diaconis */
    double bins = range > 0 && quartiles > 0 ? ceil(range * cbrt((double)n) / (2 * quartiles)) : 1;
    h->n_bins = (size_t)fmin(bins, BINS_MAX);
    h->edge_nm = NG_NEW(double, h->n_bins + 1);
    h->count = NG_NEW(double, h->n_bins);
    if (h->edge_nm == NULL || h->count == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for a histogram");
    }
    const double width = range > 0 ? range / (double)h->n_bins : 1e-3 * r[0];
    for (size_t b = 0; b <= h->n_bins; b++) {
        h->edge_nm[b] = r[0] + width * (double)b;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t b = (size_t)((r[i] - r[0]) / width);
        h->count[b < h->n_bins ? b : h->n_bins - 1]++;
    }
    return NG_OK;
}

/* Does nobody share its light? */
static bool is_alone(const ng_particle *p, size_t n)
{
    size_t shared = 0;
    for (size_t i = 0; i < n; i++) {
        shared += (p[i].flag & (NG_FLAG_CROWDED | NG_FLAG_EDGE)) != 0;
    }
    return (double)shared <= SHARED_LIGHT * (double)n;
}

/* Median of the last sizes until a time: a frame in which a crystal is half dark shows it small,
 * and one that is dark keeps the size it was last seen with. 0 where there is none. */
static double size_at(const ng_particle *p, const ng_particle *end, double time_s)
{
    double last[LAST_SIZES];
    size_t n = 0;
    for (const ng_particle *x = end; x > p && n < LAST_SIZES; x--) {
        if (x[-1].time_s <= time_s && x[-1].radius_nm > 0) {
            last[n++] = x[-1].radius_nm;
        }
    }
    return n > 0 ? gsl_stats_median(last, 1, n) : 0;
}

static ng_status make_histogram(const counting *c, double time_s, double *room,
                                ng_radius_histogram *h, ng_error *err)
{
    *h = (ng_radius_histogram){.time_s = time_s};
    const double just = 1e-9 * fabs(time_s);
    for (size_t k = 0; k < c->n_spans; k++) {
        const ng_particle *p = &c->tracks->item[c->span[k].first], *end = p + c->span[k].n;
        const bool stays = c->span[k].until > end[-1].frame || end[-1].time_s >= time_s - just;
        const bool there = p->time_s <= time_s + just && stays;
        const double radius_nm = there ? size_at(p, end, time_s + just) : 0;
        const bool alone = is_alone(p, c->span[k].n);
        h->left_out += radius_nm > 0 && !alone;
        if (radius_nm > 0 && alone) {
            room[h->n++] = radius_nm;
        }
    }
    h->mean_nm = h->sd_nm = h->mean_se_nm = h->sd_se_nm = h->p_value = (double)NAN;
    h->middle_sd_nm = (double)NAN;
    if (h->n < TRACKS_MIN) {
        return NG_OK;
    }
    const double n = (double)h->n;
    gsl_sort(room, 1, h->n);
    h->mean_nm = gsl_stats_mean(room, 1, h->n);
    h->sd_nm = gsl_stats_sd(room, 1, h->n);
    h->mean_se_nm = h->sd_nm / sqrt(n);
    h->sd_se_nm = h->sd_nm / sqrt(2 * (n - 1));
    h->middle_sd_nm = quartile_range(room, h->n) / QUARTILES;
    ng_status status = bin(room, h->n, h, err);
    h->p_value = status == NG_OK ? fit_p_value(h) : h->p_value;
    return status;
}

static bool has_radii(const ng_particles *tracks)
{
    for (size_t i = 0; i < tracks->n; i++) {
        if (tracks->item[i].radius_nm > 0) {
            return true;
        }
    }
    return false;
}

static double automatic_time(const counting *c, const ng_nucleation *out, size_t i)
{
    if (i + 1 == AUTOMATIC_TIMES || c->n_births == 0) {
        return out->time_s[out->n_frames - 1];
    }
    return gsl_stats_quantile_from_sorted_data(c->birth_s, 1, c->n_births, 0.2 * (double)(i + 1));
}

static ng_status make_histograms(const counting *c, ng_nucleation *out, ng_warnings *warnings,
                                 ng_error *err)
{
    const bool automatic = c->options->n_at == 0;
    const size_t n = automatic ? AUTOMATIC_TIMES : c->options->n_at;
    if (!has_radii(c->tracks)) {
        ng_warnings_add(warnings, "radii-missing",
                        "the tracks have no radii, so there are no "
                        "histograms; --material and --final-radius-nm make radii of intensities");
        return NG_OK;
    }
    out->histogram = NG_NEW(ng_radius_histogram, n);
    double *room = NG_NEW(double, c->n_spans);
    ng_status status = out->histogram != NULL && room != NULL
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "no memory for %zu histograms", n);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        const double time_s = automatic ? automatic_time(c, out, i) : c->options->at_s[i];
        status = make_histogram(c, time_s, room, &out->histogram[i], err);
        out->n_histograms = i + 1;
    }
    ng_free(room);
    return status;
}

ng_status ng_nucleation_compute(const ng_particles *tracks, const ng_nucleation_options *options,
                                ng_nucleation *out, ng_warnings *warnings, ng_error *err)
{
    counting c = {.tracks = tracks, .options = options};
    *out = (ng_nucleation){0};
    ng_status status = select_tracks(&c, out, warnings, err);
    if (status == NG_OK) {
        status = make_series(&c, out, err);
    }
    if (status == NG_OK) {
        fill_times(&c, out);
        count(&c, out);
        find_rate(&c, out);
        find_window(&c, out);
        status = find_hidden(&c, out, warnings, err);
    }
    if (status == NG_OK) {
        status = make_histograms(&c, out, warnings, err);
    }
    const double lost = status == NG_OK ? (double)out->births - out->closed[out->n_frames - 1] : 0;
    if (lost > LOST_SHARE * (double)out->births) {
        ng_warnings_add(warnings, "crystals-lost",
                        "%.0f of %zu crystals are no longer seen in the last frame: numbers seen "
                        "and the summed intensity fall short of what has formed",
                        lost, out->births);
    }
    if (status == NG_OK && out->at_start > 0) {
        ng_warnings_add(warnings, "crystals-at-start",
                        "%zu crystals are there in the first frame; when they were born is not "
                        "known, and the rate is of the others",
                        out->at_start);
    }
    if (status != NG_OK) {
        ng_nucleation_free(out);
    }
    ng_free(c.span);
    ng_free(c.birth_s);
    return status;
}

/* ---- the result ----------------------------------------------------------------------------- */

static json_t *histogram_json(const ng_radius_histogram *h)
{
    return json_pack("{s:f,s:I,s:I,s:o,s:o,s:{s:o,s:o,s:o,s:o,s:o,s:o}}", "time_s", h->time_s,
                     "particles", (json_int_t)h->n, "left_out", (json_int_t)h->left_out, "edge_nm",
                     ng_json_reals(h->edge_nm, h->n_bins > 0 ? h->n_bins + 1 : 0), "count",
                     ng_json_reals(h->count, h->n_bins), "gaussian", "mean_nm",
                     ng_json_real(h->mean_nm), "sd_nm", ng_json_real(h->sd_nm), "mean_se_nm",
                     ng_json_real(h->mean_se_nm), "sd_se_nm", ng_json_real(h->sd_se_nm), "p_value",
                     ng_json_real(h->p_value), "middle_sd_nm", ng_json_real(h->middle_sd_nm));
}

static json_t *window_json(const ng_nucleation *x, const ng_nucleation_options *o)
{
    return json_pack("{s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "share", o->window, "from_s",
                     ng_json_real(x->window_from_s), "from_lower_s", ng_json_real(x->from_lower_s),
                     "from_upper_s", ng_json_real(x->from_upper_s), "to_s",
                     ng_json_real(x->window_to_s), "to_lower_s", ng_json_real(x->to_lower_s),
                     "to_upper_s", ng_json_real(x->to_upper_s), "duration_s",
                     ng_json_real(x->window_s), "duration_lower_s", ng_json_real(x->window_lower_s),
                     "duration_upper_s", ng_json_real(x->window_upper_s));
}

static json_t *hidden_json(const ng_hidden *o)
{
    static const char *const state[] = {"told", "few", "moving", "solid"};
    if (o->state != NG_HIDDEN_TOLD) {
        return json_pack("{s:s}", "state", state[o->state]);
    }
    return json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "state", state[o->state], "half_nm",
                     o->half_nm, "reach_nm", o->reach_nm, "crystals", o->crystals, "pairs_seen",
                     o->pairs_seen, "pairs_expected", o->pairs_expected, "hidden_share",
                     o->hidden_share, "hidden_share_se", o->hidden_share_se);
}

json_t *ng_nucleation_json(const ng_nucleation *x, const ng_nucleation_options *o)
{
    const size_t n = x->n_frames;
    json_t *histograms = json_array();
    for (size_t i = 0; i < x->n_histograms; i++) {
        json_array_append_new(histograms, histogram_json(&x->histogram[i]));
    }
    return json_pack(
        "{s:{s:I,s:I,s:I,s:o,s:o},s:{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o},s:o,s:o,"
        "s:{s:o,s:o,s:o,s:o},s:o,s:f,s:f}",
        "counts", "births", (json_int_t)x->births, "at_start", (json_int_t)x->at_start,
        "tracks_short", (json_int_t)x->dropped, "area_um2", ng_json_real(o->area_um2),
        "births_per_um2", ng_json_real((double)x->births / o->area_um2), "series", "time_s",
        ng_json_reals(x->time_s, n), "detected", ng_json_reals(x->detected, n), "gap_closed",
        ng_json_reals(x->closed, n), "cumulative", ng_json_reals(x->cumulative, n), "rate_per_s",
        ng_json_reals(x->rate_per_s, n), "rate_lower_per_s", ng_json_reals(x->rate_lower, n),
        "rate_upper_per_s", ng_json_reals(x->rate_upper, n), "intensity",
        ng_json_reals(x->intensity, n), "corrected", ng_json_reals(x->corrected, n),
        "corrected_lower", ng_json_reals(x->corrected_lower, n), "corrected_upper",
        ng_json_reals(x->corrected_upper, n), "hidden", hidden_json(&x->hidden), "window",
        window_json(x, o), "peak", "rate_per_s", ng_json_real(x->peak_rate_per_s),
        "rate_lower_per_s", ng_json_real(x->peak_lower), "rate_upper_per_s",
        ng_json_real(x->peak_upper), "time_s", ng_json_real(x->peak_time_s), "histograms",
        histograms, "bandwidth_s", x->bandwidth_s, "level", o->level);
}
