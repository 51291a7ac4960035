/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of room particle that find and measure. Inside, a particle is always brighter
 * than its surroundings: images are multiplied by the polarity. */
#ifndef NUCGROW_DETECT_INTERNAL_H
#define NUCGROW_DETECT_INTERNAL_H

#include <nucgrow/detect.h>

/* ---- disk_table.c: D(P, R) and its slopes by interpolation ------------------------------- */

/* Nodes in u = P - R over [-NG_DISK_REACH, NG_DISK_REACH], rows in 1/R over [0, 1/NG_DISK_LEAST];
 * linear between: D to 1e-4 absolute, the slopes to 2e-4. */
#define NG_DISK_REACH 5
#define NG_DISK_LEAST 0.5 /* smallest R */
enum {
    NG_DISK_PER_UNIT = 32,
    NG_DISK_NODES = 2 * NG_DISK_REACH * NG_DISK_PER_UNIT + 1,
    NG_DISK_ROWS = 256
};

/* The profile and its slopes for one R; a node holds D, dD/dP, dD/dR side by side, so that one
 * operation interpolates them all. */
enum { NG_DISK_D, NG_DISK_BY_P, NG_DISK_BY_R, NG_DISK_VALUES = 4 };
typedef struct ng_disk_row {
    float node[NG_DISK_NODES + 1][NG_DISK_VALUES];
} ng_disk_row;

typedef struct ng_disk_table ng_disk_table;
NG_MUST_CHECK ng_status ng_disk_table_create(ng_disk_table **out, ng_error *err);
void ng_disk_table_destroy(ng_disk_table *table);
/* Row for R >= NG_DISK_LEAST. */
void ng_disk_table_row(const ng_disk_table *table, double R, ng_disk_row *row);
/* D of a row at u = P - R. */
double ng_disk_row_D(const ng_disk_row *row, double u);

/* ---- disk_fit.c -------------------------------------------------------------------------- */

enum { NG_FIT_X, NG_FIT_Y, NG_FIT_R, NG_FIT_C, NG_FIT_B, NG_FIT_N };

/* Pixels of one fit; positions relative to those of the caller. */
typedef struct ng_fit_pixels {
    float *x, *y, *f; /* borrowed, room for `most` each */
    size_t n, most;
} ng_fit_pixels;

typedef struct ng_disk_fit {
    double value[NG_FIT_N]; /* px and counts */
    double information[15]; /* J^T J, lower triangle by rows, at the end */
    double chi2, chi2_flat; /* sums of squares: with the disk, with a constant alone */
    bool wants_shape;       /* asked for: */
    double edge_px;         /* blur that this particle alone asks for */
    double elongation;      /* of what the disk leaves: by how much it is longer along `angle` than
                               across, over its standard error for unit noise */
    double angle;
    size_t n; /* pixels */
    int steps;
    bool converged;
} ng_disk_fit;

/* Least squares from fit->value on; `blur` is the s.d. of the whole blur. value[R] stays within
 * [0.5 blur, most_r], the centre within `reach` of the start. Allocates nothing. */
void ng_disk_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                     double most_r, double reach, ng_disk_fit *fit);

/* Sum of squares that an ellipse leaves: two values more than a disk, from which it starts. Ratio
 * of its axes, minor over major. */
double ng_ellipse_fit_chi2(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                           double most_r, double reach, const double value[NG_FIT_N],
                           double *ratio);

/* Several disks on one background at once. */
enum { NG_JOINT_MOST = 4 };
typedef struct ng_joint_fit {
    size_t disks;                          /* 1 to NG_JOINT_MOST */
    double value[NG_JOINT_MOST][NG_FIT_N]; /* one background: that of the first */
    double covariance[NG_JOINT_MOST][15];  /* for unit noise, lower triangle by rows */
    double chi2;
    size_t n;
    int steps;
    bool converged;
} ng_joint_fit;
/* `most_r`, `reach`: one a disk. */
void ng_joint_fit_run(const ng_disk_table *table, double blur, const ng_fit_pixels *pixels,
                      const double *most_r, const double *reach, ng_joint_fit *fit);

/* Covariance for unit noise from the information: lower triangle; false when it is singular. */
bool ng_disk_fit_covariance(const double information[15], double covariance[15]);
/* Put the values of the model in place of the pixels. */
void ng_disk_fit_draw(const ng_disk_table *table, double blur, const double value[NG_FIT_N],
                      ng_fit_pixels *pixels);

/* ---- mask.c ------------------------------------------------------------------------------ */

/* One piece of the mask. */
typedef struct ng_piece {
    size_t x0, y0, x1, y1; /* box, x1 and y1 beyond */
    size_t area;
    double x, y;       /* centroid */
    double background; /* local, of the smoothed image */
    float peak;        /* highest of the smoothed image over the local background, in its s.d. */
    float top;         /* the same in counts */
    bool edge, split;
} ng_piece;

typedef struct ng_mask_work {
    ng_image smooth, mean, sd, scratch[2];
    ng_local *local;
    ng_integral integral; /* for the relative form only */
    unsigned char *mask, *skip;
    uint32_t *label, *crop_label, *order, *parent;
    float *line;     /* NG_LINE(width, height) floats: distances, noise, outlines */
    ng_piece *piece; /* grows as needed */
    size_t n, room;
} ng_mask_work;

#define NG_LINE(width, height) (((size_t)1 << 15) + 6 * ((width) + (height) + 3))

NG_MUST_CHECK ng_status ng_mask_work_create(const ng_detect_options *options, size_t width,
                                            size_t height, ng_mask_work *work, ng_error *err);
void ng_mask_work_free(ng_mask_work *work);
/* From window[centre] (as read) to work->label and work->piece. */
NG_MUST_CHECK ng_status ng_mask_find(ng_mask_work *work, const ng_detect_choices *choices,
                                     const ng_image *const *window, size_t n, size_t centre,
                                     ng_error *err);
/* The pixels of a piece go to the nearer of two edges; the second becomes a piece of its own, the
 * last. Disks: x, y, r. */
NG_MUST_CHECK ng_status ng_mask_divide(ng_mask_work *work, uint32_t own, const double first[3],
                                       const double second[3], ng_error *err);
/* The pixels of `other` become those of `own` again; `other` is left without. */
void ng_mask_unite(ng_mask_work *work, uint32_t own, uint32_t other);

/* ---- detect_frame.c ---------------------------------------------------------------------- */

/* A table takes longer to make than a frame to measure: many detectors can borrow one. */
NG_MUST_CHECK ng_status ng_detector_create_with(const ng_disk_table *table,
                                                const ng_detect_choices *choices, size_t width,
                                                size_t height, ng_detector **out, ng_error *err);

/* A simulation of what was seen: the fitted disks with this blur and noise from this generator. */
typedef struct ng_blur_trial {
    double truth; /* s.d. of the whole blur */
    gsl_rng *rng;
} ng_blur_trial;
/* Fits of the last measured frame again, with other blurs (s.d. of the whole blur): adds for each
 * the sum of squares over noise^2 of the conspicuous, isolated disks to cost[], and counts those.
 * With a trial, simulated pixels stand in place of the seen ones. */
void ng_detector_blur_costs(ng_detector *detector, const ng_image *raw, const double *blur,
                            size_t n, const ng_blur_trial *trial, double *cost, size_t *used);
/* Highest pieces of the last frame: sum of the squares of the peaks above `least`. */
double ng_detector_peaks(const ng_detector *detector, double least);
/* S.d. of the whole blur: the optical one and the width of a pixel. */
double ng_whole_blur(double blur_px);

/* ---- detect_choose.c --------------------------------------------------------------------- */

/* Noise, its correlation and the background: medians over frames (<= 12). */
NG_MUST_CHECK ng_status ng_pilot_noise(const ng_image *frame, size_t n, ng_detect_choices *out,
                                       ng_error *err);
/* Square of the s.d. of the Gaussian that makes white noise so correlated between neighbours. */
double ng_noise_grain2(double correlation);
/* ---- shape.c ----------------------------------------------------------------------------- */

typedef struct ng_shape {
    double area_px, x, y; /* centroid */
    double circularity;   /* 4 pi A / P^2 */
    double solidity;      /* area over that of the convex hull */
    double ellipse_ratio; /* minor over major axis of the ellipse of equal second moments */
} ng_shape;

/* Of the pixels of `label` that carry `own`, within box. `chain`: 6 (rows of the box) floats. */
ng_shape ng_shape_of(const uint32_t *label, size_t width, ng_box box, uint32_t own, float *chain);

#endif
