/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bordered solver against the dense matrix of the mass-coupled equations. */
#include "solve/solve_internal.h"

#include "test_support.h"

#include <gsl/gsl_linalg.h>
#include <math.h>

#define SIZES 30
#define ROWS (SIZES + 1)
#define TRIALS 50

typedef struct problem {
    double attach[SIZES], detach[SIZES], density[SIZES], response[SIZES], link[SIZES];
    ng_bordered bordered;
} problem;

static void draw(problem *p, gsl_rng *rng, long n_min, double entry_slope)
{
    for (size_t i = 0; i < SIZES; i++) {
        p->attach[i] = 50.0 * gsl_rng_uniform(rng);
        p->detach[i] = 50.0 * gsl_rng_uniform(rng);
        p->density[i] = gsl_rng_uniform(rng);
    }
    p->bordered = (ng_bordered){.count = SIZES,
                                .n_min = n_min,
                                .attach = p->attach,
                                .detach = p->detach,
                                .density = p->density,
                                .supersaturation = 3.0 * gsl_rng_uniform(rng),
                                .entry_slope = entry_slope,
                                .step_s = gsl_rng_uniform(rng),
                                .response = p->response,
                                .link = p->link};
}

/* Derivatives of all rates of change by all unknowns, from the definition of J_n. */
static void jacobian(const problem *p, double J[ROWS][ROWS])
{
    const ng_bordered *b = &p->bordered;
    for (size_t i = 0; i < ROWS * ROWS; i++) {
        J[i / ROWS][i % ROWS] = 0.0;
    }
    for (size_t face = 0; face < SIZES; face++) { /* below size `face` */
        double by[ROWS] = {0};
        const double used = face == 0 ? (double)b->n_min : 1.0;
        by[0] = face == 0 ? b->entry_slope : p->attach[face - 1] * p->density[face - 1];
        by[face + 1] = -p->detach[face];
        if (face > 0) {
            by[face] = b->supersaturation * p->attach[face - 1];
        }
        for (size_t k = 0; k < ROWS; k++) {
            J[face + 1][k] += by[k];
            J[face][k] -= face > 0 ? by[k] : 0.0;
            J[0][k] -= used * by[k];
        }
    }
}

/* 1e-11: the dense elimination loses some digits, ours does not. */
static void check(problem *p, gsl_rng *rng)
{
    static double J[ROWS][ROWS], M[ROWS * ROWS], right[ROWS], found[ROWS], wanted[ROWS];
    int sign;
    jacobian(p, J);
    for (size_t i = 0; i < ROWS; i++) {
        right[i] = gsl_rng_uniform(rng) - 0.5;
        for (size_t k = 0; k < ROWS; k++) {
            M[i * ROWS + k] = (i == k) - p->bordered.step_s * J[i][k];
        }
    }
    gsl_matrix_view matrix = gsl_matrix_view_array(M, ROWS, ROWS);
    gsl_vector_view b = gsl_vector_view_array(right, ROWS), x = gsl_vector_view_array(wanted, ROWS);
    gsl_permutation *permutation = gsl_permutation_alloc(ROWS);
    ng_bordered_solve(&p->bordered, right, found);
    gsl_linalg_LU_decomp(&matrix.matrix, permutation, &sign);
    gsl_linalg_LU_solve(&matrix.matrix, permutation, &b.vector, &x.vector);
    gsl_permutation_free(permutation);
    double mass = 0.0, scale = 0.0;
    for (size_t i = 0; i < ROWS; i++) {
        assert_close(found[i], wanted[i], 1e-11);
        const double n = i == 0 ? 1.0 : (double)p->bordered.n_min + (double)i - 1.0;
        mass += n * (found[i] - right[i]);
        scale += n * (fabs(found[i]) + fabs(right[i]));
    }
    assert_close(mass, 0.0, 1e-15 * scale); /* a correction carries the mass of its right side */
}

static void it_solves_the_dense_equations(void **state)
{
    (void)state;
    static problem p;
    gsl_rng *rng = ng_random_open(4, 0);
    assert_non_null(rng);
    for (int trial = 0; trial < TRIALS; trial++) {
        draw(&p, rng, 50, 0.0);
        check(&p, rng);
        draw(&p, rng, 2, 5.0);
        check(&p, rng);
    }
    ng_random_close(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_solves_the_dense_equations)};
    return cmocka_run_group_tests_name("bordered", tests, NULL, NULL);
}
