/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Second differences along both axes, [1 -2 1] x [1 -2 1], at a lag of one or two pixels: particles
 * cover few of the places, so that the median sees the noise alone. */
#include "image_internal.h"

#include <math.h>

enum { MOST_PLACES = 1 << 15 };

/* Median of |x| of a Gaussian of unit s.d. */
#define MEDIAN_OF_NORMAL 0.674489750196082

static float second_difference(const float *f, ptrdiff_t along, ptrdiff_t across)
{
    const float middle = f[-along] - 2.0f * f[0] + f[along];
    const float above = f[-across - along] - 2.0f * f[-across] + f[-across + along];
    const float below = f[across - along] - 2.0f * f[across] + f[across + along];
    return above - 2.0f * middle + below;
}

/* Median of n >= 1 values; counts stand for all that is rounded to them, or few counts of noise
 * would come out too small. */
static double middle(float *value, size_t n)
{
    const float m = ng_select(value, n, n / 2);
    size_t below = 0, equal = 0;
    bool whole = true;
    for (size_t i = 0; i < n; i++) {
        below += value[i] < m;
        equal += value[i] == m;
        whole = whole && value[i] == floorf(value[i]);
    }
    if (!whole || equal == n) {
        return (double)m;
    }
    const double low = m > 0.0f ? (double)m - 0.5 : 0.0, width = m > 0.0f ? 1.0 : 0.5;
    return low + width * (0.5 * (double)n - (double)below) / (double)equal;
}

/* S.d. of the noise if it were white. */
static double noise_at_lag(const ng_image *image, size_t lag, float *scratch)
{
    const size_t w = image->width, h = image->height;
    if (w < 2 * lag + 1 || h < 2 * lag + 1) {
        return 0.0;
    }
    const size_t inner = w - 2 * lag, places = inner * (h - 2 * lag);
    const size_t step = (places + MOST_PLACES - 1) / MOST_PLACES;
    size_t n = 0;
    for (size_t i = 0; i < places && n < MOST_PLACES; i += step) {
        const size_t x = i % inner + lag, y = i / inner + lag;
        const float d =
            second_difference(image->pixel + y * w + x, (ptrdiff_t)lag, (ptrdiff_t)(lag * w));
        scratch[n++] = fabsf(d);
    }
    return n > 0 ? middle(scratch, n) / (6.0 * MEDIAN_OF_NORMAL) : 0.0;
}

double ng_image_noise(const ng_image *image, float *scratch)
{
    return noise_at_lag(image, 1, scratch);
}

/* What a second difference sees of noise whose correlation falls like that of blurred noise. */
static double seen(double r)
{
    return (6.0 - 8.0 * r + 2.0 * pow(r, 4.0)) / 6.0;
}

double ng_image_noise_correlation(const ng_image *image, float *scratch)
{
    const double near = noise_at_lag(image, 1, scratch), far = noise_at_lag(image, 2, scratch);
    if (!(far > 0.0) || near >= far) {
        return 0.0;
    }
    double low = 0.0, high = 0.95;
    while (high - low > 1e-6) {
        const double r = 0.5 * (low + high);
        if (seen(r) / seen(pow(r, 4.0)) > near / far) {
            low = r;
        } else {
            high = r;
        }
    }
    return 0.5 * (low + high);
}
