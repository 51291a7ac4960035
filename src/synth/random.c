/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers of the simulators. */
#include "synth_random.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#define MAX_COUNT 65535

ng_synth_random ng_synth_random_from(gsl_rng *source)
{
    ng_synth_random random;
    for (size_t i = 0; i < 4; i++) {
        uint64_t high = gsl_rng_get(source);
        random.word[i] = high << 32 | gsl_rng_get(source);
    }
    return random;
}

/* SplitMix64 (Steele, Lea, Flood 2014): its outputs of one start are all different. */
static uint64_t next_split(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

ng_synth_random ng_synth_random_keyed(const ng_synth_random *base, uint64_t key)
{
    uint64_t start = key;
    uint64_t state = base->word[0] ^ next_split(&start);
    ng_synth_random random;
    for (size_t i = 0; i < 4; i++) {
        random.word[i] = next_split(&state) ^ base->word[i];
    }
    return random;
}

void ng_synth_normal_pair(ng_synth_random *random, double pair[2])
{
    const double length = sqrt(-2 * log(ng_synth_uniform(random)));
    const double angle = 2 * M_PI * ng_synth_uniform(random);
    pair[0] = length * cos(angle);
    pair[1] = length * sin(angle);
}

static long poisson_by_product(double mean, ng_synth_random *random)
{
    const double limit = exp(-mean);
    double product = ng_synth_uniform(random);
    long k = 0;
    while (product > limit) {
        product *= ng_synth_uniform(random);
        k++;
    }
    return k;
}

/* ln k!, by Stirling's series where its error is below 1e-12. */
static double ln_factorial(double k)
{
    if (k < 50) {
        return gsl_sf_lnfact((unsigned)k);
    }
    const double inverse = 1 / k;
    return (k + 0.5) * log(k) - k + 0.5 * log(2 * M_PI) +
           inverse * (1.0 / 12 - inverse * inverse * (1.0 / 360 - inverse * inverse / 1260));
}

/* Transformed rejection, PTRS of Hoermann, Insur. Math. Econ. 12, 39 (1993). */
static long poisson_by_rejection(double mean, ng_synth_random *random)
{
    const double b = 0.931 + 2.53 * sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    const double squeeze = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        const double u = ng_synth_uniform(random) - 0.5;
        const double v = ng_synth_uniform(random);
        const double us = 0.5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= squeeze) {
            return (long)k;
        }
        if (k < 0 || (us < 0.013 && v > us)) {
            continue;
        }
        if (log(v * inverse_alpha / (a / (us * us) + b)) <=
            k * log(mean) - mean - ln_factorial(k)) {
            return (long)k;
        }
    }
}

long ng_synth_poisson(double mean, ng_synth_random *random)
{
    if (!(mean > 0)) {
        return 0;
    }
    return mean < 10 ? poisson_by_product(mean, random) : poisson_by_rejection(mean, random);
}

float ng_synth_counts(const ng_synth_camera *camera, double electrons, ng_synth_random *random,
                      size_t *clipped)
{
    const double seen = camera->noise ? (double)ng_synth_poisson(electrons, random) : electrons;
    const double counts = round(camera->offset + camera->gain * seen);
    if (counts > MAX_COUNT) {
        (*clipped)++;
        return MAX_COUNT;
    }
    return (float)counts;
}
