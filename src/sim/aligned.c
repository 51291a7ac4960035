/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim_internal.h"

#define ALIGNMENT 64

void *ng_sim_aligned(size_t n, size_t size)
{
    if (size != 0 && n > (SIZE_MAX - 2 * ALIGNMENT) / size) {
        return NULL;
    }
    unsigned char *raw = ng_alloc(n * size + ALIGNMENT + sizeof(void *), 1);
    if (raw == NULL) {
        return NULL;
    }
    const uintptr_t first = (uintptr_t)raw + sizeof(void *);
    const size_t skip = (size_t)((ALIGNMENT - first % ALIGNMENT) % ALIGNMENT);
    void **place = (void **)(void *)(raw + sizeof(void *) + skip);
    place[-1] = raw;
    return place;
}

void ng_sim_aligned_free(void *p)
{
    if (p != NULL) {
        ng_free(((void **)p)[-1]);
    }
}
