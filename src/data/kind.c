/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <string.h>

const char *ng_file_kind_name(ng_file_kind kind)
{
    static const char *const names[] = {
        [NG_KIND_UNKNOWN] = "unknown",
        [NG_KIND_TRACKS] = "tracks",
        [NG_KIND_PARTICLES] = "particles",
        [NG_KIND_TRACKMATE_CSV] = "trackmate-csv",
        [NG_KIND_TRACKMATE_XML] = "trackmate-xml",
        [NG_KIND_TRACKPY_CSV] = "trackpy-csv",
        [NG_KIND_EX_SITU] = "ex-situ",
        [NG_KIND_EVENTS] = "events",
        [NG_KIND_RESULT] = "result",
        [NG_KIND_EXPERIMENT] = "experiment",
        [NG_KIND_IMAGE] = "image",
    };
    size_t i = (size_t)kind;
    return i < sizeof names / sizeof names[0] ? names[i] : "unknown";
}

const char *ng_binary_name(const char *text, size_t length, bool *image)
{
    static const struct {
        const char *name;
        size_t offset, length;
        const char *magic;
        bool image;
    } known[] = {
        {"a TIFF image", 0, 4, "II*\0", true},
        {"a TIFF image", 0, 4, "MM\0*", true},
        {"a BigTIFF image", 0, 4, "II+\0", true},
        {"a BigTIFF image", 0, 4, "MM\0+", true},
        {"a PNG image", 0, 4, "\x89PNG", true},
        {"a JPEG image", 0, 3, "\xff\xd8\xff", true},
        {"a GIF image", 0, 4, "GIF8", true},
        {"an MRC movie", 208, 4, "MAP ", true},
        {"a Gatan DM3 image", 0, 4, "\0\0\0\3", true},
        {"a Gatan DM4 image", 0, 4, "\0\0\0\4", true},
        {"an AVI movie", 8, 4, "AVI ", true},
        {"an MP4 or MOV movie", 4, 4, "ftyp", true},
        {"a Matroska movie", 0, 4, "\x1a\x45\xdf\xa3", true},
        {"an HDF5 file", 0, 4, "\x89HDF", false},
        {"an Excel workbook or another zip archive", 0, 4, "PK\3\4", false},
        {"an old Excel workbook", 0, 4, "\xd0\xcf\x11\xe0", false},
        {"a gzip archive", 0, 2, "\x1f\x8b", false},
        {"a PDF document", 0, 5, "%PDF-", false},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t end = known[i].offset + known[i].length;
        if (length >= end &&
            memcmp(text + known[i].offset, known[i].magic, known[i].length) == 0) {
            *image = known[i].image;
            return known[i].name;
        }
    }
    *image = false;
    return NULL;
}
