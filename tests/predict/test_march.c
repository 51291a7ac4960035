/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forward runs with the balance of monomers: against CVODES, single particles, identities. */
#include "predict_test.h"

#include <math.h>
#include <string.h>

#define N_TIMES 41

static const double *row_at(const double *rows, size_t i)
{
    return rows + i * NG_PREDICT_COLUMNS;
}

static const double median[] = {350.0};

static ng_predict_case case_of(ng_time_law supply, double w)
{
    return (ng_predict_case){.law = platinum(),
                             .start = {median, NULL, 1, 0.3},
                             .drive = NG_DRIVE_SUPPLY,
                             .input = supply,
                             .dissolved_per_particle = w,
                             .start_supersaturation = 2.5};
}

/* ---- against CVODES ---------------------------------------------------------------------- */

/* Monomers and particles together. ng_coupled counts densities over the solubility: one particle is
 * 1/w. */
static void compare_with_coupled(ng_time_law supply, double w)
{
    const ng_predict_clock clock = {0.0, 60.0, N_TIMES, 40};
    const ng_predict_case c = case_of(supply, w);
    ng_predict_output out;
    double *rows = run_one(&c, &clock, &out);
    ng_coupled_options o = ng_coupled_defaults();
    o.sizes.n_max = 6000;
    const size_t count = ng_size_count(&o.sizes);
    double *table = NG_NEW(double, 3 * count), *density = table + 2 * count;
    REQUIRE(ng_size_rates(&c.law.parameters, c.law.delta, c.law.sigma_s_nm, &o.sizes, table,
                          table + count, err));
    double all = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double n = 50.0 + (double)i, x = log(n / median[0]) / 0.3;
        density[i] = fabs(x) <= 6.0 ? exp(-0.5 * x * x) / n : 0.0;
        all += density[i];
    }
    for (size_t i = 0; i < count; i++) {
        density[i] /= all * w;
    }
    ng_coupled *coupled = NULL;
    supply.value /= w;
    supply.end_value /= w;
    REQUIRE(ng_coupled_create(&o, table, table + count, &coupled, NULL, err));
    REQUIRE(ng_coupled_start(coupled, 0.0, 2.5, density, &supply, NULL, err));
    for (size_t i = 10; i < N_TIMES; i += 10) {
        ng_size_state state;
        REQUIRE(ng_coupled_advance(coupled, 1.5 * (double)i, err));
        ng_coupled_state(coupled, &state);
        const double *row = row_at(rows, i);
        /* second order in steps of 0.0375 s */
        assert_close(row[NG_PREDICT_S] / state.supersaturation, 1.0, 1e-4);
        assert_close(row[NG_PREDICT_MEAN_N] / state.mean_n, 1.0, 1e-5);
        assert_close(row[NG_PREDICT_VAR_N] / state.var_n, 1.0, 2e-4);
        assert_close(row[NG_PREDICT_NUMBER], state.number * w, 1e-6);
    }
    ng_coupled_destroy(coupled);
    ng_free(table);
    ng_free(rows);
}

static void test_supply_agrees_with_cvodes(void **state)
{
    (void)state;
    compare_with_coupled(ng_law_constant(20.0), 3000.0);
    compare_with_coupled(ng_law_decay(40.0, 0.03), 500.0);
    compare_with_coupled(ng_law_ramp(0.0, 50.0, 10.0, 40.0), 50.0);
}

/* ---- identities -------------------------------------------------------------------------- */

/* Monomers: supplied = gained by particles + w (S - S0), at any share in solution; what is not yet
 * accounted for enters the next step. */
static void test_mass_balance(void **state)
{
    (void)state;
    const double w[] = {0.0, 1.0, 100.0, 1e4};
    for (size_t k = 0; k < sizeof w / sizeof w[0]; k++) {
        const ng_predict_clock clock = {0.0, 80.0, N_TIMES, 10};
        const ng_predict_case c = case_of(ng_law_ramp(30.0, 5.0, 0.0, 80.0), w[k]);
        ng_predict_output out;
        double *rows = run_one(&c, &clock, &out);
        assert_true(out.balance < 2e-4);
        for (size_t i = 1; i < N_TIMES; i++) {
            const double *row = row_at(rows, i), *first = row_at(rows, 0);
            const double gained = row[NG_PREDICT_MASS] - first[NG_PREDICT_MASS];
            const double kept = w[k] * (row[NG_PREDICT_S] - 2.5);
            const double supplied = row[NG_PREDICT_SUPPLIED];
            assert_close(supplied, ng_law_integral(&c.input, 0.0, 2.0 * (double)i),
                         1e-9 * supplied);
            assert_close(supplied, gained + kept, 2e-4 * row[NG_PREDICT_MASS]);
        }
        ng_free(rows);
    }
}

/* Without a stock in solution, half the supply is half the uptake. */
static void test_half_the_supply_is_half_the_uptake(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 60.0, N_TIMES, 20};
    const ng_predict_case full = case_of(ng_law_constant(40.0), 0.0);
    const ng_predict_case half = case_of(ng_law_constant(20.0), 0.0);
    ng_predict_output out;
    double *a = run_one(&full, &clock, &out), *b = run_one(&half, &clock, &out);
    for (size_t i = 0; i < N_TIMES; i++) {
        const double *x = row_at(a, i), *y = row_at(b, i);
        assert_close(y[NG_PREDICT_UPTAKE], 0.5 * x[NG_PREDICT_UPTAKE], 1e-9);
        /* the first step does not know the middle of its step: 1e-3 of a monomer */
        assert_close(y[NG_PREDICT_MASS] - a[NG_PREDICT_MASS],
                     0.5 * (x[NG_PREDICT_MASS] - a[NG_PREDICT_MASS]), 0.02);
        assert_true(i == 0 || y[NG_PREDICT_S] < x[NG_PREDICT_S]);
    }
    ng_free(a);
    ng_free(b);
}

/* A small stock is nearly none: differences fall with w. */
static void test_quasi_steady_limit(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 40.0, N_TIMES, 20};
    const ng_predict_case none = case_of(ng_law_constant(30.0), 0.0);
    ng_predict_output out;
    double *a = run_one(&none, &clock, &out);
    for (double w = 10.0; w > 0.05; w /= 10.0) {
        const ng_predict_case some = case_of(ng_law_constant(30.0), w);
        double *b = run_one(&some, &clock, &out);
        const double off = fabs(row_at(a, N_TIMES - 1)[NG_PREDICT_MEAN_N] -
                                row_at(b, N_TIMES - 1)[NG_PREDICT_MEAN_N]);
        /* w |S - S0| monomers are missing in particles, |S - S0| < 1 */
        assert_true(off < w + 1e-2);
        ng_free(b);
    }
    ng_free(a);
}

/* Var = <n> + (Var0 - <n0>) + 2 int <dn j> + 2 int <k^d> while no particle dissolves. */
static void test_where_the_variance_comes_from(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 100.0, N_TIMES, 40};
    const ng_predict_case c = case_of(ng_law_ramp(60.0, 10.0, 0.0, 90.0), 0.0);
    ng_predict_output out;
    double *rows = run_one(&c, &clock, &out);
    const double *first = row_at(rows, 0);
    for (size_t i = 0; i < N_TIMES; i++) {
        const double *row = row_at(rows, i);
        const double sum = row[NG_PREDICT_MEAN_N] + first[NG_PREDICT_VAR_N] -
                           first[NG_PREDICT_MEAN_N] + row[NG_PREDICT_GROWTH] +
                           row[NG_PREDICT_DETACHED];
        /* trapezia over steps of 0.06 s */
        assert_close(sum / row[NG_PREDICT_VAR_N], 1.0, 2e-4);
        assert_close(row[NG_PREDICT_NUMBER], 1.0, 1e-6);
    }
    ng_free(rows);
}

/* Detachment that hardly matters and growth that all sizes share: eta^2 = 1/<n> + f0 (<n0>/<n>)^2.
 * With a huge K attachment goes as n^(1/3), so d ln v / d ln n = 1/3 and eta_inf^2 is not zero; its
 * term is what the identity above has beyond the two. Here: eps small, S high. */
static void test_approximate_relative_variance(void **state)
{
    (void)state;
    ng_predict_case c = case_of(ng_law_constant(100.0), 0.0);
    c.law.parameters = (ng_growth_parameters){-20.0, 0.0, 0.0, 1e6, 1e6};
    c.start.spread = 0.05;
    const ng_predict_clock clock = {0.0, 60.0, N_TIMES, 100};
    ng_predict_output out;
    double *rows = run_one(&c, &clock, &out);
    const double *first = row_at(rows, 0), *last = row_at(rows, N_TIMES - 1);
    const double n0 = first[NG_PREDICT_MEAN_N], n = last[NG_PREDICT_MEAN_N];
    assert_true(last[NG_PREDICT_DETACHED] < 1e-3 * last[NG_PREDICT_VAR_N]);
    /* dVar/dn = 1 + 2/3 Var/n to first order in the spread: Var = 3n + C n^(2/3) */
    const double C = (first[NG_PREDICT_VAR_N] - 3.0 * n0) / pow(n0, 2.0 / 3.0);
    const double expected = 3.0 * n + C * pow(n, 2.0 / 3.0);
    /* the next order is a few times eta^2, 0.0025 */
    assert_close(last[NG_PREDICT_VAR_N] / expected, 1.0, 0.01);
    ng_free(rows);
}

/* ---- against particles one by one --------------------------------------------------------- */

/* The S(t) that a supply makes, given to particles that grow event by event. */
static void test_particles_one_by_one_agree(void **state)
{
    (void)state;
    enum { PARTICLES = 1500, SECONDS = 40 };
    const ng_predict_clock clock = {0.0, SECONDS, SECONDS * 4 + 1, 4};
    const ng_predict_case c = case_of(ng_law_ramp(5.0, 40.0, 0.0, 30.0), 0.0);
    ng_predict_output out;
    double *rows = run_one(&c, &clock, &out), time_s[SECONDS * 4 + 1], S[SECONDS * 4 + 1];
    for (size_t i = 0; i < clock.n_times; i++) {
        time_s[i] = 0.25 * (double)i;
        S[i] = row_at(rows, i)[NG_PREDICT_S];
    }
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    ng_synth_ensemble_truth truth;
    ng_tracks tracks;
    o.schedule_time_s = time_s;
    o.supersaturation = S;
    o.n_schedule = clock.n_times;
    o.particles = PARTICLES;
    o.start_n = median[0];
    o.start_spread = 0.3;
    o.frames = SECONDS + 1;
    REQUIRE(ng_synth_ensemble(&o, NULL, &tracks, &truth, NULL, err));
    for (size_t f = 10; f <= SECONDS; f += 10) {
        const double *row = row_at(rows, 4 * f);
        const double variance = row[NG_PREDICT_VAR_N], N = PARTICLES;
        /* four standard errors; the fourth moment of a near-normal: Var(s^2) = 2 Var^2/N, skewed
         * ones 3 times that */
        assert_close(truth.mean_n[f], row[NG_PREDICT_MEAN_N], 4.0 * sqrt(variance / N));
        assert_close(truth.var_n[f], variance, 4.0 * variance * sqrt(6.0 / N));
        assert_close(truth.particles[f] / N, row[NG_PREDICT_NUMBER], 0.01);
    }
    ng_synth_ensemble_truth_free(&truth);
    ng_tracks_free(&tracks);
    ng_free(rows);
}

/* ---- [Kim]: faster supply focuses more ---------------------------------------------------- */

static double spread_at(const double *rows, double radius_nm)
{
    for (size_t i = 1; i < 401; i++) {
        const double *a = row_at(rows, i - 1), *b = row_at(rows, i);
        if (b[NG_PREDICT_RADIUS_NM] >= radius_nm) {
            const double part = (radius_nm - a[NG_PREDICT_RADIUS_NM]) /
                                (b[NG_PREDICT_RADIUS_NM] - a[NG_PREDICT_RADIUS_NM]);
            const double x = a[NG_PREDICT_SD_NM] / a[NG_PREDICT_RADIUS_NM];
            const double y = b[NG_PREDICT_SD_NM] / b[NG_PREDICT_RADIUS_NM];
            return x + part * (y - x);
        }
    }
    return (double)NAN;
}

/* Table 1, platinum: at twice the supply the radii at 2.2 nm are narrower, every time. */
static void test_faster_supply_focuses_more(void **state)
{
    (void)state;
    double before = 1.0;
    for (double supply = 10.0; supply <= 320.0; supply *= 2.0) {
        const ng_predict_clock clock = {0.0, 3200.0 / supply, 401, 2};
        const ng_predict_case c = case_of(ng_law_constant(supply), 0.0);
        ng_predict_output out;
        double *rows = run_one(&c, &clock, &out);
        const double spread = spread_at(rows, 2.2);
        print_message("supply %4.0f /s: spread %.2f %% at 2.2 nm, S %.2f to %.2f\n", supply,
                      100.0 * spread, row_at(rows, 1)[NG_PREDICT_S],
                      row_at(rows, 400)[NG_PREDICT_S]);
        assert_true(spread < 0.97 * before);
        before = spread;
        ng_free(rows);
    }
}

/* ---- what cannot be ----------------------------------------------------------------------- */

static void expect_failure(const ng_predict_case *c, long n_limit, const char *words)
{
    const ng_predict_clock clock = {0.0, 60.0, N_TIMES, 10};
    double *row = NG_NEW(double, N_TIMES *NG_PREDICT_COLUMNS);
    ng_predict_output out = {.row = row};
    REQUIRE(ng_predict_march(c, 1, &clock, NULL, 0, n_limit, &out, err));
    assert_int_equal(out.status, NG_INVALID);
    if (strstr(out.why, words) == NULL) {
        fail_msg("'%s' does not say '%s'", out.why, words);
    }
    /* what was good stays, what came after is not a number */
    assert_true(isnan(row_at(row, N_TIMES - 1)[NG_PREDICT_MEAN_N]));
    ng_free(row);
}

static void test_impossible_runs(void **state)
{
    (void)state;
    const ng_predict_case withdrawn = case_of(ng_law_constant(-2000.0), 0.0);
    const ng_predict_case drained = case_of(ng_law_constant(-2000.0), 10.0);
    const ng_predict_case fast = case_of(ng_law_constant(400.0), 0.0);
    ng_predict_case tiny = case_of(ng_law_constant(1.0), 0.0);
    const double small[] = {20.0};
    tiny.start.n = small;
    tiny.start.spread = 0.0;
    expect_failure(&withdrawn, 100000, "negative");
    expect_failure(&drained, 100000, "negative");
    expect_failure(&fast, 5000, "outgrow n = 5000");
    expect_failure(&tiny, 100000, "below n = 50");
}

/* A run that fails leaves its neighbours as they are alone, but for steps that went by the fastest
 * of both: second order, 1e-5. */
static void test_neighbours_of_a_failure(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 30.0, N_TIMES, 10};
    const ng_predict_case good = case_of(ng_law_constant(30.0), 0.0);
    const ng_predict_case bad = case_of(ng_law_constant(-2000.0), 0.0);
    const ng_predict_case both[2] = {bad, good};
    const size_t size = N_TIMES * NG_PREDICT_COLUMNS;
    double *rows = NG_NEW(double, 2 * size);
    ng_predict_output alone, out[2] = {{.row = rows}, {.row = rows + size}};
    double *one = run_one(&good, &clock, &alone);
    REQUIRE(ng_predict_march(both, 2, &clock, NULL, 0, 1000000, out, err));
    assert_int_equal(out[0].status, NG_INVALID);
    assert_int_equal(out[1].status, NG_OK);
    for (size_t i = 0; i < size; i++) {
        assert_close(rows[size + i], one[i], 1e-5 * fabs(one[i]) + 1e-6);
    }
    ng_free(one);
    ng_free(rows);
}

/* The grid grows until it holds everything: the result does not depend on where it began. */
static void test_grid_grows(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 60.0, N_TIMES, 10};
    const ng_predict_case c = case_of(ng_law_constant(200.0), 0.0);
    ng_predict_output out;
    double *a = run_one(&c, &clock, &out);
    assert_true(out.n_max > 12000);
    double *b = NG_NEW(double, N_TIMES *NG_PREDICT_COLUMNS);
    ng_predict_output wide = {.row = b};
    REQUIRE(ng_predict_march(&c, 1, &clock, NULL, 60000, 1000000, &wide, err));
    for (size_t i = 0; i < N_TIMES * NG_PREDICT_COLUMNS; i++) {
        assert_close(a[i], b[i], 1e-7 * fabs(a[i]) + 1e-9);
    }
    ng_free(a);
    ng_free(b);
}

/* Bins hold all particles, those of a start are where they should be. */
static void test_shapes(void **state)
{
    (void)state;
    const ng_predict_clock clock = {0.0, 30.0, 4, 20};
    const double edge[] = {50, 200, 300, 400, 600, 20000};
    const size_t at[] = {0, 3};
    const ng_predict_shapes shapes = {edge, 5, at, 2};
    const ng_predict_case c = case_of(ng_law_constant(30.0), 0.0);
    double rows[4 * NG_PREDICT_COLUMNS], shape[2 * 5];
    ng_predict_output out = {.row = rows, .shape = shape};
    REQUIRE(ng_predict_march(&c, 1, &clock, &shapes, 0, 1000000, &out, err));
    for (size_t k = 0; k < 2; k++) {
        double sum = 0.0;
        for (size_t i = 0; i < 5; i++) {
            sum += shape[5 * k + i];
        }
        assert_close(sum, 1.0, 1e-12);
    }
    /* half of a lognormal lies below its median: whole sizes blur this by a part of its peak */
    const double below_350 = 0.5, within = 0.5 * erf(log(350.0 / 300.0) / 0.3 / sqrt(2.0));
    assert_close(shape[0] + shape[1], below_350 - within, 3e-3);
    assert_true(shape[5 + 4] > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_supply_agrees_with_cvodes),
        cmocka_unit_test(test_mass_balance),
        cmocka_unit_test(test_half_the_supply_is_half_the_uptake),
        cmocka_unit_test(test_quasi_steady_limit),
        cmocka_unit_test(test_where_the_variance_comes_from),
        cmocka_unit_test(test_approximate_relative_variance),
        cmocka_unit_test(test_particles_one_by_one_agree),
        cmocka_unit_test(test_faster_supply_focuses_more),
        cmocka_unit_test(test_impossible_runs),
        cmocka_unit_test(test_neighbours_of_a_failure),
        cmocka_unit_test(test_grid_grows),
        cmocka_unit_test(test_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
