/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tiff_handle.h"

#include <errno.h>
#include <string.h>
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

/* Put the page that is shown into the header, as far as these bytes touch it. */
static void point_to_page(const ng_tiff_handle *h, uint64_t at, unsigned char *bytes, size_t n)
{
    size_t width = h->pages->big ? 8 : 4;
    for (size_t i = 0; i < width; i++) {
        uint64_t place = width + i;
        size_t shift = 8 * (h->pages->little ? i : width - 1 - i);
        if (place >= at && place - at < n) {
            bytes[place - at] = (unsigned char)(h->page >> shift);
        }
    }
}

static tmsize_t read_some(thandle_t context, void *to, tmsize_t n)
{
    ng_tiff_handle *h = context;
    ng_bytes file = {.descriptor = h->descriptor, .size = UINT64_MAX};
    size_t got = ng_bytes_read(h->descriptor >= 0 ? &file : h->bytes, h->at, to, (size_t)n);
    if (h->pages != NULL && h->at < 16) {
        point_to_page(h, h->at, to, got);
    }
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

/* False: no memory, or libtiff refuses (`reason`). */
static bool start(ng_tiff_handle *h, const char *mode)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        return false;
    }
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, h);
    TIFFOpenOptionsSetWarningHandlerExtR(options, drop_message, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)h->most);
    h->tiff = TIFFClientOpenExt("", mode, h, read_some, write_some, seek, leave_open, size_of,
                                map_nothing, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    return h->tiff != NULL;
}

void ng_tiff_prepare(ng_tiff_handle *handle, const ng_bytes *bytes, const ng_tiff_pages *pages,
                     size_t max_pixels)
{
    uint64_t pixels = max_pixels < (UINT64_C(1) << 40) ? max_pixels : UINT64_C(1) << 40;
    *handle = (ng_tiff_handle){
        .bytes = bytes, .descriptor = -1, .pages = pages, .most = 32 * pixels + MARGIN_BYTES};
}

bool ng_tiff_show(ng_tiff_handle *handle, size_t page)
{
    ng_tiff_close(handle);
    handle->reason[0] = '\0';
    handle->at = 0;
    handle->page = handle->pages->offset[page];
    /* m: nothing is mapped, or pages of the file would count as memory. */
    return start(handle, "rm");
}

ng_status ng_tiff_create(ng_tiff_handle *handle, int descriptor, const char *name, bool big,
                         ng_error *err)
{
    *handle = (ng_tiff_handle){.descriptor = descriptor, .most = (uint64_t)1 << 40};
    return start(handle, big ? "w8" : "w")
               ? NG_OK
               : NG_FAIL(err, NG_IO, "%s: cannot be written (%s, %s); is the disk full?", name,
                         handle->reason, strerror(errno));
}

void ng_tiff_close(ng_tiff_handle *handle)
{
    if (handle->tiff != NULL) {
        TIFFClose(handle->tiff);
    }
    handle->tiff = NULL;
}
