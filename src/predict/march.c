/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward runs side by side, the monomers' balance along with them. */
#include "predict_internal.h"

#include <math.h>
#include <stdio.h>

/* Less than this of the particles left: the run has nothing more to say. */
#define LEFT_LEAST 1e-3
/* More than this of the particles at the largest size: the grid is too small. */
#define TOP_MOST 1e-9
#define FIRST_SIZES 4000
/* In a step a distribution moves by this share of its width at most, the width being no less than
 * this share of the mean size; */
#define MOVE_MOST 0.1
#define WIDTH_LEAST 0.02
/* and between two outputs there are no more steps than this. */
#define STEPS_MOST 2000.0
/* A table of the supply is gone through in so many steps at least. */
#define TABLE_STEPS 160.0

typedef struct lane {
    const ng_predict_case *c;
    ng_predict_output *out;
    bool live;
    double S, S_step;        /* now; mean over the last step */
    double mass, start_mass; /* monomers in particles */
    double supplied, debt;   /* by the law so far; of that not yet accounted for */
    double growth, detached;
    ng_exchange before, now; /* a step apart */
    double step_s;           /* the last one's length */
    size_t steps;
    bool held; /* S, at 0: the balance waits */
} lane;

typedef struct march {
    const ng_predict_clock *clock;
    const ng_predict_shapes *shapes;
    ng_size_range sizes;
    size_t count, n_lanes;
    lane lane[NG_MASTER_SETS_MAX];
    ng_master *master;
    double *attach, *detach, *density; /* scratch, count each */
    double *radius_nm;                 /* of every size, over sigma_s */
} march;

/* ---- one lane ---------------------------------------------------------------------------- */

static void fail_lane(march *m, size_t l, ng_status status, const char *why)
{
    lane *a = &m->lane[l];
    ng_error ignored;
    const ng_time_law none = ng_law_constant(0.0);
    a->live = false;
    if (a->out->status == NG_OK) {
        a->out->status = status;
        snprintf(a->out->why, sizeof a->out->why, "%s", why);
    }
    for (size_t i = 0; i < m->count; i++) {
        m->density[i] = 0.0;
    }
    if (ng_master_set_density(m->master, l, m->density, &ignored) != NG_OK ||
        ng_master_set_laws(m->master, l, &none, NULL, &ignored) != NG_OK) {
        a->out->status = NG_INTERNAL;
    }
}

static double supersaturation_at(const lane *a, double time_s)
{
    const ng_predict_case *c = a->c;
    if (c->drive == NG_DRIVE_SUPERSATURATION) {
        return ng_law_value(&c->input, time_s);
    }
    if (c->dissolved_per_particle > 0.0) {
        return a->S;
    }
    const double S = (ng_law_value(&c->input, time_s) + a->now.detach) / a->now.attach;
    return c->hold_at_zero ? fmax(S, 0.0) : S;
}

/* S over the coming step; false: it would be negative. */
static bool next_supersaturation(lane *a, double from_s, double to_s)
{
    const ng_predict_case *c = a->c;
    const double step_s = to_s - from_s, w = c->dissolved_per_particle;
    const double law = ng_law_integral(&c->input, from_s, to_s);
    if (c->drive == NG_DRIVE_SUPERSATURATION) {
        a->S_step = law / step_s;
        a->S = ng_law_value(&c->input, to_s);
        return a->S_step >= 0.0;
    }
    const double ahead = a->steps > 0 ? 0.5 * step_s / a->step_s : 0.0;
    const double up = a->now.attach + ahead * (a->now.attach - a->before.attach);
    const double down = a->now.detach + ahead * (a->now.detach - a->before.detach);
    const double rest = ((law + a->debt) / step_s + down) / up;
    if (w > 0.0) {
        /* w dS/dt = p + down - up S, exactly */
        const double decays = up * step_s / w;
        a->S_step = rest + (a->S - rest) * -expm1(-decays) / decays;
        a->S = rest + (a->S - rest) * exp(-decays);
    } else {
        a->S_step = a->S = rest;
    }
    a->supplied += law;
    if (c->hold_at_zero && (a->S_step < 0.0 || a->S < 0.0)) {
        a->out->held_s += step_s;
        a->S_step = fmax(a->S_step, 0.0);
        a->S = fmax(a->S, 0.0);
        a->held = true;
    }
    return a->S_step >= 0.0 && a->S >= 0.0;
}

/* <(n - <n>) j>, j being what attaches less what detaches. */
static double spreading(const ng_exchange *e, double S)
{
    const double together = S * e->attach_n - e->detach_n;
    return (together - e->mass / e->number * (S * e->attach - e->detach_events)) / e->number;
}

static void after_step(march *m, size_t l, double step_s, const ng_exchange *now)
{
    lane *a = &m->lane[l];
    a->before = a->now;
    a->now = *now;
    a->step_s = step_s;
    a->steps++;
    const double S = a->S_step;
    a->growth += step_s * (spreading(&a->before, S) + spreading(&a->now, S));
    a->detached += step_s * (a->before.detach_events / a->before.number +
                             a->now.detach_events / a->now.number);
    const double gained = a->now.mass - a->start_mass;
    const double kept = a->c->dissolved_per_particle * (a->S - a->c->start_supersaturation);
    if (a->c->drive == NG_DRIVE_SUPPLY) {
        a->debt = a->supplied - gained - kept;
        a->held = a->held && a->S_step <= 0.0;
        const double gap = a->held ? 0.0 : fabs(a->debt) / a->now.mass;
        a->out->balance = fmax(a->out->balance, gap);
    } else {
        const double S0 = ng_law_value(&a->c->input, m->clock->start_s);
        a->supplied = gained + a->c->dissolved_per_particle * (a->S - S0);
    }
    if (!(a->now.number > LEFT_LEAST)) {
        fail_lane(m, l, NG_OK, "all particles dissolved");
    }
}

/* ---- output ------------------------------------------------------------------------------ */

static void put_shape(const march *m, const ng_predict_output *out, size_t k, double number)
{
    const ng_predict_shapes *shapes = m->shapes;
    double *bin = out->shape + k * shapes->n_bins;
    size_t b = 0;
    for (size_t i = 0; i < shapes->n_bins; i++) {
        bin[i] = 0.0;
    }
    for (size_t i = 0; i < m->count; i++) {
        const double n = (double)m->sizes.n_min + (double)i;
        while (b < shapes->n_bins && n >= shapes->edge[b + 1]) {
            b++;
        }
        if (b == shapes->n_bins) {
            break;
        }
        if (n >= shapes->edge[b]) {
            bin[b] += m->density[i] / number;
        }
    }
}

static void radii(const march *m, double sigma_s_nm, double *mean, double *sd)
{
    double number = 0.0, sum = 0.0, square = 0.0;
    for (size_t i = 0; i < m->count; i++) {
        number += m->density[i];
        sum += m->radius_nm[i] * m->density[i];
    }
    sum /= number;
    for (size_t i = 0; i < m->count; i++) {
        const double d = m->radius_nm[i] - sum;
        square += d * d * m->density[i];
    }
    *mean = sigma_s_nm * sum;
    *sd = sigma_s_nm * sqrt(square / number);
}

static double time_of(const march *m, size_t i)
{
    const ng_predict_clock *c = m->clock;
    return c->start_s + (c->end_s - c->start_s) * ((double)i / (double)(c->n_times - 1));
}

static void put_row(march *m, size_t l, size_t time)
{
    lane *a = &m->lane[l];
    double *row = a->out->row + time * NG_PREDICT_COLUMNS;
    if (!a->live) {
        return;
    }
    const double S = supersaturation_at(a, time_of(m, time));
    ng_size_state state;
    ng_master_state(m->master, l, &state);
    ng_master_density(m->master, l, m->density);
    row[NG_PREDICT_NUMBER] = state.number;
    row[NG_PREDICT_MEAN_N] = state.mean_n;
    row[NG_PREDICT_VAR_N] = state.var_n;
    radii(m, a->c->law.sigma_s_nm, &row[NG_PREDICT_RADIUS_NM], &row[NG_PREDICT_SD_NM]);
    row[NG_PREDICT_S] = S;
    row[NG_PREDICT_UPTAKE] = S * a->now.attach - a->now.detach;
    row[NG_PREDICT_SUPPLIED] = a->supplied;
    row[NG_PREDICT_MASS] = state.mass;
    row[NG_PREDICT_GROWTH] = a->growth;
    row[NG_PREDICT_DETACHED] = a->detached;
    for (size_t k = 0; a->out->shape != NULL && k < m->shapes->n_at; k++) {
        if (m->shapes->at[k] == time) {
            put_shape(m, a->out, k, state.number);
        }
    }
}

/* ---- all lanes --------------------------------------------------------------------------- */

static ng_status begin_lane(march *m, size_t l, ng_error *err)
{
    lane *a = &m->lane[l];
    const ng_growth_law *law = &a->c->law;
    ng_status status = ng_size_rates(&law->parameters, law->delta, law->sigma_s_nm, &m->sizes,
                                     m->attach, m->detach, err);
    if (status == NG_OK) {
        status = ng_master_set_rates(m->master, l, m->attach, m->detach, err);
    }
    if (status != NG_OK) {
        fail_lane(m, l, status, err->message);
        return NG_OK;
    }
    a->out->start_below = ng_start_fill(&a->c->start, m->sizes.n_min, m->count, m->density);
    if (a->out->start_below >= 1.0) {
        fail_lane(m, l, NG_INVALID, "the start distribution lies below n = 50 altogether");
        return NG_OK;
    }
    a->S = a->c->start_supersaturation;
    return ng_master_set_density(m->master, l, m->density, err);
}

static ng_status begin(march *m, ng_error *err)
{
    /* every call advances by one step, and the top is looked after here */
    const ng_master_options options = {.sizes = m->sizes,
                                       .sets = m->n_lanes,
                                       .order = 2,
                                       .step_s = m->clock->end_s - m->clock->start_s,
                                       .window = 1e-30,
                                       .top_share = 1.0};
    ng_status status = ng_master_create(&options, &m->master, NULL, err);
    m->attach = NG_NEW(double, m->count);
    m->detach = NG_NEW(double, m->count);
    m->density = NG_NEW(double, m->count);
    m->radius_nm = NG_NEW(double, m->count);
    if (status == NG_OK && (!m->attach || !m->detach || !m->density || !m->radius_nm)) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for %zu sizes", m->count);
    }
    for (size_t i = 0; status == NG_OK && i < m->count; i++) {
        m->radius_nm[i] = cbrt((double)m->sizes.n_min + (double)i);
    }
    for (size_t l = 0; status == NG_OK && l < m->n_lanes; l++) {
        status = begin_lane(m, l, err);
    }
    if (status != NG_OK) {
        return status;
    }
    ng_exchange now[NG_MASTER_SETS_MAX];
    ng_master_set_time(m->master, m->clock->start_s);
    ng_master_exchange(m->master, now);
    for (size_t l = 0; l < m->n_lanes; l++) {
        m->lane[l].now = now[l];
        m->lane[l].start_mass = now[l].mass;
    }
    return NG_OK;
}

static void end(march *m)
{
    ng_master_destroy(m->master);
    m->master = NULL;
    ng_free(m->attach);
    ng_free(m->detach);
    ng_free(m->density);
    ng_free(m->radius_nm);
}

static ng_status set_step(march *m, double from_s, double to_s, ng_error *err)
{
    for (size_t l = 0; l < m->n_lanes; l++) {
        lane *a = &m->lane[l];
        if (a->live && !next_supersaturation(a, from_s, to_s)) {
            char why[160];
            snprintf(why, sizeof why,
                     "the monomers would become negative at %.4g s (S = %.3g): more is withdrawn "
                     "than there is; raise the supply",
                     from_s, a->S_step);
            fail_lane(m, l, NG_INVALID, why);
        }
        if (a->live) {
            const ng_time_law S = ng_law_constant(a->S_step);
            ng_status status = ng_master_set_laws(m->master, l, &S, NULL, err);
            if (status != NG_OK) {
                return status;
            }
        }
    }
    return NG_OK;
}

/* Is a lane at the end of the sizes? At the largest grid it fails instead. */
static bool outgrows(march *m, long n_limit)
{
    bool larger = false;
    for (size_t l = 0; l < m->n_lanes; l++) {
        const lane *a = &m->lane[l];
        if (a->live && a->now.top > TOP_MOST * a->now.number) {
            if (m->sizes.n_max >= n_limit) {
                char why[160];
                snprintf(why, sizeof why,
                         "particles outgrow n = %ld, the largest size allowed; shorten the run or "
                         "raise the "
                         "limit (--n-limit)",
                         n_limit);
                fail_lane(m, l, NG_INVALID, why);
            } else {
                larger = true;
            }
        }
    }
    return larger;
}

static bool any_live(const march *m)
{
    bool live = false;
    for (size_t l = 0; l < m->n_lanes; l++) {
        live = live || m->lane[l].live;
    }
    return live;
}

/* So that a table is followed while it lasts. */
static double longest_step(const ng_time_law *law, double from_s)
{
    if (law->kind != NG_LAW_TABLE || from_s >= law->knot_s[law->n_knots - 1]) {
        return (double)INFINITY;
    }
    return (law->knot_s[law->n_knots - 1] - law->knot_s[0]) / TABLE_STEPS;
}

/* Steps until the next output: a distribution may move by a tenth of its width in a step, or the
 * limits that keep densities positive would widen it. */
static size_t steps_between(const march *m, double from_s, double to_s)
{
    double most = (double)m->clock->steps;
    for (size_t l = 0; l < m->n_lanes; l++) {
        const lane *a = &m->lane[l];
        ng_size_state state;
        if (!a->live) {
            continue;
        }
        ng_master_state(m->master, l, &state);
        most = fmax(most, ceil((to_s - from_s) / longest_step(&a->c->input, from_s)));
        const double S = supersaturation_at(a, from_s);
        const double speed = fabs(S * a->now.attach - a->now.detach) / state.number;
        const double width = fmax(sqrt(fmax(state.var_n, 0.0)), WIDTH_LEAST * state.mean_n);
        most = fmax(most, ceil((to_s - from_s) * speed / (MOVE_MOST * width)));
    }
    return (size_t)fmin(most, STEPS_MOST);
}

static ng_status take_step(march *m, double from_s, double to_s, ng_error *err)
{
    ng_exchange now[NG_MASTER_SETS_MAX];
    ng_status status = set_step(m, from_s, to_s, err);
    if (status == NG_OK) {
        status = ng_master_advance(m->master, to_s, err);
    }
    if (status != NG_OK) {
        return status;
    }
    ng_master_exchange(m->master, now);
    for (size_t l = 0; l < m->n_lanes; l++) {
        if (m->lane[l].live) {
            after_step(m, l, to_s - from_s, &now[l]);
        }
    }
    return NG_OK;
}

/* @return true in *larger: to be done again with more sizes */
static ng_status run_steps(march *m, long n_limit, bool *larger, ng_error *err)
{
    const size_t last = m->clock->n_times - 1;
    *larger = outgrows(m, n_limit);
    for (size_t i = 0; !*larger && any_live(m); i++) {
        for (size_t l = 0; l < m->n_lanes; l++) {
            put_row(m, l, i);
        }
        if (i == last) {
            break;
        }
        const double from_s = time_of(m, i), to_s = time_of(m, i + 1);
        const size_t n = steps_between(m, from_s, to_s);
        for (size_t k = 0; k < n && !*larger; k++) {
            ng_status status =
                take_step(m, from_s + (to_s - from_s) * ((double)k / (double)n),
                          from_s + (to_s - from_s) * ((double)(k + 1) / (double)n), err);
            if (status != NG_OK) {
                return status;
            }
            *larger = outgrows(m, n_limit);
        }
    }
    return NG_OK;
}

static void clear_output(const march *m, ng_predict_output *out)
{
    for (size_t i = 0; i < m->clock->n_times * NG_PREDICT_COLUMNS; i++) {
        out->row[i] = (double)NAN;
    }
    for (size_t i = 0; out->shape != NULL && i < m->shapes->n_at * m->shapes->n_bins; i++) {
        out->shape[i] = (double)NAN;
    }
    out->status = NG_OK;
    out->why[0] = '\0';
    out->balance = out->held_s = 0.0;
}

static ng_status check(const ng_predict_case *cases, size_t n, const ng_predict_clock *clock,
                       ng_error *err)
{
    if (n < 1 || n > NG_MASTER_SETS_MAX || clock->n_times < 2 || clock->steps < 1 ||
        !(clock->end_s > clock->start_s) || !isfinite(clock->end_s - clock->start_s)) {
        return NG_FAIL(err, NG_INVALID, "%zu cases from %g s to %g s at %zu times: nothing to run",
                       n, clock->start_s, clock->end_s, clock->n_times);
    }
    for (size_t i = 0; i < n; i++) {
        const bool supply = cases[i].drive == NG_DRIVE_SUPPLY;
        ng_status status = ng_law_check(&cases[i].input,
                                        supply ? "the supply" : "the supersaturation", supply, err);
        if (status == NG_OK && cases[i].input.kind == NG_LAW_FUNCTION) {
            status = NG_FAIL(err, NG_INVALID, "a law must not be a function here");
        }
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

ng_status ng_predict_march(const ng_predict_case *cases, size_t n_cases,
                           const ng_predict_clock *clock, const ng_predict_shapes *shapes,
                           long n_first_guess, long n_limit, ng_predict_output *out, ng_error *err)
{
    ng_status status = check(cases, n_cases, clock, err);
    long n_max = n_first_guess > FIRST_SIZES ? n_first_guess : FIRST_SIZES;
    bool larger = status == NG_OK;
    for (size_t i = 0; i < n_cases; i++) {
        const double last = ng_start_last(&cases[i].start);
        n_max = last < 1e9 && (long)last > n_max ? (long)last + 1 : n_max;
    }
    while (larger) {
        n_max = n_max < n_limit ? n_max : n_limit;
        march m = {.clock = clock, .shapes = shapes, .n_lanes = n_cases};
        m.sizes = (ng_size_range){.n_min = NG_SOLVE_N_MIN, .n_max = n_max};
        m.count = ng_size_count(&m.sizes);
        for (size_t i = 0; i < n_cases; i++) {
            m.lane[i] = (lane){.c = &cases[i], .out = &out[i], .live = true};
            clear_output(&m, &out[i]);
            out[i].n_max = n_max;
        }
        status = begin(&m, err);
        if (status == NG_OK) {
            status = run_steps(&m, n_limit, &larger, err);
        }
        end(&m);
        larger = larger && status == NG_OK;
        n_max *= 2;
    }
    return status;
}
