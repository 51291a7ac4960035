/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of room image. */
#ifndef NUCGROW_IMAGE_INTERNAL_H
#define NUCGROW_IMAGE_INTERNAL_H

#include <nucgrow/image.h>

/* Mirror an index about the centres of the edges' outer sides: -1 -> 0, n -> n - 1. */
static inline size_t ng_mirror(ptrdiff_t i, size_t n)
{
    const ptrdiff_t side = (ptrdiff_t)n, period = 2 * side;
    ptrdiff_t k = i < -side || i >= period ? i % period : i; /* seldom: a division takes long */
    k = k < -side ? k + period : k;
    k = k < 0 ? -1 - k : k;
    return (size_t)(k < side ? k : period - 1 - k);
}

static inline size_t ng_image_pixels(const ng_image *image)
{
    return image->width * image->height;
}

/* Sets of pixels that grow together: parent[i] <= i, roots point at themselves. */
static inline uint32_t ng_set_root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

#endif
