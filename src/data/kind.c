/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

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

ng_magic ng_magic_find(const char *head, size_t length, const char **name)
{
    static const struct {
        const char *name;
        size_t offset, length;
        const char *bytes;
        ng_magic magic;
    } known[] = {
        {"a TIFF image", 0, 4, "II*\0", NG_MAGIC_TIFF},
        {"a TIFF image", 0, 4, "MM\0*", NG_MAGIC_TIFF},
        {"a BigTIFF image", 0, 4, "II+\0", NG_MAGIC_TIFF},
        {"a BigTIFF image", 0, 4, "MM\0+", NG_MAGIC_TIFF},
        {"a PNG image", 0, 4, "\x89PNG", NG_MAGIC_PNG},
        {"a JPEG image", 0, 3, "\xff\xd8\xff", NG_MAGIC_PICTURE},
        {"a GIF image", 0, 4, "GIF8", NG_MAGIC_PICTURE},
        {"an MRC movie", 208, 4, "MAP ", NG_MAGIC_MRC},
        {"a Gatan DM3 image", 0, 4, "\0\0\0\3", NG_MAGIC_DM},
        {"a Gatan DM4 image", 0, 4, "\0\0\0\4", NG_MAGIC_DM},
        {"an AVI movie", 8, 4, "AVI ", NG_MAGIC_VIDEO},
        {"an MP4 or MOV movie", 4, 4, "ftyp", NG_MAGIC_VIDEO},
        {"a MOV movie", 4, 4, "moov", NG_MAGIC_VIDEO},
        {"a MOV movie", 4, 4, "wide", NG_MAGIC_VIDEO},
        {"a MOV movie", 4, 4, "mdat", NG_MAGIC_VIDEO},
        {"a Matroska movie", 0, 4, "\x1a\x45\xdf\xa3", NG_MAGIC_VIDEO},
        {"an HDF5 file", 0, 4, "\x89HDF", NG_MAGIC_OTHER},
        {"an Excel workbook or another zip archive", 0, 4, "PK\3\4", NG_MAGIC_OTHER},
        {"an old Excel workbook", 0, 4, "\xd0\xcf\x11\xe0", NG_MAGIC_OTHER},
        {"a gzip archive", 0, 2, "\x1f\x8b", NG_MAGIC_OTHER},
        {"a PDF document", 0, 5, "%PDF-", NG_MAGIC_OTHER},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t end = known[i].offset + known[i].length;
        if (length >= end &&
            memcmp(head + known[i].offset, known[i].bytes, known[i].length) == 0) {
            *name = known[i].name;
            return known[i].magic;
        }
    }
    *name = NULL;
    return NG_MAGIC_NONE;
}

const char *ng_binary_name(const char *text, size_t length, bool *image)
{
    const char *name = NULL;
    ng_magic magic = ng_magic_find(text, length, &name);
    *image = magic != NG_MAGIC_NONE && magic != NG_MAGIC_OTHER;
    return name;
}
