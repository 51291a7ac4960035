/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of the page: warnings, methods, references, where everything came from. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

/* Keep texts once; `seen` is a JSON object used as a set. */
static bool is_new(json_t *seen, const char *text)
{
    if (text == NULL || text[0] == '\0' || json_object_get(seen, text) != NULL) {
        return false;
    }
    json_object_set_new(seen, text, json_true());
    return true;
}

/* `name` NULL: there is only one file. */
static size_t warnings_of(FILE *out, const json_t *result, const char *name, json_t *seen)
{
    const json_t *list = json_object_get(result, "warnings");
    size_t shown = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *warning = json_array_get(list, i);
        const char *text = ng_report_string(warning, "text");
        if (!is_new(seen, text)) {
            continue;
        }
        ng_html_raw(out, "<li>");
        ng_html_text(out, text);
        ng_html_raw(out, " <code>");
        ng_html_text(out, ng_report_string(warning, "name"));
        if (name != NULL) {
            ng_html_format(out, ", %s", name);
        }
        ng_html_raw(out, "</code></li>\n");
        shown++;
    }
    return shown;
}

void ng_report_warnings(FILE *out, const ng_report_input *input)
{
    json_t *seen = json_object();
    size_t shown = 0;
    ng_html_raw(out, "<section id=\"warnings\"><h2>Warnings</h2>\n<ul class=\"warnings\">\n");
    for (size_t i = 0; i < input->n; i++) {
        const char *name = input->n > 1 ? input->name[i] : NULL;
        shown += warnings_of(out, input->result[i], name, seen);
    }
    ng_html_raw(out, "</ul>\n");
    if (shown == 0) {
        ng_html_raw(out, "<p>None: every step went through without one.</p>\n");
    }
    ng_html_raw(out, "</section>\n");
    json_decref(seen);
}

static void paragraphs(FILE *out, const json_t *value)
{
    ng_html_element(out, "p", "methods", json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        ng_html_element(out, "p", "methods", json_string_value(json_array_get(value, i)));
    }
}

static void reference_items(FILE *out, const json_t *list, json_t *seen)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (is_new(seen, text)) {
            ng_html_element(out, "li", NULL, text);
        }
    }
}

/* Only these print energies in units of kT. */
static bool has_energies(const ng_report_input *input)
{
    static const char *const schema[] = {"nucgrow/potential/", "nucgrow/fit-growth/",
                                         "nucgrow/predict/"};
    for (size_t i = 0; i < input->n; i++) {
        const char *of = ng_report_string(input->result[i], "schema");
        for (size_t k = 0; of != NULL && k < sizeof schema / sizeof schema[0]; k++) {
            if (strncmp(of, schema[k], strlen(schema[k])) == 0) {
                return true;
            }
        }
    }
    return false;
}

void ng_report_methods(FILE *out, const ng_report_input *input)
{
    json_t *seen = json_object();
    ng_html_raw(out, "<section id=\"methods\"><h2>Methods</h2>\n"
                     "<p class=\"note\">Ready to be copied into a paper.</p>\n");
    for (size_t i = 0; i < input->n; i++) {
        paragraphs(out, json_object_get(input->result[i], "methods"));
        ng_report_crystal_methods(out, input->result[i]);
    }
    ng_html_raw(out, "<p class=\"methods\">The analysis was done with nucgrow ");
    ng_html_text(out, ng_version());
    ng_html_raw(out, has_energies(input) ? ". Energies are in kT, the thermal energy.</p>\n"
                                         : ".</p>\n");
    ng_html_raw(out, "<h3>References</h3>\n<ol class=\"references\">\n");
    for (size_t i = 0; i < input->n; i++) {
        const json_t *result = input->result[i];
        reference_items(out, json_object_get(result, "references"), seen);
        reference_items(out, json_object_get(json_object_get(result, "provenance"), "references"),
                        seen);
    }
    ng_html_raw(out, "</ol></section>\n");
    json_decref(seen);
}

/* ---- provenance ---------------------------------------------------------------------------- */

/* A JSON value as a person would write it. */
static void plain_value(FILE *out, const json_t *value)
{
    if (json_is_string(value)) {
        ng_html_text(out, json_string_value(value));
    } else if (json_is_real(value)) {
        ng_html_format(out, "%.7g", json_real_value(value));
    } else if (value != NULL) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
        ng_html_text(out, text);
        free(text); /* jansson's own memory */
    }
}

static void fact(FILE *out, const char *name, const json_t *value)
{
    if (value == NULL || json_is_null(value)) {
        return;
    }
    ng_html_raw(out, "<tr><th scope=\"row\">");
    ng_html_text(out, name);
    ng_html_raw(out, "</th><td><code>");
    plain_value(out, value);
    ng_html_raw(out, "</code></td></tr>\n");
}

static void input_files(FILE *out, const json_t *inputs)
{
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *file = json_array_get(inputs, i);
        ng_html_raw(out, "<tr><th scope=\"row\">Input</th><td><code>");
        ng_html_text(out, ng_report_string(file, "name"));
        double bytes = ng_report_real(file, "bytes");
        if (isfinite(bytes)) {
            ng_html_format(out, ", %.0f bytes", bytes);
        }
        if (ng_report_string(file, "sha256") != NULL) {
            ng_html_format(out, ", SHA-256 %s", ng_report_string(file, "sha256"));
        }
        ng_html_raw(out, "</code></td></tr>\n");
    }
}

static void option_row(FILE *out, const char *name, const json_t *option)
{
    ng_html_raw(out, "<tr><th scope=\"row\">--");
    ng_html_text(out, name);
    ng_html_raw(out, "</th><td><code>");
    plain_value(out, json_object_get(option, "value"));
    ng_html_raw(out, " ");
    ng_html_text(out, ng_report_string(option, "unit"));
    ng_html_raw(out, "</code></td><td>");
    ng_html_text(out, ng_report_string(option, "origin"));
    ng_html_raw(out, "</td></tr>\n");
}

static void option_table(FILE *out, const json_t *options)
{
    if (json_object_size(options) == 0) {
        return;
    }
    json_t *copy = json_deep_copy(options); /* jansson walks only what it may change */
    const char *name;
    json_t *option;
    ng_html_raw(out, "<details><summary>All options and where each came from</summary>"
                     "<div class=\"scroll\"><table class=\"provenance\"><tbody>\n");
    json_object_foreach(copy, name, option)
    {
        option_row(out, name, option);
    }
    ng_html_raw(out, "</tbody></table></div></details>\n");
    json_decref(copy);
}

static void provenance_of(FILE *out, const json_t *result, const char *name)
{
    static const struct {
        const char *key, *name;
    } facts[] = {{"command", "Command"},
                 {"version", "Version"},
                 {"seed", "Seed"},
                 {"started_utc", "Started (UTC)"},
                 {"wall_s", "Wall time (s)"},
                 {"cpu_s", "Processor time (s)"},
                 {"peak_memory_MB", "Peak memory (MB)"},
                 {"build", "Build"}};
    const json_t *block = json_object_get(result, "provenance");
    ng_html_element(out, "h3", NULL, name);
    ng_html_raw(out, "<div class=\"scroll\"><table class=\"provenance\"><tbody>\n");
    fact(out, "Schema", json_object_get(result, "schema"));
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        fact(out, facts[i].name, json_object_get(block, facts[i].key));
    }
    input_files(out, json_object_get(block, "inputs"));
    ng_html_raw(out, "</tbody></table></div>\n");
    option_table(out, json_object_get(block, "options"));
}

void ng_report_provenance(FILE *out, const ng_report_input *input)
{
    ng_html_raw(out,
                "<section id=\"provenance\"><h2>Provenance</h2>\n"
                "<p class=\"note\">Where each file of this report came from, so that anyone can "
                "make it again.</p>\n");
    for (size_t i = 0; i < input->n; i++) {
        provenance_of(out, input->result[i], input->name[i]);
    }
    ng_html_raw(out, "</section>\n");
}
