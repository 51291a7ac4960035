/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <string.h>

/* The first pixel of the mask from `at` on; most of them are empty, and passed by eights. */
static inline size_t next_set(const unsigned char *mask, size_t at, size_t end)
{
    uint64_t eight;
    while (at < end && mask[at] == 0) {
        at++;
        while (at + sizeof eight <= end) {
            memcpy(&eight, mask + at, sizeof eight);
            if (eight != 0) {
                break;
            }
            at += sizeof eight;
        }
    }
    return at < end ? at : end;
}

static uint32_t join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = ng_set_root(parent, a);
    b = ng_set_root(parent, b);
    const uint32_t low = a < b ? a : b, high = a < b ? b : a;
    parent[high] = low;
    return low;
}

/* The provisional label of a foreground pixel from those before it; 0: a new one. */
static uint32_t label_from_before(const uint32_t *row, const uint32_t *above, size_t x,
                                  const size_t size[2], uint32_t *parent)
{
    const bool eight = size[1] != 0;
    uint32_t label = x > 0 ? row[x - 1] : 0;
    if (above == NULL) {
        return label;
    }
    if (above[x] != 0) {
        return label != 0 && label != above[x] ? join(parent, label, above[x]) : above[x];
    }
    if (eight && x > 0 && above[x - 1] != 0) {
        label =
            label != 0 && label != above[x - 1] ? join(parent, label, above[x - 1]) : above[x - 1];
    }
    if (eight && x + 1 < size[0] && above[x + 1] != 0) {
        label =
            label != 0 && label != above[x + 1] ? join(parent, label, above[x + 1]) : above[x + 1];
    }
    return label;
}

static uint32_t number_sets(uint32_t *parent, uint32_t provisional)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i <= provisional; i++) {
        /* Parents come before their children and hold their final number already. */
        parent[i] = parent[i] == i ? ++n : parent[parent[i]];
    }
    return n;
}

uint32_t ng_components(const unsigned char *mask, size_t width, size_t height, bool eight,
                       uint32_t *scratch, uint32_t *label)
{
    const size_t size[2] = {width, eight};
    uint32_t *parent = scratch, provisional = 0;
    memset(label, 0, width * height * sizeof *label);
    for (size_t y = 0; y < height; y++) {
        const unsigned char *in = mask + y * width;
        uint32_t *row = label + y * width;
        const uint32_t *above = y > 0 ? row - width : NULL;
        for (size_t x = next_set(in, 0, width); x < width; x = next_set(in, x + 1, width)) {
            row[x] = label_from_before(row, above, x, size, parent);
            if (row[x] == 0) {
                provisional++;
                parent[provisional] = provisional;
                row[x] = provisional;
            }
        }
    }
    const uint32_t n = number_sets(parent, provisional);
    const size_t all = width * height;
    for (size_t i = next_set(mask, 0, all); i < all; i = next_set(mask, i + 1, all)) {
        label[i] = parent[label[i]];
    }
    return n;
}

/* ---- holes ------------------------------------------------------------------------------- */

static void invert(unsigned char *mask, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mask[i] = mask[i] == 0;
    }
}

#define AT_BORDER UINT32_MAX

static void count_sizes(const uint32_t *label, size_t width, size_t height, uint32_t *size)
{
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            const uint32_t l = label[y * width + x];
            if (x == 0 || y == 0 || x + 1 == width || y + 1 == height) {
                size[l] = AT_BORDER;
            } else if (size[l] != AT_BORDER) {
                size[l]++;
            }
        }
    }
}

void ng_fill_holes(unsigned char *mask, size_t width, size_t height, size_t most_px,
                   uint32_t *scratch)
{
    uint32_t *label = scratch, *size = scratch + width * height;
    invert(mask, width * height);
    const uint32_t n = ng_components(mask, width, height, false, size, label);
    invert(mask, width * height);
    for (uint32_t i = 0; i <= n; i++) {
        size[i] = 0;
    }
    count_sizes(label, width, height, size);
    for (size_t i = 0; i < width * height; i++) {
        if (label[i] != 0 && size[label[i]] <= most_px) {
            mask[i] = 1;
        }
    }
}
