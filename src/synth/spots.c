/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Brownian spots of the tracking benchmark. */
#include "synth_random.h"

#include <gsl/gsl_math.h>
#include <jansson.h>
#include <math.h>

#define BAND_ROWS 32 /* drawn by one task */
#define REACH 6.0    /* standard deviations that are drawn: 1e-8 of the amplitude is left */

typedef struct spot {
    double x, y; /* pixels from the centre of pixel (0, 0) */
    long track;  /* from 0 */
} spot;

struct ng_synth_spots {
    ng_synth_spots_options options;
    ng_run run;
    size_t size, n;
    long frame, tracks;
    double amplitude;
    ng_synth_random motion, noise;
    spot *spot;        /* owned */
    ng_particle *seen; /* owned */
    size_t *clipped;   /* owned, one a band */
    float *pixel;      /* borrowed while a frame is made */
};

ng_synth_spots_options ng_synth_spots_defaults(void)
{
    ng_synth_spots_options options;
#define X(type, name, field, unit, initial, min, max, group, doc) options.field = initial;
    NG_SYNTH_SPOTS_OPTIONS(X)
#undef X
    return options;
}

static ng_status check(const ng_synth_spots_options *options, ng_error *err)
{
    ng_status status = NG_OK;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    if (status == NG_OK) {                                                                         \
        status = NG_SYNTH_CHECK_##type(name, options->field, min, max, err);                       \
    }
    NG_SYNTH_SPOTS_OPTIONS(X)
#undef X
    return status;
}

void ng_synth_spots_close(ng_synth_spots *spots)
{
    if (spots != NULL) {
        ng_free(spots->spot);
        ng_free(spots->seen);
        ng_free(spots->clipped);
        ng_free(spots);
    }
}

static size_t bands_of(const ng_synth_spots *spots)
{
    return (spots->size + BAND_ROWS - 1) / BAND_ROWS;
}

static double peak_of(const ng_synth_spots_options *o)
{
    return gsl_pow_2((o->snr + sqrt(o->snr * o->snr + 4 * o->background)) / 2);
}

static bool open_streams(ng_synth_spots *spots)
{
    gsl_rng *moving = ng_random_open(spots->run.seed, 0);
    gsl_rng *seeing = ng_random_open(spots->run.seed, 1);
    const bool good = moving != NULL && seeing != NULL;
    if (good) {
        spots->motion = ng_synth_random_from(moving);
        spots->noise = ng_synth_random_from(seeing);
    }
    ng_random_close(moving);
    ng_random_close(seeing);
    return good;
}

/* A new spot anywhere. */
static void appear(ng_synth_spots *spots, spot *s)
{
    s->x = ng_synth_uniform(&spots->motion) * (double)spots->size - 0.5;
    s->y = ng_synth_uniform(&spots->motion) * (double)spots->size - 0.5;
    s->track = spots->tracks++;
}

ng_status ng_synth_spots_open(const ng_synth_spots_options *options, const ng_run *run,
                              ng_synth_spots **out, ng_error *err)
{
    *out = NULL;
    ng_status status = check(options, err);
    if (status != NG_OK) {
        return status;
    }
    ng_synth_spots *spots = NG_NEW(ng_synth_spots, 1);
    if (spots == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a movie");
    }
    spots->options = *options;
    spots->run = run != NULL ? *run : ng_run_defaults();
    spots->size = (size_t)options->size_px;
    spots->n = (size_t)options->spots;
    spots->amplitude = peak_of(options) - options->background;
    spots->spot = NG_NEW(spot, spots->n);
    spots->seen = NG_NEW(ng_particle, spots->n);
    spots->clipped = NG_NEW(size_t, bands_of(spots));
    if (spots->spot == NULL || spots->seen == NULL || spots->clipped == NULL ||
        !open_streams(spots)) {
        ng_synth_spots_close(spots);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %ld spots", options->spots);
    }
    *out = spots;
    return NG_OK;
}

/* ---- frames ---- */

static void step(ng_synth_spots *spots)
{
    const double low = -0.5, high = (double)spots->size - 0.5;
    for (size_t i = 0; i < spots->n; i++) {
        spot *s = &spots->spot[i];
        if (spots->frame == 0 || ng_synth_uniform(&spots->motion) < spots->options.death_rate) {
            appear(spots, s);
            continue;
        }
        double move[2];
        ng_synth_normal_pair(&spots->motion, move);
        s->x = ng_synth_reflect(s->x + spots->options.step_px * move[0], low, high);
        s->y = ng_synth_reflect(s->y + spots->options.step_px * move[1], low, high);
    }
}

static void look(ng_synth_spots *spots)
{
    const ng_synth_spots_options *o = &spots->options;
    const double none = (double)NAN;
    for (size_t i = 0; i < spots->n; i++) {
        const spot *s = &spots->spot[i];
        const double x_nm = s->x * o->pixel_nm, y_nm = s->y * o->pixel_nm;
        spots->seen[i] = (ng_particle){
            .track = s->track + 1,
            .group = -1,
            .frame = spots->frame,
            .particle = (long)i + 1,
            .time_s = (double)spots->frame * o->frame_s,
            .x_nm = x_nm,
            .y_nm = y_nm,
            .x_se_nm = none,
            .y_se_nm = none,
            .x_raw_nm = x_nm,
            .y_raw_nm = y_nm,
            .radius_nm = none,
            .radius_se_nm = none,
            .area_nm2 = none,
            .intensity = 2 * M_PI * spots->amplitude * gsl_pow_2(o->sigma_px),
            .intensity_se = none,
            .background = o->background,
            .snr = o->snr,
            .circularity = none,
            .solidity = none,
            .ellipse_ratio = none,
            .contrast = spots->amplitude,
            .edge_nm = none,
        };
    }
}

/* Add a spot to the rows first .. end-1 of the picture. */
static void draw_spot(const ng_synth_spots *spots, const spot *s, size_t first, size_t end)
{
    const double sigma = spots->options.sigma_px, reach = REACH * sigma;
    const double top = fmax(ceil(s->y - reach), (double)first);
    const double left = fmax(ceil(s->x - reach), 0);
    for (size_t y = (size_t)top; (double)y <= s->y + reach && y < end; y++) {
        for (size_t x = (size_t)left; (double)x <= s->x + reach && x < spots->size; x++) {
            const double d2 = gsl_pow_2((double)x - s->x) + gsl_pow_2((double)y - s->y);
            spots->pixel[y * spots->size + x] +=
                (float)(spots->amplitude * exp(-d2 / (2 * sigma * sigma)));
        }
    }
}

static ng_status draw_band(void *context, size_t band, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    ng_synth_spots *spots = context;
    const ng_synth_camera camera = {.gain = 1, .noise = spots->options.noise};
    const size_t first = band * BAND_ROWS;
    const size_t end = first + BAND_ROWS < spots->size ? first + BAND_ROWS : spots->size;
    ng_synth_random random =
        ng_synth_random_keyed(&spots->noise, (uint64_t)spots->frame * bands_of(spots) + band);
    for (size_t i = first * spots->size; i < end * spots->size; i++) {
        spots->pixel[i] = (float)spots->options.background;
    }
    for (size_t i = 0; i < spots->n; i++) {
        draw_spot(spots, &spots->spot[i], first, end);
    }
    for (size_t i = first * spots->size; i < end * spots->size; i++) {
        spots->pixel[i] =
            ng_synth_counts(&camera, (double)spots->pixel[i], &random, &spots->clipped[band]);
    }
    return NG_OK;
}

ng_status ng_synth_spots_next(ng_synth_spots *spots, float *pixel, ng_error *err)
{
    const size_t frames = (size_t)spots->options.frames;
    if ((size_t)spots->frame >= frames) {
        return NG_FAIL(err, NG_INTERNAL, "the movie has %zu frames", frames);
    }
    if (!ng_run_progress(&spots->run, "drawing frames", (size_t)spots->frame, frames)) {
        return NG_FAIL(err, NG_CANCELLED, "interrupted");
    }
    step(spots);
    look(spots);
    ng_run quiet = spots->run; /* progress counts frames */
    quiet.progress = NULL;
    spots->pixel = pixel;
    ng_status status =
        ng_parallel_for(bands_of(spots), draw_band, spots, &quiet, "drawing a frame", err);
    spots->pixel = NULL;
    spots->frame++;
    return status;
}

const ng_particle *ng_synth_spots_particles(const ng_synth_spots *spots, size_t *n)
{
    *n = spots->frame > 0 ? spots->n : 0;
    return spots->seen;
}

/* ---- truth ---- */

/* sqrt(2) standard errors of x: Fisher information of a Poisson picture, summed over the pixels
 * around a spot at the centre of one. */
static double bound_px(const ng_synth_spots *spots)
{
    const double sigma = spots->options.sigma_px;
    const long reach = (long)ceil(REACH * sigma);
    double information = 0;
    for (long y = -reach; y <= reach; y++) {
        for (long x = -reach; x <= reach; x++) {
            const double light =
                spots->amplitude * exp(-(double)(x * x + y * y) / (2 * sigma * sigma));
            information += gsl_pow_2(light * (double)x / (sigma * sigma)) /
                           (light + spots->options.background);
        }
    }
    return sqrt(2 / information);
}

static json_t *options_json(const ng_synth_spots_options *options)
{
    json_t *object = json_object();
    int failed = object == NULL;
#define X(type, name, field, unit, initial, min, max, group, doc)                                  \
    failed |= json_object_set_new(object, name, NG_SYNTH_JSON_##type(options->field));
    NG_SYNTH_SPOTS_OPTIONS(X)
#undef X
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *ng_synth_spots_truth_json(const ng_synth_spots *spots, ng_warnings *warnings)
{
    size_t clipped = 0;
    for (size_t i = 0; i < bands_of(spots); i++) {
        clipped += spots->clipped[i];
    }
    if (clipped > 0) {
        ng_warnings_add(warnings, "clipped",
                        "%zu pixels were brighter than 16 bits hold and were clipped; lower --snr.",
                        clipped);
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:I}", "kind", "spots", "options",
                     options_json(&spots->options), "peak", ng_json_real(peak_of(&spots->options)),
                     "amplitude", ng_json_real(spots->amplitude), "tracks",
                     (json_int_t)spots->tracks, "bound_px", ng_json_real(bound_px(spots)),
                     "clipped_pixels", (json_int_t)clipped);
}
