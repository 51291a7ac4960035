/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the forward estimator: estimators and fits beside each other, laws of the potential. */
#include "report_internal.h"

#include <math.h>
#include <string.h>

/* One column: a fit, or the block `rate` of a forward fit, whose numbers have no intervals. */
typedef struct column {
    const char *head, *file; /* file: NULL when all come from one */
    const json_t *fit;
} column;

static void value_cell(FILE *out, const json_t *object, const char *key, const char *value,
                       const char *lower, const char *upper)
{
    const json_t *found = json_object_get(object, key);
    if (json_is_number(found)) {
        ng_report_interval_cell(out, json_number_value(found), (double)NAN, (double)NAN);
    } else {
        ng_report_interval_cell(out, ng_report_real(found, value), ng_report_real(found, lower),
                                ng_report_real(found, upper));
    }
}

static void parameter_rows(FILE *out, const column *list, size_t n)
{
    for (size_t i = 0; i < NG_REPORT_PARAMETERS; i++) {
        const ng_report_parameter *p = &ng_report_parameter_list[i];
        fprintf(out, "<tr><th scope=\"row\">%s</th><td class=\"symbol name\">%s</td>", p->title,
                p->symbol);
        for (size_t k = 0; k < n; k++) {
            value_cell(out, json_object_get(list[k].fit, "parameters"), p->name, "value", "lower",
                       "upper");
        }
        ng_html_raw(out, "</tr>\n");
    }
    ng_html_raw(out, "<tr><th scope=\"row\">Shape number, mean over frames</th>"
                     "<td class=\"symbol name\"><i>δ</i></td>");
    for (size_t k = 0; k < n; k++) {
        value_cell(out, list[k].fit, "delta", "mean", "lower", "upper");
    }
    ng_html_raw(out, "</tr>\n");
}

static void potential_rows(FILE *out, const column *list, size_t n)
{
    static const struct {
        const char *title, *symbol, *key, *lower, *upper;
    } row[] = {
        {"Highest chemical potential", "<i>μ</i><sub>n</sub> (kT)", "mu_max_kT", "mu_max_lower_kT",
         "mu_max_upper_kT"},
        {"reached in particles of", "<i>n</i>", "n_max", "n_max_lower", "n_max_upper"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        fprintf(out, "<tr><th scope=\"row\">%s</th><td class=\"symbol name\">%s</td>", row[i].title,
                row[i].symbol);
        for (size_t k = 0; k < n; k++) {
            const json_t *potential = json_object_get(list[k].fit, "potential");
            ng_report_interval_cell(out, ng_report_real(potential, row[i].key),
                                    ng_report_real(potential, row[i].lower),
                                    ng_report_real(potential, row[i].upper));
        }
        ng_html_raw(out, "</tr>\n");
    }
}

static void open_table(FILE *out, const char *caption, const column *list, size_t n)
{
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>");
    ng_html_text(out, caption);
    ng_html_raw(out, "</caption><thead><tr><th>Quantity</th><th>Symbol</th>");
    for (size_t k = 0; k < n; k++) {
        ng_html_raw(out, "<th class=\"number\">");
        ng_html_text(out, list[k].head);
        if (list[k].file != NULL) {
            ng_html_raw(out, "<br><code>");
            ng_html_text(out, list[k].file);
            ng_html_raw(out, "</code>");
        }
        ng_html_raw(out, "</th>");
    }
    ng_html_raw(out, "</tr></thead><tbody>\n");
}

static const char *estimator_of(const json_t *fit)
{
    const char *name = ng_report_string(fit, "estimator");
    return name != NULL ? name : "fit";
}

void ng_report_compared_fits(FILE *out, const ng_report_study *study, size_t n)
{
    column *list = NG_NEW(column, n);
    size_t count = 0;
    for (size_t k = 0; k < n && list != NULL; k++) {
        const json_t *fit = study[k].result[NG_REPORT_FIT];
        if (fit != NULL) {
            list[count++] = (column){estimator_of(fit), study[k].file[NG_REPORT_FIT], fit};
        }
    }
    if (count > 1) {
        open_table(out, "The fits of this page, with their intervals", list, count);
        parameter_rows(out, list, count);
        potential_rows(out, list, count);
        ng_html_raw(out, "</tbody></table></div>\n");
    }
    ng_free(list);
}

/* ---- laws of the potential ----------------------------------------------------------------- */

static const char *law_name(const json_t *model)
{
    static const struct {
        const char *name, *text;
    } known[] = {
        {"gibbs-thomson", "Gibbs–Thomson alone"},
        {"edge", "faces and edges"},
        {"translation", "surface with translation and rotation"},
        {"full", "faces, edges, translation and rotation"},
    };
    const char *name = ng_report_string(model, "name");
    for (size_t i = 0; name != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            return known[i].text;
        }
    }
    return name != NULL ? name : "–";
}

/* The model with the least (sign 1) or greatest (sign -1) number under `key`, leaving out
 * `without`. */
static const json_t *best_of(const json_t *models, const char *key, double sign,
                             const json_t *without)
{
    const json_t *best = NULL;
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        double value = ng_report_real(model, key);
        if (model != without && isfinite(value) &&
            (best == NULL || sign * value < sign * ng_report_real(best, key))) {
            best = model;
        }
    }
    return best;
}

/* Which law wins, and by how much. */
static void winner(FILE *out, const json_t *models)
{
    const json_t *aic = best_of(models, "aic", 1, NULL), *bic = best_of(models, "bic", 1, NULL);
    const json_t *next = best_of(models, "aic", 1, aic);
    const json_t *seen = best_of(models, "held_out", -1, NULL);
    if (aic == NULL) {
        return;
    }
    char text[NG_REPORT_NUMBER], error[NG_REPORT_NUMBER];
    ng_html_raw(out, "<p>");
    ng_html_format(out, "The law that describes these data best is “%s”, by AIC%s", law_name(aic),
                   aic == bic ? " and BIC" : "");
    if (bic != NULL && aic != bic) {
        ng_html_format(out, "; BIC, which asks more of each parameter, prefers “%s”",
                       law_name(bic));
    }
    if (next != NULL) {
        double behind = ng_report_real(next, "aic") - ng_report_real(aic, "aic");
        ng_html_format(out, "; next is “%s”, %s behind in AIC%s", law_name(next),
                       ng_report_number(text, behind, (double)NAN),
                       behind < 4 ? ", which is too little to tell the two apart" : "");
    }
    ng_html_raw(out, ". ");
    if (seen != NULL && seen == aic) {
        ng_html_raw(out, "It also describes held-out frames best.");
    } else if (seen != NULL && isfinite(ng_report_real(aic, "held_out"))) {
        double gain = ng_report_real(seen, "held_out") - ng_report_real(aic, "held_out");
        ng_html_format(out,
                       "Held-out frames are described best by “%s”, by %s per size (standard "
                       "error of each density %s).",
                       law_name(seen), ng_report_number(text, gain, (double)NAN),
                       ng_report_number(error, ng_report_real(seen, "held_out_se"), (double)NAN));
    }
    ng_html_raw(out, "</p>\n");
}

static void model_row(FILE *out, const json_t *model)
{
    double held = ng_report_real(model, "held_out"), se = ng_report_real(model, "held_out_se");
    char text[NG_REPORT_NUMBER], error[NG_REPORT_NUMBER];
    ng_html_raw(out, "<tr><th scope=\"row\">");
    ng_html_text(out, law_name(model));
    ng_html_raw(out, "</th>");
    ng_report_number_cell(out, ng_report_real(model, "n_parameters"), 10);
    ng_report_number_cell(out, ng_report_real(model, "aic"), (double)NAN);
    ng_report_number_cell(out, ng_report_real(model, "bic"), (double)NAN);
    ng_html_raw(out, "<td class=\"number\">");
    ng_html_format(out, "%s ± %s", ng_report_number(text, held, se),
                   ng_report_number(error, se, se));
    ng_html_raw(out, "</td>");
    ng_report_number_cell(out, ng_report_real(model, "mu_max_kT"), (double)NAN);
    ng_report_number_cell(out, ng_report_real(model, "n_max"), (double)NAN);
    ng_html_raw(out, "</tr>\n");
}

static void model_table(FILE *out, const json_t *models)
{
    if (json_array_size(models) == 0) {
        return;
    }
    ng_html_raw(out, "<h3>Which law of the potential</h3>\n");
    winner(out, models);
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>Laws fitted to the same sizes; AIC and "
                     "BIC less those of the best</caption><thead><tr><th>Law</th>"
                     "<th class=\"number\">Parameters</th><th class=\"number\">AIC</th>"
                     "<th class=\"number\">BIC</th><th class=\"number\">Held-out ln density</th>"
                     "<th class=\"number\">Highest μ<sub>n</sub> (kT)</th>"
                     "<th class=\"number\">at n</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < json_array_size(models); i++) {
        model_row(out, json_array_get(models, i));
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

/* ---- what the data are worth --------------------------------------------------------------- */

static void worth(FILE *out, const json_t *forward)
{
    double all = ng_report_real(forward, "observations");
    double effective = ng_report_real(forward, "effective_observations");
    double outliers = ng_report_real(forward, "outliers");
    const json_t *noise = json_object_get(forward, "noise_factor");
    char a[NG_REPORT_NUMBER], b[NG_REPORT_NUMBER], c[NG_REPORT_NUMBER];
    if (!isfinite(all) || !isfinite(effective)) {
        return;
    }
    ng_html_raw(out, "<h3>What the data are worth</h3>\n<p class=\"note\">");
    ng_html_format(out, "The %s measured sizes count as %s independent ones",
                   ng_report_number(a, all, 1e-2 * all),
                   ng_report_number(b, effective, 1e-2 * all));
    ng_html_text(out, effective < 0.999 * all
                          ? ": what the law misses in one frame is partly missed in the next. "
                          : ": what the law misses in one frame says nothing of the next. ");
    if (outliers > 0) {
        ng_html_format(out, "%s of them lie far from where they were expected. ",
                       ng_report_number(a, outliers, 10));
    }
    if (isfinite(ng_report_real(noise, "value"))) {
        ng_html_format(out,
                       "Measured areas scatter %s times (%s to %s) as much as smoothing of the "
                       "tracks shows.",
                       ng_report_number(a, ng_report_real(noise, "value"), (double)NAN),
                       ng_report_number(b, ng_report_real(noise, "lower"), (double)NAN),
                       ng_report_number(c, ng_report_real(noise, "upper"), (double)NAN));
    }
    ng_html_raw(out, "</p>\n");
}

void ng_report_forward(FILE *out, const json_t *fit)
{
    const json_t *forward = json_object_get(fit, "forward");
    if (json_object_get(fit, "rate") != NULL) {
        column list[] = {{"forward", NULL, fit}, {"rate", NULL, json_object_get(fit, "rate")}};
        open_table(out,
                   "Both estimators on the same data: forward, with its interval, and rate, which "
                   "compares growth rates frame by frame",
                   list, 2);
        parameter_rows(out, list, 2);
        ng_html_raw(out, "</tbody></table></div>\n");
    }
    model_table(out, json_object_get(forward, "models"));
    worth(out, forward);
}
