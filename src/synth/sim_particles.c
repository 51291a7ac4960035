/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of what really shines. */
#include "sim_internal.h"

bool ng_synth_sim_inside(const ng_synth_sim_options *o, double x, double y)
{
    return x >= -0.5 && y >= -0.5 && x < (double)o->width - 0.5 && y < (double)o->height - 0.5;
}

static void write_set(const ng_synth_sim *scene, size_t set, FILE *stream)
{
    const ng_synth_sim_options *o = &scene->options;
    for (size_t i = 0; i < scene->n_sources; i++) {
        const ng_synth_sim_source *s = &scene->source[i];
        double x = 0, y = 0;
        ng_synth_sim_position(scene, s, set, &x, &y);
        const double counts = o->gain * ng_synth_sim_light(scene, s, set);
        if (s->kind != NG_SYNTH_SIM_FILAMENT && counts > 0 && ng_synth_sim_inside(o, x, y)) {
            fprintf(stream, "%zu,%.9g,%zu,%.6f,%.6f,%.9g\n", set, (double)set * o->frame_s, i + 1,
                    x * o->pixel_nm, y * o->pixel_nm, counts);
        }
    }
}

ng_status ng_synth_sim_write_particles(const ng_synth_sim *scene, const char *path, bool force,
                                       ng_error *err)
{
    ng_output *out = NULL;
    ng_status status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        return status;
    }
    FILE *stream = ng_output_stream(out);
    fprintf(stream,
            "# nucgrow %s simulate sim, seed %llu; intensity in camera counts of one raw "
            "frame\n",
            ng_version(), (unsigned long long)scene->seed);
    fprintf(stream, "frame,time_s,particle,x_nm,y_nm,intensity\n");
    for (size_t set = 0; set < (size_t)scene->options.sets; set++) {
        write_set(scene, set, stream);
    }
    return ng_output_commit(out, err);
}
