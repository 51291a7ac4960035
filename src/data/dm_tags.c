/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dm_tags.h"

#include <math.h>
#include <string.h>

/* A file is a tree: groups of tags, named or numbered, whose leaves are numbers, structs, strings
 * and arrays. Numbers that describe the tree are big-endian; data have the order that the header
 * says. The walk keeps one level a group on a stack of fixed depth, jumps over data, and looks
 * only at ImageList. Sources: public descriptions of the format by its users (C. Boothroyd, "the
 * DM3 and DM4 formats"; G. Jefferis), and files. */

#define MAX_DEPTH 32
#define MAX_INFO 4096
#define NAME_BYTES 20
#define WINDOW_BYTES 4096

enum { TAG_GROUP = 20, TAG_DATA = 21, DATA_STRUCT = 15, DATA_STRING = 18, DATA_ARRAY = 20 };

typedef struct level {
    uint64_t left; /* tags to come */
    uint64_t index;
    char name[NAME_BYTES]; /* of the group; "#2" for the third without a name */
} level;

typedef struct walk {
    const ng_bytes *bytes;
    ng_dm *out;
    const char *name; /* of the file */
    ng_error *err;
    uint64_t at;
    uint64_t window_at;
    size_t window_bytes;
    bool cut; /* the file ended */
    size_t depth;
    level level[MAX_DEPTH];
    char tag[NAME_BYTES];
    uint64_t info[MAX_INFO];
    unsigned char window[WINDOW_BYTES];
} walk;

/* ---- bytes --------------------------------------------------------------------------- */

/* The next `n` (<= 8) bytes as a number; 0, and `cut`, where the file ends. */
static uint64_t take(walk *w, size_t n, bool little)
{
    uint64_t end = w->window_at + w->window_bytes;
    if (w->at < w->window_at || w->at + n > end) {
        w->window_at = w->at;
        w->window_bytes = ng_bytes_read(w->bytes, w->at, w->window, WINDOW_BYTES);
    }
    if (w->window_bytes < w->at - w->window_at + n) {
        w->cut = true;
        return 0;
    }
    uint64_t value = ng_bytes_number(w->window + (w->at - w->window_at), n, little);
    w->at += n;
    return value;
}

static uint64_t take_size(walk *w)
{
    return take(w, w->out->version == 4 ? 8 : 4, false);
}

static void jump(walk *w, uint64_t n)
{
    if (w->at > w->bytes->size || n > w->bytes->size - w->at) {
        w->cut = true;
        return;
    }
    w->at += n;
}

static ng_status fail(const walk *w, const char *what)
{
    return NG_FAIL(w->err, NG_FORMAT, "%s: byte %llu: %s; the file is damaged", w->name,
                   (unsigned long long)w->at, what);
}

static ng_status fail_if_cut(const walk *w)
{
    return w->cut ? NG_FAIL(w->err, NG_FORMAT,
                            "%s: the file ends within its tags (in %s); it was cut off", w->name,
                            w->tag)
                  : NG_OK;
}

/* ---- where a tag is ------------------------------------------------------------------ */

/* The number of a nameless group or tag ("#2"), or 99. */
static size_t number_of(const char *name)
{
    return name[0] == '#' && name[1] >= '0' && name[1] <= '9' && name[2] == '\0'
               ? (size_t)(name[1] - '0')
               : 99;
}

/* The image whose ImageData the walk is in, or NULL. Level 0 is the root. */
static ng_dm_image *current_image(const walk *w)
{
    if (w->depth < 4 || strcmp(w->level[1].name, "ImageList") != 0 ||
        strcmp(w->level[3].name, "ImageData") != 0) {
        return NULL;
    }
    size_t i = number_of(w->level[2].name);
    return i < NG_DM_MAX_IMAGES ? &w->out->image[i] : NULL;
}

static void take_number(const walk *w, double value)
{
    ng_dm_image *image = current_image(w);
    bool whole = value >= 0.0 && value <= 1e15;
    if (image == NULL) {
        return;
    }
    if (w->depth == 4 && strcmp(w->tag, "DataType") == 0) {
        image->type = whole && value < 1000.0 ? (int)value : 0;
    } else if (w->depth == 5 && strcmp(w->level[4].name, "Dimensions") == 0) {
        size_t axis = number_of(w->tag);
        if (axis < 4) {
            image->size[axis] = whole ? (uint64_t)value : 0;
        }
    } else if (w->depth == 7 && strcmp(w->level[4].name, "Calibrations") == 0 &&
               strcmp(w->level[5].name, "Dimension") == 0 && strcmp(w->tag, "Scale") == 0) {
        size_t axis = number_of(w->level[6].name);
        if (axis < 4) {
            image->scale[axis] = value;
        }
    }
}

/* UTF-16 to UTF-8 as far as units need it. */
static void read_unit(walk *w, uint64_t length, char unit[24])
{
    size_t n = 0;
    for (uint64_t i = 0; i < length && n + 4 < 24; i++) {
        uint64_t c = take(w, 2, w->out->little);
        if (c >= 0x800) {
            unit[n++] = (char)(0xe0 | c >> 12);
            unit[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            unit[n++] = (char)(0x80 | (c & 0x3f));
        } else if (c >= 0x80) {
            unit[n++] = (char)(0xc0 | c >> 6);
            unit[n++] = (char)(0x80 | (c & 0x3f));
        } else if (c != 0) {
            unit[n++] = (char)c;
        }
    }
    unit[n] = '\0';
}

static void take_array(walk *w, uint64_t type, uint64_t length, uint64_t bytes)
{
    ng_dm_image *image = current_image(w);
    if (image == NULL) {
        return;
    }
    if (w->depth == 4 && strcmp(w->tag, "Data") == 0) {
        image->offset = w->at;
        image->bytes = bytes;
    } else if (w->depth == 7 && type == 4 && strcmp(w->level[4].name, "Calibrations") == 0 &&
               strcmp(w->level[5].name, "Dimension") == 0 && strcmp(w->tag, "Units") == 0) {
        size_t axis = number_of(w->level[6].name);
        uint64_t here = w->at;
        if (axis < 4) {
            read_unit(w, length, image->unit[axis]);
        }
        w->at = here;
    }
}

/* ---- data ---------------------------------------------------------------------------- */

/* Bytes of a simple type; 0: it is none. */
static uint64_t simple_bytes(uint64_t type)
{
    static const unsigned char bytes[] = {0, 0, 2, 4, 2, 4, 4, 8, 1, 1, 1, 8, 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

/* Bytes of a struct whose description starts at info[at] (after its type); 0: damaged. */
static uint64_t struct_bytes(const walk *w, size_t at, size_t n)
{
    uint64_t total = 0;
    uint64_t fields = at + 1 < n ? w->info[at + 1] : 0;
    for (uint64_t i = 0; i < fields; i++) {
        size_t place = at + 3 + 2 * (size_t)i;
        uint64_t bytes = place < n ? simple_bytes(w->info[place]) : 0;
        if (bytes == 0) {
            return 0;
        }
        total += bytes;
    }
    return total;
}

static double take_simple(walk *w, uint64_t type)
{
    uint64_t bits = take(w, (size_t)simple_bytes(type), w->out->little);
    switch ((int)type) {
    case 2:
        return (double)(int16_t)bits;
    case 3:
        return (double)(int32_t)bits;
    case 6: {
        uint32_t half = (uint32_t)bits;
        float value = 0.0f;
        memcpy(&value, &half, sizeof value);
        return ng_round_single((double)value);
    }
    case 7: {
        double value = 0.0;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    case 11:
        return (double)(int64_t)bits;
    default:
        return (double)bits;
    }
}

static ng_status take_long_array(walk *w, size_t n)
{
    uint64_t type = n > 2 ? w->info[1] : 0;
    uint64_t length = w->info[n - 1];
    uint64_t item = type == DATA_STRUCT ? struct_bytes(w, 2, n - 1) : simple_bytes(type);
    if (item == 0) {
        return fail(w, "an array of unknown type");
    }
    if (length > w->bytes->size / item) {
        w->cut = true;
        return fail_if_cut(w);
    }
    take_array(w, type, length, length * item);
    jump(w, length * item);
    return fail_if_cut(w);
}

static ng_status take_data(walk *w)
{
    if (take(w, 4, false) != 0x25252525) {
        return w->cut ? fail_if_cut(w) : fail(w, "a tag without its mark %%%%");
    }
    uint64_t n = take_size(w);
    if (n == 0 || n > MAX_INFO) {
        return w->cut ? fail_if_cut(w) : fail(w, "a tag without a type");
    }
    for (size_t i = 0; i < n; i++) {
        w->info[i] = take_size(w);
    }
    uint64_t type = w->info[0];
    if (simple_bytes(type) > 0) {
        take_number(w, take_simple(w, type));
    } else if (type == DATA_STRUCT && struct_bytes(w, 1, (size_t)n) > 0) {
        jump(w, struct_bytes(w, 1, (size_t)n));
    } else if (type == DATA_STRING && n > 1) {
        jump(w, w->info[1]);
    } else if (type == DATA_ARRAY) {
        return w->cut ? fail_if_cut(w) : take_long_array(w, (size_t)n);
    } else if (!w->cut) {
        return fail(w, "a tag of unknown type");
    }
    return fail_if_cut(w);
}

/* ---- the tree ------------------------------------------------------------------------ */

static ng_status enter_group(walk *w)
{
    if (w->depth == MAX_DEPTH) {
        return fail(w, "groups of tags are nested too deeply");
    }
    level *l = &w->level[w->depth++];
    *l = (level){.left = 0};
    memcpy(l->name, w->tag, sizeof l->name);
    take(w, 2, false); /* sorted, open */
    l->left = take_size(w);
    return fail_if_cut(w);
}

static void take_name(walk *w, uint64_t index)
{
    uint64_t length = take(w, 2, false);
    size_t n = 0;
    for (uint64_t i = 0; i < length && !w->cut; i++) {
        char c = (char)take(w, 1, false);
        if (n + 1 < NAME_BYTES) {
            w->tag[n++] = c >= ' ' && c <= '~' ? c : '?';
        }
    }
    w->tag[n] = '\0';
    if (length == 0) {
        snprintf(w->tag, sizeof w->tag, "#%llu", (unsigned long long)index);
    }
    if (w->out->version == 4) {
        take(w, 8, false); /* bytes of the tag */
    }
}

static ng_status take_tag(walk *w)
{
    level *l = &w->level[w->depth - 1];
    l->left--;
    uint64_t index = l->index++;
    uint64_t kind = take(w, 1, false);
    take_name(w, index);
    if (w->cut) {
        return fail_if_cut(w);
    }
    if (kind != TAG_GROUP && kind != TAG_DATA) {
        return fail(w, "neither a tag nor a group of tags");
    }
    return kind == TAG_GROUP ? enter_group(w) : take_data(w);
}

static ng_status take_all(walk *w)
{
    w->out->version = (int)take(w, 4, false);
    take_size(w); /* bytes of the root; wrong in some files */
    w->out->little = take(w, 4, false) == 1;
    snprintf(w->tag, sizeof w->tag, "the root");
    ng_status status = w->cut ? fail_if_cut(w) : enter_group(w);
    while (status == NG_OK && w->depth > 0) {
        if (w->level[w->depth - 1].left == 0) {
            w->depth--;
        } else {
            status = take_tag(w);
        }
    }
    return status;
}

ng_status ng_dm_read(const ng_bytes *bytes, const char *name, ng_dm *out, ng_error *err)
{
    *out = (ng_dm){.version = 0};
    walk *w = NG_NEW(walk, 1);
    if (w == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", name);
    }
    w->bytes = bytes;
    w->out = out;
    w->name = name;
    w->err = err;
    ng_status status = take_all(w);
    ng_free(w);
    return status;
}
