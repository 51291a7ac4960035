/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tiff_handle.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARGIN_BYTES ((uint64_t)64 << 20)

/* ---- what libtiff says --------------------------------------------------------------- */

static int keep_message(TIFF *tiff, void *context, const char *module, const char *format,
                        va_list arguments) NG_PRINTF(4, 0);

static int keep_message(TIFF *tiff, void *context, const char *module, const char *format,
                        va_list arguments)
{
    ng_tiff_handle *h = context;
    (void)tiff;
    (void)module;
    if (h->reason[0] == '\0') {
        vsnprintf(h->reason, sizeof h->reason, format, arguments);
    }
    return 1;
}

static int drop_message(TIFF *tiff, void *context, const char *module, const char *format,
                        va_list arguments)
{
    (void)tiff;
    (void)context;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

/* ---- bytes --------------------------------------------------------------------------- */

static tmsize_t read_some(thandle_t context, void *to, tmsize_t n)
{
    ng_tiff_handle *h = context;
    ng_bytes file = {.descriptor = h->descriptor, .size = UINT64_MAX};
    size_t got = ng_bytes_read(h->descriptor >= 0 ? &file : h->bytes, h->at, to, (size_t)n);
    h->at += got;
    return (tmsize_t)got;
}

static tmsize_t write_some(thandle_t context, void *from, tmsize_t n)
{
    ng_tiff_handle *h = context;
    tmsize_t done = 0;
    while (h->descriptor >= 0 && done < n) {
        ssize_t put = pwrite(h->descriptor, (char *)from + done, (size_t)(n - done), (off_t)h->at);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            break;
        }
        done += put;
        h->at += (uint64_t)put;
    }
    return done;
}

static toff_t size_of(thandle_t context)
{
    ng_tiff_handle *h = context;
    struct stat info;
    if (h->descriptor < 0) {
        return h->bytes->size;
    }
    return fstat(h->descriptor, &info) == 0 ? (toff_t)info.st_size : 0;
}

static toff_t seek(thandle_t context, toff_t offset, int whence)
{
    ng_tiff_handle *h = context;
    h->at = whence == SEEK_SET   ? offset
            : whence == SEEK_CUR ? h->at + offset
                                 : size_of(context) + offset;
    return h->at;
}

static int leave_open(thandle_t context)
{
    (void)context;
    return 0;
}

static int map_nothing(thandle_t context, void **base, toff_t *size)
{
    (void)context;
    (void)base;
    (void)size;
    return 0;
}

static void unmap_nothing(thandle_t context, void *base, toff_t size)
{
    (void)context;
    (void)base;
    (void)size;
}

/* ---- opening ------------------------------------------------------------------------- */

static ng_status start(ng_tiff_handle *h, const char *name, const char *mode, uint64_t most,
                       ng_error *err)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", name);
    }
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, h);
    TIFFOpenOptionsSetWarningHandlerExtR(options, drop_message, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)most);
    h->tiff = TIFFClientOpenExt(name, mode, h, read_some, write_some, seek, leave_open, size_of,
                                map_nothing, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    if (h->tiff == NULL) {
        return NG_FAIL(err, NG_FORMAT, "%s: cannot be opened as TIFF (%s)", name, h->reason);
    }
    return NG_OK;
}

ng_status ng_tiff_open(ng_tiff_handle *handle, const ng_bytes *bytes, const char *name,
                       size_t max_pixels, ng_error *err)
{
    *handle = (ng_tiff_handle){.bytes = bytes, .descriptor = -1};
    uint64_t pixels = max_pixels < (UINT64_C(1) << 40) ? max_pixels : UINT64_C(1) << 40;
    /* m: nothing is mapped, or pages of the file would count as memory; h: no directory yet. */
    return start(handle, name, "rmh", 32 * pixels + MARGIN_BYTES, err);
}

ng_status ng_tiff_create(ng_tiff_handle *handle, int descriptor, const char *name, bool big,
                         ng_error *err)
{
    *handle = (ng_tiff_handle){.descriptor = descriptor};
    return start(handle, name, big ? "w8" : "w", (uint64_t)1 << 40, err);
}

void ng_tiff_close(ng_tiff_handle *handle)
{
    if (handle->tiff != NULL) {
        TIFFClose(handle->tiff);
    }
    handle->tiff = NULL;
}
