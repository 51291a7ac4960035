/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of room data: a table as a text literal, read in one line. */
#ifndef NUCGROW_DATA_TEST_H
#define NUCGROW_DATA_TEST_H

#include "data/data_internal.h"

#include <math.h>
#include <string.h>

#include "test_support.h"

/* What reading a text gave. */
typedef struct reading {
    ng_status status;
    ng_tracks tracks;
    ng_warnings warnings;
    ng_error err;
} reading;

static inline reading read_with(const char *text, const ng_tracks_read_options *options)
{
    reading r = {.status = NG_OK};
    r.status =
        ng_tracks_parse(text, strlen(text), "t.csv", options, &r.tracks, &r.warnings, &r.err);
    return r;
}

/* With a pixel of 0.5 nm; everything else from the text. */
static inline reading read_text(const char *text)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = 0.5;
    return read_with(text, &options);
}

static inline reading read_good(const char *text)
{
    reading r = read_text(text);
    if (r.status != NG_OK) {
        fail_msg("%s\n%s", r.err.message, text);
    }
    return r;
}

static inline void reading_free(reading *r)
{
    ng_tracks_free(&r->tracks);
    ng_warnings_free(&r->warnings);
}

static inline bool has_warning(const ng_warnings *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static inline void assert_fails(const char *text, ng_status status, const char *message)
{
    reading r = read_text(text);
    assert_int_equal(r.status, status);
    assert_string_equal(r.err.message, message);
    assert_null(r.tracks.point);
    reading_free(&r);
}

#endif
