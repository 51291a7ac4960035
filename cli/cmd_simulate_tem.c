/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate tem: a movie of growing particles, and the truth about them. */
#include "simulate_movie.h"
#include "simulate_options.h"

#include <jansson.h>
#include <math.h>

typedef struct options {
    ng_synth_tem_options tem;
    const char *material, *schedule;
} options;

#define GROWTH_ROW(kind, name, field, unit, initial, min, max, group, doc)                         \
    NG_SIMULATE_ROW(options, tem.growth.field, kind, name, unit, initial, min, max, group, doc)
#define TEM_ROW(kind, name, field, unit, initial, min, max, group, doc)                            \
    NG_SIMULATE_ROW(options, tem.field, kind, name, unit, initial, min, max, group, doc)

static const ng_option table[] = {NG_SIMULATE_TRUTH_ROWS(options) NG_SYNTH_GROWTH_OPTIONS(
    GROWTH_ROW) NG_SYNTH_TEM_OPTIONS(TEM_ROW)};

/* ---- for people ---- */

static void print_summary(const ng_cli *cli, const ng_synth_tem_options *asked,
                          const ng_synth_tem *tem, const ng_simulated_movie *out)
{
    const json_t *mean = json_object_get(json_object_get(cli->result, "series"), "mean_n");
    const size_t last = (size_t)asked->growth.frames - 1;
    const double first_nm = ng_radius_from_monomers(json_number_value(json_array_get(mean, 0)),
                                                    asked->growth.sigma_s_nm);
    const double last_nm = ng_radius_from_monomers(json_number_value(json_array_get(mean, last)),
                                                   asked->growth.sigma_s_nm);
    ng_cli_print(cli, "movie       %ld frames of %zu x %zu pixels, %g nm and %g s each\n",
                 asked->growth.frames, ng_synth_tem_size(tem), ng_synth_tem_size(tem),
                 asked->growth.pixel_nm, asked->growth.frame_s);
    ng_cli_print(cli, "particles   %ld; radius of the mean %.2f nm at first, %.2f nm at last\n",
                 asked->growth.particles, first_nm, last_nm);
    ng_cli_print(cli, "events      %lld merges, %lld dissolved\n",
                 json_integer_value(json_object_get(cli->result, "merges")),
                 json_integer_value(json_object_get(cli->result, "dissolved")));
    ng_cli_print(cli, "contrast    %.2g times the noise of a pixel, blur %g px\n",
                 asked->contrast * sqrt(asked->dose_per_px), asked->blur_px);
    ng_simulated_print(cli, out);
}

/* ---- all of it ---- */

static ng_status add_frame(ng_synth_tem *tem, ng_simulated_movie *out, float *pixel, ng_error *err)
{
    size_t n = 0;
    ng_status status = ng_synth_tem_next(tem, pixel, err);
    const ng_particle *particle = ng_synth_tem_particles(tem, &n);
    return status == NG_OK ? ng_simulated_add(out, pixel, particle, n, err) : status;
}

static ng_status make_movie(ng_cli *cli, const ng_synth_tem_options *asked, ng_synth_tem *tem,
                            ng_simulated_movie *out, ng_error *err)
{
    const size_t size = ng_synth_tem_size(tem);
    const ng_stack_format format = {.width = size,
                                    .height = size,
                                    .frames = (size_t)asked->growth.frames,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = asked->growth.pixel_nm,
                                    .frame_s = asked->growth.frame_s};
    float *pixel = NG_NEW(float, size *size);
    ng_status status =
        pixel == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", size, size)
                      : ng_simulated_open(cli, &format, out, err);
    for (long frame = 0; frame < asked->growth.frames && status == NG_OK; frame++) {
        status = add_frame(tem, out, pixel, err);
    }
    ng_free(pixel);
    return status == NG_OK ? ng_simulated_commit(out, err) : status;
}

static ng_status write_rest(ng_cli *cli, const ng_synth_tem *tem, const ng_simulated_movie *out,
                            ng_error *err)
{
    ng_status status = ng_events_write(ng_synth_tem_events(tem), out->path[NG_SIMULATED_EVENTS],
                                       out->comment, cli->common.force, err);
    return status == NG_OK
               ? ng_simulate_write_truth(cli, ng_synth_tem_truth_json(tem, &cli->warnings),
                                         out->path[NG_SIMULATED_TRUTH], err)
               : status;
}

static ng_status simulate(ng_cli *cli, const ng_synth_tem_options *asked, ng_error *err)
{
    ng_simulated_movie out = {0};
    ng_synth_tem *tem = NULL;
    ng_status status = ng_simulated_find(cli, true, &out, err);
    if (status == NG_OK) {
        status = ng_synth_tem_open(asked, &cli->run, &tem, err);
    }
    if (status == NG_OK) {
        status = make_movie(cli, asked, tem, &out, err);
    }
    if (status == NG_OK) {
        status = write_rest(cli, tem, &out, err);
    }
    if (status == NG_OK) {
        print_summary(cli, asked, tem, &out);
    }
    ng_synth_tem_close(tem);
    ng_simulated_free(&out);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_synth_schedule schedule = {0};
    ng_status status = ng_simulate_material(cli, o->material, err);
    ng_synth_tem_options tem = o->tem; /* a copy, since the material has set the rest of it */
    if (status == NG_OK) {
        status = ng_simulate_schedule(cli, o->schedule, &schedule, &tem.growth, err);
    }
    if (status == NG_OK) {
        ng_provenance_reference(cli->provenance,
                                "Kim et al., PNAS 122, e2424950122 (2025), Eqs. 1, 2");
        ng_provenance_reference(cli->provenance, "Gillespie, J. Phys. Chem. 81, 2340 (1977)");
        status = simulate(cli, &tem, err);
    }
    ng_synth_schedule_free(&schedule);
    return status;
}

const ng_command ng_command_simulate_tem = {
    .name = "simulate tem",
    .group = "Model",
    .summary = "an electron-microscope movie of growing particles, with the truth about it",
    .description =
        "Particles that gain and lose single monomers at the rates of the growth law, as in "
        "`simulate ensemble`, seen as dark disks on a noisy background: they diffuse, become one "
        "where they touch, and drift with the specimen. Disks are blurred by a Gaussian and "
        "integrated over the pixels; the noise is that of counted electrons.\n\n"
        "Writes movie.tif (16 bits, calibrated, opens in ImageJ), truth.json, and the tables that "
        "a perfect analysis would give: particles.csv, tracks.csv and events.csv. The defaults "
        "look like the published movie of Pt from Pt(acac)2: radii of 2 to 5 pixels, twice as "
        "much contrast as noise.",
    .usage = "-o DIR [options]",
    .examples = "nucgrow simulate tem -o synthetic\n"
                "nucgrow simulate tem -o hard --contrast 0.12 --jumps 3 --merge-chance 0.5\n"
                "nucgrow simulate tem -o small --frames 40 --field-nm 100 --particles 30\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .schema = NG_TRUTH_SCHEMA,
    .run = run,
};
