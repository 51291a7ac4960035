/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the room `report`: the page's parts, the HTML writer, what a study is. */
#ifndef NUCGROW_REPORT_INTERNAL_H
#define NUCGROW_REPORT_INTERNAL_H

#include <jansson.h>
#include <stdio.h>

#include <nucgrow/report.h>

/* ---- the page template, made at build time from web/ --------------------------------------- */

/** The template is cut where something is inserted: part 0, title, part 1, body, part 2, data, part
 *  3. */
#define NG_REPORT_PARTS 4

typedef struct ng_report_part {
    const unsigned char *text; /* not zero-terminated */
    size_t size;
} ng_report_part;

extern const ng_report_part ng_report_page[NG_REPORT_PARTS];

/* ---- HTML: the only place where text is escaped -------------------------------------------- */

/** Markup as it is: only for text written in this program. */
void ng_html_raw(FILE *out, const char *markup);
/** Text from anywhere: & < > " ' become entities, control characters vanish. NULL: nothing. */
void ng_html_text(FILE *out, const char *text);
/** Formatted text, escaped. At most 1023 bytes. */
void ng_html_format(FILE *out, const char *format, ...) NG_PRINTF(2, 3);
/** <name>text</name>, or <name class="class">; nothing when the text is NULL or empty. */
void ng_html_element(FILE *out, const char *name, const char *class, const char *text);
/** A unit such as "nm^-2 s^-1", exponents raised. NULL: nothing. */
void ng_html_unit(FILE *out, const char *unit);
/** A JSON value that may stand inside <script>: compact, seven digits, `<` as \u003c. */
ng_status ng_html_json(FILE *out, const json_t *value, ng_error *err);

/* ---- numbers for people -------------------------------------------------------------------- */

/** Longest text of ng_report_number, with its zero. */
#define NG_REPORT_NUMBER 48

/** `value` rounded so that `resolution` (> 0) keeps two digits; NAN: three digits of the value.
 *  Thousands apart, powers of ten where digits would not fit; a dash for NAN. Returns
 *  `text`. */
const char *ng_report_number(char text[NG_REPORT_NUMBER], double value, double resolution);

/* ---- reading results ----------------------------------------------------------------------- */

/** NAN unless `object` has a number under `key`. `object` may be NULL. */
double ng_report_real(const json_t *object, const char *key);
/** NULL unless `object` has a text under `key`. Borrowed. */
const char *ng_report_string(const json_t *object, const char *key);
/** First / last finite number of the array under `key`; NAN when there is none. */
double ng_report_first(const json_t *object, const char *key);
double ng_report_last(const json_t *object, const char *key);

typedef enum ng_report_kind {
    NG_REPORT_ENSEMBLE,
    NG_REPORT_FIT,
    NG_REPORT_POTENTIAL,
    NG_REPORT_TRUTH,
    NG_REPORT_PREDICTION,
    NG_REPORT_RECONSTRUCTION,
    NG_REPORT_COALESCENCE,
    NG_REPORT_NUCLEATION, /* the kinds from here on are of fluorescent crystals */
    NG_REPORT_AVRAMI,
    NG_REPORT_DIFFUSION,
    NG_REPORT_ENERGY,
    NG_REPORT_RADIUS,
    NG_REPORT_KINDS
} ng_report_kind;

/** Results that are shown together: at most one of each kind. The first study holds the first of
 *  every kind; each further result is a study of its own (a further fit is set against the same
 *  truth). */
typedef struct ng_report_study {
    const json_t *result[NG_REPORT_KINDS]; /* borrowed, NULL where there is none */
    const char *file[NG_REPORT_KINDS];     /* their names, borrowed */
    const char *name;                      /* file of a further result; NULL for the first study */
} ng_report_study;

/** Check every result and sort them into studies; `study` is owned (ng_free). */
NG_MUST_CHECK ng_status ng_report_studies(const ng_report_input *input, ng_report_study **study,
                                          size_t *n, ng_error *err);
/** The ensemble of a study: its own, or the one inside its fit. Borrowed, may be NULL. */
const json_t *ng_report_ensemble(const ng_report_study *study);
/** {"studies": [...], "seen"}: what the page draws (`seen` may be NULL). Owned by the caller; NULL:
 *  no memory. */
json_t *ng_report_data(const ng_report_study *study, size_t n, const json_t *seen);

/* ---- tables -------------------------------------------------------------------------------- */

typedef struct ng_report_parameter {
    const char *name, *symbol, *title; /* in results, as markup, in words */
} ng_report_parameter;

#define NG_REPORT_PARAMETERS 5
extern const ng_report_parameter ng_report_parameter_list[NG_REPORT_PARAMETERS];

/** A table of parameters {value, lower, upper, unit, title, min, max, flag}: its head, with the
 *  `level` of the intervals (NAN: not said), a row each, its end. */
void ng_report_parameter_head(FILE *out, const char *caption, double level);
/** `symbol` is markup; `title` is for a parameter without one of its own. */
void ng_report_parameter_row(FILE *out, const json_t *parameter, const char *symbol,
                             const char *title);
void ng_report_parameter_end(FILE *out);
/** How finely a value with this interval is printed: see ng_report_number. */
double ng_report_resolution(double value, double lower, double upper);
void ng_report_number_cell(FILE *out, double value, double resolution);
/** "lower to upper", a dash where there is no interval. */
void ng_report_range_cell(FILE *out, double lower, double upper, double resolution);
/** "value (lower to upper)" in one cell, without the bracket where there is no interval. */
void ng_report_interval_cell(FILE *out, double value, double lower, double upper);

/* ---- sections ------------------------------------------------------------------------------ */

/** Title of the page, when the caller gives none. */
void ng_report_title(FILE *out, const ng_report_study *study);
void ng_report_answer(FILE *out, const ng_report_study *study);
void ng_report_key_numbers(FILE *out, const ng_report_study *study);
void ng_report_parameters(FILE *out, const ng_report_study *study);
/** What a forward fit adds to its parameters: the rate estimator's beside them, the laws compared,
 *  what the data are worth. Nothing for another fit. */
void ng_report_forward(FILE *out, const json_t *fit);
/** Fits of one page in one table; nothing when there is only one. */
void ng_report_compared_fits(FILE *out, const ng_report_study *study, size_t n);
/** Verdict of a fit or a prediction; nothing where it has none. */
void ng_report_verdict(FILE *out, const json_t *result);
/** Answer, verdict, key numbers and the grid of supply rates. */
void ng_report_prediction(FILE *out, const json_t *prediction);
/** Answer, verdicts, pictures, the stripes. */
void ng_report_reconstruction(FILE *out, const json_t *result);
/** Does a study hold results of fluorescent crystals? */
bool ng_report_has_crystals(const ng_report_study *study);
/** Answer, key numbers and the data sets beside each other. */
void ng_report_crystals(FILE *out, const ng_report_study *study);
/** Answer, verdict, key numbers and parameters of coalescence. */
void ng_report_coalescence(FILE *out, const json_t *fit);
/** One key number: a card; nothing where the value is not finite. */
typedef struct ng_report_card {
    const char *name;
    double value, lower, upper; /* lower, upper NAN where there is no interval */
    const char *unit;           /* may be "" */
    double level;               /* of the interval, 0..1; NAN: not said */
} ng_report_card;
void ng_report_write_card(FILE *out, ng_report_card card);
/** A number without an interval. */
void ng_report_plain_card(FILE *out, const char *name, double value, const char *unit);
/** A number that goes from a start to an end. */
void ng_report_span_card(FILE *out, const char *name, double first, double last, const char *unit);
/** The sentences of a text or a list of texts; false when there are none. */
bool ng_report_sentences(FILE *out, const json_t *value);
/** Warnings of all inputs. */
void ng_report_warnings(FILE *out, const ng_report_input *input);
/** A paragraph on how a result of fluorescent crystals was made; nothing for another result. */
void ng_report_crystal_methods(FILE *out, const json_t *result);
void ng_report_methods(FILE *out, const ng_report_input *input);
void ng_report_provenance(FILE *out, const ng_report_input *input);

#endif
