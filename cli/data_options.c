/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From files to trajectories, for every verb that starts from tracked particles. */
#include "data_options.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- a result as input ----------------------------------------------------------------------- */

static bool is_result(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot, ".json") == 0;
}

static bool is_given(const ng_cli *cli, const char *option)
{
    return ng_options_origin(cli->options, option) != NG_ORIGIN_DEFAULT;
}

/* ensemble.json holds its keys at the top, a fit's result below "ensemble". */
static const json_t *key_of(const json_t *result, const char *key)
{
    const json_t *value = json_object_get(result, key);
    return value != NULL ? value : json_object_get(json_object_get(result, "ensemble"), key);
}

static ng_status tracks_from_result(const json_t *result, const char *path, ng_tracks *out,
                                    ng_error *err)
{
    const json_t *tracks = key_of(result, "tracks");
    if (tracks == NULL) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: holds no tracks; give a table of tracks, or what `nucgrow ensemble` "
                       "wrote",
                       path);
    }
    ng_error inner = {.status = NG_OK};
    ng_status status = ng_tracks_from_json(tracks, out, &inner);
    return status == NG_OK ? NG_OK : NG_FAIL(err, status, "%s: %s", path, inner.message);
}

/* How the result treated its trajectories, where the user says nothing else. */
static void settings_from_result(const ng_cli *cli, const json_t *result,
                                 ng_ensemble_options *options)
{
    const json_t *settings = key_of(result, "settings");
    const char *preset = json_string_value(json_object_get(settings, "preset"));
    const json_t *smooth = json_object_get(settings, "smooth");
    const json_t *cutoff = json_object_get(settings, "cutoff_per_frame");
    const json_t *max_gap = json_object_get(settings, "max_gap_frames");
    if (preset != NULL && !is_given(cli, "preset")) {
        options->published = strcmp(preset, "published") == 0;
    }
    if (json_is_boolean(smooth) && !is_given(cli, "smooth")) {
        options->smooth = json_is_true(smooth);
    }
    if (json_is_number(cutoff) && !is_given(cli, "cutoff")) {
        options->cutoff = json_number_value(cutoff);
    }
    if (json_is_integer(max_gap) && !is_given(cli, "max-gap")) {
        options->max_gap = (long)json_integer_value(max_gap);
    }
}

/* ---- material -------------------------------------------------------------------------------- */

/* A material of which nothing is known but its name; the parameters only start a fit. */
static ng_material unknown_material(const char *name, const char *title)
{
    ng_material m = *ng_material_at(0);
    snprintf(m.name, sizeof m.name, "%s", name);
    snprintf(m.title, sizeof m.title, "%s", title);
    m.source[0] = '\0';
    m.sigma_s_nm = (double)NAN;
    m.published = m.parameters_given = false;
    return m;
}

static bool material_from_result(const json_t *result, ng_material *out)
{
    const json_t *block = json_object_get(result, "material");
    const char *name = json_string_value(json_object_get(block, "name"));
    const char *title = json_string_value(json_object_get(block, "title"));
    const json_t *sigma = json_object_get(block, "sigma_s_nm");
    if (name == NULL || !json_is_number(sigma)) {
        return false;
    }
    const ng_material *known = ng_material_find(name);
    *out = known != NULL ? *known : unknown_material(name, title != NULL ? title : name);
    out->sigma_s_nm = json_number_value(sigma);
    return true;
}

static ng_status override_sigma(const ng_data_options *o, ng_material *m, ng_error *err)
{
    bool sigma = !isnan(o->sigma_nm), density = !isnan(o->density_per_nm3);
    if (sigma && density) {
        return NG_FAIL(err, NG_USAGE,
                       "--sigma-nm and --density-per-nm3 say the same thing; pass one of them");
    }
    if (sigma) {
        m->sigma_s_nm = o->sigma_nm;
    } else if (density) {
        m->sigma_s_nm = ng_sigma_from_density(o->density_per_nm3);
    }
    return NG_OK;
}

static ng_status choose_material(ng_cli *cli, const ng_data_options *o, const json_t *result,
                                 ng_material *out, ng_error *err)
{
    *out = unknown_material("custom", "given by the size of its monomer");
    if (o->material != NULL) {
        ng_status status = ng_material_choose(o->material, out, err);
        if (status == NG_OK && ng_material_find(o->material) == NULL) {
            status = ng_provenance_input(cli->provenance, o->material, err);
        }
        if (status != NG_OK) {
            return status;
        }
    } else if (!material_from_result(result, out) && isnan(o->sigma_nm) &&
               isnan(o->density_per_nm3)) {
        return NG_FAIL(err, NG_USAGE,
                       "the material is not known, so radii cannot become monomer numbers; pass "
                       "--material Pt (or Au, ..., or a YAML file) or --sigma-nm");
    }
    return override_sigma(o, out, err);
}

/* ---- merged tracks --------------------------------------------------------------------------- */

/* Group A is what the growth law is about; a table of nothing but merging tracks was meant so. */
static ng_status choose_merged(ng_cli *cli, const ng_data_options *o, ng_tracks *tracks,
                               ng_error *err)
{
    const size_t merged = ng_tracks_count_merged(tracks), alone = tracks->n_tracks - merged;
    const bool keep =
        strcmp(o->merged, "keep") == 0 || (strcmp(o->merged, "auto") == 0 && alone == 0);
    if (merged == 0 || keep) {
        return NG_OK;
    }
    if (alone == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "all %zu tracks merge with others; --merged keep takes them", merged);
    }
    ng_tracks_drop_merged(tracks);
    ng_warnings_add(&cli->warnings, "merged-dropped",
                    "%zu of %zu tracks merge with others and were left out; --merged keep takes "
                    "them",
                    merged, merged + alone);
    return NG_OK;
}

/* ---- the whole way --------------------------------------------------------------------------- */

static ng_ensemble_options ensemble_options(const ng_data_options *o)
{
    ng_ensemble_options options = ng_ensemble_defaults();
    options.published = strcmp(o->preset, "published") == 0;
    options.smooth = o->smooth;
    options.cutoff = o->cutoff;
    options.max_gap = o->max_gap;
    return options;
}

static ng_status hash(ng_cli *cli, const char *const *path, size_t n_paths, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < n_paths; i++) {
        status = ng_provenance_input(cli->provenance, path[i], err);
    }
    return status;
}

static ng_status read_tracks(ng_cli *cli, const ng_data_options *o, const char *const *path,
                             size_t n_paths, ng_tracks *out, ng_error *err)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = o->pixel_nm;
    options.frame_s = o->frame_s;
    options.skip_invalid = o->skip_invalid;
    return ng_tracks_read(path, n_paths, &options, out, &cli->warnings, err);
}

static ng_status read_result(const char *const *path, size_t n_paths, json_t **result,
                             ng_error *err)
{
    for (size_t i = 0; i < n_paths; i++) {
        if (is_result(path[i]) && n_paths > 1) {
            return NG_FAIL(err, NG_USAGE, "%s: a result cannot be joined with other files; give "
                           "the tables of tracks instead", path[i]);
        }
    }
    return is_result(path[0]) ? ng_json_read(path[0], result, err) : NG_OK;
}

static bool differ(double given, double own)
{
    return !isnan(given) && !(fabs(given - own) <= 1e-9 * own);
}

/* A result's sizes and times are calibrated already. */
static void warn_of_calibration(ng_cli *cli, const ng_data_options *o, const char *path,
                                const ng_tracks *tracks)
{
    if (differ(o->pixel_nm, tracks->pixel_nm)) {
        ng_warnings_add(&cli->warnings, "pixel-nm-unused",
                        "%s holds sizes in nm; --pixel-nm %g was not used (give it with the tables "
                        "of tracks)", path, o->pixel_nm);
    }
    if (differ(o->frame_s, tracks->frame_s)) {
        ng_warnings_add(&cli->warnings, "frame-s-unused",
                        "%s has times of its own; --frame-s %g was not used (give it with the "
                        "tables of tracks)", path, o->frame_s);
    }
}

ng_status ng_data_load_files(ng_cli *cli, const ng_data_options *o, const char *const *path,
                             size_t n_paths, ng_data *out, ng_error *err)
{
    *out = (ng_data){.ensemble = ensemble_options(o)};
    json_t *result = NULL;
    ng_status status = read_result(path, n_paths, &result, err);
    status = status == NG_OK ? hash(cli, path, n_paths, err) : status;
    status = status == NG_OK ? choose_material(cli, o, result, &out->material, err) : status;
    if (status != NG_OK) {
        goto out;
    }
    if (result != NULL) {
        settings_from_result(cli, result, &out->ensemble);
        status = tracks_from_result(result, path[0], &out->tracks, err);
        if (status == NG_OK) {
            warn_of_calibration(cli, o, path[0], &out->tracks);
        }
    } else {
        status = read_tracks(cli, o, path, n_paths, &out->tracks, err);
    }
    status = status == NG_OK ? choose_merged(cli, o, &out->tracks, err) : status;
    if (status == NG_OK) {
        out->ensemble.sigma_s_nm = out->material.sigma_s_nm;
        status = ng_trajectories_make(&out->tracks, &out->ensemble, &out->trajectories,
                                      &cli->warnings, err);
    }
out:
    json_decref(result);
    if (status != NG_OK) {
        ng_data_free(out);
    }
    return status;
}

ng_status ng_data_load(ng_cli *cli, const ng_data_options *o, ng_data *out, ng_error *err)
{
    return ng_data_load_files(cli, o, cli->file, cli->n_files, out, err);
}

void ng_data_free(ng_data *data)
{
    if (data != NULL) {
        ng_tracks_free(&data->tracks);
        ng_trajectories_free(&data->trajectories);
    }
}

void ng_data_say_unwritten(const ng_cli *cli)
{
    if (cli->common.output == NULL) {
        ng_cli_print(cli, "not written: -o FILE keeps the result, for `nucgrow report`\n");
    }
}
