/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One implicit stage against its own equations, with random rates over ten powers of ten. */
#include "solve/solve_internal.h"

#include "test_support.h"

#include <math.h>
#include <string.h>

#define SIZES 120
#define TRIALS 60

typedef struct system_of_rows {
    size_t lanes;
    double attach[SIZES * 4], detach[SIZES * 4], u[SIZES * 4], v[SIZES * 4], x[SIZES * 4],
        link[SIZES * 4];
    ng_sweep sweep;
} system_of_rows;

static double draw(gsl_rng *rng)
{
    return pow(10.0, 10.0 * gsl_rng_uniform(rng) - 5.0);
}

static void make(system_of_rows *s, gsl_rng *rng, size_t lanes, size_t begin, size_t end)
{
    memset(s, 0, sizeof *s);
    s->lanes = lanes;
    for (size_t i = 0; i < SIZES * lanes; i++) {
        s->attach[i] = draw(rng);
        s->detach[i] = draw(rng);
        s->u[i] = draw(rng);
        s->v[i] = draw(rng);
        s->x[i] = -1.0;
    }
    s->sweep = (ng_sweep){.begin = begin,
                          .end = end,
                          .attach = s->attach,
                          .detach = s->detach,
                          .step_s = 0.3,
                          .u = s->u,
                          .v = s->v,
                          .scale_u = 0.25,
                          .scale_v = 0.75,
                          .x = s->x,
                          .link = s->link};
    for (size_t l = 0; l < lanes; l++) {
        s->sweep.step_S[l] = 0.3 * 5.0 * gsl_rng_uniform(rng);
        s->sweep.source[l] = gsl_rng_uniform(rng);
    }
}

/* Row i of (I - step A) x, and the sum of its terms without their signs. */
static double row_of(const system_of_rows *s, size_t i, size_t l, double *scale)
{
    const ng_sweep *w = &s->sweep;
    const size_t L = s->lanes, at = i * L + l;
    double up = i + 1 < w->end ? w->step_S[l] * s->attach[at] : 0.0;
    double down = i > w->begin || i == 0 ? w->step_s * s->detach[at] : 0.0;
    double below = i > w->begin ? w->step_S[l] * s->attach[at - L] * s->x[at - L] : 0.0;
    double above = i + 1 < w->end ? w->step_s * s->detach[at + L] * s->x[at + L] : 0.0;
    *scale = (1.0 + up + down) * s->x[at] + below + above;
    return (1.0 + up + down) * s->x[at] - below - above;
}

static void check_rows(const system_of_rows *s)
{
    const ng_sweep *w = &s->sweep;
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t l = 0; l < s->lanes; l++) {
            const size_t at = i * s->lanes + l;
            double scale, right = 0.25 * s->u[at] + 0.75 * s->v[at];
            if (i < w->begin || i >= w->end) {
                assert_close(s->x[at], -1.0, 0.0); /* untouched */
                continue;
            }
            right += i == 0 ? w->source[l] : 0.0;
            double left = row_of(s, i, l, &scale);
            assert_true(s->x[at] > 0.0);
            /* ten roundings or so: nothing is subtracted */
            assert_close(left, right, 4e-15 * scale);
        }
    }
}

static void it_solves_its_equations(void **state)
{
    (void)state;
    static system_of_rows s;
    static const size_t lanes[] = {1, 4};
    gsl_rng *rng = ng_random_open(7, 0);
    assert_non_null(rng);
    for (size_t trial = 0; trial < TRIALS; trial++) {
        const size_t begin = trial % 3 == 0 ? 0 : gsl_rng_uniform_int(rng, SIZES);
        const size_t end = begin + 1 + gsl_rng_uniform_int(rng, SIZES - begin);
        make(&s, rng, lanes[trial % 2], begin, end);
        ng_sweep_for(s.lanes)(&s.sweep);
        check_rows(&s);
    }
    ng_random_close(rng);
}

/* The smallest numbers of rows: nothing to walk, one way only. */
static void few_rows(void **state)
{
    (void)state;
    static system_of_rows s;
    gsl_rng *rng = ng_random_open(8, 0);
    assert_non_null(rng);
    for (size_t rows = 1; rows < 8; rows++) {
        for (size_t begin = 0; begin < 2; begin++) {
            make(&s, rng, 1, begin, begin + rows);
            ng_sweep_for(1)(&s.sweep);
            check_rows(&s);
        }
    }
    ng_random_close(rng);
}

/* Sets side by side give the bits that each gives alone. */
static void lanes_do_not_matter(void **state)
{
    (void)state;
    static system_of_rows many, one;
    gsl_rng *rng = ng_random_open(9, 0);
    assert_non_null(rng);
    make(&many, rng, 4, 0, SIZES);
    ng_sweep_for(4)(&many.sweep);
    for (size_t l = 0; l < 4; l++) {
        make(&one, rng, 1, 0, SIZES);
        for (size_t i = 0; i < SIZES; i++) {
            one.attach[i] = many.attach[i * 4 + l];
            one.detach[i] = many.detach[i * 4 + l];
            one.u[i] = many.u[i * 4 + l];
            one.v[i] = many.v[i * 4 + l];
        }
        one.sweep.step_S[0] = many.sweep.step_S[l];
        one.sweep.source[0] = many.sweep.source[l];
        ng_sweep_for(1)(&one.sweep);
        for (size_t i = 0; i < SIZES; i++) {
            assert_close(one.x[i], many.x[i * 4 + l], 0.0);
        }
    }
    ng_random_close(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_solves_its_equations),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(lanes_do_not_matter),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
