/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tracks themselves show: distances, growth after a merge, sizes with and without. */
#include "coalescence_json_internal.h"

#include <math.h>
#include <string.h>

#define PUBLISHED_DISTANCE_NM 5.87
#define BEFORE_FRAMES 20
#define AFTER_FRAMES 60
#define DENSITY_POINTS 60

/* ---- distance at contact --------------------------------------------------------------------- */

typedef struct moments {
    double n, sum, squares;
} moments;

static void add(moments *m, double x)
{
    if (isfinite(x)) {
        m->n += 1.0;
        m->sum += x;
        m->squares += x * x;
    }
}

static double mean_of(const moments *m)
{
    return m->n > 0 ? m->sum / m->n : (double)NAN;
}

static double sd_of(const moments *m)
{
    const double mean = mean_of(m);
    return m->n > 1 ? sqrt(fmax(m->squares / m->n - mean * mean, 0.0) * m->n / (m->n - 1.0))
                    : (double)NAN;
}

json_t *ng_coalescence_distance_json(coalescence_writer *w)
{
    moments distance = {0}, sum = {0};
    const double *p = w->fit->model.parameter;
    for (size_t k = 0; k < w->data->n_merges; k++) {
        add(&distance, w->data->merge[k].distance_nm);
        add(&sum, w->data->merge[k].radius_sum_nm);
    }
    json_t *object = json_object();
    ng_coalescence_put(w, object, "mean_nm", ng_json_real(mean_of(&distance)));
    ng_coalescence_put(w, object, "sd_nm", ng_json_real(sd_of(&distance)));
    ng_coalescence_put(w, object, "merges", json_integer((json_int_t)distance.n));
    ng_coalescence_put(w, object, "mean_radius_sum_nm", ng_json_real(mean_of(&sum)));
    ng_coalescence_put(w, object, "sd_radius_sum_nm", ng_json_real(sd_of(&sum)));
    ng_coalescence_put(w, object, "model_nm", ng_json_real(mean_of(&sum) + p[NG_COALESCENCE_L]));
    ng_coalescence_put(w, object, "published_nm", ng_json_real(PUBLISHED_DISTANCE_NM));
    return object;
}

/* ---- a few merges, as [Kim] Fig. 6B ---------------------------------------------------------- */

#define EXAMPLES 3

static json_t *radii_json(coalescence_writer *w, size_t index)
{
    const ng_tracks *t = w->data->tracks;
    const ng_track *track = &t->track[index];
    json_t *time_s = json_array(), *radius = json_array();
    for (size_t i = track->first; i < track->first + track->n; i++) {
        ng_coalescence_append(w, time_s, ng_json_real(t->point[i].time_s));
        ng_coalescence_append(w, radius, ng_json_real(t->point[i].radius_nm));
    }
    return json_pack("{s:I,s:o,s:o}", "track", (json_int_t)track->id, "time_s", time_s, "radius_nm",
                     radius);
}

/* Of the merges whose partners were both measured before: an early, a middle and a late one. */
json_t *ng_coalescence_examples_json(coalescence_writer *w)
{
    json_t *all = json_array();
    size_t known = 0, seen = 0, next = 0;
    for (size_t k = 0; k < w->data->n_merges; k++) {
        known += isfinite(w->data->merge[k].radius_sum_nm) != 0;
    }
    for (size_t k = 0; k < w->data->n_merges && next < EXAMPLES; k++) {
        const ng_merge *m = &w->data->merge[k];
        if (!isfinite(m->radius_sum_nm) || seen++ < (2 * next + 1) * known / (2 * EXAMPLES)) {
            continue;
        }
        next++;
        json_t *one = json_pack("{s:f}", "time_s", m->time_s);
        ng_coalescence_put(w, one, "ends", radii_json(w, m->track));
        ng_coalescence_put(w, one, "goes_on", radii_json(w, m->partner));
        ng_coalescence_append(w, all, one);
    }
    return all;
}

/* ---- growth after a merge -------------------------------------------------------------------- */

static double radius_at(const ng_coalescence_data *d, size_t track, long frame)
{
    const ng_track_point *p = ng_coalescence_at(d->tracks, track, frame);
    return p != NULL ? p->radius_nm : (double)NAN;
}

/* Mean radius of the particles that never merge, per frame. */
static void lone_radius(const ng_coalescence_data *d, long first, double *radius)
{
    for (size_t f = 0; f < d->n_frames; f++) {
        moments m = {0};
        for (size_t i = 0; i < d->tracks->n_tracks; i++) {
            add(&m, d->merges[i] ? (double)NAN : radius_at(d, i, first + (long)f));
        }
        radius[f] = mean_of(&m);
    }
}

static long first_frame(const ng_coalescence_data *d)
{
    long first = d->tracks->point[0].frame;
    for (size_t i = 0; i < d->tracks->n_points; i++) {
        const long frame = d->tracks->point[i].frame;
        first = frame < first ? frame : first;
    }
    return first;
}

static void around_merges(const ng_coalescence_data *d, long first, long shift, const double *lone,
                          moments *merged, moments *others)
{
    for (size_t k = 0; k < d->n_merges; k++) {
        const ng_merge *m = &d->merge[k];
        const long f = (long)m->frame + shift;
        if (f < 0 || f >= (long)d->n_frames) {
            continue;
        }
        double radius = radius_at(d, m->partner, first + f);
        if (shift < 0) {
            radius = cbrt(pow(radius, 3.0) + pow(radius_at(d, m->track, first + f), 3.0));
        }
        add(merged, radius / cbrt(m->volume_nm3));
        add(others, lone[f] / lone[m->frame]);
    }
}

json_t *ng_coalescence_after_merge_json(coalescence_writer *w)
{
    enum { N = BEFORE_FRAMES + AFTER_FRAMES + 1 };
    const ng_coalescence_data *d = w->data;
    const double frame_s = d->time_s[1] - d->time_s[0];
    double time_s[N], ratio[N], error[N], other[N], count[N];
    double *lone = NG_NEW(double, d->n_frames);
    json_t *object = json_object();
    if (lone == NULL) {
        w->status = NG_FAIL(w->err, NG_MEMORY, "no memory for %zu frames", d->n_frames);
        return object;
    }
    const long first = first_frame(d);
    lone_radius(d, first, lone);
    for (long i = 0; i < N; i++) {
        moments merged = {0}, others = {0};
        around_merges(d, first, i - BEFORE_FRAMES, lone, &merged, &others);
        time_s[i] = (double)(i - BEFORE_FRAMES) * frame_s;
        ratio[i] = mean_of(&merged);
        error[i] = sd_of(&merged) / sqrt(merged.n);
        other[i] = mean_of(&others);
        count[i] = merged.n;
    }
    ng_coalescence_put(w, object, "time_s", ng_growth_reals(time_s, N));
    ng_coalescence_put(w, object, "radius_over_volume_radius", ng_growth_reals(ratio, N));
    ng_coalescence_put(w, object, "radius_over_volume_radius_se", ng_growth_reals(error, N));
    ng_coalescence_put(w, object, "others", ng_growth_reals(other, N));
    ng_coalescence_put(w, object, "merges", ng_growth_reals(count, N));
    ng_free(lone);
    return object;
}

/* ---- sizes of those that merge and those that do not ----------------------------------------- */

typedef enum which { ALONE, MERGING, ALL, N_WHICH } which;
static const char *const which_name[N_WHICH] = {"group_a", "group_b", "all"};

static bool belongs(const ng_coalescence_data *d, size_t track, which who)
{
    return who == ALL || d->merges[track] == (who == MERGING);
}

static size_t radii_at(const ng_coalescence_data *d, long frame, which who, double *radius)
{
    size_t n = 0;
    for (size_t i = 0; i < d->tracks->n_tracks; i++) {
        const double r = belongs(d, i, who) ? radius_at(d, i, frame) : (double)NAN;
        radius[n] = r;
        n += isfinite(r) != 0;
    }
    return n;
}

/* Slope of ln <r> over ln t. */
static double growth_exponent(const double *time_s, const double *mean, size_t n)
{
    double k = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t f = 0; f < n; f++) {
        if (time_s[f] > 0 && isfinite(mean[f])) {
            const double a = log(time_s[f]), b = log(mean[f]);
            k += 1.0;
            x += a;
            y += b;
            xx += a * a;
            xy += a * b;
        }
    }
    return (k * xy - x * y) / (k * xx - x * x);
}

static void put_density(coalescence_writer *w, json_t *object, const double *radius, size_t n)
{
    ng_distribution d = {0};
    ng_status status = ng_density_kernel(radius, NULL, n, 1.0, DENSITY_POINTS, &d, w->err);
    if (status == NG_OK) {
        ng_coalescence_put(w, object, "radius_nm", ng_growth_reals(d.n, d.count));
        ng_coalescence_put(w, object, "density_per_nm", ng_growth_reals(d.p, d.count));
    } else if (status != NG_TOO_LITTLE) {
        w->status = status;
    }
    ng_distribution_free(&d);
}

static json_t *sizes_of(coalescence_writer *w, which who, long first, double *radius,
                        double *curves)
{
    const ng_coalescence_data *d = w->data;
    const size_t n = d->n_frames;
    double *mean = curves, *sd = curves + n;
    size_t last = 0;
    for (size_t f = 0; f < n; f++) {
        moments m = {0};
        last = radii_at(d, first + (long)f, who, radius);
        for (size_t i = 0; i < last; i++) {
            add(&m, radius[i]);
        }
        mean[f] = mean_of(&m);
        sd[f] = sd_of(&m);
    }
    json_t *object = json_object();
    ng_coalescence_put(w, object, "mean_radius_nm", ng_growth_reals(mean, n));
    ng_coalescence_put(w, object, "sd_radius_nm", ng_growth_reals(sd, n));
    ng_coalescence_put(w, object, "particles_at_end", json_integer((json_int_t)last));
    ng_coalescence_put(w, object, "relative_spread_at_end", ng_json_real(sd[n - 1] / mean[n - 1]));
    ng_coalescence_put(w, object, "growth_exponent",
                       ng_json_real(growth_exponent(d->time_s, mean, n)));
    put_density(w, object, radius, last);
    return object;
}

json_t *ng_coalescence_sizes_json(coalescence_writer *w)
{
    const ng_coalescence_data *d = w->data;
    double *radius = NG_NEW(double, d->tracks->n_tracks + 1);
    double *curves = NG_NEW(double, 2 * d->n_frames);
    json_t *object = json_object();
    if (radius == NULL || curves == NULL) {
        w->status = NG_FAIL(w->err, NG_MEMORY, "no memory for the sizes");
    }
    const long first = first_frame(d);
    for (int who = 0; who < N_WHICH && w->status == NG_OK; who++) {
        ng_coalescence_put(w, object, which_name[who],
                           sizes_of(w, (which)who, first, radius, curves));
    }
    ng_free(radius);
    ng_free(curves);
    return object;
}

/* ---- the classical picture ------------------------------------------------------------------- */

static double shape_likelihood(const double *radius, size_t n, double mean, double a)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += log(fmax(ng_self_preserving(radius[i] / mean, a), 1e-300) / mean);
    }
    return sum;
}

/* The shape a that fits best: golden section in ln(a + 1). */
static double best_shape(const double *radius, size_t n, double mean)
{
    const double golden = 0.5 * (sqrt(5.0) - 1.0);
    double low = log(0.05), high = log(500.0);
    for (int i = 0; i < 60; i++) {
        const double left = high - golden * (high - low), right = low + golden * (high - low);
        if (shape_likelihood(radius, n, mean, exp(left) - 1.0) >
            shape_likelihood(radius, n, mean, exp(right) - 1.0)) {
            high = right;
        } else {
            low = left;
        }
    }
    return exp(0.5 * (low + high)) - 1.0;
}

static double normal_likelihood(const double *radius, size_t n, const moments *m)
{
    const double sd = sd_of(m), mean = mean_of(m);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double z = (radius[i] - mean) / sd;
        sum -= 0.5 * z * z + log(sd * sqrt(2.0 * acos(-1.0)));
    }
    return sum;
}

/* Smoluchowski's rate for pairs that always merge on meeting, and his sizes at the end. */
json_t *ng_coalescence_baseline_json(coalescence_writer *w)
{
    const ng_coalescence_data *d = w->data;
    const ng_coalescence_laws *laws = &w->fit->model.laws;
    double *rate = NG_NEW(double, d->n_frames);
    double *radius = NG_NEW(double, d->tracks->n_tracks + 1);
    json_t *object = json_object();
    if (rate == NULL || radius == NULL) {
        w->status = NG_FAIL(w->err, NG_MEMORY, "no memory for the baseline");
        goto out;
    }
    for (size_t f = 0; f < d->n_frames; f++) {
        const double t = d->time_s[f];
        rate[f] = ng_smoluchowski_rate(ng_coalescence_diffusion(laws, t),
                                       ng_coalescence_contact(laws, t) +
                                           w->fit->model.parameter[NG_COALESCENCE_L],
                                       t - d->time_s[0]);
    }
    const long last = first_frame(d) + (long)d->n_frames - 1;
    const size_t n = radii_at(d, last, ALL, radius);
    moments m = {0};
    for (size_t i = 0; i < n; i++) {
        add(&m, radius[i]);
    }
    const double shape = best_shape(radius, n, mean_of(&m));
    ng_coalescence_put(w, object, "smoluchowski_rate", ng_growth_reals(rate, d->n_frames));
    ng_coalescence_put(w, object, "shape", ng_json_real(shape));
    ng_coalescence_put(w, object, "log_likelihood",
                       ng_json_real(shape_likelihood(radius, n, mean_of(&m), shape)));
    ng_coalescence_put(w, object, "normal_log_likelihood",
                       ng_json_real(normal_likelihood(radius, n, &m)));

out:
    ng_free(rate);
    ng_free(radius);
    return object;
}
