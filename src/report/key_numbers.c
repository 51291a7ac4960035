/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers that one would put into an abstract, each with its interval. */
#include "report_internal.h"

#include <math.h>

void ng_report_write_card(FILE *out, ng_report_card k)
{
    if (!isfinite(k.value)) {
        return;
    }
    bool interval = isfinite(k.lower) && isfinite(k.upper);
    double half = interval ? (k.upper - k.lower) / 2 : (double)NAN;
    char text[NG_REPORT_NUMBER], low[NG_REPORT_NUMBER], high[NG_REPORT_NUMBER];
    ng_html_raw(out, "<div><dt>");
    ng_html_text(out, k.name);
    ng_html_raw(out, "</dt><dd><div class=\"value\">");
    ng_html_text(out, ng_report_number(text, k.value, half));
    ng_html_raw(out, " <small>");
    ng_html_text(out, k.unit);
    ng_html_raw(out, "</small></div>");
    if (interval) {
        ng_html_raw(out, "<div class=\"range\">");
        if (isfinite(k.level)) {
            ng_html_format(out, "%.3g %% interval: ", 100 * k.level);
        }
        ng_html_format(out, "%s to %s", ng_report_number(low, k.lower, half),
                       ng_report_number(high, k.upper, half));
        ng_html_raw(out, "</div>");
    }
    ng_html_raw(out, "</dd></div>\n");
}

void ng_report_plain_card(FILE *out, const char *name, double value, const char *unit)
{
    const ng_report_card k = {name, value, (double)NAN, (double)NAN, unit, (double)NAN};
    ng_report_write_card(out, k);
}

void ng_report_span_card(FILE *out, const char *name, double first, double last, const char *unit)
{
    if (!isfinite(first) || !isfinite(last)) {
        return;
    }
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    ng_html_raw(out, "<div><dt>");
    ng_html_text(out, name);
    ng_html_raw(out, "</dt><dd><div class=\"value\">");
    ng_html_format(out, "%s → %s", ng_report_number(a, first, (double)NAN),
                   ng_report_number(b, last, (double)NAN));
    ng_html_raw(out, " <small>");
    ng_html_text(out, unit);
    ng_html_raw(out, "</small></div></dd></div>\n");
}

static ng_report_card with_interval(const json_t *object, const char *value, const char *lower,
                                    const char *upper)
{
    ng_report_card k = {.value = ng_report_real(object, value),
                        .lower = ng_report_real(object, lower),
                        .upper = ng_report_real(object, upper),
                        .unit = "",
                        .level = (double)NAN};
    return k;
}

/* How well the law predicts what it was not shown, and how much was there to fit. */
static void forward_cards(FILE *out, const json_t *forward)
{
    static const struct {
        const char *key, *name;
    } share[] = {
        {"mean_within_5_percent", "Frames whose mean is predicted within 5 %"},
        {"variance_within_2_sd", "Frames whose variance is predicted within two s.d."},
    };
    const json_t *prediction = json_object_get(forward, "prediction");
    for (size_t i = 0; i < sizeof share / sizeof share[0]; i++) {
        ng_report_card k = with_interval(prediction, share[i].key, "", "");
        k.name = share[i].name;
        k.value *= 100;
        k.unit = "%";
        ng_report_write_card(out, k);
    }
    ng_report_card sizes = with_interval(forward, "effective_observations", "", "");
    sizes.name = "Measured sizes, counted as independent ones";
    ng_report_write_card(out, sizes);
}

static void fit_cards(FILE *out, const json_t *fit)
{
    const json_t *potential = json_object_get(fit, "potential");
    double level = ng_report_real(fit, "level");
    ng_report_card mu = with_interval(potential, "mu_max_kT", "mu_max_lower_kT", "mu_max_upper_kT");
    mu.name = "Highest chemical potential, above the bulk";
    mu.unit = "kT";
    mu.level = level;
    ng_report_write_card(out, mu);
    ng_report_card n = with_interval(potential, "n_max", "n_max_lower", "n_max_upper");
    n.name = "reached in particles of";
    n.unit = "monomers";
    n.level = level;
    ng_report_write_card(out, n);
    double sigma_nm = ng_report_real(json_object_get(fit, "material"), "sigma_s_nm");
    ng_report_card radius = {.name = "that is, a radius of",
                             .value = sigma_nm * cbrt(n.value),
                             .lower = sigma_nm * cbrt(n.lower),
                             .upper = sigma_nm * cbrt(n.upper),
                             .unit = "nm",
                             .level = level};
    ng_report_write_card(out, radius);
    ng_report_card threshold = {.name = "Supersaturation above which every size grows",
                                .value = exp(mu.value),
                                .lower = exp(mu.lower),
                                .upper = exp(mu.upper),
                                .unit = "",
                                .level = level};
    ng_report_write_card(out, threshold);
    if (json_object_get(fit, "forward") != NULL) {
        forward_cards(out, json_object_get(fit, "forward"));
        return;
    }
    ng_report_card cost = with_interval(json_object_get(fit, "cost"), "growth_rate", "", "");
    cost.name = "Misfit of the growth rate (0 is perfect)";
    ng_report_write_card(out, cost);
}

static void ensemble_cards(FILE *out, const json_t *ensemble)
{
    const json_t *series = json_object_get(ensemble, "series");
    const json_t *counts = json_object_get(ensemble, "counts");
    ng_report_card tracks = with_interval(counts, "tracks", "", "");
    const bool flask =
        json_is_true(json_object_get(json_object_get(ensemble, "tracks"), "ex_situ"));
    tracks.name = flask ? "Particles drawn" : "Particles followed";
    ng_report_write_card(out, tracks);
    double first = ng_report_first(series, "mean_radius_nm");
    double last = ng_report_last(series, "mean_radius_nm");
    ng_report_span_card(out, "Mean radius, first to last frame", first, last, "nm");
    ng_report_span_card(out, "Spread of the radius over its mean, first to last",
                        100 * ng_report_first(series, "sd_radius_nm") / first,
                        100 * ng_report_last(series, "sd_radius_nm") / last, "%");
}

static void potential_cards(FILE *out, const json_t *potential)
{
    const json_t *maximum = json_object_get(potential, "maximum");
    const json_t *critical = json_object_get(potential, "critical");
    static const struct {
        const char *key, *name, *unit;
        bool critical;
    } rows[] = {
        {"mu_kT", "Highest chemical potential, above the bulk", "kT", false},
        {"n", "reached in particles of", "monomers", false},
        {"radius_nm", "that is, a radius of", "nm", false},
        {"r_star_nm", "Radius r* at which growth stops", "nm", true},
        {"r_star2_nm", "Radius r** above which growth goes on", "nm", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ng_report_card k =
            with_interval(rows[i].critical ? critical : maximum, rows[i].key, "", "");
        k.name = rows[i].name;
        k.unit = rows[i].unit;
        ng_report_write_card(out, k);
    }
    ng_report_card s = with_interval(potential, "supersaturation", "", "");
    s.name = "Supersaturation asked for";
    ng_report_write_card(out, s);
}

void ng_report_key_numbers(FILE *out, const ng_report_study *study)
{
    const json_t *ensemble = ng_report_ensemble(study);
    ng_html_raw(out, "<dl class=\"key-numbers\">\n");
    if (study->result[NG_REPORT_FIT] != NULL) {
        fit_cards(out, study->result[NG_REPORT_FIT]);
    } else if (study->result[NG_REPORT_POTENTIAL] != NULL) {
        potential_cards(out, study->result[NG_REPORT_POTENTIAL]);
    }
    if (ensemble != NULL) {
        ensemble_cards(out, ensemble);
    }
    ng_html_raw(out, "</dl>\n");
}
