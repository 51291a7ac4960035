/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ensemble.json: keys in docs/results.md. */
#include "ensemble_internal.h"

#include <nucgrow/material.h>

#include <jansson.h>
#include <math.h>

#define DIGITS 7
#define FIRST_MOMENT 3 /* mean and variance have series of their own */
#define PHASES_MAX 9

/* ---- numbers ------------------------------------------------------------------------------- */

static double rounded(double x)
{
    if (!isfinite(x)) {
        return x;
    }
    char text[40];
    snprintf(text, sizeof text, "%.*g", DIGITS, x);
    return ng_parse_real(text, &x) ? x : (double)NAN;
}

/* Jansson's setters take NULL for a value that could not be made, and fail; so only the object that
 * is handed on at the end need be looked at. */
static json_t *reals(const double *x, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < n; i++) {
        if (json_array_append_new(array, ng_json_real(rounded(x[i]))) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

/* An object that is filled until something fails. */
typedef struct filling {
    json_t *object;
    bool failed;
} filling;

static filling begin(void)
{
    json_t *object = json_object();
    return (filling){.object = object, .failed = object == NULL};
}

static void put(filling *f, const char *key, json_t *value)
{
    f->failed |= json_object_set_new(f->object, key, value) != 0;
}

static void put_reals(filling *f, const char *key, const double *x, size_t n)
{
    put(f, key, reals(x, n));
}

static void put_count(filling *f, const char *key, size_t n)
{
    put(f, key, json_integer((json_int_t)n));
}

static json_t *finish(filling *f)
{
    if (f->failed) {
        json_decref(f->object);
        f->object = NULL;
    }
    return f->object;
}

/* ---- what was done ------------------------------------------------------------------------- */

static json_t *smoothing_text(const ng_ensemble_options *o)
{
    if (!o->smooth) {
        return json_string("none");
    }
    const char *ends = o->published ? "mirrored at the ends; elliptic below 32 points; rounded"
                                    : "point reflection at the ends";
    return json_sprintf("49-tap Kaiser low-pass of zero phase, cutoff %g cycles per frame, %s",
                        o->cutoff, ends);
}

static json_t *noise_json(const ng_trajectories *t)
{
    filling f = begin();
    put(&f, "scale", ng_json_real(rounded(t->noise_scale)));
    put(&f, "power", ng_json_real(rounded(t->noise_power)));
    put(&f, "gain", ng_json_real(rounded(t->noise_gain)));
    return finish(&f);
}

static json_t *settings_json(const ng_ensemble *e)
{
    const ng_ensemble_options *o = e->options;
    size_t bootstrap = o->bootstrap;
    filling f = begin();
    put(&f, "preset", json_string(o->published ? "published" : "default"));
    put(&f, "smoothing", smoothing_text(o));
    put(&f, "smooth", json_boolean(o->smooth));
    put(&f, "cutoff_per_frame", ng_json_real(o->cutoff));
    put(&f, "max_gap_frames", json_integer(o->max_gap));
    put(&f, "density",
        json_string(o->published ? "30 bins, moving mean of 5, PCHIP through the left edges"
                                 : "Gaussian kernel in ln n, Silverman's bandwidth"));
    put(&f, "pixel_nm", ng_json_real(e->tracks->pixel_nm));
    put(&f, "frame_s", ng_json_real(e->tracks->frame_s));
    put_count(&f, "bootstrap", bootstrap);
    put_count(&f, "distribution_bootstrap",
              bootstrap < NG_DISTRIBUTION_BOOTSTRAP ? bootstrap : NG_DISTRIBUTION_BOOTSTRAP);
    put(&f, "level", ng_json_real(o->level));
    put(&f, "noise", noise_json(e->trajectories));
    return finish(&f);
}

static json_t *counts_json(const ng_ensemble *e)
{
    filling f = begin();
    put_count(&f, "rows", e->tracks->rows_read);
    put_count(&f, "rows_dropped", e->tracks->rows_dropped);
    put_count(&f, "tracks", e->tracks->n_tracks);
    put_count(&f, "tracks_dropped", e->trajectories->tracks_dropped);
    put_count(&f, "points_dropped", e->trajectories->points_dropped);
    put_count(&f, "trajectories", e->trajectories->n_tracks);
    put_count(&f, "frames", e->trajectories->n_frames);
    put_count(&f, "points", e->trajectories->n_points);
    return finish(&f);
}

/* ---- series -------------------------------------------------------------------------------- */

static json_t *series_json(const ng_ensemble *e)
{
    const ng_series *s = e->series;
    size_t n = s->n_frames;
    filling f = begin();
    put_reals(&f, "time_s", e->trajectories->time_s, n);
    put_reals(&f, "particles", s->particles, n);
    put_reals(&f, "mean_n", s->mean_n, n);
    put_reals(&f, "var_n", s->var_n, n);
    put_reals(&f, "mean_radius_nm", s->mean_radius_nm, n);
    put_reals(&f, "sd_radius_nm", s->sd_radius_nm, n);
    put_reals(&f, "dmean_n_dt_per_s", s->dmean_dt_per_s, n);
    put_reals(&f, "dvar_n_dt_per_s", s->dvar_dt_per_s, n);
    put_reals(&f, "dln_particles_dt_per_s", s->dln_particles_dt_per_s, n);
    if (e->bands != NULL) {
        put_reals(&f, "mean_n_lower", e->bands->lower.mean_n, n);
        put_reals(&f, "mean_n_upper", e->bands->upper.mean_n, n);
        put_reals(&f, "var_n_lower", e->bands->lower.var_n, n);
        put_reals(&f, "var_n_upper", e->bands->upper.var_n, n);
    }
    return finish(&f);
}

static json_t *moments_of(const ng_series *s)
{
    json_t *list = json_array();
    bool failed = list == NULL;
    for (int q = FIRST_MOMENT; q <= NG_MOMENT_MAX; q++) {
        failed |= json_array_append_new(list, reals(s->moment[q], s->n_frames)) != 0;
    }
    if (failed) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *moments_json(const ng_ensemble *e)
{
    json_t *order = json_array();
    filling f = begin();
    for (int q = FIRST_MOMENT; q <= NG_MOMENT_MAX; q++) {
        f.failed |= json_array_append_new(order, json_integer(q)) != 0;
    }
    put(&f, "order", order);
    put(&f, "value", moments_of(e->series));
    if (e->bands != NULL) {
        put(&f, "lower", moments_of(&e->bands->lower));
        put(&f, "upper", moments_of(&e->bands->upper));
    }
    return finish(&f);
}

/* ---- distributions and phases -------------------------------------------------------------- */

static json_t *distribution_json(const ng_ensemble *e, const ng_frame_distribution *d)
{
    size_t n = d->distribution.count;
    filling f = begin();
    put(&f, "time_s", ng_json_real(rounded(e->trajectories->time_s[d->frame])));
    put(&f, "particles", ng_json_real(e->series->particles[d->frame]));
    put_reals(&f, "n", d->distribution.n, n);
    put_reals(&f, "p_n", d->distribution.p, n);
    if (d->lower != NULL) {
        put_reals(&f, "p_n_lower", d->lower, n);
        put_reals(&f, "p_n_upper", d->upper, n);
    }
    put_reals(&f, "psi_n", d->distribution.psi, n);
    return finish(&f);
}

static ng_status distributions_json(const ng_ensemble *e, const ng_run *run, json_t **out,
                                    ng_error *err)
{
    ng_frame_distribution d[NG_DISTRIBUTIONS_MAX];
    size_t n = 0;
    ng_status status = ng_distributions_compute(e, run, d, &n, err);
    if (status != NG_OK) {
        return status;
    }
    json_t *list = json_array();
    bool failed = list == NULL;
    for (size_t i = 0; i < n; i++) {
        failed |= json_array_append_new(list, distribution_json(e, &d[i])) != 0;
    }
    ng_distributions_free(d);
    if (failed) {
        json_decref(list);
        return NG_FAIL(err, NG_MEMORY, "out of memory for the distributions");
    }
    *out = list;
    return NG_OK;
}

static json_t *phase_json(const ng_ensemble *e, const ng_phase *phase)
{
    const double *time_s = e->trajectories->time_s;
    double frames = (double)(phase->last - phase->first);
    double frame_s = (time_s[phase->last] - time_s[phase->first]) / frames;
    filling f = begin();
    put(&f, "name", json_string(phase->name));
    put(&f, "start_s", ng_json_real(rounded(time_s[phase->first])));
    put(&f, "end_s", ng_json_real(rounded(time_s[phase->last])));
    put(&f, "mean_trend", json_string(ng_trend_name(phase->mean)));
    put(&f, "var_trend", json_string(ng_trend_name(phase->variance)));
    put(&f, "dln_mean_n_dt_per_s", ng_json_real(rounded(phase->mean_rate / frame_s)));
    put(&f, "dln_var_n_dt_per_s", ng_json_real(rounded(phase->variance_rate / frame_s)));
    return finish(&f);
}

static json_t *phases_json(const ng_ensemble *e)
{
    ng_phase phase[PHASES_MAX];
    size_t n = 0;
    json_t *list = json_array();
    bool failed = list == NULL;
    failed |= ng_phases_find(e->series, PHASES_MAX, phase, &n, NULL) != NG_OK;
    for (size_t i = 0; i < n; i++) {
        failed |= json_array_append_new(list, phase_json(e, &phase[i])) != 0;
    }
    if (failed) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

ng_status ng_ensemble_json(const ng_ensemble *ensemble, const ng_run *run, struct json_t **out,
                           ng_error *err)
{
    *out = NULL;
    json_t *distributions = NULL;
    ng_status status = distributions_json(ensemble, run, &distributions, err);
    if (status != NG_OK) {
        return status;
    }
    filling f = begin();
    put(&f, "material", ng_material_json(ensemble->material));
    put(&f, "settings", settings_json(ensemble));
    put(&f, "counts", counts_json(ensemble));
    put(&f, "series", series_json(ensemble));
    put(&f, "moments", moments_json(ensemble));
    put(&f, "distributions", distributions);
    put(&f, "phases", phases_json(ensemble));
    put(&f, "tracks", ng_tracks_json(ensemble->tracks));
    *out = finish(&f);
    return *out != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory for the result");
}
