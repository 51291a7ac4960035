/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

/* SplitMix64's finisher (Steele, Lea, Flood 2014): a bijection of 64 bits. */
static uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* MurmurHash3's finisher (Appleby): a bijection of 32 bits. */
static uint32_t mix32(uint32_t x)
{
    x = (x ^ (x >> 16)) * UINT32_C(0x85ebca6b);
    x = (x ^ (x >> 13)) * UINT32_C(0xc2b2ae35);
    return x ^ (x >> 16);
}

/* GSL seeds its Mersenne twister with 32 bits. For one seed this is a bijection of the stream's low
 * half, so streams below 2^32 never collide; two mixes keep the streams of neighbouring seeds from
 * being the same ones in another order. */
static uint32_t stream_seed(uint64_t seed, uint64_t stream)
{
    uint64_t key = mix64(seed ^ mix64(stream >> 32));
    return mix32(mix32((uint32_t)stream ^ (uint32_t)key) + (uint32_t)(key >> 32));
}

gsl_rng *ng_random_open(uint64_t seed, uint64_t stream)
{
    uint32_t value = stream_seed(seed, stream);
    /* GSL reads seed 0 as 4357; the older way of seeding keeps that one stream apart. */
    gsl_rng *rng = gsl_rng_alloc(value == 0 ? gsl_rng_mt19937_1998 : gsl_rng_mt19937);
    if (rng != NULL) {
        gsl_rng_set(rng, value);
    }
    return rng;
}

void ng_random_close(gsl_rng *rng)
{
    if (rng != NULL) {
        gsl_rng_free(rng);
    }
}
