/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of spots and their benchmark: frames of spots of known truth. */
#ifndef NUCGROW_SPOT_SCENE_H
#define NUCGROW_SPOT_SCENE_H

#include <nucgrow/detect.h>

#include <gsl/gsl_randist.h>
#include <math.h>

/** Peak, background in it, whose height over the background is `snr` of its own noise. */
static inline double spot_peak(double snr, double background)
{
    const double root = 0.5 * (snr + sqrt(snr * snr + 4.0 * background));
    return root * root;
}

static inline void spot_fill(ng_image *image, double value)
{
    for (size_t i = 0; i < image->width * image->height; i++) {
        image->pixel[i] = (float)value;
    }
}

/** A Gaussian sampled at the centres of pixels. */
static inline void spot_add(ng_image *image, double x, double y, double sigma, double height)
{
    const double reach = 6.0 * sigma;
    for (double j = fmax(ceil(y - reach), 0.0); j <= y + reach && j < (double)image->height; j++) {
        for (double i = fmax(ceil(x - reach), 0.0); i <= x + reach && i < (double)image->width;
             i++) {
            const double d2 = (i - x) * (i - x) + (j - y) * (j - y);
            image->pixel[(size_t)j * image->width + (size_t)i] +=
                (float)(height * exp(-0.5 * d2 / (sigma * sigma)));
        }
    }
}

/** Every pixel becomes a Poisson number of that mean. */
static inline void spot_noise(ng_image *image, gsl_rng *rng)
{
    for (size_t i = 0; i < image->width * image->height; i++) {
        image->pixel[i] = (float)gsl_ran_poisson(rng, (double)image->pixel[i]);
    }
}

/** Pixels of 1 nm. */
static inline ng_detect_options spot_options(void)
{
    ng_detect_options o = ng_detect_defaults();
    o.kind = NG_DETECT_SPOT;
    o.polarity = NG_BRIGHT;
    o.pixel_nm = 1.0;
    o.frame_s = 1.0;
    return o;
}

#endif
