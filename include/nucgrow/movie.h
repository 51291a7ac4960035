/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/movie.h
 * Room `data`: movies and image stacks, in and out. May include base.
 *
 * A movie is frames of one size. Readers stream: one frame is in memory, whatever the length.
 * Pixels come as float in the units of the file (counts are never rescaled), row by row from the
 * top left. Positions elsewhere: x = column, y = row, in pixels from the centre of pixel (0, 0).
 */
#ifndef NUCGROW_MOVIE_H
#define NUCGROW_MOVIE_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to read a movie. Start from ng_movie_read_defaults(). */
typedef struct ng_movie_read_options {
    double pixel_nm;   /* nm per pixel; NAN: from the file */
    double frame_s;    /* s per frame; NAN: from the file */
    long channel;      /* which one of several channels, from 1; 0: the only one, else an error */
    size_t max_pixels; /* refuse frames with more; default 2^30 */
} ng_movie_read_options;

ng_movie_read_options ng_movie_read_defaults(void);

/** What is known of a movie. */
typedef struct ng_movie_info {
    char format[32];      /* "tiff", "bigtiff", "imagej", "ome-tiff", "mrc", "dm3", "dm4", "video",
                             "tiff-folder", "png-folder", "png" */
    size_t width, height; /* pixels */
    size_t frames;        /* >= 1 */
    size_t readable;      /* frames before the first that is known to be broken; usually `frames`.
                             Reading frame `readable` then fails and says why */
    int bits;             /* per sample: 8, 16, 32, 64 */
    bool is_float, is_signed;
    size_t channels, slices;  /* of the file; one channel is read, slices are 1 or the frames */
    double pixel_nm, frame_s; /* after the options; NAN where nobody says */
    bool pixel_from_file, frame_from_file;
} ng_movie_info;

/** An open movie. Not to be shared between threads without a lock. */
typedef struct ng_movie ng_movie;

/**
 * Open a file or a folder of numbered images (docs/movies.md lists the formats). A file that is
 * broken further on opens: the frames before the break can be read, and the first one that cannot
 * fails (warning movie-broken). Other warnings: slices-as-times, pages-against-header,
 * value-calibration, pixels-not-square, pixel-nm-differs, frame-s-differs, numbers-missing,
 * playing-speed, times-uneven, default-pixel.
 * @return NG_IO, NG_FORMAT (truncated, not an image, mixed sizes, ...), NG_INVALID (absurd
 * dimensions, wrong channel), NG_TOO_LITTLE (no frame). Messages name the file and, where there is
 * one, the frame.
 */
NG_MUST_CHECK ng_status ng_movie_open(const char *path, const ng_movie_read_options *options,
                                      ng_movie **out, ng_warnings *warnings, ng_error *err);
/** The same for a file held in memory (borrowed until closed); `name` is used in messages. No
 *  videos. */
NG_MUST_CHECK ng_status ng_movie_open_memory(const void *bytes, size_t size, const char *name,
                                             const ng_movie_read_options *options, ng_movie **out,
                                             ng_warnings *warnings, ng_error *err);
void ng_movie_close(ng_movie *movie); /* NULL is fine */
/** Borrowed. */
const ng_movie_info *ng_movie_about(const ng_movie *movie);
/** For programs, at their start: FFmpeg prints its messages to stderr unless the whole process
 *  tells it otherwise. This does so, and keeps the last one for the error of a video. The library
 *  never calls it. */
void ng_movie_hush_video(void);
/** Frame `index` (from 0) into `pixel` (caller's, width*height). In order is fast; any
 *  order works, but going back in a video decodes it from its start.
 *  @return NG_FORMAT or NG_IO with the number of the frame; the frames before it stay readable;
 *  `pixel` then holds nothing of use. */
NG_MUST_CHECK ng_status ng_movie_read(ng_movie *movie, size_t index, float *pixel, ng_error *err);

/* ---- stacks out ------------------------------------------------------------------------- */

typedef enum ng_sample {
    NG_SAMPLE_UINT8,
    NG_SAMPLE_UINT16,
    NG_SAMPLE_UINT32,
    NG_SAMPLE_FLOAT32
} ng_sample;

/** What a stack will hold. ImageJ and Fiji read calibration and frame interval from it. */
typedef struct ng_stack_format {
    size_t width, height;
    size_t frames; /* as many as will be written; BigTIFF is chosen beyond 4 GB */
    ng_sample sample;
    double pixel_nm, frame_s; /* NAN: unknown */
} ng_stack_format;

/** A TIFF that appears whole or not at all (see ng_output). */
typedef struct ng_stack ng_stack;

NG_MUST_CHECK ng_status ng_stack_create(const char *path, const ng_stack_format *format, bool force,
                                        ng_stack **out, ng_error *err);
/** Append a frame of width*height values; integers are rounded and must fit (else NG_INVALID). */
NG_MUST_CHECK ng_status ng_stack_write(ng_stack *stack, const float *pixel, ng_error *err);
/** Check, rename into place, free. Fewer frames than promised is NG_INTERNAL. */
NG_MUST_CHECK ng_status ng_stack_commit(ng_stack *stack, ng_error *err);
/** The same where the frames ended early, after one at least: the stack says how many it holds. */
NG_MUST_CHECK ng_status ng_stack_commit_part(ng_stack *stack, ng_error *err);
void ng_stack_abandon(ng_stack *stack); /* NULL is fine */

/** An 8-bit RGB picture (3*width*height bytes). */
NG_MUST_CHECK ng_status ng_png_write(const char *path, const unsigned char *rgb, size_t width,
                                     size_t height, bool force, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
