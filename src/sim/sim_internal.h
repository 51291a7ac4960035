/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of room `sim` share. */
#ifndef NUCGROW_SIM_INTERNAL_H
#define NUCGROW_SIM_INTERNAL_H

#include <nucgrow/sim.h>

#include <fftw3.h>

#define NG_SIM_PI 3.14159265358979323846

/* A complex number as FFTW lays it out; C's own complex product looks for NAN each time. */
typedef struct ng_cf {
    float re, im;
} ng_cf;

static inline ng_cf ng_cf_mul(ng_cf a, ng_cf b)
{
    return (ng_cf){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* conj(a) * b */
static inline ng_cf ng_cf_mulc(ng_cf a, ng_cf b)
{
    return (ng_cf){a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re};
}

static inline float ng_cf_norm(ng_cf a)
{
    return a.re * a.re + a.im * a.im;
}

/* fmaxf cannot be inlined, as it minds NAN. */
static inline float ng_larger(float a, float b)
{
    return a > b ? a : b;
}

static inline fftwf_complex *ng_cf_fftw(ng_cf *a)
{
    return (fftwf_complex *)a;
}

/* ---- memory that FFTW's vector code likes (aligned.c) ---------------------------------------- */

/* Like ng_alloc, on a multiple of 64 bytes. */
void *ng_sim_aligned(size_t n, size_t size);
void ng_sim_aligned_free(void *p);

/* ---- sizes (plane.c) ------------------------------------------------------------------------- */

/* The even length from `least` on that FFTW transforms cheapest. */
size_t ng_sim_good_length(size_t least);

/* Columns of a spectrum that are transformed together: one cache line. */
#define NG_SIM_BLOCK 8

/* ---- transforms of whole complex planes (plane.c) -------------------------------------------- */

typedef struct ng_sim_plane {
    size_t width, height, block;  /* block: columns transformed together */
    fftwf_plan row[2], column[2]; /* forward, backward; neither is scaled */
} ng_sim_plane;

NG_MUST_CHECK ng_status ng_sim_plane_create(size_t width, size_t height, ng_sim_plane *out,
                                            ng_error *err);
void ng_sim_plane_free(ng_sim_plane *plane);
/* width x height zeros and room to transform them in; ng_sim_aligned_free; NULL: no memory. */
ng_cf *ng_sim_plane_new(const ng_sim_plane *plane);
/* That room. */
static inline ng_cf *ng_sim_plane_scratch(const ng_sim_plane *plane, ng_cf *data)
{
    return data + plane->width * plane->height + plane->width % 2;
}
/* `data` is of ng_sim_plane_new. */
void ng_sim_plane_forward(const ng_sim_plane *plane, ng_cf *data);
void ng_sim_plane_backward(const ng_sim_plane *plane, ng_cf *data);

/* Signed frequency of bin i of n, in cycles per sample. */
static inline double ng_sim_bin(size_t i, size_t n)
{
    return (2 * i < n ? (double)i : (double)i - (double)n) / (double)n;
}

/* ---- transforms of real images of which few frequencies matter (lattice.c) ------------------- */

/* Real images of width x height, of whose spectra the columns kx = 0..columns-1 are kept (all ky):
 * a spectrum is height rows of `columns`, a multiple of NG_SIM_BLOCK. Nothing is scaled. Two real
 * rows go through one complex transform. */
typedef struct ng_sim_lattice {
    size_t width, height, columns;
    fftwf_plan row[2]; /* forward, backward; like the rest from one array into another */
    fftwf_plan take, give;
} ng_sim_lattice;

NG_MUST_CHECK ng_status ng_sim_lattice_create(size_t width, size_t height, size_t columns,
                                              ng_sim_lattice *out, ng_error *err);
void ng_sim_lattice_free(ng_sim_lattice *lattice);
/* `pair` holds two rows as real and imaginary part, `line` is scratch of the same size. */
void ng_sim_lattice_rows_forward(const ng_sim_lattice *l, ng_cf *pair, ng_cf *line, ng_cf *a,
                                 ng_cf *b);
void ng_sim_lattice_rows_backward(const ng_sim_lattice *l, const ng_cf *a, const ng_cf *b,
                                  ng_cf *line, ng_cf *pair);
/* Block of columns out of (into) a spectrum, transformed. `block` holds height x NG_SIM_BLOCK, and
 * so does `scratch`. */
void ng_sim_lattice_take(const ng_sim_lattice *l, ng_cf *spectrum, size_t column, ng_cf *block);
void ng_sim_lattice_give(const ng_sim_lattice *l, ng_cf *block, ng_cf *scratch, size_t column,
                         ng_cf *spectrum);

/* ---- bands (bands.c) ------------------------------------------------------------------------- */

/* Least squares for frame_p = f_p (c_0 + u cos phi_p - v sin phi_p), c_1 = (u + i v)/2: weights of
 * the frames in c_0, u, v. */
void ng_sim_frame_weights(size_t phases, const double *phase, const double *intensity,
                          double weight[3][NG_SIM_MAX_PHASES]);

/* A loop on the threads of `run` that says nothing of its progress. */
NG_MUST_CHECK ng_status ng_sim_loop(size_t n, ng_task *task, void *context, const ng_run *run,
                                    ng_error *err);

#endif
