/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow simulate ensemble: tracks of growing particles, and the truth about them. */
#include "simulate_options.h"

#include <math.h>

typedef struct options {
    ng_synth_ensemble_options ensemble;
    const char *material, *schedule;
} options;

#define ROW(kind, name, field, unit, initial, min, max, group, doc)                                \
    NG_SIMULATE_ROW(options, ensemble.field, kind, name, unit, initial, min, max, group, doc)

static const ng_option table[] = {NG_SIMULATE_TRUTH_ROWS(options) NG_SYNTH_ENSEMBLE_OPTIONS(ROW)};

/* ---- what is written ---- */

typedef struct outputs {
    char *tracks, *truth; /* owned paths */
} outputs;

static ng_status find_outputs(const ng_cli *cli, outputs *out, ng_error *err)
{
    out->tracks = ng_cli_path(cli, "tracks.csv");
    out->truth = ng_cli_path(cli, "truth.json");
    if (out->tracks == NULL || out->truth == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    ng_status status = ng_output_check(out->tracks, cli->common.force, err);
    return status != NG_OK ? status : ng_output_check(out->truth, cli->common.force, err);
}

static ng_status write_tracks(const ng_cli *cli, const ng_tracks *tracks, const char *path,
                              ng_error *err)
{
    char *comment = ng_text_format("nucgrow %s simulate ensemble, seed %ld; truth in truth.json",
                                   ng_version(), cli->common.seed);
    if (comment == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    ng_status status = ng_tracks_write_csv(tracks, path, comment, cli->common.force, err);
    ng_free(comment);
    return status;
}

/* ---- for people ---- */

static void print_summary(const ng_cli *cli, const ng_tracks *tracks,
                          const ng_synth_ensemble_truth *truth, const outputs *out)
{
    size_t last = truth->frames - 1;
    while (last > 0 && !isfinite(truth->mean_n[last])) {
        last--; /* nothing is left alive */
    }
    ng_cli_print(cli, "particles   %zu tracks, %zu points in %zu frames; %zu dissolved\n",
                 tracks->n_tracks, tracks->n_points, truth->frames, truth->dissolved);
    ng_cli_print(cli, "mean n      %.0f at %g s, %.0f at %g s (%llu events)\n", truth->mean_n[0],
                 truth->time_s[0], truth->mean_n[last], truth->time_s[last],
                 (unsigned long long)truth->events);
    ng_cli_print(cli, "written:    %s\n            %s\n", out->tracks, out->truth);
}

static ng_status simulate(ng_cli *cli, const ng_synth_ensemble_options *ensemble,
                          const outputs *out, ng_error *err)
{
    ng_tracks tracks = {0};
    ng_synth_ensemble_truth truth = {0};
    ng_status status = ng_synth_ensemble(ensemble, &cli->run, &tracks, &truth, &cli->warnings, err);
    if (status == NG_OK) {
        status = write_tracks(cli, &tracks, out->tracks, err);
    }
    if (status == NG_OK) {
        status = ng_simulate_write_truth(cli, ng_synth_ensemble_truth_json(ensemble, &truth),
                                         out->truth, err);
    }
    if (status == NG_OK) {
        print_summary(cli, &tracks, &truth, out);
    }
    ng_tracks_free(&tracks);
    ng_synth_ensemble_truth_free(&truth);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_synth_schedule schedule = {0};
    outputs out = {0};
    ng_synth_ensemble_options ensemble;
    ng_status status = find_outputs(cli, &out, err);
    if (status == NG_OK) {
        status = ng_simulate_material(cli, o->material, err);
    }
    ensemble = o->ensemble; /* a copy, since the material has set the rest of it */
    if (status == NG_OK) {
        status = ng_simulate_schedule(cli, o->schedule, &schedule, &ensemble, err);
    }
    if (status == NG_OK) {
        ng_provenance_reference(cli->provenance,
                                "Kim et al., PNAS 122, e2424950122 (2025), Eqs. 1, 2");
        ng_provenance_reference(cli->provenance, "Gillespie, J. Phys. Chem. 81, 2340 (1977)");
        status = simulate(cli, &ensemble, &out, err);
    }
    ng_synth_schedule_free(&schedule);
    ng_free(out.tracks);
    ng_free(out.truth);
    return status;
}

const ng_command ng_command_simulate_ensemble = {
    .name = "simulate ensemble",
    .group = "Model",
    .summary = "tracks of growing particles, with the truth about them",
    .description =
        "Particles that gain and lose single monomers at the rates of the growth law, simulated "
        "event by event without a time step, and watched by a microscope with pixels, noise and "
        "missed frames. Writes tracks.csv, which `nucgrow ensemble` and `nucgrow fit growth` read, "
        "and truth.json with the true parameters, supersaturation, mean and variance.\n\n"
        "The defaults look like the published movie of Pt from Pt(acac)2: 173 frames of 1 s in "
        "which particles grow from 350 to about 4500 monomers. Particles that fall below n = 50 "
        "are removed, because the lattice model means nothing there.",
    .usage = "-o DIR [options]",
    .examples = "nucgrow simulate ensemble -o synthetic\n"
                "nucgrow simulate ensemble -o au --material Au --schedule 0:6,40:4,170:4.5\n"
                "nucgrow simulate ensemble -o late --late-fraction 0.3 --seed 7\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .schema = NG_TRUTH_SCHEMA,
    .run = run,
};
