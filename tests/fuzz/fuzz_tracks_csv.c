/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a table: the first chooses the options, the rest is the file. */
#include "fuzz_tracks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, bytes + 1, size - 1);
    char *exact = realloc(text, size > 1 ? size - 1 : 1);
    parse_and_check(bytes[0], exact, size - 1);
    free(exact);
    return 0;
}
