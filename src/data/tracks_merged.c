/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Group A and Group B: tracks that stay alone, and those that merge. */
#include <nucgrow/data.h>

#include <string.h>

size_t ng_tracks_count_merged(const ng_tracks *tracks)
{
    size_t n = 0;
    for (size_t i = 0; i < tracks->n_tracks; i++) {
        n += tracks->track[i].group >= 0;
    }
    return n;
}

void ng_tracks_drop_merged(ng_tracks *tracks)
{
    size_t kept = 0, points = 0;
    for (size_t i = 0; i < tracks->n_tracks; i++) {
        ng_track track = tracks->track[i];
        if (track.group >= 0) {
            continue;
        }
        memmove(tracks->point + points, tracks->point + track.first,
                track.n * sizeof *tracks->point);
        track.first = points;
        points += track.n;
        tracks->track[kept++] = track;
    }
    tracks->rows_dropped += tracks->n_points - points;
    tracks->n_tracks = kept;
    tracks->n_points = points;
}
