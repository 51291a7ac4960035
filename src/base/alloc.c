/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include <stdlib.h>

/* The one piece of state in the library: a countdown that only tests set. */
static size_t allocations_until_failure;

static bool must_fail(void)
{
    return allocations_until_failure > 0 && --allocations_until_failure == 0;
}

static bool overflows(size_t n, size_t size)
{
    return size > 0 && n > SIZE_MAX / size;
}

void *ng_alloc(size_t n, size_t size)
{
    if (overflows(n, size) || must_fail()) {
        return NULL;
    }
    bool empty = n == 0 || size == 0;
    return empty ? calloc(1, 1) : calloc(n, size);
}

void *ng_realloc(void *old, size_t n, size_t size)
{
    if (overflows(n, size) || must_fail()) {
        return NULL;
    }
    size_t bytes = n * size;
    return realloc(old, bytes > 0 ? bytes : 1);
}

void ng_free(void *p)
{
    free(p);
}

size_t ng_alloc_fail_after(size_t k)
{
    const size_t before = allocations_until_failure;
    allocations_until_failure = k;
    return before;
}
