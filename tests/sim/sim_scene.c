/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim_scene.h"

#include "test_support.h"

#include <math.h>

#define PI 3.14159265358979323846

ng_synth_sim_options sim_scene_options(long width, long height)
{
    ng_synth_sim_options o = ng_synth_sim_defaults();
    const double share = (double)width * (double)height / (512.0 * 512.0);
    o.width = width;
    o.height = height;
    o.emitters = lround((double)o.emitters * share);
    o.filaments = lround((double)o.filaments * share);
    return o;
}

static float *take(ng_synth_sim *scene, bool noise)
{
    const ng_sim_layout *layout = &scene->pattern.layout;
    ng_error err = {0};
    float *frames = NG_NEW(float, ng_sim_layout_frames(layout) * layout->width * layout->height);
    assert_non_null(frames);
    if (ng_synth_sim_frames(scene, 0, noise, NULL, frames, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return frames;
}

float *sim_scene_frames(const ng_synth_sim_options *options, uint64_t seed, bool noise,
                        ng_synth_sim *scene)
{
    ng_error err = {0};
    if (ng_synth_sim_create(options, seed, scene, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return take(scene, noise);
}

float *sim_scene_points(const ng_synth_sim_options *options, const double (*place)[2], size_t n,
                        double light, bool noise, ng_synth_sim *scene)
{
    ng_error err = {0};
    ng_synth_sim_options o = *options;
    o.emitters = (long)n + 1;
    o.filaments = 0;
    if (ng_synth_sim_create(&o, 1, scene, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    assert_true(scene->n_sources >= n);
    scene->n_sources = n;
    for (size_t i = 0; i < n; i++) {
        scene->source[i] = (ng_synth_sim_source){
            .kind = NG_SYNTH_SIM_EMITTER, .x = place[i][0], .y = place[i][1], .light = light};
    }
    return take(scene, noise);
}

void sim_scene_errors(const ng_sim_pattern *found, const ng_sim_pattern *truth, size_t d,
                      double *bins, double *phase, double *modulation)
{
    const ng_sim_direction *a = &found->direction[d], *b = &truth->direction[d];
    const double w = (double)truth->layout.width, h = (double)truth->layout.height;
    /* The same light has two signs. */
    const double sign = a->kx * b->kx + a->ky * b->ky > 0 ? 1 : -1;
    const double dx = sign * a->kx - b->kx, dy = sign * a->ky - b->ky;
    *bins = hypot(dx * w, dy * h);
    *phase = 0;
    for (size_t p = 0; p < truth->layout.phases; p++) {
        const double centre = PI * (dx * (w - 1) + dy * (h - 1));
        const double off = remainder(sign * a->phase[p] - b->phase[p] + centre, 2 * PI);
        *phase = fmax(*phase, fabs(off));
    }
    *modulation = fabs(a->modulation - b->modulation);
}
