/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a Gatan file: the version that the first byte chooses stands before them. */
#include "fuzz_movie.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint8_t *file = malloc(size + 3);
    if (file == NULL) {
        abort();
    }
    memcpy(file, "\0\0\0", 3);
    memcpy(file + 3, bytes, size);
    file[3] = bytes[0] % 2 == 0 ? 4 : 3;
    open_and_check(file, size + 3, "input", 0);
    free(file);
    return 0;
}
