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

/** Results to show. Every pointer is borrowed and may be NULL; at least one must be given. */
typedef struct ng_report_input {
    const char *title; /* of the page; NULL: made from the inputs */
    const struct json_t *const
        *result;             /* parsed result files (ensemble, fit-growth, potential, truth) */
    const char *const *name; /* their file names, for the page */
    size_t n;
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
