/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of coalescence: answer, verdict, key numbers, parameters, sizes of the groups. */
#include "report_internal.h"

#include <math.h>

#define COUNTED 10 /* resolution at which counts are whole numbers */

static const ng_report_parameter parameters[] = {
    {"kappa_c", "<i>κ</i><sub>c</sub>", "Propensity of pairs in contact"},
    {"nu", "<i>ν</i>", "Width of the contact zone"},
    {"l", "<i>l</i>", "Distance of the contact zone from contact"},
    {"gamma", "<i>γ</i>", "Steepness of the loss of propensity"},
    {"sigma_c", "<i>σ</i><sub>c</sub>", "Sum of radii at which the propensity is halved"},
    {"rc", "<i>r</i><sub>c</sub>", "Least distance of pairs at the start"},
    {"pair_density", "<i>c</i>", "Density of pairs"},
    {"P0", "<i>P</i><sub>0</sub>", "Supply of new particles"},
    {"t_P", "<i>t</i><sub>P</sub>", "End of the supply"},
};

/* ---- key numbers ----------------------------------------------------------------------------- */

static ng_report_card parameter_card(const json_t *fit, const char *name, const char *title)
{
    const json_t *p = json_object_get(json_object_get(fit, "parameters"), name);
    const ng_report_card k = {title,
                              ng_report_real(p, "value"),
                              ng_report_real(p, "lower"),
                              ng_report_real(p, "upper"),
                              ng_report_string(p, "unit"),
                              ng_report_real(fit, "level")};
    return k;
}

static double at(const json_t *array, size_t i)
{
    const json_t *value = json_array_get(array, i);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void cards(FILE *out, const json_t *fit)
{
    const json_t *model = json_object_get(fit, "event_time_quartiles_model_s");
    const ng_report_card median = {
        "Median time of merging, predicted",
        at(model, 1),
        at(json_object_get(fit, "event_time_quartiles_model_lower_s"), 1),
        at(json_object_get(fit, "event_time_quartiles_model_upper_s"), 1),
        "s",
        ng_report_real(fit, "level"),
    };
    ng_html_raw(out, "<dl class=\"key-numbers\">\n");
    ng_report_plain_card(out, "Median time of merging, seen",
                         at(json_object_get(fit, "event_time_quartiles_s"), 1), "s");
    ng_report_write_card(out, median);
    ng_report_write_card(
        out, parameter_card(fit, "sigma_c", "Sum of radii at which the propensity is halved"));
    ng_report_write_card(out, parameter_card(fit, "rc", "Least distance of pairs at the start"));
    ng_report_plain_card(out, "Misfit of A(t), root mean square",
                         ng_report_real(fit, "rms_surviving_fraction"), "");
    ng_report_plain_card(out, "Kolmogorov–Smirnov p of the merging times, which were not fitted",
                         ng_report_real(json_object_get(fit, "event_times"), "probability"), "");
    ng_html_raw(out, "</dl>\n");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void parameter_table(FILE *out, const json_t *fit)
{
    const json_t *found = json_object_get(fit, "parameters");
    const json_t *sink = json_object_get(fit, "sink_strength");
    if (json_object_size(found) == 0) {
        return;
    }
    ng_html_raw(out, "<p class=\"lead\">Only A(t) was fitted. A flag other than “ok” means that "
                     "it does not tell that parameter by itself.</p>\n");
    ng_report_parameter_head(out, "Parameters of coalescence", ng_report_real(fit, "level"));
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const json_t *p = json_object_get(found, parameters[i].name);
        if (p != NULL) {
            ng_report_parameter_row(out, p, parameters[i].symbol, parameters[i].title);
        }
    }
    if (sink != NULL) {
        ng_report_parameter_row(out, sink, "<i>κ</i><sub>c</sub> <i>ν</i>",
                                "Strength of the contact zone");
    }
    ng_report_parameter_end(out);
}

static void group_row(FILE *out, const char *name, const json_t *group)
{
    if (group == NULL) {
        return;
    }
    ng_html_raw(out, "<tr>");
    ng_html_element(out, "th", NULL, name);
    ng_report_number_cell(out, ng_report_real(group, "particles_at_end"), COUNTED);
    ng_report_number_cell(out, ng_report_last(group, "mean_radius_nm"), (double)NAN);
    ng_report_number_cell(out, 100 * ng_report_real(group, "relative_spread_at_end"), (double)NAN);
    ng_html_raw(out, "</tr>\n");
}

static void group_table(FILE *out, const json_t *sizes)
{
    if (json_object_size(sizes) == 0) {
        return;
    }
    ng_html_raw(out,
                "<div class=\"scroll\"><table><caption>Sizes in the last frame</caption><thead>"
                "<tr><th>Particles</th><th class=\"number\">Number</th><th class=\"number\">Mean "
                "radius (nm)</th><th class=\"number\">Spread of the radius over its mean (%)</th>"
                "</tr></thead><tbody>\n");
    group_row(out, "that never merge (Group A)", json_object_get(sizes, "group_a"));
    group_row(out, "made by merging (Group B)", json_object_get(sizes, "group_b"));
    group_row(out, "all", json_object_get(sizes, "all"));
    ng_html_raw(out, "</tbody></table></div>\n");
}

static void distance_sentence(FILE *out, const json_t *distance)
{
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER], c[NG_REPORT_NUMBER], d[NG_REPORT_NUMBER];
    const double mean = ng_report_real(distance, "mean_nm"), sd = ng_report_real(distance, "sd_nm");
    if (!isfinite(mean) || !isfinite(sd)) {
        return;
    }
    ng_html_format(
        out,
        "In the last frame before a merge centres are %s ± %s nm apart (mean and s.d. "
        "of %s merges), the radii add up to %s nm. ",
        ng_report_number(a, mean, sd), ng_report_number(b, sd, sd),
        ng_report_number(c, ng_report_real(distance, "merges"), COUNTED),
        ng_report_number(d, ng_report_real(distance, "mean_radius_sum_nm"), (double)NAN));
}

void ng_report_coalescence(FILE *out, const json_t *fit)
{
    (void)ng_report_sentences(out, json_object_get(fit, "answer"));
    ng_report_verdict(out, fit);
    cards(out, fit);
    ng_html_raw(out, "<p>");
    distance_sentence(out, json_object_get(fit, "contact_distance"));
    ng_html_raw(out, "</p>\n");
    parameter_table(out, fit);
    group_table(out, json_object_get(fit, "sizes"));
}
