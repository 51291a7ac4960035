/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a prediction: answer, key numbers, table of supply rates. */
#include "report_internal.h"

#include <math.h>

static double at(const json_t *object, const char *key, size_t i)
{
    const json_t *value = json_array_get(json_object_get(object, key), i);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* What stands at the end of `key` of the series, with its band, times `factor`. */
static ng_report_card last_of(const json_t *prediction, const char *key, double factor)
{
    const json_t *series = json_object_get(prediction, "series");
    char lower[64], upper[64];
    snprintf(lower, sizeof lower, "%s_lower", key);
    snprintf(upper, sizeof upper, "%s_upper", key);
    ng_report_card k = {
        .value = factor * ng_report_last(series, key),
        .lower = factor * ng_report_last(series, lower),
        .upper = factor * ng_report_last(series, upper),
        .unit = "",
        .level = ng_report_real(json_object_get(prediction, "numerics"), "level"),
    };
    return k;
}

static void cards(FILE *out, const json_t *prediction)
{
    const json_t *series = json_object_get(prediction, "series");
    double seconds = ng_report_last(series, "time_s") - ng_report_first(series, "time_s");
    ng_html_raw(out, "<dl class=\"key-numbers\">\n");
    ng_report_card time = {"Predicted for", seconds, (double)NAN, (double)NAN, "s", (double)NAN};
    ng_report_write_card(out, time);
    ng_report_card radius = last_of(prediction, "mean_radius_nm", 1);
    radius.name = "Mean radius in the end";
    radius.unit = "nm";
    ng_report_write_card(out, radius);
    ng_report_card spread = last_of(prediction, "relative_spread", 100);
    spread.name = "Spread of the radius over its mean, in the end";
    spread.unit = "%";
    ng_report_write_card(out, spread);
    ng_report_span_card(out, "Supersaturation, start to end",
                        ng_report_first(series, "supersaturation"),
                        ng_report_last(series, "supersaturation"), "");
    ng_report_card left = last_of(prediction, "number", 100);
    left.name = "Particles that did not dissolve";
    left.unit = "%";
    if (left.value < 99.5) {
        ng_report_write_card(out, left);
    }
    ng_html_raw(out, "</dl>\n");
}

typedef struct grid_column {
    const char *head, *key, *lower, *upper;
    double factor;
} grid_column;

static const grid_column to_target[] = {
    {"Time to the target (s)", "time_to_target_s", "time_to_target_s_lower",
     "time_to_target_s_upper", 1},
    {"Spread there (%)", "spread_at_target", "spread_at_target_lower", "spread_at_target_upper",
     100},
    {"Smallest spread (%)", "least_spread", "least_spread_lower", "least_spread_upper", 100},
};
static const grid_column to_end[] = {
    {"Radius in the end (nm)", "end_radius_nm", "end_radius_nm_lower", "end_radius_nm_upper", 1},
    {"Spread in the end (%)", "end_spread", "end_spread_lower", "end_spread_upper", 100},
    {"Smallest spread (%)", "least_spread", "least_spread_lower", "least_spread_upper", 100},
};

#define GRID_COLUMNS (sizeof to_target / sizeof to_target[0])

static void cells(FILE *out, const json_t *grid, size_t i, const grid_column *list)
{
    for (size_t k = 0; k < GRID_COLUMNS; k++) {
        const grid_column *c = &list[k];
        ng_report_interval_cell(out, c->factor * at(grid, c->key, i),
                                c->factor * at(grid, c->lower, i),
                                c->factor * at(grid, c->upper, i));
    }
}

static void grid_table(FILE *out, const json_t *grid)
{
    size_t rows = json_array_size(json_object_get(grid, "factor"));
    bool aimed = json_object_get(grid, "time_to_target_s") != NULL;
    const grid_column *list = aimed ? to_target : to_end;
    if (rows == 0) {
        return;
    }
    ng_html_raw(out, "<div class=\"scroll\"><table><caption>What other supply rates would give; a "
                     "dash where there is none</caption><thead><tr>"
                     "<th class=\"number\">Supply, times</th>");
    for (size_t k = 0; k < GRID_COLUMNS; k++) {
        ng_html_element(out, "th", "number", list[k].head);
    }
    ng_html_raw(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < rows; i++) {
        ng_html_raw(out, "<tr><th scope=\"row\" class=\"number\">");
        double factor = at(grid, "factor", i);
        if (isfinite(factor)) {
            ng_html_format(out, "%.3g", factor);
        }
        ng_html_raw(out, "</th>");
        cells(out, grid, i, list);
        ng_html_raw(out, "</tr>\n");
    }
    ng_html_raw(out, "</tbody></table></div>\n");
}

void ng_report_prediction(FILE *out, const json_t *prediction)
{
    (void)ng_report_sentences(out, json_object_get(prediction, "answer"));
    ng_report_verdict(out, prediction);
    cards(out, prediction);
    grid_table(out, json_object_get(prediction, "grid"));
}
