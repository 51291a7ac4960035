/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that look for a pattern share. */
#ifndef NUCGROW_SIM_PATTERN_INTERNAL_H
#define NUCGROW_SIM_PATTERN_INTERNAL_H

#include "sim_internal.h"

#include <math.h>

#define NG_SIM_MAX_STARTS 32

/* Everything that all directions share. Frequencies are in cycles per camera pixel. */
typedef struct ng_sim_search {
    const ng_sim_layout *layout;
    const ng_sim_optics *optics;
    const ng_sim_pattern_options *options;
    const float *frames;
    ng_sim_plane plane; /* the frame, zero beyond it */
    double cutoff;
    double ring_min, ring_max;  /* where |k| is sought */
    float *taper_x, *taper_y;   /* over the raw frame, 1 inside, falling to 0 at the edges */
    float *window_x, *window_y; /* over what has been filtered */
    double share;               /* of the noise that the window lets through */
    double spread_x, spread_y;  /* mean of (2 pi (x - centre))^2 under the window squared */
    float *radial;   /* transfer of the optics by |k|, NG_SIM_RADIAL steps to the cutoff */
    float *transfer; /* H on the plane's frequencies */
    float *mean;     /* of all frames, tapered */
    ng_cf *mean_spectrum;
    double mean_noise; /* power of its noise */
} ng_sim_search;

#define NG_SIM_RADIAL 4096

/* Layout and optics are those of `pattern`, which is borrowed like the rest. */
NG_MUST_CHECK ng_status ng_sim_search_open(const ng_sim_pattern *pattern, const float *frames,
                                           const ng_sim_pattern_options *options,
                                           ng_sim_search *out, ng_error *err);
void ng_sim_search_close(ng_sim_search *search);
/* Spectrum and noise of `mean`, after it was changed. */
void ng_sim_search_mean(ng_sim_search *s);

/* One direction's planes. */
typedef struct ng_sim_bands {
    size_t d;
    ng_cf *frame[NG_SIM_MAX_PHASES]; /* spectra; overwritten as scratch by the fit */
    float *even;                     /* c_0 in space */
    ng_cf *band0, *band1;            /* C_0, C_1 */
    ng_cf *work[3], *keep[3];
    double noise0, noise1; /* powers of the noise in a coefficient */
} ng_sim_bands;

NG_MUST_CHECK ng_status ng_sim_bands_open(const ng_sim_search *s, ng_sim_bands *out, ng_error *err);
void ng_sim_bands_close(ng_sim_bands *bands);
/* Spectra of the frames of direction `d`. */
void ng_sim_bands_load(const ng_sim_search *s, size_t d, ng_sim_bands *b);
/* Bands from these frames for relative phases and intensities. */
void ng_sim_bands_separate(const ng_sim_search *s, const double *phase, const double *intensity,
                           ng_sim_bands *b);
/* Even light from all directions instead of this one's: the same object, less noise. */
void ng_sim_bands_share(const ng_sim_search *s, ng_sim_bands *b);
/* False when singular. */
bool ng_sim_invert3(double a[3][3], double inverse[3][3]);
/* Mean power beyond the cutoff. */
double ng_sim_noise_power(const ng_sim_search *s, const ng_cf *spectrum);

/* A maximum of the correlation of the bands. */
typedef struct ng_sim_candidate {
    double kx, ky, height;
} ng_sim_candidate;

/* The correlation over the plane of k, into b->work[0] (its squared modulus in .re). */
void ng_sim_correlate(const ng_sim_search *s, ng_sim_bands *b);
/* Its distinct maxima in the ring, highest first; heights over the median at their |k|. */
size_t ng_sim_candidates(const ng_sim_search *s, const ng_sim_bands *b, ng_sim_candidate *list,
                         size_t most);

/* One frequency k' of the overlap of H(k') and H(k' - k). */
typedef struct ng_sim_point {
    size_t index;
    float ha, hb;           /* H(k'), H(k' - k) */
    float slope_x, slope_y; /* of hb by kx, ky */
} ng_sim_point;

typedef void ng_sim_visit(void *context, const ng_sim_search *s, const ng_sim_point *p);

void ng_sim_each_point(const ng_sim_search *s, double kx, double ky, ng_sim_visit *call,
                       void *context);

/* c as two numbers, and all phases but the first. */
#define NG_SIM_MOST_UNKNOWN (NG_SIM_MAX_PHASES + 1)

/* Inverse of an n x n matrix, n up to NG_SIM_MOST_UNKNOWN; false when singular. */
bool ng_sim_invert(size_t n, const double *in, double *out);

/* k, and c = m/2 exp(i phi) with phi at the centre of the field. */
typedef struct ng_sim_estimate {
    double value[4]; /* kx, ky, Re c, Im c */
    double covariance[4][4];
    double gain;      /* what the stripes explain, in units of the noise */
    double overlap;   /* sum |A|^2/v less its noise */
    double explained; /* share of what C_1 holds where the bands overlap, 0..1 */
    bool converged;
} ng_sim_estimate;

/* How well k explains C_1 without a search: c and gain, roughly in 1 round, well in 3. */
void ng_sim_try(const ng_sim_search *s, ng_sim_bands *b, const double k[2], int rounds,
                ng_sim_estimate *e);
/* Newton's search from there. */
void ng_sim_refine(const ng_sim_search *s, ng_sim_bands *b, ng_sim_estimate *e);
/* A real plane moved by k in frequency: the spectrum of image exp(2 pi i k r), r from the centre of
 * the field. */
void ng_sim_shifted(const ng_sim_search *s, const float *image, double kx, double ky, ng_cf *out);

/* What one frame says for itself. */
typedef struct ng_sim_single {
    double light, light_se; /* relative to the mean frame */
    double phase, phase_se; /* at the centre of the field */
} ng_sim_single;

/* Relative phases, the first kept, from all frames of b with k known: better than `phase`, and
 * their standard errors, that of the first as part of c. False when they do not settle. */
bool ng_sim_steps(const ng_sim_search *s, ng_sim_bands *b, const double *intensity,
                  const ng_sim_estimate *e, double *phase, double *phase_se);

/* For each frame of b, with k known. */
void ng_sim_singles(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e,
                    ng_sim_single *single);

/* Factors of the cutoff that are tried: even steps of the logarithm around 1 (cutoff.c). */
#define NG_SIM_CUTOFFS 17
static inline double ng_sim_cutoff_factor(int i)
{
    return exp(0.03 * (double)(i - NG_SIM_CUTOFFS / 2));
}
/* Sum of squares over noise for each factor, of the bands at hand. b->work[0] is overwritten. */
void ng_sim_cutoff_misfit(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e,
                          double misfit[NG_SIM_CUTOFFS]);
/* The factor that the sums over all directions tell for sure; else 1. */
double ng_sim_cutoff_best(const double misfit[NG_SIM_CUTOFFS]);
void ng_sim_cutoff_warn(const ng_sim_pattern *pattern, ng_warnings *warnings);

/* k and phases of a pattern that is near anew, by the likelihood of the frames (likelihood.c). */
NG_MUST_CHECK ng_status ng_sim_pattern_sharpen(ng_sim_pattern *pattern, const float *frames,
                                               const ng_run *run, ng_error *err);

/* Fill `trusted` and the reasons. */
void ng_sim_pattern_judge(ng_sim_pattern *pattern, const ng_sim_pattern_options *options,
                          ng_warnings *warnings);
double ng_sim_contrast_to_noise(const ng_sim_search *s, const ng_sim_camera *camera, size_t d,
                                ng_sim_bands *scratch, const ng_sim_direction *direction);
const char *ng_sim_order_name(ng_sim_order order);

/* H at a frequency that is not of the plane: the optics' part of it. */
static inline float ng_sim_radial(const ng_sim_search *s, float k)
{
    const float at = k * (float)(NG_SIM_RADIAL / s->cutoff);
    if (!(at < NG_SIM_RADIAL)) {
        return 0;
    }
    const int i = (int)at;
    return s->radial[i] + (at - (float)i) * (s->radial[i + 1] - s->radial[i]);
}

static inline float ng_sim_sinc(float x)
{
    const float t = (float)NG_SIM_PI * x;
    return fabsf(t) < 1e-3F ? 1 - t * t / 6 : sinf(t) / t;
}

static inline float ng_sim_transfer_at(const ng_sim_search *s, float fx, float fy)
{
    const float h = ng_sim_radial(s, hypotf(fx, fy));
    return s->optics->measured != NULL || h == 0 ? h : h * ng_sim_sinc(fx) * ng_sim_sinc(fy);
}

#endif
