/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ways to reconstruct share. */
#ifndef NUCGROW_SIM_RECONSTRUCT_INTERNAL_H
#define NUCGROW_SIM_RECONSTRUCT_INTERNAL_H

#include "sim_internal.h"

/* ---- the two grids (grid.c) ------------------------------------------------------------------ */

/* The camera's pixels with a margin, and half of them; every size even. Fine pixel 2i and 2i+1 lie
 * in camera pixel i. */
typedef struct ng_sim_grid {
    size_t width, height; /* camera pixels, margin included */
    size_t left, top;     /* where the frame lies in them */
    size_t reach;         /* |ky| up to here pass the optics */
    ng_sim_lattice coarse, fine;
    ng_cf *transfer; /* 2 reach + 1 rows of `columns`: H, the shift of a quarter camera pixel,
                             and the scale of the transforms */
} ng_sim_grid;

NG_MUST_CHECK ng_status ng_sim_grid_create(const ng_sim_pattern *pattern, size_t margin,
                                           ng_sim_grid *out, ng_error *err);
void ng_sim_grid_free(ng_sim_grid *grid);
/* Row of ky = index - reach in a spectrum of `height` rows. */
static inline size_t ng_sim_grid_row(size_t index, size_t reach, size_t height)
{
    return index >= reach ? index - reach : height + index - reach;
}
/* One real filter on the fine grid, in frequencies up to the stripes' and the optics' together. */
typedef struct ng_sim_filter {
    ng_sim_lattice lattice;
    float *factor; /* as the lattice's spectrum lies */
    ng_cf *spectrum;
} ng_sim_filter;

NG_MUST_CHECK ng_status ng_sim_filter_create(const ng_sim_reconstructor *r, ng_sim_filter *out,
                                             ng_error *err);
void ng_sim_filter_free(ng_sim_filter *filter);
/* image (fine, padded) <- filter * image. `scratch` of r is used. */
NG_MUST_CHECK ng_status ng_sim_filter_apply(ng_sim_reconstructor *r, const ng_sim_filter *filter,
                                            float *image, const ng_run *run, ng_error *err);

/* One block of columns of H: fine spectrum (rows transformed) to coarse. */
void ng_sim_grid_down(const ng_sim_grid *g, ng_cf *fine, ng_cf *coarse, size_t column,
                      ng_cf *scratch);
/* Of its transpose. `scratch` holds 2 * fine height * NG_SIM_BLOCK. */
void ng_sim_grid_up(const ng_sim_grid *g, ng_cf *coarse, ng_cf *fine, size_t column,
                    ng_cf *scratch);

/* exp(2 pi i k u) over the camera pixels (or half pixels) of a padded side. */
void ng_sim_wave(double k, size_t n, double first, double step, ng_cf *out);

/* The final kernel over the finest period that the optics and the pattern pass. Sharper ones
 * let the points of Richardson-Lucy through, wider ones lose resolution; measured in
 * docs/reconstruct.md. */
#define NG_SIM_KERNEL 0.86

/* 1/(k_c + mean |k|): finer is never claimed. */
double ng_sim_finest_nm(const ng_sim_pattern *pattern);

/* ---- one direction's frames as the joint reconstruction sees them ---------------------------- */

/* A frame's light is even * x + cosine * (x cos) + sine * (x sin). */
typedef struct ng_sim_response {
    float even, cosine, sine; /* f_p, f_p m cos phi_p, -f_p m sin phi_p */
} ng_sim_response;

typedef struct ng_sim_subset {
    size_t frames;     /* how many */
    const float *data; /* one after the other, on the padded camera grid */
    bool striped;
    ng_sim_response term[NG_SIM_MAX_PHASES];
    const ng_cf *wave_x, *wave_y; /* on the fine grid; unless striped NULL */
} ng_sim_subset;

/* ---- light of the image against that of the frames (flux.c) ---------------------------------- */

/* A block of camera pixels. */
typedef struct ng_sim_block {
    double pixels, seen, expected; /* of the frame; light of the mean frame; of the image's */
} ng_sim_block;

NG_MUST_CHECK ng_status ng_sim_flux_create(ng_sim_reconstructor *r, ng_error *err);
/* The frames just loaded. */
void ng_sim_flux_measure(ng_sim_reconstructor *r);
/* Their light over that of r->object, into `info`. */
NG_MUST_CHECK ng_status ng_sim_flux_compare(ng_sim_reconstructor *r, const ng_run *run,
                                            ng_sim_run_info *info, ng_error *err);

/* ---- the reconstruction (reconstruct.c) ------------------------------------------------------ */

struct ng_sim_reconstructor {
    ng_sim_pattern pattern;
    ng_sim_reconstruct_options options;
    int threads;
    double kernel_nm; /* in force */
    ng_sim_grid grid;
    ng_cf *wave;     /* for each direction 2 width and 2 height values */
    float *data;     /* frames on the padded camera grid, 0 around them */
    float *mean;     /* of them */
    float *object;   /* fine, padded */
    float *spare;    /* fine, padded: the last pass's object, then for the final kernel */
    float *coverage; /* fine, padded: H^T 1 */
    ng_cf *fine_spectrum[3], *coarse_spectrum[3];
    double *lit;         /* sums over blocks of the object: now, before */
    ng_sim_block *block; /* block_side x block_side camera pixels each; even */
    size_t block_side;
    float *sorted;  /* pixels in order, for the background, and as much again */
    ng_cf *scratch; /* `scratch_each` for each thread */
    size_t scratch_each;
    struct ng_sim_two_step *two_step; /* NULL in other modes */
    struct ng_sim_linear *linear;
};

/* `run` with as many threads as pay. */
ng_run ng_sim_inner_run(const ng_sim_reconstructor *r, const ng_run *run);
/* The frames that are loaded, and their stripes. */
void ng_sim_all_subsets(const ng_sim_reconstructor *r, ng_sim_subset *subset);
/* Frames minus offset into r->data, their mean into r->mean; returns what the read noise adds to
 * their background. */
double ng_sim_load_frames(ng_sim_reconstructor *r, const float *frames);
/* Even light of the frames loaded, read noise's part included. */
double ng_sim_background(ng_sim_reconstructor *r);

/* Joint Richardson-Lucy of `n` subsets into r->object (joint.c). `background` includes the part of
 * the read noise. */
NG_MUST_CHECK ng_status ng_sim_joint(ng_sim_reconstructor *r, const ng_sim_subset *subset, size_t n,
                                     double background, const ng_run *run, ng_sim_run_info *info,
                                     ng_error *err);
/* Two rows of three real images, packed as [first of both rows], [second, third] of either; then
 * scratch. Second and third are left out when `components` is 1. */
void ng_sim_rows_back(const ng_sim_lattice *l, ng_cf *const spectrum[3], size_t components,
                      size_t row, ng_cf *const pair[4]);
void ng_sim_rows_forth(const ng_sim_lattice *l, ng_cf *const spectrum[3], size_t components,
                       size_t row, ng_cf *const pair[4]);
/* Bands of all directions onto the fine grid, put where they belong and added up (linear.c):
 * r->object = sum_d up[c_0] + striped[d] (cos up[u] + sin up[v]), with up as in `grid`.
 * `background` is taken from each frame of r->data first. */
NG_MUST_CHECK ng_status ng_sim_assemble(ng_sim_reconstructor *r, const ng_sim_grid *grid,
                                        double background, const double *striped, const ng_run *run,
                                        ng_error *err);
/* The light of r->object and of its stripes as the camera sees it: r->coarse_spectrum. */
NG_MUST_CHECK ng_status ng_sim_joint_light(ng_sim_reconstructor *r, const ng_sim_subset *subset,
                                           const ng_run *run, ng_error *err);
/* H^T 1 over the frame into r->coverage. */
NG_MUST_CHECK ng_status ng_sim_joint_coverage(ng_sim_reconstructor *r, ng_error *err);
/* Gaussian over r->object, by way of r->spare (kernel.c). */
NG_MUST_CHECK ng_status ng_sim_smooth(ng_sim_reconstructor *r, double fwhm_nm, const ng_run *run,
                                      ng_error *err);

static inline ng_cf *ng_sim_scratch(const ng_sim_reconstructor *r, int worker)
{
    return r->scratch + (size_t)worker * r->scratch_each;
}

#endif
