/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/data.h
 * Room `data`: tables of tracked particles, in and out. May include base.
 *
 * A track point is one particle seen in one frame. Lengths are in nm and times in s from here on;
 * what a file holds in pixels or minutes is converted when it is read.
 */
#ifndef NUCGROW_DATA_H
#define NUCGROW_DATA_H

#include <nucgrow/base.h>
#include <nucgrow/movie.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a file turns out to be. */
typedef enum ng_file_kind {
    NG_KIND_UNKNOWN,
    NG_KIND_TRACKS,        /* CSV of ours: track, frame, time, position, size */
    NG_KIND_PARTICLES,     /* CSV of ours without tracks */
    NG_KIND_TRACKMATE_CSV, /* TrackMate "spots" export: LABEL, ID, TRACK_ID, ... */
    NG_KIND_TRACKMATE_XML,
    NG_KIND_TRACKPY_CSV, /* x, y, mass, size, ecc, signal, raw_mass, ep, frame, particle */
    NG_KIND_EX_SITU,     /* radii of samples drawn at times: neither track nor frame */
    NG_KIND_EVENTS,      /* events.csv of ours */
    NG_KIND_RESULT,      /* JSON of ours: "schema": "nucgrow/..." */
    NG_KIND_EXPERIMENT,  /* YAML for `nucgrow run` */
    NG_KIND_IMAGE        /* an image or a movie (nucgrow/movie.h) */
} ng_file_kind;

const char *ng_file_kind_name(ng_file_kind kind); /* "tracks", "trackmate-xml", ... static */

/** How to read a table. Start from ng_tracks_read_defaults(). */
typedef struct ng_tracks_read_options {
    double pixel_nm;   /* nm per pixel; NAN: not given (an error when sizes are in px) */
    double frame_s;    /* s per frame; NAN: from the time column, an error when there is none */
    bool skip_invalid; /* drop rows with a bad value (counted, warned) instead of stopping */
    size_t max_rows;   /* refuse longer tables; default 1e8 */
} ng_tracks_read_options;

ng_tracks_read_options ng_tracks_read_defaults(void);

/** One particle in one frame. NAN where the file does not say. */
typedef struct ng_track_point {
    long frame;
    double time_s;
    double x_nm, y_nm;
    double radius_nm;    /* > 0; sqrt(area/pi) where the file gives an area */
    double radius_se_nm; /* standard error, or NAN */
} ng_track_point;

/** One particle's points: point[first .. first+n), frames strictly increasing. */
typedef struct ng_track {
    long id;         /* as in its file */
    long group;      /* value of a `group` column, or -1 */
    unsigned source; /* index into ng_tracks.source: ids may repeat between files */
    size_t first, n;
} ng_track;

/** A set of tracks from one or more files that belong together. Sorted by source, group, id, then
 *  frame. */
typedef struct ng_tracks {
    ng_track_point *point; /* owned */
    size_t n_points;
    ng_track *track; /* owned */
    size_t n_tracks;
    char **source; /* owned: file names as given */
    size_t n_sources;
    double frame_s;  /* interval between frames; NAN only when there is a single frame */
    double pixel_nm; /* calibration that was used, NAN when no size was in px */
    bool ex_situ;    /* samples drawn at times: every point is a track of its own (id: row number),
                     `frame` is the rank of its time, frame_s is NAN */
    size_t rows_read, rows_dropped; /* n_points = rows_read - rows_dropped */
} ng_tracks;

/**
 * Read and join tables (kind recognised from the content; "-" is standard input). docs/tables.md
 * says which columns and units are taken. Identity of a particle is (file, group, track). Rows
 * are sorted; identical rows of different tracks of one `group` are one merged particle (kept
 * once, on the lowest track). Files must have one interval between frames; where their clocks
 * differ, frames are renumbered so that equal frames are equal times (warned). A table of times
 * without frames gets frames from the common interval; frames without times need
 * options->frame_s. Warnings: rows-dropped, rows-unlinked, rows-cut, merged-rows, size-constant,
 * trackpy-size, tracks-branched, times-uneven, time-is-frame, frames-shifted, pixel-nm-unused,
 * frame-s-unused, positions-unused.
 * @return NG_IO; NG_FORMAT (not a table of tracks, missing column, broken text); NG_INVALID (a
 * value: text, NaN, infinite, negative or zero size; two rows for one track and frame; times
 * against frames; missing calibration); NG_TOO_LITTLE (no usable row). Messages name file and
 * line.
 */
NG_MUST_CHECK ng_status ng_tracks_read(const char *const *paths, size_t n_paths,
                                       const ng_tracks_read_options *options, ng_tracks *out,
                                       ng_warnings *warnings, ng_error *err);
/** Free what a set of tracks owns and zero it. */
void ng_tracks_free(ng_tracks *tracks);

/** How many tracks belong to a group: they merge with another, or come out of one. */
size_t ng_tracks_count_merged(const ng_tracks *tracks);
/** Leave them out (their rows count as dropped): what remains grew by single monomers. */
void ng_tracks_drop_merged(ng_tracks *tracks);

/** tracks.csv: track,frame,time_s,x_nm,y_nm,radius_nm,radius_se_nm and, where there are any,
 * group; reading it back gives the same numbers. `#` lines carry `comment` (may be NULL; may hold
 * several lines). Tracks of several sources are numbered anew from 1. Ex-situ sets:
 * time_s,radius_nm. */
NG_MUST_CHECK ng_status ng_tracks_write_csv(const ng_tracks *tracks, const char *path,
                                            const char *comment, bool force, ng_error *err);

/** {"source": [...], "frame_s":, "pixel_nm":, "ex_situ":, "track": [{"id", "source", "group"
 * where there is one, "frame": [], "time_s": [], "radius_nm": []}]}; positions and standard
 * errors are left out. Owned by the caller. NULL: no memory. */
struct json_t *ng_tracks_json(const ng_tracks *tracks);
/** The reverse of ng_tracks_json. @return NG_FORMAT with the key that is missing or wrong. */
NG_MUST_CHECK ng_status ng_tracks_from_json(const struct json_t *value, ng_tracks *out,
                                            ng_error *err);

/** What `nucgrow info` says of a file. */
typedef struct ng_file_info {
    ng_file_kind kind;
    char what[96];               /* one phrase: "a table of tracks", "a TIFF image", ... */
    char schema[64];             /* of a result, or "" */
    size_t rows, tracks, frames; /* rows of the file, tracks and frames that would be read; 0
                                    where it does not apply */
    double time_first_s, time_last_s, frame_s; /* NAN where unknown */
    char size_column[48];                      /* "area_px", or "" */
    char size_name[12]; /* "radius", "diameter", "area", "size" (trackpy) or "" */
    char size_unit[8];  /* "px", "nm", "um" or ""; areas are in its square */
    double size_min, size_median, size_max; /* in size_unit (areas as areas) */
    ng_movie_info movie;                    /* of a movie that opens; else its format is "" */
    ng_warnings columns;                    /* one entry a column: name, what it was taken for */
    ng_warnings missing;  /* one entry a missing thing: name = the flag that supplies it */
    ng_warnings problems; /* what reading it would stop at (name "error") or warn about */
} ng_file_info;

/** Look at a file without needing its calibration. A file that is not understood is
 * NG_KIND_UNKNOWN with a problem, no error. @return NG_IO, NG_MEMORY */
NG_MUST_CHECK ng_status ng_file_inspect(const char *path, ng_file_info *out, ng_error *err);
void ng_file_info_free(ng_file_info *info);

/* ---- parsers on memory: what the fuzzers call ---------------------------------------- */

/** Parse a table held in memory; `name` is used in messages. As ng_tracks_read for one file. */
NG_MUST_CHECK ng_status ng_tracks_parse(const char *text, size_t length, const char *name,
                                        const ng_tracks_read_options *options, ng_tracks *out,
                                        ng_warnings *warnings, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
