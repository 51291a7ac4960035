/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files that find and measure spots. Inside, a spot is always brighter than its
 * surroundings: images are multiplied by the polarity. Lengths are in pixels, light in counts. */
#ifndef NUCGROW_SPOT_INTERNAL_H
#define NUCGROW_SPOT_INTERNAL_H

#include "detect_internal.h"
#include "grid.h"

/* ---- spot_fit.c -------------------------------------------------------------------------- */

/* Most spots that are fitted together. */
enum { NG_SPOT_CLUSTER = 8, NG_SPOT_PARAMETERS = 4 * NG_SPOT_CLUSTER + 1 };

/* Variance of a pixel whose mean is `mean`: level + gain (mean - background). That of photons
 * above an offset, and read noise; gain 0 is noise that does not depend on the light. */
typedef struct ng_spot_noise {
    double level, gain, background;
} ng_spot_noise;

ng_spot_noise ng_spot_noise_of(const ng_pixel_noise *noise);
double ng_spot_variance(const ng_spot_noise *noise, double mean);

/* Covariance of a spot less that of a round one: (round + straight, slanted; slanted, round -
 * straight). */
typedef struct ng_spot_shape {
    double round, straight, slanted;
    double variance; /* of either of the last two; NAN: unknown */
} ng_spot_shape;

/* Flux spread by a Gaussian of s.d. `width` over the area of pixels. */
typedef struct ng_spot {
    double x, y, flux, width, background;
    double x_var, y_var, flux_var, width_var; /* NAN without a fit */
    double width_step;   /* of lonely spots while residuals are gathered: what it would move by */
    ng_spot_shape shape; /* likewise */
    double z; /* root of twice the gain in log likelihood over no spot; of the filter without fit */
    unsigned flag;
    bool spared;        /* below the threshold beside another such: to be looked at again */
    bool fitted, fresh; /* fresh: has never been fitted where its neighbours are now */
} ng_spot;

/* What spots are fitted to. */
typedef struct ng_spot_scene {
    const ng_image *image;    /* bright spots, finite */
    const unsigned char *bad; /* pixels to leave out, or NULL */
    ng_spot_noise noise;
    double most;           /* pixels from here on are saturated and left out; INFINITY */
    float lowest, highest; /* of the pixels of the image */
    double width;          /* of all spots */
    bool free_width;       /* each its own */
    bool fixed_places;     /* flux and background only */
    size_t reach;          /* pixels are used so far from a centre, along rows and columns */
} ng_spot_scene;

/* Scratch that grows as needed; start from zeros. */
typedef struct ng_spot_work {
    float *floats; /* owned */
    size_t room;
    struct ng_spot_residual *residual; /* borrowed, or NULL: where residuals are gathered */
} ng_spot_work;

/* Sums of residual^2 - what is expected, by the light of the spot: for the noise of the movie. */
typedef struct ng_spot_residual {
    bool shapes;                 /* lonely spots are asked for theirs */
    size_t spots;                /* fits of so many together add to it */
    double matrix[6], vector[3]; /* of 1, s, s^2 with weights 1/variance^2 */
    size_t pixels;
} ng_spot_residual;

void ng_spot_work_free(ng_spot_work *work);
/* Maximum likelihood for the spots spot[0..n-1] together, n <= NG_SPOT_CLUSTER, from their values
 * on, by Fisher's scoring; the light of other[] is taken as it is. A common background. Fills
 * values, variances, z, `fitted` and the flags of pixels; where they do not settle, all keep their
 * values and are not `fitted`, and z is that of these values. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_spot_fit(ng_spot_work *work, const ng_spot_scene *scene,
                                    ng_spot *const *spot, size_t n, const ng_spot *const *other,
                                    size_t n_other, ng_error *err);
/* Add `share` of a spot's light to an image, within `reach` of it. */
void ng_spot_draw(const ng_spot *spot, double share, size_t reach, ng_image *image);

/* ---- spot_frame.c ------------------------------------------------------------------------ */

typedef struct ng_spots ng_spots;

NG_MUST_CHECK ng_status ng_spots_create(const ng_detect_choices *choices, size_t width,
                                        size_t height, ng_spots **out, ng_error *err);
void ng_spots_destroy(ng_spots *spots); /* NULL is fine */
/* All spots of window[centre] whose z reaches `least_z`, sorted by row. Borrowed. */
NG_MUST_CHECK ng_status ng_spots_find(ng_spots *spots, const ng_image *const *window, size_t n,
                                      size_t centre, double least_z, const ng_spot **out,
                                      size_t *n_out, ng_error *err);
/* The same as particles, with intensities from `flux` where that is not NULL. */
NG_MUST_CHECK ng_status ng_spots_measure(ng_spots *spots, const ng_image *const *window, size_t n,
                                         size_t centre, const ng_image *flux, ng_detect_frame *out,
                                         ng_error *err);
/* Isolated fits add to `residual` from here on; NULL: no more. */
void ng_spots_gather(ng_spots *spots, ng_spot_residual *residual);

/* Window of a fit, and the width of the filter over that of a spot. */
size_t ng_spot_reach(double width);
#define NG_SPOT_FILTER 1.2

/* ---- spot_choose.c ----------------------------------------------------------------------- */

/* False spots a frame that are let through: as asked, or, of NAN, by how many spots there are each
 * frame. */
double ng_spots_wanted_false(double asked, double each);
NG_MUST_CHECK ng_status ng_spots_settle(const ng_image *frame, size_t n,
                                        const ng_detect_options *asked, ng_detect_choices *choices,
                                        ng_warnings *warnings, ng_error *err);
/* Width and noise of the stack that intensities come from. */
NG_MUST_CHECK ng_status ng_spots_settle_flux(const ng_image *frame, size_t n,
                                             ng_detect_choices *choices, ng_warnings *warnings,
                                             ng_error *err);

/* ---- spot_flux.c ------------------------------------------------------------------------- */

/* Check options.flux against the movie, and settle what is to be known of it. */
NG_MUST_CHECK ng_status ng_flux_choose(ng_movie *movie, ng_detect_choices *out,
                                       ng_warnings *warnings, ng_error *err);
/* Frame `frame` of the stack of intensities: the mean of `each` pages. `page` is scratch. */
NG_MUST_CHECK ng_status ng_flux_read(ng_movie *flux, size_t frame, size_t each, ng_image *page,
                                     ng_image *mean, ng_error *err);

/* ---- spot_raw.c -------------------------------------------------------------------------- */

typedef struct ng_raw_spots ng_raw_spots;

/* Check options.raw against the movie, and settle the height. */
NG_MUST_CHECK ng_status ng_raw_choose(ng_movie *movie, ng_detect_choices *out,
                                      ng_warnings *warnings, ng_error *err);
/* `each` frames of so many pixels. */
NG_MUST_CHECK ng_status ng_raw_read_set(ng_movie *raw, size_t set, size_t each, size_t pixels,
                                        float *frames, ng_error *err);
/* width, height: of the movie, in whose pixels places and labels are. */
NG_MUST_CHECK ng_status ng_raw_spots_create(const ng_detect_choices *choices, size_t width,
                                            size_t height, ng_raw_spots **out, ng_error *err);
void ng_raw_spots_destroy(ng_raw_spots *spots); /* NULL is fine */
/* All spots of a set of raw frames as particles; out->pixel is left to the caller. */
NG_MUST_CHECK ng_status ng_raw_spots_measure(ng_raw_spots *spots, const float *frames, size_t set,
                                             ng_detect_frame *out, ng_error *err);

/* ---- spot_table.c ------------------------------------------------------------------------ */

/* Pixels within `r` pixels of a particle's raw place carry its number, of two the nearer one's. */
void ng_spot_labels(const ng_particle *particle, size_t n, double pixel_nm, double r, size_t width,
                    size_t height, uint32_t *label);

#endif
