/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monomers and particles together: conservation, equilibrium, and against given S(t). */
#include "solve_test.h"

#include <gsl/gsl_spline.h>
#include <math.h>
#include <string.h>

#define NUMBER 0.01 /* particles, in units of the solubility: S follows them within seconds */

static ng_coupled_options options(void)
{
    ng_coupled_options o = ng_coupled_defaults();
    o.sizes.n_max = 4000;
    return o;
}

static double *scaled(double *row, const ng_size_range *sizes, double factor)
{
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        row[i] *= factor;
    }
    return row;
}

static ng_coupled *platinum(const ng_coupled_options *o, double mean, double sd,
                            const ng_time_law *supply, const ng_time_law *nucleation)
{
    ng_coupled *c = NULL;
    double *attach, *detach, *p = scaled(gaussian(&o->sizes, mean, sd), &o->sizes, NUMBER);
    platinum_rates(&o->sizes, &attach, &detach);
    REQUIRE(ng_coupled_create(o, attach, detach, &c, NULL, err));
    REQUIRE(ng_coupled_start(c, 0.0, 3.0, p, supply, nucleation, err));
    ng_free(attach);
    ng_free(detach);
    ng_free(p);
    return c;
}

/* ---- mass ------------------------------------------------------------------------------------ */

static double total_mass(const ng_coupled *c)
{
    ng_size_state s;
    ng_coupled_state(c, &s);
    return s.supersaturation + s.mass;
}

/* 1e-13 of all monomers at every output, whatever the supply, also while particles dissolve. */
static void check_mass(ng_time_law supply, double nucleation, double mean)
{
    const ng_coupled_options o = options();
    const ng_time_law in = ng_law_constant(nucleation);
    ng_coupled *c = platinum(&o, mean, 10.0, &supply, &in);
    const double start = total_mass(c);
    for (int k = 1; k <= 40; k++) {
        REQUIRE(ng_coupled_advance(c, k, err));
        const double wanted = start + ng_coupled_supplied(c);
        assert_close(total_mass(c), wanted, 1e-13 * wanted);
    }
    ng_coupled_destroy(c);
}

static void mass_is_kept(void **state)
{
    (void)state;
    static const double knot_s[] = {0, 5, 7, 30}, knot[] = {0.1, 0.5, 0.0, 0.3};
    check_mass(ng_law_constant(0.3), 0.0, 400.0);
    check_mass(ng_law_decay(0.8, 0.1), 0.0, 400.0);
    check_mass(ng_law_ramp(0.1, 0.6, 5.0, 25.0), 1e-4, 400.0);
    check_mass(ng_law_table(knot_s, knot, 4), 0.0, 300.0);
    check_mass(ng_law_constant(0.0), 0.0, 100.0); /* nearly all dissolve */
}

static void particles_are_kept(void **state)
{
    (void)state;
    const ng_coupled_options o = options();
    const ng_time_law supply = ng_law_constant(0.0), in = ng_law_constant(2e-4);
    ng_warnings warnings = {0};
    ng_size_state s;
    ng_coupled *c = platinum(&o, 100.0, 10.0, &supply, &in);
    REQUIRE(ng_coupled_advance(c, 30.0, err));
    ng_coupled_state(c, &s);
    assert_close(s.nucleated, 6e-3, 1e-15);
    assert_true(s.dissolved > 1e-3);
    assert_close(s.number + s.dissolved, NUMBER + s.nucleated, 1e-14);
    ng_coupled_warn(c, &warnings);
    assert_int_equal(warnings.n, 1);
    assert_string_equal(warnings.item[0].name, "dissolved");
    ng_warnings_free(&warnings);
    ng_coupled_destroy(c);
}

/* ---- equilibrium: from monomers on ----------------------------------------------------------- */

static double attach_by_area(double n)
{
    return 3.0 * cbrt(n * n);
}

static double mu(double n)
{
    return 2.0 / cbrt(n);
}

static double detach_in_balance(double n)
{
    return attach_by_area(n - 1) * exp(mu(n - 1));
}

static ng_coupled_options from_monomers(void)
{
    ng_coupled_options o = ng_coupled_defaults();
    o.sizes = (ng_size_range){.n_min = 2, .n_max = 120, .below_50 = true};
    o.dimer_rate_per_s = attach_by_area(1.0);
    o.relative_tolerance = 1e-10;
    o.absolute_tolerance = 1e-14;
    return o;
}

/* Q_n = exp(-sum_{k<n} mu_k), n >= 2. */
static double *weights(const ng_size_range *sizes)
{
    double *Q = rows_of(sizes, NULL), ln = -mu(1.0);
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        Q[i] = exp(ln);
        ln -= mu((double)sizes->n_min + (double)i);
    }
    return Q;
}

static ng_coupled *becker_doering(const ng_coupled_options *o, double S, const double *density)
{
    ng_coupled *c = NULL;
    double *attach = rows_of(&o->sizes, attach_by_area);
    double *detach = rows_of(&o->sizes, detach_in_balance);
    REQUIRE(ng_coupled_create(o, attach, detach, &c, NULL, err));
    REQUIRE(ng_coupled_start(c, 0.0, S, density, NULL, NULL, err));
    ng_free(attach);
    ng_free(detach);
    return c;
}

static void equilibrium_stays(void **state)
{
    (void)state;
    const ng_coupled_options o = from_monomers();
    double *p = weights(&o.sizes), *found = rows_of(&o.sizes, NULL);
    for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
        p[i] *= pow(0.8, (double)i + 2.0);
    }
    ng_coupled *c = becker_doering(&o, 0.8, p);
    REQUIRE(ng_coupled_advance(c, 1000.0, err));
    ng_coupled_density(c, found);
    ng_size_state s;
    ng_coupled_state(c, &s);
    assert_close(s.supersaturation, 0.8, 1e-12);
    for (size_t i = 0; i < ng_size_count(&o.sizes); i++) {
        assert_close(found[i], p[i], 1e-12 * p[0]);
    }
    ng_coupled_destroy(c);
    ng_free(p);
    ng_free(found);
}

/* Free energy sum rho_n (ln(rho_n/Q_n) - 1) over monomers and sizes. */
static double free_energy(const ng_coupled *c, const ng_size_range *sizes, const double *Q)
{
    ng_size_state s;
    double *p = rows_of(sizes, NULL);
    ng_coupled_state(c, &s);
    ng_coupled_density(c, p);
    double sum = s.supersaturation * (log(s.supersaturation) - 1.0);
    for (size_t i = 0; i < ng_size_count(sizes); i++) {
        sum += p[i] > 0 ? p[i] * (log(p[i] / Q[i]) - 1.0) : 0.0;
    }
    ng_free(p);
    return sum;
}

static void free_energy_falls_without_supply(void **state)
{
    (void)state;
    ng_coupled_options o = from_monomers();
    o.top_share = 1.0;
    double *Q = weights(&o.sizes), *nothing = rows_of(&o.sizes, NULL);
    ng_coupled *c = becker_doering(&o, 3.0, nothing);
    double last = free_energy(c, &o.sizes, Q);
    for (int k = 1; k <= 100; k++) {
        REQUIRE(ng_coupled_advance(c, 0.05 * k, err));
        const double now = free_energy(c, &o.sizes, Q);
        assert_true(now < last);
        last = now;
    }
    assert_close(total_mass(c), 3.0, 3e-13);
    ng_coupled_destroy(c);
    ng_free(Q);
    ng_free(nothing);
}

/* ---- against given S(t) ---------------------------------------------------------------------- */

/* Largest difference of densities over the peak. */
static double difference(const double *p, const double *q, size_t n)
{
    double worst = 0.0, peak = 0.0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(p[i] - q[i]));
        peak = fmax(peak, fabs(q[i]));
    }
    return worst / peak;
}

/* The master equation with S(t) as given, from the same start; owned density at `time_s`. */
static double *master_at(const ng_size_range *sizes, const ng_time_law *S, double mean, double sd,
                         double time_s)
{
    ng_master_options o = ng_master_defaults();
    o.sizes = *sizes;
    o.step_s = 2e-3;
    double *attach, *detach, *p = scaled(gaussian(sizes, mean, sd), sizes, NUMBER);
    ng_master *m = NULL;
    platinum_rates(sizes, &attach, &detach);
    REQUIRE(ng_master_create(&o, &m, NULL, err));
    REQUIRE(ng_master_set_rates(m, 0, attach, detach, err));
    REQUIRE(ng_master_set_laws(m, 0, S, NULL, err));
    REQUIRE(ng_master_set_density(m, 0, p, err));
    REQUIRE(ng_master_advance(m, time_s, err));
    ng_master_density(m, 0, p);
    ng_master_destroy(m);
    ng_free(attach);
    ng_free(detach);
    return p;
}

static double spline_value(const void *context, double time_s)
{
    return gsl_spline_eval(context, time_s, NULL);
}

/* Follow S(t) of a coupled run by a spline through 1000 outputs, then solve with S given by it.
 * Both at tolerances far below 1e-6 of the peak. */
static void check_against_given_S(ng_time_law supply, double until_s)
{
    enum { OUTPUTS = 1000 };
    static double time_s[OUTPUTS + 1], S[OUTPUTS + 1];
    ng_coupled_options o = options();
    o.sizes.n_max = 2000;
    o.relative_tolerance = 1e-10;
    ng_coupled *c = platinum(&o, 400.0, 30.0, &supply, NULL);
    for (size_t k = 0; k <= OUTPUTS; k++) {
        ng_size_state s;
        REQUIRE(ng_coupled_advance(c, until_s * (double)k / OUTPUTS, err));
        ng_coupled_state(c, &s);
        time_s[k] = s.time_s;
        S[k] = s.supersaturation;
    }
    gsl_spline *spline = gsl_spline_alloc(gsl_interp_cspline, OUTPUTS + 1);
    gsl_spline_init(spline, time_s, S, OUTPUTS + 1);
    const ng_time_law given = ng_law_from(spline_value, spline);
    double *p = master_at(&o.sizes, &given, 400.0, 30.0, until_s);
    double *q = rows_of(&o.sizes, NULL);
    ng_coupled_density(c, q);
    assert_true(fabs(S[OUTPUTS] - S[0]) > 0.1); /* the coupling matters */
    assert_true(difference(p, q, ng_size_count(&o.sizes)) < 1e-6);
    gsl_spline_free(spline);
    ng_coupled_destroy(c);
    ng_free(p);
    ng_free(q);
}

static void it_agrees_with_given_S(void **state)
{
    (void)state;
    check_against_given_S(ng_law_constant(0.2), 5.0);
    check_against_given_S(ng_law_decay(1.5, 0.5), 5.0);
}

/* ---- large ----------------------------------------------------------------------------------- */

static void a_million_sizes_keep_their_mass(void **state)
{
    (void)state;
    ng_coupled_options o = ng_coupled_defaults();
    o.sizes.n_max = 1000049;
    o.relative_tolerance = 1e-4;
    o.absolute_tolerance = 1e-8;
    const ng_time_law supply = ng_law_constant(0.5);
    ng_coupled *c = platinum(&o, 500000.0, 20000.0, &supply, NULL);
    const double start = total_mass(c);
    REQUIRE(ng_coupled_advance(c, 2.0, err));
    assert_close(total_mass(c), start + 1.0, 1e-13 * start);
    ng_coupled_destroy(c);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void assert_says(ng_status status, ng_status wanted, const ng_error *err, const char *words)
{
    assert_int_equal(status, wanted);
    if (strstr(err->message, words) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", err->message, words);
    }
}

static void withdrawing_too_much_is_an_error(void **state)
{
    (void)state;
    const ng_coupled_options o = options();
    const ng_time_law supply = ng_law_ramp(0.0, -50.0, 1.0, 2.0);
    ng_error why = {.message = ""};
    ng_size_state s;
    ng_coupled *c = platinum(&o, 400.0, 30.0, &supply, NULL);
    assert_says(ng_coupled_advance(c, 10.0, &why), NG_INVALID, &why,
                "the monomers would become negative at 1.");
    ng_coupled_state(c, &s);
    assert_close(s.supersaturation, 0.0, 1e-9); /* to a thousand tolerances */
    ng_coupled_destroy(c);
}

static void sizes_beyond_the_grid_are_an_error(void **state)
{
    (void)state;
    ng_coupled_options o = options();
    o.sizes.n_max = 600;
    const ng_time_law supply = ng_law_constant(2.0);
    ng_error why = {.message = ""};
    ng_coupled *c = platinum(&o, 400.0, 30.0, &supply, NULL);
    assert_says(ng_coupled_advance(c, 100.0, &why), NG_INVALID, &why,
                "of the particles have grown to n = 600, the largest size");
    ng_coupled_destroy(c);
}

static void assert_options_refused(ng_coupled_options o, const char *words)
{
    static const double row[4096];
    ng_error err = {.message = ""};
    ng_coupled *c = NULL;
    assert_says(ng_coupled_create(&o, row, row, &c, NULL, &err), NG_INVALID, &err, words);
    assert_null(c);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    const ng_coupled_options good = options();
    ng_coupled_options bad = good;
#define REFUSED(field, value, words)                                                               \
    bad.field = (value);                                                                           \
    assert_options_refused(bad, words);                                                            \
    bad = good
    REFUSED(relative_tolerance, 0, "relative_tolerance is 0");
    REFUSED(absolute_tolerance, 0, "absolute_tolerance is 0");
    REFUSED(top_share, 2, "top_share is 2");
    REFUSED(dimer_rate_per_s, 1, "monomers pair up only where sizes begin at 2");
    REFUSED(max_steps, 0, "max_steps is 0");
    REFUSED(sizes.n_min, 49, "n_min is 49");
#undef REFUSED
}

static void wrong_starts_are_refused(void **state)
{
    (void)state;
    const ng_coupled_options o = options();
    const ng_time_law supply = ng_law_constant(0.1), function = ng_law_from(spline_value, NULL);
    ng_error err = {.message = ""};
    ng_coupled *c = platinum(&o, 400.0, 30.0, &supply, NULL);
    double *row = rows_of(&o.sizes, NULL);
    assert_says(ng_coupled_start(c, 0, -1, row, NULL, NULL, &err), NG_INVALID, &err,
                "monomers are -1");
    assert_says(ng_coupled_start(c, 0, 1, row, &function, NULL, &err), NG_INVALID, &err,
                "the supply is a function; its integral must be known");
    const ng_time_law negative = ng_law_constant(-1);
    assert_says(ng_coupled_start(c, 0, 1, row, NULL, &negative, &err), NG_INVALID, &err,
                "the nucleation rate is -1");
    row[1] = (double)NAN;
    assert_says(ng_coupled_start(c, 0, 1, row, NULL, NULL, &err), NG_INVALID, &err,
                "the density at n = 51 is nan");
    assert_says(ng_coupled_advance(c, -1, &err), NG_INVALID, &err, "time must not run back");
    ng_coupled_destroy(c);
    ng_free(row);
}

static void too_many_steps_are_an_error(void **state)
{
    (void)state;
    ng_coupled_options o = options();
    const ng_time_law supply = ng_law_constant(0.1);
    ng_error why = {.message = ""};
    o.max_steps = 5;
    ng_coupled *c = platinum(&o, 400.0, 30.0, &supply, NULL);
    assert_says(ng_coupled_advance(c, 100.0, &why), NG_NUMERIC, &why, "5 steps led to ");
    assert_int_equal(ng_coupled_work_done(c).steps, 5);
    assert_true(ng_coupled_work_done(c).sweeps >= 5);
    ng_coupled_destroy(c);
}

static void lack_of_memory_leaves_nothing(void **state)
{
    (void)state;
    const ng_coupled_options o = options();
    static const double row[4096];
    size_t failures = 0;
    ng_status status = NG_MEMORY;
    for (; status == NG_MEMORY; failures++) {
        ng_coupled *c = NULL;
        ng_alloc_fail_after(failures + 1);
        status = ng_coupled_create(&o, row, row, &c, NULL, NULL);
        ng_alloc_fail_after(0);
        assert_true((c == NULL) == (status != NG_OK));
        ng_coupled_destroy(c);
    }
    assert_int_equal(status, NG_OK);
    assert_int_equal(failures, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mass_is_kept),
        cmocka_unit_test(particles_are_kept),
        cmocka_unit_test(equilibrium_stays),
        cmocka_unit_test(free_energy_falls_without_supply),
        cmocka_unit_test(it_agrees_with_given_S),
        cmocka_unit_test(a_million_sizes_keep_their_mass),
        cmocka_unit_test(withdrawing_too_much_is_an_error),
        cmocka_unit_test(sizes_beyond_the_grid_are_an_error),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(wrong_starts_are_refused),
        cmocka_unit_test(too_many_steps_are_an_error),
        cmocka_unit_test(lack_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests_name("coupled", tests, NULL, NULL);
}
