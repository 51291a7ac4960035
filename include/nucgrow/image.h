/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/image.h
 * Room `image`: float images, filters, thresholds, components, drift. May include base.
 *
 * An image is width x height floats, row by row from the top left, no padding. Lengths are in
 * pixels. Functions write into images and scratch of the caller: nothing is allocated per frame.
 */
#ifndef NUCGROW_IMAGE_H
#define NUCGROW_IMAGE_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_image {
    float *pixel; /* owned or borrowed, as the maker says */
    size_t width, height;
} ng_image;

/** Zeroed; owned: ng_image_free. */
NG_MUST_CHECK ng_status ng_image_create(size_t width, size_t height, ng_image *out, ng_error *err);
void ng_image_free(ng_image *image);

#ifdef __cplusplus
}
#endif
#endif
