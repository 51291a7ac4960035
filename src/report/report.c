/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_internal.h"
#include "seen_internal.h"

static void part(FILE *out, int index)
{
    fwrite(ng_report_page[index].text, 1, ng_report_page[index].size, out);
}

static void write_title(FILE *out, const ng_report_input *input, const ng_report_study *study)
{
    if (input->title != NULL) {
        ng_html_text(out, input->title);
    } else {
        ng_report_title(out, study);
    }
}

/* Nothing but results of these kinds, and perhaps the truth about them, or where their images came
 * from. */
static bool nothing_but(const ng_report_study *study, ng_report_kind first, ng_report_kind last)
{
    bool any = false;
    for (int k = 0; k < NG_REPORT_KINDS; k++) {
        if (study->result[k] == NULL || k == NG_REPORT_TRUTH ||
            (k == NG_REPORT_RECONSTRUCTION && first != NG_REPORT_RECONSTRUCTION)) {
            continue;
        }
        if (k < (int)first || k > (int)last) {
            return false;
        }
        any = true;
    }
    return any;
}

static bool prediction_alone(const ng_report_study *study)
{
    return nothing_but(study, NG_REPORT_PREDICTION, NG_REPORT_PREDICTION);
}

static bool reconstruction_alone(const ng_report_study *study)
{
    return nothing_but(study, NG_REPORT_RECONSTRUCTION, NG_REPORT_RECONSTRUCTION);
}

static bool coalescence_alone(const ng_report_study *study)
{
    return nothing_but(study, NG_REPORT_COALESCENCE, NG_REPORT_COALESCENCE);
}

static bool crystals_alone(const ng_report_study *study)
{
    return nothing_but(study, NG_REPORT_NUCLEATION, NG_REPORT_RADIUS);
}

/* More than one fit, or more than one prediction. */
static bool are_several(const ng_report_study *study, size_t n)
{
    size_t fits = 0, predictions = 0;
    for (size_t k = 0; k < n; k++) {
        fits += study[k].result[NG_REPORT_FIT] != NULL;
        predictions += study[k].result[NG_REPORT_PREDICTION] != NULL;
    }
    return fits > 1 || predictions > 1;
}

static bool is_empty(const ng_report_study *study)
{
    for (int k = 0; k < NG_REPORT_KINDS; k++) {
        if (study->result[k] != NULL) {
            return false;
        }
    }
    return true;
}

static void navigation(FILE *out, const ng_report_study *study, bool several, bool seen)
{
    ng_html_raw(out, "<nav class=\"page\" aria-label=\"Parts of this report\"><ul>\n");
    if (!is_empty(study)) {
        ng_html_raw(out, "<li><a href=\"#answer\">Answer</a></li>\n");
    }
    if (seen) {
        ng_html_raw(out, "<li><a href=\"#seen\">Movie</a></li>\n");
    }
    if (!is_empty(study)) {
        ng_html_raw(out, "<li><a href=\"#figures\">Figures</a></li>\n");
    }
    if (study->result[NG_REPORT_FIT] != NULL) {
        ng_html_raw(out, "<li><a href=\"#parameters-table\">Parameters</a></li>\n"
                         "<li><a href=\"#certainty\">Certainty</a></li>\n");
    }
    if (study->result[NG_REPORT_PREDICTION] != NULL && !prediction_alone(study)) {
        ng_html_raw(out, "<li><a href=\"#prediction\">Prediction</a></li>\n");
    }
    if (study->result[NG_REPORT_RECONSTRUCTION] != NULL && !reconstruction_alone(study)) {
        ng_html_raw(out, "<li><a href=\"#reconstruction\">Reconstruction</a></li>\n");
    }
    if (study->result[NG_REPORT_COALESCENCE] != NULL && !coalescence_alone(study)) {
        ng_html_raw(out, "<li><a href=\"#coalescence\">Coalescence</a></li>\n");
    }
    if (ng_report_has_crystals(study) && !crystals_alone(study)) {
        ng_html_raw(out, "<li><a href=\"#crystals\">Crystals</a></li>\n");
    }
    if (several) {
        ng_html_raw(out, "<li><a href=\"#compare\">Side by side</a></li>\n");
    }
    ng_html_raw(out, "<li><a href=\"#warnings\">Warnings</a></li>\n"
                     "<li><a href=\"#methods\">Methods</a></li>\n"
                     "<li><a href=\"#provenance\">Provenance</a></li>\n</ul></nav>\n");
}

static void slot(FILE *out, const char *id, const char *name, size_t k)
{
    fprintf(out, "<div class=\"figures\"");
    if (id != NULL) {
        fprintf(out, " id=\"%s\"", id);
    }
    fprintf(out,
            " data-slot=\"%s\" data-study=\"%zu\"><noscript><p class=\"note\">The figures "
            "need JavaScript; every key number stands in the text.</p></noscript></div>\n",
            name, k);
}

static void write_prediction(FILE *out, const ng_report_study *study, size_t k)
{
    bool alone = prediction_alone(study);
    if (!alone) {
        fprintf(out, "<section%s>\n<h2>Prediction</h2>\n", k == 0 ? " id=\"prediction\"" : "");
    }
    ng_report_prediction(out, study->result[NG_REPORT_PREDICTION]);
    ng_html_raw(out, "</section>\n");
    slot(out, alone && k == 0 ? "figures" : NULL, "prediction", k);
}

static void write_crystals(FILE *out, const ng_report_study *study, size_t k)
{
    const bool alone = crystals_alone(study);
    if (!alone) {
        fprintf(out, "<section%s>\n<h2>Fluorescent crystals</h2>\n",
                k == 0 ? " id=\"crystals\"" : "");
    }
    ng_report_crystals(out, study);
    ng_html_raw(out, "</section>\n");
    slot(out, alone && k == 0 ? "figures" : NULL, "crystals", k);
}

static void write_reconstruction(FILE *out, const ng_report_study *study, size_t k)
{
    if (study->result[NG_REPORT_RECONSTRUCTION] == NULL) {
        return;
    }
    const bool alone = reconstruction_alone(study);
    if (!alone) {
        fprintf(out, "<section%s>\n<h2>Reconstruction of the images</h2>\n",
                k == 0 ? " id=\"reconstruction\"" : "");
    }
    ng_report_reconstruction(out, study->result[NG_REPORT_RECONSTRUCTION]);
    ng_html_raw(out, "</section>\n");
    slot(out, alone && k == 0 ? "figures" : NULL, "reconstruction", k);
}

static void write_coalescence(FILE *out, const ng_report_study *study, size_t k)
{
    const bool alone = coalescence_alone(study);
    if (!alone) {
        fprintf(out, "<section%s>\n<h2>Coalescence</h2>\n", k == 0 ? " id=\"coalescence\"" : "");
    }
    ng_report_coalescence(out, study->result[NG_REPORT_COALESCENCE]);
    ng_html_raw(out, "</section>\n");
    slot(out, alone && k == 0 ? "figures" : NULL, "coalescence", k);
}

static void write_seen(FILE *out, const json_t *seen)
{
    if (seen != NULL) {
        ng_report_seen_text(out, seen);
        slot(out, NULL, "seen", 0);
    }
}

static void write_study(FILE *out, const ng_report_study *study, size_t k, const json_t *seen)
{
    if (is_empty(study)) {
        write_seen(out, seen);
        return;
    }
    if (k > 0) {
        ng_html_raw(out, "<section><h2>Also given: ");
        ng_html_text(out, study->name);
        ng_html_raw(out, "</h2>\n");
    } else {
        ng_html_raw(out, "<section id=\"answer\" aria-label=\"Answer\">\n");
    }
    if (reconstruction_alone(study)) {
        write_reconstruction(out, study, k);
        write_seen(out, seen);
        return;
    }
    if (prediction_alone(study) || crystals_alone(study) || coalescence_alone(study)) {
        if (prediction_alone(study)) {
            write_prediction(out, study, k);
        } else if (crystals_alone(study)) {
            write_crystals(out, study, k);
        } else {
            write_coalescence(out, study, k);
        }
        write_seen(out, seen);
        write_reconstruction(out, study, k);
        return;
    }
    ng_report_answer(out, study);
    ng_report_key_numbers(out, study);
    ng_html_raw(out, "</section>\n");
    write_seen(out, seen);
    slot(out, k == 0 ? "figures" : NULL, "physics", k);
    if (study->result[NG_REPORT_FIT] != NULL) {
        fprintf(out, "<section%s>\n", k == 0 ? " id=\"parameters-table\"" : "");
        ng_report_parameters(out, study);
        ng_html_raw(out, "</section>\n");
        slot(out, k == 0 ? "certainty" : NULL, "certainty", k);
    }
    if (study->result[NG_REPORT_PREDICTION] != NULL) {
        write_prediction(out, study, k);
    }
    write_reconstruction(out, study, k);
    if (study->result[NG_REPORT_COALESCENCE] != NULL) {
        write_coalescence(out, study, k);
    }
    if (ng_report_has_crystals(study)) {
        write_crystals(out, study, k);
    }
}

static void write_comparison(FILE *out, const ng_report_study *study, size_t n)
{
    if (!are_several(study, n)) {
        return;
    }
    ng_html_raw(out, "<section id=\"compare\">\n<h2>Side by side</h2>\n");
    ng_report_compared_fits(out, study, n);
    ng_html_raw(out, "</section>\n");
    slot(out, NULL, "compare", 0);
}

static void write_body(FILE *out, const ng_report_input *input, const ng_report_study *study,
                       size_t n)
{
    ng_html_raw(out, "<header>\n<p class=\"eyebrow\">nucgrow report</p>\n<h1>");
    write_title(out, input, study);
    ng_html_raw(out, "</h1>\n</header>\n");
    navigation(out, study, are_several(study, n), input->seen != NULL);
    ng_html_raw(out, "<main>\n");
    for (size_t k = 0; k < n; k++) {
        write_study(out, &study[k], k, k == 0 ? input->seen : NULL);
        if (k == 0) {
            write_comparison(out, study, n);
        }
    }
    ng_report_warnings(out, input);
    ng_report_methods(out, input);
    ng_report_provenance(out, input);
    ng_html_raw(out, "</main>\n<footer><p>Made by nucgrow ");
    ng_html_text(out, ng_version());
    ng_html_raw(out, ". This file holds everything it shows and asks no network for anything.</p>"
                     "</footer>\n");
}

static ng_status write_page(FILE *out, const ng_report_input *input, const ng_report_study *study,
                            size_t n, ng_error *err)
{
    json_t *data = ng_report_data(study, n, input->seen);
    if (data == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the report's data");
    }
    part(out, 0);
    write_title(out, input, study);
    part(out, 1);
    write_body(out, input, study, n);
    part(out, 2);
    ng_status status = ng_html_json(out, data, err);
    part(out, 3);
    json_decref(data);
    return status;
}

ng_status ng_report_write(const ng_report_input *input, const char *path, bool force, ng_error *err)
{
    ng_report_study *study = NULL;
    ng_output *out = NULL;
    size_t n = 0;
    ng_status status = ng_report_studies(input, &study, &n, err);
    if (status != NG_OK) {
        goto out;
    }
    status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        goto out;
    }
    status = write_page(ng_output_stream(out), input, study, n, err);
    if (status != NG_OK) {
        goto out;
    }
    status = ng_output_commit(out, err);
    out = NULL;
out:
    ng_output_abandon(out);
    ng_free(study);
    return status;
}
