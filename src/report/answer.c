/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first thing a reader sees: title, three sentences, verdict. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

static const json_t *material_of(const ng_report_study *study)
{
    for (int k = 0; k < NG_REPORT_KINDS; k++) {
        const json_t *material = json_object_get(study->result[k], "material");
        if (json_is_object(material)) {
            return material;
        }
    }
    return json_object_get(ng_report_ensemble(study), "material");
}

void ng_report_title(FILE *out, const ng_report_study *study)
{
    const char *title = ng_report_string(material_of(study), "title");
    const char *predicted =
        ng_report_string(json_object_get(study->result[NG_REPORT_PREDICTION], "fit"), "material");
    bool grew = ng_report_ensemble(study) != NULL || study->result[NG_REPORT_FIT] != NULL;
    const char *what =
        grew                                          ? "Growth of nanoparticles"
        : study->result[NG_REPORT_POTENTIAL] != NULL  ? "Chemical potential"
        : study->result[NG_REPORT_PREDICTION] != NULL ? "Predicted growth"
        : study->result[NG_REPORT_RECONSTRUCTION] != NULL && !ng_report_has_crystals(study)
            ? "Images from striped light"
        : study->result[NG_REPORT_COALESCENCE] != NULL ? "Coalescence of nanoparticles"
        : ng_report_has_crystals(study)                ? "Crystals one by one"
        : study->result[NG_REPORT_TRUTH] != NULL       ? "Synthetic ensemble"
                                                       : "Particles in a movie";
    title = title != NULL ? title : predicted;
    if (title != NULL && title[0] != '\0') {
        ng_html_format(out, "%s: %s", what, title);
    } else {
        ng_html_text(out, what);
    }
}

/* An answer is read at a glance: what goes beyond this is printed smaller. */
#define LARGE_SENTENCES 4

bool ng_report_sentences(FILE *out, const json_t *value)
{
    if (json_is_string(value)) {
        ng_html_element(out, "p", "answer", json_string_value(value));
        return true;
    }
    if (json_array_size(value) == 0) {
        return false;
    }
    ng_html_raw(out, "<p class=\"answer\">");
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i == LARGE_SENTENCES) {
            ng_html_raw(out, "</p>\n<p class=\"more\">");
        }
        ng_html_text(out, json_string_value(json_array_get(value, i)));
        ng_html_raw(out, " ");
    }
    ng_html_raw(out, "</p>\n");
    return true;
}

static const char *number(char text[NG_REPORT_NUMBER], double value)
{
    return ng_report_number(text, value, (double)NAN);
}

static void ensemble_answer(FILE *out, const json_t *ensemble)
{
    const json_t *series = json_object_get(ensemble, "series");
    size_t frames = json_array_size(json_object_get(series, "time_s"));
    double tracks = ng_report_real(json_object_get(ensemble, "counts"), "tracks");
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    ng_html_raw(out, "<p class=\"answer\">");
    if (isfinite(tracks)) {
        ng_html_format(out, "%s particles were followed over %zu frames, from %s",
                       number(a, tracks), frames, number(b, ng_report_first(series, "time_s")));
        ng_html_format(out, " to %s s. ", number(a, ng_report_last(series, "time_s")));
    }
    double first = ng_report_first(series, "mean_radius_nm");
    double last = ng_report_last(series, "mean_radius_nm");
    if (isfinite(first) && isfinite(last)) {
        ng_html_format(out, "The mean radius went from %s to %s nm. ", number(a, first),
                       number(b, last));
        double spread_first = 100 * ng_report_first(series, "sd_radius_nm") / first;
        double spread_last = 100 * ng_report_last(series, "sd_radius_nm") / last;
        if (isfinite(spread_first) && isfinite(spread_last)) {
            ng_html_format(out,
                           "The spread of the radius was %.0f %% of the mean at first and "
                           "%.0f %% in the end: the sizes %s.",
                           spread_first, spread_last,
                           spread_last < spread_first ? "focused" : "did not focus");
        }
    }
    ng_html_raw(out, "</p>\n");
}

static void potential_answer(FILE *out, const json_t *potential)
{
    const json_t *maximum = json_object_get(potential, "maximum");
    const json_t *critical = json_object_get(potential, "critical");
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER], c[NG_REPORT_NUMBER];
    ng_html_raw(out, "<p class=\"answer\">");
    if (isfinite(ng_report_real(maximum, "n"))) {
        ng_html_format(out,
                       "A monomer is worst off in particles of %s monomers (radius %s nm), %s "
                       "kT above the bulk: below that size the potential falls again, against the "
                       "Gibbs–Thomson equation. ",
                       number(a, ng_report_real(maximum, "n")),
                       number(b, ng_report_real(maximum, "radius_nm")),
                       number(c, ng_report_real(maximum, "mu_kT")));
    }
    double s = ng_report_real(potential, "supersaturation");
    double low = ng_report_real(critical, "r_star_nm"),
           high = ng_report_real(critical, "r_star2_nm");
    if (isfinite(s) && isfinite(low) && isfinite(high)) {
        ng_html_format(out,
                       "At a supersaturation of %s, particles with a radius between %s and %s "
                       "nm shrink and all others grow.",
                       number(a, s), number(b, low), number(c, high));
    } else if (isfinite(s) && ng_report_string(critical, "regime") != NULL) {
        ng_html_format(out, "A supersaturation of %s is %s.", number(a, s),
                       ng_report_string(critical, "regime"));
    }
    ng_html_raw(out, "</p>\n");
}

/* ---- verdict ------------------------------------------------------------------------------- */

static const struct {
    const char *level, *text;
} verdicts[] = {
    {"green", "Green: this result can be used."},
    {"amber", "Amber: use this result with care."},
    {"red", "Red: do not trust this result."},
};

void ng_report_verdict(FILE *out, const json_t *result)
{
    const json_t *block = json_object_get(result, "verdict");
    const char *level = ng_report_string(block, "level");
    if (level == NULL && json_is_boolean(json_object_get(result, "trusted"))) {
        level = json_is_true(json_object_get(result, "trusted")) ? "green" : "red";
    }
    for (size_t i = 0; level != NULL && i < sizeof verdicts / sizeof verdicts[0]; i++) {
        if (strcmp(level, verdicts[i].level) != 0) {
            continue;
        }
        fprintf(out, "<div class=\"verdict %s\"><p><strong>%s</strong></p>\n", verdicts[i].level,
                verdicts[i].text);
        const json_t *reasons = json_object_get(block, "reasons");
        if (json_array_size(reasons) > 0) {
            ng_html_raw(out, "<ul>\n");
            for (size_t k = 0; k < json_array_size(reasons); k++) {
                ng_html_element(out, "li", NULL, json_string_value(json_array_get(reasons, k)));
            }
            ng_html_raw(out, "</ul>\n");
        }
        ng_html_raw(out, "</div>\n");
    }
}

void ng_report_answer(FILE *out, const ng_report_study *study)
{
    const json_t *fit = study->result[NG_REPORT_FIT];
    const json_t *ensemble = ng_report_ensemble(study);
    if (!ng_report_sentences(out, json_object_get(fit, "answer"))) {
        if (ensemble != NULL) {
            ensemble_answer(out, ensemble);
        }
        if (study->result[NG_REPORT_POTENTIAL] != NULL) {
            potential_answer(out, study->result[NG_REPORT_POTENTIAL]);
        }
    }
    if (fit != NULL) {
        ng_report_verdict(out, fit);
    }
}
