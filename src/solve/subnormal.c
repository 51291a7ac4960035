/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solve_internal.h"

#if defined(__SSE2__)
#include <xmmintrin.h>

#define FLUSH_TO_ZERO 0x8000U
#define DENORMALS_ARE_ZERO 0x0040U

unsigned ng_subnormal_flush(void)
{
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
    return mode;
}

void ng_subnormal_restore(unsigned mode)
{
    _mm_setcsr(mode);
}

#else

unsigned ng_subnormal_flush(void)
{
    return 0;
}

void ng_subnormal_restore(unsigned mode)
{
    (void)mode;
}

#endif
