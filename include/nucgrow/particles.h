/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/particles.h
 * Room `data`: what was measured in the frames of a movie (particles.csv, tracks.csv) and what
 * happened to it (events.csv), in and out. May include base.
 *
 * A particle is what was seen in one frame; `track` joins those that are one object. NAN where a
 * measurement has no such number.
 */
#ifndef NUCGROW_PARTICLES_H
#define NUCGROW_PARTICLES_H

#include <nucgrow/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a measurement is not to be trusted; several may be joined. The file has the words. */
typedef enum ng_particle_flag {
    NG_FLAG_EDGE = 1,      /* touches the border of the frame: "edge" */
    NG_FLAG_CROWDED = 2,   /* overlaps a neighbour: "crowded" */
    NG_FLAG_NO_FIT = 4,    /* the fit failed; values are those of the mask: "no-fit" */
    NG_FLAG_SATURATED = 8, /* "saturated" */
    NG_FLAG_SPLIT = 16,    /* one of several in a connected piece: "split" */
    /* intensities that gave no radius, or one with a doubt: nucgrow/radii.h */
    NG_FLAG_NOT_POSITIVE = 32,   /* "not-positive" */
    NG_FLAG_BELOW_RANGE = 64,    /* "below-range" */
    NG_FLAG_ABOVE_RANGE = 128,   /* "above-range" */
    NG_FLAG_NOT_EXCITABLE = 256, /* "not-excitable" */
    NG_FLAG_FOLD = 512,          /* "fold" */
    NG_FLAG_BAD_PIXEL = 1024,    /* not finite, or dead: far below its neighbours: "bad-pixel" */
    NG_FLAG_JOINT = 2048,        /* fitted together with its neighbours: "joint" */
} ng_particle_flag;

/** Both: the border cuts it and there is no fit, so that its size is that of what is seen of it. */
#define NG_FLAGS_CUT ((unsigned)NG_FLAG_EDGE | (unsigned)NG_FLAG_NO_FIT)

typedef struct ng_particle {
    long track;    /* -1: not linked */
    long group;    /* tracks that merge share one; -1: none. In tracks.csv, not particles.csv */
    long frame;    /* from 0 */
    long particle; /* number within its frame, from 1: the label in the mask */
    double time_s;
    double x_nm, y_nm; /* centre, from the centre of pixel (0, 0) */
    double x_se_nm, y_se_nm;
    double x_raw_nm, y_raw_nm; /* before drift was taken out; as x_nm, y_nm until then */
    double radius_nm, radius_se_nm;
    double area_nm2;                /* of the mask, or of the fit */
    double intensity, intensity_se; /* integrated, background subtracted, counts */
    double background;              /* counts per pixel */
    double snr;                     /* contrast over noise per pixel */
    double circularity, solidity, ellipse_ratio, contrast, edge_nm; /* shape and edge width */
    unsigned flag;
} ng_particle;

/** Sorted by frame, then particle; or, once linked, by track, then frame. */
typedef struct ng_particles {
    ng_particle *item; /* owned */
    size_t n;
    double frame_s, pixel_nm; /* NAN: unknown */
    size_t frames;            /* of the movie; 0: unknown (then the last frame seen counts) */
} ng_particles;

/** Free what the particles own and zero it. */
void ng_particles_free(ng_particles *particles);
/** A particle of which nothing is known: track -1, no flags, numbers NAN. */
ng_particle ng_particle_unknown(void);

/** particles.csv or tracks.csv as it is made, so that memory does not grow with the movie.
 *
 *  Columns: (track,) frame, time_s, particle, x_nm, y_nm, radius_nm, radius_se_nm, area_nm2,
 *  intensity, intensity_se, background, snr, flag, x_se_nm, y_se_nm, x_raw_nm, y_raw_nm,
 *  circularity, solidity, ellipse_ratio, contrast, edge_nm (, group). NAN is an empty
 *  cell; flags are words joined by '+' ("edge+crowded"). What was measured is written with 9
 *  digits, times with 15. Track and group are there `with_track`. `comment` (may be NULL, may hold
 *  several lines) goes into `#` lines. Commit and abandon free the writer. */
typedef struct ng_particles_writer ng_particles_writer;
NG_MUST_CHECK ng_status ng_particles_writer_open(const char *path, const char *comment,
                                                 bool with_track, bool force,
                                                 ng_particles_writer **out, ng_error *err);
NG_MUST_CHECK ng_status ng_particles_writer_add(ng_particles_writer *writer,
                                                const ng_particle *particle, size_t n,
                                                ng_error *err);
NG_MUST_CHECK ng_status ng_particles_writer_commit(ng_particles_writer *writer, ng_error *err);
void ng_particles_writer_abandon(ng_particles_writer *writer); /* NULL is fine */

/** Read particles.csv, tracks.csv, TrackMate's table of spots or XML, a trackpy table: all columns
 *  that are there ("-" is standard input). Positions are needed, and a frame or a time; sizes and
 *  tracks are not. Units as for ng_tracks_read (docs/tables.md): px needs options->pixel_nm, frames
 *  without times options->frame_s. Rows that repeat the frame, position and size of another (as in
 *  tables of merged particles) are dropped. Tracks of tables with a column `group` are numbered
 *  anew where groups use a number again; the group is kept. x_raw_nm, y_raw_nm are x_nm, y_nm where
 *  the table has no such columns; area_nm2 is that of the radius where the size is an area.
 *  Warnings: rows-dropped, rows-repeated, size-constant, trackpy-size, tracks-branched,
 *  times-uneven, time-is-frame, pixel-nm-unused, frame-s-unused, flags-unknown.
 *  @return as ng_tracks_read */
NG_MUST_CHECK ng_status ng_particles_read(const char *path, const ng_tracks_read_options *options,
                                          ng_particles *out, ng_warnings *warnings, ng_error *err);
/** The same from a table in memory; `name` is used in messages. What the fuzzer calls. */
NG_MUST_CHECK ng_status ng_particles_parse(const char *text, size_t length, const char *name,
                                           const ng_tracks_read_options *options, ng_particles *out,
                                           ng_warnings *warnings, ng_error *err);

typedef enum ng_event_kind {
    NG_EVENT_BIRTH,
    NG_EVENT_DEATH,
    NG_EVENT_MERGE,
    NG_EVENT_SPLIT
} ng_event_kind;

/** Merge: `track` ended and `partner` went on as `into` (often equal to partner); radius1 and 2 are
 *  those of track and partner before, radius_after of the one that they became. Split: `track` came
 *  out of `partner`; radius1 and 2 are theirs afterwards, radius_after of the one before. */
typedef struct ng_event {
    ng_event_kind kind;
    long frame; /* merge: the first frame in which the parents are one */
    double time_s;
    long track, partner, into; /* -1: none */
    double radius1_nm, radius2_nm, radius_after_nm;
    double distance_nm; /* between the centres in the last frame in which both were seen */
    double score;       /* 0..1 */
} ng_event;

typedef struct ng_events {
    ng_event *item; /* owned; by frame */
    size_t n;
} ng_events;

void ng_events_free(ng_events *events);
/** "birth", "death", "merge", "split"; static. */
const char *ng_event_kind_name(ng_event_kind kind);
/** Read events.csv: kind, frame, track and partner are needed; cells that are absent are NAN or -1.
 *  @return NG_IO, NG_FORMAT (a column is missing, broken text), NG_INVALID with file and line */
NG_MUST_CHECK ng_status ng_events_read(const char *path, ng_events *out, ng_error *err);
NG_MUST_CHECK ng_status ng_events_parse(const char *text, size_t length, const char *name,
                                        ng_events *out, ng_error *err);
/** events.csv: kind,frame,time_s,track,partner,into,radius1_nm,radius2_nm,radius_after_nm,
 *  distance_nm,score; NAN and -1 are empty cells. */
NG_MUST_CHECK ng_status ng_events_write(const ng_events *events, const char *path,
                                        const char *comment, bool force, ng_error *err);

/** A file that TrackMate (7 and later) opens: all particles as spots, where they are in the picture
 *  (x_raw_nm, y_raw_nm), and tracks with merges and splits as branches of one TrackMate track.
 *  Particles are sorted by track, then frame, those of no track last, as ng_track_link leaves them.
 *  `events` may be NULL, `comment` too. Spots without a radius are drawn with 1 nm. */
NG_MUST_CHECK ng_status ng_trackmate_xml_write(const ng_particles *particles,
                                               const ng_events *events, const char *path,
                                               const char *comment, bool force, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
