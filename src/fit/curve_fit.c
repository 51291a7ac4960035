/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One curve through points: GSL's Levenberg-Marquardt, which has no bounds, on angles u with
 * x = lower + (upper - lower)(1 + sin u)/2; x is the parameter, or its logarithm.
 */
#include "curve_internal.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#define HUBER 1.345
#define TUKEY NG_CURVE_TUKEY
#define OUTLIER_WEIGHT 0.1
#define LARGEST 1e100 /* of a value: its square must be a number, too */
#define SURE 3.0      /* standard errors of a rise */
#define EDGE 1e-4     /* of the range: an estimate nearer to a bound is at it */

ng_curve_options ng_curve_defaults(void)
{
    return (ng_curve_options){
        .robust = true, .level = 0.95, .intervals = true, .max_iterations = 200};
}

const char *ng_curve_state_name(ng_curve_state state)
{
    static const char *const name[NG_N_CURVE_STATES] = {"ok", "too-few-points", "no-rise",
                                                        "invalid", "not-converged"};
    return name[state];
}

/* ---- coordinates ---------------------------------------------------------------------------- */

static double to_x(const curve_problem *p, size_t j, double value)
{
    return p->law->info[j].logarithmic ? log(value) : value;
}

double ng_curve_from_u(const curve_problem *p, size_t j, double u)
{
    const double x = p->lower[j] + (p->upper[j] - p->lower[j]) * (1 + sin(u)) / 2;
    return p->law->info[j].logarithmic ? exp(x) : x;
}

double ng_curve_to_u(const curve_problem *p, size_t j, double value)
{
    const double share = (to_x(p, j, value) - p->lower[j]) / (p->upper[j] - p->lower[j]);
    return asin(2 * fmin(fmax(share, 0), 1) - 1);
}

/* d parameter / du */
static double pace(const curve_problem *p, size_t j, double u, double value)
{
    const double dx = (p->upper[j] - p->lower[j]) * cos(u) / 2;
    return p->law->info[j].logarithmic ? dx * value : dx;
}

/* ---- what GSL calls ------------------------------------------------------------------------- */

static void evaluate(curve_problem *p, const gsl_vector *free_u)
{
    double value[NG_CURVE_MAX], rate[NG_CURVE_MAX], slope[NG_CURVE_MAX];
    const size_t n_all = p->law->n_parameters;
    for (size_t j = 0, k = 0; j < n_all; j++) {
        if (j != p->held) {
            p->u[j] = gsl_vector_get(free_u, k++);
        }
        value[j] = ng_curve_from_u(p, j, p->u[j]);
        rate[j] = pace(p, j, p->u[j], value[j]);
    }
    for (size_t i = 0; i < p->data.n; i++) {
        const double y = p->law->value(value, p->data.time_s[0], p->data.time_s[i], slope);
        double left = 1, gradient = 1 / p->unit[i];
        p->model[i] = ng_curve_points_raise(&p->points, y, &gradient);
        const double mean = ng_curve_points_mean(&p->points, p->model[i], p->error[i], &left);
        p->residual[i] = (mean - ng_curve_points_y(&p->points, i)) / p->unit[i];
        for (size_t j = 0; j < n_all; j++) {
            p->jacobian[i * NG_CURVE_MAX + j] = slope[j] * rate[j] * gradient * left;
        }
    }
}

static int residuals(const gsl_vector *u, void *context, gsl_vector *f)
{
    curve_problem *p = context;
    evaluate(p, u);
    for (size_t i = 0; i < p->data.n; i++) {
        gsl_vector_set(f, i, sqrt(p->weight[i]) * p->residual[i]);
    }
    return GSL_SUCCESS;
}

/* The search asks for slopes where it last asked for residuals, or where it was before. */
static bool is_there(const curve_problem *p, const gsl_vector *u)
{
    for (size_t j = 0, k = 0; j < p->law->n_parameters; j++) {
        if (j != p->held && p->u[j] != gsl_vector_get(u, k++)) {
            return false;
        }
    }
    return true;
}

static int slopes(const gsl_vector *u, void *context, gsl_matrix *df)
{
    curve_problem *p = context;
    if (!is_there(p, u)) {
        evaluate(p, u);
    }
    for (size_t i = 0; i < p->data.n; i++) {
        const double root = sqrt(p->weight[i]);
        for (size_t j = 0, k = 0; j < p->law->n_parameters; j++) {
            if (j != p->held) {
                gsl_matrix_set(df, i, k++, root * p->jacobian[i * NG_CURVE_MAX + j]);
            }
        }
    }
    return GSL_SUCCESS;
}

static gsl_multifit_nlinear_workspace *open_search(const curve_problem *p, size_t n_free)
{
    gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
    how.solver = gsl_multifit_nlinear_solver_mcholesky;
    return gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, p->data.n, n_free);
}

bool ng_curve_search(curve_problem *p, size_t max_iterations, double tolerance)
{
    const size_t n_free = p->law->n_parameters - (p->held < p->law->n_parameters);
    gsl_multifit_nlinear_workspace **work = p->held < p->law->n_parameters ? &p->fewer : &p->all;
    gsl_multifit_nlinear_fdf fdf = {
        .f = residuals, .df = slopes, .n = p->data.n, .p = n_free, .params = p};
    double start[NG_CURVE_MAX];
    for (size_t j = 0, k = 0; j < p->law->n_parameters; j++) {
        if (j != p->held) {
            start[k++] = p->u[j];
        }
    }
    gsl_vector_const_view view = gsl_vector_const_view_array(start, n_free);
    if (*work == NULL && (*work = open_search(p, n_free)) == NULL) {
        return false;
    }
    int info = 0;
    if (gsl_multifit_nlinear_init(&view.vector, &fdf, *work) != GSL_SUCCESS) {
        return false;
    }
    const int end =
        gsl_multifit_nlinear_driver(max_iterations, tolerance, 1e-12, 0, NULL, NULL, &info, *work);
    p->iterations += gsl_multifit_nlinear_niter(*work);
    evaluate(p, gsl_multifit_nlinear_position(*work));
    /* no step goes down any further: the minimum, as far as rounding shows it */
    return end == GSL_SUCCESS || info == GSL_ENOPROG;
}

double ng_curve_weighted_cost(const curve_problem *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->data.n; i++) {
        sum += p->weight[i] * p->residual[i] * p->residual[i];
    }
    return sum;
}

/* ---- a loss that outliers do not pull ------------------------------------------------------- */

/* Median absolute residual as a s.d.; never 0, so that exact data divide. */
static double robust_scale(curve_problem *p)
{
    double largest = 0;
    for (size_t i = 0; i < p->data.n; i++) {
        p->scratch[i] = fabs(p->residual[i]);
        largest = fmax(largest, p->data.se != NULL ? 1 : fabs(p->data.y[i]));
    }
    gsl_sort(p->scratch, 1, p->data.n);
    const double median = gsl_stats_median_from_sorted_data(p->scratch, 1, p->data.n);
    /* p residuals are made small by the fit itself */
    const double n = (double)p->data.n, few = n / fmax(n - (double)p->law->n_parameters, 1);
    return fmax(1.4826 * median * sqrt(few), 1e-9 * largest + 1e-300);
}

/* Errors where the curve is now; held while a search goes on. */
static void refresh_errors(curve_problem *p)
{
    for (size_t i = 0; i < p->data.n; i++) {
        double left = 1;
        p->error[i] = ng_curve_points_error(&p->points, i, p->model[i]);
        const double mean = ng_curve_points_mean(&p->points, p->model[i], p->error[i], &left);
        p->unit[i] = p->error[i] * sqrt(left);
        p->residual[i] = (mean - ng_curve_points_y(&p->points, i)) / p->unit[i];
    }
}

static double reweight(curve_problem *p, bool tukey)
{
    double change = 0;
    refresh_errors(p);
    p->scale = robust_scale(p);
    p->points.share = fmin(p->scale, 1);
    for (size_t i = 0; i < p->data.n; i++) {
        const double far = fabs(p->residual[i]) / p->scale, t = far / TUKEY;
        const double weight =
            tukey ? (t < 1 ? (1 - t * t) * (1 - t * t) : 0) : (far < HUBER ? 1 : HUBER / far);
        change = fmax(change, fabs(weight - p->weight[i]));
        p->weight[i] = weight;
    }
    return change;
}

/* What is left of the iterations allowed, 1 at least. */
static size_t left(const curve_problem *p, const ng_curve_options *o)
{
    return p->iterations < o->max_iterations ? o->max_iterations - p->iterations : 1;
}

static bool search_robust(curve_problem *p, const ng_curve_options *o)
{
    bool converged = ng_curve_search(p, o->max_iterations, 1e-3);
    for (int round = 0; round < 3 && p->iterations < o->max_iterations; round++) {
        (void)reweight(p, false);
        converged = ng_curve_search(p, left(p, o), 1e-3);
    }
    for (int round = 0; round < 12 && p->iterations < o->max_iterations; round++) {
        if (reweight(p, true) < 0.01 && round > 0) {
            break;
        }
        converged = ng_curve_search(p, left(p, o), 1e-5);
    }
    return converged;
}

static void find_scale(curve_problem *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->data.n; i++) {
        sum += p->residual[i] * p->residual[i];
    }
    p->scale = sqrt(sum / (double)(p->data.n - p->law->n_parameters)) + 1e-300;
}

/* Least squares; errors that depend on the curve are those of the last round. */
static bool search_plain(curve_problem *p, const ng_curve_options *o)
{
    bool converged = ng_curve_search(p, o->max_iterations, 1e-6);
    for (int round = 0; round < 3 && (p->points.counted || isfinite(p->points.limit)); round++) {
        refresh_errors(p);
        find_scale(p);
        p->points.share = fmin(p->scale, 1);
        converged = ng_curve_search(p, left(p, o), 1e-6);
    }
    return converged;
}

/* ---- start, bounds, refusals ---------------------------------------------------------------- */

static ng_curve_state check_data(const ng_curve_law *law, const ng_curve_data *data)
{
    for (size_t i = 0; i < data->n; i++) {
        const bool error = data->se != NULL && !(data->se[i] > 0 && isfinite(data->se[i]));
        if (!(fabs(data->y[i]) < LARGEST) || !(fabs(data->time_s[i]) < LARGEST) || error ||
            (i > 0 && !(data->time_s[i] > data->time_s[i - 1]))) {
            return NG_CURVE_INVALID;
        }
    }
    return data->n < law->n_parameters + 2 ? NG_CURVE_TOO_FEW : NG_CURVE_OK;
}

static bool place(curve_problem *p)
{
    double start[NG_CURVE_MAX];
    if (!p->law->start(&p->data, start, p->lower, p->upper)) {
        return false;
    }
    for (size_t j = 0; j < p->law->n_parameters; j++) {
        p->lower[j] = to_x(p, j, p->lower[j]);
        p->upper[j] = to_x(p, j, p->upper[j]);
        /* at a bound itself the search could not leave */
        const double u = ng_curve_to_u(p, j, start[j]);
        p->u[j] = fmin(fmax(u, -1.45), 1.45);
    }
    return true;
}

/* S.d. of a point by second differences, of which few are growth or blinking. */
static double noise_of(curve_problem *p)
{
    const double *y = p->data.y;
    const size_t n = p->data.n - 2;
    for (size_t i = 0; i < n; i++) {
        p->scratch[i] = fabs(y[i] - 2 * y[i + 1] + y[i + 2]);
    }
    gsl_sort(p->scratch, 1, n);
    return 1.4826 / sqrt(6) * gsl_stats_median_from_sorted_data(p->scratch, 1, n);
}

static double median_of(curve_problem *p, size_t first, size_t n)
{
    memcpy(p->scratch, p->data.y + first, n * sizeof *p->scratch);
    gsl_sort(p->scratch, 1, n);
    return gsl_stats_median_from_sorted_data(p->scratch, 1, n);
}

/* Does it end higher than it began, by more than noise explains? A crystal that was there all the
 * time rises by chance in every second table. The first few points alone: a quick one is half-grown
 * after them. */
static bool rises(curve_problem *p)
{
    const size_t n = p->data.n, few = n < 12 ? 1 : 3, many = n / 5 > 1 ? n / 5 : 1;
    const double rise = median_of(p, n - many, many) - median_of(p, 0, few);
    /* a median of m is 1.25 times as uncertain as a mean */
    const double loss = few > 1 ? 1.25 : 1;
    return rise > SURE * loss * noise_of(p) * sqrt(1 / (double)few + 1 / (double)many);
}

static ng_status make_problem(const ng_curve_law *law, const ng_curve_data *data, curve_problem *p,
                              ng_error *err)
{
    *p = (curve_problem){.law = law, .data = *data, .held = CURVE_NONE};
    double *space = NG_NEW(double, data->n *(6 + NG_CURVE_MAX));
    if (space == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for a curve of %zu points", data->n);
    }
    p->weight = space;
    p->residual = space + data->n;
    p->scratch = space + 2 * data->n;
    p->model = space + 3 * data->n;
    p->error = space + 4 * data->n;
    p->unit = space + 5 * data->n;
    p->jacobian = space + 6 * data->n;
    ng_curve_points_prepare(&p->data, &p->points);
    for (size_t i = 0; i < data->n; i++) {
        p->weight[i] = 1;
        p->model[i] = ng_curve_points_y(&p->points, i);
    }
    refresh_errors(p);
    return NG_OK;
}

static void free_problem(curve_problem *p)
{
    if (p->all != NULL) {
        gsl_multifit_nlinear_free(p->all);
    }
    if (p->fewer != NULL) {
        gsl_multifit_nlinear_free(p->fewer);
    }
    ng_free(p->weight);
}

static ng_fit_parameter unknown_parameter(void)
{
    const double nan = (double)NAN;
    return (ng_fit_parameter){nan, nan, nan, nan, NG_FIT_NOT_IDENTIFIABLE};
}

static void note_values(const curve_problem *p, ng_curve_fit *out)
{
    for (size_t j = 0; j < p->law->n_parameters; j++) {
        ng_fit_parameter *to = &out->parameter[j];
        const double share = (1 + sin(p->u[j])) / 2;
        to->value = to->lower = to->upper = ng_curve_from_u(p, j, p->u[j]);
        to->flag = share < EDGE || share > 1 - EDGE ? NG_FIT_AT_BOUND : NG_FIT_OK;
    }
    out->scale = p->scale;
    out->iterations = p->iterations;
    for (size_t i = 0; i < p->data.n; i++) {
        out->n_outliers += p->weight[i] < OUTLIER_WEIGHT;
    }
}

/* How much of the end the last point shows: of light, or of the volume where y is a radius. */
static void flag_unseen_end(const curve_problem *p, ng_curve_fit *out)
{
    const ng_curve_law *law = p->law;
    if (law->end >= law->n_parameters) {
        return;
    }
    const double last = ng_curve_fit_value(out, p->data.time_s[p->data.n - 1]);
    const bool radius = strcmp(law->info[law->end].unit, "nm") == 0;
    const double share = pow(last / out->parameter[law->end].value, radius ? 3 : 1);
    for (size_t j = 0; j < law->n_parameters && !(share >= NG_CURVE_SEEN); j++) {
        if ((law->hangs >> j & 1U) != 0) {
            out->parameter[j].flag = NG_FIT_NOT_IDENTIFIABLE;
        }
    }
}

ng_status ng_curve_fit_run(const ng_curve_law *law, const ng_curve_data *data,
                           const ng_curve_options *options, ng_curve_fit *out, ng_error *err)
{
    curve_problem p;
    *out = (ng_curve_fit){.law = law, .n_points = data->n, .state = check_data(law, data)};
    out->scale = out->effective = out->first_s = (double)NAN;
    for (size_t j = 0; j < NG_CURVE_MAX; j++) {
        out->parameter[j] = unknown_parameter();
    }
    if (out->state != NG_CURVE_OK) {
        return NG_OK;
    }
    ng_status status = make_problem(law, data, &p, err);
    if (status != NG_OK) {
        return status;
    }
    out->first_s = data->time_s[0];
    if (!rises(&p) || !place(&p)) {
        out->state = NG_CURVE_NO_RISE;
    } else {
        const bool converged =
            options->robust ? search_robust(&p, options) : search_plain(&p, options);
        if (!options->robust) {
            find_scale(&p);
        }
        out->state = converged ? NG_CURVE_OK : NG_CURVE_NOT_CONVERGED;
        note_values(&p, out);
        ng_curve_intervals(&p, options, out);
        flag_unseen_end(&p, out);
    }
    free_problem(&p);
    return NG_OK;
}

/* ---- what follows --------------------------------------------------------------------------- */

static bool has_estimate(const ng_curve_fit *fit)
{
    return fit->state == NG_CURVE_OK || fit->state == NG_CURVE_NOT_CONVERGED;
}

double ng_curve_fit_value(const ng_curve_fit *fit, double time_s)
{
    double value[NG_CURVE_MAX], slope[NG_CURVE_MAX];
    if (!has_estimate(fit)) {
        return (double)NAN;
    }
    for (size_t j = 0; j < fit->law->n_parameters; j++) {
        value[j] = fit->parameter[j].value;
    }
    return fit->law->value(value, fit->first_s, time_s, slope);
}

double ng_curve_fit_time(const ng_curve_fit *fit, double y, double from_s, double to_s)
{
    if (!(ng_curve_fit_value(fit, from_s) <= y && ng_curve_fit_value(fit, to_s) >= y)) {
        return (double)NAN;
    }
    for (int i = 0; i < 60 && to_s - from_s > 1e-9 * fabs(to_s); i++) {
        const double middle = (from_s + to_s) / 2;
        *(ng_curve_fit_value(fit, middle) < y ? &from_s : &to_s) = middle;
    }
    return (from_s + to_s) / 2;
}

double ng_curve_fit_aic(const ng_curve_fit *fit, const ng_curve_data *data, double scale,
                        double effective)
{
    if (!has_estimate(fit) || !(scale > 0)) {
        return (double)INFINITY;
    }
    const double k = (double)fit->law->n_parameters, limit = TUKEY * TUKEY / 6;
    double sum = 0;
    curve_points points;
    ng_curve_points_prepare(data, &points);
    points.share = fmin(scale, 1);
    for (size_t i = 0; i < data->n; i++) {
        double slope = 1, left = 1;
        const double model =
            ng_curve_points_raise(&points, ng_curve_fit_value(fit, data->time_s[i]), &slope);
        const double error = ng_curve_points_error(&points, i, model);
        const double mean = ng_curve_points_mean(&points, model, error, &left);
        const double far = (ng_curve_points_y(&points, i) - mean) / (error * sqrt(left) * scale);
        const double rest = 1 - fmin(far * far / (TUKEY * TUKEY), 1);
        sum += limit * (1 - rest * rest * rest);
    }
    const double few = effective - k - 1 > 1 ? 2 * k * (k + 1) / (effective - k - 1) : 0;
    return 2 * sum * effective / (double)data->n + 2 * k + few;
}
