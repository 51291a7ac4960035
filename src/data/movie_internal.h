/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What the readers of movies share.
 *
 * movie.c opens a path, finds the format and hands over to one reader: movie_tiff.c (with
 * tiff_pages.c, imagej_text.c, ome_xml.c), movie_png.c, movie_mrc.c, movie_dm.c, movie_video.c,
 * movie_folder.c. A reader fills `info` and `readable`, and keeps what it needs in `state`.
 */
#ifndef NUCGROW_MOVIE_INTERNAL_H
#define NUCGROW_MOVIE_INTERNAL_H

#include <nucgrow/data.h>
#include <nucgrow/movie.h>

/* ---- bytes at an offset: a file, or memory (bytes.c) ---------------------------------- */

typedef struct ng_bytes {
    int descriptor;              /* owned; -1: memory */
    const unsigned char *memory; /* borrowed */
    uint64_t size;
} ng_bytes;

NG_MUST_CHECK ng_status ng_bytes_open(const char *path, ng_bytes *out, ng_error *err);
ng_bytes ng_bytes_of(const void *memory, size_t size);
void ng_bytes_close(ng_bytes *bytes);
/** Up to `n` bytes from `offset` on; how many there were. */
size_t ng_bytes_read(const ng_bytes *bytes, uint64_t offset, void *to, size_t n);
/** An unsigned number of `n` (1 to 8) bytes; `little`: the lowest comes first. */
uint64_t ng_bytes_number(const unsigned char *from, size_t n, bool little);

/* ---- samples to float (pixels.c) ------------------------------------------------------ */

typedef enum ng_pixel_type {
    NG_PIXEL_NONE,
    NG_PIXEL_UINT8,
    NG_PIXEL_INT8,
    NG_PIXEL_UINT16,
    NG_PIXEL_INT16,
    NG_PIXEL_UINT32,
    NG_PIXEL_INT32,
    NG_PIXEL_UINT64,
    NG_PIXEL_INT64,
    NG_PIXEL_FLOAT16,
    NG_PIXEL_FLOAT32,
    NG_PIXEL_FLOAT64
} ng_pixel_type;

/** Bytes of one sample. */
size_t ng_pixel_bytes(ng_pixel_type type);
/** Say the type in bits, is_float and is_signed. */
void ng_pixel_describe(ng_pixel_type type, ng_movie_info *info);
/** `n` samples, `step` samples apart, in the byte order of the machine, or (`swap`) the other. */
void ng_pixels_convert(ng_pixel_type type, bool swap, const void *from, size_t step, size_t n,
                       float *to);

/** Pixels that lie in a file one after the other. */
typedef struct ng_raw_frames {
    ng_pixel_type type;
    bool swap;
    uint64_t first; /* offset of frame 0 */
    uint64_t step;  /* bytes from a frame to the next */
} ng_raw_frames;

/** Frames of `pixels` each that are there in full. */
size_t ng_raw_count(const ng_raw_frames *raw, const ng_bytes *bytes, size_t pixels);
/** False when the file ends, or cannot be read, before the frame does. */
bool ng_raw_read(const ng_raw_frames *raw, const ng_bytes *bytes, size_t index, size_t pixels,
                 float *to);
/** The shortest decimal that a single-precision number of a header stood for: 0.53, not
 *  0.52999997. */
double ng_round_single(double value);
/** Whether this machine stores the lowest byte first. */
bool ng_little_endian(void);

/* ---- what a file is by its first bytes (kind.c) ---------------------------------------- */

typedef enum ng_magic {
    NG_MAGIC_NONE,
    NG_MAGIC_TIFF,
    NG_MAGIC_PNG,
    NG_MAGIC_MRC,
    NG_MAGIC_DM,
    NG_MAGIC_VIDEO,
    NG_MAGIC_PICTURE, /* an image that is not read */
    NG_MAGIC_OTHER    /* no image */
} ng_magic;

/** What a file that is no text seems to be; *name is "a TIFF image", ... or NULL. */
ng_magic ng_magic_find(const char *head, size_t length, const char **name);

/* ---- units in words (movie_units.c) --------------------------------------------------- */

/** What a unit of length is in nm, or of time in s; NAN when it is not known. */
double ng_length_unit_nm(const char *text, size_t length);
double ng_time_unit_s(const char *text, size_t length);

/* ---- a movie -------------------------------------------------------------------------- */

struct ng_movie {
    char *path;         /* owned */
    ng_movie_info info; /* pixel_nm and frame_s: of the file, until movie.c applies the options */
    ng_error broken;    /* why frame info.readable cannot be read */
    ng_status (*read)(ng_movie *movie, size_t index, float *pixel, ng_error *err);
    void (*close)(void *state);
    void *state; /* owned by the reader */
};

/** What a reader is handed. */
typedef struct ng_movie_opening {
    ng_movie *movie;
    const ng_movie_read_options *options;
    ng_bytes bytes; /* the reader takes it (and sets descriptor -1), or it is closed */
    ng_warnings *warnings;
    ng_error *err;
} ng_movie_opening;

NG_MUST_CHECK ng_status ng_movie_open_tiff(ng_movie_opening *opening);
NG_MUST_CHECK ng_status ng_movie_open_png(ng_movie_opening *opening);
NG_MUST_CHECK ng_status ng_movie_open_mrc(ng_movie_opening *opening);
NG_MUST_CHECK ng_status ng_movie_open_dm(ng_movie_opening *opening);
NG_MUST_CHECK ng_status ng_movie_open_video(ng_movie_opening *opening);
NG_MUST_CHECK ng_status ng_movie_open_folder(ng_movie_opening *opening);

/** Refuse a size that is zero, overflows or exceeds the limit. */
NG_MUST_CHECK ng_status ng_movie_check_size(const ng_movie_opening *opening, uint64_t width,
                                            uint64_t height);
/** "PATH: frame 12 (the first is 0): REASON" with status NG_FORMAT. */
NG_MUST_CHECK ng_status ng_movie_fail_frame(const ng_movie *movie, size_t frame, ng_error *err,
                                            const char *reason, ...) NG_PRINTF(4, 5);
/** Frames from `readable` on cannot be read. */
void ng_movie_break(ng_movie *movie, size_t readable, const char *reason, ...) NG_PRINTF(3, 4);

/** Planes of a file that has channels, slices and times. */
typedef struct ng_planes {
    size_t channels, slices, times; /* >= 1 */
    char order[8];                  /* the fastest first: "CZT" */
} ng_planes;

/** Where the frames are among the planes: plane = first + frame*step. */
typedef struct ng_plane_walk {
    size_t first, step, frames;
    size_t sample; /* channel within a plane */
} ng_plane_walk;

/** Choose a channel and the axis that is time; `samples` channels lie within each plane. Sets
 *  channels, slices and frames of the movie. @return NG_INVALID */
NG_MUST_CHECK ng_status ng_planes_walk(const ng_movie_opening *opening, const ng_planes *planes,
                                       size_t samples, ng_plane_walk *out);

/* ---- for `nucgrow info` (inspect_movie.c) ---------------------------------------------- */

/** Describe a movie, an image or a folder; *known false: it is something else. */
NG_MUST_CHECK ng_status ng_inspect_movie(const char *path, ng_file_info *info, bool *known,
                                         ng_error *err);
/** Whether a name ends like that of a movie without marks at a fixed place (video, old MRC). */
bool ng_movie_has_name(const char *path);

/* ---- metadata, parsed in memory -------------------------------------------------------- */

/** What ImageJ writes into ImageDescription. */
typedef struct ng_imagej {
    bool found;                              /* the text is ImageJ's */
    size_t images, channels, slices, frames; /* 0: not said */
    double unit_nm, frame_s;                 /* NAN: not said, or not known */
    double pixel_nm;                         /* nucgrow's own line, with all digits; NAN: none */
    bool has_value_calibration;              /* pixel values stand for something else */
} ng_imagej;

void ng_imagej_parse(const char *text, size_t length, ng_imagej *out);

/** Planes of an OME-TIFF that follow each other: `n` (0: to the end) from plane `plane` on lie in
 *  the pages from `page` on. */
typedef struct ng_ome_run {
    size_t page;
    size_t c, z, t; /* of the first plane */
    size_t n;       /* 0: not said */
} ng_ome_run;

/** What the XML of an OME-TIFF says of its first image. */
typedef struct ng_ome {
    bool found;                           /* the text is OME's */
    ng_planes planes;                     /* channels as planes: SizeC over the samples of each */
    double pixel_nm, pixel_y_nm, frame_s; /* NAN: not said */
    ng_ome_run *run;                      /* owned: TiffData */
    size_t n_runs, capacity;
    bool several_files; /* the planes are in more than one file */
} ng_ome;

/** @return NG_FORMAT (broken XML, absurd sizes), NG_MEMORY. A text that is not OME's is found
 *  false. */
NG_MUST_CHECK ng_status ng_ome_parse(const char *text, size_t length, const char *name, ng_ome *out,
                                     ng_error *err);
void ng_ome_free(ng_ome *ome);

/** One directory of a TIFF as far as it is needed to compare pages. 0: not said inline. */
typedef struct ng_tiff_shape {
    uint64_t width, height, bits, samples, format;
} ng_tiff_shape;

/** Where the pages of a TIFF are, thumbnails (reduced images) left out. */
typedef struct ng_tiff_pages {
    bool big;
    bool little;      /* byte order of the file */
    uint64_t *offset; /* owned: of each directory */
    size_t n, capacity;
    ng_tiff_shape shape; /* of the first page */
    char broken[256];    /* what is wrong after page n-1, or "" */
} ng_tiff_pages;

/** Walk through the directories. @return NG_FORMAT when it is no TIFF; NG_MEMORY. What is wrong
 *  further on is in `broken`. */
NG_MUST_CHECK ng_status ng_tiff_pages_read(const ng_bytes *bytes, const char *name,
                                           ng_tiff_pages *out, ng_error *err);
void ng_tiff_pages_free(ng_tiff_pages *pages);

#endif
