/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slow drift of the specimen, its jitter and jumps. */
#include "synth_random.h"
#include "tem_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>

void ng_tem_drift_free(ng_tem_drift *drift)
{
    ng_free(drift->x_nm);
    ng_free(drift->y_nm);
    *drift = (ng_tem_drift){0};
}

/* The steps into which frames 1 .. frames-1 are reached. */
static void draw_steps(const ng_synth_tem_options *options, ng_synth_random *random,
                       ng_tem_drift *drift)
{
    const double step_s = options->growth.frame_s;
    for (long frame = 1; frame < options->growth.frames; frame++) {
        double jitter[2];
        ng_synth_normal_pair(random, jitter);
        drift->x_nm[frame] =
            options->drift_x_nm_per_s * step_s + options->drift_jitter_nm * jitter[0];
        drift->y_nm[frame] =
            options->drift_y_nm_per_s * step_s + options->drift_jitter_nm * jitter[1];
    }
    for (long k = 0; k < options->jumps; k++) {
        const double chosen = ng_synth_uniform(random) * (double)(options->growth.frames - 1);
        const double angle = 2 * M_PI * ng_synth_uniform(random);
        drift->x_nm[1 + (long)chosen] += options->jump_nm * cos(angle);
        drift->y_nm[1 + (long)chosen] += options->jump_nm * sin(angle);
    }
}

ng_status ng_tem_drift_draw(const ng_synth_tem_options *options, uint64_t seed, ng_tem_drift *out,
                            ng_error *err)
{
    const size_t frames = (size_t)options->growth.frames;
    gsl_rng *source = ng_random_open(seed, NG_TEM_STREAM_DRIFT);
    *out = (ng_tem_drift){.x_nm = NG_NEW(double, frames), .y_nm = NG_NEW(double, frames)};
    if (source == NULL || out->x_nm == NULL || out->y_nm == NULL) {
        ng_random_close(source);
        ng_tem_drift_free(out);
        return NG_FAIL(err, NG_MEMORY, "out of memory for the drift of %zu frames", frames);
    }
    ng_synth_random random = ng_synth_random_from(source);
    ng_random_close(source);
    draw_steps(options, &random, out);
    for (size_t frame = 1; frame < frames; frame++) {
        out->x_nm[frame] += out->x_nm[frame - 1];
        out->y_nm[frame] += out->y_nm[frame - 1];
    }
    return NG_OK;
}
