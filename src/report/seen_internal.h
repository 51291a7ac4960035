/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the room `report`: what of a movie, its tables and its events a page shows. */
#ifndef NUCGROW_REPORT_SEEN_INTERNAL_H
#define NUCGROW_REPORT_SEEN_INTERNAL_H

#include "report_internal.h"

#include <nucgrow/movie.h>
#include <nucgrow/particles.h>

/* ---- picture.c ---- */

typedef struct ng_report_picture {
    float *pixel; /* owned */
    size_t width, height;
} ng_report_picture;

/* Each pixel of `out` is the mean of step x step pixels (step >= 1, need not be whole). */
NG_MUST_CHECK ng_status ng_report_shrink(const float *pixel, size_t width, size_t height,
                                         double step, ng_report_picture *out, ng_error *err);
/* What is drawn black and white: nearly the least and the most. */
NG_MUST_CHECK ng_status ng_report_levels(const float *pixel, size_t n, double level[2],
                                         ng_error *err);
/* A JSON text "data:image/png;base64,...", in 16 grays. */
NG_MUST_CHECK ng_status ng_report_encode(const ng_report_picture *picture, const double level[2],
                                         json_t **out, ng_error *err);

/* Red, green, blue: the same text, in full colour. */
NG_MUST_CHECK ng_status ng_report_encode_rgb(const unsigned char *rgb, size_t width, size_t height,
                                             json_t **out, ng_error *err);

/* ---- seen.c ---- */

/* All that is looked at; owned. */
typedef struct ng_report_sight {
    ng_movie *movie;
    const ng_movie_info *about; /* borrowed from movie */
    size_t frames;              /* that can be read */
    double pixel_nm, frame_s;
    ng_particles table; /* by track, then frame; item NULL: none */
    bool spots;         /* the table has no radii: light is what grows */
    ng_events events;
    float *pixel; /* of one frame */
} ng_report_sight;

/* Rows of the table with this track (they stand together); NULL and 0 when there are none. */
const ng_particle *ng_report_track(const ng_report_sight *sight, long track, size_t *n);

/* ---- seen_events.c ---- */

/* Merges and splits as strips of frames: [{kind, time_s, ..., strip}], the likeliest first. */
NG_MUST_CHECK ng_status ng_report_strips(const ng_report_sight *sight, json_t **out, ng_error *err);

/* ---- seen_text.c ---- */

/* The part of the page that can be read without scripts. */
void ng_report_seen_text(FILE *out, const json_t *seen);

#endif
