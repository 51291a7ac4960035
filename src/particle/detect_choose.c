/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user leaves open is settled on frames spread over the movie. */
#include "spot_internal.h"

#include <math.h>
#include <string.h>

enum {
    PILOT_FRAMES = 12,
    SCALES = 4,
    BLURS = 15,
    FINE_BLURS = 7,
    TRIAL_BLURS = 9,
    BLUR_ROUNDS = 3
};

/* Memory for pilot frames; three are kept in any case. */
#define PILOT_PIXELS ((size_t)1 << 24)
/* A smoothing is taken that lets the smallest particles rise so far, in s.d., above the height that
 * they must reach, or so near to the best there is. */
#define ENOUGH_MARGIN 6.0
#define NEAR_BEST 0.01
/* Peaks that count when scales are compared, and the share of the best that the finest must
 * reach. */
#define SCALE_PEAK 5.0
#define SCALE_SHARE 0.3
/* A smoothing is at least this share of the radius: the outlines of large particles are ragged. */
#define SMOOTH_SHARE 0.15
/* Small particles are taken to be no smaller than this share of the median: noise reaches below. */
#define SMALL_LEAST 0.6
/* Pixels join from this share of the height that a particle must reach. */
#define LEVEL_SHARE 0.75
/* False particles a frame, as a share of the particles; so many times as many peaks of noise are
 * let through to the fit, which judges them together with their height. */
#define FALSE_SHARE 0.025
#define FALSE_LEAST 0.05
#define TRIED_PER_FALSE 3.0
#define LEAST_PILOTS_FOR_BLUR 20

static const double scale_px[SCALES] = {1.5, 3.0, 6.0, 12.0};

typedef struct pilot {
    const ng_detect_options *asked;
    ng_detect_choices *choices;
    ng_disk_table *table;
    const ng_image *frame; /* borrowed */
    size_t n, width, height;
    float *radius, *contrast, *error; /* of what was found last, px and counts */
    double typical_error;             /* of a radius */
    size_t n_blur;                    /* disks that told the blur */
    size_t found, room;
    ng_warnings *warnings;
} pilot;

/* ---- reading ----------------------------------------------------------------------------- */

typedef struct sample_frames {
    ng_image frame[PILOT_FRAMES];
    size_t n;
} sample_frames;

static void sample_free(sample_frames *s)
{
    for (size_t i = 0; i < PILOT_FRAMES; i++) {
        ng_image_free(&s->frame[i]);
    }
}

/* Frames that cannot be read are left out as long as one can. */
static ng_status read_frames(ng_movie *movie, const ng_detect_options *o, sample_frames *s,
                             ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(movie);
    const size_t span = o->last - o->first + 1;
    size_t wanted = PILOT_PIXELS / (info->width * info->height);
    wanted = wanted < 3 ? 3 : wanted > PILOT_FRAMES ? PILOT_FRAMES : wanted;
    wanted = wanted < span ? wanted : span;
    ng_error failure = {.status = NG_OK};
    for (size_t k = 0; k < wanted; k++) {
        const size_t index = o->first + (size_t)(((double)k + 0.5) * (double)span / (double)wanted);
        ng_image *image = &s->frame[s->n];
        if (image->pixel == NULL) {
            ng_status status = ng_image_create(info->width, info->height, image, err);
            if (status != NG_OK) {
                return status;
            }
        }
        if (ng_movie_read(movie, index, image->pixel, &failure) == NG_OK) {
            (void)ng_image_mend(image);
            s->n++;
        }
    }
    if (s->n == 0 && err != NULL) {
        *err = failure;
    }
    return s->n > 0 ? NG_OK : failure.status;
}

/* ---- noise ------------------------------------------------------------------------------- */

enum { SAMPLE = 1 << 15 };

static float middle_of(const ng_image *image, float *sample)
{
    const size_t total = image->width * image->height, step = total / SAMPLE + 1;
    size_t n = 0;
    for (size_t i = 0; i < total; i += step) {
        sample[n++] = image->pixel[i];
    }
    return ng_select(sample, n, n / 2);
}

/* What second differences of correlated noise leave of its s.d. */
static double seen_share(double correlation)
{
    return (6.0 - 8.0 * correlation + 2.0 * pow(correlation, 4.0)) / 6.0;
}

ng_status ng_pilot_noise(const ng_image *frame, size_t n, ng_detect_choices *out, ng_error *err)
{
    float *sample = NG_NEW(float, SAMPLE);
    float noise[PILOT_FRAMES], correlation[PILOT_FRAMES], background[PILOT_FRAMES];
    if (sample == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure the noise");
    }
    for (size_t i = 0; i < n; i++) {
        noise[i] = (float)ng_image_noise(&frame[i], sample);
        correlation[i] = (float)ng_image_noise_correlation(&frame[i], sample);
        background[i] = middle_of(&frame[i], sample);
    }
    ng_free(sample);
    out->noise_correlation = (double)ng_select(correlation, n, n / 2);
    out->noise = (double)ng_select(noise, n, n / 2) / seen_share(out->noise_correlation);
    out->background = (double)ng_select(background, n, n / 2);
    return NG_OK;
}

/* ---- the threshold that lets so many noise peaks through --------------------------------- */

/* Expected number of regions of a smooth Gaussian field above z (its Euler characteristic). */
static double false_peaks(double z, double pixels, double smooth_px)
{
    const double curvature = 1.0 / (2.0 * smooth_px * smooth_px), pi = acos(-1.0);
    return pixels * curvature / pow(2.0 * pi, 1.5) * z * exp(-0.5 * z * z);
}

double ng_noise_grain2(double correlation)
{
    return correlation > 0.01 ? -0.25 / log(correlation) : 0.1;
}

static double height_for(const pilot *p, double smooth, double false_per_frame)
{
    const double grain2 = ng_noise_grain2(p->choices->noise_correlation);
    const double width = fmax(sqrt(smooth * smooth + grain2), 0.6);
    double low = 2.0, high = 12.0;
    while (high - low > 1e-6) {
        const double z = 0.5 * (low + high);
        if (false_peaks(z, (double)(p->width * p->height), width) > false_per_frame) {
            low = z;
        } else {
            high = z;
        }
    }
    return high;
}

/* Without a fit the height alone decides. */
static void choose_height(pilot *p, double false_per_frame)
{
    ng_detect_choices *c = p->choices;
    const double smooth = c->options.denoise == NG_DENOISE_GAUSSIAN ? c->options.smooth_px : 1.0;
    const double tried = c->options.fit ? TRIED_PER_FALSE * false_per_frame : false_per_frame;
    const bool given = !isnan(p->asked->c);
    c->options.c = given ? p->asked->c : height_for(p, smooth, tried);
    c->level = LEVEL_SHARE * c->options.c;
    c->options.false_per_frame = false_per_frame;
    c->options.min_contrast = !isnan(p->asked->min_contrast) ? p->asked->min_contrast
                              : given                        ? p->asked->c
                                      : height_for(p, smooth, false_per_frame);
}

/* ---- looking ----------------------------------------------------------------------------- */

static ng_status keep(pilot *p, const ng_detect_frame *f, ng_error *err)
{
    if (p->found + f->n > p->room) {
        const size_t room = 2 * (p->found + f->n);
        float *radius = ng_realloc(p->radius, room, sizeof *radius);
        p->radius = radius != NULL ? radius : p->radius;
        float *contrast = ng_realloc(p->contrast, room, sizeof *contrast);
        p->contrast = contrast != NULL ? contrast : p->contrast;
        float *error = ng_realloc(p->error, room, sizeof *error);
        p->error = error != NULL ? error : p->error;
        if (radius == NULL || contrast == NULL || error == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles", room);
        }
        p->room = room;
    }
    const double pixel_nm = p->choices->options.pixel_nm;
    for (size_t i = 0; i < f->n; i++) {
        const double error = f->particle[i].radius_se_nm / pixel_nm;
        p->error[p->found] = isfinite(error) ? (float)error : 0.0f;
        p->radius[p->found] = (float)(f->particle[i].radius_nm / pixel_nm);
        p->contrast[p->found++] = (float)f->particle[i].contrast;
    }
    return NG_OK;
}

static float quantile(const float *value, size_t n, double share, float *sample)
{
    if (n == 0) {
        return NAN;
    }
    memcpy(sample, value, n * sizeof *sample);
    return ng_select(sample, n, (size_t)(share * (double)(n - 1) + 0.5));
}

static ng_status summarise(pilot *p, ng_error *err)
{
    static const double share[3] = {0.05, 0.5, 0.95};
    float *sample = NG_NEW(float, p->found);
    if (sample == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles", p->found);
    }
    for (size_t k = 0; k < 3; k++) {
        p->choices->radius_px[k] = (double)quantile(p->radius, p->found, share[k], sample);
    }
    p->choices->contrast = (double)quantile(p->contrast, p->found, 0.5, sample);
    p->typical_error = (double)quantile(p->error, p->found, 0.5, sample);
    p->choices->pilot_particles = p->found;
    ng_free(sample);
    return NG_OK;
}

/* Measure the pilot frames with what is chosen so far. `peaks` may be NULL. */
static ng_status look(pilot *p, double *peaks, ng_error *err)
{
    ng_detector *detector = NULL;
    ng_status status =
        ng_detector_create_with(p->table, p->choices, p->width, p->height, &detector, err);
    p->found = 0;
    for (size_t i = 0; status == NG_OK && i < p->n; i++) {
        const ng_image *const window[] = {&p->frame[i]};
        ng_detect_frame f;
        status = ng_detector_measure(detector, window, 1, 0, &f, err);
        if (status == NG_OK) {
            status = keep(p, &f, err);
        }
        if (status == NG_OK && peaks != NULL) {
            *peaks += ng_detector_peaks(detector, SCALE_PEAK);
        }
    }
    ng_detector_destroy(detector);
    return status == NG_OK ? summarise(p, err) : status;
}

/* ---- window and smoothing ---------------------------------------------------------------- */

/* Odd, at least three diameters of large particles and no more than the frame. */
static void choose_window(pilot *p)
{
    ng_detect_options *o = &p->choices->options;
    const size_t most = p->width < p->height ? p->width : p->height;
    const double r = p->choices->radius_px[2];
    const double wanted = isnan(r) ? (double)most / 4.0 : 6.0 * r + 4.0 * o->smooth_px;
    const double least = fmax(wanted, 41.0);
    const size_t side = (size_t)fmin(least, (double)(most > 3 ? most : 3)) | 1;
    o->window_px = isnan(p->asked->window_px) ? (double)side : p->asked->window_px;
}

/* Height of a disk in units of the noise, behind a Gaussian of s.d. sigma. */
static double height_of(double r, double contrast_to_noise, double sigma, double blur)
{
    const double width2 = sigma * sigma + blur * blur;
    return contrast_to_noise * 2.0 * sqrt(acos(-1.0)) * sigma * (1.0 - exp(-0.5 * r * r / width2));
}

/* By how much the smallest particles rise above the height that noise reaches, which falls as well
 * where fewer independent places are left. */
static double margin_of(const pilot *p, double r, double sigma, double false_per_frame)
{
    const ng_detect_choices *c = p->choices;
    const double blur = ng_whole_blur(c->options.blur_px);
    return height_of(r, c->contrast / c->noise, sigma, blur) -
           height_for(p, sigma, false_per_frame);
}

/* The least smoothing that makes the smallest particles stand out enough. */
static double smoothing_for(const pilot *p, double r, double false_per_frame)
{
    const double ratio = 1.05, start = 0.5;
    double best = -INFINITY, sigma = start;
    for (double s = start; s < 20.0; s *= ratio) {
        best = fmax(best, margin_of(p, r, s, false_per_frame));
    }
    while (sigma < 20.0 &&
           margin_of(p, r, sigma, false_per_frame) < fmin(ENOUGH_MARGIN, best - NEAR_BEST)) {
        sigma *= ratio;
    }
    return fmin(fmax(sigma, SMOOTH_SHARE * r), 20.0);
}

static bool chooses_smoothing(const pilot *p)
{
    return p->asked->denoise == NG_DENOISE_GAUSSIAN && isnan(p->asked->smooth_px);
}

/* The finest of a few scales at which much of what there is stands out. */
static ng_status find_scale(pilot *p, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    double peaks[SCALES] = {0}, best = 0.0;
    const bool fit = c->options.fit;
    ng_status status = NG_OK;
    c->options.fit = false;
    for (size_t k = 0; status == NG_OK && k < SCALES; k++) {
        c->options.smooth_px = scale_px[k];
        choose_window(p);
        choose_height(p, 0.5);
        status = look(p, &peaks[k], err);
        c->radius_px[0] = c->radius_px[1] = c->radius_px[2] = (double)NAN;
        best = fmax(best, peaks[k]);
    }
    size_t k = 0;
    while (k + 1 < SCALES && peaks[k] < SCALE_SHARE * best) {
        k++;
    }
    c->options.smooth_px = scale_px[best > 0.0 ? k : 0];
    c->options.fit = fit;
    return status;
}

/* Radius of the small particles: the 5 % point of what was measured, its noise taken out. */
static double small_radius(const pilot *p)
{
    const double middle = p->choices->radius_px[1], below = middle - p->choices->radius_px[0];
    const double sd = below / 1.645, noise = p->typical_error;
    const double share = sd > noise ? sqrt(1.0 - noise * noise / (sd * sd)) : 0.0;
    return fmax(middle - share * below, SMALL_LEAST * middle);
}

static double wanted_false(const pilot *p)
{
    const double each = p->n > 0 ? (double)p->found / (double)p->n : 0.0;
    return isnan(p->asked->false_per_frame) ? fmax(FALSE_LEAST, FALSE_SHARE * each)
                                            : p->asked->false_per_frame;
}

static void refine_smoothing(pilot *p)
{
    ng_detect_choices *c = p->choices;
    const double r = small_radius(p), ratio = c->contrast / c->noise;
    if (chooses_smoothing(p) && r > 0.0 && ratio > 0.0 && isfinite(ratio)) {
        c->options.smooth_px = smoothing_for(p, r, wanted_false(p));
    }
}

/* ---- blur -------------------------------------------------------------------------------- */

static ng_status blur_costs(pilot *p, const double *blur, size_t n, const ng_blur_trial *trial,
                            double *cost, ng_error *err)
{
    ng_detector *detector = NULL;
    ng_status status =
        ng_detector_create_with(p->table, p->choices, p->width, p->height, &detector, err);
    memset(cost, 0, n * sizeof *cost);
    p->n_blur = 0;
    for (size_t i = 0; status == NG_OK && i < p->n; i++) {
        const ng_image *const window[] = {&p->frame[i]};
        ng_detect_frame f;
        status = ng_detector_measure(detector, window, 1, 0, &f, err);
        if (status == NG_OK) {
            ng_detector_blur_costs(detector, &p->frame[i], blur, n, trial, cost, &p->n_blur);
        }
    }
    ng_detector_destroy(detector);
    return status;
}

static size_t lowest(const double *cost, size_t n)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++) {
        best = cost[k] < cost[best] ? k : best;
    }
    return best;
}

/* Top of the parabola through three costs at equal steps of ln s; its s.d. from the curvature. */
static bool parabola(const double *cost, double step, double *shift, double *se)
{
    const double bend = cost[0] - 2.0 * cost[1] + cost[2];
    *shift = 0.5 * (cost[0] - cost[2]) / bend * step;
    *se = sqrt(2.0 / bend) * step;
    return bend > 0.0 && fabs(*shift) <= step;
}

/* The lowest of costs at equal steps of ln s, and between them; false when it lies at an end. */
static bool lowest_blur(const double *blur, const double *cost, size_t n, double *best, double *se)
{
    const size_t at = lowest(cost, n);
    double shift;
    const double step = log(blur[1] / blur[0]);
    if (at == 0 || at == n - 1 || !parabola(cost + at - 1, step, &shift, se)) {
        return false;
    }
    *best = blur[at] * exp(shift);
    *se *= *best;
    return true;
}

static void spread_blurs(double *blur, size_t n, double centre, double ratio)
{
    for (size_t k = 0; k < n; k++) {
        blur[k] = centre * pow(ratio, (double)k - (double)(n / 2));
    }
}

/* The whole blur with which all disks together are fitted best: a wide search, then a closer
 * one. */
static ng_status fit_blur(pilot *p, double *best, double *se, bool *found, ng_error *err)
{
    double blur[BLURS], cost[BLURS];
    spread_blurs(blur, BLURS, 1.2, 1.18);
    ng_status status = blur_costs(p, blur, BLURS, NULL, cost, err);
    *found = p->n_blur >= LEAST_PILOTS_FOR_BLUR && lowest_blur(blur, cost, BLURS, best, se);
    if (status == NG_OK && *found) {
        spread_blurs(blur, FINE_BLURS, *best, 1.08);
        status = blur_costs(p, blur, FINE_BLURS, NULL, cost, err);
        *found = lowest_blur(blur, cost, FINE_BLURS, best, se);
    }
    return status;
}

/* What the same search finds where `truth` is the blur. */
static ng_status simulate_blur(pilot *p, double truth, double centre, double *found_blur,
                               bool *found, ng_error *err)
{
    double blur[TRIAL_BLURS], cost[TRIAL_BLURS], se;
    ng_blur_trial trial = {.truth = truth, .rng = ng_random_open(1, 0)};
    if (trial.rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for random numbers");
    }
    spread_blurs(blur, TRIAL_BLURS, centre, 1.08);
    ng_status status = blur_costs(p, blur, TRIAL_BLURS, &trial, cost, err);
    *found = lowest_blur(blur, cost, TRIAL_BLURS, found_blur, &se);
    ng_random_close(trial.rng);
    return status;
}

/* Each disk brings five parameters of its own and few pixels, so that the best common blur is too
 * small (by 10 % at contrast over noise 2). The one is taken at which a simulation of what was seen
 * leads to the value that was found. */
static ng_status find_blur(pilot *p, bool *found, ng_error *err)
{
    double seen = 0.0, se = 0.0, simulated = 0.0;
    ng_status status = fit_blur(p, &seen, &se, found, err);
    double truth = seen;
    for (int round = 0; status == NG_OK && *found && round < BLUR_ROUNDS; round++) {
        status = simulate_blur(p, truth, seen, &simulated, found, err);
        truth *= *found ? seen / simulated : 1.0;
    }
    if (status == NG_OK && *found) {
        p->choices->options.blur_px = sqrt(fmax(truth * truth - 1.0 / 12.0, 0.01));
        p->choices->blur_se_px = sqrt(2.0) * se * truth / seen; /* that of the simulation as well */
    }
    return status;
}

static ng_status choose_blur(pilot *p, ng_error *err)
{
    bool found = true;
    ng_status status = NG_OK;
    if (isnan(p->asked->blur_px) && p->asked->fit) {
        status = find_blur(p, &found, err);
    }
    if (status == NG_OK && !found) {
        ng_warnings_add(p->warnings, "blur-unknown",
                        "too few clear, isolated particles tell the blur; %.2f px is assumed, and "
                        "radii depend on it: measure it at a sharp edge and pass --blur-px",
                        p->choices->options.blur_px);
    }
    return status;
}

/* ---- what is said ------------------------------------------------------------------------ */

static void warn(const pilot *p)
{
    const ng_detect_choices *c = p->choices;
    if (p->found == 0) {
        ng_warnings_add(p->warnings, "no-particles",
                        "no particle stands out in %zu frames spread over the movie; is the "
                        "polarity right (--polarity), is --average-frames needed?",
                        p->n);
    }
    if (c->noise_correlation > 0.15) {
        ng_warnings_add(p->warnings, "noise-correlated",
                        "the noise of neighbouring pixels is correlated (%.2f): the movie was "
                        "smoothed or compressed, and standard errors are too small",
                        c->noise_correlation);
    }
    if (p->found > 0 && c->options.window_px < 4.0 * c->radius_px[2]) {
        ng_warnings_add(p->warnings, "window-small",
                        "the window of the local mean, %.0f px, is less than two diameters of "
                        "large particles (radius %.1f px): their centres hollow out",
                        c->options.window_px, c->radius_px[2]);
    }
}

static ng_status find_open(pilot *p, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    ng_status status = NG_OK;
    if (chooses_smoothing(p) && p->asked->form == NG_THRESHOLD_SIGMA) {
        status = find_scale(p, err);
    }
    for (int round = 0; status == NG_OK && round < 2; round++) {
        choose_window(p);
        choose_height(p, round == 0 ? 0.5 : wanted_false(p));
        status = look(p, NULL, err);
        refine_smoothing(p);
    }
    if (status != NG_OK) {
        return status;
    }
    choose_window(p);
    choose_height(p, wanted_false(p));
    status = choose_blur(p, err);
    if (status == NG_OK) {
        status = look(p, NULL, err);
    }
    c->pilot_frames = p->n;
    return status;
}

/* ---- the call ---------------------------------------------------------------------------- */

static ng_status check_calibration(const ng_movie_info *info, ng_detect_options *o, ng_error *err)
{
    o->pixel_nm = isnan(o->pixel_nm) ? info->pixel_nm : o->pixel_nm;
    o->frame_s = isnan(o->frame_s) ? info->frame_s : o->frame_s;
    if (!(o->pixel_nm > 0.0) || !isfinite(o->pixel_nm)) {
        return NG_FAIL(err, NG_USAGE,
                       "the size of a pixel is not known: pass --pixel-nm (nm per pixel)");
    }
    if (info->frames > 1 && (!(o->frame_s > 0.0) || !isfinite(o->frame_s))) {
        return NG_FAIL(err, NG_USAGE,
                       "the time between frames is not known: pass --frame-s (seconds per frame)");
    }
    if (o->first >= info->frames || o->first > o->last) {
        return NG_FAIL(err, NG_INVALID,
                       "frame %zu is asked for as the first; the movie has frames 0 to %zu, and "
                       "the last must not come before the first",
                       o->first, info->frames - 1);
    }
    o->last = o->last < info->frames ? o->last : info->frames - 1;
    return NG_OK;
}

/* Counts that an integer camera cannot exceed. */
static void set_range(const ng_movie_info *info, ng_detect_choices *c)
{
    c->least = c->most = (double)NAN;
    if (!info->is_float && (info->bits == 8 || info->bits == 16)) {
        c->least = info->is_signed ? -ldexp(1.0, info->bits - 1) : 0.0;
        c->most = ldexp(1.0, info->bits - (info->is_signed ? 1 : 0)) - 1.0;
    }
}

/* Values that stand until the movie says more. */
static void set_start(ng_detect_options *o)
{
    o->smooth_px =
        isnan(o->smooth_px) ? (o->denoise == NG_DENOISE_MEDIAN ? 1.0 : 1.5) : o->smooth_px;
    o->blur_px = isnan(o->blur_px) ? 1.0 : o->blur_px;
    o->t = isnan(o->t) ? 0.15 : o->t;
    o->min_area_px = isnan(o->min_area_px) ? 3.0 : o->min_area_px;
    o->average_frames = o->average_frames < 1 ? 1 : o->average_frames | 1;
}

ng_status ng_detect_settle(const ng_image *frame, size_t n, const ng_detect_options *options,
                           ng_detect_choices *out, ng_warnings *warnings, ng_error *err)
{
    *out = (ng_detect_choices){.options = *options,
                               .radius_px = {(double)NAN, (double)NAN, (double)NAN},
                               .contrast = (double)NAN,
                               .least = (double)NAN,
                               .most = (double)NAN};
    pilot p = {.asked = options,
               .choices = out,
               .frame = frame,
               .n = n < PILOT_FRAMES ? n : PILOT_FRAMES,
               .width = frame->width,
               .height = frame->height,
               .warnings = warnings};
    if (options->kind == NG_DETECT_SPOT) {
        return ng_spots_settle(frame, p.n, options, out, warnings, err);
    }
    set_start(&out->options);
    ng_status status = ng_disk_table_create(&p.table, err);
    if (status == NG_OK) {
        status = ng_pilot_noise(frame, p.n, out, err);
    }
    if (status == NG_OK) {
        status = find_open(&p, err);
    }
    if (status == NG_OK) {
        warn(&p);
    }
    ng_disk_table_destroy(p.table);
    ng_free(p.radius);
    ng_free(p.contrast);
    ng_free(p.error);
    return status;
}

ng_status ng_detect_choose(ng_movie *movie, const ng_detect_options *options,
                           ng_detect_choices *out, ng_warnings *warnings, ng_error *err)
{
    ng_detect_options o = *options;
    sample_frames sample = {.n = 0};
    *out = (ng_detect_choices){.options = o};
    ng_status status = check_calibration(ng_movie_about(movie), &o, err);
    if (status == NG_OK && o.kind == NG_DETECT_SPOT && o.raw != NULL) {
        set_range(ng_movie_about(o.raw), out);
        out->options = o;
        return ng_raw_choose(movie, out, warnings, err);
    }
    if (status == NG_OK) {
        status = read_frames(movie, &o, &sample, err);
    }
    if (status == NG_OK) {
        status = ng_detect_settle(sample.frame, sample.n, &o, out, warnings, err);
        set_range(ng_movie_about(movie), out);
    }
    if (status == NG_OK && o.kind == NG_DETECT_SPOT && o.flux != NULL) {
        status = ng_flux_choose(movie, out, warnings, err);
    }
    sample_free(&sample);
    return status;
}
