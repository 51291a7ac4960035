/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate crystals: fluorescent crystals that nucleate, grow and blink, as tables. */
#include "simulate_options.h"

#include <nucgrow/synth_crystals.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct options {
    ng_synth_crystals_options crystals;
    const char *births, *growth;
} options;

#define ROW(kind, name, field, unit, initial, min, max, group, doc)                                \
    NG_SIMULATE_ROW(options, crystals.field, kind, name, unit, initial, min, max, group, doc)

static const ng_option table[] = {
    {.name = "births",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, births),
     .choices = "constant|cells|shared|burst|shared-burst",
     .initial = "constant",
     .group = "Crystals",
     .doc = "When crystals are born: evenly; where a cell is left; from one well-mixed solution "
            "that they deplete; all at once, in cells or in one solution."},
    {.name = "growth",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(options, growth),
     .choices = "parabolic|depletion|sugimoto",
     .initial = "depletion",
     .group = "Crystals",
     .doc = "How a crystal with a cell of its own grows."},
    NG_SYNTH_CRYSTALS_OPTIONS(ROW)};

typedef enum file { TRACKS, STILL, TRUTH, N_FILES } file;
static const char *const file_name[N_FILES] = {"tracks.csv", "still.csv", "truth.json"};

static ng_synth_crystals_options understand(const options *o)
{
    static const char *const births[] = {"constant", "cells", "shared", "burst", "shared-burst"};
    ng_synth_crystals_options s = o->crystals;
    for (int i = 0; i < (int)(sizeof births / sizeof births[0]); i++) {
        s.births = strcmp(o->births, births[i]) == 0 ? (ng_birth_kind)i : s.births;
    }
    for (int i = 0; i <= NG_GROWTH_SUGIMOTO; i++) {
        const bool same = strcmp(o->growth, ng_growth_kind_name((ng_growth_kind)i)) == 0;
        s.conditions.growth = same ? (ng_growth_kind)i : s.conditions.growth;
    }
    return s;
}

static ng_status write_table(const ng_cli *cli, const ng_particles *p, bool tracked,
                             const char *path, ng_error *err)
{
    ng_particles_writer *writer = NULL;
    char *comment = ng_text_format("nucgrow %s simulate crystals, seed %ld; truth in truth.json",
                                   ng_version(), cli->common.seed);
    ng_status status =
        ng_particles_writer_open(path, comment, tracked, cli->common.force, &writer, err);
    ng_free(comment);
    if (status == NG_OK) {
        status = ng_particles_writer_add(writer, p->item, p->n, err);
    }
    if (status == NG_OK) {
        return ng_particles_writer_commit(writer, err);
    }
    ng_particles_writer_abandon(writer);
    return status;
}

static void print_summary(const ng_cli *cli, const ng_particles *tracks,
                          const ng_synth_crystals_truth *truth, char *const *path)
{
    const size_t last = truth->frames - 1;
    ng_cli_print(cli, "crystals    %zu, seen %zu times in %zu frames\n", truth->n, tracks->n,
                 truth->frames);
    ng_cli_print(cli, "at the end  radius %.4g +- %.2g nm\n", truth->mean_nm[last],
                 truth->sd_nm[last]);
    ng_cli_print(cli, "written:    %s\n            %s\n            %s\n", path[TRACKS], path[STILL],
                 path[TRUTH]);
}

static ng_status simulate(ng_cli *cli, const ng_synth_crystals_options *o, char *const *path,
                          ng_error *err)
{
    ng_particles tracks = {0}, still = {0};
    ng_synth_crystals_truth truth = {0};
    ng_status status =
        ng_synth_crystals(o, &cli->run, &tracks, &still, &truth, &cli->warnings, err);
    if (status == NG_OK) {
        status = write_table(cli, &tracks, true, path[TRACKS], err);
    }
    if (status == NG_OK && o->still > 0) {
        status = write_table(cli, &still, false, path[STILL], err);
    }
    if (status == NG_OK) {
        status =
            ng_simulate_write_truth(cli, ng_synth_crystals_truth_json(o, &truth), path[TRUTH], err);
    }
    if (status == NG_OK) {
        print_summary(cli, &tracks, &truth, path);
    }
    ng_particles_free(&tracks);
    ng_particles_free(&still);
    ng_synth_crystals_truth_free(&truth);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const ng_synth_crystals_options o = understand(values);
    char *path[N_FILES] = {NULL};
    ng_status status = NG_OK;
    for (int i = 0; i < N_FILES && status == NG_OK; i++) {
        path[i] = ng_cli_path(cli, file_name[i]);
        status = path[i] != NULL ? ng_output_check(path[i], cli->common.force, err)
                                 : NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    if (status == NG_OK) {
        ng_provenance_reference(cli->provenance,
                                "Liu et al., Nat. Commun. (2025), doi 10.1038/s41467-025-60826-x");
        status = simulate(cli, &o, path, err);
    }
    for (int i = 0; i < N_FILES; i++) {
        ng_free(path[i]);
    }
    return status;
}

const ng_command ng_command_simulate_crystals = {
    .name = "simulate crystals",
    .group = "Model",
    .summary = "fluorescent crystals that nucleate, grow and blink, as tables with their truth",
    .description =
        "Crystals that are born over tens of seconds, or in a burst, and grow by diffusion, each "
        "in a cell of its own or all from one solution that they deplete; watched by a microscope "
        "with photon noise, a detection limit and blinking. Writes tracks.csv (intensities, no "
        "radii), still.csv (sizes of the product, for --calibration) and truth.json.\n\n"
        "The defaults look like the published crystallisation of FAPbBr3: 700 crystals in "
        "10 x 10 um, born over 45 s, growing to 1.5 nm. At another --concentration the number, the "
        "rates and the final radius follow the scaling of docs/perovskite.md.",
    .usage = "-o DIR [options]",
    .examples = "nucgrow simulate crystals -o synthetic\n"
                "nucgrow simulate crystals -o half --concentration 0.5 --frames 900\n"
                "nucgrow simulate crystals -o burst --births shared-burst\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .schema = NG_TRUTH_SCHEMA,
    .run = run,
};
