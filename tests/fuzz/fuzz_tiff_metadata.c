/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the description of a TIFF of six small pages (first byte even), or as a whole
 * TIFF. */
#include "fuzz_movie.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PAGES = 6, ENTRIES = 10, PIXELS = 16, PAGE_BYTES = PIXELS + 2 + 12 * ENTRIES + 4 };

static uint8_t *put(uint8_t *at, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *at++ = (uint8_t)(value >> 8 * i);
    }
    return at;
}

static uint8_t *put_entry(uint8_t *at, uint32_t tag, uint32_t type, uint32_t count, uint32_t value)
{
    at = put(at, tag, 2);
    at = put(at, type, 2);
    at = put(at, count, 4);
    return put(at, value, 4);
}

/* Page `i` of 4 x 4 pixels at offset `start`; its pixels first. */
static uint8_t *put_page(uint8_t *at, uint32_t i, uint32_t start, uint32_t text, uint32_t length)
{
    memset(at, (int)i, PIXELS);
    at = put(at + PIXELS, ENTRIES, 2);
    at = put_entry(at, 256, 3, 1, 4);
    at = put_entry(at, 257, 3, 1, 4);
    at = put_entry(at, 258, 3, 1, 8);
    at = put_entry(at, 259, 3, 1, 1);
    at = put_entry(at, 262, 3, 1, 1);
    at = put_entry(at, 270, 2, length, text);
    at = put_entry(at, 273, 4, 1, start);
    at = put_entry(at, 277, 3, 1, 1);
    at = put_entry(at, 278, 3, 1, 4);
    at = put_entry(at, 279, 4, 1, PIXELS);
    return put(at, i + 1 < PAGES ? start + PAGE_BYTES + PIXELS : 0, 4);
}

static void describe_and_check(const uint8_t *text, size_t length)
{
    size_t size = 8 + PAGES * PAGE_BYTES + length + 5;
    uint8_t *file = malloc(size);
    if (file == NULL) {
        abort();
    }
    memset(file, 0, size);
    memcpy(file, "II*\0", 4);
    uint8_t *at = put(file + 4, 8 + PIXELS, 4);
    for (uint32_t i = 0; i < PAGES; i++) {
        /* five bytes or more, so that the text is not within the entry */
        at = put_page(at, i, 8 + i * PAGE_BYTES, 8 + PAGES * PAGE_BYTES, (uint32_t)length + 5);
    }
    memcpy(at, text, length);
    open_and_check(file, size, "input.tif", 1);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0 && bytes[0] % 2 == 0) {
        describe_and_check(bytes + 1, size - 1);
    } else if (size > 1) {
        open_and_check(bytes + 1, size - 1, "input.tif", 1);
    }
    return 0;
}
