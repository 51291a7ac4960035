/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libtiff on our own files: its messages go into a text, nothing is mapped, nothing is closed.
 *
 * For reading, each page is shown to libtiff as a file of one page: the header that it sees points
 * to that page. Asked for page i of many, libtiff 4.5 walks through all of them first and keeps
 * 120 bytes of each. */
#ifndef NUCGROW_TIFF_HANDLE_H
#define NUCGROW_TIFF_HANDLE_H

#include "movie_internal.h"

#include <tiffio.h>

typedef struct ng_tiff_handle {
    TIFF *tiff;            /* owned; NULL: closed */
    const ng_bytes *bytes; /* borrowed; reading */
    int descriptor;        /* borrowed; writing, else -1 */
    uint64_t at;
    const ng_tiff_pages *pages; /* borrowed; reading */
    uint64_t page;              /* offset of the page that is shown */
    uint64_t most;              /* bytes of one allocation */
    char reason[160];           /* libtiff's first message since it was cleared, or "" */
} ng_tiff_handle;

/** Make ready to read; `handle` must stay where it is. */
void ng_tiff_prepare(ng_tiff_handle *handle, const ng_bytes *bytes, const ng_tiff_pages *pages,
                     size_t max_pixels);
/** Show a page; false, and `reason`, when its directory cannot be read. */
bool ng_tiff_show(ng_tiff_handle *handle, size_t page);
/** Open an empty file for writing. */
NG_MUST_CHECK ng_status ng_tiff_create(ng_tiff_handle *handle, int descriptor, const char *name,
                                       bool big, ng_error *err);
void ng_tiff_close(ng_tiff_handle *handle);

#endif
