/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as TrackMate XML: the first chooses the options; by one of its bits the rest is the
 * whole file, or stands where spots and links do, which is hard to reach by chance. */
#include "fuzz_tracks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char head[] = "<TrackMate><Model spatialunits=\"pixel\" timeunits=\"s\">";
    static const char tail[] = "</Model></TrackMate>";
    if (size == 0) {
        return 0;
    }
    bool wrapped = (bytes[0] & 8) != 0;
    size_t before = wrapped ? sizeof head - 1 : 0;
    size_t after = wrapped ? sizeof tail - 1 : 0;
    size_t length = before + size - 1 + after;
    char *text = malloc(length > 0 ? length : 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, head, before);
    memcpy(text + before, bytes + 1, size - 1);
    memcpy(text + before + size - 1, tail, after);
    parse_and_check(bytes[0], text, length);
    free(text);
    return 0;
}
