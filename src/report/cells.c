/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tables of the page share: names of the parameters, cells of numbers. */
#include "report_internal.h"

#include <math.h>

const ng_report_parameter ng_report_parameter_list[NG_REPORT_PARAMETERS] = {
    {"eps_f", "<i>ε</i><sub>face</sub>", "Energy of a monomer on a face"},
    {"eps_e", "<i>ε</i><sub>edge</sub>", "Energy of a monomer on an edge"},
    {"alpha4", "4 + <i>α</i>", "Weight of the logarithmic term"},
    {"K", "<i>K</i>", "Reaction against diffusion"},
    {"kr", "<i>k</i><sub>r</sub>", "Attachment rate"},
};

double ng_report_resolution(double value, double lower, double upper)
{
    double half = (upper - lower) / 2;
    /* An interval wider than its value, as of a rate over decades: three digits of each end. */
    return half > 0 && half < fabs(value) ? half : (double)NAN;
}

void ng_report_number_cell(FILE *out, double value, double resolution)
{
    char text[NG_REPORT_NUMBER];
    ng_html_raw(out, "<td class=\"number\">");
    ng_html_text(out, ng_report_number(text, value, resolution));
    ng_html_raw(out, "</td>");
}

void ng_report_range_cell(FILE *out, double lower, double upper, double resolution)
{
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    ng_html_raw(out, "<td class=\"number\">");
    if (isfinite(lower) && isfinite(upper)) {
        ng_html_format(out, "%s to %s", ng_report_number(a, lower, resolution),
                       ng_report_number(b, upper, resolution));
    } else {
        ng_html_raw(out, "–");
    }
    ng_html_raw(out, "</td>");
}

void ng_report_interval_cell(FILE *out, double value, double lower, double upper)
{
    char text[NG_REPORT_NUMBER], a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER];
    double resolution = ng_report_resolution(value, lower, upper);
    ng_html_raw(out, "<td class=\"number\">");
    ng_html_text(out, ng_report_number(text, value, resolution));
    if (isfinite(value) && isfinite(lower) && isfinite(upper)) {
        ng_html_format(out, " (%s to %s)", ng_report_number(a, lower, resolution),
                       ng_report_number(b, upper, resolution));
    }
    ng_html_raw(out, "</td>");
}
