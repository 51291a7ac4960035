/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gaussian spots over a box of pixels: means, weights, and the sums that a step of the fit needs.
 * A spot is a product of a profile along x and one along y, so are its slopes: sums over the rows
 * come first, for every column at once. */
#ifndef NUCGROW_SPOT_MODEL_H
#define NUCGROW_SPOT_MODEL_H

#include "spot_internal.h"

enum { NG_SPOT_LANES = 8 }; /* pixels worked on together: rows are padded to a multiple */

/* Of each spot; the background comes last. */
enum { NG_SPOT_X, NG_SPOT_Y, NG_SPOT_FLUX, NG_SPOT_WIDTH };

/* Light in the pixels of one axis, and its slopes by place and width; nothing outside of
 * [first, end). */
enum { NG_SPOT_LIGHT, NG_SPOT_BY_PLACE, NG_SPOT_BY_WIDTH, NG_SPOT_CURVES };
typedef struct ng_spot_profile {
    float *curve[NG_SPOT_CURVES];
    size_t first, end;
} ng_spot_profile;

typedef struct ng_spot_model {
    const ng_spot_noise *noise;
    ng_spot *const *spot;
    size_t n, per, parameters; /* spots; parameters of each (1: the flux alone, 3, 4), of all */
    size_t w, h, stride, m;    /* box; pixels with the padding of rows */
    ng_spot_profile along[NG_SPOT_CLUSTER], down[NG_SPOT_CLUSTER];
    float *data, *light, *valid; /* light of other spots; 1 or 0 */
    float *mean, *weight, *pull; /* 1/variance; (data - mean)/variance */
    double background;
    double matrix[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2]; /* packed lower triangle */
    double vector[NG_SPOT_PARAMETERS];
} ng_spot_model;

/* Pixel i is [i - 1/2, i + 1/2]; every curve has room for n padded. */
size_t ng_spot_padded(size_t n);
void ng_spot_profile_set(ng_spot_profile *profile, double centre, double width, size_t n);
/* image += scale * (along x down), images `stride` wide. */
void ng_spot_profile_add(const ng_spot_profile *along, const ng_spot_profile *down, double scale,
                         float *image, size_t stride);

/* Means and weights at the places, fluxes and background that the spots have. */
void ng_spot_model_set(ng_spot_model *model);
/* Information matrix and score of all parameters. */
void ng_spot_model_sum(ng_spot_model *model);
/* Twice the gain in log likelihood of spot k over none, with the background fitted anew by a step
 * of Newton's, in columns [x0, x1) and rows [y0, y1). */
double ng_spot_model_gain(const ng_spot_model *model, size_t k, const size_t x[2],
                          const size_t y[2]);

/* ---- spot_shape.c */

/* The step that the covariance of a lonely fitted spot would take with all else free. (x0, y0) is
 * the first pixel of the box. */
void ng_spot_ask_shape(const ng_spot_model *model, double x0, double y0, ng_spot *spot);

#endif
