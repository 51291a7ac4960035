/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "seen_internal.h"

#include <math.h>
#include <string.h>

static long long whole(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* "a, b and c"-like lists need no more than this: one clause, with its noun in the right number. */
static void counted(FILE *out, const char *before, long long n, const char *one, const char *many)
{
    ng_html_format(out, "%s%lld %s", before, n, n == 1 ? one : many);
}

static void movie_sentence(FILE *out, const json_t *movie)
{
    ng_html_text(out, ng_report_string(movie, "name"));
    counted(out, ": ", whole(movie, "frames"), "frame", "frames");
    ng_html_format(out, " of %lld × %lld pixels", whole(movie, "width"), whole(movie, "height"));
    const double pixel_nm = ng_report_real(movie, "pixel_nm");
    const double frame_s = ng_report_real(movie, "frame_s");
    if (isfinite(pixel_nm)) {
        ng_html_format(out, ", %.5g nm a pixel", pixel_nm);
    }
    if (isfinite(frame_s)) {
        ng_html_format(out, ", %.5g s a frame", frame_s);
    }
    ng_html_raw(out, ". ");
}

static void found_sentence(FILE *out, const json_t *count)
{
    if (whole(count, "particles") == 0) {
        return;
    }
    const long long measured = whole(count, "particles"), linked = whole(count, "linked");
    counted(out, "", measured, "measurement of a particle", "measurements of particles");
    if (whole(count, "tracks") > 0) {
        ng_html_raw(out, linked == measured ? " in all frames make " : " in all frames, ");
        if (linked < measured) {
            ng_html_format(out, "%lld of them in ", linked);
        }
        counted(out, "", whole(count, "tracks"), "track", "tracks");
    }
    ng_html_raw(out, ". ");
    static const struct {
        const char *key, *one, *many;
    } events[] = {{"merges", "merge", "merges"},
                  {"splits", "split", "splits"},
                  {"births", "birth", "births"},
                  {"deaths", "disappearance", "disappearances"}};
    const char *before = "Events: ";
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (whole(count, events[i].key) > 0) {
            counted(out, before, whole(count, events[i].key), events[i].one, events[i].many);
            before = ", ";
        }
    }
    ng_html_raw(out, strcmp(before, ", ") == 0 ? "." : "");
}

static void shown_note(FILE *out, const json_t *movie)
{
    const double step = ng_report_real(movie, "step");
    ng_html_raw(out, "<p class=\"note\">");
    counted(out, "This page holds ", (long long)json_array_size(json_object_get(movie, "shown")),
            "frame", "frames");
    ng_html_raw(out, " of the movie in 16 grays");
    if (step > 1) {
        ng_html_format(out, ", averaged over %.3g × %.3g pixels", step, step);
    }
    ng_html_raw(out, "; what was measured was measured in the movie itself.</p>\n");
}

static void id_cell(FILE *out, const json_t *id)
{
    ng_html_raw(out, "<td class=\"number\">");
    if (json_is_integer(id)) {
        ng_html_format(out, "%lld", json_integer_value(id));
    } else {
        ng_html_raw(out, "–");
    }
    ng_html_raw(out, "</td>");
}

static void event_row(FILE *out, const json_t *event)
{
    static const char *const keys[] = {"radius1_nm", "radius2_nm", "radius_after_nm", "distance_nm",
                                       "score"};
    ng_html_raw(out, "<tr><th scope=\"row\">");
    ng_html_text(out, ng_report_string(event, "kind"));
    ng_html_raw(out, "</th>");
    ng_report_number_cell(out, ng_report_real(event, "time_s"), (double)NAN);
    id_cell(out, json_object_get(event, "track"));
    id_cell(out, json_object_get(event, "partner"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ng_report_number_cell(out, ng_report_real(event, keys[i]), (double)NAN);
    }
    ng_html_raw(out, "</tr>\n");
}

static void event_table(FILE *out, const json_t *events)
{
    if (json_array_size(events) == 0) {
        return;
    }
    ng_html_raw(out, "<details><summary>Merges and splits as a table</summary>"
                     "<div class=\"scroll\"><table><thead><tr><th>event</th>"
                     "<th class=\"number\">time (s)</th><th class=\"number\">track</th>"
                     "<th class=\"number\">with</th><th class=\"number\">radius (nm)</th>"
                     "<th class=\"number\">of the other (nm)</th>"
                     "<th class=\"number\">afterwards (nm)</th>"
                     "<th class=\"number\">apart before (nm)</th>"
                     "<th class=\"number\">score</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < json_array_size(events); i++) {
        event_row(out, json_array_get(events, i));
    }
    ng_html_raw(out, "</tbody></table></div></details>\n");
}

void ng_report_seen_text(FILE *out, const json_t *seen)
{
    const json_t *movie = json_object_get(seen, "movie");
    ng_html_raw(out, "<section id=\"seen\">\n<h2>What was seen</h2>\n<p>");
    movie_sentence(out, movie);
    found_sentence(out, json_object_get(seen, "count"));
    ng_html_raw(out, "</p>\n");
    shown_note(out, movie);
    event_table(out, json_object_get(seen, "event"));
    ng_html_raw(out, "</section>\n");
}
