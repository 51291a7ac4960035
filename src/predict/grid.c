/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same question at several rates of supply. */
#include "predict_internal.h"

#include <math.h>

#define LANES NG_MASTER_SETS_MAX
/* Bands over the grid rest on no more than this. */
#define REPLICATES_MAX 22

typedef struct grid_loop {
    const ng_prediction *p;
    size_t batches; /* per factor */
} grid_loop;

/* Runs of the grid: the estimate, particles of one size, replicates. */
static ng_predict_case grid_case(const ng_prediction *p, size_t run, double factor, double *knots,
                                 double *narrow)
{
    const ng_question question = run == 1 ? NARROW : ASKED;
    return ng_case_make(p, question, run < 2 ? 0 : run - 1, factor, knots, narrow);
}

static void find_least(const double *rows, const ng_predict_clock *clock, double *record)
{
    for (size_t i = 1; i < clock->n_times; i++) {
        const double *row = rows + i * NG_PREDICT_COLUMNS, spread = ng_row_spread(row);
        if (isfinite(spread) && !(record[GRID_LEAST] <= spread)) {
            record[GRID_LEAST] = spread;
            record[GRID_LEAST_S] =
                (clock->end_s - clock->start_s) * (double)i / (double)(clock->n_times - 1);
            record[GRID_LEAST_NM] = ng_row_radius(row);
        }
        if (isfinite(spread)) {
            record[GRID_END_NM] = ng_row_radius(row);
            record[GRID_END_SPREAD] = spread;
        }
    }
    record[GRID_START_SPREAD] = ng_row_spread(rows);
}

static double between(double a, double b, double part)
{
    return a + part * (b - a);
}

static void find_target(const double *rows, const ng_predict_clock *clock, double radius_nm,
                        double *record)
{
    const double step_s = (clock->end_s - clock->start_s) / (double)(clock->n_times - 1);
    for (size_t i = 1; i < clock->n_times; i++) {
        const double *b = rows + i * NG_PREDICT_COLUMNS, *a = b - NG_PREDICT_COLUMNS;
        if (!(ng_row_radius(b) >= radius_nm) || !(ng_row_radius(a) < radius_nm)) {
            continue;
        }
        const double part = (radius_nm - ng_row_radius(a)) / (ng_row_radius(b) - ng_row_radius(a));
        record[GRID_TIME_S] = step_s * ((double)(i - 1) + part);
        record[GRID_SPREAD] = between(ng_row_spread(a), ng_row_spread(b), part);
        record[GRID_SPREAD_N] = between(ng_row_spread_n(a), ng_row_spread_n(b), part);
        record[GRID_S] = between(a[NG_PREDICT_S], b[NG_PREDICT_S], part);
        record[GRID_LEFT] = between(a[NG_PREDICT_NUMBER], b[NG_PREDICT_NUMBER], part);
        return;
    }
}

static void reduce(const ng_prediction *p, const ng_predict_clock *clock, const double *rows,
                   double *record)
{
    for (size_t c = 0; c < GRID_COLUMNS; c++) {
        record[c] = (double)NAN;
    }
    find_least(rows, clock, record);
    if (!isnan(p->options.target_radius_nm)) {
        find_target(rows, clock, p->options.target_radius_nm, record);
    }
}

static ng_status run_batch(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const grid_loop *g = context;
    const ng_prediction *p = g->p;
    (void)worker;
    const size_t f = index / g->batches, first = index % g->batches * LANES;
    const size_t n = p->grid_runs - first < LANES ? p->grid_runs - first : LANES;
    const size_t n_rows = p->clock.n_times * NG_PREDICT_COLUMNS, n_knots = ng_case_knots(p);
    const ng_predict_clock clock = {p->clock.start_s, p->clock.start_s + p->grid_duration_s[f],
                                    p->clock.n_times, p->clock.steps};
    double *rows = NG_NEW(double, LANES *n_rows), *knots = NG_NEW(double, LANES *n_knots);
    double narrow[LANES];
    ng_predict_case c[LANES];
    ng_predict_output out[LANES];
    ng_status status =
        rows && knots ? NG_OK : NG_FAIL(err, NG_MEMORY, "predict: no memory for the grid");
    for (size_t l = 0; status == NG_OK && l < n; l++) {
        c[l] = grid_case(p, first + l, p->factor[f], knots + l * n_knots, &narrow[l]);
        out[l] = (ng_predict_output){.row = rows + l * n_rows};
    }
    if (status == NG_OK) {
        status =
            ng_predict_march(c, n, &clock, NULL, (long)ng_prediction_note(p, ASKED, NOTE_N_MAX),
                             p->options.n_limit, out, err);
    }
    for (size_t l = 0; status == NG_OK && l < n; l++) {
        reduce(p, &clock, rows + l * n_rows, (double *)record + l * GRID_COLUMNS);
    }
    ng_free(rows);
    ng_free(knots);
    return status;
}

ng_status ng_prediction_fill_grid(ng_prediction *p, const ng_run *run, ng_error *err)
{
    const ng_predict_options *o = &p->options;
    p->n_grid = o->n_grid;
    const size_t replicates = p->inferred.n_sets - 1;
    p->grid_runs = 2 + (replicates < REPLICATES_MAX ? replicates : REPLICATES_MAX);
    p->factor = NG_NEW(double, p->n_grid);
    p->grid_duration_s = NG_NEW(double, p->n_grid);
    p->grid_room = (p->grid_runs + LANES - 1) / LANES * LANES;
    p->grid = NG_NEW(double, p->n_grid * p->grid_room * GRID_COLUMNS);
    if (!p->factor || !p->grid_duration_s || !p->grid) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for a grid of %zu", p->n_grid);
    }
    for (size_t f = 0; f < p->n_grid; f++) {
        const double part = p->n_grid > 1 ? (double)f / (double)(p->n_grid - 1) : 0.0;
        p->factor[f] = o->grid_first * pow(o->grid_last / o->grid_first, part);
        p->grid_duration_s[f] = ng_case_duration(p, p->factor[f]);
    }
    /* a factor's batches lie one after the other, the last one perhaps not full */
    grid_loop g = {p, (p->grid_runs + LANES - 1) / LANES};
    const ng_records records = {.data = p->grid,
                                .n = p->n_grid * g.batches,
                                .bytes = LANES * GRID_COLUMNS * sizeof(double)};
    return ng_parallel_records(&records, run_batch, &g, run, "predict: supply rates", err);
}
