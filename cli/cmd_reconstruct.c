/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow reconstruct: raw frames of structured illumination to images whose counts are true. */
#include "cli.h"

#include <nucgrow/cluster.h>
#include <nucgrow/movie.h>
#include <nucgrow/report.h>
#include <nucgrow/sim.h>

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE_SIDE 320
/* Of a peak in the pattern file, which a report shows. */
#define SMALL_SIDE 160

typedef struct options {
    double na, wavelength_nm, pixel_nm, frame_s, otf_damping;
    const char *otf, *order;
    long directions, phases, channel;
    double offset, gain, read_noise;
    const char *pattern, *use_pattern, *steps, *peaks;
    double pattern_na, pattern_wavelength_nm, ring_min, ring_max, least_peak, least_modulation;
    long starts;
    bool follow_drift, quality;
    const char *mode, *background_from;
    long passes, frame_passes, margin, rehearsals;
    double background, kernel_nm, wiener;
} options;

#define REAL(flag, member, unit_, initial_, min_, max_, group_, doc_)                              \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_REAL, .offset = offsetof(options, member), .unit = unit_,  \
        .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_                \
    }
#define INT(flag, member, initial_, min_, max_, group_, doc_)                                      \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_INT, .offset = offsetof(options, member),                  \
        .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_                \
    }
#define CHOICE(flag, member, choices_, initial_, group_, doc_)                                     \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_CHOICE, .offset = offsetof(options, member),               \
        .choices = choices_, .initial = initial_, .group = group_, .doc = doc_                     \
    }
#define TEXT(flag, member, value_, group_, doc_)                                                   \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_TEXT, .offset = offsetof(options, member),                 \
        .value = value_, .group = group_, .doc = doc_                                              \
    }

static const ng_option table[] = {
    REAL("na", na, NULL, NULL, 0.1, 1.7, "Microscope", "Numerical aperture of the objective."),
    REAL("wavelength-nm", wavelength_nm, "nm", NULL, 200, 2000, "Microscope",
         "Wavelength of the light that is seen."),
    REAL("pixel-nm", pixel_nm, "nm", NULL, 5, 1000, "Microscope",
         "Size of a raw pixel seen from the sample, where the file does not say."),
    REAL("frame-s", frame_s, "s", NULL, 1e-9, 1e9, "Microscope",
         "Time from raw frame to raw frame, where the file does not say."),
    TEXT("otf", otf, "FILE", "Microscope",
         "Measured transfer function: a table k_per_um,otf, or an image with k = 0 in its middle "
         "and the Nyquist frequency of the raw pixels at its edges."),
    REAL("otf-damping", otf_damping, NULL, "1", 0.05, 1, "Microscope",
         "a in the factor a^(k/k_c) of the transfer function in theory; 1: none."),
    INT("directions", directions, "3", 1, NG_SIM_MAX_DIRECTIONS, "Frames",
        "Directions of the stripes."),
    INT("phases", phases, "3", 3, NG_SIM_MAX_PHASES, "Frames",
        "Positions of the stripes in each direction."),
    CHOICE("order", order, "angle-major|phase-major", "angle-major", "Frames",
           "angle-major: all phases of the first direction come first."),
    INT("channel", channel, "0", 0, 100, "Frames", "Which channel of the file; 0: the only one."),
    REAL("offset", offset, "counts", NULL, -1e6, 1e6, "Camera",
         "Counts without light; estimated when not given."),
    REAL("gain", gain, "counts/e", NULL, 1e-4, 1e4, "Camera",
         "Counts per photoelectron; estimated when not given."),
    REAL("read-noise", read_noise, "counts", NULL, 0, 1e4, "Camera",
         "Standard deviation; needed beside a given offset only."),
    TEXT("pattern", pattern, "OUTPUT", "Pattern",
         "Write the pattern here instead of beside the image (NAME.pattern.json)."),
    TEXT("use-pattern", use_pattern, "FILE", "Pattern",
         "Take the pattern of an earlier run instead of estimating it."),
    TEXT("peaks", peaks, "OUTPUT", "Pattern",
         "Write a PNG of the correlation peaks, one panel a direction."),
    REAL("pattern-na", pattern_na, NULL, NULL, 0.1, 1.7, "Pattern",
         "NA at which the stripes are projected; with --pattern-wavelength-nm."),
    REAL("pattern-wavelength-nm", pattern_wavelength_nm, "nm", NULL, 200, 2000, "Pattern",
         "Wavelength of the illumination."),
    REAL("ring-min", ring_min, NULL, "0.4", 0.05, 1.3, "Pattern",
         "Stripes are sought from this frequency on, in units of the cutoff."),
    REAL("ring-max", ring_max, NULL, "1.05", 0.05, 1.3, "Pattern", "Up to this one."),
    INT("starts", starts, "24", 1, 32, "Pattern", "Distinct maxima that are followed."),
    CHOICE("steps", steps, "auto|equal|free", "auto", "Pattern",
           "Do the stripes move in equal steps? auto: unless the frames say otherwise."),
    REAL("least-peak", least_peak, NULL, "6", 1, 1000, "Pattern",
         "Refuse stripes whose peak is lower than this over the median."),
    REAL("least-modulation", least_modulation, NULL, "0.1", 0, 1, "Pattern",
         "Refuse stripes with less contrast."),
    {.name = "follow-drift",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, follow_drift),
     .initial = "false",
     .group = "Pattern",
     .doc = "Estimate the positions of the stripes anew for every set of the movie."},
    CHOICE("mode", mode, "joint|two-step|wiener|widefield|deconvolved|section", "joint",
           "Reconstruction",
           "joint: Poisson, positive, flux-true. two-step, wiener: others, for comparison. "
           "widefield, deconvolved, section: without super-resolution."),
    INT("passes", passes, "0", 0, 1000, "Reconstruction",
        "Passes over the frames; 0: until three in four lit places are steady."),
    INT("frame-passes", frame_passes, "1", 1, 100, "Reconstruction",
        "two-step: passes over each raw frame, which are linear."),
    REAL("kernel-nm", kernel_nm, "nm", NULL, 0, 1000, "Reconstruction",
         "Width (FWHM) of the final kernel; 0: none. Without it 0.86 of the finest period."),
    REAL("background", background, "counts", NULL, 0, 1e6, "Reconstruction",
         "Even light on a raw pixel; estimated when not given."),
    CHOICE("background-from", background_from, "movie|set", "movie", "Reconstruction",
           "movie: one background, from the set in which the field is emptiest. set: each set's "
           "own, where the light under the objects changes."),
    REAL("wiener", wiener, NULL, NULL, 1e-9, 1e3, "Reconstruction",
         "Parameter of the Wiener filter; from noise and signal when not given."),
    INT("margin", margin, "8", 0, 256, "Reconstruction",
        "Raw pixels around the field in which light may lie."),
    {.name = "quality",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, quality),
     .initial = "true",
     .group = "Reconstruction",
     .doc = "Measure the resolution by ring correlation; of a single set, on two random halves of "
            "its light."},
    INT("rehearsals", rehearsals, NULL, 0, 1000, "Reconstruction",
        "Make so many images of a known scene in the same way, NAME.rehearsal.tif, which tell "
        "`detect` of false points and errors; 0: none. Without it a tenth of the sets of a movie, "
        "4 to 24."),
};

/* ---- what is at hand ----------------------------------------------------------------- */

typedef struct work {
    ng_cli *cli;
    const options *o;
    ng_movie *movie;
    double frame_s;
    ng_sim_otf_table otf;
    ng_sim_layout layout;
    ng_sim_pattern pattern;
    ng_sim_quality quality;
    ng_sim_frc frc;
    size_t sets;
    float *frames; /* of the sets in hand */
    char *pattern_path, *rehearsal_path;
    size_t rehearsals;
    float *rehearsed; /* light of the rehearsed scene in the frames of a set */
    json_t *passes;   /* one number a set */
    json_t *backgrounds;
    json_t *pictures; /* NULL: none */
    size_t unsettled;
    double background; /* of the whole movie, counts; NAN: each set has its own */
    double light[2];   /* sums of weight, weight times light scale */
} work;

static size_t set_pixels(const work *w)
{
    return ng_sim_layout_frames(&w->layout) * w->layout.width * w->layout.height;
}

static ng_movie_read_options read_options(const options *o)
{
    ng_movie_read_options how = ng_movie_read_defaults();
    how.pixel_nm = o->pixel_nm;
    how.frame_s = o->frame_s;
    how.channel = o->channel;
    return how;
}

static ng_status read_set(const work *w, ng_movie *movie, size_t set, float *frames, ng_error *err)
{
    const size_t n = ng_sim_layout_frames(&w->layout);
    ng_status status = NG_OK;
    for (size_t f = 0; f < n && status == NG_OK; f++) {
        status =
            ng_movie_read(movie, set * n + f, frames + f * w->layout.width * w->layout.height, err);
    }
    if (status == NG_OK) {
        ng_error why = {.status = NG_OK};
        status = ng_sim_frames_check(&w->layout, frames, set * n, &why);
        if (status != NG_OK) {
            return NG_FAIL(err, status, "%s: %s", w->cli->file[0], why.message);
        }
    }
    return status;
}

/* The mean of the frames has the noise of a camera, which needs no rehearsal. */
static size_t rehearsals_of(const options *o, size_t sets)
{
    if (o->rehearsals != LONG_MIN) {
        return (size_t)o->rehearsals;
    }
    const size_t tenth = sets / 10;
    const bool none = sets == 1 || strcmp(o->mode, "widefield") == 0;
    return none ? 0 : tenth < 4 ? 4 : tenth > 24 ? 24 : tenth;
}

static ng_status understand_layout(work *w, ng_error *err)
{
    const options *o = w->o;
    const ng_movie_info *info = ng_movie_about(w->movie);
    w->layout = (ng_sim_layout){.width = info->width,
                                .height = info->height,
                                .directions = (size_t)o->directions,
                                .phases = (size_t)o->phases,
                                .order = strcmp(o->order, "phase-major") == 0 ? NG_SIM_PHASE_MAJOR
                                                                              : NG_SIM_ANGLE_MAJOR};
    const size_t each = ng_sim_layout_frames(&w->layout);
    if (info->frames % each != 0) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: %zu frames are no multiple of %ld directions x %ld phases = %zu; check "
                       "--directions and --phases, or whether the file is complete",
                       w->cli->file[0], info->frames, o->directions, o->phases, each);
    }
    w->sets = info->frames / each;
    w->frame_s = info->frame_s * (double)each;
    w->rehearsals = rehearsals_of(o, w->sets);
    return ng_sim_layout_check(&w->layout, err);
}

static ng_status read_otf(work *w, ng_error *err)
{
    const char *path = w->o->otf, *end = strrchr(path, '.');
    if (end == NULL || (strcmp(end, ".tif") != 0 && strcmp(end, ".tiff") != 0)) {
        return ng_sim_otf_table_read(path, &w->otf, err);
    }
    ng_movie *movie = NULL;
    const ng_movie_read_options how = ng_movie_read_defaults();
    ng_status status = ng_movie_open(path, &how, &movie, NULL, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_movie_info *info = ng_movie_about(movie);
    float *pixel = NG_NEW(float, info->width * info->height);
    status = pixel != NULL ? ng_movie_read(movie, 0, pixel, err)
                           : NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    if (status == NG_OK) {
        status = ng_sim_otf_table_from_image(pixel, info->width, info->height,
                                             w->pattern.optics.pixel_nm, &w->otf, err);
    }
    ng_free(pixel);
    ng_movie_close(movie);
    return status;
}

static ng_status understand_optics(work *w, ng_error *err)
{
    const options *o = w->o;
    ng_sim_optics *optics = &w->pattern.optics;
    const double pixel_nm = ng_movie_about(w->movie)->pixel_nm;
    if (isnan(o->na) || isnan(o->wavelength_nm)) {
        return NG_FAIL(err, NG_USAGE,
                       "--na and --wavelength-nm are needed: the numerical aperture of the "
                       "objective and the wavelength of the light that is seen");
    }
    if (isnan(pixel_nm)) {
        return NG_FAIL(err, NG_USAGE,
                       "%s does not say how large a pixel is; pass --pixel-nm (the camera's pixel "
                       "over the magnification)",
                       w->cli->file[0]);
    }
    *optics = (ng_sim_optics){.na = o->na,
                              .wavelength_nm = o->wavelength_nm,
                              .pixel_nm = pixel_nm,
                              .damping = o->otf_damping};
    ng_status status = ng_sim_optics_check(optics, err);
    if (status == NG_OK && o->otf != NULL) {
        status = read_otf(w, err);
        optics->measured = &w->otf;
        if (status == NG_OK) {
            status = ng_provenance_input(w->cli->provenance, o->otf, err);
        }
    }
    return status;
}

/* ---- the pattern --------------------------------------------------------------------- */

static ng_sim_pattern_options pattern_options(const options *o)
{
    ng_sim_pattern_options p = ng_sim_pattern_defaults();
    p.ring_min = o->ring_min;
    p.ring_max = o->ring_max;
    p.pattern_na = o->pattern_na;
    p.pattern_wavelength_nm = o->pattern_wavelength_nm;
    p.starts = o->starts;
    p.least_peak = o->least_peak;
    p.least_modulation = o->least_modulation;
    p.steps = strcmp(o->steps, "equal") == 0  ? NG_SIM_PHASES_EQUAL
              : strcmp(o->steps, "free") == 0 ? NG_SIM_PHASES_FREE
                                              : NG_SIM_PHASES_AUTO;
    return p;
}

static ng_status estimate_pattern(work *w, ng_warnings *warnings, ng_error *err)
{
    const options *o = w->o;
    ng_sim_camera camera = {.offset = o->offset, .gain = o->gain, .read_noise = o->read_noise};
    const ng_sim_optics optics = w->pattern.optics;
    const ng_sim_pattern_options how = pattern_options(o);
    ng_status status =
        ng_sim_camera_estimate(&w->layout, &optics, w->frames, &camera, warnings, err);
    if (status == NG_OK) {
        status = ng_sim_camera_check(&w->layout, &camera, w->frames, warnings, err);
    }
    return status != NG_OK ? status
                           : ng_sim_pattern_estimate(&w->layout, &optics, &camera, w->frames, &how,
                                                     &w->cli->run, &w->pattern, warnings, err);
}

static ng_status pattern_of_set(work *w, size_t set, ng_warnings *warnings, ng_error *err)
{
    ng_status status = read_set(w, w->movie, set, w->frames, err);
    return status != NG_OK ? status : estimate_pattern(w, warnings, err);
}

/* Where something grows, the first set may be dark and the last one full of light. What the first
 * set warns of is then of no concern. */
static ng_status pattern_of_movie(work *w, ng_error *err)
{
    ng_warnings first = {0}, last = {0};
    ng_status status = pattern_of_set(w, 0, &first, err);
    const bool again = status == NG_OK && !w->pattern.trusted && w->sets > 1;
    status = again ? pattern_of_set(w, w->sets - 1, &last, err) : status;
    ng_warnings_append(&w->cli->warnings, again ? &last : &first);
    if (again && status == NG_OK && w->pattern.trusted) {
        ng_warnings_add(&w->cli->warnings, "pattern-from-last",
                        "the first set does not show the stripes; they are taken from the last");
    }
    ng_warnings_free(&first);
    ng_warnings_free(&last);
    return status;
}

static bool same_layout(const ng_sim_layout *a, const ng_sim_layout *b)
{
    return a->width == b->width && a->height == b->height && a->directions == b->directions &&
           a->phases == b->phases && a->order == b->order;
}

static ng_status read_pattern(work *w, ng_error *err)
{
    const char *path = w->o->use_pattern;
    ng_status status = ng_provenance_input(w->cli->provenance, path, err);
    if (status == NG_OK) {
        status = ng_sim_pattern_read(path, &w->pattern, err);
    }
    if (status != NG_OK) {
        return status;
    }
    const ng_sim_layout *found = &w->pattern.layout;
    if (!same_layout(found, &w->layout)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s is for %zu directions x %zu phases of %zu x %zu pixels, %s; the movie "
                       "has %zu x %zu of %zu x %zu, %s",
                       path, found->directions, found->phases, found->width, found->height,
                       found->order == NG_SIM_ANGLE_MAJOR ? "angle-major" : "phase-major",
                       w->layout.directions, w->layout.phases, w->layout.width, w->layout.height,
                       w->o->order);
    }
    if (!w->pattern.trusted) {
        return NG_FAIL(err, NG_INVALID, "%s is marked as not to be trusted: %s", path,
                       w->pattern.reason);
    }
    if (w->o->otf != NULL) {
        status = read_otf(w, err);
        w->pattern.optics.measured = &w->otf;
    }
    return status;
}

static ng_status find_pattern(work *w, ng_error *err)
{
    w->frames = NG_NEW(float, set_pixels(w));
    if (w->frames == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a set of %zu x %zu pixels",
                       w->layout.width, w->layout.height);
    }
    ng_status status = read_set(w, w->movie, 0, w->frames, err);
    if (status == NG_OK && w->o->use_pattern != NULL) {
        status = read_pattern(w, err);
    } else if (status == NG_OK) {
        status = understand_optics(w, err);
        status = status != NG_OK ? status : pattern_of_movie(w, err);
    }
    if (status == NG_OK) {
        ng_sim_quality_of_frames(&w->pattern, w->frames, &w->quality);
        ng_sim_quality_judge(&w->pattern, (double)NAN, &w->quality);
    }
    return status;
}

/* ---- images -------------------------------------------------------------------------- */

static ng_sim_reconstruct_options reconstruct_options(const options *o)
{
    static const char *const name[] = {"joint",     "two-step",    "wiener",
                                       "widefield", "deconvolved", "section"};
    ng_sim_reconstruct_options r = ng_sim_reconstruct_defaults();
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        if (strcmp(o->mode, name[i]) == 0) {
            r.mode = (ng_sim_mode)i;
        }
    }
    r.passes = o->passes;
    r.frame_passes = o->frame_passes;
    r.margin = o->margin;
    r.background = o->background;
    r.kernel_nm = o->kernel_nm;
    r.wiener = o->wiener;
    return r;
}

/* What one thread needs for itself: FFTW and a movie's file are not to be shared. */
typedef struct bench {
    ng_sim_reconstructor *reconstructor;
    ng_movie *movie;
    float *frames; /* of one set */
} bench;

/* Sets that are worked on at the same time, each by one thread of one process; a single set by all
 * threads of each process. A record is an ng_sim_run_info and the pixels of its image. */
typedef struct batch {
    work *w;
    size_t n, first, in_hand;
    bench *each; /* `threads` */
    size_t threads;
    unsigned char *record;
    size_t record_bytes;
    size_t width, height;
    ng_run run;     /* inside of a set */
    double *sum[2]; /* of odd and even images, for the ring correlation */
} batch;

/* Sets in which the background is looked for. */
#define LOOKED_AT 256

#define HEAD 128 /* of a record, so that its pixels are aligned */
_Static_assert(sizeof(ng_sim_run_info) <= HEAD, "a record's head is too small");

static float *image_of(const batch *b, size_t i)
{
    return (float *)(void *)(b->record + i * b->record_bytes + HEAD);
}

static const ng_sim_run_info *info_of(const batch *b, size_t i)
{
    return (const ng_sim_run_info *)(const void *)(b->record + i * b->record_bytes);
}

static ng_status bench_open(const work *w, int threads, bench *out, ng_error *err)
{
    const ng_sim_reconstruct_options how = reconstruct_options(w->o);
    const ng_movie_read_options read = read_options(w->o);
    ng_status status =
        ng_sim_reconstructor_create(&w->pattern, &how, threads, &out->reconstructor, err);
    if (status == NG_OK) {
        status = ng_movie_open(w->cli->file[0], &read, &out->movie, NULL, err);
    }
    out->frames = NG_NEW(float, set_pixels(w));
    return status != NG_OK || out->frames != NULL
               ? status
               : NG_FAIL(err, NG_MEMORY, "out of memory for a set of %zu x %zu pixels",
                         w->layout.width, w->layout.height);
}

static ng_status batch_open(work *w, batch *b, ng_error *err)
{
    const size_t threads = (size_t)ng_run_threads(&w->cli->run);
    const size_t most = threads * (size_t)ng_cluster_size(w->cli->run.cluster);
    *b = (batch){.w = w, .n = most < w->sets ? most : w->sets, .run = ng_run_defaults()};
    b->threads = threads < w->sets ? threads : w->sets;
    b->run.threads = w->sets == 1 ? (int)threads : 1;
    b->run.seed = w->cli->run.seed;
    b->each = NG_NEW(bench, b->threads);
    if (b->each == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < b->threads; i++) {
        ng_status status = bench_open(w, b->run.threads, &b->each[i], err);
        if (status != NG_OK) {
            return status;
        }
    }
    ng_sim_reconstructor_size(b->each[0].reconstructor, &b->width, &b->height);
    const size_t pixels = b->width * b->height;
    b->record_bytes = HEAD + (pixels * sizeof(float) + 15) / 16 * 16;
    b->record = NG_NEW(unsigned char, b->n * b->record_bytes);
    b->sum[0] = NG_NEW(double, pixels);
    b->sum[1] = NG_NEW(double, pixels);
    return b->record != NULL && b->sum[0] != NULL && b->sum[1] != NULL
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "out of memory for images of %zu x %zu pixels", b->width,
                         b->height);
}

static void batch_close(batch *b)
{
    for (size_t i = 0; b->each != NULL && i < b->threads; i++) {
        ng_sim_reconstructor_destroy(b->each[i].reconstructor);
        ng_movie_close(b->each[i].movie);
        ng_free(b->each[i].frames);
    }
    ng_free(b->each);
    ng_free(b->record);
    ng_free(b->sum[0]);
    ng_free(b->sum[1]);
}

static ng_status reconstruct_one(void *context, size_t i, int worker, void *record, ng_error *err)
{
    batch *b = context;
    const bench *own = &b->each[worker];
    unsigned char *bytes = record;
    ng_status status = read_set(b->w, own->movie, b->first + i, own->frames, err);
    if (status == NG_OK && b->w->o->follow_drift) {
        ng_sim_pattern moved;
        status = ng_sim_pattern_track(&b->w->pattern, own->frames, &moved, err);
        if (status == NG_OK) {
            ng_sim_reconstructor_phases(own->reconstructor, &moved);
        }
    }
    return status != NG_OK ? status
                           : ng_sim_reconstruct(own->reconstructor, own->frames, &b->run,
                                                (float *)(void *)(bytes + HEAD),
                                                (ng_sim_run_info *)record, err);
}

/* ---- the background ------------------------------------------------------------------ */

/* The i-th of the sets that are looked at, from the first to the last. */
static size_t looked_at(const batch *b, size_t i)
{
    return b->in_hand > 1 ? i * (b->w->sets - 1) / (b->in_hand - 1) : 0;
}

static ng_status look_at_one(void *context, size_t i, int worker, void *record, ng_error *err)
{
    batch *b = context;
    const bench *own = &b->each[worker];
    ng_status status = read_set(b->w, own->movie, looked_at(b, i), own->frames, err);
    if (status == NG_OK) {
        const double found = ng_sim_reconstructor_background(own->reconstructor, own->frames);
        memcpy(record, &found, sizeof found);
    }
    return status;
}

static ng_status find_background(work *w, batch *b, const ng_run *outer, ng_error *err)
{
    const options *o = w->o;
    if (!isnan(o->background) || w->sets == 1 || strcmp(o->background_from, "set") == 0) {
        return NG_OK;
    }
    b->in_hand = w->sets < LOOKED_AT ? w->sets : LOOKED_AT;
    double found[LOOKED_AT];
    const ng_records records = {(unsigned char *)found, b->in_hand, sizeof *found};
    ng_status status = ng_parallel_records(&records, look_at_one, b, outer, "background", err);
    if (status == NG_OK) {
        w->background = ng_sim_lowest_background(found, b->in_hand);
        for (size_t i = 0; i < b->threads; i++) {
            ng_sim_reconstructor_set_background(b->each[i].reconstructor, w->background);
        }
    }
    return status;
}

/* ---- all sets ------------------------------------------------------------------------ */

/* Mean over the sets, each as well as it is known. */
static void add_light(work *w, const ng_sim_run_info *info)
{
    if (info->light_scale_se > 0) {
        const double weight = 1 / (info->light_scale_se * info->light_scale_se);
        w->light[0] += weight;
        w->light[1] += weight * info->light_scale;
        w->quality.light_scale = w->light[1] / w->light[0];
        w->quality.light_scale_se = 1 / sqrt(w->light[0]);
    }
}

/* Only the first process writes; all keep what the quality is judged by. */
static ng_status keep_batch(batch *b, ng_stack *stack, ng_error *err)
{
    const size_t pixels = b->width * b->height;
    ng_status status = NG_OK;
    for (size_t i = 0; i < b->in_hand && status == NG_OK; i++) {
        const float *image = image_of(b, i);
        const ng_sim_run_info *info = info_of(b, i);
        status = stack != NULL ? ng_stack_write(stack, image, err) : NG_OK;
        double *sum = b->sum[(b->first + i) % 2];
        for (size_t p = 0; p < pixels; p++) {
            sum[p] += (double)image[p];
        }
        json_array_append_new(b->w->passes, json_integer(info->passes));
        json_array_append_new(b->w->backgrounds, ng_json_real(info->background));
        b->w->unsettled += !info->settled && b->w->o->passes == 0;
        add_light(b->w, info);
    }
    return status;
}

/* What is to be made of many sets, and where it goes. */
typedef struct many {
    const char *name;
    size_t n;
    ng_record_task *task;
    ng_status (*keep)(batch *b, ng_stack *stack, ng_error *err);
    ng_stack *stack; /* borrowed; NULL but on the first process */
} many;

static ng_run outer_run(const work *w)
{
    ng_run outer = ng_run_defaults();
    outer.threads = w->sets == 1 ? 1 : ng_run_threads(&w->cli->run);
    outer.cluster = w->cli->run.cluster;
    return outer;
}

static ng_status make_all(batch *b, const many *m, ng_error *err)
{
    const ng_run outer = outer_run(b->w);
    for (b->first = 0; b->first < m->n; b->first += b->in_hand) {
        b->in_hand = m->n - b->first < b->n ? m->n - b->first : b->n;
        const ng_records records = {b->record, b->in_hand, b->record_bytes};
        ng_status status = ng_parallel_records(&records, m->task, b, &outer, m->name, err);
        status = status != NG_OK ? status : m->keep(b, m->stack, err);
        if (status != NG_OK) {
            return status;
        }
        const size_t done = b->first + b->in_hand;
        if (!ng_run_progress(&b->w->cli->run, m->name, done, m->n)) {
            return NG_FAIL(err, NG_CANCELLED, "stopped after %zu of %zu %s", done, m->n, m->name);
        }
    }
    return NG_OK;
}

static ng_status all_sets(work *w, batch *b, ng_stack *stack, ng_error *err)
{
    const ng_run outer = outer_run(w);
    const many sets = {"sets", w->sets, reconstruct_one, keep_batch, stack};
    const ng_status status = find_background(w, b, &outer, err);
    return status != NG_OK ? status : make_all(b, &sets, err);
}

/* ---- rehearsal ----------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The background of most sets. */
static double usual_background(const work *w)
{
    const size_t n = json_array_size(w->backgrounds);
    double *each = NG_NEW(double, n + 1), usual = w->background;
    for (size_t i = 0; each != NULL && i < n; i++) {
        each[i] = json_number_value(json_array_get(w->backgrounds, i));
    }
    if (each != NULL && n > 0) {
        qsort(each, n, sizeof *each, by_value);
        usual = each[n / 2];
    }
    ng_free(each);
    return fmax(usual, 0);
}

static ng_status prepare_rehearsal(work *w, batch *b, ng_error *err)
{
    w->rehearsed = NG_NEW(float, set_pixels(w));
    if (w->rehearsed == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a set of %zu x %zu pixels",
                       w->layout.width, w->layout.height);
    }
    for (size_t i = 0; i < b->threads; i++) {
        ng_sim_reconstructor_phases(b->each[i].reconstructor, &w->pattern);
    }
    return ng_sim_rehearsal(&w->pattern, usual_background(w), w->rehearsed, err);
}

/* With the passes that one of the sets took, from the first to the last. */
static ng_status rehearse_one(void *context, size_t i, int worker, void *record, ng_error *err)
{
    batch *b = context;
    const work *w = b->w;
    const bench *own = &b->each[worker];
    const size_t take = b->first + i;
    const size_t set = w->rehearsals > 1 ? take * (w->sets - 1) / (w->rehearsals - 1) : 0;
    const json_int_t passes = json_integer_value(json_array_get(w->passes, set));
    unsigned char *bytes = record;
    ng_sim_reconstructor_set_passes(own->reconstructor, (long)passes);
    const ng_status status =
        ng_sim_record(&w->layout, &w->pattern.camera, w->rehearsed, take, own->frames, err);
    return status != NG_OK ? status
                           : ng_sim_reconstruct(own->reconstructor, own->frames, &b->run,
                                                (float *)(void *)(bytes + HEAD),
                                                (ng_sim_run_info *)record, err);
}

static ng_status keep_rehearsal(batch *b, ng_stack *stack, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; stack != NULL && i < b->in_hand && status == NG_OK; i++) {
        status = ng_stack_write(stack, image_of(b, i), err);
    }
    return status;
}

/* ---- resolution ---------------------------------------------------------------------- */

/* Two halves of the light of a single set, as two images. */
static ng_status split_images(work *w, batch *b, float *a, float *other, ng_error *err)
{
    const size_t n = set_pixels(w);
    float *half = NG_NEW(float, 2 * n);
    if (half == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for two sets of frames");
    }
    ng_sim_run_info info;
    ng_status status = ng_sim_frames_split(&w->layout, &w->pattern.camera, w->frames, &b->run, half,
                                           half + n, err);
    if (status == NG_OK) {
        status = ng_sim_reconstruct(b->each[0].reconstructor, half, &b->run, a, &info, err);
    }
    if (status == NG_OK) {
        status = ng_sim_reconstruct(b->each[0].reconstructor, half + n, &b->run, other, &info, err);
    }
    ng_free(half);
    return status;
}

static ng_status measure_resolution(work *w, batch *b, ng_error *err)
{
    const size_t pixels = b->width * b->height;
    const double pixel_nm = w->pattern.optics.pixel_nm * (double)w->layout.width / (double)b->width;
    float *image = NG_NEW(float, 2 * pixels);
    if (image == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for two images");
    }
    ng_status status = NG_OK;
    if (w->sets == 1) {
        status = split_images(w, b, image, image + pixels, err);
    }
    for (size_t i = 0; w->sets > 1 && i < pixels; i++) {
        image[i] = (float)b->sum[0][i];
        image[pixels + i] = (float)b->sum[1][i];
    }
    if (status == NG_OK) {
        status =
            ng_sim_frc_compute(image, image + pixels, b->width, b->height, pixel_nm, &w->frc, err);
    }
    if (status == NG_OK) {
        /* Images that agree at every frequency are as fine as the optics and stripes allow. */
        const double nm = isnan(w->frc.resolution_nm) ? w->quality.cutoff_nm : w->frc.resolution_nm;
        ng_sim_quality_judge(&w->pattern, nm, &w->quality);
    }
    ng_free(image);
    return status;
}

/* ---- pictures for a report ------------------------------------------------------------ */

/* Peaks of all directions, one picture after the other; owned by the caller. */
static ng_status draw_peaks(const work *w, size_t side, unsigned char **rgb, ng_error *err)
{
    const size_t n = w->layout.directions;
    *rgb = NG_NEW(unsigned char, 3 * n * side * side);
    ng_status status = *rgb != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
    for (size_t d = 0; d < n && status == NG_OK; d++) {
        status =
            ng_sim_peak_picture(&w->pattern, w->frames, d, side, *rgb + 3 * d * side * side, err);
    }
    return status;
}

/* The mean of a set's frames without background, on the camera's grid. */
static ng_status widefield_of(const work *w, const float *frames, float *out, ng_error *err)
{
    ng_sim_reconstruct_options how = reconstruct_options(w->o);
    ng_sim_reconstructor *r = NULL;
    ng_sim_run_info info;
    how.mode = NG_SIM_WIDEFIELD;
    ng_status status = ng_sim_reconstructor_create(&w->pattern, &how, 1, &r, err);
    if (status == NG_OK) {
        status = ng_sim_reconstruct(r, frames, NULL, out, &info, err);
    }
    ng_sim_reconstructor_destroy(r);
    return status;
}

/* The last set of a batch before and after (NULL: no images were made), and the peaks. */
static ng_status draw_pictures(work *w, const batch *b, ng_error *err)
{
    ng_report_pair pair = {.width = w->layout.width,
                           .height = w->layout.height,
                           .pixel_nm = w->pattern.optics.pixel_nm,
                           .n_peaks = w->layout.directions,
                           .peak_side = SMALL_SIDE};
    unsigned char *rgb = NULL;
    float *before = NULL;
    ng_status status = draw_peaks(w, SMALL_SIDE, &rgb, err);
    if (status == NG_OK && b != NULL) {
        before = NG_NEW(float, pair.width *pair.height);
        status = before != NULL ? read_set(w, w->movie, w->sets - 1, b->each[0].frames, err)
                                : NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
        status = status != NG_OK ? status : widefield_of(w, b->each[0].frames, before, err);
        pair.before = before;
        pair.after = image_of(b, b->in_hand - 1);
        pair.fold = b->width / pair.width;
    }
    pair.peak = rgb;
    status = status != NG_OK ? status : ng_report_pictures(&pair, &w->pictures, err);
    ng_free(before);
    ng_free(rgb);
    return status;
}

/* ---- files --------------------------------------------------------------------------- */

static ng_status name_files(work *w, ng_error *err)
{
    const char *image = w->cli->common.output;
    w->pattern_path =
        w->o->pattern != NULL ? ng_text_copy(w->o->pattern) : ng_cli_beside(image, ".pattern.json");
    w->rehearsal_path = ng_cli_beside(image, NG_CLI_REHEARSAL);
    return w->pattern_path != NULL && w->rehearsal_path != NULL
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "out of memory");
}

static ng_status check_outputs(work *w, ng_error *err)
{
    const bool force = w->cli->common.force;
    ng_status status = ng_output_check(w->cli->common.output, force, err);
    status = status != NG_OK ? status : name_files(w, err);
    status = status != NG_OK ? status : ng_output_check(w->pattern_path, force, err);
    status = status != NG_OK ? status : ng_output_check(w->rehearsal_path, force, err);
    return status != NG_OK || w->o->peaks == NULL ? status
                                                  : ng_output_check(w->o->peaks, force, err);
}

static json_t *result_json(const work *w)
{
    json_t *object = ng_sim_pattern_json(&w->pattern);
    if (object == NULL) {
        return NULL;
    }
    const bool reconstructed = w->pattern.trusted;
    json_object_set_new(object, "quality", ng_sim_quality_json(&w->quality));
    json_object_set_new(object, "mode", json_string(w->o->mode));
    json_object_set_new(object, "image",
                        reconstructed ? json_string(w->cli->common.output) : json_null());
    json_object_set_new(object, "sets", json_integer(reconstructed ? (json_int_t)w->sets : 0));
    json_object_set_new(object, "rehearsal",
                        reconstructed && w->rehearsals > 0 ? json_string(w->rehearsal_path)
                                                           : json_null());
    json_object_set(object, "passes", w->passes);
    json_object_set(object, "background", w->backgrounds);
    json_object_set_new(object, "ring_correlation",
                        json_pack("{s:o, s:o}", "per_um", ng_json_reals(w->frc.per_um, w->frc.n),
                                  "correlation", ng_json_reals(w->frc.correlation, w->frc.n)));
    return object;
}

/* The result, and pictures for a report, which nobody wants to read. */
static ng_status write_pattern(const work *w, ng_error *err)
{
    json_t *object = result_json(w);
    if (object == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the pattern");
    }
    json_object_set(object, "pictures", w->pictures);
    json_t *stamped = ng_cli_stamp(w->cli, "nucgrow/pattern/1", object);
    if (stamped == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the pattern");
    }
    ng_status status = ng_json_write(stamped, w->pattern_path, w->cli->common.force, err);
    json_decref(stamped);
    return status;
}

static ng_status write_peaks(const work *w, ng_error *err)
{
    const size_t n = w->layout.directions, row = 3 * PICTURE_SIDE;
    unsigned char *each = NULL, *all = NG_NEW(unsigned char, n *row *PICTURE_SIDE);
    ng_status status = all != NULL ? draw_peaks(w, PICTURE_SIDE, &each, err)
                                   : NG_FAIL(err, NG_MEMORY, "out of memory for pictures");
    for (size_t i = 0; i < n * PICTURE_SIDE && status == NG_OK; i++) {
        const size_t d = i / PICTURE_SIDE, y = i % PICTURE_SIDE;
        memcpy(all + (y * n + d) * row, each + i * row, row);
    }
    if (status == NG_OK) {
        status = ng_png_write(w->o->peaks, all, n * PICTURE_SIDE, PICTURE_SIDE,
                              w->cli->common.force, err);
    }
    ng_free(each);
    ng_free(all);
    return status;
}

/* Only the first process writes. */
static ng_status open_stack(const work *w, const batch *b, const char *path, size_t frames,
                            ng_stack **out, ng_error *err)
{
    if (!ng_cli_is_first(w->cli)) {
        return NG_OK;
    }
    const ng_stack_format format = {.width = b->width,
                                    .height = b->height,
                                    .frames = frames,
                                    .sample = NG_SAMPLE_FLOAT32,
                                    .pixel_nm = w->pattern.optics.pixel_nm *
                                                (double)w->layout.width / (double)b->width,
                                    .frame_s = w->frame_s};
    return ng_stack_create(path, &format, w->cli->common.force, out, err);
}

static ng_status remove_file(const char *path, ng_error *err)
{
    return remove(path) == 0 || errno == ENOENT
               ? NG_OK
               : NG_FAIL(err, NG_IO, "%s: cannot be removed: %s", path, strerror(errno));
}

/* The known scene again and again, as the sets of the movie were reconstructed. */
static ng_status write_rehearsal(work *w, batch *b, ng_error *err)
{
    ng_stack *stack = NULL;
    if (w->rehearsals == 0) {
        /* one that is there was made for other images */
        return ng_cli_is_first(w->cli) ? remove_file(w->rehearsal_path, err) : NG_OK;
    }
    ng_status status = prepare_rehearsal(w, b, err);
    status =
        status != NG_OK ? status : open_stack(w, b, w->rehearsal_path, w->rehearsals, &stack, err);
    if (status == NG_OK) {
        const many takes = {"rehearsals", w->rehearsals, rehearse_one, keep_rehearsal, stack};
        status = make_all(b, &takes, err);
    }
    if (status == NG_OK && stack != NULL) {
        status = ng_stack_commit(stack, err);
        stack = NULL;
    }
    ng_stack_abandon(stack);
    return status;
}

static ng_status write_images(work *w, ng_error *err)
{
    batch b = {0};
    ng_stack *stack = NULL;
    ng_status status = batch_open(w, &b, err);
    status =
        status != NG_OK ? status : open_stack(w, &b, w->cli->common.output, w->sets, &stack, err);
    status = status != NG_OK ? status : all_sets(w, &b, stack, err);
    if (status == NG_OK) {
        ng_sim_quality_judge(&w->pattern, (double)NAN, &w->quality);
        status = draw_pictures(w, &b, err);
    }
    if (status == NG_OK && w->o->quality) {
        status = measure_resolution(w, &b, err);
    }
    if (status == NG_OK && stack != NULL) {
        status = ng_stack_commit(stack, err);
        stack = NULL;
    }
    status = status != NG_OK ? status : write_rehearsal(w, &b, err);
    ng_stack_abandon(stack);
    batch_close(&b);
    return status;
}

/* ---- for people ---------------------------------------------------------------------- */

static void print_pattern(const work *w)
{
    const ng_sim_pattern *p = &w->pattern;
    ng_cli_print(w->cli, "camera      offset %.1f counts%s, %.3f counts per photoelectron%s\n",
                 p->camera.offset, p->camera.offset_estimated ? " (estimated)" : "", p->camera.gain,
                 p->camera.gain_estimated ? " (estimated)" : "");
    for (size_t d = 0; d < p->layout.directions; d++) {
        const ng_sim_direction *dir = &p->direction[d];
        if (!dir->trusted) {
            ng_cli_print(w->cli, "direction %zu not found\n", d + 1);
            continue;
        }
        ng_cli_print(
            w->cli,
            "direction %zu %7.2f deg, period %.2f nm, modulation %.3f +- %.3f, contrast to "
            "noise %.1f\n",
            d + 1, 180 / 3.14159265358979323846 * atan2(dir->ky, dir->kx),
            p->optics.pixel_nm / hypot(dir->kx, dir->ky), dir->modulation, dir->modulation_se,
            dir->contrast_to_noise);
    }
}

static void print_quality(const work *w)
{
    static const char *const grade[] = {"green", "amber", "red"};
    for (size_t i = 0; i < w->quality.n_verdicts; i++) {
        const ng_sim_verdict *v = &w->quality.verdict[i];
        if (v->grade != NG_SIM_GREEN || strcmp(v->name, "resolution") == 0) {
            ng_cli_print(w->cli, "%-11s %s\n", grade[v->grade], v->reason);
        }
    }
}

static void print_result(const work *w)
{
    if (w->sets == 1) {
        ng_cli_print(w->cli, "image       1 of %s, %lld passes\n", w->o->mode,
                     json_integer_value(json_array_get(w->passes, 0)));
    } else {
        ng_cli_print(w->cli, "images      %zu of %s\n", w->sets, w->o->mode);
        if (!isnan(w->background)) {
            ng_cli_print(
                w->cli, "background  %.1f counts on a raw pixel, from the set where it is lowest\n",
                w->background);
        }
    }
    print_quality(w);
    ng_cli_print(w->cli, "written:    %s\n            %s\n", w->cli->common.output,
                 w->pattern_path);
    if (w->rehearsals > 0) {
        ng_cli_print(w->cli, "            %s\n", w->rehearsal_path);
    }
}

/* ---- all of it ----------------------------------------------------------------------- */

static ng_status reconstruct(work *w, ng_error *err)
{
    ng_status status = find_pattern(w, err);
    if (status != NG_OK) {
        return status;
    }
    if (ng_cli_is_first(w->cli)) {
        print_pattern(w);
    }
    status = w->pattern.trusted ? write_images(w, err) : draw_pictures(w, NULL, err);
    if (w->unsettled > 0) {
        ng_warnings_add(&w->cli->warnings, "not-settled",
                        "%zu of %zu images still changed after the most passes", w->unsettled,
                        w->sets);
    }
    if (status == NG_OK && ng_cli_is_first(w->cli)) {
        status = write_pattern(w, err);
        if (status == NG_OK && w->o->peaks != NULL) {
            status = write_peaks(w, err);
        }
    }
    if (status == NG_OK && ng_cli_is_first(w->cli) && w->pattern.trusted) {
        print_result(w);
    } else if (status == NG_OK && ng_cli_is_first(w->cli)) {
        ng_cli_print(w->cli, "refused     %s\nwritten:    %s (no image)\n", w->pattern.reason,
                     w->pattern_path);
    }
    w->cli->result = status == NG_OK ? result_json(w) : NULL;
    return status == NG_OK && w->cli->result == NULL
               ? NG_FAIL(err, NG_MEMORY, "out of memory for the result")
               : status;
}

static void add_references(ng_cli *cli, const options *o)
{
    ng_provenance_reference(cli->provenance, "Gustafsson, J. Microsc. 198, 82 (2000)");
    if (strcmp(o->mode, "joint") == 0) {
        ng_provenance_reference(cli->provenance, "Richardson, J. Opt. Soc. Am. 62, 55 (1972)");
        ng_provenance_reference(cli->provenance,
                                "Hudson, Larkin, IEEE Trans. Med. Imaging 13, 601 (1994)");
    } else if (strcmp(o->mode, "two-step") == 0) {
        ng_provenance_reference(cli->provenance,
                                "Perez, Chang, Stelzer, Sci. Rep. 6, 37149 (2016)");
    }
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    work w = {.cli = cli,
              .o = values,
              .passes = json_array(),
              .backgrounds = json_array(),
              .background = (double)NAN};
    const ng_movie_read_options how = read_options(w.o);
    ng_status status = check_outputs(&w, err);
    status = status != NG_OK ? status : ng_cli_inputs(cli, err);
    status = status != NG_OK ? status : ng_cli_keep_records(cli, err);
    if (status == NG_OK) {
        status = ng_movie_open(cli->file[0], &how, &w.movie, &cli->warnings, err);
    }
    status = status != NG_OK ? status : understand_layout(&w, err);
    if (status == NG_OK) {
        add_references(cli, w.o);
        status = reconstruct(&w, err);
    }
    ng_movie_close(w.movie);
    ng_sim_otf_table_free(&w.otf);
    ng_sim_frc_free(&w.frc);
    ng_free(w.frames);
    ng_free(w.pattern_path);
    ng_free(w.rehearsal_path);
    ng_free(w.rehearsed);
    json_decref(w.passes);
    json_decref(w.backgrounds);
    json_decref(w.pictures);
    return status;
}

const ng_command ng_command_reconstruct = {
    .name = "reconstruct",
    .group = "Measure",
    .summary = "raw frames of structured illumination to super-resolved, flux-true images",
    .description =
        "Finds the stripes in the raw frames (direction, period, position, contrast, each with its "
        "standard error), refuses with a reason when they are not to be trusted, and reconstructs "
        "every set of frames of the movie. The image has pixels of half the size; a sum over a "
        "particle is its counts in one raw frame, so sizes follow from it.\n\n"
        "The pattern is written beside the image and can be given to later movies of the same "
        "microscope with --use-pattern. Offset and gain of the camera are estimated from the noise "
        "beyond the optical cutoff unless they are given. When the pattern is refused (exit code "
        "4), the pattern file says why and no image is written.",
    .usage = "RAW.tif -o SR.tif --na A --wavelength-nm L [options]",
    .examples = "nucgrow reconstruct raw.tif -o sr.tif --na 1.45 --wavelength-nm 520\n"
                "nucgrow reconstruct raw.tif -o sr.tif --na 1.45 --wavelength-nm 520 --phases 5\n"
                "nucgrow reconstruct later.tif -o later-sr.tif --use-pattern sr.pattern.json\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_FILE,
    .schema = "nucgrow/reconstruct/1",
    .ranks = NG_RANKS_ALL,
    .run = run,
};
