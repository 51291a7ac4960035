/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole fit as a function: what its result promises, for any threads, with anything fixed,
 * refused, cancelled or out of memory.
 */
#include "fit_test.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

#define N N_PARAMETERS

static ng_growth_fit_options quick(bool published)
{
    const ng_material *platinum = ng_material_find("Pt");
    ng_growth_fit_options o =
        published ? ng_growth_fit_published(platinum) : ng_growth_fit_defaults(platinum);
    if (published) {
        /* few small particles: the published numbers belong to 113 tracks of up to 9000 monomers */
        o.size_trim = 20;
        o.variance_scale = 1.0;
        o.variance_limit = 1e-3;
    }
    o.starts = 2;
    o.bootstrap = 6;
    return o;
}

static ng_trajectories small(bool published)
{
    return fit_synthetic(2, 40, 50, published);
}

static ng_growth_fit run_fit(const ng_trajectories *t, const ng_growth_fit_options *o, int threads,
                             uint64_t seed, ng_warnings *warnings)
{
    ng_growth_fit fit;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    run.threads = threads;
    run.seed = seed;
    fit_require(ng_growth_fit_run(t, o, &run, &fit, warnings, &err), &err);
    return fit;
}

/* ---- what a result promises ------------------------------------------------------------------ */

static void check_between(double lower, double value, double upper)
{
    assert_true(isfinite(lower) && isfinite(value) && isfinite(upper));
    assert_true(lower <= value && value <= upper);
}

static void check_parameters(const ng_growth_fit *fit)
{
    for (size_t i = 0; i < N; i++) {
        const ng_fit_parameter *p = &fit->parameter[i];
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        check_between(p->lower, p->value, p->upper);
        assert_true(p->lower >= info->min && p->upper <= info->max);
        assert_true(p->value == ng_growth_parameter_get(&fit->best, i));
        assert_true(p->flag == NG_FIT_OK || p->flag == NG_FIT_AT_BOUND ||
                    p->flag == NG_FIT_NOT_IDENTIFIABLE);
        assert_true(isnan(p->se) || p->se > 0.0);
    }
    check_between(fit->delta_lower, fit->delta_mean, fit->delta_upper);
    assert_true(fit->delta_lower >= NG_DELTA_MIN && fit->delta_upper <= NG_DELTA_MAX);
}

static void check_series(const ng_growth_fit *fit, const ng_trajectories *t,
                         const ng_growth_fit_options *o)
{
    double mean = 0.0;
    assert_true(fit->n_frames >= 2 && fit->n_frames <= t->n_frames);
    for (size_t f = 0; f < fit->n_frames; f++) {
        assert_true(fit->frame[f] < t->n_frames);
        assert_true(f == 0 || fit->frame[f] > fit->frame[f - 1]);
        assert_true(fit->time_s[f] == t->time_s[fit->frame[f]]);
        check_between(fit->supersaturation_lower[f], fit->supersaturation[f],
                      fit->supersaturation_upper[f]);
        check_between(0.0, fit->supersaturation[f], o->supersaturation_max);
        check_between(NG_DELTA_MIN, fit->delta[f], NG_DELTA_MAX);
        assert_true(isfinite(fit->frame_cost[f]) && fit->frame_cost[f] >= 0.0);
        assert_true(fit->mean_n[f] > 0.0 && fit->var_n[f] > 0.0);
        assert_true(isfinite(fit->mean_n_model[f]) && isfinite(fit->var_n_model[f]));
        for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
            assert_true(isfinite(fit->moment_model[q][f]));
        }
        mean += fit->delta[f] / (double)fit->n_frames;
    }
    assert_close(fit->delta_mean, mean, 1e-12); /* a sum of `n_frames` terms */
    assert_close(fit->var_n_model[0], fit->var_n[0], 1e-9 * fit->var_n[0]); /* starts at the data */
}

static void check_search(const ng_growth_fit *fit, const ng_growth_fit_options *o)
{
    assert_int_equal(fit->n_starts, o->starts);
    for (size_t i = 0; i < fit->n_starts; i++) {
        assert_true(isfinite(fit->start[i].objective));
        assert_true(i == 0 || fit->start[i].objective >= fit->start[i - 1].objective);
        assert_true(fit->start[i].iterations <= o->max_iterations);
        assert_non_null(ng_fit_stop_text(fit->start[i].stop));
    }
    assert_memory_equal(&fit->best, &fit->start[0].parameters, sizeof fit->best);
    assert_true(fit->converged == (fit->start[0].stop != NG_STOP_ITERATIONS));
    assert_true(fit->evaluations >= fit->n_starts);
    /* found again from the best parameters: delta and multiplier are searched from anew */
    assert_close(fit->objective, fit->start[0].objective, 1e-3 * fit->objective);
}

static void check_information(const ng_growth_fit *fit)
{
    size_t n = fit->n_free;
    assert_true(n <= N);
    for (size_t i = 0; i < n; i++) {
        assert_true(fit->free_index[i] < N);
        assert_true(i == 0 || fit->free_index[i] > fit->free_index[i - 1]);
        assert_true(i == 0 || fit->eigenvalue[i] <= fit->eigenvalue[i - 1]);
        assert_close(fit->correlation[i][i], 1.0, 1e-12);
        for (size_t j = 0; j < n; j++) {
            double dot = 0.0;
            for (size_t k = 0; k < n; k++) {
                dot += fit->eigenvector[i][k] * fit->eigenvector[j][k];
            }
            assert_close(dot, i == j ? 1.0 : 0.0, 1e-10); /* of GSL's symmetric solver */
            assert_true(fabs(fit->correlation[i][j]) <= 1.0 + 1e-12);
        }
    }
}

static void check_replicates(const ng_growth_fit *fit, const ng_growth_fit_options *o)
{
    assert_int_equal(fit->n_replicates + fit->n_failed, o->bootstrap);
    for (size_t b = 0; b < fit->n_replicates; b++) {
        for (size_t i = 0; i < N; i++) {
            const ng_parameter_info *info = &ng_growth_parameter_info()[i];
            double value = ng_growth_parameter_get(&fit->replicate[b], i);
            /* logarithms come back with their last digit wrong */
            check_between(info->min * (1.0 - 1e-12), value, info->max * (1.0 + 1e-12));
        }
        check_between(NG_DELTA_MIN, fit->replicate_delta[b], NG_DELTA_MAX);
        for (size_t f = 0; f < fit->n_frames; f++) {
            double S = fit->replicate_supersaturation[b * fit->n_frames + f];
            assert_true(isnan(S) || (S >= 0.0 && S <= o->supersaturation_max));
        }
    }
}

static void check_profiles(const ng_growth_fit *fit)
{
    assert_true(fit->n_profiles >= 5 && fit->n_profiles <= 9);
    for (size_t i = 0; i < fit->n_profiles; i++) {
        const ng_growth_profile *p = &fit->profile[i];
        assert_true(p->count >= 2 && (i == 0 || p->time_s > fit->profile[i - 1].time_s));
        for (size_t k = 0; k < p->count; k++) {
            assert_true(k == 0 || p->n[k] > p->n[k - 1]);
            assert_true(isfinite(p->p[k]) && isfinite(p->flux_data_per_s[k]) &&
                        isfinite(p->flux_model_per_s[k]));
        }
    }
    assert_true(fit->n_reconstructed > 0);
    for (size_t i = 0; i < fit->n_reconstructed; i++) {
        assert_true(i == 0 || fit->reconstructed_n[i] > fit->reconstructed_n[i - 1]);
        assert_true(isfinite(fit->reconstructed_kT[i]) && fit->reconstructed_sd_kT[i] >= 0.0);
        assert_true(fit->reconstructed_frames[i] <= fit->n_frames);
    }
}

static void check_sensitivities(const ng_growth_fit *fit)
{
    assert_true(fit->n_sensitivities <= 2 * N);
    for (size_t i = 0; i < fit->n_sensitivities; i++) {
        const ng_growth_sensitivity *s = &fit->sensitivity[i];
        double want = s->factor * ng_growth_parameter_get(&fit->best, s->index);
        assert_true(s->factor == 0.5 || s->factor == 2.0);
        assert_true(ng_growth_parameter_get(&s->parameters, s->index) == want);
        assert_true(isfinite(s->cost.objective) && s->cost.growth_rate > 0.0);
    }
}

static void a_result_keeps_its_promises(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        ng_trajectories t = small(published);
        ng_growth_fit_options o = quick(published);
        ng_growth_fit fit = run_fit(&t, &o, 1, 1, NULL);
        check_parameters(&fit);
        check_series(&fit, &t, &o);
        check_search(&fit, &o);
        check_information(&fit);
        check_replicates(&fit, &o);
        check_profiles(&fit);
        check_sensitivities(&fit);
        assert_true(isfinite(fit.growth_rate_cost) && isfinite(fit.growth_rate_cost_start));
        assert_true(fit.variance_cost >= 0.0);
        ng_growth_fit_free(&fit);
        assert_null(fit.time_s);
        ng_trajectories_free(&t);
    }
}

/* The objective is at most that of the start values, whatever the mode of delta. */
static void a_fit_is_no_worse_than_its_start(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        ng_trajectories t = small(published);
        for (int mode = NG_DELTA_FREE; mode <= NG_DELTA_FIXED; mode++) {
            ng_growth_fit_options o = quick(published);
            ng_rate_cost cost;
            o.delta_mode = (ng_delta_mode)mode;
            o.starts = 1;
            o.bootstrap = 0;
            ng_rate_problem *p = fit_problem(&t, NULL, &o);
            assert_int_equal(ng_rate_problem_cost(p, &o.start, &cost, NULL), NG_OK);
            ng_growth_fit fit = run_fit(&t, &o, 1, 1, NULL);
            assert_true(fit.start[0].objective <= cost.objective);
            ng_growth_fit_free(&fit);
            ng_rate_problem_destroy(p);
        }
        ng_trajectories_free(&t);
    }
}

/* ---- the same result ------------------------------------------------------------------------- */

static void same_numbers(const double *a, const double *b, size_t n)
{
    assert_memory_equal(a, b, n * sizeof *a);
}

/* Bit for bit. */
static void same_result(const ng_growth_fit *a, const ng_growth_fit *b)
{
    assert_int_equal(a->n_frames, b->n_frames);
    assert_int_equal(a->n_replicates, b->n_replicates);
    assert_int_equal(a->evaluations, b->evaluations);
    assert_memory_equal(&a->best, &b->best, sizeof a->best);
    for (size_t i = 0; i < N; i++) {
        same_numbers(&a->parameter[i].lower, &b->parameter[i].lower, 1);
        same_numbers(&a->parameter[i].upper, &b->parameter[i].upper, 1);
        same_numbers(&a->parameter[i].se, &b->parameter[i].se, 1);
        assert_int_equal(a->parameter[i].flag, b->parameter[i].flag);
    }
    for (size_t i = 0; i < a->n_starts; i++) {
        same_numbers(&a->start[i].objective, &b->start[i].objective, 1);
    }
    same_numbers(a->supersaturation, b->supersaturation, a->n_frames);
    same_numbers(a->supersaturation_lower, b->supersaturation_lower, a->n_frames);
    same_numbers(a->supersaturation_upper, b->supersaturation_upper, a->n_frames);
    same_numbers(a->delta, b->delta, a->n_frames);
    same_numbers(a->var_n_model, b->var_n_model, a->n_frames);
    same_numbers(a->reconstructed_kT, b->reconstructed_kT, a->n_reconstructed);
    same_numbers(a->replicate_delta, b->replicate_delta, a->n_replicates);
    assert_memory_equal(a->replicate, b->replicate, a->n_replicates * sizeof *a->replicate);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        ng_trajectories t = small(published);
        ng_growth_fit_options o = quick(published);
        ng_growth_fit one = run_fit(&t, &o, 1, 7, NULL), two = run_fit(&t, &o, 2, 7, NULL);
        same_result(&one, &two);
        ng_growth_fit_free(&one);
        ng_growth_fit_free(&two);
        ng_trajectories_free(&t);
    }
}

static void the_seed_draws_the_replicates_and_nothing_else(void **state)
{
    (void)state;
    ng_trajectories t = small(false);
    ng_growth_fit_options o = quick(false);
    o.starts = 1;
    ng_growth_fit a = run_fit(&t, &o, 1, 7, NULL), again = run_fit(&t, &o, 1, 7, NULL);
    ng_growth_fit other = run_fit(&t, &o, 1, 8, NULL);
    same_result(&a, &again);
    assert_memory_equal(&a.best, &other.best, sizeof a.best);
    same_numbers(a.supersaturation, other.supersaturation, a.n_frames);
    assert_memory_not_equal(a.replicate, other.replicate, sizeof *a.replicate);
    ng_growth_fit_free(&a);
    ng_growth_fit_free(&again);
    ng_growth_fit_free(&other);
    ng_trajectories_free(&t);
}

/* ---- fixed ----------------------------------------------------------------------------------- */

static void fixed_parameters_stay_exactly(void **state)
{
    (void)state;
    ng_trajectories t = small(false);
    for (size_t fixed = 0; fixed < N; fixed++) {
        ng_growth_fit_options o = quick(false);
        o.fixed[fixed] = true;
        o.fixed[(fixed + 2) % N] = true;
        ng_growth_fit fit = run_fit(&t, &o, 1, 1, NULL);
        for (size_t i = 0; i < N; i++) {
            const ng_fit_parameter *p = &fit.parameter[i];
            double given = ng_growth_parameter_get(&o.start, i);
            assert_true((p->flag == NG_FIT_FIXED) == o.fixed[i]);
            if (!o.fixed[i]) {
                continue;
            }
            assert_true(p->value == given && p->lower == given && p->upper == given);
            assert_true(isnan(p->se));
            for (size_t s = 0; s < fit.n_starts; s++) {
                assert_true(ng_growth_parameter_get(&fit.start[s].parameters, i) == given);
            }
            for (size_t b = 0; b < fit.n_replicates; b++) {
                assert_true(ng_growth_parameter_get(&fit.replicate[b], i) == given);
            }
        }
        assert_true(fit.n_free <= N - 2);
        ng_growth_fit_free(&fit);
    }
    ng_trajectories_free(&t);
}

static void all_fixed_is_an_evaluation(void **state)
{
    (void)state;
    ng_trajectories t = small(true);
    ng_growth_fit_options o = quick(true);
    ng_rate_cost cost;
    memset(o.fixed, true, sizeof o.fixed);
    o.delta_mode = NG_DELTA_FIXED;
    ng_growth_fit fit = run_fit(&t, &o, 1, 1, NULL);
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    assert_int_equal(ng_rate_problem_cost(p, &o.start, &cost, NULL), NG_OK);
    assert_int_equal(fit.start[0].stop, NG_STOP_EVALUATED);
    assert_int_equal(fit.n_starts, 1);
    assert_int_equal(fit.n_free, 0);
    assert_true(fit.converged);
    assert_memory_equal(&fit.best, &o.start, sizeof fit.best);
    /* the multiplier of the variance limit is bracketed to 1e-6 from where the last call left it */
    assert_close(fit.growth_rate_cost, cost.growth_rate, 1e-5 * cost.growth_rate);
    assert_close(fit.growth_rate_cost_start, cost.growth_rate, 1e-5 * cost.growth_rate);
    assert_close(fit.delta_lower, o.delta, 1e-12); /* a mean over frames */
    assert_close(fit.delta_upper, o.delta, 1e-12);
    ng_rate_problem_destroy(p);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

static void without_replicates_an_interval_is_its_value(void **state)
{
    (void)state;
    ng_trajectories t = small(false);
    ng_growth_fit_options o = quick(false);
    o.bootstrap = 0;
    ng_growth_fit fit = run_fit(&t, &o, 1, 1, NULL);
    assert_int_equal(fit.n_replicates, 0);
    assert_int_equal(fit.n_failed, 0);
    check_parameters(&fit);
    check_series(&fit, &t, &o);
    for (size_t i = 0; i < N; i++) {
        assert_true(fit.parameter[i].lower == fit.parameter[i].value);
        assert_true(fit.parameter[i].upper == fit.parameter[i].value);
    }
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&t);
}

static bool warned(const ng_warnings *w, const char *name)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(w->item[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void giving_up_is_said(void **state)
{
    (void)state;
    ng_trajectories t = small(false);
    ng_growth_fit_options o = quick(false);
    ng_warnings warnings = {0};
    o.max_iterations = 1;
    o.starts = 1;
    o.bootstrap = 0;
    ng_growth_fit fit = run_fit(&t, &o, 1, 1, &warnings);
    assert_false(fit.converged);
    assert_int_equal(fit.start[0].stop, NG_STOP_ITERATIONS);
    assert_true(warned(&warnings, "not-converged"));
    ng_growth_fit_free(&fit);
    ng_warnings_free(&warnings);
    ng_trajectories_free(&t);
}

/* ---- refused --------------------------------------------------------------------------------- */

typedef void set_option(ng_growth_fit_options *o, double value);

#define SETTER(field, type)                                                                        \
    static void set_##field(ng_growth_fit_options *o, double value)                                \
    {                                                                                              \
        o->field = (type)value;                                                                    \
    }
SETTER(delta, double)
SETTER(variance_scale, double)
SETTER(variance_limit, double)
SETTER(frame_weight_first, double)
SETTER(frame_weight_last, double)
SETTER(supersaturation_max, double)
SETTER(level, double)
SETTER(size_trim, long)
SETTER(series_window, long)
SETTER(starts, size_t)

static void set_both_weights(ng_growth_fit_options *o, double value)
{
    o->frame_weight_first = o->frame_weight_last = value;
}

/* NG_USAGE, and the message holds the option and the value. */
static void require_refused(const ng_growth_fit_options *o, const char *name)
{
    ng_error err = {.message = ""};
    ng_growth_fit fit;
    ng_rate_problem *p = NULL;
    ng_trajectories nothing = {0};
    assert_int_equal(ng_growth_fit_check(o, &err), NG_USAGE);
    if (!strstr(err.message, name)) {
        fail_msg("'%s' does not name %s", err.message, name);
    }
    /* before anything else is looked at */
    assert_int_equal(ng_growth_fit_run(&nothing, o, NULL, &fit, NULL, NULL), NG_USAGE);
    assert_int_equal(ng_rate_problem_create(&nothing, NULL, o, &p, NULL), NG_USAGE);
    assert_null(p);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    const struct {
        set_option *set;
        double value;
        const char *name;
    } bad[] = {
        {set_delta, 0.99, "delta"},
        {set_delta, 2.01, "delta"},
        {set_delta, nan, "delta"},
        {set_variance_scale, 0.0, "variance-scale"},
        {set_variance_scale, -1.0, "variance-scale"},
        {set_variance_scale, 1e3, "variance-scale"},
        {set_variance_scale, nan, "variance-scale"},
        {set_variance_limit, 0.0, "variance-limit"},
        {set_variance_limit, -1e-5, "variance-limit"},
        {set_frame_weight_first, -1.0, "frame-weights"},
        {set_frame_weight_last, -1.0, "frame-weights"},
        {set_frame_weight_last, nan, "frame-weights"},
        {set_both_weights, 0.0, "frame-weights"},
        {set_supersaturation_max, 0.0, "supersaturation-max"},
        {set_supersaturation_max, nan, "supersaturation-max"},
        {set_level, 0.0, "level"},
        {set_level, 1.0, "level"},
        {set_level, nan, "level"},
        {set_size_trim, 0.0, "size-trim"},
        {set_series_window, -1.0, "series-window"},
        {set_starts, 0.0, "starts"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ng_growth_fit_options o = quick(true);
        bad[i].set(&o, bad[i].value);
        require_refused(&o, bad[i].name);
    }
    for (size_t i = 0; i < N; i++) {
        const ng_parameter_info *info = &ng_growth_parameter_info()[i];
        const double value[] = {info->min - 0.001 * fabs(info->min) - 1e-9, 1.001 * info->max, nan};
        for (size_t k = 0; k < 3; k++) {
            ng_growth_fit_options o = quick(false);
            ng_growth_parameter_set(&o.start, i, value[k]);
            require_refused(&o, info->name);
        }
    }
}

static void presets_of_every_material_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ng_material_count(); i++) {
        ng_growth_fit_options o = ng_growth_fit_defaults(ng_material_at(i));
        assert_int_equal(ng_growth_fit_check(&o, NULL), NG_OK);
        o = ng_growth_fit_published(ng_material_at(i));
        assert_int_equal(ng_growth_fit_check(&o, NULL), NG_OK);
    }
}

static void parameters_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    ng_trajectories t = small(false);
    ng_growth_fit_options o = quick(false);
    ng_rate_problem *p = fit_problem(&t, NULL, &o);
    for (size_t i = 0; i < N; i++) {
        ng_growth_parameters q = o.start;
        ng_rate_cost cost;
        ng_error err = {.message = ""};
        ng_growth_parameter_set(&q, i, i % 2 ? (double)NAN : (double)INFINITY);
        assert_int_equal(ng_rate_problem_cost(p, &q, &cost, &err), NG_DOMAIN);
        assert_non_null(strstr(err.message, ng_growth_parameter_info()[i].name));
    }
    ng_rate_problem_destroy(p);
    ng_trajectories_free(&t);
}

/* ---- too little ------------------------------------------------------------------------------ */

static void require_too_little(const ng_trajectories *t, const ng_growth_fit_options *o,
                               const char *word)
{
    ng_error err = {.message = ""};
    ng_growth_fit fit;
    memset(&fit, 0xff, sizeof fit);
    assert_int_equal(ng_growth_fit_run(t, o, NULL, &fit, NULL, &err), NG_TOO_LITTLE);
    assert_int_equal(err.status, NG_TOO_LITTLE);
    if (!strstr(err.message, word) || strlen(err.message) < 40) {
        fail_msg("'%s' does not say '%s'", err.message, word);
    }
    assert_null(fit.time_s);
    assert_null(fit.start);
    assert_int_equal(fit.n_frames, 0);
}

/* Particles of n0, n0+10, ... monomers that grow by one a frame. */
static ng_trajectories growing(size_t tracks, size_t frames, double n0)
{
    ng_trajectories t = fit_blank(tracks, frames, 1.0);
    for (size_t k = 0; k < t.n_points; k++) {
        t.n[k] = t.n_raw[k] = n0 + 10.0 * (double)(k / frames) + (double)t.frame[k];
        t.growth_per_s[k] = 1.0 + 0.1 * (double)(k % 3);
    }
    return t;
}

static void too_few_particles(void **state)
{
    (void)state;
    ng_growth_fit_options o = quick(false);
    ng_trajectories t = growing(2, 30, 100.0);
    require_too_little(&t, &o, "particles");
    ng_trajectories_free(&t);
    t = growing(20, 30, 2.0); /* only a few ever reach 50 monomers, none of them in two frames */
    for (size_t k = 0; k < t.n_points; k++) {
        t.n[k] = fmin(t.n[k], 40.0);
    }
    require_too_little(&t, &o, "50 monomers");
    ng_trajectories_free(&t);
}

static void too_few_frames(void **state)
{
    (void)state;
    ng_growth_fit_options o = quick(false);
    ng_trajectories t = growing(20, 1, 100.0);
    require_too_little(&t, &o, "more than once");
    ng_trajectories_free(&t);
    t = growing(20, 30, 100.0);
    for (size_t k = 0; k < t.n_points; k++) {
        t.growth_per_s[k] = t.frame[k] == 3 ? 1.0 : (double)NAN;
    }
    require_too_little(&t, &o, "1 frames");
    ng_trajectories_free(&t);
}

static void no_sizes_left_after_trimming(void **state)
{
    (void)state;
    ng_growth_fit_options o = quick(true);
    ng_trajectories t = small(true);
    o.size_trim = 100000;
    require_too_little(&t, &o, "100000");
    ng_trajectories_free(&t);
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Ten tracks in the first half of the frames, ten in the second. */
static ng_trajectories two_halves(bool published)
{
    const size_t frames = 24, half = 12, tracks = 20;
    ng_trajectories t = fit_blank(tracks, half, 1.0);
    ng_free(t.time_s);
    t.n_frames = frames;
    t.time_s = NG_NEW(double, frames);
    assert_non_null(t.time_s);
    for (size_t f = 0; f < frames; f++) {
        t.time_s[f] = (double)f;
    }
    for (size_t k = 0; k < t.n_points; k++) {
        size_t track = k / half;
        t.frame[k] = (unsigned)(k % half + (track >= 10 ? half : 0));
        t.n[k] = t.n_raw[k] = round(200.0 + 37.0 * (double)(track % 10) + 9.0 * t.frame[k] +
                                    (published ? 0.0 : 0.1 * (double)(k % 7)));
        t.growth_per_s[k] = 9.0 + 0.3 * sin((double)k);
    }
    return t;
}

static void a_frame_whose_particles_have_no_weight_is_left_out(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        ng_trajectories t = two_halves(published);
        ng_growth_fit_options o = quick(published);
        double weight[20] = {0.0};
        size_t frames, sizes;
        ng_rate_cost cost;
        o.size_trim = 5;
        o.variance_limit = (double)NAN;
        for (size_t i = 10; i < 20; i++) {
            weight[i] = i == 15 ? 3.0 : 1.0;
        }
        ng_rate_problem *p = fit_problem(&t, weight, &o);
        ng_rate_problem_size(p, &frames, &sizes);
        assert_true(frames >= 10 && frames <= 12 && sizes > 0);
        for (size_t f = 0; f < frames; f++) {
            assert_true(p->data.frame[f].frame >= 12);
        }
        assert_int_equal(ng_rate_problem_cost(p, &o.start, &cost, NULL), NG_OK);
        assert_true(isfinite(cost.growth_rate) && isfinite(cost.variance));
        ng_rate_problem_destroy(p);
        ng_trajectories_free(&t);
    }
}

/* The same trajectories, the i-th `times[i]` times. */
static ng_trajectories repeated(const ng_trajectories *t, const double *times)
{
    size_t tracks = 0, length = t->first[1];
    for (size_t i = 0; i < t->n_tracks; i++) {
        tracks += (size_t)times[i];
    }
    ng_trajectories out = fit_blank(tracks, length, t->frame_s);
    double *time_s = NG_NEW(double, t->n_frames);
    assert_non_null(time_s);
    memcpy(time_s, t->time_s, t->n_frames * sizeof *time_s);
    ng_free(out.time_s);
    out.time_s = time_s;
    out.n_frames = t->n_frames;
    size_t to = 0;
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (double k = 0.0; k < times[i]; k += 1.0, to += length) {
            memcpy(out.frame + to, t->frame + t->first[i], length * sizeof *t->frame);
            memcpy(out.n + to, t->n + t->first[i], length * sizeof *t->n);
            memcpy(out.growth_per_s + to, t->growth_per_s + t->first[i],
                   length * sizeof *t->growth_per_s);
        }
    }
    return out;
}

/* psi-flux: sums of the same numbers in another order, 1e-10 after what cancels. */
static void a_weight_is_a_number_of_copies(void **state)
{
    (void)state;
    ng_trajectories t = two_halves(true);
    ng_growth_fit_options o = quick(true);
    ng_rate_cost weighted, copied;
    double weight[20];
    for (size_t i = 0; i < 20; i++) {
        weight[i] = (double)(i % 4);
    }
    o.size_trim = 5;
    o.variance_limit = (double)NAN;
    ng_trajectories copies = repeated(&t, weight);
    ng_rate_problem *p = fit_problem(&t, weight, &o), *q = fit_problem(&copies, NULL, &o);
    assert_int_equal(ng_rate_problem_cost(p, &o.start, &weighted, NULL), NG_OK);
    assert_int_equal(ng_rate_problem_cost(q, &o.start, &copied, NULL), NG_OK);
    assert_close(weighted.growth_rate, copied.growth_rate, 1e-10 * copied.growth_rate);
    assert_close(weighted.variance, copied.variance, 1e-10 * copied.variance);
    ng_rate_problem_destroy(p);
    ng_rate_problem_destroy(q);
    ng_trajectories_free(&copies);
    ng_trajectories_free(&t);
}

/* ---- cancelled, out of memory ---------------------------------------------------------------- */

typedef struct watch {
    size_t calls, stop_at; /* 0: never */
} watch;

static bool watching(void *context, const char *stage, size_t done, size_t total)
{
    watch *w = context;
    assert_non_null(stage);
    assert_true(done <= total);
    w->calls++;
    return w->stop_at == 0 || w->calls < w->stop_at;
}

/* From any call of the progress on, except the very last: then all is done. */
static void progress_can_cancel(void **state)
{
    (void)state;
    ng_trajectories t = growing(12, 12, 100.0);
    ng_growth_fit_options o = quick(false);
    ng_run run = ng_run_defaults();
    watch w = {0};
    o.starts = 3;
    o.bootstrap = 3;
    run.progress = watching;
    run.progress_context = &w;
    ng_growth_fit fit;
    assert_int_equal(ng_growth_fit_run(&t, &o, &run, &fit, NULL, NULL), NG_OK);
    ng_growth_fit_free(&fit);
    size_t calls = w.calls;
    assert_true(calls >= 6);
    for (size_t k = 1; k < calls; k++) {
        ng_error err = {.message = ""};
        w = (watch){.stop_at = k};
        assert_int_equal(ng_growth_fit_run(&t, &o, &run, &fit, NULL, &err), NG_CANCELLED);
        assert_int_equal(err.status, NG_CANCELLED);
        assert_null(fit.time_s);
    }
    ng_trajectories_free(&t);
}

/* Each allocation of the whole fit fails in turn: NG_MEMORY, or NG_OK where only a warning found no
 * room. What leaks, the sanitizers see. */
static size_t fail_each_allocation(const ng_trajectories *t, const ng_growth_fit_options *o)
{
    size_t failures = 0, k = 0, left = 0;
    while (left == 0) {
        ng_error err = {.message = ""};
        ng_growth_fit fit;
        ng_alloc_fail_after(++k);
        const ng_status status = ng_growth_fit_run(t, o, NULL, &fit, NULL, &err);
        left = ng_alloc_fail_after(0);
        assert_true(status == NG_OK || status == NG_MEMORY);
        if (status == NG_MEMORY) {
            assert_true(strlen(err.message) > 10);
            assert_null(fit.time_s);
        }
        failures += status == NG_MEMORY;
        ng_growth_fit_free(&fit);
        assert_true(k < 2000);
    }
    return failures;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        for (int mode = NG_DELTA_FREE; mode <= NG_DELTA_FIXED; mode++) {
            ng_trajectories t = growing(8, 8, 60.0);
            ng_growth_fit_options o = quick(published);
            o.delta_mode = (ng_delta_mode)mode;
            o.size_trim = 1;
            o.series_window = published ? 4 : 0;
            o.max_iterations = 2;
            o.bootstrap = 1;
            size_t failures = fail_each_allocation(&t, &o);
            print_message("%s, delta mode %d: %zu allocations\n",
                          published ? "published" : "default", mode, failures);
            assert_true(failures > 50);
            ng_trajectories_free(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_keeps_its_promises),
        cmocka_unit_test(a_fit_is_no_worse_than_its_start),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(the_seed_draws_the_replicates_and_nothing_else),
        cmocka_unit_test(fixed_parameters_stay_exactly),
        cmocka_unit_test(all_fixed_is_an_evaluation),
        cmocka_unit_test(without_replicates_an_interval_is_its_value),
        cmocka_unit_test(giving_up_is_said),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(presets_of_every_material_are_valid),
        cmocka_unit_test(parameters_that_are_no_numbers_are_refused),
        cmocka_unit_test(too_few_particles),
        cmocka_unit_test(too_few_frames),
        cmocka_unit_test(no_sizes_left_after_trimming),
        cmocka_unit_test(a_frame_whose_particles_have_no_weight_is_left_out),
        cmocka_unit_test(a_weight_is_a_number_of_copies),
        cmocka_unit_test(progress_can_cancel),
        cmocka_unit_test(every_allocation_may_fail),
    };
    gsl_set_error_handler_off(); /* as the program does */
    return cmocka_run_group_tests_name("growth fit", tests, NULL, NULL);
}
