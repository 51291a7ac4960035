/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All crystals of a movie: known growth through noise and blinking, bad tracks, threads. */
#include <nucgrow/crystals.h>

#include "test_support.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum { POINTS = 200 };

static const double truth[] = {0.145, 0, 1.5};

/* `n` crystals born every second, seen from 0.4 s on; a fifth of the points half dark. */
static ng_particles movie(size_t n)
{
    double slope[NG_CURVE_MAX];
    gsl_rng *rng = ng_random_open(8, 0);
    ng_particles p = {.item = NG_NEW(ng_particle, n * POINTS)};
    assert_non_null(p.item);
    for (size_t k = 0; k < n; k++) {
        const double of_this[] = {truth[0], (double)k, truth[2]};
        for (size_t i = 0; i < POINTS; i++) {
            ng_particle *x = &p.item[p.n++];
            *x = ng_particle_unknown();
            x->track = (long)k + 1;
            x->frame = (long)(4 * k + i + 2);
            x->time_s = 0.25 * (double)x->frame;
            const double dark = gsl_rng_uniform(rng) < 0.2 ? 0.3 + 0.5 * gsl_rng_uniform(rng) : 1;
            const double r = ng_radius_law_find("depletion")->value(of_this, 0, x->time_s, slope);
            x->intensity = 600 * r * r * r * dark + gsl_ran_gaussian(rng, 20);
            x->intensity_se = 20;
            x->radius_nm = cbrt(fmax(x->intensity, 1) / 600);
            x->radius_se_nm = x->radius_nm * 20 / (3 * fmax(x->intensity, 20));
        }
    }
    ng_random_close(rng);
    return p;
}

static ng_crystals fit(const ng_particles *p, const ng_crystals_options *o, int threads,
                       ng_warnings *warnings)
{
    ng_crystals c;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    run.threads = threads;
    if (ng_crystals_fit(p, o, &run, &c, warnings, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return c;
}

static void known_growth_comes_back(void **state)
{
    (void)state;
    ng_particles p = movie(30);
    ng_crystals_options o = ng_crystals_defaults();
    ng_warnings warnings = {0};
    ng_crystals c = fit(&p, &o, 1, &warnings);
    size_t held = 0, depletion = 0;
    double fast = 0;
    for (size_t i = 0; i < c.n; i++) {
        const ng_crystal *x = &c.item[i];
        assert_int_equal(x->diffusion.state, NG_CURVE_OK);
        held += x->diffusion.parameter[0].lower <= truth[0] &&
                truth[0] <= x->diffusion.parameter[0].upper;
        depletion += strcmp(x->chosen->name, "depletion") == 0;
        fast += x->fast_s / (double)c.n;
        assert_true(x->avrami.parameter[0].value > 1 && x->avrami.parameter[0].value < 1.7);
    }
    print_message("held %zu, depletion %zu of %zu, fast %g s\n", held, depletion, c.n, fast);
    assert_true(held >= 25);      /* 95 %: fewer than 26 of 30 happens once in 60 */
    assert_true(depletion >= 20); /* AIC takes a richer law once in six */
    assert_close(fast, 0.4198 * 1.5 * 1.5 / truth[0], 0.3); /* G(0.8) r_f^2/B */
    json_t *result = NULL;
    assert_int_equal(ng_crystals_json(&c, &p, &o, &result, &warnings, NULL), NG_OK);
    const json_t *product =
        json_object_get(json_object_get(result, "parameters"), "product_nm2_per_s");
    const double lower = json_number_value(json_object_get(product, "lower"));
    const double upper = json_number_value(json_object_get(product, "upper"));
    /* early points that are dark by less than their noise pull by 0.4 %, as much as the interval of
     * thirty equal crystals is wide */
    assert_true(lower < 1.01 * truth[0] && truth[0] < 1.01 * upper && upper - lower < 0.02);
    json_decref(result);
    ng_crystals_free(&c);
    ng_warnings_free(&warnings);
    ng_particles_free(&p);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    ng_particles p = movie(6);
    ng_crystals_options o = ng_crystals_defaults();
    ng_crystals a = fit(&p, &o, 1, NULL), b = fit(&p, &o, 3, NULL);
    assert_memory_equal(a.item, b.item, a.n * sizeof *a.item);
    ng_crystals_free(&a);
    ng_crystals_free(&b);
    ng_particles_free(&p);
}

/* Tracks of three points, without light, falling, saturated, with holes: flagged, each alone. */
static void bad_tracks_are_flagged(void **state)
{
    (void)state;
    ng_particles p = movie(6);
    size_t kept = 0;
    for (size_t i = 0; i < p.n; i++) {
        ng_particle x = p.item[i];
        const size_t at = i % POINTS;
        if (x.track == 1 && at >= 3) {
            continue;
        }
        if (x.track == 2) {
            x.intensity = -3;
            x.radius_nm = (double)NAN;
        }
        x.radius_nm = x.track == 3 ? 2 - 0.005 * (double)at : x.radius_nm;
        x.flag = x.track == 4 && at % 2 == 0 ? NG_FLAG_SATURATED : 0;
        if (x.track == 5 && at > 4) {
            x.radius_nm = x.intensity = (double)NAN;
        }
        p.item[kept++] = x;
    }
    p.n = kept;
    ng_crystals_options o = ng_crystals_defaults();
    o.least_points = 1;
    ng_warnings warnings = {0};
    ng_crystals c = fit(&p, &o, 1, &warnings);
    assert_int_equal(c.n, 6);
    assert_int_equal(c.item[0].diffusion.state, NG_CURVE_TOO_FEW);
    assert_int_equal(c.item[1].diffusion.state, NG_CURVE_TOO_FEW);
    assert_int_equal(c.item[1].avrami.state, NG_CURVE_NO_RISE);
    assert_int_equal(c.item[2].diffusion.state, NG_CURVE_NO_RISE);
    assert_int_equal(c.item[3].diffusion.state, NG_CURVE_OK);
    assert_int_equal(c.item[3].n_points, POINTS / 2);
    assert_true(c.item[4].n_points == 5);
    assert_int_equal(c.item[5].diffusion.state, NG_CURVE_OK);
    assert_null(c.item[0].chosen);
    assert_true(isnan(c.item[0].fast_s));
    json_t *result = NULL;
    assert_int_equal(ng_crystals_json(&c, &p, &o, &result, &warnings, NULL), NG_OK);
    json_decref(result);
    assert_true(warnings.n >= 2);
    ng_crystals_free(&c);
    ng_warnings_free(&warnings);
    ng_particles_free(&p);
}

static void no_crystals(void **state)
{
    (void)state;
    ng_particles p = movie(2);
    ng_crystals_options o = ng_crystals_defaults();
    ng_crystals c;
    ng_error err = {.message = ""};
    o.least_points = 1000;
    assert_int_equal(ng_crystals_fit(&p, &o, NULL, &c, NULL, &err), NG_TOO_LITTLE);
    for (size_t i = 0; i < p.n; i++) {
        p.item[i].radius_nm = (double)NAN;
    }
    assert_int_equal(ng_crystals_fit(&p, &o, NULL, &c, NULL, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "no radii"));
    ng_crystals_free(&c);
    ng_particles_free(&p);
}

static void medians(void **state)
{
    (void)state;
    double value[1001];
    for (size_t i = 0; i < 1001; i++) {
        value[i] = i == 3 ? (double)NAN : (double)i;
    }
    ng_crystals_median m;
    assert_int_equal(ng_crystals_summarise(value, 1001, 400, 0.95, 1, &m, NULL), NG_OK);
    assert_int_equal(m.n, 1000);
    assert_close(m.median, 500.5, 0.01);
    /* the s.d. of a median of 1000 even numbers is 1000/(2 sqrt(1000)) */
    assert_close(m.upper - m.lower, 2 * 1.96 * 15.8, 12);
    assert_int_equal(ng_crystals_summarise(value, 0, 400, 0.95, 1, &m, NULL), NG_OK);
    assert_true(m.n == 0 && isnan(m.median));
}

/* Crystals born evenly: their summed light, with an interval that knows it is a sum of crystals. */
static void the_ensemble(void **state)
{
    (void)state;
    ng_particles p = movie(40);
    double time_s[POINTS];
    size_t kept = 0;
    for (size_t i = 0; i < p.n; i++) { /* until the last crystal has grown for 10 s */
        if (p.item[i].frame < POINTS) {
            p.item[kept++] = p.item[i];
        }
    }
    p.n = kept;
    for (size_t i = 0; i < POINTS; i++) {
        time_s[i] = 0.25 * (double)i;
    }
    const ng_curve_options how = ng_curve_defaults();
    ng_ensemble_avrami a;
    ng_run run = ng_run_defaults();
    assert_int_equal(ng_ensemble_avrami_fit(&p, time_s, POINTS, 3, 60, &how, &run, &a, NULL, NULL),
                     NG_OK);
    ng_ensemble_avrami unused;
    assert_int_equal(ng_ensemble_avrami_fit(&p, time_s, 9, 3, 0, &how, &run, &unused, NULL, NULL),
                     NG_INVALID);
    const ng_fit_parameter *exponent = &a.fit.parameter[0];
    assert_int_equal(a.fit.state, NG_CURVE_OK);
    assert_int_equal(a.replicates, 60);
    print_message("ensemble: n %g (%g to %g)\n", exponent->value, exponent->lower, exponent->upper);
    assert_true(exponent->lower < exponent->value && exponent->value < exponent->upper);
    assert_true(exponent->value > 1.2 && exponent->value < 4); /* births add to growth's 1.3 */
    /* one dim spot in the first frame, half a per cent of the light at most, is no baseline */
    ng_ensemble_avrami early;
    assert_true(p.item[0].frame > 0);
    p.item[0].frame = 0;
    p.item[0].time_s = 0;
    assert_int_equal(
        ng_ensemble_avrami_fit(&p, time_s, POINTS, 3, 0, &how, &run, &early, NULL, NULL), NG_OK);
    assert_ptr_equal(early.fit.law, a.fit.law);
    assert_close(early.fit.parameter[0].value, exponent->value, 0.05);
    char *meaning = ng_avrami_meaning(exponent, false);
    assert_non_null(meaning);
    ng_free(meaning);
    ng_particles_free(&p);
}

static void meanings(void **state)
{
    (void)state;
    const ng_fit_parameter narrow = {.value = 1.5, .lower = 1.45, .upper = 1.55};
    const ng_fit_parameter none = {.value = 1.7, .lower = 1.65, .upper = 1.75};
    char *one = ng_avrami_meaning(&narrow, true), *nothing = ng_avrami_meaning(&none, true);
    assert_string_equal(one, "n = 1.5: diffusion-limited growth in 3 dimensions");
    assert_non_null(strstr(nothing, "no simple mode"));
    ng_free(one);
    ng_free(nothing);
}

static int quiet(void **state)
{
    (void)state;
    gsl_set_error_handler_off();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_growth_comes_back),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(bad_tracks_are_flagged),
        cmocka_unit_test(no_crystals),
        cmocka_unit_test(medians),
        cmocka_unit_test(the_ensemble),
        cmocka_unit_test(meanings),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
