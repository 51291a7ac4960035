/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From sources to the counts of a camera. */
#include "sim_internal.h"

#include <fftw3.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define PI 3.14159265358979323846
/* Gaussian that spreads the sources, in half pixels: aliases are below 1e-8 up to the cutoff, and
 * 7 pixels on each side hold all but 1e-8 of it. */
#define SPREAD 1.2
#define REACH 7
/* Field around the frame in which light may spread, camera pixels beyond the sources. */
#define AROUND 32

typedef struct painter {
    const ng_synth_sim *scene;
    size_t set;
    bool noise;
    size_t width, height; /* of the padded field, half pixels */
    double origin;        /* padded half pixels to the left of camera pixel 0's left edge */
    fftwf_plan forward, backward;
    float *field; /* a padded field a thread */
    fftwf_complex *spectrum;
    float *frames;
} painter;

/* ---- spreading ---- */

static void add_source(float *field, size_t width, size_t height, const double at[2], double light,
                       double sigma, int reach)
{
    double weight[2][64];
    long first[2];
    for (int axis = 0; axis < 2; axis++) {
        first[axis] = lround(at[axis]) - reach;
        for (int i = 0; i <= 2 * reach; i++) {
            const double t = ((double)(first[axis] + i) - at[axis]) / sigma;
            weight[axis][i] = exp(-0.5 * t * t) / (sigma * sqrt(2 * PI));
        }
    }
    for (int j = 0; j <= 2 * reach; j++) {
        const long y = first[1] + j;
        if (y < 0 || y >= (long)height) {
            continue;
        }
        for (int i = 0; i <= 2 * reach; i++) {
            const long x = first[0] + i;
            if (x >= 0 && x < (long)width) {
                field[(size_t)y * width + (size_t)x] +=
                    (float)(light * weight[1][j] * weight[0][i]);
            }
        }
    }
}

static double illumination(const ng_synth_sim *scene, size_t set, size_t d, size_t p, double x,
                           double y)
{
    const ng_sim_direction *dir = &scene->pattern.direction[d];
    const double drift = PI / 180 * scene->options.phase_drift_deg * (double)set;
    return dir->intensity[p] * (1 + dir->modulation * cos(2 * PI * (dir->kx * x + dir->ky * y) +
                                                          dir->phase[p] + drift));
}

static void spread(const painter *w, size_t d, size_t p, float *field)
{
    for (size_t i = 0; i < w->width * w->height; i++) {
        field[i] = 0;
    }
    for (size_t i = 0; i < w->scene->n_sources; i++) {
        const ng_synth_sim_source *s = &w->scene->source[i];
        const double light = ng_synth_sim_light(w->scene, s, w->set);
        if (light > 0) {
            double at[2];
            ng_synth_sim_position(w->scene, s, w->set, &at[0], &at[1]);
            const double lit = light * illumination(w->scene, w->set, d, p, at[0], at[1]);
            at[0] = 2 * at[0] + w->origin;
            at[1] = 2 * at[1] + w->origin;
            add_source(field, w->width, w->height, at, lit, SPREAD, REACH);
        }
    }
}

/* ---- the microscope ---- */

static double signed_bin(size_t i, size_t n)
{
    return (2 * i < n ? (double)i : (double)i - (double)n) / (double)n;
}

/* Transfer, and what the spreading took away, given back. */
static void pass_optics(const painter *w, fftwf_complex *spectrum)
{
    const ng_sim_optics *optics = &w->scene->pattern.optics;
    const double per_um = 2e3 / optics->pixel_nm, half = (double)(w->width / 2 + 1);
    const double scale = 1 / ((double)w->width * (double)w->height);
    for (size_t i = 0; i < w->height * (size_t)half; i++) {
        const double fx = (double)(i % (size_t)half) / (double)w->width;
        const double fy = signed_bin(i / (size_t)half, w->height);
        const double h = ng_sim_transfer(optics, fx * per_um, fy * per_um);
        const double back =
            h > 0 ? scale * h * exp(2 * PI * PI * SPREAD * SPREAD * (fx * fx + fy * fy)) : 0;
        spectrum[i][0] *= (float)back;
        spectrum[i][1] *= (float)back;
    }
}

/* Every second half pixel is the centre of a camera pixel; four half pixels make one. */
static void take_picture(const painter *w, const float *field, float *frame)
{
    const ng_synth_sim_options *o = &w->scene->options;
    const size_t first = (size_t)w->origin;
    for (size_t y = 0; y < (size_t)o->height; y++) {
        for (size_t x = 0; x < (size_t)o->width; x++) {
            const double light = 4 * (double)field[(2 * y + first) * w->width + 2 * x + first];
            frame[y * (size_t)o->width + x] =
                (float)(o->offset + o->gain * (light + o->background));
        }
    }
}

static ng_status add_noise(const painter *w, size_t stream, float *frame, ng_error *err)
{
    const ng_synth_sim_options *o = &w->scene->options;
    gsl_rng *rng = ng_random_open(w->scene->seed, stream);
    if (rng == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for random numbers");
    }
    for (size_t i = 0; i < (size_t)(o->width * o->height); i++) {
        const double mean = fmax(((double)frame[i] - o->offset) / o->gain, 0);
        const double read = gsl_ran_gaussian(rng, o->read_noise_e);
        const double counts = o->offset + o->gain * ((double)gsl_ran_poisson(rng, mean) + read);
        frame[i] = (float)round(fmin(fmax(counts, 0), o->full_counts));
    }
    ng_random_close(rng);
    return NG_OK;
}

static ng_status paint_frame(void *context, size_t index, int worker, ng_error *err)
{
    const painter *w = context;
    const ng_sim_layout *layout = &w->scene->pattern.layout;
    const size_t d = index / layout->phases, p = index % layout->phases;
    const size_t place = ng_sim_layout_index(layout, d, p);
    const size_t points = w->width * w->height, half = w->height * (w->width / 2 + 1);
    float *field = w->field + (size_t)worker * points;
    fftwf_complex *spectrum = w->spectrum + (size_t)worker * half;
    float *frame = w->frames + place * layout->width * layout->height;
    spread(w, d, p, field);
    fftwf_execute_dft_r2c(w->forward, field, spectrum);
    pass_optics(w, spectrum);
    fftwf_execute_dft_c2r(w->backward, spectrum, field);
    take_picture(w, field, frame);
    return w->noise ? add_noise(w, w->set * ng_sim_layout_frames(layout) + place, frame, err)
                    : NG_OK;
}

/* ---- all frames of a set ---- */

static size_t padded(long side)
{
    size_t n = 2 * ((size_t)side + 2 * (NG_SYNTH_SIM_MARGIN + AROUND));
    for (;; n += 2) {
        size_t rest = n;
        while (rest % 2 == 0) {
            rest /= 2;
        }
        while (rest % 3 == 0) {
            rest /= 3;
        }
        while (rest % 5 == 0) {
            rest /= 5;
        }
        if (rest == 1) {
            return n;
        }
    }
}

static ng_status painter_open(painter *w, int threads, ng_error *err)
{
    const size_t points = w->width * w->height, half = w->height * (w->width / 2 + 1);
    w->field = NG_NEW(float, points *(size_t)threads);
    w->spectrum = NG_NEW(fftwf_complex, half * (size_t)threads);
    if (w->field == NULL || w->spectrum == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a field of %zu x %zu pixels", w->width,
                       w->height);
    }
    const unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
    w->forward = fftwf_plan_dft_r2c_2d((int)w->height, (int)w->width, w->field, w->spectrum, flags);
    w->backward =
        fftwf_plan_dft_c2r_2d((int)w->height, (int)w->width, w->spectrum, w->field, flags);
    if (w->forward == NULL || w->backward == NULL) {
        return NG_FAIL(err, NG_NUMERIC, "FFTW makes no plan for %zu x %zu pixels", w->width,
                       w->height);
    }
    return NG_OK;
}

static void painter_close(painter *w)
{
    if (w->forward != NULL) {
        fftwf_destroy_plan(w->forward);
    }
    if (w->backward != NULL) {
        fftwf_destroy_plan(w->backward);
    }
    ng_free(w->field);
    ng_free(w->spectrum);
}

ng_status ng_synth_sim_frames(const ng_synth_sim *scene, size_t set, bool noise, const ng_run *run,
                              float *frames, ng_error *err)
{
    const ng_synth_sim_options *o = &scene->options;
    painter w = {.scene = scene,
                 .set = set,
                 .noise = noise,
                 .width = padded(o->width),
                 .height = padded(o->height),
                 .origin = 2 * (NG_SYNTH_SIM_MARGIN + AROUND),
                 .frames = frames};
    ng_run silent = ng_run_defaults();
    silent.threads = ng_run_threads(run);
    ng_status status = painter_open(&w, silent.threads, err);
    if (status == NG_OK) {
        status = ng_parallel_for(ng_sim_layout_frames(&scene->pattern.layout), paint_frame, &w,
                                 &silent, "raw frames", err);
    }
    painter_close(&w);
    return status;
}

/* ---- the object ---- */

ng_status ng_synth_sim_object(const ng_synth_sim *scene, size_t set, double fwhm_nm, float *image,
                              ng_error *err)
{
    const ng_synth_sim_options *o = &scene->options;
    const double sigma = fwhm_nm / sqrt(8 * log(2)) / (0.5 * o->pixel_nm);
    const int reach = (int)ceil(5 * sigma);
    if (!(fwhm_nm >= 40) || reach > 31) {
        return NG_FAIL(err, NG_INVALID,
                       "a blur of %g nm with pixels of %g nm; 40 nm to %.0f nm can "
                       "be drawn",
                       fwhm_nm, o->pixel_nm, 6 * o->pixel_nm);
    }
    const size_t width = 2 * (size_t)o->width, height = 2 * (size_t)o->height;
    for (size_t i = 0; i < width * height; i++) {
        image[i] = 0;
    }
    for (size_t i = 0; i < scene->n_sources; i++) {
        const ng_synth_sim_source *s = &scene->source[i];
        double at[2];
        ng_synth_sim_position(scene, s, set, &at[0], &at[1]);
        at[0] = 2 * at[0] + 0.5; /* the left edge of camera pixel 0 is that of half pixel 0 */
        at[1] = 2 * at[1] + 0.5;
        const double light = o->gain * ng_synth_sim_light(scene, s, set);
        if (light > 0) {
            add_source(image, width, height, at, light, sigma, reach);
        }
    }
    return NG_OK;
}
