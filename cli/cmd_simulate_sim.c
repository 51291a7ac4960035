/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate sim: raw frames of structured illumination, and the truth about them. */
#include "simulate_options.h"

#include <nucgrow/movie.h>
#include <nucgrow/synth_sim.h>

#include <jansson.h>

/* Blur of the object as it is written, about what the best reconstruction can show. */
#define OBJECT_FWHM_NM 100

typedef struct options {
    ng_synth_sim_options sim;
} options;

#define SIM_ROW(kind, name, field, unit, initial, min, max, group, doc)                            \
    NG_SIMULATE_ROW(options, sim.field, kind, name, unit, initial, min, max, group, doc)

static const ng_option table[] = {NG_SYNTH_SIM_OPTIONS(SIM_ROW)};

/* ---- files ---- */

typedef enum file { RAW, OBJECT, TRUTH, PARTICLES, N_FILES } file;

static const char *const file_name[N_FILES] = {"raw.tif", "object.tif", "truth.json",
                                               "particles.csv"};

/* What is written set by set; paths are owned. */
typedef struct outputs {
    char *path[N_FILES];
    ng_stack *raw, *object;
    float *frames, *image;
} outputs;

static void outputs_free(outputs *out)
{
    for (int i = 0; i < N_FILES; i++) {
        ng_free(out->path[i]);
    }
    ng_stack_abandon(out->raw);
    ng_stack_abandon(out->object);
    ng_free(out->frames);
    ng_free(out->image);
}

static ng_status find_outputs(const ng_cli *cli, outputs *out, ng_error *err)
{
    ng_status status = NG_OK;
    for (int i = 0; i < N_FILES && status == NG_OK; i++) {
        out->path[i] = ng_cli_path(cli, file_name[i]);
        status = out->path[i] != NULL ? ng_output_check(out->path[i], cli->common.force, err)
                                      : NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    return status;
}

static ng_status open_outputs(const ng_cli *cli, const ng_synth_sim *scene, outputs *out,
                              ng_error *err)
{
    const ng_synth_sim_options *o = &scene->options;
    const size_t width = (size_t)o->width, height = (size_t)o->height, sets = (size_t)o->sets;
    const size_t frames = ng_sim_layout_frames(&scene->pattern.layout);
    const ng_stack_format raw = {
        width, height, sets * frames, NG_SAMPLE_UINT16, o->pixel_nm, o->frame_s / (double)frames};
    const ng_stack_format object = {2 * width,         2 * height,        sets,
                                    NG_SAMPLE_FLOAT32, 0.5 * o->pixel_nm, o->frame_s};
    out->frames = NG_NEW(float, frames *width *height);
    out->image = NG_NEW(float, 4 * width * height);
    if (out->frames == NULL || out->image == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", width, height);
    }
    ng_status status = ng_stack_create(out->path[RAW], &raw, cli->common.force, &out->raw, err);
    return status != NG_OK
               ? status
               : ng_stack_create(out->path[OBJECT], &object, cli->common.force, &out->object, err);
}

static ng_status write_set(const ng_cli *cli, const ng_synth_sim *scene, size_t set, outputs *out,
                           ng_error *err)
{
    const ng_sim_layout *layout = &scene->pattern.layout;
    ng_status status = ng_synth_sim_frames(scene, set, true, &cli->run, out->frames, err);
    for (size_t f = 0; status == NG_OK && f < ng_sim_layout_frames(layout); f++) {
        status = ng_stack_write(out->raw, out->frames + f * layout->width * layout->height, err);
    }
    if (status == NG_OK) {
        status = ng_synth_sim_object(scene, set, OBJECT_FWHM_NM, out->image, err);
    }
    return status != NG_OK ? status : ng_stack_write(out->object, out->image, err);
}

/* Each of them is gone after its commit, whatever came of it. */
static ng_status commit(outputs *out, ng_error *err)
{
    ng_stack *raw = out->raw, *object = out->object;
    out->raw = NULL;
    ng_status status = ng_stack_commit(raw, err);
    if (status == NG_OK) {
        out->object = NULL;
        status = ng_stack_commit(object, err);
    }
    return status;
}

static ng_status write_all(ng_cli *cli, const ng_synth_sim *scene, outputs *out, ng_error *err)
{
    const size_t sets = (size_t)scene->options.sets;
    ng_status status = open_outputs(cli, scene, out, err);
    for (size_t set = 0; status == NG_OK && set < sets; set++) {
        status = write_set(cli, scene, set, out, err);
        if (status == NG_OK && !ng_run_progress(&cli->run, "sets", set + 1, sets)) {
            return NG_FAIL(err, NG_CANCELLED, "stopped after %zu of %zu sets", set + 1, sets);
        }
    }
    if (status == NG_OK) {
        status = commit(out, err);
    }
    if (status == NG_OK) {
        status = ng_synth_sim_write_particles(scene, out->path[PARTICLES], cli->common.force, err);
    }
    return status != NG_OK ? status
                           : ng_simulate_write_truth(cli, ng_synth_sim_truth_json(scene),
                                                     out->path[TRUTH], err);
}

static void print_summary(const ng_cli *cli, const ng_synth_sim *scene, const outputs *out)
{
    const ng_synth_sim_options *o = &scene->options;
    ng_cli_print(cli,
                 "raw frames  %ld x %ld pixels of %g nm; %ld directions x %ld phases x %ld "
                 "sets\n",
                 o->width, o->height, o->pixel_nm, o->directions, o->phases, o->sets);
    ng_cli_print(cli, "objects     %ld points, %ld threads, %ld growing crystals\n", o->emitters,
                 o->filaments, o->crystals);
    ng_cli_print(cli, "to go on    nucgrow reconstruct %s -o sr.tif --na %g --wavelength-nm %g\n",
                 out->path[RAW], o->na, o->wavelength_nm);
    for (int i = 0; i < N_FILES; i++) {
        ng_cli_print(cli, "%s%s\n", i == 0 ? "written:    " : "            ", out->path[i]);
    }
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    outputs out = {0};
    ng_synth_sim scene = {0};
    ng_status status = find_outputs(cli, &out, err);
    if (status == NG_OK) {
        status = ng_synth_sim_create(&o->sim, (uint64_t)cli->common.seed, &scene, err);
    }
    if (status == NG_OK) {
        status = write_all(cli, &scene, &out, err);
    }
    if (status == NG_OK) {
        print_summary(cli, &scene, &out);
    }
    ng_synth_sim_free(&scene);
    outputs_free(&out);
    return status;
}

const ng_command ng_command_simulate_sim = {
    .name = "simulate sim",
    .group = "Model",
    .summary = "raw frames of structured illumination, with the truth about them",
    .description =
        "Point sources, curved threads and crystals that appear, grow and blink, lit by stripes in "
        "several directions and positions, through the optics onto a camera: background, offset, "
        "photon and read noise, bleaching, drift. Sources stand anywhere, not on a grid, and some "
        "stand outside of the field and shine into it.\n\n"
        "Writes raw.tif (16 bits, in the order that `nucgrow reconstruct` expects), object.tif "
        "(what really shines, on half pixels, blurred to 100 nm), truth.json (the pattern) and "
        "particles.csv (the light of each source in one raw frame).",
    .usage = "-o DIR [options]",
    .examples = "nucgrow simulate sim -o synthetic\n"
                "nucgrow simulate sim -o new --sets 60 --emitters 0 --filaments 0 --crystals 90\n"
                "nucgrow simulate sim -o weak --modulation 0.3 --emitter-counts 150 --seed 4\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .schema = NG_TRUTH_SCHEMA,
    .run = run,
};
