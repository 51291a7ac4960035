/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a growth fit says in sentences: the answer, and a paragraph for a methods section. */
#include "growth_json_internal.h"

#include <math.h>

static json_t *sentence(char *text)
{
    json_t *value = text ? json_string(text) : NULL;
    ng_free(text);
    return value;
}

/* Particles, not trajectories: a track that was split at a gap is one. */
static size_t count_particles(const ng_trajectories *t)
{
    size_t n = t->n_sampled;
    for (size_t i = 0; i < t->n_tracks && t->n_sampled == 0; i++) {
        n += i == 0 || t->origin[i] != t->origin[i - 1];
    }
    return n;
}

static json_t *growth_sentence(const growth_writer *w)
{
    const ng_growth_fit *fit = w->fit;
    const ng_trajectories *t = w->trajectories;
    const ng_series *s = &w->series;
    size_t first = fit->frame[0], last = fit->frame[fit->n_frames - 1];
    return sentence(ng_text_format(
        "%zu %s particles grow from a mean of %.0f to %.0f monomers (radius %.2f to %.2f nm) in "
        "%.0f s.",
        count_particles(t), w->material->name, s->mean_n[first], s->mean_n[last],
        s->mean_radius_nm[first], s->mean_radius_nm[last], t->time_s[last] - t->time_s[first]));
}

/* " (a to b)", or nothing where there were no replicates to tell. */
static void interval_text(const growth_writer *w, int digits, double low, double high, char *text,
                          size_t size)
{
    text[0] = '\0';
    if (w->fit->n_replicates > 0) {
        (void)snprintf(text, size, " (%.*f to %.*f)", digits, low, digits, high);
    }
}

static json_t *potential_sentence(const growth_writer *w)
{
    const growth_answer *a = &w->answer;
    char mu[64], n[64];
    if (!a->maximum.found) {
        return sentence(ng_text_format("The fitted chemical potential of a monomer has no maximum "
                                       "between %d and %.0f monomers.",
                                       GROWTH_N_MIN, GROWTH_N_SEARCH));
    }
    interval_text(w, 2, a->mu_lower, a->mu_upper, mu, sizeof mu);
    interval_text(w, 0, a->n_lower, a->n_upper, n, sizeof n);
    return sentence(ng_text_format(
        "The chemical potential of a monomer is highest, %.2f kT%s, in a particle of %.0f "
        "monomers%s, radius %.2f nm: above a supersaturation of %.3g all sizes grow, below it "
        "particles around that size shrink.",
        a->maximum.mu_kT, mu, a->maximum.n, n,
        ng_radius_from_monomers(a->maximum.n, w->trajectories->sigma_s_nm), exp(a->maximum.mu_kT)));
}

static json_t *regime_sentence(const ng_growth_fit *fit, const growth_answer *a)
{
    size_t hyper = 0;
    double low = (double)INFINITY, high = 0.0;
    for (size_t i = 0; i < fit->n_frames; i++) {
        low = fmin(low, fit->supersaturation[i]);
        high = fmax(high, fit->supersaturation[i]);
        hyper += a->maximum.found && log(fit->supersaturation[i]) > a->maximum.mu_kT;
    }
    if (!a->maximum.found) {
        return sentence(ng_text_format("The supersaturation runs from %.3g to %.3g.", low, high));
    }
    return sentence(ng_text_format(
        "The supersaturation runs from %.3g to %.3g; the solution is hypersaturated in %.0f %% of "
        "the frames.",
        low, high, 100.0 * (double)hyper / (double)fit->n_frames));
}

static json_t *prediction_sentence(const ng_forward_fit *f, bool flask)
{
    return sentence(ng_text_format(
        "Predicted from the %s, the mean lies within 5 %% of the measured one "
        "in %.0f %% of the frames (a spline through the data: %.0f %%), the variance within two "
        "standard deviations in %.0f %%.",
        flask ? "first sample" : "particles' first frames", 100.0 * f->mean_within,
        100.0 * f->mean_within_spline, 100.0 * f->var_within));
}

json_t *ng_growth_answer_json(growth_writer *w)
{
    json_t *all = json_array();
    ng_growth_append(w, all, growth_sentence(w));
    if (w->forward) {
        ng_growth_append(w, all, prediction_sentence(w->forward, w->options->samples != NULL));
    }
    ng_growth_append(w, all, potential_sentence(w));
    ng_growth_append(w, all, regime_sentence(w->fit, &w->answer));
    return all;
}

static json_t *flask_methods(const growth_writer *w)
{
    const ng_samples *s = w->options->samples;
    return sentence(ng_text_format(
        "Radii were converted to monomer numbers with n = (r/sigma_s)^3, sigma_s = %.4f nm (%s). "
        "%zu samples were drawn from the flask. The first was carried forward by the "
        "diffusion-influenced reversible attachment of monomers to a truncated-octahedral particle "
        "(Kim et al., PNAS 122, e2424950122, 2025, Eqs. 1 and 2), and the radii of the later ones "
        "are most likely under the fitted law; ln r of each sample may be off as a whole, with a "
        "standard deviation of %.3g, which is how samples scatter about each other. The likelihood "
        "was maximised by scoring from %zu starts; intervals are %.0f %% %s. Means and variances "
        "were predicted by the master equation.",
        w->trajectories->sigma_s_nm, w->material->title, s->n_times, s->scatter, w->fit->n_starts,
        100.0 * w->options->level,
        w->forward_options->profile ? "profile likelihood" : "normal approximation"));
}

static json_t *forward_methods(const growth_writer *w)
{
    const ng_forward_fit *f = w->forward;
    const ng_trajectories *t = w->trajectories;
    const ng_forward_options *o = w->forward_options;
    static const char *const law[] = {"a cubic spline of its logarithm", "first-order decay",
                                      "one constant"};
    char first[160], intervals[128];
    (void)snprintf(first, sizeof first,
                   o->first_frames_only
                       ? "the first %zu observations of a particle told where it began, and all "
                         "later ones were predicted from there"
                       : "every observation corrected what was known of its particle",
                   o->first_frames);
    (void)snprintf(intervals, sizeof intervals, "%.0f %% %s", 100.0 * w->options->level,
                   o->profile ? "profile likelihood" : "normal approximation");
    return sentence(ng_text_format(
        "Radii were converted to monomer numbers with n = (r/sigma_s)^3, sigma_s = %.4f nm (%s). "
        "The raw sizes of %zu particles were compared with the diffusion-influenced reversible "
        "attachment of monomers to a truncated-octahedral particle (Kim et al., PNAS 122, "
        "e2424950122, 2025, Eqs. 1 and 2), carried forward: %s. The supersaturation was %s. "
        "Particles scatter about their path as single attachments and detachments make them%s; "
        "measured areas scatter as the tracks show, times a fitted factor (%.2f). The likelihood "
        "was maximised by scoring from %zu starts; intervals are %s, calibrated by the scores of "
        "whole particles. Means and variances were predicted by the master equation.",
        t->sigma_s_nm, w->material->title, count_particles(t), first, law[o->law],
        o->spread ? ", and differ lognormally in speed" : "", f->noise.value, w->fit->n_starts,
        intervals));
}

json_t *ng_growth_methods_json(growth_writer *w)
{
    if (w->forward) {
        return w->options->samples != NULL ? flask_methods(w) : forward_methods(w);
    }
    const ng_growth_fit *fit = w->fit;
    const ng_trajectories *t = w->trajectories;
    const ng_growth_fit_options *o = w->options;
    const ng_material *material = w->material;
    static const char *const delta[] = {"free in each frame", "smooth in time",
                                        "one fitted constant", "fixed"};
    const char *residual =
        o->samples != NULL ? "The rate of change of the survival function of samples from a flask, "
                             "whose quantiles "
                             "were followed through time by monotone interpolation,"
        : o->published
            ? "The rate of change of the survival function at every size (30-bin histogram, moving "
              "mean over five bins, monotone cubic, 200 sizes trimmed at each end)"
            : "The growth rate of every single particle, weighted by its measured variance and "
              "corrected for the slope of the size density,";
    char limit[96] = "", intervals[160] = "";
    if (isfinite(o->variance_limit)) {
        (void)snprintf(limit, sizeof limit, " subject to a variance cost of at most %.2g",
                       o->variance_limit);
    }
    if (fit->n_replicates > 0) {
        (void)snprintf(intervals, sizeof intervals,
                       " Intervals are %.0f %% percentiles of %zu bootstrap resamplings of the %zu "
                       "particles.",
                       100.0 * o->level, fit->n_replicates, count_particles(t));
    }
    return sentence(ng_text_format(
        "Radii were converted to monomer numbers with n = (r/sigma_s)^3, sigma_s = %.4f nm (%s). "
        "%s was compared, in %zu frames, with the diffusion-influenced reversible attachment of "
        "monomers to a truncated-octahedral particle (Kim et al., PNAS 122, e2424950122, 2025, "
        "Eqs. 1 and 2). The supersaturation of each frame was eliminated in closed form; the shape "
        "number was %s; the parameters that were not given were found by bounded "
        "Levenberg-Marquardt, number of starts: %zu%s.%s",
        t->sigma_s_nm, material->title, residual, fit->n_frames, delta[o->delta_mode],
        fit->n_starts, limit, intervals));
}
