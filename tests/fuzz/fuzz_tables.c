/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a table of tracks (CSV of ours, TrackMate CSV and XML, trackpy). */
#include <nucgrow/data.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    ng_tracks_read_options options = ng_tracks_read_defaults();
    /* The first byte switches what a user may switch. */
    options.pixel_nm = (bytes[0] & 1) != 0 ? 0.5 : options.pixel_nm;
    options.frame_s = (bytes[0] & 2) != 0 ? 1.0 : options.frame_s;
    options.skip_invalid = (bytes[0] & 4) != 0;
    ng_tracks tracks = {0};
    ng_warnings warnings = {0};
    ng_error err = {.status = NG_OK};
    ng_status status = ng_tracks_parse((const char *)bytes + 1, size - 1, "input", &options,
                                       &tracks, &warnings, &err);
    bool explained = status == NG_OK || err.message[0] != '\0';
    ng_tracks_free(&tracks);
    ng_warnings_free(&warnings);
    if (!explained) {
        __builtin_trap();
    }
    return 0;
}
