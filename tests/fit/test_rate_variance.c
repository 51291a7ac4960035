/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The variance curve as a linear map of S(t), on random numbers, against dense matrices. */
#include "fit_test.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define FRAMES 40

/* A problem of which only the curve exists. */
typedef struct curve {
    ng_rate_problem p;
    rate_frame frame[FRAMES];
    double u[FRAMES], w[FRAMES], e[FRAMES], S[FRAMES], path[4 * FRAMES], a[FRAMES], step[FRAMES];
    double from[FRAMES];
    bool fixed[FRAMES];
    rate_nodes nodes;
    rate_quadratic quadratic[FRAMES];
    size_t delta_index[FRAMES];
    gsl_rng *rng;
} curve;

static void curve_open(curve *c, size_t n, uint64_t seed)
{
    double time_s = 0.0;
    *c = (curve){.rng = ng_random_open(seed, 0)};
    assert_non_null(c->rng);
    for (size_t t = 0; t < n; t++) {
        time_s += fit_uniform(c->rng, 0.2, 3.0); /* frames may be missing */
        c->frame[t].time_s = time_s;
        c->frame[t].variance = fit_uniform(c->rng, 1.0, 9.0);
        c->u[t] = fit_uniform(c->rng, -2.0, 3.0); /* a curve may turn round */
        c->w[t] = fit_uniform(c->rng, -3.0, 3.0);
        c->S[t] = fit_uniform(c->rng, 0.0, 4.0);
        c->quadratic[t] = (rate_quadratic){
            .a = fit_uniform(c->rng, 0.1, 2.0), .b = fit_uniform(c->rng, -0.5, 4.0), .known = true};
        c->quadratic[t].c = 10.0 + c->quadratic[t].b * c->quadratic[t].b / c->quadratic[t].a;
    }
    c->nodes.n_delta = 1;
    c->p.data = (rate_data){.nodes = &c->nodes,
                            .psi_flux = true,
                            .n_frames = n,
                            .frame = c->frame,
                            .variance_range = 7.5,
                            .variance_scale = 1.2};
    c->p.options.supersaturation_max = 100.0;
    c->p.variance_u = c->u;
    c->p.variance_w = c->w;
    c->p.variance_e = c->e;
    c->p.supersaturation = c->S;
    c->p.path = c->path;
    c->p.path_a = c->a;
    c->p.path_step = c->step;
    c->p.path_from = c->from;
    c->p.path_fixed = c->fixed;
    c->p.quadratic = c->quadratic;
    c->p.delta_index = c->delta_index;
}

static void curve_close(curve *c)
{
    ng_random_close(c->rng);
}

/* The trapezoid rule as a matrix: (M x)_t = sum of u x over frames, over range sqrt(n). */
static void dense_map(const curve *c, double m[FRAMES][FRAMES])
{
    size_t n = c->p.data.n_frames;
    double norm = c->p.data.variance_range * sqrt((double)n);
    memset(m, 0, sizeof(double) * FRAMES * FRAMES);
    for (size_t t = 1; t < n; t++) {
        double half = 0.5 * (c->frame[t].time_s - c->frame[t - 1].time_s) / norm;
        memcpy(m[t], m[t - 1], sizeof m[t]);
        m[t][t - 1] += half * c->u[t - 1];
        m[t][t] += half * c->u[t];
    }
}

/* Sums of 40 terms of like size: 1e-12 leaves two digits of room. */
static void the_map_is_the_trapezoid_rule(void **state)
{
    (void)state;
    static double m[FRAMES][FRAMES];
    curve c;
    double x[FRAMES], y[FRAMES];
    curve_open(&c, FRAMES, 1);
    dense_map(&c, m);
    for (size_t j = 0; j < FRAMES; j++) {
        memset(x, 0, sizeof x);
        x[j] = 1.0;
        ng_rate_variance_apply(&c.p, x, y);
        for (size_t t = 0; t < FRAMES; t++) {
            assert_close(y[t], m[t][j], 1e-12);
        }
        ng_rate_variance_apply_transposed(&c.p, x, y);
        for (size_t t = 0; t < FRAMES; t++) {
            assert_close(y[t], m[j][t], 1e-12);
        }
    }
    curve_close(&c);
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* <M x, y> = <x, M' y>: relative to the norms, 1e-12. */
static void the_transposed_map_is_adjoint(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        curve c;
        double x[FRAMES], y[FRAMES], mx[FRAMES], my[FRAMES];
        size_t n = 2 + seed % (FRAMES - 1);
        curve_open(&c, n, seed);
        for (size_t t = 0; t < n; t++) {
            x[t] = fit_uniform(c.rng, -1.0, 1.0);
            y[t] = fit_uniform(c.rng, -1.0, 1.0);
        }
        ng_rate_variance_apply(&c.p, x, mx);
        ng_rate_variance_apply_transposed(&c.p, y, my);
        double scale = sqrt(dot(mx, mx, n) * dot(y, y, n)) + sqrt(dot(x, x, n) * dot(my, my, n));
        assert_close(dot(mx, y, n), dot(x, my, n), 1e-12 * scale);
        curve_close(&c);
    }
}

/* e(t) at S is M S plus what is there without S. */
static void the_misfit_is_the_map_plus_a_constant(void **state)
{
    (void)state;
    curve c;
    double at[FRAMES], zero[FRAMES], mx[FRAMES];
    curve_open(&c, FRAMES, 3);
    double V = ng_rate_variance_cost(&c.p);
    memcpy(at, c.e, sizeof at);
    ng_rate_variance_apply(&c.p, c.S, mx);
    memset(c.S, 0, sizeof c.S);
    (void)ng_rate_variance_cost(&c.p);
    memcpy(zero, c.e, sizeof zero);
    for (size_t t = 0; t < FRAMES; t++) {
        /* e is divided by the range alone, M by sqrt(n) more */
        assert_close(at[t], zero[t] + mx[t] * sqrt(FRAMES), 1e-11);
    }
    assert_close(V, dot(at, at, FRAMES) / FRAMES, 1e-12 * V);
    assert_close(at[0], 0.0, 1e-15);
    curve_close(&c);
}

/* (diag(a) + lambda M'M) x = r over the rows that are not fixed, by Cholesky. */
static void dense_solve(const curve *c, const double *a, double lambda, const bool *fixed,
                        double *x)
{
    static double m[FRAMES][FRAMES], h[FRAMES * FRAMES];
    size_t n = c->p.data.n_frames, at[FRAMES], k = 0;
    double r[FRAMES];
    dense_map(c, m);
    for (size_t t = 0; t < n; t++) {
        if (!fixed[t]) {
            r[k] = x[t];
            at[k++] = t;
        }
        x[t] = 0.0;
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            double sum = i == j ? a[at[i]] : 0.0;
            for (size_t t = 0; t < n; t++) {
                sum += lambda * m[t][at[i]] * m[t][at[j]];
            }
            h[i * k + j] = sum;
        }
    }
    if (k > 0) {
        gsl_matrix_view matrix = gsl_matrix_view_array(h, k, k);
        gsl_vector_view right = gsl_vector_view_array(r, k);
        assert_int_equal(gsl_linalg_cholesky_decomp1(&matrix.matrix), GSL_SUCCESS);
        assert_int_equal(gsl_linalg_cholesky_svx(&matrix.matrix, &right.vector), GSL_SUCCESS);
    }
    for (size_t i = 0; i < k; i++) {
        x[at[i]] = r[i];
    }
}

/* The larger lambda, the worse the condition, up to 1e8 here: Cholesky itself is good to 1e-8. */
static void the_solver_agrees_with_a_dense_one(void **state)
{
    (void)state;
    static const double lambda[] = {0.0, 1e-3, 1.0, 1e3, 1e6};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        curve c;
        double a[FRAMES], x[FRAMES], want[FRAMES], largest = 0.0;
        size_t n = 2 + seed % (FRAMES - 1);
        curve_open(&c, n, seed);
        for (size_t t = 0; t < n; t++) {
            a[t] = fit_uniform(c.rng, 0.01, 2.0);
            x[t] = want[t] = fit_uniform(c.rng, -5.0, 5.0);
            c.fixed[t] = seed % 2 == 0 && gsl_rng_uniform(c.rng) < 0.3;
        }
        ng_rate_variance_solve(&c.p, a, lambda[seed % 5], c.fixed, x);
        dense_solve(&c, a, lambda[seed % 5], c.fixed, want);
        for (size_t t = 0; t < n; t++) {
            largest = fmax(largest, fabs(want[t]));
        }
        for (size_t t = 0; t < n; t++) {
            assert_close(x[t], want[t], 1e-8 * largest);
            assert_true(!c.fixed[t] || x[t] == 0.0);
        }
        curve_close(&c);
    }
}

/* All rows fixed, or none with any curvature: nothing moves, nothing is divided by zero. */
static void what_cannot_move_stays(void **state)
{
    (void)state;
    curve c;
    double a[FRAMES] = {0.0}, x[FRAMES];
    curve_open(&c, FRAMES, 5);
    for (size_t t = 0; t < FRAMES; t++) {
        x[t] = 1.0;
        c.fixed[t] = true;
    }
    ng_rate_variance_solve(&c.p, a, 1.0, c.fixed, x);
    for (size_t t = 0; t < FRAMES; t++) {
        assert_true(x[t] == 0.0);
        x[t] = 1.0;
        c.fixed[t] = false;
    }
    ng_rate_variance_solve(&c.p, a, 0.0, c.fixed, x);
    for (size_t t = 0; t < FRAMES; t++) {
        assert_true(x[t] == 0.0);
    }
    curve_close(&c);
}

/* Cost that S(t) minimises: sum of the frames' quadratics + lambda V. */
static double total_cost(curve *c, double lambda)
{
    double sum = 0.0;
    for (size_t t = 0; t < c->p.data.n_frames; t++) {
        const rate_quadratic *q = &c->quadratic[t];
        sum += q->c + c->S[t] * (q->a * c->S[t] - 2.0 * q->b);
    }
    return sum + lambda * ng_rate_variance_cost(&c->p);
}

static double growth_cost(curve *c)
{
    return total_cost(c, 0.0);
}

/* Quadratics and a curve that agree on an S(t) well inside the bounds but for some noise. */
static void make_agree(curve *c)
{
    for (size_t t = 0; t < c->p.data.n_frames; t++) {
        double S = fit_uniform(c->rng, 30.0, 60.0);
        c->frame[t].variance = 5.0;
        c->u[t] = fit_uniform(c->rng, 0.5, 2.0);
        c->w[t] = c->u[t] * S + fit_uniform(c->rng, -1.0, 1.0);
        rate_quadratic *q = &c->quadratic[t];
        q->b = q->a * (S + fit_uniform(c->rng, -1.0, 1.0));
        q->c = 1.0 + q->b * q->b / q->a;
    }
}

static void require_inside(const curve *c)
{
    for (size_t t = 0; t < c->p.data.n_frames; t++) {
        assert_true(c->S[t] > 0.0 && c->S[t] < c->p.options.supersaturation_max);
    }
}

/* Along lambda one cost falls and the other rises, up to what rounding leaves of large sums. */
static void variance_falls_and_growth_cost_rises_with_lambda(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        curve c;
        curve_open(&c, FRAMES, seed);
        make_agree(&c);
        double before = (double)INFINITY, growth_before = 0.0, first = 0.0;
        for (double lambda = 1e-4; lambda < 1e5; lambda *= 10.0) {
            ng_rate_variance_path(&c.p, lambda);
            require_inside(&c);
            double V = ng_rate_variance_cost(&c.p), growth = growth_cost(&c);
            first = first > 0.0 ? first : V;
            assert_true(V < before);
            assert_true(growth >= growth_before - 1e-9 * growth);
            before = V;
            growth_before = growth;
        }
        assert_true(before < 0.05 * first); /* so that all of lambda was used */
        curve_close(&c);
    }
}

/* Where no bound is met the path is the one minimum: any other S(t) costs more, down to the
 * rounding of sums of squares (1e-12). */
static void the_path_is_the_minimum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        curve c;
        double best[FRAMES];
        curve_open(&c, FRAMES, seed);
        make_agree(&c);
        ng_rate_variance_path(&c.p, 3.0);
        require_inside(&c);
        double low = total_cost(&c, 3.0);
        memcpy(best, c.S, sizeof best);
        for (size_t trial = 0; trial < 200; trial++) {
            double length = pow(10.0, fit_uniform(c.rng, -5.0, 0.0));
            for (size_t t = 0; t < FRAMES; t++) {
                c.S[t] = best[t] + length * fit_uniform(c.rng, -1.0, 1.0);
            }
            assert_true(total_cost(&c, 3.0) >= low - 1e-12 * fabs(low));
        }
        curve_close(&c);
    }
}

/* Bounds: S(t) stays inside, and a frame in between has no slope left (1e-9 of its own curvature).
 */
static void the_path_stays_within_bounds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        curve c;
        double gradient[FRAMES], e[FRAMES];
        curve_open(&c, FRAMES, seed);
        c.p.options.supersaturation_max = 5.0;
        ng_rate_variance_path(&c.p, 2.0);
        (void)ng_rate_variance_cost(&c.p);
        for (size_t t = 0; t < FRAMES; t++) {
            e[t] = c.e[t] / sqrt(FRAMES);
        }
        ng_rate_variance_apply_transposed(&c.p, e, gradient);
        for (size_t t = 0; t < FRAMES; t++) {
            const rate_quadratic *q = &c.quadratic[t];
            assert_true(c.S[t] >= 0.0 && c.S[t] <= 5.0);
            if (c.S[t] > 0.0 && c.S[t] < 5.0) {
                assert_close(q->a * c.S[t] - q->b + 2.0 * gradient[t], 0.0, 1e-9);
            }
        }
        curve_close(&c);
    }
}

/* Bounds met or not, the path is the minimum of a convex function over a box: coordinate descent,
 * each coordinate exact and clipped, cannot find less. */
static void the_path_is_the_bounded_minimum(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        curve c;
        curve_open(&c, 6, seed);
        c.p.options.supersaturation_max = 5.0;
        double lambda = pow(10.0, fit_uniform(c.rng, -2.0, 3.0));
        ng_rate_variance_path(&c.p, lambda);
        double found = total_cost(&c, lambda);
        for (size_t i = 0; i < 2000 * 6; i++) {
            double *S = &c.S[i % 6], at = *S, f[3];
            for (int k = 0; k < 3; k++) {
                *S = at + (double)k - 1.0;
                f[k] = total_cost(&c, lambda);
            }
            *S = fmin(fmax(at - 0.5 * (f[2] - f[0]) / (f[0] - 2.0 * f[1] + f[2]), 0.0), 5.0);
        }
        double best = total_cost(&c, lambda);
        /* 1e-6: what 2000 rounds of descent leave */
        assert_true(best >= found * (1.0 - 1e-6));
        curve_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_is_the_trapezoid_rule),
        cmocka_unit_test(the_transposed_map_is_adjoint),
        cmocka_unit_test(the_misfit_is_the_map_plus_a_constant),
        cmocka_unit_test(the_solver_agrees_with_a_dense_one),
        cmocka_unit_test(what_cannot_move_stays),
        cmocka_unit_test(variance_falls_and_growth_cost_rises_with_lambda),
        cmocka_unit_test(the_path_is_the_minimum),
        cmocka_unit_test(the_path_stays_within_bounds),
        cmocka_unit_test(the_path_is_the_bounded_minimum),
    };
    return cmocka_run_group_tests_name("variance curve", tests, NULL, NULL);
}
