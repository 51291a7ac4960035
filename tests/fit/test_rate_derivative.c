/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Normal equations of the search against the residuals themselves: its gradient against central
 * differences of the objective, its matrix against a dense Jacobian from which S(t) is eliminated,
 * and the eliminated S(t) against perturbations. Residuals are taken from the model's rows, another
 * way than the sums that the search uses.
 */
#include "fit_test.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define N N_PARAMETERS
#define MOST_FRAMES 40
#define MOST_COLUMNS (N + MOST_FRAMES)

typedef struct setting {
    const char *name;
    bool published;
    double variance_share; /* limit of V as a share of V without one; 0: none */
} setting;

static const setting settings[] = {
    {"single particles", false, 0.0},
    {"single particles, variance limit", false, 0.2},
    {"psi-flux", true, 0.0},
    {"psi-flux, variance limit", true, 0.2},
};
#define N_SETTINGS (sizeof settings / sizeof settings[0])

/* Away from the truth, so that no gradient vanishes. */
static ng_growth_parameters start_point(void)
{
    return (ng_growth_parameters){3.3, -1.1, 6.0, 0.25, 1.1};
}

static ng_rate_problem *open_problem(const setting *s, ng_rate_cost *cost)
{
    ng_trajectories t = fit_synthetic(11, 40, 36, s->published);
    ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_find("Pt"));
    o.published = s->published;
    o.start = start_point();
    o.delta_mode = NG_DELTA_FIXED;
    o.size_trim = 20;
    o.variance_scale = s->published ? 1.2 : 1.0;
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    assert_true(p->data.n_frames <= MOST_FRAMES && p->data.n_frames > 20);
    *cost = ng_rate_evaluate(p, &o.start);
    if (s->variance_share > 0.0) {
        p->options.variance_limit = s->variance_share * cost->variance;
        *cost = ng_rate_evaluate(p, &o.start);
        assert_true(p->lambda > 0.0);
    }
    ng_trajectories_free(&t);
    return p;
}

/* The objective with the multiplier of the variance limit held: S(t) follows the parameters, and a
 * small change of the multiplier changes this only to second order. */
static double objective_at(ng_rate_problem *p, const double x[N], double lambda)
{
    ng_growth_parameters q;
    ng_rate_from_coordinates(x, &q);
    ng_rate_cost cost = ng_rate_evaluate(p, &q);
    return cost.growth_rate + lambda * cost.variance;
}

/* Fourth-order central difference. Step 2e-4: truncation 1e-12 or less, rounding 1e-12 of the
 * objective, so 1e-8 of it in the slope; the multiplier is bracketed to 1e-6, which leaves no more.
 */
static double slope(ng_rate_problem *p, const double x[N], size_t i, double lambda)
{
    const double h = 2e-4;
    double y[N], f[4];
    for (int k = 0; k < 4; k++) {
        memcpy(y, x, sizeof y);
        y[i] += h * (double)(k < 2 ? k - 2 : k - 1);
        f[k] = objective_at(p, y, lambda);
    }
    return (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * h);
}

static void gradient_is_the_slope_of_the_objective(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SETTINGS; k++) {
        ng_rate_cost cost;
        rate_normal e;
        double x[N], lambda, largest = 0.0;
        ng_rate_problem *p = open_problem(&settings[k], &cost);
        ng_rate_to_coordinates(&p->parameters, x);
        ng_rate_normal_equations(p, &e);
        lambda = p->lambda;
        for (size_t i = 0; i < N; i++) {
            largest = fmax(largest, 2.0 * fabs(e.g[i]));
        }
        for (size_t i = 0; i < N; i++) {
            double want = slope(p, x, i, lambda);
            assert_close(2.0 * e.g[i], want, 1e-6 * largest);
        }
        ng_rate_problem_destroy(p);
    }
}

/* ---- the matrix ------------------------------------------------------------------------------ */

/* All residuals, root weights included, those of the variance curve after those of the rows. */
static size_t residuals(ng_rate_problem *p, const double x[N], const double *S, double *out)
{
    const rate_data *d = &p->data;
    size_t n = 0;
    ng_growth_parameters q;
    double *scratch = calloc(d->max_rows, sizeof *scratch);
    assert_non_null(scratch);
    ng_rate_from_coordinates(x, &q);
    ng_rate_tables_fill(p, &q);
    memcpy(p->supersaturation, S, d->n_frames * sizeof *S);
    for (size_t t = 0; t < d->n_frames; t++) {
        size_t rows = fit_frame_residuals(p, t, scratch, out + n);
        for (size_t i = 0; i < rows; i++) {
            out[n + i] *= sqrt(d->frame[t].scale);
        }
        n += rows;
        ng_rate_variance_frame(p, t);
    }
    (void)ng_rate_variance_cost(p);
    for (size_t t = 0; t < d->n_frames; t++) {
        out[n++] = sqrt(p->lambda / (double)d->n_frames) * p->variance_e[t];
    }
    free(scratch);
    return n;
}

/* J'J over the parameters and the frames whose S may move, by central differences (1e-5 of a
 * coordinate: 1e-10 of truncation, 1e-10 of rounding). */
static size_t dense_matrix(ng_rate_problem *p, const double x[N], const double *S,
                           double h[MOST_COLUMNS][MOST_COLUMNS])
{
    static double *column[MOST_COLUMNS];
    size_t frames = p->data.n_frames, rows = p->data.n_residuals + frames, columns = 0, n = 0;
    double *low = calloc(rows, sizeof *low), y[N], T[MOST_FRAMES];
    assert_non_null(low);
    for (size_t c = 0; c < N + frames; c++) {
        if (c >= N && p->path_fixed[c - N]) {
            continue;
        }
        const double step = 1e-5;
        double *high = calloc(rows, sizeof *high);
        assert_non_null(high);
        for (int side = -1; side <= 1; side += 2) {
            memcpy(y, x, sizeof y);
            memcpy(T, S, frames * sizeof *T);
            *(c < N ? &y[c] : &T[c - N]) += side * step;
            n = residuals(p, y, T, side < 0 ? low : high);
        }
        for (size_t i = 0; i < n; i++) {
            high[i] = (high[i] - low[i]) / (2.0 * step);
        }
        column[columns++] = high;
    }
    for (size_t a = 0; a < columns; a++) {
        for (size_t b = 0; b < columns; b++) {
            h[a][b] = 0.0;
            for (size_t i = 0; i < n; i++) {
                h[a][b] += column[a][i] * column[b][i];
            }
        }
    }
    for (size_t a = 0; a < columns; a++) {
        free(column[a]);
    }
    free(low);
    return columns;
}

/* Gauss elimination from the last column upwards, down to the first N. */
static void eliminate(double h[MOST_COLUMNS][MOST_COLUMNS], size_t columns)
{
    for (size_t k = columns; k-- > N;) {
        for (size_t a = 0; a < k; a++) {
            double part = h[k][k] > 0.0 ? h[a][k] / h[k][k] : 0.0;
            for (size_t b = 0; b < k; b++) {
                h[a][b] -= part * h[k][b];
            }
        }
    }
}

/* What is left after eliminating S is 1e-2 to 1e-4 of what was there: differences good to 1e-9
 * leave 1e-5 of the geometric mean of the diagonal. */
static void matrix_is_that_of_the_residuals(void **state)
{
    (void)state;
    static double h[MOST_COLUMNS][MOST_COLUMNS];
    for (size_t k = 0; k < N_SETTINGS; k++) {
        ng_rate_cost cost;
        rate_normal e;
        double x[N], S[MOST_FRAMES];
        ng_rate_problem *p = open_problem(&settings[k], &cost);
        ng_rate_to_coordinates(&p->parameters, x);
        memcpy(S, p->supersaturation, p->data.n_frames * sizeof *S);
        ng_rate_normal_equations(p, &e);
        size_t columns = dense_matrix(p, x, S, h);
        assert_true(columns > N + 10);
        eliminate(h, columns);
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < N; j++) {
                assert_close(e.h[i][j], h[i][j], 1e-5 * sqrt(h[i][i] * h[j][j]));
                assert_close(e.h[i][j], e.h[j][i], 1e-12 * sqrt(h[i][i] * h[j][j]));
            }
        }
        ng_rate_problem_destroy(p);
    }
}

/* Rounding of the elimination may leave an eigenvalue 1e-10 of the largest below zero, no more. */
static void matrix_has_no_negative_eigenvalue(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SETTINGS; k++) {
        ng_rate_cost cost;
        rate_normal e;
        ng_rate_problem *p = open_problem(&settings[k], &cost);
        ng_rate_normal_equations(p, &e);
        gsl_eigen_symm_workspace *w = gsl_eigen_symm_alloc(N);
        gsl_vector *value = gsl_vector_alloc(N);
        gsl_matrix_view m = gsl_matrix_view_array(&e.h[0][0], N, N);
        assert_int_equal(gsl_eigen_symm(&m.matrix, value, w), GSL_SUCCESS);
        assert_true(gsl_vector_max(value) > 0.0);
        assert_true(gsl_vector_min(value) > -1e-10 * gsl_vector_max(value));
        gsl_vector_free(value);
        gsl_eigen_symm_free(w);
        ng_rate_problem_destroy(p);
    }
}

/* ---- what is eliminated ---------------------------------------------------------------------- */

static double cost_of_residuals(ng_rate_problem *p, const double x[N], const double *S, double *r)
{
    double sum = 0.0;
    size_t n = residuals(p, x, S, r);
    for (size_t i = 0; i < n; i++) {
        sum += r[i] * r[i];
    }
    return sum;
}

/* The cost that is reported is that of the residuals: sums over thousands of rows in another order,
 * which cancel to 1e-2 of their terms, 1e-10. */
static void cost_is_that_of_the_residuals(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_SETTINGS; k++) {
        ng_rate_cost cost;
        double x[N], S[MOST_FRAMES];
        ng_rate_problem *p = open_problem(&settings[k], &cost);
        double *r = calloc(p->data.n_residuals + p->data.n_frames, sizeof *r);
        assert_non_null(r);
        ng_rate_to_coordinates(&p->parameters, x);
        memcpy(S, p->supersaturation, p->data.n_frames * sizeof *S);
        double want = cost_of_residuals(p, x, S, r) - p->lambda * cost.variance;
        assert_close(cost.growth_rate, want, 1e-10 * cost.growth_rate);
        assert_close(cost.objective, cost.growth_rate, 1e-12 * cost.growth_rate);
        free(r);
        ng_rate_problem_destroy(p);
    }
}

/* J + lambda V at the S(t) chosen is lower than beside it: frame by frame, in both directions, and
 * in random directions. Steps cost their square: at 1e-4 of S that is still above the rounding of
 * 1e-12. Frames at the lower bound can only go up. */
static void chosen_supersaturation_is_the_minimum(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(5, 0);
    for (size_t k = 0; k < N_SETTINGS; k++) {
        ng_rate_cost cost;
        double x[N], S[MOST_FRAMES], T[MOST_FRAMES];
        ng_rate_problem *p = open_problem(&settings[k], &cost);
        size_t frames = p->data.n_frames;
        double *r = calloc(p->data.n_residuals + frames, sizeof *r);
        assert_non_null(r);
        ng_rate_to_coordinates(&p->parameters, x);
        memcpy(S, p->supersaturation, frames * sizeof *S);
        double low = cost_of_residuals(p, x, S, r);
        for (size_t trial = 0; trial < 2 * frames + 40; trial++) {
            for (size_t t = 0; t < frames; t++) {
                double to = trial < 2 * frames ? (t == trial / 2 ? (trial % 2 ? 1.0 : -1.0) : 0.0)
                                               : fit_uniform(rng, -1.0, 1.0);
                T[t] = fmax(S[t] + 1e-4 * to * fmax(S[t], 1.0), 0.0);
            }
            assert_true(cost_of_residuals(p, x, T, r) >= low * (1.0 - 1e-12));
        }
        free(r);
        ng_rate_problem_destroy(p);
    }
    ng_random_close(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_the_slope_of_the_objective),
        cmocka_unit_test(matrix_is_that_of_the_residuals),
        cmocka_unit_test(matrix_has_no_negative_eigenvalue),
        cmocka_unit_test(cost_is_that_of_the_residuals),
        cmocka_unit_test(chosen_supersaturation_is_the_minimum),
    };
    return cmocka_run_group_tests_name("normal equations", tests, NULL, NULL);
}
