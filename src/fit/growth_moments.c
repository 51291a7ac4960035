/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moments over time as the fitted law moves them. For the psi-flux
 *     d<w>/dt = S <(w(n+1)-w(n)) k_n^a> - <(w(n+1)-w(n)) k_{n+1}^d p_{n+1}/p_n> + g (w(1) - <w>),
 * g from the mean equation, so that the mean is the data's own by algebra. For single particles the
 * model's rates replace the measured ones, d<w>/dt - data = <w'(n) (model - measured)>.
 */
#include "fit_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>

/* d<n^q>/dt of the psi-flux: the model's flux over all sizes, entrants at n = 1. */
static double psi_flux_rate(const ng_rate_problem *p, size_t t, int q, const double *model,
                            double moment)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[t];
    double total = 0.0;
    for (size_t i = 0; i < f->end - f->begin; i++) {
        total += model[i];
    }
    double slope = f->variance_growth != 0.0 ? f->variance_observed / f->variance_growth : 0.0;
    double growth = (total - slope) * f->psi_scale;
    return ng_moment_flow(model, d->nodes->n[d->first_node[t]], f->end - f->begin, q, moment,
                          growth, 1.0);
}

/* What the model adds per second to the data's <n^q> where its rates replace the measured ones. */
static double particle_rate(const ng_rate_problem *p, size_t t, int q, const double *model)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[t];
    double sum = 0.0;
    for (size_t i = f->begin; i < f->end; i++) {
        double misfit = (model[i - f->begin] - d->y[i]) * d->mean_lever[i];
        sum += (double)q * gsl_pow_int(d->nodes->n[d->node[i]], q - 1) * misfit;
    }
    return sum;
}

/* Data of moment q in the fit's frames; the published preset smooths mean and variance only. */
static double data_moment(const ng_series *s, const ng_growth_fit *fit, size_t t, int q)
{
    return s->moment[q][fit->frame[t]];
}

static void moment_curve(ng_rate_problem *p, const ng_series *s, const ng_growth_fit *fit, int q,
                         double *model, double *curve)
{
    double moved = 0.0, before = 0.0, first = data_moment(s, fit, 0, q);
    for (size_t t = 0; t < fit->n_frames; t++) {
        ng_rate_model_rows(p, t, model);
        double rate = p->data.psi_flux ? psi_flux_rate(p, t, q, model, data_moment(s, fit, t, q))
                                       : particle_rate(p, t, q, model);
        if (t > 0) {
            moved += 0.5 * (fit->time_s[t] - fit->time_s[t - 1]) * (rate + before);
        }
        before = rate;
        curve[t] = moved + (p->data.psi_flux ? first : data_moment(s, fit, t, q));
    }
}

ng_status ng_growth_moments(ng_rate_problem *p, const ng_trajectories *t, ng_growth_fit *fit,
                            ng_error *err)
{
    ng_series s = {0};
    ng_status status = ng_series_create(t->n_frames, &s, err);
    if (status != NG_OK) {
        return status;
    }
    double *model = NG_NEW(double, p->data.max_rows + 1);
    if (!model) {
        status = NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu sizes", p->data.max_rows);
        goto out;
    }
    ng_series_compute(t, NULL, &s);
    for (size_t f = 0; f < fit->n_frames; f++) {
        fit->mean_n[f] = p->data.frame[f].mean;
    }
    if (p->data.psi_flux) {
        for (size_t f = 0; f < fit->n_frames; f++) {
            fit->mean_n_model[f] = fit->mean_n[f];
        }
    } else {
        moment_curve(p, &s, fit, 1, model, fit->mean_n_model);
        for (size_t f = 0; f < fit->n_frames; f++) {
            /* the curve is counted from all particles, the fit's mean from those it uses */
            fit->mean_n_model[f] += fit->mean_n[f] - s.mean_n[fit->frame[f]];
        }
    }
    for (size_t q = 0; q < NG_N_HIGH_MOMENTS; q++) {
        fit->moment_model[q] = NG_NEW(double, fit->n_frames);
        if (!fit->moment_model[q]) {
            status = NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu frames", fit->n_frames);
            goto out;
        }
        moment_curve(p, &s, fit, NG_MOMENT_FIRST + (int)q, model, fit->moment_model[q]);
    }

out:
    ng_free(model);
    ng_series_free(&s);
    return status;
}
