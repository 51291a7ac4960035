/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of images. */
#ifndef NUCGROW_IMAGE_TEST_H
#define NUCGROW_IMAGE_TEST_H

#include <nucgrow/image.h>

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "test_support.h"

static inline ng_image image_of(size_t width, size_t height)
{
    ng_image image;
    assert_int_equal(ng_image_create(width, height, &image, NULL), NG_OK);
    return image;
}

static inline void fill_normal(ng_image *image, double mean, double sd, uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 0);
    for (size_t i = 0; i < image->width * image->height; i++) {
        image->pixel[i] = (float)(mean + gsl_ran_gaussian(rng, sd));
    }
    ng_random_close(rng);
}

static inline double mean_of(const ng_image *image)
{
    double sum = 0.0;
    for (size_t i = 0; i < image->width * image->height; i++) {
        sum += (double)image->pixel[i];
    }
    return sum / (double)(image->width * image->height);
}

static inline double sd_of(const ng_image *image)
{
    const double mean = mean_of(image);
    double sum = 0.0;
    for (size_t i = 0; i < image->width * image->height; i++) {
        sum += ((double)image->pixel[i] - mean) * ((double)image->pixel[i] - mean);
    }
    return sqrt(sum / (double)(image->width * image->height));
}

#endif
