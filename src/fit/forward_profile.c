/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profile likelihood: hold one parameter further and further from its best value, search all others
 * anew, until the data object. */
#include "forward_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_POINTS (NG_PROFILE_POINTS / 2 - 1)
#define ITERATIONS 40
#define FIRST_SHARE 0.04 /* of the range: the first step at most; linear standard errors may lie */
#define BEYOND 1.15      /* of the limit: where the next step aims, were the deviance a square */
#define WORTH_IT 0.05    /* of ln likelihood: a better point by less does not move an interval */
#define FAR 3.0          /* times the limit */
#define RETRY 1.5
#define HOPELESS 15.0
#define NARROW 0.05      /* bracket, in shares of the distance to the best value */
#define NEAR_ENOUGH 0.08 /* of the limit: the end of the interval is then interpolated */

/* One side of one parameter. Plain: it travels between processes. */
typedef struct side {
    size_t n;
    double value[SIDE_POINTS], deviance[SIDE_POINTS];
    double end;    /* where the deviance meets the limit, or the bound */
    double better; /* a lower objective than the best, or INFINITY */
    double better_x[FORWARD_MAX];
} side;

typedef struct profile_job {
    const forward_case *c;
    const forward_search *best;
    const forward_knowledge *k;
    double limit;
    size_t index[NG_N_PROFILES]; /* in the layout; FORWARD_NONE: none */
} profile_job;

static double first_step(const profile_job *job, size_t index)
{
    const forward_layout *l = &job->c->layout;
    double range = l->upper[index] - l->lower[index], step = FIRST_SHARE * range;
    for (size_t i = 0; i < job->k->n; i++) {
        if (job->k->index[i] == index) {
            step = sqrt(job->limit * job->k->robust[i * job->k->n + i]);
        }
    }
    return fmin(fmax(step, 1e-4 * range), FIRST_SHARE * range);
}

/* Deviance where x[index] is held; x is where the search of the others starts and ends. */
static double deviance_at(const profile_job *job, forward_problem *p, forward_result *r,
                          size_t index, double *x, side *s)
{
    forward_search search = {0};
    memcpy(search.x, x, sizeof search.x);
    forward_limits limits = {index, ITERATIONS, FORWARD_GAIN_PROFILE};
    ng_forward_search_run(p, &limits, r, &search);
    memcpy(x, search.x, sizeof search.x);
    if (search.objective < s->better && search.objective < job->best->objective) {
        s->better = search.objective;
        memcpy(s->better_x, search.x, sizeof search.x);
    }
    double rise = 2.0 * (search.objective - job->best->objective);
    return fmax(rise, 0.0) / job->k->calibration[index];
}

/* Where the others go, to first order, when one parameter moves. */
static void follow(const profile_job *job, size_t index, double value, double *x)
{
    const forward_layout *l = &job->c->layout;
    const forward_knowledge *k = job->k;
    for (size_t row = 0; row < k->n; row++) {
        if (k->index[row] != index) {
            continue;
        }
        double moved = (value - x[index]) / k->naive[row * k->n + row];
        for (size_t i = 0; i < k->n; i++) {
            size_t at = k->index[i];
            double to = x[at] + moved * k->naive[row * k->n + i];
            x[at] = fmin(fmax(to, l->lower[at]), l->upper[at]);
        }
    }
    x[index] = value;
}

static void keep(side *s, double value, double deviance)
{
    s->value[s->n] = value;
    s->deviance[s->n++] = deviance;
}

/* Deviance is near a square of the distance: its root is near a line. */
static double crossing(double a, double d_a, double b, double d_b, double limit)
{
    double root_a = sqrt(d_a), share = (sqrt(limit) - root_a) / fmax(sqrt(d_b) - root_a, 1e-12);
    return a + fmin(fmax(share, 0.0), 1.0) * (b - a);
}

/* The next value inside a bracket: where the limit should be, but half way where the outer value is
 * so bad that its deviance is no guide. */
static double between(double a, double d_a, double b, double d_b, double limit)
{
    return d_b > FAR * limit ? 0.5 * (a + b) : crossing(a, d_a, b, d_b, limit);
}

/* Deviance at a value. The others start where they would go to first order, and, should that end
 * badly, where they stand. */
static double try_value(const profile_job *job, forward_problem *p, forward_result *r, size_t index,
                        double value, const double *from, double *x, side *s)
{
    double other[FORWARD_MAX];
    memcpy(x, from, FORWARD_MAX * sizeof *x);
    follow(job, index, value, x);
    double d = deviance_at(job, p, r, index, x, s);
    if (d < RETRY * job->limit || d > HOPELESS * job->limit) {
        return d;
    }
    memcpy(other, from, sizeof other);
    other[index] = value;
    double again = deviance_at(job, p, r, index, other, s);
    if (again < d) {
        memcpy(x, other, sizeof other);
    }
    return fmin(d, again);
}

static void walk_out(const profile_job *job, forward_problem *p, forward_result *r, size_t index,
                     double direction, side *s)
{
    const forward_layout *l = &job->c->layout;
    double x[FORWARD_MAX], inner_x[FORWARD_MAX], best = job->best->x[index];
    double bound = direction < 0.0 ? l->lower[index] : l->upper[index];
    double inner = best, inner_d = 0.0, outer = (double)NAN, outer_d = (double)NAN;
    double step = first_step(job, index);
    memcpy(inner_x, job->best->x, sizeof inner_x);
    s->end = bound;
    if (direction * (bound - best) <= 0.0) {
        return;
    }
    while (s->n < SIDE_POINTS) {
        bool bracketed = isfinite(outer);
        double trial = bracketed ? between(inner, inner_d, outer, outer_d, job->limit)
                                 : inner + direction * step;
        bool at_bound = direction * (trial - bound) >= 0.0;
        trial = at_bound ? bound : trial;
        double d = try_value(job, p, r, index, trial, inner_x, x, s);
        keep(s, trial, d);
        if (d >= job->limit) {
            outer = trial;
            outer_d = d;
        } else {
            double factor = sqrt(BEYOND * job->limit / fmax(d, 1e-3 * job->limit)) - 1.0;
            step = fabs(trial - best) * fmin(fmax(factor, 0.1), 4.0);
            inner = trial;
            inner_d = d;
            memcpy(inner_x, x, sizeof inner_x);
            if (at_bound) {
                return;
            }
        }
        if (fabs(d - job->limit) < NEAR_ENOUGH * job->limit ||
            (isfinite(outer) && fabs(outer - inner) < NARROW * fabs(outer - best))) {
            break;
        }
    }
    s->end = isfinite(outer) ? crossing(inner, inner_d, outer, outer_d, job->limit) : inner;
}

static ng_status run_side(void *context, size_t i, int worker, void *record, ng_error *err)
{
    const profile_job *job = context;
    size_t index = job->index[i / 2];
    side *s = record;
    (void)worker;
    s->better = (double)INFINITY;
    if (index == FORWARD_NONE) {
        return NG_OK;
    }
    forward_problem p;
    forward_result *r = NG_NEW(forward_result, 1);
    ng_status status = r ? ng_forward_problem_create(&job->c->like, &p, err)
                         : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a profile");
    if (status == NG_OK) {
        walk_out(job, &p, r, index, i % 2 == 0 ? -1.0 : 1.0, s);
        ng_forward_problem_free(&p);
    }
    ng_free(r);
    return status;
}

static int compare_points(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Both sides and the best value between them, rising, in the parameter's own unit. */
static void join(const side *below, const side *above, double best, bool logarithmic,
                 ng_forward_profile *out)
{
    double point[NG_PROFILE_POINTS][2] = {{best, 0.0}};
    size_t n = 1;
    for (size_t i = 0; i < below->n; i++, n++) {
        point[n][0] = below->value[i];
        point[n][1] = below->deviance[i];
    }
    for (size_t i = 0; i < above->n; i++, n++) {
        point[n][0] = above->value[i];
        point[n][1] = above->deviance[i];
    }
    qsort(point, n, sizeof point[0], compare_points);
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        out->value[i] = logarithmic ? exp(point[i][0]) : point[i][0];
        out->deviance[i] = point[i][1];
    }
}

static void fill(const profile_job *job, const side *s, ng_growth_fit *fit, ng_forward_fit *out)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    for (size_t i = 0; i < NG_N_PROFILES; i++) {
        size_t index = job->index[i];
        if (index == FORWARD_NONE) {
            continue;
        }
        bool five = i < NG_N_GROWTH_PARAMETERS, logarithmic = five && info[i].logarithmic;
        double low = s[2 * i].end, high = s[2 * i + 1].end;
        join(&s[2 * i], &s[2 * i + 1], job->best->x[index], logarithmic, &out->profile[i]);
        out->profile[i].calibration = job->k->calibration[index];
        low = logarithmic ? exp(low) : low;
        high = logarithmic ? exp(high) : high;
        if (five) {
            fit->parameter[i].lower = fmin(low, fit->parameter[i].value);
            fit->parameter[i].upper = fmax(high, fit->parameter[i].value);
            ng_growth_flag_parameter(&fit->parameter[i], i);
        } else {
            fit->delta_lower = fmin(low, fit->delta_mean);
            fit->delta_upper = fmax(high, fit->delta_mean);
        }
    }
}

ng_status ng_forward_profiles(const forward_case *c, const forward_knowledge *k, const ng_run *run,
                              forward_search *best, bool *improved, ng_growth_fit *fit,
                              ng_forward_fit *out, ng_error *err)
{
    const forward_layout *l = &c->layout;
    profile_job job = {
        .c = c, .best = best, .k = k, .limit = gsl_cdf_chisq_Pinv(c->growth->level, 1.0)};
    for (size_t i = 0; i < NG_N_PROFILES; i++) {
        size_t index = i < NG_N_GROWTH_PARAMETERS ? i : l->shape;
        bool wanted = !l->fixed[index] && (i < NG_N_GROWTH_PARAMETERS || l->n_shape == 1);
        job.index[i] = wanted ? index : FORWARD_NONE;
    }
    ng_records records = {NG_NEW(side, 2 * NG_N_PROFILES), 2 * NG_N_PROFILES, sizeof(side)};
    if (!records.data) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for profiles");
    }
    ng_status status = ng_parallel_records(&records, run_side, &job, run, "fit: profiles", err);
    *improved = false;
    if (status == NG_OK) {
        const side *s = records.data;
        fill(&job, s, fit, out);
        for (size_t i = 0; i < 2 * NG_N_PROFILES; i++) {
            if (s[i].better < best->objective - WORTH_IT ||
                (*improved && s[i].better < best->objective)) {
                best->objective = s[i].better;
                memcpy(best->x, s[i].better_x, sizeof best->x);
                *improved = true;
            }
        }
    }
    ng_free(records.data);
    return status;
}
