/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow detect: from the frames of a movie to particles.csv. */
#include "cli.h"

#include <nucgrow/detect.h>

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA "nucgrow/detect/1"

typedef struct options {
    const char *kind, *preset, *polarity, *denoise, *threshold;
    const char *filter, *width, *flux_from, *rehearsal;
    const char *raw_from, *pattern;
    double flux_pixel_nm;
    const char *mask_out, *preview_out, *result;
    ng_detect_options detect; /* numbers only; unset where the movie decides */
    long first_frame, last_frame, average_frames, channel, preview;
    bool split, fit, drift;
} options;

#define REAL(flag, member, unit_, min_, max_, group_, doc_)                                        \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_REAL, .offset = offsetof(options, detect.member),          \
        .unit = unit_, .min = min_, .max = max_, .group = group_, .doc = doc_                      \
    }
#define WHOLE(flag, member, initial_, min_, max_, group_, doc_)                                    \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_INT, .offset = offsetof(options, member),                  \
        .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_                \
    }
#define CHOICE(flag, member, initial_, choices_, group_, doc_)                                     \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_CHOICE, .offset = offsetof(options, member),               \
        .initial = initial_, .choices = choices_, .group = group_, .doc = doc_                     \
    }
#define PATH(flag, member, doc_)                                                                   \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_TEXT, .offset = offsetof(options, member),                 \
        .value = "PATH", .group = "Output", .doc = doc_                                            \
    }
#define SWITCH(flag, member, initial_, group_, doc_)                                               \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_BOOL, .offset = offsetof(options, member),                 \
        .initial = initial_, .group = group_, .doc = doc_                                          \
    }

static const ng_option table[] = {
    CHOICE("kind", kind, "disk", "disk|spot", "Movie", "What the particles look like."),
    CHOICE("polarity", polarity, NULL, "dark|bright", "Movie",
           "Particles darker or brighter than what is around them; without it disks are dark and "
           "spots bright."),
    REAL("pixel-nm", pixel_nm, "nm", 1e-6, 1e6, "Movie",
         "Size of a pixel, where the movie does not say it."),
    REAL("frame-s", frame_s, "s", 1e-9, 1e9, "Movie",
         "Time between frames, where the movie does not say it."),
    WHOLE("first-frame", first_frame, "0", 0, INFINITY, "Movie",
          "First frame to measure, counted from 0; times count from frame 0."),
    WHOLE("last-frame", last_frame, NULL, 0, INFINITY, "Movie",
          "Last frame to measure; the last of the movie where it is not given."),
    WHOLE("channel", channel, "0", 0, 64, "Movie",
          "Which of several channels, from 1; 0 is the only one."),
    CHOICE("preset", preset, "auto", "auto|kim", "Finding",
           "auto: chosen from the movie. kim: the published chain (Gaussian 1 px, relative "
           "adaptive threshold, sizes from counted pixels)."),
    CHOICE("denoise", denoise, NULL, "none|gaussian|median|perona-malik|nl-means", "Finding",
           "Smoothing, to find particles only: sizes come from the raw pixels. Gaussian where "
           "it is not given."),
    REAL("smooth-px", smooth_px, "px", 0.1, 50, "Finding",
         "S.d. of the Gaussian, or radius of the median; chosen from the movie where it is not "
         "given."),
    WHOLE("average-frames", average_frames, "1", 1, 999, "Finding",
          "Average so many frames around each one first (odd), to find only; also the window of "
          "nl-means."),
    CHOICE("threshold", threshold, NULL, "sigma|relative", "Finding",
           "sigma: so many standard deviations of the background around; relative: a share of "
           "the local mean (Bradley-Roth). sigma where it is not given."),
    REAL("window-px", window_px, "px", 3, 1e5, "Finding",
         "Side of the window of the local mean; it must exceed 2-3 particle diameters."),
    REAL("height", c, "s.d.", 0.5, 100, "Finding",
         "sigma: how far a particle must stand out of the smoothed background to be tried. Spots: "
         "least significance of the fit, in place of --false-per-frame."),
    REAL("false-per-frame", false_per_frame, NULL, 1e-6, 1e4, "Finding",
         "sigma: height and least significance follow from so many false particles in a frame of "
         "noise. Where it is not given: disks 2.5 % of the particles; spots 1 %, 0.1 at least."),
    {.name = "rehearsal",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, rehearsal),
     .value = "STACK",
     .group = "Finding",
     .doc = "Spots: images of a known scene that tell of false spots and errors, as `reconstruct` "
            "writes. Without it NAME.rehearsal.tif beside NAME.tif, if it is there; none: do "
            "without."},
    REAL("relative", t, NULL, 0, 1, "Finding",
         "relative: a pixel joins where it lies this share off the local mean; 0.15 where it is "
         "not given."),
    REAL("offset-counts", offset_counts, "counts", -1e6, 1e6, "Finding",
         "relative: the camera's offset, taken off first."),
    REAL("min-area-px", min_area_px, "px", 0, 1e6, "Finding", "Smaller pieces are dropped."),
    REAL("min-contrast", min_contrast, "s.d.", 0, 1e3, "Finding",
         "Disks of less evidence are dropped: mean of the height and of the significance of the "
         "fit (relative: of the fit alone)."),
    SWITCH("split", split, "true", "Finding",
           "Divide touching particles: watershed, and joint fits of two disks."),
    CHOICE("filter", filter, "log", "log|dog", "Finding",
           "Spots: Laplacian of a Gaussian, or difference of two."),
    SWITCH("fit", fit, "true", "Measuring",
           "Fit a blurred disk to the raw pixels; without it sizes are counted pixels. Spots: fit "
           "Gaussians by maximum likelihood; without it the filter alone tells place and light "
           "(fast)."),
    CHOICE("width", width, "shared", "shared|free", "Measuring",
           "Spots: all have one width, or each its own (edge_nm)."),
    REAL("gain", gain, "counts/e", 0, 1e6, "Measuring",
         "Spots: counts per photoelectron, for the noise; estimated where it is not given, and "
         "without effect where there are images of a known scene."),
    {.name = "flux-from",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, flux_from),
     .value = "STACK",
     .group = "Measuring",
     .doc = "Spots: take intensities from this stack of the same field, as wide-field frames; a "
            "multiple of the frames is averaged. Pixels may differ in size."},
    {.name = "flux-pixel-nm",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, flux_pixel_nm),
     .unit = "nm",
     .min = 1e-6,
     .max = 1e6,
     .group = "Measuring",
     .doc = "Size of its pixels, where the stack does not say it."},
    REAL("flux-blur-px", flux_blur_px, "px", 0, 20, "Measuring",
         "S.d. of its blur, in its pixels; estimated where it is not given."),
    {.name = "raw-from",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, raw_from),
     .value = "STACK",
     .group = "Measuring",
     .doc = "Spots: find and measure them in these raw frames of structured illumination, of which "
            "the movie was reconstructed: each photon with its own law, closer pairs told apart. "
            "`none`: not (for `nucgrow run`)."},
    {.name = "pattern",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, pattern),
     .value = "FILE",
     .group = "Measuring",
     .doc =
         "The stripes of these frames, from `nucgrow reconstruct`; sr.pattern.json beside sr.tif "
         "where it is not given."},
    REAL("blur-px", blur_px, "px", 0, 20, "Measuring",
         "S.d. of the optical blur; estimated from the movie where it is not given."),
    SWITCH("drift", drift, NULL, "Measuring",
           "Take out the drift that phase correlation of successive frames finds (x_nm, y_nm; the "
           "raw positions stay beside them)."),
    PATH("mask-out", mask_out, "Write the label stack, a TIFF: page i is frame i."),
    WHOLE("preview", preview, NULL, 1, 400, "Output",
          "Write one PNG with so many frames spread over the movie, outlines drawn on them."),
    PATH("preview-out", preview_out, "Where the PNG goes; beside -o where it is not given."),
    PATH("result", result, "Where choices and counts are written (detect.json)."),
};

/* ---- what is asked ----------------------------------------------------------------------- */

static double given(double value, double otherwise)
{
    return isnan(value) ? otherwise : value;
}

static ng_denoise denoise_named(const char *name)
{
    static const char *const names[] = {"none", "gaussian", "median", "perona-malik", "nl-means"};
    size_t i = 0;
    while (i < NG_DENOISE_NL_MEANS && strcmp(names[i], name) != 0) {
        i++;
    }
    return (ng_denoise)i;
}

static void take_numbers(const ng_detect_options *from, ng_detect_options *to)
{
    to->pixel_nm = from->pixel_nm;
    to->frame_s = from->frame_s;
    to->smooth_px = given(from->smooth_px, to->smooth_px);
    to->window_px = given(from->window_px, to->window_px);
    to->t = given(from->t, to->t);
    to->offset_counts = given(from->offset_counts, to->offset_counts);
    to->c = given(from->c, to->c);
    to->false_per_frame = given(from->false_per_frame, to->false_per_frame);
    to->min_area_px = given(from->min_area_px, to->min_area_px);
    to->min_contrast = given(from->min_contrast, to->min_contrast);
    to->blur_px = given(from->blur_px, to->blur_px);
    to->gain = given(from->gain, to->gain);
    to->flux_blur_px = given(from->flux_blur_px, to->flux_blur_px);
}

static ng_status understand(const ng_cli *cli, const options *o, ng_detect_options *d,
                            ng_error *err)
{
    *d = ng_detect_defaults();
    ng_status status = ng_detect_preset(o->preset, d, err);
    if (status != NG_OK) {
        return status;
    }
    take_numbers(&o->detect, d);
    d->kind = strcmp(o->kind, "spot") == 0 ? NG_DETECT_SPOT : NG_DETECT_DISK;
    d->polarity = d->kind == NG_DETECT_SPOT ? NG_BRIGHT : NG_DARK;
    if (o->polarity != NULL) {
        d->polarity = strcmp(o->polarity, "bright") == 0 ? NG_BRIGHT : NG_DARK;
    }
    d->filter = strcmp(o->filter, "dog") == 0 ? NG_BLOB_DOG : NG_BLOB_LOG;
    d->free_width = strcmp(o->width, "free") == 0;
    d->first = (size_t)o->first_frame;
    d->last = o->last_frame == LONG_MIN ? SIZE_MAX : (size_t)o->last_frame;
    d->average_frames = o->average_frames;
    d->split = o->split;
    d->drift = o->drift;
    d->denoise = o->denoise != NULL ? denoise_named(o->denoise) : d->denoise;
    if (o->threshold != NULL) {
        d->form =
            strcmp(o->threshold, "relative") == 0 ? NG_THRESHOLD_RELATIVE : NG_THRESHOLD_SIGMA;
    }
    if (ng_options_origin(cli->options, "fit") != NG_ORIGIN_DEFAULT) {
        d->fit = o->fit;
    }
    return NG_OK;
}

/* ---- what is written --------------------------------------------------------------------- */

typedef struct outputs {
    ng_particles_writer *table;
    ng_stack *mask;
    float *page; /* of the mask */
    ng_preview *preview;
    char *preview_path; /* owned */
    double pixel_nm;
} outputs;

static void outputs_abandon(outputs *out)
{
    ng_particles_writer_abandon(out->table);
    ng_stack_abandon(out->mask);
    ng_preview_destroy(out->preview);
    ng_free(out->page);
    ng_free(out->preview_path);
    *out = (outputs){.table = NULL};
}

/* particles.csv -> particles-preview.png */
static ng_status name_preview(const ng_cli *cli, const options *o, outputs *out, ng_error *err)
{
    const char *output = cli->common.output, *dot = strrchr(output, '.');
    const char *slash = strrchr(output, '/');
    if (o->preview_out != NULL) {
        out->preview_path = ng_text_copy(o->preview_out);
    } else if (strcmp(output, "-") == 0) {
        return NG_FAIL(err, NG_USAGE, "--preview: say with --preview-out where the PNG goes");
    } else {
        const bool ends = dot != NULL && (slash == NULL || dot > slash);
        out->preview_path = ng_text_format(
            "%.*s-preview.png", ends ? (int)(dot - output) : (int)strlen(output), output);
    }
    return out->preview_path != NULL ? ng_output_check(out->preview_path, cli->common.force, err)
                                     : NG_FAIL(err, NG_MEMORY, "out of memory");
}

static ng_status open_mask(const ng_cli *cli, const options *o, const ng_movie_info *info,
                           const ng_detect_choices *c, outputs *out, ng_error *err)
{
    const ng_stack_format format = {
        .width = info->width,
        .height = info->height,
        .frames = c->options.last - c->options.first + 1,
        .sample = info->width * info->height > 600000 ? NG_SAMPLE_UINT32 : NG_SAMPLE_UINT16,
        .pixel_nm = c->options.pixel_nm,
        .frame_s = c->options.frame_s};
    out->page = NG_NEW(float, info->width * info->height);
    if (out->page == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the mask");
    }
    return ng_stack_create(o->mask_out, &format, cli->common.force, &out->mask, err);
}

static ng_status open_table(const ng_cli *cli, const ng_detect_choices *c, outputs *out,
                            ng_error *err)
{
    const ng_detect_options *o = &c->options;
    const char *side = o->polarity == NG_DARK ? "dark" : "bright";
    char *comment =
        o->kind == NG_DETECT_SPOT
            ? ng_text_format("nucgrow %s detect: %s, spot, %s, pixel %.10g nm, frame %.10g s, blur "
                             "%.4g px, height %.4g s.d.",
                             ng_version(), cli->file[0], side, o->pixel_nm, o->frame_s, o->blur_px,
                             o->c)
            : ng_text_format("nucgrow %s detect: %s, disk, %s, pixel %.10g nm, frame %.10g s, blur "
                             "%.4g px, smoothing %.4g px, window %.4g px, height %.4g s.d.",
                             ng_version(), cli->file[0], side, o->pixel_nm, o->frame_s, o->blur_px,
                             o->smooth_px, o->window_px, o->c);
    if (comment == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    ng_status status = ng_particles_writer_open(cli->common.output, comment, false,
                                                cli->common.force, &out->table, err);
    ng_free(comment);
    return status;
}

static ng_status open_outputs(const ng_cli *cli, const options *o, const ng_movie_info *info,
                              const ng_detect_choices *c, outputs *out, ng_error *err)
{
    const size_t tiles = o->preview == LONG_MIN ? 0 : (size_t)o->preview;
    ng_status status = NG_OK;
    out->pixel_nm = c->options.pixel_nm;
    if (o->result != NULL) {
        status = ng_output_check(o->result, cli->common.force, err);
    }
    if (status == NG_OK && tiles > 0) {
        status = name_preview(cli, o, out, err);
    }
    if (status == NG_OK && tiles > 0) {
        status = ng_preview_create(info->width, info->height, c->options.first, c->options.last,
                                   tiles, &out->preview, err);
    }
    if (status == NG_OK && o->mask_out != NULL) {
        status = open_mask(cli, o, info, c, out, err);
    }
    return status == NG_OK ? open_table(cli, c, out, err) : status;
}

static ng_status take_frame(void *context, const ng_detect_frame *frame, ng_error *err)
{
    outputs *out = context;
    ng_status status = ng_particles_writer_add(out->table, frame->particle, frame->n, err);
    if (out->preview != NULL) {
        ng_preview_add(out->preview, frame, out->pixel_nm);
    }
    if (status == NG_OK && out->mask != NULL) {
        for (size_t i = 0; i < frame->width * frame->height; i++) {
            out->page[i] = (float)frame->label[i];
        }
        status = ng_stack_write(out->mask, out->page, err);
    }
    return status;
}

/* A movie that breaks off leaves what was measured before. */
static ng_status commit_outputs(const ng_cli *cli, outputs *out, bool complete, ng_error *err)
{
    ng_particles_writer *particles = out->table;
    ng_stack *mask = out->mask;
    out->table = NULL;
    ng_status status = ng_particles_writer_commit(particles, err);
    if (mask != NULL && status == NG_OK) {
        out->mask = NULL;
        status = complete ? ng_stack_commit(mask, err) : ng_stack_commit_part(mask, err);
    }
    if (status == NG_OK && out->preview != NULL) {
        status = ng_preview_write(out->preview, out->preview_path, cli->common.force, err);
    }
    return status;
}

/* ---- the result -------------------------------------------------------------------------- */

static json_t *noise_json(const ng_pixel_noise *n)
{
    json_t *j = json_object();
    json_object_set_new(j, "level", ng_json_real(n->level));
    json_object_set_new(j, "gain", ng_json_real(n->gain));
    json_object_set_new(j, "background", ng_json_real(n->background));
    json_object_set_new(j, "grain_px", ng_json_real(n->grain_px));
    return j;
}

static json_t *factor_json(const ng_spot_factor *f)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "dimmest", ng_json_real(f->dimmest), "power",
                     ng_json_real(f->power), "least", ng_json_real(f->least), "most",
                     ng_json_real(f->most));
}

static json_t *spot_choices_json(const ng_detect_choices *c)
{
    const ng_detect_options *o = &c->options;
    const ng_spot_choices *s = &c->spot;
    json_t *j =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:b}", "kind", "spot", "polarity",
                  o->polarity == NG_DARK ? "dark" : "bright", "first_frame", (json_int_t)o->first,
                  "last_frame", (json_int_t)o->last, "average_frames",
                  (json_int_t)o->average_frames, "filter", o->filter == NG_BLOB_DOG ? "dog" : "log",
                  "width", o->free_width ? "free" : "shared", "fit", o->fit, "drift", o->drift);
    json_object_set_new(j, "height", ng_json_real(o->c));
    if (s->raw_frames > 0) {
        json_object_set_new(j, "false_per_frame", ng_json_real(o->false_per_frame));
        json_object_set_new(j, "raw",
                            json_pack("{s:I, s:o}", "frames_each", (json_int_t)s->raw_frames,
                                      "background", ng_json_real(c->background)));
        return j;
    }
    json_object_set_new(j, "candidate_height", ng_json_real(s->candidate));
    json_object_set_new(j, "false_per_frame", ng_json_real(o->false_per_frame));
    json_object_set_new(j, "blur_px", ng_json_real(o->blur_px));
    json_object_set_new(j, "blur_se_px", ng_json_real(c->blur_se_px));
    json_object_set_new(j, "noise_model", noise_json(&s->noise));
    json_object_set_new(j, "rehearsed", json_boolean(o->rehearsal != NULL));
    if (o->rehearsal != NULL) {
        json_object_set_new(j, "light_factor", factor_json(&s->light));
        json_object_set_new(j, "place_factor", factor_json(&s->place));
    }
    if (o->flux != NULL) {
        json_t *flux = json_pack("{s:I, s:o}", "frames_averaged", (json_int_t)s->flux_frames,
                                 "noise_model", noise_json(&s->flux_noise));
        json_object_set_new(flux, "pixel_nm", ng_json_real(s->flux_pixel_nm));
        json_object_set_new(flux, "spot_width_px", ng_json_real(s->flux_width_px));
        json_object_set_new(j, "flux", flux);
    }
    return j;
}

static json_t *choices_json(const ng_detect_choices *c)
{
    if (c->options.kind == NG_DETECT_SPOT) {
        return spot_choices_json(c);
    }
    static const char *const denoise[] = {"none", "gaussian", "median", "perona-malik", "nl-means"};
    const ng_detect_options *o = &c->options;
    const bool sigma = o->form == NG_THRESHOLD_SIGMA;
    json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I}", "kind", "disk", "polarity",
                          o->polarity == NG_DARK ? "dark" : "bright", "first_frame",
                          (json_int_t)o->first, "last_frame", (json_int_t)o->last, "denoise",
                          denoise[o->denoise], "average_frames", (json_int_t)o->average_frames);
    json_object_set_new(j, "smooth_px", ng_json_real(o->smooth_px));
    json_object_set_new(j, "threshold", json_string(sigma ? "sigma" : "relative"));
    json_object_set_new(j, "window_px", ng_json_real(o->window_px));
    if (sigma) {
        json_object_set_new(j, "height", ng_json_real(o->c));
        json_object_set_new(j, "level", ng_json_real(c->level));
        json_object_set_new(j, "false_per_frame", ng_json_real(o->false_per_frame));
    } else {
        json_object_set_new(j, "relative", ng_json_real(o->t));
        json_object_set_new(j, "offset_counts", ng_json_real(o->offset_counts));
    }
    json_object_set_new(j, "min_area_px", ng_json_real(o->min_area_px));
    json_object_set_new(j, "min_contrast", ng_json_real(o->min_contrast));
    json_object_set_new(j, "split", json_boolean(o->split));
    json_object_set_new(j, "fit", json_boolean(o->fit));
    json_object_set_new(j, "blur_px", ng_json_real(o->blur_px));
    json_object_set_new(j, "blur_se_px", ng_json_real(c->blur_se_px));
    json_object_set_new(j, "drift", json_boolean(o->drift));
    return j;
}

static json_t *result_json(const ng_movie_info *info, const ng_detect_choices *c,
                           const ng_detect_summary *s)
{
    json_t *movie =
        json_pack("{s:s, s:I, s:I, s:I}", "format", info->format, "width", (json_int_t)info->width,
                  "height", (json_int_t)info->height, "frames", (json_int_t)info->frames);
    json_object_set_new(movie, "pixel_nm", ng_json_real(c->options.pixel_nm));
    json_object_set_new(movie, "frame_s", ng_json_real(c->options.frame_s));
    json_t *pilot =
        json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "frames", (json_int_t)c->pilot_frames,
                  "particles", (json_int_t)c->pilot_particles, "noise", ng_json_real(c->noise),
                  "noise_correlation", ng_json_real(c->noise_correlation), "background",
                  ng_json_real(c->background), "contrast", ng_json_real(c->contrast));
    if (c->options.kind == NG_DETECT_DISK) {
        json_object_set_new(pilot, "radius_px", ng_json_reals(c->radius_px, 3));
    }
    json_t *counts =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "frames", (json_int_t)s->frames,
                  "particles", (json_int_t)s->particles, "edge", (json_int_t)s->edge, "crowded",
                  (json_int_t)s->crowded, "no_fit", (json_int_t)s->no_fit, "saturated",
                  (json_int_t)s->saturated, "split", (json_int_t)s->split, "joint",
                  (json_int_t)s->joint, "mended_pixels", (json_int_t)s->mended_pixels);
    json_t *result =
        json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "movie", movie, "choices", choices_json(c),
                  "pilot", pilot, "counts", counts, "complete",
                  s->frames == c->options.last - c->options.first + 1, "trusted", s->particles > 0);
    if (c->options.kind == NG_DETECT_SPOT) {
        json_object_set_new(result, "mean_intensity", ng_json_real(s->mean_intensity));
    } else {
        json_object_set_new(result, "mean_radius_nm", ng_json_real(s->mean_radius_nm));
        json_object_set_new(result, "radius_se_nm", ng_json_real(s->radius_se_nm));
    }
    return result;
}

static ng_status write_result(ng_cli *cli, const char *path, ng_error *err)
{
    if (path == NULL) {
        return NG_OK;
    }
    json_t *stamped = ng_cli_stamp(cli, SCHEMA, json_incref(cli->result));
    if (stamped == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %s", path);
    }
    ng_status status = ng_json_write(stamped, path, cli->common.force, err);
    json_decref(stamped);
    return status;
}

/* ---- for people -------------------------------------------------------------------------- */

/* "(chosen)" behind what the user left open. */
static const char *by_whom(const ng_cli *cli, const char *flag)
{
    return ng_options_origin(cli->options, flag) == NG_ORIGIN_DEFAULT ? " (chosen)" : "";
}

static void print_raw_choices(const ng_cli *cli, const ng_detect_choices *c)
{
    const ng_detect_options *o = &c->options;
    ng_cli_print(cli, "method       maximum likelihood in %zu raw frames a frame, stripes known\n",
                 c->spot.raw_frames);
    ng_cli_print(cli, "background   %.4g counts on a raw pixel\n", c->background);
    ng_cli_print(cli, "threshold    %.2f s.d.%s: %.2g false spots a frame%s\n", o->c,
                 by_whom(cli, "height"), o->false_per_frame, by_whom(cli, "false-per-frame"));
}

static void print_spot_choices(const ng_cli *cli, const ng_detect_choices *c, const char *rehearsal)
{
    const ng_detect_options *o = &c->options;
    const ng_spot_choices *s = &c->spot;
    if (s->raw_frames > 0) {
        print_raw_choices(cli, c);
        return;
    }
    if (rehearsal != NULL) {
        ng_cli_print(cli, "rehearsed    on %s\n", rehearsal);
    }
    ng_cli_print(cli, "noise        %.4g counts per pixel on a background of %.4g", c->noise,
                 c->background);
    if (s->noise.gain > 0.0) {
        ng_cli_print(cli, ", growing by %.3g counts per count of light%s", s->noise.gain,
                     by_whom(cli, "gain"));
    }
    ng_cli_print(cli, "\nwidth        s.d. %.3f px: blur %.3f px%s", s->width_px, o->blur_px,
                 by_whom(cli, "blur-px"));
    if (s->width_se_px > 0.0) {
        ng_cli_print(cli, " +- %.3f px", c->blur_se_px);
    }
    ng_cli_print(cli, "%s\n", o->free_width ? ", each spot its own" : "");
    ng_cli_print(cli, "threshold    %.2f s.d.%s: %.2g false spots a frame%s\n", o->c,
                 by_whom(cli, "height"), o->false_per_frame, by_whom(cli, "false-per-frame"));
    ng_cli_print(cli, "method       %s of s.d. %.2f px, %s\n",
                 o->filter == NG_BLOB_DOG ? "difference of Gaussians" : "Laplacian of a Gaussian",
                 1.2 * s->width_px, o->fit ? "then maximum likelihood" : "quadratic peaks (fast)");
    if (o->flux != NULL) {
        ng_cli_print(cli,
                     "intensities  from the other stack: %.4g nm pixels, spots of s.d. %.3f px",
                     s->flux_pixel_nm, s->flux_width_px);
        if (s->flux_frames > 1) {
            ng_cli_print(cli, ", %zu frames averaged", s->flux_frames);
        }
        ng_cli_print(cli, "\n");
    }
}

static void print_choices(const ng_cli *cli, const ng_detect_choices *c, const char *rehearsal)
{
    if (c->options.kind == NG_DETECT_SPOT) {
        print_spot_choices(cli, c, rehearsal);
        return;
    }
    static const char *const denoise[] = {"none", "Gaussian", "median", "Perona-Malik",
                                          "non-local means"};
    const ng_detect_options *o = &c->options;
    ng_cli_print(cli,
                 "noise        %.4g counts per pixel on a background of %.4g, correlation %.2f\n",
                 c->noise, c->background, c->noise_correlation);
    ng_cli_print(cli, "smoothing    %s", denoise[o->denoise]);
    if (o->denoise == NG_DENOISE_GAUSSIAN || o->denoise == NG_DENOISE_MEDIAN) {
        ng_cli_print(cli, " %.2f px%s", o->smooth_px, by_whom(cli, "smooth-px"));
    }
    ng_cli_print(cli, ", to find only\nwindow       %.0f px%s\n", o->window_px,
                 by_whom(cli, "window-px"));
    if (o->form == NG_THRESHOLD_RELATIVE) {
        ng_cli_print(cli, "threshold    %.3g of the local mean\n", o->t);
    } else {
        ng_cli_print(cli,
                     "threshold    %.2f s.d. of the background%s: %.2g false particles a frame\n",
                     o->c, by_whom(cli, "height"), o->false_per_frame);
    }
    if (o->fit) {
        ng_cli_print(cli, "blur         %.3f px%s", o->blur_px, by_whom(cli, "blur-px"));
        if (c->blur_se_px > 0.0) {
            ng_cli_print(cli, " +- %.3f px", c->blur_se_px);
        }
        ng_cli_print(cli, "\n");
    }
    if (c->pilot_particles > 0) {
        ng_cli_print(cli, "particles    radius %.2f px (%.2f to %.2f), contrast %.4g counts\n",
                     c->radius_px[1], c->radius_px[0], c->radius_px[2], c->contrast);
    }
}

static void print_summary(const ng_cli *cli, const ng_detect_summary *s)
{
    const double each = s->frames > 0 ? (double)s->particles / (double)s->frames : 0.0;
    ng_cli_print(cli, "found        %zu particles in %zu frames (%.1f a frame)\n", s->particles,
                 s->frames, each);
    if (s->particles > 0 && isnan(s->mean_radius_nm)) {
        ng_cli_print(cli, "             mean intensity %.4g counts\n", s->mean_intensity);
    } else if (s->particles > 0) {
        ng_cli_print(cli, "             mean radius %.4g nm", s->mean_radius_nm);
        if (!isnan(s->radius_se_nm)) {
            ng_cli_print(cli, ", standard error of one %.2g nm", s->radius_se_nm);
        }
        ng_cli_print(cli, "\n");
    }
    ng_cli_print(cli,
                 "flagged      %zu at the edge, %zu crowded, %zu fitted together, %zu not fitted, "
                 "%zu split, %zu saturated",
                 s->edge, s->crowded, s->joint, s->no_fit, s->split, s->saturated);
    ng_cli_print(cli, s->bad_pixel > 0 ? ", %zu on a bad pixel\n" : "\n", s->bad_pixel);
}

static void print_files(const ng_cli *cli, const options *o, const outputs *out)
{
    ng_cli_print(cli, "written: %s\n", cli->common.output);
    if (o->mask_out != NULL) {
        ng_cli_print(cli, "written: %s\n", o->mask_out);
    }
    if (out->preview_path != NULL) {
        ng_cli_print(cli, "written: %s\n", out->preview_path);
    }
    if (o->result != NULL) {
        ng_cli_print(cli, "written: %s\n", o->result);
    }
}

/* ---- the verb ---------------------------------------------------------------------------- */

/* Write what there is, and say what is missing. */
static ng_status finish(ng_cli *cli, const options *o, const ng_movie_info *info,
                        const ng_detect_choices *c, const ng_detect_summary *s, outputs *out,
                        ng_error *broken)
{
    const bool complete = broken->status == NG_OK;
    ng_error failure = {.status = NG_OK};
    ng_status status = commit_outputs(cli, out, complete, &failure);
    if (status == NG_OK) {
        cli->result = result_json(info, c, s);
        if (s->particles == 0) {
            ng_warnings_add(&cli->warnings, "nothing-found", "no particle was found");
        }
        status = write_result(cli, o->result, &failure);
    }
    if (status != NG_OK) {
        *broken = failure;
        return status;
    }
    print_summary(cli, s);
    print_files(cli, o, out);
    if (!complete) {
        const ng_error why = *broken;
        return NG_FAIL(broken, why.status, "%s; the %zu frames before it are kept in %s%s%s",
                       why.message, s->frames, cli->common.output,
                       o->mask_out != NULL ? " and " : "", o->mask_out != NULL ? o->mask_out : "");
    }
    return NG_OK;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static ng_status measure(ng_cli *cli, const options *o, ng_movie *movie, const ng_detect_choices *c,
                         const char *rehearsal, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(movie);
    outputs out = {.table = NULL};
    ng_detect_summary summary = {.frames = 0};
    ng_status status = open_outputs(cli, o, info, c, &out, err);
    if (status == NG_OK) {
        print_choices(cli, c, rehearsal);
        ng_error broken = {.status = NG_OK};
        status = ng_detect_movie(movie, c, take_frame, &out, &cli->run, &summary, &cli->warnings,
                                 &broken);
        const bool input = status == NG_FORMAT || status == NG_IO;
        if (status == NG_OK || (input && summary.frames > 0)) {
            status = finish(cli, o, info, c, &summary, &out, &broken);
        }
        *err = status != NG_OK ? broken : *err;
    }
    outputs_abandon(&out);
    return status;
}

static ng_status open_flux(ng_cli *cli, const options *o, ng_detect_options *detect, ng_error *err)
{
    ng_movie_read_options how = ng_movie_read_defaults();
    if (o->flux_from == NULL) {
        return NG_OK;
    }
    if (detect->kind != NG_DETECT_SPOT) {
        return NG_FAIL(err, NG_USAGE, "--flux-from is for spots: pass --kind spot");
    }
    how.pixel_nm = o->flux_pixel_nm;
    how.frame_s = 1.0; /* its frames go with those of the movie, whatever it says */
    ng_status status =
        is_folder(o->flux_from) ? NG_OK : ng_provenance_input(cli->provenance, o->flux_from, err);
    return status == NG_OK ? ng_movie_open(o->flux_from, &how, &detect->flux, NULL, err) : status;
}

/* The one that is named, or that lies beside the movie; NULL: none. Owned. */
static ng_status name_rehearsal(const ng_cli *cli, const options *o,
                                const ng_detect_options *detect, char **path, ng_error *err)
{
    const bool none = o->rehearsal != NULL && strcmp(o->rehearsal, "none") == 0;
    *path = NULL;
    if (none || (o->rehearsal == NULL && detect->kind != NG_DETECT_SPOT)) {
        return NG_OK;
    }
    if (detect->kind != NG_DETECT_SPOT) {
        return NG_FAIL(err, NG_USAGE, "--rehearsal is for spots: pass --kind spot");
    }
    *path = o->rehearsal != NULL ? ng_text_copy(o->rehearsal)
                                 : ng_cli_beside(cli->file[0], NG_CLI_REHEARSAL);
    if (*path == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    if (o->rehearsal == NULL && access(*path, R_OK) != 0) {
        ng_free(*path);
        *path = NULL;
    }
    return NG_OK;
}

static ng_status open_rehearsal(ng_cli *cli, const options *o, ng_detect_options *detect,
                                char **path, ng_error *err)
{
    ng_movie_read_options how = ng_movie_read_defaults();
    how.frame_s = 1.0;
    ng_status status = name_rehearsal(cli, o, detect, path, err);
    if (status != NG_OK || *path == NULL) {
        return status;
    }
    status = ng_provenance_input(cli->provenance, *path, err);
    return status == NG_OK ? ng_movie_open(*path, &how, &detect->rehearsal, NULL, err) : status;
}

/* What raw frames need: owned. */
typedef struct raw_source {
    ng_sim_pattern pattern;
    ng_sim_otf_table otf;
    double *background;
} raw_source;

static char *pattern_path(const ng_cli *cli, const options *o)
{
    const char *movie = cli->file[0], *end = strrchr(movie, '.');
    return o->pattern != NULL
               ? ng_text_copy(o->pattern)
               : ng_text_format("%.*s.pattern.json", (int)(end != NULL ? end - movie : 0), movie);
}

static ng_status open_raw(ng_cli *cli, const options *o, ng_detect_options *detect,
                          raw_source *source, ng_error *err)
{
    ng_movie_read_options how = ng_movie_read_defaults();
    if (o->raw_from == NULL || strcmp(o->raw_from, "none") == 0) {
        return NG_OK;
    }
    if (detect->kind != NG_DETECT_SPOT || detect->flux != NULL) {
        return NG_FAIL(err, NG_USAGE, "--raw-from is for spots, and not together with --flux-from");
    }
    char *path = pattern_path(cli, o);
    ng_status status = path != NULL ? ng_sim_pattern_read(path, &source->pattern, err)
                                    : NG_FAIL(err, NG_MEMORY, "no memory for a path");
    if (status == NG_OK) {
        status = ng_sim_backgrounds_read(path, &source->background, &detect->n_raw_background, err);
    }
    status = status == NG_OK ? ng_sim_pattern_read_otf(path, &source->otf, err) : status;
    source->pattern.optics.measured = source->otf.n > 0 ? &source->otf : NULL;
    status = status == NG_OK ? ng_provenance_input(cli->provenance, path, err) : status;
    ng_free(path);
    detect->pattern = &source->pattern;
    detect->raw_background = source->background;
    how.pixel_nm = source->pattern.optics.pixel_nm;
    how.frame_s = 1.0; /* its frames go with those of the movie, whatever it says */
    if (status == NG_OK && !is_folder(o->raw_from)) {
        status = ng_provenance_input(cli->provenance, o->raw_from, err);
    }
    return status == NG_OK ? ng_movie_open(o->raw_from, &how, &detect->raw, NULL, err) : status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_detect_options detect = {.flux = NULL};
    ng_detect_choices choices;
    ng_movie_read_options how = ng_movie_read_defaults();
    ng_movie *movie = NULL;
    char *rehearsal = NULL;
    ng_status status = understand(cli, o, &detect, err);
    if (status == NG_OK && !is_folder(cli->file[0])) {
        status = ng_cli_inputs(cli, err);
    }
    if (status == NG_OK) {
        how.pixel_nm = detect.pixel_nm;
        how.frame_s = detect.frame_s;
        how.channel = o->channel;
        status = ng_movie_open(cli->file[0], &how, &movie, &cli->warnings, err);
    }
    if (status == NG_OK) {
        status = open_flux(cli, o, &detect, err);
    }
    raw_source source = {.background = NULL};
    if (status == NG_OK) {
        status = open_raw(cli, o, &detect, &source, err);
    }
    if (status == NG_OK) {
        status = open_rehearsal(cli, o, &detect, &rehearsal, err);
    }
    if (status == NG_OK) {
        status = ng_detect_choose(movie, &detect, &choices, &cli->warnings, err);
    }
    if (status == NG_OK) {
        status = measure(cli, o, movie, &choices, rehearsal, err);
    }
    ng_movie_close(movie);
    ng_movie_close(detect.flux);
    ng_movie_close(detect.rehearsal);
    ng_free(rehearsal);
    ng_movie_close(detect.raw);
    ng_sim_otf_table_free(&source.otf);
    ng_free(source.background);
    return status;
}

const ng_command ng_command_detect = {
    .name = "detect",
    .group = "Measure",
    .summary = "particles in the frames of a movie: position, radius, shape",
    .description =
        "Finds particles (an adaptive threshold on smoothed frames, connected pixels, touching "
        "ones divided) and fits a blurred disk to the raw pixels of each: position, radius and "
        "contrast below the size of a pixel, each with its standard error. What is not given is "
        "chosen from the movie, and said.\n\n"
        "--kind spot finds bright points in fluorescence: peaks behind a Laplacian of a Gaussian, "
        "Gaussians fitted by maximum likelihood, overlapping ones together; position, integrated "
        "intensity and local background, each with its standard error. One number sets the "
        "threshold: --false-per-frame.\n\n"
        "The table goes to `nucgrow track`. Look at the result with --preview.\n\n"
        "When a frame in the middle of the movie cannot be read, what was measured before it is "
        "kept, mask and preview as well, and the exit code is 3. Exit code 4: nothing was found.",
    .usage = "MOVIE -o particles.csv [options]",
    .examples = "nucgrow detect movie.tif -o particles.csv --pixel-nm 0.53 --frame-s 1\n"
                "# fluorescent spots; positions from one stack, intensities from another\n"
                "nucgrow detect sr.tif -o particles.csv --kind spot --flux-from widefield.tif\n"
                "# in the raw frames of structured illumination that sr.tif was made of\n"
                "nucgrow detect sr.tif -o particles.csv --kind spot --raw-from raw.tif\n"
                "# look at ten frames\n"
                "nucgrow detect movie.tif -o particles.csv --preview 10\n"
                "# the published chain\n"
                "nucgrow detect movie.tif -o particles.csv --preset kim --mask-out mask.tif\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_FILE,
    .schema = SCHEMA,
    .run = run,
};
