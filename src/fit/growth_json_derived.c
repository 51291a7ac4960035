/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from a growth fit: potential with its band, profiles, free energy, phases,
 * sensitivity. */
#include "growth_json_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N NG_N_GROWTH_PARAMETERS

ng_potential_maximum ng_growth_maximum(const ng_growth_parameters *p, double delta)
{
    return ng_potential_find_maximum(p, delta, GROWTH_N_MIN, GROWTH_N_SEARCH);
}

/* ---- the potential's maximum and the sizes that were seen -------------------------------- */

static void maximum_intervals(const ng_growth_fit *fit, double level, double *n, double *mu,
                              growth_answer *out)
{
    size_t count = 0;
    for (size_t b = 0; b < fit->n_replicates; b++) {
        ng_potential_maximum m = ng_growth_maximum(&fit->replicate[b], fit->replicate_delta[b]);
        if (m.found) {
            n[count] = m.n;
            mu[count++] = m.mu_kT;
        }
    }
    out->n_lower = out->n_upper = out->maximum.n;
    out->mu_lower = out->mu_upper = out->maximum.mu_kT;
    if (count == 0 || !out->maximum.found) {
        return;
    }
    double low = 0.5 * (1.0 - level), high = 0.5 * (1.0 + level);
    qsort(n, count, sizeof *n, ng_fit_compare_doubles);
    qsort(mu, count, sizeof *mu, ng_fit_compare_doubles);
    out->n_lower = fmin(out->n_lower, ng_fit_interval_end(n, count, low));
    out->n_upper = fmax(out->n_upper, ng_fit_interval_end(n, count, high));
    out->mu_lower = fmin(out->mu_lower, ng_fit_interval_end(mu, count, low));
    out->mu_upper = fmax(out->mu_upper, ng_fit_interval_end(mu, count, high));
}

ng_status ng_growth_answer_make(const ng_growth_fit *fit, const ng_trajectories *t,
                                const ng_growth_fit_options *o, growth_answer *out, ng_error *err)
{
    size_t count = 0, room = 2 * fit->n_replicates + t->n_points + 1;
    double *x = NG_NEW(double, room);
    *out = (growth_answer){.maximum = ng_growth_maximum(&fit->best, fit->delta_mean)};
    if (!x) {
        return NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu points", room);
    }
    for (size_t k = 0; k < t->n_points; k++) {
        if (t->n[k] >= GROWTH_N_MIN) {
            x[count++] = t->n[k];
        }
    }
    qsort(x, count, sizeof *x, ng_fit_compare_doubles);
    out->sampled_first = count > 0 ? ng_fit_percentile(x, count, 0.01) : GROWTH_N_MIN;
    out->sampled_last = count > 0 ? ng_fit_percentile(x, count, 0.99) : GROWTH_N_MIN;
    out->n_last = fmax(1.2 * out->sampled_last, 1000.0);
    maximum_intervals(fit, o->level, x, x + fit->n_replicates, out);
    ng_free(x);
    return NG_OK;
}

static double curve_size(const growth_answer *a, size_t i)
{
    return round(GROWTH_N_MIN *
                 pow(a->n_last / GROWTH_N_MIN, (double)i / (double)(GROWTH_SIZES - 1)));
}

/* ---- potential --------------------------------------------------------------------------- */

typedef struct potential_curve {
    double n[GROWTH_SIZES], radius[GROWTH_SIZES], mu[GROWTH_SIZES], lower[GROWTH_SIZES];
    double upper[GROWTH_SIZES], gibbs_thomson[GROWTH_SIZES];
} potential_curve;

static void fill_curve(const ng_growth_fit *fit, const ng_trajectories *t, double level,
                       const growth_answer *a, double *scratch, potential_curve *c)
{
    for (size_t i = 0; i < GROWTH_SIZES; i++) {
        double n = curve_size(a, i);
        c->n[i] = n;
        c->radius[i] = ng_radius_from_monomers(n, t->sigma_s_nm);
        c->mu[i] = ng_potential(&fit->best, fit->delta_mean, n);
        c->gibbs_thomson[i] = ng_potential_gibbs_thomson(&fit->best, fit->delta_mean, n);
        c->lower[i] = c->upper[i] = c->mu[i];
        for (size_t b = 0; b < fit->n_replicates; b++) {
            scratch[b] = ng_potential(&fit->replicate[b], fit->replicate_delta[b], n);
        }
        if (fit->n_replicates > 0) {
            qsort(scratch, fit->n_replicates, sizeof *scratch, ng_fit_compare_doubles);
            double low = ng_fit_interval_end(scratch, fit->n_replicates, 0.5 * (1.0 - level));
            double high = ng_fit_interval_end(scratch, fit->n_replicates, 0.5 * (1.0 + level));
            c->lower[i] = fmin(low, c->mu[i]);
            c->upper[i] = fmax(high, c->mu[i]);
        }
    }
}

json_t *ng_growth_potential_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    const growth_answer *a = &w->answer;
    double *scratch = NG_NEW(double, fit->n_replicates + 1);
    potential_curve *c = NG_NEW(potential_curve, 1);
    json_t *out = json_object(), *frames = json_array();
    w->ok = scratch && c && w->ok;
    if (scratch && c) {
        fill_curve(fit, w->trajectories, w->options->level, a, scratch, c);
        ng_growth_put(w, out, "n_max", ng_json_real(a->maximum.found ? a->maximum.n : (double)NAN));
        ng_growth_put(w, out, "mu_max_kT",
                      ng_json_real(a->maximum.found ? a->maximum.mu_kT : (double)NAN));
        ng_growth_put(w, out, "n_max_lower", ng_json_real(a->n_lower));
        ng_growth_put(w, out, "n_max_upper", ng_json_real(a->n_upper));
        ng_growth_put(w, out, "mu_max_lower_kT", ng_json_real(a->mu_lower));
        ng_growth_put(w, out, "mu_max_upper_kT", ng_json_real(a->mu_upper));
        ng_growth_put(w, out, "sampled_first_n", ng_json_real(a->sampled_first));
        ng_growth_put(w, out, "sampled_last_n", ng_json_real(a->sampled_last));
        ng_growth_put(w, out, "n", ng_growth_reals(c->n, GROWTH_SIZES));
        ng_growth_put(w, out, "radius_nm", ng_growth_reals(c->radius, GROWTH_SIZES));
        ng_growth_put(w, out, "mu_kT", ng_growth_reals(c->mu, GROWTH_SIZES));
        ng_growth_put(w, out, "lower_kT", ng_growth_reals(c->lower, GROWTH_SIZES));
        ng_growth_put(w, out, "upper_kT", ng_growth_reals(c->upper, GROWTH_SIZES));
        ng_growth_put(w, out, "gibbs_thomson_kT", ng_growth_reals(c->gibbs_thomson, GROWTH_SIZES));
    }
    size_t n = fit->n_reconstructed;
    ng_growth_put(w, out, "reconstructed_n", ng_growth_reals(fit->reconstructed_n, n));
    ng_growth_put(w, out, "reconstructed_kT", ng_growth_reals(fit->reconstructed_kT, n));
    ng_growth_put(w, out, "reconstructed_sd_kT", ng_growth_reals(fit->reconstructed_sd_kT, n));
    for (size_t i = 0; i < n; i++) {
        ng_growth_append(w, frames, json_integer((json_int_t)fit->reconstructed_frames[i]));
    }
    ng_growth_put(w, out, "reconstructed_frames", frames);
    ng_free(scratch);
    ng_free(c);
    return out;
}

/* ---- phases ------------------------------------------------------------------------------ */

/* Frames of the fit that lie in a phase; their median supersaturation, NAN when there are none. */
static double phase_supersaturation(growth_writer *w, const ng_phase *phase)
{
    const ng_growth_fit *fit = w->fit;
    double *x = NG_NEW(double, fit->n_frames + 1), median = (double)NAN;
    size_t n = 0;
    w->ok = x != NULL && w->ok;
    for (size_t t = 0; x && t < fit->n_frames; t++) {
        if (fit->frame[t] >= phase->first && fit->frame[t] <= phase->last) {
            x[n++] = fit->supersaturation[t];
        }
    }
    if (n > 0) {
        qsort(x, n, sizeof *x, ng_fit_compare_doubles);
        median = ng_fit_percentile(x, n, 0.5);
    }
    ng_free(x);
    return median;
}

static json_t *phase_json(growth_writer *w, const ng_phase *phase)
{
    const ng_growth_fit *fit = w->fit;
    const ng_trajectories *t = w->trajectories;
    const growth_answer *a = &w->answer;
    double S = phase_supersaturation(w, phase), n1 = (double)NAN, n2 = (double)NAN;
    const char *regime =
        isfinite(S) && a->maximum.found ? ng_potential_regime(&a->maximum, S) : "unknown";
    if (isfinite(S) && S > 0.0) {
        ng_potential_critical_sizes(&fit->best, fit->delta_mean, S, GROWTH_N_MIN, GROWTH_N_SEARCH,
                                    &n1, &n2);
    }
    return json_pack("{s:s,s:f,s:f,s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "name", phase->name,
                     "start_s", t->time_s[phase->first], "end_s", t->time_s[phase->last], "regime",
                     regime, "supersaturation", ng_json_real(S), "mean_trend",
                     ng_trend_name(phase->mean), "var_trend", ng_trend_name(phase->variance),
                     "n_star", ng_json_real(n1), "n_star2", ng_json_real(n2), "r_star_nm",
                     ng_json_real(ng_radius_from_monomers(n1, t->sigma_s_nm)), "r_star2_nm",
                     ng_json_real(ng_radius_from_monomers(n2, t->sigma_s_nm)));
}

json_t *ng_growth_phases_json(growth_writer *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < w->n_phases; i++) {
        ng_growth_append(w, all, phase_json(w, &w->phase[i]));
    }
    return all;
}

/* ---- profiles ---------------------------------------------------------------------------- */

static const char *phase_at(const growth_writer *w, double time_s)
{
    const double *at = w->trajectories->time_s;
    for (size_t i = 0; i < w->n_phases; i++) {
        if (time_s >= at[w->phase[i].first] && time_s <= at[w->phase[i].last]) {
            return w->phase[i].name;
        }
    }
    return "";
}

json_t *ng_growth_profiles_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *all = json_array();
    for (size_t i = 0; i < fit->n_profiles; i++) {
        const ng_growth_profile *p = &fit->profile[i];
        json_t *difference = json_array();
        for (size_t k = 0; k < p->count; k++) {
            double mu = ng_potential(&fit->best, p->delta, p->n[k]);
            ng_growth_append(w, difference, ng_json_real(mu - log(p->supersaturation)));
        }
        ng_growth_append(
            w, all,
            json_pack("{s:f,s:s,s:f,s:f,s:o,s:o,s:o,s:o,s:o}", "time_s", p->time_s, "phase",
                      phase_at(w, p->time_s), "supersaturation", p->supersaturation, "delta",
                      p->delta, "n", ng_growth_reals(p->n, p->count), "p_n",
                      ng_growth_reals(p->p, p->count), "flux_data_per_s",
                      ng_growth_reals(p->flux_data_per_s, p->count), "flux_model_per_s",
                      ng_growth_reals(p->flux_model_per_s, p->count), "mu_minus_ln_S", difference));
    }
    return all;
}

/* ---- free energy and sensitivity --------------------------------------------------------- */

static json_t *free_energy_at(const ng_growth_fit *fit, size_t slot, const growth_answer *a)
{
    double n[GROWTH_SIZES], g[GROWTH_SIZES], S = fit->supersaturation[slot];
    /* the zero of the curve: clusters below the range have no meaning in this model */
    double zero = ng_free_energy(&fit->best, fit->delta_mean, S, GROWTH_N_MIN);
    for (size_t i = 0; i < GROWTH_SIZES; i++) {
        n[i] = curve_size(a, i);
        g[i] = ng_free_energy(&fit->best, fit->delta_mean, S, n[i]) - zero;
    }
    return json_pack("{s:f,s:f,s:o,s:o}", "time_s", fit->time_s[slot], "supersaturation", S, "n",
                     ng_growth_reals(n, GROWTH_SIZES), "dG_kT", ng_growth_reals(g, GROWTH_SIZES));
}

/* The frame nearest to the middle of a phase that has monomers; SIZE_MAX: there is none. */
static size_t middle_frame(const ng_growth_fit *fit, const ng_phase *phase)
{
    size_t wanted = (phase->first + phase->last) / 2, best = SIZE_MAX, distance = SIZE_MAX;
    for (size_t t = 0; t < fit->n_frames; t++) {
        size_t f = fit->frame[t], d = f > wanted ? f - wanted : wanted - f;
        bool inside = f >= phase->first && f <= phase->last;
        if (inside && fit->supersaturation[t] > 0.0 && d < distance) {
            best = t;
            distance = d;
        }
    }
    return best;
}

json_t *ng_growth_free_energy_json(growth_writer *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < w->n_phases; i++) {
        size_t slot = middle_frame(w->fit, &w->phase[i]);
        if (slot != SIZE_MAX) {
            ng_growth_append(w, all, free_energy_at(w->fit, slot, &w->answer));
        }
    }
    return all;
}

json_t *ng_growth_sensitivity_json(growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    json_t *all = json_array();
    for (size_t i = 0; i < fit->n_sensitivities; i++) {
        const ng_growth_sensitivity *s = &fit->sensitivity[i];
        double n[GROWTH_SIZES / 2], mu[GROWTH_SIZES / 2];
        ng_potential_maximum m = ng_growth_maximum(&s->parameters, fit->delta_mean);
        for (size_t k = 0; k < GROWTH_SIZES / 2; k++) {
            n[k] = round(GROWTH_N_MIN * pow(100.0, (double)k / (GROWTH_SIZES / 2 - 1)));
            mu[k] = ng_potential(&s->parameters, fit->delta_mean, n[k]);
        }
        ng_growth_append(w, all,
                         json_pack("{s:s,s:f,s:o,s:o,s:o,s:o,s:f,s:f}", "parameter",
                                   ng_growth_parameter_info()[s->index].name, "factor", s->factor,
                                   "n", ng_growth_reals(n, GROWTH_SIZES / 2), "mu_kT",
                                   ng_growth_reals(mu, GROWTH_SIZES / 2), "n_max",
                                   ng_json_real(m.found ? m.n : (double)NAN), "mu_max_kT",
                                   ng_json_real(m.found ? m.mu_kT : (double)NAN), "growth_rate",
                                   s->cost.growth_rate, "objective", s->cost.objective));
    }
    return all;
}
