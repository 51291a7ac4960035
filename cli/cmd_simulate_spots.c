/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate spots: Brownian spots as benchmarks of tracking use them. */
#include "simulate_movie.h"
#include "simulate_options.h"

#include <jansson.h>
#include <math.h>

typedef struct options {
    ng_synth_spots_options spots;
} options;

#define ROW(kind, name, field, unit, initial, min, max, group, doc)                                \
    NG_SIMULATE_ROW(options, spots.field, kind, name, unit, initial, min, max, group, doc)

static const ng_option table[] = {NG_SYNTH_SPOTS_OPTIONS(ROW)};

static ng_status add_frame(ng_synth_spots *spots, ng_simulated_movie *out, float *pixel,
                           ng_error *err)
{
    size_t n = 0;
    ng_status status = ng_synth_spots_next(spots, pixel, err);
    const ng_particle *particle = ng_synth_spots_particles(spots, &n);
    return status == NG_OK ? ng_simulated_add(out, pixel, particle, n, err) : status;
}

static ng_status make_movie(const ng_cli *cli, const ng_synth_spots_options *asked,
                            ng_synth_spots *spots, ng_simulated_movie *out, ng_error *err)
{
    const size_t size = (size_t)asked->size_px;
    const ng_stack_format format = {.width = size,
                                    .height = size,
                                    .frames = (size_t)asked->frames,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = asked->pixel_nm,
                                    .frame_s = asked->frame_s};
    float *pixel = NG_NEW(float, size *size);
    ng_status status =
        pixel == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", size, size)
                      : ng_simulated_open(cli, &format, out, err);
    for (long frame = 0; frame < asked->frames && status == NG_OK; frame++) {
        status = add_frame(spots, out, pixel, err);
    }
    ng_free(pixel);
    return status == NG_OK ? ng_simulated_commit(out, err) : status;
}

static void print_summary(const ng_cli *cli, const ng_synth_spots_options *asked,
                          const ng_simulated_movie *out)
{
    const json_t *truth = cli->result;
    ng_cli_print(cli, "movie       %ld frames of %ld x %ld pixels\n", asked->frames, asked->size_px,
                 asked->size_px);
    ng_cli_print(cli, "spots       %ld in each, %lld tracks\n", asked->spots,
                 json_integer_value(json_object_get(truth, "tracks")));
    ng_cli_print(cli, "brightness  peak %.1f photons on %g, positions to %.3f px at best\n",
                 json_number_value(json_object_get(truth, "peak")), asked->background,
                 json_number_value(json_object_get(truth, "bound_px")));
    ng_simulated_print(cli, out);
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_simulated_movie out = {0};
    ng_synth_spots *spots = NULL;
    ng_status status = ng_simulated_find(cli, false, &out, err);
    if (status == NG_OK) {
        status = ng_synth_spots_open(&o->spots, &cli->run, &spots, err);
    }
    if (status == NG_OK) {
        status = make_movie(cli, &o->spots, spots, &out, err);
    }
    if (status == NG_OK) {
        status = ng_simulate_write_truth(cli, ng_synth_spots_truth_json(spots, &cli->warnings),
                                         out.path[NG_SIMULATED_TRUTH], err);
    }
    if (status == NG_OK) {
        print_summary(cli, &o->spots, &out);
    }
    ng_synth_spots_close(spots);
    ng_simulated_free(&out);
    return status;
}

const ng_command ng_command_simulate_spots = {
    .name = "simulate spots",
    .group = "Model",
    .summary = "a movie of Brownian spots, with their true tracks",
    .description =
        "Bright Gaussian spots that wander, vanish and appear, under Poisson noise, as benchmarks "
        "of tracking use them: --spots for the density, --snr for the brightness. Writes "
        "movie.tif, truth.json, particles.csv and tracks.csv; truth.json also says how well a "
        "position can be known at all (bound_px).",
    .usage = "-o DIR [options]",
    .examples = "nucgrow simulate spots -o spots\n"
                "nucgrow simulate spots -o dense --spots 500 --snr 2\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .schema = NG_TRUTH_SCHEMA,
    .run = run,
};
