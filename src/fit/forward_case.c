/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From trajectories and options to a likelihood: data, splines, where each parameter stands. */
#include "forward_internal.h"

#include <math.h>
#include <string.h>

#define FRAMES_PER_COEFFICIENT 8
#define SAMPLES_PER_COEFFICIENT 1
#define COEFFICIENTS_LEAST 6
#define COEFFICIENTS_MOST 20
#define SHAPE_COEFFICIENTS 4 /* of a shape that changes slowly */
#define GROWTH_PER_STEP 0.03 /* of x, relative: the midpoint rule is then right to 1e-4 */
#define STEPS_MOST 16
#define LN_S_MIN (-6.9) /* S = 0.001 */
#define SPREAD_START 0.08

ng_forward_options ng_forward_defaults(void)
{
    return (ng_forward_options){.first_frames = 10, .profile = true, .folds = 5};
}

ng_status ng_forward_check(const ng_forward_options *o, const ng_growth_fit_options *growth,
                           ng_error *err)
{
    if (growth->samples != NULL && (o->compare || o->first_frames_only)) {
        return NG_FAIL(err, NG_USAGE,
                       "samples from a flask follow no particle: leave out --compare-models and "
                       "--likelihood first-frames");
    }
    if (growth->published && growth->samples == NULL) {
        return NG_FAIL(err, NG_USAGE,
                       "preset published is a rate estimator; leave out --preset, "
                       "or take --estimator rate");
    }
    if (growth->delta_mode == NG_DELTA_FREE) {
        return NG_FAIL(err, NG_USAGE,
                       "--delta free has no meaning for --estimator forward: a shape "
                       "that jumps from frame to frame; take smooth or constant");
    }
    if (o->coefficients != 0 && (o->coefficients < 4 || o->coefficients > 40)) {
        return NG_FAIL(err, NG_USAGE, "%zu coefficients of S(t); it takes 4 to 40",
                       o->coefficients);
    }
    if (o->first_frames < 1 || o->first_frames > 1000 || o->folds < 2 || o->folds > 20) {
        return NG_FAIL(err, NG_USAGE,
                       "first-frames is %zu, folds %zu; they must lie in 1 to 1000 and 2 to 20",
                       o->first_frames, o->folds);
    }
    return NG_OK;
}

/* Steps between two frames, so that a particle grows little in each. */
static size_t steps_for(const ng_trajectories *t)
{
    double sum = 0.0, count = 0.0;
    for (size_t k = 0; k < t->n_points; k++) {
        if (isfinite(t->growth_per_s[k]) && t->n[k] >= RATE_N_MIN) {
            sum += 2.0 / 3.0 * fabs(t->growth_per_s[k]) * t->frame_s / t->n[k];
            count += 1.0;
        }
    }
    double steps = count > 0.0 ? ceil(sum / count / GROWTH_PER_STEP) : 1.0;
    return (size_t)fmin(fmax(steps, 1.0), STEPS_MOST);
}

static size_t coefficients_for(const ng_forward_options *o, const ng_samples *samples,
                               size_t n_frames)
{
    switch (o->law) {
    case NG_SUPERSATURATION_CONSTANT:
        return 1;
    case NG_SUPERSATURATION_DECAY:
        return 2;
    case NG_SUPERSATURATION_SPLINE:
        break;
    }
    size_t n = o->coefficients > 0 ? o->coefficients : n_frames / FRAMES_PER_COEFFICIENT;
    if (o->coefficients == 0 && samples != NULL) {
        n = samples->n_times / SAMPLES_PER_COEFFICIENT;
    }
    size_t least = o->coefficients > 0 ? 4 : COEFFICIENTS_LEAST;
    size_t most = o->coefficients > 0 ? o->coefficients : COEFFICIENTS_MOST;
    return n < least ? least : n > most ? most : n;
}

static size_t add(forward_layout *l, double lower, double upper)
{
    l->lower[l->n] = lower;
    l->upper[l->n] = upper;
    return l->n++;
}

static void lay_out(const ng_growth_fit_options *growth, const ng_forward_options *o, size_t n_S,
                    forward_layout *l)
{
    *l = (forward_layout){.n = NG_N_GROWTH_PARAMETERS,
                          .n_shape = growth->delta_mode == NG_DELTA_SMOOTH ? SHAPE_COEFFICIENTS : 1,
                          .n_supersaturation = n_S,
                          .spread = FORWARD_NONE};
    ng_rate_bounds(l->lower, l->upper);
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        l->fixed[i] = growth->fixed[i];
    }
    l->shape = l->n;
    for (size_t i = 0; i < l->n_shape; i++) {
        l->fixed[add(l, NG_DELTA_MIN, NG_DELTA_MAX)] = growth->delta_mode == NG_DELTA_FIXED;
    }
    l->supersaturation = l->n;
    for (size_t i = 0; i < n_S; i++) {
        add(l, LN_S_MIN, log(growth->supersaturation_max));
    }
    l->noise = add(l, log(0.05), log(20.0));
    if (o->spread) {
        l->spread = add(l, log(1e-3), log(1.0));
    }
}

static ng_status make_splines(forward_case *c, size_t steps, ng_error *err)
{
    const forward_data *d = &c->data;
    size_t intervals = d->n_frames - 1, count = intervals * steps;
    double duration = (double)intervals * d->frame_s, step = d->frame_s / (double)steps;
    size_t n_S = coefficients_for(c->options, c->growth->samples, d->n_frames);
    c->middle_s = NG_NEW(double, count > intervals ? count : intervals);
    if (!c->middle_s) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu steps", count);
    }
    lay_out(c->growth, c->options, n_S, &c->layout);
    for (size_t i = 0; i < intervals; i++) {
        c->middle_s[i] = ((double)i + 0.5) * d->frame_s;
    }
    size_t n_shape = c->layout.n_shape;
    ng_status status =
        ng_forward_basis_create(n_shape, n_shape, duration, c->middle_s, intervals, &c->shape, err);
    for (size_t i = 0; i < count; i++) {
        c->middle_s[i] = ((double)i + 0.5) * step;
    }
    if (status == NG_OK) {
        status = ng_forward_basis_create(n_S < 4 ? n_S : 4, n_S, duration, c->middle_s, count,
                                         &c->supersaturation, err);
    }
    return status;
}

ng_status ng_forward_case_create(const ng_trajectories *t, const ng_growth_fit_options *growth,
                                 const ng_forward_options *options, forward_case *out,
                                 ng_error *err)
{
    *out = (forward_case){.t = t, .growth = growth, .options = options};
    ng_status status = growth->samples != NULL
                           ? ng_forward_flask_make(growth->samples, t, &out->data, &out->flask, err)
                           : ng_forward_data_make(t, &out->data, err);
    size_t steps = steps_for(t);
    if (status == NG_OK) {
        status = make_splines(out, steps, err);
    }
    out->like = (forward_problem){
        .data = &out->data,
        .layout = &out->layout,
        .supersaturation = &out->supersaturation,
        .shape = &out->shape,
        .flask = growth->samples != NULL ? &out->flask : NULL,
        .steps = steps,
        .first_frames = options->first_frames_only ? options->first_frames : SIZE_MAX,
    };
    if (status != NG_OK) {
        ng_forward_case_free(out);
    }
    return status;
}

void ng_forward_case_free(forward_case *c)
{
    ng_forward_data_free(&c->data);
    ng_forward_flask_free(&c->flask);
    ng_forward_basis_free(&c->supersaturation);
    ng_forward_basis_free(&c->shape);
    ng_free(c->middle_s);
    c->middle_s = NULL;
}

double ng_forward_case_delta(const forward_case *c, const double *x)
{
    double mean = 0.0;
    for (size_t i = 0; i < c->shape.count; i++) {
        double delta = ng_forward_basis_value(&c->shape, x + c->layout.shape, i);
        mean += (delta - mean) / (double)(i + 1);
    }
    return mean;
}

/* ---- where a search starts --------------------------------------------------------------- */

/* ln S in the middle of every step, from a series of frames. */
static void ln_series(const forward_case *c, const double *time_s, const double *S, size_t n,
                      double *out)
{
    double start = c->t->time_s[0];
    for (size_t i = 0, k = 0; i < c->supersaturation.count; i++) {
        double time = start + c->middle_s[i];
        while (k + 2 < n && time_s[k + 1] < time) {
            k++;
        }
        double share = n > 1 ? (time - time_s[k]) / (time_s[k + 1] - time_s[k]) : 0.0;
        share = fmin(fmax(share, 0.0), 1.0);
        double value = n > 1 ? S[k] + share * (S[k + 1] - S[k]) : S[0];
        out[i] = log(fmax(value, 0.05));
    }
}

ng_status ng_forward_case_start(const forward_case *c, const ng_growth_parameters *from,
                                double delta, double *x, ng_error *err)
{
    const forward_layout *l = &c->layout;
    ng_growth_fit_options o = *c->growth;
    ng_rate_problem *p = NULL;
    ng_rate_cost cost;
    size_t n = 0, rows;
    o.delta_mode = NG_DELTA_FIXED;
    o.delta = delta;
    double *series = NG_NEW(double, 2 * c->t->n_frames + c->supersaturation.count);
    double *S = series + c->t->n_frames, *ln_S = S + c->t->n_frames;
    ng_status status = series ? ng_rate_problem_create(c->t, NULL, &o, &p, err)
                              : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a start");
    if (status == NG_OK) {
        status = ng_rate_problem_cost(p, from, &cost, err);
    }
    if (status == NG_OK) {
        ng_rate_problem_size(p, &n, &rows);
        ng_rate_problem_series(p, series, S, NULL);
        ln_series(c, series, S, n, ln_S);
        memset(x, 0, FORWARD_MAX * sizeof *x);
        status = ng_forward_basis_project(&c->supersaturation, ln_S, x + l->supersaturation, err);
    }
    ng_rate_problem_destroy(p);
    ng_free(series);
    if (status != NG_OK) {
        return status;
    }
    ng_rate_to_coordinates(from, x);
    for (size_t i = 0; i < l->n_shape; i++) {
        x[l->shape + i] = delta;
    }
    if (l->spread != FORWARD_NONE) {
        x[l->spread] = log(SPREAD_START);
    }
    for (size_t i = 0; i < l->n; i++) {
        x[i] = fmin(fmax(x[i], l->lower[i]), l->upper[i]);
    }
    return NG_OK;
}
