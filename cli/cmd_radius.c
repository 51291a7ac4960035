/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow radius: radii of crystals from their intensities, or from emission spectra. */
#include "crystal_options.h"

#include <nucgrow/predict.h>

#include <jansson.h>
#include <math.h>

typedef struct options {
    ng_crystal_options crystals;
    bool spectra;
    const char *table;
} options;

static const ng_option table[] = {
    NG_CRYSTAL_OPTION_ROWS(options, crystals),
    {.name = "spectra",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, spectra),
     .initial = "false",
     .group = "Spectra",
     .doc = "The file holds emission spectra: columns time_s, wavelength_nm, intensity."},
    {.name = "table",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, table),
     .value = "OUT.csv",
     .group = "Output",
     .doc = "Write the table with its radii here, for the verbs that read tracks."},
};

/* ---- spectra --------------------------------------------------------------------------------- */

/* A spectrum without a peak has no energy that a size could be asked for. */
static const char *peak_flag(const ng_spectrum_peak *peak)
{
    return isfinite(peak->peak_nm) ? ng_radius_flag_name(peak->flag) : "no-peak";
}

static json_t *spectra_json(const ng_spectrum_peak *peak, size_t n)
{
    json_t *time = json_array(), *wave = json_array(), *wave_se = json_array();
    json_t *radius = json_array(), *radius_se = json_array(), *flag = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(time, ng_json_real(peak[i].time_s));
        json_array_append_new(wave, ng_json_real(peak[i].peak_nm));
        json_array_append_new(wave_se, ng_json_real(peak[i].peak_se_nm));
        json_array_append_new(radius, ng_json_real(peak[i].radius_nm));
        json_array_append_new(radius_se, ng_json_real(peak[i].radius_se_nm));
        json_array_append_new(flag, json_string(peak_flag(&peak[i])));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "time_s", time, "peak_nm", wave, "peak_se_nm",
                     wave_se, "radius_nm", radius, "radius_se_nm", radius_se, "flag", flag);
}

static void print_spectra(const ng_cli *cli, const ng_spectrum_peak *peak, size_t n)
{
    ng_cli_print(cli, "%10s %10s %10s %10s  %s\n", "time_s", "peak_nm", "radius_nm", "+-", "flag");
    for (size_t i = 0; i < n; i += n / 12 + 1) {
        ng_cli_print(cli, "%10.4g %10.5g %10.4g %10.2g  %s\n", peak[i].time_s, peak[i].peak_nm,
                     peak[i].radius_nm, peak[i].radius_se_nm, peak_flag(&peak[i]));
    }
}

static ng_status read_spectra(ng_cli *cli, const options *o, ng_error *err)
{
    static const char *const columns[] = {"time_s", "wavelength_nm", "intensity"};
    ng_emitter emitter;
    double *rows = NULL;
    ng_spectrum_peak *peak = NULL;
    size_t n = 0, n_peaks = 0, radii = 0;
    ng_status status = ng_cli_inputs(cli, err);
    status = status == NG_OK ? ng_crystal_emitter(cli, &o->crystals, &emitter, err) : status;
    if (status == NG_OK) {
        status = ng_predict_table_read(cli->file[0], columns, 3, &rows, &n, err);
    }
    if (status == NG_OK) {
        status = ng_spectra_peaks(&emitter, rows, n, &peak, &n_peaks, err);
    }
    for (size_t i = 0; status == NG_OK && i < n_peaks; i++) {
        radii += isfinite(peak[i].radius_nm) ? 1 : 0;
    }
    if (status == NG_OK && radii < n_peaks) {
        ng_warnings_add(&cli->warnings, "radii-missing",
                        "%zu of %zu spectra have no radius; their "
                        "flags say why",
                        n_peaks - radii, n_peaks);
    }
    if (status == NG_OK) {
        print_spectra(cli, peak, n_peaks);
        cli->result = json_pack("{s:o,s:o,s:b}", "relation", ng_emitter_json(&emitter), "spectra",
                                spectra_json(peak, n_peaks), "trusted", radii > 0);
    }
    ng_free(rows);
    ng_free(peak);
    return status;
}

/* ---- intensities ----------------------------------------------------------------------------- */

static ng_status write_table(const ng_cli *cli, const ng_particles *p, const char *path,
                             ng_error *err)
{
    ng_particles_writer *writer = NULL;
    bool tracked = false;
    for (size_t i = 0; i < p->n; i++) {
        tracked = tracked || p->item[i].track >= 0;
    }
    char *comment = ng_text_format("nucgrow %s radius: radii from intensities", ng_version());
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

/* The relation itself, for a plot. */
static json_t *curve_json(const ng_emitter *e)
{
    json_t *radius = json_array(), *light = json_array(), *power = json_array();
    json_t *peak = json_array();
    for (int i = 0; i <= 140; i++) {
        const double r = e->radius_min_nm + (e->radius_max_nm - e->radius_min_nm) * i / 140;
        json_array_append_new(radius, ng_json_real(r));
        json_array_append_new(light, ng_json_real(ng_emitter_brightness(e, r)));
        json_array_append_new(power, ng_json_real(ng_emitter_power(e, r)));
        json_array_append_new(peak, ng_json_real(ng_photon_energy_eV(ng_emitter_energy_eV(e, r))));
    }
    return json_pack("{s:o,s:o,s:o,s:o}", "radius_nm", radius, "relative_intensity", light, "power",
                     power, "peak_nm", peak);
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_crystal_data data;
    if (o->spectra) {
        return read_spectra(cli, o, err);
    }
    ng_status status = o->table != NULL ? ng_output_check(o->table, cli->common.force, err) : NG_OK;
    if (status != NG_OK) {
        return status;
    }
    status = ng_crystal_load(cli, &o->crystals, cli->file[0], false, &data, err);
    if (status == NG_OK && !data.converted) {
        status = NG_FAIL(err, NG_USAGE,
                         "nothing says how bright a known size is; pass --final-radius-nm, "
                         "--calibration or --intensity-scale");
    }
    if (status == NG_OK && o->table != NULL) {
        status = write_table(cli, &data.tracks, o->table, err);
    }
    if (status == NG_OK) {
        ng_crystal_print(cli, &data);
        const size_t radii = data.counts.flag[NG_RADIUS_OK] + data.counts.flag[NG_RADIUS_DARK] +
                             data.counts.flag[NG_RADIUS_FLAT];
        ng_cli_print(cli, "points     %zu, of which %zu with a radius\n", data.tracks.n, radii);
        cli->result = json_object();
        ng_crystal_put(cli->result, &data);
        json_object_set_new(cli->result, "curve", curve_json(&data.emitter));
        const bool dark = data.counts.flag[NG_RADIUS_DARK] > 0;
        json_object_set_new(cli->result, "trusted", json_boolean(!dark && radii > 0));
    }
    ng_crystal_data_free(&data);
    return status;
}

const ng_command ng_command_radius = {
    .name = "radius",
    .group = "Measure",
    .summary = "radii of fluorescent crystals from their intensities or spectra",
    .description =
        "A crystal's light grows with its size: I(r) = I0 r^p A(r) Y(r) T(r), absorption edge, "
        "quantum yield and filter band included where the material says how its emission energy "
        "depends on size (Brus's equation or a sizing table). I0 comes from the known sizes at the "
        "end: the median of the final intensities is given the median of those radii.\n\n"
        "Intensities that no radius can give are flagged and counted, never clamped. The relation "
        "is nucgrow's own; every factor is a key of the material's YAML file "
        "(docs/perovskite.md).\n\n"
        "`nucleation` and `fit diffusion` take the same options and need no file between.",
    .usage = "TRACKS.csv [options]",
    .examples = "nucgrow radius tracks.csv --final-radius-nm 1.5 --table radii.csv\n"
                "nucgrow radius tracks.csv --calibration still.csv -o radius.json\n"
                "nucgrow radius spectra.csv --spectra --sizing brus\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/radius/1",
    .run = run,
};
