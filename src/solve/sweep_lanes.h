/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sweep for a number of lanes; included once for each, with SWEEP_NAME, SWEEP_LANES
 * and SWEEP_CLONES.
 *
 * I - step A is a matrix whose columns add up to 1 (but for what falls out below), so that its
 * pivots can be had without a subtraction: going up, pivot = q + step S attach with
 * q_{i+1} = 1 + step detach_{i+1} q_i/pivot_i; going down the same with the rates exchanged. Both
 * ways are walked at once and meet in the middle: two chains of divisions that do not wait for each
 * other. Every row comes out to a few roundings of its own size, however small it is.
 */

#if SWEEP_LANES > 1
typedef double SWEEP_NAME(row)
    __attribute__((vector_size(8 * SWEEP_LANES), aligned(8), may_alias));
#else
typedef double SWEEP_NAME(row);
#endif

#define row SWEEP_NAME(row)

SWEEP_CLONES
void SWEEP_NAME(ng_sweep)(const ng_sweep *s)
{
    const row *attach = (const row *)s->attach, *detach = (const row *)s->detach;
    const row *u = (const row *)s->u, *v = (const row *)s->v;
    row *x = (row *)s->x, *link = (row *)s->link;
    const double step = s->step_s, scale_u = s->scale_u, scale_v = s->scale_v;
    const row step_S = *(const row *)s->step_S;
    const row zero = step_S - step_S;
    const size_t first = s->begin, last = s->end - 1, middle = first + (last - first) / 2;
    row gain_up = zero, gain_down = zero, from_below = zero, from_above = zero;
    size_t i = first, j = last;
    if (first == 0) {
        gain_up = step * detach[0];
        from_below = *(const row *)s->source;
    }
    row q = 1.0 + gain_up, r = 1.0 + zero;

#define SWEEP_UP()                                                                                 \
    do {                                                                                           \
        const row up = step_S * attach[i], down = step * detach[i + 1];                            \
        const row inverse = 1.0 / (q + up);                                                        \
        const row y = (scale_u * u[i] + scale_v * v[i] + from_below) * inverse;                    \
        x[i] = y;                                                                                  \
        link[i] = down * inverse;                                                                  \
        from_below = up * y;                                                                       \
        gain_up = down * q * inverse;                                                              \
        q = 1.0 + gain_up;                                                                         \
        i++;                                                                                       \
    } while (0)
#define SWEEP_DOWN()                                                                               \
    do {                                                                                           \
        const row down = step * detach[j], up = step_S * attach[j - 1];                            \
        const row inverse = 1.0 / (r + down);                                                      \
        const row y = (scale_u * u[j] + scale_v * v[j] + from_above) * inverse;                    \
        x[j] = y;                                                                                  \
        link[j] = up * inverse;                                                                    \
        from_above = down * y;                                                                     \
        gain_down = up * r * inverse;                                                              \
        r = 1.0 + gain_down;                                                                       \
        j--;                                                                                       \
    } while (0)

    if ((last - first) % 2 != 0) {
        SWEEP_DOWN();
    }
    while (i < middle) {
        SWEEP_UP();
        SWEEP_DOWN();
    }
#undef SWEEP_UP
#undef SWEEP_DOWN

    row below = (scale_u * u[middle] + scale_v * v[middle] + from_below + from_above) /
                (1.0 + gain_up + gain_down);
    row above = below;
    x[middle] = below;
    for (i = middle, j = middle + 1; i > first; j++) {
        i--;
        below = x[i] + link[i] * below;
        above = x[j] + link[j] * above;
        x[i] = below;
        x[j] = above;
    }
    if (j <= last) {
        x[j] += link[j] * above;
    }
}

#undef row
#undef SWEEP_NAME
#undef SWEEP_LANES
#undef SWEEP_CLONES
