/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fluorescent crystals were analysed, for the methods of a paper: made of the results'
 * settings. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

typedef struct settings {
    FILE *out;
    const json_t *result;
    const json_t *option; /* of the provenance */
} settings;

/* Value of an option; NAN where it has none. */
static double option(const settings *s, const char *name)
{
    return ng_report_real(json_object_get(s->option, name), "value");
}

static bool option_is(const settings *s, const char *name)
{
    return json_is_true(json_object_get(json_object_get(s->option, name), "value"));
}

/* Text in which each `#` is the next of the numbers, a dash where it is not known. */
static void fill(const settings *s, const char *text, const double *value)
{
    char part[2] = "";
    for (; *text != 0; text++) {
        part[0] = *text;
        if (*text != '#') {
            ng_html_raw(s->out, part);
        } else if (isfinite(*value)) {
            ng_html_format(s->out, "%.4g", *value++);
        } else {
            ng_html_raw(s->out, "–");
            value++;
        }
    }
}

/* ---- radii ----------------------------------------------------------------------------------- */

static void about_sizing(const settings *s, const json_t *relation)
{
    const char *sizing = ng_report_string(relation, "sizing");
    const double value[] = {
        ng_report_real(relation, "absorption_power"), ng_report_real(relation, "excitation_nm"),
        ng_report_real(relation, "band_low_nm"), ng_report_real(relation, "band_high_nm")};
    if (sizing == NULL || strcmp(sizing, "volume") == 0) {
        fill(s,
             "Radii r were obtained from intensities by I = I0 r^#, without an absorption edge or "
             "a filter",
             value);
    } else {
        fill(s,
             "Radii r were obtained from intensities by I = I0 r^# A(r) Y(r) T(r), with "
             "absorption at # nm, quantum yield and a filter from # to # nm, emission energies "
             "by ",
             value);
        ng_html_raw(s->out, strcmp(sizing, "brus") == 0 ? "Brus's equation" : "a sizing table");
    }
    const json_t *yield = json_object_get(json_object_get(relation, "yield"), "value");
    ng_html_raw(s->out,
                json_array_size(yield) > 0 ? ". " : " and with one quantum yield for all sizes. ");
}

static void about_radii(const settings *s)
{
    const json_t *radii = json_object_get(s->result, "radii");
    const json_t *calibration = json_object_get(radii, "calibration");
    const json_t *reference = json_object_get(calibration, "reference");
    const double scale = ng_report_real(calibration, "scale");
    const double of_light[] = {ng_report_real(calibration, "crystals"),
                               ng_report_real(reference, "median_nm")};
    const double still = ng_report_real(reference, "n");
    const double error = 100 * ng_report_real(calibration, "relative_se");
    if (radii == NULL) {
        return;
    }
    about_sizing(s, json_object_get(radii, "relation"));
    if (!(of_light[0] > 0)) {
        fill(s, "I0 was given as #. ", &scale);
        return;
    }
    fill(s,
         "I0 is such that the median of the final intensities of # crystals has a radius of # nm",
         of_light);
    if (still > 0) {
        fill(s, ", the median of # particles in a still image", &still);
    }
    fill(s, "; its relative error of # % is common to all radii. ", &error);
}

/* ---- each kind of result --------------------------------------------------------------------- */

static void of_radius(const settings *s)
{
    if (json_object_get(s->result, "spectra") != NULL) {
        ng_html_raw(s->out, "Emission peaks are those of a parabola through the logarithm of the "
                            "upper half of each spectrum, and radii those of the sizing curve at "
                            "the peak. ");
    }
    about_radii(s);
}

static void of_nucleation(const settings *s)
{
    const double value[] = {option(s, "min-points"), ng_report_real(s->result, "bandwidth_s"),
                            100 * ng_report_real(json_object_get(s->result, "window"), "share")};
    const double resamplings = option(s, "bootstrap");
    fill(s,
         "Crystals are tracks of at least # points, born when first seen; in gaps of a track "
         "they count as there. The nucleation rate is a sum of normal kernels of # s at the "
         "births, reflected at both ends of the movie, with a Poisson band; the window of "
         "nucleation holds the middle # % of the births, its ends with intervals by order "
         "statistics. Histograms take of each crystal the median of its last five radii, with "
         "normal curves by maximum likelihood. ",
         value);
    const json_t *hidden = json_object_get(s->result, "hidden");
    const char *state = ng_report_string(hidden, "state");
    if (state != NULL && strcmp(state, "told") == 0) {
        const double pairs[] = {ng_report_real(hidden, "reach_nm"),
                                ng_report_real(hidden, "pairs_seen"),
                                ng_report_real(hidden, "pairs_expected")};
        fill(s,
             "Crystals hidden by another were told by the pairs closer than # nm, of which # "
             "are seen and # expected of independent places (coincidence loss). ",
             pairs);
    }
    if (json_object_get(s->result, "avrami") != NULL) {
        fill(s,
             "Avrami's law was fitted by least squares to the intensity summed over crystals; "
             "the interval of its exponent is the wider of a profile and of # resamplings of "
             "crystals. ",
             &resamplings);
    }
    about_radii(s);
}

static void about_fit(const settings *s)
{
    const double value[] = {100 * ng_report_real(s->result, "level"), option(s, "bootstrap")};
    ng_html_raw(s->out, "Parameters were found by Levenberg-Marquardt with ");
    ng_html_raw(s->out, option_is(s, "robust") ? "Tukey's bisquare, which blinking does not pull"
                                               : "least squares");
    fill(s,
         ", errors of counted light read at the curve, and points near the limit of detection "
         "held against the mean of what can be seen there; intervals (# %) are profiles "
         "calibrated by a sandwich estimator with autocorrelation. Medians are of crystals that "
         "tell the parameter, with # resamplings of crystals behind their intervals. ",
         value);
}

static void of_avrami(const settings *s)
{
    ng_html_raw(s->out, "Avrami's law, f = 1 - exp(-(K (t - t0))^n), was fitted to ");
    if (json_object_get(s->result, "crystals") == NULL) {
        ng_html_raw(s->out, "the series; intervals are profiles of the cost. ");
        return;
    }
    ng_html_raw(s->out, "the light of each crystal. ");
    about_fit(s);
    about_radii(s);
}

static void about_law(const settings *s, const json_t *laws)
{
    const char *law = ng_report_string(s->result, "law");
    const json_t *one = NULL;
    size_t i = 0;
    json_array_foreach(laws, i, one)
    {
        const char *name = ng_report_string(one, "name");
        if (law != NULL && name != NULL && strcmp(law, name) == 0) {
            ng_html_raw(s->out, "The radius of each crystal was fitted by ");
            ng_html_text(s->out, ng_report_string(one, "title"));
            ng_html_raw(s->out, ", ");
            ng_html_text(s->out, ng_report_string(one, "equation"));
            ng_html_raw(s->out, ". ");
        }
    }
}

static void of_diffusion(const settings *s)
{
    const json_t *laws = json_object_get(s->result, "laws");
    const json_t *durations = json_object_get(s->result, "durations");
    const double n_laws = (double)json_array_size(laws);
    const double value[] = {100 * ng_report_real(durations, "split"),
                            100 * ng_report_real(durations, "end")};
    about_law(s, laws);
    about_fit(s);
    if (option_is(s, "compare")) {
        fill(s,
             "# laws of growth were compared by Akaike's criterion at a common scale of the "
             "residuals. ",
             &n_laws);
    }
    fill(s, "Fast growth ends at # % of the fitted final radius, slow growth at # %. ", value);
    about_radii(s);
}

static void of_energy(const settings *s)
{
    const json_t *rests = json_object_get(s->result, "rests_on");
    const double value[] = {ng_report_real(json_object_get(s->result, "conditions"), "critical_nm"),
                            option(s, "window-percent")};
    const double drawn[] = {option(s, "bootstrap"), ng_report_real(rests, "births"),
                            ng_report_real(rests, "crystals")};
    const double order = option(s, "order");
    fill(s,
         "The free energy of the ensemble, in units of the barrier G* of one nucleus, is N(t) + "
         "sum of (3x^2 - 2x^3) over crystals, x = r/r*, with r* = # nm given; overlap is the "
         "common part over the union of the windows that hold the middle # % of the births and "
         "of the growth of volume. ",
         value);
    if (drawn[1] > 0 || drawn[2] > 0) {
        fill(s, "Intervals are of # resamplings of # births and # crystals. ", drawn);
    }
    fill(s,
         "Other concentrations c are a scaling: the nucleation rate with c^#, D V_m dC with c, "
         "and a cell for each crystal with the rate to the power -3/5. ",
         &order);
}

void ng_report_crystal_methods(FILE *out, const json_t *result)
{
    static const struct {
        const char *schema;
        void (*write)(const settings *);
    } kind[] = {{"nucgrow/radius/", of_radius},
                {"nucgrow/nucleation/", of_nucleation},
                {"nucgrow/fit-avrami/", of_avrami},
                {"nucgrow/fit-diffusion/", of_diffusion},
                {"nucgrow/energy/", of_energy}};
    const char *schema = ng_report_string(result, "schema");
    const settings s = {out, result,
                        json_object_get(json_object_get(result, "provenance"), "options")};
    for (size_t i = 0; schema != NULL && i < sizeof kind / sizeof kind[0]; i++) {
        if (strncmp(schema, kind[i].schema, strlen(kind[i].schema)) == 0) {
            ng_html_raw(out, "<p class=\"methods\">");
            kind[i].write(&s);
            ng_html_raw(out, "</p>\n");
        }
    }
}
