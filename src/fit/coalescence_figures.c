/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from the fitted model: other particles, other densities, other sizes. */
#include "coalescence_json_internal.h"

#include <math.h>
#include <string.h>

#define MAP_SIDE 9
#define MAP_LEAST 0.5 /* factors of the sizes and of sigma_c */
#define MAP_MOST 2.0

/* One run of a changed model, with what is drawn of it. */
typedef struct outcome {
    double merges, peak_nm3_per_s, peak_s, quantile_s[5]; /* 5, 25, 50, 75, 95 % of the merges */
} outcome;

static const double shares[5] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* rate, surviving, density: n each. */
static ng_status run_changed(const ng_coalescence_model *model, const double *time_s, size_t n,
                             double *curves, outcome *out, ng_error *err)
{
    double *rate = curves, *surviving = curves + n, *density = curves + 2 * n;
    double *cumulative = curves + 3 * n;
    ng_status status = ng_coalescence_run(model, time_s, n, rate, surviving, err);
    if (status != NG_OK) {
        return status;
    }
    *out = (outcome){0};
    ng_coalescence_event_density(time_s, rate, surviving, n, density, cumulative);
    for (size_t i = 0; i < n; i++) {
        const double step_s = i > 0 ? time_s[i] - time_s[i - 1] : 0.0;
        out->merges += step_s * model->parameter[NG_COALESCENCE_DENSITY] * rate[i] * surviving[i] *
                       surviving[i];
        if (rate[i] > out->peak_nm3_per_s) {
            out->peak_nm3_per_s = rate[i];
            out->peak_s = time_s[i];
        }
    }
    for (size_t q = 0; q < 5; q++) {
        out->quantile_s[q] = ng_coalescence_quantile(time_s, cumulative, n, shares[q]);
    }
    return NG_OK;
}

static void put_outcome(coalescence_writer *w, json_t *object, const outcome *o)
{
    ng_coalescence_put(w, object, "merges_per_particle", ng_json_real(o->merges));
    ng_coalescence_put(w, object, "peak_nm3_per_s", ng_json_real(o->peak_nm3_per_s));
    ng_coalescence_put(w, object, "peak_s", ng_json_real(o->peak_s));
    ng_coalescence_put(w, object, "event_time_quartiles_s", ng_growth_reals(&o->quantile_s[1], 3));
}

/* A changed model as an object with its curves. */
static json_t *changed_json(coalescence_writer *w, const ng_coalescence_model *model)
{
    const size_t n = w->data->n_frames;
    double *curves = NG_NEW(double, 4 * n);
    json_t *object = json_object();
    outcome o = {0};
    ng_status status = curves != NULL ? run_changed(model, w->data->time_s, n, curves, &o, w->err)
                                      : NG_FAIL(w->err, NG_MEMORY, "no memory for a curve");
    if (status == NG_OK) {
        put_outcome(w, object, &o);
        ng_coalescence_put(w, object, "rate", ng_growth_reals(curves, n));
        ng_coalescence_put(w, object, "surviving", ng_growth_reals(curves + n, n));
        ng_coalescence_put(w, object, "event_density_per_s", ng_growth_reals(curves + 2 * n, n));
    } else if (w->status == NG_OK) {
        w->status = status;
    }
    ng_free(curves);
    return object;
}

json_t *ng_coalescence_counterfactual_json(coalescence_writer *w)
{
    ng_coalescence_model model = w->fit->model;
    model.any_size = true;
    return changed_json(w, &model);
}

/* More particles: pairs are denser, and nearer by the cube root. */
json_t *ng_coalescence_densities_json(coalescence_writer *w)
{
    static const double factor[] = {0.25, 0.5, 1.0, 2.0, 4.0};
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof factor / sizeof factor[0] && w->status == NG_OK; i++) {
        ng_coalescence_model model = w->fit->model;
        model.parameter[NG_COALESCENCE_DENSITY] *= factor[i];
        model.parameter[NG_COALESCENCE_RC] /= cbrt(factor[i]);
        json_t *one = changed_json(w, &model);
        ng_coalescence_put(w, one, "factor", ng_json_real(factor[i]));
        ng_coalescence_put(w, one, "rc_nm", ng_json_real(model.parameter[NG_COALESCENCE_RC]));
        ng_coalescence_append(w, all, one);
    }
    return all;
}

/* ---- map of the coalescence window ----------------------------------------------------------- */

static double map_factor(size_t i)
{
    return MAP_LEAST * pow(MAP_MOST / MAP_LEAST, (double)i / (MAP_SIDE - 1));
}

static ng_status run_map(void *context, size_t index, int worker, void *record, ng_error *err)
{
    const coalescence_writer *w = context;
    ng_coalescence_model model = w->fit->model;
    double *curves = NG_NEW(double, 4 * w->data->n_frames);
    (void)worker;
    if (curves == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for a curve");
    }
    model.cells = w->options->cells;
    model.step_s *= COALESCENCE_FINER;
    model.size_factor = map_factor(index / MAP_SIDE);
    model.parameter[NG_COALESCENCE_SIGMA_C] *= map_factor(index % MAP_SIDE);
    ng_status status = run_changed(&model, w->data->time_s, w->data->n_frames, curves, record, err);
    ng_free(curves);
    return status;
}

static double map_value(const outcome *o, size_t what)
{
    const double values[] = {o->merges, o->peak_s, o->quantile_s[0], o->quantile_s[4]};
    return values[what];
}

json_t *ng_coalescence_map_json(coalescence_writer *w)
{
    static const char *const name[] = {"merges_per_particle", "peak_s", "from_s", "to_s"};
    outcome cell[MAP_SIDE * MAP_SIDE];
    double lambda[MAP_SIDE], sigma_c[MAP_SIDE];
    memset(cell, 0, sizeof cell);
    ng_records records = {cell, MAP_SIDE * MAP_SIDE, sizeof *cell};
    ng_status status =
        ng_parallel_records(&records, run_map, w, w->run, "coalescence: map", w->err);
    w->status = w->status == NG_OK ? status : w->status;
    json_t *map = json_object();
    for (size_t i = 0; i < MAP_SIDE; i++) {
        lambda[i] = map_factor(i);
        sigma_c[i] = map_factor(i) * w->fit->model.parameter[NG_COALESCENCE_SIGMA_C];
    }
    ng_coalescence_put(w, map, "size_factor", ng_growth_reals(lambda, MAP_SIDE));
    ng_coalescence_put(w, map, "sigma_c_nm", ng_growth_reals(sigma_c, MAP_SIDE));
    for (size_t what = 0; what < sizeof name / sizeof name[0]; what++) {
        json_t *rows = json_array();
        for (size_t i = 0; i < MAP_SIDE; i++) {
            double row[MAP_SIDE];
            for (size_t j = 0; j < MAP_SIDE; j++) {
                row[j] = map_value(&cell[i * MAP_SIDE + j], what);
            }
            ng_coalescence_append(w, rows, ng_growth_reals(row, MAP_SIDE));
        }
        ng_coalescence_put(w, map, name[what], rows);
    }
    return map;
}

/* ---- the sum of radii at contact ------------------------------------------------------------- */

#define SUM_POINTS 80

/* Adds the pairs of one time: normal about sigma(t), less the propensity that size has cost. */
static void add_sums(const ng_coalescence_fit *fit, double time_s, double sd, double weight,
                     const double *sum_nm, double step_nm, double *density)
{
    const double mean = ng_coalescence_contact(&fit->model.laws, time_s);
    double value[SUM_POINTS], total = 0.0;
    for (size_t i = 0; i < SUM_POINTS; i++) {
        const double z = (sum_nm[i] - mean) / sd;
        value[i] = exp(-0.5 * z * z) * ng_coalescence_propensity(fit->model.parameter, sum_nm[i]);
        total += value[i] * step_nm;
    }
    for (size_t i = 0; i < SUM_POINTS && total > 0; i++) {
        density[i] += weight * value[i] / total;
    }
}

json_t *ng_coalescence_radius_sum_json(coalescence_writer *w)
{
    const ng_coalescence_fit *fit = w->fit;
    const ng_coalescence_data *d = w->data;
    double sum_nm[SUM_POINTS], spread[SUM_POINTS] = {0}, mean[SUM_POINTS] = {0};
    const double most = ng_coalescence_contact(&fit->model.laws, d->time_s[d->n_frames - 1]);
    const double step_nm = 1.3 * most / SUM_POINTS;
    for (size_t i = 0; i < SUM_POINTS; i++) {
        sum_nm[i] = ((double)i + 0.5) * step_nm;
    }
    for (size_t f = 1; f < d->n_frames; f++) {
        const double weight = fit->cumulative[f] - fit->cumulative[f - 1];
        const double sigma = ng_coalescence_contact(&fit->model.laws, d->time_s[f]);
        const size_t at = (size_t)fmin(sigma / step_nm, SUM_POINTS - 1);
        mean[at] += weight / step_nm;
        const double sd = fit->series.contact_sd_nm[f];
        add_sums(fit, d->time_s[f], sd > step_nm ? sd : step_nm, weight, sum_nm, step_nm, spread);
    }
    json_t *object = json_object();
    ng_coalescence_put(w, object, "radius_sum_nm", ng_growth_reals(sum_nm, SUM_POINTS));
    ng_coalescence_put(w, object, "density_per_nm", ng_growth_reals(spread, SUM_POINTS));
    ng_coalescence_put(w, object, "density_of_mean_per_nm", ng_growth_reals(mean, SUM_POINTS));
    return object;
}
