/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frame is which, and whether the frames can be used at all. */
#include "sim_internal.h"

#include <math.h>

size_t ng_sim_layout_frames(const ng_sim_layout *layout)
{
    return layout->directions * layout->phases;
}

size_t ng_sim_layout_index(const ng_sim_layout *layout, size_t d, size_t p)
{
    return layout->order == NG_SIM_ANGLE_MAJOR ? d * layout->phases + p
                                               : p * layout->directions + d;
}

ng_status ng_sim_layout_check(const ng_sim_layout *layout, ng_error *err)
{
    if (layout->width < NG_SIM_MIN_SIDE || layout->height < NG_SIM_MIN_SIDE ||
        layout->width > NG_SIM_MAX_SIDE || layout->height > NG_SIM_MAX_SIDE) {
        return NG_FAIL(err, NG_INVALID,
                       "raw frames of %zu x %zu pixels; sides of %d to %d can be used",
                       layout->width, layout->height, NG_SIM_MIN_SIDE, NG_SIM_MAX_SIDE);
    }
    if (layout->directions < 1 || layout->directions > NG_SIM_MAX_DIRECTIONS) {
        return NG_FAIL(err, NG_INVALID, "%zu directions; 1 to %d can be used", layout->directions,
                       NG_SIM_MAX_DIRECTIONS);
    }
    if (layout->phases < 3 || layout->phases > NG_SIM_MAX_PHASES) {
        return NG_FAIL(err, NG_INVALID, "%zu phases; 3 to %d can be used", layout->phases,
                       NG_SIM_MAX_PHASES);
    }
    return NG_OK;
}

ng_status ng_sim_frames_check(const ng_sim_layout *layout, const float *frames, size_t first,
                              ng_error *err)
{
    const size_t n = layout->width * layout->height;
    for (size_t f = 0; f < ng_sim_layout_frames(layout); f++) {
        const float *frame = frames + f * n;
        bool constant = true;
        for (size_t i = 0; i < n; i++) {
            if (!isfinite(frame[i])) {
                return NG_FAIL(
                    err, NG_INVALID,
                    "frame %zu (the first is 0): the pixel at column %zu, row %zu is not a "
                    "finite number",
                    first + f, i % layout->width, i / layout->width);
            }
            constant = constant && frame[i] == frame[0];
        }
        if (constant) {
            return NG_FAIL(err, NG_TOO_LITTLE,
                           "frame %zu (the first is 0): every pixel is %g; there is no image in it",
                           first + f, (double)frame[0]);
        }
    }
    return NG_OK;
}
