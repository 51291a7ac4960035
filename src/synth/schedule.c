/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supersaturation over time: reading it, and its value and linear stretches. */
#include "synth_internal.h"

#include <gsl/gsl_interp.h>
#include <math.h>
#include <string.h>

#define MAX_FILE_BYTES ((size_t)16 << 20)
#define MAX_SUPERSATURATION 1e4

double ng_synth_supersaturation(const ng_synth_ensemble_options *options, double time_s)
{
    const double *t = options->schedule_time_s;
    const double *S = options->supersaturation;
    const size_t last = options->n_schedule - 1;
    if (time_s <= t[0]) {
        return S[0];
    }
    if (time_s >= t[last]) {
        return S[last];
    }
    const size_t i = gsl_interp_bsearch(t, time_s, 0, last);
    return S[i] + (S[i + 1] - S[i]) * ((time_s - t[i]) / (t[i + 1] - t[i]));
}

ng_synth_stretch ng_synth_schedule_stretch(const ng_synth_ensemble_options *options, double time_s,
                                           double end_s)
{
    const double *t = options->schedule_time_s;
    const double *S = options->supersaturation;
    const size_t last = options->n_schedule - 1;
    ng_synth_stretch stretch = {.start_s = time_s, .end_s = end_s};
    stretch.start_supersaturation = ng_synth_supersaturation(options, time_s);
    if (time_s < t[0]) {
        stretch.end_s = fmin(end_s, t[0]);
    } else if (time_s < t[last]) {
        const size_t i = gsl_interp_bsearch(t, time_s, 0, last);
        stretch.end_s = fmin(end_s, t[i + 1]);
        stretch.slope_per_s = (S[i + 1] - S[i]) / (t[i + 1] - t[i]);
    }
    return stretch;
}

/* ---- knots that make sense ---- */

static ng_status check_knot(const double *time_s, const double *supersaturation, size_t i,
                            const char *where, ng_error *err)
{
    const double t = time_s[i], S = supersaturation[i];
    if (!isfinite(t)) {
        return NG_FAIL(err, NG_INVALID, "%s: the time of knot %zu is %g; give seconds", where,
                       i + 1, t);
    }
    if (i > 0 && !(t > time_s[i - 1])) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: knot %zu at %g s does not come after knot %zu at %g s; times must rise",
                       where, i + 1, t, i, time_s[i - 1]);
    }
    if (!(S >= 0 && S <= MAX_SUPERSATURATION)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: S is %g at %g s; it must lie between 0 and %g (S = 1 is a saturated "
                       "solution)",
                       where, S, t, MAX_SUPERSATURATION);
    }
    return NG_OK;
}

ng_status ng_synth_knots_check(const double *time_s, const double *supersaturation, size_t n,
                               const char *where, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        status = check_knot(time_s, supersaturation, i, where, err);
    }
    return status;
}

/* ---- reading: "0:4,20:2.2" and a CSV file differ in two separators ---- */

typedef struct schedule_format {
    char between_knots, inside_knot;
    const char *file; /* NULL: pairs on the command line */
} schedule_format;

static ng_status wrong_knot(const schedule_format *format, size_t number, const char *knot,
                            ng_error *err)
{
    if (format->file == NULL) {
        return NG_FAIL(err, NG_USAGE,
                       "schedule: \"%s\" is not a pair; write seconds:S, such as "
                       "\"0:4,20:2.2,60:3\", or name a CSV file",
                       knot);
    }
    return NG_FAIL(err, NG_FORMAT,
                   "%s:%zu: \"%s\" is not two numbers; the columns must be "
                   "time_s,supersaturation",
                   format->file, number, knot);
}

static bool parse_knot(char *knot, char separator, double *time_s, double *supersaturation)
{
    char *middle = strchr(knot, separator);
    if (middle == NULL) {
        return false;
    }
    *middle = '\0';
    const bool good = ng_parse_real(knot, time_s) && ng_parse_real(middle + 1, supersaturation);
    *middle = separator; /* the message shows the knot as it was written */
    return good;
}

/* Only a file has lines to pass over: comments, empty ones, one header before the first knot. */
static bool is_skipped(const schedule_format *format, const char *line, size_t knots)
{
    if (format->file == NULL) {
        return false;
    }
    line += strspn(line, " \t");
    return *line == '\0' || *line == '#' || (knots == 0 && strncmp(line, "time_s", 6) == 0);
}

static size_t count_char(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == c;
    }
    return n;
}

/* Cut `text` (changed) into knots; the arrays of `out` have room for all. */
static ng_status parse_knots(char *text, const schedule_format *format, ng_synth_schedule *out,
                             ng_error *err)
{
    size_t number = 0;
    for (char *knot = text; knot != NULL;) {
        char *end = strchr(knot, format->between_knots);
        if (end != NULL) {
            *end++ = '\0';
        }
        knot[strcspn(knot, "\r")] = '\0';
        number++;
        if (!is_skipped(format, knot, out->n)) {
            double *time_s = &out->time_s[out->n];
            if (!parse_knot(knot, format->inside_knot, time_s, &out->supersaturation[out->n])) {
                return wrong_knot(format, number, knot, err);
            }
            out->n++;
        }
        knot = end;
    }
    if (out->n == 0) {
        return NG_FAIL(err, NG_FORMAT, "%s: no knot; rows of time_s,supersaturation are needed",
                       format->file);
    }
    return NG_OK;
}

static ng_status parse_schedule(char *text, const schedule_format *format, ng_synth_schedule *out,
                                ng_error *err)
{
    const size_t room = count_char(text, format->between_knots) + 1;
    out->time_s = NG_NEW(double, room);
    out->supersaturation = NG_NEW(double, room);
    if (out->time_s == NULL || out->supersaturation == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for a schedule of %zu knots", room);
    }
    ng_status status = parse_knots(text, format, out, err);
    if (status != NG_OK) {
        return status;
    }
    if (format->file != NULL) {
        return ng_synth_knots_check(out->time_s, out->supersaturation, out->n, format->file, err);
    }
    /* What was typed on the command line is wrong usage. */
    ng_error wrong = {.status = NG_OK};
    status = ng_synth_knots_check(out->time_s, out->supersaturation, out->n, "schedule", &wrong);
    return status == NG_OK ? NG_OK : NG_FAIL(err, NG_USAGE, "%s", wrong.message);
}

ng_status ng_synth_schedule_read(const char *text, ng_synth_schedule *out, ng_error *err)
{
    const bool is_file = strchr(text, ':') == NULL;
    schedule_format format = {.between_knots = ',', .inside_knot = ':'};
    char *content = NULL;
    size_t length = 0;
    ng_status status = NG_OK;
    *out = (ng_synth_schedule){0};
    if (is_file) {
        format = (schedule_format){.between_knots = '\n', .inside_knot = ',', .file = text};
        status = ng_file_read(text, MAX_FILE_BYTES, &content, &length, err);
    } else if ((content = ng_text_copy(text)) == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for the schedule");
    }
    if (status == NG_OK) {
        status = parse_schedule(content, &format, out, err);
    }
    if (status != NG_OK) {
        ng_synth_schedule_free(out);
    }
    ng_free(content);
    return status;
}

void ng_synth_schedule_free(ng_synth_schedule *schedule)
{
    if (schedule == NULL) {
        return;
    }
    ng_free(schedule->time_s);
    ng_free(schedule->supersaturation);
    *schedule = (ng_synth_schedule){0};
}
