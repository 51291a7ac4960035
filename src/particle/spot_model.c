/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spot_model.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define PI 3.14159265358979323846
/* A variance below this share of the background's comes from a mean that has run away. */
#define LEAST_VARIANCE 0.05
#define TAIL 5.0 /* widths beyond which a spot has no light */

enum { LANES = NG_SPOT_LANES };
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t whole __attribute__((vector_size(4 * LANES)));
/* The same anywhere in memory. */
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define LOAD(from) (*(const loose *)(const void *)(from))
#define STORE(to, what) (*(loose *)(void *)(to) = (what))

double ng_spot_variance(const ng_spot_noise *noise, double mean)
{
    const double v = noise->level + noise->gain * (mean - noise->background);
    return fmax(v, LEAST_VARIANCE * noise->level);
}

ng_spot_noise ng_spot_noise_of(const ng_pixel_noise *n)
{
    return (ng_spot_noise){.level = n->level, .gain = n->gain, .background = n->background};
}

size_t ng_spot_padded(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* Vectors are handed on by their addresses: units of different width pass values differently. */
#define CHOOSE(mask, yes, no) ((lanes)(((whole)(yes) & (mask)) | ((whole)(no) & ~(mask))))

INLINE double sum_of(const lanes *v)
{
    const lanes x = *v;
    return (double)((x[0] + x[4]) + (x[1] + x[5])) + (double)((x[2] + x[6]) + (x[3] + x[7]));
}

INLINE void raise_to(lanes *x, float least)
{
    const lanes floor_ = least - (lanes){0.0f};
    const whole above = *x > floor_;
    *x = CHOOSE(above, *x, floor_);
}

/* ---- functions: coefficients are those of Moshier's Cephes library ------------------ */

/* exp(x) for x < 80, to 2e-7 of it; below exp(-80) that. */
INLINE void exp_of(const lanes *in, lanes *out)
{
    lanes x = *in;
    raise_to(&x, -80.0f);
    const float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const float round = 12582912.0f; /* adding it leaves whole numbers */
    const lanes k = (x * log2e + round) - round;
    const lanes r = (x - k * ln2_high) - k * ln2_low;
    lanes p = 1.9875691e-4f * r + 1.3981999e-3f;
    p = p * r + 8.3334519e-3f;
    p = p * r + 4.1665796e-2f;
    p = p * r + 0.16666665f;
    p = p * r + 0.5f;
    p = p * (r * r) + r + 1.0f;
    const whole power = (__builtin_convertvector(k, whole) + 127) << 23;
    *out = p * (lanes)power;
}

/* ln(1 + q), and what of it is not q: to 1e-7 of each where q is small. */
INLINE void log_of(const lanes *in, lanes *whole_log, lanes *rest)
{
    const lanes q = *in;
    const int32_t root_half = 0x3f3504f3; /* bits of sqrt(1/2) */
    const whole above = (whole)(q + 1.0f) - root_half, k = above >> 23, plain = k == 0;
    const lanes r = CHOOSE(plain, q, (lanes)((above & 0x7fffff) + root_half) - 1.0f);
    const lanes r2 = r * r;
    lanes p = 7.0376836e-2f * r - 1.1514610e-1f;
    p = p * r + 1.1676998e-1f;
    p = p * r - 1.2420141e-1f;
    p = p * r + 1.4249323e-1f;
    p = p * r - 1.6668057e-1f;
    p = p * r + 2.0000714e-1f;
    p = p * r - 2.4999994e-1f;
    p = p * r + 3.3333331e-1f;
    p = p * r * r2 - 0.5f * r2;
    *whole_log = p + r + 0.69314718f * __builtin_convertvector(k, lanes);
    *rest = CHOOSE(plain, p, *whole_log - q);
}

/* erf(u/sqrt 2)/2 from exp(-u^2/2): Abramowitz and Stegun 7.1.26, good to 1e-7. */
INLINE void half_erf(const lanes *u, const lanes *e, lanes *out)
{
    const whole sign = (whole)*u & INT32_MIN;
    const lanes x = (lanes)((whole)*u ^ sign) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * x);
    lanes p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    *out = (lanes)((whole)(0.5f - 0.5f * (t * p * *e)) ^ sign);
}

/* ---- profiles ---------------------------------------------------------------------------- */

NG_VECTOR_CLONES static void fill_profile(float *const curve[NG_SPOT_CURVES], double centre,
                                          double width, size_t n)
{
    const float scale = (float)(1.0 / width), norm = (float)(1.0 / (width * sqrt(2.0 * PI)));
    const lanes step = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f};
    for (size_t i = 0; i < n; i += LANES) {
        const lanes left = (step + (float)((double)i - 0.5 - centre)) * scale;
        const lanes right = left + scale;
        const lanes from = -0.5f * left * left, to = -0.5f * right * right;
        lanes a, b, below, above;
        exp_of(&from, &a);
        exp_of(&to, &b);
        half_erf(&left, &a, &below);
        half_erf(&right, &b, &above);
        STORE(curve[NG_SPOT_LIGHT] + i, above - below);
        STORE(curve[NG_SPOT_BY_PLACE] + i, norm * (a - b));
        STORE(curve[NG_SPOT_BY_WIDTH] + i, norm * (left * a - right * b));
    }
}

void ng_spot_profile_set(ng_spot_profile *p, double centre, double width, size_t n)
{
    const double first = ceil(centre - TAIL * width), last = floor(centre + TAIL * width);
    const double most = (double)n;
    const size_t room = ng_spot_padded(n);
    p->first = (size_t)fmin(fmax(first, 0.0), most);
    p->end = (size_t)fmin(fmax(last + 1.0, (double)p->first), most);
    fill_profile(p->curve, centre, width, room);
    for (int k = 0; k < NG_SPOT_CURVES; k++) {
        memset(p->curve[k], 0, p->first * sizeof(float));
        memset(p->curve[k] + p->end, 0, (room - p->end) * sizeof(float));
    }
}

NG_VECTOR_CLONES void ng_spot_profile_add(const ng_spot_profile *along, const ng_spot_profile *down,
                                          double scale, float *image, size_t stride)
{
    const size_t first = along->first / LANES * LANES;
    for (size_t y = down->first; y < down->end; y++) {
        const float here = (float)scale * down->curve[NG_SPOT_LIGHT][y];
        float *row = image + y * stride;
        for (size_t x = first; x < along->end; x += LANES) {
            STORE(row + x, LOAD(row + x) + here * LOAD(along->curve[NG_SPOT_LIGHT] + x));
        }
    }
}

/* ---- means and weights ------------------------------------------------------------------- */

/* What noise makes of a mean. */
typedef struct law {
    float gain, offset, least;
} law;

static law law_of(const ng_spot_noise *noise)
{
    return (law){.gain = (float)noise->gain,
                 .offset = (float)(noise->level - noise->gain * noise->background),
                 .least = (float)(LEAST_VARIANCE * noise->level)};
}

INLINE void variance_of(const law *l, const lanes *mean, lanes *out)
{
    *out = l->offset + l->gain * *mean;
    raise_to(out, l->least);
}

/* Sums over the box of weights and pulls are those of the background. */
NG_VECTOR_CLONES static void weigh_counts(ng_spot_model *f)
{
    const law l = law_of(f->noise);
    lanes weights = {0.0f}, pulls = {0.0f};
    for (size_t i = 0; i < f->m; i += LANES) {
        const lanes mean = LOAD(f->mean + i);
        lanes variance;
        variance_of(&l, &mean, &variance);
        const lanes weight = LOAD(f->valid + i) / variance;
        const lanes pull = weight * (LOAD(f->data + i) - mean);
        STORE(f->weight + i, weight);
        STORE(f->pull + i, pull);
        weights += weight;
        pulls += pull;
    }
    const size_t b = f->parameters - 1;
    f->matrix[b * (b + 1) / 2 + b] = sum_of(&weights);
    f->vector[b] = sum_of(&pulls);
}

void ng_spot_model_set(ng_spot_model *f)
{
    const float background = (float)f->background;
    for (size_t i = 0; i < f->m; i++) {
        f->mean[i] = background + f->light[i];
    }
    for (size_t k = 0; k < f->n; k++) {
        const ng_spot *s = f->spot[k];
        ng_spot_profile_add(&f->along[k], &f->down[k], s->flux, f->mean, f->stride);
    }
    weigh_counts(f);
}

/* ---- sums -------------------------------------------------------------------------------- */

enum { MOST = 4 }; /* parameters of a spot */

/* Slopes by a parameter are products of curves along and down; that by the width is a sum of two:
 * the second follows. */
static const unsigned char curve_along[MOST + 1] = {NG_SPOT_BY_PLACE, NG_SPOT_LIGHT, NG_SPOT_LIGHT,
                                                    NG_SPOT_BY_WIDTH, NG_SPOT_LIGHT};
static const unsigned char curve_down[MOST + 1] = {NG_SPOT_LIGHT, NG_SPOT_BY_PLACE, NG_SPOT_LIGHT,
                                                   NG_SPOT_LIGHT, NG_SPOT_BY_WIDTH};

/* Where two spots overlap. */
typedef struct overlap {
    size_t x0, x1, y0, y1;
} overlap;

static overlap overlap_of(const ng_spot_model *f, size_t i, size_t j)
{
    const ng_spot_profile *a = &f->along[i], *b = &f->along[j];
    const ng_spot_profile *c = &f->down[i], *d = &f->down[j];
    const size_t x0 = a->first > b->first ? a->first : b->first;
    return (overlap){.x0 = x0 / LANES * LANES,
                     .x1 = a->end < b->end ? a->end : b->end,
                     .y0 = c->first > d->first ? c->first : d->first,
                     .y1 = c->end < d->end ? c->end : d->end};
}

/* Products of the slopes of two spots, weighted: `curves` of each are in use, and so many
 * terms. */
INLINE void sum_pair(const ng_spot_model *f, size_t i, size_t j, const int curves, const int terms,
                     double out[MOST + 1][MOST + 1])
{
    const overlap o = overlap_of(f, i, j);
    float *const *a = f->along[i].curve, *const *b = f->along[j].curve;
    float *const *c = f->down[i].curve, *const *d = f->down[j].curve;
    const int first = terms == 1 ? NG_SPOT_FLUX : 0;
    lanes total[MOST + 1][MOST + 1] = {{{0.0f}}};
    for (size_t x = o.x0; x < o.x1; x += LANES) {
        lanes s[NG_SPOT_CURVES][NG_SPOT_CURVES] = {{{0.0f}}};
        for (size_t y = o.y0; y < o.y1; y++) {
            const lanes w = LOAD(f->weight + y * f->stride + x);
            for (int p = 0; p < curves; p++) {
                const lanes here = w * c[p][y];
                for (int q = 0; q < curves; q++) {
                    s[p][q] += here * d[q][y];
                }
            }
        }
        for (int p = first; p < first + terms; p++) {
            for (int q = first; q < first + terms; q++) {
                total[p][q] += LOAD(a[curve_along[p]] + x) * LOAD(b[curve_along[q]] + x) *
                               s[curve_down[p]][curve_down[q]];
            }
        }
    }
    for (int p = first; p < first + terms; p++) {
        for (int q = first; q < first + terms; q++) {
            out[p][q] = sum_of(&total[p][q]);
        }
    }
}

/* Slopes of a spot times weights, and times pulls. */
INLINE void sum_own(const ng_spot_model *f, size_t i, const int curves, const int terms,
                    double out[2][MOST + 1])
{
    const overlap o = overlap_of(f, i, i);
    float *const *a = f->along[i].curve, *const *c = f->down[i].curve;
    const int first = terms == 1 ? NG_SPOT_FLUX : 0;
    lanes total[2][MOST + 1] = {{{0.0f}}};
    for (size_t x = o.x0; x < o.x1; x += LANES) {
        lanes s[2][NG_SPOT_CURVES] = {{{0.0f}}};
        for (size_t y = o.y0; y < o.y1; y++) {
            const lanes w = LOAD(f->weight + y * f->stride + x);
            const lanes r = LOAD(f->pull + y * f->stride + x);
            for (int p = 0; p < curves; p++) {
                s[0][p] += w * c[p][y];
                s[1][p] += r * c[p][y];
            }
        }
        for (int p = first; p < first + terms; p++) {
            total[0][p] += LOAD(a[curve_along[p]] + x) * s[0][curve_down[p]];
            total[1][p] += LOAD(a[curve_along[p]] + x) * s[1][curve_down[p]];
        }
    }
    for (int p = first; p < first + terms; p++) {
        out[0][p] = sum_of(&total[0][p]);
        out[1][p] = sum_of(&total[1][p]);
    }
}

NG_VECTOR_CLONES static void pair_flux(const ng_spot_model *f, size_t i, size_t j,
                                       double out[MOST + 1][MOST + 1], double own[2][MOST + 1])
{
    sum_pair(f, i, j, 1, 1, out);
    if (i == j) {
        sum_own(f, i, 1, 1, own);
    }
}

NG_VECTOR_CLONES static void pair_place(const ng_spot_model *f, size_t i, size_t j,
                                        double out[MOST + 1][MOST + 1], double own[2][MOST + 1])
{
    sum_pair(f, i, j, 2, 3, out);
    if (i == j) {
        sum_own(f, i, 2, 3, own);
    }
}

NG_VECTOR_CLONES static void pair_width(const ng_spot_model *f, size_t i, size_t j,
                                        double out[MOST + 1][MOST + 1], double own[2][MOST + 1])
{
    sum_pair(f, i, j, 3, MOST + 1, out);
    for (int p = 0; p <= MOST; p++) {
        out[p][NG_SPOT_WIDTH] += out[p][MOST];
    }
    for (int q = 0; q <= MOST; q++) {
        out[NG_SPOT_WIDTH][q] += out[MOST][q];
    }
    if (i == j) {
        sum_own(f, i, 3, MOST + 1, own);
        own[0][NG_SPOT_WIDTH] += own[0][MOST];
        own[1][NG_SPOT_WIDTH] += own[1][MOST];
    }
}

/* All slopes but that by the flux are of light of flux 1. */
static double scale_of(const ng_spot *s, size_t parameter)
{
    return parameter == NG_SPOT_FLUX ? 1.0 : s->flux;
}

static void put_pair(ng_spot_model *f, size_t i, size_t j, double pair[MOST + 1][MOST + 1])
{
    const size_t first = f->per == 1 ? NG_SPOT_FLUX : 0;
    for (size_t p = 0; p < f->per; p++) {
        const size_t a = i * f->per + p, last = i == j ? p + 1 : f->per;
        for (size_t q = 0; q < last; q++) {
            f->matrix[a * (a + 1) / 2 + j * f->per + q] = scale_of(f->spot[i], first + p) *
                                                          scale_of(f->spot[j], first + q) *
                                                          pair[first + p][first + q];
        }
    }
}

static void put_own(ng_spot_model *f, size_t i, double own[2][MOST + 1])
{
    const size_t first = f->per == 1 ? NG_SPOT_FLUX : 0, b = f->parameters - 1;
    for (size_t p = 0; p < f->per; p++) {
        const double scale = scale_of(f->spot[i], first + p);
        f->matrix[b * (b + 1) / 2 + i * f->per + p] = scale * own[0][first + p];
        f->vector[i * f->per + p] = scale * own[1][first + p];
    }
}

void ng_spot_model_sum(ng_spot_model *f)
{
    double pair[MOST + 1][MOST + 1], own[2][MOST + 1];
    for (size_t i = 0; i < f->n; i++) {
        for (size_t j = 0; j <= i; j++) {
            (f->per == 1 ? pair_flux : f->per == 3 ? pair_place : pair_width)(f, i, j, pair, own);
            put_pair(f, i, j, pair);
        }
        put_own(f, i, own);
    }
}

/* ---- likelihood -------------------------------------------------------------------------- */

/* Gain that is as good as none, in s.d. of the background: the limit is an even one. */
#define LEAST_GAIN 1e-4

/* Lanes of columns x[0] .. x[1] - 1. */
INLINE void open_lanes(const size_t x[2], size_t at, lanes *open)
{
    const whole step = {0, 1, 2, 3, 4, 5, 6, 7}, here = step + (int32_t)at;
    const whole inside = (here >= (int32_t)x[0]) & (here < (int32_t)x[1]);
    *open = CHOOSE(inside, 1.0f - (lanes){0.0f}, (lanes){0.0f});
}

INLINE double shift_without(const ng_spot_model *f, size_t k, const size_t x[2], const size_t y[2])
{
    const law l = law_of(f->noise);
    const float flux = (float)f->spot[k]->flux;
    const float *gx = f->along[k].curve[NG_SPOT_LIGHT], *gy = f->down[k].curve[NG_SPOT_LIGHT];
    lanes sum = {0.0f}, weights = {0.0f};
    for (size_t i = x[0] / LANES * LANES; i < x[1]; i += LANES) {
        const lanes light = flux * LOAD(gx + i);
        lanes open;
        open_lanes(x, i, &open);
        for (size_t j = y[0]; j < y[1]; j++) {
            const size_t at = j * f->stride + i;
            const lanes without = LOAD(f->mean + at) - gy[j] * light;
            lanes variance;
            variance_of(&l, &without, &variance);
            const lanes w = open * LOAD(f->valid + at) / variance;
            sum += w * (LOAD(f->data + at) - without);
            weights += w;
        }
    }
    const double weight = sum_of(&weights);
    return weight > 0.0 ? sum_of(&sum) / weight : 0.0;
}

/* Of counts with a shifted Poisson law: variances v0 without and v1 = v0 (1 + q) with the spot. */
NG_VECTOR_CLONES double ng_spot_model_gain(const ng_spot_model *f, size_t k, const size_t x[2],
                                           const size_t y[2])
{
    law l = law_of(f->noise);
    const float flux = (float)f->spot[k]->flux;
    const float gain = fmaxf(l.gain, (float)(LEAST_GAIN * sqrt(f->noise->level)));
    const float *gx = f->along[k].curve[NG_SPOT_LIGHT], *gy = f->down[k].curve[NG_SPOT_LIGHT];
    const float shift = (float)shift_without(f, k, x, y);
    lanes sum = {0.0f};
    for (size_t i = x[0] / LANES * LANES; i < x[1]; i += LANES) {
        const lanes light = flux * LOAD(gx + i);
        lanes open;
        open_lanes(x, i, &open);
        for (size_t j = y[0]; j < y[1]; j++) {
            const size_t at = j * f->stride + i;
            const lanes more = gy[j] * light - shift, without = LOAD(f->mean + at) - more;
            lanes v0, whole_log, rest;
            variance_of(&l, &without, &v0);
            lanes q = gain * more / v0;
            raise_to(&q, -0.95f);
            log_of(&q, &whole_log, &rest);
            const lanes won = (LOAD(f->data + at) - without) * whole_log + v0 / gain * rest;
            sum += open * LOAD(f->valid + at) * won;
        }
    }
    return fmax(2.0 * sum_of(&sum) / (double)gain, 0.0);
}
