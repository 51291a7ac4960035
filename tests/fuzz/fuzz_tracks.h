/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a table of tracks: what fuzz_tracks_csv and fuzz_trackmate_xml share. */
#ifndef NUCGROW_FUZZ_TRACKS_H
#define NUCGROW_FUZZ_TRACKS_H

#include <nucgrow/data.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What ng_tracks promises to its readers. */
static inline bool is_sound(const ng_tracks *tracks)
{
    size_t next = 0;
    for (size_t i = 0; i < tracks->n_tracks; i++) {
        const ng_track *track = &tracks->track[i];
        if (track->first != next || track->n == 0 || track->source >= tracks->n_sources) {
            return false;
        }
        next += track->n;
        for (size_t k = track->first; k < next; k++) {
            const ng_track_point *point = &tracks->point[k];
            bool rises = k == track->first || point->frame > point[-1].frame;
            if (!rises || !(point->radius_nm > 0.0) || !isfinite(point->radius_nm) ||
                !isfinite(point->time_s)) {
                return false;
            }
        }
    }
    return next == tracks->n_points && tracks->n_points > 0 &&
           tracks->n_points + tracks->rows_dropped == tracks->rows_read &&
           (isnan(tracks->frame_s) || tracks->frame_s > 0.0);
}

/* Options from the bits of `choice`; `text` has exactly `length` bytes, so that a sanitizer sees
 * a read beyond it. A failure must be one of the input (exit code 3), with a sentence. */
static inline void parse_and_check(uint8_t choice, const char *text, size_t length)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = (choice & 1) != 0 ? 0.5 : (double)NAN;
    options.frame_s = (choice & 2) != 0 ? 0.25 : (double)NAN;
    options.skip_invalid = (choice & 4) != 0;
    options.max_rows = 1000;
    ng_tracks tracks;
    ng_warnings warnings = {0};
    ng_error err = {.status = NG_OK};
    ng_status status = ng_tracks_parse(text, length, "input", &options, &tracks, &warnings, &err);
    bool fine = status == NG_OK ? is_sound(&tracks)
                                : ng_status_exit_code(status) == 3 && strlen(err.message) > 10 &&
                                      tracks.point == NULL && tracks.track == NULL;
    if (!fine) {
        abort();
    }
    ng_tracks_free(&tracks);
    ng_warnings_free(&warnings);
}

#endif
