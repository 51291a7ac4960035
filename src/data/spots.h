/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Spots and the links between them, as TrackMate's XML holds them, and how they become tracks: a
 * track that splits or merges is cut there, so that every branch is one track.
 */
#ifndef NUCGROW_DATA_SPOTS_H
#define NUCGROW_DATA_SPOTS_H

#include "data_internal.h"

typedef struct ng_spot {
    long id;
    ng_row row;            /* track and group are set when the branches are cut */
    bool bad;              /* has a bad value: keeps its links, gives no row */
    bool linked;           /* in a track that is kept */
    size_t in, out;        /* links from earlier and to later frames */
    size_t previous, next; /* the spot there, where there is one link */
} ng_spot;

typedef struct ng_link {
    long source, target; /* spot ids */
    long track;
    size_t line;
} ng_link;

/** Start from zeros. */
typedef struct ng_spots {
    ng_spot *spot; /* owned, as are the other lists */
    size_t n_spots, spot_capacity;
    ng_link *link;
    size_t n_links, link_capacity;
    long *kept_track;
    size_t n_kept, kept_capacity;
    bool filtered;   /* only kept_track are tracks */
    long last_track; /* highest number */
} ng_spots;

/* Each appends one. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_spots_add(ng_spots *g, const ng_spot *s, ng_error *err);
NG_MUST_CHECK ng_status ng_spots_link(ng_spots *g, const ng_link *link, ng_error *err);
NG_MUST_CHECK ng_status ng_spots_keep(ng_spots *g, long track, ng_error *err);
/** Cut the branches and hand their rows to the reader. @return NG_FORMAT for links that lead
 * nowhere and spots that stand twice. */
NG_MUST_CHECK ng_status ng_spots_to_rows(ng_spots *g, ng_reader *reader);
void ng_spots_free(ng_spots *g);

#endif
