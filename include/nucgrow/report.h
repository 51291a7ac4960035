/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/report.h
 * Room `report`: one self-contained HTML page from results at rest. May include base, data.
 */
#ifndef NUCGROW_REPORT_H
#define NUCGROW_REPORT_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A movie and what was measured in it, as files. */
typedef struct ng_report_files {
    const char *movie;  /* whatever ng_movie_open reads */
    const char *table;  /* tracks.csv, or particles.csv where nothing is linked; may be NULL */
    const char *events; /* events.csv; may be NULL */
    double pixel_nm;    /* NAN: as the movie says */
} ng_report_files;

/**
 * Look at a movie: what a page shows of it. At most 40 frames, averaged over pixels so that all of
 * them take no more than 3 MB; the tracks (thinned above 60000 points, but for the frames shown);
 * merges and splits as strips of seven frames, the 24 with the highest score.
 * Result: JSON for ng_report_input.seen; owned by the caller (json_decref).
 * Warnings: those of reading. Errors: those of ng_movie_open, ng_particles_read, ng_events_read;
 * NG_INVALID when the size of a pixel is not known; NG_TOO_LITTLE when no frame can be read.
 */
NG_MUST_CHECK ng_status ng_report_look(const ng_report_files *files, struct json_t **out,
                                       ng_warnings *warnings, ng_error *err);

/** A field before and after reconstruction, and what else of it is a picture. */
typedef struct ng_report_pair {
    const float *before, *after; /* width x height; fold times as many each way; NULL: none */
    size_t width, height, fold;
    double pixel_nm;           /* of `before` */
    const unsigned char *peak; /* n_peaks pictures of peak_side x peak_side, RGB */
    size_t n_peaks, peak_side;
} ng_report_pair;

/**
 * Small pictures of a reconstruction: the field and its place with the most light, each before and
 * after, and the peaks. JSON for the key `pictures` of a pattern file: {field: {before, after,
 * x_nm, y_nm, width_nm, height_nm}, detail: {...}, peaks: []}; owned by the caller.
 * Errors: NG_MEMORY, NG_INTERNAL.
 */
NG_MUST_CHECK ng_status ng_report_pictures(const ng_report_pair *pair, struct json_t **out,
                                           ng_error *err);

/** Results to show. Every pointer is borrowed and may be NULL; at least one must be given. */
typedef struct ng_report_input {
    const char *title; /* of the page; NULL: made from the inputs */
    const struct json_t *const
        *result;             /* parsed result files (ensemble, fit-growth, potential, truth) */
    const char *const *name; /* their file names, for the page */
    size_t n;
    const struct json_t *seen; /* from ng_report_look */
} ng_report_input;

/**
 * Write the report: answer first, then figures (each with its CSV and SVG behind a button),
 * parameters with intervals, warnings, a methods paragraph, references, provenance. One file, no
 * request to any network, text readable without scripts. Errors: NG_FORMAT when a result has no
 * schema of ours or another version of it (message names both); NG_EXISTS; NG_IO.
 */
NG_MUST_CHECK ng_status ng_report_write(const ng_report_input *input, const char *path, bool force,
                                        ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
