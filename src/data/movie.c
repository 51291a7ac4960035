/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DEFAULT_MAX_PIXELS ((size_t)1 << 30)
#define HEAD_BYTES 256
/* No lens shows more to a pixel of a camera; dots of a printer are this large. */
#define COARSEST_PIXEL_NM 1e4

ng_movie_read_options ng_movie_read_defaults(void)
{
    return (ng_movie_read_options){.pixel_nm = (double)NAN,
                                   .frame_s = (double)NAN,
                                   .channel = 0,
                                   .max_pixels = DEFAULT_MAX_PIXELS};
}

/* ---- what readers say ---------------------------------------------------------------- */

static ng_status fail_frame(const char *path, size_t frame, ng_error *err, const char *reason)
{
    return NG_FAIL(err, NG_FORMAT, "%s: frame %zu (the first is 0): %s", path, frame, reason);
}

ng_status ng_movie_fail_frame(const ng_movie *movie, size_t frame, ng_error *err,
                              const char *reason, ...)
{
    char text[384];
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    return fail_frame(movie->path, frame, err, text);
}

void ng_movie_break(ng_movie *movie, size_t readable, const char *reason, ...)
{
    char text[384];
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    movie->info.readable = readable;
    (void)fail_frame(movie->path, readable, &movie->broken, text);
}

ng_status ng_movie_check_size(const ng_movie_opening *opening, uint64_t width, uint64_t height)
{
    const char *path = opening->movie->path;
    uint64_t limit = opening->options->max_pixels;
    if (width == 0 || height == 0) {
        return NG_FAIL(opening->err, NG_INVALID,
                       "%s: the frames have %llu x %llu pixels; the header is damaged", path,
                       (unsigned long long)width, (unsigned long long)height);
    }
    if (width > limit || height > limit / width) {
        return NG_FAIL(opening->err, NG_INVALID,
                       "%s: frames of %llu x %llu pixels are more than the %llu that are read; "
                       "the header is damaged, or the image must be cut",
                       path, (unsigned long long)width, (unsigned long long)height,
                       (unsigned long long)limit);
    }
    opening->movie->info.width = (size_t)width;
    opening->movie->info.height = (size_t)height;
    return NG_OK;
}

/* ---- channels, slices, times --------------------------------------------------------- */

static size_t axis_step(const ng_planes *planes, char axis)
{
    size_t step = 1;
    for (const char *a = planes->order; *a != '\0' && *a != axis; a++) {
        step *= *a == 'C' ? planes->channels : *a == 'Z' ? planes->slices : planes->times;
    }
    return step;
}

static ng_status choose_channel(const ng_movie_opening *opening, size_t channels, size_t *index,
                                ng_error *err)
{
    long wanted = opening->options->channel;
    const char *path = opening->movie->path;
    *index = wanted > 0 ? (size_t)wanted - 1 : 0;
    if (wanted == 0 && channels > 1) {
        return NG_FAIL(
            err, NG_INVALID,
            "%s: there are %zu channels (or colours); choose one with --channel 1 to %zu", path,
            channels, channels);
    }
    if (*index >= channels) {
        return NG_FAIL(err, NG_INVALID, "%s: --channel %ld is not there; the file has %zu", path,
                       wanted, channels);
    }
    return NG_OK;
}

ng_status ng_planes_walk(const ng_movie_opening *opening, const ng_planes *planes, size_t samples,
                         ng_plane_walk *out)
{
    ng_movie_info *info = &opening->movie->info;
    size_t channel = 0;
    *out = (ng_plane_walk){0};
    info->channels = planes->channels * samples;
    info->slices = planes->slices;
    if (planes->slices > 1 && planes->times > 1) {
        return NG_FAIL(opening->err, NG_INVALID,
                       "%s: there are %zu slices (Z) at each of %zu times, but a movie of one "
                       "plane is read; project it or take one slice (in ImageJ: Image > Stacks)",
                       opening->movie->path, planes->slices, planes->times);
    }
    ng_status status = choose_channel(opening, info->channels, &channel, opening->err);
    if (status != NG_OK) {
        return status;
    }
    bool slices_are_times = planes->slices > 1;
    if (slices_are_times) {
        ng_warnings_add(opening->warnings, "slices-as-times",
                        "%s: the %zu slices (Z) of a file with one time are taken for frames",
                        opening->movie->path, planes->slices);
    }
    out->sample = channel % samples;
    out->first = channel / samples * axis_step(planes, 'C');
    out->step = axis_step(planes, slices_are_times ? 'Z' : 'T');
    out->frames = slices_are_times ? planes->slices : planes->times;
    info->frames = out->frames;
    info->readable = out->frames;
    return NG_OK;
}

/* ---- opening ------------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path);
    size_t tail = strlen(ending);
    return n >= tail && strcasecmp(path + n - tail, ending) == 0;
}

/* Containers that show no magic number at a fixed place. */
static bool is_video_name(const char *path)
{
    return ends_in(path, ".avi") || ends_in(path, ".mp4") || ends_in(path, ".mov") ||
           ends_in(path, ".m4v") || ends_in(path, ".mkv") || ends_in(path, ".webm") ||
           ends_in(path, ".mpg") || ends_in(path, ".mpeg") || ends_in(path, ".wmv");
}

/* MRC files older than the mark "MAP " at byte 208. */
static bool is_mrc_name(const char *path)
{
    return ends_in(path, ".mrc") || ends_in(path, ".mrcs") || ends_in(path, ".st");
}

bool ng_movie_has_name(const char *path)
{
    return is_mrc_name(path) || is_video_name(path);
}

static ng_status open_unmarked(ng_movie_opening *opening, const char *name)
{
    const char *path = opening->movie->path;
    if (name == NULL && is_mrc_name(path)) {
        return ng_movie_open_mrc(opening);
    }
    if (name == NULL && opening->bytes.descriptor >= 0 && is_video_name(path)) {
        return ng_movie_open_video(opening);
    }
    return NG_FAIL(opening->err, NG_FORMAT,
                   "%s: %s%s; movies are read from TIFF, PNG, MRC, DM3, DM4, AVI, MP4, MOV and "
                   "folders of TIFF or PNG images",
                   path, name != NULL ? "this is " : "no movie that is known here",
                   name != NULL ? name : "");
}

static ng_status open_bytes(ng_movie_opening *opening)
{
    const char *name = NULL;
    char head[HEAD_BYTES];
    size_t length = ng_bytes_read(&opening->bytes, 0, head, sizeof head);
    ng_magic magic = ng_magic_find(head, length, &name);
    if (length == 0) {
        return NG_FAIL(opening->err, NG_TOO_LITTLE, "%s: the file is empty", opening->movie->path);
    }
    switch (magic) {
    case NG_MAGIC_TIFF:
        return ng_movie_open_tiff(opening);
    case NG_MAGIC_PNG:
        return ng_movie_open_png(opening);
    case NG_MAGIC_MRC:
        return ng_movie_open_mrc(opening);
    case NG_MAGIC_DM:
        return ng_movie_open_dm(opening);
    case NG_MAGIC_VIDEO:
        /* FFmpeg opens files by name. */
        return opening->bytes.descriptor >= 0 ? ng_movie_open_video(opening)
                                              : open_unmarked(opening, name);
    case NG_MAGIC_NONE:
    case NG_MAGIC_PICTURE:
    case NG_MAGIC_OTHER:
        break;
    }
    return open_unmarked(opening, name);
}

static ng_status open_path(ng_movie_opening *opening)
{
    struct stat info;
    const char *path = opening->movie->path;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return ng_movie_open_folder(opening);
    }
    ng_status status = ng_bytes_open(path, &opening->bytes, opening->err);
    return status == NG_OK ? open_bytes(opening) : status;
}

/* ---- calibration --------------------------------------------------------------------- */

static void apply(double given, double *value, bool *from_file, ng_warnings *warnings,
                  const char *path, const char *flag)
{
    *from_file = !isnan(*value);
    if (isnan(given)) {
        return;
    }
    /* Numbers in headers are rounded. */
    if (*from_file && fabs(given - *value) > 0.005 * given) {
        char name[32];
        snprintf(name, sizeof name, "%s-differs", flag);
        ng_warnings_add(warnings, name, "%s: --%s says %g, the file says %g; the flag is used",
                        path, flag, given, *value);
    }
    *value = given;
    *from_file = false;
}

/* Pictures that were never calibrated carry a resolution for printing, in dots an inch. */
static void drop_print_resolution(ng_movie_opening *opening, double *pixel_nm)
{
    if (*pixel_nm > COARSEST_PIXEL_NM) {
        ng_warnings_add(opening->warnings, "print-resolution",
                        "%s: its %g nm per pixel are a resolution for printing, not of a "
                        "microscope, and not taken",
                        opening->movie->path, *pixel_nm);
        *pixel_nm = (double)NAN;
    }
}

static void finish(ng_movie_opening *opening)
{
    ng_movie *m = opening->movie;
    ng_movie_info *info = &m->info;
    drop_print_resolution(opening, &info->pixel_nm);
    apply(opening->options->pixel_nm, &info->pixel_nm, &info->pixel_from_file, opening->warnings,
          m->path, "pixel-nm");
    apply(opening->options->frame_s, &info->frame_s, &info->frame_from_file, opening->warnings,
          m->path, "frame-s");
    if (info->readable < info->frames) {
        ng_warnings_add(opening->warnings, "movie-broken", "%.400s", m->broken.message);
    }
}

static ng_status check_options(const ng_movie_read_options *options, const char *path,
                               ng_error *err)
{
    bool good_pixel =
        isnan(options->pixel_nm) || (options->pixel_nm > 0.0 && isfinite(options->pixel_nm));
    bool good_frame =
        isnan(options->frame_s) || (options->frame_s > 0.0 && isfinite(options->frame_s));
    if (!good_pixel || !good_frame || options->channel < 0) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: --pixel-nm (%g) and --frame-s (%g) must be positive, --channel (%ld) "
                       "at least 1",
                       path, options->pixel_nm, options->frame_s, options->channel);
    }
    return NG_OK;
}

static ng_status open_movie(const char *name, const ng_bytes *memory,
                            const ng_movie_read_options *options, ng_movie **out,
                            ng_warnings *warnings, ng_error *err)
{
    ng_movie_read_options defaults = ng_movie_read_defaults();
    ng_error local;
    options = options != NULL ? options : &defaults;
    err = err != NULL ? err : &local;
    *out = NULL;
    ng_status status = check_options(options, name, err);
    if (status != NG_OK) {
        return status;
    }
    ng_movie *m = NG_NEW(ng_movie, 1);
    if (m == NULL || (m->path = ng_text_copy(name)) == NULL) {
        ng_free(m);
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", name);
    }
    m->info = (ng_movie_info){
        .channels = 1, .slices = 1, .pixel_nm = (double)NAN, .frame_s = (double)NAN};
    ng_movie_opening opening = {m, options, ng_bytes_of(NULL, 0), warnings, err};
    opening.bytes = memory != NULL ? *memory : opening.bytes;
    status = memory != NULL ? open_bytes(&opening) : open_path(&opening);
    ng_bytes_close(&opening.bytes);
    if (status != NG_OK) {
        ng_movie_close(m);
        return status;
    }
    finish(&opening);
    *out = m;
    return NG_OK;
}

ng_status ng_movie_open(const char *path, const ng_movie_read_options *options, ng_movie **out,
                        ng_warnings *warnings, ng_error *err)
{
    return open_movie(path, NULL, options, out, warnings, err);
}

ng_status ng_movie_open_memory(const void *bytes, size_t size, const char *name,
                               const ng_movie_read_options *options, ng_movie **out,
                               ng_warnings *warnings, ng_error *err)
{
    const ng_bytes memory = ng_bytes_of(bytes, size);
    return open_movie(name, &memory, options, out, warnings, err);
}

void ng_movie_close(ng_movie *movie)
{
    if (movie == NULL) {
        return;
    }
    if (movie->close != NULL) {
        movie->close(movie->state);
    }
    ng_free(movie->path);
    ng_free(movie);
}

/* ---- use ----------------------------------------------------------------------------- */

const ng_movie_info *ng_movie_about(const ng_movie *movie)
{
    return &movie->info;
}

ng_status ng_movie_read(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    if (index >= movie->info.frames) {
        return NG_FAIL(err, NG_INVALID, "%s: frame %zu is asked for, but there are %zu",
                       movie->path, index, movie->info.frames);
    }
    if (index >= movie->info.readable) {
        if (err != NULL) {
            *err = movie->broken;
        }
        return movie->broken.status;
    }
    return movie->read(movie, index, pixel, err);
}
