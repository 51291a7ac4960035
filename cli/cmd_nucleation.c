/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow nucleation: how many crystals there are, and when they are born. */
#include "crystal_options.h"

#include <nucgrow/crystals.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { TIMES_MAX = 100 };

typedef struct options {
    ng_crystal_options crystals;
    long min_points, bootstrap;
    double bandwidth_s, level, window_percent, area_um2;
    const char *times;
    ng_text_list dataset;
} options;

#define REAL(flag_, member_, unit_, initial_, min_, max_, group_, doc_)                            \
    {                                                                                              \
        .name = flag_, .type = NG_OPTION_REAL, .offset = offsetof(options, member_),               \
        .unit = unit_, .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_ \
    }

static const ng_option table[] = {
    NG_CRYSTAL_OPTION_ROWS(options, crystals),
    {.name = "min-points",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, min_points),
     .initial = "3",
     .min = 1,
     .max = 1000000,
     .group = "Births",
     .doc = "Tracks with fewer points are not crystals."},
    REAL("bandwidth-s", bandwidth_s, "s", NULL, 1e-9, 1e9, "Births",
         "Width of the kernel behind dN/dt; Silverman's where it is not given."),
    REAL("window-percent", window_percent, "%", "90", 1, 100, "Births",
         "Part of the births that the nucleation window holds, in the middle."),
    REAL("area-um2", area_um2, "um^2", NULL, 1e-12, 1e12, "Births",
         "Area that was watched, for numbers per area."),
    {.name = "times",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, times),
     .value = "S,S,...",
     .group = "Histograms",
     .doc = "Times of the radius histograms; without it when 20, 40, 60, 80 % are born, and the "
            "end."},
    {.name = "dataset",
     .type = NG_OPTION_LIST,
     .offset = offsetof(options, dataset),
     .value = "FILE",
     .group = "Comparison",
     .doc = "Another table of tracks, such as another precursor concentration, to set beside; "
            "repeated. Radii need a calibration of their own: they are not made here."},
    {.name = "bootstrap",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, bootstrap),
     .initial = "200",
     .min = 0,
     .max = 2000,
     .group = "Ensemble",
     .doc = "Resamplings of crystals behind the interval of the Avrami exponent."},
    REAL("level", level, NULL, "0.95", 0.01, 0.9999, "Ensemble", "Level of intervals and bands."),
};

static ng_status read_times(const options *o, double *time_s, size_t *n, ng_error *err)
{
    *n = 0;
    for (const char *at = o->times; at != NULL;) {
        char part[64];
        const size_t length = strcspn(at, ",");
        snprintf(part, sizeof part, "%.*s", (int)length, at);
        if (*n == TIMES_MAX || !ng_parse_real(part, &time_s[*n]) || !isfinite(time_s[*n])) {
            return NG_FAIL(err, NG_USAGE,
                           "--times is '%s'; it takes up to %d numbers apart by "
                           "commas",
                           o->times, TIMES_MAX);
        }
        ++*n;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return NG_OK;
}

static ng_nucleation_options nucleation_options(const options *o, const double *at_s, size_t n)
{
    ng_nucleation_options x = ng_nucleation_defaults();
    x.least_points = (size_t)o->min_points;
    x.bandwidth_s = o->bandwidth_s;
    x.level = o->level;
    x.window = o->window_percent / 100;
    x.area_um2 = o->area_um2;
    x.at_s = at_s;
    x.n_at = n;
    return x;
}

/* ---- for people ------------------------------------------------------------------------------ */

static void print_histograms(const ng_cli *cli, const ng_nucleation *x)
{
    if (x->n_histograms > 0) {
        ng_cli_print(cli, "\n%9s %9s %11s %9s %8s %12s %9s\n", "time_s", "crystals", "radius_nm",
                     "s.d.", "s.d. %", "of middle %", "left out");
    }
    for (size_t i = 0; i < x->n_histograms; i++) {
        const ng_radius_histogram *h = &x->histogram[i];
        if (isnan(h->mean_nm)) {
            ng_cli_print(cli, "%9.4g %9zu %11s %9s %8s %12s %9zu\n", h->time_s, h->n, "-", "-", "-",
                         "-", h->left_out);
            continue;
        }
        const double percent = 100 / h->mean_nm;
        ng_cli_print(cli, "%9.4g %9zu %11.4g %9.3g %8.3g %12.3g %9zu\n", h->time_s, h->n,
                     h->mean_nm, h->sd_nm, percent * h->sd_nm, percent * h->middle_sd_nm,
                     h->left_out);
    }
}

static void print_hidden(const ng_cli *cli, const ng_nucleation *x)
{
    const ng_hidden *o = &x->hidden;
    const size_t end = x->n_frames - 1;
    if (o->state == NG_HIDDEN_TOLD) {
        ng_cli_print(cli,
                     "hidden     of %.0f pairs closer than %.3g nm, %.0f are seen: in the last "
                     "frame %.0f crystals (%.0f to %.0f) look like %.0f\n",
                     o->pairs_expected, o->reach_nm, o->pairs_seen, x->corrected[end],
                     x->corrected_lower[end], x->corrected_upper[end], x->closed[end]);
    }
}

static void print_summary(const ng_cli *cli, const ng_nucleation *x, const options *o,
                          const ng_ensemble_avrami *avrami)
{
    const ng_fit_parameter *n = &avrami->fit.parameter[0];
    ng_cli_print(cli,
                 "births     %zu, of which %zu before the first frame; %zu short tracks left "
                 "out\n",
                 x->births, x->at_start, x->dropped);
    print_hidden(cli, x);
    if (isnan(x->window_s)) {
        ng_cli_print(cli, "window     none: fewer than 5 births after the first frame\n");
        print_histograms(cli, x);
        return;
    }
    ng_cli_print(cli, "window     %.4g s (%.4g to %.4g): %.4g to %.4g s hold the middle %g %%\n",
                 x->window_s, x->window_lower_s, x->window_upper_s, x->window_from_s,
                 x->window_to_s, o->window_percent);
    ng_cli_print(cli, "rate       at most %.4g per second (%.4g to %.4g), at %.4g s\n",
                 x->peak_rate_per_s, x->peak_lower, x->peak_upper, x->peak_time_s);
    if (avrami->fit.state == NG_CURVE_OK) {
        char *meaning = ng_avrami_meaning(n, false);
        ng_cli_print(cli, "Avrami     n = %.3g (%.3g to %.3g) of the summed intensity; %s\n",
                     n->value, n->lower, n->upper, meaning != NULL ? meaning : "");
        ng_free(meaning);
    }
    print_histograms(cli, x);
}

/* ---- comparison ------------------------------------------------------------------------------ */

static json_t *row_json(const char *file, const ng_nucleation *x, const ng_ensemble_avrami *avrami)
{
    const ng_radius_histogram *last =
        x->n_histograms > 0 ? &x->histogram[x->n_histograms - 1] : NULL;
    const ng_fit_parameter *n = &avrami->fit.parameter[0];
    const bool fitted = avrami->fit.state == NG_CURVE_OK;
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "file", file, "births",
                     (json_int_t)x->births, "window_s", ng_json_real(x->window_s),
                     "peak_rate_per_s", ng_json_real(x->peak_rate_per_s), "mean_nm",
                     ng_json_real(last != NULL ? last->mean_nm : (double)NAN), "sd_nm",
                     ng_json_real(last != NULL ? last->sd_nm : (double)NAN), "avrami_n",
                     ng_json_real(fitted ? n->value : (double)NAN), "avrami_n_lower",
                     ng_json_real(fitted ? n->lower : (double)NAN), "avrami_n_upper",
                     ng_json_real(fitted ? n->upper : (double)NAN), "time_s",
                     ng_json_reals(x->time_s, x->n_frames), "cumulative",
                     ng_json_reals(x->cumulative, x->n_frames));
}

static ng_status analyse(ng_cli *cli, const options *o, const ng_nucleation_options *x,
                         const ng_particles *tracks, ng_nucleation *out, ng_ensemble_avrami *avrami,
                         ng_error *err)
{
    ng_curve_options curve = ng_curve_defaults();
    curve.level = o->level;
    *avrami =
        (ng_ensemble_avrami){.fit.state = NG_CURVE_INVALID, .fit.law = &ng_curve_avrami_intensity};
    ng_status status = ng_nucleation_compute(tracks, x, out, &cli->warnings, err);
    if (status == NG_OK && out->intensity[out->n_frames - 1] > 0) {
        status = ng_ensemble_avrami_fit(tracks, out->time_s, out->n_frames, x->least_points,
                                        (size_t)o->bootstrap, &curve, &cli->run, avrami,
                                        &cli->warnings, err);
    } else if (status == NG_OK) {
        ng_warnings_add(&cli->warnings, "no-intensities",
                        "the tracks have no intensities, so there is no Avrami fit of their sum");
    }
    return status;
}

/* `scale`: I0 of the first table, for the light of one microscope; NAN: none was found. */
static ng_status compare_one(ng_cli *cli, const options *o, double scale, const char *path,
                             json_t *rows, ng_error *err)
{
    ng_crystal_data data;
    ng_nucleation x = {0};
    ng_ensemble_avrami avrami;
    ng_crystal_options plain = o->crystals;
    plain.calibration = NULL;
    plain.final_radius_nm = (double)NAN;
    plain.intensity_scale = scale;
    const ng_nucleation_options settings = nucleation_options(o, NULL, 0);
    ng_status status = ng_crystal_load(cli, &plain, path, true, &data, err);
    if (status != NG_OK) {
        return status;
    }
    status = analyse(cli, o, &settings, &data.tracks, &x, &avrami, err);
    if (status == NG_OK) {
        json_array_append_new(rows, row_json(path, &x, &avrami));
        ng_cli_print(cli,
                     "beside     %s: %zu births, window %.4g s, rate at most %.4g per second\n",
                     path, x.births, x.window_s, x.peak_rate_per_s);
    }
    ng_nucleation_free(&x);
    ng_crystal_data_free(&data);
    return status;
}

static ng_status compare(ng_cli *cli, const options *o, const ng_crystal_data *data,
                         const ng_nucleation *x, const ng_ensemble_avrami *avrami, ng_error *err)
{
    ng_status status = NG_OK;
    const double scale = data->converted ? data->calibration.scale : (double)NAN;
    json_t *rows = json_array();
    json_array_append_new(rows, row_json(cli->file[0], x, avrami));
    for (size_t i = 0; status == NG_OK && i < o->dataset.n; i++) {
        status = compare_one(cli, o, scale, o->dataset.item[i], rows, err);
    }
    json_object_set_new(cli->result, "comparison", rows);
    return status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static void finish(ng_cli *cli, const ng_crystal_data *data, const ng_nucleation *x,
                   const ng_nucleation_options *settings, const ng_ensemble_avrami *avrami)
{
    const ng_curve_data sum = {.time_s = x->time_s, .y = x->intensity, .n = x->n_frames};
    const bool fitted = avrami->fit.state == NG_CURVE_OK;
    cli->result = ng_nucleation_json(x, settings);
    if (fitted) {
        json_t *fit = ng_avrami_json(&avrami->fit, false, &sum);
        json_object_set_new(fit, "replicates", json_integer((json_int_t)avrami->replicates));
        json_object_set_new(fit, "failed", json_integer((json_int_t)avrami->failed));
        json_object_set_new(cli->result, "avrami", fit);
        ng_provenance_reference(cli->provenance, avrami->fit.law->reference);
    }
    ng_crystal_put(cli->result, data);
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    double at_s[TIMES_MAX];
    size_t n_at = 0;
    ng_crystal_data data;
    ng_nucleation x = {0};
    ng_ensemble_avrami avrami;
    ng_status status = read_times(o, at_s, &n_at, err);
    if (status != NG_OK) {
        return status;
    }
    status = ng_crystal_load(cli, &o->crystals, cli->file[0], true, &data, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_nucleation_options settings = nucleation_options(o, at_s, n_at);
    status = analyse(cli, o, &settings, &data.tracks, &x, &avrami, err);
    if (status == NG_OK) {
        ng_crystal_print(cli, &data);
        print_summary(cli, &x, o, &avrami);
        finish(cli, &data, &x, &settings, &avrami);
        status = o->dataset.n > 0 ? compare(cli, o, &data, &x, &avrami, err) : NG_OK;
    }
    ng_nucleation_free(&x);
    ng_crystal_data_free(&data);
    return status;
}

const ng_command ng_command_nucleation = {
    .name = "nucleation",
    .group = "Measure",
    .summary = "numbers and births of crystals, radius histograms, Avrami of the whole",
    .description =
        "From tracked crystals: how many are seen, with gaps closed, and born so far; dN/dt with "
        "a band; the window that holds most births, its ends with intervals; radius histograms "
        "with normal curves; and Avrami's law of the summed intensity, its exponent with an "
        "interval from resampled crystals and what it may mean.\n\n"
        "Crystals that are there in the first frame were born before: they count, but not in the "
        "rate. Crystals so close to another that both look like one are told by the pairs that are "
        "missing, if places are independent. Radii are read from the table, or made of intensities "
        "as `nucgrow radius` does.",
    .usage = "TRACKS.csv [options]",
    .examples = "nucgrow nucleation tracks.csv -o nucleation.json --final-radius-nm 1.5\n"
                "nucgrow nucleation c0.csv --dataset c0-half.csv --dataset c0-less.csv\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/nucleation/1",
    .run = run,
};
