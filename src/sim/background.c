/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Even light under the objects: the most frequent grey value of the mean frame; of a movie, the
 * lowest. */
#include "reconstruct_internal.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

/* So many pixels say enough of a mode. */
#define MOST_PIXELS 65536

/* Bits of a number that are in order as unsigned integers. */
static uint32_t key_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((bits >> 31) != 0 ? UINT32_MAX : 0x80000000U);
}

/* Digit by digit: ten times faster than a sort by comparison, which took a third of the time of a
 * small linear reconstruction. `spare` holds n values, too. */
static void sort_values(float *x, float *spare, size_t n)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        size_t place[257] = {0};
        for (size_t i = 0; i < n; i++) {
            place[(key_of(x[i]) >> shift & 255U) + 1]++;
        }
        for (size_t i = 0; i < 256; i++) {
            place[i + 1] += place[i];
        }
        for (size_t i = 0; i < n; i++) {
            spare[place[key_of(x[i]) >> shift & 255U]++] = x[i];
        }
        memcpy(x, spare, n * sizeof *x);
    }
}

/* Mean over the frames and 3 x 3 pixels, at each `step`-th pixel. */
static size_t gather(const ng_sim_reconstructor *r, size_t step, float *out)
{
    const ng_sim_grid *g = &r->grid;
    const ng_sim_layout *layout = &r->pattern.layout;
    size_t n = 0;
    for (size_t y = 1; y + 1 < layout->height; y += step) {
        for (size_t x = 1; x + 1 < layout->width; x += step) {
            const float *at = r->mean + (y - 1 + g->top) * g->width + x - 1 + g->left;
            float sum = 0;
            for (size_t k = 0; k < 3; k++, at += g->width) {
                sum += at[0] + at[1] + at[2];
            }
            out[n++] = sum / 9;
        }
    }
    return n;
}

/* Half-sample mode of sorted values: the half that lies closest together, again and again. Robust
 * against any tail. Source: Bickel, Fruehwirth, Comput. Stat. Data Anal. 50, 3500 (2006). */
static double half_sample_mode(const float *x, size_t n)
{
    while (n > 3) {
        const size_t half = (n + 1) / 2;
        size_t best = 0;
        for (size_t i = 1; i + half <= n; i++) {
            if (x[i + half - 1] - x[i] < x[best + half - 1] - x[best]) {
                best = i;
            }
        }
        x += best;
        n = half;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
    }
    return sum / (double)n;
}

/* The mode is noisy, the dark flank of the distribution is not: its width, seen from the mode,
 * tells the noise, and the mean of what lies within one width of the mode is the background. */
double ng_sim_background(ng_sim_reconstructor *r)
{
    const ng_sim_layout *layout = &r->pattern.layout;
    const double pixels = (double)layout->width * (double)layout->height;
    const size_t step = (size_t)fmax(1, ceil(sqrt(pixels / MOST_PIXELS)));
    const size_t n = gather(r, step, r->sorted);
    sort_values(r->sorted, r->sorted + n, n);
    double centre = half_sample_mode(r->sorted, n);
    for (int round = 0; round < 8; round++) {
        double square = 0, sum = 0;
        size_t below = 0, near = 0;
        for (size_t i = 0; i < n && (double)r->sorted[i] < centre; i++, below++) {
            square += pow((double)r->sorted[i] - centre, 2);
        }
        const double width = below > 0 ? sqrt(square / (double)below) : 0;
        for (size_t i = 0; i < n; i++) {
            if (fabs((double)r->sorted[i] - centre) <= width) {
                sum += (double)r->sorted[i];
                near++;
            }
        }
        centre = near > 0 ? sum / (double)near : centre;
    }
    return centre;
}

double ng_sim_lowest_background(double *counts, size_t n)
{
    size_t i = 0;
    gsl_sort(counts, 1, n);
    while (counts[i] < 0.5 * counts[n / 2]) {
        i++;
    }
    return counts[i];
}
