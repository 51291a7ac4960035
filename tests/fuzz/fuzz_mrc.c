/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an MRC movie; the name alone says that they are one. */
#include "fuzz_movie.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    open_and_check(bytes, size, "input.mrc", 0);
    return 0;
}
