/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generator of inner loops, in a header so that it stands inside them. */
#ifndef NUCGROW_SYNTH_RANDOM_H
#define NUCGROW_SYNTH_RANDOM_H

#include "synth_internal.h"

static inline uint64_t ng_synth_rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline uint64_t ng_synth_next_word(ng_synth_random *random)
{
    uint64_t *s = random->word;
    const uint64_t result = ng_synth_rotate_left(s[0] + s[3], 23) + s[0];
    const uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = ng_synth_rotate_left(s[3], 45);
    return result;
}

/* Uniform in the open interval (0, 1): 52 bits, at the middle of their cells. */
static inline double ng_synth_uniform(ng_synth_random *random)
{
    return ((double)(int64_t)(ng_synth_next_word(random) >> 12) + 0.5) * 0x1p-52;
}

#endif
