/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image_internal.h"

#include <math.h>

ng_status ng_image_create(size_t width, size_t height, ng_image *out, ng_error *err)
{
    *out = (ng_image){.pixel = NULL};
    if (width == 0 || height == 0) {
        return NG_FAIL(err, NG_INVALID, "an image of %zu x %zu pixels has none", width, height);
    }
    if (height > SIZE_MAX / width || (out->pixel = NG_NEW(float, width *height)) == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for an image of %zu x %zu pixels", width, height);
    }
    out->width = width;
    out->height = height;
    return NG_OK;
}

void ng_image_free(ng_image *image)
{
    ng_free(image->pixel);
    *image = (ng_image){.pixel = NULL};
}

static inline void swap(float *a, float *b)
{
    const float t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's selection with the median of three as pivot. */
float ng_select(float *value, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (value[middle] < value[low]) {
            swap(&value[middle], &value[low]);
        }
        if (value[high] < value[low]) {
            swap(&value[high], &value[low]);
        }
        if (value[high] < value[middle]) {
            swap(&value[high], &value[middle]);
        }
        const float pivot = value[middle];
        ptrdiff_t i = (ptrdiff_t)low - 1, j = (ptrdiff_t)high + 1;
        for (;;) {
            do {
                i++;
            } while (value[i] < pivot);
            do {
                j--;
            } while (value[j] > pivot);
            if (i >= j) {
                break;
            }
            swap(&value[i], &value[j]);
        }
        if (k <= (size_t)j) {
            high = (size_t)j;
        } else {
            low = (size_t)j + 1;
        }
    }
    return value[k];
}

enum { MEND_SAMPLE = 4096 };

/* The median of finite pixels, spread evenly. */
static float typical(const ng_image *image)
{
    float value[MEND_SAMPLE];
    const size_t total = ng_image_pixels(image), step = total / MEND_SAMPLE + 1;
    size_t n = 0;
    for (size_t start = 0; n == 0 && start < step; start++) {
        for (size_t i = start; i < total && n < MEND_SAMPLE; i += step) {
            if (isfinite(image->pixel[i])) {
                value[n++] = image->pixel[i];
            }
        }
    }
    return n > 0 ? ng_select(value, n, n / 2) : 0.0f;
}

size_t ng_image_mend(ng_image *image)
{
    const size_t total = ng_image_pixels(image);
    size_t mended = 0;
    for (size_t i = 0; i < total; i++) {
        mended += isfinite(image->pixel[i]) ? 0 : 1;
    }
    if (mended == 0) {
        return 0;
    }
    const float fill = typical(image);
    for (size_t i = 0; i < total; i++) {
        if (!isfinite(image->pixel[i])) {
            image->pixel[i] = fill;
        }
    }
    return mended;
}
