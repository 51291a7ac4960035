/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sparse assignment against all possibilities of small problems, and against a dense solver. */
#include "particle/assign.h"

#include <math.h>

#include "test_support.h"

#define MOST 40

typedef struct problem {
    size_t first[MOST + 1], column[MOST * MOST];
    double cost[MOST * MOST], none[MOST];
    ng_assignment a;
} problem;

static void make_random(problem *p, size_t rows, size_t columns, double filled, bool ties,
                        gsl_rng *rng)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        p->first[i] = n;
        for (size_t j = 0; j < columns; j++) {
            if (gsl_rng_uniform(rng) < filled) {
                p->column[n] = j;
                p->cost[n++] =
                    ties ? (double)gsl_rng_uniform_int(rng, 4) : 10.0 * gsl_rng_uniform(rng) - 2.0;
            }
        }
        p->none[i] = ties ? 3.0 : 8.0 * gsl_rng_uniform(rng);
    }
    p->first[rows] = n;
    p->a = (ng_assignment){rows, columns, p->first, p->column, p->cost, p->none};
}

/* Least cost of rows `row` and on, columns in `used` gone. */
static double try_all(const problem *p, size_t row, unsigned used)
{
    if (row == p->a.n_rows) {
        return 0.0;
    }
    double best = p->none[row] + try_all(p, row + 1, used);
    for (size_t k = p->first[row]; k < p->first[row + 1]; k++) {
        if ((used & (1U << p->column[k])) == 0) {
            best = fmin(best, p->cost[k] + try_all(p, row + 1, used | (1U << p->column[k])));
        }
    }
    return best;
}

/* Cost of what was taken; each column once, only those offered. */
static double cost_of(const problem *p, const size_t *taken)
{
    bool used[MOST] = {false};
    double sum = 0.0;
    for (size_t i = 0; i < p->a.n_rows; i++) {
        if (taken[i] == NG_NONE) {
            sum += p->none[i];
            continue;
        }
        assert_false(used[taken[i]]);
        used[taken[i]] = true;
        size_t k = p->first[i];
        while (k < p->first[i + 1] && p->column[k] != taken[i]) {
            k++;
        }
        assert_true(k < p->first[i + 1]);
        sum += p->cost[k];
    }
    return sum;
}

static void small_problems_against_all_possibilities(void **state)
{
    (void)state;
    static problem p;
    size_t taken[MOST];
    ng_assign_work work = {.n_rows = 0};
    gsl_rng *rng = ng_random_open(1, 0);
    for (int round = 0; round < 4000; round++) {
        make_random(&p, 1 + gsl_rng_uniform_int(rng, 6), 1 + gsl_rng_uniform_int(rng, 6),
                    0.2 + 0.8 * gsl_rng_uniform(rng), round % 3 == 0, rng);
        assert_int_equal(ng_assign(&p.a, &work, taken, NULL), NG_OK);
        /* sums of at most six numbers below ten: rounding only */
        assert_close(cost_of(&p, taken), try_all(&p, 0, 0), 1e-12);
    }
    ng_assign_work_free(&work);
    ng_random_close(rng);
}

/* The Hungarian method on a full square matrix: rows x (columns and one private column a row), by
 * potentials and augmenting rows (Munkres), written for clarity. */
static double solve_dense(const problem *p)
{
    static double cost[MOST + 1][2 * MOST + 1];
    double u[MOST + 1] = {0}, v[2 * MOST + 1] = {0}, least[2 * MOST + 1];
    size_t match[2 * MOST + 1] = {0}, way[2 * MOST + 1];
    bool used[2 * MOST + 1];
    size_t n = p->a.n_rows, m = p->a.n_columns + n;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            cost[i][j] = 1e6;
        }
        for (size_t k = p->first[i - 1]; k < p->first[i]; k++) {
            cost[i][p->column[k] + 1] = p->cost[k];
        }
        cost[i][p->a.n_columns + i] = p->none[i - 1];
    }
    for (size_t i = 1; i <= n; i++) {
        size_t at = 0;
        match[0] = i;
        for (size_t j = 0; j <= m; j++) {
            least[j] = HUGE_VAL;
            used[j] = false;
        }
        do {
            size_t row = match[at], to = 0;
            double delta = HUGE_VAL;
            used[at] = true;
            for (size_t j = 1; j <= m; j++) {
                double reduced = cost[row][j] - u[row] - v[j];
                if (!used[j] && reduced < least[j]) {
                    least[j] = reduced;
                    way[j] = at;
                }
                if (!used[j] && least[j] < delta) {
                    delta = least[j];
                    to = j;
                }
            }
            for (size_t j = 0; j <= m; j++) {
                if (used[j]) {
                    u[match[j]] += delta;
                    v[j] -= delta;
                } else {
                    least[j] -= delta;
                }
            }
            at = to;
        } while (match[at] != 0);
        for (; at != 0; at = way[at]) {
            match[at] = match[way[at]];
        }
    }
    double sum = 0.0;
    for (size_t j = 1; j <= m; j++) {
        sum += match[j] != 0 ? cost[match[j]][j] : 0.0;
    }
    return sum;
}

static void larger_problems_against_a_dense_solver(void **state)
{
    (void)state;
    static problem p;
    size_t taken[MOST];
    ng_assign_work work = {.n_rows = 0};
    gsl_rng *rng = ng_random_open(2, 0);
    for (int round = 0; round < 200; round++) {
        make_random(&p, MOST - gsl_rng_uniform_int(rng, 20), MOST - gsl_rng_uniform_int(rng, 20),
                    0.05 + 0.9 * gsl_rng_uniform(rng), round % 4 == 0, rng);
        assert_int_equal(ng_assign(&p.a, &work, taken, NULL), NG_OK);
        /* potentials of the dense solver pass through 1e6: 1e-16 of that, forty times */
        assert_close(cost_of(&p, taken), solve_dense(&p), 1e-8);
    }
    ng_assign_work_free(&work);
    ng_random_close(rng);
}

/* Every source wants every target: the one conflict that is as large as the problem. */
static void one_large_conflict_is_solved(void **state)
{
    (void)state;
    enum { N = 400 };
    size_t *first = NG_NEW(size_t, N + 1), *column = NG_NEW(size_t, N * N);
    size_t *taken = NG_NEW(size_t, N);
    double *cost = NG_NEW(double, N *N), *none = NG_NEW(double, N);
    for (size_t i = 0; i < N; i++) {
        first[i + 1] = (i + 1) * N;
        none[i] = 1e9;
        for (size_t j = 0; j < N; j++) {
            column[i * N + j] = j;
            cost[i * N + j] = fabs((double)i - (double)(N - 1 - j)); /* best: j = N-1-i */
        }
    }
    ng_assignment a = {N, N, first, column, cost, none};
    ng_assign_work work = {.n_rows = 0};
    assert_int_equal(ng_assign(&a, &work, taken, NULL), NG_OK);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(taken[i], N - 1 - i);
    }
    ng_assign_work_free(&work);
    ng_free(first);
    ng_free(column);
    ng_free(taken);
    ng_free(cost);
    ng_free(none);
}

static void nothing_to_assign(void **state)
{
    (void)state;
    size_t first[2] = {0, 0}, taken[1] = {7};
    double none[1] = {1.0};
    ng_assign_work work = {.n_rows = 0};
    ng_assignment a = {0, 0, first, NULL, NULL, NULL};
    assert_int_equal(ng_assign(&a, &work, NULL, NULL), NG_OK);
    a = (ng_assignment){1, 0, first, NULL, NULL, none};
    assert_int_equal(ng_assign(&a, &work, taken, NULL), NG_OK);
    assert_true(taken[0] == NG_NONE);
    ng_assign_work_free(&work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_problems_against_all_possibilities),
        cmocka_unit_test(larger_problems_against_a_dense_solver),
        cmocka_unit_test(one_large_conflict_is_solved),
        cmocka_unit_test(nothing_to_assign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
