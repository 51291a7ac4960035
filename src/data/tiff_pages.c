/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <string.h>

/* Where the pages of a TIFF are. libtiff finds page i by walking from the first one, and follows
 * no more than it can count; here each directory is met once and its offset remembered, which is
 * all that jumping to a page takes. Source: TIFF 6.0, sections 2 and 8; the BigTIFF proposal. */

#define MAX_ENTRIES 1000
#define FIRST_READ 1024

/* ImageWidth, ... */
enum {
    TAG_SUBFILE = 254,
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_SAMPLES = 277,
    TAG_FORMAT = 339
};

typedef struct walk {
    const ng_bytes *bytes;
    ng_tiff_pages *pages;
    size_t count_bytes, entry_bytes, offset_bytes;
    unsigned char text[8 + MAX_ENTRIES * 20 + 8];
    size_t have;
} walk;

typedef struct directory {
    ng_tiff_shape shape;
    bool reduced; /* a thumbnail of another page */
    uint64_t next;
} directory;

void ng_tiff_pages_free(ng_tiff_pages *pages)
{
    ng_free(pages->offset);
    *pages = (ng_tiff_pages){0};
}

static uint64_t number(const walk *w, size_t at, size_t n)
{
    return ng_bytes_number(w->text + at, n, w->pages->little);
}

/* Value of an entry that has one short or long. */
static uint64_t entry_value(const walk *w, size_t at)
{
    uint64_t type = number(w, at + 2, 2);
    uint64_t count = number(w, at + 4, w->offset_bytes);
    size_t value = at + 4 + w->offset_bytes;
    size_t bytes = type == 3 ? 2 : type == 4 ? 4 : type == 16 && w->pages->big ? 8 : 0;
    return count == 1 && bytes > 0 ? number(w, value, bytes) : 0;
}

static void take_entry(const walk *w, size_t at, directory *d)
{
    uint64_t value = entry_value(w, at);
    switch ((int)number(w, at, 2)) {
    case TAG_SUBFILE:
        d->reduced = (value & 1) != 0;
        break;
    case TAG_WIDTH:
        d->shape.width = value;
        break;
    case TAG_HEIGHT:
        d->shape.height = value;
        break;
    case TAG_BITS:
        d->shape.bits = value;
        break;
    case TAG_SAMPLES:
        d->shape.samples = value;
        break;
    case TAG_FORMAT:
        d->shape.format = value;
        break;
    default:
        break;
    }
}

/* The bytes of a directory, in one read where it is of usual size; false when they end. */
static bool load(walk *w, uint64_t offset, size_t need)
{
    size_t want = need > FIRST_READ ? need : FIRST_READ;
    if (w->have < need) {
        w->have = ng_bytes_read(w->bytes, offset, w->text, want);
    }
    return w->have >= need;
}

/* What is wrong with the directory, or NULL. */
static const char *read_directory(walk *w, uint64_t offset, directory *d)
{
    *d = (directory){.next = 0};
    w->have = 0;
    if (offset >= w->bytes->size) {
        return "the file ends before it; it was cut off";
    }
    if (!load(w, offset, w->count_bytes)) {
        return "the file ends within its directory; it was cut off";
    }
    uint64_t entries = number(w, 0, w->count_bytes);
    if (entries == 0 || entries > MAX_ENTRIES) {
        return "its directory is damaged (number of entries)";
    }
    size_t end = w->count_bytes + (size_t)entries * w->entry_bytes;
    if (!load(w, offset, end + w->offset_bytes)) {
        return "the file ends within its directory; it was cut off";
    }
    for (size_t i = 0; i < entries; i++) {
        take_entry(w, w->count_bytes + i * w->entry_bytes, d);
    }
    d->next = number(w, end, w->offset_bytes);
    return NULL;
}

static bool add(ng_tiff_pages *pages, uint64_t offset)
{
    if (pages->n == pages->capacity) {
        size_t capacity = pages->capacity > 0 ? 2 * pages->capacity : 64;
        uint64_t *grown = ng_realloc(pages->offset, capacity, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        pages->offset = grown;
        pages->capacity = capacity;
    }
    pages->offset[pages->n++] = offset;
    return true;
}

static bool is_same(const ng_tiff_shape *a, const ng_tiff_shape *b)
{
    return a->width == b->width && a->height == b->height && a->bits == b->bits &&
           a->samples == b->samples && a->format == b->format;
}

static void say_mixed(ng_tiff_pages *pages, const ng_tiff_shape *other)
{
    const ng_tiff_shape *first = &pages->shape;
    if (first->width != other->width || first->height != other->height) {
        snprintf(pages->broken, sizeof pages->broken,
                 "it has %llu x %llu pixels, the first has %llu x %llu; all must be of one size",
                 (unsigned long long)other->width, (unsigned long long)other->height,
                 (unsigned long long)first->width, (unsigned long long)first->height);
    } else {
        snprintf(pages->broken, sizeof pages->broken,
                 "its samples differ from those of the first (%llu and %llu bits, %llu and %llu "
                 "a pixel, format %llu and %llu)",
                 (unsigned long long)other->bits, (unsigned long long)first->bits,
                 (unsigned long long)other->samples, (unsigned long long)first->samples,
                 (unsigned long long)other->format, (unsigned long long)first->format);
    }
}

/* False when the walk is over. */
static bool take_page(ng_tiff_pages *pages, const directory *d, uint64_t offset, bool *memory)
{
    *memory = true;
    if (d->reduced) {
        return true;
    }
    if (pages->n == 0) {
        pages->shape = d->shape;
    } else if (!is_same(&pages->shape, &d->shape)) {
        say_mixed(pages, &d->shape);
        return false;
    }
    *memory = add(pages, offset);
    return *memory;
}

/* A loop is noticed late: keep each of its pages once. */
static void drop_repeats(ng_tiff_pages *pages)
{
    const uint64_t *offset = pages->offset;
    size_t n = pages->n;
    size_t period = 1;
    while (period < n && offset[n - 1 - period] != offset[n - 1]) {
        period++;
    }
    for (size_t i = 0; i + period < n; i++) {
        if (offset[i] == offset[i + period]) {
            pages->n = i + period;
            return;
        }
    }
}

/* Brent's method finds a loop in time proportional to its length and without memory: the tortoise
 * waits at a power of two while the walk goes on. */
static ng_status follow(walk *w, uint64_t offset, const char *name, ng_error *err)
{
    ng_tiff_pages *pages = w->pages;
    uint64_t tortoise = 0;
    size_t met = 0;
    size_t turn = 1;
    bool memory = true;
    while (offset != 0 && memory) {
        directory d;
        const char *wrong = read_directory(w, offset, &d);
        if (offset == tortoise) {
            drop_repeats(pages);
            wrong = "its directory was met before: the directories form a loop";
        }
        if (wrong != NULL) {
            snprintf(pages->broken, sizeof pages->broken, "%s", wrong);
            return NG_OK;
        }
        if (++met == turn) {
            tortoise = offset;
            turn *= 2;
        }
        if (!take_page(pages, &d, offset, &memory)) {
            break;
        }
        offset = d.next;
    }
    return memory ? NG_OK
                  : NG_FAIL(err, NG_MEMORY, "%s: out of memory after %zu pages", name, pages->n);
}

ng_status ng_tiff_pages_read(const ng_bytes *bytes, const char *name, ng_tiff_pages *out,
                             ng_error *err)
{
    *out = (ng_tiff_pages){0};
    walk *w = NG_NEW(walk, 1);
    if (w == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", name);
    }
    unsigned char head[16];
    size_t have = ng_bytes_read(bytes, 0, head, sizeof head);
    out->little = head[0] == 'I';
    out->big = have >= 4 && ng_bytes_number(head + 2, 2, out->little) == 43;
    *w = (walk){.bytes = bytes,
                .pages = out,
                .count_bytes = out->big ? 8 : 2,
                .entry_bytes = out->big ? 20 : 12,
                .offset_bytes = out->big ? 8 : 4};
    size_t at = out->big ? 8 : 4;
    ng_status status = NG_OK;
    if (have < at + w->offset_bytes) {
        status =
            NG_FAIL(err, NG_FORMAT, "%s: the TIFF ends within its header; it was cut off", name);
    } else {
        uint64_t first = ng_bytes_number(head + at, w->offset_bytes, out->little);
        status = follow(w, first, name, err);
    }
    ng_free(w);
    if (status != NG_OK) {
        ng_tiff_pages_free(out);
    }
    return status;
}
