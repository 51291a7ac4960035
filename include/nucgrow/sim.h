/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/sim.h
 * Room `sim`: structured illumination, from raw frames to super-resolved images whose counts are
 * true. May include base and image.
 *
 * Frame p of direction d is D = gain * Poisson(f_p H[I_p S] + b) + offset + read noise, with the
 * illumination I_p = 1 + m cos(2 pi k r + phi_p), the object S on a grid of half the camera's
 * pixel, and H the optical transfer function together with the camera's pixels. Positions r are in
 * camera pixels from the centre of pixel (0, 0): x is the column, y the row. A pattern (k, phi) and
 * its mirror (-k, -phi) are the same light.
 *
 * Images are float, row by row from the top left; a set of raw frames is its frames one after the
 * other, in the order of the file. Intensities are the camera's counts.
 */
#ifndef NUCGROW_SIM_H
#define NUCGROW_SIM_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NG_SIM_MAX_DIRECTIONS 8
#define NG_SIM_MAX_PHASES 16
#define NG_SIM_MAX_FRAMES (NG_SIM_MAX_DIRECTIONS * NG_SIM_MAX_PHASES)
/** Sides of a raw frame, in pixels. */
#define NG_SIM_MIN_SIDE 32
#define NG_SIM_MAX_SIDE 16384

/* ---- optics ------------------------------------------------------------------------------- */

/** A measured transfer function: radial, 1 at k = 0, the camera's pixel included; linear between
 *  the knots, 0 beyond the last. */
typedef struct ng_sim_otf_table {
    double *per_um; /* owned, rising from 0 */
    double *value;  /* owned, 0..1 */
    size_t n;
} ng_sim_otf_table;

/** What the microscope passes on. */
typedef struct ng_sim_optics {
    double na;                        /* numerical aperture, 0.1..1.7 */
    double wavelength_nm;             /* of the emitted light, 200..2000 */
    double pixel_nm;                  /* of the camera, seen from the sample, 5..1000 */
    double damping;                   /* a in a^(k/k_c): 1 none, 0.05..1 */
    const ng_sim_otf_table *measured; /* borrowed; NULL: theory */
} ng_sim_optics;

/** NA 1.45, 520 nm, 65 nm, no damping. */
ng_sim_optics ng_sim_optics_defaults(void);
/** Ranges, and that the camera samples finer than the cutoff needs: NG_INVALID with what to check.
 */
NG_MUST_CHECK ng_status ng_sim_optics_check(const ng_sim_optics *optics, ng_error *err);
/** k_c = 2 NA / lambda, in cycles per um. */
double ng_sim_cutoff_per_um(const ng_sim_optics *optics);
/** Transfer of the optics without the pixel at |k| cycles per um. In theory
 *  (2/pi)(acos q - q sqrt(1 - q^2)) a^q, q = k/k_c, and 0 beyond k_c. Source: Born & Wolf,
 *  Principles of Optics, section 9.5 (incoherent, circular pupil). */
double ng_sim_otf(const ng_sim_optics *optics, double k_per_um);
/** The same with the camera's square pixel: times sinc(kx p) sinc(ky p) in theory. */
double ng_sim_transfer(const ng_sim_optics *optics, double kx_per_um, double ky_per_um);

/** Read a table with the columns k_per_um,otf (header and `#` lines allowed). Owned by the caller.
 *  @return NG_FORMAT with the line, NG_INVALID, NG_IO, NG_MEMORY */
NG_MUST_CHECK ng_status ng_sim_otf_table_read(const char *path, ng_sim_otf_table *out,
                                              ng_error *err);
/** Radial mean of an image of the transfer function: k = 0 at pixel (width/2, height/2), steps of
 *  1/(width pixel_nm); scaled to 1 at k = 0. Owned by the caller. */
NG_MUST_CHECK ng_status ng_sim_otf_table_from_image(const float *pixel, size_t width, size_t height,
                                                    double pixel_nm, ng_sim_otf_table *out,
                                                    ng_error *err);
void ng_sim_otf_table_free(ng_sim_otf_table *table);

/* ---- frames ------------------------------------------------------------------------------- */

typedef enum ng_sim_order {
    NG_SIM_ANGLE_MAJOR, /* all phases of the first direction, then the second, ... */
    NG_SIM_PHASE_MAJOR  /* all directions of the first phase, then the second, ... */
} ng_sim_order;

/** One image's worth of raw frames. */
typedef struct ng_sim_layout {
    size_t width, height; /* of a raw frame */
    size_t directions;    /* 1..NG_SIM_MAX_DIRECTIONS */
    size_t phases;        /* 3..NG_SIM_MAX_PHASES */
    ng_sim_order order;
} ng_sim_layout;

/** Frames in a set. */
size_t ng_sim_layout_frames(const ng_sim_layout *layout);
/** Where in the set direction `d`, phase `p` lies. */
size_t ng_sim_layout_index(const ng_sim_layout *layout, size_t d, size_t p);
NG_MUST_CHECK ng_status ng_sim_layout_check(const ng_sim_layout *layout, ng_error *err);
/** Refuse what no reconstruction can be made of: a pixel that is not finite (NG_INVALID with frame,
 *  column, row), a frame of one value only (NG_TOO_LITTLE). `first` is the number of the first
 *  frame in the file, for messages. */
NG_MUST_CHECK ng_status ng_sim_frames_check(const ng_sim_layout *layout, const float *frames,
                                            size_t first, ng_error *err);

/* ---- camera ------------------------------------------------------------------------------- */

/** counts = offset + gain * photoelectrons + read noise. */
typedef struct ng_sim_camera {
    double offset;             /* counts */
    double gain;               /* counts per photoelectron */
    double read_noise;         /* counts, standard deviation */
    double offset_se, gain_se; /* NAN when given */
    bool offset_estimated, gain_estimated;
} ng_sim_camera;

/**
 * Offset and gain from the frames themselves: beyond the optical cutoff there is noise only, whose
 * local variance grows with the local mean, gain * (mean - offset). Read noise cannot be told from
 * offset this way: the offset found is the one at which the variance vanishes, offset -
 * read^2/gain, and `read_noise` is set to 0, which gives every pixel its right variance.
 * Members of `camera` that are finite are kept (offset, gain, read_noise), NAN are estimated.
 *
 * The slope comes from an instrument (the mean of the other frames), so that noise in the local
 * mean does not lower it; standard errors from the spread over blocks of the field.
 * Warnings: camera-unsure when the gain's standard error is above 20 % or the field has too little
 * contrast: gain 1, offset = the darkest thousandth of the pixels.
 */
NG_MUST_CHECK ng_status ng_sim_camera_estimate(const ng_sim_layout *layout,
                                               const ng_sim_optics *optics, const float *frames,
                                               ng_sim_camera *camera, ng_warnings *warnings,
                                               ng_error *err);

/** Is it the camera of these frames? Warning below-offset; NG_INVALID when most pixels are below
 *  the offset. */
NG_MUST_CHECK ng_status ng_sim_camera_check(const ng_sim_layout *layout,
                                            const ng_sim_camera *camera, const float *frames,
                                            ng_warnings *warnings, ng_error *err);

/* ---- pattern ------------------------------------------------------------------------------ */

/** What is known beforehand of the pattern, and how hard to look. */
typedef struct ng_sim_pattern_options {
    double ring_min, ring_max; /* |k| is sought here, in units of k_c; default 0.4, 1.05 */
    double pattern_na;         /* NA of the illumination with pattern_wavelength_nm: |k| within 10 %
                                  of 2 NA / lambda instead; NAN: unknown */
    double pattern_wavelength_nm;
    long starts; /* distinct maxima that are followed, 1..32; default 24 */
    enum { NG_SIM_PHASES_AUTO, NG_SIM_PHASES_EQUAL, NG_SIM_PHASES_FREE } steps;
    double least_peak;       /* refuse below this peak over median, default 6, */
    double least_explained;  /* unless so much of band 1 is explained; default 0.4 */
    double least_modulation; /* default 0.1 */
} ng_sim_pattern_options;

ng_sim_pattern_options ng_sim_pattern_defaults(void);

/** Illumination of one direction. Standard errors (`_se`) are one standard deviation. */
typedef struct ng_sim_direction {
    double kx, ky; /* cycles per camera pixel */
    double kx_se, ky_se;
    double modulation, modulation_se; /* m, 0..1 */
    double phase[NG_SIM_MAX_PHASES];  /* rad at the centre of pixel (0, 0) */
    double phase_se[NG_SIM_MAX_PHASES];
    double phase_centre_se;              /* rad, at the centre of the field */
    double step_se[NG_SIM_MAX_PHASES];   /* part of phase_se that is this position's own */
    double intensity[NG_SIM_MAX_PHASES]; /* f_p relative to the mean of the set */
    double peak;                         /* correlation at k over the median at like |k| */
    double second_peak;                  /* what the next best k explains, relative to this one */
    double explained; /* share of band 1 that is band 0 moved by k, where both are seen, 0..1 */
    double contrast_to_noise; /* see ng_sim_quality */
    bool equal_steps;         /* phases are equal steps of 2 pi / P */
    bool trusted;
    char reason[200]; /* why not */
} ng_sim_direction;

/** The pattern of a microscope: estimated, or read from a file. */
typedef struct ng_sim_pattern {
    ng_sim_layout layout;
    ng_sim_optics optics; /* `measured` is NULL when read from a file */
    ng_sim_camera camera;
    ng_sim_direction direction[NG_SIM_MAX_DIRECTIONS];
    double cutoff_seen; /* what the bands fit, over that of `optics`; 1: no other; 0: from a file */
    bool order_looks_wrong; /* the other order of frames shows stronger patterns */
    bool trusted;           /* all directions are, and they agree with one another */
    char reason[256];       /* why not, in one sentence */
} ng_sim_pattern;

/**
 * Find the pattern in a set of raw frames.
 *
 * Bands C_j = pinv(M) D, M_pj = exp(i j phi_p), j = 0, 1, -1. k: maxima of the correlation of
 * H C_0 with H C_1 over the ring, each followed by a Newton search on the likelihood of
 * H(k') C_1(k') ... = c H C_0, in which both sides are noisy (the noise is measured beyond the
 * cutoff); c = m/2 exp(i phi). Phases: equal steps unless the frames say otherwise (or `steps`
 * does). A pattern that is to be trusted is then refined by the Poisson likelihood of the frames,
 * alternating with the object of the joint reconstruction. Standard errors by the sandwich of
 * curvature and scatter of the scores.
 *
 * A pattern that is not to be trusted is returned with NG_OK, `trusted` false and the reason.
 * Warnings: saturated, phases-unequal, order, bleaching, cutoff (of a trusted pattern).
 * Errors: those of the checks above, NG_CANCELLED, NG_MEMORY.
 * Source: Gustafsson, J. Microsc. 198, 82 (2000); noise in both bands: Fuller, Measurement Error
 * Models (1987), section 1.3; phases of single frames: Wicker et al., Opt. Express 21, 2032 (2013);
 * alternation: Meng, Rubin, J. Am. Stat. Assoc. 86, 899 (1991).
 */
NG_MUST_CHECK ng_status ng_sim_pattern_estimate(const ng_sim_layout *layout,
                                                const ng_sim_optics *optics,
                                                const ng_sim_camera *camera, const float *frames,
                                                const ng_sim_pattern_options *options,
                                                const ng_run *run, ng_sim_pattern *out,
                                                ng_warnings *warnings, ng_error *err);

/** Follow a slow drift: phases of `pattern` anew from other frames, k, m and the steps from phase
 *  to phase kept. Directions whose standard error would be above 0.2 rad keep their phases. */
NG_MUST_CHECK ng_status ng_sim_pattern_track(const ng_sim_pattern *pattern, const float *frames,
                                             ng_sim_pattern *out, ng_error *err);

/** Content of a pattern file but for schema, provenance and warnings. Owned; NULL: no memory. */
struct json_t *ng_sim_pattern_json(const ng_sim_pattern *pattern);
/** Read a pattern file (schema nucgrow/pattern/1, or a result of `reconstruct`).
 *  @return NG_IO, NG_FORMAT with the key that is missing or wrong */
NG_MUST_CHECK ng_status ng_sim_pattern_read(const char *path, ng_sim_pattern *out, ng_error *err);
/** The measured transfer function of a pattern file; out->n is 0 where theory was used. Owned.
 *  @return NG_FORMAT with the key that is wrong, NG_MEMORY */
NG_MUST_CHECK ng_status ng_sim_pattern_read_otf(const char *path, ng_sim_otf_table *out,
                                                ng_error *err);
/** Background of each set, counts on a raw pixel, from a result of `reconstruct`. Owned (ng_free).
 *  @return NG_FORMAT where there is none, or one is not above 0; NG_MEMORY */
NG_MUST_CHECK ng_status ng_sim_backgrounds_read(const char *path, double **out, size_t *n,
                                                ng_error *err);

/* ---- reconstruction ----------------------------------------------------------------------- */

typedef enum ng_sim_mode {
    NG_SIM_JOINT,       /* all frames together, Poisson, positive: flux is true */
    NG_SIM_TWO_STEP,    /* each frame deconvolved, bands put together, deconvolved again */
    NG_SIM_WIENER,      /* linear, for comparison; may be negative */
    NG_SIM_WIDEFIELD,   /* mean of the frames */
    NG_SIM_DECONVOLVED, /* wide field, Richardson-Lucy */
    NG_SIM_SECTION      /* optical section: the modulated part */
} ng_sim_mode;

typedef struct ng_sim_reconstruct_options {
    ng_sim_mode mode;
    double background; /* counts of even light on a camera pixel of one frame; NAN: estimated */
    long passes;       /* 1..1000 over all frames; 0: until three in four of the lit blocks change
                          by less than 1 % in a pass (joint, deconvolved); 30 (two-step) */
    long frame_passes; /* two-step: passes over each raw frame, taken as linear; default 1 */
    double kernel_nm;  /* FWHM of the final kernel, 0: none; NAN: 0.86/(k_c + |k|) */
    double wiener;     /* w^2 relative to |H|^2 at k = 0; NAN: from noise and signal */
    long margin;       /* camera pixels around the field in which light may lie; default 8 */
} ng_sim_reconstruct_options;

ng_sim_reconstruct_options ng_sim_reconstruct_defaults(void);

/** A reconstruction in waiting: tables, plans and scratch for one pattern. Nothing is allocated
 *  while it runs. Not to be shared between threads; make one for each. */
typedef struct ng_sim_reconstructor ng_sim_reconstructor;

/** `pattern` is copied, but `pattern->optics.measured` is borrowed while the object lives. At most
 *  `threads` will work inside of one image. FFTW's planner is called: not from two threads at once.
 *  @return NG_INVALID with the option that is out of range, NG_MEMORY */
NG_MUST_CHECK ng_status ng_sim_reconstructor_create(const ng_sim_pattern *pattern,
                                                    const ng_sim_reconstruct_options *options,
                                                    int threads, ng_sim_reconstructor **out,
                                                    ng_error *err);
void ng_sim_reconstructor_destroy(ng_sim_reconstructor *r); /* NULL is fine */
/** Size of the image that comes out: twice the raw frame, but for the modes on the camera's grid
 *  (wide field and section). */
void ng_sim_reconstructor_size(const ng_sim_reconstructor *r, size_t *width, size_t *height);
/** Other phases and intensities for the frames that follow (see ng_sim_pattern_track). */
void ng_sim_reconstructor_phases(ng_sim_reconstructor *r, const ng_sim_pattern *pattern);

/** Even light under the objects of a set, counts on a camera pixel of one frame above the offset:
 *  the most frequent value of the mean frame, its noise averaged out. Where no place is free of
 *  objects, their haze counts as background: of a movie in which objects appear, take the lowest.
 *  Source: Bickel, Fruehwirth, Comput. Stat. Data Anal. 50, 3500 (2006). */
double ng_sim_reconstructor_background(ng_sim_reconstructor *r, const float *frames);
/** The background of a movie from those of n > 0 sets, which are sorted: the lowest that is not
 *  less than half of their median (there the shutter was closed). Haze between objects only adds
 *  to it; a background that is too low leaves an even pedestal in the image, one that is too high
 *  takes light from dim objects. */
double ng_sim_lowest_background(double *counts, size_t n);
/** Background of the frames that follow; NAN: that of each set by itself. */
void ng_sim_reconstructor_set_background(ng_sim_reconstructor *r, double counts);
/** Passes over the frames that follow, as ng_sim_reconstruct_options has them. */
void ng_sim_reconstructor_set_passes(ng_sim_reconstructor *r, long passes);

/** What a run did. */
typedef struct ng_sim_run_info {
    long passes;
    double background; /* counts */
    double changing;   /* share of the lit blocks that changed by more than 1 % in the last pass */
    bool settled;      /* false: it ended before three in four of them were steady */
    double
        light_scale; /* light of the frames over that of the image, in blocks of six spots; NAN */
    double light_scale_se; /* in modes that do not look, or too little light; its standard error */
} ng_sim_run_info;

/**
 * Reconstruct one set of frames into `image` (caller's; size as ng_sim_reconstructor_size says).
 *
 * The values are camera counts above offset and background that the light of this fine pixel gives
 * in one raw frame with even illumination: a sum over a particle is its counts in a frame. (Wide
 * field and section: per camera pixel.)
 *
 * joint: x <- x / (sum_p f_p I_p H^T 1) * sum_p f_p I_p H^T[d_p / (f_p H I_p x + b)] over one
 * direction after the other, with a part of b moved into x on both sides and Nesterov's
 * momentum from pass to pass, then a Gaussian of kernel_nm. Threads of `run` share the transforms;
 * the result is the same bytes for any number of them.
 * Source: Richardson, J. Opt. Soc. Am. 62, 55 (1972); Lucy, Astron. J. 79, 745 (1974); ordered
 * subsets: Hudson, Larkin, IEEE Trans. Med. Imaging 13, 601 (1994); two steps: Perez, Chang,
 * Stelzer, Sci. Rep. 6, 37149 (2016); section: Neil, Juskaitis, Wilson, Opt. Lett. 22, 1905 (1997).
 */
NG_MUST_CHECK ng_status ng_sim_reconstruct(ng_sim_reconstructor *r, const float *frames,
                                           const ng_run *run, float *image, ng_sim_run_info *info,
                                           ng_error *err);

/* ---- rehearsal ---------------------------------------------------------------------------- */

/**
 * A scene that is known: points on a lattice four times lambda/(2 NA) wide, of five brightnesses,
 * each twice the one before, from 8 times the error that the background alone would cause on. What
 * reconstructions of it show elsewhere is false, and how much points change from one to the next is
 * their error.
 * @param background  even light, counts on a camera pixel of one frame, >= 0
 * @param expected  counts above the offset in each frame of a set, in the order of the layout;
 * FFTW's planner is called: not from two threads at once
 */
NG_MUST_CHECK ng_status ng_sim_rehearsal(const ng_sim_pattern *pattern, double background,
                                         float *expected, ng_error *err);
/** Take number `take` of what is expected: photoelectrons by Poisson's law, gain, offset, read
 *  noise. The same number gives the same frames. */
NG_MUST_CHECK ng_status ng_sim_record(const ng_sim_layout *layout, const ng_sim_camera *camera,
                                      const float *expected, size_t take, float *frames,
                                      ng_error *err);

/* ---- quality ------------------------------------------------------------------------------ */

typedef enum ng_sim_grade { NG_SIM_GREEN, NG_SIM_AMBER, NG_SIM_RED } ng_sim_grade;

/** One judgement. */
typedef struct ng_sim_verdict {
    const char *name; /* static: "contrast_to_noise", "resolution", ... */
    double value;
    ng_sim_grade grade;
    char reason[200];
} ng_sim_verdict;

#define NG_SIM_MAX_VERDICTS 8

typedef struct ng_sim_quality {
    double contrast_to_noise;           /* the weakest direction's */
    double modulation;                  /* likewise */
    double illumination_variation;      /* (largest - smallest) / mean of the frames' light */
    double saturated;                   /* share of pixels at the end of the camera's range */
    double light_scale, light_scale_se; /* as in ng_sim_run_info; NAN unknown; set by the caller */
    double cutoff_nm;                   /* 1/(k_c + |k|): finer is never claimed */
    double widefield_nm;                /* 1/k_c */
    double frc_nm;        /* where the ring correlation falls below 1/7; NAN unknown */
    double resolution_nm; /* claimed: the larger of frc_nm and cutoff_nm */
    ng_sim_verdict verdict[NG_SIM_MAX_VERDICTS];
    size_t n_verdicts;
} ng_sim_quality;

/** Judge a pattern and the frames that it came from; frc_nm and light_scale are left NAN.
 *  Contrast to noise: over the brightest 2 % of the pixels, stripes from top to bottom (twice their
 *  amplitude) over the noise of one frame; rules of thumb 4 and 8 after Ball et al., Sci. Rep. 5,
 *  15915 (2015). */
void ng_sim_quality_of_frames(const ng_sim_pattern *pattern, const float *frames,
                              ng_sim_quality *out);
/** Add what the ring correlation of two reconstructions says (NAN: nothing), and the verdicts. */
void ng_sim_quality_judge(const ng_sim_pattern *pattern, double frc_nm, ng_sim_quality *out);
/** The worst grade of all verdicts. */
ng_sim_grade ng_sim_quality_grade(const ng_sim_quality *quality);
/** Content of the key `quality`. Owned; NULL: no memory. */
struct json_t *ng_sim_quality_json(const ng_sim_quality *quality);

/** Fourier ring correlation of two images of one size: ring[i] for |k| in [i, i+1) steps of 1/L, L
 *  the longer side. */
typedef struct ng_sim_frc {
    double *per_um, *correlation; /* owned */
    size_t n;
    double resolution_nm; /* first fall below 1/7; NAN: never, or from the start */
} ng_sim_frc;

NG_MUST_CHECK ng_status ng_sim_frc_compute(const float *a, const float *b, size_t width,
                                           size_t height, double pixel_nm, ng_sim_frc *out,
                                           ng_error *err);
void ng_sim_frc_free(ng_sim_frc *frc);

/** Deal the photoelectrons of each pixel of a set to two sets at random, half each (read noise and
 *  offset go along), so that one set gives two independent images. Streams of run->seed. */
NG_MUST_CHECK ng_status ng_sim_frames_split(const ng_sim_layout *layout,
                                            const ng_sim_camera *camera, const float *frames,
                                            const ng_run *run, float *a, float *b, ng_error *err);

/** The correlation of bands 0 and 1 over the plane of k, one picture of side x side grey values
 *  (0..255, logarithmic) a direction, the maximum found in the middle of a cross. */
NG_MUST_CHECK ng_status ng_sim_peak_picture(const ng_sim_pattern *pattern, const float *frames,
                                            size_t d, size_t side, unsigned char *rgb,
                                            ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
