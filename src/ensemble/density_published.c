/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <math.h>

#define BINS 30
#define AVERAGED 5 /* bins in the moving mean */

/* Equal bins: bin b reaches from left + b*width to left + (b+1)*width. */
typedef struct bins {
    double left, width;
    double height[BINS];
} bins;

static double power_of_ten(double x)
{
    return pow(10.0, floor(log10(x)));
}

/* Round limits: the left one is a multiple of a round width, the final width is the smallest round
 *  number that covers the range. */
static void choose_limits(double min, double max, bins *b)
{
    double raw = (max - min) / BINS;
    double ten = power_of_ten(raw);
    double round_width = ten * floor(raw / ten);
    b->left = fmin(round_width * floor(min / round_width), min);
    double least = (max - b->left) / BINS;
    double most = (max - b->left) / (BINS - 1);
    ten = power_of_ten(most - least);
    b->width = ten * ceil(least / ten);
}

/* The division may round across an edge; the edges decide. The last bin holds its right edge. */
static size_t bin_of(const bins *b, double x)
{
    double position = floor((x - b->left) / b->width);
    if (x < b->left + position * b->width) {
        position -= 1.0;
    } else if (x >= b->left + (position + 1.0) * b->width) {
        position += 1.0;
    }
    return (size_t)fmin(fmax(position, 0.0), BINS - 1);
}

static void moving_mean(const double *x, double *mean)
{
    const size_t half = AVERAGED / 2;
    for (size_t b = 0; b < BINS; b++) {
        size_t first = b > half ? b - half : 0;
        size_t last = b + half < BINS ? b + half : BINS - 1;
        double sum = 0.0;
        for (size_t k = first; k <= last; k++) {
            sum += x[k];
        }
        mean[b] = sum / (double)(last - first + 1);
    }
}

static bool fill_bins(const double *n, const double *weight, size_t size, bins *b)
{
    double min = (double)INFINITY, max = -(double)INFINITY;
    for (size_t i = 0; i < size; i++) {
        if (weight == NULL || weight[i] > 0.0) {
            min = fmin(min, n[i]);
            max = fmax(max, n[i]);
        }
    }
    if (!(max > min)) {
        return false;
    }
    double count[BINS] = {0};
    choose_limits(min, max, b);
    for (size_t i = 0; i < size; i++) {
        double w = weight != NULL ? weight[i] : 1.0;
        if (w > 0.0) {
            count[bin_of(b, n[i])] += w;
        }
    }
    moving_mean(count, b->height);
    return true;
}

/* Beyond the outer knots the outer cubics go on. */
static void interpolate(const bins *b, long n_first, size_t count, double *p)
{
    double slope[BINS];
    ng_pchip_slopes(b->height, BINS, b->width, slope);
    size_t knot = 0;
    for (size_t i = 0; i < count; i++) {
        double x = (double)n_first + (double)i - b->left;
        while (knot + 2 < BINS && x >= (double)(knot + 1) * b->width) {
            knot++;
        }
        p[i] = ng_pchip_value(b->height + knot, slope + knot, b->width,
                              x - (double)knot * b->width);
    }
}

bool ng_density_published(const double *n, const double *weight, size_t size, long n_first,
                          long n_last, double *p, double *psi)
{
    bins b;
    if (n_last < n_first || !fill_bins(n, weight, size, &b)) {
        return false;
    }
    size_t count = (size_t)(n_last - n_first) + 1;
    interpolate(&b, n_first, count, p);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += p[i];
    }
    double above = 0.0;
    for (size_t i = count; i-- > 0;) {
        p[i] /= sum;
        above += p[i];
        psi[i] = above;
    }
    return true;
}
