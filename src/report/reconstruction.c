/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a reconstruction: answer, verdicts, pictures, the stripes and their errors. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

static double least_of(const json_t *directions, const char *key, double *most)
{
    const json_t *one = NULL;
    double least = HUGE_VAL;
    size_t i = 0;
    *most = -HUGE_VAL;
    json_array_foreach(directions, i, one)
    {
        least = fmin(least, ng_report_real(one, key));
        *most = fmax(*most, ng_report_real(one, key));
    }
    return least;
}

/* ---- sentences ------------------------------------------------------------------------------- */

/* One number where both are printed alike. */
static void from_to(FILE *out, double least, double most, int digits)
{
    char from[32], to[32];
    snprintf(from, sizeof from, "%.*f", digits, least);
    snprintf(to, sizeof to, "%.*f", digits, most);
    ng_html_text(out, from);
    if (strcmp(from, to) != 0) {
        ng_html_format(out, " to %s", to);
    }
}

static void about_stripes(FILE *out, const json_t *result)
{
    const json_t *directions = json_object_get(result, "directions");
    double most = 0;
    const double least = least_of(directions, "modulation", &most);
    if (isfinite(least) && isfinite(most)) {
        ng_html_raw(out, "The light had a contrast of ");
        from_to(out, least, most, 2);
        const double period = least_of(directions, "period_nm", &most);
        ng_html_raw(out, " and a period of ");
        from_to(out, period, most, 0);
        ng_html_raw(out, " nm. ");
    }
}

static void about_resolution(FILE *out, const json_t *quality)
{
    const double found = ng_report_real(quality, "resolution_nm");
    const double finest = ng_report_real(quality, "cutoff_nm");
    const double widefield = ng_report_real(quality, "widefield_cutoff_nm");
    if (isfinite(found) && isfinite(finest)) {
        ng_html_format(out,
                       "Independent images agree down to %.0f nm; optics and stripes pass %.0f nm, "
                       "the optics alone %.0f nm. ",
                       found, finest, widefield);
    } else if (isfinite(finest)) {
        ng_html_format(out,
                       "Optics and stripes pass %.0f nm, the optics alone %.0f nm; what the image "
                       "holds of it was not measured. ",
                       finest, widefield);
    }
}

static void answer(FILE *out, const json_t *result)
{
    const double sets = ng_report_real(result, "sets");
    const double directions = ng_report_real(result, "n_directions");
    const double phases = ng_report_real(result, "n_phases");
    const char *mode = ng_report_string(result, "mode");
    ng_html_raw(out, "<p class=\"answer\">");
    if (json_is_false(json_object_get(result, "trusted"))) {
        ng_html_format(out, "No image was made: %s. ", ng_report_string(result, "reason"));
    } else if (mode != NULL && sets > 0) {
        ng_html_format(out,
                       "%.0f %s of mode %s, each from %.0f raw frames: %.0f directions of "
                       "striped light in %.0f positions. ",
                       sets, sets == 1 ? "image" : "images", mode, directions * phases, directions,
                       phases);
    }
    about_stripes(out, result);
    about_resolution(out, json_object_get(result, "quality"));
    ng_html_raw(out, "</p>\n");
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* Only these names become classes of the page. */
static const char *known_grade(const char *grade)
{
    static const char *const known[] = {"green", "amber", "red"};
    for (size_t i = 0; grade != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(grade, known[i]) == 0) {
            return known[i];
        }
    }
    return NULL;
}

static const char *title_of(const char *name)
{
    static const struct {
        const char *name, *title;
    } titles[] = {{"pattern", "Stripes"},
                  {"contrast_to_noise", "Contrast to noise"},
                  {"modulation", "Contrast of the light"},
                  {"illumination_variation", "Evenness of the light"},
                  {"saturated", "Range of the camera"},
                  {"light", "Light of the image"},
                  {"resolution", "Resolution"}};
    for (size_t i = 0; name != NULL && i < sizeof titles / sizeof titles[0]; i++) {
        if (strcmp(name, titles[i].name) == 0) {
            return titles[i].title;
        }
    }
    return name;
}

static void verdict_row(FILE *out, const json_t *verdict)
{
    const char *grade = known_grade(ng_report_string(verdict, "grade"));
    ng_html_raw(out, "<tr>");
    ng_html_element(out, "th", NULL, title_of(ng_report_string(verdict, "name")));
    ng_report_number_cell(out, ng_report_real(verdict, "value"), (double)NAN);
    fprintf(out, "<td><span class=\"flag %s\">%s</span></td>", grade != NULL ? grade : "plain",
            grade != NULL ? grade : "–");
    ng_html_raw(out, "<td>");
    ng_html_text(out, ng_report_string(verdict, "reason"));
    ng_html_raw(out, "</td></tr>\n");
}

static void verdicts(FILE *out, const json_t *quality)
{
    const json_t *list = json_object_get(quality, "verdicts"), *one = NULL;
    size_t i = 0;
    if (json_array_size(list) == 0) {
        return;
    }
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>What was judged</caption><thead><tr>"
                     "<th>Property</th><th class=\"number\">Value</th><th>Verdict</th><th>Reason"
                     "</th></tr></thead><tbody>\n");
    json_array_foreach(list, i, one)
    {
        verdict_row(out, one);
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

static void overall(FILE *out, const json_t *quality)
{
    static const struct {
        const char *grade, *text;
    } says[] = {{"green", "Green: the images can be measured."},
                {"amber", "Amber: measure the images with care."},
                {"red", "Red: do not measure these images."}};
    const char *grade = known_grade(ng_report_string(quality, "grade"));
    for (size_t i = 0; grade != NULL && i < sizeof says / sizeof says[0]; i++) {
        if (strcmp(grade, says[i].grade) == 0) {
            fprintf(out, "<div class=\"verdict %s\"><p><strong>%s</strong></p></div>\n", grade,
                    says[i].text);
        }
    }
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* Nothing but pictures that the page itself holds. */
static bool is_picture(const json_t *value)
{
    static const char head[] = "data:image/png;base64,";
    const char *text = json_string_value(value);
    if (text == NULL || strncmp(text, head, sizeof head - 1) != 0) {
        return false;
    }
    const char *code = text + sizeof head - 1;
    return code[strspn(
               code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '\0';
}

static void picture(FILE *out, const json_t *value, const char *caption)
{
    if (is_picture(value)) {
        fprintf(out, "<div><img src=\"%s\" alt=\"\">", json_string_value(value));
        ng_html_element(out, "p", "note", caption);
        ng_html_raw(out, "</div>\n");
    }
}

static void pair_of(FILE *out, const json_t *pair, const char *what)
{
    char caption[160];
    const double um = 1e-3;
    if (!is_picture(json_object_get(pair, "after"))) {
        return;
    }
    ng_html_raw(out, "<div class=\"pictures\">\n");
    snprintf(caption, sizeof caption, "%s, wide field: the mean of the raw frames. %.1f × %.1f µm",
             what, um * ng_report_real(pair, "width_nm"), um * ng_report_real(pair, "height_nm"));
    picture(out, json_object_get(pair, "before"), caption);
    snprintf(caption, sizeof caption, "%s, reconstructed", what);
    picture(out, json_object_get(pair, "after"), caption);
    ng_html_raw(out, "</div>\n");
}

static void peaks(FILE *out, const json_t *list)
{
    const json_t *one = NULL;
    char caption[80];
    size_t i = 0;
    if (json_array_size(list) == 0) {
        return;
    }
    ng_html_raw(out, "<h3>Where the stripes are</h3>\n<p class=\"note\">Correlation of what moves "
                     "with the stripes and what does not, over the plane of spatial frequencies "
                     "(logarithmic, over what is usual at the same distance from the middle). One "
                     "bright peak in the cross is what one wants to see.</p>\n"
                     "<div class=\"pictures peaks\">\n");
    json_array_foreach(list, i, one)
    {
        snprintf(caption, sizeof caption, "direction %zu", i + 1);
        picture(out, one, caption);
    }
    ng_html_raw(out, "</div>\n");
}

/* ---- the stripes ----------------------------------------------------------------------------- */

static void with_error_cell(FILE *out, double value, double error)
{
    char text[2][NG_REPORT_NUMBER];
    ng_html_raw(out, "<td class=\"number\">");
    ng_html_text(out, ng_report_number(text[0], value, error > 0 ? error : (double)NAN));
    if (error > 0) {
        ng_html_format(out, " ± %s", ng_report_number(text[1], error, error));
    }
    ng_html_raw(out, "</td>");
}

static void direction_row(FILE *out, const json_t *d, size_t i)
{
    const char *reason = ng_report_string(d, "reason");
    const bool trusted = json_is_true(json_object_get(d, "trusted"));
    fprintf(out, "<tr><th>%zu</th>", i + 1);
    with_error_cell(out, ng_report_real(d, "angle_deg"), ng_report_real(d, "angle_deg_se"));
    with_error_cell(out, ng_report_real(d, "period_nm"), ng_report_real(d, "period_nm_se"));
    with_error_cell(out, ng_report_real(d, "modulation"), ng_report_real(d, "modulation_se"));
    ng_report_number_cell(out, ng_report_real(d, "phase_centre_deg_se"), (double)NAN);
    ng_html_raw(out, json_is_true(json_object_get(d, "equal_steps")) ? "<td>equal</td>"
                                                                     : "<td>as found</td>");
    ng_report_number_cell(out, ng_report_real(d, "contrast_to_noise"), (double)NAN);
    ng_report_number_cell(out, ng_report_real(d, "peak_over_median"), (double)NAN);
    fprintf(out, "<td><span class=\"flag %s\">", trusted ? "green" : "red");
    ng_html_text(out, trusted || reason == NULL ? "trusted" : reason);
    ng_html_raw(out, "</span></td></tr>\n");
}

static void stripes(FILE *out, const json_t *directions)
{
    const json_t *one = NULL;
    size_t i = 0;
    if (json_array_size(directions) == 0) {
        return;
    }
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>The stripes of each direction, with "
                     "standard errors</caption><thead><tr><th>Nr.</th>"
                     "<th class=\"number\">Angle (°)</th><th class=\"number\">Period (nm)</th>"
                     "<th class=\"number\">Contrast</th>"
                     "<th class=\"number\">Error of<br>position (°)</th><th>Steps</th>"
                     "<th class=\"number\">Contrast<br>to noise</th>"
                     "<th class=\"number\">Peak over<br>median</th><th>Verdict</th></tr></thead>"
                     "<tbody>\n");
    json_array_foreach(directions, i, one)
    {
        direction_row(out, one, i);
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

static void cards(FILE *out, const json_t *result)
{
    const json_t *quality = json_object_get(result, "quality");
    const json_t *camera = json_object_get(result, "camera");
    ng_html_raw(out, "<dl class=\"key-numbers\">\n");
    ng_report_plain_card(out, "Resolution", ng_report_real(quality, "resolution_nm"), "nm");
    ng_report_plain_card(out, "Contrast to noise, weakest direction",
                         ng_report_real(quality, "contrast_to_noise"), "");
    ng_report_plain_card(out, "Difference of the light between frames",
                         100 * ng_report_real(quality, "illumination_variation"), "%");
    const double scale = ng_report_real(quality, "light_scale");
    const double se = ng_report_real(quality, "light_scale_se");
    const ng_report_card light = {"Light of the frames over that of the image",
                                  scale,
                                  scale - 1.96 * se,
                                  scale + 1.96 * se,
                                  "",
                                  0.95};
    ng_report_write_card(out, light);
    ng_report_plain_card(out, "Counts per photoelectron", ng_report_real(camera, "gain"), "");
    ng_html_raw(out, "</dl>\n");
}

void ng_report_reconstruction(FILE *out, const json_t *result)
{
    const json_t *quality = json_object_get(result, "quality");
    const json_t *pictures = json_object_get(result, "pictures");
    answer(out, result);
    overall(out, quality);
    cards(out, result);
    pair_of(out, json_object_get(pictures, "field"), "The field");
    pair_of(out, json_object_get(pictures, "detail"), "Its brightest part");
    verdicts(out, quality);
    stripes(out, json_object_get(result, "directions"));
    peaks(out, json_object_get(pictures, "peaks"));
}
