/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of fluorescent crystals: births, growth, free energy. */
#include "report_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

bool ng_report_has_crystals(const ng_report_study *study)
{
    return study->result[NG_REPORT_NUCLEATION] != NULL || study->result[NG_REPORT_AVRAMI] != NULL ||
           study->result[NG_REPORT_DIFFUSION] != NULL || study->result[NG_REPORT_ENERGY] != NULL ||
           study->result[NG_REPORT_RADIUS] != NULL;
}

/* ---- sentences ------------------------------------------------------------------------------- */

static const char *number(char text[NG_REPORT_NUMBER], double value)
{
    return ng_report_number(text, value, (double)NAN);
}

static void about_births(FILE *out, const json_t *nucleation)
{
    char b[NG_REPORT_NUMBER], c[NG_REPORT_NUMBER], d[NG_REPORT_NUMBER];
    const json_t *window = json_object_get(nucleation, "window");
    const double births = ng_report_real(json_object_get(nucleation, "counts"), "births");
    const double from = ng_report_real(window, "from_s"), to = ng_report_real(window, "to_s");
    if (!isfinite(births)) {
        return;
    }
    ng_html_format(out, "%.0f crystals were born", births);
    if (isfinite(from) && isfinite(to)) {
        ng_html_format(out, ", %s %% of them between %s and %s s",
                       number(b, 100 * ng_report_real(window, "share")), number(c, from),
                       number(d, to));
    }
    ng_html_raw(out, ". ");
}

static void about_growth(FILE *out, const json_t *diffusion)
{
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    const json_t *parameters = json_object_get(diffusion, "parameters");
    const json_t *laws = json_object_get(diffusion, "laws"), *law = NULL;
    const double crystals = ng_report_real(json_object_get(diffusion, "counts"), "crystals");
    const char *best = NULL;
    double most = 0;
    size_t i = 0;
    json_array_foreach(laws, i, law)
    {
        const double chosen = ng_report_real(law, "chosen");
        if (chosen > most) {
            most = chosen;
            best = ng_report_string(law, "title");
        }
    }
    if (best != NULL && crystals > 0) {
        ng_html_format(out, "%.0f of %.0f crystals grow best by %s. ", most, crystals, best);
    }
    const double fast =
        ng_report_real(json_object_get(json_object_get(diffusion, "durations"), "fast_s"), "value");
    const double final_nm = ng_report_real(json_object_get(parameters, "final_nm"), "value");
    if (isfinite(fast) && isfinite(final_nm)) {
        ng_html_format(out,
                       "Half of them end their fast growth within %s s; their final radius is "
                       "%s nm in the median. ",
                       number(a, fast), number(b, final_nm));
    }
}

static void about_energy(FILE *out, const json_t *energy)
{
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    const json_t *transition = json_object_get(energy, "transition");
    const double time_s = ng_report_real(transition, "time_s");
    if (isfinite(time_s)) {
        ng_html_format(out,
                       "Their free energy falls below zero after %s s, when the first crystal "
                       "has a radius of %s nm. ",
                       number(a, time_s), number(b, ng_report_real(transition, "radius_nm")));
    }
}

/* ---- key numbers ----------------------------------------------------------------------------- */

static void parameter_card(FILE *out, const char *name, const json_t *parameter, const char *unit,
                           double level)
{
    const ng_report_card k = {name,
                              ng_report_real(parameter, "value"),
                              ng_report_real(parameter, "lower"),
                              ng_report_real(parameter, "upper"),
                              unit,
                              level};
    ng_report_write_card(out, k);
}

static double at_the_end(const json_t *series, const char *key)
{
    const json_t *values = json_object_get(series, key);
    const size_t n = json_array_size(values);
    return n > 0 ? json_number_value(json_array_get(values, n - 1)) : (double)NAN;
}

/* With those hidden by another where they are told; numbers that are only counted have no card. */
static void number_card(FILE *out, const json_t *nucleation)
{
    const json_t *series = json_object_get(nucleation, "series");
    const char *state = ng_report_string(json_object_get(nucleation, "hidden"), "state");
    if (state != NULL && strcmp(state, "told") == 0) {
        const ng_report_card card = {"Crystals in the end, with hidden ones",
                                     at_the_end(series, "corrected"),
                                     at_the_end(series, "corrected_lower"),
                                     at_the_end(series, "corrected_upper"),
                                     "",
                                     ng_report_real(nucleation, "level")};
        ng_report_write_card(out, card);
    }
}

static void birth_cards(FILE *out, const json_t *nucleation)
{
    const double level = ng_report_real(nucleation, "level");
    const json_t *avrami = json_object_get(nucleation, "avrami");
    const json_t *histograms = json_object_get(nucleation, "histograms");
    const json_t *last = json_array_get(histograms, json_array_size(histograms) - 1);
    const json_t *gaussian = json_object_get(last, "gaussian");
    const json_t *window = json_object_get(nucleation, "window");
    const json_t *peak = json_object_get(nucleation, "peak");
    const double mean = ng_report_real(gaussian, "mean_nm"), sd = ng_report_real(gaussian, "sd_nm");
    const double z = gsl_cdf_ugaussian_Pinv((1 + level) / 2);
    const double mean_error = z * ng_report_real(gaussian, "mean_se_nm");
    const double sd_error = z * ng_report_real(gaussian, "sd_se_nm");
    const ng_report_card card[] = {
        {"Window of nucleation", ng_report_real(window, "duration_s"),
         ng_report_real(window, "duration_lower_s"), ng_report_real(window, "duration_upper_s"),
         "s", level},
        {"Highest nucleation rate", ng_report_real(peak, "rate_per_s"),
         ng_report_real(peak, "rate_lower_per_s"), ng_report_real(peak, "rate_upper_per_s"), "s⁻¹",
         level},
        {"Radius in the end", mean, mean - mean_error, mean + mean_error, "nm", level},
        {"Spread of it", 100 * sd / mean, 100 * (sd - sd_error) / mean,
         100 * (sd + sd_error) / mean, "%", level},
    };
    number_card(out, nucleation);
    for (size_t i = 0; i < sizeof card / sizeof card[0]; i++) {
        ng_report_write_card(out, card[i]);
    }
    parameter_card(out, "Avrami exponent of the ensemble",
                   json_object_get(json_object_get(avrami, "parameters"), "n"), "", level);
}

static void growth_cards(FILE *out, const json_t *diffusion)
{
    const double level = ng_report_real(diffusion, "level");
    const json_t *parameters = json_object_get(diffusion, "parameters");
    const json_t *durations = json_object_get(diffusion, "durations");
    parameter_card(out, "D V_m ΔC, median crystal",
                   json_object_get(parameters, "product_nm2_per_s"), "nm² s⁻¹", level);
    parameter_card(out, "Avrami exponent, median crystal", json_object_get(parameters, "n"), "",
                   level);
    parameter_card(out, "Fast growth", json_object_get(durations, "fast_s"), "s", level);
    parameter_card(out, "Slow growth", json_object_get(durations, "slow_s"), "s", level);
}

static void energy_cards(FILE *out, const json_t *energy)
{
    const json_t *transition = json_object_get(energy, "transition");
    const json_t *fastest = json_object_get(json_object_get(energy, "rate_curve"), "maximum");
    const double level = ng_report_real(energy, "level");
    const ng_report_card card[] = {
        {"Time of the transition", ng_report_real(transition, "time_s"),
         ng_report_real(transition, "time_lower_s"), ng_report_real(transition, "time_upper_s"),
         "s", level},
        {"Radius at the transition", ng_report_real(transition, "radius_nm"),
         ng_report_real(transition, "radius_lower_nm"),
         ng_report_real(transition, "radius_upper_nm"), "nm", level},
        {"Overlap of nucleation and growth", 100 * ng_report_real(energy, "overlap"),
         100 * ng_report_real(energy, "overlap_lower"),
         100 * ng_report_real(energy, "overlap_upper"), "%", level},
        {"Fastest growth", ng_report_real(fastest, "rate_nm_per_s"),
         ng_report_real(fastest, "rate_lower_nm_per_s"),
         ng_report_real(fastest, "rate_upper_nm_per_s"), "nm s⁻¹", level},
    };
    for (size_t i = 0; i < sizeof card / sizeof card[0]; i++) {
        ng_report_write_card(out, card[i]);
    }
}

static void cards(FILE *out, const ng_report_study *study)
{
    const json_t *avrami = study->result[NG_REPORT_AVRAMI];
    const json_t *energy = study->result[NG_REPORT_ENERGY];
    ng_html_raw(out, "<dl class=\"key-numbers\">\n");
    birth_cards(out, study->result[NG_REPORT_NUCLEATION]);
    growth_cards(out, study->result[NG_REPORT_DIFFUSION]);
    if (study->result[NG_REPORT_DIFFUSION] == NULL) {
        parameter_card(out, "Avrami exponent",
                       json_object_get(json_object_get(avrami, "parameters"), "n"), "",
                       ng_report_real(avrami, "level"));
    }
    energy_cards(out, energy);
    ng_html_raw(out, "</dl>\n");
}

/* ---- other concentrations -------------------------------------------------------------------- */

static void count_cell(FILE *out, double count)
{
    ng_html_raw(out, "<td class=\"number\">");
    ng_html_format(out, "%.0f", count);
    ng_html_raw(out, "</td>");
}

static void comparison(FILE *out, const json_t *nucleation)
{
    const json_t *rows = json_object_get(nucleation, "comparison"), *row = NULL;
    size_t i = 0;
    if (json_array_size(rows) == 0) {
        return;
    }
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>Data sets beside each other</caption>"
                     "<thead><tr><th>Table</th><th class=\"number\">Births</th>"
                     "<th class=\"number\">Window (s)</th><th class=\"number\">Highest rate "
                     "(1/s)</th><th class=\"number\">Radius in the end (nm)</th>"
                     "<th class=\"number\">Spread (nm)</th>"
                     "<th class=\"number\">Avrami exponent</th></tr></thead><tbody>\n");
    json_array_foreach(rows, i, row)
    {
        ng_html_raw(out, "<tr>");
        ng_html_element(out, "th", "file", ng_report_string(row, "file"));
        count_cell(out, ng_report_real(row, "births"));
        ng_report_number_cell(out, ng_report_real(row, "window_s"), (double)NAN);
        ng_report_number_cell(out, ng_report_real(row, "peak_rate_per_s"), (double)NAN);
        ng_report_number_cell(out, ng_report_real(row, "mean_nm"), (double)NAN);
        ng_report_number_cell(out, ng_report_real(row, "sd_nm"), (double)NAN);
        ng_report_interval_cell(out, ng_report_real(row, "avrami_n"),
                                ng_report_real(row, "avrami_n_lower"),
                                ng_report_real(row, "avrami_n_upper"));
        ng_html_raw(out, "</tr>\n");
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

/* Overlap by concentration, as the scaling has it. */
static void concentrations(FILE *out, const json_t *energy)
{
    const json_t *rows = json_object_get(energy, "concentrations"), *row = NULL;
    size_t i = 0;
    if (json_array_size(rows) == 0) {
        return;
    }
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>Other precursor concentrations, by "
                     "scaling and not by measurement</caption><thead><tr>"
                     "<th>Concentration</th><th class=\"number\">Final radius (nm)</th>"
                     "<th class=\"number\">Transition (s)</th>"
                     "<th class=\"number\">Common time (s)</th>"
                     "<th class=\"number\">Overlap</th></tr></thead><tbody>\n");
    json_array_foreach(rows, i, row)
    {
        const json_t *overlap = json_object_get(row, "overlap");
        const json_t *transition = json_object_get(row, "transition");
        ng_html_raw(out, "<tr>");
        ng_html_raw(out, "<th class=\"file\">");
        ng_html_format(out, "%g", ng_report_real(row, "concentration"));
        ng_html_raw(out, "</th>");
        ng_report_number_cell(out, ng_report_real(json_object_get(row, "conditions"), "final_nm"),
                              (double)NAN);
        ng_report_interval_cell(out, ng_report_real(transition, "time_s"),
                                ng_report_real(transition, "time_lower_s"),
                                ng_report_real(transition, "time_upper_s"));
        ng_report_interval_cell(out, ng_report_real(overlap, "common_s"),
                                ng_report_real(overlap, "common_lower_s"),
                                ng_report_real(overlap, "common_upper_s"));
        ng_report_interval_cell(out, ng_report_real(overlap, "windows"),
                                ng_report_real(overlap, "windows_lower"),
                                ng_report_real(overlap, "windows_upper"));
        ng_html_raw(out, "</tr>\n");
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

static void about_spectra(FILE *out, const json_t *radius)
{
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    const json_t *spectra = json_object_get(radius, "spectra");
    const double from = ng_report_first(spectra, "peak_nm");
    const double first = ng_report_first(spectra, "radius_nm");
    if (!isfinite(from)) {
        return;
    }
    ng_html_format(out, "The emission peak goes from %.5g to %.5g nm", from,
                   ng_report_last(spectra, "peak_nm"));
    if (isfinite(first)) {
        ng_html_format(out, ", radii of %s to %s nm by the sizing curve", number(a, first),
                       number(b, ng_report_last(spectra, "radius_nm")));
    }
    ng_html_raw(out, ". ");
}

void ng_report_crystals(FILE *out, const ng_report_study *study)
{
    ng_html_raw(out, "<p class=\"answer\">");
    about_spectra(out, study->result[NG_REPORT_RADIUS]);
    about_births(out, study->result[NG_REPORT_NUCLEATION]);
    about_growth(out, study->result[NG_REPORT_DIFFUSION]);
    about_energy(out, study->result[NG_REPORT_ENERGY]);
    const char *meaning = ng_report_string(study->result[NG_REPORT_AVRAMI], "meaning");
    if (meaning != NULL) {
        ng_html_format(out, "Avrami: %s.", meaning);
    }
    ng_html_raw(out, "</p>\n");
    cards(out, study);
    comparison(out, study->result[NG_REPORT_NUCLEATION]);
    concentrations(out, study->result[NG_REPORT_ENERGY]);
}
