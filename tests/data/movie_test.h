/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of movies: opening, reading, and files made byte by byte. */
#ifndef NUCGROW_MOVIE_TEST_H
#define NUCGROW_MOVIE_TEST_H

#include "data/movie_internal.h"

#include <math.h>
#include <string.h>

#include "test_support.h"

/* ---- opening and reading --------------------------------------------------------------- */

/* What opening gave. */
typedef struct opened {
    ng_status status;
    ng_movie *movie;
    const ng_movie_info *info; /* NULL: it failed */
    ng_warnings warnings;
    ng_error err;
} opened;

static inline opened open_with(const char *path, const ng_movie_read_options *options)
{
    opened o = {.status = NG_OK};
    o.status = ng_movie_open(path, options, &o.movie, &o.warnings, &o.err);
    o.info = o.movie != NULL ? ng_movie_about(o.movie) : NULL;
    assert_true((o.status == NG_OK) == (o.movie != NULL));
    return o;
}

static inline opened open_good(const char *path)
{
    opened o = open_with(path, NULL);
    if (o.status != NG_OK) {
        fail_msg("%s", o.err.message);
    }
    return o;
}

static inline opened open_channel(const char *path, long channel)
{
    ng_movie_read_options options = ng_movie_read_defaults();
    options.channel = channel;
    return open_with(path, &options);
}

static inline void close_opened(opened *o)
{
    ng_movie_close(o->movie);
    ng_warnings_free(&o->warnings);
}

static inline bool warned(const opened *o, const char *name)
{
    for (size_t i = 0; i < o->warnings.n; i++) {
        if (strcmp(o->warnings.item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A frame that must be readable; static buffer. */
static inline const float *read_good(opened *o, size_t frame)
{
    static float pixel[1 << 16];
    assert_true(o->info->width * o->info->height <= sizeof pixel / sizeof pixel[0]);
    for (size_t i = 0; i < o->info->width * o->info->height; i++) {
        pixel[i] = -12345.0f; /* what is not written shows */
    }
    if (ng_movie_read(o->movie, frame, pixel, &o->err) != NG_OK) {
        fail_msg("%s", o->err.message);
    }
    return pixel;
}

/* The part of a message behind the folder of the file. */
static inline const char *message_tail(const char *message, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    return strncmp(message, path, folder) == 0 ? message + folder : message;
}

/* ---- bytes ----------------------------------------------------------------------------- */

typedef struct made {
    unsigned char *data; /* owned */
    size_t n;
    bool little;
} made;

static inline void put(made *b, uint64_t value, size_t n)
{
    b->data = realloc(b->data, b->n + n);
    assert_non_null(b->data);
    for (size_t i = 0; i < n; i++) {
        size_t shift = 8 * (b->little ? i : n - 1 - i);
        b->data[b->n + i] = (unsigned char)(shift < 64 ? value >> shift : 0);
    }
    b->n += n;
}

static inline void put_text(made *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(b, (unsigned char)text[i], 1);
    }
}

static inline void put_float(made *b, float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    put(b, bits, 4);
}

static inline void put_at(made *b, size_t at, uint64_t value, size_t n)
{
    made part = {.little = b->little};
    put(&part, value, n);
    memcpy(b->data + at, part.data, n);
    free(part.data);
}

static inline const char *written(const char *name, const made *b)
{
    const char *path = test_output(name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(b->data, 1, b->n, stream), b->n);
    assert_int_equal(fclose(stream), 0);
    return path;
}

/* ---- a TIFF by hand -------------------------------------------------------------------- */

/* A page of 8-bit pixels, its directory behind its pixels. */
typedef struct tiff_shape {
    unsigned width, height, bits, samples;
    const char *description;
    bool reduced;
} tiff_shape;

static inline void put_entry(made *b, unsigned tag, unsigned type, unsigned count, unsigned value)
{
    put(b, tag, 2);
    put(b, type, 2);
    put(b, count, 4);
    if (type == 3 && count == 1) {
        put(b, value, 2);
        put(b, 0, 2);
    } else {
        put(b, value, 4);
    }
}

/* Starts a classic TIFF; its first directory comes from the first page. */
static inline made tiff_start(bool little)
{
    made b = {.little = little};
    put_text(&b, little ? "II" : "MM", 2);
    put(&b, 42, 2);
    put(&b, 0, 4);
    return b;
}

/* Adds a page whose pixels are `first`, `first`+1, ...; `link`: where its offset is to be written
 * (4 for the first). Returns where the next page's offset is to be written. */
static inline size_t tiff_page(made *b, size_t link, const tiff_shape *p, unsigned first)
{
    unsigned pixels = p->width * p->height * p->samples * p->bits / 8;
    unsigned data = (unsigned)b->n;
    for (unsigned i = 0; i < pixels; i++) {
        put(b, (first + i) & 255, 1);
    }
    unsigned text = (unsigned)b->n;
    size_t length = p->description != NULL ? strlen(p->description) + 1 : 0;
    put_text(b, p->description != NULL ? p->description : "", length);
    put(b, 0, b->n % 2);
    put_at(b, link, b->n, 4);
    put(b, length > 4 ? 12 : 11, 2);
    put_entry(b, 254, 4, 1, p->reduced ? 1 : 0);
    put_entry(b, 256, 4, 1, p->width);
    put_entry(b, 257, 4, 1, p->height);
    put_entry(b, 258, 3, 1, p->bits);
    put_entry(b, 259, 3, 1, 1);
    put_entry(b, 262, 3, 1, 1);
    if (length > 4) {
        put_entry(b, 270, 2, (unsigned)length, text);
    }
    put_entry(b, 273, 4, 1, data);
    put_entry(b, 277, 3, 1, p->samples);
    put_entry(b, 278, 4, 1, p->height);
    put_entry(b, 279, 4, 1, pixels);
    put_entry(b, 284, 3, 1, 1);
    put(b, 0, 4);
    return b->n - 4;
}

/* ---- an MRC by hand -------------------------------------------------------------------- */

typedef struct mrc_head {
    int width, height, frames, mode;
    int extended;  /* bytes of the extended header */
    float pixel_A; /* 0: not said */
    bool no_mark;
} mrc_head;

/* The header; the pixels are to follow. */
static inline made mrc_start(bool little, const mrc_head *h)
{
    made b = {.little = little};
    put(&b, (uint32_t)h->width, 4);
    put(&b, (uint32_t)h->height, 4);
    put(&b, (uint32_t)h->frames, 4);
    put(&b, (uint32_t)h->mode, 4);
    put(&b, 0, 12);
    put(&b, (uint32_t)h->width, 4);
    put(&b, (uint32_t)h->height, 4);
    put(&b, (uint32_t)h->frames, 4);
    put_float(&b, h->pixel_A * (float)h->width);
    put_float(&b, h->pixel_A * (float)h->height);
    put_float(&b, h->pixel_A * (float)h->frames);
    put(&b, 0, 40);
    put(&b, (uint32_t)h->extended, 4);
    put(&b, 0, 112);
    put_text(&b, h->no_mark ? "\0\0\0\0" : "MAP ", 4);
    put_text(&b, little ? "\x44\x44\0\0" : "\x11\x11\0\0", 4);
    put(&b, 0, 1024 - b.n);
    put(&b, 0, (size_t)h->extended);
    return b;
}

/* ---- a DM3 or DM4 by hand -------------------------------------------------------------- */

/* Numbers of the tree are big-endian, data as `little` says. */
typedef struct dm {
    made b;
    int version;
    bool little;
} dm;

static inline void dm_big(dm *d, uint64_t value, size_t n)
{
    d->b.little = false;
    put(&d->b, value, n);
}

static inline void dm_size(dm *d, uint64_t value)
{
    dm_big(d, value, d->version == 4 ? 8 : 4);
}

static inline dm dm_start(int version, bool little, unsigned tags)
{
    dm d = {.version = version, .little = little};
    dm_big(&d, (uint64_t)version, 4);
    dm_size(&d, 0);
    dm_big(&d, little ? 1 : 0, 4);
    dm_big(&d, 0x0100, 2);
    dm_size(&d, tags);
    return d;
}

static inline void dm_name(dm *d, unsigned kind, const char *name)
{
    dm_big(d, kind, 1);
    dm_big(d, strlen(name), 2);
    put_text(&d->b, name, strlen(name));
    if (d->version == 4) {
        dm_big(d, 0, 8);
    }
}

static inline void dm_group(dm *d, const char *name, unsigned tags)
{
    dm_name(d, 20, name);
    dm_big(d, 0x0100, 2);
    dm_size(d, tags);
}

static inline void dm_data(dm *d, uint64_t value, size_t n)
{
    d->b.little = d->little;
    put(&d->b, value, n);
}

/* A number of 4 bytes: type 5 unsigned, 6 float (then `value` holds its bits). */
static inline void dm_number(dm *d, const char *name, unsigned type, uint64_t value)
{
    dm_name(d, 21, name);
    put_text(&d->b, "%%%%", 4);
    dm_size(d, 1);
    dm_size(d, type);
    dm_data(d, value, 4);
}

static inline void dm_float(dm *d, const char *name, float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    dm_number(d, name, 6, bits);
}

/* Announces an array; its elements are to follow. */
static inline void dm_array(dm *d, const char *name, unsigned type, uint64_t length)
{
    dm_name(d, 21, name);
    put_text(&d->b, "%%%%", 4);
    dm_size(d, 3);
    dm_size(d, 20);
    dm_size(d, type);
    dm_size(d, length);
}

static inline void dm_text(dm *d, const char *name, const uint16_t *text, size_t length)
{
    dm_array(d, name, 4, length);
    for (size_t i = 0; i < length; i++) {
        dm_data(d, text[i], 2);
    }
}

#endif
