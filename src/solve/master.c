/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The master equation with given S(t): one object, one or several parameter sets. */
#include "solve_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>
#include <string.h>

#define FIRST_MARGIN 64

ng_master_options ng_master_defaults(void)
{
    return (ng_master_options){.sizes = {.n_min = NG_SOLVE_N_MIN, .n_max = 10000},
                               .sets = 1,
                               .order = 2,
                               .step_s = 0.25,
                               .window = 1e-30,
                               .top_share = 1e-9};
}

static ng_status check_options(const ng_master_options *o, ng_warnings *warnings, ng_error *err)
{
    if (o->sets < 1 || o->sets > NG_MASTER_SETS_MAX) {
        return NG_FAIL(err, NG_INVALID, "sets is %zu; it must lie between 1 and %d", o->sets,
                       NG_MASTER_SETS_MAX);
    }
    if (o->order != 1 && o->order != 2) {
        return NG_FAIL(err, NG_INVALID, "order is %d; it must be 1 or 2", o->order);
    }
    if (!(o->step_s > 0) || !isfinite(o->step_s)) {
        return NG_FAIL(err, NG_INVALID, "step_s is %g; it must be positive", o->step_s);
    }
    if (!(o->window >= 0 && o->window <= 1e-10)) {
        return NG_FAIL(err, NG_INVALID, "window is %g; it must lie between 0 and 1e-10", o->window);
    }
    if (!(o->top_share >= 0 && o->top_share <= 1)) {
        return NG_FAIL(err, NG_INVALID, "top_share is %g; it must lie between 0 and 1",
                       o->top_share);
    }
    return ng_size_range_check(&o->sizes, warnings, err);
}

static bool allocate(ng_master *m)
{
    double **const table[] = {&m->attach, &m->detach, &m->rho,  &m->stage,
                              &m->next,   &m->euler,  &m->flux, &m->link};
    bool good = true;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        *table[i] = NG_NEW(double, m->count * m->lanes);
        good = good && *table[i] != NULL;
    }
    return good;
}

ng_status ng_master_create(const ng_master_options *options, ng_master **out,
                           ng_warnings *warnings, ng_error *err)
{
    *out = NULL;
    ng_status status = check_options(options, warnings, err);
    if (status != NG_OK) {
        return status;
    }
    ng_master *m = NG_NEW(ng_master, 1);
    if (m != NULL) {
        m->options = *options;
        m->count = ng_size_count(&options->sizes);
        m->lanes = options->sets == 1 ? 1 : NG_MASTER_SETS_MAX;
        m->sweep = ng_sweep_for(m->lanes);
        m->end = 1;
        m->margin[0] = m->margin[1] = FIRST_MARGIN;
    }
    if (m == NULL || !allocate(m)) {
        ng_master_destroy(m);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu sets of %zu sizes", options->sets,
                       ng_size_count(&options->sizes));
    }
    *out = m;
    return NG_OK;
}

void ng_master_destroy(ng_master *m)
{
    if (m == NULL) {
        return;
    }
    ng_free(m->attach);
    ng_free(m->detach);
    ng_free(m->rho);
    ng_free(m->stage);
    ng_free(m->next);
    ng_free(m->euler);
    ng_free(m->flux);
    ng_free(m->link);
    ng_free(m);
}

/* ---- what is given --------------------------------------------------------------------------- */

static ng_status check_set(const ng_master *m, size_t set, ng_error *err)
{
    if (set >= m->options.sets) {
        return NG_FAIL(err, NG_DOMAIN, "set %zu of %zu", set, m->options.sets);
    }
    return NG_OK;
}

static void put_column(const ng_master *m, size_t set, const double *row, double *table)
{
    for (size_t i = 0; i < m->count; i++) {
        table[i * m->lanes + set] = row[i];
    }
}

ng_status ng_master_set_rates(ng_master *m, size_t set, const double *attach, const double *detach,
                              ng_error *err)
{
    const long n_min = m->options.sizes.n_min;
    ng_status status = check_set(m, set, err);
    if (status == NG_OK) {
        status = ng_solve_check_rows(attach, m->count, n_min, "attachment rate", err);
    }
    if (status == NG_OK) {
        status = ng_solve_check_rows(detach, m->count, n_min, "detachment rate", err);
    }
    if (status == NG_OK) {
        put_column(m, set, attach, m->attach);
        put_column(m, set, detach, m->detach);
    }
    return status;
}

ng_status ng_master_set_laws(ng_master *m, size_t set, const ng_time_law *supersaturation,
                             const ng_time_law *nucleation, ng_error *err)
{
    const ng_time_law none = ng_law_constant(0.0);
    nucleation = nucleation != NULL ? nucleation : &none;
    ng_status status = check_set(m, set, err);
    if (status == NG_OK) {
        status = ng_law_check(supersaturation, "the supersaturation", false, err);
    }
    if (status == NG_OK) {
        status = ng_law_check(nucleation, "the nucleation rate", false, err);
    }
    if (status == NG_OK) {
        m->supersaturation[set] = *supersaturation;
        m->nucleation[set] = *nucleation;
        m->S[set] = ng_law_value(supersaturation, m->time_s);
    }
    return status;
}

/* Rows where a set has particles; end > begin. */
static void find_occupied(ng_master *m)
{
    const size_t size = m->lanes;
    size_t begin = 0, end = m->count * size;
    while (begin + 1 < end && m->rho[begin] == 0) {
        begin++;
    }
    while (end > begin + 1 && m->rho[end - 1] == 0) {
        end--;
    }
    m->begin = begin / size;
    m->end = (end + size - 1) / size;
}

ng_status ng_master_set_density(ng_master *m, size_t set, const double *density, ng_error *err)
{
    ng_status status = check_set(m, set, err);
    if (status == NG_OK) {
        status =
            ng_solve_check_rows(density, m->count, m->options.sizes.n_min, "the density", err);
    }
    if (status == NG_OK) {
        put_column(m, set, density, m->rho);
        m->nucleated[set] = m->dissolved[set] = 0.0;
        find_occupied(m);
    }
    return status;
}

void ng_master_set_time(ng_master *m, double time_s)
{
    m->time_s = time_s;
    for (size_t l = 0; l < m->options.sets; l++) {
        m->S[l] = ng_law_value(&m->supersaturation[l], time_s);
    }
}

/* ---- going on -------------------------------------------------------------------------------- */

ng_status ng_master_advance(ng_master *m, double time_s, ng_error *err)
{
    const double start_s = m->time_s, span_s = time_s - start_s;
    if (!(span_s >= 0) || !isfinite(span_s)) {
        return NG_FAIL(err, NG_INVALID, "%g s does not come after %g s; time must not run back",
                       time_s, start_s);
    }
    /* A hair less, so that ten steps of 0.1 s are ten, whatever rounding makes of them. */
    const double steps = ceil(span_s / m->options.step_s * (1.0 - 1e-12));
    for (double k = 0; k < steps; k++) {
        ng_status status = ng_master_take_step(m, span_s / steps, err);
        if (status != NG_OK) {
            return status;
        }
        m->time_s = k + 1 < steps ? start_s + span_s * ((k + 1) / steps) : time_s;
    }
    return NG_OK;
}

ng_status ng_master_run(ng_master *m, const double *time_s, size_t n, ng_master_sink *sink,
                        void *context, const ng_run *run, ng_error *err)
{
    for (size_t i = 0; i < n; i++) {
        ng_status status = ng_master_advance(m, time_s[i], err);
        if (status != NG_OK) {
            return status;
        }
        if (!sink(context, i, m) || !ng_run_progress(run, "solving", i + 1, n)) {
            return NG_FAIL(err, NG_CANCELLED, "cancelled at %g s", time_s[i]);
        }
    }
    return NG_OK;
}

/* ---- what came out --------------------------------------------------------------------------- */

static ng_solve_rows occupied_rows(const ng_master *m, size_t set)
{
    return (ng_solve_rows){.value = m->rho + set,
                           .begin = m->begin,
                           .end = m->end,
                           .stride = m->lanes,
                           .n_min = m->options.sizes.n_min};
}

void ng_master_state(const ng_master *m, size_t set, ng_size_state *out)
{
    const ng_solve_rows rows = occupied_rows(m, set);
    *out = (ng_size_state){.time_s = m->time_s,
                           .supersaturation = m->S[set],
                           .nucleated = m->nucleated[set],
                           .dissolved = m->dissolved[set]};
    ng_solve_sums(&rows, out);
}

void ng_master_density(const ng_master *m, size_t set, double *density)
{
    for (size_t i = 0; i < m->count; i++) {
        density[i] = m->rho[i * m->lanes + set];
    }
}

void ng_master_flux(const ng_master *m, size_t set, double *flux_per_s)
{
    const double scale = m->options.keep_flux && m->flux_step_s > 0 ? 1.0 / m->flux_step_s : 0.0;
    flux_per_s[0] = scale * m->flux_in[set];
    for (size_t i = 0; i < m->count; i++) {
        flux_per_s[i + 1] = scale * m->flux[i * m->lanes + set];
    }
}

double ng_master_moment(const ng_master *m, size_t set, int q)
{
    double number = 0.0, sum = 0.0;
    for (size_t i = m->begin; i < m->end; i++) {
        const double rho = m->rho[i * m->lanes + set];
        number += rho;
        sum += rho * gsl_pow_int((double)(m->options.sizes.n_min + (long)i), q);
    }
    return number > 0 ? sum / number : (double)NAN;
}

ng_master_work ng_master_work_done(const ng_master *m)
{
    return m->work;
}

void ng_master_warn(const ng_master *m, ng_warnings *warnings)
{
    for (size_t l = 0; l < m->options.sets; l++) {
        ng_size_state state;
        ng_master_state(m, l, &state);
        ng_solve_warn(&state, m->rho[(m->count - 1) * m->lanes + l], &m->options.sizes, warnings);
    }
}
