/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a forward fit adds to fit-growth.json: keys `forward` and `rate`. */
#include "growth_json_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define N NG_N_GROWTH_PARAMETERS

static json_t *settings_json(const ng_forward_options *o)
{
    static const char *const law[] = {"spline", "decay", "constant"};
    return json_pack("{s:s,s:I,s:s,s:b,s:b,s:I}", "supersaturation", law[o->law], "first_frames",
                     (json_int_t)o->first_frames, "likelihood",
                     o->first_frames_only ? "first-frames" : "path", "speed_spread", o->spread,
                     "profiles", o->profile, "folds", (json_int_t)o->folds);
}

static json_t *number_json(const ng_forward_number *x)
{
    return json_pack("{s:o,s:o,s:o}", "value", ng_json_real(x->value), "lower",
                     ng_json_real(x->lower), "upper", ng_json_real(x->upper));
}

static json_t *profile_json(const growth_writer *w, const char *name, const ng_forward_profile *p)
{
    return json_pack("{s:s,s:o,s:o,s:f,s:f}", "parameter", name, "value",
                     ng_growth_reals(p->value, p->n), "deviance",
                     ng_growth_reals(p->deviance, p->n), "limit",
                     gsl_cdf_chisq_Pinv(w->options->level, 1.0), "calibration", p->calibration);
}

static json_t *profiles_json(growth_writer *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < NG_N_PROFILES; i++) {
        const ng_forward_profile *p = &w->forward->profile[i];
        if (p->n > 0) {
            const char *name = i < N ? ng_growth_parameter_info()[i].name : "delta";
            ng_growth_append(w, all, profile_json(w, name, p));
        }
    }
    return all;
}

/* The potential in the middle of the sizes seen: known where single parameters are not. */
static json_t *potential_json(growth_writer *w)
{
    const ng_forward_fit *f = w->forward;
    json_t *out = profile_json(w, "mu_kT", &f->potential);
    ng_growth_put(w, out, "n", json_real(f->potential_n));
    ng_growth_put(w, out, "lower", json_real(f->potential_lower));
    ng_growth_put(w, out, "upper", json_real(f->potential_upper));
    return out;
}

static json_t *prediction_json(growth_writer *w)
{
    const ng_forward_fit *f = w->forward;
    const struct {
        const char *key;
        const double *x;
    } row[] = {
        {"mean_n_lower", f->mean_lower}, {"mean_n_upper", f->mean_upper},
        {"var_n_lower", f->var_lower},   {"var_n_upper", f->var_upper},
        {"var_n_data_sd", f->var_sd},
    };
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        ng_growth_put(w, out, row[i].key, ng_growth_reals(row[i].x, f->n_frames));
    }
    ng_growth_put(w, out, "dissolved", json_real(f->dissolved));
    ng_growth_put(w, out, "mean_within_5_percent", json_real(f->mean_within));
    ng_growth_put(w, out, "smoothed_mean_within_5_percent", json_real(f->mean_within_smooth));
    ng_growth_put(w, out, "spline_within_5_percent", json_real(f->mean_within_spline));
    ng_growth_put(w, out, "variance_within_2_sd", json_real(f->var_within));
    return out;
}

static void put_parameters(growth_writer *w, json_t *object, const ng_growth_parameters *p)
{
    for (size_t i = 0; i < N; i++) {
        ng_growth_put(w, object, ng_growth_parameter_info()[i].name,
                      ng_json_real(ng_growth_parameter_get(p, i)));
    }
}

static json_t *models_json(growth_writer *w)
{
    json_t *all = json_array();
    for (size_t i = 0; i < w->forward->n_models; i++) {
        const ng_forward_model *m = &w->forward->model[i];
        json_t *parameters = json_object();
        put_parameters(w, parameters, &m->parameters);
        ng_growth_append(w, all,
                         json_pack("{s:s,s:s,s:I,s:f,s:f,s:f,s:f,s:f,s:o,s:f,s:o,s:o,s:b}", "name",
                                   m->name, "title", m->title, "n_parameters",
                                   (json_int_t)m->n_parameters, "log_likelihood", m->log_likelihood,
                                   "aic", m->aic, "bic", m->bic, "held_out", m->held_out,
                                   "held_out_se", m->held_out_se, "parameters", parameters, "delta",
                                   m->delta, "n_max", ng_json_real(m->n_max), "mu_max_kT",
                                   ng_json_real(m->mu_max_kT), "converged", m->converged));
    }
    return all;
}

static json_t *forward_json(growth_writer *w)
{
    const ng_forward_fit *f = w->forward;
    json_t *out = json_object();
    ng_growth_put(w, out, "settings", settings_json(w->forward_options));
    ng_growth_put(w, out, "log_likelihood", json_real(f->log_likelihood));
    ng_growth_put(w, out, "observations", json_integer((json_int_t)f->n_observations));
    ng_growth_put(w, out, "effective_observations", json_real(f->effective_observations));
    ng_growth_put(w, out, "outliers", json_integer((json_int_t)f->n_outliers));
    ng_growth_put(w, out, "n_parameters", json_integer((json_int_t)f->n_parameters));
    ng_growth_put(w, out, "noise_factor", number_json(&f->noise));
    if (f->spread.fitted) {
        ng_growth_put(w, out, "speed_spread", number_json(&f->spread));
    }
    ng_growth_put(w, out, "eigenvalues", ng_growth_reals(f->eigenvalue, f->n_parameters));
    ng_growth_put(w, out, "profiles", profiles_json(w));
    if (f->potential.n > 0) {
        ng_growth_put(w, out, "potential_profile", potential_json(w));
    }
    ng_growth_put(w, out, "prediction", prediction_json(w));
    if (f->n_models > 0) {
        ng_growth_put(w, out, "models", models_json(w));
    }
    return out;
}

/* The rate estimator's answer to the same data, at the sizes of the forward potential. */
static json_t *rate_json(growth_writer *w, const ng_growth_fit *rate, const json_t *potential)
{
    json_t *out = json_object(), *parameters = json_object(), *mu = json_array();
    put_parameters(w, parameters, &rate->best);
    const json_t *size;
    size_t i;
    json_array_foreach(json_object_get(potential, "n"), i, size)
    {
        double value = ng_potential(&rate->best, rate->delta_mean, json_number_value(size));
        ng_growth_append(w, mu, ng_json_real(value));
    }
    ng_growth_put(w, out, "parameters", parameters);
    ng_growth_put(w, out, "delta", json_real(rate->delta_mean));
    ng_growth_put(w, out, "converged", json_boolean(rate->converged));
    ng_growth_put(w, out, "growth_rate_cost", json_real(rate->growth_rate_cost));
    ng_growth_put(w, out, "variance_cost", json_real(rate->variance_cost));
    ng_growth_put(w, out, "mu_kT", mu);
    ng_growth_put(w, out, "time_s", ng_growth_reals(rate->time_s, rate->n_frames));
    ng_growth_put(w, out, "supersaturation",
                  ng_growth_reals(rate->supersaturation, rate->n_frames));
    return out;
}

ng_status ng_forward_fit_json(const ng_forward_fit *forward, const ng_growth_fit *fit,
                              const ng_growth_fit *rate, const ng_trajectories *t,
                              const ng_growth_fit_options *growth,
                              const ng_forward_options *options, const ng_material *material,
                              struct json_t **out, ng_warnings *warnings, ng_error *err)
{
    growth_writer w = {.fit = fit,
                       .forward = forward,
                       .forward_options = options,
                       .trajectories = t,
                       .options = growth,
                       .material = material};
    ng_status status = ng_growth_json_make(&w, out, warnings, err);
    if (status != NG_OK) {
        return status;
    }
    ng_growth_put(&w, *out, "forward", forward_json(&w));
    ng_growth_put(&w, *out, "rate", rate_json(&w, rate, json_object_get(*out, "potential")));
    if (!w.ok) {
        json_decref(*out);
        *out = NULL;
        status = NG_FAIL(err, NG_MEMORY, "forward fit: no memory for the result");
    }
    return status;
}
