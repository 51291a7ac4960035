/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole prediction. */
#include "predict_internal.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

#define LANES NG_MASTER_SETS_MAX
#define BINS_MAX 180
#define SHAPES_DEFAULT 6
/* The maximum of the potential is looked for up to here. */
#define LAST_N 20000.0

/* ---- reading rows ------------------------------------------------------------------------ */

double ng_row_radius(const double *row)
{
    return row[NG_PREDICT_RADIUS_NM];
}

double ng_row_spread(const double *row)
{
    return row[NG_PREDICT_SD_NM] / row[NG_PREDICT_RADIUS_NM];
}

double ng_row_spread_n(const double *row)
{
    return sqrt(fmax(row[NG_PREDICT_VAR_N], 0.0)) / row[NG_PREDICT_MEAN_N];
}

static size_t rows_size(const ng_prediction *p)
{
    return p->clock.n_times * NG_PREDICT_COLUMNS;
}

static size_t record_size(const ng_prediction *p)
{
    return rows_size(p) + p->n_shapes * p->n_bins + N_NOTES;
}

const double *ng_prediction_row(const ng_prediction *p, size_t run, size_t time)
{
    return p->record + run * record_size(p) + time * NG_PREDICT_COLUMNS;
}

const double *ng_prediction_shape(const ng_prediction *p, size_t run, size_t k)
{
    return p->record + run * record_size(p) + rows_size(p) + k * p->n_bins;
}

double ng_prediction_note(const ng_prediction *p, size_t run, ng_run_note note)
{
    return p->record[(run + 1) * record_size(p) - N_NOTES + note];
}

double ng_prediction_time(const ng_prediction *p, size_t time)
{
    return p->clock.start_s +
           (p->clock.end_s - p->clock.start_s) * (double)time / (double)(p->clock.n_times - 1);
}

/* The k-th of n sorted draws lies above a new one with probability k/(n+1), so that percentiles of
 * few replicates taken there hold what they are asked to. */
static double percentile(const double *sorted, size_t n, double share)
{
    const double at = (share * (double)(n + 1) - 1.0) / (double)(n - 1);
    return gsl_stats_quantile_from_sorted_data(sorted, 1, n, fmin(fmax(at, 0.0), 1.0));
}

ng_banded ng_band_of(double value, double *replicate, size_t n, double level)
{
    size_t kept = 0;
    for (size_t b = 0; b < n; b++) {
        if (isfinite(replicate[b])) {
            replicate[kept++] = replicate[b];
        }
    }
    if (kept < 2 || !isfinite(value)) {
        return (ng_banded){value, (double)NAN, (double)NAN};
    }
    gsl_sort(replicate, 1, kept);
    return (ng_banded){value, fmin(value, percentile(replicate, kept, 0.5 - 0.5 * level)),
                       fmax(value, percentile(replicate, kept, 0.5 + 0.5 * level))};
}

ng_banded ng_prediction_band(const ng_prediction *p, size_t time, ng_row_value *value)
{
    const size_t n = p->n_runs - N_QUESTIONS;
    const double best = value(ng_prediction_row(p, ASKED, time));
    double *x = NG_NEW(double, n);
    if (x == NULL) {
        return (ng_banded){best, (double)NAN, (double)NAN};
    }
    for (size_t b = 0; b < n; b++) {
        x[b] = value(ng_prediction_row(p, N_QUESTIONS + b, time));
    }
    const ng_banded band = ng_band_of(best, x, n, p->level);
    ng_free(x);
    return band;
}

ng_banded ng_prediction_grid(const ng_prediction *p, size_t factor, ng_grid_column column)
{
    const double *record = p->grid + factor * p->grid_room * GRID_COLUMNS + column;
    const size_t n = p->grid_runs - 2;
    double *x = NG_NEW(double, n);
    if (x == NULL) {
        return (ng_banded){record[0], (double)NAN, (double)NAN};
    }
    for (size_t b = 0; b < n; b++) {
        x[b] = record[(b + 2) * GRID_COLUMNS];
    }
    const ng_banded band = ng_band_of(record[0], x, n, p->level);
    ng_free(x);
    return band;
}

/* ---- runs -------------------------------------------------------------------------------- */

static ng_predict_case case_of(const ng_prediction *p, size_t run, double *knots, double *narrow)
{
    const bool estimate = run < N_QUESTIONS;
    const ng_question question = estimate ? (ng_question)run : ASKED;
    return ng_case_make(p, question, estimate ? 0 : run - N_QUESTIONS + 1, 1.0, knots, narrow);
}

/* The estimate alone: does it run at all, and how large do particles become? */
static ng_status probe(ng_prediction *p, double *largest, long *n_max, ng_error *err)
{
    double *row = NG_NEW(double, p->clock.n_times *NG_PREDICT_COLUMNS), narrow;
    double *knots = NG_NEW(double, ng_case_knots(p));
    ng_predict_output out = {.row = row};
    ng_status status =
        row && knots ? NG_OK : NG_FAIL(err, NG_MEMORY, "predict: no memory for a run");
    if (status == NG_OK) {
        const ng_predict_case c = case_of(p, ASKED, knots, &narrow);
        status = ng_predict_march(&c, 1, &p->clock, NULL, 0, p->options.n_limit, &out, err);
    }
    if (status == NG_OK && out.status != NG_OK) {
        status = NG_FAIL(err, out.status, "%s", out.why);
    }
    *largest = ng_case_start_mean(p, BASE);
    *n_max = out.n_max;
    for (size_t i = 0; status == NG_OK && i < p->clock.n_times; i++) {
        const double *r = row + i * NG_PREDICT_COLUMNS;
        const double last = r[NG_PREDICT_MEAN_N] + 5.0 * sqrt(fmax(r[NG_PREDICT_VAR_N], 0.0));
        *largest = isfinite(last) ? fmax(*largest, last) : *largest;
    }
    ng_free(row);
    ng_free(knots);
    return status;
}

/* Bins of whole sizes, even in ln n but for rounding. */
static ng_status make_bins(ng_prediction *p, double largest, ng_error *err)
{
    p->edge = NG_NEW(double, BINS_MAX + 1);
    if (p->edge == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for bins");
    }
    const double ratio = pow(fmax(largest / NG_SOLVE_N_MIN, 2.0), 1.0 / BINS_MAX);
    p->edge[0] = NG_SOLVE_N_MIN;
    while (p->n_bins < BINS_MAX && p->edge[p->n_bins] < largest) {
        const double edge = p->edge[p->n_bins++];
        p->edge[p->n_bins] = fmax(edge + 1.0, round(edge * ratio));
    }
    return NG_OK;
}

/* Output times nearest to those wanted. */
static ng_status choose_shapes(ng_prediction *p, ng_error *err)
{
    const ng_predict_options *o = &p->options;
    const size_t wanted = o->shape_s != NULL ? o->n_shapes : SHAPES_DEFAULT;
    const double step_s = (p->clock.end_s - p->clock.start_s) / (double)(p->clock.n_times - 1);
    p->shape_at = NG_NEW(size_t, wanted);
    if (p->shape_at == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for times");
    }
    for (size_t k = 0; k < wanted; k++) {
        const double after_s = o->shape_s != NULL ? o->shape_s[k]
                                                  : (p->clock.end_s - p->clock.start_s) *
                                                        (double)k / (SHAPES_DEFAULT - 1);
        const double at = round(after_s / step_s);
        if (at > (double)(p->clock.n_times - 1)) {
            return NG_FAIL(err, NG_USAGE,
                           "a distribution is wanted %g s after the start, but the run lasts %g s; "
                           "give a longer duration",
                           after_s, p->clock.end_s - p->clock.start_s);
        }
        if (p->n_shapes == 0 || (size_t)at > p->shape_at[p->n_shapes - 1]) {
            p->shape_at[p->n_shapes++] = (size_t)at;
        }
    }
    return NG_OK;
}

/* The runs of a batch; a batch's record is its runs' records. */
typedef struct replicate_loop {
    const ng_prediction *p;
    long n_max; /* to begin with */
} replicate_loop;

static void take_notes(const ng_predict_output *out, double *note)
{
    note[NOTE_FAILED] = out->status != NG_OK ? 1.0 : 0.0;
    note[NOTE_BELOW] = out->start_below;
    note[NOTE_N_MAX] = (double)out->n_max;
    note[NOTE_BALANCE] = out->balance;
    note[NOTE_HELD_S] = out->held_s;
}

static ng_status run_batch(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const replicate_loop *loop = context;
    const ng_prediction *p = loop->p;
    (void)worker;
    const size_t first = index * LANES, n_knots = ng_case_knots(p), size = record_size(p);
    const size_t n = p->n_runs - first < LANES ? p->n_runs - first : LANES;
    const ng_predict_shapes shapes = {p->edge, p->n_bins, p->shape_at, p->n_shapes};
    double *knots = NG_NEW(double, LANES *n_knots), narrow[LANES], *own = record;
    ng_predict_case c[LANES];
    ng_predict_output out[LANES];
    if (knots == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for laws");
    }
    for (size_t l = 0; l < n; l++) {
        c[l] = case_of(p, first + l, knots + l * n_knots, &narrow[l]);
        out[l] = (ng_predict_output){.row = own + l * size, .shape = own + l * size + rows_size(p)};
    }
    ng_status status =
        ng_predict_march(c, n, &p->clock, &shapes, loop->n_max, p->options.n_limit, out, err);
    for (size_t l = 0; status == NG_OK && l < n; l++) {
        take_notes(&out[l], own + (l + 1) * size - N_NOTES);
    }
    ng_free(knots);
    return status;
}

static ng_status run_all(ng_prediction *p, long n_max, const ng_run *run, ng_error *err)
{
    p->n_runs = N_QUESTIONS + p->inferred.n_sets - 1;
    const size_t batches = (p->n_runs + LANES - 1) / LANES, size = LANES * record_size(p);
    p->record = NG_NEW(double, batches *size);
    p->law_value = NG_NEW(double, p->clock.n_times);
    if (!p->record || !p->law_value) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for %zu runs", p->n_runs);
    }
    replicate_loop loop = {p, n_max};
    const ng_records records = {.data = p->record, .n = batches, .bytes = size * sizeof(double)};
    ng_status status =
        ng_parallel_records(&records, run_batch, &loop, run, "predict: replicates", err);
    for (size_t r = N_QUESTIONS; status == NG_OK && r < p->n_runs; r++) {
        p->n_failed += ng_prediction_note(p, r, NOTE_FAILED) != 0.0;
    }
    return status;
}

/* ---- what follows from the runs ---------------------------------------------------------- */

static ng_status find_law(ng_prediction *p, ng_error *err)
{
    double *knots = NG_NEW(double, ng_case_knots(p)), narrow;
    if (knots == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for a law");
    }
    const ng_predict_case c = ng_case_make(p, ASKED, 0, 1.0, knots, &narrow);
    for (size_t i = 0; i < p->clock.n_times; i++) {
        p->law_value[i] = ng_law_value(&c.input, ng_prediction_time(p, i));
    }
    p->law_end_s =
        c.input.kind == NG_LAW_TABLE ? c.input.knot_s[c.input.n_knots - 1] : (double)INFINITY;
    ng_free(knots);
    return NG_OK;
}

static ng_status find_phases(ng_prediction *p, ng_error *err)
{
    p->phase = NG_NEW(ng_phase_span, p->clock.n_times);
    if (p->phase == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for phases");
    }
    for (size_t i = 0; i < p->clock.n_times; i++) {
        const double S = ng_prediction_row(p, ASKED, i)[NG_PREDICT_S];
        const double time_s = ng_prediction_time(p, i);
        if (!isfinite(S)) {
            continue;
        }
        const char *regime = ng_potential_regime(&p->maximum, S);
        if (p->n_phases == 0 || p->phase[p->n_phases - 1].regime != regime) {
            p->phase[p->n_phases++] = (ng_phase_span){time_s, time_s, regime};
        }
        p->phase[p->n_phases - 1].end_s = time_s;
    }
    return NG_OK;
}

/* A column of rows at output times, at any time within. */
static double at_time(const double *rows, const ng_predict_clock *clock, ng_predict_column column,
                      double time_s)
{
    const size_t last = clock->n_times - 1;
    const double at = (time_s - clock->start_s) / (clock->end_s - clock->start_s) * (double)last;
    const size_t i = at < (double)last ? (size_t)fmax(at, 0.0) : last - 1;
    const double *row = rows + i * NG_PREDICT_COLUMNS;
    return row[column] + (at - (double)i) * (row[NG_PREDICT_COLUMNS + column] - row[column]);
}

static void compare_rows(ng_prediction *p, const ng_predict_clock *clock, const double *rows,
                         double *ratio)
{
    size_t n = 0;
    for (size_t i = 0; i < p->fit->n_times; i++) {
        const double seen = p->inferred.seen_mean[i], seen_var = p->inferred.seen_var[i];
        const double mean = at_time(rows, clock, NG_PREDICT_MEAN_N, p->fit->time_s[i]);
        const double variance = at_time(rows, clock, NG_PREDICT_VAR_N, p->fit->time_s[i]);
        p->forward_n[i] = mean;
        p->forward_n[p->fit->n_times + i] = variance;
        if (isfinite(mean) && seen > 0.0 && seen_var > 0.0) {
            p->forward_mean = fmax(p->forward_mean, fabs(mean / seen - 1.0));
            ratio[n++] = variance / seen_var;
        }
    }
    p->forward_var = n > 0 ? gsl_stats_median(ratio, 1, n) : (double)NAN;
}

/* How far does the law alone, run from the first frame, come from the movie? */
static ng_status compare_with_movie(ng_prediction *p, ng_error *err)
{
    const ng_fit_file *fit = p->fit;
    const ng_predict_clock clock = {fit->time_s[0], fit->time_s[fit->n_times - 1], 401, 1};
    double *rows = NG_NEW(double, clock.n_times *NG_PREDICT_COLUMNS), narrow;
    double *knots = NG_NEW(double, ng_case_knots(p)), *ratio = NG_NEW(double, fit->n_times);
    p->forward_n = NG_NEW(double, 2 * fit->n_times);
    ng_status status = rows && knots && ratio && p->forward_n
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "predict: no memory for a comparison");
    if (status == NG_OK) {
        ng_predict_output out = {.row = rows};
        const ng_predict_case c = ng_case_make(p, BASE, 0, 1.0, knots, &narrow);
        status = ng_predict_march(&c, 1, &clock, NULL, 0, p->options.n_limit, &out, err);
    }
    if (status == NG_OK) {
        compare_rows(p, &clock, rows, ratio);
    }
    ng_free(rows);
    ng_free(knots);
    ng_free(ratio);
    return status;
}

static ng_status check_target(const ng_prediction *p, ng_error *err)
{
    const double target_nm = p->options.target_radius_nm;
    const double start_nm =
        ng_radius_from_monomers(ng_case_start_mean(p, ASKED), p->fit->sigma_s_nm);
    if (target_nm <= start_nm) {
        return NG_FAIL(err, NG_USAGE,
                       "the target radius of %.4g nm is not above %.4g nm, where the particles "
                       "start; a target is a mean radius to grow to",
                       target_nm, start_nm);
    }
    return NG_OK;
}

static ng_status compute(ng_prediction *p, const ng_run *run, ng_error *err)
{
    const size_t intervals = p->options.n_times - 1;
    double largest = 0.0;
    long n_max = 0;
    p->clock = (ng_predict_clock){.start_s = p->fit->time_s[0], .n_times = p->options.n_times};
    p->clock.steps = (p->options.steps + intervals - 1) / intervals;
    p->clock.end_s = p->clock.start_s + ng_case_duration(p, 1.0);
    ng_status status = check_target(p, err);
    if (status == NG_OK) {
        status = choose_shapes(p, err);
    }
    if (status == NG_OK) {
        status = probe(p, &largest, &n_max, err);
    }
    if (status == NG_OK) {
        status = make_bins(p, largest, err);
    }
    if (status == NG_OK) {
        status = run_all(p, n_max, run, err);
    }
    if (status == NG_OK) {
        status = find_law(p, err);
    }
    if (status == NG_OK) {
        status = find_phases(p, err);
    }
    if (status == NG_OK) {
        status = compare_with_movie(p, err);
    }
    return status == NG_OK && p->options.n_grid > 0 ? ng_prediction_fill_grid(p, run, err) : status;
}

ng_status ng_predict(const ng_fit_file *fit, const ng_predict_options *options, const ng_run *run,
                     ng_prediction **out, ng_warnings *warnings, ng_error *err)
{
    *out = NULL;
    ng_status status = ng_predict_check(options, err);
    if (status != NG_OK) {
        return status;
    }
    ng_prediction *p = NG_NEW(ng_prediction, 1);
    if (p == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory");
    }
    p->fit = fit;
    p->options = *options;
    p->level = isnan(options->level) ? fit->level : options->level;
    p->law = (ng_growth_law){ng_temperature_parameters(&options->temperature, &fit->best),
                             fit->delta, fit->sigma_s_nm};
    p->maximum =
        ng_potential_find_maximum(&p->law.parameters, p->law.delta, NG_SOLVE_N_MIN, LAST_N);
    status = ng_inferred_make(fit, options->replicates, run, &p->inferred, warnings, err);
    if (status == NG_OK) {
        status = compute(p, run, err);
    }
    if (status == NG_OK) {
        status = ng_prediction_say(p, warnings, err);
    }
    if (status != NG_OK) {
        ng_prediction_destroy(p);
        return status;
    }
    *out = p;
    return NG_OK;
}

void ng_prediction_destroy(ng_prediction *p)
{
    if (p == NULL) {
        return;
    }
    ng_inferred_free(&p->inferred);
    ng_free(p->record);
    ng_free(p->edge);
    ng_free(p->shape_at);
    ng_free(p->law_value);
    ng_free(p->forward_n);
    ng_free(p->phase);
    ng_free(p->factor);
    ng_free(p->grid);
    ng_free(p->grid_duration_s);
    for (size_t i = 0; i < p->n_answers; i++) {
        ng_free(p->answer[i]);
    }
    for (size_t i = 0; i < p->n_reasons; i++) {
        ng_free(p->reason[i]);
    }
    ng_free(p);
}
