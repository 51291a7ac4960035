/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a table of crystals to radii, for every verb that starts from them. */
#include "crystal_options.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

ng_status ng_crystal_emitter(ng_cli *cli, const ng_crystal_options *o, ng_emitter *out,
                             ng_error *err)
{
    ng_status status = ng_emitter_choose(o->material, out, err);
    if (status == NG_OK && ng_emitter_find(o->material) == NULL) {
        status = ng_provenance_input(cli->provenance, o->material, err);
    }
    if (status != NG_OK) {
        return status;
    }
    if (o->sizing != NULL) {
        out->sizing = strcmp(o->sizing, "brus") == 0    ? NG_SIZING_BRUS
                      : strcmp(o->sizing, "table") == 0 ? NG_SIZING_TABLE
                                                        : NG_SIZING_VOLUME;
    }
    out->excitation_nm = isnan(o->excitation_nm) ? out->excitation_nm : o->excitation_nm;
    const char *fault = ng_emitter_fault(out);
    return fault == NULL ? NG_OK : NG_FAIL(err, NG_USAGE, "%s: %s", out->name, fault);
}

static ng_tracks_read_options reading(const ng_crystal_options *o)
{
    ng_tracks_read_options r = ng_tracks_read_defaults();
    r.pixel_nm = o->pixel_nm;
    r.frame_s = o->frame_s;
    r.skip_invalid = o->skip_invalid;
    return r;
}

static ng_status read_still(ng_cli *cli, const ng_crystal_options *o, ng_reference_sizes *out,
                            ng_error *err)
{
    ng_particles still = {0};
    ng_tracks_read_options r = reading(o);
    r.frame_s = isnan(r.frame_s) ? 1 : r.frame_s; /* of one image; no time is taken from it */
    ng_status status = ng_provenance_input(cli->provenance, o->calibration, err);
    if (status == NG_OK) {
        status = ng_particles_read(o->calibration, &r, &still, &cli->warnings, err);
    }
    if (status == NG_OK) {
        status = ng_reference_from_particles(&still, out, err);
    }
    ng_particles_free(&still);
    return status;
}

static ng_status find_reference(ng_cli *cli, const ng_crystal_options *o, ng_reference_sizes *out,
                                ng_error *err)
{
    *out = (ng_reference_sizes){.mean_nm = o->final_radius_nm,
                                .median_nm = o->final_radius_nm,
                                .sd_nm = o->final_spread_nm};
    return o->calibration != NULL ? read_still(cli, o, out, err) : NG_OK;
}

static ng_status convert(ng_cli *cli, const ng_crystal_options *o, ng_crystal_data *data,
                         ng_error *err)
{
    ng_reference_sizes reference;
    ng_status status = ng_crystal_emitter(cli, o, &data->emitter, err);
    if (status == NG_OK && isfinite(o->intensity_scale)) {
        data->calibration = ng_calibration_given(o->intensity_scale);
    } else if (status == NG_OK) {
        status = find_reference(cli, o, &reference, err);
        if (status == NG_OK) {
            status = ng_calibrate(&data->emitter, &data->tracks, &reference, &data->calibration,
                                  &cli->warnings, err);
        }
    }
    if (status == NG_OK) {
        ng_radii_assign(&data->emitter, &data->calibration, &data->tracks, NULL, &data->counts,
                        &cli->warnings);
        data->converted = true;
        ng_provenance_reference(cli->provenance, data->emitter.source);
        if (data->emitter.sizing == NG_SIZING_BRUS) {
            ng_provenance_reference(cli->provenance, "Brus, J. Chem. Phys. 80, 4403 (1984)");
        }
    }
    return status;
}

static ng_status check_ways(const ng_crystal_options *o, bool *wanted, ng_error *err)
{
    const int ways =
        (o->calibration != NULL) + !isnan(o->final_radius_nm) + !isnan(o->intensity_scale);
    *wanted = ways > 0;
    return ways <= 1 ? NG_OK
                     : NG_FAIL(err, NG_USAGE,
                               "--final-radius-nm, --calibration and --intensity-scale each scale "
                               "the intensities; pass one of them");
}

static bool is_tracked(const ng_particles *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->item[i].track >= 0) {
            return true;
        }
    }
    return false;
}

ng_status ng_crystal_load(ng_cli *cli, const ng_crystal_options *o, const char *path, bool tracked,
                          ng_crystal_data *out, ng_error *err)
{
    bool wanted = false;
    const ng_tracks_read_options r = reading(o);
    *out = (ng_crystal_data){.converted = false};
    ng_status status = check_ways(o, &wanted, err);
    if (status == NG_OK) {
        status = ng_provenance_input(cli->provenance, path, err);
    }
    if (status == NG_OK) {
        status = ng_particles_read(path, &r, &out->tracks, &cli->warnings, err);
    }
    if (status == NG_OK && tracked && !is_tracked(&out->tracks)) {
        status = NG_FAIL(err, NG_INVALID,
                         "%s: particles of single frames; `nucgrow track` joins them to crystals "
                         "first",
                         path);
    }
    if (status == NG_OK && wanted) {
        status = convert(cli, o, out, err);
    }
    if (status != NG_OK) {
        ng_crystal_data_free(out);
    }
    return status;
}

void ng_crystal_data_free(ng_crystal_data *data)
{
    if (data != NULL) {
        ng_particles_free(&data->tracks);
    }
}

double ng_crystal_scale_se(const ng_crystal_data *data)
{
    const ng_calibration *c = &data->calibration;
    if (!data->converted || !(c->relative_se > 0)) {
        return 0;
    }
    return c->relative_se / ng_emitter_power(&data->emitter, c->reference.median_nm);
}

void ng_crystal_print(const ng_cli *cli, const ng_crystal_data *data)
{
    const ng_calibration *c = &data->calibration;
    const ng_emitter *e = &data->emitter;
    if (!data->converted) {
        return;
    }
    ng_cli_print(cli, "radii      from intensities: %s, sizing %s, I ~ r^%g", e->name,
                 ng_sizing_name(e->sizing), e->absorption_power);
    ng_cli_print(cli, e->yield.n > 0 ? ", yield by table" : ", one quantum yield");
    if (e->sizing != NG_SIZING_VOLUME) {
        ng_cli_print(cli, ", excited at %g nm, filter %g-%g nm", e->excitation_nm, e->band_low_nm,
                     e->band_high_nm);
    }
    ng_cli_print(cli, "\n           I0 = %.4g", c->scale);
    if (c->crystals > 0) {
        ng_cli_print(cli, " +- %.1f %%: median final intensity %.4g of %zu crystals is %.4g nm",
                     100 * c->relative_se, c->final_intensity, c->crystals, c->reference.median_nm);
    }
    ng_cli_print(cli, "\n");
}

void ng_crystal_put(json_t *result, const ng_crystal_data *data)
{
    if (data->converted) {
        json_object_set_new(result, "radii",
                            ng_radii_json(&data->emitter, &data->calibration, &data->counts));
    }
}
