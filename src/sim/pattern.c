/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From raw frames to the pattern of all directions, and whether it is to be trusted. */
#include "pattern_internal.h"

#include <math.h>
#include <string.h>

/* Phases that differ from equal steps by more than so many standard errors, and more than this,
 * are taken as they are. */
#define UNEQUAL_ERRORS 5
#define UNEQUAL_RAD 0.06
#define ROUNDS 6
/* What explains more than half of C_1 leaves less to any other k. */
#define MOST_OF_IT 0.5
#define LEAST_TRIES 4
/* Phases that are worse known than this, rad, are not followed. */
#define MOST_PHASE_SE 0.2

ng_sim_pattern_options ng_sim_pattern_defaults(void)
{
    return (ng_sim_pattern_options){.ring_min = 0.4,
                                    .ring_max = 1.05,
                                    .pattern_na = NAN,
                                    .pattern_wavelength_nm = NAN,
                                    .starts = 24,
                                    .steps = NG_SIM_PHASES_AUTO,
                                    .least_peak = 6,
                                    .least_explained = 0.4,
                                    .least_modulation = 0.1};
}

static ng_status check_options(const ng_sim_pattern_options *o, ng_error *err)
{
    if (!(o->ring_min > 0.05) || !(o->ring_max > o->ring_min) || !(o->ring_max <= 1.3)) {
        return NG_FAIL(err, NG_INVALID,
                       "a ring from %g to %g of the cutoff; give two rising numbers between 0.05 "
                       "and 1.3",
                       o->ring_min, o->ring_max);
    }
    if (isfinite(o->pattern_na) != isfinite(o->pattern_wavelength_nm)) {
        return NG_FAIL(err, NG_INVALID,
                       "pattern-na and pattern-wavelength-nm belong together; give both or none");
    }
    if (o->starts < 1 || o->starts > NG_SIM_MAX_STARTS) {
        return NG_FAIL(err, NG_INVALID, "%ld starts; 1 to %d can be followed", o->starts,
                       NG_SIM_MAX_STARTS);
    }
    return NG_OK;
}

/* ---- one direction ---- */

typedef struct trace {
    ng_sim_estimate estimate;
    double phase[NG_SIM_MAX_PHASES];     /* relative to the first */
    double intensity[NG_SIM_MAX_PHASES]; /* as used */
    bool equal;
    double step[NG_SIM_MAX_PHASES]; /* phases relative to the first, as the frames show them */
    double step_se[NG_SIM_MAX_PHASES];
    bool settled;
    ng_sim_single single[NG_SIM_MAX_PHASES];
    double peak, second_peak, explained;
    double misfit[NG_SIM_CUTOFFS]; /* of other cutoffs */
} trace;

typedef struct hunt {
    ng_sim_search search;
    const ng_sim_camera *camera;
    ng_sim_bands *bands; /* one a worker */
    trace *trace;        /* one a direction */
    float *even;         /* c_0 of each direction, where phases are not equal; else NULL */
} hunt;

static void equal_steps(size_t phases, double *phase)
{
    for (size_t p = 0; p < phases; p++) {
        phase[p] = 2 * NG_SIM_PI * (double)p / (double)phases;
    }
}

/* Follow the maxima: the one whose stripes explain the largest share of C_1 is refined. Chance can
 * explain some of it, never all. */
static void find_k(const hunt *t, ng_sim_bands *b, trace *out)
{
    ng_sim_candidate list[NG_SIM_MAX_STARTS];
    double second = 0;
    ng_sim_estimate *best = &out->estimate;
    ng_sim_correlate(&t->search, b);
    const size_t n = ng_sim_candidates(&t->search, b, list, (size_t)t->search.options->starts);
    *best = (ng_sim_estimate){.value = {NAN, NAN, 0, 0}};
    size_t chosen = 0;
    for (size_t i = 0; i < n && (i < LEAST_TRIES || best->explained < MOST_OF_IT); i++) {
        ng_sim_estimate e;
        ng_sim_try(&t->search, b, (double[]){list[i].kx, list[i].ky}, 1, &e);
        if (i == 0 || e.explained > best->explained) {
            second = i > 0 ? best->explained : 0;
            *best = e;
            chosen = i;
        } else {
            second = fmax(second, e.explained);
        }
    }
    if (n > 0) {
        out->peak = list[chosen].height;
        out->explained = best->explained;
        out->second_peak = best->explained > 0 ? second / best->explained : 1;
        ng_sim_refine(&t->search, b, best);
        ng_sim_estimate there;
        ng_sim_try(&t->search, b, best->value, 3, &there);
        out->explained = there.explained;
    }
}

/* Light of each frame, and the steps that its stripes make. */
static void look_at_frames(const ng_sim_search *s, ng_sim_bands *b, trace *out)
{
    ng_sim_singles(s, b, &out->estimate, out->single);
    memcpy(out->step, out->phase, sizeof out->step);
    out->settled = ng_sim_steps(s, b, out->intensity, &out->estimate, out->step, out->step_se);
    if (!out->settled) { /* too far from there: what single frames say is coarse, but near */
        for (size_t p = 0; p < s->layout->phases; p++) {
            out->step[p] = out->single[p].phase - out->single[0].phase;
        }
        out->settled = ng_sim_steps(s, b, out->intensity, &out->estimate, out->step, out->step_se);
    }
    if (s->optics->measured == NULL) {
        ng_sim_cutoff_misfit(s, b, &out->estimate, out->misfit);
    }
}

static ng_status search_direction(void *context, size_t d, int worker, ng_error *err)
{
    (void)err;
    hunt *t = context;
    ng_sim_bands *b = &t->bands[worker];
    trace *out = &t->trace[d];
    equal_steps(t->search.layout->phases, out->phase);
    for (size_t p = 0; p < t->search.layout->phases; p++) {
        out->intensity[p] = 1;
    }
    out->equal = true;
    ng_sim_bands_load(&t->search, d, b);
    ng_sim_bands_separate(&t->search, out->phase, out->intensity, b);
    ng_sim_bands_share(&t->search, b);
    find_k(t, b, out);
    if (out->estimate.converged) {
        look_at_frames(&t->search, b, out);
    }
    return NG_OK;
}

/* Once more with better phases and intensities. */
static ng_status search_again(void *context, size_t d, int worker, ng_error *err)
{
    (void)err;
    hunt *t = context;
    ng_sim_bands *b = &t->bands[worker];
    trace *out = &t->trace[d];
    if (out->estimate.converged) {
        ng_sim_bands_load(&t->search, d, b);
        ng_sim_bands_separate(&t->search, out->phase, out->intensity, b);
        if (t->even != NULL) {
            const size_t n = t->search.plane.width * t->search.plane.height;
            memcpy(t->even + d * n, b->even, n * sizeof *b->even);
        }
        ng_sim_bands_share(&t->search, b);
        ng_sim_refine(&t->search, b, &out->estimate);
        look_at_frames(&t->search, b, out);
    }
    return NG_OK;
}

/* With unequal steps the mean of the frames holds stripes, which the single frames' phases are then
 * measured against; c_0 of all directions holds less of them from round to round. */
static ng_status even_out(hunt *t, ng_error *err)
{
    ng_sim_search *s = &t->search;
    const size_t n = s->plane.width * s->plane.height, directions = s->layout->directions;
    if (t->even == NULL) {
        t->even = NG_NEW(float, directions *n);
        if (t->even == NULL) {
            return NG_FAIL(err, NG_MEMORY, "out of memory for %zu images", directions);
        }
        for (size_t d = 0; d < directions; d++) {
            memcpy(t->even + d * n, s->mean, n * sizeof *s->mean);
        }
        return NG_OK;
    }
    for (size_t i = 0; i < n; i++) {
        s->mean[i] = 0;
        for (size_t d = 0; d < directions; d++) {
            s->mean[i] += t->even[d * n + i] / (float)directions;
        }
    }
    ng_sim_search_mean(s);
    return NG_OK;
}

/* ---- light of the frames ---- */

/* Straight line through ln f over the number of the frame. */
static void trend_of(const double *y, size_t n, double *slope, double *slope_se, double *rms)
{
    const double middle = 0.5 * ((double)n - 1);
    double mean = 0, xy = 0, xx = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xy += ((double)i - middle) * (y[i] - mean);
        xx += ((double)i - middle) * ((double)i - middle);
    }
    *slope = xy / xx;
    for (size_t i = 0; i < n; i++) {
        rest += pow(y[i] - mean - *slope * ((double)i - middle), 2);
    }
    *rms = sqrt(rest / (double)(n > 2 ? n - 2 : 1));
    *slope_se = *rms / sqrt(xx);
}

typedef struct light {
    bool own, trend;
    double slope, rms;
} light;

/* A common trend is known better than the light of any single frame; frames that scatter by more
 * than their errors keep their own. Returns whether anything but even light was found. */
static light settle_light(const ng_sim_layout *layout, trace *traces)
{
    const size_t n = ng_sim_layout_frames(layout);
    double y[NG_SIM_MAX_FRAMES], slope_se = 0, se = 0;
    light result = {.own = false};
    for (size_t d = 0; d < layout->directions; d++) {
        for (size_t p = 0; p < layout->phases; p++) {
            const ng_sim_single *s = &traces[d].single[p];
            if (!(s->light_se < 0.2) || !(s->light > 0)) {
                return result; /* too weak to tell */
            }
            y[ng_sim_layout_index(layout, d, p)] = log(s->light);
            se += s->light_se / (double)n;
        }
    }
    trend_of(y, n, &result.slope, &slope_se, &result.rms);
    result.own = result.rms > 0.02 && result.rms > 3 * se;
    result.trend = fabs(result.slope) > 4 * slope_se && fabs(result.slope) > 5e-4;
    for (size_t d = 0; d < layout->directions; d++) {
        for (size_t p = 0; p < layout->phases; p++) {
            const size_t i = ng_sim_layout_index(layout, d, p);
            const double at = (double)i - 0.5 * ((double)n - 1);
            traces[d].intensity[p] = result.own     ? exp(y[i])
                                     : result.trend ? exp(result.slope * at)
                                                    : 1;
        }
    }
    return result;
}

static void warn_light(const light *l, ng_warnings *warnings)
{
    if (l->own) {
        ng_warnings_add(warnings, "uneven-light",
                        "the light differs from frame to frame by %.1f %% (standard deviation); "
                        "each frame is taken with its own",
                        100 * l->rms);
    } else if (l->trend) {
        ng_warnings_add(warnings, "bleaching",
                        "each raw frame has %.2f %% %s light than the one before; taken into "
                        "account",
                        100 * fabs(l->slope), l->slope < 0 ? "less" : "more");
    }
}

/* ---- the cutoff ---- */

static double cutoff_seen(const hunt *t)
{
    double misfit[NG_SIM_CUTOFFS] = {0};
    for (size_t d = 0; d < t->search.layout->directions; d++) {
        for (int i = 0; i < NG_SIM_CUTOFFS; i++) {
            misfit[i] += t->trace[d].misfit[i];
        }
    }
    return ng_sim_cutoff_best(misfit);
}

/* ---- steps of the phases ---- */

/* Are these equal steps, but for their errors? */
static bool steps_are_equal(size_t phases, const double *step, const double *step_se)
{
    double equal[NG_SIM_MAX_PHASES], re = 0, im = 0;
    equal_steps(phases, equal);
    for (size_t p = 0; p < phases; p++) {
        re += cos(step[p] - equal[p]);
        im += sin(step[p] - equal[p]);
    }
    const double common = atan2(im, re);
    double most = 0, se = 0;
    for (size_t p = 0; p < phases; p++) {
        most = fmax(most, fabs(remainder(step[p] - equal[p] - common, 2 * NG_SIM_PI)));
        se = fmax(se, step_se[p]);
    }
    return !(most > UNEQUAL_ERRORS * se && most > UNEQUAL_RAD);
}

/* Steps that are not equal in one direction are not to be relied on in the others. Returns whether
 * they are taken as found. */
static bool settle_steps(const hunt *t)
{
    const ng_sim_layout *layout = t->search.layout;
    bool free = t->search.options->steps == NG_SIM_PHASES_FREE;
    for (size_t d = 0; d < layout->directions; d++) {
        const trace *out = &t->trace[d];
        free = free || (t->search.options->steps == NG_SIM_PHASES_AUTO && out->settled &&
                        (!out->equal || !steps_are_equal(layout->phases, out->step, out->step_se)));
    }
    for (size_t d = 0; free && d < layout->directions; d++) {
        trace *out = &t->trace[d];
        out->equal = !out->settled;
        for (size_t p = 0; out->settled && p < layout->phases; p++) {
            out->phase[p] = remainder(out->step[p], 2 * NG_SIM_PI);
        }
    }
    return free;
}

/* ---- what is handed out ---- */

static void fill_direction(const hunt *t, size_t d, ng_sim_direction *out)
{
    const ng_sim_layout *layout = t->search.layout;
    const trace *from = &t->trace[d];
    const ng_sim_estimate *e = &from->estimate;
    const double cr = e->value[2], ci = e->value[3], size = hypot(cr, ci);
    const double centre[2] = {0.5 * ((double)layout->width - 1),
                              0.5 * ((double)layout->height - 1)};
    /* Derivatives of the phase at pixel (0, 0), and of |c|, by kx, ky, Re c, Im c. */
    const double by[4] = {-2 * NG_SIM_PI * centre[0], -2 * NG_SIM_PI * centre[1],
                          -ci / (size * size), cr / (size * size)};
    const double of[4] = {0, 0, cr / size, ci / size};
    double phase_variance = 0, centre_variance = 0, size_variance = 0;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            phase_variance += by[i] * by[j] * e->covariance[i][j];
            centre_variance += i > 1 && j > 1 ? by[i] * by[j] * e->covariance[i][j] : 0;
            size_variance += of[i] * of[j] * e->covariance[i][j];
        }
    }
    *out = (ng_sim_direction){.kx = e->value[0],
                              .ky = e->value[1],
                              .kx_se = sqrt(e->covariance[0][0]),
                              .ky_se = sqrt(e->covariance[1][1]),
                              .modulation = 2 * size,
                              .modulation_se = 2 * sqrt(size_variance),
                              .peak = from->peak,
                              .second_peak = from->second_peak,
                              .explained = from->explained,
                              .equal_steps = from->equal,
                              .trusted = e->converged};
    const double first =
        atan2(ci, cr) - 2 * NG_SIM_PI * (out->kx * centre[0] + out->ky * centre[1]);
    out->phase_centre_se = sqrt(centre_variance + (from->equal ? 0 : pow(from->step_se[0], 2)));
    for (size_t p = 0; p < layout->phases; p++) {
        const double own = from->equal ? 0 : from->step_se[p];
        out->step_se[p] = own;
        out->phase[p] = remainder(first + from->phase[p], 2 * NG_SIM_PI);
        out->phase_se[p] = sqrt(phase_variance + own * own);
        out->intensity[p] = from->intensity[p];
    }
}

/* ---- all directions ---- */

static ng_status hunt_open(hunt *t, int workers, ng_error *err)
{
    t->bands = NG_NEW(ng_sim_bands, (size_t)workers);
    t->trace = NG_NEW(trace, t->search.layout->directions);
    ng_status status = t->bands != NULL && t->trace != NULL
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "out of memory for the bands");
    for (int i = 0; status == NG_OK && i < workers; i++) {
        status = ng_sim_bands_open(&t->search, &t->bands[i], err);
    }
    return status;
}

static void hunt_close(hunt *t, int workers)
{
    for (int i = 0; t->bands != NULL && i < workers; i++) {
        ng_sim_bands_close(&t->bands[i]);
    }
    ng_free(t->bands);
    ng_free(t->trace);
    ng_free(t->even);
    ng_sim_search_close(&t->search);
}

static ng_status hunt_all(hunt *t, const ng_run *run, ng_warnings *warnings, ng_error *err)
{
    const size_t n = t->search.layout->directions;
    ng_status status = ng_sim_loop(n, search_direction, t, run, err);
    for (int round = 0; status == NG_OK && round < ROUNDS; round++) {
        const light l = settle_light(t->search.layout, t->trace);
        const bool unequal = settle_steps(t);
        if (round + 1 == ROUNDS || (!unequal && !l.own && !l.trend)) {
            warn_light(&l, warnings);
            break;
        }
        if (unequal) {
            status = even_out(t, err);
        }
        status = status != NG_OK ? status : ng_sim_loop(n, search_again, t, run, err);
    }
    return status;
}

/* All directions of `pattern`, for its layout, optics and camera. */
static ng_status find_all(ng_sim_pattern *pattern, const float *frames,
                          const ng_sim_pattern_options *options, const ng_run *run,
                          ng_warnings *warnings, ng_error *err)
{
    const size_t directions = pattern->layout.directions;
    hunt t = {.camera = &pattern->camera};
    ng_run inner = ng_run_defaults();
    inner.threads = ng_run_threads(run);
    if ((size_t)inner.threads > directions) {
        inner.threads = (int)directions;
    }
    ng_status status = ng_sim_search_open(pattern, frames, options, &t.search, err);
    status = status != NG_OK ? status : hunt_open(&t, inner.threads, err);
    status = status != NG_OK ? status : hunt_all(&t, &inner, warnings, err);
    for (size_t d = 0; status == NG_OK && d < directions; d++) {
        ng_sim_direction *out = &pattern->direction[d];
        fill_direction(&t, d, out);
        out->contrast_to_noise =
            ng_sim_contrast_to_noise(&t.search, &pattern->camera, d, &t.bands[0], out);
    }
    pattern->cutoff_seen = status == NG_OK ? cutoff_seen(&t) : 1;
    hunt_close(&t, inner.threads);
    return status;
}

static double summed_modulation(const ng_sim_direction *direction, size_t n)
{
    double sum = 0;
    for (size_t d = 0; d < n; d++) {
        sum += isfinite(direction[d].modulation) ? fmin(direction[d].modulation, 1) : 0;
    }
    return sum;
}

/* Read in the other order, do the same frames show stronger stripes? */
static ng_status try_other_order(const ng_sim_pattern *pattern, const float *frames,
                                 const ng_sim_pattern_options *options, const ng_run *run,
                                 bool *wrong, double modulation[2], ng_error *err)
{
    const size_t n = pattern->layout.directions;
    ng_sim_pattern other = {
        .layout = pattern->layout, .optics = pattern->optics, .camera = pattern->camera};
    other.layout.order =
        other.layout.order == NG_SIM_ANGLE_MAJOR ? NG_SIM_PHASE_MAJOR : NG_SIM_ANGLE_MAJOR;
    ng_status status = find_all(&other, frames, options, run, NULL, err);
    if (status == NG_OK) {
        modulation[0] = summed_modulation(pattern->direction, n) / (double)n;
        modulation[1] = summed_modulation(other.direction, n) / (double)n;
        double explained[2] = {0, 0};
        for (size_t d = 0; d < n; d++) {
            explained[0] += pattern->direction[d].explained / (double)n;
            explained[1] += other.direction[d].explained / (double)n;
        }
        *wrong = explained[1] > 1.3 * explained[0] && explained[1] > options->least_explained &&
                 modulation[1] > modulation[0];
    }
    return status;
}

static bool is_suspicious(const ng_sim_pattern *pattern)
{
    const ng_sim_layout *layout = &pattern->layout;
    bool any = !pattern->trusted;
    for (size_t d = 0; d < layout->directions; d++) {
        any = any || pattern->direction[d].second_peak > 0.6;
    }
    return any && layout->directions > 1;
}

ng_status ng_sim_pattern_estimate(const ng_sim_layout *layout, const ng_sim_optics *optics,
                                  const ng_sim_camera *camera, const float *frames,
                                  const ng_sim_pattern_options *options, const ng_run *run,
                                  ng_sim_pattern *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_sim_pattern){.layout = *layout, .optics = *optics, .camera = *camera};
    ng_status status = ng_sim_layout_check(layout, err);
    status = status != NG_OK ? status : ng_sim_optics_check(optics, err);
    status = status != NG_OK ? status : check_options(options, err);
    status = status != NG_OK ? status : ng_sim_frames_check(layout, frames, 0, err);
    if (status == NG_OK) {
        status = find_all(out, frames, options, run, warnings, err);
    }
    if (status != NG_OK) {
        return status;
    }
    ng_sim_pattern_judge(out, options, warnings);
    if (is_suspicious(out)) {
        double modulation[2] = {0, 0};
        status =
            try_other_order(out, frames, options, run, &out->order_looks_wrong, modulation, err);
        if (out->order_looks_wrong) {
            out->trusted = false;
            snprintf(out->reason, sizeof out->reason,
                     "the frames do not look %s: read as %s they show stripes of modulation %.2f "
                     "instead of %.2f; pass --order %s",
                     ng_sim_order_name(layout->order),
                     ng_sim_order_name(layout->order == NG_SIM_ANGLE_MAJOR ? NG_SIM_PHASE_MAJOR
                                                                           : NG_SIM_ANGLE_MAJOR),
                     modulation[1], modulation[0],
                     ng_sim_order_name(layout->order == NG_SIM_ANGLE_MAJOR ? NG_SIM_PHASE_MAJOR
                                                                           : NG_SIM_ANGLE_MAJOR));
        }
    }
    if (status != NG_OK || !out->trusted) {
        return status;
    }
    ng_sim_cutoff_warn(out, warnings);
    return ng_sim_pattern_sharpen(out, frames, run, err);
}

/* ---- drift ---- */

/* The same stripes, moved: phases from C_1 at the k that is known. */
static void follow(const hunt *t, const ng_sim_direction *known, size_t d, ng_sim_direction *out)
{
    const size_t phases = t->search.layout->phases;
    ng_sim_bands *b = &t->bands[0];
    trace *found = &t->trace[d];
    for (size_t p = 0; p < phases; p++) {
        found->phase[p] = remainder(known->phase[p] - known->phase[0], 2 * NG_SIM_PI);
    }
    ng_sim_bands_load(&t->search, d, b);
    ng_sim_bands_separate(&t->search, found->phase, known->intensity, b);
    ng_sim_bands_share(&t->search, b);
    ng_sim_try(&t->search, b, (double[]){known->kx, known->ky}, 3, &found->estimate);
    const ng_sim_estimate *e = &found->estimate;
    const double size = hypot(e->value[2], e->value[3]);
    const double se = e->overlap > 0 && size > 0 ? sqrt(0.5 / e->overlap) / size : HUGE_VAL;
    if (!(se < MOST_PHASE_SE)) {
        return;
    }
    const double cx = 0.5 * ((double)t->search.layout->width - 1);
    const double cy = 0.5 * ((double)t->search.layout->height - 1);
    const double first =
        atan2(e->value[3], e->value[2]) - 2 * NG_SIM_PI * (known->kx * cx + known->ky * cy);
    for (size_t p = 0; p < phases; p++) {
        out->phase[p] = remainder(first + found->phase[p], 2 * NG_SIM_PI);
        out->phase_se[p] = se;
    }
}

ng_status ng_sim_pattern_track(const ng_sim_pattern *pattern, const float *frames,
                               ng_sim_pattern *out, ng_error *err)
{
    const ng_sim_pattern_options options = ng_sim_pattern_defaults();
    hunt t = {.camera = &pattern->camera};
    *out = *pattern;
    ng_status status = ng_sim_search_open(pattern, frames, &options, &t.search, err);
    status = status != NG_OK ? status : hunt_open(&t, 1, err);
    for (size_t d = 0; status == NG_OK && d < pattern->layout.directions; d++) {
        follow(&t, &pattern->direction[d], d, &out->direction[d]);
    }
    hunt_close(&t, 1);
    return status;
}
