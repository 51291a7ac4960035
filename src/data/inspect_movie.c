/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD_BYTES 256

/* What `nucgrow info` says of movies and images. Nothing but headers is read. */

static const char *phrase(const char *format)
{
    static const char *const phrases[][2] = {
        {"tiff", "a TIFF"},          {"bigtiff", "a BigTIFF"}, {"imagej", "an ImageJ TIFF"},
        {"ome-tiff", "an OME-TIFF"}, {"mrc", "an MRC"},        {"dm3", "a Gatan DM3"},
        {"dm4", "a Gatan DM4"},      {"png", "a PNG"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (strcmp(phrases[i][0], format) == 0) {
            return phrases[i][1];
        }
    }
    return NULL;
}

static void set_what(ng_file_info *info)
{
    const ng_movie_info *movie = &info->movie;
    const char *kind = phrase(movie->format);
    if (kind != NULL) {
        snprintf(info->what, sizeof info->what, "%s %s", kind,
                 movie->frames > 1 ? "movie" : "image");
    } else if (strcmp(movie->format, "video") == 0) {
        snprintf(info->what, sizeof info->what, "a video");
    } else {
        snprintf(info->what, sizeof info->what, "a folder of %s images",
                 strcmp(movie->format, "png-folder") == 0 ? "PNG" : "TIFF");
    }
}

static void set_missing(ng_file_info *info)
{
    const ng_movie_info *movie = &info->movie;
    if (isnan(movie->pixel_nm)) {
        ng_warnings_add(&info->missing, "pixel-nm", "nm per pixel: the file does not say it");
    }
    if (isnan(movie->frame_s) && movie->frames > 1) {
        ng_warnings_add(&info->missing, "frame-s",
                        "seconds between frames: the file does not say it");
    }
    if (movie->channels > 1) {
        ng_warnings_add(&info->missing, "channel", "which of %zu channels (or colours), from 1",
                        movie->channels);
    }
}

static void set_times(ng_file_info *info)
{
    const ng_movie_info *movie = &info->movie;
    info->frames = movie->frames;
    info->frame_s = movie->frame_s;
    if (!isnan(movie->frame_s)) {
        info->time_first_s = 0.0;
        info->time_last_s = (double)(movie->frames - 1) * movie->frame_s;
    }
}

/* A break further on is an error of reading all of it, not of reading. */
static void keep_warnings(const ng_warnings *from, ng_file_info *info)
{
    for (size_t i = 0; i < from->n; i++) {
        bool broken = strcmp(from->item[i].name, "movie-broken") == 0;
        ng_warnings_add(&info->problems, broken ? "error" : from->item[i].name, "%s",
                        from->item[i].text);
    }
}

static ng_status inspect(const char *path, ng_file_info *info, ng_error *err)
{
    ng_movie_read_options options = ng_movie_read_defaults();
    ng_warnings warnings = {0};
    ng_movie *movie = NULL;
    options.channel = 1;
    ng_status status = ng_movie_open(path, &options, &movie, &warnings, err);
    if (status == NG_OK) {
        info->kind = NG_KIND_IMAGE;
        info->movie = *ng_movie_about(movie);
        set_what(info);
        set_times(info);
        set_missing(info);
        keep_warnings(&warnings, info);
    } else if (status != NG_MEMORY) {
        ng_warnings_add(&info->problems, "error", "%.460s", err->message);
        status = NG_OK;
    }
    ng_movie_close(movie);
    ng_warnings_free(&warnings);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

ng_status ng_inspect_movie(const char *path, ng_file_info *info, bool *known, ng_error *err)
{
    char head[HEAD_BYTES];
    const char *name = NULL;
    *known = true;
    if (is_folder(path)) {
        snprintf(info->what, sizeof info->what, "a folder");
        return inspect(path, info, err);
    }
    FILE *stream = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
    size_t length = stream != NULL ? fread(head, 1, sizeof head, stream) : 0;
    if (stream != NULL) {
        fclose(stream);
    }
    ng_magic magic = ng_magic_find(head, length, &name);
    if (magic == NG_MAGIC_NONE && !(length > 0 && ng_movie_has_name(path))) {
        *known = false;
        return NG_OK;
    }
    info->kind = magic != NG_MAGIC_OTHER ? NG_KIND_IMAGE : NG_KIND_UNKNOWN;
    snprintf(info->what, sizeof info->what, "%s", name != NULL ? name : "a movie by its name");
    if (magic != NG_MAGIC_OTHER) {
        return inspect(path, info, err);
    }
    ng_warnings_add(&info->problems, "error",
                    "%s: only movies, tables in text (CSV) and TrackMate's XML are read", path);
    return NG_OK;
}
