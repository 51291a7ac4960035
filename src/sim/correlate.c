/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the stripes may be: maxima of the correlation of the bands. */
#include "pattern_internal.h"

#include <math.h>
#include <stdlib.h>

/* Lower frequencies, in units of the cutoff, say more of the sample than of the stripes. */
#define NOTCH 0.12
/* Maxima nearer to each other than this, in bins, are one. */
#define APART 3

/* Mean power of the object between two frequencies where it stands above the noise. */
static double object_power(const ng_sim_search *s, const ng_sim_bands *b)
{
    const size_t width = s->plane.width, height = s->plane.height;
    const double low = NOTCH * s->cutoff, high = 0.5 * s->cutoff;
    double sum = 0, weight = 0;
    for (size_t i = 0; i < width * height; i++) {
        const double k = hypot(ng_sim_bin(i % width, width), ng_sim_bin(i / width, height));
        if (k > low && k < high) {
            sum += (double)ng_cf_norm(b->band0[i]) - b->noise0;
            weight += (double)(s->transfer[i] * s->transfer[i]);
        }
    }
    return weight > 0 ? sum / weight : 0;
}

/* Stripes this weak are still to be seen. */
#define WEAK 0.05

/* Both bands are deconvolved as far as their noise allows. With less weight on the high
 * frequencies, where alone the bands overlap, the chance alignment of bright points makes
 * higher maxima than the stripes do. */
void ng_sim_correlate(const ng_sim_search *s, ng_sim_bands *b)
{
    const size_t width = s->plane.width, height = s->plane.height;
    const double notch = NOTCH * s->cutoff * NOTCH * s->cutoff;
    const double power = fmax(object_power(s, b), 1e-3 * b->noise0) + 1e-30;
    const float n0 = (float)(b->noise0 / power) + 1e-6F;
    const float n1 = (float)(b->noise1 / (WEAK * power)) + 1e-6F;
    for (size_t i = 0; i < width * height; i++) {
        const double kx = ng_sim_bin(i % width, width), ky = ng_sim_bin(i / width, height);
        const float h = kx * kx + ky * ky < notch ? 0.0F : s->transfer[i];
        const float w0 = h / (h * h + n0), w1 = h / (h * h + n1);
        b->work[0][i] = (ng_cf){w0 * b->band0[i].re, w0 * b->band0[i].im};
        b->work[1][i] = (ng_cf){w1 * b->band1[i].re, w1 * b->band1[i].im};
    }
    ng_sim_plane_backward(&s->plane, b->work[0]);
    ng_sim_plane_backward(&s->plane, b->work[1]);
    for (size_t i = 0; i < width * height; i++) {
        b->work[0][i] = ng_cf_mulc(b->work[0][i], b->work[1][i]);
    }
    ng_sim_plane_forward(&s->plane, b->work[0]);
    for (size_t i = 0; i < width * height; i++) {
        b->work[0][i] = (ng_cf){ng_cf_norm(b->work[0][i]), 0};
    }
}

static bool is_in_ring(const ng_sim_search *s, double kx, double ky)
{
    const double k2 = kx * kx + ky * ky;
    return k2 >= s->ring_min * s->ring_min && k2 <= s->ring_max * s->ring_max;
}

static bool is_maximum(const ng_sim_search *s, const ng_cf *map, size_t x, size_t y)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const float here = map[y * w + x].re;
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = 0; i < 3; i++) {
            if (map[(y + h + j - 1) % h * w + (x + w + i - 1) % w].re > here) {
                return false;
            }
        }
    }
    return true;
}

/* Vertex of the parabola through three heights, -0.5..0.5. */
static double vertex(double left, double middle, double right)
{
    const double curvature = left - 2 * middle + right;
    return curvature < 0 ? fmax(-0.5, fmin(0.5, 0.5 * (left - right) / curvature)) : 0;
}

static ng_sim_candidate polish(const ng_sim_search *s, const ng_cf *map, size_t x, size_t y)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const double middle = sqrt((double)map[y * w + x].re);
    const double dx = vertex(sqrt((double)map[y * w + (x + w - 1) % w].re), middle,
                             sqrt((double)map[y * w + (x + 1) % w].re));
    const double dy = vertex(sqrt((double)map[(y + h - 1) % h * w + x].re), middle,
                             sqrt((double)map[(y + 1) % h * w + x].re));
    return (ng_sim_candidate){ng_sim_bin(x, w) + dx / (double)w, ng_sim_bin(y, h) + dy / (double)h,
                              middle};
}

static bool is_near(const ng_sim_search *s, const ng_sim_candidate *a, const ng_sim_candidate *b)
{
    return fabs(a->kx - b->kx) * (double)s->plane.width < APART &&
           fabs(a->ky - b->ky) * (double)s->plane.height < APART;
}

/* Keep the list sorted, and of near ones only the highest. */
static size_t insert(const ng_sim_search *s, ng_sim_candidate new, ng_sim_candidate *list, size_t n,
                     size_t most)
{
    for (size_t i = 0; i < n; i++) {
        if (is_near(s, &list[i], &new)) {
            if (list[i].height >= new.height) {
                return n;
            }
            for (; i + 1 < n; i++) {
                list[i] = list[i + 1];
            }
            n--;
        }
    }
    size_t at = n;
    while (at > 0 && list[at - 1].height < new.height) {
        at--;
    }
    if (at >= most) {
        return n;
    }
    n = n < most ? n + 1 : n;
    for (size_t i = n - 1; i > at; i--) {
        list[i] = list[i - 1];
    }
    list[at] = new;
    return n;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Rings of like |k|, for the level that chance reaches there. */
#define RINGS 12
#define MOST_SAMPLES 2048

/* An even sample of as many values as may come. */
typedef struct sample {
    size_t seen, kept, skip;
    float value[MOST_SAMPLES];
} sample;

static void add_to_sample(sample *t, float value)
{
    if (t->seen++ % t->skip != 0) {
        return;
    }
    if (t->kept == MOST_SAMPLES) { /* full: every second one stays */
        for (size_t j = 0; j < MOST_SAMPLES / 2; j++) {
            t->value[j] = t->value[2 * j];
        }
        t->kept = MOST_SAMPLES / 2;
        t->skip *= 2;
    }
    t->value[t->kept++] = value;
}

static double ring_of(const ng_sim_search *s, double k)
{
    return RINGS * (k - s->ring_min) / (s->ring_max - s->ring_min);
}

/* Median of the correlation in each ring. */
static void ring_levels(const ng_sim_search *s, const ng_cf *map, double level[RINGS])
{
    const size_t w = s->plane.width, h = s->plane.height;
    sample ring[RINGS];
    for (size_t r = 0; r < RINGS; r++) {
        ring[r].seen = ring[r].kept = 0;
        ring[r].skip = 1;
    }
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++) {
            const double kx = ng_sim_bin(x, w), ky = ng_sim_bin(y, h);
            const double at = ring_of(s, sqrt(kx * kx + ky * ky));
            if (at >= 0 && at < RINGS) {
                add_to_sample(&ring[(size_t)at], map[y * w + x].re);
            }
        }
    }
    for (size_t r = 0; r < RINGS; r++) {
        qsort(ring[r].value, ring[r].kept, sizeof *ring[r].value, by_value);
        level[r] = ring[r].kept > 0 ? sqrt((double)ring[r].value[ring[r].kept / 2]) : 0;
    }
}

/* Bright points that happen to lie on stripes of some other k make maxima too, the higher the
 * smaller |k| is, since the bands overlap more there. Heights are in units of what chance
 * reaches at their |k|. */
static double level_at(const ng_sim_search *s, const double level[RINGS], double k)
{
    const double at = fmin(fmax(ring_of(s, k) - 0.5, 0), RINGS - 1);
    const size_t low = (size_t)fmin(at, RINGS - 2);
    const double f = at - (double)low;
    return (1 - f) * level[low] + f * level[low + 1];
}

size_t ng_sim_candidates(const ng_sim_search *s, const ng_sim_bands *b, ng_sim_candidate *list,
                         size_t most)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const ng_cf *map = b->work[0];
    double level[RINGS];
    size_t n = 0;
    ring_levels(s, map, level);
    for (size_t y = 0; y < h; y++) {
        for (size_t x = 0; x < w; x++) {
            const double kx = ng_sim_bin(x, w), ky = ng_sim_bin(y, h);
            if (is_in_ring(s, kx, ky) && is_maximum(s, map, x, y)) {
                ng_sim_candidate new = polish(s, map, x, y);
                const double chance = level_at(s, level, hypot(kx, ky));
                new.height = chance > 0 ? new.height / chance : 0;
                n = insert(s, new, list, n, most);
            }
        }
    }
    return n;
}
