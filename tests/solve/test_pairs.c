/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pair density against resolved solutions, closed forms and its own conservation. */
#include "test_support.h"

#include <nucgrow/pairs.h>

#include <math.h>

#define MAX_TIMES 400

/* sigma(t), D(t), kappa(t) of the published program. */
static void published(const void *context, double t, ng_pair_motion *m)
{
    (void)context;
    m->contact_nm =
        1.7773331 + t * (4.42204e-2 + t * (-8.2124e-4 + t * (7.65182e-6 - t * 2.15327e-8)));
    m->contact_nm_per_s = 4.42204e-2 + t * (-1.64248e-3 + t * (2.295546e-5 - t * 8.61308e-8));
    m->diffusion_nm2_per_s = 2.41406 / pow(1.0 + 0.160730 * t, 0.733565);
    m->propensity_per_s = 11.6 / (1.0 + exp(7.64 * (m->contact_nm - 3.00783)));
}

static ng_pair_problem published_problem(double width_nm)
{
    return (ng_pair_problem){.law = published,
                             .start_s = 8.0,
                             .sink_nm = 2.87,
                             .sink_width_nm = width_nm,
                             .empty_nm = 44.0 - 1.7773331,
                             .contact = NG_PAIR_FLAT};
}

typedef struct constant {
    double contact_nm, slope_nm_per_s, diffusion_nm2_per_s, propensity_per_s;
} constant;

static void steady(const void *context, double t, ng_pair_motion *m)
{
    const constant *c = context;
    *m = (ng_pair_motion){c->contact_nm + c->slope_nm_per_s * t, c->slope_nm_per_s,
                          c->diffusion_nm2_per_s, c->propensity_per_s};
}

static double rate_at(const ng_pair_problem *p, ng_pair_numerics n, double time_s)
{
    ng_error err = {.message = ""};
    double rate = 0.0;
    if (ng_pair_rates(p, &n, &time_s, 1, &rate, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return rate;
}

static size_t read_reference(const char *name, double *time_s, double *rate)
{
    FILE *stream = fopen(test_reference(name), "r");
    assert_non_null(stream);
    char line[1024];
    size_t n = 0;
    assert_non_null(fgets(line, sizeof line, stream));
    while (n < MAX_TIMES && fgets(line, sizeof line, stream) != NULL) {
        assert_int_equal(sscanf(line, "%lf,%*f,%*f,%*f,%lf", &time_s[n], &rate[n]), 2);
        n++;
    }
    fclose(stream);
    return n;
}

/* Largest difference over the largest value. */
static double off(const double *a, const double *b, size_t n)
{
    double peak = 0.0, worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        peak = fmax(peak, fabs(b[i]));
        worst = fmax(worst, fabs(a[i] - b[i]));
    }
    return worst / peak;
}

static void against_reference(const char *name, double width_nm)
{
    double time_s[MAX_TIMES], expected[MAX_TIMES], coarse[MAX_TIMES], fine[MAX_TIMES];
    ng_error err = {.message = ""};
    ng_pair_problem p = published_problem(width_nm);
    ng_pair_numerics n = ng_pair_numerics_defaults(180.0);
    size_t count = read_reference(name, time_s, expected);
    assert_true(count > 300);
    assert_int_equal(ng_pair_rates(&p, &n, time_s, count, coarse, &err), NG_OK);
    n.cells *= 2;
    n.step_s *= 0.5;
    assert_int_equal(ng_pair_rates(&p, &n, time_s, count, fine, &err), NG_OK);
    /* the reference is good to 0.05 % */
    assert_true(off(coarse, expected, count) < 1e-3);
    assert_true(off(fine, expected, count) < 5e-4);
    assert_true(off(coarse, fine, count) < 1e-3);
}

static void test_narrow_sink(void **state)
{
    (void)state;
    against_reference("coalescence-solution-nu0.00993.csv", 9.93e-3);
}

static void test_wide_sink(void **state)
{
    (void)state;
    against_reference("coalescence-solution-nu0.0996.csv", 0.0996);
}

/* A sink at contact so strong and thin that nothing leaves it; it ends where u has fallen. */
static void test_smoluchowski(void **state)
{
    (void)state;
    constant c = {2.0, 0.0, 0.7, 1e12};
    ng_pair_problem p = {.law = steady, .context = &c, .sink_nm = 0.0, .sink_width_nm = 1e-5};
    const double times[] = {0.5, 2.0, 10.0, 60.0};
    for (size_t i = 0; i < 4; i++) {
        ng_pair_numerics n = {.cells = 2000, .step_s = times[i] / 1000.0, .end_s = times[i]};
        double expected = ng_smoluchowski_rate(0.7, 2.0, times[i]);
        assert_close(rate_at(&p, n, times[i]) / expected, 1.0, 1e-3);
    }
}

/* Half a Gaussian at contact, thin beside sigma: k_a = 4 pi sigma^2 kappa nu sqrt(pi/2). */
static void test_collins_kimball(void **state)
{
    (void)state;
    const double nu = 2e-4;
    constant c = {2.0, 0.0, 0.7, 2000.0};
    ng_pair_problem p = {.law = steady, .context = &c, .sink_nm = 0.0, .sink_width_nm = nu};
    double intrinsic = 4.0 * M_PI * 4.0 * 2000.0 * nu * sqrt(M_PI / 2.0);
    const double times[] = {0.5, 2.0, 10.0, 60.0};
    for (size_t i = 0; i < 4; i++) {
        ng_pair_numerics n = {.cells = 2000, .step_s = times[i] / 1000.0, .end_s = times[i]};
        double expected = ng_collins_kimball_rate(0.7, 2.0, intrinsic, times[i]);
        assert_close(rate_at(&p, n, times[i]) / expected, 1.0, 1e-3);
    }
}

/* Reaction that never lets u fall: k_f = 4 pi kappa int r^2 W dx. */
static void test_slow_reaction(void **state)
{
    (void)state;
    const double l = 2.87, nu = 0.1, sigma = 2.0, R = sigma + l;
    constant c = {sigma, 0.0, 0.7, 1e-6};
    ng_pair_problem p = {.law = steady, .context = &c, .sink_nm = l, .sink_width_nm = nu};
    double expected = 4.0 * M_PI * 1e-6 * nu * sqrt(2.0 * M_PI) * (R * R + nu * nu);
    assert_close(rate_at(&p, ng_pair_numerics_defaults(20.0), 20.0) / expected, 1.0, 1e-5);
}

/* Without a sink pairs only move: the reflecting wall loses none though it advances from 2 to 4 nm,
 * and the far end takes in what it sweeps, where u = 1 stays 1. */
static void test_no_sink(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    constant c = {2.0, 0.02, 0.7, 0.0};
    ng_pair_problem p = {.law = steady, .context = &c, .sink_nm = 2.87, .sink_width_nm = 0.01};
    ng_pair_numerics n = ng_pair_numerics_defaults(100.0);
    ng_pairs *s = NULL;
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_OK);
    double before = ng_pairs_content_nm3(s) / (4.0 / 3.0 * M_PI);
    double extent = cbrt(before + pow(2.0, 3.0)) - 2.0;
    assert_int_equal(ng_pairs_advance(s, 100.0, &err), NG_OK);
    double after = ng_pairs_content_nm3(s) / (4.0 / 3.0 * M_PI);
    /* what contact pushed ahead of itself lies above u = 1: little beside all, so rounding shows */
    double excess = after - (pow(extent + 4.0, 3.0) - pow(4.0, 3.0));
    assert_close(excess / (pow(4.0, 3.0) - pow(2.0, 3.0)), 1.0, 1e-3);
    ng_pairs_destroy(s);
}

/* Fourth differences of k_f over the edge's position: it does not feel where cells end. */
static void test_edge_is_smooth(void **state)
{
    (void)state;
    double rate[9];
    ng_pair_problem p = published_problem(0.0996);
    ng_pair_numerics n = {.cells = 200, .step_s = 0.5, .end_s = 180.0};
    for (size_t i = 0; i < 9; i++) {
        p.empty_nm = 42.0 + 0.1 * (double)i;
        rate[i] = rate_at(&p, n, 70.0);
    }
    for (size_t i = 0; i + 4 < 9; i++) {
        double difference =
            rate[i] - 4 * rate[i + 1] + 6 * rate[i + 2] - 4 * rate[i + 3] + rate[i + 4];
        assert_close(difference / rate[i], 0.0, 1e-3);
    }
}

static void test_self_preserving(void **state)
{
    (void)state;
    const double shapes[] = {0.0, 1.0, 3.0};
    for (size_t k = 0; k < 3; k++) {
        double area = 0.0, mean = 0.0, step = 1e-3;
        for (double x = 0.5 * step; x < 6.0; x += step) {
            area += step * ng_self_preserving(x, shapes[k]);
            mean += step * x * ng_self_preserving(x, shapes[k]);
        }
        /* midpoint rule, error of step^2 */
        assert_close(area, 1.0, 1e-6);
        assert_close(mean, 1.0, 1e-6);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    ng_pairs *s = NULL;
    constant c = {2.0, 0.0, 0.7, 1.0};
    ng_pair_problem p = {.law = steady, .context = &c, .sink_nm = 1.0, .sink_width_nm = 0.1};
    ng_pair_numerics n = ng_pair_numerics_defaults(10.0);
    n.cells = 3;
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_INVALID);
    n = ng_pair_numerics_defaults(-1.0);
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_INVALID);
    n = ng_pair_numerics_defaults(10.0);
    p.sink_width_nm = 0.0;
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_INVALID);
    p.sink_width_nm = 0.1;
    c.diffusion_nm2_per_s = -1.0;
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_INVALID);
    assert_null(s);
    c.diffusion_nm2_per_s = 1.0;
    assert_int_equal(ng_pairs_create(&p, &n, &s, &err), NG_OK);
    assert_int_equal(ng_pairs_advance(s, -5.0, &err), NG_INVALID);
    c.propensity_per_s = (double)NAN;
    assert_int_equal(ng_pairs_advance(s, 5.0, &err), NG_INVALID);
    ng_pairs_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrow_sink),    cmocka_unit_test(test_wide_sink),
        cmocka_unit_test(test_smoluchowski),   cmocka_unit_test(test_collins_kimball),
        cmocka_unit_test(test_slow_reaction),  cmocka_unit_test(test_no_sink),
        cmocka_unit_test(test_edge_is_smooth), cmocka_unit_test(test_self_preserving),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
