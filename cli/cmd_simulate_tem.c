/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate tem: a movie of growing particles, and the truth about them. */
#include "simulate_options.h"

#include <nucgrow/movie.h>

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

/* ---- files ---- */

typedef enum file { MOVIE, TRUTH, TRACKS, EVENTS, PARTICLES, N_FILES } file;

static const char *const file_name[N_FILES] = {"movie.tif", "truth.json", "tracks.csv",
                                               "events.csv", "particles.csv"};

/* What is written while frames are made; paths are owned. */
typedef struct outputs {
    char *path[N_FILES];
    char *comment;
    ng_stack *movie;
    ng_particles_writer *tracks, *particles;
} outputs;

static void outputs_free(outputs *out)
{
    for (int i = 0; i < N_FILES; i++) {
        ng_free(out->path[i]);
    }
    ng_free(out->comment);
    ng_stack_abandon(out->movie);
    ng_particles_writer_abandon(out->tracks);
    ng_particles_writer_abandon(out->particles);
}

/* Names, and a look whether anything stands in the way. */
static ng_status find_outputs(const ng_cli *cli, outputs *out, ng_error *err)
{
    ng_status status = NG_OK;
    for (int i = 0; i < N_FILES && status == NG_OK; i++) {
        out->path[i] = ng_cli_path(cli, file_name[i]);
        status = out->path[i] != NULL ? ng_output_check(out->path[i], cli->common.force, err)
                                      : NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    out->comment = ng_text_format("nucgrow %s simulate tem, seed %ld; truth in truth.json",
                                  ng_version(), cli->common.seed);
    if (status == NG_OK && out->comment == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    return status;
}

static ng_status open_outputs(const ng_cli *cli, const ng_synth_tem_options *tem, size_t size,
                              outputs *out, ng_error *err)
{
    const bool force = cli->common.force;
    const ng_stack_format format = {.width = size,
                                    .height = size,
                                    .frames = (size_t)tem->growth.frames,
                                    .sample = NG_SAMPLE_UINT16,
                                    .pixel_nm = tem->growth.pixel_nm,
                                    .frame_s = tem->growth.frame_s};
    ng_status status = ng_stack_create(out->path[MOVIE], &format, force, &out->movie, err);
    if (status == NG_OK) {
        status = ng_particles_writer_open(out->path[TRACKS], out->comment, true, force,
                                          &out->tracks, err);
    }
    return status != NG_OK ? status
                           : ng_particles_writer_open(out->path[PARTICLES], out->comment, false,
                                                      force, &out->particles, err);
}

/* particles.csv is what a perfect detection would give: no drift taken out. */
static ng_status add_particles(ng_particles_writer *writer, const ng_particle *particle, size_t n,
                               ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        ng_particle seen = particle[i];
        seen.x_nm = seen.x_raw_nm;
        seen.y_nm = seen.y_raw_nm;
        status = ng_particles_writer_add(writer, &seen, 1, err);
    }
    return status;
}

static ng_status write_frame(ng_synth_tem *tem, outputs *out, float *pixel, ng_error *err)
{
    size_t n = 0;
    ng_status status = ng_synth_tem_next(tem, pixel, err);
    if (status == NG_OK) {
        status = ng_stack_write(out->movie, pixel, err);
    }
    const ng_particle *particle = ng_synth_tem_particles(tem, &n);
    if (status == NG_OK) {
        status = ng_particles_writer_add(out->tracks, particle, n, err);
    }
    return status == NG_OK ? add_particles(out->particles, particle, n, err) : status;
}

/* Each of them is gone after its commit, whatever came of it. */
static ng_status commit(outputs *out, ng_error *err)
{
    ng_stack *movie = out->movie;
    ng_particles_writer *tracks = out->tracks, *particles = out->particles;
    out->movie = NULL;
    ng_status status = ng_stack_commit(movie, err);
    if (status == NG_OK) {
        out->tracks = NULL;
        status = ng_particles_writer_commit(tracks, err);
    }
    if (status == NG_OK) {
        out->particles = NULL;
        status = ng_particles_writer_commit(particles, err);
    }
    return status;
}

/* ---- for people ---- */

static void print_summary(const ng_cli *cli, const ng_synth_tem_options *asked,
                          const ng_synth_tem *tem, const outputs *out)
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
    for (int i = 0; i < N_FILES; i++) {
        ng_cli_print(cli, "%s%s\n", i == 0 ? "written:    " : "            ", out->path[i]);
    }
}

/* ---- all of it ---- */

static ng_status make_movie(ng_cli *cli, const ng_synth_tem_options *asked, ng_synth_tem *tem,
                            outputs *out, ng_error *err)
{
    const size_t size = ng_synth_tem_size(tem);
    float *pixel = NG_NEW(float, size *size);
    ng_status status =
        pixel == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory for %zu x %zu pixels", size, size)
                      : open_outputs(cli, asked, size, out, err);
    for (long frame = 0; frame < asked->growth.frames && status == NG_OK; frame++) {
        status = write_frame(tem, out, pixel, err);
    }
    ng_free(pixel);
    if (status == NG_OK) {
        status = commit(out, err);
    }
    if (status == NG_OK) {
        status = ng_events_write(ng_synth_tem_events(tem), out->path[EVENTS], out->comment,
                                 cli->common.force, err);
    }
    return status == NG_OK
               ? ng_simulate_write_truth(cli, ng_synth_tem_truth_json(tem, &cli->warnings),
                                         out->path[TRUTH], err)
               : status;
}

static ng_status simulate(ng_cli *cli, const ng_synth_tem_options *asked, ng_error *err)
{
    outputs out = {0};
    ng_synth_tem *tem = NULL;
    ng_status status = find_outputs(cli, &out, err);
    if (status == NG_OK) {
        status = ng_synth_tem_open(asked, &cli->run, &tem, err);
    }
    if (status == NG_OK) {
        status = make_movie(cli, asked, tem, &out, err);
    }
    if (status == NG_OK) {
        print_summary(cli, asked, tem, &out);
    }
    ng_synth_tem_close(tem);
    outputs_free(&out);
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
