/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a prediction says in plain sentences, and what speaks against it. */
#include "predict_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* More dissolved particles than this are worth a word. */
#define DISSOLVED_WORD 0.005
/* The variance of the movie is met within this factor, or it is said. */
#define VARIANCE_FACTOR 1.5
#define MEAN_OFF 0.1

#define MAX_LINES (sizeof((ng_prediction *)0)->answer / sizeof(char *))

static bool ok_line(char **line, size_t *n, char *text)
{
    if (text == NULL || *n == MAX_LINES) {
        ng_free(text);
        return text != NULL;
    }
    line[(*n)++] = text;
    return true;
}

/* Sentences are collected; memory is asked about once. */
typedef struct speaker {
    ng_prediction *p;
    ng_warnings *warnings;
    bool ok;
} speaker;

static void NG_PRINTF(2, 3) say(speaker *s, const char *format, ...)
{
    char text[480];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    s->ok = ok_line(s->p->answer, &s->p->n_answers, ng_text_copy(text)) && s->ok;
}

/* A reason is a warning, too. */
static void NG_PRINTF(3, 4) object(speaker *s, const char *name, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ng_warnings_add(s->warnings, name, "%s", text);
    s->ok = ok_line(s->p->reason, &s->p->n_reasons, ng_text_copy(text)) && s->ok;
}

/* " (1.9 to 2.1)", or nothing */
static const char *range(ng_banded b, double scale, int digits, char text[48])
{
    text[0] = '\0';
    if (isfinite(b.lower) && isfinite(b.upper)) {
        snprintf(text, 48, " (%.*f to %.*f)", digits, scale * b.lower, digits, scale * b.upper);
    }
    return text;
}

/* ---- what was asked ---------------------------------------------------------------------- */

static const char *driver(const ng_prediction *p)
{
    return p->options.drive == NG_DRIVE_SUPPLY ? "supply" : "supersaturation";
}

static bool is_other_start(const ng_predict_options *o)
{
    return o->start_n != NULL || !isnan(o->start_mean);
}

static bool is_other_temperature(const ng_predict_options *o)
{
    return o->temperature.T_K != o->temperature.reference_K;
}

static bool is_movie(const ng_predict_options *o)
{
    return o->law == NULL && o->scale == 1.0 && !is_other_start(o) && !is_other_temperature(o);
}

static void describe(const ng_prediction *p, char *text, size_t size)
{
    const ng_predict_options *o = &p->options;
    const char *owner = o->law != NULL ? "given" : "of the movie";
    char scale[32] = "With the", warm[40] = "";
    if (o->scale == 0.5) {
        snprintf(scale, sizeof scale, "At half the");
    } else if (o->scale != 1.0) {
        snprintf(scale, sizeof scale, "At %.4g times the", o->scale);
    }
    if (is_other_temperature(o)) {
        snprintf(warm, sizeof warm, " at %.5g K", o->temperature.T_K);
    }
    snprintf(text, size, "%s %s %s%s%s", scale, driver(p), owner,
             is_other_start(o) ? " from the start given" : "", warm);
}

/* Last output time at which a run still says something. */
static size_t last_time(const ng_prediction *p, size_t run)
{
    size_t i = p->clock.n_times - 1;
    while (i > 0 && !isfinite(ng_row_radius(ng_prediction_row(p, run, i)))) {
        i--;
    }
    return i;
}

/* ---- the run ----------------------------------------------------------------------------- */

static void say_run(speaker *s)
{
    const ng_prediction *p = s->p;
    const size_t end = last_time(p, ASKED), base_end = last_time(p, BASE);
    const double *base = ng_prediction_row(p, BASE, base_end);
    const bool compared = !is_movie(&p->options) && base_end == end;
    const ng_banded nm = ng_prediction_band(p, end, ng_row_radius);
    const ng_banded spread = ng_prediction_band(p, end, ng_row_spread);
    char what[160], a[48], b[48], else_nm[64] = "", else_spread[64] = "";
    describe(p, what, sizeof what);
    if (compared) {
        snprintf(else_nm, sizeof else_nm, ", instead of %.2f nm in the movie as it was",
                 ng_row_radius(base));
        snprintf(else_spread, sizeof else_spread, ", instead of %.2f %%",
                 100.0 * ng_row_spread(base));
    }
    say(s, "%s the mean radius goes from %.2f to %.2f nm%s in %.4g s%s.", what,
        ng_row_radius(ng_prediction_row(p, ASKED, 0)), nm.value, range(nm, 1.0, 2, a),
        ng_prediction_time(p, end) - p->clock.start_s, else_nm);
    say(s, "The radii then spread by %.2f %%%s of their mean%s; they began with %.2f %%.",
        100.0 * spread.value, range(spread, 100.0, 2, b), else_spread,
        100.0 * ng_row_spread(ng_prediction_row(p, ASKED, 0)));
}

static void say_solution(speaker *s)
{
    const ng_prediction *p = s->p;
    double low = (double)INFINITY, high = 0.0, above = 0.0, n = 0.0;
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double S = ng_prediction_row(p, ASKED, i)[NG_PREDICT_S];
        if (isfinite(S)) {
            low = fmin(low, S);
            high = fmax(high, S);
            above += strcmp(ng_potential_regime(&p->maximum, S), "hypersaturation") == 0;
            n += 1.0;
        }
    }
    const double left = ng_prediction_row(p, ASKED, last_time(p, ASKED))[NG_PREDICT_NUMBER];
    char lost[96] = "";
    if (left < 1.0 - DISSOLVED_WORD) {
        snprintf(lost, sizeof lost, "; %.3g %% of the particles dissolve", 100.0 * (1.0 - left));
    }
    say(s,
        "The supersaturation runs from %.3g to %.3g; the solution is hypersaturated, so that all "
        "sizes grow, %.0f %% of the time%s.",
        low, high, n > 0 ? 100.0 * above / n : 0.0, lost);
}

/* ---- the grid ---------------------------------------------------------------------------- */

static double grid_value(const ng_prediction *p, size_t f, ng_grid_column column)
{
    return p->grid[f * p->grid_room * GRID_COLUMNS + column];
}

/* Factor with the smallest value of a column; n_grid when there is none. */
static size_t least_factor(const ng_prediction *p, ng_grid_column column)
{
    size_t best = p->n_grid;
    for (size_t f = 0; f < p->n_grid; f++) {
        const double x = grid_value(p, f, column);
        if (isfinite(x) && (best == p->n_grid || x < grid_value(p, best, column))) {
            best = f;
        }
    }
    return best;
}

/* Of the factors that reach the target narrowly enough, the one nearest to the run asked for. */
static size_t good_factor(const ng_prediction *p)
{
    size_t best = p->n_grid;
    for (size_t f = 0; f < p->n_grid; f++) {
        if (grid_value(p, f, GRID_SPREAD) <= p->options.target_spread &&
            (best == p->n_grid || fabs(log(p->factor[f])) < fabs(log(p->factor[best])))) {
            best = f;
        }
    }
    return best;
}

static void say_target_at(speaker *s, size_t f, const char *begin)
{
    const ng_prediction *p = s->p;
    const ng_banded time = ng_prediction_grid(p, f, GRID_TIME_S);
    const ng_banded spread = ng_prediction_grid(p, f, GRID_SPREAD);
    char a[48], b[48];
    say(s,
        "%s%.3g times the %s, the particles reach %.3g nm after %.4g s%s with a relative spread of "
        "%.2f %%%s.",
        begin, p->factor[f] * p->options.scale, driver(p), p->options.target_radius_nm, time.value,
        range(time, 1.0, 0, a), 100.0 * spread.value, range(spread, 100.0, 2, b));
}

static void say_not_attainable(speaker *s, size_t f)
{
    const ng_prediction *p = s->p;
    const double wanted = 100.0 * p->options.target_spread;
    const double equal = 100.0 * p->grid[(f * p->grid_room + 1) * GRID_COLUMNS + GRID_SPREAD];
    const bool at_end = f == p->n_grid - 1 && p->n_grid > 1;
    const ng_banded spread = ng_prediction_grid(p, f, GRID_SPREAD);
    char a[48];
    say(s,
        "No: %.3g nm with a spread of %.3g %% is not attainable between %.3g and %.3g times the "
        "%s; the smallest spread there is %.2f %%%s, at %.3g times, after %.4g s.",
        p->options.target_radius_nm, wanted, p->options.scale * p->factor[0],
        p->options.scale * p->factor[p->n_grid - 1], driver(p), 100.0 * spread.value,
        range(spread, 100.0, 2, a), p->options.scale * p->factor[f], grid_value(p, f, GRID_TIME_S));
    if (equal <= wanted) {
        say(s,
            "What would help: a narrower start%s. Particles that are all equal at the start would "
            "arrive with %.2f %%.",
            at_end ? ", or a still faster supply" : "", equal);
    } else {
        say(s,
            "A narrower start alone does not do it: particles that are all equal at the start "
            "would arrive with %.2f %%.%s",
            equal, at_end ? " A still faster supply helps." : "");
    }
}

/* How the spread goes with the supply, between the slowest and the fastest that get there. */
static void say_trend(speaker *s, ng_grid_column column, const char *where)
{
    const ng_prediction *p = s->p;
    size_t slow = 0, fast = p->n_grid - 1;
    while (slow < fast && !isfinite(grid_value(p, slow, column))) {
        slow++;
    }
    while (fast > slow && !isfinite(grid_value(p, fast, column))) {
        fast--;
    }
    const double a = 100.0 * grid_value(p, slow, column), b = 100.0 * grid_value(p, fast, column);
    if (slow == fast || !(isfinite(a) && isfinite(b))) {
        return;
    }
    say(s,
        "%s focuses more: the relative spread of the radii %s is %.2f %% at %.3g times the %s "
        "and %.2f %% at %.3g times.",
        b < a ? "Faster supply" : "Slower supply", where, a, p->options.scale * p->factor[slow],
        driver(p), b, p->options.scale * p->factor[fast]);
}

static void say_target(speaker *s)
{
    const ng_prediction *p = s->p;
    const size_t least = least_factor(p, GRID_SPREAD);
    const bool wanted = !isnan(p->options.target_spread);
    if (least == p->n_grid) {
        say(s,
            "No: the particles reach a mean radius of %.3g nm at none of %.3g to %.3g times the %s "
            "within the time allowed.",
            p->options.target_radius_nm, p->options.scale * p->factor[0],
            p->options.scale * p->factor[p->n_grid - 1], driver(p));
        return;
    }
    const size_t good = wanted ? good_factor(p) : least;
    if (good == p->n_grid) {
        say_not_attainable(s, least);
    } else {
        say_target_at(s, good, wanted ? "Yes: at " : "At ");
        if (wanted && good != least) {
            say_target_at(s, least, "Narrowest: at ");
        }
    }
    char where[48];
    snprintf(where, sizeof where, "at %.3g nm", p->options.target_radius_nm);
    say_trend(s, GRID_SPREAD, where);
}

static void say_grid(speaker *s)
{
    const ng_prediction *p = s->p;
    const size_t f = least_factor(p, GRID_LEAST);
    if (f == p->n_grid) {
        return;
    }
    const ng_banded spread = ng_prediction_grid(p, f, GRID_LEAST);
    char a[48];
    say(s,
        "The smallest relative spread of the radii between %.3g and %.3g times the %s is "
        "%.2f %%%s, at %.3g times, %.4g s after the start at a mean radius of %.3g nm.",
        p->options.scale * p->factor[0], p->options.scale * p->factor[p->n_grid - 1], driver(p),
        100.0 * spread.value, range(spread, 100.0, 2, a), p->options.scale * p->factor[f],
        grid_value(p, f, GRID_LEAST_S), grid_value(p, f, GRID_LEAST_NM));
    if (isnan(p->options.target_radius_nm)) {
        say_trend(s, GRID_END_SPREAD, "at the end");
    }
}

/* ---- what speaks against it -------------------------------------------------------------- */

static void object_to_fit(speaker *s)
{
    const ng_prediction *p = s->p;
    if (!p->fit->trusted) {
        object(s, "fit-untrusted",
               "The fit is not to be trusted, by its own verdict; nor is what follows from it.");
    }
    if (p->n_runs == N_QUESTIONS) {
        object(s, "no-replicates",
               "There are no bands: the fit holds no replicates, or none were asked for.");
    } else if (p->n_failed > 0) {
        object(s, "replicates-failed",
               "%zu of %zu replicates of the fit could not be run (%s); bands rest on the others.",
               p->n_failed, p->n_runs - N_QUESTIONS, "their parameters are far off");
    }
    if (ng_prediction_note(p, ASKED, NOTE_HELD_S) > 0.0) {
        object(s, "held-at-zero",
               "For %.3g s the particles of the movie shrink faster than the law allows even in a "
               "solution without monomers: S is held at 0 there, which speaks against the law.",
               ng_prediction_note(p, ASKED, NOTE_HELD_S));
    }
    if (p->forward_mean > MEAN_OFF || p->forward_var > VARIANCE_FACTOR ||
        p->forward_var < 1.0 / VARIANCE_FACTOR) {
        object(s, "forward-test",
               "Run forward from its first frame with nothing changed, the law gives the movie's "
               "mean within %.0f %% and %.2f times its variance (median over the frames): read "
               "spreads with that in mind.",
               100.0 * p->forward_mean, p->forward_var);
    }
}

/* Mean plus `side` times two standard deviations. */
static double edge_of(const double *row, double side)
{
    return row[NG_PREDICT_MEAN_N] + side * 2.0 * sqrt(fmax(row[NG_PREDICT_VAR_N], 0.0));
}

static void object_to_range(speaker *s)
{
    const ng_prediction *p = s->p;
    double above_s = (double)NAN, below_s = (double)NAN, low = (double)INFINITY, high = 0.0;
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double *row = ng_prediction_row(p, ASKED, i);
        const double time_s = ng_prediction_time(p, i) - p->clock.start_s;
        if (edge_of(row, 1.0) > p->fit->sampled_last_n && isnan(above_s)) {
            above_s = time_s;
        }
        if (fmax(edge_of(row, -1.0), NG_SOLVE_N_MIN) < p->fit->sampled_first_n && isnan(below_s)) {
            below_s = time_s;
        }
        low = fmin(low, edge_of(row, -1.0));
        high = fmax(high, edge_of(row, 1.0));
    }
    if (!isnan(above_s)) {
        object(s, "size-above",
               "From %.3g s on particles are larger (up to n = %.0f) than those whose growth the "
               "fit saw (up to n = %.0f): the law is extrapolated.",
               above_s, high, p->fit->sampled_last_n);
    }
    if (!isnan(below_s)) {
        object(s, "size-below",
               "From %.3g s on particles are smaller (down to n = %.0f) than those whose growth "
               "the fit saw (from n = %.0f): the law is extrapolated.",
               below_s, fmax(low, NG_SOLVE_N_MIN), p->fit->sampled_first_n);
    }
    if (p->clock.end_s > p->law_end_s * (1.0 + 1e-9)) {
        object(s, "time-beyond", "The %s is known for %.4g s; after that its last value is held.",
               driver(p), p->law_end_s - p->clock.start_s);
    }
}

static void object_to_run(speaker *s)
{
    const ng_prediction *p = s->p;
    const double below = ng_prediction_note(p, ASKED, NOTE_BELOW);
    const double left = ng_prediction_row(p, ASKED, last_time(p, ASKED))[NG_PREDICT_NUMBER];
    if (below > 1e-3) {
        object(s, "start-below-50",
               "%.3g %% of the start distribution lies below n = 50, where the model means "
               "nothing, and is left out.",
               100.0 * below);
    }
    if (left < 1.0 - DISSOLVED_WORD) {
        object(s, "dissolved",
               "%.3g %% of the particles fall below n = 50 and count as dissolved; below that "
               "size the model means nothing.",
               100.0 * (1.0 - left));
    }
    if (last_time(p, ASKED) + 1 < p->clock.n_times) {
        object(s, "all-dissolved", "The run ends %.4g s after the start: all particles dissolved.",
               ng_prediction_time(p, last_time(p, ASKED)) - p->clock.start_s);
    }
}

static void object_to_temperature(speaker *s)
{
    const ng_temperature *t = &s->p->options.temperature;
    if (is_other_temperature(&s->p->options)) {
        object(s, "temperature",
               "From %.5g to %.5g K the energies of the potential are taken as %.3g and %.3g "
               "enthalpy (eps_f, eps_e), barriers as %.3g (attachment), %.3g (diffusion), %.3g "
               "(supply) and the enthalpy of solution as %.3g kJ/mol: a movie at one temperature "
               "tells none of these.",
               t->reference_K, t->T_K, t->eps_f_share, t->eps_e_share, t->attachment_kJ_per_mol,
               t->diffusion_kJ_per_mol, t->supply_kJ_per_mol, t->solution_kJ_per_mol);
    }
}

ng_status ng_prediction_say(ng_prediction *p, ng_warnings *warnings, ng_error *err)
{
    speaker s = {.p = p, .warnings = warnings, .ok = true};
    if (p->n_grid > 0 && !isnan(p->options.target_radius_nm)) {
        say_target(&s);
    }
    say_run(&s);
    say_solution(&s);
    if (p->n_grid > 0) {
        say_grid(&s);
    }
    object_to_fit(&s);
    object_to_range(&s);
    object_to_run(&s);
    object_to_temperature(&s);
    p->trusted = p->fit->trusted && 2 * p->n_failed <= p->n_runs - N_QUESTIONS;
    return s.ok ? NG_OK : NG_FAIL(err, NG_MEMORY, "predict: no memory for sentences");
}
