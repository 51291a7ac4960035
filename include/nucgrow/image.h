/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/image.h
 * Room `image`: float images, filters, thresholds, components, drift. May include base.
 *
 * An image is width x height floats, row by row from the top left, no padding. Lengths are in
 * pixels; the centre of the first pixel is (0, 0). Functions write into images and scratch of the
 * caller: nothing is allocated per frame unless a function says so. Images of one call have one
 * size, and `out` must not be `in` unless it is said. Pixels must be finite; ng_image_mend() makes
 * them so.
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

/** Which side of the background the particles are on. */
typedef enum ng_polarity { NG_DARK = -1, NG_BRIGHT = 1 } ng_polarity;

/** Zeroed; owned: ng_image_free. @return NG_MEMORY, NG_INVALID for an image without pixels */
NG_MUST_CHECK ng_status ng_image_create(size_t width, size_t height, ng_image *out, ng_error *err);
void ng_image_free(ng_image *image);

/** The k-th smallest of n values, k from 0; reorders `value`. n >= 1; expected time O(n). */
float ng_select(float *value, size_t n, size_t k);
/** Least and largest pixel. @return whether all are finite; else these tell nothing */
bool ng_image_range(const ng_image *image, float *least, float *most);
/** Replace pixels that are not finite by the median of up to 4096 finite ones spread over the
 *  image (0 when none is finite). @return how many were replaced */
size_t ng_image_mend(ng_image *image);

/* ---- filters ----------------------------------------------------------------------------- */

/** Convolve with a normalised Gaussian of standard deviation `sigma_px` (<= 200), cut at 4 sigma,
 *  borders mirrored. 0 copies. White noise of s.d. 1 leaves with s.d. 1/(2 sqrt(pi) sigma_px). */
void ng_image_gaussian(const ng_image *in, double sigma_px, ng_image *scratch, ng_image *out);
/** Median of (2 radius + 1)^2 pixels, borders mirrored; radius in [0, 7]. */
void ng_image_median(const ng_image *in, int radius, ng_image *out);
/** Mean of `n` frames of one size (n >= 1): the temporal mean of a window that the caller
 *  slides. */
void ng_image_mean(const ng_image *const *frame, size_t n, ng_image *out);

/** Edge-preserving diffusion, du/dt = div(g(|grad u|) grad u) with g = 1/(1 + (x/kappa)^2):
 *  explicit steps, four neighbours. kappa is in counts. Source: Perona & Malik, IEEE PAMI 12
 *  (1990) 629. */
typedef struct ng_perona_malik {
    double kappa; /* > 0: differences above are edges; about 2 to 3 times the noise */
    double step;  /* (0, 0.25], default 0.2 */
    int steps;    /* default 10: smooths like a Gaussian of sqrt(2 step steps) px where flat */
} ng_perona_malik;

ng_perona_malik ng_perona_malik_defaults(double noise);
void ng_image_perona_malik(const ng_image *in, const ng_perona_malik *how, ng_image *scratch,
                           ng_image *out);

/** Non-local means in space and time: a pixel becomes the mean of those whose surroundings look
 *  alike, with weights exp(-max(d^2 - 2 noise^2, 0)/h^2), d^2 the mean squared difference of the
 *  patches. Source: Buades, Coll & Morel, IJCV 76 (2008) 123. */
typedef struct ng_nl_means {
    double noise; /* s.d. per pixel, > 0 */
    double h;     /* default 0.6 noise */
    int patch;    /* radius of a patch, default 2 */
    int search;   /* radius of the search, default 5 */
} ng_nl_means;

ng_nl_means ng_nl_means_defaults(double noise);
/** `frame`: n >= 1 images; the one numbered `centre` is cleaned. `scratch`: two images. */
void ng_image_nl_means(const ng_image *const *frame, size_t n, size_t centre,
                       const ng_nl_means *how, ng_image scratch[2], ng_image *out);

/** Take out a background that varies slowly: in - gaussian(in, sigma_px) + mean(in). */
void ng_image_flatten(const ng_image *in, double sigma_px, ng_image *scratch, ng_image *out);

/* ---- blobs ------------------------------------------------------------------------------- */

/** Longest half of a kernel, the centre counted. */
#define NG_BLOB_TAPS 96

typedef enum ng_blob_kind {
    NG_BLOB_LOG, /* -sigma^2 times the Laplacian of a Gaussian, by differences of neighbours */
    NG_BLOB_DOG  /* difference of two Gaussians of s.d. sigma/sqrt(1.6) and sigma sqrt(1.6) */
} ng_blob_kind;

/** A filter that answers to round bright spots and to nothing even. Its answer to a Gaussian spot
 *  of height 1 and s.d. sigma_px is 1 at the centre; white noise of s.d. 1 leaves with `noise`. */
typedef struct ng_blob_filter {
    ng_blob_kind kind;
    double sigma_px, noise;
    size_t radius;
    float scale;
    float column[2][NG_BLOB_TAPS], row[2][NG_BLOB_TAPS]; /* half kernels, the centre first */
} ng_blob_filter;

/** @param sigma_px  [0.4, 18]: kernels are cut at 3.5 of the wider s.d., and at NG_BLOB_TAPS */
ng_blob_filter ng_blob_filter_make(ng_blob_kind kind, double sigma_px);
/** The kernel at (dx, dy). */
double ng_blob_filter_at(const ng_blob_filter *filter, long dx, long dy);
/** Floats that ng_image_blobs() works in. */
size_t ng_blob_scratch(const ng_blob_filter *filter, size_t width);

/** A pixel that no neighbour exceeds, and the top of the parabolas through it and them; a pixel at
 *  the border has none across it. */
typedef struct ng_blob_peak {
    double x, y, height;
    size_t column, row;
} ng_blob_peak;

/** Peaks above `least` of the filtered image, row by row, up to `most` of them; borders are
 *  mirrored. Vector instructions of the machine it runs on are used.
 *  @return how many there are, which may be more than `most`; never above a quarter of the pixels
 *  of an image with even sides */
size_t ng_image_blobs(const ng_image *in, const ng_blob_filter *filter, float least, float *scratch,
                      ng_blob_peak *peak, size_t most);

/* ---- local mean and threshold ------------------------------------------------------------ */

/** Sums over rectangles in constant time, in 64-bit integers: exact, and the same in any order.
 *  Pixels are rounded to steps of 1/scale about `origin`, which the fill chooses so that nothing
 *  overflows: at least 2^18 steps over the range of the image up to 2^26 pixels. */
typedef struct ng_integral {
    int64_t *sum, *square, *count; /* owned: (width+1)(height+1) each */
    size_t width, height;
    double origin, scale;
    bool skipping; /* was filled with a mask of pixels to leave out */
} ng_integral;

NG_MUST_CHECK ng_status ng_integral_create(size_t width, size_t height, ng_integral *out,
                                           ng_error *err);
void ng_integral_free(ng_integral *integral);
/** `skip`: pixels that do not count (non-zero), or NULL. */
void ng_integral_fill(ng_integral *integral, const ng_image *image, const unsigned char *skip);

/** Columns [x0, x1) and rows [y0, y1) of an image. */
typedef struct ng_box {
    size_t x0, y0, x1, y1;
} ng_box;

/** Mean and standard deviation (of the population) of the pixels that count in `box`; NAN and NAN
 *  where none does. `sd` may be NULL. */
void ng_integral_moments(const ng_integral *integral, ng_box box, double *mean, double *sd);

/** Bradley & Roth's adaptive threshold: a pixel f is foreground where it differs from the mean m
 *  of the window around it, clipped at the border. Source: J. Graphics Tools 12 (2007) 13. */
typedef struct ng_threshold {
    ng_polarity polarity;
    size_t window_px; /* side, odd, >= 3; must exceed 2-3 particle diameters */
    double t;         /* relative form: f < m (1 - t), bright: f > m (1 + t); NAN: the other */
    double c;         /* f < m - c sigma_local, bright: f > m + c sigma_local */
} ng_threshold;

/** `integral` was filled from `image`; mask becomes 1 or 0. Where no pixel counts: 0. */
void ng_image_threshold(const ng_image *image, const ng_integral *integral, const ng_threshold *how,
                        unsigned char *mask);
/** Local mean and s.d. of the pixels that count, in windows of side window_px: sums over bins of an
 *  eighth of it, so that it costs little more than reading the image. Between the middles of bins
 *  linear; where no pixel of a window counts, those of the whole image. A window holds few
 *  independent pixels of a smoothed image, so that its own s.d. is uncertain: with `around` > 0 the
 *  variance is the mean over all windows up to so many windows away. */
typedef struct ng_local ng_local;
NG_MUST_CHECK ng_status ng_local_create(size_t width, size_t height, size_t window_px,
                                        ng_local **out, ng_error *err);
void ng_local_destroy(ng_local *local); /* NULL is fine */
/** `skip`: pixels that do not count (non-zero), or NULL. */
void ng_local_moments(ng_local *local, const ng_image *image, const unsigned char *skip,
                      size_t around, ng_image *mean, ng_image *sd);

/* ---- components -------------------------------------------------------------------------- */

/** Connected components of a mask: label[i] = 1.. in the order of their first pixel, 0 outside.
 *  `eight`: diagonal neighbours belong together. `scratch`: width*height/2 + 2 values.
 *  @return how many */
uint32_t ng_components(const unsigned char *mask, size_t width, size_t height, bool eight,
                       uint32_t *scratch, uint32_t *label);
/** Fill background that does not reach the border (4-connected), holes up to `most_px` pixels.
 *  `scratch`: width*height + width*height/2 + 2 values. */
void ng_fill_holes(unsigned char *mask, size_t width, size_t height, size_t most_px,
                   uint32_t *scratch);
/** Distance of each pixel of a mask from the nearest pixel outside it, 0 outside, exact
 *  (Felzenszwalb & Huttenlocher, Theory Comput. 8 (2012) 415). What lies beyond the border is
 *  outside the mask. `scratch`: 5*(max(width, height) + 3) values. */
void ng_distance(const unsigned char *mask, size_t width, size_t height, float *scratch,
                 float *distance);
/** Watershed of a landscape (of distances: from ng_distance) inside a mask: basins around its
 *  peaks; a peak that stands less than max(depth, share * its height) above the pass to a higher
 *  one belongs to that. label[i] = 1.. or 0 outside. `order`: width*height values, `parent`: the
 *  same + 1. @return how many */
uint32_t ng_watershed(const float *landscape, const unsigned char *mask, size_t width,
                      size_t height, double depth, double share, uint32_t *order, uint32_t *parent,
                      uint32_t *label);

/* ---- noise and drift --------------------------------------------------------------------- */

/** S.d. of white noise per pixel, from the median of |second differences along both axes| over at
 *  most 2^15 places: edges and slow backgrounds do not count. 0 for a constant image. `scratch`:
 *  2^15 floats. */
double ng_image_noise(const ng_image *image, float *scratch);
/** Correlation of the noise between pixels that are neighbours in a row or a column, from second
 *  differences as above; about 0 for white noise. */
double ng_image_noise_correlation(const ng_image *image, float *scratch);

/** Shift between images by phase correlation. Transforms are planned at creation, which must not
 *  run beside another FFTW planner. One at a time per object. */
typedef struct ng_drift ng_drift;
NG_MUST_CHECK ng_status ng_drift_create(size_t width, size_t height, ng_drift **out, ng_error *err);
void ng_drift_destroy(ng_drift *drift); /* NULL is fine */

typedef struct ng_shift {
    double x_px, y_px; /* an object at (x, y) of the first is at (x, y) + shift in the second */
    double peak;       /* of the correlation over its s.d.; below about 6: not to be trusted */
} ng_shift;

/** Any shift up to half the image is found (a jump is a shift): the highest sum of the phases
 *  of the cross power spectrum, each with the weight that the signal over noise at its
 *  frequency allows and without long waves (illumination), refined by Newton's steps on that
 *  sum; then again from the place found. Exact to 0.001 px without noise; with it near the
 *  bound (0.01 px for 25 disks of 3 px at contrast over noise 50, 0.04 px at 5). */
ng_shift ng_drift_measure(ng_drift *drift, const ng_image *first, const ng_image *second);

#ifdef __cplusplus
}
#endif
#endif
