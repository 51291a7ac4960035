/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the points say of a curve's parameters: standard errors and profiles. */
#include "curve_internal.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define P NG_CURVE_MAX
/* Valleys of weak data are long: a search cut short makes an interval too narrow. */
#define PROFILE_ITERATIONS 100
#define PROFILE_TOLERANCE 1e-4
#define OFF_BOUND 1.45 /* an angle */
#define BISECTIONS 8
#define WIDE 100.0 /* a parameter of logarithmic range that may be a hundred times larger */

/* Information over the parameters that are not at a bound, in angles. */
typedef struct information {
    size_t n, index[P];
    double naive[P][P];  /* covariance of the weighted least squares */
    double robust[P][P]; /* covariance of the M-estimator */
    double quantile;     /* Student's */
    double variance;     /* of a residual, weighted */
} information;

/* How much less n points tell than n independent ones: the autocorrelation, summed until it is
 * lost in noise. */
static double inflation(const curve_problem *p)
{
    const size_t n = p->data.n;
    double zero = 0, sum = 1;
    for (size_t i = 0; i < n; i++) {
        const double x = p->weight[i] * p->residual[i];
        zero += x * x;
    }
    for (size_t lag = 1; lag < n / 4 && zero > 0; lag++) {
        double product = 0;
        for (size_t i = lag; i < n; i++) {
            product += p->weight[i] * p->residual[i] * p->weight[i - lag] * p->residual[i - lag];
        }
        /* the fit itself takes p/n of every lag */
        const double rho = product / zero + (double)p->law->n_parameters / (double)n;
        if (rho < 1 / sqrt((double)n)) {
            break;
        }
        sum += 2 * rho;
    }
    return sum;
}

/* Mean of the derivative of the influence function: what the outliers leave of the slope. */
static double mean_response(const curve_problem *p, bool robust)
{
    double sum = 0;
    for (size_t i = 0; i < p->data.n && robust; i++) {
        const double t = p->residual[i] / (NG_CURVE_TUKEY * p->scale), s = t * t;
        sum += s < 1 ? (1 - s) * (1 - 5 * s) : 0;
    }
    return robust ? fmax(sum / (double)p->data.n, 0.1) : 1;
}

static void sum_products(const curve_problem *p, const information *info, double all[P][P],
                         double weighted[P][P])
{
    memset(all, 0, sizeof(double[P][P]));
    memset(weighted, 0, sizeof(double[P][P]));
    for (size_t i = 0; i < p->data.n; i++) {
        for (size_t a = 0; a < info->n; a++) {
            const double ja = p->jacobian[i * P + info->index[a]];
            for (size_t b = 0; b <= a; b++) {
                const double product = ja * p->jacobian[i * P + info->index[b]];
                all[a][b] += product;
                weighted[a][b] += p->weight[i] * product;
            }
        }
    }
}

/* Squared scores. A point that pulls the curve to itself shows too small a residual: it counts as
 * 1/(1 - leverage) larger (HC3 of MacKinnon and White, J. Econometrics 29, 305 (1985)). */
static void sum_scores(const curve_problem *p, const information *info, double bread[P][P],
                       double scores[P][P])
{
    memset(scores, 0, sizeof(double[P][P]));
    for (size_t i = 0; i < p->data.n; i++) {
        const double *j = p->jacobian + i * P;
        double leverage = 0;
        for (size_t a = 0; a < info->n; a++) {
            for (size_t b = 0; b < info->n; b++) {
                leverage += j[info->index[a]] * bread[a][b] * j[info->index[b]];
            }
        }
        const double score = p->weight[i] * p->residual[i] / fmax(1 - leverage, 0.05);
        for (size_t a = 0; a < info->n; a++) {
            for (size_t b = 0; b <= a; b++) {
                scores[a][b] += score * score * j[info->index[a]] * j[info->index[b]];
            }
        }
    }
}

/* Inverse of a matrix given by its lower half; false when it has none. */
static bool invert(size_t n, double half[P][P], double inverse[P][P])
{
    double data[P * P];
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b <= a; b++) {
            data[a * n + b] = data[b * n + a] = half[a][b];
        }
    }
    /* GSL's handler would end the program at a matrix without a root */
    gsl_matrix_view m = gsl_matrix_view_array(data, n, n);
    size_t order[P];
    gsl_permutation permutation = {n, order};
    double result[P * P];
    gsl_matrix_view r = gsl_matrix_view_array(result, n, n);
    if (gsl_linalg_mcholesky_decomp(&m.matrix, &permutation, NULL) != GSL_SUCCESS ||
        gsl_linalg_mcholesky_invert(&m.matrix, &permutation, &r.matrix) != GSL_SUCCESS) {
        return false;
    }
    bool positive = true;
    for (size_t a = 0; a < n; a++) {
        positive = positive && result[a * n + a] > 0 && isfinite(result[a * n + a]);
        for (size_t b = 0; b < n; b++) {
            inverse[a][b] = result[a * n + b];
        }
    }
    return positive;
}

static void sandwich(size_t n, double bread[P][P], double filling[P][P], double factor,
                     double out[P][P])
{
    double half[P][P];
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            half[a][b] = 0;
            for (size_t c = 0; c < n; c++) {
                half[a][b] += bread[a][c] * filling[c > b ? c : b][c > b ? b : c];
            }
        }
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            out[a][b] = 0;
            for (size_t c = 0; c < n; c++) {
                out[a][b] += half[a][c] * bread[c][b] * factor;
            }
        }
    }
}

static bool inform(curve_problem *p, const ng_curve_options *o, ng_curve_fit *out,
                   information *info)
{
    double all[P][P], weighted[P][P], scores[P][P], bread[P][P], weights = 0;
    *info = (information){0};
    for (size_t j = 0; j < p->law->n_parameters; j++) {
        if (out->parameter[j].flag == NG_FIT_OK) {
            info->index[info->n++] = j;
        }
    }
    for (size_t i = 0; i < p->data.n; i++) {
        weights += p->weight[i];
    }
    const double k = (double)p->law->n_parameters, more = inflation(p);
    out->effective = fmax(weights / more, 1);
    info->quantile = gsl_cdf_tdist_Pinv((1 + o->level) / 2, fmax(out->effective - k, 1));
    info->variance = ng_curve_weighted_cost(p) / fmax(weights - k, 1) + 1e-300;
    sum_products(p, info, all, weighted);
    if (info->n == 0 || !invert(info->n, weighted, info->naive) || !invert(info->n, all, bread)) {
        return false;
    }
    sum_scores(p, info, bread, scores);
    const double response = mean_response(p, o->robust);
    sandwich(info->n, bread, scores, more / (response * response), info->robust);
    for (size_t a = 0; a < info->n; a++) {
        for (size_t b = 0; b < info->n; b++) {
            info->naive[a][b] *= info->variance;
        }
    }
    return true;
}

/* ---- profiles ------------------------------------------------------------------------------- */

/* Place in the information of a parameter; its n for one at a bound. */
static size_t place_of(const information *info, size_t j)
{
    size_t a = 0;
    while (a < info->n && info->index[a] != j) {
        a++;
    }
    return a;
}

/* Root of the deviance at an angle of parameter j; others follow from where they were at another
 * one, `from`. */
static double profile_root(curve_problem *p, const information *info, size_t j, const double *from,
                           double cost, double angle)
{
    const size_t a = place_of(info, j);
    memcpy(p->u, from, sizeof p->u);
    for (size_t b = 0; a < info->n && b < info->n; b++) {
        p->u[info->index[b]] += (angle - from[j]) * info->naive[b][a] / info->naive[a][a];
    }
    for (size_t k = 0; k < p->law->n_parameters; k++) {
        /* at a bound itself the slope is 0: the search could not leave it */
        p->u[k] = fmin(fmax(p->u[k], -OFF_BOUND), OFF_BOUND);
    }
    p->u[j] = angle;
    p->held = j;
    (void)ng_curve_search(p, PROFILE_ITERATIONS, PROFILE_TOLERANCE);
    p->held = CURVE_NONE;
    return sqrt(fmax(ng_curve_weighted_cost(p) - cost, 0) / info->variance);
}

/* Angle at which the calibrated profile ends on one side; at_bound where it does not. */
static double profile_end(curve_problem *p, const information *info, size_t a, const double *best,
                          double cost, double side, bool *at_bound)
{
    const double u = best[info->index[a]], room = M_PI / 2 - side * u;
    const double limit = info->quantile * sqrt(fmax(info->robust[a][a] / info->naive[a][a], 1));
    double inside = 0, outside = room, step = fmin(limit * sqrt(info->naive[a][a]), room);
    double root_inside = 0, from[P];
    memcpy(from, best, sizeof from);
    *at_bound = false;
    for (int i = 0; i < 8; i++) {
        const double root = profile_root(p, info, info->index[a], from, cost, u + side * step);
        if (fabs(root - limit) < 0.03 * limit) {
            return u + side * step;
        }
        if (root < limit) {
            if (step >= room) {
                *at_bound = true;
                return u + side * room;
            }
            inside = step;
            root_inside = root;
            memcpy(from, p->u, sizeof from);
        } else {
            outside = step;
        }
        /* through the last point and the inner one; doubled at most */
        const double slope = root < limit ? root / step : (root - root_inside) / (step - inside);
        double next = inside + (limit - root_inside) / slope;
        next = fmin(next, 2 * step);
        step = next > inside && next < outside ? next : (inside + outside) / 2;
        step = next >= room && outside >= room ? room : step;
    }
    return u + side * step;
}

static void flag(const curve_problem *p, size_t j, bool lower_at_bound, bool upper_at_bound,
                 ng_fit_parameter *to)
{
    const double range = p->upper[j] - p->lower[j];
    const bool ratio = p->law->info[j].logarithmic;
    const double width = ratio ? log(to->upper / to->lower) : to->upper - to->lower;
    if (width > range / 2 || (ratio && width > log(WIDE))) {
        to->flag = NG_FIT_NOT_IDENTIFIABLE;
    } else if (lower_at_bound || upper_at_bound) {
        to->flag = NG_FIT_AT_BOUND;
    }
}

static void put_interval(curve_problem *p, const information *info, size_t a, const double *best,
                         double cost, ng_fit_parameter *to)
{
    const size_t j = info->index[a];
    bool low = false, high = false;
    const double lower = profile_end(p, info, a, best, cost, -1, &low);
    const double upper = profile_end(p, info, a, best, cost, 1, &high);
    to->lower = fmin(ng_curve_from_u(p, j, lower), to->value);
    to->upper = fmax(ng_curve_from_u(p, j, upper), to->value);
    flag(p, j, low, high, to);
}

/* An estimate at a bound: from there to where the profile reaches the quantile, by halves. */
static void put_interval_at_bound(curve_problem *p, const information *info, size_t j,
                                  const double *best, double cost, ng_fit_parameter *to)
{
    double inside = best[j] > 0 ? M_PI / 2 : -M_PI / 2, outside = -inside;
    for (int i = 0; i < BISECTIONS; i++) {
        const double angle = i == 0 ? outside : (inside + outside) / 2;
        const bool in = profile_root(p, info, j, best, cost, angle) < info->quantile;
        *(in ? &inside : &outside) = angle;
        if (i == 0 && in) {
            break;
        }
    }
    to->lower = fmin(to->value, ng_curve_from_u(p, j, inside));
    to->upper = fmax(to->value, ng_curve_from_u(p, j, inside));
}

/* Nothing is known: the interval is the range. */
static void put_range(const curve_problem *p, size_t j, ng_fit_parameter *to)
{
    to->lower = ng_curve_from_u(p, j, -M_PI / 2);
    to->upper = ng_curve_from_u(p, j, M_PI / 2);
    to->se = (double)INFINITY;
    to->flag = NG_FIT_NOT_IDENTIFIABLE;
}

static void note_errors(const curve_problem *p, const information *info, ng_curve_fit *out)
{
    for (size_t a = 0; a < info->n; a++) {
        const size_t j = info->index[a];
        ng_fit_parameter *to = &out->parameter[j];
        const double angle = sqrt(info->robust[a][a]);
        const double near = 1e-6 * (M_PI / 2);
        to->se =
            angle *
            fabs(ng_curve_from_u(p, j, p->u[j] + near) - ng_curve_from_u(p, j, p->u[j] - near)) /
            (2 * near);
        for (size_t b = 0; b < info->n; b++) {
            out->correlation[j][info->index[b]] =
                info->robust[a][b] / sqrt(info->robust[a][a] * info->robust[b][b]);
        }
    }
}

void ng_curve_intervals(curve_problem *p, const ng_curve_options *options, ng_curve_fit *out)
{
    information info;
    double best[P];
    const bool informed = inform(p, options, out, &info);
    for (size_t j = 0; j < p->law->n_parameters && !informed; j++) {
        put_range(p, j, &out->parameter[j]);
    }
    if (!informed) {
        return;
    }
    note_errors(p, &info, out);
    const double cost = ng_curve_weighted_cost(p);
    memcpy(best, p->u, sizeof best);
    for (size_t j = 0; j < p->law->n_parameters && options->intervals; j++) {
        const size_t a = place_of(&info, j);
        if (a < info.n) {
            put_interval(p, &info, a, best, cost, &out->parameter[j]);
        } else {
            put_interval_at_bound(p, &info, j, best, cost, &out->parameter[j]);
        }
    }
}
