/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What shines where, and under which pattern. */
#include "sim_internal.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define PI 3.14159265358979323846
/* Random streams; those of the noise are the numbers of the frames. */
#define STREAM_FIRST ((uint64_t)1 << 31)
enum { STREAM_PATTERN, STREAM_EMITTERS, STREAM_FILAMENTS, STREAM_CRYSTALS };
/* Curvature of a thread: s.d. of the turn at each half pixel, rad. */
#define TURN 0.05

void ng_synth_sim_place(const ng_synth_sim_options *o, gsl_rng *rng, ng_synth_sim_source *s)
{
    const double margin = NG_SYNTH_SIM_MARGIN;
    s->x = -0.5 - margin + gsl_rng_uniform(rng) * ((double)o->width + 2 * margin);
    s->y = -0.5 - margin + gsl_rng_uniform(rng) * ((double)o->height + 2 * margin);
}

/* So many in the field, and as densely around it. */
static size_t with_margin(const ng_synth_sim_options *o, long n)
{
    const double w = (double)o->width, h = (double)o->height, m = 2 * NG_SYNTH_SIM_MARGIN;
    return (size_t)lround((double)n * (w + m) * (h + m) / (w * h));
}

static size_t filament_points(const ng_synth_sim_options *o)
{
    return (size_t)(2e3 * o->filament_um / o->pixel_nm) + 1;
}

static void draw_points(const ng_synth_sim *scene, gsl_rng *rng, ng_synth_sim_source *source,
                        size_t n)
{
    const ng_synth_sim_options *o = &scene->options;
    for (size_t i = 0; i < n; i++) {
        source[i].kind = NG_SYNTH_SIM_EMITTER;
        ng_synth_sim_place(o, rng, &source[i]);
        source[i].light = o->emitter_counts * exp(gsl_ran_gaussian(rng, o->emitter_spread));
    }
}

static void draw_filaments(const ng_synth_sim *scene, gsl_rng *rng, ng_synth_sim_source *source,
                           size_t n)
{
    const ng_synth_sim_options *o = &scene->options;
    const size_t points = filament_points(o);
    for (size_t i = 0; i < n; i++) {
        ng_synth_sim_source here = {.kind = NG_SYNTH_SIM_FILAMENT, .light = o->filament_counts};
        ng_synth_sim_place(o, rng, &here);
        double angle = 2 * PI * gsl_rng_uniform(rng);
        for (size_t j = 0; j < points; j++) {
            source[i * points + j] = here;
            angle += gsl_ran_gaussian(rng, TURN);
            here.x += 0.5 * cos(angle);
            here.y += 0.5 * sin(angle);
        }
    }
}

static ng_status draw_sources(ng_synth_sim *scene, ng_error *err)
{
    const ng_synth_sim_options *o = &scene->options;
    const size_t emitters = with_margin(o, o->emitters), crystals = with_margin(o, o->crystals);
    const size_t filaments = with_margin(o, o->filaments), points = filament_points(o);
    scene->n_sources = emitters + crystals + filaments * points;
    scene->source = NG_NEW(ng_synth_sim_source, scene->n_sources);
    scene->first_crystal = emitters + filaments * points;
    scene->share = NG_NEW(float, crystals *(size_t)o->sets + 1);
    gsl_rng *rng[3] = {NULL, NULL, NULL};
    bool complete = scene->source != NULL && scene->share != NULL;
    for (int i = 0; i < 3; i++) {
        rng[i] = ng_random_open(scene->seed, STREAM_FIRST + STREAM_EMITTERS + (uint64_t)i);
        complete = complete && rng[i] != NULL;
    }
    if (complete) {
        draw_points(scene, rng[0], scene->source, emitters);
        draw_filaments(scene, rng[1], scene->source + emitters, filaments);
        complete = ng_synth_sim_crystals(scene, rng[2]);
    }
    for (int i = 0; i < 3; i++) {
        ng_random_close(rng[i]);
    }
    return complete ? NG_OK
                    : NG_FAIL(err, NG_MEMORY, "out of memory for %zu sources", scene->n_sources);
}

static void draw_direction(const ng_synth_sim *scene, size_t d, gsl_rng *rng, ng_sim_direction *out)
{
    const ng_synth_sim_options *o = &scene->options;
    const double jitter = o->pattern_jitter;
    /* Stripes have no head: of an even number, half a turn holds all directions. */
    const double turn = o->directions % 2 == 0 ? PI : 2 * PI;
    const double angle = PI / 180 * o->pattern_angle_deg +
                         turn * (double)d / (double)o->directions + gsl_ran_gaussian(rng, jitter);
    const double k = o->pattern_k * 1e-3 * o->pixel_nm *
                     ng_sim_cutoff_per_um(&scene->pattern.optics) *
                     (1 + gsl_ran_gaussian(rng, jitter));
    const double first = 2 * PI * gsl_rng_uniform(rng);
    *out = (ng_sim_direction){.kx = k * cos(angle),
                              .ky = k * sin(angle),
                              .modulation = o->modulation,
                              .equal_steps = o->phase_error_deg == 0,
                              .peak = NAN,
                              .second_peak = NAN,
                              .contrast_to_noise = NAN,
                              .trusted = true};
    for (size_t p = 0; p < (size_t)o->phases; p++) {
        const size_t frame = ng_sim_layout_index(&scene->pattern.layout, d, p);
        out->phase[p] = remainder(first + 2 * PI * (double)p / (double)o->phases +
                                      PI / 180 * gsl_ran_gaussian(rng, o->phase_error_deg),
                                  2 * PI);
        out->intensity[p] = pow(1 - o->bleach, (double)frame);
    }
}

static ng_status draw_pattern(ng_synth_sim *scene, ng_error *err)
{
    const ng_synth_sim_options *o = &scene->options;
    ng_sim_pattern *pattern = &scene->pattern;
    pattern->layout =
        (ng_sim_layout){.width = (size_t)o->width,
                        .height = (size_t)o->height,
                        .directions = (size_t)o->directions,
                        .phases = (size_t)o->phases,
                        .order = o->phase_major ? NG_SIM_PHASE_MAJOR : NG_SIM_ANGLE_MAJOR};
    pattern->optics = (ng_sim_optics){.na = o->na,
                                      .wavelength_nm = o->wavelength_nm,
                                      .pixel_nm = o->pixel_nm,
                                      .damping = o->otf_damping};
    pattern->camera = (ng_sim_camera){.offset = o->offset,
                                      .gain = o->gain,
                                      .read_noise = o->read_noise_e * o->gain,
                                      .offset_se = NAN,
                                      .gain_se = NAN};
    pattern->trusted = true;
    ng_status status = ng_sim_optics_check(&pattern->optics, err);
    gsl_rng *rng = ng_random_open(scene->seed, STREAM_FIRST + STREAM_PATTERN);
    if (status == NG_OK && rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for random numbers");
    }
    for (size_t d = 0; status == NG_OK && d < (size_t)o->directions; d++) {
        draw_direction(scene, d, rng, &pattern->direction[d]);
    }
    ng_random_close(rng);
    return status;
}

ng_status ng_synth_sim_create(const ng_synth_sim_options *options, uint64_t seed, ng_synth_sim *out,
                              ng_error *err)
{
    *out = (ng_synth_sim){.options = *options, .seed = seed};
    ng_status status = ng_synth_sim_check(options, err);
    if (status == NG_OK) {
        status = draw_pattern(out, err);
    }
    if (status == NG_OK) {
        status = draw_sources(out, err);
    }
    if (status != NG_OK) {
        ng_synth_sim_free(out);
    }
    return status;
}

void ng_synth_sim_free(ng_synth_sim *scene)
{
    if (scene != NULL) {
        ng_free(scene->source);
        ng_free(scene->share);
        *scene = (ng_synth_sim){0};
    }
}

double ng_synth_sim_light(const ng_synth_sim *scene, const ng_synth_sim_source *source, size_t set)
{
    if (source->kind != NG_SYNTH_SIM_CRYSTAL) {
        return source->light;
    }
    const size_t crystal = (size_t)(source - scene->source) - scene->first_crystal;
    return source->light * (double)scene->share[crystal * (size_t)scene->options.sets + set];
}

void ng_synth_sim_position(const ng_synth_sim *scene, const ng_synth_sim_source *source, size_t set,
                           double *x, double *y)
{
    const double moved = (double)set * scene->options.drift_nm_per_set / scene->options.pixel_nm;
    *x = source->x + moved;
    *y = source->y + 0.5 * moved;
}
