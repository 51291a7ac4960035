/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of tags in a Gatan DM3 or DM4 file, as far as images need it. */
#ifndef NUCGROW_DM_TAGS_H
#define NUCGROW_DM_TAGS_H

#include "movie_internal.h"

#define NG_DM_MAX_IMAGES 8

/** Entry of ImageList. */
typedef struct ng_dm_image {
    uint64_t offset, bytes; /* of ImageData/Data; 0: none */
    int type;               /* ImageData/DataType */
    uint64_t size[4];       /* ImageData/Dimensions; 0: none */
    double scale[4];        /* ImageData/Calibrations/Dimension */
    char unit[4][24];       /* UTF-8 */
} ng_dm_image;

typedef struct ng_dm {
    int version; /* 3 or 4 */
    bool little; /* byte order of the data */
    ng_dm_image image[NG_DM_MAX_IMAGES];
} ng_dm;

/** Walk through the tags. @return NG_FORMAT */
NG_MUST_CHECK ng_status ng_dm_read(const ng_bytes *bytes, const char *name, ng_dm *out,
                                   ng_error *err);

#endif
