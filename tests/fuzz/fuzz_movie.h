/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a movie: what fuzz_mrc, fuzz_dm and fuzz_tiff_metadata share. */
#ifndef NUCGROW_FUZZ_MOVIE_H
#define NUCGROW_FUZZ_MOVIE_H

#include <nucgrow/movie.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX_PIXELS 4096
#define FUZZ_MAX_FRAMES 40

/* What ng_movie_info promises to its readers. */
static inline bool is_sound(const ng_movie_info *info)
{
    return info->width > 0 && info->height > 0 && info->frames > 0 &&
           info->readable <= info->frames && info->width * info->height <= FUZZ_MAX_PIXELS &&
           info->format[0] != '\0' && info->bits >= 8 && info->bits <= 64 &&
           (isnan(info->pixel_nm) || (info->pixel_nm > 0.0 && isfinite(info->pixel_nm))) &&
           (isnan(info->frame_s) || (info->frame_s > 0.0 && isfinite(info->frame_s)));
}

static inline bool is_input_error(ng_status status, const ng_error *err)
{
    return ng_status_exit_code(status) == 3 && strlen(err->message) > 10;
}

/* Read the first frames and those around the one that is known to be broken. */
static inline void read_and_check(ng_movie *movie)
{
    static float pixel[FUZZ_MAX_PIXELS];
    const ng_movie_info *info = ng_movie_about(movie);
    size_t around = info->readable > 2 ? info->readable - 2 : 0;
    for (size_t i = 0; i < FUZZ_MAX_FRAMES; i++) {
        size_t frame = i < FUZZ_MAX_FRAMES - 4 ? i : around + i - (FUZZ_MAX_FRAMES - 4);
        ng_error err = {.status = NG_OK};
        ng_status status = ng_movie_read(movie, frame, pixel, &err);
        bool beyond = frame >= info->readable;
        if ((status == NG_OK && beyond) || (status != NG_OK && !is_input_error(status, &err))) {
            abort();
        }
    }
}

/* `bytes` has exactly `size` bytes, so that a sanitizer sees a read beyond it. */
static inline void open_and_check(const void *bytes, size_t size, const char *name, long channel)
{
    ng_movie_read_options options = ng_movie_read_defaults();
    ng_movie *movie = NULL;
    ng_warnings warnings = {0};
    ng_error err = {.status = NG_OK};
    options.max_pixels = FUZZ_MAX_PIXELS;
    options.channel = channel;
    ng_status status = ng_movie_open_memory(bytes, size, name, &options, &movie, &warnings, &err);
    if (status != NG_OK ? movie != NULL || !is_input_error(status, &err)
                        : !is_sound(ng_movie_about(movie))) {
        abort();
    }
    if (movie != NULL) {
        read_and_check(movie);
    }
    ng_movie_close(movie);
    ng_warnings_free(&warnings);
}

#endif
