/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow ensemble: how the sizes of many particles evolve. */
#include "data_options.h"

#include <jansson.h>
#include <math.h>

#define PHASES_MAX 9

typedef struct options {
    ng_data_options data;
    long bootstrap;
    double level;
} options;

static const ng_option table[] = {
    NG_DATA_OPTION_ROWS(options, data),
    {.name = "bootstrap", .type = NG_OPTION_INT, .offset = offsetof(options, bootstrap),
     .initial = "1000", .min = 0, .max = 1000000, .group = "Bands",
     .doc = "Resamplings of particles behind the bands; 0: no bands."},
    {.name = "level", .type = NG_OPTION_REAL, .offset = offsetof(options, level),
     .initial = "0.6827", .min = 0.01, .max = 0.9999, .group = "Bands",
     .doc = "Part of the resamplings that a band holds (0.6827: one standard deviation)."},
};

/* ---- for people ------------------------------------------------------------------------------ */

static void print_counts(const ng_cli *cli, const ng_ensemble *e)
{
    const ng_trajectories *t = e->trajectories;
    ng_cli_print(cli, "tracks     %zu, of which %zu dropped; %zu trajectories, %zu points "
                      "(bridged gaps included)\n",
                 e->tracks->n_tracks, t->tracks_dropped, t->n_tracks, t->n_points);
    ng_cli_print(cli, "frames     %zu, from %g s to %g s\n", t->n_frames, t->time_s[0],
                 t->time_s[t->n_frames - 1]);
}

static void print_frame(const ng_cli *cli, const ng_ensemble *e, const char *title, size_t f)
{
    const ng_series *s = e->series;
    ng_cli_print(cli, "%-10s %g s: %.0f particles, mean n %.4g", title, e->trajectories->time_s[f],
                 s->particles[f], s->mean_n[f]);
    if (e->bands != NULL) {
        ng_cli_print(cli, " (%.4g to %.4g)", e->bands->lower.mean_n[f],
                     e->bands->upper.mean_n[f]);
    }
    ng_cli_print(cli, ", s.d. %.4g, radius %.3g +- %.2g nm\n", sqrt(s->var_n[f]),
                 s->mean_radius_nm[f], s->sd_radius_nm[f]);
}

static void print_phases(const ng_cli *cli, const ng_ensemble *e)
{
    ng_phase phase[PHASES_MAX];
    size_t n = 0;
    if (ng_phases_find(e->series, PHASES_MAX, phase, &n, NULL) != NG_OK) {
        return; /* the result already holds them; only the summary goes without */
    }
    const double *time_s = e->trajectories->time_s;
    ng_cli_print(cli, "\n%-6s %9s %9s   %-9s %11s %11s   %s\n", "phase", "from_s", "to_s", "mean",
                 "n at start", "n at end", "variance");
    for (size_t k = 0; k < n; k++) {
        ng_cli_print(cli, "%-6s %9.4g %9.4g   %-9s %11.4g %11.4g   %s\n", phase[k].name,
                     time_s[phase[k].first], time_s[phase[k].last], ng_trend_name(phase[k].mean),
                     e->series->mean_n[phase[k].first], e->series->mean_n[phase[k].last],
                     ng_trend_name(phase[k].variance));
    }
}

static void print_summary(const ng_cli *cli, const ng_ensemble *e)
{
    print_counts(cli, e);
    print_frame(cli, e, "start", 0);
    print_frame(cli, e, "end", e->series->n_frames - 1);
    print_phases(cli, e);
    ng_data_say_unwritten(cli);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static ng_status compute(ng_cli *cli, const ng_data *data, ng_series *series, ng_bands *bands,
                         ng_error *err)
{
    ng_status status = ng_series_create(data->trajectories.n_frames, series, err);
    if (status == NG_OK) {
        ng_series_compute(&data->trajectories, NULL, series);
    }
    if (status == NG_OK && data->ensemble.bootstrap > 0) {
        status = ng_bands_compute(&data->trajectories, &data->ensemble, &cli->run, bands, err);
    }
    return status;
}

static void cite(ng_cli *cli, const ng_data *data)
{
    ng_provenance_reference(cli->provenance, "Kim et al., PNAS 122, e2424950122 (2025), Fig. 1");
    ng_provenance_reference(cli->provenance,
                            data->ensemble.published
                                ? "Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984)"
                                : "Silverman, Density Estimation (1986), Eq. 3.31");
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_data data;
    ng_series series = {0};
    ng_bands bands = {.lower = {0}};
    ng_status status = ng_data_load(cli, &o->data, &data, err);
    if (status != NG_OK) {
        return status;
    }
    data.ensemble.bootstrap = (size_t)o->bootstrap;
    data.ensemble.level = o->level;
    status = compute(cli, &data, &series, &bands, err);
    ng_ensemble ensemble = {.tracks = &data.tracks,
                            .trajectories = &data.trajectories,
                            .options = &data.ensemble,
                            .material = &data.material,
                            .series = &series,
                            .bands = o->bootstrap > 0 ? &bands : NULL};
    if (status == NG_OK) {
        status = ng_ensemble_json(&ensemble, &cli->run, &cli->result, err);
    }
    if (status == NG_OK) {
        cite(cli, &data);
        print_summary(cli, &ensemble);
    }
    ng_series_free(&series);
    ng_bands_free(&bands);
    ng_data_free(&data);
    return status;
}

const ng_command ng_command_ensemble = {
    .name = "ensemble",
    .group = "Measure",
    .summary = "mean, spread, distributions and phases of growing particles",
    .description =
        "From tracked particles to monomer numbers n = (r/sigma_s)^3, smoothed along each "
        "trajectory, and to what the ensemble does over time: number, mean, variance, moments 3 "
        "to 10, their slopes, size distributions, phases. Bands come from resampling whole "
        "particles.\n\n"
        "FILES are one data set: tables of tracks (CSV of nucgrow, TrackMate, trackpy, or "
        "TrackMate XML), or one ensemble.json, whose tracks are computed anew. The result holds "
        "the tracks, so that `nucgrow fit growth ensemble.json` needs nothing else.",
    .usage = "FILES... --material NAME [options]",
    .examples = "nucgrow ensemble tracks.csv --material Pt -o ensemble.json\n"
                "# areas in pixels, no time column\n"
                "nucgrow ensemble spots.csv --pixel-nm 0.53 --frame-s 1 --material Pt\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/ensemble/1",
    .run = run,
};
