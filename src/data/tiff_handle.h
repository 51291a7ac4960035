/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libtiff on our own files: its messages go into a text, nothing is mapped, nothing is closed. */
#ifndef NUCGROW_TIFF_HANDLE_H
#define NUCGROW_TIFF_HANDLE_H

#include "movie_internal.h"

#include <tiffio.h>

typedef struct ng_tiff_handle {
    TIFF *tiff;            /* owned; NULL: closed */
    const ng_bytes *bytes; /* borrowed; reading */
    int descriptor;        /* borrowed; writing, else -1 */
    uint64_t at;
    char reason[160]; /* libtiff's first message since it was cleared, or "" */
} ng_tiff_handle;

/** Open for reading, without a look at any directory. `handle` must stay where it is. */
NG_MUST_CHECK ng_status ng_tiff_open(ng_tiff_handle *handle, const ng_bytes *bytes,
                                     const char *name, size_t max_pixels, ng_error *err);
/** Open an empty file for writing. */
NG_MUST_CHECK ng_status ng_tiff_create(ng_tiff_handle *handle, int descriptor, const char *name,
                                       bool big, ng_error *err);
void ng_tiff_close(ng_tiff_handle *handle);

#endif
