/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profile likelihood: hold one parameter further and further from its best value, search all others
 * anew, until the data object. */
#include "forward_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_POINTS (NG_PROFILE_POINTS / 2 - 1)
#define ITERATIONS 100
#define FIRST_SHARE 0.04 /* of the range: the first step at most; linear standard errors may lie */
#define BEYOND 1.15      /* of the limit: where the next step aims, were the deviance a square */
#define MU_LOW (-5.0)    /* kT: where a profile of the potential ends */
#define MU_HIGH 15.0
#define ROOT_MOST 6.0 /* beyond, a point is no guide to how likely the others are */
#define WORTH_IT 0.05 /* of ln likelihood: a better point by less does not move an interval */
#define FAR 3.0       /* times the limit */
#define RETRY 1.5
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

/* What is held: a parameter, or the potential at one size. */
typedef struct quantity {
    bool wanted;
    size_t index; /* in the layout; FORWARD_NONE: the potential at n */
    double n, best, low, high;
    double first; /* step */
    double calibration;
    double step[FORWARD_MAX]; /* how all parameters move, to first order, when it rises by 1 */
} quantity;

#define QUANTITIES (NG_N_PROFILES + 1)

typedef struct profile_job {
    const forward_case *c;
    const forward_search *best;
    double limit;
    quantity held[QUANTITIES];
} profile_job;

static quantity of_slope(const forward_knowledge *k, const double *slope, double limit, quantity q)
{
    double naive = ng_forward_variance(k, k->naive, slope, q.step);
    double robust = ng_forward_variance(k, k->robust, slope, NULL);
    double range = q.high - q.low, first = naive > 0.0 ? sqrt(limit * robust) : range;
    q.calibration = naive > 0.0 ? robust / naive : 1.0;
    q.first = fmin(fmax(first, 1e-4 * range), FIRST_SHARE * range);
    return q;
}

static quantity of_parameter(const profile_job *job, const forward_knowledge *k, size_t index)
{
    const forward_layout *l = &job->c->layout;
    double slope[FORWARD_MAX] = {0};
    slope[index] = 1.0;
    quantity q = {.wanted = !l->fixed[index],
                  .index = index,
                  .best = job->best->x[index],
                  .low = l->lower[index],
                  .high = l->upper[index]};
    return of_slope(k, slope, job->limit, q);
}

static quantity of_potential(const profile_job *job, const forward_knowledge *k, double n)
{
    const forward_layout *l = &job->c->layout;
    double slope[FORWARD_MAX];
    quantity q = {.index = FORWARD_NONE, .n = n, .low = MU_LOW, .high = MU_HIGH};
    q.best = ng_forward_potential(l, job->best->x, n, slope);
    q.wanted = !(l->fixed[0] && l->fixed[1] && l->fixed[2] && l->fixed[l->shape]);
    return of_slope(k, slope, job->limit, q);
}

static double value_of(const profile_job *job, const quantity *q, const double *x)
{
    return q->index == FORWARD_NONE ? ng_forward_potential(&job->c->layout, x, q->n, NULL)
                                    : x[q->index];
}

/* Deviance where the quantity is held; x is where the search of all else starts and ends. */
static double deviance_at(const profile_job *job, forward_problem *p, forward_result *r,
                          const quantity *q, double value, double *x, side *s)
{
    forward_spring spring = {q->n, value};
    forward_limits limits = {q->index, ITERATIONS, FORWARD_GAIN_PROFILE * fmax(q->calibration, 1.0),
                             q->index == FORWARD_NONE ? &spring : NULL};
    forward_search search = {0};
    memcpy(search.x, x, sizeof search.x);
    ng_forward_search_run(p, &limits, r, &search);
    memcpy(x, search.x, sizeof search.x);
    if (search.objective < s->better && search.objective < job->best->objective) {
        s->better = search.objective;
        memcpy(s->better_x, search.x, sizeof search.x);
    }
    return fmax(2.0 * (search.objective - job->best->objective), 0.0) / q->calibration;
}

static void follow(const profile_job *job, const quantity *q, double value, double *x)
{
    const forward_layout *l = &job->c->layout;
    double moved = value - value_of(job, q, x);
    for (size_t i = 0; i < l->n; i++) {
        x[i] = fmin(fmax(x[i] + moved * q->step[i], l->lower[i]), l->upper[i]);
    }
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
static double try_value(const profile_job *job, forward_problem *p, forward_result *r,
                        const quantity *q, double value, const double *from, double *x, side *s)
{
    double other[FORWARD_MAX];
    memcpy(x, from, FORWARD_MAX * sizeof *x);
    memcpy(other, from, sizeof other);
    follow(job, q, value, x);
    if (q->index != FORWARD_NONE) {
        x[q->index] = other[q->index] = value;
    }
    bool same = memcmp(x, other, job->c->layout.n * sizeof *x) == 0;
    double d = deviance_at(job, p, r, q, value, x, s);
    if (d < RETRY * job->limit || same) {
        return d;
    }
    double again = deviance_at(job, p, r, q, value, other, s);
    if (again < d) {
        memcpy(x, other, sizeof other);
    }
    return fmin(d, again);
}

/* Between which values the deviance meets the limit. */
typedef struct bracket {
    double inner, inner_d, inner_x[FORWARD_MAX];
    double outer, outer_d; /* NAN: not met yet */
    bool from_inner;       /* whether the outer value was searched from the inner one */
} bracket;

/* A search from far may have stuck half way; from nearby it is seen whether the outer value is
 * really outside. */
static bool confirm(const profile_job *job, forward_problem *p, forward_result *r,
                    const quantity *q, bracket *b, side *s)
{
    double x[FORWARD_MAX];
    if (b->from_inner) {
        return true;
    }
    double d = try_value(job, p, r, q, b->outer, b->inner_x, x, s);
    for (size_t i = 0; i < s->n; i++) {
        if (s->value[i] == b->outer) {
            s->deviance[i] = fmin(s->deviance[i], d);
        }
    }
    b->outer_d = fmin(b->outer_d, d);
    if (b->outer_d >= job->limit) {
        return true;
    }
    b->inner = b->outer;
    b->inner_d = d;
    memcpy(b->inner_x, x, sizeof x);
    b->outer = (double)NAN;
    return false;
}

static void walk_out(const profile_job *job, forward_problem *p, forward_result *r,
                     const quantity *q, double direction, side *s)
{
    double x[FORWARD_MAX], best = q->best, step = q->first;
    double bound = direction < 0.0 ? q->low : q->high;
    bracket b = {.inner = best, .outer = (double)NAN};
    memcpy(b.inner_x, job->best->x, sizeof b.inner_x);
    s->end = bound;
    if (direction * (bound - best) <= 0.0) {
        return;
    }
    while (s->n < SIDE_POINTS) {
        double trial = isfinite(b.outer)
                           ? between(b.inner, b.inner_d, b.outer, b.outer_d, job->limit)
                           : b.inner + direction * step;
        bool at_bound = direction * (trial - bound) >= 0.0;
        trial = at_bound ? bound : trial;
        double d = try_value(job, p, r, q, trial, b.inner_x, x, s);
        keep(s, trial, d);
        if (d >= job->limit) {
            b.outer = trial;
            b.outer_d = d;
            b.from_inner = true;
        } else {
            double factor = sqrt(BEYOND * job->limit / fmax(d, 1e-3 * job->limit)) - 1.0;
            step = fabs(trial - best) * fmin(fmax(factor, 0.1), 4.0);
            b.inner = trial;
            b.inner_d = d;
            b.from_inner = false;
            memcpy(b.inner_x, x, sizeof x);
        }
        bool narrow = isfinite(b.outer) && fabs(b.outer - b.inner) < NARROW * fabs(b.outer - best);
        bool near = fabs(d - job->limit) < NEAR_ENOUGH * job->limit;
        if ((near && !isfinite(b.outer)) || (b.inner == bound && !isfinite(b.outer)) ||
            ((near || narrow) && confirm(job, p, r, q, &b, s))) {
            break;
        }
    }
    s->end =
        isfinite(b.outer) ? crossing(b.inner, b.inner_d, b.outer, b.outer_d, job->limit) : b.inner;
}

static ng_status run_side(void *context, size_t i, int worker, void *record, ng_error *err)
{
    const profile_job *job = context;
    const quantity *q = &job->held[i / 2];
    side *s = record;
    (void)worker;
    s->better = (double)INFINITY;
    if (!q->wanted) {
        return NG_OK;
    }
    forward_problem p;
    forward_result *r = NG_NEW(forward_result, 1);
    ng_status status = r ? ng_forward_problem_create(&job->c->like, &p, err)
                         : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a profile");
    if (status == NG_OK) {
        walk_out(job, &p, r, q, i % 2 == 0 ? -1.0 : 1.0, s);
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
        const quantity *q = &job->held[i];
        if (!q->wanted) {
            continue;
        }
        bool five = i < NG_N_GROWTH_PARAMETERS, logarithmic = five && info[i].logarithmic;
        double low = s[2 * i].end, high = s[2 * i + 1].end;
        join(&s[2 * i], &s[2 * i + 1], q->best, logarithmic, &out->profile[i]);
        out->profile[i].calibration = q->calibration;
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

/* ---- the potential, for resampling ------------------------------------------------------- */

double ng_forward_mu_at(const forward_mu_profile *m, double root)
{
    size_t i = 0;
    if (m->count < 2) {
        return m->count > 0 ? m->mu_kT[0] : (double)NAN;
    }
    while (i + 2 < m->count && m->root[i + 1] < root) {
        i++;
    }
    double share = (root - m->root[i]) / (m->root[i + 1] - m->root[i]);
    return m->mu_kT[i] + share * (m->mu_kT[i + 1] - m->mu_kT[i]);
}

static void add_root(forward_mu_profile *out, double root, double mu)
{
    /* a search that stopped early makes a bump: only what rises goes in */
    if (out->count == 0 ||
        (root > out->root[out->count - 1] + 1e-3 && mu > out->mu_kT[out->count - 1] + 1e-6)) {
        out->root[out->count] = root;
        out->mu_kT[out->count++] = mu;
    }
}

static void mu_from_profile(const ng_forward_profile *p, double best, forward_mu_profile *out)
{
    out->count = 0;
    for (size_t i = 0; i < p->n; i++) {
        double root = sqrt(p->deviance[i]);
        if (root < ROOT_MOST) {
            add_root(out,
                     p->value[i] < best   ? -root
                     : p->value[i] > best ? root
                                          : 0.0,
                     p->value[i]);
        }
    }
}

/* A size in the middle of those that were seen: of the geometric mean. */
static double middle_size(const forward_data *d)
{
    double sum = 0.0;
    for (size_t k = 0; k < d->n_points; k++) {
        sum += isfinite(d->x[k]) ? 1.5 * log(d->x[k]) : 0.0;
    }
    return fmax(exp(sum / (double)d->n_observed), RATE_N_MIN);
}

void ng_forward_mu_normal(const forward_case *c, const forward_search *best,
                          const forward_knowledge *k, forward_mu_profile *out)
{
    double slope[FORWARD_MAX];
    *out = (forward_mu_profile){.n = middle_size(&c->data)};
    double mu = ng_forward_potential(&c->layout, best->x, out->n, slope);
    double sd =
        fmin(sqrt(ng_forward_variance(k, k->robust, slope, NULL)), 0.1 * (MU_HIGH - MU_LOW));
    add_root(out, -1.0, mu - sd);
    add_root(out, 1.0, mu + sd);
}

static void put_potential(const profile_job *job, const side *s, ng_forward_fit *out,
                          forward_mu_profile *mu)
{
    const quantity *q = &job->held[NG_N_PROFILES];
    *mu = (forward_mu_profile){.n = q->wanted ? q->n : (double)NAN};
    if (q->wanted) {
        join(&s[2 * NG_N_PROFILES], &s[2 * NG_N_PROFILES + 1], q->best, false, &out->potential);
        out->potential.calibration = q->calibration;
        out->potential_n = q->n;
        out->potential_lower = fmin(s[2 * NG_N_PROFILES].end, q->best);
        out->potential_upper = fmax(s[2 * NG_N_PROFILES + 1].end, q->best);
        mu_from_profile(&out->potential, q->best, mu);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

ng_status ng_forward_profiles(const forward_case *c, const forward_knowledge *k, const ng_run *run,
                              forward_search *best, bool *improved, forward_mu_profile *mu,
                              ng_growth_fit *fit, ng_forward_fit *out, ng_error *err)
{
    const forward_layout *l = &c->layout;
    profile_job job = {.c = c, .best = best, .limit = gsl_cdf_chisq_Pinv(c->growth->level, 1.0)};
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        job.held[i] = of_parameter(&job, k, i);
    }
    job.held[NG_N_GROWTH_PARAMETERS] = of_parameter(&job, k, l->shape);
    job.held[NG_N_GROWTH_PARAMETERS].wanted &= l->n_shape == 1;
    quantity *potential = &job.held[NG_N_PROFILES];
    *potential = of_potential(&job, k, middle_size(&c->data));
    ng_records records = {NG_NEW(side, 2 * QUANTITIES), 2 * QUANTITIES, sizeof(side)};
    if (!records.data) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for profiles");
    }
    ng_status status = ng_parallel_records(&records, run_side, &job, run, "fit: profiles", err);
    *improved = false;
    if (status == NG_OK) {
        const side *s = records.data;
        fill(&job, s, fit, out);
        put_potential(&job, s, out, mu);
        for (size_t i = 0; i < 2 * QUANTITIES; i++) {
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
