/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user leaves open about spots: their width and the noise from conspicuous ones, the
 * height from frames of noise that go the same way as the movie's. */
#include "spot_rehearse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Widths at which spots are first looked for, each times STEP wider. */
#define FIRST_WIDTH 0.7
#define WIDTH_STEP 1.35
/* A Gaussian spot stands out most behind a filter of sqrt(3) times its width. */
#define BEST_FILTER 1.7320508
#define ASSUMED_WIDTH 1.4
#define LOOK_FROM 6.0      /* height of spots that tell the width */
#define MEDIAN_LOSS 1.2533 /* s.d. of a median over that of a mean */
#define GAIN_SURE 2.0      /* a gain that is not so many standard errors above 0 counts as none */
#define MISFIT_SURE 4.0
/* Pairs: so many s.d. longer than wide; more than this share of the lonely spots. */
#define LONG_SD 4.0
#define LONG_SHARE 0.3
#define PI 3.14159265358979323846
#define ROUNDING 1e-4
#define FALSE_LEAST 0.1
#define FALSE_SHARE 0.01
/* Sum of the squares of the weights of [1 -2 1] x [1 -2 1]; the cut, and the share of a Gaussian's
 * variance that it leaves. */
#define SQUARES 36.0
#define CLIP_SD 3.0
#define CLIP_KEEPS 0.97334
enum {
    CLIP_PASSES = 4,
    GAIN_PIXELS = 1500,
    LEVEL_PIXELS = 20000,
    WIDTHS = 9,
    ROUNDS = 6,
    PAIR_ROUNDS = 8,
    LEAST_TOLD = 8
};

typedef struct pilot {
    const ng_detect_options *asked;
    ng_detect_choices *choices;
    const ng_image *frame; /* borrowed */
    size_t n, width, height;
    ng_spot *found; /* owned: of all frames */
    size_t n_found, room;
    ng_pixel_noise first_noise; /* of the background alone */
    bool shapes;                /* lonely spots are asked for theirs */
    bool noise_known;           /* from a known scene */
    size_t together;            /* noise is asked of so many fitted together */
    ng_spot_residual residual;
} pilot;

/* ---- looking ----------------------------------------------------------------------------- */

static ng_status keep(pilot *p, const ng_spot *spot, size_t n, ng_error *err)
{
    if (p->n_found + n > p->room) {
        const size_t room = 2 * (p->n_found + n);
        ng_spot *more = ng_realloc(p->found, room, sizeof *more);
        if (more == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu spots", room);
        }
        p->found = more;
        p->room = room;
    }
    if (n > 0) {
        memcpy(p->found + p->n_found, spot, n * sizeof *spot);
    }
    p->n_found += n;
    return NG_OK;
}

/* Nothing else nearby; spots are sorted by y. */
static bool is_alone(const ng_spot *spot, size_t n, size_t i, double within)
{
    for (size_t k = i; k-- > 0 && spot[i].y - spot[k].y < within;) {
        if (hypot(spot[i].x - spot[k].x, spot[i].y - spot[k].y) < within) {
            return false;
        }
    }
    for (size_t k = i + 1; k < n && spot[k].y - spot[i].y < within; k++) {
        if (hypot(spot[i].x - spot[k].x, spot[i].y - spot[k].y) < within) {
            return false;
        }
    }
    return true;
}

/* All spots of the pilot frames above `least` with the choices so far; `alone` > 0: those that were
 * well fitted and have no other within so many widths. */
static ng_status look(pilot *p, double least, double alone, ng_error *err)
{
    ng_spots *spots = NULL;
    const double within = alone * p->choices->spot.width_px;
    ng_status status = ng_spots_create(p->choices, p->width, p->height, &spots, err);
    p->n_found = 0;
    p->residual = (ng_spot_residual){.spots = p->together, .shapes = p->shapes};
    if (status == NG_OK && alone > 0.0) {
        ng_spots_gather(spots, &p->residual);
    }
    for (size_t f = 0; status == NG_OK && f < p->n; f++) {
        const ng_image *const window[] = {&p->frame[f]};
        const ng_spot *found = NULL;
        size_t n = 0;
        status = ng_spots_find(spots, window, 1, 0, least, &found, &n, err);
        for (size_t i = 0; status == NG_OK && alone > 0.0 && i < n; i++) {
            if (found[i].fitted && found[i].flag == 0 && found[i].width_var > 0.0 &&
                is_alone(found, n, i, within)) {
                status = keep(p, &found[i], 1, err);
            }
        }
        if (status == NG_OK && !(alone > 0.0)) {
            status = keep(p, found, n, err);
        }
    }
    ng_spots_destroy(spots);
    return status;
}

/* ---- noise where nothing is -------------------------------------------------------------- */

/* Squares of second differences along both axes, up to three standard deviations, mended for what
 * the cut takes of a Gaussian's: means tell more than the median that begins it. */
static double clipped_variance(const pilot *p, double start)
{
    double variance = start;
    for (int pass = 0; pass < CLIP_PASSES; pass++) {
        const double most2 = CLIP_SD * CLIP_SD * SQUARES * variance;
        double sum = 0.0, n = 0.0;
        for (size_t f = 0; f < p->n; f++) {
            const size_t w = p->width;
            const float *pixel = p->frame[f].pixel;
            for (size_t y = 1; y + 1 < p->height; y++) {
                for (size_t x = 1 + y % 2; x + 1 < w; x += 2) {
                    const float *at = pixel + y * w + x;
                    const float *up = at - w, *low = at + w;
                    const double d = (double)(up[-1] + up[1] + low[-1] + low[1]) -
                                     2.0 * (double)(up[0] + low[0] + at[-1] + at[1]) +
                                     4.0 * (double)at[0];
                    if (d * d < most2) {
                        sum += d * d;
                        n += 1.0;
                    }
                }
            }
        }
        variance = n > 0.0 ? sum / n / (SQUARES * CLIP_KEEPS) : variance;
    }
    return variance;
}

/* ---- width and noise --------------------------------------------------------------------- */

/* The filter behind which what there is stands out most. */
static ng_status find_scale(pilot *p, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    double best = 0.0, at = (double)NAN;
    ng_status status = NG_OK;
    c->options.fit = false;
    for (int k = 0; status == NG_OK && k < WIDTHS; k++) {
        c->spot.width_px = FIRST_WIDTH * pow(WIDTH_STEP, k);
        status = look(p, LOOK_FROM, 0.0, err);
        double sum = 0.0;
        for (size_t i = 0; i < p->n_found; i++) {
            sum += p->found[i].z * p->found[i].z;
        }
        if (sum > best) {
            best = sum;
            at = c->spot.width_px;
        }
    }
    c->options.fit = true;
    const double guess = NG_SPOT_FILTER * at / BEST_FILTER;
    c->spot.width_px = best > 0.0 ? fmax(guess, 0.6) : ASSUMED_WIDTH;
    return status;
}

static int by_step(const void *left, const void *right)
{
    const double a = ((const ng_spot *)left)->width_step, b = ((const ng_spot *)right)->width_step;
    return (a > b) - (a < b);
}

/* One step for the width that lonely spots have in common: the median of the steps that each would
 * take, weighted by what each knows; pairs that look like one do not move it far. @return whether
 * there were enough */
static bool step_width(pilot *p)
{
    ng_spot_choices *c = &p->choices->spot;
    double information = 0.0, below = 0.0;
    size_t i = 0;
    for (size_t k = 0; k < p->n_found; k++) {
        information += 1.0 / p->found[k].width_var;
    }
    if (p->n_found < LEAST_TOLD || !isfinite(information)) {
        return false;
    }
    qsort(p->found, p->n_found, sizeof *p->found, by_step);
    while (below + 1.0 / p->found[i].width_var < 0.5 * information) {
        below += 1.0 / p->found[i++].width_var;
    }
    const double step = p->found[i].width_step, most = 0.4 * c->width_px;
    c->width_px = fmax(c->width_px + fmin(fmax(step, -most), most), 0.4);
    c->width_se_px = MEDIAN_LOSS / sqrt(information);
    c->told = p->n_found;
    return true;
}

/* Solve the sums of squared residuals for so many of level, gain, and the share of the light that
 * misfit adds, squared; `error` of the last one. */
static bool solve_noise(const ng_spot_residual *r, size_t n, double x[3], double *error)
{
    double l[6], e[3] = {0.0};
    memcpy(l, r->matrix, sizeof l);
    memcpy(x, r->vector, 3 * sizeof *x);
    e[n - 1] = 1.0;
    if (r->pixels < GAIN_PIXELS || !ng_packed_cholesky(l, n)) {
        return false;
    }
    ng_packed_solve(l, n, x);
    ng_packed_solve(l, n, e);
    *error =
        sqrt(2.0 * e[n - 1]); /* squares of normal values have twice their square as variance */
    return true;
}

static void take_noise(pilot *p)
{
    ng_spot_choices *c = &p->choices->spot;
    const ng_spot_residual *r = &p->residual;
    double x[3], error = 0.0;
    if (p->noise_known) {
        return;
    }
    bool solved = solve_noise(r, 3, x, &error);
    if (solved && !(x[2] > MISFIT_SURE * error)) {
        solved = solve_noise(r, 2, x, &error);
        x[2] = 0.0;
    }
    if (!solved) {
        return;
    }
    c->gain_se = error;
    if (!isnan(p->asked->gain)) {
        x[1] = p->asked->gain;
        x[0] = (r->vector[0] - r->matrix[1] * x[1] - r->matrix[3] * x[2]) / r->matrix[0];
        c->gain_se = 0.0;
    }
    if (r->pixels >= LEVEL_PIXELS && x[0] > 0.25 * c->noise.level && x[0] < 2.0 * c->noise.level) {
        c->noise.level = x[0];
    }
    const bool sure = c->gain_se == 0.0 || x[1] > GAIN_SURE * c->gain_se;
    c->noise.gain = sure && p->choices->options.polarity == NG_BRIGHT ? x[1] : 0.0;
}

/* Mean of the shapes: what the optics give to all is no pair. */
static ng_spot_shape mean_shape(const pilot *p)
{
    ng_spot_shape mean = {.round = 0.0};
    double weights = 0.0;
    for (size_t i = 0; i < p->n_found; i++) {
        const ng_spot_shape *s = &p->found[i].shape;
        const double weight = s->variance > 0.0 ? 1.0 / s->variance : 0.0;
        mean.straight += weight * s->straight;
        mean.slanted += weight * s->slanted;
        weights += weight;
    }
    mean.straight = weights > 0.0 ? mean.straight / weights : 0.0;
    mean.slanted = weights > 0.0 ? mean.slanted / weights : 0.0;
    return mean;
}

/* Keep the spots that are longer than wide beyond doubt; width_step becomes that to their short
 * side. @return whether they are many */
static bool keep_long_ones(pilot *p)
{
    const ng_spot_shape mean = mean_shape(p);
    const double w = p->choices->spot.width_px;
    const size_t all = p->n_found;
    p->n_found = 0;
    for (size_t i = 0; i < all; i++) {
        const ng_spot_shape *s = &p->found[i].shape;
        const double a = s->straight - mean.straight, b = s->slanted - mean.slanted;
        const double length2 = a * a + b * b;
        if (length2 > LONG_SD * LONG_SD * s->variance) {
            ng_spot *kept = &p->found[p->n_found++];
            *kept = p->found[i];
            /* noise makes all things long */
            kept->width_step = (s->round - sqrt(length2 - 2.0 * s->variance)) / (2.0 * w);
        }
    }
    return p->n_found >= LEAST_TOLD && (double)p->n_found > LONG_SHARE * (double)all;
}

/* Where many lonely spots are long, in all directions, they are pairs: the width is that of their
 * short side, until they come apart in two and leave no more that are long. */
static ng_status part_pairs(pilot *p, double alone, ng_warnings *warnings, ng_error *err)
{
    ng_spot_choices *c = &p->choices->spot;
    const ng_pixel_noise before = c->noise;
    const double wide = c->width_px;
    p->shapes = true;
    ng_status status = look(p, LOOK_FROM, alone, err);
    int round = 0;
    for (; round < PAIR_ROUNDS && status == NG_OK && keep_long_ones(p); round++) {
        (void)step_width(p);
        c->noise = p->first_noise;
        status = look(p, LOOK_FROM, alone, err);
    }
    p->shapes = false;
    if (status != NG_OK || round == 0 || !(c->width_px < wide)) {
        c->noise = before;
        c->width_px = wide;
        return status;
    }
    p->together = 2;
    status = look(p, LOOK_FROM, alone, err);
    take_noise(p);
    ng_warnings_add(warnings, "spots-paired",
                    "most isolated spots were long, in all directions, as pairs are: taken for two "
                    "each, of s.d. %.2f px instead of %.2f px; pass --blur-px if they are not",
                    c->width_px, wide);
    return status;
}

static ng_status find_width(pilot *p, ng_warnings *warnings, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    /* no other spot within so many widths; where they lie close, less must do */
    static const double alone[3] = {6.0, 4.0, 3.0};
    const bool given = !isnan(p->asked->blur_px), free_width = c->options.free_width;
    bool told = false;
    ng_status status = NG_OK;
    c->spot.candidate = LOOK_FROM - 1.0;
    c->spot.width_px = given ? ng_whole_blur(p->asked->blur_px) : ASSUMED_WIDTH;
    c->spot.width_se_px = given ? 0.0 : (double)NAN;
    if (!given) {
        status = find_scale(p, err);
    }
    c->options.fit = true;
    const int rounds = given && p->noise_known ? 0 : ROUNDS; /* nothing is left to be told */
    for (int round = 0; status == NG_OK && round < rounds; round++) {
        c->options.free_width = false;
        status = look(p, LOOK_FROM, alone[0], err);
        for (int k = 1; status == NG_OK && p->n_found < LEAST_TOLD && k < 3; k++) {
            status = look(p, LOOK_FROM, alone[k], err);
        }
        if (status == NG_OK && !given) {
            told = step_width(p);
        }
        take_noise(p);
    }
    if (status == NG_OK && told) {
        status = part_pairs(p, alone[0], warnings, err);
    }
    c->options.free_width = free_width;
    /* what is smoother than a spot is no noise but haze, or the rest of other spots */
    c->spot.noise.grain_px = fmin(c->spot.noise.grain_px, c->spot.width_px);
    if (status == NG_OK && !given && !told) {
        c->spot.width_px = ASSUMED_WIDTH;
        ng_warnings_add(warnings, "blur-unknown",
                        "too few clear, isolated spots tell their width; a blur of %.2f px is "
                        "assumed: pass --blur-px",
                        sqrt(ASSUMED_WIDTH * ASSUMED_WIDTH - 1.0 / 12.0));
    }
    return status;
}

/* ---- height ------------------------------------------------------------------------------ */

double ng_spots_wanted_false(double asked, double each)
{
    return isnan(asked) ? fmax(FALSE_LEAST, FALSE_SHARE * each) : asked;
}

static ng_status find_height(pilot *p, ng_rehearsal *r, ng_error *err)
{
    ng_detect_options *o = &p->choices->options;
    o->false_per_frame =
        ng_spots_wanted_false(p->asked->false_per_frame, (double)p->n_found / (double)p->n);
    ng_status status = ng_rehearsal_heights(r, p->choices, p->asked->fit, o->false_per_frame, err);
    o->c = isnan(p->asked->c) ? o->c : p->asked->c;
    return status;
}

/* ---- the call ---------------------------------------------------------------------------- */

/* Lowest median of 64 parts of the frames: where the background is least, so is the noise. */
static double dimmest(const pilot *p)
{
    enum { PARTS = 8, SAMPLE = 1024 };
    float value[SAMPLE];
    double least = (double)INFINITY;
    for (size_t f = 0; f < p->n; f++) {
        const ng_image *image = &p->frame[f];
        const size_t w = image->width / PARTS, h = image->height / PARTS, total = w * h;
        const size_t step = total / SAMPLE + 1;
        for (size_t part = 0; w > 3 && h > 3 && part < (size_t)PARTS * PARTS; part++) {
            const size_t x0 = part % PARTS * w, y0 = part / PARTS * h;
            size_t n = 0;
            for (size_t i = 0; i < total; i += step) {
                value[n++] = image->pixel[(y0 + i / w) * image->width + x0 + i % w];
            }
            const double sign = (double)p->choices->options.polarity;
            least = fmin(least, sign * (double)ng_select(value, n, n / 2));
        }
    }
    return least;
}

static void warn(const pilot *p, ng_warnings *warnings)
{
    const ng_detect_choices *c = p->choices;
    if (p->n_found == 0) {
        ng_warnings_add(warnings, "no-particles",
                        "no spot stands out in %zu frames spread over the movie; is the polarity "
                        "right (--polarity), is --average-frames needed?",
                        p->n);
    }
    if (c->noise_correlation > 0.15 && !p->noise_known) {
        ng_warnings_add(warnings, "noise-correlated",
                        "the noise of neighbouring pixels is correlated (%.2f): the movie was "
                        "smoothed, compressed or reconstructed; standard errors and false alarms "
                        "allow for Gaussian smoothing only, and how many spots are false is not "
                        "known: pass images of a known scene made in the same way (--rehearsal)",
                        c->noise_correlation);
    }
}

static ng_status start(pilot *p, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    ng_detect_options *o = &c->options;
    ng_status status = ng_pilot_noise(p->frame, p->n, c, err);
    const double rho = c->noise_correlation;
    if (status == NG_OK && rho <= 0.05) {
        c->noise = sqrt(clipped_variance(p, fmax(c->noise * c->noise, 1e-12)));
    }
    o->average_frames = o->average_frames < 1 ? 1 : o->average_frames | 1;
    o->min_area_px = o->min_contrast = (double)NAN;
    /* noise below the rounding of floats is none */
    const double least = ROUNDING * (fabs(c->background) + 1e-9);
    c->spot.noise = (ng_pixel_noise){.level = fmax(c->noise * c->noise, least * least),
                                     .background = c->background * (double)o->polarity,
                                     .grain_px = rho > 0.05 ? sqrt(ng_noise_grain2(rho)) : 0.0};
    c->spot.gain_se = (double)NAN;
    if (!isnan(o->gain) && o->polarity == NG_BRIGHT) {
        c->spot.noise.gain = o->gain;
        c->spot.gain_se = 0.0;
    }
    c->spot.light = c->spot.place = (ng_spot_factor){1.0, 0.0, 1.0, 1.0};
    c->spot.dim = dimmest(p);
    p->first_noise = c->spot.noise;
    p->together = 1;
    return status;
}

static float median_contrast(pilot *p)
{
    const double w = p->choices->spot.width_px, area = 2.0 * acos(-1.0) * w * w;
    float *value = NG_NEW(float, p->n_found + 1);
    float median = NAN;
    for (size_t i = 0; value != NULL && i < p->n_found; i++) {
        value[i] = (float)(p->found[i].flux / area);
    }
    if (value != NULL && p->n_found > 0) {
        median = ng_select(value, p->n_found, p->n_found / 2);
    }
    ng_free(value);
    return median;
}

static void take_known_noise(pilot *p, const ng_rehearsal *r)
{
    ng_spot_choices *c = &p->choices->spot;
    c->noise = ng_rehearsal_noise(r);
    c->gain_se = 0.0;
    p->first_noise = c->noise;
    p->noise_known = true;
}

/* Width, noise, and the frames in which the height is looked for. */
static ng_status find_optics(pilot *p, ng_rehearsal **r, ng_warnings *warnings, ng_error *err)
{
    ng_detect_choices *c = p->choices;
    const bool scene = p->asked->rehearsal != NULL;
    ng_status status = start(p, err);
    if (status == NG_OK && scene) {
        status = ng_rehearsal_open(c, p->width, p->height, r, err);
        if (status == NG_OK) {
            take_known_noise(p, *r);
        }
    }
    status = status == NG_OK ? find_width(p, warnings, err) : status;
    if (status == NG_OK && scene) {
        status = ng_rehearsal_settle(*r, c, warnings, err);
    } else if (status == NG_OK) {
        status = ng_rehearsal_open(c, p->width, p->height, r, err);
    }
    const double w = c->spot.width_px;
    c->options.blur_px = sqrt(fmax(w * w - 1.0 / 12.0, 0.01));
    c->blur_se_px = c->spot.width_se_px;
    c->noise = sqrt(c->spot.noise.level);
    return status;
}

ng_status ng_spots_settle(const ng_image *frame, size_t n, const ng_detect_options *asked,
                          ng_detect_choices *choices, ng_warnings *warnings, ng_error *err)
{
    pilot p = {.asked = asked,
               .choices = choices,
               .frame = frame,
               .n = n,
               .width = frame->width,
               .height = frame->height};
    ng_rehearsal *r = NULL;
    ng_status status = find_optics(&p, &r, warnings, err);
    if (status == NG_OK) {
        choices->options.fit = asked->fit;
        choices->spot.candidate = LOOK_FROM - 1.0;
        status = look(&p, LOOK_FROM - 1.0, 0.0, err); /* how many there are */
    }
    status = status == NG_OK ? find_height(&p, r, err) : status;
    status = status == NG_OK ? look(&p, choices->options.c, 0.0, err) : status;
    if (status == NG_OK) {
        choices->pilot_frames = n;
        choices->pilot_particles = p.n_found;
        choices->contrast = (double)median_contrast(&p);
        warn(&p, warnings);
    }
    ng_rehearsal_close(r);
    ng_free(p.found);
    return status;
}

ng_status ng_spots_settle_flux(const ng_image *frame, size_t n, ng_detect_choices *choices,
                               ng_warnings *warnings, ng_error *err)
{
    ng_detect_options asked = choices->options;
    ng_detect_choices own = {.options = asked, .least = (double)NAN, .most = (double)NAN};
    pilot p = {.asked = &asked,
               .choices = &own,
               .frame = frame,
               .n = n,
               .width = frame->width,
               .height = frame->height};
    asked.blur_px = asked.flux_blur_px;
    asked.gain = (double)NAN;
    own.options = asked;
    ng_status status = start(&p, err);
    status = status == NG_OK ? find_width(&p, warnings, err) : status;
    choices->spot.flux_width_px = own.spot.width_px;
    choices->spot.flux_noise = own.spot.noise;
    ng_free(p.found);
    return status;
}
