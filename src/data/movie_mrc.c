/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <math.h>
#include <string.h>

/* MRC2014 and its older kin. Source: the MRC2014 specification (Cheng et al., J. Struct. Biol.
 * 192, 146 (2015)), and IMOD's notes on the sign of mode 0. Rows stay in the order of the file. */

#define HEADER_BYTES 1024

enum {
    AT_SIZE = 0,      /* nx, ny, nz, mode */
    AT_GRID = 28,     /* mx, my, mz */
    AT_CELL = 40,     /* angstrom along x, y, z */
    AT_EXTENDED = 92, /* bytes of the extended header */
    AT_IMOD_STAMP = 152,
    AT_IMOD_FLAGS = 156,
    AT_MAP = 208,
    AT_MACHINE = 212
};

#define IMOD_STAMP 1146047817u

typedef struct mrc_movie {
    ng_bytes bytes; /* owned */
    ng_raw_frames frames;
} mrc_movie;

typedef struct header {
    const unsigned char *text;
    bool little;
} header;

static int32_t whole(const header *h, size_t at)
{
    return (int32_t)(uint32_t)ng_bytes_number(h->text + at, 4, h->little);
}

static double real(const header *h, size_t at)
{
    uint32_t bits = (uint32_t)ng_bytes_number(h->text + at, 4, h->little);
    float value = 0.0f;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static void close_mrc(void *state)
{
    mrc_movie *m = state;
    ng_bytes_close(&m->bytes);
    ng_free(m);
}

static ng_status read_mrc(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    const mrc_movie *m = movie->state;
    bool good =
        ng_raw_read(&m->frames, &m->bytes, index, movie->info.width * movie->info.height, pixel);
    return good ? NG_OK : ng_movie_fail_frame(movie, index, err, "it cannot be read to its end");
}

/* The machine stamp, where it is one; else the order in which the mode makes sense. */
static bool is_little(const unsigned char *text)
{
    if (text[AT_MACHINE] == 0x44 || text[AT_MACHINE] == 0x11) {
        return text[AT_MACHINE] == 0x44;
    }
    return ng_bytes_number(text + AT_SIZE + 12, 4, true) < 128;
}

static ng_pixel_type pixel_type(const header *h)
{
    bool imod = (uint32_t)whole(h, AT_IMOD_STAMP) == IMOD_STAMP;
    switch (whole(h, AT_SIZE + 12)) {
    case 0:
        return imod && (whole(h, AT_IMOD_FLAGS) & 1) == 0 ? NG_PIXEL_UINT8 : NG_PIXEL_INT8;
    case 1:
        return NG_PIXEL_INT16;
    case 2:
        return NG_PIXEL_FLOAT32;
    case 6:
        return NG_PIXEL_UINT16;
    case 12:
        return NG_PIXEL_FLOAT16;
    default:
        return NG_PIXEL_NONE;
    }
}

static void calibrate(const header *h, const ng_movie_opening *o)
{
    double cell_nm = 0.1 * ng_round_single(real(h, AT_CELL));
    double cell_y_nm = 0.1 * real(h, AT_CELL + 4);
    int32_t grid = whole(h, AT_GRID);
    int32_t grid_y = whole(h, AT_GRID + 4);
    if (grid <= 0 || !(cell_nm > 0.0) || !isfinite(cell_nm)) {
        return;
    }
    double pixel_nm = ng_round_single(cell_nm / grid);
    o->movie->info.pixel_nm = pixel_nm;
    if (pixel_nm == 0.1) {
        ng_warnings_add(o->warnings, "default-pixel",
                        "%s: the header says 1 angstrom a pixel, which is also what programs "
                        "write that do not know; --pixel-nm overrides it",
                        o->movie->path);
    }
    if (grid_y > 0 && cell_y_nm > 0.0 && fabs(cell_y_nm / grid_y / pixel_nm - 1.0) > 1e-3) {
        ng_warnings_add(o->warnings, "pixels-not-square",
                        "%s: pixels are not square (%g and %g nm); the width is used",
                        o->movie->path, pixel_nm, cell_y_nm / grid_y);
    }
}

static ng_status find_frames(mrc_movie *m, const header *h, const ng_movie_opening *o)
{
    ng_movie *movie = o->movie;
    int32_t extended = whole(h, AT_EXTENDED);
    int32_t n = whole(h, AT_SIZE + 8);
    size_t pixels = movie->info.width * movie->info.height;
    if (n <= 0) {
        return NG_FAIL(o->err, n == 0 ? NG_TOO_LITTLE : NG_INVALID,
                       "%s: the header says %d frames; save the movie again", movie->path, n);
    }
    m->frames = (ng_raw_frames){.type = pixel_type(h),
                                .swap = h->little != ng_little_endian(),
                                .first = HEADER_BYTES + (extended > 0 ? (uint64_t)extended : 0),
                                .step = pixels * ng_pixel_bytes(pixel_type(h))};
    ng_pixel_describe(m->frames.type, &movie->info);
    movie->info.frames = (size_t)n;
    movie->info.readable = (size_t)n;
    size_t there = ng_raw_count(&m->frames, &m->bytes, pixels);
    if (there == 0) {
        return ng_movie_fail_frame(movie, 0, o->err, "the file ends within it; it was cut off");
    }
    if (there < (size_t)n) {
        ng_movie_break(movie, there,
                       "the file ends within it, of %d frames that the header says; it was cut off",
                       n);
    }
    return NG_OK;
}

static ng_status describe(mrc_movie *m, const header *h, const ng_movie_opening *o)
{
    int32_t width = whole(h, AT_SIZE);
    int32_t height = whole(h, AT_SIZE + 4);
    int32_t mode = whole(h, AT_SIZE + 12);
    snprintf(o->movie->info.format, sizeof o->movie->info.format, "mrc");
    if (pixel_type(h) == NG_PIXEL_NONE) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: pixels of mode %d are not read (0, 1, 2, 6 and 12 are); convert it, or "
                       "the header is damaged",
                       o->movie->path, mode);
    }
    ng_status status =
        ng_movie_check_size(o, width > 0 ? (uint64_t)width : 0, height > 0 ? (uint64_t)height : 0);
    if (status == NG_OK) {
        status = find_frames(m, h, o);
    }
    if (status == NG_OK) {
        calibrate(h, o);
    }
    return status;
}

ng_status ng_movie_open_mrc(ng_movie_opening *o)
{
    unsigned char text[HEADER_BYTES];
    if (ng_bytes_read(&o->bytes, 0, text, sizeof text) < sizeof text) {
        return NG_FAIL(o->err, NG_FORMAT, "%s: the file ends within its MRC header; it was cut off",
                       o->movie->path);
    }
    mrc_movie *m = NG_NEW(mrc_movie, 1);
    if (m == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    m->bytes = o->bytes;
    o->bytes = ng_bytes_of(NULL, 0);
    o->movie->state = m;
    o->movie->close = close_mrc;
    o->movie->read = read_mrc;
    return describe(m, &(header){text, is_little(text)}, o);
}
