/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flooding from the highest pixel down: a pixel joins the basin it touches; where two basins meet,
 * the lower one goes over to the higher unless its peak stands out enough above this pass. */
#include "image_internal.h"

#include <math.h>

/* Pixels of the mask by falling height, then by place: a heap sort, without memory of its own. */
static bool before(const float *f, uint32_t a, uint32_t b)
{
    return f[a] > f[b] || (!(f[a] < f[b]) && a < b);
}

static void sift(const float *f, uint32_t *order, size_t i, size_t n)
{
    for (;;) {
        size_t last = i;
        for (size_t child = 2 * i + 1; child < n && child <= 2 * i + 2; child++) {
            if (before(f, order[last], order[child])) {
                last = child;
            }
        }
        if (last == i) {
            return;
        }
        const uint32_t t = order[i];
        order[i] = order[last];
        order[last] = t;
        i = last;
    }
}

static void sort_by_height(const float *f, uint32_t *order, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift(f, order, i, n);
    }
    for (size_t end = n; end-- > 1;) {
        const uint32_t t = order[0];
        order[0] = order[end];
        order[end] = t;
        sift(f, order, 0, end);
    }
}

typedef struct flood {
    const float *f;
    uint32_t *label; /* basin + 1, named by its peak's pixel; 0: dry */
    uint32_t *parent;
    double depth, share;
} flood;

/* The basins that touch at `pixel`; joins them where the lower peak is no peak of its own. */
static uint32_t meet(const flood *w, uint32_t pixel, uint32_t a, uint32_t b)
{
    a = ng_set_root(w->parent, a);
    b = ng_set_root(w->parent, b);
    if (a == b) {
        return a;
    }
    if (before(w->f, b, a)) {
        const uint32_t t = a;
        a = b;
        b = t;
    }
    const double peak = (double)w->f[b], rise = peak - (double)w->f[pixel];
    if (rise < fmax(w->depth, w->share * peak)) {
        w->parent[b] = a;
    }
    return a;
}

static void flood_pixel(const flood *w, uint32_t pixel, size_t width, size_t height)
{
    const ptrdiff_t x = pixel % (ptrdiff_t)width, y = pixel / (ptrdiff_t)width;
    uint32_t basin = 0;
    float steepest = -1.0f;
    for (ptrdiff_t j = y > 0 ? y - 1 : y; j <= y + 1 && j < (ptrdiff_t)height; j++) {
        for (ptrdiff_t i = x > 0 ? x - 1 : x; i <= x + 1 && i < (ptrdiff_t)width; i++) {
            const size_t k = (size_t)j * width + (size_t)i;
            if (w->label[k] == 0) {
                continue;
            }
            if (basin != 0) {
                (void)meet(w, pixel, basin - 1, w->label[k] - 1);
            }
            if (w->f[k] > steepest) {
                steepest = w->f[k];
                basin = w->label[k];
            }
        }
    }
    if (basin == 0) {
        w->parent[pixel] = pixel;
        basin = pixel + 1;
    }
    w->label[pixel] = basin;
}

static uint32_t number_basins(const flood *w, uint32_t *number, size_t pixels)
{
    uint32_t n = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (w->label[i] != 0) {
            w->label[i] = ng_set_root(w->parent, w->label[i] - 1) + 1;
            number[w->label[i] - 1] = 0;
        }
    }
    for (size_t i = 0; i < pixels; i++) {
        if (w->label[i] != 0) {
            uint32_t *own = &number[w->label[i] - 1];
            if (*own == 0) {
                *own = ++n;
            }
            w->label[i] = *own;
        }
    }
    return n;
}

uint32_t ng_watershed(const float *landscape, const unsigned char *mask, size_t width,
                      size_t height, double depth, double share, uint32_t *order, uint32_t *parent,
                      uint32_t *label)
{
    const flood w = {landscape, label, parent, depth, share};
    size_t n = 0;
    for (size_t i = 0; i < width * height; i++) {
        label[i] = 0;
        if (mask[i] != 0) {
            order[n++] = (uint32_t)i;
        }
    }
    sort_by_height(landscape, order, n);
    for (size_t i = 0; i < n; i++) {
        flood_pixel(&w, order[i], width, height);
    }
    return number_basins(&w, order, width * height);
}
