/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of a fit: parameters with their intervals, and against the truth where it is known. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

static const char *flag_class(const char *flag)
{
    static const char *const plain[] = {"fixed", "free", "smooth", "constant"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(flag, plain[i]) == 0) {
            return "plain";
        }
    }
    return strcmp(flag, "ok") == 0 ? "green" : "amber";
}

static void flag_cell(FILE *out, const char *flag)
{
    fprintf(out, "<td>");
    if (flag != NULL) {
        char text[40];
        snprintf(text, sizeof text, "%s", flag);
        for (char *c = text; *c != '\0'; c++) {
            *c = *c == '-' ? ' ' : *c;
        }
        fprintf(out, "<span class=\"flag %s\">", flag_class(flag));
        ng_html_text(out, text);
        ng_html_raw(out, "</span>");
    }
    ng_html_raw(out, "</td>");
}

/* As short as it can be; a bound that the data suggested has more digits than anyone reads. */
static void bound(FILE *out, double x)
{
    ng_html_raw(out, x < 0 ? "−" : "");
    if (fabs(x) < 1000) {
        ng_html_format(out, "%.3g", fabs(x));
    } else {
        ng_html_format(out, "%g", fabs(x));
    }
}

static void bounds_cell(FILE *out, double low, double high)
{
    ng_html_raw(out, "<td class=\"number\">");
    if (isfinite(low) && isfinite(high)) {
        bound(out, low);
        ng_html_raw(out, " to ");
        bound(out, high);
    }
    ng_html_raw(out, "</td>");
}

void ng_report_parameter_row(FILE *out, const json_t *parameter, const char *symbol,
                             const char *title)
{
    double value = ng_report_real(parameter, "value");
    double lower = ng_report_real(parameter, "lower"), upper = ng_report_real(parameter, "upper");
    double resolution = ng_report_resolution(value, lower, upper);
    const char *own = ng_report_string(parameter, "title");
    const char *unit = ng_report_string(parameter, "unit");
    ng_html_raw(out, "<tr><th scope=\"row\">");
    ng_html_text(out, own != NULL ? own : title);
    fprintf(out, "</th><td class=\"symbol name\">%s</td>", symbol);
    ng_report_number_cell(out, value, resolution);
    ng_report_range_cell(out, lower, upper, resolution);
    ng_html_raw(out, "<td class=\"unit\">");
    ng_html_unit(out, unit != NULL && strcmp(unit, "1") == 0 ? NULL : unit);
    ng_html_raw(out, "</td>");
    bounds_cell(out, ng_report_real(parameter, "min"), ng_report_real(parameter, "max"));
    flag_cell(out, ng_report_string(parameter, "flag"));
    ng_html_raw(out, "</tr>\n");
}

/* The shape number is eliminated frame by frame: only its mean stands in the table. */
static void delta_row(FILE *out, const json_t *delta)
{
    double mean = ng_report_real(delta, "mean");
    double lower = ng_report_real(delta, "lower"), upper = ng_report_real(delta, "upper");
    if (!isfinite(mean)) {
        return;
    }
    double resolution = ng_report_resolution(mean, lower, upper);
    ng_html_raw(out, "<tr><th scope=\"row\">Shape number, mean over frames</th>"
                     "<td class=\"symbol name\"><i>δ</i></td>");
    ng_report_number_cell(out, mean, resolution);
    ng_report_range_cell(out, lower, upper, resolution);
    ng_html_raw(out, "<td></td>");
    bounds_cell(out, 1, 2);
    flag_cell(out, ng_report_string(delta, "mode"));
    ng_html_raw(out, "</tr>\n");
}

void ng_report_parameter_head(FILE *out, const char *caption, double level)
{
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>");
    ng_html_text(out, caption);
    ng_html_raw(out, "</caption><thead><tr><th>Parameter</th><th>Symbol</th>"
                     "<th class=\"number\">Value</th><th class=\"number\">");
    if (isfinite(level)) {
        ng_html_format(out, "%.3g %% interval", 100 * level);
    } else {
        ng_html_raw(out, "Interval");
    }
    ng_html_raw(out, "</th><th>Unit</th><th class=\"number\">Bounds</th><th>Flag</th></tr></thead>"
                     "<tbody>\n");
}

void ng_report_parameter_end(FILE *out)
{
    ng_html_raw(out, "</tbody></table></div>\n");
}

static void parameter_table(FILE *out, const json_t *fit)
{
    const json_t *parameters = json_object_get(fit, "parameters");
    const char *estimator = ng_report_string(fit, "estimator");
    char caption[80];
    (void)snprintf(caption, sizeof caption, "Growth parameters%s%.30s%s",
                   estimator != NULL ? ", estimator “" : "", estimator != NULL ? estimator : "",
                   estimator != NULL ? "”" : "");
    ng_report_parameter_head(out, caption, ng_report_real(fit, "level"));
    for (size_t i = 0; i < NG_REPORT_PARAMETERS; i++) {
        const ng_report_parameter *p = &ng_report_parameter_list[i];
        const json_t *parameter = json_object_get(parameters, p->name);
        if (parameter != NULL) {
            ng_report_parameter_row(out, parameter, p->symbol, p->title);
        }
    }
    delta_row(out, json_object_get(fit, "delta"));
    ng_report_parameter_end(out);
}

/* ---- against the truth --------------------------------------------------------------------- */

/* One quantity: its truth, what was found, its interval. */
typedef struct comparison {
    const char *markup; /* of its name */
    double truth, found, lower, upper;
} comparison;

#define N_COMPARISONS (NG_REPORT_PARAMETERS + 3)

static comparison compare(const char *markup, double truth, const json_t *found, const char *value,
                          const char *lower, const char *upper)
{
    comparison c = {markup, truth, ng_report_real(found, value), ng_report_real(found, lower),
                    ng_report_real(found, upper)};
    return c;
}

static void compare_all(const json_t *fit, const json_t *truth, comparison list[N_COMPARISONS])
{
    const json_t *found = json_object_get(fit, "parameters");
    const json_t *parameters = json_object_get(truth, "parameters");
    const json_t *potential = json_object_get(fit, "potential");
    const json_t *maximum = json_object_get(truth, "maximum");
    for (size_t i = 0; i < NG_REPORT_PARAMETERS; i++) {
        const ng_report_parameter *p = &ng_report_parameter_list[i];
        list[i] = compare(p->symbol, ng_report_real(parameters, p->name),
                          json_object_get(found, p->name), "value", "lower", "upper");
    }
    list[NG_REPORT_PARAMETERS] = compare("<i>δ</i>, mean", ng_report_real(truth, "delta"),
                                         json_object_get(fit, "delta"), "mean", "lower", "upper");
    list[NG_REPORT_PARAMETERS + 1] =
        compare("<i>n</i> at the maximum", ng_report_real(maximum, "n"), potential, "n_max",
                "n_max_lower", "n_max_upper");
    list[NG_REPORT_PARAMETERS + 2] =
        compare("highest <i>μ</i><sub>n</sub> (kT)", ng_report_real(maximum, "mu_kT"), potential,
                "mu_max_kT", "mu_max_lower_kT", "mu_max_upper_kT");
}

static void truth_row(FILE *out, const comparison *c)
{
    double resolution = ng_report_resolution(c->found, c->lower, c->upper);
    fprintf(out, "<tr><th scope=\"row\" class=\"symbol name\">%s</th>", c->markup);
    ng_report_number_cell(out, c->truth, resolution);
    ng_report_number_cell(out, c->found, resolution);
    ng_report_range_cell(out, c->lower, c->upper, resolution);
    ng_html_raw(out, "<td>");
    if (isfinite(c->lower) && isfinite(c->upper)) {
        bool inside = c->truth >= c->lower && c->truth <= c->upper;
        fprintf(out, "<span class=\"flag %s\">%s</span>", inside ? "green" : "amber",
                inside ? "inside" : "outside");
    }
    ng_html_raw(out, "</td></tr>\n");
}

static void truth_table(FILE *out, const json_t *fit, const json_t *truth)
{
    comparison list[N_COMPARISONS];
    bool begun = false;
    compare_all(fit, truth, list);
    for (size_t i = 0; i < N_COMPARISONS; i++) {
        if (!isfinite(list[i].truth) || !isfinite(list[i].found)) {
            continue;
        }
        if (!begun) {
            ng_html_raw(out, "<div class=\"scroll\"><table><caption>Against the truth of the "
                             "synthetic data</caption><thead><tr><th>Quantity</th>"
                             "<th class=\"number\">Truth</th><th class=\"number\">Found</th>"
                             "<th class=\"number\">Interval</th><th>Truth in interval</th></tr>"
                             "</thead><tbody>\n");
            begun = true;
        }
        truth_row(out, &list[i]);
    }
    if (begun) {
        ng_html_raw(out, "</tbody></table></div>\n");
    }
}

void ng_report_parameters(FILE *out, const ng_report_study *study)
{
    const json_t *fit = study->result[NG_REPORT_FIT];
    ng_html_raw(out,
                "<h2>Parameters</h2>\n<p class=\"lead\">The numbers behind the curves. A flag "
                "other than “ok” means that the data do not fix that parameter by itself, even "
                "where they fix the chemical potential.</p>\n");
    parameter_table(out, fit);
    ng_report_forward(out, fit);
    if (study->result[NG_REPORT_TRUTH] != NULL) {
        truth_table(out, fit, study->result[NG_REPORT_TRUTH]);
    }
}
