/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand_tracks.h"

#include "test_support.h"

#include <math.h>

ng_tracks hand_tracks(void)
{
    ng_tracks tracks = {.frame_s = HAND_FRAME_S, .pixel_nm = (double)NAN, .n_sources = 1};
    tracks.source = NG_NEW(char *, 1);
    assert_non_null(tracks.source);
    tracks.source[0] = ng_text_copy("by hand");
    return tracks;
}

void hand_track(ng_tracks *tracks)
{
    tracks->track = ng_realloc(tracks->track, tracks->n_tracks + 1, sizeof *tracks->track);
    assert_non_null(tracks->track);
    tracks->track[tracks->n_tracks] =
        (ng_track){.id = (long)tracks->n_tracks, .group = -1, .first = tracks->n_points};
    tracks->n_tracks++;
}

void hand_point(ng_tracks *tracks, long frame, double n)
{
    tracks->point = ng_realloc(tracks->point, tracks->n_points + 1, sizeof *tracks->point);
    assert_non_null(tracks->point);
    tracks->point[tracks->n_points] = (ng_track_point){.frame = frame,
                                                       .time_s = HAND_FRAME_S * (double)frame,
                                                       .radius_nm = HAND_SIGMA_NM * cbrt(n),
                                                       .radius_se_nm = (double)NAN};
    tracks->n_points++;
    tracks->rows_read++;
    tracks->track[tracks->n_tracks - 1].n++;
}

void hand_sizes(ng_tracks *tracks, long frame, const double *n, size_t count)
{
    hand_track(tracks);
    for (size_t k = 0; k < count; k++) {
        hand_point(tracks, frame + (long)k, n[k]);
    }
}

ng_ensemble_options hand_options(void)
{
    ng_ensemble_options options = ng_ensemble_defaults();
    options.sigma_s_nm = HAND_SIGMA_NM;
    return options;
}

ng_trajectories hand_make(const ng_tracks *tracks, const ng_ensemble_options *options)
{
    ng_trajectories t;
    ng_error err = {.message = ""};
    if (ng_trajectories_make(tracks, options, &t, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return t;
}
